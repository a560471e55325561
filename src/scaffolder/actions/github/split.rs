//! `github:repo:create` and `github:repo:push`: the two halves of `publish:github`.

use super::super::forge::publication::{self, CommitInput, Remote};
use super::super::forge::{
    Field, Kind, Outline, Publication, REPO_URL, TOKEN, Target, Trail, effect, field, note_unknown, outputs,
    read, text,
};
use super::protection::{self, Protection};
use super::repository::{self, RepositoryInput, path};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const CREATE_INPUT: &[Field] =
    &[field("autoInit", Kind::Flag, "With a first commit of GitHub's own").or("false"), TOKEN];

const CREATE_OUTPUT: &[Field] = &[
    field("remoteUrl", Kind::Text, "Address to clone the repository from"),
    field("repoContentsUrl", Kind::Text, "Page of the repository"),
];

/// Creates a repository.
pub const CREATE: Outline = Outline {
    id: "github:repo:create",
    about: "Creates a repository on GitHub and pushes nothing.",
    // templates give the inputs about protection here as well, as they may in the original
    input: &[repository::FIELDS, CREATE_INPUT, protection::FIELDS],
    output: &[CREATE_OUTPUT],
    effects: create_effects,
    foreseen: create_foreseen,
    run: create,
};

const PUSH_INPUT: &[Field] = &[
    REPO_URL,
    field("defaultBranch", Kind::Text, "Branch that the workspace is pushed to").or("\"master\""),
    field("protectDefaultBranch", Kind::Flag, "Protect that branch").or("true"),
    field("protectEnforceAdmins", Kind::Flag, "Administrators, too, are bound by the protection").or("true"),
];

/// Pushes to a repository.
pub const PUSH: Outline = Outline {
    id: "github:repo:push",
    about: "Pushes the workspace as the first commit of a repository on GitHub.",
    input: &[PUSH_INPUT, publication::FIELDS, protection::FIELDS],
    output: &[publication::OUTPUTS],
    effects: push_effects,
    foreseen: push_foreseen,
    run: push,
};

/// Makes the action that creates.
pub fn make_create() -> Arc<dyn Action> {
    CREATE.make()
}

/// Makes the action that pushes.
pub fn make_push() -> Arc<dyn Action> {
    PUSH.make()
}

fn create_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, CREATE.id)?;
    let input: RepositoryInput = read(input)?;
    Ok(vec![input.effect(&target.repo, &target.identity)])
}

fn create_foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok(target) = Target::of(input, bench, HostType::Github, CREATE.id) else { return Value::UNDEFINED };
    let page = format!("{}{}", target.repo.forge.web, target.repo.path());
    outputs(json!({"remoteUrl": format!("{page}.git"), "repoContentsUrl": page}))
}

fn create(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&CREATE, input, bench);
    let target = Target::of(input, bench, HostType::Github, CREATE.id)?;
    let input: RepositoryInput = read(input)?;
    let client = target.client(bench)?;
    Trail::follow(|trail| {
        let made = input.create(bench, &target.repo, &client, trail)?;
        Ok(outputs(json!({"remoteUrl": made.remote.https, "repoContentsUrl": made.page})))
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Push {
    protect_default_branch: Option<bool>,
}

struct Plan {
    target: Target,
    publication: Publication,
    protection: Option<Protection>,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<Plan, ActionError> {
    let target = Target::of(input, bench, HostType::Github, PUSH.id)?;
    let commit: CommitInput = read(input)?;
    let own: Push = read(input)?;
    let protection = own.protect_default_branch.unwrap_or(true).then(|| read(input)).transpose()?;
    Ok(Plan { target, publication: Publication::of(&commit, "master", bench)?, protection })
}

fn push_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let Plan { target, publication, protection } = plan(input, bench)?;
    let mut effects = vec![publication.effect(&target.repo, &target.identity)];
    effects.extend(protection.map(|it| it.effect(&target.repo, &publication.branch, &target.identity)));
    Ok(effects)
}

fn push_foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok(plan) = plan(input, bench) else { return Value::UNDEFINED };
    let page = format!("{}{}", plan.target.repo.forge.web, plan.target.repo.path());
    let contents = format!("{page}/blob/{}", plan.publication.branch);
    outputs(json!({"remoteUrl": format!("{page}.git"), "repoContentsUrl": contents}))
}

fn push(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let Plan { target, publication, protection } = plan(input, bench)?;
    note_unknown(&PUSH, input, bench);
    let (client, repo) = (target.client(bench)?, &target.repo);
    let found = client
        .get(bench, &path(repo)?)
        .map_err(|refusal| refusal.while_doing(&format!("look up {}", repo.shown())))?;
    let remote = Remote {
        https: text(&found, "/clone_url", &client.host)?.to_owned(),
        ssh: found["ssh_url"].as_str().unwrap_or_default().to_owned(),
    };
    let page = text(&found, "/html_url", &client.host)?.to_owned();
    Trail::follow(|trail| {
        let hash = publication.push(bench, repo, &client, &remote)?;
        trail.made(effect("push", repo.shown(), String::new(), vec![format!("commit {hash}")]));
        if let Some(protection) = &protection
            && let Err(error) = protection.apply(bench, repo, &client, &publication.branch)
        {
            bench.warn(&format!("Skipping: default branch protection on '{}', {error}", repo.repo));
        }
        let contents = format!("{page}/blob/{}", publication.branch);
        Ok(outputs(json!({"remoteUrl": remote.https, "repoContentsUrl": contents, "commitHash": hash})))
    })
}
