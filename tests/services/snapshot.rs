//! Shared snapshots: published and read again, through folders, a bucket and a web server.

#![allow(clippy::indexing_slicing, reason = "a failing helper fails its test")]

mod bucket;
mod trust;

use crate::{Folder, codes, component, group, loader, refs};
use devportal::catalog::shared::keys::SigningKey;
use devportal::catalog::shared::publish::{Change, Options, Published, publish};
use devportal::catalog::shared::{Forbidden, SharedError, Store, StoreOptions};
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress, Query, Viewer};
use devportal::config::secret::Secret;
use devportal::config::source::SourceConfig;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(crate) fn options(now: &str) -> Options<'static> {
    Options {
        key: None,
        allow_incomplete: false,
        dry_run: false,
        keep: 5,
        forbidden: &[],
        now: now.parse::<Timestamp>().unwrap(),
    }
}

const NOON: &str = "2026-03-01T12:00:00Z";
const LATER: &str = "2026-03-01T13:00:00Z";

fn to_folder(catalog: &Catalog, place: &Path, options: &Options<'_>) -> Result<Published, SharedError> {
    let mut store = Store::open(place.to_str().unwrap(), StoreOptions::default()).unwrap();
    publish(catalog, &mut store, options)
}

fn publish_at(catalog: &Catalog, place: &Path, now: &str) -> Published {
    to_folder(catalog, place, &options(now)).unwrap()
}

fn source(url: impl Into<String>) -> SourceConfig {
    let mut source = SourceConfig::new("snapshot", "company");
    source.url = Some(url.into());
    source
}

/// A loader that keeps what it reads in a folder.
fn keeping(sources: Vec<SourceConfig>, cache: &Path) -> Loader {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Loader::new(sources, LoadOptions { cache: Some(cache.to_path_buf()), ..LoadOptions::default() })
}

fn load(loader: &Loader) -> Arc<Catalog> {
    loader.load(&Progress::none())
}

fn error(catalog: &Catalog) -> String {
    catalog.sources()[0].error.as_ref().map_or_else(String::new, |error| error.message.clone())
}

/// A small company with a conflict, a dangling ref, an invalid entity and a file that does not parse.
fn company() -> Folder {
    Folder::new(&[
        ("org.yaml", &(group("team") + "---\n" + &component("twice"))),
        ("a/catalog-info.yaml", &component("checkout")),
        ("a/twice.yaml", &component("twice")),
        (
            "b/catalog-info.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: b\n  tags: [java]\n  title: Büro\n  \
             description: Pays\nspec:\n  type: service\n  lifecycle: production\n  owner: nobody\n  dependsOn: \
             [component:checkout, 'resource:gone']\n  size: 1.5\n",
        ),
        (
            "c/catalog-info.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: c\nspec: {}\n",
        ),
        ("d/catalog-info.yaml", "apiVersion: backstage.io/v1alpha1\nkind: [\n"),
    ])
}

/// Everything of a catalog that must survive, paths aside.
fn essence(catalog: &Catalog) -> Vec<String> {
    let mut out: Vec<String> = catalog
        .entities()
        .map(|entity| {
            let mut json = entity.to_json();
            let annotations = json["metadata"]["annotations"].as_object_mut().unwrap();
            annotations.retain(|key, _| !key.starts_with("backstage.io/managed-by"));
            // messages name places
            if let Some(items) = json.pointer_mut("/status/items").and_then(|items| items.as_array_mut()) {
                for item in items {
                    item["message"] = "".into();
                }
            }
            let flags = (entity.is_invalid(), entity.is_orphan(), entity.has_warnings());
            format!(
                "{} {}:{} {flags:?} {json}",
                entity.entity_ref(),
                entity.location().line,
                entity.document()
            )
        })
        .collect();
    out.extend(catalog.dangling().map(|id| catalog.ref_of(id).to_owned()));
    let diagnostic = |d: &devportal::diagnostic::Diagnostic| {
        let place = d.location.as_ref().map(|place| (place.line, place.column));
        format!("{} {:?} {place:?} {:?} {:?} {:?}", d.code, d.severity, d.pointer, d.entity, d.snippet)
    };
    let mut diagnostics: Vec<String> = catalog.diagnostics().iter().map(diagnostic).collect();
    diagnostics.sort();
    out.extend(diagnostics);
    out
}

fn answers(catalog: &Catalog, query: &str) -> Vec<String> {
    let found = Query::parse(query).unwrap().run(catalog, &Viewer::default(), &CancellationToken::new());
    found.into_iter().map(|id| catalog.ref_of(id).to_owned()).collect()
}

#[test]
fn what_is_read_is_what_was_published() {
    let (company, place) = (company(), Folder::new(&[]));
    let before = company.load();
    let published = publish_at(&before, place.path(), NOON);
    assert_eq!((published.change, published.manifest.entities), (Change::Everything, 5));
    let after = load(&loader(vec![source(place.path().to_str().unwrap())]));
    assert_eq!(essence(&after), essence(&before));
    assert!(codes(&after).contains(&"catalog::conflict"), "{:?}", codes(&after));
    for query in [
        "",
        "java",
        "büro",
        "is:invalid",
        "is:warning",
        "owner:nobody",
        "spec.size:1.5",
        "kind:component pays",
    ] {
        assert_eq!(answers(&after, query), answers(&before, query), "{query}");
    }
}

#[test]
fn the_sample_comes_back_whole() {
    let place = Folder::new(&[]);
    let before = crate::load(SourceConfig::sample());
    publish_at(&before, place.path(), NOON);
    let after = load(&loader(vec![source(format!("file://{}", place.path().display()))]));
    assert_eq!(essence(&after), essence(&before));
}

#[test]
fn nothing_of_the_machine_is_published() {
    let company = company();
    company.write("e/catalog-info.yaml", component("e") + "  link: https://ana:hunter22@git.example/x\n");
    let place = Folder::new(&[]);
    let before = company.load();
    publish_at(&before, place.path(), NOON);
    let text = unpacked(place.path());
    for secret in [company.path().to_str().unwrap(), "hunter22", "ana:"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let after = load(&loader(vec![source(place.path().to_str().unwrap())]));
    let checkout = after.entity(after.find("component:default/checkout").unwrap()).unwrap();
    let name = company.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(checkout.file().path, format!("{name}/a/catalog-info.yaml"));
    assert_eq!(checkout.file().location_ref, format!("snapshot:{name}/a/catalog-info.yaml"));
    // no editor opens a file of somebody else's machine
    let mut cx = devportal::app::Context::new(&[]);
    cx.catalog = after.clone();
    let subject = devportal::app::subject::Subject::entity(&cx, "component:default/checkout");
    assert!(subject.source.unwrap().unwrap_err().contains("is no file on this machine"));
}

#[test]
fn a_secret_of_the_machine_stops_it() {
    let (company, place) = (company(), Folder::new(&[]));
    company.write("e/catalog-info.yaml", component("e") + "  note: token is glpat-0123456789\n");
    let forbidden =
        [Forbidden { label: "the source `gitlab`".into(), secret: Secret::new("glpat-0123456789") }];
    let options = Options { forbidden: &forbidden, ..options(NOON) };
    let error = to_folder(&company.load(), place.path(), &options).unwrap_err().to_string();
    assert!(error.contains("component:default/e") && error.contains("`gitlab`"), "{error}");
    assert!(!error.contains("glpat-"), "{error}");
    assert!(!place.path().join("manifest.json").exists());
}

#[test]
fn the_same_catalog_uploads_nothing_again() {
    let (company, place) = (company(), Folder::new(&[]));
    let first = publish_at(&company.load(), place.path(), NOON);
    let written = files(place.path());
    let again = publish_at(&company.load(), place.path(), LATER);
    assert_eq!((again.change, &again.manifest), (Change::Nothing, &first.manifest));
    assert_eq!(files(place.path()), written);
    // another machine gets the same bytes
    let copy = Folder::new(&[]);
    assert_eq!(publish_at(&company.load(), copy.path(), NOON).manifest, first.manifest);
    company.write("a/catalog-info.yaml", component("renamed"));
    let changed = publish_at(&company.load(), place.path(), NOON);
    assert_eq!(changed.change, Change::Everything);
    assert!(changed.manifest.created > first.manifest.created, "a clock that stands still is no replay");
}

#[test]
fn data_that_is_lost_is_written_again() {
    let (company, place) = (company(), Folder::new(&[]));
    let published = publish_at(&company.load(), place.path(), NOON);
    std::fs::remove_file(place.path().join(&published.manifest.data.name)).unwrap();
    assert_eq!(publish_at(&company.load(), place.path(), LATER).change, Change::Everything);
    assert_eq!(load(&loader(vec![source(place.path().to_str().unwrap())])).len(), 5);
}

#[test]
fn an_incomplete_catalog_is_refused_unless_allowed() {
    let (company, place) = (company(), Folder::new(&[]));
    let gone = SourceConfig::dir(company.path().join("gone"));
    let catalog = load(&loader(vec![company.source(), gone]));
    let refused = to_folder(&catalog, place.path(), &options(NOON)).unwrap_err();
    assert!(matches!(&refused, SharedError::Incomplete { cause } if cause.contains("`gone`")), "{refused:?}");
    assert!(files(place.path()).is_empty());
    let options = Options { allow_incomplete: true, ..options(NOON) };
    to_folder(&catalog, place.path(), &options).unwrap();
    let after = load(&loader(vec![source(place.path().to_str().unwrap())]));
    assert!(codes(&after).contains(&"snapshot::incomplete"), "{:?}", codes(&after));
    let nothing = Folder::new(&[]).load();
    assert!(matches!(
        to_folder(&nothing, place.path(), &self::options(NOON)),
        Err(SharedError::Incomplete { .. })
    ));
}

#[test]
fn a_dry_run_writes_nothing() {
    let (company, place) = (company(), Folder::new(&[]));
    let options = Options { dry_run: true, ..options(NOON) };
    assert_eq!(to_folder(&company.load(), place.path(), &options).unwrap().change, Change::Everything);
    assert!(files(place.path()).is_empty());
}

#[test]
fn who_is_stopped_before_the_manifest_leaves_the_old_snapshot() {
    let (company, place) = (company(), Folder::new(&[]));
    let first = publish_at(&company.load(), place.path(), NOON);
    let manifest = std::fs::read(place.path().join("manifest.json")).unwrap();
    company.write("new/catalog-info.yaml", component("new"));
    publish_at(&company.load(), place.path(), LATER);
    // as if the second had been killed after the data
    std::fs::write(place.path().join("manifest.json"), manifest).unwrap();
    let after = load(&loader(vec![source(place.path().to_str().unwrap())]));
    assert_eq!(after.len() as u64, first.manifest.entities);
    assert_eq!(error(&after), "");
}

#[test]
fn two_who_publish_at_once_both_leave_it_whole() {
    let place = Folder::new(&[]);
    let catalogs: Vec<_> = (0..4)
        .map(|number| {
            let name = format!("c{number}");
            Folder::new(&[("catalog-info.yaml", &component(&name))]).load()
        })
        .collect();
    std::thread::scope(|scope| {
        for catalog in &catalogs {
            scope.spawn(|| publish_at(catalog, place.path(), NOON));
        }
    });
    let after = load(&loader(vec![source(place.path().to_str().unwrap())]));
    assert_eq!((after.len(), error(&after)), (1, String::new()));
    let left: Vec<_> =
        files(place.path()).into_iter().filter(|(path, _)| path.to_string_lossy().ends_with("tmp")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_local_tree_is_laid_over_it() {
    let (company, place, mine) = (company(), Folder::new(&[]), Folder::new(&[]));
    publish_at(&company.load(), place.path(), NOON);
    mine.write("catalog-info.yaml", component("checkout").replace("service", "website"));
    let kind = |catalog: &Catalog| {
        let id = catalog.find("component:default/checkout").unwrap();
        catalog.entity(id).unwrap().entity_type().to_owned()
    };
    let conflicts = |catalog: &Catalog| {
        let about = |d: &&devportal::diagnostic::Diagnostic| {
            d.code == "catalog::conflict" && d.entity.as_deref() == Some("component:default/checkout")
        };
        catalog.diagnostics().iter().filter(about).count()
    };
    let shared = source(place.path().to_str().unwrap());
    for sources in [vec![shared.clone(), mine.source()], vec![mine.source(), shared.clone()]] {
        let catalog = load(&loader(sources));
        assert_eq!((kind(&catalog).as_str(), conflicts(&catalog)), ("website", 0));
    }
    // who wants the snapshot to win says so, and is told what is hidden
    let first = SourceConfig { priority: 1, ..shared };
    let catalog = load(&loader(vec![mine.source(), first]));
    assert_eq!((kind(&catalog).as_str(), conflicts(&catalog)), ("service", 1));
}

#[test]
fn of_two_claimants_priority_then_path_then_document_decides() {
    let entity = |owner: &str| component("x").replace("owner: team", &format!("owner: {owner}"));
    let one = Folder::new(&[
        ("z.yaml", &entity("one-z")),
        ("a.yaml", &(entity("one-a0") + "---\n" + &entity("one-a1"))),
    ]);
    let two = Folder::new(&[("0.yaml", &entity("two"))]);
    let (place, other) = (Folder::new(&[]), Folder::new(&[]));
    publish_at(&one.load(), place.path(), NOON);
    publish_at(&two.load(), other.path(), NOON);
    let shared = |folder: &Folder, name: &str, priority: i32| SourceConfig {
        name: name.into(),
        priority,
        ..source(folder.path().to_str().unwrap())
    };
    let local = |folder: &Folder, priority: i32| SourceConfig { priority, ..folder.source() };
    let owner = |sources: Vec<SourceConfig>| {
        let catalog = load(&loader(sources));
        let id = catalog.find("component:default/x").unwrap();
        let owner = catalog.entity(id).unwrap().owner().unwrap();
        catalog.ref_of(owner).to_owned()
    };
    let cases = [
        // path, then document, inside of one source; the snapshot carries that on
        (vec![local(&one, 0)], "one-a0"),
        (vec![shared(&place, "s", 0)], "one-a0"),
        // priority before path
        (vec![local(&one, 0), local(&two, 1)], "two"),
        (vec![shared(&place, "s", 1), local(&two, 0)], "one-a0"),
        (vec![shared(&place, "s", 0), shared(&other, "t", 1)], "two"),
        // equal: the local one, then the first listed
        (vec![shared(&place, "s", 0), local(&two, 0)], "two"),
        (vec![shared(&place, "s", 0), shared(&other, "t", 0)], "one-a0"),
        (vec![shared(&other, "t", 0), shared(&place, "s", 0)], "two"),
        (vec![local(&two, 0), local(&one, 0)], "two"),
    ];
    for (number, (sources, wanted)) in cases.into_iter().enumerate() {
        assert_eq!(owner(sources), format!("group:default/{wanted}"), "case {number}");
    }
}

#[test]
fn kinds_that_the_source_may_not_bring_stay_away() {
    let (company, place) = (company(), Folder::new(&[]));
    publish_at(&company.load(), place.path(), NOON);
    let mut source = source(place.path().to_str().unwrap());
    source.allow = vec![devportal::config::source::AllowRule::Kind("group".into())];
    assert_eq!(refs(&load(&loader(vec![source]))), ["group:default/team"]);
}

/// All files below a folder with their content.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut out = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let content = std::fs::read(&path).unwrap();
                out.push((path, content));
            }
        }
    }
    out.sort();
    out
}

/// The text of everything that was published to a folder.
fn unpacked(folder: &Path) -> String {
    use std::io::Read as _;
    let mut text = String::new();
    for (path, content) in files(folder) {
        if path.extension().is_some_and(|end| end == "gz") {
            flate2::read::MultiGzDecoder::new(&content[..]).read_to_string(&mut text).unwrap();
        } else {
            text.push_str(&String::from_utf8(content).unwrap());
        }
    }
    text
}

/// Keys of nobody.
fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}
