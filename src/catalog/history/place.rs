//! Where the history of an entity is: which repository, which file of it, from which commit on.

use crate::catalog::loader::Loader;
use crate::catalog::snapshot::Entity;
use crate::catalog::sources;
use crate::config::source::SourceConfig;
use git2::Repository;
use std::path::{Path, PathBuf};

/// A document in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Folder of the repository itself, `.git` or bare.
    pub repository: PathBuf,
    /// The revision that it is read at; `None`: the work tree, and before it what is checked out.
    pub revision: Option<String>,
    /// File in the repository.
    pub file: String,
    /// Canonical ref of the entity.
    pub entity_ref: String,
    /// Whether the repository is a clone that was fetched from elsewhere.
    pub is_remote: bool,
}

/// Why an entity has no history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// Its source is none of git.
    #[error("`{entity}` comes from `{place}`, which is not in a git repository: it has no history here")]
    NoRepository {
        /// Canonical ref.
        entity: String,
        /// Where it comes from.
        place: String,
    },
    /// The clone is not there.
    #[error("the clone of `{place}` is not there: read the source again")]
    NoClone {
        /// Address.
        place: String,
    },
}

/// Finds the history of an entity.
///
/// # Errors
/// [`PlaceError`] when it has none.
pub fn locate(loader: &Loader, entity: &Entity<'_>) -> Result<Place, PlaceError> {
    let file = entity.file();
    let none =
        || PlaceError::NoRepository { entity: entity.entity_ref().to_owned(), place: file.path.to_owned() };
    let name = entity.source().map(|source| source.name.clone()).ok_or_else(none)?;
    let index = loader.sources().iter().position(|source| *source.name == *name).ok_or_else(none)?;
    let config = loader.sources().get(index).ok_or_else(none)?;
    let place = |repository: &Path, revision: Option<String>, file: String| Place {
        repository: repository.to_owned(),
        revision,
        file,
        entity_ref: entity.entity_ref().to_owned(),
        is_remote: config.path.is_none(),
    };
    if let Some(path) = file.location_ref.strip_prefix("file:") {
        let (repository, file) = on_disk(Path::new(path)).ok_or_else(none)?;
        return Ok(place(&repository, None, file));
    }
    match (&config.path, &config.url) {
        (Some(path), _) => {
            let repository = Repository::discover(path).map_err(|_| none())?;
            let revision = config.at.clone().unwrap_or_else(|| "HEAD".to_owned());
            let file = after_revision(file.path, &revision).ok_or_else(none)?;
            Ok(place(repository.path(), Some(revision), file))
        }
        (None, Some(_)) if config.kind == "git" => remote(loader, index, config, file.path)
            .map(|(repository, commit, file)| place(&repository, Some(commit), file)),
        _ => Err(none()),
    }
}

fn remote(
    loader: &Loader,
    index: usize,
    config: &SourceConfig,
    shown: &str,
) -> Result<(PathBuf, String, String), PlaceError> {
    let no_clone = || PlaceError::NoClone {
        place: config.url.as_deref().map(crate::config::source::without_credentials).unwrap_or_default(),
    };
    let folder = loader.folder(index).ok_or_else(no_clone)?;
    let (repository, revision, commit) = sources::clone_in(&folder).ok_or_else(no_clone)?;
    let file = after_revision(shown, &revision).ok_or_else(no_clone)?;
    Ok((repository, commit, file))
}

/// Returns the file of `REVISION:FILE`.
fn after_revision(shown: &str, revision: &str) -> Option<String> {
    let rest = shown.strip_prefix(revision).and_then(|rest| rest.strip_prefix(':'));
    rest.or_else(|| shown.split_once(':').map(|(_, file)| file)).map(str::to_owned)
}

/// Returns the repository that a file of this machine lies in, and its path there.
fn on_disk(path: &Path) -> Option<(PathBuf, String)> {
    let full = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let repository = Repository::discover(full.parent()?).ok()?;
    let root = std::fs::canonicalize(repository.workdir()?).ok()?;
    let below = full.strip_prefix(root).ok()?;
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    Some((repository.path().to_owned(), parts?.join("/")))
}
