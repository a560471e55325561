//! Starts and ends the readers of a stream as pods come and go.

use super::merge::{Event, Merge, Sender, Sink};
use super::pods::{ContainerView, Members, PodView, Problem, ProblemKind, RunState};
use super::reader::Reader;
use super::ring::LineView;
use super::split::{Lines, NO_TIME, RawKind};
use super::stream::Core;
use super::told::{PodState, Told};
use super::{Level, LineKind, LogSource, Request, SourceState, Stream, level};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use kube::Client;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Longest text of a line on a screen.
pub const SCREEN_LINE: usize = 64 * 1024;

/// Containers that are read at once.
const MOST_READERS: usize = 2_000;

/// The minutes of which errors are counted move on.
const TICK: Duration = Duration::from_secs(20);

/// Where pods and connections come from.
pub trait Ground: Send + Sync + 'static {
    /// Returns the connection to a cluster; or why there is none, in a sentence.
    fn client(&self, cluster: Arc<str>) -> BoxFuture<'_, Result<Client, String>>;

    /// Returns the pods of a request, and tells when they change.
    fn members(&self, request: Arc<Request>) -> watch::Receiver<Arc<Members>>;
}

/// Reads the logs of a stream into it, until the stream is dropped. Runs on the current runtime.
pub fn start(stream: &Stream, ground: Arc<dyn Ground>) {
    let (core, cancel) = stream.core();
    let (core, cancel) = (core.clone(), cancel.clone());
    tokio::spawn(async move {
        let mut requests = core.requests();
        let mut is_again = false;
        loop {
            let request = requests.borrow_and_update().clone();
            if std::mem::replace(&mut is_again, true) {
                // what the readers before put in until they heard of it
                core.forget();
            }
            let run = cancel.child_token();
            let sink = Box::new(Screen { core: core.clone() });
            let running = run_once(core.clone(), request, ground.clone(), sink, SCREEN_LINE, run.clone());
            tokio::pin!(running);
            let mut is_running = true;
            loop {
                tokio::select! {
                    () = cancel.cancelled() => return,
                    changed = requests.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        break;
                    }
                    () = &mut running, if is_running => is_running = false,
                }
            }
        }
    });
}

/// Reads the logs of one request into a sink: until all is read, or for ever when it follows.
pub(super) async fn run_once(
    core: Arc<Core>,
    request: Arc<Request>,
    ground: Arc<dyn Ground>,
    mut sink: Box<dyn Sink>,
    most: usize,
    cancel: CancellationToken,
) {
    let (out, events) = mpsc::unbounded_channel();
    let merge = async {
        Merge::new().run(events, &mut *sink).await;
    };
    let engine = Engine {
        core: core.clone(),
        ground,
        out,
        most,
        readers: JoinSet::new(),
        pods: HashMap::new(),
        is_first: true,
        request,
        problems: HashSet::new(),
        problem: None,
        begun: Timestamp::now(),
    };
    let tick = async {
        loop {
            tokio::time::sleep(TICK).await;
            core.tick(Timestamp::now());
        }
    };
    let work = async {
        let (mut engine, mut merge) = (std::pin::pin!(engine.run()), std::pin::pin!(merge));
        tokio::select! {
            // what is on its way is handed on
            () = &mut engine => merge.await,
            // nobody wants more
            () = &mut merge => {}
        }
    };
    tokio::select! {
        () = cancel.cancelled() => {}
        () = work => {}
        () = tick => {}
    }
}

/// A pod whose containers are read.
struct Joined {
    state: watch::Sender<PodState>,
    /// Containers that have a reader.
    containers: HashSet<Arc<str>>,
}

struct Engine {
    core: Arc<Core>,
    ground: Arc<dyn Ground>,
    request: Arc<Request>,
    out: mpsc::UnboundedSender<(u16, Event)>,
    most: usize,
    readers: JoinSet<()>,
    /// By uid.
    pods: HashMap<Arc<str>, Joined>,
    /// The first complete list is not there yet.
    is_first: bool,
    /// Clusters that were found without a connection.
    problems: HashSet<Arc<str>>,
    /// What was told last.
    problem: Option<Problem>,
    /// Pods that were made later are read from their beginning.
    begun: Timestamp,
}

impl Engine {
    async fn run(mut self) {
        let mut members = self.ground.members(self.request.clone());
        loop {
            let now = members.borrow_and_update().clone();
            self.update(&now).await;
            if now.is_complete {
                self.is_first = false;
                if !self.request.is_following {
                    break;
                }
            }
            tokio::select! {
                changed = members.changed() => if changed.is_err() { break },
                Some(_) = self.readers.join_next() => {}
            }
        }
        // what is being read is read to its end
        while self.readers.join_next().await.is_some() {}
        self.core.set_following(false);
    }

    async fn update(&mut self, members: &Members) {
        if self.problem != members.problem {
            self.problem.clone_from(&members.problem);
            let _ = self.out.send((0, Event::Problem(members.problem.clone())));
        }
        let mut problem = members.problem.as_ref().map(|problem| problem.says.clone());
        let mut starts = Vec::new();
        for pod in &members.pods {
            match self.pods.get(&pod.uid) {
                Some(joined) => {
                    joined.state.send_if_modified(|state| {
                        let is_new = state.view != *pod || state.is_gone;
                        *state = PodState { view: pod.clone(), is_gone: false };
                        is_new
                    });
                }
                None => {
                    let state = watch::Sender::new(PodState { view: pod.clone(), is_gone: false });
                    self.pods.insert(pod.uid.clone(), Joined { state, containers: HashSet::new() });
                }
            }
            match self.join(pod).await {
                Ok(found) => starts.extend(found),
                Err(says) => problem = problem.or(Some(says)),
            }
        }
        // all are known before the first speaks: that puts the past of all in order
        if !starts.is_empty() {
            self.core.retag();
        }
        for start in starts {
            self.readers.spawn(start.run());
        }
        let there: HashSet<&Arc<str>> = members.pods.iter().map(|pod| &pod.uid).collect();
        for (_, joined) in self.pods.iter().filter(|(uid, _)| members.is_complete && !there.contains(uid)) {
            joined.state.send_if_modified(|state| !std::mem::replace(&mut state.is_gone, true));
        }
        if members.is_complete {
            self.pods.retain(|uid, _| there.contains(uid));
        }
        if problem.is_none() && members.is_complete && self.pods.is_empty() && self.is_first {
            problem = Some("there are no pods".to_owned());
        }
        self.core.set_problem(problem);
    }

    /// Joins the containers of a pod that have no reader; returns the readers, which do not run yet.
    async fn join(&mut self, pod: &Arc<PodView>) -> Result<Vec<Start>, String> {
        let Some(joined) = self.pods.get(&pod.uid) else { return Ok(Vec::new()) };
        let is_wanted = |container: &&ContainerView| {
            let names = &self.request.containers;
            (names.is_empty() || names.iter().any(|name| **name == *container.name))
                && !joined.containers.contains(&container.name)
        };
        let wanted: Vec<&ContainerView> = pod.containers.iter().filter(is_wanted).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let client = match self.ground.client(pod.at.cluster.clone()).await {
            Ok(client) => client,
            Err(says) => {
                if self.problems.insert(pod.at.cluster.clone()) {
                    let _ = self.out.send((0, Event::Failed(ProblemKind::Unreachable)));
                }
                return Err(says);
            }
        };
        let is_new = pod.created.is_some_and(|created| created > self.begun);
        let is_joining = (!self.is_first || is_new) && joined.containers.is_empty();
        let mut started = Vec::new();
        let Some(joined) = self.pods.get_mut(&pod.uid) else { return Ok(Vec::new()) };
        for (at, container) in wanted.into_iter().enumerate() {
            if self.readers.len() + started.len() >= MOST_READERS {
                return Err(format!(
                    "there are more than {MOST_READERS} containers: the others are not read"
                ));
            }
            let source = LogSource {
                tag: "".into(),
                pod: pod.at.clone(),
                container: container.name.clone(),
                is_previous: self.request.is_previous,
                state: match &container.state {
                    RunState::Waiting(why) if !container.has_started() => SourceState::Waiting(why.clone()),
                    _ => SourceState::Opening,
                },
                lines: 0,
            };
            let Some(number) = self.core.join(source) else {
                return Err("too many containers came and went: open the logs anew".to_owned());
            };
            joined.containers.insert(container.name.clone());
            let reader = Reader {
                core: self.core.clone(),
                client: client.clone(),
                request: self.request.clone(),
                source: number,
                container: container.name.clone(),
                pod: Told::new(joined.state.subscribe(), container.name.clone()),
                out: Sender::new(number, self.out.clone()),
                most: self.most,
                is_first: !is_new,
                ground: self.ground.clone(),
            };
            let note = (is_joining && at == 0).then(|| format!("pod {} joined", pod.at.name));
            started.push(Start { reader, note });
        }
        Ok(started)
    }
}

/// A reader that is to run, and what is said before its first line.
struct Start {
    reader: Reader,
    note: Option<String>,
}

impl Start {
    async fn run(self) {
        if let Some(note) = self.note {
            let mut lines = Lines::default();
            let now = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(NO_TIME);
            lines.push(now, RawKind::Note, note.as_bytes());
            self.reader.out.send(lines).await;
        }
        self.reader.run().await;
    }
}

/// Puts lines into the ring of a stream.
struct Screen {
    core: Arc<Core>,
}

impl Sink for Screen {
    fn take(&mut self, source: u16, lines: &Lines, range: Range<usize>) -> bool {
        let taken = lines.lines.get(range).unwrap_or_default();
        let texts: Vec<_> = taken.iter().map(|line| String::from_utf8_lossy(lines.bytes(line))).collect();
        let views = taken.iter().zip(&texts).map(|(line, text)| view(source, line.time, line.kind, text));
        self.core.push_all(views);
        true
    }

    fn flush(&mut self) -> bool {
        self.core.advanced();
        true
    }

    fn failed(&mut self, _kind: ProblemKind) {}

    fn problem(&mut self, _problem: Option<Problem>) {}
}

/// Looks at a line as the stream keeps it.
pub(super) fn view(source: u16, time: i64, kind: RawKind, text: &str) -> LineView<'_> {
    let time = (time != NO_TIME).then(|| Timestamp::from_nanosecond(time.into()).ok()).flatten();
    match kind {
        RawKind::Text => {
            let text = text.strip_suffix('\r').unwrap_or(text);
            let is_json = level::is_json(text);
            let level = level::level(text, is_json);
            LineView { source, level, time, kind: LineKind::Text { is_json }, text }
        }
        RawKind::Note => LineView { source, level: Level::None, time, kind: LineKind::Note, text },
        RawKind::Gap(count) => {
            LineView { source, level: Level::None, time, kind: LineKind::Gap(count), text }
        }
    }
}
