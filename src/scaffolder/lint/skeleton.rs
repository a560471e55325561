//! The skeletons that steps name: are they there, do they parse, what do they name.

use super::Sheet;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::scaffolder::language::tree::{copied_by, is_binary};
use crate::scaffolder::language::{Dialect, EntryKind, Files, Folder, Language, LanguageError};
use crate::yaml::{Data, Node};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// What is known of the rendering of a skeleton.
struct Rules {
    language: Language,
    root: &'static str,
    /// Names of the values that the step gives; `None` when they are not listed.
    values: Option<BTreeSet<String>>,
    copied: Vec<String>,
    extension: Option<String>,
}

/// Looks at the skeleton of a step.
pub(super) fn check(sheet: &mut Sheet<'_>, step: &Node<'_>, action: &str) {
    let is_file = matches!(action, "fetch:plain:file" | "fetch:template:file");
    if !is_file && !matches!(action, "fetch:plain" | "fetch:template") {
        return;
    }
    let Some(input) = step.get("input") else { return };
    let Some(node) = input.get("url") else { return };
    let Some(url) = node.as_str() else { return };
    // Only what lies beside the template can be looked at
    if url.contains("://") || url.contains("${{") || url.contains("{%") {
        return;
    }
    let path = sheet.folder.join(url);
    let there = path.canonicalize().ok().filter(|path| if is_file { path.is_file() } else { path.is_dir() });
    let Some(there) = there else {
        let what = if is_file { "file" } else { "folder" };
        let message = format!("there is no {what} `{url}` beside the template");
        return sheet.add_node(Diagnostic::error("template::missing-skeleton", message), node);
    };
    if sheet.folder.canonicalize().is_ok_and(|folder| !there.starts_with(folder)) {
        let message = format!("`{url}` leads out of the folder of the template");
        return sheet.add_node(Diagnostic::error("template::missing-skeleton", message), node);
    }
    if action == "fetch:template" {
        let rules = rules(input);
        let shown = sheet.folder.join(url.trim_start_matches("./"));
        sheet.found.extend(folder(&there, &shown, &rules));
    } else if action == "fetch:template:file" {
        let rules = rules(input);
        let shown = sheet.folder.join(url.trim_start_matches("./"));
        let content = std::fs::read(&there).unwrap_or_default();
        sheet.found.extend(text(&String::from_utf8_lossy(&content), &shown, &rules));
    }
}

fn rules(input: &Node<'_>) -> Rules {
    let is_set = |name: &str| matches!(input.get(name).map(|node| &node.data), Some(Data::Bool(true)));
    let is_jinja = is_set("cookiecutterCompat");
    let values = match input.get("values").map(|values| &values.data) {
        None => Some(BTreeSet::new()),
        Some(Data::Mapping(entries)) => {
            Some(entries.iter().map(|(key, _)| key.key_text().into_owned()).collect())
        }
        Some(_) => None,
    };
    let copied = input.get("copyWithoutTemplating").and_then(Node::as_sequence).unwrap_or_default();
    let extension = match input.get("templateFileExtension").map(|node| &node.data) {
        Some(Data::Bool(true)) => Some(".njk".to_owned()),
        Some(Data::String(text)) if !text.is_empty() => Some(format!(".{}", text.trim_start_matches('.'))),
        _ => None,
    };
    Rules {
        language: Language::new(if is_jinja { Dialect::Cookiecutter } else { Dialect::Backstage }),
        root: if is_jinja { "cookiecutter" } else { "values" },
        values,
        copied: copied.iter().filter_map(|glob| glob.as_str().map(str::to_owned)).collect(),
        extension,
    }
}

fn folder(root: &Path, shown: &Path, rules: &Rules) -> Vec<Diagnostic> {
    let files = Folder::new(root);
    let unreadable = |message: String| {
        vec![
            Diagnostic::error("template::skeleton", message)
                .at(SourceLocation::file(shown.display().to_string())),
        ]
    };
    let entries = match files.entries() {
        Ok(entries) => entries,
        Err(error) => return unreadable(error.to_string()),
    };
    let copied = match copied_by(&rules.copied, &entries) {
        Ok(copied) => copied,
        Err(error) => return unreadable(error.to_string()),
    };
    let looked_at = entries.par_iter().zip(copied).flat_map_iter(|(entry, is_copied)| {
        let path = shown.join(&entry.path);
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let mut found = self::name(name, &path, rules);
        let renders = match &rules.extension {
            Some(extension) => entry.path.ends_with(extension.as_str()),
            None => !is_copied,
        };
        if renders && matches!(entry.kind, EntryKind::File { .. }) {
            match files.read(&entry.path) {
                Ok(content) if !is_binary(&content) => {
                    found.extend(text(&String::from_utf8_lossy(&content), &path, rules));
                }
                Ok(_) => {}
                Err(error) => {
                    let message = format!("could not be read: {error}");
                    found.push(
                        Diagnostic::error("template::skeleton", message)
                            .at(SourceLocation::file(path.display().to_string())),
                    );
                }
            }
        }
        found
    });
    looked_at.collect()
}

/// Looks at the name of a file or folder.
fn name(name: &str, path: &Path, rules: &Rules) -> Vec<Diagnostic> {
    let found = look(name, rules);
    let at = SourceLocation::file(path.display().to_string());
    found
        .into_iter()
        .map(|(diagnostic, _)| {
            let message = format!("in the name: {}", diagnostic.message);
            Diagnostic { message, ..diagnostic }.at(at.clone())
        })
        .collect()
}

fn text(text: &str, path: &Path, rules: &Rules) -> Vec<Diagnostic> {
    let shown = path.display().to_string();
    let found = look(text, rules).into_iter();
    found
        .map(|(diagnostic, (line, column))| {
            let snippet = text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
            diagnostic.at(SourceLocation::at(shown.as_str(), line, column)).snippet(snippet, 1, "")
        })
        .collect()
}

fn look(text: &str, rules: &Rules) -> Vec<(Diagnostic, (u32, u32))> {
    let made = |diagnostic: fn(&'static str, String) -> Diagnostic, code, error: LanguageError| {
        let place = (error.line, error.column);
        let hint = error.hint;
        let diagnostic = diagnostic(code, error.message);
        (if hint.is_empty() { diagnostic } else { diagnostic.hint(hint) }, place)
    };
    let inspection = match rules.language.inspect(text) {
        Ok(inspection) => inspection,
        Err(error) => return vec![made(Diagnostic::error, "template::expression", error)],
    };
    let mut found = Vec::new();
    found.extend(
        inspection
            .unknown
            .into_iter()
            .map(|error| made(Diagnostic::error, "template::unknown-filter", error)),
    );
    let dead = inspection.unreachable.into_iter();
    found.extend(dead.map(|error| made(Diagnostic::warning, "template::unreachable", error)));
    for used in inspection.names {
        let place = (used.line, used.column);
        let root = used.path.first().map_or("", String::as_str);
        if root != rules.root {
            let diagnostic = Diagnostic::error("template::undefined", format!("nothing defines `{root}`"));
            let hint = "put text that is meant literally between `{% raw %}` and `{% endraw %}`";
            found.push((diagnostic.hint(hint), place));
            continue;
        }
        let (Some(values), Some(field)) = (&rules.values, used.path.get(1)) else { continue };
        if !values.contains(field) {
            let message = format!("`{root}.{field}` has no value: the step gives no `{field}`");
            let near = crate::model::text::nearest(field, values.iter().map(String::as_str));
            let diagnostic = Diagnostic::error("template::undefined", message);
            let diagnostic = match near.first() {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None => diagnostic.hint("give it in `values` of the step"),
            };
            found.push((diagnostic, place));
        }
    }
    found
}
