//! A place in a file, kept with its line for a message that is made later.

use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::yaml::{Position, Source};

/// A place in a file with the text of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    location: SourceLocation,
    line: Box<str>,
    width: u32,
}

/// Longest line that is kept, in bytes; a caret further right is not drawn anyway.
const MAX_LINE: usize = 400;

impl Mark {
    /// Creates the mark of a place.
    pub(super) fn new(source: &Source<'_>, start: Position, width: u32) -> Self {
        let line = source.line(start.line);
        let mut end = line.len().min(MAX_LINE);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let line = line.get(..end).unwrap_or("").into();
        Self { location: start.location(&source.file), line, width }
    }

    /// Creates a diagnostic at this place.
    pub(super) fn diagnostic(
        &self,
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(severity, code, message).at(self.location.clone()).snippet(
            self.line.to_string(),
            self.width,
            "",
        )
    }
}
