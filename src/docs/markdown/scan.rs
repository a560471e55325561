//! The first pass over a page: takes out what `CommonMark` does not know.
//!
//! Admonitions, details, tabs, alerts, HTML that holds Markdown, diagrams in braces become
//! [`Container`]s; a line with a placeholder stands for each, at its indentation, so that it stays in
//! the list item or quotation it was in. Definitions of footnotes, abbreviations and links are gathered
//! from the whole page. Lists are moved where `CommonMark` would lose a nesting that the web site has.
//! Everything else goes on as it is, and every line that goes on remembers its number.

use super::containers;
use super::definitions::{self, RawDefinition};
use super::dialect::Dialect;
use super::inline::GLUE;
use super::lines::{Fence, Line, Marker, fence, is_rule, marker};
use super::page::{Note, NoteKind};
use std::borrow::Cow;

/// Around the number of a container. Control codes never come from a page: they are replaced first.
pub(super) const OPEN: char = '\u{2}';
/// See [`OPEN`].
pub(super) const CLOSE: char = '\u{3}';

/// What was taken out.
#[derive(Debug)]
pub(super) enum Container<'a> {
    Admonition {
        kind: String,
        title: Title<'a>,
        fold: Option<bool>,
        body: Vec<Line<'a>>,
    },
    Tabs(Vec<RawTab<'a>>),
    Definitions(Vec<RawDefinition<'a>>),
    Quote(Vec<Line<'a>>),
    /// Blocks without a frame: `<div markdown>`.
    Group(Vec<Line<'a>>),
    /// A table of HTML.
    Html(Vec<Line<'a>>),
    Toc,
    Diagram {
        language: &'static str,
        title: Option<String>,
        source: String,
    },
}

/// The title of an admonition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Title<'a> {
    /// Not written: the kind is the title.
    Kind,
    /// Written as empty: no title.
    None,
    /// Markdown.
    Text(Cow<'a, str>),
}

/// A tab as written.
#[derive(Debug)]
pub(super) struct RawTab<'a> {
    pub line: u32,
    pub title: &'a str,
    pub selected: bool,
    pub body: Vec<Line<'a>>,
}

/// What holds for the whole page, wherever it is written.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a> {
    pub abbreviations: Vec<(String, String)>,
    pub footnotes: Vec<RawFootnote<'a>>,
    pub anchors: Vec<(u32, String)>,
    pub notes: Vec<Note>,
}

/// The definition of a footnote.
#[derive(Debug)]
pub(super) struct RawFootnote<'a> {
    pub line: u32,
    pub label: &'a str,
    pub body: Vec<Line<'a>>,
}

impl Gathered<'_> {
    /// Notes something about a line.
    pub fn note(&mut self, line: u32, kind: NoteKind, message: impl Into<String>) {
        // A page of nothing but faults stays a page
        if self.notes.len() < 2_000 {
            self.notes.push(Note { line, kind, message: message.into() });
        }
    }
}

/// What goes on to `CommonMark`.
#[derive(Debug, Default)]
pub(super) struct Scanned<'a> {
    pub text: String,
    /// Source line of every line of the text.
    pub numbers: Vec<u32>,
    /// Each with its line and its own lines as written.
    pub containers: Vec<Option<Taken<'a>>>,
}

/// A container and how it was written.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pub line: u32,
    pub container: Container<'a>,
}

/// An open list item, in columns of the source.
#[derive(Debug, Clone, Copy)]
struct Open {
    indent: usize,
    content: usize,
    shift: isize,
}

pub(super) struct Scanner<'a, 'g> {
    pub lines: &'g [Line<'a>],
    pub at: usize,
    pub dialect: &'g Dialect,
    pub gathered: &'g mut Gathered<'a>,
    /// Whether containers are still taken out (not when nested too deep).
    pub nests: bool,
    out: Scanned<'a>,
    items: Vec<Open>,
    after_blank: bool,
    /// Whether the line before was running text.
    in_text: bool,
    /// Whether any line may be a definition.
    defines: bool,
}

/// Reads lines and takes out what `CommonMark` does not know.
pub(super) fn scan<'a>(
    lines: &[Line<'a>],
    dialect: &Dialect,
    gathered: &mut Gathered<'a>,
    nests: bool,
) -> Scanned<'a> {
    let mut scanner = Scanner {
        lines,
        at: 0,
        dialect,
        gathered,
        nests,
        out: Scanned::default(),
        items: Vec::new(),
        after_blank: true,
        in_text: false,
        defines: dialect.techdocs && nests && definitions::any(lines),
    };
    scanner.run();
    scanner.out
}

impl<'a> Scanner<'a, '_> {
    fn run(&mut self) {
        while let Some(line) = self.lines.get(self.at).copied() {
            let (indent, rest) = line.measure();
            if rest.is_empty() {
                self.emit(line.number, 0, "");
                self.after_blank = true;
                self.in_text = false;
                self.at += 1;
                continue;
            }
            self.line(line, indent, rest);
        }
    }

    fn line(&mut self, line: Line<'a>, indent: usize, rest: &'a str) {
        let found = marker(rest).filter(|_| !self.is_code(indent));
        if self.after_blank || found.is_some() {
            self.leave(indent, found);
        }
        let first = rest.as_bytes().first().copied().unwrap_or(0);
        if matches!(first, b'`' | b'~')
            && let Some(fence) = fence(rest)
            && self.fence(indent, fence)
        {
            return;
        }
        if !self.is_code(indent) {
            if first == b'<' && self.hidden(line, indent, rest) {
                return;
            }
            if self.dialect.techdocs && self.take(line, indent, rest) {
                return;
            }
            if self.defines && !self.in_text && found.is_none() && self.define(line, indent, rest) {
                return;
            }
        }
        match found {
            Some(found) => {
                if self.item_of_container(line, indent, rest, found) {
                    return;
                }
                self.item(line, indent, rest, found);
            }
            None => {
                let shown = self.shown(rest);
                if first == b'<' && indent < 4 && self.dialect.techdocs && super::html::opens_unknown(rest) {
                    self.emit(line.number, self.shifted(indent), &format!("\\{shown}"));
                } else {
                    self.emit(line.number, self.shifted(indent), &shown);
                }
                self.in_text = first != b'#' && first != b'|' && !is_rule(rest) && !self.is_code(indent);
            }
        }
        self.after_blank = false;
        self.at += 1;
    }

    /// Returns a line as `CommonMark` is to read it.
    fn shown(&self, rest: &'a str) -> Cow<'a, str> {
        if !self.dialect.techdocs {
            return Cow::Borrowed(rest);
        }
        let rest = match heading(rest) {
            Some(heading) => Cow::Owned(heading),
            None => Cow::Borrowed(rest),
        };
        if rest.contains("][^") { Cow::Owned(rest.replace("][^", &format!("]{GLUE}[^"))) } else { rest }
    }

    /// Whether a line at this column is indented code (or the lazy end of a paragraph).
    fn is_code(&self, indent: usize) -> bool {
        let base =
            self.items.iter().rev().map(|item| item.content).find(|content| *content <= indent).unwrap_or(0);
        indent >= base + 4 && !(self.in_list() && !self.after_blank && indent < base + 8)
    }

    fn in_list(&self) -> bool {
        !self.items.is_empty()
    }

    /// Leaves the items that a line at this column is not part of.
    fn leave(&mut self, indent: usize, marker: Option<Marker>) {
        while let Some(item) = self.items.last() {
            let limit = if marker.is_some() { item.indent + 2 } else { item.content };
            if indent >= limit {
                break;
            }
            self.items.pop();
        }
    }

    fn shifted(&self, indent: usize) -> usize {
        let shift = self.items.last().map_or(0, |item| item.shift);
        (indent as isize + shift).max(0) as usize
    }

    /// A list item that begins with an admonition or tabs: `- !!! note`.
    fn item_of_container(&mut self, line: Line<'a>, indent: usize, rest: &'a str, marker: Marker) -> bool {
        let Some(inner) = rest.get(marker.content..).filter(|_| self.dialect.techdocs && self.nests) else {
            return false;
        };
        if !(inner.starts_with("!!! ") || inner.starts_with("???") || inner.starts_with("=== \"")) {
            return false;
        }
        // What belongs to it is indented by four columns, from the item or from its content
        let start = self.at;
        let next = self
            .lines
            .get(start + 1..)
            .unwrap_or(&[])
            .iter()
            .find(|line| !line.is_blank())
            .map_or(0, |line| line.measure().0);
        let base = if next >= indent + marker.content + 4 {
            indent + marker.content
        } else {
            indent + next.saturating_sub(indent + 4).min(marker.content)
        };
        let Some(Some(container)) = containers::take(self, base, inner) else { return false };
        let end = self.at;
        self.at = start;
        let sign = rest.get(..marker.content).unwrap_or("- ");
        let number = self.out.containers.len();
        self.out.containers.push(Some(Taken { line: line.number, container }));
        self.item(line, indent, sign, Marker { empty: true, ..marker });
        // The item was written without its content, which follows on the same line
        self.out.text.truncate(self.out.text.trim_end().len());
        self.out.text.push_str(&format!(" {OPEN}{number}{CLOSE}\n"));
        self.emit(line.number, 0, "");
        self.at = end;
        self.after_blank = true;
        true
    }

    /// A list item: moved to the content of its parent when it stands a little before or far behind.
    fn item(&mut self, line: Line<'a>, indent: usize, rest: &'a str, marker: Marker) {
        if self.in_text && !self.in_list() && self.dialect.techdocs {
            let message = "a list needs a blank line before it on the web site";
            self.gathered.note(line.number, NoteKind::WebDiffers, message);
        }
        let shift = match self.items.last() {
            _ if !self.dialect.techdocs => 0,
            None => 0,
            Some(parent) if indent < parent.content => (parent.content - indent) as isize + parent.shift,
            Some(parent) if indent >= parent.content + 4 => {
                parent.content as isize - indent as isize + parent.shift
            }
            Some(parent) => parent.shift,
        };
        self.items.push(Open { indent, content: indent + marker.content, shift });
        let out = (indent as isize + shift).max(0) as usize;
        self.in_text = false;
        // What follows a marker may be a marker again: `- - a`
        let mut at = indent;
        let mut after = rest;
        let mut depth = 0;
        let mut content = marker.content;
        while let Some(next) = after.get(content.min(after.len())..).filter(|next| !next.is_empty()) {
            let trimmed = next.trim_start();
            at += content + (next.len() - trimmed.len());
            let Some(inner) = super::lines::marker(trimmed).filter(|inner| !inner.empty) else { break };
            if depth > 600 {
                break;
            }
            self.items.push(Open { indent: at, content: at + inner.content, shift });
            content = inner.content;
            after = trimmed;
            depth += 1;
        }
        let shown = self.shown(rest);
        self.emit(line.number, out, &shown);
    }

    /// A code block between fences. Returns `false` when the line is no fence here.
    fn fence(&mut self, indent: usize, fence: Fence) -> bool {
        if self.in_list() {
            self.leave(indent, None);
        }
        let base = self.items.last().map_or(0, |item| item.content);
        let lenient = self.dialect.techdocs && self.in_list();
        if indent >= base + 4 && !lenient {
            return false;
        }
        let start = self.at;
        let opened = self.shifted(indent).min(self.shifted(base) + if lenient { 3 } else { usize::MAX / 2 });
        let delta = opened as isize - indent as isize;
        let rest = self.lines.get(start + 1..).unwrap_or(&[]);
        let nested = !self.items.is_empty();
        let mut close = None;
        let mut strays = false;
        for (n, line) in rest.iter().enumerate() {
            let (column, text) = line.measure();
            if text.is_empty() {
                continue;
            }
            if nested && column < base {
                strays = true;
            }
            if fence.closes(text) && column < indent + 4 && (!nested || column + 3 >= indent) {
                close = Some(n);
                break;
            }
        }
        // Code that stands left of its item ends the item, unless the fence is closed where it began
        if strays && (close.is_none() || !self.dialect.techdocs) {
            close = None;
        }
        let end = match close {
            Some(n) => start + 2 + n,
            None => {
                if let Some(line) = self.lines.get(start) {
                    self.gathered.note(
                        line.number,
                        NoteKind::Unclosed,
                        "the fence of this code block is never closed",
                    );
                }
                let left = rest.iter().position(|line| nested && !line.is_blank() && line.measure().0 < base);
                left.map_or(self.lines.len(), |n| start + 1 + n)
            }
        };
        for n in start..end {
            let Some(line) = self.lines.get(n) else { break };
            let (column, text) = line.measure();
            if delta == 0 && (column >= opened || opened == 0) {
                self.emit(line.number, 0, line.text);
            } else if text.is_empty() {
                self.emit(line.number, 0, "");
            } else {
                let column = (column as isize + delta).max(opened.min(column.max(opened)) as isize);
                self.emit(line.number, column as usize, text);
            }
        }
        self.at = end;
        self.after_blank = false;
        self.in_text = false;
        true
    }

    /// Comments and elements whose content is never Markdown go on untouched to their end.
    fn hidden(&mut self, line: Line<'a>, indent: usize, rest: &str) -> bool {
        const RAW: [(&str, &str); 5] = [
            ("<!--", "-->"),
            ("<script", "</script>"),
            ("<style", "</style>"),
            ("<pre", "</pre>"),
            ("<textarea", "</textarea>"),
        ];
        let lower = rest.get(..rest.len().min(12)).unwrap_or("").to_ascii_lowercase();
        let Some((open, close)) = RAW.iter().find(|(open, _)| lower.starts_with(open)) else { return false };
        if *open != "<!--" && !matches!(rest.as_bytes().get(open.len()), None | Some(b' ' | b'>' | b'\t')) {
            return false;
        }
        let mut end = self.at;
        loop {
            let Some(last) = self.lines.get(end) else {
                self.gathered.note(line.number, NoteKind::Unclosed, format!("`{open}` is never closed"));
                break;
            };
            let text = if end == self.at { rest.get(open.len()..).unwrap_or("") } else { last.text };
            end += 1;
            if text.to_ascii_lowercase().contains(close) {
                break;
            }
        }
        let end = end.min(self.lines.len());
        let out = self.shifted(indent);
        for n in self.at..end {
            if let Some(line) = self.lines.get(n) {
                if n == self.at {
                    self.emit(line.number, out, rest);
                } else {
                    self.emit(line.number, 0, line.text);
                }
            }
        }
        self.at = end;
        self.after_blank = false;
        self.in_text = false;
        true
    }

    /// Takes out what begins here. Returns whether something was.
    fn take(&mut self, line: Line<'a>, indent: usize, rest: &'a str) -> bool {
        let start = self.at;
        if !containers::begins(rest) {
            return false;
        }
        if self.in_list() {
            self.leave(indent, None);
        }
        let Some(found) = containers::take(self, indent, rest) else { return false };
        debug_assert!(self.at > start, "a container takes at least its line");
        if let Some(container) = found {
            self.put(line.number, indent, container);
        }
        true
    }

    /// Takes out a list of definitions. Returns whether there was one.
    fn define(&mut self, line: Line<'a>, indent: usize, rest: &'a str) -> bool {
        let Some(container) = definitions::take(self, indent, rest) else { return false };
        self.put(line.number, indent, container);
        true
    }

    /// Puts a placeholder where a container was.
    pub fn put(&mut self, line: u32, indent: usize, container: Container<'a>) {
        let number = self.out.containers.len();
        self.out.containers.push(Some(Taken { line, container }));
        let content =
            self.items.last().map_or(0, |item| (item.content as isize + item.shift).max(0) as usize);
        let column = self.shifted(indent).clamp(content.min(self.shifted(indent)), content + 3);
        if !self.out.text.is_empty() {
            self.emit(line, 0, "");
        }
        self.emit(line, column, &format!("{OPEN}{number}{CLOSE}"));
        self.emit(line, 0, "");
        self.after_blank = true;
        self.in_text = false;
    }

    fn emit(&mut self, number: u32, indent: usize, text: &str) {
        self.out.text.extend(std::iter::repeat_n(' ', indent.min(4_000)));
        self.out.text.push_str(text);
        self.out.text.push('\n');
        self.out.numbers.push(number);
    }

    /// Returns the lines after the current one that are indented by at least `by` columns, without
    /// those columns, and moves behind them. Blank lines at the end are left.
    pub fn indented(&mut self, by: usize) -> Vec<Line<'a>> {
        let mut body = Vec::new();
        let mut end = self.at + 1;
        for (n, line) in self.lines.iter().enumerate().skip(self.at + 1) {
            let (indent, rest) = line.measure();
            if !rest.is_empty() {
                if indent < by {
                    break;
                }
                end = n + 1;
            }
            body.push(line.dedent(by));
        }
        body.truncate(end - self.at - 1);
        self.at = end;
        body
    }
}

/// A heading without a space after its signs, as the web site takes it.
fn heading(rest: &str) -> Option<String> {
    let level = rest.bytes().take_while(|b| *b == b'#').count();
    let text = rest.get(level..)?;
    let begins = text.chars().next().is_some_and(|c| !c.is_whitespace() && c != '#');
    (begins && (1..=6).contains(&level)).then(|| format!("{} {text}", "#".repeat(level)))
}
