//! `diff`: what changed in the catalog between two revisions of its repository.

mod markdown;

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::{repository, session};
use crate::catalog::compare::{self, Comparison, End};
use crate::catalog::diff::{CatalogDiff, EntityNote, FieldChange, Problem, RelationChange};
use crate::catalog::sources::revisions::Range;
use crate::config::setting;
use crate::diagnostic::Severity;
use crate::model::relation;
use crate::model::text::{clean, cut};
use clap::ValueEnum;
use serde::Serialize;

/// Longest value in the form for people, in cells.
const SHOWN: usize = 60;

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "JSON and YAML are one object: `from` and `to` (`revision`, `commit`, `date`, `entities`; a work tree has \
no revision), `summary` (a number for each list), `added` and `removed` (`entityRef`, `title`, `type`, `owner`, `file`, `line`), \
`changed` (`entityRef`, `file`, `line`, `fields` of `pointer`, `field`, `old`, `new`, `isCut`; `moreFields`), `moved` (`entityRef`, \
`from`, `to`), `owners` (`entityRef`, `old`, `new`), `relations.gained` and `.lost` (`sourceRef`, `type`, `targetRef`, `because`: \
`stated`, `source-added`, `source-removed`, `target-appeared`, `target-vanished`), `problems.introduced` and `.solved` (`severity`, \
`code`, `message`, `entityRef`, `file`, `line`)."
)]
pub struct Args {
    /// `A..B`; `A...B` from where both have parted; `A` against the work tree; HEAD when absent
    #[arg(value_name = "REV..REV", default_value = "HEAD", hide_default_value = true)]
    pub range: String,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: Form,
    /// Exit with 8 when there are differences
    #[arg(long)]
    pub exit_code: bool,
}

/// Forms of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Table,
    /// One object.
    Json,
    /// One document.
    Yaml,
    /// For comments on pull requests.
    Markdown,
}

/// The whole answer as data.
#[derive(Serialize)]
struct Answer<'a> {
    from: &'a End,
    to: &'a End,
    #[serde(flatten)]
    diff: &'a CatalogDiff,
}

/// Runs `diff`.
///
/// # Errors
/// For revisions that are not there and repositories that cannot be read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let range = Range::parse(&args.range).map_err(|error| {
        CliError::usage(error, "write `A..B`, `A...B`, or one revision to compare with the work tree")
    })?;
    super::exit_when_interrupted();
    let session = session::open(global);
    for diagnostic in &session.config.diagnostics {
        out.diagnostic(diagnostic);
    }
    session.require_paths()?;
    let source = repository::of_loader(&session.loader, session.sources_from)
        .map_err(|diagnostic| CliError::not_found(*diagnostic))?;
    let is_offline = session.config.flag(&setting::OFFLINE);
    let progress = repository::progress(&session);
    let found = compare::compare(&source, &range, is_offline, &progress)
        .map_err(|error| repository::to_cli_error(&error, &source))?;
    let answer = Answer { from: &found.from, to: &found.to, diff: &found.diff };
    match args.output {
        Form::Json => out.json(&answer)?,
        Form::Yaml => out.yaml(&answer)?,
        Form::Markdown => out.text(&markdown::render(&found))?,
        Form::Table => text(&found, out)?,
    }
    let differs = args.exit_code && !found.diff.is_empty();
    Ok(if differs { Exit::CheckFailed } else { Exit::Fine })
}

fn text(found: &Comparison, out: &mut Output) -> Result<(), CliError> {
    let diff = &found.diff;
    let title = out.paint(Role::Title, &format!("{} → {}", found.from.name(), found.to.name()));
    out.line(&format!("{title}  {}", diff.summary.words()))?;
    notes(out, "Added", "+", Role::Ok, &diff.added)?;
    notes(out, "Removed", "-", Role::Error, &diff.removed)?;
    section(out, "Changed", diff.changed.len())?;
    for change in &diff.changed {
        let name = out.paint(Role::Accent, &clean(&change.entity_ref));
        let place = out.paint(Role::Dim, &clean(&format!("{}:{}", change.file, change.line)));
        let sign = out.paint(Role::Warn, "~");
        out.line(&format!("  {sign} {name}  {place}"))?;
        for field in &change.fields {
            let line = format!("      {}  {}", clean(&field.field), values(field, out));
            out.line(&line)?;
        }
        if change.more_fields > 0 {
            out.line(&format!("      and {} more fields", change.more_fields))?;
        }
    }
    section(out, "Moved", diff.moved.len())?;
    for moved in &diff.moved {
        let name = out.paint(Role::Accent, &clean(&moved.entity_ref));
        out.line(&format!("  {name}  {} → {}", clean(&moved.from), clean(&moved.to)))?;
    }
    section(out, "Owners", diff.owners.len())?;
    for change in &diff.owners {
        let name = out.paint(Role::Accent, &clean(&change.entity_ref));
        let end = |owner: &Option<String>| clean(owner.as_deref().unwrap_or("nobody")).into_owned();
        out.line(&format!("  {name}  {} → {}", end(&change.old), end(&change.new)))?;
    }
    relations(out, "Relations gained", "+", Role::Ok, &diff.relations.gained)?;
    relations(out, "Relations lost", "-", Role::Error, &diff.relations.lost)?;
    problems(out, "Problems introduced", &diff.problems.introduced)?;
    problems(out, "Problems solved", &diff.problems.solved)
}

fn section(out: &mut Output, title: &str, count: usize) -> Result<(), CliError> {
    if count == 0 {
        return Ok(());
    }
    out.line("")?;
    let title = out.paint(Role::Title, title);
    out.line(&title)
}

fn notes(
    out: &mut Output,
    title: &str,
    sign: &str,
    role: Role,
    notes: &[EntityNote],
) -> Result<(), CliError> {
    section(out, title, notes.len())?;
    for note in notes {
        let (sign, name) = (out.paint(role, sign), out.paint(Role::Accent, &clean(&note.entity_ref)));
        let owner = note.owner.as_deref().map(|owner| format!("  owner {}", clean(owner)));
        let place = out.paint(Role::Dim, &clean(&format!("{}:{}", note.file, note.line)));
        out.line(&format!("  {sign} {name}{}  {place}", owner.unwrap_or_default()))?;
    }
    Ok(())
}

fn relations(
    out: &mut Output,
    title: &str,
    sign: &str,
    role: Role,
    changes: &[RelationChange],
) -> Result<(), CliError> {
    section(out, title, changes.len())?;
    for change in changes {
        let (sign, source) = (out.paint(role, sign), clean(&change.source_ref));
        let words = out.paint(Role::Dim, &clean(&relation::words(&change.r#type)));
        let why = out.paint(Role::Dim, &format!("({})", change.because.words()));
        out.line(&format!("  {sign} {source} {words} {}  {why}", clean(&change.target_ref)))?;
    }
    Ok(())
}

fn problems(out: &mut Output, title: &str, problems: &[Problem]) -> Result<(), CliError> {
    section(out, title, problems.len())?;
    for problem in problems {
        let role = match problem.severity {
            Severity::Error => Role::Error,
            Severity::Warning => Role::Warn,
            Severity::Info => Role::Accent,
        };
        let head = out.paint(role, &format!("{}[{}]", problem.severity.as_str(), problem.code));
        let place = problem.file.as_deref().map(|file| match problem.line {
            0 => format!("  {}", clean(file)),
            line => format!("  {}:{line}", clean(file)),
        });
        let place = out.paint(Role::Dim, &place.unwrap_or_default());
        out.line(&format!("  {head} {}{place}", clean(&problem.message)))?;
    }
    Ok(())
}

fn values(field: &FieldChange, out: &Output) -> String {
    let shown = |value: &Option<serde_json::Value>| value.as_ref().map(short);
    match (shown(&field.old), shown(&field.new)) {
        (Some(old), Some(new)) => format!("{} → {}", out.paint(Role::Error, &old), out.paint(Role::Ok, &new)),
        (None, Some(new)) => format!("+ {}", out.paint(Role::Ok, &new)),
        (Some(old), None) => format!("- {}", out.paint(Role::Error, &old)),
        (None, None) => String::new(),
    }
}

/// Returns a value on one line, not too long.
pub fn short(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    cut(clean(&text).trim(), SHOWN).into_owned()
}
