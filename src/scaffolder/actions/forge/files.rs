//! The files of a workspace that are published: what `.gitignore` leaves, with modes and links.
//!
//! Start at [`list`]. Links are kept as links and never followed; `.git` is never published; settings of the user
//! (global ignores, line endings) do not matter, so that the same workspace makes the same commit everywhere.

use crate::scaffolder::action::ActionError;
use std::path::Path;

/// Most files that are published at once.
const MAX_FILES: usize = 50_000;
/// Most bytes that are published at once.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// How a file is kept in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// An ordinary file.
    Plain,
    /// One that may be executed.
    Executable,
    /// A symbolic link; its content is where it leads.
    Link,
}

impl Mode {
    /// Returns it as git writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
        }
    }
}

/// A file that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Path below the folder, with `/`.
    pub path: String,
    /// How it is kept.
    pub mode: Mode,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Returns a path of a repository: `path` below `folder`, both as a template names them.
///
/// # Errors
/// When it leaves the repository.
pub fn join(folder: Option<&str>, path: &str) -> Result<String, ActionError> {
    let named = format!("{}/{path}", folder.unwrap_or_default());
    let mut parts: Vec<&str> = Vec::new();
    for part in named.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => {
                let shown = named.trim_start_matches('/').escape_debug().to_string();
                return Err(ActionError::new(format!("`{shown}` leads outside of the repository")));
            }
            name => parts.push(name),
        }
    }
    Ok(parts.join("/"))
}

/// Returns how many files a folder publishes; reads none of them.
pub fn count(root: &Path) -> usize {
    walk(root).filter_map(Result::ok).filter(is_published).take(MAX_FILES).count()
}

/// Reads the files that a folder publishes, in order of their paths.
///
/// # Errors
/// When one cannot be read, has a name that is not UTF-8, or they are too many or too large.
pub fn list(root: &Path) -> Result<Vec<File>, ActionError> {
    if !root.is_dir() {
        let name = root.file_name().map_or_else(|| root.to_string_lossy(), |name| name.to_string_lossy());
        return Err(ActionError::new(format!("there is no folder `{name}` to publish in the workspace"))
            .hint("check `sourcePath`; it is relative to the workspace"));
    }
    let (mut files, mut bytes) = (Vec::new(), 0);
    for entry in walk(root) {
        let entry =
            entry.map_err(|error| ActionError::new(format!("could not read the workspace: {error}")))?;
        if !is_published(&entry) {
            continue;
        }
        let file = read(root, &entry)?;
        bytes += file.content.len() as u64;
        if files.len() >= MAX_FILES || bytes > MAX_BYTES {
            return Err(ActionError::new(format!(
                "the workspace is too large to publish: more than {MAX_FILES} files or {} MB",
                MAX_BYTES / 1024 / 1024
            ))
            .hint("name the folder that should be published in `sourcePath`, or add a .gitignore"));
        }
        files.push(file);
    }
    Ok(files)
}

fn walk(root: &Path) -> impl Iterator<Item = Result<ignore::DirEntry, ignore::Error>> {
    ignore::WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .git_exclude(false)
        .parents(false)
        .require_git(false)
        .git_ignore(true)
        .follow_links(false)
        .filter_entry(|entry| !entry.file_name().eq_ignore_ascii_case(".git"))
        .sort_by_file_name(Ord::cmp)
        .build()
}

fn is_published(entry: &ignore::DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file() || kind.is_symlink())
}

fn read(root: &Path, entry: &ignore::DirEntry) -> Result<File, ActionError> {
    let below = entry.path().strip_prefix(root).unwrap_or(entry.path());
    let path = below.to_str().ok_or_else(|| {
        let shown = below.to_string_lossy();
        ActionError::new(format!("`{}` cannot be published: its name is not UTF-8", shown.escape_debug()))
    })?;
    let path = if cfg!(windows) { path.replace('\\', "/") } else { path.to_owned() };
    let failed = |error: std::io::Error| ActionError::new(format!("could not read `{path}`: {error}"));
    if entry.file_type().is_some_and(|kind| kind.is_symlink()) {
        let target = std::fs::read_link(entry.path()).map_err(failed)?;
        let content = target.to_string_lossy().into_owned().into_bytes();
        return Ok(File { path, mode: Mode::Link, content });
    }
    let content = std::fs::read(entry.path()).map_err(failed)?;
    let mode = if is_executable(entry) { Mode::Executable } else { Mode::Plain };
    Ok(File { path, mode, content })
}

#[cfg(unix)]
fn is_executable(entry: &ignore::DirEntry) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    entry.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &ignore::DirEntry) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_their_repository() {
        for (folder, path, expected) in [
            (None, "a/b", Some("a/b")),
            (Some("./x/"), "a", Some("x/a")),
            (Some("x"), "../a", Some("a")),
            (Some("/"), "a", Some("a")),
            (Some("x"), "../../a", None),
        ] {
            assert_eq!(join(folder, path).ok().as_deref(), expected, "{folder:?} {path}");
        }
    }

    #[test]
    fn ignores_and_modes_are_honoured() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, text: &str| {
            let full = root.join(path);
            std::fs::create_dir_all(full.parent().unwrap()).unwrap();
            std::fs::write(full, text).unwrap();
        };
        for (path, text) in [
            (".gitignore", "target/\n*.log\n"),
            ("a.txt", "a"),
            ("x.log", "no"),
            ("target/out", "no"),
            ("sub/.gitignore", "!keep.log\nsecret\n"),
            ("sub/keep.log", "yes"),
            ("sub/secret", "no"),
            (".github/workflows/ci.yml", "on: push"),
            (".git/config", "no"),
            ("deep/.git/HEAD", "no"),
            ("run.sh", "#!"),
        ] {
            write(path, text);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(root.join("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
            std::os::unix::fs::symlink("../outside", root.join("link")).unwrap();
        }
        let files = list(root).unwrap();
        let found: Vec<(&str, &str)> = files.iter().map(|f| (f.path.as_str(), f.mode.as_str())).collect();
        assert_eq!(
            found,
            [
                (".github/workflows/ci.yml", "100644"),
                (".gitignore", "100644"),
                ("a.txt", "100644"),
                ("link", "120000"),
                ("run.sh", "100755"),
                ("sub/.gitignore", "100644"),
                ("sub/keep.log", "100644"),
            ]
        );
        assert_eq!(files[3].content, b"../outside");
        assert_eq!(count(root), files.len());
        assert!(list(&root.join("none")).unwrap_err().hint.contains("sourcePath"));
    }
}
