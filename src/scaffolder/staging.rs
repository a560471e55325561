//! From a finished workspace to the folder where it belongs: in one step, or not at all.
//!
//! Start at [`place`]. A folder that is not there yet appears by one rename. Into a folder that is there,
//! file by file is moved; each that would change needs a decision before anything is touched, what was
//! replaced is kept until the end, and a failure puts everything back.

use super::action::ActionError;
use super::actions::paths::{leads_outside, trouble};
use super::run::{Decision, Decisions};
use super::tree::{self, Entry, Kind};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Conflicts that are named in a message.
const NAMED: usize = 20;

/// A folder that goes with its owner; files are made in it before they are moved to their place.
#[derive(Debug)]
pub struct Staging {
    /// What is removed at the end.
    outer: TempDir,
    folder: PathBuf,
}

impl Staging {
    /// Makes one among the temporary files of the system.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn temporary() -> Result<Self, ActionError> {
        Self::within(&std::env::temp_dir(), "devportal-")
    }

    /// Makes one beside a folder that is to be made, so that it can be moved there in one step.
    ///
    /// # Errors
    /// When nothing can be written there.
    pub fn beside(target: &Path) -> Result<Self, ActionError> {
        Self::within(existing_parent(target), ".devportal-")
    }

    fn within(parent: &Path, prefix: &str) -> Result<Self, ActionError> {
        let failed = |error: io::Error| trouble("write into the folder", parent, &error);
        let outer = tempfile::Builder::new().prefix(prefix).tempdir_in(parent).map_err(failed)?;
        // the outer folder is the user's alone; what is moved away has the usual permissions
        let folder = outer.path().join("workspace");
        std::fs::create_dir(&folder).map_err(failed)?;
        let folder = std::fs::canonicalize(&folder).unwrap_or(folder);
        Ok(Self { outer, folder })
    }

    /// Returns the folder to work in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Returns the deepest folder above a path that exists.
fn existing_parent(target: &Path) -> &Path {
    let mut at = target.parent();
    while let Some(parent) = at {
        if parent.as_os_str().is_empty() {
            return Path::new(".");
        }
        if parent.is_dir() {
            return parent;
        }
        at = parent.parent();
    }
    Path::new(".")
}

/// What became of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// Files that are new, replaced or the same as before.
    pub written: usize,
    /// Files whose old content stayed.
    pub kept: Vec<String>,
    /// Files that were put beside an old one, by their new names.
    pub beside: Vec<String>,
}

/// Returns the files of a workspace that would change one that is there and for which nothing is decided.
///
/// # Errors
/// When either folder cannot be read.
pub fn undecided(from: &Path, target: &Path, decisions: &Decisions) -> Result<Vec<String>, ActionError> {
    if !target.exists() {
        return Ok(Vec::new());
    }
    let listed = tree::list(from)?;
    let clashes = |entry: &&Entry| decisions.of(&entry.path).is_none() && changes(from, target, entry);
    Ok(listed.iter().filter(clashes).map(|entry| entry.path.clone()).collect())
}

/// Returns whether something else is where an entry goes.
fn changes(from: &Path, target: &Path, entry: &Entry) -> bool {
    let (new, old) = (from.join(&entry.path), target.join(&entry.path));
    let Ok(there) = old.symlink_metadata() else { return false };
    match entry.kind {
        Kind::Folder => !old.is_dir(),
        Kind::Link => std::fs::read_link(&new).ok() != std::fs::read_link(&old).ok(),
        Kind::File if !there.is_file() => true,
        Kind::File => !is_same_file(&new, &old, entry.size, there.len()),
    }
}

fn is_same_file(new: &Path, old: &Path, new_size: u64, old_size: u64) -> bool {
    new_size == old_size
        && matches!((std::fs::read(new), std::fs::read(old)), (Ok(new), Ok(old)) if new == old)
}

/// Moves what is in a staging folder to its place.
///
/// # Errors
/// When a file is there for which nothing is decided (nothing is touched then), or the system refuses
/// (everything is put back; the message says so where that failed).
pub fn place(
    staging: &Staging,
    from: &Path,
    target: &Path,
    decisions: &Decisions,
) -> Result<Placed, ActionError> {
    let shown = target.display().to_string();
    if target.symlink_metadata().is_ok() && !target.is_dir() {
        return Err(ActionError::new(format!("`{}` is there and is no folder", shown.escape_debug()))
            .hint("choose another folder"));
    }
    let undecided = undecided(from, target, decisions)?;
    if !undecided.is_empty() {
        return Err(clash(&shown, &undecided));
    }
    let written = tree::list(from)?.iter().filter(|entry| entry.kind != Kind::Folder).count();
    if is_free(target) {
        move_whole(from, target)?;
        return Ok(Placed { written, ..Placed::default() });
    }
    let mut journal = Journal { backup: staging.outer.path().join("before"), ..Journal::default() };
    match merge(from, target, decisions, &mut journal) {
        Ok(placed) => Ok(placed),
        Err(mut error) => {
            match journal.undo() {
                Ok(()) => error.hint = join(&error.hint, "nothing was changed there"),
                Err(left) => {
                    let kept = keep(&journal.backup);
                    error.hint =
                        join(&error.hint, &format!("not everything could be put back ({left}); {kept}"));
                }
            }
            Err(error)
        }
    }
}

fn join(first: &str, second: &str) -> String {
    if first.is_empty() { second.to_owned() } else { format!("{first}; {second}") }
}

/// Saves what was replaced from going with the staging folder.
fn keep(backup: &Path) -> String {
    let mut aside = std::env::temp_dir().join(format!("devportal-before-{}", std::process::id()));
    if std::fs::rename(backup, &aside).is_err() {
        aside = backup.to_owned();
    }
    format!("what was there before is in `{}`", aside.display())
}

fn clash(shown: &str, undecided: &[String]) -> ActionError {
    let named: Vec<_> =
        undecided.iter().take(NAMED).map(|path| format!("`{}`", path.escape_debug())).collect();
    let more = undecided.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (shown, named) = (shown.escape_debug(), named.join(", "));
    let verb = if undecided.len() == 1 { "is" } else { "are" };
    ActionError::new(format!("`{shown}` exists, and {named}{more} {verb} there with another content"))
        .hint("decide for each file: keep the old one, replace it, or put both side by side")
}

/// Whether a target is not there, or empty.
fn is_free(target: &Path) -> bool {
    match std::fs::read_dir(target) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn move_whole(from: &Path, target: &Path) -> Result<(), ActionError> {
    let mut made = Vec::new();
    if let Some(parent) = target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folders(parent, &mut made)?;
    }
    // an empty folder may be in the way on some systems
    let was_there = target.is_dir() && std::fs::remove_dir(target).is_ok();
    std::fs::rename(from, target).map_err(|error| {
        if was_there {
            let _ = std::fs::create_dir(target);
        }
        made.iter().rev().for_each(|folder| drop(std::fs::remove_dir(folder)));
        trouble("move the files to", target, &error)
    })
}

fn make_folders(folder: &Path, made: &mut Vec<PathBuf>) -> Result<(), ActionError> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        make_folders(parent, made)?;
    }
    std::fs::create_dir(folder).map_err(|error| trouble("create the folder", folder, &error))?;
    made.push(folder.to_owned());
    Ok(())
}

/// What was done so far, to take it back.
#[derive(Debug, Default)]
struct Journal {
    /// Where replaced files are kept.
    backup: PathBuf,
    /// Kept files and where they were.
    replaced: Vec<(PathBuf, PathBuf)>,
    /// Files that were put where nothing was.
    made: Vec<PathBuf>,
    /// Folders that were made.
    folders: Vec<PathBuf>,
}

impl Journal {
    fn undo(&self) -> Result<(), String> {
        let mut left = Vec::new();
        for path in self.made.iter().rev() {
            if std::fs::remove_file(path).is_err() {
                left.push(path.display().to_string());
            }
        }
        for (kept, path) in self.replaced.iter().rev() {
            if std::fs::rename(kept, path).is_err() {
                left.push(path.display().to_string());
            }
        }
        for folder in self.folders.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
        if left.is_empty() { Ok(()) } else { Err(left.join(", ")) }
    }

    fn put(&mut self, new: &Path, at: &Path) -> Result<(), ActionError> {
        let failed = |error: io::Error| trouble("write", at, &error);
        if at.symlink_metadata().is_ok() {
            std::fs::create_dir_all(&self.backup).map_err(failed)?;
            let kept = self.backup.join(self.replaced.len().to_string());
            std::fs::rename(at, &kept).map_err(failed)?;
            self.replaced.push((kept, at.to_owned()));
        } else {
            self.made.push(at.to_owned());
        }
        std::fs::rename(new, at).map_err(|error| {
            if self.made.last().is_some_and(|last| last == at) {
                self.made.pop();
            }
            failed(error)
        })
    }
}

fn merge(
    from: &Path,
    target: &Path,
    decisions: &Decisions,
    journal: &mut Journal,
) -> Result<Placed, ActionError> {
    let mut placed = Placed::default();
    for entry in tree::list(from)? {
        let (new, at) = (from.join(&entry.path), target.join(&entry.path));
        if leads_outside(target, at.parent().unwrap_or(target)) {
            let shown = entry.path.escape_debug();
            return Err(ActionError::new(format!(
                "`{shown}` would be written through a link that leads outside"
            )));
        }
        if entry.kind == Kind::Folder {
            if !at.is_dir() {
                make_folders(&at, &mut journal.folders)?;
            }
            continue;
        }
        if !changes(from, target, &entry) {
            if at.symlink_metadata().is_err() {
                journal.put(&new, &at)?;
            }
            placed.written += 1;
            continue;
        }
        match decisions.of(&entry.path) {
            Some(Decision::Replace) => {
                journal.put(&new, &at)?;
                placed.written += 1;
            }
            Some(Decision::Both) => {
                let name = free_name(target, &entry.path);
                journal.put(&new, &target.join(&name))?;
                placed.beside.push(name);
            }
            Some(Decision::Keep) => placed.kept.push(entry.path),
            None => return Err(clash(&target.display().to_string(), &[entry.path])),
        }
    }
    Ok(placed)
}

/// Returns `PATH.new`, or the next name that is free.
fn free_name(target: &Path, path: &str) -> String {
    let mut name = format!("{path}.new");
    let mut number = 2;
    while target.join(&name).symlink_metadata().is_ok() {
        name = format!("{path}.new{number}");
        number += 1;
    }
    name
}

/// Copies a folder with everything in it, links as links.
///
/// # Errors
/// When something cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<(), ActionError> {
    std::fs::create_dir_all(to).map_err(|error| trouble("create the folder", to, &error))?;
    for entry in tree::list(from)? {
        copy_entry(&from.join(&entry.path), &to.join(&entry.path), entry.kind)?;
    }
    Ok(())
}

/// Copies one file, link, or folder without what is in it.
///
/// # Errors
/// When it cannot be read or written.
pub fn copy_entry(from: &Path, to: &Path, kind: Kind) -> Result<(), ActionError> {
    let failed = |error: io::Error| trouble("write", to, &error);
    match kind {
        Kind::Folder => std::fs::create_dir_all(to).map_err(failed),
        Kind::File => std::fs::copy(from, to).map(drop).map_err(failed),
        Kind::Link => {
            let target = std::fs::read_link(from).map_err(failed)?;
            tree::link(&target.to_string_lossy(), to).map_err(failed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged(files: &[(&str, &str)], beside: &Path) -> Staging {
        let staging = Staging::beside(beside).unwrap();
        for (path, text) in files {
            let at = staging.folder().join(path);
            std::fs::create_dir_all(at.parent().unwrap()).unwrap();
            std::fs::write(at, text).unwrap();
        }
        staging
    }

    fn names(folder: &Path) -> Vec<String> {
        tree::list(folder).unwrap().into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn a_new_folder_appears_whole_and_nothing_is_left_beside_it() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("deep/new");
        let staging = staged(&[("a/b", "x"), ("c", "y")], &target);
        assert_eq!(place(&staging, staging.folder(), &target, &Decisions::default()).unwrap().written, 2);
        drop(staging);
        assert_eq!(names(home.path()), ["deep", "deep/new", "deep/new/a", "deep/new/a/b", "deep/new/c"]);
    }

    #[test]
    fn a_file_that_is_there_needs_a_decision() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("t");
        std::fs::create_dir(&target).unwrap();
        for name in ["same", "keep", "replace", "both", "mine"] {
            std::fs::write(target.join(name), "old").unwrap();
        }
        let files = [("same", "old"), ("keep", "n"), ("replace", "n"), ("both", "n"), ("new/x", "n")];
        let mut decisions = Decisions::default();
        let staging = staged(&files, &target);
        let error = place(&staging, staging.folder(), &target, &decisions).unwrap_err();
        assert!(error.message.contains("`both`, `keep`, `replace` are there"), "{error}");
        assert_eq!(names(&target), ["both", "keep", "mine", "replace", "same"]);
        decisions.all = Some(Decision::Replace);
        decisions.files.insert("keep".into(), Decision::Keep);
        decisions.files.insert("both".into(), Decision::Both);
        let placed = place(&staging, staging.folder(), &target, &decisions).unwrap();
        assert_eq!((placed.kept, placed.beside), (vec!["keep".to_owned()], vec!["both.new".to_owned()]));
        let read = |name: &str| std::fs::read_to_string(target.join(name)).unwrap();
        assert_eq!(
            [read("both"), read("both.new"), read("keep"), read("replace"), read("new/x"), read("mine")],
            ["old", "n", "old", "n", "n", "old"]
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_in_the_middle_puts_everything_back() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("t");
        std::fs::create_dir_all(target.join("d")).unwrap();
        std::fs::write(target.join("a"), "old").unwrap();
        std::os::unix::fs::symlink("/tmp", target.join("z")).unwrap();
        let staging = staged(&[("a", "new"), ("b", "new"), ("e/f", "new"), ("z/evil", "x")], &target);
        let decisions = Decisions { all: Some(Decision::Replace), ..Decisions::default() };
        let error = place(&staging, staging.folder(), &target, &decisions).unwrap_err();
        assert!(error.hint.contains("nothing was changed there"), "{error:?}");
        assert_eq!(names(&target), ["a", "d", "z"]);
        assert_eq!(std::fs::read_to_string(target.join("a")).unwrap(), "old");
    }
}
