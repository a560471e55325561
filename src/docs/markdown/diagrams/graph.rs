//! Boxes and arrows in layers.
//!
//! Every box gets a rank (one more than that of the boxes that lead to it), boxes of a rank are ordered
//! by where their neighbours are, and arrows run between the ranks on tracks of their own. What has no
//! room for its words is told in lines below the drawing, so nothing of a diagram is lost.

use super::Drawing;
use super::canvas::Canvas;
use crate::model::text::width;

/// A line in a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    Text(String),
    Rule,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub rows: Vec<Row>,
    /// Without a frame: the start and the end of states.
    pub bare: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    pub from: usize,
    pub to: usize,
    pub label: String,
    /// Sign at the end; empty without.
    pub head: bool,
    /// Sign at the start.
    pub tail: bool,
    pub dashed: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub title: String,
    pub members: Vec<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    pub groups: Vec<Group>,
    /// From left to right.
    pub across: bool,
}

const MOST_NODES: usize = 150;
const MOST_EDGES: usize = 300;

/// Wider drawings from left to right are tried from top to bottom.
const WIDE: usize = 96;

/// A box or a place where a long arrow passes a rank.
#[derive(Debug, Clone, Default)]
struct Place {
    node: Option<usize>,
    rank: usize,
    /// Size along the ranks and across them.
    length: usize,
    breadth: usize,
    /// First cell along and across.
    along: usize,
    across: usize,
    group: usize,
}

/// A piece of an arrow from one rank to the next.
#[derive(Debug, Clone)]
struct Piece {
    from: usize,
    to: usize,
    edge: usize,
    track: usize,
}

impl Graph {
    /// Draws the graph; `None` when it is too large.
    pub fn draw(&self) -> Option<Drawing> {
        if self.nodes.is_empty() || self.nodes.len() > MOST_NODES || self.edges.len() > MOST_EDGES {
            return None;
        }
        let first = self.draw_as(self.across);
        match first {
            Some(drawing) if !self.across || drawing.width <= WIDE => Some(drawing),
            Some(drawing) => match self.draw_as(false) {
                Some(other) if other.width < drawing.width => Some(other),
                _ => Some(drawing),
            },
            None => self.draw_as(!self.across),
        }
    }

    fn draw_as(&self, across: bool) -> Option<Drawing> {
        let reversed = self.reversed();
        let ranks = self.ranks(&reversed);
        let (mut places, mut pieces) = self.places(&ranks, &reversed, across);
        let mut layers = order(&places, &pieces);
        self.spread(&mut places, &pieces, &mut layers, across);
        let tracks = tracks(&places, &mut pieces, layers.len());
        let size = self.stretch(&mut places, &pieces, &layers, &tracks, across);
        self.paint(&places, &pieces, &reversed, size, across)
    }

    /// Which arrows lead back and are turned around, so that the rest has no cycle.
    fn reversed(&self) -> Vec<bool> {
        let mut reversed = vec![false; self.edges.len()];
        let mut state = vec![0u8; self.nodes.len()];
        let out = |node: usize| -> Vec<usize> {
            (0..self.edges.len())
                .filter(|at| self.edges.get(*at).is_some_and(|edge| edge.from == node))
                .collect()
        };
        for start in 0..self.nodes.len() {
            if state.get(start) != Some(&0) {
                continue;
            }
            let mut stack = vec![(start, out(start), 0usize)];
            if let Some(state) = state.get_mut(start) {
                *state = 1;
            }
            while let Some((node, edges, at)) = stack.last_mut() {
                let Some(edge) = edges.get(*at).copied() else {
                    if let Some(state) = state.get_mut(*node) {
                        *state = 2;
                    }
                    stack.pop();
                    continue;
                };
                *at += 1;
                let to = self.edges.get(edge).map_or(0, |edge| edge.to);
                match state.get(to).copied() {
                    Some(0) => {
                        if let Some(state) = state.get_mut(to) {
                            *state = 1;
                        }
                        let next = out(to);
                        stack.push((to, next, 0));
                    }
                    Some(1) => {
                        if let Some(reversed) = reversed.get_mut(edge) {
                            *reversed = true;
                        }
                    }
                    _ => {}
                }
            }
        }
        reversed
    }

    fn ends(&self, edge: usize, reversed: &[bool]) -> (usize, usize) {
        let Some(one) = self.edges.get(edge) else { return (0, 0) };
        if reversed.get(edge).copied().unwrap_or(false) { (one.to, one.from) } else { (one.from, one.to) }
    }

    fn ranks(&self, reversed: &[bool]) -> Vec<usize> {
        let mut ranks = vec![0usize; self.nodes.len()];
        // At most as many turns as nodes: there is no cycle left
        for _ in 0..self.nodes.len() {
            let mut changed = false;
            for edge in 0..self.edges.len() {
                let (from, to) = self.ends(edge, reversed);
                let least = ranks.get(from).copied().unwrap_or(0) + 1;
                if from != to
                    && let Some(rank) = ranks.get_mut(to)
                    && *rank < least
                {
                    *rank = least;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        ranks
    }

    fn size(&self, node: usize) -> (usize, usize) {
        let Some(node) = self.nodes.get(node) else { return (1, 1) };
        let text = node
            .rows
            .iter()
            .map(|row| if let Row::Text(text) = row { width(text) } else { 0 })
            .max()
            .unwrap_or(0);
        if node.bare { (text.max(1), 1) } else { (text + 4, node.rows.len().max(1) + 2) }
    }

    fn places(&self, ranks: &[usize], reversed: &[bool], across: bool) -> (Vec<Place>, Vec<Piece>) {
        let mut places: Vec<Place> = Vec::new();
        for node in 0..self.nodes.len() {
            let (wide, high) = self.size(node);
            let (length, breadth) = if across { (wide, high) } else { (high, wide) };
            let group =
                self.groups.iter().position(|group| group.members.contains(&node)).map_or(0, |at| at + 1);
            places.push(Place {
                node: Some(node),
                rank: ranks.get(node).copied().unwrap_or(0),
                length,
                breadth,
                group,
                ..Place::default()
            });
        }
        let mut pieces = Vec::new();
        for edge in 0..self.edges.len() {
            let (from, to) = self.ends(edge, reversed);
            if from == to {
                continue;
            }
            let (first, last) = (ranks.get(from).copied().unwrap_or(0), ranks.get(to).copied().unwrap_or(0));
            let mut before = from;
            for rank in first + 1..last {
                places.push(Place { rank, length: 1, breadth: 1, ..Place::default() });
                pieces.push(Piece { from: before, to: places.len() - 1, edge, track: 0 });
                before = places.len() - 1;
            }
            pieces.push(Piece { from: before, to, edge, track: 0 });
        }
        (places, pieces)
    }

    /// Gives every place its cells across the ranks: near its neighbours, in order, without overlap.
    fn spread(&self, places: &mut [Place], pieces: &[Piece], layers: &mut [Vec<usize>], across: bool) {
        let gap = match (across, self.groups.is_empty()) {
            (true, true) => 1,
            (true, false) => 3,
            (false, true) => 3,
            (false, false) => 6,
        };
        let margin = if self.groups.is_empty() { 0 } else { 3 };
        let mut at: Vec<f64> = vec![0.0; places.len()];
        for layer in layers.iter() {
            let mut next = 0.0;
            for place in layer {
                if let (Some(at), Some(size)) = (at.get_mut(*place), places.get(*place)) {
                    *at = next;
                    next += (size.breadth + gap) as f64;
                }
            }
        }
        let middle = |at: &[f64], place: usize, places: &[Place]| {
            at.get(place).copied().unwrap_or(0.0)
                + places.get(place).map_or(0.0, |place| place.breadth as f64 / 2.0)
        };
        for turn in 0..8 {
            let down = turn % 2 == 0;
            let count = layers.len();
            for step in 0..count {
                let Some(layer) = layers.get(if down { step } else { count - 1 - step }) else { continue };
                let wanted: Vec<f64> = layer
                    .iter()
                    .map(|place| {
                        let near: Vec<f64> = pieces
                            .iter()
                            .filter_map(|piece| match (piece.from == *place, piece.to == *place) {
                                (true, _) if !down || turn > 3 => Some(middle(&at, piece.to, places)),
                                (_, true) if down || turn > 3 => Some(middle(&at, piece.from, places)),
                                _ => None,
                            })
                            .collect();
                        let own = at.get(*place).copied().unwrap_or(0.0);
                        if near.is_empty() {
                            own
                        } else {
                            near.iter().sum::<f64>() / near.len() as f64
                                - places.get(*place).map_or(0.0, |place| place.breadth as f64 / 2.0)
                        }
                    })
                    .collect();
                // Left to right without overlap, then the row as a whole back by how far it was pushed
                let mut set: Vec<f64> = Vec::new();
                let mut next = f64::MIN;
                for (place, wanted) in layer.iter().zip(&wanted) {
                    let here = wanted.max(next);
                    set.push(here);
                    next = here + places.get(*place).map_or(0.0, |place| (place.breadth + gap) as f64);
                }
                let pushed: f64 = set.iter().zip(&wanted).map(|(set, wanted)| set - wanted).sum::<f64>()
                    / set.len().max(1) as f64;
                for (place, here) in layer.iter().zip(&set) {
                    if let Some(at) = at.get_mut(*place) {
                        *at = here - pushed;
                    }
                }
            }
        }
        let least = at.iter().copied().fold(f64::MAX, f64::min);
        for layer in layers.iter() {
            let mut next = 0;
            for place in layer {
                let wanted = (at.get(*place).copied().unwrap_or(0.0) - least).round() as usize + margin;
                if let Some(place) = places.get_mut(*place) {
                    place.across = wanted.max(next);
                    next = place.across + place.breadth + gap;
                }
            }
        }
    }

    /// Gives every rank its cells along the ranks; returns the size of the drawing (along, across).
    fn stretch(
        &self,
        places: &mut [Place],
        pieces: &[Piece],
        layers: &[Vec<usize>],
        tracks: &[usize],
        across: bool,
    ) -> (usize, usize) {
        let margin = if self.groups.is_empty() { 0 } else { 2 };
        let mut next = margin;
        for (rank, layer) in layers.iter().enumerate() {
            let length = layer
                .iter()
                .filter_map(|place| places.get(*place))
                .map(|place| place.length)
                .max()
                .unwrap_or(1);
            for place in layer {
                if let Some(place) = places.get_mut(*place) {
                    place.along = next + (length - place.length) / 2;
                    if place.node.is_none() {
                        place.along = next;
                        place.length = length;
                    }
                }
            }
            let labels =
                pieces.iter().filter(|piece| places.get(piece.from).is_some_and(|place| place.rank == rank));
            let longest = labels
                .filter_map(|piece| self.edges.get(piece.edge))
                .map(|edge| width(&edge.label))
                .max()
                .unwrap_or(0);
            let used = tracks.get(rank).copied().unwrap_or(0);
            let room = match (across, longest) {
                (true, 0) => 2 * used + 3,
                (true, longest) => 2 * used + longest.min(30) + 5,
                (false, 0) => used + 2,
                (false, _) => used + 4,
            };
            next += length + room + margin;
        }
        let end = places.iter().map(|place| place.along + place.length).max().unwrap_or(1) + margin;
        let side = places.iter().map(|place| place.across + place.breadth).max().unwrap_or(1)
            + if margin > 0 { 3 } else { 0 };
        (end, side)
    }

    fn paint(
        &self,
        places: &[Place],
        pieces: &[Piece],
        reversed: &[bool],
        size: (usize, usize),
        across: bool,
    ) -> Option<Drawing> {
        let cell = |along: usize, side: usize| if across { (along, side) } else { (side, along) };
        let (wide, high) = cell(size.0, size.1);
        // Titles of groups and labels may stand out to the right
        let mut canvas = Canvas::new(wide + 24, high + 1)?;
        let mut below: Vec<String> = Vec::new();
        self.paint_groups(places, &mut canvas, &mut below, across);
        let step = if across { 2 } else { 1 };
        let mut heads: Vec<((usize, usize), &str)> = Vec::new();
        let mut labels: Vec<(usize, usize, usize, usize)> = Vec::new();
        for piece in pieces {
            let (Some(from), Some(to), Some(edge)) =
                (places.get(piece.from), places.get(piece.to), self.edges.get(piece.edge))
            else {
                continue;
            };
            let start = from.along + from.length - usize::from(from.node.is_some());
            let stop = to.along;
            let (a, b) = (from.across + from.breadth / 2, to.across + to.breadth / 2);
            let rank_end = places
                .iter()
                .filter(|place| place.rank == from.rank)
                .map(|place| place.along + place.length)
                .max()
                .unwrap_or(start);
            let turn = (rank_end + piece.track * step + usize::from(across)).min(stop.saturating_sub(1));
            canvas.line(cell(start, a), cell(turn, a), edge.dashed);
            canvas.line(cell(turn, a), cell(turn, b), edge.dashed);
            canvas.line(cell(turn, b), cell(stop, b), edge.dashed);
            let turned = reversed.get(piece.edge).copied().unwrap_or(false);
            let (at_end, at_start) = if turned { (edge.tail, edge.head) } else { (edge.head, edge.tail) };
            if at_end && to.node.is_some() {
                heads.push((cell(stop.saturating_sub(1), b), if across { "▶" } else { "▼" }));
            }
            if at_start && from.node.is_some() {
                heads.push((cell(start + 1, a), if across { "◀" } else { "▲" }));
            }
            let first = from.node.is_some();
            let last = to.node.is_some();
            if !edge.label.is_empty() && (last || first) {
                labels.push((piece.edge, turn, stop, if last { b } else { usize::MAX }));
            }
        }
        for place in places {
            if let Some(node) = place.node {
                self.paint_node(node, cell(place.along, place.across), &mut canvas);
            }
        }
        for ((x, y), sign) in heads {
            canvas.text(x, y, sign);
        }
        let mut told = vec![false; self.edges.len()];
        for (edge, turn, stop, side) in labels {
            let Some(label) = self.edges.get(edge).map(|edge| edge.label.as_str()) else { continue };
            if side == usize::MAX || told.get(edge).copied().unwrap_or(true) {
                continue;
            }
            let cells = width(label);
            let placed = if across {
                let from = (turn + 1).max(stop.saturating_sub(cells + 2));
                let fits = from + cells < stop && canvas.is_free_over_horizontal(from, side, cells);
                if fits {
                    canvas.text(from, side, label);
                }
                fits
            } else {
                let x = side.saturating_sub(cells / 2);
                let row =
                    (turn + 1..stop.saturating_sub(1)).find(|y| canvas.is_free_over_vertical(x, *y, cells));
                if let Some(y) = row {
                    canvas.text(x, y, label);
                }
                row.is_some()
            };
            if placed && let Some(told) = told.get_mut(edge) {
                *told = true;
            }
        }
        for (at, edge) in self.edges.iter().enumerate() {
            let told = told.get(at).copied().unwrap_or(true);
            if (!told && !edge.label.is_empty()) || edge.from == edge.to {
                let arrow = if edge.head { "→" } else { "─" };
                let label = if edge.label.is_empty() { String::new() } else { format!(": {}", edge.label) };
                below.push(format!("{} {arrow} {}{label}", self.name(edge.from), self.name(edge.to)));
            }
        }
        Some(Drawing::new(canvas.rows(), below))
    }

    fn name(&self, node: usize) -> String {
        let rows = self.nodes.get(node).map_or(&[][..], |node| &node.rows);
        let words: Vec<&str> = rows
            .iter()
            .map_while(|row| if let Row::Text(text) = row { Some(text.as_str()) } else { None })
            .collect();
        words.join(" ")
    }

    fn paint_node(&self, node: usize, (x, y): (usize, usize), canvas: &mut Canvas) {
        let Some(one) = self.nodes.get(node) else { return };
        let (wide, high) = self.size(node);
        if one.bare {
            if let Some(Row::Text(text)) = one.rows.first() {
                canvas.text(x, y, text);
            }
            return;
        }
        // The inside covers the arrows that pass behind
        for row in 1..high.saturating_sub(1) {
            canvas.text(x + 1, y + row, &" ".repeat(wide.saturating_sub(2)));
        }
        canvas.frame(x, y, wide, high, false);
        let left = one.rows.contains(&Row::Rule);
        for (row, content) in one.rows.iter().enumerate() {
            match content {
                Row::Text(text) => {
                    let free = wide.saturating_sub(2 + width(text));
                    let from = if left && row > 0 { 1 } else { free / 2 };
                    canvas.text(x + 1 + from, y + 1 + row, text);
                }
                Row::Rule => {
                    canvas.text(x + 1, y + 1 + row, &"─".repeat(wide.saturating_sub(2)));
                    canvas.text(x, y + 1 + row, "├");
                    canvas.text(x + wide.saturating_sub(1), y + 1 + row, "┤");
                }
            }
        }
    }

    fn paint_groups(&self, places: &[Place], canvas: &mut Canvas, below: &mut Vec<String>, across: bool) {
        for (at, group) in self.groups.iter().enumerate() {
            let inside = |place: &&Place| place.node.is_some_and(|node| group.members.contains(&node));
            let left = places.iter().filter(inside).map(|place| place.across).min();
            let right = places.iter().filter(inside).map(|place| place.across + place.breadth).max();
            let top = places.iter().filter(inside).map(|place| place.along).min();
            let bottom = places.iter().filter(inside).map(|place| place.along + place.length).max();
            let (Some(left), Some(right), Some(top), Some(bottom)) = (left, right, top, bottom) else {
                continue;
            };
            let (left, right) = (left.saturating_sub(2), right + 1);
            let (top, bottom) = (top.saturating_sub(1), bottom);
            let stranger = places.iter().any(|place| {
                place.node.is_some_and(|node| !group.members.contains(&node))
                    && place.across <= right
                    && place.across + place.breadth > left
                    && place.along <= bottom
                    && place.along + place.length > top
            });
            if stranger {
                let names: Vec<String> = group.members.iter().map(|node| self.name(*node)).collect();
                below.push(format!("{}: {}", group.title, names.join(", ")));
                continue;
            }
            let (x, y, wide, high) = if across {
                (top, left, bottom - top + 1, right - left + 1)
            } else {
                (left, top, right - left + 1, bottom - top + 1)
            };
            canvas.frame(x, y, wide, high, true);
            let title = crate::model::text::cut(&group.title, wide.saturating_sub(2).max(8)).into_owned();
            canvas.text(x + 1, y, &title);
            if title != group.title {
                below.push(format!("{title} = {}", group.title));
            }
            let _ = at;
        }
    }
}

/// Orders the places of each rank by where their neighbours are.
fn order(places: &[Place], pieces: &[Piece]) -> Vec<Vec<usize>> {
    let count = places.iter().map(|place| place.rank + 1).max().unwrap_or(1);
    let mut layers: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, place) in places.iter().enumerate() {
        if let Some(layer) = layers.get_mut(place.rank) {
            layer.push(at);
        }
    }
    let mut position: Vec<f64> = vec![0.0; places.len()];
    let number = |layers: &[Vec<usize>], position: &mut Vec<f64>| {
        for layer in layers {
            for (n, place) in layer.iter().enumerate() {
                if let Some(position) = position.get_mut(*place) {
                    *position = n as f64;
                }
            }
        }
    };
    number(&layers, &mut position);
    for turn in 0..6 {
        let down = turn % 2 == 0;
        for step in 0..count {
            let rank = if down { step } else { count - 1 - step };
            let Some(layer) = layers.get_mut(rank) else { continue };
            let key = |place: usize| {
                let near: Vec<f64> = pieces
                    .iter()
                    .filter_map(|piece| match (down && piece.to == place, !down && piece.from == place) {
                        (true, _) => position.get(piece.from).copied(),
                        (_, true) => position.get(piece.to).copied(),
                        _ => None,
                    })
                    .collect();
                if near.is_empty() {
                    position.get(place).copied().unwrap_or(0.0)
                } else {
                    near.iter().sum::<f64>() / near.len() as f64
                }
            };
            let keys: Vec<(usize, f64, usize)> = layer
                .iter()
                .map(|place| (*place, key(*place), places.get(*place).map_or(0, |place| place.group)))
                .collect();
            // The boxes of a group stay together
            let of_group = |group: usize| {
                let all: Vec<f64> =
                    keys.iter().filter(|(_, _, other)| *other == group).map(|(_, key, _)| *key).collect();
                all.iter().sum::<f64>() / all.len().max(1) as f64
            };
            let mut sorted: Vec<(f64, usize, f64, usize)> = keys
                .iter()
                .map(|(place, key, group)| {
                    (if *group == 0 { *key } else { of_group(*group) }, *group, *key, *place)
                })
                .collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2)));
            *layer = sorted.into_iter().map(|(_, _, _, place)| place).collect();
            for (n, place) in layer.iter().enumerate() {
                if let Some(position) = position.get_mut(*place) {
                    *position = n as f64;
                }
            }
        }
    }
    number(&layers, &mut position);
    layers
}

/// Gives the pieces between two ranks tracks, so that their turns do not lie on each other; pieces from
/// one place share theirs. Returns the number of tracks after each rank.
fn tracks(places: &[Place], pieces: &mut [Piece], ranks: usize) -> Vec<usize> {
    let mut counts = Vec::with_capacity(ranks);
    for rank in 0..ranks {
        // (from place, span across) of each bundle
        let mut bundles: Vec<(usize, usize, usize)> = Vec::new();
        let middle = |place: usize| places.get(place).map_or(0, |place| place.across + place.breadth / 2);
        for piece in
            pieces.iter().filter(|piece| places.get(piece.from).is_some_and(|place| place.rank == rank))
        {
            let (a, b) = (middle(piece.from), middle(piece.to));
            let (low, high) = (a.min(b), a.max(b));
            match bundles.iter_mut().find(|(from, ..)| *from == piece.from) {
                Some((_, least, most)) => (*least, *most) = ((*least).min(low), (*most).max(high)),
                None => bundles.push((piece.from, low, high)),
            }
        }
        let mut used: Vec<Vec<(usize, usize)>> = Vec::new();
        for (from, low, high) in bundles {
            let free = used.iter().position(|track| {
                track.iter().all(|(other_low, other_high)| high + 1 < *other_low || low > other_high + 1)
            });
            let track = free.unwrap_or_else(|| {
                used.push(Vec::new());
                used.len() - 1
            });
            if let Some(track) = used.get_mut(track) {
                track.push((low, high));
            }
            for piece in pieces.iter_mut().filter(|piece| piece.from == from) {
                piece.track = track;
            }
        }
        counts.push(used.len());
    }
    counts
}
