//! Lines of text with things in them that can be focused: overviews, lists of problems, front pages.
//!
//! A [`Flow`] is built once for a width and then only drawn. Its builder lays out headings, labelled
//! rows and columns so that labels align, long text wraps and nothing is lost; whatever can be followed
//! becomes a [`Spot`]. [`FlowState`] moves from spot to spot and scrolls through the text between them.

use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::config::theme::Role;
use crate::model::text::{clean, cut, width};
use crate::ui::text::{Line, Span, paint, put, put_line, span, wrap};
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Cells before the text: the mark of the focused line and a space.
pub const MARGIN: u16 = 2;
/// Widest running text, in cells.
pub const READING: usize = 100;
/// Cells between pieces of one row.
const GAP: usize = 2;

/// A piece of a row: text, or something that can be focused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<T> {
    /// What is drawn.
    pub span: Span,
    /// What `enter` opens.
    pub thing: Option<T>,
}

impl<T> Piece<T> {
    /// Creates a piece that is only text.
    pub fn text(text: impl Into<String>, role: Role) -> Self {
        Self { span: span(text, role), thing: None }
    }

    /// Creates a piece that can be focused.
    pub fn thing(text: impl Into<String>, role: Role, thing: T) -> Self {
        Self { span: span(text, role), thing: Some(thing) }
    }
}

/// Where a thing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot<T> {
    /// Line of the flow, 0-based.
    pub line: usize,
    /// First cell, behind the margin.
    pub x: u16,
    /// Cells.
    pub width: u16,
    /// The thing.
    pub thing: T,
}

/// Lines laid out for one width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow<T> {
    /// The lines.
    pub lines: Vec<Line>,
    /// Things in reading order.
    pub spots: Vec<Spot<T>>,
    width: usize,
    label: usize,
}

impl<T> Flow<T> {
    /// Creates an empty flow for a region of this many cells, margin included.
    pub fn new(region: u16) -> Self {
        let width = usize::from(region.saturating_sub(MARGIN + 1)).max(1);
        Self::of_width(width)
    }

    /// Creates an empty flow whose lines are at most this many cells.
    pub fn of_width(width: usize) -> Self {
        let label = if width >= 60 { 14 } else { 12 };
        Self { lines: Vec::new(), spots: Vec::new(), width: width.max(1), label }
    }

    /// Sets the cells that labels take, the gap included; at most half of a line.
    pub fn with_label(mut self, cells: usize) -> Self {
        self.label = cells;
        self
    }

    /// Returns the cells a line may take.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Adds an empty line, unless there is one already or nothing stands above it.
    pub fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Line::new());
        }
    }

    /// Adds a heading with a dimmed note behind it, an empty line before.
    pub fn heading(&mut self, title: &str, note: &str) {
        self.blank();
        let mut line = vec![span(title, Role::Title)];
        if !note.is_empty() {
            line.push(span(format!("  {note}"), Role::Dim));
        }
        self.lines.push(line);
    }

    /// Adds a line as it is; it is cut when drawn if it is too wide.
    pub fn line(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds running text: wrapped at words, at most [`READING`] wide, list items hanging.
    pub fn text(&mut self, text: &str, role: Role) {
        self.indented(0, text, role);
    }

    /// Adds running text behind an indent.
    pub fn indented(&mut self, indent: usize, text: &str, role: Role) {
        let indent = indent.min(self.width / 2);
        let room = (self.width - indent).min(READING);
        for line in text.lines() {
            let hang = hanging(line).min(room / 2);
            for (at, part) in wrap_hanging(line, room, hang).into_iter().enumerate() {
                let spaces = indent + if at == 0 { 0 } else { hang };
                self.lines.push(if part.is_empty() {
                    Line::new()
                } else {
                    vec![span(format!("{}{part}", " ".repeat(spaces)), role)]
                });
            }
        }
    }

    /// Adds a row: a dimmed label, its pieces behind it; pieces that do not fit go to the next line.
    pub fn row(&mut self, label: &str, pieces: Vec<Piece<T>>) {
        if pieces.is_empty() {
            return;
        }
        let indent = self.label.min(self.width / 2);
        let shown = clean(label).into_owned();
        if width(&shown) + 1 > indent {
            self.lines.extend(wrap(&shown, self.width).into_iter().map(|part| vec![span(part, Role::Dim)]));
            self.flow(Line::new(), 0, indent, pieces);
        } else {
            let cells = width(&shown);
            self.flow(vec![span(shown, Role::Dim)], cells, indent, pieces);
        }
    }

    /// Adds a key and its text value: side by side if there is room, else the value below.
    pub fn pair(&mut self, key: &str, value: &str, column: usize, role: Role) {
        let key = clean(key).into_owned();
        let column = column.min(self.width * 3 / 5);
        let value_lines = value.lines().count();
        if width(&key) < column && value_lines <= 1 {
            let piece = Piece::text(if value.is_empty() { "\"\"" } else { value }, role);
            let cells = width(&key);
            self.flow(vec![span(key, Role::Dim)], cells, column, vec![piece]);
            return;
        }
        let room = self.width;
        for part in wrap(&key, room) {
            self.lines.push(vec![span(part, Role::Dim)]);
        }
        self.indented(2, value, role);
    }

    /// Adds pieces behind an indent.
    pub fn pieces(&mut self, indent: usize, pieces: Vec<Piece<T>>) {
        self.flow(Line::new(), 0, indent.min(self.width / 2), pieces);
    }

    /// Adds one line of columns: each piece cut to its cells, the last one to what is left.
    pub fn columns(&mut self, indent: usize, cells: Vec<(Piece<T>, usize)>) {
        let mut line = vec![span(" ".repeat(indent), Role::Text)];
        let mut used = indent;
        let last = cells.len().saturating_sub(1);
        for (at, (piece, cells)) in cells.into_iter().enumerate() {
            let room = self.width.saturating_sub(used);
            let cells = if at == last { room } else { cells.min(room) };
            let content = clean(&piece.span.text).into_owned();
            let shown = cut(&content, cells).into_owned();
            let taken = width(&shown);
            if let Some(thing) = piece.thing {
                self.spot(used, taken, thing);
            }
            let pad = if at == last { 0 } else { (cells - taken + GAP).min(room - taken) };
            line.push(span(shown, piece.span.role));
            line.push(span(" ".repeat(pad), Role::Text));
            used += taken + pad;
        }
        self.lines.push(line);
    }

    /// Adds another flow below.
    pub fn append(&mut self, other: Flow<T>) {
        let start = self.lines.len();
        self.lines.extend(other.lines);
        self.spots.extend(other.spots.into_iter().map(|spot| Spot { line: spot.line + start, ..spot }));
    }

    fn spot(&mut self, x: usize, cells: usize, thing: T) {
        self.spots.push(Spot { line: self.lines.len(), x: x as u16, width: cells as u16, thing });
    }

    fn flow(&mut self, lead: Line, lead_width: usize, indent: usize, pieces: Vec<Piece<T>>) {
        let indent = indent.max(lead_width);
        let room = self.width.saturating_sub(indent).max(1);
        let spaces = |cells: usize| span(" ".repeat(cells), Role::Text);
        let mut line = lead;
        line.push(spaces(indent - lead_width));
        let mut used = 0;
        for piece in pieces {
            let content = clean(&piece.span.text).into_owned();
            let cells = width(&content);
            if used > 0 && used + GAP + cells > room {
                self.lines.push(std::mem::replace(&mut line, vec![spaces(indent)]));
                used = 0;
            }
            if used > 0 {
                line.push(spaces(GAP));
                used += GAP;
            }
            match piece.thing {
                Some(thing) => {
                    let shown = cut(&content, room).into_owned();
                    self.spot(indent + used, width(&shown), thing);
                    used += width(&shown);
                    line.push(span(shown, piece.span.role));
                }
                None if cells > room => {
                    for (at, part) in wrap(&content, room).into_iter().enumerate() {
                        if at > 0 {
                            self.lines.push(std::mem::replace(&mut line, vec![spaces(indent)]));
                        }
                        used = width(&part);
                        line.push(span(part, piece.span.role));
                    }
                }
                None => {
                    used += cells;
                    line.push(span(content, piece.span.role));
                }
            }
        }
        self.lines.push(line);
    }

    /// Returns the index of the spot under a cell of the drawn area.
    pub fn spot_at(&self, area: Rect, offset: usize, column: u16, row: u16) -> Option<usize> {
        if !area.contains((column, row).into()) {
            return None;
        }
        let line = offset + usize::from(row - area.y);
        let x = (column - area.x).checked_sub(MARGIN)?;
        let inside = |spot: &Spot<T>| spot.line == line && x >= spot.x && x < spot.x + spot.width.max(1);
        // a click beside the only thing of a line means that thing
        self.spots.iter().position(inside).or_else(|| {
            let mut on_line = self.spots.iter().enumerate().filter(|(_, spot)| spot.line == line);
            let first = on_line.next()?.0;
            on_line.next().is_none().then_some(first)
        })
    }

    /// Draws the visible lines; the focused spot is marked in the margin and painted.
    pub fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer, state: &FlowState, is_focused: bool) {
        let offset = state.offset.min(self.lines.len().saturating_sub(1));
        let room = area.width.saturating_sub(MARGIN);
        let area = area.intersection(buf.area);
        for (row, line) in self.lines.iter().skip(offset).take(usize::from(area.height)).enumerate() {
            put_line(cx, buf, area.x + MARGIN, area.y + row as u16, room, line);
        }
        let Some(spot) = state.focus.and_then(|at| self.spots.get(at)).filter(|_| is_focused) else { return };
        let Some(row) = spot.line.checked_sub(offset).filter(|row| *row < usize::from(area.height)) else {
            return;
        };
        let y = area.y + row as u16;
        put(buf, area.x, y, area.width.min(1), if cx.ascii { ">" } else { "▸" }, style(cx, Role::Focus));
        let cells = spot.width.min(room.saturating_sub(spot.x));
        paint(buf, area.x + MARGIN + spot.x, y, cells, style(cx, Role::Selection));
    }
}

/// Cells that the further lines of a list item are moved in: `- `, `* `, `12. `, and its own indent.
fn hanging(line: &str) -> usize {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = line.get(indent..).unwrap_or("");
    let marker = match rest.split_once(' ') {
        Some(("-" | "*" | "+" | ">", _)) => 2,
        Some((number, _))
            if number.len() <= 4
                && number.strip_suffix('.').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit())) =>
        {
            number.len() + 1
        }
        _ => 0,
    };
    indent + marker
}

/// Wraps one line so that all parts but the first leave room for the hanging indent.
fn wrap_hanging(line: &str, room: usize, hang: usize) -> Vec<String> {
    let line = clean(line);
    let mut parts = wrap(&line, room);
    if hang > 0 && parts.len() > 1 {
        let first = parts.swap_remove(0);
        let rest = line.strip_prefix(first.as_str()).unwrap_or("").trim_start();
        parts = wrap(rest, room.saturating_sub(hang));
        parts.insert(0, first);
    }
    if parts.is_empty() { vec![String::new()] } else { parts }
}

/// Focus and scroll of a flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowState {
    /// First visible line.
    pub offset: usize,
    /// Focused spot.
    pub focus: Option<usize>,
}

/// What a movement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something moved.
    Moved,
    /// It is at the top and goes no further.
    Top,
    /// It is at the bottom and goes no further.
    Bottom,
    /// No movement command.
    Foreign,
}

impl FlowState {
    /// Carries out a movement command over a flow of which `height` lines are visible.
    pub fn command<T>(&mut self, command: CommandId, flow: &Flow<T>, height: usize) -> Step {
        let height = height.max(1);
        let half = (height / 2).max(1) as isize;
        match command {
            id::DOWN | id::NEXT_MATCH => self.step_down(flow, height),
            id::UP | id::PREVIOUS_MATCH => self.step_up(flow, height),
            id::TOP => {
                self.offset = 0;
                self.focus = self.first_visible(flow, height);
                Step::Moved
            }
            id::BOTTOM => {
                self.offset = flow.lines.len().saturating_sub(height);
                self.focus = self.last_visible(flow, height);
                Step::Moved
            }
            id::HALF_DOWN => self.page(half, flow, height),
            id::HALF_UP => self.page(-half, flow, height),
            id::PAGE_DOWN | id::TEXT_PAGE_DOWN => self.page(height as isize, flow, height),
            id::PAGE_UP | id::TEXT_PAGE_UP => self.page(-(height as isize), flow, height),
            _ => Step::Foreign,
        }
    }

    /// Scrolls by lines; the focus stays where it is.
    pub fn scroll<T>(&mut self, by: isize, flow: &Flow<T>, height: usize) {
        let last = flow.lines.len().saturating_sub(height.max(1));
        self.offset = self.offset.saturating_add_signed(by).min(last);
    }

    /// Focuses a spot and makes it visible.
    pub fn select<T>(&mut self, at: usize, flow: &Flow<T>, height: usize) {
        self.focus = Some(at);
        self.clamp(flow, height);
        let Some(spot) = flow.spots.get(at) else { return };
        if spot.line < self.offset {
            self.offset = spot.line;
        } else if spot.line >= self.offset + height.max(1) {
            self.offset = spot.line + 1 - height.max(1);
        }
    }

    /// Keeps focus and offset inside the flow.
    pub fn clamp<T>(&mut self, flow: &Flow<T>, height: usize) {
        self.offset = self.offset.min(flow.lines.len().saturating_sub(height.max(1)));
        self.focus = match flow.spots.len() {
            0 => None,
            len => self.focus.map(|at| at.min(len - 1)),
        };
    }

    /// Returns the first spot on a visible line.
    pub fn first_visible<T>(&self, flow: &Flow<T>, height: usize) -> Option<usize> {
        flow.spots.iter().position(|spot| self.sees(spot.line, height))
    }

    fn last_visible<T>(&self, flow: &Flow<T>, height: usize) -> Option<usize> {
        flow.spots.iter().rposition(|spot| self.sees(spot.line, height))
    }

    fn sees(&self, line: usize, height: usize) -> bool {
        line >= self.offset && line < self.offset + height
    }

    /// Returns the focused spot if it is on screen.
    fn seen_focus<T>(&self, flow: &Flow<T>, height: usize) -> Option<usize> {
        self.focus.filter(|at| flow.spots.get(*at).is_some_and(|spot| self.sees(spot.line, height)))
    }

    fn step_down<T>(&mut self, flow: &Flow<T>, height: usize) -> Step {
        let next = match self.seen_focus(flow, height) {
            Some(at) => at + 1,
            None => flow.spots.iter().position(|spot| spot.line >= self.offset).unwrap_or(flow.spots.len()),
        };
        let target = flow.spots.get(next).map(|spot| spot.line);
        if let Some(line) = target
            && self.sees(line, height)
        {
            self.focus = Some(next);
            return Step::Moved;
        }
        if self.offset + height >= flow.lines.len() {
            return Step::Bottom;
        }
        self.offset += 1;
        if target.is_some_and(|line| self.sees(line, height)) {
            self.focus = Some(next);
        }
        Step::Moved
    }

    fn step_up<T>(&mut self, flow: &Flow<T>, height: usize) -> Step {
        let before = match self.seen_focus(flow, height) {
            Some(at) => at.checked_sub(1),
            None if self.offset == 0 => None,
            None => flow.spots.iter().rposition(|spot| spot.line < self.offset + height),
        };
        let target = before.and_then(|at| flow.spots.get(at)).map(|spot| spot.line);
        if target.is_some_and(|line| self.sees(line, height)) {
            self.focus = before;
            return Step::Moved;
        }
        if self.offset == 0 {
            return Step::Top;
        }
        self.offset -= 1;
        if target.is_some_and(|line| self.sees(line, height)) {
            self.focus = before;
        }
        Step::Moved
    }

    fn page<T>(&mut self, by: isize, flow: &Flow<T>, height: usize) -> Step {
        let before = (self.offset, self.focus);
        self.scroll(by, flow, height);
        if self.offset == before.0 {
            // nothing left to scroll: the focus goes to the end it was heading for
            self.focus =
                if by > 0 { self.last_visible(flow, height) } else { self.first_visible(flow, height) };
        } else if self.seen_focus(flow, height).is_none() {
            self.focus =
                if by > 0 { self.first_visible(flow, height) } else { self.last_visible(flow, height) };
        }
        match (before == (self.offset, self.focus), by > 0) {
            (true, true) => Step::Bottom,
            (true, false) => Step::Top,
            _ => Step::Moved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts<T>(flow: &Flow<T>) -> Vec<String> {
        let text = |line: &Line| line.iter().map(|span| span.text.as_str()).collect::<String>();
        flow.lines.iter().map(|line| text(line).trim_end().to_owned()).collect()
    }

    #[test]
    fn rows_align_and_wrap_behind_their_label() {
        let mut flow = Flow::of_width(30);
        let names = ["checkout-api", "ledger", "mail-out"];
        flow.row("depends on", names.map(|name| Piece::thing(name, Role::Link, name)).to_vec());
        flow.row("tags", vec![Piece::text("rust", Role::Text)]);
        assert_eq!(
            texts(&flow),
            ["depends on  checkout-api", "            ledger  mail-out", "tags        rust"]
        );
        let spots: Vec<_> = flow.spots.iter().map(|s| (s.thing, s.line, s.x, s.width)).collect();
        assert_eq!(spots, [("checkout-api", 0, 12, 12), ("ledger", 1, 12, 6), ("mail-out", 1, 20, 8)]);
    }

    #[test]
    fn list_items_hang() {
        let mut flow: Flow<()> = Flow::of_width(12);
        flow.text("- takes card and wallet\n1. one two three", Role::Text);
        assert_eq!(texts(&flow), ["- takes card", "  and wallet", "1. one two", "   three"]);
    }

    #[test]
    fn a_long_key_goes_above_its_value() {
        let mut flow: Flow<()> = Flow::of_width(30);
        flow.pair("backstage.io/techdocs-ref", "dir:.", 26, Role::Text);
        flow.pair("tier", "1", 26, Role::Text);
        assert_eq!(texts(&flow), ["backstage.io/techdocs-ref", "  dir:.", "tier              1"]);
    }

    #[test]
    fn steps_from_thing_to_thing_and_scrolls_between() {
        let mut flow = Flow::of_width(20);
        flow.row("a", vec![Piece::thing("one", Role::Link, 1)]);
        for _ in 0..6 {
            flow.line(vec![span("text", Role::Text)]);
        }
        flow.row("b", vec![Piece::thing("two", Role::Link, 2)]);
        let mut state = FlowState::default();
        state.command(id::DOWN, &flow, 4);
        assert_eq!((state.focus, state.offset), (Some(0), 0));
        for _ in 0..4 {
            state.command(id::DOWN, &flow, 4);
        }
        assert_eq!((state.focus, state.offset), (Some(1), 4));
        assert_eq!(state.command(id::DOWN, &flow, 4), Step::Bottom);
        for _ in 0..4 {
            state.command(id::UP, &flow, 4);
        }
        assert_eq!((state.focus, state.offset), (Some(0), 0));
        assert_eq!(state.command(id::UP, &flow, 4), Step::Top);
    }

    proptest! {
        #[test]
        fn every_line_fits(
            texts in prop::collection::vec((".{0,30}", ".{0,60}"), 1..6), cells in 8usize..60
        ) {
            let mut flow: Flow<usize> = Flow::of_width(cells);
            for (at, (label, value)) in texts.iter().enumerate() {
                flow.row(label, vec![Piece::text(value, Role::Text), Piece::thing(value, Role::Link, at)]);
                flow.pair(label, value, 20, Role::Text);
                flow.text(value, Role::Text);
                flow.columns(1, vec![(Piece::thing(value, Role::Link, at), 8), (Piece::text(label, Role::Dim), 4)]);
            }
            for line in &flow.lines {
                let line: String = line.iter().map(|s| s.text.as_str()).collect();
                prop_assert!(width(&line) <= cells, "{line:?} in {cells}");
            }
            for spot in &flow.spots {
                prop_assert!(usize::from(spot.x + spot.width) <= cells && spot.line < flow.lines.len());
            }
        }

        #[test]
        fn the_offset_stays_inside(
            commands in prop::collection::vec(0usize..8, 0..60), lines in 0usize..40, height in 0usize..12
        ) {
            let all = [id::DOWN, id::UP, id::TOP, id::BOTTOM, id::HALF_DOWN, id::HALF_UP, id::PAGE_DOWN, id::PAGE_UP];
            let mut flow = Flow::of_width(20);
            for at in 0..lines {
                if at % 5 == 2 {
                    flow.row("x", vec![Piece::thing("thing", Role::Link, at)]);
                } else {
                    flow.line(vec![span("text", Role::Text)]);
                }
            }
            let mut state = FlowState::default();
            for c in commands {
                state.command(all[c], &flow, height);
                prop_assert!(state.offset <= lines.saturating_sub(height.max(1)));
                prop_assert!(state.focus.is_none_or(|at| at < flow.spots.len()));
            }
        }
    }
}
