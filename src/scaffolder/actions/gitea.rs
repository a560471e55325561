//! `publish:gitea`: a new repository of Gitea or Forgejo with the workspace as its first commit.

use super::Entry;
use super::forge::publication::{self, CommitInput, Remote};
use super::forge::{
    Client, Field, Kind, Outline, Publication, REPO_URL, Target, Trail, effect, field, note_unknown, outputs,
    read, segment,
};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    field("description", Kind::Text, "What it is, in a line"),
    field("defaultBranch", Kind::Text, "Branch that the workspace is pushed to").or("\"main\""),
    field(
        "repoVisibility",
        Kind::Choice(&["private", "public"]),
        "Who may see it; absent: as the server has it",
    ),
];

/// The action.
const OUTLINE: Outline = Outline {
    id: "publish:gitea",
    about: "Creates a repository on Gitea or Forgejo and pushes the workspace to it.",
    input: &[INPUT, publication::FIELDS],
    output: &[publication::OUTPUTS],
    effects,
    foreseen,
    run,
};

/// The actions of Gitea.
pub const ENTRIES: &[Entry] = &[(OUTLINE.id, make)];

fn make() -> Arc<dyn Action> {
    OUTLINE.make()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    description: Option<String>,
    repo_visibility: Option<String>,
}

struct Plan {
    target: Target,
    input: Input,
    publication: Publication,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<Plan, ActionError> {
    let target = Target::of(input, bench, HostType::Gitea, OUTLINE.id)?;
    let commit: CommitInput = read(input)?;
    Ok(Plan { target, input: read(input)?, publication: Publication::of(&commit, "main", bench)? })
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let plan = plan(input, bench)?;
    let visibility = plan.input.repo_visibility.as_deref().unwrap_or("as the server has it");
    let create = plan.target.effect("create repository", vec![format!("visibility: {visibility}")]);
    Ok(vec![create, plan.publication.effect(&plan.target.repo, &plan.target.identity)])
}

fn pages(plan: &Plan, owner: &str) -> (String, String) {
    let repo = &plan.target.repo;
    let page = format!("{}{owner}/{}", repo.forge.web, repo.repo);
    (format!("{page}.git"), format!("{page}/src/branch/{}/", plan.publication.branch))
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok(plan) = plan(input, bench) else { return Value::UNDEFINED };
    let (remote, contents) = pages(&plan, plan.target.repo.owner.as_deref().unwrap_or("you"));
    outputs(json!({"remoteUrl": remote, "repoContentsUrl": contents}))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let plan = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = plan.target.client(bench)?;
    let repo = &plan.target.repo;
    Trail::follow(|trail| {
        let (owner, made) = create(bench, &plan, &client)?;
        trail.made(effect("create repository", repo.shown(), String::new(), Vec::new()));
        let (address, contents) = pages(&plan, &owner);
        // what the server calls its own address may be another one than that which is reached from here
        let remote =
            Remote { https: address.clone(), ssh: made["ssh_url"].as_str().unwrap_or_default().to_owned() };
        let hash = plan.publication.push(bench, repo, &client, &remote)?;
        Ok(outputs(json!({"remoteUrl": address, "repoContentsUrl": contents, "commitHash": hash})))
    })
}

/// Creates the repository and returns its owner and what the server says about it.
fn create(bench: &mut dyn Workbench, plan: &Plan, client: &Client) -> Result<(String, Json), ActionError> {
    let repo = &plan.target.repo;
    let me = |bench: &mut dyn Workbench| {
        let user = client.get(bench, "user").map_err(|refusal| refusal.while_doing("look up the user"))?;
        Ok::<_, ActionError>(user["login"].as_str().unwrap_or_default().to_owned())
    };
    let (owner, at) = match &repo.owner {
        Some(owner) => match client.get(bench, &format!("orgs/{}", segment(owner))) {
            Ok(_) => (owner.clone(), format!("orgs/{}/repos", segment(owner))),
            Err(refusal) if refusal.status() == Some(404) => {
                let me = me(bench)?;
                if !me.eq_ignore_ascii_case(owner) {
                    return Err(ActionError::new(format!(
                        "Organization {owner} do not exist. Please create it first !"
                    ))
                    .hint("name an organisation that the token may see, or yourself"));
                }
                (me, "user/repos".to_owned())
            }
            Err(refusal) => return Err(refusal.while_doing(&format!("look up `{owner}`"))),
        },
        None => (me(bench)?, "user/repos".to_owned()),
    };
    bench.log(&format!("creating repository {}", repo.shown()));
    let mut body =
        json!({"name": repo.repo, "description": plan.input.description.clone().unwrap_or_default()});
    body["default_branch"] = json!(plan.publication.branch);
    if let Some(visibility) = &plan.input.repo_visibility {
        body["private"] = json!(visibility == "private");
    }
    match client.post(bench, &at, &body) {
        Ok(made) => Ok((owner, made)),
        Err(refusal) => {
            let doing = format!("create repository {}", repo.shown());
            if !refusal.is_taken() {
                return Err(refusal.while_doing(&doing));
            }
            let found = client.get(bench, &format!("repos/{}/{}", segment(&owner), segment(&repo.repo)));
            match found.ok().filter(|found| found["empty"] == json!(true)) {
                Some(found) => {
                    bench.warn(&format!("{} exists and is empty: it is used", repo.shown()));
                    Ok((owner, found))
                }
                None => Err(refusal
                    .while_doing(&doing)
                    .hint("there is a repository of this name: choose another name, or delete that one")),
            }
        }
    }
}
