//! `new`: the templates of the sample give what Backstage's scaffolder gives for the same answers; what is expected
//! was recorded from it, contents and modes.

use crate::run::Machine;
use serde_json::{Value, json};

const RECORDED: [&str; 4] = [
    include_str!("../fixtures/templates/rust-service.json"),
    include_str!("../fixtures/templates/web-frontend.json"),
    include_str!("../fixtures/templates/docs-site.json"),
    include_str!("../fixtures/templates/add-alert-rules.json"),
];

#[test]
fn the_samples_templates_give_what_backstage_gives() {
    for recorded in RECORDED {
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        let name = recorded["template"].as_str().unwrap();
        let machine = Machine::with(&[("answers.yaml", &recorded["values"].to_string())]);
        let ran =
            machine.run(&["new", name, "--values", "answers.yaml", "--out", "made", "--yes", "-o", "json"]);
        assert_eq!(ran.code, 0, "{name}: {ran}");
        let told: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(told["status"], "completed", "{name}");
        // `100755` and `755` say the same
        let normal = |files: &Value| -> Vec<Value> {
            let file = |file: &Value| {
                let mode = file["mode"].to_string().replace('"', "");
                let mode = mode.get(mode.len().saturating_sub(3)..).unwrap_or_default().to_owned();
                json!([file["path"], mode, file["sha256"]])
            };
            files.as_array().unwrap().iter().map(file).collect()
        };
        assert_eq!(normal(&told["files"]), normal(&recorded["files"]), "{name}");
        for file in recorded["files"].as_array().unwrap() {
            assert!(machine.path("made").join(file["path"].as_str().unwrap()).is_file());
        }
    }
}

#[test]
fn all_gaps_are_told_at_once_and_nothing_is_made() {
    let machine = Machine::new();
    let ran = machine.run(&["new", "rust-service", "--set", "name=No Good", "--out", "made", "--yes"]);
    assert_eq!(ran.code, 2, "{ran}");
    for expected in
        ["/name: ", "/description: required", "/owner: required", "spec/parameters/0/properties/name/pattern"]
    {
        assert!(ran.stderr.contains(expected), "{expected}: {ran}");
    }
    assert!(!machine.path("made").exists());
}

#[test]
fn without_a_yes_it_is_a_plan() {
    let machine = Machine::with(&[(
        "answers.yaml",
        "name: guide\ntitle: Guide\nowner: group:default/runtime\nfolder: made\n",
    )]);
    let ran = machine.run(&["new", "docs-site", "--values", "answers.yaml", "--no-input"]);
    assert_eq!(ran.code, 2, "{ran}");
    assert!(ran.stdout.contains("+ mkdocs.yml"), "{ran}");
    let dry = machine.run(&["new", "docs-site", "--values", "answers.yaml", "--dry-run"]);
    assert_eq!(dry.code, 0, "{dry}");
    assert!(!machine.path("made").exists());
    let ran = machine.run(&["new", "docs-site", "--values", "answers.yaml", "--yes"]);
    assert_eq!(ran.code, 0, "{ran}");
    assert!(machine.path("made/mkdocs.yml").is_file());
}

#[test]
fn a_name_that_is_none_has_near_ones() {
    let ran = Machine::new().run(&["new", "rust-servcie", "--yes"]);
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.stderr.contains("rust-service"), "{ran}");
}
