//! From configured sources to a snapshot; keeps what it needs to load again quickly.
//!
//! Start at [`Loader::load`]. A loader is shared (`Arc<Loader>`) and loads one at a time; what it
//! returns is immutable. Sources are read in parallel; one that fails is a [`super::SourceState`]
//! with an error and, if it was read before, its last good content.

use super::access::Access;
use super::ingest::FileCache;
use super::progress::{Progress, ProgressEvent};
use super::snapshot::{Catalog, ParsedFile, SourceState};
use super::sources::{self, CatalogWrites, Delta, RefreshContext, Registered, SourceError};
use super::warm::Warm;
use crate::config::secret::SecretSource;
use crate::config::source::SourceConfig;
use crate::diagnostic::Diagnostic;
use crate::net::{Net, NetOptions};
use crate::store::kept::Kept;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How to load.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadOptions {
    /// Never touch the network.
    pub offline: bool,
    /// Longest time that a load waits for addresses named inside local files, in all.
    pub remote_budget: Duration,
    /// Folder of what is kept between runs; `None`: nothing is.
    pub cache: Option<PathBuf>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// How long after a change the times of a file do not tell yet whether it changes again.
    pub settling: Duration,
    /// Longest age of what is kept of a remote source that [`Loader::load`] takes without asking it.
    pub max_age: Option<Duration>,
    /// Who looks, where not everybody may see everything.
    pub access: Option<Arc<Access>>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            offline: false,
            remote_budget: Duration::from_secs(10),
            cache: None,
            max_age: None,
            access: None,
            connect_timeout: NetOptions::default().connect_timeout,
            // the coarsest clock of a file system
            settling: Duration::from_secs(2),
        }
    }
}

/// Reads sources into snapshots.
#[derive(Debug)]
pub struct Loader {
    /// By priority, then as configured.
    pub(super) sources: Vec<SourceConfig>,
    pub(super) options: LoadOptions,
    pub(super) net: Net,
    pub(super) cache: FileCache,
    /// One for each source.
    pub(super) slots: Vec<Slot>,
    pub(super) warm: Warm,
}

/// One source.
#[derive(Debug)]
pub(super) struct Slot {
    /// As it was last read; locked for moments only.
    held: Mutex<Held>,
    /// What it keeps between runs; locked while it is read, so that nothing is read twice at once.
    kept: Mutex<Option<Kept>>,
}

/// What a source gave, for joining.
#[derive(Debug, Default, Clone)]
pub(super) struct Held {
    pub state: SourceState,
    pub files: Vec<Arc<ParsedFile>>,
    pub diagnostics: Vec<Diagnostic>,
    /// The source's own word for this state of it.
    pub version: Option<String>,
    /// Whether it was asked in this run; who asks again means it.
    pub was_asked: bool,
}

impl Loader {
    /// Creates a loader; reads nothing yet.
    pub fn new(mut sources: Vec<SourceConfig>, options: LoadOptions) -> Self {
        SourceConfig::make_names_unique(&mut sources);
        // of equal priority, what lies on this machine is laid over what is far away
        sources.sort_by_key(|source| (std::cmp::Reverse(source.priority), !source.is_local()));
        sources.truncate(MAX_SOURCES);
        let net = Net::new(NetOptions {
            offline: options.offline,
            connect_timeout: options.connect_timeout,
            ..NetOptions::default()
        });
        let slots = sources.iter().map(Slot::new).collect();
        let warm = Warm::new(options.cache.as_deref(), &sources);
        Self { sources, options, net, cache: FileCache::default(), slots, warm }
    }

    /// Returns the sources in the order of their priority.
    pub fn sources(&self) -> &[SourceConfig] {
        &self.sources
    }

    /// Returns how it loads.
    pub fn options(&self) -> &LoadOptions {
        &self.options
    }

    /// Reads all sources and joins them, as a command needs them: what lies on this machine is looked at, what
    /// is kept of a remote source is taken while it is good. Blocks; call it on a thread of a pool.
    ///
    /// Never fails: what could not be read is in [`Catalog::diagnostics`] and [`Catalog::sources`].
    pub fn load(&self, progress: &Progress) -> Arc<Catalog> {
        self.revive();
        let due: Vec<usize> = (0..self.sources.len()).filter(|index| !self.is_fresh(*index)).collect();
        // one thread a source: they wait for disks and networks, the work itself is on the CPU pool
        std::thread::scope(|scope| {
            for index in due.iter().skip(1) {
                scope.spawn(move || self.refresh(*index, None, progress));
            }
            if let Some(first) = due.first() {
                self.refresh(*first, None, progress);
            }
        });
        progress.report(ProgressEvent::Stitching);
        self.join()
    }

    /// Reads one source by its number in [`Self::sources`]; what it held before stays when it fails. Blocks.
    ///
    /// `changed` are the only paths that may differ since the last reading; `None`: anything may.
    /// Returns whether anything differs from what it held before.
    pub fn refresh(&self, index: usize, changed: Option<&[PathBuf]>, progress: &Progress) -> bool {
        let (Some(config), Some(slot)) = (self.sources.get(index), self.slots.get(index)) else {
            return false;
        };
        self.revive();
        let mut kept = slot.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let name: Arc<str> = config.name.as_str().into();
        progress.report(ProgressEvent::Started { source: name.clone() });
        // not inside the call: the lock would be held for as long as the source is read
        let before = slot.held().before();
        let read =
            std::panic::AssertUnwindSafe(|| self.read(index, config, &mut kept, changed, &before, progress));
        let answer = std::panic::catch_unwind(read).unwrap_or_else(|_| Err(crashed(config)));
        let is_read = answer.is_ok();
        let mut held = slot.held();
        let is_changed = held.take_in(answer);
        if is_changed {
            self.warm.note_change();
        }
        let ok = held.state.error.is_none();
        if is_read {
            self.cache.retain(index as u16, &held.files);
        }
        progress.report(ProgressEvent::Finished { source: name, files: held.files.len(), ok });
        is_changed
    }

    /// Returns whether the last reading of a source looked at a few files only, so that no folder is new.
    pub(super) fn looked_at_few(&self, index: usize) -> bool {
        self.cache.looked_at_few(index as u16)
    }

    /// Waits until no source is being read, and keeps it so for as long as the answer lives.
    pub(super) fn wait_until_unread(&self, longest: Duration) -> Option<Vec<MutexGuard<'_, Option<Kept>>>> {
        const STEP: Duration = Duration::from_millis(20);
        let mut left = longest;
        loop {
            let locked: Option<Vec<_>> = self.slots.iter().map(|slot| slot.kept.try_lock().ok()).collect();
            if locked.is_some() || left.is_zero() {
                return locked;
            }
            std::thread::sleep(STEP);
            left = left.saturating_sub(STEP);
        }
    }

    /// Returns how long a source is good before it is read again; `None`: its files are watched.
    pub fn every(&self, index: usize) -> Option<Duration> {
        let config = self.sources.get(index)?;
        config.every.or_else(|| sources::open(config).ok()?.1.every())
    }

    /// Returns the folders of this machine whose files a source depends on. Walks; call it off the screen.
    pub fn folders(&self, index: usize) -> Vec<PathBuf> {
        let Some((config, slot)) = self.sources.get(index).zip(self.slots.get(index)) else {
            return Vec::new();
        };
        let mut folders = sources::open(config).map(|(_, provider)| provider.folders()).unwrap_or_default();
        let held = slot.held();
        let files = held.files.iter().filter_map(|file| file.view().location_ref.strip_prefix("file:"));
        folders.extend(files.filter_map(|path| Path::new(path).parent()).map(Path::to_owned));
        drop(held);
        folders.sort_unstable();
        folders.dedup();
        folders
    }

    /// Returns the folder of this machine that belongs to a source alone; it may not exist yet.
    pub fn folder(&self, index: usize) -> Option<PathBuf> {
        let cache = self.options.cache.as_ref()?;
        Some(cache.join("sources").join(folder_name(self.sources.get(index)?)))
    }

    /// Returns how a source stood when it was last read.
    pub fn state(&self, index: usize) -> SourceState {
        self.slots.get(index).map(|slot| slot.held().state.clone()).unwrap_or_default()
    }

    /// Returns whether somebody could ask the server of a source to do something.
    pub fn has_writes(&self, index: usize) -> bool {
        self.sources
            .get(index)
            .is_some_and(|config| sources::open(config).is_ok_and(|found| found.1.writes().is_some()))
    }

    /// Asks the server of a source to register an address, or what that would bring. Blocks.
    ///
    /// # Errors
    /// Why not, and who could allow it.
    pub fn register(
        &self,
        index: usize,
        target: &str,
        dry_run: bool,
        progress: &Progress,
    ) -> Result<Registered, Box<Diagnostic>> {
        self.write(index, progress, |writes, cx| writes.register(cx, target, dry_run))
    }

    /// Asks the server of a source to read an entity's descriptor again. Blocks.
    ///
    /// # Errors
    /// Why not, and who could allow it.
    pub fn refresh_entity(
        &self,
        index: usize,
        entity_ref: &str,
        progress: &Progress,
    ) -> Result<(), Box<Diagnostic>> {
        self.write(index, progress, |writes, cx| writes.refresh_entity(cx, entity_ref))
    }

    /// Asks the server of a source to read a registered address again. Blocks.
    ///
    /// # Errors
    /// Why not, and who could allow it.
    pub fn refresh_location(
        &self,
        index: usize,
        target: &str,
        progress: &Progress,
    ) -> Result<(), Box<Diagnostic>> {
        self.write(index, progress, |writes, cx| writes.refresh_entity(cx, &writes.location_ref(target)))
    }

    fn write<T>(
        &self,
        index: usize,
        progress: &Progress,
        work: impl FnOnce(&dyn CatalogWrites, &RefreshContext<'_>) -> Result<T, SourceError>,
    ) -> Result<T, Box<Diagnostic>> {
        let Some(config) = self.sources.get(index) else {
            return Err(Box::new(Diagnostic::error("source::unknown", "there is no such source")));
        };
        let name: Arc<str> = config.name.as_str().into();
        let told = |error: SourceError| Box::new(error.to_diagnostic(&name, &place_of(config)));
        let provider = sources::open(config).map_err(told)?.1;
        let Some(writes) = provider.writes() else {
            let message = format!("the source `{name}` is read only: nothing can be asked of it");
            return Err(Box::new(
                Diagnostic::error("source::read-only", message)
                    .hint("only a source of type `backstage` can be asked to register and refresh"),
            ));
        };
        // what is asked once needs no memory, and does not wait for a refresh under way
        let kept = Kept::in_memory();
        let notify = |note| progress.report(ProgressEvent::of_net(&name, note));
        let cx = RefreshContext {
            config,
            name: name.clone(),
            index: index as u16,
            net: &self.net,
            cache: &self.cache,
            kept: &kept,
            folder: None,
            notify: &notify,
            progress,
            remote_budget: self.options.remote_budget,
            settling: self.options.settling,
            changed: None,
            before: &[],
            version: None,
        };
        work(writes, &cx).map_err(told)
    }

    fn read(
        &self,
        index: usize,
        config: &SourceConfig,
        kept: &mut Option<Kept>,
        changed: Option<&[PathBuf]>,
        before: &(Option<String>, Vec<Arc<ParsedFile>>),
        progress: &Progress,
    ) -> Result<Delta, SourceError> {
        let provider = sources::open(config)?.1;
        let folder = self.options.cache.as_ref().map(|cache| cache.join("sources").join(folder_name(config)));
        let kept = kept.get_or_insert_with(|| match &folder {
            Some(folder) => Kept::at(&folder.join("kept")),
            None => Kept::in_memory(),
        });
        let name: Arc<str> = config.name.as_str().into();
        let notify = |note| progress.report(ProgressEvent::of_net(&name, note));
        let mut delta = provider.refresh(&RefreshContext {
            config,
            name: name.clone(),
            index: index as u16,
            net: &self.net,
            cache: &self.cache,
            kept,
            folder: folder.as_deref(),
            notify: &notify,
            progress,
            remote_budget: self.options.remote_budget,
            settling: self.options.settling,
            changed,
            before: &before.1,
            version: before.0.as_deref(),
        })?;
        let warned = config.token.as_ref().and_then(SecretSource::warning);
        delta.diagnostics.extend(kept.problem().into_iter().chain(warned).map(|mut diagnostic| {
            diagnostic.source = Some(name.clone());
            diagnostic
        }));
        Ok(delta)
    }
}

impl Slot {
    fn new(config: &SourceConfig) -> Self {
        let mut state = SourceState {
            name: config.name.as_str().into(),
            place: place_of(config),
            ..SourceState::default()
        };
        if let Ok((spec, provider)) = sources::open(config) {
            (state.kind, state.place, state.root) = (spec.kind, provider.place(), provider.root());
        }
        Self { held: Mutex::new(Held { state, ..Held::default() }), kept: Mutex::default() }
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Takes the place of what was held before, if the source could be read; tells whether it differs.
    fn take_in(&mut self, answer: Result<Delta, SourceError>) -> bool {
        self.was_asked = true;
        match answer {
            Ok(Delta { files, diagnostics, version, stale }) => {
                let (error, read_at) = match stale {
                    None => (None, Timestamp::now()),
                    Some(stale) => (Some(self.still_shown(&stale.error)), stale.read_at),
                };
                let is_same = self.state.read_at.is_some()
                    && self.state.error == error
                    && self.diagnostics == diagnostics
                    && self.files.len() == files.len()
                    && self.files.iter().zip(&files).all(|(old, new)| Arc::ptr_eq(old, new));
                (self.files, self.diagnostics) = (files, diagnostics);
                (self.state.error, self.state.read_at) = (error, Some(read_at));
                self.version = version;
                !is_same
            }
            Err(error) => {
                // what was read before is still the best there is
                let diagnostic = match self.state.read_at {
                    Some(_) => self.still_shown(&error),
                    None => error.to_diagnostic(&self.state.name, &self.state.place),
                };
                let is_same = self.state.error.as_ref() == Some(&diagnostic);
                self.state.error = Some(diagnostic);
                !is_same
            }
        }
    }

    /// Returns what a source needs that tells by its version whether anything changed.
    fn before(&self) -> (Option<String>, Vec<Arc<ParsedFile>>) {
        match &self.version {
            Some(version) => (Some(version.clone()), self.files.clone()),
            None => (None, Vec::new()),
        }
    }

    /// Puts an error in words for a source whose older content is shown.
    fn still_shown(&self, error: &SourceError) -> Diagnostic {
        let mut diagnostic = error.to_diagnostic(&self.state.name, &self.state.place);
        diagnostic.message.push_str("; what was read before is still shown");
        diagnostic
    }
}

/// Returns the folder of what is kept for a source: its name for people, a hash of its settings so that
/// another place never gets what this one kept.
fn folder_name(config: &SourceConfig) -> String {
    // what is kept of a place does not depend on how long it may take, or on what is read of it
    let place = SourceConfig {
        timeout_seconds: None,
        every: None,
        priority: 0,
        allow: Vec::new(),
        include: Vec::new(),
        exclude: Vec::new(),
        max_file_bytes: 0,
        ..config.clone()
    };
    let place = serde_json::to_string(&place).unwrap_or_default();
    let hash = blake3::hash(place.as_bytes()).to_hex();
    let name: String = config
        .name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .take(40)
        .collect();
    format!("{name}-{}", hash.get(..12).unwrap_or_default())
}

/// More sources than anybody lists; keeps their numbers in two bytes.
const MAX_SOURCES: usize = 10_000;

fn crashed(config: &SourceConfig) -> SourceError {
    let cause = "the program made a mistake while reading it".to_owned();
    let hint = Some("please report this with the log file".to_owned());
    SourceError::Unreadable { place: place_of(config), cause, hint }
}

fn place_of(config: &SourceConfig) -> String {
    let path = config.path.as_ref().map(|path| path.display().to_string());
    path.or_else(|| config.url.clone()).unwrap_or_default()
}

/// Returns a diagnostic for each source that could not be read.
pub fn source_errors(catalog: &Catalog) -> impl Iterator<Item = &Diagnostic> {
    catalog.sources().iter().filter_map(|source| source.error.as_ref())
}
