//! Themes: roles and how they are painted, as plain data.
//!
//! A theme file names roles, never places. Built-in themes come from `themes/` at build time; a file
//! of the same name in the user's `themes/` folder wins. A role that a file leaves out falls back to
//! the default theme's, so that no theme can make something invisible.

use crate::diagnostic::{Diagnostic, SourceLocation};
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use std::path::Path;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/themes");

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Text of less weight.
    Dim,
    /// Titles and crumbs.
    Title,
    /// What stands out without being a state.
    Accent,
    /// Border and mark of the focused region.
    Focus,
    /// The row under the cursor.
    Selection,
    /// Letters that a filter matched.
    Match,
    /// Healthy, done.
    Ok,
    /// Worth knowing.
    Info,
    /// Needs attention.
    Warn,
    /// Broken.
    Error,
    /// No answer.
    Unknown,
    /// Old data.
    Stale,
    /// Something that can be followed.
    Link,
    /// Names of keys.
    Key,
    /// A protected environment.
    Env,
}

impl Role {
    /// Every role with its name in theme files, in the order of the enum.
    pub const ALL: [(Role, &'static str); 16] = [
        (Role::Text, "text"),
        (Role::Dim, "dim"),
        (Role::Title, "title"),
        (Role::Accent, "accent"),
        (Role::Focus, "focus"),
        (Role::Selection, "selection"),
        (Role::Match, "match"),
        (Role::Ok, "ok"),
        (Role::Info, "info"),
        (Role::Warn, "warn"),
        (Role::Error, "error"),
        (Role::Unknown, "unknown"),
        (Role::Stale, "stale"),
        (Role::Link, "link"),
        (Role::Key, "key"),
        (Role::Env, "env"),
    ];
}

/// A colour of a theme file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// One of the terminal's own 16, numbered as ANSI does.
    Ansi(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

/// How a role is painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Paint {
    /// Foreground; the terminal's own when absent.
    pub fg: Option<Color>,
    /// Background; the terminal's own when absent.
    pub bg: Option<Color>,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Italic.
    pub italic: bool,
    /// Underline.
    pub underline: bool,
    /// Foreground and background swapped.
    pub reverse: bool,
}

/// A complete theme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Its name, the file's stem.
    pub name: String,
    paints: [Paint; Role::ALL.len()],
}

impl Theme {
    /// Returns how a role is painted.
    pub fn paint(&self, role: Role) -> Paint {
        self.paints.get(role as usize).copied().unwrap_or_default()
    }

    /// Returns a theme without any colour or emphasis.
    pub fn plain() -> Self {
        Self { name: "plain".to_owned(), paints: [Paint::default(); Role::ALL.len()] }
    }

    /// Returns the built-in default theme.
    pub fn built_in_default() -> Self {
        let text = BUILT_IN.get_file("default.toml").and_then(|f| f.contents_utf8()).unwrap_or("");
        Self::parse("default", text, "default.toml", &Self::plain()).0
    }

    /// Loads a theme by name: the user's folder first, then the built-in ones.
    ///
    /// # Errors
    /// A diagnostic with the known names when there is none of that name.
    pub fn load(name: &str, user_folder: Option<&Path>) -> Result<(Self, Vec<Diagnostic>), Box<Diagnostic>> {
        let fallback = Self::built_in_default();
        let plain_name = !name.contains(['/', '\\', '.']);
        let path = user_folder.filter(|_| plain_name).map(|f| f.join(format!("{name}.toml")));
        if let Some((text, path)) = path.and_then(|p| Some((std::fs::read_to_string(&p).ok()?, p))) {
            return Ok(Self::parse(name, &text, &path.display().to_string(), &fallback));
        }
        let built_in = BUILT_IN.get_file(format!("{name}.toml")).and_then(|f| f.contents_utf8());
        if let Some(text) = built_in {
            return Ok(Self::parse(name, text, name, &fallback));
        }
        let names = Self::names(user_folder);
        let near = crate::model::text::nearest(name, names.iter().map(String::as_str));
        let near = near.first().map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        Err(Box::new(
            Diagnostic::error("config::unknown-theme", format!("there is no theme `{name}`"))
                .hint(format!("{near}known themes: {}", names.join(", "))),
        ))
    }

    /// Returns the names of all themes, sorted.
    pub fn names(user_folder: Option<&Path>) -> Vec<String> {
        let stem = |p: &Path| {
            (p.extension()? == "toml").then(|| p.file_stem()?.to_str().map(str::to_owned)).flatten()
        };
        let mut names: Vec<String> = BUILT_IN.files().filter_map(|f| stem(f.path())).collect();
        let entries = user_folder.and_then(|f| std::fs::read_dir(f).ok());
        names.extend(entries.into_iter().flatten().flatten().filter_map(|e| stem(&e.path())));
        names.sort();
        names.dedup();
        names
    }

    fn parse(name: &str, text: &str, file: &str, fallback: &Self) -> (Self, Vec<Diagnostic>) {
        let mut theme = Self { name: name.to_owned(), paints: fallback.paints };
        let mut diagnostics = Vec::new();
        let parsed: ThemeFile = match toml::from_str(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let start = error.span().map_or(0, |s| s.start);
                let before = text.get(..start).unwrap_or("");
                let line = before.matches('\n').count() as u32 + 1;
                let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u32 + 1;
                diagnostics.push(
                    Diagnostic::error("config::theme", format!("theme `{name}`: {}", error.message()))
                        .at(SourceLocation::at(file, line, column))
                        .hint("the default theme is used for what is missing"),
                );
                return (theme, diagnostics);
            }
        };
        for (key, entry) in parsed.roles {
            let role = Role::ALL.iter().find(|(_, n)| *n == key);
            let slot = role.and_then(|(role, _)| theme.paints.get_mut(*role as usize));
            match (slot, entry.paint()) {
                (Some(slot), Ok(paint)) => *slot = paint,
                (Some(_), Err(color)) => diagnostics.push(
                    Diagnostic::warning("config::theme", format!("theme `{name}`: `{color}` is no colour"))
                        .at(SourceLocation::file(file))
                        .hint("write `#rrggbb`, `default`, or one of red, light-red, gray, …"),
                ),
                (None, _) => diagnostics.push(
                    Diagnostic::warning("config::theme", format!("theme `{name}`: there is no role `{key}`"))
                        .at(SourceLocation::file(file)),
                ),
            }
        }
        (theme, diagnostics)
    }
}

#[derive(Deserialize)]
struct ThemeFile {
    #[serde(default)]
    roles: std::collections::BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Entry {
    fg: Option<String>,
    bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

impl Entry {
    fn paint(&self) -> Result<Paint, String> {
        Ok(Paint {
            fg: color(self.fg.as_deref())?,
            bg: color(self.bg.as_deref())?,
            bold: self.bold,
            dim: self.dim,
            italic: self.italic,
            underline: self.underline,
            reverse: self.reverse,
        })
    }
}

const ANSI: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "dark-gray",
    "light-red",
    "light-green",
    "light-yellow",
    "light-blue",
    "light-magenta",
    "light-cyan",
    "white",
];

/// Reads a colour as themes write it: `red`, `light-blue`, `#a8323e`; `None` for the terminal's own and for anything
/// else.
pub fn read_color(text: &str) -> Option<Color> {
    color(Some(text.trim())).ok().flatten()
}

fn color(text: Option<&str>) -> Result<Option<Color>, String> {
    let Some(text) = text else { return Ok(None) };
    if text == "default" {
        return Ok(None);
    }
    if let Some(at) = ANSI.iter().position(|name| *name == text) {
        return Ok(Some(Color::Ansi(at as u8)));
    }
    let hex = text.strip_prefix('#').filter(|h| h.len() == 6 && h.is_ascii());
    let part = |h: &str, at: usize| h.get(at..at + 2).and_then(|p| u8::from_str_radix(p, 16).ok());
    hex.and_then(|h| Some(Color::Rgb(part(h, 0)?, part(h, 2)?, part(h, 4)?)))
        .map(Some)
        .ok_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_is_complete() {
        for file in BUILT_IN.files() {
            let parsed: ThemeFile = toml::from_str(file.contents_utf8().unwrap()).unwrap();
            let mut names: Vec<_> = parsed.roles.keys().map(String::as_str).collect();
            let mut expected: Vec<_> = Role::ALL.iter().map(|(_, n)| *n).collect();
            names.sort_unstable();
            expected.sort_unstable();
            assert_eq!(names, expected, "{:?}", file.path());
            let (_, diagnostics) =
                Theme::load(file.path().file_stem().unwrap().to_str().unwrap(), None).unwrap();
            assert_eq!(diagnostics, []);
        }
    }

    #[test]
    fn roles_stand_in_the_order_of_the_enum() {
        for (at, (role, _)) in Role::ALL.iter().enumerate() {
            assert_eq!(*role as usize, at);
        }
    }

    #[test]
    fn a_missing_role_falls_back_and_a_wrong_one_is_told() {
        let fallback = Theme::built_in_default();
        let (theme, diagnostics) =
            Theme::parse("x", "[roles]\nok = { fg = \"nope\" }\nhue = {}\n", "x.toml", &fallback);
        assert_eq!(theme.paint(Role::Error), fallback.paint(Role::Error));
        assert_eq!(diagnostics.len(), 2);
    }

    #[test]
    fn a_name_is_never_a_path() {
        assert!(Theme::load("../secret", Some(Path::new("/tmp"))).is_err());
    }
}
