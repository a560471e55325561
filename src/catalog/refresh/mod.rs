//! Keeps a catalog fresh while somebody looks at it: schedules, back-off, watched files.
//!
//! Start at [`Refresher::start`]. One thread decides, others read: at most [`AT_ONCE`] sources at a time,
//! each with a way to stop it. What was kept from the last run is reported first, each source takes its
//! place as it comes, and several that come together are joined once. Nothing here is drawn and nothing
//! blocks who asks.

mod folders;
mod schedule;
mod status;
mod watch;

pub use folders::Folders;
pub use status::{Amount, Phase, SourceStatus};
pub use watch::Watcher;

use super::loader::Loader;
use super::progress::{Progress, ProgressEvent};
use super::snapshot::Catalog;
use crate::diagnostic::Diagnostic;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Sources that are read at the same time.
const AT_ONCE: usize = 8;
/// Time between two reports of what sources do, while one is read.
const REPORT: Duration = Duration::from_millis(100);
/// Quiet time after a change of a file: an editor writes in several steps.
const QUIET: Duration = Duration::from_millis(40);
/// Longest wait for that quiet.
const LONGEST_QUIET: Duration = Duration::from_millis(120);
/// Time between two joins while further sources are being read, at least; and times what the last one took.
const JOIN_PAUSE: Duration = Duration::from_millis(200);
const JOIN_SHARE: u32 = 4;
/// How often local files are looked at where the system does not tell of all changes.
const POLL: Duration = Duration::from_secs(10);
/// Time from a new snapshot to its being kept, at first and later; and times what the last keeping took.
const FIRST_SAVE: Duration = Duration::from_millis(300);
const SAVE_PAUSE: Duration = Duration::from_secs(5);
const SAVE_SHARE: u32 = 30;
/// Time that the screen has for itself after the kept snapshot is shown, before anything is read.
const HEAD_START: Duration = Duration::from_millis(60);
/// Part of the time that watched files may cost: after a reading, rest this many times as long.
const WATCH_SHARE: u32 = 3;

/// What a refresher tells.
#[derive(Debug, Clone)]
pub enum Report {
    /// A new snapshot.
    Catalog(Arc<Catalog>),
    /// What the sources do, in the order of their priority.
    Sources(Arc<[SourceStatus]>),
    /// What went wrong with keeping the catalog for the next start.
    Problem(Diagnostic),
}

/// What one can ask of a refresher; sources are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Read every source now, paused ones too.
    RefreshAll,
    /// Look at the files of this machine again, whatever the system tells of them.
    RefreshLocal,
    /// Read one source now.
    Refresh(String),
    /// Stop the schedule of a source, or let it go on.
    Pause(String),
    /// Stop the present reading of a source.
    Cancel(String),
}

/// Refreshes in the background until it is dropped.
#[derive(Debug)]
pub struct Refresher {
    sender: mpsc::Sender<Message>,
    stop: CancellationToken,
}

enum Message {
    Order(Order),
    Progress(ProgressEvent),
    Read { index: usize, is_changed: bool },
    Joined { catalog: Arc<Catalog>, took: Duration },
    Followed { index: usize, folders: Folders, problem: Option<String> },
    Changed(Vec<PathBuf>),
    Saved { problems: Vec<Diagnostic>, took: Duration, catalog: Option<Arc<Catalog>> },
    Stop,
}

impl Refresher {
    /// Starts: reports what is kept from the last run at once, then reads every source.
    pub fn start(loader: Arc<Loader>, report: impl Fn(Report) + Send + Sync + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        let stop = CancellationToken::new();
        let (for_manager, manager_stop) = (sender.clone(), stop.clone());
        let work = move || Manager::new(loader, for_manager, manager_stop, Box::new(report)).run(&receiver);
        // without a thread nothing is refreshed; the sender then has no receiver, and nobody waits for it
        let _ = std::thread::Builder::new().name("devportal-refresh".into()).spawn(work);
        Self { sender, stop }
    }

    /// Asks for something; returns at once.
    pub fn order(&self, order: Order) {
        let _ = self.sender.send(Message::Order(order));
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.stop.cancel();
        let _ = self.sender.send(Message::Stop);
    }
}

/// One source, as the manager sees it.
struct Source {
    status: SourceStatus,
    every: Option<Duration>,
    /// When it is read again.
    due: Option<Instant>,
    /// Stops the present reading.
    running: Option<(CancellationToken, Instant)>,
    /// Asked for again while it was being read.
    is_wanted: bool,
    /// Paths that changed since it was read; an empty list: anything may have.
    changed: Option<Vec<PathBuf>>,
    first_change: Option<Instant>,
    last_change: Instant,
    /// Not read before, however many files change.
    rest_until: Instant,
}

struct Manager {
    loader: Arc<Loader>,
    sender: mpsc::Sender<Message>,
    stop: CancellationToken,
    report: Box<dyn Fn(Report) + Send + Sync>,
    sources: Vec<Source>,
    watcher: Option<Arc<Watcher>>,
    watch_problem: Option<String>,
    /// Folders that each source depends on.
    folders: Vec<Folders>,
    /// Something was read that no snapshot has.
    is_unjoined: bool,
    is_joining: bool,
    joined: Option<(Instant, Duration)>,
    /// When the snapshot is kept for the next start.
    save_at: Option<Instant>,
    /// Not kept again before.
    saved_until: Instant,
    told_problems: usize,
    is_untold: bool,
    told: Instant,
}

impl Manager {
    fn new(
        loader: Arc<Loader>,
        sender: mpsc::Sender<Message>,
        stop: CancellationToken,
        report: Box<dyn Fn(Report) + Send + Sync>,
    ) -> Self {
        let now = Instant::now();
        let sources: Vec<Source> = (0..loader.sources().len())
            .map(|index| {
                let every = loader.every(index);
                let status = SourceStatus {
                    state: loader.state(index),
                    is_watched: every.is_none(),
                    ..SourceStatus::default()
                };
                Source {
                    status,
                    every,
                    due: Some(now),
                    running: None,
                    is_wanted: false,
                    changed: None,
                    first_change: None,
                    last_change: now,
                    rest_until: now,
                }
            })
            .collect();
        let to_self = sender.clone();
        let watcher = if sources.iter().any(|source| source.status.is_watched) {
            Some(Watcher::new(move |paths| drop(to_self.send(Message::Changed(paths)))))
        } else {
            None
        };
        let (watcher, watch_problem) = match watcher {
            Some(Ok(watcher)) => (Some(Arc::new(watcher)), None),
            Some(Err(problem)) => (None, Some(problem)),
            None => (None, None),
        };
        let folders = vec![Folders::default(); sources.len()];
        Self {
            loader,
            sender,
            stop,
            report,
            sources,
            watcher,
            watch_problem,
            folders,
            is_unjoined: true,
            is_joining: false,
            joined: None,
            save_at: None,
            saved_until: now + FIRST_SAVE,
            told_problems: 0,
            is_untold: true,
            told: now,
        }
    }

    /// Shows what is kept from the last run; what is still good of it is read when its time has come.
    fn show_kept(&mut self) {
        let kept = self.loader.cached();
        self.tell_problems(self.loader.cache_problems());
        let Some(catalog) = kept else { return };
        let (now, time) = (Instant::now(), Timestamp::now());
        let is_offline = self.loader.options().offline;
        for (index, source) in self.sources.iter_mut().enumerate() {
            source.status.state = self.loader.state(index);
            source.due = Some(now + HEAD_START);
            let Some(every) = source.every else { continue };
            let age =
                source.status.state.read_at.and_then(|at| Duration::try_from(time.duration_since(at)).ok());
            let is_good = source.status.state.error.is_none();
            if let Some(left) = age.filter(|_| is_good).and_then(|age| every.checked_sub(age)) {
                source.due = Some(now + left);
                source.status.next =
                    SignedDuration::try_from(left).ok().and_then(|left| time.checked_add(left).ok());
            }
            if is_offline && age.is_some() {
                (source.due, source.status.next) = (None, None);
            }
        }
        self.is_unjoined = false;
        (self.report)(Report::Catalog(catalog));
    }

    fn tell_problems(&mut self, problems: Vec<Diagnostic>) {
        let known = std::mem::replace(&mut self.told_problems, problems.len());
        for problem in problems.into_iter().skip(known) {
            (self.report)(Report::Problem(problem));
        }
    }

    /// Keeps the snapshot for the next start, off this thread, once nothing is being read.
    fn save_if_due(&mut self, now: Instant) {
        if self.save_at.is_none_or(|at| at > now) {
            return;
        }
        self.save_at = None;
        let (loader, sender) = (self.loader.clone(), self.sender.clone());
        let work = move || {
            let started = Instant::now();
            loader.save();
            let took = started.elapsed();
            // it is the same, and lies in the file
            let catalog = loader.take_over();
            let _ = sender.send(Message::Saved { problems: loader.cache_problems(), took, catalog });
        };
        // without a thread it is kept the next time
        let _ = std::thread::Builder::new().name("devportal-save".into()).spawn(work);
    }

    fn run(mut self, receiver: &mpsc::Receiver<Message>) {
        self.show_kept();
        loop {
            let now = Instant::now();
            self.start_due(now);
            self.join_if_due(now);
            self.tell_if_due(now);
            self.save_if_due(now);
            let message = match self.next_deadline(now) {
                Some(at) => receiver.recv_timeout(at.saturating_duration_since(now)),
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Order(order) => self.obey(&order),
            Message::Progress(event) => {
                let source = status::source_of(&event).cloned();
                let found = self.sources.iter_mut().find(|s| Some(&s.status.state.name) == source.as_ref());
                if let Some(source) = found.filter(|source| source.running.is_some()) {
                    source.status.note(event);
                    self.is_untold = true;
                }
            }
            Message::Read { index, is_changed } => self.has_read(index, is_changed),
            Message::Joined { catalog, took } => {
                self.is_joining = false;
                self.joined = Some((Instant::now(), took));
                // how many entities each source gave is known only now
                for (source, state) in self.sources.iter_mut().zip(catalog.sources()) {
                    (source.status.state.files, source.status.state.entities) = (state.files, state.entities);
                }
                self.is_untold = true;
                self.save_at = Some(self.saved_until.max(Instant::now()));
                (self.report)(Report::Catalog(catalog));
            }
            Message::Saved { problems, took, catalog } => {
                self.saved_until = Instant::now() + SAVE_PAUSE.max(took * SAVE_SHARE);
                if let Some(catalog) = catalog.filter(|_| !self.is_unjoined && !self.is_joining) {
                    (self.report)(Report::Catalog(catalog));
                }
                self.tell_problems(problems);
            }
            Message::Followed { index, folders, problem } => self.has_followed(index, folders, problem),
            Message::Changed(paths) => self.has_changed(&paths),
            Message::Stop => {}
        }
    }

    fn obey(&mut self, order: &Order) {
        let now = Instant::now();
        for source in &mut self.sources {
            let is_meant = |name: &String| *name == *source.status.state.name;
            match order {
                Order::RefreshAll => source.want(now),
                Order::RefreshLocal if source.status.is_watched => source.want(now),
                Order::Refresh(name) if is_meant(name) => source.want(now),
                Order::Pause(name) if is_meant(name) => {
                    source.status.is_paused = !source.status.is_paused;
                    source.plan(now);
                }
                Order::Cancel(name) if is_meant(name) => {
                    source.is_wanted = false;
                    match &source.running {
                        Some((cancel, _)) => cancel.cancel(),
                        None => source.plan(now),
                    }
                }
                _ => {}
            }
        }
        self.is_untold = true;
    }

    /// Starts what is due, as many at once as may be.
    fn start_due(&mut self, now: Instant) {
        let mut running = self.sources.iter().filter(|source| source.running.is_some()).count();
        for index in 0..self.sources.len() {
            let Some(source) = self.sources.get_mut(index) else { continue };
            if source.running.is_some() || !source.is_due(now) {
                continue;
            }
            if running >= AT_ONCE {
                if source.status.phase != Phase::Queued {
                    source.status.phase = Phase::Queued;
                    self.is_untold = true;
                }
                continue;
            }
            running += 1;
            let cancel = self.stop.child_token();
            source.running = Some((cancel.clone(), now));
            source.status.phase = Phase::Reading;
            let is_whole = source.due.is_some_and(|due| due <= now);
            (source.due, source.status.next, source.first_change) = (None, None, None);
            let changed = source.changed.take().filter(|paths| !is_whole && !paths.is_empty());
            self.is_untold = true;
            self.read(index, cancel, changed);
        }
    }

    fn read(&self, index: usize, cancel: CancellationToken, changed: Option<Vec<PathBuf>>) {
        let (loader, sender, events) = (self.loader.clone(), self.sender.clone(), self.sender.clone());
        let work = move || {
            let progress =
                Progress::new(move |event| drop(events.send(Message::Progress(event)))).cancelled_by(cancel);
            let is_changed = loader.refresh(index, changed.as_deref(), &progress);
            let _ = sender.send(Message::Read { index, is_changed });
        };
        if std::thread::Builder::new().name("devportal-source".into()).spawn(work).is_err() {
            let _ = self.sender.send(Message::Read { index, is_changed: false });
        }
    }

    fn has_read(&mut self, index: usize, is_changed: bool) {
        let now = Instant::now();
        let state = self.loader.state(index);
        let Some(source) = self.sources.get_mut(index) else { return };
        let took = source.running.take().map(|(_, since)| now - since).unwrap_or_default();
        let (files, entities) = (source.status.state.files, source.status.state.entities);
        source.status.state = state;
        (source.status.state.files, source.status.state.entities) = (files, entities);
        source.status.phase = Phase::Idle;
        source.status.failures = match &source.status.state.error {
            None => 0,
            // who stops it does not mean that it failed
            Some(error) if error.code == "source::cancelled" => source.status.failures,
            Some(_) => source.status.failures + 1,
        };
        source.rest_until = now + took * WATCH_SHARE;
        source.plan(now);
        if std::mem::take(&mut source.is_wanted) {
            source.due = Some(now);
        }
        let is_watched = source.status.is_watched;
        let is_changed_widely = is_changed && !self.loader.looked_at_few(index);
        let should_follow =
            is_watched && (is_changed_widely || self.folders.get(index).is_none_or(Folders::is_empty));
        // that it is as good as new counts, too, for what is not watched
        self.is_unjoined |= is_changed || !is_watched;
        self.is_untold = true;
        if should_follow {
            self.follow(index);
        }
    }

    /// Finds out, on a thread of its own, which folders a source depends on.
    fn follow(&mut self, index: usize) {
        if let Some(problem) = &self.watch_problem {
            let problem = problem.clone();
            let _ = self.sender.send(Message::Followed {
                index,
                folders: Folders::default(),
                problem: Some(problem),
            });
            return;
        }
        let (loader, sender) = (self.loader.clone(), self.sender.clone());
        let work = move || {
            let folders = loader.folders(index).into_iter().collect();
            let _ = sender.send(Message::Followed { index, folders, problem: None });
        };
        let _ = std::thread::Builder::new().name("devportal-watch".into()).spawn(work);
    }

    fn has_followed(&mut self, index: usize, folders: Folders, mut problem: Option<String>) {
        if let Some(own) = self.folders.get_mut(index).filter(|own| **own != folders) {
            *own = folders;
            if let Some(watcher) = &self.watcher {
                problem = problem.or(watcher.follow(&Folders::union(&self.folders)).err());
            }
            // what changed after the reading and before now was seen by nobody
            if let Some(source) = self.sources.get_mut(index) {
                source.note_change(None, Instant::now());
            }
        }
        if let Some(source) = self.sources.get_mut(index) {
            source.status.watch_problem = problem;
            source.plan(Instant::now());
            self.is_untold = true;
        }
    }

    fn has_changed(&mut self, paths: &[PathBuf]) {
        let now = Instant::now();
        if paths.is_empty() {
            for source in self.sources.iter_mut().filter(|source| source.status.is_watched) {
                source.note_change(None, now);
            }
        }
        for path in paths.iter().filter(|path| !is_passing(path)) {
            let owned = |folder: &Path| self.folders.iter().any(|own| own.contains(folder));
            let Some(folder) = path.ancestors().find(|folder| owned(folder)) else { continue };
            // a folder that came or went holds files that nobody named
            let is_file = !path.is_dir() && folder != path.as_path();
            for (own, source) in self.folders.iter().zip(&mut self.sources) {
                if own.contains(folder) {
                    source.note_change(is_file.then_some(path), now);
                }
            }
        }
    }

    /// Joins what was read, off this thread: at once when nothing else is being read, else now and then.
    fn join_if_due(&mut self, now: Instant) {
        if self.join_at(now).is_none_or(|at| at > now) {
            return;
        }
        (self.is_joining, self.is_unjoined) = (true, false);
        let (loader, sender) = (self.loader.clone(), self.sender.clone());
        let work = move || {
            let started = Instant::now();
            let catalog = loader.join();
            let _ = sender.send(Message::Joined { catalog, took: started.elapsed() });
        };
        if std::thread::Builder::new().name("devportal-join".into()).spawn(work).is_err() {
            (self.is_joining, self.is_unjoined) = (false, true);
        }
    }

    fn join_at(&self, now: Instant) -> Option<Instant> {
        if self.is_joining || !self.is_unjoined {
            return None;
        }
        if self.sources.iter().all(|source| source.running.is_none()) {
            return Some(now);
        }
        // before the first source is there, there is nothing to join
        let is_something_there = self.sources.iter().any(|source| source.status.state.read_at.is_some());
        let pause = |(at, took): (Instant, Duration)| at + JOIN_PAUSE.max(took * JOIN_SHARE);
        is_something_there.then(|| self.joined.map_or(now, pause))
    }

    fn tell_if_due(&mut self, now: Instant) {
        let is_reading = self.sources.iter().any(|source| source.running.is_some());
        // that all is read is told after the snapshot with it
        let is_early =
            if is_reading { now < self.told + REPORT } else { self.is_unjoined || self.is_joining };
        if !self.is_untold || is_early {
            return;
        }
        (self.is_untold, self.told) = (false, now);
        (self.report)(Report::Sources(self.sources.iter().map(|source| source.status.clone()).collect()));
    }

    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let is_reading = self.sources.iter().any(|source| source.running.is_some());
        let tell = (self.is_untold && is_reading).then_some(self.told + REPORT);
        let join = self.join_at(now);
        // those in line start when another one is done
        let waits = |source: &&Source| source.running.is_none() && source.status.phase != Phase::Queued;
        let due = self.sources.iter().filter(waits).filter_map(Source::due_at);
        due.chain(tell).chain(join).chain(self.save_at).min().map(|at| at.max(now))
    }
}

impl Source {
    /// When it should be read, by its schedule or for its files.
    fn due_at(&self) -> Option<Instant> {
        let for_files = self.first_change.map(|first| {
            let quiet = (self.last_change + QUIET).min(first + LONGEST_QUIET);
            quiet.max(self.rest_until)
        });
        [self.due, for_files].into_iter().flatten().min()
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due_at().is_some_and(|at| at <= now)
    }

    fn want(&mut self, now: Instant) {
        if self.running.is_some() {
            self.is_wanted = true;
        }
        self.due = Some(now);
        self.changed = None;
    }

    fn note_change(&mut self, path: Option<&PathBuf>, now: Instant) {
        if self.status.is_paused {
            return;
        }
        self.first_change.get_or_insert(now);
        self.last_change = now;
        match (path, &mut self.changed) {
            (None, changed) => *changed = Some(Vec::new()),
            (Some(path), None) => self.changed = Some(vec![path.clone()]),
            (Some(_), Some(paths)) if paths.is_empty() => {}
            (Some(path), Some(paths)) => paths.push(path.clone()),
        }
    }

    /// Sets when it is read next by itself.
    fn plan(&mut self, now: Instant) {
        let is_polled = self.status.is_watched && self.status.watch_problem.is_some();
        let failed = self.status.failures > 0;
        let every = match self.every {
            Some(every) => Some(every),
            None if is_polled => Some(POLL),
            // a folder that is not there may come
            None if failed => Some(POLL),
            None => None,
        };
        let wait = every.filter(|_| !self.status.is_paused).map(|every| {
            schedule::wait(every, self.status.failures, schedule::chance(&self.status.state.name))
        });
        self.due = wait.map(|wait| now + wait);
        self.status.next = wait
            .and_then(|wait| SignedDuration::try_from(wait).ok())
            .and_then(|wait| Timestamp::now().checked_add(wait).ok());
    }
}

/// Whether a file is one that editors make for a moment.
fn is_passing(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    name.ends_with('~')
        || name.starts_with(".#")
        || name == "4913"
        || matches!(extension, "swp" | "swx" | "swo" | "tmp" | "lock")
}

#[cfg(test)]
mod tests;
