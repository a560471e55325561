//! What is wrong, where, and what to do about it.
//!
//! Everything a person reads about trouble is a [`Diagnostic`]: the Problems pane draws it, the
//! command line prints it with [`Diagnostic::render`], scripts read it as JSON. It is built where the
//! knowledge is; higher layers only pass it on. Lines and columns are 1-based, columns count
//! characters. Texts taken from files are kept as they are and sanitised when they are drawn.

use crate::model::text::clean;
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;

/// How bad it is. `Error` makes a document invalid; the others do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The thing cannot be used as it stands.
    Error,
    /// It works, and is probably not what the author meant.
    Warning,
    /// Worth knowing.
    Info,
}

impl Severity {
    /// Returns the word shown to people and scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

/// A place in a text: file or URL, 1-based line and column (0 = unknown).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SourceLocation {
    /// Path as the user would type it, or the URL.
    pub file: Arc<str>,
    /// 1-based; 0 when only the file is known.
    pub line: u32,
    /// 1-based, in characters; 0 when only the line is known.
    pub column: u32,
}

impl SourceLocation {
    /// Returns the location of a whole file.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }

    /// Returns the location of a line and column (both 1-based) in a file.
    pub fn at(file: impl Into<Arc<str>>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }
}

impl std::fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.line, self.column) {
            (0, _) => write!(f, "{}", self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name for scripts, `area::cause` in kebab case: `catalog::invalid-name`.
    pub code: &'static str,
    /// What could not be done, to which thing, why. Lower case, no final stop, names in backticks.
    pub message: String,
    /// Where, if it has a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<SourceLocation>,
    /// JSON pointer into the document: `/spec/owner`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Text of the line at `location`, for the caret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<String>,
    /// Short words under the caret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How many characters the caret underlines, at least 1.
    #[serde(skip)]
    pub width: u32,
    /// What to do about it: a sentence with the exact line or command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Canonical ref of the entity it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity: Option<String>,
    /// Name of the catalog source it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Arc<str>>,
}

impl Diagnostic {
    /// Creates a diagnostic with nothing but its message.
    pub fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            location: None,
            pointer: None,
            snippet: None,
            label: None,
            width: 1,
            hint: None,
            entity: None,
            source: None,
        }
    }

    /// Creates an error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Creates a warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// Sets the place.
    #[must_use]
    pub fn at(mut self, location: SourceLocation) -> Self {
        self.location = Some(location);
        self
    }

    /// Sets the JSON pointer.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }

    /// Sets the source line, the number of characters to underline and the words under them.
    #[must_use]
    pub fn snippet(mut self, line: impl Into<String>, width: u32, label: impl Into<String>) -> Self {
        self.snippet = Some(line.into());
        self.width = width.max(1);
        let label = label.into();
        self.label = (!label.is_empty()).then_some(label);
        self
    }

    /// Sets the hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the entity ref.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<String>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Returns whether this makes its document invalid.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Returns the plain text form with place, source line, caret and hint; ends with a newline.
    ///
    /// Control characters of foreign text are replaced, so that it is safe on a terminal.
    pub fn render(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}[{}]: {}", self.severity.as_str(), self.code, clean(&self.message));
        if let Some(location) = &self.location {
            let _ = writeln!(out, "  --> {}", clean(&location.to_string()));
        }
        if let (Some(snippet), Some(location)) = (&self.snippet, &self.location) {
            render_snippet(&mut out, snippet, location, self.width, self.label.as_deref());
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "   = hint: {}", clean(hint));
        }
        out
    }
}

/// Longest part of a source line that is shown, in characters.
const SNIPPET_CHARS: usize = 160;

fn render_snippet(
    out: &mut String,
    snippet: &str,
    location: &SourceLocation,
    width: u32,
    label: Option<&str>,
) {
    let number = location.line.to_string();
    let line: String = clean(snippet).chars().take(SNIPPET_CHARS).collect();
    let _ = writeln!(out, "{number} | {line}");
    let column = location.column.max(1) as usize - 1;
    if location.column == 0 || column >= SNIPPET_CHARS {
        return;
    }
    let cells = |text: &mut dyn Iterator<Item = char>| -> usize {
        text.map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or(0)).sum()
    };
    let before = cells(&mut line.chars().take(column));
    let under = cells(&mut line.chars().skip(column).take(width as usize)).max(1);
    let pad = number.len() + 3 + before;
    let _ = write!(out, "{:pad$}{}", "", "^".repeat(under));
    let _ = writeln!(out, "{}{}", if label.is_some() { " " } else { "" }, clean(label.unwrap_or("")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_place_caret_and_hint() {
        let text = Diagnostic::error("catalog::invalid-name", "`Checkout API` is not a valid entity name")
            .at(SourceLocation::at("payments.yaml", 14, 9))
            .snippet("  name: Checkout API", 12, "spaces are not allowed")
            .hint("use letters, digits, `-`, `_` or `.`")
            .render();
        assert_eq!(
            text,
            "error[catalog::invalid-name]: `Checkout API` is not a valid entity name\n  --> payments.yaml:14:9\n\
             14 |   name: Checkout API\n             ^^^^^^^^^^^^ spaces are not allowed\n   = hint: use letters, \
             digits, `-`, `_` or `.`\n"
        );
    }

    #[test]
    fn never_prints_control_codes() {
        let text = Diagnostic::error("x::y", "bad \u{1b}[31mred\u{7}").render();
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'));
    }
}
