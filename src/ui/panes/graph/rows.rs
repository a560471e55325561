//! The list form of every question: rows with lines of a tree, relation words, facts.

use super::scene::{self, Scene};
use crate::app::Context;
use crate::app::context::grouped;
use crate::catalog::graph::{Edge, Impact};
use crate::catalog::{Catalog, EntityId};
use crate::config::theme::Role;
use crate::model::entity_ref::split_canonical;
use crate::model::relation;
use crate::ui::entity_lines::{self, short_ref};
use crate::ui::text::{Line, span};
use crate::ui::theme::Sign;
use crate::ui::widgets::Column;
use rustc_hash::FxHashSet;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// The entity; `None` is a heading.
    pub id: Option<EntityId>,
    /// Its node in the scene.
    pub node: usize,
    /// Lines of the tree.
    pub prefix: String,
    /// Relation words before the name; the text of a heading.
    pub words: String,
    /// What is said behind the name: `↺ already shown above`, `… 14 more`.
    pub note: String,
    /// Relation to the row it follows from, for lists without a tree.
    pub via: String,
    /// Only named here; drawn elsewhere.
    pub is_repeated: bool,
    /// Something can be shown below it.
    pub has_below: bool,
    /// What is below it is not shown.
    pub is_collapsed: bool,
    /// Steps of indentation.
    pub depth: usize,
}

/// Columns of a tree.
pub const TREE_COLUMNS: &[Column] = &[
    Column { title: "RELATION AND NAME", min: 34, weight: 6, priority: 0 },
    Column { title: "KIND", min: 12, weight: 1, priority: 1 },
    Column { title: "OWNER", min: 12, weight: 1, priority: 2 },
    Column { title: "LIFECYCLE", min: 12, weight: 0, priority: 3 },
    Column { title: "PROBLEMS", min: 8, weight: 0, priority: 4 },
];

/// Columns of a list with a reason in each row.
pub const LIST_COLUMNS: &[Column] = &[
    Column { title: "NAME", min: 22, weight: 2, priority: 0 },
    Column { title: "WHY", min: 24, weight: 3, priority: 0 },
    Column { title: "KIND", min: 12, weight: 1, priority: 2 },
    Column { title: "OWNER", min: 12, weight: 1, priority: 1 },
    Column { title: "LIFECYCLE", min: 12, weight: 0, priority: 3 },
    Column { title: "PROBLEMS", min: 8, weight: 0, priority: 4 },
];

/// Characters that lines of a tree are made of: through, turn, branch, mark of the repeated.
struct Lines {
    through: &'static str,
    last: &'static str,
    branch: &'static str,
    repeated: &'static str,
}

const DRAWN: Lines = Lines { through: "│  ", last: "└─ ", branch: "├─ ", repeated: "↺" };
const ASCII: Lines = Lines { through: "|  ", last: "`- ", branch: "+- ", repeated: "^" };

fn lines_of(cx: &Context) -> &'static Lines {
    if cx.ascii { &ASCII } else { &DRAWN }
}

/// Returns the rows of a tree; what hangs below a collapsed node is left out.
pub fn tree(cx: &Context, scene: &Scene, collapsed: &FxHashSet<EntityId>) -> Vec<Row> {
    let mut rows = Vec::new();
    let Some(root) = scene.nodes.first() else { return rows };
    let below = scene.branches.first().map_or(0, Vec::len);
    rows.push(Row {
        id: Some(root.id),
        note: more(root.hidden),
        has_below: below > 0,
        is_collapsed: collapsed.contains(&root.id),
        ..Row::default()
    });
    if !collapsed.contains(&root.id) {
        add_below(cx, scene, collapsed, 0, "", 1, &mut rows);
    }
    if scene.cut > 0 {
        let words = format!("… {} more nodes; this is too much for one picture", grouped(scene.cut));
        rows.push(Row { words, ..Row::default() });
    }
    rows
}

/// Depth is bounded by the request, so that this recursion is too.
fn add_below(
    cx: &Context,
    scene: &Scene,
    collapsed: &FxHashSet<EntityId>,
    node: usize,
    prefix: &str,
    depth: usize,
    rows: &mut Vec<Row>,
) {
    let lines = lines_of(cx);
    let branches = scene.branches.get(node).map_or(&[][..], Vec::as_slice);
    for (at, branch) in branches.iter().enumerate() {
        let Some(to) = scene.nodes.get(branch.to) else { continue };
        let is_last = at + 1 == branches.len();
        let below = scene.branches.get(branch.to).map_or(0, Vec::len);
        let has_new = scene.branches.get(branch.to).is_some_and(|list| list.iter().any(|b| !b.is_repeated));
        // a node with nothing new below starts folded, so that the tree shows each thing once
        let is_collapsed = !branch.is_repeated && below > 0 && collapsed.contains(&to.id) == has_new;
        let note = match (branch.is_repeated, is_collapsed) {
            (true, _) if branch.to == node => format!("{} itself", lines.repeated),
            (true, _) => format!("{} already shown above", lines.repeated),
            (false, true) if has_new => format!("… {below} below"),
            (false, true) => {
                [more(to.hidden), format!("{} {below}", lines.repeated)].join(" ").trim().to_owned()
            }
            (false, false) => more(to.hidden),
        };
        rows.push(Row {
            id: Some(to.id),
            node: branch.to,
            prefix: format!("{prefix}{}", if is_last { lines.last } else { lines.branch }),
            words: scene.words(branch.bond, node),
            note,
            is_repeated: branch.is_repeated,
            has_below: !branch.is_repeated && below > 0,
            is_collapsed,
            depth,
            ..Row::default()
        });
        if !branch.is_repeated && !is_collapsed {
            let next = format!("{prefix}{}", if is_last { "   " } else { lines.through });
            add_below(cx, scene, collapsed, branch.to, &next, depth + 1, rows);
        }
    }
}

fn more(hidden: u32) -> String {
    if hidden == 0 { String::new() } else { format!("… {} more", grouped(hidden as usize)) }
}

/// Returns the rows of an impact: headings by distance, then what is touched and why.
pub fn impact(catalog: &Catalog, impact: &Impact) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut depth = 0;
    for item in &impact.entities {
        if item.depth != depth {
            depth = item.depth;
            let count = impact.entities.iter().filter(|other| other.depth == depth).count();
            let steps = if depth == 1 { "1 step".to_owned() } else { format!("{depth} steps") };
            rows.push(Row { words: format!("{steps} away: {}", grouped(count)), ..Row::default() });
        }
        rows.push(Row {
            id: Some(item.id),
            via: reason(catalog, &item.via, item.id),
            depth: 1,
            ..Row::default()
        });
    }
    rows
}

/// Returns what an edge says of one of its ends: `depends on ledger`.
fn reason(catalog: &Catalog, edge: &Edge, id: EntityId) -> String {
    let (said, other) = if edge.from == id {
        (edge.relation.as_str(), edge.to)
    } else {
        (relation::reverse(&edge.relation).unwrap_or(&edge.relation), edge.from)
    };
    format!("{} {}", relation::words(said), short_ref(catalog.ref_of(other)))
}

/// Returns the rows of a chain: each step under the one before, with all that ties the two.
pub fn path(cx: &Context, catalog: &Catalog, from: EntityId, steps: &[Edge]) -> Vec<Row> {
    let words = |step: &Edge| {
        let mut said: Vec<&str> =
            catalog.relations(step.from).filter(|r| r.target == step.to).map(|r| r.relation).collect();
        said.sort_by_key(|said| scene::rank(said));
        let words: Vec<String> = said.into_iter().map(relation::words).collect();
        words.join(", ")
    };
    let mut rows = vec![Row { id: Some(from), ..Row::default() }];
    rows.extend(steps.iter().enumerate().map(|(at, step)| Row {
        id: Some(step.to),
        prefix: format!("{}{}", "   ".repeat(at.min(20)), lines_of(cx).last),
        words: words(step),
        depth: at + 1,
        ..Row::default()
    }));
    rows
}

/// Returns the rows of all circles: a heading for each, then its members with what they need.
pub fn cycles(catalog: &Catalog, circles: &[Vec<EntityId>]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, circle) in circles.iter().enumerate() {
        let members: FxHashSet<EntityId> = circle.iter().copied().collect();
        let what = match circle.len() {
            1 => "depends on itself".to_owned(),
            many => format!("{many} entities depend on each other"),
        };
        rows.push(Row { words: format!("circle {}: {what}", at + 1), ..Row::default() });
        rows.extend(circle.iter().map(|id| Row {
            id: Some(*id),
            via: needs(catalog, *id, &members),
            depth: 1,
            ..Row::default()
        }));
    }
    rows
}

/// Says what a member of a circle needs of the other members.
fn needs(catalog: &Catalog, id: EntityId, members: &FxHashSet<EntityId>) -> String {
    let mut out: Vec<String> = Vec::new();
    for found in catalog.relations(id) {
        let name = || short_ref(catalog.ref_of(found.target));
        match found.relation {
            "dependsOn" if members.contains(&found.target) => out.push(format!("depends on {}", name())),
            "consumesApi" => {
                let provider = catalog
                    .relations(found.target)
                    .find(|r| r.relation == "apiProvidedBy" && r.target != id && members.contains(&r.target));
                if let Some(provider) = provider {
                    let by = short_ref(catalog.ref_of(provider.target));
                    out.push(format!("consumes {} of {by}", name()));
                }
            }
            _ => {}
        }
    }
    out.join(", ")
}

/// Returns the cells of a row, in the order of the columns.
pub fn cells(cx: &Context, catalog: &Catalog, row: &Row, columns: &[Column]) -> Vec<Line> {
    let Some(id) = row.id else {
        return vec![vec![span(row.words.as_str(), Role::Accent)]];
    };
    let entity = catalog.entity(id);
    if row.is_repeated || (entity.is_none() && row.via.is_empty()) {
        return vec![name_cell(cx, catalog, row, id)];
    }
    let cell = |column: &Column| match (column.title, &entity) {
        ("RELATION AND NAME" | "NAME", _) => name_cell(cx, catalog, row, id),
        ("WHY", _) => vec![span(row.via.as_str(), Role::Dim)],
        ("KIND", Some(entity)) => vec![span(entity_lines::kind_words(entity), Role::Text)],
        ("KIND", None) => vec![span(split_canonical(catalog.ref_of(id)).0, Role::Unknown)],
        ("OWNER", Some(entity)) => {
            entity.owner().map(|owner| vec![entity_lines::target(cx, catalog, owner)]).unwrap_or_default()
        }
        ("LIFECYCLE", Some(entity)) => vec![span(entity.lifecycle(), Role::Text)],
        ("PROBLEMS", Some(entity)) => entity_lines::problem_cell(cx, entity),
        _ => Vec::new(),
    };
    columns.iter().map(cell).collect()
}

fn name_cell(cx: &Context, catalog: &Catalog, row: &Row, id: EntityId) -> Line {
    let mut line = vec![span(row.prefix.as_str(), Role::Dim)];
    if row.prefix.is_empty() && row.depth > 0 {
        line.push(span("  ", Role::Dim));
    }
    if !row.words.is_empty() {
        line.push(span(format!("{} ", row.words), Role::Dim));
    }
    match catalog.entity(id) {
        Some(_) if row.is_repeated => line.push(span(short_ref(catalog.ref_of(id)), Role::Dim)),
        Some(entity) => {
            line.extend(entity_lines::name_cell(cx, &entity));
            line.extend(entity_lines::broken_mark(cx, entity.entity_ref()));
        }
        None => {
            let (kind, name) = (split_canonical(catalog.ref_of(id)).0, short_ref(catalog.ref_of(id)));
            let words = format!("{name} {} {kind}, described nowhere", Sign::Unknown.text(cx));
            line.push(span(words, Role::Unknown));
        }
    }
    if !row.note.is_empty() {
        line.push(span(format!("  {}", row.note), Role::Dim));
    }
    line
}

/// Returns a row as plain text, for a file.
pub fn plain(catalog: &Catalog, row: &Row) -> String {
    let Some(id) = row.id else { return row.words.clone() };
    let mut parts = vec![format!("{}{}", row.prefix, row.words), catalog.ref_of(id).to_owned()];
    parts.extend([row.via.clone(), row.note.clone()]);
    parts.retain(|part| !part.trim().is_empty() || part.ends_with(' '));
    parts.join(" ").trim_end().replace("─  ", "─ ")
}
