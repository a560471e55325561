//! Joins parsed files into one snapshot: who describes a ref, relations in both directions, columns.
//!
//! Start at [`stitch`]. A pure function of its input: the order in which files arrive does not matter.
//! Of several documents that describe one ref the first by source, path and document is kept; every
//! other is told about with both places. Relations are read from all kept documents, and each is put
//! at both of its ends.

use super::snapshot::{Catalog, NONE, ParsedDocument, ParsedFile, Row, SourceState, Str, Strings, flag};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::model::entity_ref::split_canonical;
use crate::model::kinds;
use crate::model::relation::{self, PAIRS, Stated};
use crate::model::value::ValueRef;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Longest part of a description that filter words are looked for in, in bytes.
const SEARCHED_DESCRIPTION: usize = 4096;

/// What there is to join.
#[derive(Debug, Default)]
pub struct StitchInput {
    /// Sources in the order of their priority; [`ParsedFile::source`] points here.
    pub sources: Vec<SourceState>,
    /// All files of all sources.
    pub files: Vec<Arc<ParsedFile>>,
    /// What is wrong outside of any file.
    pub diagnostics: Vec<Diagnostic>,
}

/// Joins files into a snapshot.
pub fn stitch(input: StitchInput) -> Catalog {
    let StitchInput { mut sources, mut files, mut diagnostics } = input;
    files.sort_unstable_by(|a, b| (a.source, &a.path).cmp(&(b.source, &b.path)));
    let drafts = read_drafts(&files);
    let (drafts, losers) = settle_claims(drafts);
    for (winner, loser) in &losers {
        report_conflict(&files, &sources, winner, loser, &mut diagnostics);
    }
    diagnostics.extend(files.iter().flat_map(|file| &file.diagnostics).cloned());

    let mut graph = Graph::new(&drafts);
    graph.connect(&drafts);
    report_dangling(&files, &drafts, &graph, &mut diagnostics);
    let (edge_starts, edges) = graph.lists();
    let mut columns = Columns::build(&drafts, &graph);
    mark_orphans(&mut columns.rows, &drafts, &edge_starts, &edges);
    for source in &mut sources {
        source.files = 0;
        source.entities = 0;
    }
    for file in &files {
        if let Some(source) = sources.get_mut(file.source as usize) {
            source.files += 1;
        }
    }
    for draft in &drafts {
        let source = files.get(draft.file as usize).and_then(|file| sources.get_mut(file.source as usize));
        if let Some(source) = source {
            source.entities += 1;
        }
    }
    let refs = std::mem::take(&mut graph.refs);
    drop(graph);
    drop(drafts);

    let Columns { rows, texts, tag_starts, tags, haystack } = columns;
    let mut catalog = Catalog {
        refs,
        rows,
        files,
        texts,
        tag_starts,
        tags,
        edge_starts,
        edges,
        haystack,
        diagnostics,
        problems: Vec::new(),
        sources,
    };
    attach_problems(&mut catalog);
    catalog
}

/// What one document says, read once.
struct Draft<'a> {
    /// Canonical ref.
    entity_ref: String,
    file: u32,
    document: u32,
    source: u16,
    value: ValueRef<'a>,
    parsed: &'a ParsedDocument,
    stated: Vec<Stated>,
    /// Canonical refs of `stated`, in the same order.
    targets: Vec<String>,
}

fn read_drafts(files: &[Arc<ParsedFile>]) -> Vec<Draft<'_>> {
    let read = |(file_index, file): (usize, &'_ Arc<ParsedFile>)| -> Vec<(usize, usize)> {
        (0..file.documents.len()).map(|document| (file_index, document)).collect()
    };
    let places: Vec<(usize, usize)> = files.iter().enumerate().flat_map(read).collect();
    places
        .into_par_iter()
        .with_min_len(64)
        .filter_map(|(file_index, document)| {
            let file = files.get(file_index)?;
            let parsed = file.documents.get(document)?;
            let value = ValueRef::new(&parsed.packed);
            let stated = relation::stated(value);
            let targets = stated.iter().map(|s| s.target.to_string()).collect();
            Some(Draft {
                entity_ref: canonical_ref(value)?,
                file: file_index as u32,
                document: document as u32,
                source: file.source,
                value,
                parsed,
                stated,
                targets,
            })
        })
        .collect()
}

/// Returns the canonical ref of an entity as written; `None` without a kind or name.
pub(super) fn canonical_ref(value: ValueRef<'_>) -> Option<String> {
    let metadata = value.get("metadata");
    let kind = filled(value.get("kind"))?;
    let name = filled(metadata.get("name"))?;
    let namespace = filled(metadata.get("namespace")).unwrap_or("default".into());
    let mut out = String::with_capacity(kind.len() + namespace.len() + name.len() + 2);
    for part in [&*kind, ":", &*namespace, "/", &*name] {
        out.push_str(part);
    }
    if out.is_ascii() {
        out.make_ascii_lowercase();
        Some(out)
    } else {
        Some(out.to_lowercase())
    }
}

fn filled(value: ValueRef<'_>) -> Option<std::borrow::Cow<'_, str>> {
    value.scalar_text().filter(|text| !text.is_empty())
}

/// Two places that describe one ref: the kept one and the other.
struct Place {
    entity_ref: String,
    file: u32,
    document: u32,
    source: u16,
}

impl Place {
    fn of(draft: &Draft<'_>) -> Self {
        Self {
            entity_ref: draft.entity_ref.clone(),
            file: draft.file,
            document: draft.document,
            source: draft.source,
        }
    }
}

/// Sorts by ref and keeps the first claimant of each.
fn settle_claims(mut drafts: Vec<Draft<'_>>) -> (Vec<Draft<'_>>, Vec<(Place, Place)>) {
    drafts.par_sort_unstable_by(|a, b| {
        a.entity_ref.cmp(&b.entity_ref).then(a.file.cmp(&b.file)).then(a.document.cmp(&b.document))
    });
    let mut losers = Vec::new();
    drafts.dedup_by(|later, kept| {
        let same = later.entity_ref == kept.entity_ref;
        if same {
            losers.push((Place::of(kept), Place::of(later)));
        }
        same
    });
    (drafts, losers)
}

fn report_conflict(
    files: &[Arc<ParsedFile>],
    sources: &[SourceState],
    winner: &Place,
    loser: &Place,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let is_remote = |source: u16| sources.get(source as usize).is_some_and(|s| s.kind == "http");
    // what lies on this machine is meant to cover what is far away
    if is_remote(loser.source) && !is_remote(winner.source) {
        return;
    }
    let place = |place: &Place| {
        let file = files.get(place.file as usize)?;
        let document = file.documents.get(place.document as usize)?;
        Some(SourceLocation::at(file.path.clone(), document.line, 1))
    };
    let (Some(kept), Some(other)) = (place(winner), place(loser)) else { return };
    let name = |source: u16| sources.get(source as usize).map_or("", |s| &*s.name);
    let why = if winner.source == loser.source {
        "paths sort before each other in that order".to_owned()
    } else {
        format!("the source `{}` comes before `{}`", name(winner.source), name(loser.source))
    };
    let mut diagnostic = Diagnostic::warning(
        "catalog::conflict",
        format!("`{}` is described twice: the one in {kept} is kept, this one is not", winner.entity_ref),
    )
    .at(other)
    .entity(winner.entity_ref.clone())
    .hint(format!("rename or remove one of the two ({why})"));
    diagnostic.source = sources.get(loser.source as usize).map(|s| s.name.clone());
    diagnostics.push(diagnostic);
}

/// Refs with their numbers, and relations as they are found.
struct Graph<'a> {
    refs: Strings,
    /// Numbers of entities, then of dangling targets.
    ids: FxHashMap<&'a str, u32>,
    entities: u32,
    /// For each draft the numbers of its targets.
    targets: Vec<Vec<u32>>,
    /// From, relation type, to; both directions.
    found: Vec<(u32, u32, u32)>,
}

/// Relation types in the order of their names; their place, from 1, is also their interned number.
fn relation_names() -> Vec<&'static str> {
    let mut names: Vec<_> = PAIRS.iter().flat_map(|(a, b)| [*a, *b]).collect();
    names.sort_unstable();
    names
}

impl<'a> Graph<'a> {
    fn new(drafts: &'a [Draft<'a>]) -> Self {
        let mut refs = Strings::default();
        let mut ids = FxHashMap::with_capacity_and_hasher(drafts.len() * 2, rustc_hash::FxBuildHasher);
        for draft in drafts {
            ids.insert(draft.entity_ref.as_str(), refs.push(&draft.entity_ref));
        }
        let mut dangling: Vec<&str> = drafts
            .iter()
            .flat_map(|d| &d.targets)
            .map(String::as_str)
            .filter(|t| !ids.contains_key(t))
            .collect();
        dangling.sort_unstable();
        dangling.dedup();
        for target in dangling {
            ids.insert(target, refs.push(target));
        }
        Self { refs, ids, entities: drafts.len() as u32, targets: Vec::new(), found: Vec::new() }
    }

    fn connect(&mut self, drafts: &[Draft<'_>]) {
        let names = relation_names();
        let number = |name: &str| names.binary_search(&name).map_or(0, |at| at as u32 + 1);
        let pairs: FxHashMap<&str, (u32, u32)> = PAIRS
            .iter()
            .flat_map(|(a, b)| [(*a, (number(a), number(b))), (*b, (number(b), number(a)))])
            .collect();
        let count: usize = drafts.iter().map(|d| d.targets.len()).sum();
        self.found.reserve(count * 2);
        for (from, draft) in (0..).zip(drafts) {
            let mut targets = Vec::with_capacity(draft.targets.len());
            for (stated, target) in draft.stated.iter().zip(&draft.targets) {
                let to = self.ids.get(target.as_str()).copied().unwrap_or(NONE);
                targets.push(to);
                if let Some((forward, back)) = pairs.get(stated.relation).filter(|_| to != NONE) {
                    self.found.push((from, *forward, to));
                    self.found.push((to, *back, from));
                }
            }
            self.targets.push(targets);
        }
    }

    /// Sorts the relations of each ref by type and target and removes repeated ones.
    fn lists(&self) -> (Vec<u32>, Vec<(Str, u32)>) {
        let nodes = self.refs.len();
        let mut starts = vec![0u32; nodes + 1];
        for (from, _, _) in &self.found {
            if let Some(start) = starts.get_mut(*from as usize + 1) {
                *start += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut placed = vec![(Str(0), 0u32); self.found.len()];
        for (from, relation, to) in &self.found {
            let Some(at) = next.get_mut(*from as usize) else { continue };
            if let Some(slot) = placed.get_mut(*at as usize) {
                *slot = (Str(*relation), *to);
            }
            *at += 1;
        }
        let mut edges: Vec<(Str, u32)> = Vec::with_capacity(placed.len());
        let mut out = Vec::with_capacity(nodes + 1);
        out.push(0);
        for bounds in starts.windows(2) {
            let [start, end] = bounds else { continue };
            if let Some(run) = placed.get_mut(*start as usize..*end as usize) {
                run.sort_unstable();
                let before = edges.len();
                for edge in run {
                    if edges.len() == before || edges.last() != Some(edge) {
                        edges.push(*edge);
                    }
                }
            }
            out.push(edges.len() as u32);
        }
        edges.shrink_to_fit();
        (out, edges)
    }
}

fn report_dangling(
    files: &[Arc<ParsedFile>],
    drafts: &[Draft<'_>],
    graph: &Graph<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if graph.refs.len() == drafts.len() {
        return;
    }
    // the same name under another kind or namespace is the usual mistake
    let mut by_name: FxHashMap<&str, &str> = FxHashMap::default();
    for draft in drafts.iter().rev() {
        by_name.insert(split_canonical(&draft.entity_ref).2, &draft.entity_ref);
    }
    for (draft, targets) in drafts.iter().zip(&graph.targets) {
        let mut told: FxHashSet<(u32, &str)> = FxHashSet::default();
        for (index, (id, stated)) in targets.iter().zip(&draft.stated).enumerate() {
            if *id < graph.entities || *id == NONE || !told.insert((*id, stated.field)) {
                continue;
            }
            let target = graph.refs.get(*id);
            let (line, column) = draft.parsed.marks.get(index).copied().unwrap_or((draft.parsed.line, 1));
            let path = files.get(draft.file as usize).map_or_else(|| Arc::from(""), |file| file.path.clone());
            let mut diagnostic = Diagnostic::warning(
                "catalog::dangling-ref",
                format!("`{}` names `{target}`, which nothing here describes", stated.field),
            )
            .at(SourceLocation::at(path, line, column))
            .pointer(stated.pointer())
            .entity(draft.entity_ref.clone());
            diagnostic.hint = by_name
                .get(split_canonical(target).2)
                .map(|other| format!("there is `{other}`: write that, if it is meant"));
            diagnostics.push(diagnostic);
        }
    }
}

/// The columns of all entities.
#[derive(Default)]
struct Columns {
    rows: Vec<Row>,
    texts: Strings,
    tag_starts: Vec<u32>,
    tags: Vec<Str>,
    haystack: Strings,
}

/// Gives equal texts equal numbers.
struct Interner<'a> {
    texts: Strings,
    ids: FxHashMap<&'a str, u32>,
}

impl<'a> Interner<'a> {
    fn new() -> Self {
        let mut interner = Self { texts: Strings::default(), ids: FxHashMap::default() };
        interner.add("");
        for name in relation_names() {
            interner.add(name);
        }
        interner
    }

    fn add(&mut self, text: &'a str) -> Str {
        if let Some(id) = self.ids.get(text) {
            return Str(*id);
        }
        let id = self.texts.push(text);
        self.ids.insert(text, id);
        Str(id)
    }
}

impl Columns {
    fn build<'a>(drafts: &'a [Draft<'a>], graph: &Graph<'_>) -> Self {
        let mut interner = Interner::new();
        let mut columns = Self::default();
        columns.rows.reserve_exact(drafts.len());
        columns.tag_starts.reserve_exact(drafts.len() + 1);
        columns.tag_starts.push(0);
        for (draft, targets) in drafts.iter().zip(&graph.targets) {
            let metadata = draft.value.get("metadata");
            let spec = draft.value.get("spec");
            let kind = draft.value.get("kind").as_str().unwrap_or("");
            let namespace =
                metadata.get("namespace").as_str().filter(|ns| !ns.is_empty()).unwrap_or("default");
            let mut flags = 0;
            if !draft.parsed.valid {
                flags |= flag::INVALID;
            }
            if kinds::find_by_name(kind).is_none() {
                flags |= flag::UNKNOWN_KIND;
            }
            if let Some(tags) = metadata.get("tags").as_array() {
                let tags = tags.iter().filter_map(ValueRef::as_str).filter(|tag| !tag.is_empty());
                columns.tags.extend(tags.map(|tag| interner.add(tag)));
            }
            columns.tag_starts.push(columns.tags.len() as u32);
            columns.rows.push(Row {
                file: draft.file,
                document: draft.document,
                kind: interner.add(kind),
                namespace: interner.add(namespace),
                entity_type: interner.add(spec.get("type").as_str().unwrap_or("")),
                lifecycle: interner.add(spec.get("lifecycle").as_str().unwrap_or("")),
                owner: first_target(draft, targets, "ownedBy", |_| true),
                system: system_of(draft, targets),
                flags,
            });
        }
        columns.texts = interner.texts;
        columns.haystack = build_haystack(drafts);
        columns.tags.shrink_to_fit();
        columns
    }
}

fn first_target(draft: &Draft<'_>, targets: &[u32], wanted: &str, allowed: impl Fn(&str) -> bool) -> u32 {
    let mut pairs = draft.stated.iter().zip(targets);
    pairs.find(|(s, _)| s.relation == wanted && allowed(&s.target.kind)).map_or(NONE, |(_, id)| *id)
}

/// The system an entity is part of, else its domain, else whatever it is part of.
fn system_of(draft: &Draft<'_>, targets: &[u32]) -> u32 {
    let of_kind = |kind: &str| first_target(draft, targets, "partOf", |k| k == kind);
    match of_kind("system") {
        NONE => match of_kind("domain") {
            NONE => first_target(draft, targets, "partOf", |_| true),
            domain => domain,
        },
        system => system,
    }
}

fn build_haystack(drafts: &[Draft<'_>]) -> Strings {
    let parts: Vec<Strings> = drafts
        .par_chunks(1024)
        .map(|chunk| {
            let mut part = Strings::default();
            let mut text = String::new();
            for draft in chunk {
                text.clear();
                searched_text(draft, &mut text);
                if text.is_ascii() {
                    text.make_ascii_lowercase();
                    part.push(&text);
                } else {
                    part.push(&text.to_lowercase());
                }
            }
            part
        })
        .collect();
    let mut whole = Strings {
        text: String::with_capacity(parts.iter().map(|part| part.text.len()).sum()),
        ends: Vec::with_capacity(drafts.len()),
    };
    for part in parts {
        let base = whole.text.len() as u32;
        whole.text.push_str(&part.text);
        whole.ends.extend(part.ends.iter().map(|end| base + end));
    }
    whole
}

/// Writes name, title, type, owner, system, tags and description, one to a line.
fn searched_text(draft: &Draft<'_>, out: &mut String) {
    let metadata = draft.value.get("metadata");
    let spec = draft.value.get("spec");
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(metadata.get("name").as_str().unwrap_or(""));
    let title = metadata.get("title").as_str().or_else(|| spec.get("profile").get("displayName").as_str());
    line(title.unwrap_or(""));
    line(spec.get("type").as_str().unwrap_or(""));
    for relation in ["ownedBy", "partOf"] {
        let name = draft.stated.iter().find(|s| s.relation == relation).map_or("", |s| &s.target.name);
        line(name);
    }
    if let Some(tags) = metadata.get("tags").as_array() {
        for tag in tags.iter().filter_map(ValueRef::as_str) {
            line(tag);
        }
    }
    let description = metadata.get("description").as_str().unwrap_or("");
    let mut end = description.len().min(SEARCHED_DESCRIPTION);
    while !description.is_char_boundary(end) {
        end -= 1;
    }
    out.push_str(description.get(..end).unwrap_or(""));
}

/// Marks entities that no relation ties to an entity that exists. Locations state no relations, so
/// that they are never orphans.
fn mark_orphans(rows: &mut [Row], drafts: &[Draft<'_>], starts: &[u32], edges: &[(Str, u32)]) {
    let count = rows.len() as u32;
    for ((id, row), draft) in (0u32..).zip(rows.iter_mut()).zip(drafts) {
        let bound = |i: u32| starts.get(i as usize).copied().unwrap_or(0) as usize;
        let run = edges.get(bound(id)..bound(id + 1)).unwrap_or(&[]);
        let tied = run.iter().any(|(_, other)| *other < count && *other != id);
        if !tied && !draft.entity_ref.starts_with("location:") {
            row.flags |= flag::ORPHAN;
        }
    }
}

/// Sorts the diagnostics and notes for each entity which are about it.
fn attach_problems(catalog: &mut Catalog) {
    catalog.diagnostics.sort_by(|a, b| {
        (a.severity, &a.location, a.code, &a.message).cmp(&(b.severity, &b.location, b.code, &b.message))
    });
    catalog.diagnostics.dedup();
    let mut problems = Vec::new();
    for (index, diagnostic) in (0u32..).zip(&catalog.diagnostics) {
        let id = diagnostic.entity.as_deref().and_then(|entity| catalog.find(entity));
        if let Some(id) = id.filter(|id| catalog.is_entity(*id)) {
            problems.push((id.0, index, diagnostic.severity));
        }
    }
    problems.sort_unstable();
    for (id, _, severity) in &problems {
        let Some(row) = catalog.rows.get_mut(*id as usize) else { continue };
        match severity {
            Severity::Error => row.flags |= flag::INVALID,
            Severity::Warning => row.flags |= flag::HAS_WARNINGS,
            Severity::Info => {}
        }
    }
    catalog.problems = problems.into_iter().map(|(id, index, _)| (id, index)).collect();
}
