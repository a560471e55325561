//! `gitlab:group:ensureExists` and `gitlab:user:info`.

use super::super::forge::{
    Field, Kind, Outline, TOKEN, Trail, effect, field, note_unknown, outputs, read, required, segment,
};
use super::{HOST_URL, Host};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::sync::Arc;

const GROUP_INPUT: &[Field] = &[
    HOST_URL,
    required(
        "path",
        Kind::Any,
        "Names of the groups from the outermost in, or objects with `name` and `slug`",
    ),
    TOKEN,
];

/// Makes groups that are missing.
pub const GROUP: Outline = Outline {
    id: "gitlab:group:ensureExists",
    about: "Creates a group on GitLab, and those around it, where they are missing.",
    input: &[GROUP_INPUT],
    output: &[&[field("groupId", Kind::Number, "Number of the innermost group")]],
    effects: group_effects,
    foreseen: super::super::nothing_foreseen,
    run: group,
};

const USER_INPUT: &[Field] =
    &[HOST_URL, field("userId", Kind::Number, "Number of the user; absent: who the token belongs to"), TOKEN];

const USER_OUTPUT: &[Field] = &[
    field("id", Kind::Number, "Number"),
    field("username", Kind::Text, "Name in addresses"),
    field("name", Kind::Text, "Name for people"),
    field("state", Kind::Text, "Whether it is active"),
    field("webUrl", Kind::Text, "Page"),
    field("email", Kind::Text, "Address, where it may be seen"),
    field("createdAt", Kind::Text, "When it was created"),
    field("publicEmail", Kind::Text, "Address that everybody may see"),
];

/// Looks up a user.
pub const USER: Outline = Outline {
    id: "gitlab:user:info",
    about: "Looks up a user of GitLab.",
    input: &[USER_INPUT],
    output: &[USER_OUTPUT],
    effects: super::super::no_effects,
    foreseen: super::super::nothing_foreseen,
    run: user,
};

/// Makes the action for groups.
pub fn make_group() -> Arc<dyn Action> {
    GROUP.make()
}

/// Makes the action for users.
pub fn make_user() -> Arc<dyn Action> {
    USER.make()
}

#[derive(Debug, Deserialize)]
struct Group {
    path: Vec<Json>,
}

impl Group {
    /// Name and slug of each group.
    fn parts(&self) -> Result<Vec<(String, String)>, ActionError> {
        let text = |value: &Json| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let part = |value: &Json| {
            let name = text(value).or_else(|| text(&value["name"]))?;
            let slug = text(value).or_else(|| text(&value["slug"])).unwrap_or_else(|| name.clone());
            Some((name, slug))
        };
        let parts: Option<Vec<_>> = self.path.iter().map(part).collect();
        parts.filter(|parts| !parts.is_empty()).ok_or_else(|| {
            ActionError::new("Invalid input passed to action: `path` is no list of names of groups")
        })
    }
}

fn group_effects(input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    let host = Host::of(input, bench, GROUP.id)?;
    let group: Group = read(input)?;
    let path: Vec<String> = group.parts()?.into_iter().map(|(_, slug)| slug).collect();
    let target = format!("{}/{}", host.forge.host, path.join("/"));
    Ok(vec![effect("create group where it is missing", target, host.identity, Vec::new())])
}

fn group(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&GROUP, input, bench);
    let host = Host::of(input, bench, GROUP.id)?;
    let group: Group = read(input)?;
    let client = host.client(bench)?;
    Trail::follow(|trail| {
        let (mut parent, mut path) = (Json::Null, String::new());
        for (name, slug) in group.parts()? {
            path = if path.is_empty() { slug.clone() } else { format!("{path}/{slug}") };
            let doing = format!("create group `{path}` on {}", client.host);
            let found = match client.get(bench, &format!("groups/{}?with_projects=false", segment(&path))) {
                Ok(found) => found,
                Err(refusal) if refusal.status() == Some(404) => {
                    bench.log(&format!("creating missing group {path}"));
                    let mut body = json!({"name": name, "path": slug});
                    if !parent.is_null() {
                        body["parent_id"] = parent.clone();
                    }
                    let made =
                        client.post(bench, "groups", &body).map_err(|refusal| refusal.while_doing(&doing))?;
                    let target = format!("{}/{path}", client.host);
                    trail.made(effect("create group", target, String::new(), Vec::new()));
                    made
                }
                Err(refusal) => return Err(refusal.while_doing(&doing)),
            };
            parent = found["id"].clone();
        }
        Ok(outputs(json!({"groupId": parent})))
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct User {
    user_id: Option<f64>,
}

fn user(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    note_unknown(&USER, input, bench);
    let host = Host::of(input, bench, USER.id)?;
    let user: User = read(input)?;
    let client = host.client(bench)?;
    let at = user.user_id.map_or_else(|| "user".to_owned(), |id| format!("users/{}", id as i64));
    let found = client
        .get(bench, &at)
        .map_err(|refusal| refusal.while_doing(&format!("look up a user of {}", client.host)))?;
    Ok(outputs(json!({
        "id": found["id"], "username": found["username"], "name": found["name"], "state": found["state"],
        "webUrl": found["web_url"], "email": found["email"], "createdAt": found["created_at"],
        "publicEmail": found["public_email"],
    })))
}
