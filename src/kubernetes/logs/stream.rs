//! The merged stream: written by readers, looked at by the screen, never waited for.

use super::ring::{Chunk, Found, LineView, Ring, Spilled};
use super::spill::{Spill, sweep};
use super::tag;
use super::{Level, Line, LineId, LineKind, LogSource, Query, Request, SourceState, Status};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Minutes of which errors are counted.
const MINUTES: usize = 60;

/// Seconds of a minute.
const MINUTE: i64 = 60;

/// How much of a stream is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Lines in memory.
    pub lines: usize,
    /// Bytes in memory, whatever the number of lines.
    pub bytes: usize,
    /// Bytes on disk.
    pub disk: u64,
}

/// The merged stream of many containers. Dropping it ends the reading.
#[derive(Debug)]
pub struct Stream {
    core: Arc<Core>,
    cancel: CancellationToken,
}

/// What a stream and its readers share.
#[derive(Debug)]
pub(super) struct Core {
    inner: Mutex<Inner>,
    limits: Limits,
    cache: Option<PathBuf>,
    request: watch::Sender<Arc<Request>>,
    tell: OnceLock<Tell>,
}

struct Tell(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Tell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tell")
    }
}

#[derive(Debug)]
struct Inner {
    ring: Ring,
    spill: Option<Arc<Spill>>,
    sources: Vec<LogSource>,
    /// The sources as they were last asked for; none after a change.
    shared: Option<Arc<[LogSource]>>,
    generation: u32,
    is_following: bool,
    problem: Option<String>,
    errors: ErrorCounts,
}

#[derive(Debug, Default)]
struct ErrorCounts {
    /// The minute of the last count.
    newest: i64,
    counts: VecDeque<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { lines: 200_000, bytes: 128 * 1024 * 1024, disk: 512 * 1024 * 1024 }
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self::new(Request::default())
    }
}

impl Stream {
    /// Creates an empty stream that keeps as much as usual and nothing on disk.
    pub fn new(request: Request) -> Self {
        Self::with_limits(request, Limits::default(), None)
    }

    /// Creates an empty stream. Lines that memory does not hold go to a folder below `cache`, made when it is
    /// needed first; without one they are lost.
    pub fn with_limits(request: Request, limits: Limits, cache: Option<PathBuf>) -> Self {
        let inner = Inner {
            ring: Ring::new(limits),
            spill: None,
            sources: Vec::new(),
            shared: None,
            generation: 0,
            is_following: request.is_following,
            problem: None,
            errors: ErrorCounts::default(),
        };
        let core = Core {
            inner: Mutex::new(inner),
            limits,
            cache,
            request: watch::Sender::new(Arc::new(request)),
            tell: OnceLock::new(),
        };
        Self { core: Arc::new(core), cancel: CancellationToken::new() }
    }

    /// Returns whose logs these are, from when.
    pub fn request(&self) -> Arc<Request> {
        self.core.request.borrow().clone()
    }

    /// Starts over with another request: other pods, another time, another tail. Lines so far are forgotten,
    /// their numbers are not used again, [`Status::generation`] counts one up.
    pub fn restart(&self, request: Request) {
        self.core.restart(&request);
        self.core.request.send_replace(Arc::new(request));
    }

    /// Returns how it is now.
    pub fn status(&self) -> Status {
        let mut inner = self.core.lock();
        let Inner { ring, sources, shared, errors, .. } = &mut *inner;
        let sources = shared.get_or_insert_with(|| sources.as_slice().into()).clone();
        Status {
            lines: ring.memory(),
            first: ring.range().start,
            sources,
            lost: ring.lost(),
            spilled: ring.disk(),
            spill_limit: self.core.limits.disk,
            errors_per_minute: errors.counts.iter().copied().collect(),
            generation: inner.generation,
            is_following: inner.is_following,
            problem: inner.problem.clone(),
        }
    }

    /// Returns lines by number; only those that need no reading from disk.
    pub fn lines(&self, ids: Range<LineId>) -> Vec<(LineId, Arc<Line>)> {
        let inner = self.core.lock();
        let mut found = Vec::new();
        found.extend(inner.gap(&ids));
        inner.ring.each(&ids, |id, line| found.push((id, Arc::new(line.to_line()))));
        found
    }

    /// Returns lines by number, those on disk too; on the pool, never on the screen's thread.
    pub fn read(&self, ids: Range<LineId>) -> Vec<(LineId, Arc<Line>)> {
        let mut found = Vec::new();
        found.extend(self.core.lock().gap(&ids));
        self.core.visit(ids, |id, line| {
            found.push((id, Arc::new(line.to_line())));
            true
        });
        found
    }

    /// Returns the numbers of the lines that match, in order, those on disk too; on the pool, never on the
    /// screen's thread.
    pub fn find(&self, query: &Query, ids: Range<LineId>, cancel: &CancellationToken) -> Vec<LineId> {
        let mut found = Vec::new();
        self.core.visit(ids, |id, line| {
            if query.matches_view(&line) {
                found.push(id);
            }
            !cancel.is_cancelled()
        });
        found
    }

    /// Returns the number of the first line that is not older than a time; one past the last when all are.
    /// Reads the disk: not for the screen's thread.
    pub fn first_since(&self, time: Timestamp) -> LineId {
        let range = self.core.lock().ring.range();
        let mut at = range.end;
        self.core.visit(range, |id, line| {
            let is_it = line.time.is_some_and(|found| found >= time);
            if is_it {
                at = id;
            }
            !is_it
        });
        at
    }

    /// Calls for each of these lines in order, until it answers no. For whoever must see all, on the pool.
    pub fn visit(&self, ids: Range<LineId>, mut take: impl FnMut(LineId, &Line) -> bool) {
        self.core.visit(ids, |id, line| take(id, &line.to_line()));
    }

    /// Appends a line.
    #[expect(clippy::needless_pass_by_value, reason = "lines are made to be given away")]
    pub fn push(&self, line: Line) {
        self.core.push_all(std::iter::once(LineView::from(&line)));
    }

    /// Changes the status: sources joined, ended, failed. Numbers of lines and bytes are counted, not set.
    pub fn set_status(&self, change: impl FnOnce(&mut Status)) {
        let mut status = self.status();
        change(&mut status);
        let mut inner = self.core.lock();
        inner.sources = status.sources.to_vec();
        inner.shared = None;
        inner.is_following = status.is_following;
        inner.problem = status.problem;
        inner.errors.counts = status.errors_per_minute.into();
    }

    /// Puts a mark behind the last line, and returns its number.
    pub fn mark(&self, text: &str, time: Timestamp) -> LineId {
        let kind = LineKind::Marker;
        let id = self.core.lock().ring.push(LineView {
            source: 0,
            level: Level::None,
            time: Some(time),
            kind,
            text,
        });
        self.core.advanced();
        id
    }

    /// Has a function called when something is new; only the first one counts. It must return soon.
    pub fn on_advance(&self, tell: impl Fn() + Send + Sync + 'static) {
        let _ = self.core.tell.set(Tell(Box::new(tell)));
    }

    /// Returns what readers write to, and the token that ends them.
    pub(super) fn core(&self) -> (&Arc<Core>, &CancellationToken) {
        (&self.core, &self.cancel)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Core {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells that something is new.
    pub(super) fn advanced(&self) {
        if let Some(Tell(tell)) = self.tell.get() {
            tell();
        }
    }

    /// Returns the request, and tells when it changes.
    pub(super) fn requests(&self) -> watch::Receiver<Arc<Request>> {
        self.request.subscribe()
    }

    fn restart(&self, request: &Request) {
        self.forget();
        let mut inner = self.lock();
        inner.generation += 1;
        inner.is_following = request.is_following;
    }

    /// Forgets lines and sources.
    pub(super) fn forget(&self) {
        let old = {
            let mut inner = self.lock();
            inner.ring.clear();
            inner.sources.clear();
            inner.shared = None;
            inner.problem = None;
            inner.errors = ErrorCounts::default();
            inner.spill.take()
        };
        // removes its files, without the lock
        drop(old);
    }

    /// Appends lines; what memory does not hold is written to disk before this returns.
    pub(super) fn push_all<'a>(&self, lines: impl Iterator<Item = LineView<'a>>) {
        {
            let mut inner = self.lock();
            let inner = &mut *inner;
            for line in lines {
                inner.take(line);
            }
        }
        self.spill();
    }

    fn spill(&self) {
        loop {
            let (chunk, spill) = {
                let mut inner = self.lock();
                let Some(chunk) = inner.ring.overflow() else { return };
                (chunk, inner.spill.clone())
            };
            let spill = spill.or_else(|| self.make_spill());
            let place = spill.as_ref().and_then(|spill| {
                spill.write(&chunk).inspect_err(|error| tracing::warn!(%error, "log lines are lost")).ok()
            });
            let gone = {
                let mut inner = self.lock();
                let gone = inner.ring.settle(&chunk, place);
                if inner.spill.is_none() {
                    inner.spill.clone_from(&spill);
                }
                gone
            };
            for file in gone {
                spill.iter().for_each(|spill| spill.remove(file));
            }
        }
    }

    fn make_spill(&self) -> Option<Arc<Spill>> {
        let cache = self.cache.as_ref().filter(|_| self.limits.disk > 0)?;
        sweep(cache);
        let spill = Spill::create(cache, self.limits.disk);
        spill.inspect_err(|error| tracing::warn!(%error, "log lines cannot go to disk")).ok().map(Arc::new)
    }

    /// Calls for each line that is kept, in order, until it answers no; holds no lock meanwhile.
    pub(super) fn visit(&self, ids: Range<LineId>, mut take: impl FnMut(LineId, LineView<'_>) -> bool) {
        let mut id = ids.start;
        while id < ids.end {
            let found = {
                let inner = self.lock();
                let first = inner.ring.range().start;
                if id < first {
                    id = first;
                    continue;
                }
                inner.ring.chunk(id).map(|found| (found, inner.spill.clone()))
            };
            let chunk = match found {
                Some((Found::Memory(chunk), _)) => Some(chunk),
                Some((Found::Disk(spilled), spill)) => {
                    let chunk = read(spilled, spill.as_deref());
                    if chunk.is_none() {
                        id = spilled.first + u64::from(spilled.count);
                        continue;
                    }
                    chunk
                }
                // the line that stands for lost ones, or past the end
                None if self.lock().ring.range().start == id => {
                    id += 1;
                    continue;
                }
                None => None,
            };
            let Some(chunk) = chunk else { return };
            for (id, line) in chunk.lines(&(id..ids.end)) {
                if !take(id, line) {
                    return;
                }
            }
            id = chunk.end();
        }
    }

    /// Adds a source and returns its number; `None` when there are too many to number.
    pub(super) fn join(&self, source: LogSource) -> Option<u16> {
        let mut inner = self.lock();
        let number = u16::try_from(inner.sources.len()).ok()?;
        inner.sources.push(source);
        inner.shared = None;
        Some(number)
    }

    /// Returns the sources.
    pub(super) fn sources(&self) -> Arc<[LogSource]> {
        let mut inner = self.lock();
        let Inner { sources, shared, .. } = &mut *inner;
        shared.get_or_insert_with(|| sources.as_slice().into()).clone()
    }

    /// Gives the sources short names that nobody else has.
    pub(super) fn retag(&self) {
        let mut inner = self.lock();
        tag::give(&mut inner.sources);
        inner.shared = None;
    }

    /// Says how a source is.
    pub(super) fn set_state(&self, source: u16, state: SourceState) {
        let mut inner = self.lock();
        let Some(found) = inner.sources.get_mut(usize::from(source)) else { return };
        if found.state != state {
            found.state = state;
            inner.shared = None;
        }
    }

    /// Says why there is nothing.
    pub(super) fn set_problem(&self, problem: Option<String>) {
        self.lock().problem = problem;
    }

    /// Says whether new lines are awaited.
    pub(super) fn set_following(&self, is_following: bool) {
        self.lock().is_following = is_following;
    }

    /// Moves the minutes of which errors are counted on.
    pub(super) fn tick(&self, now: Timestamp) {
        self.lock().errors.add(now, 0);
    }
}

fn read(spilled: Spilled, spill: Option<&Spill>) -> Option<Arc<Chunk>> {
    let read = spill?.read(spilled.first, spilled.place);
    Some(Arc::new(read.inspect_err(|error| tracing::warn!(%error, "log lines cannot be read back")).ok()?))
}

impl Inner {
    /// Returns the line that stands for lost ones when it is among these.
    fn gap(&self, ids: &Range<LineId>) -> Option<(LineId, Arc<Line>)> {
        let (id, line) = self.ring.gap().filter(|(id, _)| ids.contains(id))?;
        Some((id, Arc::new(line)))
    }

    fn take(&mut self, line: LineView<'_>) {
        if let (Level::Error, Some(time)) = (line.level, line.time) {
            self.errors.add(time, 1);
        }
        if matches!(line.kind, LineKind::Text { .. })
            && let Some(source) = self.sources.get_mut(usize::from(line.source))
        {
            source.lines += 1;
            self.shared = None;
        }
        self.ring.push(line);
    }
}

impl ErrorCounts {
    fn add(&mut self, time: Timestamp, count: u32) {
        let minute = time.as_second().div_euclid(MINUTE);
        if self.counts.is_empty() {
            self.newest = minute;
            self.counts.push_back(0);
        }
        while self.newest < minute {
            if minute - self.newest > MINUTES as i64 {
                self.counts.clear();
                self.newest = minute - 1;
            }
            self.newest += 1;
            self.counts.push_back(0);
            if self.counts.len() > MINUTES {
                self.counts.pop_front();
            }
        }
        let back = (self.newest - minute) as usize;
        while self.counts.len() <= back.min(MINUTES - 1) {
            self.counts.push_front(0);
        }
        let at = self.counts.len().checked_sub(1 + back);
        if let Some(found) = at.and_then(|at| self.counts.get_mut(at)) {
            *found += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::logs::Save;

    fn line(text: &str) -> Line {
        let kind = LineKind::Text { is_json: text.starts_with('{') };
        let time = Timestamp::from_second(1_700_000_000).ok();
        Line { source: 0, time, level: Level::None, text: text.into(), kind }
    }

    fn texts(lines: &[(LineId, Arc<Line>)]) -> Vec<(LineId, String)> {
        lines.iter().map(|(id, line)| (*id, line.text.to_string())).collect()
    }

    fn filled(limits: Limits, cache: Option<PathBuf>, count: u64) -> Stream {
        let stream = Stream::with_limits(Request::default(), limits, cache);
        (0..count).for_each(|n| stream.push(line(&format!("line {n}"))));
        stream
    }

    const SMALL: Limits = Limits { lines: 5_000, bytes: 10_000_000, disk: 10_000_000 };

    fn query(pattern: &str) -> Query {
        Query { pattern: regex::Regex::new(pattern).ok(), ..Query::default() }
    }

    #[test]
    fn lines_on_disk_are_read_and_found_as_those_in_memory() {
        let cache = tempfile::tempdir().unwrap();
        let stream = filled(SMALL, Some(cache.path().to_owned()), 20_000);
        let status = stream.status();
        assert_eq!((status.first, status.lines.end, status.lost), (0, 20_000, 0));
        assert!(status.lines.start > 14_000 && status.spilled > 0, "{status:?}");
        assert!(stream.lines(10..20).is_empty());
        let read = stream.read(10..12);
        assert_eq!(texts(&read), [(10, "line 10".to_owned()), (11, "line 11".to_owned())]);
        assert_eq!(*read[0].1, line("line 10"));
        assert_eq!(stream.read(0..20_000).len(), 20_000);
        let found = stream.find(&query("^line (5|19999)$"), 0..30_000, &CancellationToken::new());
        assert_eq!(found, [5, 19_999]);
        let mut out = Vec::new();
        let save = Save { ids: 0..20_000, query: Some(query("00$")), is_json: true, has_colours: true };
        assert_eq!(stream.write(&save, &mut out).unwrap(), 199);
        let saved: Vec<serde_json::Value> = serde_json::from_slice(&out).unwrap();
        assert_eq!(saved[0]["text"], "line 100");
        let folder = cache.path().join("logs");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
        drop(stream);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "files go with the stream");
    }

    #[test]
    fn lines_beyond_the_limit_on_disk_are_counted_in_place() {
        let cache = tempfile::tempdir().unwrap();
        let limits = Limits { lines: 2_000, disk: 400_000, ..SMALL };
        let stream = filled(limits, Some(cache.path().to_owned()), 60_000);
        let status = stream.status();
        assert!(status.lost > 0 && status.spilled <= 400_000, "{status:?}");
        assert_eq!(status.first, status.lost - 1);
        let read = stream.read(0..60_000);
        assert_eq!(read[0].1.kind, LineKind::Gap(status.lost));
        assert_eq!(read[1].0, status.lost);
        assert_eq!(read.len() as u64 - 1 + status.lost, 60_000);
    }

    #[test]
    fn without_a_place_on_disk_memory_stays_at_its_limit() {
        let stream = filled(SMALL, None, 20_000);
        let status = stream.status();
        assert_eq!(status.first, status.lines.start - 1);
        assert_eq!(status.lost, status.lines.start);
        assert!(status.lines.end - status.lines.start <= 5_000);
        assert_eq!(stream.lines(status.first..status.first + 2).len(), 2);
    }

    #[test]
    fn long_lines_leave_memory_by_their_bytes() {
        let cache = tempfile::tempdir().unwrap();
        let limits = Limits { bytes: 1_000_000, ..SMALL };
        let stream = Stream::with_limits(Request::default(), limits, Some(cache.path().to_owned()));
        let long = "x".repeat(60_000);
        (0..100).for_each(|_| stream.push(line(&long)));
        let status = stream.status();
        assert!(status.lines.end - status.lines.start < 20, "{status:?}");
        assert!(stream.read(0..100).iter().all(|(_, line)| line.text.len() == 60_000));
    }

    #[test]
    fn a_restart_forgets_lines_and_no_number_comes_twice() {
        let cache = tempfile::tempdir().unwrap();
        let stream = filled(SMALL, Some(cache.path().to_owned()), 20_000);
        stream.restart(Request { is_following: true, ..Request::default() });
        let status = stream.status();
        assert_eq!((status.generation, status.first, status.spilled), (1, 20_000, 0));
        assert!(status.is_following && stream.read(0..30_000).is_empty());
        stream.push(line("new"));
        assert_eq!(texts(&stream.read(0..30_000)), [(20_000, "new".to_owned())]);
        assert!(stream.request().is_following);
    }

    #[test]
    fn what_a_crash_left_is_removed_and_what_lives_is_not() {
        let cache = tempfile::tempdir().unwrap();
        let left = cache.path().join("logs/1-0");
        std::fs::create_dir_all(&left).unwrap();
        std::fs::write(left.join("lock"), "").unwrap();
        let held = cache.path().join("logs/2-0");
        std::fs::create_dir_all(&held).unwrap();
        let lock = std::fs::File::create(held.join("lock")).unwrap();
        lock.try_lock().unwrap();
        sweep(cache.path());
        assert!(!left.exists() && held.exists());
    }

    #[test]
    fn gaps_and_markers_survive_the_way_over_disk() {
        let cache = tempfile::tempdir().unwrap();
        let stream = Stream::with_limits(Request::default(), SMALL, Some(cache.path().to_owned()));
        stream.push(line("ä"));
        stream.push(Line { kind: LineKind::Gap(7), time: None, ..line("cut") });
        stream.mark("here", Timestamp::UNIX_EPOCH);
        (0..20_000).for_each(|n| stream.push(line(&format!("line {n}"))));
        let kinds: Vec<LineKind> = stream.read(0..3).iter().map(|(_, line)| line.kind).collect();
        assert_eq!(kinds, [LineKind::Text { is_json: false }, LineKind::Gap(7), LineKind::Marker]);
        assert_eq!(stream.read(1..2)[0].1.time, None);
    }

    #[test]
    fn errors_are_counted_by_the_minute() {
        let stream = Stream::default();
        let error = |second: i64| {
            let time = Timestamp::from_second(1_700_000_040 + second).ok();
            stream.push(Line { time, level: Level::Error, ..line("x") });
        };
        [0, 1, 70, 190, 10].into_iter().for_each(error);
        assert_eq!(stream.status().errors_per_minute, [3, 1, 0, 1]);
        error(190 + 3600 * 5);
        let counts = stream.status().errors_per_minute;
        assert_eq!((counts.iter().sum::<u32>(), counts.last()), (1, Some(&1)));
        assert!(counts.len() <= MINUTES);
    }
}
