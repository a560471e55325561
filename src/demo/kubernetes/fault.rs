//! What can go wrong with a server, on order: connections cut, restarts, refusals, delays.

use super::status::Failure;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// Requests remembered.
const REMEMBERED: usize = 4096;

/// Faults of a server.
#[derive(Debug)]
pub struct Faults {
    /// Connections of an older age are dead.
    pub(super) age: watch::Sender<u64>,
    /// Streams break off in the middle of a line when this changes.
    pub(super) cut: watch::Sender<u64>,
    /// Watches end with an `ERROR` event when this changes.
    pub(super) expired: watch::Sender<u64>,
    /// Nobody listens.
    pub(super) is_down: watch::Sender<bool>,
    is_mute: AtomicBool,
    /// Watches that begin too early are refused with a status code, not with an event.
    is_expiry_http: AtomicBool,
    plan: Mutex<Plan>,
    requests: Mutex<VecDeque<String>>,
}

#[derive(Debug, Default)]
struct Plan {
    throttled: u32,
    retry_after: u64,
    failing: Vec<(String, u16, u32)>,
    delay: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            age: watch::Sender::new(0),
            cut: watch::Sender::new(0),
            expired: watch::Sender::new(0),
            is_down: watch::Sender::new(false),
            is_mute: AtomicBool::new(false),
            is_expiry_http: AtomicBool::new(false),
            plan: Mutex::default(),
            requests: Mutex::default(),
        }
    }
}

impl Faults {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts all connections, as a network that goes away does.
    pub fn drop_connections(&self) {
        self.age.send_modify(|age| *age += 1);
    }

    /// Cuts all streams in the middle of the line they are writing.
    pub fn cut_mid_line(&self) {
        self.cut.send_modify(|cut| *cut += 1);
    }

    /// Takes the server down: connections are cut, new ones refused; or back up.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.send_replace(is_down);
        if is_down {
            self.drop_connections();
        }
    }

    /// Lets the server take connections and never answer, or answer again.
    pub fn set_mute(&self, is_mute: bool) {
        self.is_mute.store(is_mute, Ordering::Relaxed);
    }

    pub(super) fn is_mute(&self) -> bool {
        self.is_mute.load(Ordering::Relaxed)
    }

    /// Says how a watch that begins too early is refused: with status code 410, or with an `ERROR` event.
    pub fn set_expiry_http(&self, is_http: bool) {
        self.is_expiry_http.store(is_http, Ordering::Relaxed);
    }

    pub(super) fn is_expiry_http(&self) -> bool {
        self.is_expiry_http.load(Ordering::Relaxed)
    }

    /// Refuses the next requests with 429.
    pub fn throttle(&self, requests: u32, retry_after: u64) {
        let mut plan = self.plan();
        (plan.throttled, plan.retry_after) = (requests, retry_after);
    }

    /// Refuses the next requests whose path and query contain a text with a status code.
    pub fn fail(&self, path_contains: &str, code: u16, requests: u32) {
        self.plan().failing.push((path_contains.to_owned(), code, requests));
    }

    /// Answers everything so much later.
    pub fn set_delay(&self, delay: Duration) {
        self.plan().delay = delay;
    }

    pub(super) fn delay(&self) -> Duration {
        self.plan().delay
    }

    /// Notes a request; returns what it is refused with.
    pub(super) fn note(&self, request: String) -> Option<Failure> {
        let mut plan = self.plan();
        let refused = if plan.throttled > 0 {
            plan.throttled -= 1;
            Some(Failure::too_many(plan.retry_after))
        } else {
            let found =
                plan.failing.iter_mut().find(|(text, _, left)| *left > 0 && request.contains(text.as_str()));
            found.map(|(_, code, left)| {
                *left -= 1;
                match *code {
                    401 => Failure::unauthorized(),
                    500 => Failure::internal("etcdserver: request timed out"),
                    503 => Failure::new(
                        503,
                        "ServiceUnavailable",
                        "the server is currently unable to handle the request",
                    ),
                    code => Failure::new(code, "", "refused on order"),
                }
            })
        };
        drop(plan);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() >= REMEMBERED {
            requests.pop_front();
        }
        requests.push_back(request);
        refused
    }

    /// Returns the last requests, oldest first: `GET /api/v1/pods?limit=500`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
