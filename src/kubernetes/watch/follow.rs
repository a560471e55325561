//! Reads a list page by page and follows its changes, again and again.
//!
//! The version that was reached survives interruptions, so a cut costs one request and no list. A version that is
//! too old costs a list; objects that are missing in it are dropped at its end, not before.

use super::place::Place;
use super::{Part, Watcher, is_doubt};
use crate::kubernetes::client::fault::{self, Fault, FaultKind};
use crate::kubernetes::hub::board::Edit;
use crate::kubernetes::hub::keeper::{Session, jitter};
use crate::kubernetes::trim::{self, Raw};
use futures_util::StreamExt;
use jiff::Timestamp;
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Request;
use rustc_hash::FxHashSet;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Objects asked for at once.
const PAGE: u32 = 500;
/// Pages read of one list at most: a server that never ends is no reason to never end.
const MAX_PAGES: usize = 4000;
/// How long one page may take.
const PAGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Events handled at once at most.
const BATCH: usize = 512;
/// The server ends a watch after this time; we begin it again.
const WATCH_SECONDS: u32 = 290;
/// A watch that lasted so long was a good one.
const GOOD: Duration = Duration::from_secs(5);
/// First and longest wait after a failure.
const RETRY: (Duration, Duration) = (Duration::from_millis(800), Duration::from_secs(30));
/// How often a list is read where it may be read but not watched.
const POLL: Duration = Duration::from_secs(15);
/// A version is given up after so many failures.
const MAX_RESUMES: u32 = 3;

/// Why following ended.
#[derive(Debug)]
pub enum End {
    /// We may not.
    Forbidden(Fault),
    /// The server does not know the place.
    Missing,
}

/// Follows the objects of a place: of all namespaces, or of one.
pub struct Follower {
    watcher: Arc<Watcher>,
    namespace: Option<Arc<str>>,
    /// Version that was reached; none before the first list.
    version: Option<String>,
    /// Failures in a row.
    failures: u32,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default)]
    items: Option<Vec<Raw>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct PageMeta {
    resource_version: Option<String>,
    r#continue: Option<String>,
}

/// What to do after a step.
enum Next {
    /// Go on at once.
    Go,
    /// Go on after a while.
    Wait(Fault),
    /// Read the list again after a while: it cannot be watched.
    Poll(&'static str),
    /// Stop.
    End(End),
}

impl Follower {
    /// Makes one that has read nothing.
    pub fn new(watcher: Arc<Watcher>, namespace: Option<Arc<str>>) -> Self {
        Self { watcher, namespace, version: None, failures: 0 }
    }

    /// Forgets the version that was reached.
    pub fn restart(&mut self) {
        self.version = None;
        self.failures = 0;
    }

    /// Follows until it makes no sense any more. May be dropped at any moment and called again.
    pub async fn follow(&mut self, session: &Session, place: &Place) -> End {
        loop {
            let next = match &self.version {
                None => self.read_list(session, place).await,
                Some(version) => {
                    let version = version.clone();
                    self.watch(session, place, &version).await
                }
            };
            match next {
                Next::Go => {}
                Next::Wait(fault) => {
                    if is_doubt(&fault) {
                        self.watcher.keeper.look();
                    }
                    tracing::debug!(cluster = %self.watcher.keeper.cluster.name, kind = ?self.watcher.kind,
                        cause = %fault.text, "watch interrupted");
                    self.failures += 1;
                    // one failure is an ordinary cut
                    if self.failures > 1 {
                        self.set(Part::Stale { since: Timestamp::now(), cause: fault.text });
                    }
                    if self.failures > MAX_RESUMES {
                        self.version = None;
                    }
                    let wait = (RETRY.0 * 2_u32.saturating_pow(self.failures.min(10) - 1)).min(RETRY.1);
                    tokio::time::sleep(wait.mul_f64(0.5 + jitter())).await;
                }
                Next::Poll(cause) => {
                    self.set(Part::Stale { since: Timestamp::now(), cause: cause.to_owned() });
                    self.version = None;
                    tokio::time::sleep(POLL).await;
                }
                Next::End(end) => {
                    self.version = None;
                    if let (End::Forbidden(_), Some(_)) = (&end, &self.namespace) {
                        self.set(Part::Forbidden);
                    }
                    return end;
                }
            }
        }
    }

    fn set(&self, part: Part) {
        self.watcher.set_part(self.namespace.as_ref(), part);
    }

    /// Sorts a failure.
    fn judge(&mut self, fault: Fault) -> Next {
        match fault.kind {
            FaultKind::Forbidden => Next::End(End::Forbidden(fault)),
            FaultKind::NotFound => Next::End(End::Missing),
            FaultKind::Expired => {
                self.version = None;
                Next::Wait(fault)
            }
            _ => Next::Wait(fault),
        }
    }

    async fn read_list(&mut self, session: &Session, place: &Place) -> Next {
        let path = place.path(self.namespace.as_deref());
        let mut seen = FxHashSet::default();
        let mut token: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut params = ListParams::default().limit(PAGE);
            params.continue_token.clone_from(&token);
            let page = match read_page(session, &path, &params).await {
                Ok(page) => page,
                Err(fault) => return self.judge(fault),
            };
            let items = page.items.unwrap_or_default();
            let mut edits = Vec::with_capacity(items.len());
            for raw in &items {
                let object = self.trim(raw);
                seen.insert((object.namespace.clone(), object.name.clone()));
                edits.push(Edit::Put(object));
            }
            self.edit(edits);
            token = page.metadata.r#continue.filter(|token| !token.is_empty());
            if token.is_none() {
                self.drop_unseen(&seen);
                let version = page.metadata.resource_version.filter(|version| !version.is_empty());
                let Some(version) = version else {
                    return Next::Poll("the server offers no changes of this kind; it is read every 15 s");
                };
                self.version = Some(version);
                return Next::Go;
            }
        }
        Next::Wait(Fault::new(FaultKind::Server, "the list of the server has no end"))
    }

    /// Follows changes from a version on.
    async fn watch(&mut self, session: &Session, place: &Place, version: &str) -> Next {
        let path = place.path(self.namespace.as_deref());
        let params = WatchParams::default().timeout(WATCH_SECONDS);
        let request = match Request::new(path).watch(&params, version) {
            Ok(request) => request,
            Err(error) => return Next::Wait(Fault::new(FaultKind::Other, error.to_string())),
        };
        let stream = match session.link.client.request_events::<Raw>(request).await {
            Ok(stream) => stream,
            Err(error) => {
                let fault = session.link.tell(&error);
                if fault.kind == FaultKind::Forbidden {
                    return Next::Poll("it may be listed but not watched; it is read every 15 s");
                }
                return self.judge(fault);
            }
        };
        self.set(Part::Live);
        let began = Instant::now();
        let stream = stream.ready_chunks(BATCH);
        futures_util::pin_mut!(stream);
        let idle = Duration::from_secs(u64::from(WATCH_SECONDS) + 10);
        // an ended watch is an ordinary thing; one that ends at once again and again is not
        let mut cut = Fault::new(FaultKind::Other, "the server ends the watch at once");
        while let Ok(Some(events)) = tokio::time::timeout(idle, stream.next()).await {
            let (edits, problem) = self.take(session, events);
            if !edits.is_empty() {
                self.failures = 0;
            }
            self.edit(edits);
            match problem {
                None => {}
                Some(fault) if fault.kind == FaultKind::Expired => {
                    self.version = None;
                    return if began.elapsed() > GOOD { Next::Go } else { Next::Wait(fault) };
                }
                Some(fault) => {
                    cut = fault;
                    break;
                }
            }
        }
        if began.elapsed() > GOOD {
            self.failures = 0;
            return Next::Go;
        }
        Next::Wait(cut)
    }

    /// Makes edits of events; a failure ends them.
    fn take(
        &mut self,
        session: &Session,
        events: Vec<kube::Result<WatchEvent<Raw>>>,
    ) -> (Vec<Edit>, Option<Fault>) {
        let mut edits = Vec::with_capacity(events.len());
        for event in events {
            match event {
                Ok(WatchEvent::Added(raw) | WatchEvent::Modified(raw)) => {
                    edits.push(Edit::Put(self.trim(&raw)));
                    self.advance(raw.metadata.resource_version);
                }
                Ok(WatchEvent::Deleted(raw)) => {
                    let object = self.trim(&raw);
                    edits.push(Edit::Remove((object.namespace.clone(), object.name.clone())));
                    self.advance(raw.metadata.resource_version);
                }
                Ok(WatchEvent::Bookmark(mark)) => self.advance(Some(mark.metadata.resource_version)),
                Ok(WatchEvent::Error(status)) => {
                    let fault = fault::tell_status(&status, &session.link.address);
                    return (edits, Some(fault));
                }
                // one line that cannot be read spoils one change
                Err(kube::Error::SerdeError(_)) => {
                    tracing::warn!(cluster = %self.watcher.keeper.cluster.name, kind = ?self.watcher.kind,
                        "a change could not be read");
                }
                Err(error) => return (edits, Some(session.link.tell(&error))),
            }
        }
        (edits, None)
    }

    fn advance(&mut self, version: Option<String>) {
        if let Some(version) = version.filter(|version| !version.is_empty()) {
            self.version = Some(version);
        }
    }

    fn trim(&self, raw: &Raw) -> Arc<crate::kubernetes::Object> {
        Arc::new(trim::object(self.watcher.kind, raw, &self.watcher.shared.pool))
    }

    fn edit(&self, edits: Vec<Edit>) {
        let watcher = &self.watcher;
        watcher.shared.board.edit_objects(&watcher.keeper.cluster.name, watcher.kind, edits);
    }

    /// Drops what a complete list does not name.
    fn drop_unseen(&self, seen: &FxHashSet<(Arc<str>, Arc<str>)>) {
        let watcher = &self.watcher;
        let is_ours = |namespace: &Arc<str>| self.namespace.as_ref().is_none_or(|ours| ours == namespace);
        let mut gone = Vec::new();
        watcher.shared.board.edit(&watcher.keeper.cluster.name, |state| {
            if let Some(table) = state.tables.get(&watcher.kind) {
                let keys = table.objects.keys().filter(|key| is_ours(&key.0) && !seen.contains(*key));
                gone.extend(keys.cloned().map(Edit::Remove));
            }
            false
        });
        self.edit(gone);
    }
}

async fn read_page(session: &Session, path: &str, params: &ListParams) -> Result<Page, Fault> {
    let request =
        Request::new(path).list(params).map_err(|error| Fault::new(FaultKind::Other, error.to_string()))?;
    let answer = tokio::time::timeout(PAGE_TIMEOUT, session.link.client.request_text(request)).await;
    let text = match answer {
        Ok(answer) => answer.map_err(|error| session.link.tell(&error))?,
        Err(_) => return Err(Fault::new(FaultKind::Unreachable, "the list takes longer than a minute")),
    };
    // not through the client's own decoding: that writes what it cannot read into the log
    serde_json::from_str(&text).map_err(|error| {
        let text =
            format!("{} sent a list that cannot be read (line {})", session.link.address, error.line());
        Fault::new(FaultKind::Server, text)
    })
}
