//! How an object is in a word, as kubectl prints it, and whether that is good.

use crate::kubernetes::columns::pod_status;
use crate::kubernetes::object::{Facts, Job, Object, Pod, Role, Workload};
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
            if node.is_cordoned {
                status(format!("{word},SchedulingDisabled"), tone.min(Tone::Poor))
            } else {
                status(word, tone)
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
    let mut reason = pod_status(object, pod).reason;
    if reason.is_empty() {
        "Unknown".clone_into(&mut reason);
    }
    let tone = tone_of_pod(&reason, pod);
    Status { word: reason.into(), tone }
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
