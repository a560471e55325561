//! From text to blocks.
//!
//! [`parse`] cleans the text, gathers what holds for the whole page, then reads lines: the first pass
//! ([`super::scan`]) takes out what `CommonMark` does not know, pulldown-cmark reads the rest, and its
//! events become blocks in which the placeholders of the first pass are replaced by what they stand for.

use super::attributes;
use super::containers::capital;
use super::diagrams;
use super::dialect::Dialect;
use super::front;
use super::inline::{self, Inline};
use super::lines::Line;
use super::marks::Marks;
use super::page::{
    Admonition, Align, Block, BlockId, BlockKind, Code, Definition, Diagram, Footnote, Heading, Item, Link,
    LinkId, LinkKind, List, Note, NoteKind, Page, Tab, Table, Text, TextId, Tone,
};
use super::rich::{Edit, Rich};
use super::scan::{self, CLOSE, Container, Gathered, OPEN, RawFootnote, Taken, Title};
use super::slug::Slugs;
use pulldown_cmark::{Alignment, BrokenLink, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};
use std::collections::HashMap;
use std::iter::Peekable;
use std::ops::Range;
use std::rc::Rc;

/// How deep blocks nest; what is deeper is read at this depth.
const DEEPEST: usize = 40;

/// How deep containers nest; deeper ones are text.
const DEEPEST_CONTAINER: usize = 16;

/// Reads a page.
pub fn parse(text: &str, dialect: &Dialect) -> Page {
    let text = super::clean(text);
    let (front, body, first) = front::split(&text);
    let lines = Line::all(body, first);
    let references = Rc::new(inline::references(&lines));
    let mut reader = Reader {
        page: Page { front, source_lines: first.saturating_sub(1) + lines.len() as u32, ..Page::default() },
        dialect,
        references,
        footnotes: HashMap::new(),
        ids: Vec::new(),
        blocks: 0,
    };
    let mut gathered = Gathered::default();
    inline::footnote_labels(&lines, &mut gathered);
    reader.footnotes = gathered.footnotes.iter().map(|note| (note.label.to_owned(), None)).collect();
    gathered.footnotes.clear();
    let blocks = reader.lines(&lines, &mut gathered, 0, 0);
    reader.page.blocks = blocks;
    reader.notes_at_the_end(&mut gathered);
    reader.finish(gathered);
    reader.page
}

/// Reads the words of one line: a title that came from elsewhere.
pub fn parse_inline(text: &str, dialect: &Dialect) -> Text {
    let page = parse(&text.replace('\n', " "), dialect);
    let first = page.texts.into_iter().next();
    first.unwrap_or_default()
}

/// A page that is being read.
pub(super) struct Reader<'d> {
    pub page: Page,
    pub dialect: &'d Dialect,
    references: Rc<HashMap<String, (String, String)>>,
    /// Labels that are defined, with their numbers once they are used.
    footnotes: HashMap<String, Option<u32>>,
    /// Anchors written by authors: of headings (index) to be taken over at the end.
    ids: Vec<(usize, String)>,
    blocks: u32,
}

/// Events of one stretch of lines.
struct Walk<'t, 'a, 'x, I: Iterator<Item = (Event<'t>, Range<usize>)>> {
    events: Peekable<I>,
    text: &'t str,
    numbers: &'x [u32],
    starts: &'x [usize],
    containers: Vec<Option<Taken<'a>>>,
    depth: usize,
    containers_deep: usize,
    /// Of the open items, inner last.
    tasks: Vec<Option<bool>>,
}

impl<'t, I: Iterator<Item = (Event<'t>, Range<usize>)>> Walk<'t, '_, '_, I> {
    fn line(&self, offset: usize) -> u32 {
        let at = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        self.numbers.get(at).copied().unwrap_or(1)
    }

    /// Takes the sign of a task off the first text of an item.
    fn task(&mut self, rich: &mut Rich) {
        let Some(task @ None) = self.tasks.last_mut() else { return };
        let done = match rich.text.get(..4) {
            Some("[ ] ") => false,
            Some("[x] " | "[X] ") => true,
            _ => return,
        };
        if !rich.is_literal(0) && rich.look(0).1.is_none() {
            *task = Some(done);
            rich.edit(vec![Edit::remove(0, 4)]);
        }
    }
}

impl Reader<'_> {
    fn id(&mut self) -> BlockId {
        let id = BlockId(self.blocks);
        self.blocks += 1;
        id
    }

    /// Returns the number of the block that comes next.
    pub fn next_block(&self) -> BlockId {
        BlockId(self.blocks)
    }

    pub fn block(&mut self, line: u32, kind: BlockKind) -> Block {
        Block { id: self.id(), line, kind }
    }

    pub fn text(&mut self, mut rich: Rich) -> TextId {
        let id = TextId(self.page.texts.len() as u32);
        if rich.text.contains('\t') {
            rich.text = rich.text.replace('\t', " ");
        }
        if rich.text.contains(OPEN) {
            strip(&mut rich);
        }
        self.page.texts.push(rich.finish());
        id
    }

    fn raw(&mut self, text: String) -> TextId {
        let id = TextId(self.page.texts.len() as u32);
        self.page.texts.push(Text { text, runs: Vec::new() });
        id
    }

    pub fn link(&mut self, kind: LinkKind, to: &str, title: &str, line: u32) -> LinkId {
        let id = LinkId(self.page.links.len() as u32);
        let (to, title) = (super::clean(to).into_owned(), super::clean(title).into_owned());
        self.page.links.push(Link { to, text: String::new(), title, kind, line });
        id
    }

    /// Returns the number of a footnote, counted from its first mention; `None` when it is not defined.
    pub fn footnote(&mut self, label: &str) -> Option<u32> {
        let next = self.footnotes.values().flatten().count() as u32 + 1;
        Some(*self.footnotes.get_mut(label)?.get_or_insert(next))
    }

    /// Notes something about a line.
    pub fn note(&mut self, line: u32, kind: NoteKind, message: String) {
        if self.page.notes.len() < 2_000 {
            self.page.notes.push(Note { line, kind, message });
        }
    }

    /// Reads a stretch of lines.
    pub fn lines<'a>(
        &mut self,
        lines: &[Line<'a>],
        gathered: &mut Gathered<'a>,
        depth: usize,
        containers_deep: usize,
    ) -> Vec<Block> {
        let nests = containers_deep < DEEPEST_CONTAINER;
        let scanned = scan::scan(lines, self.dialect, gathered, nests);
        let mut starts = Vec::with_capacity(scanned.numbers.len());
        starts.push(0);
        starts.extend(memchr::memchr_iter(b'\n', scanned.text.as_bytes()).map(|at| at + 1));
        let references = Rc::clone(&self.references);
        let broken = move |link: BrokenLink<'_>| {
            let (to, title) = references.get(&inline::label(&link.reference))?;
            Some((CowStr::from(to.clone()), CowStr::from(title.clone())))
        };
        // Tasks, footnotes and definitions are read here, as the web site has them
        let options = Options::ENABLE_TABLES;
        let parser = Parser::new_with_broken_link_callback(&scanned.text, options, Some(broken));
        let mut walk = Walk {
            events: parser.into_offset_iter().peekable(),
            text: &scanned.text,
            numbers: &scanned.numbers,
            starts: &starts,
            containers: scanned.containers,
            depth,
            containers_deep,
            tasks: Vec::new(),
        };
        let mut blocks = Vec::new();
        while walk.events.peek().is_some() {
            blocks.extend(self.blocks(&mut walk, gathered));
        }
        // Nothing that was taken out is lost, wherever its placeholder went
        for taken in std::mem::take(&mut walk.containers).into_iter().flatten() {
            self.container(taken, gathered, depth, containers_deep, &mut blocks);
        }
        blocks
    }

    /// Reads blocks up to the end of what holds them.
    fn blocks<'t, 'a, I>(&mut self, walk: &mut Walk<'t, 'a, '_, I>, gathered: &mut Gathered<'a>) -> Vec<Block>
    where
        I: Iterator<Item = (Event<'t>, Range<usize>)>,
    {
        let mut out = Vec::new();
        let mut transparent = 0usize;
        while let Some((event, range)) = walk.events.next() {
            let line = walk.line(range.start);
            match event {
                Event::Start(tag) => match tag {
                    Tag::Paragraph => {
                        let inline = self.inline(walk, None);
                        self.paragraph(walk, gathered, line, inline, &mut out);
                    }
                    Tag::Heading { level, .. } => {
                        let inline = self.inline(walk, None);
                        out.push(self.heading(line, level as u8, inline.rich));
                    }
                    Tag::BlockQuote(_) | Tag::List(_) | Tag::Item if walk.depth >= DEEPEST => {
                        if transparent == 0 {
                            gathered.note(
                                line,
                                NoteKind::Bounded,
                                "nested too deep: shown without further indentation",
                            );
                        }
                        transparent += 1;
                    }
                    Tag::BlockQuote(_) => {
                        let id = self.id();
                        let blocks = self.inner(walk, gathered);
                        out.push(Block { id, line, kind: BlockKind::Quote(blocks) });
                    }
                    Tag::List(start) => out.push(self.list(walk, gathered, line, start)),
                    Tag::CodeBlock(kind) => self.code_block(walk, gathered, line, &kind, &mut out),
                    Tag::HtmlBlock => {
                        let mut html = String::new();
                        for (event, _) in walk.events.by_ref() {
                            match event {
                                Event::Html(text) | Event::Text(text) | Event::InlineHtml(text) => {
                                    html.push_str(&text);
                                }
                                Event::End(TagEnd::HtmlBlock) => break,
                                _ => {}
                            }
                        }
                        super::html_blocks::read(self, &html, line, &mut out);
                    }
                    Tag::Table(aligns) => out.push(self.table(walk, line, &aligns)),
                    // Within a tight item there are no paragraphs
                    tag => {
                        let inline = self.inline(walk, Some((Event::Start(tag), range)));
                        self.paragraph(walk, gathered, line, inline, &mut out);
                    }
                },
                Event::End(_) if transparent > 0 => transparent -= 1,
                Event::End(_) => return out,
                Event::Rule => out.push(self.block(line, BlockKind::Rule)),
                event => {
                    let inline = self.inline(walk, Some((event, range)));
                    self.paragraph(walk, gathered, line, inline, &mut out);
                }
            }
        }
        out
    }

    fn inner<'t, 'a, I>(&mut self, walk: &mut Walk<'t, 'a, '_, I>, gathered: &mut Gathered<'a>) -> Vec<Block>
    where
        I: Iterator<Item = (Event<'t>, Range<usize>)>,
    {
        walk.depth += 1;
        let blocks = self.blocks(walk, gathered);
        walk.depth -= 1;
        blocks
    }

    /// Reads text to the end of its block, or to the next block in a tight item.
    fn inline<'t, I>(
        &mut self,
        walk: &mut Walk<'t, '_, '_, I>,
        first: Option<(Event<'t>, Range<usize>)>,
    ) -> Inline
    where
        I: Iterator<Item = (Event<'t>, Range<usize>)>,
    {
        let tight = first.is_some();
        let line = first.as_ref().map(|(_, range)| walk.line(range.start));
        let offset = walk.events.peek().map_or(0, |(_, range)| range.start);
        let mut line = line.unwrap_or_else(|| walk.line(offset));
        let mut reading = inline::Reading::new(walk.text, line);
        if let Some((event, range)) = first {
            reading.event(self, event, range, line);
        }
        loop {
            match walk.events.peek() {
                None => break,
                Some((Event::End(end), _)) if !inline::is_inline_end(*end) => {
                    if !tight {
                        walk.events.next();
                    }
                    break;
                }
                Some((Event::Start(tag), _)) if !inline::is_inline(tag) => break,
                Some((Event::Rule, _)) => break,
                _ => {}
            }
            let Some((event, range)) = walk.events.next() else { break };
            if matches!(event, Event::Start(_)) {
                line = walk.line(range.start);
            }
            reading.event(self, event, range, line);
        }
        reading.finish(self)
    }

    fn paragraph<'t, 'a, I>(
        &mut self,
        walk: &mut Walk<'t, 'a, '_, I>,
        gathered: &mut Gathered<'a>,
        line: u32,
        inline: Inline,
        out: &mut Vec<Block>,
    ) where
        I: Iterator<Item = (Event<'t>, Range<usize>)>,
    {
        if inline.rich.text.contains(OPEN) {
            for number in placeholders(&inline.rich.text) {
                if let Some(taken) = walk.containers.get_mut(number).and_then(Option::take) {
                    self.container(taken, gathered, walk.depth, walk.containers_deep, out);
                }
            }
        }
        let mut inline = inline;
        strip(&mut inline.rich);
        if self.dialect.techdocs && out.is_empty() {
            walk.task(&mut inline.rich);
        }
        for anchor in std::mem::take(&mut inline.anchors) {
            self.page.anchors.push((anchor, BlockId(self.blocks)));
        }
        if inline.rich.is_blank() {
            return;
        }
        if let Some((image, link)) = inline.alone {
            let text = self.text(inline.rich);
            out.push(self.block(line, BlockKind::Image { image, link, text }));
            return;
        }
        let text = self.text(inline.rich);
        out.push(self.block(line, BlockKind::Paragraph(text)));
    }

    pub fn heading(&mut self, line: u32, level: u8, mut rich: Rich) -> Block {
        let end = rich.text.trim_end().len();
        if let Some(open) =
            rich.text.get(..end).filter(|text| text.ends_with('}')).and_then(|text| text.rfind('{'))
        {
            let inner = rich.text.get(open + 1..end - 1).unwrap_or("").to_owned();
            // Behind a space it is one, whatever it says
            let spaced = rich.text.get(..open).is_some_and(|head| head.ends_with(' '))
                && !inner.starts_with(['{', '%']);
            if self.dialect.techdocs
                && !rich.is_literal(open)
                && (attributes::is_list(&inner) || spaced && !inner.contains('}'))
            {
                if let Some(id) = attributes::parse(inner.trim_start_matches(':')).id {
                    self.ids.push((self.page.headings.len(), id.to_owned()));
                }
                rich.edit(vec![Edit::remove(open, end)]);
            }
        }
        let text = self.text(rich);
        let words = self.page.text(text).text.replace('\n', " ");
        let block = self.block(line, BlockKind::Heading { level, text });
        self.page.headings.push(Heading { level, text: words, anchor: String::new(), block: block.id, line });
        block
    }

    fn list<'t, 'a, I>(
        &mut self,
        walk: &mut Walk<'t, 'a, '_, I>,
        gathered: &mut Gathered<'a>,
        line: u32,
        start: Option<u64>,
    ) -> Block
    where
        I: Iterator<Item = (Event<'t>, Range<usize>)>,
    {
        let id = self.id();
        let mut items = Vec::new();
        let mut loose = false;
        while let Some((event, range)) = walk.events.next() {
            match event {
                Event::Start(_) => {
                    let line = walk.line(range.start);
                    loose |= matches!(walk.events.peek(), Some((Event::Start(Tag::Paragraph), _)));
                    walk.tasks.push(None);
                    let blocks = self.inner(walk, gathered);
                    let task = walk.tasks.pop().flatten();
                    items.push(Item { line, task, blocks });
                }
                _ => break,
            }
        }
        // The web site counts from one, whatever was written
        let first = if self.dialect.techdocs { 1 } else { start.unwrap_or(1) };
        Block {
            id,
            line,
            kind: BlockKind::List(List { ordered: start.is_some(), start: first, loose, items }),
        }
    }

    fn code_block<'t, 'a, I>(
        &mut self,
        walk: &mut Walk<'t, 'a, '_, I>,
        gathered: &mut Gathered<'a>,
        line: u32,
        kind: &CodeBlockKind<'_>,
        out: &mut Vec<Block>,
    ) where
        I: Iterator<Item = (Event<'t>, Range<usize>)>,
    {
        let mut code = String::new();
        for (event, _) in walk.events.by_ref() {
            match event {
                Event::Text(text) => code.push_str(&inline::without_glue(&text)),
                Event::End(_) => break,
                _ => {}
            }
        }
        if let CodeBlockKind::Fenced(info) = kind {
            out.push(self.fenced(gathered, line, info, &code));
            return;
        }
        if code.contains(OPEN) {
            // A container that stood too far to the right: still shown as what it is
            let mut kept = String::new();
            for part in code.split_inclusive('\n') {
                let Some(number) = placeholders(part).first().copied() else {
                    kept.push_str(part);
                    continue;
                };
                if !kept.trim().is_empty() {
                    out.push(self.indented(line, &kept));
                }
                kept.clear();
                if let Some(taken) = walk.containers.get_mut(number).and_then(Option::take) {
                    self.container(taken, gathered, walk.depth, walk.containers_deep, out);
                }
            }
            code = kept;
        }
        if !code.trim().is_empty() {
            out.push(self.indented(line, &code));
        }
    }

    fn table<'t, I>(&mut self, walk: &mut Walk<'t, '_, '_, I>, line: u32, aligns: &[Alignment]) -> Block
    where
        I: Iterator<Item = (Event<'t>, Range<usize>)>,
    {
        let id = self.id();
        let aligns = aligns.iter().map(|align| match align {
            Alignment::None | Alignment::Left => Align::Left,
            Alignment::Center => Align::Center,
            Alignment::Right => Align::Right,
        });
        let mut table = Table { aligns: aligns.collect(), ..Table::default() };
        let mut row = Vec::new();
        while let Some((event, _)) = walk.events.next() {
            match event {
                Event::Start(Tag::TableCell) => {
                    let inline = self.inline(walk, None);
                    row.push(self.text(inline.rich));
                }
                Event::End(TagEnd::TableHead) => table.head = std::mem::take(&mut row),
                Event::End(TagEnd::TableRow) => table.rows.push(std::mem::take(&mut row)),
                Event::End(TagEnd::Table) => break,
                _ => {}
            }
        }
        Block { id, line, kind: BlockKind::Table(table) }
    }

    /// Reads what was taken out.
    fn container<'a>(
        &mut self,
        taken: Taken<'a>,
        gathered: &mut Gathered<'a>,
        depth: usize,
        containers_deep: usize,
        out: &mut Vec<Block>,
    ) {
        let Taken { line, container } = taken;
        let deeper = containers_deep + 1;
        match container {
            Container::Toc => out.push(self.block(line, BlockKind::Toc)),
            Container::Group(body) => out.extend(self.lines(&body, gathered, depth, deeper)),
            Container::Quote(body) => {
                let id = self.id();
                let blocks = self.lines(&body, gathered, depth + 1, deeper);
                out.push(Block { id, line, kind: BlockKind::Quote(blocks) });
            }
            Container::Definitions(all) => {
                let id = self.id();
                let all = all.into_iter().map(|one| Definition {
                    terms: one.terms.iter().map(|term| self.words(term.text, term.number)).collect(),
                    meanings: one
                        .meanings
                        .iter()
                        .map(|body| self.lines(body, gathered, depth + 1, deeper))
                        .collect(),
                });
                let all = all.collect();
                out.push(Block { id, line, kind: BlockKind::Definitions(all) });
            }
            Container::Html(body) => {
                let html: Vec<&str> = body.iter().map(|line| line.text).collect();
                super::html_blocks::read(self, &format!("<table>{}</table>", html.join("\n")), line, out);
            }
            Container::Diagram { language, title, source } => {
                let block = self.diagram(gathered, line, language, title, &source);
                out.push(block);
            }
            Container::Admonition { kind, title, fold, body } => {
                let id = self.id();
                let (tone, known) = Tone::of(&kind);
                if !known && kind != "details" {
                    let message = format!(
                        "`{}` is no known kind of admonition: drawn as a note",
                        crate::model::text::cut(&kind, 40)
                    );
                    gathered.note(line, NoteKind::UnknownSyntax, message);
                }
                let title = match title {
                    Title::None => None,
                    Title::Kind => Some(self.raw(capital(&kind))),
                    Title::Text(title) => Some(self.words(&title, line)),
                };
                let blocks = self.lines(&body, gathered, depth + 1, deeper);
                out.push(Block {
                    id,
                    line,
                    kind: BlockKind::Admonition(Admonition { kind, tone, title, fold, blocks }),
                });
            }
            Container::Tabs(tabs) => {
                let id = self.id();
                let tabs = tabs.into_iter().map(|tab| {
                    let title = self.words(tab.title, tab.line);
                    let blocks = self.lines(&tab.body, gathered, depth + 1, deeper);
                    Tab { title, selected: tab.selected, blocks }
                });
                let tabs = tabs.collect();
                out.push(Block { id, line, kind: BlockKind::Tabs(tabs) });
            }
        }
    }

    /// Reads the words of a title.
    fn words(&mut self, title: &str, line: u32) -> TextId {
        let parser = Parser::new_ext(title, Options::empty()).into_offset_iter();
        let mut reading = inline::Reading::new(title, line);
        for (event, range) in parser {
            match &event {
                Event::Start(tag) if !inline::is_inline(tag) => {}
                Event::End(end) if !inline::is_inline_end(*end) => {}
                _ => reading.event(self, event, range, line),
            }
        }
        let mut inline = reading.finish(self);
        if inline.rich.is_blank() {
            // The title is no running text to CommonMark (`1.`): taken as it stands
            inline.rich = Rich::default();
            inline.rich.push(title, Marks::NONE, None);
        }
        self.text(inline.rich)
    }

    fn fenced(&mut self, gathered: &mut Gathered<'_>, line: u32, info: &str, code: &str) -> Block {
        let info = info.trim();
        let braces = info.strip_prefix('{').and_then(|inner| inner.rsplit_once('}')).map(|(inner, _)| inner);
        let found = attributes::parse(braces.unwrap_or(info));
        let word = match braces {
            Some(_) => found.classes.first().copied(),
            None => found.words.first().copied().or_else(|| found.classes.first().copied()),
        };
        let language = word.and_then(|word| word.split(['{', ',']).next()).unwrap_or("").to_lowercase();
        let title = found.value("title").filter(|title| !title.is_empty()).map(str::to_owned);
        match language.as_str() {
            "mermaid" => return self.diagram(gathered, line, "mermaid", title, code),
            "plantuml" | "puml" | "uml" | "c4plantuml" => {
                return self.diagram(gathered, line, "plantuml", title, code);
            }
            "graphviz" => {
                let title = title.or_else(|| found.words.get(2).map(|name| (*name).to_owned()));
                return self.diagram(gathered, line, "graphviz", title, code);
            }
            _ => {}
        }
        let first_line =
            found.value("linenums").and_then(|value| value.split_whitespace().next()?.parse().ok());
        let highlighted = found.value("hl_lines").map(highlighted).unwrap_or_default();
        self.code(line, code, language, title, first_line, highlighted, true)
    }

    fn indented(&mut self, line: u32, code: &str) -> Block {
        let first = code.lines().next().unwrap_or("");
        let language = first.strip_prefix("#!").or_else(|| first.strip_prefix(":::")).filter(|name| {
            self.dialect.techdocs
                && !name.is_empty()
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '+' | '-' | '_' | '#'))
        });
        match language {
            Some(language) => {
                let rest = code.split_once('\n').map_or("", |(_, rest)| rest);
                self.code(line, rest, language.to_lowercase(), None, None, Vec::new(), false)
            }
            None => self.code(line, code, String::new(), None, None, Vec::new(), false),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field of the block")]
    pub fn code(
        &mut self,
        line: u32,
        code: &str,
        language: String,
        title: Option<String>,
        first_line: Option<u32>,
        highlighted: Vec<u32>,
        fenced: bool,
    ) -> Block {
        let text = self.raw(code.strip_suffix('\n').unwrap_or(code).to_owned());
        self.page.code.push(text);
        let number = self.page.code.len() as u32;
        self.block(
            line,
            BlockKind::Code(Code { text, language, title, first_line, highlighted, number, fenced }),
        )
    }

    fn diagram(
        &mut self,
        gathered: &mut Gathered<'_>,
        line: u32,
        language: &str,
        title: Option<String>,
        source: &str,
    ) -> Block {
        let text = self.raw(source.strip_suffix('\n').unwrap_or(source).to_owned());
        self.page.code.push(text);
        let number = self.page.code.len() as u32;
        let drawn = match language {
            "mermaid" => diagrams::draw(source),
            _ => None,
        };
        if drawn.is_none() {
            gathered.note(line, NoteKind::Diagram, format!("this {language} diagram is shown as its source"));
        }
        let drawn = drawn.map(std::sync::Arc::new);
        self.block(
            line,
            BlockKind::Diagram(Diagram { language: language.to_owned(), title, text, drawn, number }),
        )
    }

    /// Puts the footnotes at the end, in the order in which they were first mentioned.
    fn notes_at_the_end<'a>(&mut self, gathered: &mut Gathered<'a>) {
        let mut shown: Vec<Footnote> = Vec::new();
        let mut line = 0;
        let mut seen: Vec<RawFootnote<'a>> = Vec::new();
        let id = self.id();
        // Footnotes mention others, and may even define them
        for _ in 0..4 {
            seen.append(&mut gathered.footnotes);
            let mut again = Vec::new();
            let mut any = false;
            for note in std::mem::take(&mut seen) {
                let number = self.footnotes.get(note.label).copied().flatten();
                match number {
                    Some(number) if shown.iter().all(|other| other.label != note.label) => {
                        any = true;
                        line = if line == 0 { note.line } else { line };
                        let blocks = self.lines(&note.body, gathered, 1, 1);
                        shown.push(Footnote { number, label: note.label.to_owned(), blocks });
                    }
                    _ => again.push(note),
                }
            }
            seen = again;
            if !any {
                break;
            }
        }
        for note in seen {
            if shown.iter().all(|other| other.label != note.label) {
                gathered.note(
                    note.line,
                    NoteKind::Footnote,
                    format!("footnote `{}` is never mentioned", note.label),
                );
                let next = self.footnotes.values().flatten().max().copied().unwrap_or(0) + 1;
                self.footnotes.insert(note.label.to_owned(), Some(next));
                let blocks = self.lines(&note.body, gathered, 1, 1);
                line = if line == 0 { note.line } else { line };
                shown.push(Footnote { number: next, label: note.label.to_owned(), blocks });
            }
        }
        if shown.is_empty() {
            return;
        }
        shown.sort_by_key(|note| note.number);
        for note in &shown {
            self.page.anchors.push((format!("fn:{}", note.label), id));
        }
        self.page.blocks.push(Block { id, line, kind: BlockKind::Footnotes(shown) });
    }

    /// Gives the headings their anchors and takes over what was gathered.
    fn finish(&mut self, gathered: Gathered<'_>) {
        let mut slugs = Slugs::default();
        for (_, id) in &self.ids {
            slugs.reserve(id);
        }
        for (at, id) in std::mem::take(&mut self.ids) {
            if let Some(heading) = self.page.headings.get_mut(at) {
                heading.anchor = id;
            }
        }
        for heading in &mut self.page.headings {
            if heading.anchor.is_empty() {
                heading.anchor = slugs.of(&heading.text);
            }
        }
        let mut placed = Vec::new();
        if !gathered.anchors.is_empty() {
            let mut lines: Vec<(u32, BlockId)> = Vec::new();
            self.page.visit(|block| lines.push((block.line, block.id)));
            lines.sort_unstable();
            for (line, anchor) in gathered.anchors {
                let at = lines.partition_point(|(start, _)| *start <= line).saturating_sub(1);
                placed.extend(lines.get(at).map(|(_, block)| (anchor, *block)));
            }
        }
        self.page.anchors.extend(placed);
        let mut any_toc = false;
        self.page.visit(|block| any_toc |= block.kind == BlockKind::Toc);
        if any_toc {
            let entries: Vec<(String, u32)> = self
                .page
                .headings
                .iter()
                .map(|heading| (format!("#{}", heading.anchor), heading.line))
                .collect();
            self.page.toc =
                entries.iter().map(|(to, line)| self.link(LinkKind::Link, to, "", *line)).collect();
        }
        inline::abbreviate(&mut self.page, gathered.abbreviations);
        let mut notes: Vec<Note> = gathered.notes;
        notes.append(&mut self.page.notes);
        notes.sort_by_key(|note| note.line);
        notes.dedup();
        self.page.notes = notes;
    }
}

/// Reads `1 3-5`; what is no number is passed over.
fn highlighted(value: &str) -> Vec<u32> {
    let mut lines = Vec::new();
    for part in value.split([' ', ',']).filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(from), Ok(to)) = (from.parse::<u32>(), to.parse::<u32>()) {
            lines.extend((from..=to).take(10_000));
        }
    }
    lines
}

/// Returns the numbers of the placeholders in a text.
fn placeholders(text: &str) -> Vec<usize> {
    text.split(OPEN).skip(1).filter_map(|rest| rest.split(CLOSE).next()?.parse().ok()).collect()
}

/// Takes the placeholders out.
fn strip(rich: &mut Rich) {
    let mut edits = Vec::new();
    let mut from = 0;
    while let Some(open) = rich.text.get(from..).and_then(|rest| rest.find(OPEN)).map(|at| from + at) {
        let close = rich
            .text
            .get(open..)
            .and_then(|rest| rest.find(CLOSE))
            .map_or(rich.text.len(), |at| open + at + 1);
        edits.push(Edit::remove(open, close));
        from = close;
    }
    rich.edit(edits);
}
