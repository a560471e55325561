//! `validate`: checks descriptor files and says everything that is wrong with them.
//!
//! Visits every `*.yaml` and `*.yml` below a folder except `.git` and `node_modules`, nothing configured
//! and nothing ignored: the verdict on each document is the one Backstage's own model gives. Files are
//! read and judged in parallel and printed in their order.

mod files;
mod placeholders;
mod report;

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, render};
use super::session;
use crate::config::{Config, setting};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::model::descriptor::Origin;
use crate::model::verdict::{Verdict, validate_bytes};
use clap::ValueEnum;
use files::Found;
use rayon::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, or folders whose YAML files are all checked
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Forms of verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Messages for people.
    Text,
    /// One object per document and line.
    Jsonl,
    /// An array of these objects.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// Files that are judged before anything of them is printed; bounds memory.
const BATCH: usize = 1024;

#[derive(Debug, Default)]
struct Totals {
    files: usize,
    documents: usize,
    invalid: usize,
    warnings: usize,
}

/// Runs `validate`.
///
/// # Errors
/// [`CliError::NotFound`] for a path that does not exist.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    super::exit_when_interrupted();
    if global.at.is_some() {
        return Err(CliError::usage(
            "`validate` reads files, not revisions",
            "`git worktree add DIR REV` gives the files of a revision; `devportal get --at REV` reads one",
        ));
    }
    let config = Config::load(&session::inputs(global));
    for diagnostic in &config.diagnostics {
        out.diagnostic(diagnostic);
    }
    let max_bytes = config.size(&setting::CATALOG_MAX_FILE_SIZE);
    for path in &args.paths {
        path.symlink_metadata().map_err(|_| missing(path))?;
    }
    // Scripts get paths relative to the folder they named, people and CI paths they can open
    let is_relative = matches!(args.output, Form::Jsonl | Form::Json);
    let mut found = Vec::new();
    for path in &args.paths {
        files::find(path, is_relative, &mut found);
    }
    let mut totals = Totals { files: found.len(), ..Totals::default() };
    let mut kept = Vec::new();
    for batch in found.chunks(BATCH) {
        let verdicts: Vec<Vec<Verdict>> = batch.par_iter().map(|file| judge(file, max_bytes)).collect();
        for verdict in verdicts.into_iter().flatten() {
            totals.count(&verdict);
            match args.output {
                Form::Text => text(&verdict, out)?,
                Form::Jsonl => out.json_line(&report::document(&verdict))?,
                Form::Github => out.text(&report::annotations(&verdict))?,
                Form::Json | Form::Sarif => kept.push(verdict),
            }
        }
    }
    match args.output {
        Form::Json => out.json(&kept.iter().map(report::document).collect::<Vec<_>>())?,
        Form::Sarif => out.json(&report::sarif(&kept))?,
        Form::Text | Form::Jsonl | Form::Github => {}
    }
    out.note(&totals.sentence());
    Ok(if totals.invalid > 0 { Exit::CheckFailed } else { Exit::Fine })
}

fn missing(path: &std::path::Path) -> CliError {
    let shown = path.display().to_string();
    CliError::not_found(
        Diagnostic::error("validate::not-found", format!("there is no file or folder `{shown}`"))
            .at(SourceLocation::file(shown)),
    )
}

fn judge(found: &Found, max_bytes: u64) -> Vec<Verdict> {
    let name: Arc<str> = Arc::from(found.name.as_str());
    match files::read(found, max_bytes) {
        Ok(bytes) => {
            let mut reader = placeholders::Reader::new(found, max_bytes);
            validate_bytes(&name, &bytes, Origin::File, &mut |placeholder, source| {
                reader.resolve(placeholder, source)
            })
        }
        Err(diagnostic) => vec![Verdict {
            file: name,
            document: 0,
            line: 1,
            entity_ref: None,
            valid: false,
            empty: false,
            diagnostics: vec![*diagnostic],
            relations: Vec::new(),
        }],
    }
}

fn text(verdict: &Verdict, out: &mut Output) -> Result<(), CliError> {
    let has_colour = out.has_colour();
    report::for_people(verdict).iter().try_for_each(|diagnostic| {
        out.text(&render(diagnostic, has_colour))?;
        out.line("")
    })
}

impl Totals {
    fn count(&mut self, verdict: &Verdict) {
        self.documents += usize::from(!verdict.empty);
        self.invalid += usize::from(!verdict.valid);
        self.warnings += verdict.diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
    }

    fn sentence(&self) -> String {
        let number = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        let invalid =
            if self.invalid == 0 { "all valid".to_owned() } else { format!("{} not valid", self.invalid) };
        let warnings = if self.warnings == 0 {
            String::new()
        } else {
            format!(", {}", number(self.warnings, "warning"))
        };
        let (documents, files) = (number(self.documents, "document"), number(self.files, "file"));
        format!("{documents} in {files}: {invalid}{warnings}")
    }
}
