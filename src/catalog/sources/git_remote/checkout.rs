//! Files of one folder of a repository on another machine, with their modes, without a checkout.
//!
//! Start at [`read_folder`]. The clone in the cache is the same kind as that of a source: one commit deep,
//! contents fetched for the wanted files alone where the server can do that.

use super::address::{self, GitAddress};
use super::clone::{self, RemoteClone, State};
use super::program::{Git, GitError, Step};
use super::{FOLDER, SILENCE, TOKEN_USER, trouble};
use crate::catalog::sources::SourceError;
use crate::config::secret::Secret;
use git2::{ObjectType, Oid, Repository};
use std::path::Path;
use tokio_util::sync::CancellationToken;

/// Most files that are read.
const MAX_FILES: usize = 50_000;
/// Most bytes of all files.
const MAX_BYTES: usize = 512 * 1024 * 1024;
/// Parts of a path that a branch may have.
const MAX_BRANCH_PARTS: usize = 6;
/// Deepest folder.
const MAX_DEPTH: usize = 100;

/// What is wanted of a repository.
#[derive(Debug)]
pub struct WantedFolder<'a> {
    /// Address of the repository.
    pub url: &'a str,
    /// Branch, tag or commit; absent: the first of `path` where it names a branch, else the default branch.
    pub revision: Option<&'a str>,
    /// Path inside, maybe behind the name of a branch, which may have slashes in it.
    pub path: &'a [String],
    /// `path` begins with a revision.
    pub path_has_revision: bool,
    /// Name and token; only for http addresses.
    pub login: Option<(String, Secret)>,
    /// Folder of this machine for the clone.
    pub cache: &'a Path,
    /// Nothing is asked of the network; what was fetched before has to do.
    pub is_offline: bool,
    /// Stops it.
    pub cancel: &'a CancellationToken,
}

/// What a fetched entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchedKind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// A file that may be executed.
    Executable,
    /// A symbolic link; its bytes are what it points to.
    Link,
}

/// A file or folder that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Path below the wanted folder; the name of the file where a file was wanted.
    pub path: String,
    /// What it is.
    pub kind: FetchedKind,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Reads a folder of a repository, or a single file of it. Blocks.
///
/// # Errors
/// [`SourceError`] when the repository, the revision or the folder cannot be had.
pub fn read_folder(wanted: &WantedFolder<'_>) -> Result<Vec<Fetched>, SourceError> {
    let address =
        GitAddress::parse(wanted.url).map_err(|cause| SourceError::BadSetting { setting: "url", cause })?;
    if !wanted.path_has_revision {
        return read_at(wanted, &address, wanted.revision, wanted.path);
    }
    // which part of the path is the branch only the server knows
    let mut first = None;
    for parts in 1..=wanted.path.len().min(MAX_BRANCH_PARTS) {
        let (branch, path) = wanted.path.split_at(parts);
        match read_at(wanted, &address, Some(&branch.join("/")), path) {
            Err(error @ SourceError::UnknownRevision { .. }) => first = first.or(Some(error)),
            other => return other,
        }
    }
    match first {
        Some(error) => Err(error),
        None => read_at(wanted, &address, None, &[]),
    }
}

fn read_at(
    wanted: &WantedFolder<'_>,
    address: &GitAddress,
    revision: Option<&str>,
    path: &[String],
) -> Result<Vec<Fetched>, SourceError> {
    if let Some(revision) = revision {
        address::check_revision(revision)
            .map_err(|cause| SourceError::BadSetting { setting: "at", cause })?;
    }
    let name = format!("{}\0{}", address.url, revision.unwrap_or_default());
    let sum = blake3::hash(name.as_bytes()).to_hex();
    let folder = wanted.cache.join(sum.get(..24).unwrap_or_default()).join(FOLDER);
    let quiet = |_: &Step| {};
    let login = wanted
        .login
        .clone()
        .map(|(user, token)| (if user.is_empty() { TOKEN_USER.to_owned() } else { user }, token));
    let git = Git {
        cancel: wanted.cancel,
        silence: SILENCE,
        on_step: &quiet,
        login: address.origin.as_ref().and(login),
    };
    let clone = RemoteClone { git, address, folder };
    let told = |error| trouble::to_source_error(error, address, revision);
    let _lock = clone::lock(&clone.folder, &clone.git).map_err(told)?;
    let is_local = address.origin.is_none() && Path::new(&address.host).is_absolute();
    let state = if wanted.is_offline && !is_local {
        clone.state().ok_or_else(|| SourceError::Net {
            place: address.shown.clone(),
            error: crate::net::NetError::Offline { host: address.host.clone() },
        })?
    } else {
        clone.update(revision)?
    };
    let reader = Reader { clone: &clone, address, revision };
    reader.read(&state, &path.join("/"))
}

struct Reader<'a> {
    clone: &'a RemoteClone<'a>,
    address: &'a GitAddress,
    revision: Option<&'a str>,
}

/// An entry of the wanted folder, not yet read.
struct Listed {
    path: String,
    kind: FetchedKind,
    id: Oid,
}

impl Reader<'_> {
    fn unreadable(&self, cause: impl Into<String>) -> SourceError {
        SourceError::Unreadable { place: self.address.shown.clone(), cause: cause.into(), hint: None }
    }

    fn read(&self, state: &State, path: &str) -> Result<Vec<Fetched>, SourceError> {
        let listed = self.list(state, path)?;
        if state.is_filtered {
            let repository = self.open()?;
            let odb = repository.odb().map_err(|error| self.unreadable(error.message()))?;
            let files = listed.iter().filter(|entry| entry.kind != FetchedKind::Folder);
            let missing: Vec<Oid> = files.map(|entry| entry.id).filter(|id| !odb.exists(*id)).collect();
            match self.clone.fetch_blobs(&missing) {
                Ok(()) => {}
                Err(GitError::Failed(talk)) if trouble::kind(&talk).0 != trouble::Kind::Network => {
                    self.clone.fetch_whole(self.revision)?;
                }
                Err(error) => return Err(trouble::to_source_error(error, self.address, self.revision)),
            }
        }
        self.contents(listed)
    }

    fn open(&self) -> Result<Repository, SourceError> {
        self.clone.open().map_err(|error| self.unreadable(error.message()))
    }

    fn list(&self, state: &State, path: &str) -> Result<Vec<Listed>, SourceError> {
        let unreadable = |error: git2::Error| self.unreadable(error.message());
        let repository = self.open()?;
        let commit = Oid::from_str(&state.commit).map_err(unreadable)?;
        let tree = repository
            .find_object(commit, None)
            .and_then(|found| found.peel_to_tree())
            .map_err(unreadable)?;
        let path = path.trim_matches('/');
        let mut listed = Vec::new();
        if path.is_empty() {
            self.walk(&repository, &tree, "", 0, &mut listed)?;
            return Ok(listed);
        }
        let entry = tree.get_path(Path::new(path)).map_err(|_| {
            let revision = &state.revision;
            self.unreadable(format!("`{}` is not there at `{revision}`", path.escape_debug()))
        })?;
        match entry.kind() {
            Some(ObjectType::Tree) => {
                let tree = repository.find_tree(entry.id()).map_err(unreadable)?;
                self.walk(&repository, &tree, "", 0, &mut listed)?;
            }
            _ => {
                let name = path.rsplit('/').next().unwrap_or(path).to_owned();
                listed.push(Listed { path: name, kind: kind_of(entry.filemode()), id: entry.id() });
            }
        }
        Ok(listed)
    }

    fn walk(
        &self,
        repository: &Repository,
        tree: &git2::Tree<'_>,
        below: &str,
        depth: usize,
        listed: &mut Vec<Listed>,
    ) -> Result<(), SourceError> {
        if depth > MAX_DEPTH {
            return Err(self.unreadable(format!("its folders are more than {MAX_DEPTH} deep")));
        }
        for entry in tree {
            if listed.len() >= MAX_FILES {
                return Err(self.unreadable(format!("the folder has more than {MAX_FILES} files")));
            }
            let Ok(name) = entry.name() else { continue };
            if matches!(name, "" | "." | "..") || name.contains('/') || name.eq_ignore_ascii_case(".git") {
                continue;
            }
            let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let id = entry.id();
                    listed.push(Listed { path: path.clone(), kind: FetchedKind::Folder, id });
                    let tree = repository.find_tree(id).map_err(|error| self.unreadable(error.message()))?;
                    self.walk(repository, &tree, &path, depth + 1, listed)?;
                }
                Some(ObjectType::Blob) => {
                    listed.push(Listed { path, kind: kind_of(entry.filemode()), id: entry.id() });
                }
                // a repository inside is another one
                _ => {}
            }
        }
        Ok(())
    }

    fn contents(&self, listed: Vec<Listed>) -> Result<Vec<Fetched>, SourceError> {
        let repository = self.open()?;
        let mut all = 0;
        let mut fetched = Vec::with_capacity(listed.len());
        for Listed { path, kind, id } in listed {
            let mut bytes = Vec::new();
            if kind != FetchedKind::Folder {
                let blob = repository.find_blob(id).map_err(|error| self.unreadable(error.message()))?;
                all += blob.content().len();
                if all > MAX_BYTES {
                    return Err(self.unreadable(format!("the folder is larger than {} MB", MAX_BYTES >> 20)));
                }
                bytes = blob.content().to_vec();
            }
            fetched.push(Fetched { path, kind, bytes });
        }
        Ok(fetched)
    }
}

fn kind_of(mode: i32) -> FetchedKind {
    match mode {
        0o120_000 => FetchedKind::Link,
        0o100_755 => FetchedKind::Executable,
        _ => FetchedKind::File,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(folder: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        let who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"];
        let output = command.current_dir(folder).args(who).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn repository() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("r");
        std::fs::create_dir_all(root.join("skeleton/deep")).unwrap();
        std::fs::write(root.join("skeleton/run.sh"), "#!/bin/sh\n").unwrap();
        std::fs::write(root.join("skeleton/deep/a"), "a").unwrap();
        std::fs::write(root.join("other"), "x").unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(root.join("skeleton/run.sh"), mode).unwrap();
            std::os::unix::fs::symlink("deep/a", root.join("skeleton/link")).unwrap();
        }
        git(&root, &["init", "-q"]);
        git(&root, &["add", "."]);
        git(&root, &["commit", "-qm", "one"]);
        git(&root, &["checkout", "-qb", "feature/x"]);
        std::fs::write(root.join("skeleton/deep/a"), "changed").unwrap();
        git(&root, &["commit", "-qam", "two"]);
        git(&root, &["checkout", "-q", "main"]);
        folder
    }

    fn read(
        folder: &Path,
        path: &[&str],
        path_has_revision: bool,
        is_offline: bool,
    ) -> Result<Vec<Fetched>, SourceError> {
        let url = format!("file://{}", folder.join("r").display());
        let path: Vec<String> = path.iter().map(ToString::to_string).collect();
        read_folder(&WantedFolder {
            url: &url,
            revision: None,
            path: &path,
            path_has_revision,
            login: None,
            cache: &folder.join("cache"),
            is_offline,
            cancel: &CancellationToken::new(),
        })
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_read_with_modes_and_links() {
        let folder = repository();
        let found = read(folder.path(), &["main", "skeleton"], true, false).unwrap();
        let shown: Vec<_> = found.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect();
        let expected = [
            ("deep", FetchedKind::Folder),
            ("deep/a", FetchedKind::File),
            ("link", FetchedKind::Link),
            ("run.sh", FetchedKind::Executable),
        ];
        assert_eq!(shown, expected);
        assert_eq!((&*found[1].bytes, &*found[2].bytes), (b"a".as_slice(), b"deep/a".as_slice()));
    }

    #[test]
    fn a_branch_may_have_slashes_and_a_file_may_be_wanted() {
        let folder = repository();
        let found = read(folder.path(), &["feature", "x", "skeleton", "deep", "a"], true, false).unwrap();
        assert_eq!((found.len(), found[0].path.as_str(), &*found[0].bytes), (1, "a", b"changed".as_slice()));
        assert!(read(folder.path(), &["nowhere", "skeleton"], true, false).is_err());
        let missing = read(folder.path(), &["main", "none"], true, false).unwrap_err();
        assert!(missing.to_string().contains("`none` is not there at `main`"), "{missing}");
        assert!(read(folder.path(), &[], false, false).unwrap().iter().any(|entry| entry.path == "other"));
    }
}
