//! `history`: who changed an entity, when, and what.

use super::args::GlobalArgs;
use super::diff::short;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::table::{self, Cell};
use super::{repository, select, session};
use crate::app::context::age;
use crate::catalog::history::{self, Change, Cut, Deed, History, Limits};
use crate::diagnostic::Diagnostic;
use crate::model::text::clean_lines;
use clap::ValueEnum;
use jiff::Timestamp;
use std::cell::RefCell;

/// Most commits that are looked at.
const MAX_COMMITS: usize = 2_000_000;
/// Fields named in a row.
const FIELDS: usize = 3;

/// Arguments of `history`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "JSON is one object: `entityRef`, `file`, `changes`, `commits` (looked at), and `cut` when older changes are \
missing (`shallow`, `limit`, `commits`). A change has `commit` (null: not committed yet), `author`, `email`, `date`, `subject`, \
`change` (`added`, `changed`, `moved`, `broken`, `repaired`), `file`, `movedFrom`, `fields` (as in `diff`) and `moreFields`."
)]
pub struct Args {
    /// Ref (`api:payments/ledger`) or name of the entity
    #[arg(value_name = "REF")]
    pub what: String,
    /// Most changes shown, newest first
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Show the lines that differ, too
    #[arg(short, long)]
    pub patch: bool,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: Form,
}

/// Forms of histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Table,
    /// One object.
    Json,
    /// One document.
    Yaml,
}

/// Runs `history`.
///
/// # Errors
/// For names that mean nothing or too much, and entities that come from no repository.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let id = select::one(catalog, &args.what, None, global)?;
    let Some(entity) = catalog.entity(id) else { return Ok(Exit::NotFound) };
    let place = history::locate(&session.loader, &entity)
        .map_err(|error| CliError::failure(Diagnostic::error("history::no-repository", error.to_string())))?;
    let progress = repository::progress(&session);
    let found = {
        let out = RefCell::new(&mut *out);
        let on_step = |commits: usize| out.borrow_mut().progress(&format!("{commits} commits looked at"));
        let limits = Limits {
            entries: args.limit as usize,
            commits: MAX_COMMITS,
            cancel: progress.cancel_token(),
            on_step: &on_step,
        };
        let found = history::read(&place, &limits);
        out.borrow_mut().progress("");
        found
    };
    let found = found.map_err(|error| {
        let message = format!("could not read the history of `{}`: {}", place.entity_ref, error.message());
        CliError::failure(Diagnostic::error("history::unreadable", message))
    })?;
    match args.output {
        Form::Json => out.json(&found)?,
        Form::Yaml => out.yaml(&found)?,
        Form::Table => text(&found, args.patch, out)?,
    }
    note(&found, place.is_remote, out);
    Ok(loaded.exit)
}

fn text(found: &History, has_patch: bool, out: &mut Output) -> Result<(), CliError> {
    if found.changes.is_empty() {
        out.note("no change of it is known");
        return Ok(());
    }
    if has_patch {
        return patches(found, out);
    }
    let rows: Vec<Vec<Cell>> = found.changes.iter().map(row).collect();
    table::print(out, &["WHEN", "WHO", "COMMIT", "CHANGE", "WHAT", "SUBJECT"], &rows)
}

fn row(change: &Change) -> Vec<Cell> {
    let role = match change.change {
        Deed::Added | Deed::Repaired => Role::Ok,
        Deed::Broken => Role::Error,
        Deed::Changed | Deed::Moved => Role::Warn,
    };
    vec![
        Cell::new(&when(change)),
        Cell::new(&change.author),
        Cell::new(short_commit(change)).role(Some(Role::Accent)),
        Cell::new(change.change.word()).role(Some(role)),
        Cell::new(&what(change)),
        Cell::new(&change.subject).role(Some(Role::Dim)),
    ]
}

/// Returns what differs: the values of a single field, the names of several.
fn what(change: &Change) -> String {
    match change.fields.as_slice() {
        [field] if change.moved_from.is_none() => {
            let value = |value: &Option<serde_json::Value>| value.as_ref().map_or("none".to_owned(), short);
            format!("{}: {} → {}", field.field, value(&field.old), value(&field.new))
        }
        _ => change.in_short(FIELDS),
    }
}

fn when(change: &Change) -> String {
    change.seconds.map_or_else(String::new, |then| age(Timestamp::now().as_second() - then))
}

fn short_commit(change: &Change) -> &str {
    change.commit.as_deref().map_or("", |commit| commit.get(..8).unwrap_or(commit))
}

fn patches(found: &History, out: &mut Output) -> Result<(), CliError> {
    for change in &found.changes {
        let cells = row(change);
        let texts: Vec<String> = cells
            .iter()
            .filter(|cell| !cell.text.is_empty())
            .map(|cell| cell.role.map_or_else(|| cell.text.clone(), |role| out.paint(role, &cell.text)))
            .collect();
        out.line(&texts.join("  "))?;
        for line in clean_lines(&change.lines).lines() {
            let role = match line.as_bytes().first() {
                Some(b'+') => Some(Role::Ok),
                Some(b'-') => Some(Role::Error),
                Some(b'@') => Some(Role::Accent),
                _ => None,
            };
            let line = role.map_or_else(|| line.to_owned(), |role| out.paint(role, line));
            out.line(&format!("    {line}"))?;
        }
        out.line("")?;
    }
    Ok(())
}

/// Says why older changes are missing.
fn note(found: &History, is_remote: bool, out: &mut Output) {
    match found.cut {
        None => {}
        Some(Cut::Limit) => out.note("there are older changes; raise --limit"),
        Some(Cut::Commits) => {
            out.note(&format!("older changes are not looked for: {} commits were looked at", found.commits));
        }
        Some(Cut::Shallow) if is_remote => out.note(
            "older changes are not here: only the newest commit is fetched; clone the repository and name \
             the clone with `--catalog PATH` to see them",
        ),
        Some(Cut::Shallow) => {
            out.note("older changes are not here: the clone is shallow; `git fetch --unshallow` gets them");
        }
    }
}
