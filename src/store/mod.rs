//! What the program keeps on disk between runs: stars, visit history, saved views.
//!
//! Start at [`load`] and [`update`]. Each file is small JSON with a `version`; it is replaced in one step
//! (temporary file, then rename), so a crash leaves the old or the new content, never half. Changes are
//! small operations applied to what the file holds *now*, under a lock, so two running instances keep
//! each other's changes. A damaged file is put aside as `NAME.bad` and reported, never overwritten. All
//! functions block; call them from a task.

pub mod history;
pub mod kept;
pub mod reading;
pub mod stars;
pub mod views;

use crate::diagnostic::{Diagnostic, SourceLocation};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files of a newer program version are left alone.
const VERSION: u64 = 1;

/// Larger files cannot be ours.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// How long to wait for another instance that is writing the same file; it needs milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder could not be written or read.
    #[error("could not write `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another instance holds the file for longer than a write can take.
    #[error("could not write `{}`: another instance is writing it", .0.display())]
    Busy(PathBuf),
    /// The file was written by a newer version of this program.
    #[error("could not write `{}`: a newer version of devportal wrote it", .0.display())]
    Newer(PathBuf),
    /// There is no such file.
    #[error("could not read `{0}`: there is no such text file")]
    NotFound(String),
    /// The file has mistakes that changing it blindly would spoil further.
    #[error("could not change `{}`: it is not valid TOML", .0.display())]
    Broken(PathBuf),
}

/// A value from disk, and what was wrong with its file.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The value; the default when there was no usable file.
    pub value: T,
    /// What was wrong.
    pub diagnostic: Option<Diagnostic>,
}

#[derive(serde::Serialize)]
struct Envelope<'a, T> {
    version: u64,
    #[serde(flatten)]
    value: &'a T,
}

/// Reads a file. Never fails: a missing file is the default value, a damaged one is put aside and
/// reported.
pub fn load<T: DeserializeOwned + Default>(path: &Path) -> Loaded<T> {
    match read(path) {
        Ok(value) => Loaded { value, diagnostic: None },
        Err(Unusable::Missing) => Loaded { value: T::default(), diagnostic: None },
        Err(Unusable::Newer) => Loaded { value: T::default(), diagnostic: Some(newer(path)) },
        Err(Unusable::Unreadable(error)) => {
            Loaded { value: T::default(), diagnostic: Some(unreadable(path, &error)) }
        }
        Err(Unusable::Damaged(cause)) => {
            Loaded { value: T::default(), diagnostic: Some(put_aside(path, &cause)) }
        }
    }
}

/// Applies a change to what the file holds now and writes it; returns the new value.
///
/// # Errors
/// When the file cannot be locked or written, or was written by a newer version.
pub fn update<T, F>(path: &Path, change: F) -> Result<Loaded<T>, StoreError>
where
    T: Serialize + DeserializeOwned + Default,
    F: FnOnce(&mut T),
{
    let _lock = lock(path)?;
    let mut diagnostic = None;
    let mut value = match read(path) {
        Ok(value) => value,
        Err(Unusable::Missing) => T::default(),
        Err(Unusable::Newer) => return Err(StoreError::Newer(path.to_owned())),
        Err(Unusable::Unreadable(source)) => return Err(StoreError::Io { path: path.to_owned(), source }),
        Err(Unusable::Damaged(cause)) => {
            diagnostic = Some(put_aside(path, &cause));
            T::default()
        }
    };
    change(&mut value);
    let text = serde_json::to_string_pretty(&Envelope { version: VERSION, value: &value })
        .map_err(|error| StoreError::Io { path: path.to_owned(), source: error.into() })?;
    write_atomic(path, text.as_bytes())?;
    Ok(Loaded { value, diagnostic })
}

enum Unusable {
    Missing,
    Newer,
    Unreadable(io::Error),
    Damaged(String),
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Unusable> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unusable::Missing,
        _ => Unusable::Unreadable(error),
    })?;
    if !metadata.is_file() {
        return Err(Unusable::Unreadable(io::Error::other("it is not a regular file")));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(Unusable::Unreadable)?;
    let damaged = |error: serde_json::Error| Unusable::Damaged(error.to_string());
    let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    match json.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > VERSION => Err(Unusable::Newer),
        Some(_) => serde_json::from_value(json).map_err(damaged),
        None => Err(Unusable::Damaged("it has no `version`".to_owned())),
    }
}

fn newer(path: &Path) -> Diagnostic {
    let shown = path.display();
    Diagnostic::warning("store::newer", format!("`{shown}` was written by a newer version and is left alone"))
        .at(SourceLocation::file(shown.to_string()))
        .hint("update devportal to use it again")
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let shown = path.display();
    Diagnostic::warning("store::unreadable", format!("could not read `{shown}`: {error}"))
        .at(SourceLocation::file(shown.to_string()))
        .hint("check the permissions of the file and its folder")
}

fn put_aside(path: &Path, cause: &str) -> Diagnostic {
    let shown = path.display();
    let mut bad = path.as_os_str().to_owned();
    bad.push(".bad");
    let moved = std::fs::rename(path, &bad).is_ok();
    let hint = if moved {
        format!("it is kept as `{}`", Path::new(&bad).display())
    } else {
        format!("remove `{shown}`")
    };
    Diagnostic::warning("store::damaged", format!("`{shown}` is damaged and starts anew: {cause}"))
        .at(SourceLocation::file(shown.to_string()))
        .hint(hint)
}

/// Held while a file is being changed; the system releases it even when the program dies.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing the file releases the lock")] File);

/// Locks a file against other instances, creating its folder.
///
/// # Errors
/// [`StoreError::Busy`] when another instance does not let go within two seconds.
pub fn lock(path: &Path) -> Result<Lock, StoreError> {
    let failed = |source| StoreError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        create_folder(folder).map_err(failed)?;
    }
    // A file of its own: the locked file itself is replaced by each write
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(failed)?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(std::fs::TryLockError::WouldBlock) if start.elapsed() < LOCK_WAIT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(std::fs::TryLockError::WouldBlock) => return Err(StoreError::Busy(path.to_owned())),
            // Some network file systems know no locks; the rename still keeps the file whole
            Err(std::fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(Lock(file));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Creates a folder for the user alone.
fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Replaces a file in one step; a link is followed, so that settings kept elsewhere stay linked.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let failed = |source| StoreError::Io { path: path.to_owned(), source };
    let folder = target.parent().unwrap_or(Path::new("."));
    create_folder(folder).map_err(failed)?;
    let name = target.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let temporary = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = write_and_rename(&temporary, &target, bytes);
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.map_err(failed)
}

fn write_and_rename(temporary: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    if let Ok(metadata) = std::fs::metadata(target) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(temporary, target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Numbers {
        numbers: Vec<u32>,
    }

    fn push(path: &Path, number: u32) {
        update(path, |value: &mut Numbers| value.numbers.push(number)).unwrap();
    }

    #[test]
    fn changes_of_two_instances_add_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/numbers.json");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let path = &path;
                scope.spawn(move || (0..10).for_each(|i| push(path, thread * 10 + i)));
            }
        });
        let mut numbers = load::<Numbers>(&path).value.numbers;
        numbers.sort_unstable();
        assert_eq!(numbers, (0..40).collect::<Vec<_>>());
        let left: Vec<_> = std::fs::read_dir(path.parent().unwrap())
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.contains("tmp"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.json");
        for damage in ["", "{", "[1]", "{\"version\": 1, \"numbers\": \"x\"}", "{\"numbers\": []}"] {
            std::fs::write(&path, damage).unwrap();
            let loaded = load::<Numbers>(&path);
            assert_eq!(loaded.value, Numbers::default());
            assert_eq!(loaded.diagnostic.map(|d| d.code), Some("store::damaged"), "{damage}");
            assert_eq!(std::fs::read_to_string(folder.path().join("numbers.json.bad")).unwrap(), damage);
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("numbers.json");
        std::fs::write(&path, "{\"version\": 2, \"numbers\": {}}").unwrap();
        assert_eq!(load::<Numbers>(&path).diagnostic.map(|d| d.code), Some("store::newer"));
        assert!(matches!(update(&path, |_: &mut Numbers| ()), Err(StoreError::Newer(_))));
        assert!(path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn follows_a_link_and_keeps_permissions() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real.toml");
        let link = folder.path().join("link.toml");
        std::fs::write(&real, "old").unwrap();
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_atomic(&link, b"new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&real).unwrap(), "new");
        assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
