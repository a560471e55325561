//! A run with its progress on the terminal, and its end.

use super::{Args, print};
use crate::cli::error::{CliError, Exit};
use crate::cli::output::Output;
use crate::model::text::clean;
use crate::scaffolder::engine;
use crate::scaffolder::run::{Host, Job, RunState, RunStatus, StepStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How often a key of interruption is looked for.
const LOOK: Duration = Duration::from_millis(40);

/// Makes it.
///
/// # Errors
/// When the output cannot be written.
pub fn go(job: &Job, host: Arc<Host>, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let interrupted = Arc::new(AtomicBool::new(false));
    crate::cli::hear_interrupts(&interrupted);
    // a slow terminal must not slow the run down: only the latest state counts
    let (sender, states) = mpsc::sync_channel::<Arc<RunState>>(1);
    let run = engine::start(job.clone(), host, move |state| {
        let _ = sender.try_send(state);
    });
    loop {
        if interrupted.swap(false, Ordering::Relaxed) {
            run.cancel();
            crate::cli::exit_when_interrupted();
            out.progress("stopping; once more ends at once");
        }
        match states.recv_timeout(LOOK) {
            Ok(state) => out.progress(&progress(&state)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
        }
        if run.state().status != RunStatus::Processing {
            break;
        }
    }
    let state = run.wait();
    out.progress("");
    print::result(&state, job, args, out)?;
    Ok(match state.status {
        RunStatus::Completed => Exit::Fine,
        RunStatus::Cancelled => Exit::Interrupted,
        RunStatus::Failed | RunStatus::Processing => Exit::Failed,
    })
}

fn progress(state: &RunState) -> String {
    let total = state.steps.len();
    let now = state.steps.iter().zip(1..).find(|(step, _)| step.status == StepStatus::Processing);
    now.map_or_else(String::new, |(step, number)| format!("step {number} of {total}: {}", clean(&step.name)))
}
