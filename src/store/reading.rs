//! Where a person stopped reading, and the places in documentation that were marked.

use super::{Loaded, StoreError};
use crate::config::Paths;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Positions that are kept; the oldest go.
const MAX_POSITIONS: usize = 1000;
/// Marked places that are kept.
const MAX_BOOKMARKS: usize = 1000;

/// What is remembered of reading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// By `component:default/checkout runbook.md`.
    #[serde(default)]
    pub positions: BTreeMap<String, Position>,
    /// In the order they were made.
    #[serde(default)]
    pub bookmarks: Vec<Bookmark>,
}

/// A place in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// 1-based line of the source.
    pub line: u32,
    /// When, in seconds since 1970.
    pub at: i64,
}

/// A marked place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Canonical ref.
    pub entity: String,
    /// Path of the page, with `#anchor` behind it.
    pub page: String,
    /// What it is called.
    pub title: String,
}

impl Reading {
    /// Returns the key of a page.
    pub fn key(entity: &str, page: &str) -> String {
        format!("{entity} {page}")
    }

    /// Notes where reading stopped; the top of a page is nothing to remember.
    pub fn stop_at(&mut self, entity: &str, page: &str, line: u32, now: i64) {
        let key = Self::key(entity, page);
        if line <= 1 {
            self.positions.remove(&key);
            return;
        }
        self.positions.insert(key, Position { line, at: now });
        while self.positions.len() > MAX_POSITIONS {
            let oldest = self.positions.iter().min_by_key(|(_, position)| position.at);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            self.positions.remove(&key);
        }
    }

    /// Sets or takes back a mark.
    pub fn mark(&mut self, bookmark: &Bookmark, is_set: bool) {
        self.bookmarks.retain(|known| known.entity != bookmark.entity || known.page != bookmark.page);
        if is_set {
            self.bookmarks.truncate(MAX_BOOKMARKS - 1);
            self.bookmarks.push(bookmark.clone());
        }
    }
}

fn file(paths: &Paths) -> PathBuf {
    paths.state.join("reading.json")
}

/// Reads what is remembered.
pub fn load(paths: &Paths) -> Loaded<Reading> {
    super::load(&file(paths))
}

/// Changes what is remembered; other instances keep theirs.
///
/// # Errors
/// When the state folder cannot be written.
pub fn update(paths: &Paths, change: impl FnOnce(&mut Reading)) -> Result<Loaded<Reading>, StoreError> {
    super::update(&file(paths), change)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_positions_go() {
        let mut reading = Reading::default();
        for at in 0..=MAX_POSITIONS as i64 {
            reading.stop_at("component:default/a", &format!("{at}.md"), 9, at);
        }
        assert_eq!(reading.positions.len(), MAX_POSITIONS);
        assert!(!reading.positions.contains_key("component:default/a 0.md"));
        reading.stop_at("component:default/a", "5.md", 1, 9);
        assert!(!reading.positions.contains_key("component:default/a 5.md"));
    }

    #[test]
    fn marks_are_set_once_and_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state: folder.path().to_owned(), ..Paths::new(&|_| None) };
        let mark =
            Bookmark { entity: "component:default/a".into(), page: "b.md#c".into(), title: "C".into() };
        for is_set in [true, true] {
            update(&paths, |reading| reading.mark(&mark, is_set)).unwrap();
        }
        assert_eq!(load(&paths).value.bookmarks, std::slice::from_ref(&mark));
        update(&paths, |reading| reading.mark(&mark, false)).unwrap();
        assert_eq!(load(&paths).value, Reading::default());
    }
}
