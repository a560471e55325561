//! Saving named views into the user's `views.toml`; [`crate::config::views`] reads them.
//!
//! The file is the user's: comments and the other views stay as they are.

use super::StoreError;
use crate::config::{Paths, View};
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table};

/// Adds a view, or replaces the one of the same name.
///
/// # Errors
/// [`StoreError::Broken`] when the file is not valid TOML; when it cannot be written.
pub fn save(paths: &Paths, view: &View) -> Result<(), StoreError> {
    edit(paths, |views| {
        let table = to_table(view);
        match position(views, &view.name) {
            Some(at) => {
                if let Some(old) = views.get_mut(at) {
                    let decor = old.decor().clone();
                    let place = old.position();
                    *old = table;
                    *old.decor_mut() = decor;
                    old.set_position(place);
                }
            }
            None => views.push(table),
        }
    })
}

/// Removes a view; nothing happens when there is none of that name.
///
/// # Errors
/// As [`save`].
pub fn remove(paths: &Paths, name: &str) -> Result<(), StoreError> {
    edit(paths, |views| {
        if let Some(at) = position(views, name) {
            views.remove(at);
        }
    })
}

fn position(views: &ArrayOfTables, name: &str) -> Option<usize> {
    views.iter().position(|table| table.get("name").and_then(Item::as_str) == Some(name))
}

fn edit(paths: &Paths, change: impl FnOnce(&mut ArrayOfTables)) -> Result<(), StoreError> {
    let file = paths.views_file();
    let broken = || StoreError::Broken(file.clone());
    let _lock = super::lock(&file)?;
    let text = crate::config::document::read_text(&file).map_err(|_| broken())?.unwrap_or_default();
    let mut document: DocumentMut = text.parse().map_err(|_| broken())?;
    let item = document.entry("view").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    change(item.as_array_of_tables_mut().ok_or_else(broken)?);
    super::write_atomic(&file, document.to_string().as_bytes())
}

fn to_table(view: &View) -> Table {
    let mut table = Table::new();
    table.insert("name", toml_edit::value(view.name.as_str()));
    table.insert("place", toml_edit::value(view.place.as_str()));
    for (key, text) in [("filter", &view.filter), ("sort", &view.sort)] {
        if !text.is_empty() {
            table.insert(key, toml_edit::value(text.as_str()));
        }
    }
    if !view.columns.is_empty() {
        table.insert("columns", toml_edit::value(view.columns.iter().map(String::as_str).collect::<Array>()));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{document::Document, views};

    fn view(name: &str, filter: &str) -> View {
        View {
            name: name.into(),
            place: "catalog".into(),
            filter: filter.into(),
            sort: String::new(),
            columns: vec!["name".into()],
        }
    }

    #[test]
    fn saves_replaces_and_removes_beside_what_the_user_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { config: folder.path().to_owned(), ..Paths::new(&|_| None) };
        std::fs::write(paths.views_file(), "# mine\n[[view]]\nname = \"old\" # keep\n").unwrap();
        save(&paths, &view("new", "is:mine")).unwrap();
        save(&paths, &view("new", "is:starred")).unwrap();
        let text = std::fs::read_to_string(paths.views_file()).unwrap();
        assert!(text.starts_with("# mine\n[[view]]\nname = \"old\" # keep\n"), "{text}");
        let mut none = Vec::new();
        let read = views::decode(&Document::parse("views.toml", &text, &mut none), &mut none);
        assert_eq!(read[1..], [view("new", "is:starred")]);
        remove(&paths, "new").unwrap();
        assert!(!std::fs::read_to_string(paths.views_file()).unwrap().contains("new"));
    }
}
