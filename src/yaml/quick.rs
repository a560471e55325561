//! Reads the plain part of YAML that nearly all descriptors keep to, several times faster.
//!
//! Block mappings and lists, one-line texts quoted or not, block texts, short lists and mappings in
//! brackets. Whatever else turns up, mistakes above all, makes [`parse`] give up: the event parser then
//! reads the document from its start. So this reader decides nothing on its own; a test holds both to
//! the same result.

use super::node::{Data, Node, Position};
use super::scalar;
use std::borrow::Cow;

/// Nesting from which on the event parser takes over.
const MAX_DEPTH: usize = 40;
/// Longest line that is read here, in bytes: places are counted from its start, value by value.
const MAX_LINE: usize = 2000;
/// Longest key, in bytes; the rule of YAML is 1024 characters.
const MAX_KEY: usize = 200;
/// Mappings up to this size are compared key by key.
const SMALL_MAPPING: usize = 24;

/// Reads a document, an empty one as null; `None` when the event parser must decide.
pub(super) fn parse(text: &str, first_line: u32) -> Option<Node<'_>> {
    if !is_plain(text) {
        return None;
    }
    let mut reader = Reader { text, next: 0, number: first_line, peeked: None, is_endless: false };
    reader.skip_marker()?;
    let root = match reader.peek() {
        None => Node { start: Position { line: first_line, column: 1 }, width: 1, data: Data::Null },
        Some(line) if line.indent == 0 => reader.block(0, 0)?,
        Some(_) => return None,
    };
    reader.peek().is_none().then_some(root)
}

/// Returns whether every character is one that both parsers read alike.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let odd = |byte: u8| (byte < b' ' && byte != b'\n') || byte == 0x7f;
    // Controls of Latin 1, line separators, and the block of the byte order mark
    let foreign = |pair: &[u8]| match pair {
        [0xc2, second] => *second < 0xa0,
        [0xe2, second] => *second == 0x80,
        [0xef, _] => true,
        _ => false,
    };
    !bytes.iter().any(|byte| odd(*byte)) && (text.is_ascii() || !bytes.windows(2).any(foreign))
}

/// A line with content; offsets are bytes of the document.
#[derive(Debug, Clone, Copy)]
struct Line {
    /// Where the line starts.
    start: usize,
    /// Where its content starts and ends, white space around it left out.
    content: usize,
    end: usize,
    /// Spaces before the content.
    indent: usize,
    number: u32,
}

struct Reader<'a> {
    text: &'a str,
    /// Start of the first line not looked at yet, and its number.
    next: usize,
    number: u32,
    peeked: Option<Line>,
    /// Whether a line was longer than this reader takes.
    is_endless: bool,
}

impl<'a> Reader<'a> {
    fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    /// Reads the next line, whatever is on it.
    fn raw_line(&mut self) -> Option<Line> {
        let start = self.next;
        if start >= self.text.len() {
            return None;
        }
        let rest = self.slice(start, self.text.len());
        let length = rest.find('\n').unwrap_or(rest.len());
        let line = self.slice(start, start + length);
        let indent = line.bytes().take_while(|byte| *byte == b' ').count();
        let end = start + line.trim_end_matches(' ').len();
        let found = Line {
            start,
            content: start + indent,
            end: end.max(start + indent),
            indent,
            number: self.number,
        };
        self.next = start + length + 1;
        self.number += 1;
        Some(found)
    }

    /// Returns the next line with content, without taking it.
    fn peek(&mut self) -> Option<Line> {
        while self.peeked.is_none() {
            let line = self.raw_line()?;
            let is_empty = line.content >= line.end || self.text.as_bytes().get(line.content) == Some(&b'#');
            if !is_empty {
                self.is_endless |= line.end - line.start > MAX_LINE;
                self.peeked = Some(line);
            }
        }
        self.peeked
    }

    fn take(&mut self) {
        self.peeked = None;
    }

    /// Passes a line of `---` with nothing on it.
    fn skip_marker(&mut self) -> Option<()> {
        let Some(line) = self.peek() else { return Some(()) };
        let text = self.slice(line.start, line.end);
        if let Some(rest) = text.strip_prefix("---") {
            let rest = rest.trim_start_matches(' ');
            if !rest.is_empty() && (text.len() - rest.len() == 3 || !rest.starts_with('#')) {
                return None;
            }
            self.take();
        }
        Some(())
    }

    fn position(&self, line: &Line, offset: usize) -> Position {
        let before = self.text.as_bytes().get(line.start..offset).unwrap_or(&[]);
        let column = before.iter().filter(|byte| (**byte & 0xc0) != 0x80).count();
        Position { line: line.number, column: column as u32 + 1 }
    }

    /// Reads the mapping or list whose first line is the next one, at this column.
    fn block(&mut self, column: usize, depth: usize) -> Option<Node<'a>> {
        let line = self.peek()?;
        if depth > MAX_DEPTH {
            return None;
        }
        if is_dash(self.slice(line.content, line.end)) {
            self.list(column, depth)
        } else {
            self.mapping(column, depth, None)
        }
    }

    fn list(&mut self, column: usize, depth: usize) -> Option<Node<'a>> {
        let first = self.peek()?;
        let start = self.position(&first, first.content);
        let mut items = Vec::new();
        while let Some(line) = self.peek() {
            if line.indent < column {
                break;
            }
            let text = self.slice(line.content, line.end);
            if line.indent > column {
                return None;
            }
            if !is_dash(text) {
                // Only a list at the column of its key ends at a key of that column; checked by the caller
                break;
            }
            self.take();
            let rest = text.get(1..).unwrap_or("").trim_start_matches(' ');
            let at = line.end - rest.len();
            items.push(self.item(&line, at, rest, column, depth)?);
        }
        Some(Node { start, width: 1, data: Data::Sequence(items) })
    }

    /// Reads what follows a dash.
    fn item(
        &mut self,
        line: &Line,
        at: usize,
        rest: &'a str,
        column: usize,
        depth: usize,
    ) -> Option<Node<'a>> {
        if rest.is_empty() || rest.starts_with('#') {
            return self.below(line, column, column, false, depth);
        }
        if is_dash(rest) {
            return None;
        }
        if find_colon(rest).is_some() && !rest.starts_with(['{', '[', '"', '\'']) {
            let inner = Line { content: at, indent: at - line.start, ..*line };
            return self.mapping(inner.indent, depth + 1, Some(inner));
        }
        self.value(line, at, rest, column)
    }

    /// Reads a mapping; `first` is its first line when it begins behind a dash.
    fn mapping(&mut self, column: usize, depth: usize, first: Option<Line>) -> Option<Node<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut entries: Vec<(Node<'a>, Node<'a>)> = Vec::new();
        let mut start = Position::default();
        let mut given = first;
        loop {
            let line = match given.take() {
                Some(line) => line,
                None => match self.peek() {
                    Some(line) if line.indent == column => {
                        self.take();
                        line
                    }
                    Some(line) if line.indent > column => return None,
                    _ => break,
                },
            };
            let text = self.slice(line.content, line.end);
            if entries.is_empty() {
                start = self.position(&line, line.content);
            }
            let (key, after) = self.key(&line, text)?;
            let rest = text.get(after..).unwrap_or("").trim_start_matches(' ');
            let at = line.end - rest.len();
            let value = if rest.is_empty() || rest.starts_with('#') {
                self.below(&line, line.content + after, column, true, depth)?
            } else {
                self.value(&line, at, rest, column)?
            };
            entries.push((key, value));
        }
        (!has_duplicates(&entries)).then_some(Node { start, width: 1, data: Data::Mapping(entries) })
    }

    /// Reads the value that stands on the lines below a key or dash, or is not there.
    fn below(
        &mut self,
        line: &Line,
        at: usize,
        column: usize,
        is_key: bool,
        depth: usize,
    ) -> Option<Node<'a>> {
        match self.peek() {
            Some(next) if next.indent > column => {
                let text = self.slice(next.content, next.end);
                let is_block = is_dash(text) || find_colon(text).is_some();
                if is_block { self.block(next.indent, depth + 1) } else { None }
            }
            Some(next) if is_key && next.indent == column && is_dash(self.slice(next.content, next.end)) => {
                self.list(column, depth + 1)
            }
            _ => Some(Node { start: self.position(line, at), width: 1, data: Data::Null }),
        }
    }

    /// Reads a key; returns it with the offset behind its colon.
    fn key(&self, line: &Line, text: &'a str) -> Option<(Node<'a>, usize)> {
        let start = self.position(line, line.content);
        if let Some(quote) = text.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let inner = quoted(text, quote)?;
            let end = inner.len() + 2;
            let rest = text.get(end..)?;
            if end > MAX_KEY || !rest.starts_with(':') || !matches!(rest.as_bytes().get(1), None | Some(b' '))
            {
                return None;
            }
            let width = inner.chars().count() as u32 + 2;
            return Some((Node { start, width, data: Data::String(Cow::Borrowed(inner)) }, end + 1));
        }
        let colon = find_colon(text)?;
        let key = text.get(..colon)?;
        let plain = |byte: u8| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'$' | b':')
        };
        let first = key.as_bytes().first()?;
        if key.len() > MAX_KEY || !key.bytes().all(plain) || matches!(first, b'-' | b':') {
            return None;
        }
        let data = scalar::plain(Cow::Borrowed(key));
        Some((Node { start, width: key.len() as u32, data }, colon + 1))
    }

    /// Reads a value that begins on the line of its key or dash; `column` is that of key or dash.
    fn value(&mut self, line: &Line, at: usize, rest: &'a str, column: usize) -> Option<Node<'a>> {
        if self.is_endless {
            return None;
        }
        let start = self.position(line, at);
        let first = *rest.as_bytes().first()?;
        let (data, length) = match first {
            b'|' | b'>' => return self.block_text(rest, column),
            b'"' | b'\'' => {
                let inner = quoted(rest, char::from(first))?;
                (Data::String(Cow::Borrowed(inner)), inner.len() + 2)
            }
            b'[' => self.bracket_list(line, at, rest)?,
            b'{' => self.bracket_mapping(line, at, rest)?,
            _ => {
                let text = plain_text(rest)?;
                (scalar::plain(Cow::Borrowed(text)), text.len())
            }
        };
        if !is_line_end(rest.get(length..)?) {
            return None;
        }
        // A deeper line goes on with the value, or is a mistake
        if self.peek().is_some_and(|next| next.indent > column) {
            return None;
        }
        let width = if matches!(first, b'[' | b'{') {
            1
        } else {
            rest.get(..length)?.bytes().filter(|byte| (byte & 0xc0) != 0x80).count() as u32
        };
        Some(Node { start, width, data })
    }

    fn bracket_list(&self, line: &Line, at: usize, text: &'a str) -> Option<(Data<'a>, usize)> {
        let mut items = Vec::new();
        let mut offset = 1 + spaces(text.get(1..)?);
        if text.as_bytes().get(offset) == Some(&b']') {
            return Some((Data::Sequence(items), offset + 1));
        }
        loop {
            let (item, end) = self.bracket_item(line, at, text, offset)?;
            items.push(item);
            match text.as_bytes().get(end)? {
                b']' => return Some((Data::Sequence(items), end + 1)),
                b',' => offset = end + 1 + spaces(text.get(end + 1..)?),
                _ => return None,
            }
        }
    }

    fn bracket_mapping(&self, line: &Line, at: usize, text: &'a str) -> Option<(Data<'a>, usize)> {
        let mut entries = Vec::new();
        let mut offset = 1 + spaces(text.get(1..)?);
        if text.as_bytes().get(offset) == Some(&b'}') {
            return Some((Data::Mapping(entries), offset + 1));
        }
        loop {
            let (key, end) = self.bracket_item(line, at, text, offset)?;
            if text.get(end..end + 2)? != ": " {
                return None;
            }
            let (value, end) = self.bracket_item(line, at, text, end + 2 + spaces(text.get(end + 2..)?))?;
            entries.push((key, value));
            match text.as_bytes().get(end)? {
                b'}' if has_duplicates(&entries) => return None,
                b'}' => return Some((Data::Mapping(entries), end + 1)),
                b',' => offset = end + 1 + spaces(text.get(end + 1..)?),
                _ => return None,
            }
        }
    }

    /// Reads a text inside brackets; returns it with the offset of what follows it and its spaces.
    fn bracket_item(
        &self,
        line: &Line,
        at: usize,
        text: &'a str,
        offset: usize,
    ) -> Option<(Node<'a>, usize)> {
        let rest = text.get(offset..)?;
        let start = self.position(line, at + offset);
        let first = *rest.as_bytes().first()?;
        if matches!(first, b'"' | b'\'') {
            let inner = quoted(rest, char::from(first))?;
            let end = offset + inner.len() + 2;
            let width = inner.chars().count() as u32 + 2;
            let node = Node { start, width, data: Data::String(Cow::Borrowed(inner)) };
            return Some((node, end + spaces(text.get(end..)?)));
        }
        let bytes = rest.as_bytes();
        let inside = |(index, byte): (usize, &u8)| match byte {
            b'_' | b'-' | b'.' | b'/' | b' ' | b'+' | b'$' => true,
            b':' => {
                index > 0 && bytes.get(index + 1).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'/')
            }
            byte => byte.is_ascii_alphanumeric(),
        };
        let length = bytes.iter().enumerate().take_while(|pair| inside(*pair)).count();
        let word = rest.get(..length)?.trim_end_matches(' ');
        if word.is_empty() || !(first.is_ascii_alphanumeric() || matches!(first, b'_' | b'/')) {
            return None;
        }
        let data = scalar::plain(Cow::Borrowed(word));
        Some((Node { start, width: word.len() as u32, data }, offset + length))
    }

    /// Reads a block text whose header is `rest`.
    fn block_text(&mut self, rest: &str, column: usize) -> Option<Node<'a>> {
        let (header, comment) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        let (folded, strip) = match header {
            "|" => (false, false),
            "|-" => (false, true),
            ">" => (true, false),
            ">-" => (true, true),
            _ => return None,
        };
        if !is_line_end(comment) {
            return None;
        }
        let mut out = String::new();
        let mut indent = None;
        let mut blank = 0_usize;
        let mut start = Position::default();
        loop {
            let (next, number) = (self.next, self.number);
            let Some(line) = self.raw_line() else { break };
            let is_blank = line.content >= line.end;
            let indent = match indent {
                // White space beyond the text's own column is part of the text
                Some(indent) if is_blank && line.indent > indent => return None,
                None if is_blank && line.indent > 0 => return None,
                _ if is_blank => {
                    blank += 1;
                    continue;
                }
                Some(indent) if line.indent < indent => {
                    (self.next, self.number) = (next, number);
                    if line.indent > column {
                        return None;
                    }
                    break;
                }
                Some(indent) => indent,
                None if line.indent <= column => return None,
                None => {
                    start = self.position(&line, line.content);
                    *indent.insert(line.indent)
                }
            };
            let end = self.text.get(line.start..)?.find('\n').map_or(self.text.len(), |at| line.start + at);
            let text = self.slice(line.start + indent, end);
            if folded && text.starts_with(' ') {
                return None;
            }
            if out.is_empty() {
                // Blank lines before the text stay
                out.extend(std::iter::repeat_n('\n', blank));
            } else if folded && blank == 0 {
                out.push(' ');
            } else {
                out.extend(std::iter::repeat_n('\n', if folded { blank } else { blank + 1 }));
            }
            blank = 0;
            out.push_str(text);
        }
        indent?;
        if !strip {
            out.push('\n');
        }
        Some(Node { start, width: 1, data: Data::String(Cow::Owned(out)) })
    }
}

fn is_dash(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// Finds the first colon that a space or the end of the line follows.
fn find_colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b':')) {
        let colon = from + at;
        if matches!(bytes.get(colon + 1), None | Some(b' ')) {
            return Some(colon);
        }
        from = colon + 1;
    }
    None
}

/// Returns the text between quotes at the start, if it needs no change.
fn quoted(text: &str, quote: char) -> Option<&str> {
    let inner = text.get(1..)?;
    let end = inner.find(quote)?;
    let body = inner.get(..end)?;
    let doubled = quote == '\'' && inner.as_bytes().get(end + 1) == Some(&b'\'');
    let escaped = quote == '"' && body.contains('\\');
    (!doubled && !escaped).then_some(body)
}

/// Returns the unquoted text at the start, without a comment behind it.
fn plain_text(rest: &str) -> Option<&str> {
    let first = *rest.as_bytes().first()?;
    let odd = b"-?:,[]{}#&*!|>'\"%@`";
    let number = first == b'-' && rest.as_bytes().get(1).is_some_and(u8::is_ascii_alphanumeric);
    if (odd.contains(&first) && !number) || find_colon(rest).is_some() {
        return None;
    }
    let text = rest.find(" #").map_or(rest, |at| rest.get(..at).unwrap_or(rest));
    Some(text.trim_end_matches(' '))
}

/// Returns whether nothing but spaces and a comment are left.
fn is_line_end(rest: &str) -> bool {
    let text = rest.trim_start_matches(' ');
    text.is_empty() || (text.len() < rest.len() && text.starts_with('#'))
}

fn spaces(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// Returns whether two keys are, or might be, the same.
fn has_duplicates(entries: &[(Node<'_>, Node<'_>)]) -> bool {
    if entries.len() > SMALL_MAPPING {
        let mut seen = rustc_hash::FxHashSet::default();
        return entries.iter().any(|(key, _)| key.as_str().is_none_or(|text| !seen.insert(text)));
    }
    entries.iter().enumerate().any(|(index, (key, _))| {
        let earlier = entries.get(..index).unwrap_or(&[]);
        match key.as_str() {
            Some(text) => earlier.iter().any(|(other, _)| other.as_str() == Some(text)),
            None => earlier.iter().any(|(other, _)| other.as_str().is_none()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Source, build, split};
    use super::*;
    use proptest::prelude::*;

    /// Holds this reader to the event parser: what it reads, the other reads alike.
    fn agree(text: &str) -> usize {
        let source = Source::new(text, &"x.yaml".into());
        let mut read = 0;
        for chunk in split::split(text) {
            if let Some(quick) = parse(chunk.text, chunk.first_line) {
                let slow = build::parse_events(&chunk, &source);
                let quick = Some(quick).filter(|root| !root.is_null());
                assert_eq!(
                    Ok(quick.map(without_places_of_nulls)),
                    slow.map(|root| root.map(without_places_of_nulls)),
                    "{text:?}"
                );
                read += 1;
            }
        }
        read
    }

    /// An absent value has no place of its own.
    fn without_places_of_nulls(mut node: Node<'_>) -> Node<'_> {
        match &mut node.data {
            Data::Null => (node.start, node.width) = (Position::default(), 1),
            Data::Sequence(items) => {
                *items = std::mem::take(items).into_iter().map(without_places_of_nulls).collect();
            }
            Data::Mapping(entries) => {
                let both = |(key, value)| (without_places_of_nulls(key), without_places_of_nulls(value));
                *entries = std::mem::take(entries).into_iter().map(both).collect();
            }
            _ => {}
        }
        node
    }

    #[test]
    fn reads_what_descriptors_are_made_of() {
        let text = "# c\n---\napiVersion: a/v1\nmetadata:\n  name: x # c\n  description: >-\n    one\n    two\n\n    \
                    three\n\n  annotations:\n    a.b/c: \"x: y\" # c\n    'd': 'e # f'\n  tags:\n  - a\n  - b c\n  links:\n    - \
                    url: https://x.io/a#b\n      title: Ü é\n    -\n      url: y\nspec:\n  empty:\n  list: [a, 'b', 3, x:y, -1]\n  \
                    map: {a: b, c: \"d\"}\n  none: []\n  text: |\n\n    # kept\n      deeper\n\n    end\n  steps:\n  - if: ${{ a.b }}\n    \
                    id:   x   \n# c\n  - if: ~\n";
        assert_eq!(agree(text), usize::from(!text.contains("-1]")));
        assert_eq!(agree(&text.replace(", -1]", "]")), 1);
    }

    #[test]
    fn leaves_the_rest_to_the_event_parser() {
        for text in [
            "a: 1\na: 2\n",
            "a: b\n  c\n",
            "a: &x b\n",
            "a: b: c\n",
            "a:\n   b: 1\n  c: 2\n",
            "a:\n  - b\n  c: d\n",
            "a: \"b\\n\"\n",
            "a: 'it''s'\n",
            "a: [b\n",
            "a: |2\n    b\n",
            "- - a\n",
            "a: b\r\n",
            "a:\n\tb: c\n",
            "? a\n: b\n",
            "word\n",
            "a: 1\nword\n",
            "%YAML 1.2\n---\na: 1\n",
            "a: \"b\" c\n",
            "a: {b: c, b: d}\n",
        ] {
            assert!(parse(text, 1).is_none(), "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_the_event_parser(
            lines in prop::collection::vec(
                (
                    0_usize..5,
                    prop::sample::select(vec![
                        "", "", "- ", "- ", "a: ", "b: ", "c: ", "- a: ", "- b:", "a:", "b:", "'q': ", "\"q r\": ", "- - ", "-", "é: ",
                        "x/y.z: ", "a:b: ", "1: ", "null: ", "# ", "-   ", "a :  ", "d:",
                    ]),
                    prop::sample::select(vec![
                        "", "", "v", "two words", "'s'", "\"d\"", "|", ">", ">-", "|-", "[a, b]", "[]", "{}", "{a: b}", "a:b", "x # c", "#c",
                        "12", "-1", "~", "true", "'it''s'", "[a, [b]]", "{a}", "é ü", "a: b", "- x", "https://x.io/#f", "${{ a }}", "\"a\" b",
                        "[a,b]", "[ a ]", "{ a: b }", "[a, ]", "v  ", "|  # c", "---", "...", "a#b", "[x:y]", "[-1]", "[a b]", "{a: 'b'}", "::",
                        "[1, true]", "[a:]", "{a: b, a: c}", "{a:b}", "[\"a\", b]", "[/a]", "=", "<", "a,b", "a]", "\\", "^", "\"\"", "''",
                    ]),
                ),
                0..9,
            ),
            newline in any::<bool>(),
        ) {
            let mut text = String::new();
            for (indent, key, value) in lines {
                text.push_str(&" ".repeat(indent));
                text.push_str(key);
                text.push_str(value);
                text.push('\n');
            }
            if !newline {
                text.pop();
            }
            agree(&text);
        }
    }
}
