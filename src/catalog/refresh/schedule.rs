//! When a source is read again: its interval with jitter, longer and longer after failures.

use std::time::Duration;

/// First wait after a failure.
const FIRST_RETRY: Duration = Duration::from_secs(15);
/// Longest wait after failures.
const LONGEST_RETRY: Duration = Duration::from_secs(60 * 60);
/// Part of the interval that chance adds or takes away, so that many programs do not ask at once.
const JITTER: f64 = 0.1;

/// Returns how long to wait before a source is read again. `chance` is from 0 to 1.
pub fn wait(every: Duration, failures: u32, chance: f64) -> Duration {
    let base = match failures {
        0 => every,
        // a source that is rarely read is not asked more often because it fails
        failures => {
            let doubled = FIRST_RETRY.saturating_mul(1 << (failures - 1).min(16));
            doubled.min(LONGEST_RETRY).min(every.max(FIRST_RETRY))
        }
    };
    base.mul_f64(1.0 + JITTER * (2.0 * chance.clamp(0.0, 1.0) - 1.0))
}

/// Returns a number from 0 to 1 that differs from run to run and from source to source.
pub fn chance(of: &str) -> f64 {
    use std::hash::{BuildHasher as _, RandomState};
    (RandomState::new().hash_one(of) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_failures_and_stay_within_bounds() {
        let every = Duration::from_secs(600);
        let cases = [(0, 600), (1, 15), (2, 30), (3, 60), (6, 480), (7, 600), (40, 600)];
        for (failures, seconds) in cases {
            assert_eq!(wait(every, failures, 0.5).as_secs(), seconds, "{failures}");
        }
        let day = Duration::from_secs(24 * 3600);
        assert_eq!(wait(day, 30, 0.5), LONGEST_RETRY);
        assert_eq!(wait(Duration::from_secs(1), 3, 0.5), FIRST_RETRY);
    }

    #[test]
    fn chance_moves_a_wait_by_a_tenth_at_most() {
        let every = Duration::from_secs(100);
        assert_eq!((wait(every, 0, 0.0).as_secs(), wait(every, 0, 1.0).as_secs()), (90, 110));
        assert!((0.0..=1.0).contains(&chance("x")));
    }
}
