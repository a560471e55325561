//! How an object is in a word, as kubectl prints it, and whether that is good.

use crate::kubernetes::object::{
    Container, ContainerState, Facts, Job, Object, Pod, Role, Terminated, Workload,
};
use std::borrow::Cow;

/// Whether a status is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tone {
    /// Broken.
    Bad,
    /// Not as wanted, or not yet.
    Poor,
    /// Nothing can be said.
    Unknown,
    /// As wanted.
    Good,
    /// Over, and well.
    Ended,
}

/// How an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// In a word: `Running`, `CrashLoopBackOff`, `Init:0/1`.
    pub word: Cow<'static, str>,
    /// Whether that is good.
    pub tone: Tone,
}

fn status(word: impl Into<Cow<'static, str>>, tone: Tone) -> Status {
    Status { word: word.into(), tone }
}

/// Returns how an object is.
pub fn of(object: &Object) -> Status {
    match &object.facts {
        Facts::Pod(pod) => of_pod(object, pod),
        _ if object.deleted.is_some() => status("Terminating", Tone::Poor),
        Facts::Workload(workload) => of_workload(workload),
        Facts::Job(job) => of_job(job),
        Facts::CronJob(job) if job.is_suspended => status("Suspended", Tone::Ended),
        Facts::CronJob(_) => status("Active", Tone::Good),
        Facts::Autoscaler(scaler) => match scaler.current {
            Some(current) if current >= scaler.max => status("At maximum", Tone::Poor),
            Some(_) => status("Active", Tone::Good),
            None => status("Unknown", Tone::Unknown),
        },
        Facts::Volume(volume) => match &*volume.phase {
            "Bound" | "Available" => status(volume.phase.to_string(), Tone::Good),
            "Lost" | "Failed" => status(volume.phase.to_string(), Tone::Bad),
            "" => status("Unknown", Tone::Unknown),
            _ => status(volume.phase.to_string(), Tone::Poor),
        },
        Facts::Node(node) => {
            let ready = node.conditions.iter().find(|condition| &*condition.name == "Ready");
            let (word, tone) = match ready.map(|condition| &*condition.status) {
                Some("True") => ("Ready", Tone::Good),
                Some("False") => ("NotReady", Tone::Bad),
                _ => ("Unknown", Tone::Bad),
            };
            match node.is_cordoned {
                true => status(format!("{word},SchedulingDisabled"), tone.min(Tone::Poor)),
                false => status(word, tone),
            }
        }
        Facts::Event(event) if &*event.severity == "Warning" => status("Warning", Tone::Poor),
        Facts::Service(_) | Facts::Ingress(_) | Facts::Keys(_) | Facts::Event(_) | Facts::Other(_) => {
            status("Active", Tone::Good)
        }
    }
}

fn of_workload(workload: &Workload) -> Status {
    let wanted = workload.desired.unwrap_or(1);
    let is_seen = workload.generation.1 >= workload.generation.0;
    match () {
        () if workload.is_paused => status("Paused", Tone::Poor),
        () if wanted == 0 && workload.current == 0 => status("Scaled down", Tone::Ended),
        () if workload.ready == 0 && wanted > 0 => status("Down", Tone::Bad),
        () if workload.ready < wanted => status("Degraded", Tone::Poor),
        () if !is_seen || (workload.updated < wanted && workload.updated > 0) => {
            status("Rolling out", Tone::Poor)
        }
        () => status("Ready", Tone::Good),
    }
}

fn of_job(job: &Job) -> Status {
    let is_true = |name: &str| job.conditions.iter().any(|c| &*c.name == name && &*c.status == "True");
    match () {
        () if is_true("Failed") => status("Failed", Tone::Bad),
        () if is_true("Complete") => status("Complete", Tone::Ended),
        () if job.is_suspended || is_true("Suspended") => status("Suspended", Tone::Ended),
        () if job.failed > 0 => status("Retrying", Tone::Poor),
        () if job.active > 0 => status("Running", Tone::Good),
        () => status("Pending", Tone::Poor),
    }
}

/// The status of a pod as kubectl prints it in its list.
fn of_pod(object: &Object, pod: &Pod) -> Status {
    let mut reason: Cow<'static, str> =
        if pod.reason.is_empty() { pod.phase.to_string() } else { pod.reason.to_string() }.into();
    let is_true = |name: &str| pod.conditions.iter().any(|c| &*c.name == name && &*c.status == "True");
    let starting = starting(pod);
    if let Some(word) = &starting {
        reason = word.clone().into();
    }
    if starting.is_none() || is_true("Initialized") {
        let mut has_running = false;
        for container in pod.containers.iter().rev().filter(|container| container.role == Role::Main) {
            match &container.state {
                ContainerState::Waiting { reason: why, .. } if !why.is_empty() => {
                    reason = why.to_string().into()
                }
                ContainerState::Terminated(end) => reason = ended(end).into(),
                ContainerState::Running { .. } if container.ready == Some(true) => has_running = true,
                _ => {}
            }
        }
        if reason == "Completed" && has_running {
            reason = if is_true("Ready") { "Running" } else { "NotReady" }.into();
        }
    }
    if object.deleted.is_some() {
        reason = match (&*pod.reason, &*pod.phase) {
            ("NodeLost", _) => "Unknown".into(),
            (_, "Succeeded" | "Failed") => reason,
            _ => "Terminating".into(),
        };
    }
    if reason.is_empty() {
        reason = "Unknown".into();
    }
    let tone = tone_of_pod(&reason, pod);
    Status { word: reason, tone }
}

fn tone_of_pod(reason: &str, pod: &Pod) -> Tone {
    match reason {
        "Running" => {
            let main = || pod.containers.iter().filter(|c| c.role == Role::Main || c.role == Role::Sidecar);
            if main().all(|c| c.ready == Some(true)) { Tone::Good } else { Tone::Poor }
        }
        "Completed" | "Succeeded" => Tone::Ended,
        "Pending" | "ContainerCreating" | "PodInitializing" | "Terminating" | "NotReady"
        | "SchedulingGated" => Tone::Poor,
        "Unknown" => Tone::Unknown,
        // `Init:1/2` is on its way, `Init:Error` is not
        init if init
            .strip_prefix("Init:")
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) =>
        {
            Tone::Poor
        }
        _ => Tone::Bad,
    }
}

/// The init container that is at work, as kubectl names it.
fn starting(pod: &Pod) -> Option<String> {
    let all: Vec<&Container> =
        pod.containers.iter().filter(|c| matches!(c.role, Role::Init | Role::Sidecar)).collect();
    for (at, container) in all.iter().enumerate() {
        match &container.state {
            ContainerState::Terminated(end) if end.exit_code == 0 && container.role == Role::Init => {}
            ContainerState::Running { .. } if container.role == Role::Sidecar => {}
            ContainerState::Terminated(end) => return Some(format!("Init:{}", ended(end))),
            ContainerState::Waiting { reason, .. }
                if !reason.is_empty() && &**reason != "PodInitializing" =>
            {
                return Some(format!("Init:{reason}"));
            }
            ContainerState::Unknown if container.ready.is_none() => return None,
            _ => return Some(format!("Init:{at}/{}", all.len())),
        }
    }
    None
}

fn ended(end: &Terminated) -> String {
    match (end.reason.is_empty(), end.signal) {
        (false, _) => end.reason.to_string(),
        (true, Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        _ => format!("ExitCode:{}", end.exit_code),
    }
}
