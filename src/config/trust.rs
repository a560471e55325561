//! One-time trust in a project's settings file.
//!
//! A file that came with a repository may change how things look; it may say where to connect, what to
//! run or who one is only after the user read and trusted exactly this text. The trusted text is kept
//! in the state folder; any change asks again.

use super::{Paths, document};
use crate::store::{self, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Default, Serialize, Deserialize)]
struct Trusted {
    /// Absolute path to the text that was trusted.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

fn file(paths: &Paths) -> PathBuf {
    paths.state.join("trusted.json")
}

fn key(path: &Path) -> String {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Returns whether the user trusted this file with exactly this text.
pub fn is_trusted(paths: &Paths, path: &Path, text: &str) -> bool {
    let trusted: Trusted = store::load(&file(paths)).value;
    trusted.files.get(&key(path)).is_some_and(|known| known == text)
}

/// Trusts a file with the text it has now.
///
/// # Errors
/// When the file cannot be read or the state folder cannot be written.
pub fn trust(paths: &Paths, path: &Path) -> Result<(), StoreError> {
    let text = document::read_text(path)
        .ok()
        .flatten()
        .ok_or_else(|| StoreError::NotFound(path.display().to_string()))?;
    store::update(&file(paths), |trusted: &mut Trusted| {
        trusted.files.insert(key(path), text);
    })?;
    Ok(())
}
