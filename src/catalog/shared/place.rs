//! Where a snapshot is read from: named objects with an entity tag each.

use super::{MANIFEST, SharedError};
use crate::config::source::without_credentials;
use crate::net::{Api, NetError};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Time for a small request unless somebody says another.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// The slowest line that a large object is waited for on, in bytes a second.
const SLOWEST: u64 = 64 * 1024;

/// Returns the time for an object of this size.
pub(super) fn time_for(small: Duration, bytes: u64) -> Duration {
    small + Duration::from_secs(bytes / SLOWEST)
}

/// An object as it was read.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// What the store calls this state of it, if it says.
    pub etag: Option<String>,
}

/// Somewhere objects are read from.
pub trait Place {
    /// Returns the address for people, without credentials.
    fn shown(&self) -> &str;

    /// Reads an object; `None` when it is still the one with this entity tag. Blocks.
    ///
    /// # Errors
    /// [`SharedError::NotFound`], [`SharedError::Denied`], [`SharedError::Unreachable`], …
    fn get(
        &mut self,
        name: &str,
        limit: u64,
        etag: Option<&str>,
        cancel: &CancellationToken,
    ) -> Result<Option<Object>, SharedError>;
}

/// A folder behind an http(s) address.
#[derive(Debug)]
pub struct HttpPlace<'a> {
    api: Api<'a>,
    timeout: Duration,
    shown: String,
}

impl<'a> HttpPlace<'a> {
    /// Reads below the base address of `api`: a folder, or the manifest itself.
    pub fn new(mut api: Api<'a>) -> Self {
        let folder = folder_of(&api.base);
        let mut shown = folder.clone();
        shown.set_query(None);
        api.base = folder;
        let timeout = api.timeout.unwrap_or(TIMEOUT);
        Self { api, timeout, shown: without_credentials(shown.as_str()) }
    }

    /// Returns the address of an object; what stands behind `?` may be what lets one read.
    fn address(&self, name: &str) -> Result<Url, SharedError> {
        let mut url = self
            .api
            .base
            .join(name)
            .map_err(|error| SharedError::BadUrl { url: self.shown.clone(), cause: error.to_string() })?;
        url.set_query(self.api.base.query());
        Ok(url)
    }
}

/// Returns the address of the folder that holds the manifest.
fn folder_of(url: &Url) -> Url {
    let mut folder = url.clone();
    folder.set_fragment(None);
    let path = folder.path().strip_suffix(MANIFEST).unwrap_or(folder.path()).to_owned();
    folder.set_path(&if path.ends_with('/') { path } else { format!("{path}/") });
    folder
}

impl Place for HttpPlace<'_> {
    fn shown(&self) -> &str {
        &self.shown
    }

    fn get(
        &mut self,
        name: &str,
        limit: u64,
        etag: Option<&str>,
        _: &CancellationToken,
    ) -> Result<Option<Object>, SharedError> {
        let mut request = crate::net::Request::get(self.address(name)?).once();
        if let Some(etag) = etag.and_then(|etag| etag.parse().ok()) {
            request.headers.insert(reqwest::header::IF_NONE_MATCH, etag);
        }
        self.api.max_bytes = Some(limit);
        self.api.timeout = Some(time_for(self.timeout, limit));
        let answer = match self.api.send(request) {
            Err(NetError::Status { status: 304, .. }) => return Ok(None),
            Err(error) => return Err(self.error(name, error)),
            Ok(answer) => answer,
        };
        if answer.status == 304 {
            return Ok(None);
        }
        let etag = answer.header("etag").map(str::to_owned);
        Ok(Some(Object { bytes: answer.body, etag }))
    }
}

impl HttpPlace<'_> {
    fn error(&self, name: &str, error: NetError) -> SharedError {
        let place = self.shown.clone();
        match error {
            NetError::Status { status: 404 | 410, .. } if name == MANIFEST => SharedError::NotFound { place },
            NetError::Status { status: 404 | 410, .. } => {
                SharedError::Missing { place, name: name.to_owned() }
            }
            NetError::Cancelled { .. } => SharedError::Cancelled,
            error => SharedError::Net { place, error },
        }
    }
}
