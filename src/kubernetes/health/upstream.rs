//! The five rules of Backstage (kubernetes-common, *error detection*), to the letter: what they call an error, with
//! which words, how severe, how often. That they count restarts of any age is theirs; ours stand beside them.

use super::{Evidence, Finding};
use crate::kubernetes::object::{Autoscaler, Condition, Container, ContainerState, ObjectRef, Pod, Role};
use jiff::{SignedDuration, Timestamp};

/// What Backstage proposes for a finding.
#[derive(Debug, Clone, PartialEq)]
pub struct Fix {
    /// Why, in plain words.
    pub cause: String,
    /// What to do.
    pub actions: &'static [&'static str],
    /// Where it can be seen.
    pub evidence: Evidence,
    /// Page that explains it.
    pub docs: Option<&'static str>,
}

/// Finds what is wrong with a pod: rules 1 to 3, one after the other.
pub fn of_pod(at: &ObjectRef, pod: &Pod, now: Timestamp) -> Vec<Finding> {
    let statuses = statuses(pod);
    let finding = |rule, container: &Container, message: String, fix: Option<Fix>| {
        make((rule, 4), at, (Some(container), message), fix.unwrap_or_else(Fix::none))
    };
    let mut found = Vec::new();
    for container in statuses.iter().filter(|container| is_unready_for_long(container, now)) {
        let message =
            format!("The container {} failed to start properly, but is not crashing", container.name);
        let mut new =
            finding("readiness-probe-taking-too-long", container, message, Some(fix_readiness(&statuses)));
        new.since = running_since(container);
        found.push(new);
    }
    for container in &statuses {
        let ContainerState::Waiting { message: Some(message), .. } = &container.state else { continue };
        let mut new = finding("container-waiting", container, message.to_string(), fix_waiting(&statuses));
        new.since = container.last.as_ref().and_then(|last| last.finished).or(pod.started);
        found.push(new);
    }
    for container in statuses.iter().filter(|container| container.restarts > 0) {
        let message = format!("container={} restarted {} times", container.name, container.restarts);
        let mut new = finding("containers-restarting", container, message, fix_restarting(&statuses));
        new.since = container.last.as_ref().and_then(|last| last.finished);
        new.occurrences = container.restarts;
        found.push(new);
    }
    found
}

/// Finds what is wrong with a deployment: rule 4.
pub fn of_deployment(at: &ObjectRef, conditions: &[Condition]) -> Vec<Finding> {
    let failing = conditions.iter().filter(|condition| &*condition.status == "False");
    let finding = |condition: &Condition| {
        let message = condition.message.as_ref()?.to_string();
        let mut new = make(("condition-message-present", 6), at, (None, message), Fix::none());
        new.since = condition.since;
        new.cause = super::plain::condition(condition);
        Some(new)
    };
    failing.filter_map(finding).collect()
}

/// Finds what is wrong with an autoscaler: rule 5.
pub fn of_autoscaler(at: &ObjectRef, scaler: &Autoscaler) -> Option<Finding> {
    let current = scaler.current.filter(|current| *current == scaler.max)?;
    let message = format!(
        "Current number of replicas ({current}) is equal to the configured max number of replicas ({})",
        scaler.max
    );
    let mut new = make(("hpa-max-current-replicas", 8), at, (None, message), Fix::none());
    new.cause = "the autoscaler may not add pods any more, whatever the load is".to_owned();
    new.fixes = vec![
        "raise its maximum, if the nodes have room".to_owned(),
        "look for what drives the load up".to_owned(),
    ];
    new.since = scaler
        .conditions
        .iter()
        .find(|condition| &*condition.name == "ScalingLimited" && &*condition.status == "True")
        .and_then(|condition| condition.since);
    Some(new)
}

fn make(
    (rule, severity): (&'static str, u8),
    at: &ObjectRef,
    (container, message): (Option<&Container>, String),
    fix: Fix,
) -> Finding {
    Finding {
        rule,
        is_upstream: true,
        severity,
        object: at.clone(),
        container: container.map(|container| container.name.clone()),
        message,
        since: None,
        occurrences: 1,
        cause: fix.cause,
        fixes: fix.actions.iter().map(|action| (*action).to_owned()).collect(),
        evidence: fix.evidence,
        docs: fix.docs,
    }
}

/// The containers that `status.containerStatuses` tells of, in its order.
fn statuses(pod: &Pod) -> Vec<&Container> {
    let is_told = |container: &&Container| container.role == Role::Main && container.ready.is_some();
    let mut statuses: Vec<&Container> = pod.containers.iter().filter(is_told).collect();
    statuses.sort_by_key(|container| container.order);
    statuses
}

fn running_since(container: &Container) -> Option<Timestamp> {
    match container.state {
        ContainerState::Running { since } => since,
        _ => None,
    }
}

fn is_unready_for_long(container: &Container, now: Timestamp) -> bool {
    let (Some(since), Some(probe)) = (running_since(container), container.readiness) else { return false };
    let allowed =
        i64::from(probe.initial_delay) + i64::from(probe.period) * i64::from(probe.failure_threshold);
    container.ready != Some(true) && now.duration_since(since) > SignedDuration::from_secs(allowed)
}

impl Fix {
    fn none() -> Self {
        Self { cause: String::new(), actions: &[], evidence: Evidence::Events, docs: None }
    }
}

const READ_CRASH_LOGS: &[&str] = &["read the logs of the instance that crashed"];

fn fix_readiness(statuses: &[&Container]) -> Fix {
    let first = statuses.iter().find(|container| container.ready == Some(false));
    let name = first.map_or("", |container| &*container.name);
    Fix {
        cause: format!("the container {name} runs but its readiness probe does not pass"),
        actions: &["make sure that it starts locally", "look for errors in its logs from the start on"],
        evidence: Evidence::Events,
        docs: None,
    }
}

fn fix_waiting(statuses: &[&Container]) -> Option<Fix> {
    let waiting = |container: &&&Container| matches!(container.state, ContainerState::Waiting { .. });
    let name = statuses.iter().find(waiting).map_or("unknown", |container| &*container.name);
    let reasons = statuses.iter().filter_map(|container| match &container.state {
        ContainerState::Waiting { reason, .. } => Some(&**reason),
        _ => None,
    });
    let fix = match reasons.into_iter().find(|reason| !reason.is_empty())? {
        "InvalidImageName" => Fix {
            cause: "the name of an image is not a valid one".to_owned(),
            actions: &["check the name of the image"],
            evidence: Evidence::Events,
            docs: Some("https://docs.docker.com/engine/reference/commandline/tag/#extended-description"),
        },
        "ImagePullBackOff" => Fix {
            cause: "an image is not there, or the cluster may not pull it".to_owned(),
            actions: &["check name and tag of the image", "check that the cluster may pull it"],
            evidence: Evidence::Events,
            docs: Some("https://kubernetes.io/docs/concepts/containers/images/#imagepullbackoff"),
        },
        "CrashLoopBackOff" => Fix {
            cause: format!(
                "the container {name} crashed many times; it is started again after ever longer pauses"
            ),
            actions: READ_CRASH_LOGS,
            evidence: Evidence::Logs { is_previous: true },
            docs: None,
        },
        "CreateContainerConfigError" => Fix {
            cause: "configuration that the container needs is missing or wrong".to_owned(),
            actions: &[
                "check that the config maps it names exist and have the keys",
                "check that the secrets it names exist and have the keys",
            ],
            evidence: Evidence::Events,
            docs: Some("https://kubernetes.io/docs/tasks/configure-pod-container/configure-pod-configmap/"),
        },
        _ => return None,
    };
    Some(fix)
}

fn fix_restarting<'a>(statuses: &[&'a Container]) -> Option<Fix> {
    let ended = |container: &&'a Container| container.last.as_deref().map(|last| (&container.name, last));
    let (name, last) = statuses.iter().find_map(ended)?;
    match &*last.reason {
        "Unknown" | "Error" => Some(Fix {
            cause: format!("it ended with exit code {}", last.exit_code),
            actions: READ_CRASH_LOGS,
            evidence: Evidence::Logs { is_previous: true },
            docs: None,
        }),
        "OOMKilled" => Some(Fix {
            cause: format!("the container {name} used more memory than it may"),
            actions: &["give it more memory", "make sure that the program bounds its memory"],
            evidence: Evidence::Logs { is_previous: true },
            docs: Some(
                "https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/#exceed-a-container-s-memory-limit",
            ),
        }),
        _ => None,
    }
}
