//! Writing one setting into the user's `config.toml`, only when a person asked for it.
//!
//! Comments, order and everything else in the file stay as they are; the file is replaced in one step,
//! so that a crash or a second window never leaves half a file.

use super::setting::{Setting, Value};
use super::{Paths, document};
use crate::diagnostic::Diagnostic;
use crate::store::{self, StoreError};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table};

/// What a save writes, or wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub file: PathBuf,
    /// 1-based line that the setting has afterwards; 0 when it is gone.
    pub line: u32,
    /// The text of that line; empty when it is gone.
    pub text: String,
    /// Whether the file does not exist yet.
    pub creates: bool,
    /// The whole text of the file afterwards.
    pub content: String,
}

/// Why a setting could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file has mistakes; changing it blindly could lose something.
    #[error("`{}` has a mistake in line {line}; mend it first", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// 1-based.
        line: u32,
    },
    /// The file could not be read.
    #[error("{}", .0.message)]
    Unreadable(Box<Diagnostic>),
    /// Lists of tables are edited by hand.
    #[error("`{0}` is written by hand: open the file with `devportal config edit`")]
    ByHand(&'static str),
    /// The file could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns what [`save`] would write, without writing.
///
/// # Errors
/// As [`save`].
pub fn preview(paths: &Paths, setting: &Setting, value: Option<&Value>) -> Result<Change, SaveError> {
    let file = paths.config_file();
    let text = document::read_text(&file).map_err(SaveError::Unreadable)?;
    change(&file, text.as_deref(), setting, value)
}

/// Sets a value in the user's `config.toml`, or removes it with `None`.
///
/// # Errors
/// [`SaveError::Broken`] when the file is not valid TOML, and whatever keeps it from being written.
pub fn save(paths: &Paths, setting: &Setting, value: Option<&Value>) -> Result<Change, SaveError> {
    let file = paths.config_file();
    let _lock = store::lock(&file)?;
    let change = preview(paths, setting, value)?;
    store::write_atomic(&file, change.content.as_bytes())?;
    Ok(change)
}

fn change(
    file: &Path,
    text: Option<&str>,
    setting: &Setting,
    value: Option<&Value>,
) -> Result<Change, SaveError> {
    let mut parsed: DocumentMut = text.unwrap_or("").parse().map_err(|error: toml_edit::TomlError| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.and_then(|t| t.get(..start)).map_or(0, |before| before.matches('\n').count());
        SaveError::Broken { file: file.to_owned(), line: line as u32 + 1 }
    })?;
    let parts: Vec<&str> = setting.key.split('.').collect();
    match value.and_then(Value::to_toml_value) {
        Some(value) => {
            let value = edit_value(&value).ok_or(SaveError::ByHand(setting.key))?;
            put(parsed.as_table_mut(), &parts, value);
        }
        None => remove(parsed.as_table_mut(), &parts),
    }
    let content = parsed.to_string();
    let (line, shown) = find_line(&content, setting);
    Ok(Change { file: file.to_owned(), line, text: shown, creates: text.is_none(), content })
}

fn edit_value(value: &toml::Value) -> Option<toml_edit::Value> {
    Some(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Boolean(flag) => (*flag).into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
            items.iter().filter_map(toml::Value::as_str).collect::<toml_edit::Array>().into()
        }
        _ => return None,
    })
}

/// Puts a value where the key stands already, or at the end of its table; missing tables are added.
fn put(table: &mut Table, parts: &[&str], value: toml_edit::Value) {
    let Some((first, rest)) = parts.split_first() else { return };
    if rest.is_empty() {
        match table.get_mut(first).and_then(Item::as_value_mut) {
            Some(old) => {
                let decor = old.decor().clone();
                *old = value;
                *old.decor_mut() = decor;
            }
            None => {
                table.insert(first, Item::Value(value));
            }
        }
        return;
    }
    // `ui = { mouse = true }` on one line stays on one line
    if let Some(inline) = table.get_mut(first).and_then(|item| item.as_inline_table_mut()) {
        if let Some((_, last)) = inline.iter_mut().last() {
            last.decor_mut().set_suffix("");
        }
        inline.insert(rest.join("."), value);
        return;
    }
    let inner = table.entry(first).or_insert_with(|| Item::Table(Table::new()));
    if !inner.is_table() {
        *inner = Item::Table(Table::new());
    }
    if let Some(inner) = inner.as_table_mut() {
        put(inner, rest, value);
    }
}

fn remove(table: &mut Table, parts: &[&str]) {
    let Some((first, rest)) = parts.split_first() else { return };
    if rest.is_empty() {
        table.remove(first);
        return;
    }
    match table.get_mut(first) {
        Some(Item::Table(inner)) => remove(inner, rest),
        Some(Item::Value(toml_edit::Value::InlineTable(inner))) => {
            inner.remove(&rest.join("."));
        }
        _ => {}
    }
}

/// Finds the line in which a setting now stands.
fn find_line(content: &str, setting: &Setting) -> (u32, String) {
    let parsed = document::Document::parse("", content, &mut Vec::new());
    let found = document::leaves(parsed.root(), &|name| name == setting.key)
        .into_iter()
        .find(|(name, ..)| name == setting.key);
    let Some((_, span, _)) = found else { return (0, String::new()) };
    let line = parsed.location(&span).line;
    let text = content.lines().nth(line as usize - 1).unwrap_or("").trim().to_owned();
    (line, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting;
    use proptest::prelude::*;

    fn set(text: &str, setting: &Setting, value: &str) -> Change {
        let value = setting.parse(value).unwrap();
        change(Path::new("config.toml"), Some(text), setting, Some(&value)).unwrap()
    }

    #[test]
    fn keeps_comments_order_and_neighbours() {
        let text = "# mine\ntheme = \"dark\"  # at night\n\n[ui]\n# no mouse\nmouse = false\n";
        let change = set(text, &setting::THEME, "light");
        assert_eq!(change.content, text.replace("\"dark\"", "\"light\""));
        assert_eq!((change.line, change.text.as_str()), (2, "theme = \"light\"  # at night"));
        let change = set(text, &setting::UI_ASCII, "true");
        assert_eq!(change.content, format!("{text}ascii = true\n"));
        assert_eq!(change.line, 7);
    }

    #[test]
    fn adds_what_is_missing_in_the_form_of_the_file() {
        assert_eq!(set("", &setting::UI_MOUSE, "false").content, "[ui]\nmouse = false\n");
        assert_eq!(
            set("ui.ascii = true\n", &setting::UI_MOUSE, "false").content,
            "ui.ascii = true\nui.mouse = false\n"
        );
        assert_eq!(
            set("ui = { ascii = true }\n", &setting::UI_MOUSE, "false").content,
            "ui = { ascii = true, mouse = false }\n"
        );
        // A plain key may not land inside the table that ends the file
        let change = set("[ui]\nmouse = true\n", &setting::THEME, "mono");
        let table: toml::Table = change.content.parse().unwrap();
        assert_eq!(table.get("theme").and_then(toml::Value::as_str), Some("mono"), "{}", change.content);
    }

    #[test]
    fn reset_removes_the_line() {
        let text = "theme = \"dark\"\n[ui]\nmouse = false\nascii = true\n";
        let change = change(Path::new("c"), Some(text), &setting::UI_MOUSE, None).unwrap();
        assert_eq!(change.content, "theme = \"dark\"\n[ui]\nascii = true\n");
        assert_eq!(change.line, 0);
    }

    #[test]
    fn refuses_a_broken_file_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { config: folder.path().to_owned(), ..crate::config::Config::default().paths };
        std::fs::write(paths.config_file(), "theme = \n").unwrap();
        let value = Value::Text("dark".into());
        let error = save(&paths, &setting::THEME, Some(&value)).unwrap_err();
        assert!(matches!(error, SaveError::Broken { line: 1, .. }), "{error}");
        assert_eq!(std::fs::read_to_string(paths.config_file()).unwrap(), "theme = \n");
    }

    proptest! {
        #[test]
        fn what_is_saved_is_read_back(text in "[ -~]{0,30}", ascii in any::<bool>()) {
            let value = Value::Text(text);
            let first = change(Path::new("c"), Some("a = 1\n[ui]\nb = 2\n"), &setting::EDITOR, Some(&value)).unwrap();
            let flag = Value::Bool(ascii);
            let second = change(Path::new("c"), Some(&first.content), &setting::UI_ASCII, Some(&flag)).unwrap();
            let table: toml::Table = second.content.parse().unwrap();
            prop_assert_eq!(setting::EDITOR.decode(&table["editor"]), setting::EDITOR.parse(value.to_text().as_str()));
            prop_assert_eq!(table["ui"]["ascii"].as_bool(), Some(ascii));
        }
    }
}
