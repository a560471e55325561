//! Columns of each kind, and what stands in them.

use super::words;
use crate::app::Context;
use crate::app::context::age;
use crate::config::theme::Role;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{Facts, Object, Resources, Workload};
use crate::kubernetes::rows::status::Tone;
use crate::kubernetes::rows::{Field, Row, Seen, percent};
use crate::ui::text::{Line, span};
use crate::ui::theme::Sign;
use crate::ui::widgets::Column;

/// What a cell is made of.
pub struct Cell<'a> {
    /// What every pane may read.
    pub cx: &'a Context,
    /// The row.
    pub row: &'a Row,
    /// The object with what is known beside it.
    pub seen: Seen<'a>,
}

/// A column with its content.
#[derive(Clone, Copy)]
pub struct Col {
    /// Title, widths, priority.
    pub column: Column,
    /// What it is sorted by; `None` when it cannot.
    pub field: Option<Field>,
    /// Numbers end at its right edge.
    pub is_right: bool,
    /// Its content.
    pub cell: fn(&Cell<'_>) -> Line,
}

const fn col(
    title: &'static str,
    (min, weight, priority): (u16, u16, u8),
    field: Option<Field>,
    cell: fn(&Cell<'_>) -> Line,
) -> Col {
    Col { column: Column { title, min, weight, priority }, field, is_right: false, cell }
}

const fn right(
    title: &'static str,
    (min, priority): (u16, u8),
    field: Option<Field>,
    cell: fn(&Cell<'_>) -> Line,
) -> Col {
    Col { is_right: true, ..col(title, (min, 0, priority), field, cell) }
}

const NAME: Col = col("NAME", (20, 5, 0), Some(Field::Name), name);
const NAMESPACE: Col =
    col("NAMESPACE", (10, 1, 4), Some(Field::Namespace), |c| text(&c.row.object.namespace));
const CLUSTER: Col = col("CLUSTER", (7, 1, 2), Some(Field::Cluster), |c| text(&c.row.cluster));
const READY: Col = right(" READY", (6, 1), Some(Field::Ready), ready);
const STATUS: Col = col("STATUS", (18, 1, 0), Some(Field::Status), status);
const RESTARTS: Col = right("RESTARTS", (8, 2), Some(Field::Restarts), restarts);
const AGE: Col =
    right(" AGE", (4, 3), Some(Field::Age), |c| text(&c.seen.age().map(age).unwrap_or_default()));
const CPU: Col =
    right("   CPU", (6, 6), Some(Field::Cpu), |c| used(c, |used| format!("{}m", used.millicores)));
const CPU_REQUEST: Col =
    right(" %CPU/R", (7, 8), Some(Field::CpuOfRequest), |c| share(c, |used| used.millicores, false));
const CPU_LIMIT: Col =
    right(" %CPU/L", (7, 9), Some(Field::CpuOfLimit), |c| share(c, |used| used.millicores, true));
const MEMORY: Col =
    right("    MEM", (7, 6), Some(Field::Memory), |c| used(c, |used| words::memory(used.memory)));
const MEMORY_REQUEST: Col =
    right(" %MEM/R", (7, 8), Some(Field::MemoryOfRequest), |c| share(c, |used| used.memory, false));
const MEMORY_LIMIT: Col =
    right(" %MEM/L", (7, 7), Some(Field::MemoryOfLimit), |c| share(c, |used| used.memory, true));
const NODE: Col = col("NODE", (12, 1, 7), Some(Field::Node), |c| text(c.seen.node()));

const POD: &[Col] = &[
    NAME,
    NAMESPACE,
    READY,
    STATUS,
    RESTARTS,
    CPU,
    CPU_REQUEST,
    CPU_LIMIT,
    MEMORY,
    MEMORY_REQUEST,
    MEMORY_LIMIT,
    AGE,
    NODE,
    CLUSTER,
];
const TREE: &[Col] = &[
    col("WORKLOAD", (24, 5, 0), Some(Field::Name), tree_name),
    NAMESPACE,
    READY,
    STATUS,
    RESTARTS,
    CPU,
    MEMORY,
    MEMORY_LIMIT,
    AGE,
    NODE,
    CLUSTER,
];
const DEPLOYMENT: &[Col] = &[
    NAME,
    NAMESPACE,
    READY,
    STATUS,
    right(" UPDATED", (8, 4), None, |c| workload(c, |w| w.updated.to_string())),
    right(" AVAILABLE", (10, 4), None, |c| workload(c, |w| w.available.to_string())),
    AGE,
    col("STRATEGY", (13, 0, 9), None, |c| workload(c, |w| w.strategy.to_string())),
    col("IMAGES", (16, 3, 7), None, images),
    CLUSTER,
];
const SET: &[Col] = &[
    NAME,
    NAMESPACE,
    READY,
    STATUS,
    right(" UPDATED", (8, 4), None, |c| workload(c, |w| w.updated.to_string())),
    AGE,
    col("STRATEGY", (13, 0, 8), None, |c| workload(c, |w| w.strategy.to_string())),
    col("IMAGES", (16, 3, 7), None, images),
    CLUSTER,
];
const REPLICA_SET: &[Col] = &[
    NAME,
    NAMESPACE,
    right(" REVISION", (9, 3), Some(Field::Revision), |c| {
        workload(c, |w| w.revision.map(|number| number.to_string()).unwrap_or_default())
    }),
    READY,
    STATUS,
    AGE,
    col("IMAGES", (16, 3, 7), None, images),
    CLUSTER,
];
const JOB: &[Col] = &[
    NAME,
    NAMESPACE,
    right("   DONE", (7, 1), Some(Field::Ready), ready),
    STATUS,
    right(" FAILED", (7, 4), None, |c| match &c.row.object.facts {
        Facts::Job(job) => text(&job.failed.to_string()),
        _ => Line::new(),
    }),
    right("    TOOK", (8, 3), None, duration),
    AGE,
    CLUSTER,
];
const CRON_JOB: &[Col] = &[
    NAME,
    NAMESPACE,
    col("SCHEDULE", (14, 1, 1), None, |c| match &c.row.object.facts {
        Facts::CronJob(job) => text(&job.schedule),
        _ => Line::new(),
    }),
    STATUS,
    right(" RUNNING", (8, 4), None, |c| match &c.row.object.facts {
        Facts::CronJob(job) => text(&job.active.to_string()),
        _ => Line::new(),
    }),
    right(" LAST", (5, 2), None, |c| match &c.row.object.facts {
        Facts::CronJob(job) => text(&words::since(c.cx, job.last_schedule)),
        _ => Line::new(),
    }),
    AGE,
    CLUSTER,
];
const AUTOSCALER: &[Col] = &[
    NAME,
    NAMESPACE,
    col("SCALES", (18, 2, 2), None, |c| match &c.row.object.facts {
        Facts::Autoscaler(scaler) => text(&format!("{}/{}", scaler.target.0.to_lowercase(), scaler.target.1)),
        _ => Line::new(),
    }),
    STATUS,
    right(" PODS", (5, 1), None, |c| match &c.row.object.facts {
        Facts::Autoscaler(s) => text(&s.current.map(|current| current.to_string()).unwrap_or_default()),
        _ => Line::new(),
    }),
    right(" MIN", (4, 4), None, |c| match &c.row.object.facts {
        Facts::Autoscaler(s) => text(&s.min.unwrap_or(1).to_string()),
        _ => Line::new(),
    }),
    right(" MAX", (4, 3), None, |c| match &c.row.object.facts {
        Facts::Autoscaler(s) => text(&s.max.to_string()),
        _ => Line::new(),
    }),
    right("      CPU", (9, 3), None, |c| match &c.row.object.facts {
        Facts::Autoscaler(s) => text(&words::target_percent(s.cpu)),
        _ => Line::new(),
    }),
    AGE,
    CLUSTER,
];
const SERVICE: &[Col] = &[
    NAME,
    NAMESPACE,
    col("TYPE", (12, 0, 2), None, |c| service(c, |s| s.kind.to_string())),
    col("CLUSTER-IP", (15, 0, 4), None, |c| service(c, |s| s.cluster_ip.to_string())),
    col("EXTERNAL", (12, 1, 5), None, |c| service(c, |s| s.external.join(", "))),
    col("PORTS", (14, 2, 1), None, |c| service(c, |s| s.ports.join(", "))),
    AGE,
    CLUSTER,
];
const INGRESS: &[Col] = &[
    NAME,
    NAMESPACE,
    col("CLASS", (8, 0, 6), None, |c| ingress(c, |i| i.class.to_string())),
    col("RULES", (24, 4, 1), None, |c| ingress(c, |i| i.rules.join(", "))),
    col("ADDRESS", (14, 1, 4), None, |c| ingress(c, |i| i.addresses.join(", "))),
    col("TLS", (4, 0, 3), None, |c| ingress(c, |i| if i.tls.is_empty() { "-" } else { "yes" }.to_owned())),
    AGE,
    CLUSTER,
];
const KEYS: &[Col] = &[
    NAME,
    NAMESPACE,
    right(" KEYS", (5, 1), None, |c| match &c.row.object.facts {
        Facts::Keys(keys) => text(&keys.sizes.len().to_string()),
        _ => Line::new(),
    }),
    right("    SIZE", (8, 2), None, |c| match &c.row.object.facts {
        Facts::Keys(keys) => text(&crate::app::context::size(keys.sizes.iter().map(|(_, size)| size).sum())),
        _ => Line::new(),
    }),
    AGE,
    CLUSTER,
];
const VOLUME: &[Col] = &[
    NAME,
    NAMESPACE,
    STATUS,
    right(" CAPACITY", (9, 1), None, |c| volume(c, |v| words::memory(v.capacity))),
    col("CLASS", (12, 1, 4), None, |c| volume(c, |v| v.class.to_string())),
    col("BOUND TO", (18, 2, 3), None, |c| volume(c, |v| v.bound.to_string())),
    col("MODES", (6, 0, 6), None, |c| volume(c, |v| words::modes(&v.modes))),
    AGE,
    CLUSTER,
];
const NODES: &[Col] = &[
    NAME,
    STATUS,
    col("ROLES", (14, 1, 4), None, |c| node(c, |n| n.roles.join(","))),
    right(" PODS", (5, 3), None, |c| text(&words::pods_on(&c.seen).to_string())),
    CPU,
    right("  %CPU", (6, 4), Some(Field::CpuOfRequest), |c| share(c, |used| used.millicores, false)),
    MEMORY,
    right("  %MEM", (6, 4), Some(Field::MemoryOfRequest), |c| share(c, |used| used.memory, false)),
    AGE,
    col("VERSION", (12, 0, 5), None, |c| node(c, |n| n.version.to_string())),
    CLUSTER,
];
const EVENT: &[Col] = &[
    right(" LAST", (5, 1), Some(Field::Age), |c| match &c.row.object.facts {
        Facts::Event(event) => text(&words::since(c.cx, event.last.or(event.first).or(c.row.object.created))),
        _ => Line::new(),
    }),
    col("TYPE", (9, 0, 3), Some(Field::Status), |c| event(c, |e| e.severity.to_string())),
    col("REASON", (16, 0, 0), None, |c| event(c, |e| e.reason.to_string())),
    col("ABOUT", (22, 2, 2), None, |c| event(c, |e| format!("{}/{}", e.about.0.to_lowercase(), e.about.1))),
    col("MESSAGE", (30, 6, 0), None, |c| event(c, |e| e.message.to_string())),
    right(" COUNT", (6, 4), None, |c| event(c, |e| e.count.to_string())),
    NAMESPACE,
    CLUSTER,
];
const OTHER: &[Col] = &[
    NAME,
    NAMESPACE,
    col("FACTS", (24, 4, 2), None, |c| match &c.row.object.facts {
        Facts::Other(facts) => {
            let all: Vec<String> = facts.iter().map(|(name, value)| format!("{name} {value}")).collect();
            text(&all.join("  "))
        }
        _ => Line::new(),
    }),
    AGE,
    CLUSTER,
];

/// Returns all columns of a kind; `None` is the tree of workloads.
pub fn of(kind: Option<Kind>) -> &'static [Col] {
    match kind {
        None => TREE,
        Some(Kind::Pod) => POD,
        Some(Kind::Deployment) => DEPLOYMENT,
        Some(Kind::StatefulSet | Kind::DaemonSet) => SET,
        Some(Kind::ReplicaSet) => REPLICA_SET,
        Some(Kind::Job) => JOB,
        Some(Kind::CronJob) => CRON_JOB,
        Some(Kind::HorizontalPodAutoscaler) => AUTOSCALER,
        Some(Kind::Service) => SERVICE,
        Some(Kind::Ingress) => INGRESS,
        Some(Kind::ConfigMap | Kind::Secret) => KEYS,
        Some(Kind::PersistentVolume | Kind::PersistentVolumeClaim) => VOLUME,
        Some(Kind::Node) => NODES,
        Some(Kind::Event) => EVENT,
        Some(Kind::LimitRange | Kind::ResourceQuota | Kind::Custom(_)) => OTHER,
    }
}

fn text(words: &str) -> Line {
    vec![span(words, Role::Text)]
}

fn name(cell: &Cell<'_>) -> Line {
    text(&cell.row.object.name)
}

fn tree_name(cell: &Cell<'_>) -> Line {
    let ascii = cell.cx.ascii;
    let kind = cell.row.object.kind.spec().and_then(|spec| spec.short.first().copied()).unwrap_or("job");
    let lead = match (cell.row.depth, cell.row.fold) {
        (0, Some(true)) if ascii => "- ",
        (0, Some(true)) => "▾ ",
        (0, Some(false)) if ascii => "+ ",
        (0, Some(false)) => "▸ ",
        (0, None) => "  ",
        _ => "    ",
    };
    let mut line = vec![span(lead, Role::Dim)];
    if cell.row.depth == 0 {
        line.push(span(format!("{kind}/"), Role::Dim));
    }
    line.push(span(&*cell.row.object.name, Role::Text));
    line
}

fn ready(cell: &Cell<'_>) -> Line {
    let (ready, wanted) = cell.seen.ready();
    let is_over = cell.seen.status().tone == Tone::Ended;
    let role = if is_over {
        Role::Dim
    } else if ready >= wanted {
        Role::Text
    } else if ready == 0 {
        Role::Error
    } else {
        Role::Warn
    };
    match &cell.row.object.facts {
        Facts::CronJob(_) => Line::new(),
        _ => vec![span(format!("{ready}/{wanted}"), role)],
    }
}

/// Returns the sign and role of a status.
pub fn mark(tone: Tone) -> (Option<Sign>, Role) {
    match tone {
        Tone::Bad => (Some(Sign::Error), Role::Error),
        Tone::Poor => (Some(Sign::Warn), Role::Warn),
        Tone::Unknown => (Some(Sign::Unknown), Role::Unknown),
        Tone::Good => (Some(Sign::Ok), Role::Ok),
        Tone::Ended => (None, Role::Dim),
    }
}

/// Returns the status of an object with its sign.
pub fn status_span(cx: &Context, object: &Object) -> crate::ui::text::Span {
    let status = crate::kubernetes::rows::status::of(object);
    let (sign, role) = mark(status.tone);
    span(format!("{} {}", sign.map_or(" ", |sign| sign.text(cx)), status.word), role)
}

fn status(cell: &Cell<'_>) -> Line {
    vec![status_span(cell.cx, &cell.row.object)]
}

fn restarts(cell: &Cell<'_>) -> Line {
    if !matches!(cell.row.object.facts, Facts::Pod(_)) {
        return Line::new();
    }
    let count = cell.seen.restarts();
    match cell.seen.last_restart().filter(|_| count > 0) {
        Some(at) => {
            let ago = age(cell.cx.now.as_second() - at.as_second());
            let is_recent = cell.cx.now.as_second() - at.as_second() < 3600;
            let role = if is_recent { Role::Warn } else { Role::Text };
            vec![span(format!("{count} ({ago})"), role)]
        }
        None => text(&count.to_string()),
    }
}

fn used(cell: &Cell<'_>, words: impl Fn(Resources) -> String) -> Line {
    match cell.seen.used() {
        Some(used) => text(&words(used)),
        None if matches!(cell.row.object.facts, Facts::Pod(_) | Facts::Node(_)) => vec![span("-", Role::Dim)],
        None => Line::new(),
    }
}

fn share(cell: &Cell<'_>, part: impl Fn(Resources) -> u64, of_limit: bool) -> Line {
    let (requests, limits) = cell.seen.reserved();
    let whole = part(if of_limit { limits } else { requests });
    match cell.seen.used().and_then(|used| percent(part(used), whole)) {
        Some(share) => {
            let role = match share {
                90.. if of_limit || cell.row.object.kind == Kind::Node => Role::Error,
                75.. if of_limit || cell.row.object.kind == Kind::Node => Role::Warn,
                _ => Role::Text,
            };
            vec![span(share.to_string(), role)]
        }
        None if matches!(cell.row.object.facts, Facts::Pod(_) | Facts::Node(_)) => vec![span("-", Role::Dim)],
        None => Line::new(),
    }
}

fn workload(cell: &Cell<'_>, words: impl Fn(&Workload) -> String) -> Line {
    match &cell.row.object.facts {
        Facts::Workload(workload) => text(&words(workload)),
        _ => Line::new(),
    }
}

fn images(cell: &Cell<'_>) -> Line {
    let all: Vec<&str> = cell.seen.images().map(words::short_image).collect();
    vec![span(all.join(", "), Role::Dim)]
}

fn service(cell: &Cell<'_>, words: impl Fn(&crate::kubernetes::object::Service) -> String) -> Line {
    match &cell.row.object.facts {
        Facts::Service(service) => text(&words(service)),
        _ => Line::new(),
    }
}

fn ingress(cell: &Cell<'_>, words: impl Fn(&crate::kubernetes::object::Ingress) -> String) -> Line {
    match &cell.row.object.facts {
        Facts::Ingress(ingress) => text(&words(ingress)),
        _ => Line::new(),
    }
}

fn volume(cell: &Cell<'_>, words: impl Fn(&crate::kubernetes::object::Volume) -> String) -> Line {
    match &cell.row.object.facts {
        Facts::Volume(volume) => text(&words(volume)),
        _ => Line::new(),
    }
}

fn node(cell: &Cell<'_>, words: impl Fn(&crate::kubernetes::object::Node) -> String) -> Line {
    match &cell.row.object.facts {
        Facts::Node(node) => text(&words(node)),
        _ => Line::new(),
    }
}

fn event(cell: &Cell<'_>, words: impl Fn(&crate::kubernetes::object::Event) -> String) -> Line {
    match &cell.row.object.facts {
        Facts::Event(event) => {
            let role = if &*event.severity == "Warning" { Role::Warn } else { Role::Text };
            vec![span(words(event), role)]
        }
        _ => Line::new(),
    }
}

fn duration(cell: &Cell<'_>) -> Line {
    let Facts::Job(job) = &cell.row.object.facts else { return Line::new() };
    let Some(started) = job.started else { return Line::new() };
    let end = job.finished.unwrap_or(cell.cx.now);
    text(&words::seconds(end.as_second() - started.as_second()))
}
