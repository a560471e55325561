//! Blocks of raw HTML: headings, paragraphs, lists, tables, code, quotations, pictures.

use super::html::{self, Piece, Tag};
use super::inline::Reading;
use super::marks::Marks;
use super::page::{Admonition, Align, Block, BlockKind, Item, LinkKind, List, Table, TextId, Tone};
use super::parse::Reader;
use super::rich::Rich;

/// How deep lists and quotations nest.
const DEEPEST: usize = 24;

/// What is open and collects blocks.
enum Open {
    List { ordered: bool, items: Vec<Item> },
    Item,
    Quote,
    Details { title: Option<TextId>, open: bool },
    Table(Table, Vec<TextId>, bool),
    Cell,
}

/// A piece of HTML that is being read.
struct Reduce<'r, 'd> {
    reader: &'r mut Reader<'d>,
    line: u32,
    reading: Reading<'static>,
    stack: Vec<(Open, Vec<Block>)>,
    blocks: Vec<Block>,
    heading: Option<u8>,
    code: Option<String>,
    language: String,
    head: bool,
}

/// Appends the blocks of a piece of HTML.
pub(super) fn read(reader: &mut Reader<'_>, html: &str, line: u32, out: &mut Vec<Block>) {
    let mut reduce = Reduce {
        reader,
        line,
        reading: Reading::new("", line),
        stack: Vec::new(),
        blocks: Vec::new(),
        heading: None,
        code: None,
        language: String::new(),
        head: false,
    };
    for piece in html::pieces(html) {
        match piece {
            Piece::Text(text) => reduce.text(text),
            Piece::Tag(tag) => reduce.tag(&tag),
        }
    }
    if let Some(code) = reduce.code.take() {
        // Never closed here: CommonMark ends HTML at a blank line
        let block =
            reduce.reader.code(line, code.trim_matches('\n'), String::new(), None, None, Vec::new(), true);
        reduce.put(block);
    }
    reduce.flush();
    while !reduce.stack.is_empty() {
        reduce.close();
    }
    out.append(&mut reduce.blocks);
}

impl Reduce<'_, '_> {
    fn text(&mut self, text: &str) {
        match &mut self.code {
            Some(code) => code.push_str(&html::unescape(text)),
            None => self.reading.html_text(text, false),
        }
    }

    fn add(&mut self, kind: BlockKind) {
        let block = self.reader.block(self.line, kind);
        self.put(block);
    }

    fn put(&mut self, block: Block) {
        match self.stack.last_mut() {
            Some((Open::List { items, .. }, _)) => {
                items.push(Item { line: block.line, task: None, blocks: vec![block] });
            }
            Some((_, blocks)) => blocks.push(block),
            None => self.blocks.push(block),
        }
    }

    /// Ends the running text.
    fn flush(&mut self) {
        let reading = std::mem::replace(&mut self.reading, Reading::new("", self.line));
        let inline = reading.finish(self.reader);
        for anchor in inline.anchors {
            let next = self.reader.next_block();
            self.reader.page.anchors.push((anchor, next));
        }
        if inline.rich.is_blank() {
            return;
        }
        if let Some(level) = self.heading.take() {
            let block = self.reader.heading(self.line, level, inline.rich);
            self.put(block);
            return;
        }
        let text = self.reader.text(inline.rich);
        match inline.alone {
            Some((image, link)) => self.add(BlockKind::Image { image, link, text }),
            None => self.add(BlockKind::Paragraph(text)),
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        let name = tag.name.to_ascii_lowercase();
        if self.code.is_some() {
            self.in_code(tag, &name);
            return;
        }
        if !html::is_block(&name) {
            self.reading.tag(self.reader, tag);
            return;
        }
        if let Some(id) = tag.attribute("id") {
            let next = self.reader.next_block();
            self.reader.page.anchors.push((id.to_owned(), next));
        }
        match (name.as_str(), tag.closes) {
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", false) => {
                self.flush();
                self.heading = name.as_bytes().get(1).copied().map(|digit| digit - b'0');
            }
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6", true) => {
                self.flush();
                self.heading = None;
            }
            ("hr", _) => {
                self.flush();
                self.add(BlockKind::Rule);
            }
            ("pre", false) => {
                self.flush();
                self.code = Some(String::new());
                self.language = tag.attribute("lang").unwrap_or("").to_owned();
            }
            ("ul" | "ol" | "menu", false) => {
                self.open(Open::List { ordered: name == "ol", items: Vec::new() });
            }
            ("ul" | "ol" | "menu", true) => self.close_to(|open| matches!(open, Open::List { .. })),
            ("li", false) => {
                if matches!(self.stack.last(), Some((Open::Item, _))) {
                    self.close_one();
                }
                self.open(Open::Item);
            }
            ("li", true) => self.close_to(|open| matches!(open, Open::Item)),
            ("blockquote", false) => self.open(Open::Quote),
            ("blockquote", true) => self.close_to(|open| matches!(open, Open::Quote)),
            ("details", false) => {
                self.open(Open::Details { title: None, open: tag.attribute("open").is_some() });
            }
            ("details", true) => self.close_to(|open| matches!(open, Open::Details { .. })),
            ("summary", false) => self.flush(),
            ("summary", true) => self.summary(),
            ("table", false) => self.open(Open::Table(Table::default(), Vec::new(), false)),
            ("table", true) => {
                self.row();
                self.close_to(|open| matches!(open, Open::Table(..)));
            }
            ("tr", _) => self.row(),
            ("thead", closes) => self.head = !closes,
            ("td" | "th", false) => {
                self.cell();
                if name == "th"
                    && let Some((Open::Table(_, _, head), _)) = self.stack.last_mut()
                {
                    *head = true;
                }
                if matches!(self.stack.last(), Some((Open::Table(..), _))) {
                    self.open(Open::Cell);
                }
            }
            ("td" | "th", true) => self.cell(),
            ("iframe" | "video" | "audio" | "object", false) => {
                if let Some(to) = tag.attribute("src").or_else(|| tag.attribute("data")) {
                    let id = self.reader.link(LinkKind::Link, &html::unescape(to), "", self.line);
                    let mut rich = Rich::default();
                    rich.push(&super::clean(to), Marks::LITERAL, Some(id));
                    let text = self.reader.text(rich);
                    self.add(BlockKind::Paragraph(text));
                }
            }
            _ => self.flush(),
        }
    }

    fn in_code(&mut self, tag: &Tag<'_>, name: &str) {
        match (name, tag.closes) {
            ("pre", true) => {
                let code = self.code.take().unwrap_or_default();
                let code = code.strip_prefix('\n').unwrap_or(&code).to_owned();
                let language = std::mem::take(&mut self.language);
                let block = self.reader.code(self.line, &code, language, None, None, Vec::new(), true);
                self.put(block);
            }
            ("code", false) => {
                let class = tag.attribute("class").unwrap_or("");
                if let Some(language) =
                    class.split_whitespace().find_map(|class| class.strip_prefix("language-"))
                {
                    self.language = language.to_lowercase();
                }
            }
            ("br", _) => {
                if let Some(code) = &mut self.code {
                    code.push('\n');
                }
            }
            _ => {}
        }
    }

    fn open(&mut self, open: Open) {
        self.flush();
        if self.stack.len() < DEEPEST {
            self.stack.push((open, Vec::new()));
        }
    }

    /// Closes up to and with the innermost that fits; nothing when none does.
    fn close_to(&mut self, fits: impl Fn(&Open) -> bool) {
        self.flush();
        let Some(at) = self.stack.iter().rposition(|(open, _)| fits(open)) else { return };
        while self.stack.len() > at {
            self.close();
        }
    }

    fn close_one(&mut self) {
        self.flush();
        self.close();
    }

    fn close(&mut self) {
        let Some((open, blocks)) = self.stack.pop() else { return };
        match open {
            Open::List { ordered, items } if !items.is_empty() => {
                self.add(BlockKind::List(List { ordered, start: 1, loose: false, items }));
            }
            Open::List { .. } => {}
            Open::Item => match self.stack.last_mut() {
                Some((Open::List { items, .. }, _)) => {
                    items.push(Item { line: self.line, task: None, blocks });
                }
                _ => blocks.into_iter().for_each(|block| self.put(block)),
            },
            Open::Quote => self.add(BlockKind::Quote(blocks)),
            Open::Details { title, open } => self.add(BlockKind::Admonition(Admonition {
                kind: "details".to_owned(),
                tone: Tone::Note,
                title,
                fold: Some(open),
                blocks,
            })),
            Open::Table(mut table, row, head) => {
                if !row.is_empty() {
                    end_row(&mut table, row, head);
                }
                let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0).max(table.head.len());
                table.aligns = vec![Align::Left; columns];
                blocks.into_iter().for_each(|block| self.put(block));
                if columns > 0 {
                    self.add(BlockKind::Table(table));
                }
            }
            Open::Cell => self.end_cell(blocks),
        }
    }

    fn summary(&mut self) {
        let reading = std::mem::replace(&mut self.reading, Reading::new("", self.line));
        let inline = reading.finish(self.reader);
        if inline.rich.is_blank() {
            return;
        }
        let text = self.reader.text(inline.rich);
        match self.stack.last_mut() {
            Some((Open::Details { title, .. }, _)) => *title = Some(text),
            _ => self.add(BlockKind::Paragraph(text)),
        }
    }

    /// Ends the open cell.
    fn cell(&mut self) {
        if self.stack.iter().any(|(open, _)| matches!(open, Open::Cell)) {
            self.close_to(|open| matches!(open, Open::Cell));
        }
    }

    /// Ends the open row.
    fn row(&mut self) {
        self.cell();
        let in_head = self.head;
        if let Some((Open::Table(table, row, head), _)) = self.stack.last_mut() {
            let row = std::mem::take(row);
            let is_head = std::mem::take(head) || in_head;
            if !row.is_empty() {
                end_row(table, row, is_head);
            }
        }
    }

    /// A cell is one text: what it holds is put below each other.
    fn end_cell(&mut self, blocks: Vec<Block>) {
        let mut rich = Rich::default();
        let mut waiting: Vec<Block> = blocks.into_iter().rev().collect();
        while let Some(block) = waiting.pop() {
            if let BlockKind::Paragraph(text)
            | BlockKind::Heading { text, .. }
            | BlockKind::Image { text, .. } = &block.kind
            {
                self.append(&mut rich, *text, Marks::NONE);
            }
            if let BlockKind::Code(code) = &block.kind {
                self.append(&mut rich, code.text, Marks::CODE);
            }
            if let BlockKind::Table(table) = &block.kind {
                for text in table.head.iter().chain(table.rows.iter().flatten()) {
                    self.append(&mut rich, *text, Marks::NONE);
                }
            }
            let mut inner = Vec::new();
            block.kind.children(|blocks| inner.extend(blocks.iter().cloned()));
            waiting.extend(inner.into_iter().rev());
        }
        let text = self.reader.text(rich);
        if let Some((Open::Table(_, row, _), _)) = self.stack.last_mut() {
            row.push(text);
        }
    }

    fn append(&mut self, rich: &mut Rich, text: TextId, marks: Marks) {
        if !rich.text.is_empty() {
            rich.push("\n", Marks::NONE, None);
        }
        let text = self.reader.page.text(text).clone();
        let mut at = 0;
        for run in &text.runs {
            rich.push(text.text.get(at..run.start as usize).unwrap_or(""), marks, None);
            rich.push(
                text.text.get(run.start as usize..run.end as usize).unwrap_or(""),
                run.marks | marks,
                run.link,
            );
            at = run.end as usize;
        }
        rich.push(text.text.get(at..).unwrap_or(""), marks, None);
    }
}

fn end_row(table: &mut Table, row: Vec<TextId>, head: bool) {
    if head && table.head.is_empty() && table.rows.is_empty() {
        table.head = row;
    } else {
        table.rows.push(row);
    }
}
