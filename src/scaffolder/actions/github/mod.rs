//! Actions of GitHub, one file each.

mod protection;
mod publish;
mod pull_request;
mod repository;
mod sealed;

use super::Entry;

/// The actions.
pub const ENTRIES: &[Entry] =
    &[(publish::OUTLINE.id, publish::make), (pull_request::OUTLINE.id, pull_request::make)];
