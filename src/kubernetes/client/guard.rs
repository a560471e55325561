//! What every request to a cluster passes: credentials of a plugin, asked for again when they are refused;
//! patience with servers that ask for it; a look at the server's clock.

use super::exec::{self, Credential};
use http::header::{AUTHORIZATION, DATE, RETRY_AFTER, UPGRADE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::client::Body;
use kube::config::ExecConfig;
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tower::BoxError;

/// How long the first word of an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest time a server may ask us to wait.
const MAX_PATIENCE: Duration = Duration::from_secs(30);
/// How often a request that was told to come back later is sent.
const TRIES: u32 = 4;
/// A token is renewed so long before its end.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);
/// A plugin is not asked more often for a new token than this.
const MIN_RENEWAL: SignedDuration = SignedDuration::from_secs(5);

/// Stands before the client of one cluster.
#[derive(Default)]
pub(super) struct Guard {
    plugin: Option<Plugin>,
    skew: AtomicI64,
}

struct Plugin {
    config: ExecConfig,
    held: Mutex<Held>,
}

/// A token that a plugin gave.
struct Held {
    token: Option<SecretString>,
    expires: Option<Timestamp>,
    asked: Timestamp,
    /// Counts the times the plugin was asked.
    turn: u64,
}

impl Guard {
    /// Makes one that asks a plugin again when needed.
    pub fn with_plugin(config: ExecConfig, credential: Credential) -> Self {
        let held =
            Held { token: credential.token, expires: credential.expires, asked: Timestamp::now(), turn: 0 };
        Self { plugin: Some(Plugin { config, held: Mutex::new(held) }), skew: AtomicI64::new(0) }
    }

    /// Returns how far the server's clock was ahead at its last answer, in seconds.
    pub fn clock_skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    /// Sends a request.
    pub async fn send(&self, client: &Client, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let mut request = request;
        let mut refused = None;
        for attempt in 1.. {
            let turn = self.sign(&mut request, refused.take()).await?;
            let again = copy(&request);
            let sent = Timestamp::now();
            let is_upgrade = request.headers().contains_key(UPGRADE);
            // a disruption budget says no with the same status: whoever evicts waits for it knowingly
            let is_eviction = request.uri().path().ends_with("/eviction");
            // a log that is followed answers with its first line, whenever that is written
            let is_follow = request.uri().query().is_some_and(|query| query.contains("follow=true"));
            let limit = if is_follow { Duration::MAX } else { ANSWER_TIMEOUT };
            let response = tokio::time::timeout(limit, client.send(request))
                .await
                .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
            self.look_at_clock(&response, sent);
            let Some(again) = again.filter(|_| attempt < TRIES) else { return Ok(response) };
            match response.status() {
                StatusCode::UNAUTHORIZED if turn.is_some() && attempt == 1 => refused = turn,
                StatusCode::TOO_MANY_REQUESTS if !is_upgrade && !is_eviction => match patience(&response) {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return Ok(response),
                },
                _ => return Ok(response),
            }
            request = again;
        }
        Err("no answer".into())
    }

    /// Puts the plugin's token into a request; returns which one it was. One that was refused is renewed first.
    async fn sign(&self, request: &mut Request<Body>, refused: Option<u64>) -> Result<Option<u64>, BoxError> {
        let Some(plugin) = &self.plugin else { return Ok(None) };
        let mut held = plugin.held.lock().await;
        if held.token.is_none() {
            return Ok(None);
        }
        let now = Timestamp::now();
        let is_over = held.expires.is_some_and(|end| now + MARGIN >= end) && now > held.asked + MIN_RENEWAL;
        if is_over || refused == Some(held.turn) {
            match exec::ask(&plugin.config).await {
                Ok(credential) => {
                    let turn = held.turn + 1;
                    *held = Held { token: credential.token, expires: credential.expires, asked: now, turn };
                }
                // the old token may hold a moment longer
                Err(_) if refused.is_none() && held.expires.is_some_and(|end| now < end) => held.asked = now,
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(token) = &held.token {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret().trim()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(Some(held.turn))
    }

    fn look_at_clock(&self, response: &Response<Body>, sent: Timestamp) {
        let date = response.headers().get(DATE).and_then(|value| value.to_str().ok());
        let Some(date) = date.and_then(|text| rfc2822::parse(&text.replace("GMT", "+0000")).ok()) else {
            return;
        };
        let now = Timestamp::now();
        let server = date.timestamp().as_second();
        // the header has whole seconds, and was written between asking and now
        let skew = if server > now.as_second() {
            server - now.as_second()
        } else if server < sent.as_second() {
            server - sent.as_second()
        } else {
            0
        };
        self.skew.store(if skew.abs() <= 1 { 0 } else { skew }, Ordering::Relaxed);
    }
}

/// Returns how long the server asks to wait; `None` when that is too long.
fn patience(response: &Response<Body>) -> Option<Duration> {
    let asked =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let wait = Duration::from_secs(asked.unwrap_or(1));
    (wait <= MAX_PATIENCE).then_some(wait.max(Duration::from_millis(100)))
}

/// Copies a request that can be sent twice without harm: it was refused before anything was done.
fn copy(request: &Request<Body>) -> Option<Request<Body>> {
    if request.method() == Method::CONNECT {
        return None;
    }
    let mut copy = Request::new(request.body().try_clone()?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: http::HeaderName, value: &str) -> Response<Body> {
        Response::builder().header(name, value).body(Body::empty()).unwrap()
    }

    #[test]
    fn clock_of_the_server_is_compared() {
        let guard = Guard::default();
        guard.look_at_clock(&answer(DATE, "Fri, 01 Jan 2100 00:00:00 GMT"), Timestamp::now());
        assert!(guard.clock_skew() > 1_000_000);
        guard.look_at_clock(&answer(DATE, "Thu, 01 Jan 1970 00:00:00 GMT"), Timestamp::now());
        assert!(guard.clock_skew() < -1_000_000);
        guard.look_at_clock(&answer(DATE, "no date"), Timestamp::now());
        assert!(guard.clock_skew() < -1_000_000);
    }

    #[test]
    fn patience_ends() {
        assert_eq!(patience(&answer(RETRY_AFTER, "2")), Some(Duration::from_secs(2)));
        assert_eq!(patience(&answer(RETRY_AFTER, "3600")), None);
        assert_eq!(patience(&answer(DATE, "")), Some(Duration::from_secs(1)));
    }
}
