//! The steps of a run, one after another.

use super::board::Board;
use super::context::Contexts;
use super::history;
use super::masks::Masks;
use super::output;
use super::plan;
use super::step::{Outcome, StepRun};
use crate::scaffolder::Value;
use crate::scaffolder::action::{ActionError, Placement, SideEffect};
use crate::scaffolder::language::{Dialect, Language};
use crate::scaffolder::run::{Host, Job, MadeFile, RunState, RunStatus, StepState, StepStatus};
use crate::scaffolder::staging::{self, Staging};
use crate::scaffolder::template::Step;
use crate::scaffolder::tree::{self, Kind};
use jiff::Timestamp;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Most steps of a template.
const MAX_STEPS: usize = 1_000;

/// A run with everything that its steps share.
pub struct Runner {
    pub job: Job,
    pub host: Arc<Host>,
    pub board: Arc<Board>,
    pub language: Language,
    pub masks: Masks,
    pub contexts: Contexts,
    pub staging: Option<Staging>,
    pub warnings: Vec<String>,
    /// What a dry run found that would be changed, by the index of the step.
    pub effects: Vec<(usize, SideEffect)>,
    /// Where files would be put on this machine.
    pub placement: Option<Placement>,
    pub is_dry: bool,
    has_failed: bool,
    next: usize,
}

impl Runner {
    /// Prepares a run; touches nothing.
    pub fn new(job: Job, host: Arc<Host>, board: Arc<Board>) -> Self {
        let id = history::new_id();
        let mut masks = Masks::default();
        job.secrets.values().for_each(|secret| masks.add(secret.expose()));
        board.change(|state| {
            *state = RunState { id: id.clone(), ..RunState::default() };
            state.steps = job.template.steps.iter().map(step_state).collect();
        });
        Self {
            contexts: Contexts::new(&job, &host, &id),
            language: Language::new(Dialect::Backstage).with_hosts(host.language_hosts()),
            masks,
            job,
            host,
            board,
            staging: None,
            warnings: Vec::new(),
            effects: Vec::new(),
            placement: None,
            is_dry: false,
            has_failed: false,
            next: 0,
        }
    }

    /// Returns whether a step before failed.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Runs all steps that are not done, then puts files and output where they belong.
    pub fn run(&mut self, cancel: &CancellationToken) {
        let ended = self.begin().map(|()| {
            self.note_start();
            self.steps(cancel);
        });
        match ended {
            Err(error) => self.end(RunStatus::Failed, Some(error)),
            Ok(()) if cancel.is_cancelled() => self.end(RunStatus::Cancelled, None),
            Ok(()) if self.has_failed => self.end(RunStatus::Failed, None),
            Ok(()) => match self.finish() {
                Ok(()) => self.end(RunStatus::Completed, None),
                Err(error) => self.end(RunStatus::Failed, Some(error)),
            },
        }
    }

    /// Refuses what cannot work before anything is done, and makes the workspace.
    fn begin(&mut self) -> Result<(), ActionError> {
        if self.job.template.steps.len() > MAX_STEPS {
            return Err(ActionError::new(format!("the template has more than {MAX_STEPS} steps")));
        }
        let unknown =
            if self.is_dry { Vec::new() } else { plan::unknown_actions(&self.job.template, &self.host) };
        if !unknown.is_empty() {
            for unknown in &unknown {
                self.board.step(unknown.step, |step| {
                    step.status = StepStatus::Unknown;
                    step.error = unknown.message();
                    step.hint = unknown.hint();
                });
            }
            let names: Vec<_> = unknown.iter().map(plan::Unknown::message).collect();
            let hints: Vec<_> = unknown.iter().map(plan::Unknown::hint).collect();
            return Err(ActionError::new(format!("nothing was started: {}", names.join("; ")))
                .hint(hints.first().cloned().unwrap_or_default()));
        }
        if self.staging.is_none() {
            self.staging = Some(match &self.job.out {
                Some(out) if !self.is_dry => Staging::beside(out)?,
                _ => Staging::temporary()?,
            });
        }
        Ok(())
    }

    fn steps(&mut self, cancel: &CancellationToken) {
        let template = self.job.template.clone();
        while let Some(step) = template.steps.get(self.next) {
            let index = self.next;
            self.board.step(index, |state| {
                state.started = Some(Timestamp::now());
                state.status = StepStatus::Processing;
            });
            let outcome = if cancel.is_cancelled() {
                Outcome::Cancelled
            } else {
                StepRun { runner: self, step, index, cancel }.run()
            };
            self.settle(step, index, outcome);
            self.next += 1;
        }
        if self.has_failed {
            // a retry starts where it went wrong first
            let state = self.board.state();
            let first = state.steps.iter().position(|step| step.status == StepStatus::Failed);
            self.next = first.unwrap_or(self.next);
        } else if cancel.is_cancelled() {
            let state = self.board.state();
            let first = state.steps.iter().position(|step| step.status == StepStatus::Cancelled);
            self.next = first.unwrap_or(self.next);
        }
    }

    fn settle(&mut self, step: &Step, index: usize, outcome: Outcome) {
        let (status, error, hint) = match outcome {
            Outcome::Done(output) => {
                self.contexts.keep(&step.id, output);
                (StepStatus::Completed, String::new(), String::new())
            }
            Outcome::Planned(output) => {
                self.contexts.keep(&step.id, output);
                (StepStatus::Planned, String::new(), String::new())
            }
            Outcome::Unknown(output, unknown) => {
                self.contexts.keep(&step.id, output);
                (StepStatus::Unknown, unknown.message(), unknown.hint())
            }
            Outcome::Skipped(why) => (StepStatus::Skipped, why, String::new()),
            Outcome::Cancelled => (StepStatus::Cancelled, "it was stopped".to_owned(), String::new()),
            Outcome::Failed(error) => {
                let left: Vec<SideEffect> =
                    error.left_behind.iter().map(|effect| self.hidden(effect)).collect();
                self.board.change(|state| state.exists.extend(left));
                self.has_failed |= !step.goes_on;
                (StepStatus::Failed, self.masks.hide(&error.message), self.masks.hide(&error.hint))
            }
        };
        if status == StepStatus::Failed {
            self.board.log(index, &format!("error: {error}"));
        }
        self.board.step(index, |state| {
            state.status = status;
            state.error = crate::model::text::clean_lines(&error).into_owned();
            state.hint = crate::model::text::clean_lines(&hint).into_owned();
            state.ended = Some(Timestamp::now());
        });
    }

    /// Returns an effect without secrets in it.
    pub fn hidden(&self, effect: &SideEffect) -> SideEffect {
        SideEffect {
            what: self.masks.hide(&effect.what),
            target: self.masks.hide(&effect.target),
            identity: self.masks.hide(&effect.identity),
            details: effect.details.iter().map(|detail| self.masks.hide(detail)).collect(),
        }
    }

    /// Renders the output, lists the files, and moves them where they belong.
    fn finish(&mut self) -> Result<(), ActionError> {
        let context = self.contexts.open();
        let rendered = self.language.value(&self.job.template.output, &context);
        self.take_warnings("output", rendered.warnings.iter().map(ToString::to_string).collect());
        let output =
            output::read(&self.masks.hide_value(&rendered.value), crate::scaffolder::language::is_truthy);
        let Some(staging) = &self.staging else { return Ok(()) };
        let files = if self.is_dry { Vec::new() } else { made_files(staging.folder())? };
        let mut folder = None;
        if let (Some(out), false) = (&self.job.out, self.is_dry) {
            let placed = staging::place(staging, staging.folder(), out, &self.job.decisions)?;
            let target = out.display();
            let exists = SideEffect {
                what: "write files".to_owned(),
                target: target.to_string(),
                identity: String::new(),
                details: placed_lines(&placed),
            };
            folder = Some(out.clone());
            self.board.change(|state| state.exists.push(exists));
        }
        self.board.change(|state| {
            state.output = output;
            state.files = files.into();
            if folder.is_some() {
                state.folder = folder;
            }
        });
        Ok(())
    }

    /// Keeps warnings with the place they are about.
    pub fn take_warnings(&mut self, place: &str, warnings: Vec<String>) {
        for warning in warnings {
            let line = self.masks.hide(&format!("{place}: {warning}"));
            if !self.warnings.contains(&line) {
                self.warnings.push(line);
            }
        }
    }

    fn end(&mut self, status: RunStatus, error: Option<ActionError>) {
        let error = error.map(|error| ActionError {
            message: self.masks.hide(&error.message),
            hint: self.masks.hide(&error.hint),
            left_behind: Vec::new(),
        });
        self.board.change(|state| {
            state.status = status;
            if let Some(error) = error {
                state.error = error.message;
                state.hint = error.hint;
            }
        });
        self.note_end();
    }

    /// Makes everything that was not done open again.
    pub fn prepare_retry(&mut self) {
        self.has_failed = false;
        let ids: Vec<String> =
            self.job.template.steps.iter().skip(self.next).map(|step| step.id.clone()).collect();
        ids.iter().for_each(|id| self.contexts.forget(id));
        let next = self.next;
        self.board.change(|state| {
            state.status = RunStatus::Processing;
            state.error = String::new();
            state.hint = String::new();
            for step in state.steps.iter_mut().skip(next) {
                step.status = StepStatus::Open;
                step.error = String::new();
                step.hint = String::new();
                step.started = None;
                step.ended = None;
            }
        });
    }

    fn note_start(&self) {
        if !self.is_dry {
            history::begin(&self.host.state, &self.job, &self.board.state(), &self.masks);
        }
    }

    fn note_end(&self) {
        if !self.is_dry {
            history::end(&self.host.state, &self.board.state());
        }
    }
}

fn placed_lines(placed: &staging::Placed) -> Vec<String> {
    let mut lines = vec![format!("{} files", placed.written)];
    lines.extend(placed.kept.iter().map(|path| format!("kept {path}")));
    lines.extend(placed.beside.iter().map(|path| format!("put beside: {path}")));
    lines
}

fn step_state(step: &Step) -> StepState {
    let clean = |text: &str| crate::model::text::clean(text).into_owned();
    StepState {
        id: clean(&step.id),
        name: clean(&step.name),
        action: clean(&step.action),
        ..StepState::default()
    }
}

/// Lists the files of a workspace with their sums.
pub fn made_files(workspace: &std::path::Path) -> Result<Vec<MadeFile>, ActionError> {
    let mut files = Vec::new();
    for entry in tree::list(workspace)? {
        let path = workspace.join(&entry.path);
        let bytes = match entry.kind {
            Kind::Folder => continue,
            Kind::Link => {
                std::fs::read_link(&path).map(|target| target.to_string_lossy().into_owned().into_bytes())
            }
            Kind::File => std::fs::read(&path),
        };
        let bytes =
            bytes.map_err(|error| crate::scaffolder::actions::paths::trouble("read", &path, &error))?;
        files.push(MadeFile { path: entry.path, mode: entry.mode & 0o777, sha256: sha256(&bytes) });
    }
    Ok(files)
}

/// Returns SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    let sum = ring::digest::digest(&ring::digest::SHA256, bytes);
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a value as compact JSON, for logs.
pub fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
