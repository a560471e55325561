//! A single descriptor file of this machine, with everything its Locations lead to.

use super::disk_tree::DiskTree;
use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec, changes};
use crate::catalog::ingest::{Ingest, Root, Walked};
use crate::config::source::SourceConfig;
use std::path::{Path, PathBuf};

/// The type `file`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "file",
    help: "one descriptor file and what its Locations name",
    settings: &["path", "ca_file"],
    open,
};

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let path = config.path.clone().ok_or(SourceError::MissingSetting { kind: "file", setting: "path" })?;
    Ok(Box::new(FileSource { path }))
}

struct FileSource {
    path: PathBuf,
}

impl FileSource {
    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

impl CatalogProvider for FileSource {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn root(&self) -> Option<PathBuf> {
        Some(self.folder().to_path_buf())
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let unreadable = |cause: String| SourceError::Unreadable { place: self.place(), cause, hint: None };
        let tree =
            DiskTree::open(self.folder(), cx.settling).map_err(|error| unreadable(error.to_string()))?;
        let name = self
            .path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or_else(|| unreadable("its name is not usable".into()))?;
        let path = crate::catalog::tree::resolve(tree.start(), name)
            .ok_or_else(|| unreadable("its name is not usable".into()))?;
        if !self.path.exists() {
            return Err(unreadable("there is no such file".into()));
        }
        let changed = changes::since(&tree, cx).map(|(_, changed)| changed);
        let delta = Ingest::new(cx, &tree).only(changed).run(vec![Root::asked(path)])?;
        cx.cache.set_walk(cx.index, Walked { place: changes::place(&tree), ..Walked::default() });
        Ok(delta)
    }
}
