//! From configured sources to a snapshot; keeps what it needs to load again quickly.
//!
//! Start at [`Loader::load`]. A loader is shared (`Arc<Loader>`) and loads one at a time; what it
//! returns is immutable. Sources are read in parallel; one that fails is a [`super::SourceState`]
//! with an error and, if it was read before, its last good content.

use super::ingest::FileCache;
use super::progress::{Progress, ProgressEvent};
use super::snapshot::{Catalog, ParsedFile, SourceState};
use super::sources::{self, Delta, RefreshContext, SourceError};
use super::stitch::{StitchInput, stitch};
use crate::config::source::SourceConfig;
use crate::diagnostic::Diagnostic;
use crate::net::{Net, NetOptions};
use crate::store::kept::Kept;
use jiff::Timestamp;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Never touch the network.
    pub offline: bool,
    /// Longest time that a load waits for addresses named inside local files, in all.
    pub remote_budget: Duration,
    /// Folder of what is kept between runs; `None`: nothing is.
    pub cache: Option<PathBuf>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { offline: false, remote_budget: Duration::from_secs(10), cache: None }
    }
}

/// Reads sources into snapshots.
#[derive(Debug)]
pub struct Loader {
    /// By priority, then as configured.
    sources: Vec<SourceConfig>,
    options: LoadOptions,
    net: Net,
    cache: FileCache,
    /// One for each source; locked while it is read, so that nothing is read twice at once.
    slots: Vec<Mutex<Slot>>,
}

/// A source as last read.
#[derive(Debug, Default)]
struct Slot {
    held: Held,
    kept: Option<Kept>,
}

/// What a source gave, for joining.
#[derive(Debug, Default, Clone)]
struct Held {
    state: SourceState,
    files: Vec<Arc<ParsedFile>>,
    diagnostics: Vec<Diagnostic>,
}

impl Loader {
    /// Creates a loader; reads nothing yet.
    pub fn new(mut sources: Vec<SourceConfig>, options: LoadOptions) -> Self {
        SourceConfig::make_names_unique(&mut sources);
        sources.sort_by_key(|source| std::cmp::Reverse(source.priority));
        sources.truncate(MAX_SOURCES);
        let net = Net::new(NetOptions { offline: options.offline, ..NetOptions::default() });
        let slots = sources.iter().map(|config| Mutex::new(Slot::new(config))).collect();
        Self { sources, options, net, cache: FileCache::default(), slots }
    }

    /// Returns the sources in the order of their priority.
    pub fn sources(&self) -> &[SourceConfig] {
        &self.sources
    }

    /// Returns how it loads.
    pub fn options(&self) -> &LoadOptions {
        &self.options
    }

    /// Reads all sources and joins them. Blocks; call it on a thread of a pool.
    ///
    /// Never fails: what could not be read is in [`Catalog::diagnostics`] and [`Catalog::sources`].
    pub fn load(&self, progress: &Progress) -> Arc<Catalog> {
        // one thread a source: they wait for disks and networks, the work itself is on the CPU pool
        std::thread::scope(|scope| {
            for index in 1..self.sources.len() {
                scope.spawn(move || self.refresh(index, progress));
            }
            self.refresh(0, progress);
        });
        progress.report(ProgressEvent::Stitching);
        self.join()
    }

    /// Reads one source by its number in [`Self::sources`]; what it held before stays when it fails. Blocks.
    pub fn refresh(&self, index: usize, progress: &Progress) {
        let (Some(config), Some(slot)) = (self.sources.get(index), self.slots.get(index)) else { return };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let name: Arc<str> = config.name.as_str().into();
        progress.report(ProgressEvent::Started { source: name.clone() });
        let read = std::panic::AssertUnwindSafe(|| self.read(index, config, &mut slot, progress));
        let answer = std::panic::catch_unwind(read).unwrap_or_else(|_| Err(crashed(config)));
        let ok = answer.is_ok();
        let held = &mut slot.held;
        match answer {
            Ok(delta) => {
                self.cache.retain(index as u16, &delta.files);
                (held.files, held.diagnostics) = (delta.files, delta.diagnostics);
                (held.state.error, held.state.read_at) = (None, Some(Timestamp::now()));
            }
            Err(error) => {
                let mut diagnostic = error.to_diagnostic(&name, &held.state.place);
                // what was read before is still the best there is
                if held.state.read_at.is_some() {
                    diagnostic.message.push_str("; what was read before is still shown");
                }
                held.state.error = Some(diagnostic);
            }
        }
        progress.report(ProgressEvent::Finished { source: name, files: held.files.len(), ok });
    }

    /// Joins what the sources held when they were last read.
    pub fn join(&self) -> Arc<Catalog> {
        let mut input = StitchInput::default();
        for slot in &self.slots {
            let held = slot.lock().unwrap_or_else(PoisonError::into_inner).held.clone();
            input.diagnostics.extend(held.diagnostics);
            input.diagnostics.extend(held.state.error.clone());
            input.files.extend(held.files);
            input.sources.push(held.state);
        }
        Arc::new(stitch(input))
    }

    fn read(
        &self,
        index: usize,
        config: &SourceConfig,
        slot: &mut Slot,
        progress: &Progress,
    ) -> Result<Delta, SourceError> {
        let (spec, provider) = sources::open(config)?;
        let state = &mut slot.held.state;
        (state.kind, state.place, state.root) = (spec.kind, provider.place(), provider.root());
        let folder = self.options.cache.as_ref().map(|cache| cache.join("sources").join(folder_name(config)));
        let kept = slot.kept.get_or_insert_with(|| match &folder {
            Some(folder) => Kept::open(&folder.join("kept")).0,
            None => Kept::in_memory(),
        });
        let source = state.name.clone();
        let notify = |note| progress.report(ProgressEvent::of_net(&source, note));
        provider.refresh(&RefreshContext {
            config,
            name: source.clone(),
            index: index as u16,
            net: &self.net,
            cache: &self.cache,
            kept,
            folder: folder.as_deref(),
            notify: &notify,
            progress,
            remote_budget: self.options.remote_budget,
        })
    }
}

impl Slot {
    fn new(config: &SourceConfig) -> Self {
        let state = SourceState {
            name: config.name.as_str().into(),
            place: place_of(config),
            ..SourceState::default()
        };
        Self { held: Held { state, ..Held::default() }, kept: None }
    }
}

/// Returns the folder of what is kept for a source: its name for people, a hash of its settings so that
/// another place never gets what this one kept.
fn folder_name(config: &SourceConfig) -> String {
    let place = serde_json::to_string(config).unwrap_or_default();
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
