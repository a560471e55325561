//! Drawing: rows of the window, the column of times and tags, the last row, a line in full beside or above.

use super::line::{Ink, Piece};
use super::window::Row;
use super::{LogsPane, words};
use crate::app::Context;
use crate::config::theme::Role;
use crate::kubernetes::logs::LineKind;
use crate::model::text::{clean, cut, width};
use crate::ui::text::{line_width, paint, put, put_line};
use crate::ui::theme::{style, to_style};
use crate::ui::widgets::Panel;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Width from which a line in full stands beside the list.
const BESIDE: u16 = 160;
/// Height from which it stands below the list.
const BELOW: u16 = 26;
/// Height from which the last row is kept for search and errors.
const STATUS: u16 = 5;

/// Where things stand.
#[derive(Debug, Clone, Copy)]
pub struct Regions {
    /// The lines; `None` when the line in full needs all the room.
    pub lines: Option<Rect>,
    /// The line in full.
    pub detail: Option<Rect>,
    /// The last row.
    pub status: Option<Rect>,
}

/// Divides an area.
pub fn regions(area: Rect, has_detail: bool, is_typing: bool) -> Regions {
    let has_status = area.height >= STATUS || (is_typing && area.height > 0);
    let status = has_status.then(|| Rect { y: area.bottom() - 1, height: 1, ..area });
    let rest = Rect { height: area.height - u16::from(has_status), ..area };
    let (lines, detail) = match has_detail {
        false => (Some(rest), None),
        true if rest.width >= BESIDE => {
            let left = rest.width * 55 / 100;
            let right = Rect { x: rest.x + left, width: rest.width - left, ..rest };
            (Some(Rect { width: left, ..rest }), Some(right))
        }
        true if rest.height >= BELOW => {
            let top = rest.height / 2;
            let below = Rect { y: rest.y + top, height: rest.height - top, ..rest };
            (Some(Rect { height: top, ..rest }), Some(below))
        }
        true => (None, Some(rest)),
    };
    Regions { lines, detail, status }
}

/// Cells of the columns before the text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns {
    /// Time; 0 for none.
    pub time: usize,
    /// Tag; 0 for none.
    pub tag: usize,
}

impl Columns {
    /// Returns the cells before the text: mark, time, tag and rule.
    pub fn before(self) -> usize {
        1 + if self.time > 0 { self.time + 1 } else { 0 } + if self.tag > 0 { self.tag + 2 } else { 0 }
    }
}

/// Draws the pane.
pub fn draw(pane: &LogsPane, cx: &Context, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    let regions = regions(area, pane.detail.is_some(), pane.search.is_typing);
    if let Some(lines) = regions.lines {
        draw_lines(pane, cx, lines, buf);
    }
    if let (Some(region), Some(detail)) = (regions.detail, &pane.detail) {
        let at = (detail.offset + usize::from(region.height.saturating_sub(2))).min(detail.rows.len());
        let note = format!("{at} of {}", detail.rows.len());
        let inner = Panel { title: "line in full", note: &note, is_focused: true }.draw(cx, region, buf);
        for (row, pieces) in
            detail.rows.iter().skip(detail.offset).take(usize::from(inner.height)).enumerate()
        {
            put_pieces(cx, buf, (inner.x + 1, inner.y + row as u16), inner.width.saturating_sub(2), pieces);
        }
    }
    if let Some(status) = regions.status {
        draw_status(pane, cx, status, buf);
    }
}

fn draw_lines(pane: &LogsPane, cx: &Context, area: Rect, buf: &mut Buffer) {
    if pane.window.rows.is_empty() {
        for (row, line) in words::empty(pane, cx).iter().enumerate().take(usize::from(area.height)) {
            put_line(cx, buf, area.x + 2, area.y + row as u16, area.width.saturating_sub(3), line);
        }
        return;
    }
    let columns = pane.columns(usize::from(area.width));
    let selection = pane.selection();
    let focused =
        pane.window.rows.iter().find(|row| Some(row.id) == pane.window.focus).and_then(|row| row.line.time);
    for (at, row) in pane.window.rows.iter().enumerate().take(usize::from(area.height)) {
        let y = area.y + at as u16;
        let of_row = Rect { y, height: 1, ..area };
        if matches!(row.line.kind, LineKind::Text { .. }) {
            draw_prefix(pane, cx, row, columns, focused, of_row, buf);
            let before = (columns.before() as u16).min(area.width);
            put_pieces(cx, buf, (area.x + before, y), area.width - before, &row.pieces);
        } else {
            draw_note(pane, cx, row, of_row, buf);
        }
        let is_focused = Some(row.id) == pane.window.focus && !pane.window.is_following;
        let is_selected = selection.is_some_and(|(first, last)| (first..=last).contains(&row.id));
        if is_focused && row.part == 0 {
            put(buf, area.x, y, 1, ">", style(cx, Role::Focus));
        }
        if is_focused || is_selected {
            paint(buf, area.x, y, area.width, style(cx, Role::Selection));
        }
    }
}

/// Time and tag; rows that go on have only the rule.
fn draw_prefix(
    pane: &LogsPane,
    cx: &Context,
    row: &Row,
    columns: Columns,
    focused: Option<jiff::Timestamp>,
    area: Rect,
    buf: &mut Buffer,
) {
    let mut x = area.x + 1;
    let room = |x: u16| area.right().saturating_sub(x);
    if columns.time > 0 {
        if let (0, Some(time)) = (row.part, row.line.time) {
            let text = words::time(pane.time, time, focused, columns.time);
            put(buf, x, area.y, room(x).min(columns.time as u16), &text, style(cx, Role::Dim));
        }
        x += columns.time as u16 + 1;
    }
    if columns.tag > 0 {
        let cells = columns.tag as u16;
        if let Some((tag, role)) = pane.sources.tag(row.line.source) {
            if row.part == 0 {
                let tag = clean(tag);
                let tag = cut(&tag, columns.tag);
                let pad = cells.saturating_sub(width(&tag) as u16);
                put(buf, x + pad, area.y, room(x + pad).min(cells), &tag, style(cx, role));
            }
            let rule = if cx.ascii { "|" } else { "│" };
            put(buf, x + cells, area.y, room(x + cells).min(1), rule, style(cx, role));
        }
    }
}

/// A line of the program itself, drawn out to the right with its time at the end.
fn draw_note(pane: &LogsPane, cx: &Context, row: &Row, area: Rect, buf: &mut Buffer) {
    let used = put_pieces(cx, buf, (area.x + 1, area.y), area.width.saturating_sub(1), &row.pieces);
    if row.part + 1 < row.parts {
        return;
    }
    let time =
        row.line.time.map(|time| words::time(super::TimeForm::Absolute, time, None, 8)).unwrap_or_default();
    let cells = if time.is_empty() || pane.time == super::TimeForm::Off { 0 } else { time.len() as u16 + 1 };
    let rule = match (row.line.kind, cx.ascii) {
        (LineKind::Marker, true) => "=",
        (LineKind::Marker, false) => "━",
        (_, true) => "-",
        (_, false) => "─",
    };
    let role = match row.line.kind {
        LineKind::Gap(_) => Role::Warn,
        LineKind::Marker => Role::Accent,
        LineKind::Note | LineKind::Text { .. } => Role::Dim,
    };
    let start = area.x + 1 + used;
    let end = area.right().saturating_sub(cells + 1);
    for x in start..end {
        put(buf, x, area.y, 1, rule, style(cx, role));
    }
    if cells > 0 && end >= start {
        put(buf, end + 1, area.y, cells, &time, style(cx, Role::Dim));
    }
}

/// Draws the last row: the search line or what there is to say, and errors per minute at the right.
fn draw_status(pane: &LogsPane, cx: &Context, area: Rect, buf: &mut Buffer) {
    let right = words::sparkline(pane, cx).filter(|line| line_width(line) + 24 <= usize::from(area.width));
    let right_width = right.as_ref().map_or(0, |line| line_width(line) as u16 + 2);
    let room = area.width.saturating_sub(right_width + 1);
    if pane.search.is_typing {
        draw_search(pane, cx, Rect { x: area.x + 1, width: room, ..area }, buf);
    } else {
        put_line(cx, buf, area.x + 1, area.y, room, &words::status(pane, cx));
    }
    if let Some(line) = right {
        put_line(cx, buf, area.right().saturating_sub(right_width - 1), area.y, right_width - 1, &line);
    }
}

fn draw_search(pane: &LogsPane, cx: &Context, area: Rect, buf: &mut Buffer) {
    let sign = if pane.search.is_only { "&" } else { "/" };
    let input = &pane.search.input;
    put(buf, area.x, area.y, 1, sign, style(cx, Role::Key));
    let room = area.width.saturating_sub(1);
    let used = put(buf, area.x + 1, area.y, room, input.text(), style(cx, Role::Text));
    let before = width(&clean(input.before_cursor())) as u16;
    let cursor = (area.x + 1 + before).min(area.right().saturating_sub(1));
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    paint(buf, cursor, area.y, 1, reversed);
    let x = area.x + used + 3;
    let room = area.right().saturating_sub(x);
    match &pane.search.mistake {
        Some(mistake) => {
            let text = input.text();
            let start = width(&clean(text.get(..mistake.span.start).unwrap_or(""))) as u16;
            let cells = width(&clean(text.get(mistake.span.clone()).unwrap_or(""))) as u16;
            let wrong = style(cx, Role::Error).add_modifier(Modifier::UNDERLINED);
            paint(buf, area.x + 1 + start, area.y, cells.min(room + used), wrong);
            put(buf, x, area.y, room, &mistake.reason, style(cx, Role::Error));
        }
        None if pane.search.pattern.is_some() => {
            put(buf, x, area.y, room, &words::matches(pane), style(cx, Role::Dim));
        }
        None => {
            let hint = "a regular expression; ! for lines that do not match";
            put(buf, x, area.y, room, hint, style(cx, Role::Dim));
        }
    }
}

/// Puts pieces one after the other; returns the cells used.
fn put_pieces(cx: &Context, buf: &mut Buffer, (x, y): (u16, u16), room: u16, pieces: &[Piece]) -> u16 {
    let mut used = 0;
    for (text, ink) in pieces {
        if used >= room {
            break;
        }
        used += put(buf, x + used, y, room - used, text, ink_style(cx, *ink));
    }
    used
}

fn ink_style(cx: &Context, ink: Ink) -> Style {
    let mut all = style(cx, ink.role);
    if let Some(own) = ink.own {
        all = all.patch(to_style(own));
    }
    if ink.is_match { all.patch(style(cx, Role::Match)) } else { all }
}
