//! The tab of an entity's documentation: its pages, its decisions, what is wrong with them.

use super::page::Region;
use super::thing::{Look, Thing};
use crate::app::docs::{DocsAnswer, DocsQuestion};
use crate::app::event::{Effect, Generation, Shared};
use crate::app::place::{DOCS, Place};
use crate::config::theme::Role;
use crate::docs::site::adr::status_word;
use crate::docs::site::{NavItem, Site, place};
use crate::ui::widgets::{Flow, Piece};
use ratatui::layout::Rect;

/// Problems that are listed.
const PROBLEMS: usize = 20;

/// What was asked and what came back.
#[derive(Debug, Default)]
pub enum State {
    /// Nothing was asked yet.
    #[default]
    Unasked,
    /// The answer is under way.
    Waiting(Generation),
    /// The site.
    There(Shared<Site>),
    /// Why there is none.
    Failed(String),
}

impl State {
    /// Asks for the documentation, unless that was done.
    pub fn ask(&mut self, look: &Look<'_>, entity: &str) -> Vec<Effect> {
        if !matches!(self, Self::Unasked) {
            return Vec::new();
        }
        let generation = look.cx.next_generation();
        *self = Self::Waiting(generation);
        let question = DocsQuestion::Open { entity: entity.to_owned(), is_again: false };
        vec![Effect::Docs { generation, question }]
    }

    /// Takes an answer; returns whether it was one to this question.
    pub fn take(&mut self, generation: Generation, result: &Result<DocsAnswer, String>) -> bool {
        if !matches!(self, Self::Waiting(waiting) if *waiting == generation) {
            return false;
        }
        *self = match result {
            Ok(DocsAnswer::Opened { site, .. }) => Self::There(site.clone()),
            Ok(_) => Self::Failed("the answer was of another kind than asked for".to_owned()),
            Err(why) => Self::Failed(why.clone()),
        };
        true
    }
}

/// Whether an entity says that it has documentation or decision records.
pub fn applies(look: &Look<'_>) -> bool {
    look.entity
        .as_ref()
        .is_some_and(|entity| place::has_docs(entity) || entity.annotation(place::RECORDS).is_some())
}

/// Returns the region of the tab.
pub fn regions(state: &State, entity: &str, area: Rect) -> Vec<Region> {
    let mut flow = Flow::new(area.width);
    match state {
        State::Unasked | State::Waiting(_) => flow.text("reading the documentation", Role::Dim),
        State::Failed(why) => flow.text(why, Role::Error),
        State::There(site) => fill(&site.0, entity, &mut flow),
    }
    vec![Region::plain(area, flow)]
}

fn fill(site: &Site, entity: &str, flow: &mut Flow<Thing>) {
    let read = |path: &str| Thing::Place(Place::with(DOCS, format!("{entity} {path}").trim().to_owned()));
    flow.heading(&site.name, &format!("{} pages, {}", site.pages.len(), site.origin));
    if let Some(text) = &site.description {
        flow.indented(2, text, Role::Text);
    }
    if let Some(stale) = &site.stale {
        flow.indented(2, &format!("~ {stale}"), Role::Stale);
    }
    for (level, item) in site.flat_nav() {
        let indent = 2 + 2 * level.min(8);
        let piece = match item {
            NavItem::Page { title, page } => {
                let info = site.pages.get(*page);
                let path = info.map_or("", |info| info.path.as_str());
                let title = title.as_deref().or_else(|| info.map(|info| info.title.as_str())).unwrap_or(path);
                Piece::thing(title, Role::Link, read(path))
            }
            NavItem::Section { title, .. } => Piece::text(title.as_str(), Role::Accent),
            NavItem::Link { title, url } => {
                let thing = Thing::Link { title: title.clone(), url: url.clone() };
                Piece::thing(format!("{title}  {url}"), Role::Link, thing)
            }
            NavItem::Missing { title, .. } => {
                Piece::text(format!("{title} (there is no such page)"), Role::Error)
            }
        };
        flow.pieces(indent, vec![piece]);
    }
    if !site.records.is_empty() {
        flow.heading("Decisions", "");
        for record in &site.records {
            let title = format!("{:04} {}", record.number, record.title);
            let facts = format!("{} {}", status_word(&record.status), record.date);
            let pieces = vec![
                Piece::thing(title, Role::Link, read(&record.page)),
                Piece::text(facts.trim(), Role::Dim),
            ];
            flow.pieces(2, pieces);
        }
    }
    if !site.problems.is_empty() {
        flow.heading("What is wrong", "");
        for problem in site.problems.iter().take(PROBLEMS) {
            let at = problem.location.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
            let role = if problem.is_error() { Role::Error } else { Role::Dim };
            flow.indented(2, &format!("{at}{}", problem.message), role);
        }
    }
}
