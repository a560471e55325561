//! A text with its name, for messages that show a line of it.

use super::node::Position;
use crate::diagnostic::Diagnostic;
use std::cell::OnceCell;
use std::sync::Arc;

/// Longest part of a line kept in a message, in bytes.
const MAX_SNIPPET: usize = 1000;

/// A text and the file it came from; finds lines in constant time once the first was asked for.
#[derive(Debug)]
pub struct Source<'a> {
    /// The whole text, decoded.
    pub text: &'a str,
    /// Path as the user would type it, or the URL.
    pub file: Arc<str>,
    /// Byte offset of each line.
    starts: OnceCell<Vec<usize>>,
}

impl<'a> Source<'a> {
    /// Creates a source; costs nothing until a line is asked for.
    pub fn new(text: &'a str, file: &Arc<str>) -> Self {
        Self { text, file: file.clone(), starts: OnceCell::new() }
    }

    /// Returns a line (1-based) without its line break; empty when there is none.
    pub fn line(&self, line: u32) -> &'a str {
        let starts = self.starts.get_or_init(|| {
            let breaks = self.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
        });
        let line = line as usize;
        let start = line.checked_sub(1).and_then(|n| starts.get(n)).copied();
        let Some(rest) = start.and_then(|start| self.text.get(start..)) else { return "" };
        let length = starts.get(line).zip(start).map_or(rest.len(), |(next, start)| *next - start);
        rest.get(..length).unwrap_or("").trim_end_matches(['\n', '\r'])
    }

    /// Returns a line for showing: as [`Self::line`], cut where it is endless.
    pub fn snippet(&self, line: u32) -> &'a str {
        let text = self.line(line);
        let end = (0..=text.len().min(MAX_SNIPPET)).rev().find(|at| text.is_char_boundary(*at));
        text.get(..end.unwrap_or(0)).unwrap_or("")
    }

    /// Creates an error at a place, with the line, a caret and words under it.
    pub fn error(
        &self,
        code: &'static str,
        message: impl Into<String>,
        at: Position,
        width: u32,
        label: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::error(code, message).at(at.location(&self.file)).snippet(self.line(at.line), width, label)
    }
}
