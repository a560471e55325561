//! What every source gives: a tree of files that is read by relative path and cannot be left.
//!
//! Start at [`SourceTree`]. Following Locations and filling in placeholders is written once over it
//! ([`super::ingest`]), whether the files lie in a folder, a git revision or the program itself.
//! Paths are relative to the root of the tree, `/`-separated, without `.` and `..`; make them with
//! [`resolve`].

use std::sync::Arc;

/// Most files that one tree lists.
pub const MAX_FILES: usize = 1_000_000;

/// Tells without reading whether a file is the one that was read: its size, times and number on this
/// machine, its object in git. Means something only beside one of the same path and tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp(pub [u64; 4]);

/// A tree of files.
pub trait SourceTree: Send + Sync {
    /// Reads a whole file into `buffer`, replacing what is in it.
    ///
    /// # Errors
    /// [`TreeError`]: nothing there, no regular file, too large, out of the tree through a link, or
    /// what the system says.
    fn read(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<(), TreeError>;

    /// Reads a file that is known to be a regular one, not behind any link; tells its stamp, taken before.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_found(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<Option<Stamp>, TreeError> {
        let stamp = self.stamp(path);
        self.read(path, limit, buffer).map(|()| stamp)
    }

    /// Returns the stamp of a regular file that is not behind any link. `None` where there is no such
    /// thing, and while another change could leave the stamp as it is.
    fn stamp(&self, path: &str) -> Option<Stamp> {
        let _ = path;
        None
    }

    /// Returns the stamp of a file that is known to be a regular one, not behind any link.
    fn stamp_found(&self, path: &str) -> Option<Stamp> {
        self.stamp(path)
    }

    /// Returns the first part of a file, to judge one that is too large; empty when it cannot be read.
    fn beginning(&self, path: &str) -> Vec<u8> {
        let _ = path;
        Vec::new()
    }

    /// Lists all regular files below a folder, sorted; what `.gitignore` says does not matter here.
    ///
    /// # Errors
    /// [`TreeError`] when the folder cannot be read.
    fn list(&self, folder: &str) -> Result<Vec<String>, TreeError>;

    /// Returns a path as the user would type it.
    fn shown(&self, path: &str) -> Arc<str>;

    /// Returns the location ref of a file: `file:/srv/shop/catalog-info.yaml`.
    fn location_ref(&self, path: &str) -> Arc<str>;

    /// Turns an absolute path of this machine into one of the tree, if it lies inside.
    fn inside(&self, absolute: &str) -> Option<String> {
        let _ = absolute;
        None
    }
}

/// Why a file of a tree cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Nothing there.
    #[error("there is no such file")]
    NotFound,
    /// A folder, pipe, socket or device.
    #[error("it is {0}, not a file")]
    NotAFile(&'static str),
    /// Larger than is read.
    #[error("it has {size} bytes, at most {limit} are read")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A link leads out of the tree.
    #[error("it is a link that leads out of the source")]
    Outside,
    /// A link that leads to itself.
    #[error("it is a link that leads in a circle")]
    Loop,
    /// Only a pointer is here.
    #[error("it is a pointer of Git LFS; its content is not in git")]
    Elsewhere,
    /// No permission.
    #[error("permission is missing")]
    Denied,
    /// Anything else the system says.
    #[error("{0}")]
    Io(String),
}

impl TreeError {
    /// Returns the stable name of the cause for diagnostics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "catalog::target-not-found",
            Self::NotAFile(_) => "catalog::not-a-file",
            Self::TooLarge { .. } => "catalog::file-too-large",
            Self::Outside => "catalog::outside-root",
            Self::Loop => "catalog::link-loop",
            Self::Elsewhere | Self::Denied | Self::Io(_) => "catalog::unreadable-file",
        }
    }

    /// Returns what to do about it, if something can be said.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::TooLarge { .. } => {
                Some("raise `max_file_bytes` of the source, or leave the file out with `exclude`")
            }
            Self::Outside => {
                Some("put the file into the repository, or add its folder as a source of its own")
            }
            Self::Denied => Some("check who may read the file"),
            _ => None,
        }
    }

    /// Sorts out what the system said.
    pub fn from_io(error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::NotFound,
            ErrorKind::PermissionDenied => Self::Denied,
            ErrorKind::IsADirectory => Self::NotAFile("a folder"),
            // "too many levels of symbolic links" has no kind of its own on stable
            _ if error.raw_os_error() == Some(LINK_LOOP) => Self::Loop,
            _ => Self::Io(error.to_string()),
        }
    }
}

#[cfg(target_os = "linux")]
const LINK_LOOP: i32 = 40;
#[cfg(not(target_os = "linux"))]
const LINK_LOOP: i32 = 62;

/// Joins a relative path to a folder of the tree; `None` when it leaves the tree.
pub fn resolve(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Returns the folder of a path; empty for the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A tree without files, for sources whose files are all addresses.
#[derive(Debug, Default)]
pub struct EmptyTree;

impl SourceTree for EmptyTree {
    fn read(&self, _: &str, _: u64, _: &mut Vec<u8>) -> Result<(), TreeError> {
        Err(TreeError::NotFound)
    }

    fn list(&self, _: &str) -> Result<Vec<String>, TreeError> {
        Ok(Vec::new())
    }

    fn shown(&self, path: &str) -> Arc<str> {
        path.into()
    }

    fn location_ref(&self, path: &str) -> Arc<str> {
        format!("file:{path}").into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let cases = [
            ("a/b", "./c.yaml", Some("a/b/c.yaml")),
            ("a/b", "../c.yaml", Some("a/c.yaml")),
            ("a/b", "../../c", Some("c")),
            ("a/b", "../../../etc/passwd", None),
            ("", "..", None),
            ("", "a//./b", Some("a/b")),
        ];
        for (folder, relative, expected) in cases {
            assert_eq!(resolve(folder, relative).as_deref(), expected, "{folder} {relative}");
        }
    }
}
