//! One line of text being typed, with readline keys. Pasted text is always literal.

use super::input::{Key, KeyCode};
use tui_input::{Input, InputRequest};

/// Longest text a line takes, in characters; more is ignored.
const MAX_CHARS: usize = 1000;

/// A line with a cursor.
#[derive(Debug, Clone, Default)]
pub struct LineInput(Input);

impl PartialEq for LineInput {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text() && self.0.cursor() == other.0.cursor()
    }
}

impl LineInput {
    /// Creates a line with the cursor at its end.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Input::new(text.into()))
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        self.0.value()
    }

    /// Returns the text in front of the cursor.
    pub fn before_cursor(&self) -> &str {
        let end = self.text().char_indices().nth(self.0.cursor()).map_or(self.text().len(), |(i, _)| i);
        self.text().get(..end).unwrap_or("")
    }

    /// Returns whether nothing is typed.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// Puts in text as it is; newlines become spaces.
    pub fn paste(&mut self, text: &str) {
        for c in text.chars().map(|c| if c.is_control() { ' ' } else { c }) {
            self.insert(c);
        }
    }

    /// Takes a key; returns whether it was an editing key.
    pub fn key(&mut self, key: Key) -> bool {
        if let Some(c) = key.typed() {
            self.insert(c);
            return true;
        }
        let request = match (key.code, key.ctrl, key.alt) {
            (KeyCode::Backspace, false, false) | (KeyCode::Char('h'), true, _) => {
                InputRequest::DeletePrevChar
            }
            (KeyCode::Delete, false, false) => InputRequest::DeleteNextChar,
            (KeyCode::Left, false, false) => InputRequest::GoToPrevChar,
            (KeyCode::Right, false, false) => InputRequest::GoToNextChar,
            (KeyCode::Left, ..) | (KeyCode::Char('b'), _, true) => InputRequest::GoToPrevWord,
            (KeyCode::Right, ..) | (KeyCode::Char('f'), _, true) => InputRequest::GoToNextWord,
            (KeyCode::Home, ..) | (KeyCode::Char('a'), true, _) => InputRequest::GoToStart,
            (KeyCode::End, ..) | (KeyCode::Char('e'), true, _) => InputRequest::GoToEnd,
            (KeyCode::Char('w'), true, _) | (KeyCode::Backspace, ..) => InputRequest::DeletePrevWord,
            (KeyCode::Char('d'), _, true) => InputRequest::DeleteNextWord,
            (KeyCode::Char('u'), true, _) => InputRequest::DeleteLine,
            (KeyCode::Char('k'), true, _) => InputRequest::DeleteTillEnd,
            _ => return false,
        };
        self.0.handle(request);
        true
    }

    fn insert(&mut self, c: char) {
        if self.text().chars().count() < MAX_CHARS {
            self.0.handle(InputRequest::InsertChar(c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readline_keys_edit() {
        let mut line = LineInput::new("owner:pay team");
        line.key(Key::ctrl('w'));
        assert_eq!(line.text(), "owner:pay ");
        line.key(Key::ctrl('a'));
        line.key(Key::char('-'));
        assert_eq!(line.text(), "-owner:pay ");
        assert_eq!(line.before_cursor(), "-");
        line.key(Key::ctrl('k'));
        assert_eq!(line.text(), "-");
    }

    #[test]
    fn pasted_text_is_literal() {
        let mut line = LineInput::default();
        line.paste("a\nq\u{1b}");
        assert_eq!(line.text(), "a q ");
    }
}
