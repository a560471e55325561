//! Numbers for refs, and relations at both of their ends.

use super::draft::Drafts;
use crate::catalog::snapshot::{Edge, NONE, Str, Strings};
use crate::model::relation::reverse;
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

/// Refs with their numbers and relations.
#[derive(Debug)]
pub(super) struct Graph {
    /// Entities in order, then dangling targets in order.
    pub refs: Strings,
    /// How many of the refs are entities.
    pub entities: u32,
    /// Number of the target of each stated relation, beside [`Drafts::stated`].
    pub targets: Vec<u32>,
    /// Offsets into `edges`, one more than refs.
    pub starts: Vec<u32>,
    /// Relation and target, sorted by both within each run.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// Numbers everything; relations to `hidden` refs lead nowhere.
    pub(super) fn build(drafts: &Drafts<'_>, hidden: &FxHashSet<Box<str>>) -> Self {
        let size = drafts.all.iter().map(|draft| drafts.text(draft.entity_ref).len()).sum();
        let mut refs =
            Strings { text: String::with_capacity(size), ends: Vec::with_capacity(drafts.all.len()) };
        let mut ids: FxHashMap<&str, u32> =
            FxHashMap::with_capacity_and_hasher(drafts.all.len() * 5 / 4, FxBuildHasher);
        for draft in &drafts.all {
            let text = drafts.text(draft.entity_ref);
            ids.insert(text, refs.push(text));
        }
        let entities = drafts.all.len() as u32;
        let mut targets = vec![NONE; drafts.stated.len()];
        let mut dangling: Vec<&str> = Vec::new();
        for draft in &drafts.all {
            for at in draft.stated.clone() {
                let Some(stated) = drafts.stated.get(at as usize) else { continue };
                let text = drafts.text(stated.target);
                match (ids.get(text), targets.get_mut(at as usize)) {
                    (Some(id), Some(slot)) => *slot = *id,
                    _ if hidden.contains(text) => {}
                    _ => dangling.push(text),
                }
            }
        }
        if !dangling.is_empty() {
            dangling.sort_unstable();
            dangling.dedup();
            for text in dangling {
                ids.insert(text, refs.push(text));
            }
            for draft in &drafts.all {
                for at in draft.stated.clone() {
                    let (Some(stated), Some(slot)) =
                        (drafts.stated.get(at as usize), targets.get_mut(at as usize))
                    else {
                        continue;
                    };
                    if *slot == NONE {
                        *slot = ids.get(drafts.text(stated.target)).copied().unwrap_or(NONE);
                    }
                }
            }
        }
        let mut graph = Self { refs, entities, targets, starts: Vec::new(), edges: Vec::new() };
        graph.connect(drafts);
        graph
    }

    /// Puts each relation at both ends: counts per ref, places, then sorts each short run.
    fn connect(&mut self, drafts: &Drafts<'_>) {
        let opposite: Vec<u8> = std::iter::once(0)
            .chain(
                drafts
                    .names()
                    .iter()
                    .map(|name| reverse(name).map_or(0, |name| drafts.relation_number(name))),
            )
            .collect();
        let nodes = self.refs.len();
        let mut next = vec![0u32; nodes + 2];
        let mut count = |id: u32| {
            if let Some(slot) = next.get_mut(id as usize + 2) {
                *slot += 1;
            }
        };
        self.each(drafts, &opposite, |from, _, to, back| {
            count(from);
            if back != 0 {
                count(to);
            }
        });
        let mut sum = 0;
        for slot in &mut next {
            sum += *slot;
            *slot = sum;
        }
        // while placing, each slot moves from the start of its run to the end of it
        let mut placed = vec![Edge { relation: Str(0), target: 0 }; sum as usize];
        let mut place = |at: u32, relation: u8, other: u32| {
            let Some(slot) = next.get_mut(at as usize + 1) else { return };
            if let Some(edge) = placed.get_mut(*slot as usize) {
                *edge = Edge { relation: Str(u32::from(relation)), target: other };
            }
            *slot += 1;
        };
        self.each(drafts, &opposite, |from, relation, to, back| {
            place(from, relation, to);
            if back != 0 {
                place(to, back, from);
            }
        });
        self.starts = Vec::with_capacity(nodes + 1);
        self.starts.push(0);
        // each run is sorted where it is and moved up over what repeated relations leave
        let mut end_of_kept = 0;
        for bounds in next.windows(2).take(nodes) {
            let [start, end] = bounds else { continue };
            let Some(run) = placed.get_mut(*start as usize..*end as usize) else { continue };
            run.sort_unstable();
            let first = end_of_kept;
            for at in *start as usize..*end as usize {
                let Some(edge) = placed.get(at).copied() else { continue };
                if end_of_kept > first && placed.get(end_of_kept - 1) == Some(&edge) {
                    continue;
                }
                if let Some(slot) = placed.get_mut(end_of_kept) {
                    *slot = edge;
                }
                end_of_kept += 1;
            }
            self.starts.push(end_of_kept as u32);
        }
        placed.truncate(end_of_kept);
        self.edges = placed;
    }

    /// Calls `found` with each stated relation: from, number of its type, to, number of its opposite (0
    /// for types that have none).
    fn each(&self, drafts: &Drafts<'_>, opposite: &[u8], mut found: impl FnMut(u32, u8, u32, u8)) {
        for (from, draft) in (0u32..).zip(&drafts.all) {
            let targets = self.targets_of(draft.stated.clone());
            for (stated, to) in drafts.stated_by(draft).iter().zip(targets) {
                if *to != NONE && stated.relation != 0 {
                    let back = opposite.get(stated.relation as usize).copied().unwrap_or(0);
                    found(from, stated.relation, *to, back);
                }
            }
        }
    }

    /// Returns the targets of a draft, beside what it states.
    pub(super) fn targets_of(&self, run: std::ops::Range<u32>) -> &[u32] {
        self.targets.get(run.start as usize..run.end as usize).unwrap_or(&[])
    }
}
