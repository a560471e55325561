//! Joins again after few files changed: what they say now is joined by itself, with the same code, and put
//! in the place of what they said before.
//!
//! Start at [`patch`]. It gives up, so that everything is joined anew, as soon as refs come or go, a ref is
//! described twice, or relations were given by a server: ids then stay what they were, and only the runs of
//! a few entities differ. What it gives is equal to joining anew in everything that can be asked.

use super::columns::Columns;
use super::draft::Drafts;
use super::graph::Graph;
use super::{StitchInput, attach_problems, report, sort_files};
use crate::catalog::cache::column::{Column, Texts};
use crate::catalog::snapshot::{Catalog, Edge, EntityId, Files, NONE, ParsedFile, Row, Str, Strings, flag};
use crate::diagnostic::Diagnostic;
use crate::model::entity_ref::split_canonical;
use crate::model::relation::reverse;
use bytemuck::Pod;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files from which on joining anew is as quick.
const MAX_FILES: usize = 64;

/// Joins files of which few differ from those of a snapshot; `None` when they must be joined anew.
pub(super) fn patch(before: &Catalog, input: &mut StitchInput) -> Option<Catalog> {
    let Files::Parsed(old) = &before.files else { return None };
    if before.sources.len() != input.sources.len() || old.len() != input.files.len() {
        return None;
    }
    sort_files(&mut input.files);
    let changed = differing(old, &input.files)?;
    let pick = |files: &[Arc<ParsedFile>]| -> Vec<Arc<ParsedFile>> {
        changed.iter().filter_map(|at| files.get(*at as usize).cloned()).collect()
    };
    let (files_before, files_now) = (pick(old), pick(&input.files));
    let was = Part::join(&files_before)?;
    let now = Part::join(&files_now)?;
    if was.drafts.all.len() != now.drafts.all.len() {
        return None;
    }
    let ids_before = was.ids_in(before)?;
    let ids = now.ids_in(before)?;
    if !is_kept_whole(before, &was, &ids_before, &ids, &changed) {
        return None;
    }
    let mut texts = Numbers::of(&before.texts);
    let edges = Difference::of(before, (&was, &ids_before), (&now, &ids), &mut texts)?;
    let mut out = before.clone();
    edges.apply(&mut out)?;
    now.put_into(&mut out, &ids, &changed, &mut texts);
    edges.mark_orphans(&mut out, &ids);
    if let Some(texts) = texts.grown() {
        out.texts = texts;
    }
    for (source, old) in input.sources.iter_mut().zip(&before.sources) {
        (source.files, source.entities) = (old.files, old.entities);
    }
    out.sources = std::mem::take(&mut input.sources);
    out.files = Files::Parsed(Arc::new(std::mem::take(&mut input.files)));
    let diagnostics =
        diagnostics(before, &out, std::mem::take(&mut input.diagnostics), &now, &ids, &files_now);
    unmark(&mut out);
    attach_problems(&mut out, diagnostics);
    Some(out)
}

/// Returns the places where files differ, if they are the same files otherwise.
fn differing(old: &[Arc<ParsedFile>], new: &[Arc<ParsedFile>]) -> Option<Vec<u32>> {
    let mut changed = Vec::new();
    for (at, (old, new)) in (0u32..).zip(old.iter().zip(new)) {
        if Arc::ptr_eq(old, new) {
            continue;
        }
        let is_given = old.relations.is_given() || new.relations.is_given();
        if old.source != new.source || old.path != new.path || is_given || changed.len() == MAX_FILES {
            return None;
        }
        changed.push(at);
    }
    Some(changed)
}

/// Few files, joined by themselves.
struct Part<'a> {
    drafts: Drafts<'a>,
    graph: Graph,
    columns: Columns,
}

impl<'a> Part<'a> {
    /// Joins files; `None` when they describe a ref twice.
    fn join(files: &'a [Arc<ParsedFile>]) -> Option<Self> {
        let (drafts, losers) = Drafts::read(files).settle();
        if !losers.is_empty() {
            return None;
        }
        let graph = Graph::build(&drafts);
        let columns = Columns::build(&drafts, &graph);
        Some(Self { drafts, graph, columns })
    }

    /// Returns the numbers that its refs have in a snapshot; `None` when one is not there.
    fn ids_in(&self, catalog: &Catalog) -> Option<Vec<u32>> {
        let id = |at| catalog.find(self.graph.refs.get(at)).map(|id| id.0);
        (0..self.graph.refs.len() as u32).map(id).collect()
    }

    /// Returns its relations with the numbers of a snapshot: from, and to with the type.
    fn edges(&self, ids: &[u32], texts: &mut Numbers<'_>) -> FxHashSet<(u32, Edge)> {
        let mut out = FxHashSet::default();
        for (at, from) in ids.iter().enumerate() {
            for edge in run(&self.graph.starts, &self.graph.edges, at) {
                let target = ids.get(edge.target as usize).copied().unwrap_or(NONE);
                let relation = texts.number(self.columns.texts.get(edge.relation.0));
                out.insert((*from, Edge { relation, target }));
            }
        }
        out
    }

    /// Puts what its entities say of themselves into a snapshot.
    fn put_into(&self, out: &mut Catalog, ids: &[u32], changed: &[u32], texts: &mut Numbers<'_>) {
        let far = |id: u32| ids.get(id as usize).copied().unwrap_or(NONE);
        let (mut tags, mut haystack) = (BTreeMap::new(), BTreeMap::new());
        let rows = out.rows.make_mut();
        for ((at, row), draft) in self.columns.rows.iter().enumerate().zip(&self.drafts.all) {
            let mut text = |id: Str| texts.number(self.columns.texts.get(id.0));
            let mut flags = row.flags & flag::UNKNOWN_KIND;
            if !draft.parsed.valid {
                flags |= flag::INVALID;
            }
            let new = Row {
                file: changed.get(row.file as usize).copied().unwrap_or(NONE),
                document: row.document,
                kind: text(row.kind),
                namespace: text(row.namespace),
                entity_type: text(row.entity_type),
                lifecycle: text(row.lifecycle),
                owner: far(row.owner),
                system: far(row.system),
                flags,
            };
            let tags_of = run(&self.columns.tag_starts, &self.columns.tags, at);
            tags.insert(far(at as u32), tags_of.iter().map(|tag| text(*tag)).collect::<Vec<Str>>());
            haystack.insert(far(at as u32), self.columns.haystack.get(at as u32).as_bytes().to_vec());
            if let Some(row) = rows.get_mut(far(at as u32) as usize) {
                *row = new;
            }
        }
        if let Some((items, ends)) = spliced(&out.tags, out.tag_starts.get(1..).unwrap_or(&[]), &tags) {
            out.tags = items.into();
            out.tag_starts = starts_of(&ends).into();
        }
        if let Some((text, ends)) = spliced(&out.haystack.text, &out.haystack.ends, &haystack) {
            out.haystack = Texts { text: text.into(), ends: ends.into() };
        }
    }
}

/// Whether the same entities are described as before, each of them kept from these files, and none told to be
/// described elsewhere, too.
fn is_kept_whole(catalog: &Catalog, was: &Part<'_>, before: &[u32], now: &[u32], changed: &[u32]) -> bool {
    let entities = was.drafts.all.len();
    let same = before.get(..entities) == now.get(..entities);
    let kept = was.drafts.all.iter().zip(before).all(|(draft, id)| {
        let file = changed.get(draft.file as usize).copied();
        catalog
            .rows
            .get(*id as usize)
            .is_some_and(|row| Some(row.file) == file && row.document == draft.document)
    });
    let twice = || {
        before
            .iter()
            .take(entities)
            .any(|id| catalog.problems(EntityId(*id)).any(|diagnostic| diagnostic.code == report::CONFLICT))
    };
    same && kept && !twice()
}

/// Relations that came and went, for each ref that they touch.
#[derive(Default)]
struct Difference {
    runs: BTreeMap<u32, (Vec<Edge>, Vec<Edge>)>,
}

impl Difference {
    fn of(
        catalog: &Catalog,
        (was, ids_before): (&Part<'_>, &[u32]),
        (now, ids): (&Part<'_>, &[u32]),
        texts: &mut Numbers<'_>,
    ) -> Option<Self> {
        let (before, after) = (was.edges(ids_before, texts), now.edges(ids, texts));
        let own: FxHashSet<u32> = ids.iter().copied().take(now.drafts.all.len()).collect();
        let mut out = Self::default();
        for (from, edge) in after.difference(&before) {
            out.runs.entry(*from).or_default().1.push(*edge);
        }
        for (from, edge) in before.difference(&after) {
            // the other end may say so, too
            let (other, entity) =
                if own.contains(from) { (edge.target, *from) } else { (*from, edge.target) };
            let relation = if own.contains(from) {
                reverse(catalog.text(edge.relation))?
            } else {
                catalog.text(edge.relation)
            };
            if own.contains(&other) || !states(catalog, other, relation, entity)? {
                out.runs.entry(*from).or_default().0.push(*edge);
            }
        }
        Some(out)
    }

    /// Changes the relations of a snapshot; `None` when nobody names a ref any more that nobody describes.
    fn apply(&self, catalog: &mut Catalog) -> Option<()> {
        let mut runs = BTreeMap::new();
        for (id, (gone, new)) in &self.runs {
            let old = run(&catalog.edge_starts, &catalog.edges, *id as usize);
            let mut edges: Vec<Edge> = old.iter().filter(|edge| !gone.contains(edge)).copied().collect();
            edges.extend(new);
            edges.sort_unstable();
            edges.dedup();
            if edges.is_empty() && !catalog.is_entity(EntityId(*id)) {
                return None;
            }
            runs.insert(*id, edges);
        }
        if let Some((edges, ends)) =
            spliced(&catalog.edges, catalog.edge_starts.get(1..).unwrap_or(&[]), &runs)
        {
            catalog.edges = edges.into();
            catalog.edge_starts = starts_of(&ends).into();
        }
        Some(())
    }

    /// Marks which of the entities that it touches, and of those that were put in anew, are orphans.
    fn mark_orphans(&self, catalog: &mut Catalog, ids: &[u32]) {
        let mut rows = std::mem::take(&mut catalog.rows);
        let total = rows.len() as u32;
        for id in self.runs.keys().chain(ids) {
            let Some(row) = rows.make_mut().get_mut(*id as usize) else { continue };
            let is_given = match &catalog.files {
                Files::Parsed(files) => {
                    files.get(row.file as usize).is_some_and(|file| file.relations.is_given())
                }
                Files::Kept(_) => false,
            };
            // of a server's entity its own mark counts
            if is_given {
                continue;
            }
            let edges = run(&catalog.edge_starts, &catalog.edges, *id as usize);
            let is_tied = edges.iter().any(|edge| edge.target < total && edge.target != *id);
            let is_location = catalog.ref_of(EntityId(*id)).starts_with("location:");
            row.flags &= !flag::ORPHAN;
            if !is_tied && !is_location {
                row.flags |= flag::ORPHAN;
            }
        }
        catalog.rows = rows;
    }
}

/// Whether the document of an entity states a relation to another one; `None` when that cannot be told.
fn states(catalog: &Catalog, id: u32, relation: &str, target: u32) -> Option<bool> {
    let Some(row) = catalog.rows.get(id as usize) else { return Some(false) };
    let Files::Parsed(files) = &catalog.files else { return None };
    let file = files.get(row.file as usize).filter(|file| !file.relations.is_given())?;
    let target = catalog.ref_of(EntityId(target));
    let drafts = Drafts::one(file, row.document as usize);
    let number = drafts.relation_number(relation);
    Some(drafts.stated.iter().any(|stated| stated.relation == number && drafts.text(stated.target) == target))
}

/// Collects everything that is wrong: as it was where nothing changed.
fn diagnostics(
    before: &Catalog,
    now: &Catalog,
    mut out: Vec<Diagnostic>,
    part: &Part<'_>,
    ids: &[u32],
    files: &[Arc<ParsedFile>],
) -> Vec<Diagnostic> {
    let own: FxHashSet<&str> =
        part.drafts.all.iter().map(|draft| part.drafts.text(draft.entity_ref)).collect();
    let is_joined = |d: &&Diagnostic| d.code == report::CONFLICT || d.code == report::DANGLING;
    let is_others = |d: &&Diagnostic| d.entity.as_deref().is_none_or(|entity| !own.contains(entity));
    out.extend(before.diagnostics.iter().filter(is_joined).filter(is_others).cloned());
    if let Files::Parsed(files) = &now.files {
        out.extend(files.iter().flat_map(|file| &file.diagnostics).cloned());
    }
    let total = now.len() as u32;
    let is_missing = |id: u32| ids.get(id as usize).is_some_and(|id| *id >= total);
    let missing: FxHashSet<&str> = (0..part.graph.refs.len() as u32)
        .filter(|id| is_missing(*id))
        .map(|id| split_canonical(part.graph.refs.get(id)).2)
        .collect();
    if missing.is_empty() {
        return out;
    }
    let mut by_name: FxHashMap<&str, &str> = FxHashMap::default();
    for id in now.ids().rev() {
        let entity_ref = now.ref_of(id);
        let name = split_canonical(entity_ref).2;
        if missing.contains(name) {
            by_name.insert(name, entity_ref);
        }
    }
    report::dangling(files, &now.sources, &part.drafts, &part.graph, &is_missing, &by_name, &mut out);
    out
}

/// Takes back what problems marked, so that they can mark again.
fn unmark(catalog: &mut Catalog) {
    let Files::Parsed(files) = &catalog.files else { return };
    for row in catalog.rows.make_mut() {
        if row.flags & (flag::INVALID | flag::HAS_WARNINGS) == 0 {
            continue;
        }
        let document =
            files.get(row.file as usize).and_then(|file| file.documents.get(row.document as usize));
        row.flags &= !(flag::INVALID | flag::HAS_WARNINGS);
        if document.is_some_and(|document| !document.valid) {
            row.flags |= flag::INVALID;
        }
    }
}

/// The numbers of the texts of a snapshot, and of those that come to them.
struct Numbers<'a> {
    texts: &'a Texts,
    ids: FxHashMap<&'a str, u32>,
    new: Vec<String>,
}

impl<'a> Numbers<'a> {
    fn of(texts: &'a Texts) -> Self {
        let ids = (0..texts.len() as u32).map(|id| (texts.get(id), id)).collect();
        Self { texts, ids, new: Vec::new() }
    }

    fn number(&mut self, text: &str) -> Str {
        if let Some(id) = self.ids.get(text) {
            return Str(*id);
        }
        let at = self.new.iter().position(|new| new == text).unwrap_or_else(|| {
            self.new.push(text.to_owned());
            self.new.len() - 1
        });
        Str((self.texts.len() + at) as u32)
    }

    /// Returns all texts, if some came to them.
    fn grown(&self) -> Option<Texts> {
        let mut all = Strings::default();
        let old = (0..self.texts.len() as u32).map(|id| self.texts.get(id));
        for text in old.chain(self.new.iter().map(String::as_str)) {
            all.push(text);
        }
        (!self.new.is_empty()).then(|| all.into())
    }
}

/// Returns a run of items by its number.
fn run<'a, T>(starts: &[u32], items: &'a [T], at: usize) -> &'a [T] {
    let bound = |i: usize| starts.get(i).copied().unwrap_or(0) as usize;
    items.get(bound(at)..bound(at + 1)).unwrap_or(&[])
}

fn starts_of(ends: &[u32]) -> Vec<u32> {
    std::iter::once(0).chain(ends.iter().copied()).collect()
}

/// Puts other runs in the place of some; `None` when they are the same.
fn spliced<T: Pod + PartialEq>(
    items: &Column<T>,
    ends: &[u32],
    runs: &BTreeMap<u32, Vec<T>>,
) -> Option<(Vec<T>, Vec<u32>)> {
    let bounds = |at: usize| {
        let start = at.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
        start as usize..ends.get(at).copied().unwrap_or(start) as usize
    };
    let is_same = |(at, run): (&u32, &Vec<T>)| items.get(bounds(*at as usize)) == Some(run);
    if runs.iter().all(is_same) {
        return None;
    }
    let more: usize = runs.values().map(Vec::len).sum();
    let mut out = Vec::with_capacity(items.len() + more);
    let mut new_ends: Vec<u32> = Vec::with_capacity(ends.len());
    let mut done = 0;
    // what lies between two changed runs moves as a whole
    let keep = |out: &mut Vec<T>, new_ends: &mut Vec<u32>, from: usize, to: usize| {
        let (start, base) = (bounds(from).start, out.len());
        let ends = ends.get(from..to).unwrap_or(&[]);
        let end = ends.last().map_or(start, |end| *end as usize);
        out.extend_from_slice(items.get(start..end).unwrap_or(&[]));
        new_ends.extend(ends.iter().map(|end| (*end as usize - start + base) as u32));
    };
    for (at, run) in runs {
        let at = *at as usize;
        keep(&mut out, &mut new_ends, done, at);
        out.extend_from_slice(run);
        new_ends.push(out.len() as u32);
        done = at + 1;
    }
    keep(&mut out, &mut new_ends, done, ends.len());
    Some((out, new_ends))
}
