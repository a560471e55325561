//! What is kept between runs: shown at once, parsed again only where it changed, never wrong.

use crate::http::Server;
use crate::{Folder, component, group, location, refs};
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress};
use devportal::config::source::SourceConfig;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A run of the program: a loader over a cache folder.
fn run(cache: &Path, sources: &[SourceConfig], options: LoadOptions) -> Loader {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options =
        LoadOptions { cache: Some(cache.to_owned()), remote_budget: Duration::from_secs(5), ..options };
    Loader::new(sources.to_vec(), options)
}

/// A run that reads, saves and ends.
fn once(cache: &Path, sources: &[SourceConfig]) -> Arc<Catalog> {
    let loader = run(cache, sources, LoadOptions::default());
    let catalog = loader.load(&Progress::none());
    assert_eq!(loader.save(), None);
    catalog
}

fn facts(catalog: &Catalog) -> Vec<String> {
    let entities = catalog.entities().map(|e| serde_json::to_string(&e).unwrap());
    entities.chain(catalog.diagnostics().iter().map(devportal::diagnostic::Diagnostic::render)).collect()
}

fn cache_file(cache: &Path) -> PathBuf {
    let entries = std::fs::read_dir(cache.join("catalog")).unwrap().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "catalog")).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn company() -> Folder {
    let targets = "  targets: [./a/catalog-info.yaml, ./gone.yaml]\n";
    Folder::new(&[
        ("all.yaml", &location("all", targets)),
        ("a/catalog-info.yaml", &component("a")),
        ("b/catalog-info.yaml", &component("b")),
        ("broken.yaml", "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: c\n"),
        ("other.yaml", "some: thing\n"),
        ("team.yaml", &group("team")),
    ])
}

#[test]
fn the_next_run_starts_from_the_catalog_of_the_last_one() {
    let (folder, cache) = (company(), tempfile::tempdir().unwrap());
    let sources = [folder.source()];
    assert!(run(cache.path(), &sources, LoadOptions::default()).cached().is_none());
    let first = once(cache.path(), &sources);
    let loader = run(cache.path(), &sources, LoadOptions::default());
    let cached = loader.cached().unwrap();
    assert_eq!(facts(&cached), facts(&first));
    assert_eq!(
        cached.sources()[0].read_at,
        first.sources()[0]
            .read_at
            .map(|at| { jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap() })
    );
    let again = loader.load(&Progress::none());
    assert_eq!(facts(&again), facts(&first));
    assert!(again.parsed_files().is_empty(), "nothing changed: it still lies in the cache");
    assert!(again.sources()[0].read_at > cached.sources()[0].read_at);
}

#[test]
fn what_changed_while_nobody_looked_is_there_after_a_load() {
    type Change = (&'static str, fn(&Folder));
    let changes: [Change; 5] = [
        ("changed", |folder| {
            folder.write("b/catalog-info.yaml", component("b").replace("service", "website"));
        }),
        ("added", |folder| folder.write("c/catalog-info.yaml", component("new"))),
        ("removed", |folder| std::fs::remove_file(folder.path().join("b/catalog-info.yaml")).unwrap()),
        ("mended", |folder| folder.write("broken.yaml", component("c"))),
        ("became one", |folder| folder.write("other.yaml", component("d"))),
    ];
    for (what, change) in changes {
        let (folder, cache) = (company(), tempfile::tempdir().unwrap());
        let sources = [folder.source()];
        once(cache.path(), &sources);
        change(&folder);
        let warm = once(cache.path(), &sources);
        let cold = Loader::new(sources.to_vec(), LoadOptions::default()).load(&Progress::none());
        assert_eq!(facts(&warm), facts(&cold), "{what}");
        let next = run(cache.path(), &sources, LoadOptions::default()).cached().unwrap();
        assert_eq!(facts(&next), facts(&cold), "{what}: kept");
    }
}

#[test]
fn the_cache_takes_the_place_of_what_is_in_memory() {
    let (folder, cache) = (company(), tempfile::tempdir().unwrap());
    let sources = [folder.source()];
    let loader = run(cache.path(), &sources, LoadOptions::default());
    let path = |name: &str| std::fs::canonicalize(folder.path()).unwrap().join(name);
    let cold = || facts(&Loader::new(sources.to_vec(), LoadOptions::default()).load(&Progress::none()));
    let first = loader.load(&Progress::none());
    assert!(loader.take_over().is_none(), "nothing is saved yet");
    let steps: [(&str, &str, Option<String>); 6] = [
        ("changed", "b/catalog-info.yaml", Some(component("b").replace("service", "website"))),
        ("added", "c.yaml", Some(component("c2"))),
        ("another ref", "b/catalog-info.yaml", Some(component("b2"))),
        ("removed", "c.yaml", None),
        ("broken", "b/catalog-info.yaml", Some("b: [\n".into())),
        ("mended", "b/catalog-info.yaml", Some(component("b"))),
    ];
    assert_eq!(facts(&first), cold());
    for (what, name, content) in steps {
        assert_eq!(loader.save(), None, "{what}");
        let before = loader.cached().unwrap();
        let kept = loader.take_over().unwrap();
        assert!(kept.parsed_files().is_empty(), "{what}: it lies in the file");
        assert_eq!(facts(&kept), facts(&before), "{what}");
        assert!(loader.take_over().is_none(), "{what}: it is there already");
        match content {
            Some(content) => folder.write(name, content),
            None => std::fs::remove_file(path(name)).unwrap(),
        }
        assert!(loader.refresh(0, Some(&[path(name)]), &Progress::none()), "{what}");
        let now = facts(&loader.join());
        if what != "broken" {
            assert_eq!(now, cold(), "{what}");
        }
        assert!(!loader.refresh(0, None, &Progress::none()), "{what}: nothing else differs");
        assert_eq!(facts(&loader.join()), now, "{what}");
    }
}

#[test]
fn a_damaged_cache_is_told_and_everything_is_read_anew() {
    let (folder, cache) = (company(), tempfile::tempdir().unwrap());
    let sources = [folder.source()];
    let right = facts(&once(cache.path(), &sources));
    let file = cache_file(cache.path());
    let whole = std::fs::read(&file).unwrap();
    // the last bytes are checked before they are trusted, not before they are shown
    for at in [20, 5000, whole.len() - 10] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&file, &bytes).unwrap();
        let loader = run(cache.path(), &sources, LoadOptions::default());
        let _ = loader.cached();
        assert_eq!(facts(&loader.load(&Progress::none())), right, "{at}");
        let problems: Vec<&str> = loader.cache_problems().iter().map(|problem| problem.code).collect();
        assert_eq!(problems, ["cache::damaged"], "{at}");
        assert_eq!(std::fs::read(file.with_extension("catalog.bad")).unwrap(), bytes);
        assert_eq!(loader.save(), None);
        assert_eq!(facts(&run(cache.path(), &sources, LoadOptions::default()).cached().unwrap()), right);
    }
}

#[test]
fn a_remote_source_is_not_asked_while_what_is_kept_is_young_enough() {
    let (server, cache) = (Server::new(), tempfile::tempdir().unwrap());
    server.text("/all.yaml", location("all", "  targets: [./a.yaml]\n"));
    server.text("/a.yaml", component("a"));
    let sources = [server.source("/all.yaml")];
    let first = facts(&once(cache.path(), &sources));
    assert_eq!(server.requests("/a.yaml"), 1);
    assert_eq!(facts(&once(cache.path(), &sources)), first);
    assert_eq!(server.requests("/a.yaml"), 1, "it was read a moment ago");
    let asked =
        run(cache.path(), &sources, LoadOptions { max_age: Some(Duration::ZERO), ..LoadOptions::default() });
    assert_eq!(facts(&asked.load(&Progress::none())), first);
    assert_eq!(server.requests("/a.yaml"), 2, "somebody wants it newer");
    server.forget();
    let offline = run(cache.path(), &sources, LoadOptions { offline: true, ..LoadOptions::default() });
    let catalog = offline.load(&Progress::none());
    assert_eq!(facts(&catalog), first);
    assert!(catalog.sources()[0].error.is_none() && catalog.sources()[0].read_at.is_some());
    // not offline, but nothing is there any more
    let mut now =
        run(cache.path(), &sources, LoadOptions { max_age: Some(Duration::ZERO), ..LoadOptions::default() });
    let catalog = now.load(&Progress::none());
    assert_eq!(refs(&catalog), ["component:default/a", "location:default/all"]);
    let error = catalog.sources()[0].error.as_ref().unwrap();
    assert!(error.message.contains("still shown"), "{}", error.message);
    assert_eq!(now.save(), None);
    now = run(cache.path(), &sources, LoadOptions::default());
    let cached = now.cached().unwrap();
    assert!(cached.sources()[0].error.is_some(), "it stays marked");
}

#[test]
fn other_settings_of_a_source_have_a_cache_of_their_own() {
    let (folder, cache) = (company(), tempfile::tempdir().unwrap());
    let mut source = folder.source();
    once(cache.path(), &[source.clone()]);
    source.exclude = vec!["b".into()];
    let loader = run(cache.path(), &[source], LoadOptions::default());
    assert!(loader.cached().is_none());
    assert!(!refs(&loader.load(&Progress::none())).contains(&"component:default/b"));
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let (folder, cache) = (company(), tempfile::tempdir().unwrap());
    let sources = [folder.source()];
    let right = facts(&once(cache.path(), &sources));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    // one that saves although nothing changed
                    std::fs::remove_file(cache_or_nothing(cache.path())).unwrap_or_default();
                    let loader = run(cache.path(), &sources, LoadOptions::default());
                    assert_eq!(facts(&loader.load(&Progress::none())), right);
                    assert_eq!(loader.save(), None);
                    assert_eq!(loader.cache_problems(), []);
                }
            });
        }
    });
    assert_eq!(facts(&run(cache.path(), &sources, LoadOptions::default()).cached().unwrap()), right);
}

fn cache_or_nothing(cache: &Path) -> PathBuf {
    let entries = std::fs::read_dir(cache.join("catalog")).into_iter().flatten().flatten();
    let found =
        entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "catalog"));
    found.unwrap_or_else(|| cache.join("nothing"))
}
