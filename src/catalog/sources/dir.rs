//! A folder of this machine: finds its descriptors and reads them.
//!
//! Without configured globs a file counts when its name is a descriptor's, or its content is. Folders
//! of version control, dependencies and skeletons are not entered, hidden ones neither (but
//! `.backstage`), and `.gitignore` is respected. Links are followed to files inside the root only.

use super::disk_tree::{DiskTree, describe};
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec, changes};
use crate::catalog::glob::Pattern;
use crate::catalog::ingest::{Changed, Ingest, Root, Walked, sniff};
use crate::catalog::tree::{SourceTree, TreeError};
use crate::config::source::SourceConfig;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use ignore::{DirEntry, WalkBuilder, WalkState};
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The type `dir`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "dir",
    help: "a folder; finds the descriptors in it",
    settings: &["path", "include", "exclude", "ca_file"],
    open,
};

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let path = config.path.clone().ok_or(SourceError::MissingSetting { kind: "dir", setting: "path" })?;
    Ok(Box::new(DirSource { path, is_automatic: config.include.is_empty() }))
}

struct DirSource {
    path: PathBuf,
    /// No globs are configured: descriptors are found by name and content.
    is_automatic: bool,
}

impl CatalogProvider for DirSource {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn root(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn folders(&self) -> Vec<PathBuf> {
        folders_of(&self.path, self.is_automatic)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        refresh_folder(&self.path, cx)
    }
}

/// Returns the folders that a walk enters: a descriptor may appear in each of them. Where the system watches
/// whole trees the root is enough.
pub(super) fn folders_of(path: &Path, automatic: bool) -> Vec<PathBuf> {
    let Ok(root) = std::fs::canonicalize(path) else { return Vec::new() };
    if !cfg!(target_os = "linux") {
        return vec![root];
    }
    let folders: Mutex<Vec<PathBuf>> = Mutex::default();
    walker(&root, automatic, None).run(|| {
        Box::new(|entry| {
            if let Ok(entry) = entry
                && entry.file_type().is_some_and(|kind| kind.is_dir())
            {
                folders.lock().unwrap_or_else(PoisonError::into_inner).push(entry.into_path());
            }
            WalkState::Continue
        })
    });
    folders.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Walks a folder as a source does; nothing but the paths in `only`, if there are some.
fn walker(start: &Path, automatic: bool, only: Option<FxHashSet<PathBuf>>) -> ignore::WalkParallel {
    WalkBuilder::new(start)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .require_git(false)
        .follow_links(false)
        .threads(rayon::current_num_threads())
        .filter_entry(move |entry| {
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let name = entry.file_name().to_str().unwrap_or("");
            let skipped = is_folder && (name == ".git" || automatic && is_skipped(name));
            entry.depth() == 0 || !skipped && only.as_ref().is_none_or(|only| only.contains(entry.path()))
        })
        .build_parallel()
}

/// Reads a folder.
pub(super) fn refresh_folder(path: &Path, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
    let unreadable = |error: &TreeError| SourceError::Unreadable {
        place: path.display().to_string(),
        cause: match error {
            TreeError::NotFound => "there is no such folder".into(),
            other => other.to_string(),
        },
        hint: None,
    };
    let tree = DiskTree::open(path, cx.settling).map_err(|error| unreadable(&error))?;
    if !path.is_dir() {
        return Err(unreadable(&TreeError::NotAFile("no folder")));
    }
    let selection = Selection::new(cx.config)?;
    let walk = Walk { tree: &tree, selection: &selection };
    let known = changes::since(&tree, cx).and_then(|(walked, changed)| walk.again(walked, changed));
    let (walked, changed) = match known {
        Some((walked, changed)) => (walked, Some(changed)),
        None => (walk.run(None), None),
    };
    let ingest = Ingest::new(cx, &tree)
        .only(changed)
        .with_diagnostics(with_source(walked.diagnostics.clone(), cx))
        .skipping_skeletons(selection.include.is_empty());
    let delta = match ingest.again(&walked.roots) {
        Some(delta) => delta,
        None => ingest.run(walked.roots.clone())?,
    };
    cx.cache.set_walk(cx.index, walked);
    Ok(delta)
}

/// Finds the descriptors of a folder, whatever stands in the way of some.
pub(super) fn find_on_disk(tree: &DiskTree, cx: &RefreshContext<'_>) -> Result<Vec<Root>, SourceError> {
    let selection = Selection::new(cx.config)?;
    Ok(Walk { tree, selection: &selection }.run(None).roots)
}

fn with_source(mut diagnostics: Vec<Diagnostic>, cx: &RefreshContext<'_>) -> Vec<Diagnostic> {
    for diagnostic in &mut diagnostics {
        diagnostic.source = Some(cx.name.clone());
    }
    diagnostics
}

/// Finds the descriptors of a tree that is listed as a whole: a revision, the built-in sample.
pub(super) fn find_listed(
    tree: &dyn SourceTree,
    start: &str,
    cx: &RefreshContext<'_>,
) -> Result<Vec<Root>, SourceError> {
    let selection = Selection::new(cx.config)?;
    let unreadable = |error: TreeError| SourceError::Unreadable {
        place: tree.shown(start).to_string(),
        cause: error.to_string(),
        hint: None,
    };
    let files = tree.list(start).map_err(unreadable)?;
    let below = |path: &str| match start {
        "" => path.to_owned(),
        start => path.strip_prefix(start).unwrap_or(path).trim_start_matches('/').to_owned(),
    };
    Ok(files
        .into_iter()
        .filter_map(|path| {
            let below = below(&path);
            let (folders, name) = below.rsplit_once('/').unwrap_or(("", &below));
            if selection.include.is_empty() && folders.split('/').any(|f| !f.is_empty() && is_skipped(f)) {
                return None;
            }
            selection.root(&path, &below, name)
        })
        .collect())
}

/// Which files of a folder are read.
struct Selection {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

impl Selection {
    fn new(config: &SourceConfig) -> Result<Self, SourceError> {
        let compile = |setting: &'static str, globs: &[String]| -> Result<Vec<Pattern>, SourceError> {
            globs
                .iter()
                .map(|glob| {
                    Pattern::new(glob).map(Pattern::with_dots).map_err(|error| SourceError::BadSetting {
                        setting,
                        cause: format!("`{glob}`: {error}"),
                    })
                })
                .collect()
        };
        Ok(Self {
            include: compile("include", &config.include)?,
            exclude: compile("exclude", &config.exclude)?,
        })
    }

    fn is_excluded(&self, below: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.is_match(below))
    }

    /// Decides about a file: its path in the tree, below the start, and its name.
    fn root(&self, path: &str, below: &str, name: &str) -> Option<Root> {
        if self.is_excluded(below) {
            return None;
        }
        if !self.include.is_empty() {
            return self.include.iter().any(|p| p.is_match(below)).then(|| Root::found(path, true));
        }
        (sniff::is_yaml_name(name) && !name.starts_with('.'))
            .then(|| Root::found(path, sniff::is_descriptor_name(name)))
    }
}

/// Folders that hold no descriptors of this tree.
fn is_skipped(folder: &str) -> bool {
    matches!(folder, "node_modules" | "skeleton" | "skeletons")
        || (folder.starts_with('.') && folder != ".backstage")
}

struct Walk<'a> {
    tree: &'a DiskTree,
    selection: &'a Selection,
}

impl Walk<'_> {
    /// Walks the folder, or nothing of it but some paths.
    fn run(&self, only: Option<FxHashSet<PathBuf>>) -> Walked {
        let start = changes::place(self.tree);
        let automatic = self.selection.include.is_empty();
        let walker = walker(&start, automatic, only);
        let found: Mutex<Walked> = Mutex::default();
        walker.run(|| {
            let mut mine = Collected { all: &found, found: Walked::default() };
            Box::new(move |entry| {
                match entry {
                    Ok(entry) => return self.visit(&entry, &mut mine.found),
                    Err(error) => mine.found.diagnostics.extend(unreadable_folder(self.tree, &error)),
                }
                WalkState::Continue
            })
        });
        let mut walked = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        walked.roots.sort_unstable_by(|a, b| a.path().cmp(&b.path()));
        walked.place = start;
        walked
    }

    /// Brings what a walk found up to date with what changed since; `None` when only another walk tells.
    fn again(&self, mut walked: Walked, changed: Changed) -> Option<(Walked, Changed)> {
        let unclear = |path: &String| {
            let name = path.rsplit('/').next().unwrap_or(path);
            matches!(name, ".gitignore" | ".git")
                || path.ends_with(".git/info/exclude")
                || walked.odd.contains(path)
        };
        let all_clear = !changed.there.iter().chain(&changed.gone).any(unclear);
        if walked.is_vague || !all_clear || walked.odd.iter().any(|path| changed.is_gone(path)) {
            return None;
        }
        if !changed.gone.is_empty() {
            walked.roots.retain(|root| root.path().is_none_or(|path| !changed.is_gone(path)));
        }
        let mut new: FxHashSet<PathBuf> = FxHashSet::default();
        for path in &changed.there {
            let is_known = walked.roots.binary_search_by(|root| root.path().cmp(&Some(path))).is_ok();
            // something else may lie now where a file was
            if !self.tree.lstat(path).is_ok_and(|metadata| metadata.is_file()) {
                return None;
            }
            if !is_known && self.is_wanted(path) {
                let start = &walked.place;
                let full = self.tree.root().join(path);
                new.extend(full.ancestors().take_while(|folder| *folder != start).map(Path::to_path_buf));
            }
        }
        if !new.is_empty() {
            let found = self.run(Some(new));
            if !found.diagnostics.is_empty() || !found.odd.is_empty() || found.is_vague {
                return None;
            }
            walked.roots.extend(found.roots);
            walked.roots.sort_unstable_by(|a, b| a.path().cmp(&b.path()));
        }
        Some((walked, changed))
    }

    /// Whether a file would be read if a walk came to it.
    fn is_wanted(&self, path: &str) -> bool {
        let start = self.tree.start();
        let below = match start {
            "" => Some(path),
            start => path.strip_prefix(start).and_then(|below| below.strip_prefix('/')),
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        below.is_some_and(|below| self.selection.root(path, below, name).is_some())
    }

    fn visit(&self, entry: &DirEntry, out: &mut Walked) -> WalkState {
        let Some(kind) = entry.file_type() else { return WalkState::Continue };
        let Some(name) = entry.file_name().to_str() else { return WalkState::Continue };
        if kind.is_dir() && self.selection.exclude.is_empty() {
            return WalkState::Continue;
        }
        // most files of a tree end here
        if self.selection.include.is_empty() && kind.is_file() && !sniff::is_yaml_name(name) {
            return WalkState::Continue;
        }
        let Some(path) = self.path_of(entry.path()) else { return WalkState::Continue };
        let below = match self.tree.start() {
            "" => path.as_str(),
            start => path.strip_prefix(start).unwrap_or(&path).trim_start_matches('/'),
        };
        if kind.is_dir() {
            let excluded = !below.is_empty() && self.selection.is_excluded(below);
            return if excluded { WalkState::Skip } else { WalkState::Continue };
        }
        if kind.is_symlink() {
            self.link(&path, below, name, out);
            return WalkState::Continue;
        }
        let Some(root) = self.selection.root(&path, below, name) else { return WalkState::Continue };
        if kind.is_file() {
            out.roots.push(root);
        } else {
            out.diagnostics.push(self.fault(&path, name, &TreeError::NotAFile(describe(kind))));
            out.odd.insert(path);
        }
        WalkState::Continue
    }

    fn path_of(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(self.tree.root()).ok()?;
        let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
        Some(parts?.join("/"))
    }

    /// Follows a link to a file inside the root; says why not otherwise, if it looks like a descriptor.
    fn link(&self, path: &str, below: &str, name: &str, out: &mut Walked) {
        let wanted = self.selection.root(path, below, name);
        out.odd.insert(path.to_owned());
        match (self.tree.follow(path), wanted) {
            (Ok(target), wanted) => {
                let full = self.tree.root().join(&target);
                out.odd.insert(target.clone());
                match std::fs::metadata(&full) {
                    // a folder inside the root is walked where it lies
                    Ok(metadata) if metadata.is_dir() && below.starts_with(&target) => {
                        out.diagnostics.push(self.note(path, "is a link to a folder above it"));
                    }
                    Ok(metadata) if metadata.is_file() => {
                        out.roots
                            .extend(wanted.map(|_| Root::found(target, sniff::is_descriptor_name(name))));
                    }
                    Ok(metadata) if wanted.is_some() && !metadata.is_dir() => {
                        let fault = TreeError::NotAFile(describe(metadata.file_type()));
                        out.diagnostics.push(self.fault(path, name, &fault));
                    }
                    _ => {}
                }
            }
            (Err(TreeError::Outside), None) => {
                let full = self.tree.root().join(path);
                if full.is_dir() {
                    out.diagnostics.push(self.note(path, "is a link to a folder outside the source"));
                }
            }
            (Err(TreeError::Loop), None) => {
                out.diagnostics.push(self.note(path, "is a link that leads in a circle"));
            }
            (Err(error), Some(_)) => {
                // what it leads to may come to be, wherever that is
                out.is_vague = true;
                out.diagnostics.push(self.fault(path, name, &error));
            }
            (Err(_), None) => {}
        }
    }

    fn fault(&self, path: &str, name: &str, error: &TreeError) -> Diagnostic {
        let severity = if sniff::is_descriptor_name(name) { Severity::Error } else { Severity::Warning };
        let shown = self.tree.shown(path);
        let mut diagnostic =
            Diagnostic::new(severity, error.code(), format!("could not read `{shown}`: {error}"))
                .at(SourceLocation::file(shown));
        diagnostic.hint = error.hint().map(str::to_owned);
        diagnostic
    }

    fn note(&self, path: &str, what: &str) -> Diagnostic {
        let shown = self.tree.shown(path);
        Diagnostic::new(
            Severity::Info,
            "catalog::link-not-followed",
            format!("`{shown}` {what}; it is not followed"),
        )
        .at(SourceLocation::file(shown))
    }
}

fn unreadable_folder(tree: &DiskTree, error: &ignore::Error) -> Option<Diagnostic> {
    let cause = error.io_error().map_or_else(|| error.to_string(), |io| TreeError::from_io(io).to_string());
    let path = path_of_error(error)?;
    let below = path.strip_prefix(tree.root()).ok()?.to_str()?.replace('\\', "/");
    let shown = tree.shown(&below);
    Some(
        Diagnostic::warning(
            "catalog::unreadable-folder",
            format!("could not read the folder `{shown}`: {cause}"),
        )
        .at(SourceLocation::file(shown)),
    )
}

fn path_of_error(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of_error(err)
        }
        _ => None,
    }
}

/// What one thread of a walk has found; hands it over when the thread is done.
struct Collected<'a> {
    all: &'a Mutex<Walked>,
    found: Walked,
}

impl Drop for Collected<'_> {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.roots.append(&mut self.found.roots);
        all.diagnostics.append(&mut self.found.diagnostics);
        all.odd.extend(self.found.odd.drain());
        all.is_vague |= self.found.is_vague;
    }
}
