//! `template`: for those who write software templates: find mistakes.

mod find;
mod lint;
mod watch;

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::Output;
use clap::Subcommand;

/// Arguments of `template`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done with templates that somebody writes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find mistakes without running anything; exits with 8 when there are any
    Lint(lint::Args),
}

/// Runs `template`.
///
/// # Errors
/// [`CliError::NotFound`] for a path that does not exist or holds no template.
pub fn run(_: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    super::exit_when_interrupted();
    match &args.command {
        Command::Lint(args) => lint::run(args, out),
    }
}
