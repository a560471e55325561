//! One request until its answer: redirects, tries, waits, limits.
//!
//! Start at [`Exchange::run`]. It owns all it needs, runs on the client's own runtime and tells what
//! happens through a channel, so that whoever asked may wait in any way, on any thread.

use super::api::{Auth, NetNote};
use super::error::{self, NetError, host_of};
use super::limit::{self, GateKey, Gates};
use super::{NetOptions, Request, body};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION};
use reqwest::{Method, StatusCode};
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use url::Url;

/// Redirects that are followed.
const MAX_REDIRECTS: usize = 5;
/// Times that a request is sent when the network or the server stumbles.
const MAX_TRIES: u32 = 3;
/// Times that one request is put off by a limit.
const MAX_LIMITED: u32 = 5;
/// First pause before another try; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause that a server in trouble may ask for before another try.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pause when GitHub says that it was asked too much at once without saying for how long.
const SECONDARY_PAUSE: Duration = Duration::from_secs(60);
/// Most of an error's body that is read, for the server's own words.
const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// What comes out of a request under way.
#[derive(Debug)]
pub(super) enum Event {
    Note(NetNote),
    Done(Result<Reply, NetError>),
}

/// A good answer: 2xx, or 304 to a conditional request.
#[derive(Debug)]
pub(super) struct Reply {
    pub url: Url,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A credential and the one origin it goes to.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub base: Url,
    pub auth: Auth,
}

impl Credential {
    pub(super) fn is_for(&self, url: &Url) -> bool {
        self.base.origin() == url.origin() && !matches!(self.auth, Auth::None)
    }
}

/// A request on its way.
pub(super) struct Exchange {
    pub client: reqwest::Client,
    pub slots: Arc<tokio::sync::Semaphore>,
    pub gates: Arc<Gates>,
    pub request: Request,
    pub credential: Option<Credential>,
    pub options: NetOptions,
    pub events: mpsc::Sender<Event>,
}

/// Why one try failed.
enum Failed {
    /// For good.
    Final(NetError),
    /// Another try may do better; after this pause if the server named one.
    Stumbled(NetError, Option<Duration>),
    /// The server wants to be left alone first.
    Limited(GateKey, Duration),
}

impl Exchange {
    /// Sends the request, as often as it makes sense.
    pub(super) async fn run(&self) -> Result<Reply, NetError> {
        let (mut tries, mut limited, mut spent) = (0, 0, Duration::ZERO);
        let key = self.key(&self.request.url);
        loop {
            self.pass_gate(&key).await?;
            let Ok(slot) = self.slots.acquire().await else {
                return Err(NetError::Cancelled { host: host_of(&self.request.url) });
            };
            // the time runs while the request does, not while it stands in line
            let started = Instant::now();
            let left = self.options.timeout.saturating_sub(spent);
            let answer = tokio::time::timeout(left, self.follow(started)).await;
            spent += started.elapsed();
            drop(slot);
            let failed = match answer {
                Ok(Ok(reply)) => {
                    self.gates.up(&key);
                    return Ok(reply);
                }
                Ok(Err(failed)) => failed,
                Err(_) => {
                    return Err(NetError::Timeout { host: host_of(&self.request.url), elapsed: spent });
                }
            };
            match failed {
                Failed::Final(error) => return Err(error),
                Failed::Limited(key, wait) => {
                    limited += 1;
                    let wait = wait.max(FIRST_PAUSE * 2_u32.pow(limited));
                    self.gates.shut_for(&key, wait);
                    if limited > MAX_LIMITED {
                        return Err(self.limited(&key));
                    }
                    // a redirect may have led to another server than the one asked first
                    self.pass_gate(&key).await?;
                }
                Failed::Stumbled(error, pause) => {
                    tries += 1;
                    let once = error.status() == Some(500);
                    let most = if once { 2 } else { MAX_TRIES };
                    let is_down = matches!(error, NetError::Unreachable { .. });
                    let give_up = is_down && self.gates.is_down(&key);
                    if !self.request.is_repeatable()
                        || tries >= most
                        || spent >= self.options.timeout
                        || give_up
                    {
                        if is_down {
                            self.gates.down(&key);
                        }
                        return Err(error);
                    }
                    tracing::debug!(%error, tries, "trying again");
                    tokio::time::sleep(pause.unwrap_or_else(|| jittered(FIRST_PAUSE * 2_u32.pow(tries))))
                        .await;
                }
            }
        }
    }

    fn tell(&self, note: NetNote) {
        // nobody listens any more: the answer is not needed either
        let _ = self.events.send(Event::Note(note));
    }

    fn key(&self, url: &Url) -> GateKey {
        let identity = self.credential.as_ref().filter(|credential| credential.is_for(url));
        GateKey::of(url, identity.map_or(0, |credential| credential.auth.fingerprint()))
    }

    fn limited(&self, key: &GateKey) -> NetError {
        let until = self.gates.shut(key).map_or_else(jiff::Timestamp::now, |shut| shut.until);
        NetError::Limited { host: host_of(&self.request.url), until }
    }

    /// Waits while the server wants no requests.
    async fn pass_gate(&self, key: &GateKey) -> Result<(), NetError> {
        while let Some(shut) = self.gates.shut(key) {
            let wait = shut.open_at.saturating_duration_since(Instant::now());
            let host = host_of(&self.request.url);
            if wait > self.options.max_wait {
                return Err(NetError::Limited { host, until: shut.until });
            }
            let why = format!("`{host}` limits requests");
            self.tell(NetNote::Waiting { until: shut.until, why });
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    /// Sends the request once and follows redirects.
    async fn follow(&self, started: Instant) -> Result<Reply, Failed> {
        let mut hop = Hop::first(&self.request);
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(&hop, started).await?;
            let key = self.key(&hop.url);
            let said = self.observe(&key, response.headers());
            let status = response.status();
            if is_redirect(status)
                && let Some(target) = response.headers().get(LOCATION)
            {
                hop = hop.redirected(status, target).map_err(|cause| {
                    Failed::Final(NetError::Redirect { host: host_of(response.url()), cause })
                })?;
                continue;
            }
            let is_taken = status.is_success() || self.request.any_status;
            if is_taken || (status == StatusCode::NOT_MODIFIED && hop.is_conditional()) {
                return self.take(hop.url, response, started).await;
            }
            return Err(self.refused(key, said, &hop.url, response, started).await);
        }
        let host = host_of(&self.request.url);
        Err(Failed::Final(NetError::Redirect { host, cause: "too many times" }))
    }

    async fn send(&self, hop: &Hop<'_>, started: Instant) -> Result<reqwest::Response, Failed> {
        let mut headers = hop.headers.clone();
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if let Some(credential) = self.credential.as_ref().filter(|credential| credential.is_for(&hop.url)) {
            let Some((name, value)) = credential.auth.header() else {
                return Err(Failed::Final(NetError::Broken {
                    host: host_of(&hop.url),
                    cause: "nothing was asked: the token holds characters that no token has".to_owned(),
                }));
            };
            headers.insert(name, value);
        }
        let mut builder = self.client.request(hop.method.clone(), hop.url.clone()).headers(headers);
        if let Some(body) = hop.body {
            if !hop.headers.contains_key(CONTENT_TYPE) {
                builder = builder.header(CONTENT_TYPE, "application/json");
            }
            builder = builder.body(body.to_vec());
        }
        builder
            .send()
            .await
            .map_err(|error| sort_out(NetError::from_reqwest(host_of(&hop.url), started.elapsed(), &error)))
    }

    /// Takes in a good answer.
    async fn take(&self, url: Url, response: reqwest::Response, started: Instant) -> Result<Reply, Failed> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let limits = self.limits(self.options.max_bytes);
        let came = |bytes| self.tell(NetNote::Bytes(bytes));
        let body = body::read(response, limits, started, &came).await.map_err(sort_out)?;
        Ok(Reply { url, status, headers, body })
    }

    /// Makes out what an answer that says no means.
    async fn refused(
        &self,
        key: GateKey,
        said: limit::Said,
        url: &Url,
        response: reqwest::Response,
        started: Instant,
    ) -> Failed {
        let status = response.status().as_u16();
        let came = |bytes| self.tell(NetNote::Bytes(bytes));
        // its words are welcome, not needed
        let body =
            body::read(response, self.limits(MAX_ERROR_BYTES), started, &came).await.unwrap_or_default();
        let message = error::message_of(&body);
        let credential = self.credential.as_ref().filter(|credential| credential.is_for(url));
        let message = message.filter(|text| credential.is_none_or(|credential| !credential.auth.is_in(text)));
        let host = host_of(url);
        if let Some(wait) = limit_of(status, said, message.as_deref()) {
            return Failed::Limited(key, wait);
        }
        let error = NetError::Status { host, status, message, signed_in: credential.is_some() };
        match status {
            503 if said.wait.is_some_and(|wait| wait > LONGEST_PAUSE) => Failed::Final(error),
            500 | 502 | 503 | 504 => Failed::Stumbled(error, said.wait),
            _ => Failed::Final(error),
        }
    }

    /// Reads what the headers say about limits and shuts the gate when nothing is left.
    fn observe(&self, key: &GateKey, headers: &HeaderMap) -> limit::Said {
        let said = limit::said(headers);
        if let Some(rate) = said.rate {
            self.tell(NetNote::Rate(rate));
        }
        if let Some(wait) = said.used_up {
            self.gates.shut_for(key, wait);
        }
        said
    }

    fn limits(&self, max_bytes: u64) -> body::Limits {
        body::Limits { max_bytes, window: self.options.slow_window, min_bytes: self.options.slow_bytes }
    }
}

/// Decides whether another try may help.
fn sort_out(error: NetError) -> Failed {
    match &error {
        NetError::Unreachable { .. } => Failed::Stumbled(error, None),
        NetError::Broken { cause, .. } if cause == error::ENDED_EARLY => Failed::Stumbled(error, None),
        _ => Failed::Final(error),
    }
}

/// One request of a chain of redirects.
struct Hop<'r> {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<&'r [u8]>,
}

impl<'r> Hop<'r> {
    fn first(request: &'r Request) -> Self {
        Self {
            method: request.method.clone(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.as_deref(),
        }
    }

    fn is_conditional(&self) -> bool {
        self.headers.contains_key(IF_NONE_MATCH) || self.headers.contains_key(IF_MODIFIED_SINCE)
    }

    /// Returns the next request; headers that could hold a secret stay with their server.
    fn redirected(&self, status: StatusCode, target: &HeaderValue) -> Result<Self, &'static str> {
        let unusable = "to an address that is none";
        let target = std::str::from_utf8(target.as_bytes()).map_err(|_| unusable)?;
        let mut url = self.url.join(target).map_err(|_| unusable)?;
        match (self.url.scheme(), url.scheme()) {
            (_, "https") | ("http", "http") => {}
            ("https", "http") => return Err("from https to http, which is not followed"),
            _ => return Err("to an address that is not safe to follow"),
        }
        let same = url.origin() == self.url.origin();
        let mut headers = self.headers.clone();
        if same {
            let _ = url.set_username(self.url.username());
            let _ = url.set_password(self.url.password());
        } else {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            headers = [ACCEPT, IF_NONE_MATCH, IF_MODIFIED_SINCE]
                .into_iter()
                .filter_map(|name| Some((name.clone(), self.headers.get(name)?.clone())))
                .collect();
        }
        let keeps_method = matches!(status.as_u16(), 307 | 308) || self.method == Method::GET;
        let (method, body) =
            if keeps_method { (self.method.clone(), self.body) } else { (Method::GET, None) };
        if body.is_some() && !same {
            return Err("what is sent to it to another server, which is not followed");
        }
        Ok(Self { method, url, headers, body })
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Returns how long a server wants to be left alone, if that is what its answer says.
fn limit_of(status: u16, said: limit::Said, message: Option<&str>) -> Option<Duration> {
    let words = || message.is_some_and(|text| text.to_ascii_lowercase().contains("rate limit"));
    match status {
        429 => Some(said.wait.or(said.used_up).unwrap_or_default()),
        403 => said.wait.or(said.used_up).or_else(|| words().then_some(SECONDARY_PAUSE)),
        _ => None,
    }
}

/// Spreads a pause, so that many who failed at once do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let random = std::hash::RandomState::new().build_hasher().finish() % 1000;
    pause.mul_f64(0.5 + random as f64 / 1000.0)
}

impl Auth {
    /// Returns the header that says who asks; `None` when the secret cannot be one.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        let (name, text) = match self {
            Self::None => return None,
            Self::Bearer(secret) => (AUTHORIZATION, format!("Bearer {}", secret.expose())),
            Self::Token(secret) => (AUTHORIZATION, format!("token {}", secret.expose())),
            Self::Basic(user, secret) => {
                use base64::Engine as _;
                let pair = format!("{user}:{}", secret.expose());
                (AUTHORIZATION, format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
            }
            Self::Header(name, secret) => {
                (HeaderName::from_bytes(name.as_bytes()).ok()?, secret.expose().to_owned())
            }
        };
        let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }

    /// Returns a number that differs between identities; it never leaves the process.
    fn fingerprint(&self) -> u64 {
        let mut hasher = rustc_hash::FxHasher::default();
        hasher.write(self.header().as_ref().map_or(&[], |(_, value)| value.as_bytes()));
        hasher.finish()
    }

    /// Returns whether a text holds the secret, as servers that repeat what they were sent have it.
    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::None => false,
            Self::Bearer(secret) | Self::Token(secret) | Self::Basic(_, secret) | Self::Header(_, secret) => {
                !secret.expose().is_empty() && text.contains(secret.expose())
            }
        }
    }
}
