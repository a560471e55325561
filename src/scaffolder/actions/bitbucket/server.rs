//! `publish:bitbucketServer`: a new repository with the workspace as its first commit.

use super::super::forge::publication::{self, CommitInput};
use super::super::forge::{
    Field, Kind, Outline, Publication, REPO_URL, Target, Trail, effect, field, note_unknown, outputs, read,
    segment, text,
};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    field("description", Kind::Text, "What it is, in a line"),
    field("repoVisibility", Kind::Choice(&["private", "public"]), "Who may see it").or("\"private\""),
    field("defaultBranch", Kind::Text, "Branch that the workspace is pushed to").or("\"master\""),
    field("enableLFS", Kind::Flag, "With Git LFS").or("false"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "publish:bitbucketServer",
    about: "Creates a repository on Bitbucket Server and pushes the workspace to it.",
    input: &[INPUT, publication::FIELDS],
    output: &[publication::OUTPUTS],
    effects,
    foreseen,
    run,
};

/// Makes the action.
pub fn make() -> Arc<dyn Action> {
    OUTLINE.make()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    description: Option<String>,
    repo_visibility: Option<String>,
    #[serde(rename = "enableLFS")]
    lfs: Option<bool>,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<(Target, Input, Publication), ActionError> {
    let target = Target::of(input, bench, HostType::BitbucketServer, OUTLINE.id)?;
    let commit: CommitInput = read(input)?;
    Ok((target, read(input)?, Publication::of(&commit, "master", bench)?))
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let (target, own, publication) = plan(input, bench)?;
    let mut details = vec![format!("visibility: {}", own.repo_visibility.as_deref().unwrap_or("private"))];
    if own.lfs == Some(true) {
        details.push("with Git LFS".to_owned());
    }
    let push = publication.effect(&target.repo, &target.identity);
    Ok(vec![target.effect("create repository", details), push])
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok((target, ..)) = plan(input, bench) else { return Value::UNDEFINED };
    let (repo, web) = (&target.repo, &target.repo.forge.web);
    let project = repo.project.as_deref().unwrap_or_default();
    outputs(json!({
        "remoteUrl": format!("{web}scm/{}/{}.git", project.to_lowercase(), repo.repo),
        "repoContentsUrl": format!("{web}projects/{project}/repos/{}/browse", repo.repo),
    }))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let (target, own, publication) = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = target.client(bench)?;
    let repo = &target.repo;
    let project = segment(repo.project.as_deref().unwrap_or_default());
    Trail::follow(|trail| {
        bench.log(&format!("creating repository {}", repo.shown()));
        let body = json!({
            "name": repo.repo,
            "description": own.description.clone().unwrap_or_default(),
            "defaultBranch": publication.branch,
            "public": own.repo_visibility.as_deref() == Some("public"),
        });
        let doing = format!("create repository {}", repo.shown());
        let made = match client.post(bench, &format!("projects/{project}/repos"), &body) {
            Ok(made) => made,
            Err(refusal) if refusal.is_taken() => {
                let at = format!("projects/{project}/repos/{}", segment(&repo.repo));
                let branches = client.get(bench, &format!("{at}/branches?limit=1"));
                let is_empty = |found: &Json| found["values"].as_array().is_some_and(Vec::is_empty);
                let found = match branches.ok().filter(is_empty) {
                    Some(_) => client.get(bench, &at).ok(),
                    None => None,
                };
                let Some(found) = found else {
                    return Err(refusal.while_doing(&doing).hint(
                        "there is a repository of this name: choose another name, or delete that one",
                    ));
                };
                bench.warn(&format!("{} exists and is empty: it is used", repo.shown()));
                found
            }
            Err(refusal) => return Err(refusal.while_doing(&doing)),
        };
        let remote = super::remote(&made);
        let page = text(&made, "/links/self/0/href", &client.host)?.to_owned();
        trail.made(effect("create repository", repo.shown(), String::new(), vec![page.clone()]));
        let hash = publication.push(bench, repo, &client, &remote)?;
        if own.lfs == Some(true) {
            let at = format!(
                "{}rest/git-lfs/admin/projects/{project}/repos/{}/enabled",
                repo.forge.web,
                segment(&repo.repo)
            );
            client
                .call(bench, Method::PUT, &at, None)
                .map_err(|refusal| refusal.while_doing(&target.doing("enable Git LFS")))?;
        }
        Ok(outputs(json!({"remoteUrl": remote.https, "repoContentsUrl": page, "commitHash": hash})))
    })
}
