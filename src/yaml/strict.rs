//! Texts that the event parser lets pass and the parser that Backstage uses refuses.
//!
//! Only values that span several lines, and plain texts with an odd first character, are looked at; so
//! ordinary documents pay next to nothing.

use super::Source;
use super::explain;
use super::node::Position;
use crate::diagnostic::Diagnostic;

/// Columns behind this one are not looked at again: a line may hold a million values.
pub(super) const MAX_COLUMN: u32 = 2000;

/// Refuses a plain text that begins with a character that has another meaning.
pub(super) fn plain_start(source: &Source<'_>, text: &str, at: Position) -> Result<(), Box<Diagnostic>> {
    match text.chars().next() {
        Some(c @ ('|' | '>' | '%' | '@' | '`' | ',')) => Err(explain::reserved_start(source, c, at)),
        _ => Ok(()),
    }
}

/// Refuses continuation lines of a quoted text that are not indented below their parent.
pub(super) fn quoted(
    source: &Source<'_>,
    first: u32,
    last: u32,
    indent: usize,
) -> Result<(), Box<Diagnostic>> {
    for line in first + 1..=last {
        let text = source.line(line);
        let spaces = leading_spaces(text);
        if spaces < indent && spaces < text.len() {
            return Err(explain::continuation(
                source,
                Position { line, column: spaces as u32 + 1 },
                indent,
                first,
            ));
        }
    }
    Ok(())
}

/// Refuses lines of a list or mapping in brackets that are not indented below their parent; only the
/// line of the outermost closing bracket may stand at the parent's column.
pub(super) fn flow(source: &Source<'_>, first: u32, last: u32, indent: usize) -> Result<(), Box<Diagnostic>> {
    for line in first + 1..=last {
        let text = source.line(line);
        let spaces = leading_spaces(text);
        let rest = text.get(spaces..).unwrap_or("");
        let closing = line == last && rest.starts_with([']', '}']) && spaces + 1 == indent;
        if spaces < indent && !rest.is_empty() && !rest.starts_with('#') && !closing {
            return Err(explain::continuation(
                source,
                Position { line, column: spaces as u32 + 1 },
                indent,
                first,
            ));
        }
    }
    Ok(())
}

/// Refuses tabs before the indentation of a block text is reached.
pub(super) fn block(
    source: &Source<'_>,
    first: u32,
    last: u32,
    indent: usize,
) -> Result<(), Box<Diagnostic>> {
    for line in first + 1..=last {
        let text = source.line(line);
        let spaces = leading_spaces(text);
        if spaces < indent && text.as_bytes().get(spaces) == Some(&b'\t') {
            return Err(explain::tab(source, Position { line, column: spaces as u32 + 1 }));
        }
    }
    Ok(())
}

/// Refuses tabs before a value that begins a line or, for lists and mappings of their own lines, follows
/// a dash.
pub(super) fn tabs(
    source: &Source<'_>,
    at: Position,
    block: bool,
    indent: usize,
) -> Result<(), Box<Diagnostic>> {
    if at.column > MAX_COLUMN {
        return Ok(());
    }
    let before: String = source.line(at.line).chars().take(at.column as usize - 1).collect();
    let Some(tab) = before.find('\t') else { return Ok(()) };
    let spaces = leading_spaces(&before);
    let indentation = before.trim_start_matches([' ', '\t']).is_empty();
    if (block && before.trim_start_matches([' ', '\t', '-', '?', ':']).is_empty())
        || (indentation && spaces < indent)
    {
        return Err(explain::tab(source, Position { line: at.line, column: tab as u32 + 1 }));
    }
    Ok(())
}

fn leading_spaces(text: &str) -> usize {
    text.bytes().take_while(|b| *b == b' ').count()
}
