//! Tells which files of local sources changed, as the system reports it.
//!
//! Start at [`Watcher::follow`]. On Linux each folder is watched by itself, so that dependencies and
//! version control, which a source never enters, cost nothing; elsewhere the system watches whole trees
//! and what is not of interest is left out here. Folders that appear are followed, too.

use super::Folders;
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use rustc_hash::FxHashSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Told of paths that changed; an empty list means that some were missed and anything may have.
type Listener = dyn Fn(Vec<PathBuf>) + Send + Sync;

/// What is watched.
#[derive(Default)]
struct Followed {
    folders: Folders,
    /// Those among them that could not be watched.
    failed: FxHashSet<PathBuf>,
}

/// Watches folders.
pub struct Watcher {
    inner: Mutex<RecommendedWatcher>,
    followed: Mutex<Followed>,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watcher")
    }
}

/// Most folders that are watched; the system's own limit is usually lower.
const MAX_FOLDERS: usize = 500_000;

impl Watcher {
    /// Creates one that tells `listener`, from a thread of its own.
    ///
    /// # Errors
    /// What the system says, in its words.
    pub fn new(listener: impl Fn(Vec<PathBuf>) + Send + Sync + 'static) -> Result<Self, String> {
        let listener: Box<Listener> = Box::new(listener);
        let handler = move |event: notify::Result<Event>| match event {
            Ok(event) if event.need_rescan() => listener(Vec::new()),
            Ok(event) if is_change(event.kind) => listener(event.paths),
            Ok(_) => {}
            Err(error) => listener(error.paths),
        };
        let inner = RecommendedWatcher::new(handler, Config::default().with_follow_symlinks(false))
            .map_err(|e| plain(&e))?;
        Ok(Self { inner: Mutex::new(inner), followed: Mutex::default() })
    }

    /// Watches these folders, and no longer those that are not among them.
    ///
    /// # Errors
    /// The first that could not be watched, in plain words; the others are.
    pub fn follow(&self, folders: &Folders) -> Result<(), String> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        for path in followed.folders.iter().filter(|path| !folders.contains(path)) {
            // a folder that is deleted is not watched any more
            let _ = inner.unwatch(path);
        }
        let mode =
            if cfg!(target_os = "linux") { RecursiveMode::NonRecursive } else { RecursiveMode::Recursive };
        let mut problem = Ok(());
        let mut failed = FxHashSet::default();
        let is_watched = |path: &Path| followed.folders.contains(path) && !followed.failed.contains(path);
        let mut is_full = false;
        for (at, path) in folders.iter().enumerate() {
            if is_watched(path) {
                continue;
            }
            if is_full || at >= MAX_FOLDERS {
                failed.insert(path.to_owned());
                continue;
            }
            if let Err(error) = inner.watch(path, mode) {
                failed.insert(path.to_owned());
                if !matches!(error.kind, notify::ErrorKind::PathNotFound) {
                    is_full = matches!(error.kind, notify::ErrorKind::MaxFilesWatch);
                    problem = problem.and(Err(plain(&error)));
                }
            }
        }
        *followed = Followed { folders: folders.clone(), failed };
        problem
    }
}

/// Whether content or existence of something may differ; reading a file tells, too.
fn is_change(kind: EventKind) -> bool {
    !matches!(kind, EventKind::Access(_) | EventKind::Other)
}

fn plain(error: &notify::Error) -> String {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "the system watches no more folders; raise fs.inotify.max_user_watches".to_owned()
        }
        notify::ErrorKind::Io(error) => error.to_string(),
        other => format!("{other:?}"),
    }
}
