//! Repositories of GitHub: creating one with its settings, people, topics and variables.
//!
//! Start at [`RepositoryInput`]. What is nice to have (people, topics) is told in the log when it fails; what the
//! template relies on (variables, secrets) fails the step and says that the repository exists.

use super::super::forge::{
    Client, Field, Kind, RepoUrl, Trail, effect, field, publication::Remote, segment, text,
};
use super::sealed;
use crate::scaffolder::action::{ActionError, SideEffect, Workbench};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;

const COLLABORATOR: &[Field] = &[
    field("access", Kind::Text, "pull, triage, push, maintain, admin, or a role of the organisation"),
    field("user", Kind::Text, "A user, by name or entity ref"),
    field("team", Kind::Text, "A team of the organisation, by name or entity ref"),
    field("username", Kind::Text, "Old name of `user`"),
];

const OIDC: &[Field] = &[
    field("useDefault", Kind::Flag, "Keep GitHub's own form of the subject").or("true"),
    field("includeClaimKeys", Kind::Texts, "Claims that make up the subject otherwise"),
];

/// Inputs that say what the repository is like.
pub const FIELDS: &[Field] = &[
    super::super::forge::required(
        "repoUrl",
        Kind::Text,
        "The repository: `github.com?owner=OWNER&repo=NAME`",
    ),
    field("description", Kind::Text, "What it is, in a line"),
    field("homepage", Kind::Text, "Its home page"),
    field("access", Kind::Text, "A user, or a team as `ORG/TEAM`, who becomes administrator"),
    field("repoVisibility", Kind::Choice(&["private", "public", "internal"]), "Who may see it")
        .or("\"private\""),
    field("deleteBranchOnMerge", Kind::Flag, "Delete branches once they are merged").or("false"),
    field("allowMergeCommit", Kind::Flag, "Allow merge commits").or("true"),
    field("allowSquashMerge", Kind::Flag, "Allow squashing").or("true"),
    field(
        "squashMergeCommitTitle",
        Kind::Choice(&["PR_TITLE", "COMMIT_OR_PR_TITLE"]),
        "Title of a squashed commit",
    )
    .or("\"COMMIT_OR_PR_TITLE\""),
    field(
        "squashMergeCommitMessage",
        Kind::Choice(&["PR_BODY", "COMMIT_MESSAGES", "BLANK"]),
        "Message of a squashed commit",
    )
    .or("\"COMMIT_MESSAGES\""),
    field("allowRebaseMerge", Kind::Flag, "Allow rebasing").or("true"),
    field("allowAutoMerge", Kind::Flag, "Allow merging by itself once everything is met").or("false"),
    field("allowUpdateBranch", Kind::Flag, "Offer to update branches of pull requests").or("false"),
    field("collaborators", Kind::Objects(COLLABORATOR), "Who else may do what"),
    field("hasProjects", Kind::Flag, "With projects"),
    field("hasWiki", Kind::Flag, "With a wiki"),
    field("hasIssues", Kind::Flag, "With issues"),
    field("topics", Kind::Texts, "Topics; made lower case"),
    field("repoVariables", Kind::Map, "Variables of GitHub Actions"),
    field("secrets", Kind::Map, "Secrets of GitHub Actions; encrypted before they are sent"),
    field("oidcCustomization", Kind::Object(OIDC), "Form of the subject in tokens of workflows"),
    field("customProperties", Kind::Map, "Custom properties (organisations only)"),
    field("subscribe", Kind::Flag, "Watch it").or("false"),
];

/// What the repository is like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RepositoryInput {
    /// `github.com?owner=…&repo=…`.
    pub repo_url: String,
    description: Option<String>,
    homepage: Option<String>,
    access: Option<String>,
    repo_visibility: Option<String>,
    delete_branch_on_merge: Option<bool>,
    allow_merge_commit: Option<bool>,
    allow_squash_merge: Option<bool>,
    squash_merge_commit_title: Option<String>,
    squash_merge_commit_message: Option<String>,
    allow_rebase_merge: Option<bool>,
    allow_auto_merge: Option<bool>,
    allow_update_branch: Option<bool>,
    collaborators: Option<Vec<Collaborator>>,
    has_projects: Option<bool>,
    has_wiki: Option<bool>,
    has_issues: Option<bool>,
    topics: Option<Vec<String>>,
    repo_variables: Option<BTreeMap<String, Json>>,
    secrets: Option<BTreeMap<String, Json>>,
    oidc_customization: Option<Oidc>,
    custom_properties: Option<Map<String, Json>>,
    subscribe: Option<bool>,
    auto_init: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Collaborator {
    access: String,
    user: Option<String>,
    team: Option<String>,
    username: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oidc {
    #[serde(default = "yes")]
    use_default: bool,
    #[serde(default)]
    include_claim_keys: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

/// A repository that was made.
pub struct Made {
    /// Where it is cloned from.
    pub remote: Remote,
    /// Its page.
    pub page: String,
}

impl RepositoryInput {
    fn visibility(&self) -> &str {
        self.repo_visibility.as_deref().unwrap_or("private")
    }

    /// Returns what creating it would change.
    pub fn effect(&self, repo: &RepoUrl, identity: &str) -> SideEffect {
        let mut details = vec![format!("visibility: {}", self.visibility())];
        let people: Vec<String> = self.access.iter().cloned().chain(self.people()).collect();
        let names = |map: &Option<BTreeMap<String, Json>>| {
            map.iter().flat_map(BTreeMap::keys).cloned().collect::<Vec<_>>()
        };
        let lists = [
            ("description", self.description.iter().cloned().collect()),
            ("access", people),
            ("topics", self.topics.clone().unwrap_or_default()),
            ("variables", names(&self.repo_variables)),
            ("secrets", names(&self.secrets)),
        ];
        for (what, items) in lists {
            if !items.is_empty() {
                details.push(format!("{what}: {}", items.join(", ")));
            }
        }
        effect("create repository", repo.shown(), identity.to_owned(), details)
    }

    fn people(&self) -> impl Iterator<Item = String> + '_ {
        let all = self.collaborators.iter().flatten();
        all.filter_map(|one| {
            let name = one.user.as_ref().or(one.team.as_ref()).or(one.username.as_ref())?;
            Some(format!("{} ({})", plain_name(name), one.access))
        })
    }

    /// Creates the repository with all that belongs to it.
    ///
    /// # Errors
    /// What GitHub refuses; the trail says what exists already.
    pub fn create(
        &self,
        bench: &mut dyn Workbench,
        repo: &RepoUrl,
        client: &Client,
        trail: &mut Trail,
    ) -> Result<Made, ActionError> {
        let owner = repo.owner()?;
        let what = format!("look up `{owner}` on {}", client.host);
        let found = client
            .get(bench, &format!("users/{}", segment(owner)))
            .map_err(|refusal| refusal.while_doing(&what))?;
        let kind = found["type"].as_str().unwrap_or("User").to_owned();
        let team = self.access.as_deref().and_then(|access| access.strip_prefix(&format!("{owner}/")));
        if let Some(team) = team {
            let at = format!("orgs/{}/teams/{}", segment(owner), segment(team));
            match client.get(bench, &at) {
                Err(refusal) if refusal.status() == Some(404) => {
                    return Err(ActionError::new(format!(
                        "Received 'Not Found' from the API; one of org: {owner} or team: {team} was not found within \
                         GitHub."
                    ))
                    .hint("correct `access`"));
                }
                _ => {}
            }
        }
        let is_organization = kind == "Organization";
        let at =
            if is_organization { format!("orgs/{}/repos", segment(owner)) } else { "user/repos".to_owned() };
        bench.log(&format!("creating {} repository {}", self.visibility(), repo.shown()));
        let created = match client.post(bench, &at, &self.body(repo, is_organization)) {
            Ok(created) => created,
            Err(refusal) if refusal.is_taken() => match empty_one(bench, repo, client) {
                Some(existing) => existing,
                None => {
                    return Err(refusal
                        .while_doing(&format!("create the {kind} repository {owner}/{}", repo.repo))
                        .hint(
                            "there is a repository of this name: choose another name, or delete that one",
                        ));
                }
            },
            Err(refusal) => {
                return Err(
                    refusal.while_doing(&format!("create the {kind} repository {owner}/{}", repo.repo))
                );
            }
        };
        let remote = Remote {
            https: text(&created, "/clone_url", &client.host)?.to_owned(),
            ssh: created["ssh_url"].as_str().unwrap_or_default().to_owned(),
        };
        let page = text(&created, "/html_url", &client.host)?.to_owned();
        trail.made(effect("create repository", repo.shown(), String::new(), vec![page.clone()]));
        self.equip(bench, repo, client)?;
        Ok(Made { remote, page })
    }

    fn body(&self, repo: &RepoUrl, is_organization: bool) -> Json {
        let mut body = json!({
            "name": repo.repo,
            "private": self.visibility() == "private",
            "description": self.description,
            "homepage": self.homepage,
            "delete_branch_on_merge": self.delete_branch_on_merge.unwrap_or(false),
            "allow_merge_commit": self.allow_merge_commit.unwrap_or(true),
            "allow_squash_merge": self.allow_squash_merge.unwrap_or(true),
            "squash_merge_commit_title":
                self.squash_merge_commit_title.as_deref().unwrap_or("COMMIT_OR_PR_TITLE"),
            "squash_merge_commit_message":
                self.squash_merge_commit_message.as_deref().unwrap_or("COMMIT_MESSAGES"),
            "allow_rebase_merge": self.allow_rebase_merge.unwrap_or(true),
            "allow_auto_merge": self.allow_auto_merge.unwrap_or(false),
            "allow_update_branch": self.allow_update_branch.unwrap_or(false),
            "has_projects": self.has_projects,
            "has_wiki": self.has_wiki,
            "has_issues": self.has_issues,
            "auto_init": self.auto_init,
        });
        if let Some(map) = body.as_object_mut() {
            if is_organization {
                map.insert("visibility".into(), self.visibility().into());
                map.insert("custom_properties".into(), json!(self.custom_properties));
            }
            map.retain(|_, value| !value.is_null());
        }
        body
    }

    /// Adds people, topics, variables and secrets.
    fn equip(&self, bench: &mut dyn Workbench, repo: &RepoUrl, client: &Client) -> Result<(), ActionError> {
        let owner = repo.owner()?;
        let at = path(repo)?;
        let doing = |what: &str| format!("{what} of {}", repo.shown());
        if let Some(access) = self.access.as_deref().filter(|access| !access.is_empty() && *access != owner) {
            let team = access.strip_prefix(&format!("{owner}/"));
            let place = match team {
                Some(team) => team_place(owner, team, &at),
                None => format!("{at}/collaborators/{}", segment(access)),
            };
            let given = client.put(bench, &place, &json!({"permission": "admin"}));
            given
                .map_err(|refusal| refusal.while_doing(&doing(&format!("make `{access}` administrator"))))?;
        }
        for one in self.collaborators.iter().flatten() {
            let place = match (&one.user, &one.team) {
                (Some(user), _) => format!("{at}/collaborators/{}", segment(plain_name(user))),
                (None, Some(team)) => team_place(owner, plain_name(team), &at),
                (None, None) => match &one.username {
                    Some(user) => format!("{at}/collaborators/{}", segment(plain_name(user))),
                    None => continue,
                },
            };
            if let Err(refusal) = client.put(bench, &place, &json!({"permission": one.access})) {
                let name = one.user.as_ref().or(one.team.as_ref()).or(one.username.as_ref());
                let name = name.map(String::as_str).unwrap_or_default();
                bench.warn(&format!("Skipping {} access for {name}, {}", one.access, refusal.error));
            }
        }
        if let Some(topics) = &self.topics {
            let names: Vec<String> = topics.iter().map(|topic| topic.to_lowercase()).collect();
            if let Err(refusal) = client.put(bench, &format!("{at}/topics"), &json!({"names": names})) {
                bench.warn(&format!("Skipping topics {}, {}", topics.join(" "), refusal.error));
            }
        }
        for (name, value) in self.repo_variables.iter().flatten() {
            let body = json!({"name": name, "value": plain_text(value)});
            client
                .post(bench, &format!("{at}/actions/variables"), &body)
                .map_err(|refusal| refusal.while_doing(&doing(&format!("set the variable `{name}`"))))?;
        }
        let secrets: Vec<(&String, String)> =
            self.secrets.iter().flatten().map(|(name, value)| (name, plain_text(value))).collect();
        sealed::send(bench, client, &format!("{at}/actions/secrets"), &secrets)?;
        if let Some(oidc) = &self.oidc_customization {
            let mut body = json!({"use_default": oidc.use_default});
            if let Some(keys) = &oidc.include_claim_keys {
                body["include_claim_keys"] = json!(keys);
            }
            client
                .put(bench, &format!("{at}/actions/oidc/customization/sub"), &body)
                .map_err(|refusal| refusal.while_doing(&doing("set the OIDC subject")))?;
        }
        if self.subscribe == Some(true) {
            let body = json!({"subscribed": true, "ignored": false});
            client
                .put(bench, &format!("{at}/subscription"), &body)
                .map_err(|refusal| refusal.while_doing(&doing("watch the repository")))?;
        }
        Ok(())
    }
}

/// Returns a repository of this name that has no commit yet, as a run leaves it that died before the push: it is
/// used. Anything with a commit is not touched.
fn empty_one(bench: &mut dyn Workbench, repo: &RepoUrl, client: &Client) -> Option<Json> {
    let at = path(repo).ok()?;
    let found = client.get(bench, &at).ok()?;
    let commits = client.get(bench, &format!("{at}/commits?per_page=1"));
    // GitHub says 409 where there is no commit
    if commits.err()?.status() != Some(409) {
        return None;
    }
    bench.warn(&format!("{} exists and is empty: it is used", repo.shown()));
    Some(found)
}

/// Returns where a repository is in the API.
///
/// # Errors
/// When it has no owner.
pub fn path(repo: &RepoUrl) -> Result<String, ActionError> {
    Ok(format!("repos/{}/{}", segment(repo.owner()?), segment(&repo.repo)))
}

fn team_place(owner: &str, team: &str, repository: &str) -> String {
    format!("orgs/{}/teams/{}/{repository}", segment(owner), segment(team))
}

/// Returns the last part of an entity ref, or a name as it is.
pub fn plain_name(name: &str) -> &str {
    name.rsplit([':', '/']).next().unwrap_or(name)
}

/// Returns a text as it is, anything else as JSON.
pub fn plain_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
