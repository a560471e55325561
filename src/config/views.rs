//! `views.toml`: named views, a pane with a filter, a sort order and columns.
//!
//! ```toml
//! [[view]]
//! name = "our production"
//! place = "catalog"
//! filter = "is:mine lifecycle:production"
//! sort = "-name"                  # a leading minus: descending
//! columns = ["name", "owner"]
//! ```
//! [`crate::store::views`] writes them when a person saves one.

use super::document::Document;
use crate::diagnostic::{Diagnostic, Severity};
use serde::{Deserialize, Serialize};

/// A named view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Unique name.
    pub name: String,
    /// The place it opens, a palette line without its colon.
    #[serde(default = "catalog")]
    pub place: String,
    /// Filter, as typed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub filter: String,
    /// Sort column, with a leading `-` for descending; empty for the default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sort: String,
    /// Columns in order; empty for the default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
}

fn catalog() -> String {
    "catalog".to_owned()
}

/// Reads the views of a file; one that is wrong or named twice is reported and left out.
pub fn decode(document: &Document<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<View> {
    let mut views: Vec<View> = Vec::new();
    for (key, value) in document.root() {
        let items = value.get_ref().as_array().filter(|_| key.get_ref() == "view");
        let Some(items) = items else {
            diagnostics.push(
                document
                    .diagnostic(
                        Severity::Warning,
                        "config::unknown-key",
                        format!("`{}` is no list of views", key.get_ref()),
                        key.span(),
                        "ignored",
                    )
                    .hint("start each view with `[[view]]`"),
            );
            continue;
        };
        for item in items {
            let decoded = View::deserialize(toml::de::ValueDeserializer::from(item.clone()));
            let problem = match decoded {
                Ok(view) if view.name.trim().is_empty() => "its name is empty".to_owned(),
                Ok(view) if views.iter().any(|known| known.name == view.name) => {
                    format!("`{}` is already the name of another", view.name)
                }
                Ok(view) => {
                    views.push(view);
                    continue;
                }
                Err(error) => error.message().lines().next().unwrap_or("").to_owned(),
            };
            diagnostics.push(
                document
                    .diagnostic(
                        Severity::Error,
                        "config::bad-view",
                        format!("a view is left out: {problem}"),
                        item.span(),
                        "this view",
                    )
                    .hint("a view has `name`, `place`, `filter`, `sort` and `columns`"),
            );
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_view_spoils_itself_alone() {
        let text = "[[view]]\nname = \"a\"\nfilter = \"is:mine\"\n[[view]]\nfilter = \"x\"\n[[view]]\nname = \"a\"\n\
                    [[view]]\nname = \"b\"\ncolumn = \"x\"\n[[view]]\nname = \"c\"\n";
        let mut diagnostics = Vec::new();
        let document = Document::parse("views.toml", text, &mut diagnostics);
        let views = decode(&document, &mut diagnostics);
        let names: Vec<&str> = views.iter().map(|view| view.name.as_str()).collect();
        assert_eq!(names, ["a", "c"]);
        assert_eq!(views[1].place, "catalog");
        let lines: Vec<u32> =
            diagnostics.iter().filter_map(|d| d.location.as_ref().map(|l| l.line)).collect();
        assert_eq!(lines, [4, 6, 8]);
    }
}
