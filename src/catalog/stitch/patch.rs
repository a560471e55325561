//! Joins again after few files changed: what they say now is joined by itself, with the same code, and put
//! in the place of what they said before.
//!
//! Start at [`patch`]. Refs that come or go move the numbers of the others first ([`super::renumber`]); then
//! only the runs of a few entities differ. It gives up, so that everything is joined anew, when a ref is
//! described twice or relations were given by a server. What it gives is equal to joining anew in everything
//! that can be asked.

use super::columns::Columns;
use super::draft::Drafts;
use super::graph::Graph;
use super::renumber::{Nodes, renumber};
use super::{StitchInput, attach_problems, report, sort_files};
use crate::catalog::cache::column::{Column, Texts};
use crate::catalog::snapshot::{
    Catalog, Edge, EntityId, Files, NONE, ParsedFile, Row, SourceState, Str, Strings, flag,
};
use crate::diagnostic::Diagnostic;
use crate::model::entity_ref::split_canonical;
use crate::model::relation::reverse;
use bytemuck::Pod;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Files from which on joining anew is as quick.
const MAX_FILES: usize = 256;
/// Entities beside those that changed that are looked at again, at most.
const MAX_TOUCHED: usize = 10_000;

/// Joins files of which few differ from those of a snapshot; `None` when they must be joined anew.
///
/// `old` are the files of the snapshot, by source and path.
pub(super) fn patch(before: &Catalog, old: &[Arc<ParsedFile>], input: &mut StitchInput) -> Option<Catalog> {
    if before.sources.len() != input.sources.len() || before.files.len() != old.len() || old.is_empty() {
        return None;
    }
    sort_files(&mut input.files);
    let changes = Changes::between(old, &input.files)?;
    let pick = |files: &[Arc<ParsedFile>], places: &[u32]| -> Vec<Arc<ParsedFile>> {
        places.iter().filter_map(|at| files.get(*at as usize).cloned()).collect()
    };
    let (files_before, files_now) = (pick(old, &changes.gone), pick(&input.files, &changes.new));
    let was = Part::join(&files_before)?;
    let now = Part::join(&files_now)?;
    let ids_before = was.ids_in(before)?;
    if !is_kept_whole(before, &was, &ids_before, &changes.gone) {
        return None;
    }
    let nodes = came_and_went(before, &was, &now)?;
    if !nodes.removed.is_empty() && may_hide_others(&input.sources) {
        return None;
    }
    let mut out = renumber(before, &nodes);
    changes.apply(&mut out);
    out.files = Files::Parsed(Arc::new(std::mem::take(&mut input.files)));

    let (ids_before, ids) = (was.ids_in(&out)?, now.ids_in(&out)?);
    let moved: Vec<u32> =
        nodes.added.iter().chain(&nodes.removed).filter_map(|text| out.find(text)).map(|id| id.0).collect();
    let mut touched = neighbours(&out, &moved);
    let mut texts = Numbers::of(&before.texts);
    let edges = Difference::of(&out, (&was, &ids_before), (&now, &ids), &mut texts)?;
    let mut lonely = edges.apply(&mut out);
    lonely.extend(moved.iter().filter(|id| is_lonely(&out, **id)));
    now.put_into(&mut out, &ids, &changes.new, &mut texts);
    touched.extend(neighbours(&out, &moved));
    edges.mark_orphans(&mut out, touched.iter().chain(&ids).copied());
    if let Some(texts) = texts.grown() {
        out.texts = texts;
    }
    if !lonely.is_empty() {
        // only numbers behind those of entities change
        out = renumber(&out, &Nodes { dropped: lonely, ..Nodes::default() });
    }
    count(&mut input.sources, &out);
    out.sources = std::mem::take(&mut input.sources);
    let problems = Problems { before, now: &out, was: &was, part: &now, nodes: &nodes, touched: &touched };
    let diagnostics = problems.collect(std::mem::take(&mut input.diagnostics), &files_now)?;
    unmark(&mut out);
    attach_problems(&mut out, diagnostics);
    Some(out)
}

/// Which files differ, by their places.
#[derive(Debug, Default)]
struct Changes {
    gone: Vec<u32>,
    new: Vec<u32>,
    /// From the place of each file before to the one now; empty when they are the same.
    moved: Vec<u32>,
}

impl Changes {
    /// Compares lists of files, both by source and path; `None` when too much differs.
    fn between(old: &[Arc<ParsedFile>], new: &[Arc<ParsedFile>]) -> Option<Self> {
        let mut out = Self { moved: vec![NONE; old.len()], ..Self::default() };
        let (mut at_old, mut at_new) = (0, 0);
        loop {
            match (old.get(at_old), new.get(at_new)) {
                (None, None) => break,
                (Some(a), Some(b)) if Arc::ptr_eq(a, b) => {
                    if let Some(slot) = out.moved.get_mut(at_old) {
                        *slot = at_new as u32;
                    }
                    (at_old, at_new) = (at_old + 1, at_new + 1);
                    continue;
                }
                (a, b) => {
                    let key = |file: &Arc<ParsedFile>| (file.source, file.path_text().to_owned());
                    let (a, b) = (a.map(key), b.map(key));
                    if a.is_some() && (b.is_none() || a <= b) {
                        out.gone.push(at_old as u32);
                        at_old += 1;
                    }
                    if b.is_some() && (a.is_none() || b <= a) {
                        out.new.push(at_new as u32);
                        at_new += 1;
                    }
                }
            }
            if out.gone.len() > MAX_FILES || out.new.len() > MAX_FILES {
                return None;
            }
        }
        let is_given = |files: &[Arc<ParsedFile>], at: &u32| {
            files.get(*at as usize).is_some_and(|file| file.relations_from().is_given())
        };
        if out.gone.iter().any(|at| is_given(old, at)) || out.new.iter().any(|at| is_given(new, at)) {
            return None;
        }
        if old.len() == new.len() && out.gone == out.new {
            out.moved.clear();
        }
        Some(out)
    }

    /// Gives the entities of a snapshot the places of their files now.
    fn apply(&self, catalog: &mut Catalog) {
        if self.moved.is_empty() {
            return;
        }
        for row in catalog.rows.make_mut() {
            row.file = self.moved.get(row.file as usize).copied().unwrap_or(NONE);
        }
    }
}

/// Finds which refs are described now and were not, and the other way round; `None` when one of them is
/// described elsewhere, too.
fn came_and_went(before: &Catalog, was: &Part<'_>, now: &Part<'_>) -> Option<Nodes> {
    let described = |part: &Part<'_>| -> BTreeSet<String> {
        part.drafts.all.iter().map(|draft| part.drafts.text(draft.entity_ref).to_owned()).collect()
    };
    let (old, new) = (described(was), described(now));
    let mut out = Nodes {
        added: new.difference(&old).cloned().collect(),
        removed: old.difference(&new).cloned().collect(),
        ..Nodes::default()
    };
    if out.added.iter().filter_map(|text| before.find(text)).any(|id| before.is_entity(id)) {
        return None;
    }
    let targets = (0..now.graph.refs.len() as u32).map(|at| now.graph.refs.get(at));
    out.named = targets
        .filter(|text| !out.added.contains(*text) && before.find(text).is_none())
        .map(str::to_owned)
        .collect();
    Some(out)
}

/// Whether what lies on this machine may cover, without a word, what lies far away.
fn may_hide_others(sources: &[SourceState]) -> bool {
    sources.iter().any(SourceState::is_local) && !sources.iter().all(SourceState::is_local)
}

/// Returns the other ends of relations.
fn neighbours(catalog: &Catalog, ids: &[u32]) -> BTreeSet<u32> {
    let edges = |id: &u32| run(&catalog.edge_starts, &catalog.edges, *id as usize);
    ids.iter().flat_map(edges).map(|edge| edge.target).collect()
}

/// Whether nobody describes a ref and nobody names it.
fn is_lonely(catalog: &Catalog, id: u32) -> bool {
    !catalog.is_entity(EntityId(id)) && run(&catalog.edge_starts, &catalog.edges, id as usize).is_empty()
}

fn count(sources: &mut [SourceState], catalog: &Catalog) {
    for source in sources.iter_mut() {
        (source.files, source.entities) = (0, 0);
    }
    let of = |file: u32| catalog.files.source_of(file).map_or(usize::MAX, usize::from);
    for file in 0..catalog.files.len() as u32 {
        if let Some(source) = sources.get_mut(of(file)) {
            source.files += 1;
        }
    }
    for row in catalog.rows.iter() {
        if let Some(source) = sources.get_mut(of(row.file)) {
            source.entities += 1;
        }
    }
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
        let graph = Graph::build(&drafts, &FxHashSet::default());
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

/// Whether each entity that was described is kept from these files, and none told to be described elsewhere, too.
fn is_kept_whole(catalog: &Catalog, was: &Part<'_>, ids: &[u32], places: &[u32]) -> bool {
    let entities = was.drafts.all.len();
    let kept = was.drafts.all.iter().zip(ids).all(|(draft, id)| {
        let file = places.get(draft.file as usize).copied();
        catalog
            .rows
            .get(*id as usize)
            .is_some_and(|row| Some(row.file) == file && row.document == draft.document)
    });
    let twice = || {
        ids.iter()
            .take(entities)
            .any(|id| catalog.problems(EntityId(*id)).any(|diagnostic| diagnostic.code == report::CONFLICT))
    };
    kept && !twice()
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
        let (old, new) =
            (ids_before.iter().take(was.drafts.all.len()), ids.iter().take(now.drafts.all.len()));
        let own: FxHashSet<u32> = old.chain(new).copied().collect();
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

    /// Changes the relations of a snapshot; returns the refs that nobody describes and nobody names any more.
    fn apply(&self, catalog: &mut Catalog) -> BTreeSet<u32> {
        let mut runs = BTreeMap::new();
        for (id, (gone, new)) in &self.runs {
            let old = run(&catalog.edge_starts, &catalog.edges, *id as usize);
            let mut edges: Vec<Edge> = old.iter().filter(|edge| !gone.contains(edge)).copied().collect();
            edges.extend(new);
            edges.sort_unstable();
            edges.dedup();
            runs.insert(*id, edges);
        }
        if let Some((edges, ends)) =
            spliced(&catalog.edges, catalog.edge_starts.get(1..).unwrap_or(&[]), &runs)
        {
            catalog.edges = edges.into();
            catalog.edge_starts = starts_of(&ends).into();
        }
        runs.into_keys().filter(|id| is_lonely(catalog, *id)).collect()
    }

    /// Marks which of the entities that it touches, and of those that were put in anew, are orphans.
    fn mark_orphans(&self, catalog: &mut Catalog, ids: impl Iterator<Item = u32>) {
        let mut rows = std::mem::take(&mut catalog.rows);
        let total = rows.len() as u32;
        for id in self.runs.keys().copied().chain(ids) {
            let Some(row) = rows.make_mut().get_mut(id as usize) else { continue };
            let is_given = catalog.files.get(row.file).is_some_and(|file| file.relations.is_given());
            // of a server's entity its own mark counts
            if is_given {
                continue;
            }
            let edges = run(&catalog.edge_starts, &catalog.edges, id as usize);
            let is_tied = edges.iter().any(|edge| edge.target < total && edge.target != id);
            let is_location = catalog.ref_of(EntityId(id)).starts_with("location:");
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
    let file = files.get(row.file as usize).filter(|file| !file.relations_from().is_given())?;
    let target = catalog.ref_of(EntityId(target));
    let drafts = Drafts::one(file, row.document as usize);
    let number = drafts.relation_number(relation);
    Some(drafts.stated.iter().any(|stated| stated.relation == number && drafts.text(stated.target) == target))
}

/// What is needed to tell everything that is wrong.
struct Problems<'a> {
    before: &'a Catalog,
    now: &'a Catalog,
    was: &'a Part<'a>,
    part: &'a Part<'a>,
    nodes: &'a Nodes,
    /// Entities that name, or are named by, those that came or went.
    touched: &'a BTreeSet<u32>,
}

impl Problems<'_> {
    /// Collects everything that is wrong: as it was where nothing changed.
    fn collect(&self, mut out: Vec<Diagnostic>, files: &[Arc<ParsedFile>]) -> Option<Vec<Diagnostic>> {
        let Files::Parsed(all) = &self.now.files else { return None };
        let refs = |part: &'_ Part<'_>| -> Vec<String> {
            part.drafts.all.iter().map(|draft| part.drafts.text(draft.entity_ref).to_owned()).collect()
        };
        let own: FxHashSet<String> = refs(self.was).into_iter().chain(refs(self.part)).collect();
        let again = self.again(&own);
        if again.len() > MAX_TOUCHED {
            return None;
        }
        let is_kept = |d: &&Diagnostic| {
            let is_told_again = |entity: &str| {
                own.contains(entity) || d.code == report::DANGLING && again.contains_key(entity)
            };
            (d.code == report::CONFLICT || d.code == report::DANGLING)
                && !d.entity.as_deref().is_some_and(is_told_again)
        };
        out.extend(self.before.diagnostics.iter().filter(is_kept).cloned());
        out.extend(all.iter().flat_map(|file| file.problems().into_owned()));
        self.dangling(files, &self.part.drafts, &self.part.graph, &mut out)?;
        let others = Drafts::some(all, again.values().copied());
        self.dangling(all, &others, &Graph::build(&others, &FxHashSet::default()), &mut out)?;
        Some(out)
    }

    /// Returns the documents beside those that changed whose refs may be missing now, or be there now, or have
    /// another proposal: by ref, file and number.
    fn again(&self, own: &FxHashSet<String>) -> BTreeMap<String, (u32, u32)> {
        let mut ids = self.touched.clone();
        let changed: FxHashSet<&str> =
            self.nodes.added.iter().chain(&self.nodes.removed).map(|text| split_canonical(text).2).collect();
        if !changed.is_empty() {
            // a name that came or went is proposed wherever it is missing
            let missing =
                self.now.dangling().filter(|id| changed.contains(split_canonical(self.now.ref_of(*id)).2));
            let missing: Vec<u32> = missing.map(|id| id.0).collect();
            ids.extend(neighbours(self.now, &missing));
        }
        let place = |id: u32| {
            let row = self.now.rows.get(id as usize)?;
            let entity = self.now.ref_of(EntityId(id));
            (!own.contains(entity)).then(|| (entity.to_owned(), (row.file, row.document)))
        };
        ids.into_iter().filter_map(place).collect()
    }

    /// Tells which refs of some documents nobody describes.
    fn dangling(
        &self,
        files: &[Arc<ParsedFile>],
        drafts: &Drafts<'_>,
        graph: &Graph,
        out: &mut Vec<Diagnostic>,
    ) -> Option<()> {
        let refs = (0..graph.refs.len() as u32).map(|at| graph.refs.get(at));
        let ids: Option<Vec<u32>> = refs.clone().map(|text| self.now.find(text).map(|id| id.0)).collect();
        let ids = ids?;
        let total = self.now.len() as u32;
        let is_missing = |id: u32| ids.get(id as usize).is_some_and(|id| *id >= total);
        let missing = refs.zip(&ids).filter(|(_, id)| **id >= total);
        let proposal = |(text, _)| {
            let name = split_canonical(text).2;
            Some((name, self.now.ref_of(self.now.first_of_name(name)?)))
        };
        let by_name: FxHashMap<&str, &str> = missing.filter_map(proposal).collect();
        report::dangling(files, &self.now.sources, drafts, graph, &is_missing, &by_name, out);
        Some(())
    }
}

/// Takes back what problems marked, so that they can mark again.
fn unmark(catalog: &mut Catalog) {
    for row in catalog.rows.make_mut() {
        if row.flags & (flag::INVALID | flag::HAS_WARNINGS) == 0 {
            continue;
        }
        row.flags &= !(flag::INVALID | flag::HAS_WARNINGS);
        if catalog.files.document(row.file, row.document).is_some_and(|document| !document.valid) {
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

pub(super) fn starts_of(ends: &[u32]) -> Vec<u32> {
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
