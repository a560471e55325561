//! Finds the templates below a path.

use crate::cli::error::CliError;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::text::clean;
use std::path::{Path, PathBuf};

/// How deep folders are followed.
const DEEPEST: usize = 12;
/// Folders that hold other things than templates.
const SKIPPED: &[&str] = &["node_modules", "target", "skeleton", "skeletons", "content", "tests", "expected"];

/// Returns the files that hold a template, in order; a file that is named is one, whatever is in it.
///
/// # Errors
/// [`CliError::NotFound`] when there is none.
pub(super) fn templates(path: &Path) -> Result<Vec<PathBuf>, CliError> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    walk(path, 0, &mut found);
    if found.is_empty() {
        let shown = clean(&path.display().to_string()).into_owned();
        let message = if path.is_dir() {
            format!("there is no template below `{shown}`")
        } else {
            format!("there is no file or folder `{shown}`")
        };
        let diagnostic = Diagnostic::error("template::not-found", message).at(SourceLocation::file(shown));
        return Err(CliError::not_found(diagnostic.hint("a template is an entity with `kind: Template`")));
    }
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.map(|entry| (entry.file_name(), entry)).collect();
    entries.sort_by(|left, right| left.0.cmp(&right.0));
    for (name, entry) in entries {
        let name = name.to_string_lossy();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth < DEEPEST && !name.starts_with('.') && !SKIPPED.contains(&name.as_ref()) {
                walk(&entry.path(), depth + 1, found);
            }
        } else if (name.ends_with(".yaml") || name.ends_with(".yml")) && is_template(&entry.path()) {
            found.push(entry.path());
        }
    }
}

/// Cheap: the words must be in it.
fn is_template(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.contains("scaffolder.backstage.io") && text.lines().any(|line| line.trim_end() == "kind: Template")
}
