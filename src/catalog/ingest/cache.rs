//! What earlier loads know of files: unchanged content is not parsed again, and what was good once
//! stays when it breaks.

use super::again::Last;
use super::record::{self, KeyRow};
use super::targets::Target;
use super::{Address, How, Root};
use crate::catalog::cache::column::Column;
use crate::catalog::snapshot::{FileContent, KeptFiles, ParsedDocument, ParsedFile};
use crate::catalog::stitch::canonical_ref;
use crate::catalog::tree::Stamp;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::value::ValueRef;
use crate::net::NetError;
use rustc_hash::{FxHashMap, FxHashSet, FxHasher};
use std::hash::Hasher as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Files by source and address; lives as long as the loader.
#[derive(Debug, Default)]
pub struct FileCache {
    files: RwLock<FxHashMap<CacheKey, Arc<FileResult>>>,
    /// What the cache file knows, for what is not in `files`.
    kept: RwLock<Option<KeptResults>>,
    /// Files of each source that are no descriptors by their content.
    others: RwLock<FxHashMap<u16, Arc<Others>>>,
    /// Location ref of the root of each source.
    places: RwLock<FxHashMap<u16, Arc<str>>>,
    /// Whether what was good once does not stay when it breaks.
    is_forgetful: bool,
    /// What could not be fetched for each source.
    failed: RwLock<FxHashMap<u16, Arc<Unfetched>>>,
    /// Where the files of each source were found; there while it has been read to the end.
    walks: Mutex<FxHashMap<u16, Walked>>,
    /// What the last reading of each source found, and whether it looked at a few files only.
    lasts: Mutex<FxHashMap<u16, (Last, bool)>>,
}

/// Why each address could not be fetched.
pub(super) type Unfetched = FxHashMap<Address, NetError>;

/// What a walk found.
#[derive(Debug, Default, Clone)]
pub(crate) struct Walked {
    /// The folder that was walked.
    pub place: PathBuf,
    /// By path.
    pub roots: Vec<Root>,
    pub diagnostics: Vec<Diagnostic>,
    /// Paths where something unusual was found, links above all: when they change, only a walk tells what
    /// there is now.
    pub odd: FxHashSet<String>,
    /// Whether there may be more of those than their paths tell.
    pub is_vague: bool,
}

/// Files that are no descriptors, by path.
pub(super) type Others = FxHashMap<Arc<str>, Stamp>;

/// Paths of a tree that changed.
#[derive(Debug, Default, Clone)]
pub(crate) struct Changed {
    /// What is there now.
    pub there: FxHashSet<String>,
    /// What is not any more; each may have been a folder.
    pub gone: Vec<String>,
}

impl Changed {
    pub(crate) fn insert(&mut self, path: String) {
        self.there.insert(path);
    }

    pub(crate) fn remove(&mut self, path: String) {
        self.gone.push(path);
    }

    /// Whether a file, or a folder above it, changed.
    pub(crate) fn contains(&self, path: &str) -> bool {
        self.there.contains(path) || self.is_gone(path)
    }

    /// Whether a file, or a folder above it, is not there any more.
    pub(crate) fn is_gone(&self, path: &str) -> bool {
        let below = |gone: &String| path.strip_prefix(gone.as_str());
        self.gone.iter().filter_map(below).any(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Results of an earlier run, where they lie in the cache file.
#[derive(Debug)]
pub(in crate::catalog) struct KeptResults {
    files: Arc<KeptFiles>,
    /// By hash.
    keys: Column<KeyRow>,
    parsed: Vec<Arc<ParsedFile>>,
    /// Whether a file still is what its source gave.
    is_alive: Vec<bool>,
}

impl KeptResults {
    /// Creates them from a checked cache file.
    pub(in crate::catalog) fn new(
        files: Arc<KeptFiles>,
        keys: Column<KeyRow>,
        parsed: Vec<Arc<ParsedFile>>,
    ) -> Self {
        Self { files, keys, is_alive: vec![true; parsed.len()], parsed }
    }

    fn get(&self, key: &CacheKey) -> Option<Arc<FileResult>> {
        let hash = record::key_hash(key.source, &key.address);
        let start = self.keys.partition_point(|row| row.hash < hash);
        let rows = self.keys.iter().skip(start).take_while(|row| row.hash == hash);
        rows.filter_map(|row| self.file(row.file)).find_map(|(file, bytes)| record::find(bytes, file, key))
    }

    /// Returns a file that is still alive, with its record.
    fn file(&self, at: u32) -> Option<(&Arc<ParsedFile>, &[u8])> {
        self.is_alive.get(at as usize).filter(|is_alive| **is_alive)?;
        self.parsed.get(at as usize).zip(self.files.record(at))
    }

    /// Returns the results that hold a file.
    pub(super) fn of(&self, file: &Arc<ParsedFile>) -> Vec<(CacheKey, FileResult)> {
        let found = file.place_in(&self.files).and_then(|at| self.file(at));
        found.and_then(|(file, bytes)| record::all(bytes, file)).unwrap_or_default()
    }

    fn retain(&mut self, source: u16, files: &[Arc<ParsedFile>]) {
        for (is_alive, file) in self.is_alive.iter_mut().zip(&self.parsed) {
            *is_alive &= file.source != source;
        }
        for at in files.iter().filter_map(|file| file.place_in(&self.files)) {
            if let Some(is_alive) = self.is_alive.get_mut(at as usize) {
                *is_alive = true;
            }
        }
    }
}

/// What a result depends on besides content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CacheKey {
    pub source: u16,
    pub address: Address,
    pub how: How,
    pub origin: Option<Arc<str>>,
}

/// Everything that came out of one file.
#[derive(Debug, Clone)]
pub(super) struct FileResult {
    pub parsed: Arc<ParsedFile>,
    /// Targets of its Locations.
    pub targets: Vec<Target>,
    /// Folders of the tree that its Templates copy from.
    pub skeletons: Vec<String>,
    /// Hash of its content.
    pub hash: u64,
    /// Its stamp when it was read, where there is one.
    pub stamp: Option<Stamp>,
    /// Files of the tree whose content it took in.
    pub taken_in: Vec<TakenIn>,
    /// Whether equal content gives an equal result; not so when it took in something remote, or could
    /// not take in something.
    pub reusable: bool,
    /// Whether a file of the tree that it needs could not be read, or it is older than its own.
    pub lacking: bool,
}

/// A file that another one took in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TakenIn {
    /// In the tree.
    pub path: String,
    /// Hash of its content.
    pub hash: u64,
    /// Its stamp when it was read, where there is one.
    pub stamp: Option<Stamp>,
}

impl FileCache {
    /// Creates one that shows what is broken as broken: for comparing.
    pub(crate) fn forgetful() -> Self {
        Self { is_forgetful: true, ..Self::default() }
    }

    /// Returns what was there before, to stand for what is broken or out of reach now.
    pub(super) fn good(&self, key: &CacheKey) -> Option<Arc<FileResult>> {
        if self.is_forgetful { None } else { self.get(key) }
    }

    pub(super) fn is_forgetful(&self) -> bool {
        self.is_forgetful
    }

    pub(super) fn get(&self, key: &CacheKey) -> Option<Arc<FileResult>> {
        let known = self.files.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        known.or_else(|| self.kept.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.get(key))
    }

    pub(super) fn put(&self, key: CacheKey, result: Arc<FileResult>) {
        self.files.write().unwrap_or_else(PoisonError::into_inner).insert(key, result);
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.files.write().unwrap_or_else(PoisonError::into_inner).clear();
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = None;
        self.others.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.lasts.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.places.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Takes what a cache file knows in place of what another one knew.
    pub(in crate::catalog) fn set_kept(&self, kept: KeptResults) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some(kept);
    }

    /// Puts other files in the place of those that they are equal to; what came out of them [`Self::set_kept`]
    /// has brought.
    pub(crate) fn exchange<'a>(&self, other: impl Fn(*const ParsedFile) -> Option<&'a Arc<ParsedFile>>) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.retain(|_, result| other(Arc::as_ptr(&result.parsed)).is_none());
        files.shrink_to_fit();
        let mut lasts = self.lasts.lock().unwrap_or_else(PoisonError::into_inner);
        for (last, _) in lasts.values_mut() {
            last.exchange(&other);
        }
    }

    /// Hands over everything that is known of files, while nothing is added.
    pub(super) fn with_all<T>(
        &self,
        read: impl FnOnce(&FxHashMap<CacheKey, Arc<FileResult>>, Option<&KeptResults>) -> T,
    ) -> T {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        read(&files, kept.as_ref())
    }

    /// Returns the files of a source that were no descriptors when it was last read.
    pub(super) fn others(&self, source: u16) -> Arc<Others> {
        let all = self.others.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&source).cloned().unwrap_or_default()
    }

    pub(super) fn set_others(&self, source: u16, others: Others) {
        self.others.write().unwrap_or_else(PoisonError::into_inner).insert(source, Arc::new(others));
    }

    /// Takes what the last walk of a source found; it is given back when the source has been read to the end,
    /// so that nothing half done is ever relied on.
    pub(crate) fn take_walk(&self, source: u16) -> Option<Walked> {
        self.walks.lock().unwrap_or_else(PoisonError::into_inner).remove(&source)
    }

    pub(crate) fn set_walk(&self, source: u16, walked: Walked) {
        self.walks.lock().unwrap_or_else(PoisonError::into_inner).insert(source, walked);
    }

    /// Takes what the last reading of a source found; as with a walk, it is given back at the end.
    pub(super) fn take_last(&self, source: u16) -> Option<Last> {
        let mut lasts = self.lasts.lock().unwrap_or_else(PoisonError::into_inner);
        lasts.remove(&source).map(|(last, _)| last)
    }

    pub(super) fn set_last(&self, source: u16, last: Last, is_of_few: bool) {
        self.lasts.lock().unwrap_or_else(PoisonError::into_inner).insert(source, (last, is_of_few));
    }

    /// Returns whether the last reading of a source looked at a few files only.
    pub(in crate::catalog) fn looked_at_few(&self, source: u16) -> bool {
        let lasts = self.lasts.lock().unwrap_or_else(PoisonError::into_inner);
        lasts.get(&source).is_some_and(|(_, is_of_few)| *is_of_few)
    }

    /// Returns what could not be fetched for a source when it was last read.
    pub(super) fn failed(&self, source: u16) -> Arc<Unfetched> {
        let all = self.failed.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&source).cloned().unwrap_or_default()
    }

    pub(super) fn set_failed(&self, source: u16, failed: Unfetched) {
        self.failed.write().unwrap_or_else(PoisonError::into_inner).insert(source, Arc::new(failed));
    }

    /// Returns where the root of a source was when it was last read.
    pub(super) fn place(&self, source: u16) -> Option<Arc<str>> {
        self.places.read().unwrap_or_else(PoisonError::into_inner).get(&source).cloned()
    }

    pub(super) fn set_place(&self, source: u16, root: Arc<str>) {
        self.places.write().unwrap_or_else(PoisonError::into_inner).insert(source, root);
    }

    /// Forgets files of a source that are not in the list any more, so that it does not grow for ever.
    pub(crate) fn retain(&self, source: u16, files: &[Arc<ParsedFile>]) {
        if let Some(kept) = self.kept.write().unwrap_or_else(PoisonError::into_inner).as_mut() {
            kept.retain(source, files);
        }
        let mut known = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let own = known.iter().filter(|(key, _)| key.source == source);
        let own: FxHashSet<*const ParsedFile> = own.map(|(_, result)| Arc::as_ptr(&result.parsed)).collect();
        if own.is_empty() {
            return;
        }
        let all = files.iter().map(Arc::as_ptr);
        let alive: FxHashSet<*const ParsedFile> = all.filter(|file| own.contains(file)).collect();
        known.retain(|key, result| key.source != source || alive.contains(&Arc::as_ptr(&result.parsed)));
    }
}

/// Hashes content. Not safe against somebody who makes two files collide on purpose: all they would get
/// is that their own change is not noticed.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.write_usize(bytes.len());
    hasher.finish()
}

/// Code of the warning that marks what is shown as it was before.
pub(in crate::catalog) const LAST_GOOD: &str = "catalog::last-good-version";

/// Keeps documents of the version before that are not in this one, with what they lead to, if something in
/// this one cannot be read as an entity: they are probably the broken ones.
pub(super) fn keep_last_good(now: &mut FileResult, before: &FileResult) {
    let is_broken = now.parsed.diagnostics.iter().any(|d| d.is_error() && d.entity.is_none());
    if !is_broken || before.parsed.documents.is_empty() {
        return;
    }
    let ref_of = |document: &ParsedDocument| canonical_ref(ValueRef::new(&document.packed));
    let present: FxHashSet<String> = now.parsed.documents.iter().filter_map(ref_of).collect();
    let missing = |document: &&ParsedDocument| ref_of(document).is_some_and(|text| !present.contains(&text));
    let Some(file) = Arc::get_mut(&mut now.parsed).and_then(ParsedFile::content_mut) else { return };
    for document in before.parsed.documents.iter().filter(missing) {
        file.documents.push(document.clone());
        file.diagnostics.extend(last_good(&before.parsed, document));
    }
    file.documents.sort_by_key(|document| document.document);
    let lost = |target: &&Target| !present.contains(&*target.named.entity);
    now.targets.extend(before.targets.iter().filter(lost).cloned());
}

/// Returns the version before, for a file that cannot be read now.
pub(super) fn kept(before: &Arc<FileResult>) -> FileResult {
    let old = &before.parsed;
    let mut diagnostics: Vec<Diagnostic> =
        old.diagnostics.iter().filter(|d| d.code != LAST_GOOD).cloned().collect();
    diagnostics.extend(old.documents.iter().filter_map(|document| last_good(old, document)));
    let content = FileContent {
        path: old.path.clone(),
        location_ref: old.location_ref.clone(),
        origin_ref: old.origin_ref.clone(),
        relations: old.relations,
        documents: old.documents.clone(),
        diagnostics,
    };
    let parsed = ParsedFile::new(old.source, content);
    // once it can be read again it is parsed again, so that the marks go
    FileResult {
        parsed: Arc::new(parsed),
        stamp: None,
        reusable: false,
        lacking: true,
        ..FileResult::clone(before)
    }
}

fn last_good(file: &ParsedFile, document: &ParsedDocument) -> Option<Diagnostic> {
    let entity = canonical_ref(ValueRef::new(&document.packed))?;
    let diagnostic = Diagnostic::warning(
        LAST_GOOD,
        format!("`{entity}` is shown as it was before: its file cannot be read as it is now"),
    )
    .at(SourceLocation::file(file.path.clone()))
    .entity(entity);
    Some(diagnostic)
}
