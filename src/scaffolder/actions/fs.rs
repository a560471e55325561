//! `fs:delete`, `fs:rename` and `fs:readdir`: files of the workspace.

use super::paths::{inside, trouble};
use super::{BuiltIn, Entry, Input, object, schema};
use crate::catalog::glob::{Pattern, is_glob};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, Workbench};
use crate::scaffolder::tree::{self, Kind};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// The actions of this file.
pub static ENTRIES: &[Entry] = &[("fs:delete", delete), ("fs:rename", rename), ("fs:readdir", readdir)];

fn delete() -> Arc<dyn Action> {
    let input = schema(&[("files*", json!({"type": "array", "items": {"type": "string"}}))]);
    let about = "Deletes files of the workspace, named or by glob";
    BuiltIn::harmless("fs:delete", about, input, Value::UNDEFINED, run_delete)
}

fn run_delete(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let root = bench.workspace().to_owned();
    for named in Input(input).texts("files") {
        let full = inside(&root, &named)?;
        let below = below(&root, &full);
        for path in matching(&root, &below)? {
            let full = inside(&root, &path)?;
            std::fs::remove_file(&full).map_err(|error| trouble("delete", &full, &error))?;
            bench.log(&format!("deleted {path}"));
        }
    }
    Ok(Value::UNDEFINED)
}

/// Files that a glob means. Backstage asks for files alone, so a folder means all files in it, and the
/// folders themselves stay.
fn matching(root: &Path, named: &str) -> Result<Vec<String>, ActionError> {
    let bad = |error: crate::catalog::glob::GlobError| {
        ActionError::new(format!("`{}` is not a glob: {error}", named.escape_debug()))
    };
    let pattern = Pattern::new(named).map_err(bad)?.with_dots();
    let folder =
        (!is_glob(named)).then(|| if named.is_empty() { String::new() } else { format!("{named}/") });
    let is_meant = |path: &str| {
        pattern.is_match(path) || folder.as_deref().is_some_and(|folder| path.starts_with(folder))
    };
    let listed = tree::list(root)?;
    let files = listed.into_iter().filter(|entry| entry.kind != Kind::Folder);
    Ok(files.map(|entry| entry.path).filter(|path| is_meant(path)).collect())
}

fn rename() -> Arc<dyn Action> {
    let file = json!({
        "type": "object",
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}, "overwrite": {"type": "boolean"}},
        "required": ["from", "to"],
        "additionalProperties": false
    });
    let input = schema(&[("files*", json!({"type": "array", "items": file}))]);
    let about = "Renames or moves files and folders of the workspace";
    BuiltIn::harmless("fs:rename", about, input, Value::UNDEFINED, run_rename)
}

fn run_rename(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let root = bench.workspace().to_owned();
    for file in Input(input).list("files") {
        let file = Input(&file);
        let (Some(from), Some(to)) = (file.word("from"), file.word("to")) else {
            return Err(ActionError::new("each of `files` needs `from` and `to`"));
        };
        move_one(&root, &from, &to, file.flag("overwrite"))?;
        bench.log(&format!("renamed {from} to {to}"));
    }
    Ok(Value::UNDEFINED)
}

fn move_one(root: &Path, from: &str, to: &str, overwrite: bool) -> Result<(), ActionError> {
    let (source, target) = (inside(root, from)?, inside(root, to)?);
    if source == *root || target == *root {
        return Err(ActionError::new("the workspace itself is not renamed"));
    }
    if source.symlink_metadata().is_err() {
        return Err(ActionError::new(format!(
            "could not rename `{}`: it does not exist",
            from.escape_debug()
        )));
    }
    if source == target {
        return Ok(());
    }
    if target.starts_with(&source) {
        let (from, to) = (from.escape_debug(), to.escape_debug());
        return Err(ActionError::new(format!("could not rename `{from}` to `{to}`, which is inside it")));
    }
    if let Ok(there) = target.symlink_metadata() {
        if !overwrite {
            let shown = to.escape_debug();
            return Err(ActionError::new(format!("could not rename to `{shown}`: it exists already"))
                .hint("add `overwrite: true` to replace it"));
        }
        let removed =
            if there.is_dir() { std::fs::remove_dir_all(&target) } else { std::fs::remove_file(&target) };
        removed.map_err(|error| trouble("replace", &target, &error))?;
    }
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(|error| trouble("create the folder", parent, &error))?;
    }
    std::fs::rename(&source, &target).map_err(|error| trouble("rename", &source, &error))
}

fn readdir() -> Arc<dyn Action> {
    let input = schema(&[
        ("paths*", json!({"type": "array", "items": {"type": "string", "minLength": 1}})),
        ("recursive", json!({"type": "boolean", "default": false})),
    ]);
    let text = || json!({"type": "string"});
    let item = json!({"type": "object", "properties": {"name": text(), "path": text(), "fullPath": text()}});
    let list = json!({"type": "array", "items": item});
    let output = schema(&[("files*", list.clone()), ("folders*", list)]);
    let about = "Lists files and folders of the workspace";
    BuiltIn::harmless("fs:readdir", about, input, output, run_readdir)
}

fn run_readdir(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let root = bench.workspace().to_owned();
    let fields = Input(input);
    let recursive = fields.flag("recursive");
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for named in fields.texts("paths") {
        let folder = inside(&root, &named)?;
        if !folder.is_dir() {
            return Err(ActionError::new(format!("`{}` is not a folder", named.escape_debug())));
        }
        let start = below(&root, &folder);
        for entry in tree::list(&folder)? {
            if !recursive && entry.path.contains('/') {
                continue;
            }
            let path = if start.is_empty() { entry.path.clone() } else { format!("{start}/{}", entry.path) };
            let name = path.rsplit('/').next().unwrap_or(&path);
            let full = root.join(&path).display().to_string();
            let item = object([("name", name), ("path", &path), ("fullPath", &full)]);
            if entry.kind == Kind::Folder { folders.push(item) } else { files.push(item) }
        }
    }
    Ok(object([("files", Value::from(files)), ("folders", Value::from(folders))]))
}

/// Returns a path as it is below the workspace, with `/`.
fn below(root: &Path, full: &Path) -> String {
    full.strip_prefix(root).unwrap_or(full).to_string_lossy().replace('\\', "/")
}
