//! `publish:bitbucketCloud`: a new repository with the workspace as its first commit.

use super::super::forge::publication::{self, CommitInput};
use super::super::forge::{
    Field, Kind, Outline, Publication, REPO_URL, Target, Trail, effect, field, note_unknown, outputs, read,
    segment, text,
};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    field("description", Kind::Text, "What it is, in a line"),
    field("repoVisibility", Kind::Choice(&["private", "public"]), "Who may see it").or("\"private\""),
    field("defaultBranch", Kind::Text, "Branch that the workspace is pushed to").or("\"master\""),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "publish:bitbucketCloud",
    about: "Creates a repository on Bitbucket Cloud and pushes the workspace to it.",
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
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<(Target, Input, Publication), ActionError> {
    let target = Target::of(input, bench, HostType::BitbucketCloud, OUTLINE.id)?;
    let commit: CommitInput = read(input)?;
    Ok((target, read(input)?, Publication::of(&commit, "master", bench)?))
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let (target, own, publication) = plan(input, bench)?;
    let details = vec![
        format!("visibility: {}", own.repo_visibility.as_deref().unwrap_or("private")),
        format!("project: {}", target.repo.project.as_deref().unwrap_or_default()),
    ];
    let push = publication.effect(&target.repo, &target.identity);
    Ok(vec![target.effect("create repository", details), push])
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok((target, _, publication)) = plan(input, bench) else { return Value::UNDEFINED };
    let page = format!("{}{}", target.repo.forge.web, target.repo.path());
    let contents = format!("{page}/src/{}", publication.branch);
    outputs(json!({"remoteUrl": format!("{page}.git"), "repoContentsUrl": contents}))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let (target, own, publication) = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = target.client(bench)?;
    let repo = &target.repo;
    let workspace = repo.workspace.as_deref().unwrap_or_default();
    let at = format!("repositories/{}/{}", segment(workspace), segment(&repo.repo));
    Trail::follow(|trail| {
        bench.log(&format!("creating repository {}", repo.shown()));
        let body = json!({
            "scm": "git",
            "description": own.description.clone().unwrap_or_default(),
            "is_private": own.repo_visibility.as_deref().unwrap_or("private") == "private",
            "project": {"key": repo.project},
        });
        let doing = format!("create repository {}", repo.shown());
        let made = match client.post(bench, &at, &body) {
            Ok(made) => made,
            Err(refusal) if refusal.is_taken() => {
                // one without a main branch is what a run leaves that died before its push
                let found = client.get(bench, &at).ok().filter(|found| found["mainbranch"].is_null());
                let Some(found) = found.filter(|found| found["links"].is_object()) else {
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
        let page = text(&made, "/links/html/href", &client.host)?.to_owned();
        trail.made(effect("create repository", repo.shown(), String::new(), vec![page.clone()]));
        let hash = publication.push(bench, repo, &client, &remote)?;
        Ok(outputs(json!({
            "remoteUrl": remote.https,
            "repoContentsUrl": format!("{page}/src/{}", publication.branch),
            "commitHash": hash,
        })))
    })
}
