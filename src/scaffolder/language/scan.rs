//! Cuts a source into texts and tags, and takes the white space that the tags ask for.
//!
//! What is inside of a tag is not looked at, except that strings and regular expressions in it may contain what
//! would close it. Reference: Nunjucks, *Templating*, white space control, comments, raw.

use super::error::Fault;
use super::js::is_space;

/// How tags are written and what surrounds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Syntax {
    /// `{{ }}` instead of `${{ }}`.
    pub(super) is_bare: bool,
    /// The line break after a block tag goes.
    pub(super) trims_blocks: bool,
    /// The indentation before a block tag goes.
    pub(super) strips_blocks: bool,
}

/// A piece of a source.
#[derive(Debug)]
pub(super) enum Token<'s> {
    Text(String),
    Variable(Code<'s>),
    Block(Code<'s>),
}

/// What stands inside of a tag, without the white space around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code<'s> {
    /// Where the tag starts.
    pub(super) tag: usize,
    /// Where the text starts.
    pub(super) at: usize,
    pub(super) text: &'s str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Variable,
    Block,
    Comment,
}

/// Returns whether a source says anything at all; others are plain text.
pub(super) fn is_template(source: &str, syntax: Syntax) -> bool {
    next_mark(source, 0, syntax).is_some()
}

/// Cuts a source.
pub(super) fn scan(source: &str, syntax: Syntax) -> Result<Vec<Token<'_>>, Fault> {
    let mut scanner = Scanner { source, syntax, at: 0, text: String::new(), tokens: Vec::new() };
    scanner.run()?;
    Ok(scanner.tokens)
}

/// Finds the next opening, or a comment's end that nobody opened (`None` for its kind).
fn next_mark(source: &str, from: usize, syntax: Syntax) -> Option<(usize, Option<Opening>)> {
    let bytes = source.as_bytes();
    let mut at = from;
    while let Some(found) = memchr::memchr2(b'{', b'#', bytes.get(at..)?) {
        let here = at + found;
        match (bytes.get(here), bytes.get(here + 1)) {
            (Some(b'{'), Some(b'%')) => return Some((here, Some(Opening::Block))),
            (Some(b'{'), Some(b'#')) => return Some((here, Some(Opening::Comment))),
            (Some(b'{'), Some(b'{')) if syntax.is_bare => return Some((here, Some(Opening::Variable))),
            (Some(b'{'), Some(b'{')) if here > from && bytes.get(here - 1) == Some(&b'$') => {
                return Some((here - 1, Some(Opening::Variable)));
            }
            (Some(b'#'), Some(b'}')) => return Some((here, None)),
            _ => at = here + 1,
        }
    }
    None
}

struct Scanner<'s> {
    source: &'s str,
    syntax: Syntax,
    at: usize,
    text: String,
    tokens: Vec<Token<'s>>,
}

impl<'s> Scanner<'s> {
    fn run(&mut self) -> Result<(), Fault> {
        while let Some((at, opening)) = next_mark(self.source, self.at, self.syntax) {
            let Some(opening) = opening else {
                return Err(Fault::new(at, "`#}` ends a comment that was never opened")
                    .hint("put text that is meant literally between `{% raw %}` and `{% endraw %}`"));
            };
            let before = self.slice(self.at, at);
            self.text.push_str(before);
            self.at = at;
            self.tag(opening)?;
        }
        let rest = self.slice(self.at, self.source.len());
        self.text.push_str(rest);
        self.flush();
        Ok(())
    }

    fn slice(&self, start: usize, end: usize) -> &'s str {
        self.source.get(start..end).unwrap_or_default()
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.tokens.push(Token::Text(std::mem::take(&mut self.text)));
        }
    }

    fn tag(&mut self, opening: Opening) -> Result<(), Fault> {
        let tag = self.at;
        let is_block = opening == Opening::Block;
        if is_block && self.syntax.strips_blocks {
            self.strip_indent();
        }
        let width = if opening == Opening::Variable && !self.syntax.is_bare { 3 } else { 2 };
        let mut start = tag + width;
        if self.source.as_bytes().get(start) == Some(&b'-') {
            start += 1;
            self.text.truncate(self.text.trim_end_matches(is_space).len());
        }
        self.flush();
        let (close, end) = match opening {
            Opening::Comment => {
                ("#}", self.slice(start, self.source.len()).find("#}").map(|end| start + end))
            }
            Opening::Block => ("%}", find_end(self.source, start, "%}")),
            Opening::Variable => ("}}", find_end(self.source, start, "}}")),
        };
        let Some(end) = end else {
            return Err(unterminated(tag, opening, close));
        };
        let trims_after = end > start && self.source.as_bytes().get(end - 1) == Some(&b'-');
        self.at = end + close.len();
        if opening != Opening::Comment {
            let inside = self.slice(start, if trims_after { end - 1 } else { end });
            let trimmed = inside.trim_start_matches(is_code_space);
            let code = Code {
                tag,
                at: start + (inside.len() - trimmed.len()),
                text: trimmed.trim_end_matches(is_code_space),
            };
            let name = tag_name(code.text);
            if is_block && (name == "raw" || name == "verbatim") {
                return self.raw(code, name, trims_after);
            }
            self.tokens.push(if is_block { Token::Block(code) } else { Token::Variable(code) });
        }
        if trims_after {
            self.skip_space();
        } else if is_block && self.syntax.trims_blocks {
            self.skip_line_break();
        }
        Ok(())
    }

    /// Takes the text up to the end of the raw region as it is.
    fn raw(&mut self, code: Code<'s>, name: &str, trims_after: bool) -> Result<(), Fault> {
        if code.text.len() > name.len() {
            return Err(Fault::new(code.at + name.len(), format!("nothing may follow `{name}` in its tag")));
        }
        if self.syntax.trims_blocks {
            self.skip_line_break();
        }
        let Some((start, end)) = find_raw_end(self.source, self.at, name) else {
            return Err(Fault::new(code.tag, format!("`{{% {name} %}}` is never closed"))
                .hint(format!("close it with `{{% end{name} %}}`, without `-`")));
        };
        if self.slice(start, end).contains('\n') {
            return Err(Fault::new(start, format!("the tag that closes `{name}` must be on one line")));
        }
        let inside = self.slice(self.at, start);
        self.text.push_str(inside);
        self.at = end;
        if trims_after {
            self.skip_space();
        }
        Ok(())
    }

    fn skip_space(&mut self) {
        let rest = self.slice(self.at, self.source.len());
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    fn skip_line_break(&mut self) {
        let rest = self.slice(self.at, self.source.len());
        self.at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }

    /// Takes the indentation before a block tag when nothing else is before it in its line.
    fn strip_indent(&mut self) {
        let line = self.slice(0, self.at).rfind('\n').map_or(0, |at| at + 1);
        if !self.slice(line, self.at).chars().all(is_space) {
            return;
        }
        let kept = self.text.rfind('\n').map_or(0, |at| at + 1);
        if self.text.get(kept..).is_some_and(|indent| indent.chars().all(is_space)) {
            self.text.truncate(kept);
        }
    }
}

fn unterminated(tag: usize, opening: Opening, close: &str) -> Fault {
    let (what, hint) = match opening {
        Opening::Variable => ("an expression", "close it with `}}`; a quote inside may be open"),
        Opening::Block => ("a tag", "close it with `%}`; a quote inside may be open"),
        Opening::Comment => (
            "a comment",
            "close it with `#}`, or put text that is meant literally between `{% raw %}` and `{% endraw %}`",
        ),
    };
    Fault::new(tag, format!("{what} is opened here and never closed with `{close}`")).hint(hint)
}

/// White space inside of tags.
pub(super) fn is_code_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{a0}')
}

/// Returns the first word of a tag, empty when there is none.
pub(super) fn tag_name(code: &str) -> &str {
    let end =
        code.bytes().position(|byte| !(byte == b'_' || byte.is_ascii_alphanumeric())).unwrap_or(code.len());
    let name = code.get(..end).unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_digit()) { "" } else { name }
}

/// Finds what closes a tag outside of strings, names and regular expressions.
fn find_end(source: &str, start: usize, close: &str) -> Option<usize> {
    let bytes = source.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        let rest = bytes.get(at..)?;
        match *rest.first()? {
            quote @ (b'"' | b'\'') => at = skip_string(bytes, at, quote),
            b'r' if rest.get(1) == Some(&b'/') => at = skip_pattern(bytes, at)?,
            byte if byte == b'_' || byte.is_ascii_alphanumeric() => {
                let is_word = |byte: &u8| *byte == b'_' || byte.is_ascii_alphanumeric();
                at += rest.iter().position(|byte| !is_word(byte)).unwrap_or(rest.len());
            }
            _ if rest.starts_with(close.as_bytes()) => return Some(at),
            _ => at += 1,
        }
    }
    None
}

fn skip_string(bytes: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Skips `r/…/`; the flags are a word of their own.
fn skip_pattern(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 2;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'/' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Finds the tag that closes a raw region; regions may be nested.
fn find_raw_end(source: &str, from: usize, name: &str) -> Option<(usize, usize)> {
    let mut depth = 1;
    let mut at = from;
    while let Some(found) = source.get(at..)?.find("{%") {
        let start = at + found;
        at = start + 2;
        let inside = source.get(at..)?;
        let word = inside.trim_start_matches(is_space);
        let (is_end, rest) = match (
            word.strip_prefix("end").and_then(|rest| rest.strip_prefix(name)),
            word.strip_prefix(name),
        ) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) => (false, rest),
            (None, None) => continue,
        };
        let Some(after) = rest.trim_start_matches(is_space).strip_prefix("%}") else { continue };
        let end = source.len() - after.len();
        depth = if is_end { depth - 1 } else { depth + 1 };
        if depth == 0 {
            return Some((start, end));
        }
        at = end;
    }
    None
}
