//! Reads the files of one source: parses them, fills in placeholders, follows Locations.
//!
//! Start at [`Ingest::run`]. Files are taken level by level: first those the source names, then those
//! their Locations name, and so on; each level is read in parallel and sorted before, so that the
//! result does not depend on who is faster. Every file is read once, however many ways lead to it. What
//! has to come over the network is asked for at once and taken in when all local files are done.

mod address;
mod again;
mod cache;
mod file;
pub mod json;
mod owner;
mod placeholder;
mod record;
pub mod sniff;
mod targets;

pub use address::{
    Address, InRepository, in_repository, join as join_address, location_annotations, raw as raw_address,
};
pub use cache::FileCache;
pub(super) use cache::KeptResults;
pub(super) use cache::LAST_GOOD;
pub(crate) use cache::{Changed, Walked};
pub use owner::OWNER_FROM;

use super::progress::ProgressEvent;
use super::snapshot::{FileContent, ParsedFile};
use super::sources::{Delta, RefreshContext, SourceError};
use super::tree::{SourceTree, Stamp, TreeError, folder_of};
use crate::config::source::without_credentials;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::net::{Batch, NetError, Remote};
use crate::yaml::{Position, Source, decode};
use again::Last;
use cache::{CacheKey, FileResult, Others, TakenIn, Unfetched};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use targets::Refusal;
use url::Url;

/// Levels of Locations that name Locations.
const MAX_LEVELS: usize = 1000;
/// Time for a source that is wholly remote, in times of a single request.
const REMOTE_ROUNDS: u32 = 3;
/// Longest part of a line that a diagnostic shows, in characters.
const MAX_LINE: usize = 400;
/// Files that are read between two looks at what they lead to.
const AT_ONCE: usize = 8192;
/// Files between two reports of progress.
const REPORT_EVERY: usize = 500;

/// How a file came to be read; decides what counts as a mistake in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// Somebody named it: the configuration, a Location.
    Asked,
    /// Found in the tree, with the name of a descriptor.
    Named,
    /// Found in the tree; counts only if its content is a descriptor's.
    Sniffed,
}

/// A file that a source names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Root {
    address: Address,
    how: How,
}

impl Root {
    /// Creates one for a file that was asked for.
    pub fn asked(path: impl Into<Arc<str>>) -> Self {
        Self { address: Address::path(path), how: How::Asked }
    }

    /// Creates one for a file that was found in the tree.
    pub fn found(path: impl Into<Arc<str>>, named: bool) -> Self {
        Self { address: Address::path(path), how: if named { How::Named } else { How::Sniffed } }
    }

    /// Returns its path in the tree of the source.
    pub fn path(&self) -> Option<&str> {
        match &self.address {
            Address::Path(path) => Some(path),
            Address::Url(_) => None,
        }
    }

    /// Creates one for an address.
    pub fn url(url: Url) -> Self {
        Self { address: Address::Url(Arc::new(url)), how: How::Asked }
    }
}

/// A file to read.
#[derive(Debug, Clone)]
struct Job {
    address: Address,
    /// Where to look when nothing is at `address`.
    otherwise: Option<Address>,
    /// Where nothing was, so that this is the second place to look.
    instead_of: Option<Address>,
    how: How,
    /// Location ref of the root that led here; `None` for a root itself.
    origin: Option<Arc<str>>,
    /// The target that names it; `None` for a root.
    from: Option<Arc<Named>>,
}

impl Job {
    fn root(root: Root) -> Self {
        let (address, how) = (root.address, root.how);
        Self { address, otherwise: None, instead_of: None, how, origin: None, from: None }
    }
}

/// A target as a Location names it.
#[derive(Debug)]
struct Named {
    text: Box<str>,
    /// File of the Location, for reading and for showing.
    base: Address,
    file: Arc<str>,
    start: Position,
    width: u32,
    entity: Arc<str>,
    optional: bool,
}

impl Named {
    /// Creates a diagnostic at the target; its line is added when it is reported.
    fn diagnostic(&self, severity: Severity, code: &'static str, message: impl Into<String>) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(severity, code, message).at(self.start.location(&self.file));
        diagnostic.width = self.width;
        diagnostic
    }
}

enum Outcome {
    /// It is no descriptor; its stamp, where there is one.
    Nothing(Option<Stamp>),
    /// It has to come over the network, or something it needs has.
    Waiting,
    /// It could not be read.
    Failed(Failure),
    /// It is a pattern, and these are the files it names.
    Listed(Vec<Url>),
    File(Arc<FileResult>),
}

/// What was read.
type Found = Vec<FoundFile>;

/// A file that was read, without what it led to.
struct FoundFile {
    how: How,
    address: Address,
    parsed: Arc<ParsedFile>,
    skeletons: Vec<String>,
}

impl FoundFile {
    fn new(job: Job, result: &FileResult) -> Self {
        let (parsed, skeletons) = (result.parsed.clone(), result.skeletons.clone());
        Self { how: job.how, address: job.address, parsed, skeletons }
    }
}

/// Why a file could not be read.
#[derive(Debug, Clone)]
enum Failure {
    Tree(TreeError),
    Net(NetError),
}

/// One reading of one source.
pub struct Ingest<'a> {
    cx: &'a RefreshContext<'a>,
    tree: &'a dyn SourceTree,
    remote: Box<dyn Remote + 'a>,
    /// Names of users by their address of mail, lower case.
    by_mail: FxHashMap<String, String>,
    skip_skeletons: bool,
    diagnostics: Vec<Diagnostic>,
    files_read: AtomicUsize,
    /// What were no descriptors before.
    others: Arc<Others>,
    /// The only files of the tree that may differ from before, with what could not be fetched then.
    changed: Option<(Changed, Arc<Unfetched>)>,
    /// What the next reading may go on from.
    last: Last,
    /// Whether the tree lay elsewhere before: location refs name its folder or commit.
    moved: bool,
}

thread_local! {
    /// Content of the file that this thread reads; kept, since thousands of small files follow.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl<'a> Ingest<'a> {
    /// Creates a reading of a tree.
    pub fn new(cx: &'a RefreshContext<'a>, tree: &'a dyn SourceTree) -> Self {
        let timeout = cx.config.timeout_seconds.map(Duration::from_secs);
        let budget = match cx.config.url {
            Some(_) => timeout.unwrap_or(cx.remote_budget * 2) * REMOTE_ROUNDS,
            None => cx.remote_budget,
        };
        let batch = Batch::new(cx.net, timeout, budget)
            .keeping(cx.kept)
            .telling(cx.notify)
            .trusting(cx.config.ca_file.clone())
            .up_to_bytes(cx.config.max_file_bytes);
        Self {
            cx,
            tree,
            remote: Box::new(batch),
            by_mail: FxHashMap::default(),
            skip_skeletons: false,
            diagnostics: Vec::new(),
            files_read: AtomicUsize::new(0),
            others: cx.cache.others(cx.index),
            changed: None,
            last: Last::default(),
            moved: cx.cache.place(cx.index) != Some(tree.location_ref("")),
        }
    }

    /// Sets where files behind addresses come from, in place of plain requests.
    #[must_use]
    pub fn over(mut self, remote: impl Remote + 'a) -> Self {
        self.remote = Box::new(remote);
        self
    }

    /// Sets whom addresses of mail belong to, lower case, for owners that are named by them.
    #[must_use]
    pub fn with_mail(mut self, by_mail: FxHashMap<String, String>) -> Self {
        self.by_mail = by_mail;
        self
    }

    /// Sets whether files below folders that templates name as skeletons are left out.
    #[must_use]
    pub fn skipping_skeletons(mut self, skip: bool) -> Self {
        self.skip_skeletons = skip;
        self
    }

    /// Sets the files of the tree that alone may differ since the source was last read to its end; what is
    /// behind addresses is taken to be as it was then. `None`: anything may differ.
    #[must_use]
    pub(crate) fn only(mut self, changed: Option<Changed>) -> Self {
        let changed = changed.filter(|_| !self.moved);
        self.changed = changed.map(|changed| (changed, self.cx.cache.failed(self.cx.index)));
        self
    }

    /// Adds what was found wrong while looking for files.
    #[must_use]
    pub fn with_diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics.extend(diagnostics);
        self
    }

    /// Reads the roots and everything they lead to.
    ///
    /// # Errors
    /// [`SourceError`] when the only root cannot be read, or the load is cancelled.
    pub fn run(mut self, roots: Vec<Root>) -> Result<Delta, SourceError> {
        let alone = match roots.as_slice() {
            [root] if root.how == How::Asked => Some(root.address.clone()),
            _ => None,
        };
        let mut level: Vec<Job> = roots.into_iter().map(Job::root).collect();
        let mut seen: FxHashSet<Address> = FxHashSet::default();
        let mut waiting: Vec<Job> = Vec::new();
        let mut found = Found::new();
        let (mut others, mut failed) = (Others::default(), Unfetched::default());
        for _ in 0..MAX_LEVELS {
            // those who come first in order claim a file; a wait keeps its claim
            level.sort_by(|a, b| (a.how, &a.address, &a.origin).cmp(&(b.how, &b.address, &b.origin)));
            level.retain(|job| seen.insert(job.address.clone()));
            let mut next = Vec::new();
            let mut rest = level.into_iter();
            let mut done = Vec::new().into_iter();
            // some at a time: what is known of a hundred thousand files need not be there at once
            while let Some((job, outcome)) = done.next().or_else(|| {
                done = self.process_all(rest.by_ref().take(AT_ONCE).collect()).into_iter();
                done.next()
            }) {
                match outcome {
                    Outcome::Nothing(stamp) => others.extend(job.address.as_path().cloned().zip(stamp)),
                    Outcome::Waiting => waiting.push(job),
                    Outcome::Failed(failure)
                        if alone.as_ref() == Some(&job.address) && job.from.is_none() =>
                    {
                        return Err(self.alone_failed(&job, failure));
                    }
                    Outcome::Failed(failure) => {
                        self.last.note_path(job.address.as_path().map_or("", |path| path));
                        if let Failure::Net(error) = &failure {
                            failed.insert(job.address.clone(), error.clone());
                        }
                        self.failed(job, &failure, &mut next, &mut found);
                    }
                    Outcome::Listed(files) => self.listed(&job, files, &mut next),
                    Outcome::File(result) => {
                        self.last.note(&result);
                        self.follow(&job, &result, &mut next);
                        found.push(FoundFile::new(job, &result));
                    }
                }
            }
            if self.cx.progress.is_cancelled() {
                return Err(SourceError::Cancelled);
            }
            if next.is_empty() {
                if waiting.is_empty() {
                    break;
                }
                self.wait();
                for job in &waiting {
                    seen.remove(&job.address);
                }
                next = std::mem::take(&mut waiting);
            }
            level = next;
        }
        self.cx.cache.set_others(self.cx.index, others);
        self.cx.cache.set_failed(self.cx.index, failed);
        self.cx.cache.set_place(self.cx.index, self.tree.location_ref(""));
        let (cx, mut last) = (self.cx, std::mem::take(&mut self.last));
        let delta = self.finish(found);
        last.finish(&delta);
        cx.cache.set_last(cx.index, last, false);
        Ok(delta)
    }

    fn process_all(&self, jobs: Vec<Job>) -> Vec<(Job, Outcome)> {
        jobs.into_par_iter()
            .with_min_len(8)
            .map(|job| {
                let outcome = self.process(&job);
                (job, outcome)
            })
            .collect()
    }

    fn wait(&self) {
        if let Some(host) = self.remote.waiting_for() {
            self.cx.progress.report(ProgressEvent::Waiting { source: self.cx.name.clone(), host });
        }
        self.remote.wait(self.cx.progress.cancel_token());
    }

    /// Reads and parses one file.
    fn process(&self, job: &Job) -> Outcome {
        if self.cx.progress.is_cancelled() {
            return Outcome::Nothing(None);
        }
        let known = match &job.address {
            Address::Path(path) => self.known(job, path),
            Address::Url(_) => self.fetched(job),
        };
        let outcome = known.unwrap_or_else(|| self.process_anew(job));
        if matches!(outcome, Outcome::File(_)) {
            let files = self.files_read.fetch_add(1, Ordering::Relaxed) + 1;
            if files.is_multiple_of(REPORT_EVERY) {
                self.cx.progress.report(ProgressEvent::Files { source: self.cx.name.clone(), files });
            }
        }
        outcome
    }

    /// Returns what is at an address, `None` while it is under way.
    fn remote_file(&self, url: &Url) -> Option<Result<Arc<[u8]>, NetError>> {
        if self.remote.takes_pages() { self.remote.get(url) } else { self.remote.get(&address::raw(url)) }
    }

    /// Whether an address is a pattern whose files can be listed.
    fn is_listed(&self, url: &Url) -> bool {
        targets::is_pattern(url) && self.remote.can_list(url)
    }

    /// Makes the jobs of the files that a pattern names.
    fn listed(&mut self, job: &Job, files: Vec<Url>, next: &mut Vec<Job>) {
        let named = job.from.as_deref();
        if let Some(named) = named.filter(|named| files.is_empty() && !named.optional) {
            let message = format!("no file matches the target `{}`", named.text);
            let diagnostic = named
                .diagnostic(Severity::Error, "catalog::target-not-found", message)
                .hint("mend the pattern, or set `presence: optional`");
            self.report(diagnostic, Some(named));
        }
        next.extend(
            files
                .into_iter()
                .take(targets::MAX_MATCHES)
                .map(|url| Job { address: Address::Url(Arc::new(url)), ..job.clone() }),
        );
    }

    fn process_anew(&self, job: &Job) -> Outcome {
        match &job.address {
            Address::Path(path) => self.process_local(job, path),
            Address::Url(url) if self.is_listed(url) => match self.remote.list(url) {
                None => Outcome::Waiting,
                Some(Ok(files)) => Outcome::Listed(files),
                Some(Err(error)) => Outcome::Failed(Failure::Net(error)),
            },
            Address::Url(url) => match self.remote_file(url) {
                None => Outcome::Waiting,
                Some(Ok(body)) => self.parse(job, &body, None),
                Some(Err(error)) => Outcome::Failed(Failure::Net(error)),
            },
        }
    }

    fn process_local(&self, job: &Job, path: &str) -> Outcome {
        BUFFER.with_borrow_mut(|buffer| {
            let limit = self.cx.config.max_file_bytes;
            let read = match job.how {
                How::Asked => self.read(path, limit, buffer),
                How::Named | How::Sniffed => self.tree.read_found(path, limit, buffer),
            };
            match read {
                Ok(stamp) => self.parse(job, buffer, stamp),
                Err(error) => Outcome::Failed(Failure::Tree(error)),
            }
        })
    }

    /// Reads a file of the tree and tells its stamp, where there is one.
    fn read(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<Option<Stamp>, TreeError> {
        // taken before, so that a change in between shows the next time
        let stamp = self.tree.stamp(path);
        self.tree.read(path, limit, buffer).map(|()| stamp)
    }

    /// Returns what is known of a file without reading it, if it and all it took in stayed the same.
    fn known(&self, job: &Job, path: &str) -> Option<Outcome> {
        let is_found = job.how != How::Asked;
        if let Some(kept) = self.cx.cache.get(&self.cache_key(job)) {
            let same = if self.changed.is_some() { !kept.lacking } else { kept.reusable };
            let same = same
                && self.is_same(path, kept.stamp, is_found)
                && kept.taken_in.iter().all(|taken| self.is_same(&taken.path, taken.stamp, false));
            return if same { self.placed(job, &kept).map(Outcome::File) } else { None };
        }
        let stamp = self.others.get(path).copied().filter(|_| job.how == How::Sniffed)?;
        self.is_same(path, Some(stamp), is_found).then_some(Outcome::Nothing(Some(stamp)))
    }

    /// Whether a file still has the stamp; never so without one, which it has not while it is a link or has
    /// changed only now.
    fn is_same(&self, path: &str, stamp: Option<Stamp>, is_found: bool) -> bool {
        let now = || if is_found { self.tree.stamp_found(path) } else { self.tree.stamp(path) };
        stamp.is_some()
            && match &self.changed {
                Some((changed, _)) => !changed.contains(path),
                None => stamp == now(),
            }
    }

    /// Returns what came from an address before, while only files of the tree can differ.
    fn fetched(&self, job: &Job) -> Option<Outcome> {
        let (_, failed) = self.changed.as_ref()?;
        let failure = failed.get(&job.address).map(|error| Outcome::Failed(Failure::Net(error.clone())));
        failure.or_else(|| self.cx.cache.get(&self.cache_key(job)).map(Outcome::File))
    }

    fn parse(&self, job: &Job, bytes: &[u8], stamp: Option<Stamp>) -> Outcome {
        if job.how == How::Sniffed && !sniff::is_descriptor(bytes) {
            return Outcome::Nothing(stamp);
        }
        let key = self.cache_key(job);
        let hash = cache::hash(bytes);
        let before = self.cx.cache.get(&key);
        if let Some(kept) = before.as_ref().filter(|kept| kept.reusable && kept.hash == hash)
            && let Some(taken_in) = self.taken_in_again(&kept.taken_in)
            && let Some(kept) = self.placed(job, kept)
        {
            let result = Arc::new(FileResult { stamp, taken_in, ..FileResult::clone(&kept) });
            self.cx.cache.put(key, result.clone());
            return Outcome::File(result);
        }
        let Some(mut result) = file::read(self, job, bytes) else { return Outcome::Waiting };
        (result.hash, result.stamp) = (hash, stamp);
        if let Some(before) = before.filter(|_| !self.cx.cache.is_forgetful()) {
            cache::keep_last_good(&mut result, &before);
        }
        let result = Arc::new(result);
        self.cx.cache.put(key, result.clone());
        Outcome::File(result)
    }

    /// Returns what is known of a file with the location it has now; `None` when too much depends on it.
    fn placed(&self, job: &Job, kept: &Arc<FileResult>) -> Option<Arc<FileResult>> {
        if !self.moved {
            return Some(kept.clone());
        }
        let location_ref = self.location_ref(&job.address);
        let old = &kept.parsed;
        if old.view().location_ref == &*location_ref {
            return Some(kept.clone());
        }
        // what is wrong may name the location
        if !old.diagnostics.is_empty() {
            return None;
        }
        let origin_ref = job.origin.clone().unwrap_or_else(|| location_ref.clone());
        let content = FileContent {
            path: old.path.clone(),
            location_ref,
            origin_ref,
            relations: old.relations,
            documents: old.documents.clone(),
            diagnostics: Vec::new(),
        };
        let parsed = Arc::new(ParsedFile::new(old.source, content));
        let result = Arc::new(FileResult { parsed, ..FileResult::clone(kept) });
        self.cx.cache.put(self.cache_key(job), result.clone());
        Some(result)
    }

    /// Returns what a file took in with the stamps of now; `None` when the content of something changed.
    fn taken_in_again(&self, before: &[TakenIn]) -> Option<Vec<TakenIn>> {
        let mut content = Vec::new();
        let mut again = |taken: &TakenIn| {
            if self.is_same(&taken.path, taken.stamp, false) {
                return Some(taken.clone());
            }
            let stamp = self.read(&taken.path, self.cx.config.max_file_bytes, &mut content).ok()?;
            (cache::hash(&content) == taken.hash).then(|| TakenIn { stamp, ..taken.clone() })
        };
        before.iter().map(&mut again).collect()
    }

    fn cache_key(&self, job: &Job) -> CacheKey {
        CacheKey {
            source: self.cx.index,
            address: job.address.clone(),
            how: job.how,
            origin: job.origin.clone(),
        }
    }

    /// Returns the location ref of an address.
    fn location_ref(&self, address: &Address) -> Arc<str> {
        match address {
            Address::Path(path) => self.tree.location_ref(path),
            Address::Url(url) => format!("url:{}", without_credentials(url.as_str())).into(),
        }
    }

    /// Returns an address as the user would type it.
    fn shown(&self, address: &Address) -> Arc<str> {
        match address {
            Address::Path(path) => self.tree.shown(path),
            Address::Url(url) => without_credentials(url.as_str()).into(),
        }
    }

    /// Makes the jobs of the targets that a file's Locations name.
    fn follow(&mut self, job: &Job, result: &FileResult, next: &mut Vec<Job>) {
        if result.targets.is_empty() {
            return;
        }
        let origin: Arc<str> = result.parsed.view().origin_ref.into();
        for target in &result.targets {
            let text = &target.named.text;
            self.last.note_patterns(targets::pattern_folders(self.tree, &job.address, text));
            match targets::resolve(self.tree, &job.address, target, &|url| self.remote.can_list(url)) {
                Ok(found) => {
                    let places = found.iter().flat_map(|(first, second)| [Some(first), second.as_ref()]);
                    for path in places.flatten().filter_map(Address::as_path) {
                        self.last.note_path(path);
                    }
                    next.extend(found.into_iter().map(|(address, otherwise)| Job {
                        address,
                        otherwise,
                        instead_of: None,
                        how: How::Asked,
                        origin: Some(origin.clone()),
                        from: Some(target.named.clone()),
                    }));
                }
                Err(Refusal::Silent) => {}
                Err(Refusal::Told(diagnostic)) => self.report(*diagnostic, Some(&target.named)),
            }
        }
    }

    fn report(&mut self, mut diagnostic: Diagnostic, named: Option<&Named>) {
        diagnostic.source = Some(self.cx.name.clone());
        if let Some(named) = named {
            diagnostic.entity.get_or_insert_with(|| named.entity.to_string());
            if let Some(line) = self.line(&named.base, &named.file, named.start.line) {
                let width = diagnostic.width;
                diagnostic = diagnostic.snippet(line, width, "");
            }
        }
        self.diagnostics.push(diagnostic);
    }

    /// Reads a line of a file again: few targets are wrong, and none of their lines is kept for that.
    fn line(&self, address: &Address, file: &Arc<str>, line: u32) -> Option<String> {
        let bytes: Cow<'_, [u8]> = match address {
            Address::Path(path) => {
                let mut content = Vec::new();
                self.tree.read(path, self.cx.config.max_file_bytes, &mut content).ok()?;
                Cow::Owned(content)
            }
            Address::Url(url) => Cow::Owned(self.remote_file(url)?.ok()?.to_vec()),
        };
        let text = decode(&bytes, file).ok()?;
        Some(Source::new(text, file).line(line).chars().take(MAX_LINE).collect())
    }

    fn alone_failed(&self, job: &Job, failure: Failure) -> SourceError {
        let place = self.shown(&job.address).to_string();
        match failure {
            Failure::Tree(error) => SourceError::Unreadable {
                place,
                cause: error.to_string(),
                hint: error.hint().map(str::to_owned),
            },
            Failure::Net(error) => SourceError::Net { place, error },
        }
    }

    /// Tells about a file that could not be read, unless there is a second place to look.
    fn failed(&mut self, job: Job, failure: &Failure, next: &mut Vec<Job>, found: &mut Found) {
        let missing = match failure {
            Failure::Tree(error) => *error == TreeError::NotFound,
            Failure::Net(error) => error.is_not_found(),
        };
        if let Some(address) = job.otherwise.clone().filter(|_| missing) {
            let instead_of = Some(job.address.clone());
            next.push(Job { address, otherwise: None, instead_of, ..job });
            return;
        }
        let optional = job.from.as_ref().is_some_and(|named| named.optional);
        // what was there before stays as it was: it only cannot be reached now, or is still asked for
        if !missing || job.from.is_some() && !optional {
            self.keep(&job, next, found);
        }
        if self.is_somebody_elses(&job, failure) {
            return;
        }
        if !(missing && optional) {
            let diagnostic = self.failure(&job, failure);
            self.report(diagnostic, job.from.as_deref());
        }
    }

    /// Keeps what a file held before, with what it leads to.
    fn keep(&mut self, job: &Job, next: &mut Vec<Job>, found: &mut Found) {
        for address in std::iter::once(&job.address).chain(&job.instead_of) {
            let job = Job { address: address.clone(), ..job.clone() };
            let key = self.cache_key(&job);
            // without an entity there is nothing to keep but complaints about what is gone
            let good = self.cx.cache.good(&key).filter(|before| !before.parsed.documents.is_empty());
            if let Some(before) = good {
                let result = Arc::new(cache::kept(&before));
                self.cx.cache.put(key, result.clone());
                self.follow(&job, &result, next);
                found.push(FoundFile::new(job, &result));
                return;
            }
        }
    }

    /// Whether a file that is too large to read shows by its beginning that it is no descriptor.
    fn is_somebody_elses(&self, job: &Job, failure: &Failure) -> bool {
        match (&job.address, failure) {
            (Address::Path(path), Failure::Tree(TreeError::TooLarge { .. })) => {
                job.how == How::Sniffed && !sniff::is_descriptor(&self.tree.beginning(path))
            }
            (_, Failure::Tree(TreeError::Elsewhere)) => job.how == How::Sniffed,
            _ => false,
        }
    }

    fn failure(&self, job: &Job, failure: &Failure) -> Diagnostic {
        let (code, cause, hint, severity) = match failure {
            Failure::Tree(error) => {
                (error.code(), error.to_string(), error.hint().map(str::to_owned), Severity::Error)
            }
            Failure::Net(error) => {
                let severity = if error.is_offline() { Severity::Warning } else { Severity::Error };
                ("catalog::target-not-fetched", error.to_string(), Some(error.hint()), severity)
            }
        };
        let mut diagnostic = if let Some(named) = &job.from {
            let message = format!("could not read the target `{}`: {cause}", named.text);
            named.diagnostic(severity, code, message)
        } else {
            let shown = self.shown(&job.address);
            // a YAML file that may not be a descriptor at all is no error
            let severity = if job.how == How::Sniffed { Severity::Warning } else { severity };
            Diagnostic::new(severity, code, format!("could not read `{shown}`: {cause}"))
                .at(SourceLocation::file(shown))
        };
        diagnostic.hint = hint;
        diagnostic
    }

    /// Drops what lies in skeletons and puts the rest in order.
    fn finish(mut self, mut found: Found) -> Delta {
        if self.skip_skeletons {
            let folders: FxHashSet<&str> =
                found.iter().flat_map(|file| &file.skeletons).map(String::as_str).collect();
            if !folders.is_empty() {
                let in_skeleton = |address: &Address| match address {
                    Address::Path(path) => std::iter::successors(Some(folder_of(path)), |f| {
                        (!f.is_empty()).then(|| folder_of(f))
                    })
                    .any(|folder| !folder.is_empty() && folders.contains(folder)),
                    Address::Url(_) => false,
                };
                let keep: Vec<bool> =
                    found.iter().map(|file| file.how == How::Asked || !in_skeleton(&file.address)).collect();
                let mut keep = keep.into_iter();
                found.retain(|_| keep.next().unwrap_or(true));
            }
        }
        let mut files: Vec<Arc<ParsedFile>> = found.into_iter().map(|file| file.parsed).collect();
        files.sort_unstable_by(|a, b| a.path_text().cmp(b.path_text()));
        let diagnostics = std::mem::take(&mut self.diagnostics);
        Delta { files, diagnostics, ..Delta::default() }
    }
}
