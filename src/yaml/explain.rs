//! Says in words what is wrong with a text that does not parse, and where.

use super::node::{Node, Position};
use super::split::Chunk;
use super::{MAX_DEPTH, Source};
use crate::diagnostic::Diagnostic;
use saphyr_parser::{Marker, ScanError};

/// What messages are made from.
pub(super) struct Context<'c, 'a> {
    pub chunk: &'c Chunk<'a>,
    pub source: &'c Source<'a>,
}

impl Context<'_, '_> {
    /// Returns a place of the parser as a place in the file.
    pub(super) fn position(&self, marker: Marker) -> Position {
        Position { line: self.chunk.first_line + marker.line() as u32 - 1, column: marker.col() as u32 + 1 }
    }
}

/// Explains what the parser stumbled over.
pub(super) fn scan_error(context: &Context<'_, '_>, error: &ScanError) -> Box<Diagnostic> {
    let at = context.position(*error.marker());
    Box::new(context.source.error("yaml::syntax", format!("this is not YAML: {}", error.info()), at, 1, ""))
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
