//! Gitea and Forgejo, against a scripted server.

#![allow(clippy::indexing_slicing, reason = "a failing helper fails its test")]

use crate::script::{Script, json, parameter, status};
use crate::{api, component, load, loader, location, refs};
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
    archived: bool,
    fork: bool,
    private: bool,
    topics: Vec<&'static str>,
    updated: u32,
    files: BTreeMap<String, String>,
}

impl Repository {
    fn new(name: &str, files: &[(&str, String)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        Self { name: name.into(), files, ..Self::default() }
    }

    fn listed(&self) -> Value {
        value!({
            "full_name": format!("acme/{}", self.name), "default_branch": "main", "empty": self.files.is_empty(),
            "archived": self.archived, "fork": self.fork, "private": self.private, "internal": false,
            "topics": self.topics, "updated_at": format!("2024-01-01T00:00:{:02}Z", self.updated),
        })
    }
}

#[derive(Default)]
struct Gitea {
    repositories: Mutex<Vec<Repository>>,
    /// Whether `acme` is a user, not an organisation.
    user: bool,
    /// Whether pages come without links.
    bare: bool,
    broken_page: Mutex<Option<usize>>,
}

impl Gitea {
    fn of(repositories: Vec<Repository>) -> Self {
        Self { repositories: Mutex::new(repositories), ..Self::default() }
    }

    fn start(self) -> (Arc<Self>, Script) {
        let gitea = Arc::new(self);
        let answering = gitea.clone();
        (gitea, Script::new(move |request| answering.answer(request)))
    }

    fn answer(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path().to_owned();
        let parts: Vec<&str> = path.split('/').skip(3).collect();
        let all = self.repositories.lock().unwrap();
        let find = |name: &str| all.iter().find(|repository| repository.name == name);
        match parts.as_slice() {
            ["orgs", "acme", "repos"] if !self.user => self.page(&all, request),
            ["users", "acme", "repos"] if self.user => self.page(&all, request),
            ["repos", "acme", name, "raw", file @ ..] => {
                let text = find(name).and_then(|repository| repository.files.get(&file.join("/")));
                let known = parameter(request, "ref").is_none_or(|revision| revision == "main");
                match text.filter(|_| known) {
                    Some(text) => ResponseTemplate::new(200).set_body_string(text.clone()),
                    None => status(404),
                }
            }
            ["repos", "acme", name, "git", "trees", "main"] => {
                let Some(repository) = find(name) else { return status(404) };
                let page: usize = parameter(request, "page").unwrap().parse().unwrap();
                // two at a time, to have pages
                let mut nodes: Vec<Value> = repository
                    .files
                    .keys()
                    .map(|path| value!({"path": path, "type": "blob", "mode": "100644", "sha": ""}))
                    .collect();
                nodes.push(
                    value!({"path": "link/catalog-info.yaml", "type": "blob", "mode": "120000", "sha": ""}),
                );
                let some: Vec<&Value> = nodes.iter().skip((page - 1) * 2).take(2).collect();
                json(&value!({"tree": some, "total_count": nodes.len(), "truncated": false, "page": page}))
            }
            _ => status(404),
        }
    }

    fn page(&self, all: &[Repository], request: &Request) -> ResponseTemplate {
        let page: usize = parameter(request, "page").unwrap().parse().unwrap();
        let limit: usize = parameter(request, "limit").unwrap().parse().unwrap();
        if *self.broken_page.lock().unwrap() == Some(page) {
            return status(500);
        }
        let some: Vec<Value> =
            all.iter().skip((page - 1) * limit).take(limit).map(Repository::listed).collect();
        let answer = json(&value!(some)).insert_header("x-total-count", all.len().to_string().as_str());
        if self.bare || page * limit >= all.len() {
            return answer;
        }
        let next = format!("<{}?limit={limit}&page={}>; rel=\"next\"", request.url.path(), page + 1);
        answer.insert_header("link", next.as_str())
    }
}

fn source(script: &Script) -> SourceConfig {
    let mut source = SourceConfig::new("gitea", "company");
    source.url = Some(script.url());
    source.organization = Some("acme".into());
    source
}

fn info(name: &str) -> Vec<(&'static str, String)> {
    vec![("catalog-info.yaml", component(name))]
}

fn many(count: usize) -> Vec<Repository> {
    (0..count).map(|n| Repository::new(&format!("r{n:03}"), &info(&format!("c{n:03}")))).collect()
}

#[test]
fn pages_are_followed_and_what_is_unchanged_is_not_asked_again() {
    for (user, bare) in [(false, false), (true, false), (false, true)] {
        let (gitea, script) = Gitea { user, bare, ..Gitea::of(many(120)) }.start();
        let loader = loader(vec![source(&script)]);
        let catalog = loader.load(&Progress::none());
        assert_eq!(catalog.len(), 120, "{user} {bare} {:?}", catalog.diagnostics().first());
        script.take();
        gitea.repositories.lock().unwrap()[60] =
            Repository { updated: 9, ..Repository::new("r060", &info("other")) };
        let catalog = loader.load(&Progress::none());
        assert!(catalog.find("component:default/other").is_some());
        assert!(catalog.find("component:default/c060").is_none());
        // three pages, the one that is for an organisation alone, one file
        assert_eq!(script.take().len(), 4 + usize::from(user));
    }
}

#[test]
fn a_listing_that_was_cut_goes_on_where_it_stopped() {
    let (gitea, script) = Gitea::of(many(120)).start();
    *gitea.broken_page.lock().unwrap() = Some(3);
    let loader = loader(vec![source(&script)]);
    let catalog = loader.load(&Progress::none());
    assert!(catalog.len() < 120 && catalog.sources()[0].error.is_some());
    script.take();
    *gitea.broken_page.lock().unwrap() = None;
    assert_eq!(loader.load(&Progress::none()).len(), 120);
    assert!(script.take()[0].target.contains("page=3"));
}

#[test]
fn only_what_the_filter_lets_through_is_read() {
    let (_, script) = Gitea::of(vec![
        Repository::new("api", &info("api")),
        Repository { archived: true, ..Repository::new("old", &info("old")) },
        Repository { fork: true, ..Repository::new("fork", &info("fork")) },
        Repository { topics: vec!["backstage"], private: true, ..Repository::new("cli", &info("cli")) },
        Repository::new("none", &[("README.md", "x".to_owned())]),
        Repository::new("empty", &[]),
    ])
    .start();
    let cases = [
        ("", vec!["api", "cli", "fork"]),
        ("archived = true", vec!["api", "cli", "fork", "old"]),
        ("forks = false", vec!["api", "cli"]),
        ("topics = [\"backstage\"]", vec!["cli"]),
        ("exclude_topics = [\"backstage\"]", vec!["api", "fork"]),
        ("visibility = [\"private\"]", vec!["cli"]),
        ("name = \"a.*\"", vec!["api"]),
    ];
    for (settings, expected) in cases {
        let mut source = source(&script);
        source.repositories = toml::from_str(settings).unwrap();
        let catalog = load(source);
        let names: Vec<_> = refs(&catalog).iter().map(|r| r.rsplit('/').next().unwrap().to_owned()).collect();
        assert_eq!(names, expected, "{settings}: {:?}", catalog.diagnostics());
    }
}

#[test]
fn patterns_find_files_on_all_pages_of_a_tree_but_no_links() {
    let files = ["a", "b", "c", "d"].map(|name| (format!("{name}/catalog-info.yaml"), component(name)));
    let mut repository = Repository::new("mono", &[("README.md", "x".to_owned())]);
    repository.files.extend(files);
    let (_, script) = Gitea::of(vec![repository]).start();
    let mut source = source(&script);
    source.catalog_path = Some("*/catalog-info.yaml".into());
    let catalog = load(source);
    assert_eq!(catalog.len(), 4, "{:?}", catalog.diagnostics());
}

#[test]
fn neighbours_are_read_with_the_credential_and_know_their_pages() {
    let definition = api("near", "$text: ./spec.txt");
    let (_, script) = Gitea::of(vec![Repository::new(
        "shop",
        &[
            ("catalog-info.yaml", location("all", "  targets: [/apis/near.yaml, ./gone.yaml]\n")),
            ("apis/near.yaml", definition),
            ("apis/spec.txt", "the spec".to_owned()),
        ],
    )])
    .start();
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret\n").unwrap();
    let mut source = source(&script);
    source.token = Some(SecretSource::File(token.path().to_owned()));
    let catalog = load(source.clone());
    assert_eq!(refs(&catalog), ["api:default/near", "location:default/all"]);
    let near = catalog.entity(catalog.find("api:default/near").unwrap()).unwrap().to_json();
    assert_eq!(near["spec"]["definition"], "the spec");
    let page = |word: &str| format!("{}/acme/shop/{word}/branch/main/apis/near.yaml", script.url());
    let annotations = &near["metadata"]["annotations"];
    assert_eq!(annotations["backstage.io/view-url"], page("src"));
    assert_eq!(annotations["backstage.io/edit-url"], page("_edit"));
    let seen = script.take();
    assert!(seen.iter().all(|seen| seen.credential.as_deref() == Some("token s3cret")), "{seen:?}");
    // the missing target is told, once
    assert_eq!(
        crate::codes(&catalog).iter().filter(|code| **code == "catalog::target-not-fetched").count(),
        1
    );
    // a name makes the token a password
    source.username = Some("ana".into());
    load(source);
    assert!(script.take().iter().all(|seen| seen.credential.as_deref().unwrap().starts_with("Basic ")));
}

#[test]
fn what_is_needed_is_asked_for() {
    let mut source = SourceConfig::new("gitea", "x");
    assert!(load(source.clone()).diagnostics()[0].message.contains("needs `url`"));
    source.url = Some("https://gitea.example.com".into());
    assert!(load(source).diagnostics()[0].message.contains("needs `organization`"));
}

#[test]
fn refusals_and_circles_come_to_an_end() {
    for (code, cause) in
        [(401, "asks for a token"), (403, "asks for a token"), (404, "organisation or user `acme`")]
    {
        let script = Script::new(move |_| status(code));
        let error = load(source(&script)).sources()[0].error.clone().unwrap();
        assert!(error.message.contains(cause), "{code}: {error:?}");
    }
    let circle = Script::new(|request| {
        json(&value!([]))
            .insert_header("link", format!("<{}?limit=50&page=1>; rel=\"next\"", request.url.path()).as_str())
    });
    let error = load(source(&circle)).sources()[0].error.clone().unwrap();
    assert!(error.message.contains("does not come to an end"), "{error:?}");
    let other = Script::new(|_| json(&value!([])));
    let next = format!("<{}/x>; rel=\"next\"", other.url());
    let script = Script::new(move |_| json(&value!([])).insert_header("link", next.as_str()));
    let error = load(source(&script)).sources()[0].error.clone().unwrap();
    assert!(error.message.contains("another host"), "{error:?}");
    assert!(other.take().is_empty());
}

#[test]
fn a_page_to_sign_in_is_no_listing() {
    let script = Script::new(|_| {
        ResponseTemplate::new(200).set_body_raw("<html><title>Sign in</title></html>", "text/html")
    });
    let error = load(source(&script)).sources()[0].error.clone().unwrap();
    assert_eq!(error.code, "source::network");
    assert!(error.hint.unwrap().contains("token"), "{:?}", error.message);
}
