//! An entity in the shape of Backstage's `GET /entities`.
//!
//! As written, with the namespace filled in, the annotations that say where it comes from, its relations
//! in both directions and, where there are problems, a `status`.

use crate::catalog::{Catalog, Entity};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::value::ValueRef;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// An entity to be written as JSON or YAML.
#[derive(Debug, Clone, Copy)]
pub struct EntityJson<'a> {
    /// The snapshot it belongs to.
    pub catalog: &'a Catalog,
    /// The entity.
    pub entity: Entity<'a>,
}

impl Serialize for EntityJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let fields = self.entity.value().as_object();
        for (key, value) in fields.iter().flat_map(crate::model::value::Fields::iter) {
            match key {
                "metadata" => map.serialize_entry(key, &Metadata(self.entity))?,
                "relations" | "status" => {}
                _ => map.serialize_entry(key, &value)?,
            }
        }
        map.serialize_entry("relations", &Relations(*self))?;
        let mut problems = self.entity.problems().peekable();
        if problems.peek().is_some() {
            map.serialize_entry("status", &Status { items: problems.map(Item::new).collect() })?;
        }
        map.end()
    }
}

struct Metadata<'a>(Entity<'a>);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let metadata = self.0.value().get("metadata");
        let Some(fields) = metadata.as_object() else { return metadata.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        let absent = |key: &str| fields.get(key).is_none_or(ValueRef::is_null);
        for (key, value) in fields.iter() {
            match key {
                "namespace" | "annotations" if value.is_null() => {}
                "annotations" => map.serialize_entry(key, &Annotations(self.0))?,
                _ => map.serialize_entry(key, &value)?,
            }
        }
        if absent("namespace") {
            map.serialize_entry("namespace", self.0.namespace())?;
        }
        if absent("annotations") {
            map.serialize_entry("annotations", &Annotations(self.0))?;
        }
        map.end()
    }
}

struct Annotations<'a>(Entity<'a>);

impl Serialize for Annotations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let file = self.0.file();
        let own = [
            ("backstage.io/managed-by-location", &*file.location_ref),
            ("backstage.io/managed-by-origin-location", &*file.origin_ref),
        ];
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in own {
            map.serialize_entry(key, value)?;
        }
        let written = self.0.metadata("annotations").as_object();
        for (key, value) in written.iter().flat_map(crate::model::value::Fields::iter) {
            if own.iter().all(|(known, _)| *known != key) {
                map.serialize_entry(key, &value)?;
            }
        }
        map.end()
    }
}

struct Relations<'a>(EntityJson<'a>);

impl Serialize for Relations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        struct One<'a> {
            r#type: &'a str,
            target_ref: &'a str,
        }
        let mut seq = serializer.serialize_seq(None)?;
        for relation in self.0.entity.relations() {
            let target_ref = self.0.catalog.ref_of(relation.target);
            seq.serialize_element(&One { r#type: relation.relation, target_ref })?;
        }
        seq.end()
    }
}

#[derive(serde::Serialize)]
struct Status<'a> {
    items: Vec<Item<'a>>,
}

#[derive(serde::Serialize)]
struct Item<'a> {
    r#type: &'static str,
    level: &'static str,
    message: &'a str,
    error: Cause<'a>,
}

#[derive(serde::Serialize)]
struct Cause<'a> {
    name: &'static str,
    message: &'a str,
}

impl<'a> Item<'a> {
    fn new(diagnostic: &'a Diagnostic) -> Self {
        let level = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        Self {
            r#type: "backstage.io/catalog-processing",
            level,
            message: &diagnostic.message,
            error: Cause { name: diagnostic.code, message: &diagnostic.message },
        }
    }
}
