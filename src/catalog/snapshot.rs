//! The catalog as everybody reads it: an immutable snapshot, columns over shared parsed documents.
//!
//! Start at [`Catalog::find`] and [`Catalog::entity`]. A snapshot is made by [`super::stitch`] and
//! swapped whole (`Arc<Catalog>`); readers never lock. Entities are numbered in the order of their
//! refs, so ids sort like names; ids from [`Catalog::len`] on are *dangling*: refs that somebody
//! points at and nobody describes. Ids belong to one snapshot; keep refs across snapshots.

use super::cache::codec::{Reader, Shared, Writer};
use super::cache::column::{Column, Texts};
pub(super) use super::files::{DocumentRow, DocumentView, FileRow, Files, KeptFiles};
pub use super::files::{FileContent, FileView, ParsedDocument, ParsedFile, RelationsFrom};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::entity_ref::split_canonical;
use crate::model::value::ValueRef;
use bytemuck::{Pod, Zeroable};
use jiff::Timestamp;
use rayon::prelude::*;
use std::sync::{Arc, OnceLock};

/// Number of a ref in one snapshot: an entity (below [`Catalog::len`]) or a dangling target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(pub u32);

/// An interned text of one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(transparent)]
pub struct Str(pub(super) u32);

/// What the catalog knows about one of its sources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceState {
    /// Unique name, shown everywhere.
    pub name: Arc<str>,
    /// The word after `type =`; empty when there is no such type.
    pub kind: &'static str,
    /// Path or URL, with the revision where there is one.
    pub place: String,
    /// Folder on this machine that relative paths of the source start from, if it has one.
    pub root: Option<std::path::PathBuf>,
    /// Files read and entities found.
    pub files: usize,
    /// Entities kept from it.
    pub entities: usize,
    /// Why it could not be read, or not wholly.
    pub error: Option<Diagnostic>,
    /// When it was last read well; with an [`Self::error`] what is shown is as old as that.
    pub read_at: Option<Timestamp>,
}

impl SourceState {
    /// Returns whether it lies on this machine, as opposed to behind an address.
    pub fn is_local(&self) -> bool {
        self.root.is_some()
            || matches!(self.kind, "dir" | "file")
            || self.kind == "git" && !self.place.contains(':')
    }
}

/// Flags of an entity.
pub(super) mod flag {
    pub const ORPHAN: u32 = 1;
    pub const INVALID: u32 = 2;
    pub const UNKNOWN_KIND: u32 = 4;
    pub const HAS_WARNINGS: u32 = 8;
}

/// "No entity" in an id column.
pub(super) const NONE: u32 = u32::MAX;

/// The columns of one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Row {
    pub file: u32,
    pub document: u32,
    pub kind: Str,
    pub namespace: Str,
    pub entity_type: Str,
    pub lifecycle: Str,
    pub owner: u32,
    pub system: u32,
    pub flags: u32,
}

/// One relation from one end: its type and the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Edge {
    pub relation: Str,
    pub target: u32,
}

/// Texts while they are collected.
#[derive(Debug, Default)]
pub(super) struct Strings {
    pub text: String,
    pub ends: Vec<u32>,
}

impl Strings {
    pub(super) fn get(&self, id: u32) -> &str {
        let end = |i: usize| self.ends.get(i).copied().unwrap_or(0) as usize;
        let id = id as usize;
        let start = if id == 0 { 0 } else { end(id - 1) };
        self.text.get(start..end(id)).unwrap_or("")
    }

    pub(super) fn push(&mut self, text: &str) -> u32 {
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        (self.ends.len() - 1) as u32
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

impl From<Strings> for Texts {
    fn from(strings: Strings) -> Self {
        Self { text: strings.text.into_bytes().into(), ends: strings.ends.into() }
    }
}

/// Everything wrong in a snapshot; what is kept is read when it is first asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Diagnostics {
    list: Arc<OnceLock<Vec<Diagnostic>>>,
    kept: Column<u8>,
}

impl Diagnostics {
    /// Creates one that reads what [`crate::catalog::cache`] keeps.
    pub(super) fn kept(bytes: Column<u8>) -> Self {
        Self { list: Arc::default(), kept: bytes }
    }

    /// Writes them as they are kept.
    pub(super) fn write(&self, out: &mut Writer) {
        out.list(self.iter(), Writer::diagnostic);
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(list: Vec<Diagnostic>) -> Self {
        Self { list: Arc::new(list.into()), kept: Column::default() }
    }
}

impl std::ops::Deref for Diagnostics {
    type Target = [Diagnostic];

    fn deref(&self) -> &[Diagnostic] {
        self.list.get_or_init(|| {
            let mut share = Shared::default();
            Reader::new(&self.kept).list(|from| from.diagnostic(&mut share)).unwrap_or_default()
        })
    }
}

/// The entities in the order of their names; found when it is first asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct NameOrder(Arc<OnceLock<Column<u32>>>);

impl NameOrder {
    /// Returns the ids, if they are known already.
    pub(super) fn known(&self) -> Option<&[u32]> {
        self.0.get().map(|ids| &**ids)
    }
}

impl From<Column<u32>> for NameOrder {
    fn from(ids: Column<u32>) -> Self {
        Self(Arc::new(ids.into()))
    }
}

/// A relation seen from one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation<'a> {
    /// `ownedBy`, `dependencyOf`, …
    pub relation: &'a str,
    /// The other end; may be dangling.
    pub target: EntityId,
}

/// The in-memory graph.
#[derive(Debug, Default, Clone)]
pub struct Catalog {
    /// Refs of entities in order, then dangling refs in order.
    pub(super) refs: Texts,
    pub(super) rows: Column<Row>,
    pub(super) files: Files,
    /// Texts of the columns; 0 is the empty text.
    pub(super) texts: Texts,
    /// Offsets into `tags`, one more than rows.
    pub(super) tag_starts: Column<u32>,
    pub(super) tags: Column<Str>,
    /// Offsets into `edges`, one more than refs.
    pub(super) edge_starts: Column<u32>,
    /// Relation type and target, both directions, sorted by type then target.
    pub(super) edges: Column<Edge>,
    /// Lower-cased text that filter words are looked for in, one run per entity.
    pub(super) haystack: Texts,
    pub(super) by_name: NameOrder,
    pub(super) diagnostics: Diagnostics,
    /// For each entity with problems: its id and the index in `diagnostics`, sorted.
    pub(super) problems: Column<[u32; 2]>,
    pub(super) sources: Vec<SourceState>,
}

impl Catalog {
    /// Returns the number of entities.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there is no entity.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the number of refs: entities and dangling targets.
    pub fn node_count(&self) -> usize {
        self.refs.len()
    }

    /// Iterates over all entities in the order of their refs.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = EntityId> + DoubleEndedIterator + use<> {
        (0..self.rows.len() as u32).map(EntityId)
    }

    /// Iterates over the refs that nobody describes.
    pub fn dangling(&self) -> impl Iterator<Item = EntityId> + use<> {
        (self.rows.len() as u32..self.refs.len() as u32).map(EntityId)
    }

    /// Finds an entity, or a dangling target, by its canonical ref.
    pub fn find(&self, canonical: &str) -> Option<EntityId> {
        let search = |low: usize, high: usize| {
            let (mut low, mut high) = (low, high);
            while low < high {
                let middle = usize::midpoint(low, high);
                match self.refs.get(middle as u32).cmp(canonical) {
                    std::cmp::Ordering::Equal => return Some(EntityId(middle as u32)),
                    std::cmp::Ordering::Less => low = middle + 1,
                    std::cmp::Ordering::Greater => high = middle,
                }
            }
            None
        };
        search(0, self.rows.len()).or_else(|| search(self.rows.len(), self.refs.len()))
    }

    /// Returns the canonical ref of an id.
    pub fn ref_of(&self, id: EntityId) -> &str {
        self.refs.get(id.0)
    }

    /// Returns whether the id is an entity, not a dangling target.
    pub fn is_entity(&self, id: EntityId) -> bool {
        (id.0 as usize) < self.rows.len()
    }

    /// Returns an entity; `None` for a dangling target.
    pub fn entity(&self, id: EntityId) -> Option<Entity<'_>> {
        let row = self.rows.get(id.0 as usize)?;
        let document = self.files.document(row.file, row.document)?;
        Some(Entity { catalog: self, id, row, document })
    }

    /// Iterates over all entities.
    pub fn entities(&self) -> impl Iterator<Item = Entity<'_>> {
        self.ids().filter_map(|id| self.entity(id))
    }

    /// Iterates over the relations of an entity or dangling target, both directions, sorted by type
    /// and then target.
    pub fn relations(&self, id: EntityId) -> impl Iterator<Item = Relation<'_>> {
        let bound = |i: usize| self.edge_starts.get(i).copied().unwrap_or(0) as usize;
        let i = id.0 as usize;
        let run = self.edges.get(bound(i)..bound(i + 1).max(bound(i))).unwrap_or(&[]);
        run.iter().map(|edge| Relation { relation: self.text(edge.relation), target: EntityId(edge.target) })
    }

    /// Returns everything wrong, sorted by severity, then place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Iterates over what is wrong with one entity.
    pub fn problems(&self, id: EntityId) -> impl Iterator<Item = &Diagnostic> {
        let start = self.problems.partition_point(|[entity, _]| *entity < id.0);
        self.problems
            .iter()
            .skip(start)
            .take_while(move |[entity, _]| *entity == id.0)
            .filter_map(|[_, index]| self.diagnostics.get(*index as usize))
    }

    /// Iterates over the files that everything was read from, by source and path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileView<'_>> {
        let none = FileView::default();
        (0..self.files.len()).map(move |at| self.files.get(at as u32).unwrap_or(none))
    }

    /// Returns the files as they were parsed; none when the snapshot comes from the cache.
    pub fn parsed_files(&self) -> &[Arc<ParsedFile>] {
        match &self.files {
            Files::Parsed(files) => files,
            Files::Kept(_) => &[],
        }
    }

    /// Returns the first entity of a name.
    pub(super) fn first_of_name(&self, name: &str) -> Option<EntityId> {
        let all = self.by_name();
        let of = |id: u32| split_canonical(self.refs.get(id)).2;
        let id = *all.get(all.partition_point(|id| of(*id) < name))?;
        (of(id) == name).then_some(EntityId(id))
    }

    /// Returns the list of [`Self::parsed_files`], shared.
    pub(super) fn shared_files(&self) -> Arc<Vec<Arc<ParsedFile>>> {
        match &self.files {
            Files::Parsed(files) => files.clone(),
            Files::Kept(_) => Arc::default(),
        }
    }

    /// Returns the files by source and path, wherever they lie.
    pub(super) fn all_files(&self) -> Arc<Vec<Arc<ParsedFile>>> {
        let Files::Kept(kept) = &self.files else { return self.shared_files() };
        let file = |at: u32| {
            let source = self.files.source_of(at).unwrap_or_default();
            Arc::new(ParsedFile::kept(source, kept.clone(), at))
        };
        Arc::new((0..self.files.len() as u32).map(file).collect())
    }

    /// Returns the numbers of all entities in the order of their names, of equal names in the order of refs.
    pub fn by_name(&self) -> &[u32] {
        self.by_name.0.get_or_init(|| {
            let name = |id: u32| (split_canonical(self.refs.get(id)).2, id);
            let mut all: Vec<(&str, u32)> = (0..self.len() as u32).map(name).collect();
            all.par_sort_unstable();
            all.into_iter().map(|(_, id)| id).collect()
        })
    }

    /// Returns the sources in the order of their priority.
    pub fn sources(&self) -> &[SourceState] {
        &self.sources
    }

    /// Returns the lower-cased text that filter words are looked for in: name, title, type, owner,
    /// system, tags, description, separated by newlines.
    pub fn haystack(&self, id: EntityId) -> &str {
        self.haystack.get(id.0)
    }

    /// Returns the interned tags of an entity by its number.
    pub(super) fn tags_of(&self, id: u32) -> &[Str] {
        let bound = |i: u32| self.tag_starts.get(i as usize).copied().unwrap_or(0) as usize;
        self.tags.get(bound(id)..bound(id + 1).max(bound(id))).unwrap_or(&[])
    }

    pub(super) fn text(&self, id: Str) -> &str {
        self.texts.get(id.0)
    }
}

/// One entity of a snapshot; cheap to copy.
#[derive(Clone, Copy)]
pub struct Entity<'a> {
    catalog: &'a Catalog,
    id: EntityId,
    row: &'a Row,
    document: DocumentView<'a>,
}

impl std::fmt::Debug for Entity<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entity({})", self.entity_ref())
    }
}

impl<'a> Entity<'a> {
    /// Returns its number in this snapshot.
    pub fn id(&self) -> EntityId {
        self.id
    }

    /// Returns the snapshot it belongs to.
    pub fn catalog(&self) -> &'a Catalog {
        self.catalog
    }

    /// Returns its canonical ref.
    pub fn entity_ref(&self) -> &'a str {
        self.catalog.ref_of(self.id)
    }

    /// Returns the kind as written: `Component`.
    pub fn kind(&self) -> &'a str {
        self.catalog.text(self.row.kind)
    }

    /// Returns the namespace, `default` when absent.
    pub fn namespace(&self) -> &'a str {
        self.catalog.text(self.row.namespace)
    }

    /// Returns `metadata.name` as written.
    pub fn name(&self) -> &'a str {
        self.metadata("name").as_str().unwrap_or_else(|| split_canonical(self.entity_ref()).2)
    }

    /// Returns `metadata.title`, or the display name of a profile.
    pub fn title(&self) -> Option<&'a str> {
        let filled = |v: ValueRef<'a>| v.as_str().filter(|s| !s.trim().is_empty());
        filled(self.metadata("title")).or_else(|| filled(self.spec().get("profile").get("displayName")))
    }

    /// Returns `metadata.description`; empty when absent.
    pub fn description(&self) -> &'a str {
        self.metadata("description").as_str().unwrap_or("")
    }

    /// Returns `spec.type`; empty when absent.
    pub fn entity_type(&self) -> &'a str {
        self.catalog.text(self.row.entity_type)
    }

    /// Returns `spec.lifecycle`; empty when absent.
    pub fn lifecycle(&self) -> &'a str {
        self.catalog.text(self.row.lifecycle)
    }

    /// Returns the first owner; may be dangling.
    pub fn owner(&self) -> Option<EntityId> {
        (self.row.owner != NONE).then_some(EntityId(self.row.owner))
    }

    /// Returns the system (or domain, or parent it is part of); may be dangling.
    pub fn system(&self) -> Option<EntityId> {
        (self.row.system != NONE).then_some(EntityId(self.row.system))
    }

    /// Iterates over `metadata.tags`.
    pub fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let catalog = self.catalog;
        let bound = |i: usize| catalog.tag_starts.get(i).copied().unwrap_or(0) as usize;
        let i = self.id.0 as usize;
        let run = catalog.tags.get(bound(i)..bound(i + 1).max(bound(i))).unwrap_or(&[]);
        run.iter().map(|tag| catalog.text(*tag))
    }

    /// Returns the whole entity as written.
    pub fn value(&self) -> ValueRef<'a> {
        ValueRef::new(self.document.packed)
    }

    /// Returns the bytes of [`Self::value`].
    pub fn packed(&self) -> &'a [u8] {
        self.document.packed
    }

    /// Returns line and column (1-based) of each relation that it states, in the order of
    /// [`crate::model::relation`]'s extraction.
    pub fn marks(&self) -> &'a [[u32; 2]] {
        self.document.marks
    }

    /// Returns `spec`; null when absent.
    pub fn spec(&self) -> ValueRef<'a> {
        self.value().get("spec")
    }

    /// Returns a field of `metadata`.
    pub fn metadata(&self, field: &str) -> ValueRef<'a> {
        self.value().get("metadata").get(field)
    }

    /// Returns an annotation's text.
    pub fn annotation(&self, key: &str) -> Option<&'a str> {
        self.metadata("annotations").get(key).as_str()
    }

    /// Iterates over its relations, both directions, sorted by type then target.
    pub fn relations(&self) -> impl Iterator<Item = Relation<'a>> + use<'a> {
        self.catalog.relations(self.id)
    }

    /// Iterates over the targets of one relation type.
    pub fn targets(&self, relation: &'a str) -> impl Iterator<Item = EntityId> + use<'a> {
        self.relations().filter(move |r| r.relation == relation).map(|r| r.target)
    }

    /// Returns what is wrong with it.
    pub fn problems(&self) -> impl Iterator<Item = &'a Diagnostic> + use<'a> {
        self.catalog.problems(self.id)
    }

    /// Returns the file and line it was read from.
    pub fn location(&self) -> SourceLocation {
        SourceLocation::at(self.catalog.files.path(self.row.file), self.document.line, 1)
    }

    /// Returns its position in the stream, 0-based.
    pub fn document(&self) -> u32 {
        self.document.document
    }

    /// Returns the file it was read from.
    pub fn file(&self) -> FileView<'a> {
        let none = FileView::default();
        self.catalog.files.get(self.row.file).unwrap_or(none)
    }

    /// Returns the source it came from.
    pub fn source(&self) -> Option<&'a SourceState> {
        self.catalog.sources.get(usize::from(self.catalog.files.source_of(self.row.file)?))
    }

    /// Returns whether no existing entity points at it and it points at none.
    pub fn is_orphan(&self) -> bool {
        self.row.flags & flag::ORPHAN != 0
    }

    /// Returns whether it has errors.
    pub fn is_invalid(&self) -> bool {
        self.row.flags & flag::INVALID != 0
    }

    /// Returns whether it has warnings.
    pub fn has_warnings(&self) -> bool {
        self.row.flags & flag::HAS_WARNINGS != 0
    }

    /// Returns whether its kind is not one of the model's.
    pub fn is_unknown_kind(&self) -> bool {
        self.row.flags & flag::UNKNOWN_KIND != 0
    }
}
