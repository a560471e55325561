//! From configured sources to a snapshot; keeps what it needs to load again quickly.
//!
//! Start at [`Loader::load`]. A loader is shared (`Arc<Loader>`) and loads one at a time; what it
//! returns is immutable. Sources are read in parallel; one that fails is a [`super::SourceState`]
//! with an error and, if it was read before, its last good content.

use super::ingest::FileCache;
use super::progress::{Progress, ProgressEvent};
use super::snapshot::{Catalog, ParsedFile, SourceState};
use super::sources::{self, CatalogProvider, Delta, RefreshContext, SourceError};
use super::stitch::{StitchInput, stitch};
use crate::config::source::SourceConfig;
use crate::diagnostic::Diagnostic;
use crate::net::{Net, NetOptions};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadOptions {
    /// Never touch the network.
    pub offline: bool,
    /// Longest time that a load waits for addresses named inside local files, in all.
    pub remote_budget: Duration,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { offline: false, remote_budget: Duration::from_secs(10) }
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
    /// Files of each source as last read; also keeps two loads from running at once.
    last: Mutex<Vec<Option<Vec<Arc<ParsedFile>>>>>,
}

impl Loader {
    /// Creates a loader; reads nothing yet.
    pub fn new(mut sources: Vec<SourceConfig>, options: LoadOptions) -> Self {
        SourceConfig::make_names_unique(&mut sources);
        sources.sort_by_key(|source| std::cmp::Reverse(source.priority));
        sources.truncate(MAX_SOURCES);
        let net = Net::new(NetOptions { offline: options.offline, ..NetOptions::default() });
        let last = Mutex::new(vec![None; sources.len()]);
        Self { sources, options, net, cache: FileCache::default(), last }
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
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = self.refresh_all(progress);
        progress.report(ProgressEvent::Stitching);
        let mut input = StitchInput::default();
        for (index, (answer, config)) in answers.into_iter().zip(&self.sources).enumerate() {
            let name: Arc<str> = config.name.as_str().into();
            let mut state = answer.state;
            match answer.delta {
                Ok(delta) => {
                    self.cache.retain(index as u16, &delta.files);
                    input.diagnostics.extend(delta.diagnostics);
                    input.files.extend(delta.files.iter().cloned());
                    if let Some(slot) = last.get_mut(index) {
                        *slot = Some(delta.files);
                    }
                }
                Err(error) => {
                    let mut diagnostic = error.to_diagnostic(&name, &state.place);
                    // what was read before is still the best there is
                    if let Some(files) = last.get(index).and_then(Option::as_ref) {
                        diagnostic.message.push_str("; what was read before is still shown");
                        input.files.extend(files.iter().cloned());
                    }
                    input.diagnostics.push(diagnostic.clone());
                    state.error = Some(diagnostic);
                }
            }
            input.sources.push(state);
        }
        Arc::new(stitch(input))
    }

    fn refresh_all(&self, progress: &Progress) -> Vec<Answer> {
        // one thread a source: they wait for disks and networks, the work itself is on the CPU pool
        std::thread::scope(|scope| {
            let refresh = |(index, config)| self.refresh(index, config, progress);
            let mut numbered = (0u16..).zip(&self.sources);
            let first = numbered.next();
            let others: Vec<_> =
                numbered.map(|numbered| (numbered.1, scope.spawn(move || refresh(numbered)))).collect();
            let mut answers: Vec<Answer> = first.into_iter().map(refresh).collect();
            answers.extend(
                others
                    .into_iter()
                    .map(|(config, thread)| thread.join().unwrap_or_else(|_| Answer::crashed(config))),
            );
            answers
        })
    }

    fn refresh(&self, index: u16, config: &SourceConfig, progress: &Progress) -> Answer {
        let name: Arc<str> = config.name.as_str().into();
        let mut state = SourceState {
            name: name.clone(),
            kind: "",
            place: place_of(config),
            root: None,
            files: 0,
            entities: 0,
            error: None,
        };
        progress.report(ProgressEvent::Started { source: name.clone() });
        let delta = sources::open(config).and_then(|(spec, provider)| {
            state.kind = spec.kind;
            self.ask(&*provider, &mut state, index, config, progress)
        });
        let files = delta.as_ref().map_or(0, |delta| delta.files.len());
        progress.report(ProgressEvent::Finished { source: name, files, ok: delta.is_ok() });
        Answer { state, delta }
    }

    fn ask(
        &self,
        provider: &dyn CatalogProvider,
        state: &mut SourceState,
        index: u16,
        config: &SourceConfig,
        progress: &Progress,
    ) -> Result<Delta, SourceError> {
        state.place = provider.place();
        state.root = provider.root();
        provider.refresh(&RefreshContext {
            config,
            name: state.name.clone(),
            index,
            net: &self.net,
            cache: &self.cache,
            progress,
            remote_budget: self.options.remote_budget,
        })
    }
}

/// More sources than anybody lists; keeps their numbers in two bytes.
const MAX_SOURCES: usize = 10_000;

/// What became of one source.
struct Answer {
    state: SourceState,
    delta: Result<Delta, SourceError>,
}

impl Answer {
    fn crashed(config: &SourceConfig) -> Self {
        let place = place_of(config);
        let state = SourceState {
            name: config.name.as_str().into(),
            kind: "",
            place: place.clone(),
            root: None,
            files: 0,
            entities: 0,
            error: None,
        };
        let cause = "the program made a mistake while reading it".to_owned();
        let hint = Some("please report this with the log file".to_owned());
        Self { state, delta: Err(SourceError::Unreadable { place, cause, hint }) }
    }
}

fn place_of(config: &SourceConfig) -> String {
    let path = config.path.as_ref().map(|path| path.display().to_string());
    path.or_else(|| config.url.clone()).unwrap_or_default()
}

/// Returns a diagnostic for each source that could not be read.
pub fn source_errors(catalog: &Catalog) -> impl Iterator<Item = &Diagnostic> {
    catalog.sources().iter().filter_map(|source| source.error.as_ref())
}
