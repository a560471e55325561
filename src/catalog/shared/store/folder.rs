//! A folder of this machine, or one that is mounted.

use super::{Listed, absent};
use crate::catalog::shared::SharedError;
use crate::catalog::shared::place::Object;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The folder.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn get(&self, place: &str, name: &str, limit: u64) -> Result<Option<Object>, SharedError> {
        let failed = |error: io::Error| self::failed(place, name, &error);
        let file = File::open(self.0.join(name)).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(absent(place, name));
        }
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > limit {
            return Err(SharedError::broken(format!("`{name}` is larger than it can be")));
        }
        Ok(Some(Object { bytes: bytes.into(), etag: None }))
    }

    /// Writes beside and renames, so that nobody sees half, whatever machine he reads from.
    pub(super) fn put(&self, place: &str, name: &str, bytes: &[u8]) -> Result<(), SharedError> {
        let target = self.0.join(name);
        let folder = target.parent().unwrap_or(&self.0);
        let mut random = [0; 8];
        let _ = SystemRandom::new().fill(&mut random);
        let random = random.iter().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        });
        let temporary = folder.join(format!(".{random}.tmp"));
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| File::create_new(&temporary))
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&temporary, &target));
        if written.is_err() {
            let _ = std::fs::remove_file(&temporary);
        }
        written.map_err(|error| failed(place, name, &error))
    }

    pub(super) fn has(&self, name: &str, size: u64) -> bool {
        std::fs::metadata(self.0.join(name)).is_ok_and(|found| found.is_file() && found.len() == size)
    }

    pub(super) fn list(&self, place: &str, folder: &str) -> Result<Vec<Listed>, SharedError> {
        let failed = |error: io::Error| self::failed(place, folder, &error);
        let mut out = Vec::new();
        for entry in std::fs::read_dir(self.0.join(folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else {
                continue;
            };
            let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
            if let Some(modified) = modified.filter(|_| metadata.is_file()) {
                out.push(Listed { name: format!("{folder}/{name}"), modified });
            }
        }
        Ok(out)
    }

    pub(super) fn remove(&self, place: &str, name: &str) -> Result<(), SharedError> {
        match std::fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(place, name, &error)),
            _ => Ok(()),
        }
    }
}

fn failed(place: &str, name: &str, error: &io::Error) -> SharedError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => absent(place, name),
        io::ErrorKind::PermissionDenied => {
            SharedError::Denied { place: place.to_owned(), cause: "the folder may not be used".to_owned() }
        }
        _ => SharedError::Unreachable { place: place.to_owned(), cause: error.to_string() },
    }
}
