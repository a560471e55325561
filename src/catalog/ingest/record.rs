//! What is known of a file, as it is kept between runs: enough not to parse unchanged content again.

use super::cache::{CacheKey, FileCache, FileResult, KeptResults, Others, TakenIn};
use super::targets::Target;
use super::{Address, How, Named};
use crate::catalog::cache::codec::{Reader, Shared, Writer};
use crate::catalog::snapshot::ParsedFile;
use crate::catalog::tree::Stamp;
use crate::yaml::Position;
use bytemuck::{Pod, Zeroable};
use rustc_hash::{FxHashMap, FxHasher};
use std::hash::Hasher as _;
use std::sync::Arc;
use url::Url;

/// Where the results of an address stand: one row for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct KeyRow {
    /// Of source and address.
    pub hash: u64,
    pub file: u32,
    /// Nothing; rows have no gaps.
    pub none: u32,
}

/// Sums source and address.
pub(super) fn key_hash(source: u16, address: &Address) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write_u16(source);
    match address {
        Address::Path(path) => hasher.write(path.as_bytes()),
        Address::Url(url) => hasher.write(url.as_str().as_bytes()),
    }
    hasher.finish()
}

/// Writes records.
pub(crate) struct Records<'a> {
    known: &'a FxHashMap<CacheKey, Arc<FileResult>>,
    by_file: FxHashMap<*const ParsedFile, Vec<(&'a CacheKey, &'a FileResult)>>,
    kept: Option<&'a KeptResults>,
}

impl Records<'_> {
    /// Writes what is wrong in a file and the results that hold it, and adds their keys; returns how much is wrong.
    pub(crate) fn write(
        &self,
        file: &Arc<ParsedFile>,
        at: u32,
        out: &mut Writer,
        keys: &mut Vec<KeyRow>,
    ) -> usize {
        let diagnostics = file.problems();
        out.list(diagnostics.iter(), Writer::diagnostic);
        let kept = self.kept.map(|kept| kept.of(file)).unwrap_or_default();
        // what is known since counts
        let kept = kept.iter().filter(|(key, _)| !self.known.contains_key(key));
        let known = self.by_file.get(&Arc::as_ptr(file)).into_iter().flatten().copied();
        let results: Vec<_> = kept.map(|(key, result)| (key, result)).chain(known).collect();
        out.list(results.into_iter(), |out, (key, result)| {
            keys.push(KeyRow { hash: key_hash(key.source, &key.address), file: at, none: 0 });
            write_result(out, key, result);
        });
        diagnostics.len()
    }
}

impl FileCache {
    /// Hands over what writes the records of files, while nothing is added.
    pub(crate) fn with_records<T>(&self, write: impl FnOnce(&Records<'_>) -> T) -> T {
        self.with_all(|known, kept| {
            let mut by_file: FxHashMap<*const ParsedFile, Vec<(&CacheKey, &FileResult)>> =
                FxHashMap::default();
            for (key, result) in known {
                by_file.entry(Arc::as_ptr(&result.parsed)).or_default().push((key, result));
            }
            write(&Records { known, by_file, kept })
        })
    }

    /// Writes what is known of each source: where its root was, and which of its files are no descriptors.
    pub(crate) fn write_trees(&self, sources: usize, out: &mut Writer) {
        out.list(0..sources, |out, source| {
            out.option(self.place(source as u16).as_deref(), Writer::text);
            out.list(self.others(source as u16).iter(), |out, (path, stamp)| {
                out.text(path);
                write_stamp(out, *stamp);
            });
        });
    }

    /// Takes in what [`Self::write_trees`] wrote.
    pub(crate) fn read_trees(&self, from: &mut Reader<'_>, is_wanted: bool) -> Option<()> {
        let mut source = 0;
        from.list(|from| {
            let place = from.option(Reader::text)?;
            let others: Vec<_> = from.list(|from| Some((Arc::from(from.text()?), read_stamp(from)?)))?;
            if is_wanted {
                self.set_others(source, others.into_iter().collect::<Others>());
                if let Some(place) = place {
                    self.set_place(source, place.into());
                }
            }
            source = source.checked_add(1)?;
            Some(())
        })?;
        Some(())
    }
}

/// Reads the result of a key from the record of a file.
pub(super) fn find(record: &[u8], file: &Arc<ParsedFile>, key: &CacheKey) -> Option<Arc<FileResult>> {
    let mut found = None;
    let mut from = results_of(record)?;
    for _ in 0..from.number()? {
        let named = read_key(&mut from)?;
        let result = read_result(&mut from, &key.address, file)?;
        if named.is(key) {
            found = Some(Arc::new(result));
            break;
        }
    }
    found
}

/// Reads all results from the record of a file.
pub(super) fn all(record: &[u8], file: &Arc<ParsedFile>) -> Option<Vec<(CacheKey, FileResult)>> {
    results_of(record)?.list(|from| {
        let key = read_key(from)?.to_key(file.source)?;
        let result = read_result(from, &key.address, file)?;
        Some((key, result))
    })
}

/// Passes over what is wrong in the file.
fn results_of(record: &[u8]) -> Option<Reader<'_>> {
    let mut from = Reader::new(record);
    let mut share = Shared::default();
    from.list(|from| from.diagnostic(&mut share))?;
    Some(from)
}

/// A key where it stands.
struct KeptKey<'a> {
    is_url: bool,
    address: &'a str,
    how: How,
    origin: Option<&'a str>,
}

impl KeptKey<'_> {
    fn is(&self, key: &CacheKey) -> bool {
        let address = match &key.address {
            Address::Path(path) => (false, &**path),
            Address::Url(url) => (true, url.as_str()),
        };
        (self.is_url, self.address) == address && self.how == key.how && self.origin == key.origin.as_deref()
    }

    fn to_key(&self, source: u16) -> Option<CacheKey> {
        let address = if self.is_url {
            Address::Url(Arc::new(Url::parse(self.address).ok()?))
        } else {
            Address::path(self.address)
        };
        Some(CacheKey { source, address, how: self.how, origin: self.origin.map(Arc::from) })
    }
}

fn read_key<'a>(from: &mut Reader<'a>) -> Option<KeptKey<'a>> {
    let (is_url, address) = (from.flag()?, from.text()?);
    let how = match from.number()? {
        0 => How::Asked,
        1 => How::Named,
        2 => How::Sniffed,
        _ => return None,
    };
    Some(KeptKey { is_url, address, how, origin: from.option(Reader::text)? })
}

fn write_result(out: &mut Writer, key: &CacheKey, result: &FileResult) {
    write_address(out, &key.address);
    out.number(key.how as u64);
    out.option(key.origin.as_deref(), Writer::text);
    out.word(result.hash);
    out.flag(result.reusable);
    out.list(result.skeletons.iter(), |out, folder| out.text(folder));
    out.option(result.stamp, write_stamp);
    out.list(result.taken_in.iter(), |out, taken| {
        out.text(&taken.path);
        out.word(taken.hash);
        out.option(taken.stamp, write_stamp);
    });
    out.list(result.targets.iter(), write_target);
}

/// Reads what [`write_result`] wrote behind the key.
fn read_result(from: &mut Reader<'_>, address: &Address, parsed: &Arc<ParsedFile>) -> Option<FileResult> {
    let hash = from.word()?;
    let reusable = from.flag()?;
    let skeletons = from.list(|from| Some(from.text()?.to_owned()))?;
    let stamp = from.option(read_stamp)?;
    let taken_in = from.list(|from| {
        Some(TakenIn { path: from.text()?.to_owned(), hash: from.word()?, stamp: from.option(read_stamp)? })
    })?;
    let mut share = Shared::default();
    let mut path = None;
    let targets = from.list(|from| {
        let path = path.get_or_insert_with(|| parsed.shared_path());
        read_target(from, address, path, &mut share)
    })?;
    let parsed = parsed.clone();
    Some(FileResult { parsed, targets, skeletons, hash, stamp, taken_in, reusable, lacking: !reusable })
}

fn write_stamp(out: &mut Writer, stamp: Stamp) {
    for word in stamp.0 {
        out.word(word);
    }
}

fn read_stamp(from: &mut Reader<'_>) -> Option<Stamp> {
    Some(Stamp([from.word()?, from.word()?, from.word()?, from.word()?]))
}

fn write_target(out: &mut Writer, target: &Target) {
    let named = &target.named;
    out.text(&named.text);
    out.text(&named.entity);
    out.number(u64::from(named.start.line));
    out.number(u64::from(named.start.column));
    out.number(u64::from(named.width));
    out.flag(named.optional);
    out.option(target.location_type.as_deref(), Writer::text);
}

/// Reads a target of a file; its place is the file itself.
fn read_target(from: &mut Reader<'_>, base: &Address, file: &Arc<str>, share: &mut Shared) -> Option<Target> {
    let text = from.text()?.into();
    let entity = share.get(from.text()?);
    let start = Position { line: from.small()?, column: from.small()? };
    let (width, optional) = (from.small()?, from.flag()?);
    let named = Named { text, base: base.clone(), file: file.clone(), start, width, entity, optional };
    let location_type = from.option(|from| Some(from.text()?.to_owned()))?;
    Some(Target { named: Arc::new(named), location_type })
}

fn write_address(out: &mut Writer, address: &Address) {
    match address {
        Address::Path(path) => {
            out.flag(false);
            out.text(path);
        }
        Address::Url(url) => {
            out.flag(true);
            out.text(url.as_str());
        }
    }
}
