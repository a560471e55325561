//! The rules of the house, read from its source: layers, registries, the command table.
//!
//! A failure here names the file and what to do about it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use devportal::app::commands::{CommandId, Group};
use devportal::app::keymap::{Keymap, PRESETS, all_rows};
use devportal::ui::panes;
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Folders and files of `src` from the bottom up. What stands in one line is one layer.
const LAYERS: &[&[&str]] = &[
    &["diagnostic", "yaml", "model"],
    &["config", "net", "store", "permissions"],
    &["catalog"],
    &["kubernetes", "scaffolder", "docs", "api_definitions", "alerts", "demo"],
    &["app"],
    &["ui"],
    &["tui"],
    &["cli"],
];

/// A source file of the program.
struct Source {
    /// Path below `src`, with `/`.
    path: String,
    /// The whole text.
    text: String,
    /// Lines that are compiled into the program: no comments, nothing from the first test module on.
    code: String,
}

fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    SOURCES.get_or_init(read_sources)
}

fn read_sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let path = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        Source { code: code(&text), path, text }
    };
    files.into_iter().map(read).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn code(text: &str) -> String {
    let test_module =
        Regex::new(r"(?m)^#\[cfg\(test\)\]\s*\n(?:#\[[^\n]*\]\s*\n)*(?:pub )?mod \w+ \{").unwrap();
    let end = test_module.find(text).map_or(text.len(), |found| found.start());
    let lines = text[..end].lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

impl Source {
    /// The folder or file of `src` it belongs to: `app` for `app/list.rs`.
    fn part(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    fn stem(&self) -> &str {
        self.path.rsplit('/').next().unwrap().trim_end_matches(".rs")
    }

    fn is_test(&self) -> bool {
        let stem = self.stem();
        stem == "tests" || stem.ends_with("_tests") || stem == "test_support"
    }
}

fn layer(part: &str) -> Option<usize> {
    LAYERS.iter().position(|parts| parts.contains(&part))
}

/// Fails with all findings at once.
fn assert_none(findings: &[String], rule: &str) {
    assert!(findings.is_empty(), "{rule}:\n  {}", findings.join("\n  "));
}

#[test]
fn every_part_has_a_layer() {
    let parts: BTreeSet<String> = sources().iter().map(|source| source.part().to_owned()).collect();
    let unknown: Vec<String> =
        parts.into_iter().filter(|part| layer(part).is_none() && part != "lib" && part != "main").collect();
    assert_none(&unknown, "give each new folder of src a layer in tests/architecture.rs and src/lib.rs");
}

#[test]
fn nothing_uses_a_layer_above_it() {
    let used = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(own) = layer(source.part()) else { continue };
        for found in used.captures_iter(&source.code) {
            let other = &found[1];
            let Some(theirs) = layer(other) else { continue };
            if theirs > own {
                findings.push(format!("src/{} uses `crate::{other}`", source.path));
            }
        }
    }
    findings.dedup();
    assert_none(&findings, "a folder may use what stands above it in src/lib.rs, nothing below it");
}

#[test]
fn the_core_knows_no_widget_and_only_the_faces_know_a_terminal() {
    let drawing = Regex::new(r"\bratatui::(\w+)(?:::(\w+))?").unwrap();
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        if layer(source.part()) < layer("tui") && source.code.contains("crossterm::") {
            findings.push(format!("src/{} uses crossterm", source.path));
        }
        if layer(source.part()) > layer("app") {
            continue;
        }
        for found in drawing.captures_iter(&source.code) {
            let is_data = matches!(
                (&found[1], found.get(2).map(|m| m.as_str())),
                ("layout", Some("Rect")) | ("buffer", Some("Buffer"))
            );
            if source.part() != "app" || !is_data {
                findings.push(format!("src/{} uses `{}`", source.path, &found[0]));
            }
        }
    }
    assert_none(&findings, "`app` may name Rect and Buffer of the drawing library, lower layers nothing");
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<String> = sources()
        .iter()
        .filter(|source| !source.is_test() && !source.text.starts_with("//! "))
        .map(|source| format!("src/{}", source.path))
        .collect();
    assert_none(&silent, "begin each module with `//!` and a sentence");
}

#[test]
fn no_file_is_a_drawer_for_everything() {
    let drawers: Vec<String> = sources()
        .iter()
        .filter(|source| matches!(source.stem(), "utils" | "util" | "helpers" | "common" | "misc"))
        .map(|source| format!("src/{}", source.path))
        .collect();
    assert_none(&drawers, "name a file after what is in it");
}

#[test]
fn only_the_output_module_prints() {
    let print = Regex::new(r"\b(?:e?println?|dbg)!").unwrap();
    let findings: Vec<String> = sources()
        .iter()
        .filter(|source| !source.is_test() && source.path != "cli/output.rs")
        .filter(|source| print.is_match(&source.code))
        .map(|source| format!("src/{}", source.path))
        .collect();
    assert_none(&findings, "print through cli/output.rs: anything else tears the screen");
}

#[test]
fn colours_are_named_in_themes_only() {
    // screenshot.rs draws what a terminal's own sixteen colours look like, cli/theme.rs shows a theme, ansi.rs
    // reads the colours that a log brings, paint.rs writes those of a theme for a pipe
    let allowed = [
        "config/theme.rs",
        "ui/theme.rs",
        "tui/screenshot.rs",
        "cli/theme.rs",
        "docs/paint.rs",
        "ui/panes/logs/ansi.rs",
    ];
    let names = "Black|Red|Green|Yellow|Blue|Magenta|Cyan|Gray|DarkGray|Light\\w+|White|Rgb|Indexed|Ansi";
    let colour = Regex::new(&format!(r##"\bColor::(?:{names})\b|"#[0-9a-fA-F]{{6}}""##)).unwrap();
    let findings: Vec<String> = sources()
        .iter()
        .filter(|source| !source.is_test() && !allowed.contains(&source.path.as_str()))
        .filter_map(|source| {
            colour.find(&source.code).map(|m| format!("src/{}: {}", source.path, m.as_str()))
        })
        .collect();
    assert_none(&findings, "ask the theme for a role");
}

/// Files and folders of a registry's folder, but for its list and what belongs to tests.
fn members(folder: &str) -> BTreeMap<String, String> {
    let mut members = BTreeMap::<String, String>::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(rest) = source.path.strip_prefix(&format!("{folder}/")) else { continue };
        let name = rest.split('/').next().unwrap().trim_end_matches(".rs");
        if name != "mod" {
            members.entry(name.to_owned()).or_default().push_str(&source.code);
        }
    }
    members
}

/// Names of the constants of a type that a member offers.
fn offers(code: &str, of: &str) -> Vec<String> {
    let offer = Regex::new(&format!(r"\bpub (?:const|static) (\w+): {of}\b")).unwrap();
    offer.captures_iter(code).map(|found| found[1].to_owned()).collect()
}

/// How often each `&file::NAME` stands in a registry.
fn listed(file: &str, list: &str) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let code = code(&text);
    let start = code.find(list).unwrap_or_else(|| panic!("{file} has no `{list}`"));
    let body = &code[start..];
    let body = &body[..body.find("];").unwrap()];
    let mut found = BTreeMap::new();
    for entry in Regex::new(r"&(\w+::\w+)").unwrap().captures_iter(body) {
        *found.entry(entry[1].to_owned()).or_insert(0) += 1;
    }
    found
}

/// Checks that what files offer and what the list names are the same, each once.
fn assert_registered(folder: &str, file: &str, list: &str, of: &str) {
    let listed = listed(file, list);
    let mut offered = BTreeSet::new();
    for (member, code) in members(folder) {
        offered.extend(offers(&code, of).into_iter().map(|name| format!("{member}::{name}")));
    }
    let mut findings: Vec<String> = offered
        .iter()
        .filter(|name| !listed.contains_key(*name))
        .map(|n| format!("{n} is not listed"))
        .collect();
    for (name, times) in &listed {
        if *times != 1 {
            findings.push(format!("{name} is listed {times} times"));
        }
        if !offered.contains(name) {
            findings.push(format!("{name} is listed but no file of src/{folder} offers it"));
        }
    }
    assert!(!offered.is_empty(), "src/{folder} offers nothing of type {of}");
    assert_none(&findings, &format!("list each {of} of src/{folder} once in {file}"));
}

#[test]
fn every_pane_is_registered_once() {
    assert_registered("ui/panes", "src/ui/panes/mod.rs", "pub static ALL", "PaneSpec");
    for (member, code) in members("ui/panes") {
        assert!(!offers(&code, "PaneSpec").is_empty(), "src/ui/panes/{member} offers no PaneSpec");
    }
}

#[test]
fn every_source_is_registered_once() {
    assert_registered("catalog/sources", "src/catalog/sources/mod.rs", "pub const SOURCES", "SourceSpec");
}

#[test]
fn every_subcommand_is_registered_once() {
    let text = &sources().iter().find(|source| source.path == "cli/args.rs").unwrap().code;
    let start = text.find("pub enum Command {").expect("the list of subcommands");
    let body = &text[start..start + text[start..].find("\n}").unwrap()];
    let mut findings = Vec::new();
    let arguments = Regex::new(r"(?m)^pub struct Args\b").unwrap();
    for (member, code) in members("cli") {
        if !arguments.is_match(&code) {
            continue;
        }
        let times = body.matches(&format!("({member}::Args)")).count();
        if times != 1 {
            findings.push(format!("src/cli/{member}.rs stands {times} times in `Command`"));
        }
    }
    assert_none(&findings, "give each subcommand one variant in src/cli/args.rs");
}

#[test]
fn places_have_words_of_their_own() {
    let mut seen = BTreeMap::new();
    let mut findings = Vec::new();
    for spec in panes::ALL {
        for word in std::iter::once(&spec.id).chain(spec.aliases) {
            if let Some(other) = seen.insert(*word, spec.id) {
                findings.push(format!("`{word}` means {other} and {}", spec.id));
            }
        }
    }
    assert_none(&findings, "a word of the palette means one place");
}

#[test]
fn names_of_commands_are_unique_and_well_formed() {
    let name = Regex::new(r"^[a-z]+(?:-[a-z]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*$").unwrap();
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (heading, row) in all_rows(panes::ALL) {
        if !seen.insert(row.id) {
            findings.push(format!("`{}` ({heading}) is there twice", row.id.0));
        }
        if !name.is_match(row.id.0) {
            findings.push(format!("`{}` is not `group.verb`", row.id.0));
        }
        if row.title.is_empty() || row.help.is_empty() || row.help.ends_with('.') {
            findings.push(format!("`{}` needs a title and a sentence without a final stop", row.id.0));
        }
    }
    assert_none(&findings, "rows of the command table");
}

#[test]
fn no_preset_has_clashing_or_unknown_keys() {
    for preset in PRESETS {
        let (_, diagnostics) = Keymap::build(panes::ALL, preset, &BTreeMap::new());
        let findings: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
        assert_none(&findings, &format!("keys of preset `{preset}`"));
    }
}

#[test]
fn keys_that_terminals_and_shells_need_stay_free() {
    for preset in PRESETS {
        let (map, _) = Keymap::build(panes::ALL, preset, &BTreeMap::new());
        let mut findings = Vec::new();
        for (_, row) in all_rows(panes::ALL) {
            for key in map.keys(row.id) {
                let text = key.to_string();
                let is_reserved = key.alt
                    || matches!(
                        text.as_str(),
                        "ctrl-space" | "ctrl-\\" | "ctrl-h" | "ctrl-j" | "ctrl-k" | "ctrl-a"
                    );
                if is_reserved {
                    findings.push(format!("`{text}` of `{}`", row.id.0));
                }
            }
        }
        assert_none(&findings, "never bound by default");
    }
}

/// Ids by the names of their constants in `app::commands::id`.
fn id_constants() -> BTreeMap<String, String> {
    let text = &sources().iter().find(|source| source.path == "app/commands.rs").unwrap().code;
    let pair = Regex::new(r#"\b([A-Z_]+) = "([a-z.-]+)";"#).unwrap();
    pair.captures_iter(text).map(|found| (found[1].to_owned(), found[2].to_owned())).collect()
}

#[test]
fn every_shared_id_has_a_row() {
    let rows: BTreeSet<&str> = Group::ALL.iter().flat_map(|group| group.rows()).map(|row| row.id.0).collect();
    let constants = id_constants();
    assert!(constants.len() > 50, "the ids are written in another way now");
    let missing: Vec<String> = constants.values().filter(|id| !rows.contains(id.as_str())).cloned().collect();
    assert_none(&missing, "ids in app::commands::id without a row in any group");
}

#[test]
fn panes_match_only_commands_that_reach_them() {
    let constants = id_constants();
    let group_of = |id: &str| {
        let is_in = |group: &&Group| group.rows().iter().any(|row| row.id == CommandId(leak(id)));
        Group::ALL.iter().find(is_in).copied()
    };
    // an arm of a match: `id::OPEN =>`, `id::UP | id::DOWN =>`, `id::OPEN if …`
    let arm = Regex::new(r"(?m)^\s*((?:id::[A-Z_]+\s*\|?\s*)+)(?:if [^=]+)?=>").unwrap();
    let name = Regex::new(r"id::([A-Z_]+)").unwrap();
    let mut findings = Vec::new();
    for (member, code) in members("ui/panes") {
        // the file says which ids are its own
        let is_own = |id: &str| {
            code.contains(&format!("id: \"{id}\""))
                || (member == "entity" && id == devportal::app::place::ENTITY)
        };
        let specs = panes::ALL.iter().filter(|spec| is_own(spec.id));
        let groups: BTreeSet<Group> = specs.flat_map(|spec| spec.groups.iter().copied()).collect();
        if groups.is_empty() {
            continue;
        }
        for found in arm.captures_iter(&code) {
            for found in name.captures_iter(&found[1]) {
                let Some(id) = constants.get(&found[1]) else { continue };
                let group = group_of(id);
                if group.is_some_and(|group| group != Group::Global && !groups.contains(&group)) {
                    findings.push(format!("src/ui/panes/{member} matches `{id}` but has not its group"));
                }
            }
        }
    }
    findings.sort();
    findings.dedup();
    assert_none(&findings, "name the group in the pane's SPEC, or take the arm away");
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[test]
fn a_pane_can_be_opened_without_an_argument_exactly_when_it_says_so() {
    let cx = devportal::app::Context::new(panes::ALL);
    let findings: Vec<String> = panes::ALL
        .iter()
        .filter(|spec| spec.go.is_some() && (spec.open)("", &cx).is_err())
        .map(|spec| format!("`{}` has a command but does not open without an argument", spec.id))
        .collect();
    assert_none(&findings, "panes and their places");
    let first = panes::ALL.first().expect("a pane to start at");
    assert!(first.go.is_some(), "the program starts at `{}`, which needs an argument", first.id);
}
