//! What an entity looks like in words: cells of a row, lines of a preview.
//!
//! Pure functions from the snapshot to spans, shared by lists, previews and the overview.

use super::text::{Line, Span, span, wrap};
use super::theme::Sign;
use crate::app::Context;
use crate::catalog::{Catalog, Entity, EntityId};
use crate::config::theme::Role;
use crate::diagnostic::Severity;
use crate::model::entity_ref::split_canonical;
use crate::model::relation;

/// Returns the kind in one word or two: `service`, `api grpc`, `group team`.
pub fn kind_words(entity: &Entity<'_>) -> String {
    let kind = entity.kind().to_lowercase();
    match (kind.as_str(), entity.entity_type()) {
        (_, "") => kind,
        ("component", entity_type) => entity_type.to_owned(),
        (_, entity_type) => format!("{kind} {entity_type}"),
    }
}

/// Returns a ref as short as it stays clear: the name, with the namespace unless it is `default`.
pub fn short_ref(canonical: &str) -> String {
    match split_canonical(canonical) {
        (_, "default" | "", name) => name.to_owned(),
        (_, namespace, name) => format!("{namespace}/{name}"),
    }
}

/// Returns a target as a span; a dangling one carries the sign and role of no answer.
pub fn target(cx: &Context, catalog: &Catalog, id: EntityId) -> Span {
    let canonical = catalog.ref_of(id);
    match catalog.entity(id) {
        Some(entity) => span(
            if split_canonical(canonical).1 == "default" {
                entity.name().to_owned()
            } else {
                short_ref(canonical)
            },
            Role::Link,
        ),
        None => span(format!("{} {}", short_ref(canonical), Sign::Unknown.text(cx)), Role::Unknown),
    }
}

/// Returns the count of problems with signs: `✗ 1  ! 2`; empty when there are none.
pub fn problem_cell(cx: &Context, entity: &Entity<'_>) -> Line {
    let count = |severity| entity.problems().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut line = Vec::new();
    if errors > 0 {
        line.push(span(format!("{} {errors} ", Sign::Error.text(cx)), Role::Error));
    }
    if warnings > 0 {
        line.push(span(format!("{} {warnings}", Sign::Warn.text(cx)), Role::Warn));
    }
    line
}

/// Returns name and star of a row.
pub fn name_cell(cx: &Context, entity: &Entity<'_>) -> Line {
    let canonical = entity.entity_ref();
    let (_, namespace, _) = split_canonical(canonical);
    let mut line = Vec::new();
    if namespace != "default" {
        line.push(span(format!("{namespace}/"), Role::Dim));
    }
    line.push(span(entity.name(), Role::Text));
    if cx.stars.contains(canonical) {
        line.push(span(if cx.ascii { " *" } else { " ★" }, Role::Accent));
    }
    if entity.is_unknown_kind() {
        line.push(span(format!(" {}", Sign::Unknown.text(cx)), Role::Unknown));
    }
    line
}

/// Returns the lines of a preview at a width: what it is, whose it is, how it hangs together.
pub fn preview(cx: &Context, catalog: &Catalog, entity: &Entity<'_>, width: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    if let Some(title) = entity.title().filter(|title| *title != entity.name()) {
        lines.push(vec![span(title, Role::Title)]);
    }
    lines.push(facts(entity));
    let description = entity.description().trim();
    if !description.is_empty() {
        lines.push(Vec::new());
        lines.extend(wrap(description, width.min(100)).into_iter().map(|line| vec![span(line, Role::Text)]));
    }
    lines.push(Vec::new());
    lines.extend(relation_lines(cx, catalog, entity, width));
    let links = crate::app::subject::links(entity);
    if !links.is_empty() {
        lines.push(Vec::new());
        lines.extend(
            links
                .into_iter()
                .map(|(title, url)| vec![span(title, Role::Link), span(format!("  {url}"), Role::Dim)]),
        );
    }
    let tags: Vec<&str> = entity.tags().collect();
    if !tags.is_empty() {
        lines.push(vec![span("tags ", Role::Dim), span(tags.join("  "), Role::Text)]);
    }
    let problems: Vec<Line> = entity
        .problems()
        .flat_map(|problem| {
            let sign = if problem.is_error() { Sign::Error } else { Sign::Warn };
            let text = wrap(&problem.message, width.saturating_sub(2));
            text.into_iter().enumerate().map(move |(at, line)| {
                let mark = if at == 0 { format!("{} ", sign.text(cx)) } else { "  ".to_owned() };
                vec![span(mark, sign.role()), span(line, Role::Text)]
            })
        })
        .collect();
    if !problems.is_empty() {
        lines.push(Vec::new());
        lines.extend(problems);
    }
    lines.push(Vec::new());
    let source = entity.source().map(|s| format!(" · {}", s.name)).unwrap_or_default();
    lines.push(vec![span(format!("{}{source}", entity.location()), Role::Dim)]);
    lines
}

/// Returns kind, lifecycle and namespace in one line.
pub fn facts(entity: &Entity<'_>) -> Line {
    let mut line = vec![span(kind_words(entity), Role::Accent)];
    let lifecycle = entity.lifecycle();
    if !lifecycle.is_empty() {
        let role = match lifecycle {
            "production" => Role::Ok,
            "deprecated" => Role::Warn,
            _ => Role::Info,
        };
        line.push(span("  ", Role::Text));
        line.push(span(lifecycle, role));
    }
    if entity.namespace() != "default" {
        line.push(span(format!("  in {}", entity.namespace()), Role::Dim));
    }
    if entity.is_unknown_kind() {
        line.push(span("  kind unknown to the model", Role::Unknown));
    }
    if entity.is_orphan() {
        line.push(span("  orphan", Role::Warn));
    }
    line
}

/// Longest label of a relation in front of its targets, in cells.
const LABEL: usize = 16;

/// Returns one paragraph per relation type: `depends on   ledger  mail-out`.
pub fn relation_lines(cx: &Context, catalog: &Catalog, entity: &Entity<'_>, width: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut current = "";
    let mut used = 0;
    for found in entity.relations() {
        let target = target(cx, catalog, found.target);
        let cells = crate::model::text::width(&target.text) + 2;
        let is_new = found.relation != current;
        if is_new || (used + cells > width && used > LABEL) {
            let label = if is_new { relation::words(found.relation) } else { String::new() };
            lines.push(vec![span(format!("{label:<LABEL$}"), Role::Dim)]);
            used = LABEL.max(label.len());
            current = found.relation;
        }
        used += cells;
        if let Some(line) = lines.last_mut() {
            line.extend([target, span("  ", Role::Text)]);
        }
    }
    lines
}
