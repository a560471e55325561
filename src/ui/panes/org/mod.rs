//! Org: groups and people as a tree, what they own, how to reach them, and what nobody owns.
//!
//! Regions as the width allows: the tree always; details of the focused group or person and the list
//! of what it owns beside it from 100 columns, all three side by side from 180. The tree ([`Chart`])
//! is built when the catalog is swapped; folding and filtering only choose rows of it.

mod chart;
#[cfg(test)]
mod tests;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::event::Effect;
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::line_input::LineInput;
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::{Subject, links};
use crate::catalog::{Catalog, EntityId};
use crate::config::theme::Role;
use crate::model::entity_ref::split_canonical;
use crate::model::text::width;
use crate::ui::entity_lines::{self, short_ref};
use crate::ui::text::{Line, paint, put, put_line, span, wrap};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Panel, Table};
use chart::{Chart, Remark, What, targets};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::FxHashSet;
use std::sync::Arc;

const COLLAPSE: CommandId = CommandId("org.collapse");
const EXPAND: CommandId = CommandId("org.expand");
const FILTER: CommandId = CommandId("org.filter");
const UNOWNED: CommandId = CommandId("org.unowned");
const MINE: CommandId = CommandId("org.mine");
const BELOW: CommandId = CommandId("org.below");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "org",
    title: "Org",
    help: "Groups and people, what they own, and what nobody owns",
    aliases: &["organisation", "organization"],
    go: Some(CommandSpec::new(
        CommandId("go.org"),
        "org",
        "Groups and people, what they own, and what nobody owns",
        &["7"],
        0,
    )),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(COLLAPSE, "fold", "Fold the group, or go to the group above", &["h", "left"], 0),
        CommandSpec::new(EXPAND, "unfold", "Show groups and people below, or go to them", &["l", "right"], 0),
        CommandSpec::new(
            FILTER,
            "filter",
            "Show only groups and people whose name matches, with the groups above them",
            &["/"],
            20,
        ),
        CommandSpec::new(MINE, "my team", "Go to my own group", &["m"], 22),
        CommandSpec::new(UNOWNED, "unowned", "Go to what nobody owns", &["U"], 24),
        CommandSpec::new(BELOW, "whole", "List also what the groups below own, or not", &["t"], 26),
    ],
    groups: &[Group::Subject, Group::Regions, Group::Move],
    open: |_, _| Ok(Box::new(OrgPane::default())),
};

const TREE_COLUMNS: &[Column] = &[
    Column { title: "GROUP OR PERSON", min: 30, weight: 4, priority: 0 },
    Column { title: "MEMBERS", min: 11, weight: 0, priority: 2 },
    Column { title: "OWNS", min: 11, weight: 0, priority: 1 },
    Column { title: "TYPE", min: 12, weight: 1, priority: 3 },
];

const OWNED_COLUMNS: &[Column] = &[
    Column { title: "NAME", min: 20, weight: 3, priority: 0 },
    Column { title: "KIND", min: 12, weight: 1, priority: 1 },
    Column { title: "LIFECYCLE", min: 12, weight: 0, priority: 2 },
    Column { title: "PROBLEMS", min: 8, weight: 0, priority: 3 },
];

/// Columns from which details stand beside the tree.
const SPLIT: u16 = 100;
/// Columns from which the owned entities have a region beside the details.
const WIDE: u16 = 180;
/// Groups up to which all of them are unfolded at first.
const UNFOLDED: usize = 60;
/// Most members and groups listed in the details; the tree has them all.
const LISTED: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Region {
    #[default]
    Tree,
    Detail,
    Owned,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    #[default]
    Split,
    Tree,
    Detail,
}

/// Areas of the regions, frames included; `None` where there is no room.
#[derive(Debug, Clone, Copy, Default)]
struct Areas {
    tree: Option<Rect>,
    detail: Option<Rect>,
    owned: Option<Rect>,
}

/// A visible row of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    item: usize,
    depth: usize,
}

/// State of the pane.
#[derive(Default)]
struct OrgPane {
    /// The snapshot that all ids belong to; `None` before the first look.
    catalog: Option<Arc<Catalog>>,
    chart: Chart,
    /// Unfolded items.
    open: FxHashSet<usize>,
    rows: Vec<Row>,
    list: ListState,
    filter: LineInput,
    is_typing: bool,
    before_typing: String,
    focus: Region,
    layout: Layout,
    is_whole: bool,
    owned: Vec<EntityId>,
    owned_list: ListState,
    detail: Vec<Line>,
    detail_offset: usize,
}

impl OrgPane {
    // ---- what is shown -------------------------------------------------------------------------

    /// Names an item so that it is found again in another snapshot.
    fn identity(&self, at: usize) -> Option<(What, String)> {
        let item = self.chart.items.get(at)?;
        let catalog = self.catalog.as_ref()?;
        let text = item.id().map(|id| catalog.ref_of(id).to_owned()).unwrap_or_default();
        let plain = match item.what {
            What::Group(_) => What::Group(EntityId(0)),
            What::Person(_) => What::Person(EntityId(0)),
            other => other,
        };
        Some((plain, text))
    }

    fn build(&mut self, cx: &Context) {
        let is_first = self.catalog.is_none();
        let open: FxHashSet<(What, String)> = self.open.iter().filter_map(|at| self.identity(*at)).collect();
        let focused = self.focused_item().and_then(|at| self.identity(at));
        self.chart = Chart::build(&cx.catalog);
        self.catalog = Some(cx.catalog.clone());
        self.open = if is_first {
            self.open_at_first(cx)
        } else {
            (0..self.chart.items.len())
                .filter(|at| self.identity(*at).is_some_and(|key| open.contains(&key)))
                .collect()
        };
        self.choose_rows();
        let at = focused
            .and_then(|key| self.rows.iter().position(|row| self.identity(row.item).as_ref() == Some(&key)));
        self.select(at.unwrap_or(self.list.cursor), cx);
    }

    /// Unfolds groups that have groups below them, and my own; in a large company only the topmost.
    fn open_at_first(&self, cx: &Context) -> FxHashSet<usize> {
        let mut open = FxHashSet::default();
        for (at, item) in self.chart.items.iter().enumerate() {
            let is_group = |child: &usize| {
                self.chart.items.get(*child).is_some_and(|child| matches!(child.what, What::Group(_)))
            };
            let is_small = self.chart.groups <= UNFOLDED || item.parent.is_none();
            if matches!(item.what, What::Group(_)) && is_small && item.children.iter().any(is_group) {
                open.insert(at);
            }
            if item.id().is_some_and(|id| is_mine(cx, &cx.catalog, id)) && matches!(item.what, What::Group(_))
            {
                let mut above = Some(at);
                while let Some(at) = above {
                    open.insert(at);
                    above = self.chart.items.get(at).and_then(|item| item.parent);
                }
            }
        }
        open
    }

    /// Chooses the rows to show: what is unfolded, or what the filter finds with what is above it.
    fn choose_rows(&mut self) {
        let needle = self.filter.text().trim().to_lowercase();
        let found = (!needle.is_empty()).then(|| self.found(&needle));
        let mut rows = Vec::new();
        let mut stack: Vec<Row> =
            self.chart.top.iter().rev().map(|item| Row { item: *item, depth: 0 }).collect();
        while let Some(row) = stack.pop() {
            let is_shown = found.as_ref().is_none_or(|found| found.contains(&row.item));
            if !is_shown {
                continue;
            }
            rows.push(row);
            let Some(item) = self.chart.items.get(row.item) else { continue };
            if found.is_some() || self.open.contains(&row.item) {
                stack.extend(
                    item.children.iter().rev().map(|child| Row { item: *child, depth: row.depth + 1 }),
                );
            }
        }
        self.rows = rows;
    }

    fn found(&self, needle: &str) -> FxHashSet<usize> {
        let mut found = FxHashSet::default();
        let Some(catalog) = &self.catalog else { return found };
        for (at, item) in self.chart.items.iter().enumerate() {
            let is_hit = match item.id() {
                Some(id) => is_hit(catalog, id, needle),
                None => section_name(item.what).contains(needle),
            };
            if !is_hit {
                continue;
            }
            let mut above = Some(at);
            while let Some(at) = above.filter(|at| found.insert(*at)) {
                above = self.chart.items.get(at).and_then(|item| item.parent);
            }
        }
        found
    }

    fn focused_item(&self) -> Option<usize> {
        self.rows.get(self.list.cursor).map(|row| row.item)
    }

    /// Returns the entity that the subject commands act on.
    fn focused(&self) -> Option<EntityId> {
        if self.focus == Region::Owned {
            return self.owned.get(self.owned_list.cursor).copied();
        }
        self.focused_item().and_then(|at| self.chart.items.get(at)).and_then(chart::Item::id)
    }

    // ---- where it stands -----------------------------------------------------------------------

    fn areas(&self, area: Rect) -> Areas {
        let stacked = |region: Rect| {
            let top = (u32::from(region.height) * 45 / 100) as u16;
            let detail = Rect { height: top, ..region };
            let owned = Rect { y: region.y + top, height: region.height - top, ..region };
            (Some(detail), Some(owned))
        };
        match (self.layout, area.width >= SPLIT) {
            (Layout::Detail, _) => {
                let (detail, owned) = stacked(area);
                Areas { tree: None, detail, owned }
            }
            (Layout::Tree, _) | (Layout::Split, false) => Areas { tree: Some(area), ..Areas::default() },
            (Layout::Split, true) => {
                let percent = if area.width >= WIDE { 38 } else { 52 };
                let left = (u32::from(area.width) * percent / 100) as u16;
                let tree = Some(Rect { width: left, ..area });
                let rest = Rect { x: area.x + left, width: area.width - left, ..area };
                if area.width < WIDE {
                    let (detail, owned) = stacked(rest);
                    return Areas { tree, detail, owned };
                }
                let middle = rest.width / 2;
                let detail = Some(Rect { width: middle, ..rest });
                let owned = Some(Rect { x: rest.x + middle, width: rest.width - middle, ..rest });
                Areas { tree, detail, owned }
            }
        }
    }

    /// Area inside a region; details and owned entities always have a frame, the tree only beside them.
    fn inner(region: Rect, screen: Rect) -> Rect {
        if region == screen && screen.width < SPLIT { region } else { Panel::inner(region) }
    }

    fn tree_area(&self, region: Rect, screen: Rect) -> Rect {
        let inner = Self::inner(region, screen);
        let typing = u16::from(self.is_typing).min(inner.height);
        Rect { y: inner.y + typing, height: inner.height - typing, ..inner }
    }

    fn height(&self, cx: &Context) -> usize {
        let region = self.areas(cx.area).tree.unwrap_or(cx.area);
        Table::height(self.tree_area(region, cx.area))
    }

    fn owned_height(&self, cx: &Context) -> usize {
        self.areas(cx.area).owned.map_or(1, |region| Table::height(Self::inner(region, cx.area)))
    }

    fn detail_height(&self, cx: &Context) -> usize {
        self.areas(cx.area).detail.map_or(1, |region| usize::from(Self::inner(region, cx.area).height))
    }

    fn regions(&self, area: Rect) -> Vec<Region> {
        let areas = self.areas(area);
        let all = [(Region::Tree, areas.tree), (Region::Detail, areas.detail), (Region::Owned, areas.owned)];
        all.into_iter().filter_map(|(region, area)| area.map(|_| region)).collect()
    }

    fn step_region(&mut self, by: isize, cx: &Context) {
        let regions = self.regions(cx.area);
        let at = regions.iter().position(|region| *region == self.focus).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(regions.len().max(1) as isize) as usize;
        self.focus = regions.get(next).copied().unwrap_or_default();
    }

    fn cycle_layout(&mut self, cx: &Context) {
        self.layout = match (self.layout, cx.area.width >= SPLIT) {
            (Layout::Split, true) => Layout::Tree,
            (Layout::Split | Layout::Tree, _) => Layout::Detail,
            (Layout::Detail, _) => Layout::Split,
        };
        self.fit(cx);
    }

    /// Keeps focus, cursors and lines right for the size of the screen.
    fn fit(&mut self, cx: &Context) {
        let regions = self.regions(cx.area);
        if !regions.contains(&self.focus) {
            self.focus = if regions.contains(&Region::Owned) { Region::Owned } else { Region::Tree };
        }
        self.list.clamp(self.rows.len(), self.height(cx));
        self.look(cx);
    }

    // ---- moving --------------------------------------------------------------------------------

    fn select(&mut self, row: usize, cx: &Context) {
        self.list.select(row, self.rows.len(), self.height(cx));
        self.owned_list = ListState::default();
        self.detail_offset = 0;
        self.look(cx);
    }

    /// Makes what stands beside the tree for the focused row.
    fn look(&mut self, cx: &Context) {
        let Some(catalog) = self.catalog.clone() else { return };
        let Some(at) = self.focused_item() else {
            self.owned.clear();
            self.detail.clear();
            return;
        };
        self.owned = self.chart.owned(&catalog, at, self.is_whole);
        self.owned_list.clamp(self.owned.len(), self.owned_height(cx));
        let width = self.areas(cx.area).detail.map_or(0, |region| Self::inner(region, cx.area).width);
        self.detail = self.lines(cx, &catalog, at, usize::from(width.saturating_sub(2)));
    }

    fn is_open(&self, at: usize) -> bool {
        !self.filter.is_empty() || self.open.contains(&at)
    }

    fn sideways(&mut self, is_open: bool, cx: &Context) {
        let Some(row) = self.rows.get(self.list.cursor).copied() else { return };
        let has_children = self.chart.items.get(row.item).is_some_and(|item| !item.children.is_empty());
        match (is_open, has_children && self.is_open(row.item)) {
            (true, true) => self.select(self.list.cursor + 1, cx),
            (true, false) if has_children => self.fold(row.item, cx),
            (false, true) if self.filter.is_empty() => self.fold(row.item, cx),
            (false, _) => {
                let above = self.rows.get(..self.list.cursor).unwrap_or(&[]);
                if let Some(at) = above.iter().rposition(|other| other.depth < row.depth) {
                    self.select(at, cx);
                }
            }
            (true, false) => {}
        }
    }

    fn fold(&mut self, item: usize, cx: &Context) {
        if !self.open.remove(&item) {
            self.open.insert(item);
        }
        self.choose_rows();
        self.fit(cx);
    }

    /// Goes to an item, unfolding what is above it and ending the filter if that hides it.
    fn go_to(&mut self, item: usize, cx: &Context) {
        let mut above = self.chart.items.get(item).and_then(|item| item.parent);
        while let Some(at) = above {
            self.open.insert(at);
            above = self.chart.items.get(at).and_then(|item| item.parent);
        }
        self.choose_rows();
        let find = |rows: &[Row]| rows.iter().position(|row| row.item == item);
        if find(&self.rows).is_none() {
            self.filter = LineInput::default();
            self.choose_rows();
        }
        if self.areas(cx.area).tree.is_none() {
            self.layout = Layout::Split;
        }
        self.focus = Region::Tree;
        if let Some(row) = find(&self.rows) {
            self.select(row, cx);
        }
    }

    /// Returns my groups, in the order of the tree, the next after the focused one first.
    fn next_mine(&self, cx: &Context) -> Option<usize> {
        let catalog = self.catalog.as_ref()?;
        let mine: Vec<usize> = (0..self.chart.items.len())
            .filter(|at| {
                self.chart.items.get(*at).is_some_and(|item| {
                    matches!(item.what, What::Group(id) if is_mine(cx, catalog, id))
                        && item.remark != Remark::Elsewhere
                })
            })
            .collect();
        let focused = self.focused_item()?;
        mine.iter().copied().find(|at| *at > focused).or_else(|| mine.first().copied())
    }

    fn unowned_item(&self) -> Option<usize> {
        self.chart.items.iter().position(|item| item.what == What::Unowned)
    }

    fn set_filter(&mut self, text: &str, cx: &Context) {
        self.filter = LineInput::new(text);
        self.filtered(cx);
    }

    /// After the filter changed: the focus goes to the first name that matches, else stays.
    fn filtered(&mut self, cx: &Context) {
        let before = self.focused_item();
        self.choose_rows();
        let needle = self.filter.text().trim().to_lowercase();
        let hit = |row: &Row| {
            let id = self.chart.items.get(row.item).and_then(chart::Item::id);
            id.zip(self.catalog.as_ref()).is_some_and(|(id, catalog)| is_hit(catalog, id, &needle))
        };
        let at = if needle.is_empty() {
            self.rows.iter().position(|row| Some(row.item) == before)
        } else {
            self.rows.iter().position(hit)
        };
        self.select(at.unwrap_or(0), cx);
    }

    // ---- details -------------------------------------------------------------------------------

    fn lines(&self, cx: &Context, catalog: &Catalog, at: usize, width: usize) -> Vec<Line> {
        let Some(item) = self.chart.items.get(at) else { return Vec::new() };
        let words = |text: &str, role: Role| -> Vec<Line> {
            wrap(text, width.min(100)).into_iter().map(|line| vec![span(line, role)]).collect()
        };
        let Some(id) = item.id() else {
            let text = match item.what {
                What::Ungrouped => "People who are in no group that somebody describes.",
                What::Nowhere => {
                    "Groups and people that are named as owner, parent or member, and that nobody describes. Describe them, or \
                     mend the name where it is written."
                }
                _ => "What has no owner, or an owner that nobody describes. Put the group into `spec.owner`.",
            };
            let mut lines = words(text, Role::Text);
            if item.what == What::Unowned {
                lines.push(Vec::new());
                lines.extend(words(&format!("{} lists them in the catalog", cx.key(id::OPEN)), Role::Dim));
            }
            return lines;
        };
        let mut lines: Vec<Line> = Vec::new();
        let Some(entity) = catalog.entity(id) else {
            lines.extend(words(&format!("nobody describes `{}`", catalog.ref_of(id)), Role::Unknown));
            self.add_people(cx, catalog, item, &mut lines);
            return lines;
        };
        if let Some(title) = entity.title().filter(|title| *title != entity.name()) {
            lines.push(vec![span(title, Role::Title)]);
        }
        lines.push(entity_lines::facts(&entity));
        let description = entity.description().trim();
        if !description.is_empty() {
            lines.extend(words(description, Role::Text));
        }
        if let Remark::Lost(other) = item.remark {
            let text = format!("{} is described nowhere", short_ref(catalog.ref_of(other)));
            lines.push(vec![span(format!("{} {text}", Sign::Unknown.text(cx)), Role::Unknown)]);
        }
        if item.remark == Remark::Circle {
            lines.push(vec![span("it is its own parent, in a circle", Role::Warn)]);
        }
        for (relation, label) in [("childOf", "parent"), ("memberOf", "in"), ("parentOf", "groups")] {
            let names: Vec<_> = targets(catalog, id, relation)
                .take(LISTED)
                .map(|t| entity_lines::target(cx, catalog, t))
                .collect();
            if names.is_empty() {
                continue;
            }
            let mut line = vec![span(format!("{label:<9}"), Role::Dim)];
            for name in names {
                if line.len() > 1 && crate::ui::text::line_width(&line) + self::width(&name.text) + 2 > width
                {
                    lines.push(std::mem::replace(&mut line, vec![span(" ".repeat(9), Role::Dim)]));
                }
                line.extend([name, span("  ", Role::Text)]);
            }
            lines.push(line);
        }
        let ways = links(&entity);
        if !ways.is_empty() {
            lines.push(Vec::new());
        }
        for (title, url) in ways {
            lines.push(match url.strip_prefix("mailto:") {
                Some(address) => vec![span("e-mail   ", Role::Dim), span(address, Role::Link)],
                None => vec![span(title, Role::Link), span(format!("  {url}"), Role::Dim)],
            });
        }
        self.add_people(cx, catalog, item, &mut lines);
        lines
    }

    fn add_people(&self, cx: &Context, catalog: &Catalog, item: &chart::Item, lines: &mut Vec<Line>) {
        let What::Group(id) = item.what else { return };
        lines.push(Vec::new());
        if item.members.0 == 0 {
            lines.push(vec![span("no members", Role::Dim)]);
            return;
        }
        lines.push(vec![span(format!("members ({})", grouped(item.members.0)), Role::Dim)]);
        for member in targets(catalog, id, "hasMember").take(LISTED) {
            let Some(person) = catalog.entity(member) else {
                lines.push(vec![entity_lines::target(cx, catalog, member)]);
                continue;
            };
            let mut line = vec![span(person.title().unwrap_or(person.name()), Role::Text)];
            if let Some(email) = email(catalog, member) {
                line.push(span(format!("  {email}"), Role::Link));
            }
            if cx.me.principal.user.as_deref() == Some(person.entity_ref()) {
                line.push(span("  me", Role::Accent));
            }
            lines.push(line);
        }
        if item.members.0 > LISTED {
            let rest = grouped(item.members.0 - LISTED);
            lines.push(vec![span(format!("… {rest} more; the tree has them all"), Role::Dim)]);
        }
    }

    // ---- commands ------------------------------------------------------------------------------

    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(catalog) = self.catalog.clone() else { return Vec::new() };
        if self.focus == Region::Owned {
            let place = self.focused().map(|id| Place::entity(catalog.ref_of(id)));
            return place.map(|place| vec![Effect::Open(place)]).unwrap_or_default();
        }
        let Some(at) = self.focused_item() else { return Vec::new() };
        match self.chart.items.get(at).map(|item| item.what) {
            Some(What::Group(id)) => {
                vec![Effect::Open(Place::with("catalog", owner_term(catalog.ref_of(id))))]
            }
            Some(What::Person(id)) if catalog.is_entity(id) => {
                vec![Effect::Open(Place::entity(catalog.ref_of(id)))]
            }
            Some(What::Person(id)) => {
                vec![Effect::Open(Place::with("catalog", owner_term(catalog.ref_of(id))))]
            }
            Some(What::Unowned) => vec![Effect::Open(Place::with("catalog", "is:unowned"))],
            Some(What::Ungrouped | What::Nowhere) => {
                self.fold(at, cx);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            id::OPEN => return self.open(cx),
            COLLAPSE => self.sideways(false, cx),
            EXPAND => self.sideways(true, cx),
            FILTER => {
                self.is_typing = true;
                self.before_typing = self.filter.text().to_owned();
                if self.areas(cx.area).tree.is_none() {
                    self.layout = Layout::Split;
                }
                self.focus = Region::Tree;
                self.fit(cx);
            }
            MINE => {
                if let Some(item) = self.next_mine(cx) {
                    self.go_to(item, cx);
                }
            }
            UNOWNED => {
                if let Some(item) = self.unowned_item() {
                    self.go_to(item, cx);
                }
            }
            BELOW => {
                self.is_whole = !self.is_whole;
                self.look(cx);
            }
            id::REGION_NEXT => self.step_region(1, cx),
            id::REGION_PREVIOUS => self.step_region(-1, cx),
            id::LAYOUT => self.cycle_layout(cx),
            id::PREVIEW_DOWN => self.scroll_detail(3, cx),
            id::PREVIEW_UP => self.scroll_detail(-3, cx),
            command => self.moved(command, cx),
        }
        Vec::new()
    }

    fn moved(&mut self, command: CommandId, cx: &Context) {
        match self.focus {
            Region::Tree => {
                let height = self.height(cx);
                let before = self.list.cursor;
                if self.list.command(command, self.rows.len(), height) && before != self.list.cursor {
                    self.select(self.list.cursor, cx);
                }
            }
            Region::Owned => {
                let height = self.owned_height(cx);
                self.owned_list.command(command, self.owned.len(), height);
            }
            Region::Detail => {
                let height = self.detail_height(cx);
                let mut list = ListState { cursor: self.detail_offset, ..ListState::default() };
                list.command(command, self.detail.len(), height);
                self.detail_offset = list.cursor.min(self.detail.len().saturating_sub(height));
            }
        }
    }

    fn scroll_detail(&mut self, by: isize, cx: &Context) {
        let last = self.detail.len().saturating_sub(self.detail_height(cx));
        self.detail_offset = self.detail_offset.saturating_add_signed(by).min(last);
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let areas = self.areas(cx.area);
        let at = (mouse.column, mouse.row).into();
        let is_in = |area: Option<Rect>| area.filter(|area| area.contains(at));
        let by = match mouse.kind {
            MouseKind::ScrollUp => Some(-3),
            MouseKind::ScrollDown => Some(3),
            MouseKind::Click | MouseKind::DoubleClick => None,
        };
        if let Some(region) = is_in(areas.tree) {
            let area = self.tree_area(region, cx.area);
            if let Some(by) = by {
                let height = self.height(cx);
                self.list.scroll(by, self.rows.len(), height);
                self.select(self.list.cursor, cx);
                return Vec::new();
            }
            self.focus = Region::Tree;
            let row = tree_table(&self.list, self.rows.len(), true).row_at(area, mouse.column, mouse.row);
            let Some(row) = row else { return Vec::new() };
            self.select(row, cx);
        } else if let Some(region) = is_in(areas.owned) {
            if let Some(by) = by {
                let height = self.owned_height(cx);
                self.owned_list.scroll(by, self.owned.len(), height);
                return Vec::new();
            }
            self.focus = Region::Owned;
            let table = owned_table(&self.owned_list, self.owned.len(), true);
            let row = table.row_at(Self::inner(region, cx.area), mouse.column, mouse.row);
            let Some(row) = row else { return Vec::new() };
            let height = self.owned_height(cx);
            self.owned_list.select(row, self.owned.len(), height);
        } else if is_in(areas.detail).is_some() {
            match by {
                Some(by) => self.scroll_detail(by, cx),
                None => self.focus = Region::Detail,
            }
            return Vec::new();
        }
        if mouse.kind == MouseKind::DoubleClick { vec![Effect::Run(id::OPEN)] } else { Vec::new() }
    }

    // ---- drawing -------------------------------------------------------------------------------

    fn draw_tree(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let inner = Self::inner(region, cx.area);
        if inner != region {
            let note = format!(
                "{} of {}",
                grouped((self.list.cursor + 1).min(self.rows.len())),
                grouped(self.rows.len())
            );
            Panel { title: "Groups and people", note: &note, is_focused: self.focus == Region::Tree }
                .draw(cx, region, buf);
        }
        let area = self.tree_area(region, cx.area);
        if self.is_typing && area.y > inner.y {
            self.draw_filter(cx, Rect { height: 1, ..inner }, buf);
        }
        if self.rows.is_empty() {
            self.draw_empty(cx, area, buf);
            return;
        }
        let table = tree_table(&self.list, self.rows.len(), self.focus == Region::Tree);
        table.draw(cx, area, buf, |at| (self.cells(cx, at), false));
    }

    fn draw_filter(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        put(buf, area.x, area.y, 1, "/", style(cx, Role::Key));
        put(buf, area.x + 1, area.y, area.width.saturating_sub(2), self.filter.text(), style(cx, Role::Text));
        let cursor = width(self.filter.before_cursor()) as u16;
        let reverse = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
        paint(buf, (area.x + 1 + cursor).min(area.right().saturating_sub(1)), area.y, 1, reverse);
    }

    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (what, then) = if cx.loading.is_some() && cx.catalog.is_empty() {
            ("loading".to_owned(), String::new())
        } else if self.filter.is_empty() {
            let what = "no groups or people were found".to_owned();
            (what, "describe them as entities of kind Group and User".to_owned())
        } else {
            let what = format!("no group and no person is called {}", self.filter.text());
            (what, format!("{} clears the filter", cx.key(id::BACK)))
        };
        put(buf, area.x + 2, area.y + 1, area.width.saturating_sub(3), &what, style(cx, Role::Text));
        put(buf, area.x + 2, area.y + 2, area.width.saturating_sub(3), &then, style(cx, Role::Dim));
    }

    fn cells(&self, cx: &Context, at: usize) -> Vec<Line> {
        let Some((row, catalog)) = self.rows.get(at).zip(self.catalog.as_ref()) else { return Vec::new() };
        let Some(item) = self.chart.items.get(row.item) else { return Vec::new() };
        let sign = match (item.children.is_empty(), self.is_open(row.item), cx.ascii) {
            (true, ..) => "  ",
            (false, true, false) => "▾ ",
            (false, false, false) => "▸ ",
            (false, true, true) => "- ",
            (false, false, true) => "+ ",
        };
        // deep trees keep their names visible
        let mut name = vec![span(format!("{}{sign}", "  ".repeat(row.depth.min(12))), Role::Dim)];
        name.extend(name_words(cx, catalog, item));
        let both = |(own, all): (usize, usize)| match (own, all) {
            (0, 0) => String::new(),
            (own, all) if own == all => grouped(own),
            (own, all) => format!("{} ({})", grouped(own), grouped(all)),
        };
        let count = |counts: (usize, usize)| vec![span(both(counts), Role::Text)];
        let entity = item.id().and_then(|id| catalog.entity(id));
        let kind = match (&entity, item.what) {
            (Some(entity), What::Group(_)) => entity.entity_type().to_owned(),
            (Some(_), What::Person(_)) => "person".to_owned(),
            _ => String::new(),
        };
        let members = match item.what {
            What::Ungrouped | What::Nowhere => vec![span(grouped(item.children.len()), Role::Text)],
            _ => count(item.members),
        };
        vec![name, members, count(item.owned), vec![span(kind, Role::Dim)]]
    }

    fn draw_detail(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let item = self.focused_item().and_then(|at| self.chart.items.get(at));
        let title = match (item, &self.catalog) {
            (Some(item), Some(catalog)) => item
                .id()
                .map_or_else(|| section_name(item.what).to_owned(), |id| short_ref(catalog.ref_of(id))),
            _ => String::new(),
        };
        let height = usize::from(Panel::inner(region).height);
        let below = self.detail.len().saturating_sub(self.detail_offset + height);
        let note = if below > 0 { format!("{} more below", grouped(below)) } else { String::new() };
        let inner = Panel { title: &title, note: &note, is_focused: self.focus == Region::Detail }
            .draw(cx, region, buf);
        let lines = self.detail.iter().skip(self.detail_offset).take(usize::from(inner.height));
        for (row, line) in lines.enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }

    fn draw_owned(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let item = self.focused_item().and_then(|at| self.chart.items.get(at));
        let title = match item.map(|item| item.what) {
            Some(What::Unowned) => "Without an owner",
            _ if self.is_whole => "Owns, with the groups below",
            _ => "Owns",
        };
        let at = if self.owned.is_empty() { 0 } else { self.owned_list.cursor + 1 };
        let note = format!("{} of {}", grouped(at), grouped(self.owned.len()));
        let inner =
            Panel { title, note: &note, is_focused: self.focus == Region::Owned }.draw(cx, region, buf);
        let Some(catalog) = self.catalog.as_ref().filter(|_| !self.owned.is_empty()) else {
            let all = item.map_or(0, |item| item.owned.1);
            let text = if all > 0 {
                format!("nothing itself; {} adds the groups below ({all})", cx.key(BELOW))
            } else {
                "nothing".to_owned()
            };
            put(buf, inner.x + 1, inner.y, inner.width.saturating_sub(2), &text, style(cx, Role::Dim));
            return;
        };
        let table = owned_table(&self.owned_list, self.owned.len(), self.focus == Region::Owned);
        table.draw(cx, inner, buf, |row| {
            let Some(entity) = self.owned.get(row).and_then(|id| catalog.entity(*id)) else {
                return (Vec::new(), false);
            };
            let cells = vec![
                entity_lines::name_cell(cx, &entity),
                vec![span(entity_lines::kind_words(&entity), Role::Text)],
                vec![span(entity.lifecycle(), Role::Text)],
                entity_lines::problem_cell(cx, &entity),
            ];
            (cells, false)
        });
    }
}

fn tree_table(list: &ListState, len: usize, is_focused: bool) -> Table<'_> {
    Table { columns: TREE_COLUMNS, sort: None, list, len, is_focused }
}

fn owned_table(list: &ListState, len: usize, is_focused: bool) -> Table<'_> {
    Table { columns: OWNED_COLUMNS, sort: None, list, len, is_focused }
}

fn section_name(what: What) -> &'static str {
    match what {
        What::Ungrouped => "people without a group",
        What::Nowhere => "described nowhere",
        What::Unowned => "unowned",
        What::Group(_) => "group",
        What::Person(_) => "person",
    }
}

fn is_mine(cx: &Context, catalog: &Catalog, id: EntityId) -> bool {
    let canonical = catalog.ref_of(id);
    cx.me.principal.groups.iter().any(|group| group == canonical)
}

fn is_hit(catalog: &Catalog, id: EntityId, needle: &str) -> bool {
    let contains = |text: &str| text.to_lowercase().contains(needle);
    catalog.ref_of(id).split_once(':').is_some_and(|(_, name)| name.contains(needle))
        || catalog.entity(id).and_then(|entity| entity.title()).is_some_and(contains)
        || email(catalog, id).is_some_and(contains)
}

fn email(catalog: &Catalog, id: EntityId) -> Option<&str> {
    catalog.entity(id)?.spec().get("profile").get("email").as_str().filter(|email| !email.is_empty())
}

/// Returns the filter for what a group or person owns; anything but a plain name is quoted.
fn owner_term(canonical: &str) -> String {
    let (kind, namespace, name) = split_canonical(canonical);
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if kind == "group" && namespace == "default" && is_plain && !["me", "none"].contains(&name) {
        return format!("owner:{name}");
    }
    format!("owner:\"{}\"", canonical.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns the name of an item with what there is to know about it.
fn name_words(cx: &Context, catalog: &Catalog, item: &chart::Item) -> Line {
    let Some(id) = item.id() else {
        let role = if item.what == What::Unowned { Role::Warn } else { Role::Accent };
        return vec![span(section_name(item.what), role)];
    };
    let mut line = match catalog.entity(id) {
        None => {
            let sign = Sign::Unknown.text(cx);
            vec![span(format!("{} {sign}", short_ref(catalog.ref_of(id))), Role::Unknown)]
        }
        Some(entity) if matches!(item.what, What::Person(_)) => {
            let mut line = vec![span(entity.title().unwrap_or(entity.name()), Role::Text)];
            if entity.title().is_some_and(|title| title != entity.name()) {
                line.push(span(format!("  {}", entity.name()), Role::Dim));
            }
            line
        }
        Some(entity) => {
            let mut line = entity_lines::name_cell(cx, &entity);
            if let Some(title) = entity.title().filter(|title| !title.eq_ignore_ascii_case(entity.name())) {
                line.push(span(format!("  {title}"), Role::Dim));
            }
            line
        }
    };
    let is_me = cx.me.principal.user.as_deref() == Some(catalog.ref_of(id));
    if is_me || is_mine(cx, catalog, id) {
        line.push(span("  me", Role::Accent));
    }
    match &item.remark {
        Remark::None => {}
        Remark::Elsewhere => line.push(span("  ↺ already shown", Role::Dim)),
        Remark::Circle => line.push(span("  ! its own parent", Role::Warn)),
        Remark::Lost(other) => {
            let word = if matches!(item.what, What::Group(_)) { "parent" } else { "group" };
            let (sign, name) = (Sign::Unknown.text(cx), short_ref(catalog.ref_of(*other)));
            line.push(span(format!("  {word} {name} {sign}"), Role::Unknown));
        }
    }
    line
}

impl Pane for OrgPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::new(SPEC.id)
    }

    fn heading(&self, _cx: &Context) -> Heading {
        let cursor = if self.is_typing { "_" } else { "" };
        let filter =
            (self.is_typing || !self.filter.is_empty()).then(|| format!("{}{cursor}", self.filter.text()));
        let count = format!("{} groups, {} people", grouped(self.chart.groups), grouped(self.chart.people));
        Heading { crumbs: vec![SPEC.title.to_owned()], filter, count, marked: 0 }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                if self.catalog.as_ref().is_some_and(|catalog| Arc::ptr_eq(catalog, &cx.catalog)) {
                    self.fit(cx);
                } else {
                    self.build(cx);
                    self.fit(cx);
                }
            }
            Input::Command(command) => return self.command(command, cx),
            Input::Paste(text) if self.is_typing => {
                self.filter.paste(text);
                self.filtered(cx);
            }
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            Input::CatalogChanged | Input::Choice(..) | Input::Paste(_) | Input::Task(_) => {}
        }
        Vec::new()
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        match key.code {
            KeyCode::Enter => {
                self.is_typing = false;
                self.fit(cx);
            }
            KeyCode::Esc => {
                self.is_typing = false;
                let before = std::mem::take(&mut self.before_typing);
                self.set_filter(&before, cx);
            }
            KeyCode::Down => self.moved(id::DOWN, cx),
            KeyCode::Up => self.moved(id::UP, cx),
            _ if self.filter.key(key) => self.filtered(cx),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn is_typing(&self) -> bool {
        self.is_typing
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.layout == Layout::Detail {
            self.layout = Layout::Split;
            self.focus = Region::Tree;
            self.fit(cx);
            return Some(Vec::new());
        }
        if self.filter.is_empty() {
            return None;
        }
        self.set_filter("", cx);
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        match command {
            id::OPEN if self.focus == Region::Owned && self.owned.is_empty() => {
                Availability::no("it owns nothing")
            }
            id::OPEN if self.rows.is_empty() => Availability::no("nothing is focused"),
            MINE if cx.me.principal.groups.is_empty() => {
                Availability::no("nobody knows your groups; set `user` in the configuration")
            }
            MINE if self.next_mine(cx).is_none() => Availability::no("your group is described nowhere"),
            UNOWNED if self.unowned_item().is_none() => Availability::no("everything has an owner"),
            id::PREVIEW_DOWN | id::PREVIEW_UP if self.areas(cx.area).detail.is_none() => {
                Availability::no("there is no preview in this layout")
            }
            id::REGION_NEXT | id::REGION_PREVIOUS if self.regions(cx.area).len() < 2 => {
                Availability::no("there is one region in this layout")
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        let catalog = self.catalog.as_ref();
        let focused = self.focused().zip(catalog);
        focused.map(|(id, catalog)| Subject::entity(cx, catalog.ref_of(id))).into_iter().collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let areas = self.areas(area);
        if let Some(region) = areas.tree {
            self.draw_tree(cx, region, buf);
        }
        if let Some(region) = areas.detail {
            self.draw_detail(cx, region, buf);
        }
        if let Some(region) = areas.owned {
            self.draw_owned(cx, region, buf);
        }
    }
}
