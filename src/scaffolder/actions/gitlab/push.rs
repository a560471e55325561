//! `gitlab:repo:push`: the workspace as a commit on a branch of a project that exists.

use super::super::forge::{
    Field, Kind, Outline, REPO_URL, TOKEN, Target, check_branch, field, files, note_unknown, outputs, read,
    required, segment, text,
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
use std::path::PathBuf;
use std::sync::Arc;

const INPUT: &[Field] = &[
    REPO_URL,
    required(
        "branchName",
        Kind::Text,
        "Branch that the commit goes to; made of the default one where it is missing",
    ),
    required("commitMessage", Kind::Text, "Message of the commit"),
    field("sourcePath", Kind::Text, "Folder of the workspace with the changes; absent: all of it"),
    field("targetPath", Kind::Text, "Folder of the repository that they go to"),
    field("commitAction", Kind::Choice(&["create", "update", "delete"]), "What is done with each file")
        .or("\"create\""),
    TOKEN,
];

const OUTPUT: &[Field] = &[
    field("projectid", Kind::Text, "Number or path of the project"),
    field("projectPath", Kind::Text, "Path of the project"),
    field("commitHash", Kind::Text, "Hash of the commit"),
];

/// The action.
pub const OUTLINE: Outline = Outline {
    id: "gitlab:repo:push",
    about: "Commits the workspace to a branch of a project on GitLab.",
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
    branch_name: String,
    commit_message: String,
    source_path: Option<String>,
    target_path: Option<String>,
    commit_action: Option<String>,
}

fn plan(input: &Value, bench: &dyn Workbench) -> Result<(Target, Input, PathBuf), ActionError> {
    let target = Target::of(input, bench, HostType::Gitlab, OUTLINE.id)?;
    let input: Input = read(input)?;
    check_branch(&input.branch_name)?;
    files::join(input.target_path.as_deref(), "x")?;
    let root = paths::inside(bench.workspace(), input.source_path.as_deref().unwrap_or_default())?;
    Ok((target, input, root))
}

fn effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let (target, input, root) = plan(input, bench)?;
    let details = vec![
        format!("branch: {}", input.branch_name),
        format!("files: {}", files::count(&root)),
        format!("commit: {}", input.commit_message.lines().next().unwrap_or_default()),
    ];
    Ok(vec![target.effect("push commit", details)])
}

fn foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let Ok((target, ..)) = plan(input, bench) else { return Value::UNDEFINED };
    let id = project_id(&target.repo);
    outputs(json!({"projectid": id, "projectPath": id}))
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&OUTLINE, input, bench);
    let (target, input, root) = plan(input, bench)?;
    let (client, at) = (target.client(bench)?, project(&target.repo));
    let branch = &input.branch_name;
    let doing = target.doing(&format!("create branch `{branch}`"));
    match client.get(bench, &format!("{at}/repository/branches/{}", segment(branch))) {
        Ok(_) => {}
        Err(refusal) if refusal.status() == Some(404) => {
            let found = client.get(bench, &at).map_err(|refusal| refusal.while_doing(&doing))?;
            let from = text(&found, "/default_branch", &client.host)?;
            let address =
                format!("{at}/repository/branches?branch={}&ref={}", segment(branch), segment(from));
            client
                .call(bench, Method::POST, &address, None)
                .map_err(|refusal| refusal.while_doing(&doing))?;
        }
        Err(refusal) => return Err(refusal.while_doing(&doing)),
    }
    let kind = input.commit_action.as_deref().unwrap_or("create");
    let folder = input.target_path.as_deref();
    let mut actions: Vec<Json> = Vec::new();
    for file in files::list(&root)? {
        actions.push(json!({
            "action": kind, "file_path": files::join(folder, &file.path)?, "encoding": "base64",
            "content": base64::engine::general_purpose::STANDARD.encode(&file.content),
            "execute_filemode": file.mode == files::Mode::Executable,
        }));
    }
    let body = json!({"branch": branch, "commit_message": input.commit_message, "actions": actions});
    let made = client.post(bench, &format!("{at}/repository/commits"), &body).map_err(|refusal| {
        let is_there = refusal.says("already exists");
        let error = refusal.while_doing(&target.doing(&format!("commit to branch `{branch}`")));
        if is_there { error.hint("a file is there already: set `commitAction: update`") } else { error }
    })?;
    let id = project_id(&target.repo);
    Ok(outputs(json!({"projectid": id, "projectPath": id, "commitHash": made["id"]})))
}
