//! The merged stream: written by readers, looked at by the screen, never waited for.

use super::{Line, LineId, Request, Status};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Which lines are looked for.
#[derive(Debug, Clone)]
pub struct Query {
    /// A line must match, or must not when negated.
    pub pattern: regex::Regex,
    /// Lines that do not match are looked for.
    pub is_negated: bool,
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.pattern.as_str() == other.pattern.as_str() && self.is_negated == other.is_negated
    }
}

/// The merged stream of many containers. Dropping the last handle ends the reading.
#[derive(Debug, Default)]
pub struct Stream {
    inner: Mutex<Inner>,
    cancel: CancellationToken,
}

#[derive(Debug, Default)]
struct Inner {
    status: Status,
    lines: VecDeque<Arc<Line>>,
}

impl Stream {
    /// Creates an empty stream for a request.
    pub fn new(_request: Request) -> Self {
        Self::default()
    }

    /// Returns how it is now.
    pub fn status(&self) -> Status {
        self.lock().status.clone()
    }

    /// Returns lines by number; those that are not kept are left out.
    pub fn lines(&self, ids: Range<LineId>) -> Vec<(LineId, Arc<Line>)> {
        let inner = self.lock();
        let kept = &inner.status.lines;
        let ids = ids.start.max(kept.start)..ids.end.min(kept.end);
        ids.filter_map(|id| Some((id, inner.lines.get((id - kept.start) as usize)?.clone()))).collect()
    }

    /// Returns the numbers of the lines that match, in order; on the pool, never on the screen's thread.
    pub fn find(&self, query: &Query, ids: Range<LineId>, cancel: &CancellationToken) -> Vec<LineId> {
        const STEP: u64 = 4096;
        let mut found = Vec::new();
        let mut start = ids.start;
        while start < ids.end && !cancel.is_cancelled() {
            let end = ids.end.min(start + STEP);
            let lines = self.lines(start..end);
            found.extend(
                lines
                    .iter()
                    .filter(|(_, l)| query.pattern.is_match(&l.text) != query.is_negated)
                    .map(|(id, _)| *id),
            );
            start = end;
        }
        found
    }

    /// Appends a line.
    pub fn push(&self, line: Line) {
        let mut inner = self.lock();
        inner.lines.push_back(Arc::new(line));
        inner.status.lines.end += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
