//! Columns of pods.

use super::{AGE, CLUSTER, Cell, Column, LABELS, NAME, NAMESPACE, Row, Tone, column, number, wide, words};
use crate::kubernetes::object::{
    Condition, Container, ContainerState, Facts, Object, Pod, Resources, Role, Terminated,
};
use std::sync::Arc;

pub const COLUMNS: &[Column] = &[
    NAME,
    number("READY", 1, |row| with(row, |pod| ready(row.object, pod))),
    column("STATUS", 0, |row| with(row, |pod| status(row.object, pod))),
    number("RESTARTS", 1, |row| with(row, |pod| restarts(row, pod))),
    number("CPU", 5, |row| used(row, |used| (used.millicores, format!("{}m", used.millicores)))),
    number("%REQ", 6, |row| share(row, |pod, used| (used.millicores, requests(pod).millicores))),
    number("%LIM", 7, |row| share(row, |pod, used| (used.millicores, limits(pod).millicores))),
    number("MEMORY", 5, |row| used(row, |used| (used.memory, words::bytes(used.memory)))),
    number("%MREQ", 6, |row| share(row, |pod, used| (used.memory, requests(pod).memory))),
    number("%MLIM", 7, |row| share(row, |pod, used| (used.memory, limits(pod).memory))),
    AGE,
    column("NODE", 7, |row| with(row, |pod| Cell::text(&*pod.node))),
    NAMESPACE,
    CLUSTER,
    wide("PHASE", |row| with(row, |pod| Cell::text(&*pod.phase))),
    wide("IP", |row| with(row, |pod| Cell::text(pod.ip.as_deref().unwrap_or("")))),
    wide("CONTAINERS", |row| with(row, containers)),
    wide("IMAGES", |row| with(row, images)),
    LABELS,
];

fn with(row: &Row<'_>, cell: impl FnOnce(&Pod) -> Cell) -> Cell {
    match &row.object.facts {
        Facts::Pod(pod) => cell(pod),
        _ => Cell::text(""),
    }
}

/// What kubectl shows of a pod.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PodStatus {
    /// `Running`, `CrashLoopBackOff`, `Init:1/2`, `Terminating`.
    pub reason: String,
    /// Containers that are ready.
    pub ready: u32,
    /// Containers that should be.
    pub total: u32,
    /// Restarts of all containers that count.
    pub restarts: u32,
    /// When the last restart was.
    pub last_restart: Option<jiff::Timestamp>,
}

/// Returns the status of a pod in the words of kubectl.
pub fn pod_status(object: &Object, pod: &Pod) -> PodStatus {
    let reason = if pod.reason.is_empty() { &pod.phase } else { &pod.reason };
    let mut status = PodStatus { reason: reason.to_string(), ..PodStatus::default() };
    if let Some(gate) = pod.conditions.iter().find(|condition| &*condition.reason == "SchedulingGated") {
        status.reason = gate.reason.to_string();
    }
    status.total = count(pod.containers.iter().filter(|container| is_lasting(container)));
    let is_waiting = read_init(pod, &mut status);
    if !is_waiting || is_true(pod, "Initialized") {
        read_main(pod, &mut status);
    }
    if object.deleted.is_some() && &*pod.reason == "NodeLost" {
        "Unknown".clone_into(&mut status.reason);
    } else if object.deleted.is_some() && !matches!(&*pod.phase, "Succeeded" | "Failed") {
        "Terminating".clone_into(&mut status.reason);
    }
    status
}

fn count<'a>(containers: impl Iterator<Item = &'a Container>) -> u32 {
    u32::try_from(containers.count()).unwrap_or(u32::MAX)
}

fn is_lasting(container: &Container) -> bool {
    matches!(container.role, Role::Main | Role::Sidecar)
}

fn is_true(pod: &Pod, name: &str) -> bool {
    pod.conditions
        .iter()
        .any(|condition: &Condition| &*condition.name == name && &*condition.status == "True")
}

fn last_end(container: &Container) -> Option<jiff::Timestamp> {
    container.last.as_ref().and_then(|last| last.finished)
}

/// Reads the containers that run before the others; returns whether one of them still is what the pod waits for.
fn read_init(pod: &Pod, status: &mut PodStatus) -> bool {
    let mut inits: Vec<&Container> = pod
        .containers
        .iter()
        .filter(|container| matches!(container.role, Role::Init | Role::Sidecar))
        .collect();
    let total = inits.len();
    inits.retain(|container| container.ready.is_some());
    inits.sort_by_key(|container| container.order);
    for (at, container) in inits.into_iter().enumerate() {
        status.restarts = status.restarts.saturating_add(container.restarts);
        status.last_restart = status.last_restart.max(last_end(container));
        let word = match &container.state {
            ContainerState::Terminated(ended) if ended.exit_code == 0 => continue,
            ContainerState::Running { .. } if container.role == Role::Sidecar => {
                status.ready += u32::from(container.ready == Some(true));
                continue;
            }
            ContainerState::Terminated(ended) => ending(ended),
            ContainerState::Waiting { reason, .. } if !matches!(&**reason, "" | "PodInitializing") => {
                reason.to_string()
            }
            _ => format!("{at}/{total}"),
        };
        status.reason = format!("Init:{word}");
        return true;
    }
    false
}

fn read_main(pod: &Pod, status: &mut PodStatus) {
    let sidecars = pod.containers.iter().filter(|container| container.role == Role::Sidecar);
    status.restarts = sidecars.clone().map(|container| container.restarts).fold(0, u32::saturating_add);
    status.last_restart = sidecars.filter_map(last_end).max();
    let mut told: Vec<&Container> = pod
        .containers
        .iter()
        .filter(|container| container.role == Role::Main && container.ready.is_some())
        .collect();
    told.sort_by_key(|container| std::cmp::Reverse(container.order));
    let mut has_running = false;
    for container in told {
        status.restarts = status.restarts.saturating_add(container.restarts);
        status.last_restart = status.last_restart.max(last_end(container));
        match &container.state {
            ContainerState::Waiting { reason, .. } if !reason.is_empty() => {
                status.reason = reason.to_string();
            }
            ContainerState::Terminated(ended) => status.reason = ending(ended),
            ContainerState::Running { .. } if container.ready == Some(true) => {
                has_running = true;
                status.ready += 1;
            }
            _ => {}
        }
    }
    if status.reason == "Completed" && has_running {
        let word = if is_true(pod, "Ready") { "Running" } else { "NotReady" };
        word.clone_into(&mut status.reason);
    }
}

fn ending(ended: &Terminated) -> String {
    match ended.signal {
        _ if !ended.reason.is_empty() => ended.reason.to_string(),
        Some(signal) => format!("Signal:{signal}"),
        None => format!("ExitCode:{}", ended.exit_code),
    }
}

fn ready(object: &Object, pod: &Pod) -> Cell {
    let status = pod_status(object, pod);
    let tone = match (status.ready, status.total) {
        _ if matches!(&*pod.phase, "Succeeded") => Tone::Dim,
        (ready, total) if ready == total => Tone::Plain,
        (0, _) => Tone::Error,
        _ => Tone::Warn,
    };
    Cell::number(format!("{}/{}", status.ready, status.total), f64::from(status.ready)).tone(tone)
}

/// Reasons that pass by themselves.
const PASSING: &[&str] =
    &["Pending", "ContainerCreating", "PodInitializing", "Terminating", "NotReady", "SchedulingGated"];

fn status(object: &Object, pod: &Pod) -> Cell {
    let status = pod_status(object, pod);
    let is_counting = status
        .reason
        .strip_prefix("Init:")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let tone = match status.reason.as_str() {
        "Running" if status.ready == status.total => Tone::Ok,
        "Running" => Tone::Warn,
        "Completed" | "Succeeded" => Tone::Dim,
        reason if PASSING.contains(&reason) || is_counting => Tone::Warn,
        _ => Tone::Error,
    };
    Cell::text(status.reason).tone(tone)
}

fn restarts(row: &Row<'_>, pod: &Pod) -> Cell {
    let status = pod_status(row.object, pod);
    let ago = status.last_restart.filter(|_| status.restarts > 0);
    let text = match ago {
        Some(at) => format!("{} ({})", status.restarts, words::age(at, row.now)),
        None => status.restarts.to_string(),
    };
    let is_fresh = ago.is_some_and(|at| row.now.duration_since(at).as_hours() < 1);
    let tone = if is_fresh { Tone::Warn } else { Tone::Plain };
    Cell::number(text, f64::from(status.restarts)).tone(tone)
}

fn containers(pod: &Pod) -> Cell {
    let said: Vec<String> = pod
        .containers
        .iter()
        .map(|container| match &container.state {
            ContainerState::Waiting { reason, .. } if !reason.is_empty() => {
                format!("{}:{reason}", container.name)
            }
            ContainerState::Terminated(ended) => format!("{}:{}", container.name, ending(ended)),
            ContainerState::Running { .. } => format!("{}:OK", container.name),
            _ => container.name.to_string(),
        })
        .collect();
    Cell::text(said.join(" "))
}

fn images(pod: &Pod) -> Cell {
    let mut images: Vec<&str> =
        pod.containers.iter().filter(|container| is_lasting(container)).map(|c| &*c.image).collect();
    images.dedup();
    Cell::text(images.join(" "))
}

fn sum(pod: &Pod, of: impl Fn(&Container) -> Resources) -> Resources {
    let all = pod.containers.iter().filter(|container| is_lasting(container)).map(of);
    all.fold(Resources::default(), |sum, one| Resources {
        millicores: sum.millicores.saturating_add(one.millicores),
        memory: sum.memory.saturating_add(one.memory),
    })
}

/// What all containers of a pod are promised.
pub fn requests(pod: &Pod) -> Resources {
    sum(pod, |container| container.requests)
}

/// What all containers of a pod may use.
pub fn limits(pod: &Pod) -> Resources {
    sum(pod, |container| container.limits)
}

/// What a pod uses now, where metrics tell.
pub fn usage(row: &Row<'_>) -> Option<Resources> {
    let place: (Arc<str>, Arc<str>) = (row.object.namespace.clone(), row.object.name.clone());
    let used = row.cluster.metrics.pods.get(&place)?;
    let all = used.containers.iter().map(|(_, used)| *used);
    Some(all.fold(Resources::default(), |sum, one| Resources {
        millicores: sum.millicores.saturating_add(one.millicores),
        memory: sum.memory.saturating_add(one.memory),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "only compared with others of its column")]
fn used(row: &Row<'_>, of: impl FnOnce(Resources) -> (u64, String)) -> Cell {
    match usage(row).map(of) {
        Some((amount, text)) => Cell::number(text, amount as f64),
        None => Cell::number("-", -1.0).tone(Tone::Dim),
    }
}

/// Returns the share in percent, as Backstage rounds it: none of nothing.
pub fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (part.saturating_mul(200).saturating_add(whole)) / whole.saturating_mul(2) }
}

#[expect(clippy::cast_precision_loss, reason = "only compared with others of its column")]
fn share(row: &Row<'_>, of: impl FnOnce(&Pod, Resources) -> (u64, u64)) -> Cell {
    let (Facts::Pod(pod), Some(used)) = (&row.object.facts, usage(row)) else {
        return Cell::number("-", -1.0).tone(Tone::Dim);
    };
    let (part, whole) = of(pod, used);
    let percent = percent(part, whole);
    let tone = match percent {
        100.. => Tone::Error,
        80.. => Tone::Warn,
        _ => Tone::Plain,
    };
    Cell::number(format!("{percent}%"), percent as f64).tone(tone)
}
