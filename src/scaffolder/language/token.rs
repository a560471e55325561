//! Cuts the inside of a tag into words, numbers, strings and signs.

use super::error::Fault;
use super::scan::is_code_space;
use std::borrow::Cow;

/// A word, number, string or sign, and where it starts in the source.
#[derive(Debug, Clone)]
pub(super) struct Word<'s> {
    pub(super) at: usize,
    pub(super) kind: WordKind<'s>,
}

/// What a word is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum WordKind<'s> {
    Name(&'s str),
    Number(f64),
    Text(Cow<'s, str>),
    /// Pattern and flags.
    Pattern(&'s str, &'s str),
    Sign(&'static str),
    End,
}

impl WordKind<'_> {
    /// Returns how it is called in messages.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(name) => format!("`{name}`"),
            Self::Number(_) => "a number".to_owned(),
            Self::Text(_) => "a string".to_owned(),
            Self::Pattern(..) => "a regular expression".to_owned(),
            Self::Sign(sign) => format!("`{sign}`"),
            Self::End => "the end of the tag".to_owned(),
        }
    }
}

/// Longest first, so that `===` is not `==` and `=`.
const SIGNS: &[&str] = &[
    "===", "!==", "**", "//", "==", "!=", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", ":", "|", "~",
    "+", "-", "*", "/", "%", "<", ">", "=",
];

/// Cuts `code`, which starts at byte `base` of the source.
pub(super) fn words(code: &str, base: usize) -> Result<Vec<Word<'_>>, Fault> {
    let mut cutter = Cutter { code, base, at: 0, words: Vec::with_capacity(code.len() / 4 + 2) };
    while let Some(rest) = cutter.rest() {
        cutter.word(rest)?;
    }
    let end = Word { at: base + code.len(), kind: WordKind::End };
    cutter.words.push(end);
    Ok(cutter.words)
}

struct Cutter<'s> {
    code: &'s str,
    base: usize,
    at: usize,
    words: Vec<Word<'s>>,
}

impl<'s> Cutter<'s> {
    /// Skips white space; `None` at the end.
    fn rest(&mut self) -> Option<&'s str> {
        let rest = self.code.get(self.at..)?;
        let trimmed = rest.trim_start_matches(is_code_space);
        self.at += rest.len() - trimmed.len();
        if trimmed.is_empty() { None } else { Some(trimmed) }
    }

    fn push(&mut self, kind: WordKind<'s>, len: usize) {
        self.words.push(Word { at: self.base + self.at, kind });
        self.at += len;
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.base + self.at, message)
    }

    fn word(&mut self, rest: &'s str) -> Result<(), Fault> {
        let first = rest.as_bytes().first().copied().unwrap_or_default();
        let after_dot = matches!(self.words.last(), Some(Word { kind: WordKind::Sign("."), .. }));
        if first == b'_' || first.is_ascii_alphabetic() || (after_dot && is_name_with_digits(rest)) {
            if rest.starts_with("r/") {
                return self.pattern(rest);
            }
            let name = name(rest);
            self.push(WordKind::Name(name), name.len());
            return Ok(());
        }
        match first {
            b'0'..=b'9' => self.number(rest),
            quote @ (b'"' | b'\'') => self.string(rest, quote),
            _ => self.sign(rest),
        }
    }

    fn number(&mut self, rest: &'s str) -> Result<(), Fault> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let mut len = digits(rest);
        if rest.as_bytes().get(len) == Some(&b'.') {
            len += 1 + digits(rest.get(len + 1..).unwrap_or_default());
        }
        let written = rest.get(..len).unwrap_or_default();
        if rest.as_bytes().get(len).is_some_and(|byte| *byte == b'_' || byte.is_ascii_alphabetic()) {
            return Err(self.fault("this is neither a number nor a name"));
        }
        self.push(WordKind::Number(written.trim_end_matches('.').parse().unwrap_or(f64::NAN)), len);
        Ok(())
    }

    fn string(&mut self, rest: &'s str, quote: u8) -> Result<(), Fault> {
        let quote = char::from(quote);
        let inside = rest.get(1..).unwrap_or_default();
        let plain = inside.find([quote, '\\']).unwrap_or(inside.len());
        if inside.get(plain..).is_some_and(|rest| rest.starts_with(quote)) {
            let text = inside.get(..plain).unwrap_or_default();
            self.push(WordKind::Text(Cow::Borrowed(text)), plain + 2);
            return Ok(());
        }
        let mut text = String::new();
        let mut chars = inside.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.push(WordKind::Text(Cow::Owned(text)), at + 2);
                    return Ok(());
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, c)) => text.push(c),
                    None => break,
                },
                _ => text.push(c),
            }
        }
        Err(self.fault("this string is never closed"))
    }

    fn pattern(&mut self, rest: &'s str) -> Result<(), Fault> {
        let bytes = rest.as_bytes();
        let mut at = 2;
        loop {
            match bytes.get(at) {
                None => return Err(self.fault("this regular expression is never closed")),
                Some(b'\\') => at += 2,
                Some(b'/') => break,
                Some(_) => at += 1,
            }
        }
        let source = rest.get(2..at).unwrap_or_default();
        let after = rest.get(at + 1..).unwrap_or_default();
        let flags = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let flags = after.get(..flags).unwrap_or_default();
        let is_twice = flags
            .char_indices()
            .any(|(at, flag)| flags.get(..at).is_some_and(|before| before.contains(flag)));
        if is_twice || flags.contains(|flag| !"gimy".contains(flag)) {
            return Err(
                self.fault("a regular expression takes each of the flags `g`, `i`, `m`, `y` at most once")
            );
        }
        self.push(WordKind::Pattern(source, flags), at + 1 + flags.len());
        Ok(())
    }

    fn sign(&mut self, rest: &'s str) -> Result<(), Fault> {
        for (written, hint) in
            [("&&", "write `and`"), ("||", "write `or`"), ("?", "write `a if condition else b`")]
        {
            if rest.starts_with(written) {
                let message = format!("`{written}` is not an operator of the template language");
                return Err(self.fault(message).hint(hint));
            }
        }
        if rest.starts_with('!') && !rest.starts_with("!=") {
            return Err(self.fault("`!` is not an operator of the template language").hint("write `not`"));
        }
        match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                self.push(WordKind::Sign(sign), sign.len());
                Ok(())
            }
            None => {
                let first = rest.chars().next().unwrap_or_default();
                Err(self.fault(format!("`{}` means nothing here", first.escape_debug())))
            }
        }
    }
}

fn name(rest: &str) -> &str {
    let end =
        rest.bytes().position(|byte| !(byte == b'_' || byte.is_ascii_alphanumeric())).unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

/// After a dot, names may start with digits: `values.1password`.
fn is_name_with_digits(rest: &str) -> bool {
    name(rest).bytes().any(|byte| !byte.is_ascii_digit())
}
