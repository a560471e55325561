//! Revisions compared, and the history of entities, in repositories made by the real `git`.

use crate::git_remote::git;
use crate::{Folder, api, component, group};
use devportal::catalog::compare::{self, Comparison, RepositorySource};
use devportal::catalog::diff::Because;
use devportal::catalog::history::{self, Cut, Deed, History, Limits};
use devportal::catalog::sources::revisions::{Range, Revisions};
use devportal::catalog::{LoadOptions, Loader, Progress};
use devportal::config::source::SourceConfig;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

struct Repository(Folder);

impl Repository {
    fn new(files: &[(&str, &str)]) -> Self {
        let out = Self(Folder::new(files));
        git(out.path(), &["init", "-q"]);
        out.commit("one");
        out
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        self.0.write(path, text);
    }

    fn commit(&self, message: &str) {
        git(self.path(), &["add", "-A"]);
        git(self.path(), &["commit", "-q", "--allow-empty", "-m", message]);
    }

    fn compare(&self, range: &str) -> Comparison {
        compare(&SourceConfig::guess(self.path().to_str().unwrap(), None), range)
    }

    fn history(&self, entity_ref: &str) -> History {
        history(&SourceConfig::guess(self.path().to_str().unwrap(), None), entity_ref, 50)
    }
}

fn compare(config: &SourceConfig, range: &str) -> Comparison {
    let folder = tempfile::tempdir().unwrap();
    let source = RepositorySource { config: config.clone(), folder: folder.path().to_owned() };
    compare::compare(&source, &Range::parse(range).unwrap(), false, &Progress::none()).unwrap()
}

fn history(config: &SourceConfig, entity_ref: &str, entries: usize) -> History {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let loader = Loader::new(vec![config.clone()], LoadOptions::default());
    let catalog = loader.load(&Progress::none());
    let entity = catalog.entity(catalog.find(entity_ref).unwrap()).unwrap();
    let place = history::locate(&loader, &entity).unwrap();
    let cancel = CancellationToken::new();
    let limits = Limits { entries, commits: 10_000, cancel: &cancel, on_step: &|_| {} };
    history::read(&place, &limits).unwrap()
}

fn deeds(found: &History) -> Vec<(Deed, &str)> {
    found.changes.iter().map(|change| (change.change, change.subject.as_str())).collect()
}

#[test]
fn sides_share_what_is_unchanged_and_a_rename_is_a_move() {
    let repository = Repository::new(&[
        ("a/catalog-info.yaml", &component("a")),
        ("b/catalog-info.yaml", &component("b")),
    ]);
    repository.write("org.yaml", group("team"));
    git(repository.path(), &["mv", "b", "c"]);
    repository.commit("two");
    let config = SourceConfig::guess(repository.path().to_str().unwrap(), None);
    let progress = Progress::none();
    let revisions = Revisions::open(&config, None, true, &progress).unwrap();
    let (from, to) = revisions.read(&Range::parse("HEAD~1..HEAD").unwrap()).unwrap();
    let (old, new) = (from.catalog.parsed_files(), to.catalog.parsed_files());
    assert!(Arc::ptr_eq(&old[0], &new[0]), "{} {}", old[0].path, new[0].path);
    let found = repository.compare("HEAD~1..HEAD");
    let diff = &found.diff;
    assert_eq!((diff.added.len(), diff.removed.len(), diff.changed.len()), (1, 0, 0));
    assert_eq!(
        (diff.moved[0].from.as_str(), diff.moved[0].to.as_str()),
        ("b/catalog-info.yaml", "c/catalog-info.yaml")
    );
    let appeared = diff.relations.gained.iter().filter(|change| change.because == Because::TargetAppeared);
    assert_eq!(appeared.count(), 2);
    assert_eq!(diff.problems.solved.len(), 2);
}

#[test]
fn the_work_tree_is_a_side_and_names_files_alike() {
    let repository = Repository::new(&[
        ("catalog/a/catalog-info.yaml", &component("a")),
        ("catalog/api.yaml", &api("x", "$text: ./spec.txt")),
        ("catalog/spec.txt", "first"),
    ]);
    assert!(repository.compare("HEAD").diff.is_empty());
    repository.write("catalog/spec.txt", "second");
    repository.write("catalog/new/catalog-info.yaml", component("new"));
    for place in [repository.path().to_owned(), repository.path().join("catalog")] {
        let found = compare(&SourceConfig::guess(place.to_str().unwrap(), None), "HEAD");
        assert_eq!(found.diff.added[0].file, "catalog/new/catalog-info.yaml");
        assert_eq!(found.diff.changed[0].fields[0].field, "spec.definition");
        assert_eq!(found.diff.summary.moved, 0);
        assert_eq!(found.to.revision, None);
    }
}

#[test]
fn three_dots_compare_from_where_both_parted() {
    let repository = Repository::new(&[("catalog-info.yaml", &component("a"))]);
    git(repository.path(), &["checkout", "-q", "-b", "feature"]);
    repository.write("new.yaml", component("new"));
    repository.commit("feature");
    git(repository.path(), &["checkout", "-q", "main"]);
    repository.write("other.yaml", component("other"));
    repository.commit("main");
    let two = repository.compare("main..feature").diff.summary;
    let three = repository.compare("main...feature").diff.summary;
    assert_eq!((two.added, two.removed), (1, 1));
    assert_eq!((three.added, three.removed), (1, 0));
}

#[test]
fn what_is_broken_is_not_shown_as_it_was() {
    let repository = Repository::new(&[("catalog-info.yaml", &component("a")), ("org.yaml", &group("team"))]);
    repository.write("catalog-info.yaml", "a: [\n");
    repository.commit("break");
    let diff = repository.compare("HEAD~1..HEAD").diff;
    assert_eq!(diff.removed[0].entity_ref, "component:default/a");
    assert!(diff.problems.introduced.iter().any(|problem| problem.code.starts_with("yaml::")));
}

#[test]
fn a_bare_repository_has_no_work_tree_and_a_revision_may_be_missing() {
    let repository = Repository::new(&[("catalog-info.yaml", &component("a"))]);
    let bare = tempfile::tempdir().unwrap();
    git(bare.path(), &["clone", "-q", "--bare", repository.path().to_str().unwrap(), "r.git"]);
    let config = SourceConfig::guess(bare.path().join("r.git").to_str().unwrap(), None);
    let progress = Progress::none();
    let revisions = Revisions::open(&config, None, true, &progress).unwrap();
    assert!(revisions.read(&Range::parse("HEAD..HEAD").unwrap()).is_ok());
    for (range, words) in
        [("HEAD", "no work tree"), ("nope..HEAD", "no revision `nope`"), ("HEAD:x..HEAD", "no revision")]
    {
        let error = revisions.read(&Range::parse(range).unwrap()).unwrap_err().to_string();
        assert!(error.contains(words), "{range}: {error}");
    }
}

#[test]
fn revisions_of_a_repository_behind_an_address_are_fetched() {
    let repository = Repository::new(&[("catalog-info.yaml", &component("a"))]);
    git(repository.path(), &["tag", "v1"]);
    repository.write("new.yaml", component("new"));
    repository.commit("two");
    let config = SourceConfig::guess(&format!("file://{}", repository.path().display()), None);
    let found = compare(&config, "v1..HEAD");
    assert_eq!(found.diff.added[0].entity_ref, "component:default/new");
}

#[test]
fn a_document_is_followed_through_files_and_merges() {
    let two = component("a") + "---\n" + &component("b");
    let repository = Repository::new(&[("catalog-info.yaml", &two)]);
    repository.write("catalog-info.yaml", two.replace("name: b", "name: b\n  title: B"));
    repository.commit("only b");
    repository.write("catalog-info.yaml", two.replace("name: a", "name: a\n  title: A"));
    repository.commit("title of a");
    std::fs::create_dir_all(repository.path().join("svc")).unwrap();
    git(repository.path(), &["mv", "catalog-info.yaml", "svc/catalog-info.yaml"]);
    repository.commit("rename");
    git(repository.path(), &["checkout", "-q", "-b", "side"]);
    let titled = component("a").replace("name: a", "name: a\n  title: A");
    repository.write(
        "svc/catalog-info.yaml",
        titled.replace("owner: team", "owner: others") + "---\n" + &component("b"),
    );
    repository.commit("owner on the side");
    git(repository.path(), &["checkout", "-q", "main"]);
    repository.write("other.txt", "x");
    repository.commit("nothing of it");
    git(repository.path(), &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    let owned = titled.replace("owner: team", "owner: others");
    repository.write("svc/catalog-info.yaml", component("b"));
    repository.write("own/catalog-info.yaml", "# a comment\n".to_owned() + &owned);
    repository.commit("file of its own");
    repository.write("own/catalog-info.yaml", "a: [\n");
    repository.commit("break");
    repository.write("own/catalog-info.yaml", &owned);
    repository.commit("repair");
    repository.write("own/catalog-info.yaml", owned.replace("others", "nobody"));
    let found = repository.history("component:default/a");
    assert_eq!(
        deeds(&found),
        [
            (Deed::Changed, "not committed yet"),
            (Deed::Repaired, "repair"),
            (Deed::Broken, "break"),
            (Deed::Moved, "file of its own"),
            (Deed::Changed, "owner on the side"),
            (Deed::Moved, "rename"),
            (Deed::Changed, "title of a"),
            (Deed::Added, "one"),
        ]
    );
    assert_eq!(found.changes[4].fields[0].field, "spec.owner");
    assert!(
        found.changes[4].lines.contains("-  owner: team\n+  owner: others\n"),
        "{}",
        found.changes[4].lines
    );
    assert_eq!(found.changes[3].moved_from.as_deref(), Some("svc/catalog-info.yaml"));
    assert_eq!(found.changes[7].author, "Jo");
    assert!(found.changes[7].date.as_deref().unwrap().ends_with('Z'));
    assert!(found.cut.is_none());
    let limited =
        history(&SourceConfig::guess(repository.path().to_str().unwrap(), None), "component:default/a", 2);
    assert_eq!((limited.changes.len(), limited.cut), (2, Some(Cut::Limit)));
}

#[test]
fn a_shallow_clone_says_that_it_ends() {
    let repository = Repository::new(&[("catalog-info.yaml", &component("a"))]);
    for owner in ["x", "y", "z"] {
        repository.write("catalog-info.yaml", component("a").replace("team", owner));
        repository.commit(owner);
    }
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", repository.path().display());
    git(clone.path(), &["clone", "-q", "--depth", "2", &url, "c"]);
    let config = SourceConfig::guess(clone.path().join("c").to_str().unwrap(), None);
    let found = history(&config, "component:default/a", 50);
    assert_eq!((deeds(&found), found.cut), (vec![(Deed::Changed, "z")], Some(Cut::Shallow)));
}

#[test]
fn messages_and_names_may_be_anything() {
    let repository = Repository::new(&[("catalog-info.yaml", &component("a"))]);
    repository.write("catalog-info.yaml", component("a").replace("team", "x"));
    git(repository.path(), &["add", "-A"]);
    let message = repository.path().join("message");
    std::fs::write(&message, b"\xe4ndern \x1b[31m\n\nmore").unwrap();
    git(
        repository.path(),
        &["-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "-F", message.to_str().unwrap()],
    );
    let found = repository.history("component:default/a");
    assert_eq!(found.changes[0].subject, "ändern \u{1b}[31m");
    repository.write("catalog-info.yaml", b"\xff\xfe\0\0");
    repository.commit("binary");
    repository.write("catalog-info.yaml", component("a").replace("team", "y"));
    repository.commit(&"long ".repeat(500));
    let found = repository.history("component:default/a");
    assert_eq!(found.changes[0].subject.chars().count(), 300);
    assert_eq!(found.changes.len(), 4, "{:?}", deeds(&found));
}
