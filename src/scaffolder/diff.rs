//! What changes in a file: line by line, for people, with a limit on the work.
//!
//! Start at [`FileDiff::of`]. Files that are no text, or too large, are told by their size only.

use super::run::FileChange;
use similar::{ChangeTag, TextDiff};
use std::time::Duration;

/// Largest text that is compared or shown line by line, in bytes.
const MAX_BYTES: usize = 512 * 1024;
/// Most lines of one file that are shown.
const MAX_LINES: usize = 5_000;
/// Unchanged lines shown around a change.
const AROUND: usize = 3;
/// Longest time for one file; what is found by then is right, if longer than need be.
const PATIENCE: Duration = Duration::from_millis(12);

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// It is in both.
    Same,
    /// It comes.
    Added,
    /// It goes.
    Removed,
    /// Not of the file: what was left out, or why nothing is shown.
    Note,
}

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// What it is.
    pub kind: LineKind,
    /// Number in the file before, from 1.
    pub old: Option<usize>,
    /// Number in the file after, from 1.
    pub new: Option<usize>,
    /// The text without its end.
    pub text: String,
}

/// How much of a file changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    /// Lines that come.
    pub added: usize,
    /// Lines that go.
    pub removed: usize,
    /// It is no text, or too large: nothing is known of lines.
    pub is_opaque: bool,
    /// There is a file, and it is the same.
    pub is_same: bool,
}

/// A comparison of a file with what is there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileDiff {
    /// Its lines.
    pub lines: Vec<DiffLine>,
    /// How much changes.
    pub amount: Amount,
}

impl FileDiff {
    /// Compares a file with what is there. Bounded in time and size.
    pub fn of(change: &FileChange) -> Self {
        let after = text(&change.content);
        let before = change.before.as_deref().map(text);
        match (before, after) {
            (None, Some(after)) => Self::new_file(after),
            (Some(Some(before)), Some(after)) if before == after => Self {
                amount: Amount { is_same: true, ..Amount::default() },
                ..Self::note("the same as what is there")
            },
            (Some(Some(before)), Some(after)) => Self::changed(before, after),
            (before, _) => {
                let is_same = change.before.as_deref() == Some(&*change.content);
                let size = |bytes: usize| format!("{bytes} bytes");
                let words = match (before, &change.before) {
                    (Some(_), Some(_)) if is_same => "the same as what is there".to_owned(),
                    (Some(_), Some(old)) => {
                        format!(
                            "no text to compare: {}, before {}",
                            size(change.content.len()),
                            size(old.len())
                        )
                    }
                    _ => format!("no text to show: {}", size(change.content.len())),
                };
                let amount = Amount { is_opaque: true, is_same, ..Amount::default() };
                Self { amount, ..Self::note(words) }
            }
        }
    }

    fn note(words: impl Into<String>) -> Self {
        let line = DiffLine { kind: LineKind::Note, old: None, new: None, text: words.into() };
        Self { lines: vec![line], amount: Amount::default() }
    }

    fn new_file(text: &str) -> Self {
        let added = text.lines().count();
        let line = |(at, text): (usize, &str)| DiffLine {
            kind: LineKind::Added,
            old: None,
            new: Some(at + 1),
            text: text.to_owned(),
        };
        let mut lines: Vec<DiffLine> = text.lines().enumerate().take(MAX_LINES).map(line).collect();
        if lines.is_empty() {
            lines = Self::note("an empty file").lines;
        }
        let mut diff = Self { lines, amount: Amount { added, ..Amount::default() } };
        diff.left_out(added);
        diff
    }

    fn changed(before: &str, after: &str) -> Self {
        let compared = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
        let mut diff = Self::default();
        let mut total = 0;
        for (at, group) in compared.grouped_ops(AROUND).iter().enumerate() {
            if at > 0 {
                diff.lines.extend(Self::note("…").lines);
            }
            for change in group.iter().flat_map(|op| compared.iter_changes(op)) {
                let kind = match change.tag() {
                    ChangeTag::Equal => LineKind::Same,
                    ChangeTag::Insert => LineKind::Added,
                    ChangeTag::Delete => LineKind::Removed,
                };
                diff.amount.added += usize::from(kind == LineKind::Added);
                diff.amount.removed += usize::from(kind == LineKind::Removed);
                total += 1;
                if diff.lines.len() < MAX_LINES {
                    diff.lines.push(DiffLine {
                        kind,
                        old: change.old_index().map(|at| at + 1),
                        new: change.new_index().map(|at| at + 1),
                        text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
                    });
                }
            }
        }
        diff.left_out(total);
        diff
    }

    fn left_out(&mut self, total: usize) {
        if total > MAX_LINES {
            self.lines.extend(Self::note(format!("… {} more lines", total - MAX_LINES)).lines);
        }
    }
}

/// Returns a file as text; `None` when it is none or too large.
fn text(bytes: &[u8]) -> Option<&str> {
    let is_text = bytes.len() <= MAX_BYTES && !bytes.contains(&0);
    is_text.then(|| std::str::from_utf8(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&[u8]>, after: &[u8]) -> FileChange {
        FileChange {
            path: "a".to_owned(),
            is_executable: false,
            mode: 0o644,
            content: after.into(),
            before: before.map(Into::into),
        }
    }

    #[test]
    fn a_new_file_is_all_added() {
        let diff = FileDiff::of(&change(None, b"one\ntwo\n"));
        assert_eq!((diff.amount.added, diff.amount.removed), (2, 0));
        assert!(diff.lines.iter().all(|line| line.kind == LineKind::Added));
    }

    #[test]
    fn a_changed_file_shows_what_comes_and_goes_with_numbers() {
        let before: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 10\n", "ten\n");
        let diff = FileDiff::of(&change(Some(before.as_bytes()), after.as_bytes()));
        let found: Vec<(LineKind, Option<usize>, Option<usize>)> = diff
            .lines
            .iter()
            .filter(|line| line.kind != LineKind::Same)
            .map(|line| (line.kind, line.old, line.new))
            .collect();
        assert_eq!(found, [(LineKind::Removed, Some(10), None), (LineKind::Added, None, Some(10))]);
        assert_eq!(diff.lines.len(), 8, "three lines around");
    }

    #[test]
    fn what_is_no_text_is_told_by_size() {
        let diff = FileDiff::of(&change(Some(b"\0\x01"), b"\0\x02\x03"));
        assert!(diff.amount.is_opaque && !diff.amount.is_same);
        assert_eq!(diff.lines[0].text, "no text to compare: 3 bytes, before 2 bytes");
        assert!(FileDiff::of(&change(Some(b"\0"), b"\0")).amount.is_same);
        assert!(FileDiff::of(&change(Some(b"a"), b"a")).amount.is_same);
        assert_eq!(FileDiff::of(&change(None, b"")).lines[0].text, "an empty file");
    }

    #[test]
    fn a_giant_file_is_cut() {
        let text = "x\n".repeat(6_000);
        let diff = FileDiff::of(&change(None, text.as_bytes()));
        assert_eq!(diff.amount.added, 6_000);
        assert_eq!(diff.lines.last().unwrap().text, "… 1000 more lines");
    }
}
