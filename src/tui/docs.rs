//! Answers what the screen asks about documentation; blocks, and is called on a pool thread.

use super::services::World;
use crate::app::docs::{DocsAnswer, DocsQuestion, DocsRow, Laid, OpenPage, Placed, Thing};
use crate::app::event::Shared;
use crate::catalog::{Catalog, Entity, Loader, Progress};
use crate::docs::markdown::highlight::highlight;
use crate::docs::markdown::layout::LineKind;
use crate::docs::markdown::{BlockKind, Page, TextId, View, layout, parse, search};
use crate::docs::site::place::{self, Found, PlaceError};
use crate::docs::site::{Site, check};
use crate::model::entity_ref::split_canonical;
use crate::model::text::width;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Opens the documentation of an entity; asks disk or network.
pub type OpenDocs = dyn Fn(&Catalog, &Entity<'_>) -> Result<Found, String> + Send + Sync;

/// How long a site is taken as it was opened; its pages are read anew each time.
const FRESH: Duration = Duration::from_secs(20);
/// Sites that are kept open, the newest last.
const MAX_OPEN: usize = 8;

/// A site that was opened.
#[derive(Debug, Clone)]
struct Kept {
    entity: String,
    owner: String,
    site: Shared<Site>,
    page: String,
    since: Instant,
}

/// What documentation is read with.
pub struct Docs {
    /// Opens the documentation of an entity.
    pub open: Box<OpenDocs>,
    /// Hosts whose addresses are those of the portal.
    pub portals: Box<dyn Fn() -> Vec<String> + Send + Sync>,
    kept: Mutex<Vec<Kept>>,
}

impl Docs {
    /// Creates what answers questions with these two.
    pub fn new(open: Box<OpenDocs>, portals: Box<dyn Fn() -> Vec<String> + Send + Sync>) -> Self {
        Self { open, portals, kept: Mutex::default() }
    }

    /// Creates what answers questions with the sources of a loader.
    pub fn of(loader: Arc<Loader>) -> Self {
        let for_portals = loader.clone();
        let open = move |catalog: &Catalog, entity: &Entity<'_>| {
            place::open(&loader, catalog, entity, &Progress::none()).map_err(|error| explain(&error))
        };
        Self::new(Box::new(open), Box::new(move || for_portals.portals()))
    }

    /// Answers a question.
    pub(super) fn answer(&self, question: &DocsQuestion, world: &World) -> Result<DocsAnswer, String> {
        Ok(match question {
            DocsQuestion::List => DocsAnswer::Listed(Shared(Arc::new(list(&world.catalog)))),
            DocsQuestion::Open { entity, is_again } => self.open(entity, *is_again, world)?,
            DocsQuestion::Page { site, path, width, view } => {
                let page = self.read(&site.0, path)?;
                let laid = lay(&page.page, *width, view);
                DocsAnswer::Page(Shared(Arc::new(page)), Shared(Arc::new(laid)))
            }
            DocsQuestion::Layout { page, width, view } => {
                DocsAnswer::Layout(Shared(Arc::new(lay(&page.0.page, *width, view))))
            }
            DocsQuestion::Highlight { page, texts } => {
                let page = &page.0.page;
                let one =
                    |text: &TextId| (*text, highlight(&page.text(*text).text, language_of(page, *text)));
                DocsAnswer::Highlighted(texts.iter().map(one).collect())
            }
            DocsQuestion::Find { page, typed } => {
                let pattern = search::pattern(typed);
                DocsAnswer::Found(pattern.map(|p| search::find(&page.0.page, &p)).unwrap_or_default())
            }
        })
    }

    fn open(&self, wanted: &str, is_again: bool, world: &World) -> Result<DocsAnswer, String> {
        let lock = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock()
            .iter()
            .find(|kept| kept.entity == wanted && !is_again && kept.since.elapsed() < FRESH)
            .cloned();
        let kept = match known {
            Some(kept) => kept,
            None => {
                let id = world.catalog.find(wanted);
                let entity = id.and_then(|id| world.catalog.entity(id));
                let entity = entity.ok_or_else(|| format!("`{wanted}` is described in no file"))?;
                let found = (self.open)(&world.catalog, &entity)?;
                let kept = Kept {
                    entity: wanted.to_owned(),
                    owner: found.entity,
                    site: Shared(Arc::new(found.site)),
                    page: found.page,
                    since: Instant::now(),
                };
                let mut all = lock();
                all.retain(|other| other.entity != wanted);
                if all.len() >= MAX_OPEN {
                    all.remove(0);
                }
                all.push(kept.clone());
                kept
            }
        };
        let Kept { entity, owner, site, page, .. } = kept;
        Ok(DocsAnswer::Opened { entity, owner, site, page })
    }

    fn read(&self, site: &Site, path: &str) -> Result<OpenPage, String> {
        let source = site.page(path).map_err(|error| error.to_string())?;
        let page = parse(&source.text, &check::dialect(site));
        let portals = (self.portals)();
        let targets = page.links.iter().map(|link| site.resolve(path, &link.to, &portals)).collect();
        let mut lines = Vec::new();
        page.visit(|block| {
            let at = block.id.0 as usize;
            if at < 1_000_000 && lines.len() <= at {
                lines.resize(at + 1, 1);
            }
            if let Some(slot) = lines.get_mut(at) {
                *slot = block.line;
            }
        });
        Ok(OpenPage { edit: site.edit(path), web: site.web_url(path), source, page, targets, lines })
    }
}

/// Says why there is nothing to read, and what to do.
pub fn explain(error: &PlaceError) -> String {
    let diagnostic = error.to_diagnostic();
    let hint = diagnostic.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("{}{hint}", diagnostic.message)
}

fn list(catalog: &Catalog) -> Vec<DocsRow> {
    let name = |entity: &Entity<'_>| entity.title().unwrap_or_else(|| entity.name()).to_owned();
    let short = |id| split_canonical(catalog.ref_of(id)).2.to_owned();
    let mut rows: Vec<DocsRow> = catalog
        .entities()
        .filter(|entity| place::has_docs(entity) || entity.annotation(place::RECORDS).is_some())
        .map(|entity| DocsRow {
            entity: entity.entity_ref().to_owned(),
            title: name(&entity),
            owner: entity.owner().map(short).unwrap_or_default(),
            place: entity
                .annotation(place::REF)
                .or_else(|| entity.annotation(place::ENTITY))
                .unwrap_or("")
                .to_owned(),
            has_records: entity.annotation(place::RECORDS).is_some(),
        })
        .collect();
    rows.sort_by_cached_key(|row| (row.title.to_lowercase(), row.entity.clone()));
    rows
}

fn language_of(page: &Page, text: TextId) -> &str {
    let mut language = "";
    page.visit(|block| {
        if let BlockKind::Code(code) = &block.kind
            && code.text == text
        {
            language = &code.language;
        }
    });
    language
}

/// Lays a page out and finds what can be focused.
pub(super) fn lay(page: &Page, cells: usize, view: &View) -> Laid {
    let layout = layout(page, cells, view);
    let mut things: Vec<Placed> = Vec::new();
    let mut widest = 0;
    for (at, line) in layout.lines.iter().enumerate() {
        if line.scrolls {
            widest = widest.max(line.width as usize);
        }
        match line.kind {
            LineKind::Fold => things.push(Placed { line: at, column: 0, thing: Thing::Fold(line.block) }),
            LineKind::Tabs => {
                let thing = Thing::Tabs(line.block);
                if things.last().is_none_or(|last| last.thing != thing) {
                    things.push(Placed { line: at, column: 0, thing });
                }
            }
            _ => {}
        }
        let mut column = 0;
        for span in layout.spans(at) {
            if let Some(link) = span.link {
                let thing = Thing::Link(link);
                // a link that goes on, on this line or the next, is the same
                let is_same =
                    things.iter().rev().take_while(|placed| placed.line + 1 >= at).any(|p| p.thing == thing);
                if !is_same {
                    things.push(Placed { line: at, column, thing });
                }
            }
            column += width(span.text);
        }
    }
    let headings = page.headings.iter().map(|heading| layout.line_of(heading.block)).collect();
    Laid { layout, things, headings, widest }
}
