//! The copy of a snapshot on the machine that reads it: works without a network, and tells its age.
//!
//! Start at [`Shelf`]. Two small blobs (the manifest as it came, and when it was seen) and the data object
//! under its own name. The data is written before the manifest that names it; what does not fit together
//! is as good as not there.

use super::keys::PublicKeys;
use super::manifest::DataObject;
use super::{DATA, MANIFEST, Manifest};
use crate::store;
use crate::store::kept::Kept;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

/// Name of the blob that says when the manifest was seen.
const SEEN: &str = "seen.json";
/// Larger blobs are not ours.
const MAX_BLOB: u64 = 2 * 1024 * 1024;

/// What is known of the copy.
#[derive(Debug, Clone)]
pub struct Copy {
    /// As it was last read and trusted.
    pub manifest: Manifest,
    /// What the store called it.
    pub etag: Option<String>,
    /// When the store was last known to have it.
    pub checked: Timestamp,
    /// When the youngest manifest was made that was ever seen there.
    pub newest: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    etag: Option<String>,
    checked: String,
    newest: String,
}

/// Where the copy is kept: in the folder of the source, or in memory where nothing is kept on disk.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a> {
    folder: Option<&'a Path>,
    kept: &'a Kept,
}

impl<'a> Shelf<'a> {
    /// Names the place; touches nothing.
    pub fn new(folder: Option<&'a Path>, kept: &'a Kept) -> Self {
        Self { folder, kept }
    }

    /// Reads what is known of the copy, if it is trusted.
    pub fn copy(self, keys: Option<&PublicKeys>) -> Option<self::Copy> {
        let manifest = Manifest::parse(&self.blob(MANIFEST)?, keys).ok()?;
        let seen: Seen = serde_json::from_slice(&self.blob(SEEN)?).ok()?;
        Some(self::Copy {
            manifest,
            etag: seen.etag,
            checked: seen.checked.parse().ok()?,
            newest: seen.newest.parse().ok()?,
        })
    }

    /// Reads the data object, if it is there and right.
    pub fn data(self, object: &DataObject) -> Option<Arc<[u8]>> {
        let file = std::fs::File::open(self.folder?.join(&object.name)).ok()?;
        let mut bytes = Vec::with_capacity(usize::try_from(object.size.min(MAX_BLOB)).ok()?);
        file.take(object.size.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        object.check(&bytes).ok()?;
        Some(bytes.into())
    }

    /// Keeps a data object. Keeping is a courtesy: on a full disk the catalog is only read anew each time.
    pub fn put_data(self, object: &DataObject, bytes: &[u8]) {
        let Some(folder) = self.folder else { return };
        if let Err(error) = store::write_atomic(&folder.join(&object.name), bytes) {
            tracing::warn!(%error, "a snapshot is not kept");
        }
    }

    /// Keeps the manifest with what is known of it, and forgets the data of others.
    pub fn put(self, manifest: Option<&[u8]>, copy: &self::Copy) {
        if let Some(manifest) = manifest {
            self.put_blob(MANIFEST, manifest);
        }
        let seen = Seen {
            etag: copy.etag.clone(),
            checked: copy.checked.to_string(),
            newest: copy.newest.to_string(),
        };
        if let Ok(seen) = serde_json::to_vec(&seen) {
            self.put_blob(SEEN, &seen);
        }
        if manifest.is_some() {
            self.forget_others(&copy.manifest.data);
        }
    }

    fn forget_others(self, object: &DataObject) {
        let Some(folder) = self.folder else { return };
        let Ok(entries) = std::fs::read_dir(folder.join(DATA)) else { return };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.ends_with(".jsonl.gz") && !object.name.ends_with(&name) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    fn blob(self, name: &str) -> Option<Vec<u8>> {
        let Some(folder) = self.folder else { return self.kept.get(name).map(|bytes| bytes.to_vec()) };
        let mut bytes = Vec::new();
        std::fs::File::open(folder.join(name)).ok()?.take(MAX_BLOB).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    fn put_blob(self, name: &str, bytes: &[u8]) {
        match self.folder {
            None => self.kept.put(name, bytes),
            Some(folder) => {
                if let Err(error) = store::write_atomic(&folder.join(name), bytes) {
                    tracing::warn!(%error, "a snapshot is not kept");
                }
            }
        }
    }
}
