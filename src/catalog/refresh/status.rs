//! What a source is doing right now, for whoever shows it.

use crate::catalog::progress::ProgressEvent;
use crate::catalog::snapshot::SourceState;
use crate::net::Rate;
use jiff::Timestamp;
use std::sync::Arc;

/// What a source is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Phase {
    /// Nothing: it waits for its time, or for a file to change.
    #[default]
    Idle,
    /// It stands in line.
    Queued,
    /// It is being read.
    Reading,
    /// It is being read, and waits for a host.
    Waiting {
        /// Host it waits for.
        host: String,
    },
    /// It is being read, and the server wants nothing before a time.
    Limited {
        /// Until when.
        until: Timestamp,
        /// In plain words.
        why: String,
    },
}

/// A source as it stands: what it gave, what it does, when it is read again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceStatus {
    /// What it gave when it was last read, and why it could not be read since.
    pub state: SourceState,
    /// What it does now.
    pub phase: Phase,
    /// Whether the user stopped its schedule.
    pub is_paused: bool,
    /// Whether it lies on this machine and changes of its files are seen at once.
    pub is_watched: bool,
    /// Why its files are not all watched, if they should be.
    pub watch_problem: Option<String>,
    /// When it is read again by itself.
    pub next: Option<Timestamp>,
    /// Failures since it was last read well.
    pub failures: u32,
    /// How far the present reading is: done, of how many, of what.
    pub amount: Option<Amount>,
    /// Bytes that came over the network for the present or last reading.
    pub bytes: u64,
    /// What the server last said about its limit.
    pub rate: Option<Rate>,
}

/// How far a reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Done so far.
    pub done: usize,
    /// Of how many, where that is known.
    pub total: Option<usize>,
    /// What is counted: `files`, `repositories`.
    pub unit: &'static str,
}

impl SourceStatus {
    /// Returns whether it is being read.
    pub fn is_reading(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Queued)
    }

    /// Returns whether what is shown of it may not be what it holds now: it could not be read since.
    pub fn is_stale(&self) -> bool {
        self.state.error.is_some() && self.state.read_at.is_some()
    }

    /// Returns what it does in few words: `company: 1,200 of 5,000 repositories`, `company: waits for github.com`.
    pub fn doing(&self) -> String {
        let what = match (&self.phase, self.amount) {
            (Phase::Idle, _) => return self.state.name.to_string(),
            (Phase::Queued, _) => "in line".to_owned(),
            (Phase::Waiting { host }, _) => format!("waits for {host}"),
            (Phase::Limited { why, .. }, _) => why.clone(),
            (Phase::Reading, None) => "reading".to_owned(),
            (Phase::Reading, Some(Amount { done, total: None, unit })) => format!("{done} {unit}"),
            (Phase::Reading, Some(Amount { done, total: Some(total), unit })) => {
                format!("{done} of {total} {unit}")
            }
        };
        format!("{}: {what}", self.state.name)
    }

    /// Takes in what a reading reports.
    pub(super) fn note(&mut self, event: ProgressEvent) {
        match event {
            ProgressEvent::Started { .. } => {
                (self.phase, self.amount, self.bytes) = (Phase::Reading, None, 0);
            }
            ProgressEvent::Files { files, .. } => {
                self.phase = Phase::Reading;
                // a count of repositories or entities says more
                if self.amount.is_none_or(|amount| amount.unit == FILES) {
                    self.amount = Some(Amount { done: files, total: None, unit: FILES });
                }
            }
            ProgressEvent::Waiting { host, .. } => self.phase = Phase::Waiting { host },
            ProgressEvent::Amount { done, total, unit, .. } => {
                self.phase = Phase::Reading;
                self.amount = Some(Amount { done, total, unit });
            }
            ProgressEvent::Bytes { bytes, .. } => {
                self.bytes += bytes;
                self.phase = Phase::Reading;
            }
            ProgressEvent::Rate { rate, .. } => self.rate = Some(rate),
            ProgressEvent::Limited { until, why, .. } => self.phase = Phase::Limited { until, why },
            ProgressEvent::Finished { .. } | ProgressEvent::Stitching => {}
        }
    }
}

const FILES: &str = "files";

/// Returns the source that a report is about.
pub(super) fn source_of(event: &ProgressEvent) -> Option<&Arc<str>> {
    match event {
        ProgressEvent::Started { source }
        | ProgressEvent::Files { source, .. }
        | ProgressEvent::Waiting { source, .. }
        | ProgressEvent::Amount { source, .. }
        | ProgressEvent::Bytes { source, .. }
        | ProgressEvent::Rate { source, .. }
        | ProgressEvent::Limited { source, .. }
        | ProgressEvent::Finished { source, .. } => Some(source),
        ProgressEvent::Stitching => None,
    }
}
