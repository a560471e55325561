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

/// Returns the area of a pane: everything between title line and footer.
pub fn body(area: Rect) -> Rect {
    Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(2), ..area }
}
