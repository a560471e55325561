//! What is asked over REST: everything without a token, and what GraphQL does not give.

use super::super::forge::source_error;
use super::super::forge::{Content, Entry, Listed, Page, ReadAnswer, Repository, Wanted, Wish};
use super::Github;
use crate::catalog::sources::SourceError;
use crate::catalog::tree::MAX_FILES;
use crate::net::{Answer, Api, NetError, Request};
use reqwest::header::{ACCEPT, HeaderValue};
use serde::Deserialize;
use std::sync::Arc;
use url::Url;

/// Content as it is, not wrapped into JSON.
const RAW: HeaderValue = HeaderValue::from_static("application/vnd.github.raw+json");

#[derive(Deserialize)]
struct Listed100 {
    full_name: String,
    #[serde(default)]
    default_branch: Option<String>,
    #[serde(default)]
    pushed_at: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    fork: bool,
    #[serde(default)]
    visibility: Option<String>,
    #[serde(default)]
    private: bool,
}

#[derive(Deserialize)]
struct Tree {
    tree: Vec<TreeItem>,
    #[serde(default)]
    truncated: bool,
}

#[derive(Deserialize)]
struct TreeItem {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    sha: String,
}

impl Github<'_> {
    /// Lists a page. The place to go on is the address of the next page below the interface.
    pub(super) fn page_by_rest(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        let owner = &self.host.owner;
        let failed = |error: NetError| {
            let what = format!("organisation or user `{owner}`");
            source_error(&self.host.place(), &what, self.has_token, error)
        };
        let first = |list: &str| format!("{list}/{owner}/repos?per_page=100&sort=full_name&page=1");
        let answer = match wish.after {
            Some(after) => self.rest.get(after),
            None => match self.rest.get(&first("orgs")) {
                Err(error) if error.is_not_found() => self.rest.get(&first("users")),
                other => other,
            },
        };
        let answer = answer.map_err(failed)?;
        let listed: Vec<Listed100> = answer.json().map_err(failed)?;
        let repositories = listed.into_iter().map(|one| self.listed_by_rest(one)).collect();
        Ok(Page { repositories, next: self.next_of(&answer), total: None, problems: Vec::new() })
    }

    /// Returns the next page relative to the interface, so that no answer leads elsewhere.
    fn next_of(&self, answer: &Answer) -> Option<String> {
        let next = answer.next_link()?;
        let base = &self.host.rest;
        let below = next.path().strip_prefix(base.path()).filter(|_| next.origin() == base.origin())?;
        Some(format!("{below}?{}", next.query().unwrap_or_default()))
    }

    fn listed_by_rest(&self, one: Listed100) -> Repository {
        let visibility =
            one.visibility.unwrap_or_else(|| if one.private { "private" } else { "public" }.to_owned());
        Repository {
            path: one.full_name,
            // a repository that nothing was ever pushed to has a branch by name only
            branch: match (&self.cx.config.branch, &one.pushed_at) {
                (Some(branch), Some(_)) => branch.clone(),
                (None, Some(_)) => one.default_branch.unwrap_or_default(),
                (_, None) => String::new(),
            },
            stamp: one.pushed_at,
            topics: one.topics,
            archived: one.archived,
            fork: one.fork,
            visibility: visibility.to_lowercase(),
            files: Listed::Unknown,
        }
    }

    /// Reads a file as anybody does.
    pub(super) fn read_by_rest(&self, wanted: &Wanted) -> ReadAnswer {
        let revision = wanted.revision.as_deref().unwrap_or("HEAD");
        let answer = if let Some(raw) = &self.raw {
            let mut url = raw.base.clone();
            extend(&mut url, wanted.repository.split('/'));
            extend(&mut url, revision.split('/').chain(wanted.path.split('/')));
            raw.send(Request::get(url).once())
        } else {
            let mut url = self.host.rest.clone();
            extend(&mut url, ["repos"].into_iter().chain(wanted.repository.split('/')));
            extend(&mut url, ["contents"].into_iter().chain(wanted.path.split('/')));
            url.query_pairs_mut().append_pair("ref", revision);
            plain(&self.rest, url)
        };
        match answer {
            Ok(answer) => self.checked(answer.body).map(|bytes| Some(Content { blob: None, bytes })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a blob by its id.
    pub(super) fn blob_by_rest(&self, repository: &str, blob: &str) -> Result<Arc<[u8]>, NetError> {
        let mut url = self.host.rest.clone();
        extend(&mut url, ["repos"].into_iter().chain(repository.split('/')));
        extend(&mut url, ["git", "blobs", blob]);
        self.checked(plain(&self.rest, url)?.body)
    }

    /// Refuses what is larger than a file may be.
    fn checked(&self, bytes: Arc<[u8]>) -> Result<Arc<[u8]>, NetError> {
        let limit = self.cx.config.max_file_bytes;
        if bytes.len() as u64 > limit {
            return Err(NetError::TooLarge { host: self.host.place(), limit });
        }
        Ok(bytes)
    }

    /// Lists the files below a folder, by one request unless the tree is very large.
    pub(super) fn tree_by_rest(
        &self,
        repository: &str,
        revision: Option<&str>,
        folder: &str,
    ) -> Result<Vec<Entry>, NetError> {
        let whole = self.tree_of(repository, revision.unwrap_or("HEAD"), true)?;
        if !whole.truncated || folder.is_empty() {
            return Ok(entries(whole, "", folder));
        }
        // too large for one answer: go down to the folder, and list that
        let mut sha = revision.unwrap_or("HEAD").to_owned();
        for part in folder.split('/') {
            let level = self.tree_of(repository, &sha, false)?;
            let found = level.tree.into_iter().find(|item| item.path == part && item.kind == "tree");
            match found {
                Some(item) => sha = item.sha,
                None => return Ok(Vec::new()),
            }
        }
        Ok(entries(self.tree_of(repository, &sha, true)?, folder, folder))
    }

    fn tree_of(&self, repository: &str, revision: &str, recursive: bool) -> Result<Tree, NetError> {
        let mut url = self.host.rest.clone();
        extend(&mut url, ["repos"].into_iter().chain(repository.split('/')));
        extend(&mut url, ["git", "trees", revision]);
        if recursive {
            url.set_query(Some("recursive=1"));
        }
        match self.rest.send(Request::get(url).once()) {
            // an empty repository
            Err(NetError::Status { status: 409, .. }) => Ok(Tree { tree: Vec::new(), truncated: false }),
            Err(error) => Err(error),
            Ok(answer) => answer.json(),
        }
    }
}

fn entries(tree: Tree, prefix: &str, folder: &str) -> Vec<Entry> {
    tree.tree
        .into_iter()
        .filter(|item| item.kind == "blob")
        .map(|item| Entry {
            path: if prefix.is_empty() { item.path } else { format!("{prefix}/{}", item.path) },
            blob: item.sha,
        })
        .filter(|entry| {
            folder.is_empty() || entry.path.strip_prefix(folder).is_some_and(|below| below.starts_with('/'))
        })
        .take(MAX_FILES)
        .collect()
}

fn plain(api: &Api<'_>, url: Url) -> Result<Answer, NetError> {
    let mut request = Request::get(url).once();
    request.headers.insert(ACCEPT, RAW);
    api.send(request)
}

/// Appends parts, each escaped.
fn extend<'p>(url: &mut Url, parts: impl IntoIterator<Item = &'p str>) {
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
}
