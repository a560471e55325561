//! The pages of the last walk, with what tells whether they changed.

use super::pages::{Listing, Mode};
use crate::store::kept::Kept;
use serde::{Deserialize, Serialize};

const KEY: &str = "backstage/chain";
/// Raised when the meaning of what is kept changes.
const VERSION: u32 = 1;

/// Number of a canonical ref, the same in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(super) struct RefHash(pub u64);

impl RefHash {
    pub(super) fn of(canonical: &str) -> Self {
        let hash = blake3::hash(canonical.as_bytes());
        Self(hash.as_bytes().first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes)))
    }
}

/// One page as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptPage {
    /// Where it starts; `None` for the first.
    pub cursor: Option<String>,
    /// What was asked for.
    pub mode: Mode,
    /// The validator that came with it.
    pub etag: Option<String>,
    /// Where the next one starts.
    pub next: Option<String>,
    /// Its entities.
    pub refs: Vec<RefHash>,
    /// Hash of refs and etags of its entities, to tell whether they are still what is held.
    pub content: u64,
    /// What was odd in it.
    pub odd: Vec<String>,
}

/// The pages of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chain {
    version: u32,
    pub listing: Listing,
    pub pages: Vec<KeptPage>,
    /// Whether the walk came to its end.
    pub is_complete: bool,
    /// Whether the server tells by validators whether a page changed.
    pub has_validators: bool,
    /// How many entities the server said there are.
    pub total: Option<u64>,
    /// When all of it was last known to be good, in seconds.
    pub read_at: Option<i64>,
}

impl Chain {
    pub(super) fn new(listing: Listing) -> Self {
        Self {
            version: VERSION,
            listing,
            pages: Vec::new(),
            is_complete: false,
            has_validators: false,
            total: None,
            read_at: None,
        }
    }

    /// Reads the chain that is kept; an empty one when there is none that can be read.
    pub(super) fn load(kept: &Kept) -> Self {
        kept.get(KEY)
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|chain| chain.version == VERSION)
            .unwrap_or_else(|| Self::new(Listing::Query))
    }

    pub(super) fn save(&self, kept: &Kept) {
        if let Ok(bytes) = serde_json::to_vec(self) {
            kept.put(KEY, &bytes);
        }
    }

    /// Returns the page that starts at a cursor, if it was walked.
    pub(super) fn page(&self, cursor: Option<&str>) -> Option<&KeptPage> {
        self.pages.iter().find(|page| page.cursor.as_deref() == cursor)
    }

    /// Returns a word for this state of all pages.
    pub(super) fn word(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for page in &self.pages {
            hasher.update(&page.content.to_le_bytes());
        }
        hasher.finalize().to_hex().get(..16).unwrap_or_default().to_owned()
    }
}

/// Hashes refs with their etags, whatever their order.
pub(super) fn content<'e>(entities: impl Iterator<Item = (RefHash, &'e str)>) -> u64 {
    entities.fold(0, |sum, (hash, etag)| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&hash.0.to_le_bytes());
        hasher.update(etag.as_bytes());
        let one = hasher.finalize().as_bytes().first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b));
        sum.wrapping_add(one)
    })
}
