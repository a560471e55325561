//! Two revisions of a repository side by side: what was asked for, what was found, what differs.
//!
//! Start at [`compare`]. Reads the disk, and the network for a repository behind an address; blocks.

use super::diff::{CatalogDiff, diff};
use super::progress::Progress;
use super::sources::SourceError;
use super::sources::revisions::{Range, Revisions, Side};
use crate::config::source::SourceConfig;
use crate::model::text::clean;
use std::path::PathBuf;

/// A source that is a repository.
#[derive(Debug, Clone)]
pub struct RepositorySource {
    /// Its settings.
    pub config: SourceConfig,
    /// Folder for what has to be fetched.
    pub folder: PathBuf,
}

/// Both sides of a comparison, without their catalogs, and what differs.
#[derive(Debug)]
pub struct Comparison {
    /// What was compared.
    pub range: Range,
    /// The older side.
    pub from: End,
    /// The newer side.
    pub to: End,
    /// What differs.
    pub diff: CatalogDiff,
}

/// One end of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct End {
    /// As it was asked for; absent: the work tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// When it was committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// How many entities it has.
    pub entities: usize,
}

impl End {
    fn of(side: &Side) -> Self {
        let date = side.time.and_then(|time| jiff::Timestamp::from_second(time).ok());
        Self {
            revision: side.revision.clone(),
            commit: side.commit.clone(),
            date: date.map(|date| date.to_string()),
            entities: side.catalog.len(),
        }
    }

    /// Returns how people call it: `main (1a2b3c4)`.
    pub fn name(&self) -> String {
        let short = self.commit.as_deref().and_then(|commit| commit.get(..7));
        match (&self.revision, short) {
            (Some(revision), Some(short)) if !revision.starts_with(short) => {
                format!("{} ({short})", clean(revision))
            }
            (Some(revision), _) => clean(revision).into_owned(),
            (None, _) => "the work tree".to_owned(),
        }
    }
}

/// Compares two revisions of a repository.
///
/// # Errors
/// [`SourceError`] when one of them cannot be read.
pub fn compare(
    source: &RepositorySource,
    range: &Range,
    is_offline: bool,
    progress: &Progress,
) -> Result<Comparison, SourceError> {
    let revisions = Revisions::open(&source.config, Some(&source.folder), is_offline, progress)?;
    let (from, to) = revisions.read(range)?;
    let diff = diff(&from.catalog, &to.catalog);
    Ok(Comparison { range: range.clone(), from: End::of(&from), to: End::of(&to), diff })
}
