//! Turns the parser's events into a tree, with a stack of its own and bounds on everything.

use super::explain;
use super::guess;
use super::mask;
use super::node::{Data, Node, Position};
use super::quick;
use super::split::Chunk;
use super::{MAX_DEPTH, Source, scalar, strict};
use crate::diagnostic::Diagnostic;
use rustc_hash::{FxHashMap, FxHashSet};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, Tag};
use std::borrow::Cow;

/// Nodes that anchors and aliases may copy in one document; owned text counts by the 64 bytes.
const COPY_BUDGET: usize = 100_000;
/// Mappings up to this size are compared key by key.
const SMALL_MAPPING: usize = 12;

type Failure = Box<Diagnostic>;

/// Parses one document of a source.
pub(super) fn parse<'a>(chunk: &Chunk<'a>, source: &Source<'a>) -> Result<Option<Node<'a>>, Failure> {
    if let Some(root) = quick::parse(chunk.text, chunk.first_line) {
        return Ok(Some(root).filter(|root| !root.is_null()));
    }
    parse_events(chunk, source)
}

/// Parses one document with the event parser.
pub(super) fn parse_events<'a>(chunk: &Chunk<'a>, source: &Source<'a>) -> Result<Option<Node<'a>>, Failure> {
    let tabs = chunk.text.contains('\t');
    let lines = chunk.text.lines().count().max(1) as u32;
    let context = explain::Context {
        first_line: chunk.first_line,
        last_line: chunk.first_line + lines - 1,
        source,
        tabs,
    };
    // Spaces on a last line without a line feed would count as one more blank line of a block text
    let text = chunk.text.trim_end_matches(' ');
    let text = if text.ends_with('\n') { text } else { chunk.text };
    if !mask::is_needed(text) {
        match run(text, &context) {
            Ok(root) => return Ok(root),
            Err(Stop::Mistake(found)) => return Err(found),
            Err(Stop::Syntax(error)) if !mask::is_tab_after_colon(&error) => {
                return Err(guess::explain(&context, &error));
            }
            Err(Stop::Syntax(_)) => {}
        }
    }
    run_masked(text, &context)
}

/// Parses a text in which something stands for characters that the event parser does not take.
fn run_masked(text: &str, context: &explain::Context<'_, '_>) -> Result<Option<Node<'static>>, Failure> {
    let mut text = mask::mask(text);
    let mut tries = mask::MAX_TABS.min(mask::MAX_TAB_BYTES / text.len().max(1));
    loop {
        match run(&text, context) {
            Ok(root) => {
                return Ok(root.map(|root| {
                    let mut root = root.into_owned();
                    mask::unmask(&mut root);
                    root
                }));
            }
            Err(Stop::Mistake(found)) => return Err(found),
            Err(Stop::Syntax(error)) => {
                let again = tries > 0 && mask::is_tab_after_colon(&error);
                let softened = again.then(|| mask::soften_tabs(&text, error.marker().index())).flatten();
                match softened {
                    Some(softened) => text = softened,
                    None => return Err(guess::explain(context, &error)),
                }
                tries -= 1;
            }
        }
    }
}

/// Why a document was not read.
enum Stop {
    /// The event parser stopped.
    Syntax(ScanError),
    /// Something that the event parser takes is refused.
    Mistake(Failure),
}

fn run<'a>(text: &'a str, context: &explain::Context<'_, '_>) -> Result<Option<Node<'a>>, Stop> {
    let mut builder = Builder::new(context);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(Stop::Syntax)?;
        builder.event(event, span).map_err(Stop::Mistake)?;
    }
    Ok(builder.root.filter(|root| !root.is_null()))
}

struct Frame<'a> {
    start: Position,
    anchor: usize,
    brackets: Brackets,
    content: Content<'a>,
}

/// Whether a list or mapping is written with brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brackets {
    Yes,
    No,
    /// An anchor or tag stands before it: its own place is not known.
    Unknown,
}

impl Brackets {
    /// Guesses from the event: a bracket takes a character, the start of a block takes none.
    fn guess(span: Span, anchor: usize, tag: bool) -> Self {
        match (anchor != 0 || tag, span.is_empty()) {
            (true, _) => Self::Unknown,
            (false, true) => Self::No,
            (false, false) => Self::Yes,
        }
    }
}

enum Content<'a> {
    Sequence(Vec<Node<'a>>),
    Mapping { entries: Vec<(Node<'a>, Node<'a>)>, key: Option<Node<'a>> },
}

/// A finished node that aliases may copy.
struct Anchor<'a> {
    node: Node<'a>,
    cost: usize,
    depth: usize,
}

struct Builder<'c, 'a> {
    context: &'c explain::Context<'c, 'c>,
    stack: Vec<Frame<'a>>,
    root: Option<Node<'a>>,
    anchors: FxHashMap<usize, Anchor<'a>>,
    budget: usize,
}

impl<'c, 'a> Builder<'c, 'a> {
    fn new(context: &'c explain::Context<'c, 'c>) -> Self {
        Self { context, stack: Vec::new(), root: None, anchors: FxHashMap::default(), budget: COPY_BUDGET }
    }

    fn event(&mut self, event: Event<'a>, span: Span) -> Result<(), Failure> {
        let start = self.context.position(span.start);
        let width = if span.end.line() == span.start.line() {
            (span.end.col().saturating_sub(span.start.col()) as u32).max(1)
        } else {
            1
        };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_loose(&text, style, span, start)?;
                let width = match style {
                    ScalarStyle::Plain => width,
                    ScalarStyle::SingleQuoted => self.quoted_width(start, '\'').unwrap_or(width),
                    ScalarStyle::DoubleQuoted => self.quoted_width(start, '"').unwrap_or(width),
                    ScalarStyle::Literal | ScalarStyle::Folded => 1,
                };
                let data = resolve(text, style, tag.as_deref());
                self.finish(Node { start, width, data }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                let brackets = Brackets::guess(span, anchor, tag.is_some());
                self.open(start, anchor, brackets, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let brackets = Brackets::guess(span, anchor, tag.is_some());
                self.open(start, anchor, brackets, Content::Mapping { entries: Vec::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Alias(id) => {
                let node = self.copy(id, start)?;
                self.finish(Node { start, width, ..node }, 0)
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
        }
    }

    /// Measures a quoted text that ends on its line; the event reaches up to the next token.
    fn quoted_width(&self, start: Position, quote: char) -> Option<u32> {
        if start.column > strict::MAX_COLUMN {
            return None;
        }
        let line = self.context.source.line(start.line);
        let from = line.char_indices().nth(start.column as usize - 1)?.0;
        let text = line.get(from..).filter(|text| text.starts_with(quote))?;
        Some(text.get(..=guess::closing(text, quote)?)?.chars().count() as u32)
    }

    fn open(
        &mut self,
        start: Position,
        anchor: usize,
        brackets: Brackets,
        content: Content<'a>,
    ) -> Result<(), Failure> {
        if self.stack.len() >= MAX_DEPTH {
            return Err(explain::too_deep(self.context, start));
        }
        let is_list = matches!(content, Content::Sequence(_));
        let start = if is_list { self.dash_beside_key(start, brackets).unwrap_or(start) } else { start };
        if self.context.tabs && !self.in_brackets() {
            strict::tabs(self.context.source, start, brackets == Brackets::No, self.indent())?;
        }
        self.stack.push(Frame { start, anchor, brackets, content });
        Ok(())
    }

    /// Returns the place of the dash when a list stands at the column of its key: the event of such a
    /// list has the place of its first item.
    fn dash_beside_key(&self, start: Position, brackets: Brackets) -> Option<Position> {
        let parent = self.stack.last().filter(|parent| parent.brackets == Brackets::No)?;
        let column = parent.start.column;
        let is_mapping = matches!(parent.content, Content::Mapping { .. });
        let beside = is_mapping && brackets != Brackets::Yes && column < start.column;
        let line = self.context.source.line(start.line);
        let dash = beside && line.as_bytes().get(column as usize - 1) == Some(&b'-');
        dash.then_some(Position { line: start.line, column })
    }

    fn in_brackets(&self) -> bool {
        self.stack.last().is_some_and(|parent| parent.brackets == Brackets::Yes)
    }

    /// Returns the column (0-based) that the lines of a value must reach.
    fn indent(&self) -> usize {
        let block = self.stack.iter().rev().find(|frame| frame.brackets == Brackets::No);
        block.map_or(0, |frame| frame.start.column as usize)
    }

    /// Refuses scalars that only the event parser accepts.
    fn refuse_loose(
        &self,
        text: &str,
        style: ScalarStyle,
        span: Span,
        start: Position,
    ) -> Result<(), Failure> {
        let source = self.context.source;
        let end = self.context.position(span.end).line;
        if self.context.tabs && !self.in_brackets() && !text.is_empty() {
            strict::tabs(source, start, false, self.indent())?;
        }
        match style {
            ScalarStyle::Plain => strict::plain_start(source, text, start),
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted if end > start.line => {
                strict::quoted(source, start.line, end, self.indent())
            }
            ScalarStyle::Literal | ScalarStyle::Folded if self.context.tabs => {
                strict::block(source, start.line, end, self.indent())
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self, span: Span) -> Result<(), Failure> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let end = self.context.position(span.end).line;
        if frame.brackets == Brackets::Yes && end > frame.start.line && !self.in_brackets() {
            strict::flow(self.context.source, frame.start.line, end, self.indent())?;
        }
        let data = match frame.content {
            Content::Sequence(items) => Data::Sequence(items),
            Content::Mapping { entries, .. } => {
                self.refuse_duplicates(&entries)?;
                Data::Mapping(entries)
            }
        };
        self.finish(Node { start: frame.start, width: 1, data }, frame.anchor)
    }

    /// Puts a finished node where it belongs.
    fn finish(&mut self, node: Node<'a>, anchor: usize) -> Result<(), Failure> {
        if anchor != 0 {
            let (cost, depth) = measure(&node);
            self.spend(cost, node.start)?;
            self.anchors.insert(anchor, Anchor { node: node.clone(), cost, depth });
        }
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping { entries, key }) => match key.take() {
                None => *key = Some(node),
                Some(key) => entries.push((key, node)),
            },
        }
        Ok(())
    }

    fn copy(&mut self, id: usize, at: Position) -> Result<Node<'a>, Failure> {
        let Some(anchor) = self.anchors.get(&id) else {
            return Err(explain::alias_in_itself(self.context, at));
        };
        if self.stack.len() + anchor.depth > MAX_DEPTH {
            return Err(explain::too_deep(self.context, at));
        }
        let cost = anchor.cost;
        let node = anchor.node.clone();
        self.spend(cost, at)?;
        Ok(node)
    }

    fn spend(&mut self, cost: usize, at: Position) -> Result<(), Failure> {
        self.budget = self.budget.checked_sub(cost).ok_or_else(|| explain::alias_bomb(self.context, at))?;
        Ok(())
    }

    fn duplicate(&self, first: &Node<'_>, second: &Node<'_>) -> Failure {
        if self.stack.is_empty() && matches!(second.as_str(), Some("apiVersion" | "kind")) {
            return explain::missing_separator(self.context, second);
        }
        explain::duplicate_key(self.context, first, second)
    }

    fn refuse_duplicates(&self, entries: &[(Node<'a>, Node<'a>)]) -> Result<(), Failure> {
        let keys = entries.iter().map(|(key, _)| key);
        if entries.len() <= SMALL_MAPPING {
            for (index, key) in keys.enumerate().skip(1) {
                let before = entries.iter().take(index).map(|(earlier, _)| earlier);
                if let Some(first) = before.into_iter().find(|earlier| same_key(earlier, key)) {
                    return Err(self.duplicate(first, key));
                }
            }
            return Ok(());
        }
        let mut seen: FxHashSet<(u8, Cow<'_, str>)> = FxHashSet::default();
        for (index, key) in keys.enumerate() {
            let Some(identity) = identity(key) else { continue };
            if !seen.insert(identity) {
                let before = entries.iter().take(index).map(|(earlier, _)| earlier);
                if let Some(first) = before.into_iter().find(|earlier| same_key(earlier, key)) {
                    return Err(self.duplicate(first, key));
                }
            }
        }
        Ok(())
    }
}

/// Returns whether two keys are the same scalar; lists and mappings never are.
fn same_key(a: &Node<'_>, b: &Node<'_>) -> bool {
    match (&a.data, &b.data) {
        (Data::String(a), Data::String(b)) => a == b,
        (Data::Int(i), Data::Float(f)) | (Data::Float(f), Data::Int(i)) => (*i as f64).total_cmp(f).is_eq(),
        (Data::Sequence(_) | Data::Mapping(_), _) => false,
        (a, b) => a == b,
    }
}

/// Returns a value that equal keys share.
fn identity<'n>(key: &'n Node<'_>) -> Option<(u8, Cow<'n, str>)> {
    match &key.data {
        Data::String(text) => Some((0, Cow::Borrowed(text))),
        Data::Int(i) => Some((1, Cow::Owned((*i as f64).to_string()))),
        Data::Float(f) => Some((1, Cow::Owned(f.to_string()))),
        Data::Bool(b) => Some((2, Cow::Borrowed(if *b { "true" } else { "false" }))),
        Data::Null => Some((3, Cow::Borrowed(""))),
        Data::Sequence(_) | Data::Mapping(_) => None,
    }
}

/// Returns the nodes of a tree (owned text by the 64 bytes) and its depth.
fn measure(node: &Node<'_>) -> (usize, usize) {
    let add = |(cost, depth): (usize, usize), child: &Node<'_>| {
        let (c, d) = measure(child);
        (cost + c, depth.max(d + 1))
    };
    match &node.data {
        Data::String(Cow::Owned(text)) => (1 + text.len() / 64, 0),
        Data::Sequence(items) => items.iter().fold((1, 1), add),
        Data::Mapping(entries) => entries.iter().fold((1, 1), |sum, (key, value)| add(add(sum, key), value)),
        _ => (1, 0),
    }
}

fn resolve<'a>(text: Cow<'a, str>, style: ScalarStyle, tag: Option<&Tag>) -> Data<'a> {
    match tag {
        Some(tag) if tag.is_yaml_core_schema() => scalar::tagged(&tag.suffix, text),
        None if style == ScalarStyle::Plain => scalar::plain(text),
        Some(_) | None => Data::String(text),
    }
}
