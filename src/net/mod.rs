//! One HTTP client for everything that reads over the network.
//!
//! Start at [`Net::fetch`]. It is blocking and safe to call from any thread of a pool: the requests
//! themselves run on a small runtime of its own that starts with the first request, so that a purely
//! local start never pays for it. Every request has a time limit and a size limit, redirects are few
//! and checked, answers are kept with their validators so that an unchanged one costs a 304. It never
//! sends a credential. A TLS provider must be installed before (`main` does).

mod api;
mod batch;
mod error;

pub use api::{Answer, Api, Auth, NetNote, Rate};
pub use batch::{Batch, Remote};
pub use error::NetError;

use futures_util::StreamExt as _;
use reqwest::header::{ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Requests under way at once.
const CONCURRENT: usize = 8;
/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// How to reach the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetOptions {
    /// Refuse every request.
    pub offline: bool,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest time for a whole request.
    pub timeout: Duration,
    /// Largest answer, in bytes.
    pub max_bytes: u64,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            offline: false,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            max_bytes: 8 * 1024 * 1024,
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The whole answer.
    pub body: Arc<[u8]>,
    /// Whether the server said that it did not change since it was last read.
    pub unchanged: bool,
}

/// The client.
#[derive(Debug)]
pub struct Net {
    options: NetOptions,
    inner: OnceLock<Result<Inner, String>>,
    kept: Arc<Mutex<FxHashMap<String, Kept>>>,
}

#[derive(Debug)]
struct Inner {
    /// `None` only while it is being dropped.
    runtime: Option<tokio::runtime::Runtime>,
    client: reqwest::Client,
    slots: Arc<tokio::sync::Semaphore>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // waiting for requests would block whoever drops the client, possibly inside another runtime
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An answer with what the server said to tell a change by.
#[derive(Debug, Clone)]
struct Kept {
    body: Arc<[u8]>,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
}

/// A request of an [`Api`].
#[derive(Debug, Clone)]
pub struct Request {
    /// What to do there.
    pub method: reqwest::Method,
    /// The whole address.
    pub url: Url,
    /// Further headers.
    pub headers: HeaderMap,
    /// JSON to send.
    pub body: Option<Vec<u8>>,
}

impl Request {
    /// Creates a request that reads an address.
    pub fn get(url: Url) -> Self {
        Self { method: reqwest::Method::GET, url, headers: HeaderMap::new(), body: None }
    }
}

/// A request under way.
#[derive(Debug)]
pub struct Pending {
    url: Url,
    receiver: mpsc::Receiver<Result<Fetched, NetError>>,
    cancel: tokio_util::sync::DropGuard,
    started: Instant,
}

impl Pending {
    /// Returns what is fetched.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits at most this long; `None` when there is no answer yet.
    pub fn wait(&self, longest: Duration) -> Option<Result<Fetched, NetError>> {
        match self.receiver.recv_timeout(longest) {
            Ok(answer) => Some(answer),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => Some(Err(NetError::Broken {
                host: error::host_of(&self.url),
                cause: "the request was dropped".into(),
            })),
        }
    }

    /// Gives up, as if the time for the request were over.
    pub fn give_up(self) -> NetError {
        drop(self.cancel);
        NetError::Timeout { host: error::host_of(&self.url), elapsed: self.started.elapsed() }
    }
}

impl Net {
    /// Creates a client; nothing is started before the first request.
    pub fn new(options: NetOptions) -> Self {
        Self { options, inner: OnceLock::new(), kept: Arc::default() }
    }

    /// Returns whether every request is refused.
    pub fn is_offline(&self) -> bool {
        self.options.offline
    }

    /// Fetches an address and waits for the answer.
    ///
    /// # Errors
    /// [`NetError`] in all its forms; [`NetError::Cancelled`] once `cancel` is.
    pub fn fetch(
        &self,
        url: &Url,
        timeout: Option<Duration>,
        cancel: &CancellationToken,
    ) -> Result<Fetched, NetError> {
        let pending = self.start(url, timeout)?;
        loop {
            if cancel.is_cancelled() {
                return Err(NetError::Cancelled { host: error::host_of(url) });
            }
            if let Some(answer) = pending.wait(Duration::from_millis(50)) {
                return answer;
            }
        }
    }

    /// Sends a request of an [`Api`] and waits for the answer.
    ///
    /// # Errors
    /// [`NetError`] in all its forms.
    pub(super) fn send(&self, api: &Api<'_>, request: Request) -> Result<Answer, NetError> {
        let host = error::host_of(&request.url);
        if self.options.offline {
            return Err(NetError::Offline { host });
        }
        let inner = self.inner()?;
        let runtime = inner.runtime.as_ref().ok_or_else(|| NetError::Cancelled { host: host.clone() })?;
        let mut builder = inner.client.request(request.method, request.url.clone()).headers(request.headers);
        if request.url.origin() == api.base.origin() {
            builder = match &api.auth {
                Auth::None => builder,
                Auth::Bearer(secret) => builder.bearer_auth(secret.expose()),
                Auth::Token(secret) => builder.header("authorization", format!("token {}", secret.expose())),
                Auth::Basic(name, secret) => builder.basic_auth(name, Some(secret.expose())),
                Auth::Header(name, secret) => builder.header(*name, secret.expose()),
            };
        }
        if let Some(body) = request.body {
            builder = builder.header("content-type", "application/json").body(body);
        }
        let started = Instant::now();
        let failed = |error: reqwest::Error| NetError::from_reqwest(host.clone(), started.elapsed(), &error);
        let max_bytes = api.max_bytes.unwrap_or(self.options.max_bytes);
        let work = async {
            let response = builder.send().await.map_err(failed)?;
            let (url, status, headers) =
                (response.url().clone(), response.status().as_u16(), response.headers().clone());
            let body = response.bytes().await.map_err(failed)?;
            if body.len() as u64 > max_bytes {
                return Err(NetError::TooLarge { host: host.clone(), limit: max_bytes });
            }
            (api.notify)(NetNote::Bytes(body.len() as u64));
            if status >= 400 {
                return Err(NetError::Status { host: host.clone(), status });
            }
            Ok(Answer { url, status, headers, body: body.to_vec().into(), unchanged: false })
        };
        runtime.block_on(async {
            tokio::select! {
                answer = tokio::time::timeout(api.timeout.unwrap_or(self.options.timeout), work) => {
                    answer.unwrap_or_else(|_| Err(NetError::Timeout { host: host.clone(), elapsed: started.elapsed() }))
                }
                () = api.cancel.cancelled() => Err(NetError::Cancelled { host: host.clone() }),
            }
        })
    }

    fn inner(&self) -> Result<&Inner, NetError> {
        self.inner
            .get_or_init(|| Inner::new(&self.options))
            .as_ref()
            .map_err(|cause| NetError::Broken { host: "the network".to_owned(), cause: cause.clone() })
    }

    /// Starts to fetch an address and returns at once.
    ///
    /// # Errors
    /// [`NetError::Offline`], [`NetError::Scheme`], or what keeps the client from starting.
    pub fn start(&self, url: &Url, timeout: Option<Duration>) -> Result<Pending, NetError> {
        let host = error::host_of(url);
        if !matches!(url.scheme(), "http" | "https") {
            return Err(NetError::Scheme { scheme: url.scheme().to_owned() });
        }
        if self.options.offline {
            return Err(NetError::Offline { host });
        }
        let inner = self.inner()?;
        let (sender, receiver) = mpsc::channel();
        let cancel = CancellationToken::new();
        let request = Fetch {
            client: inner.client.clone(),
            slots: inner.slots.clone(),
            url: url.clone(),
            timeout: timeout.unwrap_or(self.options.timeout),
            max_bytes: self.options.max_bytes,
            kept: self.kept.clone(),
        };
        let stop = cancel.clone();
        if let Some(runtime) = &inner.runtime {
            runtime.spawn(async move {
                let answer = tokio::select! {
                    answer = request.run() => answer,
                    () = stop.cancelled() => return,
                };
                // nobody waits any more: the answer is not needed
                let _ = sender.send(answer);
            });
        }
        Ok(Pending { url: url.clone(), receiver, cancel: cancel.drop_guard(), started: Instant::now() })
    }
}

impl Inner {
    fn new(options: &NetOptions) -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("devportal-net")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let client = reqwest::Client::builder()
            .user_agent(concat!("devportal/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .redirect(reqwest::redirect::Policy::custom(check_redirect))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { runtime: Some(runtime), client, slots: Arc::new(tokio::sync::Semaphore::new(CONCURRENT)) })
    }
}

/// Follows few redirects, only to http(s), and never from https down to http.
fn check_redirect(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let secure = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > MAX_REDIRECTS {
        return attempt.error(error::Redirect::TooMany);
    }
    match attempt.url().scheme() {
        "https" => attempt.follow(),
        "http" if !secure => attempt.follow(),
        _ => attempt.error(error::Redirect::Refused),
    }
}

struct Fetch {
    client: reqwest::Client,
    slots: Arc<tokio::sync::Semaphore>,
    url: Url,
    timeout: Duration,
    max_bytes: u64,
    kept: Arc<Mutex<FxHashMap<String, Kept>>>,
}

impl Fetch {
    async fn run(self) -> Result<Fetched, NetError> {
        let host = error::host_of(&self.url);
        let slots = self.slots.clone();
        let Ok(_slot) = slots.acquire().await else { return Err(NetError::Cancelled { host }) };
        // the time runs from when the request may start, not while it stands in line
        let started = Instant::now();
        match tokio::time::timeout(self.timeout, self.send(started)).await {
            Ok(answer) => answer,
            Err(_) => Err(NetError::Timeout { host, elapsed: started.elapsed() }),
        }
    }

    async fn send(&self, started: Instant) -> Result<Fetched, NetError> {
        let host = || error::host_of(&self.url);
        let failed = |error: reqwest::Error| NetError::from_reqwest(host(), started.elapsed(), &error);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(self.url.as_str()).cloned();
        let mut headers = HeaderMap::new();
        if let Some(kept) = &kept {
            kept.etag.iter().for_each(|tag| drop(headers.insert(IF_NONE_MATCH, tag.clone())));
            kept.modified.iter().for_each(|time| drop(headers.insert(IF_MODIFIED_SINCE, time.clone())));
        }
        let response = self.client.get(self.url.clone()).headers(headers).send().await.map_err(failed)?;
        let status = response.status();
        if let (reqwest::StatusCode::NOT_MODIFIED, Some(kept)) = (status, kept) {
            return Ok(Fetched { body: kept.body, unchanged: true });
        }
        if !status.is_success() {
            return Err(NetError::Status { host: host(), status: status.as_u16() });
        }
        let too_large = || NetError::TooLarge { host: host(), limit: self.max_bytes };
        if response.content_length().is_some_and(|length| length > self.max_bytes) {
            return Err(too_large());
        }
        let (etag, modified) =
            (response.headers().get(ETAG).cloned(), response.headers().get(LAST_MODIFIED).cloned());
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(failed)?;
            if (body.len() + chunk.len()) as u64 > self.max_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let body: Arc<[u8]> = body.into();
        if etag.is_some() || modified.is_some() {
            let kept = Kept { body: body.clone(), etag, modified };
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(self.url.to_string(), kept);
        }
        Ok(Fetched { body, unchanged: false })
    }
}
