//! Settings of a repository on GitHub, one request each: `github:autolinks:create`, `github:pages:enable`,
//! `github:branch-protection:create`, `github:deployKey:create`.

use super::super::forge::{
    Field, Kind, Outline, REPO_URL, TOKEN, Target, Trail, field, note_unknown, outputs, read, required, text,
};
use super::protection::{self, Protection};
use super::repository::path;
use super::sealed;
use crate::config::integration::HostType;
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

const AUTOLINK_INPUT: &[Field] = &[
    REPO_URL,
    required("keyPrefix", Kind::Text, "What the reference begins with: `TICKET-`"),
    required("urlTemplate", Kind::Text, "Address with `<num>` in it"),
    field("isAlphanumeric", Kind::Flag, "Letters, too, may follow").or("true"),
    TOKEN,
];

/// Creates a link from references in texts.
pub const AUTOLINK: Outline = Outline {
    id: "github:autolinks:create",
    about: "Creates an autolink of a repository on GitHub.",
    input: &[AUTOLINK_INPUT],
    output: &[],
    effects: autolink_effects,
    foreseen: super::super::nothing_foreseen,
    run: autolink,
};

const PAGES_INPUT: &[Field] = &[
    REPO_URL,
    field("buildType", Kind::Choice(&["legacy", "workflow"]), "From a branch, or by a workflow")
        .or("\"workflow\""),
    field("sourceBranch", Kind::Text, "The branch").or("\"main\""),
    field("sourcePath", Kind::Choice(&["/", "/docs"]), "Its folder").or("\"/\""),
    TOKEN,
];

/// Turns pages on.
pub const PAGES: Outline = Outline {
    id: "github:pages:enable",
    about: "Turns on GitHub Pages for a repository.",
    input: &[PAGES_INPUT],
    output: &[],
    effects: pages_effects,
    foreseen: super::super::nothing_foreseen,
    run: pages,
};

const PROTECT_INPUT: &[Field] = &[
    REPO_URL,
    field("branch", Kind::Text, "The branch; absent: the default one"),
    field("enforceAdmins", Kind::Flag, "Administrators, too, are bound by it").or("true"),
    field("blockCreations", Kind::Flag, "Nobody may create branches that match").or("false"),
    TOKEN,
];

/// Protects a branch.
pub const PROTECT: Outline = Outline {
    id: "github:branch-protection:create",
    about: "Protects a branch of a repository on GitHub.",
    input: &[PROTECT_INPUT, protection::FIELDS],
    output: &[],
    effects: protect_effects,
    foreseen: super::super::nothing_foreseen,
    run: protect,
};

const KEY_INPUT: &[Field] = &[
    REPO_URL,
    required("publicKey", Kind::Text, "Public half of the key"),
    required("privateKey", Kind::Text, "Private half; becomes a secret of GitHub Actions"),
    required("deployKeyName", Kind::Text, "Its name"),
    field(
        "privateKeySecretName",
        Kind::Text,
        "Name of the secret; absent: `KEY_` and the name of the repository",
    ),
    TOKEN,
];

const KEY_OUTPUT: &[Field] = &[field("privateKeySecretName", Kind::Text, "Name of the secret")];

/// Creates a deploy key.
pub const KEY: Outline = Outline {
    id: "github:deployKey:create",
    about: "Creates a deploy key of a repository on GitHub and keeps its private half as a secret.",
    input: &[KEY_INPUT],
    output: &[KEY_OUTPUT],
    effects: key_effects,
    foreseen: key_foreseen,
    run: key,
};

/// Makes the action for autolinks.
pub fn make_autolink() -> Arc<dyn Action> {
    AUTOLINK.make()
}

/// Makes the action for pages.
pub fn make_pages() -> Arc<dyn Action> {
    PAGES.make()
}

/// Makes the action that protects.
pub fn make_protect() -> Arc<dyn Action> {
    PROTECT.make()
}

/// Makes the action for deploy keys.
pub fn make_key() -> Arc<dyn Action> {
    KEY.make()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Autolink {
    key_prefix: String,
    url_template: String,
    is_alphanumeric: Option<bool>,
}

fn autolink_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, AUTOLINK.id)?;
    let input: Autolink = read(input)?;
    Ok(vec![
        target.effect("create autolink", vec![format!("{} -> {}", input.key_prefix, input.url_template)]),
    ])
}

fn autolink(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&AUTOLINK, input, bench);
    let target = Target::of(input, bench, HostType::Github, AUTOLINK.id)?;
    let input: Autolink = read(input)?;
    let client = target.client(bench)?;
    let body = json!({
        "key_prefix": input.key_prefix, "url_template": input.url_template,
        "is_alphanumeric": input.is_alphanumeric.unwrap_or(true),
    });
    client
        .post(bench, &format!("{}/autolinks", path(&target.repo)?), &body)
        .map_err(|refusal| refusal.while_doing(&target.doing("create an autolink")))?;
    Ok(outputs(json!({})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pages {
    build_type: Option<String>,
    source_branch: Option<String>,
    source_path: Option<String>,
}

fn pages_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, PAGES.id)?;
    let input: Pages = read(input)?;
    let details = vec![format!("built by: {}", input.build_type.as_deref().unwrap_or("workflow"))];
    Ok(vec![target.effect("enable pages", details)])
}

fn pages(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&PAGES, input, bench);
    let target = Target::of(input, bench, HostType::Github, PAGES.id)?;
    let input: Pages = read(input)?;
    let client = target.client(bench)?;
    let body = json!({
        "build_type": input.build_type.as_deref().unwrap_or("workflow"),
        "source": {
            "branch": input.source_branch.as_deref().unwrap_or("main"),
            "path": input.source_path.as_deref().unwrap_or("/"),
        },
    });
    client
        .post(bench, &format!("{}/pages", path(&target.repo)?), &body)
        .map_err(|refusal| refusal.while_doing(&target.doing("enable the pages")))?;
    Ok(outputs(json!({})))
}

#[derive(Debug, Deserialize)]
struct Branch {
    branch: Option<String>,
}

fn protect_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, PROTECT.id)?;
    let (branch, protection): (Branch, Protection) = (read(input)?, read(input)?);
    let branch = branch.branch.as_deref().unwrap_or("the default branch");
    Ok(vec![protection.effect(&target.repo, branch, &target.identity)])
}

fn protect(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&PROTECT, input, bench);
    let target = Target::of(input, bench, HostType::Github, PROTECT.id)?;
    let (branch, protection): (Branch, Protection) = (read(input)?, read(input)?);
    let client = target.client(bench)?;
    let branch = match branch.branch {
        Some(branch) => branch,
        None => {
            let found = client
                .get(bench, &path(&target.repo)?)
                .map_err(|refusal| refusal.while_doing(&format!("look up {}", target.repo.shown())))?;
            text(&found, "/default_branch", &client.host)?.to_owned()
        }
    };
    protection.apply(bench, &target.repo, &client, &branch)?;
    Ok(outputs(json!({})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeployPair {
    public_key: String,
    private_key: String,
    deploy_key_name: String,
    private_key_secret_name: Option<String>,
}

impl DeployPair {
    fn secret(&self, target: &Target) -> String {
        let given = self.private_key_secret_name.clone().filter(|name| !name.is_empty());
        given.unwrap_or_else(|| {
            format!(
                "KEY_{}",
                target.repo.repo.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            )
        })
    }
}

fn key_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let target = Target::of(input, bench, HostType::Github, KEY.id)?;
    let input: DeployPair = read(input)?;
    let secret = vec![format!("name: {}", input.secret(&target))];
    let key = vec![format!("name: {}", input.deploy_key_name)];
    Ok(vec![target.effect("create deploy key", key), target.effect("set secret", secret)])
}

fn key_foreseen(input: &Value, bench: &dyn Workbench) -> Value {
    let (Ok(target), Ok(input)) =
        (Target::of(input, bench, HostType::Github, KEY.id), read::<DeployPair>(input))
    else {
        return Value::UNDEFINED;
    };
    outputs(json!({"privateKeySecretName": input.secret(&target)}))
}

fn key(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&KEY, input, bench);
    let target = Target::of(input, bench, HostType::Github, KEY.id)?;
    let input: DeployPair = read(input)?;
    let (client, at, secret) = (target.client(bench)?, path(&target.repo)?, input.secret(&target));
    Trail::follow(|trail| {
        let body = json!({"title": input.deploy_key_name, "key": input.public_key});
        client
            .post(bench, &format!("{at}/keys"), &body)
            .map_err(|refusal| refusal.while_doing(&target.doing("create a deploy key")))?;
        trail.made(target.effect("create deploy key", vec![format!("name: {}", input.deploy_key_name)]));
        sealed::send(
            bench,
            &client,
            &format!("{at}/actions/secrets"),
            &[(&secret, input.private_key.clone())],
        )?;
        Ok(outputs(json!({"privateKeySecretName": secret})))
    })
}
