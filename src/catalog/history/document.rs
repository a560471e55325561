//! One version of a document: found in the content of a file by the ref of its entity.

use crate::catalog::diff::{FieldChange, fields};
use crate::catalog::stitch::canonical_ref;
use crate::model::value::ValueRef;
use crate::yaml::{decode_lossy, parse_stream};
use git2::{DiffOptions, Patch};
use std::sync::Arc;

/// Largest file that is looked into, in bytes.
pub(super) const MAX_FILE: usize = 8 * 1024 * 1024;
/// Largest document whose lines are compared, in bytes.
const MAX_COMPARED: usize = 1024 * 1024;
/// Longest list of lines that differ, in bytes.
const MAX_LINES: usize = 64 * 1024;

/// What a file holds of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Missing,
    /// Something in the file does not parse, and the entity is not in the rest.
    Broken,
    /// Its document.
    Document(Arc<Version>),
}

/// One version of a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub packed: Box<[u8]>,
    pub text: String,
}

impl Found {
    /// Looks for an entity in the content of a file.
    pub(super) fn in_content(bytes: &[u8], entity_ref: &str) -> Self {
        if bytes.len() > MAX_FILE {
            return Self::Broken;
        }
        let file: Arc<str> = "".into();
        let Ok((text, _)) = decode_lossy(bytes, &file) else { return Self::Broken };
        let mut is_broken = false;
        for document in parse_stream(&text, &file) {
            match document.content {
                Ok(Some(node)) => {
                    let packed = node.to_packed();
                    if canonical_ref(ValueRef::new(&packed)).as_deref() == Some(entity_ref) {
                        let text = document_text(&text, document.line as usize);
                        return Self::Document(Arc::new(Version { packed, text }));
                    }
                }
                Ok(None) => {}
                Err(_) => is_broken = true,
            }
        }
        if is_broken { Self::Broken } else { Self::Missing }
    }
}

/// Returns whether a file can hold an entity: its name is written as in the ref but for its case.
pub(super) fn may_hold(bytes: &[u8], entity_ref: &str) -> bool {
    let name = entity_ref.rsplit('/').next().unwrap_or(entity_ref).as_bytes();
    !name.is_ascii() || bytes.windows(name.len().max(1)).any(|part| part.eq_ignore_ascii_case(name))
}

/// Returns the lines of the document that a line (1-based) belongs to.
fn document_text(text: &str, line: usize) -> String {
    let is_end = |text: &str| {
        let rest = text.strip_prefix("---").or_else(|| text.strip_prefix("..."));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let lines: Vec<&str> = text.lines().collect();
    let at = line.saturating_sub(1).min(lines.len());
    let first = lines.iter().take(at).rposition(|line| is_end(line)).map_or(0, |found| found + 1);
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate().skip(first) {
        if number > at && is_end(line) {
            break;
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

impl Version {
    /// Returns the fields that differ from an older version, and how many more there are.
    pub(super) fn fields_since(&self, older: &Self) -> (Vec<FieldChange>, usize) {
        fields(ValueRef::new(&older.packed), ValueRef::new(&self.packed))
    }

    /// Returns whether both say the same.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.packed == other.packed || self.fields_since(other).0.is_empty()
    }
}

/// Returns the lines that differ between two texts, as a unified diff without its head.
pub(super) fn lines(old: &str, new: &str) -> String {
    if old.len() > MAX_COMPARED || new.len() > MAX_COMPARED {
        return "the document is too large to compare its lines\n".to_owned();
    }
    let mut options = DiffOptions::new();
    options.context_lines(3).force_text(true);
    let patch = Patch::from_buffers(old.as_bytes(), None, new.as_bytes(), None, Some(&mut options));
    let text = patch
        .and_then(|mut patch| patch.to_buf())
        .map(|buffer| String::from_utf8_lossy(&buffer).into_owned());
    let text = text.unwrap_or_default();
    let body = text.find("\n@@").map_or("", |at| text.get(at + 1..).unwrap_or(""));
    if body.len() <= MAX_LINES {
        return body.to_owned();
    }
    let end = (0..=MAX_LINES).rev().find(|end| body.is_char_boundary(*end)).unwrap_or(0);
    format!("{}\n… the rest is left out\n", body.get(..end).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str =
        "# head\nkind: Component\nmetadata: {name: A}\n---\nkind: Group\nmetadata:\n  name: b\n";

    #[test]
    fn a_document_is_found_by_its_ref() {
        let Found::Document(found) = Found::in_content(TWO.as_bytes(), "group:default/b") else { panic!() };
        assert_eq!(found.text, "kind: Group\nmetadata:\n  name: b\n");
        assert!(matches!(Found::in_content(TWO.as_bytes(), "component:default/a"), Found::Document(_)));
        assert_eq!(Found::in_content(TWO.as_bytes(), "component:default/b"), Found::Missing);
        assert_eq!(Found::in_content(b"b: [\n", "group:default/b"), Found::Broken);
        assert_eq!(Found::in_content(b"\xff\xfeb\0", "group:default/b"), Found::Broken);
        assert_eq!(Found::in_content(b"", "group:default/b"), Found::Missing);
    }

    #[test]
    fn lines_that_differ_are_told_without_a_head() {
        assert_eq!(lines("a\nb\n", "a\nc\n"), "@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
        assert_eq!(lines("", "a\n"), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(lines("a\n", "a\n"), "");
    }
}
