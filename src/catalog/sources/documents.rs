//! Trees for whoever reads more of a source than its descriptors: documentation, decision records.
//!
//! What is on this machine is opened as it lies there, a revision without a checkout, a repository elsewhere
//! as a clone of the cache. A tree is read by path and cannot be left.

use super::backstage;
use super::disk_tree::DiskTree;
use super::embedded::EmbeddedTree;
use super::git_remote::GitRemote;
use super::git_tree::{GitTree, Names};
use super::{RefreshContext, SourceError, Stale};
use crate::catalog::tree::{SourceTree, TreeError};
use crate::config::source::SourceConfig;
use git2::{Oid, Repository};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A tree, and the folder of it that was asked for.
#[derive(Clone)]
pub struct Opened {
    /// The files.
    pub tree: Arc<dyn SourceTree>,
    /// Path of the folder; empty for the root.
    pub folder: String,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({})", self.folder)
    }
}

/// Opens a folder of this machine. The tree is the work tree that it lies in, or the folder itself.
///
/// # Errors
/// [`TreeError`] when there is none.
pub fn folder(path: &Path) -> Result<Opened, TreeError> {
    let tree = DiskTree::open(path, Duration::ZERO)?;
    let folder = tree.start().to_owned();
    Ok(Opened { tree: Arc::new(tree), folder })
}

/// Opens the sample that is built in.
pub fn embedded() -> Arc<dyn SourceTree> {
    Arc::new(EmbeddedTree)
}

/// Opens a revision of a repository on this machine.
///
/// # Errors
/// [`SourceError`] when there is no such repository or revision.
pub fn revision(repository: &Path, revision: &str) -> Result<Arc<dyn SourceTree>, SourceError> {
    Ok(Arc::new(GitTree::open(repository, revision)?))
}

/// Opens a commit of a bare clone, whose files are called by `revision`.
///
/// # Errors
/// [`SourceError::Unreadable`].
pub fn commit(repository: &Path, commit: &str, revision: &str) -> Result<Arc<dyn SourceTree>, SourceError> {
    let place = repository.display().to_string();
    let open = || -> Result<GitTree, git2::Error> {
        let names = Names {
            revision: revision.to_owned(),
            place: place.clone(),
            full: repository.to_owned(),
            location: None,
        };
        GitTree::of_commit(Repository::open(repository)?, Oid::from_str(commit)?, names)
    };
    let told = |error: git2::Error| SourceError::Unreadable {
        place: place.clone(),
        cause: error.message().to_owned(),
        hint: None,
    };
    open().map(|tree| Arc::new(tree) as Arc<dyn SourceTree>).map_err(told)
}

/// Brings the clone of a repository elsewhere up to date and fetches the files that are wanted. Blocks.
///
/// # Errors
/// [`SourceError`] when it was never read and cannot be now.
pub fn remote(
    config: &SourceConfig,
    folder: &Path,
    wanted: &dyn Fn(&str) -> bool,
    cx: &RefreshContext<'_>,
) -> Result<(Arc<dyn SourceTree>, Option<Stale>), SourceError> {
    let url = config.url.as_deref().ok_or(SourceError::MissingSetting { kind: "git", setting: "url" })?;
    let (tree, stale) = GitRemote::new(config, url)?.files(folder, wanted, cx)?;
    Ok((Arc::new(tree), stale))
}

/// Asks a Backstage backend for something below its base, such as `api/techdocs/static/docs/…`. Blocks.
///
/// # Errors
/// [`SourceError`] with who could allow it, when the server refuses; `None`: there is no such thing.
pub fn of_backend(cx: &RefreshContext<'_>, path: &str) -> Result<Option<Arc<[u8]>>, SourceError> {
    backstage::fetch(cx, path)
}
