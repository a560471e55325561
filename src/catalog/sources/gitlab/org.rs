//! Groups and members of GitLab as Group and User entities.

use super::super::{Delta, RefreshContext, SourceError};
use super::Gitlab;

/// Adds the entities to what the projects gave.
pub(super) fn add(
    _cx: &RefreshContext<'_>,
    _gitlab: &Gitlab<'_>,
    _delta: &mut Delta,
) -> Result<(), SourceError> {
    Ok(())
}
