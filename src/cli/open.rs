//! `open`, and the program without a command: the full screen.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use crate::diagnostic::Diagnostic;
use std::io::IsTerminal;

/// Arguments of `open`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A place, as in the palette but without its colon
    #[arg(value_name = "PLACE", required = true, trailing_var_arg = true)]
    pub place: Vec<String>,
}

/// Runs `open`.
///
/// # Errors
/// As [`screen`].
pub fn run(global: &GlobalArgs, args: &Args) -> Result<Exit, CliError> {
    screen(global, &args.place.join(" "))
}

/// Opens the full screen at a place; an empty one is the first.
///
/// # Errors
/// [`CliError::Usage`] without a terminal to draw on and to read keys from.
pub fn screen(global: &GlobalArgs, place: &str) -> Result<Exit, CliError> {
    let has_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !has_terminal {
        return Err(CliError::usage(
            "the screen needs a terminal",
            "`devportal get`, `describe`, `graph` and `search` print; `devportal --help` lists all commands",
        ));
    }
    let session = super::session::open(global);
    super::log::start(&session.config, global, false);
    session.require_paths()?;
    match crate::tui::run(super::screen::start(session, place)) {
        Ok(crate::tui::Ended::Quit) => Ok(Exit::Fine),
        Ok(crate::tui::Ended::Signal) => Ok(Exit::Interrupted),
        Err(error) => Err(CliError::failure(
            Diagnostic::error("screen::terminal", format!("the terminal cannot be used: {error}"))
                .hint("`devportal --plain` needs nothing but lines"),
        )),
    }
}
