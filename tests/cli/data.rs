//! Commands that print the catalog.

use crate::run::{Machine, SHOP, shop};
use insta::assert_snapshot;
use serde_json::Value;

#[test]
fn get_lists_everything_in_columns() {
    assert_snapshot!(shop().run(&["get"]));
}

#[test]
fn get_wide_says_where_things_come_from() {
    assert_snapshot!(shop().run(&["-q", "get", "components", "-o", "wide"]));
}

#[test]
fn get_csv_has_all_columns() {
    assert_snapshot!(shop().run(&["-q", "get", "comp", "-o", "csv"]));
}

#[test]
fn get_json_has_the_shape_of_the_catalog_api() {
    let outcome = shop().run(&["-q", "get", "component:checkout", "-o", "json"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (0, ""));
    let entities: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&entities).unwrap());
}

#[test]
fn get_yaml_is_a_stream_that_can_be_read_back() {
    let outcome = shop().run(&["-q", "get", "api", "-o", "yaml"]);
    assert_snapshot!(outcome);
}

#[test]
fn get_jsonl_is_sorted_by_ref_one_a_line() {
    let outcome = shop().run(&["-q", "get", "-o", "jsonl"]);
    let refs: Vec<String> = outcome
        .stdout
        .lines()
        .map(|line| {
            let entity: Value = serde_json::from_str(line).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_lowercase();
            let metadata = &entity["metadata"];
            format!("{}:{}/{}", text(&entity["kind"]), text(&metadata["namespace"]), text(&metadata["name"]))
        })
        .collect();
    let mut sorted = refs.clone();
    sorted.sort();
    assert_eq!(refs, sorted);
    assert_eq!(refs.join("\n") + "\n", shop().run(&["-q", "get", "-o", "name"]).stdout);
}

#[test]
fn words_are_kinds_then_refs_then_names() {
    let machine = shop();
    let names = |arguments: &[&str]| {
        let outcome = machine.run(&[&["-q", "get", "-o", "name"], arguments].concat());
        outcome.stdout.lines().collect::<Vec<_>>().join(" ")
    };
    let cases: &[(&[&str], &str)] = &[
        (&["team"], "group:default/payments"),
        (&["users", "sys"], "system:default/shop user:default/ana.ruiz"),
        (&["storefront"], "component:default/storefront"),
        (&["API:Checkout"], "api:default/checkout"),
        (&["comp:checkout"], "component:default/checkout"),
        (&["component", "checkout"], "component:default/checkout"),
        (&["res", "-n", "data"], "resource:data/ledger-db"),
        (&["ledger-db", "-n", "data"], "resource:data/ledger-db"),
        (&["data/ledger-db"], "resource:data/ledger-db"),
        (&["all", "-l", "tier=1"], "component:default/checkout"),
        (&["--filter", "lifecycle:production kind:api"], "api:default/checkout"),
    ];
    for (arguments, expected) in cases {
        assert_eq!(names(arguments), *expected, "{arguments:?}");
    }
}

#[test]
fn a_name_of_several_lists_them_and_exits_2() {
    assert_snapshot!(shop().run(&["-q", "get", "checkout"]));
}

#[test]
fn an_unknown_name_offers_near_ones_and_exits_3() {
    assert_snapshot!(shop().run(&["-q", "describe", "storefrnt"]));
}

#[test]
fn what_is_only_referred_to_says_so_and_exits_3() {
    assert_snapshot!(shop().run(&["-q", "describe", "resource:nowhere"]));
}

#[test]
fn a_filter_mistake_is_underlined_and_exits_2() {
    assert_snapshot!(shop().run(&["get", "--filter", "kind:api onwer:payments /("]));
}

#[test]
fn nothing_found_is_fine_and_said() {
    assert_snapshot!(shop().run(&["get", "--filter", "zebra"]));
}

#[test]
fn is_mine_follows_the_setting_and_the_mail_address_of_git() {
    let machine = shop();
    machine.settings("config.toml", "user = \"ana.ruiz\"\n");
    let mine = ["-q", "get", "comp", "--filter", "is:mine", "-o", "name"];
    let both = "component:default/checkout\ncomponent:default/storefront\n";
    assert_eq!(machine.run(&mine).stdout, both);
    let machine = shop();
    assert_eq!(machine.run(&mine).stdout, "");
    std::fs::write(machine.home(".gitconfig"), "[user]\n\temail = ana.ruiz@EXAMPLE.com\n").unwrap();
    assert_eq!(machine.run(&mine).stdout, both);
}

#[test]
fn describe_tells_everything() {
    assert_snapshot!(shop().run(&["-q", "describe", "component:checkout"]));
}

#[test]
fn describe_json_is_one_object() {
    let outcome = shop().run(&["-q", "describe", "shop", "-o", "json"]);
    let entity: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(entity["metadata"]["name"], "shop");
}

#[test]
fn graph_draws_a_tree() {
    assert_snapshot!(shop().run(&["-q", "graph", "component:checkout", "--depth", "2"]));
}

#[test]
fn graph_in_one_direction_and_by_type() {
    let outcome = shop().run(&[
        "-q",
        "graph",
        "api:checkout",
        "--direction",
        "in",
        "--relations",
        "providesApi,consumesApi",
        "-o",
        "json",
    ]);
    assert_snapshot!(outcome);
}

#[test]
fn graph_as_dot_and_mermaid() {
    let machine = shop();
    assert_snapshot!("graph_dot", machine.run(&["-q", "graph", "storefront", "-o", "dot"]));
    assert_snapshot!("graph_mermaid", machine.run(&["-q", "graph", "storefront", "-o", "mermaid"]));
}

#[test]
fn impact_names_whom_to_tell() {
    let machine = shop();
    assert_snapshot!("impact", machine.run(&["-q", "graph", "resource:default/ledger-db", "--impact"]));
    let json = machine.run(&["-q", "graph", "resource:default/ledger-db", "--impact", "-o", "json"]);
    assert_snapshot!("impact_json", json);
}

#[test]
fn a_path_between_two() {
    assert_snapshot!(shop().run(&["-q", "graph", "storefront", "--to", "resource:default/ledger-db"]));
}

#[test]
fn search_puts_names_first() {
    let outcome = shop().run(&["-q", "search", "check", "-o", "name"]);
    assert_eq!(
        outcome.stdout.lines().take(2).collect::<Vec<_>>(),
        ["api:default/checkout", "component:default/checkout"]
    );
    assert_snapshot!(shop().run(&["search", "wallet"]));
}

#[test]
fn a_git_revision_is_read_without_a_checkout() {
    let machine = shop();
    let repository = git2::Repository::init(machine.path("")).unwrap();
    let commit = |message: &str| {
        let mut index = repository.index().unwrap();
        index.add_all(["catalog-info.yaml"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::now("a", "a@example.com").unwrap();
        let parents: Vec<git2::Commit<'_>> =
            repository.head().iter().map(|head| head.peel_to_commit().unwrap()).collect();
        let parents: Vec<&git2::Commit<'_>> = parents.iter().collect();
        repository.commit(Some("HEAD"), &who, &who, message, &tree, &parents).unwrap();
    };
    commit("first");
    machine.write("catalog-info.yaml", &SHOP.replace("name: storefront", "name: web"));
    commit("second");
    machine.write("catalog-info.yaml", &SHOP.replace("name: storefront", "name: dirty"));
    let sites = |at: &[&str]| {
        let outcome = machine.run(&[&["-q", "get", "--filter", "type:website", "-o", "name"], at].concat());
        outcome.stdout.trim().to_owned()
    };
    assert_eq!(sites(&[]), "component:default/dirty");
    assert_eq!(sites(&["--at", "HEAD"]), "component:default/web");
    assert_eq!(sites(&["--at", "HEAD~1"]), "component:default/storefront");
    assert_snapshot!(machine.run(&["get", "--at", "v9"]));
}

#[test]
fn names_with_escape_sequences_never_reach_the_terminal() {
    let evil = "\\e[31mred\\e]0;title\\a \\x9b31m \\u202Eevil";
    let text = format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: evil\n  title: \"{evil}\"\n  \
         description: \"{evil}\"\n  tags: [\"{evil}\"]\n  annotations:\n    a/b: \"{evil}\"\nspec:\n  type: \"{evil}\"\n  \
         lifecycle: \"{evil}\"\n  owner: \"{evil}\"\n"
    );
    let machine = Machine::with(&[("catalog-info.yaml", &text)]);
    let forms: &[&[&str]] = &[
        &["get"],
        &["get", "-o", "wide"],
        &["get", "-o", "csv"],
        &["get", "-o", "json"],
        &["get", "-o", "jsonl"],
        &["get", "-o", "name"],
        &["describe", "evil"],
        &["graph", "evil"],
        &["graph", "evil", "-o", "dot"],
        &["graph", "evil", "-o", "mermaid"],
        &["graph", "evil", "-o", "json"],
        &["search", "evil"],
        &["validate", "."],
        &["validate", ".", "-o", "github"],
        &["validate", ".", "-o", "sarif"],
        &["screenshot", "component:default/evil"],
        &["doctor"],
    ];
    let is_harmful =
        |c: char| (c.is_control() && c != '\n' && c != '\r') || ('\u{202a}'..='\u{202e}').contains(&c);
    for arguments in forms {
        let outcome = machine.run(arguments);
        for text in [&outcome.stdout, &outcome.stderr] {
            assert!(!text.contains(is_harmful), "{arguments:?}: {text:?}");
        }
    }
    // YAML escapes what it must; marks of direction are data there
    let yaml = machine.run(&["get", "-o", "yaml"]).stdout;
    assert!(!yaml.contains(['\u{1b}', '\u{9b}', '\u{7}']), "{yaml:?}");
}
