//! What belongs to a project on GitLab: `gitlab:projectVariable:create`, `gitlab:projectAccessToken:create`,
//! `gitlab:projectDeployToken:create`, `gitlab:pipeline:trigger`.
//!
//! Tokens that are made become outputs, as in the original; the engine masks them where they are secrets.

use super::super::forge::{
    Field, Kind, Outline, TOKEN, field, note_unknown, outputs, read, required, segment, text,
};
use super::publish::create_variable;
use super::{HOST_URL, Place};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

const PROJECT: &[Field] =
    &[HOST_URL, required("projectId", Kind::NumberOrText, "Number or path of the project"), TOKEN];

const VARIABLE_INPUT: &[Field] = &[
    required("key", Kind::Text, "Name of the variable"),
    required("value", Kind::Text, "Its value"),
    required("variableType", Kind::Text, "`env_var` or `file`"),
    field("variableProtected", Kind::Flag, "Only for protected branches").or("false"),
    field("masked", Kind::Flag, "Hidden in logs").or("false"),
    field("raw", Kind::Flag, "Not expanded").or("false"),
    field("environmentScope", Kind::Text, "For which environments").or("\"*\""),
];

/// Creates a variable.
pub const VARIABLE: Outline = Outline {
    id: "gitlab:projectVariable:create",
    about: "Creates a variable of a project on GitLab.",
    input: &[PROJECT, VARIABLE_INPUT],
    output: &[],
    effects: |input, bench| named_effect(input, bench, VARIABLE.id, "create variable", "key"),
    foreseen: super::super::nothing_foreseen,
    run: variable,
};

const ACCESS_INPUT: &[Field] = &[
    field("name", Kind::Text, "Name of the token").or("\"tokenname\""),
    field("accessLevel", Kind::Number, "10 guest, 20 reporter, 30 developer, 40 maintainer, 50 owner")
        .or("40"),
    field("scopes", Kind::Texts, "What it may do").or("[\"read_repository\"]"),
    field("expiresAt", Kind::Text, "Last day, `YYYY-MM-DD`; absent: in a year"),
];

/// Creates an access token.
pub const ACCESS: Outline = Outline {
    id: "gitlab:projectAccessToken:create",
    about: "Creates an access token of a project on GitLab.",
    input: &[PROJECT, ACCESS_INPUT],
    output: &[&[field("access_token", Kind::Text, "The token")]],
    effects: |input, bench| named_effect(input, bench, ACCESS.id, "create access token", "name"),
    foreseen: super::super::nothing_foreseen,
    run: access_token,
};

const DEPLOY_INPUT: &[Field] = &[
    required("name", Kind::Text, "Name of the token"),
    field("username", Kind::Text, "Name of the user that goes with it"),
    required("scopes", Kind::Texts, "What it may do"),
];

/// Creates a deploy token.
pub const DEPLOY: Outline = Outline {
    id: "gitlab:projectDeployToken:create",
    about: "Creates a deploy token of a project on GitLab.",
    input: &[PROJECT, DEPLOY_INPUT],
    output: &[&[field("deploy_token", Kind::Text, "The token"), field("user", Kind::Text, "Its user")]],
    effects: |input, bench| named_effect(input, bench, DEPLOY.id, "create deploy token", "name"),
    foreseen: super::super::nothing_foreseen,
    run: deploy_token,
};

const PIPELINE_INPUT: &[Field] = &[
    required("tokenDescription", Kind::Text, "What the trigger token is called, which is deleted afterwards"),
    required("branch", Kind::Text, "Branch that it runs on"),
    field("variables", Kind::Map, "Variables of the pipeline"),
];

/// Starts a pipeline.
pub const PIPELINE: Outline = Outline {
    id: "gitlab:pipeline:trigger",
    about: "Starts a pipeline of a project on GitLab.",
    input: &[PROJECT, PIPELINE_INPUT],
    output: &[&[field("pipelineUrl", Kind::Text, "Page of the pipeline")]],
    effects: |input, bench| named_effect(input, bench, PIPELINE.id, "run pipeline", "branch"),
    foreseen: super::super::nothing_foreseen,
    run: pipeline,
};

/// Makes the action for variables.
pub fn make_variable() -> Arc<dyn Action> {
    VARIABLE.make()
}

/// Makes the action for access tokens.
pub fn make_access() -> Arc<dyn Action> {
    ACCESS.make()
}

/// Makes the action for deploy tokens.
pub fn make_deploy() -> Arc<dyn Action> {
    DEPLOY.make()
}

/// Makes the action for pipelines.
pub fn make_pipeline() -> Arc<dyn Action> {
    PIPELINE.make()
}

fn named_effect(
    input: &Value,
    bench: &dyn Workbench,
    id: &str,
    what: &str,
    field: &str,
) -> Result<Vec<SideEffect>, ActionError> {
    let place = Place::of(input, bench, id)?;
    let name = input.get_attr(field).ok().and_then(|name| name.as_str().map(str::to_owned));
    Ok(vec![place.effect(what, name.map(|name| format!("{field}: {name}")).into_iter().collect())])
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewVariable {
    key: String,
    value: String,
    variable_type: String,
    variable_protected: Option<bool>,
    masked: Option<bool>,
    raw: Option<bool>,
    environment_scope: Option<String>,
}

fn variable(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&VARIABLE, input, bench);
    let place = Place::of(input, bench, VARIABLE.id)?;
    let input: NewVariable = read(input)?;
    let client = place.client(bench)?;
    let body = json!({
        "key": input.key, "value": input.value, "variable_type": input.variable_type,
        "protected": input.variable_protected.unwrap_or(false), "masked": input.masked.unwrap_or(false),
        "raw": input.raw.unwrap_or(false), "environment_scope": input.environment_scope.as_deref().unwrap_or("*"),
    });
    create_variable(bench, &client, &place.at, body.as_object().unwrap_or(&Map::new()))?;
    Ok(outputs(json!({})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NewToken {
    name: Option<String>,
    access_level: Option<f64>,
    scopes: Option<Vec<String>>,
    expires_at: Option<String>,
}

fn access_token(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&ACCESS, input, bench);
    let place = Place::of(input, bench, ACCESS.id)?;
    let input: NewToken = read(input)?;
    let client = place.client(bench)?;
    // GitLab takes at most a year
    let in_a_year = || jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(365)).to_string();
    let body = json!({
        "name": input.name.as_deref().unwrap_or("tokenname"),
        "access_level": input.access_level.unwrap_or(40.0) as i64,
        "scopes": input.scopes.unwrap_or_else(|| vec!["read_repository".to_owned()]),
        "expires_at": input.expires_at.filter(|day| !day.is_empty()).unwrap_or_else(in_a_year),
    });
    let made = client
        .post(bench, &format!("{}/access_tokens", place.at), &body)
        .map_err(|refusal| refusal.while_doing(&place.doing("create an access token")))?;
    Ok(outputs(json!({"access_token": text(&made, "/token", &client.host)?})))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deploy {
    name: String,
    username: Option<String>,
    scopes: Vec<String>,
}

fn deploy_token(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&DEPLOY, input, bench);
    let place = Place::of(input, bench, DEPLOY.id)?;
    let input: Deploy = read(input)?;
    if input.scopes.is_empty() {
        return Err(ActionError::new(format!(
            "Could not create token for project \"{}\": scopes cannot be empty.",
            place.project
        )));
    }
    let client = place.client(bench)?;
    let mut body = json!({"name": input.name, "scopes": input.scopes});
    if let Some(name) = input.username.filter(|name| !name.is_empty()) {
        body["username"] = json!(name);
    }
    let made = client
        .post(bench, &format!("{}/deploy_tokens", place.at), &body)
        .map_err(|refusal| refusal.while_doing(&place.doing("create a deploy token")))?;
    Ok(outputs(json!({"deploy_token": text(&made, "/token", &client.host)?, "user": made["username"]})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pipeline {
    token_description: String,
    branch: String,
    variables: Option<Map<String, Json>>,
}

fn pipeline(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&PIPELINE, input, bench);
    let place = Place::of(input, bench, PIPELINE.id)?;
    let input: Pipeline = read(input)?;
    let client = place.client(bench)?;
    let doing = place.doing("run a pipeline");
    let trigger = client
        .post(bench, &format!("{}/triggers", place.at), &json!({"description": input.token_description}))
        .map_err(|refusal| refusal.while_doing(&doing))?;
    let mut body = json!({"ref": input.branch, "token": trigger["token"]});
    if let Some(variables) = &input.variables {
        body["variables"] = json!(variables);
    }
    let run = client.post(bench, &format!("{}/trigger/pipeline", place.at), &body);
    // it is of no use afterwards, whatever came of it
    if let Some(id) = trigger["id"].as_i64() {
        let at = format!("{}/triggers/{id}", place.at);
        if let Err(refusal) = client.call(bench, Method::DELETE, &at, None) {
            bench.warn(&format!(
                "Failed to delete pipeline trigger token with token id: {id}: {}",
                refusal.error
            ));
        }
    }
    let run = run.map_err(|refusal| refusal.while_doing(&doing))?;
    bench.log(&format!("pipeline of branch {} started", segment(&input.branch)));
    Ok(outputs(json!({"pipelineUrl": run["web_url"]})))
}
