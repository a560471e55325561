//! The bench that an action works at.

use super::board::Board;
use super::masks::Masks;
use crate::scaffolder::Template;
use crate::scaffolder::action::Workbench;
use crate::scaffolder::run::{Decisions, Host, Job};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// What one step may use.
pub struct Bench<'a> {
    pub job: &'a Job,
    pub host: &'a Host,
    pub board: &'a Board,
    pub masks: &'a Masks,
    pub workspace: &'a Path,
    pub cancel: &'a CancellationToken,
    pub is_dry: bool,
    /// Number of the step.
    pub index: usize,
    /// Where warnings are gathered.
    pub warnings: &'a mut Vec<String>,
}

impl Workbench for Bench<'_> {
    fn workspace(&self) -> &Path {
        self.workspace
    }

    fn log(&mut self, line: &str) {
        self.board.log(self.index, &self.masks.hide(line));
    }

    fn warn(&mut self, line: &str) {
        let line = self.masks.hide(line);
        self.board.log(self.index, &format!("warning: {line}"));
        if !self.warnings.contains(&line) {
            self.warnings.push(line);
        }
    }

    fn host(&self) -> &Host {
        self.host
    }

    fn template(&self) -> &Template {
        &self.job.template
    }

    fn user(&self) -> Option<&str> {
        self.host.principal.user.as_deref()
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    fn cancel_token(&self) -> &CancellationToken {
        self.cancel
    }

    fn is_dry(&self) -> bool {
        self.is_dry
    }

    fn decisions(&self) -> &Decisions {
        &self.job.decisions
    }
}
