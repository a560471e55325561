//! A workspace of Bitbucket Cloud.
//!
//! The listing gives a hundred repositories a request and says when each was last pushed to. Where there
//! are many and the code search of the workspace answers, it tells which of them have a descriptor, so that
//! the others, often most, are not asked one by one: an hour allows but a thousand requests.

use super::super::forge::{self, address};
use super::super::forge::{Entry, Forge, Listed, Page, ReadAnswer, Repository, Wanted, Wish, source_error};
use crate::catalog::sources::SourceError;
use crate::net::{Api, NetError};
use rustc_hash::FxHashSet;
use serde::Deserialize;
use std::sync::OnceLock;
use url::Url;

/// Folders that are looked into below each other.
pub(super) const DEPTH: usize = 20;
/// Repositories from which on the search is asked.
const SEARCH_FROM: usize = 200;
/// Pages of one search or tree.
const MAX_PAGES: usize = 500;
/// Words between repository and revision in addresses of files.
const SHAPES: &[&[&str]] = &[&["src"], &["raw"]];

/// One refresh of one workspace.
pub(super) struct Cloud<'a> {
    pub api: Api<'a>,
    /// Where people see files.
    pub pages: &'a Url,
    pub place: String,
    pub workspace: &'a str,
    pub project: Option<&'a str>,
    pub has_token: bool,
    /// The one descriptor, where the search can know about it.
    pub searched: Option<String>,
    /// Folders that descriptors may lie below each other.
    pub depth: usize,
    pub branch: Option<String>,
    pub max_file: u64,
    /// Repositories with a descriptor, once searched for; `None`: the search does not answer.
    pub found: OnceLock<Option<FxHashSet<String>>>,
}

/// A page of anything.
#[derive(Debug, Deserialize)]
#[expect(clippy::struct_field_names, reason = "as the server calls it")]
struct Values<T> {
    #[serde(default = "Vec::new")]
    values: Vec<T>,
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    size: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(default)]
    full_name: String,
    #[serde(default)]
    is_private: bool,
    #[serde(default)]
    mainbranch: Option<Named>,
    #[serde(default)]
    updated_on: Option<String>,
    #[serde(default)]
    parent: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct Node {
    path: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    attributes: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Branch {
    target: Target,
}

#[derive(Debug, Deserialize)]
struct Target {
    hash: String,
}

#[derive(Debug, Deserialize)]
struct Match {
    file: MatchedFile,
}

#[derive(Debug, Deserialize)]
struct MatchedFile {
    #[serde(default)]
    path: String,
    #[serde(default)]
    commit: Option<MatchedCommit>,
}

#[derive(Debug, Deserialize)]
struct MatchedCommit {
    repository: MatchedRepository,
}

#[derive(Debug, Deserialize)]
struct MatchedRepository {
    #[serde(default)]
    full_name: String,
}

impl Cloud<'_> {
    fn fail(&self, error: NetError) -> SourceError {
        let what = format!("workspace `{}`", self.workspace);
        source_error(&self.place, &what, self.has_token, error)
    }

    fn first_page(&self) -> String {
        let fields = "next,size,values.full_name,values.is_private,values.mainbranch.name,values.updated_on,\
                      values.parent.full_name";
        let project = self.project.map(|key| {
            let condition = format!("project.key=\"{}\"", key.replace(['"', '\\'], ""));
            format!("&q={}", address::segment(&condition))
        });
        format!(
            "repositories/{}?pagelen=100&sort=full_name&fields={}{}",
            address::segment(self.workspace),
            address::segment(fields),
            project.unwrap_or_default()
        )
    }

    fn repository(&self, found: Found, with_descriptor: Option<&FxHashSet<String>>) -> Repository {
        let default = found.mainbranch.map(|branch| branch.name).unwrap_or_default();
        let has_none = with_descriptor.is_some_and(|names| !names.contains(&found.full_name.to_lowercase()));
        Repository {
            branch: self.branch.clone().filter(|_| !default.is_empty()).unwrap_or(default),
            stamp: found.updated_on,
            fork: found.parent.is_some(),
            visibility: if found.is_private { "private" } else { "public" }.to_owned(),
            files: if has_none { Listed::Known(Vec::new()) } else { Listed::Unknown },
            path: found.full_name,
            ..Repository::default()
        }
    }

    /// Returns the repositories that have a descriptor, if the search tells about all of them.
    fn search(&self, file: &str) -> Option<FxHashSet<String>> {
        let name = file.rsplit('/').next().unwrap_or(file).replace('"', "");
        let project = self.project.map(|key| format!(" project:{key}")).unwrap_or_default();
        let query = format!("\"{name}\" path:{file}{project}");
        let fields = "next,size,values.file.path,values.file.commit.repository.full_name";
        let mut at = format!(
            "workspaces/{}/search/code?pagelen=100&search_query={}&fields={}",
            address::segment(self.workspace),
            address::segment(&query),
            address::segment(fields)
        );
        let (mut names, mut seen) = (FxHashSet::default(), 0);
        for _ in 0..MAX_PAGES {
            let page: Values<Match> = self.api.get_once(&at).and_then(|answer| answer.json()).ok()?;
            seen += page.values.len();
            for found in page.values {
                if let Some(commit) = found.file.commit.filter(|_| found.file.path == file) {
                    names.insert(commit.repository.full_name.to_lowercase());
                }
            }
            match page.next {
                Some(next) => at = address::next_page(&self.api.base, &next).ok()?.into(),
                // it stops at some number of matches without a word
                None => return page.size.is_none_or(|size| seen >= size).then_some(names),
            }
        }
        None
    }

    /// Returns a revision as one part of an address: a branch with a `/` by its commit.
    fn revision(&self, path: &str, revision: Option<&str>) -> Result<String, NetError> {
        match revision {
            None => Ok("HEAD".to_owned()),
            Some(name) if name.contains('/') => {
                let answer =
                    self.api.get(&format!("{}/refs/branches/{}", repository(path), address::path(name)))?;
                Ok(answer.json::<Branch>()?.target.hash)
            }
            Some(name) => Ok(address::segment(name)),
        }
    }

    fn read_one(&self, wanted: &Wanted) -> ReadAnswer {
        let read = || {
            let revision = self.revision(&wanted.repository, wanted.revision.as_deref())?;
            let path = address::path(&wanted.path);
            self.api.get_once(&format!("{}/src/{revision}/{path}", repository(&wanted.repository)))
        };
        match read() {
            Ok(answer) => address::content(&self.api.base, answer, None, self.max_file).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn repository(path: &str) -> String {
    format!("repositories/{}", address::path(path))
}

impl Forge for Cloud<'_> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn page(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        let at = match wish.after {
            Some(at) => address::next_page(&self.api.base, at).map_err(|error| self.fail(error))?.into(),
            None => self.first_page(),
        };
        let page = self.api.get(&at).and_then(|answer| answer.json::<Values<Found>>());
        let page = page.map_err(|error| self.fail(error))?;
        let next = match &page.next {
            Some(next) => {
                Some(address::next_page(&self.api.base, next).map_err(|error| self.fail(error))?.into())
            }
            None => None,
        };
        let many = page.size.is_some_and(|size| size >= SEARCH_FROM);
        let searched = self.searched.as_deref().filter(|_| many);
        let with_descriptor = searched.and_then(|file| self.found.get_or_init(|| self.search(file)).as_ref());
        let named = page.values.into_iter().filter(|found| address::is_name(&found.full_name));
        let repositories = named.map(|found| self.repository(found, with_descriptor)).collect();
        Ok(Page { repositories, next, total: page.size, problems: Vec::new() })
    }

    fn read(&self, wanted: &[Wanted]) -> Vec<ReadAnswer> {
        wanted.iter().map(|wanted| self.read_one(wanted)).collect()
    }

    fn tree(&self, path: &str, revision: Option<&str>, folder: &str) -> Result<Vec<Entry>, NetError> {
        let revision = self.revision(path, revision)?;
        let folder = if folder.is_empty() { String::new() } else { format!("{}/", address::path(folder)) };
        let fields = address::segment("next,values.path,values.type,values.attributes");
        let mut at = format!(
            "{}/src/{revision}/{folder}?pagelen=100&max_depth={}&fields={fields}",
            repository(path),
            self.depth
        );
        let mut entries = Vec::new();
        for _ in 0..MAX_PAGES {
            let page: Values<Node> = self.api.get_once(&at)?.json()?;
            let files = page.values.into_iter().filter(|node| {
                let is_other = node.attributes.iter().any(|a| a == "link" || a == "subrepository");
                node.kind == "commit_file" && !is_other && address::is_name(&node.path)
            });
            entries
                .extend(files.map(|node| Entry { blob: address::unread(path, &node.path), path: node.path }));
            match page.next {
                Some(next) => at = address::next_page(&self.api.base, &next)?.into(),
                None => return Ok(entries),
            }
        }
        Err(address::endless(&self.api.base, path))
    }

    fn web_url(&self, repository: &str, revision: &str, path: &str) -> Option<Url> {
        forge::page_url(self.pages, repository, &["src"], revision, path)
    }

    fn locate(&self, url: &Url, branch: &dyn Fn(&str) -> Option<String>) -> Option<Wanted> {
        forge::split_page(self.pages, url, SHAPES, branch)
    }
}
