//! Joins parsed files into one snapshot: who describes a ref, relations in both directions, columns.
//!
//! Start at [`stitch`]. A pure function of its input: the order in which files arrive does not matter.
//! Of several documents that describe one ref the first by source, path and document is kept; every
//! other is told about with both places. Relations are read from all kept documents, and each is put
//! at both of its ends. Texts that live only while joining stand in one arena ([`draft`]).

mod columns;
mod draft;
mod graph;
mod patch;
mod renumber;
mod report;

use super::cache::column::Column;
use super::snapshot::{Catalog, Files, NONE, NameOrder, ParsedFile, SourceState};
use crate::diagnostic::{Diagnostic, Severity};
use columns::Columns;
use draft::Drafts;
pub(super) use draft::canonical_ref;
use graph::Graph;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// What there is to join.
#[derive(Debug, Default)]
pub struct StitchInput {
    /// Sources in the order of their priority; [`ParsedFile::source`] points here.
    pub sources: Vec<SourceState>,
    /// All files of all sources.
    pub files: Vec<Arc<ParsedFile>>,
    /// What is wrong outside of any file.
    pub diagnostics: Vec<Diagnostic>,
    /// Refs that may not be known: relations to them are left out, not told as missing.
    pub hidden: FxHashSet<Box<str>>,
}

fn sort_files(files: &mut [Arc<ParsedFile>]) {
    files.sort_unstable_by(|a, b| (a.source, a.path_text()).cmp(&(b.source, b.path_text())));
}

/// Joins files into a snapshot, in less time when few differ from those of another snapshot.
///
/// `files` are those of the other snapshot, by source and path.
pub fn stitch_again(before: &Catalog, files: &[Arc<ParsedFile>], mut input: StitchInput) -> Catalog {
    patch::patch(before, files, &mut input).unwrap_or_else(|| stitch(input))
}

/// Joins files into a snapshot.
pub fn stitch(input: StitchInput) -> Catalog {
    let StitchInput { mut sources, mut files, mut diagnostics, hidden } = input;
    sort_files(&mut files);
    let (drafts, losers) = Drafts::read(&files).settle();
    for loser in &losers {
        diagnostics.extend(report::conflict(&files, &sources, &drafts, loser));
    }
    diagnostics.extend(files.iter().flat_map(|file| file.problems().into_owned()));
    let graph = Graph::build(&drafts, &hidden);
    if graph.refs.len() > drafts.all.len() {
        let is_missing = |id: u32| id >= graph.entities && id != NONE;
        let by_name = report::refs_by_name(&drafts);
        report::dangling(&files, &sources, &drafts, &graph, &is_missing, &by_name, &mut diagnostics);
    }
    let columns = Columns::build(&drafts, &graph);
    count(&mut sources, &files, &drafts);
    let Graph { refs, starts, edges, .. } = graph;
    drop(drafts);

    let mut catalog = Catalog {
        refs: refs.into(),
        rows: columns.rows.into(),
        files: Files::Parsed(Arc::new(files)),
        texts: columns.texts.into(),
        tag_starts: columns.tag_starts.into(),
        tags: columns.tags.into(),
        edge_starts: starts.into(),
        edges: edges.into(),
        haystack: columns.haystack.into(),
        by_name: NameOrder::default(),
        diagnostics: Vec::new().into(),
        problems: Column::default(),
        sources,
    };
    attach_problems(&mut catalog, diagnostics);
    catalog
}

fn count(sources: &mut [SourceState], files: &[Arc<ParsedFile>], drafts: &Drafts<'_>) {
    for source in sources.iter_mut() {
        (source.files, source.entities) = (0, 0);
    }
    for file in files {
        if let Some(source) = sources.get_mut(file.source as usize) {
            source.files += 1;
        }
    }
    for draft in &drafts.all {
        if let Some(source) = sources.get_mut(draft.source as usize) {
            source.entities += 1;
        }
    }
}

/// Sorts the diagnostics and notes for each entity which are about it.
fn attach_problems(catalog: &mut Catalog, mut diagnostics: Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| {
        (a.severity, &a.location, a.code, &a.message).cmp(&(b.severity, &b.location, b.code, &b.message))
    });
    diagnostics.dedup();
    let mut problems = Vec::new();
    for (index, diagnostic) in (0u32..).zip(&diagnostics) {
        let id = diagnostic.entity.as_deref().and_then(|entity| catalog.find(entity));
        if let Some(id) = id.filter(|id| catalog.is_entity(*id)) {
            problems.push((id.0, index, diagnostic.severity));
        }
    }
    problems.sort_unstable();
    let rows = catalog.rows.make_mut();
    for (id, _, severity) in &problems {
        let Some(row) = rows.get_mut(*id as usize) else { continue };
        match severity {
            Severity::Error => row.flags |= super::snapshot::flag::INVALID,
            Severity::Warning => row.flags |= super::snapshot::flag::HAS_WARNINGS,
            Severity::Info => {}
        }
    }
    catalog.problems = problems.into_iter().map(|(id, index, _)| [id, index]).collect();
    catalog.diagnostics = diagnostics.into();
}

#[cfg(test)]
mod tests;
