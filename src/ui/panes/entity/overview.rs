//! The overview: everything the descriptor says, and what surrounds the entity.
//!
//! Sections are added to a [`Flow`]; [`regions`] decides how many of them stand side by side. What the
//! model does not know is shown as it is written, so that nothing of a descriptor is lost here.

use super::header::header;
use super::kind_sections;
use super::page::Region;
use super::thing::{Look, Tab, Thing};
use super::value::{self, yaml};
use crate::app::subject;
use crate::catalog::{Entity, EntityId};
use crate::config::theme::Role;
use crate::model::text::width;
use crate::model::value::ValueRef;
use crate::model::{kinds, relation};
use crate::ui::entity_lines::{self, plural};
use crate::ui::text::span;
use crate::ui::theme::Sign;
use crate::ui::widgets::{Flow, Panel, Piece};
use ratatui::layout::Rect;

/// Columns from which facts and relations stand side by side.
pub const SPLIT: u16 = 100;
/// Columns from which what is near stands beside them.
pub const WIDE: u16 = 180;
/// Targets of one relation type that are listed.
const TARGETS: usize = 50;
/// Neighbours that are listed.
const NEIGHBOURS: usize = 60;
/// Bytes of YAML in the third column.
const YAML: usize = 16_000;

/// Returns the regions of the overview inside an area.
pub fn regions(look: &Look<'_>, area: Rect, is_single: bool) -> Vec<Region> {
    if area.width < SPLIT || is_single {
        return vec![single(look, area)];
    }
    let head = header(look, area.width);
    let lines = (head.lines.len() as u16).min(area.height / 2);
    let (top, body) = (
        Rect { height: lines, ..area },
        Rect { y: area.y + lines, height: area.height.saturating_sub(lines), ..area },
    );
    let column = |x: u16, width: u16| Rect { x: body.x + x, width, ..body };
    let inner = |area: Rect| Panel::inner(area).width;
    let mut out = vec![Region::plain(top, head)];
    let (left, middle) = if area.width >= WIDE {
        (area.width * 2 / 5, area.width * 3 / 10)
    } else {
        (area.width / 2, area.width - area.width / 2)
    };
    let left_area = column(0, left);
    let mut facts = Flow::new(inner(left_area));
    about(look, &mut facts);
    facets(look, &mut facts);
    out.push(Region::framed("About", "", left_area, facts));
    let middle_area = column(left, middle);
    let mut related = Flow::new(inner(middle_area));
    relations(look, &mut related, false);
    let count = plural(look.relation_count(), "relation");
    out.push(Region::framed("Relations", &count, middle_area, related));
    if area.width >= WIDE {
        let right_area = column(left + middle, area.width - left - middle);
        let mut near = Flow::new(inner(right_area));
        problems(look, &mut near);
        neighbours(look, &mut near);
        source(look, &mut near);
        out.push(Region::framed("Near", "", right_area, near));
    }
    out
}

/// Everything below each other.
fn single(look: &Look<'_>, area: Rect) -> Region {
    let mut flow = header(look, area.width);
    about(look, &mut flow);
    relations(look, &mut flow, true);
    facets(look, &mut flow);
    problems(look, &mut flow);
    Region::plain(area, flow)
}

/// Returns a relation's target that can be followed.
pub fn target(look: &Look<'_>, id: EntityId) -> Piece<Thing> {
    let span = entity_lines::target(look.cx, look.catalog, id);
    Piece { span, thing: Some(Thing::Entity(look.catalog.ref_of(id).to_owned())) }
}

/// Description, what belongs to the kind, links.
fn about(look: &Look<'_>, flow: &mut Flow<Thing>) {
    let Some(entity) = &look.entity else {
        kind_sections::missing(look, flow);
        return;
    };
    let description = entity.description().trim();
    flow.blank();
    if description.is_empty() {
        flow.text("no description", Role::Dim);
    } else {
        flow.text(description, Role::Text);
    }
    kind_sections::add(look, entity, flow);
    links(look, entity, flow);
}

fn links(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let own = entity.metadata("links").as_array();
    let items = || own.iter().flat_map(crate::model::value::Items::iter);
    let mut all = subject::links(entity);
    if matches!(entity.kind().to_lowercase().as_str(), "group" | "user") {
        // the address stands above
        all.retain(|(_, url)| !url.starts_with("mailto:"));
    }
    // what cannot be opened is shown all the same
    let broken: Vec<_> = items()
        .filter(|item| item.get("url").as_str().is_none_or(|url| !subject::is_openable(url)))
        .collect();
    if all.is_empty() && broken.is_empty() {
        return;
    }
    flow.heading("Links", "");
    for (title, url) in all {
        let item = items().find(|item| item.get("url").as_str() == Some(&url));
        let word = |key: &str| item.and_then(|item| item.get(key).as_str());
        let shown = if title == url { host(&url) } else { title.clone() };
        let mut pieces =
            vec![Piece::thing(shown, Role::Link, Thing::Link { title: title.clone(), url: url.clone() })];
        let words: Vec<&str> = [word("icon"), word("type").filter(|t| Some(*t) != word("icon"))]
            .into_iter()
            .flatten()
            .filter(|word| !word.eq_ignore_ascii_case(&title))
            .collect();
        if !words.is_empty() {
            pieces.push(Piece::text(format!("({})", words.join(", ")), Role::Dim));
        }
        let beside: usize = pieces.iter().map(|piece| width(&piece.span.text) + 2).sum();
        if beside + width(&url) <= flow.width() {
            pieces.push(Piece::text(url, Role::Dim));
            flow.pieces(0, pieces);
        } else {
            flow.pieces(0, pieces);
            flow.indented(2, &url, Role::Dim);
        }
    }
    for item in broken {
        let sign = Sign::Warn.text(look.cx);
        flow.pair(&format!("{sign} not a web address"), yaml(item, 400).0.trim(), 24, Role::Text);
    }
}

/// Returns the host of an address, to name a link without a title.
fn host(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    parsed.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| url.to_owned())
}

/// Returns relation types with their targets, the ones asked for most first.
pub fn relation_groups<'a>(look: &Look<'a>) -> Vec<(&'a str, Vec<EntityId>)> {
    look.id.map(|id| entity_lines::relation_groups(look.catalog, id)).unwrap_or_default()
}

fn relations(look: &Look<'_>, flow: &mut Flow<Thing>, with_heading: bool) {
    let groups = relation_groups(look);
    if look.entity.is_none() {
        return;
    }
    if with_heading {
        flow.heading(
            "Relations",
            &if groups.is_empty() { String::new() } else { look.relation_count().to_string() },
        );
    }
    if groups.is_empty() {
        flow.text("none: it names nothing, and nothing names it", Role::Dim);
        return;
    }
    let shown = || groups.iter().flat_map(|(_, ids)| ids.iter().take(TARGETS));
    let cells = target_cells(look, flow, shown());
    for (at, (relation, ids)) in groups.iter().enumerate() {
        if at > 0 && !with_heading {
            flow.blank();
        }
        let count = if ids.len() > 1 { format!("  {}", ids.len()) } else { String::new() };
        flow.line(vec![span(relation::words(relation), Role::Accent), span(count, Role::Dim)]);
        for id in ids.iter().take(TARGETS) {
            target_row(look, flow, *id, cells);
        }
        if ids.len() > TARGETS {
            let more = format!("{} more in the list of relations", ids.len() - TARGETS);
            flow.pieces(2, vec![Piece::thing(more, Role::Link, Thing::Tab(Tab::Relations))]);
        }
    }
}

/// Returns the cells that names and kinds of targets take, so that all rows align.
fn target_cells<'a>(
    look: &Look<'_>,
    flow: &Flow<Thing>,
    ids: impl Iterator<Item = &'a EntityId>,
) -> (usize, usize) {
    let (mut name, mut kind) = (8, 6);
    for id in ids {
        name = name.max(width(&entity_lines::target(look.cx, look.catalog, *id).text));
        kind =
            kind.max(look.catalog.entity(*id).map_or(0, |entity| width(&entity_lines::kind_words(&entity))));
    }
    (name.min((flow.width() / 2).max(8)), kind.min(24))
}

/// Adds a target with its kind and, if there is room, its owner.
fn target_row(look: &Look<'_>, flow: &mut Flow<Thing>, id: EntityId, (name, kind): (usize, usize)) {
    let mut cells = vec![(target(look, id), name)];
    match look.catalog.entity(id) {
        Some(entity) => {
            cells.push((Piece::text(entity_lines::kind_words(&entity), Role::Text), kind));
            if flow.width() >= name + kind + 14 {
                let owner = entity.owner().map(|id| entity_lines::short_ref(look.catalog.ref_of(id)));
                cells.push((Piece::text(owner.unwrap_or_default(), Role::Dim), 0));
            }
        }
        None => cells.push((Piece::text("described in no file", Role::Unknown), 0)),
    }
    flow.columns(2, cells);
}

/// Tags, labels, annotations, and all of the descriptor that nothing else shows.
fn facets(look: &Look<'_>, flow: &mut Flow<Thing>) {
    let Some(entity) = &look.entity else { return };
    let tags: Vec<&str> = entity.tags().collect();
    if !tags.is_empty() {
        flow.heading("Tags", "");
        flow.pieces(0, tags.into_iter().map(|tag| Piece::text(tag, Role::Text)).collect());
    }
    for (title, key) in [("Labels", "labels"), ("Annotations", "annotations")] {
        let Some(fields) = entity.metadata(key).as_object().filter(|fields| !fields.is_empty()) else {
            continue;
        };
        flow.heading(title, "");
        let mut all: Vec<(&str, ValueRef<'_>)> = fields.iter().collect();
        all.sort_by_key(|(key, _)| annotation_rank(key));
        let column = column_of(all.iter().map(|(key, _)| *key));
        for (key, value) in all {
            value::field(flow, key, value, column);
        }
    }
    let spec = kind_sections::other_spec(entity);
    let value = entity.value();
    let version = value.get("apiVersion").scalar_text().filter(|version| {
        entity.is_unknown_kind()
            || kinds::find_by_name(entity.kind())
                .is_none_or(|kind| !kind.api_versions.contains(&version.as_ref()))
    });
    if !spec.is_empty() || version.is_some() {
        flow.heading("Spec", "");
        let column = column_of(spec.iter().map(|(key, _)| *key)).max(12);
        if let Some(version) = version {
            flow.pair("apiVersion", &version, column, Role::Text);
        }
        for (key, value) in spec {
            value::field(flow, key, value, column);
        }
    }
    let metadata = value.get("metadata").as_object();
    let more = metadata
        .iter()
        .flat_map(crate::model::value::Fields::iter)
        .filter(|(key, value)| !is_shown(key, *value));
    let root = value.as_object();
    let stray = root
        .iter()
        .flat_map(crate::model::value::Fields::iter)
        .filter(|(key, _)| !matches!(*key, "apiVersion" | "kind" | "metadata" | "spec"));
    for (title, fields) in [("Other metadata", more.collect::<Vec<_>>()), ("Other fields", stray.collect())] {
        if fields.is_empty() {
            continue;
        }
        flow.heading(title, "");
        let column = column_of(fields.iter().map(|(key, _)| *key));
        for (key, value) in fields {
            value::field(flow, key, value, column);
        }
    }
}

/// Cells that a column of keys takes, the gap included.
fn column_of<'a>(keys: impl Iterator<Item = &'a str>) -> usize {
    keys.map(width).max().unwrap_or(0) + 2
}

/// Returns whether a field of `metadata` stands elsewhere in the overview, in full.
fn is_shown(key: &str, value: ValueRef<'_>) -> bool {
    match key {
        "name" | "namespace" | "title" | "description" => value.as_str().is_some(),
        "labels" | "annotations" => value.as_object().is_some(),
        "links" => value.as_array().is_some(),
        "tags" => value.as_array().is_some_and(|tags| tags.iter().all(|tag| tag.as_str().is_some())),
        _ => false,
    }
}

/// Annotations that say most about an entity; they stand first, in this order.
const KNOWN: &[&str] = &[
    "backstage.io/techdocs-ref",
    "backstage.io/techdocs-entity",
    "backstage.io/adr-location",
    "backstage.io/source-location",
    "backstage.io/view-url",
    "backstage.io/edit-url",
    "github.com/project-slug",
    "github.com/team-slug",
    "github.com/user-login",
    "gitlab.com/project-slug",
    "backstage.io/kubernetes-id",
    "backstage.io/kubernetes-label-selector",
    "backstage.io/kubernetes-namespace",
    "backstage.io/kubernetes-cluster",
    "argocd/app-name",
    "prometheus.io/rule",
    "prometheus.io/alert",
    "grafana/dashboard-selector",
    "pagerduty.com/integration-key",
    "pagerduty.com/service-id",
    "opsgenie.com/component-selector",
    "sentry.io/project-slug",
    "sonarqube.org/project-key",
    "jenkins.io/job-full-name",
    "backstage.io/managed-by-location",
    "backstage.io/managed-by-origin-location",
    "backstage.io/orphan",
];

/// Known annotations first, then those of Backstage, then the rest; else in the order of the file.
fn annotation_rank(key: &str) -> usize {
    let known = KNOWN.iter().position(|known| *known == key);
    known.unwrap_or_else(|| KNOWN.len() + usize::from(!key.starts_with("backstage.io/")))
}

/// The problems in short; `enter` goes to the tab that says everything about them.
fn problems(look: &Look<'_>, flow: &mut Flow<Thing>) {
    let Some(entity) = &look.entity else { return };
    let count = entity.problems().count();
    if count == 0 {
        return;
    }
    flow.heading("Problems", &count.to_string());
    for (at, problem) in entity.problems().enumerate() {
        let sign = if problem.is_error() { Sign::Error } else { Sign::Warn };
        let place = problem.location.as_ref().map(|location| format!("line {}", location.line));
        let text = format!("{} {}", sign.text(look.cx), place.as_deref().unwrap_or(problem.code));
        flow.pieces(0, vec![Piece::thing(text, sign.role(), Thing::Problem(at))]);
        flow.indented(2, &problem.message, Role::Text);
    }
}

/// The other parts of what it is part of.
fn neighbours(look: &Look<'_>, flow: &mut Flow<Thing>) {
    let Some(parent) = look.trail().last().copied() else { return };
    let parts: Vec<EntityId> = look
        .catalog
        .relations(parent)
        .filter(|r| matches!(r.relation, "hasPart" | "parentOf") && Some(r.target) != look.id)
        .map(|r| r.target)
        .collect();
    if parts.is_empty() {
        return;
    }
    let name = entity_lines::short_ref(look.catalog.ref_of(parent));
    flow.heading(&format!("Also in {name}"), &parts.len().to_string());
    let cells = target_cells(look, flow, parts.iter().take(NEIGHBOURS));
    for id in parts.iter().take(NEIGHBOURS) {
        target_row(look, flow, *id, cells);
    }
    if parts.len() > NEIGHBOURS {
        let more = format!("{} more in {name}", parts.len() - NEIGHBOURS);
        let parent = look.catalog.ref_of(parent).to_owned();
        flow.pieces(2, vec![Piece::thing(more, Role::Link, Thing::Entity(parent))]);
    }
}

/// The entity as it was understood, in short.
fn source(look: &Look<'_>, flow: &mut Flow<Thing>) {
    let Some(entity) = &look.entity else { return };
    flow.heading("As it was read", "");
    let (text, is_cut) = yaml(entity.value(), YAML);
    flow.text(text.trim_end(), Role::Dim);
    if is_cut {
        flow.pieces(0, vec![Piece::thing("the rest is in the raw file", Role::Link, Thing::Tab(Tab::Raw))]);
    }
}
