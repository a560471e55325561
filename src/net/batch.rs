//! Requests that belong together and share one budget of time.
//!
//! Each address is asked for once, at once, and in parallel; who asks gets an answer later and does
//! something else meanwhile. When the budget is used up, what has not come counts as timed out.

use super::api::{Auth, NetNote};
use super::error::{NetError, host_of};
use super::exchange::{Credential, Reply};
use super::memory::{self, Memory};
use super::{Net, Pending, Request, Terms};
use crate::store::kept::Kept;
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Most addresses of one batch, unless it says otherwise; a source that names more is not read in full.
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

    /// Returns the path of a file in its repository, and the address of another file of that one; `None`
    /// where there is no repository that is known.
    fn in_repository(&self, url: &Url, other: &str) -> Option<(String, Url)> {
        let _ = (url, other);
        None
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
pub struct Batch<'a> {
    net: &'a Net,
    timeout: Option<Duration>,
    deadline: Instant,
    max_requests: usize,
    max_bytes: Option<u64>,
    ca_file: Option<PathBuf>,
    credential: Option<Credential>,
    kept: Option<&'a Kept>,
    notify: Option<&'a (dyn Fn(NetNote) + Send + Sync)>,
    progress: Option<&'a (dyn Fn(usize, usize) + Send + Sync)>,
    slots: Mutex<FxHashMap<String, Slot>>,
}

enum Slot {
    Waiting(Pending, Option<Memory>),
    Done(Result<Arc<[u8]>, NetError>),
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<'a> Batch<'a> {
    /// Creates a batch whose time starts now.
    pub fn new(net: &'a Net, timeout: Option<Duration>, budget: Duration) -> Self {
        let now = Instant::now();
        let deadline = now.checked_add(budget).unwrap_or(now);
        Self {
            net,
            timeout,
            deadline,
            max_requests: MAX_REQUESTS,
            max_bytes: None,
            ca_file: None,
            credential: None,
            kept: None,
            notify: None,
            progress: None,
            slots: Mutex::default(),
        }
    }

    /// Keeps answers with a validator, so that the next batch asks whether they changed.
    #[must_use]
    pub fn keeping(mut self, kept: &'a Kept) -> Self {
        self.kept = Some(kept);
        self
    }

    /// Sets who is told what happens.
    #[must_use]
    pub fn telling(mut self, notify: &'a (dyn Fn(NetNote) + Send + Sync)) -> Self {
        self.notify = Some(notify);
        self
    }

    /// Sets who is told how many addresses are done, and of how many.
    #[must_use]
    pub fn counting(mut self, progress: &'a (dyn Fn(usize, usize) + Send + Sync)) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Sends a credential to the origin of an address, to no other.
    #[must_use]
    pub fn signed_in(mut self, base: Url, auth: Auth) -> Self {
        self.credential = Some(Credential { base, auth });
        self
    }

    /// Trusts the certificates of a file, too.
    #[must_use]
    pub fn trusting(mut self, ca_file: Option<PathBuf>) -> Self {
        self.ca_file = ca_file;
        self
    }

    /// Sets the largest answer in bytes.
    #[must_use]
    pub fn up_to_bytes(mut self, max_bytes: u64) -> Self {
        self.max_bytes = Some(max_bytes);
        self
    }

    /// Sets the largest number of addresses.
    #[must_use]
    pub fn up_to_requests(mut self, max_requests: usize) -> Self {
        self.max_requests = max_requests;
        self
    }

    fn start(&self, url: &Url) -> Result<(Pending, Option<Memory>), NetError> {
        let mut request = Request::get(url.clone());
        let auth = self.credential.as_ref().filter(|own| own.is_for(url)).map(|own| &own.auth);
        let memory = self.kept.and_then(|kept| Memory::recall(kept, &request, auth));
        if let Some(memory) = &memory {
            memory.ask(&mut request.headers);
        }
        let terms = Terms {
            credential: self.credential.clone(),
            timeout: self.timeout,
            max_bytes: self.max_bytes,
            ca_file: self.ca_file.clone(),
            cancel: CancellationToken::new(),
        };
        Ok((self.net.start(request, terms)?, memory))
    }

    fn finish(&self, url: &str, memory: Option<Memory>, reply: Reply) -> Result<Arc<[u8]>, NetError> {
        let mut answer = match (memory, self.kept) {
            (Some(memory), Some(kept)) => memory.finish(kept, reply)?,
            _ => memory::plain(reply),
        };
        answer.signed_in = self.credential.as_ref().is_some_and(|own| own.is_for(&answer.url));
        // a page where a data file was asked for, or where the request was sent on to: nobody's descriptor
        let path = url.split(['?', '#']).next().unwrap_or(url).to_ascii_lowercase();
        let wants_data = [".yaml", ".yml", ".json"].iter().any(|ending| path.ends_with(ending));
        if answer.is_page() && (wants_data || answer.url.as_str() != url) {
            return Err(NetError::SignInPage { host: host_of(&answer.url), signed_in: answer.signed_in });
        }
        Ok(answer.body)
    }
}

impl Remote for Batch<'_> {
    fn get(&self, url: &Url) -> Option<Result<Arc<[u8]>, NetError>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(url.as_str()) {
            return match slot {
                Slot::Waiting(..) => None,
                Slot::Done(answer) => Some(answer.clone()),
            };
        }
        let started = if slots.len() >= self.max_requests {
            Err(NetError::TooMany { limit: self.max_requests })
        } else {
            self.start(url)
        };
        match started {
            Ok((pending, memory)) => {
                slots.insert(url.to_string(), Slot::Waiting(pending, memory));
                None
            }
            Err(error) => {
                slots.insert(url.to_string(), Slot::Done(Err(error.clone())));
                Some(Err(error))
            }
        }
    }

    fn wait(&self, cancel: &CancellationToken) {
        let notify = |note: NetNote| {
            if let Some(notify) = self.notify {
                notify(note);
            }
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let total = slots.len();
        for (url, slot) in std::mem::take(&mut *slots) {
            let Slot::Waiting(pending, memory) = slot else {
                slots.insert(url, slot);
                continue;
            };
            let answer = loop {
                let left = self.deadline.saturating_duration_since(Instant::now());
                // an answer may have come while another one was waited for
                if let Some(answer) = pending.wait(Some(left.min(Duration::from_millis(50))), &notify) {
                    break answer.and_then(|reply| self.finish(&url, memory, reply));
                }
                if left.is_zero() || cancel.is_cancelled() {
                    break Err(pending.give_up());
                }
            };
            slots.insert(url, Slot::Done(answer));
            if let Some(progress) = self.progress {
                progress(slots.len(), total);
            }
        }
    }

    fn waiting_for(&self) -> Option<String> {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.values().find_map(|slot| match slot {
            Slot::Waiting(pending, _) => Some(host_of(&pending.url)),
            Slot::Done(_) => None,
        })
    }
}
