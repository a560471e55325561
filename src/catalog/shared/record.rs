//! The records of a data object: one JSON object a line.
//!
//! A line has one known key: `snapshot` (the first), `file`, `problems` (outside of any file), `end` (the
//! last). Lines and fields that this version does not know are passed over.

use super::SharedError;
use super::packed::{Packed, Published};
use crate::catalog::cache::column::Column;
use crate::catalog::snapshot::{FileContent, ParsedDocument, ParsedFile, RelationsFrom};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::model::relation;
use crate::model::value::ValueRef;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// The first record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// As in the manifest.
    pub format: String,
    /// Names and types of the sources, by their numbers.
    pub sources: Vec<HeaderSource>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HeaderSource {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// The last record: how much there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct End {
    pub files: u64,
    pub entities: u64,
}

/// A file, for writing.
#[derive(Debug, Serialize)]
pub(super) struct FileOut<'a> {
    pub source: u16,
    pub path: &'a str,
    pub location: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<&'a str>,
    /// `given` or `part` when `relations` of the entities counts and not `spec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relations: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<EntityOut<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// An entity, for writing.
#[derive(Debug, Serialize)]
pub(super) struct EntityOut<'a> {
    pub line: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub document: u32,
    #[serde(skip_serializing_if = "is_true")]
    pub valid: bool,
    /// Line and column of each relation, in the order of the fields of its kind.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub marks: &'a [[u32; 2]],
    pub entity: Published<'a>,
}

/// A line, for reading.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    pub snapshot: Option<Header>,
    pub file: Option<FileIn>,
    #[serde(default)]
    pub problems: Vec<Problem>,
    pub end: Option<End>,
}

/// A file, for reading.
#[derive(Debug, Deserialize)]
pub(super) struct FileIn {
    pub path: String,
    pub location: String,
    pub origin: Option<String>,
    pub relations: Option<String>,
    #[serde(default)]
    pub entities: Vec<EntityIn>,
    #[serde(default)]
    pub problems: Vec<Problem>,
}

/// An entity, for reading.
#[derive(Debug, Deserialize)]
pub(super) struct EntityIn {
    #[serde(default)]
    pub line: u32,
    #[serde(default)]
    pub document: u32,
    #[serde(default = "yes")]
    pub valid: bool,
    #[serde(default)]
    pub marks: Vec<[u32; 2]>,
    pub entity: Packed,
}

/// Something that is wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Problem {
    severity: String,
    code: String,
    message: String,
    /// `None` in a file: that file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    line: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    column: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    snippet: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    width: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entity: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde asks for")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde asks for")]
fn is_true(value: &bool) -> bool {
    *value
}

/// Returns the word for where relations come from.
pub(super) fn relations_word(relations: RelationsFrom) -> Option<&'static str> {
    match relations {
        RelationsFrom::Spec => None,
        RelationsFrom::Given => Some("given"),
        RelationsFrom::GivenInPart => Some("part"),
    }
}

fn yes() -> bool {
    true
}

impl Problem {
    /// Takes a diagnostic; `file` is where it is, unless that is the file it is written in.
    pub(super) fn of(diagnostic: &Diagnostic, file: Option<String>, clean: impl Fn(&str) -> String) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(&clean);
        let place = diagnostic.location.as_ref();
        Self {
            severity: diagnostic.severity.as_str().to_owned(),
            code: diagnostic.code.to_owned(),
            message: clean(&diagnostic.message),
            file,
            line: place.map_or(0, |place| place.line),
            column: place.map_or(0, |place| place.column),
            pointer: diagnostic.pointer.clone(),
            snippet: text(&diagnostic.snippet),
            label: text(&diagnostic.label),
            width: if diagnostic.width == 1 { 0 } else { diagnostic.width },
            hint: text(&diagnostic.hint),
            entity: diagnostic.entity.clone(),
        }
    }

    /// Makes a diagnostic of the source that reads it.
    pub(super) fn into_diagnostic(self, file: Option<&Arc<str>>, source: &Arc<str>) -> Diagnostic {
        let severity = match self.severity.as_str() {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            _ => Severity::Info,
        };
        let file = self.file.map(Arc::from).or_else(|| file.cloned());
        Diagnostic {
            severity,
            code: code(&self.code),
            message: self.message,
            location: file.map(|file| SourceLocation::at(file, self.line, self.column)),
            pointer: self.pointer,
            snippet: self.snippet,
            label: self.label,
            width: self.width.max(1),
            hint: self.hint,
            entity: self.entity,
            source: Some(source.clone()),
        }
    }
}

/// Most codes that are taken from snapshots; the program has fewer.
const MAX_CODES: usize = 1000;

/// Returns a code with the life of those that are built in. Whoever invents more than there can be gets
/// the same one for all.
fn code(text: &str) -> &'static str {
    static CODES: LazyLock<Mutex<FxHashSet<&'static str>>> = LazyLock::new(Mutex::default);
    const OTHER: &str = "snapshot::problem";
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(text) {
        return known;
    }
    let is_code = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b':' | b'-');
    if codes.len() >= MAX_CODES || text.len() > 80 || text.is_empty() || !text.bytes().all(is_code) {
        return OTHER;
    }
    let new: &'static str = Box::leak(text.to_owned().into_boxed_str());
    codes.insert(new);
    new
}

impl FileIn {
    /// Makes a file of the source that reads it.
    ///
    /// # Errors
    /// [`SharedError::Broken`] when something in it is no entity.
    pub(super) fn into_parsed(self, source: u16, name: &Arc<str>) -> Result<ParsedFile, SharedError> {
        let path: Arc<str> = self.path.into();
        let location_ref: Arc<str> = self.location.into();
        let origin_ref = self.origin.map_or_else(|| location_ref.clone(), Arc::from);
        let diagnostics =
            self.problems.into_iter().map(|problem| problem.into_diagnostic(Some(&path), name)).collect();
        let relations = match self.relations.as_deref() {
            Some("given") => RelationsFrom::Given,
            Some("part") => RelationsFrom::GivenInPart,
            _ => RelationsFrom::Spec,
        };
        let documents: Option<_> =
            self.entities.into_iter().map(|entity| entity.into_document(relations)).collect();
        let documents =
            documents.ok_or_else(|| SharedError::broken(format!("something in `{path}` is no entity")))?;
        let content = FileContent { path, location_ref, origin_ref, relations, documents, diagnostics };
        Ok(ParsedFile::new(source, content))
    }
}

impl EntityIn {
    fn into_document(self, relations: RelationsFrom) -> Option<ParsedDocument> {
        let packed = self.entity.0;
        let value = ValueRef::new(&packed);
        crate::catalog::stitch::canonical_ref(value)?;
        let mut stated = 0;
        if !relations.is_given() {
            relation::visit(value, |_| stated += 1);
        }
        // another version may know other fields: places are worth nothing then
        let marks = if self.marks.len() == stated { self.marks } else { vec![[self.line, 1]; stated] };
        Some(ParsedDocument {
            packed: Column::from(packed),
            line: self.line,
            document: self.document,
            marks: Column::from(marks),
            valid: self.valid,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_few_and_well_formed() {
        assert_eq!(code("catalog::conflict"), "catalog::conflict");
        for odd in ["", "x\u{1b}[2J", "UPPER", &"x".repeat(100)] {
            assert_eq!(code(odd), "snapshot::problem");
        }
        for number in 0..2 * MAX_CODES {
            code(&format!("made::up-{number}"));
        }
        assert_eq!(code("made::up-for-good"), "snapshot::problem");
    }

    #[test]
    fn a_problem_comes_back() {
        let file: Arc<str> = "a.yaml".into();
        let source: Arc<str> = "company".into();
        let mut diagnostic = Diagnostic::warning("catalog::odd", "odd")
            .at(SourceLocation::at(file.clone(), 3, 4))
            .pointer("/spec")
            .snippet("  x: y", 3, "here")
            .hint("do")
            .entity("component:default/a");
        diagnostic.source = Some(source.clone());
        let json = serde_json::to_string(&Problem::of(&diagnostic, None, str::to_owned)).unwrap();
        let read: Problem = serde_json::from_str(&json).unwrap();
        assert_eq!(read.into_diagnostic(Some(&file), &source), diagnostic);
    }
}
