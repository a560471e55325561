//! Kinds that run nothing: services, ingresses, volumes, nodes, events, keys, quotas, custom resources.

use super::part::{LONGEST_LIST, Part, cut};
use super::pod::amounts;
use super::pool::Pool;
use super::raw::Raw;
use super::workload::pairs;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{Event, Ingress, Keys, Node, Service, Volume};
use crate::kubernetes::quantity;
use std::sync::Arc;

/// Lines of an object of an unknown kind that are kept.
const MOST_PAIRS: usize = 32;
/// Values of an object of an unknown kind are cut here, in bytes.
const LONGEST_VALUE: usize = 200;

type Pairs = Box<[(Box<str>, Box<str>)]>;

pub fn keys(kind: Kind, raw: &Raw, pool: &Pool) -> Keys {
    let is_base64 = |is_binary: bool| is_binary || kind == Kind::Secret;
    let size = |decoded, length, is_binary| if is_base64(is_binary) { decoded } else { length };
    let mut sizes: Vec<(Box<str>, usize)> = raw
        .values
        .iter()
        .map(|value| (super::cut_word(&value.key).into(), size(value.decoded, value.length, value.is_binary)))
        .collect();
    sizes.sort_unstable();
    let kind_word = if kind == Kind::Secret { raw.part().shared("type", pool) } else { "".into() };
    Keys { kind: kind_word, sizes: sizes.into(), expires: raw.expires }
}

pub fn service(part: Part<'_>, pool: &Pool) -> Service {
    let spec = part.at("spec");
    let addresses = spec.list("externalIPs").filter_map(Part::text).map(Box::from);
    let name = Some(spec.word("externalName")).filter(|name| !name.is_empty()).map(Box::from);
    Service {
        kind: spec.shared("type", pool),
        cluster_ip: spec.word("clusterIP").into(),
        external: balancer(part).chain(addresses).chain(name).take(LONGEST_LIST).collect(),
        ports: spec.list("ports").map(service_port).collect(),
        selector: pool.share(&pairs(spec, "selector")),
    }
}

/// Addresses that a load balancer gave.
fn balancer<'a>(part: Part<'a>) -> impl Iterator<Item = Box<str>> + 'a {
    let entries = part.at("status").at("loadBalancer").list("ingress");
    let address = |entry: Part<'a>| entry.at("ip").text().or_else(|| entry.at("hostname").text());
    entries.filter_map(address).map(|address| super::cut_word(address).into())
}

fn service_port(part: Part<'_>) -> Box<str> {
    let number = |key: &str| part.at(key).scalar().unwrap_or_default();
    let (port, target, node) = (number("port"), number("targetPort"), number("nodePort"));
    let mut text = port.clone();
    if !target.is_empty() && target != port {
        text = format!("{port}→{target}");
    }
    if !node.is_empty() && node != "0" {
        text = format!("{text}:{node}");
    }
    let protocol = part.word("protocol");
    text = format!("{text}/{}", if protocol.is_empty() { "TCP" } else { protocol });
    let name = part.word("name");
    let text = if name.is_empty() { text } else { format!("{text} {name}") };
    text.into()
}

pub fn ingress(part: Part<'_>, pool: &Pool) -> Ingress {
    let spec = part.at("spec");
    let mut rules: Vec<Box<str>> = Vec::new();
    for rule in spec.list("rules") {
        let host = if rule.word("host").is_empty() { "*" } else { rule.word("host") };
        for path in rule.at("http").list("paths") {
            rules.push(format!("{host}{} → {}", path.word("path"), backend(path.at("backend"))).into());
        }
        if rule.at("http").list("paths").len() == 0 {
            rules.push(host.into());
        }
    }
    let fallback = [spec.at("defaultBackend"), spec.at("backend")].into_iter().find(|part| part.is_there());
    rules.extend(fallback.map(|part| format!("* → {}", backend(part)).into()));
    rules.truncate(LONGEST_LIST);
    Ingress {
        class: spec.shared("ingressClassName", pool),
        rules: rules.into(),
        tls: spec.list("tls").flat_map(certificates).take(LONGEST_LIST).collect(),
        addresses: balancer(part).collect(),
    }
}

fn certificates(part: Part<'_>) -> Vec<(Box<str>, Box<str>)> {
    let secret = part.word("secretName");
    let hosts: Vec<&str> = part.list("hosts").filter_map(Part::text).map(super::cut_word).collect();
    let hosts = if hosts.is_empty() { vec!["*"] } else { hosts };
    hosts.into_iter().map(|host| (host.into(), secret.into())).collect()
}

/// `pay:80`; before networking.k8s.io/v1 the names stood one level higher.
fn backend(part: Part<'_>) -> String {
    let service = part.at("service");
    if service.is_there() {
        let port = service.at("port");
        let port = port.at("name").scalar().or_else(|| port.at("number").scalar()).unwrap_or_default();
        return format!("{}:{port}", service.word("name"));
    }
    if part.at("serviceName").is_there() {
        return format!(
            "{}:{}",
            part.word("serviceName"),
            part.at("servicePort").scalar().unwrap_or_default()
        );
    }
    let resource = part.at("resource");
    format!("{}/{}", resource.word("kind"), resource.word("name"))
}

pub fn volume(part: Part<'_>, pool: &Pool) -> Volume {
    let (spec, status) = (part.at("spec"), part.at("status"));
    // What is there counts before what is wanted; a volume names its capacity in its spec.
    let capacity = [status.at("capacity"), spec.at("capacity"), spec.at("resources").at("requests")]
        .into_iter()
        .find_map(|part| part.at("storage").scalar());
    let claim = spec.at("claimRef");
    let bound = if claim.is_there() {
        format!("{}/{}", claim.word("namespace"), claim.word("name"))
    } else {
        spec.word("volumeName").to_owned()
    };
    Volume {
        phase: status.shared("phase", pool),
        capacity: capacity.and_then(|text| quantity::bytes(&text)).unwrap_or_default(),
        class: spec.shared("storageClassName", pool),
        bound: bound.into(),
        modes: spec.list("accessModes").filter_map(Part::text).map(|mode| pool.share(mode)).collect(),
    }
}

pub fn node(part: Part<'_>, pool: &Pool) -> Node {
    let status = part.at("status");
    let role = |(key, value): (&str, Part<'_>)| {
        let role = key.strip_prefix("node-role.kubernetes.io/").map(str::to_owned);
        role.or_else(|| (key == "kubernetes.io/role").then(|| value.scalar()).flatten())
    };
    let mut roles: Vec<Arc<str>> = part
        .at("metadata")
        .map("labels")
        .filter_map(role)
        .map(|role| pool.share(super::cut_word(&role)))
        .collect();
    roles.sort_unstable();
    roles.dedup();
    Node {
        version: status.at("nodeInfo").shared("kubeletVersion", pool),
        is_cordoned: part.at("spec").flag("unschedulable"),
        roles: roles.into(),
        allocatable: amounts(status.at("allocatable")),
        conditions: super::conditions(status, pool),
    }
}

/// Reads an event of v1 or of events.k8s.io/v1.
pub fn event(part: Part<'_>, pool: &Pool) -> Event {
    let about = [part.at("involvedObject"), part.at("regarding")]
        .into_iter()
        .find(|about| about.is_there())
        .unwrap_or(Part(None));
    let series = part.at("series");
    let time = |keys: [&str; 3]| keys.into_iter().find_map(|key| part.time(key));
    let first = time(["firstTimestamp", "eventTime", "deprecatedFirstTimestamp"]);
    let last = series
        .time("lastObservedTime")
        .or_else(|| time(["lastTimestamp", "deprecatedLastTimestamp", "eventTime"]))
        .or(first);
    let count = [series.count("count"), part.count("count"), part.count("deprecatedCount")];
    let source = [part.word("reportingComponent"), part.word("reportingController")];
    let source = source.into_iter().find(|word| !word.is_empty());
    Event {
        severity: part.shared("type", pool),
        reason: part.shared("reason", pool),
        message: part.message("message").or_else(|| part.message("note")).unwrap_or_default(),
        count: count.into_iter().find(|count| *count > 0).unwrap_or(1),
        first,
        last: last.or_else(|| part.at("metadata").time("creationTimestamp")),
        about: (about.shared("kind", pool), about.shared("name", pool), about.shared("uid", pool)),
        source: pool.share(source.unwrap_or_else(|| part.at("source").word("component"))),
    }
}

/// Limits per type and resource: `Container cpu` is `min 100m, default 200m, max 2`.
pub fn limits(part: Part<'_>) -> Pairs {
    const WORDS: &[(&str, &str)] =
        &[("min", "min"), ("defaultRequest", "request"), ("default", "limit"), ("max", "max")];
    let mut pairs: Vec<(Box<str>, Box<str>)> = Vec::new();
    for limit in part.at("spec").list("limits") {
        let mut resources: Vec<&str> =
            WORDS.iter().flat_map(|(key, _)| limit.map(key).map(|(name, _)| name)).collect();
        resources.sort_unstable();
        resources.dedup();
        for resource in resources {
            let said: Vec<String> = WORDS
                .iter()
                .filter_map(|(key, word)| Some(format!("{word} {}", limit.at(key).at(resource).scalar()?)))
                .collect();
            pairs.push((format!("{} {resource}", limit.word("type")).into(), said.join(", ").into()));
        }
    }
    pairs.truncate(MOST_PAIRS);
    pairs.into()
}

/// Quotas as `requests.cpu` is `1 of 2`.
pub fn quota(part: Part<'_>) -> Pairs {
    let status = part.at("status");
    let hard = if status.at("hard").is_there() { status } else { part.at("spec") };
    let pair = |(name, value): (&str, Part<'_>)| {
        let used = status.at("used").at(name).scalar().unwrap_or_else(|| "?".to_owned());
        let hard = value.scalar().unwrap_or_default();
        (super::cut_word(name).into(), format!("{used} of {hard}").into())
    };
    hard.map("hard").map(pair).take(MOST_PAIRS).collect()
}

/// What can be said of an object of any kind: plain values of its status and spec by path, and its conditions.
pub fn custom(part: Part<'_>) -> Pairs {
    let mut pairs: Vec<(Box<str>, Box<str>)> = Vec::new();
    for place in ["status", "spec"] {
        for (key, value) in part.map(place) {
            let Some(text) = value.scalar() else { continue };
            pairs
                .push((format!("{place}.{}", super::cut_word(key)).into(), cut(&text, LONGEST_VALUE).into()));
        }
    }
    for condition in part.at("status").list("conditions") {
        let (status, reason) = (condition.word("status"), condition.word("reason"));
        let message = condition.word("message");
        let said = [status, reason, message].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
        pairs.push((condition.word("type").into(), cut(&said.join(" · "), LONGEST_VALUE).into()));
    }
    pairs.truncate(MOST_PAIRS);
    pairs.into()
}
