//! Requests that belong together and share one budget of time.
//!
//! Each address is asked for once, at once, and in parallel; who asks gets an answer later and does
//! something else meanwhile. When the budget is used up, what has not come counts as timed out.

use super::error::NetError;
use super::{Net, Pending};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Most addresses of one batch; a source that names more is not read in full.
const MAX_REQUESTS: usize = 2000;

/// Files behind addresses: asked for once, answered when they are there.
pub trait Remote: Send + Sync {
    /// Returns the answer, or `None` when it is still under way; the first call starts the request.
    fn get(&self, url: &Url) -> Option<Result<Arc<[u8]>, NetError>>;

    /// Waits until everything asked for is there, time is up, or `cancel` says stop.
    fn wait(&self, cancel: &CancellationToken);

    /// Returns a host that is waited for, if any.
    fn waiting_for(&self) -> Option<String>;

    /// Returns whether addresses are handed over as people see them (`…/blob/main/…`), not as the ones
    /// that give plain content.
    fn takes_pages(&self) -> bool {
        false
    }

    /// Returns whether the files that a pattern names can be listed: [`Self::list`].
    fn can_list(&self, pattern: &Url) -> bool {
        let _ = pattern;
        false
    }

    /// Returns the addresses of the files that a pattern names, or `None` when the list is still under
    /// way; the first call starts it.
    fn list(&self, pattern: &Url) -> Option<Result<Vec<Url>, NetError>> {
        let _ = pattern;
        Some(Ok(Vec::new()))
    }
}

/// Requests of one source and one load.
#[derive(Debug)]
pub struct Batch<'a> {
    net: &'a Net,
    timeout: Option<Duration>,
    deadline: Instant,
    slots: Mutex<FxHashMap<String, Slot>>,
}

#[derive(Debug)]
enum Slot {
    Waiting(Pending),
    Done(Result<Arc<[u8]>, NetError>),
}

impl<'a> Batch<'a> {
    /// Creates a batch whose time starts now.
    pub fn new(net: &'a Net, timeout: Option<Duration>, budget: Duration) -> Self {
        let now = Instant::now();
        let deadline = now.checked_add(budget).unwrap_or(now);
        Self { net, timeout, deadline, slots: Mutex::default() }
    }
}

impl Remote for Batch<'_> {
    fn get(&self, url: &Url) -> Option<Result<Arc<[u8]>, NetError>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(url.as_str()) {
            return match slot {
                Slot::Waiting(_) => None,
                Slot::Done(answer) => Some(answer.clone()),
            };
        }
        let started = if slots.len() >= MAX_REQUESTS {
            Err(NetError::TooMany { limit: MAX_REQUESTS })
        } else {
            self.net.start(url, self.timeout)
        };
        match started {
            Ok(pending) => {
                slots.insert(url.to_string(), Slot::Waiting(pending));
                None
            }
            Err(error) => {
                slots.insert(url.to_string(), Slot::Done(Err(error.clone())));
                Some(Err(error))
            }
        }
    }

    fn wait(&self, cancel: &CancellationToken) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        for (url, slot) in std::mem::take(&mut *slots) {
            let Slot::Waiting(pending) = slot else {
                slots.insert(url, slot);
                continue;
            };
            let answer = loop {
                let left = self.deadline.saturating_duration_since(Instant::now());
                // an answer may have come while another one was waited for
                if let Some(answer) = pending.wait(left.min(Duration::from_millis(50))) {
                    break Slot::Done(answer.map(|fetched| fetched.body));
                }
                if left.is_zero() || cancel.is_cancelled() {
                    break Slot::Done(Err(pending.give_up()));
                }
            };
            slots.insert(url, answer);
        }
    }

    fn waiting_for(&self) -> Option<String> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().find_map(|slot| match slot {
            Slot::Waiting(pending) => Some(super::error::host_of(pending.url())),
            Slot::Done(_) => None,
        })
    }
}
