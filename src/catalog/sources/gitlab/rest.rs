//! GitLab over REST: trees of projects, single files, and the listing of servers whose GraphQL does not do.

use super::super::forge::{Entry, Page, ReadAnswer, Repository, Wanted, address};
use super::{Gitlab, REST};
use crate::catalog::sources::SourceError;
use crate::net::NetError;
use serde::Deserialize;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

/// Requests under way at once.
const AT_ONCE: usize = 6;

/// Pages of one tree; what comes behind them counts as too much.
const MAX_TREE_PAGES: usize = 2_000;

/// A project of the listing.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "as the server calls it")]
struct Project {
    #[serde(default)]
    path_with_namespace: String,
    #[serde(default)]
    default_branch: Option<String>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    visibility: Option<String>,
    #[serde(default)]
    topics: Option<Vec<String>>,
    /// The name of `topics` on older servers.
    #[serde(default)]
    tag_list: Option<Vec<String>>,
    #[serde(default)]
    forked_from_project: Option<serde::de::IgnoredAny>,
}

/// A file or folder of a tree.
#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    mode: String,
}

/// A branch with its last commit.
#[derive(Debug, Deserialize)]
struct Branch {
    #[serde(default)]
    commit: Option<Commit>,
}

#[derive(Debug, Deserialize)]
struct Commit {
    id: String,
}

fn of_project(project: Project) -> Repository {
    Repository {
        path: project.path_with_namespace,
        // empty when nothing was ever pushed
        branch: project.default_branch.unwrap_or_default(),
        // the time of the last activity is written once an hour at most, which is too seldom
        stamp: None,
        topics: project.topics.or(project.tag_list).unwrap_or_default(),
        archived: project.archived,
        fork: project.forked_from_project.is_some(),
        visibility: project.visibility.unwrap_or_default(),
        ..Repository::default()
    }
}

impl Gitlab<'_> {
    /// Lists one page of projects; `at` is the address that the page before gave.
    pub(super) fn rest_page(&self, at: Option<&str>) -> Result<Page, SourceError> {
        let first = match &self.group {
            Some(group) => format!(
                "api/v4/groups/{}/projects?include_subgroups=true&with_shared=false&order_by=id&sort=asc&per_page=100",
                address::segment(group)
            ),
            None => format!(
                "api/v4/projects?membership={}&pagination=keyset&order_by=id&sort=asc&per_page=100",
                self.membership
            ),
        };
        let answer = self.api.get(at.unwrap_or(&first)).map_err(|error| self.fail(error))?;
        let projects: Vec<Project> = answer.json().map_err(|error| self.fail(error))?;
        let next = match answer.next_link() {
            Some(next) => {
                let next =
                    address::next_page(&self.api.base, next.as_str()).map_err(|error| self.fail(error))?;
                Some(format!("{REST}{next}"))
            }
            None => None,
        };
        let total = answer.header("x-total").and_then(|total| total.parse().ok());
        let named = projects.into_iter().filter(|project| address::is_name(&project.path_with_namespace));
        let repositories: Vec<Mutex<Repository>> = named.map(of_project).map(Mutex::new).collect();
        // one request each, which is not more than reading one file and tells about all of them
        if self.branch.is_some() || self.file.is_none() {
            self.api.each(&repositories, AT_ONCE, |repository| {
                self.find_branch(&mut repository.lock().unwrap_or_else(PoisonError::into_inner));
                ControlFlow::Continue(())
            });
        }
        let repositories = repositories
            .into_iter()
            .map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        Ok(Page { repositories, next, total, problems: Vec::new() })
    }

    /// Looks for the wanted branch; where there is none, the default one is read.
    fn find_branch(&self, repository: &mut Repository) {
        if repository.branch.is_empty() || repository.archived {
            return;
        }
        let wanted = self.branch.as_deref().unwrap_or(&repository.branch);
        let answer = self.api.get(&format!(
            "api/v4/projects/{}/repository/branches/{}",
            address::segment(&repository.path),
            address::segment(wanted)
        ));
        // what goes wrong here goes wrong again, and is told, when files are read
        let found = answer.and_then(|answer| answer.json::<Branch>());
        match found {
            Ok(found) => {
                repository.branch = wanted.to_owned();
                repository.stamp = found.commit.map(|commit| commit.id);
            }
            Err(error) if error.is_not_found() => {}
            Err(_) => repository.branch = wanted.to_owned(),
        }
    }

    /// Reads one file.
    pub(super) fn read_over_rest(&self, wanted: &Wanted) -> ReadAnswer {
        let revision = wanted.revision.as_deref().unwrap_or("HEAD");
        let answer = self.api.get(&format!(
            "api/v4/projects/{}/repository/files/{}/raw?ref={}",
            address::segment(&wanted.repository),
            address::segment(&wanted.path),
            address::segment(revision)
        ));
        match answer {
            Ok(answer) => {
                let blob = answer.header("x-gitlab-blob-id").map(str::to_owned);
                address::content(&self.api.base, answer, blob, self.max_file).map(Some)
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the files below a folder.
    pub(super) fn tree_over_rest(
        &self,
        repository: &str,
        revision: Option<&str>,
        folder: &str,
    ) -> Result<Vec<Entry>, NetError> {
        let mut at = format!(
            "api/v4/projects/{}/repository/tree?recursive=true&pagination=keyset&per_page=100&path={}&ref={}",
            address::segment(repository),
            address::segment(folder),
            address::segment(revision.unwrap_or("HEAD"))
        );
        let mut entries = Vec::new();
        for _ in 0..MAX_TREE_PAGES {
            let answer = self.api.get_once(&at)?;
            let nodes: Vec<Node> = answer.json()?;
            let files = nodes
                .into_iter()
                .filter(|node| node.kind == "blob" && node.mode != "120000" && address::is_name(&node.path));
            entries.extend(files.map(|node| Entry { path: node.path, blob: node.id }));
            let Some(next) = answer.next_link() else { return Ok(entries) };
            let next: String = address::next_page(&self.api.base, next.as_str())?.into();
            if next == at {
                break;
            }
            at = next;
        }
        Err(address::endless(&self.api.base, repository))
    }
}
