//! What joining finds wrong: refs described twice, and refs that nobody describes.

use super::draft::{Draft, Drafts, Loser};
use super::graph::Graph;
use crate::catalog::snapshot::{ParsedFile, RelationsFrom, SourceState};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::entity_ref::split_canonical;
use crate::model::relation;
use crate::model::value::ValueRef;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Code of what is told about a document whose ref is described elsewhere.
pub(super) const CONFLICT: &str = "catalog::conflict";
/// Code of what is told about a ref that nobody describes.
pub(super) const DANGLING: &str = "catalog::dangling-ref";

fn place(files: &[Arc<ParsedFile>], draft: &Draft<'_>, line: u32, column: u32) -> SourceLocation {
    let path = files.get(draft.file as usize).map_or_else(|| Arc::from(""), |file| file.shared_path());
    SourceLocation::at(path, line, column)
}

/// Tells about a document that is not kept because its ref is described elsewhere.
pub(super) fn conflict(
    files: &[Arc<ParsedFile>],
    sources: &[SourceState],
    drafts: &Drafts<'_>,
    loser: &Loser<'_>,
) -> Option<Diagnostic> {
    let winner = drafts.all.get(loser.winner)?;
    let source = |draft: &Draft<'_>| sources.get(draft.source as usize);
    let is_local = |draft: &Draft<'_>| source(draft).is_some_and(SourceState::is_local);
    // what lies on this machine is meant to cover what is far away
    if is_local(winner) && !is_local(&loser.draft) {
        return None;
    }
    let kept = place(files, winner, winner.parsed.line, 1);
    let entity = drafts.text(winner.entity_ref);
    let why = match (source(winner), source(&loser.draft)) {
        (Some(a), Some(b)) if winner.source != loser.draft.source => {
            format!("the source `{}` comes before `{}`", a.name, b.name)
        }
        _ => "the first by path and line is kept".to_owned(),
    };
    let mut diagnostic = Diagnostic::warning(
        CONFLICT,
        format!("`{entity}` is described twice: the one in {kept} is kept, this one is not"),
    )
    .at(place(files, &loser.draft, loser.draft.parsed.line, 1))
    .entity(entity)
    .hint(format!("rename or remove one of the two; {why}"));
    diagnostic.source = source(&loser.draft).map(|s| s.name.clone());
    Some(diagnostic)
}

/// Returns the first ref of each name, to propose: the same name under another kind or namespace is the
/// usual mistake.
pub(super) fn refs_by_name<'a>(drafts: &'a Drafts<'_>) -> FxHashMap<&'a str, &'a str> {
    let refs = drafts.all.iter().rev().map(|draft| drafts.text(draft.entity_ref));
    refs.map(|entity_ref| (split_canonical(entity_ref).2, entity_ref)).collect()
}

/// Tells about each ref that a document names and nobody describes.
pub(super) fn dangling(
    files: &[Arc<ParsedFile>],
    sources: &[SourceState],
    drafts: &Drafts<'_>,
    graph: &Graph,
    is_missing: &dyn Fn(u32) -> bool,
    by_name: &FxHashMap<&str, &str>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for draft in &drafts.all {
        let targets = graph.targets_of(draft.stated.clone());
        if !targets.iter().any(|id| is_missing(*id)) {
            continue;
        }
        if draft.relations.is_given() {
            if draft.relations == RelationsFrom::Given {
                dangling_given(files, sources, drafts, graph, draft, is_missing, diagnostics);
            }
            continue;
        }
        let mut told: FxHashSet<(u32, &str)> = FxHashSet::default();
        // few documents come here: they are asked again which field says what
        let stated = relation::stated(ValueRef::new(draft.parsed.packed));
        for (index, (stated, id)) in stated.iter().zip(targets).enumerate() {
            if !is_missing(*id) || !told.insert((*id, stated.field)) {
                continue;
            }
            let target = graph.refs.get(*id);
            let [line, column] = draft.parsed.marks.get(index).copied().unwrap_or([draft.parsed.line, 1]);
            let mut diagnostic = Diagnostic::warning(
                DANGLING,
                format!("`{}` names `{target}`, which nothing here describes", stated.field),
            )
            .at(place(files, draft, line, column))
            .pointer(stated.pointer())
            .entity(drafts.text(draft.entity_ref));
            diagnostic.source = sources.get(draft.source as usize).map(|source| source.name.clone());
            diagnostic.hint = by_name
                .get(split_canonical(target).2)
                .map(|other| format!("there is `{other}`: write that, if it is meant"));
            diagnostics.push(diagnostic);
        }
    }
}

/// Tells about each ref that a relation given with an entity leads to and nobody describes.
fn dangling_given(
    files: &[Arc<ParsedFile>],
    sources: &[SourceState],
    drafts: &Drafts<'_>,
    graph: &Graph,
    draft: &Draft<'_>,
    is_missing: &dyn Fn(u32) -> bool,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for (stated, id) in drafts.stated_by(draft).iter().zip(graph.targets_of(draft.stated.clone())) {
        let name = (stated.relation as usize).checked_sub(1).and_then(|at| drafts.names().get(at));
        let Some(name) = name.filter(|_| is_missing(*id)) else { continue };
        let mut diagnostic = Diagnostic::warning(
            DANGLING,
            format!("the relation `{name}` leads to `{}`, which nothing here describes", graph.refs.get(*id)),
        )
        .at(place(files, draft, draft.parsed.line, 0))
        .pointer("/relations")
        .entity(drafts.text(draft.entity_ref));
        diagnostic.source = sources.get(draft.source as usize).map(|source| source.name.clone());
        diagnostics.push(diagnostic);
    }
}
