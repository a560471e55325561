//! Older lines on disk: a folder per stream below the cache folder, removed with the stream.
//!
//! A lock tells a living folder from one that a crash left; [`sweep`] removes the latter. Nobody but the
//! user may read the files: logs may say anything.

use super::Level;
use super::ring::{Chunk, LineKindTag, Meta};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Name of the folder below the cache folder.
const FOLDER: &str = "logs";

/// Name of the file that is locked while its folder is in use.
const LOCK: &str = "lock";

/// A file is closed and the next begun at so many bytes; the limit is kept by removing whole files.
const FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of a line beside its text.
const META_BYTES: usize = 16;

/// Where a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Number of the file.
    pub file: u32,
    /// Where it begins.
    pub offset: u64,
    /// How long it is.
    pub bytes: u64,
}

/// The files of one stream.
#[derive(Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    /// Size at which the next file is begun.
    file_bytes: u64,
    current: Mutex<Option<Current>>,
    /// Locked as long as this lives.
    _lock: File,
}

#[derive(Debug)]
struct Current {
    number: u32,
    file: File,
    size: u64,
}

impl Spill {
    /// Makes a folder for a stream below the cache folder.
    pub fn create(cache: &Path, limit: u64) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = cache.join(FOLDER).join(format!("{}-{number}", std::process::id()));
        // left by a process of the same number
        let _ = fs::remove_dir_all(&folder);
        make_folder(&folder)?;
        let lock = private().open(folder.join(LOCK))?;
        lock.try_lock().map_err(io::Error::other)?;
        let file_bytes = (limit / 8).clamp(64 * 1024, FILE_BYTES);
        Ok(Self { folder, file_bytes, current: Mutex::new(None), _lock: lock })
    }

    /// Appends a chunk.
    pub fn write(&self, chunk: &Chunk) -> io::Result<Place> {
        let bytes = encode(chunk);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let next = current.as_ref().map_or(0, |current| current.number + 1);
        let mut open = match current.take() {
            Some(open) if open.size < self.file_bytes => open,
            _ => Current { number: next, file: private().open(self.path(next))?, size: 0 },
        };
        // on failure the file is left for a new one: its end is not known
        open.file.write_all(&bytes)?;
        let place = Place { file: open.number, offset: open.size, bytes: bytes.len() as u64 };
        open.size += place.bytes;
        *current = Some(open);
        Ok(place)
    }

    /// Reads a chunk back.
    pub fn read(&self, first: u64, place: Place) -> io::Result<Chunk> {
        let mut file = File::open(self.path(place.file))?;
        file.seek(SeekFrom::Start(place.offset))?;
        let mut bytes = vec![0; place.bytes as usize];
        file.read_exact(&mut bytes)?;
        decode(first, &bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }

    /// Removes a file.
    pub fn remove(&self, file: u32) {
        let _ = fs::remove_file(self.path(file));
    }

    fn path(&self, file: u32) -> PathBuf {
        self.folder.join(format!("{file:06}.lines"))
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what streams of processes that are gone left below the cache folder.
pub fn sweep(cache: &Path) {
    let Ok(entries) = fs::read_dir(cache.join(FOLDER)) else { return };
    for entry in entries.filter_map(Result::ok) {
        let folder = entry.path();
        let lock = File::open(folder.join(LOCK));
        let is_alive = lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)));
        let is_ours = entry.file_name().to_string_lossy().starts_with(&format!("{}-", std::process::id()));
        if !is_alive && !is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn encode(chunk: &Chunk) -> Vec<u8> {
    let size = 8 + chunk.metas.len() * META_BYTES + chunk.gaps.len() * 12 + chunk.text.len();
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(&(chunk.metas.len() as u32).to_le_bytes());
    out.extend_from_slice(&(chunk.gaps.len() as u32).to_le_bytes());
    for meta in &chunk.metas {
        out.extend_from_slice(&meta.time.to_le_bytes());
        out.extend_from_slice(&meta.end.to_le_bytes());
        out.extend_from_slice(&meta.source.to_le_bytes());
        out.push(meta.level as u8);
        out.push(meta.kind as u8);
    }
    for (index, count) in &chunk.gaps {
        out.extend_from_slice(&index.to_le_bytes());
        out.extend_from_slice(&count.to_le_bytes());
    }
    out.extend_from_slice(chunk.text.as_bytes());
    out
}

fn decode(first: u64, bytes: &[u8]) -> Option<Chunk> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let (count, gaps) = head.split_first_chunk::<4>()?;
    let count = u32::from_le_bytes(*count) as usize;
    let gap_count = u32::from_le_bytes(gaps.try_into().ok()?) as usize;
    let (metas, rest) = rest.split_at_checked(count * META_BYTES)?;
    let (gaps, text) = rest.split_at_checked(gap_count * 12)?;
    let metas = metas.chunks_exact(META_BYTES).map(decode_meta).collect::<Option<Vec<_>>>()?;
    let gap = |bytes: &[u8]| {
        let (index, count) = bytes.split_first_chunk::<4>()?;
        Some((u32::from_le_bytes(*index), u64::from_le_bytes(count.try_into().ok()?)))
    };
    let gaps = gaps.chunks_exact(12).map(gap).collect::<Option<Vec<_>>>()?;
    Some(Chunk { first, text: String::from_utf8(text.to_vec()).ok()?, metas, gaps })
}

fn decode_meta(bytes: &[u8]) -> Option<Meta> {
    let (time, rest) = bytes.split_first_chunk::<8>()?;
    let (end, rest) = rest.split_first_chunk::<4>()?;
    let &[low, high, level, kind] = rest else { return None };
    Some(Meta {
        time: i64::from_le_bytes(*time),
        end: u32::from_le_bytes(*end),
        source: u16::from_le_bytes([low, high]),
        level: match level {
            0 => Level::None,
            1 => Level::Debug,
            2 => Level::Info,
            3 => Level::Warn,
            _ => Level::Error,
        },
        kind: match kind {
            0 => LineKindTag::Plain,
            1 => LineKindTag::Json,
            2 => LineKindTag::Note,
            3 => LineKindTag::Gap,
            _ => LineKindTag::Marker,
        },
    })
}
