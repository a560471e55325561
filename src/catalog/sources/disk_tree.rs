//! A folder of this machine as a tree that cannot be left through links.

use crate::catalog::tree::{MAX_FILES, SourceTree, Stamp, TreeError};
use rustc_hash::FxHashSet;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

/// A folder with everything below it.
#[derive(Debug)]
pub(super) struct DiskTree {
    /// As given, for paths that are shown.
    typed: PathBuf,
    /// Path of `typed` below the root, without a slash at the end; empty when it is the root.
    start: String,
    /// Without links.
    root: PathBuf,
    /// Folders that are known to be no links, relative to the root.
    real: RwLock<FxHashSet<String>>,
    /// How long after a change a file has no stamp.
    settling: Duration,
}

impl DiskTree {
    /// Opens the folder that is shown as `typed`.
    ///
    /// The root is the git work tree that the folder lies in, since descriptors refer to files of their
    /// repository; without one, or when that would be the home folder, the folder itself.
    pub(super) fn open(typed: &Path, settling: Duration) -> Result<Self, TreeError> {
        let folder = std::fs::canonicalize(typed).map_err(|error| TreeError::from_io(&error))?;
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let root = folder
            .ancestors()
            .find(|ancestor| ancestor.join(".git").exists())
            .filter(|root| home.as_deref() != Some(*root))
            .unwrap_or(&folder)
            .to_path_buf();
        let start = folder.strip_prefix(&root).ok().and_then(to_text).unwrap_or_default();
        Ok(Self { typed: typed.to_path_buf(), start, root, real: RwLock::default(), settling })
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of the opened folder below the root.
    pub(super) fn start(&self) -> &str {
        &self.start
    }

    /// Returns a path of this machine as one of the tree; `None` when it lies elsewhere.
    pub(super) fn below(&self, path: &Path) -> Option<String> {
        if let Ok(below) = path.strip_prefix(&self.root) {
            return to_plain_text(below);
        }
        // the thing itself may be gone, or be a link
        let folder = std::fs::canonicalize(path.parent()?).ok()?;
        to_plain_text(folder.join(path.file_name()?).strip_prefix(&self.root).ok()?)
    }

    fn full(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Reads a file that the walk has found: neither it nor a folder above it is a link.
    fn read_plain(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<Metadata, TreeError> {
        read_file(&self.full(path), limit, buffer)
    }

    /// Looks at a regular file; `None` when it, or a folder above it, is a link.
    fn plain(&self, path: &str) -> Result<Option<Metadata>, TreeError> {
        for (at, _) in path.match_indices('/') {
            let folder = path.get(..at).unwrap_or("");
            if self.real.read().unwrap_or_else(PoisonError::into_inner).contains(folder) {
                continue;
            }
            let metadata = self.lstat(folder)?;
            if metadata.is_symlink() {
                return Ok(None);
            }
            self.real.write().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
        }
        let metadata = self.lstat(path)?;
        if metadata.is_symlink() {
            return Ok(None);
        }
        is_file(&metadata)?;
        Ok(Some(metadata))
    }

    pub(super) fn lstat(&self, path: &str) -> Result<Metadata, TreeError> {
        std::fs::symlink_metadata(self.full(path)).map_err(|error| TreeError::from_io(&error))
    }

    /// Follows links and tells the path of what they lead to, inside the tree.
    pub(super) fn follow(&self, path: &str) -> Result<String, TreeError> {
        let target = std::fs::canonicalize(self.full(path)).map_err(|error| TreeError::from_io(&error))?;
        let inside = target.strip_prefix(&self.root).map_err(|_| TreeError::Outside)?;
        to_text(inside).ok_or(TreeError::NotFound)
    }
}

fn to_plain_text(path: &Path) -> Option<String> {
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| to_text(path)).flatten()
}

fn to_text(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

/// Tells what a thing is that is no regular file.
pub(super) fn is_file(metadata: &Metadata) -> Result<(), TreeError> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    Err(TreeError::NotAFile(describe(kind)))
}

/// Names what is no regular file.
pub(super) fn describe(kind: std::fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() {
        "a folder"
    } else if kind.is_symlink() {
        "a link"
    } else {
        "something unusual"
    }
}

/// Reads a file of known kind. The size is asked first, and the reading itself is bounded too, since a
/// file may grow meanwhile.
fn read_file(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> Result<Metadata, TreeError> {
    buffer.clear();
    let io = |error: std::io::Error| TreeError::from_io(&error);
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    is_file(&metadata)?;
    let size = metadata.len();
    if size > limit {
        return Err(TreeError::TooLarge { size, limit });
    }
    buffer.reserve(size as usize + 1);
    file.take(limit + 1).read_to_end(buffer).map_err(io)?;
    if buffer.len() as u64 > limit {
        return Err(TreeError::TooLarge { size: buffer.len() as u64, limit });
    }
    Ok(metadata)
}

/// Makes the stamp of a file as it is now; `None` when it changed so lately, or by its times in the
/// future, that another change would not show.
fn stamp_of(metadata: &Metadata, settling: Duration) -> Option<Stamp> {
    let nanos = |time: Duration| time.as_secs().wrapping_mul(1_000_000_000) + u64::from(time.subsec_nanos());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let modified = metadata.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    #[cfg(unix)]
    let (changed, number) = {
        use std::os::unix::fs::MetadataExt as _;
        let seconds = u64::try_from(metadata.ctime()).unwrap_or(0);
        let rest = u32::try_from(metadata.ctime_nsec()).unwrap_or(0);
        (Duration::new(seconds, rest), metadata.ino())
    };
    #[cfg(not(unix))]
    let (changed, number) = (modified, 0);
    let settled = changed + settling <= now;
    settled.then(|| Stamp([metadata.len(), nanos(modified), nanos(changed), number]))
}

impl SourceTree for DiskTree {
    fn read(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<(), TreeError> {
        if self.plain(path)?.is_some() {
            return self.read_plain(path, limit, buffer).map(drop);
        }
        let target = self.follow(path)?;
        is_file(&self.lstat(&target)?)?;
        self.read_plain(&target, limit, buffer).map(drop)
    }

    fn read_found(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<Option<Stamp>, TreeError> {
        self.read_plain(path, limit, buffer).map(|metadata| stamp_of(&metadata, self.settling))
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        stamp_of(&self.plain(path).ok()??, self.settling)
    }

    fn stamp_found(&self, path: &str) -> Option<Stamp> {
        let metadata = self.lstat(path).ok()?;
        metadata.is_file().then(|| stamp_of(&metadata, self.settling)).flatten()
    }

    fn beginning(&self, path: &str) -> Vec<u8> {
        let mut out = Vec::new();
        if let Ok(Some(_)) = self.plain(path)
            && let Ok(file) = File::open(self.full(path))
        {
            // what came before an error is still a beginning
            let _ = file.take(64 * 1024).read_to_end(&mut out);
        }
        out
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, TreeError> {
        let mut out = Vec::new();
        let mut open = vec![folder.to_owned()];
        // a folder that is reached through a link may lie outside
        if !folder.is_empty() {
            let real = self.follow(folder)?;
            if real != folder {
                open = vec![real];
            }
        }
        while let Some(folder) = open.pop() {
            let Ok(entries) = std::fs::read_dir(self.full(&folder)) else { continue };
            for entry in entries.flatten() {
                let (Ok(kind), name) = (entry.file_type(), entry.file_name()) else { continue };
                let Some(name) = name.to_str().filter(|name| *name != ".git") else { continue };
                let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                if kind.is_dir() {
                    open.push(path);
                } else if kind.is_file() || kind.is_symlink() {
                    out.push(path);
                }
                if out.len() + open.len() > MAX_FILES {
                    return Err(TreeError::Io(format!("there are more than {MAX_FILES} files")));
                }
            }
        }
        out.sort_unstable();
        Ok(out)
    }

    fn shown(&self, path: &str) -> Arc<str> {
        let below = match self.start.as_str() {
            "" => Some(path),
            start => path.strip_prefix(start).and_then(|rest| rest.strip_prefix('/')),
        };
        let shown = match below {
            Some(below) if self.typed == Path::new(".") || self.typed.as_os_str().is_empty() => {
                PathBuf::from(below)
            }
            Some(below) => self.typed.join(below),
            None => self.full(path),
        };
        shown.to_string_lossy().into()
    }

    fn location_ref(&self, path: &str) -> Arc<str> {
        format!("file:{}", self.full(path).display()).into()
    }

    fn inside(&self, absolute: &str) -> Option<String> {
        let below = Path::new(absolute).strip_prefix(&self.root).ok().and_then(to_text)?;
        crate::catalog::tree::resolve("", &below)
    }
}
