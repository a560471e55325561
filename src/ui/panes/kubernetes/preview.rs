//! Everything the state knows about one object, as lines.

use super::cells::{mark, status_span};
use super::words;
use crate::app::Context;
use crate::app::context::age;
use crate::config::theme::Role;
use crate::kubernetes::Kind;
use crate::kubernetes::health::{self, Evidence, Finding};
use crate::kubernetes::object::Role as Part;
use crate::kubernetes::object::{
    Condition, Container, ContainerState, Facts, Object, ObjectRef, Pod, Resources, Terminated, Workload,
};
use crate::kubernetes::rows::status::{self, Tone};
use crate::kubernetes::rows::{self, Seen, percent};
use crate::kubernetes::select::Found;
use crate::kubernetes::state::{ClusterState, MetricsStatus, State};
use crate::ui::text::{Line, span, wrap};
use crate::ui::theme::Sign;
use std::sync::Arc;

/// Something in the lines that `enter` opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Another object.
    Object(ObjectRef),
    /// A container of the pod.
    Container(Arc<str>),
    /// Where a finding can be seen.
    Evidence(ObjectRef, Option<Arc<str>>, Evidence),
}

/// Lines about an object; some lead to something.
#[derive(Debug, Default)]
pub struct Lines {
    /// The lines.
    pub lines: Vec<Line>,
    /// Line and what it leads to, in order.
    pub targets: Vec<(usize, Target)>,
    width: usize,
}

/// Cells that labels take.
const LABEL: usize = 12;
/// Pods, labels and other lists are cut after so many.
const MOST: usize = 40;

impl Lines {
    fn heading(&mut self, title: &str, note: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::new());
        }
        let mut line = vec![span(title, Role::Title)];
        if !note.is_empty() {
            line.push(span(format!("  {note}"), Role::Dim));
        }
        self.lines.push(line);
    }

    fn row(&mut self, label: &str, value: impl Into<String>, role: Role) {
        let value = value.into();
        if value.is_empty() {
            return;
        }
        self.labelled(label, vec![span(value, role)]);
    }

    /// A label and spans behind it; one span that is too long is wrapped.
    fn labelled(&mut self, label: &str, value: Line) {
        let lead = format!("{label:<LABEL$}");
        let room = self.width.saturating_sub(LABEL).max(12);
        match value.as_slice() {
            [one] if crate::model::text::width(&one.text) > room => {
                let role = one.role;
                for (at, part) in wrap(&one.text, room).into_iter().enumerate() {
                    let lead = if at == 0 { lead.clone() } else { " ".repeat(LABEL) };
                    self.lines.push(vec![span(lead, Role::Dim), span(part, role)]);
                }
            }
            _ => {
                let mut line = vec![span(lead, Role::Dim)];
                line.extend(value);
                self.lines.push(line);
            }
        }
    }

    fn text(&mut self, indent: usize, text: &str, role: Role) {
        for part in wrap(text, self.width.saturating_sub(indent).clamp(12, 100)) {
            self.lines.push(vec![span(format!("{}{part}", " ".repeat(indent)), role)]);
        }
    }

    fn target(&mut self, target: Target) {
        self.targets.push((self.lines.len().saturating_sub(1), target));
    }
}

/// Returns everything about an object, in lines of at most `width` cells.
pub fn lines(cx: &Context, state: &State, at: &ObjectRef, width: usize) -> Lines {
    let mut out = Lines { width, ..Lines::default() };
    let Some((cluster, object)) = state.cluster(&at.cluster).zip(state.object(at)) else {
        gone(cx, state, at, &mut out);
        return out;
    };
    let seen = Seen { cluster, object, now: cx.now };
    head(cx, cluster, object, &mut out);
    findings(cx, state, at, &mut out);
    match &object.facts {
        Facts::Pod(pod) => of_pod(cx, &seen, at, pod, &mut out),
        Facts::Workload(workload) => of_workload(cx, state, &seen, at, workload, &mut out),
        Facts::Job(job) => {
            out.heading("Job", "");
            let wanted = job.completions.unwrap_or(1);
            out.row("done", format!("{} of {wanted}", job.succeeded), Role::Text);
            out.row("running", job.active.to_string(), Role::Text);
            let limit =
                job.backoff_limit.map(|limit| format!(", gives up after {limit}")).unwrap_or_default();
            out.row(
                "failed",
                format!("{}{limit}", job.failed),
                if job.failed > 0 { Role::Warn } else { Role::Text },
            );
            if let Some(started) = job.started {
                let took = job.finished.unwrap_or(cx.now).as_second() - started.as_second();
                out.row("took", words::seconds(took), Role::Text);
            }
            conditions(cx, &job.conditions, &mut out);
            pods_below(cx, state, at, &mut out);
        }
        Facts::CronJob(job) => {
            out.heading("Schedule", "");
            let zone = job.time_zone.as_ref().map(|zone| format!(" ({zone})")).unwrap_or_default();
            out.row("schedule", format!("{}{zone}", job.schedule), Role::Text);
            out.row("suspended", if job.is_suspended { "yes" } else { "no" }, Role::Text);
            out.row("running", job.active.to_string(), Role::Text);
            out.row("last run", words::ago(cx, job.last_schedule), Role::Text);
            out.row("last success", words::ago(cx, job.last_success), Role::Text);
            below(cx, state, at, Kind::Job, "Jobs", &mut out);
        }
        Facts::Autoscaler(scaler) => {
            out.heading("Scaling", "");
            out.row("scales", format!("{}/{}", scaler.target.0.to_lowercase(), scaler.target.1), Role::Text);
            let current = scaler.current.map_or("?".to_owned(), |current| current.to_string());
            out.row(
                "pods",
                format!(
                    "{current} now, {} wanted, {} to {}",
                    scaler.desired,
                    scaler.min.unwrap_or(1),
                    scaler.max
                ),
                Role::Text,
            );
            out.row("cpu", words::target_percent(scaler.cpu), Role::Text);
            conditions(cx, &scaler.conditions, &mut out);
        }
        Facts::Service(service) => {
            out.heading("Service", "");
            out.row("type", &*service.kind, Role::Text);
            out.row("cluster ip", &*service.cluster_ip, Role::Text);
            out.row("external", service.external.join(", "), Role::Text);
            for port in &service.ports {
                out.row("port", &**port, Role::Text);
            }
            out.row("selects", &*service.selector, Role::Text);
            pods_below(cx, state, at, &mut out);
        }
        Facts::Ingress(ingress) => {
            out.heading("Ingress", "");
            out.row("class", &*ingress.class, Role::Text);
            for rule in &ingress.rules {
                out.row("rule", &**rule, Role::Text);
            }
            for (host, secret) in &ingress.tls {
                out.row("tls", format!("{host} by secret {secret}"), Role::Text);
            }
            out.row("addresses", ingress.addresses.join(", "), Role::Text);
        }
        Facts::Keys(keys) => {
            out.heading("Keys", "values are not kept");
            out.row("type", &*keys.kind, Role::Text);
            if let Some(expires) = keys.expires {
                let left = expires.as_second() - cx.now.as_second();
                let words = if left < 0 {
                    format!("ended {}", words::ago_words(-left))
                } else {
                    format!("in {}", age(left))
                };
                out.row("certificate ends", words, if left < 14 * 86_400 { Role::Error } else { Role::Text });
            }
            for (key, size) in keys.sizes.iter().take(MOST) {
                out.labelled(
                    "",
                    vec![
                        span(&**key, Role::Text),
                        span(format!("  {}", crate::app::context::size(*size)), Role::Dim),
                    ],
                );
            }
            more(keys.sizes.len(), &mut out);
        }
        Facts::Volume(volume) => {
            out.heading("Volume", "");
            out.row("capacity", words::memory(volume.capacity), Role::Text);
            out.row("class", &*volume.class, Role::Text);
            out.row("bound to", &*volume.bound, Role::Text);
            out.row("modes", words::modes(&volume.modes), Role::Text);
        }
        Facts::Node(node) => {
            out.heading("Node", "");
            out.row("version", &*node.version, Role::Text);
            out.row("roles", node.roles.join(", "), Role::Text);
            usage(cx, &seen, &mut out);
            conditions(cx, &node.conditions, &mut out);
            pods_below(cx, state, at, &mut out);
        }
        Facts::Event(event) => {
            out.heading("Event", "");
            let role = if &*event.severity == "Warning" { Role::Warn } else { Role::Text };
            out.row("type", &*event.severity, role);
            out.row("reason", &*event.reason, role);
            out.row("message", &*event.message, Role::Text);
            out.row("about", format!("{} {}", event.about.0.to_lowercase(), event.about.1), Role::Text);
            out.row("count", event.count.to_string(), Role::Text);
            out.row("first", words::ago(cx, event.first), Role::Text);
            out.row("last", words::ago(cx, event.last), Role::Text);
            out.row("said by", &*event.source, Role::Text);
        }
        Facts::Other(facts) => {
            out.heading("Facts", "");
            for (name, value) in facts.iter().take(MOST) {
                out.row(name, &**value, Role::Text);
            }
        }
    }
    labels(object, &mut out);
    out
}

fn gone(cx: &Context, state: &State, at: &ObjectRef, out: &mut Lines) {
    let words = match state.cluster(&at.cluster) {
        None => format!("no cluster is known as {}", at.cluster),
        Some(cluster) => match cluster.tables.get(&at.kind).map(|table| &table.watch) {
            None | Some(crate::kubernetes::state::Watch::None | crate::kubernetes::state::Watch::Loading) => {
                "loading".to_owned()
            }
            _ => format!("{} is gone, or was never there", at.name),
        },
    };
    out.lines.push(vec![span(format!("{} {words}", Sign::Unknown.text(cx)), Role::Unknown)]);
}

fn head(cx: &Context, cluster: &ClusterState, object: &Object, out: &mut Lines) {
    let mut line = vec![status_span(cx, object)];
    if let Some(created) = object.created {
        line.push(span(format!("  {} old", age(cx.now.as_second() - created.as_second())), Role::Dim));
    }
    if let Some(deleted) = object.deleted {
        // the time of a deletion is the one at which the object should be gone
        let words = if deleted > cx.now {
            "  is being deleted".to_owned()
        } else {
            format!("  should be gone since {}", words::since(cx, Some(deleted)))
        };
        line.push(span(words.replace("since now", "now"), Role::Warn));
    }
    out.lines.push(line);
    let mut place = vec![span(&*cluster.cluster.title, Role::Text)];
    if !cluster.cluster.environment.is_empty() {
        let role = if cluster.cluster.is_protected { Role::Env } else { Role::Dim };
        place.push(span(format!("  {}", cluster.cluster.environment), role));
    }
    if words::is_stale(cluster, object.kind) {
        place.push(span(format!("  {} not fresh", Sign::Stale.text(cx)), Role::Stale));
    }
    out.labelled("cluster", place);
    out.row("namespace", &*object.namespace, Role::Text);
    for owner in &object.owners {
        out.row("owned by", format!("{} {}", owner.kind.to_lowercase(), owner.name), Role::Text);
        if let Some(kind) = Kind::find(&owner.kind) {
            out.target(Target::Object(ObjectRef {
                cluster: cluster.cluster.name.clone(),
                kind,
                namespace: object.namespace.clone(),
                name: owner.name.clone(),
            }));
        }
    }
}

/// Returns the findings about an object and, for a workload, about its pods, the worst first.
pub fn findings_of(cx: &Context, state: &State, at: &ObjectRef) -> Vec<Arc<Finding>> {
    let of = |cluster: &Arc<str>, object: &Arc<Object>| {
        let cluster = state.cluster(cluster)?;
        Some(health::findings(&Found { cluster, object, is_extra: false }, state, cx.now))
    };
    let own = state.object(at).and_then(|object| of(&at.cluster, object)).unwrap_or_default();
    let has_pods = !matches!(at.kind, Kind::Pod | Kind::Node | Kind::Service);
    let pods = if has_pods { rows::children(state, at, Kind::Pod) } else { Vec::new() };
    let below = pods.iter().take(MOST).filter_map(|row| of(&row.cluster, &row.object)).flatten();
    let mut found: Vec<Arc<Finding>> = own.into_iter().chain(below).map(Arc::new).collect();
    health::sort(&mut found);
    found
}

fn findings(cx: &Context, state: &State, at: &ObjectRef, out: &mut Lines) {
    let found = findings_of(cx, state, at);
    if found.is_empty() {
        return;
    }
    out.heading("Findings", &found.len().to_string());
    for finding in found.iter().take(MOST) {
        finding_lines(cx, finding, finding.object != *at, out);
    }
    more(found.len(), out);
}

fn finding_lines(cx: &Context, finding: &Finding, with_object: bool, out: &mut Lines) {
    let sign = if finding.severity >= 6 { Sign::Error } else { Sign::Warn };
    let mut first = vec![span(format!("{} ", sign.text(cx)), sign.role())];
    if with_object {
        first.push(span(format!("{} ", finding.object.name), Role::Accent));
    }
    let since = finding.since.map(|since| format!("  {}", words::since(cx, Some(since)))).unwrap_or_default();
    let room = out.width.saturating_sub(4).max(12);
    let mut message = wrap(&finding.message, room).into_iter();
    first.push(span(message.next().unwrap_or_default(), Role::Text));
    first.push(span(since, Role::Dim));
    out.lines.push(first);
    out.target(Target::Evidence(finding.object.clone(), finding.container.clone(), finding.evidence.clone()));
    for part in message {
        out.lines.push(vec![span(format!("  {part}"), Role::Text)]);
    }
    if !finding.cause.is_empty() {
        out.text(2, &finding.cause, Role::Dim);
    }
    for fix in &finding.fixes {
        out.text(2, &format!("- {fix}"), Role::Text);
    }
    let (words, key) = evidence_words(cx, &finding.evidence);
    out.lines.push(vec![span("  ", Role::Text), span(key, Role::Key), span(format!(" {words}"), Role::Dim)]);
}

/// Returns what shows a finding, and the key that goes there.
pub fn evidence_words(cx: &Context, evidence: &Evidence) -> (&'static str, String) {
    let key = |id| cx.key(id);
    match evidence {
        Evidence::Logs { is_previous: true } => ("logs at the crash", key(super::SHOW)),
        Evidence::Logs { is_previous: false } => ("logs", key(super::SHOW)),
        Evidence::Events => ("events", key(super::SHOW)),
        Evidence::Object => ("the object", key(super::SHOW)),
    }
}

fn of_pod(cx: &Context, seen: &Seen<'_>, at: &ObjectRef, pod: &Pod, out: &mut Lines) {
    let _ = at;
    out.row("node", if pod.node.is_empty() { "none yet" } else { &pod.node }, Role::Text);
    out.row("address", pod.ip.as_deref().unwrap_or_default(), Role::Text);
    if let Some(message) = &pod.message {
        out.row("says", &**message, Role::Warn);
    }
    usage(cx, seen, out);
    out.heading("Containers", &pod.containers.len().to_string());
    for container in &pod.containers {
        container_lines(cx, seen, container, out);
    }
    conditions(cx, &pod.conditions, out);
}

fn container_lines(cx: &Context, seen: &Seen<'_>, container: &Container, out: &mut Lines) {
    let (word, role) = state_words(cx, &container.state, container.ready, container.role);
    let mut line = vec![span(&*container.name, Role::Accent)];
    match container.role {
        Part::Init => line.push(span(" init", Role::Dim)),
        Part::Sidecar => line.push(span(" sidecar", Role::Dim)),
        Part::Ephemeral => line.push(span(" debug", Role::Dim)),
        Part::Main => {}
    }
    line.push(span("  ", Role::Text));
    line.push(span(word, role));
    if container.restarts > 0 {
        line.push(span(format!("  {} restarts", container.restarts), Role::Warn));
    }
    out.lines.push(line);
    out.target(Target::Container(container.name.clone()));
    let mut pair = |label: &str, value: String, role: Role| {
        if !value.is_empty() {
            let lead = format!("  {label:<w$}", w = LABEL - 2);
            let room = out.width.saturating_sub(LABEL).max(12);
            for (at, part) in wrap(&value, room).into_iter().enumerate() {
                let lead = if at == 0 { lead.clone() } else { " ".repeat(LABEL) };
                out.lines.push(vec![span(lead, Role::Dim), span(part, role)]);
            }
        }
    };
    pair("image", container.image.to_string(), Role::Text);
    if let ContainerState::Waiting { message: Some(message), .. } = &container.state {
        pair("says", message.to_string(), Role::Warn);
    }
    if let Some(last) = &container.last {
        let role = if last.exit_code == 0 { Role::Dim } else { Role::Warn };
        pair("last", ended_words(cx, last), role);
    }
    let used =
        seen.metrics().and_then(|used| used.containers.iter().find(|(name, _)| *name == container.name));
    pair("cpu", amount(used.map(|(_, u)| *u), container, |r| r.millicores, words::cores), Role::Text);
    pair("memory", amount(used.map(|(_, u)| *u), container, |r| r.memory, words::memory), Role::Text);
    let ports: Vec<String> = container
        .ports
        .iter()
        .map(|(port, name)| if name.is_empty() { port.to_string() } else { format!("{port} {name}") })
        .collect();
    pair("ports", ports.join(", "), Role::Text);
}

/// `12m of 100m, at most 500m`.
fn amount(
    used: Option<Resources>,
    container: &Container,
    part: impl Fn(Resources) -> u64,
    words: impl Fn(u64) -> String,
) -> String {
    let (request, limit) = (part(container.requests), part(container.limits));
    let mut out = used.map(|used| words(part(used))).unwrap_or_default();
    if request > 0 {
        out.push_str(&format!("{}asks for {}", if out.is_empty() { "" } else { ", " }, words(request)));
    }
    if limit > 0 {
        out.push_str(&format!("{}at most {}", if out.is_empty() { "" } else { ", " }, words(limit)));
    }
    out
}

/// Returns how a container is, in words.
pub fn state_words(cx: &Context, state: &ContainerState, ready: Option<bool>, part: Part) -> (String, Role) {
    let sign = |sign: Sign, words: String| (format!("{} {words}", sign.text(cx)), sign.role());
    match state {
        ContainerState::Unknown => sign(Sign::Unknown, "not started".to_owned()),
        ContainerState::Waiting { reason, .. } => {
            let word = if reason.is_empty() { "waiting" } else { reason };
            let is_coming = matches!(word, "ContainerCreating" | "PodInitializing" | "waiting");
            sign(if is_coming { Sign::Warn } else { Sign::Error }, word.to_owned())
        }
        ContainerState::Running { since } => {
            let since = since.map(|since| format!(" {}", words::since(cx, Some(since)))).unwrap_or_default();
            let is_ready = ready == Some(true) || part == Part::Ephemeral;
            let words =
                if is_ready { format!("running{since}") } else { format!("running{since}, not ready") };
            sign(if is_ready { Sign::Ok } else { Sign::Warn }, words)
        }
        ContainerState::Terminated(end) if end.exit_code == 0 => (format!("  {}", end_words(end)), Role::Dim),
        ContainerState::Terminated(end) => sign(Sign::Error, end_words(end)),
    }
}

fn end_words(end: &Terminated) -> String {
    let reason = if end.reason.is_empty() { "ended" } else { &end.reason };
    match end.signal {
        Some(signal) if signal != 0 => format!("{reason}, signal {signal}"),
        _ => format!("{reason}, exit {}", end.exit_code),
    }
}

/// Use against request and limit, with a line of bars since the session began.
fn usage(cx: &Context, seen: &Seen<'_>, out: &mut Lines) {
    match (&seen.cluster.metrics.status, seen.used()) {
        (MetricsStatus::Missing, _) => out.row("metrics", "metrics-server is not installed", Role::Dim),
        (MetricsStatus::Failed(why), None) => out.row("metrics", format!("no metrics: {why}"), Role::Dim),
        (_, None) => {}
        (_, Some(used)) => {
            let history: &[Resources] = seen.metrics().map_or(&[], |used| &used.history);
            use_row(cx, seen, out, ("cpu", used.millicores), history, |r| r.millicores, words::cores);
            use_row(cx, seen, out, ("memory", used.memory), history, |r| r.memory, words::memory);
        }
    }
}

fn use_row(
    cx: &Context,
    seen: &Seen<'_>,
    out: &mut Lines,
    (label, used): (&str, u64),
    history: &[Resources],
    part: impl Fn(Resources) -> u64,
    words: impl Fn(u64) -> String,
) {
    let (requests, limits) = seen.reserved();
    let mut line = vec![span(format!("{:<8}", words(used)), Role::Text)];
    let noun = if seen.object.kind == Kind::Node { "of" } else { "of request" };
    if let Some(share) = percent(used, part(requests)) {
        line.push(span(format!("{share}% {noun} {}  ", words(part(requests))), Role::Text));
    }
    if let Some(share) = percent(used, part(limits)) {
        let role = if share >= 90 { Role::Error } else { Role::Text };
        line.push(span(format!("{share}% of limit {}  ", words(part(limits))), role));
    }
    let taken = LABEL + crate::ui::text::line_width(&line);
    let room = out.width.saturating_sub(taken).min(30);
    if history.len() > 1 && room >= 4 {
        line.push(span(words::sparkline(history.iter().map(|r| part(*r)), room, cx.ascii), Role::Accent));
    }
    out.labelled(label, line);
}

fn of_workload(
    cx: &Context,
    state: &State,
    seen: &Seen<'_>,
    at: &ObjectRef,
    workload: &Workload,
    out: &mut Lines,
) {
    let (ready, wanted) = seen.ready();
    let role = if ready < wanted { Role::Warn } else { Role::Text };
    let numbers = format!(
        "{ready}/{wanted} ready, {} there, {} up to date, {} available",
        workload.current, workload.updated, workload.available
    );
    out.row("pods", numbers, role);
    out.row("strategy", &*workload.strategy, Role::Text);
    if workload.is_paused {
        out.row("rollout", "paused", Role::Warn);
    }
    if let Some(revision) = workload.revision {
        out.row("revision", revision.to_string(), Role::Text);
    }
    for image in &workload.images {
        out.row("image", &**image, Role::Text);
    }
    out.row("selects", &*workload.selector, Role::Text);
    for scaler in scalers(seen.cluster, seen.object) {
        let Facts::Autoscaler(facts) = &scaler.facts else { continue };
        let current = facts.current.map_or("?".to_owned(), |current| current.to_string());
        let cpu = words::target_percent(facts.cpu);
        let words = format!("{current} of {} to {}  cpu {cpu}", facts.min.unwrap_or(1), facts.max);
        out.labelled(
            "autoscaler",
            vec![span(&*scaler.name, Role::Accent), span(format!("  {words}"), Role::Text)],
        );
        out.target(Target::Object(rows::reference(&seen.cluster.cluster.name, scaler)));
    }
    conditions(cx, &workload.conditions, out);
    pods_below(cx, state, at, out);
}

/// Returns the autoscalers of a workload.
pub fn scalers<'a>(cluster: &'a ClusterState, object: &'a Object) -> impl Iterator<Item = &'a Arc<Object>> {
    let kind = object.kind.spec().map_or("", |spec| spec.name);
    let table = cluster.tables.get(&Kind::HorizontalPodAutoscaler);
    table.into_iter().flat_map(|table| table.objects.values()).filter(move |scaler| {
        scaler.namespace == object.namespace
            && matches!(&scaler.facts, Facts::Autoscaler(facts) if *facts.target.0 == *kind && facts.target.1 == object.name)
    })
}

fn pods_below(cx: &Context, state: &State, at: &ObjectRef, out: &mut Lines) {
    below(cx, state, at, Kind::Pod, "Pods", out);
}

fn below(cx: &Context, state: &State, at: &ObjectRef, kind: Kind, title: &str, out: &mut Lines) {
    let mut found = rows::children(state, at, kind);
    if found.is_empty() {
        return;
    }
    // broken ones are what one looks for
    found.sort_by_key(|row| match status::of(&row.object).tone {
        Tone::Bad => 0,
        Tone::Poor => 1,
        _ => 2,
    });
    out.heading(title, &found.len().to_string());
    let widest = found.iter().take(MOST).map(|row| row.object.name.len()).max().unwrap_or(0);
    let cells = widest.min(out.width.saturating_sub(24).max(12));
    for row in found.iter().take(MOST) {
        let Some(cluster) = state.cluster(&row.cluster) else { continue };
        let seen = Seen { cluster, object: &row.object, now: cx.now };
        let (ready, wanted) = seen.ready();
        let name = crate::model::text::cut(&row.object.name, cells).into_owned();
        let restarts = seen.restarts();
        let mut line = vec![
            span(format!("{name:<cells$}  "), Role::Accent),
            span(format!("{ready}/{wanted}  "), mark(status::of(&row.object).tone).1),
            status_span(cx, &row.object),
        ];
        if restarts > 0 {
            line.push(span(format!("  {restarts} restarts"), Role::Dim));
        }
        out.lines.push(line);
        out.target(Target::Object(row.at()));
    }
    more(found.len(), out);
}

fn conditions(cx: &Context, all: &[Condition], out: &mut Lines) {
    if all.is_empty() {
        return;
    }
    out.heading("Conditions", "");
    for condition in all {
        // some conditions are good when they do not hold
        let is_bad_news = condition.name.ends_with("Pressure")
            || condition.name.contains("Unavailable")
            || condition.name.contains("Failure")
            || matches!(&*condition.name, "Failed" | "FailureTarget" | "ScalingLimited" | "DisruptionTarget");
        let is_good = match &*condition.status {
            "True" => Some(!is_bad_news),
            "False" => Some(is_bad_news),
            _ => None,
        };
        let sign = match is_good {
            Some(true) => Sign::Ok,
            Some(false) if &*condition.reason == "PodCompleted" => Sign::Ok,
            Some(false) => Sign::Error,
            None => Sign::Unknown,
        };
        let mut line =
            vec![span(format!("{} ", sign.text(cx)), sign.role()), span(&*condition.name, Role::Text)];
        if &*condition.status != "True" {
            line.push(span(format!(" {}", condition.status.to_lowercase()), sign.role()));
        }
        if !condition.reason.is_empty() {
            line.push(span(format!("  {}", condition.reason), Role::Dim));
        }
        line.push(span(format!("  {}", words::since(cx, condition.since)), Role::Dim));
        out.lines.push(line);
        if let Some(message) = condition.message.as_ref().filter(|_| sign != Sign::Ok) {
            out.text(2, message, Role::Dim);
        }
    }
}

fn labels(object: &Object, out: &mut Lines) {
    if object.labels.is_empty() {
        return;
    }
    out.heading("Labels", "");
    for (key, value) in object.labels.iter().take(MOST) {
        out.lines.push(vec![span(format!("{key} "), Role::Dim), span(&**value, Role::Text)]);
    }
    more(object.labels.len(), out);
}

fn more(len: usize, out: &mut Lines) {
    if len > MOST {
        out.lines.push(vec![span(format!("and {} more", len - MOST), Role::Dim)]);
    }
}

/// How the instance before ended, and when where that is known.
fn ended_words(cx: &Context, last: &Terminated) -> String {
    let ago = words::ago(cx, last.finished);
    if ago.is_empty() { end_words(last) } else { format!("{}, {ago}", end_words(last)) }
}
