//! Says in words what is wrong with a text that does not parse, and where.

use super::node::{Node, Position};
use super::{MAX_DEPTH, Source};
use crate::diagnostic::Diagnostic;
use saphyr_parser::Marker;

/// What messages are made from.
pub(super) struct Context<'c, 'a> {
    /// Line of the file on which the document's text starts.
    pub first_line: u32,
    /// Line of the file on which it ends.
    pub last_line: u32,
    pub source: &'c Source<'a>,
    /// Whether the document has a tab anywhere.
    pub tabs: bool,
}

impl<'a> Context<'_, 'a> {
    /// Returns a place of the event parser as a place in the file; what lies behind the end is at the end.
    pub(super) fn position(&self, marker: Marker) -> Position {
        let line = self.first_line + (marker.line() as u32).saturating_sub(1);
        if line > self.last_line {
            let column = self.source.line(self.last_line).chars().count() as u32 + 1;
            return Position { line: self.last_line, column };
        }
        Position { line, column: marker.col() as u32 + 1 }
    }

    /// Iterates over the lines of the document with their numbers in the file.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u32, &'a str)> {
        (self.first_line..=self.last_line).map(|number| (number, self.source.line(number)))
    }
}

/// The same key twice in one mapping.
pub(super) fn duplicate_key(
    context: &Context<'_, '_>,
    first: &Node<'_>,
    second: &Node<'_>,
) -> Box<Diagnostic> {
    let key = second.key_text();
    let (a, b) = (first.start.line, second.start.line);
    Box::new(
        context
            .source
            .error(
                "yaml::duplicate-key",
                format!("`{key}` is given twice in one mapping, on lines {a} and {b}"),
                second.start,
                second.width,
                "again",
            )
            .hint(format!("keep one of the two; the first `{key}` is on line {a}")),
    )
}

/// Root keys of an entity a second time: two entities without a `---` between them.
pub(super) fn missing_separator(context: &Context<'_, '_>, second: &Node<'_>) -> Box<Diagnostic> {
    let line = second.start.line;
    let message = format!("a second entity begins on line {line}, but no `---` stands before it");
    Box::new(
        context
            .source
            .error("yaml::missing-separator", message, second.start, second.width, "begins here")
            .hint(format!("put a line `---` before line {line}")),
    )
}

/// Nesting beyond [`MAX_DEPTH`].
pub(super) fn too_deep(context: &Context<'_, '_>, at: Position) -> Box<Diagnostic> {
    Box::new(context.source.error(
        "yaml::too-deep",
        format!("values are nested more than {MAX_DEPTH} levels deep"),
        at,
        1,
        "the limit is reached here",
    ))
}

/// Aliases that copy more than the budget.
pub(super) fn alias_bomb(context: &Context<'_, '_>, at: Position) -> Box<Diagnostic> {
    Box::new(
        context
            .source
            .error("yaml::alias-bomb", "aliases expand to far more than was written", at, 1, "")
            .hint("write the values out, or use fewer aliases inside anchored values"),
    )
}

/// An alias inside the value its anchor names.
pub(super) fn alias_in_itself(context: &Context<'_, '_>, at: Position) -> Box<Diagnostic> {
    Box::new(context.source.error("yaml::alias", "an alias stands inside the value that it names", at, 1, ""))
}

/// A plain text that begins with a character that means something else.
pub(super) fn reserved_start(source: &Source<'_>, c: char, at: Position) -> Box<Diagnostic> {
    Box::new(
        source
            .error(
                "yaml::reserved-character",
                format!("a text cannot begin with `{c}`"),
                at,
                1,
                "begins here",
            )
            .hint("put the text in quotes"),
    )
}

/// A line of a value that goes on over several lines and is indented too little.
pub(super) fn continuation(source: &Source<'_>, at: Position, indent: usize, first: u32) -> Box<Diagnostic> {
    let message =
        format!("the value that begins on line {first} goes on here, but the line is indented too little");
    Box::new(
        source
            .error("yaml::indentation", message, at, 1, format!("column {}", at.column))
            .hint(format!("begin the line at column {} or further right", indent + 1)),
    )
}

/// A tab where only spaces may stand.
pub(super) fn tab(source: &Source<'_>, at: Position) -> Box<Diagnostic> {
    Box::new(
        source
            .error("yaml::tab", format!("tab in the indentation of line {}", at.line), at, 1, "a tab")
            .hint("indent with spaces"),
    )
}
