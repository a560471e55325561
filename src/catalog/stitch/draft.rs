//! What each document says, read once: its ref and the refs it names, in one arena of text.
//!
//! A hundred thousand entities name half a million refs; as texts of their own they would cost more
//! time and memory than everything else here.

use crate::catalog::snapshot::{DocumentView, ParsedFile, RelationsFrom};
use crate::model::relation::{self, PAIRS};
use crate::model::value::ValueRef;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Files that one task reads.
const FILES_PER_TASK: usize = 128;
/// Documents of one large file that one task reads.
const DOCUMENTS_PER_TASK: usize = 256;

/// A run of the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Text {
    start: u32,
    end: u32,
}

/// A relation that a document states.
#[derive(Debug, Clone, Copy)]
pub(super) struct StatedDraft {
    /// Number of its type: the place in [`Drafts::names`], from 1; 0 for one too many.
    pub relation: u8,
    pub target: Text,
}

/// One document.
#[derive(Debug, Clone)]
pub(super) struct Draft<'a> {
    pub entity_ref: Text,
    /// Run of [`Drafts::stated`].
    pub stated: Range<u32>,
    pub file: u32,
    pub document: u32,
    pub source: u16,
    /// Where [`Self::stated`] comes from.
    pub relations: RelationsFrom,
    pub parsed: DocumentView<'a>,
}

/// All documents with their arena.
#[derive(Debug, Default)]
pub(super) struct Drafts<'a> {
    /// By ref once settled.
    pub all: Vec<Draft<'a>>,
    pub stated: Vec<StatedDraft>,
    text: String,
    /// Relation types beside the known ones, that a server gave; numbered behind them until joined.
    odd: Vec<&'a str>,
    /// All relation types in the order of their names, once joined and if there are odd ones.
    names: Vec<&'a str>,
}

/// A document whose ref somebody else describes too.
#[derive(Debug)]
pub(super) struct Loser<'a> {
    /// Which draft is kept.
    pub winner: usize,
    pub draft: Draft<'a>,
}

static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names: Vec<_> = PAIRS.iter().flat_map(|(a, b)| [*a, *b]).collect();
    names.sort_unstable();
    names
});

/// Most relation types of one catalog; their numbers are one byte.
const MAX_TYPES: usize = u8::MAX as usize;

/// Returns the number of a known relation type, 0 for one that is in no pair.
fn known_number(name: &str) -> u8 {
    NAMES.binary_search(&name).map_or(0, |at| at as u8 + 1)
}

impl<'a> Drafts<'a> {
    /// Returns the relation types in the order of their names; the place from 1 is their number everywhere.
    pub(super) fn names(&self) -> &[&'a str] {
        if self.names.is_empty() { &NAMES } else { &self.names }
    }

    /// Returns the number of a relation type, 0 for one that nobody states.
    pub(super) fn relation_number(&self, name: &str) -> u8 {
        self.names().binary_search(&name).map_or(0, |at| at as u8 + 1)
    }

    /// Reads all documents, in the order of the files.
    pub(super) fn read(files: &'a [Arc<ParsedFile>]) -> Self {
        // tasks of about the same size, whether the entities lie in one file or in many
        let mut tasks: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let mut run = 0..0;
        for (at, file) in files.iter().enumerate() {
            if file.document_count() > DOCUMENTS_PER_TASK {
                if !run.is_empty() {
                    tasks.push((run.clone(), 0..DOCUMENTS_PER_TASK));
                }
                let count = file.document_count();
                let starts = (0..count).step_by(DOCUMENTS_PER_TASK);
                tasks.extend(starts.map(|s| (at..at + 1, s..(s + DOCUMENTS_PER_TASK).min(count))));
                run = at + 1..at + 1;
            } else {
                run.end = at + 1;
                if run.len() == FILES_PER_TASK {
                    tasks.push((run.clone(), 0..DOCUMENTS_PER_TASK));
                    run = at + 1..at + 1;
                }
            }
        }
        if !run.is_empty() {
            tasks.push((run, 0..DOCUMENTS_PER_TASK));
        }
        let parts: Vec<Self> = tasks
            .into_par_iter()
            .map(|(run, documents)| {
                let mut part = Self::default();
                for at in run {
                    let Some(file) = files.get(at) else { continue };
                    for document in documents.clone().take_while(|d| *d < file.document_count()) {
                        part.add(file, at as u32, document);
                    }
                }
                part
            })
            .collect();
        Self::join(parts)
    }

    /// Reads one document of a file.
    pub(super) fn one(file: &'a ParsedFile, document: usize) -> Self {
        let mut drafts = Self::default();
        drafts.add(file, 0, document);
        drafts
    }

    /// Reads some documents, by their files and numbers.
    pub(super) fn some(files: &'a [Arc<ParsedFile>], places: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut drafts = Self::default();
        for (at, document) in places {
            if let Some(file) = files.get(at as usize) {
                drafts.add(file, at, document as usize);
            }
        }
        Self::join(vec![drafts])
    }

    fn add(&mut self, file: &'a ParsedFile, file_index: u32, document: usize) {
        let Some(parsed) = file.document(document) else { return };
        let (value, relations) = (ValueRef::new(parsed.packed), file.relations_from());
        let Some((kind, namespace, name)) = parts_of(value) else { return };
        let entity_ref = self.push_ref(&kind, &namespace, &name);
        let first = self.stated.len() as u32;
        if relations.is_given() {
            relation::visit_given(value, |relation, target| {
                let start = self.text.len() as u32;
                push_lower(&mut self.text, target);
                let target = Text { start, end: self.text.len() as u32 };
                let relation = match known_number(relation) {
                    0 => self.odd_number(relation),
                    known => known,
                };
                self.stated.push(StatedDraft { relation, target });
            });
        } else {
            relation::visit(value, |stated| {
                let target = self.push_ref(stated.kind, stated.namespace, stated.name);
                self.stated.push(StatedDraft { relation: known_number(stated.relation), target });
            });
        }
        self.all.push(Draft {
            entity_ref,
            stated: first..self.stated.len() as u32,
            file: file_index,
            document: document as u32,
            source: file.source,
            relations,
            parsed,
        });
    }

    /// Numbers a relation type that is in no pair, behind those that are.
    fn odd_number(&mut self, name: &'a str) -> u8 {
        let at = self.odd.iter().position(|odd| *odd == name).unwrap_or_else(|| {
            self.odd.push(name);
            self.odd.len() - 1
        });
        u8::try_from(NAMES.len() + at + 1).unwrap_or(0)
    }

    /// Writes a canonical ref.
    fn push_ref(&mut self, kind: &str, namespace: &str, name: &str) -> Text {
        let start = self.text.len();
        push_lower(&mut self.text, kind);
        self.text.push(':');
        push_lower(&mut self.text, namespace);
        self.text.push('/');
        push_lower(&mut self.text, name);
        Text { start: start as u32, end: self.text.len() as u32 }
    }

    fn join(parts: Vec<Self>) -> Self {
        let sum = |size: fn(&Self) -> usize| parts.iter().map(size).sum();
        let mut whole = Self {
            all: Vec::with_capacity(sum(|p| p.all.len())),
            stated: Vec::with_capacity(sum(|p| p.stated.len())),
            text: String::with_capacity(sum(|p| p.text.len())),
            odd: Vec::new(),
            names: Vec::new(),
        };
        whole.take_odd_names(&parts);
        for mut part in parts {
            if !whole.names.is_empty() {
                whole.renumber(&mut part);
            }
            let (text, stated) = (whole.text.len() as u32, whole.stated.len() as u32);
            let moved = |t: Text| Text { start: t.start + text, end: t.end + text };
            whole.text.push_str(&part.text);
            whole.stated.extend(part.stated.iter().map(|s| StatedDraft { target: moved(s.target), ..*s }));
            whole.all.extend(part.all.into_iter().map(|draft| Draft {
                entity_ref: moved(draft.entity_ref),
                stated: draft.stated.start + stated..draft.stated.end + stated,
                ..draft
            }));
        }
        whole
    }

    /// Puts the relation types of servers among the known ones, in the order of their names.
    fn take_odd_names(&mut self, parts: &[Self]) {
        let mut odd: Vec<&'a str> = parts.iter().flat_map(|part| part.odd.iter().copied()).collect();
        if odd.is_empty() {
            return;
        }
        odd.sort_unstable();
        odd.dedup();
        odd.truncate(MAX_TYPES - NAMES.len());
        self.names = NAMES.iter().copied().chain(odd).collect();
        self.names.sort_unstable();
    }

    /// Gives the relations of a part the numbers of all names.
    fn renumber(&self, part: &mut Self) {
        let before = NAMES.iter().copied().chain(part.odd.iter().copied());
        let now: Vec<u8> = std::iter::once(0).chain(before.map(|name| self.relation_number(name))).collect();
        for stated in &mut part.stated {
            stated.relation = now.get(stated.relation as usize).copied().unwrap_or(0);
        }
    }

    /// Sorts by ref and keeps the first claimant of each.
    pub(super) fn settle(mut self) -> (Self, Vec<Loser<'a>>) {
        let text = std::mem::take(&mut self.text);
        let get = |t: Text| text.get(t.start as usize..t.end as usize).unwrap_or("");
        self.all.par_sort_unstable_by(|a, b| {
            get(a.entity_ref)
                .cmp(get(b.entity_ref))
                .then_with(|| (a.source, a.file, a.document).cmp(&(b.source, b.file, b.document)))
        });
        let mut losers = Vec::new();
        let mut kept: Vec<Draft<'a>> = Vec::with_capacity(self.all.len());
        for draft in std::mem::take(&mut self.all) {
            match kept.last() {
                Some(last) if get(last.entity_ref) == get(draft.entity_ref) => {
                    losers.push(Loser { winner: kept.len() - 1, draft });
                }
                _ => kept.push(draft),
            }
        }
        (Self { all: kept, text, ..self }, losers)
    }

    pub(super) fn text(&self, text: Text) -> &str {
        self.text.get(text.start as usize..text.end as usize).unwrap_or("")
    }

    pub(super) fn stated_by(&self, draft: &Draft<'_>) -> &[StatedDraft] {
        self.stated.get(draft.stated.start as usize..draft.stated.end as usize).unwrap_or(&[])
    }
}

fn push_lower(out: &mut String, text: &str) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(added) = out.get_mut(start..) {
            added.make_ascii_lowercase();
        }
    } else {
        out.push_str(&text.to_lowercase());
    }
}

/// Kind, namespace and name of an entity as written; `None` without a kind or name.
fn parts_of(value: ValueRef<'_>) -> Option<(Cow<'_, str>, Cow<'_, str>, Cow<'_, str>)> {
    let metadata = value.get("metadata");
    let kind = filled(value.get("kind"))?;
    let name = filled(metadata.get("name"))?;
    Some((kind, filled(metadata.get("namespace")).unwrap_or(Cow::Borrowed("default")), name))
}

fn filled(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    value.scalar_text().filter(|text| !text.is_empty())
}

/// Returns the canonical ref of an entity as written; `None` without a kind or name.
pub(in crate::catalog) fn canonical_ref(value: ValueRef<'_>) -> Option<String> {
    let (kind, namespace, name) = parts_of(value)?;
    let mut drafts = Drafts::default();
    drafts.push_ref(&kind, &namespace, &name);
    Some(drafts.text)
}
