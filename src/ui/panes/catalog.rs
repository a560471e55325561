//! Catalog: every entity as a list, with facets and a preview.
//!
//! Three regions that appear as the width allows: facets from 180 columns, preview from 100, the list
//! always. The rows are an [`EntityList`]; this pane adds layout, facets and columns.

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::age;
use crate::app::entity_list::{EntityList, SORTS};
use crate::app::event::{Effect, Level, TaskEvent};
use crate::app::input::{Key, Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::overlay::{Item, Mode, Overlay, OverlayKind};
use crate::app::palette;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::catalog::SourceState;
use crate::config::theme::Role;
use crate::kubernetes::health::{Health, Healths};
use crate::ui::entity_lines;
use crate::ui::text::{Line, paint, put, put_line, span};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Panel, Table, filter_line};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::cell::RefCell;
use std::sync::Arc;

/// Opens the catalog.
const GO: CommandSpec =
    CommandSpec::new(CommandId("go.catalog"), "catalog", "All entities: list, facets, preview", &["2"], 0);
/// One-key chips beside the views.
const MINE: CommandId = CommandId("catalog.mine");
const STARRED: CommandId = CommandId("catalog.starred");
const FACET: CommandId = CommandId("catalog.facet");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "catalog",
    title: "Catalog",
    help: "All entities: list, facets, preview",
    aliases: &["entities", "all"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(MINE, "mine", "Show only what my teams and I own, or everything again", &["m"], 48),
        CommandSpec::new(STARRED, "starred", "Show only starred entities, or everything again", &["s"], 0),
    ],
    groups: &[Group::Subject, Group::List, Group::Regions, Group::Move],
    open: |argument, _| Ok(Box::new(CatalogPane::new(argument))),
};

const COLUMNS: &[Column] = &[
    Column { title: "NAME", min: 20, weight: 4, priority: 0 },
    Column { title: "KIND", min: 9, weight: 2, priority: 1 },
    Column { title: "OWNER", min: 12, weight: 2, priority: 3 },
    Column { title: "HEALTH", min: 10, weight: 0, priority: 2 },
    Column { title: "SYSTEM", min: 12, weight: 2, priority: 6 },
    Column { title: "LIFECYCLE", min: 12, weight: 0, priority: 5 },
    Column { title: "PROBLEMS", min: 8, weight: 0, priority: 4 },
    Column { title: "TAGS", min: 12, weight: 2, priority: 7 },
];

/// Columns from which the preview stands beside the list.
const SPLIT: u16 = 100;
/// Columns from which the facets stand beside them.
const WIDE: u16 = 180;
/// Sources named below the list because they are missing.
const MISSING: usize = 3;
/// Columns of the facets.
const FACETS: u16 = 26;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Region {
    #[default]
    List,
    Preview,
    Facets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    #[default]
    Split,
    List,
    Detail,
}

/// Areas of the regions; `None` where there is no room.
struct Areas {
    facets: Option<Rect>,
    list: Option<Rect>,
    preview: Option<Rect>,
}

/// State of the pane.
struct CatalogPane {
    rows: EntityList,
    focus: Region,
    layout: Layout,
    preview_offset: usize,
    facets: ListState,
    hidden: Vec<&'static str>,
    /// How services were when the rows were asked for.
    health: Arc<Healths>,
    /// Preview lines of the last drawn entity and width, so that scrolling costs nothing.
    cache: RefCell<Option<(String, usize, Vec<Line>)>>,
}

impl CatalogPane {
    fn new(filter: &str) -> Self {
        Self {
            rows: EntityList::new(filter),
            focus: Region::List,
            layout: Layout::Split,
            preview_offset: 0,
            facets: ListState::default(),
            hidden: Vec::new(),
            health: Arc::default(),
            cache: RefCell::new(None),
        }
    }

    fn areas(&self, area: Rect) -> Areas {
        let is_split = area.width >= SPLIT;
        match (self.layout, is_split) {
            (Layout::Detail, _) => Areas { facets: None, list: None, preview: Some(area) },
            (Layout::List, _) | (Layout::Split, false) => {
                Areas { facets: None, list: Some(area), preview: None }
            }
            (Layout::Split, true) => {
                let facets = if area.width >= WIDE { FACETS } else { 0 };
                let rest = area.width - facets;
                let list = if area.width >= WIDE { rest * 55 / 100 } else { rest * 58 / 100 };
                Areas {
                    facets: (facets > 0).then_some(Rect { width: facets, ..area }),
                    list: Some(Rect { x: area.x + facets, width: list, ..area }),
                    preview: Some(Rect { x: area.x + facets + list, width: rest - list, ..area }),
                }
            }
        }
    }

    /// Area of the table inside the list region: inside its frame, below the filter line.
    fn table_area(&self, cx: &Context, region: Rect, screen: Rect) -> Rect {
        let inner = if screen.width >= SPLIT { Panel::inner(region) } else { region };
        let typing = filter_line::rows(&self.rows).min(inner.height.saturating_sub(3));
        let height = inner.height - typing;
        // what is missing stands below what is there
        let missing = (missing(cx).count().min(MISSING) as u16).min(height / 3);
        Rect { y: inner.y + typing, height: height - missing, ..inner }
    }

    fn height(&self, cx: &Context) -> usize {
        let list = self.areas(cx.area).list.unwrap_or(cx.area);
        Table::height(self.table_area(cx, list, cx.area))
    }

    /// Regions that are on screen, in the order that `tab` walks.
    fn regions(&self, area: Rect) -> Vec<Region> {
        let areas = self.areas(area);
        let all =
            [(Region::Facets, areas.facets), (Region::List, areas.list), (Region::Preview, areas.preview)];
        all.into_iter().filter_map(|(region, area)| area.map(|_| region)).collect()
    }

    fn step_region(&mut self, by: isize, cx: &Context) {
        let regions = self.regions(cx.area);
        let at = regions.iter().position(|region| *region == self.focus).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(regions.len().max(1) as isize) as usize;
        self.focus = regions.get(next).copied().unwrap_or_default();
    }

    fn cycle_layout(&mut self, area: Rect) {
        self.layout = match (self.layout, area.width >= SPLIT) {
            (Layout::Split, true) => Layout::List,
            (Layout::Split | Layout::List, _) => Layout::Detail,
            (Layout::Detail, _) => Layout::Split,
        };
        if !self.regions(area).contains(&self.focus) {
            self.focus = self.regions(area).first().copied().unwrap_or_default();
        }
    }

    /// Rows of the facets region: headings and values with their filter term.
    fn facet_rows(&self) -> Vec<FacetRow> {
        let mut rows = Vec::new();
        for facet in self.rows.facets().iter().filter(|facet| !facet.values.is_empty()) {
            rows.push(FacetRow { label: facet.key.to_owned(), term: None });
            rows.extend(facet.values.iter().take(FACET_VALUES).map(|value| FacetRow {
                label: format!(" {} {}", value.value, value.count),
                term: Some(value.filter.clone()),
            }));
        }
        rows
    }

    fn toggle_term(&mut self, term: &str, cx: &Context) -> Vec<Effect> {
        let text = self.rows.filter.text();
        let has = split_terms(text).contains(&term);
        let new = if has {
            split_terms(text).into_iter().filter(|t| *t != term).collect::<Vec<_>>().join(" ")
        } else {
            format!("{text} {term}").trim().to_owned()
        };
        self.rows.set_filter(&new, cx)
    }

    fn views(&self, cx: &Context) -> Overlay {
        let mut items = Vec::new();
        for (name, term) in CHIPS {
            let is_on = split_terms(self.rows.filter.text()).contains(term);
            let effects = vec![Effect::Choose(FACET, (*term).to_owned())];
            items.push(Item {
                heading: "Chips",
                checked: Some(is_on),
                ..Item::new(*name, effects).detail(*term)
            });
        }
        for (name, line) in &cx.views {
            if let Some(effects) = palette::read_line(line, cx) {
                items.push(Item { heading: "Views", ..Item::new(name, effects).detail(line) });
            }
        }
        for value in self.rows.facets().iter().flat_map(|facet| &facet.values) {
            let is_on = split_terms(self.rows.filter.text()).contains(&value.filter.as_str());
            let effects = vec![Effect::Choose(FACET, value.filter.clone())];
            let item = Item { heading: "Facets", checked: Some(is_on), ..Item::new(&value.filter, effects) };
            items.push(item.detail(value.count.to_string()));
        }
        Overlay::new(OverlayKind::Menu, "facets and views", Mode::Typing, items)
    }

    fn columns_menu(&self, cx: &Context) -> Overlay {
        let list = self.areas(cx.area).list.unwrap_or(cx.area);
        let shown = Table::layout(&self.columns(cx), self.table_area(cx, list, cx.area).width);
        let columns = self.columns(cx);
        let items = COLUMNS.iter().filter(|column| has_column(cx, column)).map(|column| {
            let is_on = !self.hidden.contains(&column.title);
            let at = columns.iter().position(|c| c.title == column.title);
            let fits = at.is_some_and(|at| shown.iter().any(|slot| slot.0 == at));
            let detail = if is_on && !fits { "no room now" } else { "" };
            let effects = vec![Effect::Choose(id::COLUMNS, column.title.to_owned())];
            let disabled = (column.priority == 0).then(|| "always shown".to_owned());
            Item {
                checked: Some(is_on),
                disabled,
                ..Item::new(column.title.to_lowercase(), effects).detail(detail)
            }
        });
        Overlay::menu("columns", items.collect())
    }

    fn columns(&self, cx: &Context) -> Vec<Column> {
        let is_shown = |column: &&Column| !self.hidden.contains(&column.title) && has_column(cx, column);
        COLUMNS.iter().filter(is_shown).copied().collect()
    }

    fn cells(&self, cx: &Context, row: usize) -> (Vec<Line>, bool) {
        let Some((entity, catalog)) = self.rows.entity(row).zip(self.rows.catalog()) else {
            return (Vec::new(), false);
        };
        let target =
            |id: Option<_>| id.map(|id| vec![entity_lines::target(cx, catalog, id)]).unwrap_or_default();
        let cell = |column: &Column| match column.title {
            "NAME" => entity_lines::name_cell(cx, &entity),
            "KIND" => vec![span(entity_lines::kind_words(&entity), Role::Text)],
            "OWNER" => target(entity.owner()),
            "SYSTEM" => target(entity.system()),
            "LIFECYCLE" => vec![span(entity.lifecycle(), Role::Text)],
            "HEALTH" => entity_lines::health_cell(cx, entity.entity_ref()),
            "PROBLEMS" => entity_lines::problem_cell(cx, &entity),
            _ => vec![span(entity.tags().collect::<Vec<_>>().join(" "), Role::Dim)],
        };
        (self.columns(cx).iter().map(cell).collect(), self.rows.marks.has(entity.entity_ref()))
    }

    fn draw_list(&self, cx: &Context, region: Rect, screen: Rect, buf: &mut Buffer) {
        let is_framed = screen.width >= SPLIT;
        let count = self.rows.count(cx);
        if is_framed {
            let panel = Panel { title: "Entities", note: &count, is_focused: self.focus == Region::List };
            panel.draw(cx, region, buf);
        }
        let area = self.table_area(cx, region, screen);
        let top = Rect { y: area.y.saturating_sub(filter_line::rows(&self.rows)), ..area };
        filter_line::draw(cx, &self.rows, top, buf);
        let inner = if is_framed { Panel::inner(region) } else { region };
        for (y, source) in (area.bottom()..inner.bottom()).zip(missing(cx)) {
            put_line(cx, buf, area.x + 1, y, area.width.saturating_sub(2), &missing_line(cx, source));
        }
        if self.rows.is_empty() {
            self.draw_empty(cx, area, buf);
            return;
        }
        let columns = self.columns(cx);
        let sorted =
            SORTS.iter().find(|(key, _)| *key == self.rows.sort.key).map(|(_, title)| title.to_uppercase());
        let sort = columns.iter().position(|c| Some(c.title) == sorted.as_deref());
        let table = Table {
            columns: &columns,
            sort: sort.map(|at| (at, self.rows.sort.is_descending)),
            list: &self.rows.list,
            len: self.rows.len(),
            is_focused: self.focus == Region::List,
        };
        table.draw(cx, area, buf, |row| self.cells(cx, row));
    }

    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let hidden = cx.catalog.len();
        let (what, then) = if self.rows.is_waiting() || (cx.loading.is_some() && hidden == 0) {
            ("loading".to_owned(), String::new())
        } else if hidden == 0 {
            (
                "no entities were found".to_owned(),
                format!("{} shows the sources and what is wrong with them", cx.key(id::TASKS)),
            )
        } else {
            let what = format!("the filter hides {hidden} entities");
            (what, format!("{} clears the filter", cx.key(id::BACK)))
        };
        put(buf, area.x + 2, area.y + 1, area.width.saturating_sub(3), &what, style(cx, Role::Text));
        put(buf, area.x + 2, area.y + 2, area.width.saturating_sub(3), &then, style(cx, Role::Dim));
    }

    fn draw_facets(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let inner = Panel { title: "Facets", note: "", is_focused: self.focus == Region::Facets }
            .draw(cx, region, buf);
        let terms = split_terms(self.rows.filter.text());
        let rows = self.facet_rows();
        for (line, (at, row)) in
            rows.iter().enumerate().skip(self.facets.offset).take(usize::from(inner.height)).enumerate()
        {
            let y = inner.y + line as u16;
            let is_on = row.term.as_deref().is_some_and(|term| terms.contains(&term));
            let role = match (&row.term, is_on) {
                (None, _) => Role::Dim,
                (Some(_), true) => Role::Accent,
                (Some(_), false) => Role::Text,
            };
            put(buf, inner.x + 1, y, inner.width.saturating_sub(1), &row.label, style(cx, role));
            if self.focus == Region::Facets && at == self.facets.cursor {
                paint(buf, inner.x, y, inner.width, style(cx, Role::Selection));
            }
        }
    }

    fn draw_preview(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let Some((entity, catalog)) = self.rows.focused().zip(self.rows.catalog()) else {
            Panel { title: "", note: "", is_focused: self.focus == Region::Preview }.draw(cx, region, buf);
            return;
        };
        let (region, below) = with_pods(cx, entity.entity_ref(), region);
        if let Some((health, below)) = below {
            draw_pods(cx, health, below, buf);
        }
        let panel = Panel { title: entity.name(), note: "", is_focused: self.focus == Region::Preview };
        let inner = panel.draw(cx, region, buf);
        let width = usize::from(inner.width.saturating_sub(2));
        let mut cache = self.cache.borrow_mut();
        let key = entity.entity_ref();
        if cache.as_ref().is_none_or(|(r, w, _)| r != key || *w != width) {
            *cache = Some((key.to_owned(), width, entity_lines::preview(cx, catalog, &entity, width)));
        }
        let lines = cache.as_ref().map_or(&[][..], |(.., lines)| lines);
        let offset = self.preview_offset.min(lines.len().saturating_sub(1));
        for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let areas = self.areas(cx.area);
        let at = (mouse.column, mouse.row).into();
        let is_in = |area: Option<Rect>| area.is_some_and(|area| area.contains(at));
        let region = if is_in(areas.list) {
            Region::List
        } else if is_in(areas.facets) {
            Region::Facets
        } else {
            Region::Preview
        };
        let height = self.height(cx);
        let by = match mouse.kind {
            MouseKind::ScrollUp => -3,
            MouseKind::ScrollDown => 3,
            MouseKind::Click | MouseKind::DoubleClick => return self.click(mouse, region, cx),
        };
        match region {
            Region::List => self.rows.list.scroll(by, self.rows.len(), height),
            Region::Preview => self.preview_offset = self.preview_offset.saturating_add_signed(by),
            Region::Facets => {
                let len = self.facet_rows().len();
                self.facets.scroll(by, len, usize::from(cx.area.height.saturating_sub(2)));
            }
        }
        Vec::new()
    }

    fn click(&mut self, mouse: Mouse, region: Region, cx: &Context) -> Vec<Effect> {
        self.focus = region;
        let areas = self.areas(cx.area);
        if region == Region::Facets {
            let top = areas.facets.map_or(0, |area| area.y + 1);
            self.facets.cursor = self.facets.offset + usize::from(mouse.row.saturating_sub(top));
            return if mouse.kind == MouseKind::DoubleClick { self.open(cx) } else { Vec::new() };
        }
        let Some(list) = areas.list.filter(|_| region == Region::List) else { return Vec::new() };
        let columns = self.columns(cx);
        let table = Table {
            columns: &columns,
            sort: None,
            list: &self.rows.list,
            len: self.rows.len(),
            is_focused: true,
        };
        let Some(row) = table.row_at(self.table_area(cx, list, cx.area), mouse.column, mouse.row) else {
            return Vec::new();
        };
        let height = self.height(cx);
        self.rows.list.select(row, self.rows.len(), height);
        self.preview_offset = 0;
        if mouse.kind == MouseKind::DoubleClick { self.open(cx) } else { Vec::new() }
    }

    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        if self.focus == Region::Facets {
            let term = self.facet_rows().get(self.facets.cursor).and_then(|row| row.term.clone());
            return term.map(|term| self.toggle_term(&term, cx)).unwrap_or_default();
        }
        self.rows.focused().map(|e| vec![Effect::Open(Place::entity(e.entity_ref()))]).unwrap_or_default()
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        match command {
            id::OPEN => return self.open(cx),
            id::REGION_NEXT => self.step_region(1, cx),
            id::REGION_PREVIOUS => self.step_region(-1, cx),
            id::LAYOUT => self.cycle_layout(cx.area),
            id::PREVIEW_DOWN => self.preview_offset += 3,
            id::PREVIEW_UP => self.preview_offset = self.preview_offset.saturating_sub(3),
            id::VIEWS => return vec![Effect::Show(self.views(cx))],
            id::COLUMNS => return vec![Effect::Show(self.columns_menu(cx))],
            id::SAVE_VIEW => return vec![Effect::Toast(Level::Info, "type `:view save NAME`".to_owned())],
            MINE => return self.toggle_term("is:mine", cx),
            STARRED => return self.toggle_term("is:starred", cx),
            command if self.focus == Region::Preview => {
                let mut text = ListState { cursor: self.preview_offset, ..ListState::default() };
                if text.command(command, usize::MAX, height) {
                    self.preview_offset =
                        if command == id::BOTTOM { self.preview_offset } else { text.cursor };
                    return Vec::new();
                }
                return self.rows.command(command, height, cx).unwrap_or_default();
            }
            command if self.focus == Region::Facets => {
                let len = self.facet_rows().len();
                let height = usize::from(cx.area.height.saturating_sub(2));
                if self.facets.command(command, len, height) {
                    return Vec::new();
                }
                return self.rows.command(command, height, cx).unwrap_or_default();
            }
            command => {
                let before = self.rows.list.cursor;
                let effects = self.rows.command(command, height, cx).unwrap_or_default();
                if before != self.rows.list.cursor {
                    self.preview_offset = 0;
                }
                return effects;
            }
        }
        Vec::new()
    }

    /// Takes over how services are now; asks for the rows again when they depend on it.
    fn health_changed(&mut self, cx: &Context) -> Vec<Effect> {
        if Arc::ptr_eq(&self.health, &cx.kubernetes.health) {
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.health, cx.kubernetes.health.clone());
        self.cache.replace(None);
        // the facets count words of health
        let is_counted = cx.area.width >= WIDE && counts(&before) != counts(&self.health);
        if is_counted || follows_health(self.rows.filter.text()) {
            vec![self.rows.request(cx)]
        } else {
            Vec::new()
        }
    }

    fn choice(&mut self, command: CommandId, choice: &str, cx: &Context) -> Vec<Effect> {
        match command {
            id::SORT => self.rows.choose_sort(choice, cx),
            id::COLUMNS => {
                if let Some(column) = COLUMNS.iter().find(|column| column.title == choice) {
                    match self.hidden.iter().position(|title| *title == column.title) {
                        Some(at) => drop(self.hidden.remove(at)),
                        None => self.hidden.push(column.title),
                    }
                }
                Vec::new()
            }
            FACET => self.toggle_term(choice, cx),
            id::SAVE_VIEW => vec![
                palette::save_view(choice, &self.place()),
                Effect::Toast(Level::Ok, format!("saved as view `{choice}`")),
            ],
            _ => Vec::new(),
        }
    }
}

/// Rows that the preview keeps for facts before pods and findings stand below it.
const FACTS: u16 = 24;

/// Returns the part of the preview for facts, and where there is room the part below it for what runs.
fn with_pods<'a>(cx: &'a Context, canonical: &str, region: Rect) -> (Rect, Option<(&'a Health, Rect)>) {
    let health = cx.kubernetes.health.get(canonical);
    let has_any = |health: &&Arc<Health>| !health.marks.is_empty() || !health.findings.is_empty();
    let Some(health) = health.filter(has_any).filter(|_| region.height >= 2 * FACTS) else {
        return (region, None);
    };
    let facts = FACTS.max(region.height / 2);
    let below = Rect { y: region.y + facts, height: region.height - facts, ..region };
    (Rect { height: facts, ..region }, Some((health, below)))
}

/// Draws the pods of a service, and below them what is wrong with it.
fn draw_pods(cx: &Context, health: &Health, area: Rect, buf: &mut Buffer) {
    let width = usize::from(Panel::inner(area).width.saturating_sub(2));
    let pods = entity_lines::pod_lines(cx, health, width);
    let findings = entity_lines::finding_lines(cx, health, width);
    let rows = (pods.len() as u16 + 2).min(area.height);
    let rows = if findings.is_empty() { area.height } else { rows.min(area.height / 2) };
    let parts = [
        ("Pods", format!("{}/{} ready", health.pods.0, health.pods.1), pods, Rect { height: rows, ..area }),
        (
            "Findings",
            health.findings.len().to_string(),
            findings,
            Rect { y: area.y + rows, height: area.height - rows, ..area },
        ),
    ];
    for (title, note, lines, area) in parts.into_iter().filter(|part| part.3.height > 2) {
        let inner = Panel { title, note: &note, is_focused: false }.draw(cx, area, buf);
        for (row, line) in lines.iter().take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }
}

/// Counts services by word of health.
fn counts(healths: &Healths) -> [usize; 4] {
    let mut counts = [0; 4];
    for health in healths.values() {
        if let Some(count) = counts.get_mut(health.word as usize) {
            *count += 1;
        }
    }
    counts
}

/// Values shown of each facet.
const FACET_VALUES: usize = 12;
/// Filters one key away.
const CHIPS: &[(&str, &str)] = &[
    ("mine", "is:mine"),
    ("starred", "is:starred"),
    ("broken", "is:broken"),
    ("invalid", "is:invalid"),
    ("orphans", "is:orphan"),
    ("unowned", "is:unowned"),
];

struct FacetRow {
    label: String,
    term: Option<String>,
}

/// Returns whether a column has anything to say: nobody's health is known without clusters.
fn has_column(cx: &Context, column: &Column) -> bool {
    column.title != "HEALTH" || !cx.kubernetes.health.is_empty()
}

/// Returns whether what a filter finds changes with the health of services.
fn follows_health(filter: &str) -> bool {
    filter.contains("is:broken") || filter.contains("status:")
}

/// Splits a filter at spaces outside quotes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let mut start = 0;
    let mut is_quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c.is_whitespace() && !is_quoted => {
                terms.extend(text.get(start..at).filter(|term| !term.is_empty()));
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    terms.extend(text.get(start..).filter(|term| !term.is_empty()));
    terms
}

/// Sources that could not be read, or not since what is shown of them.
fn missing(cx: &Context) -> impl Iterator<Item = &SourceState> {
    cx.catalog.sources().iter().filter(|source| source.error.is_some())
}

fn missing_line(cx: &Context, source: &SourceState) -> Line {
    let why = source.error.as_ref().map_or("", |error| error.message.as_str());
    let (sign, role, since) = match source.read_at {
        Some(at) => {
            (Sign::Stale, Role::Stale, format!("stale {}, ", age(cx.now.as_second() - at.as_second())))
        }
        None => (Sign::Error, Role::Error, "missing: ".to_owned()),
    };
    vec![span(format!("{} {} ", sign.text(cx), source.name), role), span(format!("{since}{why}"), Role::Dim)]
}

impl Pane for CatalogPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::with(SPEC.id, self.rows.filter.text())
    }

    fn heading(&self, cx: &Context) -> Heading {
        Heading {
            crumbs: vec![SPEC.title.to_owned()],
            filter: self.rows.title(),
            count: self.rows.count(cx),
            marked: self.rows.marks.0.len(),
            ..Heading::default()
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                self.cache.replace(None);
                let height = self.height(cx);
                self.rows.list.clamp(self.rows.len(), height);
                if !self.regions(cx.area).contains(&self.focus) {
                    self.focus = self.regions(cx.area).first().copied().unwrap_or_default();
                }
                let is_current = self.rows.catalog().is_some_and(|c| Arc::ptr_eq(c, &cx.catalog));
                let text = self.rows.filter.text();
                let may_differ = text.contains("is:starred") || follows_health(text);
                if is_current && !may_differ { Vec::new() } else { vec![self.rows.request(cx)] }
            }
            Input::CatalogChanged => Vec::new(),
            Input::Command(command) => self.command(command, cx),
            Input::Choice(command, choice) => self.choice(command, choice, cx),
            Input::Paste(text) => self.rows.paste(text, cx),
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Task(TaskEvent::Kubernetes(_)) => self.health_changed(cx),
            Input::Task(task) => {
                let height = self.height(cx);
                if self.rows.task(task, height) {
                    self.cache.replace(None);
                }
                Vec::new()
            }
        }
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        let height = self.height(cx);
        self.rows.key(key, height, cx)
    }

    fn is_typing(&self) -> bool {
        self.rows.is_typing()
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.layout == Layout::Detail {
            self.layout = Layout::Split;
            self.focus = Region::List;
            return Some(Vec::new());
        }
        self.rows.step_back(cx)
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        match command {
            MINE if cx.me.principal.user.is_none() => {
                Availability::no("nobody knows who you are; set `user` in the configuration")
            }
            id::SAVE_VIEW | id::CLEAR if self.rows.filter.is_empty() => {
                Availability::no("there is no filter")
            }
            id::OPEN | id::SAVE if self.rows.is_empty() => Availability::no("the list is empty"),
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        self.rows.subjects(cx)
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let areas = self.areas(area);
        if let Some(region) = areas.facets {
            self.draw_facets(cx, region, buf);
        }
        if let Some(region) = areas.list {
            self.draw_list(cx, region, area, buf);
        }
        if let Some(region) = areas.preview {
            self.draw_preview(cx, region, buf);
        }
    }
}
