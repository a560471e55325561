//! A region with a frame, a title and a note at the bottom right.

use crate::app::Context;
use crate::config::theme::Role;
use crate::model::text;
use crate::ui::text::put;
use crate::ui::theme::{fill, style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A framed region. Focus shows in the border's role and in the mark before the title.
#[derive(Debug, Clone, Copy, Default)]
pub struct Panel<'a> {
    /// Title at the top left.
    pub title: &'a str,
    /// Note at the bottom right: `4 of 214`.
    pub note: &'a str,
    /// Whether this region has the focus.
    pub is_focused: bool,
}

impl Panel<'_> {
    /// Draws the frame and returns the area inside; too small an area is returned as it is.
    pub fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer) -> Rect {
        let inner = Self::inner(area);
        if inner == area {
            return area;
        }
        fill(cx, area, buf);
        if cx.is_plain {
            put(buf, area.x + 1, area.y, area.width - 1, self.title, style(cx, Role::Title));
            return inner;
        }
        let [horizontal, vertical, corners @ ..] = if cx.ascii {
            ["-", "|", "+", "+", "+", "+"]
        } else {
            ["─", "│", "┌", "┐", "└", "┘"]
        };
        let border = style(cx, if self.is_focused { Role::Focus } else { Role::Dim });
        let (left, right, top, bottom) = (area.left(), area.right() - 1, area.top(), area.bottom() - 1);
        let mut set = |x: u16, y: u16, symbol: &str| {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.set_symbol(symbol).set_style(border);
            }
        };
        for x in left + 1..right {
            set(x, top, horizontal);
            set(x, bottom, horizontal);
        }
        for y in top + 1..bottom {
            set(left, y, vertical);
            set(right, y, vertical);
        }
        for ((x, y), corner) in
            [(left, top), (right, top), (left, bottom), (right, bottom)].into_iter().zip(corners)
        {
            set(x, y, corner);
        }
        let room = area.width.saturating_sub(4);
        if !self.title.is_empty() && room > 2 {
            let mark = if self.is_focused { "▸ " } else { "" };
            let title_style = style(cx, if self.is_focused { Role::Title } else { Role::Dim });
            put(buf, left + 1, top, room, &format!(" {mark}{} ", self.title), title_style);
        }
        if !self.note.is_empty() {
            let note = format!(" {} ", self.note);
            let width = (text::width(&note) as u16).min(room);
            put(buf, right.saturating_sub(width), bottom, width, &note, style(cx, Role::Dim));
        }
        inner
    }

    /// Returns the area inside a frame around `area`.
    pub fn inner(area: Rect) -> Rect {
        if area.width < 4 || area.height < 3 {
            return area;
        }
        Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2)
    }
}
