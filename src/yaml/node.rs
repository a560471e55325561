//! Parsed values with their places.
//!
//! A [`Node`] borrows from the text wherever the text needs no change (nearly always), so that parsing
//! costs little more than the tree itself. What is kept longer is packed with [`Node::pack`].

use crate::diagnostic::SourceLocation;
use crate::model::value::{PackedBuilder, ValueRef};
use std::borrow::Cow;
use std::sync::Arc;

/// A place in the text, both 1-based; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    /// 1-based line in the file (not in the document).
    pub line: u32,
    /// 1-based column in characters.
    pub column: u32,
}

impl Position {
    /// Returns the place as a location in a file.
    pub fn location(self, file: &Arc<str>) -> SourceLocation {
        SourceLocation::at(file.clone(), self.line, self.column)
    }
}

/// A parsed value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// Where it starts.
    pub start: Position,
    /// Characters it takes on its first line, for a caret; at least 1.
    pub width: u32,
    /// What it is.
    pub data: Data<'a>,
}

/// The content of a node, YAML 1.2 core schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Data<'a> {
    /// `null`, `~`, nothing.
    Null,
    /// `true`, `false` and their spellings.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Everything else, dates too.
    String(Cow<'a, str>),
    /// A list.
    Sequence(Vec<Node<'a>>),
    /// A mapping in the order of the file; keys may be any node.
    Mapping(Vec<(Node<'a>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the entries of a mapping.
    pub fn as_mapping(&self) -> Option<&[(Node<'a>, Node<'a>)]> {
        match &self.data {
            Data::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub fn as_sequence(&self) -> Option<&[Node<'a>]> {
        match &self.data {
            Data::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// Finds the value of a key that is exactly this text.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Finds the key node and the value of a key that is exactly this text.
    pub fn entry(&self, key: &str) -> Option<(&Node<'a>, &Node<'a>)> {
        self.as_mapping()?.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(k, v)| (k, v))
    }

    /// Finds a value by JSON pointer (`/spec/owner`, `/metadata/links/0/url`); the empty pointer is
    /// the node itself.
    pub fn at_pointer(&self, pointer: &str) -> Option<&Node<'a>> {
        steps(pointer)?.try_fold(self, |node, step| match &node.data {
            Data::Sequence(items) => items.get(step.parse::<usize>().ok()?),
            Data::Mapping(entries) => entries.iter().find(|(k, _)| k.key_text() == step).map(|(_, v)| v),
            _ => None,
        })
    }

    /// Finds a value by JSON pointer, to replace it.
    pub fn at_pointer_mut(&mut self, pointer: &str) -> Option<&mut Node<'a>> {
        steps(pointer)?.try_fold(self, |node, step| match &mut node.data {
            Data::Sequence(items) => items.get_mut(step.parse::<usize>().ok()?),
            Data::Mapping(entries) => entries.iter_mut().find(|(k, _)| k.key_text() == step).map(|(_, v)| v),
            _ => None,
        })
    }

    /// Returns the text of a node used as a key: what JavaScript makes of it as a property name.
    pub fn key_text(&self) -> Cow<'_, str> {
        match &self.data {
            Data::String(text) => Cow::Borrowed(text),
            Data::Null => Cow::Borrowed(""),
            _ => {
                let mut out = String::new();
                self.write_flow(&mut out);
                Cow::Owned(out)
            }
        }
    }

    /// Returns the JSON type name used in messages: `string`, `list`, `mapping`, …
    pub fn type_name(&self) -> &'static str {
        match self.data {
            Data::Null => "null",
            Data::Bool(_) => "boolean",
            Data::Int(_) | Data::Float(_) => "number",
            Data::String(_) => "string",
            Data::Sequence(_) => "list",
            Data::Mapping(_) => "mapping",
        }
    }

    /// Writes the value into packed bytes; keys that are not text become text.
    ///
    /// Where two keys become the same text the last value wins, as in a JavaScript object.
    pub fn pack(&self, builder: &mut PackedBuilder) {
        match &self.data {
            Data::Null => builder.null(),
            Data::Bool(b) => builder.bool(*b),
            Data::Int(i) => builder.int(*i),
            Data::Float(f) => builder.float(*f),
            Data::String(text) => builder.string(text),
            Data::Sequence(items) => {
                builder.begin_array();
                for item in items {
                    item.pack(builder);
                }
                builder.end();
            }
            Data::Mapping(entries) => {
                builder.begin_object();
                let plain = entries.iter().all(|(key, _)| key.as_str().is_some());
                for (index, (key, value)) in entries.iter().enumerate() {
                    let text = key.key_text();
                    let later = entries.get(index + 1..).unwrap_or(&[]);
                    if plain || !later.iter().any(|(k, _)| k.key_text() == text) {
                        builder.key(&text);
                        value.pack(builder);
                    }
                }
                builder.end();
            }
        }
    }

    /// Returns the value as packed bytes.
    pub fn to_packed(&self) -> Box<[u8]> {
        let mut builder = PackedBuilder::new();
        self.pack(&mut builder);
        builder.finish()
    }

    /// Returns the tree of a packed value; its nodes have no place.
    pub fn from_packed(value: ValueRef<'a>) -> Self {
        let data = match value {
            ValueRef::Null => Data::Null,
            ValueRef::Bool(b) => Data::Bool(b),
            ValueRef::Int(i) => Data::Int(i),
            ValueRef::Float(f) => Data::Float(f),
            ValueRef::String(text) => Data::String(Cow::Borrowed(text)),
            ValueRef::Array(items) => Data::Sequence(items.iter().map(Self::from_packed).collect()),
            ValueRef::Object(fields) => {
                let key = |text| Self::from_packed(ValueRef::String(text));
                Data::Mapping(fields.iter().map(|(k, v)| (key(k), Self::from_packed(v))).collect())
            }
        };
        Node { start: Position::default(), width: 1, data }
    }

    /// Returns a copy that borrows nothing.
    pub fn into_owned(self) -> Node<'static> {
        let data = match self.data {
            Data::Null => Data::Null,
            Data::Bool(b) => Data::Bool(b),
            Data::Int(i) => Data::Int(i),
            Data::Float(f) => Data::Float(f),
            Data::String(text) => Data::String(Cow::Owned(text.into_owned())),
            Data::Sequence(items) => Data::Sequence(items.into_iter().map(Node::into_owned).collect()),
            Data::Mapping(entries) => Data::Mapping(
                entries.into_iter().map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
            ),
        };
        Node { start: self.start, width: self.width, data }
    }

    /// Writes the value the way YAML writes it on one line.
    fn write_flow(&self, out: &mut String) {
        use std::fmt::Write as _;
        match &self.data {
            Data::Null => out.push_str("null"),
            Data::Bool(b) => {
                let _ = write!(out, "{b}");
            }
            Data::Int(i) => {
                let _ = write!(out, "{i}");
            }
            Data::Float(f) => {
                let _ = write!(out, "{f}");
            }
            Data::String(text) => out.push_str(text),
            Data::Sequence(items) => {
                out.push_str("[ ");
                for (index, item) in items.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    item.write_flow(out);
                }
                out.push_str(" ]");
            }
            Data::Mapping(entries) => {
                out.push_str("{ ");
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if index > 0 { ", " } else { "" });
                    key.write_flow(out);
                    if !value.is_null() {
                        out.push_str(": ");
                        value.write_flow(out);
                    }
                }
                out.push_str(" }");
            }
        }
    }
}

/// Splits a JSON pointer into its unescaped steps; `None` when it does not start with `/`.
fn steps(pointer: &str) -> Option<impl Iterator<Item = Cow<'_, str>>> {
    let rest = match pointer {
        "" => None,
        _ => Some(pointer.strip_prefix('/')?),
    };
    Some(rest.into_iter().flat_map(|rest| rest.split('/')).map(|step| {
        if step.contains('~') {
            Cow::Owned(step.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(step)
        }
    }))
}

/// Appends a step to a JSON pointer.
pub fn push_step(pointer: &str, step: &str) -> String {
    if step.contains(['~', '/']) {
        format!("{pointer}/{}", step.replace('~', "~0").replace('/', "~1"))
    } else {
        format!("{pointer}/{step}")
    }
}
