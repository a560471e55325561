//! `publish:github`: a new repository with the workspace as its first commit.

use super::super::forge::publication::{self, CommitInput};
use super::super::forge::{
    Client, Field, Kind, Outline, Publication, RepoUrl, Trail, effect, field, note_unknown, outputs, read,
};
use super::protection::{self, Protection};
use super::repository::{self, RepositoryInput};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const OWN: &[Field] = &[
    field("defaultBranch", Kind::Text, "Branch that the workspace is pushed to").or("\"master\""),
    field("protectDefaultBranch", Kind::Flag, "Protect that branch").or("true"),
    field("protectEnforceAdmins", Kind::Flag, "Administrators, too, are bound by the protection").or("true"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "publish:github",
    about: "Creates a repository on GitHub and pushes the workspace to it.",
    input: &[repository::FIELDS, OWN, publication::FIELDS, protection::FIELDS],
    output: &[publication::OUTPUTS],
    effects,
    foreseen,
    run,
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Input {
    #[serde(rename = "protectDefaultBranch")]
    protect: Option<bool>,
}

struct Plan {
    repo: RepoUrl,
    repository: RepositoryInput,
    protection: Option<Protection>,
    publication: Publication,
    token: Option<String>,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<Plan, ActionError> {
    let repository: RepositoryInput = read(input)?;
    let commit: CommitInput = read(input)?;
    let repo =
        RepoUrl::parse(&repository.repo_url, &bench.host().integrations)?.on(HostType::Github, OUTLINE.id)?;
    repo.owner()?;
    let own: Input = read(input)?;
    let protection = own.protect.unwrap_or(true).then(|| read(input)).transpose()?;
    let publication = Publication::of(&commit, "master", bench)?;
    Ok(Plan { repo, repository, protection, publication, token: commit.token })
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let plan = plan(input, bench)?;
    let identity = plan.repo.forge.identity(plan.token.as_deref());
    let mut effects =
        vec![plan.repository.effect(&plan.repo, &identity), plan.publication.effect(&plan.repo, &identity)];
    if let Some(protection) = &plan.protection {
        effects.push(protection.effect(&plan.repo, &plan.publication.branch, &identity));
    }
    Ok(effects)
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok(plan) = plan(input, bench) else { return Value::UNDEFINED };
    let page = format!("{}{}", plan.repo.forge.web, plan.repo.path());
    outputs(json!({
        "remoteUrl": format!("{page}.git"),
        "repoContentsUrl": format!("{page}/blob/{}", plan.publication.branch),
    }))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let plan = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = Client::of(&plan.repo, plan.token.as_deref(), bench)?;
    Trail::follow(|trail| {
        let made = plan.repository.create(bench, &plan.repo, &client, trail)?;
        let hash = plan.publication.push(bench, &plan.repo, &client, &made.remote)?;
        trail.made(effect("push", plan.repo.shown(), String::new(), vec![format!("commit {hash}")]));
        if let Some(protection) = &plan.protection
            && let Err(error) = protection.apply(bench, &plan.repo, &client, &plan.publication.branch)
        {
            bench.warn(&format!("Skipping: default branch protection on '{}', {error}", plan.repo.repo));
        }
        Ok(outputs(json!({
            "remoteUrl": made.remote.https,
            "repoContentsUrl": format!("{}/blob/{}", made.page, plan.publication.branch),
            "commitHash": hash,
        })))
    })
}

/// Makes the action.
pub fn make() -> Arc<dyn Action> {
    OUTLINE.make()
}
