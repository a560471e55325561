//! Entities between two runs, in a few files of the source's own folder.
//!
//! Each ref belongs to one file by its hash, so that a refresh writes only the files of what changed. A file
//! is used if its checksum holds, otherwise its entities count as not held and are fetched again. Keeping is
//! a courtesy: a full disk costs the next start some bytes, nothing else.

use super::chain::RefHash;
use crate::catalog::ingest::json::{Context, JsonFiles, kept_entity};
use crate::catalog::snapshot::ParsedFile;
use crate::catalog::stitch::canonical_ref;
use crate::model::value::ValueRef;
use crate::store::write_atomic;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files of one source.
const BUCKETS: u64 = 64;
/// First bytes of each file; the number is raised when the form changes.
const MAGIC: &[u8; 8] = b"dpback01";
/// Largest file, unpacked.
const MAX_BUCKET: u64 = 512 * 1024 * 1024;

/// Returns the file that an entity belongs to.
pub(super) fn bucket(hash: RefHash) -> u64 {
    hash.0 % BUCKETS
}

fn path(folder: &Path, bucket: u64) -> PathBuf {
    folder.join("entities").join(format!("{bucket:02}"))
}

/// Reads all entities that are kept.
pub(super) fn load(folder: Option<&Path>, cx: &Context<'_>) -> Vec<Arc<ParsedFile>> {
    let Some(folder) = folder else { return Vec::new() };
    let parts: Vec<_> = (0..BUCKETS)
        .into_par_iter()
        .map(|bucket| {
            let bytes = unpack(&std::fs::read(path(folder, bucket)).ok()?)?;
            let mut found = Vec::new();
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let (location, tail) = take(rest)?;
                let (origin, tail) = take(tail)?;
                let (packed, tail) = take(tail)?;
                let (location, origin) =
                    (std::str::from_utf8(location).ok()?, std::str::from_utf8(origin).ok()?);
                found.extend(kept_entity(cx, ValueRef::new(packed), location, origin));
                rest = tail;
            }
            Some(found)
        })
        .collect();
    let mut files = JsonFiles::new(cx);
    for entity in parts.into_iter().flatten().flatten() {
        files.add(entity);
    }
    files.finish().0
}

/// Writes the files of the buckets that changed.
pub(super) fn save(folder: Option<&Path>, files: &[Arc<ParsedFile>], dirty: &BTreeSet<u64>) {
    let Some(folder) = folder.filter(|_| !dirty.is_empty()) else { return };
    let mut contents: Vec<(u64, Vec<u8>)> = dirty.iter().map(|bucket| (*bucket, Vec::new())).collect();
    for file in files {
        for document in &file.documents {
            let Some(canonical) = canonical_ref(ValueRef::new(&document.packed)) else { continue };
            let wanted = bucket(RefHash::of(&canonical));
            let Ok(at) = contents.binary_search_by_key(&wanted, |(bucket, _)| *bucket) else { continue };
            let Some((_, out)) = contents.get_mut(at) else { continue };
            put(out, file.location_ref.as_bytes());
            put(out, file.origin_ref.as_bytes());
            put(out, &document.packed);
        }
    }
    let failed = contents.par_iter().find_map_any(|(bucket, bytes)| {
        let packed = pack(bytes)?;
        write_atomic(&path(folder, *bucket), &packed).err()
    });
    if let Some(error) = failed {
        tracing::warn!(%error, "entities are not kept");
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u32).to_le_bytes());
    out.extend(bytes);
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    out.extend(blake3::hash(bytes).as_bytes());
    let mut encoder = DeflateEncoder::new(out, Compression::fast());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn unpack(bytes: &[u8]) -> Option<Vec<u8>> {
    let (sum, rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<32>()?;
    let mut out = Vec::new();
    DeflateDecoder::new(rest).take(MAX_BUCKET).read_to_end(&mut out).ok()?;
    (blake3::hash(&out).as_bytes() == sum).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_no_file() {
        let good = pack(b"content").unwrap();
        assert_eq!(unpack(&good).as_deref(), Some(&b"content"[..]));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x55;
            assert_ne!(unpack(&bad).as_deref(), Some(&b"other"[..]));
            assert!(unpack(&bad).is_none_or(|bytes| bytes == b"content"), "byte {at}");
            assert!(unpack(&good[..at]).is_none_or(|bytes| bytes == b"content"), "cut at {at}");
        }
        assert_eq!(take(&[255, 255, 255, 255, 1]), None);
    }
}
