//! How a load tells what it is doing, and how it is told to stop.

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
