//! A Bitbucket Server (Data Center): its projects and their repositories.
//!
//! The listing tells nothing about content. The first time each repository is asked for its descriptor;
//! later for its newest commit, which is as cheap and says that everything is as it was.

use super::super::forge::{self, address};
use super::super::forge::{Entry, Forge, Page, ReadAnswer, Repository, Wanted, Wish, source_error};
use crate::catalog::sources::SourceError;
use crate::net::{Api, NetError};
use serde::Deserialize;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use url::Url;

/// Stands for the default branch, which the listing does not name.
const DEFAULT: &str = "HEAD";
/// Repositories of one page.
const PAGE: usize = 100;
/// Pages of one tree.
const MAX_PAGES: usize = 500;
/// Requests under way at once.
const AT_ONCE: usize = 6;

/// One refresh of one server.
pub(super) struct Server<'a> {
    pub api: Api<'a>,
    pub place: String,
    pub project: Option<&'a str>,
    pub has_token: bool,
    /// Whether descriptors are found by a pattern.
    pub is_pattern: bool,
    pub branch: Option<String>,
    pub max_file: u64,
}

/// A page of anything.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "as the server calls it")]
struct Values<T> {
    #[serde(default = "Vec::new")]
    values: Vec<T>,
    #[serde(default = "yes")]
    is_last_page: bool,
    #[serde(default)]
    next_page_start: Option<u64>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
struct Found {
    #[serde(default)]
    slug: String,
    project: Project,
    #[serde(default)]
    public: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    origin: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Project {
    #[serde(default)]
    key: String,
}

#[derive(Debug, Deserialize)]
struct Commit {
    id: String,
}

impl Server<'_> {
    fn fail(&self, error: NetError) -> SourceError {
        let what = self.project.map_or("Bitbucket Server".to_owned(), |key| format!("project `{key}`"));
        source_error(&self.place, &what, self.has_token, error)
    }

    fn repository(&self, found: &Found) -> Repository {
        Repository {
            path: format!("{}/{}", found.project.key, found.slug),
            branch: self.branch.clone().unwrap_or_else(|| DEFAULT.to_owned()),
            archived: found.archived,
            fork: found.origin.is_some(),
            visibility: if found.public { "public" } else { "private" }.to_owned(),
            ..Repository::default()
        }
    }

    /// Asks for the newest commit; a repository without one is empty.
    fn find_commit(&self, repository: &mut Repository) {
        let branch =
            self.branch.as_ref().map(|name| format!("&until={}", at_branch(name))).unwrap_or_default();
        let address = format!("{}/commits?limit=1{branch}", root(&repository.path));
        match self.api.get(&address).and_then(|answer| answer.json::<Values<Commit>>()) {
            Ok(page) => repository.stamp = page.values.into_iter().next().map(|commit| commit.id),
            Err(error) if error.is_not_found() => repository.branch.clear(),
            // what goes wrong here goes wrong again, and is told, when files are read
            Err(_) => {}
        }
    }

    fn read_one(&self, wanted: &Wanted) -> ReadAnswer {
        let revision = query(wanted.revision.as_deref(), '?');
        let at = format!("{}/raw/{}{revision}", root(&wanted.repository), address::path(&wanted.path));
        match self.api.get_once(&at) {
            Ok(answer) => address::content(&self.api.base, answer, None, self.max_file).map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns a branch by its whole name, so that a tag of the same name is not meant.
fn at_branch(name: &str) -> String {
    let full = if name.starts_with("refs/") { name.to_owned() } else { format!("refs/heads/{name}") };
    address::segment(&full)
}

/// Returns the parameter for a revision; none for the default branch.
fn query(revision: Option<&str>, before: char) -> String {
    let named = revision.filter(|name| *name != DEFAULT);
    named.map(|name| format!("{before}at={}", address::segment(name))).unwrap_or_default()
}

/// Returns where a repository is asked about.
fn root(path: &str) -> String {
    let (project, slug) = path.split_once('/').unwrap_or((path, ""));
    format!("rest/api/1.0/projects/{}/repos/{}", address::segment(project), address::segment(slug))
}

impl Forge for Server<'_> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn page(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        let of = match self.project {
            Some(key) => format!("rest/api/1.0/projects/{}/repos", address::segment(key)),
            None => "rest/api/1.0/repos".to_owned(),
        };
        let start: u64 = wish.after.and_then(|start| start.parse().ok()).unwrap_or(0);
        let page = self
            .api
            .get(&format!("{of}?limit={PAGE}&start={start}"))
            .and_then(|answer| answer.json::<Values<Found>>())
            .map_err(|error| self.fail(error))?;
        // a start that does not grow would be asked for again and again
        let next = page.next_page_start.filter(|next| !page.is_last_page && *next > start);
        let found = page.values.into_iter().map(|found| self.repository(&found));
        let repositories: Vec<Mutex<Repository>> =
            found.filter(|found| address::is_name(&found.path)).map(Mutex::new).collect();
        if self.is_pattern || !wish.texts {
            self.api.each(&repositories, AT_ONCE, |repository| {
                let mut repository = repository.lock().unwrap_or_else(PoisonError::into_inner);
                self.find_commit(&mut repository);
                ControlFlow::Continue(())
            });
        }
        let repositories = repositories
            .into_iter()
            .map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner))
            .collect();
        Ok(Page { repositories, next: next.map(|next| next.to_string()), total: None, problems: Vec::new() })
    }

    fn read(&self, wanted: &[Wanted]) -> Vec<ReadAnswer> {
        wanted.iter().map(|wanted| self.read_one(wanted)).collect()
    }

    fn tree(&self, path: &str, revision: Option<&str>, folder: &str) -> Result<Vec<Entry>, NetError> {
        let revision = query(revision, '&');
        let below = |path: &str| {
            folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        };
        let (mut entries, mut start) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let at = format!("{}/files?limit=1000&start={start}{revision}", root(path));
            let page: Values<String> = self.api.get_once(&at)?.json()?;
            let files = page.values.into_iter().filter(|file| address::is_name(file) && below(file));
            entries.extend(files.map(|file| Entry { blob: address::unread(path, &file), path: file }));
            match page.next_page_start.filter(|next| !page.is_last_page && *next > start) {
                Some(next) => start = next,
                None => return Ok(entries),
            }
        }
        Err(address::endless(&self.api.base, path))
    }

    fn web_url(&self, repository: &str, revision: &str, path: &str) -> Option<Url> {
        let (project, slug) = repository.split_once('/')?;
        let mut url = self.api.base.clone();
        let mut parts = url.path_segments_mut().ok()?;
        parts.pop_if_empty().extend(["projects", project, "repos", slug, "browse"]).extend(path.split('/'));
        drop(parts);
        if revision != DEFAULT {
            url.query_pairs_mut().append_pair("at", revision);
        }
        Some(url)
    }

    fn locate(&self, url: &Url, _: &dyn Fn(&str) -> Option<String>) -> Option<Wanted> {
        if url.origin() != self.api.base.origin() {
            return None;
        }
        let below = url.path().strip_prefix(self.api.base.path())?;
        let parts: Vec<String> = below.split('/').map(forge::decoded).collect();
        let [projects, project, repos, slug, word, path @ ..] = parts.as_slice() else { return None };
        let path = path.join("/");
        let is_file = projects == "projects"
            && repos == "repos"
            && (word == "browse" || word == "raw")
            && address::is_path(&path);
        let revision = url.query_pairs().find(|(key, _)| key == "at").map(|(_, at)| at.into_owned());
        let revision = Some(revision.unwrap_or_else(|| DEFAULT.to_owned()));
        is_file.then(|| Wanted { repository: format!("{project}/{slug}"), revision, path })
    }
}
