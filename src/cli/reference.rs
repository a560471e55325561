//! Pages printed from the program itself: docs/commands.md and the README's key sheet.
//!
//! `docs/keys.md` comes from [`super::keys::markdown`], `docs/config.md` from
//! [`crate::config::reference`]. `tests/docs` compares all of them with what is in the repository.

use super::Cli;
use crate::app::commands::id;
use crate::app::keymap::all_rows;
use crate::ui::panes;
use clap::CommandFactory;
use std::fmt::Write as _;

/// Rows of the key sheet: words, and the commands whose keys stand beside them.
const SHEET: &[(&str, &[crate::app::commands::CommandId])] = &[
    ("help of this place, searchable", &[id::HELP]),
    ("palette: places, entities, actions", &[id::PALETTE]),
    ("filter a list, search a text", &[id::FILTER]),
    ("one step back; close, quit at the first place", &[id::BACK, id::CLOSE]),
    ("move, ends, half pages", &[id::DOWN, id::UP, id::TOP, id::BOTTOM, id::HALF_DOWN, id::HALF_UP]),
    ("open; actions of the focused thing", &[id::OPEN, id::ACTIONS]),
    (
        "next and previous region; tabs",
        &[id::REGION_NEXT, id::REGION_PREVIOUS, id::TAB_PREVIOUS, id::TAB_NEXT],
    ),
    ("scroll the preview; change the layout", &[id::PREVIEW_DOWN, id::PREVIEW_UP, id::LAYOUT]),
    ("mark, range, all", &[id::MARK, id::RANGE, id::MARK_ALL]),
    ("sort, columns, facets and views", &[id::SORT, id::COLUMNS, id::VIEWS]),
    ("copy; choose what to copy", &[id::COPY, id::COPY_WHAT]),
    ("open in the browser; choose the link; edit the source", &[id::BROWSE, id::BROWSE_WHAT, id::EDIT]),
    ("overview; raw YAML; star", &[id::DESCRIBE, id::INSPECT, id::STAR]),
    ("last place, history, recent places", &[id::LAST, id::HISTORY, id::RECENT]),
    ("refresh; tasks and sources", &[id::REFRESH, id::REFRESH_ALL, id::TASKS]),
];

/// Returns the README's key sheet: the keys most used, from the command table.
pub fn key_sheet() -> String {
    let keys = |command: &crate::app::commands::CommandId| -> String {
        let row = all_rows(panes::ALL).find(|(_, row)| row.id == *command);
        row.and_then(|(_, row)| row.keys.first())
            .map(|key| format!("`{}`", key.replace('|', "\\|")))
            .unwrap_or_default()
    };
    let mut text = String::from("| Keys | What happens |\n| --- | --- |\n");
    let places: Vec<String> = panes::ALL
        .iter()
        .filter_map(|spec| Some(format!("`{}` {}", spec.go?.keys.first()?, spec.title)))
        .collect();
    let _ = writeln!(text, "| {} | places |", places.join(" "));
    for (words, commands) in SHEET {
        let keys: Vec<String> = commands.iter().map(keys).collect();
        let _ = writeln!(text, "| {} | {words} |", keys.join(" "));
    }
    text
}

/// Returns docs/commands.md: the help of every subcommand.
pub fn commands() -> String {
    let mut text = String::from(
        "# Commands\n\n<!-- Generated from the command line's own help. -->\n\n\
         Data goes to standard output, talk to standard error. Exit codes: 0 fine, 1 failed, 2 usage, 3 not\n\
         found, 5 unreachable or timed out, 6 incomplete, 8 check failed, 130 interrupted.\n",
    );
    let mut root = Cli::command().term_width(96);
    root.build();
    let global: Vec<String> =
        root.get_arguments().filter(|a| a.is_global_set()).map(|a| a.get_id().to_string()).collect();
    let _ = write!(text, "\n```text\n{}```\n", root.render_long_help());
    for command in root.get_subcommands().filter(|command| !command.is_hide_set()) {
        describe(&mut text, command, &global);
    }
    text
}

fn describe(text: &mut String, command: &clap::Command, global: &[String]) {
    // the options of every command stand once, at the top
    let mut own = command.clone().mut_args(|arg| {
        let is_global = global.iter().any(|id| id == arg.get_id().as_str()) || arg.get_id() == "help";
        arg.hide(is_global)
    });
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let _ = write!(text, "\n## {name}\n\n```text\n{}```\n", own.render_long_help());
    for inner in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        describe(text, inner, global);
    }
}
