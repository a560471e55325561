//! The files of an app-config as Backstage reads them: one over the other, each value with its place.
//!
//! Start at [`load`]. `$include` is followed; `$env`, `$file` and `${NAME}` are kept as what they are, so that
//! a secret is never read: whoever needs a plain text asks [`Value::text`].

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::yaml::{Data, Node, decode, parse_stream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;
/// Deepest chain of files that include files.
const MAX_INCLUDES: usize = 10;

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Value {
    /// File as it was named.
    pub file: Arc<str>,
    /// 1-based.
    pub line: u32,
    pub data: Plain,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    /// As it is written, with `${NAME}` in it.
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    /// `$env`
    Env(String),
    /// `$file`
    File(PathBuf),
}

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Secret {
    Env(String),
    File(PathBuf),
    /// It stands in the file itself, or is put together from parts.
    Written,
}

impl Value {
    /// Returns the place as people write it.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Finds a value by names with dots between them.
    pub(super) fn find(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |value, key| value.get(key))
    }

    pub(super) fn entries(&self) -> &[(String, Self)] {
        match &self.data {
            Plain::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the items of a list; one thing where a list may stand is a list of one.
    pub(super) fn items(&self) -> &[Self] {
        match &self.data {
            Plain::List(items) => items,
            Plain::Null => &[],
            _ => std::slice::from_ref(self),
        }
    }

    /// Returns the text, with variables of the environment in their places; `None` for what is none, or
    /// when a variable is not set.
    pub(super) fn text(&self) -> Option<String> {
        match &self.data {
            Plain::Text(text) => substitute(text),
            Plain::Env(name) => std::env::var(name).ok(),
            Plain::Bool(b) => Some(b.to_string()),
            _ => None,
        }
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match &self.data {
            Plain::Bool(b) => Some(*b),
            _ => match self.text()?.as_str() {
                "true" => Some(true),
                "false" => Some(false),
                _ => None,
            },
        }
    }

    /// Returns the text of a key.
    pub(super) fn text_of(&self, key: &str) -> Option<String> {
        self.get(key)?.text().filter(|text| !text.is_empty())
    }

    /// Returns the texts of a key that holds one or a list.
    pub(super) fn texts_of(&self, key: &str) -> Vec<String> {
        self.get(key).map_or(&[][..], Self::items).iter().filter_map(Self::text).collect()
    }

    /// Returns where the secret is that this names; never its text.
    pub(super) fn secret(&self) -> Option<Secret> {
        match &self.data {
            Plain::Env(name) => Some(Secret::Env(name.clone())),
            Plain::File(path) => Some(Secret::File(path.clone())),
            Plain::Text(text) => {
                let name = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                match name.filter(|name| is_name(name)) {
                    Some(name) => Some(Secret::Env(name.to_owned())),
                    None => (!text.is_empty()).then_some(Secret::Written),
                }
            }
            _ => None,
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Puts variables in their places: `${NAME}`, `${NAME:-otherwise}`; `$${` stands for `${`.
fn substitute(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = after;
            continue;
        }
        let (inner, tail) = after.split_once('}')?;
        let (name, otherwise) = inner.split_once(":-").map_or((inner, None), |(n, o)| (n, Some(o)));
        let value = std::env::var(name.trim()).ok().filter(|value| !value.is_empty());
        out.push_str(before);
        out.push_str(&value.or_else(|| otherwise.map(str::to_owned))?);
        rest = tail;
    }
    out.push_str(rest);
    Some(out)
}

/// Reads files, later ones over earlier ones.
pub(super) fn load(files: &[PathBuf]) -> Result<Value, Box<Diagnostic>> {
    let mut whole: Option<Value> = None;
    for file in files {
        let value = read(file, 0)?;
        whole = Some(match whole {
            Some(before) => merge(before, value),
            None => value,
        });
    }
    whole.ok_or_else(|| Box::new(Diagnostic::error("init::no-file", "no app-config file is named")))
}

fn read(path: &Path, depth: usize) -> Result<Value, Box<Diagnostic>> {
    let file: Arc<str> = path.display().to_string().into();
    let failed = |cause: String| {
        Box::new(
            Diagnostic::error("init::unreadable", format!("could not read `{file}`: {cause}"))
                .at(SourceLocation::file(file.clone())),
        )
    };
    if depth > MAX_INCLUDES {
        return Err(failed("files include each other without end".to_owned()));
    }
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(failed(format!("it has {size} bytes, an app-config has at most {MAX_BYTES}")));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let text = decode(&bytes, &file)?;
    let Some(document) = parse_stream(text, &file).into_iter().next() else {
        return Ok(Value { file, line: 1, data: Plain::Map(Vec::new()) });
    };
    match document.content? {
        Some(node) => {
            Reader { file: &file, folder: path.parent().unwrap_or(Path::new("")), depth }.value(&node)
        }
        None => Ok(Value { file, line: 1, data: Plain::Map(Vec::new()) }),
    }
}

struct Reader<'r> {
    file: &'r Arc<str>,
    folder: &'r Path,
    depth: usize,
}

impl Reader<'_> {
    fn value(&self, node: &Node<'_>) -> Result<Value, Box<Diagnostic>> {
        let data = match &node.data {
            Data::Null => Plain::Null,
            Data::Bool(b) => Plain::Bool(*b),
            Data::Int(i) => Plain::Text(i.to_string()),
            Data::Float(f) => Plain::Text(f.to_string()),
            Data::String(text) => Plain::Text(text.to_string()),
            Data::Sequence(items) => {
                Plain::List(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?)
            }
            Data::Mapping(entries) => {
                if let [(key, value)] = entries.as_slice()
                    && let (Some(key), Some(text)) = (key.as_str(), value.as_str())
                {
                    match key {
                        "$env" => return Ok(self.at(node, Plain::Env(text.to_owned()))),
                        "$file" => return Ok(self.at(node, Plain::File(self.folder.join(text)))),
                        "$include" => return self.include(text),
                        _ => {}
                    }
                }
                let entry = |(key, value): &(Node<'_>, Node<'_>)| {
                    let mut value = self.value(value)?;
                    // the key is what people look for
                    if !matches!(value.data, Plain::Text(_)) {
                        value.line = value.line.min(key.start.line);
                    }
                    Ok((key.key_text().into_owned(), value))
                };
                Plain::Map(entries.iter().map(entry).collect::<Result<_, Box<Diagnostic>>>()?)
            }
        };
        Ok(self.at(node, data))
    }

    fn at(&self, node: &Node<'_>, data: Plain) -> Value {
        Value { file: self.file.clone(), line: node.start.line, data }
    }

    /// Takes in another file, or the part of it behind `#`.
    fn include(&self, target: &str) -> Result<Value, Box<Diagnostic>> {
        let (file, part) = target.split_once('#').map_or((target, None), |(file, part)| (file, Some(part)));
        let whole = read(&self.folder.join(file), self.depth + 1)?;
        match part {
            None => Ok(whole),
            Some(part) => whole.find(part).cloned().ok_or_else(|| {
                let message = format!("`{file}` has no `{part}`, which `$include` names");
                Box::new(
                    Diagnostic::error("init::unreadable", message)
                        .at(SourceLocation::file(self.file.clone())),
                )
            }),
        }
    }
}

/// Lays one value over another: mappings key by key, everything else as a whole.
fn merge(below: Value, above: Value) -> Value {
    match (below.data, above.data) {
        (Plain::Map(mut entries), Plain::Map(over)) => {
            for (key, value) in over {
                match entries.iter_mut().find(|(name, _)| *name == key) {
                    Some((_, slot)) => {
                        let before = std::mem::replace(
                            slot,
                            Value { file: value.file.clone(), line: value.line, data: Plain::Null },
                        );
                        *slot = merge(before, value);
                    }
                    None => entries.push((key, value)),
                }
            }
            Value { file: below.file, line: below.line, data: Plain::Map(entries) }
        }
        (_, data) => Value { file: above.file, line: above.line, data },
    }
}
