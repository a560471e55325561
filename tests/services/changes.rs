//! Reading only what changed: equal to reading everything again, and to reading for the first time.

use crate::{Folder, api, component, group, location};
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress};
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A loader that believes the times of files at once; what is written here changes in size each time.
fn quick(folder: &Folder, root: &str) -> Loader {
    let source = if root.is_empty() { folder.source() } else { folder.file_source(root) };
    Loader::new(vec![source], LoadOptions { settling: Duration::ZERO, ..LoadOptions::default() })
}

fn seen(catalog: &Catalog) -> Vec<String> {
    let entities =
        catalog.entities().map(|e| format!("{} {}", e.location(), serde_json::to_string(&e).unwrap()));
    entities.chain(catalog.diagnostics().iter().map(devportal::diagnostic::Diagnostic::render)).collect()
}

fn read(loader: &Loader, changed: Option<&[PathBuf]>) -> Arc<Catalog> {
    loader.refresh(0, changed, &Progress::none());
    loader.join()
}

/// Files that are written, with what each may hold.
const FILES: [&str; 9] = [
    "a/catalog-info.yaml",
    "a/b/catalog-info.yaml",
    "c/service.yaml",
    "all.yaml",
    "extra/one.yaml",
    "text/s.txt",
    "node_modules/x/catalog-info.yaml",
    "t/template.yaml",
    "t/skel/catalog-info.yaml",
];

fn content(what: usize, name: &str) -> String {
    match what {
        0 => component(name),
        1 => component(name) + "---\n" + &component("shared"),
        2 => api(name, "$text: /text/s.txt"),
        3 => location(name, "  targets: [./extra/one.yaml, ./c/service.yaml, ./extra/gone.yaml]\n"),
        4 => location(name, "  targets: ['./extra/*.yaml', ./a/b/catalog-info.yaml]\n"),
        5 => "no: descriptor\n".to_owned(),
        6 => format!(
            "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata:\n  name: {name}\nspec:\n  owner: \
             team\n  type: x\n  steps:\n    - id: a\n      action: fetch:template\n      input: {{url: ./skel}}\n"
        ),
        _ => "a: [\n".to_owned(),
    }
}

/// Does something to a folder; returns the paths that a watcher tells of.
fn edit(folder: &Folder, step: usize, (file, what): (usize, usize)) -> Vec<PathBuf> {
    let path = FILES[file % FILES.len()];
    let full = folder.path().join(path);
    let parent = full.parent().unwrap().to_path_buf();
    let was_there = parent.exists();
    match what {
        0..=7 => {
            folder.write(path, format!("{}# {}\n", content(what, &format!("n{file}")), "x".repeat(step)));
            if was_there { vec![full] } else { vec![full, parent] }
        }
        8 | 9 => {
            let _ = std::fs::remove_file(&full);
            vec![full]
        }
        10 if parent != folder.path() => {
            let _ = std::fs::remove_dir_all(&parent);
            vec![parent]
        }
        11 if parent != folder.path() => {
            let to = folder.path().join("moved");
            let _ = std::fs::remove_dir_all(&to);
            let _ = std::fs::rename(&parent, &to);
            vec![parent, to]
        }
        12 => {
            folder.write(
                ".gitignore",
                format!("{}\n# {}\n", ["a/b", "c", "extra/"][file % 3], "x".repeat(step)),
            );
            vec![folder.path().join(".gitignore")]
        }
        13 => {
            let _ = std::fs::remove_file(folder.path().join(".gitignore"));
            vec![folder.path().join(".gitignore")]
        }
        _ => {
            let link = folder.path().join("linked.yaml");
            let _ = std::fs::remove_file(&link);
            std::os::unix::fs::symlink(path, &link).unwrap();
            vec![link]
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_changed_is_enough(
        root in prop_oneof![Just(""), Just("all.yaml")],
        steps in prop::collection::vec((0usize..9, 0usize..15), 1..12),
    ) {
        let folder = Folder::new(&[("org.yaml", &group("team")), ("all.yaml", &content(3, "all"))]);
        let (told, untold) = (quick(&folder, root), quick(&folder, root));
        read(&told, None);
        read(&untold, None);
        for (at, step) in steps.into_iter().enumerate() {
            let changed = edit(&folder, at, step);
            let (told, untold) = (read(&told, Some(&changed)), read(&untold, None));
            prop_assert_eq!(seen(&told), seen(&untold), "{:?}", changed);
            let marked = told.diagnostics().iter().any(|d| d.code == "catalog::last-good-version");
            let failed = told.sources().iter().any(|source| source.error.is_some());
            if !marked && !failed {
                let anew = read(&quick(&folder, root), None);
                prop_assert_eq!(seen(&told), seen(&anew), "{:?}", changed);
            }
        }
    }
}

#[test]
fn only_what_is_named_is_read_again() {
    let folder = Folder::new(&[
        ("org.yaml", &group("team")),
        ("a/catalog-info.yaml", &component("a")),
        ("b/catalog-info.yaml", &api("b", "$text: ./b.txt")),
        ("b/b.txt", "one"),
    ]);
    let loader = quick(&folder, "");
    assert_eq!(read(&loader, None).len(), 3);
    folder.write("a/catalog-info.yaml", component("a2"));
    folder.write("b/b.txt", "more");
    folder.write("new/x/catalog-info.yaml", component("new"));
    // nobody tells of `a`, so that it stays as it was
    let changed = ["b/b.txt", "new/x/catalog-info.yaml"].map(|path| folder.path().join(path));
    let catalog = read(&loader, Some(&changed));
    assert_eq!(
        crate::refs(&catalog),
        ["api:default/b", "component:default/a", "component:default/new", "group:default/team"]
    );
    let b = catalog.entity(catalog.find("api:default/b").unwrap()).unwrap();
    assert_eq!(b.to_json()["spec"]["definition"], "more");
    let catalog = read(&loader, None);
    assert!(catalog.find("component:default/a2").is_some() && catalog.find("component:default/a").is_none());
}

#[test]
fn a_stopped_reading_is_made_up_for() {
    let folder =
        Folder::new(&[("a/catalog-info.yaml", &component("a")), ("b/catalog-info.yaml", &component("b"))]);
    let loader = quick(&folder, "");
    read(&loader, None);
    folder.write("a/catalog-info.yaml", component("a2"));
    let stopped = Progress::none();
    stopped.cancel_token().cancel();
    loader.refresh(0, Some(&[folder.path().join("a/catalog-info.yaml")]), &stopped);
    folder.write("b/catalog-info.yaml", component("b2"));
    let catalog = read(&loader, Some(&[folder.path().join("b/catalog-info.yaml")]));
    assert_eq!(crate::refs(&catalog), ["component:default/a2", "component:default/b2"]);
}

#[test]
fn what_a_location_asks_for_stays_until_it_is_asked_for_no_more() {
    let all = |targets: &str| location("all", &format!("  targets: [{targets}]\n"));
    let folder = Folder::new(&[
        ("all.yaml", &all("./x.yaml, ./y.yaml")),
        ("x.yaml", &component("x")),
        ("y.yaml", &component("y")),
    ]);
    let loader = quick(&folder, "all.yaml");
    assert_eq!(read(&loader, None).len(), 3);
    std::fs::remove_file(folder.path().join("x.yaml")).unwrap();
    for _ in 0..3 {
        let catalog = read(&loader, None);
        assert_eq!(
            crate::refs(&catalog),
            ["component:default/x", "component:default/y", "location:default/all"]
        );
        let told: Vec<_> =
            crate::codes(&catalog).into_iter().filter(|code| *code != "catalog::dangling-ref").collect();
        assert_eq!(told, ["catalog::target-not-found", "catalog::last-good-version"]);
    }
    // a broken Location leads where it led
    folder.write("all.yaml", "a: [\n");
    assert_eq!(read(&loader, None).len(), 3);
    folder.write("all.yaml", all("./y.yaml"));
    let catalog = read(&loader, None);
    assert_eq!(crate::refs(&catalog), ["component:default/y", "location:default/all"]);
    assert!(!crate::codes(&catalog).contains(&"catalog::last-good-version"));
}
