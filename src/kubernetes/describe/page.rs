//! A text of sections and facts, aligned, safe to print.

use crate::model::text::clean;
use jiff::Timestamp;
use std::fmt::Write as _;

/// Columns of the names of facts.
const NAME: usize = 16;
/// Characters of one value.
const MAX_VALUE: usize = 2000;
/// Lines of one value.
const MAX_LINES: usize = 40;
/// Bytes of a page; an object cannot be larger than the server's own limit, a list of events can.
const MAX: usize = 1 << 20;

/// A text that is being written.
#[derive(Debug)]
pub struct Page {
    text: String,
    indent: usize,
    now: Timestamp,
}

impl Page {
    /// Creates an empty page; ages are counted from `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { text: String::new(), indent: 0, now }
    }

    /// Returns the text.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Begins a section.
    pub fn section(&mut self, title: &str) {
        self.indent = 0;
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(title);
        self.indent = 1;
    }

    /// Writes facts one step further in.
    pub fn inside(&mut self, write: impl FnOnce(&mut Self)) {
        self.indent += 1;
        write(self);
        self.indent -= 1;
    }

    /// Writes a line.
    pub fn line(&mut self, text: &str) {
        if self.text.len() > MAX {
            return;
        }
        let _ = writeln!(self.text, "{:indent$}{}", "", cut(&clean(text)), indent = self.indent * 2);
    }

    /// Writes a name and its value; nothing for an empty value. Lines of a long value stand below each other.
    pub fn fact(&mut self, name: &str, value: impl AsRef<str>) {
        let value = value.as_ref().trim_end();
        if value.is_empty() || self.text.len() > MAX {
            return;
        }
        let mut lines = value.lines();
        let indent = self.indent * 2;
        let first = lines.next().unwrap_or_default();
        let _ = writeln!(self.text, "{:indent$}{:<NAME$} {}", "", clean(name), cut(&clean(first)));
        for (at, line) in lines.enumerate() {
            let line = if at < MAX_LINES { clean(line) } else { "…".into() };
            let _ = writeln!(self.text, "{:width$}{}", "", cut(&line), width = indent + NAME + 1);
            if at >= MAX_LINES {
                break;
            }
        }
    }

    /// Writes a number where there is one.
    pub fn number(&mut self, name: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.fact(name, value.to_string());
        }
    }

    /// Writes a time with its age where there is one.
    pub fn time(&mut self, name: &str, value: Option<Timestamp>) {
        if let Some(value) = value {
            self.fact(name, self.moment(value));
        }
    }

    /// Returns a time with its age: `2026-01-02T03:04:05Z (2h ago)`.
    pub fn moment(&self, at: Timestamp) -> String {
        let age = self.age(at);
        let age = if age == "now" || age.starts_with("in ") { age } else { format!("{age} ago") };
        format!("{} ({age})", at.round(jiff::Unit::Second).unwrap_or(at))
    }

    /// Returns how long ago a time is: `now`, `3m`, `2h`, `4d`, `in 3m`.
    pub fn age(&self, at: Timestamp) -> String {
        let seconds = self.now.as_second() - at.as_second();
        let words = |seconds: i64| match seconds {
            ..60 => "now".to_owned(),
            60..3600 => format!("{}m", seconds / 60),
            3600..86_400 => format!("{}h", seconds / 3600),
            _ => format!("{}d", seconds / 86_400),
        };
        if seconds <= -60 { format!("in {}", words(-seconds)) } else { words(seconds) }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page::new("2026-01-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn ages_are_told_in_both_directions() {
        let cases = [
            ("2026-01-01T11:59:30Z", "2026-01-01T11:59:30Z (now)"),
            ("2026-01-01T10:00:00.5Z", "2026-01-01T10:00:01Z (2h ago)"),
            ("2026-01-01T12:03:00Z", "2026-01-01T12:03:00Z (in 3m)"),
            ("2025-12-01T12:00:00Z", "2025-12-01T12:00:00Z (31d ago)"),
        ];
        for (at, text) in cases {
            assert_eq!(page().moment(at.parse().unwrap()), text);
        }
    }

    #[test]
    fn foreign_text_cannot_leave_its_place() {
        let mut page = page();
        page.fact("a", "x\u{1b}[2Jy\nz");
        page.fact("empty", "");
        page.fact("long", "l".repeat(5000));
        page.fact("many", "m\n".repeat(5000));
        let text = page.into_text();
        assert!(!text.contains('\u{1b}') && !text.contains("empty"));
        assert!(text.lines().count() < 50 && text.lines().all(|line| line.chars().count() < 2100));
    }
}
