//! Commits of a workspace, made in a repository of their own and pushed from there.
//!
//! Start at [`Commit::first`]. The workspace is not touched; the repository goes when the value does. Two commits of
//! the same files with the same words differ in their time alone.

use super::files::{self, Mode};
use crate::scaffolder::action::ActionError;
use git2::build::TreeUpdateBuilder;
use git2::{FileMode, Oid, Repository, Signature};
use std::path::Path;

/// Who wrote a commit, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The message.
    pub message: String,
    /// The name of its author.
    pub name: String,
    /// The address of its author.
    pub email: String,
}

/// A commit in a repository of its own.
pub struct Commit {
    folder: tempfile::TempDir,
    id: Oid,
}

impl Commit {
    /// Commits the files of a folder as the first commit of a repository.
    ///
    /// # Errors
    /// When a file cannot be read or the commit cannot be made.
    pub fn first(root: &Path, words: &Words) -> Result<Self, ActionError> {
        let files = files::list(root)?;
        let (folder, repository) = empty()?;
        let id = build(&repository, None, &files, words).map_err(|error| failed(&error))?;
        Ok(Self { folder, id })
    }

    /// Commits the files of a folder on top of a branch that `fetch` brings into the repository; what is there
    /// and not in the folder stays. `None` when nothing differs.
    ///
    /// # Errors
    /// As [`Self::first`], and what `fetch` says.
    pub fn on_top(
        root: &Path,
        words: &Words,
        branch: &str,
        fetch: impl FnOnce(&Path) -> Result<(), ActionError>,
    ) -> Result<Option<Self>, ActionError> {
        let files = files::list(root)?;
        let (folder, repository) = empty()?;
        fetch(folder.path())?;
        let parent = repository
            .find_reference(&format!("refs/heads/{branch}"))
            .and_then(|reference| reference.peel_to_commit())
            .map_err(|error| failed(&error))?;
        let id = build(&repository, Some(&parent), &files, words).map_err(|error| failed(&error))?;
        let tree = |id| repository.find_commit(id).map(|commit| commit.tree_id());
        let same = tree(id).ok() == Some(parent.tree_id());
        drop(parent);
        Ok((!same).then_some(Self { folder, id }))
    }

    /// Returns the folder of the repository.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the hash.
    pub fn hash(&self) -> String {
        self.id.to_string()
    }
}

fn empty() -> Result<(tempfile::TempDir, Repository), ActionError> {
    let folder = tempfile::tempdir()
        .map_err(|error| ActionError::new(format!("could not make a folder for the commit: {error}")))?;
    let mut options = git2::RepositoryInitOptions::new();
    // templates of the user may bring hooks
    options.bare(true).external_template(false);
    let repository = Repository::init_opts(folder.path(), &options).map_err(|error| failed(&error))?;
    Ok((folder, repository))
}

fn build(
    repository: &Repository,
    parent: Option<&git2::Commit<'_>>,
    files: &[files::File],
    words: &Words,
) -> Result<Oid, git2::Error> {
    let base = match parent {
        Some(parent) => parent.tree()?,
        None => repository.find_tree(repository.treebuilder(None)?.write()?)?,
    };
    let mut update = TreeUpdateBuilder::new();
    for file in files {
        let mode = match file.mode {
            Mode::Plain => FileMode::Blob,
            Mode::Executable => FileMode::BlobExecutable,
            Mode::Link => FileMode::Link,
        };
        update.upsert(file.path.as_str(), repository.blob(&file.content)?, mode);
    }
    let tree = repository.find_tree(update.create_updated(repository, &base)?)?;
    let who = Signature::now(&words.name, &words.email)?;
    let parents: Vec<&git2::Commit<'_>> = parent.into_iter().collect();
    repository.commit(None, &who, &who, &words.message, &tree, &parents)
}

fn failed(error: &git2::Error) -> ActionError {
    ActionError::new(format!("could not make the commit: {}", error.message()))
}

/// Checks that a text can be the name of a branch.
///
/// # Errors
/// When git would refuse it.
pub fn check_branch(name: &str) -> Result<(), ActionError> {
    if name.starts_with('-') || !git2::Reference::is_valid_name(&format!("refs/heads/{name}")) {
        return Err(ActionError::new(format!("`{}` is no name of a branch", name.escape_debug()))
            .hint("letters, digits, `-`, `_`, `.` and `/` between parts; no space, no `..`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words { message: "initial commit".into(), name: "Ana".into(), email: "ana@acme.io".into() }
    }

    #[test]
    fn a_commit_holds_what_the_folder_publishes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("src")).unwrap();
        std::fs::write(folder.path().join("src/main.rs"), "fn main() {}\r\n").unwrap();
        std::fs::write(folder.path().join(".gitattributes"), "* text=auto\n").unwrap();
        let commit = Commit::first(folder.path(), &words()).unwrap();
        let repository = Repository::open(commit.folder()).unwrap();
        let made = repository.find_commit(Oid::from_str(&commit.hash()).unwrap()).unwrap();
        assert_eq!(
            (made.message().unwrap(), made.author().email().unwrap()),
            ("initial commit", "ana@acme.io")
        );
        let tree = made.tree().unwrap();
        let entry = tree.get_path(Path::new("src/main.rs")).unwrap();
        // bytes are as they are, whatever attributes say
        assert_eq!(repository.find_blob(entry.id()).unwrap().content(), b"fn main() {}\r\n");
        assert!(!folder.path().join(".git").exists());
    }

    #[test]
    fn an_empty_folder_makes_an_empty_commit() {
        let folder = tempfile::tempdir().unwrap();
        let commit = Commit::first(folder.path(), &words()).unwrap();
        assert_eq!(commit.hash().len(), 40);
    }

    #[test]
    fn branches_are_checked() {
        for good in ["main", "feature/x", "v1.2"] {
            assert!(check_branch(good).is_ok(), "{good}");
        }
        for bad in ["", "-x", "a b", "a..b", "a~1", "x.lock", "a\nb"] {
            assert!(check_branch(bad).is_err(), "{bad}");
        }
    }
}
