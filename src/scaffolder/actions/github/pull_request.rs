//! `publish:github:pull-request`: the workspace as a commit on a branch, and a pull request for it.
//!
//! The commit is made through GitHub's own interface for git objects, so that a large repository is never fetched.
//! Without the right to push it goes through a fork, as the original does it.

use super::super::forge::{
    Client, Field, Kind, Outline, RepoUrl, Trail, check_branch, effect, field, files, note_unknown, outputs,
    publication, read, required, segment, segments, text,
};
use super::repository::path;
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use crate::scaffolder::actions::paths;
use base64::Engine as _;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Times that a new fork is looked for, and the pause between them.
const FORK_TRIES: usize = 10;
const FORK_PAUSE: Duration = Duration::from_millis(700);

const INPUT: &[Field] = &[
    required("repoUrl", Kind::Text, "The repository: `github.com?owner=OWNER&repo=NAME`"),
    required("branchName", Kind::Text, "Branch that the commit goes to"),
    required("title", Kind::Text, "Title of the pull request"),
    required("description", Kind::Text, "Its text"),
    field("targetBranchName", Kind::Text, "Branch that it is for; absent: the default one"),
    field("draft", Kind::Flag, "Open it as a draft"),
    field("sourcePath", Kind::Text, "Folder of the workspace with the changes; absent: all of it"),
    field("targetPath", Kind::Text, "Folder of the repository that they go to"),
    field("filesToDelete", Kind::Texts, "Files of the repository to delete, below `targetPath`"),
    field("token", Kind::Text, "Token in place of the one of the host"),
    field("reviewers", Kind::Texts, "Users who are asked for a review"),
    field("teamReviewers", Kind::Texts, "Teams that are asked for a review"),
    field("assignees", Kind::Texts, "Users it is assigned to"),
    field("commitMessage", Kind::Text, "Message of the commit; absent: the title"),
    field("update", Kind::Flag, "Update the branch and its pull request where they exist"),
    field("forceFork", Kind::Flag, "Go through a fork in any case"),
    field("gitAuthorName", Kind::Text, "Name of the author; absent: who the token belongs to"),
    field("gitAuthorEmail", Kind::Text, "Address of the author"),
    field("forceEmptyGitAuthor", Kind::Flag, "Leave the author to GitHub, which then signs for apps"),
    field("createWhenEmpty", Kind::Flag, "Open it although nothing differs").or("true"),
];

const OUTPUT: &[Field] = &[
    field("remoteUrl", Kind::Text, "Page of the pull request"),
    field("targetBranchName", Kind::Text, "Branch that it is for"),
    field("pullRequestNumber", Kind::Number, "Its number"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "publish:github:pull-request",
    about: "Commits the workspace to a branch of a repository on GitHub and opens a pull request.",
    input: &[INPUT],
    output: &[OUTPUT],
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
    repo_url: String,
    branch_name: String,
    title: String,
    description: String,
    target_branch_name: Option<String>,
    draft: Option<bool>,
    source_path: Option<String>,
    target_path: Option<String>,
    files_to_delete: Option<Vec<String>>,
    token: Option<String>,
    reviewers: Option<Vec<String>>,
    team_reviewers: Option<Vec<String>>,
    assignees: Option<Vec<String>>,
    commit_message: Option<String>,
    update: Option<bool>,
    force_fork: Option<bool>,
    git_author_name: Option<String>,
    git_author_email: Option<String>,
    force_empty_git_author: Option<bool>,
    create_when_empty: Option<bool>,
}

struct Plan {
    input: Input,
    repo: RepoUrl,
    root: PathBuf,
    deleted: Vec<String>,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<Plan, ActionError> {
    let input: Input = read(input)?;
    let repo =
        RepoUrl::parse(&input.repo_url, &bench.host().integrations)?.on(HostType::Github, OUTLINE.id)?;
    repo.owner()?;
    check_branch(&input.branch_name)?;
    input.target_branch_name.as_deref().map_or(Ok(()), check_branch)?;
    let root = paths::inside(bench.workspace(), input.source_path.as_deref().unwrap_or_default())?;
    let below = input.target_path.as_deref();
    // a folder that leaves the repository is told before anything is asked
    files::join(below, "x")?;
    let deleted = input.files_to_delete.iter().flatten().map(|path| files::join(below, path));
    let deleted = deleted.collect::<Result<_, _>>()?;
    Ok(Plan { input, repo, root, deleted })
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let Plan { input, repo, root, deleted } = plan(input, bench)?;
    let identity = repo.forge.identity(input.token.as_deref());
    let mut commit = vec![
        format!("branch: {}", input.branch_name),
        format!("files: {}", files::count(&root)),
        format!("commit: {}", message(&input).lines().next().unwrap_or_default()),
    ];
    if !deleted.is_empty() {
        commit.push(format!("deletes: {}", deleted.join(", ")));
    }
    let mut request = vec![
        format!("title: {}", input.title),
        format!("to: {}", input.target_branch_name.as_deref().unwrap_or("the default branch")),
    ];
    let lists = [
        ("reviewers", &input.reviewers),
        ("team reviewers", &input.team_reviewers),
        ("assignees", &input.assignees),
    ];
    for (what, names) in lists {
        if let Some(names) = names.as_ref().filter(|names| !names.is_empty()) {
            request.push(format!("{what}: {}", names.join(", ")));
        }
    }
    if input.draft == Some(true) {
        request.push("draft".to_owned());
    }
    Ok(vec![
        effect("push commit", repo.shown(), identity.clone(), commit),
        effect("open pull request", repo.shown(), identity, request),
    ])
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok(plan) = plan(input, bench) else { return Value::UNDEFINED };
    outputs(json!({
        "remoteUrl": format!("{}{}/pulls", plan.repo.forge.web, plan.repo.path()),
        "targetBranchName": plan.input.target_branch_name,
    }))
}

fn message(input: &Input) -> &str {
    input.commit_message.as_deref().filter(|text| !text.is_empty()).unwrap_or(&input.title)
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let plan = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = Client::of(&plan.repo, plan.input.token.as_deref(), bench)?;
    Trail::follow(|trail| plan.open(bench, &client, trail))
}

/// Where the commit goes.
struct Place {
    /// `repos/o/r` of the repository that the branch is made in.
    at: String,
    /// Its owner.
    owner: String,
}

impl Plan {
    fn doing(&self, what: &str) -> String {
        format!("{what} of {}", self.repo.shown())
    }

    fn open(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        trail: &mut Trail,
    ) -> Result<Value, ActionError> {
        let at = path(&self.repo)?;
        let found = client
            .get(bench, &at)
            .map_err(|refusal| refusal.while_doing(&format!("look up {}", self.repo.shown())))?;
        let base = match &self.input.target_branch_name {
            Some(branch) => branch.clone(),
            None => text(&found, "/default_branch", &client.host)?.to_owned(),
        };
        let may_push = found.pointer("/permissions/push").and_then(Json::as_bool).unwrap_or(true);
        let place = if self.input.force_fork == Some(true) || !may_push {
            self.fork(bench, client, &at, trail)?
        } else {
            Place { at: at.clone(), owner: self.repo.owner()?.to_owned() }
        };
        let Some(commit) = self.commit(bench, client, &at, &place, &base)? else {
            bench.log("No changes to commit, pull request was not created");
            return Ok(outputs(json!({})));
        };
        self.point_branch(bench, client, &place, &commit)?;
        let branch = format!("branch {}", self.input.branch_name);
        trail.made(effect("push commit", self.repo.shown(), String::new(), vec![branch]));
        let request = self.request(bench, client, &at, &place, &base)?;
        let number = request["number"].as_i64().unwrap_or_default();
        self.people(bench, client, &at, number);
        Ok(outputs(json!({
            "remoteUrl": text(&request, "/html_url", &client.host)?,
            "targetBranchName": request.pointer("/base/ref").and_then(Json::as_str).unwrap_or(&base),
            "pullRequestNumber": number,
        })))
    }

    /// Finds or makes the user's fork.
    fn fork(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        at: &str,
        trail: &mut Trail,
    ) -> Result<Place, ActionError> {
        let doing = self.doing("make a fork");
        let user = client.get(bench, "user").map_err(|refusal| refusal.while_doing(&doing))?;
        let owner = text(&user, "/login", &client.host)?.to_owned();
        let fork = format!("repos/{}/{}", segment(&owner), segment(&self.repo.repo));
        let place = Place { at: fork.clone(), owner };
        if client.get(bench, &fork).is_ok() {
            return Ok(place);
        }
        client
            .post(bench, &format!("{at}/forks"), &json!({}))
            .map_err(|refusal| refusal.while_doing(&doing))?;
        let target = format!("{}/{}/{}", client.host, place.owner, self.repo.repo);
        trail.made(effect("fork", target, String::new(), Vec::new()));
        // GitHub makes it in the background
        let mut last = None;
        for _ in 0..FORK_TRIES {
            match client.get(bench, &fork) {
                Ok(_) => return Ok(place),
                Err(refusal) => last = Some(refusal),
            }
            if bench.is_cancelled() {
                break;
            }
            std::thread::sleep(FORK_PAUSE);
        }
        Err(last.map_or_else(|| ActionError::new("cancelled"), |refusal| refusal.while_doing(&doing)))
    }

    /// Makes the commit and returns its hash; `None` when nothing differs and that is not wanted.
    fn commit(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        at: &str,
        place: &Place,
        base: &str,
    ) -> Result<Option<String>, ActionError> {
        let doing = self.doing("read the newest commit");
        let newest = client
            .get(bench, &format!("{at}/commits?sha={}&per_page=1", segment(base)))
            .map_err(|refusal| refusal.while_doing(&doing))?;
        let newest = newest.get(0).ok_or_else(|| {
            ActionError::new(format!("branch `{base}` of {} has no commit", self.repo.shown()))
                .hint("push a first commit, or name another `targetBranchName`")
        })?;
        let parent = text(newest, "/sha", &client.host)?.to_owned();
        let parent_tree = text(newest, "/commit/tree/sha", &client.host)?.to_owned();
        let entries = self.entries(bench, client, place, base)?;
        let tree = if entries.is_empty() {
            parent_tree.clone()
        } else {
            let body = json!({"base_tree": parent_tree, "tree": entries});
            let made = client
                .post(bench, &format!("{}/git/trees", place.at), &body)
                .map_err(|refusal| refusal.while_doing(&self.doing("make the tree of the commit")))?;
            text(&made, "/sha", &client.host)?.to_owned()
        };
        if tree == parent_tree && self.input.create_when_empty == Some(false) {
            return Ok(None);
        }
        let mut body = json!({"message": message(&self.input), "tree": tree, "parents": [parent]});
        let (name, email) = (&self.input.git_author_name, &self.input.git_author_email);
        if self.input.force_empty_git_author != Some(true) && (name.is_some() || email.is_some()) {
            body["author"] = json!({
                "name": name.as_deref().unwrap_or(publication::AUTHOR),
                "email": email.as_deref().unwrap_or(publication::EMAIL),
            });
        }
        let made = client
            .post(bench, &format!("{}/git/commits", place.at), &body)
            .map_err(|refusal| refusal.while_doing(&self.doing("make the commit")))?;
        Ok(Some(text(&made, "/sha", &client.host)?.to_owned()))
    }

    /// Sends the files and returns the entries of the tree that differ.
    fn entries(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        place: &Place,
        base: &str,
    ) -> Result<Vec<Json>, ActionError> {
        let listed = files::list(&self.root)?;
        let (links, plain): (Vec<_>, Vec<_>) =
            listed.into_iter().partition(|file| file.mode == files::Mode::Link);
        bench.log(&format!("sending {} files to {}", links.len() + plain.len(), self.repo.shown()));
        let below = self.input.target_path.as_deref();
        let encode = |file: &files::File| json!({"encoding": "base64", "content": base64::engine::general_purpose::STANDARD.encode(&file.content)});
        let bodies: Vec<Json> = plain.iter().map(encode).collect();
        let blobs = client
            .post_all(bench, &format!("{}/git/blobs", place.at), &bodies)
            .map_err(|refusal| refusal.while_doing(&self.doing("send the files")))?;
        let mut entries = Vec::new();
        for (file, blob) in plain.iter().zip(&blobs) {
            let (path, sha) = (files::join(below, &file.path)?, text(blob, "/sha", &client.host)?);
            entries.push(json!({"path": path, "mode": file.mode.as_str(), "type": "blob", "sha": sha}));
        }
        for file in links {
            let target = String::from_utf8_lossy(&file.content).into_owned();
            let path = files::join(below, &file.path)?;
            entries
                .push(json!({"path": path, "mode": file.mode.as_str(), "type": "blob", "content": target}));
        }
        for path in &self.deleted {
            // GitHub refuses to delete what is not there
            let at = format!("{}/contents/{}?ref={}", place.at, segments(path), segment(base));
            match client.get(bench, &at) {
                Ok(_) => {
                    entries.push(json!({"path": path, "mode": "100644", "type": "blob", "sha": null}));
                }
                Err(refusal) if refusal.status() == Some(404) => {
                    bench.warn(&format!("`{path}` is not deleted: it is not there"));
                }
                Err(refusal) => return Err(refusal.while_doing(&self.doing(&format!("look up `{path}`")))),
            }
        }
        Ok(entries)
    }

    /// Lets the branch point to the commit.
    fn point_branch(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        place: &Place,
        commit: &str,
    ) -> Result<(), ActionError> {
        let branch = &self.input.branch_name;
        let doing = self.doing(&format!("make branch `{branch}`"));
        let body = json!({"ref": format!("refs/heads/{branch}"), "sha": commit});
        let Err(refused) = client.post(bench, &format!("{}/git/refs", place.at), &body) else {
            return Ok(());
        };
        if !refused.is_taken() {
            return Err(refused.while_doing(&doing));
        }
        if self.input.update != Some(true) {
            return Err(refused
                .while_doing(&doing)
                .hint("the branch exists: choose another `branchName`, or set `update: true`"));
        }
        let at = format!("{}/git/refs/heads/{}", place.at, segments(branch));
        client
            .call(bench, Method::PATCH, &at, Some(&json!({"sha": commit, "force": true})))
            .map(drop)
            .map_err(|refusal| refusal.while_doing(&doing))
    }

    /// Opens the pull request, or updates the one that is open.
    fn request(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        at: &str,
        place: &Place,
        base: &str,
    ) -> Result<Json, ActionError> {
        let head = format!("{}:{}", place.owner, self.input.branch_name);
        let doing = self.doing("open the pull request");
        if self.input.update == Some(true) {
            let open = client
                .get(bench, &format!("{at}/pulls?state=open&head={}", segment(&head)))
                .map_err(|refusal| refusal.while_doing(&doing))?;
            if let Some(number) = open.pointer("/0/number").and_then(Json::as_i64) {
                let body = json!({"title": self.input.title, "body": self.input.description});
                return client
                    .call(bench, Method::PATCH, &format!("{at}/pulls/{number}"), Some(&body))
                    .map_err(|refusal| refusal.while_doing(&self.doing("update the pull request")));
            }
        }
        let mut body = json!({
            "title": self.input.title, "head": head, "base": base, "body": self.input.description,
        });
        if let Some(draft) = self.input.draft {
            body["draft"] = json!(draft);
        }
        client.post(bench, &format!("{at}/pulls"), &body).map_err(|refusal| refusal.while_doing(&doing))
    }

    /// Asks people; what fails is told, the pull request is there.
    fn people(&self, bench: &mut dyn Workbench, client: &Client, at: &str, number: i64) {
        let (users, teams) = (&self.input.reviewers, &self.input.team_reviewers);
        if users.is_some() || teams.is_some() {
            let mut teams = teams.clone().unwrap_or_default();
            teams.sort();
            teams.dedup();
            let body = json!({"reviewers": users.clone().unwrap_or_default(), "team_reviewers": teams});
            if let Err(refusal) =
                client.post(bench, &format!("{at}/pulls/{number}/requested_reviewers"), &body)
            {
                bench.warn(&format!(
                    "Failure when adding reviewers to Pull request {number}: {}",
                    refusal.error
                ));
            }
        }
        if let Some(assignees) = self.input.assignees.as_ref().filter(|names| !names.is_empty()) {
            let body = json!({"assignees": assignees});
            if let Err(refusal) = client.post(bench, &format!("{at}/issues/{number}/assignees"), &body) {
                bench.warn(&format!(
                    "Failure when adding assignees to Pull request {number}: {}",
                    refusal.error
                ));
            }
        }
    }
}
