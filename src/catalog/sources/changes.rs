//! Which files of this machine changed since a source was last read, so that the rest is neither walked nor
//! looked at.

use super::RefreshContext;
use super::disk_tree::DiskTree;
use crate::catalog::ingest::{Changed, Walked};
use crate::catalog::tree::TreeError;
use std::path::PathBuf;

/// Changed paths from which on a walk is as quick.
const MAX_CHANGED: usize = 2000;

/// Returns what the last reading of a source found and what changed since; `None` when anything may have
/// changed: nobody says, or a folder, which may hold anything, is among it.
///
/// Takes the walk out of the cache: who has read the source to its end puts one back.
pub(super) fn since(tree: &DiskTree, cx: &RefreshContext<'_>) -> Option<(Walked, Changed)> {
    let walked = cx.cache.take_walk(cx.index).filter(|walked| walked.place == place(tree))?;
    let paths = cx.changed.filter(|paths| paths.len() <= MAX_CHANGED)?;
    let mut changed = Changed::default();
    for path in paths {
        let path = tree.below(path)?;
        match tree.lstat(&path) {
            Err(TreeError::NotFound) => changed.remove(path),
            Ok(metadata) if !metadata.is_dir() => changed.insert(path),
            _ => return None,
        }
    }
    Some((walked, changed))
}

/// Returns the folder that a tree stands for, as [`Walked::place`] has it.
pub(super) fn place(tree: &DiskTree) -> PathBuf {
    tree.root().join(tree.start())
}
