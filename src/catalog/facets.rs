//! Counts of values per field over a list of entities: the chips and bars beside a list.

use super::filter::quoted;
use super::snapshot::{Catalog, EntityId, NONE};
use crate::model::entity_ref::split_canonical;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

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

/// How often each number occurs: numbers are dense, so that counting is one addition.
struct Counts {
    of: Vec<usize>,
    absent: usize,
    /// The number that means that there is no value.
    none: u32,
}

impl Counts {
    fn add(&mut self, number: u32) {
        match self.of.get_mut(number as usize).filter(|_| number != self.none) {
            Some(slot) => *slot += 1,
            None => self.absent += 1,
        }
    }
}

/// Counts all fields of [`FACETS`].
pub fn facets(catalog: &Catalog, ids: &[EntityId]) -> Vec<Facet> {
    FACETS.par_iter().filter_map(|key| facet(catalog, ids, key)).collect()
}

/// Counts one field; `None` for a key that is not in [`FACETS`].
pub fn facet(catalog: &Catalog, ids: &[EntityId], key: &str) -> Option<Facet> {
    let key = FACETS.iter().find(|known| **known == key)?;
    let is_node = matches!(*key, "owner" | "system");
    let numbers = match *key {
        "source" => catalog.sources.len(),
        _ if is_node => catalog.node_count(),
        _ => catalog.texts.len(),
    };
    let mut counts = Counts { of: vec![0; numbers], absent: 0, none: if is_node { NONE } else { 0 } };
    let rows = || ids.iter().filter_map(|id| catalog.rows.get(id.0 as usize));
    match *key {
        "kind" => rows().for_each(|row| counts.add(row.kind.0)),
        "type" => rows().for_each(|row| counts.add(row.entity_type.0)),
        "lifecycle" => rows().for_each(|row| counts.add(row.lifecycle.0)),
        "namespace" => rows().for_each(|row| counts.add(row.namespace.0)),
        "owner" => rows().for_each(|row| counts.add(row.owner)),
        "system" => rows().for_each(|row| counts.add(row.system)),
        "source" => {
            counts.none = NONE;
            rows().for_each(|row| counts.add(catalog.files.source_of(row.file).map_or(NONE, u32::from)));
        }
        _ => {
            for id in ids {
                let tags = catalog.tags_of(id.0);
                if tags.is_empty() {
                    counts.absent += 1;
                }
                for tag in tags {
                    counts.add(tag.0);
                }
            }
        }
    }
    let Counts { of, absent, .. } = counts;
    let counts = (0u32..).zip(of).filter(|(_, count)| *count > 0);
    let mut values: Vec<FacetValue> = counts
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

/// Counts how many of these entities are in which health, the worst first; `None` where nothing is known of any.
pub fn status(
    catalog: &Catalog,
    ids: &[EntityId],
    health: &BTreeMap<Arc<str>, &'static str>,
) -> Option<Facet> {
    let known: FxHashMap<EntityId, &'static str> =
        health.iter().filter_map(|(entity, word)| Some((catalog.find(entity)?, *word))).collect();
    if known.is_empty() {
        return None;
    }
    let words: Vec<&'static str> = ids.iter().filter_map(|id| known.get(id).copied()).collect();
    let value = |word: &&'static str| {
        let count = words.iter().filter(|found| found == &word).count();
        FacetValue { value: (*word).to_owned(), count, filter: format!("status:{word}") }
    };
    let values = ["down", "slow", "unknown", "ok"].iter().map(value).filter(|value| value.count > 0);
    Some(Facet { key: "status", values: values.collect(), absent: ids.len() - words.len() })
}

/// Returns the shortest form of a ref that the filter still reads: the name in the default namespace.
pub fn short_ref(canonical: &str) -> &str {
    let (_, namespace, name) = split_canonical(canonical);
    if namespace == "default" {
        return name;
    }
    canonical.split_once(':').map_or(canonical, |(_, rest)| rest)
}
