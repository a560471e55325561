//! `publish:gitlab:merge-request`: the workspace as a commit on a branch, and a merge request for it.
//!
//! The commit is made through GitLab's own interface. Whether a file is created, updated or left out is found by
//! comparing with the target branch, unless the template says it.

use super::super::forge::{
    Client, Field, Kind, Outline, REPO_URL, TOKEN, Target, Trail, check_branch, effect, field, files,
    note_unknown, outputs, read, required, segment, text,
};
use super::{project, project_id};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use crate::scaffolder::actions::paths;
use base64::Engine as _;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Times that a new request is looked at until its approval rules are known, and the pause between them.
const RULE_TRIES: usize = 20;
const RULE_PAUSE: Duration = Duration::from_secs(1);

const INPUT: &[Field] = &[
    REPO_URL,
    required("title", Kind::Text, "Title of the merge request"),
    required("branchName", Kind::Text, "Branch that the commit goes to"),
    field("description", Kind::Text, "Its text"),
    field("targetBranchName", Kind::Text, "Branch that it is for; absent: the default one"),
    field(
        "sourcePath",
        Kind::Text,
        "Folder of the workspace with the changes; absent: `targetPath`, else all of it",
    ),
    field("targetPath", Kind::Text, "Folder of the repository that they go to"),
    TOKEN,
    field(
        "commitAction",
        Kind::Choice(&["create", "update", "delete", "skip", "auto"]),
        "What is done with each file; `auto` compares with the branch",
    )
    .or("\"auto\""),
    field("projectid", Kind::Text, "Old way to name the project"),
    field("removeSourceBranch", Kind::Flag, "Delete the branch once it is merged").or("false"),
    field("assignee", Kind::Text, "User it is assigned to"),
    field("reviewers", Kind::Texts, "Users who are asked for a review"),
    field(
        "assignReviewersFromApprovalRules",
        Kind::Flag,
        "Ask those for a review whom the approval rules name",
    ),
    field("labels", Kind::Any, "Labels: a list, or a text with commas"),
    field("autoMerge", Kind::Flag, "Merge it once the pipeline succeeds"),
];

const OUTPUT: &[Field] = &[
    field("targetBranchName", Kind::Text, "Branch that it is for"),
    field("projectid", Kind::Text, "Number or path of the project"),
    field("projectPath", Kind::Text, "Path of the project"),
    field("mergeRequestUrl", Kind::Text, "Page of the merge request"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "publish:gitlab:merge-request",
    about: "Commits the workspace to a branch of a project on GitLab and opens a merge request.",
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
    title: String,
    branch_name: String,
    description: Option<String>,
    target_branch_name: Option<String>,
    source_path: Option<String>,
    target_path: Option<String>,
    commit_action: Option<String>,
    remove_source_branch: Option<bool>,
    assignee: Option<String>,
    reviewers: Option<Vec<String>>,
    assign_reviewers_from_approval_rules: Option<bool>,
    labels: Option<Json>,
    auto_merge: Option<bool>,
}

struct Plan {
    target: Target,
    input: Input,
    root: PathBuf,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<Plan, ActionError> {
    let target = Target::of(input, bench, HostType::Gitlab, OUTLINE.id)?;
    let input: Input = read(input)?;
    check_branch(&input.branch_name)?;
    input.target_branch_name.as_deref().map_or(Ok(()), check_branch)?;
    files::join(input.target_path.as_deref(), "x")?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    // an absent source is the target, as older templates want it
    let source = given(&input.source_path).or_else(|| given(&input.target_path)).unwrap_or_default();
    let root = paths::inside(bench.workspace(), &source)?;
    Ok(Plan { target, input, root })
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let Plan { target, input, root } = plan(input, bench)?;
    let mut request = vec![
        format!("title: {}", input.title),
        format!("to: {}", input.target_branch_name.as_deref().unwrap_or("the default branch")),
    ];
    if let Some(reviewers) = &input.reviewers {
        request.push(format!("reviewers: {}", reviewers.join(", ")));
    }
    let commit = vec![
        format!("branch: {}", input.branch_name),
        format!("files: {}", files::count(&root)),
        format!("commit: {}", input.title),
    ];
    Ok(vec![target.effect("push commit", commit), target.effect("open merge request", request)])
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok(plan) = plan(input, bench) else { return Value::UNDEFINED };
    let repo = &plan.target.repo;
    outputs(json!({
        "targetBranchName": plan.input.target_branch_name,
        "projectid": project_id(repo),
        "projectPath": project_id(repo),
        "mergeRequestUrl": format!("{}{}/-/merge_requests", repo.forge.web, repo.path()),
    }))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let plan = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = plan.target.client(bench)?;
    Trail::follow(|trail| plan.open(bench, &client, trail))
}

impl Plan {
    fn doing(&self, what: &str) -> String {
        self.target.doing(what)
    }

    fn open(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        trail: &mut Trail,
    ) -> Result<Value, ActionError> {
        let at = project(&self.target.repo);
        let assignee = self.input.assignee.as_ref().and_then(|name| user(bench, client, name));
        let reviewers: Option<Vec<i64>> = self
            .input
            .reviewers
            .as_ref()
            .map(|names| names.iter().filter_map(|name| user(bench, client, name)).collect());
        let branch = match &self.input.target_branch_name {
            Some(branch) => branch.clone(),
            None => {
                let found = client.get(bench, &at).map_err(|refusal| {
                    refusal.while_doing(&format!("look up {}", self.target.repo.shown()))
                })?;
                text(&found, "/default_branch", &client.host)?.to_owned()
            }
        };
        let actions = self.actions(bench, client, &at, &branch)?;
        self.make_branch(bench, client, &at, &branch, !actions.is_empty(), trail)?;
        if !actions.is_empty() {
            let body = json!({
                "branch": self.input.branch_name, "commit_message": self.input.title, "actions": actions,
            });
            client.post(bench, &format!("{at}/repository/commits"), &body).map_err(|refusal| {
                refusal.while_doing(&self.doing(&format!("commit to branch `{}`", self.input.branch_name)))
            })?;
            let details = vec![format!("branch {}", self.input.branch_name)];
            trail.made(effect("push commit", self.target.repo.shown(), String::new(), details));
        }
        let request = self.request(bench, client, &at, &branch, assignee, reviewers.as_ref())?;
        let page = text(&request, "/web_url", &client.host)?.to_owned();
        trail.made(effect("open merge request", self.target.repo.shown(), String::new(), vec![page.clone()]));
        if let Some(number) = request["iid"].as_i64() {
            self.follow_up(bench, client, &at, number, reviewers.unwrap_or_default());
        }
        let id = project_id(&self.target.repo);
        Ok(outputs(json!({
            "projectid": id, "targetBranchName": branch, "projectPath": id, "mergeRequestUrl": page,
        })))
    }

    /// Returns what is done with each file.
    fn actions(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        at: &str,
        branch: &str,
    ) -> Result<Vec<Json>, ActionError> {
        let kind = self.input.commit_action.as_deref().unwrap_or("auto");
        if kind == "skip" {
            return Ok(Vec::new());
        }
        let folder = self.input.target_path.as_deref();
        let there = if kind == "auto" { self.tree(bench, client, at, branch) } else { BTreeSet::new() };
        let mut actions = Vec::new();
        for file in files::list(&self.root)? {
            let path = files::join(folder, &file.path)?;
            let action = match kind {
                "auto" if !there.contains(&path) => "create",
                "auto" if is_same(bench, client, at, branch, &path, &file.content) => continue,
                "auto" => "update",
                other => other,
            };
            if action == "delete" {
                actions.push(json!({"action": action, "file_path": path}));
                continue;
            }
            actions.push(json!({
                "action": action, "file_path": path, "encoding": "base64",
                "content": base64::engine::general_purpose::STANDARD.encode(&file.content),
                "execute_filemode": file.mode == files::Mode::Executable,
            }));
        }
        Ok(actions)
    }

    /// Returns the paths of the files of a branch; none, with a warning, when they cannot be told.
    fn tree(&self, bench: &mut dyn Workbench, client: &Client, at: &str, branch: &str) -> BTreeSet<String> {
        let folder = self.input.target_path.as_deref().and_then(|folder| files::join(None, folder).ok());
        let folder = folder.filter(|folder| !folder.is_empty());
        let below = folder.map(|folder| format!("&path={}", segment(&folder))).unwrap_or_default();
        let address =
            format!("{at}/repository/tree?ref={}&recursive=true&per_page=100{below}", segment(branch));
        match client.list(bench, &address) {
            Ok(nodes) => nodes.iter().filter_map(|node| node["path"].as_str().map(str::to_owned)).collect(),
            Err(refusal) => {
                bench.warn(&format!(
                    "Could not retrieve the list of files for {} (branch: {branch}): {}",
                    project_id(&self.target.repo),
                    refusal.error
                ));
                BTreeSet::new()
            }
        }
    }

    /// Makes the branch. One that exists is only used when there is nothing to commit to it.
    fn make_branch(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        at: &str,
        target: &str,
        commits: bool,
        trail: &mut Trail,
    ) -> Result<(), ActionError> {
        let name = &self.input.branch_name;
        let doing = self.doing(&format!("create branch `{name}`"));
        match client.get(bench, &format!("{at}/repository/branches/{}", segment(name))) {
            Ok(found) if commits => {
                let page = found["web_url"].as_str().unwrap_or(name);
                let mut message =
                    format!("The branch creation failed because the branch already exists at: {page}.");
                let open = client.get(bench, &format!("{at}/merge_requests?source_branch={}", segment(name)));
                if let Some(page) = open.ok().as_ref().and_then(|open| open.pointer("/0/web_url")?.as_str()) {
                    message.push_str(&format!(
                        " Additionally, there is a Merge Request for this branch: {page}"
                    ));
                }
                return Err(ActionError::new(message).hint("choose another `branchName`"));
            }
            Ok(_) => {
                bench.log(&format!("Using existing branch {name} without modification."));
                return Ok(());
            }
            Err(refusal) if refusal.status() == Some(404) => {}
            Err(refusal) => return Err(refusal.while_doing(&doing)),
        }
        let address = format!("{at}/repository/branches?branch={}&ref={}", segment(name), segment(target));
        client.call(bench, Method::POST, &address, None).map_err(|refusal| refusal.while_doing(&doing))?;
        trail.made(effect("create branch", self.target.repo.shown(), String::new(), vec![name.clone()]));
        Ok(())
    }

    fn request(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        at: &str,
        target: &str,
        assignee: Option<i64>,
        reviewers: Option<&Vec<i64>>,
    ) -> Result<Json, ActionError> {
        let mut body = json!({
            "source_branch": self.input.branch_name,
            "target_branch": target,
            "title": self.input.title,
            "description": self.input.description,
            "remove_source_branch": self.input.remove_source_branch.unwrap_or(false),
            "assignee_id": assignee,
            "reviewer_ids": reviewers,
            "labels": self.input.labels.as_ref().map(labels),
        });
        if let Some(map) = body.as_object_mut() {
            map.retain(|_, value| !value.is_null());
        }
        client
            .post(bench, &format!("{at}/merge_requests"), &body)
            .map_err(|refusal| refusal.while_doing(&self.doing("open the merge request")))
    }

    /// Does what can only be done with a request that is there; what fails is told.
    fn follow_up(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        at: &str,
        number: i64,
        mut reviewers: Vec<i64>,
    ) {
        let request = format!("{at}/merge_requests/{number}");
        if self.input.assign_reviewers_from_approval_rules == Some(true) {
            let named = approvers(bench, client, &request);
            if !named.is_empty() {
                reviewers.extend(named);
                reviewers.sort_unstable();
                reviewers.dedup();
                if let Err(refusal) = client.put(bench, &request, &json!({"reviewer_ids": reviewers})) {
                    bench
                        .warn(&format!("Failed to assign reviewers from approval rules: {}.", refusal.error));
                }
            }
        }
        if self.input.auto_merge == Some(true) {
            let body = json!({"merge_when_pipeline_succeeds": true, "auto_merge": true});
            if let Err(refusal) = client.put(bench, &format!("{request}/merge"), &body) {
                bench.warn(&format!("the request is not set to merge by itself: {}", refusal.error));
            }
        }
    }
}

/// Returns the number of a user; `None`, with a warning, when there is none.
fn user(bench: &mut dyn Workbench, client: &Client, name: &str) -> Option<i64> {
    let found = client.get(bench, &format!("users?username={}", segment(name)));
    let id = found.as_ref().ok().and_then(|found| found.pointer("/0/id")?.as_i64());
    if id.is_none() {
        let why = found.err().map(|refusal| format!(": {}", refusal.error)).unwrap_or_default();
        bench.warn(&format!("Failed to find gitlab user id for {name}{why}. Proceeding without them."));
    }
    id
}

/// Whether a file of the branch has this content.
fn is_same(
    bench: &mut dyn Workbench,
    client: &Client,
    at: &str,
    branch: &str,
    path: &str,
    content: &[u8],
) -> bool {
    let address = format!("{at}/repository/files/{}?ref={}", segment(path), segment(branch));
    match client.get(bench, &address) {
        Ok(found) => {
            let hash = ring::digest::digest(&ring::digest::SHA256, content);
            let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            found["content_sha256"].as_str() == Some(&hash)
        }
        Err(_) => {
            bench.warn(&format!("Unable to retrieve detailed information for remote file {path}"));
            false
        }
    }
}

/// Returns whom the approval rules name; they are known a moment after the request is there.
fn approvers(bench: &mut dyn Workbench, client: &Client, request: &str) -> Vec<i64> {
    for _ in 0..RULE_TRIES {
        let found = client.get(bench, request);
        let status = found.as_ref().ok().and_then(|found| found["detailed_merge_status"].as_str());
        if !matches!(status, Some("preparing" | "approvals_syncing" | "checking")) || bench.is_cancelled() {
            break;
        }
        std::thread::sleep(RULE_PAUSE);
    }
    match client.get(bench, &format!("{request}/approval_rules")) {
        Ok(rules) => {
            let users = |rule: &Json| rule["eligible_approvers"].as_array().cloned().unwrap_or_default();
            let rules = rules.as_array().cloned().unwrap_or_default();
            rules.iter().flat_map(users).filter_map(|user| user["id"].as_i64()).collect()
        }
        Err(refusal) => {
            bench.warn(&format!("Failed to retrieve approval rules: {}.", refusal.error));
            Vec::new()
        }
    }
}

fn labels(labels: &Json) -> String {
    match labels {
        Json::Array(items) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}
