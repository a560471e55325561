//! Draws what lies on top of a pane.

use super::text::{line_width, paint, put, put_line, span, wrap};
use super::theme::{env_style, style};
use super::widgets::Panel;
use crate::app::App;
use crate::app::overlay::{Item, Mode, Overlay, OverlayKind};
use crate::config::theme::Role;
use crate::model::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Widest overlay, in cells.
const MAX_WIDTH: u16 = 96;

/// Draws an overlay in the middle of the screen, the palette at its top.
pub fn draw(app: &App, overlay: &Overlay, screen: Rect, buf: &mut Buffer) {
    let cx = &app.cx;
    let area = area(app, overlay, screen);
    let note = format!(
        "{} of {}",
        overlay.list.cursor + usize::from(!overlay.shown.is_empty()),
        overlay.shown.len()
    );
    let is_counted = !matches!(overlay.kind, OverlayKind::Question | OverlayKind::Prompt(_));
    let note = if is_counted { note } else { String::new() };
    let inner = Panel { title: &overlay.title, note: &note, is_focused: true }.draw(cx, area, buf);
    if (overlay.is_protected || overlay.colour.is_some()) && inner != area {
        let env = env_style(cx, overlay.colour);
        paint(buf, area.x, area.y, area.width, env);
        paint(buf, area.x, area.bottom().saturating_sub(1), area.width, env);
    }
    let mut y = inner.y;
    for line in text_lines(overlay, inner.width, screen) {
        put(buf, inner.x + 1, y, inner.width.saturating_sub(2), &line, style(cx, Role::Text));
        y += 1;
    }
    if overlay.mode == Mode::Typing {
        let before = text::width(&text::clean(overlay.input.before_cursor())) as u16;
        let sign = match overlay.kind {
            OverlayKind::Palette => ":",
            OverlayKind::Prompt(_) => ">",
            _ => "/",
        };
        put(buf, inner.x, y, 2, sign, style(cx, Role::Key));
        put(buf, inner.x + 2, y, inner.width.saturating_sub(3), overlay.input.text(), style(cx, Role::Text));
        let cursor = (inner.x + 2 + before).min(inner.right().saturating_sub(1));
        buf.set_style(
            Rect::new(cursor, y, 1, 1).intersection(buf.area),
            ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED),
        );
        y += 1;
    }
    let rows = Rect { y, height: inner.bottom().saturating_sub(y), ..inner };
    draw_items(app, overlay, rows, buf);
}

/// Returns the index of the shown row under a screen position.
pub fn row_at(app: &App, overlay: &Overlay, screen: Rect, column: u16, row: u16) -> Option<usize> {
    let inner = Panel::inner(area(app, overlay, screen));
    let above =
        text_lines(overlay, inner.width, screen).len() as u16 + u16::from(overlay.mode == Mode::Typing);
    let top = inner.y + above;
    if !inner.contains((column, row).into()) || row < top {
        return None;
    }
    let height = usize::from(inner.bottom().saturating_sub(top)).max(1);
    let at = offset(overlay, height) + usize::from(row - top);
    (at < overlay.shown.len()).then_some(at)
}

/// First drawn row: the state scrolls by its own idea of the height; what is drawn always holds the cursor.
fn offset(overlay: &Overlay, height: usize) -> usize {
    overlay.list.offset.max((overlay.list.cursor + 1).saturating_sub(height)).min(overlay.list.cursor)
}

/// Wraps the text; what is too long for the screen is cut, so that the choices below stay on it.
fn text_lines(overlay: &Overlay, width: u16, screen: Rect) -> Vec<String> {
    let lines = overlay.text.iter().flat_map(|line| wrap(line, usize::from(width.saturating_sub(2))));
    let mut lines: Vec<String> = lines.collect();
    let room = usize::from(screen.height).saturating_sub(overlay.items.len().min(6) + 4).max(1);
    if lines.len() > room {
        let hidden = lines.len() - room + 1;
        lines.truncate(room - 1);
        lines.push(format!("… {hidden} more lines"));
    }
    lines
}

fn area(app: &App, overlay: &Overlay, screen: Rect) -> Rect {
    let widest = overlay
        .items
        .iter()
        .map(|i| text::width(&i.label) + text::width(&i.detail) + text::width(&i.keys) + 12)
        .chain(overlay.text.iter().map(|line| text::width(line) + 6));
    let wanted = if overlay.mode == Mode::Typing {
        MAX_WIDTH
    } else {
        widest.max().unwrap_or(0).max(text::width(&overlay.title) + 6).clamp(30, usize::from(MAX_WIDTH))
            as u16
    };
    let width = wanted.min(screen.width.saturating_sub(if screen.width > 40 { 4 } else { 0 }));
    let above = text_lines(overlay, width.saturating_sub(2), screen).len()
        + usize::from(overlay.mode == Mode::Typing);
    let items = match overlay.kind {
        OverlayKind::Palette | OverlayKind::Help => app.overlay_height(),
        _ => overlay.items.len().clamp(1, app.overlay_height()),
    };
    let height = ((items + above + 2) as u16).min(screen.height);
    let x = screen.x + (screen.width - width) / 2;
    let y = screen.y
        + if overlay.kind == OverlayKind::Palette {
            1.min(screen.height - height)
        } else {
            (screen.height - height) / 2
        };
    Rect::new(x, y, width, height)
}

fn draw_items(app: &App, overlay: &Overlay, area: Rect, buf: &mut Buffer) {
    let cx = &app.cx;
    if matches!(overlay.kind, OverlayKind::Prompt(_)) {
        let hint = "enter goes on, esc leaves";
        put(buf, area.x + 2, area.y, area.width.saturating_sub(2), hint, style(cx, Role::Dim));
        return;
    }
    if overlay.shown.is_empty() {
        put(buf, area.x + 2, area.y, area.width.saturating_sub(2), "nothing matches", style(cx, Role::Dim));
        return;
    }
    let height = usize::from(area.height).max(1);
    let offset = offset(overlay, height);
    let labels =
        overlay.shown.iter().filter_map(|at| overlay.items.get(*at)).map(|item| text::width(&item.label));
    let label_width = labels.max().unwrap_or(0).max(8).min(usize::from(area.width) / 2) as u16;
    let mut heading = "";
    for (row, at) in overlay.shown.iter().skip(offset).take(height).enumerate() {
        let Some(item) = overlay.items.get(*at) else { continue };
        let y = area.y + row as u16;
        let is_new_heading = item.heading != heading;
        heading = item.heading;
        draw_item(app, overlay, item, label_width, is_new_heading, Rect { y, height: 1, ..area }, buf);
        if offset + row == overlay.list.cursor {
            put(buf, area.x, y, 1, ">", style(cx, Role::Focus));
            paint(buf, area.x, y, area.width, style(cx, Role::Selection));
        }
    }
}

fn draw_item(
    app: &App,
    overlay: &Overlay,
    item: &Item,
    label_width: u16,
    is_new_heading: bool,
    area: Rect,
    buf: &mut Buffer,
) {
    let cx = &app.cx;
    let side = if overlay.mode == Mode::Letters {
        item.letter.map(String::from).unwrap_or_default()
    } else {
        item.keys.clone()
    };
    let mut x = area.x + 2;
    let keys = if overlay.mode == Mode::Letters { 2 } else { 10 };
    put(buf, x, area.y, keys, &side, style(cx, Role::Key));
    x += keys + 1;
    let check = match (item.checked, cx.ascii) {
        (Some(true), _) => "[x] ",
        (Some(false), _) => "[ ] ",
        (None, _) => "",
    };
    let role = if item.disabled.is_some() { Role::Dim } else { Role::Text };
    let room = area.right().saturating_sub(x);
    let label = format!("{check}{}", item.label);
    put(buf, x, area.y, room.min(label_width + 4), &label, style(cx, role));
    x += label_width.max(text::width(&label) as u16).min(room) + 2;
    let detail = item.disabled.as_ref().map_or_else(|| item.detail.clone(), |reason| format!("({reason})"));
    let mut line = vec![span(detail, Role::Dim)];
    if is_new_heading && !item.heading.is_empty() {
        let heading = span(item.heading, Role::Accent);
        let width = line_width(std::slice::from_ref(&heading)) as u16;
        let room = area.right().saturating_sub(x);
        if room > width + 12 {
            put_line(cx, buf, area.right() - width - 1, area.y, width, &[heading]);
            put_line(cx, buf, x, area.y, room - width - 2, &line);
            return;
        }
    }
    put_line(cx, buf, x, area.y, area.right().saturating_sub(x), &std::mem::take(&mut line));
}
