//! Search in a page: hits are places of the page, so they outlive a new width.

use super::layout::{Layout, View};
use super::page::{Block, BlockId, BlockKind, Page, TextId};
use regex::{Regex, RegexBuilder};

/// A place that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The text.
    pub text: TextId,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

/// More hits than this are not counted.
const MOST: usize = 10_000;

/// Returns what to look for. Case matters only when a capital letter was typed; what is no regular
/// expression is looked for as it stands.
pub fn pattern(typed: &str) -> Option<Regex> {
    if typed.is_empty() {
        return None;
    }
    let sensitive = typed.chars().any(char::is_uppercase);
    let build = |pattern: &str| {
        RegexBuilder::new(pattern).case_insensitive(!sensitive).size_limit(1 << 20).build().ok()
    };
    build(typed).or_else(|| build(&regex::escape(typed)))
}

/// Finds a pattern in every text of the page, in its order. Empty matches are no hits.
pub fn find(page: &Page, pattern: &Regex) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (id, text) in (0..).map(TextId).zip(&page.texts) {
        let found = pattern.find_iter(&text.text).filter(|found| !found.is_empty());
        hits.extend(found.map(|found| Hit {
            text: id,
            start: found.start() as u32,
            end: found.end() as u32,
        }));
        if hits.len() >= MOST {
            hits.truncate(MOST);
            break;
        }
    }
    hits
}

impl Layout {
    /// Returns the line of a hit; `None` when it is folded away (see [`reveal`]).
    pub fn line_of_hit(&self, hit: &Hit) -> Option<usize> {
        self.line_at(hit.text, hit.start)
    }

    /// Returns the cells of a line that hits cover, as (start, length), in order.
    pub fn hits_on(&self, line: usize, hits: &[Hit]) -> Vec<(usize, usize)> {
        use crate::model::text::width;
        let mut cells = Vec::new();
        let mut column = 0;
        for span in self.spans(line) {
            if let Some((text, at)) = span.place {
                let end = at + span.text.len() as u32;
                let first = hits.partition_point(|hit| (hit.text, hit.end) <= (text, at));
                for hit in hits
                    .get(first..)
                    .unwrap_or(&[])
                    .iter()
                    .take_while(|hit| hit.text == text && hit.start < end)
                {
                    let from = (hit.start.max(at) - at) as usize;
                    let to = (hit.end.min(end) - at) as usize;
                    if let (Some(before), Some(inner)) = (span.text.get(..from), span.text.get(from..to)) {
                        cells.push((column + width(before), width(inner)));
                    }
                }
            }
            column += width(span.text);
        }
        cells
    }
}

/// Opens the details and chooses the tabs that a text is hidden in.
pub fn reveal(page: &Page, text: TextId, view: &mut View) {
    let mut path = Vec::new();
    if trail(&page.blocks, text, &mut path) {
        for (block, tab) in path {
            match tab {
                Some(tab) => view.tabs.insert(block, tab).map(|_| ()),
                None => view.open.insert(block, true).map(|_| ()),
            };
        }
    }
}

/// Finds the blocks that fold (or the tabs) around a text.
fn trail(blocks: &[Block], text: TextId, path: &mut Vec<(BlockId, Option<usize>)>) -> bool {
    for block in blocks {
        let before = path.len();
        let found = match &block.kind {
            BlockKind::Heading { text: own, .. }
            | BlockKind::Paragraph(own)
            | BlockKind::Image { text: own, .. } => *own == text,
            BlockKind::Code(code) => code.text == text,
            BlockKind::Diagram(diagram) => diagram.text == text,
            BlockKind::Table(table) => {
                table.head.iter().chain(table.rows.iter().flatten()).any(|own| *own == text)
            }
            BlockKind::Admonition(admonition) if admonition.title == Some(text) => true,
            BlockKind::Admonition(admonition) => {
                if admonition.fold.is_some() {
                    path.push((block.id, None));
                }
                trail(&admonition.blocks, text, path)
            }
            BlockKind::Tabs(tabs) => tabs.iter().enumerate().any(|(at, tab)| {
                path.truncate(before);
                path.push((block.id, Some(at)));
                tab.title == text || trail(&tab.blocks, text, path)
            }),
            BlockKind::Definitions(all) if all.iter().any(|one| one.terms.contains(&text)) => true,
            kind => {
                let mut found = false;
                kind.children(|blocks| found = found || trail(blocks, text, path));
                found
            }
        };
        if found {
            return true;
        }
        path.truncate(before);
    }
    false
}
