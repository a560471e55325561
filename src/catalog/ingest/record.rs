//! What is known of a file, as it is kept between runs: enough not to parse unchanged content again.

use super::cache::{CacheKey, FileCache, FileResult, Others, TakenIn};
use super::targets::Target;
use super::{Address, How, Named};
use crate::catalog::cache::codec::{Reader, Shared, Writer};
use crate::catalog::snapshot::ParsedFile;
use crate::catalog::tree::Stamp;
use crate::yaml::Position;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use url::Url;

impl FileCache {
    /// Writes for each file what is wrong in it and the results that hold it, in the order of the files.
    pub(crate) fn write_records(&self, files: &[Arc<ParsedFile>], out: &mut Writer) {
        self.with_all(|all| {
            let mut by_file: FxHashMap<*const ParsedFile, Vec<(&CacheKey, &FileResult)>> =
                FxHashMap::default();
            for (key, result) in all {
                by_file.entry(Arc::as_ptr(&result.parsed)).or_default().push((key, result));
            }
            for file in files {
                out.list(file.diagnostics.iter(), Writer::diagnostic);
                let results = by_file.get(&Arc::as_ptr(file)).map_or(&[][..], Vec::as_slice);
                out.list(results.iter(), |out, (key, result)| write_result(out, key, result));
            }
        });
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

    /// Takes in what [`Self::write_records`] wrote for one file beside its diagnostics; `None` when it cannot
    /// be read.
    pub(crate) fn read_record(
        &self,
        from: &mut Reader<'_>,
        parsed: &Arc<ParsedFile>,
        is_wanted: bool,
    ) -> Option<()> {
        for (key, result) in from.list(|from| read_result(from, parsed))? {
            if is_wanted {
                self.put(key, Arc::new(result));
            }
        }
        Some(())
    }
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

fn read_result(from: &mut Reader<'_>, parsed: &Arc<ParsedFile>) -> Option<(CacheKey, FileResult)> {
    let address = read_address(from)?;
    let how = match from.number()? {
        0 => How::Asked,
        1 => How::Named,
        2 => How::Sniffed,
        _ => return None,
    };
    let origin = from.option(|from| {
        let text = from.text()?;
        Some(if text == &*parsed.origin_ref { parsed.origin_ref.clone() } else { text.into() })
    })?;
    let key = CacheKey { source: parsed.source, address, how, origin };
    let hash = from.word()?;
    let reusable = from.flag()?;
    let skeletons = from.list(|from| Some(from.text()?.to_owned()))?;
    let stamp = from.option(read_stamp)?;
    let taken_in = from.list(|from| {
        Some(TakenIn { path: from.text()?.to_owned(), hash: from.word()?, stamp: from.option(read_stamp)? })
    })?;
    let mut share = Shared::default();
    let targets = from.list(|from| read_target(from, &key.address, &parsed.path, &mut share))?;
    let parsed = parsed.clone();
    Some((
        key,
        FileResult { parsed, targets, skeletons, hash, stamp, taken_in, reusable, lacking: !reusable },
    ))
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

fn read_address(from: &mut Reader<'_>) -> Option<Address> {
    if from.flag()? {
        return Some(Address::Url(Arc::new(Url::parse(from.text()?).ok()?)));
    }
    Some(Address::path(from.text()?))
}
