//! The folder of cache files: replacing one in a single step, putting one aside, keeping it small.

use crate::store::{self, StoreError};
use std::ffi::OsString;
use std::fs::{File, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Most files that are kept, and their size in all.
const MAX_FILES: usize = 10;
const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Ending of what is being written.
const UNFINISHED: &str = "tmp";

/// Age from which an unfinished file is nobody's, where there are no locks.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// Returns whether an error says that there is no such file.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Notes that a file is used now; what is used least goes first when there are too many.
pub fn mark_as_used(file: &File) {
    let _ = file.set_times(FileTimes::new().set_modified(SystemTime::now()));
}

/// Renames a file that cannot be used to `NAME.bad`, in place of an earlier one.
pub fn put_aside(path: &Path) -> Option<PathBuf> {
    let bad = with_ending(path, ".bad");
    std::fs::rename(path, &bad).ok().map(|()| bad)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Writes a file under another name, brings it to the disk and gives it its name. One instance at a time.
///
/// # Errors
/// When it could not be written; what was there before still is.
pub fn replace(path: &Path, write: impl FnOnce(&File) -> io::Result<()>) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let _lock = store::lock(&folder.join("writing"))?;
    sweep(folder, path);
    let temporary = with_ending(path, &format!(".{}.{UNFINISHED}", std::process::id()));
    let written = write_and_rename(&temporary, path, write);
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.map_err(|source| StoreError::Io { path: path.to_owned(), source })
}

fn write_and_rename(
    temporary: &Path,
    path: &Path,
    write: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(true);
    // a catalog may hold what only this user may see
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(temporary)?;
    write(&file)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(temporary, path)?;
    // the name itself; some systems cannot do that, and lose no more than this one writing
    if let Some(folder) = path.parent() {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Removes what dead instances left, and of too many files those that were not used for longest.
fn sweep(folder: &Path, keep: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let now = SystemTime::now();
    let mut files: Vec<(Duration, u64, PathBuf)> = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(metadata) = entry.metadata() else { continue };
        let age = metadata.modified().ok().and_then(|at| now.duration_since(at).ok()).unwrap_or_default();
        match path.extension().and_then(|ending| ending.to_str()) {
            // who writes holds the lock, so that this one's writer is gone, unless there are no locks
            Some(UNFINISHED) if age > ABANDONED || !is_written_by_somebody(&path) => {
                let _ = std::fs::remove_file(path);
            }
            Some("ages") if !path.with_extension("catalog").exists() && path != keep => {
                let _ = std::fs::remove_file(path);
            }
            Some("catalog" | "bad") if path != keep => files.push((age, metadata.len(), path)),
            _ => {}
        }
    }
    files.sort();
    // the one that is about to be written counts, too
    let (mut count, mut bytes) = (1, 0);
    for (_, size, path) in files {
        count += 1;
        bytes += size;
        if count > MAX_FILES || bytes > MAX_BYTES {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether an unfinished file is of an instance that runs; told by the number of its process.
fn is_written_by_somebody(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
    let process = stem.rsplit('.').next().unwrap_or("");
    process.bytes().all(|b| b.is_ascii_digit()) && Path::new("/proc").join(process).exists()
}
