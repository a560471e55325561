//! What a source keeps between runs: blobs by key, such as pages with their validators.
//!
//! Start at [`Kept::get`] and [`Kept::put`]. Safe from any thread. Keeping is a courtesy: when the disk is
//! full or the folder cannot be written, it works in memory and says so ([`Kept::problem`]). One file holds
//! it all (see [`log`]); it is only ever added to, and written anew when half of it is out of date. A
//! program that is killed loses at most what it was just writing. Of two running instances the first one
//! writes; the other one reads what was there, remembers the rest, and takes over when the first ends.

mod log;
#[cfg(test)]
mod tests;

use crate::diagnostic::{Diagnostic, SourceLocation};
use log::{Check, Ending, MAGIC, Place};
use rustc_hash::{FxHashMap, FxHashSet};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Largest file; what was not asked for in the longest time goes first.
const MAX_FILE: u64 = 512 * 1024 * 1024;
/// Most bytes that are remembered where nothing can be written.
const MAX_MEMORY: u64 = 64 * 1024 * 1024;
/// Smaller files are not worth writing anew.
const COMPACT_FROM: u64 = 1024 * 1024;
/// Time between two tries to write after one failed, or to take over from another instance.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Blobs by key.
#[derive(Debug, Default)]
pub struct Kept {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    index: FxHashMap<String, Entry>,
    /// Counts uses, to know what was not used for longest.
    tick: u64,
    /// Bytes of values that are only in memory.
    in_memory: u64,
    /// Keys that were removed while another instance was writing.
    removed: FxHashSet<String>,
    problem: Option<Diagnostic>,
    limit: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    value: Value,
    used: u64,
}

#[derive(Debug, Clone)]
enum Value {
    InFile(Place),
    InMemory(Arc<[u8]>),
}

#[derive(Debug, Default)]
enum Mode {
    /// Nothing is on disk.
    #[default]
    Memory,
    /// The file is opened when somebody asks for something.
    Closed(PathBuf),
    /// Another instance writes the file.
    Reader(Reader),
    /// This one writes it.
    Writer(Writer),
}

#[derive(Debug)]
struct Reader {
    path: PathBuf,
    file: Option<File>,
    next_try: Instant,
}

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    file: File,
    end: u64,
    /// Bytes of records that count.
    live: u64,
    /// Set when writing failed.
    next_try: Option<Instant>,
    /// Not written anew before it has this many bytes.
    compact_at: u64,
    #[expect(dead_code, reason = "closing the file releases the lock")]
    lock: File,
}

impl Kept {
    /// Keys of answers that the network layer keeps by itself start with this; [`Self::retain`] leaves
    /// them alone.
    pub const ANSWERS: &'static str = "answer:";

    /// Creates one that forgets when the program ends.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Opens the one in this file. Never fails: what cannot be read is put aside and told about.
    pub fn open(path: &Path) -> (Self, Option<Diagnostic>) {
        let kept = Self::at(path);
        let problem = kept.open_state().problem.clone();
        (kept, problem)
    }

    /// Creates one in this file, which is opened with the first use: sources that keep nothing pay nothing.
    pub fn at(path: &Path) -> Self {
        let state = State { mode: Mode::Closed(path.to_owned()), ..State::default() };
        Self { state: Mutex::new(state) }
    }

    /// Returns what is kept under a key.
    pub fn get(&self, key: &str) -> Option<Arc<[u8]>> {
        self.open_state().get(key)
    }

    /// Keeps bytes under a key, in place of what was there.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        self.open_state().put(key, bytes);
    }

    /// Forgets a key.
    pub fn remove(&self, key: &str) {
        self.open_state().remove(key);
    }

    /// Forgets the keys that are not wanted any more.
    pub fn retain(&self, wanted: impl Fn(&str) -> bool) {
        let mut state = self.open_state();
        let unwanted = |key: &&String| !key.starts_with(Self::ANSWERS) && !wanted(key);
        let keys: Vec<String> = state.index.keys().filter(unwanted).cloned().collect();
        for key in keys {
            state.remove(&key);
        }
    }

    /// Returns what keeps it from being on disk, if anything does.
    pub fn problem(&self) -> Option<Diagnostic> {
        self.lock().problem.clone()
    }

    fn open_state(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        if let Mode::Closed(path) = &state.mode {
            let path = path.clone();
            if let Err(error) = state.open(&path) {
                *state = State { problem: Some(unusable(&path, &error)), ..State::default() };
            }
        }
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open(&mut self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            super::create_folder(folder)?;
        }
        match lock_of(path)? {
            Some(lock) => self.open_to_write(path, lock),
            None => self.open_to_read(path),
        }
    }

    fn open_to_read(&mut self, path: &Path) -> io::Result<()> {
        let file = match File::open(path) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(file) = &file {
            let scan = log::scan(file)?;
            self.take_in(scan.records);
        }
        self.mode = Mode::Reader(Reader { path: path.to_owned(), file, next_try: next_try() });
        Ok(())
    }

    fn open_to_write(&mut self, path: &Path, lock: File) -> io::Result<()> {
        // what somebody who was killed left behind
        let _ = std::fs::remove_file(temporary(path));
        let mut file = open_file(path)?;
        let scan = log::scan(&file)?;
        let mut end = scan.end;
        match scan.ending {
            Ending::Whole => {}
            Ending::Torn => {
                tracing::info!(file = %path.display(), at = end, "dropped a record that was not written to its end");
                file.set_len(end)?;
            }
            Ending::Damaged => {
                file = put_aside(path, &file, end)?;
                self.problem = Some(damaged(path));
            }
        }
        if end == 0 {
            log::write_at(&mut file, 0, MAGIC)?;
            end = MAGIC.len() as u64;
        }
        self.take_in(scan.records);
        let size = |(key, entry): (&String, &Entry)| match &entry.value {
            Value::InFile(place) => log::record_len(key, place.len),
            Value::InMemory(_) => 0,
        };
        let live = self.index.iter().map(size).sum();
        self.mode = Mode::Writer(Writer {
            path: path.to_owned(),
            file,
            end,
            live,
            next_try: None,
            compact_at: COMPACT_FROM,
            lock,
        });
        Ok(())
    }

    fn take_in(&mut self, records: Vec<(String, Option<Place>)>) {
        for (key, place) in records {
            self.tick += 1;
            match place {
                Some(place) => {
                    let entry = Entry { value: Value::InFile(place), used: self.tick };
                    self.index.insert(key, entry);
                }
                None => drop(self.index.remove(&key)),
            }
        }
    }

    fn get(&mut self, key: &str) -> Option<Arc<[u8]>> {
        self.tick += 1;
        let entry = self.index.get_mut(key)?;
        entry.used = self.tick;
        let place = match &entry.value {
            Value::InMemory(bytes) => return Some(bytes.clone()),
            Value::InFile(place) => *place,
        };
        let (file, path) = match &mut self.mode {
            Mode::Memory | Mode::Closed(_) => return None,
            Mode::Reader(reader) => (reader.file.as_mut()?, &reader.path),
            Mode::Writer(writer) => (&mut writer.file, &writer.path),
        };
        match log::read(file, &place) {
            Ok(Some(bytes)) => Some(bytes.into()),
            Ok(None) => {
                self.problem = Some(damaged(path));
                self.forget(key);
                None
            }
            Err(error) => {
                self.problem = Some(unusable(path, &error));
                None
            }
        }
    }

    fn put(&mut self, key: &str, bytes: &[u8]) {
        self.take_over();
        self.tick += 1;
        let check: Check = log::check_of(bytes);
        let same = |entry: &Entry| match &entry.value {
            Value::InFile(place) => place.check == check && place.len as usize == bytes.len(),
            Value::InMemory(known) => **known == *bytes,
        };
        let is_writer = matches!(self.mode, Mode::Writer(_));
        if let Some(entry) = self.index.get_mut(key)
            && same(entry)
            && (!is_writer || matches!(entry.value, Value::InFile(_)))
        {
            entry.used = self.tick;
            return;
        }
        self.forget(key);
        let Some(record) = log::encode(key, Some(bytes)) else {
            self.remove(key);
            return;
        };
        let used = self.tick;
        let value = if let Some(at) = self.append(&record) {
            let at = at + (record.len() - bytes.len()) as u64;
            Value::InFile(Place { at, len: bytes.len() as u32, check })
        } else {
            self.in_memory += bytes.len() as u64;
            Value::InMemory(bytes.into())
        };
        if let (Mode::Writer(writer), Value::InFile(_)) = (&mut self.mode, &value) {
            writer.live += record.len() as u64;
        }
        self.removed.remove(key);
        self.index.insert(key.to_owned(), Entry { value, used });
        self.bound_memory();
        self.compact();
    }

    fn remove(&mut self, key: &str) {
        if !self.index.contains_key(key) {
            return;
        }
        self.forget(key);
        match &self.mode {
            Mode::Memory | Mode::Closed(_) => {}
            Mode::Reader(_) => {
                self.removed.insert(key.to_owned());
            }
            Mode::Writer(_) => {
                if let Some(record) = log::encode(key, None) {
                    let _ = self.append(&record);
                }
                self.compact();
            }
        }
    }

    /// Takes a key out of the index.
    fn forget(&mut self, key: &str) {
        let Some(entry) = self.index.remove(key) else { return };
        match (entry.value, &mut self.mode) {
            (Value::InMemory(bytes), _) => self.in_memory -= bytes.len() as u64,
            (Value::InFile(place), Mode::Writer(writer)) => {
                writer.live = writer.live.saturating_sub(log::record_len(key, place.len));
            }
            (Value::InFile(_), _) => {}
        }
    }

    /// Writes a record and returns where; `None` when that is not possible now.
    fn append(&mut self, record: &[u8]) -> Option<u64> {
        let limit = self.limit();
        let Mode::Writer(writer) = &mut self.mode else { return None };
        if writer.next_try.is_some_and(|at| at > Instant::now()) || record.len() as u64 > limit / 2 {
            return None;
        }
        let at = writer.end;
        match log::write_at(&mut writer.file, at, record) {
            Ok(()) => {
                writer.end += record.len() as u64;
                if writer.next_try.take().is_some() {
                    self.problem = None;
                }
                Some(at)
            }
            Err(error) => {
                writer.next_try = Some(next_try());
                self.problem = Some(unusable(&writer.path, &error));
                None
            }
        }
    }

    /// Forgets what was not used for longest where memory alone is left.
    fn bound_memory(&mut self) {
        let most = self.limit().min(MAX_MEMORY);
        if self.in_memory <= most {
            return;
        }
        let mut keys: Vec<(u64, String)> = self
            .index
            .iter()
            .filter(|(_, entry)| matches!(entry.value, Value::InMemory(_)))
            .map(|(key, entry)| (entry.used, key.clone()))
            .collect();
        keys.sort_unstable();
        for (_, key) in keys {
            if self.in_memory <= most / 4 * 3 {
                break;
            }
            self.forget(&key);
        }
    }

    fn limit(&self) -> u64 {
        self.limit.unwrap_or(MAX_FILE)
    }

    /// Becomes the writer when the instance that was it has ended.
    fn take_over(&mut self) {
        let Mode::Reader(reader) = &mut self.mode else { return };
        if reader.next_try > Instant::now() {
            return;
        }
        reader.next_try = next_try();
        let path = reader.path.clone();
        let Ok(Some(lock)) = lock_of(&path) else { return };
        let mut fresh = Self { limit: self.limit, ..Self::default() };
        if fresh.open_to_write(&path, lock).is_err() {
            return;
        }
        let old = std::mem::replace(self, fresh);
        for key in &old.removed {
            self.remove(key);
        }
        for (key, entry) in old.index {
            if let Value::InMemory(bytes) = entry.value {
                self.put(&key, &bytes);
            }
        }
    }

    /// Writes the file anew when more than half of it is out of date, or it is too large.
    fn compact(&mut self) {
        let limit = self.limit();
        let Mode::Writer(writer) = &mut self.mode else { return };
        let wasteful = writer.end > writer.compact_at && writer.live < writer.end / 2;
        if !wasteful && writer.end <= limit {
            return;
        }
        let most = if writer.live > limit / 4 * 3 { limit / 2 } else { limit };
        let mut wanted: Vec<(u64, String, Place)> = self
            .index
            .iter()
            .filter_map(|(key, entry)| match entry.value {
                Value::InFile(place) => Some((entry.used, key.clone(), place)),
                Value::InMemory(_) => None,
            })
            .collect();
        // the latest used first, as long as there is room; then in the order of the file
        wanted.sort_unstable_by_key(|(used, _, _)| std::cmp::Reverse(*used));
        let mut room = most;
        wanted.retain(|(_, key, place)| {
            let left = room.checked_sub(log::record_len(key, place.len));
            room = left.unwrap_or(room);
            left.is_some()
        });
        wanted.sort_unstable_by_key(|(_, _, place)| place.at);
        match writer.write_anew(&wanted) {
            Ok(places) => {
                self.index.retain(|_, entry| matches!(entry.value, Value::InMemory(_)));
                for ((used, key, _), place) in wanted.into_iter().zip(places) {
                    if let Some(place) = place {
                        self.index.insert(key, Entry { value: Value::InFile(place), used });
                    }
                }
            }
            Err(error) => {
                let _ = std::fs::remove_file(temporary(&writer.path));
                writer.compact_at = writer.end.saturating_mul(2);
                tracing::warn!(file = %writer.path.display(), %error, "could not write it anew");
                if writer.end > limit {
                    writer.next_try = Some(next_try());
                    self.problem = Some(unusable(&writer.path, &error));
                }
            }
        }
    }
}

impl Writer {
    /// Writes some records into a new file and puts it in place of the old one; returns where they are now,
    /// `None` for those that turned out to be damaged.
    fn write_anew(&mut self, wanted: &[(u64, String, Place)]) -> io::Result<Vec<Option<Place>>> {
        let temporary = temporary(&self.path);
        let _ = std::fs::remove_file(&temporary);
        let mut out = io::BufWriter::with_capacity(256 * 1024, open_file(&temporary)?);
        out.write_all(MAGIC)?;
        let mut end = MAGIC.len() as u64;
        let mut places = Vec::with_capacity(wanted.len());
        for (_, key, place) in wanted {
            let value = log::read(&mut self.file, place)?;
            let Some(record) = value.and_then(|value| log::encode(key, Some(&value))) else {
                places.push(None);
                continue;
            };
            out.write_all(&record)?;
            let at = end + record.len() as u64 - u64::from(place.len);
            places.push(Some(Place { at, ..*place }));
            end += record.len() as u64;
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        std::fs::rename(&temporary, &self.path)?;
        self.file = file;
        self.end = end;
        self.live = end - MAGIC.len() as u64;
        self.compact_at = COMPACT_FROM;
        Ok(places)
    }
}

fn next_try() -> Instant {
    let now = Instant::now();
    now.checked_add(TRY_AGAIN).unwrap_or(now)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn temporary(path: &Path) -> PathBuf {
    beside(path, ".new")
}

/// Opens a file to read and write, for the user alone.
fn open_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    Ok(file)
}

/// How often a lock that somebody holds is tried again, and after how long.
const LOCK_TRIES: u32 = 4;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// Takes the lock of a file; `None` when another instance has it, or nothing can be locked here.
fn lock_of(path: &Path) -> io::Result<Option<File>> {
    let file = open_file(&beside(path, ".lock"))?;
    let mut tried = file.try_lock();
    // one that is just leaving, or a program it is just starting, holds it for moments
    for _ in 0..LOCK_TRIES {
        if !matches!(tried, Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(LOCK_PAUSE);
        tried = file.try_lock();
    }
    match tried {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        // without locks nobody may write: two instances would spoil each other's file
        Err(std::fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Moves a damaged file out of the way and starts a new one with its good beginning.
fn put_aside(path: &Path, old: &File, good: u64) -> io::Result<File> {
    std::fs::rename(path, beside(path, ".bad"))?;
    let mut new = open_file(path)?;
    let mut old = old;
    io::Seek::seek(&mut old, io::SeekFrom::Start(0))?;
    io::copy(&mut old.take(good), &mut new)?;
    Ok(new)
}

fn unusable(path: &Path, error: &io::Error) -> Diagnostic {
    let shown = path.display();
    let message = format!("what was read is not kept for the next start: could not write `{shown}`: {error}");
    Diagnostic::warning("store::not-kept", message)
        .at(SourceLocation::file(shown.to_string()))
        .hint("free some space, or check the permissions of the cache folder; all else works on")
}

fn damaged(path: &Path) -> Diagnostic {
    let shown = path.display();
    Diagnostic::warning("store::damaged", format!("`{shown}` is damaged; what was lost is read again"))
        .at(SourceLocation::file(shown.to_string()))
        .hint(format!("nothing needs to be done; `{}` may be removed", beside(path, ".bad").display()))
}
