//! The file behind what is kept: records, one after the other, each with its lengths and checksums.
//!
//! A record is written whole and never changed. Whoever dies while writing leaves a beginning of one,
//! which is told from damage by the lengths: they stand at the front with a checksum of their own. Keys
//! are read when the file is opened, values when somebody asks for them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

/// The first bytes of the file; the digit is the version of its form.
pub(super) const MAGIC: &[u8; 8] = b"dpkept1\n";
/// Bytes before the key.
const HEAD: usize = 41;
/// Longest key.
const MAX_KEY: u32 = 64 * 1024;
/// Longest value.
pub(super) const MAX_VALUE: u32 = 256 * 1024 * 1024;

const PUT: u8 = 1;
const REMOVE: u8 = 2;

/// First bytes of the checksum of a value.
pub(super) type Check = [u8; 16];

/// Where a value lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Of its first byte.
    pub at: u64,
    /// Its length in bytes.
    pub len: u32,
    pub check: Check,
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With the last byte of a record.
    Whole,
    /// In the middle of one.
    Torn,
    /// With something that is none.
    Damaged,
}

/// What a file holds.
#[derive(Debug)]
pub(super) struct Scan {
    /// Keys in the order in which they were written; `None` for one that was removed.
    pub records: Vec<(String, Option<Place>)>,
    /// Where the last good record ends; 0 when not even the first bytes are ours.
    pub end: u64,
    pub ending: Ending,
}

/// Reads the keys of a file.
pub(super) fn scan(file: &File) -> io::Result<Scan> {
    let size = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    reader.seek(SeekFrom::Start(0))?;
    let mut scan = Scan { records: Vec::new(), end: 0, ending: Ending::Whole };
    let mut magic = Vec::new();
    reader.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic)?;
    if magic.as_slice() != MAGIC {
        scan.ending = if MAGIC.starts_with(&magic) { Ending::Torn } else { Ending::Damaged };
        return Ok(scan);
    }
    scan.end = MAGIC.len() as u64;
    loop {
        let left = size.saturating_sub(scan.end);
        if left == 0 {
            return Ok(scan);
        }
        let mut head = [0; HEAD];
        if left < HEAD as u64 {
            scan.ending = Ending::Torn;
            return Ok(scan);
        }
        reader.read_exact(&mut head)?;
        let Some(head) = Head::decode(&head) else {
            scan.ending = Ending::Damaged;
            return Ok(scan);
        };
        if left < head.record_len() {
            scan.ending = Ending::Torn;
            return Ok(scan);
        }
        let mut key = vec![0; head.key_len as usize];
        reader.read_exact(&mut key)?;
        let key = String::from_utf8(key).ok().filter(|key| check_of::<8>(key.as_bytes()) == head.key_check);
        let Some(key) = key else {
            scan.ending = Ending::Damaged;
            return Ok(scan);
        };
        let at = scan.end + HEAD as u64 + u64::from(head.key_len);
        let place = Place { at, len: head.value_len, check: head.value_check };
        scan.records.push((key, (head.kind == PUT).then_some(place)));
        reader.seek_relative(i64::from(head.value_len))?;
        scan.end += head.record_len();
    }
}

/// Returns the bytes of a record; `None` when the key or the value is too long for one.
pub(super) fn encode(key: &str, value: Option<&[u8]>) -> Option<Vec<u8>> {
    let bytes = value.unwrap_or_default();
    let head = Head {
        key_len: u32::try_from(key.len()).ok().filter(|len| *len <= MAX_KEY)?,
        value_len: u32::try_from(bytes.len()).ok().filter(|len| *len <= MAX_VALUE)?,
        kind: if value.is_some() { PUT } else { REMOVE },
        key_check: check_of(key.as_bytes()),
        value_check: check_of(bytes),
    };
    let mut out = Vec::with_capacity(HEAD + key.len() + bytes.len());
    out.extend_from_slice(&head.encode());
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(bytes);
    Some(out)
}

/// Returns how long the record of a value is.
pub(super) fn record_len(key: &str, value_len: u32) -> u64 {
    HEAD as u64 + key.len() as u64 + u64::from(value_len)
}

/// Reads a value; `None` when it is damaged.
pub(super) fn read(file: &mut File, place: &Place) -> io::Result<Option<Vec<u8>>> {
    file.seek(SeekFrom::Start(place.at))?;
    let mut value = Vec::new();
    file.take(u64::from(place.len)).read_to_end(&mut value)?;
    Ok((check_of(&value) == place.check).then_some(value))
}

/// Writes bytes at a place; on failure the file ends there again.
pub(super) fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    let written = file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes));
    if written.is_err() {
        file.set_len(at)?;
    }
    written
}

/// Returns the first bytes of a checksum.
pub(super) fn check_of<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    blake3::Hasher::new().update(bytes).finalize_xof().fill(&mut out);
    out
}

struct Head {
    key_len: u32,
    value_len: u32,
    kind: u8,
    key_check: [u8; 8],
    value_check: Check,
}

impl Head {
    fn encode(&self) -> [u8; HEAD] {
        let mut out = Vec::with_capacity(HEAD);
        out.extend_from_slice(&self.key_len.to_le_bytes());
        out.extend_from_slice(&self.value_len.to_le_bytes());
        out.push(self.kind);
        out.extend_from_slice(&self.key_check);
        out.extend_from_slice(&self.value_check);
        let check: [u8; 8] = check_of(&out);
        out.extend_from_slice(&check);
        let mut bytes = [0; HEAD];
        bytes.iter_mut().zip(out).for_each(|(to, from)| *to = from);
        bytes
    }

    fn decode(bytes: &[u8; HEAD]) -> Option<Self> {
        let (checked, rest) = bytes.split_last_chunk::<8>()?;
        if check_of::<8>(checked) != *rest {
            return None;
        }
        let (key_len, left) = checked.split_first_chunk::<4>()?;
        let (value_len, left) = left.split_first_chunk::<4>()?;
        let (kind, left) = left.split_first()?;
        let (key_check, left) = left.split_first_chunk::<8>()?;
        let head = Self {
            key_len: u32::from_le_bytes(*key_len),
            value_len: u32::from_le_bytes(*value_len),
            kind: *kind,
            key_check: *key_check,
            value_check: left.try_into().ok()?,
        };
        let sensible =
            head.key_len <= MAX_KEY && head.value_len <= MAX_VALUE && matches!(head.kind, PUT | REMOVE);
        sensible.then_some(head)
    }

    fn record_len(&self) -> u64 {
        HEAD as u64 + u64::from(self.key_len) + u64::from(self.value_len)
    }
}
