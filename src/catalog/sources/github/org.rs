//! Teams and members of an organisation, mapped as Backstage's provider for organisations does.

use super::super::forge::org::{MAX_MEMBERS, MAX_TEAMS, Member, Org, Team};
use super::Github;
use super::graphql::{Connection, Failed, RATE, Reply, without_data};
use crate::catalog::sources::SourceError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Members that one request brings of each team; the most that GitHub gives.
const MEMBERS: usize = 100;
/// Teams of one page: fewer, since each brings members.
const TEAMS: usize = 50;
/// Pages of one list after which it counts as endless.
const MAX_PAGES: usize = 2_500;

#[derive(Deserialize)]
struct Answer<T> {
    organization: Option<T>,
}

#[derive(Deserialize)]
struct Teams {
    teams: Option<Connection<TeamNode>>,
}

#[derive(Deserialize)]
struct OneTeam {
    team: Option<TeamMembers>,
}

#[derive(Deserialize)]
struct TeamMembers {
    members: Connection<Login>,
}

#[derive(Deserialize)]
struct Members {
    #[serde(rename = "membersWithRole")]
    members: Option<Connection<Person>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TeamNode {
    slug: String,
    combined_slug: Option<String>,
    name: Option<String>,
    description: Option<String>,
    avatar_url: Option<String>,
    edit_team_url: Option<String>,
    parent_team: Option<Parent>,
    members: Option<Connection<Login>>,
}

#[derive(Deserialize)]
struct Parent {
    slug: String,
}

#[derive(Deserialize)]
struct Login {
    login: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    login: String,
    name: Option<String>,
    email: Option<String>,
    bio: Option<String>,
    avatar_url: Option<String>,
}

impl Github<'_> {
    /// Reads all teams with their direct members, and all members.
    pub(super) fn read_org(&self) -> Result<Org, SourceError> {
        let read = || Ok(Org { teams: self.teams()?, members: self.members()? });
        read().map_err(|failed| match failed {
            Failed::NotFound => SourceError::Unreadable {
                place: self.host.place(),
                cause: format!(
                    "`{}` is no organisation, or the token may not see its teams",
                    self.host.owner
                ),
                hint: Some(
                    "users have no teams: leave out `org`; else give the token the scope `read:org`"
                        .to_owned(),
                ),
            },
            other => self.source_error(other),
        })
    }

    fn teams(&self) -> Result<Vec<Team>, Failed> {
        let query = format!(
            "query($owner: String!, $after: String) {{ {RATE} organization(login: $owner) {{ teams(first: {TEAMS}, after: \
             $after, orderBy: {{field: NAME, direction: ASC}}) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ slug \
             combinedSlug name description avatarUrl editTeamUrl parentTeam {{ slug }} members(first: {MEMBERS}, membership: \
             IMMEDIATE) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ login }} }} }} }} }} }}"
        );
        let mut teams = Vec::new();
        self.pages(
            &query,
            &json!({}),
            MAX_TEAMS,
            |answer: Teams| answer.teams,
            |node: TeamNode| {
                teams.push(self.team(node)?);
                Ok(teams.len())
            },
        )?;
        Ok(teams)
    }

    fn team(&self, node: TeamNode) -> Result<Team, Failed> {
        let mut members: Vec<String> = Vec::new();
        if let Some(connection) = node.members {
            members.extend(connection.nodes.into_iter().flatten().map(|node| node.login));
            if let Some(after) = connection.page_info.next() {
                self.rest_of_team(&node.slug, &after, &mut members)?;
            }
        }
        let owner = &self.host.owner;
        let mut annotations = vec![(
            "github.com/team-slug".to_owned(),
            node.combined_slug.unwrap_or_else(|| format!("{owner}/{}", node.slug)),
        )];
        annotations.extend(node.edit_team_url.map(|url| ("backstage.io/edit-url".to_owned(), url)));
        Ok(Team {
            url: format!("{}orgs/{owner}/teams/{}", self.host.pages, node.slug),
            name: node.slug,
            kind: "team".to_owned(),
            title: node.name,
            description: node.description,
            picture: node.avatar_url,
            parent: node.parent_team.map(|parent| parent.slug),
            members,
            annotations,
        })
    }

    /// Reads the members of a large team that did not come with the team.
    fn rest_of_team(&self, slug: &str, after: &str, members: &mut Vec<String>) -> Result<(), Failed> {
        let query = format!(
            "query($owner: String!, $after: String, $slug: String!) {{ {RATE} organization(login: $owner) {{ team(slug: $slug) \
             {{ members(first: {MEMBERS}, after: $after, membership: IMMEDIATE) {{ pageInfo {{ hasNextPage endCursor }} nodes \
             {{ login }} }} }} }} }}"
        );
        let variables = json!({ "slug": slug, "after": after });
        let find = |answer: OneTeam| answer.team.map(|team| team.members);
        self.pages(&query, &variables, MAX_MEMBERS, find, |node: Login| {
            members.push(node.login);
            Ok(members.len())
        })
    }

    fn members(&self) -> Result<Vec<Member>, Failed> {
        // mail addresses ask for a scope of their own; without it the rest is still worth having
        match self.members_with("email ") {
            Err(Failed::Denied(_)) => self.members_with(""),
            other => other,
        }
    }

    fn members_with(&self, email: &str) -> Result<Vec<Member>, Failed> {
        let query = format!(
            "query($owner: String!, $after: String) {{ {RATE} organization(login: $owner) {{ membersWithRole(first: \
             {MEMBERS}, after: $after) {{ totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ login name {email}bio \
             avatarUrl }} }} }} }}"
        );
        let mut members = Vec::new();
        self.pages(
            &query,
            &json!({}),
            MAX_MEMBERS,
            |answer: Members| answer.members,
            |person: Person| {
                members.push(Member {
                    url: format!("{}{}", self.host.pages, person.login),
                    annotations: vec![("github.com/user-login".to_owned(), person.login.clone())],
                    name: person.login,
                    title: person.name,
                    description: person.bio,
                    email: person.email,
                    picture: person.avatar_url,
                });
                self.cx.report(members.len(), None, "members");
                Ok(members.len())
            },
        )?;
        Ok(members)
    }

    /// Goes through the pages of a list and hands on each node; stops when `take` has taken `most`.
    fn pages<A: DeserializeOwned, T: DeserializeOwned>(
        &self,
        query: &str,
        variables: &Value,
        most: usize,
        find: impl Fn(A) -> Option<Connection<T>>,
        mut take: impl FnMut(T) -> Result<usize, Failed>,
    ) -> Result<(), Failed> {
        let mut variables = variables.as_object().cloned().unwrap_or_default();
        variables.insert("owner".to_owned(), self.host.owner.as_str().into());
        for _ in 0..MAX_PAGES {
            let reply: Reply<Answer<A>> = self.ask(query, &Value::Object(variables.clone()))?;
            let found = reply.data.and_then(|data| data.organization).and_then(&find);
            let Some(connection) = found else {
                return Err(without_data(&reply.errors, &self.host.place()));
            };
            for node in connection.nodes.into_iter().flatten() {
                if take(node)? >= most {
                    return Ok(());
                }
            }
            match connection.page_info.next() {
                Some(next) => drop(variables.insert("after".to_owned(), next.into())),
                None => return Ok(()),
            }
        }
        Err(Failed::Net(self.broken("a list of it does not come to an end".to_owned())))
    }
}
