//! A list whose rows stand in sections: headings and notes between rows, one cursor over the rows.
//!
//! The cursor never rests on a heading. Content is replaced as a whole; the cursor stays on the row
//! with the same key.

use crate::app::Context;
use crate::app::commands::CommandId;
use crate::app::list::ListState;
use crate::config::theme::Role;
use crate::ui::text::{Line, line_width, paint, put, put_line, span};
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Heading(String, String),
    Text(Line),
    Row { key: String, line: Line, note: Line },
    Space,
}

/// Lines to show, made in the order they are added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    items: Vec<Item>,
    /// Index in `items` of each row.
    rows: Vec<usize>,
}

impl Sections {
    /// Begins a section: a title and a dimmed note beside it.
    pub fn heading(&mut self, title: impl Into<String>, note: impl Into<String>) {
        if !self.items.is_empty() {
            self.items.push(Item::Space);
        }
        self.items.push(Item::Heading(title.into(), note.into()));
    }

    /// Adds a line that cannot be focused.
    pub fn text(&mut self, line: Line) {
        self.items.push(Item::Text(line));
    }

    /// Adds a row with a key that is unique in the list; `note` stands at its right.
    pub fn row(&mut self, key: impl Into<String>, line: Line, note: Line) {
        self.rows.push(self.items.len());
        self.items.push(Item::Row { key: key.into(), line, note });
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn key(&self, row: usize) -> Option<&str> {
        match self.items.get(*self.rows.get(row)?)? {
            Item::Row { key, .. } => Some(key),
            _ => None,
        }
    }
}

/// Sections with a cursor and a scroll position.
#[derive(Debug, Clone, Default)]
pub struct SectionList {
    content: Sections,
    list: ListState,
    /// First visible line.
    top: usize,
    /// Whether the user has moved; until then the cursor stays on the first row.
    was_moved: bool,
}

/// Cells in front of a row for the cursor.
const MARGIN: u16 = 2;
/// Notes stand no farther right than this, so that the eye finds the way from name to number.
const NOTE_EDGE: u16 = 64;

impl SectionList {
    /// Replaces the content; a cursor that was moved stays on the same key.
    pub fn set(&mut self, content: Sections, height: usize) {
        let on = self.content.key(self.list.cursor).filter(|_| self.was_moved).map(str::to_owned);
        self.content = content;
        if let Some(on) = on {
            self.select_key(&on, height);
        }
        self.settle(height);
    }

    /// Returns the row under the cursor; `None` when there is no row.
    pub fn cursor(&self) -> Option<usize> {
        (self.list.cursor < self.content.len()).then_some(self.list.cursor)
    }

    /// Returns whether the user has moved the cursor.
    pub fn was_moved(&self) -> bool {
        self.was_moved
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.content.len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// Carries out a movement command; returns whether it was one.
    pub fn command(&mut self, command: CommandId, height: usize) -> bool {
        let is_movement = self.list.command(command, self.content.len(), height);
        if is_movement {
            self.was_moved = true;
            self.settle(height);
        }
        is_movement
    }

    /// Puts the cursor on a row.
    pub fn select(&mut self, row: usize, height: usize) {
        self.was_moved = true;
        self.list.select(row, self.content.len(), height);
        // no more than needed: what is clicked must stay under the pointer
        let (line, height) = (self.line_of_cursor(), height.max(1));
        if line < self.top {
            self.top = line;
        } else if line >= self.top + height {
            self.top = line + 1 - height;
        }
    }

    /// Puts the cursor on the row with a key, if there is one.
    pub fn select_key(&mut self, key: &str, height: usize) {
        if let Some(row) = (0..self.content.len()).find(|row| self.content.key(*row) == Some(key)) {
            self.select(row, height);
        }
    }

    /// Scrolls by lines; the cursor follows into sight.
    pub fn scroll(&mut self, by: isize, height: usize) {
        let last = self.content.items.len().saturating_sub(height);
        self.top = self.top.saturating_add_signed(by).min(last);
        let is_seen = |line: usize| line >= self.top && line < self.top + height.max(1);
        let line = self.line_of_cursor();
        if !is_seen(line) {
            let rows = &self.content.rows;
            let row = if line < self.top {
                rows.iter().position(|line| *line >= self.top)
            } else {
                rows.iter().rposition(|line| *line < self.top + height.max(1))
            };
            if let Some(row) = row {
                self.list.cursor = row;
            }
        }
    }

    /// Returns the row at a line of the screen.
    pub fn row_at(&self, area: Rect, column: u16, row: u16) -> Option<usize> {
        if !area.contains((column, row).into()) {
            return None;
        }
        let line = self.top + usize::from(row - area.y);
        self.content.rows.iter().position(|at| *at == line)
    }

    /// Draws the visible lines.
    pub fn draw(&self, cx: &Context, area: Rect, is_focused: bool, buf: &mut Buffer) {
        let cursor = self.cursor().map(|_| self.line_of_cursor());
        for (row, (at, item)) in
            self.content.items.iter().enumerate().skip(self.top).take(usize::from(area.height)).enumerate()
        {
            let line = Rect { y: area.y + row as u16, height: 1, ..area };
            let is_current = is_focused && self.is_section_of_cursor(at);
            match item {
                Item::Space => {}
                Item::Heading(title, note) => heading(cx, line, title, note, is_current, buf),
                Item::Text(text) => {
                    let room = area.width.saturating_sub(MARGIN);
                    put_line(cx, buf, area.x + MARGIN.min(area.width), line.y, room, text);
                }
                Item::Row { line: text, note, .. } => {
                    draw_row(cx, line, text, note, buf);
                    if cursor == Some(at) && is_focused {
                        put(buf, area.x, line.y, 1.min(area.width), ">", style(cx, Role::Focus));
                        paint(buf, area.x, line.y, area.width, style(cx, Role::Selection));
                    }
                }
            }
        }
    }

    fn line_of_cursor(&self) -> usize {
        self.content.rows.get(self.list.cursor).copied().unwrap_or(0)
    }

    /// Returns whether a heading belongs to the section that the cursor is in.
    fn is_section_of_cursor(&self, heading: usize) -> bool {
        let cursor = self.line_of_cursor();
        let before = self.content.items.get(..=cursor).unwrap_or(&[]);
        !self.is_empty() && before.iter().rposition(|i| matches!(i, Item::Heading(..))) == Some(heading)
    }

    /// Keeps the cursor inside the rows and in sight, together with a heading right above it.
    fn settle(&mut self, height: usize) {
        let height = height.max(1);
        self.list.clamp(self.content.len(), height);
        let cursor = self.line_of_cursor();
        let is_text = |line: &usize| {
            matches!(self.content.items.get(*line), Some(Item::Heading(..) | Item::Text(_) | Item::Space))
        };
        let above = (0..cursor).rev().take_while(is_text).last().unwrap_or(cursor);
        let first = if cursor - above < height { above } else { cursor };
        let is_last = self.list.cursor + 1 >= self.content.len();
        let last = if is_last { self.content.items.len().saturating_sub(1) } else { cursor };
        if first < self.top {
            self.top = first;
        } else if last >= self.top + height {
            self.top = (last + 1 - height).min(cursor);
        }
        self.top = self.top.min(self.content.items.len().saturating_sub(height));
    }
}

fn heading(cx: &Context, area: Rect, title: &str, note: &str, is_current: bool, buf: &mut Buffer) {
    let mark = match (is_current, cx.ascii) {
        (true, false) => "▸ ",
        (true, true) if !cx.is_plain => "* ",
        _ => "  ",
    };
    let role = if is_current { Role::Title } else { Role::Accent };
    let line = [span(mark, Role::Focus), span(title, role), span("  ", Role::Text), span(note, Role::Dim)];
    put_line(cx, buf, area.x, area.y, area.width, &line);
}

fn draw_row(cx: &Context, area: Rect, line: &Line, note: &Line, buf: &mut Buffer) {
    let width = area.width.saturating_sub(MARGIN);
    let x = area.x + MARGIN.min(area.width);
    if note.is_empty() {
        put_line(cx, buf, x, area.y, width, line);
        return;
    }
    let edge = width.min(NOTE_EDGE);
    let note_width = (line_width(note) as u16).min(edge / 2);
    put_line(cx, buf, x, area.y, edge.saturating_sub(note_width + 1), line);
    put_line(cx, buf, x + (edge - note_width), area.y, note_width, note);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::commands::id;
    use crate::ui::text::text_of;
    use proptest::prelude::*;

    fn list(sections: &[usize]) -> Sections {
        let mut content = Sections::default();
        for (at, rows) in sections.iter().enumerate() {
            content.heading(format!("section {at}"), "");
            for row in 0..*rows {
                content.row(format!("{at}.{row}"), vec![span(format!("row {at}.{row}"), Role::Text)], vec![]);
            }
        }
        content
    }

    #[test]
    fn the_cursor_skips_headings_and_shows_them() {
        let mut rows = SectionList::default();
        rows.set(list(&[2, 2]), 4);
        for _ in 0..2 {
            rows.command(id::DOWN, 4);
        }
        assert_eq!(rows.cursor(), Some(2));
        let cx = Context::new(&[]);
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 4));
        rows.draw(&cx, buf.area, true, &mut buf);
        assert_eq!(text_of(&buf), ["  row 0.1", "", "▸ section 1", "> row 1.0"]);
    }

    #[test]
    fn the_cursor_stays_on_its_row_when_the_content_changes() {
        let mut rows = SectionList::default();
        rows.set(list(&[1, 3]), 10);
        rows.select_key("1.1", 10);
        rows.set(list(&[4, 3]), 10);
        assert_eq!(rows.cursor(), Some(5));
        rows.set(list(&[0]), 10);
        assert_eq!(rows.cursor(), None);
    }

    #[test]
    fn a_cursor_that_was_not_moved_stays_on_the_first_row() {
        let mut rows = SectionList::default();
        rows.set(list(&[0, 2]), 10);
        rows.set(list(&[2, 2]), 10);
        assert_eq!(rows.cursor(), Some(0));
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_in_sight(
            sections in prop::collection::vec(0usize..6, 0..5),
            steps in prop::collection::vec((0usize..6, -5isize..5), 0..30), height in 0usize..12
        ) {
            let all = [id::DOWN, id::UP, id::TOP, id::BOTTOM, id::PAGE_DOWN, id::HALF_UP];
            let mut rows = SectionList::default();
            rows.set(list(&sections), height);
            for (command, by) in steps {
                rows.command(all[command], height);
                let line = rows.line_of_cursor();
                if rows.cursor().is_some() {
                    prop_assert!(line >= rows.top && line < rows.top + height.max(1));
                }
                rows.scroll(by, height);
            }
        }
    }
}
