//! From roles to the styles of the drawing library.

use crate::app::Context;
use crate::config::theme::{Color, Paint, Role};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{self, Modifier, Style};

/// Returns the style of a role.
pub fn style(cx: &Context, role: Role) -> Style {
    to_style(cx.theme.paint(role))
}

/// Returns a style for a paint.
pub fn to_style(paint: Paint) -> Style {
    let mut style = Style::new();
    style.fg = paint.fg.map(to_color);
    style.bg = paint.bg.map(to_color);
    for (is_on, modifier) in [
        (paint.bold, Modifier::BOLD),
        (paint.dim, Modifier::DIM),
        (paint.italic, Modifier::ITALIC),
        (paint.underline, Modifier::UNDERLINED),
        (paint.reverse, Modifier::REVERSED),
    ] {
        if is_on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// The terminal's own colours in the order of their ANSI numbers.
pub const ANSI: [style::Color; 16] = {
    use style::Color as C;
    [
        C::Black,
        C::Red,
        C::Green,
        C::Yellow,
        C::Blue,
        C::Magenta,
        C::Cyan,
        C::Gray,
        C::DarkGray,
        C::LightRed,
        C::LightGreen,
        C::LightYellow,
        C::LightBlue,
        C::LightMagenta,
        C::LightCyan,
        C::White,
    ]
};

fn to_color(color: Color) -> style::Color {
    match color {
        Color::Ansi(n) => ANSI.get(usize::from(n)).copied().unwrap_or(style::Color::Reset),
        Color::Rgb(r, g, b) => style::Color::Rgb(r, g, b),
    }
}

/// Returns how an environment is painted: in its own colour where it has one and the theme knows colours.
pub fn env_style(cx: &Context, colour: Option<Color>) -> Style {
    let own = style(cx, Role::Env);
    match colour {
        Some(colour) if own.fg.is_some() || own.bg.is_some() => {
            Style::new().fg(to_color(colour)).add_modifier(style::Modifier::BOLD | style::Modifier::REVERSED)
        }
        _ => own,
    }
}

/// Empties an area and gives it the text role.
pub fn fill(cx: &Context, area: Rect, buf: &mut Buffer) {
    let text = style(cx, Role::Text);
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buf.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(text);
            }
        }
    }
}

/// A state's sign and role. Meaning is never colour alone, so the sign always stands beside a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// Fine.
    Ok,
    /// Needs attention.
    Warn,
    /// Broken.
    Error,
    /// No answer.
    Unknown,
    /// Old.
    Stale,
}

impl Sign {
    /// Returns the character, ASCII when the terminal has no more.
    pub fn text(self, cx: &Context) -> &'static str {
        match (self, cx.ascii) {
            (Self::Ok, false) => "✓",
            (Self::Ok, true) => "+",
            (Self::Warn, _) => "!",
            (Self::Error, false) => "✗",
            (Self::Error, true) => "x",
            (Self::Unknown, _) => "?",
            (Self::Stale, _) => "~",
        }
    }

    /// Returns the role.
    pub fn role(self) -> Role {
        match self {
            Self::Ok => Role::Ok,
            Self::Warn => Role::Warn,
            Self::Error => Role::Error,
            Self::Unknown => Role::Unknown,
            Self::Stale => Role::Stale,
        }
    }
}
