//! The merged stream: written by readers, looked at by the screen, never waited for.

use super::{Line, LineId, Query, Request, Save, Status};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

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

    /// Returns lines by number, those on disk too; on the pool, never on the screen's thread.
    pub fn read(&self, ids: Range<LineId>) -> Vec<(LineId, Arc<Line>)> {
        self.lines(ids)
    }

    /// Writes lines, those on disk too; on the pool. Returns how many.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&self, save: &Save, out: &mut dyn std::io::Write) -> std::io::Result<u64> {
        let lines = self.read(save.ids.clone());
        let mut written = 0;
        for (_, line) in lines.iter().filter(|(_, l)| save.query.as_ref().is_none_or(|q| q.matches(l))) {
            writeln!(out, "{}", line.text)?;
            written += 1;
        }
        Ok(written)
    }

    /// Returns the numbers of the lines that match, in order, those on disk too; on the pool, never on the
    /// screen's thread.
    pub fn find(&self, query: &Query, ids: Range<LineId>, cancel: &CancellationToken) -> Vec<LineId> {
        const STEP: u64 = 4096;
        let mut found = Vec::new();
        let mut start = ids.start;
        while start < ids.end && !cancel.is_cancelled() {
            let end = ids.end.min(start + STEP);
            let lines = self.lines(start..end);
            found.extend(lines.iter().filter(|(_, line)| query.matches(line)).map(|(id, _)| *id));
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

    /// Changes the status: sources joined, ended, failed.
    pub fn set_status(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock().status);
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
