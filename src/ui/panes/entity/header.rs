//! The facts above everything else: name, kind, owner with contact, place in the company, origin.

use super::thing::{Look, Tab, Thing};
use crate::app::subject;
use crate::catalog::Entity;
use crate::config::theme::Role;
use crate::diagnostic::Severity;
use crate::model::entity_ref::split_canonical;
use crate::ui::entity_lines::{self, plural};
use crate::ui::text::{Line, Span, span};
use crate::ui::theme::Sign;
use crate::ui::widgets::{Flow, Piece};

/// Links of the owner that are offered beside it.
const CONTACTS: usize = 3;

/// Returns the header for a region of this many cells.
pub fn header(look: &Look<'_>, region: u16) -> Flow<Thing> {
    let mut flow = Flow::new(region);
    // pieces, so that a long title goes on in the next line
    flow.pieces(0, name_line(look).iter().map(piece).collect());
    let Some(entity) = &look.entity else {
        missing(look, &mut flow);
        return flow;
    };
    facts(look, entity, &mut flow);
    owner(look, entity, &mut flow);
    trail(look, &mut flow);
    super::kubernetes::add_runs(look, &mut flow);
    origin(look, entity, &mut flow);
    flow
}

/// Returns a span of a line as a piece of text, without the spaces that set it off there.
fn piece(part: &Span) -> Piece<Thing> {
    Piece::text(part.text.trim(), part.role)
}

/// Returns name, title and star.
pub fn name_line(look: &Look<'_>) -> Line {
    let name = look.entity.map_or_else(|| split_canonical(look.canonical).2, |entity| entity.name());
    let mut line = vec![span(name, Role::Title)];
    if let Some(title) = look.entity.and_then(|e| e.title()).filter(|title| *title != name) {
        line.push(span(format!("  {title}"), Role::Text));
    }
    if look.cx.stars.contains(look.canonical) {
        line.push(span(if look.cx.ascii { "  * starred" } else { "  ★ starred" }, Role::Accent));
    }
    line
}

/// Returns kind, lifecycle, owner and state in one line, for the tabs that have no header.
pub fn summary(look: &Look<'_>) -> Line {
    let mut line = name_line(look);
    line.push(span("  ", Role::Text));
    let Some(entity) = &look.entity else {
        line.push(span(absence(look), Role::Unknown));
        return line;
    };
    line.extend(entity_lines::facts(entity));
    line.extend(entity_lines::broken_mark(look.cx, look.canonical));
    if let Some(owner) = entity.owner() {
        line.push(span("  owner ", Role::Dim));
        line.push(entity_lines::target(look.cx, look.catalog, owner));
    }
    line
}

/// Says in what way nobody describes the ref.
pub fn absence(look: &Look<'_>) -> String {
    let sign = Sign::Unknown.text(look.cx);
    match (look.id, &look.cx.loading) {
        (Some(_), _) => format!("{sign} described in no file"),
        (None, Some(_)) => format!("{sign} not there (yet); the sources are being read"),
        (None, None) => format!("{sign} gone: no file describes or names it any more"),
    }
}

fn missing(look: &Look<'_>, flow: &mut Flow<Thing>) {
    let (kind, namespace, _) = split_canonical(look.canonical);
    let mut line = vec![span(kind, Role::Accent)];
    if namespace != "default" {
        line.push(span(format!("  in {namespace}"), Role::Dim));
    }
    line.push(span(format!("  {}", absence(look)), Role::Unknown));
    flow.line(line);
    flow.row("ref", vec![Piece::text(look.canonical, Role::Text)]);
}

fn facts(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let mut pieces = vec![Piece { span: span(kind_and_type(entity), Role::Accent), thing: None }];
    // the first span is kind and type, which stand here with the kind always named
    let all = entity_lines::facts(entity);
    let rest = all.iter().skip(1).filter(|s| !s.text.trim().is_empty() && !s.text.starts_with("  in "));
    pieces.extend(rest.map(piece));
    pieces.push(Piece::text(format!("namespace {}", entity.namespace()), Role::Dim));
    if entity.problems().next().is_some() {
        let (text, role) = problem_words(look, entity);
        pieces.push(Piece::thing(text, role, Thing::Tab(Tab::Problems)));
    }
    flow.pieces(0, pieces);
    let health = entity_lines::health_line(look.cx, look.canonical);
    if !health.is_empty() {
        flow.pieces(0, health.iter().map(piece).collect());
    }
}

/// Returns the problems counted by severity: `✗ 1 error, ! 2 warnings`.
fn problem_words(look: &Look<'_>, entity: &Entity<'_>) -> (String, Role) {
    let mut words = Vec::new();
    let mut role = Role::Info;
    for (severity, sign) in
        [(Severity::Error, Sign::Error), (Severity::Warning, Sign::Warn), (Severity::Info, Sign::Warn)]
    {
        let count = entity.problems().filter(|problem| problem.severity == severity).count();
        if count == 0 {
            continue;
        }
        if words.is_empty() {
            role = sign.role();
        }
        let noun = if severity == Severity::Info { "note" } else { severity.as_str() };
        words.push(format!("{} {}", sign.text(look.cx), plural(count, noun)));
    }
    (words.join(", "), role)
}

/// Returns kind and type, both always there: `component service`.
fn kind_and_type(entity: &Entity<'_>) -> String {
    let kind = entity.kind().to_lowercase();
    match entity.entity_type() {
        "" => kind,
        entity_type => format!("{kind} {entity_type}"),
    }
}

fn owner(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let Some(id) = entity.owner() else {
        let kind = entity.kind().to_lowercase();
        if matches!(kind.as_str(), "component" | "api" | "resource" | "system" | "domain" | "template") {
            let text = format!("{} nobody", Sign::Warn.text(look.cx));
            flow.row("owner", vec![Piece::text(text, Role::Warn)]);
        }
        return;
    };
    let mut pieces = vec![super::overview::target(look, id)];
    match look.catalog.entity(id) {
        Some(owner) => {
            if let Some(title) = owner.title().filter(|title| !title.eq_ignore_ascii_case(owner.name())) {
                pieces.push(Piece::text(title, Role::Text));
            }
            pieces.extend(contacts(&owner));
        }
        None => pieces.push(Piece::text("described in no file", Role::Unknown)),
    }
    flow.row("owner", pieces);
}

/// Returns how to reach an owner: its address first, then its own links.
fn contacts(owner: &Entity<'_>) -> Vec<Piece<Thing>> {
    let mut links = subject::links(owner);
    links.sort_by_key(|(_, url)| !url.starts_with("mailto:"));
    let piece = |(title, url): (String, String)| {
        let shown = url.strip_prefix("mailto:").map_or_else(|| title.clone(), str::to_owned);
        Piece::thing(shown, Role::Link, Thing::Link { title, url })
    };
    links.into_iter().take(CONTACTS).map(piece).collect()
}

fn trail(look: &Look<'_>, flow: &mut Flow<Thing>) {
    let mut pieces = Vec::new();
    for id in look.trail() {
        if !pieces.is_empty() {
            pieces.push(Piece::text(if look.cx.ascii { ">" } else { "›" }, Role::Dim));
        }
        let mut piece = super::overview::target(look, id);
        if let Some(kind) = look.catalog.entity(id).map(|e| e.kind().to_lowercase()) {
            piece.span.text = format!("{kind} {}", piece.span.text);
        }
        pieces.push(piece);
    }
    flow.row("part of", pieces);
}

fn origin(look: &Look<'_>, entity: &Entity<'_>, flow: &mut Flow<Thing>) {
    let location = entity.location();
    let place = format!("{}:{}", location.file, location.line);
    let is_address = subject::is_openable(&location.file);
    let mut pieces = vec![if is_address {
        let url = location.file.to_string();
        Piece::thing(place.clone(), Role::Link, Thing::Link { title: "descriptor".to_owned(), url })
    } else {
        Piece::text(place, Role::Text)
    }];
    if let Some(source) = entity.source() {
        pieces.push(Piece::text(format!("source {} ({})", source.name, source.kind), Role::Dim));
        if let Some(error) = &source.error {
            let text = format!("{} {}", Sign::Stale.text(look.cx), error.message);
            pieces.push(Piece::text(text, Role::Stale));
        }
    }
    if let Some(age) = look.cx.age() {
        let text = if age == "now" { "read just now".to_owned() } else { format!("read {age} ago") };
        pieces.push(Piece::text(text, Role::Dim));
    }
    flow.row("from", pieces);
}
