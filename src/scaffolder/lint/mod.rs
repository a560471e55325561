//! What is wrong with a template, without running it.
//!
//! Start at [`lint`]. It looks at the descriptor (shape, steps, actions, expressions, the form) and at the
//! skeletons that its steps name. Pure but for reading these skeletons, which must lie below the template.

mod expressions;
mod form;
mod skeleton;
mod steps;

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::yaml::{Node, Position, Source};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What lint needs to know of the actions there are.
pub trait Actions {
    /// Returns whether there is such an action.
    fn has(&self, id: &str) -> bool;
    /// Returns the ids that look most like a wrong one.
    fn near(&self, id: &str) -> Vec<String>;
    /// Returns the names of its outputs, if they are known and final.
    fn outputs(&self, id: &str) -> Option<Vec<String>>;
    /// Returns the names of the inputs it needs.
    fn required(&self, id: &str) -> Vec<String>;
    /// Returns the names of the inputs it takes, if they are known and final.
    fn inputs(&self, id: &str) -> Option<Vec<String>>;
}

/// A descriptor that is looked at.
pub(super) struct Sheet<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) file: &'a Arc<str>,
    pub(super) folder: &'a Path,
    pub(super) actions: &'a dyn Actions,
    pub(super) found: Vec<Diagnostic>,
    /// Names of the form's fields.
    pub(super) parameters: BTreeSet<String>,
}

impl Sheet<'_> {
    /// Adds what is wrong at a node.
    pub(super) fn add(&mut self, diagnostic: Diagnostic, at: Position, width: u32) {
        let line = self.source.line(at.line).to_owned();
        self.found.push(diagnostic.at(at.location(self.file)).snippet(line, width.max(1), ""));
    }

    /// Adds what is wrong at a node.
    pub(super) fn add_node(&mut self, diagnostic: Diagnostic, node: &Node<'_>) {
        self.add(diagnostic, node.start, node.width);
    }
}

/// Looks at a template; `text` is the file that `node`, its document, was read from.
pub fn lint(
    source: &Source<'_>,
    file: &Arc<str>,
    folder: &Path,
    template: &Node<'_>,
    actions: &dyn Actions,
) -> Vec<Diagnostic> {
    let mut sheet = Sheet { source, file, folder, actions, found: Vec::new(), parameters: BTreeSet::new() };
    shape(&mut sheet, template);
    if let Some(spec) = template.get("spec") {
        form::check(&mut sheet, spec);
        steps::check(&mut sheet, spec);
    }
    let mut found = sheet.found;
    found.sort_by(|left, right| {
        left.location.cmp(&right.location).then_with(|| left.message.cmp(&right.message))
    });
    found.dedup();
    found
}

/// Looks at what every template has.
fn shape(sheet: &mut Sheet<'_>, template: &Node<'_>) {
    let version = template.get("apiVersion");
    match version.and_then(Node::as_str) {
        Some("scaffolder.backstage.io/v1beta3") => {}
        written => {
            let shown = written
                .map_or("no `apiVersion`".to_owned(), |written| format!("the `apiVersion` `{written}`"));
            let message = format!("a template has {shown}, which nobody runs");
            let diagnostic = Diagnostic::error("template::api-version", message)
                .hint("write `apiVersion: scaffolder.backstage.io/v1beta3`");
            sheet.add_node(diagnostic, version.unwrap_or(template));
        }
    }
    let name = template.get("metadata").and_then(|metadata| metadata.get("name"));
    if name.and_then(Node::as_str).is_none_or(str::is_empty) {
        missing(sheet, "metadata.name", template.get("metadata").unwrap_or(template));
    }
    let Some(spec) = template.get("spec") else {
        return missing(sheet, "spec", template);
    };
    if spec.get("type").and_then(Node::as_str).is_none_or(str::is_empty) {
        missing(sheet, "spec.type", spec);
    }
    for (key, _) in spec.as_mapping().unwrap_or_default() {
        let known = [
            "type",
            "owner",
            "lifecycle",
            "parameters",
            "steps",
            "output",
            "secrets",
            "presentation",
            "formDecorators",
            "EXPERIMENTAL_recovery",
            "EXPERIMENTAL_formDecorators",
            "system",
            "profile",
        ];
        unknown_key(sheet, key, "spec", &known);
    }
}

/// Says that something is not there.
pub(super) fn missing(sheet: &mut Sheet<'_>, field: &str, at: &Node<'_>) {
    sheet.add_node(Diagnostic::error("template::missing", format!("`{field}` is missing")), at);
}

/// Warns of a key that nobody reads.
pub(super) fn unknown_key(sheet: &mut Sheet<'_>, key: &Node<'_>, owner: &str, known: &[&str]) {
    let written = key.key_text().into_owned();
    if known.contains(&written.as_str()) || written.starts_with("backstage:") || written.starts_with('$') {
        return;
    }
    let diagnostic =
        Diagnostic::warning("template::unknown-key", format!("nobody reads `{owner}.{written}`"));
    let near = crate::model::text::nearest(&written, known.iter().copied());
    let diagnostic = match near.first() {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    sheet.add_node(diagnostic, key);
}

/// Returns where a place in the text of a scalar is in the file.
pub(super) fn inside(source: &Source<'_>, scalar: &Node<'_>, line: u32, column: u32) -> Position {
    let first = source.line(scalar.start.line);
    let opening = first.chars().nth(scalar.start.column.saturating_sub(1) as usize);
    match opening {
        Some('|' | '>') => {
            let line = scalar.start.line + line;
            let indent = source.line(line).chars().take_while(|c| *c == ' ').count() as u32;
            let own = source.line(scalar.start.line + 1).chars().take_while(|c| *c == ' ').count() as u32;
            Position { line, column: own.min(indent) + column }
        }
        Some('"' | '\'') if line == 1 => Position { column: scalar.start.column + column, ..scalar.start },
        _ if line == 1 => Position { column: scalar.start.column + column - 1, ..scalar.start },
        // The text of a block starts in the line below its sign; all its lines are indented alike
        _ => {
            let indent = first.chars().take_while(|c| *c == ' ').count() as u32;
            Position { line: scalar.start.line + line - 1, column: indent + column }
        }
    }
}

/// Returns a location as text, for messages about other places.
pub(super) fn shown(file: &Arc<str>, at: Position) -> String {
    SourceLocation::at(file.clone(), at.line, at.column).to_string()
}

#[cfg(test)]
mod tests;
