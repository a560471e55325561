//! A search over a stream that goes on as lines arrive: on the pool, piece by piece, newest lines first.
//!
//! One piece is asked for at a time, so that a search which is not wanted any more costs one piece at most.

use crate::app::context::Context;
use crate::app::event::{Effect, Generation, Shared};
use crate::kubernetes::logs::{LineId, Query, Stream};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// Lines looked at by one task: some milliseconds of work.
const PIECE: u64 = 16_384;

/// The lines that a query finds, as far as it has looked.
#[derive(Debug)]
pub struct Scan {
    query: Query,
    generation: Generation,
    found: VecDeque<LineId>,
    seen: Range<LineId>,
    pending: Option<Range<LineId>>,
}

impl Scan {
    /// Creates a search that begins at a line: forward to the end first, then back.
    pub fn new(query: Query, at: LineId, cx: &Context) -> Self {
        Self { query, generation: cx.next_generation(), found: VecDeque::new(), seen: at..at, pending: None }
    }

    /// Returns what it looks for.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Asks for the next piece of `lines`, unless one is on its way or all is seen.
    pub fn ask(&mut self, stream: &Arc<Stream>, lines: &Range<LineId>) -> Option<Effect> {
        self.forget_before(lines.start);
        if self.pending.is_some() {
            return None;
        }
        let ids = if self.seen.end < lines.end {
            self.seen.end..lines.end.min(self.seen.end + PIECE)
        } else if self.seen.start > lines.start {
            lines.start.max(self.seen.start.saturating_sub(PIECE))..self.seen.start
        } else {
            return None;
        };
        self.pending = Some(ids.clone());
        Some(Effect::FindInLogs {
            generation: self.generation,
            stream: Shared(stream.clone()),
            query: self.query.clone(),
            ids,
        })
    }

    /// Takes an answer; returns whether it was for this search.
    pub fn answer(&mut self, generation: Generation, ids: &[LineId]) -> bool {
        if generation != self.generation {
            return false;
        }
        let Some(piece) = self.pending.take() else { return false };
        if piece.start >= self.seen.end {
            self.seen.end = piece.end;
            self.found.extend(ids);
        } else {
            self.seen.start = piece.start;
            for id in ids.iter().rev() {
                self.found.push_front(*id);
            }
        }
        true
    }

    /// Drops what cannot be read any more.
    fn forget_before(&mut self, first: LineId) {
        while self.found.front().is_some_and(|id| *id < first) {
            self.found.pop_front();
        }
        let first_seen = self.seen.start.max(first);
        self.seen = first_seen..self.seen.end.max(first_seen);
    }

    /// Returns how many lines were found so far.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Returns whether all of `lines` was looked at.
    pub fn is_complete(&self, lines: &Range<LineId>) -> bool {
        self.seen.start <= lines.start && self.seen.end >= lines.end
    }

    /// Returns how many of the found lines come before this one.
    pub fn before(&self, id: LineId) -> usize {
        self.found.partition_point(|found| *found < id)
    }

    /// Returns whether a line was found.
    pub fn has(&self, id: LineId) -> bool {
        self.found.get(self.before(id)) == Some(&id)
    }

    /// Returns a found line by its position.
    pub fn get(&self, at: usize) -> Option<LineId> {
        self.found.get(at).copied()
    }

    /// Returns the first found line behind this one.
    pub fn next(&self, id: LineId) -> Option<LineId> {
        self.get(self.found.partition_point(|found| *found <= id))
    }

    /// Returns the last found line before this one.
    pub fn previous(&self, id: LineId) -> Option<LineId> {
        self.get(self.before(id).checked_sub(1)?)
    }

    /// Returns the first and the last found line.
    pub fn ends(&self) -> Option<(LineId, LineId)> {
        Some((*self.found.front()?, *self.found.back()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::panes::ALL;

    fn piece(effect: Option<Effect>) -> Range<LineId> {
        match effect {
            Some(Effect::FindInLogs { ids, .. }) => ids,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn looks_forward_first_then_back_and_goes_on_with_new_lines() {
        let cx = Context::new(ALL);
        let stream = Arc::new(Stream::default());
        let mut scan = Scan::new(Query::default(), 40_000, &cx);
        let all = 0..50_000;
        assert_eq!(piece(scan.ask(&stream, &all)), 40_000..50_000);
        assert_eq!(scan.ask(&stream, &all), None, "one at a time");
        assert!(!scan.answer(Generation(999), &[1]), "an answer to another search");
        assert!(scan.answer(scan.generation, &[41_000, 49_000]));
        assert_eq!(piece(scan.ask(&stream, &all)), 40_000 - PIECE..40_000);
        scan.answer(scan.generation, &[30_000]);
        assert_eq!(piece(scan.ask(&stream, &(0..50_010))), 50_000..50_010, "new lines come first");
        scan.answer(scan.generation, &[]);
        assert_eq!((scan.next(30_000), scan.previous(30_000)), (Some(41_000), None));
        assert_eq!((scan.before(49_000), scan.has(41_000), scan.has(41_001)), (2, true, false));
        assert!(!scan.is_complete(&all));
    }

    #[test]
    fn lines_that_are_gone_are_forgotten() {
        let cx = Context::new(ALL);
        let stream = Arc::new(Stream::default());
        let mut scan = Scan::new(Query::default(), 0, &cx);
        scan.ask(&stream, &(0..100));
        scan.answer(scan.generation, &[5, 50]);
        assert_eq!(piece(scan.ask(&stream, &(20..200))), 100..200);
        assert_eq!(scan.ends(), Some((50, 50)));
        // everything seen is gone meanwhile
        scan.answer(scan.generation, &[150]);
        assert_eq!(piece(scan.ask(&stream, &(1000..1010))), 1000..1010);
        assert_eq!(scan.len(), 0);
    }
}
