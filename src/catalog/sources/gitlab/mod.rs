//! The projects of a GitLab group with its subgroups, or of a whole instance.
//!
//! Start at [`GitlabSource`]. A page of the listing is one GraphQL request for a hundred projects that
//! brings branch, last commit and the descriptors with it ([`query`]), so that five thousand projects cost
//! fifty requests, and those that did not change nothing more. Servers whose GraphQL does not answer, or
//! does not know what the settings ask for, are listed over REST ([`rest`]). [`org`] makes groups and
//! members entities.

mod org;
mod query;
mod rest;

use super::forge::{
    self, Content, Entry, Filter, Forge, Listed, ListedFile, Page, Plan, ReadAnswer, Repository, Wanted,
    Wish, address, source_error,
};
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec};
use crate::config::source::SourceConfig;
use crate::net::{Api, Auth, NetError};
use query::{Blobs, Project, ProjectPage, Projects, Reply, Tree};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use url::Url;

/// The type `gitlab`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "gitlab",
    help: "the projects of a GitLab group with its subgroups",
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
    ],
    open,
};

/// Where GitLab is unless the source says otherwise.
const HOME: &str = "https://gitlab.com";
/// Read when the source names no token; for other hosts than GitLab's own only with [`HOST_VARIABLE`].
const TOKEN_VARIABLE: &str = "GITLAB_TOKEN";
/// Host that [`TOKEN_VARIABLE`] is for, as GitLab's own program has it.
const HOST_VARIABLE: &str = "GITLAB_HOST";
/// Time between two refreshes.
const EVERY: Duration = Duration::from_secs(30 * 60);
/// Projects of one page; the server gives no more.
const PAGE: usize = 100;
/// Smallest page that is tried when the server cannot manage larger ones.
const SMALLEST_PAGE: usize = 6;
/// Files of one request; each costs about a tenth of what GitLab allows a query to cost.
const BATCH: usize = 16;
/// Largest answer, in bytes: a page with the texts of its descriptors.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// Words between project and revision in addresses of files.
const SHAPES: &[&[&str]] =
    &[&["-", "blob"], &["-", "raw"], &["-", "tree"], &["-", "edit"], &["blob"], &["raw"], &["tree"]];

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let base = address::base(config, HOME)?;
    let group = config.organization.as_deref().map(|group| group.trim_matches('/').to_owned());
    let group = group.filter(|group| !group.is_empty());
    Plan::of(config)?;
    Filter::new(&config.repositories)?;
    let is_home = base.host_str() == Some("gitlab.com");
    // without both, that would be every public project of the world
    if is_home && group.is_none() && config.token.is_none() && token_of_environment(&base).is_none() {
        return Err(SourceError::MissingSetting { kind: "gitlab", setting: "organization" });
    }
    Ok(Box::new(GitlabSource { base, group, is_home }))
}

struct GitlabSource {
    base: Url,
    group: Option<String>,
    is_home: bool,
}

/// Returns the token of the environment, if it is meant for this host.
fn token_of_environment(base: &Url) -> Option<crate::config::secret::Secret> {
    let host = std::env::var(HOST_VARIABLE).unwrap_or_else(|_| "gitlab.com".to_owned());
    let host = host.trim_start_matches("https://").trim_end_matches('/').to_owned();
    let same = address::shown(base).eq_ignore_ascii_case(&host);
    same.then(|| crate::config::secret::SecretSource::Env(TOKEN_VARIABLE.to_owned()).read().ok()).flatten()
}

impl CatalogProvider for GitlabSource {
    fn place(&self) -> String {
        let base = self.base.as_str().trim_end_matches('/');
        self.group.as_ref().map_or(base.to_owned(), |group| format!("{base}/{group}"))
    }

    fn every(&self) -> Option<Duration> {
        Some(EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let token = cx.token()?.or_else(|| token_of_environment(&self.base));
        let has_token = token.is_some();
        let mut api = cx.api(self.base.clone(), token.map_or(Auth::None, Auth::Bearer));
        api.max_bytes = Some(MAX_ANSWER);
        let plan = Plan::of(cx.config)?;
        let gitlab = Gitlab {
            api,
            place: self.place(),
            group: self.group.clone(),
            membership: self.is_home,
            has_token,
            file: plan.file().map(str::to_owned),
            branch: cx.config.branch.clone(),
            max_file: cx.config.max_file_bytes,
            needs_forks: !cx.config.repositories.forks,
            first: AtomicUsize::new(PAGE),
            over_rest: AtomicBool::new(false),
        };
        let mut delta = forge::refresh(cx, &gitlab)?;
        if cx.config.org {
            org::add(cx, &gitlab, &mut delta)?;
        }
        Ok(delta)
    }
}

/// One refresh of one source.
struct Gitlab<'a> {
    api: Api<'a>,
    place: String,
    group: Option<String>,
    /// Only projects that the token's owner is a member of, where there is no group.
    membership: bool,
    has_token: bool,
    /// The one descriptor of each project, unless it is a pattern.
    file: Option<String>,
    branch: Option<String>,
    max_file: u64,
    needs_forks: bool,
    /// Projects of a page; gets smaller when the server cannot manage.
    first: AtomicUsize,
    /// Whether GraphQL turned out to be of no use.
    over_rest: AtomicBool,
}

/// Why GraphQL gave nothing.
enum Trouble {
    Net(NetError),
    /// What the server said.
    Said(String),
}

/// Beginning of cursors of pages over REST.
const REST: &str = "rest ";

impl Gitlab<'_> {
    /// Asks GraphQL. What comes with errors beside its data is taken as it is.
    fn ask<T: DeserializeOwned>(&self, query: &str, variables: &Value) -> Result<T, Trouble> {
        let answer = self
            .api
            .post("api/graphql", &json!({"query": query, "variables": variables}))
            .map_err(Trouble::Net)?;
        let reply: Reply<T> = answer.json().map_err(Trouble::Net)?;
        reply.data.ok_or_else(|| {
            let said: Vec<&str> = reply.errors.iter().map(|error| error.message.as_str()).take(3).collect();
            let said = if said.is_empty() { "nothing".to_owned() } else { said.join("; ") };
            Trouble::Said(said.chars().filter(|c| !c.is_control()).take(400).collect())
        })
    }

    fn fail(&self, error: NetError) -> SourceError {
        let what = self.group.as_ref().map_or("GitLab".to_owned(), |group| format!("group `{group}`"));
        source_error(&self.place, &what, self.has_token, error)
    }

    /// Returns the server's words as the error of a request.
    fn broken(&self, said: &str) -> NetError {
        NetError::Broken { host: address::shown(&self.api.base), cause: format!("it says: {said}") }
    }

    fn graph_page(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        let query = query::Wanted {
            of_group: self.group.is_some(),
            membership: self.membership,
            forks: self.needs_forks,
            branch: self.branch.is_some(),
            blobs: self.file.is_some(),
            texts: wish.texts,
            count: wish.after.is_none(),
        }
        .query();
        loop {
            let first = self.first.load(Ordering::Relaxed);
            let mut variables = json!({"first": first, "after": wish.after});
            for (name, value) in [("group", &self.group), ("branch", &self.branch)] {
                if let (Some(value), Some(variables)) = (value, variables.as_object_mut()) {
                    variables.insert(name.to_owned(), value.as_str().into());
                }
            }
            if let (Some(file), Some(variables)) = (&self.file, variables.as_object_mut()) {
                variables.insert("paths".to_owned(), json!([file]));
            }
            let trouble = match self.ask::<Projects>(&query, &variables) {
                Ok(projects) => {
                    // no such group: as the server says nothing more, so it is "not found"
                    let missing = || self.fail(NetError::of_status(address::shown(&self.api.base), 404));
                    return Ok(self.convert(projects.into_page().ok_or_else(missing)?));
                }
                Err(trouble) => trouble,
            };
            if is_too_much(&trouble) && first > SMALLEST_PAGE {
                self.first.store((first / 4).max(SMALLEST_PAGE), Ordering::Relaxed);
                continue;
            }
            return match trouble {
                Trouble::Net(NetError::Status { status: 404 | 405, .. }) if wish.after.is_none() => {
                    self.over_rest.store(true, Ordering::Relaxed);
                    self.rest_page(None)
                }
                // an older server
                Trouble::Said(said) if said.contains("doesn't exist on type") && wish.after.is_none() => {
                    tracing::info!(%said, "the server does not know a field, it is asked over REST");
                    self.over_rest.store(true, Ordering::Relaxed);
                    self.rest_page(None)
                }
                Trouble::Net(error) => Err(self.fail(error)),
                Trouble::Said(said) if said.to_lowercase().contains("cursor") => {
                    Err(self.fail(NetError::of_status(address::shown(&self.api.base), 422)))
                }
                Trouble::Said(said) => Err(self.fail(self.broken(&said))),
            };
        }
    }

    fn convert(&self, page: ProjectPage) -> Page {
        let ProjectPage { count, page_info, nodes } = page;
        let next = page_info.end_cursor.filter(|cursor| page_info.has_next_page && !cursor.is_empty());
        let mut out = Page { next, total: count, ..Page::default() };
        for project in nodes.into_iter().flatten() {
            if address::is_name(&project.full_path) {
                out.repositories.push(self.repository(project));
            }
        }
        out
    }

    fn repository(&self, project: Project) -> Repository {
        let repository = project.repository.unwrap_or_default();
        let of_branch = Tree::commit(repository.branch_tree);
        let (branch, stamp, blobs) = if let (Some(branch), Some(commit)) = (&self.branch, of_branch) {
            (branch.clone(), Some(commit), repository.branch_blobs)
        } else {
            let branch = repository.root_ref.unwrap_or_default();
            (branch, Tree::commit(repository.tree), repository.blobs)
        };
        Repository {
            path: project.full_path,
            branch,
            stamp,
            topics: project.topics.unwrap_or_default(),
            archived: project.archived.unwrap_or(false),
            fork: project.is_forked.unwrap_or(false),
            visibility: project.visibility.unwrap_or_default().to_lowercase(),
            files: self.file.as_deref().map_or(Listed::Unknown, |file| self.listed(file, blobs)),
        }
    }

    /// Takes the descriptor out of a listing.
    fn listed(&self, file: &str, blobs: Option<Blobs>) -> Listed {
        let Some(blob) = Blobs::by_path(blobs).remove(file) else { return Listed::Known(Vec::new()) };
        // an id that is none could be that of another file
        if !address::is_hash(&blob.oid) {
            return Listed::Unknown;
        }
        let text = blob.raw_text_blob.filter(|text| text.len() as u64 <= self.max_file);
        Listed::Known(vec![ListedFile { path: blob.path, blob: blob.oid, text }])
    }

    /// Reads files with one query.
    fn read_together(&self, wanted: &[Wanted]) -> Result<Vec<ReadAnswer>, NetError> {
        let (query, variables) = query::files(wanted);
        let mut answer: serde_json::Map<String, Value> = match self.ask(&query, &variables) {
            Ok(answer) => answer,
            Err(Trouble::Net(error)) => return Err(error),
            Err(Trouble::Said(said)) => return Err(self.broken(&said)),
        };
        let take = |at: usize| {
            let project = answer.remove(&query::alias(at)).unwrap_or_default();
            serde_json::from_value::<Option<query::OnlyRepository>>(project).ok().flatten()
        };
        let found: Vec<Option<query::OnlyRepository>> = (0..wanted.len()).map(take).collect();
        Ok(wanted.iter().zip(found).map(|(wanted, found)| self.content(wanted, found)).collect())
    }

    fn content(&self, wanted: &Wanted, found: Option<query::OnlyRepository>) -> ReadAnswer {
        let blobs = found.and_then(|project| project.repository).and_then(|repository| repository.blobs);
        let Some(blob) = Blobs::by_path(blobs).remove(&wanted.path) else { return Ok(None) };
        let Some(text) = blob.raw_text_blob else { return self.read_over_rest(wanted) };
        if text.len() as u64 > self.max_file {
            return Err(NetError::TooLarge { host: address::shown(&self.api.base), limit: self.max_file });
        }
        let blob = Some(blob.oid).filter(|oid| address::is_hash(oid));
        Ok(Some(Content { blob, bytes: text.into_bytes().into() }))
    }
}

/// Whether a smaller page may go where this one failed.
fn is_too_much(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Net(error) => matches!(
            error,
            NetError::Timeout { .. }
                | NetError::TooLarge { .. }
                | NetError::Status { status: 500..=599 | 413, .. }
        ),
        Trouble::Said(said) => {
            ["complexity", "timed out", "Timeout", "size limit"].iter().any(|w| said.contains(w))
        }
    }
}

impl Forge for Gitlab<'_> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn page(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        match wish.after.map(|after| after.strip_prefix(REST)) {
            Some(Some(address)) => {
                self.over_rest.store(true, Ordering::Relaxed);
                self.rest_page(Some(address))
            }
            _ if self.over_rest.load(Ordering::Relaxed) => self.rest_page(None),
            _ => self.graph_page(wish),
        }
    }

    fn read(&self, wanted: &[Wanted]) -> Vec<ReadAnswer> {
        if self.over_rest.load(Ordering::Relaxed) {
            return wanted.iter().map(|one| self.read_over_rest(one)).collect();
        }
        match self.read_together(wanted) {
            Ok(answers) => answers,
            Err(error) => wanted.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn batch(&self) -> usize {
        if self.over_rest.load(Ordering::Relaxed) { 1 } else { BATCH }
    }

    fn tree(&self, repository: &str, revision: Option<&str>, folder: &str) -> Result<Vec<Entry>, NetError> {
        self.tree_over_rest(repository, revision, folder)
    }

    fn web_url(&self, repository: &str, revision: &str, path: &str) -> Option<Url> {
        forge::page_url(&self.api.base, repository, &["-", "blob"], revision, path)
    }

    fn locate(&self, url: &Url, branch: &dyn Fn(&str) -> Option<String>) -> Option<Wanted> {
        forge::split_page(&self.api.base, url, SHAPES, branch)
    }
}
