//! Azure DevOps, against a scripted server.

#![allow(clippy::indexing_slicing, reason = "a failing helper fails its test")]

use crate::script::{Script, json, parameter, status};
use crate::{component, load, loader, location, refs};
use devportal::catalog::Progress;
use devportal::config::secret::SecretSource;
use devportal::config::source::SourceConfig;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use wiremock::{Request, ResponseTemplate};

#[derive(Clone, Default)]
struct Repository {
    project: &'static str,
    name: String,
    fork: bool,
    disabled: bool,
    pushed: usize,
    files: BTreeMap<String, String>,
}

impl Repository {
    fn new(project: &'static str, name: &str, files: &[(&str, String)]) -> Self {
        let files = files.iter().map(|(path, text)| (format!("/{path}"), text.clone())).collect();
        Self { project, name: name.into(), files, ..Self::default() }
    }

    fn listed(&self) -> Value {
        value!({
            "name": self.name, "project": {"name": self.project, "visibility": "private"},
            "defaultBranch": "refs/heads/main", "isDisabled": self.disabled, "isFork": self.fork,
        })
    }
}

type Shared = Arc<Mutex<Vec<Repository>>>;

fn start(repositories: Vec<Repository>) -> (Shared, Script) {
    let shared: Shared = Arc::new(Mutex::new(repositories));
    let answering = shared.clone();
    (shared, Script::new(move |request| answer(&answering.lock().unwrap(), request)))
}

fn answer(all: &[Repository], request: &Request) -> ResponseTemplate {
    let path = request.url.path().replace("%20", " ");
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let find = |project: &str, name: &str| all.iter().find(|r| r.project == project && r.name == name);
    match parts.as_slice() {
        ["acme", "_apis", "git", "repositories"] => {
            json(&value!({"value": all.iter().map(Repository::listed).collect::<Vec<_>>()}))
        }
        ["acme", project, "_apis", "git", "repositories"] => {
            let some: Vec<Value> =
                all.iter().filter(|r| r.project == *project).map(Repository::listed).collect();
            json(&value!({ "value": some }))
        }
        ["acme", project, "_apis", "git", "repositories", name, "refs"] => match find(project, name) {
            Some(r) => json(&value!({"value": [
                {"name": "refs/heads/main-old", "objectId": "0"},
                {"name": "refs/heads/main", "objectId": format!("{:040x}", r.pushed + 1)},
            ]})),
            None => status(404),
        },
        ["acme", project, "_apis", "git", "repositories", name, "items"] => {
            let Some(repository) = find(project, name) else { return status(404) };
            if let Some(scope) = parameter(request, "scopePath") {
                let below = repository.files.keys().filter(|path| path.starts_with(&scope));
                let items: Vec<Value> = below
                    .map(|path| value!({"path": path, "gitObjectType": "blob", "objectId": ""}))
                    .collect();
                return json(&value!({ "value": items }));
            }
            match repository.files.get(&parameter(request, "path").unwrap()) {
                Some(text) => json(&value!({"objectId": "", "gitObjectType": "blob", "content": text})),
                None => status(404),
            }
        }
        _ => status(404),
    }
}

fn source(script: &Script) -> SourceConfig {
    let mut source = SourceConfig::new("azure", "company");
    source.url = Some(script.url());
    source.organization = Some("acme".into());
    source
}

fn info(name: &str) -> Vec<(&'static str, String)> {
    vec![("catalog-info.yaml", component(name))]
}

#[test]
fn all_projects_are_read_and_later_only_what_changed() {
    let many = (0..250).map(|n| Repository::new("My Shop", &format!("r{n:03}"), &info(&format!("c{n:03}"))));
    let (all, script) = start(many.collect());
    let loader = loader(vec![source(&script)]);
    let catalog = loader.load(&Progress::none());
    assert_eq!(catalog.len(), 250, "{:?}", catalog.diagnostics().first());
    assert_eq!(script.take().len(), 1 + 250);
    loader.load(&Progress::none());
    script.take();
    all.lock().unwrap()[3] = Repository { pushed: 7, ..Repository::new("My Shop", "r003", &info("other")) };
    let catalog = loader.load(&Progress::none());
    let other = catalog.entity(catalog.find("component:default/other").unwrap()).unwrap().to_json();
    let expected = format!("url:{}/acme/My%20Shop/_git/r003?path=%2Fcatalog-info.yaml", script.url());
    assert_eq!(other["metadata"]["annotations"]["backstage.io/managed-by-location"], expected);
    assert_eq!(script.take().iter().filter(|seen| seen.target.contains("/items?")).count(), 1);
}

#[test]
fn a_project_is_filtered_and_looked_through_by_pattern() {
    let files = [("a/catalog-info.yaml", component("a")), ("b/c/catalog-info.yaml", component("c"))];
    let (_, script) = start(vec![
        Repository::new("shop", "mono", &files),
        Repository { fork: true, ..Repository::new("shop", "fork", &files) },
        Repository { disabled: true, ..Repository::new("shop", "off", &files) },
        Repository::new("other", "x", &files),
    ]);
    let mut source = source(&script);
    source.project = Some("shop".into());
    source.repositories = toml::from_str("forks = false").unwrap();
    source.catalog_path = Some("/**/catalog-info.yaml".into());
    let catalog = load(source);
    assert_eq!(refs(&catalog), ["component:default/a", "component:default/c"], "{:?}", catalog.diagnostics());
    let seen = script.take();
    assert!(seen.iter().all(|seen| !seen.target.contains("other")), "{seen:?}");
}

#[test]
fn relative_targets_are_found_on_the_branch_with_the_token() {
    let files = [
        ("catalog-info.yaml", location("all", "  targets: [./near.yaml, /deep/far.yaml]\n")),
        ("near.yaml", component("near")),
        ("deep/far.yaml", component("far")),
    ];
    let (_, script) = start(vec![Repository::new("shop", "api", &files)]);
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret\n").unwrap();
    let mut source = source(&script);
    source.branch = Some("main".into());
    source.token = Some(SecretSource::File(token.path().to_owned()));
    let catalog = load(source);
    assert_eq!(
        refs(&catalog),
        ["component:default/far", "component:default/near", "location:default/all"],
        "{:?}",
        catalog.diagnostics()
    );
    let seen = script.take();
    // an empty name and the token as password
    assert!(seen.iter().all(|seen| seen.credential.as_deref() == Some("Basic OnMzY3JldA==")), "{seen:?}");
    let items = seen.iter().filter(|seen| seen.target.contains("/items?"));
    assert!(items.clone().all(|seen| seen.target.contains("versionDescriptor.version=main")));
    assert_eq!(items.count(), 3);
}

#[test]
fn refusals_say_what_to_do() {
    for (code, cause) in [(401, "asks for a token"), (403, "asks for a token"), (404, "organisation")] {
        let script = Script::new(move |_| status(code));
        let error = load(source(&script)).sources()[0].error.clone().unwrap();
        assert!(error.message.contains(cause) && error.hint.is_some(), "{code}: {error:?}");
    }
    // who is not signed in gets a page with 203
    let script =
        Script::new(|_| ResponseTemplate::new(203).set_body_raw("<html>Sign in</html>", "text/html"));
    let error = load(source(&script)).sources()[0].error.clone().unwrap();
    assert!(error.hint.unwrap().contains("token"), "{:?}", error.message);
    assert!(load(SourceConfig::new("azure", "x")).diagnostics()[0].message.contains("needs `organization`"));
}
