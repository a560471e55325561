//! The lines a source wrote last: tells those that come again after a reconnect from new ones.
//!
//! A server takes a time to go on from in whole seconds, and times of two outputs of a container need not be
//! in order. So the last second is asked for again, and the one before; each line in it is known by its time and a hash of
//! its text, as often as it was written.

use super::split::NO_TIME;
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher;

const SECOND: i64 = 1_000_000_000;

/// Lines that are remembered of a second; more come again rather than memory grows.
const MOST: usize = 500_000;

/// The lines a source wrote last.
#[derive(Debug, Default)]
pub(super) struct Recent {
    second: Option<i64>,
    now: Vec<(i64, u64)>,
    before: Vec<(i64, u64)>,
}

/// The lines that come again.
#[derive(Debug, Default)]
pub(super) struct Known {
    lines: FxHashMap<(i64, u64), u32>,
    /// Lines later than this are new.
    end: i64,
    /// How many came again.
    pub again: u64,
}

fn hash(text: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text);
    hasher.finish()
}

impl Recent {
    /// Takes a line that was handed on.
    pub fn add(&mut self, time: i64, text: &[u8]) {
        if time == NO_TIME {
            return;
        }
        let second = time.div_euclid(SECOND);
        match self.second {
            Some(now) if second == now + 1 => {
                self.before = std::mem::take(&mut self.now);
                self.second = Some(second);
            }
            Some(now) if second <= now => {}
            _ => {
                self.before.clear();
                self.now.clear();
                self.second = Some(second);
            }
        }
        let is_before = self.second.is_some_and(|now| second < now);
        let lines = if is_before { &mut self.before } else { &mut self.now };
        if lines.len() < MOST {
            lines.push((time, hash(text)));
        }
    }

    /// Returns the second to go on from; `None` before the first line.
    pub fn since(&self) -> Option<i64> {
        Some(self.second? - 1)
    }

    /// Returns whether a line was handed on.
    pub fn has(&self, time: i64, text: &[u8]) -> bool {
        let line = (time, hash(text));
        self.now.contains(&line) || self.before.contains(&line)
    }

    /// Returns the lines that will come again.
    pub fn known(&self) -> Known {
        let mut lines = FxHashMap::default();
        for line in self.before.iter().chain(&self.now) {
            *lines.entry(*line).or_default() += 1;
        }
        let end = self.now.iter().map(|(time, _)| *time).max().unwrap_or(NO_TIME);
        Known { lines, end, again: 0 }
    }
}

impl Known {
    /// Returns whether a line came before; each counts once.
    pub fn takes(&mut self, time: i64, text: &[u8], since: i64) -> bool {
        if self.lines.is_empty() {
            return false;
        }
        if let Some(count) = self.lines.get_mut(&(time, hash(text))) {
            *count -= 1;
            if *count == 0 {
                self.lines.remove(&(time, hash(text)));
            }
            self.again += 1;
            return true;
        }
        // servers that do not mind the time send everything again
        time != NO_TIME && time < since.saturating_mul(SECOND)
    }

    /// Returns whether everything that comes from now on is new.
    pub fn is_past(&self, time: i64) -> bool {
        self.lines.is_empty() || time.saturating_sub(self.end) > 2 * SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lines_at_the_same_time_count_as_often_as_they_came() {
        let mut recent = Recent::default();
        for (time, text) in [
            (5 * SECOND, "old"),
            (9 * SECOND, "a"),
            (10 * SECOND, "x"),
            (10 * SECOND, "x"),
            (9 * SECOND + 5, "late"),
        ] {
            recent.add(time, text.as_bytes());
        }
        assert_eq!(recent.since(), Some(9));
        let mut known = recent.known();
        let again = [
            (9 * SECOND, "a", true),
            (10 * SECOND, "x", true),
            (9 * SECOND + 5, "late", true),
            (9 * SECOND + 6, "later", false),
            (10 * SECOND, "x", true),
            (10 * SECOND, "x", false),
            (11 * SECOND, "y", false),
        ];
        for (time, text, is_known) in again {
            assert_eq!(known.takes(time, text.as_bytes(), 9), is_known, "{text}");
        }
        assert_eq!(known.again, 4);
        assert!(known.is_past(10 * SECOND));
    }
}
