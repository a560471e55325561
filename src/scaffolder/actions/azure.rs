//! `publish:azure`: a new repository of Azure DevOps with the workspace as its first commit.

use super::Entry;
use super::forge::publication::{self, CommitInput, Remote};
use super::forge::{
    Field, Kind, Outline, Publication, REPO_URL, Target, Trail, effect, field, note_unknown, outputs, read,
    segment, text,
};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde_json::json;
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    field("description", Kind::Text, "What it is; Azure keeps none"),
    field("defaultBranch", Kind::Text, "Branch that the workspace is pushed to").or("\"master\""),
];

const OUTPUT: &[Field] = &[field("repositoryId", Kind::Text, "Id of the repository")];

/// The action.
const OUTLINE: Outline = Outline {
    id: "publish:azure",
    about: "Creates a repository on Azure DevOps and pushes the workspace to it.",
    input: &[INPUT, publication::FIELDS],
    output: &[publication::OUTPUTS, OUTPUT],
    effects,
    foreseen,
    run,
};

/// The actions of Azure DevOps.
pub const ENTRIES: &[Entry] = &[(OUTLINE.id, make)];

fn make() -> Arc<dyn Action> {
    OUTLINE.make()
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<(Target, Publication), ActionError> {
    let target = Target::of(input, bench, HostType::Azure, OUTLINE.id)?;
    if target.repo.organization.is_none() {
        let url = input.get_attr("repoUrl").unwrap_or_default();
        return Err(ActionError::new(format!(
            "Invalid URL provider was included in the repo URL to create {url}, missing organization"
        ))
        .hint("write it as `dev.azure.com?organization=ORG&project=PROJECT&repo=NAME`"));
    }
    let commit: CommitInput = read(input)?;
    let publication = Publication::of(&commit, "master", bench)?;
    Ok((target, publication))
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let (target, publication) = plan(input, bench)?;
    let create = target.effect("create repository", vec!["visibility: that of the project".to_owned()]);
    Ok(vec![create, publication.effect(&target.repo, &target.identity)])
}

/// The page of the repository.
fn page(target: &Target) -> String {
    let repo = &target.repo;
    let part = |part: &Option<String>| segment(part.as_deref().unwrap_or_default());
    format!(
        "{}{}/{}/_git/{}",
        repo.forge.web,
        part(&repo.organization),
        part(&repo.project),
        segment(&repo.repo)
    )
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok((target, _)) = plan(input, bench) else { return Value::UNDEFINED };
    outputs(json!({"remoteUrl": page(&target), "repoContentsUrl": page(&target)}))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let (target, publication) = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = target.client(bench)?;
    let repo = &target.repo;
    let part = |part: &Option<String>| segment(part.as_deref().unwrap_or_default());
    let at = format!("{}/{}/_apis/git/repositories", part(&repo.organization), part(&repo.project));
    Trail::follow(|trail| {
        bench.log(&format!("creating repository {}", repo.shown()));
        let body = json!({"name": repo.repo});
        let doing = format!("create repository {}", repo.shown());
        let made = match client.post(bench, &format!("{at}?api-version=6.0"), &body) {
            Ok(made) => made,
            Err(refusal) if refusal.is_taken() || refusal.says("TF400948") => {
                // a run that died before its push leaves one without a branch
                let found = client.get(bench, &format!("{at}/{}?api-version=6.0", segment(&repo.repo)));
                let empty = |found: &serde_json::Value| {
                    found["id"].is_string() && found["defaultBranch"].is_null() && found["size"] == json!(0)
                };
                let Some(found) = found.ok().filter(empty) else {
                    return Err(refusal.while_doing(&doing).hint(
                        "there is a repository of this name: choose another name, or delete that one",
                    ));
                };
                bench.warn(&format!("{} exists and is empty: it is used", repo.shown()));
                found
            }
            Err(refusal) => return Err(refusal.while_doing(&doing)),
        };
        let remote = Remote {
            https: text(&made, "/remoteUrl", &client.host)?.to_owned(),
            ssh: made["sshUrl"].as_str().unwrap_or_default().to_owned(),
        };
        let contents = text(&made, "/webUrl", &client.host)?.to_owned();
        trail.made(effect("create repository", repo.shown(), String::new(), vec![contents.clone()]));
        let hash = publication.push(bench, repo, &client, &remote)?;
        Ok(outputs(json!({
            "remoteUrl": remote.https, "repoContentsUrl": contents, "commitHash": hash, "repositoryId": made["id"],
        })))
    })
}
