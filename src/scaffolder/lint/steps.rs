//! The steps: ids, actions, inputs, conditions, what they name, and the output at the end.

use super::expressions::{self, Reach};
use super::{Sheet, missing, shown, skeleton, unknown_key};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Data, Node, Position};
use std::collections::BTreeMap;

/// Looks at `spec.steps` and `spec.output`.
pub(super) fn check(sheet: &mut Sheet<'_>, spec: &Node<'_>) {
    let Some(node) = spec.get("steps") else {
        return missing(sheet, "spec.steps", spec);
    };
    let Some(steps) = node.as_sequence() else {
        let message = format!("`spec.steps` is {}, not a list", node.type_name());
        return sheet.add_node(Diagnostic::error("template::steps", message), node);
    };
    let ids: Vec<String> = steps.iter().zip(1..).map(id).collect();
    let mut reach = Reach { has_secrets: true, ..Reach::default() };
    let mut seen: BTreeMap<&str, Position> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        reach.later = ids.get(index..).unwrap_or_default().to_vec();
        self::step(sheet, step, &reach);
        let Some(id) = ids.get(index) else { continue };
        if let Some(first) = seen.insert(id, step.start) {
            let message = format!("the id `{id}` is taken by the step at {}", shown(sheet.file, first));
            sheet.add_node(
                Diagnostic::error("template::duplicate-id", message),
                step.get("id").unwrap_or(step),
            );
        }
        let outputs =
            step.get("action").and_then(Node::as_str).and_then(|action| sheet.actions.outputs(action));
        reach.before.insert(id.clone(), outputs);
    }
    if let Some(output) = spec.get("output") {
        let reach = Reach { later: Vec::new(), has_secrets: false, ..reach };
        expressions::check(sheet, output, &reach);
    }
}

fn id((step, number): (&Node<'_>, usize)) -> String {
    let id = step.get("id").and_then(Node::as_str).filter(|id| !id.is_empty());
    id.map_or_else(|| format!("step-{number}"), str::to_owned)
}

fn step(sheet: &mut Sheet<'_>, step: &Node<'_>, reach: &Reach) {
    let Some(entries) = step.as_mapping() else {
        let message = format!("a step is {}, not an object", step.type_name());
        return sheet.add_node(Diagnostic::error("template::steps", message), step);
    };
    // A step of its own file is looked at when that file is
    if entries.iter().any(|(key, _)| key.key_text().starts_with('$')) {
        return;
    }
    for (key, _) in entries {
        unknown_key(
            sheet,
            key,
            "step",
            &["id", "name", "action", "input", "if", "each", "continueOnFailure"],
        );
    }
    let has_each = step.get("each").is_some_and(|each| !each.is_null());
    conditions(sheet, step, reach, has_each);
    let inner = Reach { has_each, ..reach.clone() };
    if let Some(input) = step.get("input") {
        expressions::check(sheet, input, &inner);
    }
    let Some(node) = step.get("action") else {
        return missing(sheet, "action", step);
    };
    let Some(action) = node.as_str().filter(|action| !action.is_empty()) else {
        return sheet
            .add_node(Diagnostic::error("template::action", "`action` is not the id of an action"), node);
    };
    if sheet.actions.has(action) {
        inputs(sheet, step, node, action);
        skeleton::check(sheet, step, action);
        return;
    }
    let diagnostic = Diagnostic::error("template::unknown-action", format!("there is no action `{action}`"));
    let near = sheet.actions.near(action);
    let diagnostic = match near.as_slice() {
        [] => diagnostic.hint("a run is refused; a dry run leaves the step out"),
        near => diagnostic.hint(format!("did you mean `{}`?", near.join("`, `"))),
    };
    sheet.add_node(diagnostic, node);
}

fn conditions(sheet: &mut Sheet<'_>, step: &Node<'_>, reach: &Reach, has_each: bool) {
    let never = |message: &str| Diagnostic::warning("template::unreachable", message);
    if let Some(condition) = step.get("if") {
        let text = condition.as_str().map(|text| text.replace(' ', ""));
        let is_never = matches!(condition.data, Data::Bool(false))
            || matches!(text.as_deref(), Some("" | "${{false}}" | "${{''}}" | "${{0}}" | "${{null}}"));
        if is_never {
            sheet.add_node(never("the step is never done: its `if` never holds"), condition);
        }
        let reach = Reach { has_each, has_secrets: has_each, ..reach.clone() };
        expressions::check(sheet, condition, &reach);
    }
    let Some(each) = step.get("each") else { return };
    let text = each.as_str().map(|text| text.replace(' ', ""));
    let is_empty = each.as_sequence().is_some_and(<[_]>::is_empty)
        || each.as_mapping().is_some_and(<[_]>::is_empty)
        || matches!(text.as_deref(), Some("${{[]}}" | "${{{}}}"));
    if is_empty {
        sheet.add_node(never("the step is never done: its `each` is empty"), each);
    }
    expressions::check(sheet, each, reach);
}

/// Inputs that the action needs, and those that it does not know.
fn inputs(sheet: &mut Sheet<'_>, step: &Node<'_>, at: &Node<'_>, action: &str) {
    let given = step.get("input").and_then(Node::as_mapping).unwrap_or_default();
    // A whole expression may give anything
    if step.get("input").is_some_and(|input| input.as_str().is_some()) {
        return;
    }
    for name in sheet.actions.required(action) {
        if !given.iter().any(|(key, _)| key.key_text() == name) {
            let message = format!("`{action}` needs the input `{name}`");
            sheet.add_node(Diagnostic::error("template::input", message), step.get("input").unwrap_or(at));
        }
    }
    if let Some(known) = sheet.actions.inputs(action) {
        for (key, _) in given {
            let written = key.key_text().into_owned();
            if written == "copyWithoutRender" {
                let message = "`copyWithoutRender` is no longer read, so these files are rendered";
                let diagnostic =
                    Diagnostic::warning("template::input", message).hint("write `copyWithoutTemplating`");
                sheet.add_node(diagnostic, key);
            } else if !known.contains(&written) {
                // Inputs that only newer versions know are left alone; slips are not
                let near = crate::model::text::nearest(&written, known.iter().map(String::as_str));
                let Some(near) = near.first() else { continue };
                let message = format!("`{action}` takes no input `{written}`");
                let diagnostic =
                    Diagnostic::warning("template::input", message).hint(format!("did you mean `{near}`?"));
                sheet.add_node(diagnostic, key);
            }
        }
    }
}
