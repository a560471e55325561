//! A table of rows with a header: the one drawing of lists.
//!
//! Column widths follow from the area alone, never from the rows, so that nothing jumps while
//! scrolling. Columns that do not fit are dropped, the highest priority number first. Only visible
//! rows are asked for.

use crate::app::Context;
use crate::app::list::ListState;
use crate::config::theme::Role;
use crate::ui::text::{Line, paint, put, put_line};
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Header, in capitals. A space in front of it says that it stands over numbers, at the right edge; the mark
    /// of the sorting takes that space.
    pub title: &'static str,
    /// Least cells it is useful with.
    pub min: u16,
    /// Share of the room that is left over; 0 keeps it at its least width.
    pub weight: u16,
    /// Columns with the highest number are dropped first; 0 is never dropped.
    pub priority: u8,
}

/// What to draw.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// All columns, in order.
    pub columns: &'a [Column],
    /// Column the rows are sorted by, and whether downwards.
    pub sort: Option<(usize, bool)>,
    /// Cursor and scroll.
    pub list: &'a ListState,
    /// Number of rows.
    pub len: usize,
    /// Whether the list has the focus.
    pub is_focused: bool,
}

/// Cells between columns.
const GAP: u16 = 2;
/// Cells before the first column: cursor and mark.
const MARGIN: u16 = 2;

impl Table<'_> {
    /// Returns how many rows an area shows below the header.
    pub fn height(area: Rect) -> usize {
        usize::from(area.height.saturating_sub(1))
    }

    /// Returns the row under a screen position.
    pub fn row_at(&self, area: Rect, column: u16, row: u16) -> Option<usize> {
        let is_row = area.contains((column, row).into()) && row > area.y;
        let at = self.list.offset + usize::from(row.saturating_sub(area.y + 1));
        (is_row && at < self.len).then_some(at)
    }

    /// Returns the shown columns: index, offset from the left of the area, width.
    pub fn layout(columns: &[Column], width: u16) -> Vec<(usize, u16, u16)> {
        let width = width.saturating_sub(MARGIN);
        let mut shown: Vec<usize> = (0..columns.len()).collect();
        let column = |at: &usize| columns.get(*at).copied();
        let needed = |shown: &[usize]| -> u16 {
            let cells: u16 = shown.iter().filter_map(column).map(|c| c.min).sum();
            cells + GAP * (shown.len() as u16).saturating_sub(1)
        };
        while shown.len() > 1 && needed(&shown) > width {
            let last = shown.iter().filter_map(|at| Some((column(at)?.priority, *at))).max();
            match last {
                Some((priority, at)) if priority > 0 => shown.retain(|i| *i != at),
                _ => break,
            }
        }
        let spare = u32::from(width.saturating_sub(needed(&shown)));
        let weights: u32 = shown.iter().filter_map(column).map(|c| u32::from(c.weight)).sum();
        let mut x = MARGIN;
        let mut out = Vec::with_capacity(shown.len());
        for at in &shown {
            let Some(c) = column(at) else { continue };
            let extra = (spare * u32::from(c.weight)).checked_div(weights).unwrap_or(0) as u16;
            let cells = (c.min + extra).min((MARGIN + width).saturating_sub(x));
            out.push((*at, x, cells));
            x += cells + GAP;
        }
        out
    }

    /// Draws header and visible rows. `row` gives a row's cells, one per column, and whether it is
    /// marked; it is asked only for rows that are seen. A row of one cell takes the whole width.
    pub fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer, row: impl Fn(usize) -> (Vec<Line>, bool)) {
        if area.height == 0 || area.width < 4 {
            return;
        }
        let layout = Self::layout(self.columns, area.width);
        for (at, x, width) in &layout {
            let Some(column) = self.columns.get(*at) else { continue };
            let arrow = match self.sort {
                Some((sorted, down)) if sorted == *at => match (down, cx.ascii) {
                    (false, false) => " ↑",
                    (true, false) => " ↓",
                    (false, true) => " ^",
                    (true, true) => " v",
                },
                _ => "",
            };
            let title = match column.title.strip_prefix(' ') {
                Some(rest) if !arrow.is_empty() => format!("{}{rest}", arrow.trim_start()),
                _ => format!("{}{arrow}", column.title),
            };
            put(buf, area.x + x, area.y, *width, &title, style(cx, Role::Dim));
        }
        for (line, at) in (self.list.offset..self.len).take(Self::height(area)).enumerate() {
            let y = area.y + 1 + line as u16;
            let (cells, is_marked) = row(at);
            let whole = [(0, MARGIN, area.width.saturating_sub(MARGIN))];
            let slots = if cells.len() == 1 { &whole[..] } else { layout.as_slice() };
            for ((_, x, width), cell) in slots.iter().filter_map(|slot| Some((*slot, cells.get(slot.0)?))) {
                put_line(cx, buf, area.x + x, y, width, cell);
            }
            if is_marked {
                put(buf, area.x + 1, y, 1, if cx.ascii { "*" } else { "●" }, style(cx, Role::Accent));
            }
            if at == self.list.cursor {
                put(buf, area.x, y, 1, ">", style(cx, Role::Focus));
                if self.is_focused {
                    paint(buf, area.x, y, area.width, style(cx, Role::Selection));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COLUMNS: &[Column] = &[
        Column { title: "NAME", min: 12, weight: 3, priority: 0 },
        Column { title: "KIND", min: 9, weight: 0, priority: 2 },
        Column { title: "OWNER", min: 10, weight: 1, priority: 1 },
    ];

    #[test]
    fn drops_columns_by_priority() {
        let shown = |width| Table::layout(COLUMNS, width).iter().map(|c| c.0).collect::<Vec<_>>();
        assert_eq!(shown(80), [0, 1, 2]);
        assert_eq!(shown(34), [0, 2]);
        assert_eq!(shown(10), [0]);
    }

    proptest! {
        #[test]
        fn columns_stay_inside(width in 0u16..300) {
            for (_, x, cells) in Table::layout(COLUMNS, width) {
                prop_assert!(x + cells <= width.max(MARGIN));
            }
        }
    }
}
