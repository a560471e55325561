//! Parts of the graph as text for other programs: Graphviz, Mermaid, an indented tree, JSON.
//!
//! Pure functions of a snapshot and an answer of [`super::graph`]. Names come from files: they are
//! quoted as the format demands and control characters are taken out.

use super::graph::{Edge, Impact, Neighbourhood, TreeNode};
use super::snapshot::{Catalog, EntityId};
use crate::model::entity_ref::split_canonical;
use crate::model::relation;
use crate::model::text::clean;
use serde::Serialize;
use std::fmt::Write as _;

/// A part of the graph as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GraphJson<'a> {
    /// Where it starts.
    pub root: &'a str,
    /// Entities and dangling refs, nearest first.
    pub nodes: Vec<NodeJson<'a>>,
    /// Relations between them, in their forward direction.
    pub edges: Vec<EdgeJson<'a>>,
    /// Nodes left out by the limit.
    pub cut: usize,
}

/// A node as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NodeJson<'a> {
    /// Canonical ref.
    #[serde(rename = "ref")]
    pub entity_ref: &'a str,
    /// Kind as written; of the ref when nobody describes it.
    pub kind: &'a str,
    /// Name as written.
    pub name: &'a str,
    /// Title, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<&'a str>,
    /// Steps from the root.
    pub depth: u32,
    /// Whether nobody describes it.
    pub dangling: bool,
    /// Neighbours that are not shown.
    pub hidden: u32,
}

/// A relation as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EdgeJson<'a> {
    /// Who says it.
    pub from: &'a str,
    /// Of whom.
    pub to: &'a str,
    /// `dependsOn`, …
    #[serde(rename = "type")]
    pub relation: String,
}

/// An impact as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImpactJson<'a> {
    /// What breaks.
    pub root: &'a str,
    /// What it touches.
    pub entities: Vec<ImpactedJson<'a>>,
    /// Whom to tell.
    pub owners: Vec<OwnerJson<'a>>,
    /// Touched entities that nobody owns.
    pub unowned: usize,
}

/// A touched entity as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImpactedJson<'a> {
    /// Canonical ref.
    #[serde(rename = "ref")]
    pub entity_ref: &'a str,
    /// Steps from the root.
    pub depth: u32,
    /// The relation that carries the damage.
    pub via: EdgeJson<'a>,
    /// Its owner.
    pub owner: Option<&'a str>,
}

/// An owner as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnerJson<'a> {
    /// Canonical ref.
    #[serde(rename = "ref")]
    pub entity_ref: &'a str,
    /// Touched entities it owns.
    pub count: usize,
}

fn edge_json<'a>(catalog: &'a Catalog, edge: &Edge) -> EdgeJson<'a> {
    EdgeJson { from: catalog.ref_of(edge.from), to: catalog.ref_of(edge.to), relation: edge.relation.clone() }
}

/// Returns a neighbourhood as JSON.
pub fn graph_json<'a>(catalog: &'a Catalog, part: &Neighbourhood) -> GraphJson<'a> {
    let node = |node: &super::graph::Node| {
        let entity_ref = catalog.ref_of(node.id);
        let (kind, _, name) = split_canonical(entity_ref);
        let entity = catalog.entity(node.id);
        NodeJson {
            entity_ref,
            kind: entity.map_or(kind, |e| e.kind()),
            name: entity.map_or(name, |e| e.name()),
            title: entity.and_then(|e| e.title()),
            depth: node.depth,
            dangling: entity.is_none(),
            hidden: node.hidden,
        }
    };
    GraphJson {
        root: part.nodes.first().map_or("", |node| catalog.ref_of(node.id)),
        nodes: part.nodes.iter().map(node).collect(),
        edges: part.edges.iter().map(|edge| edge_json(catalog, edge)).collect(),
        cut: part.cut,
    }
}

/// Returns an impact as JSON.
pub fn impact_json<'a>(catalog: &'a Catalog, root: EntityId, impact: &Impact) -> ImpactJson<'a> {
    ImpactJson {
        root: catalog.ref_of(root),
        entities: impact
            .entities
            .iter()
            .map(|item| ImpactedJson {
                entity_ref: catalog.ref_of(item.id),
                depth: item.depth,
                via: edge_json(catalog, &item.via),
                owner: catalog.entity(item.id).and_then(|e| e.owner()).map(|owner| catalog.ref_of(owner)),
            })
            .collect(),
        owners: impact
            .owners
            .iter()
            .map(|(owner, count)| OwnerJson { entity_ref: catalog.ref_of(*owner), count: *count })
            .collect(),
        unowned: impact.unowned,
    }
}

/// Returns a chain of relations as JSON.
pub fn path_json<'a>(catalog: &'a Catalog, path: &[Edge]) -> Vec<EdgeJson<'a>> {
    path.iter().map(|edge| edge_json(catalog, edge)).collect()
}

/// Returns a part of the graph in the language of Graphviz.
pub fn dot(catalog: &Catalog, part: &Neighbourhood) -> String {
    let quote = |text: &str| format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""));
    let mut out = String::from("digraph catalog {\n  rankdir=LR;\n  node [shape=box];\n");
    for node in &part.nodes {
        let name = catalog.ref_of(node.id);
        let style = if catalog.is_entity(node.id) { "" } else { ", style=dashed" };
        let _ = writeln!(out, "  {} [label={}{style}];", quote(name), quote(&label(catalog, node.id)));
    }
    for edge in &part.edges {
        let (from, to) = (quote(catalog.ref_of(edge.from)), quote(catalog.ref_of(edge.to)));
        let _ = writeln!(out, "  {from} -> {to} [label={}];", quote(&edge.relation));
    }
    if part.cut > 0 {
        let _ = writeln!(out, "  // {} more nodes are left out", part.cut);
    }
    out.push_str("}\n");
    out
}

/// Returns a part of the graph in the language of Mermaid.
pub fn mermaid(catalog: &Catalog, part: &Neighbourhood) -> String {
    // quotes and brackets would end a label; entities are the format's own way to write them
    let quote = |text: &str| {
        let text = clean(text).replace('&', "&amp;").replace('"', "&quot;");
        format!("\"{}\"", text.replace('<', "&lt;").replace('>', "&gt;"))
    };
    let mut out = String::from("flowchart LR\n");
    let numbers: rustc_hash::FxHashMap<EntityId, usize> =
        part.nodes.iter().enumerate().map(|(at, node)| (node.id, at)).collect();
    for (at, node) in part.nodes.iter().enumerate() {
        let _ = writeln!(out, "  n{at}[{}]", quote(&label(catalog, node.id)));
    }
    for edge in &part.edges {
        if let (Some(from), Some(to)) = (numbers.get(&edge.from), numbers.get(&edge.to)) {
            let _ = writeln!(out, "  n{from} -->|{}| n{to}", quote(&edge.relation));
        }
    }
    if part.cut > 0 {
        let _ = writeln!(out, "  %% {} more nodes are left out", part.cut);
    }
    out
}

/// Returns a tree with branches drawn in lines; the same facts as the graph around its root.
pub fn tree_text(catalog: &Catalog, root: &TreeNode) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", described(catalog, root));
    branches(catalog, root, "", &mut out);
    out
}

fn branches(catalog: &Catalog, node: &TreeNode, indent: &str, out: &mut String) {
    let rest = usize::from(node.hidden > 0);
    let last = node.children.len() + rest;
    for (at, child) in (1..).zip(&node.children) {
        let (branch, below) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let _ = writeln!(
            out,
            "{indent}{branch}{} {}",
            relation::words(&child.relation),
            described(catalog, child)
        );
        branches(catalog, child, &format!("{indent}{below}"), out);
    }
    if node.hidden > 0 {
        let _ = writeln!(out, "{indent}└─ … {} more", node.hidden);
    }
}

fn described(catalog: &Catalog, node: &TreeNode) -> String {
    let name = clean(catalog.ref_of(node.id)).into_owned();
    match (catalog.is_entity(node.id), node.repeated) {
        (false, _) => format!("{name} (described nowhere)"),
        (true, true) => format!("{name} (shown above)"),
        (true, false) => name,
    }
}

fn label(catalog: &Catalog, id: EntityId) -> String {
    let entity_ref = catalog.ref_of(id);
    match catalog.entity(id) {
        Some(entity) => match entity.title() {
            Some(title) => format!("{title} ({entity_ref})"),
            None => entity_ref.to_owned(),
        },
        None => format!("{entity_ref} (described nowhere)"),
    }
}
