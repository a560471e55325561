//! Strings that repeat over objects, kept once.

use rustc_hash::FxHashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Longer strings hardly repeat; keeping them here would only cost.
const LONGEST: usize = 256;

/// Shares equal strings among all objects of a hub.
///
/// Strings that no object uses any more are dropped whenever the pool has doubled, so it stays as large as what
/// is alive.
#[derive(Debug, Default)]
pub struct Pool {
    strings: Mutex<Strings>,
}

#[derive(Debug, Default)]
struct Strings {
    known: FxHashSet<Arc<str>>,
    sweep_at: usize,
}

impl Pool {
    /// Returns the one shared string equal to this.
    pub fn share(&self, text: &str) -> Arc<str> {
        if text.len() > LONGEST {
            return text.into();
        }
        let mut strings = self.strings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = strings.known.get(text) {
            return known.clone();
        }
        strings.sweep();
        let shared: Arc<str> = text.into();
        strings.known.insert(shared.clone());
        shared
    }

    /// Returns how many strings are kept.
    pub fn len(&self) -> usize {
        self.strings.lock().unwrap_or_else(PoisonError::into_inner).known.len()
    }

    /// Returns whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Strings {
    fn sweep(&mut self) {
        if self.known.len() < self.sweep_at.max(4096) {
            return;
        }
        self.known.retain(|text| Arc::strong_count(text) > 1);
        self.sweep_at = self.known.len() * 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_strings_are_one() {
        let pool = Pool::default();
        assert!(Arc::ptr_eq(&pool.share("shop"), &pool.share("shop")));
        assert_eq!(pool.len(), 1);
    }

    #[test]
    fn forgets_what_nobody_uses() {
        let pool = Pool::default();
        let kept = pool.share("kept");
        for number in 0..50_000 {
            pool.share(&number.to_string());
        }
        assert!(pool.len() < 5000, "{}", pool.len());
        assert!(Arc::ptr_eq(&kept, &pool.share("kept")));
    }
}
