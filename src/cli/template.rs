//! `template`: for those who write software templates: find mistakes, try cases.

mod find;
mod lint;
mod test;
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
    /// Render the cases in `tests/` and compare them with the expected files; exits with 8 when one differs
    Test(test::Args),
}

/// Runs `template`.
///
/// # Errors
/// [`CliError::NotFound`] for a path that does not exist or holds no template.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    super::exit_when_interrupted();
    match &args.command {
        Command::Lint(args) => lint::run(args, out),
        Command::Test(args) => test::run(global, args, out),
    }
}
