//! `version`: what program this is.

use super::error::{CliError, Exit};
use super::output::Output;
use clap::ValueEnum;
use serde_json::json;

/// Arguments of `version`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Forms of one fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A line.
    Text,
    /// One object.
    Json,
}

/// Version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs `version`. Reads nothing.
///
/// # Errors
/// When it cannot be written.
pub fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let platform = format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS);
    match args.output {
        Form::Text => out.line(&format!("devportal {VERSION} ({platform})"))?,
        Form::Json => out.json(&json!({"name": "devportal", "version": VERSION, "platform": platform}))?,
    }
    Ok(Exit::Fine)
}
