//! A list of objects with filter, sorting and marks, kept up to date with the state.
//!
//! Rows come from [`rows::run`]: at once for a few objects, from the pool for many, where at most one request is
//! under way and the newest wins. Cursor, scroll and marks stay on the same objects. Above the objects stand
//! notes: what has to be said about clusters.

use super::words::{self, Note};
use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::app::event::{Effect, FilterMistake, Generation, TaskEvent};
use crate::app::input::{Key, KeyCode};
use crate::app::line_input::LineInput;
use crate::app::list::ListState;
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::rows::{self, FEW, Field, Filter, Query, Row, Rows, Seen, What};
use crate::kubernetes::select::Scope;
use crate::kubernetes::{Kind, State};
use std::collections::BTreeSet;
use std::sync::Arc;

/// State of a list of objects.
#[derive(Debug)]
pub struct ObjectList {
    /// What is asked for; its filter is the last one that was understood.
    pub query: Query,
    /// What is typed.
    pub filter: LineInput,
    /// What is wrong with it; the last good result stays.
    pub mistake: Option<FilterMistake>,
    /// Cursor and scroll over notes and objects.
    pub list: ListState,
    /// Marked objects.
    pub marks: BTreeSet<ObjectRef>,
    answer: Arc<Rows>,
    answered: Option<(Query, usize)>,
    notes: Vec<Note>,
    generation: Generation,
    is_pending: bool,
    is_due_again: bool,
    is_typing: bool,
    before_typing: String,
    /// The user has moved; until then the cursor stays on the first object.
    was_moved: bool,
}

/// What is under the cursor.
#[derive(Debug, Clone, Copy)]
pub enum Focused<'a> {
    /// A note about a cluster.
    Note(&'a Note),
    /// An object.
    Row(&'a Row),
}

impl ObjectList {
    /// Creates a list of something of somebody.
    pub fn new(what: What, scope: Scope, clusters: Vec<Arc<str>>, filter: &str) -> Self {
        let query = Query {
            what,
            scope,
            clusters,
            filter: String::new(),
            sort: Field::Namespace,
            is_descending: false,
        };
        let mut list = Self {
            query,
            filter: LineInput::new(filter),
            mistake: None,
            list: ListState::default(),
            marks: BTreeSet::new(),
            answer: Arc::default(),
            answered: None,
            notes: Vec::new(),
            generation: Generation::default(),
            is_pending: false,
            is_due_again: false,
            is_typing: false,
            before_typing: String::new(),
            was_moved: false,
        };
        list.read_filter();
        list
    }

    /// Returns the state that the rows belong to.
    pub fn state(&self) -> &Arc<State> {
        &self.answer.state
    }

    /// Returns the objects shown.
    pub fn rows(&self) -> &[Row] {
        &self.answer.rows
    }

    /// Returns how many objects there are without the filter.
    pub fn total(&self) -> usize {
        self.answer.total
    }

    /// Returns the notes above the objects.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Returns the number of rows, notes included.
    pub fn len(&self) -> usize {
        self.notes.len() + self.answer.rows.len()
    }

    /// Returns what stands in a row.
    pub fn get(&self, row: usize) -> Option<Focused<'_>> {
        match row.checked_sub(self.notes.len()) {
            None => self.notes.get(row).map(Focused::Note),
            Some(at) => self.answer.rows.get(at).map(Focused::Row),
        }
    }

    /// Returns what is under the cursor.
    pub fn focused(&self) -> Option<Focused<'_>> {
        self.get(self.list.cursor)
    }

    /// Returns the object under the cursor.
    pub fn row(&self) -> Option<&Row> {
        match self.focused() {
            Some(Focused::Row(row)) => Some(row),
            _ => None,
        }
    }

    /// Returns an object with what its state knows beside it.
    pub fn seen<'a>(&'a self, row: &'a Row, cx: &Context) -> Option<Seen<'a>> {
        Some(Seen { cluster: self.state().cluster(&row.cluster)?, object: &row.object, now: cx.now })
    }

    /// Returns the marked objects, else the one under the cursor.
    pub fn chosen(&self) -> Vec<ObjectRef> {
        if self.marks.is_empty() {
            return self.row().map(Row::at).into_iter().collect();
        }
        self.marks.iter().cloned().collect()
    }

    /// Begins at the top again.
    pub fn restart(&mut self) {
        self.list = ListState::default();
        self.was_moved = false;
        self.answer = Arc::default();
        self.answered = None;
    }

    /// Brings the rows up to date with the state; may ask the pool.
    pub fn renew(&mut self, cx: &Context, height: usize) -> Vec<Effect> {
        let kinds = match &self.query.what {
            What::Kind(kind) | What::Of(_, kind) => vec![*kind],
            What::Tree(_) => vec![Kind::Pod, Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job],
        };
        let only = match &self.query.what {
            What::Of(parent, _) => vec![parent.cluster.clone()],
            _ => self.query.clusters.clone(),
        };
        let mut notes = words::notes(cx, &only, &kinds, &self.query.scope);
        // one sentence about a cluster is enough where the kinds are many
        notes.dedup_by(|b, a| a.cluster == b.cluster && a.request == b.request && a.line == b.line);
        if notes != self.notes {
            self.keep(|list| list.notes = notes, height);
        }
        let minute = cx.now.as_second() / 60;
        let ages = self.query.filter.contains("age");
        let is_current = self.answered.as_ref().is_some_and(|(query, at)| {
            *query == self.query
                && rows::is_same(&self.answer.state, &cx.kubernetes, &self.query)
                && (!ages || *at as i64 == minute)
        });
        if is_current {
            // what stands beside the objects may be newer all the same
            let same = Rows {
                state: cx.kubernetes.clone(),
                rows: self.answer.rows.clone(),
                total: self.answer.total,
            };
            if !Arc::ptr_eq(&self.answer.state, &cx.kubernetes) {
                self.answer = Arc::new(same);
            }
            return Vec::new();
        }
        if rows::weight(&cx.kubernetes, &self.query) <= FEW {
            let filter = Filter::parse(&self.query.filter).unwrap_or_default();
            let found = rows::run(&cx.kubernetes, &cx.catalog, &self.query, &filter, cx.now);
            self.is_pending = false;
            self.generation = Generation::default();
            self.take(Arc::new(found), minute as usize, height);
            return Vec::new();
        }
        if self.is_pending && self.answered.as_ref().is_some_and(|(query, _)| *query == self.query) {
            self.is_due_again = true;
            return Vec::new();
        }
        self.is_pending = true;
        self.is_due_again = false;
        self.generation = cx.next_generation();
        vec![Effect::ListObjects { generation: self.generation, query: Box::new(self.query.clone()) }]
    }

    /// Takes an answer of the pool; returns whether it was for this list, and what to ask next.
    pub fn task(&mut self, task: &TaskEvent, cx: &Context, height: usize) -> Option<Vec<Effect>> {
        let TaskEvent::ObjectsListed { generation, rows } = task else { return None };
        if *generation != self.generation || !self.is_pending {
            return None;
        }
        self.is_pending = false;
        self.take(rows.0.clone(), (cx.now.as_second() / 60) as usize, height);
        Some(if std::mem::take(&mut self.is_due_again) { self.renew(cx, height) } else { Vec::new() })
    }

    /// Returns whether rows are awaited and there are none yet.
    pub fn is_waiting(&self) -> bool {
        self.is_pending && self.answered.is_none()
    }

    fn take(&mut self, answer: Arc<Rows>, minute: usize, height: usize) {
        self.answered = Some((self.query.clone(), minute));
        self.keep(|list| list.answer = answer, height);
    }

    /// Changes the rows; cursor and scroll stay on the same row.
    fn keep(&mut self, change: impl FnOnce(&mut Self), height: usize) {
        enum On {
            Note(Arc<str>, String),
            Object(ObjectRef),
        }
        let on = self.focused().map(|focused| match focused {
            Focused::Note(note) => On::Note(note.cluster.clone(), note.key.clone()),
            Focused::Row(row) => On::Object(row.at()),
        });
        let (cursor, offset) = (self.list.cursor, self.list.offset);
        change(self);
        if !self.was_moved {
            self.list = ListState { cursor: self.notes.len(), ..ListState::default() };
            self.list.clamp(self.len(), height);
            return;
        }
        let found = match on {
            Some(On::Note(cluster, key)) => {
                self.notes.iter().position(|note| note.cluster == cluster && note.key == key)
            }
            Some(On::Object(at)) => {
                let is_it = |row: &Row| {
                    row.object.name == at.name
                        && row.object.namespace == at.namespace
                        && row.object.kind == at.kind
                        && row.cluster == at.cluster
                };
                self.answer.rows.iter().position(is_it).map(|row| row + self.notes.len())
            }
            None => None,
        };
        if let Some(found) = found {
            // the row stays where it is on the screen
            self.list.cursor = found;
            self.list.offset = (found + offset).saturating_sub(cursor);
        }
        self.list.clamp(self.len(), height);
    }

    /// Reads what is typed; returns whether it was understood.
    fn read_filter(&mut self) -> bool {
        match Filter::parse(self.filter.text()) {
            Ok(_) => {
                self.mistake = None;
                self.filter.text().clone_into(&mut self.query.filter);
                true
            }
            Err(error) => {
                let hint = error.hint.map(|hint| format!(": {hint}")).unwrap_or_default();
                self.mistake =
                    Some(FilterMistake { span: error.span, reason: format!("{}{hint}", error.message) });
                false
            }
        }
    }

    fn filter_changed(&mut self, cx: &Context, height: usize) -> Vec<Effect> {
        if !self.read_filter() {
            return Vec::new();
        }
        self.was_moved = false;
        self.is_due_again = false;
        self.renew(cx, height)
    }

    /// Replaces the filter text.
    pub fn set_filter(&mut self, text: &str, cx: &Context, height: usize) -> Vec<Effect> {
        self.filter = LineInput::new(text);
        self.filter_changed(cx, height)
    }

    /// Returns the filter as the title shows it.
    pub fn title(&self) -> Option<String> {
        let cursor = if self.is_typing { "_" } else { "" };
        (self.is_typing || !self.filter.is_empty()).then(|| format!("{}{cursor}", self.filter.text()))
    }

    /// Returns whether the filter line has the focus.
    pub fn is_typing(&self) -> bool {
        self.is_typing
    }

    /// Takes a key of the filter line.
    pub fn key(&mut self, key: Key, cx: &Context, height: usize) -> Option<Vec<Effect>> {
        match key.code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                let before = std::mem::take(&mut self.before_typing);
                return Some(self.set_filter(&before, cx, height));
            }
            KeyCode::Down => drop(self.move_by(id::DOWN, height)),
            KeyCode::Up => drop(self.move_by(id::UP, height)),
            _ if self.filter.key(key) => return Some(self.filter_changed(cx, height)),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str, cx: &Context, height: usize) -> Vec<Effect> {
        if !self.is_typing {
            return Vec::new();
        }
        self.filter.paste(text);
        self.filter_changed(cx, height)
    }

    /// Takes one step back: range, marks, filter.
    pub fn step_back(&mut self, cx: &Context, height: usize) -> Option<Vec<Effect>> {
        if self.list.anchor.take().is_some() {
            return Some(Vec::new());
        }
        if !self.marks.is_empty() {
            self.marks.clear();
            return Some(Vec::new());
        }
        if self.filter.is_empty() {
            return None;
        }
        Some(self.set_filter("", cx, height))
    }

    /// Puts the cursor on a row.
    pub fn select(&mut self, row: usize, height: usize) {
        self.was_moved = true;
        self.list.select(row, self.len(), height);
    }

    /// Scrolls by rows.
    pub fn scroll(&mut self, by: isize, height: usize) {
        self.was_moved = true;
        self.list.scroll(by, self.len(), height);
    }

    fn move_by(&mut self, command: CommandId, height: usize) -> bool {
        let has_moved = self.list.command(command, self.len(), height);
        if has_moved {
            self.was_moved = true;
            self.mark_range();
        }
        has_moved
    }

    fn mark_range(&mut self) {
        let Some(range) = self.list.range() else { return };
        let rows: Vec<ObjectRef> = range
            .filter_map(|row| match self.get(row) {
                Some(Focused::Row(row)) => Some(row.at()),
                _ => None,
            })
            .collect();
        self.marks.extend(rows);
    }

    /// Carries out a list or movement command; `None` when it is none.
    pub fn command(&mut self, command: CommandId, cx: &Context, height: usize) -> Option<Vec<Effect>> {
        if self.move_by(command, height) {
            return Some(Vec::new());
        }
        match command {
            id::FILTER => {
                self.is_typing = true;
                self.filter.text().clone_into(&mut self.before_typing);
            }
            id::CLEAR => return Some(self.set_filter("", cx, height)),
            id::MARK => {
                if let Some(at) = self.row().map(Row::at)
                    && !self.marks.remove(&at)
                {
                    self.marks.insert(at);
                }
                self.move_by(id::DOWN, height);
            }
            id::RANGE => {
                if self.list.anchor.take().is_none() {
                    self.list.anchor = Some(self.list.cursor);
                    self.mark_range();
                }
            }
            id::MARK_ALL => {
                let all: Vec<ObjectRef> = self.answer.rows.iter().map(Row::at).collect();
                if all.iter().all(|at| self.marks.contains(at)) {
                    self.marks.clear();
                } else {
                    self.marks.extend(all);
                }
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Sorts by a field; by the same one again the other way round.
    pub fn sort_by(&mut self, field: Field, cx: &Context, height: usize) -> Vec<Effect> {
        self.query.is_descending = self.query.sort == field && !self.query.is_descending;
        self.query.sort = field;
        self.is_due_again = false;
        self.renew(cx, height)
    }
}
