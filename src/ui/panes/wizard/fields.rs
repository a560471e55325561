//! Fields as lines: label, box, rule or error beside and below, choices under the focused one.
//!
//! Pure: what is shown of a field comes in as [`Shown`], lines go out with the row of each field, so that the
//! mouse finds it and the focused one is kept in sight.

use crate::app::Context;
use crate::config::theme::Role;
use crate::model::text::{clean, cut, width};
use crate::ui::text::{Line, paint, put_line, span, wrap};
use crate::ui::theme::{Sign, style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

/// How a field looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Look {
    /// A box to type into.
    #[default]
    Text,
    /// A box with choices.
    Choice,
    /// On or off.
    Toggle(bool),
    /// Several lines; the first is shown.
    Long,
    /// Something that has fields or items below: a heading with a summary.
    Group,
    /// Only to read.
    Fixed,
}

/// A choice below a focused field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// What it is.
    pub label: String,
    /// More about it.
    pub detail: String,
    /// Whether it is taken, where several may be.
    pub checked: Option<bool>,
}

/// What is shown of a field.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// Its title.
    pub title: String,
    /// It has to be answered.
    pub is_required: bool,
    /// How deep it lies in lists and objects.
    pub depth: usize,
    /// How it looks.
    pub look: Look,
    /// What stands in the box.
    pub text: String,
    /// What stands there, dimmed, while nothing else does.
    pub placeholder: String,
    /// The rule in words.
    pub rule: String,
    /// What the author says about it.
    pub help: Vec<String>,
    /// What is wrong with it.
    pub error: String,
    /// What else is to be known: a widget that is not known, a lookup that goes on.
    pub note: String,
    /// Choices, while it is focused.
    pub offers: Vec<Offer>,
    /// The chosen one of them.
    pub chosen: Option<usize>,
    /// More choices than are shown.
    pub more: usize,
    /// Cells of the text in front of the cursor, while it is focused and typed into.
    pub cursor: Option<usize>,
    /// It has the focus.
    pub is_focused: bool,
}

/// A line of a page.
#[derive(Debug, Clone, Default)]
pub struct PageLine {
    /// What is drawn.
    pub line: Line,
    /// Index of the field it belongs to.
    pub field: Option<usize>,
    /// Index of the choice it is.
    pub offer: Option<usize>,
    /// It is the chosen choice.
    pub is_chosen: bool,
    /// Cell of the cursor.
    pub cursor: Option<u16>,
    /// First cell and cells of the box of a focused field.
    pub focus: Option<(u16, u16)>,
}

/// A page laid out for a width.
#[derive(Debug, Clone, Default)]
pub struct PageLines {
    /// Its lines.
    pub lines: Vec<PageLine>,
    /// First visible one.
    pub offset: usize,
}

/// Below this width labels stand above their boxes.
const NARROW: usize = 56;
/// Widest box.
const BOX: usize = 48;
/// Choices shown at once.
pub const OFFERS: usize = 7;

impl PageLines {
    /// Lays out fields below lines that introduce the page; what was in sight stays there as far as it can.
    pub fn new(cx: &Context, intro: Vec<Line>, fields: &[Shown], area: Rect, before: usize) -> Self {
        let cells = usize::from(area.width.saturating_sub(1)).max(8);
        let layout = Layout::of(fields, cells);
        let mut lines: Vec<PageLine> =
            intro.into_iter().map(|line| PageLine { line, ..PageLine::default() }).collect();
        for (at, field) in fields.iter().enumerate() {
            layout.field(cx, at, field, &mut lines);
        }
        let mut page = Self { lines, offset: before };
        page.keep_in_sight(fields.iter().position(|field| field.is_focused), usize::from(area.height));
        page
    }

    /// Scrolls no more than needed to show the focused field with all that belongs to it.
    fn keep_in_sight(&mut self, focused: Option<usize>, height: usize) {
        let height = height.max(1);
        let belongs = |line: &PageLine| focused.is_some() && line.field == focused;
        if let Some(first) = self.lines.iter().position(belongs) {
            let last = self.lines.iter().rposition(belongs).unwrap_or(first);
            // the very first field brings the words above it
            let first = if focused == Some(0) { 0 } else { first };
            if last >= self.offset + height {
                self.offset = last + 1 - height;
            }
            if first < self.offset {
                self.offset = first;
            }
            let own = self.lines.iter().position(belongs).unwrap_or(0);
            if own >= self.offset + height {
                self.offset = own;
            }
        }
        self.offset = self.offset.min(self.lines.len().saturating_sub(height));
    }

    /// Returns the line under a row of the screen.
    pub fn line_at(&self, area: Rect, column: u16, row: u16) -> Option<&PageLine> {
        if !area.contains((column, row).into()) {
            return None;
        }
        self.lines.get(self.offset + usize::from(row - area.y))
    }

    /// Scrolls by lines.
    pub fn scroll(&mut self, by: isize, height: usize) {
        let last = self.lines.len().saturating_sub(height.max(1));
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    /// Draws the visible lines; says when there is more below.
    pub fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let shown = self.lines.iter().skip(self.offset).take(usize::from(area.height));
        for (row, line) in shown.enumerate() {
            let y = area.y + row as u16;
            put_line(cx, buf, area.x, y, area.width, &line.line);
            if let Some((x, cells)) = line.focus {
                paint(
                    buf,
                    area.x + x,
                    y,
                    cells.min(area.width.saturating_sub(x)),
                    style(cx, Role::Selection),
                );
            }
            if line.is_chosen {
                paint(buf, area.x + 2, y, area.width.saturating_sub(3), style(cx, Role::Selection));
            }
            if let Some(x) = line.cursor.filter(|x| *x < area.width) {
                paint(buf, area.x + x, y, 1, Style::new().add_modifier(Modifier::REVERSED));
            }
        }
        let below = self.lines.len().saturating_sub(self.offset + usize::from(area.height));
        if below > 0 && area.width > 20 {
            let words = [span(if cx.ascii { " v more " } else { " ▼ more " }, Role::Dim)];
            let x = area.right().saturating_sub(9);
            put_line(cx, buf, x, area.bottom().saturating_sub(1), 9, &words);
        }
    }
}

/// Columns of a page.
struct Layout {
    label: usize,
    cells: usize,
    boxes: usize,
}

impl Layout {
    fn of(fields: &[Shown], cells: usize) -> Self {
        if cells < NARROW {
            return Self { label: 0, cells, boxes: cells.saturating_sub(4).clamp(4, BOX) };
        }
        let longest = fields
            .iter()
            .filter(|field| field.look != Look::Group)
            .map(|field| width(&clean(&field.title)) + 2 + 2 * field.depth)
            .max();
        let label = longest.unwrap_or(0).clamp(12, (cells / 3).max(12)) + 1;
        let boxes = cells.saturating_sub(MARGIN + label).saturating_sub(1).min(BOX);
        Self { label, cells, boxes }
    }

    /// First cell of the boxes.
    fn x(&self) -> usize {
        MARGIN + self.label
    }

    fn field(&self, cx: &Context, at: usize, field: &Shown, lines: &mut Vec<PageLine>) {
        let mark = match (field.is_focused, cx.ascii) {
            (false, _) => "  ",
            (true, true) => "> ",
            (true, false) => "▸ ",
        };
        let indent = "  ".repeat(field.depth.min(8));
        let star = if field.is_required { " *" } else { "" };
        let own = |line: Line| PageLine { line, field: Some(at), ..PageLine::default() };
        if field.look == Look::Group {
            let mut line = vec![
                span(mark, Role::Focus),
                span(format!("{indent}{}{star}", clean(&field.title)), Role::Title),
            ];
            if !field.text.is_empty() {
                line.push(span(format!("  {}", field.text), Role::Dim));
            }
            let beside = if field.rule.is_empty() { &field.note } else { &field.rule };
            if !beside.is_empty() {
                line.push(span(format!("  {beside}"), Role::Dim));
            }
            let cells = (width(&indent) + width(&clean(&field.title))) as u16;
            lines.push(PageLine { focus: field.is_focused.then_some((MARGIN as u16, cells)), ..own(line) });
            self.below(cx, at, field, lines);
            return;
        }
        let title = format!("{indent}{}{star}", clean(&field.title));
        let mut line = vec![span(mark, Role::Focus)];
        let mut x = MARGIN;
        if self.label == 0 {
            line.push(span(title, Role::Text));
            lines.push(own(line));
            line = vec![span("  ", Role::Text)];
        } else {
            let title = if width(&title) < self.label {
                title
            } else {
                // the mark of a required field is never what is cut
                let room = self.label.saturating_sub(1 + width(star));
                let bare = format!("{indent}{}", clean(&field.title));
                format!("{}{star}", cut(&bare, room))
            };
            let pad = self.label.saturating_sub(width(&title));
            line.push(span(title, Role::Text));
            line.push(span(" ".repeat(pad), Role::Text));
            x += self.label;
        }
        let mut here = own(Line::new());
        let used = self.draw_box(cx, field, x, &mut line, &mut here);
        let (beside, role) = if field.note.is_empty() {
            (field.rule.as_str(), Role::Dim)
        } else {
            (field.note.as_str(), Role::Info)
        };
        let room = self.cells.saturating_sub(x + used + 2);
        let fits = width(&clean(beside)) <= room;
        if !beside.is_empty() && fits {
            line.push(span(format!("  {beside}"), role));
        }
        here.line = line;
        lines.push(here);
        if !beside.is_empty() && !fits {
            self.words(at, beside, role, lines);
        }
        self.below(cx, at, field, lines);
    }

    /// Draws the box of a field; returns the cells it takes.
    fn draw_box(&self, cx: &Context, field: &Shown, x: usize, line: &mut Line, here: &mut PageLine) -> usize {
        if let Look::Toggle(is_on) = field.look {
            let words = if is_on { "[x] yes" } else { "[ ] no" };
            line.push(span(words, if field.is_focused { Role::Title } else { Role::Text }));
            here.focus = field.is_focused.then_some((x as u16, width(words) as u16));
            return width(words);
        }
        let arrow = match (field.look, cx.ascii) {
            (Look::Choice, false) => " ▾",
            (Look::Choice, true) => " v",
            (Look::Long, false) => " …",
            _ => "",
        };
        let inner = self.boxes.saturating_sub(4 + width(arrow)).max(1);
        let first = field.text.lines().next().unwrap_or_default();
        let text = clean(first).into_owned();
        // a long text is seen where the cursor is
        let cursor = field.cursor.unwrap_or(0).min(width(&text));
        let skip = (cursor + 1).saturating_sub(inner);
        let start = crate::model::text::prefix(&text, skip).len();
        let rest = text.get(start..).unwrap_or_default();
        let shown = if field.cursor.is_some() {
            crate::model::text::prefix(rest, inner).to_owned()
        } else {
            cut(rest, inner).into_owned()
        };
        let is_empty = field.text.is_empty();
        let (shown, role) = match (is_empty, field.is_focused) {
            (true, _) => (cut(&clean(&field.placeholder), inner).into_owned(), Role::Dim),
            (false, true) => (shown, Role::Title),
            (false, false) => (shown, Role::Text),
        };
        let frame = if field.look == Look::Fixed {
            Role::Dim
        } else if field.is_focused {
            Role::Focus
        } else if field.error.is_empty() {
            Role::Dim
        } else {
            Role::Error
        };
        let pad = inner.saturating_sub(width(&shown));
        line.push(span("[ ", frame));
        line.push(span(shown, role));
        line.push(span(" ".repeat(pad), Role::Text));
        line.push(span(format!("{arrow} ]"), frame));
        if field.is_focused {
            here.cursor = field.cursor.map(|_| (x + 2 + cursor - skip) as u16);
            if field.cursor.is_none() {
                here.focus = Some(((x + 2) as u16, inner as u16));
            }
        }
        inner + 4 + width(arrow)
    }

    /// Adds words behind the indent of the boxes.
    fn words(&self, at: usize, words: &str, role: Role, lines: &mut Vec<PageLine>) {
        let x = if self.label == 0 { MARGIN + 2 } else { self.x() };
        let room = self.cells.saturating_sub(x + 1).clamp(8, 90);
        for part in wrap(words, room) {
            let line = vec![span(" ".repeat(x), Role::Text), span(part, role)];
            lines.push(PageLine { line, field: Some(at), ..PageLine::default() });
        }
    }

    /// Adds what stands below a field: its error, and while it is focused help and choices.
    fn below(&self, cx: &Context, at: usize, field: &Shown, lines: &mut Vec<PageLine>) {
        if !field.error.is_empty() {
            let words = format!("{} {}", Sign::Error.text(cx), field.error);
            self.words(at, &words, Role::Error, lines);
        }
        if !field.is_focused {
            return;
        }
        let x = if self.label == 0 { MARGIN + 2 } else { self.x() };
        for (index, offer) in field.offers.iter().enumerate() {
            let check = match offer.checked {
                Some(true) => "[x] ",
                Some(false) => "[ ] ",
                None => "",
            };
            let is_chosen = field.chosen == Some(index);
            let mark = if is_chosen { "> " } else { "  " };
            let mut line = vec![
                span(" ".repeat(x), Role::Text),
                span(mark, Role::Focus),
                span(format!("{check}{}", clean(&offer.label)), Role::Link),
            ];
            if !offer.detail.is_empty() {
                line.push(span(format!("  {}", clean(&offer.detail)), Role::Dim));
            }
            lines.push(PageLine {
                line,
                field: Some(at),
                offer: Some(index),
                is_chosen,
                ..PageLine::default()
            });
        }
        if field.more > 0 {
            self.words(at, &format!("  and {} more; type to narrow", field.more), Role::Dim, lines);
        }
        for help in field.help.iter().filter(|help| !help.is_empty()) {
            self.words(at, help, Role::Dim, lines);
        }
    }
}

/// Cells in front of labels: mark of the focus and a space.
const MARGIN: usize = 2;
