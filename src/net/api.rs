//! Requests to one server with its credentials: JSON in and out, pages, limits that the server sets.
//!
//! Start at [`Api::get`]. Blocking; safe to share between threads of a pool. The credential goes to the
//! origin of the base address alone (scheme, host and port), whatever a page or a redirect names.

use super::error::NetError;
use super::{Net, Request};
use crate::config::secret::Secret;
use crate::store::kept::Kept;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How a server knows who asks.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    /// It does not.
    #[default]
    None,
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: token …`, as Gitea has it.
    Token(Secret),
    /// Name and password.
    Basic(String, Secret),
    /// A header of its own: `PRIVATE-TOKEN`.
    Header(&'static str, Secret),
}

/// What happens while a request runs, for whoever shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetNote {
    /// Bytes came over the wire.
    Bytes(u64),
    /// What the server says about its limit.
    Rate(Rate),
    /// Nothing is sent before this time, because the server said so.
    Waiting {
        /// Until when.
        until: jiff::Timestamp,
        /// In plain words: `github.com limits requests`.
        why: String,
    },
}

/// A server's limit on requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests left.
    pub left: u64,
    /// Requests in all, if it says.
    pub limit: Option<u64>,
    /// When it starts anew, if it says.
    pub reset: Option<jiff::Timestamp>,
}

/// What came back, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Where it came from, after redirects.
    pub url: Url,
    /// HTTP status; 200 for what is unchanged.
    pub status: u16,
    /// Its headers.
    pub headers: reqwest::header::HeaderMap,
    /// The whole body; the kept one when it is unchanged.
    pub body: Arc<[u8]>,
    /// Whether the server said that it did not change since it was kept.
    pub unchanged: bool,
}

impl Answer {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`NetError::Broken`] when it is none: says whether it looks like a page for people to sign in.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NetError> {
        serde_json::from_slice(&self.body).map_err(|error| NetError::Broken {
            host: super::error::host_of(&self.url),
            cause: format!("it is not the JSON that was expected ({error})"),
        })
    }

    /// Returns a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the address after `rel="next"` in the `Link` header, made absolute.
    pub fn next_link(&self) -> Option<Url> {
        let links = self.header("link")?;
        let next =
            links.split(',').find(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))?;
        let address = next.split_once('<')?.1.split_once('>')?.0;
        self.url.join(address).ok()
    }
}

/// Requests to one server.
pub struct Api<'a> {
    /// The client.
    pub net: &'a Net,
    /// Relative addresses start here; the credential goes to this origin alone.
    pub base: Url,
    /// Who asks.
    pub auth: Auth,
    /// Where answers with validators are kept.
    pub kept: &'a Kept,
    /// Stops requests.
    pub cancel: &'a CancellationToken,
    /// Longest time of one request; `None`: the client's.
    pub timeout: Option<Duration>,
    /// Largest answer in bytes, unpacked; `None`: the client's.
    pub max_bytes: Option<u64>,
    /// Told what happens.
    pub notify: &'a (dyn Fn(NetNote) + Send + Sync),
}

impl std::fmt::Debug for Api<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Api<'_> {
    /// Gets an address (relative to the base, or absolute), conditionally where an earlier answer is kept.
    ///
    /// # Errors
    /// [`NetError`]; statuses from 400 on are [`NetError::Status`].
    pub fn get(&self, address: &str) -> Result<Answer, NetError> {
        self.send(Request::get(self.resolve(address)?))
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn post(&self, address: &str, body: &serde_json::Value) -> Result<Answer, NetError> {
        let mut request = Request::get(self.resolve(address)?);
        request.method = reqwest::Method::POST;
        request.body = Some(body.to_string().into_bytes());
        self.send(request)
    }

    /// Sends any request.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn send(&self, request: Request) -> Result<Answer, NetError> {
        self.net.send(self, request)
    }

    fn resolve(&self, address: &str) -> Result<Url, NetError> {
        self.base.join(address).map_err(|error| NetError::Broken {
            host: super::error::host_of(&self.base),
            cause: format!("it names an address that is none ({error})"),
        })
    }
}
