//! A TOML file with the place of everything in it.
//!
//! Reading is bounded and never fails as a whole: a syntax mistake is a diagnostic and what stands
//! around it still counts.

use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use serde::Deserialize;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Larger files are refused: nobody writes a megabyte of settings.
const MAX_BYTES: u64 = 1024 * 1024;

/// Longest underline under a mistake, in characters.
const MAX_UNDERLINE: usize = 60;

/// One file of settings, parsed.
#[derive(Debug, Clone)]
pub struct Document<'t> {
    /// Path as it is shown.
    pub file: Arc<str>,
    text: &'t str,
    root: DeTable<'t>,
}

impl<'t> Document<'t> {
    /// Parses a text; mistakes are added to `diagnostics` and what they spoil is left out.
    pub fn parse(file: &str, text: &'t str, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { file: Arc::from(file), text, root: root.into_inner() };
        let mut last_line = 0;
        for error in errors.iter().take(20) {
            let span = error.span().unwrap_or(0..0);
            // What follows the first mistake of a line is its echo
            let line = document.location(&span).line;
            if std::mem::replace(&mut last_line, line) == line {
                continue;
            }
            let message = format!("could not read settings: {}", error.message());
            diagnostics.push(document.diagnostic(
                Severity::Error,
                "config::syntax",
                message,
                span,
                "not valid TOML",
            ));
        }
        document
    }

    /// Returns the top-level table.
    pub fn root(&self) -> &DeTable<'t> {
        &self.root
    }

    /// Returns the whole text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Returns the place of a span.
    pub fn location(&self, span: &Range<usize>) -> SourceLocation {
        let (line, column, _) = self.place(span.start);
        SourceLocation::at(self.file.clone(), line, column)
    }

    /// Creates a diagnostic that points at a span.
    pub fn diagnostic(
        &self,
        severity: Severity,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Diagnostic {
        let (line, column, source_line) = self.place(span.start);
        let spanned = self.text.get(span).unwrap_or("");
        let width = spanned.lines().next().unwrap_or("").chars().count().clamp(1, MAX_UNDERLINE);
        Diagnostic::new(severity, code, message)
            .at(SourceLocation::at(self.file.clone(), line, column))
            .snippet(source_line, width as u32, label)
    }

    /// Returns line and column (1-based, in characters) of a byte, and the text of that line.
    fn place(&self, byte: usize) -> (u32, u32, &str) {
        let mut at = byte.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let (before, after) = self.text.split_at(at);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = after.find('\n').map_or(self.text.len(), |newline| at + newline);
        let line = before.matches('\n').count() + 1;
        let column = before[start..].chars().count() + 1;
        (line as u32, column as u32, self.text[start..end].trim_end_matches('\r'))
    }
}

/// Reads a regular UTF-8 file of bounded size; `Ok(None)` when there is none.
///
/// # Errors
/// A diagnostic that says why not.
pub fn read_text(path: &Path) -> Result<Option<String>, Box<Diagnostic>> {
    let shown = path.display().to_string();
    let failed = |cause: String, hint: &str| {
        Box::new(
            Diagnostic::error("config::unreadable", format!("could not read settings `{shown}`: {cause}"))
                .at(SourceLocation::file(shown.as_str()))
                .hint(hint),
        )
    };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // A file where a folder should be: nothing of ours can be in there
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => {
            return Err(failed(error.to_string(), "check the permissions of the file and its folder"));
        }
    };
    if !metadata.is_file() {
        return Err(failed("it is not a regular file".to_owned(), "put a plain text file in its place"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(failed("it is larger than 1 MiB".to_owned(), "settings are a small text file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|error| failed(error.to_string(), "check the permissions of the file"))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| failed("it is not UTF-8 text".to_owned(), "save the file as UTF-8"))?;
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

/// Returns a plain copy of a value.
pub fn plain(value: &Spanned<DeValue<'_>>) -> Option<toml::Value> {
    toml::Value::deserialize(toml::de::ValueDeserializer::from(value.clone())).ok()
}

/// One leaf of a table of tables: its dotted name, the span of its last key, its value.
pub type Leaf<'a, 't> = (String, Range<usize>, &'a Spanned<DeValue<'t>>);

/// Returns every leaf below a table, names joined with dots, in the order of the file; tables for
/// which `stop` says true are leaves.
pub fn leaves<'a, 't>(table: &'a DeTable<'t>, stop: &dyn Fn(&str) -> bool) -> Vec<Leaf<'a, 't>> {
    let mut found = Vec::new();
    collect("", table, stop, 0, &mut found);
    found.sort_by_key(|(_, span, _)| span.start);
    found
}

/// Deeper tables are leaves, whatever they hold; no setting is nested further.
const MAX_DEPTH: usize = 8;

fn collect<'a, 't>(
    prefix: &str,
    table: &'a DeTable<'t>,
    stop: &dyn Fn(&str) -> bool,
    depth: usize,
    found: &mut Vec<Leaf<'a, 't>>,
) {
    for (key, value) in table {
        let name =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        match value.get_ref().as_table() {
            Some(inner) if depth < MAX_DEPTH && !stop(&name) => collect(&name, inner, stop, depth + 1, found),
            _ => found.push((name, key.span(), value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mistake_spoils_its_own_line() {
        let mut diagnostics = Vec::new();
        let document =
            Document::parse("c.toml", "theme = \"dark\"\nuser = = 3\noffline = true\n", &mut diagnostics);
        assert!(document.root().contains_key("theme") && document.root().contains_key("offline"));
        assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
        assert_eq!(diagnostics[0].location, Some(SourceLocation::at("c.toml", 2, 8)));
    }

    #[test]
    fn places_count_characters() {
        let mut none = Vec::new();
        let document = Document::parse("c.toml", "a = \"ü\"\nb = { ß = 1 }\n", &mut none);
        let leaves: Vec<_> = leaves(document.root(), &|_| false)
            .into_iter()
            .map(|(name, span, _)| (name, document.location(&span).to_string()))
            .collect();
        // A bare `ß` is not TOML 1.0: whatever the parser says of it, places hold
        assert_eq!(leaves[0], ("a".to_owned(), "c.toml:1:1".to_owned()));
        let text = "x = \"ü\" # no\ny = [1,\n  \"ü\", oops]\n";
        let mut diagnostics = Vec::new();
        Document::parse("c.toml", text, &mut diagnostics);
        assert_eq!(diagnostics[0].location.as_ref().map(|l| (l.line, l.column)), Some((3, 8)));
    }

    #[test]
    fn refuses_what_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_text(folder.path()).is_err());
        assert!(read_text(&folder.path().join("absent")).unwrap().is_none());
        let latin = folder.path().join("latin.toml");
        std::fs::write(&latin, b"theme = \"\xe4\"\n").unwrap();
        assert!(read_text(&latin).unwrap_err().message.contains("UTF-8"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[a-z\\[\\]\\.=\"'#\n\r ü\u{feff}0-9{},]{0,80}") {
            let mut diagnostics = Vec::new();
            let document = Document::parse("c.toml", &text, &mut diagnostics);
            for (_, span, value) in leaves(document.root(), &|_| false) {
                let _ = document.diagnostic(Severity::Error, "x::y", "m", span, "l").render();
                let _ = plain(value);
            }
        }
    }
}
