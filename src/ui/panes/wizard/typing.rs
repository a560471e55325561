//! The focused field while somebody types into it: the line, the choices, which of them is chosen.
//!
//! Nothing here changes an answer; [`Typing::taken`] says what leaving the field comes to.

use super::fields::{OFFERS, Offer};
use crate::app::event::Generation;
use crate::app::input::{Key, KeyCode};
use crate::app::line_input::LineInput;
use crate::scaffolder::Value;
use crate::scaffolder::form::{Choice, Field, Widget};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What is typed into the focused field.
#[derive(Debug, Clone, Default)]
pub struct Typing {
    /// Pointer of the field.
    pub pointer: String,
    /// The line.
    pub input: LineInput,
    /// Something was typed since the field got the focus.
    pub is_dirty: bool,
    /// What there is to choose from for what is typed, the best first.
    pub choices: Vec<Choice>,
    /// The chosen one.
    pub chosen: Option<usize>,
    /// The search for choices that is awaited or answered.
    pub generation: Generation,
    /// The answer is still awaited.
    pub is_pending: bool,
    /// Why there are no choices.
    pub failure: String,
    kind: Kind,
}

/// How a field takes what is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kind {
    /// As it is.
    #[default]
    Line,
    /// One of the choices; with `is_free` any text.
    One { is_free: bool },
    /// Several of the choices; with `is_free` any text.
    Several { is_free: bool },
    /// Nothing is typed.
    None,
}

/// What leaving a field comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Taken {
    /// The answer stays.
    Same,
    /// This value.
    Value(Value),
    /// This text, as typed.
    Text(String),
    /// No answer.
    Nothing,
    /// One more of several, or one less.
    Toggled(Value),
}

impl Typing {
    /// Begins with a field.
    pub fn new(field: &Field) -> Self {
        let kind = match &field.widget {
            _ if field.is_disabled => Kind::None,
            Widget::Line | Widget::Secret | Widget::Number { .. } | Widget::Text { .. } => Kind::Line,
            Widget::Choice { .. } => Kind::One { is_free: false },
            Widget::Several { .. } => Kind::Several { is_free: false },
            Widget::Picker { is_multiple: false, is_free } => Kind::One { is_free: *is_free },
            Widget::Picker { is_multiple: true, is_free } => Kind::Several { is_free: *is_free },
            Widget::Toggle | Widget::Repo | Widget::Object { .. } | Widget::List { .. } | Widget::Note => {
                Kind::None
            }
        };
        // asterisks cannot be edited, and a text of several lines is no line
        let is_editable = match &field.widget {
            Widget::Secret => false,
            Widget::Text { .. } => !field.text.contains('\n'),
            _ => !matches!(kind, Kind::Several { .. }),
        };
        let input = if is_editable { LineInput::new(field.text.as_str()) } else { LineInput::default() };
        let mut typing = Self { pointer: field.pointer.clone(), input, kind, ..Self::default() };
        typing.narrow(field);
        typing.chosen = match kind {
            Kind::One { .. } => typing.choices.iter().position(|choice| choice.value == field.value),
            Kind::Several { .. } => (!typing.choices.is_empty()).then_some(0),
            Kind::Line | Kind::None => None,
        };
        typing
    }

    /// Returns whether there is a line to type into.
    pub fn has_line(&self) -> bool {
        self.kind != Kind::None
    }

    /// Returns whether the text in the box is what is typed and not the answer.
    pub fn shows_input(&self) -> bool {
        match self.kind {
            Kind::Line => true,
            Kind::One { .. } | Kind::Several { .. } => self.is_dirty,
            Kind::None => false,
        }
    }

    /// Returns what to look for.
    pub fn searched(&self) -> &str {
        if self.is_dirty { self.input.text().trim() } else { "" }
    }

    /// Takes a key of the line; returns whether it was one.
    pub fn key(&mut self, key: Key, field: &Field) -> bool {
        if self.kind == Kind::None {
            return false;
        }
        let starts_anew = !self.is_dirty && self.kind != Kind::Line;
        if starts_anew && (key.typed().is_some() || key.code == KeyCode::Backspace) {
            // what is picked goes as a whole
            self.input = LineInput::default();
        } else if !self.is_dirty && matches!(field.widget, Widget::Secret) && key.typed().is_none() {
            // asterisks are cleared as a whole
            self.is_dirty |= matches!(key.code, KeyCode::Backspace | KeyCode::Delete);
            return self.is_dirty;
        } else if matches!(field.widget, Widget::Text { .. }) && field.text.contains('\n') {
            // several lines are for the editor
            return key.typed().is_some();
        }
        let before = self.input.text().to_owned();
        if !self.input.key(key) {
            return false;
        }
        if before != self.input.text() || starts_anew && key.code == KeyCode::Backspace {
            self.typed(field);
        }
        true
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str, field: &Field) {
        if self.kind == Kind::None {
            return;
        }
        if !self.is_dirty && self.kind != Kind::Line {
            self.input = LineInput::default();
        }
        self.input.paste(text.trim_end_matches('\n'));
        self.typed(field);
    }

    fn typed(&mut self, field: &Field) {
        self.is_dirty = true;
        self.narrow(field);
    }

    /// Chooses among what the field itself has; lookups answer later.
    pub fn narrow(&mut self, field: &Field) {
        let (Widget::Choice { choices, .. } | Widget::Several { choices }) = &field.widget else { return };
        self.choices = matching(choices, self.searched());
        self.choose_first();
    }

    /// Takes choices that were looked up.
    pub fn offer(&mut self, choices: Vec<Choice>, field: &Field) {
        let on = self.chosen.and_then(|at| self.choices.get(at)).map(|choice| choice.value.clone());
        self.choices = choices;
        self.is_pending = false;
        self.failure.clear();
        self.chosen = on.and_then(|on| self.choices.iter().position(|choice| choice.value == on));
        if self.chosen.is_none() {
            self.choose_first();
        }
        if self.chosen.is_none() && !self.is_dirty {
            self.chosen = match self.kind {
                Kind::One { .. } => self.choices.iter().position(|choice| choice.value == field.value),
                _ => None,
            };
        }
    }

    /// Where only the choices will do, the best is chosen as soon as something is typed.
    fn choose_first(&mut self) {
        let is_closed = matches!(self.kind, Kind::One { is_free: false } | Kind::Several { is_free: false });
        let is_several = matches!(self.kind, Kind::Several { .. });
        let is_first =
            (is_closed && self.is_dirty && !self.input.is_empty()) || (is_several && !self.is_dirty);
        self.chosen = (is_first && !self.choices.is_empty()).then_some(0);
    }

    /// Moves among the choices; returns false when there is no further one that way.
    pub fn step(&mut self, is_down: bool) -> bool {
        let last = self.choices.len();
        if last == 0 || matches!(self.kind, Kind::Line | Kind::None) {
            return false;
        }
        match (self.chosen, is_down) {
            (None, true) => self.chosen = Some(0),
            (Some(at), true) => self.chosen = Some((at + 1).min(last - 1)),
            (None | Some(0), false) => return false,
            (Some(at), false) => self.chosen = Some(at - 1),
        }
        true
    }

    /// Returns what leaving the field comes to.
    pub fn taken(&self, field: &Field) -> Taken {
        let chosen = self.chosen.and_then(|at| self.choices.get(at)).filter(|choice| !choice.is_disabled);
        let typed = self.input.text().trim();
        match self.kind {
            Kind::None => Taken::Same,
            Kind::Line if !self.is_dirty => Taken::Same,
            Kind::Line => Taken::Text(self.input.text().to_owned()),
            Kind::One { .. } => match chosen {
                Some(choice) if choice.value == field.value => Taken::Same,
                Some(choice) => Taken::Value(choice.value.clone()),
                None if !self.is_dirty => Taken::Same,
                None if typed.is_empty() => Taken::Nothing,
                None => self.exact(typed).map_or_else(|| Taken::Text(typed.to_owned()), Taken::Value),
            },
            Kind::Several { is_free } => match chosen {
                _ if !self.is_dirty || typed.is_empty() => Taken::Same,
                Some(choice) => Taken::Toggled(choice.value.clone()),
                None => match self.exact(typed) {
                    Some(value) => Taken::Toggled(value),
                    None if is_free => Taken::Toggled(Value::from(typed)),
                    None => Taken::Same,
                },
            },
        }
    }

    /// Returns the choice that the space bar switches, where several may be taken and nothing is typed.
    pub fn switched(&self) -> Option<Value> {
        let is_ready = matches!(self.kind, Kind::Several { .. }) && !self.is_dirty;
        let chosen = self.choices.get(self.chosen?).filter(|choice| is_ready && !choice.is_disabled);
        chosen.map(|choice| choice.value.clone())
    }

    /// Returns the choice whose label or value is what was typed.
    fn exact(&self, typed: &str) -> Option<Value> {
        let is_it = |choice: &&Choice| {
            choice.label.eq_ignore_ascii_case(typed) || choice.value.as_str() == Some(typed)
        };
        self.choices.iter().find(is_it).map(|choice| choice.value.clone())
    }

    /// Returns the choices that are shown, which of them is chosen, and how many there are beside them.
    pub fn offers(&self, field: &Field) -> (Vec<Offer>, Option<usize>, usize) {
        let first = self.chosen.map_or(0, |at| (at + 1).saturating_sub(OFFERS - 1)).min(self.choices.len());
        let first = first.min(self.choices.len().saturating_sub(OFFERS));
        let is_several = matches!(self.kind, Kind::Several { .. });
        let taken: Vec<Value> = field.value.try_iter().map(Iterator::collect).unwrap_or_default();
        let offer = |choice: &Choice| Offer {
            label: choice.label.clone(),
            detail: if choice.is_disabled { "cannot be chosen".to_owned() } else { choice.detail.clone() },
            checked: is_several.then(|| taken.contains(&choice.value)),
        };
        let offers: Vec<Offer> = self.choices.iter().skip(first).take(OFFERS).map(offer).collect();
        let more = self.choices.len() - offers.len();
        (offers, self.chosen.map(|at| at - first), more)
    }

    /// Chooses a shown choice by its place on the screen.
    pub fn choose_shown(&mut self, at: usize) {
        let first = self.chosen.map_or(0, |at| (at + 1).saturating_sub(OFFERS - 1));
        let first = first.min(self.choices.len().saturating_sub(OFFERS));
        if first + at < self.choices.len() {
            self.chosen = Some(first + at);
        }
    }
}

/// Returns the choices whose labels hold the letters in order, the best first.
fn matching(choices: &[Choice], typed: &str) -> Vec<Choice> {
    if typed.is_empty() {
        return choices.to_vec();
    }
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize, &Choice)> = choices
        .iter()
        .enumerate()
        .filter_map(|(at, choice)| {
            Some((pattern.score(Utf32Str::new(&choice.label, &mut buffer), &mut matcher)?, at, choice))
        })
        .collect();
    scored.sort_by_key(|(score, at, _)| (std::cmp::Reverse(*score), *at));
    scored.into_iter().map(|(.., choice)| choice.clone()).collect()
}
