//! Cells to draw on: lines that join where they meet, and text over them.

use crate::model::text::{clean, width};
use unicode_segmentation::UnicodeSegmentation;

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;
/// The line is dashed.
const DASHED: u8 = 16;

/// The largest drawing, in cells.
const WIDEST: usize = 700;
const TALLEST: usize = 2_000;

#[derive(Debug, Clone, Default)]
struct Cell {
    lines: u8,
    /// Text over the lines; `Some("")` behind a wide character.
    text: Option<String>,
}

/// A drawing in the making. What falls outside is not drawn.
#[derive(Debug)]
pub(super) struct Canvas {
    width: usize,
    cells: Vec<Cell>,
}

impl Canvas {
    /// Makes an empty canvas; `None` when it would be too large.
    pub fn new(width: usize, height: usize) -> Option<Self> {
        let fits = width > 0 && height > 0 && width <= WIDEST && height <= TALLEST;
        fits.then(|| Self { width, cells: vec![Cell::default(); width * height] })
    }

    fn cell(&mut self, x: usize, y: usize) -> Option<&mut Cell> {
        if x >= self.width { None } else { self.cells.get_mut(y * self.width + x) }
    }

    fn add(&mut self, x: usize, y: usize, lines: u8) {
        if let Some(cell) = self.cell(x, y) {
            cell.lines |= lines;
        }
    }

    /// Draws a straight line between two cells.
    pub fn line(&mut self, from: (usize, usize), to: (usize, usize), dashed: bool) {
        let dash = if dashed { DASHED } else { 0 };
        let (left, right) = (from.0.min(to.0), from.0.max(to.0));
        let (top, bottom) = (from.1.min(to.1), from.1.max(to.1));
        for x in left..right {
            self.add(x, top, RIGHT | dash);
            self.add(x + 1, top, LEFT | dash);
        }
        for y in top..bottom {
            self.add(left, y, DOWN | dash);
            self.add(left, y + 1, UP | dash);
        }
    }

    /// Draws a frame around cells.
    pub fn frame(&mut self, x: usize, y: usize, width: usize, height: usize, dashed: bool) {
        let (right, bottom) = (x + width.saturating_sub(1), y + height.saturating_sub(1));
        self.line((x, y), (right, y), dashed);
        self.line((x, bottom), (right, bottom), dashed);
        self.line((x, y), (x, bottom), dashed);
        self.line((right, y), (right, bottom), dashed);
    }

    /// Writes text over whatever is there.
    pub fn text(&mut self, x: usize, y: usize, text: &str) {
        let mut x = x;
        for grapheme in clean(text).graphemes(true) {
            let cells = width(grapheme);
            if cells == 0 {
                continue;
            }
            if let Some(cell) = self.cell(x, y) {
                cell.text = Some(grapheme.to_owned());
            }
            for behind in 1..cells {
                if let Some(cell) = self.cell(x + behind, y) {
                    cell.text = Some(String::new());
                }
            }
            x += cells;
        }
    }

    /// Whether no text and no line across is on these cells.
    pub fn is_free(&self, x: usize, y: usize, cells: usize, except: u8) -> bool {
        (x..x + cells).all(|x| {
            x < self.width
                && self
                    .cells
                    .get(y * self.width + x)
                    .is_some_and(|cell| cell.text.is_none() && cell.lines & !(except | DASHED) == 0)
        })
    }

    /// Whether text may be centred over a line that runs down here.
    pub fn is_free_over_vertical(&self, x: usize, y: usize, cells: usize) -> bool {
        self.is_free(x, y, cells, UP | DOWN)
    }

    /// Whether text may stand on a line that runs across here.
    pub fn is_free_over_horizontal(&self, x: usize, y: usize, cells: usize) -> bool {
        self.is_free(x, y, cells, LEFT | RIGHT)
    }

    /// Returns the rows.
    pub fn rows(&self) -> Vec<String> {
        let rows = self.cells.chunks(self.width).map(|row| {
            let text: String = row.iter().map(Cell::shown).collect();
            text.trim_end().to_owned()
        });
        rows.collect()
    }
}

impl Cell {
    fn shown(&self) -> std::borrow::Cow<'_, str> {
        if let Some(text) = &self.text {
            return text.as_str().into();
        }
        let dashed = self.lines & DASHED != 0;
        let sign = match (self.lines & 15, dashed) {
            (0, _) => " ",
            (12 | 4 | 8, false) => "─",
            (12 | 4 | 8, true) => "╌",
            (1..=3, false) => "│",
            (1..=3, true) => "╎",
            (10, _) => "┌",
            (6, _) => "┐",
            (9, _) => "└",
            (5, _) => "┘",
            (11, _) => "├",
            (7, _) => "┤",
            (14, _) => "┬",
            (13, _) => "┴",
            _ => "┼",
        };
        sign.into()
    }
}
