//! Where each line of a page comes from, once other files were pulled into it.

use std::sync::Arc;

/// A run of lines that come from one file, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// 1-based line of the page.
    start: u32,
    lines: u32,
    file: Arc<str>,
    /// 1-based line of the file.
    line: u32,
    /// Characters put in front of each line.
    indent: u32,
}

impl Piece {
    /// Adds a line to the pieces of a page.
    pub(super) fn add(pieces: &mut Vec<Self>, file: &Arc<str>, line: u32, indent: u32) {
        let start = pieces.last().map_or(1, |piece| piece.start + piece.lines);
        match pieces.last_mut() {
            Some(last) if last.file == *file && last.line + last.lines == line && last.indent == indent => {
                last.lines += 1;
            }
            _ => pieces.push(Self { start, lines: 1, file: file.clone(), line, indent }),
        }
    }
}

/// Where lines come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineMap(Vec<Piece>);

impl LineMap {
    /// Returns the map of a page that is one file.
    pub fn of_one(file: Arc<str>) -> Self {
        Self(vec![Piece { start: 1, lines: u32::MAX - 1, file, line: 1, indent: 0 }])
    }

    pub(super) fn of_pieces(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// Returns file, line and column of a place in the page, all 1-based.
    pub fn place(&self, line: u32, column: u32) -> (Arc<str>, u32, u32) {
        let at = self.0.partition_point(|piece| piece.start <= line);
        match at.checked_sub(1).and_then(|at| self.0.get(at)) {
            Some(piece) => {
                let inside = line - piece.start;
                (piece.file.clone(), piece.line + inside, column.saturating_sub(piece.indent).max(1))
            }
            None => ("".into(), line, column),
        }
    }

    /// Returns the line of the page that shows a line of a file, if any does.
    pub fn line_of(&self, file: &str, line: u32) -> Option<u32> {
        let piece = self.0.iter().find(|piece| {
            &*piece.file == file && (piece.line..piece.line.saturating_add(piece.lines)).contains(&line)
        })?;
        Some(piece.start + (line - piece.line))
    }
}
