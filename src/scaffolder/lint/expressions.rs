//! Expressions in the descriptor: filters that do not exist, names that nothing defines, dead parts.

use super::{Sheet, inside};
use crate::diagnostic::Diagnostic;
use crate::scaffolder::language::{Dialect, Inspection, Language, LanguageError, Use};
use crate::yaml::{Data, Node, Position};
use std::collections::BTreeMap;

/// What expressions at a place can name.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    /// Ids of steps with their outputs, where these are known.
    pub(super) before: BTreeMap<String, Option<Vec<String>>>,
    /// Ids of this step and of those that follow.
    pub(super) later: Vec<String>,
    /// `each` is there.
    pub(super) has_each: bool,
    /// `secrets` is there.
    pub(super) has_secrets: bool,
}

/// Looks at all texts in a node.
pub(super) fn check(sheet: &mut Sheet<'_>, node: &Node<'_>, reach: &Reach) {
    match &node.data {
        Data::String(text) => self::text(sheet, node, text, reach),
        Data::Sequence(items) => items.iter().for_each(|item| check(sheet, item, reach)),
        Data::Mapping(entries) => entries.iter().for_each(|(_, value)| check(sheet, value, reach)),
        _ => {}
    }
}

fn text(sheet: &mut Sheet<'_>, node: &Node<'_>, text: &str, reach: &Reach) {
    let inspection = match Language::new(Dialect::Backstage).inspect(text) {
        Ok(inspection) => inspection,
        Err(error) => return add(sheet, node, "template::expression", &error, true),
    };
    let Inspection { names, unknown, unreachable } = inspection;
    for error in &unknown {
        add(sheet, node, "template::unknown-filter", error, true);
    }
    for error in &unreachable {
        add(sheet, node, "template::unreachable", error, false);
    }
    for used in &names {
        if let Some(diagnostic) = undefined(sheet, used, reach, text) {
            let at = inside(sheet.source, node, used.line, used.column);
            sheet.add(diagnostic, at, used.path.first().map_or(1, |name| name.chars().count() as u32));
        }
    }
}

fn add(sheet: &mut Sheet<'_>, node: &Node<'_>, code: &'static str, error: &LanguageError, is_error: bool) {
    let at: Position = inside(sheet.source, node, error.line, error.column);
    let message = error.message.clone();
    let diagnostic =
        if is_error { Diagnostic::error(code, message) } else { Diagnostic::warning(code, message) };
    let diagnostic = if error.hint.is_empty() { diagnostic } else { diagnostic.hint(error.hint.clone()) };
    sheet.add(diagnostic, at, 1);
}

/// Says why a name has no value.
fn undefined(sheet: &Sheet<'_>, used: &Use, reach: &Reach, text: &str) -> Option<Diagnostic> {
    let error = |message: String| Diagnostic::error("template::undefined", message);
    let name = |index: usize| used.path.get(index).map(String::as_str);
    let nearest = |diagnostic: Diagnostic, wrong: &str, known: Vec<&str>| match crate::model::text::nearest(
        wrong, known,
    )
    .first()
    {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    let root = name(0)?;
    match root {
        "parameters" => {
            let field = name(1)?;
            let is_known =
                sheet.parameters.contains(field) || sheet.parameters.is_empty() && field == "length";
            if is_known {
                return None;
            }
            let diagnostic =
                error(format!("`parameters.{field}` has no value: the form has no field `{field}`"));
            Some(nearest(diagnostic, field, sheet.parameters.iter().map(String::as_str).collect()))
        }
        "steps" => {
            let id = name(1)?;
            let Some(outputs) = reach.before.get(id) else {
                if reach.later.iter().any(|later| later == id) {
                    return Some(error(format!(
                        "`steps.{id}` has no value here: that step is not done before"
                    )));
                }
                let hyphened = reach
                    .before
                    .keys()
                    .find(|known| known.starts_with(&format!("{id}-")) && text.contains(known.as_str()));
                let diagnostic =
                    error(format!("`steps.{id}` has no value: there is no step with the id `{id}`"));
                return Some(match hyphened {
                    Some(known) => diagnostic.hint(format!("write `steps['{known}']`; `-` is a minus")),
                    None => nearest(diagnostic, id, reach.before.keys().map(String::as_str).collect()),
                });
            };
            if name(2).is_some_and(|field| field != "output") {
                let field = name(2).unwrap_or_default();
                return Some(
                    error(format!("`steps.{id}.{field}` has no value"))
                        .hint(format!("write `steps['{id}'].output`")),
                );
            }
            let field = name(3)?;
            let outputs = outputs.as_ref()?;
            if outputs.iter().any(|known| known == field) {
                return None;
            }
            let diagnostic =
                error(format!("`steps.{id}.output.{field}` has no value: the action gives no `{field}`"));
            Some(nearest(diagnostic, field, outputs.iter().map(String::as_str).collect()))
        }
        "user" | "context" | "environment" => None,
        "each" if reach.has_each => None,
        "each" => Some(error("`each` has no value: the step has no `each`".to_owned())),
        "secrets" if reach.has_secrets => None,
        "secrets" => {
            Some(error("`secrets` has no value here: only the inputs of steps get secrets".to_owned()))
        }
        _ if reach
            .before
            .keys()
            .any(|id| id.ends_with(&format!("-{root}")) && text.contains(id.as_str())) =>
        {
            let id = reach
                .before
                .keys()
                .find(|id| id.ends_with(&format!("-{root}")) && text.contains(id.as_str()))?;
            Some(
                error(format!("nothing defines `{root}`"))
                    .hint(format!("write `steps['{id}']`; `-` is a minus")),
            )
        }
        _ => {
            let known = vec!["parameters", "steps", "user", "each", "secrets", "context", "environment"];
            Some(nearest(error(format!("nothing defines `{root}`")), root, known))
        }
    }
}
