//! Pages that are printed from the program are as the program prints them.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes them again.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use devportal::cli::{keys, reference};
use devportal::config;
use std::path::Path;

fn compare(file: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{file} is out of date; write it again with: UPDATE_DOCS=1 cargo test --test docs"
    );
}

#[test]
fn keys_are_those_of_the_command_table() {
    compare("docs/keys.md", &keys::markdown());
}

#[test]
fn settings_are_those_of_the_table() {
    compare("docs/config.md", &config::reference::markdown());
}

#[test]
fn commands_are_those_of_the_command_line() {
    compare("docs/commands.md", &reference::commands());
}

#[test]
fn the_key_sheet_of_the_readme_is_that_of_the_command_table() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let (start, end) = ("<!-- keys: generated from the command table -->\n", "<!-- end of keys -->");
    let (before, rest) = readme.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    compare("README.md", &format!("{before}{start}{}{end}{after}", reference::key_sheet()));
}
