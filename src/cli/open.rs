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

/// Opens the full screen at a place; an empty one is the first. Where it was asked for, or the terminal
/// cannot draw, the linear face takes its place.
///
/// # Errors
/// [`CliError::Usage`] without a terminal to draw on and to read keys from.
pub fn screen(global: &GlobalArgs, place: &str) -> Result<Exit, CliError> {
    let has_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if global.plain || (has_terminal && wants_lines(&|name| std::env::var(name).ok())) {
        return lines(global, place, has_terminal);
    }
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

/// Returns whether the environment asks for lines: `ACCESSIBLE=1`, or a terminal that cannot draw.
fn wants_lines(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let is_accessible = variable("ACCESSIBLE").is_some_and(|value| !value.is_empty() && value != "0");
    is_accessible || variable("TERM").as_deref() == Some("dumb")
}

/// Runs the linear face on standard input and output.
fn lines(global: &GlobalArgs, place: &str, has_terminal: bool) -> Result<Exit, CliError> {
    let session = super::session::open(global);
    super::log::start(&session.config, global, false);
    session.require_paths()?;
    let start = super::screen::start(session, place);
    let (mut input, mut out) = (std::io::stdin().lock(), std::io::stdout().lock());
    match crate::tui::plain::run(start, &mut input, &mut out, has_terminal) {
        Ok(()) => Ok(Exit::Fine),
        // the reader has gone; nothing is left to say
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Fine),
        Err(error) => {
            let why = format!("could not go on: {error}");
            Err(CliError::Failed(Box::new(Diagnostic::error("screen::lines", why))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_for_who_asks_and_for_dumb_terminals() {
        let wants = |pairs: &[(&str, &str)]| {
            wants_lines(&|name| pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned()))
        };
        assert!(wants(&[("ACCESSIBLE", "1")]));
        assert!(wants(&[("TERM", "dumb")]));
        assert!(!wants(&[("TERM", "xterm-256color"), ("ACCESSIBLE", "0")]));
    }
}
