//! Cursor, scrolling and marks of a list, without knowing what the rows are.

use super::commands::{CommandId, id};
use std::collections::BTreeSet;

/// State of a list of rows numbered from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListState {
    /// Focused row.
    pub cursor: usize,
    /// First visible row.
    pub offset: usize,
    /// Row where a range began.
    pub anchor: Option<usize>,
}

impl ListState {
    /// Carries out a movement command over `len` rows of which `height` are visible; returns whether
    /// it was one.
    pub fn command(&mut self, command: CommandId, len: usize, height: usize) -> bool {
        let page = height.max(1);
        let half = (page / 2).max(1);
        let last = len.saturating_sub(1);
        self.cursor = match command {
            id::DOWN | id::NEXT_MATCH => self.cursor.saturating_add(1),
            id::UP | id::PREVIOUS_MATCH => self.cursor.saturating_sub(1),
            id::TOP => 0,
            id::BOTTOM => last,
            id::HALF_DOWN => self.cursor.saturating_add(half),
            id::HALF_UP => self.cursor.saturating_sub(half),
            id::PAGE_DOWN => self.cursor.saturating_add(page),
            id::PAGE_UP => self.cursor.saturating_sub(page),
            _ => return false,
        };
        self.clamp(len, height);
        true
    }

    /// Moves the cursor to a row.
    pub fn select(&mut self, row: usize, len: usize, height: usize) {
        self.cursor = row;
        self.clamp(len, height);
    }

    /// Scrolls by rows without leaving the ends; the cursor stays visible.
    pub fn scroll(&mut self, by: isize, len: usize, height: usize) {
        self.offset = self.offset.saturating_add_signed(by).min(len.saturating_sub(height));
        self.cursor = self.cursor.clamp(self.offset, (self.offset + height.max(1)).saturating_sub(1));
        self.clamp(len, height);
    }

    /// Keeps cursor and offset inside `len` rows and the cursor inside the `height` visible ones.
    pub fn clamp(&mut self, len: usize, height: usize) {
        self.cursor = self.cursor.min(len.saturating_sub(1));
        let height = height.max(1);
        if self.cursor < self.offset {
            self.offset = self.cursor;
        } else if self.cursor >= self.offset + height {
            self.offset = self.cursor + 1 - height;
        }
        self.offset = self.offset.min(len.saturating_sub(height));
    }

    /// Returns the rows between the range's beginning and the cursor, both included.
    pub fn range(&self) -> Option<std::ops::RangeInclusive<usize>> {
        self.anchor.map(|anchor| anchor.min(self.cursor)..=anchor.max(self.cursor))
    }
}

/// Marks by name, so that they survive refresh and sorting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(pub BTreeSet<String>);

impl Marks {
    /// Marks a name, or unmarks it.
    pub fn toggle(&mut self, name: &str) {
        if !self.0.remove(name) {
            self.0.insert(name.to_owned());
        }
    }

    /// Returns whether a name is marked.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn moves_and_scrolls() {
        let mut list = ListState::default();
        for _ in 0..12 {
            list.command(id::DOWN, 20, 5);
        }
        assert_eq!((list.cursor, list.offset), (12, 8));
        list.command(id::TOP, 20, 5);
        assert_eq!((list.cursor, list.offset), (0, 0));
        list.command(id::BOTTOM, 20, 5);
        assert_eq!((list.cursor, list.offset), (19, 15));
    }

    proptest! {
        #[test]
        fn cursor_is_always_a_visible_row(
            commands in prop::collection::vec(0usize..8, 0..60), len in 0usize..50, height in 0usize..20
        ) {
            let all = [id::DOWN, id::UP, id::TOP, id::BOTTOM, id::HALF_DOWN, id::HALF_UP, id::PAGE_DOWN, id::PAGE_UP];
            let mut list = ListState::default();
            for c in commands {
                list.command(all[c], len, height);
                prop_assert!(list.cursor < len.max(1));
                prop_assert!(list.cursor >= list.offset && list.cursor < list.offset + height.max(1));
            }
        }
    }
}
