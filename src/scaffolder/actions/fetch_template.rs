//! `fetch:template`, `workspace:template` and their `:file` forms: files rendered from skeletons.

use super::fetch_plain::{fetched, fetched_file, too_large};
use super::paths::{inside, trouble};
use super::{BuiltIn, Entry, Input, schema};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, Workbench};
use crate::scaffolder::language::{
    Dialect, Entry as FileEntry, EntryKind, FileKind, Files, Language, RenderedFile, TreeError, TreeRules,
};
use crate::scaffolder::source::{self, Item, Place};
use crate::scaffolder::tree::{self, Kind};
use crate::yaml;
use minijinja::value::ValueKind;
use rustc_hash::FxHashMap;
use serde_json::json;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// The actions of this file.
pub static ENTRIES: &[Entry] = &[
    ("fetch:template", fetch_folder),
    ("fetch:template:file", fetch_file),
    ("workspace:template", workspace_folder),
    ("workspace:template:file", workspace_file),
];

/// Extension that `templateFileExtension: true` means.
const EXTENSION: &str = ".njk";
/// Rendered descriptors that are looked through for mistakes, in bytes.
const MAX_CHECKED: usize = 256 * 1024;

type Field = (&'static str, serde_json::Value);

fn text() -> serde_json::Value {
    json!({"type": "string"})
}

fn flag() -> serde_json::Value {
    json!({"type": "boolean"})
}

/// What all four take.
fn common() -> Vec<Field> {
    vec![
        ("values", json!({"type": "object"})),
        ("cookiecutterCompat", flag()),
        ("replace", flag()),
        ("trimBlocks", flag()),
        ("lstripBlocks", flag()),
    ]
}

/// What those take that render folders.
fn for_folders() -> Vec<Field> {
    let globs = || json!({"type": "array", "items": {"type": "string"}});
    vec![
        ("copyWithoutRender", globs()),
        ("copyWithoutTemplating", globs()),
        ("templateFileExtension", json!({"type": ["string", "boolean"]})),
    ]
}

fn fetch_folder() -> Arc<dyn Action> {
    let mut fields = vec![("url*", text()), ("targetPath", text())];
    fields.extend(common().into_iter().chain(for_folders()));
    fields.push(("token", text()));
    let about = "Renders a skeleton into the workspace: names and contents of its files";
    BuiltIn::harmless("fetch:template", about, schema(&fields), Value::UNDEFINED, |input, bench| {
        let fields = Input(input);
        let target = target(fields, bench)?;
        let items = fetched(fields, bench)?;
        render_folder(fields, items, &target, bench)
    })
}

fn workspace_folder() -> Arc<dyn Action> {
    let mut fields = vec![("sourcePath*", text()), ("targetPath*", text())];
    fields.extend(common().into_iter().chain(for_folders()));
    let about = "Renders a folder of the workspace into another one";
    BuiltIn::harmless("workspace:template", about, schema(&fields), Value::UNDEFINED, |input, bench| {
        let fields = Input(input);
        let target = target(fields, bench)?;
        let named = fields.text("sourcePath").unwrap_or_default();
        let from = inside(bench.workspace(), &named)?;
        if target.starts_with(&from) {
            return Err(ActionError::new("`targetPath` is inside `sourcePath`")
                .hint("render into a folder that is not part of the template"));
        }
        let place = Place::Disk(from, bench.workspace().to_owned());
        let items = source::folder(&place, None, bench)?;
        render_folder(fields, items, &target, bench)
    })
}

fn target(fields: Input<'_>, bench: &dyn Workbench) -> Result<std::path::PathBuf, ActionError> {
    let named = fields.word("targetPath").unwrap_or_else(|| ".".to_owned());
    inside(bench.workspace(), &named)
}

/// The files of a skeleton as the language wants them.
struct Skeleton {
    items: Vec<Item>,
    by_path: FxHashMap<String, usize>,
}

impl Skeleton {
    fn new(items: Vec<Item>) -> Self {
        let by_path = items.iter().enumerate().map(|(index, item)| (item.path.clone(), index)).collect();
        Self { items, by_path }
    }
}

impl Files for Skeleton {
    fn entries(&self) -> Result<Vec<FileEntry>, TreeError> {
        let entry = |item: &Item| {
            let kind = match item.kind {
                Kind::Folder => EntryKind::Folder,
                Kind::File => EntryKind::File { mode: item.mode },
                Kind::Link => {
                    let target = item.read().map_err(|error| TreeError::Read {
                        path: item.path.clone(),
                        reason: error.message,
                    })?;
                    EntryKind::Link { target: String::from_utf8_lossy(&target).into_owned() }
                }
            };
            Ok(FileEntry { path: item.path.clone(), kind })
        };
        self.items.iter().map(entry).collect()
    }

    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let item = self.by_path.get(path).and_then(|index| self.items.get(*index));
        let item = item.ok_or_else(|| std::io::Error::from(std::io::ErrorKind::NotFound))?;
        item.read().map_err(|error| std::io::Error::other(error.message))
    }
}

fn language(fields: Input<'_>, bench: &dyn Workbench) -> Language {
    let dialect = if fields.flag("cookiecutterCompat") { Dialect::Cookiecutter } else { Dialect::Backstage };
    Language::new(dialect)
        .with_hosts(bench.host().language_hosts())
        .with_trim(fields.flag("trimBlocks"), fields.flag("lstripBlocks"))
}

fn rules(fields: Input<'_>) -> Result<TreeRules, ActionError> {
    let extension = fields.get("templateFileExtension");
    let extension = match extension.kind() {
        ValueKind::Bool => extension.is_true().then(|| EXTENSION.to_owned()),
        _ => extension.as_str().filter(|text| !text.is_empty()).map(str::to_owned),
    };
    if extension.is_some() && (fields.has("copyWithoutTemplating") || fields.flag("cookiecutterCompat")) {
        return Err(ActionError::new(
            "Fetch action input extension incompatible with copyWithoutTemplating and cookiecutterCompat",
        )
        .hint("leave out `templateFileExtension`, or the other two"));
    }
    Ok(TreeRules {
        copy_without_templating: fields.texts("copyWithoutTemplating"),
        copy_without_render: fields.texts("copyWithoutRender"),
        extension,
        replace: fields.flag("replace"),
    })
}

fn render_folder(
    fields: Input<'_>,
    items: Vec<Item>,
    target: &Path,
    bench: &mut dyn Workbench,
) -> Result<Value, ActionError> {
    let rules = rules(fields)?;
    bench.log(&format!("rendering {} files and folders", items.len()));
    let skeleton = Skeleton::new(items);
    let exists = |path: &str| target.join(path).symlink_metadata().is_ok();
    let rendered = language(fields, bench).tree(&skeleton, &rules, &fields.get("values"), &exists);
    let rendered = rendered.map_err(|error| wrong(&error))?;
    for warning in &rendered.warnings {
        bench.warn(&warning.to_string());
    }
    std::fs::create_dir_all(target).map_err(|error| trouble("create the folder", target, &error))?;
    let mut writer = Writer { target, bytes: 0, checked_parent: None };
    for file in &rendered.files {
        if bench.is_cancelled() {
            return Err(ActionError::new("it was stopped"));
        }
        writer.write(file)?;
        check(file, bench);
    }
    bench.log(&format!("made {} files and folders", rendered.files.len()));
    Ok(Value::UNDEFINED)
}

fn wrong(error: &TreeError) -> ActionError {
    ActionError::new(error.to_string()).hint(error.hint())
}

/// Writes what was rendered.
struct Writer<'a> {
    target: &'a Path,
    bytes: u64,
    /// The folder that was last found to be inside.
    checked_parent: Option<std::path::PathBuf>,
}

impl Writer<'_> {
    fn write(&mut self, file: &RenderedFile) -> Result<(), ActionError> {
        let at = self.place(&file.path)?;
        let failed = |error: std::io::Error| trouble("write", &at, &error);
        match &file.kind {
            FileKind::Folder => {
                std::fs::create_dir_all(&at).map_err(|error| trouble("create the folder", &at, &error))
            }
            FileKind::Link { target } => {
                if at.symlink_metadata().is_ok_and(|there| !there.is_dir()) {
                    std::fs::remove_file(&at).map_err(failed)?;
                }
                tree::link(target, &at).map_err(failed)
            }
            FileKind::File { content, mode } => {
                self.bytes += content.len() as u64;
                if self.bytes > tree::MAX_BYTES {
                    return Err(too_large());
                }
                if at.symlink_metadata().is_ok_and(|there| there.is_symlink()) {
                    std::fs::remove_file(&at).map_err(failed)?;
                }
                // binary files are copied with their exact mode, others are made with it less the process's mask
                if is_binary(content) {
                    std::fs::write(&at, content).map_err(failed)?;
                    return tree::set_mode(&at, *mode).map_err(failed);
                }
                create(&at, *mode).and_then(|mut file| file.write_all(content)).map_err(failed)
            }
        }
    }

    fn place(&mut self, path: &str) -> Result<std::path::PathBuf, ActionError> {
        let at = self.target.join(path);
        let parent = at.parent().unwrap_or(self.target);
        if self.checked_parent.as_deref() != Some(parent) {
            inside(self.target, path)?;
            std::fs::create_dir_all(parent).map_err(|error| trouble("create the folder", parent, &error))?;
            self.checked_parent = Some(parent.to_owned());
        }
        Ok(at)
    }
}

/// Whether the beginning of a file is that of no text.
fn is_binary(content: &[u8]) -> bool {
    content.iter().take(512).any(|byte| *byte == 0)
}

#[cfg(unix)]
fn create(at: &Path, mode: u32) -> std::io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(at)
}

#[cfg(not(unix))]
fn create(at: &Path, _: u32) -> std::io::Result<std::fs::File> {
    std::fs::File::create(at)
}

/// Looks through a rendered descriptor, so that broken YAML is told with its line now and not when the
/// catalog reads it.
fn check(file: &RenderedFile, bench: &mut dyn Workbench) {
    let FileKind::File { content, .. } = &file.kind else { return };
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    if !matches!(name, "catalog-info.yaml" | "catalog-info.yml") || content.len() > MAX_CHECKED {
        return;
    }
    let Ok(text) = std::str::from_utf8(content) else { return };
    let shown: Arc<str> = file.path.as_str().into();
    for fault in yaml::parse_stream(text, &shown).into_iter().filter_map(|document| document.content.err()) {
        bench.warn(&format!("what was rendered is not valid YAML: {}", fault.render().trim_end()));
    }
}

fn fetch_file() -> Arc<dyn Action> {
    let mut fields = vec![("url*", text()), ("targetPath*", text())];
    fields.extend(common());
    fields.push(("token", text()));
    let about = "Renders a single file into the workspace";
    BuiltIn::harmless("fetch:template:file", about, schema(&fields), Value::UNDEFINED, |input, bench| {
        let fields = Input(input);
        render_file(fields, bench, |bench| fetched_file(fields, bench))
    })
}

fn workspace_file() -> Arc<dyn Action> {
    let mut fields = vec![("sourcePath*", text()), ("targetPath*", text())];
    fields.extend(common());
    let about = "Renders a file of the workspace into another one";
    BuiltIn::harmless("workspace:template:file", about, schema(&fields), Value::UNDEFINED, |input, bench| {
        let fields = Input(input);
        render_file(fields, bench, |bench| {
            let from = inside(bench.workspace(), &fields.text("sourcePath").unwrap_or_default())?;
            source::file(&Place::Disk(from, bench.workspace().to_owned()), None, bench)
        })
    })
}

fn render_file(
    fields: Input<'_>,
    bench: &mut dyn Workbench,
    read: impl FnOnce(&mut dyn Workbench) -> Result<Item, ActionError>,
) -> Result<Value, ActionError> {
    let named = fields.text("targetPath").unwrap_or_default();
    let at = inside(bench.workspace(), &named)?;
    if at == bench.workspace() {
        return Err(ActionError::new("`targetPath` names the workspace itself, not a file"));
    }
    if at.symlink_metadata().is_ok() && !fields.flag("replace") {
        bench.log(&format!("{named} is there already and stays; `replace: true` would replace it"));
        return Ok(Value::UNDEFINED);
    }
    let item = read(bench)?;
    let content = item.read()?;
    let rendered = language(fields, bench).file(&item.path, &content, &fields.get("values"));
    let (content, warnings) = rendered.map_err(|error| wrong(&error))?;
    for warning in &warnings {
        bench.warn(&warning.to_string());
    }
    if let Some(parent) = at.parent() {
        std::fs::create_dir_all(parent).map_err(|error| trouble("create the folder", parent, &error))?;
    }
    let failed = |error: std::io::Error| trouble("write", &at, &error);
    if at.symlink_metadata().is_ok_and(|there| there.is_symlink()) {
        std::fs::remove_file(&at).map_err(failed)?;
    }
    std::fs::write(&at, content).map_err(failed)?;
    bench.log(&format!("made {named}"));
    Ok(Value::UNDEFINED)
}
