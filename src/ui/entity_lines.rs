//! What an entity looks like in words: cells of a row, lines of a preview.
//!
//! Pure functions from the snapshot to spans, shared by lists, previews and the overview.

use super::text::{Line, Span, span, wrap};
use super::theme::Sign;
use super::widgets::{Flow, Piece};
use crate::app::Context;
use crate::catalog::{Catalog, Entity, EntityId};
use crate::config::theme::Role;
use crate::diagnostic::Severity;
use crate::kubernetes::health::{Health, PodMark, Word};
use crate::kubernetes::rows::status::Tone;
use crate::model::entity_ref::split_canonical;
use crate::model::relation;
use crate::model::value::ValueRef;
use std::collections::BTreeMap;

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

/// Returns the sign of a word of health.
pub fn health_sign(word: Word) -> Sign {
    match word {
        Word::Down => Sign::Error,
        Word::Slow => Sign::Warn,
        Word::Unknown => Sign::Unknown,
        Word::Ok => Sign::Ok,
    }
}

/// Returns how a service is, sign and word; empty where nothing is known of it.
pub fn health_cell(cx: &Context, canonical: &str) -> Line {
    let Some(health) = cx.kubernetes.health.get(canonical) else { return Vec::new() };
    let sign = health_sign(health.word);
    let words = match (health.word, health.silent.first(), health.refused.first()) {
        (Word::Unknown, Some(cluster), _) => format!("{} no answer: {cluster}", sign.text(cx)),
        (Word::Unknown, None, Some(refused)) => format!("{} not allowed: {}", sign.text(cx), refused.cluster),
        (word, ..) => format!("{} {}", sign.text(cx), word.as_str()),
    };
    vec![span(words, sign.role())]
}

/// Returns the pods of a service, the worst first: `a1 Running 1/1`.
pub fn pod_lines(cx: &Context, health: &Health, width: usize) -> Vec<Line> {
    let is_one = health.clusters.len() < 2;
    let name = |mark: &PodMark| {
        if is_one { mark.at.name.to_string() } else { format!("{}  {}", mark.at.name, mark.at.cluster) }
    };
    let cells = health.marks.iter().map(|mark| crate::model::text::width(&name(mark))).max().unwrap_or(0);
    let cells = cells.min(width.saturating_sub(28));
    let line = |mark: &PodMark| {
        let (sign, role) = match mark.status.tone {
            Tone::Bad => (Sign::Error, Role::Error),
            Tone::Poor => (Sign::Warn, Role::Warn),
            Tone::Unknown => (Sign::Unknown, Role::Unknown),
            Tone::Good | Tone::Ended => (Sign::Ok, Role::Ok),
        };
        let (ready, wanted) = mark.ready;
        vec![
            span(format!("{:<cells$}", crate::model::text::cut(&name(mark), cells)), Role::Text),
            span(format!("  {} {}", sign.text(cx), mark.status.word), role),
            span(format!("  {ready}/{wanted}"), Role::Dim),
        ]
    };
    health.marks.iter().map(line).collect()
}

/// Most findings that stand beside a list.
const MOST_FINDINGS: usize = 20;

/// Returns what is wrong with a service, the worst first, each with its cause.
pub fn finding_lines(cx: &Context, health: &Health, width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for finding in health.findings.iter().take(MOST_FINDINGS) {
        let sign = if finding.severity >= 6 { Sign::Error } else { Sign::Warn };
        let said = format!("{} {}: {}", sign.text(cx), finding.object.name, finding.message);
        lines.extend(wrap(&said, width.max(8)).into_iter().map(|part| vec![span(part, sign.role())]));
        let cause = wrap(&finding.cause, width.saturating_sub(2).max(8));
        lines.extend(cause.into_iter().map(|part| vec![span(format!("  {part}"), Role::Dim)]));
    }
    lines
}

/// Returns how a service is with the reason: `✗ down  1/3 pods ready, 2 OOMKilled`.
pub fn health_line(cx: &Context, canonical: &str) -> Line {
    let Some(health) = cx.kubernetes.health.get(canonical) else { return Vec::new() };
    let sign = health_sign(health.word);
    vec![
        span(format!("{} {}", sign.text(cx), health.word.as_str()), sign.role()),
        span(format!("  {}", health.summary), Role::Text),
    ]
}

/// Returns the mark of a service that is not well: `✗ down`, `! slow`; empty for all others.
pub fn broken_mark(cx: &Context, canonical: &str) -> Line {
    let is_broken = |word: Word| matches!(word, Word::Down | Word::Slow);
    let word = cx.kubernetes.health.get(canonical).map(|health| health.word);
    word.filter(|word| is_broken(*word))
        .map(|word| {
            span(format!(" {} {}", health_sign(word).text(cx), word.as_str()), health_sign(word).role())
        })
        .into_iter()
        .collect()
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

/// Targets of one relation type that a preview names.
const NAMED: usize = 12;
/// Links that a preview shows.
const LINKS: usize = 6;

/// Returns the lines of a preview at a width: what it is, whose it is, how it hangs together.
pub fn preview(cx: &Context, catalog: &Catalog, entity: &Entity<'_>, width: usize) -> Vec<Line> {
    // the longest of the usual labels is "API provided by"
    let mut flow: Flow<()> = Flow::of_width(width).with_label(if width >= 44 { 17 } else { 12 });
    if let Some(title) = entity.title().filter(|title| *title != entity.name()) {
        flow.line(vec![span(title, Role::Title)]);
    }
    flow.line(facts(entity));
    let health = health_line(cx, entity.entity_ref());
    if !health.is_empty() {
        flow.pieces(0, health.iter().map(|part| Piece::text(part.text.trim(), part.role)).collect());
    }
    let description = entity.description().trim();
    if !description.is_empty() {
        flow.blank();
        flow.text(description, Role::Text);
    }
    let problems = entity.problems().count();
    if problems > 0 {
        flow.blank();
        for problem in entity.problems().take(3) {
            let sign = if problem.is_error() { Sign::Error } else { Sign::Warn };
            flow.pieces(0, vec![Piece::text(format!("{} {}", sign.text(cx), problem.message), sign.role())]);
        }
        if problems > 3 {
            flow.indented(2, &format!("{} more", problems - 3), Role::Dim);
        }
    }
    flow.blank();
    preview_place(cx, catalog, entity, &mut flow);
    preview_kind(catalog, entity, &mut flow);
    preview_relations(cx, catalog, entity, &mut flow);
    preview_links(entity, &mut flow);
    let tags: Vec<_> = entity.tags().map(|tag| Piece::text(tag, Role::Text)).collect();
    flow.row("tags", tags);
    let count = |key: &str| entity.metadata(key).as_object().map_or(0, |fields| fields.len());
    let more: Vec<_> = [("annotation", count("annotations")), ("label", count("labels"))]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(noun, count)| Piece::text(plural(count, noun), Role::Dim))
        .collect();
    flow.row("also", more);
    flow.blank();
    let source = entity.source().map(|source| Piece::text(source.name.to_string(), Role::Dim));
    let place = format!("{}:{}", entity.location().file, entity.location().line);
    flow.pieces(0, std::iter::once(Piece::text(place, Role::Dim)).chain(source).collect());
    flow.lines
}

/// Owner with its address, and what it is part of.
fn preview_place(cx: &Context, catalog: &Catalog, entity: &Entity<'_>, flow: &mut Flow<()>) {
    let piece = |id| Piece { span: target(cx, catalog, id), thing: None };
    if let Some(owner) = entity.owner() {
        let mut pieces = vec![piece(owner)];
        let email = catalog.entity(owner).and_then(|owner| owner.spec().get("profile").get("email").as_str());
        pieces.extend(email.map(|email| Piece::text(email, Role::Dim)));
        flow.row("owner", pieces);
    }
    let mut pieces = Vec::new();
    for id in trail(catalog, entity) {
        if !pieces.is_empty() {
            pieces.push(Piece::text(if cx.ascii { ">" } else { "›" }, Role::Dim));
        }
        pieces.push(piece(id));
    }
    flow.row("part of", pieces);
}

/// What matters of a kind beside its relations.
fn preview_kind(catalog: &Catalog, entity: &Entity<'_>, flow: &mut Flow<()>) {
    let spec = entity.spec();
    let items = |key: &str| spec.get(key).as_array().map_or(0, |items| items.len());
    let text = match entity.kind().to_lowercase().as_str() {
        "api" => match Definition::of(entity) {
            Definition::Text(text) => Some(("definition", size(text))),
            Definition::NotFetched { address, .. } => Some(("definition", format!("{address}, not fetched"))),
            Definition::Other(_) => Some(("definition", "written as fields".to_owned())),
            Definition::None => None,
        },
        "location" => {
            let count = items("targets") + usize::from(spec.get("target").as_str().is_some());
            Some(("targets", count.to_string()))
        }
        "template" => Some(("steps", items("steps").to_string())),
        _ => None,
    };
    if let Some((label, text)) = text {
        flow.row(label, vec![Piece::text(text, Role::Text)]);
    }
    let owned: Vec<EntityId> = entity.targets("ownerOf").collect();
    if !owned.is_empty() {
        let counts = kind_counts(catalog, &owned);
        let pieces = counts.into_iter().map(|(kind, count)| Piece::text(plural(count, kind), Role::Text));
        flow.row("owns", pieces.collect());
    }
}

/// One row for each relation type that nothing above has shown.
fn preview_relations(cx: &Context, catalog: &Catalog, entity: &Entity<'_>, flow: &mut Flow<()>) {
    for (relation, ids) in relation_groups(catalog, entity.id()) {
        let trail = trail(catalog, entity);
        let is_shown = match relation {
            "ownedBy" => ids.len() == 1,
            "partOf" | "childOf" => ids.iter().all(|id| trail.contains(id)),
            "ownerOf" => true,
            _ => false,
        };
        if is_shown {
            continue;
        }
        let mut pieces: Vec<_> =
            ids.iter().take(NAMED).map(|id| Piece { span: target(cx, catalog, *id), thing: None }).collect();
        if ids.len() > NAMED {
            pieces.push(Piece::text(format!("{} more", ids.len() - NAMED), Role::Dim));
        }
        flow.row(&relation::words(relation), pieces);
    }
}

fn preview_links(entity: &Entity<'_>, flow: &mut Flow<()>) {
    let links = crate::app::subject::links(entity);
    let hidden = links.len().saturating_sub(LINKS);
    let mut label = "links";
    for (title, url) in links.into_iter().take(LINKS) {
        // where it leads; the whole address is in the overview and in the list of links
        let parsed = url::Url::parse(&url).ok();
        let host = parsed.as_ref().and_then(|url| url.host_str().or(Some(url.path()))).unwrap_or(&url);
        let mut pieces = Vec::new();
        if title != url {
            pieces.push(Piece::text(title, Role::Link));
        }
        pieces.push(Piece::text(host, Role::Dim));
        flow.row(std::mem::take(&mut label), pieces);
    }
    if hidden > 0 {
        flow.row("", vec![Piece::text(format!("{hidden} more"), Role::Dim)]);
    }
}

/// Returns what an entity is part of, the widest first; for a group its parents.
pub fn trail(catalog: &Catalog, entity: &Entity<'_>) -> Vec<EntityId> {
    const LONGEST: usize = 8;
    let parent = |entity: &Entity<'_>| {
        let parents = |wanted: &str| entity.relations().find(|r| r.relation == wanted).map(|r| r.target);
        entity.system().or_else(|| parents("childOf"))
    };
    let mut trail = Vec::new();
    let mut next = parent(entity);
    while let Some(id) = next {
        if trail.contains(&id) || id == entity.id() || trail.len() == LONGEST {
            break;
        }
        trail.push(id);
        next = catalog.entity(id).as_ref().and_then(parent);
    }
    trail.reverse();
    trail
}

/// Returns relation types with their targets, the ones asked for most first.
pub fn relation_groups(catalog: &Catalog, id: EntityId) -> Vec<(&str, Vec<EntityId>)> {
    let mut groups: Vec<(&str, Vec<EntityId>)> = Vec::new();
    for relation in catalog.relations(id) {
        match groups.last_mut() {
            Some((name, ids)) if *name == relation.relation => ids.push(relation.target),
            _ => groups.push((relation.relation, vec![relation.target])),
        }
    }
    groups.sort_by_key(|(name, _)| relation_rank(name));
    groups
}

/// Returns how many there are of each kind, the most first.
pub fn kind_counts<'a>(catalog: &'a Catalog, ids: &[EntityId]) -> Vec<(&'a str, usize)> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for id in ids {
        *kinds.entry(split_canonical(catalog.ref_of(*id)).0).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    kinds
}

/// What an API says of its interface.
#[derive(Debug, Clone, PartialEq)]
pub enum Definition<'a> {
    /// The text, placeholders filled in.
    Text(&'a str),
    /// A placeholder that nobody could fill in.
    NotFetched {
        /// What it names.
        address: String,
        /// Why not.
        reason: String,
    },
    /// Fields instead of a text.
    Other(ValueRef<'a>),
    /// Nothing.
    None,
}

impl<'a> Definition<'a> {
    /// Reads the definition of an entity.
    pub fn of(entity: &Entity<'a>) -> Self {
        let spec = entity.spec();
        let value = spec.get("definition");
        match value {
            ValueRef::String(text) => Self::Text(text),
            ValueRef::Null => match spec.get("remotes") {
                ValueRef::Null => Self::None,
                remotes => Self::Other(remotes),
            },
            ValueRef::Object(fields) => {
                let address = fields
                    .iter()
                    .find(|(key, _)| matches!(*key, "$text" | "$json" | "$yaml"))
                    .map(|(_, v)| v);
                match address {
                    Some(address) if fields.len() == 1 => Self::NotFetched {
                        address: address.scalar_text().unwrap_or_default().into_owned(),
                        reason: reason(entity),
                    },
                    _ => Self::Other(value),
                }
            }
            _ => Self::Other(value),
        }
    }
}

fn reason(entity: &Entity<'_>) -> String {
    let about =
        |pointer: &Option<String>| pointer.as_deref().is_some_and(|p| p.starts_with("/spec/definition"));
    let problem = entity.problems().find(|problem| about(&problem.pointer));
    problem.map_or_else(|| "nobody tried yet".to_owned(), |problem| problem.message.clone())
}

/// Returns lines and bytes of a text in words: `359 lines, 12.4 kB`.
pub fn size(text: &str) -> String {
    let bytes = match text.len() {
        bytes @ 0..1000 => format!("{bytes} B"),
        bytes @ 1000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1000.0),
        bytes => format!("{:.1} MB", bytes as f64 / 1_000_000.0),
    };
    format!("{}, {bytes}", plural(text.lines().count(), "line"))
}

/// Returns a number with its noun: `1 problem`, `3 entities`, `2 APIs`.
pub fn plural(count: usize, noun: &str) -> String {
    let number = crate::app::context::grouped(count);
    let noun = if noun == "api" { "API" } else { noun };
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        _ => format!("{number} {noun}s"),
    }
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

/// Relation types in the order people ask for them.
const ORDER: [&str; 16] = [
    "ownedBy",
    "partOf",
    "hasPart",
    "providesApi",
    "consumesApi",
    "apiProvidedBy",
    "apiConsumedBy",
    "dependsOn",
    "dependencyOf",
    "memberOf",
    "hasMember",
    "childOf",
    "parentOf",
    "scaffoldedFrom",
    "scaffolderOf",
    "ownerOf",
];

/// Returns the place of a relation type in lists; types that are not known stand last.
pub fn relation_rank(relation: &str) -> usize {
    ORDER.iter().position(|known| *known == relation).unwrap_or(ORDER.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::panes::test_support::{sample, yaml};

    #[test]
    fn sizes_are_readable() {
        assert_eq!(size(""), "0 lines, 0 B");
        assert_eq!(size("a"), "1 line, 1 B");
        assert_eq!(size(&"line\n".repeat(3000)), "3,000 lines, 15.0 kB");
    }

    fn shown(cx: &Context, canonical: &str, width: usize) -> Vec<String> {
        let lines = preview(cx, &cx.catalog, &cx.entity(canonical).unwrap(), width);
        let text = |line: &Line| line.iter().map(|span| span.text.as_str()).collect::<String>();
        lines.iter().map(|line| text(line).trim_end().to_owned()).collect()
    }

    #[test]
    fn a_preview_reads_well_at_fifty_columns() {
        let cx = sample(120, 40);
        let lines = shown(&cx, "component:default/checkout-api", 50);
        for line in [
            "Checkout API",
            "service  production",
            "owner            payments  payments@example.com",
            "consumes API     identity-api  payment-gateway-api",
            "links            Dashboard  grafana.example.com",
            "also             14 annotations  2 labels",
        ] {
            assert!(lines.iter().any(|shown| shown == line), "{line}\n{}", lines.join("\n"));
        }
        assert!(lines.iter().filter(|line| line.starts_with("owner")).count() == 1);
    }

    #[test]
    fn every_preview_fits() {
        let cx = sample(120, 40);
        for entity in cx.catalog.entities() {
            for width in [8, 20, 43, 50, 80] {
                let lines = preview(&cx, &cx.catalog, &entity, width);
                // kind, lifecycle and state share one line, which drawing may cut
                for line in lines.iter().skip(2) {
                    let cells = crate::ui::text::line_width(line);
                    assert!(cells <= width || *line == facts(&entity), "{line:?} at {width}");
                }
            }
        }
    }

    #[test]
    fn a_circle_of_parts_ends() {
        let system = |name: &str, of: &str| {
            format!(
                "apiVersion: backstage.io/v1alpha1\nkind: Domain\nmetadata: {{name: {name}}}\nspec: {{owner: o, subdomainOf: {of}}}\n---\n"
            )
        };
        let cx = yaml(&(system("a", "b") + &system("b", "a")), 80, 24);
        let trail = trail(&cx.catalog, &cx.entity("domain:default/a").unwrap());
        let names: Vec<_> = trail.iter().map(|id| cx.catalog.ref_of(*id)).collect();
        assert_eq!(names, ["domain:default/b"]);
    }
}
