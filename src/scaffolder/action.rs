//! What a step does: the trait that every action implements, built in or from outside.
//!
//! An action works in the workspace of its run and may read. What it would change outside (a repository, a
//! registration, a request) it says in [`Action::effects`] before anything is done; a dry run stops there.
//! Start at [`Action`].

use super::Value;
use super::run::Decisions;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// What an action is called, takes and gives.
#[derive(Debug, Clone)]
pub struct Spec {
    /// `fetch:template`.
    pub id: String,
    /// One line for people.
    pub description: String,
    /// JSON Schema of its input.
    pub input: Value,
    /// JSON Schema of its output; a dry run makes up values by it where nothing was done.
    pub output: Value,
    /// It only works in the workspace and reads, so that a dry run runs it too.
    pub runs_dry: bool,
}

/// Something that an action changes outside of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideEffect {
    /// What is done, for people: `create repository`, `push`, `open pull request`, `register`.
    pub what: String,
    /// To what: `github.com/acme/checkout`.
    pub target: String,
    /// As whom, where that is known before: `token of github.com (environment GITHUB_TOKEN)`.
    pub identity: String,
    /// Further lines: visibility, branch, title.
    pub details: Vec<String>,
}

/// Why an action did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ActionError {
    /// What could not be done, to which thing, why; lower case, no final stop.
    pub message: String,
    /// What to do about it; empty when there is nothing to say.
    pub hint: String,
    /// What exists outside now although the action failed.
    pub left_behind: Vec<SideEffect>,
}

impl ActionError {
    /// Creates an error that left nothing behind.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: String::new(), left_behind: Vec::new() }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// Files of the workspace that an action puts somewhere on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Folder of the workspace.
    pub from: PathBuf,
    /// Folder outside of it.
    pub to: PathBuf,
}

/// What an action may use while it runs.
pub trait Workbench {
    /// Returns the folder of the run; nothing outside it is written.
    fn workspace(&self) -> &Path;
    /// Writes lines into the log of the step; secrets in them are masked.
    fn log(&mut self, line: &str);
    /// Notes something that a person should know although the step goes on; it is logged, too.
    fn warn(&mut self, line: &str);
    /// Returns everything that does not belong to one run: template, catalog, network, identities.
    fn host(&self) -> &super::run::Host;
    /// Returns the template that runs.
    fn template(&self) -> &super::Template;
    /// Returns the canonical ref of the user, if known.
    fn user(&self) -> Option<&str>;
    /// Returns whether somebody asked to stop; long work looks now and then.
    fn is_cancelled(&self) -> bool;
    /// Returns what stops requests and waits of the run.
    fn cancel_token(&self) -> &CancellationToken;
    /// Returns whether nothing outside may be changed.
    fn is_dry(&self) -> bool;
    /// Returns what is done with files that are already where the result goes.
    fn decisions(&self) -> &Decisions;
}

/// What a step does. Blocking; runs on a thread of its own.
pub trait Action: Send + Sync {
    /// Returns what it is called, takes and gives.
    fn spec(&self) -> &Spec;

    /// Returns what it would change outside for this input; changes and asks nothing.
    ///
    /// # Errors
    /// When the input cannot work, so that a review says so.
    fn effects(&self, input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError>;

    /// Returns where it would put files on this machine, so that a review can compare.
    fn places(&self, _input: &Value, _bench: &dyn Workbench) -> Option<Placement> {
        None
    }

    /// Returns the outputs that a dry run goes on with where nothing was done, as far as they are known
    /// before; what is missing is made up by the output schema.
    fn foreseen(&self, _input: &Value, _bench: &dyn Workbench) -> Value {
        Value::UNDEFINED
    }

    /// Does it and returns its outputs, an object.
    ///
    /// # Errors
    /// What could not be done, and what exists outside nevertheless.
    fn run(&self, input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError>;
}
