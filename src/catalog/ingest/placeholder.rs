//! Puts the content of other files where `$text`, `$json` and `$yaml` stand.
//!
//! A relative target starts from the folder of the file and stays in the tree; an address is fetched.
//! What was read over the network takes in only what lies in the same repository. A target that cannot
//! be read leaves its placeholder in place, so that the entity stays and shows what is meant.

use super::address::{self, Address};
use super::cache::{TakenIn, hash};
use super::targets::absolute;
use super::{Ingest, MAX_LINE};
use crate::catalog::tree::{TreeError, resolve};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::placeholder::{Form, Placeholder, find, replace};
use crate::net::NetError;
use crate::yaml::{Data, Node, Position, Source, decode, parse_stream};
use std::borrow::Cow;
use std::sync::Arc;
use url::Url;

/// What became of the placeholders of one document.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// Something has to come over the network first.
    pub waiting: bool,
    /// Something remote was taken in, or is missing.
    pub remote: bool,
    /// Something is wrong that the author can mend.
    pub failed: bool,
    pub diagnostics: Vec<Diagnostic>,
    /// A file of the tree could not be read; it may come later.
    pub missing: bool,
    /// Files of the tree that were taken in.
    pub taken_in: Vec<TakenIn>,
}

/// Why a target could not be taken in.
enum Fault {
    Waiting,
    /// The author can mend it.
    Mistake(&'static str, String, Option<&'static str>),
    /// The network is at fault.
    Net(NetError),
}

/// Fills in the placeholders of a document.
pub(super) fn fill(ingest: &Ingest<'_>, base: &Address, node: &mut Node<'_>, source: &Source<'_>) -> Filled {
    let mut filled = Filled::default();
    let mut left = ingest.cx.config.max_file_bytes;
    for placeholder in find(node) {
        match content(ingest, base, &placeholder, left, &mut filled) {
            Ok((name, text)) => {
                left = left.saturating_sub(text.len() as u64);
                match value(placeholder.form, &text, &name) {
                    Ok(value) => drop(replace(node, &placeholder, value)),
                    Err(cause) => {
                        filled.failed = true;
                        let message = format!("{} cannot be used: {cause}", what(&placeholder));
                        filled.diagnostics.push(diagnostic(
                            source,
                            &placeholder,
                            Severity::Error,
                            "catalog::placeholder",
                            message,
                        ));
                    }
                }
            }
            Err(Fault::Waiting) => filled.waiting = true,
            Err(Fault::Mistake(code, cause, hint)) => {
                filled.failed = true;
                let mut found = diagnostic(source, &placeholder, Severity::Error, code, cause);
                found.hint = hint.map(str::to_owned);
                filled.diagnostics.push(found);
            }
            Err(Fault::Net(error)) => {
                let message = format!("{} was not fetched: {error}", what(&placeholder));
                let found =
                    diagnostic(source, &placeholder, Severity::Warning, "catalog::not-fetched", message);
                filled.diagnostics.push(found.hint(error.hint()));
            }
        }
    }
    filled
}

fn what(placeholder: &Placeholder) -> String {
    format!("`{}: {}`", placeholder.form.key(), placeholder.target.as_deref().unwrap_or(""))
}

fn diagnostic(
    source: &Source<'_>,
    placeholder: &Placeholder,
    severity: Severity,
    code: &'static str,
    message: String,
) -> Diagnostic {
    let line: String = source.line(placeholder.start.line).chars().take(MAX_LINE).collect();
    Diagnostic::new(severity, code, message)
        .at(placeholder.start.location(&source.file))
        .snippet(line, placeholder.width, "")
        .pointer(placeholder.pointer.clone())
}

/// Returns the name of the file and its text.
fn content(
    ingest: &Ingest<'_>,
    base: &Address,
    placeholder: &Placeholder,
    limit: u64,
    filled: &mut Filled,
) -> Result<(Arc<str>, String), Fault> {
    let could_not = |cause: &dyn std::fmt::Display| {
        format!(
            "placeholder {} could not read location `{}`: {cause}",
            placeholder.form.key(),
            placeholder.target.as_deref().unwrap_or("")
        )
    };
    let mistake = |cause: &str, hint| Fault::Mistake("catalog::placeholder", could_not(&cause), hint);
    let Some(target) = placeholder.target.as_deref().map(str::trim).filter(|target| !target.is_empty())
    else {
        let message = format!("`{}` needs a path or an address", placeholder.form.key());
        return Err(Fault::Mistake("catalog::placeholder", message, None));
    };
    let outside = || {
        let hint = "move the file below the root of the repository";
        Fault::Mistake("catalog::outside-root", could_not(&"it leads out of the source"), Some(hint))
    };
    let url = match (absolute(target), base) {
        (Some(url), _) if !matches!(url.scheme(), "http" | "https") => {
            return Err(mistake(
                &format!("addresses of type `{}:` are not read", url.scheme()),
                Some("use a relative path or an https address"),
            ));
        }
        (Some(url), Address::Path(_)) => url,
        (None, Address::Path(_)) => {
            let path = match target.strip_prefix('/') {
                Some(from_root) => resolve("", from_root),
                None => resolve(base.folder(), target),
            };
            let path = path.ok_or_else(outside)?;
            let mut bytes = Vec::new();
            let stamp = ingest.read(&path, limit, &mut bytes).map_err(|error| {
                filled.missing = true;
                match error {
                    TreeError::Outside => outside(),
                    TreeError::TooLarge { .. } => mistake("it makes the entity too large", error.hint()),
                    error => mistake(&error.to_string(), error.hint()),
                }
            })?;
            let name = ingest.tree.shown(&path);
            let content = decoded(&bytes, &name);
            filled.taken_in.push(TakenIn { path, hash: hash(&bytes), stamp });
            return Ok((name, content.map_err(|cause| mistake(&cause, None))?));
        }
        (absolute, Address::Url(base)) => {
            let url = absolute.or_else(|| address::join(base, target));
            let url = url.ok_or_else(|| mistake("it is no usable address", None))?;
            if !address::is_same_repository(base, &url) {
                return Err(mistake(
                    "it lies in another repository than this file",
                    Some("copy the file into the repository of the entity"),
                ));
            }
            url
        }
    };
    fetch(ingest, &url, limit, filled, &mistake)
}

fn fetch(
    ingest: &Ingest<'_>,
    url: &Url,
    limit: u64,
    filled: &mut Filled,
    mistake: &dyn Fn(&str, Option<&'static str>) -> Fault,
) -> Result<(Arc<str>, String), Fault> {
    filled.remote = true;
    let body = ingest.remote_file(url).ok_or(Fault::Waiting)?.map_err(Fault::Net)?;
    if body.len() as u64 > limit {
        return Err(mistake("it makes the entity too large", None));
    }
    let name: Arc<str> = url.as_str().into();
    let text = decoded(&body, &name).map_err(|cause| mistake(&cause, None))?;
    Ok((name, text))
}

fn decoded(bytes: &[u8], name: &Arc<str>) -> Result<String, String> {
    decode(bytes, name).map(str::to_owned).map_err(|diagnostic| diagnostic.message)
}

/// Reads content in the form that is asked for; places in it do not matter, since [`replace`] moves
/// them to the placeholder.
fn value(form: Form, text: &str, name: &Arc<str>) -> Result<Node<'static>, String> {
    match form {
        Form::Text => Ok(node(Data::String(Cow::Owned(text.to_owned())))),
        Form::Json => serde_json::from_str::<serde_json::Value>(text)
            .map(json)
            .map_err(|error| format!("`{name}` is not JSON: {error}")),
        Form::Yaml => {
            let mut documents = parse_stream(text, name);
            match (documents.pop(), documents.is_empty()) {
                (Some(document), true) => match document.content {
                    Ok(Some(content)) => Ok(content.into_owned()),
                    Ok(None) => Ok(node(Data::Null)),
                    Err(diagnostic) => Err(match &diagnostic.location {
                        Some(place) => format!("{place}: {}", diagnostic.message),
                        None => diagnostic.message.clone(),
                    }),
                },
                (None, _) => Ok(node(Data::Null)),
                (Some(_), false) => Err(format!("`{name}` holds more than one document")),
            }
        }
    }
}

fn node(data: Data<'static>) -> Node<'static> {
    Node { start: Position::default(), width: 1, data }
}

fn json(value: serde_json::Value) -> Node<'static> {
    use serde_json::Value;
    node(match value {
        Value::Null => Data::Null,
        Value::Bool(b) => Data::Bool(b),
        Value::Number(n) => match n.as_i64() {
            Some(i) => Data::Int(i),
            None => Data::Float(n.as_f64().unwrap_or(0.0)),
        },
        Value::String(text) => Data::String(Cow::Owned(text)),
        Value::Array(items) => Data::Sequence(items.into_iter().map(json).collect()),
        Value::Object(fields) => Data::Mapping(
            fields
                .into_iter()
                .map(|(key, value)| (node(Data::String(Cow::Owned(key))), json(value)))
                .collect(),
        ),
    })
}
