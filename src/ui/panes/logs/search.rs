//! What is searched for: a regular expression with smart case, `!` for lines that do not match.

use crate::app::line_input::LineInput;
use regex::{Regex, RegexBuilder};
use std::ops::Range;

/// Largest compiled expression: it is compiled at every key.
const MAX_COMPILED: usize = 1 << 20;

/// A mistake in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the typed text that are wrong.
    pub span: Range<usize>,
    /// Why, in plain words.
    pub reason: String,
}

/// An expression that is searched for.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// It.
    pub regex: Regex,
    /// Lines that do not match are meant.
    pub is_negated: bool,
}

/// The search line and what it means.
#[derive(Debug, Default)]
pub struct Search {
    /// What is typed.
    pub input: LineInput,
    /// The line has the focus.
    pub is_typing: bool,
    /// What is searched for: the last text that was right.
    pub pattern: Option<Pattern>,
    /// What is wrong with the text.
    pub mistake: Option<Mistake>,
    /// Only matches are shown.
    pub is_only: bool,
    /// Searches before, newest first.
    history: Vec<String>,
    /// Where in the history the line stands.
    at: Option<usize>,
}

impl Search {
    /// Opens the line, empty.
    pub fn open(&mut self) {
        self.is_typing = true;
        self.at = None;
        self.input = LineInput::default();
        self.read();
    }

    /// Reads the text after it changed.
    pub fn read(&mut self) {
        match compile(self.input.text()) {
            Ok(pattern) => (self.pattern, self.mistake) = (pattern, None),
            Err(mistake) => self.mistake = Some(mistake),
        }
    }

    /// Leaves the line; what is right of it stays.
    pub fn finish(&mut self) {
        self.is_typing = false;
        let text = self.input.text().to_owned();
        if self.pattern.is_none() {
            self.is_only = false;
        } else if self.history.first() != Some(&text) {
            self.history.insert(0, text);
            self.history.truncate(50);
        }
    }

    /// Ends the search; returns whether there was one.
    pub fn clear(&mut self) -> bool {
        let had = self.pattern.take().is_some() || self.is_typing;
        (self.input, self.mistake, self.is_typing, self.is_only) = (LineInput::default(), None, false, false);
        had
    }

    /// Puts an older or newer search into the line.
    pub fn walk(&mut self, is_older: bool) {
        let at = match (self.at, is_older) {
            (None, true) => Some(0),
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
            (None, false) => None,
        };
        match at {
            Some(at) => {
                let Some(text) = self.history.get(at) else { return };
                self.input = LineInput::new(text.clone());
                self.at = Some(at);
            }
            None => (self.input, self.at) = (LineInput::default(), None),
        }
        self.read();
    }
}

/// Reads a text as an expression; `None` when it asks for nothing.
///
/// # Errors
/// What is wrong, and where.
pub fn compile(text: &str) -> Result<Option<Pattern>, Mistake> {
    let (is_negated, expression) = match text.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if expression.is_empty() {
        return Ok(None);
    }
    let built = RegexBuilder::new(expression)
        .case_insensitive(!has_capital(expression))
        .size_limit(MAX_COMPILED)
        .build();
    let start = usize::from(is_negated);
    match built {
        Ok(regex) => Ok(Some(Pattern { regex, is_negated })),
        Err(regex::Error::CompiledTooBig(_)) => {
            Err(Mistake { span: start..text.len(), reason: "it is too large; write it shorter".to_owned() })
        }
        Err(error) => Err(explain(&error.to_string(), start, text)),
    }
}

/// Returns whether an expression has a capital letter that is no class: `\S` is none.
fn has_capital(expression: &str) -> bool {
    let mut is_escaped = false;
    expression.chars().any(|c| {
        let counts = c.is_uppercase() && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        counts
    })
}

/// Reads place and reason out of the drawing that the compiler makes of a mistake.
fn explain(drawing: &str, start: usize, text: &str) -> Mistake {
    const INDENT: usize = 4;
    let reason =
        drawing.lines().rev().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it is no expression");
    let caret = drawing.lines().find(|line| line.contains('^') && line.chars().all(|c| c == ' ' || c == '^'));
    let expression = text.get(start..).unwrap_or("");
    let byte =
        |column: usize| start + expression.char_indices().nth(column).map_or(expression.len(), |(at, _)| at);
    let span = caret.map_or(start..text.len(), |line| {
        let from = line.find('^').unwrap_or(INDENT).saturating_sub(INDENT);
        let carets = line.chars().filter(|c| *c == '^').count();
        byte(from)..byte(from + carets)
    });
    // at the end of the text there is nothing to underline
    let span = if span.is_empty() { text.len().saturating_sub(1)..text.len() } else { span };
    Mistake { span, reason: format!("{reason}; `\\` takes a sign literally") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smart_case_and_negation() {
        let cases = [
            ("timeout", "TimeOut", true, false),
            ("Timeout", "timeout", false, false),
            (r"\S+x", "AX", true, false),
            ("!debug", "DEBUG", true, true),
            ("a|b", "xb", true, false),
        ];
        for (text, line, is_match, is_negated) in cases {
            let pattern = compile(text).unwrap().unwrap();
            assert_eq!((pattern.regex.is_match(line), pattern.is_negated), (is_match, is_negated), "{text}");
        }
        assert!(compile("").unwrap().is_none() && compile("!").unwrap().is_none());
    }

    #[test]
    fn a_mistake_has_its_place_and_a_reason() {
        let cases = [
            ("foo(", "unclosed group", "("),
            ("!a[", "unclosed character class", "["),
            ("*", "repetition", "*"),
        ];
        for (text, reason, wrong) in cases {
            let mistake = compile(text).unwrap_err();
            assert!(mistake.reason.contains(reason), "{text}: {mistake:?}");
            assert_eq!(&text[mistake.span.clone()], wrong, "{text}: {mistake:?}");
        }
        assert!(compile(r"\w{4000}\w{4000}").is_err());
    }

    #[test]
    fn older_searches_come_back() {
        let mut search = Search::default();
        for text in ["one", "two"] {
            search.open();
            search.input.paste(text);
            search.read();
            search.finish();
        }
        search.open();
        search.walk(true);
        search.walk(true);
        search.walk(true);
        assert_eq!(search.input.text(), "one");
        search.walk(false);
        assert_eq!(search.input.text(), "two");
    }
}
