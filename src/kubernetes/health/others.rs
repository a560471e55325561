//! Rules of our own for everything but pods.

use super::own::{Look, fixes, make, unready};
use super::{Evidence, Finding, plain};
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{
    Autoscaler, Condition, Facts, Job, Keys, Node, Object, ObjectRef, Volume, Workload,
};
use crate::kubernetes::state::State;
use jiff::{SignedDuration, Timestamp};

/// Finds what is wrong with an object that is no pod.
pub fn of_object(at: &ObjectRef, object: &Object, state: &State, look: Look<'_>) -> Vec<Finding> {
    match &object.facts {
        Facts::Workload(workload) => of_workload(at, workload),
        Facts::Job(job) => of_job(at, object, job, look).into_iter().collect(),
        Facts::Autoscaler(scaler) => of_autoscaler(at, scaler),
        Facts::Volume(volume) if object.kind == Kind::PersistentVolumeClaim => {
            of_claim(at, object, volume).into_iter().collect()
        }
        Facts::Node(node) => of_node(at, node),
        Facts::Keys(keys) => of_keys(at, keys, look.now).into_iter().collect(),
        Facts::Other(pairs) => of_certificate(at, pairs, state, look.now).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn find<'a>(conditions: &'a [Condition], name: &str, status: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| &*condition.name == name && &*condition.status == status)
}

fn said(condition: &Condition) -> &str {
    condition.message.as_deref().unwrap_or(&condition.reason).trim()
}

fn of_workload(at: &ObjectRef, workload: &Workload) -> Vec<Finding> {
    let mut found = Vec::new();
    let stuck = find(&workload.conditions, "Progressing", "False")
        .filter(|condition| &*condition.reason == "ProgressDeadlineExceeded");
    if let Some(condition) = stuck {
        let (desired, updated) = (workload.desired.unwrap_or(1), workload.updated);
        let mut new =
            make(at, ("rollout-stuck", 7, format!("the rollout does not get on: {}", said(condition))));
        new.cause = format!(
            "{updated} of {desired} pods are of the new version, and they do not become ready in time"
        );
        new.fixes = fixes(&["look at the newest pods", "roll back to the revision before"]);
        new.since = condition.since;
        found.push(new);
    }
    if let Some(condition) = find(&workload.conditions, "ReplicaFailure", "True") {
        let mut new =
            make(at, ("pods-not-created", 6, format!("its pods cannot be created: {}", said(condition))));
        new.cause = match said(condition) {
            text if text.contains("exceeded quota") => "the quota of the namespace is used up".to_owned(),
            text if text.contains("admission webhook") || text.contains("violates PodSecurity") => {
                "a rule of the cluster refuses such pods".to_owned()
            }
            text if text.contains("serviceaccount") => "its service account is not there".to_owned(),
            _ => "the server refuses its pods".to_owned(),
        };
        new.fixes = fixes(&["read the events of its replica set", "change the pod template, or the rule"]);
        new.since = condition.since;
        found.push(new);
    }
    let (wanted, observed) = workload.generation;
    if wanted > observed && observed > 0 {
        let mut new = make(at, ("not-observed", 3, "the last change was not taken up yet".to_owned()));
        new.cause = format!("the controller has seen generation {observed} of {wanted}");
        new.fixes = fixes(&["if it stays so, look at the cluster's controller manager"]);
        new.evidence = Evidence::Object;
        found.push(new);
    }
    found
}

fn of_job(at: &ObjectRef, object: &Object, job: &Job, look: Look<'_>) -> Option<Finding> {
    let condition = find(&job.conditions, "Failed", "True")?;
    let is_made_up_for = has_later_success(object, look);
    let severity = if is_made_up_for { 2 } else { 6 };
    let mut new = make(at, ("job-failed", severity, format!("the job failed: {}", said(condition))));
    new.cause = plain::job(&condition.reason, job.backoff_limit);
    if is_made_up_for {
        new.cause = format!("{}; a later run of the same cron job went well", new.cause);
    }
    new.fixes = fixes(&["read the logs of its pods", "run it again, or delete it"]);
    new.since = condition.since;
    new.occurrences = u32::try_from(job.failed).unwrap_or(1).max(1);
    Some(new)
}

/// Returns whether a later job of the same owner ended well.
fn has_later_success(object: &Object, look: Look<'_>) -> bool {
    let Some(owner) = object.owners.first() else { return false };
    let Some(table) = look.cluster.tables.get(&Kind::Job) else { return false };
    let start = (object.namespace.clone(), std::sync::Arc::from(""));
    table.objects.range(start..).take_while(|((namespace, _), _)| *namespace == object.namespace).any(
        |(_, other)| {
            let Facts::Job(job) = &other.facts else { return false };
            let is_kin = other.owners.first().is_some_and(|of_other| of_other.uid == owner.uid);
            is_kin && other.created > object.created && find(&job.conditions, "Complete", "True").is_some()
        },
    )
}

fn of_autoscaler(at: &ObjectRef, scaler: &Autoscaler) -> Vec<Finding> {
    let mut found = Vec::new();
    for name in ["AbleToScale", "ScalingActive"] {
        let Some(condition) = find(&scaler.conditions, name, "False") else { continue };
        // Scaled to nothing by hand: it rests, and that is meant.
        if &*condition.reason == "ScalingDisabled" {
            continue;
        }
        let mut new = make(at, ("autoscaler-cannot-scale", 5, format!("cannot scale: {}", said(condition))));
        new.cause = match &*condition.reason {
            reason if reason.starts_with("FailedGet") && reason.contains("Metric") => {
                "it gets no metrics: the pods name no requests, or the metrics server does not answer"
                    .to_owned()
            }
            "FailedGetScale" => {
                format!("what it scales is not there: {}/{}", scaler.target.0, scaler.target.1)
            }
            reason => reason.to_owned(),
        };
        new.fixes =
            fixes(&["check that its target exists and its pods name requests", "check the metrics server"]);
        new.since = condition.since;
        found.push(new);
    }
    found
}

fn of_claim(at: &ObjectRef, object: &Object, volume: &Volume) -> Option<Finding> {
    let (severity, message) = match &*volume.phase {
        "Pending" => (5, "no volume is bound to the claim"),
        "Lost" => (8, "the volume of the claim is gone"),
        _ => return None,
    };
    let mut new = make(at, ("claim-pending", severity, message.to_owned()));
    new.cause = if &*volume.phase == "Lost" {
        format!("volume {} was deleted", volume.bound)
    } else if volume.class.is_empty() {
        "it names no storage class, and no volume fits".to_owned()
    } else {
        format!("storage class {} did not make one yet; some wait for the first pod", volume.class)
    };
    new.fixes = fixes(&["read the events of the claim", "check that the storage class exists"]);
    new.since = object.created;
    Some(new)
}

fn of_node(at: &ObjectRef, node: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(condition) = unready(&node.conditions) {
        let mut new = make(at, ("node-not-ready", 8, format!("the node is not ready: {}", condition.reason)));
        said(condition).clone_into(&mut new.cause);
        new.fixes = fixes(&["look at the machine and its kubelet"]);
        new.since = condition.since;
        found.push(new);
    }
    let pressures =
        [("MemoryPressure", "memory"), ("DiskPressure", "disk"), ("PIDPressure", "process numbers")];
    for (name, what) in pressures {
        let Some(condition) = find(&node.conditions, name, "True") else { continue };
        let mut new = make(at, ("node-pressure", 5, format!("the node runs short of {what}")));
        new.cause = format!("pods may be thrown out: {}", said(condition));
        new.fixes = fixes(&["free some, or move pods to other nodes"]);
        new.since = condition.since;
        found.push(new);
    }
    found
}

fn of_keys(at: &ObjectRef, keys: &Keys, now: Timestamp) -> Option<Finding> {
    expiry(at, keys.expires?, now, "replace the certificate in the secret")
}

/// Reads the end of a cert-manager certificate; the only way where secrets are not watched.
fn of_certificate(
    at: &ObjectRef,
    pairs: &[(Box<str>, Box<str>)],
    state: &State,
    now: Timestamp,
) -> Option<Finding> {
    let Kind::Custom(place) = at.kind else { return None };
    let custom = state.custom.get(usize::from(place))?;
    if custom.group != "cert-manager.io" || custom.plural != "certificates" {
        return None;
    }
    let (_, end) = pairs.iter().find(|(key, _)| &**key == "status.notAfter")?;
    expiry(at, end.parse().ok()?, now, "look at the certificate's conditions: it should have been renewed")
}

fn expiry(at: &ObjectRef, end: Timestamp, now: Timestamp, remedy: &str) -> Option<Finding> {
    const DAY: SignedDuration = SignedDuration::from_hours(24);
    let left = end.duration_since(now);
    let days = left.as_hours() / 24;
    let (severity, message) = if left.is_negative() {
        (8, format!("the certificate ended on {}", end.strftime("%Y-%m-%d")))
    } else if left < DAY * 7 {
        (5, format!("the certificate ends in {days} days"))
    } else if left < DAY * 30 {
        (3, format!("the certificate ends in {days} days"))
    } else {
        return None;
    };
    let mut new = make(at, ("certificate-ends", severity, message));
    new.cause = format!("it is valid until {end}");
    new.fixes = vec![remedy.to_owned()];
    new.since = left.is_negative().then_some(end);
    new.evidence = Evidence::Object;
    Some(new)
}
