//! The repositories of an organisation or user of Gitea or Forgejo.
//!
//! A page of the listing is one request for up to fifty repositories and says when each was last pushed to:
//! one that was not costs nothing more. Where the name is that of a user, the user's repositories are read.

use super::forge::{
    self, Entry, Filter, Forge, Page, Plan, ReadAnswer, Repository, Wanted, Wish, address, source_error,
};
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec};
use crate::config::source::SourceConfig;
use crate::net::{Answer, Api, Auth, NetError};
use serde::Deserialize;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// The type `gitea`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "gitea",
    help: "the repositories of an organisation or user of Gitea or Forgejo",
    settings: &[
        "url",
        "token",
        "organization",
        "repositories",
        "catalog_path",
        "branch",
        "org",
        "codeowners",
        "ca_file",
        "username",
    ],
    open,
};

/// Time between two refreshes.
const EVERY: Duration = Duration::from_secs(30 * 60);
/// Repositories of one page; the server gives no more unless it is told to.
const PAGE: usize = 50;
/// Pages of one tree; what comes behind them counts as too much.
const MAX_TREE_PAGES: usize = 500;
/// Requests under way at once.
const AT_ONCE: usize = 6;
/// Mode of a symbolic link in a tree.
const LINK: &str = "120000";
/// Words between repository and revision in addresses of files.
const SHAPES: &[&[&str]] = &[
    &["src", "branch"],
    &["src", "tag"],
    &["src", "commit"],
    &["raw", "branch"],
    &["raw", "tag"],
    &["raw", "commit"],
    &["_edit", "branch"],
];

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let missing = |setting| SourceError::MissingSetting { kind: "gitea", setting };
    config.url.as_ref().ok_or(missing("url"))?;
    let base = address::base(config, "https://gitea.example.com")?;
    let owner = config.organization.as_deref().map(|name| name.trim_matches('/')).filter(|n| !n.is_empty());
    let owner = owner.ok_or(missing("organization"))?.to_owned();
    Plan::of(config)?;
    Filter::new(&config.repositories)?;
    Ok(Box::new(GiteaSource { base, owner }))
}

struct GiteaSource {
    base: Url,
    owner: String,
}

impl CatalogProvider for GiteaSource {
    fn place(&self) -> String {
        format!("{}{}", self.base, self.owner)
    }

    fn every(&self) -> Option<Duration> {
        Some(EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let auth = match (cx.token()?, &cx.config.username) {
            (Some(token), Some(name)) => Auth::Basic(name.clone(), token),
            (Some(token), None) => Auth::Token(token),
            (None, _) => Auth::None,
        };
        let settings = &cx.config.repositories;
        let gitea = Gitea {
            has_token: !matches!(auth, Auth::None),
            api: cx.api(self.base.clone(), auth),
            place: self.place(),
            owner: &self.owner,
            branch: cx.config.branch.clone(),
            max_file: cx.config.max_file_bytes,
            needs_topics: !settings.topics.is_empty() || !settings.exclude_topics.is_empty(),
        };
        forge::refresh(cx, &gitea)
    }
}

/// One refresh of one source.
struct Gitea<'a> {
    api: Api<'a>,
    place: String,
    owner: &'a str,
    branch: Option<String>,
    max_file: u64,
    has_token: bool,
    needs_topics: bool,
}

/// A repository of a listing.
#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    default_branch: String,
    #[serde(default)]
    empty: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    fork: bool,
    #[serde(default)]
    private: bool,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    updated_at: Option<String>,
    /// Older servers do not say.
    #[serde(default)]
    topics: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Topics {
    #[serde(default)]
    topics: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Tree {
    #[serde(default)]
    tree: Option<Vec<Node>>,
    #[serde(default)]
    total_count: usize,
}

#[derive(Debug, Deserialize)]
struct Node {
    path: String,
    #[serde(default)]
    sha: String,
    #[serde(default)]
    mode: String,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Branch {
    commit: Commit,
}

#[derive(Debug, Deserialize)]
struct Commit {
    id: String,
}

impl Gitea<'_> {
    fn fail(&self, error: NetError) -> SourceError {
        let what = format!("organisation or user `{}`", self.owner);
        source_error(&self.place, &what, self.has_token, error)
    }

    /// Asks for the first page: of an organisation, and if there is none, of a user.
    fn first_page(&self) -> Result<Answer, NetError> {
        let owner = address::segment(self.owner);
        match self.api.get(&format!("api/v1/orgs/{owner}/repos?limit={PAGE}&page=1")) {
            Err(error) if error.is_not_found() => {
                self.api.get(&format!("api/v1/users/{owner}/repos?limit={PAGE}&page=1"))
            }
            other => other,
        }
    }

    fn repository(&self, listed: Listed) -> Repository {
        let default = if listed.empty { String::new() } else { listed.default_branch };
        let branch = self.branch.clone().filter(|_| !default.is_empty()).unwrap_or(default);
        let visibility = match (listed.private, listed.internal) {
            (true, _) => "private",
            (false, true) => "internal",
            (false, false) => "public",
        };
        Repository {
            path: listed.full_name,
            branch,
            stamp: listed.updated_at,
            topics: listed.topics.unwrap_or_default(),
            archived: listed.archived,
            fork: listed.fork,
            visibility: visibility.to_owned(),
            ..Repository::default()
        }
    }

    /// Asks for topics that the listing did not tell.
    fn find_topics(&self, listed: &mut Listed) {
        let answer = self.api.get(&format!("{}/topics?limit=50", repository(&listed.full_name)));
        // without an answer it has none, as for the listing
        listed.topics =
            answer.and_then(|answer| answer.json::<Topics>()).ok().and_then(|topics| topics.topics);
    }

    /// Returns a revision as one part of an address: a branch with a `/` by its commit.
    fn revision(&self, path: &str, revision: Option<&str>) -> Result<String, NetError> {
        match revision {
            None => Ok("HEAD".to_owned()),
            Some(name) if name.contains('/') => {
                let answer =
                    self.api.get(&format!("{}/branches/{}", repository(path), address::path(name)))?;
                Ok(answer.json::<Branch>()?.commit.id)
            }
            Some(name) => Ok(address::segment(name)),
        }
    }
}

/// Returns where a repository is asked about.
fn repository(path: &str) -> String {
    format!("api/v1/repos/{}", address::path(path))
}

/// Returns the address of the page behind this one.
fn next_page(base: &Url, answer: &Answer, listed: usize) -> Result<Option<String>, NetError> {
    if let Some(next) = answer.next_link() {
        return Ok(Some(address::next_page(base, next.as_str())?.into()));
    }
    // a server behind a proxy that drops the links still says how many there are
    let total: usize = answer.header("x-total-count").and_then(|total| total.parse().ok()).unwrap_or(0);
    let value = |name: &str| {
        let found = answer.url.query_pairs().find(|(key, _)| key == name)?.1;
        found.parse::<usize>().ok()
    };
    let page = value("page").unwrap_or(1);
    // the first page tells how many the server gives at most
    let size = if page == 1 { listed } else { value("limit").unwrap_or(PAGE) };
    if answer.header("link").is_some() || listed == 0 || page.saturating_mul(size) >= total {
        return Ok(None);
    }
    let mut next = answer.url.clone();
    next.set_query(Some(&format!("limit={size}&page={}", page + 1)));
    Ok(Some(address::next_page(base, next.as_str())?.into()))
}

impl Forge for Gitea<'_> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn page(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        let answer = match wish.after {
            Some(at) => address::next_page(&self.api.base, at).and_then(|at| self.api.get(at.as_str())),
            None => self.first_page(),
        };
        let answer = answer.map_err(|error| self.fail(error))?;
        let listed: Vec<Listed> = answer.json().map_err(|error| self.fail(error))?;
        let next = next_page(&self.api.base, &answer, listed.len()).map_err(|error| self.fail(error))?;
        let total = answer.header("x-total-count").and_then(|total| total.parse().ok());
        let listed: Vec<Mutex<Listed>> = listed.into_iter().map(Mutex::new).collect();
        if self.needs_topics {
            self.api.each(&listed, AT_ONCE, |one| {
                let mut one = one.lock().unwrap_or_else(PoisonError::into_inner);
                if one.topics.is_none() && address::is_name(&one.full_name) {
                    self.find_topics(&mut one);
                }
                ControlFlow::Continue(())
            });
        }
        let repositories = listed
            .into_iter()
            .map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner))
            .filter(|one| address::is_name(&one.full_name))
            .map(|one| self.repository(one))
            .collect();
        Ok(Page { repositories, next, total, problems: Vec::new() })
    }

    fn read(&self, wanted: &[Wanted]) -> Vec<ReadAnswer> {
        let read = |wanted: &Wanted| {
            let revision = wanted
                .revision
                .as_deref()
                .map(|name| format!("?ref={}", address::segment(name)))
                .unwrap_or_default();
            let at =
                format!("{}/raw/{}{revision}", repository(&wanted.repository), address::path(&wanted.path));
            match self.api.get_once(&at) {
                Ok(answer) => address::content(&self.api.base, answer, None, self.max_file).map(Some),
                Err(error) if error.is_not_found() => Ok(None),
                Err(error) => Err(error),
            }
        };
        wanted.iter().map(read).collect()
    }

    fn tree(&self, path: &str, revision: Option<&str>, folder: &str) -> Result<Vec<Entry>, NetError> {
        let revision = self.revision(path, revision)?;
        let mut entries = Vec::new();
        let mut seen = 0;
        for page in 1..=MAX_TREE_PAGES {
            let at =
                format!("{}/git/trees/{revision}?recursive=true&per_page=1000&page={page}", repository(path));
            let tree: Tree = self.api.get_once(&at)?.json()?;
            let nodes = tree.tree.unwrap_or_default();
            let count = nodes.len();
            seen += count;
            let below = |path: &str| {
                folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
            };
            let files = nodes.into_iter().filter(|node| {
                node.kind == "blob" && node.mode != LINK && address::is_name(&node.path) && below(&node.path)
            });
            entries.extend(files.map(|node| Entry { path: node.path, blob: node.sha }));
            if count == 0 || seen >= tree.total_count {
                return Ok(entries);
            }
        }
        Err(address::endless(&self.api.base, path))
    }

    fn web_url(&self, repository: &str, revision: &str, path: &str) -> Option<Url> {
        forge::page_url(&self.api.base, repository, &["src", "branch"], revision, path)
    }

    fn locate(&self, url: &Url, branch: &dyn Fn(&str) -> Option<String>) -> Option<Wanted> {
        forge::split_page(&self.api.base, url, SHAPES, branch)
    }
}
