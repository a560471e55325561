//! One revision of a git repository as a tree, read from the object store without a checkout.

use super::SourceError;
use super::git_remote::encode_path;
use crate::catalog::tree::{MAX_FILES, SourceTree, Stamp, TreeError, folder_of, resolve};
use git2::{ErrorCode, ObjectType, OdbLookupFlags, Oid, Repository, TreeWalkMode, TreeWalkResult};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Links that are followed one after another before it is called a circle.
const MAX_LINKS: usize = 8;
/// How a file begins whose content lies in Git LFS.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
/// Mode of a symbolic link in a git tree.
const LINK: i32 = 0o120_000;

/// The files of one commit.
pub(super) struct GitTree {
    repository: Mutex<Repository>,
    /// Path with object and whether it is a link.
    files: BTreeMap<String, (Oid, bool)>,
    /// Folder of the repository that was asked for.
    start: String,
    /// What stands before the colon of a shown path.
    revision: String,
    /// Repository as the user typed it.
    place: String,
    /// What stands before a path in its location ref.
    location: String,
    /// Whether that is an address.
    is_page: bool,
    commit: Oid,
    /// Objects that were asked for and are not there.
    missing: Mutex<BTreeSet<Oid>>,
}

/// How the files of a commit are called.
pub(super) struct Names {
    /// What stands before the colon of a shown path.
    pub revision: String,
    /// The repository as the user typed it.
    pub place: String,
    /// Full path of the repository.
    pub full: PathBuf,
    /// What stands before a path in its location ref, where that is not the repository and the commit.
    pub location: Option<String>,
}

impl GitTree {
    pub(super) fn open(path: &Path, revision: &str) -> Result<Self, SourceError> {
        let place = path.display().to_string();
        let unreadable = |error: &git2::Error| SourceError::Unreadable {
            place: place.clone(),
            cause: plain(error),
            hint: None,
        };
        let repository = Repository::discover(path).map_err(|error| match error.code() {
            ErrorCode::NotFound => SourceError::Unreadable {
                place: place.clone(),
                cause: "it is not inside a git repository".into(),
                hint: Some("leave out the revision to read it as a folder".into()),
            },
            _ => unreadable(&error),
        })?;
        if repository.is_empty().unwrap_or(false) || matches!(unborn(&repository), Some(true)) {
            return Err(SourceError::NoCommits { place });
        }
        let unknown = || SourceError::UnknownRevision { place: place.clone(), revision: revision.to_owned() };
        let (commit, files) = {
            let object = repository.revparse_single(revision).map_err(|error| match error.code() {
                ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Ambiguous => unknown(),
                _ => unreadable(&error),
            })?;
            let tree = object.peel_to_tree().map_err(|_| unknown())?;
            let files = list_files(&tree).map_err(|error| unreadable(&error))?;
            (object.peel_to_commit().map_or_else(|_| object.id(), |commit| commit.id()), files)
        };
        let full = repository.workdir().unwrap_or_else(|| repository.path()).to_path_buf();
        let start = repository.workdir().map_or_else(String::new, |root| start_of(root, path));
        let names = Names { revision: revision.to_owned(), place, full, location: None };
        Ok(Self { start, ..Self::new(repository, files, commit, names) })
    }

    /// Opens a commit whose files are named otherwise than by the repository's path.
    pub(super) fn of_commit(repository: Repository, commit: Oid, names: Names) -> Result<Self, git2::Error> {
        let files = list_files(&repository.find_object(commit, None)?.peel_to_tree()?)?;
        Ok(Self::new(repository, files, commit, names))
    }

    fn new(repository: Repository, files: BTreeMap<String, (Oid, bool)>, commit: Oid, names: Names) -> Self {
        let Names { revision, place, full, location } = names;
        Self {
            repository: Mutex::new(repository),
            files,
            start: String::new(),
            revision,
            place,
            is_page: location.as_ref().is_some_and(|location| location.starts_with("url:")),
            location: location.unwrap_or_else(|| format!("git:{}@{commit}:", full.display())),
            commit,
            missing: Mutex::default(),
        }
    }

    /// Returns those contents of files that are not in the repository.
    pub(super) fn missing_of<'p>(&self, paths: impl Iterator<Item = &'p str>) -> Vec<Oid> {
        let wanted: BTreeSet<Oid> =
            paths.filter_map(|path| self.files.get(path)).map(|(object, _)| *object).collect();
        let repository = self.repository.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(odb) = repository.odb() else { return Vec::new() };
        let _ = odb.refresh();
        // looking at the disk anew for each would take minutes
        wanted.into_iter().filter(|id| !odb.exists_ext(*id, OdbLookupFlags::NO_REFRESH)).collect()
    }

    /// Returns the contents that were asked for since the last time and are not in the repository.
    pub(super) fn take_missing(&self) -> Vec<Oid> {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *missing).into_iter().collect()
    }

    /// Returns the folder of the repository that was asked for.
    pub(super) fn start(&self) -> &str {
        &self.start
    }

    /// Returns the commit, or the object that was named if it is none.
    pub(super) fn commit(&self) -> Oid {
        self.commit
    }

    /// Returns whether the path names a file, not a folder.
    pub(super) fn is_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// Follows links inside the revision.
    fn find(&self, path: &str) -> Result<Oid, TreeError> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let Some((oid, link)) = self.files.get(&path) else {
                let prefix = format!("{path}/");
                let is_folder =
                    self.files.range(prefix.clone()..).next().is_some_and(|(p, _)| p.starts_with(&prefix));
                return Err(if is_folder { TreeError::NotAFile("a folder") } else { TreeError::NotFound });
            };
            if !link {
                return Ok(*oid);
            }
            let target = self.content(*oid, 4096)?;
            let target = String::from_utf8_lossy(&target).into_owned();
            path = (!target.starts_with('/'))
                .then(|| resolve(folder_of(&path), &target))
                .flatten()
                .ok_or(TreeError::Outside)?;
        }
        Err(TreeError::Loop)
    }

    fn content(&self, oid: Oid, limit: u64) -> Result<Vec<u8>, TreeError> {
        let repository = self.repository.lock().unwrap_or_else(PoisonError::into_inner);
        let io = |error: git2::Error| TreeError::Io(plain(&error));
        let odb = repository.odb().map_err(io)?;
        let (size, _) = odb.read_header(oid).map_err(|error| {
            if error.code() == ErrorCode::NotFound {
                self.missing.lock().unwrap_or_else(PoisonError::into_inner).insert(oid);
                return TreeError::Io("its content was not fetched".to_owned());
            }
            io(error)
        })?;
        if size as u64 > limit {
            return Err(TreeError::TooLarge { size: size as u64, limit });
        }
        let blob = repository.find_blob(oid).map_err(io)?;
        Ok(blob.content().to_vec())
    }
}

/// Whether HEAD points at a branch that does not exist yet and there is no other branch or tag.
fn unborn(repository: &Repository) -> Option<bool> {
    let error = repository.head().err()?;
    let none = repository.references().ok()?.next().is_none();
    Some(error.code() == ErrorCode::UnbornBranch && none)
}

fn start_of(root: &Path, path: &Path) -> String {
    let full = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    full.strip_prefix(root).map(|below| below.to_string_lossy().replace('\\', "/")).unwrap_or_default()
}

fn list_files(tree: &git2::Tree<'_>) -> Result<BTreeMap<String, (Oid, bool)>, git2::Error> {
    let mut files = BTreeMap::new();
    let mut too_many = false;
    let walked = tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if files.len() >= MAX_FILES {
            too_many = true;
            return TreeWalkResult::Abort;
        }
        // names that are not UTF-8 cannot be named by a descriptor
        if let (Some(ObjectType::Blob), Ok(name)) = (entry.kind(), entry.name()) {
            files.insert(format!("{folder}{name}"), (entry.id(), entry.filemode() == LINK));
        }
        TreeWalkResult::Ok
    });
    if too_many {
        return Err(git2::Error::from_str("the revision has too many files"));
    }
    walked.map(|()| files)
}

/// The library's words without its class and code.
fn plain(error: &git2::Error) -> String {
    error.message().trim_end_matches('.').to_owned()
}

impl SourceTree for GitTree {
    fn read(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<(), TreeError> {
        let content = self.content(self.find(path)?, limit)?;
        if content.starts_with(LFS_POINTER) {
            return Err(TreeError::Elsewhere);
        }
        buffer.clear();
        buffer.extend_from_slice(&content);
        Ok(())
    }

    fn stamp(&self, path: &str) -> Option<Stamp> {
        let (oid, _) = self.files.get(path).filter(|(_, link)| !link)?;
        let mut bytes = [0; 32];
        bytes.get_mut(..oid.as_bytes().len())?.copy_from_slice(oid.as_bytes());
        let mut words = bytes.chunks_exact(8).map(|word| word.try_into().map_or(0, u64::from_le_bytes));
        Some(Stamp(std::array::from_fn(|_| words.next().unwrap_or(0))))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, TreeError> {
        if folder.is_empty() {
            return Ok(self.files.keys().cloned().collect());
        }
        let prefix = format!("{folder}/");
        let below = self.files.range(prefix.clone()..).map(|(path, _)| path);
        Ok(below.take_while(|path| path.starts_with(&prefix)).cloned().collect())
    }

    fn shown(&self, path: &str) -> Arc<str> {
        format!("{}:{path}", self.revision).into()
    }

    fn location_ref(&self, path: &str) -> Arc<str> {
        if self.is_page {
            return format!("{}{}", self.location, encode_path(path)).into();
        }
        format!("{}{path}", self.location).into()
    }
}

impl std::fmt::Debug for GitTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitTree")
            .field("place", &self.place)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}
