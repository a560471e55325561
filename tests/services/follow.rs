//! Finding descriptors, following Locations, filling in placeholders.

use crate::{Folder, api, component, group, load, loader, location, problems, refs};
use devportal::catalog::{LoadOptions, Loader, Progress};
use devportal::config::source::{AllowRule, SourceConfig};

#[test]
fn a_folder_gives_its_descriptors_and_nothing_else() {
    let folder = Folder::new(&[
        ("catalog-info.yaml", &component("a")),
        ("b/Catalog-info.yml", &component("b")),
        ("c/catalog_info.yaml", &component("c")),
        (".backstage/other.yaml", &component("d")),
        ("org.yaml", &(group("team") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")),
        ("deploy.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n"),
        ("broken.yaml", "a: [\n"),
        ("chart.yaml", "apiVersion: {{ .Values.x }}\n"),
        (".github/workflow.yaml", &component("hidden")),
        ("node_modules/m/catalog-info.yaml", &component("dependency")),
        ("out/catalog-info.yaml", &component("ignored")),
        (".gitignore", "/out/\n"),
        ("readme.md", &component("text")),
    ]);
    let catalog = folder.load();
    let expected = [
        "component:default/a",
        "component:default/b",
        "component:default/c",
        "component:default/d",
        "group:default/team",
    ];
    assert_eq!(refs(&catalog), expected);
    assert!(problems(&catalog).is_empty(), "{:?}", catalog.diagnostics());
    assert_eq!(catalog.sources()[0].files, 5);
}

#[test]
fn skeletons_are_neither_registered_nor_reported() {
    let template = "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\nmetadata:\n  name: t\nspec:\n  type: service\n  \
                    steps:\n    - id: a\n      name: a\n      action: fetch:template\n      input: {url: ./content}\n";
    let folder = Folder::new(&[
        ("t/template.yaml", template),
        ("t/content/catalog-info.yaml", &component("from-content")),
        ("t/content/broken/catalog-info.yaml", "{%- if x %}\na: [\n"),
        ("t/skeleton/catalog-info.yaml", &component("from-skeleton")),
        ("u/catalog-info.yaml", &component("${{ values.name }}")),
        (
            "v/catalog-info.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {{ name }}\n",
        ),
    ]);
    let catalog = folder.load();
    assert_eq!(refs(&catalog), ["template:default/t"]);
    assert!(problems(&catalog).is_empty(), "{:?}", catalog.diagnostics());
}

#[test]
fn configured_globs_replace_the_search() {
    let folder = Folder::new(&[
        ("catalog-info.yaml", &component("a")),
        ("services/b.yaml", &component("b")),
        ("services/old/c.yaml", &component("c")),
        ("services/bad.yaml", "kind: x\n"),
    ]);
    let mut source = folder.source();
    source.include = vec!["services/**/*.yaml".into()];
    source.exclude = vec!["services/old/**".into()];
    let catalog = load(source);
    assert_eq!(refs(&catalog), ["component:default/b"]);
    assert!(!problems(&catalog).is_empty(), "a file that was asked for by a glob is judged");
}

#[test]
fn locations_lead_on_and_each_file_is_read_once() {
    let folder = Folder::new(&[
        (
            "all.yaml",
            &location(
                "all",
                "  targets:\n    - ./a.yaml\n    - sub/b.yaml\n    - ./apis/**/*.yaml\n    - ./all.yaml\n",
            ),
        ),
        ("a.yaml", &(component("a") + "---\n" + &location("again", "  target: ./sub/b.yaml\n"))),
        (
            "sub/b.yaml",
            &(location("back", "  targets: [../all.yaml, a2.yaml]\n") + "---\n" + &component("b")),
        ),
        ("a2.yaml", &component("from-root")),
        ("apis/x/one.yaml", &group("one")),
        ("apis/.hidden/two.yaml", &group("two")),
    ]);
    let catalog = load(folder.file_source("all.yaml"));
    let expected = [
        "component:default/a",
        "component:default/b",
        "component:default/from-root",
        "group:default/one",
        "location:default/again",
        "location:default/all",
        "location:default/back",
    ];
    assert_eq!(refs(&catalog), expected, "{:?}", catalog.diagnostics());
    let b = catalog.entity(catalog.find("component:default/b").unwrap()).unwrap();
    let root = folder.path().canonicalize().unwrap();
    assert_eq!(b.file().location_ref, format!("file:{}/sub/b.yaml", root.display()));
    assert_eq!(b.file().origin_ref, format!("file:{}/all.yaml", root.display()));
    assert_eq!(b.location().to_string(), format!("{}:8:1", folder.path().join("sub/b.yaml").display()));
}

#[test]
fn one_bad_target_leaves_the_others() {
    let targets = "  targets:\n    - ./missing.yaml\n    - ../../../etc/passwd\n    - file:///etc/passwd\n    - ftp://x/y\n    - \
                   ./folder/\n    - ./none-*.yaml\n    - ./a.yaml\n";
    let folder = Folder::new(&[("all.yaml", &location("all", targets)), ("a.yaml", &group("a"))]);
    let catalog = load(folder.file_source("all.yaml"));
    assert_eq!(refs(&catalog), ["group:default/a", "location:default/all"]);
    assert_eq!(
        problems(&catalog),
        [
            "target-not-found:7",
            "outside-root:8",
            "outside-root:9",
            "location-type:10",
            "location-target:11",
            "target-not-found:12"
        ]
        .map(str::to_owned)
    );
    assert!(catalog.entity(catalog.find("location:default/all").unwrap()).unwrap().is_invalid());
    let text = catalog.diagnostics()[0].render();
    assert!(text.contains("7 |     - ./missing.yaml\n          ^^^^^^^^^^^^^^"), "{text}");
}

#[test]
fn a_missing_target_may_be_optional() {
    let folder = Folder::new(&[(
        "all.yaml",
        &location("all", "  presence: optional\n  targets: [./x.yaml, ./y*.yaml]\n"),
    )]);
    assert!(problems(&load(folder.file_source("all.yaml"))).is_empty());
}

#[test]
fn only_allowed_kinds_come_in() {
    let folder = Folder::new(&[("catalog-info.yaml", &(component("a") + "---\n" + &group("team")))]);
    let mut source = folder.source();
    source.allow = vec![AllowRule::Typed { kind: "group".into(), entity_type: "team".into() }];
    let catalog = load(source);
    assert_eq!(refs(&catalog), ["group:default/team"]);
    assert_eq!(problems(&catalog), ["kind-not-allowed:2"]);
}

#[test]
fn placeholders_take_in_text_json_and_yaml() {
    let folder = Folder::new(&[
        ("org.yaml", &group("team")),
        (
            "svc/catalog-info.yaml",
            &(api("a", "$text: ./spec.txt") + "---\n" + &api("b", "$text: /shared/spec.txt")),
        ),
        ("svc/spec.txt", "openapi: 3\n"),
        ("shared/spec.txt", "root"),
        (
            "thing.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: r\nspec:\n  type: x\n  owner: team\n  list:\n    \
             - $yaml: ./step.yml\n    - $json: ./n.json\n    - $openapi: ./x\n    - {$text: a, b: 1}\n",
        ),
        ("step.yml", "id: one\nwith: [1, yes]\n"),
        ("n.json", "{\"n\": 1.5}"),
    ]);
    let catalog = folder.load();
    let json = |text: &str| catalog.entity(catalog.find(text).unwrap()).unwrap().to_json();
    assert_eq!(json("api:default/a")["spec"]["definition"], "openapi: 3\n");
    assert_eq!(json("api:default/b")["spec"]["definition"], "root");
    assert_eq!(
        json("resource:default/r")["spec"]["list"],
        serde_json::json!([
            {"id": "one", "with": [1, "yes"]}, {"n": 1.5}, {"$openapi": "./x"}, {"$text": "a", "b": 1}
        ])
    );
    assert!(problems(&catalog).is_empty(), "{:?}", catalog.diagnostics());
}

#[test]
fn a_bad_placeholder_keeps_its_entity() {
    let definitions =
        ["$text: ./gone.txt", "$text: ../../../../etc/passwd", "$json: ./bad.json", "$yaml: ./two.yml"];
    let documents: Vec<String> = (0..).zip(definitions).map(|(i, d)| api(&format!("a{i}"), d)).collect();
    let folder = Folder::new(&[
        ("org.yaml", &group("team")),
        ("catalog-info.yaml", &documents.join("---\n")),
        ("bad.json", "{"),
        ("two.yml", "a: 1\n---\nb: 2\n"),
    ]);
    let catalog = folder.load();
    assert_eq!(catalog.len(), 5);
    assert_eq!(problems(&catalog), ["placeholder:10", "outside-root:21", "placeholder:32", "placeholder:43"]);
    let first = catalog.entity(catalog.find("api:default/a0").unwrap()).unwrap();
    assert!(first.is_invalid());
    assert_eq!(first.to_json()["spec"]["definition"]["$text"], "./gone.txt");
    assert!(
        catalog.diagnostics()[0]
            .message
            .starts_with("placeholder $text could not read location `./gone.txt`"),
        "{}",
        catalog.diagnostics()[0].message
    );
}

#[test]
fn sources_rank_by_priority_and_name_both_claimants() {
    let one = Folder::new(&[("catalog-info.yaml", &component("x").replace("service", "first"))]);
    let two = Folder::new(&[("catalog-info.yaml", &component("x").replace("service", "second"))]);
    let (low, mut high) = (one.source(), two.source());
    high.priority = 5;
    let catalog = loader(vec![low, high]).load(&Progress::none());
    assert_eq!(catalog.entities().next().unwrap().entity_type(), "second");
    let conflict = catalog.diagnostics().iter().find(|d| d.code == "catalog::conflict").unwrap();
    assert!(conflict.message.contains(two.path().to_str().unwrap()));
    assert!(conflict.location.as_ref().unwrap().file.contains(one.path().to_str().unwrap()));
    assert_eq!(catalog.sources()[0].priority_place(), two.path().to_str().unwrap());
}

/// What a test wants to know of a source.
trait Place {
    fn priority_place(&self) -> &str;
}

impl Place for devportal::catalog::SourceState {
    fn priority_place(&self) -> &str {
        &self.place
    }
}

#[test]
fn offline_keeps_what_names_addresses() {
    let folder = Folder::new(&[
        ("org.yaml", &group("team")),
        (
            "catalog-info.yaml",
            &(api("a", "$text: https://example.com/api.yaml")
                + "---\n"
                + &location("l", "  target: https://example.com/x.yaml\n")),
        ),
    ]);
    let options = LoadOptions { offline: true, ..LoadOptions::default() };
    let catalog = Loader::new(vec![folder.source()], options).load(&Progress::none());
    assert_eq!(catalog.len(), 3);
    assert_eq!(problems(&catalog), ["not-fetched:10", "target-not-fetched:17"]);
    let a = catalog.entity(catalog.find("api:default/a").unwrap()).unwrap();
    assert!(!a.is_invalid() && a.has_warnings());
    assert_eq!(a.to_json()["spec"]["definition"]["$text"], "https://example.com/api.yaml");
}

#[test]
fn the_sample_is_whole_but_for_its_broken_file() {
    let catalog = load(SourceConfig::sample());
    assert!((60..=100).contains(&catalog.len()), "{}", catalog.len());
    let errors: Vec<_> = catalog.diagnostics().iter().filter(|d| d.is_error()).collect();
    assert!(!errors.is_empty());
    let file = |d: &devportal::diagnostic::Diagnostic| d.location.as_ref().unwrap().file.clone();
    assert!(errors.iter().all(|d| file(d) == file(errors[0])), "{errors:?}");
}

#[test]
fn an_unknown_type_is_told() {
    let catalog = load(SourceConfig::new("svn", "old"));
    assert_eq!(catalog.sources()[0].error.as_ref().unwrap().code, "source::unknown-type");
}
