//! Columns of what runs nothing.

use super::{AGE, CLUSTER, Cell, Column, LABELS, NAME, NAMESPACE, Row, Tone, column, number, since, wide};
use crate::kubernetes::object::{Event, Facts, Ingress, Keys, Node, Service, Volume, Workload};

pub const SERVICE: &[Column] = &[
    NAME,
    column("TYPE", 1, |row| service(row, |service| Cell::text(&*service.kind))),
    column("CLUSTER-IP", 4, |row| service(row, |service| Cell::text(&*service.cluster_ip))),
    column("EXTERNAL-IP", 3, |row| service(row, |service| Cell::text(service.external.join(",")))),
    column("PORTS", 1, |row| service(row, |service| Cell::text(service.ports.join(", ")))),
    AGE,
    NAMESPACE,
    CLUSTER,
    wide("SELECTOR", |row| service(row, |service| Cell::text(&*service.selector))),
    LABELS,
];

pub const INGRESS: &[Column] = &[
    NAME,
    column("CLASS", 4, |row| ingress(row, |ingress| Cell::text(&*ingress.class))),
    column("RULES", 0, |row| ingress(row, |ingress| Cell::text(ingress.rules.join(", ")))),
    column("TLS", 3, |row| {
        ingress(row, |ingress| {
            let hosts: Vec<&str> = ingress.tls.iter().map(|(host, _)| &**host).collect();
            Cell::text(hosts.join(","))
        })
    }),
    column("ADDRESS", 3, |row| ingress(row, |ingress| Cell::text(ingress.addresses.join(",")))),
    AGE,
    NAMESPACE,
    CLUSTER,
    LABELS,
];

pub const CONFIG_MAP: &[Column] = &[NAME, KEYS, SIZE, AGE, NAMESPACE, CLUSTER, KEY_NAMES, LABELS];

pub const SECRET: &[Column] = &[
    NAME,
    column("TYPE", 2, |row| keys(row, |keys| Cell::text(&*keys.kind))),
    KEYS,
    SIZE,
    column("CERTIFICATE", 3, |row| {
        keys(row, |keys| match keys.expires {
            Some(end) => Cell::text(format!("until {}", end.strftime("%Y-%m-%d"))).tone(ending(end, row)),
            None => Cell::text(""),
        })
    }),
    AGE,
    NAMESPACE,
    CLUSTER,
    KEY_NAMES,
    LABELS,
];

pub const VOLUME: &[Column] = &[
    NAME,
    column("STATUS", 0, |row| {
        volume(row, |volume| {
            let tone = match &*volume.phase {
                "Bound" => Tone::Ok,
                "Available" | "Released" => Tone::Plain,
                "Pending" => Tone::Warn,
                _ => Tone::Error,
            };
            Cell::text(&*volume.phase).tone(tone)
        })
    }),
    number("CAPACITY", 1, |row| volume(row, |volume| size(volume.capacity))),
    column("BOUND", 3, |row| volume(row, |volume| Cell::text(&*volume.bound))),
    column("CLASS", 4, |row| volume(row, |volume| Cell::text(&*volume.class))),
    column("MODES", 5, |row| volume(row, |volume| Cell::text(volume.modes.join(",")))),
    AGE,
    NAMESPACE,
    CLUSTER,
    LABELS,
];

pub const NODE: &[Column] = &[
    NAME,
    column("STATUS", 0, |row| node(row, node_status)),
    column("ROLES", 3, |row| node(row, |node| Cell::text(node.roles.join(",")))),
    number("CPU", 4, |row| node_use(row, |used, node| (used.millicores, node.allocatable.millicores))),
    number("MEMORY", 4, |row| node_use(row, |used, node| (used.memory, node.allocatable.memory))),
    AGE,
    column("VERSION", 2, |row| node(row, |node| Cell::text(&*node.version))),
    CLUSTER,
    LABELS,
];

pub const EVENT: &[Column] = &[
    number("LAST", 0, |row| event(row, |event| since(event.last, row.now))),
    column("TYPE", 2, |row| {
        event(row, |event| {
            let tone = if &*event.severity == "Warning" { Tone::Warn } else { Tone::Plain };
            Cell::text(&*event.severity).tone(tone)
        })
    }),
    column("REASON", 1, |row| event(row, |event| Cell::text(&*event.reason))),
    column("OBJECT", 1, |row| {
        event(row, |event| Cell::text(format!("{}/{}", event.about.0.to_lowercase(), event.about.1)))
    }),
    number("COUNT", 3, |row| event(row, |event| Cell::count(event.count))),
    column("MESSAGE", 0, |row| event(row, |event| Cell::text(&*event.message))),
    NAMESPACE,
    CLUSTER,
    wide("SOURCE", |row| event(row, |event| Cell::text(&*event.source))),
    wide("NAME", |row| Cell::text(&*row.object.name)),
];

pub const PAIRS: &[Column] =
    &[NAME, column("LIMITS", 0, |row| pairs(row, "=", |_| true)), AGE, NAMESPACE, CLUSTER, LABELS];

pub const CUSTOM: &[Column] = &[
    NAME,
    column("STATUS", 0, custom_status),
    AGE,
    NAMESPACE,
    CLUSTER,
    wide("VALUES", |row| pairs(row, "=", |key| !is_condition(key))),
    LABELS,
];

const KEYS: Column = number("KEYS", 1, |row| {
    keys(row, |keys| Cell::count(i64::try_from(keys.sizes.len()).unwrap_or(i64::MAX)))
});
const SIZE: Column = number("SIZE", 3, |row| {
    keys(row, |keys| {
        let all: usize = keys.sizes.iter().map(|(_, size)| *size).sum();
        #[expect(clippy::cast_precision_loss, reason = "only compared with others of its column")]
        Cell::number(format!("{all}B"), all as f64)
    })
});
const KEY_NAMES: Column = wide("KEY NAMES", |row| {
    keys(row, |keys| {
        let names: Vec<&str> = keys.sizes.iter().map(|(key, _)| &**key).collect();
        Cell::text(names.join(","))
    })
});

fn service(row: &Row<'_>, cell: impl FnOnce(&Service) -> Cell) -> Cell {
    if let Facts::Service(service) = &row.object.facts { cell(service) } else { Cell::text("") }
}

fn ingress(row: &Row<'_>, cell: impl FnOnce(&Ingress) -> Cell) -> Cell {
    if let Facts::Ingress(ingress) = &row.object.facts { cell(ingress) } else { Cell::text("") }
}

fn keys(row: &Row<'_>, cell: impl FnOnce(&Keys) -> Cell) -> Cell {
    if let Facts::Keys(keys) = &row.object.facts { cell(keys) } else { Cell::text("") }
}

fn volume(row: &Row<'_>, cell: impl FnOnce(&Volume) -> Cell) -> Cell {
    if let Facts::Volume(volume) = &row.object.facts { cell(volume) } else { Cell::text("") }
}

fn node(row: &Row<'_>, cell: impl FnOnce(&Node) -> Cell) -> Cell {
    if let Facts::Node(node) = &row.object.facts { cell(node) } else { Cell::text("") }
}

fn event(row: &Row<'_>, cell: impl FnOnce(&Event) -> Cell) -> Cell {
    if let Facts::Event(event) = &row.object.facts { cell(event) } else { Cell::text("") }
}

fn ending(end: jiff::Timestamp, row: &Row<'_>) -> Tone {
    match end.duration_since(row.now).as_hours() / 24 {
        ..7 => Tone::Error,
        7..30 => Tone::Warn,
        _ => Tone::Plain,
    }
}

#[expect(clippy::cast_precision_loss, reason = "only compared with others of its column")]
fn size(bytes: u64) -> Cell {
    const UNITS: &[(&str, u64)] = &[("Ti", 1 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    let unit = UNITS.iter().find(|(_, unit)| bytes >= *unit);
    let text = match unit {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    };
    Cell::number(text, bytes as f64)
}

fn node_status(node: &Node) -> Cell {
    let is_ready =
        node.conditions.iter().any(|condition| &*condition.name == "Ready" && &*condition.status == "True");
    match (is_ready, node.is_cordoned) {
        (true, false) => Cell::text("Ready").tone(Tone::Ok),
        (true, true) => Cell::text("Ready,SchedulingDisabled").tone(Tone::Warn),
        (false, false) => Cell::text("NotReady").tone(Tone::Error),
        (false, true) => Cell::text("NotReady,SchedulingDisabled").tone(Tone::Error),
    }
}

#[expect(clippy::cast_precision_loss, reason = "only compared with others of its column")]
fn node_use(
    row: &Row<'_>,
    of: impl FnOnce(crate::kubernetes::object::Resources, &Node) -> (u64, u64),
) -> Cell {
    let Some(used) = row.cluster.metrics.nodes.get(&row.object.name) else {
        return Cell::number("-", -1.0).tone(Tone::Dim);
    };
    node(row, |node| {
        let (part, whole) = of(*used, node);
        let percent = super::pod::percent(part, whole);
        Cell::number(format!("{percent}%"), percent as f64)
    })
}

fn pairs(row: &Row<'_>, between: &str, is_shown: impl Fn(&str) -> bool) -> Cell {
    let Facts::Other(pairs) = &row.object.facts else { return Cell::text("") };
    let said: Vec<String> = pairs
        .iter()
        .filter(|(key, _)| is_shown(key))
        .map(|(key, value)| format!("{key}{between}{value}"))
        .collect();
    Cell::text(said.join(", "))
}

fn is_condition(key: &str) -> bool {
    !key.contains('.')
}

/// Says how a custom resource is: by its phase, else by its condition `Ready`, else by how many replicas it has.
fn custom_status(row: &Row<'_>) -> Cell {
    let pairs = match &row.object.facts {
        Facts::Other(pairs) => pairs,
        Facts::Workload(set) => return replicas(set),
        _ => return Cell::text(""),
    };
    let value = |name: &str| pairs.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value);
    let said =
        ["status.phase", "status.state", "status.health", "Ready", "Available"].into_iter().find_map(value);
    let text = said.unwrap_or_default();
    let tone = match text.split(' ').next().unwrap_or_default() {
        "True" | "Ready" | "Healthy" | "Running" | "Active" | "Bound" => Tone::Ok,
        "False" | "Failed" | "Error" | "Degraded" => Tone::Error,
        _ => Tone::Plain,
    };
    Cell::text(text).tone(tone)
}

fn replicas(set: &Workload) -> Cell {
    Cell::text(format!("{}/{} ready", set.ready, set.desired.unwrap_or(1)))
}
