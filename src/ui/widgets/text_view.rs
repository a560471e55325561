//! Scrolling text with search: raw files, definitions, long fields.
//!
//! The state holds the text cut into lines once; drawing touches only visible lines.

use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::app::event::Effect;
use crate::app::input::{Key, KeyCode};
use crate::app::line_input::LineInput;
use crate::config::theme::Role;
use crate::model::text;
use crate::ui::text::{paint, put};
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Longest line that is kept, in characters; the rest is counted at its end.
const MAX_LINE: usize = 10_000;

/// Text with a place in it.
#[derive(Debug, Clone, Default)]
pub struct TextView {
    lines: Vec<String>,
    /// First visible line.
    pub offset: usize,
    /// First visible column, in cells.
    pub column: usize,
    /// 1-based line to point out.
    pub marked: Option<usize>,
    /// 1-based lines that matter, both included; the others are dimmed.
    pub span: Option<(usize, usize)>,
    /// Whether line numbers are shown, and the number of the first line.
    pub first_number: Option<usize>,
    search: LineInput,
    is_searching: bool,
    matches: Vec<usize>,
    at_match: usize,
    source: Option<Arc<str>>,
}

impl TextView {
    /// Creates a view of a text.
    pub fn new(source: Arc<str>) -> Self {
        let lines = source
            .lines()
            .map(|line| {
                let tabs = line.replace('\t', "    ");
                let clean = text::clean(&tabs);
                match clean.char_indices().nth(MAX_LINE) {
                    Some((at, _)) => {
                        let rest = clean.chars().count() - MAX_LINE;
                        format!("{} … {rest} more characters", clean.get(..at).unwrap_or(""))
                    }
                    None => clean.into_owned(),
                }
            })
            .collect();
        Self { lines, source: Some(source), ..Self::default() }
    }

    /// Puts another text in its place; scroll and search stay as far as they fit.
    pub fn replace(&mut self, source: Arc<str>, height: usize) {
        let old = std::mem::replace(self, Self::new(source));
        let last = self.len().saturating_sub(height);
        (self.offset, self.column) = (old.offset.min(last), old.column);
        (self.search, self.is_searching) = (old.search, old.is_searching);
        (self.first_number, self.at_match) = (old.first_number, old.at_match);
        self.matches = self.matching();
        self.at_match = self.at_match.min(self.matches.len().saturating_sub(1));
    }

    /// Puts pasted text into the search line.
    pub fn paste(&mut self, text: &str, height: usize) {
        if self.is_searching {
            self.search.paste(text);
            self.find(height);
        }
    }

    /// Returns the number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns the whole text.
    pub fn text(&self) -> &str {
        self.source.as_deref().unwrap_or("")
    }

    /// Scrolls so that a 1-based line is about a third from the top.
    pub fn go_to(&mut self, line: usize, height: usize) {
        self.offset = line.saturating_sub(1 + height / 3).min(self.len().saturating_sub(height));
    }

    /// Carries out a movement or text command; returns whether it was one.
    pub fn command(&mut self, command: CommandId, height: usize) -> bool {
        let height = height.max(1);
        let last = self.len().saturating_sub(height);
        self.offset = match command {
            id::DOWN => self.offset + 1,
            id::UP => self.offset.saturating_sub(1),
            id::TOP => 0,
            id::BOTTOM => last,
            id::HALF_DOWN => self.offset + height / 2,
            id::HALF_UP => self.offset.saturating_sub(height / 2),
            id::PAGE_DOWN | id::TEXT_PAGE_DOWN => self.offset + height,
            id::PAGE_UP | id::TEXT_PAGE_UP => self.offset.saturating_sub(height),
            id::LEFT => {
                self.column = self.column.saturating_sub(8);
                self.offset
            }
            id::RIGHT => {
                self.column = (self.column + 8).min(MAX_LINE);
                self.offset
            }
            id::SEARCH => {
                self.is_searching = true;
                self.search = LineInput::default();
                self.offset
            }
            id::NEXT => self.step(1, height),
            id::PREVIOUS => self.step(-1, height),
            _ => return false,
        }
        .min(last);
        true
    }

    /// Returns whether the search line has the focus.
    pub fn is_searching(&self) -> bool {
        self.is_searching
    }

    /// Takes a key of the search line.
    pub fn key(&mut self, key: Key, height: usize) -> Option<Vec<Effect>> {
        match key.code {
            KeyCode::Enter => self.is_searching = false,
            KeyCode::Esc => {
                self.is_searching = false;
                self.clear_search();
            }
            _ if self.search.key(key) => self.find(height),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Ends the search; returns whether there was one.
    pub fn clear_search(&mut self) -> bool {
        let had = !self.search.is_empty();
        self.search = LineInput::default();
        self.matches.clear();
        had
    }

    /// Returns the search for the title line: `/word 4/37`.
    pub fn status(&self) -> Option<String> {
        if self.search.is_empty() && !self.is_searching {
            return None;
        }
        let cursor = if self.is_searching { "_" } else { "" };
        let at = if self.matches.is_empty() { 0 } else { self.at_match + 1 };
        Some(format!("{}{cursor} {at}/{}", self.search.text(), self.matches.len()))
    }

    /// Returns the lines that the search matches.
    fn matching(&self) -> Vec<usize> {
        let needle = self.search.text();
        if needle.is_empty() {
            return Vec::new();
        }
        let is_exact = needle.chars().any(char::is_uppercase);
        let hit = |line: &str| {
            if is_exact { line.contains(needle) } else { line.to_lowercase().contains(needle) }
        };
        self.lines.iter().enumerate().filter(|(_, line)| hit(line)).map(|(at, _)| at).collect()
    }

    fn find(&mut self, height: usize) {
        self.matches = self.matching();
        self.at_match = self.matches.iter().position(|line| *line >= self.offset).unwrap_or(0);
        if let Some(line) = self.matches.get(self.at_match) {
            self.go_to(line + 1, height);
        }
    }

    fn step(&mut self, by: isize, height: usize) -> usize {
        if !self.matches.is_empty() {
            let len = self.matches.len() as isize;
            self.at_match = (self.at_match as isize + by).rem_euclid(len) as usize;
            if let Some(line) = self.matches.get(self.at_match) {
                self.go_to(line + 1, height);
            }
        }
        self.offset
    }

    /// Draws the visible lines.
    pub fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let numbers = match self.first_number {
            Some(first) => (first + self.len()).to_string().len() as u16 + 1 + u16::from(self.span.is_some()),
            None => 0,
        };
        let matters = |at: usize| self.span.is_none_or(|(first, last)| (first..=last).contains(&(at + 1)));
        let lines = self.lines.iter().enumerate().skip(self.offset).take(usize::from(area.height));
        for (row, (at, line)) in lines.enumerate() {
            let y = area.y + row as u16;
            if let Some(first) = self.first_number {
                let bar = match (self.span, matters(at), cx.ascii) {
                    (None, ..) => "",
                    (_, false, _) => " ",
                    (_, true, true) => "|",
                    (_, true, false) => "▏",
                };
                let cells = usize::from(numbers).saturating_sub(1 + usize::from(self.span.is_some()));
                let number = format!("{:>cells$}{bar}", first + at);
                put(buf, area.x, y, numbers.min(area.width), &number, style(cx, Role::Dim));
            }
            let skipped = text::prefix(line, self.column).len();
            let shown = line.get(skipped..).unwrap_or("");
            let room = area.width.saturating_sub(numbers);
            let role = if matters(at) { Role::Text } else { Role::Dim };
            put(buf, area.x + numbers, y, room, shown, style(cx, role));
            if self.marked == Some(at + 1) {
                paint(buf, area.x, y, area.width, style(cx, Role::Selection));
            }
            if !self.search.is_empty() && self.matches.binary_search(&at).is_ok() {
                self.draw_matches(cx, area.x + numbers, y, room, shown, buf);
            }
        }
    }

    fn draw_matches(&self, cx: &Context, x: u16, y: u16, room: u16, shown: &str, buf: &mut Buffer) {
        let needle = self.search.text();
        let is_exact = needle.chars().any(char::is_uppercase);
        // lower-casing may change lengths of rare letters; then only the exact case is painted
        let lower = shown.to_lowercase();
        let haystack = if is_exact || lower.len() != shown.len() { shown } else { lower.as_str() };
        for (start, found) in haystack.match_indices(needle) {
            let before = text::width(shown.get(..start).unwrap_or("")) as u16;
            let width = text::width(shown.get(start..start + found.len()).unwrap_or("")) as u16;
            if before < room {
                paint(buf, x + before, y, width.min(room - before), style(cx, Role::Match));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_text_keeps_scroll_and_search() {
        let mut view = TextView::new("alpha\nbeta\ngamma\nbeta".into());
        view.command(id::SEARCH, 2);
        view.paste("beta", 2);
        view.key(Key::plain(KeyCode::Enter), 2);
        view.command(id::NEXT, 2);
        assert_eq!((view.status().unwrap().as_str(), view.offset), ("beta 2/2", 2));
        view.replace("beta\none\ntwo".into(), 2);
        assert_eq!((view.status().unwrap().as_str(), view.offset), ("beta 1/1", 1));
    }

    #[test]
    fn finds_and_walks_matches() {
        let mut view = TextView::new("alpha\nbeta\ngamma alpha\ndelta".into());
        view.command(id::SEARCH, 2);
        for c in "alp".chars() {
            view.key(Key::char(c), 2);
        }
        view.key(Key::plain(KeyCode::Enter), 2);
        assert_eq!(view.status().unwrap(), "alp 1/2");
        view.command(id::NEXT, 2);
        assert_eq!(view.status().unwrap(), "alp 2/2");
        assert_eq!(view.offset, 2);
        assert!(view.clear_search());
        assert!(!view.clear_search());
    }
}
