//! Renders all files of a skeleton: names, contents, modes, links.
//!
//! The rules are those of `fetch:template`: names are rendered, also of files that are copied; a name that renders
//! to nothing leaves the file (or the whole folder) out; binary files and links are copied; what is there already
//! stays unless it is to be replaced. Nothing is written here; see [`Language::tree`].

use super::error::LanguageError;
use super::eval::Findings;
use super::{Dialect, Language, Warning, scan};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use minijinja::Value;
use rayon::prelude::*;
use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many files and folders a skeleton may have.
const MOST_ENTRIES: usize = 50_000;
/// How many bytes all files together may have.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;
/// How deep folders may be nested.
const DEEPEST: usize = 64;

/// The files of a skeleton.
pub trait Files: Sync {
    /// Lists all files, folders and links, names in front of what is in them.
    ///
    /// # Errors
    /// When a folder cannot be read, or there is too much.
    fn entries(&self) -> Result<Vec<Entry>, TreeError>;

    /// Reads a file that [`Files::entries`] named.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>>;
}

/// A file, folder or link of a skeleton.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path below the skeleton, with `/`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file with its permission bits.
    File {
        /// As of `chmod`.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where it points, as written.
        target: String,
    },
    /// A symbolic link that leads out of the skeleton; it is left out, with a warning.
    Escape {
        /// Where it points, as written.
        target: String,
    },
}

/// How a skeleton is rendered.
#[derive(Debug, Clone, Default)]
pub struct TreeRules {
    /// Globs of files that are copied as they are; their names are rendered.
    pub copy_without_templating: Vec<String>,
    /// The old word, which is no longer read; it only earns a warning.
    pub copy_without_render: Vec<String>,
    /// Only files with this extension are rendered, and lose it.
    pub extension: Option<String>,
    /// Files that are there already are replaced.
    pub replace: bool,
}

/// What a skeleton became.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Folders, files and links to make, in order.
    pub files: Vec<RenderedFile>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
}

/// A folder, file or link to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// Path below the target, with `/`, without `.` and `..`.
    pub path: String,
    /// Path of what it was made from.
    pub source: String,
    /// What it is.
    pub kind: FileKind,
}

/// What a rendered entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileKind {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Its bytes.
        content: Arc<[u8]>,
        /// As of `chmod`.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where it points, as written.
        target: String,
    },
}

/// Why a skeleton cannot be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The text of a file.
    #[error("{path}:{}:{}: {error}", error.line, error.column)]
    Content {
        /// Path in the skeleton.
        path: String,
        /// What is wrong.
        error: LanguageError,
    },
    /// The name of a file.
    #[error("the name `{path}` cannot be rendered: {error}")]
    Name {
        /// Path in the skeleton.
        path: String,
        /// What is wrong.
        error: LanguageError,
    },
    /// A name that leads out of the target, or that no file can have.
    #[error("`{path}` renders to the name `{rendered}`, which {reason}")]
    Path {
        /// Path in the skeleton.
        path: String,
        /// What it became.
        rendered: String,
        /// Why not.
        reason: &'static str,
    },
    /// A file or folder.
    #[error("could not read `{path}`: {reason}")]
    Read {
        /// Path in the skeleton.
        path: String,
        /// Why.
        reason: String,
    },
    /// More than anybody wants.
    #[error("the skeleton is too large: {0}")]
    TooLarge(String),
    /// A glob.
    #[error("`{glob}` is no pattern for files: {reason}")]
    Glob {
        /// As written.
        glob: String,
        /// What is wrong.
        reason: String,
    },
    /// Rules that exclude each other.
    #[error(
        "`templateFileExtension` goes neither with `copyWithoutTemplating` nor with `cookiecutterCompat`"
    )]
    Contradiction,
}

impl TreeError {
    /// Returns what to do about it; empty when there is nothing to say.
    pub fn hint(&self) -> &str {
        match self {
            Self::Content { error, .. } | Self::Name { error, .. } => &error.hint,
            _ => "",
        }
    }
}

/// What is left to do for an entry whose name is known.
struct Job<'a> {
    entry: &'a Entry,
    path: String,
    renders: bool,
}

impl Language {
    /// Renders all files of a skeleton with these values; `exists` says what is in the target already.
    ///
    /// # Errors
    /// The first file, by path, that cannot be read or rendered; nothing is made then.
    pub fn tree(
        &self,
        from: &dyn Files,
        rules: &TreeRules,
        values: &Value,
        exists: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Tree, TreeError> {
        if rules.extension.is_some() && (!rules.copy_without_templating.is_empty() || self.syntax.is_bare) {
            return Err(TreeError::Contradiction);
        }
        let root = if self.syntax.is_bare { "cookiecutter" } else { "values" };
        let context = Value::from_pairs([(root, values.clone())]);
        let entries = from.entries()?;
        let copied = globs(&rules.copy_without_templating, &entries)?;
        let mut warnings = old_words(rules);
        let jobs = self.plan(&entries, rules, &copied, &context, exists, &mut warnings)?;
        let bytes = AtomicU64::new(0);
        let made: Vec<Result<Made, TreeError>> =
            jobs.into_par_iter().map(|job| self.make(from, job, &context, &bytes)).collect();
        let mut tree = Tree { files: Vec::with_capacity(made.len()), warnings };
        for made in made {
            let (file, mut warnings) = made?;
            tree.files.push(file);
            tree.warnings.append(&mut warnings);
        }
        Ok(tree)
    }

    /// Renders one file as `fetch:template:file` does: whatever it holds is taken for text.
    ///
    /// # Errors
    /// When it is no template, or rendering fails or costs too much.
    pub fn file(
        &self,
        path: &str,
        content: &[u8],
        values: &Value,
    ) -> Result<(Vec<u8>, Vec<Warning>), TreeError> {
        let root = if self.syntax.is_bare { "cookiecutter" } else { "values" };
        let context = Value::from_pairs([(root, values.clone())]);
        self.content(path, content, &context)
    }

    /// Renders all names, in order, so that the first of two with the same name wins.
    fn plan<'a>(
        &self,
        entries: &'a [Entry],
        rules: &TreeRules,
        copied: &Globs,
        context: &Value,
        exists: &(dyn Fn(&str) -> bool + Sync),
        warnings: &mut Vec<Warning>,
    ) -> Result<Vec<Job<'a>>, TreeError> {
        let extension = rules.extension.as_deref().map(with_dot);
        let mut taken = HashSet::new();
        let mut jobs: Vec<Job<'a>> = Vec::new();
        for entry in entries {
            if let EntryKind::Escape { target } = &entry.kind {
                warnings.push(left_out(&entry.path, target));
                continue;
            }
            let is_folder = entry.kind == EntryKind::Folder;
            let mut name = entry.path.as_str();
            let renders = match &extension {
                Some(extension) if !is_folder && extension_of(name) == extension => {
                    name = name.strip_suffix(extension.as_str()).unwrap_or(name);
                    true
                }
                Some(_) => false,
                None => !copied.is_match(name),
            };
            let mut findings = Findings::default();
            let rendered = self.text_with(name, context, &mut findings);
            let rendered = rendered.map_err(|error| TreeError::Name { path: entry.path.clone(), error })?;
            super::warn(name, &entry.path, findings, warnings);
            // A folder is known by its slash, so that one without a name is left out
            let shown = if is_folder { format!("{rendered}/") } else { rendered };
            if shown.is_empty() || shown.starts_with('/') || shown.contains("//") {
                continue;
            }
            let path = confined(&entry.path, &shown)?;
            if path.is_empty() || (!rules.replace && (taken.contains(&path) || exists(&path))) {
                continue;
            }
            taken.insert(path.clone());
            jobs.push(Job { entry, path, renders });
        }
        if rules.replace {
            keep_last(&mut jobs);
        }
        Ok(jobs)
    }

    fn make(
        &self,
        from: &dyn Files,
        job: Job<'_>,
        context: &Value,
        bytes: &AtomicU64,
    ) -> Result<Made, TreeError> {
        let Job { entry, path, renders } = job;
        let mut warnings = Vec::new();
        let kind = match &entry.kind {
            EntryKind::Folder => FileKind::Folder,
            EntryKind::Link { target } | EntryKind::Escape { target } => {
                FileKind::Link { target: target.clone() }
            }
            EntryKind::File { mode } => {
                let read = from.read(&entry.path);
                let mut content = read.map_err(|error| TreeError::Read {
                    path: entry.path.clone(),
                    reason: error.to_string(),
                })?;
                if renders && !is_binary(&content) {
                    (content, warnings) = self.content(&entry.path, &content, context)?;
                }
                let total = bytes.fetch_add(content.len() as u64, Ordering::Relaxed) + content.len() as u64;
                if total > MOST_BYTES {
                    return Err(TreeError::TooLarge(format!(
                        "its files have more than {} MB",
                        MOST_BYTES / 1024 / 1024
                    )));
                }
                FileKind::File { content: content.into(), mode: *mode }
            }
        };
        Ok((RenderedFile { path, source: entry.path.clone(), kind }, warnings))
    }

    fn content(
        &self,
        path: &str,
        content: &[u8],
        context: &Value,
    ) -> Result<(Vec<u8>, Vec<Warning>), TreeError> {
        let text = String::from_utf8_lossy(content);
        let mut warnings = Vec::new();
        // Bytes that are no UTF-8 survive where nothing is rendered
        if !scan::is_template(&text, self.syntax) {
            return Ok((content.to_vec(), warnings));
        }
        let mut findings = Findings::default();
        let rendered = self.text_with(&text, context, &mut findings);
        let rendered = rendered.map_err(|error| TreeError::Content { path: path.to_owned(), error })?;
        super::warn(&text, path, findings, &mut warnings);
        Ok((rendered.into_bytes(), warnings))
    }

    /// Returns which dialect this is.
    pub fn dialect(&self) -> Dialect {
        if self.syntax.is_bare { Dialect::Cookiecutter } else { Dialect::Backstage }
    }
}

type Made = (RenderedFile, Vec<Warning>);

/// Of several entries with one name the last one is made.
fn keep_last(jobs: &mut Vec<Job<'_>>) {
    let mut seen = HashSet::new();
    let mut kept: Vec<bool> = jobs.iter().rev().map(|job| seen.insert(job.path.clone())).collect();
    kept.reverse();
    let mut kept = kept.into_iter();
    jobs.retain(|_| kept.next().unwrap_or(true));
}

fn left_out(path: &str, target: &str) -> Warning {
    Warning {
        place: path.to_owned(),
        line: 1,
        column: 1,
        message: format!("the link leads out of the skeleton, to `{target}`, and is left out"),
        hint: String::new(),
    }
}

fn old_words(rules: &TreeRules) -> Vec<Warning> {
    let dotted =
        rules.copy_without_templating.iter().filter(|glob| glob.trim_start_matches('!').starts_with("./"));
    let mut warnings: Vec<Warning> = dotted
        .map(|glob| Warning {
            place: "/copyWithoutTemplating".to_owned(),
            line: 1,
            column: 1,
            message: format!("the pattern `{glob}` matches nothing, because paths do not start with `./`"),
            hint: "leave `./` out".to_owned(),
        })
        .collect();
    if rules.copy_without_render.is_empty() {
        return warnings;
    }
    warnings.push(Warning {
        place: "/copyWithoutRender".to_owned(),
        line: 1,
        column: 1,
        message: "`copyWithoutRender` is no longer read, so these files are rendered".to_owned(),
        hint: "write `copyWithoutTemplating`".to_owned(),
    });
    warnings
}

fn with_dot(extension: &str) -> String {
    if extension.starts_with('.') { extension.to_owned() } else { format!(".{extension}") }
}

/// Returns the extension with its dot; a name that starts with its only dot has none.
fn extension_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.get(dot..).unwrap_or_default(),
        _ => "",
    }
}

/// Takes `.` and `..` out of a rendered name, which must not lead out of the target.
fn confined(source: &str, rendered: &str) -> Result<String, TreeError> {
    let refuse = |reason| {
        let rendered = crate::model::text::clean(rendered).into_owned();
        Err(TreeError::Path { path: source.to_owned(), rendered, reason })
    };
    if rendered.contains('\0') {
        return refuse("has a zero byte in it");
    }
    if rendered.len() > 4096 {
        return refuse("is longer than 4096 bytes");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in rendered.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return refuse("leads out of the target folder");
                }
            }
            _ if part.len() > 255 => return refuse("has a part longer than 255 bytes"),
            _ => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Globs, those that exclude apart.
struct Globs {
    includes: GlobSet,
    excludes: GlobSet,
}

impl Globs {
    fn is_match(&self, path: &str) -> bool {
        self.includes.is_match(path) && !self.excludes.is_match(path)
    }
}

/// Compiles globs; one that names a folder means everything in it.
fn globs(patterns: &[String], entries: &[Entry]) -> Result<Globs, TreeError> {
    let mut sets = [GlobSetBuilder::new(), GlobSetBuilder::new()];
    for pattern in patterns {
        let (excludes, glob) = match pattern.strip_prefix('!') {
            Some(rest) if !rest.starts_with('(') => (1, rest),
            _ => (0, pattern.as_str()),
        };
        let bare = glob.trim_end_matches('/');
        let is_folder = entries.iter().any(|entry| entry.kind == EntryKind::Folder && entry.path == bare);
        let mut written = vec![glob.to_owned()];
        if is_folder {
            written = vec![format!("{}/**", globset::escape(bare))];
        }
        for glob in written {
            let built = GlobBuilder::new(&glob).literal_separator(true).build();
            let built = built.map_err(|error| TreeError::Glob {
                glob: pattern.clone(),
                reason: error.kind().to_string(),
            })?;
            if let Some(set) = sets.get_mut(excludes) {
                set.add(built);
            }
        }
    }
    let [includes, excludes] = sets.map(|set| set.build());
    let built = |set: Result<GlobSet, globset::Error>| {
        set.map_err(|error| TreeError::Glob { glob: patterns.join(", "), reason: error.kind().to_string() })
    };
    Ok(Globs { includes: built(includes)?, excludes: built(excludes)? })
}

/// Says of each entry whether these globs name it.
///
/// # Errors
/// When one is no glob.
pub fn copied_by(patterns: &[String], entries: &[Entry]) -> Result<Vec<bool>, TreeError> {
    let globs = globs(patterns, entries)?;
    Ok(entries.iter().map(|entry| globs.is_match(&entry.path)).collect())
}

/// Decides by its beginning whether a file is binary: marks of an encoding, zero bytes, many odd bytes.
pub fn is_binary(content: &[u8]) -> bool {
    const LOOKED_AT: usize = 512;
    const MARKS: [&[u8]; 6] =
        [b"\xef\xbb\xbf", b"\0\0\xfe\xff", b"\xff\xfe\0\0", b"\x84\x31\x95\x33", b"\xfe\xff", b"\xff\xfe"];
    if content.is_empty() || MARKS.iter().any(|mark| content.starts_with(mark)) {
        return false;
    }
    if content.starts_with(b"%PDF-") {
        return true;
    }
    let total = content.get(..content.len().min(LOOKED_AT + 3)).unwrap_or_default();
    let count = total.len().min(LOOKED_AT);
    let is_tail = |at: usize| total.get(at).is_some_and(|byte| (0x80..=0xbf).contains(byte));
    let mut odd = 0;
    let mut at = 0;
    while at < count {
        let byte = total.get(at).copied().unwrap_or_default();
        if byte == 0 {
            return true;
        }
        let is_plain = (7..=14).contains(&byte) || (32..=127).contains(&byte);
        let tails = match byte {
            _ if is_plain => 0,
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => 0,
        };
        let is_character =
            tails > 0 && at + tails < total.len() && (1..=tails).all(|tail| is_tail(at + tail));
        if is_character {
            at += tails;
        } else if !is_plain {
            odd += 1;
            if at >= 32 && odd * 100 > 10 * count {
                return true;
            }
        }
        at += 1;
    }
    odd * 100 > 10 * count
}

/// A skeleton in a folder on the disk.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates a skeleton of a folder, which is read when it is rendered.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    fn walk(&self, root: &Path, below: &str, depth: usize, out: &mut Vec<Entry>) -> Result<(), TreeError> {
        let failed = |path: &str, error: &std::io::Error| TreeError::Read {
            path: if path.is_empty() { self.0.display().to_string() } else { path.to_owned() },
            reason: error.to_string(),
        };
        if depth > DEEPEST {
            return Err(TreeError::TooLarge(format!("its folders are nested deeper than {DEEPEST}")));
        }
        let folder = self.0.join(below);
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(|error| failed(below, &error))? {
            let entry = entry.map_err(|error| failed(below, &error))?;
            let Ok(name) = entry.file_name().into_string() else {
                let shown = entry.file_name().to_string_lossy().into_owned();
                let reason = "its name is not UTF-8".to_owned();
                return Err(TreeError::Read { path: format!("{below}{shown}"), reason });
            };
            found.push((name, entry));
        }
        found.sort_by(|left, right| left.0.cmp(&right.0));
        for (name, entry) in found {
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            if out.len() >= MOST_ENTRIES {
                return Err(TreeError::TooLarge(format!("it has more than {MOST_ENTRIES} files")));
            }
            let kind = entry.file_type().map_err(|error| failed(&path, &error))?;
            if kind.is_dir() {
                out.push(Entry { path: path.clone(), kind: EntryKind::Folder });
                self.walk(root, &path, depth + 1, out)?;
            } else if kind.is_symlink() {
                let target = std::fs::read_link(entry.path()).map_err(|error| failed(&path, &error))?;
                let target = target.to_string_lossy().into_owned();
                let leaves = leaves(root, &entry.path(), &path, &target);
                let kind = if leaves { EntryKind::Escape { target } } else { EntryKind::Link { target } };
                out.push(Entry { path, kind });
            } else if kind.is_file() {
                let mode = mode_of(&entry).map_err(|error| failed(&path, &error))?;
                out.push(Entry { path, kind: EntryKind::File { mode } });
            }
        }
        Ok(())
    }
}

/// Returns whether a link leads out of the skeleton; one that leads nowhere is judged by what is written.
fn leaves(root: &Path, link: &Path, path: &str, target: &str) -> bool {
    if let Ok(real) = link.canonicalize() {
        return !real.starts_with(root);
    }
    let mut depth = path.matches('/').count();
    for part in Path::new(target).components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir if depth > 0 => depth -= 1,
            _ => return true,
        }
    }
    false
}

#[cfg(unix)]
fn mode_of(entry: &std::fs::DirEntry) -> std::io::Result<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(entry.metadata()?.permissions().mode() & 0o777)
}

#[cfg(not(unix))]
fn mode_of(_: &std::fs::DirEntry) -> std::io::Result<u32> {
    Ok(0o644)
}

impl Files for Folder {
    fn entries(&self) -> Result<Vec<Entry>, TreeError> {
        let failed = |error: std::io::Error| TreeError::Read {
            path: self.0.display().to_string(),
            reason: error.to_string(),
        };
        let root = self.0.canonicalize().map_err(failed)?;
        let mut entries = Vec::new();
        self.walk(&root, "", 0, &mut entries)?;
        Ok(entries)
    }

    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
    }
}
