//! Rules of our own for pods: what the rules of Backstage do not see, or see without its cause.

use super::{Evidence, Finding, plain};
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{
    Condition, Container, ContainerState, Facts, Object, ObjectRef, Pod, Role, Terminated,
};
use crate::kubernetes::starting;
use crate::kubernetes::state::ClusterState;
use jiff::{SignedDuration, Timestamp};

/// What the rules look at beside the object.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// The cluster.
    pub cluster: &'a ClusterState,
    /// Now, by the clock of the cluster.
    pub now: Timestamp,
}

/// What [`make`] takes: rule, severity, message.
type What = (&'static str, u8, String);

/// Makes a finding of ours.
pub fn make(at: &ObjectRef, (rule, severity, message): What) -> Finding {
    Finding {
        rule,
        is_upstream: false,
        severity,
        object: at.clone(),
        container: None,
        message,
        since: None,
        occurrences: 1,
        cause: String::new(),
        fixes: Vec::new(),
        evidence: Evidence::Events,
        docs: None,
    }
}

/// Fills what to do.
pub fn fixes(list: &[&str]) -> Vec<String> {
    list.iter().map(|fix| (*fix).to_owned()).collect()
}

/// Finds what is wrong with a pod.
pub fn of_pod(at: &ObjectRef, object: &Object, pod: &Pod, look: Look<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(unschedulable(at, pod));
    found.extend(not_starting(at, object, pod, look));
    found.extend(evicted(at, pod));
    found.extend(stuck_terminating(at, object, look.now));
    found.extend(node_gone(at, pod, look.cluster));
    for container in &pod.containers {
        found.extend(image(at, container, pod));
        found.extend(init_failing(at, container, pod));
        found.extend(out_of_memory(at, object, container, look));
        found.extend(restarted(at, container, look.now));
    }
    found
}

fn about(container: &Container, mut finding: Finding) -> Finding {
    finding.container = Some(container.name.clone());
    finding
}

/// Reasons for which a container waits for its image.
const IMAGE_REASONS: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

fn image(at: &ObjectRef, container: &Container, pod: &Pod) -> Option<Finding> {
    let ContainerState::Waiting { reason, message } = &container.state else { return None };
    if !IMAGE_REASONS.contains(&&**reason) {
        return None;
    }
    let message = message.as_deref().unwrap_or_default();
    let mut new =
        make(at, ("image-pull", 6, format!("image {} cannot be pulled: {reason}", container.image)));
    // While it backs off the puller's answer is not told any more; the events have it.
    new.cause = if &**reason == "ImagePullBackOff" && !message.contains("rpc error") {
        "the image is not there, or the cluster may not pull it".to_owned()
    } else {
        plain::image(reason, message)
    };
    new.fixes = fixes(&[
        "check registry, name and tag of the image",
        "if it is private, name a pull secret in the pod or its service account",
    ]);
    new.since = pod.started;
    Some(about(container, new))
}

fn init_failing(at: &ObjectRef, container: &Container, pod: &Pod) -> Option<Finding> {
    if !matches!(container.role, Role::Init | Role::Sidecar) {
        return None;
    }
    let (message, ended, is_previous) = match &container.state {
        ContainerState::Waiting { reason, .. } if is_failure(reason) => (
            format!("init container {} does not get on: {reason}", container.name),
            container.last.as_deref(),
            true,
        ),
        ContainerState::Terminated(ended) if ended.exit_code != 0 => {
            (format!("init container {} failed: {}", container.name, ending(ended)), Some(&**ended), false)
        }
        _ => return None,
    };
    let mut new = make(at, ("init-container-failing", 6, message));
    new.cause = ended.map_or_else(String::new, |ended| {
        let said = ended.message.as_deref().map(|said| format!(": {}", said.trim())).unwrap_or_default();
        format!(
            "it ended with {}{said}; the containers after it do not start",
            plain::exit(ended.exit_code, ended.signal)
        )
    });
    if new.cause.is_empty() {
        "the containers after it do not start".clone_into(&mut new.cause);
    }
    new.fixes = fixes(&["read its logs", "check what it needs: addresses, secrets, migrations"]);
    new.since = ended.and_then(|ended| ended.finished).or(pod.started);
    new.occurrences = container.restarts.max(1);
    let has_run = ended.is_some();
    new.evidence = if has_run { Evidence::Logs { is_previous } } else { Evidence::Events };
    Some(about(container, new))
}

/// Returns whether a reason to wait is a failure that is not about the image; the image has a rule of its own.
fn is_failure(reason: &str) -> bool {
    let is_usual = matches!(reason, "" | "PodInitializing" | "ContainerCreating");
    !is_usual && !IMAGE_REASONS.contains(&reason)
}

fn ending(ended: &Terminated) -> String {
    if ended.reason.is_empty() || &*ended.reason == "Error" {
        plain::exit(ended.exit_code, ended.signal)
    } else {
        format!("{}, {}", ended.reason, plain::exit(ended.exit_code, ended.signal))
    }
}

fn unschedulable(at: &ObjectRef, pod: &Pod) -> Option<Finding> {
    let is_waiting =
        |condition: &&Condition| &*condition.name == "PodScheduled" && &*condition.status == "False";
    let condition =
        pod.conditions.iter().find(is_waiting).filter(|_| matches!(&*pod.phase, "Pending" | ""))?;
    let said = condition.message.as_deref().unwrap_or_default();
    if &*condition.reason == "SchedulingGated" {
        return None;
    }
    let cause = plain::unschedulable(said);
    let mut new = make(at, ("unschedulable", 6, "no node takes the pod".to_owned()));
    new.fixes = remedies(said);
    if !cause.is_empty() {
        new.message = format!("no node takes the pod: {said}");
        new.cause = cause;
    }
    new.since = condition.since;
    Some(new)
}

/// How long containers may take to be made when nothing says why.
const SLOW_START: SignedDuration = SignedDuration::from_mins(5);

/// A pod that has a node but no containers: events tell why, or nobody does.
fn not_starting(at: &ObjectRef, object: &Object, pod: &Pod, look: Look<'_>) -> Option<Finding> {
    let since = starting::waits_since(object, pod)?;
    let Some(blocked) = look.cluster.blocked.get(&object.uid) else {
        if look.now.duration_since(since) < SLOW_START {
            return None;
        }
        let mut new = make(at, ("not-starting", 4, "its containers are still not made".to_owned()));
        new.cause = format!("node {} has the pod but did not make its containers yet", pod.node);
        new.fixes = fixes(&["read the events of the pod", "look at its node"]);
        new.since = Some(since);
        return Some(new);
    };
    let mut new = make(at, ("not-starting", 6, format!("the pod does not start: {}", blocked.reason)));
    let (lead, remedy) = match &*blocked.reason {
        "FailedCreatePodSandBox" | "NetworkNotReady" => {
            ("its sandbox and network cannot be made", "look at the network plugin and runtime of its node")
        }
        "FailedMount" | "FailedAttachVolume" | "FailedMapVolume" => (
            "a volume cannot be mounted",
            "check that the config maps, secrets and claims it mounts are there, and free",
        ),
        _ => ("its node says", "read the events of the pod"),
    };
    new.cause = format!("{lead}: {}", blocked.message.trim());
    new.fixes = fixes(&[remedy]);
    new.since = blocked.since.or(Some(since));
    new.occurrences = blocked.count;
    Some(new)
}

fn remedies(said: &str) -> Vec<String> {
    let cases: [(&str, &str); 6] = [
        ("Insufficient", "ask for less, or add nodes"),
        ("taint", "let the pod tolerate the taint, or use other nodes"),
        ("unschedulable", "let the nodes take pods again (`kubectl uncordon`)"),
        ("affinity", "check node selector and affinity against the labels of the nodes"),
        ("selector", "check node selector and affinity against the labels of the nodes"),
        ("olume", "check its volume claims"),
    ];
    let mut found: Vec<String> = Vec::new();
    for (word, remedy) in cases {
        if said.contains(word) && !found.iter().any(|known| known == remedy) {
            found.push(remedy.to_owned());
        }
    }
    if found.is_empty() {
        found.push("read the events of the pod".to_owned());
    }
    found
}

fn evicted(at: &ObjectRef, pod: &Pod) -> Option<Finding> {
    if &*pod.phase != "Failed" || &*pod.reason != "Evicted" {
        return None;
    }
    let said = pod.message.as_deref().unwrap_or("the node ran short of something");
    let mut new = make(at, ("evicted", 5, format!("evicted: {}", said.trim())));
    new.cause = "the node ran short of memory, disk or processes and threw the pod out".to_owned();
    new.fixes =
        fixes(&["name requests that fit what it uses", "look at the node's conditions", "delete the pod"]);
    let ended = pod.containers.iter().filter_map(|container| match &container.state {
        ContainerState::Terminated(ended) => ended.finished,
        _ => None,
    });
    new.since = ended
        .max()
        .or_else(|| pod.conditions.iter().filter_map(|condition| condition.since).max())
        .or(pod.started);
    new.evidence = Evidence::Object;
    Some(new)
}

/// How long a pod may take to go after the time it was given.
const LATE: SignedDuration = SignedDuration::from_mins(5);

fn stuck_terminating(at: &ObjectRef, object: &Object, now: Timestamp) -> Option<Finding> {
    // The time of deletion is the one at which it should be gone.
    let due = object.deleted.filter(|due| now.duration_since(*due) > LATE)?;
    let mut new = make(at, ("stuck-terminating", 4, "the pod should be gone but is not".to_owned()));
    new.cause = "its node does not confirm the end, or a finalizer holds it".to_owned();
    new.fixes = fixes(&["look at its node", "look for finalizers in its YAML"]);
    new.since = Some(due);
    new.evidence = Evidence::Object;
    Some(new)
}

/// Returns the condition of a node that keeps it from being ready.
pub fn unready(conditions: &[Condition]) -> Option<&Condition> {
    conditions.iter().find(|condition| &*condition.name == "Ready" && &*condition.status != "True")
}

fn node_gone(at: &ObjectRef, pod: &Pod, cluster: &ClusterState) -> Option<Finding> {
    let is_done = matches!(&*pod.phase, "Succeeded" | "Failed");
    let table = cluster.tables.get(&Kind::Node).filter(|_| !is_done && !pod.node.is_empty())?;
    let node = table.objects.get(&("".into(), pod.node.clone()))?;
    let Facts::Node(facts) = &node.facts else { return None };
    let condition = unready(&facts.conditions)?;
    let mut new =
        make(at, ("node-not-ready", 7, format!("its node {} is not ready: {}", pod.node, condition.reason)));
    new.cause = condition.message.as_deref().unwrap_or("the node does not report").to_owned();
    new.fixes = fixes(&["look at the node", "delete the pod, so that it is started elsewhere"]);
    new.since = condition.since;
    new.evidence = Evidence::Object;
    Some(new)
}

/// How the container ended last: now, or before the instance that runs.
fn last_end(container: &Container) -> Option<&Terminated> {
    match &container.state {
        ContainerState::Terminated(ended) => Some(ended),
        _ => container.last.as_deref(),
    }
}

fn out_of_memory(at: &ObjectRef, object: &Object, container: &Container, look: Look<'_>) -> Option<Finding> {
    let ended = last_end(container).filter(|ended| &*ended.reason == "OOMKilled")?;
    let limit = container.limits.memory;
    let said = if limit == 0 {
        "it has no limit of its own".to_owned()
    } else {
        format!("its limit is {}", plain::bytes(limit))
    };
    let mut new = make(
        at,
        ("oom-killed", 6, format!("container {} was killed for its memory: {said}", container.name)),
    );
    new.cause = match (limit, peak(object, look.cluster)) {
        (0, _) => "the node ran out of memory, and the container used much of it".to_owned(),
        (_, Some(peak)) => {
            format!("it wanted more than it may; the pod was seen at {} at most", plain::bytes(peak))
        }
        (_, None) => "it wanted more memory than it may have".to_owned(),
    };
    new.fixes = fixes(&["raise its memory limit", "bound the memory of the program"]);
    new.since = ended.finished;
    new.occurrences = container.restarts.max(1);
    let is_previous = !matches!(container.state, ContainerState::Terminated(_));
    new.evidence = Evidence::Logs { is_previous };
    Some(about(container, new))
}

/// The most memory that a pod was seen with.
fn peak(object: &Object, cluster: &ClusterState) -> Option<u64> {
    let used = cluster.metrics.pods.get(&(object.namespace.clone(), object.name.clone()))?;
    let now: u64 = used.containers.iter().map(|(_, used)| used.memory).sum();
    used.history.iter().map(|used| used.memory).chain([now]).max().filter(|peak| *peak > 0)
}

/// Restarts are told when they are not older than this.
pub const RECENT: SignedDuration = SignedDuration::from_hours(1);

fn restarted(at: &ObjectRef, container: &Container, now: Timestamp) -> Option<Finding> {
    let last = container.last.as_deref().filter(|_| container.restarts > 0)?;
    let finished = last.finished.filter(|finished| now.duration_since(*finished) <= RECENT)?;
    // Memory has a rule of its own, and so have init containers.
    if &*last.reason == "OOMKilled" || container.role == Role::Init {
        return None;
    }
    let message = format!("container {} restarted within the last hour: {}", container.name, ending(last));
    let mut new = make(at, ("restarted-recently", 5, message));
    new.cause = match last.exit_code {
        0 => "it ended by itself although it should go on".to_owned(),
        _ => last.message.as_deref().map(|said| said.trim().to_owned()).unwrap_or_default(),
    };
    if new.cause.is_empty() {
        new.cause = format!("it ended with {}", plain::exit(last.exit_code, last.signal));
    }
    new.fixes = fixes(&["read the logs of the instance that ended"]);
    new.since = Some(finished);
    new.occurrences = container.restarts;
    new.evidence = Evidence::Logs { is_previous: true };
    Some(about(container, new))
}
