//! Reads a source again of which a few files differ, when nothing else depends on them: the rest is what the
//! last reading gave.
//!
//! Start at [`Ingest::again`]. It gives up, so that every file is gone through, as soon as a Location, a
//! placeholder or a skeleton could see the change.

use super::cache::{CacheKey, FileResult};
use super::{Delta, How, Ingest, Job, Outcome, Root};
use crate::catalog::snapshot::ParsedFile;
use crate::catalog::tree::folder_of;
use crate::diagnostic::Diagnostic;
use rustc_hash::{FxHashSet, FxHasher};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

/// Changed files from which on all are gone through.
const MAX_CHANGED: usize = 256;

/// What the last reading of a source to its end found.
#[derive(Debug, Default)]
pub(crate) struct Last {
    /// By path.
    files: Vec<Arc<ParsedFile>>,
    diagnostics: Vec<Diagnostic>,
    /// Paths that a Location leads to, whether something is there or not, and those that could not be read; as
    /// sums, since there may be very many. Two that are summed alike cost a look at all files.
    named: FxHashSet<u64>,
    /// The folders above them.
    above_named: FxHashSet<u64>,
    /// Files that others took in.
    taken_in: FxHashSet<String>,
    /// Folders that templates copy from.
    skeletons: FxHashSet<String>,
    /// Folders in which Locations name files by a pattern.
    pattern_folders: FxHashSet<String>,
    /// Whether something was not there that may come.
    is_lacking: bool,
}

fn sum(path: &str) -> u64 {
    let mut hasher = FxHasher::default();
    path.hash(&mut hasher);
    hasher.finish()
}

impl Last {
    /// Notes a file that was read.
    pub(super) fn note(&mut self, result: &FileResult) {
        self.taken_in.extend(result.taken_in.iter().map(|taken| taken.path.clone()));
        self.skeletons.extend(result.skeletons.iter().cloned());
        self.is_lacking |= result.lacking;
    }

    /// Notes that a path is of interest to somebody else, or could not be read.
    pub(super) fn note_path(&mut self, path: &str) {
        self.named.insert(sum(path));
        let mut folder = folder_of(path);
        while !folder.is_empty() && self.above_named.insert(sum(folder)) {
            folder = folder_of(folder);
        }
    }

    /// Notes folders in which files that come or go are of interest to a Location.
    pub(super) fn note_patterns(&mut self, folders: Vec<String>) {
        self.pattern_folders.extend(folders);
    }

    /// Whether a Location may lead to a path.
    fn is_awaited(&self, path: &str) -> bool {
        let sum = sum(path);
        self.named.contains(&sum)
            || self.above_named.contains(&sum)
            || self.pattern_folders.iter().any(|folder| {
                folder.is_empty() || is_below(path, folder) || path == folder || is_below(folder, path)
            })
    }

    /// Sets what came out.
    pub(super) fn finish(&mut self, delta: &Delta) {
        (self.files, self.diagnostics) = (delta.files.clone(), delta.diagnostics.clone());
    }

    /// Puts other files in the place of those that they are equal to.
    pub(super) fn exchange<'a>(&mut self, other: impl Fn(*const ParsedFile) -> Option<&'a Arc<ParsedFile>>) {
        for file in &mut self.files {
            if let Some(other) = other(Arc::as_ptr(file)) {
                *file = other.clone();
            }
        }
    }

    /// Whether a change of this path may show anywhere but in the file itself.
    fn is_of_interest(&self, path: &str) -> bool {
        self.taken_in.contains(path)
            || self.skeletons.iter().any(|folder| is_below(path, folder) || is_below(folder, path))
            || self.taken_in.iter().any(|taken| is_below(taken, path))
    }

    fn position(&self, file: &Arc<ParsedFile>) -> Result<usize, usize> {
        let path = file.path_text();
        let at = self.files.partition_point(|other| other.path_text() < path);
        let same = self.files.iter().skip(at).take_while(|other| other.path_text() == path);
        match same.zip(at..).find(|(other, _)| Arc::ptr_eq(other, file)) {
            Some((_, at)) => Ok(at),
            None => Err(at),
        }
    }

    /// Puts a file in the place of another one.
    fn put(&mut self, before: Option<&Arc<ParsedFile>>, now: &Arc<ParsedFile>) -> Option<()> {
        if let Some(before) = before {
            let at = self.position(before).ok()?;
            let slot = self.files.get_mut(at)?;
            if slot.path_text() != now.path_text() {
                return None;
            }
            *slot = now.clone();
        } else {
            let at = self.position(now).err()?;
            let is_taken = self.files.get(at).is_some_and(|other| other.path_text() == now.path_text());
            (!is_taken).then(|| self.files.insert(at, now.clone()))?;
        }
        Some(())
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn is_simple(result: &FileResult) -> bool {
    result.targets.is_empty() && result.skeletons.is_empty() && !result.lacking
}

impl Ingest<'_> {
    /// Reads the files that changed and no other; `None` when more may depend on them. `roots` are by path.
    pub(crate) fn again(&self, roots: &[Root]) -> Option<Delta> {
        let (changed, _) = self.changed.as_ref()?;
        if changed.there.len() + changed.gone.len() > MAX_CHANGED {
            return None;
        }
        let mut last = self.cx.cache.take_last(self.cx.index)?;
        if last.is_lacking {
            return None;
        }
        let paths = || changed.there.iter().chain(&changed.gone);
        if paths().any(|path| last.is_of_interest(path) || self.others.contains_key(path.as_str())) {
            return None;
        }
        for path in &changed.there {
            let found = roots.binary_search_by(|root| root.path().cmp(&Some(path)));
            match found.ok().and_then(|at| roots.get(at)) {
                Some(root) => self.read_again(&mut last, root)?,
                None if last.is_awaited(path) => return None,
                None => {}
            }
        }
        for path in &changed.gone {
            self.remove(&mut last, path)?;
        }
        if self.cx.progress.is_cancelled() {
            return None;
        }
        let delta =
            Delta { files: last.files.clone(), diagnostics: last.diagnostics.clone(), ..Delta::default() };
        self.cx.cache.set_last(self.cx.index, last, true);
        Some(delta)
    }

    fn read_again(&self, last: &mut Last, root: &Root) -> Option<()> {
        let job = Job::root(root.clone());
        let before = self.cx.cache.get(&self.cache_key(&job));
        let is_new = before.is_none();
        let is_awaited = root.path().is_none_or(|path| last.is_awaited(path));
        if is_new && is_awaited || !before.as_deref().is_none_or(is_simple) {
            return None;
        }
        let Outcome::File(result) = self.process(&job) else { return None };
        if !is_simple(&result) {
            return None;
        }
        last.note(&result);
        last.put(before.as_ref().map(|before| &before.parsed), &result.parsed)
    }

    fn remove(&self, last: &mut Last, path: &str) -> Option<()> {
        if last.is_awaited(path) {
            return None;
        }
        let known = |how| {
            let address = super::Address::path(path);
            self.cx.cache.get(&CacheKey { source: self.cx.index, address, how, origin: None })
        };
        let Some(before) = known(How::Named).or_else(|| known(How::Sniffed)) else {
            // it may have been a folder
            let below = format!("{}/", self.tree.location_ref(path));
            let was_folder = last.files.iter().any(|file| file.view().location_ref.starts_with(&below));
            return (!was_folder).then_some(());
        };
        if !is_simple(&before) {
            return None;
        }
        let at = last.position(&before.parsed).ok()?;
        last.files.remove(at);
        Some(())
    }
}
