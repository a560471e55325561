//! `publish:gitlab`: a new project with the workspace as its first commit.

use super::super::forge::publication::{self, CommitInput, Remote};
use super::super::forge::{
    Client, Field, Kind, Outline, Publication, REPO_URL, Target, Trail, effect, field, note_unknown, outputs,
    read, required, segment, text,
};
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;

const VISIBILITY: Kind = Kind::Choice(&["private", "public", "internal"]);

const SETTINGS: &[Field] = &[
    field("path", Kind::Text, "Path of the project; absent: made of its name"),
    field("auto_devops_enabled", Kind::Flag, "With Auto DevOps"),
    field("ci_config_path", Kind::Text, "Where the pipeline is described"),
    field("description", Kind::Text, "What it is, in a line"),
    field("merge_method", Kind::Choice(&["merge", "rebase_merge", "ff"]), "How requests are merged"),
    field(
        "squash_option",
        Kind::Choice(&["default_off", "default_on", "never", "always"]),
        "Whether they are squashed",
    ),
    field("topics", Kind::Texts, "Topics"),
    field("visibility", VISIBILITY, "Who may see it"),
    field("only_allow_merge_if_all_discussions_are_resolved", Kind::Flag, "All threads must be resolved"),
    field("only_allow_merge_if_pipeline_succeeds", Kind::Flag, "The pipeline must succeed"),
    field("allow_merge_on_skipped_pipeline", Kind::Flag, "A skipped pipeline counts as one that succeeded"),
];

const BRANCH: &[Field] = &[
    required("name", Kind::Text, "Its name"),
    field("protect", Kind::Flag, "Protect it").or("false"),
    field("create", Kind::Flag, "Create it").or("false"),
    field("ref", Kind::Text, "From which branch").or("\"master\""),
];

/// A variable of a project.
pub const VARIABLE: &[Field] = &[
    required("key", Kind::Text, "Its name"),
    required("value", Kind::Text, "Its value"),
    field("description", Kind::Text, "What it is for"),
    field("variable_type", Kind::Choice(&["env_var", "file"]), "A variable or a file").or("\"env_var\""),
    field("protected", Kind::Flag, "Only for protected branches").or("false"),
    field("masked", Kind::Flag, "Hidden in logs").or("false"),
    field("raw", Kind::Flag, "Not expanded").or("false"),
    field("environment_scope", Kind::Text, "For which environments").or("\"*\""),
];

const OWN: &[Field] = &[
    REPO_URL,
    field("repoVisibility", VISIBILITY, "Who may see it; `settings.visibility` wins").or("\"private\""),
    field("defaultBranch", Kind::Text, "Branch that the workspace is pushed to").or("\"master\""),
    field(
        "sourcePath",
        Kind::Any,
        "Folder of the workspace that becomes the project; `false`: nothing is pushed",
    ),
    field("skipExisting", Kind::Flag, "Leave a project alone that exists").or("false"),
    field("setUserAsOwner", Kind::Flag, "Make the user of the given token owner").or("false"),
    field("ownerUsername", Kind::Text, "Make this user owner in place of the one of the token"),
    field("topics", Kind::Texts, "Topics; `settings.topics` wins"),
    field(
        "settings",
        Kind::Object(SETTINGS),
        "Settings of the project, with the names that GitLab has for them",
    ),
    field("branches", Kind::Objects(BRANCH), "Branches to create or protect"),
    field("projectVariables", Kind::Objects(VARIABLE), "Variables of its pipelines"),
];

const OUTPUT: &[Field] = &[
    field("projectId", Kind::Number, "Number of the project"),
    field("created", Kind::Flag, "Whether it was created just now"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "publish:gitlab",
    about: "Creates a project on GitLab and pushes the workspace to it.",
    input: &[publication::FIELDS, OWN],
    output: &[publication::OUTPUTS, OUTPUT],
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
    repo_visibility: Option<String>,
    skip_existing: Option<bool>,
    set_user_as_owner: Option<bool>,
    owner_username: Option<String>,
    topics: Option<Vec<String>>,
    settings: Option<Map<String, Json>>,
    branches: Option<Vec<Branch>>,
    project_variables: Option<Vec<Map<String, Json>>>,
    description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Branch {
    name: String,
    protect: Option<bool>,
    create: Option<bool>,
    r#ref: Option<String>,
}

struct Plan {
    target: Target,
    input: Input,
    /// `None`: nothing is pushed.
    publication: Option<Publication>,
    branch: String,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<Plan, ActionError> {
    let target = Target::of(input, bench, HostType::Gitlab, OUTLINE.id)?;
    target.repo.owner()?;
    let commit: CommitInput = read(input)?;
    let publication = Publication::of(&commit, "master", bench)?;
    let branch = publication.branch.clone();
    let pushes = commit.source_path != Some(Json::Bool(false));
    Ok(Plan { target, input: read(input)?, publication: pushes.then_some(publication), branch })
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let plan = plan(input, bench)?;
    let mut details = vec![format!("visibility: {}", plan.visibility())];
    let names =
        |items: Vec<String>, what: &str| (!items.is_empty()).then(|| format!("{what}: {}", items.join(", ")));
    details.extend(names(plan.input.topics.clone().unwrap_or_default(), "topics"));
    let keys = plan.input.project_variables.iter().flatten();
    let keys = keys.filter_map(|one| one.get("key")?.as_str().map(str::to_owned)).collect();
    details.extend(names(keys, "variables"));
    let branches = plan.input.branches.iter().flatten().map(|branch| branch.name.clone()).collect();
    details.extend(names(branches, "branches"));
    let mut effects = vec![plan.target.effect("create project", details)];
    effects.extend(plan.publication.as_ref().map(|it| it.effect(&plan.target.repo, &plan.target.identity)));
    Ok(effects)
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok(plan) = plan(input, bench) else { return Value::UNDEFINED };
    let page = format!("{}{}", plan.target.repo.forge.web, plan.target.repo.path());
    let contents = format!("{page}/-/blob/{}", plan.branch);
    outputs(json!({"remoteUrl": page, "repoContentsUrl": contents, "created": true}))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let plan = plan(input, bench)?;
    note_unknown(&OUTLINE, input, bench);
    let client = plan.target.client(bench)?;
    Trail::follow(|trail| plan.publish(bench, &client, trail))
}

impl Plan {
    fn visibility(&self) -> &str {
        let set = self.input.settings.as_ref().and_then(|settings| settings.get("visibility")?.as_str());
        set.or(self.input.repo_visibility.as_deref()).unwrap_or("private")
    }

    fn publish(
        &self,
        bench: &mut dyn Workbench,
        client: &Client,
        trail: &mut Trail,
    ) -> Result<Value, ActionError> {
        let repo = &self.target.repo;
        let owner = repo.owner()?;
        let namespace = client.get(bench, &format!("namespaces/{}", segment(owner))).map_err(|refusal| {
            if refusal.status() == Some(404) {
                let message = format!(
                    "The namespace {owner} is not found or the user doesn't have permissions to access it"
                );
                return ActionError::new(message)
                    .hint("check `owner` of the `repoUrl` and whose token it is");
            }
            refusal.while_doing(&format!("look up namespace `{owner}`"))
        })?;
        let user = client.get(bench, "user").map_err(|refusal| refusal.while_doing("look up the user"))?;
        if self.input.skip_existing == Some(true)
            && let Some(found) = self.existing(bench, client)?
        {
            bench.log(&format!("Repo {} already exists in namespace {owner}.", repo.repo));
            return self.found(&found, client);
        }
        bench.log(&format!("Creating repo {} in namespace {owner}.", repo.repo));
        let namespace = namespace["id"].as_i64().or(user["id"].as_i64());
        let doing = format!("create project {}", repo.shown());
        let made = match client.post(bench, "projects", &self.body(namespace)) {
            Ok(made) => made,
            Err(refusal) if refusal.is_taken() => {
                // a run that died before its push leaves an empty one
                let empty = self.existing(bench, client)?.filter(|found| found["empty_repo"] == json!(true));
                let Some(found) = empty else {
                    return Err(refusal.while_doing(&doing).hint(
                        "there is a project of this name: choose another name, or set `skipExisting: true`",
                    ));
                };
                bench.warn(&format!("{} exists and is empty: it is used", repo.shown()));
                found
            }
            Err(refusal) => return Err(refusal.while_doing(&doing)),
        };
        let id = made["id"]
            .as_i64()
            .ok_or_else(|| ActionError::new(format!("`{}` names no project", client.host)))?;
        let remote = Remote {
            https: text(&made, "/http_url_to_repo", &client.host)?.to_owned(),
            ssh: made["ssh_url_to_repo"].as_str().unwrap_or_default().to_owned(),
        };
        let page = remote.https.strip_suffix(".git").unwrap_or(&remote.https).to_owned();
        trail.made(effect("create project", repo.shown(), String::new(), vec![page.clone()]));
        self.own(bench, id, &user)?;
        let mut hash = None;
        if let Some(publication) = &self.publication {
            hash = Some(publication.push(bench, repo, client, &remote)?);
            trail.made(effect("push", repo.shown(), String::new(), vec![format!("branch {}", self.branch)]));
            self.branches(bench, client, id)?;
        }
        self.variables(bench, client, id)?;
        let contents = format!("{page}/-/blob/{}", self.branch);
        Ok(outputs(json!({
            "remoteUrl": page, "repoContentsUrl": contents, "projectId": id, "commitHash": hash, "created": true,
        })))
    }

    fn body(&self, namespace: Option<i64>) -> Json {
        let mut body = json!({
            "namespace_id": namespace, "name": self.target.repo.repo, "visibility": self.visibility(),
        });
        if let Some(map) = body.as_object_mut() {
            if let Some(topics) = self.input.topics.as_ref().filter(|topics| !topics.is_empty()) {
                map.insert("topics".into(), json!(topics));
            }
            if let Some(text) = &self.input.description {
                map.insert("description".into(), json!(text));
            }
            map.extend(self.input.settings.clone().unwrap_or_default());
            map.retain(|_, value| !value.is_null());
        }
        body
    }

    fn existing(&self, bench: &mut dyn Workbench, client: &Client) -> Result<Option<Json>, ActionError> {
        match client.get(bench, &super::project(&self.target.repo)) {
            Ok(found) => Ok(Some(found)),
            Err(refusal) if refusal.status() == Some(404) => Ok(None),
            Err(refusal) => Err(refusal.while_doing(&format!("look up {}", self.target.repo.shown()))),
        }
    }

    fn found(&self, found: &Json, client: &Client) -> Result<Value, ActionError> {
        let url = text(found, "/http_url_to_repo", &client.host)?;
        let page = url.strip_suffix(".git").unwrap_or(url);
        let branch = found["default_branch"].as_str().unwrap_or(&self.branch);
        let contents = format!("{page}/-/blob/{branch}");
        Ok(outputs(json!({
            "remoteUrl": page, "repoContentsUrl": contents, "projectId": found["id"], "created": false,
        })))
    }

    /// Makes a user owner, with the token of the host: that of the template may belong to somebody with few rights.
    fn own(&self, bench: &mut dyn Workbench, id: i64, user: &Json) -> Result<(), ActionError> {
        let forge = &self.target.repo.forge;
        if self.input.set_user_as_owner != Some(true) || forge.token.is_none() {
            return Ok(());
        }
        let admin = Client::of_forge(forge, None, bench)?;
        let doing = self.target.doing("make the user owner");
        let user = match &self.input.owner_username {
            Some(name) => {
                let found = admin
                    .get(bench, &format!("users?username={}", segment(name)))
                    .map_err(|refusal| refusal.while_doing(&doing))?;
                found.pointer("/0/id").cloned().ok_or_else(|| {
                    ActionError::new(format!("there is no user `{name}` on {}", forge.host))
                        .hint("correct `ownerUsername`")
                })?
            }
            None => user["id"].clone(),
        };
        admin
            .post(bench, &format!("projects/{id}/members"), &json!({"user_id": user, "access_level": 50}))
            .map(drop)
            .map_err(|refusal| refusal.while_doing(&doing))
    }

    fn branches(&self, bench: &mut dyn Workbench, client: &Client, id: i64) -> Result<(), ActionError> {
        for Branch { name, protect, create, r#ref } in self.input.branches.iter().flatten() {
            if *create == Some(true) {
                let from = r#ref.as_deref().unwrap_or("master");
                let at = format!(
                    "projects/{id}/repository/branches?branch={}&ref={}",
                    segment(name),
                    segment(from)
                );
                client.call(bench, Method::POST, &at, None).map_err(|refusal| {
                    refusal.while_doing(&self.target.doing(&format!("create branch `{name}`")))
                })?;
                bench.log(&format!("Branch {name} created for {id} with ref {from}"));
            }
            if *protect == Some(true) {
                let at = format!("projects/{id}/protected_branches?name={}", segment(name));
                client.call(bench, Method::POST, &at, None).map_err(|refusal| {
                    refusal.while_doing(&self.target.doing(&format!("protect branch `{name}`")))
                })?;
                bench.log(&format!("Branch {name} protected for {id}"));
            }
        }
        Ok(())
    }

    fn variables(&self, bench: &mut dyn Workbench, client: &Client, id: i64) -> Result<(), ActionError> {
        for variable in self.input.project_variables.iter().flatten() {
            create_variable(bench, client, &format!("projects/{id}"), variable)?;
        }
        Ok(())
    }
}

/// Creates a variable of a project.
///
/// # Errors
/// What GitLab refuses.
pub fn create_variable(
    bench: &mut dyn Workbench,
    client: &Client,
    project: &str,
    variable: &Map<String, Json>,
) -> Result<(), ActionError> {
    let mut body = json!({
        "variable_type": "env_var", "protected": false, "masked": false, "raw": false, "environment_scope": "*",
    });
    if let Some(map) = body.as_object_mut() {
        map.extend(variable.clone());
        map.retain(|_, value| !value.is_null());
    }
    let name = body["key"].as_str().unwrap_or_default().to_owned();
    client
        .post(bench, &format!("{project}/variables"), &body)
        .map(drop)
        .map_err(|refusal| refusal.while_doing(&format!("create the variable `{name}`")))
}
