//! Documentation wherever it lies: a folder, a revision, a repository elsewhere, a Backstage backend.

use crate::Folder;
use crate::git_remote::git;
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress};
use devportal::config::source::SourceConfig;
use devportal::docs::site::place::{self, Found, PlaceError};
use devportal::docs::site::{Edit, Target};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SHOP: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: shop\n  annotations:\n    backstage.io/techdocs-ref: dir:.\n    backstage.io/adr-location: adr\nspec: {type: service, lifecycle: production, owner: me}\n";
const PLAIN: &str = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: plain\nspec: {type: service, lifecycle: production, owner: me}\n";

fn files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("svc/catalog-info.yaml", SHOP),
        ("svc/mkdocs.yml", "site_name: Shop\nnav: [index.md, more.md]\n"),
        ("svc/docs/index.md", "# Shop\n\n[more](more.md) [code](../main.rs)\n\n--8<-- \"part.md\"\n"),
        ("svc/docs/more.md", "# More\n"),
        ("svc/part.md", "pulled in\n"),
        ("svc/main.rs", "fn main() {}\n"),
        ("svc/adr/0001-a.md", "---\nstatus: accepted\n---\n# A\n"),
        ("plain/catalog-info.yaml", PLAIN),
        ("plain/README.md", "# Plain\n\n[up](../svc/docs/more.md)\n"),
    ]
}

fn loader(source: SourceConfig, cache: &Path, offline: bool) -> Arc<Loader> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = LoadOptions { offline, cache: Some(cache.to_owned()), ..LoadOptions::default() };
    Arc::new(Loader::new(vec![source], options))
}

fn open(loader: &Arc<Loader>, catalog: &Catalog, entity: &str) -> Result<Found, PlaceError> {
    let id = catalog.find(&format!("component:default/{entity}")).expect("the entity is there");
    place::open(loader, catalog, &catalog.entity(id).unwrap(), &Progress::none())
}

fn assert_reads(found: &Found) {
    let paths: Vec<&str> = found.site.pages.iter().map(|page| page.path.as_str()).collect();
    assert_eq!((found.site.name.as_str(), paths), ("Shop", vec!["index.md", "more.md"]));
    assert!(found.site.page("index.md").unwrap().text.contains("pulled in"));
    assert!(found.site.page("file:svc/main.rs").unwrap().text.contains("fn main"));
    assert_eq!(found.site.records.len(), 1);
    assert!(found.site.page(&found.site.records[0].page).unwrap().text.contains("# A"));
}

#[test]
fn a_folder_is_read_as_it_lies_there() {
    let folder = Folder::new(&files());
    // links may lead anywhere in the work tree
    git(folder.path(), &["init", "-q"]);
    let cache = tempfile::tempdir().unwrap();
    let loader = loader(folder.source(), cache.path(), true);
    let catalog = loader.load(&Progress::none());
    let shop = open(&loader, &catalog, "shop").unwrap();
    assert_reads(&shop);
    let file = std::fs::canonicalize(folder.path().join("svc/docs/more.md")).unwrap();
    assert_eq!(shop.site.edit("more.md"), Some(Edit::File(file)));
    let plain = open(&loader, &catalog, "plain").unwrap();
    assert_eq!(plain.site.home(), Some("README.md"));
    let target = plain.site.resolve("README.md", "../svc/docs/more.md", &[]);
    assert_eq!(target, Target::Page { path: "file:svc/docs/more.md".to_owned(), anchor: None });
}

#[cfg(unix)]
#[test]
fn links_of_the_file_system_do_not_lead_out() {
    let outside = Folder::new(&[("secret.md", "secret")]);
    let folder = Folder::new(&files());
    std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("svc/docs/s.md"))
        .unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("svc/s.md")).unwrap();
    folder.write("svc/docs/more.md", "--8<-- \"s.md\"\n--8<-- \"../../../secret.md\"\n");
    let cache = tempfile::tempdir().unwrap();
    let loader = loader(folder.source(), cache.path(), true);
    let catalog = loader.load(&Progress::none());
    let shop = open(&loader, &catalog, "shop").unwrap();
    let more = shop.site.page("more.md").unwrap();
    assert!(!more.text.contains("secret"), "{}", more.text);
    assert_eq!(more.problems.len(), 2);
    assert!(shop.site.page("s.md").is_err());
}

#[test]
fn a_revision_is_read_without_a_checkout() {
    let folder = Folder::new(&files());
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "-A"]);
    git(folder.path(), &["commit", "-q", "-m", "one"]);
    folder.write("svc/docs/index.md", "# Something else\n");
    let cache = tempfile::tempdir().unwrap();
    let source = SourceConfig::guess(folder.path().to_str().unwrap(), Some("HEAD"));
    let loader = loader(source, cache.path(), true);
    let catalog = loader.load(&Progress::none());
    assert_reads(&open(&loader, &catalog, "shop").unwrap());
}

#[test]
fn a_repository_elsewhere_is_fetched_and_kept() {
    let work = Folder::new(&files());
    let bare = tempfile::tempdir().unwrap();
    let cache = tempfile::tempdir().unwrap();
    git(bare.path(), &["init", "-q", "--bare", "r.git"]);
    git(&bare.path().join("r.git"), &["config", "uploadpack.allowFilter", "true"]);
    git(&bare.path().join("r.git"), &["config", "uploadpack.allowAnySHA1InWant", "true"]);
    git(work.path(), &["init", "-q"]);
    git(work.path(), &["add", "-A"]);
    git(work.path(), &["commit", "-q", "-m", "one"]);
    git(work.path(), &["push", "-q", bare.path().join("r.git").to_str().unwrap(), "HEAD:main"]);
    let url = format!("file://{}", bare.path().join("r.git").display());
    let first = loader(SourceConfig::guess(&url, None), cache.path(), false);
    let catalog = first.load(&Progress::none());
    assert_reads(&open(&first, &catalog, "shop").unwrap());
    drop(bare);
    let later = loader(SourceConfig::guess(&url, None), cache.path(), true);
    let catalog = later.load(&Progress::none());
    assert_reads(&open(&later, &catalog, "shop").unwrap());
}

#[test]
fn what_a_backend_publishes_is_read_and_kept() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::start());
    let entity = json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
        "metadata": { "name": "Shop", "namespace": "default", "uid": "1", "etag": "1", "annotations": { "backstage.io/techdocs-ref": "dir:." } },
        "spec": { "type": "service", "lifecycle": "production", "owner": "me" }, "relations": []
    });
    let page = |text: &str| {
        let html = format!("<html><body><article class=\"md-content__inner\">{text}</article></body></html>");
        ResponseTemplate::new(200).set_body_raw(html, "text/html")
    };
    let base = "/api/techdocs/static/docs/default/component/shop";
    let answers = [
        ("/api/catalog/entities/by-query".to_owned(), ResponseTemplate::new(200).set_body_json(json!({ "items": [entity], "totalItems": 1, "pageInfo": {} }))),
        ("/api/techdocs/metadata/techdocs/default/component/shop".to_owned(), ResponseTemplate::new(200).set_body_json(json!({ "site_name": "The shop" }))),
        (format!("{base}/search/search_index.json"), ResponseTemplate::new(200).set_body_json(json!({ "docs": [
            { "location": "", "title": "Shop", "text": "" }, { "location": "start/", "title": "Start", "text": "" },
        ] }))),
        (format!("{base}/index.html"), page("<h1>Shop</h1><p>Go to <a href=\"start/\">start</a></p>")),
        (format!("{base}/start/index.html"), page("<h1>Start</h1><div class=\"admonition tip\"><p class=\"admonition-title\">Mind</p><p>it</p></div>")),
    ];
    for (at, answer) in answers {
        runtime.block_on(Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&server));
    }
    let cache = tempfile::tempdir().unwrap();
    let mut source = SourceConfig::new("backstage", "company");
    source.url = Some(server.uri());
    let first = loader(source.clone(), cache.path(), false);
    let catalog = first.load(&Progress::none());
    let found = open(&first, &catalog, "shop").unwrap();
    assert_eq!((found.site.name.as_str(), found.site.pages.len()), ("The shop", 2));
    assert!(found.site.page("start.md").unwrap().text.contains("!!! tip \"Mind\"\n    it"));
    let target = found.site.resolve("index.md", "start/", &[]);
    assert_eq!(target, Target::Page { path: "start.md".to_owned(), anchor: None });
    drop(server);
    let later = loader(source, cache.path(), true);
    let found = open(&later, &catalog, "shop").unwrap();
    assert!(found.site.stale.is_some());
    assert!(found.site.page("start.md").unwrap().text.contains("# Start"));
}

#[test]
fn an_annotation_that_means_nothing_is_told() {
    let folder = Folder::new(&[
        ("catalog-info.yaml", &SHOP.replace("dir:.", "wiki:page")),
        ("two/catalog-info.yaml", &SHOP.replace("name: shop", "name: out").replace("dir:.", "dir:../..")),
        ("three/catalog-info.yaml", &PLAIN.replace("plain", "bare")),
    ]);
    let cache = tempfile::tempdir().unwrap();
    let loader = loader(folder.source(), cache.path(), true);
    let catalog = loader.load(&Progress::none());
    assert!(matches!(open(&loader, &catalog, "shop"), Err(PlaceError::BadAnnotation { .. })));
    assert!(matches!(open(&loader, &catalog, "out"), Err(PlaceError::Unreadable { .. })));
    assert!(matches!(open(&loader, &catalog, "bare"), Err(PlaceError::Nothing { .. })));
}
