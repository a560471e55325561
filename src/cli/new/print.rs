//! Plans and results, for people and as data.

use super::Args;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::{Output, Role};
use crate::cli::version::Form;
use crate::diagnostic::Diagnostic;
use crate::model::text::{clean, clean_lines};
use crate::scaffolder::Value;
use crate::scaffolder::engine::{history, sha256};
use crate::scaffolder::run::{
    FileChange, Job, Output as Made, Review, RunState, RunStatus, StepState, StepStatus,
};
use serde::Serialize;

/// Files that a plan names for people.
const MAX_FILES: usize = 200;
/// Lines of the log of a failed step that are shown.
const LOG_LINES: usize = 20;

/// A run as data.
#[derive(Serialize)]
struct Data<'a> {
    status: &'a str,
    steps: Vec<StepData<'a>>,
    files: Vec<FileData>,
    output: &'a Value,
}

#[derive(Serialize)]
struct StepData<'a> {
    id: &'a str,
    name: &'a str,
    action: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "str::is_empty")]
    error: &'a str,
}

#[derive(Serialize)]
struct FileData {
    path: String,
    mode: String,
    sha256: String,
}

fn steps(steps: &[StepState]) -> Vec<StepData<'_>> {
    steps.iter().map(step_data).collect()
}

fn step_data(step: &StepState) -> StepData<'_> {
    StepData {
        id: &step.id,
        name: &step.name,
        action: &step.action,
        status: history::word_of_step(step.status),
        started: step.started,
        ended: step.ended,
        error: &step.error,
    }
}

/// Prints what would be made; returns how a dry run ends.
///
/// # Errors
/// When it cannot be written.
pub fn plan(review: &Review, job: &Job, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let has_failed = review.steps.iter().any(|step| step.status == StepStatus::Failed);
    for warning in &review.warnings {
        out.diagnostic(&Diagnostic::warning("template::dry-run", clean_lines(warning)));
    }
    for step in review.steps.iter().filter(|step| step.status == StepStatus::Failed) {
        let mut diagnostic =
            Diagnostic::error("template::step", format!("step `{}`: {}", step.id, step.error));
        diagnostic.hint = Some(step.hint.clone()).filter(|hint| !hint.is_empty());
        out.diagnostic(&diagnostic);
    }
    if args.form() == Form::Json {
        let files = review.files.iter().map(|file| FileData {
            path: file.path.clone(),
            mode: format!("{:o}", file.mode),
            sha256: sha256(&file.content),
        });
        out.json(&Data {
            status: if has_failed { "failed" } else { "planned" },
            steps: steps(&review.steps),
            files: files.collect(),
            output: &review.output.value,
        })?;
    } else {
        plan_text(review, job, out)?;
    }
    Ok(if has_failed { Exit::Failed } else { Exit::Fine })
}

fn plan_text(review: &Review, job: &Job, out: &mut Output) -> Result<(), CliError> {
    let title = out.paint(Role::Title, &clean(&job.template.title));
    out.line(&format!("{title}  {}", clean(&job.template.entity_ref)))?;
    step_lines(&review.steps, out)?;
    let place = review.folder.as_ref().map(|folder| format!(" in {}", clean(&folder.display().to_string())));
    section(&format!("Files ({}){}", review.files.len(), place.unwrap_or_default()), out)?;
    for file in review.files.iter().take(MAX_FILES) {
        out.line(&format!("  {} {}", sign(file), clean(&file.path)))?;
    }
    if review.files.len() > MAX_FILES {
        out.line(&format!("  … {} more", review.files.len() - MAX_FILES))?;
    }
    if !review.undecided.is_empty() {
        section("Files that are there with another content", out)?;
        for path in review.undecided.iter().take(MAX_FILES) {
            out.line(&format!("  {}", clean(path)))?;
        }
        out.line("  decide with `--existing keep|replace|both`, or `--existing PATH=replace` for one")?;
    }
    if let Some(folder) = &job.out {
        let folder = clean(&folder.display().to_string()).into_owned();
        section("Nothing is published or registered", out)?;
        out.line(&format!("  the files go to {folder}"))?;
    } else if !review.effects.is_empty() {
        section("Changes outside", out)?;
        for (_, effect) in &review.effects {
            let identity =
                if effect.identity.is_empty() { String::new() } else { format!(", as {}", effect.identity) };
            out.line(&format!("  {} {}{}", clean(&effect.what), clean(&effect.target), clean(&identity)))?;
            for detail in &effect.details {
                out.line(&format!("    {}", clean(detail)))?;
            }
        }
    }
    output_lines(&review.output, out)
}

fn sign(file: &FileChange) -> &'static str {
    match &file.before {
        None => "+",
        Some(before) if **before == *file.content => "=",
        Some(_) => "~",
    }
}

fn section(title: &str, out: &mut Output) -> Result<(), CliError> {
    out.line("")?;
    let title = out.paint(Role::Title, title);
    out.line(&title)
}

fn step_lines(steps: &[StepState], out: &mut Output) -> Result<(), CliError> {
    section("Steps", out)?;
    for step in steps {
        let word = history::word_of_step(step.status);
        let role = match step.status {
            StepStatus::Completed => Role::Ok,
            StepStatus::Failed | StepStatus::Unknown => Role::Error,
            StepStatus::Cancelled => Role::Warn,
            _ => Role::Dim,
        };
        let word = out.paint(role, &format!("{word:<10}"));
        let why = if step.error.is_empty() { String::new() } else { format!(": {}", clean(&step.error)) };
        out.line(&format!("  {word} {}  {}{why}", clean(&step.name), clean(&step.action)))?;
    }
    Ok(())
}

fn output_lines(made: &Made, out: &mut Output) -> Result<(), CliError> {
    if !made.links.is_empty() {
        section("Links", out)?;
        for link in &made.links {
            let place = if link.url.is_empty() { &link.entity_ref } else { &link.url };
            let title =
                if link.title == *place { String::new() } else { format!("{}  ", clean(&link.title)) };
            out.line(&format!("  {title}{}", clean(place)))?;
        }
    }
    for text in &made.texts {
        section(if text.title.is_empty() { "Notes" } else { &text.title }, out)?;
        for line in clean_lines(&text.content).lines() {
            out.line(&format!("  {line}"))?;
        }
    }
    Ok(())
}

/// Prints how a run ended.
///
/// # Errors
/// When it cannot be written.
pub fn result(state: &RunState, job: &Job, args: &Args, out: &mut Output) -> Result<(), CliError> {
    if args.form() == Form::Json {
        let files = state.files.iter().map(|file| FileData {
            path: file.path.clone(),
            mode: format!("{:o}", file.mode),
            sha256: file.sha256.clone(),
        });
        out.json(&Data {
            status: history::word(state.status),
            steps: steps(&state.steps),
            files: files.collect(),
            output: &state.output.value,
        })?;
    } else {
        let title = out.paint(Role::Title, &clean(&job.template.title));
        out.line(&format!("{title}  {}", history::word(state.status)))?;
        step_lines(&state.steps, out)?;
        if let (Some(folder), RunStatus::Completed) = (&state.folder, state.status) {
            out.line("")?;
            out.line(&format!(
                "{} files are in {}",
                state.files.len(),
                clean(&folder.display().to_string())
            ))?;
        }
        output_lines(&state.output, out)?;
    }
    troubles(state, out);
    tell_place(state, job, out);
    Ok(())
}

/// Says on stderr what went wrong and what exists nevertheless.
fn troubles(state: &RunState, out: &mut Output) {
    let told = |message: String, hint: &str| {
        let mut diagnostic = Diagnostic::error("template::run", message);
        diagnostic.hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
        diagnostic
    };
    if !state.error.is_empty() {
        out.diagnostic(&told(state.error.clone(), &state.hint));
    }
    for step in state.steps.iter().filter(|step| step.status == StepStatus::Failed) {
        let first = step.log.len().saturating_sub(LOG_LINES);
        step.log.iter().skip(first).for_each(|line| out.note(&format!("  {line}")));
        out.diagnostic(&told(format!("step `{}` ({}): {}", step.id, step.action, step.error), &step.hint));
    }
    for step in &state.steps {
        for line in step.log.iter().filter_map(|line| line.strip_prefix("warning: ")) {
            out.diagnostic(&Diagnostic::warning("template::step", format!("step `{}`: {line}", step.id)));
        }
    }
    if matches!(state.status, RunStatus::Failed | RunStatus::Cancelled) {
        if state.exists.is_empty() {
            out.note("nothing was made outside of the temporary workspace");
        }
        for effect in &state.exists {
            out.note(&format!("this exists now: {} {}", clean(&effect.what), clean(&effect.target)));
        }
    }
}

/// Says where the files are, or that they are gone.
fn tell_place(state: &RunState, job: &Job, out: &mut Output) {
    if state.status != RunStatus::Completed {
        return;
    }
    if let Some(folder) = &job.out {
        let left: Vec<_> = state
            .steps
            .iter()
            .filter(|step| step.status == StepStatus::Skipped && step.error.starts_with("left out"))
            .map(|step| format!("`{}`", clean(&step.action)))
            .collect();
        if !left.is_empty() {
            let folder = clean(&folder.display().to_string()).into_owned();
            out.note(&format!("the files are in {folder}; left out: {}", left.join(", ")));
        }
    } else if state.exists.is_empty() && !state.files.is_empty() {
        out.note("no step of the template keeps its files, so they are gone; `--out DIR` keeps them");
    }
}
