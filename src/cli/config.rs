//! `config`: show, edit and find the settings; trust a project's file.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::session;
use super::table::{self, Cell};
use crate::config::setting::{self, Setting, Value};
use crate::config::{Config, Origin, Resolved, save, starter, trust};
use crate::diagnostic::Diagnostic;
use crate::model::text::nearest;
use crate::store;
use clap::{Subcommand, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub act: Act,
}

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// Print every setting as it counts
    Show {
        /// Also print where each value comes from
        #[arg(long)]
        origin: bool,
        /// Print the reference of all settings as markdown
        #[arg(long, hide = true)]
        docs: bool,
        /// Form of the output
        #[arg(short, long, value_name = "FORM", default_value = "toml")]
        output: Form,
    },
    /// Open your config.toml in your editor; a new one starts from a commented list of all settings
    Edit {
        /// Create the file without asking
        #[arg(short, long)]
        yes: bool,
    },
    /// Set one value in your config.toml; comments and order stay
    Set {
        /// Name of the setting, as `config show` prints it
        key: String,
        /// Its value
        #[arg(required_unless_present = "reset")]
        value: Option<String>,
        /// Remove it from the file, so that the next layer counts
        #[arg(long, conflicts_with = "value")]
        reset: bool,
        /// Print what would be written
        #[arg(long)]
        dry_run: bool,
    },
    /// Print where settings, state and cache are
    Paths {
        /// Form of the output
        #[arg(short, long, value_name = "FORM", default_value = "text")]
        output: super::version::Form,
    },
    /// Let a project's .devportal.toml say where to connect, what to run and who you are
    Trust {
        /// The file, as it is now; any change asks again
        file: PathBuf,
    },
}

/// Forms of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// As in a file.
    Toml,
    /// An array of objects.
    Json,
}

/// Runs `config`.
///
/// # Errors
/// For unknown settings, and files that cannot be read or written.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let config = Config::load(&session::inputs(global));
    match &args.act {
        Act::Show { docs: true, .. } => out.text(&crate::config::reference::markdown())?,
        Act::Show { origin, output, .. } => show(&config, *origin, *output, out)?,
        Act::Edit { yes } => return edit(&config, *yes, out),
        Act::Set { key, value, reset: _, dry_run } => set(&config, key, value.as_deref(), *dry_run, out)?,
        Act::Paths { output } => paths(&config, *output, out)?,
        Act::Trust { file } => {
            trust::trust(&config.paths, file).map_err(|error| CliError::failed("config::trust", &error))?;
            out.note(&format!("trusted as it is now: {}", file.display()));
        }
    }
    Ok(Exit::Fine)
}

fn show(config: &Config, has_origin: bool, form: Form, out: &mut Output) -> Result<(), CliError> {
    for diagnostic in &config.diagnostics {
        out.diagnostic(diagnostic);
    }
    if form == Form::Json {
        let rows: Vec<_> = config.rows().map(|(setting, resolved)| row_json(setting, resolved)).collect();
        return out.json(&rows);
    }
    if has_origin {
        let head = ["SETTING", "VALUE", "ORIGIN"];
        let row = |(setting, resolved): (&Setting, &Resolved)| {
            let role = (resolved.origin == Origin::BuiltIn).then_some(Role::Dim);
            vec![
                Cell::new(setting.key),
                Cell::new(&shown(&resolved.value)),
                Cell::new(&resolved.origin.to_string()).role(role),
            ]
        };
        return table::print(out, &head, &config.rows().map(row).collect::<Vec<_>>());
    }
    for (setting, resolved) in config.rows() {
        let line = match resolved.value {
            Value::None => format!("# {} is not set", setting.key),
            _ => format!("{} = {}", setting.key, resolved.value.to_toml()),
        };
        out.line(&crate::model::text::clean(&line))?;
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::None => "-".to_owned(),
        value => value.to_text(),
    }
}

fn row_json(setting: &Setting, resolved: &Resolved) -> serde_json::Value {
    let (layer, file, line) = match &resolved.origin {
        Origin::BuiltIn => ("built-in", None, None),
        Origin::File(layer, location) => {
            (layer.as_str(), Some(location.file.to_string()), Some(location.line))
        }
        Origin::Variable(_) => ("variable", None, None),
        Origin::Flag(_) => ("flag", None, None),
    };
    json!({
        "key": setting.key,
        "value": resolved.value.to_json(),
        "origin": resolved.origin.to_string(),
        "layer": layer,
        "file": file,
        "line": line,
        "help": setting.help,
        "variable": setting.variable(),
    })
}

fn set(
    config: &Config,
    key: &str,
    value: Option<&str>,
    is_dry: bool,
    out: &mut Output,
) -> Result<(), CliError> {
    let Some(setting) = setting::find(key) else {
        let near = nearest(key, setting::ALL.iter().map(|setting| setting.key));
        let hint = match near.first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`devportal config show` lists every setting".to_owned(),
        };
        return Err(CliError::usage(format!("`{key}` is not a setting"), hint));
    };
    let value = value
        .map(|text| setting.parse(text))
        .transpose()
        .map_err(|bad| CliError::usage(format!("`{key}` has no usable value: {}", bad.label), bad.hint))?;
    let act = if is_dry { save::preview } else { save::save };
    let change = act(&config.paths, setting, value.as_ref())
        .map_err(|error| CliError::failed("config::not-saved", &error))?;
    let file = change.file.display();
    let verb = if is_dry { "would write" } else { "wrote" };
    match change.line {
        0 => out.note(&format!("{verb} {file}: `{key}` is not in it any more")),
        line => {
            out.note(&format!("{verb} {file}:{line}"));
            out.line(&change.text)?;
        }
    }
    let origin = &config.get(setting).origin;
    if origin.is_above_user() {
        out.note(&format!("{origin} still wins over your file"));
    }
    Ok(())
}

fn paths(config: &Config, form: super::version::Form, out: &mut Output) -> Result<(), CliError> {
    let mut all = config.paths.all();
    if let Some((_, project)) = config.files.iter().find(|(layer, _)| *layer == crate::config::Layer::Project)
    {
        all.push(("project", project.clone()));
    }
    if form == super::version::Form::Json {
        let object: serde_json::Map<_, _> =
            all.iter().map(|(name, path)| ((*name).to_owned(), path.display().to_string().into())).collect();
        return out.json(&object);
    }
    for (name, path) in all {
        let missing = if path.exists() { String::new() } else { out.paint(Role::Dim, "  (not there)") };
        out.line(&format!("{name:8} {}{missing}", path.display()))?;
    }
    Ok(())
}

fn edit(config: &Config, yes: bool, out: &mut Output) -> Result<Exit, CliError> {
    let file = config.paths.config_file();
    if !file.exists() {
        let question = format!(
            "{} does not exist. Create it from a commented list of all settings? [y/N] ",
            file.display()
        );
        let agreed =
            yes || out.ask(&question).is_some_and(|answer| matches!(answer.as_str(), "y" | "Y" | "yes"));
        if !agreed {
            let message = format!("`{}` does not exist and was not created", file.display());
            return Err(CliError::usage(message, "`devportal config edit --yes` creates it without asking"));
        }
        store::write_atomic(&file, starter::config_toml().as_bytes())
            .map_err(|error| CliError::failed("config::not-written", &error))?;
        out.note(&format!("created {}", file.display()));
    }
    let Some(command) = editor(config) else {
        let hint = format!("set `$EDITOR` or the setting `editor`, or open {} yourself", file.display());
        return Err(CliError::usage("there is no editor to open", hint));
    };
    let status = open_in(&command, &file);
    match status {
        Ok(status) if status.success() => Ok(Exit::Fine),
        Ok(status) => Err(failed_editor(&command, &status.to_string())),
        Err(error) => Err(failed_editor(&command, &error.to_string())),
    }
}

/// Returns the editor: the setting, then `$VISUAL`, then `$EDITOR`.
pub fn editor(config: &Config) -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let own = config.text(&setting::EDITOR);
    if own.is_empty() { variable("VISUAL").or_else(|| variable("EDITOR")) } else { Some(own.to_owned()) }
}

fn open_in(command: &str, file: &Path) -> std::io::Result<std::process::ExitStatus> {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or("vi");
    std::process::Command::new(program).args(words).arg(file).status()
}

fn failed_editor(command: &str, cause: &str) -> CliError {
    CliError::failure(
        Diagnostic::error("config::editor", format!("the editor `{command}` failed: {cause}"))
            .hint("set `$EDITOR` or the setting `editor` to a command that works"),
    )
}
