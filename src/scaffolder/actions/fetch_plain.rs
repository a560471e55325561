//! `fetch:plain` and `fetch:plain:file`: files as they are.

use super::paths::{inside, trouble};
use super::{BuiltIn, Entry, Input, schema};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, Workbench};
use crate::scaffolder::source::{self, Item};
use crate::scaffolder::tree::{self, Kind};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// The actions of this file.
pub static ENTRIES: &[Entry] = &[("fetch:plain", folder), ("fetch:plain:file", file)];

/// Most bytes that one action writes.
const MAX_BYTES: u64 = tree::MAX_BYTES;

fn folder() -> Arc<dyn Action> {
    let text = || json!({"type": "string"});
    let input = schema(&[("url*", text()), ("targetPath", text()), ("token", text())]);
    let about = "Puts a folder or a repository into the workspace as it is";
    BuiltIn::harmless("fetch:plain", about, input, Value::UNDEFINED, run_folder)
}

fn run_folder(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let fields = Input(input);
    let target = fields.word("targetPath").unwrap_or_else(|| ".".to_owned());
    let target = inside(bench.workspace(), &target)?;
    let items = fetched(fields, bench)?;
    bench.log(&format!("copying {} files and folders", items.len()));
    write_all(&items, &target, bench)?;
    Ok(Value::UNDEFINED)
}

/// Fetches what `url` of an input means.
pub(super) fn fetched(fields: Input<'_>, bench: &mut dyn Workbench) -> Result<Vec<Item>, ActionError> {
    let place = source::locate(&bench.template().base, &fields.text("url").unwrap_or_default())?;
    source::folder(&place, fields.word("token").as_deref(), bench)
}

/// Fetches the single file that `url` of an input means.
pub(super) fn fetched_file(fields: Input<'_>, bench: &mut dyn Workbench) -> Result<Item, ActionError> {
    let place = source::locate(&bench.template().base, &fields.text("url").unwrap_or_default())?;
    source::file(&place, fields.word("token").as_deref(), bench)
}

fn write_all(items: &[Item], target: &Path, bench: &dyn Workbench) -> Result<(), ActionError> {
    std::fs::create_dir_all(target).map_err(|error| trouble("create the folder", target, &error))?;
    let mut bytes = 0;
    for item in items {
        if bench.is_cancelled() {
            return Err(ActionError::new("it was stopped"));
        }
        let at = inside(target, &item.path)?;
        bytes += write(item, &at)?;
        if bytes > MAX_BYTES {
            return Err(too_large());
        }
    }
    // a folder that may not be written into would refuse its own files
    for item in items.iter().rev().filter(|item| item.kind == Kind::Folder) {
        let at = inside(target, &item.path)?;
        tree::set_mode(&at, item.mode | 0o700).map_err(|error| trouble("write", &at, &error))?;
    }
    Ok(())
}

/// Says that too much is written.
pub(super) fn too_large() -> ActionError {
    ActionError::new(format!("the files are larger than {} MB together", MAX_BYTES >> 20))
        .hint("fetch less, or raise it with the people who own the template")
}

/// Writes one item as it is, mode included, and returns its size.
pub(super) fn write(item: &Item, at: &Path) -> Result<u64, ActionError> {
    let failed = |error: std::io::Error| trouble("write", at, &error);
    if item.kind == Kind::Folder {
        std::fs::create_dir_all(at).map_err(failed)?;
        return Ok(0);
    }
    if let Some(parent) = at.parent() {
        std::fs::create_dir_all(parent).map_err(|error| trouble("create the folder", parent, &error))?;
    }
    if at.is_dir() {
        return Err(ActionError::new(format!("could not write the file `{}`: a folder is there", item.path)));
    }
    let bytes = item.read()?;
    if at.symlink_metadata().is_ok_and(|there| there.is_symlink()) {
        std::fs::remove_file(at).map_err(failed)?;
    }
    if item.kind == Kind::Link {
        if at.symlink_metadata().is_ok() {
            std::fs::remove_file(at).map_err(failed)?;
        }
        tree::link(&String::from_utf8_lossy(&bytes), at).map_err(failed)?;
    } else {
        std::fs::write(at, &bytes).map_err(failed)?;
        tree::set_mode(at, item.mode).map_err(failed)?;
    }
    Ok(bytes.len() as u64)
}

fn file() -> Arc<dyn Action> {
    let text = || json!({"type": "string"});
    let input = schema(&[("url*", text()), ("targetPath*", text()), ("token", text())]);
    let about = "Puts a single file into the workspace as it is";
    BuiltIn::harmless("fetch:plain:file", about, input, Value::UNDEFINED, run_file)
}

fn run_file(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let fields = Input(input);
    let named = fields.text("targetPath").unwrap_or_default();
    let target = inside(bench.workspace(), &named)?;
    if target == bench.workspace() {
        return Err(ActionError::new("`targetPath` names the workspace itself, not a file"));
    }
    let item = fetched_file(fields, bench)?;
    bench.log(&format!("copying {named}"));
    write(&item, &target)?;
    Ok(Value::UNDEFINED)
}
