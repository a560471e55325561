//! `keys`: every action with its keys, from the command table and the user's own bindings.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::session;
use super::table::{self, Cell};
use crate::app::commands::CommandSpec;
use crate::app::keymap::{Keymap, all_rows};
use crate::config::{Config, setting};
use crate::ui::panes;
use clap::ValueEnum;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: Form,
}

/// Forms of the key sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Table,
    /// An array of objects.
    Json,
    /// The default keys as a page.
    Md,
}

/// Runs `keys`.
///
/// # Errors
/// When it cannot be written.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    if args.output == Form::Md {
        out.text(&markdown())?;
        return Ok(Exit::Fine);
    }
    let config = Config::load(&session::inputs(global));
    let (keymap, diagnostics) =
        Keymap::build(panes::ALL, config.text(&setting::KEYMAP_PRESET), &own_keys(&config));
    for diagnostic in config.diagnostics.iter().chain(&diagnostics) {
        out.diagnostic(diagnostic);
    }
    match args.output {
        Form::Json => {
            let row = |(heading, row): (&str, &CommandSpec)| {
                json!({
                    "action": row.id.0,
                    "title": row.title,
                    "help": row.help,
                    "context": heading,
                    "keys": texts(&keymap, row),
                    "default": row.keys,
                    "permission": row.permission,
                    "dangerous": row.danger,
                })
            };
            out.json(&all_rows(panes::ALL).map(row).collect::<Vec<_>>())?;
        }
        Form::Table | Form::Md => {
            let row = |(heading, row): (&str, &CommandSpec)| {
                vec![
                    Cell::new(&texts(&keymap, row).join(" ")).role(Some(Role::Accent)),
                    Cell::new(row.id.0),
                    Cell::new(heading),
                    Cell::new(row.help),
                ]
            };
            let rows: Vec<Vec<Cell>> = all_rows(panes::ALL).map(row).collect();
            table::print(out, &["KEYS", "ACTION", "WHERE", "WHAT"], &rows)?;
        }
    }
    Ok(Exit::Fine)
}

/// Returns the user's keys that count everywhere, by action.
pub fn own_keys(config: &Config) -> BTreeMap<String, Vec<String>> {
    let everywhere = config.keys.iter().filter(|binding| binding.pane.is_none());
    everywhere.map(|binding| (binding.action.clone(), binding.keys.clone())).collect()
}

fn texts(keymap: &Keymap, row: &CommandSpec) -> Vec<String> {
    keymap.keys(row.id).iter().map(ToString::to_string).collect()
}

/// Returns the page of default keys, `docs/keys.md`.
pub fn markdown() -> String {
    let mut text = String::from(
        "# Keys\n\n<!-- Generated from the command table; `devportal keys -o md` prints it. -->\n\n\
         `?` shows the keys of the place you are in. Change them in `keys.toml` by the name of the action:\n\
         `[keys]`, `\"list.filter\" = [\"/\", \"ctrl-f\"]`; `[]` unbinds.\n",
    );
    let mut last = "";
    for (heading, row) in all_rows(panes::ALL) {
        if heading != last {
            let _ = write!(text, "\n## {heading}\n\n| Keys | Action | What it does |\n| --- | --- | --- |\n");
            last = heading;
        }
        let keys: Vec<String> = row.keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
        let _ = writeln!(text, "| {} | `{}` | {} |", keys.join(" "), row.id.0, row.help.replace('|', "\\|"));
    }
    text
}
