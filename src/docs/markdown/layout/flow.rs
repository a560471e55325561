//! Blocks to lines.

use super::wrap::wrap;
use super::{Kept, Layout, Line, LineKind, NOWHERE, Role, View};
use crate::docs::markdown::marks::Marks;
use crate::docs::markdown::page::{
    Admonition, Block, BlockId, BlockKind, Definition, Footnote, LinkId, List, Page, Run, Tab, TextId,
};
use crate::model::text::width;

/// What stands before the lines of a block.
struct Prefix {
    first: Option<(String, Role)>,
    rest: (String, Role),
}

pub(super) struct Flow<'p> {
    pub page: &'p Page,
    pub view: &'p View,
    pub out: Layout,
    prefixes: Vec<Prefix>,
    /// Cells the prefixes take.
    indent: usize,
    line_start: u32,
    pub block: BlockId,
    list_depth: usize,
    /// Whether the line before is blank (or there is none).
    fresh: bool,
    /// Cells of the current line.
    pub cells: usize,
}

impl<'p> Flow<'p> {
    pub fn new(page: &'p Page, width: usize, view: &'p View) -> Self {
        let size: usize = page.texts.iter().map(|text| text.text.len()).sum();
        let mut blocks = 0;
        page.visit(|block| blocks = blocks.max(block.id.0 as usize + 1));
        Self {
            page,
            view,
            out: Layout {
                width,
                lines: Vec::with_capacity(size / 30),
                text: String::with_capacity(size + size / 4),
                spans: Vec::with_capacity(size / 20),
                block_lines: vec![NOWHERE; blocks],
                text_lines: vec![NOWHERE; page.texts.len()],
            },
            prefixes: Vec::new(),
            indent: 0,
            line_start: 0,
            block: BlockId(0),
            list_depth: 0,
            fresh: true,
            cells: 0,
        }
    }

    pub fn run(mut self) -> Layout {
        self.blocks(&self.page.blocks, true);
        while self.out.lines.last().is_some_and(|line| line.kind == LineKind::Blank) {
            self.out.lines.pop();
        }
        // What is folded away is found at what it is folded away in
        let mut last = 0;
        for line in &mut self.out.block_lines {
            if *line == NOWHERE {
                *line = last;
            }
            last = *line;
        }
        self.out
    }

    /// Cells that are left for the content of a line.
    pub fn room(&self) -> usize {
        self.out.width.saturating_sub(self.indent).max(3)
    }

    /// Adds a span to the current line.
    pub fn span(
        &mut self,
        text: &str,
        role: Role,
        marks: Marks,
        link: Option<LinkId>,
        place: Option<(TextId, u32)>,
    ) {
        if text.is_empty() {
            return;
        }
        let start = self.out.text.len() as u32;
        self.out.text.push_str(text);
        self.cells += width(text);
        self.out.spans.push(Kept { start, end: self.out.text.len() as u32, role, marks, link, place });
        if let Some((id, _)) = place
            && let Some(line) = self.out.text_lines.get_mut(id.0 as usize)
            && *line == NOWHERE
        {
            *line = self.out.lines.len() as u32;
        }
    }

    /// Adds a span that is no text of the page.
    pub fn sign(&mut self, text: &str, role: Role) {
        self.span(text, role, Marks::NONE, None, None);
    }

    /// Begins a line: writes what stands before it.
    pub fn begin(&mut self) {
        self.line_start = self.out.spans.len() as u32;
        self.cells = 0;
        for at in 0..self.prefixes.len() {
            let Some(prefix) = self.prefixes.get_mut(at) else { break };
            let (text, role) = prefix.first.take().unwrap_or_else(|| prefix.rest.clone());
            self.sign(&text, role);
        }
    }

    /// Ends a line.
    pub fn end(&mut self, kind: LineKind) {
        let cells = self.cells;
        self.end_wide(kind, 0, cells);
    }

    /// Ends a line that may be wider than the layout; `fixed` cells at its start stay.
    pub fn end_wide(&mut self, kind: LineKind, fixed: usize, cells: usize) {
        let spans = self.line_start..self.out.spans.len() as u32;
        let line = Line {
            spans,
            width: cells as u32,
            fixed: fixed as u32,
            scrolls: cells > self.out.width,
            block: self.block,
            kind,
            highlighted: false,
        };
        self.out.lines.push(line);
        self.fresh = kind == LineKind::Blank;
    }

    /// A blank line, unless the one before is blank.
    pub fn blank(&mut self) {
        if self.fresh {
            return;
        }
        self.begin();
        self.end(LineKind::Blank);
        self.fresh = true;
    }

    /// Draws with something before each line. Deep nesting stops to indent when no room is left.
    pub fn within(
        &mut self,
        first: Option<(String, Role)>,
        rest: (String, Role),
        draw: impl FnOnce(&mut Self),
    ) {
        let cells = width(&rest.0).max(first.as_ref().map_or(0, |(text, _)| width(text)));
        if self.room() < cells + 12 {
            // The sign stays, the indentation goes
            let first = first.map(|(text, role)| (text.trim_start().to_owned(), role));
            let cells = first.as_ref().map_or(0, |(text, _)| width(text));
            let fits = self.room() >= cells + 3;
            self.prefixes.push(Prefix { first: first.filter(|_| fits), rest: (String::new(), Role::Text) });
            let before = self.indent;
            self.indent += if fits { cells } else { 0 };
            draw(self);
            self.indent = before;
            self.prefixes.pop();
            return;
        }
        self.prefixes.push(Prefix { first, rest });
        self.indent += cells;
        draw(self);
        self.indent -= cells;
        self.prefixes.pop();
    }

    /// Whether signs before the current line still wait to be written.
    fn waiting(&self) -> bool {
        self.prefixes.iter().any(|prefix| prefix.first.is_some())
    }

    pub fn blocks(&mut self, blocks: &'p [Block], apart: bool) {
        for (at, block) in blocks.iter().enumerate() {
            if at > 0 && (apart || !matches!(block.kind, BlockKind::List(_))) {
                self.blank();
            }
            self.one(block);
        }
    }

    fn one(&mut self, block: &'p Block) {
        let before = self.block;
        self.block = block.id;
        if let Some(line) = self.out.block_lines.get_mut(block.id.0 as usize) {
            *line = self.out.lines.len() as u32;
        }
        match &block.kind {
            BlockKind::Heading { level, text } => self.heading(*level, *text),
            BlockKind::Paragraph(text) => self.text(*text, Role::Text),
            BlockKind::Code(code) => self.code(code),
            BlockKind::Quote(blocks) => {
                let bar = if self.view.ascii { "> " } else { "▎ " };
                self.within(None, (bar.to_owned(), Role::QuoteBar), |flow| flow.blocks(blocks, true));
            }
            BlockKind::List(list) => self.list(list),
            BlockKind::Table(table) => self.table(table),
            BlockKind::Rule => {
                self.begin();
                let rule = if self.view.ascii { "-" } else { "─" };
                let room = self.room();
                self.sign(&rule.repeat(room), Role::Rule);
                self.end(LineKind::Text);
            }
            BlockKind::Admonition(admonition) => self.admonition(block.id, admonition),
            BlockKind::Tabs(tabs) => self.tabs(block.id, tabs),
            BlockKind::Definitions(all) => self.definitions(all),
            BlockKind::Footnotes(notes) => self.footnotes(notes),
            BlockKind::Image { image, link, text } => self.image(*image, *link, *text),
            BlockKind::Toc => self.toc(),
            BlockKind::Diagram(diagram) => self.diagram(diagram),
        }
        self.block = before;
    }

    /// Writes a text over as many lines as it needs.
    pub fn text(&mut self, id: TextId, role: Role) {
        self.text_after(id, role, |_| {});
    }

    /// Writes a text; `sign` is written on its first line before it.
    fn text_after(&mut self, id: TextId, role: Role, sign: impl FnOnce(&mut Self)) {
        let page = self.page;
        let text = page.text(id);
        let mut sign = Some(sign);
        let mut from = 0;
        let room = self.room();
        for piece in text.text.split('\n') {
            let lines = wrap(piece, room);
            let mut run = text.runs.partition_point(|run| (run.end as usize) <= from);
            for range in lines {
                self.begin();
                if let Some(sign) = sign.take() {
                    sign(self);
                }
                self.stretch(id, role, from + range.start..from + range.end, &mut run);
                self.end(LineKind::Text);
            }
            from += piece.len() + 1;
        }
        if sign.is_some() && self.waiting() {
            self.begin();
            self.end(LineKind::Text);
        }
    }

    /// Writes bytes of a text in their looks. `run` is the first run that can touch them.
    pub fn stretch(&mut self, id: TextId, role: Role, range: std::ops::Range<usize>, run: &mut usize) {
        let page = self.page;
        let text = page.text(id);
        let mut at = range.start;
        while at < range.end {
            while text.runs.get(*run).is_some_and(|run| run.end as usize <= at) {
                *run += 1;
            }
            let plain = Run { start: at as u32, end: range.end as u32, marks: Marks::NONE, link: None };
            let (end, look) = match text.runs.get(*run) {
                Some(run) if run.start as usize <= at => ((run.end as usize).min(range.end), *run),
                Some(run) => ((run.start as usize).min(range.end), plain),
                None => (range.end, plain),
            };
            let role = if look.marks.has(Marks::CODE) && role == Role::Text { Role::Code } else { role };
            let part = text.text.get(at..end).unwrap_or("");
            self.span(part, role, look.marks, look.link, Some((id, at as u32)));
            at = end;
        }
    }

    fn heading(&mut self, level: u8, text: TextId) {
        let role = Role::Heading(level);
        let from = self.out.lines.len();
        if level > 2 {
            let sign = format!("{} ", "#".repeat(level as usize));
            let rest = " ".repeat(sign.len());
            self.within(Some((sign, Role::HeadingRule)), (rest, Role::HeadingRule), |flow| {
                flow.text(text, role);
            });
            return;
        }
        self.text(text, role);
        let indent = self.indent;
        let longest = self
            .out
            .lines
            .get(from..)
            .into_iter()
            .flatten()
            .map(|line| line.width as usize)
            .max()
            .unwrap_or(0);
        let sign = match (level, self.view.ascii) {
            (1, false) => "═",
            (_, false) => "─",
            (1, true) => "=",
            (_, true) => "-",
        };
        self.begin();
        self.sign(&sign.repeat(longest.saturating_sub(indent)), Role::HeadingRule);
        self.end(LineKind::Text);
    }

    fn list(&mut self, list: &'p List) {
        let last = list.start + list.items.len().saturating_sub(1) as u64;
        let digits = last.to_string().len();
        let bullet = match (self.list_depth % 3, self.view.ascii) {
            (0, false) => "•",
            (1, false) => "◦",
            (_, false) => "▪",
            (0, true) => "*",
            (1, true) => "-",
            (_, true) => "+",
        };
        self.list_depth += 1;
        for (number, item) in (list.start..).zip(&list.items) {
            if number > list.start && list.loose {
                self.blank();
            }
            let sign = if list.ordered { format!("{number:>digits$}. ") } else { format!("{bullet} ") };
            let rest = (" ".repeat(width(&sign)), Role::Text);
            self.within(Some((sign, Role::Sign)), rest, |flow| match item.task {
                Some(done) => {
                    let (sign, role) = match (done, flow.view.ascii) {
                        (true, false) => ("☑ ", Role::Done),
                        (false, false) => ("☐ ", Role::Sign),
                        (true, true) => ("[x] ", Role::Done),
                        (false, true) => ("[ ] ", Role::Sign),
                    };
                    let rest = (" ".repeat(width(sign)), Role::Text);
                    flow.within(Some((sign.to_owned(), role)), rest, |flow| {
                        flow.item(&item.blocks, list.loose);
                    });
                }
                None => flow.item(&item.blocks, list.loose),
            });
        }
        self.list_depth -= 1;
    }

    fn item(&mut self, blocks: &'p [Block], loose: bool) {
        let from = self.out.lines.len();
        self.blocks(blocks, loose);
        if self.out.lines.len() == from {
            self.begin();
            self.end(LineKind::Text);
        }
    }

    fn admonition(&mut self, id: BlockId, admonition: &'p Admonition) {
        let role = Role::Tone(admonition.tone);
        let bar = if self.view.ascii { "| " } else { "▌ " };
        let open = match admonition.fold {
            None => true,
            Some(open) => self.view.all || self.view.open.get(&id).copied().unwrap_or(open),
        };
        self.within(None, (bar.to_owned(), role), |flow| {
            let mut sign = String::new();
            if admonition.fold.is_some() {
                sign.push_str(match (open, flow.view.ascii) {
                    (true, false) => "▾ ",
                    (false, false) => "▸ ",
                    (true, true) => "v ",
                    (false, true) => "> ",
                });
            }
            if admonition.kind != "details" {
                sign.push_str(admonition.tone.sign(flow.view.ascii));
                sign.push(' ');
            }
            let rest = " ".repeat(width(&sign));
            let from = flow.out.lines.len();
            match admonition.title {
                Some(title) => flow.within(Some((sign, role)), (rest, role), |flow| flow.text(title, role)),
                None if admonition.fold.is_some() => {
                    flow.begin();
                    let title =
                        format!("{sign}{}", crate::docs::markdown::containers::capital(&admonition.kind));
                    flow.sign(&title, role);
                    flow.end(LineKind::Text);
                }
                None => {}
            }
            if admonition.fold.is_some()
                && let Some(line) = flow.out.lines.get_mut(from)
            {
                line.kind = LineKind::Fold;
            }
            if open && !admonition.blocks.is_empty() {
                flow.blocks(&admonition.blocks, true);
            }
        });
    }

    fn tabs(&mut self, id: BlockId, tabs: &'p [Tab]) {
        let bar = (if self.view.ascii { "| " } else { "│ " }.to_owned(), Role::Frame);
        if self.view.all {
            for (at, tab) in tabs.iter().enumerate() {
                if at > 0 {
                    self.blank();
                }
                let sign = if self.view.ascii { "[=] " } else { "◧ " };
                let rest = (" ".repeat(width(sign)), Role::Text);
                self.within(Some((sign.to_owned(), Role::Frame)), rest, |flow| {
                    flow.text(tab.title, Role::TabChosen);
                });
                self.within(None, bar.clone(), |flow| flow.blocks(&tab.blocks, true));
            }
            return;
        }
        let written = tabs.iter().position(|tab| tab.selected).unwrap_or(0);
        let chosen = self.view.tabs.get(&id).copied().unwrap_or(written).min(tabs.len().saturating_sub(1));
        self.begin();
        let from = self.out.lines.len();
        let start = self.indent;
        for (at, tab) in tabs.iter().enumerate() {
            let page = self.page;
            let title = page.text(tab.title).text.replace('\n', " ");
            let cells = width(&title) + 2;
            if self.cells > start && self.cells + cells + 1 > self.out.width {
                self.end(LineKind::Tabs);
                self.begin();
            }
            if self.cells > start {
                self.sign(" ", Role::Text);
            }
            let role = if at == chosen { Role::TabChosen } else { Role::Tab };
            let (left, right) = if at == chosen { ("[", "]") } else { (" ", " ") };
            let title =
                crate::model::text::cut(&title, self.out.width.saturating_sub(self.cells + 2)).into_owned();
            self.sign(left, role);
            self.span(&title, role, Marks::NONE, None, Some((tab.title, 0)));
            self.sign(right, role);
        }
        self.end(LineKind::Tabs);
        debug_assert!(self.out.lines.len() > from, "titles take a line");
        if let Some(tab) = tabs.get(chosen) {
            self.within(None, bar, |flow| flow.blocks(&tab.blocks, true));
        }
    }

    fn definitions(&mut self, all: &'p [Definition]) {
        for (at, one) in all.iter().enumerate() {
            if at > 0 {
                self.blank();
            }
            for term in &one.terms {
                self.text(*term, Role::Term);
            }
            for blocks in &one.meanings {
                self.within(Some((":   ".to_owned(), Role::Dim)), ("    ".to_owned(), Role::Text), |flow| {
                    flow.item(blocks, true);
                });
            }
        }
    }

    fn footnotes(&mut self, notes: &'p [Footnote]) {
        self.begin();
        let rule = if self.view.ascii { "-" } else { "─" };
        let room = self.room().min(20);
        self.sign(&rule.repeat(room), Role::Rule);
        self.end(LineKind::Text);
        for note in notes {
            let sign = format!("[{}] ", note.number);
            let rest = (" ".repeat(sign.len()), Role::Text);
            self.within(Some((sign, Role::Footnote)), rest, |flow| flow.item(&note.blocks, false));
        }
    }

    fn image(&mut self, image: LinkId, link: Option<LinkId>, text: TextId) {
        let sign = (if self.view.ascii { "[] " } else { "▣ " }.to_owned(), Role::Image);
        let rest = (" ".repeat(width(&sign.0)), Role::Text);
        let page = self.page;
        let to = page.link(image).map_or("", |link| link.to.as_str());
        let from = self.out.lines.len();
        self.within(Some(sign), rest, |flow| {
            flow.text(text, Role::Image);
            let shown = crate::model::text::cut(to, 300);
            let room = flow.room();
            for range in wrap(&shown, room) {
                flow.begin();
                flow.span(shown.get(range).unwrap_or(""), Role::Dim, Marks::NONE, link.or(Some(image)), None);
                flow.end(LineKind::Image);
            }
        });
        for line in self.out.lines.get_mut(from..).into_iter().flatten() {
            line.kind = LineKind::Image;
        }
    }

    fn toc(&mut self) {
        let page = self.page;
        let least = page.headings.iter().map(|heading| heading.level).min().unwrap_or(1);
        for (heading, link) in page.headings.iter().zip(&page.toc) {
            let indent = " ".repeat(2 * usize::from(heading.level - least));
            let sign = format!("{indent}{} ", if self.view.ascii { "-" } else { "–" });
            let rest = (" ".repeat(width(&sign)), Role::Text);
            self.within(Some((sign, Role::Dim)), rest, |flow| {
                let room = flow.room();
                for range in wrap(&heading.text, room) {
                    flow.begin();
                    flow.span(
                        heading.text.get(range).unwrap_or(""),
                        Role::Text,
                        Marks::NONE,
                        Some(*link),
                        None,
                    );
                    flow.end(LineKind::Text);
                }
            });
        }
    }
}
