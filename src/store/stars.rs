//! The entities a person starred, by ref.

use super::{Loaded, StoreError};
use crate::config::Paths;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The starred entities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stars {
    /// Canonical refs.
    #[serde(default)]
    pub refs: BTreeSet<String>,
}

fn file(paths: &Paths) -> PathBuf {
    paths.state.join("stars.json")
}

/// Reads the stars.
pub fn load(paths: &Paths) -> Loaded<Stars> {
    super::load(&file(paths))
}

/// Sets or removes the star of an entity; returns all stars, those of other instances too.
///
/// # Errors
/// When the state folder cannot be written.
pub fn set(paths: &Paths, canonical: &str, starred: bool) -> Result<Loaded<Stars>, StoreError> {
    super::update(&file(paths), |stars: &mut Stars| {
        if starred {
            stars.refs.insert(canonical.to_owned());
        } else {
            stars.refs.remove(canonical);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths { state: folder.path().to_owned(), ..Paths::new(&|_| None) };
        set(&paths, "component:default/a", true).unwrap();
        set(&paths, "component:default/b", true).unwrap();
        set(&paths, "component:default/a", false).unwrap();
        let refs: Vec<String> = load(&paths).value.refs.into_iter().collect();
        assert_eq!(refs, ["component:default/b"]);
    }
}
