//! What a forge source remembers between runs, in the blobs of [`Kept`].
//!
//! Two sets of listing pages take turns: one is complete and answers "what was there before", the other
//! is being written; [`Memory::finish`] swaps them by a single key, so that a kill at any moment leaves
//! either the old or the new set. Contents lie under the id of their blob, once each.

use super::Content;
use crate::store::kept::Kept;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::sync::Arc;

/// Everything here starts with this; other keys belong to somebody else.
const PREFIX: &str = "forge/";
const CURRENT: &str = "forge/current";
const UNDER_WAY: &str = "forge/under-way";

/// A repository that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub path: String,
    pub branch: String,
    pub stamp: Option<String>,
    pub files: Vec<KnownFile>,
}

/// A descriptor and the id of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownFile {
    pub path: String,
    pub blob: String,
}

/// A complete listing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Current {
    set: u8,
    pages: usize,
    /// When it was completed, in seconds since 1970.
    #[serde(default)]
    at: i64,
}

/// A listing that has not come to its end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct UnderWay {
    set: u8,
    /// Pages that are kept.
    pub pages: usize,
    /// Where it goes on.
    pub next: Option<String>,
    /// Repositories listed so far, read or not.
    pub listed: usize,
    pub total: Option<usize>,
    /// When it was begun, in seconds since 1970.
    pub begun: i64,
}

/// Longest time after which a listing that was cut is still continued, in seconds.
const CONTINUED: i64 = 12 * 3600;

pub(super) struct Memory<'a> {
    kept: &'a Kept,
    current: Option<Current>,
}

impl<'a> Memory<'a> {
    pub(super) fn open(kept: &'a Kept) -> Self {
        Self { kept, current: read(kept, CURRENT) }
    }

    /// Returns the repositories of the last complete listing.
    pub(super) fn before(&self) -> Vec<Known> {
        match &self.current {
            Some(current) => self.pages(current.set, current.pages),
            None => Vec::new(),
        }
    }

    /// Returns when the last complete listing was completed, in seconds since 1970.
    pub(super) fn completed_at(&self) -> Option<i64> {
        self.current.as_ref().map(|current| current.at)
    }

    /// Returns the listing that was cut, if it may be continued, or a new one.
    pub(super) fn under_way(&self, now: i64) -> UnderWay {
        let set = u8::from(self.current.as_ref().is_some_and(|current| current.set == 0));
        read::<UnderWay>(self.kept, UNDER_WAY)
            .filter(|cut| cut.set == set && (0..CONTINUED).contains(&(now - cut.begun)))
            .unwrap_or(UnderWay { set, begun: now, ..UnderWay::default() })
    }

    /// Returns what the pages of a listing under way hold so far.
    pub(super) fn so_far(&self, under_way: &UnderWay) -> Vec<Known> {
        self.pages(under_way.set, under_way.pages)
    }

    /// Keeps a page and where the listing goes on behind it.
    pub(super) fn add(&self, under_way: &mut UnderWay, page: &[Known], next: Option<String>) {
        write(self.kept, &page_key(under_way.set, under_way.pages), &page);
        under_way.pages += 1;
        under_way.next = next;
        write(self.kept, UNDER_WAY, under_way);
    }

    /// Forgets a listing that was cut.
    pub(super) fn drop_under_way(&self) {
        self.kept.remove(UNDER_WAY);
    }

    /// Makes a listing the complete one.
    pub(super) fn finish(&self, under_way: &UnderWay, now: i64) {
        write(self.kept, CURRENT, &Current { set: under_way.set, pages: under_way.pages, at: now });
        self.kept.remove(UNDER_WAY);
    }

    fn pages(&self, set: u8, pages: usize) -> Vec<Known> {
        (0..pages).filter_map(|page| read::<Vec<Known>>(self.kept, &page_key(set, page))).flatten().collect()
    }
}

fn page_key(set: u8, page: usize) -> String {
    format!("{PREFIX}page/{set}/{page}")
}

/// Returns the key of a content.
pub(super) fn blob_key(blob: &str) -> String {
    format!("{PREFIX}blob/{blob}")
}

/// Returns the key of what is noted about an address that descriptors name.
pub(super) fn note_key(address: &str) -> String {
    format!("{PREFIX}note/{address}")
}

/// Keeps a content and returns its id; one that the forge gave none is named by its own hash.
pub(super) fn keep_content(kept: &Kept, content: &Content) -> String {
    let blob = content.blob.clone().unwrap_or_else(|| {
        let hash = blake3::hash(&content.bytes).to_hex();
        format!("b3-{hash}")
    });
    let key = blob_key(&blob);
    if kept.get(&key).is_none() {
        kept.put(&key, &content.bytes);
    }
    blob
}

/// Returns a kept content.
pub(super) fn content(kept: &Kept, blob: &str) -> Option<Arc<[u8]>> {
    kept.get(&blob_key(blob))
}

/// Forgets contents and notes that the last run did not need.
pub(super) fn forget_unused(kept: &Kept, used: &super::remote::Used) {
    let used: FxHashSet<String> = used.take();
    kept.retain(|key| {
        let ours = key
            .strip_prefix(PREFIX)
            .is_some_and(|rest| rest.starts_with("blob/") || rest.starts_with("note/"));
        !ours || used.contains(key)
    });
}

/// Reads a kept value; what is damaged is as good as absent.
pub(super) fn read<T: DeserializeOwned>(kept: &Kept, key: &str) -> Option<T> {
    serde_json::from_slice(&kept.get(key)?).ok()
}

/// Keeps a value; what is the same already is not written again.
pub(super) fn write<T: Serialize>(kept: &Kept, key: &str, value: &T) {
    let Ok(bytes) = serde_json::to_vec(value) else { return };
    if kept.get(key).is_none_or(|old| *old != *bytes) {
        kept.put(key, &bytes);
    }
}
