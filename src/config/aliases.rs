//! `aliases.toml`: short words for palette lines.
//!
//! ```toml
//! [aliases]
//! mine = "catalog is:mine"
//! ```

use super::document::{Document, leaves};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};

/// A short word and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The word typed after `:`.
    pub name: String,
    /// The palette line, without its colon.
    pub line: String,
    /// Where it stands.
    pub location: SourceLocation,
}

/// Reads the aliases of a file; what has another form is reported and left out.
pub fn decode(document: &Document<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Alias> {
    let mut aliases = Vec::new();
    for (name, span, value) in leaves(document.root(), &|_| false) {
        let word = name.strip_prefix("aliases.").filter(|word| !word.contains(char::is_whitespace));
        match (word, value.get_ref().as_str()) {
            (Some(word), Some(line)) if !line.trim().is_empty() => aliases.push(Alias {
                name: word.to_owned(),
                line: line.trim().trim_start_matches(':').to_owned(),
                location: document.location(&span),
            }),
            _ => diagnostics.push(
                document
                    .diagnostic(
                        Severity::Warning,
                        "config::bad-alias",
                        format!("`{name}` is no alias"),
                        span,
                        "ignored",
                    )
                    .hint("write `mine = \"catalog is:mine\"` under `[aliases]`"),
            ),
        }
    }
    aliases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_aliases_and_reports_the_rest() {
        let text = "top = \"x\"\n[aliases]\nmine = \":catalog is:mine\"\nnumber = 3\nempty = \"\"\n";
        let mut diagnostics = Vec::new();
        let document = Document::parse("aliases.toml", text, &mut diagnostics);
        let aliases = decode(&document, &mut diagnostics);
        assert_eq!(aliases.len(), 1);
        assert_eq!((aliases[0].name.as_str(), aliases[0].line.as_str()), ("mine", "catalog is:mine"));
        assert_eq!(diagnostics.len(), 3);
    }
}
