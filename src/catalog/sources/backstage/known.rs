//! What is held of a server before a refresh: its entities by ref, in the files they came in.

use super::chain::{Chain, RefHash, content};
use crate::catalog::ingest::json::Converted;
use crate::catalog::snapshot::{ParsedDocument, ParsedFile};
use crate::catalog::stitch::canonical_ref;
use crate::model::value::ValueRef;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Entities of earlier refreshes.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub files: Vec<Arc<ParsedFile>>,
    places: FxHashMap<RefHash, (u32, u32)>,
}

impl Known {
    pub(super) fn new(files: Vec<Arc<ParsedFile>>) -> Self {
        let mut places = FxHashMap::default();
        for (file, parsed) in (0u32..).zip(&files) {
            for (document, parsed) in (0u32..).zip(&parsed.documents) {
                if let Some(canonical) = canonical_ref(ValueRef::new(&parsed.packed)) {
                    places.insert(RefHash::of(&canonical), (file, document));
                }
            }
        }
        Self { files, places }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Iterates over all entities with the number of their file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RefHash, usize, &ParsedDocument)> {
        self.places.iter().filter_map(|(hash, (file, document))| {
            let file = *file as usize;
            Some((*hash, file, self.files.get(file)?.documents.get(*document as usize)?))
        })
    }

    /// Returns the number of the file of an entity.
    pub(super) fn file_of(&self, hash: RefHash) -> Option<usize> {
        self.places.get(&hash).map(|(file, _)| *file as usize)
    }

    /// Returns what the server says to tell a change of an entity by.
    pub(super) fn etag(&self, hash: RefHash) -> Option<&str> {
        let (file, document) = self.places.get(&hash)?;
        let document = self.files.get(*file as usize)?.documents.get(*document as usize)?;
        Some(etag_of(document))
    }

    /// Returns an entity as it would have been converted.
    pub(super) fn converted(&self, file: usize, document: &ParsedDocument) -> Option<Converted> {
        let file = self.files.get(file)?;
        let entity_ref = canonical_ref(ValueRef::new(&document.packed))?;
        let about = file.diagnostics.iter().filter(|d| d.entity.as_ref() == Some(&entity_ref));
        Some(Converted {
            location_ref: file.location_ref.clone(),
            origin_ref: file.origin_ref.clone(),
            document: document.clone(),
            diagnostics: about.cloned().collect(),
            entity_ref,
        })
    }

    /// Takes the validators off pages whose entities are not held as they were then.
    pub(super) fn verify(&self, chain: &mut Chain) {
        for page in &mut chain.pages {
            let held: Option<Vec<(RefHash, &str)>> =
                page.refs.iter().map(|hash| Some((*hash, self.etag(*hash)?))).collect();
            if held.is_none_or(|held| content(held.into_iter()) != page.content) {
                page.etag = None;
            }
        }
    }
}

/// Returns `metadata.etag`; empty when there is none.
pub(super) fn etag_of(document: &ParsedDocument) -> &str {
    ValueRef::new(&document.packed).get("metadata").get("etag").as_str().unwrap_or("")
}
