//! Workloads with their pods below.

use super::status::{self, Tone};
use super::{Field, Filter, Query, Row, Rows, in_scope, seen, sort};
use crate::catalog::Catalog;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{Facts, Object, ObjectRef};
use crate::kubernetes::state::State;
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Kinds that the tree looks at.
pub const KINDS: &[Kind] = &[
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::CronJob,
    Kind::Job,
    Kind::Pod,
];

/// Pods shown below one workload before it says how many more there are.
const MOST: usize = 50;

/// Answers a query for the tree: a workload stands there when it or a pod of it matches, with all its pods when
/// it matches itself. Broken ones are open, the others folded, unless turned.
pub fn run(
    state: &Arc<State>,
    catalog: &Catalog,
    query: &Query,
    turned: &[ObjectRef],
    filter: &Filter,
    now: Timestamp,
) -> Rows {
    let all: Vec<Row> = KINDS.iter().flat_map(|kind| in_scope(state, catalog, query, *kind)).collect();
    let known: FxHashMap<Arc<str>, usize> =
        all.iter().enumerate().map(|(at, row)| (row.object.uid.clone(), at)).collect();
    let top = |mut at: usize| {
        // an owner chain is short; a loop in it is foreign nonsense
        for _ in 0..8 {
            let owners = all.get(at).map(|row| &row.object.owners);
            let above = owners.and_then(|owners| owners.iter().find_map(|owner| known.get(&owner.uid)));
            match above.filter(|above| **above != at) {
                Some(above) => at = *above,
                None => break,
            }
        }
        at
    };
    let mut below: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    let mut roots = Vec::new();
    for (at, row) in all.iter().enumerate() {
        let root = top(at);
        if root == at {
            roots.push(at);
        } else if row.object.kind == Kind::Pod {
            below.entry(root).or_default().push(at);
        }
    }
    let matches =
        |row: &Row| filter.is_empty() || seen(state, row, now).is_some_and(|seen| filter.matches(&seen));
    // replica sets that nobody owns and that are empty say nothing
    let is_empty = |row: &Row| {
        row.object.kind == Kind::ReplicaSet
            && matches!(&row.object.facts, Facts::Workload(w) if w.desired == Some(0))
    };
    let total = roots.iter().filter_map(|at| all.get(*at)).filter(|row| !is_empty(row)).count();
    let mut shown: Vec<Row> = Vec::new();
    let mut pods_of: FxHashMap<ObjectRef, Vec<Row>> = FxHashMap::default();
    for at in roots {
        let Some(root) = all.get(at).filter(|row| !is_empty(row)) else { continue };
        let pods: Vec<&Row> = below.get(&at).into_iter().flatten().filter_map(|at| all.get(*at)).collect();
        let is_hit = matches(root);
        let pods: Vec<Row> = pods.into_iter().filter(|pod| is_hit || matches(pod)).cloned().collect();
        if !is_hit && pods.is_empty() {
            continue;
        }
        let is_broken = is_poor(&root.object) || pods.iter().any(|pod| is_poor(&pod.object));
        let is_open = !pods.is_empty() && (is_broken || !is_hit) != turned.contains(&root.at());
        let fold = (!pods.is_empty()).then_some(is_open);
        let root = Row { fold, ..root.clone() };
        if is_open {
            pods_of.insert(root.at(), pods);
        }
        shown.push(root);
    }
    sort(state, &mut shown, query, now);
    let by_name = Query { sort: Field::Name, is_descending: false, ..query.clone() };
    let mut rows = Vec::with_capacity(shown.len());
    for root in shown {
        let pods = pods_of.remove(&root.at());
        rows.push(root);
        let mut pods = pods.unwrap_or_default();
        sort(state, &mut pods, &by_name, now);
        rows.extend(pods.into_iter().take(MOST).map(|pod| Row { depth: 1, ..pod }));
    }
    Rows { state: state.clone(), rows, total }
}

fn is_poor(object: &Object) -> bool {
    matches!(status::of(object).tone, Tone::Bad | Tone::Poor)
}
