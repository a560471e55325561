//! The columns of all entities and the text that filter words are looked for in.

use super::draft::{Draft, Drafts};
use super::graph::Graph;
use crate::catalog::snapshot::{NONE, Row, Str, Strings, flag};
use crate::model::entity_ref::split_canonical;
use crate::model::kinds;
use crate::model::value::{Fields, ValueRef};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

/// Longest part of a description that filter words are looked for in, in bytes.
const SEARCHED_DESCRIPTION: usize = 4096;
/// Entities that one task reads.
const CHUNK: usize = 512;
/// Tasks that run before their results are taken in.
const CHUNKS: usize = 32;

/// The columns of all entities.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub rows: Vec<Row>,
    pub texts: Strings,
    pub tag_starts: Vec<u32>,
    pub tags: Vec<Str>,
    pub haystack: Strings,
}

/// What one entity gives to its row, borrowed.
struct Facts<'a> {
    kind: &'a str,
    namespace: &'a str,
    entity_type: &'a str,
    lifecycle: &'a str,
    owner: u32,
    system: u32,
    flags: u32,
    tags: usize,
}

/// What one task makes.
#[derive(Default)]
struct Part<'a> {
    facts: Vec<Facts<'a>>,
    tags: Vec<&'a str>,
    haystack: Strings,
}

/// Gives equal texts equal numbers.
#[derive(Default)]
struct Interner<'a> {
    texts: Strings,
    ids: FxHashMap<&'a str, u32>,
}

impl<'a> Interner<'a> {
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
    pub(super) fn build(drafts: &Drafts<'_>, graph: &Graph) -> Self {
        let mut interner = Interner::default();
        // 0 is the empty text, then the relation types by their numbers
        interner.add("");
        for name in drafts.names() {
            interner.add(name);
        }
        let total = drafts.all.len();
        let mut out = Self {
            rows: Vec::with_capacity(total),
            tag_starts: Vec::with_capacity(total + 1),
            haystack: Strings { text: String::new(), ends: Vec::with_capacity(total) },
            ..Self::default()
        };
        out.tag_starts.push(0);
        // a part at a time, so that no second copy of all texts exists
        for (at, chunks) in drafts.all.chunks(CHUNK * CHUNKS).enumerate() {
            let parts: Vec<Part<'_>> = chunks
                .par_chunks(CHUNK)
                .enumerate()
                .map(|(chunk, drafts_of)| {
                    read(drafts, graph, drafts_of, ((at * CHUNKS + chunk) * CHUNK) as u32)
                })
                .collect();
            if at == 0 {
                out.reserve(&parts, chunks.len(), total);
            }
            let mut places = chunks.iter();
            for part in parts {
                out.append(&part, &mut interner, &mut places);
            }
        }
        out.texts = interner.texts;
        out
    }
}

impl Columns {
    /// Makes room for all from the size of the first part, with a little to spare.
    fn reserve(&mut self, parts: &[Part<'_>], read: usize, total: usize) {
        let room = |bytes: usize| bytes / read.max(1) * total + bytes + bytes / 8;
        let (tags, text) = parts
            .iter()
            .fold((0, 0), |(tags, text), part| (tags + part.tags.len(), text + part.haystack.text.len()));
        self.tags.reserve_exact(room(tags));
        self.haystack.text.reserve_exact(room(text));
    }

    fn append<'a, 'd: 'a>(
        &mut self,
        part: &Part<'a>,
        interner: &mut Interner<'a>,
        places: &mut impl Iterator<Item = &'d Draft<'d>>,
    ) {
        let base = self.haystack.text.len() as u32;
        self.haystack.text.push_str(&part.haystack.text);
        self.haystack.ends.extend(part.haystack.ends.iter().map(|end| base + end));
        let mut tags = part.tags.iter().copied();
        for (facts, draft) in part.facts.iter().zip(places) {
            self.tags.extend(tags.by_ref().take(facts.tags).map(|tag| interner.add(tag)));
            self.tag_starts.push(self.tags.len() as u32);
            self.rows.push(Row {
                file: draft.file,
                document: draft.document,
                kind: interner.add(facts.kind),
                namespace: interner.add(facts.namespace),
                entity_type: interner.add(facts.entity_type),
                lifecycle: interner.add(facts.lifecycle),
                owner: facts.owner,
                system: facts.system,
                flags: facts.flags,
            });
        }
    }
}

fn read<'a>(drafts: &'a Drafts<'a>, graph: &Graph, chunk: &'a [Draft<'a>], first: u32) -> Part<'a> {
    let mut part = Part::default();
    let mut text = String::new();
    let owned_by = drafts.relation_number("ownedBy");
    for (id, draft) in (first..).zip(chunk) {
        let fields = EntityFields::of(ValueRef::new(draft.parsed.packed));
        let mut flags = 0;
        for (set, bit) in [
            (!draft.parsed.valid, flag::INVALID),
            (kinds::find_by_name(fields.kind).is_none(), flag::UNKNOWN_KIND),
            (is_orphan(graph, draft, id, &fields), flag::ORPHAN),
        ] {
            if set {
                flags |= bit;
            }
        }
        let before = part.tags.len();
        part.tags.extend(fields.tags());
        let owner = first_target(drafts, graph, draft, |relation, _| relation == owned_by);
        let system = system_of(drafts, graph, draft);
        text.clear();
        searched_text(&fields, graph, [owner, system], &mut text);
        if text.is_ascii() {
            text.make_ascii_lowercase();
            part.haystack.push(&text);
        } else {
            part.haystack.push(&text.to_lowercase());
        }
        part.facts.push(Facts {
            kind: fields.kind,
            namespace: fields.metadata_text("namespace").filter(|ns| !ns.is_empty()).unwrap_or("default"),
            entity_type: fields.spec_text("type"),
            lifecycle: fields.spec_text("lifecycle"),
            owner,
            system,
            flags,
            tags: part.tags.len() - before,
        });
    }
    part
}

/// The three parts of an entity, found once.
struct EntityFields<'a> {
    kind: &'a str,
    metadata: Option<Fields<'a>>,
    spec: Option<Fields<'a>>,
}

impl<'a> EntityFields<'a> {
    fn of(value: ValueRef<'a>) -> Self {
        let mut out = Self { kind: "", metadata: None, spec: None };
        for (key, value) in value.as_object().iter().flat_map(Fields::iter) {
            match key {
                "kind" => out.kind = value.as_str().unwrap_or(""),
                "metadata" => out.metadata = value.as_object(),
                "spec" => out.spec = value.as_object(),
                _ => {}
            }
        }
        out
    }

    fn metadata_text(&self, key: &str) -> Option<&'a str> {
        self.metadata?.get(key)?.as_str()
    }

    fn spec_text(&self, key: &str) -> &'a str {
        self.spec.and_then(|spec| spec.get(key)?.as_str()).unwrap_or("")
    }

    fn tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let tags = self.metadata.and_then(|metadata| metadata.get("tags")?.as_array());
        tags.into_iter()
            .flat_map(|tags| tags.iter())
            .filter_map(ValueRef::as_str)
            .filter(|tag| !tag.is_empty())
    }
}

/// Whether no relation ties an entity to another one that exists; of a server's entity, whether it says so.
fn is_orphan(graph: &Graph, draft: &Draft<'_>, id: u32, fields: &EntityFields<'_>) -> bool {
    if draft.relations.is_given() {
        let annotations = fields.metadata.and_then(|metadata| metadata.get("annotations"));
        let mark = annotations.and_then(|annotations| annotations.get("backstage.io/orphan").as_str());
        return mark == Some("true");
    }
    if fields.kind.eq_ignore_ascii_case("Location") {
        return false;
    }
    let bound = |i: u32| graph.starts.get(i as usize).copied().unwrap_or(0) as usize;
    let run = graph.edges.get(bound(id)..bound(id + 1)).unwrap_or(&[]);
    !run.iter().any(|edge| edge.target < graph.entities && edge.target != id)
}

fn first_target(
    drafts: &Drafts<'_>,
    graph: &Graph,
    draft: &Draft<'_>,
    wanted: impl Fn(u8, &str) -> bool,
) -> u32 {
    drafts
        .stated_by(draft)
        .iter()
        .zip(graph.targets_of(draft.stated.clone()))
        .find(|(stated, _)| wanted(stated.relation, split_canonical(drafts.text(stated.target)).0))
        .map_or(NONE, |(_, id)| *id)
}

/// The system an entity is part of, else its domain, else whatever it is part of.
fn system_of(drafts: &Drafts<'_>, graph: &Graph, draft: &Draft<'_>) -> u32 {
    let part_of = drafts.relation_number("partOf");
    let of_kind = |kind: &str| first_target(drafts, graph, draft, |r, k| r == part_of && k == kind);
    match of_kind("system") {
        NONE => match of_kind("domain") {
            NONE => first_target(drafts, graph, draft, |r, _| r == part_of),
            domain => domain,
        },
        system => system,
    }
}

/// Writes name, title, type, owner, system, tags and description, one to a line.
fn searched_text(fields: &EntityFields<'_>, graph: &Graph, ends: [u32; 2], out: &mut String) {
    let mut line = |text: &str| {
        // a line break inside would make two fields of one
        out.extend(
            text.trim_end()
                .split('\n')
                .enumerate()
                .flat_map(|(at, part)| [if at > 0 { " " } else { "" }, part]),
        );
        out.push('\n');
    };
    line(fields.metadata_text("name").unwrap_or(""));
    let profile = || fields.spec?.get("profile")?.get("displayName").as_str();
    line(fields.metadata_text("title").or_else(profile).unwrap_or(""));
    line(fields.spec_text("type"));
    for end in ends {
        line(if end == NONE { "" } else { split_canonical(graph.refs.get(end)).2 });
    }
    fields.tags().for_each(&mut line);
    let description = fields.metadata_text("description").unwrap_or("");
    let mut end = description.len().min(SEARCHED_DESCRIPTION);
    while !description.is_char_boundary(end) {
        end -= 1;
    }
    out.push_str(description.get(..end).unwrap_or(""));
}
