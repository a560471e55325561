//! What a run would do, found out by a dry run in a temporary folder.

use super::board::Board;
use super::runner::Runner;
use crate::scaffolder::Template;
use crate::scaffolder::action::ActionError;
use crate::scaffolder::actions::paths::{leads_outside, trouble};
use crate::scaffolder::run::{FileChange, Host, Job, Review};
use crate::scaffolder::staging;
use crate::scaffolder::template::Step;
use crate::scaffolder::tree::{self, Entry, Kind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Largest file that a review holds, in bytes; of a larger one the size is told.
const MAX_SHOWN: u64 = 4 * 1024 * 1024;
/// Most bytes of all files of a review.
const MAX_ALL: u64 = 256 * 1024 * 1024;
/// Names that are offered for an unknown one.
const OFFERED: usize = 5;

/// A step whose action nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Index of the step.
    pub step: usize,
    /// Its id.
    pub id: String,
    /// The name of the action.
    pub action: String,
    /// Names that look like it.
    pub near: Vec<String>,
}

impl Unknown {
    /// Describes a step whose action nobody has.
    pub fn of(index: usize, step: &Step, host: &Host) -> Self {
        let near = host.actions.near(&step.action).into_iter().take(OFFERED).map(str::to_owned).collect();
        Self { step: index, id: step.id.clone(), action: step.action.clone(), near }
    }

    /// What is wrong.
    pub fn message(&self) -> String {
        if self.action.is_empty() {
            return format!("the step `{}` names no action", self.id);
        }
        format!("the step `{}` needs the action `{}`, which is not there", self.id, self.action)
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        if self.near.is_empty() {
            return "an extension of Backstage may have brought it; `--dry-run` goes past it".to_owned();
        }
        let near: Vec<_> = self.near.iter().map(|name| format!("`{name}`")).collect();
        format!("did you mean {}? `--dry-run` goes past it", near.join(", "))
    }
}

/// Returns the steps whose actions nobody has; a step that never runs counts, too.
pub fn unknown_actions(template: &Template, host: &Host) -> Vec<Unknown> {
    let steps = template.steps.iter().enumerate();
    let unknown = steps.filter(|(_, step)| !host.actions.has(&step.action));
    unknown.map(|(index, step)| Unknown::of(index, step, host)).collect()
}

/// See [`super::review`].
pub fn review(job: &Job, host: &Arc<Host>, cancel: &CancellationToken) -> Review {
    let board = Arc::new(Board::default());
    let mut runner = Runner::new(job.clone(), host.clone(), board.clone());
    runner.is_dry = true;
    runner.run(cancel);
    let state = board.state();
    let mut review = Review {
        steps: state.steps.clone(),
        output: state.output.clone(),
        effects: std::mem::take(&mut runner.effects),
        warnings: std::mem::take(&mut runner.warnings),
        ..Review::default()
    };
    if !state.error.is_empty() {
        review.warnings.insert(0, state.error.clone());
    }
    let Some(staging) = &runner.staging else { return review };
    let workspace = staging.folder().to_owned();
    let (from, to) = match (&job.out, &runner.placement) {
        (Some(out), _) => (workspace, Some(out.clone())),
        (None, Some(placement)) => (placement.from.clone(), Some(placement.to.clone())),
        (None, None) => (workspace, None),
    };
    match changes(&from, to.as_deref()) {
        Ok(files) => review.files = files,
        Err(error) => review.warnings.push(error.message),
    }
    if let Some(to) = &to {
        review.undecided = staging::undecided(&from, to, &job.decisions).unwrap_or_default();
    }
    review.folder = to;
    review
}

fn changes(from: &Path, to: Option<&Path>) -> Result<Vec<FileChange>, ActionError> {
    let mut all = 0;
    let mut files = Vec::new();
    for entry in tree::list(from)? {
        if entry.kind == Kind::Folder {
            continue;
        }
        all += entry.size;
        if all > MAX_ALL {
            return Err(ActionError::new(format!("the files are larger than {} MB together", MAX_ALL >> 20)));
        }
        let path = from.join(&entry.path);
        let content = content(&path, &entry)?;
        let before = to.map(|to| to.join(&entry.path)).and_then(|at| before(to.unwrap_or(from), &at));
        files.push(FileChange {
            is_executable: entry.kind == Kind::File && entry.mode & 0o111 != 0,
            mode: entry.mode & 0o777,
            path: entry.path,
            content: content.into(),
            before: before.map(Into::into),
        });
    }
    Ok(files)
}

fn content(path: &Path, entry: &Entry) -> Result<Vec<u8>, ActionError> {
    let read = match entry.kind {
        Kind::Link => {
            std::fs::read_link(path).map(|target| target.to_string_lossy().into_owned().into_bytes())
        }
        _ => std::fs::read(path),
    };
    read.map_err(|error| trouble("read", path, &error))
}

/// Reads what is there now; nothing outside the target.
fn before(target: &Path, at: &PathBuf) -> Option<Vec<u8>> {
    let metadata = at.symlink_metadata().ok()?;
    if metadata.is_symlink() {
        return std::fs::read_link(at).ok().map(|link| link.to_string_lossy().into_owned().into_bytes());
    }
    if leads_outside(target, at) || !metadata.is_file() || metadata.len() > MAX_SHOWN {
        return None;
    }
    std::fs::read(at).ok()
}
