//! Git repositories at their work tree and at revisions, bare ones too.

use crate::{Folder, api, codes, component, group, load, location, refs};
use devportal::config::source::SourceConfig;
use git2::{IndexAddOption, Repository, Signature};

fn commit(repository: &Repository, message: &str) -> git2::Oid {
    let mut index = repository.index().unwrap();
    index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = Signature::new("Jo", "jo@example.com", &git2::Time::new(1_700_000_000, 0)).unwrap();
    let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
    let parents: Vec<_> = parent.iter().collect();
    repository.commit(Some("HEAD"), &who, &who, message, &tree, &parents).unwrap()
}

fn repository() -> (Folder, Repository) {
    let folder = Folder::new(&[
        ("catalog-info.yaml", &location("all", "  targets: [./svc/catalog-info.yaml, ./svc/*.yml]\n")),
        ("svc/catalog-info.yaml", &api("old", "$text: ./spec.txt")),
        ("svc/spec.txt", "first"),
        ("svc/x.yml", &group("team")),
        ("skeleton/catalog-info.yaml", &component("skeleton")),
    ]);
    let repository = Repository::init(folder.path()).unwrap();
    let first = commit(&repository, "one");
    let object = repository.find_object(first, None).unwrap();
    repository.tag_lightweight("v1", &object, false).unwrap();
    drop(object);
    folder.write("svc/catalog-info.yaml", api("new", "$text: ./spec.txt"));
    folder.write("svc/spec.txt", "second");
    commit(&repository, "two");
    folder.write("svc/x.yml", group("uncommitted"));
    (folder, repository)
}

fn at(folder: &Folder, revision: Option<&str>) -> SourceConfig {
    SourceConfig::guess(folder.path().to_str().unwrap(), revision)
}

#[test]
fn any_revision_is_read_without_a_checkout() {
    let (folder, repository) = repository();
    let head = repository.head().unwrap().peel_to_commit().unwrap().id().to_string();
    let old = ["api:default/old", "group:default/team", "location:default/all"];
    let new = ["api:default/new", "group:default/team", "location:default/all"];
    for (revision, expected) in
        [("v1", old), ("HEAD~1", old), ("HEAD", new), (head.as_str(), new), (&head[..8], new)]
    {
        let catalog = load(at(&folder, Some(revision)));
        assert_eq!(refs(&catalog), expected, "{revision}: {:?}", catalog.diagnostics());
        assert!(codes(&catalog).is_empty(), "{:?}", catalog.diagnostics());
    }
    let catalog = load(at(&folder, Some("v1")));
    let entity = catalog.entity(catalog.find("api:default/old").unwrap()).unwrap();
    assert_eq!(entity.to_json()["spec"]["definition"], "first");
    assert_eq!(entity.location().to_string(), "v1:svc/catalog-info.yaml:1:1");
    assert!(catalog.sources()[0].place.ends_with(" at v1"));
    assert!(refs(&load(at(&folder, None))).contains(&"group:default/uncommitted"));
}

#[test]
fn a_folder_of_a_repository_is_a_source_of_its_own() {
    let (folder, _repository) = repository();
    let below = folder.path().join("svc");
    let catalog = load(SourceConfig::guess(below.to_str().unwrap(), Some("v1")));
    assert_eq!(refs(&catalog), ["api:default/old", "group:default/team"]);
}

#[test]
fn bare_repositories_are_read() {
    let (folder, _repository) = repository();
    let bare = tempfile::tempdir().unwrap();
    let path = bare.path().join("r.git");
    git2::build::RepoBuilder::new().bare(true).clone(folder.path().to_str().unwrap(), &path).unwrap();
    for revision in [None, Some("v1")] {
        let catalog = load(SourceConfig::guess(path.to_str().unwrap(), revision));
        assert_eq!(catalog.len(), 3, "{:?}", catalog.diagnostics());
    }
}

#[test]
fn a_repository_without_commits_and_a_revision_that_is_not_there_are_told() {
    let empty = Folder::new(&[]);
    Repository::init(empty.path()).unwrap();
    assert_eq!(codes(&load(at(&empty, Some("HEAD")))), ["source::no-commits"]);
    let (folder, _repository) = repository();
    assert_eq!(codes(&load(at(&folder, Some("v9")))), ["source::unknown-revision"]);
    let none = Folder::new(&[]);
    assert_eq!(codes(&load(at(&none, Some("HEAD")))), ["source::unreadable"]);
}

#[test]
#[cfg(unix)]
fn links_in_a_revision_stay_in_it() {
    let folder = Folder::new(&[
        ("all.yaml", &location("all", "  targets: [./out.yaml, ./in.yaml, ./circle.yaml]\n")),
        ("real/g.yaml", &group("g")),
    ]);
    let link =
        |target: &str, name: &str| std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
    link("/etc/passwd", "out.yaml");
    link("real/g.yaml", "in.yaml");
    link("circle.yaml", "circle.yaml");
    let repository = Repository::init(folder.path()).unwrap();
    commit(&repository, "one");
    let mut source = at(&folder, Some("HEAD"));
    source.include = vec!["all.yaml".into()];
    let catalog = load(source);
    assert_eq!(refs(&catalog), ["group:default/g", "location:default/all"]);
    let mut found = codes(&catalog);
    found.sort_unstable();
    assert_eq!(found, ["catalog::link-loop", "catalog::outside-root"]);
}
