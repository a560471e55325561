//! The filter line of a list of entities: what is typed, what is wrong with it, what could be typed next.

use crate::app::Context;
use crate::app::entity_list::EntityList;
use crate::config::theme::Role;
use crate::model::text::width;
use crate::ui::text::{paint, put, put_line, span};
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// Suggestions shown below the line.
const SUGGESTIONS: usize = 5;

/// Returns the rows that the line takes with its suggestions and its mistake; none while nothing is typed.
pub fn rows(list: &EntityList) -> u16 {
    let suggestions = list.suggestions().len().min(SUGGESTIONS) as u16;
    let mistake = u16::from(list.mistake.is_some());
    if list.is_typing() { 1 + suggestions + mistake } else { mistake }
}

/// Draws the line from the first row of an area on.
pub fn draw(cx: &Context, list: &EntityList, area: Rect, buf: &mut Buffer) {
    let mut y = area.y;
    if list.is_typing() {
        put(buf, area.x, y, 2, "/", style(cx, Role::Key));
        let text = list.filter.text();
        put(buf, area.x + 1, y, area.width.saturating_sub(2), text, style(cx, Role::Text));
        if let Some(mistake) = &list.mistake {
            let start = text.get(..mistake.span.start).map_or(0, width) as u16;
            let cells = text.get(mistake.span.clone()).map_or(1, width).max(1) as u16;
            let error = style(cx, Role::Error).add_modifier(Modifier::UNDERLINED);
            paint(buf, area.x + 1 + start, y, cells.min(area.width), error);
        }
        let cursor = width(list.filter.before_cursor()) as u16;
        let reverse = Style::new().add_modifier(Modifier::REVERSED);
        paint(buf, (area.x + 1 + cursor).min(area.right().saturating_sub(1)), y, 1, reverse);
        y += 1;
    }
    if let Some(mistake) = &list.mistake {
        put(buf, area.x + 1, y, area.width.saturating_sub(1), &mistake.reason, style(cx, Role::Error));
        y += 1;
    }
    for (at, suggestion) in list.suggestions().iter().take(SUGGESTIONS).enumerate() {
        let line = [
            span(format!("  {}  ", suggestion.label), Role::Link),
            span(suggestion.count.map(|n| n.to_string()).unwrap_or_default(), Role::Dim),
        ];
        put_line(cx, buf, area.x, y, area.width, &line);
        if list.suggestion == Some(at) {
            paint(buf, area.x, y, area.width, style(cx, Role::Selection));
        }
        y += 1;
    }
}
