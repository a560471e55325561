//! Pods as far as readers of logs care: which containers there are, and how each is.

use super::super::object::{Container, ContainerState, Facts, Object, Role};
use super::super::{Kind, ObjectRef};
use jiff::Timestamp;
use k8s_openapi::api::core::v1 as api;
use std::sync::Arc;

/// The pods whose logs are read, at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Members {
    /// The pods.
    pub pods: Vec<Arc<PodView>>,
    /// Whether these are all: false before every cluster has answered, or while one does not.
    pub is_complete: bool,
    /// Why there are none, or not all; a sentence for people.
    pub problem: Option<Problem>,
}

/// Why pods are not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What, why and what to do, in a sentence.
    pub says: String,
}

/// What kind of problem keeps pods or logs away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// There is no such thing.
    NotFound,
    /// The cluster does not answer.
    Unreachable,
    /// We may not.
    Forbidden,
}

/// A pod.
#[derive(Debug, Clone, PartialEq)]
pub struct PodView {
    /// Which one.
    pub at: ObjectRef,
    /// Unique over time: a pod of a stateful set comes back under its name.
    pub uid: Arc<str>,
    /// `Running` …
    pub phase: Arc<str>,
    /// `Evicted` …; empty when absent.
    pub reason: Arc<str>,
    /// Why, in a sentence; empty when absent.
    pub message: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Its containers, in the order of the spec, init containers first.
    pub containers: Vec<ContainerView>,
}

/// A container.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerView {
    /// Its name.
    pub name: Arc<str>,
    /// Runs to its end before the others.
    pub is_init: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// How it is.
    pub state: RunState,
    /// How the instance before ended, in a few words; empty when there was none.
    pub last: String,
}

/// How a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Not known: nobody said yet.
    Unknown,
    /// Not started, or not again yet; why.
    Waiting(String),
    /// It runs.
    Running,
    /// It ended; how.
    Ended(String),
}

impl PodView {
    /// Takes what readers need from a trimmed object; `None` when it is no pod.
    pub fn from_object(cluster: &Arc<str>, object: &Object) -> Option<Self> {
        let Facts::Pod(pod) = &object.facts else { return None };
        Some(
            Self {
                at: ObjectRef {
                    cluster: cluster.clone(),
                    kind: Kind::Pod,
                    namespace: object.namespace.clone(),
                    name: object.name.clone(),
                },
                uid: object.uid.clone(),
                phase: pod.phase.clone(),
                reason: pod.reason.clone(),
                message: pod.message.as_deref().unwrap_or_default().to_owned(),
                created: object.created,
                containers: pod.containers.iter().map(ContainerView::from_object).collect(),
            }
            .told(),
        )
    }

    /// A pod that waits for a node says nothing about its containers.
    fn told(mut self) -> Self {
        if &*self.phase == "Pending" {
            for container in self.containers.iter_mut().filter(|c| c.state == RunState::Unknown) {
                container.state = RunState::Waiting("waits for a node".to_owned());
            }
        }
        self
    }

    /// Takes what readers need from a pod of the API.
    pub fn from_api(cluster: &Arc<str>, pod: &api::Pod) -> Self {
        let text = |text: &Option<String>| -> Arc<str> { text.as_deref().unwrap_or_default().into() };
        let empty = api::PodStatus::default();
        let status = pod.status.as_ref().unwrap_or(&empty);
        let mut containers = Vec::new();
        if let Some(spec) = &pod.spec {
            let init = spec.init_containers.iter().flatten();
            let init = init.map(|c| (&c.name, c.restart_policy.as_deref() != Some("Always")));
            let main = spec.containers.iter().map(|c| (&c.name, false));
            let extra = spec.ephemeral_containers.iter().flatten().map(|c| (&c.name, false));
            let statuses = [
                &status.init_container_statuses,
                &status.container_statuses,
                &status.ephemeral_container_statuses,
            ];
            for (name, is_init) in init.chain(main).chain(extra) {
                let found = statuses.iter().flat_map(|list| list.iter().flatten()).find(|s| s.name == *name);
                containers.push(ContainerView::from_api(name, is_init, found));
            }
        }
        Self {
            at: ObjectRef {
                cluster: cluster.clone(),
                kind: Kind::Pod,
                namespace: text(&pod.metadata.namespace),
                name: text(&pod.metadata.name),
            },
            uid: text(&pod.metadata.uid),
            phase: text(&status.phase),
            reason: text(&status.reason),
            message: status.message.clone().unwrap_or_default(),
            created: pod.metadata.creation_timestamp.as_ref().map(|time| time.0),
            containers,
        }
        .told()
    }

    /// Returns a container by name.
    pub fn container(&self, name: &str) -> Option<&ContainerView> {
        self.containers.iter().find(|container| &*container.name == name)
    }

    /// Returns why the pod is gone, after it went: evicted, completed, failed, deleted.
    pub fn farewell(&self) -> String {
        let because = if self.message.is_empty() { String::new() } else { format!(": {}", self.message) };
        match (&*self.reason, &*self.phase) {
            ("Evicted", _) => format!("evicted{because}"),
            (_, "Succeeded") => "completed".to_owned(),
            ("", "Failed") => format!("failed{because}"),
            (reason, "Failed") => format!("failed: {reason}{because}"),
            _ => "deleted".to_owned(),
        }
    }

    /// Says that a container has no instance before, and where the pod is over, how it ended: that is what whoever
    /// asks for it looks for.
    pub fn without_previous(&self) -> String {
        self.because("there is no instance before this one".to_owned())
    }

    /// Adds to why something cannot be read how the pod ended, where it did not end well.
    pub fn because(&self, why: String) -> String {
        if &*self.phase == "Failed" { format!("{why}; the pod ended: {}", self.farewell()) } else { why }
    }

    /// Returns whether none of its containers will run again.
    pub fn is_over(&self) -> bool {
        matches!(&*self.phase, "Succeeded" | "Failed")
    }
}

impl ContainerView {
    fn from_object(container: &Container) -> Self {
        let ended = |t: &super::super::object::Terminated| how(&t.reason, t.exit_code, t.signal);
        Self {
            name: container.name.clone(),
            is_init: container.role == Role::Init,
            restarts: container.restarts,
            state: match &container.state {
                ContainerState::Unknown => RunState::Unknown,
                ContainerState::Waiting { reason, message } => {
                    RunState::Waiting(waiting(reason, message.as_deref()))
                }
                ContainerState::Running { .. } => RunState::Running,
                ContainerState::Terminated(terminated) => RunState::Ended(ended(terminated)),
            },
            last: container.last.as_deref().map_or_else(String::new, ended),
        }
    }

    fn from_api(name: &str, is_init: bool, status: Option<&api::ContainerStatus>) -> Self {
        let ended = |t: &api::ContainerStateTerminated| {
            how(t.reason.as_deref().unwrap_or_default(), t.exit_code, t.signal)
        };
        let state = status.and_then(|status| status.state.as_ref());
        let last = status.and_then(|status| status.last_state.as_ref()?.terminated.as_ref());
        let state = match state {
            Some(state) if state.running.is_some() => RunState::Running,
            Some(api::ContainerState { terminated: Some(terminated), .. }) => {
                RunState::Ended(ended(terminated))
            }
            Some(api::ContainerState { waiting: Some(found), .. }) => RunState::Waiting(waiting(
                found.reason.as_deref().unwrap_or_default(),
                found.message.as_deref(),
            )),
            _ => RunState::Unknown,
        };
        let restarts = status.map_or(0, |status| u32::try_from(status.restart_count).unwrap_or(0));
        Self { name: name.into(), is_init, restarts, state, last: last.map_or_else(String::new, ended) }
    }

    /// Returns whether there is anything to read: an instance ran or runs.
    pub fn has_started(&self) -> bool {
        match self.state {
            RunState::Running | RunState::Ended(_) | RunState::Unknown => true,
            RunState::Waiting(_) => self.restarts > 0 || !self.last.is_empty(),
        }
    }
}

fn waiting(reason: &str, message: Option<&str>) -> String {
    match message {
        Some(message) if !reason.is_empty() => format!("{reason}: {message}"),
        Some(message) => message.to_owned(),
        None if reason.is_empty() => "not started yet".to_owned(),
        None => reason.to_owned(),
    }
}

/// `completed`, `OOMKilled, exit code 137`.
fn how(reason: &str, exit_code: i32, signal: Option<i32>) -> String {
    match (reason, exit_code) {
        ("Completed" | "", 0) => "completed".to_owned(),
        ("", code) => signal.map_or_else(|| format!("exit code {code}"), |signal| format!("signal {signal}")),
        (reason, code) => format!("{reason}, exit code {code}"),
    }
}
