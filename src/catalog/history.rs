//! Who changed an entity's document, when, and what: read from the commits of its repository.
//!
//! Start at [`read`]. The document is followed through other names of its file and through moves between
//! files; what else stands in its file does not matter, and neither do comments and the order of keys.
//! Placeholders are compared as they are written. Commits may be many, merged, and hostile: work is bounded
//! by [`Limits`], texts are cut, and nothing of a message is trusted.

mod document;
mod place;
mod walk;

pub use place::{Place, PlaceError, locate};

use super::diff::FieldChange;
use git2::Repository;
use serde::Serialize;
use std::fmt::Write as _;
use tokio_util::sync::CancellationToken;

/// Longest subject of a commit, in characters.
const MAX_SUBJECT: usize = 300;

/// How much work is done.
pub struct Limits<'a> {
    /// Most changes told.
    pub entries: usize,
    /// Most commits looked at.
    pub commits: usize,
    /// Stops the work.
    pub cancel: &'a CancellationToken,
    /// Told now and then how many commits were looked at.
    pub on_step: &'a dyn Fn(usize),
}

/// The changes of one document, newest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Canonical ref.
    pub entity_ref: String,
    /// File in the repository.
    pub file: String,
    /// Newest first.
    pub changes: Vec<Change>,
    /// Commits looked at.
    pub commits: usize,
    /// Why older changes are missing; absent: none is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut: Option<Cut>,
}

/// Why older changes are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// The repository has only the newest commits.
    Shallow,
    /// As many changes as were asked for.
    Limit,
    /// As many commits as are looked at.
    Commits,
}

/// What a commit did to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Deed {
    /// It is there from here on.
    Added,
    /// Fields differ.
    Changed,
    /// It is in another file, otherwise the same.
    Moved,
    /// It cannot be read from here on.
    Broken,
    /// It can be read again.
    Repaired,
}

impl Deed {
    /// Returns the word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Broken => "broken",
            Self::Repaired => "repaired",
        }
    }
}

/// One change of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The commit; absent: not committed yet.
    pub commit: Option<String>,
    /// Name of the author, as the commit has it.
    pub author: String,
    /// Address of the author.
    pub email: String,
    /// When the author wrote it.
    pub date: Option<String>,
    /// The same in seconds since 1970.
    #[serde(skip)]
    pub seconds: Option<i64>,
    /// First line of the message.
    pub subject: String,
    /// What was done.
    pub change: Deed,
    /// File in the repository.
    pub file: String,
    /// File that the document was moved from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
    /// Fields that differ from the version before.
    pub fields: Vec<FieldChange>,
    /// Fields that are left out of the list.
    pub more_fields: usize,
    /// The lines that differ, as a unified diff.
    #[serde(skip)]
    pub lines: String,
}

impl Change {
    /// Returns in short what differs: `spec.owner, metadata.tags and 2 more`.
    pub fn in_short(&self, most: usize) -> String {
        let mut names: Vec<&str> = self.fields.iter().take(most).map(|field| field.field.as_str()).collect();
        let more = self.fields.len() + self.more_fields - names.len();
        let from = self.moved_from.as_ref().map(|from| format!("from {from}"));
        names.extend(from.as_deref());
        let mut out = names.join(", ");
        if more > 0 {
            let _ = write!(out, " and {more} more");
        }
        out
    }
}

/// Reads the history of the document at a place.
///
/// # Errors
/// [`git2::Error`] when the repository cannot be read; a commit that is damaged ends the history there.
pub fn read(place: &Place, limits: &Limits<'_>) -> Result<History, git2::Error> {
    let repository = Repository::open(&place.repository)?;
    walk::walk(&repository, place, limits)
}
