//! `validate`: shapes that scripts rely on.

use crate::run::{Machine, shop};
use insta::assert_snapshot;

fn mixed() -> Machine {
    Machine::with(&[
        (
            "repo/a.yaml",
            "# first\n---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: good\nspec:\n  \
             type: service\n  lifecycle: production\n  owner: payments\n  dependsOn: [resource:db]\n---\n---\nkind: [\n",
        ),
        (
            "repo/deep/b.yml",
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: Bad Name\nspec:\n  type: service\n",
        ),
        ("repo/other.yaml", "version: '3'\nservices: {}\n"),
        ("repo/node_modules/no.yaml", "a: ["),
        ("repo/.git/no.yaml", "a: ["),
    ])
}

#[test]
fn one_object_per_document_relative_to_the_folder() {
    assert_snapshot!(mixed().run(&["validate", "repo", "-o", "jsonl"]));
}

#[test]
fn people_see_the_line_and_a_caret() {
    assert_snapshot!(mixed().run(&["validate", "repo"]));
}

#[test]
fn annotations_and_sarif_for_code_review() {
    let machine = mixed();
    assert_snapshot!("github", machine.run(&["validate", "repo", "-o", "github"]));
    assert_snapshot!("sarif", machine.run(&["-q", "validate", "repo/deep", "-o", "sarif"]));
}

#[test]
fn all_valid_exits_0() {
    assert_snapshot!(shop().run(&["validate", "catalog-info.yaml"]));
}

#[test]
fn a_missing_path_exits_3() {
    assert_snapshot!(shop().run(&["validate", "nowhere"]));
}

#[test]
fn placeholders_are_read_inside_the_folder_only() {
    let api = |text: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: a\nspec:\n  type: openapi\n  lifecycle: \
             production\n  owner: o\n  definition:\n    $text: {text}\n"
        )
    };
    let machine = Machine::with(&[
        ("repo/good.yaml", &api("./api.json")),
        ("repo/absent.yaml", &api("./absent.json")),
        ("repo/out.yaml", &api("../secret.txt")),
        ("repo/passwd.yaml", &api("../../../../../../../../etc/passwd")),
        ("repo/far.yaml", &api("https://example.com/api.json")),
        ("repo/api.json", "{}"),
        ("secret.txt", "top secret"),
    ]);
    let outcome = machine.run(&["validate", "repo", "-o", "jsonl"]);
    assert!(!outcome.stdout.contains("top secret") && !outcome.stdout.contains("root:"));
    assert_snapshot!(outcome);
}

#[test]
fn bad_files_are_one_verdict_each() {
    let machine = shop();
    machine.settings("config.toml", "catalog.max_file_size = \"1kB\"\n");
    std::fs::remove_file(machine.path("catalog-info.yaml")).unwrap();
    std::fs::write(machine.path("latin.yaml"), b"name: \xe4\n").unwrap();
    std::fs::write(machine.path("large.yaml"), "a".repeat(5000)).unwrap();
    machine.write("bom-and-crlf.yaml", "\u{feff}apiVersion: backstage.io/v1alpha1\r\nkind: System\r\nmetadata:\r\n  name: s\r\nspec:\r\n  owner: o\r\n");
    machine.write("deep.yaml", &"[".repeat(900));
    let outcome = machine.run(&["validate", ".", "-o", "jsonl"]);
    assert_snapshot!(outcome);
}
