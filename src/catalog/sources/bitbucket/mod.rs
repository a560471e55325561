//! The repositories of a Bitbucket Cloud workspace, or of a Bitbucket Server (Data Center).
//!
//! Which of the two it is follows from the address: [`cloud`] for bitbucket.org and for addresses that end
//! in `/2.0` (a gateway before its interface), [`server`] for every other host.

mod cloud;
mod server;

use super::forge::{self, Filter, Plan, address};
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec};
use crate::config::source::SourceConfig;
use crate::net::Auth;
use std::time::Duration;
use url::Url;

/// The type `bitbucket`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "bitbucket",
    help: "the repositories of a Bitbucket Cloud workspace or a Bitbucket Server",
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
        "project",
    ],
    open,
};

/// Where Bitbucket Cloud is.
const HOME: &str = "https://bitbucket.org/";
/// Where its interface is.
const API: &str = "https://api.bitbucket.org/2.0/";
/// Time between two refreshes.
const EVERY: Duration = Duration::from_secs(60 * 60);
/// Largest answer, in bytes: a page of a thousand paths.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let base = address::base(config, HOME)?;
    Plan::of(config)?;
    Filter::new(&config.repositories)?;
    let filter = &config.repositories;
    if !(filter.topics.is_empty() && filter.exclude_topics.is_empty()) {
        let cause = "repositories of Bitbucket have no topics; filter by `name` or `project`".to_owned();
        return Err(SourceError::BadSetting { setting: "repositories.topics", cause });
    }
    let named = |name: &Option<String>| {
        let name = name.as_deref().map(|name| name.trim_matches('/').to_owned());
        name.filter(|name| !name.is_empty() && name != "*")
    };
    let (organization, project) = (named(&config.organization), named(&config.project));
    let home = base.host_str().is_some_and(|host| host == "bitbucket.org" || host == "api.bitbucket.org");
    if home || base.path().ends_with("/2.0/") {
        let workspace =
            organization.ok_or(SourceError::MissingSetting { kind: "bitbucket", setting: "organization" })?;
        let api = if home { Url::parse(API) } else { Ok(base) };
        let pages = Url::parse(HOME);
        let (Ok(api), Ok(pages)) = (api, pages) else {
            return Err(SourceError::BadSetting { setting: "url", cause: "it is no address".to_owned() });
        };
        return Ok(Box::new(CloudSource { api, pages, workspace, project }));
    }
    Ok(Box::new(ServerSource { base, project: project.or(organization) }))
}

/// Signs in by name and password where there is a name, else by token.
fn auth(cx: &RefreshContext<'_>) -> Result<Auth, SourceError> {
    Ok(match (cx.token()?, &cx.config.username) {
        (Some(token), Some(name)) => Auth::Basic(name.clone(), token),
        (Some(token), None) => Auth::Bearer(token),
        (None, _) => Auth::None,
    })
}

struct CloudSource {
    api: Url,
    pages: Url,
    workspace: String,
    project: Option<String>,
}

impl CatalogProvider for CloudSource {
    fn place(&self) -> String {
        let project = self.project.as_ref().map(|key| format!(" (project {key})")).unwrap_or_default();
        format!("{}{}{project}", self.pages, self.workspace)
    }

    fn every(&self) -> Option<Duration> {
        Some(EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let auth = auth(cx)?;
        let has_token = !matches!(auth, Auth::None);
        let mut api = cx.api(self.api.clone(), auth);
        api.max_bytes = Some(MAX_ANSWER);
        let plan = Plan::of(cx.config)?;
        let cloud = cloud::Cloud {
            api,
            pages: &self.pages,
            place: self.place(),
            workspace: &self.workspace,
            project: self.project.as_deref(),
            has_token,
            // the search knows the main branch alone
            searched: plan.file().filter(|_| cx.config.branch.is_none()).map(str::to_owned),
            depth: depth(cx.config.catalog_path.as_deref()),
            branch: cx.config.branch.clone(),
            max_file: cx.config.max_file_bytes,
            found: std::sync::OnceLock::new(),
        };
        forge::refresh(cx, &cloud)
    }
}

/// Returns how many folders deep descriptors may lie.
fn depth(catalog_path: Option<&str>) -> usize {
    let path = catalog_path.unwrap_or_default().trim_matches('/');
    if path.contains("**") { cloud::DEPTH } else { path.split('/').count().min(cloud::DEPTH) }
}

struct ServerSource {
    base: Url,
    project: Option<String>,
}

impl CatalogProvider for ServerSource {
    fn place(&self) -> String {
        let base = self.base.as_str().trim_end_matches('/');
        self.project.as_ref().map_or(base.to_owned(), |key| format!("{base}/projects/{key}"))
    }

    fn every(&self) -> Option<Duration> {
        Some(EVERY)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let auth = auth(cx)?;
        let has_token = !matches!(auth, Auth::None);
        let mut api = cx.api(self.base.clone(), auth);
        api.max_bytes = Some(MAX_ANSWER);
        let server = server::Server {
            api,
            place: self.place(),
            project: self.project.as_deref(),
            has_token,
            is_pattern: Plan::of(cx.config)?.file().is_none(),
            branch: cx.config.branch.clone(),
            max_file: cx.config.max_file_bytes,
        };
        forge::refresh(cx, &server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Result<String, SourceError> {
        let text = format!("type = \"bitbucket\"\nname = \"x\"\n{text}");
        open(&toml::from_str(&text).unwrap()).map(|provider| provider.place())
    }

    #[test]
    fn the_address_tells_cloud_from_server() {
        let cases = [
            ("organization = \"acme\"", "https://bitbucket.org/acme"),
            (
                "url = \"https://bitbucket.org\"\norganization = \"acme\"\nproject = \"SHOP\"",
                "https://bitbucket.org/acme (project SHOP)",
            ),
            ("url = \"https://bb.acme.io/ctx\"", "https://bb.acme.io/ctx"),
            ("url = \"https://bb.acme.io\"\nproject = \"SHOP\"", "https://bb.acme.io/projects/SHOP"),
        ];
        for (settings, place) in cases {
            assert_eq!(opened(settings).unwrap(), place);
        }
        assert!(matches!(opened(""), Err(SourceError::MissingSetting { setting: "organization", .. })));
        let topics = "organization = \"a\"\nrepositories = { topics = [\"x\"] }";
        assert!(matches!(opened(topics), Err(SourceError::BadSetting { .. })));
    }

    #[test]
    fn a_pattern_says_how_deep_to_look() {
        for (path, expected) in [("*/x.yaml", 2), ("/x.yaml", 1), ("**/x.yaml", cloud::DEPTH)] {
            assert_eq!(depth(Some(path)), expected, "{path}");
        }
    }
}
