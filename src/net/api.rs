//! Requests to one server with its credentials: JSON in and out, pages, limits that the server sets.
//!
//! Start at [`Api::get`]. Blocking; safe to share between threads. The credential goes to the origin of
//! the base address alone (scheme, host and port), whatever a page or a redirect names. What fails in
//! passing is tried again, limits of the server are waited for, answers with a validator are kept.

use super::error::{NetError, host_of};
use super::exchange::Credential;
use super::memory::{self, Memory};
use super::{Net, Request, Terms};
use crate::config::secret::Secret;
use crate::store::kept::Kept;
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    /// Bytes came over the wire, as they were packed.
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
    /// Requests left; where a server only says that few are (Bitbucket), at most this many.
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
    /// Whether a credential went along.
    pub signed_in: bool,
}

impl Answer {
    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`NetError::SignInPage`] when a page came instead, [`NetError::Broken`] when it is no JSON or not
    /// the one that was expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, NetError> {
        let host = host_of(&self.url);
        serde_json::from_slice(&self.body).map_err(|error| {
            if self.is_page() {
                return NetError::SignInPage { host, signed_in: self.signed_in };
            }
            let cause = if self.body.trim_ascii().is_empty() {
                "it is empty".to_owned()
            } else if error.is_eof() {
                "its JSON ends in the middle".to_owned()
            } else {
                let what = super::error::cut(&error.to_string());
                match self.header("content-type").filter(|kind| !kind.contains("json")) {
                    Some(kind) => format!("`{}` came instead of JSON", super::error::cut(kind)),
                    None => format!("it is not the JSON that was expected ({what})"),
                }
            };
            NetError::Broken { host, cause }
        })
    }

    /// Returns whether it is a page for people.
    pub fn is_page(&self) -> bool {
        let is_html = self.header("content-type").is_some_and(|kind| kind.contains("html"));
        let start: Vec<u8> =
            self.body.trim_ascii_start().iter().take(14).map(u8::to_ascii_lowercase).collect();
        start.starts_with(b"<!doctype html")
            || start.starts_with(b"<html")
            || (is_html && start.starts_with(b"<"))
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
    /// Longest time of one request with its further tries; `None`: the client's.
    pub timeout: Option<Duration>,
    /// Largest answer in bytes, unpacked; `None`: the client's.
    pub max_bytes: Option<u64>,
    /// File with further certificates to trust.
    pub ca_file: Option<PathBuf>,
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

    /// Gets an address whose answer is not kept: something large, or never asked for again.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn get_once(&self, address: &str) -> Result<Answer, NetError> {
        self.send(Request::get(self.resolve(address)?).once())
    }

    /// Posts JSON.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn post(&self, address: &str, body: &serde_json::Value) -> Result<Answer, NetError> {
        self.send(Request::post(self.resolve(address)?, body))
    }

    /// Posts JSON that only asks for something, such as GraphQL: tried again like [`Self::get`].
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn query(&self, address: &str, body: &serde_json::Value) -> Result<Answer, NetError> {
        self.send(Request::post(self.resolve(address)?, body).idempotent())
    }

    /// Sends any request.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn send(&self, mut request: Request) -> Result<Answer, NetError> {
        let signed_in = self.base.origin() == request.url.origin() && !matches!(self.auth, Auth::None);
        let memory = Memory::recall(self.kept, &request, signed_in.then_some(&self.auth));
        if let Some(memory) = &memory {
            memory.ask(&mut request.headers);
        }
        let terms = Terms {
            credential: Some(Credential { base: self.base.clone(), auth: self.auth.clone() }),
            timeout: self.timeout,
            max_bytes: self.max_bytes,
            ca_file: self.ca_file.clone(),
            cancel: self.cancel.clone(),
        };
        let host = host_of(&request.url);
        let pending = self.net.start(request, terms)?;
        let reply = pending.wait(None, self.notify).unwrap_or(Err(NetError::Cancelled { host }))?;
        let mut answer = match memory {
            Some(memory) => memory.finish(self.kept, reply)?,
            None => memory::plain(reply),
        };
        answer.signed_in = signed_in;
        Ok(answer)
    }

    /// Does something for each of many things, `limit` at once on threads of their own, until `work`
    /// breaks off. The pool of the CPU is not used: the work waits for the network.
    pub fn each<T: Sync>(&self, things: &[T], limit: usize, work: impl Fn(&T) -> ControlFlow<()> + Sync) {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let run = || {
            while let Some(thing) = things.get(next.fetch_add(1, Ordering::Relaxed)) {
                if stop.load(Ordering::Relaxed) || self.cancel.is_cancelled() {
                    return;
                }
                if work(thing).is_break() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..limit.clamp(1, super::CONCURRENT).min(things.len().max(1)) {
                scope.spawn(run);
            }
            run();
        });
    }

    fn resolve(&self, address: &str) -> Result<Url, NetError> {
        self.base.join(address).map_err(|error| NetError::Broken {
            host: host_of(&self.base),
            cause: format!("it names an address that is none ({error})"),
        })
    }
}
