//! Text with styles while it is put together: appended to, then edited by stretches.
//!
//! Inline syntax is resolved on the flat text: a stretch gets a style, its delimiters go. So
//! `==a **b** c==` needs no tree, and what overlaps is no error.

use super::marks::Marks;
use super::page::{LinkId, Run, Text};

/// The look of one byte.
type Look = (Marks, Option<LinkId>);

/// A change of a stretch of bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Edit {
    pub start: usize,
    pub end: usize,
    pub change: Change,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// Puts another text there, in the look of its first byte.
    Replace(String),
    /// Adds styles.
    Mark(Marks),
    /// Makes a link, with styles.
    Link(LinkId, Marks),
}

impl Edit {
    pub fn replace(start: usize, end: usize, text: impl Into<String>) -> Self {
        Self { start, end, change: Change::Replace(text.into()) }
    }

    pub fn remove(start: usize, end: usize) -> Self {
        Self::replace(start, end, "")
    }

    pub fn mark(start: usize, end: usize, marks: Marks) -> Self {
        Self { start, end, change: Change::Mark(marks) }
    }
}

/// Text that grows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Rich {
    pub text: String,
    pub runs: Vec<Run>,
}

impl Rich {
    /// Appends text in one look.
    pub fn push(&mut self, text: &str, marks: Marks, link: Option<LinkId>) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        self.cover(start, self.text.len() as u32, marks, link);
    }

    fn cover(&mut self, start: u32, end: u32, marks: Marks, link: Option<LinkId>) {
        if start == end || (marks.is_none() && link.is_none()) {
            return;
        }
        match self.runs.last_mut() {
            Some(last) if last.end == start && last.marks == marks && last.link == link => last.end = end,
            _ => self.runs.push(Run { start, end, marks, link }),
        }
    }

    /// Whether nothing visible was put in.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Returns the look of a byte.
    pub fn look(&self, at: usize) -> Look {
        let at = at as u32;
        let run = self.runs.partition_point(|run| run.end <= at);
        match self.runs.get(run) {
            Some(run) if run.start <= at => (run.marks, run.link),
            _ => (Marks::NONE, None),
        }
    }

    /// Whether the byte is taken as it stands.
    pub fn is_literal(&self, at: usize) -> bool {
        let (marks, _) = self.look(at);
        marks.has(Marks::CODE) || marks.has(Marks::LITERAL)
    }

    /// Makes the changes. Replaced stretches must not overlap each other; styles may overlap anything.
    pub fn edit(&mut self, mut edits: Vec<Edit>) {
        if edits.is_empty() {
            return;
        }
        let mut looks: Vec<Look> = vec![(Marks::NONE, None); self.text.len()];
        for run in &self.runs {
            if let Some(part) = looks.get_mut(run.start as usize..run.end as usize) {
                part.fill((run.marks, run.link));
            }
        }
        for edit in &edits {
            let Some(part) = looks.get_mut(edit.start..edit.end) else { continue };
            match &edit.change {
                Change::Replace(_) => {}
                Change::Mark(marks) => part.iter_mut().for_each(|look| look.0 |= *marks),
                Change::Link(link, marks) => {
                    part.iter_mut().for_each(|look| *look = (look.0 | *marks, Some(*link)));
                }
            }
        }
        edits.retain(|edit| matches!(edit.change, Change::Replace(_)));
        edits.sort_by_key(|edit| edit.start);
        let old = std::mem::take(self);
        let mut at = 0;
        for edit in &edits {
            let Change::Replace(with) = &edit.change else { continue };
            if edit.start < at {
                continue;
            }
            self.copy(&old.text, &looks, at, edit.start);
            let (marks, link) = looks.get(edit.start).copied().unwrap_or_default();
            self.push(with, marks, link);
            at = edit.end;
        }
        self.copy(&old.text, &looks, at, old.text.len());
    }

    fn copy(&mut self, text: &str, looks: &[Look], start: usize, end: usize) {
        let mut from = start;
        while from < end {
            let Some(look) = looks.get(from) else { return };
            let to = looks
                .get(from..end)
                .and_then(|rest| rest.iter().position(|other| other != look))
                .map_or(end, |n| from + n);
            self.push(text.get(from..to).unwrap_or(""), look.0, look.1);
            from = to;
        }
    }

    /// Returns the finished text: outer white space goes, and so does what only served the reading.
    pub fn finish(mut self) -> Text {
        let end = self.text.trim_end().len();
        let start = self.text.len() - self.text.trim_start().len();
        if start > 0 && start < end || end < self.text.len() {
            let mut edits = Vec::new();
            if end < self.text.len() {
                edits.push(Edit::remove(end, self.text.len()));
            }
            if start > 0 && start < end {
                edits.push(Edit::remove(0, start));
            }
            self.edit(edits);
        }
        let mut clean = Self { text: self.text, runs: Vec::with_capacity(self.runs.len()) };
        for run in self.runs {
            clean.cover(run.start, run.end, run.marks.without(Marks::LITERAL), run.link);
        }
        Text { text: clean.text, runs: clean.runs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_keep_the_looks_of_the_rest() {
        let mut rich = Rich::default();
        rich.push("a ==b ", Marks::NONE, None);
        rich.push("c", Marks::STRONG, None);
        rich.push("== d", Marks::NONE, None);
        rich.edit(vec![Edit::remove(2, 4), Edit::remove(7, 9), Edit::mark(4, 7, Marks::MARKED)]);
        assert_eq!(rich.text, "a b c d");
        assert_eq!(
            rich.runs,
            [
                Run { start: 2, end: 4, marks: Marks::MARKED, link: None },
                Run { start: 4, end: 5, marks: Marks::STRONG | Marks::MARKED, link: None },
            ]
        );
    }

    #[test]
    fn trims_when_finished() {
        let mut rich = Rich::default();
        rich.push("  a", Marks::LITERAL, None);
        rich.push(" b \n", Marks::EMPHASIS, None);
        let text = rich.finish();
        assert_eq!(text.text, "a b");
        assert_eq!(text.runs, [Run { start: 1, end: 3, marks: Marks::EMPHASIS, link: None }]);
    }
}
