//! How a set of objects is, in a word: workloads, pods, findings.

use super::own::{Look, RECENT};
use super::{Finding, Health, PodMark, Refused, Word, others, own, upstream};
use crate::kubernetes::columns::pod_status;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{Condition, ContainerState, Facts, Object, Pod, Role};
use crate::kubernetes::rows::status::{self, Tone};
use crate::kubernetes::select::{Binding, Found};
use crate::kubernetes::state::{ClusterState, Phase, State, Table, Watch};
use jiff::{SignedDuration, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Returns what is wrong with an object: what Backstage would say first, then what we add.
pub fn findings(found: &Found<'_>, state: &State, now: Timestamp) -> Vec<Finding> {
    let (at, object) = (found.at(), &**found.object);
    let now = now + SignedDuration::from_secs(found.cluster.clock_skew.clamp(-86_400, 86_400));
    let look = Look { cluster: found.cluster, now };
    let mut all = match &object.facts {
        Facts::Pod(pod) => upstream::of_pod(&at, pod, now),
        Facts::Workload(workload) if object.kind == Kind::Deployment => {
            upstream::of_deployment(&at, &workload.conditions)
        }
        Facts::Autoscaler(scaler) => upstream::of_autoscaler(&at, scaler).into_iter().collect(),
        _ => Vec::new(),
    };
    match &object.facts {
        Facts::Pod(pod) => all.extend(own::of_pod(&at, object, pod, look)),
        _ => all.extend(others::of_object(&at, object, state, look)),
    }
    all
}

/// Sorts as Backstage does: worst first, then by cluster and name; what is equal by all that keeps its order.
pub fn sort(findings: &mut [Arc<Finding>]) {
    findings.sort_by(|a, b| {
        let place = |finding: &Finding| (finding.object.cluster.clone(), finding.object.name.clone());
        b.severity.cmp(&a.severity).then_with(|| place(a).cmp(&place(b)))
    });
}

/// Rules about something that happened; the others tell of something that still is.
const PAST: &[&str] = &["containers-restarting", "restarted-recently", "oom-killed", "evicted", "job-failed"];

/// Returns whether a finding makes a service slow: of severity 4 or more, and not older than an hour.
pub fn is_current(finding: &Finding, now: Timestamp) -> bool {
    let is_fresh = |since: Timestamp| now.duration_since(since) <= RECENT;
    finding.severity >= 4 && (!PAST.contains(&finding.rule) || finding.since.is_some_and(is_fresh))
}

/// Returns how objects are: those of an entity, of a namespace, of everything. `bindings` say in which clusters
/// they could be; none means in all.
pub fn of(state: &State, objects: &[Found<'_>], bindings: &[&Binding], now: Timestamp) -> Health {
    let mut findings: Vec<Arc<Finding>> =
        objects.iter().flat_map(|found| self::findings(found, state, now)).map(Arc::new).collect();
    sort(&mut findings);
    let groups = groups(objects);
    let mut health = Health { findings, ..Health::default() };
    let mut clusters = BTreeSet::new();
    for found in objects {
        clusters.insert(&found.cluster.cluster.name);
        if let Facts::Pod(pod) = &found.object.facts {
            health.restarts += pod_status(found.object, pod).restarts;
        }
    }
    for group in &groups {
        health.pods.0 += group.ready;
        health.pods.1 += group.desired;
    }
    health.clusters = clusters.into_iter().cloned().collect();
    health.silent = silent(state, bindings);
    health.refused = refused(state, bindings);
    health.marks = marks(objects);
    health.word = word(&health, &groups, state, now);
    health.summary = summary(&health, objects);
    health
}

/// Most pods that are named.
const MARKS: usize = 16;

/// Returns the pods in a word each, the worst first; those that ended well say nothing.
fn marks(objects: &[Found<'_>]) -> Vec<PodMark> {
    let mark = |found: &Found<'_>| {
        let Facts::Pod(pod) = &found.object.facts else { return None };
        let (status, numbers) = (status::of(found.object), pod_status(found.object, pod));
        let ready = (numbers.ready, numbers.total);
        (status.tone != Tone::Ended).then(|| PodMark { at: found.at(), status, ready })
    };
    let mut all: Vec<PodMark> = objects.iter().filter_map(mark).collect();
    all.sort_by(|a, b| a.status.tone.cmp(&b.status.tone).then_with(|| a.at.name.cmp(&b.at.name)));
    all.truncate(MARKS);
    all
}

/// Pods that belong together: those of a workload, or one on its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Group {
    desired: u32,
    ready: u32,
    /// In a cluster that answers.
    is_answered: bool,
}

fn groups(objects: &[Found<'_>]) -> Vec<Group> {
    let known: FxHashSet<&str> = objects.iter().map(|found| &*found.object.uid).collect();
    let is_owned = |object: &Object| object.owners.iter().any(|owner| known.contains(&*owner.uid));
    let mut groups = Vec::new();
    // Pods whose workload is not among the objects stand for it.
    let mut orphans: FxHashMap<&str, Group> = FxHashMap::default();
    for found in objects {
        let object = found.object;
        let is_answered = found.cluster.phase == Phase::Live;
        match &object.facts {
            Facts::Workload(workload) if !is_owned(object) => groups.push(Group {
                desired: count(workload.desired.unwrap_or(1)),
                ready: count(workload.ready),
                is_answered,
            }),
            Facts::Pod(pod) if !is_owned(object) && is_lasting(object, pod) => {
                let owner = object.owners.first().map_or(&object.uid, |owner| &owner.uid);
                let group = orphans.entry(&**owner).or_default();
                group.desired += 1;
                group.ready += u32::from(is_ready(pod));
                group.is_answered = is_answered;
            }
            _ => {}
        }
    }
    groups.extend(orphans.into_values());
    groups
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// Returns whether a pod is meant to stay: not one of a job, not one that ended.
fn is_lasting(object: &Object, pod: &Pod) -> bool {
    let is_of_job = object.owners.iter().any(|owner| &*owner.kind == "Job");
    !is_of_job && object.deleted.is_none() && !matches!(&*pod.phase, "Succeeded" | "Failed")
}

/// Returns whether the condition `Ready` of a pod is true.
pub fn is_ready(pod: &Pod) -> bool {
    pod.conditions
        .iter()
        .any(|condition: &Condition| &*condition.name == "Ready" && &*condition.status == "True")
}

fn word(health: &Health, groups: &[Group], state: &State, now: Timestamp) -> Word {
    let answered: Vec<&Group> = groups.iter().filter(|group| group.is_answered).collect();
    if answered.iter().any(|group| group.desired > 0 && group.ready == 0) {
        return Word::Down;
    }
    let is_live = |name: &Arc<str>| state.cluster(name).is_some_and(|cluster| cluster.phase == Phase::Live);
    if !health.clusters.iter().any(is_live) {
        return Word::Unknown;
    }
    let is_lacking = answered.iter().any(|group| group.ready < group.desired);
    let is_troubled = health.findings.iter().any(|finding| is_current(finding, now));
    if is_lacking || is_troubled { Word::Slow } else { Word::Ok }
}

/// Returns the clusters in which objects could be and that do not say so.
fn silent(state: &State, bindings: &[&Binding]) -> Vec<Arc<str>> {
    let may_be =
        |name: &str| bindings.is_empty() || bindings.iter().any(|binding| binding.is_in_cluster(name));
    let clusters = state.clusters.iter().filter(|cluster| may_be(&cluster.cluster.name));
    clusters.filter(|cluster| is_silent(cluster)).map(|cluster| cluster.cluster.name.clone()).collect()
}

/// Returns whether a cluster does not say how pods are: no connection, no list yet.
pub fn is_silent(cluster: &ClusterState) -> bool {
    let watch = cluster.tables.get(&Kind::Pod).map(|table| &table.watch);
    cluster.phase != Phase::Live || matches!(watch, None | Some(Watch::None | Watch::Loading))
}

/// Returns what may not be read where the objects could be. Machines and volumes are nobody's, so they do not count.
fn refused(state: &State, bindings: &[&Binding]) -> Vec<Refused> {
    let mut all: Vec<Refused> = Vec::new();
    for cluster in state.clusters.iter().filter(|cluster| cluster.phase == Phase::Live) {
        let name = &cluster.cluster.name;
        let own: Vec<&&Binding> = bindings.iter().filter(|binding| binding.is_in_cluster(name)).collect();
        if own.is_empty() && !bindings.is_empty() {
            continue;
        }
        let is_read = |namespaces: &[Arc<str>]| {
            !own.is_empty()
                && own
                    .iter()
                    .all(|binding| binding.namespace.as_ref().is_some_and(|ns| namespaces.contains(ns)))
        };
        for is_partial in [false, true] {
            let what = |(kind, table): (&Kind, &Table)| match &table.watch {
                _ if matches!(kind, Kind::Node | Kind::PersistentVolume) => None,
                Watch::Forbidden(forbidden) if !is_partial => Some(forbidden.resource.clone()),
                Watch::Partial { namespaces, forbidden } if is_partial && !is_read(namespaces) => {
                    Some(forbidden.resource.clone())
                }
                _ => None,
            };
            let resources: Vec<String> = cluster.tables.iter().filter_map(what).collect();
            if !resources.is_empty() {
                all.push(Refused { cluster: name.clone(), resources, is_partial });
            }
        }
    }
    all
}

/// What a page has to be made again for: whether a cluster answers, tells of pods,
/// what it refuses, and what is known of pods that do not start.
pub type Answer = (bool, bool, Vec<(Kind, usize)>, usize);

/// Returns how a cluster answers.
pub fn answer(cluster: &ClusterState) -> Answer {
    let refusal = |(kind, table): (&Kind, &Table)| match &table.watch {
        Watch::Forbidden(_) => Some((*kind, 0)),
        Watch::Partial { namespaces, .. } => Some((*kind, 1 + namespaces.len())),
        _ => None,
    };
    let refusals = cluster.tables.iter().filter_map(refusal).collect();
    let blocked = Arc::as_ptr(&cluster.blocked) as usize;
    (cluster.phase == Phase::Live, is_silent(cluster), refusals, blocked)
}

/// Words that say no trouble.
const QUIET: &[&str] = &["", "Completed", "ContainerCreating", "PodInitializing", "Error"];

fn summary(health: &Health, objects: &[Found<'_>]) -> String {
    let mut parts = Vec::new();
    let (ready, wanted) = health.pods;
    let is_kept = |refused: &&Refused| {
        let are_pods = refused.resources.iter().any(|resource| resource == "pods");
        objects.is_empty() || are_pods && !refused.is_partial
    };
    let refused: Vec<&Refused> = health.refused.iter().filter(is_kept).collect();
    if wanted > 0 || ready > 0 {
        parts.push(format!("{ready}/{wanted} pods ready"));
    } else if !objects.is_empty() {
        parts.push("no pods wanted".to_owned());
    } else if health.silent.is_empty() && refused.is_empty() {
        parts.push("nothing found".to_owned());
    }
    let mut reasons: BTreeMap<&str, u32> = BTreeMap::new();
    for found in objects {
        if let Some(reason) = trouble(found.object) {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    let mut reasons: Vec<(&str, u32)> = reasons.into_iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    parts.extend(reasons.iter().take(3).map(|(reason, count)| format!("{count} {reason}")));
    parts.extend(refused.into_iter().map(not_allowed));
    if !health.silent.is_empty() {
        parts.push(format!("no answer: {}", health.silent.join(", ")));
    }
    parts.join(", ")
}

/// Resources that are named in one sentence.
const NAMED: usize = 3;

/// `not allowed in prod-eu: pods, deployments.apps and 4 more kinds`
fn not_allowed(refused: &Refused) -> String {
    let named = refused.resources.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match refused.resources.len().saturating_sub(NAMED) {
        0 => String::new(),
        1 => " and 1 more kind".to_owned(),
        more => format!(" and {more} more kinds"),
    };
    let scope = if refused.is_partial { " in some namespaces" } else { "" };
    format!("not allowed in {}: {named}{more}{scope}", refused.cluster)
}

/// Returns the word for what is wrong with an object, if a word says it.
fn trouble(object: &Object) -> Option<&str> {
    let pod = match &object.facts {
        Facts::Pod(pod) => pod,
        Facts::Job(job) => {
            let is_failed =
                |condition: &Condition| &*condition.name == "Failed" && &*condition.status == "True";
            return job.conditions.iter().any(is_failed).then_some("failed jobs");
        }
        _ => return None,
    };
    if &*pod.reason == "Evicted" {
        return Some("Evicted");
    }
    let is_unscheduled =
        |condition: &Condition| &*condition.name == "PodScheduled" && &*condition.status == "False";
    if &*pod.phase == "Pending" && pod.conditions.iter().any(is_unscheduled) {
        return Some("Unschedulable");
    }
    pod.containers.iter().filter(|container| container.role != Role::Ephemeral).find_map(|container| {
        let last = container.last.as_ref().map(|last| &*last.reason).filter(|reason| *reason == "OOMKilled");
        let reason = match &container.state {
            // What it was killed for says more than that it is started again.
            ContainerState::Waiting { reason, .. } => last.unwrap_or(reason),
            ContainerState::Terminated(ended) => &ended.reason,
            _ => "",
        };
        (!QUIET.contains(&reason)).then_some(reason)
    })
}
