//! `screenshot`: what the screen would show, without a terminal.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::Output;
use super::{log, screen, session};
use crate::app::event::{Event, Level};
use crate::app::input::parse_script;
use crate::config::theme::Theme;
use crate::diagnostic::Diagnostic;
use crate::tui::screenshot::{self, Headless};
use clap::ValueEnum;

/// Arguments of `screenshot`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A place, as in the palette but without its colon
    #[arg(value_name = "PLACE")]
    pub place: Vec<String>,
    /// Columns and rows
    #[arg(long, value_name = "WxH", default_value = "120x40", value_parser = size)]
    pub size: (u16, u16),
    /// Keys to press once it is loaded: `/pay<enter>`, `<ctrl-d>`; `<<` is a `<`
    #[arg(long, value_name = "KEYS", default_value = "")]
    pub keys: String,
    /// The theme to draw with
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Forms of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Characters only.
    Text,
    /// Characters with colours.
    Ansi,
    /// A drawing.
    Svg,
}

/// Largest size in either direction, in cells.
const MAX_SIZE: u16 = 1000;

fn size(text: &str) -> Result<(u16, u16), String> {
    let parse = |part: &str| part.parse::<u16>().ok().filter(|size| (1..=MAX_SIZE).contains(size));
    text.split_once('x')
        .and_then(|(width, height)| Some((parse(width)?, parse(height)?)))
        .ok_or_else(|| format!("write columns x rows, each 1 to {MAX_SIZE}: `120x40`"))
}

/// Runs `screenshot`.
///
/// # Errors
/// [`CliError::Usage`] for keys that do not exist, [`CliError::NotFound`] for a theme that does not.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let keys = parse_script(&args.keys)
        .map_err(|error| CliError::usage(error.to_string(), "write keys as `/pay<enter>` or `<ctrl-d>`"))?;
    let session = session::open(global);
    log::start(&session.config, global, true);
    session.require_paths()?;
    let themes = session.config.paths.themes();
    let mut start = screen::start(session, &args.place.join(" "));
    if let Some(name) = &args.theme {
        start.cx.theme = Theme::load(name, Some(&themes)).map_err(|wrong| CliError::not_found(*wrong))?.0;
    }
    let mut face = Headless::start(start, args.size.0, args.size.1);
    if let (Some((Level::Error, reason)), false) = (&face.app.toast, args.place.is_empty()) {
        return Err(CliError::not_found(Diagnostic::error("screen::no-place", reason.clone())));
    }
    for key in keys {
        face.send(Event::Key(key));
    }
    let form = match args.output {
        Form::Text => screenshot::Form::Text,
        Form::Ansi => screenshot::Form::Ansi,
        Form::Svg => screenshot::Form::Svg,
    };
    out.text(&screenshot::picture(&face.draw(), form))?;
    Ok(Exit::Fine)
}
