//! The repositories of a GitHub organisation or user, github.com or an enterprise host.
//!
//! With a token everything goes over GraphQL: one request lists a hundred repositories with the head of the
//! branch and the descriptor at `catalog_path`, the first time with its text. Without a token GraphQL is
//! closed: repositories are listed over REST, page by page and conditionally, and files are read as anybody
//! reads them. Files that GraphQL cuts off or calls binary come over REST, too.

mod graphql;
mod org;
mod rest;

use super::forge::{self, Entry, Forge, Page, Plan, ReadAnswer, Wanted, Wish};
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec};
use crate::config::source::{SourceConfig, without_credentials};
use crate::net::{Api, Auth, NetError};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;
use url::Url;

/// The type `github`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "github",
    help: "the repositories of a GitHub organisation or user",
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

/// How long what was read is good.
const EVERY: Duration = Duration::from_secs(30 * 60);
/// Largest answer, in bytes: a page of a hundred repositories with their descriptors, a large tree.
const MAX_ANSWER: u64 = 48 * 1024 * 1024;
/// Words that stand between repository and revision in addresses of files.
const SHAPES: &[&[&str]] = &[&["blob"], &["tree"], &["edit"], &["raw"]];

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let host = Host::of(config)?;
    Plan::of(config)?;
    forge::Filter::new(&config.repositories)?;
    Ok(Box::new(GithubSource { host }))
}

/// Where the pages, the REST interface and the GraphQL interface of a host are, and whose repositories.
#[derive(Debug, Clone)]
struct Host {
    pages: Url,
    rest: Url,
    graphql: Url,
    /// Where plain files are read without a token; only github.com has such a place.
    raw: Option<Url>,
    owner: String,
}

impl Host {
    fn of(config: &SourceConfig) -> Result<Self, SourceError> {
        let bad = |cause: String| SourceError::BadSetting { setting: "url", cause };
        let text = config.url.as_deref().unwrap_or("https://github.com");
        let mut pages = Url::parse(text).map_err(|error| bad(error.to_string()))?;
        if !matches!(pages.scheme(), "http" | "https") {
            return Err(bad(format!("`{}:` is neither `http:` nor `https:`", pages.scheme())));
        }
        let named: Vec<String> = pages
            .path_segments()
            .map(|parts| parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
            .unwrap_or_default();
        let owner = match (config.organization.clone(), named.as_slice()) {
            (Some(owner), []) => owner,
            (None, [owner]) => owner.clone(),
            (None, []) => {
                return Err(SourceError::MissingSetting { kind: "github", setting: "organization" });
            }
            _ => {
                return Err(bad(
                    "give the address of the host alone, for example `https://github.example.com`".to_owned(),
                ));
            }
        };
        let is_name = !owner.is_empty()
            && owner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !is_name || owner.len() > 100 {
            let cause = format!("`{owner}` is no name of an organisation or user");
            return Err(SourceError::BadSetting { setting: "organization", cause });
        }
        pages.set_path("/");
        pages.set_query(None);
        pages.set_fragment(None);
        let host = pages.host_str().unwrap_or_default().to_owned();
        let at = |host: Option<&str>, path: &str| {
            let mut url = pages.clone();
            if let Some(host) = host {
                url.set_host(Some(host)).map_err(|error| bad(error.to_string()))?;
            }
            url.set_path(path);
            Ok(url)
        };
        let (rest, graphql, raw) = match host.as_str() {
            "github.com" | "www.github.com" => (
                at(Some("api.github.com"), "/")?,
                at(Some("api.github.com"), "/graphql")?,
                Some(at(Some("raw.githubusercontent.com"), "/")?),
            ),
            // hosts of their own in GitHub's cloud have the interface beside them
            tenant if tenant.ends_with(".ghe.com") => {
                let api = format!("api.{tenant}");
                (at(Some(&api), "/")?, at(Some(&api), "/graphql")?, None)
            }
            _ => (at(None, "/api/v3/")?, at(None, "/api/graphql")?, None),
        };
        Ok(Self { pages, rest, graphql, raw, owner })
    }

    fn place(&self) -> String {
        let pages = without_credentials(self.pages.as_str());
        format!("{}/{}", pages.trim_end_matches('/'), self.owner)
    }
}

struct GithubSource {
    host: Host,
}

impl CatalogProvider for GithubSource {
    fn place(&self) -> String {
        self.host.place()
    }

    fn every(&self) -> Option<Duration> {
        Some(EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let token = cx.token()?;
        let auth = token.clone().map_or(Auth::None, Auth::Bearer);
        let api = |base: &Url, auth: Auth| {
            let mut api = cx.api(base.clone(), auth);
            api.max_bytes = Some(MAX_ANSWER);
            api
        };
        let raw = self.host.raw.as_ref().filter(|_| token.is_none());
        let github = Github {
            cx,
            host: &self.host,
            has_token: token.is_some(),
            rest: api(&self.host.rest, auth.clone()),
            graphql: api(&self.host.graphql, auth),
            raw: raw.map(|raw| api(raw, Auth::None)),
            plan: Plan::of(cx.config)?,
            page_size: AtomicUsize::new(graphql::PAGE),
            stale: AtomicBool::new(false),
        };
        forge::refresh(cx, &github)
    }
}

/// One refresh of one host.
struct Github<'a> {
    cx: &'a RefreshContext<'a>,
    host: &'a Host,
    has_token: bool,
    rest: Api<'a>,
    graphql: Api<'a>,
    raw: Option<Api<'a>>,
    plan: Plan,
    /// Repositories that one request asks for; shrinks when the server does not manage as many.
    page_size: AtomicUsize,
    /// Whether the server does not know the place any more where the listing is to go on.
    stale: AtomicBool,
}

impl Forge for Github<'_> {
    fn place(&self) -> String {
        self.host.place()
    }

    fn page(&self, wish: &Wish<'_>) -> Result<Page, SourceError> {
        if self.has_token { self.page_by_query(wish) } else { self.page_by_rest(wish) }
    }

    fn read(&self, wanted: &[Wanted]) -> Vec<ReadAnswer> {
        if self.has_token {
            self.read_by_query(wanted)
        } else {
            wanted.iter().map(|wanted| self.read_by_rest(wanted)).collect()
        }
    }

    fn batch(&self) -> usize {
        if self.has_token { graphql::BATCH } else { 1 }
    }

    fn tree(&self, repository: &str, revision: Option<&str>, folder: &str) -> Result<Vec<Entry>, NetError> {
        self.tree_by_rest(repository, revision, folder)
    }

    fn web_url(&self, repository: &str, revision: &str, path: &str) -> Option<Url> {
        forge::page_url(&self.host.pages, repository, &["blob"], revision, path)
    }

    fn locate(&self, url: &Url, branch: &dyn Fn(&str) -> Option<String>) -> Option<Wanted> {
        forge::split_page(&self.host.pages, url, SHAPES, branch)
    }

    fn org(&self) -> Result<Option<forge::org::Org>, SourceError> {
        if self.has_token {
            return self.read_org().map(Some);
        }
        Err(SourceError::Refused {
            place: self.host.place(),
            cause: "teams and members are told to nobody without a token".to_owned(),
            hint: "set `token = { env = \"GITHUB_TOKEN\" }` in the source, with the scope `read:org`"
                .to_owned(),
        })
    }

    fn is_stale_cursor(&self, _: &SourceError) -> bool {
        self.stale.swap(false, std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(url: Option<&str>, organization: Option<&str>) -> Result<Host, SourceError> {
        let mut config = SourceConfig::new("github", "github");
        (config.url, config.organization) = (url.map(str::to_owned), organization.map(str::to_owned));
        Host::of(&config)
    }

    #[test]
    fn finds_the_interfaces_of_a_host() {
        let cases = [
            (None, Some("acme"), "https://api.github.com/", "https://api.github.com/graphql", "acme"),
            (
                Some("https://github.com/acme"),
                None,
                "https://api.github.com/",
                "https://api.github.com/graphql",
                "acme",
            ),
            (
                Some("https://ghe.acme.io:8443/"),
                Some("a"),
                "https://ghe.acme.io:8443/api/v3/",
                "https://ghe.acme.io:8443/api/graphql",
                "a",
            ),
            (
                Some("https://acme.ghe.com"),
                Some("a"),
                "https://api.acme.ghe.com/",
                "https://api.acme.ghe.com/graphql",
                "a",
            ),
        ];
        for (url, organization, rest, graphql, owner) in cases {
            let host = host(url, organization).unwrap();
            assert_eq!((host.rest.as_str(), host.graphql.as_str(), &*host.owner), (rest, graphql, owner));
        }
        assert_eq!(host(None, Some("acme")).unwrap().place(), "https://github.com/acme");
    }

    #[test]
    fn refuses_settings_that_make_no_sense() {
        for (url, organization) in [
            (None, None),
            (Some("ftp://github.com"), Some("a")),
            (Some("https://github.com/a/b"), None),
            (Some("https://github.com/a"), Some("b")),
            (None, Some("a/b")),
            (None, Some("")),
        ] {
            assert!(host(url, organization).is_err(), "{url:?} {organization:?}");
        }
    }
}
