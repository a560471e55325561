//! When sources were last found as they are in a cache file: beside it, so that nothing else is written.

use super::codec::{Reader, Writer};
use super::contents::KeptSource;
use jiff::Timestamp;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// More than ten thousand sources need.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Returns where the ages of a cache file stand.
pub fn path(file: &Path) -> PathBuf {
    file.with_extension("ages")
}

/// Writes the ages of the file with this number.
pub fn write(id: u64, sources: &[KeptSource]) -> Vec<u8> {
    let mut out = Writer::default();
    out.word(id);
    out.list(sources.iter(), |out, source| {
        out.option(source.state.read_at, |out, at| out.word(at.as_millisecond() as u64));
        out.option(source.version.as_deref(), Writer::text);
    });
    let sum = blake3::hash(&out.bytes);
    out.bytes.extend(sum.as_bytes());
    out.bytes
}

/// Takes in the ages, if they are of the file with this number.
pub fn read(path: &Path, id: u64, sources: &mut [KeptSource]) {
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
    let Some((content, sum)) = read.ok().and_then(|_| bytes.split_last_chunk::<32>()) else { return };
    if blake3::hash(content).as_bytes() != sum {
        return;
    }
    let mut from = Reader::new(content);
    let ages = (from.word() == Some(id)).then(|| {
        from.list(|from| {
            let at = from.option(|from| Timestamp::from_millisecond(from.word()? as i64).ok())?;
            Some((at, from.option(|from| Some(from.text()?.to_owned()))?))
        })
    });
    let Some(ages) = ages.flatten().filter(|ages| ages.len() == sources.len()) else { return };
    for (source, (read_at, version)) in sources.iter_mut().zip(ages) {
        (source.state.read_at, source.version) = (read_at, version);
    }
}
