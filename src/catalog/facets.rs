//! Counts of values per field over a list of entities: the chips and bars beside a list.

use super::filter::quoted;
use super::snapshot::{Catalog, EntityId, NONE};
use crate::model::entity_ref::split_canonical;
use rustc_hash::FxHashMap;
use serde::Serialize;

/// One field with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facet {
    /// The key of the filter language: `kind`, `owner`, …
    pub key: &'static str,
    /// Values, most frequent first, then by name.
    pub values: Vec<FacetValue>,
    /// Entities without a value.
    pub absent: usize,
}

/// One value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FacetValue {
    /// As shown.
    pub value: String,
    /// Entities that have it.
    pub count: usize,
    /// The filter term that keeps these: `owner:payments`.
    pub filter: String,
}

/// Fields that are counted, in the order they are shown.
pub const FACETS: &[&str] = &["kind", "type", "lifecycle", "owner", "system", "tag", "namespace", "source"];

/// Counts all fields of [`FACETS`].
pub fn facets(catalog: &Catalog, ids: &[EntityId]) -> Vec<Facet> {
    FACETS.iter().filter_map(|key| facet(catalog, ids, key)).collect()
}

/// Counts one field; `None` for a key that is not in [`FACETS`].
pub fn facet(catalog: &Catalog, ids: &[EntityId], key: &str) -> Option<Facet> {
    let key = FACETS.iter().find(|known| **known == key)?;
    let rows = || ids.iter().filter_map(|id| Some((id.0, catalog.rows.get(id.0 as usize)?)));
    let mut counts: FxHashMap<u32, usize> = FxHashMap::default();
    let mut absent = 0;
    let mut count = |value: Option<u32>| match value {
        Some(value) => *counts.entry(value).or_default() += 1,
        None => absent += 1,
    };
    // 0 is the empty text
    let text = |id: u32| (id != 0).then_some(id);
    let node = |id: u32| (id != NONE).then_some(id);
    match *key {
        "kind" => rows().for_each(|(_, row)| count(text(row.kind.0))),
        "type" => rows().for_each(|(_, row)| count(text(row.entity_type.0))),
        "lifecycle" => rows().for_each(|(_, row)| count(text(row.lifecycle.0))),
        "namespace" => rows().for_each(|(_, row)| count(text(row.namespace.0))),
        "owner" => rows().for_each(|(_, row)| count(node(row.owner))),
        "system" => rows().for_each(|(_, row)| count(node(row.system))),
        "source" => rows().for_each(|(_, row)| {
            count(catalog.files.source_of(row.file).map(u32::from));
        }),
        _ => rows().for_each(|(id, _)| {
            let tags = catalog.tags_of(id);
            if tags.is_empty() {
                count(None);
            }
            for tag in tags {
                count(text(tag.0));
            }
        }),
    }
    let mut values: Vec<FacetValue> = counts
        .into_iter()
        .map(|(id, count)| {
            let value = match *key {
                "owner" | "system" => short_ref(catalog.refs.get(id)).to_owned(),
                "source" => catalog.sources.get(id as usize).map_or_else(String::new, |s| s.name.to_string()),
                _ => catalog.texts.get(id).to_owned(),
            };
            let filter = format!("{key}:{}", quoted(&value));
            FacetValue { value, count, filter }
        })
        .collect();
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    Some(Facet { key, values, absent })
}

/// Returns the shortest form of a ref that the filter still reads: the name in the default namespace.
pub fn short_ref(canonical: &str) -> &str {
    let (_, namespace, name) = split_canonical(canonical);
    if namespace == "default" {
        return name;
    }
    canonical.split_once(':').map_or(canonical, |(_, rest)| rest)
}
