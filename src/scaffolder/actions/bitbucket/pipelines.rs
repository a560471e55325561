//! `bitbucket:pipelines:run`: starts a pipeline of Bitbucket Cloud.

use super::super::forge::Client;
use super::super::forge::{
    Field, Kind, Outline, TOKEN, effect, field, note_unknown, outputs, read, required, segment,
};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use crate::scaffolder::integrations::Integration;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const INPUT: &[Field] = &[
    required("workspace", Kind::Text, "The workspace"),
    required("repo_slug", Kind::Text, "The repository"),
    field("body", Kind::Map, "What is started, in the form of the interface of Bitbucket"),
    TOKEN,
];

const OUTPUT: &[Field] = &[
    field("buildNumber", Kind::Number, "Number of the build"),
    field("repoUrl", Kind::Text, "Page of the repository"),
    field("repoContentsUrl", Kind::Text, "Page of the repository"),
    field("pipelinesUrl", Kind::Text, "Page of its pipelines"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "bitbucket:pipelines:run",
    about: "Starts a pipeline of a repository on Bitbucket Cloud.",
    input: &[INPUT],
    output: &[OUTPUT],
    effects,
    foreseen: super::super::nothing_foreseen,
    run,
};

/// Makes the action.
pub fn make() -> Arc<dyn Action> {
    OUTLINE.make()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Input {
    workspace: String,
    repo_slug: String,
    body: Option<Json>,
    token: Option<String>,
}

/// Finds the one host of Bitbucket Cloud: the input names none.
fn forge(bench: &dyn Workbench) -> Result<Integration, ActionError> {
    let integrations = &bench.host().integrations;
    let own = integrations.hosts().into_iter().find(|(_, kind)| *kind == HostType::BitbucketCloud);
    integrations.find(own.as_ref().map_or("bitbucket.org", |(host, _)| host)).cloned()
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let (input, forge): (Input, _) = (read(input)?, forge(bench)?);
    let target = format!("{}/{}/{}", forge.host, input.workspace, input.repo_slug);
    let reference = input.body.as_ref().and_then(|body| body.pointer("/target/ref_name")?.as_str());
    let details = reference.map(|name| format!("on: {name}")).into_iter().collect();
    Ok(vec![effect("run pipeline", target, forge.identity(input.token.as_deref()), details)])
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&OUTLINE, input, bench);
    let (input, forge): (Input, _) = (read(input)?, forge(bench)?);
    let client = Client::of_forge(&forge, input.token.as_deref(), bench)?;
    let at = format!("repositories/{}/{}/pipelines", segment(&input.workspace), segment(&input.repo_slug));
    let target = format!("{}/{}/{}", forge.host, input.workspace, input.repo_slug);
    let made = client
        .post(bench, &at, &input.body.unwrap_or_else(|| json!({})))
        .map_err(|refusal| refusal.while_doing(&format!("run a pipeline of {target}")))?;
    let page = made.pointer("/repository/links/html/href").and_then(Json::as_str);
    Ok(outputs(json!({
        "buildNumber": made["build_number"],
        "repoUrl": page,
        "repoContentsUrl": page,
        "pipelinesUrl": page.map(|page| format!("{page}/pipelines")),
    })))
}
