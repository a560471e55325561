//! `github:issues:create` and `github:issues:label`.

use super::super::forge::{
    Field, Kind, Outline, REPO_URL, TOKEN, Target, field, note_unknown, outputs, read, required,
};
use super::repository::{path, plain_text};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const CREATE_INPUT: &[Field] = &[
    REPO_URL,
    required("title", Kind::Text, "Title of the issue"),
    field("body", Kind::Text, "Its text"),
    field("assignees", Kind::Texts, "Users it is assigned to"),
    field("milestone", Kind::NumberOrText, "Number of its milestone"),
    field("labels", Kind::Texts, "Its labels"),
    TOKEN,
];

const CREATE_OUTPUT: &[Field] =
    &[field("issueUrl", Kind::Text, "Page of the issue"), field("issueNumber", Kind::Number, "Its number")];

/// Creates an issue.
pub const CREATE: Outline = Outline {
    id: "github:issues:create",
    about: "Creates an issue of a repository on GitHub.",
    input: &[CREATE_INPUT],
    output: &[CREATE_OUTPUT],
    effects: create_effects,
    foreseen: super::super::nothing_foreseen,
    run: create,
};

const LABEL_INPUT: &[Field] = &[
    REPO_URL,
    required("number", Kind::NumberOrText, "Number of the issue or pull request"),
    required("labels", Kind::Texts, "Labels that are added"),
    TOKEN,
];

/// Adds labels to an issue or pull request.
pub const LABEL: Outline = Outline {
    id: "github:issues:label",
    about: "Adds labels to an issue or pull request on GitHub.",
    input: &[LABEL_INPUT],
    output: &[],
    effects: label_effects,
    foreseen: super::super::nothing_foreseen,
    run: label,
};

/// Makes the action that creates an issue.
pub fn make_create() -> Arc<dyn Action> {
    CREATE.make()
}

/// Makes the action that adds labels.
pub fn make_label() -> Arc<dyn Action> {
    LABEL.make()
}

#[derive(Debug, Deserialize)]
struct Issue {
    title: String,
    body: Option<String>,
    assignees: Option<Vec<String>>,
    milestone: Option<Json>,
    labels: Option<Vec<String>>,
}

fn create_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, CREATE.id)?;
    let input: Issue = read(input)?;
    let mut details = vec![format!("title: {}", input.title)];
    for (what, names) in [("assignees", &input.assignees), ("labels", &input.labels)] {
        if let Some(names) = names.as_ref().filter(|names| !names.is_empty()) {
            details.push(format!("{what}: {}", names.join(", ")));
        }
    }
    Ok(vec![target.effect("create issue", details)])
}

fn create(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&CREATE, input, bench);
    let target = Target::of(input, bench, HostType::Github, CREATE.id)?;
    let input: Issue = read(input)?;
    let client = target.client(bench)?;
    let mut body = json!({
        "title": input.title, "body": input.body, "assignees": input.assignees,
        "milestone": input.milestone, "labels": input.labels,
    });
    if let Some(map) = body.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    let made = client
        .post(bench, &format!("{}/issues", path(&target.repo)?), &body)
        .map_err(|refusal| refusal.while_doing(&target.doing("create an issue")))?;
    Ok(outputs(json!({"issueUrl": made["html_url"], "issueNumber": made["number"]})))
}

#[derive(Debug, Deserialize)]
struct Labels {
    number: Json,
    labels: Vec<String>,
}

fn label_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, LABEL.id)?;
    let input: Labels = read(input)?;
    let details = vec![
        format!("number: {}", plain_text(&input.number)),
        format!("labels: {}", input.labels.join(", ")),
    ];
    Ok(vec![target.effect("add labels", details)])
}

fn label(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&LABEL, input, bench);
    let target = Target::of(input, bench, HostType::Github, LABEL.id)?;
    let input: Labels = read(input)?;
    let client = target.client(bench)?;
    let number = plain_text(&input.number);
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ActionError::new(format!("`{}` is no number of an issue", number.escape_debug())));
    }
    let at = format!("{}/issues/{number}/labels", path(&target.repo)?);
    client
        .post(bench, &at, &json!({"labels": input.labels}))
        .map_err(|refusal| refusal.while_doing(&target.doing(&format!("label issue {number}"))))?;
    Ok(outputs(json!({})))
}
