//! Shared snapshots: a catalog that one machine reads and writes to a store, and many read from there.
//!
//! Start at [`publish::publish`] for writing and [`fetch::manifest`] for reading; `docs/snapshots.md` tells
//! the format. A snapshot is a small `manifest.json` and one data object that is named by its own hash, so
//! that a reader never sees half of one: the data comes first, the manifest last. The format is neutral
//! between versions of the program: entities are JSON as their authors wrote them. Everything read from a
//! store is foreign: bounded in size, count and depth, and used only when its checksum is right.

mod clean;
pub mod copy;
pub mod fetch;
pub mod keys;
pub mod manifest;
mod packed;
mod place;
pub mod publish;
mod read;
mod record;
mod store;
mod write;

pub use manifest::Manifest;
pub use place::{HttpPlace, Place};
pub use store::{Store, StoreOptions};
pub use write::Forbidden;

use crate::net::NetError;

/// Name of the manifest in its folder.
pub const MANIFEST: &str = "manifest.json";
/// Folder of the data objects, below that of the manifest.
pub const DATA: &str = "data";

/// Largest manifest, in bytes.
const MAX_MANIFEST: u64 = 1024 * 1024;
/// Largest data object, packed, in bytes.
const MAX_DATA: u64 = 1024 * 1024 * 1024;
/// Largest data object, unpacked, in bytes.
const MAX_UNPACKED: u64 = 4 * 1024 * 1024 * 1024;
/// What compresses better than this is made to fill memory, not to say something.
const MAX_RATIO: u64 = 200;
/// Data objects up to this size, unpacked, may compress as well as they like.
const RATIO_FREE: u64 = 16 * 1024 * 1024;
/// Largest record, in bytes.
const MAX_RECORD: usize = 64 * 1024 * 1024;
/// Most entities of a snapshot.
const MAX_ENTITIES: u64 = 5_000_000;
/// Deepest nesting of an entity; what people write stays under 20.
const MAX_DEPTH: usize = 100;

/// Why a snapshot could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SharedError {
    /// The address is none of a store.
    #[error("`{url}` is no place for a snapshot: {cause}")]
    BadUrl {
        /// As given, without credentials.
        url: String,
        /// In plain words.
        cause: String,
    },
    /// There is nothing.
    #[error("there is no snapshot at `{place}`")]
    NotFound {
        /// Address.
        place: String,
    },
    /// The manifest names data that is not there.
    #[error("the snapshot at `{place}` is not whole: `{name}` is missing")]
    Missing {
        /// Address.
        place: String,
        /// Name of the object.
        name: String,
    },
    /// The store says no.
    #[error("`{place}` refuses: {cause}")]
    Denied {
        /// Address.
        place: String,
        /// In plain words.
        cause: String,
    },
    /// The store does not answer.
    #[error("`{place}` cannot be reached: {cause}")]
    Unreachable {
        /// Address.
        place: String,
        /// In plain words.
        cause: String,
    },
    /// An https place failed.
    #[error("could not read `{place}`: {error}")]
    Net {
        /// Address.
        place: String,
        /// Why.
        error: NetError,
    },
    /// It was written by a newer version.
    #[error("the snapshot has the format `{format}`, which this version does not read")]
    Newer {
        /// What the manifest says.
        format: String,
    },
    /// It makes no sense, or was tampered with.
    #[error("the snapshot is not usable: {cause}")]
    Broken {
        /// In plain words.
        cause: String,
    },
    /// The signature is missing, or by somebody else, or wrong.
    #[error("the snapshot is not trusted: {cause}")]
    Untrusted {
        /// In plain words.
        cause: String,
    },
    /// A key cannot be used.
    #[error("the key is not usable: {cause}")]
    Key {
        /// In plain words.
        cause: String,
    },
    /// A source could not be read, so the catalog is not whole.
    #[error("the catalog is incomplete: {cause}")]
    Incomplete {
        /// Which sources.
        cause: String,
    },
    /// A secret of this machine stands in what would be published.
    #[error("nothing was published: `{entity}` holds the secret that {label} has")]
    Secret {
        /// Where the secret is configured.
        label: String,
        /// Ref of the first entity that holds it.
        entity: String,
    },
    /// It was stopped.
    #[error("it was stopped before it was done")]
    Cancelled,
}

impl SharedError {
    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::BadUrl { .. } => {
                "use `s3://bucket/path`, `gs://bucket/path`, `az://container/path`, a folder, or `https://…` to read"
                    .into()
            }
            Self::NotFound { .. } => "`devportal snapshot publish URL` writes one; check the address".into(),
            Self::Missing { .. } | Self::Broken { .. } => {
                "publish it again; `devportal snapshot verify URL` checks it".into()
            }
            Self::Denied { .. } => {
                "check the credentials in the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`) and their rights".into()
            }
            Self::Unreachable { .. } => "check the address and the network".into(),
            Self::Net { error, .. } => error.hint(),
            Self::Newer { .. } => "update devportal".into(),
            Self::Untrusted { .. } => {
                "ask who publishes it for the public key in use, and compare it with `public_key` of the source"
                    .into()
            }
            Self::Key { .. } => "`devportal snapshot keygen FILE` makes a pair of keys".into(),
            Self::Incomplete { .. } => {
                "repair the source, or publish what there is with `--allow-incomplete`".into()
            }
            Self::Secret { .. } => "take it out of the descriptor, and replace the secret".into(),
            Self::Cancelled => "try again".into(),
        }
    }

    fn broken(cause: impl Into<String>) -> Self {
        Self::Broken { cause: cause.into() }
    }
}
