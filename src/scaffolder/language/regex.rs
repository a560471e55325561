//! Regular expressions of JavaScript on Rust's engine.
//!
//! [`javascript`] compiles a pattern as JavaScript would read it: ASCII `\d` and `\w`, lookaround, back references,
//! braces and brackets that stand for themselves. Matching is bounded: a pattern that goes back and forth too
//! often is an error instead of a hang.

use fancy_regex::{Captures, Regex, RegexBuilder};
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};
use std::fmt::Write as _;
use std::sync::Arc;

/// How long a pattern may be, in bytes.
const LONGEST_PATTERN: usize = 16_384;
/// How often a match may go back before it gives up.
const BACKTRACKS: usize = 200_000;

/// Compiles a pattern of JavaScript; `flags` of `gimsuy`.
///
/// # Errors
/// Says what is wrong with the pattern.
pub fn javascript(source: &str, flags: &str) -> Result<Regex, String> {
    if source.len() > LONGEST_PATTERN {
        return Err(format!("the pattern is longer than {LONGEST_PATTERN} bytes"));
    }
    let pattern =
        Translator { rest: source, out: String::new(), is_dot_all: flags.contains('s') }.translate();
    let built = RegexBuilder::new(&pattern)
        .case_insensitive(flags.contains('i'))
        .multi_line(flags.contains('m'))
        .backtrack_limit(BACKTRACKS)
        .build();
    built.map_err(|error| error.to_string().lines().next_back().unwrap_or_default().to_owned())
}

/// Writes a pattern again so that Rust's engine means the same by it.
struct Translator<'a> {
    rest: &'a str,
    out: String,
    is_dot_all: bool,
}

impl Translator<'_> {
    fn translate(mut self) -> String {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape(false),
                '[' => self.class(),
                '.' if !self.is_dot_all => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
                '.' => self.out.push_str(r"(?s:.)"),
                '{' if !is_count(self.rest) => self.out.push_str(r"\{"),
                '{' => self.count(),
                '}' => self.out.push_str(r"\}"),
                _ => self.out.push(c),
            }
        }
        self.out
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    /// Copies `{2,3}`.
    fn count(&mut self) {
        self.out.push('{');
        while let Some(c) = self.next() {
            self.out.push(c);
            if c == '}' {
                break;
            }
        }
    }

    fn escape(&mut self, in_class: bool) {
        let Some(c) = self.next() else {
            self.out.push_str(r"\\");
            return;
        };
        match c {
            'd' => self.out.push_str(if in_class { "0-9" } else { "[0-9]" }),
            'D' => self.out.push_str("[^0-9]"),
            'w' => self.out.push_str(if in_class { "0-9A-Za-z_" } else { "[0-9A-Za-z_]" }),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            'b' if in_class => self.out.push_str(r"\x08"),
            '0' => self.out.push_str(r"\x00"),
            'u' | 'x' => self.code(c),
            's' | 'S' | 'b' | 'B' | 'n' | 'r' | 't' | 'f' | 'v' | 'k' | 'p' | 'P' | '1'..='9' => {
                self.out.push('\\');
                self.out.push(c);
            }
            _ => push_literal(&mut self.out, c),
        }
    }

    /// `\x41`, `A`, `\u{1f600}`.
    fn code(&mut self, kind: char) {
        let digits: String = if let Some(rest) = self.rest.strip_prefix('{') {
            rest.chars().take_while(char::is_ascii_hexdigit).collect()
        } else {
            let count = if kind == 'x' { 2 } else { 4 };
            self.rest.chars().take(count).take_while(char::is_ascii_hexdigit).collect()
        };
        let braces = if self.rest.starts_with('{') { 2 } else { 0 };
        let taken = (digits.len() + braces).min(self.rest.len());
        match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
            Some(c) => {
                self.rest = self.rest.get(taken..).unwrap_or_default();
                let _ = write!(self.out, r"\x{{{:x}}}", c as u32);
            }
            None => push_literal(&mut self.out, kind),
        }
    }

    fn class(&mut self) {
        if let Some(rest) = self.rest.strip_prefix("^]") {
            self.rest = rest;
            self.out.push_str(r"[\s\S]");
            return;
        }
        if let Some(rest) = self.rest.strip_prefix(']') {
            self.rest = rest;
            self.out.push_str("(?!)");
            return;
        }
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        while let Some(c) = self.next() {
            match c {
                ']' => {
                    self.out.push(']');
                    return;
                }
                '\\' => self.escape(true),
                '[' | '&' | '~' => push_literal(&mut self.out, c),
                '-' if self.rest.starts_with('-') => push_literal(&mut self.out, c),
                _ => self.out.push(c),
            }
        }
    }
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

/// Returns whether `2}`, `2,}` or `2,3}` follows.
fn is_count(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    !least.is_empty() && least.bytes().chain(most.bytes()).all(|byte| byte.is_ascii_digit())
}

/// A regular expression written in a template, `r/x/g`.
#[derive(Debug)]
pub(super) struct Pattern {
    /// Between the slashes.
    source: String,
    /// After the second slash.
    flags: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a literal.
    pub(super) fn new(source: &str, flags: &str) -> Result<Self, String> {
        Ok(Self { source: source.to_owned(), flags: flags.to_owned(), regex: javascript(source, flags)? })
    }

    /// Writes it as JavaScript does.
    pub(super) fn print(&self, out: &mut String) {
        let source = if self.source.is_empty() { "(?:)" } else { &self.source };
        let _ = write!(out, "/{source}/");
        out.extend("gimy".chars().filter(|flag| self.flags.contains(*flag)));
    }

    /// Returns whether it matches somewhere.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, String> {
        self.regex.is_match(text).map_err(|error| failed(&error))
    }

    /// Replaces the first match, or all with the flag `g`; at most `most` bytes come out.
    pub(super) fn replace(&self, text: &str, replacement: &str, most: usize) -> Result<String, String> {
        let is_sticky = self.flags.contains('y');
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        let mut next = 0;
        while let Some(captures) = self.captures(text, next)? {
            let Some(whole) = captures.get(0) else { break };
            if is_sticky && whole.start() != next {
                break;
            }
            out.push_str(text.get(end..whole.start()).unwrap_or_default());
            expand(replacement, &captures, text, &mut out);
            end = whole.end();
            // After an empty match the search goes on one character later
            let width = text.get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
            next = if whole.start() == end { end + width } else { end };
            if out.len() > most {
                return Err(format!("the text becomes larger than {} MB", most / 1024 / 1024));
            }
            if !self.flags.contains('g') {
                break;
            }
        }
        out.push_str(text.get(end..).unwrap_or_default());
        Ok(out)
    }

    fn captures<'t>(&self, text: &'t str, from: usize) -> Result<Option<Captures<'t, str>>, String> {
        if from > text.len() {
            return Ok(None);
        }
        self.regex.captures_from_pos(text, from).map_err(|error| failed(&error))
    }

    /// Splits a text at the matches.
    pub(super) fn split(&self, text: &str) -> Result<Vec<Value>, String> {
        if text.is_empty() {
            return Ok(if self.is_match(text)? { Vec::new() } else { vec![Value::from("")] });
        }
        let mut parts = Vec::new();
        let mut end = 0;
        for captures in self.regex.captures_iter(text) {
            let captures = captures.map_err(|error| failed(&error))?;
            let Some(whole) = captures.get(0) else { break };
            if whole.end() == whole.start() && (whole.start() == end || whole.start() == text.len()) {
                continue;
            }
            parts.push(Value::from(text.get(end..whole.start()).unwrap_or_default()));
            let groups = captures.iter().skip(1);
            parts.extend(
                groups.map(|group| group.map_or(Value::UNDEFINED, |group| Value::from(group.as_str()))),
            );
            end = whole.end();
        }
        parts.push(Value::from(text.get(end..).unwrap_or_default()));
        Ok(parts)
    }
}

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

fn failed(error: &fancy_regex::Error) -> String {
    format!("the regular expression gave up: {error}")
}

/// Writes the replacement with `$1`, `$&` and their like filled in.
fn expand(replacement: &str, captures: &Captures<'_, str>, text: &str, out: &mut String) {
    let mut rest = replacement;
    while let Some(dollar) = rest.find('$') {
        let (before, after) = rest.split_at(dollar);
        out.push_str(before);
        rest = after.get(1..).unwrap_or_default();
        let whole = captures.get(0);
        match rest.chars().next() {
            Some('$') => out.push('$'),
            Some('&') => out.push_str(whole.map_or("", |whole| whole.as_str())),
            Some('`') => out.push_str(whole.and_then(|whole| text.get(..whole.start())).unwrap_or_default()),
            Some('\'') => out.push_str(whole.and_then(|whole| text.get(whole.end()..)).unwrap_or_default()),
            Some('0'..='9') => {
                rest = expand_number(rest, captures, out);
                continue;
            }
            Some('<') if captures.len() > 1 && rest.contains('>') => {
                let (name, after) = rest.split_once('>').unwrap_or((rest, ""));
                let name = name.trim_start_matches('<');
                out.push_str(captures.name(name).map_or("", |group| group.as_str()));
                rest = after;
                continue;
            }
            _ => {
                out.push('$');
                continue;
            }
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// `$1` or `$12`, whichever group exists; returns what follows.
fn expand_number<'a>(rest: &'a str, captures: &Captures<'_, str>, out: &mut String) -> &'a str {
    for digits in [2, 1] {
        let Some(number) = rest.get(..digits).and_then(|digits| digits.parse::<usize>().ok()) else {
            continue;
        };
        if number > 0 && number < captures.len() {
            out.push_str(captures.get(number).map_or("", |group| group.as_str()));
            return rest.get(digits..).unwrap_or_default();
        }
    }
    out.push('$');
    rest
}

#[cfg(test)]
mod tests {
    use super::javascript;

    #[test]
    fn reads_patterns_as_javascript_does() {
        let cases = [
            (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "", "my-svc", true),
            (r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "", "My", false),
            (r"^(?!.*--)[a-z-]+$", "", "a--b", false),
            (r"^(?!.*--)[a-z-]+$", "", "a-b", true),
            (r"(?<=a)b", "", "ab", true),
            (r"^\d+$", "", "١٢", false),
            (r"^\w+$", "", "é", false),
            (r"^\u0041\x42$", "", "AB", true),
            (r"^[\w.-]+$", "", "a.b-c", true),
            (r"^a{2}$", "", "aa", true),
            (r"^{a}$", "", "{a}", true),
            (r"^a{,2}$", "", "a{,2}", true),
            (r"[[]", "", "[", true),
            (r"[a&&b]", "", "&", true),
            (r"[]", "", "a", false),
            (r"^[^]$", "", "\n", true),
            (r"^.$", "", "\u{2028}", false),
            (r"^.$", "s", "\n", true),
            (r"^b$", "m", "a\nb", true),
            (r"^(a)\1$", "", "aa", true),
            (r"ABC", "i", "abc", true),
            (r"^\/api\/v\d$", "", "/api/v1", true),
            (r"^[\]\[]$", "", "]", true),
            (r"^(?:(?<year>\d{4})-\d\d)$", "", "2024-01", true),
            (r"^[a-zA-Z\-_.]+$", "", "a_b-c.d", true),
            (r"^\$\{x\}$", "", "${x}", true),
        ];
        for (pattern, flags, text, matches) in cases {
            let regex = javascript(pattern, flags).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert_eq!(regex.is_match(text).ok(), Some(matches), "{pattern} on {text:?}");
        }
        for broken in ["(", "[a", "a**", "(?<n"] {
            assert!(javascript(broken, "").is_err(), "{broken}");
        }
    }
}
