//! Draws the visible cells of the box form.

use super::boxes::{Boxes, Place};
use super::scene::{Scene, SceneNode};
use crate::app::Context;
use crate::app::context::grouped;
use crate::catalog::Catalog;
use crate::config::theme::Role;
use crate::ui::entity_lines::{self, short_ref};
use crate::ui::text::{Line, line_width, put, put_line, span};
use crate::ui::theme::{Sign, style};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustc_hash::FxHashSet;

/// What is drawn, and which part of it.
#[derive(Clone, Copy)]
pub struct Picture<'a> {
    /// The snapshot.
    pub catalog: &'a Catalog,
    /// What there is.
    pub scene: &'a Scene,
    /// Where it stands.
    pub boxes: &'a Boxes,
    /// Cell of the canvas in the top left corner of the area.
    pub offset: (i32, i32),
    /// The focused node.
    pub focus: usize,
    /// Nodes that a search found.
    pub found: &'a FxHashSet<usize>,
}

/// Ways out of a cell that a line goes through.
const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const UP: u8 = 4;
const DOWN: u8 = 8;
/// The line belongs to the focused node.
const LIT: u8 = 16;

/// Characters by ways out.
const DRAWN: [&str; 16] = [" ", "─", "─", "─", "│", "┘", "└", "┴", "│", "┐", "┌", "┬", "│", "┤", "├", "┼"];
const ASCII: [&str; 16] = [" ", "-", "-", "-", "|", "+", "+", "+", "|", "+", "+", "+", "|", "+", "+", "+"];

/// How many boxes are not seen, by the side they are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unseen {
    above: usize,
    below: usize,
    left: usize,
    right: usize,
}

impl Unseen {
    /// Returns it in words: `12 more above, 3 right`; empty when everything is seen.
    pub fn words(self) -> String {
        let sides =
            [(self.above, "above"), (self.below, "below"), (self.left, "left"), (self.right, "right")];
        let parts: Vec<String> = sides
            .iter()
            .filter(|(count, _)| *count > 0)
            .enumerate()
            .map(|(at, (count, side))| {
                format!("{}{} {side}", grouped(*count), if at == 0 { " more" } else { "" })
            })
            .collect();
        parts.join(", ")
    }
}

impl Picture<'_> {
    /// Counts the boxes that are not wholly inside an area of this size.
    pub fn unseen(&self, width: u16, height: u16) -> Unseen {
        let (x, y) = self.offset;
        let mut unseen = Unseen::default();
        for place in &self.boxes.places {
            if place.x < x {
                unseen.left += 1;
            } else if place.x + place.width > x + i32::from(width) {
                unseen.right += 1;
            } else if place.y < y {
                unseen.above += 1;
            } else if place.y + self.boxes.height > y + i32::from(height) {
                unseen.below += 1;
            }
        }
        unseen
    }

    /// Draws everything that is inside the area.
    pub fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        self.draw_wires(cx, area, buf);
        for (at, (node, place)) in self.scene.nodes.iter().zip(&self.boxes.places).enumerate() {
            let is_visible = place.x < self.offset.0 + i32::from(area.width)
                && place.x + place.width > self.offset.0
                && place.y < self.offset.1 + i32::from(area.height)
                && place.y + self.boxes.height > self.offset.1;
            if is_visible {
                self.draw_box(cx, area, at, *node, *place, buf);
            }
        }
    }

    fn draw_wires(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let mut mask = Mask::new(area, self.offset);
        let mut arrows = Vec::new();
        let (top, bottom) = (self.offset.1, self.offset.1 + i32::from(area.height));
        let is_seen = |a: i32, b: i32| a.max(b) >= top && a.min(b) < bottom;
        for wire in self.boxes.wires.iter().filter(|wire| is_seen(wire.from.1, wire.to.1)) {
            let Some(bond) = self.scene.bonds.get(wire.bond) else { continue };
            let is_lit = bond.near == self.focus || bond.far == self.focus;
            let lit = if is_lit { LIT } else { 0 };
            mask.horizontal(wire.from, wire.lane, lit);
            mask.horizontal(wire.to, wire.lane, lit);
            mask.vertical(wire.lane, wire.from.1, wire.to.1, lit);
            let outward = bond.said.iter().any(|said| said.is_outward);
            let inward = bond.said.iter().any(|said| !said.is_outward);
            arrows.push((wire.to, is_lit, wire.to.0 > wire.lane, outward, inward));
        }
        mask.draw(cx, buf);
        for (at, is_lit, is_to_right, outward, inward) in arrows {
            let symbol = match (outward && inward, outward == is_to_right, cx.ascii) {
                (true, _, false) => "↔",
                (true, _, true) => "=",
                (_, true, false) => "▸",
                (_, true, true) => ">",
                (_, false, false) => "◂",
                (_, false, true) => "<",
            };
            if let Some((x, y)) = self.on_screen(area, at.0, at.1) {
                put(buf, x, y, 1, symbol, style(cx, if is_lit { Role::Focus } else { Role::Dim }));
            }
        }
        let first = self.boxes.labels.partition_point(|label| label.y < self.offset.1);
        for label in self.boxes.labels.iter().skip(first) {
            if label.y >= self.offset.1 + i32::from(area.height) {
                break;
            }
            if let Some((x, y)) = self.on_screen(area, label.x, label.y) {
                put(buf, x, y, area.right().saturating_sub(x), &label.text, style(cx, Role::Dim));
            }
        }
    }

    fn on_screen(&self, area: Rect, x: i32, y: i32) -> Option<(u16, u16)> {
        let (x, y) = (x - self.offset.0, y - self.offset.1);
        let is_inside = (0..i32::from(area.width)).contains(&x) && (0..i32::from(area.height)).contains(&y);
        is_inside.then(|| (area.x + x as u16, area.y + y as u16))
    }

    /// Draws a box into a small picture of its own and copies what is inside the area, so that a box
    /// that sticks out needs no care.
    fn draw_box(&self, cx: &Context, area: Rect, at: usize, node: SceneNode, place: Place, buf: &mut Buffer) {
        let size = Rect::new(0, 0, place.width.max(4) as u16, self.boxes.height as u16);
        let mut picture = Buffer::empty(size);
        crate::ui::theme::fill(cx, size, &mut picture);
        self.draw_frame(cx, size, at, node, &mut picture);
        let lines = self.lines(cx, at, node, size.width.saturating_sub(4));
        for (row, line) in lines.iter().enumerate() {
            put_line(cx, &mut picture, 2, 1 + row as u16, size.width.saturating_sub(3), line);
        }
        if at == self.focus {
            put(&mut picture, 1, 1, 1, ">", style(cx, Role::Focus));
            for row in 1..size.height.saturating_sub(1) {
                crate::ui::text::paint(&mut picture, 1, row, size.width - 2, style(cx, Role::Selection));
            }
        }
        for y in 0..size.height {
            for x in 0..size.width {
                let target = self.on_screen(area, place.x + i32::from(x), place.y + i32::from(y));
                let Some((column, row)) = target else { continue };
                if let Some((cell, to)) = picture.cell((x, y)).zip(buf.cell_mut((column, row))) {
                    *to = cell.clone();
                    // half of a wide letter would spill over the edge
                    if column + 1 == area.right() && crate::model::text::width(cell.symbol()) > 1 {
                        to.set_symbol(" ");
                    }
                }
            }
        }
    }

    fn draw_frame(&self, cx: &Context, size: Rect, at: usize, node: SceneNode, picture: &mut Buffer) {
        let [across, down, corners @ ..] = match (cx.ascii, at == 0) {
            (true, false) => ["-", "|", "+", "+", "+", "+"],
            (true, true) => ["=", "|", "+", "+", "+", "+"],
            (false, false) => ["─", "│", "┌", "┐", "└", "┘"],
            (false, true) => ["━", "┃", "┏", "┓", "┗", "┛"],
        };
        let role = match (at == self.focus, self.found.contains(&at)) {
            (true, _) => Role::Focus,
            (_, true) => Role::Match,
            _ if at == 0 => Role::Title,
            _ => Role::Dim,
        };
        let border = style(cx, role);
        let (right, bottom) = (size.width - 1, size.height - 1);
        for x in 1..right {
            put(picture, x, 0, 1, across, border);
            put(picture, x, bottom, 1, across, border);
        }
        for y in 1..bottom {
            put(picture, 0, y, 1, down, border);
            put(picture, right, y, 1, down, border);
        }
        for ((x, y), corner) in [(0, 0), (right, 0), (0, bottom), (right, bottom)].into_iter().zip(corners) {
            put(picture, x, y, 1, corner, border);
        }
        let mut notes = Vec::new();
        if node.hidden > 0 {
            notes.push(format!("{} more", grouped(node.hidden as usize)));
        }
        let undrawn = self.boxes.undrawn.get(at).copied().unwrap_or(0);
        if undrawn > 0 {
            notes.push(format!("{} {undrawn}", if cx.ascii { "^" } else { "↺" }));
        }
        if !notes.is_empty() {
            let mut note = format!(" {} ", notes.join(" "));
            if note.len() > usize::from(size.width) - 2 && node.hidden > 0 {
                note = format!(" +{} ", node.hidden);
            }
            let width = (crate::model::text::width(&note) as u16).min(size.width - 2);
            put(picture, right - width, bottom, width, &note, style(cx, Role::Dim));
        }
    }

    fn lines(&self, cx: &Context, at: usize, node: SceneNode, width: u16) -> Vec<Line> {
        let room = usize::from(width);
        let Some(entity) = self.catalog.entity(node.id) else {
            let name = short_ref(self.catalog.ref_of(node.id));
            let unknown = |text: String| vec![span(text, Role::Unknown)];
            let sign = Sign::Unknown.text(cx);
            return if self.boxes.height > 3 {
                vec![unknown(name), unknown(format!("{sign} described nowhere"))]
            } else {
                vec![unknown(format!("{sign} {name}"))]
            };
        };
        let mut name = entity_lines::name_cell(cx, &entity);
        if at == 0 {
            for part in name.iter_mut().filter(|part| part.role == Role::Text) {
                part.role = Role::Title;
            }
        }
        // A box has room for a sign alone; the list form says the word
        if let Some(mark) = entity_lines::broken_mark(cx, entity.entity_ref()).first() {
            let sign = mark.text.trim().split(' ').next().unwrap_or_default().to_owned();
            name.insert(0, span(format!("{sign} "), mark.role));
        }
        let problems = entity_lines::problem_cell(cx, &entity);
        let kind = entity_lines::kind_words(&entity);
        if self.boxes.height > 3 {
            let mut facts = vec![span(kind, Role::Dim)];
            if let Some(owner) = entity.owner() {
                facts.push(span(format!(" · {}", short_ref(self.catalog.ref_of(owner))), Role::Dim));
            }
            if !problems.is_empty() {
                name.push(span(" ", Role::Text));
                name.extend(problems);
            }
            return vec![name, facts];
        }
        name.push(span(" ", Role::Text));
        name.extend(problems);
        if line_width(&name) + crate::model::text::width(&kind) < room {
            name.push(span(kind, Role::Dim));
        }
        vec![name]
    }
}

/// Ways out of every visible cell.
struct Mask {
    area: Rect,
    offset: (i32, i32),
    cells: Vec<u8>,
}

impl Mask {
    fn new(area: Rect, offset: (i32, i32)) -> Self {
        Self { area, offset, cells: vec![0; usize::from(area.width) * usize::from(area.height)] }
    }

    fn add(&mut self, x: i32, y: i32, ways: u8) {
        let index = y as usize * usize::from(self.area.width) + x as usize;
        if let Some(cell) = self.cells.get_mut(index) {
            *cell |= ways;
        }
    }

    /// A line from a box at `from` to the lane.
    fn horizontal(&mut self, from: (i32, i32), lane: i32, lit: u8) {
        let y = from.1 - self.offset.1;
        if !(0..i32::from(self.area.height)).contains(&y) {
            return;
        }
        let last = i32::from(self.area.width) - 1;
        let (start, end) = (from.0.min(lane) - self.offset.0, from.0.max(lane) - self.offset.0);
        let lane = lane - self.offset.0;
        for x in start.max(0)..=end.min(last) {
            // in its lane the line only goes towards the box; elsewhere it goes through
            let ways = match x == lane {
                true if start == lane && end == lane => LEFT | RIGHT,
                true if start == lane => RIGHT,
                true => LEFT,
                false => LEFT | RIGHT,
            };
            self.add(x, y, ways | lit);
        }
    }

    fn vertical(&mut self, lane: i32, from: i32, to: i32, lit: u8) {
        let x = lane - self.offset.0;
        if from == to || !(0..i32::from(self.area.width)).contains(&x) {
            return;
        }
        let (top, bottom) = (from.min(to) - self.offset.1, from.max(to) - self.offset.1);
        for y in top.max(0)..=bottom.min(i32::from(self.area.height) - 1) {
            let up = if y == top { 0 } else { UP };
            let down = if y == bottom { 0 } else { DOWN };
            self.add(x, y, up | down | lit);
        }
    }

    fn draw(&self, cx: &Context, buf: &mut Buffer) {
        let symbols = if cx.ascii { &ASCII } else { &DRAWN };
        let (dim, lit) = (style(cx, Role::Dim), style(cx, Role::Focus));
        let rows = self.cells.chunks(usize::from(self.area.width).max(1));
        for (y, row) in rows.enumerate() {
            for (x, ways) in row.iter().enumerate().filter(|(_, ways)| **ways != 0) {
                let at = (self.area.x + x as u16, self.area.y + y as u16);
                if let Some(cell) = buf.cell_mut(at) {
                    let symbol = symbols.get(usize::from(ways & 15)).copied().unwrap_or(" ");
                    cell.set_symbol(symbol).set_style(if ways & LIT == 0 { dim } else { lit });
                }
            }
        }
    }
}
