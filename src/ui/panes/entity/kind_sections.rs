//! What the overview adds for each kind, and which fields of `spec` it has shown by that.

use super::thing::{Look, Tab, Thing};
use crate::app::place::Place;
use crate::app::subject;
use crate::catalog::{Entity, EntityId};
use crate::config::theme::Role;
use crate::model::entity_ref::split_canonical;
use crate::model::relation;
use crate::model::value::ValueRef;
use crate::model::{EntityRef, kinds};
use crate::ui::entity_lines::{self, Definition, plural, short_ref, size};
use crate::ui::theme::Sign;
use crate::ui::widgets::{Flow, Piece};

/// Items of a list that are named in one row.
const NAMED: usize = 30;

/// Adds what belongs to the kind.
pub fn add(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    match entity.kind().to_lowercase().as_str() {
        "api" => definition(look, entity, flow),
        "group" | "user" => person(look, entity, flow),
        "system" => parts(look, entity, flow, "system"),
        "domain" => parts(look, entity, flow, "domain"),
        "location" => location(look, entity, flow),
        "template" => template(entity, flow),
        _ => {}
    }
}

/// Returns the fields of `spec` that neither header, relations nor [`add`] show in full.
pub fn other_spec<'a>(entity: &Entity<'a>) -> Vec<(&'a str, ValueRef<'a>)> {
    let spec = entity.spec();
    let Some(fields) = spec.as_object() else {
        return if spec.is_null() { Vec::new() } else { vec![("spec", spec)] };
    };
    let value = entity.value();
    let stated = relation::stated(value);
    let version = value.get("apiVersion").as_str().unwrap_or("");
    let table = kinds::find(entity.kind(), version, spec.get("type").as_str())
        .or_else(|| kinds::find_by_name(entity.kind()))
        .map_or(kinds::FOREIGN, |kind| kind.spec);
    let is_relation = |key: &str, value: ValueRef<'_>| {
        let items = value.as_array().map_or(1, |items| items.len());
        table.iter().any(|field| field.name == key && field.relation.is_some())
            && stated.iter().filter(|s| s.field == key).count() == items
    };
    let is_shown = |key: &str, value: ValueRef<'_>| match (key, entity.kind().to_lowercase().as_str()) {
        ("type", _) => value.as_str() == Some(entity.entity_type()),
        ("lifecycle", _) => value.as_str() == Some(entity.lifecycle()),
        ("profile", "group" | "user") => value.as_object().is_some_and(|profile| {
            profile.iter().all(|(key, value)| {
                matches!(key, "displayName" | "email" | "picture") && value.as_str().is_some()
            })
        }),
        ("target", "location") => value.as_str().is_some(),
        ("targets", "location") => value.as_array().is_some_and(|t| t.iter().all(|t| t.as_str().is_some())),
        ("definition", "api") | ("parameters" | "steps", "template") => true,
        _ => is_relation(key, value),
    };
    fields.iter().filter(|(key, value)| !is_shown(key, *value)).collect()
}

fn definition(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let kind = entity.entity_type();
    let tab = |text: String| Piece::thing(text, Role::Link, Thing::Tab(Tab::Api));
    let pieces = match Definition::of(entity) {
        Definition::Text(text) => vec![tab(format!("{kind}, {}", size(text)))],
        Definition::Other(_) => vec![tab(format!("{kind}, written as fields"))],
        Definition::NotFetched { address, .. } => {
            let text = format!("{} {address}, not fetched", Sign::Unknown.text(look.cx));
            vec![Piece::text(text, Role::Unknown), tab("why".to_owned())]
        }
        Definition::None => return,
    };
    flow.blank();
    flow.row("definition", pieces);
}

fn person(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let profile = entity.spec().get("profile");
    flow.blank();
    if let Some(email) = profile.get("email").as_str() {
        let url = format!("mailto:{email}");
        let piece = if subject::is_openable(&url) {
            Piece::thing(email, Role::Link, Thing::Link { title: "e-mail".to_owned(), url })
        } else {
            Piece::text(email, Role::Text)
        };
        flow.row("e-mail", vec![piece]);
    }
    if let Some(picture) = profile.get("picture").as_str() {
        let piece = if subject::is_openable(picture) {
            let link = Thing::Link { title: "picture".to_owned(), url: picture.to_owned() };
            Piece::thing("picture", Role::Link, link)
        } else {
            Piece::text(picture, Role::Text)
        };
        flow.row("picture", vec![piece]);
    }
    for (label, relation) in
        [("parent", "childOf"), ("children", "parentOf"), ("groups", "memberOf"), ("members", "hasMember")]
    {
        let ids: Vec<EntityId> = entity.targets(relation).collect();
        let mut pieces: Vec<_> =
            ids.iter().take(NAMED).map(|id| super::overview::target(look, *id)).collect();
        if ids.len() > NAMED {
            let more = format!("{} more", ids.len() - NAMED);
            pieces.push(Piece::thing(more, Role::Link, Thing::Tab(Tab::Relations)));
        }
        flow.row(label, pieces);
    }
    let owned: Vec<EntityId> = entity.targets("ownerOf").collect();
    if owned.is_empty() {
        flow.row("owns", vec![Piece::text("nothing", Role::Dim)]);
    } else {
        flow.row("owns", counts(look, &owned, "owner"));
    }
}

fn parts(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>, key: &str) {
    let ids: Vec<EntityId> = entity.targets("hasPart").collect();
    flow.blank();
    if ids.is_empty() {
        flow.row("parts", vec![Piece::text("none", Role::Dim)]);
    } else {
        flow.row("parts", counts(look, &ids, key));
    }
}

/// Returns how many there are of each kind, each opening the catalog at them.
fn counts(look: &Look<'_>, ids: &[EntityId], key: &str) -> Vec<Piece<Thing>> {
    let own = short_ref(look.canonical);
    let piece = |(kind, count): (&str, usize)| {
        let place = Place::with("catalog", format!("{key}:{own} kind:{kind}"));
        Piece::thing(plural(count, kind), Role::Link, Thing::Place(place))
    };
    entity_lines::kind_counts(look.catalog, ids).into_iter().map(piece).collect()
}

fn location(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let spec = entity.spec();
    let listed = spec.get("targets").as_array();
    let targets: Vec<&str> = spec
        .get("target")
        .as_str()
        .into_iter()
        .chain(listed.iter().flat_map(crate::model::value::Items::iter).filter_map(ValueRef::as_str))
        .collect();
    let counts = came_from(look, entity, &targets);
    flow.heading("Targets", &plural(targets.len(), "target"));
    for (target, count) in targets.iter().zip(&counts) {
        let piece = if subject::is_openable(target) {
            let link = Thing::Link { title: "target".to_owned(), url: (*target).to_owned() };
            Piece::thing(*target, Role::Link, link)
        } else {
            Piece::text(*target, Role::Text)
        };
        let note = match count {
            0 => Piece::text("nothing came from it", Role::Warn),
            count => Piece::text(plural(*count, "entity"), Role::Dim),
        };
        flow.pieces(0, vec![piece, note]);
    }
    flow.row("in all", vec![Piece::text(plural(counts.iter().sum(), "entity"), Role::Text)]);
}

/// Counts the entities that each target of a Location brought, itself not included.
fn came_from(look: &Look<'_>, entity: &Entity<'_>, targets: &[&str]) -> Vec<usize> {
    let base = entity.file().location_ref;
    let matchers: Vec<_> = targets.iter().map(|target| matcher(base, target)).collect();
    let mut counts = vec![0; targets.len()];
    for other in look.catalog.entities().filter(|other| other.id() != entity.id()) {
        let place = other.file().location_ref;
        let hit = matchers.iter().position(|matcher| matcher.as_ref().is_some_and(|m| m.is_match(place)));
        if let Some(count) = hit.and_then(|at| counts.get_mut(at)) {
            *count += 1;
        }
    }
    counts
}

/// Returns what recognises the location refs that a target stands for.
fn matcher(base: &str, target: &str) -> Option<globset::GlobMatcher> {
    let (scheme, path) = base.split_once(':')?;
    let pattern = if target.contains("://") {
        format!("url:{target}")
    } else {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut parts: Vec<&str> =
            if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
        for part in target.split('/') {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        format!("{scheme}:{}", parts.join("/"))
    };
    globset::GlobBuilder::new(&pattern)
        .literal_separator(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher())
}

fn template(entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let spec = entity.spec();
    let parameters = spec.get("parameters");
    let pages: Vec<ValueRef<'_>> = match parameters {
        ValueRef::Array(pages) => pages.iter().collect(),
        ValueRef::Object(_) => vec![parameters],
        _ => Vec::new(),
    };
    if !pages.is_empty() {
        flow.heading("Parameters", &plural(pages.len(), "page"));
    }
    for (at, page) in pages.iter().enumerate() {
        let title = page.get("title").as_str().unwrap_or("without a title");
        flow.pieces(0, vec![Piece::text(format!("{} {title}", at + 1), Role::Accent)]);
        let required = page.get("required").as_array();
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|n| n.as_str() == Some(name)));
        let fields = page.get("properties").as_object();
        let pieces = fields.iter().flat_map(crate::model::value::Fields::iter).map(|(name, field)| {
            let title = field.get("title").as_str().unwrap_or(name);
            Piece::text(format!("{title}{}", if is_required(name) { " *" } else { "" }), Role::Text)
        });
        let pieces: Vec<_> = pieces.collect();
        if !pieces.is_empty() {
            flow.pieces(2, pieces);
        }
    }
    let steps = spec.get("steps").as_array();
    let steps: Vec<ValueRef<'_>> = steps.iter().flat_map(crate::model::value::Items::iter).collect();
    if steps.is_empty() {
        return;
    }
    flow.heading("Steps", &plural(steps.len(), "step"));
    let text = |step: &ValueRef<'_>, key: &str| step.get(key).scalar_text().unwrap_or_default().into_owned();
    let actions =
        steps.iter().map(|step| crate::model::text::width(&text(step, "action"))).max().unwrap_or(0);
    for (at, step) in steps.iter().enumerate() {
        let name = [text(step, "name"), text(step, "id")].into_iter().find(|name| !name.is_empty());
        let condition = match (text(step, "if").as_str(), text(step, "each").as_str()) {
            ("", "") => String::new(),
            ("", each) => format!("  for each of {each}"),
            (condition, _) => format!("  if {condition}"),
        };
        flow.columns(
            0,
            vec![
                (Piece::text(format!("{}", at + 1), Role::Dim), 2),
                (Piece::text(text(step, "action"), Role::Accent), actions.min(flow.width() / 2)),
                (Piece::text(format!("{}{condition}", name.unwrap_or_default()), Role::Text), 0),
            ],
        );
    }
}

/// Says who names a ref that nobody describes, and what to do about it.
pub fn missing(look: &Look<'_>, flow: &mut Flow<Thing>) {
    flow.blank();
    let Some(id) = look.id else {
        let text = "It was there before the sources were read again. A file was moved, or its name, kind \
                    or namespace changed.";
        flow.text(text, Role::Text);
        return;
    };
    let (kind, namespace, name) = split_canonical(look.canonical);
    let known = kinds::find_by_name(kind).map_or(kind, |kind| kind.name);
    let place = if namespace == "default" { String::new() } else { format!(" and `namespace: {namespace}`") };
    flow.text(
        &format!(
            "Nothing here describes it. Add a file with `kind: {known}` and `name: {name}`{place}, add the \
             source that has one, or correct the ref where it is named."
        ),
        Role::Text,
    );
    let mut hints = Vec::new();
    let relations: Vec<_> = look.catalog.relations(id).collect();
    flow.heading("Named by", &relations.len().to_string());
    for relation in relations {
        let Some(entity) = look.catalog.entity(relation.target) else { continue };
        let words = relation::words(relation::reverse(relation.relation).unwrap_or(relation.relation));
        let (line, column) = mark(&entity, look.canonical).unwrap_or((entity.location().line, 1));
        let span = crate::ui::entity_lines::target(look.cx, look.catalog, relation.target);
        let thing = Thing::Mention { entity: entity.entity_ref().to_owned(), line, column };
        flow.pieces(
            0,
            vec![
                Piece { span, thing: Some(thing) },
                Piece::text(words, Role::Text),
                Piece::text(format!("{}:{line}", entity.location().file), Role::Dim),
            ],
        );
        let own = format!("`{}`", look.canonical);
        hints.extend(entity.problems().filter(|p| p.message.contains(&own)).filter_map(|p| p.hint.clone()));
    }
    hints.sort();
    hints.dedup();
    for hint in hints {
        flow.blank();
        flow.text(&format!("hint: {hint}"), Role::Info);
    }
}

/// Finds line and column where an entity names a ref.
fn mark(entity: &Entity<'_>, canonical: &str) -> Option<(u32, u32)> {
    let wanted = EntityRef::parse_full(canonical).ok()?;
    let at = relation::stated(entity.value()).iter().position(|stated| stated.target == wanted)?;
    entity.marks().get(at).map(|[line, column]| (*line, *column))
}
