//! What lies on top of a pane: help, palette, menus, questions. One type serves them all.
//!
//! An overlay is a titled list of [`Item`]s, each with the effects that choosing it has. Two ways to
//! choose: [`Mode::Typing`] filters while typing (help, palette, pickers), [`Mode::Letters`] chooses by
//! a letter (action menu, questions). Everything is data, so a test can read what a user would see.

use super::commands::{CommandId, id};
use super::event::{Effect, Generation};
use super::input::{Key, KeyCode};
use super::line_input::LineInput;
use super::list::ListState;
use crate::config::theme::Color;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Matcher, Utf32Str};

/// One choice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// What it is.
    pub label: String,
    /// More about it, dimmed.
    pub detail: String,
    /// Its key, shown at the side.
    pub keys: String,
    /// Letter that chooses it in [`Mode::Letters`].
    pub letter: Option<char>,
    /// Heading above it, when it differs from the item before.
    pub heading: &'static str,
    /// What choosing it does.
    pub effects: Vec<Effect>,
    /// Why it cannot be chosen; it stays visible with the reason.
    pub disabled: Option<String>,
    /// A switch that stays open: whether it is on.
    pub checked: Option<bool>,
}

impl Item {
    /// Creates an item with a label and its effects.
    pub fn new(label: impl Into<String>, effects: Vec<Effect>) -> Self {
        Self { label: label.into(), effects, ..Self::default() }
    }

    /// Sets the dimmed text.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Sets the letter.
    pub fn letter(mut self, letter: char) -> Self {
        self.letter = Some(letter);
        self
    }
}

/// How a choice is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Typing narrows the list.
    Typing,
    /// A letter chooses; `/` begins to narrow.
    Letters,
}

/// Which overlay it is, for drawing and for answers of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverlayKind {
    /// Actions with their keys.
    Help,
    /// Places, entities, actions.
    Palette,
    /// Any other choice.
    Menu,
    /// A question; the first item is the safe one.
    Question,
    /// A line to type; `enter` hands it to the pane as [`Effect::Choose`] of this command.
    Prompt(CommandId),
}

/// Something on top of a pane.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlay {
    /// Which one.
    pub kind: OverlayKind,
    /// Its title.
    pub title: String,
    /// Lines above the list.
    pub text: Vec<String>,
    /// How to choose.
    pub mode: Mode,
    /// What is typed.
    pub input: LineInput,
    /// All choices.
    pub items: Vec<Item>,
    /// Indices of the shown choices, best first when something is typed.
    pub shown: Vec<usize>,
    /// Cursor over `shown`.
    pub list: ListState,
    /// Effects when it is left without a choice.
    pub cancel: Vec<Effect>,
    /// Whether moving to an item carries out its effects at once (theme preview).
    pub is_preview: bool,
    /// What it is about is protected: it is painted so.
    pub is_protected: bool,
    /// Colour of the environment that it is about; `None` for the theme's own.
    pub colour: Option<Color>,
    /// The search that answers belong to.
    pub generation: Generation,
    /// Lines typed before, newest first; `up` on the first row walks them.
    pub history: Vec<String>,
    history_at: Option<usize>,
}

/// What an overlay wants after a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Stay open and do this.
    Stay(Vec<Effect>),
    /// Close and do this.
    Close(Vec<Effect>),
    /// The text typed changed (palette asks for entities).
    Typed,
    /// `enter` on a typed line (palette reads it as a place line first).
    Line(String),
}

impl Overlay {
    /// Creates an overlay showing all its items.
    pub fn new(kind: OverlayKind, title: impl Into<String>, mode: Mode, items: Vec<Item>) -> Self {
        let mut overlay = Self {
            kind,
            title: title.into(),
            text: Vec::new(),
            mode,
            input: LineInput::default(),
            items,
            shown: Vec::new(),
            list: ListState::default(),
            cancel: Vec::new(),
            is_preview: false,
            is_protected: false,
            colour: None,
            generation: Generation::default(),
            history: Vec::new(),
            history_at: None,
        };
        overlay.narrow();
        overlay
    }

    /// Creates a menu chosen by letters; items without one get the first free letter of their label.
    pub fn menu(title: impl Into<String>, mut items: Vec<Item>) -> Self {
        let mut used: Vec<char> = items.iter().filter_map(|item| item.letter).collect();
        used.extend(['j', 'k', 'g', 'G', 'q']);
        for item in items.iter_mut().filter(|item| item.letter.is_none()) {
            let label = item.label.to_lowercase();
            let mut letters = label.chars().chain('a'..='z').filter(char::is_ascii_alphanumeric);
            let free = letters.find(|c| !used.contains(c));
            item.letter = free;
            used.extend(free);
        }
        Self::new(OverlayKind::Menu, title, Mode::Letters, items)
    }

    /// Creates a question whose first answer is no.
    pub fn question(title: impl Into<String>, text: Vec<String>, yes: &str, effects: Vec<Effect>) -> Self {
        let items = vec![Item::new("no", Vec::new()).letter('n'), Item::new(yes, effects).letter('y')];
        Self { text, ..Self::new(OverlayKind::Question, title, Mode::Letters, items) }
    }

    /// Creates a prompt for a line of text.
    pub fn prompt(title: impl Into<String>, text: Vec<String>, command: CommandId) -> Self {
        Self { text, ..Self::new(OverlayKind::Prompt(command), title, Mode::Typing, Vec::new()) }
    }

    /// Returns the choice under the cursor.
    pub fn focused(&self) -> Option<&Item> {
        self.shown.get(self.list.cursor).and_then(|at| self.items.get(*at))
    }

    /// Takes a key; `height` is the number of visible rows.
    pub fn key(&mut self, key: Key, height: usize) -> Outcome {
        let before = self.list.cursor;
        let moved = match (key.code, key.ctrl) {
            (KeyCode::Up, false)
                if self.kind == OverlayKind::Palette && before == 0 && self.walk_history() =>
            {
                return Outcome::Typed;
            }
            (KeyCode::Up, false) | (KeyCode::Char('p' | 'k'), true) => Some(id::UP),
            (KeyCode::Down, false) | (KeyCode::Char('n' | 'j'), true) => Some(id::DOWN),
            (KeyCode::PageUp, _) => Some(id::PAGE_UP),
            (KeyCode::PageDown, _) => Some(id::PAGE_DOWN),
            (KeyCode::Char('d'), true) => Some(id::HALF_DOWN),
            (KeyCode::Char('u'), true) if self.mode == Mode::Letters => Some(id::HALF_UP),
            (KeyCode::Char('j'), false) if self.mode == Mode::Letters => Some(id::DOWN),
            (KeyCode::Char('k'), false) if self.mode == Mode::Letters => Some(id::UP),
            (KeyCode::Char('g') | KeyCode::Home, false) if self.mode == Mode::Letters => Some(id::TOP),
            (KeyCode::Char('G') | KeyCode::End, false) if self.mode == Mode::Letters => Some(id::BOTTOM),
            _ => None,
        };
        if let Some(command) = moved {
            self.list.command(command, self.shown.len(), height);
            return Outcome::Stay(self.preview(before));
        }
        match (key.code, self.mode) {
            (KeyCode::Esc, _) | (KeyCode::Char('q'), Mode::Letters) => {
                Outcome::Close(std::mem::take(&mut self.cancel))
            }
            (KeyCode::Enter, _) => self.choose_or_line(),
            (KeyCode::Tab, Mode::Typing) if self.kind == OverlayKind::Palette => {
                if let Some(label) = self.focused().map(|item| item.label.clone()) {
                    self.input = LineInput::new(format!("{label} "));
                }
                Outcome::Typed
            }
            (KeyCode::Char('/'), Mode::Letters) => {
                self.mode = Mode::Typing;
                Outcome::Stay(Vec::new())
            }
            (KeyCode::Char(' '), _) if self.focused().is_some_and(|item| item.checked.is_some()) => {
                self.choose()
            }
            (KeyCode::Char(c), Mode::Letters) if !key.ctrl && !key.alt => {
                let at =
                    self.shown.iter().position(|i| self.items.get(*i).is_some_and(|x| x.letter == Some(c)));
                match at {
                    Some(at) => {
                        self.list.cursor = at;
                        self.choose()
                    }
                    None => Outcome::Stay(Vec::new()),
                }
            }
            (_, Mode::Typing) if self.input.key(key) => {
                self.narrow();
                Outcome::Typed
            }
            _ => Outcome::Stay(Vec::new()),
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        if self.mode == Mode::Typing {
            self.input.paste(text);
            self.narrow();
        }
    }

    /// Chooses the row under the cursor.
    pub fn choose(&mut self) -> Outcome {
        let Some(at) = self.shown.get(self.list.cursor).copied() else { return Outcome::Stay(Vec::new()) };
        let Some(item) = self.items.get_mut(at) else { return Outcome::Stay(Vec::new()) };
        if let Some(reason) = &item.disabled {
            return Outcome::Stay(vec![Effect::Toast(super::event::Level::Info, reason.clone())]);
        }
        match &mut item.checked {
            Some(checked) => {
                *checked = !*checked;
                Outcome::Stay(item.effects.clone())
            }
            None => Outcome::Close(item.effects.clone()),
        }
    }

    /// Shows the items that match what is typed, best first.
    pub fn narrow(&mut self) {
        let typed = self.input.text().trim();
        self.shown = if typed.is_empty() {
            (0..self.items.len()).collect()
        } else {
            let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
            let mut matcher = Matcher::new(nucleo_matcher::Config::DEFAULT);
            let mut buffer = Vec::new();
            let mut scored: Vec<(u32, usize)> = self
                .items
                .iter()
                .enumerate()
                .filter_map(|(at, item)| {
                    let label = pattern.score(Utf32Str::new(&item.label, &mut buffer), &mut matcher);
                    let label = label.map(|s| s + 1000);
                    let detail = || pattern.score(Utf32Str::new(&item.detail, &mut buffer), &mut matcher);
                    label.or_else(detail).map(|score| (score, at))
                })
                .collect();
            scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
            scored.into_iter().map(|(_, at)| at).collect()
        };
        self.list = ListState::default();
    }

    fn choose_or_line(&mut self) -> Outcome {
        let takes_lines = matches!(self.kind, OverlayKind::Palette | OverlayKind::Prompt(_));
        if takes_lines && !self.input.text().trim().is_empty() {
            return Outcome::Line(self.input.text().trim().to_owned());
        }
        self.choose()
    }

    fn preview(&self, before: usize) -> Vec<Effect> {
        match self.focused() {
            Some(item) if self.is_preview && self.list.cursor != before => item.effects.clone(),
            _ => Vec::new(),
        }
    }

    fn walk_history(&mut self) -> bool {
        let at = self.history_at.map_or(0, |at| at + 1);
        let Some(line) = self.history.get(at).cloned() else { return false };
        self.history_at = Some(at);
        self.input = LineInput::new(line);
        self.narrow();
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::event::Level;

    fn toast(text: &str) -> Vec<Effect> {
        vec![Effect::Toast(Level::Info, text.to_owned())]
    }

    #[test]
    fn typing_narrows_and_enter_chooses() {
        let items = vec![Item::new("graph", toast("g")), Item::new("catalog", toast("c"))];
        let mut overlay = Overlay::new(OverlayKind::Help, "help", Mode::Typing, items);
        for c in "cat".chars() {
            assert_eq!(overlay.key(Key::char(c), 5), Outcome::Typed);
        }
        assert_eq!(overlay.key(Key::plain(KeyCode::Enter), 5), Outcome::Close(toast("c")));
    }

    #[test]
    fn letters_choose_at_once_and_are_unique() {
        let items = vec![Item::new("copy", toast("1")), Item::new("close", toast("2"))];
        let mut menu = Overlay::menu("x", items);
        assert_eq!(menu.items[0].letter, Some('c'));
        assert_eq!(menu.items[1].letter, Some('l'));
        assert_eq!(menu.key(Key::char('l'), 5), Outcome::Close(toast("2")));
    }

    #[test]
    fn a_question_is_answered_no_by_enter() {
        let mut question = Overlay::question("reset?", vec![], "reset", toast("gone"));
        assert_eq!(question.key(Key::plain(KeyCode::Enter), 5), Outcome::Close(vec![]));
    }

    #[test]
    fn a_disabled_item_says_why() {
        let item = Item { disabled: Some("read from a revision".into()), ..Item::new("edit", toast("x")) };
        let mut menu = Overlay::menu("x", vec![item]);
        assert_eq!(menu.key(Key::char('e'), 5), Outcome::Stay(toast("read from a revision")));
    }
}
