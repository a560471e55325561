//! A list of rows in sections with the focused row in full beside or below it: review and run look so.
//!
//! Beside from 100 columns, below on narrower screens, alone on small ones or when zoomed. The rows are made
//! anew whenever something changes; cursor and scroll stay.

use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::app::input::{Mouse, MouseKind};
use crate::app::list::ListState;
use crate::config::theme::Role;
use crate::scaffolder::run::RunState;
use crate::ui::text::{Line, put_line, span};
use crate::ui::widgets::{Panel, SectionList, Sections};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Columns from which the detail stands beside the list.
const BESIDE: u16 = 100;
/// Lines from which it stands below.
const BELOW: u16 = 12;

/// What the focused row is in full.
#[derive(Debug, Clone, Default)]
pub enum Detail {
    /// Nothing to show.
    #[default]
    None,
    /// Lines made once.
    Lines(Vec<Line>),
    /// The log of a step, as it grows.
    Log(Arc<RunState>, usize),
}

impl Detail {
    /// Returns the number of lines.
    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Lines(lines) => lines.len(),
            Self::Log(state, step) => state.steps.get(*step).map_or(0, |step| step.log.len()),
        }
    }

    fn line(&self, at: usize) -> Option<Line> {
        match self {
            Self::None => None,
            Self::Lines(lines) => lines.get(at).cloned(),
            Self::Log(state, step) => {
                let line = state.steps.get(*step)?.log.get(at)?;
                Some(vec![span(&**line, Role::Text)])
            }
        }
    }

    /// Returns all of it as text, for copies.
    pub fn text(&self) -> String {
        let text = |at| self.line(at).map(|line| line.into_iter().map(|span| span.text).collect::<String>());
        (0..self.len()).filter_map(text).collect::<Vec<_>>().join("\n")
    }
}

/// List and detail; `K` names a row.
#[derive(Debug, Clone)]
pub struct Board<K> {
    list: SectionList,
    keys: Vec<K>,
    /// The focused row in full.
    pub detail: Detail,
    /// What stands above the detail.
    pub title: String,
    offset: usize,
    /// The end of the detail stays in sight as it grows.
    pub is_following: bool,
    is_detail_focused: bool,
    is_zoomed: bool,
}

impl<K> Default for Board<K> {
    fn default() -> Self {
        Self {
            list: SectionList::default(),
            keys: Vec::new(),
            detail: Detail::None,
            title: String::new(),
            offset: 0,
            is_following: false,
            is_detail_focused: false,
            is_zoomed: false,
        }
    }
}

/// Areas of list and detail, each with its frame if it has one.
struct Areas {
    list: Option<Rect>,
    detail: Option<Rect>,
    is_framed: bool,
}

impl<K: Clone + PartialEq> Board<K> {
    /// Puts other rows in place; `keys` name them in order.
    pub fn set(&mut self, content: Sections, keys: Vec<K>, area: Rect) {
        self.keys = keys;
        let height = self.list_height(area);
        self.list.set(content, height);
    }

    /// Returns the focused row.
    pub fn focused(&self) -> Option<&K> {
        self.keys.get(self.list.cursor()?)
    }

    /// Puts the cursor on a row.
    pub fn select(&mut self, key: &K, area: Rect) {
        if let Some(at) = self.keys.iter().position(|other| other == key) {
            let height = self.list_height(area);
            self.list.select(at, height);
        }
    }

    /// Returns whether the user has moved the cursor.
    pub fn was_moved(&self) -> bool {
        self.list.was_moved()
    }

    /// Shows another detail from its beginning, or the same one again where it was.
    pub fn show(&mut self, title: impl Into<String>, detail: Detail, is_same: bool, area: Rect) {
        self.title = title.into();
        self.detail = detail;
        if !is_same {
            self.offset = 0;
        }
        if self.is_following {
            self.offset = usize::MAX;
        }
        self.clamp(area);
    }

    fn areas(&self, cx: &Context, area: Rect) -> Areas {
        let has_detail = self.detail.len() > 0;
        if area.width >= BESIDE && !cx.is_plain {
            if self.is_zoomed {
                return Areas { list: None, detail: Some(area), is_framed: true };
            }
            let list = area.width * 45 / 100;
            return Areas {
                list: Some(Rect { width: list, ..area }),
                detail: Some(Rect { x: area.x + list, width: area.width - list, ..area }),
                is_framed: true,
            };
        }
        if self.is_zoomed {
            return Areas { list: None, detail: Some(area), is_framed: false };
        }
        if area.height < BELOW || !has_detail {
            return Areas { list: Some(area), detail: None, is_framed: false };
        }
        let list = (area.height * 3 / 5).max(BELOW / 2);
        Areas {
            list: Some(Rect { height: list, ..area }),
            detail: Some(Rect { y: area.y + list, height: area.height - list, ..area }),
            is_framed: false,
        }
    }

    /// Area of the lines of the detail below their title.
    fn detail_inner(region: Rect, is_framed: bool) -> Rect {
        if is_framed {
            return Panel::inner(region);
        }
        let title = 1.min(region.height);
        Rect { y: region.y + title, height: region.height - title, ..region }
    }

    fn list_height(&self, area: Rect) -> usize {
        let framed = area.width >= BESIDE;
        let height = if framed {
            area.height.saturating_sub(2)
        } else if area.height < BELOW || self.detail.len() == 0 {
            area.height
        } else {
            (area.height * 3 / 5).max(BELOW / 2)
        };
        usize::from(height)
    }

    fn detail_height(&self, area: Rect) -> usize {
        let height = if area.width >= BESIDE {
            area.height.saturating_sub(2)
        } else if self.is_zoomed {
            area.height.saturating_sub(1)
        } else {
            area.height.saturating_sub((area.height * 3 / 5).max(BELOW / 2) + 1)
        };
        usize::from(height).max(1)
    }

    fn clamp(&mut self, area: Rect) {
        let last = self.detail.len().saturating_sub(self.detail_height(area));
        self.offset = self.offset.min(last);
    }

    /// Scrolls the detail; going up stops following.
    pub fn scroll(&mut self, by: isize, area: Rect) {
        self.is_following &= by > 0;
        self.offset = self.offset.saturating_add_signed(by);
        self.clamp(area);
    }

    /// Focuses the other region.
    pub fn step_region(&mut self) {
        self.is_detail_focused = !self.is_detail_focused && self.detail.len() > 0;
    }

    /// Shows the detail alone, or both again.
    pub fn zoom(&mut self, is_zoomed: bool) {
        self.is_zoomed = is_zoomed;
        self.is_detail_focused = is_zoomed;
    }

    /// Returns whether the detail stands alone.
    pub fn is_zoomed(&self) -> bool {
        self.is_zoomed
    }

    /// Carries out a movement command; returns whether the focused row changed.
    pub fn command(&mut self, command: CommandId, area: Rect) -> bool {
        if self.is_detail_focused {
            let height = self.detail_height(area);
            // the detail moves as a whole: its first line is what a cursor is elsewhere
            let mut text = ListState { cursor: self.offset, ..ListState::default() };
            if text.command(command, self.detail.len(), height) {
                let is_down = matches!(command, id::BOTTOM);
                self.is_following = is_down || (self.is_following && text.cursor >= self.offset);
                self.offset = text.cursor;
                self.clamp(area);
            }
            return false;
        }
        let before = self.list.cursor();
        let height = self.list_height(area);
        self.list.command(command, height);
        before != self.list.cursor()
    }

    /// Takes the mouse; returns whether the focused row changed.
    pub fn mouse(&mut self, mouse: Mouse, cx: &Context, area: Rect) -> bool {
        let areas = self.areas(cx, area);
        let at = (mouse.column, mouse.row).into();
        let by = match mouse.kind {
            MouseKind::ScrollUp => -3,
            MouseKind::ScrollDown => 3,
            MouseKind::Click | MouseKind::DoubleClick => 0,
        };
        if let Some(region) = areas.list.filter(|region| region.contains(at)) {
            self.is_detail_focused = false;
            let inner = if areas.is_framed { Panel::inner(region) } else { region };
            if by != 0 {
                self.list.scroll(by, usize::from(inner.height));
                return false;
            }
            let before = self.list.cursor();
            if let Some(row) = self.list.row_at(inner, mouse.column, mouse.row) {
                self.list.select(row, usize::from(inner.height));
            }
            return before != self.list.cursor();
        }
        if areas.detail.is_some_and(|region| region.contains(at)) {
            self.is_detail_focused = true;
            if by != 0 {
                self.scroll(by, area);
            }
        }
        false
    }

    /// Draws both; `title` stands above the list.
    pub fn draw(&self, cx: &Context, title: &str, area: Rect, buf: &mut Buffer) {
        let areas = self.areas(cx, area);
        if let Some(region) = areas.list {
            let inner = if areas.is_framed {
                Panel { title, note: "", is_focused: !self.is_detail_focused }.draw(cx, region, buf)
            } else {
                region
            };
            self.list.draw(cx, inner, true, buf);
        }
        let Some(region) = areas.detail else { return };
        let inner = Self::detail_inner(region, areas.is_framed);
        let length = self.detail.len();
        let below = length.saturating_sub(self.offset + usize::from(inner.height));
        let note = if below > 0 { format!("{below} more lines") } else { String::new() };
        if areas.is_framed {
            Panel { title: &self.title, note: &note, is_focused: self.is_detail_focused }
                .draw(cx, region, buf);
        } else {
            let mark = match (self.is_detail_focused, cx.ascii) {
                (false, _) => "  ",
                (true, true) => "* ",
                (true, false) => "▸ ",
            };
            let title = [
                span(mark, Role::Focus),
                span(self.title.as_str(), Role::Title),
                span(if note.is_empty() { note } else { format!("  {note}") }, Role::Dim),
            ];
            put_line(cx, buf, region.x, region.y, region.width, &title);
        }
        for row in 0..inner.height {
            let Some(line) = self.detail.line(self.offset + usize::from(row)) else { break };
            put_line(cx, buf, inner.x + 1, inner.y + row, inner.width.saturating_sub(2), &line);
        }
    }
}
