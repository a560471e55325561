//! `docs` and `docs check`.

use crate::run::Machine;
use insta::assert_snapshot;

const MKDOCS: &str = "site_name: Shop docs\nnav:\n  - Home: index.md\n  - Guides:\n      - Start: guides/start.md\n      - Gone: gone.md\n  - Web: https://www.example.com/\nplugins: [techdocs-core, kroki]\n";

/// A site with one of everything that can be wrong.
fn site() -> Machine {
    Machine::with(&[
        ("mkdocs.yml", MKDOCS),
        (
            "docs/index.md",
            "# Shop\n\nSee [start](guides/start.md#first), [gone](gone.md), [out](../../../etc/passwd)\nand [run](javascript:alert).\n\n![picture](none.png)\n\n--8<-- \"part.md\"\n--8<-- \"nope.md\"\n",
        ),
        ("docs/guides/start.md", "# Start\n\n## First\n\n[nowhere](#second)\n\n```bash\nmake\n"),
        ("docs/orphan.md", "# Orphan\n"),
        ("part.md", "Pulled in, with a [broken link](also-gone.md).\n"),
        (
            "catalog-info.yaml",
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: shop\n  annotations:\n    backstage.io/techdocs-ref: dir:.\n    backstage.io/adr-location: docs/adr\nspec: {type: service, lifecycle: production, owner: me}\n---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: other\n  annotations:\n    backstage.io/techdocs-entity: component:default/shop\n    backstage.io/techdocs-entity-path: /guides/start\nspec: {type: service, lifecycle: production, owner: me}\n---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: odd\n  annotations:\n    backstage.io/techdocs-ref: ftp:somewhere\nspec: {type: service, lifecycle: production, owner: me}\n",
        ),
        ("docs/adr/0001-a.md", "---\nstatus: accepted\ndate: 2026-01-02\n---\n# Keep it\n"),
        ("docs/adr/0002-b.md", "# Throw it away\n\n* Status: proposed\n* Date: 2026-02-03\n"),
    ])
}

#[test]
fn check_tells_everything_with_its_place() {
    assert_snapshot!(site().run(&["docs", "check", "."]));
}

#[test]
fn check_is_data_for_pipelines() {
    let outcome = site().run(&["docs", "check", ".", "-o", "json", "-q"]);
    let found: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let broken: Vec<String> = found
        .as_array()
        .unwrap()
        .iter()
        .filter(|problem| problem["code"] == "docs::broken-link")
        .map(|problem| {
            format!("{}:{}:{}", problem["file"].as_str().unwrap(), problem["line"], problem["column"])
        })
        .collect();
    assert_eq!(outcome.code, 8);
    let expected = ["docs/index.md:3:44", "docs/index.md:3:60", "docs/index.md:4:11", "part.md:1:33"];
    assert_eq!(broken, expected, "{}", outcome.stdout);
}

#[test]
fn a_clean_site_passes() {
    let machine = Machine::with(&[
        ("mkdocs.yml", "site_name: Fine\n"),
        ("docs/index.md", "# Fine\n\n[b](b.md#part)\n"),
        ("docs/b.md", "# B\n\n## Part\n\nText.\n"),
    ]);
    assert_snapshot!(machine.run(&["docs", "check"]));
}

#[test]
fn pages_of_entities_and_paths_are_printed() {
    let machine = site();
    for (arguments, start) in [
        (vec!["docs", "shop", "-o", "text"], "Shop"),
        (vec!["docs", "shop", "guides/start", "-o", "text"], "Start"),
        (vec!["docs", "other", "-o", "text"], "Start"),
        (vec!["docs", ".", "start", "-o", "text"], "Start"),
        (vec!["docs", "./docs/guides/start.md", "-o", "text"], "Start"),
        (vec!["docs", "docs/orphan.md", "-o", "text"], "Orphan"),
        (vec!["docs", "shop", "2", "-o", "text"], "Throw it away"),
    ] {
        let outcome = machine.run(&arguments);
        assert_eq!(outcome.code, 0, "{arguments:?}: {outcome}");
        let first = outcome.stdout.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        assert!(first.contains(start), "{arguments:?}: {}", outcome.stdout);
    }
    let markdown = machine.run(&["docs", "shop", "-o", "md", "-q"]).stdout;
    assert!(markdown.contains("Pulled in") && !markdown.contains("8<"), "{markdown}");
    let colours = machine.run(&["docs", "shop", "-o", "ansi", "--color", "always"]).stdout;
    assert!(colours.contains("\u{1b}["), "{colours}");
    let plain = machine.run(&["docs", "shop", "-o", "ansi", "--color", "never"]).stdout;
    assert!(!plain.contains('\u{1b}'), "{plain}");
}

#[test]
fn lines_keep_to_the_width() {
    let machine = Machine::with(&[("a.md", &format!("# A\n\n{}\n", "word ".repeat(200)))]);
    let outcome = machine.run(&["docs", "a.md", "-o", "text", "--width", "40"]);
    assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 40), "{}", outcome.stdout);
    assert_eq!(outcome.stdout.matches("word").count(), 200);
}

#[test]
fn the_navigation_is_listed() {
    assert_snapshot!(site().run(&["docs", "shop", "--nav", "-q"]));
    let outcome = site().run(&["docs", ".", "--nav", "-o", "json"]);
    let found: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let kinds: Vec<&str> =
        found.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(&kinds[..5], ["page", "section", "page", "missing", "link"], "{}", outcome.stdout);
}

#[test]
fn what_is_not_there_is_told() {
    let machine = site();
    for (arguments, code, said) in [
        (vec!["docs", "shop", "strat"], 3, "has no page `strat`"),
        (vec!["docs", "shop", "index#nope"], 3, "has no heading `#nope`"),
        (vec!["docs", "odd"], 1, "`ftp:` is no type of reference"),
        (vec!["docs", "./nowhere"], 3, "there is no file or folder `./nowhere`"),
        (vec!["docs", "nobody"], 3, "nobody"),
        (vec!["docs", "check", "./nowhere"], 3, "there is no file or folder"),
    ] {
        let outcome = machine.run(&arguments);
        assert_eq!(outcome.code, code, "{arguments:?}: {outcome}");
        assert!(outcome.stderr.contains(said), "{arguments:?}: {}", outcome.stderr);
    }
}

#[test]
fn hostile_pages_do_no_harm() {
    let machine = Machine::with(&[
        ("escape.md", "# A\u{1b}[31mred\u{7}\n\n\u{9b}2J [x](\u{202e}y)\n"),
        ("long.md", &"x".repeat(2_000_000)),
        ("loop.md", "--8<-- \"loop.md\"\n"),
        ("deep.md", &(0..500).map(|n| format!("{}- a\n", "  ".repeat(n))).collect::<String>()),
    ]);
    for file in ["escape.md", "long.md", "loop.md", "deep.md"] {
        let outcome = machine.run(&["docs", file, "-o", "text"]);
        assert_eq!(outcome.code, 0, "{file}: {}", outcome.stderr);
        let is_safe = |c: char| !c.is_control() || c == '\n';
        assert!(outcome.stdout.chars().all(is_safe), "{file}");
    }
}
