//! How a loader starts from what was kept, and keeps what it read.
//!
//! [`Loader::cached`] shows the last catalog within milliseconds; before a source is read for the first
//! time everything else of the cache is checked and taken over, so that only changed content is parsed
//! again. While nothing changes, the catalog that lies in the file goes on being used. [`Loader::save`]
//! writes what changed.

use super::cache::{CatalogCache, KeptSource, Opened};
use super::loader::{Held, Loader};
use super::snapshot::{Catalog, ParsedFile, SourceState};
use super::stitch::{StitchInput, stitch, stitch_again};
use crate::config::source::SourceConfig;
use crate::diagnostic::Diagnostic;
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// What a loader has from its cache, and for it.
#[derive(Debug, Default)]
pub(super) struct Warm {
    cache: Option<CatalogCache>,
    /// What was opened, until it is taken over.
    opened: OnceLock<Mutex<Option<Opened>>>,
    revived: OnceLock<()>,
    /// How often a source gave something else than before.
    changes: AtomicU64,
    joined: Mutex<Option<Joined>>,
    /// The last snapshot with what the person may see of it.
    view: Mutex<Option<(Arc<Catalog>, Arc<Catalog>)>>,
    problems: Mutex<Vec<Diagnostic>>,
}

/// The last snapshot with what it was made of.
#[derive(Debug)]
struct Joined {
    catalog: Arc<Catalog>,
    /// Its files, by source and path.
    files: Arc<Vec<Arc<ParsedFile>>>,
    sources: Vec<KeptSource>,
    changes: u64,
    /// Number of the writing that has it.
    file: Option<u64>,
    /// Whether the cache has it with the present ages.
    is_kept: bool,
}

impl Warm {
    pub(super) fn new(folder: Option<&Path>, sources: &[SourceConfig]) -> Self {
        // what is built into the program is nowhere read faster than there
        let is_worth_it = sources.iter().any(|source| source.kind != "sample");
        let cache = folder.filter(|_| is_worth_it).map(|folder| CatalogCache::new(folder, sources));
        Self { cache, ..Self::default() }
    }

    /// Notes that a source gave something else; after the slot has it.
    pub(super) fn note_change(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    fn joined(&self) -> MutexGuard<'_, Option<Joined>> {
        self.joined.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_problem(&self, problem: Diagnostic) {
        tracing::warn!(code = problem.code, "{}", problem.message);
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        // a disk stays full for long: told once
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}

impl Loader {
    /// Opens what was kept of the last run; `None` when nothing usable was. Takes milliseconds.
    ///
    /// The snapshot is as old as its sources say ([`SourceState::read_at`]).
    pub fn cached(&self) -> Option<Arc<Catalog>> {
        let opened = self.opened().as_ref().map(|opened| opened.catalog.clone());
        let joined = self.warm.joined().as_ref().map(|joined| joined.catalog.clone());
        joined.or(opened).map(|full| self.view(full))
    }

    /// Returns what the person may see of a snapshot; what is given out goes through here, all of it.
    fn view(&self, full: Arc<Catalog>) -> Arc<Catalog> {
        let Some(access) = &self.options.access else { return full };
        let mut last = self.warm.view.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((of, view)) if Arc::ptr_eq(of, &full) => view.clone(),
            _ => {
                let view = access.view(&full);
                *last = Some((full, view.clone()));
                view
            }
        }
    }

    /// Returns what was wrong with the cache so far, each thing once.
    pub fn cache_problems(&self) -> Vec<Diagnostic> {
        self.warm.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn opened(&self) -> MutexGuard<'_, Option<Opened>> {
        let open = || {
            let opened = match self.warm.cache.as_ref()?.open() {
                Ok(opened) => opened?,
                Err(problem) => {
                    self.warm.note_problem(*problem);
                    return None;
                }
            };
            // of the same sources there are the same many
            if opened.sources.len() != self.slots.len() {
                return None;
            }
            for (slot, kept) in self.slots.iter().zip(&opened.sources) {
                let mut held = slot.held();
                (held.state.read_at, held.state.error) = (kept.state.read_at, kept.state.error.clone());
                (held.state.files, held.state.entities) = (kept.state.files, kept.state.entities);
            }
            Some(opened)
        };
        let opened = self.warm.opened.get_or_init(|| Mutex::new(open()));
        opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what was kept, after checking it; once, before anything is read.
    pub(super) fn revive(&self) {
        self.warm.revived.get_or_init(|| {
            let mut slot = self.opened();
            let Some(opened) = slot.take() else { return };
            match opened.revive(&self.cache) {
                Ok(files) => {
                    let all = files.iter().flatten().cloned().collect();
                    let is_same_program = opened.is_of_this_program();
                    for ((slot, files), kept) in self.slots.iter().zip(files).zip(&opened.sources) {
                        let mut held = slot.held();
                        (held.files, held.diagnostics) = (files, kept.diagnostics.clone());
                        held.version = kept.version.clone().filter(|_| is_same_program);
                    }
                    *self.warm.joined() = Some(Joined {
                        file: Some(opened.id()),
                        catalog: opened.catalog,
                        files: Arc::new(all),
                        sources: opened.sources,
                        changes: self.warm.changes.load(Ordering::Acquire),
                        is_kept: true,
                    });
                }
                Err(problem) => {
                    self.warm.note_problem(*problem);
                    self.cache.clear();
                    for slot in &self.slots {
                        let mut held = slot.held();
                        (held.state.read_at, held.state.error) = (None, None);
                    }
                }
            }
        });
    }

    /// Joins what the sources held when they were last read. What nothing changed in stays as it is.
    pub fn join(&self) -> Arc<Catalog> {
        self.view(self.join_all())
    }

    fn join_all(&self) -> Arc<Catalog> {
        self.revive();
        let mut joined = self.warm.joined();
        // before anything is looked at: what changes meanwhile is joined the next time
        let changes = self.warm.changes.load(Ordering::Acquire);
        if let Some(known) = joined.as_mut().filter(|known| known.changes == changes) {
            known.update(self.slots.iter().map(|slot| slot.held().kept()));
            return known.catalog.clone();
        }
        let mut input = StitchInput::default();
        let mut sources = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let held = slot.held().clone();
            sources.push(held.kept());
            input.diagnostics.extend(held.diagnostics);
            input.diagnostics.extend(held.state.error.clone());
            input.files.extend(held.files);
            input.sources.push(held.state);
        }
        let catalog = Arc::new(match joined.take() {
            Some(before) => stitch_again(&before.catalog, &before.files, input),
            None => stitch(input),
        });
        let files = catalog.shared_files();
        for (source, state) in sources.iter_mut().zip(&catalog.sources) {
            source.state = state.clone();
        }
        *joined =
            Some(Joined { catalog: catalog.clone(), files, sources, changes, file: None, is_kept: false });
        catalog
    }

    /// Whether a source need not be read for a command: what is kept of it is good for now.
    pub(super) fn is_fresh(&self, index: usize) -> bool {
        let Some((config, slot)) = self.sources.get(index).zip(self.slots.get(index)) else { return true };
        let (SourceState { read_at, error, .. }, was_asked) = {
            let held = slot.held();
            (held.state.clone(), held.was_asked)
        };
        if was_asked {
            return false;
        }
        let Some(read_at) = read_at.filter(|_| !config.is_local() && config.kind != "sample") else {
            return false;
        };
        if self.options.offline {
            return true;
        }
        let Some(every) = self.every(index).filter(|_| error.is_none()) else { return false };
        let age = age(read_at, Timestamp::now());
        age.is_some_and(|age| age < self.options.max_age.map_or(every, |max| max.min(every)))
    }

    /// Writes the last snapshot into the cache, if it is not there yet. Blocks; returns what went wrong.
    pub fn save(&self) -> Option<Diagnostic> {
        let cache = self.warm.cache.as_ref()?;
        let mut joined = self.warm.joined();
        let known = joined.as_mut().filter(|known| !known.is_kept)?;
        let (catalog, sources) = (known.catalog.clone(), known.sources.clone());
        let (changes, file) = (known.changes, known.file);
        drop(joined);
        let written = match file {
            Some(id) => cache.save_ages(id, &sources).map(|()| id),
            None => cache.save(&catalog, &sources, &self.cache),
        };
        if let Some(known) = self.warm.joined().as_mut().filter(|known| known.changes == changes) {
            // a failure is told, and tried again when something changes
            (known.is_kept, known.file) = (true, written.as_ref().ok().copied());
        }
        let problem = *written.err()?;
        self.warm.note_problem(problem.clone());
        Some(problem)
    }
}

/// Longest wait for a reading to end before the cache takes over.
const TAKE_OVER: Duration = Duration::from_secs(3);

impl Loader {
    /// Lets what was saved last take the place of what is in memory, where it costs less; returns the snapshot
    /// that is the same and lies in the file. Blocks.
    pub fn take_over(&self) -> Option<Arc<Catalog>> {
        // what a person may see does not lie in the file
        if self.options.access.is_some() {
            return None;
        }
        let cache = self.warm.cache.as_ref()?;
        // what is known of files changes hands: nobody may read meanwhile
        let _unread = self.wait_until_unread(TAKE_OVER)?;
        let mut joined = self.warm.joined();
        let changes = self.warm.changes.load(Ordering::Acquire);
        let is_worth_it =
            |known: &&mut Joined| known.changes == changes && !known.catalog.parsed_files().is_empty();
        let known = joined.as_mut().filter(|known| known.is_kept).filter(is_worth_it)?;
        let opened = cache.open().ok()?.filter(|opened| Some(opened.id()) == known.file)?;
        let files: Vec<Arc<ParsedFile>> = opened.revive(&self.cache).ok()?.into_iter().flatten().collect();
        if files.len() != known.files.len() {
            return None;
        }
        let places: FxHashMap<*const ParsedFile, &Arc<ParsedFile>> =
            known.files.iter().map(Arc::as_ptr).zip(&files).collect();
        for slot in &self.slots {
            for file in &mut slot.held().files {
                if let Some(kept) = places.get(&Arc::as_ptr(file)) {
                    *file = Arc::clone(kept);
                }
            }
        }
        self.cache.exchange(|file| places.get(&file).copied());
        drop(places);
        let sources = known.sources.iter().map(|source| source.state.clone()).collect();
        known.catalog = Arc::new(Catalog { sources, ..Catalog::clone(&opened.catalog) });
        known.files = Arc::new(files);
        Some(known.catalog.clone())
    }
}

impl Joined {
    /// Takes in when the sources were read, which changes nothing else.
    fn update(&mut self, sources: impl Iterator<Item = KeptSource>) {
        let mut is_changed = false;
        let mut is_worth_keeping = false;
        for (known, mut now) in self.sources.iter_mut().zip(sources) {
            (now.state.files, now.state.entities) = (known.state.files, known.state.entities);
            if *known != now {
                is_changed = true;
                // a local source is looked at by every run anyway
                is_worth_keeping |= !now.state.is_local() || known.version != now.version;
                *known = now;
            }
        }
        if is_changed {
            let sources = self.sources.iter().map(|source| source.state.clone()).collect();
            self.catalog = Arc::new(Catalog { sources, ..Catalog::clone(&self.catalog) });
            self.is_kept &= !is_worth_keeping;
        }
    }
}

impl Held {
    fn kept(&self) -> KeptSource {
        KeptSource {
            state: self.state.clone(),
            diagnostics: self.diagnostics.clone(),
            version: self.version.clone(),
        }
    }
}

/// Returns how old something is; `None` when it is from the future, as after a change of the clock.
pub fn age(read_at: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(now.duration_since(read_at)).ok()
}
