//! A git repository on another machine, fetched by the user's own `git` into a bare clone of the cache.
//!
//! Start at [`GitRemote`]. As little as possible is fetched (one commit, and of the files only those that
//! are read), and afterwards only what changed. The clone is read without a checkout, as any revision of a
//! local repository is; without a network it is read as it was last fetched.

mod address;
pub mod checkout;
mod clone;
mod program;
mod transfer;
mod trouble;

pub(super) use address::encode_path;
pub use transfer::{Transfer, TransferError};

use super::git_tree::{GitTree, Names};
use super::{CatalogProvider, Delta, RefreshContext, SourceError, Stale, dir};
use crate::catalog::ingest::{FileCache, Ingest, Root};
use crate::catalog::progress::Progress;
use crate::catalog::tree::SourceTree as _;
use crate::config::secret::Secret;
use crate::config::source::SourceConfig;
use crate::net::{Net, NetError, NetOptions};
use address::GitAddress;
use clone::{RemoteClone, State};
use git2::Oid;
use program::{Git, GitError, Step};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Time between two refreshes unless configured.
const EVERY: Duration = Duration::from_secs(10 * 60);
/// Longest silence of `git` unless configured; it also covers what the server prepares.
const SILENCE: Duration = Duration::from_secs(120);
/// Rounds of fetching files that files name.
const ROUNDS: usize = 20;
/// Seconds for which a clone that was brought up to date is not looked at again for its files.
const RECENT: i64 = 60;
/// Name that most forges take beside a token.
const TOKEN_USER: &str = "x-access-token";
/// Folder of the clone in that of the source.
const FOLDER: &str = "git";

/// A repository behind an address.
pub(super) struct GitRemote {
    address: GitAddress,
    at: Option<String>,
    every: Duration,
}

/// Makes the provider of a source of type `git` with an address.
pub(super) fn open(config: &SourceConfig, url: &str) -> Result<Box<dyn CatalogProvider>, SourceError> {
    Ok(Box::new(GitRemote::new(config, url)?))
}

/// Returns the clone in the folder of a source: the repository, the name of what it holds, its commit.
pub(super) fn clone_in(folder: &Path) -> Option<(PathBuf, String, String)> {
    let folder = folder.join(FOLDER);
    let state = clone::read_state(&folder)?;
    Some((folder, state.revision, state.commit))
}

fn bad(setting: &'static str) -> impl Fn(String) -> SourceError {
    move |cause| SourceError::BadSetting { setting, cause }
}

impl CatalogProvider for GitRemote {
    fn place(&self) -> String {
        match &self.at {
            Some(at) => format!("{} at {at}", self.address.shown),
            None => self.address.shown.clone(),
        }
    }

    fn every(&self) -> Option<Duration> {
        Some(self.every)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let for_now = TemporaryFolder::new(cx);
        let folder = cx.folder.or(for_now.0.as_deref()).unwrap_or(Path::new("."));
        self.with_clone(&folder.join(FOLDER), cx, |clone| {
            let (state, trouble) = self.update(clone, cx)?;
            let mut delta = match self.read(clone, &state, cx) {
                // the clone is not whole, although it looked so
                Err(SourceError::Unreadable { .. }) if trouble.is_none() && cx.folder.is_some() => {
                    let state = clone.renew(self.at.as_deref())?;
                    self.read(clone, &state, cx)?
                }
                other => other?,
            };
            let read_at = jiff::Timestamp::from_second(state.checked_at).unwrap_or_default();
            delta.stale = trouble.map(|error| Stale { error, read_at });
            Ok(delta)
        })
    }
}

impl GitRemote {
    /// Reads the settings of a source with an address.
    pub(super) fn new(config: &SourceConfig, url: &str) -> Result<Self, SourceError> {
        let address = GitAddress::parse(url).map_err(bad("url"))?;
        let at = config.at.clone().or_else(|| config.branch.clone());
        if let Some(at) = &at {
            address::check_revision(at).map_err(bad("at"))?;
        }
        Ok(Self { address, at, every: config.every.unwrap_or(EVERY) })
    }

    /// Fetches a revision into a clone of its own and opens it.
    pub(super) fn revision(
        &self,
        revision: &str,
        cx: &RefreshContext<'_>,
    ) -> Result<(GitTree, Oid), SourceError> {
        let at = (revision != "HEAD").then(|| revision.to_owned());
        if let Some(at) = &at {
            address::check_revision(at).map_err(bad("at"))?;
        }
        let own = Self { address: self.address.clone(), at, every: self.every };
        // files are called otherwise by whoever compares
        let cache = FileCache::default();
        let cx = &RefreshContext { cache: &cache, ..cx.clone() };
        let folder = cx.folder.unwrap_or(Path::new("."));
        own.with_clone(&folder.join("revisions").join(FOLDER), cx, |clone| {
            let (state, trouble) = own.update(clone, cx)?;
            if let Some(error) = trouble {
                return Err(error);
            }
            let (tree, ..) = own.prepare(clone, &state, cx)?;
            let id = tree.commit();
            Ok((tree, id))
        })
    }

    /// Brings the clone in a folder of this machine up to date, unless that was done a moment ago, and fetches
    /// the files that are wanted. With the reason when what was there has to do.
    pub(super) fn files(
        &self,
        folder: &Path,
        wanted: &dyn Fn(&str) -> bool,
        cx: &RefreshContext<'_>,
    ) -> Result<(GitTree, Option<Stale>), SourceError> {
        self.with_clone(&folder.join(FOLDER), cx, |clone| {
            let known = clone.state().filter(|state| {
                (0..RECENT).contains(&(jiff::Timestamp::now().as_second() - state.checked_at))
            });
            let (mut state, mut trouble) = match known {
                Some(state) => (state, None),
                None => self.update(clone, cx)?,
            };
            let mut tree = self.tree(clone, &state)?;
            let paths = tree.list("").unwrap_or_default();
            let missing = tree.missing_of(paths.iter().map(String::as_str).filter(|path| wanted(path)));
            if !missing.is_empty() && trouble.is_none() && !cx.net.is_offline() {
                let told = |error| trouble::to_source_error(error, &self.address, self.at.as_deref());
                match clone.fetch_blobs(&missing) {
                    Ok(()) => {}
                    Err(GitError::Failed(talk)) if trouble::kind(&talk).0 != trouble::Kind::Network => {
                        state = clone.fetch_whole(self.at.as_deref())?;
                    }
                    Err(error) => trouble = Some(told(error)),
                }
                tree = self.tree(clone, &state)?;
            }
            let read_at = jiff::Timestamp::from_second(state.checked_at).unwrap_or_default();
            Ok((tree, trouble.map(|error| Stale { error, read_at })))
        })
    }

    /// Works with the clone in a folder while nobody else does.
    fn with_clone<T>(
        &self,
        folder: &Path,
        cx: &RefreshContext<'_>,
        work: impl FnOnce(&RemoteClone<'_>) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let last = Mutex::new(Instant::now());
        let on_step = |step: &Step| {
            let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if step.what == "Receiving objects" && last.elapsed() > Duration::from_millis(100) {
                *last = Instant::now();
                cx.report(step.done, Some(step.total), "objects");
            }
        };
        let silence = |seconds: u64| Duration::from_secs(seconds.saturating_mul(4));
        let git = Git {
            cancel: cx.progress.cancel_token(),
            silence: cx.config.timeout_seconds.map_or(SILENCE, silence),
            on_step: &on_step,
            login: self.login(cx)?,
        };
        let clone = RemoteClone { git, address: &self.address, folder: folder.to_owned() };
        let told = |error| trouble::to_source_error(error, &self.address, self.at.as_deref());
        let _lock = clone::lock(&clone.folder, &clone.git).map_err(told)?;
        work(&clone)
    }

    fn login(&self, cx: &RefreshContext<'_>) -> Result<Option<(String, Secret)>, SourceError> {
        if self.address.origin.is_none() {
            return Ok(None);
        }
        let user = cx.config.username.clone().unwrap_or_else(|| TOKEN_USER.to_owned());
        Ok(cx.token()?.map(|token| (user, token)))
    }

    /// Brings the clone up to date; with the reason why not, if what is there has to do.
    fn update(
        &self,
        clone: &RemoteClone<'_>,
        cx: &RefreshContext<'_>,
    ) -> Result<(State, Option<SourceError>), SourceError> {
        let is_local = self.address.origin.is_none() && Path::new(&self.address.host).is_absolute();
        let updated = if cx.net.is_offline() && !is_local {
            let host = self.address.host.clone();
            Err(SourceError::Net { place: self.address.shown.clone(), error: NetError::Offline { host } })
        } else {
            clone.update(self.at.as_deref())
        };
        match updated {
            Ok(state) => Ok((state, None)),
            Err(SourceError::Cancelled) => Err(SourceError::Cancelled),
            Err(error) => match clone.state() {
                Some(state) => Ok((state, Some(error))),
                None => Err(error),
            },
        }
    }

    fn names(&self, clone: &RemoteClone<'_>, state: &State) -> Names {
        let page = self.address.page_of(state.kind, &state.revision);
        // without the commit, which says nothing to people and is another one tomorrow
        let plain = || format!("git:{}@{}:", self.address.shown, state.revision);
        let location = page.map_or_else(plain, |page| format!("url:{page}"));
        Names {
            revision: state.revision.clone(),
            place: self.address.shown.clone(),
            full: clone.folder.clone(),
            location: Some(location),
        }
    }

    /// Reads the files of the commit.
    fn read(
        &self,
        clone: &RemoteClone<'_>,
        state: &State,
        cx: &RefreshContext<'_>,
    ) -> Result<Delta, SourceError> {
        let (tree, roots) = self.prepare(clone, state, cx)?;
        Ingest::new(cx, &tree).skipping_skeletons(cx.config.include.is_empty()).run(roots)
    }

    /// Opens the commit and fetches what will be read of it.
    fn prepare(
        &self,
        clone: &RemoteClone<'_>,
        state: &State,
        cx: &RefreshContext<'_>,
    ) -> Result<(GitTree, Vec<Root>), SourceError> {
        let tree = self.tree(clone, state)?;
        let roots = dir::find_listed(&tree, "", cx)?;
        if !state.is_filtered || cx.net.is_offline() {
            return Ok((tree, roots));
        }
        let now = self.fetch_wanted(clone, &tree, &roots, state, cx)?;
        if now == *state {
            return Ok((tree, roots));
        }
        let tree = self.tree(clone, &now)?;
        let roots = dir::find_listed(&tree, "", cx)?;
        Ok((tree, roots))
    }

    fn tree(&self, clone: &RemoteClone<'_>, state: &State) -> Result<GitTree, SourceError> {
        let unreadable = |error: &git2::Error| SourceError::Unreadable {
            place: self.address.shown.clone(),
            cause: error.message().to_owned(),
            hint: None,
        };
        let repository = clone.open().map_err(|error| unreadable(&error))?;
        let commit = Oid::from_str(&state.commit).map_err(|error| unreadable(&error))?;
        GitTree::of_commit(repository, commit, self.names(clone, state)).map_err(|error| unreadable(&error))
    }

    /// Fetches the contents of the files that will be read: those that are looked for, then what these
    /// name, and so on. Where the server does not give single contents, everything is fetched.
    fn fetch_wanted(
        &self,
        clone: &RemoteClone<'_>,
        tree: &GitTree,
        roots: &[Root],
        state: &State,
        cx: &RefreshContext<'_>,
    ) -> Result<State, SourceError> {
        let told = |error| trouble::to_source_error(error, &self.address, self.at.as_deref());
        let mut missing = tree.missing_of(roots.iter().filter_map(Root::path));
        for _ in 0..ROUNDS {
            if !missing.is_empty() {
                match clone.fetch_blobs(&missing) {
                    Ok(()) => {}
                    Err(GitError::Failed(talk)) if trouble::kind(&talk).0 != trouble::Kind::Network => {
                        return clone.fetch_whole(self.at.as_deref());
                    }
                    Err(error) => return Err(told(error)),
                }
            }
            // what these files name shows by reading them; addresses can wait
            let offline = Net::new(NetOptions { offline: true, ..NetOptions::default() });
            let quiet = Progress::none().cancelled_by(cx.progress.cancel_token().clone());
            let dry = RefreshContext { net: &offline, progress: &quiet, ..cx.clone() };
            tree.take_missing();
            let ingest = Ingest::new(&dry, tree).skipping_skeletons(cx.config.include.is_empty());
            ingest.run(roots.to_vec())?;
            missing = tree.take_missing();
            if missing.is_empty() {
                break;
            }
        }
        Ok(state.clone())
    }
}

/// A folder that is there as long as a refresh, for who keeps nothing.
struct TemporaryFolder(Option<PathBuf>);

impl TemporaryFolder {
    fn new(cx: &RefreshContext<'_>) -> Self {
        let name = || format!("devportal-{}-{}", std::process::id(), cx.index);
        Self(cx.folder.is_none().then(|| std::env::temp_dir().join(name())))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}
