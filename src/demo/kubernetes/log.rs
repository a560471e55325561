//! What containers write: made from a seed and the time, so that any second of the past can be read again.
//!
//! A container's instance writes by [`voice`](super::voice); the lines of a second depend on nothing but the seed, the
//! instance and the second. Tests write lines of their own with [`Cluster::write_log`], or let a container write
//! numbered lines with [`Cluster::flood`].

use super::clock;
use super::cluster::{Cluster, name, namespace, text, uid};
use super::life::Life;
use super::pod::{Ended, State};
use super::resource::R;
use super::status::Failure;
use super::voice;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;

/// Seconds of the past that are kept, as files that are rotated keep them.
const KEPT: i64 = 2 * 3600;

/// A line with its time.
#[derive(Debug, Clone)]
pub struct Line {
    /// When it was written.
    pub at: Timestamp,
    /// What was written, without the line's end.
    pub bytes: Arc<[u8]>,
}

/// A line that a test wrote.
#[derive(Debug, Clone)]
pub struct Written {
    /// The line.
    pub line: Line,
    /// Of the instance with this number of restarts.
    pub restarts: u32,
}

/// An instance of a container, to read its lines.
#[derive(Debug, Clone)]
pub struct Source {
    /// Namespace, pod, container.
    pub of: (String, String, String),
    /// Uid of the pod.
    pub uid: String,
    /// Image.
    pub image: String,
    /// How it lives.
    pub life: Life,
    /// Which instance.
    pub restarts: u32,
    /// When it was started.
    pub started: Timestamp,
    /// How it ended; `None` while it runs.
    pub ended: Option<Ended>,
    /// How it ended or will: its last words come before its end is noticed.
    pub ends: Option<Ended>,
}

impl Cluster {
    /// Finds the instance a request for logs is about.
    ///
    /// # Errors
    /// What the real one answers: no such pod or container, not started yet, none before.
    pub fn log_source(
        &self,
        of: &str,
        named: &str,
        container: Option<&str>,
        is_previous: bool,
    ) -> Result<Source, Failure> {
        let pod =
            self.store.value(R::Pod, of, named).ok_or_else(|| Failure::not_found(R::Pod.row(), named))?;
        let containers = |list: &str| -> Vec<String> {
            let all = pod["spec"][list].as_array().into_iter().flatten();
            all.map(|container| text(&container["name"]).to_owned()).collect()
        };
        let (all, inits) = (containers("containers"), containers("initContainers"));
        let container = match container.filter(|container| !container.is_empty()) {
            Some(container) if all.iter().chain(&inits).any(|name| name == container) => container.to_owned(),
            Some(container) => {
                return Err(Failure::bad_request(format!(
                    "container {container} is not valid for pod {named}"
                )));
            }
            None => match all.as_slice() {
                [only] => only.clone(),
                _ => {
                    let mut message = format!(
                        "a container name must be specified for pod {named}, choose one of: [{}]",
                        all.join(" ")
                    );
                    if !inits.is_empty() {
                        message.push_str(&format!(" or one of the init containers: [{}]", inits.join(" ")));
                    }
                    return Err(Failure::bad_request(message));
                }
            },
        };
        let waits = |why: &str| {
            Failure::bad_request(format!(
                "container \"{container}\" in pod \"{named}\" is waiting to start: {why}"
            ))
        };
        let run = self.pods.get(uid(&pod)).and_then(|run| run.container(&container));
        let Some(run) = run else { return Self::bulk_source(&pod, &container, waits("ContainerCreating")) };
        let source = |restarts: u32, started: Timestamp, ended: Option<Ended>| Source {
            of: (of.to_owned(), named.to_owned(), container.clone()),
            uid: uid(&pod).to_owned(),
            image: run.image.clone(),
            life: run.life,
            restarts,
            started,
            ends: ended.clone().or_else(|| run.planned_end()),
            ended,
        };
        if is_previous {
            let last = run.last.clone().ok_or_else(|| {
                Failure::bad_request(format!(
                    "previous terminated container \"{container}\" in pod \"{named}\" not found"
                ))
            })?;
            let is_next_running = matches!(run.state, State::Running(_) | State::Ended(_));
            let restarts = if is_next_running { run.restarts.saturating_sub(1) } else { run.restarts };
            return Ok(source(restarts, last.started, Some(last)));
        }
        match (&run.state, &run.last) {
            (State::Running(since), _) => Ok(source(run.restarts, *since, None)),
            (State::Ended(ended), _) => Ok(source(run.restarts, ended.started, Some(ended.clone()))),
            // between two starts the last instance is still the one that is read
            (State::Waiting(..), Some(last)) => Ok(source(run.restarts, last.started, Some(last.clone()))),
            (State::Waiting("ErrImagePull", _), _) => Err(waits("image can't be pulled")),
            (State::Waiting("ImagePullBackOff", _), _) => Err(waits("trying and failing to pull image")),
            (State::Waiting(reason, _), _) => {
                let is_init = self.pods.get(uid(&pod)).is_some_and(|run| !run.inits.is_empty());
                Err(waits(if is_init && *reason == "ContainerCreating" { "PodInitializing" } else { reason }))
            }
        }
    }

    /// A pod that was made in bulk, or not placed yet.
    fn bulk_source(pod: &Value, container: &str, otherwise: Failure) -> Result<Source, Failure> {
        let started = clock::parse(&pod["status"]["startTime"]).ok_or(otherwise)?;
        Ok(Source {
            of: (namespace(pod).to_owned(), name(pod).to_owned(), container.to_owned()),
            uid: uid(pod).to_owned(),
            image: text(&pod["spec"]["containers"][0]["image"]).to_owned(),
            life: Life::Serves(1),
            restarts: 0,
            started,
            ended: None,
            ends: None,
        })
    }

    /// Returns how an instance stands now: the same, with its end when it has ended.
    pub fn log_source_now(&self, source: &Source) -> Source {
        let mut now = source.clone();
        if now.ended.is_some() {
            return now;
        }
        let Some(run) = self.pods.get(&source.uid) else {
            let is_there = self.store.get(R::Pod, &source.of.0, &source.of.1).is_some();
            if !is_there {
                let gone = Ended { started: now.started, finished: self.now, code: 0, reason: "Completed" };
                now.ended = Some(gone);
            }
            return now;
        };
        let Some(container) = run.container(&source.of.2) else { return now };
        let ended = match &container.state {
            State::Running(since) if *since == source.started => None,
            State::Ended(ended) if ended.started == source.started => Some(ended.clone()),
            _ => container.last.clone().filter(|last| last.started == source.started).or(Some(Ended {
                started: source.started,
                finished: self.now,
                code: 0,
                reason: "Completed",
            })),
        };
        now.ended = ended;
        now.ends = now.ended.clone().or_else(|| container.planned_end());
        if let (None, Some(gone)) = (&now.ended, run.gone)
            && self.now >= gone
        {
            now.ended = Some(Ended { started: now.started, finished: gone, code: 0, reason: "Completed" });
        }
        now
    }

    /// Lets a container write a line now; it writes nothing else from then on.
    pub fn write_log(&mut self, of: (&str, &str, &str), line: impl AsRef<[u8]>) {
        let key = (of.0.to_owned(), of.1.to_owned(), of.2.to_owned());
        let restarts = self
            .store
            .value(R::Pod, of.0, of.1)
            .and_then(|pod| Some(self.pods.get(uid(&pod))?.container(of.2)?.restarts))
            .unwrap_or(0);
        let at = self.written_time(&key);
        let line = Line { at, bytes: Arc::from(line.as_ref()) };
        self.written.entry(key).or_default().push(Written { line, restarts });
    }

    /// Times of written lines are a microsecond apart at least, and behind all that was read so far.
    fn written_time(&self, key: &(String, String, String)) -> Timestamp {
        let last = self.written.get(key).and_then(|lines| lines.last()).map(|written| written.line.at);
        let last = last.map_or(self.now, |last| last.max(self.now));
        last.checked_add(SignedDuration::from_micros(1)).unwrap_or(last)
    }

    /// Lets a container write so many numbered lines a second: `n=0`, `n=1`, from its start on.
    pub fn flood(&mut self, of: (&str, &str, &str), lines_per_second: u32) {
        self.floods.insert((of.0.to_owned(), of.1.to_owned(), of.2.to_owned()), lines_per_second);
    }

    /// Returns the lines of an instance after one time, up to another.
    pub fn lines(&self, source: &Source, after: Timestamp, until: Timestamp, into: &mut Vec<Line>) {
        if let Some(written) = self.written.get(&source.of) {
            let own = written.iter().filter(|written| written.restarts == source.restarts);
            into.extend(
                own.map(|written| &written.line).filter(|line| line.at > after && line.at <= until).cloned(),
            );
            return;
        }
        let last = source.ends.as_ref().map_or(until, |ended| ended.finished.min(until));
        let first = after.as_second().max(source.started.as_second()).max(self.now.as_second() - KEPT);
        for second in first..=last.as_second() {
            let start = into.len();
            self.second(source, second, into);
            let mut at = start;
            // keep what is inside the bounds
            while let Some(line) = into.get(at) {
                if line.at > after && line.at <= last { at += 1 } else { drop(into.remove(at)) }
            }
        }
    }

    /// Returns the last lines of an instance before a time.
    pub fn tail(&self, source: &Source, count: usize, after: Timestamp, until: Timestamp) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.written.contains_key(&source.of) {
            self.lines(source, after, until, &mut lines);
        } else {
            let last = source.ends.as_ref().map_or(until, |ended| ended.finished.min(until));
            let first = after.as_second().max(source.started.as_second()).max(self.now.as_second() - KEPT);
            let mut second = last.as_second();
            let mut seconds = Vec::new();
            let mut found = 0;
            while second >= first && found < count {
                let mut own = Vec::new();
                self.second(source, second, &mut own);
                own.retain(|line| line.at > after && line.at <= last);
                found += own.len();
                seconds.push(own);
                second -= 1;
            }
            lines = seconds.into_iter().rev().flatten().collect();
        }
        let surplus = lines.len().saturating_sub(count);
        lines.drain(..surplus);
        lines
    }

    fn second(&self, source: &Source, second: i64, into: &mut Vec<Line>) {
        let Ok(start) = Timestamp::from_second(second) else { return };
        if let Some(rate) = self.floods.get(&source.of) {
            let first = (second - source.started.as_second()).max(0) as u64 * u64::from(*rate);
            for at in 0..*rate {
                let micros = i64::from(at) * 1_000_000 / i64::from((*rate).max(1));
                let at_time = start.checked_add(SignedDuration::from_micros(micros)).unwrap_or(start);
                let line = format!(
                    "{{\"level\":\"info\",\"msg\":\"order accepted\",\"n\":{},\"pod\":\"{}\"}}",
                    first + u64::from(at),
                    source.of.1
                );
                into.push(Line { at: at_time, bytes: Arc::from(line.as_bytes()) });
            }
            return;
        }
        voice::second(source, second, into);
    }
}
