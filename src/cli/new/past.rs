//! The runs that were made.

use super::Args;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::version::Form;
use crate::diagnostic::Diagnostic;
use crate::model::text::clean;
use crate::scaffolder::engine::history::{self, PastRun};

/// Runs that a table shows.
const SHOWN: usize = 50;

/// Lists the runs, the latest first.
///
/// # Errors
/// When it cannot be written.
pub fn list(session: &Session, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let runs = history::list(&session.config.paths.state);
    if args.form() == Form::Json {
        out.json(&runs)?;
        return Ok(Exit::Fine);
    }
    if runs.is_empty() {
        out.note("nothing was made from a template yet");
    }
    for run in runs.iter().take(SHOWN) {
        let place = run.out.as_ref().map(|out| format!("  {}", clean(&out.display().to_string())));
        let started = run.started.strftime("%Y-%m-%d %H:%M");
        let (id, status, template) = (clean(&run.id), clean(&run.status), clean(&run.template));
        out.line(&format!("{id}  {started}  {status:<10}  {template}{}", place.unwrap_or_default()))?;
    }
    Ok(Exit::Fine)
}

/// Finds a run by its number.
///
/// # Errors
/// [`CliError::NotFound`] when there is none.
pub fn find(session: &Session, id: &str) -> Result<PastRun, CliError> {
    history::find(&session.config.paths.state, id).ok_or_else(|| {
        CliError::not_found(
            Diagnostic::error("template::no-run", format!("there is no run `{}`", clean(id)))
                .hint("`devportal new --history` lists them"),
        )
    })
}
