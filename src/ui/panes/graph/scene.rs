//! The part of the graph that is drawn: nodes by distance, each pair of neighbours once.
//!
//! Tree and boxes are two drawings of one [`Scene`], so that they carry the same facts: a row or a
//! line for every pair of nodes that hang together.

use crate::catalog::graph::{GraphOptions, neighbourhood};
use crate::catalog::{Catalog, EntityId};
use crate::model::relation;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;

/// Relations in the order in which a tree lists them, read from the upper node: first where it
/// belongs, then what it needs and has, then who needs it.
const ORDER: &[&str] = &[
    "partOf",
    "childOf",
    "memberOf",
    "ownedBy",
    "dependsOn",
    "consumesApi",
    "providesApi",
    "hasPart",
    "parentOf",
    "hasMember",
    "ownerOf",
    "dependencyOf",
    "apiConsumedBy",
    "apiProvidedBy",
    "scaffoldedFrom",
    "scaffolderOf",
];

/// Relations whose target stands to the right: what something needs and what it is made of. Their
/// opposites (who needs it, where it belongs) stand to the left.
const RIGHTWARD: &[&str] = &[
    "dependsOn",
    "consumesApi",
    "providesApi",
    "hasPart",
    "parentOf",
    "hasMember",
    "ownerOf",
    "scaffolderOf",
];

/// A node with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SceneNode {
    /// Which.
    pub id: EntityId,
    /// Neighbours that are not drawn because of depth or limit.
    pub hidden: u32,
    /// The node nearer to the root that it hangs on; the root hangs on itself.
    pub parent: usize,
    /// Steps from the root, negative to the left.
    pub column: i32,
}

/// One relation between two nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its type, read forward where it has a direction.
    pub relation: String,
    /// Whether it reads from the near node to the far one.
    pub is_outward: bool,
}

/// All relations between two nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bond {
    /// The node nearer to the root, or the first of two at the same distance.
    pub near: usize,
    /// The other.
    pub far: usize,
    /// What is said, at least one.
    pub said: Vec<Said>,
}

/// What hangs below a node in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch {
    /// The bond that leads there.
    pub bond: usize,
    /// The node at its end.
    pub to: usize,
    /// It is drawn elsewhere, above this row; here it is only named.
    pub is_repeated: bool,
}

/// Nodes and bonds around a root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scene {
    /// The root first, then by distance.
    pub nodes: Vec<SceneNode>,
    /// Each pair of neighbours once.
    pub bonds: Vec<Bond>,
    /// What hangs below each node, in the order it is shown.
    pub branches: Vec<Vec<Branch>>,
    /// Nodes in the order of the tree's rows.
    pub preorder: Vec<usize>,
    /// Number of relations.
    pub relations: usize,
    /// Nodes that the limit kept out.
    pub cut: usize,
}

impl Scene {
    /// Collects what is around a root.
    pub fn build(catalog: &Catalog, root: EntityId, options: &GraphOptions) -> Self {
        let found = neighbourhood(catalog, root, options);
        let at: FxHashMap<EntityId, usize> =
            found.nodes.iter().enumerate().map(|(at, n)| (n.id, at)).collect();
        let mut scene = Self { relations: found.edges.len(), cut: found.cut, ..Self::default() };
        let mut pairs: FxHashMap<(usize, usize), usize> = FxHashMap::default();
        for edge in found.edges {
            let (Some(from), Some(to)) = (at.get(&edge.from), at.get(&edge.to)) else { continue };
            let (near, far) = (*from.min(to), *from.max(to));
            let bond = *pairs.entry((near, far)).or_insert_with(|| {
                scene.bonds.push(Bond { near, far, said: Vec::new() });
                scene.bonds.len() - 1
            });
            if let Some(bond) = scene.bonds.get_mut(bond) {
                bond.said.push(Said { relation: edge.relation, is_outward: *from == near });
            }
        }
        scene.bonds.sort_unstable_by_key(|bond| (bond.near, bond.far));
        let depths: Vec<u32> = found.nodes.iter().map(|node| node.depth).collect();
        scene.nodes = found
            .nodes
            .iter()
            .map(|node| SceneNode { id: node.id, hidden: node.hidden, parent: 0, column: 0 })
            .collect();
        scene.place(&depths);
        scene.grow(catalog);
        scene
    }

    /// Gives each node the nearest node it hangs on, and its side.
    fn place(&mut self, depths: &[u32]) {
        let depth = |at: usize| depths.get(at).copied().unwrap_or(0);
        let mut placed: FxHashSet<usize> = FxHashSet::from_iter([0]);
        // bonds come sorted by their near end, so that the nearest node is met first
        for bond in &self.bonds {
            if depth(bond.far) != depth(bond.near) + 1 || !placed.insert(bond.far) {
                continue;
            }
            let side = match self.nodes.get(bond.near).map_or(0, |node| node.column).signum() {
                0 if bond.said.iter().any(|said| is_rightward(&seen_from(said, true))) => 1,
                0 => -1,
                side => side,
            };
            if let Some(node) = self.nodes.get_mut(bond.far) {
                node.parent = bond.near;
                node.column = side * depth(bond.far) as i32;
            }
        }
    }

    /// Orders what hangs below each node; bonds beside the tree are named at the end that comes later.
    fn grow(&mut self, catalog: &Catalog) {
        let mut branches: Vec<Vec<Branch>> = vec![Vec::new(); self.nodes.len()];
        for (at, bond) in self.bonds.iter().enumerate().filter(|(_, bond)| self.is_tree(bond)) {
            if let Some(list) = branches.get_mut(bond.near) {
                list.push(Branch { bond: at, to: bond.far, is_repeated: false });
            }
        }
        self.sort(catalog, &mut branches);
        let order = preorder(&branches);
        let mut position = vec![0; self.nodes.len()];
        for (at, node) in order.iter().enumerate() {
            if let Some(slot) = position.get_mut(*node) {
                *slot = at;
            }
        }
        for (at, bond) in self.bonds.iter().enumerate().filter(|(_, bond)| !self.is_tree(bond)) {
            let is_near_later = position.get(bond.near) > position.get(bond.far);
            let (later, earlier) = if is_near_later { (bond.near, bond.far) } else { (bond.far, bond.near) };
            if let Some(list) = branches.get_mut(later) {
                list.push(Branch { bond: at, to: earlier, is_repeated: true });
            }
        }
        self.sort(catalog, &mut branches);
        self.branches = branches;
        self.preorder = order;
    }

    /// Returns whether the far node hangs on the near one.
    pub fn is_tree(&self, bond: &Bond) -> bool {
        bond.near != bond.far && self.nodes.get(bond.far).is_some_and(|far| far.parent == bond.near)
    }

    fn sort(&self, catalog: &Catalog, branches: &mut [Vec<Branch>]) {
        for (node, list) in branches.iter_mut().enumerate() {
            list.sort_by_cached_key(|branch| {
                let rank = self.bonds.get(branch.bond).map_or(usize::MAX, |bond| {
                    let is_near = bond.near == node;
                    bond.said.iter().map(|said| rank(&seen_from(said, is_near))).min().unwrap_or(usize::MAX)
                });
                let id = self.nodes.get(branch.to).map_or(EntityId(0), |node| node.id);
                (rank, catalog.ref_of(id))
            });
        }
    }

    /// Returns what is said between two nodes in words, read from `node`.
    pub fn words(&self, bond: usize, node: usize) -> String {
        let Some(bond) = self.bonds.get(bond) else { return String::new() };
        let mut types: Vec<Cow<'_, str>> =
            bond.said.iter().map(|said| seen_from(said, bond.near == node)).collect();
        types.sort_by_key(|said| rank(said));
        let words: Vec<String> = types.iter().map(|said| relation::words(said)).collect();
        words.join(", ")
    }

    /// Returns the bonds of a node.
    pub fn bonds_of(&self, node: usize) -> impl Iterator<Item = (usize, &Bond)> {
        self.bonds.iter().enumerate().filter(move |(_, bond)| bond.near == node || bond.far == node)
    }

    /// Returns the distinct neighbours that are not drawn, at most as many as the nodes name.
    pub fn hidden(&self) -> u32 {
        self.nodes.iter().map(|node| node.hidden).sum()
    }
}

fn preorder(branches: &[Vec<Branch>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(branches.len());
    let mut stack = if branches.is_empty() { Vec::new() } else { vec![0] };
    while let Some(node) = stack.pop() {
        order.push(node);
        let below = branches.get(node).map_or(&[][..], Vec::as_slice);
        stack.extend(below.iter().rev().map(|branch| branch.to));
    }
    order
}

/// Returns a relation's type as read from the near or the far end.
fn seen_from(said: &Said, is_near: bool) -> Cow<'_, str> {
    if said.is_outward == is_near {
        return Cow::Borrowed(&said.relation);
    }
    match relation::reverse(&said.relation) {
        Some(back) => Cow::Borrowed(back),
        None => Cow::Owned(format!("{} (from)", said.relation)),
    }
}

fn is_rightward(relation: &str) -> bool {
    RIGHTWARD.contains(&relation) || relation::reverse(relation).is_none()
}

/// Returns the place of a relation among those that are listed together.
pub fn rank(relation: &str) -> usize {
    ORDER.iter().position(|known| *known == relation).unwrap_or(ORDER.len())
}
