//! `github:environment:create`: an environment that workflows deploy to.

use super::super::forge::{
    Client, Field, Kind, Outline, REPO_URL, TOKEN, Target, Trail, field, note_unknown, outputs, read,
    required, segment,
};
use super::repository::{path, plain_name, plain_text};
use super::sealed;
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const POLICY: &[Field] = &[
    required("protected_branches", Kind::Flag, "Protected branches alone"),
    required("custom_branch_policies", Kind::Flag, "Branches and tags of these names"),
];

const INPUT: &[Field] = &[
    REPO_URL,
    required("name", Kind::Text, "Its name"),
    field("deploymentBranchPolicy", Kind::Object(POLICY), "What may be deployed; absent: everything"),
    field("customBranchPolicyNames", Kind::Texts, "Patterns of branches that may be deployed"),
    field("customTagPolicyNames", Kind::Texts, "Patterns of tags that may be deployed"),
    field("environmentVariables", Kind::Map, "Its variables"),
    field("secrets", Kind::Map, "Its secrets; encrypted before they are sent"),
    field("waitTimer", Kind::Number, "Minutes to wait before a deployment"),
    field("preventSelfReview", Kind::Flag, "Nobody approves what they started"),
    field("reviewers", Kind::Texts, "Entity refs of the users and groups who approve"),
    TOKEN,
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "github:environment:create",
    about: "Creates an environment of a repository on GitHub.",
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

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    name: String,
    deployment_branch_policy: Option<Json>,
    custom_branch_policy_names: Option<Vec<String>>,
    custom_tag_policy_names: Option<Vec<String>>,
    environment_variables: Option<BTreeMap<String, Json>>,
    secrets: Option<BTreeMap<String, Json>>,
    wait_timer: Option<f64>,
    prevent_self_review: Option<bool>,
    reviewers: Option<Vec<String>>,
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, OUTLINE.id)?;
    let input: Input = read(input)?;
    let names = |map: &Option<BTreeMap<String, Json>>| map.iter().flat_map(BTreeMap::keys).cloned().collect();
    let lists: [(&str, Vec<String>); 3] = [
        ("variables", names(&input.environment_variables)),
        ("secrets", names(&input.secrets)),
        ("reviewers", input.reviewers.clone().unwrap_or_default()),
    ];
    let mut details = vec![format!("name: {}", input.name)];
    let given = lists.into_iter().filter(|(_, names)| !names.is_empty());
    details.extend(given.map(|(what, names)| format!("{what}: {}", names.join(", "))));
    Ok(vec![target.effect("create environment", details)])
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&OUTLINE, input, bench);
    let target = Target::of(input, bench, HostType::Github, OUTLINE.id)?;
    let input: Input = read(input)?;
    let client = target.client(bench)?;
    let at = format!("{}/environments/{}", path(&target.repo)?, segment(&input.name));
    let doing = |what: &str| target.doing(&format!("{what} environment `{}`", input.name));
    let reviewers = reviewers(bench, &client, &target, &input)?;
    let mut body = json!({
        "deployment_branch_policy": input.deployment_branch_policy,
        "wait_timer": input.wait_timer.map(|minutes| minutes as i64),
        "prevent_self_review": input.prevent_self_review,
        "reviewers": (!reviewers.is_empty()).then_some(reviewers),
    });
    if let Some(map) = body.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    Trail::follow(|trail| {
        client.put(bench, &at, &body).map_err(|refusal| refusal.while_doing(&doing("create")))?;
        trail.made(target.effect("create environment", vec![format!("name: {}", input.name)]));
        let policies =
            [("branch", &input.custom_branch_policy_names), ("tag", &input.custom_tag_policy_names)];
        for (kind, names) in policies {
            for name in names.iter().flatten() {
                let body = json!({"name": name, "type": kind});
                client
                    .post(bench, &format!("{at}/deployment-branch-policies"), &body)
                    .map_err(|refusal| refusal.while_doing(&doing(&format!("allow {kind} `{name}` in"))))?;
            }
        }
        for (name, value) in input.environment_variables.iter().flatten() {
            let body = json!({"name": name, "value": plain_text(value)});
            client
                .post(bench, &format!("{at}/variables"), &body)
                .map_err(|refusal| refusal.while_doing(&doing(&format!("set the variable `{name}` of"))))?;
        }
        let secrets: Vec<(&String, String)> =
            input.secrets.iter().flatten().map(|(name, value)| (name, plain_text(value))).collect();
        sealed::send(bench, &client, &format!("{at}/secrets"), &secrets)?;
        Ok(outputs(json!({})))
    })
}

/// Finds the numbers of users and teams; one that is not there is told and left out.
fn reviewers(
    bench: &mut dyn Workbench,
    client: &Client,
    target: &Target,
    input: &Input,
) -> Result<Vec<Json>, ActionError> {
    let mut found = Vec::new();
    for reference in input.reviewers.iter().flatten() {
        let name = plain_name(reference);
        let is_group = reference.to_ascii_lowercase().starts_with("group:");
        let (kind, at) = if is_group {
            ("Team", format!("orgs/{}/teams/{}", segment(target.repo.owner()?), segment(name)))
        } else {
            ("User", format!("users/{}", segment(name)))
        };
        match client.get(bench, &at) {
            Ok(one) => found.push(json!({"type": kind, "id": one["id"]})),
            Err(refusal) => bench.warn(&format!("{kind} not found: {reference}, {}", refusal.error)),
        }
    }
    Ok(found)
}
