//! The box form: where each node's box and each line stands on an unbounded canvas.
//!
//! The root is in the middle, what it needs in columns to the right, who needs it to the left. Boxes
//! of one side form a tidy tree: a node is centred on what hangs on it, so that lines of the tree never
//! cross. Other lines between neighbouring columns run in lanes of the gutter between them. What is
//! left (lines from one side to the other, too many lanes) is counted at the box and told for the
//! focused node. Made once for a scene and a size; drawing looks only at what is visible.

use super::scene::{Bond, Scene};
use crate::catalog::{Catalog, EntityId};
use crate::model::relation;
use crate::model::text::{cut, width};
use crate::ui::entity_lines::{kind_words, short_ref};
use rustc_hash::FxHashMap;

/// A box on the canvas, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Cells wide, border included.
    pub width: i32,
}

/// A line between two boxes: out of the one, along a lane, into the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    /// The bond it draws.
    pub bond: usize,
    /// First cell beside the near box, and its row.
    pub from: (i32, i32),
    /// Column of the lane.
    pub lane: i32,
    /// First cell beside the far box, and its row.
    pub to: (i32, i32),
}

/// Words on a line into a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// First cell.
    pub x: i32,
    /// Row.
    pub y: i32,
    /// The words.
    pub text: String,
}

/// A drawing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boxes {
    /// Place of each node.
    pub places: Vec<Place>,
    /// Rows of each box, borders included.
    pub height: i32,
    /// Lines.
    pub wires: Vec<Wire>,
    /// Relation names, where there is room.
    pub labels: Vec<Label>,
    /// Relations of each node that have no line.
    pub undrawn: Vec<usize>,
    /// Size of the canvas.
    pub size: (i32, i32),
}

/// Narrowest and widest box.
const MIN_BOX: i32 = 12;
const MAX_BOX: i32 = 30;
/// Widest box when the canvas is wider than the screen.
const TIGHT_BOX: i32 = 20;
/// Most lanes in a gutter; more lines than these are noise.
const MAX_LANES: usize = 6;
/// Most lanes for lines within one column.
const LEVEL_LANES: usize = 3;

/// A gutter between column `c` and the next one away from the root.
#[derive(Debug, Clone, Default)]
struct Gutter {
    lanes: usize,
    label: i32,
}

/// A bundle of lines that share a lane: all from one node into one gutter.
struct Net {
    gutter: i32,
    is_level: bool,
    bonds: Vec<usize>,
    span: (i32, i32),
    lane: Option<usize>,
}

/// Rows of a lane that are taken, from top to bottom.
#[derive(Debug, Default)]
struct Lane(Vec<(i32, i32)>);

impl Lane {
    fn is_free(&self, span: (i32, i32)) -> bool {
        let at = self.0.partition_point(|taken| taken.1 < span.0);
        self.0.get(at).is_none_or(|taken| span.1 < taken.0)
    }

    fn take(&mut self, span: (i32, i32)) {
        let at = self.0.partition_point(|taken| taken.1 < span.0);
        self.0.insert(at, span);
    }
}

impl Boxes {
    /// Lays a scene out for a region of this size.
    pub fn lay_out(catalog: &Catalog, scene: &Scene, area: (u16, u16)) -> Self {
        let mut boxes = Self { places: vec![Place::default(); scene.nodes.len()], ..Self::default() };
        if scene.nodes.is_empty() {
            return boxes;
        }
        let below = children(scene);
        let leaves = |right: bool| {
            let is_leaf = |at: usize| below.get(at).is_none_or(Vec::is_empty);
            scene.nodes.iter().enumerate().filter(|(at, n)| (n.column > 0) == right && is_leaf(*at)).count()
        };
        let tallest = leaves(true).max(leaves(false).saturating_sub(1)).max(1) as i32;
        boxes.height = if tallest * 4 <= i32::from(area.1) { 4 } else { 3 };
        boxes.stack(scene, &below);
        let names: Vec<i32> = scene.nodes.iter().map(|node| box_width(catalog, node.id)).collect();
        // lines within a column go first when there is no room, then long names, then relation names
        let tries = [
            (true, true, MAX_BOX),
            (false, true, MAX_BOX),
            (false, true, TIGHT_BOX),
            (false, false, TIGHT_BOX),
        ];
        for (with_level, with_labels, widest) in tries {
            boxes.connect(scene, &names, with_level, with_labels, widest);
            if boxes.size.0 <= i32::from(area.0) {
                break;
            }
        }
        boxes
    }

    /// Places columns and lines with or without what takes room.
    fn connect(&mut self, scene: &Scene, names: &[i32], with_level: bool, with_labels: bool, widest: i32) {
        self.wires.clear();
        self.labels.clear();
        self.undrawn = vec![0; scene.nodes.len()];
        let mut nets = self.nets(scene, with_level);
        let mut gutters = self.lanes(scene, &mut nets);
        for net in nets.iter().filter(|net| with_labels && net.lane.is_some() && !net.is_level) {
            for bond in &net.bonds {
                let words = width(&label_of(scene, *bond)) as i32;
                let gutter = gutters.entry(net.gutter).or_default();
                gutter.label = gutter.label.max(words + 2).min(18);
            }
        }
        let mut widths: FxHashMap<i32, i32> = FxHashMap::default();
        for (node, cells) in scene.nodes.iter().zip(names) {
            let entry = widths.entry(node.column).or_default();
            *entry = (*cells).clamp(MIN_BOX, widest).max(*entry);
        }
        let columns = Columns::new(&widths, &gutters);
        for (node, place) in scene.nodes.iter().zip(&mut self.places) {
            place.x = columns.x.get(&node.column).copied().unwrap_or(0);
            place.width = widths.get(&node.column).copied().unwrap_or(MIN_BOX);
        }
        self.size.0 = columns.total;
        self.wire(scene, &nets, &columns, &gutters);
    }

    /// Row of the cells beside a box where lines meet it.
    pub fn pin(&self, node: usize) -> i32 {
        self.places.get(node).map_or(0, |place| place.y) + 1
    }

    /// Gives every box its row: leaves one below the other, the others centred on what hangs on them.
    fn stack(&mut self, scene: &Scene, below: &[Vec<usize>]) {
        let mut roots = [0, 0];
        let mut bottoms = [0, 0];
        for (side, is_right) in [(0, false), (1, true)] {
            let first: Vec<usize> = below.first().map_or(Vec::new(), |list| {
                let column = |at: &usize| scene.nodes.get(*at).map_or(0, |node| node.column);
                list.iter().copied().filter(|at| (column(at) > 0) == is_right).collect()
            });
            let mut next = 0;
            let rows: Vec<i32> = first.iter().map(|at| self.stack_below(below, *at, &mut next)).collect();
            let middle = rows.first().zip(rows.last()).map_or(0, |(a, b)| i32::midpoint(*a, *b));
            if let (Some(root), Some(bottom)) = (roots.get_mut(side), bottoms.get_mut(side)) {
                *root = middle;
                *bottom = next;
            }
        }
        let [left, right] = roots;
        let root = left.max(right);
        let (down_left, down_right) = (root - left, root - right);
        for (node, place) in scene.nodes.iter().zip(&mut self.places) {
            place.y += match node.column {
                0 => root,
                ..0 => down_left,
                _ => down_right,
            };
        }
        let [bottom_left, bottom_right] = bottoms;
        self.size.1 = (bottom_left + down_left).max(bottom_right + down_right).max(root + self.height);
    }

    /// Depth is bounded by the request, so that this recursion is too.
    fn stack_below(&mut self, below: &[Vec<usize>], node: usize, next: &mut i32) -> i32 {
        let list = below.get(node).map_or(&[][..], Vec::as_slice);
        let rows: Vec<i32> = list.iter().map(|child| self.stack_below(below, *child, next)).collect();
        let row = if let (Some(first), Some(last)) = (rows.first(), rows.last()) {
            i32::midpoint(*first, *last)
        } else {
            *next += self.height;
            *next - self.height
        };
        if let Some(place) = self.places.get_mut(node) {
            place.y = row;
        }
        row
    }

    /// Bundles the lines by near node and gutter.
    fn nets(&mut self, scene: &Scene, with_level: bool) -> Vec<Net> {
        let mut nets: Vec<Net> = Vec::new();
        let mut known: FxHashMap<(usize, i32, bool), usize> = FxHashMap::default();
        let mut degrees: FxHashMap<usize, usize> = FxHashMap::default();
        for bond in scene.bonds.iter().filter(|bond| gutter_of(scene, bond).is_some_and(|(_, level)| level)) {
            *degrees.entry(bond.near).or_default() += 1;
            *degrees.entry(bond.far).or_default() += 1;
        }
        for (at, bond) in scene.bonds.iter().enumerate() {
            let gutter = gutter_of(scene, bond).filter(|(_, is_level)| with_level || !is_level);
            let Some((gutter, is_level)) = gutter else {
                self.leave_out(bond);
                continue;
            };
            let (near, far) = (self.pin(bond.near), self.pin(bond.far));
            // within a column the busier end holds the bundle, so that a hub has one lane
            let is_far_busier = is_level && degrees.get(&bond.far) > degrees.get(&bond.near);
            let holder = if is_far_busier { bond.far } else { bond.near };
            let net = *known.entry((holder, gutter, is_level)).or_insert_with(|| {
                nets.push(Net { gutter, is_level, bonds: Vec::new(), span: (near, near), lane: None });
                nets.len() - 1
            });
            if let Some(net) = nets.get_mut(net) {
                net.bonds.push(at);
                net.span = (net.span.0.min(near).min(far), net.span.1.max(near).max(far));
            }
        }
        nets
    }

    fn leave_out(&mut self, bond: &Bond) {
        for end in [bond.near, bond.far] {
            if let Some(count) = self.undrawn.get_mut(end) {
                *count += 1;
            }
        }
    }

    /// Gives each bundle a lane of its gutter that no other bundle uses at the same rows.
    fn lanes(&mut self, scene: &Scene, nets: &mut [Net]) -> FxHashMap<i32, Gutter> {
        let mut order: Vec<(bool, &mut Net)> = nets
            .iter_mut()
            .map(|net| {
                let mut bonds = net.bonds.iter().filter_map(|bond| scene.bonds.get(*bond));
                (bonds.any(|bond| scene.is_tree(bond)), net)
            })
            .collect();
        // lines of the tree first: they must be seen
        order.sort_by_key(|(is_tree, net)| (!is_tree, net.gutter, net.span));
        let mut used: FxHashMap<(i32, usize), Lane> = FxHashMap::default();
        let mut gutters: FxHashMap<i32, Gutter> = FxHashMap::default();
        for (is_tree, net) in order {
            let is_free =
                |lane: &usize| used.get(&(net.gutter, *lane)).is_none_or(|lane| lane.is_free(net.span));
            let lanes = if net.is_level { LEVEL_LANES } else { MAX_LANES };
            net.lane = (0..lanes).find(is_free).or_else(|| is_tree.then_some(0));
            match net.lane {
                Some(lane) => {
                    used.entry((net.gutter, lane)).or_default().take(net.span);
                    let gutter = gutters.entry(net.gutter).or_default();
                    gutter.lanes = gutter.lanes.max(lane + 1);
                }
                None => {
                    net.bonds
                        .iter()
                        .filter_map(|bond| scene.bonds.get(*bond))
                        .for_each(|bond| self.leave_out(bond));
                }
            }
        }
        gutters
    }

    fn wire(&mut self, scene: &Scene, nets: &[Net], columns: &Columns, gutters: &FxHashMap<i32, Gutter>) {
        let mut labels: FxHashMap<(i32, usize), (String, i32)> = FxHashMap::default();
        for net in nets {
            let Some(lane) = net.lane else { continue };
            let is_right = net.gutter > 0;
            let gutter = gutters.get(&net.gutter).cloned().unwrap_or_default();
            let start = columns.gutters.get(&net.gutter).copied().unwrap_or(0);
            let length = gutter_width(&gutter);
            let step = 1 + 2 * lane as i32;
            let lane_x = if is_right { start + step } else { start + length - 1 - step };
            for at in &net.bonds {
                let Some(bond) = scene.bonds.get(*at) else { continue };
                let near_x = if is_right { start } else { start + length - 1 };
                let is_level = gutter_of(scene, bond).is_some_and(|(_, level)| level);
                let far_x = if is_level == is_right { start } else { start + length - 1 };
                self.wires.push(Wire {
                    bond: *at,
                    from: (near_x, self.pin(bond.near)),
                    lane: lane_x,
                    to: (far_x, self.pin(bond.far)),
                });
                if gutter.label > 0 && !is_level {
                    let words = label_of(scene, *at);
                    let entry = labels.entry((net.gutter, bond.far)).or_insert((words.clone(), 0));
                    entry.1 += i32::from(entry.0 != words);
                }
            }
        }
        for ((gutter, node), (words, others)) in labels {
            let size = gutters.get(&gutter).cloned().unwrap_or_default();
            let start = columns.gutters.get(&gutter).copied().unwrap_or(0);
            let text = if others > 0 { format!("{words} +{others}") } else { words };
            let text = format!(" {} ", cut(&text, (size.label - 2).max(0) as usize));
            let cells = width(&text) as i32;
            // right behind the lanes or right in front of them, with a piece of line on both sides
            let x = if gutter > 0 {
                start + 2 * size.lanes as i32 + 1
            } else {
                start + gutter_width(&size) - 2 * size.lanes as i32 - 1 - cells
            };
            self.labels.push(Label { x, y: self.pin(node), text });
        }
        self.labels.sort_unstable_by_key(|label| (label.y, label.x));
    }

    /// Returns the node whose box covers a cell of the canvas.
    pub fn node_at(&self, x: i32, y: i32) -> Option<usize> {
        self.places.iter().position(|place| {
            (place.x..place.x + place.width).contains(&x) && (place.y..place.y + self.height).contains(&y)
        })
    }

    /// Returns the node of the same column that is `by` places further down.
    pub fn step(&self, scene: &Scene, node: usize, by: isize) -> Option<usize> {
        let column = scene.nodes.get(node)?.column;
        let mut same: Vec<usize> = (0..scene.nodes.len())
            .filter(|at| scene.nodes.get(*at).is_some_and(|n| n.column == column))
            .collect();
        same.sort_unstable_by_key(|at| self.pin(*at));
        let at = same.iter().position(|other| *other == node)?;
        let next = at.saturating_add_signed(by).min(same.len().saturating_sub(1));
        same.get(next).copied()
    }

    /// Returns the node one column to the left or right that hangs together with this one: towards
    /// the root the one it hangs on, away from it the nearest.
    pub fn across(&self, scene: &Scene, node: usize, by: i32) -> Option<usize> {
        let here = *scene.nodes.get(node)?;
        if here.column != 0 && here.column.signum() != by.signum() {
            return Some(here.parent);
        }
        let row = self.pin(node);
        scene
            .bonds_of(node)
            .map(|(_, bond)| if bond.near == node { bond.far } else { bond.near })
            .filter(|other| scene.nodes.get(*other).is_some_and(|n| n.column == here.column + by))
            .min_by_key(|other| ((self.pin(*other) - row).abs(), self.pin(*other)))
    }
}

/// Returns the cells that name, kind and problems of a box want, border included.
fn box_width(catalog: &Catalog, id: EntityId) -> i32 {
    let name = width(&short_ref(catalog.ref_of(id))) + 5;
    let Some(entity) = catalog.entity(id) else { return (name + 2) as i32 };
    let problems = if entity.is_invalid() || entity.has_warnings() { 4 } else { 0 };
    let owner = entity.owner().map_or(0, |owner| width(&short_ref(catalog.ref_of(owner))) + 3);
    (name + problems).max(width(&kind_words(&entity)) + owner + 4) as i32
}

/// Returns the words on a line: always read in the direction of its arrow.
fn label_of(scene: &Scene, bond: usize) -> String {
    let said = scene.bonds.get(bond).map_or(&[][..], |bond| bond.said.as_slice());
    let mut words: Vec<String> = said.iter().map(|said| relation::words(&said.relation)).collect();
    words.dedup();
    words.join(", ")
}

/// Left edges of columns and gutters.
struct Columns {
    x: FxHashMap<i32, i32>,
    gutters: FxHashMap<i32, i32>,
    total: i32,
}

impl Columns {
    fn new(widths: &FxHashMap<i32, i32>, gutters: &FxHashMap<i32, Gutter>) -> Self {
        let mut columns = Self { x: FxHashMap::default(), gutters: FxHashMap::default(), total: 0 };
        let first = widths.keys().copied().min().unwrap_or(0);
        let last = widths.keys().copied().max().unwrap_or(0);
        for column in first..=last {
            // the gutter of a column to the left of the root stands before it on its far side
            if column <= 0 {
                columns.add_gutter(column - 1, gutters);
            }
            columns.x.insert(column, columns.total);
            columns.total += widths.get(&column).copied().unwrap_or(MIN_BOX);
            if column >= 0 {
                columns.add_gutter(column + 1, gutters);
            }
        }
        columns
    }

    fn add_gutter(&mut self, gutter: i32, gutters: &FxHashMap<i32, Gutter>) {
        self.gutters.insert(gutter, self.total);
        if let Some(size) = gutters.get(&gutter) {
            self.total += gutter_width(size);
        }
    }
}

fn gutter_width(gutter: &Gutter) -> i32 {
    2 * gutter.lanes as i32 + 2 + if gutter.label > 0 { gutter.label + 1 } else { 0 }
}

/// Returns the gutter a bond runs in, named after the column on its far side, and whether both ends
/// are in one column; `None` when it would have to cross a column.
fn gutter_of(scene: &Scene, bond: &Bond) -> Option<(i32, bool)> {
    let near = scene.nodes.get(bond.near)?.column;
    let far = scene.nodes.get(bond.far)?.column;
    match (near, far) {
        (0, 0) => None,
        (a, b) if a == b => Some((a + a.signum(), true)),
        (a, b) if b.abs() == a.abs() + 1 && (a == 0 || a.signum() == b.signum()) => Some((b, false)),
        _ => None,
    }
}

/// Returns what hangs on each node, in the order of the tree.
fn children(scene: &Scene) -> Vec<Vec<usize>> {
    scene
        .branches
        .iter()
        .map(|list| list.iter().filter(|branch| !branch.is_repeated).map(|branch| branch.to).collect())
        .collect()
}
