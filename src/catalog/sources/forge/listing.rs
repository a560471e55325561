//! Goes through the pages of a listing and notes what each repository holds.

use super::files;
use super::memory::{self, Known, KnownFile, Memory, UnderWay};
use super::{Filter, Forge, Listed, MAX_REPOSITORIES, Page, Plan, Repository, Wish, too_many};
use crate::catalog::sources::{RefreshContext, SourceError};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::net::NetError;
use rustc_hash::FxHashMap;

/// Pages without a single repository after which a listing counts as endless.
const MAX_EMPTY_PAGES: usize = 20;
/// Most diagnostics about single repositories; the rest is counted.
const MAX_TOLD: usize = 200;

/// A listing under way.
pub(super) struct Listing<'a> {
    cx: &'a RefreshContext<'a>,
    forge: &'a dyn Forge,
    plan: &'a Plan,
    filter: &'a Filter,
    memory: Memory<'a>,
    before: FxHashMap<String, Known>,
    diagnostics: Vec<Diagnostic>,
    untold: usize,
}

/// A complete listing.
pub(super) struct Complete {
    pub repositories: Vec<Known>,
    pub diagnostics: Vec<Diagnostic>,
}

/// A listing that did not come to its end.
pub(super) struct Cut {
    pub error: SourceError,
    /// What is known nevertheless: the last complete listing, or the pages of this one.
    pub repositories: Vec<Known>,
    /// When that was read, in seconds since 1970.
    pub read_at: i64,
    /// How far this one came.
    pub note: Option<Diagnostic>,
}

impl<'a> Listing<'a> {
    pub(super) fn new(
        cx: &'a RefreshContext<'a>,
        forge: &'a dyn Forge,
        plan: &'a Plan,
        filter: &'a Filter,
    ) -> Self {
        let memory = Memory::open(cx.kept);
        let before = memory.before().into_iter().map(|known| (known.path.clone(), known)).collect();
        Self { cx, forge, plan, filter, memory, before, diagnostics: Vec::new(), untold: 0 }
    }

    /// Reads the pages that are left.
    pub(super) fn run(mut self) -> Result<Complete, Box<Cut>> {
        let mut under_way = self.memory.under_way(now());
        match self.pages(&mut under_way) {
            Ok(()) => Ok(self.complete(&under_way)),
            Err(error) => Err(Box::new(self.cut(error, &under_way))),
        }
    }

    fn pages(&mut self, under_way: &mut UnderWay) -> Result<(), SourceError> {
        let mut empty = 0;
        loop {
            self.cx.report(under_way.listed, under_way.total, "repositories");
            if self.cx.progress.is_cancelled() {
                return Err(SourceError::Cancelled);
            }
            let after = under_way.next.clone();
            let wish = Wish { after: after.as_deref(), texts: self.before.is_empty() };
            let page = match self.forge.page(&wish) {
                Ok(page) => page,
                // the server forgot the place: begin anew, once
                Err(error) if after.is_some() && self.forge.is_stale_cursor(&error) && empty == 0 => {
                    self.memory.drop_under_way();
                    *under_way = self.memory.under_way(now());
                    empty = 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            empty = if page.repositories.is_empty() { empty + 1 } else { 0 };
            let next = page.next.clone();
            let repeats = next.is_some() && next == after;
            let listed = under_way.listed + page.repositories.len() + page.problems.len();
            let total = page.total.or(under_way.total).map(|total| total.max(listed));
            let known = self.look_into(page)?;
            (under_way.listed, under_way.total) = (listed, total);
            self.memory.add(under_way, &known, next);
            if under_way.next.is_none() {
                break;
            }
            if under_way.listed >= MAX_REPOSITORIES {
                self.diagnostics.push(too_many(self.forge, MAX_REPOSITORIES, "repositories"));
                break;
            }
            if repeats || empty >= MAX_EMPTY_PAGES {
                self.memory.drop_under_way();
                return Err(endless(self.forge));
            }
        }
        self.cx.report(under_way.listed, Some(under_way.listed), "repositories");
        Ok(())
    }

    /// Gives what is known when the listing cannot go on.
    fn cut(self, error: SourceError, under_way: &UnderWay) -> Cut {
        tracing::info!(pages = under_way.pages, "a listing was cut: {error}");
        let (repositories, read_at) = match self.memory.completed_at() {
            Some(at) => (self.before.into_values().collect(), at),
            None => (self.memory.so_far(under_way), now()),
        };
        let place = self.forge.place();
        let of = under_way.total.map(|total| format!(" of {total}")).unwrap_or_default();
        let note = (under_way.pages > 0).then(|| {
            let read = under_way.listed;
            Diagnostic::new(
                Severity::Info,
                "source::listing-cut",
                format!(
                    "{read}{of} repositories of `{place}` were read; the next refresh goes on from there"
                ),
            )
            .at(SourceLocation::file(place))
        });
        Cut { error, repositories, read_at, note }
    }

    fn complete(mut self, under_way: &UnderWay) -> Complete {
        let mut repositories = self.memory.so_far(under_way);
        self.memory.finish(under_way, now());
        // a listing that moved while it was read names some twice
        repositories.sort_by(|a, b| a.path.cmp(&b.path));
        repositories.dedup_by(|a, b| a.path == b.path);
        if self.untold > 0 {
            let place = self.forge.place();
            let message = format!("{} more repositories of `{place}` could not be read", self.untold);
            self.diagnostics
                .push(Diagnostic::error("source::repository", message).at(SourceLocation::file(place)));
        }
        Complete { repositories, diagnostics: self.diagnostics }
    }

    /// Finds the descriptors of a page's repositories and sees that their content is kept.
    fn look_into(&mut self, page: Page) -> Result<Vec<Known>, SourceError> {
        for (repository, cause) in page.problems {
            self.tell(&repository, &cause);
        }
        let accepted = page.repositories.into_iter().filter(|r| self.filter.accepts(r));
        let (mut known, mut open): (Vec<Known>, Vec<Repository>) = (Vec::new(), Vec::new());
        for repository in accepted {
            match self.at_once(&repository) {
                Some(found) => known.push(found),
                None => open.push(repository),
            }
        }
        if !open.is_empty() {
            let found = files::find(self.cx, self.forge, self.plan, &open)?;
            for (repository, found) in open.into_iter().zip(found) {
                known.push(self.settle(repository, found));
            }
        }
        for (path, cause) in files::fill(self.cx, self.forge, &mut known)? {
            self.tell(&path, &cause);
        }
        Ok(known)
    }

    /// Answers from the page itself or from the run before, if they say enough.
    fn at_once(&self, repository: &Repository) -> Option<Known> {
        let files = match &repository.files {
            Listed::Known(listed) => {
                let keep = |file: &super::ListedFile| {
                    if let Some(text) = &file.text {
                        let key = memory::blob_key(&file.blob);
                        if self.cx.kept.get(&key).is_none() {
                            self.cx.kept.put(&key, text.as_bytes());
                        }
                    }
                    KnownFile { path: file.path.clone(), blob: file.blob.clone() }
                };
                listed.iter().take(super::MAX_PER_REPOSITORY).map(keep).collect()
            }
            Listed::Unknown => {
                let before = self.before.get(&repository.path)?;
                let same = before.stamp.is_some()
                    && before.stamp == repository.stamp
                    && before.branch == repository.branch;
                same.then(|| before.files.clone())?
            }
        };
        Some(Known {
            path: repository.path.clone(),
            branch: repository.branch.clone(),
            stamp: repository.stamp.clone(),
            files,
        })
    }

    /// Takes in what was found; what was there before stays when the repository cannot be read now.
    fn settle(&mut self, repository: Repository, found: Result<Vec<KnownFile>, NetError>) -> Known {
        let Repository { path, branch, stamp, .. } = repository;
        match found {
            Ok(files) => Known { path, branch, stamp, files },
            Err(error) => {
                self.tell(&path, &error.to_string());
                let files = self.before.get(&path).map(|before| before.files.clone()).unwrap_or_default();
                // without a stamp it is looked into again next time
                Known { path, branch, stamp: None, files }
            }
        }
    }

    fn tell(&mut self, repository: &str, cause: &str) {
        if self.diagnostics.len() >= MAX_TOLD {
            self.untold += 1;
            return;
        }
        let message = format!("could not read the repository `{repository}`: {cause}");
        self.diagnostics
            .push(Diagnostic::error("source::repository", message).at(SourceLocation::file(repository)).hint(
            "it is tried again with the next refresh; leave it out with `repositories.exclude` of the source",
        ));
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn endless(forge: &dyn Forge) -> SourceError {
    SourceError::Unreadable {
        place: forge.place(),
        cause: "its listing does not come to an end".to_owned(),
        hint: Some("the server gives pages in a circle, or empty ones; ask who runs it".to_owned()),
    }
}
