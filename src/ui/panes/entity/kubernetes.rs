//! What runs of the entity: clusters, workloads, pods, what is wrong with them.

use super::page::Region;
use super::thing::{Look, Tab, Thing};
use crate::app::context::age;
use crate::config::theme::Role;
use crate::kubernetes::health::{self, Finding, Health, Word};
use crate::kubernetes::object::{Facts, Object};
use crate::kubernetes::rows::{self, Seen, status};
use crate::kubernetes::select::{self, Binding, Found, Scope};
use crate::kubernetes::state::{ClusterState, State};
use crate::kubernetes::{Kind, Order};
use crate::ui::panes::kubernetes::{cells, preview, words};
use crate::ui::text::{Line, span};
use crate::ui::theme::Sign;
use crate::ui::widgets::{Flow, Panel, Piece};
use ratatui::layout::Rect;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Columns from which the findings stand beside the tree.
const SPLIT: u16 = 100;
/// Pods of one workload that are listed.
const PODS: usize = 30;

/// Kinds that the tab shows and that are not watched without it.
const EXTRA: [Kind; 2] = [Kind::Service, Kind::Ingress];
const KINDS: &[Kind] = &[
    Kind::Pod,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::Job,
    Kind::CronJob,
    Kind::HorizontalPodAutoscaler,
    Kind::Service,
    Kind::Ingress,
];

/// Returns the order for the kinds that nothing else watches.
pub fn watched() -> Order {
    Order::Watch(EXTRA.to_vec())
}

/// Returns whether an entity is bound to objects: by annotation, or because some were found.
pub fn applies(look: &Look<'_>) -> bool {
    let Some(entity) = &look.entity else { return false };
    if look.cx.kubernetes.clusters.is_empty() {
        return false;
    }
    Binding::of(entity, look.cx.kubernetes.locator).is_annotated
        || look.cx.kubernetes.health.contains_key(look.canonical)
}

/// Returns a number that changes when anything the tab shows may have changed.
pub fn stamp(state: &State) -> usize {
    let tables = state.clusters.iter().flat_map(|cluster| {
        let kinds = KINDS.iter().filter_map(|kind| cluster.tables.get(kind));
        kinds
            .map(|table| Arc::as_ptr(&table.objects) as usize)
            .chain([Arc::as_ptr(&cluster.metrics.pods) as usize])
    });
    let phases = state
        .clusters
        .iter()
        .map(|cluster| usize::from(matches!(cluster.phase, crate::kubernetes::state::Phase::Live)));
    tables
        .chain(phases)
        .chain([Arc::as_ptr(&state.health) as usize])
        .fold(0, |all, one| all.rotate_left(5) ^ one)
}

/// Returns how a word of health looks.
pub fn word_sign(word: Word) -> Sign {
    match word {
        Word::Down => Sign::Error,
        Word::Slow => Sign::Warn,
        Word::Unknown => Sign::Unknown,
        Word::Ok => Sign::Ok,
    }
}

/// Returns the regions of the tab.
pub fn regions(look: &Look<'_>, area: Rect) -> Vec<Region> {
    let mut found = objects(look);
    let health = verdict(look, &found);
    found.retain(|found| KINDS.contains(&found.object.kind));
    let findings = health.as_ref().map_or(&[][..], |health| &health.findings);
    if area.width < SPLIT {
        let mut flow = Flow::new(area.width);
        say_health(look, health.as_deref(), &mut flow);
        add_findings(look, findings, &mut flow);
        tree(look, &found, &mut flow);
        return vec![Region::plain(area, flow)];
    }
    let mut head = Flow::new(area.width);
    say_health(look, health.as_deref(), &mut head);
    let lines = (head.lines.len() as u16).min(area.height / 3);
    let body = Rect { y: area.y + lines, height: area.height - lines, ..area };
    let left = Rect { width: area.width * 3 / 5, ..body };
    let right = Rect { x: body.x + left.width, width: body.width - left.width, ..body };
    let mut flow = Flow::new(Panel::inner(left).width);
    tree(look, &found, &mut flow);
    let mut beside = Flow::new(Panel::inner(right).width);
    add_findings(look, findings, &mut beside);
    if findings.is_empty() {
        beside.text("nothing is known to be wrong", Role::Dim);
    }
    let count = findings.len().to_string();
    vec![
        Region::plain(Rect { height: lines, ..area }, head),
        Region::framed("Objects", "", left, flow),
        Region::framed("Findings", &count, right, beside),
    ]
}

fn objects<'a>(look: &Look<'a>) -> Vec<Found<'a>> {
    let scope = Scope::Entity(look.canonical.to_owned());
    let cx = look.cx;
    select::objects(&cx.kubernetes, &cx.catalog, &scope, &[])
}

/// Returns how the entity is by the very objects that are shown: the verdict that lists show of all entities is made
/// now and then, and may be of a moment before. What has no objects is as that one says.
fn verdict(look: &Look<'_>, found: &[Found<'_>]) -> Option<Arc<Health>> {
    let cx = look.cx;
    if found.is_empty() {
        return cx.kubernetes.health.get(look.canonical).cloned();
    }
    let bindings = select::bindings_of(&cx.catalog, look.canonical, cx.kubernetes.locator);
    let bindings: Vec<&Binding> = bindings.iter().map(|(_, binding)| binding).collect();
    Some(Arc::new(health::of(&cx.kubernetes, found, &bindings, cx.now)))
}

fn say_health(look: &Look<'_>, health: Option<&Health>, flow: &mut Flow<Thing>) {
    let cx = look.cx;
    match health {
        Some(health) => {
            let sign = word_sign(health.word);
            let lead = format!("{} {}", sign.text(cx), health.word.as_str());
            flow.line(vec![span(lead, sign.role()), span(format!("  {}", health.summary), Role::Text)]);
        }
        None => flow.line(vec![span("not looked at yet", Role::Dim)]),
    }
    let scope = Scope::Entity(look.canonical.to_owned());
    for note in words::notes(cx, &[], &[Kind::Pod, Kind::Deployment], &scope) {
        flow.line(note.line);
    }
}

fn add_findings(look: &Look<'_>, findings: &[Arc<Finding>], flow: &mut Flow<Thing>) {
    for finding in findings {
        let sign = if finding.severity >= 6 { Sign::Error } else { Sign::Warn };
        let since = words::since(look.cx, finding.since);
        let name = format!("{} {}", sign.text(look.cx), finding.object.name);
        let thing =
            Thing::Evidence(finding.object.clone(), finding.container.clone(), finding.evidence.clone());
        flow.blank();
        flow.pieces(0, vec![Piece::thing(name, sign.role(), thing), Piece::text(since, Role::Dim)]);
        flow.indented(2, &finding.message, Role::Text);
        if !finding.cause.is_empty() {
            flow.indented(2, &finding.cause, Role::Dim);
        }
        for fix in &finding.fixes {
            flow.indented(2, &format!("- {fix}"), Role::Text);
        }
        let (words, _) = preview::evidence_words(look.cx, &finding.evidence);
        let key = look.cx.key(crate::app::commands::id::OPEN);
        flow.line(vec![span(format!("  {key}"), Role::Key), span(format!(" {words}"), Role::Dim)]);
    }
}

/// Clusters with their workloads, each with its pods; then services and ingresses.
fn tree(look: &Look<'_>, found: &[Found<'_>], flow: &mut Flow<Thing>) {
    if found.is_empty() {
        flow.text("no object of a cluster belongs to it", Role::Text);
        if let Some(entity) = &look.entity {
            let binding = Binding::of(entity, look.cx.kubernetes.locator);
            flow.pair("looked for", &binding.selector, 14, Role::Text);
            if let Some(namespace) = &binding.namespace {
                flow.pair("in namespace", namespace, 14, Role::Text);
            }
        }
        return;
    }
    let mut clusters: BTreeMap<&str, Vec<&Found<'_>>> = BTreeMap::new();
    for one in found {
        clusters.entry(&one.cluster.cluster.name).or_default().push(one);
    }
    for (name, objects) in clusters {
        let Some(cluster) = objects.first().map(|found| found.cluster) else { continue };
        flow.heading(name, &cluster.cluster.environment);
        let uids: FxHashMap<&str, &Found<'_>> = objects.iter().map(|one| (&*one.object.uid, *one)).collect();
        let root = |object: &Object| {
            let mut at = object.owners.iter().find_map(|owner| uids.get(&*owner.uid))?;
            for _ in 0..8 {
                match at.object.owners.iter().find_map(|owner| uids.get(&*owner.uid)) {
                    Some(above) => at = above,
                    None => break,
                }
            }
            Some(at.object.uid.clone())
        };
        let mut below: BTreeMap<Arc<str>, Vec<&Found<'_>>> = BTreeMap::new();
        for one in objects.iter().filter(|one| one.object.kind == Kind::Pod) {
            below.entry(root(one.object).unwrap_or_default()).or_default().push(one);
        }
        let is_root = |one: &&&Found<'_>| {
            !matches!(
                one.object.kind,
                Kind::Pod | Kind::Service | Kind::Ingress | Kind::HorizontalPodAutoscaler
            ) && root(one.object).is_none()
        };
        for one in objects.iter().filter(is_root) {
            workload_line(look, one, flow);
            for scaler in preview::scalers(cluster, one.object) {
                let Facts::Autoscaler(facts) = &scaler.facts else { continue };
                let words = format!(
                    "{} of {} to {} pods  cpu {}",
                    facts.current.map_or("?".to_owned(), |n| n.to_string()),
                    facts.min.unwrap_or(1),
                    facts.max,
                    words::target_percent(facts.cpu)
                );
                let at = rows::reference(&cluster.cluster.name, scaler);
                let name = format!("hpa/{}", scaler.name);
                flow.pieces(
                    4,
                    vec![Piece::thing(name, Role::Link, Thing::Object(at)), Piece::text(words, Role::Dim)],
                );
            }
            let pods = below.remove(&one.object.uid).unwrap_or_default();
            pod_lines(look, &pods, 4, flow);
        }
        let alone: Vec<&Found<'_>> = below.into_values().flatten().collect();
        pod_lines(look, &alone, 2, flow);
        for kind in EXTRA {
            for one in objects.iter().filter(|one| one.object.kind == kind) {
                let words = match &one.object.facts {
                    Facts::Service(service) => format!("{}  {}", service.kind, service.ports.join(", ")),
                    Facts::Ingress(ingress) => ingress.rules.join(", "),
                    _ => String::new(),
                };
                let short = kind.spec().and_then(|spec| spec.short.first().copied()).unwrap_or_default();
                let name = format!("{short}/{}", one.object.name);
                let mut pieces = vec![Piece::thing(name, Role::Link, Thing::Object(one.at()))];
                pieces.push(Piece::text(words, Role::Dim));
                flow.pieces(2, pieces);
            }
        }
    }
}

fn workload_line(look: &Look<'_>, one: &Found<'_>, flow: &mut Flow<Thing>) {
    let object = one.object;
    let short = object.kind.spec().and_then(|spec| spec.short.first().copied()).unwrap_or("job");
    let seen = Seen { cluster: one.cluster, object, now: look.cx.now };
    let (ready, wanted) = seen.ready();
    let numbers =
        if matches!(object.facts, Facts::CronJob(_)) { String::new() } else { format!("{ready}/{wanted}") };
    let status = cells::status_span(look.cx, object);
    let age = seen.age().map(age).unwrap_or_default();
    let images: Vec<&str> = seen.images().map(words::short_image).collect();
    let extra = if one.is_extra { "by its owner" } else { "" };
    let name = Piece::thing(format!("{short}/{}", object.name), Role::Link, Thing::Object(one.at()));
    let cells = (flow.width() / 3).clamp(16, 40);
    flow.columns(
        2,
        vec![
            (name, cells),
            (Piece::text(numbers, Role::Text), 6),
            (Piece { span: status, thing: None }, 18),
            (Piece::text(age, Role::Dim), 4),
            (Piece::text(format!("{} {extra}", images.join(", ")), Role::Dim), 0),
        ],
    );
}

fn pod_lines(look: &Look<'_>, pods: &[&Found<'_>], indent: usize, flow: &mut Flow<Thing>) {
    let mut pods: Vec<&&Found<'_>> = pods.iter().collect();
    pods.sort_by_key(|one| (status::of(one.object).tone, one.object.name.clone()));
    let cells = (flow.width() / 3 + 2).saturating_sub(indent).clamp(14, 40);
    for one in pods.iter().take(PODS) {
        let seen = Seen { cluster: one.cluster, object: one.object, now: look.cx.now };
        let (ready, wanted) = seen.ready();
        let restarts = seen.restarts();
        let restarts = if restarts > 0 { format!("{restarts} restarts") } else { String::new() };
        let memory = seen
            .used()
            .map(|used| format!("{} {}", words::cores(used.millicores), words::memory(used.memory)));
        let name = Piece::thing(&*one.object.name, Role::Text, Thing::Object(one.at()));
        flow.columns(
            indent,
            vec![
                (name, cells),
                (Piece::text(format!("{ready}/{wanted}"), Role::Text), 6),
                (Piece { span: cells::status_span(look.cx, one.object), thing: None }, 18),
                (Piece::text(seen.age().map(age).unwrap_or_default(), Role::Dim), 4),
                (Piece::text(format!("{restarts}  {}", memory.unwrap_or_default()), Role::Dim), 0),
            ],
        );
    }
    if pods.len() > PODS {
        flow.indented(indent, &format!("and {} more pods", pods.len() - PODS), Role::Dim);
    }
}

/// Adds to the header what runs where: `prod  checkout:v412  2h ago  1/3 ready`.
pub fn add_runs(look: &Look<'_>, flow: &mut Flow<Thing>) {
    if !applies(look) {
        return;
    }
    let cx = look.cx;
    let scope = Scope::Entity(look.canonical.to_owned());
    let kinds = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::ReplicaSet];
    let found = select::objects(&cx.kubernetes, &cx.catalog, &scope, &kinds);
    for (at, (cluster, line)) in deploys(cx.now.as_second(), &found).into_iter().enumerate() {
        let own = &cluster.cluster;
        let place = if own.environment.is_empty() { &own.name } else { &own.environment };
        let role = if own.is_protected { Role::Env } else { Role::Accent };
        let mut pieces = vec![Piece::thing(&**place, role, Thing::Tab(Tab::Kubernetes))];
        pieces.extend(line.into_iter().map(|span| Piece { span, thing: None }));
        flow.row(if at == 0 { "runs" } else { "" }, pieces);
    }
}

/// Clusters of an entity with the version that runs there, since when.
fn deploys<'a>(now: i64, found: &[Found<'a>]) -> Vec<(&'a ClusterState, Line)> {
    let mut out: Vec<(&ClusterState, Line)> = Vec::new();
    let is_workload = |one: &&Found<'_>| one.object.kind != Kind::ReplicaSet;
    for one in found.iter().filter(is_workload).take(8) {
        let Facts::Workload(workload) = &one.object.facts else { continue };
        // the newest replica set was made by the last rollout
        let newest = found
            .iter()
            .filter(|rs| rs.object.owners.iter().any(|owner| owner.uid == one.object.uid))
            .filter_map(|rs| rs.object.created)
            .max()
            .or(one.object.created);
        let images: Vec<&str> = workload.images.iter().map(|image| words::short_image(image)).collect();
        let since = newest.map(|at| words::ago_words(now - at.as_second()));
        let ready = format!("{}/{} ready", workload.ready, workload.desired.unwrap_or(1));
        let line = vec![
            span(images.join(", "), Role::Text),
            span(since.unwrap_or_default(), Role::Dim),
            span(ready, if workload.ready < workload.desired.unwrap_or(1) { Role::Warn } else { Role::Text }),
        ];
        out.push((one.cluster, line));
    }
    out
}
