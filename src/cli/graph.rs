//! `graph`: what is around an entity, what depends on it, how two entities hang together.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::{select, session};
use crate::catalog::graph::{self, Direction, GraphOptions, Neighbourhood, Node, TreeNode};
use crate::catalog::{Catalog, EntityId, graph_export};
use crate::model::relation;
use crate::model::text::clean;
use clap::ValueEnum;

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
    let known: std::collections::BTreeSet<&str> = relation::PAIRS
        .iter()
        .flat_map(|(forward, back)| [*forward, *back])
        .chain(catalog.ids().flat_map(|id| catalog.relations(id)).map(|found| found.relation))
        .collect();
    if let Some(wrong) = args.relations.iter().find(|name| !known.contains(name.as_str())) {
        let known: Vec<&str> = known.into_iter().collect();
        return Err(CliError::usage(
            format!("`{wrong}` is the type of no relation"),
            format!("known are {}", known.join(", ")),
        ));
    }
    let options =
        GraphOptions { depth: args.depth, direction, relations: args.relations.clone(), limit: args.limit };
    if args.output == Form::Tree {
        return tree(catalog, &graph::neighbour_tree(catalog, root, &options), out);
    }
    let found = graph::neighbourhood(catalog, root, &options);
    if found.cut > 0 {
        out.note(&format!("{} more entities are left out; raise --limit", found.cut));
    }
    match args.output {
        Form::Json => out.json(&graph_export::graph_json(catalog, &found)),
        form => drawing(catalog, &found, form, out),
    }
}

fn impact(catalog: &Catalog, root: EntityId, args: &Args, out: &mut Output) -> Result<(), CliError> {
    let mut found = graph::impact(catalog, root);
    // `--depth` stays at its default unless given; impact means all of it
    if args.depth > 1 {
        found.entities.retain(|item| item.depth <= args.depth);
    }
    match args.output {
        Form::Json => out.json(&graph_export::impact_json(catalog, root, &found)),
        Form::Tree => impact_text(catalog, root, &found, out),
        form => {
            let touched =
                found.entities.iter().map(|item| Node { id: item.id, depth: item.depth, hidden: 0 });
            let nodes = std::iter::once(Node { id: root, depth: 0, hidden: 0 }).chain(touched).collect();
            let edges = found.entities.iter().map(|item| item.via.clone()).collect();
            drawing(catalog, &Neighbourhood { nodes, edges, cut: 0 }, form, out)
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
        Form::Json => out.json(&graph_export::path_json(catalog, &edges)),
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
            let ids = std::iter::once(from).chain(edges.iter().map(|edge| edge.to));
            let nodes = ids.zip(0..).map(|(id, depth)| Node { id, depth, hidden: 0 }).collect();
            drawing(catalog, &Neighbourhood { nodes, edges, cut: 0 }, form, out)
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

fn drawing(catalog: &Catalog, part: &Neighbourhood, form: Form, out: &mut Output) -> Result<(), CliError> {
    let is_dot = form == Form::Dot;
    let text = if is_dot { graph_export::dot(catalog, part) } else { graph_export::mermaid(catalog, part) };
    out.text(&text)
}
