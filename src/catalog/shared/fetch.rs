//! Reads a snapshot from a place: asks whether the manifest changed, fetches data only when it has to.
//!
//! Start at [`manifest`], then [`data`] and [`contents`].

use super::keys::PublicKeys;
use super::place::Object;
use super::{MANIFEST, MAX_MANIFEST, Manifest, Place, SharedError};
use crate::catalog::progress::Progress;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub use super::read::Contents;

/// Reads the manifest with its bytes, unless it is still the one with this entity tag. Checks its
/// signature when there are keys. Blocks.
///
/// # Errors
/// [`SharedError`] in most of its forms.
pub fn manifest(
    place: &mut dyn Place,
    keys: Option<&PublicKeys>,
    etag: Option<&str>,
    cancel: &CancellationToken,
) -> Result<Option<(Manifest, Object)>, SharedError> {
    let Some(object) = place.get(MANIFEST, MAX_MANIFEST, etag, cancel)? else { return Ok(None) };
    let manifest = Manifest::parse(&object.bytes, keys)?;
    Ok(Some((manifest, object)))
}

/// Reads the data object and checks that it is the one of the manifest. Blocks.
///
/// # Errors
/// [`SharedError`] in most of its forms.
pub fn data(
    place: &mut dyn Place,
    manifest: &Manifest,
    cancel: &CancellationToken,
) -> Result<Arc<[u8]>, SharedError> {
    let object = place.get(&manifest.data.name, manifest.data.size, None, cancel)?;
    let bytes = object.ok_or_else(|| SharedError::broken("its data did not come"))?.bytes;
    manifest.data.check(&bytes)?;
    Ok(bytes)
}

/// Reads the files in a data object, for the source with this number and name.
///
/// # Errors
/// [`SharedError::Broken`], [`SharedError::Cancelled`].
pub fn contents(
    manifest: &Manifest,
    data: &[u8],
    source: u16,
    name: &Arc<str>,
    progress: &Progress,
) -> Result<Contents, SharedError> {
    super::read::read(manifest, data, source, name, progress)
}
