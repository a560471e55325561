//! Sources: where the catalog comes from, what each source does now, and when it is read again.
//!
//! The list always, the focused source in full beside it from 100 columns. `r` reads the focused or marked
//! ones now, `p` stops or resumes their schedule, `s` stops a reading, `a` has a backend register a location.
//! What a source says is in `words`.

mod words;

use crate::app::Context;
use crate::app::backend;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::event::{Effect, Level};
use crate::app::input::{Mouse, MouseKind};
use crate::app::list::{ListState, Marks};
use crate::app::overlay::Overlay;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::{Subject, is_openable};
use crate::catalog::refresh::{Order, SourceStatus};
use crate::config::theme::Role;
use crate::ui::text::{Line, put, put_line};
use crate::ui::theme::style;
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Opens the sources.
const GO: CommandSpec = CommandSpec::new(
    CommandId("go.sources"),
    "sources",
    "Where the catalog comes from, and how fresh it is",
    &[],
    0,
);
const PAUSE: CommandId = CommandId("sources.pause");
const STOP: CommandId = CommandId("sources.stop");
const REGISTER: CommandId = CommandId("sources.register");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "sources",
    title: "Sources",
    help: "Where the catalog comes from, and how fresh it is",
    aliases: &["source", "refresh"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(PAUSE, "pause", "Stop the schedule of the source, or let it go on", &["p"], 20),
        CommandSpec::new(STOP, "stop", "Stop the present reading of the source", &["s"], 22),
        CommandSpec {
            permission: Some(crate::permissions::LOCATION_CREATE),
            danger: true,
            ..CommandSpec::new(
                REGISTER,
                "register",
                "Have the Backstage backend take in a descriptor; shows first what that brings",
                &["a"],
                24,
            )
        },
    ],
    groups: &[Group::Subject, Group::Regions, Group::Move],
    open: |argument, _| Ok(Box::new(SourcesPane { wanted: argument.to_owned(), ..SourcesPane::default() })),
};

const COLUMNS: [Column; 7] = [
    Column { title: "SOURCE", min: 12, weight: 2, priority: 0 },
    Column { title: "STATE", min: 24, weight: 3, priority: 0 },
    Column { title: "ENTITIES", min: 9, weight: 0, priority: 1 },
    Column { title: "AGE", min: 5, weight: 0, priority: 0 },
    Column { title: "NEXT", min: 8, weight: 0, priority: 2 },
    Column { title: "TYPE", min: 9, weight: 0, priority: 3 },
    Column { title: "PLACE", min: 16, weight: 3, priority: 4 },
];

/// Columns from which the detail stands beside the list.
const SPLIT: u16 = 100;

/// State of the pane.
#[derive(Debug, Default)]
struct SourcesPane {
    rows: Vec<SourceStatus>,
    list: ListState,
    marks: Marks,
    /// Name to put the cursor on, from the place line.
    wanted: String,
    layout: Layout,
    is_detail_focused: bool,
    detail_offset: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    #[default]
    Split,
    List,
    Detail,
}

impl SourcesPane {
    fn areas(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        match self.layout {
            Layout::Detail => (None, Some(area)),
            Layout::Split if area.width >= SPLIT => {
                let list = area.width * 60 / 100;
                let detail = Rect { x: area.x + list, width: area.width - list, ..area };
                (Some(Rect { width: list, ..area }), Some(detail))
            }
            Layout::List | Layout::Split => (Some(area), None),
        }
    }

    fn table_area(region: Rect, screen: Rect) -> Rect {
        if screen.width >= SPLIT { Panel::inner(region) } else { region }
    }

    fn height(&self, cx: &Context) -> usize {
        let list = self.areas(cx.area).0.unwrap_or(cx.area);
        Table::height(Self::table_area(list, cx.area))
    }

    fn focused(&self) -> Option<&SourceStatus> {
        self.rows.get(self.list.cursor)
    }

    /// The marked sources, else the focused one.
    fn chosen(&self) -> Vec<&SourceStatus> {
        if self.marks.0.is_empty() {
            return self.focused().into_iter().collect();
        }
        self.rows.iter().filter(|row| self.marks.has(&row.state.name)).collect()
    }

    /// Name of the source whose backend takes in locations: the focused one, else the only one.
    fn backend(&self) -> Result<&str, String> {
        let able = || self.rows.iter().filter(|row| backend::takes_orders(&row.state));
        if let Some(row) = self.focused().filter(|row| backend::takes_orders(&row.state)) {
            return Ok(&row.state.name);
        }
        match (able().next(), able().count()) {
            (Some(row), 1) => Ok(&row.state.name),
            (None, _) => Err("there is no source of type `backstage` to ask".to_owned()),
            _ => Err("there are several sources of type `backstage`: go to one of them".to_owned()),
        }
    }

    /// Asks what an address would bring that was typed.
    fn register(&self, typed: &str) -> Vec<Effect> {
        match self.backend().and_then(|source| backend::try_register(source, typed)) {
            Ok(order) => {
                let asked = format!("asking `{}` what it would bring", order.source());
                vec![Effect::Toast(Level::Info, asked), Effect::Backend(order)]
            }
            Err(reason) => vec![Effect::Toast(Level::Error, reason)],
        }
    }

    fn order(&self, order: fn(String) -> Order) -> Vec<Effect> {
        self.chosen().into_iter().map(|row| Effect::Sources(order(row.state.name.to_string()))).collect()
    }

    /// Takes what the sources do now; the cursor stays on the same source.
    fn refresh(&mut self, cx: &Context) {
        // the source asked for may be known only once it was opened
        let focused = self.focused().map(|row| row.state.name.to_string());
        let on = if self.wanted.is_empty() { focused } else { Some(self.wanted.clone()) };
        self.rows = words::statuses(cx);
        if let Some(at) = on.and_then(|on| self.rows.iter().position(|row| *row.state.name == *on)) {
            self.list.cursor = at;
            self.wanted.clear();
        }
        self.list.clamp(self.rows.len(), self.height(cx));
    }

    fn detail(&self, cx: &Context, width: u16) -> Vec<Line> {
        self.focused().map(|row| words::detail(cx, row, usize::from(width))).unwrap_or_default()
    }

    fn detail_length(&self, cx: &Context) -> usize {
        let width = self.areas(cx.area).1.map_or(0, |area| Panel::inner(area).width);
        self.detail(cx, width.saturating_sub(2)).len()
    }

    fn scroll_detail(&mut self, by: isize, cx: &Context) {
        let last = self.detail_length(cx).saturating_sub(1);
        self.detail_offset = self.detail_offset.saturating_add_signed(by).min(last);
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            id::OPEN => {
                let name = self.focused().map(|row| row.state.name.to_string()).unwrap_or_default();
                let value = if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name };
                return vec![Effect::Open(Place::with("catalog", format!("source:{value}")))];
            }
            PAUSE => return self.order(Order::Pause),
            STOP => return self.order(Order::Cancel),
            REGISTER => {
                return self.backend().map(|source| vec![Effect::Show(prompt(source))]).unwrap_or_default();
            }
            id::LAYOUT => {
                self.layout = match (self.layout, cx.area.width >= SPLIT) {
                    (Layout::Split, true) => Layout::List,
                    (Layout::Split | Layout::List, _) => Layout::Detail,
                    (Layout::Detail, _) => Layout::Split,
                };
                self.is_detail_focused = self.layout == Layout::Detail;
            }
            id::REGION_NEXT | id::REGION_PREVIOUS => self.is_detail_focused = !self.is_detail_focused,
            id::PREVIEW_DOWN => self.scroll_detail(3, cx),
            id::PREVIEW_UP => self.scroll_detail(-3, cx),
            command if self.is_detail_focused => {
                let (length, height) = (self.detail_length(cx), self.height(cx));
                let mut text = ListState { cursor: self.detail_offset, ..ListState::default() };
                if text.command(command, length, height) {
                    self.detail_offset = text.cursor;
                }
            }
            command => {
                if self.list.command(command, self.rows.len(), self.height(cx)) {
                    self.detail_offset = 0;
                }
            }
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let (list, detail) = self.areas(cx.area);
        let is_in = |area: Option<Rect>| area.filter(|area| area.contains((mouse.column, mouse.row).into()));
        let by = match mouse.kind {
            MouseKind::ScrollUp => Some(-3),
            MouseKind::ScrollDown => Some(3),
            MouseKind::Click | MouseKind::DoubleClick => None,
        };
        let height = self.height(cx);
        if let Some(region) = is_in(list) {
            self.is_detail_focused = false;
            if let Some(by) = by {
                self.list.scroll(by, self.rows.len(), height);
                return Vec::new();
            }
            let area = Self::table_area(region, cx.area);
            if let Some(row) = self.table().row_at(area, mouse.column, mouse.row) {
                self.list.select(row, self.rows.len(), height);
                self.detail_offset = 0;
                if mouse.kind == MouseKind::DoubleClick {
                    return self.command(id::OPEN, cx);
                }
            }
        } else if is_in(detail).is_some() {
            self.is_detail_focused = true;
            self.scroll_detail(by.unwrap_or(0), cx);
        }
        Vec::new()
    }

    fn table(&self) -> Table<'_> {
        Table {
            columns: &COLUMNS,
            sort: None,
            list: &self.list,
            len: self.rows.len(),
            is_focused: !self.is_detail_focused,
        }
    }

    fn cells(&self, cx: &Context, row: usize) -> (Vec<Line>, bool) {
        let Some(status) = self.rows.get(row) else { return (Vec::new(), false) };
        (words::cells(cx, status), self.marks.has(&status.state.name))
    }
}

fn prompt(source: &str) -> Overlay {
    let text = vec![
        format!("Address of a descriptor that the backend of `{source}` takes in,"),
        "as a browser shows it. Nothing changes before you have seen what it brings.".to_owned(),
    ];
    Overlay::prompt("register a location", text, REGISTER)
}

impl Pane for SourcesPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::new(SPEC.id)
    }

    fn heading(&self, _cx: &Context) -> Heading {
        Heading {
            crumbs: vec![SPEC.title.to_owned()],
            count: words::count(&self.rows),
            marked: self.marks.0.len(),
            ..Heading::default()
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                self.refresh(cx);
                // a narrower screen has no second region
                self.is_detail_focused &= self.areas(cx.area).1.is_some();
                Vec::new()
            }
            Input::Task(_) | Input::CatalogChanged => {
                self.refresh(cx);
                Vec::new()
            }
            Input::Command(command) => self.command(command, cx),
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Choice(REGISTER, typed) => self.register(typed),
            Input::Choice(..) | Input::Paste(_) => Vec::new(),
        }
    }

    fn refresh_orders(&self, _cx: &Context) -> Vec<Order> {
        self.chosen().into_iter().map(|row| Order::Refresh(row.state.name.to_string())).collect()
    }

    fn step_back(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        if self.layout == Layout::Detail {
            (self.layout, self.is_detail_focused) = (Layout::Split, false);
        } else if !self.marks.0.is_empty() {
            self.marks.0.clear();
        } else {
            return None;
        }
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        let is_read_once = cx.sources.is_empty();
        match command {
            id::OPEN if self.rows.is_empty() => Availability::no("there is no source"),
            REGISTER => match self.backend() {
                Ok(_) => Availability::Available,
                Err(reason) => Availability::Disabled(reason),
            },
            PAUSE | STOP if is_read_once => Availability::no("the sources are read once only here"),
            PAUSE if self.chosen().iter().all(|row| row.is_watched) => {
                Availability::no("it is on this machine: its files are watched, there is no schedule")
            }
            STOP if !self.chosen().iter().any(|row| row.is_reading()) => {
                Availability::no("it is not being read")
            }
            id::REGION_NEXT | id::REGION_PREVIOUS
                if self.areas(cx.area).0.is_none() || self.areas(cx.area).1.is_none() =>
            {
                Availability::no("there is one region at this width")
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, _cx: &Context) -> Vec<Subject> {
        let subject = |row: &SourceStatus| {
            let place = row.state.place.clone();
            Subject {
                name: row.state.name.to_string(),
                place: Some(Place::with("catalog", format!("source:{}", row.state.name))),
                links: if is_openable(&place) {
                    vec![("source".to_owned(), place.clone())]
                } else {
                    Vec::new()
                },
                copies: [
                    Some(("place", place)),
                    row.state.error.as_ref().map(|error| ("error", error.render())),
                ]
                .into_iter()
                .flatten()
                .collect(),
                ..Subject::default()
            }
        };
        self.chosen().into_iter().map(subject).collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (list, detail) = self.areas(area);
        if let Some(region) = list {
            if area.width >= SPLIT {
                Panel { title: SPEC.title, note: "", is_focused: !self.is_detail_focused }
                    .draw(cx, region, buf);
            }
            let inner = Self::table_area(region, area);
            if self.rows.is_empty() {
                put(
                    buf,
                    inner.x + 2,
                    inner.y + 1,
                    inner.width.saturating_sub(3),
                    "there is no source",
                    style(cx, Role::Text),
                );
            } else {
                self.table().draw(cx, inner, buf, |row| self.cells(cx, row));
            }
        }
        if let Some(region) = detail {
            let title = self.focused().map_or("", |row| &*row.state.name);
            let inner = Panel { title, note: "", is_focused: self.is_detail_focused }.draw(cx, region, buf);
            let width = inner.width.saturating_sub(2);
            let lines = self.detail(cx, width);
            let offset = self.detail_offset.min(lines.len().saturating_sub(1));
            for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
                put_line(cx, buf, inner.x + 1, inner.y + row as u16, width, line);
            }
        }
    }
}

#[cfg(test)]
mod tests;
