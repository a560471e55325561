//! Which files are checked, and reading one of them safely.

use crate::diagnostic::{Diagnostic, SourceLocation};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Deeper folders are not entered; no real tree is this deep.
const MAX_DEPTH: usize = 100;

/// A file to be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called in the output, with `/` between its parts.
    pub name: String,
    /// Folder that neither it nor what it names may leave, with links resolved.
    pub root: PathBuf,
}

/// Adds the files that a path of the command line means, in the order of their names.
pub fn find(path: &Path, is_relative: bool, found: &mut Vec<Found>) {
    if !path.is_dir() {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let root = confine(folder.unwrap_or(Path::new(".")));
        found.push(Found { path: path.to_owned(), name: slashes(path), root });
        return;
    }
    let root = confine(path);
    let base = if is_relative { path } else { Path::new("") };
    walk(path, base, &root, 0, found);
}

/// Returns the folder that files below `folder` may not leave: the repository it lies in, or itself.
fn confine(folder: &Path) -> PathBuf {
    let full = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let repository = full.ancestors().find(|above| above.join(".git").exists()).map(Path::to_owned);
    repository.unwrap_or(full)
}

fn walk(folder: &Path, base: &Path, root: &Path, depth: usize, found: &mut Vec<Found>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<std::fs::DirEntry> = entries.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let name = entry.file_name();
        // A link to a folder is not followed: what it shows is checked where it really is, and it may loop
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if name != ".git" && name != "node_modules" && depth < MAX_DEPTH {
                walk(&path, base, root, depth + 1, found);
            }
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") && !path.is_dir() {
            let shown = path.strip_prefix(base).unwrap_or(&path);
            found.push(Found { name: slashes(shown), path, root: root.to_owned() });
        }
    }
}

fn slashes(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = text.strip_prefix("./").unwrap_or(&text);
    if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() }
}

/// Reads a file of bounded size that is a regular file inside its root.
///
/// # Errors
/// A diagnostic that says why not.
pub fn read(found: &Found, max_bytes: u64) -> Result<Vec<u8>, Box<Diagnostic>> {
    read_inside(&found.path, &found.root, max_bytes).map_err(|refusal| {
        let hint = match refusal {
            Refusal::Outside => "a link that leads out of the repository is not followed",
            Refusal::TooLarge(_) => "raise `catalog.max_file_size` if this is a descriptor",
            Refusal::NotAFile => "put a plain file in its place",
            Refusal::Io(_) => "check the permissions of the file",
        };
        Box::new(
            Diagnostic::error(refusal.code(), format!("could not read `{}`: {refusal}", found.name))
                .at(SourceLocation::at(found.name.as_str(), 1, 1))
                .hint(hint),
        )
    })
}

/// Why a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// It lies outside of its root, or a link leads there.
    #[error("it leads out of its repository")]
    Outside,
    /// It is a device, a pipe or a folder.
    #[error("it is not a regular file")]
    NotAFile,
    /// It is larger than this many bytes.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// What the system says.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Refusal {
    /// Returns the stable name of the cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Outside => "file::outside",
            Self::NotAFile => "file::not-regular",
            Self::TooLarge(_) => "file::too-large",
            Self::Io(_) => "file::unreadable",
        }
    }
}

/// Reads a file of bounded size that is a regular file inside a folder (links resolved).
///
/// # Errors
/// [`Refusal`]
pub fn read_inside(path: &Path, root: &Path, max_bytes: u64) -> Result<Vec<u8>, Refusal> {
    let full = std::fs::canonicalize(path)?;
    if !full.starts_with(root) {
        return Err(Refusal::Outside);
    }
    let metadata = std::fs::metadata(&full)?;
    if !metadata.is_file() {
        return Err(Refusal::NotAFile);
    }
    if metadata.len() > max_bytes {
        return Err(Refusal::TooLarge(max_bytes));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    std::fs::File::open(&full)?.take(max_bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn finds_yaml_files_in_order_and_reads_only_regular_ones_inside() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        for name in ["b/.git", "b/node_modules", "a"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in ["z.yaml", "b/x.yml", "a/y.yaml", "b/.git/no.yaml", "b/node_modules/no.yaml", "no.json"] {
            std::fs::write(root.join(name), "a: 1").unwrap();
        }
        std::fs::write(folder.path().join("secret.yaml"), "s").unwrap();
        symlink("../../secret.yaml", root.join("a/out.yaml")).unwrap();
        symlink("loop.yaml", root.join("a/loop.yaml")).unwrap();
        symlink("..", root.join("a/up")).unwrap();
        let mut found = Vec::new();
        find(&root, true, &mut found);
        let shown: Vec<String> = found
            .iter()
            .map(|file| {
                let end = read(file, 100).err().map_or("", |diagnostic| diagnostic.code);
                format!("{} {end}", file.name).trim().to_owned()
            })
            .collect();
        assert_eq!(
            shown,
            ["a/loop.yaml file::unreadable", "a/out.yaml file::outside", "a/y.yaml", "b/x.yml", "z.yaml"]
        );
    }

    #[test]
    fn a_pipe_and_a_large_file_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(folder.path()).unwrap();
        let large = root.join("large.yaml");
        std::fs::File::create(&large).unwrap().set_len(1 << 30).unwrap();
        assert!(matches!(read_inside(&large, &root, 1000), Err(Refusal::TooLarge(1000))));
        let made = std::process::Command::new("mkfifo").arg(root.join("pipe.yaml")).status();
        if made.is_ok_and(|status| status.success()) {
            assert!(matches!(read_inside(&root.join("pipe.yaml"), &root, 1000), Err(Refusal::NotAFile)));
        }
    }
}
