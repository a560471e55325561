//! `theme`: which themes there are, and what one looks like.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::session;
use super::version::Form;
use crate::config::theme::{Color, Paint, Role as ThemeRole, Theme};
use crate::config::{Config, setting};
use clap::Subcommand;
use serde_json::json;

/// Arguments of `theme`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub act: Act,
}

/// What to do with themes.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// List the themes; the one in use is marked
    List {
        /// Form of the output
        #[arg(short, long, value_name = "FORM", default_value = "text")]
        output: Form,
    },
    /// Show the roles of a theme as they are painted
    Show {
        /// Its name; the one in use when absent
        name: Option<String>,
    },
}

/// Runs `theme`.
///
/// # Errors
/// [`CliError::NotFound`] when there is no theme of that name.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let config = Config::load(&session::inputs(global));
    let folder = config.paths.themes();
    let used = config.text(&setting::THEME);
    match &args.act {
        Act::List { output } => list(&Theme::names(Some(&folder)), used, *output, out)?,
        Act::Show { name } => {
            let name = name.as_deref().unwrap_or(used);
            let (theme, diagnostics) =
                Theme::load(name, Some(&folder)).map_err(|diagnostic| CliError::not_found(*diagnostic))?;
            for diagnostic in &diagnostics {
                out.diagnostic(diagnostic);
            }
            for (role, name) in ThemeRole::ALL {
                let sample = painted(theme.paint(role), &format!("{name:10} The quick brown fox"), out);
                out.line(&sample)?;
            }
        }
    }
    Ok(Exit::Fine)
}

fn list(names: &[String], used: &str, form: Form, out: &mut Output) -> Result<(), CliError> {
    if form == Form::Json {
        let rows: Vec<_> = names.iter().map(|name| json!({"name": name, "used": name == used})).collect();
        return out.json(&rows);
    }
    for name in names {
        let name = crate::model::text::clean(name);
        let line =
            if name == used { format!("* {}", out.paint(Role::Accent, &name)) } else { format!("  {name}") };
        out.line(&line)?;
    }
    Ok(())
}

fn painted(paint: Paint, text: &str, out: &Output) -> String {
    if !out.has_colour() {
        return text.to_owned();
    }
    let mut codes: Vec<String> = Vec::new();
    let flags = [
        (paint.bold, "1"),
        (paint.dim, "2"),
        (paint.italic, "3"),
        (paint.underline, "4"),
        (paint.reverse, "7"),
    ];
    codes.extend(flags.iter().filter(|(is_on, _)| *is_on).map(|(_, code)| (*code).to_owned()));
    codes.extend(paint.fg.map(|color| code(color, 30)));
    codes.extend(paint.bg.map(|color| code(color, 40)));
    format!("\u{1b}[{}m{text}\u{1b}[0m", codes.join(";"))
}

/// The SGR parameters of a colour; `base` is 30 for text and 40 for background.
fn code(color: Color, base: u8) -> String {
    match color {
        Color::Ansi(index @ 0..=7) => (base + index).to_string(),
        Color::Ansi(index @ 8..=15) => (base + 60 + index - 8).to_string(),
        Color::Ansi(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}
