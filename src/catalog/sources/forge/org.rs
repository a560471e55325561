//! The teams and members of a forge as Group and User entities, as Backstage's providers map them.
//!
//! A forge fills an [`Org`]; [`entities`] makes files of it. What was read last stays when the forge does
//! not tell this time, which is then said; it does not keep repositories from being read.

use super::memory;
use super::{Forge, source_error};
use crate::catalog::ingest::json::{Context, JsonFiles};
use crate::catalog::snapshot::{ParsedFile, RelationsFrom};
use crate::catalog::sources::{RefreshContext, SourceError};
use crate::diagnostic::{Diagnostic, SourceLocation};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Most teams that one source brings.
pub const MAX_TEAMS: usize = 50_000;
/// Most members that one source brings.
pub const MAX_MEMBERS: usize = 200_000;
/// Key of what was read last.
const KEPT: &str = "forge/org";
/// Largest entity, in bytes; a team of many members is one.
const MAX_ENTITY: usize = 16 * 1024 * 1024;

/// Teams and members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Org {
    /// Teams, in any order.
    pub teams: Vec<Team>,
    /// Members, in any order.
    pub members: Vec<Member>,
}

/// A team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    /// Name of the entity.
    pub name: String,
    /// `spec.type`: `team`, `group`.
    pub kind: String,
    /// As people call it.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
    /// Name of the team it belongs to.
    pub parent: Option<String>,
    /// Names of its direct members.
    pub members: Vec<String>,
    /// Address that shows it.
    pub url: String,
    /// Annotations that the forge gives it.
    pub annotations: Vec<(String, String)>,
}

/// A member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Name of the entity.
    pub name: String,
    /// As people call them.
    pub title: Option<String>,
    /// What they say about themselves.
    pub description: Option<String>,
    /// Address of mail.
    pub email: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
    /// Address that shows them.
    pub url: String,
    /// Annotations that the forge gives them.
    pub annotations: Vec<(String, String)>,
}

/// Teams and members, and what went wrong.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub files: Vec<Arc<ParsedFile>>,
    /// Names of members by their address of mail, lower case.
    pub by_mail: FxHashMap<String, String>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads teams and members if the source brings them.
pub(super) fn read(cx: &RefreshContext<'_>, forge: &dyn Forge) -> Result<Read, SourceError> {
    if !cx.config.org {
        return Ok(Read::default());
    }
    let (org, problem) = match forge.org() {
        Ok(Some(org)) => {
            memory::write(cx.kept, KEPT, &org);
            (org, None)
        }
        Ok(None) => return Ok(Read::default()),
        Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
        Err(error) => (memory::read(cx.kept, KEPT).unwrap_or_default(), Some(error)),
    };
    let (files, mut diagnostics) = entities(cx, &forge.place(), &org);
    diagnostics.extend(problem.map(|error| told(cx, forge, &error, org.teams.is_empty())));
    let mail = |member: Member| Some((member.email?.to_lowercase(), member.name));
    let by_mail = org.members.into_iter().filter_map(mail).collect();
    Ok(Read { files, by_mail, diagnostics })
}

fn told(cx: &RefreshContext<'_>, forge: &dyn Forge, error: &SourceError, nothing: bool) -> Diagnostic {
    let place = forge.place();
    let mut diagnostic = error.to_diagnostic(&cx.name, &place);
    let rest = if nothing { "" } else { "; those that were read before are still shown" };
    diagnostic.message = format!("the teams and members could not be read: {error}{rest}");
    diagnostic.code = "source::org";
    diagnostic.at(SourceLocation::file(place))
}

/// Says what a failed request for teams or members means.
pub fn org_error(place: &str, has_token: bool, error: crate::net::NetError) -> SourceError {
    source_error(place, "organisation of this name", has_token, error)
}

/// Makes the files of teams and members, and tells what is wrong with them. Teams whose parent is not among
/// them stand at the top; children are derived from parents, and memberships from teams.
pub fn entities(cx: &RefreshContext<'_>, place: &str, org: &Org) -> (Vec<Arc<ParsedFile>>, Vec<Diagnostic>) {
    let place: Arc<str> = format!("url:{place}").into();
    let context = Context {
        source: cx.index,
        name: &cx.name,
        place: &place,
        relations: RelationsFrom::Spec,
        max_bytes: MAX_ENTITY,
    };
    let mut children: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut member_of: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    for team in org.teams.iter().take(MAX_TEAMS) {
        if let Some(parent) = team.parent.as_deref().filter(|parent| *parent != team.name) {
            children.entry(parent).or_default().push(&team.name);
        }
        for member in &team.members {
            member_of.entry(member).or_default().push(&team.name);
        }
    }
    let mut files = JsonFiles::new(&context);
    for team in org.teams.iter().take(MAX_TEAMS) {
        files.add_json(&group(team, children.get(&*team.name).map_or(&[], Vec::as_slice)));
    }
    for member in org.members.iter().take(MAX_MEMBERS) {
        files.add_json(&user(member, member_of.get(&*member.name).map_or(&[], Vec::as_slice)));
    }
    files.finish()
}

fn group(team: &Team, children: &[&str]) -> Value {
    let mut spec = json!({ "type": team.kind, "profile": profile(&team.title, &None, &team.picture) });
    set(&mut spec, "parent", team.parent.as_deref().filter(|parent| *parent != team.name));
    put(&mut spec, "children", sorted(children));
    let members: Vec<&str> = team.members.iter().map(String::as_str).collect();
    put(&mut spec, "members", sorted(&members));
    entity("Group", &team.name, team.description.as_deref(), &team.annotations, &team.url, &spec)
}

fn user(member: &Member, teams: &[&str]) -> Value {
    let spec = json!({
        "profile": profile(&member.title, &member.email, &member.picture),
        "memberOf": sorted(teams),
    });
    entity("User", &member.name, member.description.as_deref(), &member.annotations, &member.url, &spec)
}

fn entity(
    kind: &str,
    name: &str,
    description: Option<&str>,
    given: &[(String, String)],
    url: &str,
    spec: &Value,
) -> Value {
    let mut annotations: Map<String, Value> =
        given.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
    for key in ["backstage.io/managed-by-location", "backstage.io/managed-by-origin-location"] {
        annotations.insert(key.to_owned(), format!("url:{url}").into());
    }
    let mut metadata = json!({ "name": name });
    set(&mut metadata, "description", description);
    put(&mut metadata, "annotations", annotations.into());
    json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec,
    })
}

#[expect(clippy::ref_option, reason = "fields of the same shape are passed as they are")]
fn profile(title: &Option<String>, email: &Option<String>, picture: &Option<String>) -> Value {
    let mut profile = json!({});
    set(&mut profile, "displayName", title.as_deref());
    set(&mut profile, "email", email.as_deref());
    set(&mut profile, "picture", picture.as_deref());
    profile
}

/// Sets a field.
fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// Sets a field unless there is nothing to say.
fn set(object: &mut Value, key: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
        put(object, key, value.into());
    }
}

fn sorted(names: &[&str]) -> Value {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teams_and_members_look_as_in_backstage() {
        let team = Team {
            name: "payments".into(),
            kind: "team".into(),
            title: Some("Payments".into()),
            description: Some(" ".into()),
            parent: Some("shop".into()),
            members: vec!["bo".into(), "ana".into(), "bo".into()],
            url: "https://github.com/orgs/acme/teams/payments".into(),
            annotations: vec![("github.com/team-slug".into(), "acme/payments".into())],
            ..Team::default()
        };
        let expected = json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Group",
            "metadata": {
                "name": "payments",
                "annotations": {
                    "github.com/team-slug": "acme/payments",
                    "backstage.io/managed-by-location": "url:https://github.com/orgs/acme/teams/payments",
                    "backstage.io/managed-by-origin-location": "url:https://github.com/orgs/acme/teams/payments",
                },
            },
            "spec": {
                "type": "team",
                "profile": { "displayName": "Payments" },
                "parent": "shop",
                "children": ["cards"],
                "members": ["ana", "bo"],
            },
        });
        assert_eq!(group(&team, &["cards"]), expected);
        let member = Member {
            name: "ana".into(),
            email: Some("ana@acme.io".into()),
            url: "https://github.com/ana".into(),
            ..Member::default()
        };
        assert_eq!(
            user(&member, &["payments"])["spec"],
            json!({"profile": {"email": "ana@acme.io"}, "memberOf": ["payments"]})
        );
    }
}
