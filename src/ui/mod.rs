//! Drawing: a pure function of the application's state.
//!
//! [`draw`] paints title line, pane, footer, overlays. Widgets ask the theme for roles, never for
//! colours; foreign text goes through [`text::put`] which cleans, measures and cuts it. Panes live in
//! [`panes`], one file each, listed once in [`panes::ALL`].

pub mod chrome;
pub mod entity_lines;
pub mod overlays;
pub mod panes;
pub mod text;
pub mod theme;
pub mod widgets;

use crate::app::App;
use crate::app::commands::CommandSpec;
use crate::app::event::Event;
use crate::app::input::{Mouse, MouseKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Smallest screen that shows more than one region.
pub const SMALL: (u16, u16) = (60, 16);

/// Paints the whole screen.
pub fn draw(app: &App, buf: &mut Buffer) {
    let area = buf.area;
    if area.width == 0 || area.height == 0 {
        return;
    }
    theme::fill(&app.cx, area, buf);
    if let Some(pane) = app.pane() {
        pane.view(&app.cx, body(area), buf);
    }
    chrome::title(app, Rect { height: 1, ..area }, buf);
    if area.height > 1 {
        chrome::footer(app, Rect { y: area.bottom() - 1, height: 1, ..area }, buf);
    }
    for overlay in &app.overlays {
        overlays::draw(app, overlay, area, buf);
    }
}

/// Translates a mouse event: footer keys and rows of overlays are buttons, the rest is the pane's.
pub fn mouse(app: &App, area: Rect, mouse: Mouse) -> Event {
    let is_press = matches!(mouse.kind, MouseKind::Click | MouseKind::DoubleClick);
    if let (Some(overlay), true) = (app.overlays.last(), is_press) {
        let hit = overlays::row_at(app, overlay, area, mouse.column, mouse.row);
        let is_chosen = mouse.kind == MouseKind::DoubleClick;
        return hit.map_or(Event::Mouse(mouse), |row| Event::Row { row, is_chosen });
    }
    if is_press && area.height > 1 && mouse.row == area.bottom() - 1 {
        let footer = Rect { y: area.bottom() - 1, height: 1, ..area };
        let is_on =
            |(x, _, _, width): &(u16, String, &CommandSpec, u16)| (*x..x + width).contains(&mouse.column);
        if let Some((_, _, row, _)) = chrome::footer_layout(app, footer).into_iter().find(is_on) {
            return Event::Run(row.id);
        }
    }
    Event::Mouse(mouse)
}

/// Returns the area of a pane: everything between title line and footer.
pub fn body(area: Rect) -> Rect {
    Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(2), ..area }
}
