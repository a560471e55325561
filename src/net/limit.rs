//! Limits that servers set on requests: what their headers say, and gates that stay shut until then.
//!
//! Start at [`Gates`]. All times are taken relative to the server's own `Date`, so that a wrong clock on
//! either side does not matter.

use super::Rate;
use jiff::Timestamp;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use rustc_hash::FxHashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// Larger numbers of a reset are seconds since 1970, smaller ones seconds from now.
const EPOCH_FROM: i64 = 1_000_000_000;
/// No gate stays shut for longer, whatever a server says: then it is tried again.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// Gates that are remembered; servers are few, unless somebody makes them up.
const MAX_GATES: usize = 1000;
/// How long a host counts as out of reach, so that not every request tries for itself.
const DOWN_FOR: Duration = Duration::from_secs(10);

/// Which limit a request counts against: the server, who asks, and the part of the server that counts
/// apart (search and GraphQL do on GitHub).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct GateKey {
    origin: String,
    part: &'static str,
    identity: u64,
}

impl GateKey {
    pub(super) fn of(url: &Url, identity: u64) -> Self {
        let path = url.path();
        let part = if path.ends_with("/graphql") {
            "graphql"
        } else if path.contains("/search/") {
            "search"
        } else {
            ""
        };
        Self { origin: url.origin().ascii_serialization(), part, identity }
    }
}

/// When a gate opens again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shut {
    pub open_at: Instant,
    pub until: Timestamp,
}

#[derive(Debug, Default)]
struct Gate {
    shut: Option<Shut>,
    down_until: Option<Instant>,
}

/// What is known about servers that want to be left alone for a while.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<FxHashMap<GateKey, Gate>>);

impl Gates {
    /// Returns when the gate opens, if it is shut.
    pub(super) fn shut(&self, key: &GateKey) -> Option<Shut> {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(key)?.shut.filter(|shut| shut.open_at > Instant::now())
    }

    /// Shuts a gate for a while; a longer while that was said before stays.
    pub(super) fn shut_for(&self, key: &GateKey, wait: Duration) {
        let wait = wait.min(LONGEST);
        let (now, span) = (Instant::now(), jiff::SignedDuration::try_from(wait).unwrap_or_default());
        let Some(open_at) = now.checked_add(wait) else { return };
        let shut = Shut { open_at, until: Timestamp::now().saturating_add(span).unwrap_or(Timestamp::MAX) };
        self.change(key, |gate| {
            if gate.shut.is_none_or(|old| old.open_at < open_at) {
                gate.shut = Some(shut);
            }
        });
    }

    /// Remembers that nobody answers there.
    pub(super) fn down(&self, key: &GateKey) {
        let until = Instant::now().checked_add(DOWN_FOR);
        self.change(key, |gate| gate.down_until = until);
    }

    /// Forgets that nobody answered.
    pub(super) fn up(&self, key: &GateKey) {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get_mut(key) {
            gate.down_until = None;
        }
    }

    /// Returns whether nobody answered there a moment ago.
    pub(super) fn is_down(&self, key: &GateKey) -> bool {
        let gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.get(key).and_then(|gate| gate.down_until).is_some_and(|until| until > Instant::now())
    }

    fn change(&self, key: &GateKey, change: impl FnOnce(&mut Gate)) {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MAX_GATES && !gates.contains_key(key) {
            let now = Instant::now();
            let open = |at: Option<Instant>| at.is_none_or(|at| at <= now);
            gates.retain(|_, gate| !(open(gate.shut.map(|shut| shut.open_at)) && open(gate.down_until)));
            if gates.len() >= MAX_GATES {
                return;
            }
        }
        change(gates.entry(key.clone()).or_default());
    }
}

/// What the headers of an answer say about a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Requests left.
    pub rate: Option<Rate>,
    /// No request is wanted for this long.
    pub wait: Option<Duration>,
    /// No request is left, for this long.
    pub used_up: Option<Duration>,
}

/// Reads what the headers of an answer say.
pub(super) fn said(headers: &HeaderMap) -> Said {
    let now = Timestamp::now();
    let server_now = date(headers).unwrap_or(now);
    let number = |name: &str| text(headers, name)?.split([',', ';']).next()?.trim().parse::<i64>().ok();
    let either =
        |name: &str| number(&format!("x-ratelimit-{name}")).or_else(|| number(&format!("ratelimit-{name}")));
    let limit = either("limit").and_then(|n| u64::try_from(n).ok());
    let reset = either("reset").map(|reset| {
        let from_now = if reset >= EPOCH_FROM { reset.saturating_sub(server_now.as_second()) } else { reset };
        Duration::from_secs(u64::try_from(from_now).unwrap_or(0))
    });
    let left = either("remaining").and_then(|n| u64::try_from(n).ok()).or_else(|| near_limit(headers, limit));
    let at = |wait: Duration| {
        let span = jiff::SignedDuration::try_from(wait.min(LONGEST)).ok()?;
        now.checked_add(span).ok()
    };
    Said {
        rate: left.map(|left| Rate { left, limit, reset: reset.and_then(at) }),
        wait: retry_after(headers, server_now),
        used_up: reset.filter(|wait| left == Some(0) && !wait.is_zero()),
    }
}

/// Bitbucket names no number: it says when less than a fifth is left.
fn near_limit(headers: &HeaderMap, limit: Option<u64>) -> Option<u64> {
    let near = text(headers, "x-ratelimit-nearlimit")?;
    near.eq_ignore_ascii_case("true").then_some(limit? / 5)
}

/// Seconds, or a date, which is taken relative to the server's clock.
fn retry_after(headers: &HeaderMap, server_now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let wait = parse_date(text)?.as_second().saturating_sub(server_now.as_second());
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    parse_date(headers.get(DATE)?.to_str().ok()?)
}

fn parse_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn said_by(lines: &[(&'static str, &str)]) -> (Option<u64>, Option<u64>, Option<u64>) {
        let said = said(&headers(lines));
        let seconds = |d: Option<Duration>| d.map(|d| d.as_secs());
        (said.rate.map(|rate| rate.left), seconds(said.wait), seconds(said.used_up))
    }

    const DATE_OF_2015: (&str, &str) = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");

    #[test]
    fn reads_what_servers_say() {
        // 1445412480 is that date
        type Case<'a> = (&'a [(&'static str, &'a str)], (Option<u64>, Option<u64>, Option<u64>));
        let cases: &[Case<'_>] = &[
            (&[], (None, None, None)),
            (&[("retry-after", "7")], (None, Some(7), None)),
            (&[("retry-after", "-7")], (None, Some(0), None)),
            (&[("retry-after", "soon")], (None, None, None)),
            (&[("retry-after", "1e400")], (None, None, None)),
            (&[DATE_OF_2015, ("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT")], (None, Some(30), None)),
            (&[DATE_OF_2015, ("retry-after", "Wed, 21 Oct 2015 07:00:00 GMT")], (None, Some(0), None)),
            (
                &[DATE_OF_2015, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1445412540")],
                (Some(0), None, Some(60)),
            ),
            (
                &[DATE_OF_2015, ("ratelimit-remaining", "0"), ("ratelimit-reset", "1445412485")],
                (Some(0), None, Some(5)),
            ),
            (&[("ratelimit-remaining", "0"), ("ratelimit-reset", "9")], (Some(0), None, Some(9))),
            (&[("ratelimit-remaining", "5"), ("ratelimit-reset", "9")], (Some(5), None, None)),
            (&[("x-ratelimit-remaining", "0")], (Some(0), None, None)),
            (&[("x-ratelimit-remaining", "many")], (None, None, None)),
            (&[("x-ratelimit-limit", "1000"), ("x-ratelimit-nearlimit", "true")], (Some(200), None, None)),
            (&[("x-ratelimit-limit", "1000"), ("x-ratelimit-nearlimit", "false")], (None, None, None)),
            (
                &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9223372036854775807")],
                (
                    Some(0),
                    None,
                    said(&headers(&[
                        ("x-ratelimit-remaining", "0"),
                        ("x-ratelimit-reset", "9223372036854775807"),
                    ]))
                    .used_up
                    .map(|d| d.as_secs()),
                ),
            ),
        ];
        for (lines, expected) in cases {
            assert_eq!(said_by(lines), *expected, "{lines:?}");
        }
    }

    #[test]
    fn a_gate_keeps_the_longer_wait_and_no_endless_one() {
        let gates = Gates::default();
        let url = Url::parse("https://api.github.com/repos").unwrap();
        let key = GateKey::of(&url, 1);
        assert!(gates.shut(&key).is_none());
        gates.shut_for(&key, Duration::from_secs(100));
        gates.shut_for(&key, Duration::from_secs(10));
        let left = |key: &GateKey| gates.shut(key).unwrap().open_at.duration_since(Instant::now()).as_secs();
        assert!(left(&key) > 50);
        gates.shut_for(&key, Duration::MAX);
        assert!(left(&key) <= LONGEST.as_secs());
        for (url, identity) in [("https://api.github.com/graphql", 1), ("https://api.github.com/repos", 2)] {
            assert!(gates.shut(&GateKey::of(&Url::parse(url).unwrap(), identity)).is_none(), "{url}");
        }
    }
}
