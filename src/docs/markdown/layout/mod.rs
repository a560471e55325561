//! Lines of a page at a width.
//!
//! [`layout`] turns a [`Page`] into lines of [`Span`]s: text with a [`Role`] (not a colour), styles, a
//! link and its place in the page. Every line is at most the given width, except those that say they
//! scroll sideways. Words are wrapped and the columns of tables are fitted by termimad.

mod code;
mod flow;
mod table;
mod wrap;

use super::highlight::{Highlights, Token};
use super::marks::Marks;
use super::page::{BlockId, LinkId, Page, TextId, Tone};
use std::collections::HashMap;
use std::ops::Range;

/// What a person chose to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Details that are open or shut against what the page says.
    pub open: HashMap<BlockId, bool>,
    /// The tab that is shown, from 0.
    pub tabs: HashMap<BlockId, usize>,
    /// Everything open and all tabs one after the other, for print.
    pub all: bool,
    /// Code and tables are wrapped where they would scroll sideways.
    pub wrap: bool,
    /// Numbers before the lines of code.
    pub numbers: bool,
    /// Signs of ASCII only.
    pub ascii: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            tabs: HashMap::new(),
            all: false,
            wrap: false,
            numbers: true,
            ascii: false,
        }
    }
}

impl View {
    /// Returns the view for print: everything is shown and nothing scrolls.
    pub fn print() -> Self {
        Self { all: true, wrap: true, ..Self::default() }
    }
}

/// What a stretch of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Running text.
    Text,
    /// A heading, 1 to 6.
    Heading(u8),
    /// The line under a heading, the sign before one.
    HeadingRule,
    /// Code of a block that is not highlighted (yet), code within text.
    Code,
    /// Code highlighted as this.
    Token(Token),
    /// Title and language over a code block.
    CodeTitle,
    /// Number of a code block, under which it is copied.
    CodeNumber,
    /// Number of a line of code.
    LineNumber,
    /// Frame of code and diagrams.
    Frame,
    /// Sign of a list item.
    Sign,
    /// Sign of a task that is done.
    Done,
    /// Bar before a quotation.
    QuoteBar,
    /// Words of the head of a table.
    TableHead,
    /// Lines of a table.
    TableRule,
    /// A line across.
    Rule,
    /// Bar, sign and title of an admonition.
    Tone(Tone),
    /// Title of the tab that is shown.
    TabChosen,
    /// Title of another tab.
    Tab,
    /// A term that is defined.
    Term,
    /// Number of a footnote.
    Footnote,
    /// Caption of a picture.
    Image,
    /// What is less important: addresses, signs, hints.
    Dim,
    /// A drawn diagram.
    Diagram,
}

/// What a line is, for keys that act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Anything else.
    Text,
    /// The title of details: opens and shuts.
    Fold,
    /// The titles of tabs.
    Tabs,
    /// Title of a code block or diagram.
    CodeTitle,
    /// A line of code.
    Code,
    /// A line of a table.
    Table,
    /// A picture that stands alone.
    Image,
    /// Nothing.
    Blank,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    spans: Range<u32>,
    /// Cells of the whole line; more than the width only when it scrolls.
    pub width: u32,
    /// Cells at the start that stay where they are when the line scrolls.
    pub fixed: u32,
    /// Whether it is wider than the layout.
    pub scrolls: bool,
    /// The block it shows.
    pub block: BlockId,
    /// What it is.
    pub kind: LineKind,
    /// Whether the author highlighted this line of code.
    pub highlighted: bool,
}

/// A stretch of a line in one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<'a> {
    /// The characters.
    pub text: &'a str,
    /// What it is.
    pub role: Role,
    /// Its styles.
    pub marks: Marks,
    /// Where it leads.
    pub link: Option<LinkId>,
    /// Which text of the page it shows, and from which byte.
    pub place: Option<(TextId, u32)>,
}

/// A span as it is kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    start: u32,
    end: u32,
    role: Role,
    marks: Marks,
    link: Option<LinkId>,
    place: Option<(TextId, u32)>,
}

/// A page at a width.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// The width that was asked for.
    pub width: usize,
    /// The lines.
    pub lines: Vec<Line>,
    text: String,
    spans: Vec<Kept>,
    /// First line of each block, by number.
    block_lines: Vec<u32>,
    /// First line of each text that is shown, by number.
    text_lines: Vec<u32>,
}

/// No line.
const NOWHERE: u32 = u32::MAX;

/// The narrowest layout.
const NARROWEST: usize = 12;

/// Lays a page out.
pub fn layout(page: &Page, width: usize, view: &View) -> Layout {
    flow::Flow::new(page, width.max(NARROWEST), view).run()
}

impl Layout {
    /// Returns the spans of a line; code stays [`Role::Code`].
    pub fn spans(&self, line: usize) -> impl Iterator<Item = Span<'_>> {
        let range =
            self.lines.get(line).map_or(0..0, |line| line.spans.start as usize..line.spans.end as usize);
        self.spans.get(range).unwrap_or(&[]).iter().map(|kept| self.span(kept))
    }

    fn span(&self, kept: &Kept) -> Span<'_> {
        Span {
            text: self.text.get(kept.start as usize..kept.end as usize).unwrap_or(""),
            role: kept.role,
            marks: kept.marks,
            link: kept.link,
            place: kept.place,
        }
    }

    /// Returns the spans of a line with the code highlighted as far as it is known.
    pub fn highlighted<'a>(&'a self, line: usize, highlights: &Highlights) -> Vec<Span<'a>> {
        let mut out = Vec::new();
        for span in self.spans(line) {
            match span
                .place
                .filter(|_| span.role == Role::Code)
                .and_then(|(text, at)| Some((highlights.get(text)?, at)))
            {
                Some((tokens, at)) => super::highlight::split(span, at, tokens, &mut out),
                None => out.push(span),
            }
        }
        out
    }

    /// Returns the text of a line without white space at its end.
    pub fn line_text(&self, line: usize) -> String {
        let text: String = self.spans(line).map(|span| span.text).collect();
        text.trim_end().to_owned()
    }

    /// Returns the whole text.
    pub fn to_text(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + self.lines.len());
        for line in 0..self.lines.len() {
            for span in self.spans(line) {
                out.push_str(span.text);
            }
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
        }
        out
    }

    /// Returns the first line of a block, or of what it is folded away in.
    pub fn line_of(&self, block: BlockId) -> usize {
        self.block_lines.get(block.0 as usize).copied().unwrap_or(0) as usize
    }

    /// Returns the first line of an anchor (without `#`) of the page.
    pub fn line_of_anchor(&self, page: &Page, anchor: &str) -> Option<usize> {
        page.anchor(anchor).map(|block| self.line_of(block))
    }

    /// Returns the line that shows this byte of a text; `None` when it is folded away.
    pub fn line_at(&self, text: TextId, at: u32) -> Option<usize> {
        let first = self.text_lines.get(text.0 as usize).copied().filter(|line| *line != NOWHERE)? as usize;
        let mut best = None;
        for line in first..self.lines.len() {
            let mut seen = false;
            for span in self.spans(line) {
                if let Some((other, start)) = span.place
                    && other == text
                {
                    seen = true;
                    if start <= at {
                        best = Some(line);
                        if at < start + span.text.len() as u32 {
                            return best;
                        }
                    }
                }
            }
            if !seen && best.is_some() && line > first + 200 {
                break;
            }
        }
        best.or(Some(first))
    }

    /// Returns the first place shown at or after a line: what a reading position is kept as.
    pub fn place_of(&self, line: usize) -> Option<(TextId, u32)> {
        (line..self.lines.len()).find_map(|line| self.spans(line).find_map(|span| span.place))
    }

    /// Returns the code blocks and their text that are shown on these lines.
    pub fn code_in(&self, lines: Range<usize>) -> Vec<TextId> {
        let mut found: Vec<TextId> = Vec::new();
        for line in lines {
            if !self.lines.get(line).is_some_and(|line| line.kind == LineKind::Code) {
                continue;
            }
            for span in self.spans(line) {
                if let Some((text, _)) = span.place
                    && found.last() != Some(&text)
                {
                    found.push(text);
                }
            }
        }
        found.dedup();
        found
    }
}
