//! Gives refs new numbers when some come or go: all columns move as they are, in long runs.
//!
//! Start at [`renumber`]. Numbers are in the order of refs, entities before those that nobody describes, so that
//! one ref more moves all behind it.

use super::patch::starts_of;
use crate::catalog::cache::column::{Column, Texts};
use crate::catalog::snapshot::{Catalog, EntityId, NONE, NameOrder, Row, Str};
use crate::model::entity_ref::split_canonical;
use bytemuck::Pod;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Refs that come and go.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    /// Described from now on; named before or not.
    pub added: BTreeSet<String>,
    /// Not described any more; still named, as far as is known here.
    pub removed: BTreeSet<String>,
    /// Named for the first time, and not described.
    pub named: BTreeSet<String>,
    /// Numbers of refs that are neither described nor named any more.
    pub dropped: BTreeSet<u32>,
}

impl Nodes {
    fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.named.is_empty() && self.dropped.is_empty()
    }
}

/// A part of the new order.
#[derive(Debug, Clone)]
enum Step {
    /// Refs as they were, by their old numbers.
    Keep(Range<u32>),
    /// A ref that was not there.
    New(String),
}

/// The new order.
struct Order {
    steps: Vec<Step>,
    /// How many of the steps are entities.
    entity_steps: usize,
}

/// Makes a snapshot of the same entities with room for those that come, which have no columns yet.
pub(super) fn renumber(before: &Catalog, nodes: &Nodes) -> Catalog {
    if nodes.is_empty() {
        return before.clone();
    }
    let order = Order::of(before, nodes);
    let map = order.map(before.node_count());
    let to = |id: u32| map.get(id as usize).copied().unwrap_or(NONE);
    let mut out = before.clone();
    let (text, ends) =
        moved(&before.refs.text, &before.refs.ends, &order.steps, |new| new.as_bytes().to_vec());
    out.refs = Texts { text: text.into(), ends: ends.into() };
    let entities = order.steps.get(..order.entity_steps).unwrap_or(&[]);
    out.rows = rows(before, entities, to).into();
    let (tags, ends) = moved(&before.tags, tail(&before.tag_starts), entities, |_| Vec::<Str>::new());
    (out.tags, out.tag_starts) = (tags.into(), starts_of(&ends).into());
    let (text, ends) = moved(&before.haystack.text, &before.haystack.ends, entities, |_| Vec::new());
    out.haystack = Texts { text: text.into(), ends: ends.into() };
    let (mut edges, ends) = moved(&before.edges, tail(&before.edge_starts), &order.steps, |_| Vec::new());
    for edge in &mut edges {
        edge.target = to(edge.target);
    }
    let starts = starts_of(&ends);
    // one that came to be described is not where it was among the others
    for bounds in starts.windows(2) {
        let [start, end] = bounds else { continue };
        if let Some(run) = edges.get_mut(*start as usize..*end as usize).filter(|run| !run.is_sorted()) {
            run.sort_unstable();
        }
    }
    (out.edges, out.edge_starts) = (edges.into(), starts.into());
    // whoever changes a snapshot tells anew what is wrong in it
    out.problems = Column::default();
    out.by_name = by_name(before, &out, nodes, to);
    out
}

fn tail(starts: &[u32]) -> &[u32] {
    starts.get(1..).unwrap_or(&[])
}

impl Order {
    fn of(before: &Catalog, nodes: &Nodes) -> Self {
        let entities = before.len() as u32;
        let old = |text: &String| before.find(text).map(|id| id.0);
        let keep = |id: u32| Step::Keep(id..id + 1);
        let added = nodes.added.iter().map(|text| (text, old(text)));
        let into_entities: BTreeMap<&String, Step> = added
            .clone()
            .map(|(text, id)| (text, id.map_or_else(|| Step::New(text.clone()), keep)))
            .collect();
        let removed = nodes.removed.iter().filter_map(|text| Some((text, old(text)?)));
        let mut into_missing: BTreeMap<&String, Step> =
            removed.clone().map(|(text, id)| (text, keep(id))).collect();
        into_missing.extend(nodes.named.iter().map(|text| (text, Step::New(text.clone()))));
        let gone: BTreeSet<u32> = removed
            .map(|(_, id)| id)
            .chain(added.filter_map(|(_, id)| id))
            .chain(nodes.dropped.iter().copied())
            .collect();
        let mut steps = Vec::new();
        arrange(before, 0..entities, &gone, &into_entities, &mut steps);
        let entity_steps = steps.len();
        arrange(before, entities..before.node_count() as u32, &gone, &into_missing, &mut steps);
        Self { steps, entity_steps }
    }

    /// Returns the new number of each old one.
    fn map(&self, old: usize) -> Vec<u32> {
        let mut map = vec![NONE; old];
        let mut next = 0;
        for step in &self.steps {
            let Step::Keep(range) = step else {
                next += 1;
                continue;
            };
            for slot in map.get_mut(range.start as usize..range.end as usize).into_iter().flatten() {
                *slot = next;
                next += 1;
            }
        }
        map
    }
}

/// Arranges a part of the old order without those that go, and with those that come in their places.
fn arrange(
    before: &Catalog,
    range: Range<u32>,
    gone: &BTreeSet<u32>,
    new: &BTreeMap<&String, Step>,
    out: &mut Vec<Step>,
) {
    // where something happens, in order: new ones come before the old one at their place
    let mut events: Vec<(u32, Option<&Step>)> = Vec::new();
    let mut from = range.start;
    for (text, step) in new {
        let (mut low, mut high) = (from, range.end);
        while low < high {
            let middle = u32::midpoint(low, high);
            if before.refs.get(middle) < text.as_str() { low = middle + 1 } else { high = middle }
        }
        from = low;
        events.push((low, Some(step)));
    }
    events.extend(gone.range(range.clone()).map(|id| (*id, None)));
    events.sort_by_key(|(at, step)| (*at, step.is_none()));
    let mut done = range.start;
    for (at, step) in events {
        if done < at {
            out.push(Step::Keep(done..at));
            done = at;
        }
        match step {
            Some(step) => out.push(step.clone()),
            None => done = at + 1,
        }
    }
    if done < range.end {
        out.push(Step::Keep(done..range.end));
    }
}

fn rows(before: &Catalog, steps: &[Step], to: impl Fn(u32) -> u32) -> Vec<Row> {
    let empty = Row {
        file: NONE,
        document: 0,
        kind: Str(0),
        namespace: Str(0),
        entity_type: Str(0),
        lifecycle: Str(0),
        owner: NONE,
        system: NONE,
        flags: 0,
    };
    let mut out = Vec::with_capacity(before.len() + steps.len());
    for step in steps {
        match step {
            Step::Keep(range) => match before.rows.get(range.start as usize..range.end as usize) {
                Some(rows) => out.extend_from_slice(rows),
                None => out.push(empty),
            },
            Step::New(_) => out.push(empty),
        }
    }
    for row in &mut out {
        (row.owner, row.system) = (to(row.owner), to(row.system));
    }
    out
}

/// Moves runs of items into the new order; those of refs that had none are empty.
fn moved<T: Pod>(
    items: &[T],
    ends: &[u32],
    steps: &[Step],
    new: impl Fn(&str) -> Vec<T>,
) -> (Vec<T>, Vec<u32>) {
    let (mut out, mut new_ends) = (Vec::with_capacity(items.len() + 64), Vec::with_capacity(ends.len() + 64));
    for step in steps {
        match step {
            Step::Keep(range) => {
                let base = out.len();
                let (from, to) = (range.start as usize, range.end as usize);
                let Some(own) = ends.get(from..to) else {
                    new_ends.push(base as u32);
                    continue;
                };
                let start =
                    from.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0) as usize;
                let end = own.last().map_or(start, |end| *end as usize);
                out.extend_from_slice(items.get(start..end).unwrap_or(&[]));
                new_ends.extend(own.iter().map(|end| ((*end as usize).saturating_sub(start) + base) as u32));
            }
            Step::New(text) => {
                out.extend(new(text));
                new_ends.push(out.len() as u32);
            }
        }
    }
    (out, new_ends)
}

/// Moves the order of names along, if it is known.
fn by_name(before: &Catalog, now: &Catalog, nodes: &Nodes, to: impl Fn(u32) -> u32) -> NameOrder {
    let Some(old) = before.by_name.known() else { return NameOrder::default() };
    let total = now.len() as u32;
    let key = |id: u32| (split_canonical(now.ref_of(EntityId(id))).2, id);
    let mut new: Vec<u32> = nodes.added.iter().filter_map(|text| now.find(text)).map(|id| id.0).collect();
    new.sort_unstable_by_key(|id| key(*id));
    let kept: Vec<u32> = old.iter().map(|id| to(*id)).filter(|id| *id < total).collect();
    let mut out = Vec::with_capacity(now.len());
    let mut done = 0;
    for id in new {
        let at = kept.partition_point(|kept| key(*kept) < key(id));
        out.extend_from_slice(kept.get(done..at).unwrap_or(&[]));
        out.push(id);
        done = at;
    }
    out.extend_from_slice(kept.get(done..).unwrap_or(&[]));
    Column::from(out).into()
}
