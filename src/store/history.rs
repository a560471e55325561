//! The places a person went to: when last, and how often.

use super::{Loaded, StoreError};
use crate::config::Paths;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How many places are remembered.
const MAX_PLACES: usize = 200;

/// One place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The place as a palette line without its colon: `open component:default/checkout`.
    pub place: String,
    /// When it was last opened, seconds since 1970 UTC.
    pub last: i64,
    /// How often it was opened.
    pub count: u32,
}

/// Places, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// At most 200.
    #[serde(default)]
    pub visits: Vec<Visit>,
}

impl History {
    /// Notes that a place was opened at a time (seconds since 1970 UTC).
    pub fn visit(&mut self, place: &str, now: i64) {
        let before = self.visits.iter().position(|visit| visit.place == place);
        let count = before.map_or(0, |at| self.visits.remove(at).count);
        let visit = Visit { place: place.to_owned(), last: now, count: count.saturating_add(1) };
        self.visits.insert(0, visit);
        self.visits.truncate(MAX_PLACES);
    }
}

fn file(paths: &Paths) -> PathBuf {
    paths.state.join("history.json")
}

/// Reads the history.
pub fn load(paths: &Paths) -> Loaded<History> {
    super::load(&file(paths))
}

/// Notes visits, oldest first, each with its time; returns the history with those of other instances.
///
/// # Errors
/// When the state folder cannot be written.
pub fn add(paths: &Paths, visits: &[(String, i64)]) -> Result<Loaded<History>, StoreError> {
    super::update(&file(paths), |history: &mut History| {
        for (place, now) in visits {
            history.visit(place, *now);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_comes_first_and_counts_add_up() {
        let mut history = History::default();
        for (place, now) in [("a", 1), ("b", 2), ("a", 3)] {
            history.visit(place, now);
        }
        let shown: Vec<_> = history.visits.iter().map(|v| (v.place.as_str(), v.last, v.count)).collect();
        assert_eq!(shown, [("a", 3, 2), ("b", 2, 1)]);
        (0..500).for_each(|i| history.visit(&format!("p{i}"), i));
        assert_eq!(history.visits.len(), MAX_PLACES);
    }

    #[test]
    fn two_instances_keep_each_others_visits() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state: folder.path().to_owned(), ..Paths::new(&|_| None) };
        add(&paths, &[("a".into(), 1), ("b".into(), 2)]).unwrap();
        add(&paths, &[("a".into(), 3)]).unwrap();
        let places: Vec<String> = load(&paths).value.visits.into_iter().map(|v| v.place).collect();
        assert_eq!(places, ["a", "b"]);
    }
}
