//! The git repositories of an organisation of Azure DevOps, Services or Server.
//!
//! One request lists all repositories of all projects; it tells nothing about their content. The first time
//! each is asked for its descriptor, later for the newest commit of its branch, which is as cheap and says
//! that everything is as it was.

use super::forge::{
    self, Content, Entry, Filter, Forge, Page, Plan, ReadAnswer, Repository, Wanted, Wish, address,
    source_error,
};
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec};
use crate::config::source::SourceConfig;
use crate::net::{Api, Auth, NetError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// The type `azure`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "azure",
    help: "the git repositories of an Azure DevOps organisation",
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
        "project",
    ],
    open,
};

/// Where Azure DevOps Services is.
const HOME: &str = "https://dev.azure.com";
/// Time between two refreshes.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// The listing and trees come whole, without pages.
const MAX_ANSWER: u64 = 64 * 1024 * 1024;
/// Version of the interface; Azure DevOps Server has it since 2020.
const VERSION: &str = "api-version=6.0";
/// Requests under way at once.
const AT_ONCE: usize = 6;
/// Repositories that are looked into between two notes of where the listing stopped.
const PAGE: usize = 200;

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let base = address::base(config, HOME)?;
    Plan::of(config)?;
    Filter::new(&config.repositories)?;
    if !(config.repositories.topics.is_empty() && config.repositories.exclude_topics.is_empty()) {
        let cause = "repositories of Azure DevOps have no topics; filter by `name` or `project`".to_owned();
        return Err(SourceError::BadSetting { setting: "repositories.topics", cause });
    }
    let named = |name: &Option<String>| {
        let name = name.as_deref().map(|name| name.trim_matches('/').to_owned());
        name.filter(|name| !name.is_empty() && name != "*")
    };
    let organization = named(&config.organization);
    // https://acme.visualstudio.com, the address of old, names the organisation itself
    let is_old = base.host_str().is_some_and(|host| host.ends_with(".visualstudio.com"));
    let root = match (organization, is_old) {
        (Some(name), false) => {
            let mut root = base;
            let path = format!("{}{}/", root.path(), address::path(&name));
            root.set_path(&path);
            root
        }
        (_, true) => base,
        (None, false) => {
            return Err(SourceError::MissingSetting { kind: "azure", setting: "organization" });
        }
    };
    Ok(Box::new(AzureSource { root, project: named(&config.project) }))
}

struct AzureSource {
    /// Address of the organisation.
    root: Url,
    project: Option<String>,
}

impl CatalogProvider for AzureSource {
    fn place(&self) -> String {
        let root = self.root.as_str().trim_end_matches('/');
        self.project.as_ref().map_or(root.to_owned(), |project| format!("{root}/{project}"))
    }

    fn every(&self) -> Option<Duration> {
        Some(EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let auth = cx.token()?.map_or(Auth::None, |token| Auth::Basic(String::new(), token));
        let has_token = !matches!(auth, Auth::None);
        let mut api = cx.api(self.root.clone(), auth);
        api.max_bytes = Some(MAX_ANSWER);
        let azure = Azure {
            api,
            place: self.place(),
            project: self.project.as_deref(),
            has_token,
            is_pattern: Plan::of(cx.config)?.file().is_none(),
            branch: cx.config.branch.clone(),
            max_file: cx.config.max_file_bytes,
            all: Mutex::default(),
        };
        forge::refresh(cx, &azure)
    }
}

/// One refresh of one source.
struct Azure<'a> {
    api: Api<'a>,
    place: String,
    project: Option<&'a str>,
    has_token: bool,
    /// Whether descriptors are found by a pattern.
    is_pattern: bool,
    branch: Option<String>,
    max_file: u64,
    /// The whole listing, once it is read.
    all: Mutex<Option<Vec<Repository>>>,
}

/// A list of anything.
#[derive(Debug, Deserialize)]
struct Values<T> {
    #[serde(default = "Vec::new")]
    value: Vec<T>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    name: String,
    project: Project,
    #[serde(default)]
    default_branch: Option<String>,
    #[serde(default)]
    is_disabled: bool,
    #[serde(default)]
    is_fork: bool,
}

#[derive(Debug, Deserialize)]
struct Project {
    #[serde(default)]
    name: String,
    #[serde(default)]
    visibility: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ref {
    name: String,
    object_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(default)]
    object_id: String,
    #[serde(default)]
    git_object_type: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    is_symlink: bool,
}

impl Azure<'_> {
    fn fail(&self, error: NetError) -> SourceError {
        let what = match self.project {
            Some(project) => format!("project `{project}`"),
            None => "such organisation".to_owned(),
        };
        source_error(&self.place, &what, self.has_token, error)
    }

    fn get<T: DeserializeOwned>(&self, at: &str) -> Result<T, NetError> {
        self.api.get_once(at)?.json()
    }

    /// Lists everything; the interface has no pages.
    fn list(&self) -> Result<Vec<Repository>, NetError> {
        let project =
            self.project.map(|project| format!("{}/", address::segment(project))).unwrap_or_default();
        let found: Values<Found> =
            self.api.get(&format!("{project}_apis/git/repositories?{VERSION}"))?.json()?;
        let mut all: Vec<Repository> = found.value.into_iter().map(|found| self.repository(found)).collect();
        all.retain(|repository| address::is_name(&repository.path));
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    fn repository(&self, found: Found) -> Repository {
        let default = found.default_branch.unwrap_or_default();
        let default = default.strip_prefix("refs/heads/").unwrap_or(&default).to_owned();
        // nothing can be read from one that is switched off
        let default = if found.is_disabled { String::new() } else { default };
        Repository {
            path: format!("{}/{}", found.project.name, found.name),
            branch: self.branch.clone().filter(|_| !default.is_empty()).unwrap_or(default),
            fork: found.is_fork,
            visibility: found.project.visibility.unwrap_or_default().to_lowercase(),
            ..Repository::default()
        }
    }

    /// Asks for the newest commit of the branch.
    fn find_commit(&self, repository: &mut Repository) {
        if repository.branch.is_empty() {
            return;
        }
        let branch = address::segment(&format!("heads/{}", repository.branch));
        let refs: Result<Values<Ref>, _> =
            self.get(&format!("{}/refs?filter={branch}&{VERSION}", root(&repository.path)));
        let full = format!("refs/heads/{}", repository.branch);
        // the filter is a prefix; what goes wrong here is told when files are read
        let found = refs.ok().and_then(|refs| refs.value.into_iter().find(|one| one.name == full));
        repository.stamp = found.map(|one| one.object_id);
    }

    fn read_one(&self, wanted: &Wanted) -> ReadAnswer {
        let at = format!(
            "{}/items?path={}&includeContent=true&$format=json&{VERSION}{}",
            root(&wanted.repository),
            address::segment(&format!("/{}", wanted.path)),
            version(wanted.revision.as_deref())
        );
        let item: Item = match self.get(&at) {
            Ok(item) => item,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = item.content.unwrap_or_default();
        if text.len() as u64 > self.max_file {
            return Err(NetError::TooLarge { host: address::shown(&self.api.base), limit: self.max_file });
        }
        let blob = Some(item.object_id).filter(|id| address::is_hash(id));
        Ok(Some(Content { blob, bytes: text.into_bytes().into() }))
    }
}

/// Returns where a repository is asked about.
fn root(path: &str) -> String {
    let (project, name) = path.rsplit_once('/').unwrap_or(("", path));
    format!("{}/_apis/git/repositories/{}", address::path(project), address::segment(name))
}

/// Returns the parameters for a revision: a branch, `refs/tags/…`, or a commit.
fn version(revision: Option<&str>) -> String {
    let Some(name) = revision else { return String::new() };
    let (kind, name) = match name.strip_prefix("refs/tags/") {
        Some(tag) => ("tag", tag),
        None if name.len() == 40 && address::is_hash(name) => ("commit", name),
        None => ("branch", name),
    };
    let name = address::segment(name);
    format!("&versionDescriptor.versionType={kind}&versionDescriptor.version={name}")
}

impl Forge for Azure<'_> {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn page(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_none() {
            *all = Some(self.list().map_err(|error| self.fail(error))?);
        }
        let all = all.as_deref().unwrap_or_default();
        // by name, not by number: repositories may have come and gone since the listing was cut
        let from = wish.after.map_or(0, |after| all.partition_point(|one| one.path.as_str() <= after));
        let some = all.get(from..(from + PAGE).min(all.len())).unwrap_or_default();
        let next = some.last().filter(|_| from + some.len() < all.len()).map(|last| last.path.clone());
        let repositories: Vec<Mutex<Repository>> = some.iter().cloned().map(Mutex::new).collect();
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
        Ok(Page { repositories, next, total: Some(all.len()), problems: Vec::new() })
    }

    fn read(&self, wanted: &[Wanted]) -> Vec<ReadAnswer> {
        wanted.iter().map(|wanted| self.read_one(wanted)).collect()
    }

    fn tree(&self, path: &str, revision: Option<&str>, folder: &str) -> Result<Vec<Entry>, NetError> {
        let at = format!(
            "{}/items?scopePath={}&recursionLevel=Full&{VERSION}{}",
            root(path),
            address::segment(&format!("/{folder}")),
            version(revision)
        );
        let items: Values<Item> = self.get(&at)?;
        let files = items.value.into_iter().filter(|item| item.git_object_type == "blob" && !item.is_symlink);
        let entries = files.map(|item| Entry {
            path: item.path.trim_start_matches('/').to_owned(),
            blob: if address::is_hash(&item.object_id) {
                item.object_id
            } else {
                address::unread(path, &item.path)
            },
        });
        Ok(entries.filter(|entry| address::is_name(&entry.path)).collect())
    }

    fn web_url(&self, repository: &str, revision: &str, path: &str) -> Option<Url> {
        let (project, name) = repository.rsplit_once('/')?;
        let mut url = self.api.base.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(project.split('/')).extend(["_git", name]);
        url.query_pairs_mut().append_pair("path", &format!("/{path}"));
        // the default branch is not named, as everywhere
        if self.branch.as_deref() == Some(revision) {
            url.query_pairs_mut().append_pair("version", &format!("GB{revision}"));
        }
        Some(url)
    }

    fn locate(&self, url: &Url, _: &dyn Fn(&str) -> Option<String>) -> Option<Wanted> {
        if url.origin() != self.api.base.origin() {
            return None;
        }
        let below = url.path().strip_prefix(self.api.base.path())?;
        let parts: Vec<String> = below.split('/').map(forge::decoded).collect();
        let (project, name) = match parts.as_slice() {
            // the repository that has the name of its project
            [git, name] if git == "_git" => (name, name),
            [project, git, name] if git == "_git" => (project, name),
            _ => return None,
        };
        let value = |key: &str| url.query_pairs().find(|(k, _)| k == key).map(|(_, v)| v.into_owned());
        let path = value("path")?.trim_start_matches('/').to_owned();
        let revision = value("version").map(|version| match (version.get(..2), version.get(2..)) {
            (Some("GB" | "GC"), Some(name)) => name.to_owned(),
            (Some("GT"), Some(name)) => format!("refs/tags/{name}"),
            _ => version,
        });
        address::is_path(&path).then(|| Wanted { repository: format!("{project}/{name}"), revision, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_organisation_is_found() {
        let place = |text: &str| {
            let text = format!("type = \"azure\"\nname = \"x\"\n{text}");
            open(&toml::from_str(&text).unwrap()).map(|provider| provider.place())
        };
        let cases = [
            ("organization = \"acme\"", "https://dev.azure.com/acme"),
            ("organization = \"acme\"\nproject = \"*\"", "https://dev.azure.com/acme"),
            ("organization = \"acme\"\nproject = \"My Shop\"", "https://dev.azure.com/acme/My Shop"),
            ("url = \"https://tfs.acme.io/tfs\"\norganization = \"Main\"", "https://tfs.acme.io/tfs/Main"),
            ("url = \"https://acme.visualstudio.com\"", "https://acme.visualstudio.com"),
        ];
        for (settings, expected) in cases {
            assert_eq!(place(settings).unwrap(), expected);
        }
        assert!(matches!(place(""), Err(SourceError::MissingSetting { setting: "organization", .. })));
    }

    #[test]
    fn a_revision_is_branch_tag_or_commit() {
        let hash = "0123456789012345678901234567890123456789";
        for (name, kind) in [("main", "branch"), ("refs/tags/v1", "tag"), (hash, "commit")] {
            assert!(version(Some(name)).contains(&format!("versionType={kind}&")), "{name}");
        }
        assert_eq!(version(None), "");
    }
}
