//! Which lines are looked for: searches, filters, the next error.

use super::ring::LineView;
use super::{Level, Line, LineKind};
use std::borrow::Cow;
use std::sync::Arc;

/// Which lines are looked for. Cheap to clone; asked on the pool, for every line.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// A line must match, or must not when negated; `None` for any.
    pub pattern: Option<regex::Regex>,
    /// Lines that do not match are looked for.
    pub is_negated: bool,
    /// Lines of these sources are none of them: indices into [`super::Status::sources`].
    pub hidden: Arc<[u16]>,
    /// Only lines as important as this.
    pub level: Option<Level>,
    /// Markers, gaps and notes are found too, whatever they say.
    pub keeps_notes: bool,
}

impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        let text = |query: &Self| query.pattern.as_ref().map(|pattern| pattern.as_str().to_owned());
        text(self) == text(other)
            && (self.is_negated, self.level, self.keeps_notes)
                == (other.is_negated, other.level, other.keeps_notes)
            && self.hidden == other.hidden
    }
}

impl Query {
    /// Returns whether a line is looked for. Colours inside of a word do not hide it.
    pub fn matches(&self, line: &Line) -> bool {
        self.matches_view(&line.into())
    }

    pub(super) fn matches_view(&self, line: &LineView<'_>) -> bool {
        match line.kind {
            LineKind::Note if self.hidden.contains(&line.source) => return false,
            LineKind::Note | LineKind::Gap(_) | LineKind::Marker => return self.keeps_notes,
            LineKind::Text { .. } => {}
        }
        if self.hidden.contains(&line.source) || self.level.is_some_and(|least| line.level < least) {
            return false;
        }
        let Some(pattern) = &self.pattern else { return true };
        pattern.is_match(&without_colours(line.text)) != self.is_negated
    }
}

/// Returns a text without its sequences for colours (SGR); everything else stays.
pub fn without_colours(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find("\u{1b}[") else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    let (start, mut rest) = text.split_at(first);
    out.push_str(start);
    while let Some(parameters) = rest.strip_prefix("\u{1b}[") {
        let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':');
        let after = match end.and_then(|end| parameters.get(end..)) {
            Some(tail) if tail.starts_with('m') => tail.get(1..).unwrap_or(""),
            // another sequence, or a broken one: it is kept
            _ => {
                out.push_str("\u{1b}[");
                parameters
            }
        };
        let next = after.find("\u{1b}[").unwrap_or(after.len());
        let (plain, tail) = after.split_at(next);
        out.push_str(plain);
        rest = tail;
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let kind = LineKind::Text { is_json: false };
        Line { source: 1, time: None, level: Level::Warn, text: text.into(), kind }
    }

    #[test]
    fn colours_are_taken_out_and_nothing_else() {
        let cases = [
            ("plain", "plain"),
            ("a\u{1b}[31mb\u{1b}[0mc", "abc"),
            ("\u{1b}[38;5;1mx", "x"),
            ("\u{1b}[2Jx", "\u{1b}[2Jx"),
            ("\u{1b}[", "\u{1b}["),
            ("\u{1b}[31", "\u{1b}[31"),
        ];
        for (text, plain) in cases {
            assert_eq!(without_colours(text), plain, "{text:?}");
        }
    }

    #[test]
    fn a_line_is_found_by_pattern_source_and_level() {
        let pattern = |text: &str| Query { pattern: regex::Regex::new(text).ok(), ..Query::default() };
        let warn = line("tim\u{1b}[1meout");
        assert!(pattern("timeout").matches(&warn));
        assert!(!Query { is_negated: true, ..pattern("timeout") }.matches(&warn));
        assert!(!Query { hidden: [1].into(), ..pattern("timeout") }.matches(&warn));
        assert!(!Query { level: Some(Level::Error), ..Query::default() }.matches(&warn));
        let gap = Line { kind: LineKind::Gap(3), ..warn };
        assert!(!pattern("timeout").matches(&gap));
        assert!(Query { keeps_notes: true, ..pattern("x") }.matches(&gap));
    }
}
