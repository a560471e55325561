//! What `$text`, `$json` and `$yaml` name, read from files beside the descriptor.
//!
//! Addresses on the network are not fetched: the check of a folder must not depend on who answers. They
//! stay as they are, with a warning.

use super::files::{Found, read_inside};
use crate::diagnostic::Diagnostic;
use crate::model::placeholder::{Form, Placeholder};
use crate::model::verdict::Resolved;
use crate::yaml::{self, Data, Node, Source};
use std::path::PathBuf;
use std::sync::Arc;

/// Reads the targets of one file's placeholders.
pub struct Reader<'a> {
    found: &'a Found,
    max_bytes: u64,
}

impl<'a> Reader<'a> {
    /// Creates a reader for a file.
    pub fn new(found: &'a Found, max_bytes: u64) -> Self {
        Self { found, max_bytes }
    }

    /// Returns what a placeholder stands for, or why it stays.
    pub fn resolve(&mut self, placeholder: &Placeholder, source: &Source<'_>) -> Resolved {
        let key = placeholder.form.key();
        let complain = |code: &'static str, message: String, label: &str| {
            source
                .error(code, message, placeholder.start, placeholder.width, label)
                .pointer(placeholder.pointer.clone())
        };
        let Some(target) = placeholder.target.as_deref() else {
            let message = format!("`{key}` does not name a file");
            return kept(complain("placeholder::no-target", message, "expected a path or a URL"));
        };
        if target.starts_with("http://") || target.starts_with("https://") {
            let message = format!("`{key}` names `{target}`, which is not fetched here");
            let mut diagnostic = complain("placeholder::not-fetched", message, "taken as it is");
            diagnostic.severity = crate::diagnostic::Severity::Warning;
            return kept(diagnostic);
        }
        let bytes = match read_inside(&self.path(target), &self.found.root, self.max_bytes) {
            Ok(bytes) => bytes,
            Err(refusal) => {
                let message = format!("`{key}` could not read `{target}`: {refusal}");
                return kept(complain("placeholder::unreadable", message, "named here"));
            }
        };
        match content(placeholder.form, &bytes, target) {
            Ok(node) => Resolved::Value(node),
            Err(cause) => {
                let message = format!("`{key}` could not use `{target}`: {cause}");
                kept(complain("placeholder::unusable", message, "named here"))
            }
        }
    }

    /// A leading slash means the root of the repository.
    fn path(&self, target: &str) -> PathBuf {
        match target.strip_prefix('/') {
            Some(rest) => self.found.root.join(rest),
            None => self.found.path.parent().unwrap_or(&self.found.root).join(target),
        }
    }
}

fn kept(diagnostic: Diagnostic) -> Resolved {
    Resolved::Kept(Box::new(diagnostic))
}

fn content(form: Form, bytes: &[u8], name: &str) -> Result<Node<'static>, String> {
    let file: Arc<str> = Arc::from(name);
    let text = yaml::decode(bytes, &file).map_err(|diagnostic| diagnostic.message)?;
    if form == Form::Text {
        let data = Data::String(text.to_owned().into());
        return Ok(Node { start: yaml::Position::default(), width: 1, data });
    }
    if form == Form::Json {
        serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| format!("no JSON: {error}"))?;
    }
    let mut documents = yaml::parse_stream(text, &file);
    match (documents.pop(), documents.is_empty()) {
        (Some(only), true) => match only.content {
            Ok(Some(node)) => Ok(node.into_owned()),
            Ok(None) => Err("it is empty".to_owned()),
            Err(diagnostic) => Err(diagnostic.message),
        },
        (None, _) => Err("it is empty".to_owned()),
        (Some(_), false) => Err("it holds more than one document".to_owned()),
    }
}
