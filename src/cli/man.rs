//! `man`: the manual page, made from the command line itself.

use super::args::Cli;
use super::error::{CliError, Exit};
use super::output::Output;
use clap::CommandFactory;

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs `man`: prints the page of the program and of every subcommand in one roff document.
///
/// # Errors
/// When it cannot be written.
pub fn run(out: &mut Output) -> Result<Exit, CliError> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    let names: Vec<String> = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set())
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        let Some(sub) = command.find_subcommand(&name) else { continue };
        let man = clap_mangen::Man::new(sub.clone().disable_help_flag(true));
        page.extend(format!(".SH \"DEVPORTAL {}\"\n", name.to_uppercase()).bytes());
        man.render_description_section(&mut page)?;
        man.render_synopsis_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    out.text(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Fine)
}
