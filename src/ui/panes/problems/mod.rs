//! Problems: everything that is wrong, from the catalog, its sources and the configuration.
//!
//! Regions by width as in the catalog: counts from 180 columns, the problem in full from 100, the list
//! always. `e` goes to the line in the editor, `enter` to the entity it is about. Choosing and ordering
//! is in `rows`, the text of one problem in `detail`.

mod detail;
mod rows;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::event::{Effect, Level};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::line_input::LineInput;
use crate::app::list::{ListState, Marks};
use crate::app::overlay::{Item, Mode, Overlay, OverlayKind};
use crate::app::palette;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{ENTITY, Place};
use crate::app::subject::Subject;
use crate::config::theme::Role;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::text;
use crate::ui::entity_lines::short_ref;
use crate::ui::text::{Line, paint, put, put_line, span};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rows::{By, Rows, key};
use unicode_segmentation::UnicodeSegmentation;

/// Opens the problems.
const GO: CommandSpec = CommandSpec::new(
    CommandId("go.problems"),
    "problems",
    "Everything that is wrong in files, sources and configuration",
    &[],
    0,
);
const FACET: CommandId = CommandId("problems.facet");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "problems",
    title: "Problems",
    help: "Everything that is wrong in files, sources and configuration",
    aliases: &["errors", "diagnostics"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[],
    groups: &[Group::Subject, Group::List, Group::Regions, Group::Move],
    open: |argument, _| Ok(Box::new(ProblemsPane::new(argument))),
};

const COLUMNS: [Column; 5] = [
    Column { title: "SEVERITY", min: 10, weight: 0, priority: 0 },
    Column { title: "CODE", min: 26, weight: 0, priority: 3 },
    Column { title: "MESSAGE", min: 24, weight: 4, priority: 0 },
    Column { title: "WHERE", min: 26, weight: 2, priority: 1 },
    Column { title: "ENTITY", min: 14, weight: 1, priority: 2 },
];

/// Columns from which the detail stands beside the list, and the counts beside both.
const SPLIT: u16 = 100;
const WIDE: u16 = 180;
/// Columns of the counts.
const COUNTS: u16 = 36;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Region {
    #[default]
    List,
    Detail,
    Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    #[default]
    Split,
    List,
    Detail,
}

#[derive(Default)]
struct Areas {
    counts: Option<Rect>,
    list: Option<Rect>,
    detail: Option<Rect>,
}

/// State of the pane.
#[derive(Default)]
struct ProblemsPane {
    rows: Rows,
    filter: LineInput,
    before_typing: Option<String>,
    by: By,
    is_descending: bool,
    list: ListState,
    marks: Marks,
    focus: Region,
    layout: Layout,
    detail_offset: usize,
    counts: ListState,
    hidden: Vec<&'static str>,
}

impl ProblemsPane {
    fn new(filter: &str) -> Self {
        Self { filter: LineInput::new(filter), ..Self::default() }
    }

    fn areas(&self, area: Rect) -> Areas {
        let is_split = area.width >= SPLIT;
        match self.layout {
            Layout::Detail => Areas { detail: Some(area), ..Areas::default() },
            Layout::Split if is_split => {
                let counts = if area.width >= WIDE { COUNTS } else { 0 };
                let rest = area.width - counts;
                let list = rest * 60 / 100;
                Areas {
                    counts: (counts > 0).then_some(Rect { width: counts, ..area }),
                    list: Some(Rect { x: area.x + counts, width: list, ..area }),
                    detail: Some(Rect { x: area.x + counts + list, width: rest - list, ..area }),
                }
            }
            Layout::List | Layout::Split => Areas { list: Some(area), ..Areas::default() },
        }
    }

    fn regions(&self, area: Rect) -> Vec<Region> {
        let areas = self.areas(area);
        let all =
            [(Region::Counts, areas.counts), (Region::List, areas.list), (Region::Detail, areas.detail)];
        all.into_iter().filter_map(|(region, area)| area.map(|_| region)).collect()
    }

    /// Area of the table inside the list region: inside its frame, below the filter line.
    fn table_area(&self, region: Rect, screen: Rect) -> Rect {
        let inner = if screen.width >= SPLIT { Panel::inner(region) } else { region };
        let typing = u16::from(self.is_typing()).min(inner.height);
        Rect { y: inner.y + typing, height: inner.height - typing, ..inner }
    }

    fn height(&self, cx: &Context) -> usize {
        let list = self.areas(cx.area).list.unwrap_or(cx.area);
        Table::height(self.table_area(list, cx.area))
    }

    fn focused(&self) -> Option<&Diagnostic> {
        self.rows.get(self.list.cursor)
    }

    /// Chooses the rows again; the cursor stays on the same problem unless a filter is being typed.
    fn refresh(&mut self, cx: &Context) {
        let on = self.focused().filter(|_| !self.is_typing()).map(key);
        self.rows.show(self.filter.text(), self.by, self.is_descending);
        if self.is_typing() {
            self.list = ListState::default();
        }
        if let Some(row) = on.and_then(|on| self.rows.position(&on)) {
            self.list.cursor = row;
        }
        self.list.clamp(self.rows.len(), self.height(cx));
        self.detail_offset = 0;
    }

    fn set_filter(&mut self, text: &str, cx: &Context) {
        self.filter = LineInput::new(text);
        self.refresh(cx);
    }

    fn toggle_term(&mut self, term: &str, cx: &Context) {
        let mut terms = rows::split_terms(self.filter.text());
        match terms.iter().position(|other| other == term) {
            Some(at) => drop(terms.remove(at)),
            None => terms.push(term.to_owned()),
        }
        let quoted: Vec<String> = terms
            .into_iter()
            .map(|term| if term.contains(char::is_whitespace) { format!("\"{term}\"") } else { term })
            .collect();
        self.set_filter(&quoted.join(" "), cx);
    }

    /// Rows of the counts region: headings and values with their filter term.
    fn count_rows(&self) -> Vec<(String, Option<String>)> {
        let mut out = Vec::new();
        for (key, values) in &self.rows.facets {
            out.push(((*key).to_owned(), None));
            out.extend(values.iter().map(|(value, number)| {
                (format!(" {value} {}", grouped(*number)), Some(format!("{key}:{value}")))
            }));
        }
        out
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        match command {
            id::OPEN => return self.open(cx),
            id::REGION_NEXT => self.step_region(true, cx),
            id::REGION_PREVIOUS => self.step_region(false, cx),
            id::LAYOUT => self.cycle_layout(cx),
            id::PREVIEW_DOWN => self.detail_offset += 3,
            id::PREVIEW_UP => self.detail_offset = self.detail_offset.saturating_sub(3),
            id::FILTER => {
                self.before_typing = Some(self.filter.text().to_owned());
                self.focus = Region::List;
                self.layout = if self.layout == Layout::Detail { Layout::Split } else { self.layout };
            }
            id::CLEAR => self.set_filter("", cx),
            id::VIEWS => return vec![Effect::Show(self.views(cx))],
            id::COLUMNS => return vec![Effect::Show(self.columns_menu(cx))],
            id::SAVE_VIEW => return vec![Effect::Toast(Level::Info, "type `:view save NAME`".to_owned())],
            id::SAVE => {
                let text: Vec<String> = self.rows.iter().map(Diagnostic::render).collect();
                return vec![Effect::SaveText { name: "problems.txt".to_owned(), text: text.join("\n") }];
            }
            id::SORT => return vec![Effect::Show(self.sort_menu())],
            id::SORT_LEFT | id::SORT_RIGHT => {
                let at = By::ALL.iter().position(|(by, _)| *by == self.by).unwrap_or(0);
                let step = if command == id::SORT_RIGHT { 1 } else { By::ALL.len() - 1 };
                self.by = By::ALL.get((at + step) % By::ALL.len()).map(|(by, _)| *by).unwrap_or_default();
                self.is_descending = false;
                self.refresh(cx);
            }
            id::MARK => {
                if let Some(diagnostic) = self.focused() {
                    let key = key(diagnostic);
                    self.marks.toggle(&key);
                }
                self.list.command(id::DOWN, self.rows.len(), height);
            }
            id::RANGE => {
                self.list.anchor = if self.list.anchor.is_some() { None } else { Some(self.list.cursor) };
                self.mark_range();
            }
            id::MARK_ALL => {
                let all: Vec<String> = self.rows.iter().map(key).collect();
                if all.iter().all(|key| self.marks.has(key)) {
                    self.marks.0.clear();
                } else {
                    self.marks.0.extend(all);
                }
            }
            command => self.movement(command, height, cx),
        }
        Vec::new()
    }

    fn movement(&mut self, command: CommandId, height: usize, cx: &Context) {
        let list_height = height;
        match self.focus {
            Region::List => {
                if self.list.command(command, self.rows.len(), list_height) {
                    self.detail_offset = 0;
                    self.mark_range();
                }
            }
            Region::Counts => {
                let height = usize::from(cx.area.height.saturating_sub(2));
                self.counts.command(command, self.count_rows().len(), height);
            }
            Region::Detail => {
                let length = self.detail_length(cx);
                let mut text = ListState { cursor: self.detail_offset, ..ListState::default() };
                if text.command(command, length, height) {
                    self.detail_offset = text.cursor;
                }
            }
        }
    }

    fn detail_length(&self, cx: &Context) -> usize {
        let width = self.areas(cx.area).detail.map_or(0, |area| Panel::inner(area).width);
        self.focused().map_or(0, |d| detail::lines(cx, d, usize::from(width.saturating_sub(2))).len())
    }

    fn mark_range(&mut self) {
        let Some(range) = self.list.range() else { return };
        let keys: Vec<String> = range.filter_map(|row| self.rows.get(row).map(key)).collect();
        self.marks.0.extend(keys);
    }

    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        if self.focus == Region::Counts {
            if let Some((_, Some(term))) = self.count_rows().into_iter().nth(self.counts.cursor) {
                self.toggle_term(&term, cx);
            }
            return Vec::new();
        }
        let Some(diagnostic) = self.focused() else { return Vec::new() };
        match (&diagnostic.entity, Subject::diagnostic(cx, diagnostic).source) {
            (Some(entity), _) => vec![Effect::Open(Place::with(ENTITY, entity.as_str()))],
            (None, Some(Ok((path, line, column)))) => vec![Effect::Edit { path, line, column }],
            (None, Some(Err(reason))) => vec![Effect::Toast(Level::Info, reason)],
            (None, None) => {
                vec![Effect::Toast(Level::Info, "it is about no entity and no file".to_owned())]
            }
        }
    }

    fn step_region(&mut self, is_forward: bool, cx: &Context) {
        let regions = self.regions(cx.area);
        let at = regions.iter().position(|region| *region == self.focus).unwrap_or(0);
        let step = if is_forward { 1 } else { regions.len().saturating_sub(1) };
        self.focus = regions.get((at + step) % regions.len().max(1)).copied().unwrap_or_default();
    }

    fn cycle_layout(&mut self, cx: &Context) {
        self.layout = match (self.layout, cx.area.width >= SPLIT) {
            (Layout::Split, true) => Layout::List,
            (Layout::Split | Layout::List, _) => Layout::Detail,
            (Layout::Detail, _) => Layout::Split,
        };
        self.settle_focus(cx);
    }

    fn settle_focus(&mut self, cx: &Context) {
        let regions = self.regions(cx.area);
        if !regions.contains(&self.focus) {
            let list = regions.iter().find(|region| **region == Region::List);
            self.focus = list.or(regions.first()).copied().unwrap_or_default();
        }
    }

    fn views(&self, cx: &Context) -> Overlay {
        let terms = rows::split_terms(self.filter.text());
        let mut items = Vec::new();
        for (name, line) in &cx.views {
            if let Some(effects) = palette::read_line(line, cx) {
                items.push(Item { heading: "Views", ..Item::new(name, effects).detail(line) });
            }
        }
        for (key, values) in &self.rows.facets {
            for (value, number) in values {
                let term = format!("{key}:{value}");
                let checked = Some(terms.contains(&term));
                let effects = vec![Effect::Choose(FACET, term.clone())];
                let item = Item { heading: "Counts", checked, ..Item::new(term, effects) };
                items.push(item.detail(grouped(*number)));
            }
        }
        Overlay::new(OverlayKind::Menu, "counts and views", Mode::Typing, items)
    }

    fn sort_menu(&self) -> Overlay {
        let items = By::ALL.iter().map(|(by, title)| {
            let detail = match (self.by == *by, self.is_descending) {
                (true, false) => "now; again reverses",
                (true, true) => "now, reversed",
                _ => "",
            };
            Item::new(*title, vec![Effect::Choose(id::SORT, (*title).to_owned())]).detail(detail)
        });
        Overlay::menu("sort by", items.collect())
    }

    fn columns_menu(&self, cx: &Context) -> Overlay {
        let list = self.areas(cx.area).list.unwrap_or(cx.area);
        let columns = self.columns();
        let shown = Table::layout(&columns, self.table_area(list, cx.area).width);
        let items = COLUMNS.iter().map(|column| {
            let is_on = !self.hidden.contains(&column.title);
            let at = columns.iter().position(|c| c.title == column.title);
            let fits = at.is_some_and(|at| shown.iter().any(|slot| slot.0 == at));
            let effects = vec![Effect::Choose(id::COLUMNS, column.title.to_owned())];
            Item {
                checked: Some(is_on),
                disabled: (column.priority == 0).then(|| "always shown".to_owned()),
                ..Item::new(column.title.to_lowercase(), effects).detail(if is_on && !fits {
                    "no room now"
                } else {
                    ""
                })
            }
        });
        Overlay::menu("columns", items.collect())
    }

    fn columns(&self) -> Vec<Column> {
        COLUMNS.iter().filter(|column| !self.hidden.contains(&column.title)).copied().collect()
    }

    fn choice(&mut self, command: CommandId, choice: &str, cx: &Context) -> Vec<Effect> {
        match command {
            id::SORT => {
                if let Some((by, _)) = By::ALL.iter().find(|(_, title)| *title == choice) {
                    self.is_descending = self.by == *by && !self.is_descending;
                    self.by = *by;
                }
                self.refresh(cx);
            }
            id::COLUMNS => {
                if let Some(column) = COLUMNS.iter().find(|column| column.title == choice) {
                    match self.hidden.iter().position(|title| *title == column.title) {
                        Some(at) => drop(self.hidden.remove(at)),
                        None => self.hidden.push(column.title),
                    }
                }
            }
            FACET => self.toggle_term(choice, cx),
            id::SAVE_VIEW => {
                return vec![
                    palette::save_view(choice, &self.place()),
                    Effect::Toast(Level::Ok, format!("saved as view `{choice}`")),
                ];
            }
            _ => {}
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let areas = self.areas(cx.area);
        let at = (mouse.column, mouse.row).into();
        let is_in = |area: Option<Rect>| area.filter(|area| area.contains(at));
        let height = self.height(cx);
        let by = match mouse.kind {
            MouseKind::ScrollUp => Some(-3),
            MouseKind::ScrollDown => Some(3),
            MouseKind::Click | MouseKind::DoubleClick => None,
        };
        if let Some(list) = is_in(areas.list) {
            self.focus = Region::List;
            let Some(by) = by else {
                let columns = self.columns();
                let table = self.table(&columns);
                if let Some(row) = table.row_at(self.table_area(list, cx.area), mouse.column, mouse.row) {
                    self.list.select(row, self.rows.len(), height);
                    self.detail_offset = 0;
                    if mouse.kind == MouseKind::DoubleClick {
                        return self.open(cx);
                    }
                }
                return Vec::new();
            };
            self.list.scroll(by, self.rows.len(), height);
        } else if let Some(counts) = is_in(areas.counts) {
            self.focus = Region::Counts;
            let len = self.count_rows().len();
            let height = usize::from(counts.height.saturating_sub(2));
            if let Some(by) = by {
                self.counts.scroll(by, len, height);
                return Vec::new();
            }
            let line = usize::from(mouse.row.saturating_sub(counts.y + 1));
            self.counts.select(self.counts.offset + line, len, height);
            if mouse.kind == MouseKind::DoubleClick {
                return self.open(cx);
            }
        } else if is_in(areas.detail).is_some() {
            self.focus = Region::Detail;
            let last = self.detail_length(cx).saturating_sub(1);
            self.detail_offset = self.detail_offset.saturating_add_signed(by.unwrap_or(0)).min(last);
        }
        Vec::new()
    }

    fn table<'a>(&'a self, columns: &'a [Column]) -> Table<'a> {
        let title = By::ALL.iter().find(|(by, _)| *by == self.by).map(|(_, title)| title.to_uppercase());
        let sort = columns.iter().position(|column| Some(column.title) == title.as_deref());
        Table {
            columns,
            sort: sort.map(|at| (at, self.is_descending)),
            list: &self.list,
            len: self.rows.len(),
            is_focused: self.focus == Region::List,
        }
    }

    /// Cells of a row; `place` is the width of the column with the place.
    fn cells(&self, cx: &Context, row: usize, place: u16) -> (Vec<Line>, bool) {
        let Some(diagnostic) = self.rows.get(row) else { return (Vec::new(), false) };
        let cell = |column: &Column| match column.title {
            "SEVERITY" => severity(cx, diagnostic.severity),
            "CODE" => vec![span(diagnostic.code, Role::Dim)],
            "MESSAGE" => vec![span(diagnostic.message.as_str(), Role::Text)],
            "WHERE" => {
                let place = diagnostic.location.as_ref().map(|at| short_place(at, usize::from(place)));
                vec![span(place.unwrap_or_default(), Role::Link)]
            }
            _ => vec![span(diagnostic.entity.as_deref().map(short_ref).unwrap_or_default(), Role::Text)],
        };
        let is_marked = !self.marks.0.is_empty() && self.marks.has(&key(diagnostic));
        (self.columns().iter().map(cell).collect(), is_marked)
    }

    fn draw_list(&self, cx: &Context, region: Rect, screen: Rect, buf: &mut Buffer) {
        if screen.width >= SPLIT {
            let note = self.count();
            Panel { title: SPEC.title, note: &note, is_focused: self.focus == Region::List }
                .draw(cx, region, buf);
        }
        let area = self.table_area(region, screen);
        if self.is_typing() && area.y > region.y {
            let y = area.y - 1;
            put(buf, area.x, y, 1.min(area.width), "/", style(cx, Role::Key));
            let room = area.width.saturating_sub(2);
            put(buf, area.x + 1, y, room, self.filter.text(), style(cx, Role::Text));
            let before = text::width(self.filter.before_cursor()) as u16;
            let reverse = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
            paint(buf, (area.x + 1 + before).min(area.right().saturating_sub(1)), y, 1, reverse);
        }
        if self.rows.is_empty() {
            self.draw_empty(cx, area, buf);
            return;
        }
        let columns = self.columns();
        let place = columns.iter().position(|column| column.title == "WHERE");
        let layout = Table::layout(&columns, area.width);
        let place = layout.iter().find(|slot| Some(slot.0) == place).map_or(0, |slot| slot.2);
        self.table(&columns).draw(cx, area, buf, |row| self.cells(cx, row, place));
    }

    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let all = self.rows.all();
        let (what, then) = if cx.loaded_at.is_none() {
            ("loading".to_owned(), String::new())
        } else if all == 0 {
            (format!("{} nothing is wrong", Sign::Ok.text(cx)), String::new())
        } else {
            (format!("the filter hides {}", grouped(all)), format!("{} clears it", cx.key(id::BACK)))
        };
        for (row, (text, role)) in [(what, Role::Text), (then, Role::Dim)].into_iter().enumerate() {
            let (x, y) = (area.x + 2.min(area.width), area.y + 1 + row as u16);
            if y < area.bottom() {
                put(buf, x, y, area.width.saturating_sub(3), &text, style(cx, role));
            }
        }
    }

    fn draw_detail(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let is_focused = self.focus == Region::Detail;
        let title = self.focused().map_or("", |diagnostic| diagnostic.code);
        let inner = Panel { title, note: "", is_focused }.draw(cx, region, buf);
        let Some(diagnostic) = self.focused() else { return };
        let width = inner.width.saturating_sub(2);
        let lines = detail::lines(cx, diagnostic, usize::from(width));
        let offset = self.detail_offset.min(lines.len().saturating_sub(1));
        for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, width, line);
        }
    }

    fn draw_counts(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let is_focused = self.focus == Region::Counts;
        let inner = Panel { title: "Counts", note: "", is_focused }.draw(cx, region, buf);
        let terms = rows::split_terms(self.filter.text());
        let rows = self.count_rows();
        let visible = rows.iter().enumerate().skip(self.counts.offset).take(usize::from(inner.height));
        for (line, (at, (label, term))) in visible.enumerate() {
            let role = match term {
                None => Role::Dim,
                Some(term) if terms.contains(term) => Role::Accent,
                Some(_) => Role::Text,
            };
            let y = inner.y + line as u16;
            put(buf, inner.x + 1, y, inner.width.saturating_sub(1), label, style(cx, role));
            if is_focused && at == self.counts.cursor {
                paint(buf, inner.x, y, inner.width, style(cx, Role::Selection));
            }
        }
    }

    /// Returns `3 errors, 12 warnings`, with how many of all are shown when some are not.
    fn count(&self) -> String {
        let (errors, warnings) = self.rows.totals;
        let words = super::home::problem_words(errors, warnings);
        if self.rows.len() == self.rows.all() {
            return words;
        }
        format!("{} of {} · {words}", grouped(self.rows.len()), grouped(self.rows.all()))
    }
}

/// Returns sign and word of a severity.
fn severity(cx: &Context, severity: Severity) -> Line {
    let (sign, role) = match severity {
        Severity::Error => (Sign::Error.text(cx), Role::Error),
        Severity::Warning => (Sign::Warn.text(cx), Role::Warn),
        Severity::Info => (if cx.ascii { "." } else { "·" }, Role::Info),
    };
    vec![span(format!("{sign} {}", severity.as_str()), role)]
}

/// Returns a place in at most `width` cells; it is cut at its beginning, since the end says which line.
fn short_place(location: &crate::diagnostic::SourceLocation, width: usize) -> String {
    let mut place = text::clean(&location.file).into_owned();
    if location.line > 0 {
        place = format!("{place}:{}", location.line);
    }
    if text::width(&place) <= width {
        return place;
    }
    let mut cells = 1;
    let end = place.graphemes(true).rev().take_while(|grapheme| {
        cells += text::width(grapheme);
        cells <= width
    });
    let bytes: usize = end.map(str::len).sum();
    format!("…{}", place.get(place.len() - bytes..).unwrap_or(""))
}

impl Pane for ProblemsPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::with(SPEC.id, self.filter.text())
    }

    fn heading(&self, _cx: &Context) -> Heading {
        let cursor = if self.is_typing() { "_" } else { "" };
        let is_shown = self.is_typing() || !self.filter.is_empty();
        Heading {
            crumbs: vec![SPEC.title.to_owned()],
            filter: is_shown.then(|| format!("{}{cursor}", self.filter.text())),
            count: self.count(),
            marked: self.marks.0.len(),
            ..Heading::default()
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                let on = self.focused().map(key);
                if !self.rows.is_of(&cx.catalog) || self.rows.all() == 0 {
                    self.rows = Rows::collect(cx);
                    self.refresh(cx);
                    if let Some(row) = on.and_then(|on| self.rows.position(&on)) {
                        self.list.cursor = row;
                    }
                    if !self.marks.0.is_empty() {
                        let known: std::collections::BTreeSet<String> = self.rows.iter().map(key).collect();
                        self.marks.0.retain(|mark| known.contains(mark));
                    }
                }
                self.settle_focus(cx);
                self.list.clamp(self.rows.len(), self.height(cx));
                Vec::new()
            }
            Input::Command(command) => self.command(command, cx),
            Input::Choice(command, choice) => self.choice(command, choice, cx),
            Input::Paste(text) => {
                if self.is_typing() {
                    self.filter.paste(text);
                    self.refresh(cx);
                }
                Vec::new()
            }
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::CatalogChanged | Input::Task(_) => Vec::new(),
        }
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        let height = self.height(cx);
        match key.code {
            KeyCode::Enter => self.before_typing = None,
            KeyCode::Esc => {
                let before = self.before_typing.take().unwrap_or_default();
                self.set_filter(&before, cx);
            }
            KeyCode::Down | KeyCode::Up => {
                let command = if key.code == KeyCode::Down { id::DOWN } else { id::UP };
                self.list.command(command, self.rows.len(), height);
            }
            _ if self.filter.key(key) => self.refresh(cx),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn is_typing(&self) -> bool {
        self.before_typing.is_some()
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.layout == Layout::Detail {
            self.layout = Layout::Split;
            self.focus = Region::List;
        } else if self.list.anchor.take().is_some() {
        } else if !self.marks.0.is_empty() {
            self.marks.0.clear();
        } else if !self.filter.is_empty() {
            self.set_filter("", cx);
        } else {
            return None;
        }
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        match command {
            id::SAVE_VIEW | id::CLEAR if self.filter.is_empty() => Availability::no("there is no filter"),
            id::OPEN | id::SAVE | id::MARK | id::RANGE | id::MARK_ALL if self.rows.is_empty() => {
                Availability::no("the list is empty")
            }
            id::REGION_NEXT | id::REGION_PREVIOUS if self.regions(cx.area).len() < 2 => {
                Availability::no("there is one region at this width")
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        if self.marks.0.is_empty() {
            return self.focused().map(|d| Subject::diagnostic(cx, d)).into_iter().collect();
        }
        let marked = self.rows.iter().filter(|diagnostic| self.marks.has(&key(diagnostic)));
        marked.map(|diagnostic| Subject::diagnostic(cx, diagnostic)).collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let areas = self.areas(area);
        if let Some(region) = areas.counts {
            self.draw_counts(cx, region, buf);
        }
        if let Some(region) = areas.list {
            self.draw_list(cx, region, area, buf);
        }
        if let Some(region) = areas.detail {
            self.draw_detail(cx, region, buf);
        }
    }
}

#[cfg(test)]
mod tests;
