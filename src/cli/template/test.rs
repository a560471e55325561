//! `template test`: renders the cases of templates and compares them with the files that are expected.
//!
//! A case is a folder `tests/NAME` beside the template with `answers.yaml` and the folder `expected`. Nothing
//! outside of a temporary folder is changed: the steps run dry.

use super::{find, watch};
use crate::catalog::Catalog;
use crate::cli::args::GlobalArgs;
use crate::cli::error::{CliError, Exit};
use crate::cli::output::Output;
use crate::cli::version::Form;
use crate::cli::{new, session};
use crate::diagnostic::Diagnostic;
use crate::model::text::clean;
use crate::scaffolder::engine;
use crate::scaffolder::form::{self, Facts, read_answers};
use crate::scaffolder::open::open_file;
use crate::scaffolder::run::{Decisions, FileChange, Host, Job, StepStatus};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Arguments of `template test`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A template's file, or a folder with templates below it
    #[arg(value_name = "PATH", default_value = ".")]
    pub path: PathBuf,
    /// Write what is rendered as what is expected
    #[arg(long)]
    pub update: bool,
    /// Render again whenever a file is saved
    #[arg(long)]
    pub watch: bool,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// What came of a case.
#[derive(Debug, Serialize)]
struct Report {
    template: String,
    case: String,
    passed: bool,
    files: usize,
    problems: Vec<String>,
}

/// Runs `template test`.
pub(super) fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    // Cases mean the same on every machine, so nothing is read of the catalog
    let host = Arc::new(new::host(&session, Arc::new(Catalog::default())));
    watch::again(args.watch, &args.path, out, |out| once(args, &host, out))
}

fn once(args: &Args, host: &Arc<Host>, out: &mut Output) -> Result<Exit, CliError> {
    let mut reports = Vec::new();
    for file in find::templates(&args.path)? {
        for folder in cases(&file) {
            reports.push(case(&file, &folder, args.update, host));
        }
    }
    if reports.is_empty() {
        let message = format!("no template below `{}` has cases", clean(&args.path.display().to_string()));
        let hint = "a case is a folder `tests/NAME` beside the template with `answers.yaml`; `--update` writes `expected`";
        return Err(CliError::not_found(Diagnostic::error("template::no-cases", message).hint(hint)));
    }
    if args.output == Form::Json {
        out.json(&reports)?;
    } else {
        for report in &reports {
            let word = if report.passed { "ok" } else { "FAILED" };
            let (template, case) = (clean(&report.template), clean(&report.case));
            out.line(&format!("{word:6} {template} {case} ({} files)", report.files))?;
            for problem in &report.problems {
                out.line(&format!("       {}", clean(problem)))?;
            }
        }
    }
    let failed = reports.iter().filter(|report| !report.passed).count();
    out.note(&format!("{} cases, {failed} failed", reports.len()));
    Ok(if failed > 0 { Exit::CheckFailed } else { Exit::Fine })
}

/// Returns the folders of the cases of a template, by name.
fn cases(template: &Path) -> Vec<PathBuf> {
    let folder = template.parent().unwrap_or(Path::new("")).join("tests");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut cases: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| answers(path).is_some()).collect();
    cases.sort();
    cases
}

fn answers(case: &Path) -> Option<PathBuf> {
    ["answers.yaml", "answers.yml", "answers.json"]
        .iter()
        .map(|name| case.join(name))
        .find(|path| path.is_file())
}

fn case(template: &Path, folder: &Path, updates: bool, host: &Arc<Host>) -> Report {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut report = Report {
        template: template.display().to_string(),
        case: name,
        passed: false,
        files: 0,
        problems: Vec::new(),
    };
    match rendered(template, folder, host) {
        Ok(files) => {
            report.files = files.len();
            let expected = folder.join("expected");
            let problems = if updates { update(&expected, &files) } else { compare(&expected, &files) };
            report.problems = problems;
        }
        Err(problems) => report.problems = problems,
    }
    report.passed = report.problems.is_empty();
    report
}

/// Renders a case; the errors are for people.
fn rendered(template: &Path, folder: &Path, host: &Arc<Host>) -> Result<Vec<FileChange>, Vec<String>> {
    let template = Arc::new(open_file(template).map_err(|diagnostic| vec![diagnostic.message.clone()])?);
    let path = answers(folder).ok_or_else(|| vec!["there are no answers".to_owned()])?;
    let shown = path.display().to_string();
    let text =
        std::fs::read_to_string(&path).map_err(|error| vec![format!("could not read `{shown}`: {error}")])?;
    let given = read_answers(&text, &shown).map_err(|diagnostic| vec![diagnostic.message.clone()])?;
    let facts = Facts { me: host.principal.clone(), hosts: host.form_hosts(), ..Facts::default() };
    let form = form::Form::new(template.clone(), &given, facts);
    let gaps = form.gaps();
    if !gaps.is_empty() {
        return Err(gaps.iter().map(|gap| format!("answer `{}`: {}", gap.pointer, gap.message)).collect());
    }
    let job = Job {
        template,
        answers: form.answers(),
        secrets: BTreeMap::new(),
        out: None,
        decisions: Decisions::default(),
    };
    let review = engine::review(&job, host, &tokio_util::sync::CancellationToken::new());
    let failed = review.steps.iter().filter(|step| step.status == StepStatus::Failed);
    let problems: Vec<String> = failed.map(|step| format!("step `{}`: {}", step.id, step.error)).collect();
    if problems.is_empty() { Ok(review.files) } else { Err(problems) }
}

/// Says what differs.
fn compare(expected: &Path, files: &[FileChange]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut wanted = BTreeSet::new();
    walk(expected, "", &mut wanted);
    for file in files {
        let path = expected.join(&file.path);
        if !wanted.remove(&file.path) {
            problems.push(format!("{}: is made, and not expected", file.path));
            continue;
        }
        let content = content(&path);
        if content != *file.content {
            problems.push(difference(&file.path, &content, &file.content));
        } else if executable(&path).is_some_and(|expected| expected != file.is_executable) {
            let word = if file.is_executable { "may be executed" } else { "may not be executed" };
            problems.push(format!("{}: {word}, and the other is expected", file.path));
        }
    }
    problems.extend(wanted.into_iter().map(|path| format!("{path}: is expected, and not made")));
    problems
}

/// Names the first line that differs.
fn difference(path: &str, expected: &[u8], made: &[u8]) -> String {
    let (Ok(expected), Ok(made)) = (std::str::from_utf8(expected), std::str::from_utf8(made)) else {
        return format!("{path}: other bytes than expected");
    };
    let mut lines = (expected.lines(), made.lines());
    for number in 1.. {
        match (lines.0.next(), lines.1.next()) {
            (None, None) => break,
            (expected, made) if expected != made => {
                let shown =
                    |line: Option<&str>| line.map_or("the end".to_owned(), |line| format!("`{line}`"));
                return format!("{path}:{number}: {} instead of {}", shown(made), shown(expected));
            }
            _ => {}
        }
    }
    format!("{path}: other line breaks than expected")
}

fn content(path: &Path) -> Vec<u8> {
    match std::fs::read_link(path) {
        Ok(target) => target.to_string_lossy().into_owned().into_bytes(),
        Err(_) => std::fs::read(path).unwrap_or_default(),
    }
}

#[cfg(unix)]
fn executable(path: &Path) -> Option<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = path.symlink_metadata().ok().filter(std::fs::Metadata::is_file)?;
    Some(metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Option<bool> {
    None
}

fn walk(root: &Path, below: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(root.join(below)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(root, &path, found);
        } else {
            found.insert(path);
        }
    }
}

/// Writes what is rendered as what is expected; files that are no longer made go.
fn update(expected: &Path, files: &[FileChange]) -> Vec<String> {
    let mut old = BTreeSet::new();
    walk(expected, "", &mut old);
    let mut problems = Vec::new();
    for file in files {
        old.remove(&file.path);
        if let Err(error) = write(&expected.join(&file.path), file) {
            problems.push(format!("{}: could not be written: {error}", file.path));
        }
    }
    for path in old {
        if let Err(error) = std::fs::remove_file(expected.join(&path)) {
            problems.push(format!("{path}: could not be removed: {error}"));
        }
    }
    problems
}

fn write(path: &Path, file: &FileChange) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, &file.content)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if file.is_executable { 0o755 } else { 0o644 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}
