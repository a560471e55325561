//! Documentation: the entities that have some, and the reader.
//!
//! `docs` lists entities and marked places, `docs REF [PAGE#anchor]` opens the [`reader`]. Both read nothing
//! themselves: they ask with [`Effect::Docs`] and draw what came back.

mod contents;
mod draw;
mod labels;
mod reader;
mod regions;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::docs::{DocsAnswer, DocsQuestion, DocsRow};
use crate::app::event::{Effect, Generation, Shared, TaskEvent};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::line_input::LineInput;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{DOCS, Place};
use crate::app::subject::Subject;
use crate::config::theme::Role;
use crate::model::entity_ref::split_canonical;
use crate::model::text::width;
use crate::store::reading::Bookmark;
use crate::ui::text::{put, span};
use crate::ui::theme::style;
use crate::ui::widgets::{SectionList, Sections};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use reader::READER;

const GO: CommandSpec = CommandSpec::new(
    CommandId("go.docs"),
    "docs",
    "Documentation of services, and decision records",
    &["5"],
    0,
);

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "docs",
    title: "Docs",
    help: "Documentation of services: list, or `docs REF [PAGE]` to read",
    aliases: &["doc", "techdocs", "handbook", "adrs"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[],
    groups: &[Group::Subject, Group::List, Group::Move],
    open: |argument, cx| {
        if argument.trim().is_empty() {
            return Ok(Box::new(DocsPane::default()));
        }
        Ok(Box::new(reader::Reader::open(argument, cx)?))
    },
};

/// What is asked of the pool and what came back.
#[derive(Debug, Default)]
enum Asked<T> {
    #[default]
    Not,
    Waiting(Generation),
    There(T),
    Failed(String),
}

impl<T> Asked<T> {
    fn is_waiting_for(&self, generation: Generation) -> bool {
        matches!(self, Self::Waiting(waiting) if *waiting == generation)
    }

    fn there(&self) -> Option<&T> {
        match self {
            Self::There(value) => Some(value),
            _ => None,
        }
    }
}

/// The list of entities with documentation.
#[derive(Debug, Default)]
struct DocsPane {
    rows: Asked<Shared<Vec<DocsRow>>>,
    /// Rows that are shown, as they were before the question that is under way.
    last: Option<Shared<Vec<DocsRow>>>,
    list: SectionList,
    filter: LineInput,
    is_typing: bool,
    /// What the rows of the list lead to.
    targets: Vec<Target>,
}

/// What a row leads to.
#[derive(Debug, Clone)]
enum Target {
    Entity(String),
    Bookmark(Bookmark),
}

impl DocsPane {
    fn ask(&mut self, cx: &Context) -> Vec<Effect> {
        let generation = cx.next_generation();
        self.rows = Asked::Waiting(generation);
        vec![Effect::Docs { generation, question: DocsQuestion::List }]
    }

    fn height(cx: &Context) -> usize {
        usize::from(cx.area.height)
    }

    fn shown(&self) -> Option<&Shared<Vec<DocsRow>>> {
        self.rows.there().or(self.last.as_ref())
    }

    /// Whether every word of the filter is in a row.
    fn matches(&self, row: &DocsRow) -> bool {
        let text = format!("{} {} {}", row.title, row.entity, row.owner);
        self.filter.text().split_whitespace().all(|word| {
            let is_exact = word.chars().any(char::is_uppercase);
            if is_exact { text.contains(word) } else { text.to_lowercase().contains(word) }
        })
    }

    fn renew(&mut self, cx: &Context) {
        let mut content = Sections::default();
        let mut targets = Vec::new();
        if self.filter.is_empty() && !cx.reading.bookmarks.is_empty() {
            content.heading("Bookmarks", "");
            for mark in &cx.reading.bookmarks {
                let key = format!("mark {} {}", mark.entity, mark.page);
                let note = format!("{} {}", split_canonical(&mark.entity).2, mark.page);
                content.row(key, vec![span(&mark.title, Role::Text)], vec![span(note, Role::Dim)]);
                targets.push(Target::Bookmark(mark.clone()));
            }
        }
        if let Some(rows) = self.shown() {
            let rows: Vec<&DocsRow> = rows.0.iter().filter(|row| self.matches(row)).collect();
            if !rows.is_empty() {
                content.heading("Documentation", format!("{} entities", grouped(rows.len())));
            }
            let widest = rows.iter().map(|row| width(&row.title)).max().unwrap_or(0).min(34);
            for row in rows {
                let (kind, _, name) = split_canonical(&row.entity);
                let pad = widest.saturating_sub(width(&row.title)) + 2;
                let mut line = vec![span(&row.title, Role::Text), span(" ".repeat(pad), Role::Text)];
                line.push(span(format!("{kind}:{name}"), Role::Dim));
                if row.has_records {
                    line.push(span("  decisions", Role::Accent));
                }
                content.row(row.entity.clone(), line, vec![span(&row.owner, Role::Dim)]);
                targets.push(Target::Entity(row.entity.clone()));
            }
        }
        self.targets = targets;
        self.list.set(content, Self::height(cx));
    }

    fn focused(&self) -> Option<&Target> {
        self.list.cursor().and_then(|at| self.targets.get(at))
    }

    fn open(&self) -> Vec<Effect> {
        let place = match self.focused() {
            Some(Target::Entity(entity)) => Place::with(DOCS, entity.clone()),
            Some(Target::Bookmark(mark)) => Place::with(DOCS, format!("{} {}", mark.entity, mark.page)),
            None => return Vec::new(),
        };
        vec![Effect::Open(place)]
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            id::OPEN => return self.open(),
            id::FILTER => self.is_typing = true,
            id::CLEAR => {
                self.filter = LineInput::default();
                self.renew(cx);
            }
            command => drop(self.list.command(command, Self::height(cx))),
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let height = Self::height(cx);
        match mouse.kind {
            MouseKind::ScrollUp => self.list.scroll(-3, height),
            MouseKind::ScrollDown => self.list.scroll(3, height),
            MouseKind::Click | MouseKind::DoubleClick => {
                if let Some(row) = self.list.row_at(cx.area, mouse.column, mouse.row) {
                    self.list.select(row, height);
                    if mouse.kind == MouseKind::DoubleClick {
                        return self.open();
                    }
                }
            }
        }
        Vec::new()
    }
}

impl Pane for DocsPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::new(DOCS)
    }

    fn heading(&self, _: &Context) -> Heading {
        let count = self.shown().map_or_else(String::new, |rows| {
            let shown = self.targets.iter().filter(|target| matches!(target, Target::Entity(_))).count();
            if shown == rows.0.len() {
                grouped(shown)
            } else {
                format!("{} of {}", grouped(shown), grouped(rows.0.len()))
            }
        });
        let cursor = if self.is_typing { "_" } else { "" };
        let filter =
            (self.is_typing || !self.filter.is_empty()).then(|| format!("{}{cursor}", self.filter.text()));
        Heading { crumbs: vec!["Docs".to_owned()], filter, count, ..Heading::default() }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                self.renew(cx);
                if matches!(self.rows, Asked::Not) && cx.loaded_at.is_some() {
                    return self.ask(cx);
                }
            }
            Input::CatalogChanged => {
                if let Asked::There(rows) = std::mem::take(&mut self.rows) {
                    self.last = Some(rows);
                }
            }
            Input::Command(command) => return self.command(command, cx),
            Input::Choice(..) => {}
            Input::Paste(text) => {
                if self.is_typing {
                    self.filter.paste(text);
                    self.renew(cx);
                }
            }
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            Input::Task(TaskEvent::Docs { generation, result }) if self.rows.is_waiting_for(*generation) => {
                self.rows = match result {
                    Ok(DocsAnswer::Listed(rows)) => Asked::There(rows.clone()),
                    Ok(_) => Asked::Failed("the answer was of another kind than asked for".to_owned()),
                    Err(why) => Asked::Failed(why.clone()),
                };
                self.renew(cx);
            }
            Input::Task(_) => {}
        }
        Vec::new()
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        match key.code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                self.filter = LineInput::default();
                self.renew(cx);
            }
            _ if self.filter.key(key) => self.renew(cx),
            _ => return None,
        }
        Some(Vec::new())
    }

    fn is_typing(&self) -> bool {
        self.is_typing
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.filter.is_empty() {
            return None;
        }
        self.filter = LineInput::default();
        self.renew(cx);
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, _: &Context) -> Availability {
        match command {
            id::OPEN if self.focused().is_none() => Availability::no("there is nothing to open"),
            id::CLEAR if self.filter.is_empty() => Availability::no("there is no filter"),
            id::MARK | id::RANGE | id::MARK_ALL => {
                Availability::no("nothing is done to several at once here")
            }
            id::SORT | id::SORT_LEFT | id::SORT_RIGHT => Availability::no("documentation is listed by title"),
            id::COLUMNS => Availability::no("it has no columns"),
            id::VIEWS | id::SAVE_VIEW => Availability::no("the filter is words of title, name and owner"),
            id::SAVE => Availability::no("`devportal docs -o json` writes the list"),
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        let entity = match self.focused() {
            Some(Target::Entity(entity)) => entity,
            Some(Target::Bookmark(mark)) => &mark.entity,
            None => return Vec::new(),
        };
        vec![Subject::entity(cx, entity)]
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        if !self.list.is_empty() {
            return self.list.draw(cx, area, true, buf);
        }
        let (text, role) = match &self.rows {
            Asked::Failed(why) => (why.clone(), Role::Error),
            Asked::Not | Asked::Waiting(_) => ("looking for documentation".to_owned(), Role::Dim),
            Asked::There(_) if !self.filter.is_empty() => {
                (format!("no documentation matches `{}` · esc shows all again", self.filter.text()), Role::Dim)
            }
            Asked::There(_) => (
                "no entity says that it has documentation: add `backstage.io/techdocs-ref: dir:.` to its annotations".to_owned(),
                Role::Dim,
            ),
        };
        for (row, line) in
            crate::ui::text::wrap(&text, usize::from(area.width.saturating_sub(4))).iter().enumerate()
        {
            let y = area.y + 1 + row as u16;
            if y < area.bottom() {
                put(buf, area.x + 2, y, area.width.saturating_sub(4), line, style(cx, role));
            }
        }
    }
}
