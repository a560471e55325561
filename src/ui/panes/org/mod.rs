//! Org: groups and people as a tree, what they own, how to reach them, and what nobody owns.
//!
//! Regions as the width allows: the tree always; details of the focused group or person and the list
//! of what it owns beside it from 100 columns, all three side by side from 180. The tree ([`Chart`])
//! is built when the catalog is swapped; folding and filtering only choose rows of it.

mod chart;
mod details;
mod regions;
#[cfg(test)]
mod tests;
mod view;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::event::Effect;
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::line_input::LineInput;
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::catalog::{Catalog, EntityId};
use crate::model::entity_ref::split_canonical;
use crate::ui::text::Line;
use crate::ui::widgets::Column;
use chart::{Chart, Remark, What};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::FxHashSet;
use std::sync::Arc;
use view::{owned_table, tree_table};

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
        CommandSpec::new(EXPAND, "unfold", "Show groups and people below, or go to them", &["right"], 0),
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
        let is_first = self.catalog.as_ref().is_none_or(|catalog| catalog.is_empty());
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

    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(catalog) = self.catalog.clone() else { return Vec::new() };
        if self.focus == Region::Owned {
            let place = self.focused().map(|id| Place::entity(catalog.ref_of(id)));
            return place.map(|place| vec![Effect::Open(place)]).unwrap_or_default();
        }
        let Some(at) = self.focused_item() else { return Vec::new() };
        match self.chart.items.get(at).map(|item| item.what) {
            Some(What::Person(id)) if catalog.is_entity(id) => {
                vec![Effect::Open(Place::entity(catalog.ref_of(id)))]
            }
            Some(What::Group(id) | What::Person(id)) => {
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
        Heading { crumbs: vec![SPEC.title.to_owned()], filter, count, marked: 0, ..Heading::default() }
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
