//! `gitlab:issues:create` and `gitlab:issue:edit`.

use super::super::forge::{Field, Kind, Outline, TOKEN, field, note_unknown, outputs, read, required};
use super::{HOST_URL, Place};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

const TYPES: Kind = Kind::Choice(&["issue", "incident", "test_case", "task"]);

const SHARED: &[Field] = &[
    HOST_URL,
    required("projectId", Kind::NumberOrText, "Number or path of the project"),
    field("assignees", Kind::Any, "Numbers of the users it is assigned to"),
    field("confidential", Kind::Flag, "For members alone").or("false"),
    field("description", Kind::Text, "Its text"),
    field("dueDate", Kind::Text, "When it is due"),
    field("epicId", Kind::Number, "Number of its epic"),
    field("issueType", TYPES, "What it is"),
    field("labels", Kind::Text, "Labels, with commas between them"),
    field("milestoneId", Kind::Number, "Number of its milestone"),
    field("weight", Kind::Number, "Its weight"),
    TOKEN,
];

const CREATE_INPUT: &[Field] = &[
    required("title", Kind::Text, "Title of the issue"),
    field("createdAt", Kind::Text, "When it was created"),
    field("discussionToResolve", Kind::Text, "Discussion that it resolves"),
    field("mergeRequestToResolveDiscussionsOf", Kind::Number, "Merge request whose discussions it resolves"),
];

const EDIT_INPUT: &[Field] = &[
    required("issueIid", Kind::Number, "Number of the issue in its project"),
    field("title", Kind::Text, "Title of the issue"),
    field("addLabels", Kind::Text, "Labels that are added"),
    field("removeLabels", Kind::Text, "Labels that are taken off"),
    field("discussionLocked", Kind::Flag, "Members alone may comment").or("false"),
    field("stateEvent", Kind::Choice(&["close", "reopen"]), "Close it or open it again"),
    field("updatedAt", Kind::Text, "When it was changed"),
];

const CREATE_OUTPUT: &[Field] = &[
    field("issueUrl", Kind::Text, "Page of the issue"),
    field("issueId", Kind::Number, "Its number on the host"),
    field("issueIid", Kind::Number, "Its number in the project"),
];

const EDIT_OUTPUT: &[Field] = &[
    field("projectId", Kind::Number, "Number of the project"),
    field("state", Kind::Text, "Whether it is open"),
    field("title", Kind::Text, "Its title"),
    field("updatedAt", Kind::Text, "When it was changed"),
];

/// Creates an issue.
pub const CREATE: Outline = Outline {
    id: "gitlab:issues:create",
    about: "Creates an issue of a project on GitLab.",
    input: &[SHARED, CREATE_INPUT],
    output: &[CREATE_OUTPUT],
    effects: create_effects,
    foreseen: super::super::nothing_foreseen,
    run: create,
};

/// Changes an issue.
pub const EDIT: Outline = Outline {
    id: "gitlab:issue:edit",
    about: "Changes an issue of a project on GitLab.",
    input: &[SHARED, EDIT_INPUT],
    output: &[CREATE_OUTPUT, EDIT_OUTPUT],
    effects: edit_effects,
    foreseen: super::super::nothing_foreseen,
    run: edit,
};

/// Makes the action that creates.
pub fn make_create() -> Arc<dyn Action> {
    CREATE.make()
}

/// Makes the action that changes.
pub fn make_edit() -> Arc<dyn Action> {
    EDIT.make()
}

/// Names of inputs and what GitLab calls them.
const NAMES: &[(&str, &str)] = &[
    ("title", "title"),
    ("description", "description"),
    ("assignees", "assignee_ids"),
    ("confidential", "confidential"),
    ("dueDate", "due_date"),
    ("epicId", "epic_id"),
    ("issueType", "issue_type"),
    ("labels", "labels"),
    ("milestoneId", "milestone_id"),
    ("weight", "weight"),
    ("createdAt", "created_at"),
    ("discussionToResolve", "discussion_to_resolve"),
    ("mergeRequestToResolveDiscussionsOf", "merge_request_to_resolve_discussions_of"),
    ("addLabels", "add_labels"),
    ("removeLabels", "remove_labels"),
    ("discussionLocked", "discussion_locked"),
    ("stateEvent", "state_event"),
    ("updatedAt", "updated_at"),
];

fn body(input: &Map<String, Json>) -> Json {
    let given = |name: &str| input.get(name).filter(|value| !value.is_null()).cloned();
    let body: Map<String, Json> =
        NAMES.iter().filter_map(|(ours, theirs)| Some(((*theirs).to_owned(), given(ours)?))).collect();
    Json::Object(body)
}

fn create_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let place = Place::of(input, bench, CREATE.id)?;
    let title = input.get_attr("title").unwrap_or_default();
    Ok(vec![place.effect("create issue", vec![format!("title: {title}")])])
}

fn create(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&CREATE, input, bench);
    let place = Place::of(input, bench, CREATE.id)?;
    let fields: Map<String, Json> = read(input)?;
    let client = place.client(bench)?;
    let made = client
        .post(bench, &format!("{}/issues", place.at), &body(&fields))
        .map_err(|refusal| refusal.while_doing(&place.doing("create an issue")))?;
    Ok(outputs(json!({"issueUrl": made["web_url"], "issueId": made["id"], "issueIid": made["iid"]})))
}

fn edit_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let place = Place::of(input, bench, EDIT.id)?;
    let number = input.get_attr("issueIid").unwrap_or_default();
    Ok(vec![place.effect("change issue", vec![format!("issue: {number}")])])
}

fn edit(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&EDIT, input, bench);
    let place = Place::of(input, bench, EDIT.id)?;
    let fields: Map<String, Json> = read(input)?;
    let client = place.client(bench)?;
    let number = fields.get("issueIid").and_then(Json::as_i64).unwrap_or_default();
    let made = client
        .put(bench, &format!("{}/issues/{number}", place.at), &body(&fields))
        .map_err(|refusal| refusal.while_doing(&place.doing(&format!("change issue {number}"))))?;
    Ok(outputs(json!({
        "issueUrl": made["web_url"], "issueId": made["id"], "issueIid": made["iid"],
        "projectId": made["project_id"], "state": made["state"], "title": made["title"],
        "updatedAt": made["updated_at"],
    })))
}
