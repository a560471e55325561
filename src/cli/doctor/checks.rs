//! The single checks. Each is a function from the session to findings.

use super::{Finding, clusters, sources};
use crate::catalog::Catalog;
use crate::cli::config::editor;
use crate::cli::session::Session;
use crate::config::{Config, setting};
use crate::permissions::IdentityOrigin;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Runs every check in the order of the output.
pub fn all(session: &Session) -> Vec<Finding> {
    let mut findings = settings(&session.config);
    let catalog = sources::ask_all(&session.loader);
    findings.extend(sources::findings(session, &catalog));
    findings.extend(clusters::findings(session, &catalog));
    findings.push(identity(session, &catalog));
    findings.push(terminal());
    findings.push(locale());
    findings.push(edit(&session.config));
    findings.push(git());
    findings.push(folder("state folder", &session.config.paths.state));
    findings.push(folder("cache folder", &session.config.paths.cache));
    findings
}

fn settings(config: &Config) -> Vec<Finding> {
    let (_, of_keys) = crate::app::keymap::Keymap::build(
        crate::ui::panes::ALL,
        config.text(&setting::KEYMAP_PRESET),
        &super::super::keys::own_keys(config),
    );
    let mut findings: Vec<Finding> = config
        .diagnostics
        .iter()
        .chain(&of_keys)
        .map(|diagnostic| {
            let place = diagnostic.location.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            let label = diagnostic.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
            let text = format!("{place}{}{label}", diagnostic.message);
            let fix = diagnostic.hint.clone().unwrap_or_else(|| "`devportal config edit`".to_owned());
            if diagnostic.is_error() {
                Finding::fail("settings", text, fix)
            } else {
                Finding::warn("settings", text, fix)
            }
        })
        .collect();
    if findings.is_empty() {
        let files: Vec<String> = config.files.iter().map(|(_, path)| path.display().to_string()).collect();
        let text = if files.is_empty() { "none, built-in values count".to_owned() } else { files.join(", ") };
        findings.push(Finding::ok("settings", text));
    }
    let theme = config.text(&setting::THEME);
    if let Err(diagnostic) = crate::config::theme::Theme::load(theme, Some(&config.paths.themes())) {
        let fix = diagnostic.hint.unwrap_or_default();
        findings.push(Finding::fail("theme", diagnostic.message, fix));
    }
    findings
}

fn identity(session: &Session, catalog: &Catalog) -> Finding {
    let identity = session.identity(catalog);
    let fix = "set `user` to your User entity: `devportal config set user NAME`";
    match (&identity.principal.user, identity.in_catalog) {
        (Some(user), true) => Finding::ok("who I am", format!("{user}, from {}", identity.origin)),
        (Some(user), false) => {
            Finding::warn("who I am", format!("{user}, from {}, is not in the catalog", identity.origin), fix)
        }
        (None, _) => Finding::warn("who I am", IdentityOrigin::Unknown.to_string(), fix),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

fn terminal() -> Finding {
    let term = variable("TERM").unwrap_or_default();
    let is_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if !is_terminal {
        return Finding::ok("terminal", "none here: only commands that print work");
    }
    if term == "dumb" || term.is_empty() {
        let fix = "set TERM to what your terminal is, or use `--plain`";
        return Finding::warn("terminal", "TERM says that it can do nothing", fix);
    }
    let colours = match variable("COLORTERM").as_deref() {
        Some("truecolor" | "24bit") => "16 million colours",
        _ if term.contains("256color") => "256 colours",
        _ => "16 colours",
    };
    let colours = if variable("NO_COLOR").is_some() { "no colours (NO_COLOR)" } else { colours };
    let inside = if variable("TMUX").is_some() { ", inside tmux" } else { "" };
    let size = crossterm::terminal::size().map(|(w, h)| format!("{w}x{h}, ")).unwrap_or_default();
    Finding::ok("terminal", format!("{size}{term}, {colours}{inside}"))
}

fn locale() -> Finding {
    let found = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| Some((name, variable(name)?)));
    let is_utf8 = |text: &str| {
        let text = text.to_lowercase();
        text.contains("utf-8") || text.contains("utf8")
    };
    match found {
        _ if cfg!(any(windows, target_os = "macos")) => Finding::ok("locale", "UTF-8"),
        Some((name, value)) if is_utf8(&value) => Finding::ok("locale", format!("{name}={value}")),
        Some((name, value)) => Finding::warn(
            "locale",
            format!("{name}={value} is not UTF-8"),
            "set LANG=C.UTF-8, or `ui.ascii = true` if signs look broken",
        ),
        None => {
            Finding::warn("locale", "not set", "set LANG=C.UTF-8, or `ui.ascii = true` if signs look broken")
        }
    }
}

fn edit(config: &Config) -> Finding {
    let Some(command) = editor(config) else {
        return Finding::warn("editor", "none: `e` and `config edit` have nothing to open", "set $EDITOR");
    };
    let program = command.split_whitespace().next().unwrap_or("").to_owned();
    match find_program(&program) {
        Some(path) => Finding::ok("editor", format!("{command} ({})", path.display())),
        None => Finding::fail("editor", format!("`{program}` is not in PATH"), "set $EDITOR to one that is"),
    }
}

fn git() -> Finding {
    let version = git2::Version::get().libgit2_version();
    let text = format!("libgit2 {}.{}.{} is built in", version.0, version.1, version.2);
    Finding::ok("git", text)
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.components().count() > 1 {
        return path.is_file().then(|| path.to_owned());
    }
    let names: &[String] = &if cfg!(windows) {
        vec![format!("{name}.exe"), format!("{name}.cmd"), name.to_owned()]
    } else {
        vec![name.to_owned()]
    };
    std::env::split_paths(&std::env::var_os("PATH")?)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|path| path.is_file())
}

/// Tries to write into a folder, or into the nearest one above it that exists.
fn folder(name: &str, path: &Path) -> Finding {
    let there = path.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new("/"));
    let trial = there.join(format!(".devportal-{}", std::process::id()));
    match std::fs::write(&trial, b"") {
        Ok(()) => {
            let _ = std::fs::remove_file(&trial);
            Finding::ok(name, format!("{} can be written", path.display()))
        }
        Err(error) => Finding::fail(
            name,
            format!("{} cannot be written: {error}", path.display()),
            format!("let yourself write to {}", there.display()),
        ),
    }
}
