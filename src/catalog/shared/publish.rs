//! Writes a snapshot to a store: the data first, the manifest last, old data away.
//!
//! Start at [`publish`]. Whoever is stopped in between leaves the snapshot of before as it was. Of two who
//! publish at once the last one wins, and both leave whole data behind.

use super::keys::SigningKey;
use super::manifest::{FORMAT, Manifest};
use super::store::{Listed, Over, Put, Store};
use super::write::{Forbidden, Written, write};
use super::{DATA, MANIFEST, MAX_MANIFEST, Place as _, SharedError};
use crate::catalog::snapshot::Catalog;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

/// Data objects that stay beside the current one.
pub const KEEP: usize = 5;
/// Younger data objects stay in any case: somebody may be about to name or to read them.
const GRACE: SignedDuration = SignedDuration::from_hours(1);
/// Further tries when others publish at the same time.
const TRIES: usize = 8;

/// How to publish.
#[derive(Debug)]
pub struct Options<'a> {
    /// Signs the manifest.
    pub key: Option<&'a SigningKey>,
    /// Publish a catalog in which a source could not be read, or an empty one.
    pub allow_incomplete: bool,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Data objects that stay beside the current one.
    pub keep: usize,
    /// Secrets of this machine.
    pub forbidden: &'a [Forbidden],
    /// Now.
    pub now: Timestamp,
}

/// What changed in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the same catalog is there.
    Nothing,
    /// The manifest alone: its signature, for example.
    Manifest,
    /// Data and manifest.
    Everything,
}

/// What came of publishing.
#[derive(Debug)]
pub struct Published {
    /// The manifest that is there now.
    pub manifest: Manifest,
    /// What changed.
    pub change: Change,
    /// Data objects that were removed.
    pub removed: usize,
    /// What is worth knowing: not signed any more, old data that stayed.
    pub notes: Vec<String>,
}

/// Publishes a catalog. Blocks.
///
/// # Errors
/// [`SharedError::Incomplete`], [`SharedError::Secret`], or whatever the store says.
pub fn publish(
    catalog: &Catalog,
    store: &mut Store,
    options: &Options<'_>,
) -> Result<Published, SharedError> {
    if !options.allow_incomplete {
        check_complete(catalog)?;
    }
    let written = write(catalog, options.forbidden)?;
    let mut notes: Vec<String> = written
        .left_out
        .iter()
        .map(|entity| format!("`{entity}` is nested too deep and was left out"))
        .collect();
    let current = read(store)?;
    let same_data = current.manifest.as_ref().is_some_and(|manifest| manifest.data == written.object);
    let has_data = same_data && store.has(&written.object.name, written.object.size)?;
    if let Some(manifest) = &current.manifest {
        let is_signed = options.key.is_none_or(|key| manifest.is_signed_by(key.public()));
        if has_data && is_signed && manifest.sources == written.sources {
            let manifest = manifest.clone();
            return Ok(Published { manifest, change: Change::Nothing, removed: 0, notes });
        }
        if options.key.is_none() && manifest.signature.is_some() {
            notes
                .push("the snapshot before was signed, this one is not: whoever checks it refuses it".into());
        }
    }
    let change = if has_data { Change::Manifest } else { Change::Everything };
    let manifest = manifest(&written, current.manifest.as_ref(), options);
    if options.dry_run {
        return Ok(Published { manifest, change, removed: 0, notes });
    }
    if change == Change::Everything {
        store.put(&written.object.name, &written.bytes, &Over::Anything)?;
    }
    let manifest = put_manifest(store, &written, manifest, current, options)?;
    let removed = match clean_up(store, &manifest, options.keep) {
        Ok(removed) => removed,
        Err(error) => {
            notes.push(format!("old data was not removed: {error}"));
            0
        }
    };
    Ok(Published { manifest, change, removed, notes })
}

fn check_complete(catalog: &Catalog) -> Result<(), SharedError> {
    let failed: Vec<String> = catalog
        .sources()
        .iter()
        .filter(|source| source.error.is_some())
        .map(|source| format!("`{}`", source.name))
        .collect();
    if !failed.is_empty() {
        let what = if failed.len() == 1 { "the source" } else { "the sources" };
        let cause = format!("{what} {} could not be read", failed.join(", "));
        return Err(SharedError::Incomplete { cause });
    }
    if catalog.is_empty() {
        return Err(SharedError::Incomplete { cause: "there is no entity in it".to_owned() });
    }
    Ok(())
}

/// What is in the store before.
#[derive(Debug, Default)]
struct Current {
    manifest: Option<Manifest>,
    over: Option<Over>,
}

fn read(store: &mut Store) -> Result<Current, SharedError> {
    let object = match store.get(MANIFEST, MAX_MANIFEST, None, &CancellationToken::new()) {
        Ok(object) => object,
        Err(SharedError::NotFound { .. }) => {
            return Ok(Current { manifest: None, over: Some(Over::Nothing) });
        }
        Err(error) => return Err(error),
    };
    let Some(object) = object else { return Ok(Current::default()) };
    let over = object.etag.clone().map(Over::Tag);
    match Manifest::parse(&object.bytes, None) {
        Ok(manifest) => Ok(Current { manifest: Some(manifest), over }),
        // a newer version publishes there: it must not be undone
        Err(error @ SharedError::Newer { .. }) => Err(error),
        Err(_) => Ok(Current { manifest: None, over }),
    }
}

fn manifest(written: &Written, before: Option<&Manifest>, options: &Options<'_>) -> Manifest {
    let now = Timestamp::from_second(options.now.as_second()).unwrap_or(options.now);
    // readers take what is older for a replay, whatever the clocks of those who publish say
    let next = before.and_then(|before| before.created.checked_add(SignedDuration::from_secs(1)).ok());
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        created: next.map_or(now, |next| next.max(now)),
        entities: written.entities,
        files: written.files,
        sources: written.sources.clone(),
        data: written.object.clone(),
        signature: None,
    };
    if let Some(key) = options.key {
        manifest.sign(key);
    }
    manifest
}

/// Puts the manifest in the place of the one that was read; reads again when somebody was faster.
fn put_manifest(
    store: &mut Store,
    written: &Written,
    mut manifest: Manifest,
    mut current: Current,
    options: &Options<'_>,
) -> Result<Manifest, SharedError> {
    for _ in 0..TRIES {
        let over = current.over.take().unwrap_or(Over::Anything);
        if store.put(MANIFEST, &manifest.to_bytes(), &over)? == Put::Done {
            return Ok(manifest);
        }
        current = read(store)?;
        manifest = self::manifest(written, current.manifest.as_ref(), options);
    }
    store.put(MANIFEST, &manifest.to_bytes(), &Over::Anything)?;
    Ok(manifest)
}

/// Removes data objects that nobody can need any more.
fn clean_up(store: &Store, manifest: &Manifest, keep: usize) -> Result<usize, SharedError> {
    let mut removed = 0;
    for name in too_old(store.list(DATA)?, &manifest.data.name, keep) {
        store.remove(&name)?;
        removed += 1;
    }
    Ok(removed)
}

/// Returns the names of data objects beyond the last `keep` that are older than the grace period; the
/// clock is that of the store.
fn too_old(mut objects: Vec<Listed>, current: &str, keep: usize) -> Vec<String> {
    objects.sort_by(|a, b| (b.modified, &b.name).cmp(&(a.modified, &a.name)));
    let Some(newest) = objects.first().map(|object| object.modified) else { return Vec::new() };
    let is_ours = |name: &str| {
        let hash = name.strip_prefix("data/").and_then(|name| name.strip_suffix(".jsonl.gz"));
        hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    objects
        .into_iter()
        .filter(|object| object.name != current && is_ours(&object.name))
        .skip(keep)
        .filter(|object| newest.duration_since(object.modified) > GRACE)
        .map(|object| object.name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_data_goes_but_for_the_last_and_the_young() {
        let name = |number: u32| format!("data/{number:064}.jsonl.gz");
        let at = |minutes: i64| Timestamp::from_second(1_000_000 - minutes * 60).unwrap();
        let mut objects: Vec<Listed> = [0, 30, 61, 120, 180, 240]
            .into_iter()
            .zip(0..)
            .map(|(minutes, number)| Listed { name: name(number), modified: at(minutes) })
            .collect();
        objects.push(Listed { name: "data/readme.txt".into(), modified: at(10_000) });
        assert_eq!(too_old(objects.clone(), &name(0), 2), [name(3), name(4), name(5)]);
        assert_eq!(too_old(objects.clone(), &name(0), 0), [name(2), name(3), name(4), name(5)]);
        assert_eq!(too_old(objects, &name(5), 9), Vec::<String>::new());
    }
}
