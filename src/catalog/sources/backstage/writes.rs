//! What a person may ask a backend to do: register a location, process an entity again.
//!
//! Nothing here happens by itself; each function is one request that somebody asked for.

use super::BackstageSource;
use super::backend::Backend;
use crate::catalog::sources::{CatalogProvider as _, CatalogWrites, RefreshContext, Registered, SourceError};
use crate::net::NetError;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Deserialize;
use serde_json::json;
use std::fmt::Write as _;

/// Entities of a registration that are named.
const MAX_NAMED: usize = 500;

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    entities: Vec<Entity>,
    #[serde(default)]
    exists: bool,
}

#[derive(Deserialize)]
struct Entity {
    kind: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

impl CatalogWrites for BackstageSource {
    fn register(
        &self,
        cx: &RefreshContext<'_>,
        target: &str,
        dry_run: bool,
    ) -> Result<Registered, SourceError> {
        let backend = Backend::connect(&self.url, &self.place(), cx)?;
        let path = if dry_run { "api/catalog/locations?dryRun=true" } else { "api/catalog/locations" };
        let answer = match backend.post(path, &json!({ "type": "url", "target": target })) {
            Ok(answer) => answer,
            Err(NetError::Status { status: 409, .. }) => {
                return Ok(Registered { entities: Vec::new(), exists: true });
            }
            // it answered, and says what is wrong with the address
            Err(error @ NetError::Status { status: 400 | 404 | 422, .. }) => {
                return Err(SourceError::Unreadable {
                    place: target.to_owned(),
                    cause: error.to_string(),
                    hint: Some(
                        "the backend must be able to read the address, and find a descriptor there"
                            .to_owned(),
                    ),
                });
            }
            Err(error) => return Err(backend.explain_for(error, "catalog.location.create")),
        };
        let answered: Answered = answer.json().map_err(|error| backend.not_json(&answer, error))?;
        let named = answered.entities.into_iter().take(MAX_NAMED).map(|entity| {
            let namespace = entity.metadata.namespace.filter(|text| !text.is_empty());
            let namespace = namespace.as_deref().unwrap_or("default");
            crate::model::EntityRef::new(&entity.kind, namespace, &entity.metadata.name).to_string()
        });
        Ok(Registered { entities: named.collect(), exists: answered.exists })
    }

    fn refresh_entity(&self, cx: &RefreshContext<'_>, entity_ref: &str) -> Result<(), SourceError> {
        let backend = Backend::connect(&self.url, &self.place(), cx)?;
        backend.post("api/catalog/refresh", &json!({ "entityRef": entity_ref })).map(drop).map_err(|error| {
            match error {
                NetError::Status { status: 404, .. } => {
                    SourceError::UnknownEntity { place: self.place(), entity: entity_ref.to_owned() }
                }
                error => backend.explain_for(error, "catalog.entity.refresh"),
            }
        })
    }

    fn location_ref(&self, target: &str) -> String {
        let sum = digest(&SHA1_FOR_LEGACY_USE_ONLY, format!("url:{target}").as_bytes());
        let mut name = "location:default/generated-".to_owned();
        for byte in sum.as_ref() {
            let _ = write!(name, "{byte:02x}");
        }
        name
    }
}
