//! `register`: asks a Backstage backend to take in a location, after saying what that would bring.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::Output;
use super::session;
use super::version::Form;
use crate::catalog::{Loader, Progress};
use crate::diagnostic::Diagnostic;
use crate::model::text::clean;
use serde_json::json;

/// Arguments of `register`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of a descriptor, as a browser shows it
    #[arg(value_name = "URL")]
    pub url: String,
    /// Backstage source whose backend is asked; absent: the only one
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Say what it would bring, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Runs `register`.
///
/// # Errors
/// [`CliError::Usage`] without a Backstage source, or without a yes; what the backend says otherwise.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    if !url::Url::parse(&args.url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(CliError::usage(
            format!("`{}` is no address of a descriptor", clean(&args.url)),
            "copy it from the browser: `https://github.com/acme/shop/blob/main/catalog-info.yaml`",
        ));
    }
    let session = session::open(global);
    let loader = &session.loader;
    let index = backend(loader, args.source.as_deref())?;
    let name = loader.sources().get(index).map(|source| source.name.clone()).unwrap_or_default();
    let progress = Progress::none();
    let ask = |dry_run| loader.register(index, &args.url, dry_run, &progress).map_err(refused);
    let plan = ask(true)?;
    if args.output == Form::Text {
        tell(&plan.entities, plan.exists, &name, out)?;
    }
    let done = match (args.dry_run, plan.exists) {
        (true, _) => false,
        (false, true) => {
            confirm(args, "it is registered; have it read again?", out)?;
            loader.refresh_location(index, &args.url, &progress).map_err(refused)?;
            true
        }
        (false, false) => {
            confirm(args, "register it?", out)?;
            // somebody else may have been quicker
            if ask(false)?.exists {
                loader.refresh_location(index, &args.url, &progress).map_err(refused)?;
            }
            true
        }
    };
    if args.output == Form::Json {
        let action = match (done, plan.exists) {
            (false, _) => "none",
            (true, true) => "refreshed",
            (true, false) => "registered",
        };
        out.json(&json!({
            "source": name, "target": args.url, "exists": plan.exists, "entities": plan.entities, "action": action,
        }))?;
    } else if done {
        out.note(&format!(
            "done; the backend of `{name}` reads it soon, `devportal refresh {name}` shows it"
        ));
    }
    Ok(Exit::Fine)
}

/// Finds the source to ask: the one named, or the only one that can be asked.
pub(super) fn backend(loader: &Loader, name: Option<&str>) -> Result<usize, CliError> {
    let able: Vec<usize> = (0..loader.sources().len()).filter(|index| loader.has_writes(*index)).collect();
    let name_of = |index: &usize| loader.sources().get(*index).map_or("", |source| source.name.as_str());
    if let Some(name) = name {
        return able.iter().find(|index| name_of(index) == name).copied().ok_or_else(|| {
            let names: Vec<&str> = able.iter().map(name_of).collect();
            let hint = match crate::model::text::nearest(name, names.iter().copied()).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => NO_BACKEND.to_owned(),
                None => format!("there is {}", names.join(", ")),
            };
            CliError::usage(format!("`{}` is no source of type `backstage`", clean(name)), hint)
        });
    }
    match able.as_slice() {
        [one] => Ok(*one),
        [] => Err(CliError::usage("there is no source of type `backstage` to ask", NO_BACKEND)),
        many => {
            let names: Vec<&str> = many.iter().map(name_of).collect();
            Err(CliError::usage(
                "there are several sources of type `backstage`",
                format!("name one with `--source`: {}", names.join(", ")),
            ))
        }
    }
}

const NO_BACKEND: &str =
    "add one to your config.toml: `[[catalog.source]]` with `type = \"backstage\"`, a name and its `url`";

fn tell(entities: &[String], exists: bool, source: &str, out: &mut Output) -> Result<(), CliError> {
    if exists {
        out.line(&format!("it is registered at `{source}` already"))?;
    }
    if !entities.is_empty() {
        out.line(&format!("{} entities come from it:", entities.len()))?;
        for entity in entities {
            out.line(&format!("  {}", clean(entity)))?;
        }
    } else if !exists {
        out.line("no entities come from it")?;
    }
    Ok(())
}

fn confirm(args: &Args, question: &str, out: &mut Output) -> Result<(), CliError> {
    if args.yes {
        return Ok(());
    }
    match out.ask(&format!("{question} [y/N] ")) {
        Some(answer) if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") => Ok(()),
        Some(_) => Err(CliError::usage("nothing was changed", "answer `y`, or say `--yes`")),
        None => Err(CliError::usage("nothing was changed: nobody can be asked here", "say `--yes` to do it")),
    }
}

/// Chooses the exit code of what a backend refused.
pub(super) fn refused(diagnostic: Box<Diagnostic>) -> CliError {
    session::gave_nothing(*diagnostic)
}
