//! A run of a template: what is known of it while it goes on, and what it needs from outside.
//!
//! [`RunState`] is an immutable picture for whoever shows it; the engine publishes a new one whenever
//! something happens, at most thirty a second.

use super::action::SideEffect;
use super::actions::Registry;
use super::form;
use super::language::{HostKind, Hosts};
use super::{Template, Value};
use crate::config::integration::HostType;
use crate::config::secret::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// What runs need from outside, the same for all of them.
pub struct Host {
    /// The catalog: pickers, `catalog:fetch`.
    pub catalog: Arc<crate::catalog::Catalog>,
    /// What reads the sources and may ask their servers to do something: `catalog:register`.
    pub loader: Arc<crate::catalog::Loader>,
    /// The network; refuses everything when offline.
    pub net: Arc<crate::net::Net>,
    /// Who the user is.
    pub principal: crate::permissions::Principal,
    /// Forges and backends, with their tokens.
    pub integrations: Arc<super::integrations::Integrations>,
    /// Fetched skeletons are kept here.
    pub cache: PathBuf,
    /// Drafts and the history of runs are kept here.
    pub state: PathBuf,
    /// The actions there are.
    pub actions: Registry,
    /// Refs of templates that may run commands on this machine.
    pub trusted: Vec<String>,
    /// The user's settings file, where a new source of the catalog would be written.
    pub config_file: PathBuf,
}

impl Host {
    /// Returns the forges as the template language knows them.
    pub fn language_hosts(&self) -> Arc<Hosts> {
        let hosts = self.integrations.hosts().into_iter().map(|(host, kind)| {
            let kind = match kind {
                HostType::Github => HostKind::Github,
                HostType::Gitlab => HostKind::Gitlab,
                HostType::Gitea => HostKind::Gitea,
                HostType::Gerrit => HostKind::Gerrit,
                HostType::BitbucketCloud => HostKind::BitbucketCloud,
                HostType::BitbucketServer => HostKind::BitbucketServer,
                HostType::Azure => HostKind::Azure,
            };
            (host, kind)
        });
        Arc::new(Hosts::new(hosts))
    }

    /// Returns the forges as forms offer them.
    pub fn form_hosts(&self) -> Vec<form::Host> {
        let hosts = self.integrations.hosts().into_iter().map(|(host, kind)| {
            let kind = match kind {
                HostType::Github => form::HostKind::GitHub,
                HostType::Gitlab => form::HostKind::GitLab,
                HostType::Gitea => form::HostKind::Gitea,
                HostType::Gerrit => form::HostKind::Gerrit,
                HostType::BitbucketCloud => form::HostKind::BitbucketCloud,
                HostType::BitbucketServer => form::HostKind::BitbucketServer,
                HostType::Azure => form::HostKind::Azure,
            };
            form::Host { host, kind }
        });
        hosts.collect()
    }
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct Job {
    /// The template.
    pub template: Arc<Template>,
    /// The answers of its form, an object; real secrets are not in it.
    pub answers: Value,
    /// Values of `secrets`, by name.
    pub secrets: BTreeMap<String, Secret>,
    /// Where the workspace is put at the end instead of being published and registered.
    pub out: Option<PathBuf>,
    /// What is done with files that are already there.
    pub decisions: Decisions,
}

/// What is done with a file that is already where a new one goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The old one stays.
    Keep,
    /// The new one takes its place.
    Replace,
    /// The new one is put beside it as `NAME.new`.
    Both,
}

/// Decisions about files that are already there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// For all files that are not named; `None` stops the run before anything is moved.
    pub all: Option<Decision>,
    /// By path below the target folder, with `/`.
    pub files: BTreeMap<String, Decision>,
    /// A descriptor that no source of the catalog reads becomes a source of its own in the settings.
    pub add_source: bool,
}

impl Decisions {
    /// Returns what is done with a file.
    pub fn of(&self, path: &str) -> Option<Decision> {
        self.files.get(path).copied().or(self.all)
    }
}

/// What came of a dry run: shown before anything is done.
#[derive(Debug, Clone, Default)]
pub struct Review {
    /// The steps with their states; those that were not run are [`StepStatus::Planned`].
    pub steps: Vec<StepState>,
    /// Files that would be made, by path.
    pub files: Vec<FileChange>,
    /// What would be changed outside, in order, by the index of the step.
    pub effects: Vec<(usize, SideEffect)>,
    /// What a person should know: unknown actions, undefined values, texts that did not render.
    pub warnings: Vec<String>,
    /// The output, with made-up values of what was not done.
    pub output: Output,
    /// The folder on this machine that the files would be put into, if there is one.
    pub folder: Option<PathBuf>,
    /// Files that are there with another content and need a [`Decision`] before the run.
    pub undecided: Vec<String>,
}

/// A file that a run makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// Path below the target folder, with `/`.
    pub path: String,
    /// It may be executed.
    pub is_executable: bool,
    /// Permission bits: 0o644.
    pub mode: u32,
    /// Its bytes; of a link what it points to.
    pub content: Arc<[u8]>,
    /// What is there now; `None` for a new file.
    pub before: Option<Arc<[u8]>>,
}

/// What a run does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunStatus {
    /// It goes on.
    #[default]
    Processing,
    /// It did everything.
    Completed,
    /// A step failed.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

/// What a step does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StepStatus {
    /// Its turn has not come.
    #[default]
    Open,
    /// It goes on.
    Processing,
    /// Done.
    Completed,
    /// It failed; [`StepState::error`] says why.
    Failed,
    /// Its condition does not hold, or a step before it failed.
    Skipped,
    /// Stopped.
    Cancelled,
    /// A dry run says what it would do.
    Planned,
    /// Nobody has its action; a dry run goes on.
    Unknown,
}

/// A step while it runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StepState {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its action.
    pub action: String,
    /// What it does now.
    pub status: StepStatus,
    /// When it began.
    pub started: Option<jiff::Timestamp>,
    /// When it ended.
    pub ended: Option<jiff::Timestamp>,
    /// Its log; secrets masked, control codes stripped.
    pub log: Vec<Arc<str>>,
    /// Why it failed or was left out; empty otherwise.
    pub error: String,
    /// What to do about it.
    pub hint: String,
}

/// A run as it is now.
#[derive(Debug, Clone, Default)]
pub struct RunState {
    /// Number of the run in the history.
    pub id: String,
    /// What it does.
    pub status: RunStatus,
    /// Its steps.
    pub steps: Vec<StepState>,
    /// What exists outside because of it, whether it failed or not.
    pub exists: Vec<SideEffect>,
    /// Files of the workspace at the end, by path.
    pub files: Arc<[MadeFile]>,
    /// Folder that the files are in now, where they were put on this machine.
    pub folder: Option<PathBuf>,
    /// Why the run as a whole failed or was not started; empty otherwise.
    pub error: String,
    /// What to do about it.
    pub hint: String,
    /// The output; empty until it is completed.
    pub output: Output,
}

/// A file that a run made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Path below the workspace, with `/`.
    pub path: String,
    /// Permission bits: 0o644.
    pub mode: u32,
    /// SHA-256 of its bytes, of a link of what it points to; in hexadecimal digits.
    pub sha256: String,
}

/// What a template gives at the end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// Where to go from here.
    pub links: Vec<OutputLink>,
    /// Texts to read, Markdown.
    pub texts: Vec<OutputText>,
    /// Everything, as the template wrote it, rendered; an object.
    pub value: Value,
}

/// A link of an output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputLink {
    /// What is shown; the target when the author gave none.
    pub title: String,
    /// Address; empty when it names an entity.
    pub url: String,
    /// Canonical ref; empty when it is an address.
    pub entity_ref: String,
}

/// A text of an output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputText {
    /// What is shown above it; empty when the author gave none.
    pub title: String,
    /// Markdown.
    pub content: String,
    /// The one that is shown first.
    pub is_default: bool,
}
