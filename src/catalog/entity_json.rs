//! An entity as Backstage's `GET /entities` prints it, written without building a tree.
//!
//! Order of keys: `apiVersion kind metadata spec relations status`. The namespace is filled in; the
//! annotations that the catalog itself sets (where the entity was read from) are added, and those a
//! file may set itself (view, edit and source address) only if it does not. `status` is there when
//! something is wrong. Source: Backstage, *Well-known annotations*, *The life of an entity*.

use super::ingest::location_annotations;
use super::snapshot::{Catalog, Entity, Relation};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::value::Fields;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

/// Keys of the root that are written in their own place or never read from a file.
const ROOT: &[&str] = &["apiVersion", "kind", "metadata", "spec", "relations", "status"];

impl Serialize for Entity<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.value();
        let mut map = serializer.serialize_map(None)?;
        for key in ["apiVersion", "kind"] {
            let field = value.get(key);
            if !field.is_null() {
                map.serialize_entry(key, &field)?;
            }
        }
        map.serialize_entry("metadata", &Metadata(*self))?;
        if !self.spec().is_null() {
            map.serialize_entry("spec", &self.spec())?;
        }
        // fields the model does not know are kept
        for (key, field) in value.as_object().iter().flat_map(Fields::iter) {
            if !ROOT.contains(&key) {
                map.serialize_entry(key, &field)?;
            }
        }
        map.serialize_entry("relations", &Relations(*self))?;
        if self.problems().next().is_some() {
            map.serialize_entry("status", &Status(*self))?;
        }
        map.end()
    }
}

impl Entity<'_> {
    /// Returns the entity as a JSON value; to print it, serialise the entity itself.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or(serde_json::Value::Null)
    }
}

struct Metadata<'a>(Entity<'a>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metadata = self.0.value().get("metadata");
        let mut map = serializer.serialize_map(None)?;
        let has_namespace = metadata.get("namespace").as_str().is_some_and(|ns| !ns.is_empty());
        if !has_namespace {
            map.serialize_entry("namespace", "default")?;
        }
        map.serialize_entry("annotations", &Annotations(self.0))?;
        for (key, field) in metadata.as_object().iter().flat_map(Fields::iter) {
            if key != "annotations" && (has_namespace || key != "namespace") {
                map.serialize_entry(key, &field)?;
            }
        }
        map.end()
    }
}

struct Annotations<'a>(Entity<'a>);

impl Serialize for Annotations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = self.0.file();
        let own = self.0.metadata("annotations");
        let set: [(&str, &str); 2] = [
            ("backstage.io/managed-by-location", file.location_ref),
            ("backstage.io/managed-by-origin-location", file.origin_ref),
        ];
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in own.as_object().iter().flat_map(Fields::iter) {
            if !set.iter().any(|(name, _)| *name == key) {
                map.serialize_entry(key, &value)?;
            }
        }
        for (key, value) in set {
            map.serialize_entry(key, value)?;
        }
        for (key, value) in location_annotations(file.location_ref) {
            if own.get(key).is_null() {
                map.serialize_entry(key, &value)?;
            }
        }
        map.end()
    }
}

struct Relations<'a>(Entity<'a>);

impl Serialize for Relations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let catalog = self.0.catalog();
        let mut relations: Vec<Relation<'_>> = self.0.relations().collect();
        // refs that nobody describes are numbered behind all others
        if relations.iter().any(|r| !catalog.is_entity(r.target)) {
            relations.sort_by_key(|r| (r.relation, catalog.ref_of(r.target)));
        }
        let mut seq = serializer.serialize_seq(Some(relations.len()))?;
        for relation in relations {
            seq.serialize_element(&RelationOut { catalog, relation })?;
        }
        seq.end()
    }
}

struct RelationOut<'a> {
    catalog: &'a Catalog,
    relation: Relation<'a>,
}

impl Serialize for RelationOut<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Relation", 2)?;
        out.serialize_field("type", self.relation.relation)?;
        out.serialize_field("targetRef", self.catalog.ref_of(self.relation.target))?;
        out.end()
    }
}

struct Status<'a>(Entity<'a>);

impl Serialize for Status<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Status", 1)?;
        out.serialize_field("items", &Items(self.0))?;
        out.end()
    }
}

struct Items<'a>(Entity<'a>);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.problems().map(Item))
    }
}

struct Item<'a>(&'a Diagnostic);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("StatusItem", 3)?;
        out.serialize_field("type", "backstage.io/catalog-processing")?;
        let level = match self.0.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        out.serialize_field("level", level)?;
        match &self.0.location {
            Some(place) => out.serialize_field("message", &format!("{place}: {}", self.0.message))?,
            None => out.serialize_field("message", &self.0.message)?,
        }
        out.end()
    }
}
