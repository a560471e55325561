//! Documentation for the screen: what is asked of the pool, and what comes back.
//!
//! Reading, parsing, laying out, highlighting and searching are all done away from the screen; a pane keeps
//! the answers and draws the lines that are visible.

use super::event::Shared;
use crate::docs::markdown::highlight::Piece;
use crate::docs::markdown::search::Hit;
use crate::docs::markdown::{BlockId, Layout, LinkId, Page, TextId, View};
use crate::docs::site::{Edit, PageSource, Site, Target};
use std::sync::Arc;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum DocsQuestion {
    /// Which entities have documentation.
    List,
    /// The documentation of an entity.
    Open {
        /// Canonical ref.
        entity: String,
        /// Read it anew, whatever is known of it.
        is_again: bool,
    },
    /// A page, laid out.
    Page {
        /// Its site.
        site: Shared<Site>,
        /// Its path.
        path: String,
        /// Cells of a line.
        width: usize,
        /// What is open and chosen.
        view: View,
    },
    /// A page that was read, laid out again.
    Layout {
        /// The page.
        page: Shared<OpenPage>,
        /// Cells of a line.
        width: usize,
        /// What is open and chosen.
        view: View,
    },
    /// Colours of code blocks.
    Highlight {
        /// Their page.
        page: Shared<OpenPage>,
        /// Their texts.
        texts: Vec<TextId>,
    },
    /// Places that match.
    Find {
        /// Where.
        page: Shared<OpenPage>,
        /// As it was typed.
        typed: String,
    },
}

/// What comes back.
#[derive(Debug, Clone, PartialEq)]
pub enum DocsAnswer {
    /// Entities with documentation, by name.
    Listed(Shared<Vec<DocsRow>>),
    /// Documentation was opened.
    Opened {
        /// The entity that was asked for.
        entity: String,
        /// The entity that it belongs to.
        owner: String,
        /// The site.
        site: Shared<Site>,
        /// The page that an annotation names; empty for the first.
        page: String,
    },
    /// A page was read.
    Page(Shared<OpenPage>, Shared<Laid>),
    /// A page was laid out.
    Layout(Shared<Laid>),
    /// Code was highlighted.
    Highlighted(Vec<(TextId, Arc<[Piece]>)>),
    /// Places were found.
    Found(Vec<Hit>),
}

/// An entity with documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocsRow {
    /// Canonical ref.
    pub entity: String,
    /// What it is called.
    pub title: String,
    /// Its owner's name.
    pub owner: String,
    /// The annotation that says where.
    pub place: String,
    /// Whether it has decision records.
    pub has_records: bool,
}

/// A page that was read and parsed.
#[derive(Debug)]
pub struct OpenPage {
    /// Where its text comes from.
    pub source: PageSource,
    /// The page.
    pub page: Page,
    /// Where each of its links leads.
    pub targets: Vec<Target>,
    /// Source line of each block, by its number.
    pub lines: Vec<u32>,
    /// How it is edited.
    pub edit: Option<Edit>,
    /// Its address on the web.
    pub web: Option<String>,
}

impl OpenPage {
    /// Returns the source line that a line of a layout shows, 1-based.
    pub fn source_line(&self, layout: &Layout, line: usize) -> u32 {
        let block = layout.lines.get(line).map_or(BlockId(0), |line| line.block);
        self.lines.get(block.0 as usize).copied().unwrap_or(1)
    }
}

/// A page at a width, with the places that can be focused.
#[derive(Debug)]
pub struct Laid {
    /// The lines.
    pub layout: Layout,
    /// Links, details and tabs in the order of the lines.
    pub things: Vec<Placed>,
    /// Line of each heading.
    pub headings: Vec<usize>,
    /// Widest line that scrolls, in cells.
    pub widest: usize,
}

/// Something that can be focused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Line of the layout.
    pub line: usize,
    /// Cells before it.
    pub column: usize,
    /// What it is.
    pub thing: Thing,
}

/// What can be focused on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Thing {
    /// A link.
    Link(LinkId),
    /// Details that open and shut.
    Fold(BlockId),
    /// Tabs of which one is shown.
    Tabs(BlockId),
}
