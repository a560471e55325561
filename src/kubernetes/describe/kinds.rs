//! What each kind adds to a description.

use super::Beside;
use super::containers::{amounts, conditions, containers, duration, plain, volumes};
use super::page::Page;
use crate::kubernetes::ask::{list, number, pairs, selector, text, time};
use crate::kubernetes::events::is_ready;
use crate::kubernetes::kind::Kind;
use serde_json::Value;

/// Pods named below a workload.
const MAX_PODS: usize = 30;
/// Characters of a value of a config map.
const MAX_CONFIG: usize = 4000;

/// Writes everything between header and events.
pub fn body(page: &mut Page, kind: Kind, object: &Value, beside: &Beside) {
    match kind {
        Kind::Pod => pod(page, object),
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet => {
            workload(page, kind, object, beside);
        }
        Kind::Job => job(page, object, beside),
        Kind::CronJob => cron_job(page, object, beside),
        Kind::HorizontalPodAutoscaler => autoscaler(page, object),
        Kind::Service => service(page, object, beside.endpoints.as_ref()),
        Kind::Ingress => ingress(page, object),
        Kind::ConfigMap => config_map(page, object),
        Kind::Secret => secret(page, object),
        Kind::PersistentVolumeClaim | Kind::PersistentVolume => volume(page, object),
        Kind::LimitRange => limit_range(page, object),
        Kind::ResourceQuota => quota(page, object),
        Kind::Node => node(page, object),
        Kind::Event => {
            page.section("Event");
            for (name, at) in [("type", "/type"), ("reason", "/reason"), ("message", "/message")] {
                page.fact(name, text(object, at));
            }
        }
        Kind::Custom(_) => other(page, object),
    }
}

fn pod(page: &mut Page, pod: &Value) {
    page.section("Status");
    page.fact("phase", text(pod, "/status/phase"));
    page.fact("reason", text(pod, "/status/reason"));
    page.fact("message", text(pod, "/status/message"));
    page.fact("node", text(pod, "/spec/nodeName"));
    page.fact("address", text(pod, "/status/podIP"));
    page.time("started", time(pod, "/status/startTime"));
    page.fact("quality", text(pod, "/status/qosClass"));
    page.fact("account", text(pod, "/spec/serviceAccountName"));
    page.fact("priority class", text(pod, "/spec/priorityClassName"));
    page.fact("restart policy", text(pod, "/spec/restartPolicy"));
    let chosen = pairs(pod, "/spec/nodeSelector");
    page.fact("node selector", joined(chosen.iter().map(|(key, value)| format!("{key}={value}"))));
    if let Some(spec) = pod.get("spec") {
        containers(page, spec, pod.get("status"));
    }
    conditions(page, pod);
    if let Some(spec) = pod.get("spec") {
        volumes(page, spec);
    }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.take(100).collect::<Vec<_>>().join(", ")
}

fn template(page: &mut Page, template: &Value) {
    let Some(spec) = template.get("spec") else { return };
    containers(page, spec, None);
    volumes(page, spec);
}

fn workload(page: &mut Page, kind: Kind, object: &Value, beside: &Beside) {
    page.section("Status");
    let of = |at: &str| number(object, at).unwrap_or(0);
    let (wanted, [ready, updated, available]) = if kind == Kind::DaemonSet {
        let names = ["/status/numberReady", "/status/updatedNumberScheduled", "/status/numberAvailable"];
        (of("/status/desiredNumberScheduled"), names)
    } else {
        let names = ["/status/readyReplicas", "/status/updatedReplicas", "/status/availableReplicas"];
        (number(object, "/spec/replicas").unwrap_or(1), names)
    };
    let mut words = vec![format!("{} of {wanted} ready", of(ready))];
    // older servers do not count the available ones of a StatefulSet: absent is not none
    words.extend(number(object, available).map(|count| format!("{count} available")));
    words.extend(number(object, updated).map(|count| format!("{count} of the newest template")));
    page.fact("pods", words.join(", "));
    let strategy = ["/spec/strategy/type", "/spec/updateStrategy/type"];
    page.fact("strategy", strategy.iter().map(|at| text(object, at)).find(|t| !t.is_empty()).unwrap_or(""));
    let rolling = ["/spec/strategy/rollingUpdate", "/spec/updateStrategy/rollingUpdate"];
    page.fact(
        "rolling update",
        rolling.iter().map(|at| amounts(object, at)).find(|t| !t.is_empty()).unwrap_or_default(),
    );
    if object.pointer("/spec/paused").and_then(Value::as_bool) == Some(true) {
        page.fact("paused", "yes: changes of the template wait");
    }
    let (made, seen) = (number(object, "/metadata/generation"), number(object, "/status/observedGeneration"));
    if let (Some(made), Some(seen)) = (made, seen)
        && seen < made
    {
        page.fact("behind", format!("the controller has seen generation {seen} of {made}"));
    }
    page.fact("selector", selector(object).unwrap_or_default());
    page.fact("service", text(object, "/spec/serviceName"));
    pods(page, beside);
    if let Some(found) = object.pointer("/spec/template") {
        template(page, found);
    }
    conditions(page, object);
}

fn pods(page: &mut Page, beside: &Beside) {
    let all: Vec<&Value> =
        beside.owned.iter().filter(|(kind, _)| *kind == Kind::Pod).map(|(_, pod)| pod).collect();
    if all.is_empty() {
        return;
    }
    page.section(&format!("Pods ({})", all.len()));
    for pod in all.iter().take(MAX_PODS) {
        let statuses = list(pod, "/status/containerStatuses");
        let restarts: i64 = statuses.iter().filter_map(|status| number(status, "/restartCount")).sum();
        let reason = statuses.iter().find_map(|status| {
            let of = |at: &str| Some(text(status, at)).filter(|reason| !reason.is_empty());
            of("/state/waiting/reason").or_else(|| of("/state/terminated/reason"))
        });
        let word = if is_ready(pod) { "ready" } else { reason.unwrap_or("not ready") };
        let restarts = if restarts > 0 { format!(", {restarts} restarts") } else { String::new() };
        let age = time(pod, "/metadata/creationTimestamp").map(|at| page.age(at)).unwrap_or_default();
        let node = text(pod, "/spec/nodeName");
        page.line(&format!("{}  {word}{restarts}, {age}, {node}", text(pod, "/metadata/name")));
    }
    if all.len() > MAX_PODS {
        page.line(&format!("and {} more", all.len() - MAX_PODS));
    }
}

fn job(page: &mut Page, job: &Value, beside: &Beside) {
    page.section("Status");
    page.number("completions", number(job, "/spec/completions"));
    page.number("parallelism", number(job, "/spec/parallelism"));
    page.number("tries", number(job, "/spec/backoffLimit"));
    let of = |at: &str| number(job, at).unwrap_or(0);
    let (active, succeeded, failed) = (of("/status/active"), of("/status/succeeded"), of("/status/failed"));
    page.fact("pods", format!("{active} active, {succeeded} succeeded, {failed} failed"));
    let (from, to) = (time(job, "/status/startTime"), time(job, "/status/completionTime"));
    page.time("started", from);
    page.time("finished", to);
    if let (Some(from), Some(to)) = (from, to) {
        page.fact("took", duration(to.as_second() - from.as_second()));
    }
    if job.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true) {
        page.fact("suspended", "yes");
    }
    pods(page, beside);
    if let Some(found) = job.pointer("/spec/template") {
        template(page, found);
    }
    conditions(page, job);
}

fn cron_job(page: &mut Page, job: &Value, beside: &Beside) {
    page.section("Schedule");
    page.fact("schedule", text(job, "/spec/schedule"));
    page.fact("time zone", text(job, "/spec/timeZone"));
    let is_suspended = job.pointer("/spec/suspend").and_then(Value::as_bool) == Some(true);
    page.fact("suspended", if is_suspended { "yes: no jobs are made" } else { "no" });
    page.fact("at once", text(job, "/spec/concurrencyPolicy"));
    page.number("late at most", number(job, "/spec/startingDeadlineSeconds"));
    page.time("last job", time(job, "/status/lastScheduleTime"));
    page.time("last success", time(job, "/status/lastSuccessfulTime"));
    let active = list(job, "/status/active").iter().map(|of| text(of, "/name").to_owned());
    page.fact("running", joined(active));
    let jobs: Vec<&Value> =
        beside.owned.iter().filter(|(kind, _)| *kind == Kind::Job).map(|(_, job)| job).collect();
    if !jobs.is_empty() {
        page.section("Jobs");
    }
    for job in jobs {
        let is = |name: &str| {
            let mut all = list(job, "/status/conditions").iter();
            all.any(|of| text(of, "/type") == name && text(of, "/status") == "True")
        };
        let word = match (is("Complete"), is("Failed")) {
            (true, _) => "succeeded",
            (_, true) => "failed",
            _ => "running",
        };
        let age = time(job, "/metadata/creationTimestamp").map(|at| page.age(at)).unwrap_or_default();
        page.line(&format!("{}  {word}, {age}", text(job, "/metadata/name")));
    }
    if let Some(found) = job.pointer("/spec/jobTemplate/spec/template") {
        template(page, found);
    }
}

fn autoscaler(page: &mut Page, object: &Value) {
    page.section("Scaling");
    let target = format!(
        "{} {}",
        text(object, "/spec/scaleTargetRef/kind"),
        text(object, "/spec/scaleTargetRef/name")
    );
    page.fact("target", target.trim());
    let (min, max) = (number(object, "/spec/minReplicas").unwrap_or(1), number(object, "/spec/maxReplicas"));
    page.fact("bounds", format!("{min} to {}", max.map_or_else(|| "?".to_owned(), |max| max.to_string())));
    let (now, wanted) =
        (number(object, "/status/currentReplicas"), number(object, "/status/desiredReplicas"));
    page.number("pods now", now);
    page.number("pods wanted", wanted);
    if now.is_some() && now == max {
        page.line("it is at its upper bound: it cannot grow further");
    }
    page.time("last scaled", time(object, "/status/lastScaleTime"));
    let wanted = list(object, "/spec/metrics");
    let current = list(object, "/status/currentMetrics");
    for (at, metric) in wanted.iter().enumerate() {
        let kind = text(metric, "/type");
        let inner = format!(
            "/{}{}",
            kind.get(..1).unwrap_or_default().to_lowercase(),
            kind.get(1..).unwrap_or_default()
        );
        let part = |of: Option<&Value>, what: &str| {
            let found = of.and_then(|of| of.pointer(&format!("{inner}/{what}")))?;
            let found = found.as_object()?.iter().find(|(key, _)| *key != "type")?;
            let percent = if found.0 == "averageUtilization" { "%" } else { "" };
            Some(format!("{}{percent}", plain(Some(found.1))))
        };
        let name = [format!("{inner}/name"), format!("{inner}/metric/name")];
        let name = name.iter().map(|at| text(metric, at)).find(|name| !name.is_empty()).unwrap_or(kind);
        let now = part(current.get(at), "current").unwrap_or_else(|| "unknown".to_owned());
        page.fact(name, format!("{now} of {}", part(Some(metric), "target").unwrap_or_default()));
    }
    conditions(page, object);
}

fn service(page: &mut Page, service: &Value, endpoints: Option<&Value>) {
    page.section("Service");
    page.fact("type", text(service, "/spec/type"));
    page.fact("address", text(service, "/spec/clusterIP"));
    page.fact("external name", text(service, "/spec/externalName"));
    let outside = list(service, "/status/loadBalancer/ingress").iter();
    let outside = outside.map(|of| [text(of, "/ip"), text(of, "/hostname")].concat());
    page.fact("outside", joined(outside));
    for port in list(service, "/spec/ports") {
        let node = number(port, "/nodePort").map(|node| format!(", node port {node}")).unwrap_or_default();
        let protocol = Some(text(port, "/protocol")).filter(|p| !p.is_empty()).unwrap_or("TCP");
        let name = Some(text(port, "/name")).filter(|name| !name.is_empty()).unwrap_or("port");
        let (from, to) = (plain(port.get("port")), plain(port.get("targetPort")));
        page.fact(name, format!("{from} → {to} {protocol}{node}"));
    }
    page.fact("selector", selector(service).unwrap_or_default());
    page.fact(
        "affinity",
        Some(text(service, "/spec/sessionAffinity")).filter(|a| *a != "None").unwrap_or(""),
    );
    let Some(endpoints) = endpoints else { return };
    page.section("Endpoints");
    let mut count = 0;
    for subset in list(endpoints, "/subsets") {
        let ports: Vec<String> = list(subset, "/ports").iter().map(|port| plain(port.get("port"))).collect();
        for (at, word) in [("/addresses", ""), ("/notReadyAddresses", ", not ready")] {
            for address in list(subset, at) {
                count += 1;
                if count <= MAX_PODS {
                    let of = text(address, "/targetRef/name");
                    page.line(&format!("{}:{} {of}{word}", text(address, "/ip"), ports.join(",")));
                }
            }
        }
    }
    match count {
        0 => page.line("none: no ready pod has the labels of the selector"),
        count if count > MAX_PODS => page.line(&format!("and {} more", count - MAX_PODS)),
        _ => {}
    }
}

fn ingress(page: &mut Page, ingress: &Value) {
    page.section("Routes");
    page.fact("class", text(ingress, "/spec/ingressClassName"));
    for rule in list(ingress, "/spec/rules") {
        let host = Some(text(rule, "/host")).filter(|host| !host.is_empty()).unwrap_or("*");
        for path in list(rule, "/http/paths") {
            page.fact(&format!("{host}{}", text(path, "/path")), backend(path.get("backend")));
        }
    }
    page.fact("otherwise", backend(ingress.pointer("/spec/defaultBackend")));
    for tls in list(ingress, "/spec/tls") {
        let hosts = list(tls, "/hosts").iter().filter_map(Value::as_str).map(str::to_owned);
        page.fact("certificate", format!("secret `{}` for {}", text(tls, "/secretName"), joined(hosts)));
    }
    let outside = list(ingress, "/status/loadBalancer/ingress").iter();
    page.fact("addresses", joined(outside.map(|of| [text(of, "/ip"), text(of, "/hostname")].concat())));
}

fn backend(backend: Option<&Value>) -> String {
    let Some(backend) = backend else { return String::new() };
    if let Some(service) = backend.get("service") {
        let port = service.pointer("/port/number").or_else(|| service.pointer("/port/name"));
        return format!("→ {}:{}", text(service, "/name"), plain(port));
    }
    match text(backend, "/serviceName") {
        "" => format!("→ {} {}", text(backend, "/resource/kind"), text(backend, "/resource/name")),
        name => format!("→ {name}:{}", plain(backend.get("servicePort"))),
    }
}

fn config_map(page: &mut Page, object: &Value) {
    page.section("Data");
    let data = pairs(object, "/data");
    for (key, value) in &data {
        page.line(&format!("{key} ({} bytes)", value.len()));
        page.inside(|page| {
            let shown: String = value.chars().take(MAX_CONFIG).collect();
            shown.lines().take(100).for_each(|line| page.line(line));
        });
    }
    let binary = pairs(object, "/binaryData");
    for (key, value) in &binary {
        page.line(&format!("{key} (about {} bytes, binary)", value.len() / 4 * 3));
    }
    if data.is_empty() && binary.is_empty() {
        page.line("it is empty");
    }
}

fn secret(page: &mut Page, object: &Value) {
    page.section("Data");
    page.fact("type", text(object, "/type"));
    for (key, value) in pairs(object, "/data") {
        let padding = value.bytes().rev().take_while(|byte| *byte == b'=').count();
        page.fact(key, format!("*** ({} bytes)", (value.len() / 4 * 3).saturating_sub(padding)));
    }
}

fn volume(page: &mut Page, object: &Value) {
    page.section("Storage");
    page.fact("phase", text(object, "/status/phase"));
    page.fact("reason", text(object, "/status/reason"));
    page.fact("message", text(object, "/status/message"));
    page.fact("wanted", amounts(object, "/spec/resources/requests"));
    let there = ["/status/capacity", "/spec/capacity"];
    page.fact(
        "there",
        there.iter().map(|at| amounts(object, at)).find(|t| !t.is_empty()).unwrap_or_default(),
    );
    page.fact("class", text(object, "/spec/storageClassName"));
    page.fact("volume", text(object, "/spec/volumeName"));
    let claim = [text(object, "/spec/claimRef/namespace"), text(object, "/spec/claimRef/name")].join("/");
    page.fact("claim", claim.trim_matches('/'));
    let modes = list(object, "/spec/accessModes").iter().filter_map(Value::as_str).map(str::to_owned);
    page.fact("access", joined(modes));
    page.fact("kept after", text(object, "/spec/persistentVolumeReclaimPolicy"));
    conditions(page, object);
}

fn limit_range(page: &mut Page, object: &Value) {
    for limit in list(object, "/spec/limits") {
        page.section(&format!("Limits of a {}", text(limit, "/type").to_lowercase()));
        for (name, at) in [
            ("at least", "/min"),
            ("at most", "/max"),
            ("request if none", "/defaultRequest"),
            ("limit if none", "/default"),
        ] {
            page.fact(name, amounts(limit, at));
        }
    }
}

fn quota(page: &mut Page, object: &Value) {
    page.section("Used of what is allowed");
    let used = pairs(object, "/status/used");
    for (key, hard) in pairs(object, "/status/hard") {
        let used = used.iter().find(|(other, _)| *other == key).map_or("0", |(_, value)| value.as_ref());
        page.fact(key, format!("{used} of {hard}"));
    }
}

fn node(page: &mut Page, node: &Value) {
    page.section("Node");
    page.fact("version", text(node, "/status/nodeInfo/kubeletVersion"));
    page.fact("system", text(node, "/status/nodeInfo/osImage"));
    page.fact("runtime", text(node, "/status/nodeInfo/containerRuntimeVersion"));
    let addresses = list(node, "/status/addresses").iter();
    let addresses = addresses.map(|of| format!("{} {}", text(of, "/type"), text(of, "/address")));
    page.fact("addresses", addresses.collect::<Vec<_>>().join("\n"));
    if node.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
        page.fact("cordoned", "yes: no new pods come here");
    }
    let taints = list(node, "/spec/taints").iter();
    let taints = taints.map(|of| match text(of, "/value") {
        "" => format!("{}:{}", text(of, "/key"), text(of, "/effect")),
        value => format!("{}={value}:{}", text(of, "/key"), text(of, "/effect")),
    });
    page.fact("taints", taints.collect::<Vec<_>>().join("\n"));
    page.fact("for pods", amounts(node, "/status/allocatable"));
    page.fact("capacity", amounts(node, "/status/capacity"));
    conditions(page, node);
}

/// Custom resources: what people wrote and what the controller says, as YAML.
fn other(page: &mut Page, object: &Value) {
    if let Some(found) = object.pointer("/spec/template") {
        template(page, found);
    }
    conditions(page, object);
    for part in ["spec", "status"] {
        let Some(value) = object.get(part) else { continue };
        let Ok(text) = serde_yaml::to_string(value) else { continue };
        page.section(part);
        text.lines().take(400).for_each(|line| page.line(line));
    }
}
