//! Actions of GitHub, one file each.

mod protection;
mod publish;
mod repository;
mod sealed;

use super::Entry;

/// The actions.
pub const ENTRIES: &[Entry] = &[(publish::OUTLINE.id, publish::make)];
