//! `github:actions:dispatch`: starts a workflow.

use super::super::forge::{
    Field, Kind, Outline, REPO_URL, TOKEN, Target, field, note_unknown, outputs, read, required, segment,
};
use super::repository::path;
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    required("workflowId", Kind::NumberOrText, "The workflow: its file name or number"),
    required("branchOrTagName", Kind::Text, "Branch or tag that it runs on"),
    field("workflowInputs", Kind::Map, "Inputs of the workflow"),
    field("returnWorkflowRunDetails", Kind::Flag, "Ask which run it became").or("false"),
    TOKEN,
];

const OUTPUT: &[Field] = &[
    field("workflowRunId", Kind::Number, "Number of the run"),
    field("workflowRunUrl", Kind::Text, "The run in the interface"),
    field("workflowRunHtmlUrl", Kind::Text, "Page of the run"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "github:actions:dispatch",
    about: "Starts a workflow of GitHub Actions on a branch or tag.",
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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    workflow_id: Json,
    branch_or_tag_name: String,
    workflow_inputs: Option<Map<String, Json>>,
    return_workflow_run_details: Option<bool>,
}

impl Input {
    fn workflow(&self) -> String {
        super::repository::plain_text(&self.workflow_id)
    }
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, OUTLINE.id)?;
    let input: Input = read(input)?;
    let mut details =
        vec![format!("workflow: {}", input.workflow()), format!("on: {}", input.branch_or_tag_name)];
    let names: Vec<&str> = input.workflow_inputs.iter().flat_map(Map::keys).map(String::as_str).collect();
    if !names.is_empty() {
        details.push(format!("inputs: {}", names.join(", ")));
    }
    Ok(vec![target.effect("run workflow", details)])
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&OUTLINE, input, bench);
    let target = Target::of(input, bench, HostType::Github, OUTLINE.id)?;
    let input: Input = read(input)?;
    let (client, workflow) = (target.client(bench)?, input.workflow());
    bench.log(&format!(
        "Dispatching workflow {workflow} for repo {} on {}",
        target.repo.shown(),
        input.branch_or_tag_name
    ));
    let mut body = json!({"ref": input.branch_or_tag_name});
    if let Some(inputs) = &input.workflow_inputs {
        body["inputs"] = json!(inputs);
    }
    if input.return_workflow_run_details == Some(true) {
        body["return_run_details"] = json!(true);
    }
    let at = format!("{}/actions/workflows/{}/dispatches", path(&target.repo)?, segment(&workflow));
    let doing = target.doing(&format!("run workflow `{workflow}`"));
    let run = client.post(bench, &at, &body).map_err(|refusal| refusal.while_doing(&doing))?;
    bench.log(&format!("Workflow {workflow} dispatched successfully"));
    Ok(outputs(json!({
        "workflowRunId": run["workflow_run_id"],
        "workflowRunUrl": run["run_url"],
        "workflowRunHtmlUrl": run["html_url"],
    })))
}
