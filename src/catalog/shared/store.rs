//! A place that is written to: a folder, or a bucket of S3, Google Cloud Storage or Azure.
//!
//! Start at [`Store::open`]. Credentials come from the environment as the tools of each cloud read them and
//! go to the store alone: redirects are not followed. Plain http is spoken only where the environment says
//! so (`AWS_ALLOW_HTTP=true` and its like). Nothing that a store answers is shown but the code of its error.

mod aws_profile;
mod bucket;
mod folder;

use super::place::{Object, Place, TIMEOUT};
use super::{MANIFEST, SharedError};
use crate::config::source::without_credentials;
use bucket::Bucket;
use folder::Folder;
use jiff::Timestamp;
use std::path::PathBuf;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How to reach a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Refuse every request.
    pub offline: bool,
    /// Time for a small request.
    pub timeout: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { offline: false, timeout: TIMEOUT }
    }
}

/// What an object that is written must take the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Over {
    /// Whatever is there.
    Anything,
    /// Nothing: there is none yet.
    Nothing,
    /// The object with this entity tag.
    Tag(String),
}

/// How writing went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    Done,
    /// Somebody else was faster: what is there is not what was expected.
    Lost,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub name: String,
    pub modified: Timestamp,
}

/// A place that can be written to.
#[derive(Debug)]
pub struct Store {
    kind: Kind,
    shown: String,
}

#[derive(Debug)]
enum Kind {
    Folder(Folder),
    Bucket(Bucket),
}

impl Store {
    /// Opens the place behind an address; touches no network.
    ///
    /// # Errors
    /// [`SharedError::BadUrl`].
    pub fn open(address: &str, options: StoreOptions) -> Result<Self, SharedError> {
        let shown = without_credentials(address);
        let bad = |cause: &str| SharedError::BadUrl { url: shown.clone(), cause: cause.to_owned() };
        let Some((scheme, _)) = address.split_once("://") else {
            let path = PathBuf::from(address);
            return Ok(Self { kind: Kind::Folder(Folder::new(manifest_folder(path))), shown });
        };
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "file" => {
                let url = Url::parse(address).map_err(|error| bad(&error.to_string()))?;
                let path = url.to_file_path().map_err(|()| bad("it names no folder of this machine"))?;
                Kind::Folder(Folder::new(manifest_folder(path)))
            }
            "s3" | "gs" | "az" => Kind::Bucket(Bucket::open(address, &shown, options)?),
            "http" | "https" => return Err(bad("an https address can be read, not written")),
            _ => return Err(bad("nothing is known of such addresses")),
        };
        Ok(Self { kind, shown })
    }

    /// Returns whether an address is one of a store, not of a plain web server.
    pub fn is_store(address: &str) -> bool {
        let scheme = address.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        !matches!(scheme.as_deref(), Some("http" | "https"))
    }

    /// Returns the folder, for one of this machine.
    pub fn folder(&self) -> Option<&std::path::Path> {
        match &self.kind {
            Kind::Folder(folder) => Some(folder.path()),
            Kind::Bucket(_) => None,
        }
    }

    /// Writes an object whole. Blocks.
    pub(super) fn put(&self, name: &str, bytes: &[u8], over: &Over) -> Result<Put, SharedError> {
        match &self.kind {
            Kind::Folder(folder) => folder.put(&self.shown, name, bytes).map(|()| Put::Done),
            Kind::Bucket(bucket) => bucket.put(name, bytes, over),
        }
    }

    /// Returns whether an object is there, with this size. Blocks.
    pub(super) fn has(&self, name: &str, size: u64) -> Result<bool, SharedError> {
        match &self.kind {
            Kind::Folder(folder) => Ok(folder.has(name, size)),
            Kind::Bucket(bucket) => bucket.has(name, size),
        }
    }

    /// Lists the objects of a folder. Blocks.
    pub(super) fn list(&self, folder: &str) -> Result<Vec<Listed>, SharedError> {
        match &self.kind {
            Kind::Folder(place) => place.list(&self.shown, folder),
            Kind::Bucket(bucket) => bucket.list(folder),
        }
    }

    /// Removes an object; one that is not there is fine. Blocks.
    pub(super) fn remove(&self, name: &str) -> Result<(), SharedError> {
        match &self.kind {
            Kind::Folder(folder) => folder.remove(&self.shown, name),
            Kind::Bucket(bucket) => bucket.remove(name),
        }
    }
}

/// Takes the name of the manifest off, if somebody wrote it.
fn manifest_folder(path: PathBuf) -> PathBuf {
    match path.parent() {
        Some(folder) if path.file_name().is_some_and(|name| name == MANIFEST) => folder.to_path_buf(),
        _ => path,
    }
}

/// Returns why an object is not there.
fn absent(place: &str, name: &str) -> SharedError {
    let place = place.to_owned();
    if name == MANIFEST {
        SharedError::NotFound { place }
    } else {
        SharedError::Missing { place, name: name.to_owned() }
    }
}

impl Place for Store {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn get(
        &mut self,
        name: &str,
        limit: u64,
        etag: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Option<Object>, SharedError> {
        match &self.kind {
            Kind::Folder(folder) => folder.get(&self.shown, name, limit),
            Kind::Bucket(bucket) => bucket.get(name, limit, etag, cancel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_places() {
        let cases = [
            ("/srv/snapshots", "/srv/snapshots"),
            ("file:///srv/a%20b", "/srv/a b"),
            ("/srv/snapshots/manifest.json", "/srv/snapshots"),
            ("snapshots", "snapshots"),
        ];
        for (address, folder) in cases {
            let store = Store::open(address, StoreOptions::default()).unwrap();
            assert_eq!(store.folder(), Some(std::path::Path::new(folder)), "{address}");
        }
        for address in ["https://x.example/y", "ftp://x.example/y", "s3://", "file://other/x"] {
            let error = Store::open(address, StoreOptions::default()).unwrap_err();
            assert!(matches!(error, SharedError::BadUrl { .. }), "{address}: {error:?}");
        }
    }
}
