//! Settings: origins, mistakes, saving.

use crate::run::{Machine, shop};
use insta::assert_snapshot;

#[test]
fn show_names_the_origin_of_every_value() {
    let machine = Machine::with(&[(".devportal.toml", "[ui]\nascii = true\n")]);
    machine.settings("config.toml", "# mine\ntheme = \"dark\"\n");
    let mut command = machine.command(&["--offline", "config", "show", "--origin"]);
    command.env("DEVPORTAL_HTTP_TIMEOUT", "90s");
    assert_snapshot!(machine.outcome(&mut command));
}

#[test]
fn show_json_has_layer_file_and_line() {
    let machine = Machine::new();
    machine.settings("config.toml", "theme = \"dark\"\n");
    let outcome = machine.run(&["config", "show", "-o", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let theme = rows.as_array().unwrap().iter().find(|row| row["key"] == "theme").unwrap();
    assert_snapshot!(serde_json::to_string_pretty(theme).unwrap());
}

#[test]
fn mistakes_point_at_their_line_and_the_program_goes_on() {
    let machine = shop();
    machine
        .settings("config.toml", "thme = \"dark\"\n[http]\ntimeout = \"soon\"\n[keymap]\npreset = \"vi\"\n");
    assert_snapshot!(machine.run(&["get", "system", "-o", "name"]));
}

#[test]
fn a_file_that_is_not_toml_still_counts_where_it_can() {
    let machine = shop();
    machine.settings("config.toml", "user = \"ana.ruiz\"\ntheme = = \"dark\"\n");
    assert_snapshot!(machine.run(&["get", "comp", "--filter", "is:mine", "-o", "name"]));
}

#[test]
fn a_project_says_where_to_connect_only_after_trust() {
    let machine = shop();
    machine
        .write(".devportal.toml", "[[catalog.source]]\ntype = \"dir\"\nname = \"other\"\npath = \"other\"\n");
    machine.write(
        "other/catalog-info.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata:\n  name: other\nspec:\n  owner: o\n",
    );
    let systems = ["get", "systems", "-o", "name"];
    assert_snapshot!("untrusted", machine.run(&systems));
    assert_eq!(machine.run(&["config", "trust", ".devportal.toml"]).code, 0);
    assert_eq!(machine.run(&systems).stdout, "system:default/other\n");
}

#[test]
fn set_keeps_the_rest_of_the_file() {
    let machine = Machine::new();
    machine.settings("config.toml", "# mine\ntheme = \"dark\" # at night\n");
    assert_snapshot!("set", machine.run(&["config", "set", "theme", "mono"]));
    let text = std::fs::read_to_string(machine.home(".config/devportal/config.toml")).unwrap();
    assert_eq!(text, "# mine\ntheme = \"mono\" # at night\n");
    assert_snapshot!("set_dry_run", machine.run(&["config", "set", "ui.mouse", "no", "--dry-run"]));
    assert_snapshot!("set_unknown", machine.run(&["config", "set", "ui.muose", "no"]));
    assert_snapshot!("set_bad_value", machine.run(&["config", "set", "log.level", "loud"]));
    assert_eq!(machine.run(&["config", "set", "theme", "--reset"]).code, 0);
    let text = std::fs::read_to_string(machine.home(".config/devportal/config.toml")).unwrap();
    assert!(!text.contains("theme"), "{text}");
}

#[test]
fn edit_creates_nothing_unasked() {
    let machine = Machine::new();
    assert_snapshot!("edit_refused", machine.run(&["config", "edit"]));
    assert!(!machine.home(".config/devportal/config.toml").exists());
    let outcome = machine.outcome(
        machine.command(&["config", "edit", "--yes"]).env("EDITOR", "true").env("PATH", "/usr/bin:/bin"),
    );
    assert_snapshot!("edit_created", outcome);
    assert!(machine.home(".config/devportal/config.toml").exists());
}

#[test]
fn paths_say_what_is_there() {
    let machine = Machine::new();
    machine.settings("config.toml", "");
    assert_snapshot!(machine.run(&["config", "paths"]));
}

#[test]
fn init_writes_once_and_says_what() {
    let machine =
        Machine::with(&[("README.md", "# Ledger of everything\n"), ("CODEOWNERS", "* @acme/payments\n")]);
    let repository = git2::Repository::init(machine.path("")).unwrap();
    repository.remote("origin", "git@github.com:acme/ledger.git").unwrap();
    assert_snapshot!("init", machine.run(&["init", "--catalog-info", "--dry-run"]));
    assert!(!machine.path("catalog-info.yaml").exists());
    assert_snapshot!("init_written", machine.run(&["init", "--catalog-info"]));
    assert_eq!(machine.run(&["-q", "validate", "catalog-info.yaml"]).code, 0);
    assert_snapshot!("init_again", machine.run(&["init", "--catalog-info"]));
    assert_snapshot!("init_settings", machine.run(&["init"]));
    assert_eq!(machine.run(&["config", "show"]).stderr, "", "the starter has no mistake");
}
