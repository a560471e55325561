//! One HTTP client for everything that reads over the network.
//!
//! Start at [`Api`], requests to one server with its credentials, and [`Batch`], the files behind many
//! addresses. Both are blocking and safe to call from any thread of a pool: the requests themselves run
//! on a small runtime of its own that starts with the first request, so that a purely local start never
//! pays for it. Every request has limits on time, size and speed; redirects are few and checked; what
//! fails in passing is tried again; servers that limit requests are left alone until they say so;
//! answers are kept with their validators so that an unchanged one costs a 304. Proxies are those of the
//! environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`). A TLS provider must be installed
//! before (`main` does); certificates are always checked.

mod api;
mod batch;
mod body;
mod error;
mod exchange;
mod limit;
mod memory;

pub use api::{Answer, Api, Auth, NetNote, Rate};
pub use batch::{Batch, Remote};
pub use error::{NetError, TlsProblem};

use exchange::{Credential, Event, Exchange, Reply};
use limit::Gates;
use reqwest::header::HeaderMap;
use rustc_hash::FxHashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Requests under way at once.
const CONCURRENT: usize = 8;
/// Largest file of certificates, in bytes.
const MAX_CA_FILE: u64 = 16 * 1024 * 1024;

/// How to reach the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetOptions {
    /// Refuse every request.
    pub offline: bool,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest time for a whole request with its further tries; waits for a limit do not count.
    pub timeout: Duration,
    /// Largest answer, in bytes, unpacked.
    pub max_bytes: u64,
    /// Longest wait for a server that limits requests; where it wants more, the request fails and says
    /// until when.
    pub max_wait: Duration,
    /// An answer of which less than [`Self::slow_bytes`] come in this time is given up.
    pub slow_window: Duration,
    /// See [`Self::slow_window`].
    pub slow_bytes: u64,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            offline: false,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(20),
            max_bytes: 8 * 1024 * 1024,
            max_wait: Duration::from_secs(15 * 60),
            slow_window: Duration::from_secs(10),
            slow_bytes: 512,
        }
    }
}

/// The client.
#[derive(Debug)]
pub struct Net {
    options: NetOptions,
    inner: OnceLock<Result<Inner, String>>,
}

#[derive(Debug)]
struct Inner {
    /// `None` only while it is being dropped.
    runtime: Option<tokio::runtime::Runtime>,
    /// By the file of further certificates; a changed file is read with the next start.
    clients: Mutex<FxHashMap<Option<PathBuf>, Result<reqwest::Client, NetError>>>,
    slots: Arc<tokio::sync::Semaphore>,
    gates: Arc<Gates>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // waiting for requests would block whoever drops the client, possibly inside another runtime
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
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
    /// What to send; JSON unless a header says otherwise.
    pub body: Option<Vec<u8>>,
    /// Whether an answer with a validator is kept; no for what is large and read once.
    pub keep: bool,
    /// Whether sending it twice does no more than sending it once; a GET always is.
    pub idempotent: bool,
    /// Whether an answer that says no is as good as any other: it is handed out as it is.
    pub any_status: bool,
}

impl Request {
    /// Creates a request that reads an address.
    pub fn get(url: Url) -> Self {
        Self {
            method: reqwest::Method::GET,
            url,
            headers: HeaderMap::new(),
            body: None,
            keep: true,
            idempotent: true,
            any_status: false,
        }
    }

    /// Creates a request that sends JSON.
    pub fn post(url: Url, body: &serde_json::Value) -> Self {
        Self {
            method: reqwest::Method::POST,
            body: Some(body.to_string().into_bytes()),
            idempotent: false,
            ..Self::get(url)
        }
    }

    /// Says that the answer is not kept.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.keep = false;
        self
    }

    /// Says that it may be sent again when it is not known whether it arrived.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Adds a header; one that is none is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = value.parse() {
            self.headers.insert(name, value);
        }
        self
    }

    fn is_repeatable(&self) -> bool {
        self.method == reqwest::Method::GET || self.idempotent
    }
}

/// How one request differs from what the client does by itself.
#[derive(Debug, Default)]
struct Terms {
    credential: Option<Credential>,
    timeout: Option<Duration>,
    max_bytes: Option<u64>,
    ca_file: Option<PathBuf>,
    cancel: CancellationToken,
}

/// A request under way; dropping it stops it.
#[derive(Debug)]
struct Pending {
    url: Url,
    events: mpsc::Receiver<Event>,
    stop: tokio_util::sync::DropGuard,
    started: Instant,
}

impl Pending {
    /// Waits at most this long; `None` when there is no answer yet.
    fn wait(&self, longest: Option<Duration>, notify: &dyn Fn(NetNote)) -> Option<Result<Reply, NetError>> {
        let deadline = longest.and_then(|longest| Instant::now().checked_add(longest));
        loop {
            let event = match deadline {
                None => self.events.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
                Some(at) => self.events.recv_timeout(at.saturating_duration_since(Instant::now())),
            };
            match event {
                Ok(Event::Note(note)) => notify(note),
                Ok(Event::Done(answer)) => return Some(answer),
                Err(mpsc::RecvTimeoutError::Timeout) => return None,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Some(Err(NetError::Cancelled { host: error::host_of(&self.url) }));
                }
            }
        }
    }

    /// Gives up, as if the time for the request were over.
    fn give_up(self) -> NetError {
        drop(self.stop);
        NetError::Timeout { host: error::host_of(&self.url), elapsed: self.started.elapsed() }
    }
}

impl Net {
    /// Creates a client; nothing is started before the first request.
    pub fn new(options: NetOptions) -> Self {
        Self { options, inner: OnceLock::new() }
    }

    /// Returns whether every request is refused.
    pub fn is_offline(&self) -> bool {
        self.options.offline
    }

    /// Returns how it reaches the network.
    pub fn options(&self) -> &NetOptions {
        &self.options
    }

    /// Starts a request and returns at once.
    fn start(&self, request: Request, terms: Terms) -> Result<Pending, NetError> {
        if !matches!(request.url.scheme(), "http" | "https") {
            return Err(NetError::Scheme { scheme: request.url.scheme().to_owned() });
        }
        let host = error::host_of(&request.url);
        if self.options.offline {
            return Err(NetError::Offline { host });
        }
        let inner = self
            .inner
            .get_or_init(Inner::new)
            .as_ref()
            .map_err(|cause| NetError::Broken { host: "the network".to_owned(), cause: cause.clone() })?;
        let (sender, events) = mpsc::channel();
        let stop = terms.cancel.child_token();
        let url = request.url.clone();
        let exchange = Exchange {
            client: inner.client(&self.options, terms.ca_file)?,
            slots: inner.slots.clone(),
            gates: inner.gates.clone(),
            request,
            credential: terms.credential,
            options: NetOptions {
                timeout: terms.timeout.unwrap_or(self.options.timeout),
                max_bytes: terms.max_bytes.unwrap_or(self.options.max_bytes),
                ..self.options.clone()
            },
            events: sender,
        };
        let Some(runtime) = &inner.runtime else { return Err(NetError::Cancelled { host }) };
        let stopped = stop.clone();
        runtime.spawn(async move {
            let answer = tokio::select! {
                answer = exchange.run() => answer,
                () = stopped.cancelled() => Err(NetError::Cancelled { host }),
            };
            // nobody waits any more: the answer is not needed
            let _ = exchange.events.send(Event::Done(answer));
        });
        Ok(Pending { url, events, stop: stop.drop_guard(), started: Instant::now() })
    }
}

impl Inner {
    fn new() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("devportal-net")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self {
            runtime: Some(runtime),
            clients: Mutex::default(),
            slots: Arc::new(tokio::sync::Semaphore::new(CONCURRENT)),
            gates: Arc::default(),
        })
    }

    /// Returns the client that trusts the certificates of a file, too.
    fn client(&self, options: &NetOptions, ca_file: Option<PathBuf>) -> Result<reqwest::Client, NetError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Ok(client)) = clients.get(&ca_file) {
            return Ok(client.clone());
        }
        let client = build(options, ca_file.as_deref());
        clients.insert(ca_file, client.clone());
        client
    }
}

fn build(options: &NetOptions, ca_file: Option<&Path>) -> Result<reqwest::Client, NetError> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("devportal/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        // redirects and packing are looked after here, where credentials and sizes are known
        .redirect(reqwest::redirect::Policy::none())
        .no_gzip()
        .referer(false);
    if let Some(path) = ca_file {
        builder = builder.tls_certs_merge(certificates(path)?);
    }
    builder.build().map_err(|error| match ca_file {
        Some(path) => bad_ca_file(path, &error::cut(&error.to_string())),
        None => NetError::Broken { host: "the network".to_owned(), cause: error::cut(&error.to_string()) },
    })
}

fn bad_ca_file(path: &Path, cause: &str) -> NetError {
    NetError::CaFile { path: path.display().to_string(), cause: cause.to_owned() }
}

fn certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, NetError> {
    let metadata = std::fs::metadata(path).map_err(|error| bad_ca_file(path, &error.to_string()))?;
    if !metadata.is_file() || metadata.len() > MAX_CA_FILE {
        return Err(bad_ca_file(path, "it is no file of a sensible size"));
    }
    let bytes = std::fs::read(path).map_err(|error| bad_ca_file(path, &error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&bytes)
        .map_err(|_| bad_ca_file(path, "it is not in PEM form"))?;
    if found.is_empty() {
        return Err(bad_ca_file(path, "it holds none"));
    }
    Ok(found)
}
