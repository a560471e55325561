//! JSON text to a tree of nodes, keys in their order, bounded.

use crate::yaml::{Data, Node, Position};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// Most values of one entity; a definition is one text, so that even large ones stay far below.
const MAX_VALUES: u32 = 100_000;
/// Mappings up to this size are searched for a repeated key one by one.
const SMALL_MAPPING: usize = 16;

/// Why JSON is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// More bytes than are read.
    #[error("it has {size} bytes, at most {limit} are read")]
    TooLarge {
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// No JSON, or nested too deeply, or of too many values.
    #[error("{0}")]
    Syntax(String),
}

/// Parses one JSON value of at most `limit` bytes. Of a repeated key the last value counts.
///
/// # Errors
/// [`JsonError`] when it is none, or more than is good.
pub fn parse(bytes: &[u8], limit: usize) -> Result<Node<'_>, JsonError> {
    if bytes.len() > limit {
        return Err(JsonError::TooLarge { size: bytes.len(), limit });
    }
    let left = Cell::new(MAX_VALUES);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let wrong = |error: serde_json::Error| JsonError::Syntax(error.to_string());
    let node = Seed { left: &left }.deserialize(&mut reader).map_err(wrong)?;
    reader.end().map_err(wrong)?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct Seed<'l> {
    left: &'l Cell<u32>,
}

fn node(data: Data<'_>) -> Node<'_> {
    Node { start: Position::default(), width: 1, data }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| D::Error::custom("it has too many values"))?);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(node(Data::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(node(Data::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(node(Data::Int(value)))
    }

    #[expect(clippy::cast_precision_loss, reason = "JavaScript, which wrote it, has no more digits either")]
    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(node(i64::try_from(value).map_or(Data::Float(value as f64), Data::Int)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(node(Data::Float(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(node(Data::String(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(node(Data::String(Cow::Owned(value.to_owned()))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            out.push(item);
        }
        Ok(node(Data::Sequence(out)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node<'de>, A::Error> {
        let mut out: Vec<(Node<'de>, Node<'de>)> = Vec::new();
        let mut places = rustc_hash::FxHashMap::default();
        while let Some(key) = fields.next_key_seed(self)? {
            let value = fields.next_value_seed(self)?;
            let text = key.as_str().unwrap_or("").to_owned();
            let before = if out.len() < SMALL_MAPPING {
                out.iter().position(|(key, _)| key.as_str() == Some(&text))
            } else {
                if places.is_empty() {
                    places.extend(
                        out.iter().enumerate().map(|(at, (key, _))| (key.key_text().into_owned(), at)),
                    );
                }
                places.get(&text).copied()
            };
            if let Some(slot) = before.and_then(|at| out.get_mut(at)) {
                slot.1 = value;
            } else {
                if !places.is_empty() {
                    places.insert(text, out.len());
                }
                out.push((key, value));
            }
        }
        Ok(node(Data::Mapping(out)))
    }
}
