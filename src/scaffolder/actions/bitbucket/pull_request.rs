//! `publish:bitbucketCloud:pull-request` and `publish:bitbucketServer:pull-request`: the workspace as a commit on a
//! branch, and a pull request for it.
//!
//! The newest commit of the target branch is fetched without its history, the workspace is laid over it, and the
//! result is pushed. A branch that exists is taken as it is, as the original does.

use super::super::forge::publication::{self, Remote, failed, send};
use super::super::forge::{
    Client, Commit, Field, Kind, Outline, REPO_URL, TOKEN, Target, Trail, Words, check_branch, effect, field,
    files, note_unknown, outputs, read, required, segment, text,
};
use crate::catalog::sources::Transfer;
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    required("title", Kind::Text, "Title of the pull request"),
    required("sourceBranch", Kind::Text, "Branch that the commit goes to"),
    field("description", Kind::Text, "Its text; also the message of the commit"),
    field("targetBranch", Kind::Text, "Branch that it is for; absent: the main one"),
    TOKEN,
    field("gitAuthorName", Kind::Text, "Name of the author of the commit").or("\"Scaffolder\""),
    field("gitAuthorEmail", Kind::Text, "Address of the author of the commit")
        .or("\"scaffolder@backstage.io\""),
];

const REVIEWERS: &[Field] = &[field("reviewers", Kind::Texts, "Users who are asked for a review")];

const OUTPUT: &[Field] = &[field("pullRequestUrl", Kind::Text, "Page of the pull request")];

/// The action for Bitbucket Cloud.
pub const CLOUD: Outline = Outline {
    id: "publish:bitbucketCloud:pull-request",
    about: "Commits the workspace to a branch of a repository on Bitbucket Cloud and opens a pull request.",
    input: &[INPUT],
    output: &[OUTPUT],
    effects: |input, bench| effects(input, bench, HostType::BitbucketCloud, CLOUD.id),
    foreseen: |input, bench| foreseen(input, bench, HostType::BitbucketCloud, CLOUD.id),
    run: |input, bench| run(input, bench, HostType::BitbucketCloud, &CLOUD),
};

/// The action for Bitbucket Server.
pub const SERVER: Outline = Outline {
    id: "publish:bitbucketServer:pull-request",
    about: "Commits the workspace to a branch of a repository on Bitbucket Server and opens a pull request.",
    input: &[INPUT, REVIEWERS],
    output: &[OUTPUT],
    effects: |input, bench| effects(input, bench, HostType::BitbucketServer, SERVER.id),
    foreseen: |input, bench| foreseen(input, bench, HostType::BitbucketServer, SERVER.id),
    run: |input, bench| run(input, bench, HostType::BitbucketServer, &SERVER),
};

/// Makes the action for Bitbucket Cloud.
pub fn make_cloud() -> Arc<dyn Action> {
    CLOUD.make()
}

/// Makes the action for Bitbucket Server.
pub fn make_server() -> Arc<dyn Action> {
    SERVER.make()
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    title: String,
    source_branch: String,
    description: Option<String>,
    target_branch: Option<String>,
    git_author_name: Option<String>,
    git_author_email: Option<String>,
    reviewers: Option<Vec<String>>,
}

struct Plan {
    target: Target,
    input: Input,
    /// Where the repository is in the API.
    at: String,
}

fn plan(input: &Value, bench: &dyn Workbench, kind: HostType, id: &str) -> Result<Plan, ActionError> {
    let target = Target::of(input, bench, kind, id)?;
    let input: Input = read(input)?;
    check_branch(&input.source_branch)?;
    input.target_branch.as_deref().map_or(Ok(()), check_branch)?;
    let repo = &target.repo;
    let at = match kind {
        HostType::BitbucketCloud => {
            format!(
                "repositories/{}/{}",
                segment(repo.workspace.as_deref().unwrap_or_default()),
                segment(&repo.repo)
            )
        }
        _ => format!(
            "projects/{}/repos/{}",
            segment(repo.project.as_deref().unwrap_or_default()),
            segment(&repo.repo)
        ),
    };
    Ok(Plan { target, input, at })
}

fn effects(
    input: &Value,
    bench: &dyn Workbench,
    kind: HostType,
    id: &str,
) -> Result<Vec<SideEffect>, ActionError> {
    let Plan { target, input, .. } = plan(input, bench, kind, id)?;
    let commit = vec![
        format!("branch: {}", input.source_branch),
        format!("files: {}", files::count(bench.workspace())),
        format!("commit: {}", message(&input).lines().next().unwrap_or_default()),
    ];
    let mut request = vec![
        format!("title: {}", input.title),
        format!("to: {}", input.target_branch.as_deref().unwrap_or("the main branch")),
    ];
    if let Some(reviewers) = &input.reviewers {
        request.push(format!("reviewers: {}", reviewers.join(", ")));
    }
    Ok(vec![target.effect("push commit", commit), target.effect("open pull request", request)])
}

fn foreseen(input: &Value, bench: &dyn Workbench, kind: HostType, id: &str) -> Value {
    let Ok(plan) = plan(input, bench, kind, id) else { return Value::UNDEFINED };
    let repo = &plan.target.repo;
    let page = match kind {
        HostType::BitbucketCloud => format!("{}{}/pull-requests", repo.forge.web, repo.path()),
        _ => {
            let project = repo.project.as_deref().unwrap_or_default();
            format!("{}projects/{project}/repos/{}/pull-requests", repo.forge.web, repo.repo)
        }
    };
    outputs(json!({"pullRequestUrl": page}))
}

fn message(input: &Input) -> &str {
    input.description.as_deref().filter(|text| !text.is_empty()).unwrap_or(&input.title)
}

fn run(
    input: &Value,
    bench: &mut dyn Workbench,
    kind: HostType,
    outline: &Outline,
) -> Result<Value, ActionError> {
    let plan = plan(input, bench, kind, outline.id)?;
    note_unknown(outline, input, bench);
    let client = plan.target.client(bench)?;
    Trail::follow(|trail| {
        let repo = &plan.target.repo;
        let found = client
            .get(bench, &plan.at)
            .map_err(|refusal| refusal.while_doing(&format!("look up {}", repo.shown())))?;
        let branch = match &plan.input.target_branch {
            Some(branch) => branch.clone(),
            None => plan.main_branch(bench, &client, kind, &found)?,
        };
        if plan.has_branch(bench, &client, kind)? {
            bench.log(&format!("branch {} exists and is taken as it is", plan.input.source_branch));
        } else {
            plan.push(bench, &client, &found, &branch)?;
            let details = vec![format!("branch {}", plan.input.source_branch)];
            trail.made(effect("push commit", repo.shown(), String::new(), details));
        }
        let page = plan.request(bench, &client, kind, &branch)?;
        Ok(outputs(json!({"pullRequestUrl": page})))
    })
}

impl Plan {
    fn main_branch(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        kind: HostType,
        found: &Json,
    ) -> Result<String, ActionError> {
        if kind == HostType::BitbucketCloud {
            return text(found, "/mainbranch/name", &client.host).map(str::to_owned);
        }
        let doing = self.target.doing("find the main branch");
        // older servers know the second address alone
        let answer = match client.get(bench, &format!("{}/default-branch", self.at)) {
            Err(refusal) if refusal.status() == Some(404) => {
                client.get(bench, &format!("{}/branches/default", self.at))
            }
            answer => answer,
        };
        let answer = answer.map_err(|refusal| refusal.while_doing(&doing))?;
        text(&answer, "/displayId", &client.host).map(str::to_owned)
    }

    fn has_branch(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        kind: HostType,
    ) -> Result<bool, ActionError> {
        let name = &self.input.source_branch;
        let (at, field) = match kind {
            HostType::BitbucketCloud => {
                (format!("{}/refs/branches?q={}", self.at, segment(&format!("name = \"{name}\""))), "name")
            }
            _ => (format!("{}/branches?limit=1000&filterText={}", self.at, segment(name)), "displayId"),
        };
        let found = client
            .get(bench, &at)
            .map_err(|refusal| refusal.while_doing(&self.target.doing("look up the branches")))?;
        let values = found["values"].as_array();
        Ok(values.into_iter().flatten().any(|branch| branch[field].as_str() == Some(name)))
    }

    /// Lays the workspace over the target branch and pushes the result.
    fn push(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        found: &Json,
        branch: &str,
    ) -> Result<(), ActionError> {
        let repo = &self.target.repo;
        let remote: Remote = super::remote(found);
        let address = remote.address(repo)?;
        let words = Words {
            message: message(&self.input).to_owned(),
            name: self.input.git_author_name.clone().unwrap_or_else(|| publication::AUTHOR.to_owned()),
            email: self.input.git_author_email.clone().unwrap_or_else(|| publication::EMAIL.to_owned()),
        };
        let cancel = bench.cancel_token().clone();
        let commit = Commit::on_top(bench.workspace(), &words, branch, |folder| {
            let transfer = Transfer { url: &address, login: client.login.clone(), cancel: &cancel };
            transfer.fetch(folder, branch).map_err(|error| {
                failed(&format!("fetch branch `{branch}` of {}", repo.shown()), &error, client)
            })
        })?;
        let Some(commit) = commit else {
            return Err(ActionError::new(format!(
                "there is nothing to commit: branch `{branch}` has it all"
            ))
            .hint("change the answers, or leave out the step with `if`"));
        };
        bench.log(&format!("pushing commit {} to branch {}", commit.hash(), self.input.source_branch));
        send(bench, client, &address, &commit, &self.input.source_branch)
            .map_err(|error| failed(&format!("push to {}", repo.shown()), &error, client))
    }

    fn request(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        kind: HostType,
        branch: &str,
    ) -> Result<String, ActionError> {
        let (source, repo) = (&self.input.source_branch, &self.target.repo);
        let doing = self.target.doing("open the pull request");
        if kind == HostType::BitbucketCloud {
            let body = json!({
                "title": self.input.title,
                "summary": {"raw": self.input.description.clone().unwrap_or_default()},
                "state": "OPEN",
                "source": {"branch": {"name": source}},
                "destination": {"branch": {"name": branch}},
            });
            let made = client
                .post(bench, &format!("{}/pullrequests", self.at), &body)
                .map_err(|refusal| refusal.while_doing(&doing))?;
            let page = text(&made, "/links/html/href", &client.host);
            return page.or_else(|_| text(&made, "/links/self/href", &client.host)).map(str::to_owned);
        }
        let end = |name: &str| json!({"id": format!("refs/heads/{name}"), "repository": {"slug": repo.repo, "project": {"key": repo.project}}});
        let reviewers: Vec<Json> =
            self.input.reviewers.iter().flatten().map(|name| json!({"user": {"name": name}})).collect();
        let body = json!({
            "title": self.input.title,
            "description": self.input.description.clone().unwrap_or_default(),
            "state": "OPEN", "open": true, "closed": false, "locked": true,
            "fromRef": end(source), "toRef": end(branch), "reviewers": reviewers,
        });
        let made = client
            .post(bench, &format!("{}/pull-requests", self.at), &body)
            .map_err(|refusal| refusal.while_doing(&doing))?;
        Ok(format!("{}/overview", text(&made, "/links/self/0/href", &client.host)?))
    }
}
