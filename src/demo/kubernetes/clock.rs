//! The time of the demo world: the real one, or one that tests step.

use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A clock.
#[derive(Debug)]
pub struct Clock {
    /// Microseconds of a stepped clock; `i64::MIN` for the real one.
    stepped: AtomicI64,
    /// Microseconds that the servers' clock is ahead.
    skew: AtomicI64,
}

const REAL: i64 = i64::MIN;

impl Clock {
    /// Returns a clock that runs by itself.
    pub fn real() -> Self {
        Self { stepped: AtomicI64::new(REAL), skew: AtomicI64::new(0) }
    }

    /// Returns a clock that stands until it is stepped.
    pub fn stepped(start: Timestamp) -> Self {
        Self { stepped: AtomicI64::new(start.as_microsecond()), skew: AtomicI64::new(0) }
    }

    /// Returns whether only [`Self::step`] moves it.
    pub fn is_stepped(&self) -> bool {
        self.stepped.load(Ordering::Relaxed) != REAL
    }

    /// Returns the time the servers believe it is.
    pub fn now(&self) -> Timestamp {
        let stepped = self.stepped.load(Ordering::Relaxed);
        let base = if stepped == REAL { Timestamp::now().as_microsecond() } else { stepped };
        let micros = base.saturating_add(self.skew.load(Ordering::Relaxed));
        Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Moves a stepped clock.
    pub fn step(&self, by: Duration) {
        if self.is_stepped() {
            self.stepped.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }

    /// Sets how far the servers' clock is ahead.
    pub fn skew(&self, by: SignedDuration) {
        self.skew.store(i64::try_from(by.as_micros()).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Returns a time as objects have it: whole seconds.
pub fn seconds(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

/// Returns a time so many seconds later.
pub fn later(time: Timestamp, by: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(by)).unwrap_or(time)
}

/// Returns the seconds from one time to another.
pub fn between(from: Timestamp, to: Timestamp) -> i64 {
    to.as_second() - from.as_second()
}

/// Reads a time of an object.
pub fn parse(value: &serde_json::Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}
