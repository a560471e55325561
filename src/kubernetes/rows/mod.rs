//! Lists of objects: which ones a view asks for, filtered and sorted. Pure; quick enough for the screen's thread
//! up to [`FEW`] objects, on the pool above.
//!
//! Start at [`run`]: a [`Query`] over a [`State`] gives [`Rows`]. What is seen of one object with all that the
//! state knows beside it is a [`Seen`].

pub mod filter;
pub mod status;
#[cfg(test)]
mod tests;
mod tree;

pub use filter::Filter;

use super::columns::pod_status;
use super::kind::Kind;
use super::object::{Container, Facts, Object, ObjectRef, Resources, Role};
use super::select::{self, Scope};
use super::state::{ClusterState, PodUse, State};
use crate::catalog::Catalog;
use jiff::Timestamp;
use std::sync::Arc;

/// Objects that a query may look at on the screen's thread.
pub const FEW: usize = 2000;

/// What is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The objects of a kind.
    Kind(Kind),
    /// The objects of a kind that an object owns, or that a workload, service or node has.
    Of(ObjectRef, Kind),
    /// Workloads with their pods below; the ones named are folded the other way than by themselves.
    Tree(Vec<ObjectRef>),
}

/// A question for rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// What.
    pub what: What,
    /// Whose.
    pub scope: Scope,
    /// Only of these clusters; empty for all.
    pub clusters: Vec<Arc<str>>,
    /// Text in the filter language of objects.
    pub filter: String,
    /// Column to sort by.
    pub sort: Field,
    /// Largest first.
    pub is_descending: bool,
}

/// A row of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Name of its cluster.
    pub cluster: Arc<str>,
    /// The object.
    pub object: Arc<Object>,
    /// No label leads to it, but its owner.
    pub is_extra: bool,
    /// How deep in the tree.
    pub depth: u8,
    /// In the tree: whether it has rows below it, and whether they are shown.
    pub fold: Option<bool>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// The state that was looked at.
    pub state: Arc<State>,
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// Objects before the filter.
    pub total: usize,
}

/// Something that rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Field {
    /// Namespace, name, cluster.
    #[default]
    Name,
    /// Namespace.
    Namespace,
    /// Cluster.
    Cluster,
    /// Share of what is ready.
    Ready,
    /// Worst first.
    Status,
    /// Restarts.
    Restarts,
    /// Processor used.
    Cpu,
    /// Memory used.
    Memory,
    /// Processor used, of the request.
    CpuOfRequest,
    /// Processor used, of the limit.
    CpuOfLimit,
    /// Memory used, of the request.
    MemoryOfRequest,
    /// Memory used, of the limit.
    MemoryOfLimit,
    /// Node.
    Node,
    /// Youngest first.
    Age,
    /// Newest revision.
    Revision,
}

impl Row {
    /// Returns the name of its object.
    pub fn at(&self) -> ObjectRef {
        reference(&self.cluster, &self.object)
    }
}

/// Returns the name of an object of a cluster.
pub fn reference(cluster: &Arc<str>, object: &Object) -> ObjectRef {
    ObjectRef {
        cluster: cluster.clone(),
        kind: object.kind,
        namespace: object.namespace.clone(),
        name: object.name.clone(),
    }
}

/// An object with what the state knows beside it.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// Its cluster.
    pub cluster: &'a ClusterState,
    /// The object.
    pub object: &'a Object,
    /// The time that ages are counted to.
    pub now: Timestamp,
}

impl<'a> Seen<'a> {
    /// Returns how it is.
    pub fn status(&self) -> status::Status {
        status::of(self.object)
    }

    /// Returns the containers of a pod; of anything else none.
    pub fn containers(&self) -> &'a [Container] {
        match &self.object.facts {
            Facts::Pod(pod) => &pod.containers,
            _ => &[],
        }
    }

    fn lasting(&self) -> impl Iterator<Item = &'a Container> + use<'a> {
        self.containers().iter().filter(|c| matches!(c.role, Role::Main | Role::Sidecar))
    }

    /// Returns how much of it is ready, and how much is wanted.
    pub fn ready(&self) -> (u32, u32) {
        match &self.object.facts {
            Facts::Pod(_) => {
                let ready = self.lasting().filter(|c| c.ready == Some(true)).count();
                (ready as u32, self.lasting().count() as u32)
            }
            Facts::Workload(workload) => {
                (workload.ready.max(0) as u32, workload.desired.unwrap_or(1).max(0) as u32)
            }
            Facts::Job(job) => (job.succeeded.max(0) as u32, job.completions.unwrap_or(1).max(0) as u32),
            _ => (0, 0),
        }
    }

    /// Returns the restarts that kubectl counts.
    pub fn restarts(&self) -> u32 {
        match &self.object.facts {
            Facts::Pod(pod) => pod_status(self.object, pod).restarts,
            _ => 0,
        }
    }

    /// Returns when a container of it was last ended to be started again.
    pub fn last_restart(&self) -> Option<Timestamp> {
        match &self.object.facts {
            Facts::Pod(pod) => pod_status(self.object, pod).last_restart,
            _ => None,
        }
    }

    /// Returns its age in seconds.
    pub fn age(&self) -> Option<i64> {
        self.object.created.map(|created| self.now.as_second() - created.as_second())
    }

    /// Returns the node of a pod; of anything else nothing.
    pub fn node(&self) -> &'a str {
        match &self.object.facts {
            Facts::Pod(pod) => &pod.node,
            _ => "",
        }
    }

    /// Returns the images it runs.
    pub fn images(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let own = match &self.object.facts {
            Facts::Workload(workload) => &workload.images[..],
            _ => &[],
        };
        own.iter().map(|image| &**image).chain(self.containers().iter().map(|c| &*c.image))
    }

    /// Returns what it uses by metrics.k8s.io.
    pub fn metrics(&self) -> Option<&'a PodUse> {
        if !matches!(self.object.kind, Kind::Pod) {
            return None;
        }
        self.cluster.metrics.pods.get(&(self.object.namespace.clone(), self.object.name.clone()))
    }

    /// Returns what it uses now.
    pub fn used(&self) -> Option<Resources> {
        if self.object.kind == Kind::Node {
            return self.cluster.metrics.nodes.get(&self.object.name).copied();
        }
        self.metrics().map(|used| sum(used.containers.iter().map(|(_, used)| *used)))
    }

    /// Returns what it is promised and what it may use; of a node, what can be used of it.
    pub fn reserved(&self) -> (Resources, Resources) {
        if let Facts::Node(node) = &self.object.facts {
            return (node.allocatable, Resources::default());
        }
        (sum(self.lasting().map(|c| c.requests)), sum(self.lasting().map(|c| c.limits)))
    }

    /// Returns whether any text that is searched passes a test.
    pub fn any_text(&self, test: impl Fn(&str) -> bool) -> bool {
        let object = self.object;
        test(&object.name)
            || test(&object.namespace)
            || test(self.node())
            || test(&self.cluster.cluster.name)
            || test(&self.status().word)
            || self.images().any(&test)
            || matches!(&object.facts, Facts::Event(event) if test(&event.reason) || test(&event.message) || test(&event.about.1))
    }

    fn percent(&self, used: impl Fn(Resources) -> u64, of_limit: bool) -> Option<u64> {
        let (requests, limits) = self.reserved();
        percent(used(self.used()?), used(if of_limit { limits } else { requests }))
    }
}

/// Adds amounts up.
pub fn sum(parts: impl Iterator<Item = Resources>) -> Resources {
    parts.fold(Resources::default(), |a, b| Resources {
        millicores: a.millicores.saturating_add(b.millicores),
        memory: a.memory.saturating_add(b.memory),
    })
}

/// Returns a share in percent; `None` of nothing.
pub fn percent(part: u64, whole: u64) -> Option<u64> {
    (part.saturating_mul(100).saturating_add(whole / 2)).checked_div(whole)
}

/// Returns how many objects a query has to look at.
pub fn weight(state: &State, query: &Query) -> usize {
    let kinds: &[Kind] = match &query.what {
        What::Kind(kind) | What::Of(_, kind) => &[*kind],
        What::Tree(_) => tree::KINDS,
    };
    let tables = |cluster: &Arc<ClusterState>| -> usize {
        kinds.iter().filter_map(|kind| cluster.tables.get(kind)).map(|table| table.objects.len()).sum()
    };
    state.clusters.iter().map(tables).sum()
}

/// Answers a query; a filter that is not understood is the caller's to report.
pub fn run(state: &Arc<State>, catalog: &Catalog, query: &Query, filter: &Filter, now: Timestamp) -> Rows {
    let mut found = match &query.what {
        What::Tree(_) => Vec::new(),
        What::Kind(kind) => in_scope(state, catalog, query, *kind),
        What::Of(parent, kind) => children(state, parent, *kind),
    };
    if let What::Tree(turned) = &query.what {
        return tree::run(state, catalog, query, turned, filter, now);
    }
    let total = found.len();
    if !filter.is_empty() {
        found.retain(|row| seen(state, row, now).is_some_and(|seen| filter.matches(&seen)));
    }
    sort(state, &mut found, query, now);
    Rows { state: state.clone(), rows: found, total }
}

fn seen<'a>(state: &'a State, row: &'a Row, now: Timestamp) -> Option<Seen<'a>> {
    Some(Seen { cluster: state.cluster(&row.cluster)?, object: &row.object, now })
}

/// Returns the clusters that a query is about.
pub fn clusters<'a>(state: &'a State, only: &'a [Arc<str>]) -> impl Iterator<Item = &'a Arc<ClusterState>> {
    state.clusters.iter().filter(|cluster| only.is_empty() || only.contains(&cluster.cluster.name))
}

/// Returns the objects of a kind in the scope of a query.
pub(super) fn in_scope(state: &State, catalog: &Catalog, query: &Query, kind: Kind) -> Vec<Row> {
    let is_shown =
        |cluster: &ClusterState| query.clusters.is_empty() || query.clusters.contains(&cluster.cluster.name);
    let found = select::objects(state, catalog, &query.scope, &[kind]);
    let shown = found.into_iter().filter(|found| is_shown(found.cluster));
    shown
        .map(|found| Row {
            cluster: found.cluster.cluster.name.clone(),
            object: found.object.clone(),
            is_extra: found.is_extra,
            depth: 0,
            fold: None,
        })
        .collect()
}

/// Returns the objects of a kind that belong to another: owned by it, on it, selected by it.
pub fn children(state: &State, parent: &ObjectRef, kind: Kind) -> Vec<Row> {
    let Some((cluster, object)) = state.cluster(&parent.cluster).zip(state.object(parent)) else {
        return Vec::new();
    };
    let Some(table) = cluster.tables.get(&kind) else { return Vec::new() };
    let row = |child: &Arc<Object>| Row {
        cluster: parent.cluster.clone(),
        object: child.clone(),
        is_extra: false,
        depth: 0,
        fold: None,
    };
    let owns = |uid: &str, child: &Object| child.owners.iter().any(|owner| &*owner.uid == uid);
    if let Facts::Node(_) = &object.facts {
        let is_on = |child: &&Arc<Object>| matches!(&child.facts, Facts::Pod(pod) if pod.node == object.name);
        return table.objects.values().filter(is_on).map(row).collect();
    }
    let selector = match &object.facts {
        Facts::Service(service) => Some(&service.selector),
        _ => None,
    };
    let selector = selector.filter(|text| !text.is_empty());
    let selector = selector.and_then(|text| Filter::parse(&format!("-l \"{text}\"")).ok());
    // pods of a deployment are those of its replica sets, pods of a cron job those of its jobs
    let between = match (parent.kind, kind) {
        (Kind::Deployment, Kind::Pod) => Some(Kind::ReplicaSet),
        (Kind::CronJob, Kind::Pod) => Some(Kind::Job),
        _ => None,
    };
    let between: Vec<Arc<str>> = between
        .and_then(|kind| cluster.tables.get(&kind))
        .map(|table| {
            let inside = namespace(table, &parent.namespace);
            inside.filter(|child| owns(&object.uid, child)).map(|child| child.uid.clone()).collect()
        })
        .unwrap_or_default();
    let belongs = |child: &&Arc<Object>| match &selector {
        Some(filter) => filter.matches(&Seen { cluster, object: child, now: Timestamp::UNIX_EPOCH }),
        None => owns(&object.uid, child) || between.iter().any(|uid| owns(uid, child)),
    };
    namespace(table, &parent.namespace).filter(belongs).map(row).collect()
}

fn namespace<'a>(
    table: &'a super::state::Table,
    namespace: &'a Arc<str>,
) -> impl Iterator<Item = &'a Arc<Object>> {
    let from = (namespace.clone(), Arc::from(""));
    table.objects.range(from..).take_while(move |((ns, _), _)| ns == namespace).map(|(_, object)| object)
}

/// Sorts rows; equal ones by namespace, name and cluster, so that rows do not jump.
pub(super) fn sort(state: &State, rows: &mut [Row], query: &Query, now: Timestamp) {
    let by_name = |a: &Row, b: &Row| {
        let key = |row: &Row| (row.object.namespace.clone(), row.object.name.clone(), row.cluster.clone());
        key(a).cmp(&key(b))
    };
    if query.sort == Field::Name {
        rows.sort_by(|a, b| {
            let order = a.object.name.cmp(&b.object.name).then_with(|| by_name(a, b));
            if query.is_descending { order.reverse() } else { order }
        });
        return;
    }
    let mut keyed: Vec<(Key, Row)> = rows
        .iter()
        .map(|row| {
            (seen(state, row, now).map_or(Key::Number(i64::MIN), |seen| key(&seen, query.sort)), row.clone())
        })
        .collect();
    keyed.sort_by(|(a, left), (b, right)| {
        let order = if query.is_descending { b.cmp(a) } else { a.cmp(b) };
        order.then_with(|| by_name(left, right))
    });
    for (slot, (_, row)) in rows.iter_mut().zip(keyed) {
        *slot = row;
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
}

fn key(seen: &Seen<'_>, field: Field) -> Key {
    // what is most, or worst, stands first
    let most =
        |number: Option<u64>| Key::Number(number.map_or(1, |number| -(number.min(i64::MAX as u64) as i64)));
    let cpu = |used: Resources| used.millicores;
    let memory = |used: Resources| used.memory;
    match field {
        Field::Name => Key::Text(seen.object.name.to_string()),
        Field::Namespace => Key::Text(seen.object.namespace.to_string()),
        Field::Cluster => Key::Text(seen.cluster.cluster.name.to_string()),
        Field::Node => Key::Text(seen.node().to_owned()),
        Field::Ready => {
            let (ready, wanted) = seen.ready();
            Key::Number((u64::from(ready) * 1000).checked_div(u64::from(wanted)).map_or(2000, |n| n as i64))
        }
        Field::Status => {
            let status = seen.status();
            Key::Text(format!("{}{}", status.tone as u8, status.word))
        }
        Field::Restarts => most(Some(u64::from(seen.restarts()))),
        Field::Cpu => most(seen.used().map(cpu)),
        Field::Memory => most(seen.used().map(memory)),
        Field::CpuOfRequest => most(seen.percent(cpu, false)),
        Field::CpuOfLimit => most(seen.percent(cpu, true)),
        Field::MemoryOfRequest => most(seen.percent(memory, false)),
        Field::MemoryOfLimit => most(seen.percent(memory, true)),
        Field::Age => Key::Number(match &seen.object.facts {
            Facts::Event(event) => {
                let last = event.last.or(event.first).or(seen.object.created);
                last.map_or(i64::MAX, |last| seen.now.as_second() - last.as_second())
            }
            _ => seen.age().unwrap_or(i64::MAX),
        }),
        Field::Revision => match &seen.object.facts {
            Facts::Workload(workload) => most(workload.revision),
            _ => Key::Number(0),
        },
    }
}

/// Returns whether two states are the same for a query, so that its answer is, too.
pub fn is_same(a: &State, b: &State, query: &Query) -> bool {
    let kinds: &[Kind] = match &query.what {
        What::Kind(kind) | What::Of(_, kind) => &[*kind],
        What::Tree(_) => tree::KINDS,
    };
    let same_table =
        |a: &ClusterState, b: &ClusterState, kind: Kind| match (a.tables.get(&kind), b.tables.get(&kind)) {
            (Some(a), Some(b)) => Arc::ptr_eq(&a.objects, &b.objects),
            (None, None) => true,
            _ => false,
        };
    let needs_parents = matches!(query.what, What::Of(..));
    let is_by_use = !matches!(
        query.sort,
        Field::Name
            | Field::Namespace
            | Field::Cluster
            | Field::Ready
            | Field::Status
            | Field::Restarts
            | Field::Node
            | Field::Age
            | Field::Revision
    ) || query.filter.contains("cpu")
        || query.filter.contains("mem");
    a.clusters.len() == b.clusters.len()
        && a.clusters.iter().zip(b.clusters.iter()).all(|(a, b)| {
            Arc::ptr_eq(a, b)
                || (a.cluster.name == b.cluster.name
                    && !needs_parents
                    && kinds.iter().all(|kind| same_table(a, b, *kind))
                    && (!is_by_use || Arc::ptr_eq(&a.metrics.pods, &b.metrics.pods)))
        })
}
