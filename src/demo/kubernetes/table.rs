//! Objects as rows, as `kubectl get` asks for them.

use super::clock;
use super::cluster::{condition, is_deleting, text};
use super::resource::R;
use super::store::Entry;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Columns of a kind: name, type, and whether it shows only when asked for more.
type Columns = &'static [(&'static str, &'static str, bool)];

const S: &str = "string";
const I: &str = "integer";

fn columns(kind: R) -> Columns {
    match kind {
        R::Pod => &[
            ("Ready", S, false),
            ("Status", S, false),
            ("Restarts", S, false),
            ("Age", S, false),
            ("IP", S, true),
            ("Node", S, true),
            ("Nominated Node", S, true),
            ("Readiness Gates", S, true),
        ],
        R::Deployment => &[
            ("Ready", S, false),
            ("Up-to-date", I, false),
            ("Available", I, false),
            ("Age", S, false),
            ("Containers", S, true),
            ("Images", S, true),
            ("Selector", S, true),
        ],
        R::ReplicaSet => &[
            ("Desired", I, false),
            ("Current", I, false),
            ("Ready", I, false),
            ("Age", S, false),
            ("Containers", S, true),
            ("Images", S, true),
            ("Selector", S, true),
        ],
        R::StatefulSet => {
            &[("Ready", S, false), ("Age", S, false), ("Containers", S, true), ("Images", S, true)]
        }
        R::DaemonSet => &[
            ("Desired", I, false),
            ("Current", I, false),
            ("Ready", I, false),
            ("Up-to-date", I, false),
            ("Available", I, false),
            ("Node Selector", S, false),
            ("Age", S, false),
            ("Containers", S, true),
            ("Images", S, true),
            ("Selector", S, true),
        ],
        R::Job => &[
            ("Status", S, false),
            ("Completions", S, false),
            ("Duration", S, false),
            ("Age", S, false),
            ("Containers", S, true),
            ("Images", S, true),
            ("Selector", S, true),
        ],
        R::CronJob => &[
            ("Schedule", S, false),
            ("Timezone", S, false),
            ("Suspend", S, false),
            ("Active", I, false),
            ("Last Schedule", S, false),
            ("Age", S, false),
        ],
        R::HorizontalPodAutoscaler => &[
            ("Reference", S, false),
            ("Targets", S, false),
            ("MinPods", S, false),
            ("MaxPods", S, false),
            ("Replicas", S, false),
            ("Age", S, false),
        ],
        R::Node => &[
            ("Status", S, false),
            ("Roles", S, false),
            ("Age", S, false),
            ("Version", S, false),
            ("Internal-IP", S, true),
            ("External-IP", S, true),
            ("OS-Image", S, true),
            ("Kernel-Version", S, true),
            ("Container-Runtime", S, true),
        ],
        R::Service => &[
            ("Type", S, false),
            ("Cluster-IP", S, false),
            ("External-IP", S, false),
            ("Port(s)", S, false),
            ("Age", S, false),
            ("Selector", S, true),
        ],
        R::Ingress => &[
            ("Class", S, false),
            ("Hosts", S, false),
            ("Address", S, false),
            ("Ports", S, false),
            ("Age", S, false),
        ],
        R::Event => &[
            ("Last Seen", S, false),
            ("Type", S, false),
            ("Reason", S, false),
            ("Object", S, false),
            ("Subobject", S, true),
            ("Source", S, true),
            ("Message", S, false),
            ("First Seen", S, true),
            ("Count", S, true),
        ],
        R::PersistentVolumeClaim => &[
            ("Status", S, false),
            ("Volume", S, false),
            ("Capacity", S, false),
            ("Access Modes", S, false),
            ("StorageClass", S, false),
            ("Age", S, false),
        ],
        R::Namespace => &[("Status", S, false), ("Age", S, false)],
        R::ConfigMap => &[("Data", S, false), ("Age", S, false)],
        R::Secret => &[("Type", S, false), ("Data", S, false), ("Age", S, false)],
        R::PodDisruptionBudget => &[
            ("Min Available", S, false),
            ("Max Unavailable", S, false),
            ("Allowed Disruptions", I, false),
            ("Age", S, false),
        ],
        _ => &[("Age", S, false)],
    }
}

/// Returns objects as a `Table`.
pub fn of(kind: R, entries: &[Arc<Entry>], now: Timestamp, metadata: Option<Value>) -> Value {
    let column = |name: &str, of: &str, format: &str, is_wide: bool| json!({"name": name, "type": of, "format": format, "description": "", "priority": i32::from(is_wide)});
    let mut definitions = vec![column("Name", S, "name", false)];
    definitions.extend(columns(kind).iter().map(|(name, of, is_wide)| column(name, of, "", *is_wide)));
    let rows: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let object = entry.value();
            let mut cells = vec![object["metadata"]["name"].clone()];
            cells.extend(self::cells(kind, &object, now));
            json!({"cells": cells, "object": super::read::only_metadata(&object)})
        })
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata.unwrap_or_else(|| json!({})),
           "columnDefinitions": definitions, "rows": rows})
}

fn none_or(text: &str) -> Value {
    if text.is_empty() { "<none>".into() } else { text.into() }
}

fn cells(kind: R, object: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&object["spec"], &object["status"]);
    let age: Value = since(&object["metadata"]["creationTimestamp"], now).into();
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let template = &spec["template"]["spec"];
    let wide = [names(template, "name"), names(template, "image"), labels(&spec["selector"]["matchLabels"])];
    let [containers, images, selector] = wide.map(Value::from);
    let ready = || format!("{}/{}", number(&status["readyReplicas"]), number(&spec["replicas"])).into();
    match kind {
        R::Pod => {
            let (ready, total, restarts) = pod_counts(object, now);
            vec![
                format!("{ready}/{total}").into(),
                pod_status(object).into(),
                restarts.into(),
                age,
                none_or(text(&status["podIP"])),
                none_or(text(&spec["nodeName"])),
                none_or(""),
                none_or(""),
            ]
        }
        R::Deployment => vec![
            ready(),
            number(&status["updatedReplicas"]).into(),
            number(&status["availableReplicas"]).into(),
            age,
            containers,
            images,
            selector,
        ],
        R::ReplicaSet => vec![
            number(&spec["replicas"]).into(),
            number(&status["replicas"]).into(),
            number(&status["readyReplicas"]).into(),
            age,
            containers,
            images,
            selector,
        ],
        R::StatefulSet => vec![ready(), age, containers, images],
        R::DaemonSet => {
            let counts = [
                "desiredNumberScheduled",
                "currentNumberScheduled",
                "numberReady",
                "updatedNumberScheduled",
                "numberAvailable",
            ];
            let mut cells: Vec<Value> = counts.iter().map(|key| number(&status[*key]).into()).collect();
            cells.extend([none_or(&labels(&template["nodeSelector"])), age, containers, images, selector]);
            cells
        }
        R::Job => {
            let state = if condition(object, "Complete") == "True" {
                "Complete"
            } else if condition(object, "Failed") == "True" {
                "Failed"
            } else {
                "Running"
            };
            let done = format!("{}/{}", number(&status["succeeded"]), number(&spec["completions"]));
            let end = clock::parse(&status["completionTime"]).unwrap_or(now);
            let took = clock::parse(&status["startTime"])
                .map_or(String::new(), |start| span(clock::between(start, end)));
            vec![state.into(), done.into(), took.into(), age, containers, images, selector]
        }
        R::CronJob => {
            let last = since(&status["lastScheduleTime"], now);
            let suspend = if spec["suspend"] == true { "True" } else { "False" };
            let active = status["active"].as_array().map_or(0, Vec::len);
            let zone = none_or(text(&spec["timeZone"]));
            let last = if last == "<unknown>" { none_or("") } else { last.into() };
            vec![spec["schedule"].clone(), zone, suspend.into(), active.into(), last, age]
        }
        R::HorizontalPodAutoscaler => {
            let target = &spec["scaleTargetRef"];
            let metric = &status["currentMetrics"][0]["resource"]["current"]["averageUtilization"];
            let current = metric.as_i64().map_or("<unknown>".to_owned(), |percent| format!("{percent}%"));
            let wanted = &spec["metrics"][0]["resource"]["target"]["averageUtilization"];
            vec![
                format!("{}/{}", text(&target["kind"]), text(&target["name"])).into(),
                format!("cpu: {current}/{wanted}%").into(),
                spec["minReplicas"].to_string().into(),
                spec["maxReplicas"].to_string().into(),
                number(&status["currentReplicas"]).to_string().into(),
                age,
            ]
        }
        R::Node => {
            let mut state =
                if condition(object, "Ready") == "True" { "Ready" } else { "NotReady" }.to_owned();
            if spec["unschedulable"] == true {
                state.push_str(",SchedulingDisabled");
            }
            let roles = object["metadata"]["labels"].as_object().into_iter().flatten();
            let roles: Vec<&str> =
                roles.filter_map(|(key, _)| key.strip_prefix("node-role.kubernetes.io/")).collect();
            let info = &status["nodeInfo"];
            vec![
                state.into(),
                none_or(&roles.join(",")),
                age,
                info["kubeletVersion"].clone(),
                status["addresses"][0]["address"].clone(),
                none_or(""),
                info["osImage"].clone(),
                info["kernelVersion"].clone(),
                info["containerRuntimeVersion"].clone(),
            ]
        }
        R::Service => {
            let ports: Vec<String> = spec["ports"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|port| format!("{}/{}", port["port"], port["protocol"].as_str().unwrap_or("TCP")))
                .collect();
            vec![
                spec["type"].clone(),
                none_or(text(&spec["clusterIP"])),
                none_or(text(&status["loadBalancer"]["ingress"][0]["ip"])),
                ports.join(",").into(),
                age,
                none_or(&labels(&spec["selector"])),
            ]
        }
        R::Ingress => {
            let hosts: Vec<&str> =
                spec["rules"].as_array().into_iter().flatten().map(|rule| text(&rule["host"])).collect();
            let ports = if spec["tls"].is_array() { "80, 443" } else { "80" };
            let address = text(&status["loadBalancer"]["ingress"][0]["ip"]);
            vec![
                none_or(text(&spec["ingressClassName"])),
                hosts.join(",").into(),
                address.into(),
                ports.into(),
                age,
            ]
        }
        R::Event => {
            let about = &object["involvedObject"];
            let of = format!("{}/{}", text(&about["kind"]).to_lowercase(), text(&about["name"]));
            vec![
                since(&object["lastTimestamp"], now).into(),
                object["type"].clone(),
                object["reason"].clone(),
                of.into(),
                about["fieldPath"].as_str().unwrap_or_default().into(),
                object["source"]["component"].clone(),
                object["message"].clone(),
                since(&object["firstTimestamp"], now).into(),
                number(&object["count"]).into(),
            ]
        }
        R::PersistentVolumeClaim => {
            let modes: Vec<&str> = status["accessModes"].as_array().into_iter().flatten().map(text).collect();
            vec![
                status["phase"].clone(),
                text(&spec["volumeName"]).into(),
                text(&status["capacity"]["storage"]).into(),
                modes.join(",").replace("ReadWriteOnce", "RWO").into(),
                text(&spec["storageClassName"]).into(),
                age,
            ]
        }
        R::Namespace => vec![status["phase"].clone(), age],
        R::ConfigMap => vec![object["data"].as_object().map_or(0, serde_json::Map::len).into(), age],
        R::Secret => {
            vec![
                object["type"].clone(),
                object["data"].as_object().map_or(0, serde_json::Map::len).into(),
                age,
            ]
        }
        R::PodDisruptionBudget => {
            let amount = |key: &str| match &spec[key] {
                Value::Null => Value::from("N/A"),
                Value::String(text) => text.as_str().into(),
                other => other.to_string().into(),
            };
            vec![amount("minAvailable"), amount("maxUnavailable"), status["disruptionsAllowed"].clone(), age]
        }
        _ => vec![age],
    }
}

fn names(template: &Value, key: &str) -> String {
    let all: Vec<&str> =
        template["containers"].as_array().into_iter().flatten().map(|c| text(&c[key])).collect();
    all.join(",")
}

fn labels(labels: &Value) -> String {
    let all = labels.as_object().into_iter().flatten();
    all.map(|(key, value)| format!("{key}={}", text(value))).collect::<Vec<_>>().join(",")
}

fn pod_counts(pod: &Value, now: Timestamp) -> (usize, usize, String) {
    let all: Vec<&Value> = pod["status"]["containerStatuses"].as_array().into_iter().flatten().collect();
    let ready = all.iter().filter(|container| container["ready"] == true).count();
    let total = pod["spec"]["containers"].as_array().map_or(0, Vec::len);
    let count: i64 = all.iter().map(|container| container["restartCount"].as_i64().unwrap_or(0)).sum();
    let last = all.iter().filter_map(|c| clock::parse(&c["lastState"]["terminated"]["finishedAt"])).max();
    let restarts = match last {
        Some(last) if count > 0 => format!("{count} ({} ago)", span(clock::between(last, now))),
        _ => count.to_string(),
    };
    (ready, total, restarts)
}

/// Returns the word kubectl shows for the state of a pod.
pub fn pod_status(pod: &Value) -> String {
    let status = &pod["status"];
    let mut word = match text(&status["reason"]) {
        "" => text(&status["phase"]).to_owned(),
        reason => reason.to_owned(),
    };
    let mut is_starting = false;
    let inits: Vec<&Value> = status["initContainerStatuses"].as_array().into_iter().flatten().collect();
    for (at, init) in inits.iter().enumerate() {
        let terminated = &init["state"]["terminated"];
        if terminated["exitCode"] == 0 {
            continue;
        }
        let waiting = text(&init["state"]["waiting"]["reason"]);
        word = if terminated.is_object() {
            format!("Init:{}", text(&terminated["reason"]))
        } else if !waiting.is_empty() && waiting != "PodInitializing" && waiting != "ContainerCreating" {
            format!("Init:{waiting}")
        } else {
            format!("Init:{at}/{}", inits.len())
        };
        is_starting = true;
        break;
    }
    if !is_starting {
        for container in status["containerStatuses"].as_array().into_iter().flatten().rev() {
            let waiting = text(&container["state"]["waiting"]["reason"]);
            let ended = text(&container["state"]["terminated"]["reason"]);
            if !waiting.is_empty() {
                waiting.clone_into(&mut word);
            } else if !ended.is_empty() {
                ended.clone_into(&mut word);
            }
        }
    }
    if is_deleting(pod) { "Terminating".to_owned() } else { word }
}

fn since(time: &Value, now: Timestamp) -> String {
    clock::parse(time).map_or("<unknown>".to_owned(), |time| span(clock::between(time, now)))
}

/// Writes a span as kubectl does.
fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |a: i64, unit: char, b: i64, small: char| {
        if b == 0 { format!("{a}{unit}") } else { format!("{a}{unit}{b}{small}") }
    };
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=599 => two(minutes, 'm', seconds % 60, 's'),
        600..=10_799 => format!("{minutes}m"),
        10_800..=28_799 => two(hours, 'h', minutes % 60, 'm'),
        28_800..=172_799 => format!("{hours}h"),
        172_800..=691_199 => two(days, 'd', hours % 24, 'h'),
        _ => format!("{days}d"),
    }
}
