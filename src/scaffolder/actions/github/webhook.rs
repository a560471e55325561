//! `github:webhook`: lets GitHub tell a server about events.

use super::super::forge::{
    Field, Kind, Outline, REPO_URL, TOKEN, Target, field, note_unknown, outputs, read, required,
};
use super::repository::path;
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    required("webhookUrl", Kind::Text, "Address that is told"),
    field("webhookSecret", Kind::Text, "Secret that signs what is sent"),
    field("events", Kind::Texts, "Events it is told about").or("[\"push\"]"),
    field("active", Kind::Flag, "Whether it is told").or("true"),
    field("contentType", Kind::Choice(&["form", "json"]), "Form of what is sent").or("\"form\""),
    field("insecureSsl", Kind::Flag, "Do not check the certificate of the server").or("false"),
    TOKEN,
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "github:webhook",
    about: "Creates a webhook of a repository on GitHub.",
    input: &[INPUT],
    output: &[],
    effects,
    foreseen: super::super::nothing_foreseen,
    run,
};

/// Makes the action.
pub fn make() -> Arc<dyn Action> {
    OUTLINE.make()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    webhook_url: String,
    webhook_secret: Option<String>,
    events: Option<Vec<String>>,
    active: Option<bool>,
    content_type: Option<String>,
    insecure_ssl: Option<bool>,
}

impl Input {
    fn events(&self) -> Vec<String> {
        self.events.clone().unwrap_or_else(|| vec!["push".to_owned()])
    }
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, OUTLINE.id)?;
    let input: Input = read(input)?;
    let details =
        vec![format!("address: {}", input.webhook_url), format!("events: {}", input.events().join(", "))];
    Ok(vec![target.effect("create webhook", details)])
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&OUTLINE, input, bench);
    let target = Target::of(input, bench, HostType::Github, OUTLINE.id)?;
    let input: Input = read(input)?;
    let client = target.client(bench)?;
    let mut config = json!({
        "url": input.webhook_url,
        "content_type": input.content_type.as_deref().unwrap_or("form"),
        "insecure_ssl": if input.insecure_ssl == Some(true) { "1" } else { "0" },
    });
    if let Some(secret) = input.webhook_secret.as_ref().filter(|secret| !secret.is_empty()) {
        config["secret"] = json!(secret);
    }
    let body = json!({"config": config, "events": input.events(), "active": input.active.unwrap_or(true)});
    client
        .post(bench, &format!("{}/hooks", path(&target.repo)?), &body)
        .map_err(|refusal| refusal.while_doing(&target.doing("create a webhook")))?;
    bench.log(&format!("Webhook '{}' created successfully", input.webhook_url));
    Ok(outputs(json!({})))
}
