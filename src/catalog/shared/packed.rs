//! Entities between their packed form and JSON, in the order of their keys and without a tree between.

use super::MAX_DEPTH;
use super::clean::without_passwords;
use crate::model::value::{Fields, PackedBuilder, ValueRef};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::fmt;

/// An entity read from JSON.
#[derive(Debug)]
pub(super) struct Packed(pub Box<[u8]>);

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut builder = PackedBuilder::new();
        Sink { builder: &mut builder, depth: 0 }.deserialize(deserializer)?;
        Ok(Self(builder.finish()))
    }
}

/// Writes whatever comes into a builder.
struct Sink<'b> {
    builder: &'b mut PackedBuilder,
    depth: usize,
}

impl Sink<'_> {
    fn below<E: Error>(&mut self) -> Result<Sink<'_>, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!("it is nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Sink { builder: self.builder, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Sink<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sink<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.builder.null();
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.builder.bool(value);
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.builder.int(value);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.builder.int(value),
            Err(_) => self.builder.float(value as f64),
        }
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.builder.float(value);
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.builder.string(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.builder.begin_array();
        while items.next_element_seed(self.below()?)?.is_some() {}
        self.builder.end();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        self.builder.begin_object();
        while let Some(key) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            self.builder.key(&key);
            fields.next_value_seed(self.below()?)?;
        }
        self.builder.end();
        Ok(())
    }
}

/// An entity as it is published: passwords inside of addresses are left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Published<'a>(pub ValueRef<'a>);

impl Serialize for Published<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            ValueRef::String(text) => serializer.serialize_str(&without_passwords(text)),
            ValueRef::Array(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    seq.serialize_element(&Published(item))?;
                }
                seq.end()
            }
            ValueRef::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields.iter() {
                    map.serialize_entry(key, &Published(value))?;
                }
                map.end()
            }
            scalar => scalar.serialize(serializer),
        }
    }
}

/// Returns whether a value is nested no deeper than is read.
pub(super) fn is_shallow(value: ValueRef<'_>) -> bool {
    fn fits(value: ValueRef<'_>, left: usize) -> bool {
        match value {
            ValueRef::Array(items) => left > 0 && items.iter().all(|item| fits(item, left - 1)),
            ValueRef::Object(fields) => {
                left > 0 && Fields::iter(&fields).all(|(_, item)| fits(item, left - 1))
            }
            _ => true,
        }
    }
    fits(value, MAX_DEPTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<String, serde_json::Error> {
        let packed: Packed = serde_json::from_str(json)?;
        Ok(serde_json::to_string(&Published(ValueRef::new(&packed.0))).unwrap())
    }

    #[test]
    fn keeps_the_order_of_keys_and_every_value() {
        let json = r#"{"b":[1,-2,1.5,true,null,"ü\n"],"a":{"z":{},"y":[]}}"#;
        assert_eq!(read(json).unwrap(), json);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(MAX_DEPTH)).is_ok());
        assert!(read(&nested(MAX_DEPTH + 1)).unwrap_err().to_string().contains("nested deeper"));
        assert!(read(&nested(1_000_000)).is_err());
        let packed: Packed = serde_json::from_str(&nested(MAX_DEPTH)).unwrap();
        assert!(is_shallow(ValueRef::new(&packed.0)));
    }

    #[test]
    fn passwords_in_addresses_are_left_out() {
        let json = r#"{"a":"see https://ana:pw@git.example/x?y=1 and ssh://git@host/x"}"#;
        assert_eq!(read(json).unwrap(), r#"{"a":"see https://git.example/x?y=1 and ssh://git@host/x"}"#);
    }
}
