//! Reads the log of one container from its beginning to its end, whatever happens on the way.
//!
//! A stream that breaks goes on where it stopped; a container that is started again goes on with its next
//! instance, after the rest of the one before; one that has not started is waited for. The reader hands on
//! lines in the order of the log and says what happened between them.

use super::engine::Ground;
use super::merge::{Event, Sender};
use super::pods::{ContainerView, PodView, ProblemKind, RunState};
use super::recent::{Known, Recent};
use super::request::{Ask, Open, Refusal};
use super::split::{Lines, NO_TIME, RawKind, RawLine, Splitter};
use super::stream::Core;
use super::told::Told;
use super::{Request, SourceState};
use futures_util::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// Pauses before it is tried again; the last one repeats.
const PAUSES: [u64; 7] = [200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];

/// A log that said nothing for so long has said all it had to say so far.
const QUIET: Duration = Duration::from_millis(250);

/// A log that said nothing for so long is asked for its last line: the connection may be dead.
const DOUBT: Duration = Duration::from_secs(60);

/// An answer to that is awaited so long.
const PATIENCE: Duration = Duration::from_secs(15);

/// A pod that is gone may finish what it says.
const FAREWELL: Duration = Duration::from_secs(5);

/// Tries of a request that does not follow.
const TRIES: usize = 6;

/// Tries to read the rest of an instance that ended.
const TRIES_BEFORE: usize = 3;

/// A note about reconnecting that missed nothing comes at most so often.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// A connection that held so long worked.
const STEADY: Duration = Duration::from_millis(500);

/// Lines in a batch.
const BATCH_LINES: usize = 512;

/// What a reader needs.
pub(super) struct Reader {
    pub core: Arc<Core>,
    pub client: Client,
    pub request: Arc<Request>,
    pub source: u16,
    pub container: Arc<str>,
    pub pod: Told,
    pub out: Sender,
    /// Longest text of a line.
    pub most: usize,
    /// It was there when the reading began: neither joined nor restarted meanwhile.
    pub is_first: bool,
    /// Gives another connection when this one does not work any more.
    pub ground: Arc<dyn Ground>,
}

/// How a response ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// The server closed it in good order.
    Whole,
    /// It broke.
    Broken(String),
    /// Nobody listens any more.
    Unheard,
    /// It is of another instance than the one that was read.
    Replaced,
}

/// The last line of a log; times in nanoseconds.
struct Last {
    time: i64,
    text: Vec<u8>,
    /// How far the server's clock is ahead.
    skew: i64,
}

fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(NO_TIME)
}

struct State {
    recent: Recent,
    splitter: Splitter,
    /// When the first response began, by the server's clock.
    begun: Option<Timestamp>,
    tries: usize,
    /// Reconnects that missed nothing and were not told.
    untold: u32,
    told: Option<Instant>,
    /// When the last response began.
    opened: Option<Instant>,
    /// Why the last response ended; told with the next.
    broken: Option<String>,
    last_time: i64,
    /// Restarts of the instance that is read.
    restarts: Option<u32>,
    /// It ended, and was read to its end.
    is_read_out: bool,
    /// It began while we read: nothing of it is left out.
    is_next: bool,
    /// What the server said last instead of a log.
    word: Vec<u8>,
}

impl State {
    /// Forgets failures before a connection that held.
    fn rest(&mut self) {
        if self.opened.take().is_some_and(|opened| opened.elapsed() > STEADY) {
            self.tries = 0;
        }
    }
}

impl Reader {
    /// Reads until the end; how that came about is in the state of the source.
    pub async fn run(mut self) {
        let state = State {
            recent: Recent::default(),
            splitter: Splitter::new(self.most),
            begun: None,
            tries: 0,
            untold: 0,
            told: None,
            opened: None,
            broken: None,
            last_time: NO_TIME,
            restarts: None,
            is_read_out: false,
            is_next: false,
            word: Vec::new(),
        };
        let end = if self.request.is_previous || !self.request.is_following {
            self.read_once(state).await
        } else {
            self.follow(state).await
        };
        self.set(end);
        self.out.event(Event::Done);
    }

    fn set(&self, state: SourceState) {
        self.core.set_state(self.source, state);
    }

    fn view(&mut self) -> (Arc<PodView>, bool) {
        self.pod.view()
    }

    /// Reads what is there.
    async fn read_once(&mut self, mut state: State) -> SourceState {
        let (view, _) = self.view();
        if let Some(container) = view.container(&self.container) {
            if self.request.is_previous
                && container.restarts == 0
                && container.last.is_empty()
                && container.state != RunState::Unknown
            {
                return SourceState::Ended(view.without_previous());
            }
            if let (false, RunState::Waiting(why)) = (container.has_started(), &container.state) {
                return SourceState::Ended(format!("not started: {why}"));
            }
        }
        loop {
            let mut ask = self.ask(&state);
            ask.is_following = false;
            let problem = match ask.open(&self.client, &view, &self.container).await {
                Ok(open) => match self.read(open, &ask, &mut state).await {
                    End::Whole => {
                        let mut lines = Lines::default();
                        state.splitter.finish(&mut lines);
                        self.send(lines, &mut state).await;
                        return SourceState::Ended("all is read".to_owned());
                    }
                    End::Unheard => return SourceState::Ended("not read any more".to_owned()),
                    End::Replaced => "it was started again".to_owned(),
                    End::Broken(why) => why,
                },
                Err(Refusal::Later(why, wait)) => {
                    sleep(wait.unwrap_or_default().min(PATIENCE)).await;
                    why
                }
                Err(Refusal::NotStarted(why)) => return SourceState::Ended(format!("not started: {why}")),
                Err(Refusal::NoPrevious) => return SourceState::Ended(view.without_previous()),
                Err(Refusal::Gone) => return SourceState::Failed("the pod is gone".to_owned()),
                Err(Refusal::Never(kind, why)) => return self.fail(kind, view.because(why)),
            };
            state.tries += 1;
            if state.tries >= TRIES {
                return self.fail(ProblemKind::Unreachable, format!("cannot be read: {problem}"));
            }
            self.set(SourceState::Waiting(problem.clone()));
            state.splitter.forget();
            state.broken = Some(problem);
            self.pause(&state).await;
        }
    }

    fn fail(&self, kind: ProblemKind, why: String) -> SourceState {
        self.out.event(Event::Failed(kind));
        SourceState::Failed(why)
    }

    /// Reads what comes, until the pod is gone.
    async fn follow(&mut self, mut state: State) -> SourceState {
        loop {
            let (view, is_gone) = self.view();
            let container = view.container(&self.container).cloned();
            if let Some(container) = &container
                && !container.has_started()
                && !is_gone
            {
                self.wait_for_start(container).await;
                continue;
            }
            self.announce_restart(&view, container.as_ref(), &mut state).await;
            let ask = self.ask(&state);
            let opened = self.open(&ask, &view).await;
            let (why, wait) = match opened {
                Ok(open) => match self.read(open, &ask, &mut state).await {
                    End::Whole => match self.after_end(&mut state).await {
                        Some(end) => return end,
                        None => continue,
                    },
                    End::Unheard => return SourceState::Ended("not read any more".to_owned()),
                    End::Replaced => continue,
                    End::Broken(why) => (why, None),
                },
                Err(Refusal::Later(why, wait)) => (why, wait),
                Err(Refusal::NotStarted(why)) => {
                    self.set(SourceState::Waiting(why));
                    self.out.event(Event::CaughtUp);
                    if self.change(Duration::from_secs(2)).await {
                        return self.leave(&mut state).await;
                    }
                    continue;
                }
                Err(Refusal::NoPrevious) => ("there is no instance before this one".to_owned(), None),
                Err(Refusal::Gone) => return self.leave(&mut state).await,
                Err(Refusal::Never(kind, why)) => return self.fail(kind, view.because(why)),
            };
            state.splitter.forget();
            self.out.event(Event::CaughtUp);
            self.set(SourceState::Waiting(why.clone()));
            state.broken = Some(why);
            state.rest();
            sleep(wait.unwrap_or_default().min(Duration::from_secs(60))).await;
            self.pause(&state).await;
            state.tries += 1;
            if state.tries > 1
                && let Ok(client) = self.ground.client(view.at.cluster.clone()).await
            {
                self.client = client;
            }
            self.refresh().await;
        }
    }

    /// Opens a log; servers may send nothing before the first line, so that it is open says nothing.
    async fn open(&self, ask: &Ask, view: &PodView) -> Result<Open, Refusal> {
        let mut opening = std::pin::pin!(ask.open(&self.client, view, &self.container));
        if let Ok(opened) = timeout(QUIET * 4, &mut opening).await {
            return opened;
        }
        self.out.event(Event::CaughtUp);
        self.set(SourceState::Following);
        let mut pod = self.pod.news();
        let asked = nanoseconds(Timestamp::now());
        loop {
            tokio::select! {
                opened = &mut opening => return opened,
                () = sleep(DOUBT) => match self.last_line(view).await {
                    // it has something to say since it was asked, and does not
                    Ok(Some(line)) if line.time.saturating_sub(line.skew) > asked => {
                        return Err(Refusal::Later("it did not answer".to_owned(), None));
                    }
                    Ok(_) => {}
                    Err(refusal) => return Err(refusal),
                },
                changed = pod.changed() => {
                    if changed.is_err() || pod.borrow_and_update().is_gone {
                        return Err(Refusal::Gone);
                    }
                }
            }
        }
    }

    fn ask(&self, state: &State) -> Ask {
        let request = &self.request;
        let mut ask = Ask {
            is_previous: request.is_previous,
            is_following: request.is_following && !request.is_previous,
            ..Ask::default()
        };
        if let Some(second) = state.recent.since() {
            ask.since_time = Timestamp::from_second(second).ok();
        } else if state.is_next || !self.is_first {
            // another instance, or a pod that came: from its beginning
        } else if let Some(begun) = state.begun.filter(|_| request.tail == Some(0)) {
            ask.since_time = Some(begun);
        } else {
            ask.tail = request.tail;
            ask.since_seconds =
                request.since.map(|since| since.as_secs() + u64::from(since.subsec_nanos() > 0));
        }
        ask
    }

    /// Reads a response and hands on its lines.
    async fn read(&mut self, mut open: Open, ask: &Ask, state: &mut State) -> End {
        let is_again = ask.since_time.is_some() && state.recent.since().is_some();
        let mut known = if is_again { state.recent.known() } else { Known::default() };
        let since = state.recent.since().unwrap_or(i64::MIN);
        let mut is_told = state.broken.is_none();
        self.out.event(Event::Opened(open.skew));
        self.set(SourceState::Following);
        state.opened = Some(Instant::now());
        state.is_read_out = false;
        state.begun.get_or_insert_with(|| {
            let now = Timestamp::now();
            Timestamp::from_second(now.as_second() + open.skew).unwrap_or(now)
        });
        let caught_up_at = Timestamp::now().as_second() + open.skew - 1;
        let mut is_behind = true;
        let mut pod = self.pod.news();
        loop {
            let is_gone = pod.borrow_and_update().is_gone;
            let wait = match (is_behind, is_gone) {
                (true, _) => QUIET,
                (false, true) => FAREWELL,
                (false, false) => DOUBT,
            };
            let piece = tokio::select! {
                biased;
                piece = open.body.next() => piece,
                changed = pod.changed(), if !is_gone => {
                    if changed.is_err() {
                        return End::Unheard;
                    }
                    continue;
                }
                () = sleep(wait) => {
                    if is_behind {
                        is_behind = false;
                        if ask.is_following {
                            self.out.event(Event::CaughtUp);
                        }
                        if !is_told {
                            is_told = self.tell_reconnect(&known, None, state).await;
                        }
                        continue;
                    }
                    state.tries = 0;
                    if is_gone {
                        return End::Whole;
                    }
                    if let Some(why) = self.is_dead(state).await {
                        return End::Broken(why);
                    }
                    continue;
                }
            };
            let bytes = match piece {
                Some(Ok(bytes)) => bytes,
                Some(Err(error)) => return End::Broken(innermost(&error)),
                None => {
                    if !is_told {
                        self.tell_reconnect(&known, None, state).await;
                    }
                    return End::Whole;
                }
            };
            let mut lines = Lines::default();
            state.splitter.feed(&bytes, &mut lines);
            if !known.is_past(lines.lines.first().map_or(NO_TIME, |line| line.time))
                || is_again && known.again == 0
            {
                lines = unknown(&lines, &mut known, since);
            }
            if lines.lines.is_empty() {
                continue;
            }
            let first = lines.lines.iter().map(|line| line.time).find(|time| *time != NO_TIME);
            if !is_told && first.is_some() {
                let is_other = is_again && ask.is_following && known.again == 0;
                if is_other && self.is_replaced(state).await {
                    return End::Replaced;
                }
                is_told = self.tell_reconnect(&known, first, state).await;
            }
            if is_behind && lines.lines.last().is_some_and(|l| l.time / 1_000_000_000 >= caught_up_at) {
                is_behind = false;
                self.out.event(Event::CaughtUp);
            }
            if !self.send(lines, state).await {
                return End::Unheard;
            }
            // it works, however briefly
            state.tries = state.tries.min(2);
        }
    }

    /// Hands on lines; returns whether anybody takes them.
    async fn send(&mut self, mut lines: Lines, state: &mut State) -> bool {
        if lines.lines.iter().any(|line| line.kind != RawKind::Text) {
            lines = self.words(&lines, state);
        }
        for line in &lines.lines {
            if line.kind == RawKind::Text {
                state.recent.add(line.time, lines.bytes(line));
                state.last_time = state.last_time.max(line.time);
            }
        }
        if lines.lines.len() <= BATCH_LINES {
            return lines.lines.is_empty() || self.out.send(lines).await;
        }
        for part in lines.lines.chunks(BATCH_LINES) {
            let mut batch = Lines::default();
            part.iter().for_each(|line| batch.push(line.time, line.kind, lines.bytes(line)));
            if !self.out.send(batch).await {
                return false;
            }
        }
        true
    }

    /// Makes notes of what the server said instead of a log, once each.
    fn words(&self, lines: &Lines, state: &mut State) -> Lines {
        let mut out = Lines::default();
        for line in &lines.lines {
            let text = lines.bytes(line);
            if line.kind == RawKind::Text {
                out.push(line.time, line.kind, text);
            } else if state.word != text {
                state.word = text.to_vec();
                let pod = self.pod.told();
                let text = format!("{}: {}", self.name(&pod), String::from_utf8_lossy(text));
                out.push(state.last_time, line.kind, text.as_bytes());
            }
        }
        out
    }

    async fn say(&mut self, kind: RawKind, text: &str, state: &State) {
        let now = nanoseconds(Timestamp::now());
        let time = if state.last_time == NO_TIME { now } else { state.last_time };
        let mut lines = Lines::default();
        lines.push(time, kind, text.as_bytes());
        self.out.send(lines).await;
    }

    /// Says how a reconnect went, and returns that it did. Many that missed nothing are told as one.
    async fn tell_reconnect(&mut self, known: &Known, first: Option<i64>, state: &mut State) -> bool {
        let why = state.broken.take().unwrap_or_default();
        let is_whole = known.again > 0 || state.last_time == NO_TIME || first.is_none();
        if is_whole {
            state.untold += 1;
            let is_soon = state.told.is_some_and(|told| told.elapsed() < NOTE_EVERY);
            if is_soon {
                return true;
            }
            let times = if state.untold > 1 { format!(" {} times", state.untold) } else { String::new() };
            state.untold = 0;
            state.told = Some(Instant::now());
            self.say(RawKind::Note, &format!("reconnected{times}, nothing missed ({why})"), state).await;
        } else {
            state.told = Some(Instant::now());
            let time = |time: i64| {
                let time = Timestamp::from_nanosecond(time.into()).unwrap_or_default();
                format!("{time:.0}")
            };
            let (from, to) = (time(state.last_time), time(first.unwrap_or(NO_TIME)));
            let text = format!("reconnected; lines between {from} and {to} are gone from the server ({why})");
            self.say(RawKind::Gap(0), &text, state).await;
        }
        true
    }

    /// Returns why a silent connection is dead: the server has a later line than it sent.
    async fn is_dead(&mut self, state: &State) -> Option<String> {
        let (view, _) = self.view();
        // what was there before the beginning was not asked for
        let begun = state.begun.map_or(NO_TIME, |begun| begun.as_second().saturating_mul(1_000_000_000));
        let newest = state.last_time.max(begun);
        match self.last_line(&view).await {
            Ok(None) => None,
            Ok(Some(line)) if line.time <= newest || state.recent.has(line.time, &line.text) => None,
            Ok(Some(_)) => Some("the connection was silent while lines were written".to_owned()),
            Err(Refusal::Later(why, _)) => Some(why),
            Err(_) => Some("the connection was silent".to_owned()),
        }
    }

    /// Asks for the last line of the log.
    async fn last_line(&self, view: &PodView) -> Result<Option<Last>, Refusal> {
        let ask = Ask { tail: Some(1), ..Ask::default() };
        let asking = async {
            let mut open = ask.open(&self.client, view, &self.container).await?;
            let (mut splitter, mut lines) = (Splitter::new(self.most), Lines::default());
            while let Some(piece) = open.body.next().await {
                let piece = piece.map_err(|error| Refusal::Later(innermost(&error), None))?;
                splitter.feed(&piece, &mut lines);
            }
            splitter.finish(&mut lines);
            let skew = open.skew.saturating_mul(1_000_000_000);
            let last = |line: &RawLine| Last { time: line.time, text: lines.bytes(line).to_vec(), skew };
            Ok(lines.lines.last().map(last))
        };
        timeout(PATIENCE, asking)
            .await
            .unwrap_or_else(|_| Err(Refusal::Later("the server does not answer".to_owned(), None)))
    }

    /// Decides what comes after a response that ended in good order; `None` when reading goes on.
    async fn after_end(&mut self, state: &mut State) -> Option<SourceState> {
        if self.refresh().await {
            return Some(self.leave(state).await);
        }
        let (view, is_gone) = self.view();
        if is_gone {
            return Some(self.leave(state).await);
        }
        let Some(container) = view.container(&self.container) else { return Some(self.leave(state).await) };
        if container.restarts > state.restarts.unwrap_or(container.restarts) {
            return None;
        }
        match &container.state {
            RunState::Ended(how) => {
                self.finish_line(state).await;
                state.is_read_out = true;
                let is_over = view.is_over() || container.is_init && how == "completed";
                let says = if view.is_over() { view.farewell() } else { how.clone() };
                if is_over {
                    if !self.is_first
                        || state.told.is_some()
                        || !container.is_init && state.tries == 0 && Self::was_running(state)
                    {
                        self.say(RawKind::Note, &format!("{} left: {says}", self.name(&view)), state).await;
                    }
                    return Some(SourceState::Ended(says));
                }
                self.set(SourceState::Ended(how.clone()));
                self.out.event(Event::CaughtUp);
                self.wait_for_restart(container.restarts).await;
                None
            }
            RunState::Waiting(why) => {
                self.finish_line(state).await;
                state.is_read_out = true;
                self.set(SourceState::Waiting(why.clone()));
                self.out.event(Event::CaughtUp);
                self.wait_for_restart(container.restarts).await;
                None
            }
            RunState::Running | RunState::Unknown => {
                state.splitter.forget();
                state.broken = Some("the server closed the connection".to_owned());
                state.rest();
                self.pause(state).await;
                state.tries += 1;
                // a container that ended is told to run for a moment yet
                self.refresh().await;
                None
            }
        }
    }

    /// Whether it ran when the reading began, so that its end is news.
    fn was_running(state: &State) -> bool {
        let begun = state.begun.map_or(i64::MIN, Timestamp::as_second);
        state.last_time != NO_TIME && state.last_time / 1_000_000_000 >= begun
    }

    async fn finish_line(&mut self, state: &mut State) {
        let mut lines = Lines::default();
        state.splitter.finish(&mut lines);
        self.send(lines, state).await;
    }

    /// Says good-bye to a pod that is gone.
    async fn leave(&mut self, state: &mut State) -> SourceState {
        self.finish_line(state).await;
        let (view, _) = self.view();
        let says = view.farewell();
        self.say(RawKind::Note, &format!("{} left: {says}", self.name(&view)), state).await;
        SourceState::Ended(says)
    }

    fn name(&self, view: &PodView) -> String {
        if view.containers.len() > 1 {
            format!("pod {}, container {}", view.at.name, self.container)
        } else {
            format!("pod {}", view.at.name)
        }
    }

    /// Reads the rest of the instance before, and says that another one runs.
    async fn announce_restart(
        &mut self,
        view: &PodView,
        container: Option<&ContainerView>,
        state: &mut State,
    ) {
        let Some(container) = container else { return };
        let before = state.restarts.replace(container.restarts);
        let Some(before) = before.filter(|before| *before < container.restarts) else { return };
        let skipped = container.restarts - before - 1;
        if skipped > 1 || skipped == 1 && !state.is_read_out {
            let rest = if state.is_read_out { "" } else { ", and what the one before them wrote last," };
            let text = format!("{} starts in between{rest} left no log that can be read", skipped - 1);
            self.say(RawKind::Gap(0), &text, state).await;
        }
        if state.begun.is_some() {
            self.read_instance_before(view, skipped > 0, state).await;
        }
        let how = if container.last.is_empty() { String::new() } else { format!(": {}", container.last) };
        let text = format!("{} restarted{how}; start {}", self.name(view), container.restarts + 1);
        self.say(RawKind::Note, &text, state).await;
        // what was read stays known: it may be of the new instance already
        state.is_next = state.begun.is_some();
        state.is_read_out = false;
        state.splitter.forget();
        state.broken = None;
        state.tries = 0;
    }

    /// Reads what is not read yet of the instance before the one that runs.
    async fn read_instance_before(&mut self, view: &PodView, is_whole: bool, state: &mut State) {
        for _ in 0..TRIES_BEFORE {
            state.splitter.forget();
            state.broken = None;
            let is_bounded = self.request.since.is_some() || self.request.tail == Some(0);
            state.is_next |= is_whole || state.recent.since().is_none() && !is_bounded;
            let ask = Ask { is_previous: true, is_following: false, ..self.ask(state) };
            match ask.open(&self.client, view, &self.container).await {
                Ok(open) => match self.read(open, &ask, state).await {
                    End::Whole => return self.finish_line(state).await,
                    End::Unheard => return,
                    End::Broken(_) | End::Replaced => {}
                },
                Err(Refusal::Later(..)) => {}
                Err(_) => return,
            }
            self.pause(state).await;
        }
    }

    /// Returns whether another instance runs than the one that was read.
    async fn is_replaced(&mut self, state: &State) -> bool {
        for pause in [0, 1_000] {
            sleep(Duration::from_millis(pause)).await;
            self.refresh().await;
            let (view, _) = self.view();
            let restarts = view.container(&self.container).map(|container| container.restarts);
            if restarts.is_some_and(|restarts| state.restarts.is_some_and(|read| read < restarts)) {
                return true;
            }
        }
        false
    }

    async fn wait_for_start(&mut self, container: &ContainerView) {
        if let RunState::Waiting(why) = &container.state {
            self.set(SourceState::Waiting(why.clone()));
        }
        self.out.event(Event::CaughtUp);
        self.change(Duration::from_secs(30)).await;
    }

    /// Waits until another instance runs, or the pod is gone.
    async fn wait_for_restart(&mut self, restarts: u32) {
        loop {
            let (view, is_gone) = self.view();
            let container = view.container(&self.container);
            let is_other = container.is_none_or(|container| {
                container.restarts > restarts && container.state != RunState::Unknown
            });
            let is_running = container.is_some_and(|container| container.state == RunState::Running);
            if is_gone || is_other || is_running || view.is_over() || !self.pod.changed().await {
                return;
            }
            if let Some(RunState::Waiting(why)) =
                self.view().0.container(&self.container).map(|c| c.state.clone())
            {
                self.set(SourceState::Waiting(why));
            }
        }
    }

    /// Waits for news of the pod; returns whether it is gone.
    async fn change(&mut self, most: Duration) -> bool {
        matches!(timeout(most, self.pod.changed()).await, Ok(false)) || self.pod.is_gone()
    }

    async fn pause(&self, state: &State) {
        let pause = PAUSES.get(state.tries).or(PAUSES.last()).copied().unwrap_or(1_000);
        // readers that were cut off together do not come back together
        let spread = u64::from(self.source) * 37 % (pause / 4 + 1);
        sleep(Duration::from_millis(pause + spread)).await;
    }

    /// Asks how the pod is now; returns whether it is gone. What is known stays when nobody answers.
    async fn refresh(&mut self) -> bool {
        let (view, is_gone) = self.view();
        if is_gone {
            return true;
        }
        let pods: kube::Api<Pod> = kube::Api::namespaced(self.client.clone(), &view.at.namespace);
        let before = self.pod.told();
        let Ok(Ok(found)) = timeout(PATIENCE, pods.get_opt(&view.at.name)).await else { return false };
        let Some(found) = found else { return true };
        let fresh = PodView::from_api(&view.at.cluster, &found);
        if fresh.uid != view.uid {
            return true;
        }
        self.pod.found(fresh, before);
        false
    }
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut found = error;
    while let Some(inner) = found.source() {
        found = inner;
    }
    found.to_string()
}

/// Leaves out the lines that came before.
fn unknown(lines: &Lines, known: &mut Known, since: i64) -> Lines {
    let mut new = Lines::default();
    for line in &lines.lines {
        let text = lines.bytes(line);
        if !known.takes(line.time, text, since) {
            new.push(line.time, line.kind, text);
        }
    }
    new
}
