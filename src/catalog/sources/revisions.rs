//! The revisions of one repository as catalogs that can be compared: a commit, or the work tree as it lies
//! there, each read without a checkout and with the same names for the same files.
//!
//! Start at [`Revisions::open`]. Nothing here touches the network but [`Revisions::open`] of a repository
//! behind an address; what Locations name elsewhere has no revisions and is left out of all of them.

use super::disk_tree::DiskTree;
use super::git_remote::GitRemote;
use super::git_tree::GitTree;
use super::{Delta, RefreshContext, SourceError, dir};
use crate::catalog::ingest::{FileCache, Ingest, Root};
use crate::catalog::progress::Progress;
use crate::catalog::snapshot::{Catalog, SourceState};
use crate::catalog::stitch::{StitchInput, stitch};
use crate::catalog::tree::{SourceTree, Stamp, TreeError};
use crate::config::source::SourceConfig;
use crate::net::{Net, NetOptions};
use crate::store::kept::Kept;
use git2::{Oid, Repository};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What is compared: two revisions, or one and the work tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The older side.
    pub from: String,
    /// The newer side; `None`: the work tree.
    pub to: Option<String>,
    /// Compare from where both have parted.
    pub is_from_base: bool,
}

impl Range {
    /// Reads `A..B`, `A...B`, `A` (against the work tree); a missing end is `HEAD`.
    ///
    /// # Errors
    /// A sentence, when a revision cannot be one.
    pub fn parse(text: &str) -> Result<Self, String> {
        let end = |part: &str| if part.is_empty() { "HEAD".to_owned() } else { part.to_owned() };
        let text = text.trim();
        let range = if let Some((from, to)) = text.split_once("...") {
            Self { from: end(from), to: Some(end(to)), is_from_base: true }
        } else if let Some((from, to)) = text.split_once("..") {
            Self { from: end(from), to: Some(end(to)), is_from_base: false }
        } else {
            Self { from: end(text), to: None, is_from_base: false }
        };
        for revision in std::iter::once(&range.from).chain(&range.to) {
            if revision.starts_with('-') || revision.contains("..") || revision.chars().any(char::is_control)
            {
                return Err(format!("`{}` is no revision", revision.escape_debug()));
            }
        }
        Ok(range)
    }
}

/// One side of a comparison.
#[derive(Debug)]
pub struct Side {
    /// As it was asked for; `None`: the work tree.
    pub revision: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// When it was committed, in seconds since 1970.
    pub time: Option<i64>,
    /// What it holds.
    pub catalog: Catalog,
}

/// A repository whose revisions are read.
pub struct Revisions<'a> {
    config: &'a SourceConfig,
    progress: &'a Progress,
    place: Place<'a>,
    cache: FileCache,
    net: Net,
    kept: Kept,
}

enum Place<'a> {
    Local { repository: Repository, path: PathBuf },
    Remote { source: GitRemote, folder: &'a Path, is_offline: bool },
}

impl<'a> Revisions<'a> {
    /// Opens the repository of a source; `folder` is for what has to be fetched.
    ///
    /// # Errors
    /// [`SourceError`] when the source is no repository.
    pub fn open(
        config: &'a SourceConfig,
        folder: Option<&'a Path>,
        is_offline: bool,
        progress: &'a Progress,
    ) -> Result<Self, SourceError> {
        let place = match (&config.path, &config.url, folder) {
            (Some(path), ..) => Place::Local { repository: discover(path)?, path: path.clone() },
            (None, Some(url), Some(folder)) if config.kind == "git" => {
                Place::Remote { source: GitRemote::new(config, url)?, folder, is_offline }
            }
            (_, url, _) => {
                return Err(SourceError::Unreadable {
                    place: url.clone().unwrap_or_else(|| config.name.clone()),
                    cause: format!("a source of type `{}` is no git repository", config.kind),
                    hint: Some("name a repository with `--catalog PATH`".to_owned()),
                });
            }
        };
        let net = Net::new(NetOptions { offline: true, ..NetOptions::default() });
        Ok(Self { config, progress, place, cache: FileCache::forgetful(), net, kept: Kept::in_memory() })
    }

    /// Reads both sides of a range.
    ///
    /// # Errors
    /// [`SourceError`] when one of them cannot be read.
    pub fn read(&self, range: &Range) -> Result<(Side, Side), SourceError> {
        let mut from = range.from.clone();
        if let (true, Some(to)) = (range.is_from_base, &range.to) {
            from = self.base(&from, to)?;
        }
        let older = Side { revision: Some(range.from.clone()), ..self.at(&from)? };
        let newer = match &range.to {
            Some(to) => self.at(to)?,
            None => self.work_tree()?,
        };
        Ok((older, newer))
    }

    fn base(&self, from: &str, to: &str) -> Result<String, SourceError> {
        let Place::Local { repository, path } = &self.place else {
            return Err(SourceError::BadSetting {
                setting: "url",
                cause: "where two revisions have parted is not known of a repository on another machine; \
                        compare `A..B`"
                    .to_owned(),
            });
        };
        let (a, b) = (resolve(repository, path, from)?, resolve(repository, path, to)?);
        let base = repository.merge_base(a, b).map_err(|_| SourceError::Unreadable {
            place: path.display().to_string(),
            cause: format!("`{from}` and `{to}` have no common beginning"),
            hint: Some("compare them with `..`".to_owned()),
        })?;
        Ok(base.to_string())
    }

    fn at(&self, revision: &str) -> Result<Side, SourceError> {
        let (delta, commit, time) = match &self.place {
            Place::Local { repository, path } => {
                let id = resolve(repository, path, revision)?;
                let tree = GitTree::open(path, &id.to_string())?;
                let start = tree.start().to_owned();
                let tree = Plain { tree: &tree };
                let delta = self.ingest(&tree, |cx| {
                    if path.is_file() {
                        Ok(vec![Root::asked(start.clone())])
                    } else {
                        dir::find_listed(&tree, &start, cx)
                    }
                });
                let time = repository.find_commit(id).map(|commit| commit.time().seconds()).ok();
                (delta?, id, time)
            }
            Place::Remote { source, folder, is_offline } => {
                let cx = self.context();
                let net = Net::new(NetOptions { offline: *is_offline, ..NetOptions::default() });
                let cx = RefreshContext { net: &net, folder: Some(folder), ..cx };
                let (tree, id) = source.revision(revision, &cx)?;
                let tree = Plain { tree: &tree };
                (self.ingest(&tree, |cx| dir::find_listed(&tree, "", cx))?, id, None)
            }
        };
        Ok(self.side(Some(revision.to_owned()), Some(commit.to_string()), time, delta))
    }

    fn work_tree(&self) -> Result<Side, SourceError> {
        let path = match &self.place {
            Place::Local { repository, path } if !repository.is_bare() => path,
            _ => {
                return Err(SourceError::BadSetting {
                    setting: "path",
                    cause: "the repository has no work tree; compare two revisions, such as `HEAD~1..HEAD`"
                        .to_owned(),
                });
            }
        };
        let unreadable = |error: TreeError| SourceError::Unreadable {
            place: path.display().to_string(),
            cause: error.to_string(),
            hint: error.hint().map(str::to_owned),
        };
        let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        let disk = DiskTree::open(folder, Duration::ZERO).map_err(unreadable)?;
        let tree = Plain { tree: &disk };
        let delta = self.ingest(&tree, |cx| {
            if path.is_file() {
                let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
                let start = disk.start();
                let sep = if start.is_empty() { "" } else { "/" };
                return Ok(vec![Root::asked(format!("{start}{sep}{name}"))]);
            }
            dir::find_on_disk(&disk, cx)
        })?;
        Ok(self.side(None, None, None, delta))
    }

    fn ingest(
        &self,
        tree: &dyn SourceTree,
        find: impl Fn(&RefreshContext<'_>) -> Result<Vec<Root>, SourceError>,
    ) -> Result<Delta, SourceError> {
        let cx = self.context();
        let roots = find(&cx)?;
        Ingest::new(&cx, tree).skipping_skeletons(self.config.include.is_empty()).run(roots)
    }

    fn context(&self) -> RefreshContext<'_> {
        RefreshContext {
            config: self.config,
            name: self.config.name.as_str().into(),
            index: 0,
            net: &self.net,
            cache: &self.cache,
            kept: &self.kept,
            folder: None,
            notify: &|_| {},
            progress: self.progress,
            remote_budget: Duration::ZERO,
            settling: Duration::ZERO,
            changed: None,
            before: &[],
            version: None,
        }
    }

    fn side(
        &self,
        revision: Option<String>,
        commit: Option<String>,
        time: Option<i64>,
        delta: Delta,
    ) -> Side {
        let source = SourceState {
            name: self.config.name.as_str().into(),
            kind: "git",
            place: self.config.name.clone(),
            ..SourceState::default()
        };
        let input = StitchInput {
            sources: vec![source],
            files: delta.files,
            diagnostics: delta.diagnostics,
            ..StitchInput::default()
        };
        Side { revision, commit, time, catalog: stitch(input) }
    }
}

fn discover(path: &Path) -> Result<Repository, SourceError> {
    Repository::discover(path).map_err(|_| SourceError::Unreadable {
        place: path.display().to_string(),
        cause: "it is not inside a git repository".to_owned(),
        hint: Some("name a repository with `--catalog PATH`".to_owned()),
    })
}

/// Returns the commit that a revision names.
fn resolve(repository: &Repository, path: &Path, revision: &str) -> Result<Oid, SourceError> {
    let place = path.display().to_string();
    if repository.is_empty().unwrap_or(false) {
        return Err(SourceError::NoCommits { place });
    }
    let found = repository.revparse_single(revision).and_then(|object| object.peel_to_commit());
    found
        .map(|commit| commit.id())
        .map_err(|_| SourceError::UnknownRevision { place, revision: revision.to_owned() })
}

/// A tree whose files are called by their path in the repository, so that sides can be compared.
struct Plain<'t> {
    tree: &'t dyn SourceTree,
}

impl SourceTree for Plain<'_> {
    fn read(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<(), TreeError> {
        self.tree.read(path, limit, buffer)
    }

    fn read_found(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<Option<Stamp>, TreeError> {
        self.tree.read_found(path, limit, buffer)
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        self.tree.stamp(path)
    }

    fn stamp_found(&self, path: &str) -> Option<Stamp> {
        self.tree.stamp_found(path)
    }

    fn beginning(&self, path: &str) -> Vec<u8> {
        self.tree.beginning(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, TreeError> {
        self.tree.list(folder)
    }

    fn shown(&self, path: &str) -> Arc<str> {
        path.into()
    }

    fn location_ref(&self, path: &str) -> Arc<str> {
        format!("git:{path}").into()
    }

    fn inside(&self, absolute: &str) -> Option<String> {
        self.tree.inside(absolute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ranges() {
        let range = |from: &str, to: Option<&str>, is_from_base| Range {
            from: from.to_owned(),
            to: to.map(str::to_owned),
            is_from_base,
        };
        let cases = [
            ("a..b", range("a", Some("b"), false)),
            ("a...b", range("a", Some("b"), true)),
            ("a", range("a", None, false)),
            ("..", range("HEAD", Some("HEAD"), false)),
            ("v1..", range("v1", Some("HEAD"), false)),
            ("", range("HEAD", None, false)),
        ];
        for (text, expected) in cases {
            assert_eq!(Range::parse(text).unwrap(), expected, "{text}");
        }
        for bad in ["-x", "a..-b", "a..b..c", "a\u{1b}"] {
            assert!(Range::parse(bad).is_err(), "{bad}");
        }
    }
}
