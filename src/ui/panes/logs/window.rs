//! The lines on screen: which they are, where the cursor is, how it all moves.
//!
//! A screenful is looked at and nothing else, whatever the number of lines: from the end while following, from
//! the first visible row otherwise. Lines on disk are asked for and stand as a sign until they are there.

use super::line::{self, Ink, Look, Piece};
use super::scan::Scan;
use super::sources::Sources;
use crate::app::Context;
use crate::app::context::grouped;
use crate::app::event::{Effect, Generation, Shared};
use crate::config::theme::Role;
use crate::kubernetes::logs::{Level, Line, LineId, LineKind, Stream};
use crate::model::text::clean;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Lines read from disk at a time.
const PAGE: u64 = 1000;
/// Lines held beside the stream; those far from the screen go first.
const HELD: usize = 6000;

/// A row of the screen.
#[derive(Debug, Clone)]
pub struct Row {
    /// The line.
    pub id: LineId,
    /// What it is.
    pub line: Arc<Line>,
    /// Which of its rows.
    pub part: usize,
    /// How many rows it has.
    pub parts: usize,
    /// What stands in the row.
    pub pieces: Vec<Piece>,
}

/// The lines of a stream that were looked at lately: they stay when memory has no room for them any more.
#[derive(Debug)]
pub struct Store {
    /// The stream.
    pub stream: Arc<Stream>,
    held: BTreeMap<LineId, Arc<Line>>,
    pending: Option<Generation>,
    missing: Option<LineId>,
}

impl Store {
    /// Creates a store over a stream.
    pub fn new(stream: Arc<Stream>) -> Self {
        Self { stream, held: BTreeMap::new(), pending: None, missing: None }
    }

    /// Returns a line that was loaded.
    pub fn line(&self, id: LineId) -> Option<&Arc<Line>> {
        self.held.get(&id)
    }

    /// Loads lines from memory; the numbers are sorted, upwards or downwards.
    pub fn load(&mut self, ids: &[LineId]) {
        let absent: Vec<LineId> = ids.iter().copied().filter(|id| !self.held.contains_key(id)).collect();
        let is_near = |a: &LineId, b: &LineId| a.abs_diff(*b) == 1;
        for run in absent.chunk_by(is_near) {
            if let (Some(first), Some(last)) = (run.iter().min(), run.iter().max()) {
                self.held.extend(self.stream.lines(*first..last + 1));
            }
        }
        self.missing = absent.into_iter().find(|id| !self.held.contains_key(id)).or(self.missing);
    }

    /// Asks for lines that are on disk, when some were missing.
    pub fn ask(&mut self, readable: &Range<LineId>, memory: LineId, cx: &Context) -> Option<Effect> {
        let missing = self.missing.take()?;
        if self.pending.is_some() {
            return None;
        }
        let ids = missing.saturating_sub(PAGE / 2).max(readable.start)
            ..(missing + PAGE / 2).min(memory.max(missing + 1));
        let generation = cx.next_generation();
        self.pending = Some(generation);
        Some(Effect::ReadLogs { generation, stream: Shared(self.stream.clone()), ids })
    }

    /// Takes lines from disk; returns whether they were asked for here.
    pub fn answer(
        &mut self,
        generation: Generation,
        ids: &Range<LineId>,
        lines: &[(LineId, Arc<Line>)],
    ) -> bool {
        if self.pending != Some(generation) {
            return false;
        }
        self.pending = None;
        self.held.extend(lines.iter().cloned());
        let gone = Arc::new(sign("this line is not kept any more"));
        for id in ids.clone().take(2 * PAGE as usize) {
            self.held.entry(id).or_insert_with(|| gone.clone());
        }
        true
    }

    /// Forgets what is far from the screen.
    fn forget(&mut self, near: Range<LineId>) {
        if self.held.len() > HELD {
            let near = near.start.saturating_sub(2 * PAGE)..near.end + 2 * PAGE;
            self.held.retain(|id, _| near.contains(id));
        }
        if self.held.len() > 2 * HELD {
            self.held.clear();
        }
    }
}

fn sign(text: &str) -> Line {
    Line { source: u16::MAX, time: None, level: Level::None, text: text.into(), kind: LineKind::Note }
}

/// What rows are made of.
pub struct Ground<'a> {
    /// Lines that can be read.
    pub lines: Range<LineId>,
    /// The first line stands for all that were lost, more and more of them.
    pub has_lost: bool,
    /// Only these of them.
    pub filter: Option<&'a Scan>,
    /// Where they come from.
    pub sources: &'a Sources,
    /// How they are shown.
    pub look: Look<'a>,
    /// Cells of a row without the columns beside the text.
    pub width: usize,
    /// Rows of the screen.
    pub height: usize,
}

impl Ground<'_> {
    /// Returns shown lines from `from` on.
    pub fn after(&self, from: LineId, count: usize) -> Vec<LineId> {
        match self.filter {
            None => (from.max(self.lines.start)..self.lines.end).take(count).collect(),
            Some(scan) => {
                let at = scan.before(from.max(self.lines.start));
                (at..at.saturating_add(count)).map_while(|at| scan.get(at)).collect()
            }
        }
    }

    /// Returns shown lines before `to`, the nearest first.
    pub fn before(&self, to: LineId, count: usize) -> Vec<LineId> {
        match self.filter {
            None => (self.lines.start..to.min(self.lines.end)).rev().take(count).collect(),
            Some(scan) => {
                let at = scan.before(to);
                (0..at).rev().take(count).filter_map(|at| scan.get(at)).collect()
            }
        }
    }

    /// Returns the first shown line.
    pub fn first(&self) -> Option<LineId> {
        self.after(self.lines.start, 1).first().copied()
    }

    /// Returns the last shown line.
    pub fn last(&self) -> Option<LineId> {
        self.before(self.lines.end, 1).first().copied()
    }

    /// Returns the shown line that stands for this one: itself, else the next, else the one before.
    pub fn nearest(&self, id: LineId) -> Option<LineId> {
        self.after(id, 1).first().copied().or_else(|| self.before(id, 1).first().copied())
    }
}

/// What is on screen.
#[derive(Debug, Default)]
pub struct Window {
    /// The rows.
    pub rows: Vec<Row>,
    /// The last line is kept on screen.
    pub is_following: bool,
    /// The line that the user went to; it may be hidden.
    pub cursor: LineId,
    /// The shown line that stands for it.
    pub focus: Option<LineId>,
    /// First row: line and which of its rows.
    top: (LineId, usize),
}

impl Window {
    /// Creates an empty window that follows.
    pub fn following() -> Self {
        Self { is_following: true, ..Self::default() }
    }

    /// Fills the screen again: from the end while following, from the first row otherwise.
    pub fn fill(&mut self, ground: &Ground<'_>, store: &mut Store) {
        if ground.has_lost {
            store.held.remove(&ground.lines.start);
        }
        let Some(last) = ground.last() else {
            (self.rows, self.focus) = (Vec::new(), None);
            return;
        };
        if self.is_following {
            (self.cursor, self.focus) = (last, Some(last));
            self.rows = up_to(last, ground, store);
        } else {
            self.focus = ground.nearest(self.cursor);
            let top = ground.nearest(self.top.0).unwrap_or(last);
            let top = if top == self.top.0 { self.top } else { (top, 0) };
            self.rows = from(top, ground, ground.height, store);
            if self.rows.len() < ground.height {
                self.rows = up_to(last, ground, store);
            }
        }
        self.keep_top();
        if let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) {
            store.forget(first.id..last.id);
        }
    }

    fn keep_top(&mut self) {
        if let Some(first) = self.rows.first() {
            self.top = (first.id, first.part);
        }
    }

    /// Returns whether the focused line is on screen.
    pub fn shows_focus(&self) -> bool {
        self.focus.is_some_and(|focus| self.rows.iter().any(|row| row.id == focus))
    }

    /// Returns the first line on screen.
    pub fn top(&self) -> LineId {
        self.top.0
    }

    /// Returns where the screen is, to come back to.
    pub fn place(&self) -> (LineId, usize) {
        self.top
    }

    /// Goes back to a place.
    pub fn go_to_place(&mut self, top: (LineId, usize)) {
        self.top = top;
    }

    /// Puts the cursor on a line and scrolls as little as needed.
    fn reveal(&mut self, id: LineId, ground: &Ground<'_>, store: &mut Store) {
        (self.cursor, self.focus) = (id, Some(id));
        let is_above =
            self.rows.first().is_none_or(|first| id < first.id || (id == first.id && first.part > 0));
        let is_whole = self.rows.iter().any(|row| row.id == id && row.part + 1 == row.parts);
        if is_above {
            self.top = (id, 0);
        } else if !is_whole {
            let rows = up_to(id, ground, store);
            // a line taller than the screen is read from its beginning
            let top = rows.first().map_or((id, 0), |first| (first.id, first.part));
            self.top = if top.0 == id { (id, 0) } else { top };
        } else {
            return;
        }
        self.fill(ground, store);
    }

    /// Goes to a line; about a third from the top unless it is on screen already.
    pub fn go_to(&mut self, id: LineId, ground: &Ground<'_>, store: &mut Store) {
        self.is_following = false;
        let is_shown = self.rows.iter().any(|row| row.id == id && row.part + 1 == row.parts)
            && self.rows.iter().any(|row| row.id == id && row.part == 0);
        self.cursor = id;
        if is_shown {
            self.focus = Some(id);
        } else {
            self.centre(ground, store);
        }
    }

    /// Puts the cursor's line about a third from the top.
    pub fn centre(&mut self, ground: &Ground<'_>, store: &mut Store) {
        let Some(focus) = ground.nearest(self.cursor) else { return self.fill(ground, store) };
        let above = above((focus, 0), ground.height / 3, ground, store);
        self.top = above.first().map_or((focus, 0), |row| (row.id, row.part));
        self.fill(ground, store);
    }

    /// Moves the cursor by a line; a line taller than the screen is scrolled through first.
    pub fn step(&mut self, is_down: bool, ground: &Ground<'_>, store: &mut Store) {
        self.is_following = false;
        let Some(focus) = self.focus.or_else(|| ground.last()) else { return };
        let is_cut =
            |row: &Row| row.id == focus && if is_down { row.part + 1 < row.parts } else { row.part > 0 };
        let end = if is_down { self.rows.last() } else { self.rows.first() };
        if end.is_some_and(is_cut) {
            self.scroll(if is_down { 1 } else { -1 }, ground, store);
            (self.cursor, self.focus) = (focus, Some(focus));
            return;
        }
        let next = if is_down { ground.after(focus + 1, 1) } else { ground.before(focus, 1) };
        if let Some(next) = next.first() {
            self.reveal(*next, ground, store);
        }
    }

    /// Goes to the first line.
    pub fn go_to_top(&mut self, ground: &Ground<'_>, store: &mut Store) {
        self.is_following = false;
        if let Some(first) = ground.first() {
            (self.top, self.cursor) = ((first, 0), first);
        }
        self.fill(ground, store);
    }

    /// Scrolls by rows; the cursor stays at its row of the screen, or goes to the end that was hit.
    pub fn scroll(&mut self, by: isize, ground: &Ground<'_>, store: &mut Store) {
        self.is_following = false;
        let row = self.rows.iter().position(|row| Some(row.id) == self.focus).unwrap_or(0);
        let before = self.top;
        if by > 0 {
            let rows = from(self.top, ground, ground.height + by.unsigned_abs(), store);
            let by = by.unsigned_abs().min(rows.len().saturating_sub(ground.height));
            self.top = rows.get(by).map_or(self.top, |row| (row.id, row.part));
        } else {
            let rows = above(self.top, by.unsigned_abs(), ground, store);
            self.top = rows.first().map_or(self.top, |row| (row.id, row.part));
        }
        self.fill(ground, store);
        let id = if self.top == before {
            let end = if by > 0 { self.rows.last() } else { self.rows.first() };
            end.map(|row| row.id)
        } else {
            self.rows.get(row).or(self.rows.last()).map(|row| row.id)
        };
        if let Some(id) = id {
            (self.cursor, self.focus) = (id, Some(id));
        }
    }
}

/// Returns rows from a row on.
fn from(top: (LineId, usize), ground: &Ground<'_>, count: usize, store: &mut Store) -> Vec<Row> {
    let ids = ground.after(top.0, count);
    store.load(&ids);
    let mut rows: Vec<Row> = Vec::with_capacity(count);
    for id in ids {
        let skipped = if id == top.0 { top.1 } else { 0 };
        rows.extend(rows_of(id, ground, store).into_iter().skip(skipped));
        if rows.len() >= count {
            break;
        }
    }
    rows.truncate(count);
    rows
}

/// Returns a screenful of rows that ends with a line.
fn up_to(last: LineId, ground: &Ground<'_>, store: &mut Store) -> Vec<Row> {
    above((last + 1, 0), ground.height, ground, store)
}

/// Returns rows before a row, in order.
fn above(top: (LineId, usize), count: usize, ground: &Ground<'_>, store: &mut Store) -> Vec<Row> {
    let mut ids = ground.before(top.0, count);
    if top.1 > 0 {
        ids.insert(0, top.0);
    }
    store.load(&ids);
    let mut rows: Vec<Row> = Vec::with_capacity(count);
    for id in ids {
        let kept = if id == top.0 { top.1 } else { usize::MAX };
        let of_line: Vec<Row> = rows_of(id, ground, store).into_iter().take(kept).collect();
        rows.extend(of_line.into_iter().rev());
        if rows.len() >= count {
            break;
        }
    }
    rows.truncate(count);
    rows.reverse();
    rows
}

fn rows_of(id: LineId, ground: &Ground<'_>, store: &Store) -> Vec<Row> {
    let line = store.line(id).cloned().unwrap_or_else(|| Arc::new(sign("reading older lines from disk…")));
    let all = match line.kind {
        LineKind::Text { .. } => line::rows(&line, &ground.look),
        LineKind::Note | LineKind::Gap(_) | LineKind::Marker => {
            let mut rows = Vec::new();
            line::wrap(note(&line, ground.sources, ground.look.is_ascii), ground.width, &mut rows);
            rows
        }
    };
    let parts = all.len();
    let row = |(part, pieces)| Row { id, line: line.clone(), part, parts, pieces };
    all.into_iter().enumerate().map(row).collect()
}

/// What the program itself has to say, between lines.
fn note(line: &Line, sources: &Sources, is_ascii: bool) -> Vec<Piece> {
    let (role, text) = match line.kind {
        LineKind::Gap(lines) if line.text.is_empty() => {
            let lines = usize::try_from(lines).unwrap_or(usize::MAX);
            (Role::Warn, format!("{} lines are missing here", grouped(lines)))
        }
        LineKind::Gap(_) => (Role::Warn, line.text.to_string()),
        LineKind::Marker => (Role::Accent, line.text.to_string()),
        LineKind::Note | LineKind::Text { .. } => (Role::Info, line.text.to_string()),
    };
    let rule = match (line.kind, is_ascii) {
        (LineKind::Marker, false) => "━━ ",
        (LineKind::Marker, true) => "== ",
        (_, false) => "── ",
        (_, true) => "-- ",
    };
    let mut pieces = vec![(rule.to_owned(), Ink::of(if role == Role::Info { Role::Dim } else { role }))];
    // lines that were counted are missing of the whole stream, the rest is said of one source
    if matches!(line.kind, LineKind::Note | LineKind::Gap(0))
        && let Some((tag, role)) = sources.tag(line.source).filter(|(tag, _)| !text.starts_with(tag))
    {
        pieces.push((format!("{} ", clean(tag)), Ink::of(role)));
    }
    pieces.push((format!("{} ", clean(&text)), Ink::of(role)));
    pieces
}
