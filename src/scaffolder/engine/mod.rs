//! Runs of templates: the steps one after another in a workspace of their own, dry or for real.
//!
//! Start at [`review`], which changes nothing, and [`start`], which does it on a thread of its own. The
//! rules of steps are those of Backstage 1.5x: `if`, `each`, `always()`, `failure()`, inputs checked
//! before an action runs, secrets only in inputs and `each`. What exists when a step fails stays and is
//! listed; the run can be taken up again from there ([`Run::retry`]).

mod bench;
mod board;
mod check;
mod context;
pub mod drafts;
pub mod history;
mod made_up;
pub mod masks;
mod output;
mod plan;
mod runner;
mod step;

#[cfg(test)]
mod tests;

pub use board::Tell;
pub use plan::{Unknown, unknown_actions};
pub use runner::sha256;

use super::run::{Host, Job, Review, RunState, RunStatus};
use board::Board;
use runner::Runner;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Stack of the thread of a run: templates may nest deeply.
const STACK: usize = 16 * 1024 * 1024;

/// Does everything that changes nothing outside of a temporary folder, and says what a run would do.
/// Blocks; it may read over the network.
pub fn review(job: &Job, host: &Arc<Host>, cancel: &CancellationToken) -> Review {
    plan::review(job, host, cancel)
}

/// Starts a run on a thread of its own; `tell` gets its state at most thirty times a second, and at last.
///
/// A run of a template with an unknown action fails before its first step.
pub fn start(job: Job, host: Arc<Host>, tell: impl Fn(Arc<RunState>) + Send + Sync + 'static) -> Run {
    let board = Arc::new(Board::default());
    let run = Run {
        board: board.clone(),
        cancel: Mutex::default(),
        worker: Mutex::default(),
        ended: Arc::default(),
        tell: Arc::new(tell),
    };
    let runner = Runner::new(job, host, board);
    run.go(runner);
    run
}

/// A run under way, or at its end.
pub struct Run {
    board: Arc<Board>,
    cancel: Mutex<CancellationToken>,
    worker: Mutex<Option<JoinHandle<()>>>,
    /// What a retry goes on with.
    ended: Arc<Mutex<Option<Runner>>>,
    tell: Arc<Tell>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("status", &self.board.state().status).finish_non_exhaustive()
    }
}

impl Run {
    /// Returns how it is now.
    pub fn state(&self) -> Arc<RunState> {
        self.board.state()
    }

    /// Asks it to stop; what exists by then stays.
    pub fn cancel(&self) {
        self.cancel.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    /// Waits for the end.
    pub fn wait(&self) -> Arc<RunState> {
        let thread = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        self.state()
    }

    /// Takes a run that failed or was stopped up again at the step that did not succeed. Returns false
    /// when there is nothing to take up.
    pub fn retry(&self) -> bool {
        if !matches!(self.state().status, RunStatus::Failed | RunStatus::Cancelled) {
            return false;
        }
        self.wait();
        match self.ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(mut runner) => {
                runner.prepare_retry();
                self.go(runner);
                true
            }
            None => false,
        }
    }

    fn go(&self, mut runner: Runner) {
        let cancel = CancellationToken::new();
        *self.cancel.lock().unwrap_or_else(PoisonError::into_inner) = cancel.clone();
        self.board.open();
        let (board, tell) = (self.board.clone(), self.tell.clone());
        let telling = std::thread::Builder::new().name("run-tell".into()).spawn({
            let board = board.clone();
            move || board.tell(&*tell)
        });
        let ended = self.ended.clone();
        let work = move || {
            let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                runner.run(&cancel);
                runner
            }));
            match ran {
                Ok(runner) => *ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(runner),
                Err(_) => board.change(|state| {
                    state.status = RunStatus::Failed;
                    "the run ended by a mistake of devportal".clone_into(&mut state.error);
                }),
            }
            board.close();
            if let Ok(telling) = telling {
                let _ = telling.join();
            }
        };
        let worker = std::thread::Builder::new().name("run".into()).stack_size(STACK).spawn(work);
        match worker {
            Ok(thread) => *self.worker.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread),
            Err(error) => self.board.change(|state| {
                state.status = RunStatus::Failed;
                state.error = format!("no thread for the run: {error}");
            }),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.cancel();
    }
}
