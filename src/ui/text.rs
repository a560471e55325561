//! Putting text on the screen: cleaned, measured in cells, cut inside its area.

use crate::app::Context;
use crate::config::theme::Role;
use crate::model::text;
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// A run of text with its role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The text; foreign text is cleaned when it is put.
    pub text: String,
    /// How it is painted.
    pub role: Role,
}

/// A line of spans.
pub type Line = Vec<Span>;

/// Creates a span.
pub fn span(text: impl Into<String>, role: Role) -> Span {
    Span { text: text.into(), role }
}

/// Puts text at a place, at most `width` cells; cut text ends with `…`. Returns the cells used.
pub fn put(buf: &mut Buffer, x: u16, y: u16, width: u16, content: &str, style: Style) -> u16 {
    let content = text::clean(content);
    let shown = text::cut(&content, usize::from(width));
    put_raw(buf, x, y, width, &shown, style)
}

/// Puts spans one after the other, cut at `width` cells; returns the cells used.
pub fn put_line(cx: &Context, buf: &mut Buffer, x: u16, y: u16, width: u16, line: &[Span]) -> u16 {
    let mut used = 0;
    for (at, span) in line.iter().enumerate() {
        if used >= width {
            break;
        }
        let is_last_that_fits = at + 1 == line.len();
        let content = text::clean(&span.text);
        let needed = text::width(&content) as u16;
        let room = width - used;
        let style = style(cx, span.role);
        used += if needed <= room || is_last_that_fits {
            put_raw(buf, x + used, y, room, &text::cut(&content, usize::from(room)), style)
        } else {
            put_raw(buf, x + used, y, room, &text::cut(&content, usize::from(room)), style);
            room
        };
    }
    used
}

/// Returns the cells a line takes.
pub fn line_width(line: &[Span]) -> usize {
    line.iter().map(|span| text::width(&text::clean(&span.text))).sum()
}

/// Lays a style over `width` cells of a row without touching their text.
pub fn paint(buf: &mut Buffer, x: u16, y: u16, width: u16, style: Style) {
    let area = ratatui::layout::Rect::new(x, y, width, 1).intersection(buf.area);
    buf.set_style(area, style);
}

/// Returns the text of a drawn screen: one line per row, spaces at the end left out.
pub fn text_of(buf: &Buffer) -> Vec<String> {
    let row = |y: u16| {
        let mut line = String::new();
        let mut x = buf.area.left();
        while x < buf.area.right() {
            let symbol = buf.cell((x, y)).map_or(" ", ratatui::buffer::Cell::symbol);
            line.push_str(symbol);
            x += (symbol.width() as u16).max(1);
        }
        line.truncate(line.trim_end().len());
        line
    };
    (buf.area.top()..buf.area.bottom()).map(row).collect()
}

fn put_raw(buf: &mut Buffer, x: u16, y: u16, width: u16, content: &str, style: Style) -> u16 {
    let right = x.saturating_add(width).min(buf.area.right());
    let mut at = x;
    for grapheme in content.graphemes(true) {
        let cells = grapheme.width() as u16;
        if cells == 0 {
            continue;
        }
        if at + cells > right || y >= buf.area.bottom() {
            break;
        }
        if let Some(cell) = buf.cell_mut((at, y)) {
            cell.set_symbol(grapheme).set_style(style);
        }
        for extra in 1..cells {
            if let Some(cell) = buf.cell_mut((at + extra, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
        at += cells;
    }
    at - x
}

/// Wraps cleaned text at words into lines of at most `width` cells; words longer than a line are cut
/// into pieces. Empty lines of the text are kept.
pub fn wrap(content: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut out = Vec::new();
    for paragraph in content.lines() {
        let paragraph = text::clean(paragraph);
        let mut line = String::new();
        let mut used = 0;
        for word in runs(&paragraph) {
            let cells = word.width();
            if used + cells > width && used > 0 {
                out.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
                if word.trim().is_empty() {
                    continue;
                }
            }
            if cells > width {
                for grapheme in word.graphemes(true) {
                    let cells = grapheme.width();
                    if used + cells > width && used > 0 {
                        out.push(std::mem::take(&mut line));
                        used = 0;
                    }
                    line.push_str(grapheme);
                    used += cells;
                }
            } else {
                line.push_str(word);
                used += cells;
            }
        }
        out.push(line.trim_end().to_owned());
    }
    out
}

/// Splits a text into words and the spaces between them; `a-b,` stays one word.
fn runs(content: &str) -> impl Iterator<Item = &str> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let is_space = rest.chars().next()?.is_whitespace();
        let end = rest.find(|c: char| c.is_whitespace() != is_space).unwrap_or(rest.len());
        let (word, tail) = rest.split_at_checked(end)?;
        rest = tail;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;

    #[test]
    fn wraps_at_words() {
        assert_eq!(wrap("takes card and wallet orders", 12), ["takes card", "and wallet", "orders"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("see check-api, then go", 11), ["see", "check-api,", "then go"]);
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_cells(content in ".*", x in 0u16..12, width in 0u16..12) {
            let mut buf = Buffer::empty(Rect::new(0, 0, 10, 2));
            prop_assert!(put(&mut buf, x, 0, width, &content, Style::new()) <= width);
            for y in 0..2 {
                for column in 0..10 {
                    let symbol = buf[(column, y)].symbol();
                    if column < x || column >= x + width || y == 1 {
                        prop_assert_eq!(symbol, " ");
                    }
                    prop_assert!(!symbol.chars().any(char::is_control));
                }
            }
        }

        #[test]
        fn wrapped_lines_fit(content in ".*", width in 2usize..30) {
            for line in wrap(&content, width) {
                prop_assert!(line.width() <= width, "{line:?}");
            }
        }
    }
}
