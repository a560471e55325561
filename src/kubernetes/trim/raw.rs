//! An object as a server sent it, read lean: what no view shows is skipped while reading, values of secrets and
//! config maps are measured and dropped, so they never stand in memory.

use super::certificate;
use super::part::Part;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::{ApiResource, DynamicResourceScope, Resource};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// Keys whose values nothing shows. `annotations` are thinned out apart.
const SKIPPED: &[&str] = &[
    "affinity",
    "args",
    "command",
    "containerID",
    "env",
    "envFrom",
    "imageID",
    "images",
    "lifecycle",
    "livenessProbe",
    "managedFields",
    "projected",
    "securityContext",
    "startupProbe",
    "tolerations",
    "volumeDevices",
    "volumeMounts",
];

/// Annotations that are read; the others are not kept.
const ANNOTATIONS: &[&str] = &["deployment.kubernetes.io/revision"];

/// An object on its way from a server to [`super::object`]. Works as the object type of kube's lists and watches.
#[derive(Debug, Clone, Default)]
pub struct Raw {
    /// What watches need of its metadata: name, namespace, uid and resource version.
    pub metadata: ObjectMeta,
    pub(super) value: Value,
    pub(super) values: Vec<Measured>,
    pub(super) expires: Option<jiff::Timestamp>,
}

/// The length of a value of a secret or config map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Measured {
    pub key: String,
    /// Length as written.
    pub length: usize,
    /// Length of what is meant, if it was written in base64.
    pub decoded: usize,
    pub is_binary: bool,
}

impl Raw {
    /// Reads a value that was parsed already.
    ///
    /// # Errors
    /// When the value is no object.
    pub fn from_value(value: Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(value)
    }

    pub(super) fn part(&self) -> Part<'_> {
        Part(Some(&self.value))
    }
}

impl Resource for Raw {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(of: &ApiResource) -> Cow<'_, str> {
        of.kind.as_str().into()
    }

    fn group(of: &ApiResource) -> Cow<'_, str> {
        of.group.as_str().into()
    }

    fn version(of: &ApiResource) -> Cow<'_, str> {
        of.version.as_str().into()
    }

    fn api_version(of: &ApiResource) -> Cow<'_, str> {
        of.api_version.as_str().into()
    }

    fn plural(of: &ApiResource) -> Cow<'_, str> {
        of.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut raw = Raw::default();
        let mut value = Map::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match &*key {
                "data" | "stringData" | "binaryData" => {
                    let is_binary = key == "binaryData";
                    map.next_value_seed(Measure { into: &mut raw, is_binary })?;
                }
                _ => {
                    drop(
                        value.insert(key.into_owned(), map.next_value_seed(Thin { is_annotations: false })?),
                    );
                }
            }
        }
        raw.value = Value::Object(value);
        raw.metadata = metadata(raw.part().at("metadata"));
        Ok(raw)
    }
}

fn metadata(part: Part<'_>) -> ObjectMeta {
    let text = |key: &str| part.at(key).text().map(str::to_owned);
    ObjectMeta {
        name: text("name"),
        namespace: text("namespace"),
        uid: text("uid"),
        resource_version: text("resourceVersion"),
        ..ObjectMeta::default()
    }
}

/// Reads a value without the keys that nothing shows.
#[derive(Clone, Copy)]
struct Thin {
    is_annotations: bool,
}

impl<'de> DeserializeSeed<'de> for Thin {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Thin {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(Self { is_annotations: false })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let is_skipped = if self.is_annotations {
                !ANNOTATIONS.contains(&&*key)
            } else {
                SKIPPED.binary_search(&&*key).is_ok()
            };
            if is_skipped {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let is_annotations = key == "annotations";
            values.insert(key.into_owned(), map.next_value_seed(Self { is_annotations })?);
        }
        Ok(Value::Object(values))
    }
}

/// Measures the values of a map; reads anything else as an empty one.
struct Measure<'a> {
    into: &'a mut Raw,
    is_binary: bool,
}

impl<'de> DeserializeSeed<'de> for Measure<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Measure<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("values by key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let is_certificate = key == "tls.crt";
            let (length, decoded, expires) = map.next_value_seed(Length { is_certificate })?;
            self.into.expires = self.into.expires.or(expires);
            if self.into.values.len() < MOST_KEYS {
                let is_binary = self.is_binary;
                self.into.values.push(Measured { key: key.into_owned(), length, decoded, is_binary });
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Keys of a secret or config map that are kept.
const MOST_KEYS: usize = 256;

/// The length of a text, of what it means in base64, and when the certificate in it ends.
#[derive(Clone, Copy)]
struct Length {
    is_certificate: bool,
}

type Lengths = (usize, usize, Option<jiff::Timestamp>);

impl<'de> DeserializeSeed<'de> for Length {
    type Value = Lengths;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Lengths, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Length {
    type Value = Lengths;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Lengths, E> {
        let padding = text.bytes().rev().take_while(|byte| *byte == b'=').take(2).count();
        let decoded = (text.len() / 4 * 3).saturating_sub(padding);
        let expires = if self.is_certificate { certificate::end_in_base64(text) } else { None };
        Ok((text.len(), decoded, expires))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Lengths, E> {
        Ok((0, 0, None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Lengths, E> {
        Ok((0, 0, None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Lengths, E> {
        Ok((0, 0, None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Lengths, E> {
        Ok((0, 0, None))
    }

    fn visit_unit<E>(self) -> Result<Lengths, E> {
        Ok((0, 0, None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Lengths, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok((0, 0, None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Lengths, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((0, 0, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn skipped_keys_are_sorted_for_the_search() {
        assert!(SKIPPED.is_sorted());
    }

    #[test]
    fn values_and_annotations_do_not_stay() {
        let text = json!({
            "kind": "Secret",
            "metadata": {
                "name": "s", "resourceVersion": "7",
                "annotations": { "last-applied": "hunter2", "deployment.kubernetes.io/revision": "3" },
                "managedFields": [{ "x": "hunter2" }],
            },
            "data": { "password": "aHVudGVyMg==", "odd": 7, "odder": ["hunter2"] },
            "spec": { "containers": [{ "env": [{ "name": "P", "value": "hunter2" }] }] },
        })
        .to_string();
        let raw: Raw = serde_json::from_str(&text).unwrap();
        let shown = format!("{raw:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("aHVudGVy"), "{shown}");
        assert_eq!(raw.metadata.resource_version.as_deref(), Some("7"));
        let password = raw.values.iter().find(|value| value.key == "password").unwrap();
        assert_eq!((password.length, password.decoded), (12, 7));
        let annotations = raw.part().at("metadata").at("annotations");
        assert_eq!(annotations.word("deployment.kubernetes.io/revision"), "3");
    }

    #[test]
    fn data_of_any_shape_is_read() {
        for data in [json!(null), json!(7), json!([1, [2]]), json!("x"), json!({ "a": { "b": [] } })] {
            assert!(Raw::from_value(json!({ "data": data })).is_ok());
        }
    }
}
