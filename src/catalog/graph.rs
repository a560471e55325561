//! Questions about the graph: what is near, what breaks, how two things hang together, what is circular.
//!
//! Start at [`neighbourhood`], [`impact`], [`shortest_path`], [`cycles`] and [`tree`]. All are pure
//! functions of a snapshot, bounded by a limit, and give the same answer for the same snapshot.
//! Drawing and text forms are elsewhere (`graph_export`).

use super::snapshot::{Catalog, EntityId};
use crate::model::relation;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// Which relations are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Direction {
    /// What the entity says of itself: `dependsOn`, `ownedBy`, `partOf`, …
    Out,
    /// What others say of it: `dependencyOf`, `ownerOf`, `hasPart`, …
    In,
    /// Both.
    #[default]
    Both,
}

impl Direction {
    /// Reads `out`, `in` or `both`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "out" => Some(Self::Out),
            "in" => Some(Self::In),
            "both" => Some(Self::Both),
            _ => None,
        }
    }

    fn allows(self, relation: &str) -> bool {
        match self {
            Self::Both => true,
            Self::Out => relation::is_forward(relation) || relation::reverse(relation).is_none(),
            Self::In => !relation::is_forward(relation) && relation::reverse(relation).is_some(),
        }
    }
}

/// What [`neighbourhood`] follows and where it stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphOptions {
    /// Steps away from the root.
    pub depth: u32,
    /// Which way.
    pub direction: Direction,
    /// Relation types to follow, in either spelling of a pair; empty: all.
    pub relations: Vec<String>,
    /// Most nodes in the answer.
    pub limit: usize,
}

impl Default for GraphOptions {
    fn default() -> Self {
        Self { depth: 1, direction: Direction::Both, relations: Vec::new(), limit: 500 }
    }
}

impl GraphOptions {
    fn allows(&self, relation_type: &str) -> bool {
        self.direction.allows(relation_type)
            && (self.relations.is_empty()
                || self.relations.iter().any(|wanted| same_pair(wanted, relation_type)))
    }
}

fn same_pair(wanted: &str, relation_type: &str) -> bool {
    wanted.eq_ignore_ascii_case(relation_type)
        || relation::reverse(relation_type).is_some_and(|back| back.eq_ignore_ascii_case(wanted))
}

/// An entity (or dangling ref) of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// Which.
    pub id: EntityId,
    /// Steps from the root.
    pub depth: u32,
    /// Allowed neighbours that are not in the answer because of depth or limit.
    pub hidden: u32,
}

/// A relation of an answer, named in its forward direction where it has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// Who says it.
    pub from: EntityId,
    /// Of whom.
    pub to: EntityId,
    /// `dependsOn`, `ownedBy`, …
    pub relation: String,
}

impl Edge {
    /// Creates an edge as seen from `from`, turned so that the relation reads forward.
    fn forward(from: EntityId, relation_type: &str, to: EntityId) -> Self {
        match relation::reverse(relation_type) {
            Some(back) if !relation::is_forward(relation_type) => {
                Self { from: to, to: from, relation: back.to_owned() }
            }
            _ => Self { from, to, relation: relation_type.to_owned() },
        }
    }
}

/// A part of the graph around a root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Neighbourhood {
    /// Nodes by depth, then ref; the root first.
    pub nodes: Vec<Node>,
    /// Relations between these nodes, sorted, each once.
    pub edges: Vec<Edge>,
    /// Nodes within the depth that the limit kept out.
    pub cut: usize,
}

/// Returns what is at most `options.depth` steps from `root`.
pub fn neighbourhood(catalog: &Catalog, root: EntityId, options: &GraphOptions) -> Neighbourhood {
    let mut seen: FxHashMap<EntityId, u32> = FxHashMap::default();
    let mut order = vec![root];
    let mut cut: FxHashSet<EntityId> = FxHashSet::default();
    let mut level = vec![root];
    seen.insert(root, 0);
    for depth in 1..=options.depth {
        let mut next = Vec::new();
        for id in &level {
            for relation in catalog.relations(*id).filter(|r| options.allows(r.relation)) {
                if seen.contains_key(&relation.target) {
                    continue;
                }
                if order.len() + next.len() >= options.limit {
                    cut.insert(relation.target);
                    continue;
                }
                seen.insert(relation.target, depth);
                next.push(relation.target);
            }
        }
        if next.is_empty() {
            break;
        }
        next.sort_unstable_by_key(|id| catalog.ref_of(*id));
        order.extend(&next);
        level = next;
    }
    let mut edges = FxHashSet::default();
    let mut nodes = Vec::with_capacity(order.len());
    for id in order {
        let mut hidden = FxHashSet::default();
        for relation in catalog.relations(id).filter(|r| options.allows(r.relation)) {
            if seen.contains_key(&relation.target) {
                edges.insert(Edge::forward(id, relation.relation, relation.target));
            } else {
                hidden.insert(relation.target);
            }
        }
        let depth = seen.get(&id).copied().unwrap_or(0);
        nodes.push(Node { id, depth, hidden: hidden.len() as u32 });
    }
    let mut edges: Vec<Edge> = edges.into_iter().collect();
    edges.sort_unstable();
    Neighbourhood { nodes, edges, cut: cut.len() }
}

/// One thing that is touched when the root breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impacted {
    /// Which.
    pub id: EntityId,
    /// Steps from the root.
    pub depth: u32,
    /// The relation that carries the damage here: from this entity to the one nearer to the root.
    pub via: Edge,
}

/// What a failure of the root touches, and who must know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Impact {
    /// Everything touched, by depth, then ref; without the root.
    pub entities: Vec<Impacted>,
    /// Owners of the touched entities with how many they own, most first; the root's owner included.
    pub owners: Vec<(EntityId, usize)>,
    /// Touched entities without an owner.
    pub unowned: usize,
}

/// Relations that carry damage from an entity to the other end: things that depend on it, the APIs it
/// provides and their consumers, and the things it is made up of.
const DAMAGE: &[&str] = &["dependencyOf", "providesApi", "apiConsumedBy", "hasPart"];

/// Returns everything that transitively depends on `root`.
///
/// Damage runs along `dependencyOf`, from a component to the APIs it provides, from an API to its
/// consumers, and from a system or domain down to its parts. It does not climb from a part to its
/// system: a broken library does not break every neighbour of it.
pub fn impact(catalog: &Catalog, root: EntityId) -> Impact {
    let mut seen: FxHashSet<EntityId> = FxHashSet::default();
    seen.insert(root);
    let mut queue = VecDeque::from([(root, 0)]);
    let mut entities = Vec::new();
    while let Some((id, depth)) = queue.pop_front() {
        for relation in catalog.relations(id).filter(|r| DAMAGE.contains(&r.relation)) {
            if seen.insert(relation.target) {
                let via = Edge::forward(id, relation.relation, relation.target);
                entities.push(Impacted { id: relation.target, depth: depth + 1, via });
                queue.push_back((relation.target, depth + 1));
            }
        }
    }
    entities.sort_unstable_by_key(|item| (item.depth, catalog.ref_of(item.id)));
    let mut counts: FxHashMap<EntityId, usize> = FxHashMap::default();
    let mut unowned = 0;
    for item in &entities {
        match catalog.entity(item.id).map(|entity| entity.owner()) {
            Some(Some(owner)) => *counts.entry(owner).or_default() += 1,
            Some(None) => unowned += 1,
            None => {}
        }
    }
    if let Some(owner) = catalog.entity(root).and_then(|entity| entity.owner()) {
        counts.entry(owner).or_default();
    }
    let mut owners: Vec<_> = counts.into_iter().collect();
    owners.sort_unstable_by_key(|(owner, count)| (std::cmp::Reverse(*count), catalog.ref_of(*owner)));
    Impact { entities, owners, unowned }
}

/// Returns a shortest chain of relations from one entity to another, in either direction of each
/// relation; `None` if they do not hang together. Empty when both are the same.
///
/// Each step names its relation as seen from the nearer end to `from`. Owners connect nearly
/// everything, so that relations of ownership and membership are used only if there is no other chain.
pub fn shortest_path(catalog: &Catalog, from: EntityId, to: EntityId) -> Option<Vec<Edge>> {
    const SOCIAL: &[&str] = &["ownedBy", "ownerOf", "memberOf", "hasMember", "childOf", "parentOf"];
    search_path(catalog, from, to, |r| !SOCIAL.contains(&r))
        .or_else(|| search_path(catalog, from, to, |_| true))
}

fn search_path(
    catalog: &Catalog,
    from: EntityId,
    to: EntityId,
    allowed: impl Fn(&str) -> bool,
) -> Option<Vec<Edge>> {
    let mut before: FxHashMap<EntityId, Edge> = FxHashMap::default();
    let mut queue = VecDeque::from([from]);
    while let Some(id) = queue.pop_front() {
        if id == to {
            break;
        }
        for relation in catalog.relations(id).filter(|r| allowed(r.relation)) {
            if relation.target != from && !before.contains_key(&relation.target) {
                let edge = Edge { from: id, to: relation.target, relation: relation.relation.to_owned() };
                before.insert(relation.target, edge);
                queue.push_back(relation.target);
            }
        }
    }
    let mut steps = Vec::new();
    let mut at = to;
    while at != from {
        let edge = before.get(&at)?;
        steps.push(edge.clone());
        at = edge.from;
    }
    steps.reverse();
    Some(steps)
}

/// Returns groups of entities that depend on each other in a circle, largest first, each sorted by ref.
///
/// Counted are `dependsOn`, and consuming an API as depending on whoever provides it.
pub fn cycles(catalog: &Catalog) -> Vec<Vec<EntityId>> {
    let mut graph = petgraph::graph::DiGraph::<EntityId, ()>::with_capacity(catalog.node_count(), 0);
    for id in 0..catalog.node_count() as u32 {
        graph.add_node(EntityId(id));
    }
    let node = |id: EntityId| petgraph::graph::NodeIndex::new(id.0 as usize);
    let mut selves = FxHashSet::default();
    for id in catalog.ids() {
        for target in dependencies(catalog, id) {
            if target == id {
                selves.insert(id);
            }
            graph.add_edge(node(id), node(target), ());
        }
    }
    let mut found: Vec<Vec<EntityId>> = petgraph::algo::tarjan_scc(&graph)
        .into_iter()
        .map(|part| part.into_iter().filter_map(|n| graph.node_weight(n).copied()).collect::<Vec<_>>())
        .filter(|part| part.len() > 1 || part.first().is_some_and(|id| selves.contains(id)))
        .collect();
    for part in &mut found {
        part.sort_unstable();
    }
    found.sort_unstable_by_key(|part| (std::cmp::Reverse(part.len()), part.first().copied()));
    found
}

fn dependencies(catalog: &Catalog, id: EntityId) -> Vec<EntityId> {
    let mut out = Vec::new();
    for relation in catalog.relations(id) {
        match relation.relation {
            "dependsOn" => out.push(relation.target),
            // consuming an API of one's own is no dependency on oneself
            "consumesApi" => out.extend(
                catalog
                    .relations(relation.target)
                    .filter(|r| r.relation == "apiProvidedBy" && r.target != id)
                    .map(|r| r.target),
            ),
            _ => {}
        }
    }
    out
}

/// A node of a tree with what is below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeNode {
    /// Which.
    pub id: EntityId,
    /// Relation from the parent to this node; empty for the root.
    pub relation: String,
    /// Below it, sorted by kind order of the relation, then ref.
    pub children: Vec<TreeNode>,
    /// Already shown elsewhere in this tree; its children are there.
    pub repeated: bool,
    /// Children left out because of depth or limit.
    pub hidden: usize,
}

/// Relations that make the tree of parts: domain, system, component.
pub const PARTS: &[&str] = &["hasPart"];

/// Relations that make the tree of groups and their people.
pub const ORGANISATION: &[&str] = &["parentOf", "hasMember"];

/// Returns the tree below `root` along the named relation types (exact spelling), breadth first, so
/// that every entity appears nearest to the root; later appearances are marked.
pub fn tree(catalog: &Catalog, root: EntityId, relations: &[&str], depth: u32, limit: usize) -> TreeNode {
    grow(catalog, root, depth, limit, |r| relations.contains(&r))
}

/// Returns the tree of everything around `root` under the given options.
pub fn neighbour_tree(catalog: &Catalog, root: EntityId, options: &GraphOptions) -> TreeNode {
    grow(catalog, root, options.depth, options.limit, |r| options.allows(r))
}

/// Returns the roots of the tree of parts (domains and systems that are part of nothing that exists).
pub fn part_roots(catalog: &Catalog) -> Vec<EntityId> {
    roots(catalog, &["domain", "system"], "partOf")
}

/// Returns the groups that have no existing parent.
pub fn group_roots(catalog: &Catalog) -> Vec<EntityId> {
    roots(catalog, &["group"], "childOf")
}

fn roots(catalog: &Catalog, kinds: &[&str], up: &str) -> Vec<EntityId> {
    catalog
        .entities()
        .filter(|entity| kinds.iter().any(|kind| entity.kind().eq_ignore_ascii_case(kind)))
        .filter(|entity| !entity.relations().any(|r| r.relation == up && catalog.is_entity(r.target)))
        .map(|entity| entity.id())
        .collect()
}

/// Deepest tree; keeps whoever walks a [`TreeNode`] recursively within the stack.
const MAX_TREE_DEPTH: u32 = 64;

/// Grows breadth first over a flat list, then folds it into nested nodes from the back.
fn grow(
    catalog: &Catalog,
    root: EntityId,
    depth: u32,
    limit: usize,
    allowed: impl Fn(&str) -> bool,
) -> TreeNode {
    let depth = depth.min(MAX_TREE_DEPTH);
    struct Flat {
        node: TreeNode,
        parent: usize,
        depth: u32,
    }
    let leaf = |id, relation: &str| TreeNode {
        id,
        relation: relation.to_owned(),
        children: Vec::new(),
        repeated: false,
        hidden: 0,
    };
    let mut seen: FxHashSet<EntityId> = FxHashSet::default();
    seen.insert(root);
    let mut flat = vec![Flat { node: leaf(root, ""), parent: 0, depth: 0 }];
    let mut at = 0;
    while at < flat.len() {
        let Some((id, level, repeated, parent)) =
            flat.get(at).map(|f| (f.node.id, f.depth, f.node.repeated, f.parent))
        else {
            break;
        };
        // the way back to where we came from is no child
        let came_from = if at == 0 { None } else { flat.get(parent).map(|f| f.node.id) };
        let mut hidden = 0;
        if !repeated {
            for relation in catalog.relations(id).filter(|r| allowed(r.relation)) {
                if Some(relation.target) == came_from {
                    continue;
                }
                if level >= depth || flat.len() >= limit {
                    hidden += 1;
                    continue;
                }
                let mut node = leaf(relation.target, relation.relation);
                node.repeated = !seen.insert(relation.target);
                flat.push(Flat { node, parent: at, depth: level + 1 });
            }
        }
        if let Some(entry) = flat.get_mut(at) {
            entry.node.hidden = hidden;
        }
        at += 1;
    }
    while flat.len() > 1 {
        let Some(mut last) = flat.pop() else { break };
        last.node.children.reverse();
        if let Some(parent) = flat.get_mut(last.parent) {
            parent.node.children.push(last.node);
        }
    }
    let mut root_node = flat.pop().map_or_else(|| leaf(root, ""), |f| f.node);
    root_node.children.reverse();
    root_node
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
