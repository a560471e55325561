//! Bitbucket Cloud and Bitbucket Server, against scripted servers.

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
    name: String,
    fork: bool,
    archived: bool,
    pushed: usize,
    files: BTreeMap<String, String>,
}

impl Repository {
    fn new(name: &str, files: &[(&str, String)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        Self { name: name.into(), files, ..Self::default() }
    }
}

fn info(name: &str) -> Vec<(&'static str, String)> {
    vec![("catalog-info.yaml", component(name))]
}

fn many(count: usize, every: usize) -> Vec<Repository> {
    (0..count)
        .map(|n| match n % every {
            0 => Repository::new(&format!("r{n:03}"), &info(&format!("c{n:03}"))),
            _ => Repository::new(&format!("r{n:03}"), &[("README.md", "x".to_owned())]),
        })
        .collect()
}

type Shared = Arc<Mutex<Vec<Repository>>>;

/// Starts a workspace; `search` says whether its code search answers.
fn cloud(repositories: Vec<Repository>, search: bool) -> (Shared, Script) {
    let shared: Shared = Arc::new(Mutex::new(repositories));
    let answering = shared.clone();
    let script = Script::new(move |request| cloud_answer(&answering.lock().unwrap(), search, request));
    (shared, script)
}

fn cloud_answer(all: &[Repository], search: bool, request: &Request) -> ResponseTemplate {
    let path = request.url.path().to_owned();
    let parts: Vec<&str> = path.split('/').skip(2).collect();
    let find = |name: &str| all.iter().find(|repository| repository.name == name);
    let page: usize = parameter(request, "page").map_or(1, |page| page.parse().unwrap());
    match parts.as_slice() {
        ["repositories", "acme"] => {
            let some: Vec<Value> = all.iter().skip((page - 1) * 100).take(100).map(listed).collect();
            let mut out = value!({"values": some, "size": all.len()});
            if page * 100 < all.len() {
                out["next"] = value!(format!("/2.0/repositories/acme?pagelen=100&page={}", page + 1));
            }
            json(&out)
        }
        ["workspaces", "acme", "search", "code"] if search => {
            let query = parameter(request, "search_query").unwrap();
            assert!(query.starts_with("\"catalog-info.yaml\" path:catalog-info.yaml"), "{query}");
            let with = all.iter().filter(|repository| repository.files.contains_key("catalog-info.yaml"));
            let found: Vec<Value> = with.map(|r| matched(&r.name)).collect();
            json(&value!({"size": found.len(), "values": found}))
        }
        ["repositories", "acme", name, "src", "main", file @ ..] => {
            let Some(repository) = find(name) else { return status(404) };
            let file = file.join("/");
            match repository.files.get(&file) {
                Some(text) => ResponseTemplate::new(200).set_body_string(text.clone()),
                None if file.is_empty() || file.ends_with('/') => {
                    let files = repository.files.keys().filter(|path| path.starts_with(&file));
                    let nodes: Vec<Value> = files
                        .map(|path| value!({"type": "commit_file", "path": path, "attributes": []}))
                        .collect();
                    json(&value!({"values": nodes}))
                }
                None => status(404),
            }
        }
        _ => status(404),
    }
}

fn listed(repository: &Repository) -> Value {
    let mut out = value!({
        "full_name": format!("acme/{}", repository.name), "is_private": true, "mainbranch": {"name": "main"},
        "updated_on": format!("2024-01-01T00:00:{:02}Z", repository.pushed),
    });
    if repository.fork {
        out["parent"] = value!({"full_name": "other/x"});
    }
    out
}

fn matched(name: &str) -> Value {
    value!({"file": {"path": "catalog-info.yaml", "commit": {"repository": {"full_name": format!("acme/{name}")}}}})
}

fn cloud_source(script: &Script) -> SourceConfig {
    let mut source = SourceConfig::new("bitbucket", "company");
    source.url = Some(format!("{}/2.0", script.url()));
    source.organization = Some("acme".into());
    source
}

#[test]
fn a_workspace_is_read_page_by_page() {
    let (all, script) = cloud(many(150, 1), false);
    let loader = loader(vec![cloud_source(&script)]);
    let catalog = loader.load(&Progress::none());
    assert_eq!(catalog.len(), 150, "{:?}", catalog.diagnostics().first());
    assert_eq!(script.take().len(), 2 + 150);
    all.lock().unwrap()[3] = Repository { pushed: 7, ..Repository::new("r003", &info("other")) };
    assert!(loader.load(&Progress::none()).find("component:default/other").is_some());
    assert_eq!(script.take().len(), 2 + 1);
    let catalog = loader.load(&Progress::none());
    let other = catalog.entity(catalog.find("component:default/other").unwrap()).unwrap().to_json();
    assert_eq!(
        other["metadata"]["annotations"]["backstage.io/managed-by-location"],
        "url:https://bitbucket.org/acme/r003/src/main/catalog-info.yaml"
    );
}

#[test]
fn the_search_spares_the_repositories_without_descriptor() {
    let (_, script) = cloud(many(300, 30), true);
    assert_eq!(load(cloud_source(&script)).len(), 10);
    assert_eq!(script.take().len(), 3 + 1 + 10);
    // without it each is asked
    let (_, script) = cloud(many(300, 30), false);
    assert_eq!(load(cloud_source(&script)).len(), 10);
    assert!(script.take().len() >= 300);
}

#[test]
fn a_workspace_is_filtered_and_looked_through_by_pattern() {
    let deep = Repository::new(
        "mono",
        &[("apis/a/catalog-info.yaml", component("a")), ("apis/b/catalog-info.yaml", component("b"))],
    );
    let (_, script) =
        cloud(vec![deep, Repository { fork: true, ..Repository::new("fork", &info("fork")) }], false);
    let mut source = cloud_source(&script);
    source.repositories = toml::from_str("forks = false").unwrap();
    assert!(load(source.clone()).is_empty());
    source.catalog_path = Some("apis/*/catalog-info.yaml".into());
    assert_eq!(refs(&load(source.clone())), ["component:default/a", "component:default/b"]);
    assert!(
        script
            .take()
            .iter()
            .any(|seen| seen.target.contains("/src/main/apis/?") && seen.target.contains("max_depth=3"))
    );
    source.project = Some("SHOP".into());
    load(source);
    assert!(script.take()[0].target.contains("q=project.key%3D%22SHOP%22"));
}

#[test]
fn names_and_tokens_sign_in_and_stay_on_their_host() {
    let other = Script::new(|_| json(&value!({"values": []})));
    let next = format!("{}/2.0/repositories/acme?page=2", other.url());
    let script = Script::new(move |_| json(&value!({"values": [], "next": next})));
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret\n").unwrap();
    let mut source = cloud_source(&script);
    source.token = Some(SecretSource::File(token.path().to_owned()));
    let error = load(source.clone()).sources()[0].error.clone().unwrap();
    assert!(error.message.contains("another host"), "{error:?}");
    assert_eq!(script.take()[0].credential.as_deref(), Some("Bearer s3cret"));
    source.username = Some("ana".into());
    load(source);
    assert!(script.take()[0].credential.as_deref().unwrap().starts_with("Basic "));
    assert!(other.take().is_empty());
}

#[test]
fn refusals_say_what_to_do() {
    for (code, cause) in [(401, "asks for a token"), (403, "asks for a token"), (404, "workspace `acme`")] {
        let script = Script::new(move |_| status(code));
        let error = load(cloud_source(&script)).sources()[0].error.clone().unwrap();
        assert!(error.message.contains(cause) && error.hint.is_some(), "{code}: {error:?}");
    }
}

fn server(repositories: Vec<Repository>) -> (Shared, Script) {
    let shared: Shared = Arc::new(Mutex::new(repositories));
    let answering = shared.clone();
    (shared, Script::new(move |request| server_answer(&answering.lock().unwrap(), request)))
}

fn server_answer(all: &[Repository], request: &Request) -> ResponseTemplate {
    let path = request.url.path().to_owned();
    let parts: Vec<&str> = path.split('/').skip(4).collect();
    let find = |name: &str| all.iter().find(|repository| repository.name == name);
    let start: usize = parameter(request, "start").map_or(0, |start| start.parse().unwrap());
    match parts.as_slice() {
        ["repos"] | ["projects", "SHOP", "repos"] => {
            let some: Vec<Value> = all
                .iter()
                .skip(start)
                .take(100)
                .map(|r| {
                    let mut out = value!({"slug": r.name, "project": {"key": "SHOP"}, "public": false, "archived": r.archived});
                    if r.fork {
                        out["origin"] = value!({"slug": "x"});
                    }
                    out
                })
                .collect();
            let end = start + some.len();
            let last = end >= all.len();
            let next = if last { Value::Null } else { value!(end) };
            json(&value!({"values": some, "isLastPage": last, "nextPageStart": next, "start": start}))
        }
        ["projects", "SHOP", "repos", name, "raw", file @ ..] => {
            match find(name).and_then(|repository| repository.files.get(&file.join("/"))) {
                Some(text) => ResponseTemplate::new(200).set_body_string(text.clone()),
                None => status(404),
            }
        }
        ["projects", "SHOP", "repos", name, "commits"] => match find(name) {
            Some(r) if r.files.is_empty() => status(404),
            Some(r) => {
                json(&value!({"values": [{"id": format!("{:040x}", r.pushed + 1)}], "isLastPage": true}))
            }
            None => status(404),
        },
        ["projects", "SHOP", "repos", name, "files"] => {
            let files: Vec<&String> = find(name).map(|r| r.files.keys().collect()).unwrap_or_default();
            let some: Vec<&&String> = files.iter().skip(start).take(1).collect();
            let last = start + some.len() >= files.len();
            let next = if last { Value::Null } else { value!(start + 1) };
            json(&value!({"values": some, "isLastPage": last, "nextPageStart": next}))
        }
        _ => status(404),
    }
}

fn server_source(script: &Script) -> SourceConfig {
    let mut source = SourceConfig::new("bitbucket", "company");
    source.url = Some(script.url());
    source
}

#[test]
fn a_server_is_read_page_by_page_and_then_by_its_commits() {
    let (all, script) = server(many(150, 1));
    let loader = loader(vec![server_source(&script)]);
    let catalog = loader.load(&Progress::none());
    assert_eq!(catalog.len(), 150, "{:?}", catalog.diagnostics().first());
    assert_eq!(script.take().len(), 2 + 150);
    // the second time the commits come to be known, from the third on nothing else is asked
    loader.load(&Progress::none());
    script.take();
    all.lock().unwrap()[3] = Repository { pushed: 7, ..Repository::new("r003", &info("other")) };
    assert!(loader.load(&Progress::none()).find("component:default/other").is_some());
    let seen = script.take();
    assert_eq!(seen.len(), 2 + 150 + 1);
    assert_eq!(seen.iter().filter(|seen| seen.target.contains("/raw/")).count(), 1);
}

#[test]
fn a_server_is_filtered_and_looked_through_by_pattern() {
    let deep = Repository::new(
        "mono",
        &[
            ("a/catalog-info.yaml", component("a")),
            ("b/catalog-info.yaml", component("b")),
            ("c.txt", "x".into()),
        ],
    );
    let (_, script) = server(vec![
        deep,
        Repository { archived: true, ..Repository::new("old", &[("a/catalog-info.yaml", component("old"))]) },
        Repository::new("empty", &[]),
    ]);
    let mut source = server_source(&script);
    source.project = Some("SHOP".into());
    source.catalog_path = Some("*/catalog-info.yaml".into());
    let catalog = load(source);
    assert_eq!(refs(&catalog), ["component:default/a", "component:default/b"], "{:?}", catalog.diagnostics());
    let a = catalog.entity(catalog.find("component:default/a").unwrap()).unwrap().to_json();
    let expected = format!("url:{}/projects/SHOP/repos/mono/browse/a/catalog-info.yaml", script.url());
    assert_eq!(a["metadata"]["annotations"]["backstage.io/managed-by-location"], expected);
}

#[test]
fn a_branch_of_a_server_is_named_in_every_address() {
    let files = [
        ("catalog-info.yaml", location("all", "  targets: [./near.yaml, /deep/far.yaml]\n")),
        ("near.yaml", component("near")),
        ("deep/far.yaml", component("far")),
    ];
    let (_, script) = server(vec![Repository::new("shop", &files)]);
    let mut source = server_source(&script);
    source.branch = Some("release/1".into());
    let catalog = load(source);
    assert_eq!(
        refs(&catalog),
        ["component:default/far", "component:default/near", "location:default/all"],
        "{:?}",
        catalog.diagnostics()
    );
    let raw: Vec<_> = script.take().into_iter().filter(|seen| seen.target.contains("/raw/")).collect();
    assert_eq!(raw.len(), 3);
    assert!(raw.iter().all(|seen| seen.target.ends_with("?at=release%2F1")), "{raw:?}");
}
