//! What is wrong with a template.

/// Why a text could not be rendered, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LanguageError {
    /// Counted from 1.
    pub line: u32,
    /// Counted from 1, in characters.
    pub column: u32,
    /// What is wrong; lower case, no final stop.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
}

/// What is wrong at a byte of a source, while the source is at hand.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) hint: String,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: String::new() }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Gives it line and column.
    pub(super) fn locate(self, source: &str) -> LanguageError {
        let (line, column) = place(source, self.at);
        LanguageError { line, column, message: self.message, hint: self.hint }
    }
}

/// Returns line and column of a byte, from 1, columns in characters.
pub(super) fn place(source: &str, at: usize) -> (u32, u32) {
    let mut at = at.min(source.len());
    while !source.is_char_boundary(at) {
        at -= 1;
    }
    let before = source.get(..at).unwrap_or_default();
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    (line as u32 + 1, column as u32 + 1)
}

/// Returns the known name that is most like the unknown one.
pub(super) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = if unknown.len() <= 5 { 1 } else { 2 + usize::from(unknown.len() > 10) };
    let distances = known
        .into_iter()
        .map(|name| (if is_shuffled(unknown, name) { 1 } else { distance(unknown, name) }, name));
    distances.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

/// The same letters in another order: `fro` for `for`.
fn is_shuffled(left: &str, right: &str) -> bool {
    let sorted = |text: &str| {
        let mut bytes = text.to_ascii_lowercase().into_bytes();
        bytes.sort_unstable();
        bytes
    };
    left.len() == right.len() && left.len() <= 64 && sorted(left) == sorted(right)
}

/// Counts the letters to insert, delete or replace.
fn distance(left: &str, right: &str) -> usize {
    if left.len() > 64 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.bytes().enumerate() {
        let mut diagonal = i;
        let mut last = i + 1;
        for (cell, r) in row.iter_mut().skip(1).zip(right.bytes()) {
            let next = (diagonal + usize::from(!l.eq_ignore_ascii_case(&r))).min(last + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, next);
            last = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
