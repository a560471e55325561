//! The pods of a request, among what is watched anyway. Pure: the same state gives the same pods.

use super::pods::{Members, PodView, Problem, ProblemKind};
use super::{Of, Request};
use crate::catalog::Catalog;
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::select::{self, Scope};
use crate::kubernetes::state::{ClusterState, Phase, State, Watch};
use crate::kubernetes::{Kind, Object};
use std::collections::HashSet;
use std::sync::Arc;

/// Kinds between a workload and its pods, from the outside in.
const BETWEEN: [Kind; 2] = [Kind::Job, Kind::ReplicaSet];

/// Returns the pods of a request.
pub fn members(state: &State, catalog: Option<&Catalog>, request: &Request) -> Members {
    let is_wanted = |cluster: &ClusterState| {
        request.clusters.is_empty() || request.clusters.contains(&cluster.cluster.name)
    };
    let mut pods = Vec::new();
    let mut take = |cluster: &ClusterState, object: &Object| {
        pods.extend(PodView::from_object(&cluster.cluster.name, object).map(Arc::new));
    };
    let named: HashSet<&Arc<str>> = match &request.of {
        Of::Entity(_) => HashSet::new(),
        Of::Objects(objects) => objects.iter().map(|at| &at.cluster).collect(),
    };
    match &request.of {
        Of::Entity(entity) => {
            let found = catalog
                .map(|catalog| select::objects(state, catalog, &Scope::Entity(entity.clone()), &[Kind::Pod]));
            for found in found.into_iter().flatten().filter(|found| is_wanted(found.cluster)) {
                take(found.cluster, found.object);
            }
        }
        Of::Objects(objects) => {
            let mut seen = HashSet::new();
            for at in objects {
                let Some(cluster) = state.cluster(&at.cluster) else { continue };
                for pod in pods_of(cluster, at) {
                    if seen.insert(pod.uid.clone()) {
                        take(cluster, pod);
                    }
                }
            }
        }
    }
    let in_scope = state
        .clusters
        .iter()
        .filter(|cluster| is_wanted(cluster) && (named.is_empty() || named.contains(&cluster.cluster.name)));
    let (mut is_complete, mut problem) = (catalog.is_some() || !named.is_empty(), None);
    for cluster in in_scope {
        let (is_known, found) = knows(cluster);
        is_complete &= is_known;
        problem = worse(problem, found);
    }
    Members { pods, is_complete, problem }
}

fn worse(one: Option<Problem>, other: Option<Problem>) -> Option<Problem> {
    match (one, other) {
        (Some(one), Some(other)) if other.kind > one.kind => Some(other),
        (one, other) => one.or(other),
    }
}

/// Returns whether all is known of a cluster that can be known now, and what keeps the rest away.
fn knows(cluster: &ClusterState) -> (bool, Option<Problem>) {
    let name = &cluster.cluster.name;
    let unreachable = |cause: &str| {
        Some(Problem { kind: ProblemKind::Unreachable, says: format!("`{name}` does not answer: {cause}") })
    };
    match &cluster.phase {
        Phase::Idle | Phase::Connecting(_) => {
            let problem = cluster.cluster.connection.as_ref().err();
            return (problem.is_some(), problem.and_then(|cause| unreachable(cause)));
        }
        Phase::Down { cause, .. } => return (true, unreachable(cause)),
        Phase::Live => {}
    }
    let watch = cluster.tables.get(&Kind::Pod).map_or(&Watch::None, |table| &table.watch);
    let forbidden = |forbidden: &crate::kubernetes::state::Forbidden| {
        let says = format!("pods of `{name}` may not be listed: {}", forbidden.remedy);
        Some(Problem { kind: ProblemKind::Forbidden, says })
    };
    match watch {
        Watch::None | Watch::Loading => (false, None),
        Watch::Live | Watch::Partial { .. } | Watch::Missing => (true, None),
        Watch::Stale { cause, .. } => (true, unreachable(cause)),
        Watch::Forbidden(what) => (true, forbidden(what)),
    }
}

/// Returns the pods of an object: itself, or what it owns over jobs and replica sets.
fn pods_of<'a>(cluster: &'a ClusterState, at: &'a ObjectRef) -> Vec<&'a Object> {
    let key = (at.namespace.clone(), at.name.clone());
    let Some(object) = cluster.tables.get(&at.kind).and_then(|table| table.objects.get(&key)) else {
        return Vec::new();
    };
    if at.kind == Kind::Pod {
        return vec![object];
    }
    let mut owners: HashSet<&Arc<str>> = HashSet::from([&object.uid]);
    for kind in BETWEEN {
        let owned: Vec<_> = owned(cluster, kind, &at.namespace, &owners).map(|found| &found.uid).collect();
        owners.extend(owned);
    }
    owned(cluster, Kind::Pod, &at.namespace, &owners).collect()
}

fn owned<'a>(
    cluster: &'a ClusterState,
    kind: Kind,
    namespace: &'a Arc<str>,
    owners: &HashSet<&'a Arc<str>>,
) -> impl Iterator<Item = &'a Object> {
    let objects = cluster.tables.get(&kind).into_iter().flat_map(move |table| {
        let start = (namespace.clone(), Arc::from(""));
        table
            .objects
            .range(start..)
            .take_while(move |((own, _), _)| own == namespace)
            .map(|(_, object)| &**object)
    });
    objects.filter(move |object| object.owners.iter().any(|owner| owners.contains(&owner.uid)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::testing::state;
    use serde_json::{Value, json};

    fn owned_by(kind: &str, name: &str, uid: &str, owner: &str) -> Value {
        let owners =
            if owner.is_empty() { json!([]) } else { json!([{"kind": "X", "name": owner, "uid": owner}]) };
        json!({
            "kind": kind,
            "metadata": {"name": name, "namespace": "shop", "uid": uid, "ownerReferences": owners},
            "spec": {"containers": [{"name": "app", "image": "i"}]},
        })
    }

    #[test]
    fn a_workload_leads_to_its_pods() {
        let objects = [
            owned_by("Deployment", "web", "d", ""),
            owned_by("ReplicaSet", "web-1", "r", "d"),
            owned_by("Pod", "web-1-a", "p1", "r"),
            owned_by("Pod", "other", "p2", "x"),
            owned_by("CronJob", "tick", "c", ""),
            owned_by("Job", "tick-1", "j", "c"),
            owned_by("Pod", "tick-1-a", "p3", "j"),
        ];
        let state = state(&[("here", &objects), ("there", &objects)]);
        let at = |kind, name: &str| ObjectRef {
            cluster: "here".into(),
            kind,
            namespace: "shop".into(),
            name: name.into(),
        };
        let cases: [(Vec<ObjectRef>, &[&str]); 5] = [
            (vec![at(Kind::Deployment, "web")], &["web-1-a"]),
            (vec![at(Kind::CronJob, "tick")], &["tick-1-a"]),
            (vec![at(Kind::Pod, "other")], &["other"]),
            (vec![at(Kind::Deployment, "web"), at(Kind::Pod, "web-1-a")], &["web-1-a"]),
            (vec![at(Kind::Deployment, "gone")], &[]),
        ];
        for (of, expected) in cases {
            let request = Request { of: Of::Objects(of), ..Request::default() };
            let found = members(&state, None, &request);
            let names: Vec<&str> = found.pods.iter().map(|pod| &*pod.at.name).collect();
            assert_eq!((names.as_slice(), found.is_complete), (expected, true));
        }
    }
}
