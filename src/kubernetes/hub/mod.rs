//! What runs behind the screen: connections, watches, metrics, forwards.
//!
//! A [`Hub`] owns a runtime of its own, made by the first order and ended when it is dropped. For each cluster a
//! [`keeper::Keeper`] keeps the connection; for each kind of each cluster a [`super::watch::Watcher`] keeps the
//! objects; all write into the [`board::Board`], which publishes. Nobody waits for anybody.

pub mod board;
pub mod keeper;
mod logs;
pub mod shared;
mod verdicts;

pub use shared::Settings;

use super::ask;
use super::cluster::Cluster;
use super::clusters;
use super::exec::shell::{Console, shell};
use super::forward::Forwards;
use super::health::Book;
use super::kind::{self, Kind};
use super::logs::{Request, Stream};
use super::metrics::Poller;
use super::object::ObjectRef;
use super::order::{Answer, Order, Question};
use super::starting::Asker;
use super::state::State;
use super::watch::Watcher;
use crate::catalog::Catalog;
use crate::config::source::SourceConfig;
use board::Board;
use jiff::{SignedDuration, Timestamp};
use keeper::{Keeper, Session};
use shared::Shared;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::task::AbortHandle;

/// What the hub has to say; called from its own threads, never from the caller's.
#[derive(Debug, Clone)]
pub enum Report {
    /// The state changed. At most 30 a second.
    State(Arc<State>),
    /// A log stream has new lines. At most 30 a second.
    Logs,
    /// Something asked for is done, in a sentence.
    Done(String),
    /// Something asked for failed: what, why and what to do.
    Failed(String),
}

/// Takes reports, from any thread.
pub type Tell = dyn Fn(Report) + Send + Sync;

/// Finds the clusters, once, in the background.
pub type Find = dyn FnOnce() -> Vec<Cluster> + Send;

/// How long the protection of an environment stays lifted.
const UNLOCKED: Duration = Duration::from_secs(15 * 60);
/// How long to wait before a backend that did not answer is asked again for its clusters.
const ASK_BACKEND_AGAIN: Duration = Duration::from_secs(120);
/// How long the clusters may take to be found before a question fails.
const FIND_TIMEOUT: Duration = Duration::from_secs(10);

/// Owner of everything that runs for Kubernetes; it ends when this is dropped.
pub struct Hub {
    inner: Arc<Inner>,
    runtime: OnceLock<Option<Runtime>>,
}

/// What the hub and its tasks share.
struct Inner {
    shared: Arc<Shared>,
    tell: Arc<Tell>,
    find: Mutex<Option<Box<Find>>>,
    /// Whether the clusters are found.
    is_found: tokio::sync::watch::Sender<bool>,
    running: Mutex<Running>,
    forwards: OnceLock<Arc<Forwards>>,
}

/// What runs.
#[derive(Default)]
struct Running {
    keepers: BTreeMap<Arc<str>, Arc<Keeper>>,
    /// Kinds that are asked for; none before the first catalog.
    kinds: BTreeSet<Kind>,
    /// What ends a cluster's work when it is taken away.
    work: BTreeMap<Arc<str>, Work>,
    /// Names of the clusters that the catalog brings.
    of_catalog: BTreeSet<Arc<str>>,
}

/// What runs for one cluster.
#[derive(Default)]
struct Work {
    watched: BTreeSet<Kind>,
    is_measured: bool,
    /// Pods that do not start are asked for.
    is_asked: bool,
    tasks: Vec<AbortHandle>,
}

impl Hub {
    /// Takes the clusters; connects to nothing before an order asks for it.
    pub fn new(clusters: Vec<Cluster>, tell: Arc<Tell>) -> Self {
        let hub = Self::with(Settings::default(), Box::new(Vec::new), tell);
        hub.inner.find.lock().unwrap_or_else(PoisonError::into_inner).take();
        hub.inner.add(clusters);
        hub.inner.shared.board.publish_quietly();
        hub
    }

    /// Takes a way to find the clusters; finds and connects to nothing before an order asks for it.
    pub fn with(settings: Settings, find: Box<Find>, tell: Arc<Tell>) -> Self {
        let board = Arc::new(Board::new(tell.clone()));
        board.edit_rest(|state| {
            state.custom = settings.custom.clone().into();
            state.locator = settings.locator;
            true
        });
        board.publish_quietly();
        let inner = Inner {
            shared: Arc::new(Shared::new(board, settings)),
            tell,
            find: Mutex::new(Some(find)),
            is_found: tokio::sync::watch::Sender::new(false),
            running: Mutex::default(),
            forwards: OnceLock::new(),
        };
        Self { inner: Arc::new(inner), runtime: OnceLock::new() }
    }

    /// Takes an order; returns at once.
    pub fn order(&self, order: Order) {
        let Some(runtime) = self.handle() else {
            return (self.inner.tell)(Report::Failed("no threads are left for the clusters".to_owned()));
        };
        let inner = self.inner.clone();
        match order {
            Order::Catalog(catalog) => {
                inner.clone().take_clusters_of(catalog.clone(), &runtime);
                inner.shared.catalog.send_replace(Some(catalog));
                let basic = kind::ALL.iter().filter(|row| row.is_basic).map(|row| row.kind);
                inner.want(basic, &runtime);
            }
            Order::Watch(kinds) => inner.want(kinds, &runtime),
            Order::Connect(name) => inner.connect(name.as_deref(), &runtime),
            Order::Unlock { environment, is_unlocked } => inner.unlock(environment, is_unlocked, &runtime),
            Order::Forward { target, local, remote } => {
                let forwards = inner.forwards(&runtime);
                runtime.spawn(async move {
                    let report = match forwards.begin(target, local, remote).await {
                        Ok(said) => Report::Done(said),
                        Err(why) => Report::Failed(why),
                    };
                    (inner.tell)(report);
                });
            }
            Order::EndForward(id) => {
                let forwards = inner.forwards(&runtime);
                runtime.spawn(async move { forwards.end(id) });
            }
        }
    }

    /// Returns what is known now.
    pub fn state(&self) -> Arc<State> {
        self.inner.shared.board.state()
    }

    /// Returns the threads on which everything runs; `None` when the system has none left.
    pub fn handle(&self) -> Option<Handle> {
        let runtime = self.runtime.get_or_init(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("devportal-k8s")
                .enable_all()
                .build()
                .inspect_err(|error| tracing::error!(%error, "no runtime for the clusters"))
                .ok()?;
            self.inner.begin(runtime.handle());
            Some(runtime)
        });
        runtime.as_ref().map(|runtime| runtime.handle().clone())
    }

    /// Runs something on the hub's threads and waits for it. Not for the screen's thread.
    ///
    /// # Errors
    /// When the system has no threads left.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> Result<T, String> {
        let handle = self.handle().ok_or("no threads are left for the clusters")?;
        Ok(handle.block_on(work))
    }

    /// Returns the connection to a cluster; connects when that was not done yet.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    pub async fn session(&self, cluster: &str) -> Result<Session, String> {
        let handle = self.handle().ok_or("no threads are left for the clusters")?;
        self.inner.session(cluster, &handle).await
    }

    /// Returns a client for a cluster; connects when that was not done yet.
    ///
    /// # Errors
    /// Why there is none, in a sentence.
    pub async fn client(&self, cluster: &str) -> Result<kube::Client, String> {
        Ok(self.session(cluster).await?.link.client)
    }

    /// Asks a cluster; blocks until it answers.
    ///
    /// # Errors
    /// What failed, why and what to do, in a sentence.
    pub fn ask(&self, question: &Question) -> Result<Answer, String> {
        self.block_on(async {
            let mut sessions = Vec::new();
            for cluster in ask::clusters(question) {
                let session = self.for_question(&cluster).await;
                sessions.push((cluster, session));
            }
            ask::answer_all(&sessions, question).await
        })?
    }

    async fn for_question(&self, cluster: &str) -> Result<ask::Session, String> {
        let handle = self.handle().ok_or("no threads are left for the clusters")?;
        self.inner.for_question(cluster, &handle).await
    }

    /// Hands this process's terminal to a command in a container; blocks until it ends, returns its exit code.
    /// An empty command means the best shell that is there.
    ///
    /// # Errors
    /// What failed, why and what to do, in a sentence.
    pub fn shell(
        &self,
        pod: &ObjectRef,
        container: Option<&str>,
        command: &[String],
        console: Console,
    ) -> Result<i32, String> {
        let handle = self.handle().ok_or("no threads are left for the clusters")?;
        let (inner, pod) = (self.inner.clone(), pod.clone());
        let (container, command) = (container.map(str::to_owned), command.to_vec());
        // the caller is a thread of another runtime, which may not wait for this one as tasks do
        let (sender, receiver) = std::sync::mpsc::channel();
        handle.clone().spawn(async move {
            let result = match inner.for_question(&pod.cluster, &handle).await {
                Ok(session) => shell(&session, &pod, container.as_deref(), &command, console).await,
                Err(why) => Err(why),
            };
            drop(sender.send(result));
        });
        receiver.recv().unwrap_or_else(|_| Err("the shell ended without a word".to_owned()))
    }

    /// Opens the logs that a request names; returns at once, lines follow.
    pub fn logs(&self, request: Request) -> Arc<Stream> {
        let Settings { log_limits, log_cache, .. } = &self.inner.shared.settings;
        let stream = Stream::with_limits(request, *log_limits, log_cache.clone());
        let tell = self.inner.tell.clone();
        stream.on_advance(move || tell(Report::Logs));
        match self.handle() {
            Some(runtime) => {
                let ground = logs::LogGround { inner: self.inner.clone(), runtime: runtime.clone() };
                let _entered = runtime.enter();
                super::logs::start(&stream, Arc::new(ground));
            }
            None => stream.set_status(|status| {
                status.problem = Some("no threads are left for the clusters".to_owned());
            }),
        }
        Arc::new(stream)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(Some(runtime)) = self.runtime.take() {
            // whatever runs must not hold up the end of the program
            runtime.shutdown_background();
        }
    }
}

impl Inner {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what always runs: publishing, and finding the clusters.
    fn begin(self: &Arc<Self>, runtime: &Handle) {
        let board = self.shared.board.clone();
        runtime.spawn(async move { board.run().await });
        runtime.spawn(verdicts::run(self.shared.clone(), Book::default()));
        let find = self.find.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(find) = find else {
            self.is_found.send_replace(true);
            return;
        };
        let (inner, handle) = (self.clone(), runtime.clone());
        runtime.spawn_blocking(move || {
            inner.add(find());
            inner.start(&handle);
            inner.is_found.send_replace(true);
        });
        for source in self.shared.settings.wanted.sources.iter().filter(|source| source.kind == "backstage") {
            let (inner, handle, source) = (self.clone(), runtime.clone(), source.clone());
            runtime.spawn(async move { inner.take_clusters_behind(&source, &handle).await });
        }
    }

    /// Adds clusters whose names are not taken; returns the names.
    fn add(&self, clusters: Vec<Cluster>) -> BTreeSet<Arc<str>> {
        let mut running = self.running();
        let mut added = BTreeSet::new();
        for cluster in clusters {
            if running.keepers.contains_key(&cluster.name) {
                continue;
            }
            let cluster = Arc::new(cluster);
            self.shared.board.add_cluster(&cluster);
            let keeper = Keeper::new(cluster.clone(), self.shared.board.clone());
            running.keepers.insert(cluster.name.clone(), Arc::new(keeper));
            added.insert(cluster.name.clone());
        }
        added
    }

    /// Takes a cluster away, and ends what runs for it.
    fn remove(&self, name: &str) {
        let mut running = self.running();
        running.keepers.remove(name);
        for task in running.work.remove(name).into_iter().flat_map(|work| work.tasks) {
            task.abort();
        }
        self.shared.board.remove_cluster(name);
    }

    /// Follows the clusters that a catalog describes.
    fn take_clusters_of(self: Arc<Self>, catalog: Arc<Catalog>, runtime: &Handle) {
        let handle = runtime.clone();
        runtime.spawn(async move {
            // contexts and configured clusters come first, they take the names
            let mut is_found = self.is_found.subscribe();
            if is_found.wait_for(|is_found| *is_found).await.is_err() {
                return;
            }
            let found = tokio::task::spawn_blocking(move || clusters::entities::of_catalog(&catalog)).await;
            let mut found = found.unwrap_or_default();
            self.shared.settings.wanted.complete(&mut found);
            let is_same = |known: &Cluster, new: &Cluster| {
                known.name == new.name
                    && known.origin == new.origin
                    && format!("{:?}", known.connection) == format!("{:?}", new.connection)
            };
            let gone: Vec<Arc<str>> = {
                let running = self.running();
                let of_catalog = running.of_catalog.iter().filter_map(|name| running.keepers.get(name));
                let gone = of_catalog.filter(|keeper| !found.iter().any(|new| is_same(&keeper.cluster, new)));
                gone.map(|keeper| keeper.cluster.name.clone()).collect()
            };
            for name in &gone {
                self.remove(name);
            }
            let added = self.add(found);
            let mut running = self.running();
            running.of_catalog.retain(|name| !gone.contains(name));
            running.of_catalog.extend(added);
            drop(running);
            self.start(&handle);
        });
    }

    /// Asks a backend for the clusters behind it, until it answers.
    async fn take_clusters_behind(&self, source: &SourceConfig, runtime: &Handle) {
        let mut is_found = self.is_found.subscribe();
        if is_found.wait_for(|is_found| *is_found).await.is_err() {
            return;
        }
        loop {
            match clusters::backends::of_backend(source).await {
                Ok(mut found) => {
                    self.shared.settings.wanted.complete(&mut found);
                    self.add(found);
                    return self.start(runtime);
                }
                Err(cause) => tracing::info!(source = source.name, cause, "no clusters of this backend"),
            }
            tokio::time::sleep(ASK_BACKEND_AGAIN).await;
        }
    }

    /// Watches kinds everywhere, from now on.
    fn want(&self, kinds: impl IntoIterator<Item = Kind>, runtime: &Handle) {
        self.running().kinds.extend(kinds);
        self.start(runtime);
    }

    /// Starts what is wanted and does not run yet.
    fn start(&self, runtime: &Handle) {
        let mut running = self.running();
        let running = &mut *running;
        if running.kinds.is_empty() {
            return;
        }
        for (name, keeper) in &running.keepers {
            if keeper.cluster.connection.is_err() {
                continue;
            }
            let work = running.work.entry(name.clone()).or_default();
            work.tasks.extend(keeper.start(runtime));
            if !keeper.cluster.skip_metrics && !std::mem::replace(&mut work.is_measured, true) {
                let poller = Poller { shared: self.shared.clone(), keeper: keeper.clone() };
                work.tasks.push(runtime.spawn(poller.run()).abort_handle());
            }
            if !std::mem::replace(&mut work.is_asked, true) {
                let asker = Asker { shared: self.shared.clone(), keeper: keeper.clone() };
                work.tasks.push(runtime.spawn(asker.run()).abort_handle());
            }
            for kind in &running.kinds {
                if work.watched.insert(*kind) {
                    let watcher = Watcher::new(self.shared.clone(), keeper.clone(), *kind);
                    work.tasks.push(runtime.spawn(Arc::new(watcher).run()).abort_handle());
                }
            }
        }
    }

    /// Starts to keep the connection to a cluster.
    fn keep(&self, keeper: &Arc<Keeper>, runtime: &Handle) {
        let task = keeper.start(runtime);
        self.running().work.entry(keeper.cluster.name.clone()).or_default().tasks.extend(task);
    }

    /// Tries one cluster now, or all.
    fn connect(&self, name: Option<&str>, runtime: &Handle) {
        let keepers: Vec<Arc<Keeper>> = self.running().keepers.values().cloned().collect();
        for keeper in keepers.iter().filter(|keeper| name.is_none_or(|name| *name == *keeper.cluster.name)) {
            self.keep(keeper, runtime);
            keeper.look();
        }
    }

    async fn session(&self, cluster: &str, runtime: &Handle) -> Result<Session, String> {
        let mut is_found = self.is_found.subscribe();
        // what is borrowed from the channel is let go of before anything else is awaited
        let found = async { is_found.wait_for(|is_found| *is_found).await.is_ok() };
        if tokio::time::timeout(FIND_TIMEOUT, found).await.is_err() {
            return Err("the clusters are still being looked for".to_owned());
        }
        let keeper = self.running().keepers.get(cluster).cloned();
        let keeper = keeper.ok_or_else(|| format!("there is no cluster `{cluster}`"))?;
        self.keep(&keeper, runtime);
        keeper.session().await
    }

    /// Returns a cluster as one question sees it; connects when that was not done yet.
    async fn for_question(&self, cluster: &str, runtime: &Handle) -> Result<ask::Session, String> {
        let session = self.session(cluster, runtime).await?;
        let keeper = self.running().keepers.get(cluster).cloned();
        let keeper = keeper.ok_or_else(|| format!("there is no cluster `{cluster}`"))?;
        let cluster = keeper.cluster.clone();
        let (now, state) = (Timestamp::now(), self.shared.board.state());
        let is_unlocked = state.unlocked.iter().any(|(name, until)| name == cluster.lock() && now < *until);
        let custom = state.custom.clone();
        Ok(ask::Session {
            client: session.link.client,
            cluster,
            custom,
            user: session.user,
            access: keeper.access.clone(),
            is_unlocked,
            now,
            progress: {
                let tell = self.tell.clone();
                ask::Progress::new(move |words| tell(Report::Done(words)))
            },
        })
    }

    /// Returns the forwards; made by the first one.
    fn forwards(self: &Arc<Self>, runtime: &Handle) -> Arc<Forwards> {
        let made = || {
            // the forwards must not keep alive what ends them
            let (inner, runtime) = (Arc::downgrade(self), runtime.clone());
            let sessions = move |cluster: Arc<str>| {
                let (inner, runtime) = (inner.clone(), runtime.clone());
                let work = async move {
                    let inner = inner.upgrade().ok_or("the program ends")?;
                    inner.for_question(&cluster, &runtime).await
                };
                Box::pin(work) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
            };
            let board = self.shared.board.clone();
            let changed = move |forwards| {
                board.edit_rest(|state| {
                    state.forwards = forwards;
                    true
                });
            };
            Forwards::new(Arc::new(sessions), Arc::new(changed))
        };
        self.forwards.get_or_init(made).clone()
    }

    /// Lifts the protection of an environment for a while, or puts it back.
    fn unlock(self: Arc<Self>, environment: Arc<str>, is_unlocked: bool, runtime: &Handle) {
        let time = SignedDuration::try_from(UNLOCKED).ok();
        let until = time.and_then(|time| Timestamp::now().checked_add(time).ok());
        self.shared.board.edit_rest(|state| {
            let others = state.unlocked.iter().filter(|(name, _)| *name != environment).cloned();
            let this = until.filter(|_| is_unlocked).map(|until| (environment.clone(), until));
            state.unlocked = others.chain(this).collect();
            true
        });
        if let (true, Some(until)) = (is_unlocked, until) {
            runtime.spawn(async move {
                tokio::time::sleep(UNLOCKED).await;
                self.shared.board.edit_rest(|state| {
                    let is_over = |entry: &(Arc<str>, Timestamp)| entry.0 == environment && entry.1 <= until;
                    let kept: Arc<[_]> =
                        state.unlocked.iter().filter(|entry| !is_over(entry)).cloned().collect();
                    let is_other = kept.len() != state.unlocked.len();
                    state.unlocked = kept;
                    is_other
                });
            });
        }
    }
}
