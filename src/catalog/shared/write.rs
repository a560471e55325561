//! From a catalog to the bytes of a data object.
//!
//! Start at [`write`]. The same catalog gives the same bytes: files are sorted, maps have an order, the
//! packed stream has no time in it. Of several documents for one ref only the one that counts is written;
//! what joining finds is left to whoever reads, but for the conflicts, which he cannot see any more.

use super::clean::{Places, without_secrets};
use super::manifest::{DataObject, FORMAT, PublishedSource};
use super::packed::{Published, is_shallow};
use super::record::{End, EntityOut, FileOut, Header, HeaderSource, Problem, relations_word};
use super::{MAX_ENTITIES, SharedError};
use crate::catalog::snapshot::{Catalog, Entity, FileView, RelationsFrom};
use crate::config::secret::Secret;
use crate::diagnostic::Diagnostic;
use flate2::{Compression, GzBuilder};
use memchr::memmem;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;
use std::io::Write as _;

/// Entities that one task writes; each task makes a member of the packed stream.
const ENTITIES_PER_TASK: usize = 2000;
/// Code of what joining finds again in any catalog.
const FOUND_AGAIN: &str = "catalog::dangling-ref";
/// Shorter secrets stand everywhere by chance.
const SHORTEST_SECRET: usize = 8;

/// A secret of this machine, which must not stand in what is published.
#[derive(Debug, Clone)]
pub struct Forbidden {
    /// Where it is configured: the variable, the source.
    pub label: String,
    /// What it is.
    pub secret: Secret,
}

/// What came of writing.
#[derive(Debug)]
pub(super) struct Written {
    pub bytes: Vec<u8>,
    pub object: DataObject,
    pub entities: u64,
    pub files: u64,
    pub sources: Vec<PublishedSource>,
    /// Refs that are nested too deep to be read again.
    pub left_out: Vec<String>,
}

/// A file as it is published.
#[derive(Debug, Default)]
struct Group<'c> {
    source: u16,
    path: String,
    location: String,
    origin: String,
    relations: RelationsFrom,
    entities: Vec<Entity<'c>>,
    problems: Vec<Problem>,
}

/// Writes a catalog.
///
/// # Errors
/// [`SharedError::Secret`], or [`SharedError::Broken`] when it is larger than is read again.
pub(super) fn write(catalog: &Catalog, forbidden: &[Forbidden]) -> Result<Written, SharedError> {
    let places = Places::of(catalog);
    let mut left_out = Vec::new();
    let (mut groups, mut loose) = gather(catalog, &places, &mut left_out);
    loose.extend(left_out.iter().map(|entity| too_deep(entity)));
    groups.sort_by(|a, b| {
        (a.source, &a.path, &a.location, &a.origin).cmp(&(b.source, &b.path, &b.location, &b.origin))
    });
    let end = End {
        files: groups.len() as u64,
        entities: groups.iter().map(|group| group.entities.len() as u64).sum(),
    };
    if end.entities > MAX_ENTITIES {
        return Err(SharedError::broken("it is larger than any catalog"));
    }
    let sources = published(catalog, &groups);
    let mut members = vec![member(&header(&sources)?)?];
    let packed: Vec<Result<Member, SharedError>> =
        tasks(&groups).into_par_iter().map(|task| member(&lines(task, forbidden)?)).collect();
    for packed in packed {
        members.push(packed?);
    }
    let mut text = Vec::new();
    if !loose.is_empty() {
        line(&mut text, "problems", &loose)?;
    }
    line(&mut text, "end", &end)?;
    members.push(member(&text)?);
    let unpacked = members.iter().map(|member| member.unpacked).sum();
    let bytes: Vec<u8> = members.into_iter().flat_map(|member| member.bytes).collect();
    let object = DataObject::of(&bytes, unpacked);
    Ok(Written { bytes, object, entities: end.entities, files: end.files, sources, left_out })
}

/// Puts entities and problems to their files; gives the problems of no file, too.
fn gather<'c>(
    catalog: &'c Catalog,
    places: &Places,
    left_out: &mut Vec<String>,
) -> (Vec<Group<'c>>, Vec<Problem>) {
    let mut groups: Vec<Group<'c>> = Vec::new();
    // views of one file point to the same texts
    let mut known: FxHashMap<(u16, &str, &str, &str), usize> = FxHashMap::default();
    let mut by_path: FxHashMap<&str, usize> = FxHashMap::default();
    for file in catalog.files() {
        let key = (file.source, file.path, file.location_ref, file.origin_ref);
        known.entry(key).or_insert_with(|| {
            let (path, location, origin) = places.file(&file);
            let FileView { source, relations, .. } = file;
            groups.push(Group { source, path, location, origin, relations, ..Group::default() });
            by_path.entry(file.path).or_insert(groups.len() - 1);
            groups.len() - 1
        });
    }
    for entity in catalog.entities() {
        if !is_shallow(entity.value()) {
            left_out.push(entity.entity_ref().to_owned());
            continue;
        }
        let file = entity.file();
        let at = known.get(&(file.source, file.path, file.location_ref, file.origin_ref));
        if let Some(group) = at.and_then(|at| groups.get_mut(*at)) {
            group.entities.push(entity);
        }
    }
    let clean = |text: &str| places.text(text);
    let mut loose = Vec::new();
    for diagnostic in catalog.diagnostics().iter().filter(|diagnostic| diagnostic.code != FOUND_AGAIN) {
        let at = diagnostic.location.as_ref().and_then(|place| by_path.get(&*place.file));
        match at.and_then(|at| groups.get_mut(*at)) {
            Some(group) => group.problems.push(Problem::of(diagnostic, None, clean)),
            None => loose.push(Problem::of(diagnostic, place_of(diagnostic, places), clean)),
        }
    }
    for group in &mut groups {
        group.entities.sort_by_key(|entity| (entity.document(), entity.entity_ref()));
    }
    groups.retain(|group| !group.entities.is_empty() || !group.problems.is_empty());
    (groups, loose)
}

fn place_of(diagnostic: &Diagnostic, places: &Places) -> Option<String> {
    diagnostic.location.as_ref().map(|place| places.text(&place.file))
}

fn too_deep(entity: &str) -> Problem {
    let message = format!("`{entity}` is nested too deep to be shared, and is left out");
    Problem::of(&Diagnostic::warning("snapshot::too-deep", message).entity(entity), None, str::to_owned)
}

fn published(catalog: &Catalog, groups: &[Group<'_>]) -> Vec<PublishedSource> {
    let mut entities: FxHashMap<u16, u64> = FxHashMap::default();
    for group in groups {
        *entities.entry(group.source).or_default() += group.entities.len() as u64;
    }
    (0u16..)
        .zip(catalog.sources())
        .map(|(number, source)| PublishedSource {
            name: without_secrets(&source.name),
            kind: source.kind.to_owned(),
            entities: entities.get(&number).copied().unwrap_or(0),
            error: source.error.as_ref().map(|error| error.code.to_owned()),
        })
        .collect()
}

fn header(sources: &[PublishedSource]) -> Result<Vec<u8>, SharedError> {
    let sources = sources
        .iter()
        .map(|source| HeaderSource { name: source.name.clone(), kind: source.kind.clone() })
        .collect();
    let mut text = Vec::new();
    line(&mut text, "snapshot", &Header { format: FORMAT.to_owned(), sources })?;
    Ok(text)
}

/// Cuts the files into runs of about the same number of entities.
fn tasks<'g, 'c>(groups: &'g [Group<'c>]) -> Vec<&'g [Group<'c>]> {
    let mut out = Vec::new();
    let (mut start, mut entities) = (0, 0);
    for (at, group) in groups.iter().enumerate() {
        entities += group.entities.len() + 1;
        if entities >= ENTITIES_PER_TASK {
            out.extend(groups.get(start..=at));
            (start, entities) = (at + 1, 0);
        }
    }
    out.extend(groups.get(start..).filter(|rest| !rest.is_empty()));
    out
}

fn lines(groups: &[Group<'_>], forbidden: &[Forbidden]) -> Result<Vec<u8>, SharedError> {
    let mut text = Vec::new();
    for group in groups {
        let start = text.len();
        let file = FileOut {
            source: group.source,
            path: &group.path,
            location: &group.location,
            origin: (group.origin != group.location).then_some(group.origin.as_str()),
            relations: relations_word(group.relations),
            entities: group.entities.iter().map(entity_out).collect(),
            problems: group.problems.clone(),
        };
        line(&mut text, "file", &file)?;
        check_secrets(text.get(start..).unwrap_or(&[]), group, forbidden)?;
    }
    Ok(text)
}

fn entity_out<'c>(entity: &Entity<'c>) -> EntityOut<'c> {
    EntityOut {
        line: entity.location().line,
        document: entity.document(),
        valid: !entity.is_invalid(),
        marks: entity.marks(),
        entity: Published(entity.value()),
    }
}

/// Refuses to let a secret of this machine out.
fn check_secrets(text: &[u8], group: &Group<'_>, forbidden: &[Forbidden]) -> Result<(), SharedError> {
    for Forbidden { label, secret } in forbidden {
        let secret = secret.expose();
        if secret.len() >= SHORTEST_SECRET && memmem::find(text, secret.as_bytes()).is_some() {
            let entity = group.entities.first().map_or(group.path.as_str(), Entity::entity_ref).to_owned();
            return Err(SharedError::Secret { label: label.clone(), entity });
        }
    }
    Ok(())
}

fn line(text: &mut Vec<u8>, key: &str, value: &impl Serialize) -> Result<(), SharedError> {
    text.extend(b"{\"");
    text.extend(key.as_bytes());
    text.extend(b"\":");
    serde_json::to_writer(&mut *text, value)
        .map_err(|error| SharedError::broken(format!("something in it is no JSON: {error}")))?;
    text.extend(b"}\n");
    Ok(())
}

/// A run of lines, packed.
struct Member {
    bytes: Vec<u8>,
    unpacked: u64,
}

fn member(text: &[u8]) -> Result<Member, SharedError> {
    let failed = |error: std::io::Error| SharedError::broken(error.to_string());
    // neither time nor system, so that equal content gives equal bytes
    let mut encoder = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
    encoder.write_all(text).map_err(failed)?;
    Ok(Member { bytes: encoder.finish().map_err(failed)?, unpacked: text.len() as u64 })
}
