//! Groups and members of GitLab as Group and User entities.
//!
//! Names are made as Backstage's discovery of GitLab makes them: a group is named by its path below the
//! configured one, with `-` for `/`. When the groups cannot be read, those of the last time stay.

use super::super::forge::address;
use super::super::{Delta, RefreshContext, SourceError};
use super::query::PageInfo;
use super::{Gitlab, Trouble};
use crate::catalog::ingest::json::{Context, JsonFiles};
use crate::catalog::snapshot::RelationsFrom;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::net::NetError;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Most groups that are read.
const MAX_GROUPS: usize = 10_000;
/// Most users that are read.
const MAX_USERS: usize = 100_000;
/// Pages of one listing; an endless one ends here.
const MAX_PAGES: usize = 1_000;
/// Groups whose members are asked for at once; each costs about a tenth of what a query may cost.
const AT_ONCE: usize = 8;
/// Largest entity, in bytes.
const MAX_ENTITY: usize = 256 * 1024;
/// Where the entities of the last time are kept.
const KEPT: &str = "gitlab/org";

const GROUP: &str = "fullPath name description webUrl avatarUrl";

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    full_path: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    web_url: Option<String>,
    #[serde(default)]
    avatar_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Groups {
    #[serde(default)]
    group: Option<WithDescendants>,
    #[serde(default)]
    groups: Option<Page<Group>>,
}

#[derive(Debug, Deserialize)]
struct WithDescendants {
    #[serde(flatten)]
    group: Group,
    #[serde(rename = "descendantGroups")]
    descendants: Page<Group>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    #[serde(default)]
    page_info: PageInfo,
    #[serde(default = "Vec::new")]
    nodes: Vec<Option<T>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithMembers {
    #[serde(default)]
    group_members: Option<Page<Member>>,
}

#[derive(Debug, Deserialize)]
struct Member {
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    username: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    public_email: Option<String>,
    #[serde(default)]
    avatar_url: Option<String>,
    #[serde(default)]
    web_url: Option<String>,
    #[serde(default)]
    state: Option<String>,
}

/// Adds the entities to what the projects gave.
///
/// # Errors
/// [`SourceError::Cancelled`] alone; whatever else goes wrong is told beside the projects.
pub(super) fn add(
    cx: &RefreshContext<'_>,
    gitlab: &Gitlab<'_>,
    delta: &mut Delta,
) -> Result<(), SourceError> {
    let entities = match gitlab.entities(cx) {
        Ok(entities) => {
            if let Ok(bytes) = serde_json::to_vec(&entities) {
                cx.kept.put(KEPT, &bytes);
            }
            entities
        }
        Err(SourceError::Cancelled) => return Err(SourceError::Cancelled),
        Err(error) => {
            let kept: Option<Vec<Value>> =
                cx.kept.get(KEPT).and_then(|kept| serde_json::from_slice(&kept).ok());
            delta.diagnostics.push(told(cx, gitlab, &error, kept.is_some()));
            kept.unwrap_or_default()
        }
    };
    let place: Arc<str> = format!("url:{}", gitlab.place).into();
    let context = Context {
        source: cx.index,
        name: &cx.name,
        place: &place,
        relations: RelationsFrom::Spec,
        max_bytes: MAX_ENTITY,
    };
    let mut files = JsonFiles::new(&context);
    for entity in &entities {
        files.add_json(entity);
    }
    let (files, diagnostics) = files.finish();
    delta.files.extend(files);
    delta.files.sort_by(|a, b| a.path.cmp(&b.path));
    delta.diagnostics.extend(diagnostics);
    Ok(())
}

fn told(cx: &RefreshContext<'_>, gitlab: &Gitlab<'_>, error: &SourceError, is_kept: bool) -> Diagnostic {
    let mut diagnostic = error.to_diagnostic(&cx.name, &gitlab.place);
    let rest = if is_kept { "; those read before are still shown" } else { "" };
    diagnostic.message = format!("could not read groups and members: {error}{rest}");
    diagnostic.location = Some(SourceLocation::file(gitlab.place.clone()));
    diagnostic
}

impl Gitlab<'_> {
    fn entities(&self, cx: &RefreshContext<'_>) -> Result<Vec<Value>, SourceError> {
        let groups = self.groups(cx)?;
        let names: BTreeMap<&str, String> =
            groups.iter().map(|group| (group.full_path.as_str(), self.name_of(&group.full_path))).collect();
        let (users, members) = self.members(cx, &groups)?;
        let of_groups = groups.iter().map(|group| self.group_entity(group, &names));
        let of_users = users.values().map(|user| self.user_entity(user, &members, &names));
        Ok(of_groups.chain(of_users).collect())
    }

    /// Lists the group with its subgroups, or all groups that the token sees.
    fn groups(&self, cx: &RefreshContext<'_>) -> Result<Vec<Group>, SourceError> {
        let page = "pageInfo { hasNextPage endCursor }";
        let query = match &self.group {
            Some(_) => format!(
                "query($group: ID!, $after: String) {{ group(fullPath: $group) {{ {GROUP} descendantGroups(first: 100, \
                 after: $after) {{ {page} nodes {{ {GROUP} }} }} }} }}"
            ),
            None => format!(
                "query($after: String) {{ groups(first: 100, after: $after) {{ {page} nodes {{ {GROUP} }} }} }}"
            ),
        };
        let mut found: BTreeMap<String, Group> = BTreeMap::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut variables = json!({ "after": after });
            if let (Some(group), Some(variables)) = (&self.group, variables.as_object_mut()) {
                variables.insert("group".to_owned(), group.as_str().into());
            }
            let answer: Groups = self.asked(&query, &variables)?;
            let page = match (answer.group, answer.groups) {
                (Some(with), _) => {
                    found.insert(with.group.full_path.clone(), with.group);
                    with.descendants
                }
                (None, Some(page)) => page,
                (None, None) => {
                    return Err(self.fail(NetError::of_status(address::shown(&self.api.base), 404)));
                }
            };
            let named = page.nodes.into_iter().flatten().filter(|group| address::is_name(&group.full_path));
            found.extend(named.map(|group| (group.full_path.clone(), group)));
            cx.report(found.len(), None, "groups");
            let next = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
            if next.is_none() || next == after || found.len() >= MAX_GROUPS {
                break;
            }
            after = next;
        }
        Ok(found.into_values().take(MAX_GROUPS).collect())
    }

    /// Reads the direct members of all groups: users by name, and the groups of each.
    #[expect(clippy::type_complexity, reason = "two maps that belong together, used once")]
    fn members(
        &self,
        cx: &RefreshContext<'_>,
        groups: &[Group],
    ) -> Result<(BTreeMap<String, User>, BTreeMap<String, BTreeSet<String>>), SourceError> {
        let mut users: BTreeMap<String, User> = BTreeMap::new();
        let mut of_users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        // groups with the place where the list of their members goes on
        let mut open: Vec<(String, Option<String>)> =
            groups.iter().map(|group| (group.full_path.clone(), None)).rev().collect();
        let mut requests = 0;
        while !open.is_empty() && requests < MAX_GROUPS + MAX_PAGES && users.len() < MAX_USERS {
            requests += 1;
            let now = open.split_off(open.len().saturating_sub(AT_ONCE));
            let (query, variables) = members_query(&now);
            let mut answer: Map<String, Value> = self.asked(&query, &variables)?;
            for (at, (path, before)) in now.into_iter().enumerate() {
                let group = answer.remove(&format!("g{at}")).unwrap_or_default();
                let group: Option<WithMembers> = serde_json::from_value(group).ok().flatten();
                let Some(page) = group.and_then(|group| group.group_members) else { continue };
                for user in page.nodes.into_iter().flatten().filter_map(|member| member.user) {
                    if is_person(&user) {
                        of_users.entry(user.username.clone()).or_default().insert(path.clone());
                        users.entry(user.username.clone()).or_insert(user);
                    }
                }
                let next = page.page_info.end_cursor.filter(|_| page.page_info.has_next_page);
                if next.is_some() && next != before {
                    open.push((path, next));
                }
            }
            cx.report(users.len(), None, "users");
        }
        Ok((users, of_users))
    }

    fn asked<T: serde::de::DeserializeOwned>(
        &self,
        query: &str,
        variables: &Value,
    ) -> Result<T, SourceError> {
        self.ask(query, variables).map_err(|trouble| match trouble {
            Trouble::Net(error) => self.fail(error),
            Trouble::Said(said) => self.fail(self.broken(&said)),
        })
    }

    /// Returns the name of a group: its path below the configured one, with `-` for `/`.
    fn name_of(&self, path: &str) -> String {
        let below = self.group.as_deref().and_then(|group| path.strip_prefix(group)?.strip_prefix('/'));
        below.unwrap_or(path).replace('/', "-")
    }

    fn group_entity(&self, group: &Group, names: &BTreeMap<&str, String>) -> Value {
        let path = group.full_path.as_str();
        let location = self.location(group.web_url.as_deref(), &format!("groups/{path}"));
        let parent = path.rsplit_once('/').and_then(|(parent, _)| names.get(parent));
        let children: Vec<&String> = names
            .iter()
            .filter(|(other, _)| other.rsplit_once('/').is_some_and(|(parent, _)| parent == path))
            .map(|(_, name)| name)
            .collect();
        let mut entity = json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Group",
            "metadata": {
                "name": self.name_of(path),
                "annotations": self.annotations("team-path", path, &location),
            },
            "spec": {"type": "team", "children": children, "profile": profile(&[
                ("displayName", group.name.as_deref()),
                ("picture", group.avatar_url.as_deref()),
            ])},
        });
        if let (Some(text), Some(metadata)) =
            (group.description.as_deref().filter(|text| !text.is_empty()), entity.get_mut("metadata"))
        {
            metadata["description"] = text.into();
        }
        if let (Some(parent), Some(spec)) = (parent, entity.get_mut("spec")) {
            spec["parent"] = parent.as_str().into();
        }
        entity
    }

    fn user_entity(
        &self,
        user: &User,
        members: &BTreeMap<String, BTreeSet<String>>,
        names: &BTreeMap<&str, String>,
    ) -> Value {
        let location = self.location(user.web_url.as_deref(), &user.username);
        let groups = members.get(&user.username);
        let member_of: Vec<&String> =
            groups.into_iter().flatten().filter_map(|path| names.get(path.as_str())).collect();
        json!({
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "User",
            "metadata": {
                "name": user.username,
                "annotations": self.annotations("user-login", &location, &location),
            },
            "spec": {"memberOf": member_of, "profile": profile(&[
                ("displayName", user.name.as_deref()),
                ("email", user.public_email.as_deref()),
                ("picture", user.avatar_url.as_deref()),
            ])},
        })
    }

    /// Returns the page of a group or user; one on another host is not believed.
    fn location(&self, said: Option<&str>, path: &str) -> String {
        let ours = || format!("{}{}", self.api.base, address::path(path));
        let said = said.and_then(|said| address::next_page(&self.api.base, said).ok());
        said.map_or_else(ours, Into::into)
    }

    fn annotations(&self, key: &str, value: &str, location: &str) -> Value {
        let host = self.api.base.host_str().unwrap_or("gitlab.com");
        json!({
            format!("{host}/{key}"): value,
            "backstage.io/managed-by-location": format!("url:{location}"),
            "backstage.io/managed-by-origin-location": format!("url:{location}"),
        })
    }
}

/// Returns the query for the members of some groups: `g0`, `g1`, …
fn members_query(groups: &[(String, Option<String>)]) -> (String, Value) {
    let (mut head, mut body) = (Vec::new(), String::new());
    let mut variables = Map::new();
    for (at, (path, after)) in groups.iter().enumerate() {
        head.push(format!("$p{at}: ID!, $a{at}: String"));
        variables.insert(format!("p{at}"), path.as_str().into());
        variables.insert(format!("a{at}"), after.clone().into());
        let _ = write!(
            body,
            " g{at}: group(fullPath: $p{at}) {{ groupMembers(first: 100, relations: [DIRECT], after: $a{at}) {{ \
             pageInfo {{ hasNextPage endCursor }} nodes {{ user {{ username name publicEmail avatarUrl webUrl state \
             }} }} }} }}"
        );
    }
    (format!("query({}) {{{body} }}", head.join(", ")), variables.into())
}

/// Whether a member is a person who may sign in: tokens of groups and projects have users of their own.
fn is_person(user: &User) -> bool {
    let is_bot = ["project_", "group_"].iter().any(|word| {
        let rest = user.username.strip_prefix(word).and_then(|rest| rest.split_once("_bot"));
        rest.is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    });
    let is_active = user.state.as_deref().is_none_or(|state| state == "active");
    !is_bot && is_active && !user.username.is_empty()
}

fn profile(fields: &[(&str, Option<&str>)]) -> Value {
    let given =
        fields.iter().filter_map(|(key, value)| Some((*key, value.filter(|v| !v.trim().is_empty())?)));
    given.map(|(key, value)| (key.to_owned(), Value::from(value))).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_of_tokens_and_blocked_ones_are_no_persons() {
        let user = |name: &str, state: Option<&str>| User {
            username: name.into(),
            name: None,
            public_email: None,
            avatar_url: None,
            web_url: None,
            state: state.map(str::to_owned),
        };
        let cases = [
            ("ana", Some("active"), true),
            ("ana", None, true),
            ("ana", Some("blocked"), false),
            ("project_12_bot", Some("active"), false),
            ("group_7_bot_abc", Some("active"), false),
            ("group_lead", Some("active"), true),
            ("project_x_bot", Some("active"), true),
        ];
        for (name, state, expected) in cases {
            assert_eq!(is_person(&user(name, state)), expected, "{name} {state:?}");
        }
    }
}
