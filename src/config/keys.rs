//! `keys.toml`: the user's key bindings, by the name of the action.
//!
//! ```toml
//! [keys]
//! "catalog.filter" = ["/", "ctrl-f"]   # several keys
//! "app.quit" = "ctrl-q"                # one key
//! "star.toggle" = []                   # none
//!
//! [pane.catalog]                       # only in this pane
//! "open" = "l"
//! ```
//! Only the form is checked here. Which actions and keys exist is known by the command table.

use super::document::{Document, leaves, plain};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};

/// The keys of one action, as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBinding {
    /// The pane it counts in; everywhere when `None`.
    pub pane: Option<String>,
    /// Name of the action.
    pub action: String,
    /// The keys that replace the default ones; empty unbinds the action.
    pub keys: Vec<String>,
    /// Where it stands.
    pub location: SourceLocation,
}

/// Reads the bindings of a file; what has another form is reported and left out.
pub fn decode(document: &Document<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<KeyBinding> {
    let mut bindings = Vec::new();
    for (name, span, value) in leaves(document.root(), &|_| false) {
        let (pane, action) = match name.split_once('.') {
            Some(("keys", action)) => (None, action),
            Some(("pane", rest)) => match rest.split_once('.') {
                Some((pane, action)) => (Some(pane.to_owned()), action),
                None => (None, ""),
            },
            _ => (None, ""),
        };
        if action.is_empty() {
            diagnostics.push(
                document
                    .diagnostic(
                        Severity::Warning,
                        "config::unknown-key",
                        format!("`{name}` binds nothing"),
                        span,
                        "ignored",
                    )
                    .hint("put bindings under `[keys]` or `[pane.NAME]`, for example `\"app.quit\" = \"ctrl-q\"`"),
            );
            continue;
        }
        let keys = match plain(value) {
            Some(toml::Value::String(key)) => Some(vec![key]),
            Some(toml::Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => None,
        };
        match keys {
            Some(keys) => bindings.push(KeyBinding {
                pane,
                action: action.to_owned(),
                keys,
                location: document.location(&span),
            }),
            None => diagnostics.push(
                document
                    .diagnostic(
                        Severity::Error,
                        "config::bad-value",
                        format!("the keys of `{action}` are not usable"),
                        value.span(),
                        "expected a key or a list of keys",
                    )
                    .hint(format!("for example `\"{action}\" = [\"/\", \"ctrl-f\"]`, or `[]` for none")),
            ),
        }
    }
    bindings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quoted_and_bare_names_panes_and_unbinding() {
        let text = "[keys]\n\"catalog.filter\" = [\"/\", \"ctrl-f\"]\napp.quit = \"ctrl-q\"\nstar = []\n\
                    [pane.catalog]\nopen = \"l\"\n";
        let mut diagnostics = Vec::new();
        let document = Document::parse("keys.toml", text, &mut diagnostics);
        let bindings = decode(&document, &mut diagnostics);
        let shown: Vec<String> = bindings
            .iter()
            .map(|b| {
                format!(
                    "{}/{}={} {}",
                    b.pane.as_deref().unwrap_or(""),
                    b.action,
                    b.keys.join("+"),
                    b.location.line
                )
            })
            .collect();
        assert_eq!(
            shown,
            ["/catalog.filter=/+ctrl-f 2", "/app.quit=ctrl-q 3", "/star= 4", "catalog/open=l 6"]
        );
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    }

    #[test]
    fn reports_other_forms_at_their_place() {
        let mut diagnostics = Vec::new();
        let document =
            Document::parse("keys.toml", "quit = \"q\"\n[keys]\nopen = 3\nback = [1]\n", &mut diagnostics);
        assert!(decode(&document, &mut diagnostics).is_empty());
        let places: Vec<String> =
            diagnostics.iter().filter_map(|d| d.location.as_ref().map(ToString::to_string)).collect();
        assert_eq!(places, ["keys.toml:1:1", "keys.toml:3:8", "keys.toml:4:8"]);
    }
}
