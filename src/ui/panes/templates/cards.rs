//! Templates as cards: three lines each and a space, where there is room for them.

use crate::app::Context;
use crate::app::entity_list::EntityList;
use crate::app::list::ListState;
use crate::catalog::{Catalog, Entity};
use crate::config::theme::Role;
use crate::ui::entity_lines;
use crate::ui::text::{Line, line_width, paint, put, put_line, span};
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Lines of a card, the space below included.
const HEIGHT: u16 = 4;
/// Cells in front of a card: cursor and mark.
const MARGIN: u16 = 2;

/// Returns how many cards an area shows.
pub fn shown(area: Rect) -> usize {
    usize::from(((area.height + 1) / HEIGHT).max(1))
}

/// Returns the card under a screen position.
pub fn row_at(list: &ListState, len: usize, area: Rect, column: u16, row: u16) -> Option<usize> {
    if !area.contains((column, row).into()) {
        return None;
    }
    let at = list.offset + usize::from((row - area.y) / HEIGHT);
    (at < len && usize::from((row - area.y) / HEIGHT) < shown(area)).then_some(at)
}

/// Draws the visible cards; `used` says when a template was used last.
pub fn draw(
    cx: &Context,
    rows: &EntityList,
    area: Rect,
    is_focused: bool,
    used: impl Fn(&str) -> String,
    buf: &mut Buffer,
) {
    let Some(catalog) = rows.catalog() else { return };
    for (line, at) in (rows.list.offset..rows.len()).take(shown(area)).enumerate() {
        let Some(entity) = rows.entity(at) else { continue };
        let y = area.y + line as u16 * HEIGHT;
        let card = Rect { y, height: (HEIGHT - 1).min(area.bottom().saturating_sub(y)), ..area };
        draw_card(cx, catalog, &entity, &used(entity.entity_ref()), card, buf);
        if rows.marks.has(entity.entity_ref()) {
            put(buf, area.x + 1, y, 1, if cx.ascii { "*" } else { "●" }, style(cx, Role::Accent));
        }
        if at == rows.list.cursor {
            put(buf, area.x, y, 1, ">", style(cx, Role::Focus));
            if is_focused {
                for y in card.top()..card.bottom() {
                    paint(buf, area.x, y, area.width, style(cx, Role::Selection));
                }
            }
        }
    }
}

fn draw_card(cx: &Context, catalog: &Catalog, entity: &Entity<'_>, used: &str, area: Rect, buf: &mut Buffer) {
    let x = area.x + MARGIN.min(area.width);
    let room = area.width.saturating_sub(MARGIN + 1);
    let right = [span(used, Role::Dim)];
    let right_width = (line_width(&right) as u16).min(room / 2);
    for (at, line) in lines(cx, catalog, entity).iter().enumerate().take(usize::from(area.height)) {
        let taken = if at == 0 && right_width > 0 { right_width + 2 } else { 0 };
        put_line(cx, buf, x, area.y + at as u16, room.saturating_sub(taken), line);
    }
    if area.height > 0 {
        put_line(cx, buf, x + room - right_width, area.y, right_width, &right);
    }
}

fn lines(cx: &Context, catalog: &Catalog, entity: &Entity<'_>) -> [Line; 3] {
    let mut title = vec![span(entity.title().unwrap_or_else(|| entity.name()), Role::Title)];
    if cx.stars.contains(entity.entity_ref()) {
        title.push(span(if cx.ascii { " *" } else { " ★" }, Role::Accent));
    }
    let problems = entity_lines::problem_cell(cx, entity);
    if !problems.is_empty() {
        title.push(span("  ", Role::Text));
        title.extend(problems);
    }
    let description = entity.description().lines().next().unwrap_or_default();
    let description = if description.is_empty() { "no description" } else { description };
    let role = if entity.description().is_empty() { Role::Dim } else { Role::Text };
    let mut facts: Line = Vec::new();
    let mut add = |span| {
        if !facts.is_empty() {
            facts.push(crate::ui::text::span("  ", Role::Text));
        }
        facts.push(span);
    };
    if !entity.entity_type().is_empty() {
        add(span(entity.entity_type(), Role::Accent));
    }
    if let Some(owner) = entity.owner() {
        add(entity_lines::target(cx, catalog, owner));
    }
    for tag in entity.tags() {
        add(span(format!("#{tag}"), Role::Dim));
    }
    [title, vec![span(description, role)], facts]
}
