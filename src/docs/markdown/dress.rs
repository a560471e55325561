//! What the dialect writes within text and CommonMark does not know.

use super::parse::Reader;
use super::rich::Rich;

/// Takes the language off code within text: `#!python print()`, `:::python print()`.
pub(super) fn without_language(code: &str) -> &str {
    let Some(rest) = code.strip_prefix("#!").or_else(|| code.strip_prefix(":::")) else { return code };
    match rest.split_once(char::is_whitespace) {
        Some((name, inner))
            if !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "+-_#.".contains(c)) =>
        {
            inner
        }
        _ => code,
    }
}

/// Reads the dialect from a text.
pub(super) fn dress(_reader: &mut Reader<'_>, _rich: &mut Rich, _line: u32) {}
