//! Where skeletons come from: the template's own folder, the built-in sample, a repository elsewhere.
//!
//! Start at [`locate`]. Relative addresses stay below the folder of the template; links that lead out of
//! it are left out. Repositories are fetched with the user's own `git` into the cache.

use super::action::{ActionError, Workbench};
use super::actions::paths::{inside, leads_outside, trouble};
use super::template::Base;
use super::tree::{self, Kind};
use crate::catalog::sources::embedded;
use std::path::{Path, PathBuf};
use url::Url;

/// Largest file that is fetched, in bytes.
const MAX_FILE: u64 = 512 * 1024 * 1024;

/// Something that is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On this machine, inside the folder of the template (the second).
    Disk(PathBuf, PathBuf),
    /// Compiled into the program.
    Embedded(String),
    /// Somewhere else.
    Remote(Url),
}

/// A file or folder of a skeleton, read when it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Path below what was fetched, with `/`.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Disk(PathBuf),
    Embedded(String),
    Bytes(Vec<u8>),
    None,
}

impl Item {
    /// Creates a file, or a link whose bytes are its target.
    pub fn new(path: String, kind: Kind, mode: u32, bytes: Vec<u8>) -> Self {
        Self { path, kind, mode, content: Content::Bytes(bytes) }
    }

    /// Reads its bytes; those of a link are its target.
    ///
    /// # Errors
    /// When it cannot be read, or is too large.
    pub fn read(&self) -> Result<Vec<u8>, ActionError> {
        match &self.content {
            Content::None => Ok(Vec::new()),
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::Embedded(path) => Ok(embedded::bytes(path).unwrap_or_default().to_vec()),
            Content::Disk(path) if self.kind == Kind::Link => {
                let target = std::fs::read_link(path).map_err(|error| trouble("read", path, &error))?;
                Ok(target.to_string_lossy().into_owned().into_bytes())
            }
            Content::Disk(path) => {
                let failed = |error: std::io::Error| trouble("read", path, &error);
                let size = path.metadata().map_err(failed)?.len();
                if size > MAX_FILE {
                    let shown = self.path.escape_debug();
                    return Err(ActionError::new(format!("`{shown}` is larger than {} MB", MAX_FILE >> 20)));
                }
                std::fs::read(path).map_err(failed)
            }
        }
    }
}

/// Finds what an address of a fetch action means.
///
/// # Errors
/// When it leaves the template's folder, or nobody knows where that is.
pub fn locate(base: &Base, url: &str) -> Result<Place, ActionError> {
    if let Ok(absolute) = Url::parse(url) {
        return match absolute.scheme() {
            "http" | "https" => Ok(Place::Remote(absolute)),
            scheme => Err(ActionError::new(format!(
                "could not fetch `{}`: `{scheme}:` is not read",
                url.escape_debug()
            ))
            .hint("write an https address, or a path relative to the template")),
        };
    }
    match base {
        Base::Folder(folder) => {
            let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.clone());
            // an absolute path is no place of the template, even where it is below its folder
            let named = if url.starts_with('/') { Err(outside(url)) } else { inside(&folder, url) };
            Ok(Place::Disk(named.map_err(|_| outside(url))?, folder))
        }
        Base::Embedded(folder) => {
            let path = joined(folder, url).ok_or_else(|| outside(url))?;
            Ok(Place::Embedded(path))
        }
        Base::Remote(base) => {
            let joined = crate::catalog::ingest::join_address(base, url);
            joined.map(Place::Remote).ok_or_else(|| {
                ActionError::new(format!("`{}` is no address relative to `{base}`", url.escape_debug()))
            })
        }
        Base::Unknown(why) => {
            let message = format!("could not fetch `{}`: it is relative, and {why}", url.escape_debug());
            Err(ActionError::new(message).hint("write the whole https address in the template"))
        }
    }
}

fn outside(url: &str) -> ActionError {
    ActionError::new(format!("`{}` leads outside of the folder of the template", url.escape_debug()))
        .hint("move what is fetched below the folder of the template, or write its https address")
}

/// Joins a relative path to a folder it may not leave.
fn joined(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let below = parts.join("/");
    Some(
        [folder.trim_matches('/'), &below]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/"),
    )
}

/// Lists a folder with everything below it, folders before what is in them.
///
/// # Errors
/// When there is no such folder, or it cannot be read.
pub fn folder(
    place: &Place,
    token: Option<&str>,
    bench: &mut dyn Workbench,
) -> Result<Vec<Item>, ActionError> {
    match place {
        Place::Disk(path, root) => disk_folder(path, root),
        Place::Embedded(path) => embedded_folder(path),
        Place::Remote(url) => super::remote::folder(url, token, bench),
    }
}

/// Finds one file.
///
/// # Errors
/// When there is no such file, or it cannot be read.
pub fn file(place: &Place, token: Option<&str>, bench: &mut dyn Workbench) -> Result<Item, ActionError> {
    match place {
        Place::Disk(path, root) => {
            if leads_outside(root, path) {
                return Err(outside(&path.display().to_string()));
            }
            let metadata = path.metadata().map_err(|error| trouble("read", path, &error))?;
            if !metadata.is_file() {
                return Err(ActionError::new(format!("`{}` is not a file", path.display())));
            }
            let mode = mode(&metadata);
            Ok(Item { path: name(path), kind: Kind::File, mode, content: Content::Disk(path.clone()) })
        }
        Place::Embedded(path) => {
            if embedded::bytes(path).is_none() {
                return Err(ActionError::new(format!("the sample has no file `{path}`")));
            }
            let content = Content::Embedded(path.clone());
            Ok(Item { path: path.clone(), kind: Kind::File, mode: embedded_mode(path), content })
        }
        Place::Remote(url) => super::remote::file(url, token, bench),
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(unix)]
fn mode(metadata: &std::fs::Metadata) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
}

#[cfg(not(unix))]
fn mode(_: &std::fs::Metadata) -> u32 {
    0o644
}

fn disk_folder(path: &Path, root: &Path) -> Result<Vec<Item>, ActionError> {
    if leads_outside(root, path) {
        return Err(outside(&path.display().to_string()));
    }
    match path.metadata() {
        Err(error) => return Err(trouble("read the folder", path, &error)),
        Ok(metadata) if !metadata.is_dir() => {
            return Err(ActionError::new(format!("`{}` is a file, not a folder", path.display()))
                .hint("the actions that end with `:file` fetch single files"));
        }
        Ok(_) => {}
    }
    let start = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut items = Vec::new();
    for entry in tree::list(&start)? {
        let full = start.join(&entry.path);
        // a link out of what is fetched would bring in files of somebody else
        if entry.kind == Kind::Link && leads_outside(&start, &full) {
            continue;
        }
        let content = if entry.kind == Kind::Folder { Content::None } else { Content::Disk(full) };
        items.push(Item { path: entry.path, kind: entry.kind, mode: entry.mode & 0o777, content });
    }
    Ok(items)
}

/// What is compiled in has lost its mode: a script is known by its first line.
fn embedded_mode(path: &str) -> u32 {
    let is_script = embedded::bytes(path).is_some_and(|bytes| bytes.starts_with(b"#!"));
    if is_script { 0o755 } else { 0o644 }
}

fn embedded_folder(path: &str) -> Result<Vec<Item>, ActionError> {
    let listed = embedded::list(path)
        .ok_or_else(|| ActionError::new(format!("the sample has no folder `{}`", path.escape_debug())))?;
    let below = |full: &str| full.strip_prefix(path).unwrap_or(full).trim_start_matches('/').to_owned();
    let item = |(full, is_folder): (String, bool)| Item {
        path: below(&full),
        kind: if is_folder { Kind::Folder } else { Kind::File },
        mode: if is_folder { 0o755 } else { embedded_mode(&full) },
        content: if is_folder { Content::None } else { Content::Embedded(full) },
    };
    Ok(listed.into_iter().map(item).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_below_the_template() {
        let folder = tempfile::tempdir().unwrap();
        let base = Base::Folder(folder.path().to_owned());
        let root = std::fs::canonicalize(folder.path()).unwrap();
        assert_eq!(locate(&base, "./skeleton").unwrap(), Place::Disk(root.join("skeleton"), root.clone()));
        assert_eq!(locate(&base, ".").unwrap(), Place::Disk(root.clone(), root));
        for bad in ["../x", "/etc", "a/../../x", "file:///etc/passwd", "ssh://h/x"] {
            assert!(locate(&base, bad).is_err(), "{bad}");
        }
        let sample = Base::Embedded("templates/new-job".to_owned());
        assert_eq!(
            locate(&sample, "./skeleton/").unwrap(),
            Place::Embedded("templates/new-job/skeleton".into())
        );
        assert!(locate(&sample, "../../org").is_err());
        let url = "https://github.com/acme/templates/tree/main/skeleton";
        assert_eq!(locate(&sample, url).unwrap(), Place::Remote(Url::parse(url).unwrap()));
        let remote = Base::Remote(Url::parse("https://github.com/acme/templates/tree/main/rust/").unwrap());
        let Place::Remote(found) = locate(&remote, "./skeleton").unwrap() else { panic!() };
        assert_eq!(found.as_str(), "https://github.com/acme/templates/tree/main/rust/skeleton");
        let unknown = Base::Unknown("nobody knows".to_owned());
        assert!(locate(&unknown, "./x").unwrap_err().message.contains("nobody knows"));
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_a_skeleton_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("skeleton");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("a"), "x").unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        for (target, name) in
            [("a", "in"), ("../secret", "out"), ("/etc/passwd", "far"), ("gone", "dangling")]
        {
            std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        }
        let items = disk_folder(&root, folder.path()).unwrap();
        let names: Vec<_> = items.iter().map(|item| item.path.as_str()).collect();
        assert_eq!(names, ["a", "in"]);
        assert_eq!(items[1].read().unwrap(), b"a");
    }

    #[test]
    fn the_sample_is_read_like_a_folder() {
        let items = embedded_folder("templates/new-job/skeleton").unwrap();
        assert!(items.iter().any(|item| item.path == "README.md" && !item.read().unwrap().is_empty()));
        assert!(items.iter().any(|item| item.kind == Kind::Folder));
        assert!(embedded_folder("templates/none").is_err());
        let items = embedded_folder("templates/rust-service/skeleton").unwrap();
        let modes = |path: &str| items.iter().find(|item| item.path == path).map(|item| item.mode);
        assert_eq!((modes("check.sh"), modes("README.md")), (Some(0o755), Some(0o644)));
    }
}
