//! Keeps the connection to one cluster: makes it, looks after it, makes it again.
//!
//! Start at [`Keeper::run`]. Everything that asks the cluster takes its [`Session`] from here; there is none while
//! the cluster does not answer, so nobody else has to know how to wait for it. A small request every few seconds
//! tells a cluster that went away without a word from one that has nothing to say.

use super::board::Board;
use crate::kubernetes::access;
use crate::kubernetes::client::fault::{Fault, FaultKind, clean};
use crate::kubernetes::client::{self, Link};
use crate::kubernetes::cluster::Cluster;
use crate::kubernetes::state::{ClusterState, Phase, Watch};
use http::Request;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// How often a quiet cluster is looked after.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long an answer to that may take.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);
/// First and longest wait before another try.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// The same where a person has to change something first, or a plugin has to be run again.
const SLOW_RETRY: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(120));

/// A cluster that answers.
#[derive(Debug, Clone)]
pub struct Session {
    /// The way to it.
    pub link: Link,
    /// Counts the sessions of the cluster.
    pub number: u64,
    /// Who we are there; empty when it does not say.
    pub user: Arc<str>,
}

/// Keeps the connection to one cluster.
pub struct Keeper {
    /// Which one.
    pub cluster: Arc<Cluster>,
    board: Arc<Board>,
    session: watch::Sender<Option<Session>>,
    /// Look now: somebody doubts that it answers, or asks to try.
    look: Notify,
    is_started: AtomicBool,
    number: AtomicU64,
    /// What may be done there.
    pub access: Arc<access::Cache>,
}

impl Keeper {
    /// Makes one; nothing happens before it is run.
    pub fn new(cluster: Arc<Cluster>, board: Arc<Board>) -> Self {
        Self {
            cluster,
            board,
            session: watch::Sender::new(None),
            look: Notify::new(),
            is_started: AtomicBool::new(false),
            number: AtomicU64::new(0),
            access: Arc::default(),
        }
    }

    /// Starts to keep the connection, once; returns what ends it.
    pub fn start(self: &Arc<Self>, runtime: &tokio::runtime::Handle) -> Option<tokio::task::AbortHandle> {
        if self.cluster.connection.is_err() || self.is_started.swap(true, Ordering::AcqRel) {
            return None;
        }
        let keeper = self.clone();
        Some(runtime.spawn(async move { keeper.run().await }).abort_handle())
    }

    /// Looks now whether the cluster answers.
    pub fn look(&self) {
        self.look.notify_one();
    }

    /// Returns a receiver of the session, for whoever follows it.
    pub fn sessions(&self) -> watch::Receiver<Option<Session>> {
        self.session.subscribe()
    }

    /// Returns the session; waits for it a moment while the cluster is being connected to.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn session(&self) -> Result<Session, String> {
        if let Err(cause) = &self.cluster.connection {
            return Err(cause.clone());
        }
        let mut sessions = self.sessions();
        if sessions.borrow().is_none() {
            // one that is down is tried at once: somebody wants something of it
            self.look();
        }
        let wait = async {
            match sessions.wait_for(Option::is_some).await {
                Ok(session) => session.clone(),
                Err(_) => None,
            }
        };
        let limit = client::CONNECT_TIMEOUT + Duration::from_secs(1);
        if let Ok(Some(session)) = tokio::time::timeout(limit, wait).await {
            return Ok(session);
        }
        let mut cause = "it does not answer".to_owned();
        self.board.edit(&self.cluster.name, |state| {
            if let Phase::Down { cause: known, .. } = &state.phase {
                cause.clone_from(known);
            }
            false
        });
        Err(format!("cluster `{}` cannot be asked: {cause}", self.cluster.name))
    }

    async fn run(&self) {
        let Ok(connection) = &self.cluster.connection else { return };
        self.set_phase(|phase| match phase {
            Phase::Idle => Phase::Connecting(Timestamp::now()),
            other => other.clone(),
        });
        let mut failures = 0;
        loop {
            let fault = match self.open(connection).await {
                Ok(session) => {
                    failures = 0;
                    let opened = Instant::now();
                    self.session.send_replace(Some(session.clone()));
                    let fault = self.watch_over(&session).await;
                    self.session.send_replace(None);
                    // credentials that were good until now are renewed without a word
                    if fault.kind == FaultKind::Unauthorized && opened.elapsed() > RETRY.0 {
                        continue;
                    }
                    fault
                }
                Err(fault) => fault,
            };
            failures += 1;
            let wait = wait_after(&fault, failures);
            self.go_down(&fault, wait);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.look.notified() => {}
            }
        }
    }

    /// Makes a connection and asks the first question.
    async fn open(&self, connection: &crate::kubernetes::Connection) -> Result<Session, Fault> {
        let link = client::connect(connection).await?;
        let (version, user) = tokio::join!(ask_version(&link), access::who_am_i(&link.client));
        let version = match version {
            Ok(version) => version,
            // who may not even ask for the version may still read pods
            Err(fault) if fault.kind == FaultKind::Forbidden => String::new(),
            Err(fault) => return Err(fault),
        };
        let user = user.unwrap_or_else(|| link.user.clone());
        let number = self.number.fetch_add(1, Ordering::AcqRel) + 1;
        self.access.forget();
        let skew = link.clock_skew();
        self.board.edit(&self.cluster.name, |state| {
            state.phase = Phase::Live;
            state.version = version.into();
            state.user = user.clone();
            state.clock_skew = skew;
            true
        });
        Ok(Session { link, number, user })
    }

    /// Asks now and then whether the cluster is there; returns when it is not.
    async fn watch_over(&self, session: &Session) -> Fault {
        loop {
            tokio::select! {
                () = tokio::time::sleep(HEARTBEAT) => {}
                () = self.look.notified() => {}
            }
            let mut answer = beat(&session.link).await;
            if answer.as_ref().is_err_and(|fault| fault.kind == FaultKind::Unreachable) {
                // a connection that was kept open may have ended just now
                answer = beat(&session.link).await;
            }
            match answer {
                Err(fault)
                    if matches!(
                        fault.kind,
                        FaultKind::Unreachable
                            | FaultKind::Unauthorized
                            | FaultKind::Trust
                            | FaultKind::Server
                    ) =>
                {
                    return fault;
                }
                _ => {
                    let skew = session.link.clock_skew();
                    self.board.edit(&self.cluster.name, |state| {
                        let is_other = state.clock_skew.abs_diff(skew) > 1;
                        state.clock_skew = if is_other { skew } else { state.clock_skew };
                        is_other
                    });
                }
            }
        }
    }

    fn set_phase(&self, next: impl FnOnce(&Phase) -> Phase) {
        self.board.edit(&self.cluster.name, |state| {
            let phase = next(&state.phase);
            let is_other = state.phase != phase;
            state.phase = phase;
            is_other
        });
    }

    fn go_down(&self, fault: &Fault, wait: Duration) {
        let now = Timestamp::now();
        let retry = SignedDuration::try_from(wait).ok().and_then(|wait| now.checked_add(wait).ok());
        tracing::info!(cluster = %self.cluster.name, cause = %fault.text, "cluster does not answer");
        self.board.edit(&self.cluster.name, |state| {
            let since = match &state.phase {
                Phase::Down { since, .. } => *since,
                _ => now,
            };
            state.phase = Phase::Down { since, cause: fault.text.clone(), retry };
            make_stale(state, since, &fault.text);
            true
        });
    }
}

/// What was watched is as old as the moment at which the cluster went away.
fn make_stale(state: &mut ClusterState, since: Timestamp, cause: &str) {
    for table in state.tables.values_mut() {
        if matches!(table.watch, Watch::Live | Watch::Partial { .. } | Watch::Loading) {
            table.watch = Watch::Stale { since, cause: cause.to_owned() };
        }
    }
}

/// Returns how long to wait after so many failures; never exactly the same, so that clusters are not all tried
/// at once.
fn wait_after(fault: &Fault, failures: u32) -> Duration {
    let (first, longest) = if fault.needs_a_person() { SLOW_RETRY } else { RETRY };
    let wait = (first * 2_u32.saturating_pow(failures.saturating_sub(1).min(10))).min(longest);
    wait.mul_f64(1.0 + jitter() / 5.0)
}

/// Returns a number from 0 to 1 that differs from call to call.
pub fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher};
    let bits = std::hash::RandomState::new().build_hasher().finish();
    f64::from(bits as u32) / f64::from(u32::MAX)
}

async fn ask_version(link: &Link) -> Result<String, Fault> {
    let text = get(&link.client, "/version", HEARTBEAT_TIMEOUT).await.map_err(|error| match error {
        Some(error) => match link.tell(&error) {
            Fault { kind: FaultKind::NotFound, .. } => not_kubernetes(link),
            fault => fault,
        },
        None => late(link),
    })?;
    let version: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let version = version.get("gitVersion").and_then(serde_json::Value::as_str);
    version.map(clean).ok_or_else(|| not_kubernetes(link))
}

fn not_kubernetes(link: &Link) -> Fault {
    let text = format!("{} answers, but not as a Kubernetes API server: check the address", link.address);
    Fault::new(FaultKind::Server, text)
}

async fn beat(link: &Link) -> Result<(), Fault> {
    ask_version(link).await.map(|_| ())
}

fn late(link: &Link) -> Fault {
    let text = format!("{} does not answer in time: check the network (is a VPN needed?)", link.address);
    Fault::new(FaultKind::Unreachable, text)
}

/// Reads a path as text; `Err(None)` when it takes too long.
pub async fn get(client: &Client, path: &str, limit: Duration) -> Result<String, Option<kube::Error>> {
    let request = Request::get(path).body(Vec::new()).map_err(|error| Some(kube::Error::HttpError(error)))?;
    match tokio::time::timeout(limit, client.request_text(request)).await {
        Ok(answer) => answer.map_err(Some),
        Err(_) => Err(None),
    }
}
