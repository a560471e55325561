//! Which role every cell is painted with: what a theme changes, and nothing else.

use crate::world;
use devportal::config::theme::{Role, Theme};
use devportal::tui::screenshot::Headless;
use ratatui::buffer::Cell;
use ratatui::style::Color;
use std::fmt::Write as _;

/// A letter for each role in the order of [`Role::ALL`]; `.` is ordinary text.
const LETTERS: &str = ".dTafsmoiweustkE";

/// A theme whose roles can be told apart by their foreground, the selection by its background.
fn telling_theme() -> Theme {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "[roles]\n".to_owned();
    for (at, (role, name)) in Role::ALL.iter().enumerate() {
        let ground = if matches!(role, Role::Selection | Role::Match) { "bg" } else { "fg" };
        writeln!(text, "{name} = {{ {ground} = \"#0000{:02x}\" }}", at + 1).unwrap();
    }
    std::fs::write(folder.path().join("telling.toml"), text).unwrap();
    let (theme, diagnostics) = Theme::load("telling", Some(folder.path())).unwrap();
    assert_eq!(diagnostics, []);
    theme
}

fn letter(cell: &Cell) -> char {
    let number = |color| match color {
        Color::Rgb(0, 0, n) => Some(usize::from(n) - 1),
        _ => None,
    };
    let at = number(cell.bg).or_else(|| number(cell.fg));
    match at.and_then(|at| LETTERS.chars().nth(at)) {
        Some('.') if cell.symbol() == " " => ' ',
        Some(letter) => letter,
        None => '?',
    }
}

fn roles(place: &str) -> String {
    let mut start = world::start(world::sample(), world::me(), place);
    start.cx.theme = telling_theme();
    let buf = Headless::start(start, 100, 24).draw();
    let mut out = String::new();
    for y in 0..buf.area.height {
        let line: String = (0..buf.area.width).map(|x| letter(&buf[(x, y)])).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn each_role_has_a_letter() {
    assert_eq!(LETTERS.len(), Role::ALL.len());
}

#[test]
fn the_catalog_by_roles() {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("roles-catalog", roles("catalog"));
        insta::assert_snapshot!("roles-problems", roles("problems"));
    });
}

#[test]
fn every_cell_is_painted_by_a_role() {
    for (_, place) in world::PLACES {
        assert!(!roles(place).contains('?'), "{place} paints a cell without asking the theme");
    }
}
