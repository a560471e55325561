//! What every command and the screen start from: settings, sources, who I am.
//!
//! [`open`] decides which sources count: the command line, then the settings, then the current folder
//! if it has a descriptor at its root, then the sample that is built in. It reads no catalog and touches
//! no network; [`Session::load`] does.

use super::access;
use super::args::GlobalArgs;
use super::demo::Demo;
use super::error::{CliError, Exit};
use super::output::Output;
use crate::catalog::access::identity;
use crate::catalog::ingest::sniff;
use crate::catalog::{Catalog, LoadOptions, Loader, Progress, Viewer, loader, warm};
use crate::config::setting::{self, Value};
use crate::config::source::SourceConfig;
use crate::config::{Config, Flag, Inputs};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::kubernetes::clusters::{Places, Wanted};
use crate::permissions::{Claims, Identity};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Why these sources count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourcesFrom {
    /// `--catalog`.
    CommandLine,
    /// The settings.
    Settings,
    /// `--demo`.
    Demo,
    /// The current folder has descriptors.
    Folder,
    /// Nothing else was there.
    Sample,
}

/// The start of a run.
#[derive(Debug)]
pub struct Session {
    /// Settings, with what was wrong in them.
    pub config: Config,
    /// What the settings were read from; to read them again.
    pub inputs: Inputs,
    /// Why these sources count.
    pub sources_from: SourcesFrom,
    /// Reads the sources.
    pub loader: Arc<Loader>,
    /// What is known about the person.
    pub claims: Claims,
    /// Time for a whole command.
    pub timeout: Option<Duration>,
    /// Clusters of `--demo`.
    pub demo: Option<Arc<Demo>>,
    /// The command line, to find the sources again.
    global: GlobalArgs,
}

/// Reads the settings and decides on the sources.
pub fn open(global: &GlobalArgs) -> Session {
    let inputs = inputs(global);
    let mut config = Config::load(&inputs);
    keep_apart(&mut config, global);
    let folder = std::env::current_dir().ok();
    let (sources, sources_from) = sources(global, &config, folder.as_deref());
    let claims = claims(&config, folder.as_deref());
    let (access, problems) = access::open(&config, &inputs, &claims);
    let options = LoadOptions { access, ..options(global, &config) };
    config.diagnostics.extend(problems);
    Session {
        loader: Arc::new(Loader::new(sources, options)),
        sources_from,
        claims,
        timeout: global.timeout,
        demo: global.demo.then(Arc::default),
        global: global.clone(),
        config,
        inputs,
    }
}

/// Keeps what is remembered of the demo apart: its places and stars are of a company that does not exist.
fn keep_apart(config: &mut Config, global: &GlobalArgs) {
    if global.demo && !config.paths.state.ends_with("demo") {
        config.paths.state.push("demo");
    }
}

/// Returns what is known about the person.
fn claims(config: &Config, folder: Option<&Path>) -> Claims {
    let user = config.get(&setting::USER);
    Claims::collect(&user.value.to_text(), &user.origin.to_string(), folder)
}

/// Returns how sources are read.
fn options(global: &GlobalArgs, config: &Config) -> LoadOptions {
    let mut options = LoadOptions {
        offline: config.flag(&setting::OFFLINE),
        connect_timeout: config.duration(&setting::HTTP_CONNECT_TIMEOUT),
        cache: Some(config.paths.cache.clone()),
        max_age: global.max_age,
        ..LoadOptions::default()
    };
    if let Some(timeout) = global.timeout {
        options.remote_budget = options.remote_budget.min(timeout);
    }
    options
}

/// Returns what the settings of this run are read from.
pub fn inputs(global: &GlobalArgs) -> Inputs {
    let mut flags = Vec::new();
    if global.offline {
        flags.push(Flag { setting: &setting::OFFLINE, name: "--offline", value: Value::Bool(true) });
    }
    let mut inputs = Inputs::from_environment(flags);
    inputs.config_file.clone_from(&global.config);
    inputs
}

fn sources(global: &GlobalArgs, config: &Config, folder: Option<&Path>) -> (Vec<SourceConfig>, SourcesFrom) {
    let at = global.at.as_deref();
    let place = |place: &str| config.source_from_place(place, at);
    let (mut sources, from) = if !global.catalog.is_empty() {
        (global.catalog.iter().map(|text| place(text)).collect(), SourcesFrom::CommandLine)
    } else if global.demo {
        (vec![SourceConfig::sample()], SourcesFrom::Demo)
    } else if !config.sources.is_empty() {
        (config.sources.clone(), SourcesFrom::Settings)
    } else if at.is_some() || folder.is_some_and(has_descriptor) {
        (vec![place(".")], SourcesFrom::Folder)
    } else {
        (vec![SourceConfig::sample()], SourcesFrom::Sample)
    };
    if let Some(timeout) = global.timeout {
        for source in &mut sources {
            let own = source.timeout_seconds.unwrap_or(u64::MAX);
            source.timeout_seconds = Some(timeout.as_secs().clamp(1, own));
        }
    }
    if from == SourcesFrom::Settings && at.is_some() {
        for source in sources.iter_mut().filter(|source| source.kind == "dir" || source.kind == "git") {
            "git".clone_into(&mut source.kind);
            source.at = at.map(str::to_owned);
        }
    }
    SourceConfig::make_names_unique(&mut sources);
    (sources, from)
}

/// How long a load that is out of time may take to hand over what it has.
const STOPPING: Duration = Duration::from_secs(1);

/// Files of a folder that are looked into for a descriptor, and how far into each.
const SNIFFED_FILES: usize = 50;
const SNIFFED_BYTES: u64 = 64 * 1024;

/// Returns whether a folder has a descriptor at its root: a file with the usual name, or a YAML file
/// that names one of Backstage's API versions.
pub fn has_descriptor(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.file_name().is_some_and(|name| sniff::is_yaml_name(&name.to_string_lossy())))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let is_usual = |path: &PathBuf| {
        path.file_name().is_some_and(|name| sniff::is_descriptor_name(&name.to_string_lossy()))
    };
    files.iter().any(is_usual) || files.iter().take(SNIFFED_FILES).any(|path| looks_like_one(path))
}

fn looks_like_one(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(SNIFFED_BYTES).read_to_end(&mut bytes));
    read.is_ok() && sniff::is_descriptor(&bytes)
}

impl Session {
    /// Returns the sentence that says what is read when nobody said what to read.
    pub fn notice(&self) -> Option<String> {
        match self.sources_from {
            SourcesFrom::CommandLine | SourcesFrom::Settings => None,
            SourcesFrom::Demo => {
                Some("this is the demo: a company that does not exist, with its clusters".to_owned())
            }
            SourcesFrom::Folder => Some("reading the descriptors of the current folder".to_owned()),
            SourcesFrom::Sample => Some(
                "showing the built-in sample; `--catalog PATH` reads yours, `devportal init` writes settings"
                    .to_owned(),
            ),
        }
    }

    /// Reads the settings again; what is wrong now keeps its last good value. The sources follow.
    pub fn reload(&mut self) {
        self.config = self.config.reload(&self.inputs);
        keep_apart(&mut self.config, &self.global);
        let folder = std::env::current_dir().ok();
        let (sources, from) = sources(&self.global, &self.config, folder.as_deref());
        // a mistake in a file may hide sources that are meant to be there
        let is_doubtful = self.config.diagnostics.iter().any(Diagnostic::is_error);
        let sources = if is_doubtful { self.loader.sources().to_vec() } else { sources };
        let (access, problems) = access::open(&self.config, &self.inputs, &self.claims);
        self.config.diagnostics.extend(problems);
        let loader = Loader::new(sources, LoadOptions { access, ..options(&self.global, &self.config) });
        if loader.sources() != self.loader.sources() || loader.options() != self.loader.options() {
            self.loader = Arc::new(loader);
            self.sources_from = from;
        }
    }

    /// Returns where clusters are looked for: the environment, or the demo.
    pub fn cluster_places(&self) -> Box<dyn Fn() -> Places + Send + Sync> {
        match self.demo.clone() {
            Some(demo) => Box::new(move || demo.places()),
            None => Box::new(Places::from_environment),
        }
    }

    /// Returns which clusters are wanted; `None` when none is to be asked.
    pub fn wanted_clusters(&self) -> Option<Wanted> {
        let config = &self.config;
        if self.demo.is_some() {
            // none but those of the demo
            return Some(Wanted::default());
        }
        let is_wanted = config.flag(&setting::KUBERNETES_ENABLED) && !config.flag(&setting::OFFLINE);
        is_wanted.then(|| Wanted {
            contexts: config.words(&setting::KUBERNETES_CONTEXTS).to_vec(),
            clusters: config.clusters.clone(),
            environments: config.environments.clone(),
            sources: config.sources.clone(),
            custom: config.custom_resources.clone(),
        })
    }

    /// Checks that what `--catalog` names exists.
    ///
    /// # Errors
    /// [`CliError::NotFound`] for a path that does not.
    pub fn require_paths(&self) -> Result<(), CliError> {
        match self.sources_from {
            SourcesFrom::CommandLine => self.loader.sources().iter().try_for_each(require_path),
            _ => Ok(()),
        }
    }

    /// Returns who the person is, with the groups of the catalog.
    pub fn identity(&self, catalog: &Catalog) -> Identity {
        let known = self.loader.options().access.as_ref().and_then(|access| access.identity());
        known.unwrap_or_else(|| identity(&self.claims, catalog))
    }

    /// Returns what `me` and `is:starred` mean for the person.
    pub fn viewer(&self, catalog: &Catalog) -> Viewer {
        let starred = crate::store::stars::load(&self.config.paths).value.refs;
        match self.identity(catalog).principal.user {
            Some(user) => Viewer::of_user(catalog, &user, starred),
            None => Viewer { starred, ..Viewer::default() },
        }
    }

    /// Reads the sources for a command: says what is read, what is wrong with the settings and with
    /// sources, and gives up when nothing could be reached in time.
    ///
    /// # Errors
    /// [`CliError::NotFound`] for a path that does not exist, [`CliError::Unreachable`] when no source
    /// could be read or time ran out.
    pub fn load(&self, out: &mut Output) -> Result<Loaded, CliError> {
        super::exit_when_interrupted();
        super::log::start(&self.config, &self.global, true);
        for diagnostic in &self.config.diagnostics {
            out.diagnostic(diagnostic);
        }
        if let Some(notice) = self.notice() {
            out.note(&notice);
        }
        self.require_paths()?;
        let cancel = CancellationToken::new();
        let catalog = match self.timeout {
            Some(timeout) => self.load_within(timeout, &cancel)?,
            None => self.loader.load(&Progress::none().cancelled_by(cancel)),
        };
        self.keep_afterwards(out);
        let failed: Vec<&Diagnostic> = loader::source_errors(&catalog).collect();
        let is_nothing = failed.len() == catalog.sources().len() && catalog.is_empty();
        if let Some((last, others)) = failed.split_last().filter(|_| is_nothing) {
            for diagnostic in others {
                out.diagnostic(diagnostic);
            }
            return Err(gave_nothing((*last).clone()));
        }
        let stale = self.global.max_age.map_or_else(Vec::new, |max| too_old(&catalog, max));
        for diagnostic in failed.into_iter().chain(&stale) {
            out.diagnostic(diagnostic);
        }
        let is_complete = stale.is_empty() && loader::source_errors(&catalog).next().is_none();
        let exit = if is_complete { Exit::Fine } else { Exit::Incomplete };
        Ok(Loaded { catalog, exit })
    }

    /// Tells what is wrong with the cache, and has what was read kept when everything is printed.
    /// Keeps the catalog for the next start, once the output is written.
    pub fn keep_afterwards(&self, out: &mut Output) {
        for problem in self.loader.cache_problems() {
            out.diagnostic(&problem);
        }
        let loader = Arc::clone(&self.loader);
        out.afterwards(move || loader.save());
    }

    /// Loads on a thread of its own, so that a source that does not listen cannot hold the command.
    fn load_within(&self, timeout: Duration, cancel: &CancellationToken) -> Result<Arc<Catalog>, CliError> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let (loader, progress) = (Arc::clone(&self.loader), Progress::none().cancelled_by(cancel.clone()));
        std::thread::spawn(move || sender.send(loader.load(&progress)));
        let in_time = receiver.recv_timeout(timeout).or_else(|late| {
            cancel.cancel();
            // what is stopped tells so at once, and the sources that are done keep what they have
            receiver.recv_timeout(STOPPING).map_err(|_| late)
        });
        in_time.map_err(|_| {
            let message = format!("the catalog was not read within {}", Value::Duration(timeout).to_text());
            CliError::unreachable(
                Diagnostic::error("catalog::timeout", message)
                    .hint("give it more time with `--timeout`, or `--offline` to leave the network out"),
            )
        })
    }
}

/// A snapshot for a command.
#[derive(Debug)]
pub struct Loaded {
    /// The snapshot.
    pub catalog: Arc<Catalog>,
    /// [`Exit::Incomplete`] when some source could not be reached.
    pub exit: Exit,
}

/// Tells about each source whose content is older than somebody wants.
fn too_old(catalog: &Catalog, max: Duration) -> Vec<Diagnostic> {
    let now = jiff::Timestamp::now();
    let is_old = |at: jiff::Timestamp| warm::age(at, now).is_none_or(|age| age > max);
    let old = catalog
        .sources()
        .iter()
        .filter_map(|source| Some((source, source.read_at.filter(|at| is_old(*at))?)));
    old.map(|(source, at)| {
        let shown = Value::Duration(max).to_text();
        let message = format!("what is shown of `{}` is from {at}, older than {shown}", source.name);
        let mut diagnostic = Diagnostic::warning("source::too-old", message);
        diagnostic.source = Some(source.name.clone());
        diagnostic
    })
    .collect()
}

/// Turns what a source says into the error of a command: when no source gave anything, or one refused to act.
pub(super) fn gave_nothing(reason: Diagnostic) -> CliError {
    match reason.code {
        "source::network" | "source::cancelled" => CliError::unreachable(reason),
        "source::refused" | "source::no-secret" => CliError::Refused(Box::new(reason)),
        "source::unknown-revision" | "source::unknown-entity" => CliError::not_found(reason),
        _ => CliError::failure(reason),
    }
}

fn require_path(source: &SourceConfig) -> Result<(), CliError> {
    let Some(path) = source.path.as_ref().filter(|path| !path.exists()) else { return Ok(()) };
    let shown = path.display().to_string();
    Err(CliError::not_found(
        Diagnostic::error("catalog::not-found", format!("there is no file or folder `{shown}`"))
            .at(SourceLocation::file(shown))
            .hint("`--catalog` takes a folder, a file, a git repository or an http(s) URL"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_at_the_root_is_found_by_name_or_content() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_descriptor(folder.path()));
        std::fs::write(folder.path().join("deploy.yaml"), "apiVersion: apps/v1\nkind: Deployment\n").unwrap();
        assert!(!has_descriptor(folder.path()));
        std::fs::write(folder.path().join("all.yml"), "# x\napiVersion: 'backstage.io/v1alpha1'\n").unwrap();
        assert!(has_descriptor(folder.path()));
    }

    #[test]
    fn the_demo_remembers_apart() {
        let mut config = Config::default();
        let real = config.paths.state.clone();
        keep_apart(&mut config, &GlobalArgs::default());
        assert_eq!(config.paths.state, real);
        let demo = GlobalArgs { demo: true, ..GlobalArgs::default() };
        keep_apart(&mut config, &demo);
        keep_apart(&mut config, &demo);
        assert_eq!(config.paths.state, real.join("demo"));
    }

    #[test]
    fn exit_codes_follow_the_reason() {
        for (code, exit) in [
            ("source::network", Exit::Unreachable),
            ("source::unknown-revision", Exit::NotFound),
            ("source::unreadable", Exit::Failed),
        ] {
            assert_eq!(gave_nothing(Diagnostic::error(code, "x")).exit(), exit);
        }
    }

    #[test]
    fn the_command_line_replaces_the_settings() {
        let mut config = Config::default();
        config.sources.push(SourceConfig::dir("/configured"));
        let mut global = GlobalArgs::default();
        assert_eq!(sources(&global, &config, None).1, SourcesFrom::Settings);
        global.catalog = vec!["/a".into(), "https://x.example/c.yaml".into()];
        let (found, from) = sources(&global, &config, None);
        assert_eq!((found.len(), from), (2, SourcesFrom::CommandLine));
        assert_eq!(sources(&GlobalArgs::default(), &Config::default(), None).1, SourcesFrom::Sample);
    }
}
