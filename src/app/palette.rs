//! The palette: places, entities and actions by name; and the grammar of its lines.
//!
//! A line is a place word with an argument (`catalog owner:me`, `graph checkout-api`), a kind word
//! (`apis`), a ref or the name of an entity, a theme (`theme dark`), a view (`view NAME`, `view save
//! NAME`), `messages`, `tasks`, `q`. `devportal open PLACE` reads the same lines.

use super::App;
use super::commands::{Availability, id};
use super::context::Context;
use super::event::{Effect, Level, Memory};
use super::overlay::{Item, Mode, Overlay, OverlayKind};
use super::place::{KUBERNETES, Place};
use crate::model::entity_ref::split_canonical;
use crate::model::text::nearest;

/// Most entities the palette offers at once.
pub const MAX_ENTITIES: usize = 50;

/// Words for kinds of entities, as people type them.
pub const KIND_WORDS: &[(&str, &str)] = &[
    ("component", "component"),
    ("components", "component"),
    ("comp", "component"),
    ("services", "component"),
    ("api", "api"),
    ("apis", "api"),
    ("resource", "resource"),
    ("resources", "resource"),
    ("res", "resource"),
    ("system", "system"),
    ("systems", "system"),
    ("sys", "system"),
    ("domain", "domain"),
    ("domains", "domain"),
    ("group", "group"),
    ("groups", "group"),
    ("team", "group"),
    ("teams", "group"),
    ("user", "user"),
    ("users", "user"),
    ("people", "user"),
    ("location", "location"),
    ("locations", "location"),
    ("loc", "location"),
    ("template", "template"),
    ("templates", "template"),
];

/// Returns the palette with its places and actions; entities come as answers to what is typed.
pub fn overlay(app: &App) -> Overlay {
    let mut items = Vec::new();
    for spec in app.cx.panes {
        if let Some(go) = &spec.go {
            items.push(Item {
                keys: app.cx.key(go.id),
                heading: "Places",
                ..Item::new(spec.id, vec![Effect::Run(go.id)]).detail(spec.help)
            });
        }
    }
    for (name, line) in &app.cx.views {
        if let Some(effects) = read_line(line, &app.cx) {
            items.push(Item { heading: "Views", ..Item::new(name, effects).detail(line) });
        }
    }
    for row in app.rows().into_iter().filter(|row| row.id != id::PALETTE && !row.id.0.starts_with("move.")) {
        if app.cx.panes.iter().any(|spec| spec.go.is_some_and(|go| go.id == row.id)) {
            continue;
        }
        let disabled = match app.availability(row) {
            Availability::Available => None,
            Availability::Disabled(reason) => Some(reason),
        };
        items.push(Item {
            keys: app.cx.key(row.id),
            heading: "Actions",
            disabled,
            ..Item::new(row.title, vec![Effect::Run(row.id)]).detail(row.help)
        });
    }
    let mut overlay = Overlay::new(OverlayKind::Palette, "go to", Mode::Typing, items);
    overlay.history.clone_from(&app.palette_lines);
    overlay
}

/// Asks for entities after the typed text changed.
pub fn typed(overlay: &mut Overlay, cx: &Context) -> Vec<Effect> {
    overlay.items.retain(|item| !matches!(item.heading, "Entities" | LINE));
    overlay.narrow();
    let text = overlay.input.text().trim().to_owned();
    if text.is_empty() {
        return Vec::new();
    }
    // a line with an argument, or a word for objects of clusters: `enter` reads it, so the list shows it first
    let is_line =
        text.contains(char::is_whitespace) || cx.kubernetes.find_kind(&text.to_lowercase()).is_some();
    if let Some(effects) = read_line(&text, cx).filter(|_| is_line) {
        overlay.items.push(Item { heading: LINE, ..Item::new(text.clone(), effects) });
        overlay.shown.insert(0, overlay.items.len() - 1);
    }
    overlay.generation = cx.next_generation();
    vec![Effect::Pick { generation: overlay.generation, text }]
}

/// Heading of the row for the line as it is typed.
const LINE: &str = "Line";

/// Puts the entities found below the places and actions that match, without moving the cursor.
pub fn answer(overlay: &mut Overlay, refs: &[String], cx: &Context) {
    overlay.items.retain(|item| item.heading != "Entities");
    overlay.shown.retain(|at| *at < overlay.items.len());
    let exact = overlay.input.text().trim().to_lowercase();
    let mut first = Vec::new();
    for canonical in refs.iter().take(MAX_ENTITIES) {
        let (kind, namespace, name) = split_canonical(canonical);
        let place = if namespace == "default" { kind.to_owned() } else { format!("{kind} in {namespace}") };
        let title = cx.entity(canonical).and_then(|e| e.title()).filter(|t| *t != name);
        let detail = title.map_or(place.clone(), |title| format!("{place} · {title}"));
        let item = Item {
            heading: "Entities",
            ..Item::new(name, vec![Effect::Open(Place::entity(canonical))]).detail(detail)
        };
        overlay.items.push(item);
        if name == exact { &mut first } else { &mut overlay.shown }.push(overlay.items.len() - 1);
    }
    // an exact name is what was meant, unless the user has moved already
    if overlay.list.cursor == 0 {
        overlay.shown.splice(0..0, first);
    } else {
        overlay.shown.extend(first);
    }
}

/// Carries out a typed line; `chosen` are the effects of the row under the cursor.
///
/// A line with an argument is read as a line; a single word chooses the row, so that fuzzy words work.
pub fn carry_out(line: &str, chosen: Option<Vec<Effect>>, cx: &Context) -> Vec<Effect> {
    let read = read_line(line, cx);
    match (read, chosen) {
        (Some(effects), None) => effects,
        (Some(effects), Some(_)) if line.contains(char::is_whitespace) || is_word(line, cx) => effects,
        (_, Some(chosen)) => chosen,
        (None, None) => {
            let words = cx.panes.iter().map(|spec| spec.id).chain(KIND_WORDS.iter().map(|(word, _)| *word));
            let first = line.split_whitespace().next().unwrap_or(line);
            let near = nearest(first, words);
            let hint = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            vec![Effect::Toast(Level::Error, format!("there is no place, entity or action `{line}`{hint}"))]
        }
    }
}

/// Reads a line of the palette's grammar; `None` when it names nothing.
pub fn read_line(line: &str, cx: &Context) -> Option<Vec<Effect>> {
    let line = line.trim().trim_start_matches(':');
    let replaced = expand_alias(line, cx);
    let line = replaced.as_deref().unwrap_or(line);
    let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(w, r)| (w, r.trim()));
    let lower = word.to_lowercase();
    match (lower.as_str(), rest) {
        ("q" | "quit" | "exit", "") => return Some(vec![Effect::Quit]),
        ("messages", "") => return Some(vec![Effect::Run(id::MESSAGES)]),
        ("tasks", "") => return Some(vec![Effect::Run(id::TASKS)]),
        ("help", "") => return Some(vec![Effect::Run(id::HELP)]),
        ("theme", "") => return Some(vec![Effect::Run(id::THEME)]),
        ("theme", name) => return Some(vec![Effect::Set("theme", name.to_owned())]),
        ("unlock" | "lock", "") => return Some(vec![Effect::Run(id::UNLOCK)]),
        ("unlock" | "lock", name) => return Some(vec![Effect::Choose(id::UNLOCK, name.to_owned())]),
        ("view", rest) => return read_view(rest, cx),
        _ => {}
    }
    if let Some(place) = read_place(line, cx) {
        return Some(vec![Effect::Open(place)]);
    }
    let row = cx.rows().find(|(_, row)| row.id.0 == lower || (rest.is_empty() && row.title == line));
    row.map(|(_, row)| vec![Effect::Run(row.id)])
}

/// Replaces an alias at the start of a line; what it stands for is not replaced again.
fn expand_alias(line: &str, cx: &Context) -> Option<String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let (_, stands_for) = cx.aliases.iter().find(|(name, _)| name == word)?;
    Some(format!("{} {rest}", stands_for.trim_start_matches(':')).trim().to_owned())
}

/// Reads a place line: a place word with its argument, a kind word, a ref or the name of an entity.
pub fn read_place(line: &str, cx: &Context) -> Option<Place> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(w, r)| (w, r.trim()));
    let lower = word.to_lowercase();
    if let Some(spec) = cx.panes.iter().find(|s| s.id == lower || s.aliases.contains(&lower.as_str())) {
        return (spec.go.is_some() || !rest.is_empty()).then(|| Place::with(spec.id, rest));
    }
    if let Some((_, kind)) = KIND_WORDS.iter().find(|(word, _)| *word == lower) {
        let filter = format!("kind:{kind} {rest}");
        return Some(Place::with("catalog", filter.trim_end()));
    }
    // `pods shop @prod-eu`, as long as no ref of an entity is meant: `deploy` is a kind, `pod:x` is none
    if !lower.contains(':') && cx.kubernetes.find_kind(&lower).is_some() {
        return cx
            .panes
            .iter()
            .any(|spec| spec.id == KUBERNETES)
            .then(|| Place::with(KUBERNETES, format!("{lower} {rest}").trim_end()));
    }
    let canonical = find_entity(word, cx)?;
    let argument = if rest.is_empty() { canonical } else { format!("{canonical} {rest}") };
    Some(Place::with(super::place::ENTITY, argument))
}

/// Finds the entity a person means by a ref or a bare name; the most catalog-like kind wins.
pub fn find_entity(text: &str, cx: &Context) -> Option<String> {
    if text.contains(':') {
        let canonical = crate::model::EntityRef::parse_full(text).ok()?.to_string();
        return cx.catalog.find(&canonical).map(|_| canonical);
    }
    let (namespace, name) = text.split_once('/').map_or((None, text), |(ns, name)| (Some(ns), name));
    let (namespace, name) = (namespace.map(str::to_lowercase), name.to_lowercase());
    let rank = |kind: &str| KIND_WORDS.iter().position(|(_, k)| *k == kind).unwrap_or(usize::MAX);
    cx.catalog
        .ids()
        .map(|id| cx.catalog.ref_of(id))
        .filter(|canonical| {
            let (_, ns, n) = split_canonical(canonical);
            n == name && namespace.as_deref().is_none_or(|wanted| wanted == ns)
        })
        .min_by_key(|canonical| (rank(split_canonical(canonical).0), *canonical))
        .map(str::to_owned)
}

fn read_view(rest: &str, cx: &Context) -> Option<Vec<Effect>> {
    if let Some(name) = rest.strip_prefix("save ").map(str::trim).filter(|n| !n.is_empty()) {
        return Some(vec![Effect::Choose(id::SAVE_VIEW, name.to_owned())]);
    }
    let (_, line) = cx.views.iter().find(|(name, _)| name == rest)?;
    read_line(line, cx)
}

fn is_word(line: &str, cx: &Context) -> bool {
    let lower = line.to_lowercase();
    matches!(
        lower.as_str(),
        "q" | "quit" | "exit" | "messages" | "tasks" | "help" | "theme" | "unlock" | "lock"
    ) || cx.panes.iter().any(|spec| spec.id == lower || spec.aliases.contains(&lower.as_str()))
        || KIND_WORDS.iter().any(|(word, _)| *word == lower)
        || (lower.contains(':') && find_entity(line, cx).is_some())
        || cx.kubernetes.find_kind(&lower).is_some()
}

/// Returns the memory effect of a saved view.
pub fn save_view(name: &str, place: &Place) -> Effect {
    Effect::Remember(Memory::View { name: name.to_owned(), place: place.to_string() })
}
