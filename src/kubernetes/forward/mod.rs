//! Ports of this machine forwarded to pods, in the background, until they are ended or the program is.
//!
//! A forward listens here; each connection is led to a ready pod of its target. When that pod is replaced, the next
//! connection goes to another one: a service or workload is what is forwarded, not one pod of it.

mod target;

pub use target::ready_pod;

use super::ask::{Fault, Session};
use super::object::ObjectRef;
use super::state::Forward;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use target::{End, find_end};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// How long a connection to a pod may take.
const CONNECT: Duration = Duration::from_secs(20);
/// Connections of one forward at once; others wait.
const MAX_CONNECTIONS: usize = 64;
/// Forwards of a session.
const MAX_FORWARDS: usize = 100;
/// How often counts are published.
const COUNTS: Duration = Duration::from_secs(1);
/// How often a connection is tried with another pod.
const TRIES: usize = 3;

/// Gives a session for a cluster; asked for each connection, since credentials and protection change.
pub type Sessions =
    dyn Fn(Arc<str>) -> Pin<Box<dyn Future<Output = Result<Session, String>> + Send>> + Send + Sync;
/// Told when something changed.
pub type Changed = dyn Fn(Arc<[Forward]>) + Send + Sync;

/// All forwards of a session.
pub struct Forwards {
    sessions: Arc<Sessions>,
    changed: Arc<Changed>,
    entries: Mutex<BTreeMap<u32, Entry>>,
    next: AtomicU32,
}

/// One forward.
struct Entry {
    shown: Forward,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

/// What went through a forward.
#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU32,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Forwards {
    /// Creates none yet.
    pub fn new(sessions: Arc<Sessions>, changed: Arc<Changed>) -> Arc<Self> {
        let (entries, next) = (Mutex::default(), AtomicU32::new(1));
        Arc::new(Self { sessions, changed, entries, next })
    }

    /// Begins to forward a port of this machine; 0 means any free one. Must run inside a runtime.
    ///
    /// # Errors
    /// A sentence: the port is taken, the target has no pod.
    pub async fn begin(
        self: &Arc<Self>,
        target: ObjectRef,
        local: u16,
        remote: u16,
    ) -> Result<String, String> {
        if self.entries().len() >= MAX_FORWARDS {
            return Err(format!("{MAX_FORWARDS} forwards are open already: end some of them"));
        }
        let session = (self.sessions)(target.cluster.clone()).await?;
        if let Some(why) = session.locked() {
            return Err(why);
        }
        // what cannot work is said at once, not at the first connection
        let end = find_end(&session, &target, remote).await?;
        let listener = TcpListener::bind(("127.0.0.1", local)).await.map_err(|error| taken(local, &error))?;
        let local = listener.local_addr().map_or(local, |address| address.port());
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let said = format!(
            "localhost:{local} leads to {} port {remote} in {} (pod `{}`)",
            session.called(&target),
            session.place(&target.namespace),
            end.pod
        );
        let counts = Arc::new(Counts::default());
        let work =
            Work { all: Arc::downgrade(self), id, target: target.clone(), remote, counts: counts.clone() };
        let shown = Forward { id, target, local, remote, connections: 0, bytes: (0, 0), problem: None };
        let task = tokio::spawn(work.listen(listener));
        self.entries().insert(id, Entry { shown, counts, task });
        self.publish();
        Ok(said)
    }

    /// Ends a forward; its connections are cut.
    pub fn end(&self, id: u32) {
        let ended = self.entries().remove(&id);
        if ended.is_some() {
            self.publish();
        }
    }

    /// Returns all forwards in the order they were made.
    pub fn list(&self) -> Arc<[Forward]> {
        self.entries().values().map(Entry::now).collect()
    }

    fn publish(&self) {
        (self.changed)(self.list());
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<u32, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_problem(&self, id: u32, problem: Option<String>) {
        let is_changed = self.entries().get_mut(&id).is_some_and(|entry| {
            let is_changed = entry.shown.problem != problem;
            entry.shown.problem = problem;
            is_changed
        });
        if is_changed {
            self.publish();
        }
    }

    /// Publishes counts that moved since the last time.
    fn publish_counts(&self, id: u32) {
        let is_moved = self.entries().get_mut(&id).is_some_and(|entry| {
            let now = entry.now();
            std::mem::replace(&mut entry.shown, now.clone()) != now
        });
        if is_moved {
            self.publish();
        }
    }
}

impl Entry {
    fn now(&self) -> Forward {
        Forward {
            connections: self.counts.connections.load(Ordering::Relaxed),
            bytes: (self.counts.received.load(Ordering::Relaxed), self.counts.sent.load(Ordering::Relaxed)),
            ..self.shown.clone()
        }
    }
}

fn taken(port: u16, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!(
                "port {port} of this machine is taken by another program: choose another one, or 0 for any"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("port {port} of this machine needs an administrator: choose one above 1023")
        }
        _ => format!("port {port} of this machine cannot be listened on: {error}"),
    }
}

/// What one forward needs while it runs.
#[derive(Clone)]
struct Work {
    /// Not owned: the hub ends the forwards, not the other way round.
    all: std::sync::Weak<Forwards>,
    id: u32,
    target: ObjectRef,
    remote: u16,
    counts: Arc<Counts>,
}

impl Work {
    async fn listen(self, listener: TcpListener) {
        let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        // ended together with the forward
        let mut connections = tokio::task::JoinSet::new();
        let mut counting = tokio::time::interval(COUNTS);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((socket, _)) => {
                        let Ok(permit) = free.clone().acquire_owned().await else { return };
                        self.counts.connections.fetch_add(1, Ordering::Relaxed);
                        let work = self.clone();
                        connections.spawn(async move {
                            work.lead(socket).await;
                            drop(permit);
                        });
                    }
                    // too many open files, for example: it may get better
                    Err(error) => {
                        self.tell(Some(format!("no connection can be taken: {error}")));
                        tokio::time::sleep(COUNTS).await;
                    }
                },
                _ = connections.join_next(), if !connections.is_empty() => {}
                _ = counting.tick() => {
                    let Some(all) = self.all.upgrade() else { return };
                    all.publish_counts(self.id);
                }
            }
        }
    }

    fn tell(&self, problem: Option<String>) {
        if let Some(all) = self.all.upgrade() {
            all.set_problem(self.id, problem);
        }
    }

    /// Leads one connection to a pod; a pod that is gone is replaced by another one before anything was sent.
    async fn lead(&self, socket: TcpStream) {
        let mut problem = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(COUNTS).await;
            }
            match self.connect().await {
                Ok((stream, error)) => {
                    self.tell(None);
                    let copied = self.copy(socket, stream).await;
                    let said = match error {
                        Some(error) => error.await,
                        None => None,
                    };
                    // a program that does not listen is told by the pod, not by the connection
                    let said = said.map(|said| super::ask::short(&said)).filter(|said| !said.is_empty());
                    if let Some(said) = said.or(copied) {
                        self.tell(Some(refused(&said, self.remote)));
                    }
                    return;
                }
                Err(why) => problem = why,
            }
        }
        self.tell(Some(problem));
    }

    async fn connect(
        &self,
    ) -> Result<
        (impl AsyncRead + AsyncWrite + Unpin + use<>, Option<impl Future<Output = Option<String>> + use<>>),
        String,
    > {
        let all = self.all.upgrade().ok_or("the program ends")?;
        let session = (all.sessions)(self.target.cluster.clone()).await?;
        drop(all);
        let End { pod, port } = find_end(&session, &self.target, self.remote).await?;
        let api: Api<Pod> = Api::namespaced(session.client.clone(), &self.target.namespace);
        let ports = [port];
        let connecting = tokio::time::timeout(CONNECT, api.portforward(&pod, &ports)).await;
        let connected = connecting.map_err(|_| format!("pod `{pod}` does not answer"))?;
        let mut forwarder = connected.map_err(|error| {
            let doing = format!("could not forward port {port} of pod `{pod}`");
            let fault = Fault::from_kube(&error);
            session.explain(&fault, &doing, "create", "pods/portforward", &self.target.namespace)
        })?;
        let error = forwarder.take_error(port);
        let stream = forwarder.take_stream(port).ok_or("the server opened no port")?;
        Ok((stream, error))
    }

    /// Copies both ways until both sides are done; returns what went wrong.
    async fn copy(&self, socket: TcpStream, stream: impl AsyncRead + AsyncWrite + Unpin) -> Option<String> {
        let (mut from_here, mut to_here) = tokio::io::split(socket);
        let (mut from_pod, mut to_pod) = tokio::io::split(stream);
        let up = pump(&mut from_here, &mut to_pod, &self.counts.sent);
        let down = pump(&mut from_pod, &mut to_here, &self.counts.received);
        let (up, down) = (std::pin::pin!(up), std::pin::pin!(down));
        // what the pod says ends the connection; what we say may end long before
        let result = match futures_util::future::select(up, down).await {
            futures_util::future::Either::Left((Ok(()), down)) => down.await,
            futures_util::future::Either::Left((Err(error), _)) => Err(error),
            futures_util::future::Either::Right((result, _)) => result,
        };
        // programs cut connections all the time; that is no trouble of the forward
        result.err().filter(|error| error.kind() == io::ErrorKind::Other).map(|error| error.to_string())
    }
}

async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    count: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0_u8; 32 << 10];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..length).unwrap_or_default()).await?;
        to.flush().await?;
        count.fetch_add(length as u64, Ordering::Relaxed);
    }
}

fn refused(said: &str, port: u16) -> String {
    if said.contains("refused") || said.contains("failed to connect") || said.contains("exit status 1") {
        return format!("nothing listens on port {port} in the pod");
    }
    said.to_owned()
}
