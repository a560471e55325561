//! Paths that stay inside a folder: whatever a template names, nothing outside is read or written.
//!
//! Start at [`inside`]. `..` is resolved by the text first; then every link on the way must lead to a
//! place inside as well.

use crate::scaffolder::action::ActionError;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Returns the place of a path that a template names, below a folder.
///
/// # Errors
/// When it leaves the folder, by its text or through a link.
pub fn inside(root: &Path, named: &str) -> Result<PathBuf, ActionError> {
    if named.contains('\0') {
        return Err(ActionError::new("a path holds a NUL character"));
    }
    let mut below = PathBuf::new();
    let named_path = Path::new(named);
    // an absolute path may name a place inside
    let relative = named_path.strip_prefix(root).unwrap_or(named_path);
    for part in relative.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => below.push(name),
            Component::ParentDir if below.pop() => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(leaves(named, root));
            }
        }
    }
    let full = root.join(below);
    if leads_outside(root, &full) { Err(leaves(named, root)) } else { Ok(full) }
}

/// Returns whether the deepest part of a path that exists lies outside of a folder, links resolved.
pub fn leads_outside(root: &Path, full: &Path) -> bool {
    let Ok(real_root) = std::fs::canonicalize(root) else { return false };
    let mut at = full;
    loop {
        match std::fs::canonicalize(at) {
            Ok(real) => return !real.starts_with(&real_root),
            // a link that leads nowhere may lead outside once somebody makes its target
            Err(_) if at.symlink_metadata().is_ok_and(|found| found.is_symlink()) => return true,
            Err(_) => {}
        }
        match at.parent() {
            Some(parent) if parent.starts_with(root) => at = parent,
            _ => return false,
        }
    }
}

fn leaves(named: &str, root: &Path) -> ActionError {
    let shown = named.escape_debug();
    let folder = root.file_name().map_or_else(|| "/".into(), |name| name.to_string_lossy());
    ActionError::new(format!("`{shown}` leads outside of `{folder}`"))
        .hint("a template may only name paths inside its own folder and its workspace")
}

/// Says what went wrong with a file in words.
pub fn trouble(what: &str, path: &Path, error: &io::Error) -> ActionError {
    let shown = path.to_string_lossy();
    let shown = shown.escape_debug();
    let (cause, hint) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ("there is no space left".to_owned(), "make room on the disk, then run it again")
        }
        io::ErrorKind::PermissionDenied => {
            ("permission denied".to_owned(), "check who may write there, or choose another folder")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            ("the file system is read-only".to_owned(), "choose another folder")
        }
        io::ErrorKind::NotFound => ("it does not exist".to_owned(), ""),
        io::ErrorKind::InvalidFilename => (
            "the file system does not take such a name".to_owned(),
            "shorten the name or take out unusual characters",
        ),
        io::ErrorKind::NotADirectory => ("a part of the path is a file, not a folder".to_owned(), ""),
        io::ErrorKind::IsADirectory => ("it is a folder".to_owned(), ""),
        _ => (error.to_string(), ""),
    };
    ActionError::new(format!("could not {what} `{shown}`: {cause}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (named, expected) in [("a/b", "a/b"), ("./a/../b", "b"), (".", ""), ("", ""), ("a//b/", "a/b")] {
            assert_eq!(inside(root, named).unwrap(), root.join(expected), "{named}");
        }
        let absolute = root.join("x").display().to_string();
        assert_eq!(inside(root, &absolute).unwrap(), root.join("x"));
        for bad in ["..", "../x", "a/../../x", "/etc/passwd", "a\0b"] {
            assert!(inside(root, bad).is_err(), "{bad}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_outside_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("in");
        std::fs::create_dir_all(root.join("real")).unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.join(name)).unwrap();
        link("real", "good");
        link("..", "up");
        link("/etc", "etc");
        link("../not-there", "later");
        assert!(inside(&root, "good/x").is_ok());
        for bad in ["up", "up/x", "etc/passwd", "later", "later/x"] {
            assert!(inside(&root, bad).is_err(), "{bad}");
        }
    }
}
