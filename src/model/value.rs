//! A descriptor's content as one compact run of bytes that is read in place.
//!
//! A tree of boxed values costs about 7 kB an entity; this form costs its text plus a few bytes, is
//! searched by path without decoding, keeps the order of keys, and can be written to a cache as it
//! is. [`PackedBuilder`] writes it, [`ValueRef`] reads it. Reading never fails: bytes that are cut or
//! damaged read as null, so that a bad cache can never panic.
//!
//! Layout: one tag byte; integers and floats 8 bytes little-endian; texts a number in the usual
//! seven-bits-a-byte form, even: twice the length, then UTF-8, odd: twice the place in [`WORDS`] plus
//! one; arrays `u32` byte length, `u32` count, items; objects the same with key texts before the values.

use rustc_hash::FxHashMap;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::sync::LazyLock;

/// Keys and values that nearly every descriptor has; a text among them costs one or two bytes.
/// The order is part of the layout: what is written to disk keeps it, new words go to the end.
const WORDS: &[&str] = &[
    // the first 64 cost one byte
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "title",
    "description",
    "annotations",
    "labels",
    "tags",
    "links",
    "url",
    "icon",
    "type",
    "spec",
    "owner",
    "system",
    "domain",
    "lifecycle",
    "providesApis",
    "consumesApis",
    "dependsOn",
    "definition",
    "profile",
    "displayName",
    "email",
    "picture",
    "parent",
    "children",
    "members",
    "memberOf",
    "targets",
    "backstage.io/v1alpha1",
    "Component",
    "API",
    "Resource",
    "System",
    "Group",
    "User",
    "Location",
    "service",
    "library",
    "website",
    "production",
    "experimental",
    "deprecated",
    "openapi",
    "grpc",
    "graphql",
    "asyncapi",
    "team",
    "default",
    "github.com/project-slug",
    "backstage.io/techdocs-ref",
    "dir:.",
    "backstage.io/kubernetes-id",
    "backstage.io/kubernetes-namespace",
    "backstage.io/source-location",
    "pagerduty.com/integration-key",
    "pagerduty.com/service-id",
    "sonarqube.org/project-key",
    "argocd/app-name",
    "github.com/user-login",
    "github.com/team-slug",
    // two bytes from here
    "Domain",
    "Template",
    "AiResource",
    "backstage.io/v1beta1",
    "scaffolder.backstage.io/v1beta3",
    "dependencyOf",
    "subcomponentOf",
    "subdomainOf",
    "target",
    "presence",
    "steps",
    "parameters",
    "output",
    "id",
    "action",
    "input",
    "if",
    "each",
    "properties",
    "required",
    "enum",
    "enumNames",
    "text",
    "entityRef",
    "values",
    "repoUrl",
    "string",
    "boolean",
    "object",
    "array",
    "ui:field",
    "ui:options",
    "ui:widget",
    "ui:autofocus",
    "ui:help",
    "database",
    "documentation",
    "dashboard",
    "docs",
    "github",
    "web",
    "file",
    "prometheus.io/rule",
    "backstage.io/managed-by-location",
    "backstage.io/managed-by-origin-location",
    "backstage.io/view-url",
    "backstage.io/edit-url",
    "backstage.io/kubernetes-label-selector",
    "sentry.io/project-slug",
    "quay.io/repository-slug",
    "backstage.io/adr-location",
    "fetch:template",
    "fetch:plain",
    "publish:github",
    "catalog:register",
    "default-branch",
    "true",
    "false",
    "Dashboard",
    "Runbook",
    "Logs",
    "Wiki",
    "search",
    "product",
];

/// Returns the words that packed values name by number, in their order. What was packed with the first of
/// them reads the same with all.
pub fn words() -> &'static [&'static str] {
    WORDS
}

/// Longest of [`WORDS`]; longer texts need not be looked up.
const LONGEST_WORD: usize = 48;

static WORD_PLACES: LazyLock<FxHashMap<&'static str, u32>> =
    LazyLock::new(|| WORDS.iter().zip(0..).map(|(word, place)| (*word, place)).collect());

const NULL: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const STRING: u8 = 5;
const ARRAY: u8 = 6;
const OBJECT: u8 = 7;

/// Writes a value front to back. Arrays and objects are closed in the order they were opened.
#[derive(Debug, Default)]
pub struct PackedBuilder {
    bytes: Vec<u8>,
    open: Vec<usize>,
}

impl PackedBuilder {
    /// Creates an empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns how many bytes are written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether nothing is written yet.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes a null.
    pub fn null(&mut self) {
        self.item(NULL);
    }

    /// Writes a boolean.
    pub fn bool(&mut self, value: bool) {
        self.item(if value { TRUE } else { FALSE });
    }

    /// Writes an integer.
    pub fn int(&mut self, value: i64) {
        self.item(INT);
        self.bytes.extend(value.to_le_bytes());
    }

    /// Writes a float.
    pub fn float(&mut self, value: f64) {
        self.item(FLOAT);
        self.bytes.extend(value.to_le_bytes());
    }

    /// Writes a string.
    pub fn string(&mut self, value: &str) {
        self.item(STRING);
        self.text(value);
    }

    /// Opens an array; items follow, then [`Self::end`].
    pub fn begin_array(&mut self) {
        self.begin(ARRAY);
    }

    /// Opens an object; [`Self::key`] and a value follow in turn, then [`Self::end`].
    pub fn begin_object(&mut self) {
        self.begin(OBJECT);
    }

    /// Writes the key of the value that follows.
    pub fn key(&mut self, key: &str) {
        self.text(key);
    }

    /// Closes the innermost array or object.
    pub fn end(&mut self) {
        let Some(start) = self.open.pop() else { return };
        let length = (self.bytes.len() - start - 8) as u32;
        if let Some(slot) = self.bytes.get_mut(start..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            *slot = length.to_le_bytes();
        }
    }

    /// Copies a finished value, for example from another document.
    pub fn value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.null(),
            ValueRef::Bool(b) => self.bool(b),
            ValueRef::Int(i) => self.int(i),
            ValueRef::Float(f) => self.float(f),
            ValueRef::String(s) => self.string(s),
            ValueRef::Array(items) => {
                self.begin_array();
                for item in items.iter() {
                    self.value(item);
                }
                self.end();
            }
            ValueRef::Object(fields) => {
                self.begin_object();
                for (key, item) in fields.iter() {
                    self.key(key);
                    self.value(item);
                }
                self.end();
            }
        }
    }

    /// Copies a JSON value.
    pub fn json(&mut self, value: &serde_json::Value) {
        match value {
            serde_json::Value::Null => self.null(),
            serde_json::Value::Bool(b) => self.bool(*b),
            serde_json::Value::Number(n) => match n.as_i64() {
                Some(i) => self.int(i),
                None => self.float(n.as_f64().unwrap_or(0.0)),
            },
            serde_json::Value::String(s) => self.string(s),
            serde_json::Value::Array(items) => {
                self.begin_array();
                for item in items {
                    self.json(item);
                }
                self.end();
            }
            serde_json::Value::Object(fields) => {
                self.begin_object();
                for (key, item) in fields {
                    self.key(key);
                    self.json(item);
                }
                self.end();
            }
        }
    }

    /// Returns the finished bytes; whatever is still open is closed.
    pub fn finish(mut self) -> Box<[u8]> {
        while !self.open.is_empty() {
            self.end();
        }
        // a copy of the exact size: what shrinks in place keeps up to twice its size with some allocators
        self.bytes.as_slice().into()
    }

    fn begin(&mut self, tag: u8) {
        self.item(tag);
        self.open.push(self.bytes.len());
        self.bytes.extend([0; 8]);
    }

    /// Counts the value about to be written in its parent and writes its tag.
    fn item(&mut self, tag: u8) {
        let slot = self.open.last().and_then(|start| self.bytes.get_mut(start + 4..));
        if let Some(slot) = slot.and_then(|rest| rest.first_chunk_mut::<4>()) {
            *slot = (u32::from_le_bytes(*slot) + 1).to_le_bytes();
        }
        self.bytes.push(tag);
    }

    fn text(&mut self, text: &str) {
        let place = if text.len() <= LONGEST_WORD { WORD_PLACES.get(text) } else { None };
        if let Some(place) = place {
            self.number(*place << 1 | 1);
        } else {
            self.number((text.len() as u32) << 1);
            self.bytes.extend(text.as_bytes());
        }
    }

    /// Writes seven bits a byte, lowest first; the eighth says that more follow.
    fn number(&mut self, mut number: u32) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }
}

/// A value inside packed bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// Null, or a field without a value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    String(&'a str),
    /// A list.
    Array(Items<'a>),
    /// A mapping, keys in the order of the file.
    Object(Fields<'a>),
}

/// The items of an array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Items<'a> {
    bytes: &'a [u8],
    count: u32,
}

/// The fields of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fields<'a> {
    bytes: &'a [u8],
    count: u32,
}

impl<'a> ValueRef<'a> {
    /// Reads the value that a builder wrote.
    pub fn new(bytes: &'a [u8]) -> Self {
        read(bytes).map_or(Self::Null, |(value, _)| value)
    }

    /// Returns the text of a string.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the fields of an object.
    pub fn as_object(self) -> Option<Fields<'a>> {
        match self {
            Self::Object(fields) => Some(fields),
            _ => None,
        }
    }

    /// Returns the items of an array.
    pub fn as_array(self) -> Option<Items<'a>> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns whether this is null.
    pub fn is_null(self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns a field of an object; null if there is none.
    #[must_use]
    pub fn get(self, key: &str) -> ValueRef<'a> {
        self.as_object().and_then(|fields| fields.get(key)).unwrap_or(Self::Null)
    }

    /// Returns the text form of a scalar, as a filter compares it; `None` for null, lists and mappings.
    pub fn scalar_text(self) -> Option<std::borrow::Cow<'a, str>> {
        use std::borrow::Cow;
        match self {
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Bool(b) => Some(Cow::Borrowed(if b { "true" } else { "false" })),
            Self::Int(i) => Some(Cow::Owned(i.to_string())),
            Self::Float(f) => Some(Cow::Owned(f.to_string())),
            Self::Null | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// Returns an owned JSON value; deep nesting is bounded by what the parser let in.
    pub fn to_json(self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }
}

impl<'a> Items<'a> {
    /// Returns the number of items.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Iterates over the items.
    pub fn iter(&self) -> impl Iterator<Item = ValueRef<'a>> + use<'a> {
        let mut rest = self.bytes;
        (0..self.count).map_while(move |_| {
            let (value, tail) = read(rest)?;
            rest = tail;
            Some(value)
        })
    }
}

impl<'a> Fields<'a> {
    /// Returns the number of fields.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Iterates over keys and values in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + use<'a> {
        let mut rest = self.bytes;
        (0..self.count).map_while(move |_| {
            let (key, tail) = read_text(rest)?;
            let (value, tail) = read(tail)?;
            rest = tail;
            Some((key, value))
        })
    }

    /// Finds a field by its exact key.
    pub fn get(&self, key: &str) -> Option<ValueRef<'a>> {
        self.iter().find(|(k, _)| *k == key).map(|(_, value)| value)
    }
}

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(b) => serializer.serialize_bool(*b),
            Self::Int(i) => serializer.serialize_i64(*i),
            // JSON has one number type: a float without a fraction prints as the original prints it
            Self::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => serializer.serialize_i64(*f as i64),
            Self::Float(f) => serializer.serialize_f64(*f),
            Self::String(s) => serializer.serialize_str(s),
            Self::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    seq.serialize_element(&item)?;
                }
                seq.end()
            }
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields.iter() {
                    map.serialize_entry(key, &value)?;
                }
                map.end()
            }
        }
    }
}

fn take<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk::<N>().map(|(head, tail)| (*head, tail))
}

fn read_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (number, rest) = read_number(bytes)?;
    if number & 1 == 1 {
        return Some((WORDS.get(number as usize >> 1)?, rest));
    }
    let (text, rest) = rest.split_at_checked(number as usize >> 1)?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

fn read_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut number = 0u32;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        number |= u32::from(byte & 0x7f).checked_shl(7 * at as u32)?;
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(at + 1..)?));
        }
    }
    None
}

fn read_run(bytes: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    let (length, rest) = take::<4>(bytes)?;
    let (count, rest) = take::<4>(rest)?;
    let (run, rest) = rest.split_at_checked(u32::from_le_bytes(length) as usize)?;
    Some((run, u32::from_le_bytes(count), rest))
}

fn read(bytes: &[u8]) -> Option<(ValueRef<'_>, &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    Some(match *tag {
        FALSE => (ValueRef::Bool(false), rest),
        TRUE => (ValueRef::Bool(true), rest),
        INT => {
            let (value, rest) = take::<8>(rest)?;
            (ValueRef::Int(i64::from_le_bytes(value)), rest)
        }
        FLOAT => {
            let (value, rest) = take::<8>(rest)?;
            (ValueRef::Float(f64::from_le_bytes(value)), rest)
        }
        STRING => {
            let (text, rest) = read_text(rest)?;
            (ValueRef::String(text), rest)
        }
        ARRAY => {
            let (bytes, count, rest) = read_run(rest)?;
            (ValueRef::Array(Items { bytes, count }), rest)
        }
        OBJECT => {
            let (bytes, count, rest) = read_run(rest)?;
            (ValueRef::Object(Fields { bytes, count }), rest)
        }
        _ => (ValueRef::Null, rest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pack(json: &serde_json::Value) -> Box<[u8]> {
        let mut builder = PackedBuilder::new();
        builder.json(json);
        builder.finish()
    }

    #[test]
    fn words_are_listed_once_and_within_their_bounds() {
        assert_eq!(WORD_PLACES.len(), WORDS.len());
        assert!(WORDS.iter().all(|word| word.len() <= LONGEST_WORD));
        assert_eq!(WORDS[63], "github.com/team-slug");
        for word in WORDS {
            let bytes = pack(&serde_json::json!(word));
            assert!(bytes.len() <= 3);
            assert_eq!(ValueRef::new(&bytes).as_str(), Some(*word));
        }
    }

    #[test]
    fn texts_of_every_length_come_back() {
        for length in [0, 1, 63, 64, 127, 128, 8191, 8192, 3_000_000] {
            let text = "x".repeat(length);
            assert_eq!(ValueRef::new(&pack(&serde_json::json!(text))).as_str(), Some(text.as_str()));
        }
    }

    #[test]
    fn reads_fields_in_place() {
        let bytes = pack(&serde_json::json!({"metadata": {"name": "x", "tags": ["a", 2, null, true, 1.5]}}));
        let value = ValueRef::new(&bytes);
        assert_eq!(value.get("metadata").get("name").as_str(), Some("x"));
        assert_eq!(value.get("metadata").get("tags").as_array().map(|t| t.len()), Some(5));
        assert!(value.get("spec").get("owner").is_null());
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::hash_map(".*", inner, 0..5)
                    .prop_map(|m| serde_json::Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_comes_back_unchanged(value in json()) {
            prop_assert_eq!(ValueRef::new(&pack(&value)).to_json(), value);
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ValueRef::new(&bytes).to_json();
        }
    }
}
