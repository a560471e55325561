//! What a page is made of once it is read: blocks, texts, links, headings, notes.
//!
//! A [`Page`] keeps every piece of prose in one list ([`Page::texts`]); blocks name their texts by
//! [`TextId`]. So a search, a highlight and a reading position can point at (text, byte) and stay right
//! whatever the width. Blocks are numbered in the order of the page ([`BlockId`]) and know the source
//! line they came from (1-based, of the text that was parsed).

use super::marks::Marks;
use std::sync::Arc;

/// Number of a block in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockId(pub u32);

/// Number of a text in [`Page::texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextId(pub u32);

/// Number of a link in [`Page::links`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LinkId(pub u32);

/// A page that was read.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The block of keys between `---` lines at the top.
    pub front: FrontMatter,
    /// The page, top to bottom.
    pub blocks: Vec<Block>,
    /// All prose and code of the page, in the order of the page.
    pub texts: Vec<Text>,
    /// All headings, in the order of the page.
    pub headings: Vec<Heading>,
    /// All links and images.
    pub links: Vec<Link>,
    /// Anchors that are no headings (`{: #id }`, `id=` of HTML, footnotes) and the block they name.
    pub anchors: Vec<(String, BlockId)>,
    /// Abbreviations and what they stand for.
    pub abbreviations: Vec<(String, String)>,
    /// Links to the headings, one per heading, when the page has a table of contents.
    pub toc: Vec<LinkId>,
    /// Code blocks in the order of their numbers: the first is number 1.
    pub code: Vec<TextId>,
    /// What was not understood or reads differently on the web.
    pub notes: Vec<Note>,
    /// Lines of the source.
    pub source_lines: u32,
}

/// The keys at the top of a page that mean something to a reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FrontMatter {
    /// `title`
    pub title: Option<String>,
    /// `description`
    pub description: Option<String>,
    /// `tags`
    pub tags: Vec<String>,
    /// `status`, as decision records have it.
    pub status: Option<String>,
    /// `date`, as decision records have it.
    pub date: Option<String>,
}

/// A piece of prose or code with its styles and links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The characters; a newline is a hard break (in code: the end of a line).
    pub text: String,
    /// Styled stretches in order, without overlap; what is between them is plain.
    pub runs: Vec<Run>,
}

/// A stretch of a [`Text`] (bytes) with one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// Styles.
    pub marks: Marks,
    /// Where it leads.
    pub link: Option<LinkId>,
}

/// A heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    /// Its words, without marks.
    pub text: String,
    /// Its anchor, without `#`, unique on the page.
    pub anchor: String,
    /// The block.
    pub block: BlockId,
    /// 1-based source line.
    pub line: u32,
}

/// What a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// `[text](address)`, `<address>`, a bare address.
    Link,
    /// `![text](address)`
    Image,
    /// `[^1]`: leads to the anchor of a footnote on this page.
    Footnote,
}

/// A link or image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to, as written.
    pub to: String,
    /// The words it shows (alternative text of an image).
    pub text: String,
    /// The title, `""` without.
    pub title: String,
    /// What it is.
    pub kind: LinkKind,
    /// 1-based source line.
    pub line: u32,
}

/// What a note is about. [`NoteKind::code`] is stable for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
    /// Something that looks like syntax and is none we know.
    UnknownSyntax,
    /// Reads differently on the web site.
    WebDiffers,
    /// A footnote without definition, a definition without reference, a reference used twice.
    Footnote,
    /// A diagram that is shown as source.
    Diagram,
    /// A fence, block or tag that is never closed.
    Unclosed,
    /// Part of the page was too large or too deep and is shown plainly.
    Bounded,
}

impl NoteKind {
    /// Returns the stable name.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownSyntax => "unknown-syntax",
            Self::WebDiffers => "web-differs",
            Self::Footnote => "footnote",
            Self::Diagram => "diagram",
            Self::Unclosed => "unclosed",
            Self::Bounded => "bounded",
        }
    }
}

/// Something worth telling the author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// 1-based source line.
    pub line: u32,
    /// What it is about.
    pub kind: NoteKind,
    /// A sentence without a final stop.
    pub message: String,
}

/// A block and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Its number in the order of the page.
    pub id: BlockId,
    /// 1-based source line.
    pub line: u32,
    /// What it is.
    pub kind: BlockKind,
}

/// What a block is.
#[derive(Debug, Clone, PartialEq)]
pub enum BlockKind {
    /// A heading; its anchor is in [`Page::headings`].
    Heading {
        /// 1 to 6.
        level: u8,
        /// The words.
        text: TextId,
    },
    /// Running text.
    Paragraph(TextId),
    /// A code block.
    Code(Code),
    /// A quotation.
    Quote(Vec<Block>),
    /// A list.
    List(List),
    /// A table.
    Table(Table),
    /// A line across.
    Rule,
    /// A coloured box, perhaps one that folds.
    Admonition(Admonition),
    /// Tabs of which one is shown.
    Tabs(Vec<Tab>),
    /// Terms and what they mean.
    Definitions(Vec<Definition>),
    /// The footnotes of the page, in the order of their numbers.
    Footnotes(Vec<Footnote>),
    /// A picture that stands alone.
    Image {
        /// The picture.
        image: LinkId,
        /// Where a click leads.
        link: Option<LinkId>,
        /// The alternative text.
        text: TextId,
    },
    /// The place of the table of contents.
    Toc,
    /// A diagram.
    Diagram(Diagram),
}

/// A code block.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    /// The code, without the last newline.
    pub text: TextId,
    /// Language as written, lower case; `""` without.
    pub language: String,
    /// Title over the block.
    pub title: Option<String>,
    /// Number of the first line when the author asked for one.
    pub first_line: Option<u32>,
    /// Highlighted lines, 1-based, counted from the first line of the block.
    pub highlighted: Vec<u32>,
    /// Number on the page, from 1: the name under which it is copied.
    pub number: u32,
    /// Whether it was written with a fence (or as indented text).
    pub fenced: bool,
}

/// A list.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// Whether it is numbered.
    pub ordered: bool,
    /// Number of the first item.
    pub start: u64,
    /// Whether its items are set apart.
    pub loose: bool,
    /// The items.
    pub items: Vec<Item>,
}

/// An item of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// 1-based source line.
    pub line: u32,
    /// `Some(done)` for a task.
    pub task: Option<bool>,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// How a column is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// As text runs.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// To the right.
    Right,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// One per column.
    pub aligns: Vec<Align>,
    /// The head; may be empty.
    pub head: Vec<TextId>,
    /// The rows; shorter rows are filled with nothing when drawn.
    pub rows: Vec<Vec<TextId>>,
}

/// The colour and sign of an admonition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(missing_docs, reason = "the names of the kinds say it")]
pub enum Tone {
    #[default]
    Note,
    Abstract,
    Info,
    Tip,
    Success,
    Question,
    Warning,
    Failure,
    Danger,
    Bug,
    Example,
    Quote,
}

impl Tone {
    /// Returns the tone of a kind written in a page and whether the word is known.
    pub fn of(word: &str) -> (Self, bool) {
        let tone = match word {
            "note" | "seealso" | "new" | "settings" => Self::Note,
            "abstract" | "summary" | "tldr" => Self::Abstract,
            "info" | "todo" => Self::Info,
            "tip" | "hint" | "important" => Self::Tip,
            "success" | "check" | "done" => Self::Success,
            "question" | "help" | "faq" => Self::Question,
            "warning" | "caution" | "attention" => Self::Warning,
            "failure" | "fail" | "missing" => Self::Failure,
            "danger" | "error" => Self::Danger,
            "bug" => Self::Bug,
            "example" => Self::Example,
            "quote" | "cite" => Self::Quote,
            _ => return (Self::Note, false),
        };
        (tone, true)
    }

    /// Returns the sign before the title.
    pub fn sign(self, ascii: bool) -> &'static str {
        match (self, ascii) {
            (Self::Note, false) => "✎",
            (Self::Abstract, false) => "≡",
            (Self::Info, false) => "ℹ",
            (Self::Tip, false) => "✦",
            (Self::Success, false) => "✔",
            (Self::Question, _) => "?",
            (Self::Warning, false) => "▲",
            (Self::Failure, false) => "✘",
            (Self::Danger, false) => "↯",
            (Self::Bug, false) => "✱",
            (Self::Example, false) => "▤",
            (Self::Quote, false) => "❝",
            (Self::Info | Self::Note, true) => "i",
            (Self::Abstract | Self::Example, true) => "=",
            (Self::Tip, true) => "*",
            (Self::Success, true) => "+",
            (Self::Warning | Self::Danger | Self::Bug, true) => "!",
            (Self::Failure, true) => "x",
            (Self::Quote, true) => "\"",
        }
    }
}

/// A coloured box.
#[derive(Debug, Clone, PartialEq)]
pub struct Admonition {
    /// The word that was written, lower case.
    pub kind: String,
    /// Colour and sign.
    pub tone: Tone,
    /// Title; `None` for a box without one.
    pub title: Option<TextId>,
    /// `Some(open)` when it folds.
    pub fold: Option<bool>,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// One of several tabs.
#[derive(Debug, Clone, PartialEq)]
pub struct Tab {
    /// Its title.
    pub title: TextId,
    /// Whether the author chose it.
    pub selected: bool,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// Terms that share definitions.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// One or several terms.
    pub terms: Vec<TextId>,
    /// One or several definitions.
    pub meanings: Vec<Vec<Block>>,
}

/// A footnote.
#[derive(Debug, Clone, PartialEq)]
pub struct Footnote {
    /// Number shown, from 1.
    pub number: u32,
    /// Label as written.
    pub label: String,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A diagram with its source.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagram {
    /// `mermaid`, `plantuml` or `graphviz`.
    pub language: String,
    /// Title or file name.
    pub title: Option<String>,
    /// The source.
    pub text: TextId,
    /// The lines that were drawn; `None` when only the source can be shown.
    pub drawn: Option<Arc<super::diagrams::Drawing>>,
    /// Number on the page among the code blocks, from 1.
    pub number: u32,
}

impl Page {
    /// Returns the text; an empty one for a number of another page.
    pub fn text(&self, id: TextId) -> &Text {
        static EMPTY: Text = Text { text: String::new(), runs: Vec::new() };
        self.texts.get(id.0 as usize).unwrap_or(&EMPTY)
    }

    /// Returns the link.
    pub fn link(&self, id: LinkId) -> Option<&Link> {
        self.links.get(id.0 as usize)
    }

    /// Returns the title: that of the front matter, else the first heading of level 1.
    pub fn title(&self) -> Option<&str> {
        let heading =
            || self.headings.iter().find(|heading| heading.level == 1).map(|heading| heading.text.as_str());
        self.front.title.as_deref().or_else(heading)
    }

    /// Returns the block an anchor names (without `#`).
    pub fn anchor(&self, name: &str) -> Option<BlockId> {
        let heading =
            self.headings.iter().find(|heading| heading.anchor == name).map(|heading| heading.block);
        heading.or_else(|| self.anchors.iter().find(|(anchor, _)| anchor == name).map(|(_, block)| *block))
    }

    /// Returns the code block of this number (from 1) for copying.
    pub fn code(&self, number: u32) -> Option<&str> {
        let at = (number as usize).checked_sub(1)?;
        self.code.get(at).map(|id| self.text(*id).text.as_str())
    }

    /// Calls for every block of the page, outer before inner, in the order of the page.
    pub fn visit<'a>(&'a self, mut seen: impl FnMut(&'a Block)) {
        let mut waiting: Vec<&Block> = self.blocks.iter().rev().collect();
        while let Some(block) = waiting.pop() {
            seen(block);
            let before = waiting.len();
            block.kind.children(|blocks| waiting.extend(blocks));
            if let Some(new) = waiting.get_mut(before..) {
                new.reverse();
            }
        }
    }
}

impl BlockKind {
    /// Calls for each list of blocks inside this one, in order.
    pub fn children<'a>(&'a self, mut each: impl FnMut(&'a [Block])) {
        match self {
            Self::Quote(blocks) | Self::Admonition(Admonition { blocks, .. }) => each(blocks),
            Self::List(list) => list.items.iter().for_each(|item| each(&item.blocks)),
            Self::Tabs(tabs) => tabs.iter().for_each(|tab| each(&tab.blocks)),
            Self::Definitions(all) => {
                all.iter().flat_map(|one| &one.meanings).for_each(|blocks| each(blocks));
            }
            Self::Footnotes(notes) => notes.iter().for_each(|note| each(&note.blocks)),
            Self::Heading { .. }
            | Self::Paragraph(_)
            | Self::Code(_)
            | Self::Table(_)
            | Self::Rule
            | Self::Image { .. }
            | Self::Toc
            | Self::Diagram(_) => {}
        }
    }
}
