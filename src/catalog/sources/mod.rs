//! The types of catalog sources, one file each, in one table.
//!
//! To add a source: write a file here with a [`SourceSpec`] and name it in [`SOURCES`]. A source opens
//! a tree (see [`super::tree`]) and says which files of it to read; [`super::ingest`] does the rest.

pub mod azure;
pub mod backstage;
pub mod bitbucket;
mod changes;
pub mod dir;
mod disk_tree;
pub mod documents;
pub mod embedded;
pub mod file;
pub mod forge;
pub mod git;
mod git_remote;
mod git_tree;
pub mod gitea;
pub mod github;
pub mod gitlab;
pub mod http;
pub mod revisions;
pub mod snapshot;

pub use git_remote::{Transfer, TransferError, checkout};

use super::ingest::FileCache;
use super::progress::{Progress, ProgressEvent};
use super::snapshot::ParsedFile;
use crate::config::secret::Secret;
use crate::config::source::SourceConfig;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::net::{Api, Auth, Net, NetNote};
use crate::store::kept::Kept;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Every type of source.
pub const SOURCES: &[&SourceSpec] = &[
    &dir::SPEC,
    &git::SPEC,
    &backstage::SPEC,
    &github::SPEC,
    &gitlab::SPEC,
    &gitea::SPEC,
    &bitbucket::SPEC,
    &azure::SPEC,
    &file::SPEC,
    &http::SPEC,
    &snapshot::SPEC,
    &embedded::SPEC,
];

/// Time between two refreshes of a remote source, unless its type or its configuration says otherwise.
pub const EVERY: Duration = Duration::from_secs(10 * 60);

/// Settings that every type of source uses, or that harm none.
const COMMON: &[&str] = &["type", "name", "priority", "allow", "max_file_bytes", "timeout_seconds", "every"];

/// Returns the settings of a source that its type does not use.
pub fn unused_settings(config: &SourceConfig) -> Vec<String> {
    let Some(spec) = SOURCES.iter().find(|spec| spec.kind == config.kind) else { return Vec::new() };
    let is_used = |key: &str| COMMON.contains(&key) || spec.settings.contains(&key);
    // what is not set is not written out
    match serde_json::to_value(config) {
        Ok(serde_json::Value::Object(set)) => {
            set.into_iter().map(|(key, _)| key).filter(|key| !is_used(key)).collect()
        }
        _ => Vec::new(),
    }
}

/// A type of source.
#[derive(Debug)]
pub struct SourceSpec {
    /// The word after `type =`.
    pub kind: &'static str,
    /// One line for help.
    pub help: &'static str,
    /// Settings it uses beside [`COMMON`].
    pub settings: &'static [&'static str],
    /// Makes a provider from its configuration; touches neither disk nor network.
    pub open: fn(&SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError>,
}

/// Something that entities come from.
pub trait CatalogProvider: Send + Sync {
    /// Returns the path or URL, with the revision where there is one.
    fn place(&self) -> String;

    /// Returns the folder on this machine that relative paths start from, if there is one.
    fn root(&self) -> Option<PathBuf> {
        None
    }

    /// Returns how long it is good before it is read again; `None`: it lies on this machine and is watched.
    fn every(&self) -> Option<Duration> {
        None
    }

    /// Returns the folders of this machine whose change matters; those of files it reads count anyway.
    /// Walks the tree.
    fn folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Reads everything. Blocks; called on a thread of a pool.
    ///
    /// # Errors
    /// [`SourceError`] when nothing could be read at all.
    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError>;

    /// Returns what a person may ask the server to do, if it has a server that does things.
    fn writes(&self) -> Option<&dyn CatalogWrites> {
        None
    }
}

/// What a person may ask a catalog's server to do. Never called but for somebody who asked.
pub trait CatalogWrites {
    /// Registers the descriptor at an address, or only says what that would bring. Blocks.
    ///
    /// # Errors
    /// [`SourceError`] with who could allow it, when the server refuses.
    fn register(
        &self,
        cx: &RefreshContext<'_>,
        target: &str,
        dry_run: bool,
    ) -> Result<Registered, SourceError>;

    /// Asks the server to read an entity's descriptor again soon. Blocks.
    ///
    /// # Errors
    /// As [`Self::register`].
    fn refresh_entity(&self, cx: &RefreshContext<'_>, entity_ref: &str) -> Result<(), SourceError>;

    /// Returns the ref of the Location that registering an address makes.
    fn location_ref(&self, target: &str) -> String;
}

/// What registering a location brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Refs of the entities; servers tell them in a dry run only.
    pub entities: Vec<String>,
    /// Whether the location is registered already.
    pub exists: bool,
}

/// What a provider works with.
#[derive(Clone)]
pub struct RefreshContext<'a> {
    /// Its configuration.
    pub config: &'a SourceConfig,
    /// Its name.
    pub name: Arc<str>,
    /// Its place among the sources, for [`ParsedFile::source`].
    pub index: u16,
    /// The way to the network.
    pub net: &'a Net,
    /// Files of earlier loads.
    pub cache: &'a FileCache,
    /// What the source keeps between runs: pages with their validators, where a listing stopped.
    pub kept: &'a Kept,
    /// Folder of this machine that belongs to the source alone, for what does not fit into `kept`;
    /// `None` when nothing may be kept. It may not exist yet.
    pub folder: Option<&'a Path>,
    /// Reports what requests do; made for [`RefreshContext::api`].
    pub notify: &'a (dyn Fn(NetNote) + Send + Sync),
    /// Where to report, and whether to stop.
    pub progress: &'a Progress,
    /// Longest time to wait for addresses inside local files, in all.
    pub remote_budget: Duration,
    /// How long after a change the times of a file do not tell yet whether it changes again.
    pub settling: Duration,
    /// The only files and folders of this machine that may differ since its last refresh; `None`: anything may.
    pub changed: Option<&'a [PathBuf]>,
    /// Files of its last good refresh in this run; empty when it said no version of them.
    pub before: &'a [Arc<ParsedFile>],
    /// What [`Delta::version`] said then.
    pub version: Option<&'a str>,
}

impl RefreshContext<'_> {
    /// Reads the configured token.
    ///
    /// # Errors
    /// [`SourceError::NoSecret`] when there should be one and it cannot be read.
    pub fn token(&self) -> Result<Option<Secret>, SourceError> {
        let Some(token) = &self.config.token else { return Ok(None) };
        token.read().map(Some).map_err(|error| SourceError::NoSecret { cause: error.to_string() })
    }

    /// Returns the way to one server, reporting to this refresh and stopping with it.
    pub fn api(&self, base: Url, auth: Auth) -> Api<'_> {
        Api {
            net: self.net,
            base,
            auth,
            kept: self.kept,
            cancel: self.progress.cancel_token(),
            timeout: self.config.timeout_seconds.map(Duration::from_secs),
            max_bytes: None,
            ca_file: self.config.ca_file.clone(),
            notify: self.notify,
        }
    }

    /// Reports how far the source is.
    pub fn report(&self, done: usize, total: Option<usize>, unit: &'static str) {
        self.progress.report(ProgressEvent::Amount { source: self.name.clone(), done, total, unit });
    }
}

impl std::fmt::Debug for RefreshContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshContext").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a source holds now.
#[derive(Debug, Default)]
pub struct Delta {
    /// All its files.
    pub files: Vec<Arc<ParsedFile>>,
    /// What is wrong outside of these files.
    pub diagnostics: Vec<Diagnostic>,
    /// The source's own word for this state of it, such as a hash; whoever finds it unchanged at the next
    /// refresh gives [`RefreshContext::before`] back.
    pub version: Option<String>,
    /// Set when the source cannot be read now and the files are a kept copy.
    pub stale: Option<Stale>,
}

/// Why a source gives a kept copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// What went wrong.
    pub error: SourceError,
    /// When the copy was last known to be good.
    pub read_at: jiff::Timestamp,
}

/// Why a source could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The type is in no table.
    #[error("`{kind}` is not a type of source")]
    UnknownType {
        /// What was written.
        kind: String,
    },
    /// A setting that the type needs.
    #[error("a source of type `{kind}` needs `{setting}`")]
    MissingSetting {
        /// Type of source.
        kind: &'static str,
        /// Its key.
        setting: &'static str,
    },
    /// A setting that makes no sense.
    #[error("`{setting}` of the source is not usable: {cause}")]
    BadSetting {
        /// Its key.
        setting: &'static str,
        /// Why.
        cause: String,
    },
    /// The folder, file or repository cannot be read.
    #[error("could not read `{place}`: {cause}")]
    Unreadable {
        /// Path or URL.
        place: String,
        /// Why, in plain words.
        cause: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A git repository in which nothing was ever committed.
    #[error("the git repository `{place}` has no commits yet")]
    NoCommits {
        /// Path of the repository.
        place: String,
    },
    /// A revision that the repository does not have.
    #[error("the git repository `{place}` has no revision `{revision}`")]
    UnknownRevision {
        /// Path of the repository.
        place: String,
        /// What was asked for.
        revision: String,
    },
    /// The network failed.
    #[error("could not read `{place}`: {error}")]
    Net {
        /// URL.
        place: String,
        /// Why.
        error: crate::net::NetError,
    },
    /// The network failed, as another program tells.
    #[error("could not read `{place}`: {cause}")]
    Unreached {
        /// URL.
        place: String,
        /// In plain words.
        cause: String,
        /// What to do about it.
        hint: String,
    },
    /// The token cannot be read.
    #[error("{cause}")]
    NoSecret {
        /// In plain words.
        cause: String,
    },
    /// The server refuses: not signed in, or not allowed.
    #[error("`{place}` refuses: {cause}")]
    Refused {
        /// URL.
        place: String,
        /// In plain words.
        cause: String,
        /// What to do about it.
        hint: String,
    },
    /// It was never read to its end.
    #[error("only {done}{} were read so far: {error}", of(*total))]
    Incomplete {
        /// Entities read.
        done: usize,
        /// Entities there are, where the server says so.
        total: Option<u64>,
        /// Why not more.
        error: Box<SourceError>,
    },
    /// The server knows no such entity.
    #[error("`{place}` has no entity `{entity}`")]
    UnknownEntity {
        /// URL.
        place: String,
        /// Its ref.
        entity: String,
    },
    /// The load was stopped.
    #[error("reading was stopped before it was done: it took too long, or was cancelled")]
    Cancelled,
}

fn of(total: Option<u64>) -> String {
    total.map_or_else(|| " entities".to_owned(), |total| format!(" of {total} entities"))
}

impl SourceError {
    /// Returns it as a diagnostic of a source.
    pub fn to_diagnostic(&self, source: &Arc<str>, place: &str) -> Diagnostic {
        let (code, hint) = match self {
            Self::UnknownType { .. } => {
                let known: Vec<_> = SOURCES.iter().map(|spec| format!("`{}`", spec.kind)).collect();
                ("source::unknown-type", Some(format!("known are {}", known.join(", "))))
            }
            Self::MissingSetting { setting, .. } => {
                ("source::missing-setting", Some(format!("add `{setting} = \"…\"` to the source")))
            }
            Self::BadSetting { .. } => ("source::bad-setting", None),
            Self::Unreadable { hint, .. } => ("source::unreadable", hint.clone()),
            Self::NoCommits { .. } => {
                ("source::no-commits", Some("commit something, or open the folder without a revision".into()))
            }
            Self::UnknownRevision { .. } => (
                "source::unknown-revision",
                Some("`git branch -a`, `git tag` and `git ls-remote` list what there is".into()),
            ),
            Self::Net { error, .. } if matches!(error.status(), Some(401 | 403)) => {
                ("source::refused", Some(error.hint()))
            }
            Self::Net { error, .. } => ("source::network", Some(error.hint())),
            Self::Unreached { hint, .. } => ("source::network", Some(hint.clone())),
            Self::NoSecret { .. } => (
                "source::no-secret",
                Some("set it, or name another place with `token = { env = \"…\" }` in the source".to_owned()),
            ),
            Self::Refused { hint, .. } => ("source::refused", Some(hint.clone())),
            Self::Incomplete { error, .. } => {
                let hint = error.to_diagnostic(source, place).hint;
                (
                    "source::incomplete",
                    hint.or_else(|| Some("the next refresh goes on from there".to_owned())),
                )
            }
            Self::UnknownEntity { .. } => {
                ("source::unknown-entity", Some("`devportal get` lists what there is".to_owned()))
            }
            Self::Cancelled => ("source::cancelled", None),
        };
        let mut diagnostic = Diagnostic::error(code, self.to_string());
        if !place.is_empty() {
            diagnostic = diagnostic.at(SourceLocation::file(place));
        }
        diagnostic.hint = hint;
        diagnostic.source = Some(source.clone());
        diagnostic
    }
}

/// Returns the clone that a source of type `git` keeps in its folder: the repository, the name of what it
/// holds, its commit.
pub fn clone_in(folder: &Path) -> Option<(PathBuf, String, String)> {
    git_remote::clone_in(folder)
}

/// Makes the provider of a configured source.
///
/// # Errors
/// [`SourceError::UnknownType`], or what the type says about its settings.
pub fn open(config: &SourceConfig) -> Result<(&'static SourceSpec, Box<dyn CatalogProvider>), SourceError> {
    let spec = SOURCES
        .iter()
        .find(|spec| spec.kind == config.kind)
        .ok_or_else(|| SourceError::UnknownType { kind: config.kind.clone() })?;
    Ok((spec, (spec.open)(config)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_another_type_are_told() {
        let mut config = SourceConfig::dir("/x");
        config.include = vec!["*.yaml".to_owned()];
        assert!(unused_settings(&config).is_empty());
        config.branch = Some("main".to_owned());
        config.guest = true;
        assert_eq!(unused_settings(&config), ["branch", "guest"]);
        config.kind = "unheard-of".to_owned();
        assert!(unused_settings(&config).is_empty(), "it has an error of its own");
    }

    #[test]
    fn no_type_is_listed_twice() {
        let mut kinds: Vec<_> = SOURCES.iter().map(|spec| spec.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), SOURCES.len());
    }
}
