//! Folders on this machine as lists of what is in them, in a fixed order, bounded, links not followed.
//!
//! Start at [`list`]. Used for workspaces and for skeletons that lie on the disk.

use super::action::ActionError;
use super::actions::paths::trouble;
use std::path::Path;

/// Most entries of one folder with all below it.
pub const MAX_ENTRIES: usize = 100_000;
/// Most bytes of a workspace.
pub const MAX_BYTES: u64 = 1024 * 1024 * 1024;
/// Deepest folder.
const MAX_DEPTH: usize = 200;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link, to whatever.
    Link,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path below the folder, with `/`.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Bytes of a file.
    pub size: u64,
    /// Permission bits; 0o644 and 0o755 where the system has none.
    pub mode: u32,
}

/// Lists everything below a folder, by path; a folder comes before what is in it.
///
/// # Errors
/// When a folder cannot be read, a name is not UTF-8, or there is too much of it.
pub fn list(root: &Path) -> Result<Vec<Entry>, ActionError> {
    let mut found = Vec::new();
    walk(root, "", 0, &mut found)?;
    Ok(found)
}

fn walk(root: &Path, below: &str, depth: usize, found: &mut Vec<Entry>) -> Result<(), ActionError> {
    if depth > MAX_DEPTH {
        return Err(ActionError::new(format!("`{below}` is more than {MAX_DEPTH} folders deep")));
    }
    let folder = root.join(below);
    let failed = |error: std::io::Error| trouble("read the folder", &folder, &error);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().into_string().map_err(|name| {
            let shown = name.to_string_lossy();
            ActionError::new(format!("the name of `{}` is not UTF-8", shown.escape_debug()))
                .hint("give the file another name")
        })?;
        names.push((name, entry));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, entry) in names {
        if found.len() >= MAX_ENTRIES {
            return Err(too_many(root));
        }
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let metadata = entry.metadata().map_err(|error| trouble("read", &entry.path(), &error))?;
        let kind = if metadata.is_symlink() {
            Kind::Link
        } else if metadata.is_dir() {
            Kind::Folder
        } else if metadata.is_file() {
            Kind::File
        } else {
            let shown = path.escape_debug();
            return Err(ActionError::new(format!("`{shown}` is neither a file nor a folder nor a link"))
                .hint("take pipes, sockets and devices out of the folder"));
        };
        found.push(Entry { path: path.clone(), kind, size: metadata.len(), mode: mode(&metadata) });
        if kind == Kind::Folder {
            walk(root, &path, depth + 1, found)?;
        }
    }
    Ok(())
}

fn too_many(root: &Path) -> ActionError {
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    ActionError::new(format!("`{}` holds more than {MAX_ENTRIES} files and folders", name.escape_debug()))
        .hint("point the template at a smaller folder")
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777
}

#[cfg(not(unix))]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    if metadata.is_dir() { 0o755 } else { 0o644 }
}

/// Gives a file or folder its permission bits.
///
/// # Errors
/// When the system refuses.
#[cfg(unix)]
pub fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode & 0o777))
}

/// Gives a file its permission bits; does nothing where there are none.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn set_mode(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

/// Makes a symbolic link.
///
/// # Errors
/// When the system refuses, or has none.
#[cfg(unix)]
pub fn link(target: &str, at: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, at)
}

/// Makes a symbolic link.
///
/// # Errors
/// Always here.
#[cfg(not(unix))]
pub fn link(_: &str, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::other("links are not made on this system"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_listed_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/empty")).unwrap();
        std::fs::write(root.join("b/.hidden"), "x").unwrap();
        std::fs::write(root.join("a"), "yy").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("..", root.join("c")).unwrap();
        let found = list(root).unwrap();
        let shown: Vec<_> = found.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect();
        let expected =
            [("a", Kind::File), ("b", Kind::Folder), ("b/.hidden", Kind::File), ("b/empty", Kind::Folder)];
        assert_eq!(shown[..4], expected);
        #[cfg(unix)]
        assert_eq!(shown[4], ("c", Kind::Link));
    }
}
