//! Puts the lines of many readers in order of time.
//!
//! Logs that still have a past to tell are waited for, so that a past is in order whatever the speed of its
//! tellers; what is written now is held for a moment, so that a line on a slower way finds its place. A
//! single source waits for nobody. Readers that are ahead wait: nothing is kept beyond a few batches each.

use super::pods::{Problem, ProblemKind};
use super::split::{Lines, NO_TIME, RawLine};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Instant;

/// What is written now is held so long.
const WINDOW: Duration = Duration::from_millis(120);

/// A log with a past that says nothing is waited for so long.
const PATIENCE: Duration = Duration::from_secs(4);

/// Batches of one source that are in the works.
const BATCHES: usize = 24;

/// At least so often is told that something is new, while it is.
const FRAME: Duration = Duration::from_millis(33);

/// What a reader says.
#[derive(Debug)]
pub(super) enum Event {
    /// It begins; its past is awaited.
    Joined,
    /// A response began; the server's clock is so many seconds ahead.
    Opened(i64),
    /// Its past is told.
    CaughtUp,
    /// It cannot read.
    Failed(ProblemKind),
    /// It ends.
    Done,
    /// Some pods cannot be found; `None` when they can again. Of no source.
    Problem(Option<Problem>),
    /// Lines.
    Lines(Lines, OwnedSemaphorePermit),
}

/// Where a reader puts what it has.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    source: u16,
    out: mpsc::UnboundedSender<(u16, Event)>,
    /// One permit per batch: that bounds the channel for each reader by itself.
    free: Arc<Semaphore>,
}

impl Sender {
    /// Creates one for a source.
    pub fn new(source: u16, out: mpsc::UnboundedSender<(u16, Event)>) -> Self {
        let sender = Self { source, out, free: Arc::new(Semaphore::new(BATCHES)) };
        sender.event(Event::Joined);
        sender
    }

    /// Says something.
    pub fn event(&self, event: Event) {
        let _ = self.out.send((self.source, event));
    }

    /// Hands on lines when there is room; returns whether anybody takes them.
    pub async fn send(&self, lines: Lines) -> bool {
        let Ok(permit) = self.free.clone().acquire_owned().await else { return false };
        self.out.send((self.source, Event::Lines(lines, permit))).is_ok()
    }
}

/// Takes lines in their order.
pub(super) trait Sink: Send {
    /// Takes lines of a source; returns whether it wants more.
    fn take(&mut self, source: u16, lines: &Lines, range: Range<usize>) -> bool;

    /// Is told that there is a pause.
    fn flush(&mut self) -> bool;

    /// Is told that a reader failed.
    fn failed(&mut self, kind: ProblemKind);

    /// Is told that some pods cannot be found, or can again.
    fn problem(&mut self, problem: Option<Problem>);
}

struct Batch {
    lines: Lines,
    next: usize,
    arrived: Instant,
    _permit: OwnedSemaphorePermit,
}

#[derive(Default)]
struct Queue {
    batches: VecDeque<Batch>,
    /// It has a past to tell; waited for until then.
    patience: Option<Instant>,
    is_done: bool,
    /// Nanoseconds to take off its times.
    skew: i64,
    /// Order of its head: never less than the one before.
    key: i64,
}

impl Queue {
    fn head(&self) -> Option<(&Batch, &RawLine)> {
        let batch = self.batches.front()?;
        Some((batch, batch.lines.lines.get(batch.next)?))
    }

    fn order(&self, line: &RawLine) -> i64 {
        if line.time == NO_TIME { self.key } else { self.key.max(line.time.saturating_sub(self.skew)) }
    }
}

/// Merges until all senders are gone, or nobody wants more.
pub(super) struct Merge {
    queues: Vec<Queue>,
}

impl Merge {
    /// Creates one without sources.
    pub fn new() -> Self {
        Self { queues: Vec::new() }
    }

    /// Takes what readers say and hands it on in order.
    pub async fn run(&mut self, mut events: mpsc::UnboundedReceiver<(u16, Event)>, sink: &mut dyn Sink) {
        let mut flush_at: Option<Instant> = None;
        loop {
            let (wake, has_taken, is_wanted) = self.hand_on(sink);
            if !is_wanted {
                return;
            }
            if has_taken {
                flush_at.get_or_insert_with(|| Instant::now() + FRAME);
            }
            let next = [wake, flush_at].into_iter().flatten().min();
            let event = match next {
                // what is there already comes first: flushing waits for a pause or a frame
                Some(next) => tokio::select! {
                    biased;
                    event = events.recv() => event,
                    () = tokio::time::sleep_until(next) => {
                        if flush_at.is_some_and(|at| at <= Instant::now()) {
                            flush_at = None;
                            if !sink.flush() {
                                return;
                            }
                        }
                        continue;
                    }
                },
                None => events.recv().await,
            };
            let Some((source, event)) = event else { break };
            self.note(source, event, sink);
            // more that has come: one pass for all of it, within reason
            for _ in 0..64 {
                let Ok((source, event)) = events.try_recv() else { break };
                self.note(source, event, sink);
            }
            if flush_at.is_some_and(|at| at <= Instant::now()) {
                flush_at = None;
                if !sink.flush() {
                    return;
                }
            }
        }
        self.queues.iter_mut().for_each(|queue| {
            queue.is_done = true;
            queue.patience = None;
        });
        self.hand_on(sink);
        sink.flush();
    }

    fn note(&mut self, source: u16, event: Event, sink: &mut dyn Sink) {
        if let Event::Problem(problem) = event {
            return sink.problem(problem);
        }
        let at = usize::from(source);
        if self.queues.len() <= at {
            self.queues.resize_with(at + 1, || Queue { is_done: true, key: i64::MIN, ..Queue::default() });
        }
        let Some(queue) = self.queues.get_mut(at) else { return };
        match event {
            Event::Joined => {
                queue.is_done = false;
                queue.patience = Some(Instant::now() + PATIENCE);
            }
            Event::Opened(skew) => queue.skew = skew.saturating_mul(1_000_000_000),
            Event::CaughtUp => queue.patience = None,
            Event::Failed(kind) => sink.failed(kind),
            Event::Problem(_) => {}
            Event::Done => {
                queue.is_done = true;
                queue.patience = None;
            }
            Event::Lines(lines, permit) => {
                if queue.patience.is_some() {
                    queue.patience = Some(Instant::now() + PATIENCE);
                }
                queue.batches.push_back(Batch { lines, next: 0, arrived: Instant::now(), _permit: permit });
            }
        }
    }

    /// Hands on what is in order; returns when to look again, whether anything was, and whether more is wanted.
    fn hand_on(&mut self, sink: &mut dyn Sink) -> (Option<Instant>, bool, bool) {
        let (mut has_taken, now) = (false, Instant::now());
        loop {
            let mut wake: Option<Instant> = None;
            // the earliest head, and the order of the next one
            let mut best: Option<(usize, i64)> = None;
            let mut second = i64::MAX;
            let mut is_anyone_empty = false;
            for (at, queue) in self.queues.iter().enumerate() {
                let Some((_, line)) = queue.head() else {
                    if queue.is_done {
                        continue;
                    }
                    is_anyone_empty = true;
                    if let Some(patience) = queue.patience.filter(|patience| *patience > now) {
                        wake = Some(wake.map_or(patience, |wake| wake.min(patience)));
                    }
                    continue;
                };
                let order = queue.order(line);
                match best {
                    Some((_, least)) if order >= least => second = second.min(order),
                    _ => {
                        second = best.map_or(second, |(_, least)| least);
                        best = Some((at, order));
                    }
                }
            }
            // somebody has a past to tell
            if wake.is_some() {
                return (wake, has_taken, true);
            }
            let Some((at, _)) = best else { return (None, has_taken, true) };
            let Some(queue) = self.queues.get_mut(at) else { return (None, has_taken, true) };
            let Some(batch) = queue.batches.front_mut() else { return (None, has_taken, true) };
            if is_anyone_empty && batch.arrived + WINDOW > now {
                return (Some(batch.arrived + WINDOW), has_taken, true);
            }
            let start = batch.next;
            let skew = queue.skew;
            let mut key = queue.key;
            for line in batch.lines.lines.get(start..).unwrap_or_default() {
                let order = if line.time == NO_TIME { key } else { key.max(line.time.saturating_sub(skew)) };
                if order > second && batch.next > start {
                    break;
                }
                key = order;
                batch.next += 1;
            }
            queue.key = key;
            has_taken = true;
            let range = start..batch.next;
            let is_wanted = sink.take(at as u16, &batch.lines, range);
            if batch.next >= batch.lines.lines.len() {
                queue.batches.pop_front();
            }
            if !is_wanted {
                return (None, has_taken, false);
            }
        }
    }
}
