//! Loading again: equal to loading for the first time, and what was good stays.

use crate::{Folder, api, codes, component, group, loader, refs};
use devportal::catalog::{Catalog, Progress};
use proptest::prelude::*;

/// Everything of a snapshot that can be seen.
fn seen(catalog: &Catalog) -> Vec<String> {
    let entities =
        catalog.entities().map(|e| format!("{} {}", e.location(), serde_json::to_string(&e).unwrap()));
    entities.chain(catalog.diagnostics().iter().map(devportal::diagnostic::Diagnostic::render)).collect()
}

#[test]
fn what_was_good_stays_when_it_breaks_and_goes_when_it_is_removed() {
    let folder = Folder::new(&[
        ("org.yaml", &group("team")),
        ("a/catalog-info.yaml", &(component("a") + "---\n" + &component("b"))),
        ("c/catalog-info.yaml", &component("c")),
    ]);
    let loader = loader(vec![folder.source()]);
    assert_eq!(loader.load(&Progress::none()).len(), 4);
    folder.write("a/catalog-info.yaml", component("a") + "---\nb: [\n");
    folder.write("c/catalog-info.yaml", "c: [\n");
    for _ in 0..2 {
        let catalog = loader.load(&Progress::none());
        assert_eq!(
            refs(&catalog),
            ["component:default/a", "component:default/b", "component:default/c", "group:default/team"]
        );
        let kept = codes(&catalog).iter().filter(|code| **code == "catalog::last-good-version").count();
        assert_eq!(kept, 2, "{:?}", catalog.diagnostics());
        let b = catalog.entity(catalog.find("component:default/b").unwrap()).unwrap();
        assert!(b.has_warnings());
    }
    folder.write("a/catalog-info.yaml", component("a"));
    std::fs::remove_file(folder.path().join("c/catalog-info.yaml")).unwrap();
    let catalog = loader.load(&Progress::none());
    assert_eq!(refs(&catalog), ["component:default/a", "group:default/team"]);
    assert!(codes(&catalog).is_empty());
}

#[test]
fn a_changed_placeholder_file_is_noticed() {
    let folder = Folder::new(&[("catalog-info.yaml", &api("a", "$text: ./s.txt")), ("s.txt", "one")]);
    let loader = loader(vec![folder.source()]);
    for text in ["one", "two"] {
        folder.write("s.txt", text);
        let catalog = loader.load(&Progress::none());
        assert_eq!(catalog.entities().next().unwrap().to_json()["spec"]["definition"], text);
    }
}

#[test]
fn a_cancelled_load_ends() {
    let folder = Folder::new(&[("catalog-info.yaml", &group("a"))]);
    let progress = Progress::none();
    progress.cancel_token().cancel();
    let catalog = loader(vec![folder.source()]).load(&progress);
    assert_eq!(codes(&catalog), ["source::cancelled"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn loading_again_equals_loading_anew(steps in prop::collection::vec((0usize..4, 0usize..5), 1..8)) {
        let folder = Folder::new(&[("org.yaml", &group("team"))]);
        let again = loader(vec![folder.source()]);
        for (file, what) in steps {
            let path = format!("f{file}/catalog-info.yaml");
            match what {
                0 => drop(std::fs::remove_file(folder.path().join(&path))),
                1 => folder.write(&path, component("a") + "---\n" + &component("b")),
                n => folder.write(&path, component(&format!("c{n}")).replace("team", &format!("t{file}"))),
            }
            let (warm, cold) = (again.load(&Progress::none()), loader(vec![folder.source()]).load(&Progress::none()));
            prop_assert_eq!(seen(&warm), seen(&cold));
        }
    }

    #[test]
    fn no_content_makes_a_load_panic(text in r"([a-z:\[\]{}&*!|>'\x22#% \n-]|---\n|apiVersion: backstage.io/v1alpha1\n|kind: Location\n|spec:\n  targets: |metadata: |\$text: |\u{0}|é){0,40}") {
        let folder = Folder::new(&[("catalog-info.yaml", text.as_str())]);
        let _ = seen(&folder.load());
    }
}
