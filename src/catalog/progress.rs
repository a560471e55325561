//! How a load tells what it is doing, and how it is told to stop.

use crate::net::{NetNote, Rate};
use jiff::Timestamp;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// One step of a load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgressEvent {
    /// A source started.
    Started {
        /// Name of the source.
        source: Arc<str>,
    },
    /// A source has read this many files so far; sent now and then.
    Files {
        /// Name of the source.
        source: Arc<str>,
        /// Files read so far.
        files: usize,
    },
    /// A source waits for a host on the network.
    Waiting {
        /// Name of the source.
        source: Arc<str>,
        /// Host it waits for.
        host: String,
    },
    /// How far a source is, in what it counts.
    Amount {
        /// Name of the source.
        source: Arc<str>,
        /// Done so far.
        done: usize,
        /// Of how many, where that is known.
        total: Option<usize>,
        /// What is counted: `repositories`, `entities`.
        unit: &'static str,
    },
    /// Bytes that came over the network for a source.
    Bytes {
        /// Name of the source.
        source: Arc<str>,
        /// Since the last report.
        bytes: u64,
    },
    /// What the server says about its limit on requests.
    Rate {
        /// Name of the source.
        source: Arc<str>,
        /// The limit.
        rate: Rate,
    },
    /// A source sends nothing before this time, because the server said so.
    Limited {
        /// Name of the source.
        source: Arc<str>,
        /// Until when.
        until: Timestamp,
        /// In plain words.
        why: String,
    },
    /// A source is done, well or badly.
    Finished {
        /// Name of the source.
        source: Arc<str>,
        /// Files read.
        files: usize,
        /// Whether it could be read.
        ok: bool,
    },
    /// All sources are read; relations are being joined.
    Stitching,
}

impl ProgressEvent {
    /// Says what a request of a source does.
    pub fn of_net(source: &Arc<str>, note: NetNote) -> Self {
        let source = source.clone();
        match note {
            NetNote::Bytes(bytes) => Self::Bytes { source, bytes },
            NetNote::Rate(rate) => Self::Rate { source, rate },
            NetNote::Waiting { until, why } => Self::Limited { source, until, why },
        }
    }
}

type Listener = dyn Fn(ProgressEvent) + Send + Sync;

/// Where a load reports to. Cheap to clone; safe to use from any thread.
#[derive(Clone, Default)]
pub struct Progress {
    listener: Option<Arc<Listener>>,
    cancel: CancellationToken,
}

impl Progress {
    /// Creates one that listens to nothing and is never cancelled.
    pub fn none() -> Self {
        Self::default()
    }

    /// Creates one that hands each event to `listener`, from whatever thread it happens on.
    pub fn new(listener: impl Fn(ProgressEvent) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Arc::new(listener)), cancel: CancellationToken::new() }
    }

    /// Sets the token that stops the load early.
    #[must_use]
    pub fn cancelled_by(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// Returns whether the load should stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Returns the token that stops the load.
    pub fn cancel_token(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Reports a step.
    pub fn report(&self, event: ProgressEvent) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}
