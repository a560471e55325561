//! Labels on what is visible and can be followed: type one to go there.

use crate::app::docs::{Placed, Thing};

/// Letters of labels, those under the fingers first.
const LETTERS: &[u8] = b"asdfghjklqwertyuiopzxcvbnm";

/// Labels while they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Labels {
    /// What was typed of a label.
    pub typed: String,
    /// Each label with its place.
    pub items: Vec<(String, Placed)>,
}

impl Labels {
    /// Gives each thing a label of equal length, so that none is the beginning of another.
    pub(super) fn new(things: impl Iterator<Item = Placed>) -> Self {
        let things: Vec<Placed> = things.take(LETTERS.len() * LETTERS.len()).collect();
        let is_long = things.len() > LETTERS.len();
        let letter = |at: usize| LETTERS.get(at % LETTERS.len()).map_or('a', |byte| char::from(*byte));
        let label = |at: usize| {
            if is_long {
                format!("{}{}", letter(at / LETTERS.len()), letter(at))
            } else {
                letter(at).to_string()
            }
        };
        Self {
            typed: String::new(),
            items: things.into_iter().enumerate().map(|(at, thing)| (label(at), thing)).collect(),
        }
    }

    /// Takes a letter. `Err`: no label begins so; `Ok(Some)`: this thing was meant.
    pub(super) fn typed(&mut self, letter: char) -> Result<Option<Thing>, ()> {
        self.typed.extend(letter.to_lowercase());
        let mut left = self.items.iter().filter(|(label, _)| label.starts_with(&self.typed));
        match left.next() {
            None => Err(()),
            Some((label, placed)) if *label == self.typed => Ok(Some(placed.thing)),
            Some(_) => Ok(None),
        }
    }
}
