//! One way through all pages: a thread fetches, another reads what came, at most a few pages apart.
//!
//! A page that was walked before is asked for with its validator. Where a page has changed its successors
//! may start elsewhere; those are asked for refs and etags alone, when most of what they hold is known.

use super::backend::Backend;
use super::chain::{Chain, KeptPage, RefHash, content};
use super::known::{Known, etag_of};
use super::pages::{Listing, Mode, Page};
use crate::catalog::ingest::json::{Context, Converted};
use crate::catalog::sources::{RefreshContext, SourceError};
use crate::config::source::AllowRule;
use crate::model::EntityRef;
use crate::model::value::ValueRef;
use crate::net::{Answer, NetError};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Pages that wait to be read.
const AHEAD: usize = 2;
/// Pages in a row without anything new, after which no end is expected.
const MAX_FRUITLESS: usize = 10;
/// Most entities of one server.
const MAX_ENTITIES: u64 = 2_000_000;
/// Entities that may be added while the pages are walked.
const SPARE: u64 = 10_000;
/// Odd items of one page that are told about.
const MAX_ODD: usize = 5;

/// What a walk found.
#[derive(Debug)]
pub(super) struct Walked {
    /// Entities that are new or differ from what was held.
    pub fresh: Vec<(RefHash, Converted)>,
    /// Refs of entities that differ and have to be fetched.
    pub changed: Vec<String>,
    /// Everything that is there.
    pub seen: FxHashSet<RefHash>,
    /// The pages as they are now.
    pub chain: Chain,
    /// Why it came to no end.
    pub failure: Option<SourceError>,
}

/// What goes from one thread to the other.
enum Step {
    /// The server lists this way.
    Listing(Listing),
    /// A page that did not change.
    Same(KeptPage),
    /// A page to read.
    New { cursor: Option<String>, mode: Mode, answer: Box<Answer> },
    /// There is no way on.
    Failed(SourceError),
}

/// What both threads look at.
pub(super) struct Walk<'w> {
    pub backend: &'w Backend<'w>,
    pub cx: &'w RefreshContext<'w>,
    pub json: &'w Context<'w>,
    /// The pages of the walk before.
    pub old: &'w Chain,
    pub known: &'w Known,
}

impl Walk<'_> {
    /// Walks all pages.
    pub(super) fn run(&self) -> Walked {
        let (sender, receiver) = sync_channel(AHEAD);
        std::thread::scope(|scope| {
            scope.spawn(move || self.fetch(&sender));
            self.read(receiver)
        })
    }

    /// Fetches page after page until there is none, or nobody takes them.
    fn fetch(&self, sender: &SyncSender<Step>) {
        // a word that cannot be delivered means that nobody waits for more
        if let Err(error) = self.fetch_all(sender) {
            let _ = sender.send(Step::Failed(error));
        }
    }

    fn fetch_all(&self, sender: &SyncSender<Step>) -> Result<(), SourceError> {
        let (listing, mut answer) = self.first_page()?;
        if sender.send(Step::Listing(listing)).is_err() {
            return Ok(());
        }
        let mut cursor: Option<String> = None;
        let mut cursors: FxHashSet<String> = FxHashSet::default();
        loop {
            let (step, next) = self.step(listing, cursor.as_deref(), answer)?;
            if sender.send(step).is_err() {
                return Ok(());
            }
            let Some(next) = next else { return Ok(()) };
            if !cursors.insert(next.clone()) {
                return Err(self.endless("the same page comes again"));
            }
            if self.cx.progress.is_cancelled() {
                return Err(SourceError::Cancelled);
            }
            answer = self.page(listing, Some(&next)).map_err(|error| self.backend.explain(error))?;
            cursor = Some(next);
        }
    }

    /// Gets the first page in the best way that the server knows.
    fn first_page(&self) -> Result<(Listing, Answer), SourceError> {
        let mut listing = Listing::Query;
        loop {
            let error = match self.page(listing, None) {
                Ok(answer) => return Ok((listing, answer)),
                Err(error) => error,
            };
            let is_unknown = matches!(error, NetError::Status { status: 404 | 405 | 501, .. })
                || listing == Listing::After && matches!(error, NetError::Status { status: 400, .. });
            match listing.older() {
                Some(older) if is_unknown => listing = older,
                None if error.is_not_found() => return Err(self.backend.no_catalog(&error)),
                _ => return Err(self.backend.explain(error)),
            }
        }
    }

    fn old_page(&self, listing: Listing, cursor: Option<&str>) -> Option<&KeptPage> {
        self.old.page(cursor).filter(|_| self.old.listing == listing)
    }

    fn mode(&self, old: Option<&KeptPage>) -> Mode {
        match old {
            Some(page) if page.etag.is_some() => page.mode,
            // nothing to compare with, or behind a change: most of it is known, unless the walk before did
            // not come this far
            _ if self.old.is_complete && !self.known.is_empty() => Mode::Brief,
            _ => Mode::Full,
        }
    }

    fn page(&self, listing: Listing, cursor: Option<&str>) -> Result<Answer, NetError> {
        let old = self.old_page(listing, cursor);
        let url = listing.address(self.backend, &self.cx.config.filter, cursor, self.mode(old));
        self.backend.get(url, old.and_then(|page| page.etag.as_deref()))
    }

    /// Makes a step of an answer; says where the next page is.
    fn step(
        &self,
        listing: Listing,
        cursor: Option<&str>,
        answer: Answer,
    ) -> Result<(Step, Option<String>), SourceError> {
        let old = self.old_page(listing, cursor);
        if answer.status == 304 {
            let Some(page) = old else {
                let cause = "it says that a page is unchanged which was never read".to_owned();
                return Err(self.unreadable(cause, None));
            };
            return Ok((Step::Same(page.clone()), page.next.clone()));
        }
        let next = match listing.read(&answer) {
            Some(page) if page.is_whole => page.next,
            Some(_) => return Err(self.unreadable("its answer ends in the middle".to_owned(), None)),
            None => {
                let error = answer.json::<Vec<()>>().err().unwrap_or(NetError::Broken {
                    host: self.backend.host(),
                    cause: "it is not the JSON that was expected".to_owned(),
                });
                return Err(self.backend.not_json(&answer, error));
            }
        };
        let mode = self.mode(old);
        Ok((Step::New { cursor: cursor.map(str::to_owned), mode, answer: Box::new(answer) }, next))
    }

    fn unreadable(&self, cause: String, hint: Option<String>) -> SourceError {
        SourceError::Unreadable { place: self.backend.host(), cause, hint }
    }

    fn endless(&self, how: &str) -> SourceError {
        self.unreadable(
            format!("its pages have no end: {how}"),
            Some(
                "the server, or something before it, mixes up its pages: tell whoever runs the portal"
                    .to_owned(),
            ),
        )
    }

    /// Reads what comes until it ends.
    fn read(&self, steps: Receiver<Step>) -> Walked {
        let mut reader = Reader {
            walk: self,
            out: Walked {
                fresh: Vec::new(),
                changed: Vec::new(),
                seen: FxHashSet::default(),
                chain: Chain::new(Listing::Query),
                failure: None,
            },
            received: 0,
            fruitless: 0,
        };
        for step in steps {
            if reader.take(step).is_break() {
                break;
            }
        }
        reader.out.chain.is_complete = reader.out.failure.is_none();
        reader.out
    }
}

struct Reader<'r, 'w> {
    walk: &'r Walk<'w>,
    out: Walked,
    /// Items of all pages, those that came twice too.
    received: u64,
    fruitless: usize,
}

impl Reader<'_, '_> {
    fn take(&mut self, step: Step) -> ControlFlow<()> {
        let before = self.out.seen.len();
        match step {
            Step::Listing(listing) => {
                self.out.chain = Chain::new(listing);
                self.out.chain.read_at = self.walk.old.read_at;
                return ControlFlow::Continue(());
            }
            Step::Failed(error) => {
                self.out.failure = Some(error);
                return ControlFlow::Break(());
            }
            Step::Same(page) => {
                self.received += page.refs.len() as u64;
                if page.cursor.is_none() {
                    self.out.chain.total = self.walk.old.total;
                }
                self.out.chain.has_validators = true;
                self.out.seen.extend(&page.refs);
                self.out.chain.pages.push(page);
            }
            Step::New { cursor, mode, answer } => self.new_page(cursor, mode, &answer),
        }
        let total = self.out.chain.total;
        let shown = total.map(|total| usize::try_from(total).unwrap_or(usize::MAX).max(self.out.seen.len()));
        self.walk.cx.report(
            self.out.seen.len(),
            shown.filter(|total| *total as u64 <= MAX_ENTITIES),
            "entities",
        );
        self.fruitless = if self.out.seen.len() == before { self.fruitless + 1 } else { 0 };
        let allowed =
            total.map_or(MAX_ENTITIES, |total| total.saturating_add(total / 2).saturating_add(SPARE));
        let why = if self.fruitless >= MAX_FRUITLESS {
            format!("{MAX_FRUITLESS} of them in a row held nothing new")
        } else if self.received > allowed.min(MAX_ENTITIES) {
            format!("{} entities came, {} are said to be there", self.received, total.unwrap_or_default())
        } else {
            return ControlFlow::Continue(());
        };
        self.out.failure = Some(self.walk.endless(&why));
        ControlFlow::Break(())
    }

    fn new_page(&mut self, cursor: Option<String>, mode: Mode, answer: &Answer) {
        let Some(page) = self.out.chain.listing.read(answer) else { return };
        self.received += page.items.len() as u64;
        if cursor.is_none() {
            self.out.chain.total = page.total;
        }
        let (entities, odd) = match mode {
            Mode::Full => self.full(&page),
            // what is odd in full does not show in brief
            Mode::Brief => {
                let before = self.walk.old_page(self.out.chain.listing, cursor.as_deref());
                let odd = before.map_or_else(Vec::new, |page| page.odd.clone());
                (self.brief(&page), odd)
            }
        };
        // of an entity that comes twice the later one is held
        let entities: FxHashMap<RefHash, String> = entities.into_iter().collect();
        // a page that has changed once is likely to change again: refs and etags will do then
        let next_mode = if self.walk.old.is_complete { Mode::Brief } else { mode };
        let etag = answer.header("etag");
        self.out.chain.has_validators |= etag.is_some();
        let etag = etag.filter(|_| next_mode == mode).map(str::to_owned);
        self.out.seen.extend(entities.keys());
        self.out.chain.pages.push(KeptPage {
            cursor,
            mode: next_mode,
            etag,
            next: page.next,
            content: content(entities.iter().map(|(hash, etag)| (*hash, etag.as_str()))),
            refs: entities.into_keys().collect(),
            odd,
        });
    }

    fn full(&mut self, page: &Page<'_>) -> (Vec<(RefHash, String)>, Vec<String>) {
        let walk = self.walk;
        let read: Vec<_> = page.items.par_iter().map(|bytes| walk.json.read(bytes)).collect();
        let (mut entities, mut odd) = (Vec::with_capacity(read.len()), Vec::new());
        for read in read {
            let entity = match read {
                Ok(entity) => entity,
                Err(diagnostic) => {
                    if odd.len() < MAX_ODD {
                        odd.push(diagnostic.message);
                    }
                    continue;
                }
            };
            if !walk.is_allowed(&entity) {
                continue;
            }
            let hash = RefHash::of(&entity.entity_ref);
            let etag = etag_of(&entity.document).to_owned();
            if etag.is_empty() || walk.known.etag(hash) != Some(&etag) {
                self.out.fresh.push((hash, entity));
            }
            entities.push((hash, etag));
        }
        (entities, odd)
    }

    fn brief(&mut self, page: &Page<'_>) -> Vec<(RefHash, String)> {
        #[derive(Deserialize)]
        struct Item {
            kind: String,
            metadata: Metadata,
        }
        #[derive(Deserialize)]
        struct Metadata {
            name: String,
            namespace: Option<String>,
            #[serde(default)]
            etag: String,
        }
        let mut entities = Vec::with_capacity(page.items.len());
        for bytes in &page.items {
            // what is odd here is odd in full, too, and told about then
            let Ok(Item { kind, metadata }) = serde_json::from_slice(bytes) else { continue };
            if !self.walk.may_be_allowed(&kind) {
                continue;
            }
            let namespace = metadata.namespace.filter(|text| !text.is_empty());
            let entity = EntityRef::new(&kind, namespace.as_deref().unwrap_or("default"), &metadata.name);
            let entity = entity.to_string();
            let hash = RefHash::of(&entity);
            if metadata.etag.is_empty() || self.walk.known.etag(hash) != Some(&metadata.etag) {
                self.out.changed.push(entity);
            }
            entities.push((hash, metadata.etag));
        }
        entities
    }
}

impl Walk<'_> {
    /// Returns whether the configuration lets an entity in.
    pub(super) fn is_allowed(&self, entity: &Converted) -> bool {
        let rules = &self.cx.config.allow;
        if rules.is_empty() {
            return true;
        }
        let value = ValueRef::new(&entity.document.packed);
        let kind = value.get("kind").as_str().unwrap_or("");
        let entity_type = value.get("spec").get("type").as_str().unwrap_or("");
        rules.iter().any(|rule| match rule {
            AllowRule::Kind(allowed) => allowed.eq_ignore_ascii_case(kind),
            AllowRule::Typed { kind: allowed, entity_type: allowed_type } => {
                allowed.eq_ignore_ascii_case(kind) && allowed_type.eq_ignore_ascii_case(entity_type)
            }
        })
    }

    fn may_be_allowed(&self, kind: &str) -> bool {
        let rules = &self.cx.config.allow;
        rules.is_empty()
            || rules.iter().any(|rule| match rule {
                AllowRule::Kind(allowed) | AllowRule::Typed { kind: allowed, .. } => {
                    allowed.eq_ignore_ascii_case(kind)
                }
            })
    }
}
