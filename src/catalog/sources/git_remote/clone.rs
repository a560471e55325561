//! The bare clone of a remote repository in the cache folder: as little as can be had, brought up to date.
//!
//! Start at [`RemoteClone::update`]. One commit deep and without file contents where the server can do that;
//! what is read is fetched in one go before ([`RemoteClone::fetch_blobs`]). Only one instance writes at a
//! time. A clone that does not work any more is put aside and made anew; what a killed fetch leaves behind
//! is cleared away.

use super::address::{GitAddress, RevisionKind};
use super::program::{Git, GitError, REMOTE};
use super::trouble::{self, Kind};
use crate::catalog::sources::SourceError;
use git2::{Odb, Oid, Repository};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The reference that holds what was fetched last.
const HEAD: &str = "refs/devportal/head";
/// File in the clone that says what it holds.
const STATE: &str = "devportal.json";
/// Leftovers of a killed fetch are cleared away when they are this old.
const LEFTOVER: Duration = Duration::from_secs(60 * 60);
/// Packs from which on they are joined: each fetch adds one or two.
const MANY_PACKS: usize = 60;
/// How often somebody else's lock is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// What a clone holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// The commit that was fetched.
    pub commit: String,
    /// Branch, tag or commit as people call it.
    pub revision: String,
    pub kind: RevisionKind,
    /// When the server was last asked, with success: seconds since 1970.
    pub checked_at: i64,
    /// Whether contents of files are left out until they are wanted.
    pub is_filtered: bool,
}

/// What the server has.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    /// `refs/heads/main`, or a hash.
    name: String,
    revision: String,
    kind: RevisionKind,
    /// The commit, where the server told.
    commit: Option<String>,
}

/// What the server can do; found out by trying.
#[derive(Debug, Clone, Copy)]
struct Abilities {
    shallow: bool,
    filter: bool,
}

/// A clone in a folder.
pub(super) struct RemoteClone<'a> {
    pub git: Git<'a>,
    pub address: &'a GitAddress,
    pub folder: PathBuf,
}

/// Held while a clone is written or read.
pub(super) struct Lock(#[expect(dead_code, reason = "released when dropped")] File);

/// Waits until no other instance uses the clone.
pub(super) fn lock(folder: &Path, git: &Git<'_>) -> Result<Lock, GitError> {
    let io = |error: std::io::Error| GitError::Io(format!("`{}`: {error}", folder.display()));
    let parent = folder.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(io)?;
    let file =
        File::options().create(true).truncate(false).write(true).open(parent.join("git.lock")).map_err(io)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(std::fs::TryLockError::WouldBlock) => {}
            Err(std::fs::TryLockError::Error(error)) => return Err(io(error)),
        }
        // whoever holds it is bounded in time, or gone
        if git.cancel.is_cancelled() {
            return Err(GitError::Cancelled);
        }
        std::thread::sleep(LOOK);
    }
}

impl RemoteClone<'_> {
    /// Returns what the clone holds, if it is there and whole.
    pub(super) fn state(&self) -> Option<State> {
        read_state(&self.folder).filter(|state| self.has_tree(&state.commit))
    }

    /// Brings the clone up to date with a branch, tag or commit; without one with the default branch.
    pub(super) fn update(&self, at: Option<&str>) -> Result<State, SourceError> {
        let told = |error| trouble::to_source_error(error, self.address, at);
        self.clear_leftovers();
        let before = self.state();
        if let (Some(at), Some(state)) = (at, &before)
            && is_hash(at)
            && state.commit == at
        {
            return Ok(state.clone());
        }
        self.prepare().map_err(told)?;
        let wanted = self.ask(at)?;
        if let Some(state) = &before
            && wanted.commit.as_ref() == Some(&state.commit)
        {
            let state = State {
                revision: wanted.revision,
                kind: wanted.kind,
                checked_at: Timestamp::now().as_second(),
                ..state.clone()
            };
            self.write_state(&state).map_err(told)?;
            return Ok(state);
        }
        match self.fetch(&wanted, before.is_some()) {
            Ok(state) => Ok(state),
            Err(error @ (GitError::Cancelled | GitError::NotInstalled | GitError::TimedOut(_))) => {
                Err(told(error))
            }
            Err(error) if is_the_servers(&error) => Err(told(error)),
            // it may be the clone: a new one beside it takes its place if that works
            Err(error) => self.anew(&wanted).map_err(|second| match second {
                GitError::Cancelled => told(GitError::Cancelled),
                _ => told(error),
            }),
        }
    }

    /// Makes a new clone and puts the one that is there aside.
    pub(super) fn renew(&self, at: Option<&str>) -> Result<State, SourceError> {
        let told = |error| trouble::to_source_error(error, self.address, at);
        let wanted = self.ask(at)?;
        self.anew(&wanted).map_err(told)
    }

    fn anew(&self, wanted: &Wanted) -> Result<State, GitError> {
        let io = |error: std::io::Error| GitError::Io(error.to_string());
        let beside = |name: &str| self.folder.with_file_name(name);
        let (new, broken) = (beside("git.new"), beside("git.broken"));
        remove(&new).map_err(io)?;
        let fresh = RemoteClone {
            git: Git { login: self.git.login.clone(), ..self.git },
            address: self.address,
            folder: new.clone(),
        };
        fresh.prepare()?;
        let state = fresh.fetch(wanted, false)?;
        tracing::warn!(clone = %self.folder.display(), "the clone is put aside and made anew");
        if self.folder.exists() {
            remove(&broken).map_err(io)?;
            std::fs::rename(&self.folder, &broken).map_err(io)?;
        }
        std::fs::rename(&new, &self.folder).map_err(io)?;
        Ok(state)
    }

    /// Makes the repository; harmless where it is already.
    fn prepare(&self) -> Result<(), GitError> {
        if self.folder.join("objects").is_dir() && self.folder.join("HEAD").is_file() {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder).map_err(|error| GitError::Io(error.to_string()))?;
        self.run(&["init", "--quiet", "--bare", "--template="], None).map(drop)
    }

    /// Asks the server what the revision is there.
    fn ask(&self, at: Option<&str>) -> Result<Wanted, SourceError> {
        let told = |error| trouble::to_source_error(error, self.address, at);
        let place = || self.address.shown.clone();
        let hash = at.filter(|at| is_hash(at));
        if let Some(hash) = hash {
            let (name, revision) = (hash.to_owned(), hash.to_owned());
            return Ok(Wanted { name, revision, kind: RevisionKind::Commit, commit: Some(hash.to_owned()) });
        }
        let patterns: Vec<String> = match at {
            None => vec!["HEAD".to_owned()],
            Some(at) if at.starts_with("refs/") => vec![at.to_owned(), format!("{at}^{{}}")],
            Some(at) => {
                vec![format!("refs/heads/{at}"), format!("refs/tags/{at}"), format!("refs/tags/{at}^{{}}")]
            }
        };
        let mut arguments = vec!["ls-remote", "--symref", "--", REMOTE];
        arguments.extend(patterns.iter().map(String::as_str));
        let output = self.run(&arguments, None).map_err(told)?;
        let listed = Listed::read(&String::from_utf8_lossy(&output));
        match at {
            None => match listed.of_head() {
                Some(wanted) => Ok(wanted),
                None => Err(self.no_default(place())),
            },
            Some(at) => listed
                .named(at)
                .ok_or_else(|| SourceError::UnknownRevision { place: place(), revision: at.to_owned() }),
        }
    }

    /// Tells an empty repository from one whose default branch is gone.
    fn no_default(&self, place: String) -> SourceError {
        let output = self.run(&["ls-remote", "--heads", "--", REMOTE], None).unwrap_or_default();
        let text = String::from_utf8_lossy(&output).into_owned();
        let branches: Vec<&str> =
            text.lines().filter_map(|line| line.split_once("\trefs/heads/")).map(|(_, name)| name).collect();
        if branches.is_empty() {
            return SourceError::NoCommits { place };
        }
        let some: Vec<String> =
            branches.iter().take(5).map(|name| format!("`{}`", crate::model::text::clean(name))).collect();
        SourceError::Unreadable {
            place,
            cause: "its default branch does not exist".to_owned(),
            hint: Some(format!("name a branch with `at`: {}", some.join(", "))),
        }
    }

    /// Fetches what is wanted, with less asked of the server each time it cannot do something.
    fn fetch(&self, wanted: &Wanted, has_some: bool) -> Result<State, GitError> {
        let known = read_state(&self.folder);
        let is_whole = has_some && !self.folder.join("shallow").exists();
        let mut can = Abilities { shallow: !is_whole, filter: known.is_none_or(|state| state.is_filtered) };
        loop {
            match self.fetch_with(wanted, can) {
                Ok(()) => break,
                Err(GitError::Failed(talk))
                    if trouble::kind(&talk).0 == Kind::Unable && (can.shallow || can.filter) =>
                {
                    can = Abilities { shallow: false, filter: can.filter && can.shallow };
                }
                Err(error) => return Err(error),
            }
        }
        let odb = Odb::new().and_then(|odb| odb.add_disk_alternate(&self.objects()).map(|()| odb));
        let commit =
            self.fetched(wanted).ok_or_else(|| GitError::Failed("nothing was fetched".to_owned()))?;
        if odb.is_err() || !self.has_tree(&commit) {
            return Err(GitError::Failed(format!("the commit {commit} is not whole")));
        }
        let state = State {
            commit,
            revision: wanted.revision.clone(),
            kind: wanted.kind,
            checked_at: Timestamp::now().as_second(),
            is_filtered: can.filter && self.has_promises(),
        };
        self.write_state(&state)?;
        self.join_packs();
        Ok(state)
    }

    fn fetch_with(&self, wanted: &Wanted, can: Abilities) -> Result<(), GitError> {
        let refspec = format!("+{}:{HEAD}", wanted.name);
        let mut arguments = vec![
            "fetch",
            "--progress",
            "--force",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-gc",
        ];
        if can.shallow {
            arguments.push("--depth=1");
        }
        if can.filter {
            arguments.push("--filter=blob:none");
        }
        arguments.extend(["--", REMOTE, refspec.as_str()]);
        self.run(&arguments, None).map(drop)
    }

    /// Fetches contents of files, all at once.
    pub(super) fn fetch_blobs(&self, blobs: &[Oid]) -> Result<(), GitError> {
        if blobs.is_empty() {
            return Ok(());
        }
        let mut input = String::with_capacity(blobs.len() * 41);
        for blob in blobs {
            input.push_str(&blob.to_string());
            input.push('\n');
        }
        let arguments = [
            "-c",
            "fetch.negotiationAlgorithm=noop",
            "fetch",
            "--progress",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-gc",
            "--filter=blob:none",
            "--stdin",
            "--",
            REMOTE,
        ];
        self.run(&arguments, Some(input.into_bytes())).map(drop)
    }

    /// Fetches everything of the revision, file contents too, in place of what is there.
    pub(super) fn fetch_whole(&self, at: Option<&str>) -> Result<State, SourceError> {
        let told = |error| trouble::to_source_error(error, self.address, at);
        let state = read_state(&self.folder);
        remove(&self.folder).map_err(|error| told(GitError::Io(error.to_string())))?;
        self.prepare().map_err(told)?;
        if let Some(state) = state {
            // from now on without the filter
            self.write_state(&State { is_filtered: false, ..state }).map_err(told)?;
        }
        let wanted = self.ask(at)?;
        self.fetch(&wanted, false).map_err(told)
    }

    /// Opens what was fetched.
    pub(super) fn open(&self) -> Result<Repository, git2::Error> {
        let odb = Odb::new()?;
        odb.add_disk_alternate(&self.objects())?;
        Repository::from_odb(odb)
    }

    fn objects(&self) -> String {
        self.folder.join("objects").to_string_lossy().into_owned()
    }

    fn has_tree(&self, commit: &str) -> bool {
        let found = || -> Result<Oid, git2::Error> {
            let repository = self.open()?;
            let object = repository.find_object(Oid::from_str(commit)?, None)?;
            Ok(object.peel_to_tree()?.id())
        };
        found().is_ok()
    }

    /// Returns the commit that the last fetch brought.
    fn fetched(&self, wanted: &Wanted) -> Option<String> {
        let text = std::fs::read_to_string(self.folder.join(HEAD)).ok();
        let id = text.map(|text| text.trim().to_owned()).filter(|id| is_hash(id));
        let id = id.or_else(|| wanted.commit.clone())?;
        let repository = self.open().ok()?;
        let object = repository.find_object(Oid::from_str(&id).ok()?, None).ok()?;
        Some(object.peel_to_commit().ok()?.id().to_string())
    }

    /// Whether some pack was made by a server that leaves things out.
    fn has_promises(&self) -> bool {
        self.packs().any(|path| path.extension().is_some_and(|extension| extension == "promisor"))
    }

    fn packs(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let entries = std::fs::read_dir(self.folder.join("objects/pack"));
        entries.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path())
    }

    /// Joins packs when many fetches have left many; what fails here costs nothing but time.
    fn join_packs(&self) {
        let packs = self.packs().filter(|path| path.extension().is_some_and(|extension| extension == "pack"));
        if packs.count() >= MANY_PACKS {
            let _ = self.run(&["gc", "--quiet", "--prune=now"], None);
        }
    }

    /// Clears away what a killed fetch has left: nobody else writes while the lock is held.
    fn clear_leftovers(&self) {
        let is_old = |path: &Path, age: Duration| {
            let modified = path.metadata().and_then(|metadata| metadata.modified());
            let since = modified.ok().and_then(|time| SystemTime::now().duration_since(time).ok());
            since.is_some_and(|since| since >= age)
        };
        for path in self.packs() {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.starts_with("tmp_") && is_old(&path, LEFTOVER) {
                let _ = std::fs::remove_file(&path);
            }
        }
        // a program that was killed alone may live a moment longer than we know of
        for lock in
            ["shallow.lock", "config.lock", "HEAD.lock", "packed-refs.lock", "refs/devportal/head.lock"]
        {
            let path = self.folder.join(lock);
            if path.exists() {
                for _ in 0..20 {
                    if is_old(&path, Duration::from_secs(3)) || self.git.cancel.is_cancelled() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(200));
                }
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    fn write_state(&self, state: &State) -> Result<(), GitError> {
        let text = serde_json::to_string(state).unwrap_or_default();
        let path = self.folder.join(STATE);
        let new = path.with_extension("new");
        let written = File::create(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| std::fs::rename(&new, &path));
        written.map_err(|error| GitError::Io(format!("`{}`: {error}", path.display())))
    }

    fn run(&self, arguments: &[&str], input: Option<Vec<u8>>) -> Result<Vec<u8>, GitError> {
        self.git.run(&self.folder, self.address, arguments, input)
    }
}

/// Reads what a clone says it holds.
pub(super) fn read_state(folder: &Path) -> Option<State> {
    let text = std::fs::read_to_string(folder.join(STATE)).ok()?;
    let state: State = serde_json::from_str(&text).ok()?;
    is_hash(&state.commit).then_some(state)
}

pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether the server is the cause, so that a new clone would fare no better.
fn is_the_servers(error: &GitError) -> bool {
    match error {
        GitError::Failed(talk) => trouble::kind(talk).0 != Kind::Other,
        _ => false,
    }
}

fn remove(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What `ls-remote --symref` prints.
#[derive(Debug, Default)]
struct Listed {
    /// Where HEAD points.
    head: Option<String>,
    /// Hash and name.
    references: Vec<(String, String)>,
}

impl Listed {
    fn read(text: &str) -> Self {
        let mut out = Self::default();
        for line in text.lines() {
            let Some((left, name)) = line.split_once('\t') else { continue };
            match left.strip_prefix("ref: ") {
                Some(target) if name == "HEAD" => out.head = Some(target.to_owned()),
                None if is_hash(left) => out.references.push((left.to_owned(), name.to_owned())),
                _ => {}
            }
        }
        out
    }

    fn find(&self, name: &str) -> Option<String> {
        self.references.iter().find(|(_, found)| found == name).map(|(hash, _)| hash.clone())
    }

    fn of_head(&self) -> Option<Wanted> {
        let commit = self.find("HEAD")?;
        let branch = self.head.as_ref().and_then(|target| target.strip_prefix("refs/heads/"));
        Some(match branch {
            Some(branch) => Wanted {
                name: format!("refs/heads/{branch}"),
                revision: branch.to_owned(),
                kind: RevisionKind::Branch,
                commit: Some(commit),
            },
            None => Wanted {
                name: "HEAD".to_owned(),
                revision: commit.clone(),
                kind: RevisionKind::Commit,
                commit: Some(commit),
            },
        })
    }

    /// Finds a name: a branch before a tag, as `git clone --branch` does.
    fn named(&self, at: &str) -> Option<Wanted> {
        let wanted =
            |name: String, kind, commit| Wanted { name, revision: at.to_owned(), kind, commit: Some(commit) };
        if at.starts_with("refs/") {
            let commit = self.find(&format!("{at}^{{}}")).or_else(|| self.find(at))?;
            let short = ["refs/heads/", "refs/tags/"].iter().find_map(|start| at.strip_prefix(start));
            let kind = if at.starts_with("refs/tags/") { RevisionKind::Tag } else { RevisionKind::Branch };
            return Some(Wanted {
                revision: short.unwrap_or(at).to_owned(),
                ..wanted(at.to_owned(), kind, commit)
            });
        }
        let branch = format!("refs/heads/{at}");
        if let Some(commit) = self.find(&branch) {
            return Some(wanted(branch, RevisionKind::Branch, commit));
        }
        let tag = format!("refs/tags/{at}");
        let commit = self.find(&format!("{tag}^{{}}")).or_else(|| self.find(&tag))?;
        Some(wanted(tag, RevisionKind::Tag, commit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn reads_what_the_server_lists() {
        let listed = Listed::read(&format!("ref: refs/heads/trunk\tHEAD\n{A}\tHEAD\n"));
        let wanted = listed.of_head().unwrap();
        assert_eq!((wanted.name.as_str(), wanted.revision.as_str()), ("refs/heads/trunk", "trunk"));
        let detached = Listed::read(&format!("{A}\tHEAD\n")).of_head().unwrap();
        assert_eq!((detached.kind, detached.revision.as_str()), (RevisionKind::Commit, A));
        assert!(Listed::read("").of_head().is_none());
        let listed = Listed::read(&format!("{A}\trefs/tags/v1\n{B}\trefs/tags/v1^{{}}\n"));
        let wanted = listed.named("v1").unwrap();
        assert_eq!((wanted.kind, wanted.commit.as_deref()), (RevisionKind::Tag, Some(B)));
        let both = Listed::read(&format!("{A}\trefs/heads/v1\n{B}\trefs/tags/v1\n"));
        assert_eq!(both.named("v1").unwrap().kind, RevisionKind::Branch);
        assert!(both.named("v2").is_none());
    }
}
