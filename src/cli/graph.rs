//! `graph`: what is around an entity, what depends on it, how two entities hang together.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::{select, session};
use crate::catalog::graph::{self, Direction, Edge, GraphOptions, TreeNode};
use crate::catalog::{Catalog, EntityId};
use crate::model::entity_ref::split_canonical;
use crate::model::relation;
use crate::model::text::clean;
use clap::ValueEnum;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Arguments of `graph`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ref (`api:payments/ledger`) or name of the entity in the middle
    #[arg(value_name = "REF")]
    pub what: String,
    /// Steps away from it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=50))]
    pub depth: u32,
    /// Which way relations are followed: what it says of others, what others say of it, both
    #[arg(long, value_name = "WAY", default_value = "both")]
    pub direction: Way,
    /// Only these relations, in either spelling: `dependsOn,providesApi`
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    pub relations: Vec<String>,
    /// Everything that transitively depends on it, and the owners to tell
    #[arg(long, conflicts_with_all = ["direction", "relations", "to"])]
    pub impact: bool,
    /// The shortest chain of relations to this entity
    #[arg(long, value_name = "REF", conflicts_with_all = ["direction", "relations", "depth"])]
    pub to: Option<String>,
    /// Most entities in the answer
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub limit: usize,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "tree")]
    pub output: Form,
}

/// Which way relations are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// What the entity says of others.
    Out,
    /// What others say of it.
    In,
    /// Both.
    Both,
}

/// Forms of graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lines for people.
    Tree,
    /// One object.
    Json,
    /// Graphviz.
    Dot,
    /// Mermaid.
    Mermaid,
}

/// Entities and relations to print, whatever question they answer.
struct Part {
    nodes: Vec<EntityId>,
    edges: Vec<Edge>,
}

/// Runs `graph`.
///
/// # Errors
/// For names that mean nothing or too much, and sources that cannot be read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let root = select::one(catalog, &args.what, None, global)?;
    if let Some(to) = &args.to {
        path(catalog, root, select::one(catalog, to, None, global)?, args.output, out)?;
    } else if args.impact {
        impact(catalog, root, args, out)?;
    } else {
        around(catalog, root, args, out)?;
    }
    Ok(loaded.exit)
}

fn around(catalog: &Catalog, root: EntityId, args: &Args, out: &mut Output) -> Result<(), CliError> {
    let direction = match args.direction {
        Way::Out => Direction::Out,
        Way::In => Direction::In,
        Way::Both => Direction::Both,
    };
    let options =
        GraphOptions { depth: args.depth, direction, relations: args.relations.clone(), limit: args.limit };
    if args.output == Form::Tree {
        return tree(catalog, &graph::neighbour_tree(catalog, root, &options), out);
    }
    let found = graph::neighbourhood(catalog, root, &options);
    if found.cut > 0 {
        out.note(&format!("{} more entities are left out; raise --limit", found.cut));
    }
    let part = Part { nodes: found.nodes.iter().map(|node| node.id).collect(), edges: found.edges };
    match args.output {
        Form::Json => out.json(&json!({
            "root": catalog.ref_of(root),
            "nodes": found.nodes.iter().map(|node| node_json(catalog, node)).collect::<Vec<_>>(),
            "edges": part.edges.iter().map(|edge| edge_json(catalog, edge)).collect::<Vec<_>>(),
        })),
        form => drawing(catalog, root, &part, form, out),
    }
}

fn impact(catalog: &Catalog, root: EntityId, args: &Args, out: &mut Output) -> Result<(), CliError> {
    let mut found = graph::impact(catalog, root);
    // `--depth` stays at its default unless given; impact means all of it
    if args.depth > 1 {
        found.entities.retain(|item| item.depth <= args.depth);
    }
    let owner = |id| catalog.entity(id).and_then(|e| e.owner()).map(|id| catalog.ref_of(id));
    match args.output {
        Form::Json => out.json(&json!({
            "root": catalog.ref_of(root),
            "entities": found.entities.iter().map(|item| json!({
                "ref": catalog.ref_of(item.id),
                "depth": item.depth,
                "via": edge_json(catalog, &item.via),
                "owner": owner(item.id),
            })).collect::<Vec<_>>(),
            "owners": found.owners.iter().map(|(id, count)| json!({
                "ref": catalog.ref_of(*id), "entities": count,
            })).collect::<Vec<_>>(),
            "unowned": found.unowned,
        })),
        Form::Tree => impact_text(catalog, root, &found, out),
        form => {
            let mut nodes = vec![root];
            nodes.extend(found.entities.iter().map(|item| item.id));
            let edges = found.entities.into_iter().map(|item| item.via).collect();
            drawing(catalog, root, &Part { nodes, edges }, form, out)
        }
    }
}

fn impact_text(
    catalog: &Catalog,
    root: EntityId,
    found: &graph::Impact,
    out: &mut Output,
) -> Result<(), CliError> {
    let name = name(catalog, root, out);
    if found.entities.is_empty() {
        return out.line(&format!("nothing depends on {name}"));
    }
    out.line(&format!("{} depend on {name}", count(found.entities.len(), "entity", "entities")))?;
    for item in &found.entities {
        let shown = self::name(catalog, item.id, out);
        let (from, to) = (clean(catalog.ref_of(item.via.from)), clean(catalog.ref_of(item.via.to)));
        let why = out.paint(Role::Dim, &format!("{from} {} {to}", relation::words(&item.via.relation)));
        out.line(&format!("{:indent$}{shown}  {why}", "", indent = item.depth as usize * 2))?;
    }
    out.line("")?;
    let title = out.paint(Role::Title, "Tell");
    out.line(&title)?;
    for (id, owned) in &found.owners {
        let shown = self::name(catalog, *id, out);
        let what =
            if *owned == 0 { "owns the cause".to_owned() } else { count(*owned, "entity", "entities") };
        out.line(&format!("  {shown}  {what}"))?;
    }
    if found.unowned > 0 {
        let text = format!("  nobody  {} without an owner", count(found.unowned, "entity", "entities"));
        let text = out.paint(Role::Warn, &text);
        out.line(&text)?;
    }
    Ok(())
}

fn path(
    catalog: &Catalog,
    from: EntityId,
    to: EntityId,
    form: Form,
    out: &mut Output,
) -> Result<(), CliError> {
    let Some(edges) = graph::shortest_path(catalog, from, to) else {
        let (from, to) = (catalog.ref_of(from), catalog.ref_of(to));
        let message = format!("`{from}` and `{to}` do not hang together");
        return Err(CliError::not_found(crate::diagnostic::Diagnostic::error("graph::no-path", message)));
    };
    match form {
        Form::Json => out.json(&json!({
            "from": catalog.ref_of(from),
            "to": catalog.ref_of(to),
            "edges": edges.iter().map(|edge| edge_json(catalog, edge)).collect::<Vec<_>>(),
        })),
        Form::Tree => {
            let first = name(catalog, from, out);
            out.line(&first)?;
            for edge in &edges {
                let words = out.paint(Role::Dim, &clean(&relation::words(&edge.relation)));
                let next = name(catalog, edge.to, out);
                out.line(&format!("  {words} {next}"))?;
            }
            Ok(())
        }
        form => {
            let mut nodes = vec![from];
            nodes.extend(edges.iter().map(|edge| edge.to));
            drawing(catalog, from, &Part { nodes, edges }, form, out)
        }
    }
}

fn tree(catalog: &Catalog, root: &TreeNode, out: &mut Output) -> Result<(), CliError> {
    let line = name(catalog, root.id, out);
    out.line(&line)?;
    branches(catalog, root, "", out)
}

fn branches(catalog: &Catalog, node: &TreeNode, prefix: &str, out: &mut Output) -> Result<(), CliError> {
    let last = node.children.len();
    for (index, child) in node.children.iter().enumerate() {
        let is_last = index + 1 == last && node.hidden == 0;
        let (turn, next) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
        let words = out.paint(Role::Dim, &clean(&relation::words(&child.relation)));
        let shown = name(catalog, child.id, out);
        let again = if child.repeated { " (again)" } else { "" };
        out.line(&format!("{prefix}{turn}{words} {shown}{again}"))?;
        branches(catalog, child, &format!("{prefix}{next}"), out)?;
    }
    if node.hidden > 0 && last > 0 {
        out.line(&format!("{prefix}└── and {} more", node.hidden))?;
    }
    Ok(())
}

/// Returns the ref of a node for people; one that nobody describes says so.
fn name(catalog: &Catalog, id: EntityId, out: &Output) -> String {
    let text = clean(catalog.ref_of(id));
    if catalog.is_entity(id) {
        out.paint(Role::Accent, &text)
    } else {
        out.paint(Role::Error, &format!("{text} (nobody describes it)"))
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn node_json(catalog: &Catalog, node: &graph::Node) -> Value {
    let (kind, namespace, name) = split_canonical(catalog.ref_of(node.id));
    let entity = catalog.entity(node.id);
    json!({
        "ref": catalog.ref_of(node.id),
        "depth": node.depth,
        "kind": entity.map_or(kind, |e| e.kind()),
        "namespace": namespace,
        "name": entity.map_or(name, |e| e.name()),
        "title": entity.and_then(|e| e.title()),
        "exists": entity.is_some(),
    })
}

fn edge_json(catalog: &Catalog, edge: &Edge) -> Value {
    json!({"from": catalog.ref_of(edge.from), "to": catalog.ref_of(edge.to), "type": edge.relation})
}

fn drawing(
    catalog: &Catalog,
    root: EntityId,
    part: &Part,
    form: Form,
    out: &mut Output,
) -> Result<(), CliError> {
    let text = if form == Form::Dot { dot(catalog, root, part) } else { mermaid(catalog, root, part) };
    out.text(&text)
}

fn dot(catalog: &Catalog, root: EntityId, part: &Part) -> String {
    let quote = |text: &str| format!("\"{}\"", clean(text).replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = String::from("digraph catalog {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for id in &part.nodes {
        let style = match (*id == root, catalog.is_entity(*id)) {
            (true, _) => ", penwidth=2",
            (_, false) => ", style=\"rounded,dashed\"",
            _ => "",
        };
        let canonical = catalog.ref_of(*id);
        let (kind, _, name) = split_canonical(canonical);
        let label = quote(&format!("{name} ({kind})"));
        let _ = writeln!(text, "  {} [label={label}{style}];", quote(canonical));
    }
    for edge in &part.edges {
        let (from, to) = (quote(catalog.ref_of(edge.from)), quote(catalog.ref_of(edge.to)));
        let _ = writeln!(text, "  {from} -> {to} [label={}];", quote(&relation::words(&edge.relation)));
    }
    text.push_str("}\n");
    text
}

fn mermaid(catalog: &Catalog, root: EntityId, part: &Part) -> String {
    // Entity codes are the only way to write quotes and markup inside a label
    let escape = |text: &str| {
        clean(text).replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
    };
    let node = |id: EntityId| format!("n{}", id.0);
    let mut text = String::from("flowchart LR\n");
    for id in &part.nodes {
        let (kind, _, name) = split_canonical(catalog.ref_of(*id));
        let _ = writeln!(text, "  {}[\"{}<br/>{}\"]", node(*id), escape(name), escape(kind));
    }
    for edge in &part.edges {
        let words = escape(&relation::words(&edge.relation));
        let _ = writeln!(text, "  {} -- \"{words}\" --> {}", node(edge.from), node(edge.to));
    }
    let _ = writeln!(text, "  style {} stroke-width:3px", node(root));
    for id in part.nodes.iter().filter(|id| !catalog.is_entity(**id)) {
        let _ = writeln!(text, "  style {} stroke-dasharray:4", node(*id));
    }
    text
}
