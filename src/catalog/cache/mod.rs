//! The catalog as it is kept on disk between runs, and used from there without reading it first.
//!
//! Start at [`CatalogCache::open`] and [`CatalogCache::save`]. One file for each set of sources holds the
//! last snapshot: columns that are the same bytes in memory and in the file ([`column`]), the packed
//! documents, and what is known of each file, so that only changed content is parsed again
//! ([`contents`]). Opening maps the file and checks what the first list shows; [`Opened::revive`] checks
//! the rest before it is trusted. A file that is damaged or of another version is put aside as `NAME.bad`.
//!
//! A file is never changed in place: a new one is written beside it, brought to the disk and renamed, so
//! that a program that dies, a full disk, or another instance leave the old or the new one, whole.

mod ages;
pub mod codec;
pub mod column;
mod contents;
mod folder;
mod format;
pub mod mapping;
#[cfg(test)]
mod tests;

pub use contents::KeptSource;

use super::ingest::FileCache;
use super::snapshot::{Catalog, ParsedFile};
use crate::config::source::SourceConfig;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::store;
use format::{FileReader, FileWriter, FormatError, Stamp, Sum};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The cache file of one set of sources.
#[derive(Debug)]
pub struct CatalogCache {
    path: PathBuf,
    owner: Sum,
}

/// An opened cache file.
#[derive(Debug)]
pub struct Opened {
    file: FileReader,
    path: PathBuf,
    /// The snapshot as it was kept.
    pub catalog: Arc<Catalog>,
    /// What was kept of each source.
    pub sources: Vec<KeptSource>,
}

/// What came of reviving: the files of each source.
pub type Revived = Vec<Vec<Arc<ParsedFile>>>;

impl CatalogCache {
    /// Names the file for these sources in a cache folder. Touches no disk.
    pub fn new(folder: &Path, sources: &[SourceConfig]) -> Self {
        // places relative to the working directory are other places elsewhere; secrets are only named in
        // a configuration, never in it
        let place = std::env::current_dir().unwrap_or_default();
        // how long a request may take and how often it is sent changes nothing of what is read
        let settings: Vec<SourceConfig> = sources
            .iter()
            .map(|source| SourceConfig { timeout_seconds: None, every: None, ..source.clone() })
            .collect();
        let settings = serde_json::to_string(&settings).unwrap_or_default();
        let owner = *blake3::hash(format!("{}\n{settings}", place.display()).as_bytes()).as_bytes();
        let name = blake3::Hash::from_bytes(owner).to_hex();
        let name = format!("{}.catalog", name.get(..16).unwrap_or_default());
        Self { path: folder.join("catalog").join(name), owner }
    }

    /// Returns where the file is, or would be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file; `None` when there is none.
    ///
    /// # Errors
    /// What is wrong with it, after it is put aside.
    pub fn open(&self) -> Result<Option<Opened>, Box<Diagnostic>> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if folder::is_absent(&error) => return Ok(None),
            Err(error) => return Err(Box::new(unreadable(&self.path, &error))),
        };
        folder::mark_as_used(&file);
        let checked = match FileReader::open(file, &self.owner) {
            Err(error) => return Err(Box::new(unreadable(&self.path, &error))),
            // the first half of the sum names the file: no accident, but nothing to lose either
            Ok(Err(FormatError::OtherOwner)) => return Ok(None),
            Ok(checked) => checked,
        };
        let read = checked.and_then(|file| {
            file.verify(contents::is_checked_first)?;
            let (mut catalog, mut sources) = contents::read(&file)?;
            ages::read(&ages::path(&self.path), file.stamp().id, &mut sources);
            catalog.sources = sources.iter().map(|source| source.state.clone()).collect();
            Ok(Opened { file, path: self.path.clone(), catalog: Arc::new(catalog), sources })
        });
        read.map(Some).map_err(|error| Box::new(put_aside(&self.path, &error)))
    }

    /// Writes a snapshot in place of the one before; returns the number of this writing.
    ///
    /// # Errors
    /// Why it could not be written; the one before is still there then.
    pub fn save(
        &self,
        catalog: &Catalog,
        sources: &[KeptSource],
        known: &FileCache,
    ) -> Result<u64, Box<Diagnostic>> {
        let stamp = Stamp { owner: self.owner, program: program(), id: new_id() };
        let written = folder::replace(&self.path, |file| {
            let mut out = FileWriter::new(file)?;
            contents::write(&mut out, catalog, sources, known)?;
            out.finish(&stamp)
        });
        written.map(|()| stamp.id).map_err(|error| Box::new(not_saved(&self.path, &error)))
    }

    /// Writes beside the file with this number when its sources were last found as they are in it.
    ///
    /// # Errors
    /// Why it could not be written.
    pub fn save_ages(&self, id: u64, sources: &[KeptSource]) -> Result<(), Box<Diagnostic>> {
        let path = ages::path(&self.path);
        let written = folder::replace(&path, |mut file| {
            std::io::Write::write_all(&mut file, &ages::write(id, sources))
        });
        written.map_err(|error| Box::new(not_saved(&path, &error)))
    }
}

impl Opened {
    /// Checks everything that was not checked when the file was opened.
    ///
    /// # Errors
    /// What is wrong with it, after it is put aside.
    pub fn verify(&self) -> Result<(), Box<Diagnostic>> {
        self.file
            .verify(|section| !contents::is_checked_first(section))
            .map_err(|error| Box::new(put_aside(&self.path, &error)))
    }

    /// Checks the whole file and gives back its files by source, telling `known` what is known of them.
    ///
    /// # Errors
    /// What is wrong with it, after it is put aside.
    pub fn revive(&self, known: &FileCache) -> Result<Revived, Box<Diagnostic>> {
        self.verify()?;
        contents::revive(&self.file, &self.catalog, self.sources.len(), known, self.is_of_this_program())
            .map_err(|error| Box::new(put_aside(&self.path, &error)))
    }

    /// Returns the number of the writing that made it.
    pub fn id(&self) -> u64 {
        self.file.stamp().id
    }

    /// Returns whether this very program wrote it; what another one parsed may differ from what this one
    /// would make of the same content.
    pub fn is_of_this_program(&self) -> bool {
        self.file.stamp().program == program()
    }
}

/// Tells programs apart: by version, and by the file they run from, since a build under work keeps its
/// version.
fn program() -> Sum {
    let file = std::env::current_exe().and_then(|path| path.metadata());
    let file = file.ok().map(|file| (file.len(), file.modified().ok()));
    *blake3::hash(format!("{} {file:?}", env!("CARGO_PKG_VERSION")).as_bytes()).as_bytes()
}

fn new_id() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 ^ u64::from(std::process::id()).rotate_left(48)
}

fn put_aside(path: &Path, error: &FormatError) -> Diagnostic {
    let shown = path.display();
    let bad = folder::put_aside(path);
    let message = format!("the cached catalog `{shown}` is not used, everything is read anew: {error}");
    let hint = match bad {
        Some(bad) => format!("nothing needs to be done; it is kept as `{}`", bad.display()),
        None => format!("remove `{shown}`"),
    };
    let code = if *error == FormatError::OtherVersion { "cache::other-version" } else { "cache::damaged" };
    Diagnostic::warning(code, message).at(SourceLocation::file(shown.to_string())).hint(hint)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Diagnostic {
    let shown = path.display();
    let message = format!("could not read the cached catalog `{shown}`: {error}");
    Diagnostic::warning("cache::unreadable", message)
        .at(SourceLocation::file(shown.to_string()))
        .hint("check the permissions of the file and its folder; everything is read anew meanwhile")
}

fn not_saved(path: &Path, error: &store::StoreError) -> Diagnostic {
    let shown = path.display();
    let cause = match error {
        store::StoreError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    };
    Diagnostic::warning("cache::not-saved", format!("could not keep the catalog in `{shown}`: {cause}"))
        .at(SourceLocation::file(shown.to_string()))
        .hint("the next start reads everything anew; `DEVPORTAL_CACHE_DIR` names another folder")
}
