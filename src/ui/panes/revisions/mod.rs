//! The catalog in time: what differs between two revisions, and who changed an entity.
//!
//! Two places over one pane, a list with the focused row in full beside it (from 100 columns) or in its
//! place. Reading the repository is work for the face; the answer comes as a task event. What rows say is
//! in `rows`.

mod rows;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::event::{Effect, Generation, RevisionsAnswer, RevisionsQuestion, TaskEvent};
use crate::app::input::{Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::config::theme::Role;
use crate::model::EntityRef;
use crate::ui::entity_lines::short_ref;
use crate::ui::text::{Line, put, put_line, wrap};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rows::Row;

/// Opens the comparison.
const GO: CommandSpec = CommandSpec::new(
    CommandId("go.diff"),
    "diff",
    "What changed in the catalog: the work tree against HEAD; `diff A..B` compares two revisions",
    &[],
    0,
);

/// Registration of the comparison.
pub const DIFF: PaneSpec = PaneSpec {
    id: "diff",
    title: "Diff",
    help: "What changed in the catalog between two revisions, or since the last commit",
    aliases: &["compare", "changes"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[],
    groups: &[Group::Subject, Group::Regions, Group::Move],
    open: |argument, _| Ok(Box::new(RevisionsPane::new(Kind::Diff, argument))),
};

/// Registration of the history.
pub const HISTORY: PaneSpec = PaneSpec {
    id: "history",
    title: "History",
    help: "Who changed an entity, when, and what",
    aliases: &["log", "blame"],
    go: None,
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[],
    groups: &[Group::Subject, Group::Regions, Group::Move],
    open: |argument, cx| {
        let canonical = EntityRef::parse(argument.trim(), Some("component"), "default");
        let canonical = canonical.map(|found| found.to_string()).map_err(|error| error.to_string())?;
        match cx.catalog.find(&canonical).and_then(|id| cx.catalog.entity(id)) {
            Some(_) => Ok(Box::new(RevisionsPane::new(Kind::History, &canonical))),
            None => Err(format!("`{canonical}` is described in no file: it has no history")),
        }
    },
};

/// Columns from which the row in full stands beside the list.
const SPLIT: u16 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Diff,
    History,
}

impl Kind {
    fn columns(self) -> &'static [Column] {
        const DIFF: &[Column] = &[
            Column { title: "CHANGE", min: 9, weight: 0, priority: 0 },
            Column { title: "WHAT", min: 26, weight: 3, priority: 0 },
            Column { title: "HOW", min: 18, weight: 4, priority: 1 },
            Column { title: "WHERE", min: 26, weight: 1, priority: 2 },
        ];
        const HISTORY: &[Column] = &[
            Column { title: "WHEN", min: 5, weight: 0, priority: 0 },
            Column { title: "WHO", min: 12, weight: 0, priority: 1 },
            Column { title: "CHANGE", min: 8, weight: 0, priority: 0 },
            Column { title: "WHAT", min: 20, weight: 3, priority: 0 },
            Column { title: "SUBJECT", min: 22, weight: 2, priority: 2 },
            Column { title: "COMMIT", min: 8, weight: 0, priority: 3 },
        ];
        match self {
            Self::Diff => DIFF,
            Self::History => HISTORY,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Region {
    #[default]
    List,
    Detail,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    #[default]
    Split,
    List,
    Detail,
}

/// What is known so far.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Waiting,
    Failed(String),
    /// With a sentence about the whole.
    Read(String),
}

struct RevisionsPane {
    kind: Kind,
    argument: String,
    generation: Generation,
    is_asked: bool,
    state: State,
    rows: Vec<Row>,
    list: ListState,
    offset: usize,
    focus: Region,
    layout: Layout,
}

impl RevisionsPane {
    fn new(kind: Kind, argument: &str) -> Self {
        Self {
            kind,
            argument: argument.trim().to_owned(),
            generation: Generation::default(),
            is_asked: false,
            state: State::Waiting,
            rows: Vec::new(),
            list: ListState::default(),
            offset: 0,
            focus: Region::default(),
            layout: Layout::default(),
        }
    }

    fn ask(&mut self, cx: &Context) -> Vec<Effect> {
        self.is_asked = true;
        self.generation = cx.next_generation();
        let question = match self.kind {
            Kind::Diff => RevisionsQuestion::Compare(self.argument.clone()),
            Kind::History => RevisionsQuestion::History(self.argument.clone()),
        };
        vec![Effect::Revisions { generation: self.generation, question }]
    }

    fn take(&mut self, task: &TaskEvent, cx: &Context) {
        let TaskEvent::Revisions { generation, result } = task else { return };
        if *generation != self.generation {
            return;
        }
        let on = self.focused().map(|row| row.key.clone());
        (self.state, self.rows) = match result {
            Ok(RevisionsAnswer::Compared(found)) => {
                let ends = format!("{} → {}", found.0.from.name(), found.0.to.name());
                let words = found.0.diff.summary.words();
                (State::Read(format!("{ends}: {words}")), rows::of_diff(&found.0))
            }
            Ok(RevisionsAnswer::History(found)) => {
                (State::Read(rows::history_note(&found.0)), rows::of_history(&found.0, cx.now))
            }
            Err(reason) => (State::Failed(reason.clone()), Vec::new()),
        };
        if let Some(row) = on.and_then(|on| self.rows.iter().position(|row| row.key == on)) {
            self.list.cursor = row;
        }
        self.list.clamp(self.rows.len(), self.height(cx));
    }

    fn focused(&self) -> Option<&Row> {
        self.rows.get(self.list.cursor)
    }

    /// The list, and the row in full.
    fn areas(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        match self.layout {
            Layout::Detail => (None, Some(area)),
            Layout::Split if area.width >= SPLIT => {
                let list = area.width * 55 / 100;
                let detail = Rect { x: area.x + list, width: area.width - list, ..area };
                (Some(Rect { width: list, ..area }), Some(detail))
            }
            Layout::List | Layout::Split => (Some(area), None),
        }
    }

    /// Area of the table: inside its frame, below the sentence about the whole.
    fn table_area(region: Rect, screen: Rect) -> Rect {
        let inner = if screen.width >= SPLIT { Panel::inner(region) } else { region };
        let note = 1.min(inner.height);
        Rect { y: inner.y + note, height: inner.height - note, ..inner }
    }

    fn height(&self, cx: &Context) -> usize {
        let list = self.areas(cx.area).0.unwrap_or(cx.area);
        Table::height(Self::table_area(list, cx.area))
    }

    fn detail_height(&self, cx: &Context) -> usize {
        let detail = self.areas(cx.area).1.unwrap_or(cx.area);
        usize::from(Panel::inner(detail).height).max(1)
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            id::OPEN => return self.open(cx),
            id::REGION_NEXT | id::REGION_PREVIOUS => self.switch(cx),
            id::LAYOUT => {
                self.layout = match (self.layout, cx.area.width >= SPLIT) {
                    (Layout::Split, true) => Layout::List,
                    (Layout::Split | Layout::List, _) => Layout::Detail,
                    (Layout::Detail, _) => Layout::Split,
                };
                self.settle(cx);
            }
            id::PREVIEW_DOWN => self.scroll(3, cx),
            id::PREVIEW_UP => self.scroll(-3, cx),
            command if self.focus == Region::Detail => {
                let (length, height) = (self.detail(cx).len(), self.detail_height(cx));
                let mut text = ListState { cursor: self.offset, ..ListState::default() };
                if text.command(command, length.saturating_sub(height) + 1, height) {
                    self.offset = text.cursor;
                }
            }
            command => {
                if self.list.command(command, self.rows.len(), self.height(cx)) {
                    self.offset = 0;
                }
            }
        }
        Vec::new()
    }

    /// Lines of the row in full, wrapped to its region.
    fn detail(&self, cx: &Context) -> Vec<Line> {
        let detail = self.areas(cx.area).1.unwrap_or(cx.area);
        let width = usize::from(Panel::inner(detail).width.saturating_sub(2));
        self.focused().map_or_else(Vec::new, |row| {
            row.detail.iter().flat_map(|line| rows::wrapped(line, width)).collect()
        })
    }

    fn scroll(&mut self, by: isize, cx: &Context) {
        let last = self.detail(cx).len().saturating_sub(self.detail_height(cx));
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    fn switch(&mut self, cx: &Context) {
        self.focus = match (self.focus, self.areas(cx.area)) {
            (Region::List, (_, Some(_))) => Region::Detail,
            (_, (Some(_), _)) => Region::List,
            (focus, _) => focus,
        };
    }

    fn settle(&mut self, cx: &Context) {
        self.focus = match self.areas(cx.area) {
            (Some(_), Some(_)) => self.focus,
            (Some(_), None) => Region::List,
            (None, _) => Region::Detail,
        };
        let (length, height) = (self.rows.len(), self.height(cx));
        self.list.clamp(length, height);
        self.scroll(0, cx);
    }

    /// Shows the row in full; from there, and where it is in view anyway, the entity.
    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(row) = self.focused() else { return Vec::new() };
        let entity = row.entity.clone().filter(|entity| cx.catalog.find(entity).is_some());
        let is_in_view = self.areas(cx.area).1.is_some();
        match (self.kind, entity) {
            (Kind::Diff, Some(entity)) if is_in_view => return vec![Effect::Open(Place::entity(entity))],
            (Kind::History, Some(entity)) if self.focus == Region::Detail => {
                return vec![Effect::Open(Place::entity(entity))];
            }
            _ if is_in_view => self.focus = Region::Detail,
            _ => {
                self.layout = Layout::Detail;
                self.focus = Region::Detail;
            }
        }
        self.offset = 0;
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let (list, detail) = self.areas(cx.area);
        let at = (mouse.column, mouse.row).into();
        let by = match mouse.kind {
            MouseKind::ScrollUp => Some(-3),
            MouseKind::ScrollDown => Some(3),
            MouseKind::Click | MouseKind::DoubleClick => None,
        };
        let (len, height) = (self.rows.len(), self.height(cx));
        if let Some(list) = list.filter(|list| list.contains(at)) {
            self.focus = Region::List;
            if let Some(by) = by {
                self.list.scroll(by, len, height);
            } else if let Some(row) =
                self.table().row_at(Self::table_area(list, cx.area), mouse.column, mouse.row)
            {
                self.list.select(row, len, height);
                self.offset = 0;
                if mouse.kind == MouseKind::DoubleClick {
                    return self.open(cx);
                }
            }
        } else if detail.is_some_and(|detail| detail.contains(at)) {
            self.focus = Region::Detail;
            self.scroll(by.unwrap_or(0), cx);
        }
        Vec::new()
    }

    fn table(&self) -> Table<'_> {
        Table {
            columns: self.kind.columns(),
            sort: None,
            list: &self.list,
            len: self.rows.len(),
            is_focused: self.focus == Region::List,
        }
    }

    fn draw_list(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        if cx.area.width >= SPLIT {
            let is_focused = self.focus == Region::List;
            Panel { title: self.spec().title, note: "", is_focused }.draw(cx, region, buf);
        }
        let area = Self::table_area(region, cx.area);
        if let State::Read(note) = &self.state
            && area.y > region.y
        {
            put(
                buf,
                area.x + 1.min(area.width),
                area.y - 1,
                area.width.saturating_sub(2),
                note,
                style(cx, Role::Dim),
            );
        }
        if self.rows.is_empty() {
            self.draw_empty(cx, area, buf);
            return;
        }
        self.table().draw(cx, area, buf, |row| {
            (self.rows.get(row).map(|row| row.cells.clone()).unwrap_or_default(), false)
        });
    }

    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (sign, text) = match (&self.state, self.kind) {
            (State::Waiting, Kind::Diff) => (None, "comparing…".to_owned()),
            (State::Waiting, Kind::History) => (None, "reading commits…".to_owned()),
            (State::Failed(reason), _) => (Some(Sign::Error), reason.clone()),
            (State::Read(_), Kind::Diff) => (Some(Sign::Ok), "nothing differs".to_owned()),
            (State::Read(_), Kind::History) => (None, "no change of it is known".to_owned()),
        };
        let text = sign.map_or(text.clone(), |sign| format!("{} {text}", sign.text(cx)));
        let role = sign.map_or(Role::Dim, Sign::role);
        let width = usize::from(area.width.saturating_sub(4)).clamp(1, 100);
        for (row, line) in (0u16..).zip(wrap(&text, width)).take(usize::from(area.height)) {
            put(buf, area.x + 2.min(area.width), area.y + row, width as u16, &line, style(cx, role));
        }
    }

    fn draw_detail(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let is_focused = self.focus == Region::Detail;
        let title = self.focused().map_or("", |row| row.title.as_str());
        let inner = Panel { title, note: "", is_focused }.draw(cx, region, buf);
        let width = inner.width.saturating_sub(2);
        let lines = self.detail(cx);
        let visible = lines.iter().skip(self.offset).take(usize::from(inner.height));
        for (line, text) in (0u16..).zip(visible) {
            put_line(cx, buf, inner.x + 1, inner.y + line, width, text);
        }
    }
}

impl Pane for RevisionsPane {
    fn spec(&self) -> &'static PaneSpec {
        match self.kind {
            Kind::Diff => &DIFF,
            Kind::History => &HISTORY,
        }
    }

    fn place(&self) -> Place {
        Place::with(self.spec().id, self.argument.clone())
    }

    fn heading(&self, _: &Context) -> Heading {
        let about = match (self.kind, self.argument.as_str()) {
            (Kind::Diff, "") => "HEAD against the work tree".to_owned(),
            (Kind::Diff, range) => range.to_owned(),
            (Kind::History, entity) => short_ref(entity),
        };
        let count = match &self.state {
            State::Read(_) => self.rows.len().to_string(),
            State::Waiting => "reading".to_owned(),
            State::Failed(_) => String::new(),
        };
        Heading { crumbs: vec![self.spec().title.to_owned(), about], count, ..Heading::default() }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                self.settle(cx);
                if !self.is_asked && cx.loaded_at.is_some() {
                    return self.ask(cx);
                }
            }
            // the old answer stays until the new one is there
            Input::CatalogChanged => self.is_asked = false,
            Input::Command(command) => return self.command(command, cx),
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            Input::Task(task) => self.take(task, cx),
            Input::Choice(..) | Input::Paste(_) => {}
        }
        Vec::new()
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.layout != Layout::Detail {
            return None;
        }
        self.layout = Layout::Split;
        self.focus = Region::List;
        self.settle(cx);
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        match command {
            id::OPEN if self.focused().is_none() => Availability::no("nothing is focused"),
            id::REGION_NEXT | id::REGION_PREVIOUS if cx.area.width < SPLIT => {
                Availability::no(format!("there is one region; {} changes it", cx.key(id::LAYOUT)))
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        let Some(row) = self.focused() else { return Vec::new() };
        let mut subject = match &row.entity {
            Some(entity) => Subject::entity(cx, entity),
            None => Subject { name: row.title.clone(), ..Subject::default() },
        };
        if let Some(commit) = &row.commit {
            subject.copies.push(("message", row.subject.clone()));
            subject.name.clone_from(commit);
        }
        vec![subject]
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        let (list, detail) = self.areas(area);
        if let Some(list) = list {
            self.draw_list(cx, list, buf);
        }
        if let Some(detail) = detail {
            self.draw_detail(cx, detail, buf);
        }
    }
}

#[cfg(test)]
mod tests;
