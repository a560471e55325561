//! Pods: each container of the spec with its status beside it.

use super::part::{LONGEST_LIST, Part};
use super::pool::Pool;
use crate::kubernetes::object::{Container, ContainerState, Pod, Probe, Resources, Role, Terminated};
use crate::kubernetes::quantity;

pub fn pod(part: Part<'_>, pool: &Pool) -> Pod {
    let (spec, status) = (part.at("spec"), part.at("status"));
    let mut containers = Vec::new();
    for (list, statuses, role) in [
        ("initContainers", "initContainerStatuses", Role::Init),
        ("containers", "containerStatuses", Role::Main),
        ("ephemeralContainers", "ephemeralContainerStatuses", Role::Ephemeral),
    ] {
        read_containers((spec, list), (status, statuses), role, pool, &mut containers);
    }
    containers.truncate(LONGEST_LIST);
    let claims = spec.list("volumes").map(|volume| volume.at("persistentVolumeClaim"));
    Pod {
        phase: status.shared("phase", pool),
        reason: status.shared("reason", pool),
        message: status.message("message"),
        node: spec.shared("nodeName", pool),
        ip: status.at("podIP").text().map(|ip| super::cut_word(ip).into()),
        started: status.time("startTime"),
        conditions: super::conditions(status, pool),
        containers: containers.into(),
        claims: claims
            .filter(|claim| claim.is_there())
            .map(|claim| claim.shared("claimName", pool))
            .collect(),
    }
}

fn read_containers(
    (spec, list): (Part<'_>, &str),
    (status, statuses): (Part<'_>, &str),
    role: Role,
    pool: &Pool,
    into: &mut Vec<Container>,
) {
    let start = into.len();
    for part in spec.list(list) {
        let name = part.word("name");
        let stays = role == Role::Init && part.word("restartPolicy") == "Always";
        let mut known = (0_u8..).zip(status.list(statuses));
        let status = known.find(|(_, status)| status.word("name") == name).unwrap_or((u8::MAX, Part(None)));
        into.push(container(part, status, if stays { Role::Sidecar } else { role }, pool));
    }
    // A status without a spec is rare (a container that a newer server knows), but what it says counts.
    for (order, status) in (0_u8..).zip(status.list(statuses)) {
        let name = status.word("name");
        if !into.iter().skip(start).any(|known| &*known.name == name) {
            into.push(container(Part(None), (order, status), role, pool));
        }
    }
}

fn container(spec: Part<'_>, (order, status): (u8, Part<'_>), role: Role, pool: &Pool) -> Container {
    let either = |key| if spec.is_there() { spec.shared(key, pool) } else { status.shared(key, pool) };
    let resources = spec.at("resources");
    let readiness = spec.at("readinessProbe");
    Container {
        name: either("name"),
        role,
        image: either("image"),
        order,
        ready: status.is_there().then(|| status.flag("ready")),
        restarts: status.count("restartCount"),
        state: state(status.at("state"), pool),
        last: Some(status.at("lastState").at("terminated"))
            .filter(|last| last.is_there())
            .map(|last| Box::new(terminated(last, pool))),
        requests: amounts(resources.at("requests")),
        limits: amounts(resources.at("limits")),
        readiness: readiness.is_there().then(|| probe(readiness)),
        ports: spec.list("ports").filter_map(|port| self::port(port, pool)).collect(),
    }
}

fn port(part: Part<'_>, pool: &Pool) -> Option<(u16, std::sync::Arc<str>)> {
    let number = u16::try_from(part.int("containerPort")?).ok()?;
    Some((number, part.shared("name", pool)))
}

fn probe(part: Part<'_>) -> Probe {
    Probe {
        initial_delay: part.i32("initialDelaySeconds").unwrap_or_default(),
        period: part.i32("periodSeconds").unwrap_or_default(),
        failure_threshold: part.i32("failureThreshold").unwrap_or_default(),
    }
}

/// Reads amounts of `cpu` and `memory`, as in requests, limits, allocatable and use.
pub fn amounts(part: Part<'_>) -> Resources {
    let text = |key: &str| part.at(key).scalar();
    Resources {
        millicores: text("cpu").and_then(|text| quantity::millicores(&text)).unwrap_or_default(),
        memory: text("memory").and_then(|text| quantity::bytes(&text)).unwrap_or_default(),
    }
}

fn state(part: Part<'_>, pool: &Pool) -> ContainerState {
    let (waiting, running, ended) = (part.at("waiting"), part.at("running"), part.at("terminated"));
    if waiting.is_there() {
        ContainerState::Waiting {
            reason: waiting.shared("reason", pool),
            message: waiting.message("message"),
        }
    } else if ended.is_there() {
        ContainerState::Terminated(Box::new(terminated(ended, pool)))
    } else if running.is_there() {
        ContainerState::Running { since: running.time("startedAt") }
    } else {
        ContainerState::Unknown
    }
}

fn terminated(part: Part<'_>, pool: &Pool) -> Terminated {
    Terminated {
        reason: part.shared("reason", pool),
        message: part.message("message"),
        exit_code: part.i32("exitCode").unwrap_or_default(),
        signal: part.i32("signal").filter(|signal| *signal != 0),
        started: part.time("startedAt"),
        finished: part.time("finishedAt"),
    }
}
