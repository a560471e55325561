//! Draws the reader: only the lines that are visible, with what is found, focused and labelled on them.

use super::Asked;
use super::contents::PageRow;
use super::reader::Reader;
use super::regions::{Areas, Region};
use crate::app::Context;
use crate::app::docs::{Laid, OpenPage, Thing};
use crate::config::theme::Role;
use crate::docs::markdown::layout::{Line, Span};
use crate::docs::paint::look;
use crate::docs::site::Target;
use crate::model::text::{prefix, width};
use crate::ui::text::{paint, put, put_line, span, wrap};
use crate::ui::theme::style;
use crate::ui::widgets::Panel;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Draws the regions.
pub(super) fn draw(reader: &Reader, cx: &Context, area: Rect, buf: &mut Buffer) {
    let areas = reader.areas(area);
    if areas.pages.width > 0 {
        pages(reader, cx, &areas, buf);
    }
    if areas.contents.width > 0 {
        contents(reader, cx, &areas, buf);
    }
    if areas.text.width > 0 {
        text(reader, cx, &areas, buf);
    }
}

/// Draws a list beside the text, or alone.
fn list(
    cx: &Context,
    area: Rect,
    (title, note): (&str, &str),
    (cursor, offset): (usize, usize),
    is_focused: bool,
    lines: &mut dyn Iterator<Item = (crate::ui::text::Line, bool)>,
    buf: &mut Buffer,
) {
    let inner = Panel { title, note, is_focused }.draw(cx, area, buf);
    for (row, (line, is_marked)) in lines.skip(offset).take(usize::from(inner.height)).enumerate() {
        let y = inner.y + row as u16;
        let is_cursor = offset + row == cursor;
        if is_marked || is_cursor && is_focused {
            let sign = if is_cursor && is_focused { ">" } else { mark(cx) };
            put(buf, inner.x, y, 1.min(inner.width), sign, style(cx, Role::Focus));
        }
        put_line(cx, buf, inner.x + 2.min(inner.width), y, inner.width.saturating_sub(2), &line);
        if is_cursor && is_focused {
            paint(buf, inner.x, y, inner.width, style(cx, Role::Selection));
        }
    }
}

fn mark(cx: &Context) -> &'static str {
    if cx.ascii { "|" } else { "▏" }
}

fn pages(reader: &Reader, cx: &Context, areas: &Areas, buf: &mut Buffer) {
    let inner = Areas::inner(areas.pages);
    let cells = usize::from(inner.width.saturating_sub(2));
    let note = match reader.site.there() {
        Some(site) => format!("{} pages", site.0.pages.len()),
        None => String::new(),
    };
    let line = |row: &PageRow| {
        let is_current = match &row.kind {
            super::contents::RowKind::Page(path) | super::contents::RowKind::Record { path, .. } => {
                *path == reader.path
            }
            _ => false,
        };
        (row.line(cx, cells, &reader.path), is_current)
    };
    let is_focused = reader.region == Region::Pages;
    let at = (reader.pages.cursor, reader.pages.offset);
    list(cx, areas.pages, ("Pages", &note), at, is_focused, &mut reader.rows.iter().map(line), buf);
}

fn contents(reader: &Reader, cx: &Context, areas: &Areas, buf: &mut Buffer) {
    let current = reader.current_heading();
    let headings = reader.shown().map(|page| page.0.page.headings.as_slice()).unwrap_or_default();
    let top = headings.iter().map(|heading| heading.level).min().unwrap_or(1);
    let mut lines = headings.iter().enumerate().map(|(at, heading)| {
        let is_current = current == Some(at);
        let indent = "  ".repeat(usize::from(heading.level.saturating_sub(top)).min(6));
        let role = if is_current { Role::Title } else { Role::Text };
        (vec![span(format!("{indent}{}", heading.text), role)], is_current)
    });
    let is_focused = reader.region == Region::Contents;
    let at = (reader.contents.cursor, reader.contents.offset);
    list(cx, areas.contents, ("Contents", ""), at, is_focused, &mut lines, buf);
}

fn text(reader: &Reader, cx: &Context, areas: &Areas, buf: &mut Buffer) {
    let is_focused = reader.region == Region::Text;
    let title = if reader.path.is_empty() { "Page" } else { reader.path.as_str() };
    if areas.is_split() {
        Panel { title, note: "", is_focused }.draw(cx, areas.text, buf);
    }
    let area = areas.lines();
    let (words, role) = match (&reader.site, &reader.page) {
        (Asked::Failed(why), _) | (_, Asked::Failed(why)) => (
            format!("{why}\n\n{} reads it again", cx.key(crate::app::commands::CommandId("docs.again"))),
            Role::Error,
        ),
        _ => match (reader.shown(), &reader.laid) {
            (Some(page), Some(laid)) => {
                lines(reader, cx, area, &page.0, &laid.0, buf);
                return;
            }
            _ => (format!("reading the documentation of {}", reader.entity), Role::Dim),
        },
    };
    for (row, line) in wrap(&words, usize::from(area.width)).iter().enumerate() {
        let y = area.y + 1 + row as u16;
        if y < area.bottom() {
            put(buf, area.x, y, area.width, line, style(cx, role));
        }
    }
}

fn lines(reader: &Reader, cx: &Context, area: Rect, page: &OpenPage, laid: &Laid, buf: &mut Buffer) {
    let layout = &laid.layout;
    for row in 0..usize::from(area.height) {
        let at = reader.offset + row;
        let Some(line) = layout.lines.get(at) else { break };
        let y = area.y + row as u16;
        let shift = if line.scrolls { reader.column } else { 0 };
        let mut column = 0;
        for span in layout.highlighted(at, &reader.highlights) {
            let cells = width(span.text);
            put_span(reader, cx, (area, y), line, &span, (column, shift), page, buf);
            column += cells;
        }
        if line.highlighted {
            // the author's mark, beside the text so that no colour is lost
            let sign = if cx.ascii { "|" } else { "▌" };
            put(buf, area.x.saturating_sub(1), y, 1, sign, style(cx, Role::Warn));
        }
        if line.scrolls && column > usize::from(area.width) + shift {
            let sign = if cx.ascii { ">" } else { "›" };
            put(buf, area.right().saturating_sub(1), y, 1, sign, style(cx, Role::Dim));
        }
        hits(reader, cx, (area, y), line, (at, shift), laid, buf);
    }
    if let Some(labels) = &reader.labels {
        for (label, placed) in &labels.items {
            let Some(row) =
                placed.line.checked_sub(reader.offset).filter(|row| *row < usize::from(area.height))
            else {
                continue;
            };
            if !label.starts_with(&labels.typed) {
                continue;
            }
            let x = area.x + (placed.column as u16).min(area.width.saturating_sub(label.len() as u16));
            let style = style(cx, Role::Key).add_modifier(Modifier::REVERSED | Modifier::BOLD);
            put(buf, x, area.y + row as u16, label.len() as u16, label, style);
        }
    }
}

/// Puts a span, shifted sideways where its line scrolls.
#[expect(clippy::too_many_arguments, reason = "what is drawn, where, and on what")]
fn put_span(
    reader: &Reader,
    cx: &Context,
    (area, y): (Rect, u16),
    line: &Line,
    span: &Span<'_>,
    (column, shift): (usize, usize),
    page: &OpenPage,
    buf: &mut Buffer,
) {
    let fixed = line.fixed as usize;
    let right = usize::from(area.width);
    // what stands before `fixed` stays; the rest moves to the left and vanishes behind it
    let (text, at) = if shift == 0 || column < fixed {
        (span.text, column)
    } else if column >= fixed + shift {
        (span.text, column - shift)
    } else {
        let hidden = fixed + shift - column;
        let skipped = prefix(span.text, hidden).len();
        (span.text.get(skipped..).unwrap_or(""), fixed)
    };
    if at >= right || text.is_empty() {
        return;
    }
    let room = (right - at).min(width(text)) as u16;
    let text = prefix(text, usize::from(room));
    put(buf, area.x + at as u16, y, room, text, span_style(reader, cx, span, page));
}

fn span_style(reader: &Reader, cx: &Context, span: &Span<'_>, page: &OpenPage) -> Style {
    let look = look(span);
    let mut role = look.role;
    if let Some(link) = span.link {
        let is_broken = match page.targets.get(link.0 as usize) {
            Some(Target::Unresolved(_)) => true,
            Some(Target::Entity(entity) | Target::Docs { entity, .. }) => cx.entity(entity).is_none(),
            _ => false,
        };
        if is_broken {
            role = Role::Error;
        }
    }
    let mut out = style(cx, role);
    for (is_on, modifier) in [
        (look.bold, Modifier::BOLD),
        (look.italic, Modifier::ITALIC),
        (look.underline, Modifier::UNDERLINED),
        (look.strike, Modifier::CROSSED_OUT),
    ] {
        if is_on {
            out = out.add_modifier(modifier);
        }
    }
    if let (Some(link), Some(Thing::Link(focused))) = (span.link, reader.focused)
        && link == focused
    {
        out = out.patch(style(cx, Role::Selection)).add_modifier(Modifier::REVERSED);
    }
    out
}

/// Paints what the search found, and the focused details or tabs, over a line.
fn hits(
    reader: &Reader,
    cx: &Context,
    (area, y): (Rect, u16),
    line: &Line,
    (at, shift): (usize, usize),
    laid: &Laid,
    buf: &mut Buffer,
) {
    let is_focused = match reader.focused {
        Some(Thing::Fold(block) | Thing::Tabs(block)) => {
            laid.things.iter().any(|placed| placed.line == at && Some(placed.thing) == reader.focused)
                && line.block == block
        }
        _ => false,
    };
    if is_focused {
        paint(buf, area.x, y, area.width, style(cx, Role::Selection));
    }
    if reader.hits.is_empty() {
        return;
    }
    let fixed = line.fixed as usize;
    for (start, cells) in laid.layout.hits_on(at, &reader.hits) {
        let end = start + cells;
        let (start, end) = if start < fixed || shift == 0 {
            (start, end)
        } else {
            (start.saturating_sub(shift).max(fixed), end.saturating_sub(shift))
        };
        if end > start && start < usize::from(area.width) {
            let cells = (end - start).min(usize::from(area.width) - start) as u16;
            paint(buf, area.x + start as u16, y, cells, style(cx, Role::Match));
        }
    }
}
