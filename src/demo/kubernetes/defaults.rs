//! What a server fills into objects that leave it out.

use super::resource::R;
use serde_json::{Value, json};

fn or(object: &mut Value, key: &str, value: Value) {
    if object.is_object() && object[key].is_null() {
        object[key] = value;
    }
}

/// Fills in what an object of a kind leaves out.
pub fn fill(kind: R, object: &mut Value) {
    let spec = &mut object["spec"];
    match kind {
        R::Pod => pod(object),
        R::Deployment => {
            or(spec, "replicas", 1.into());
            or(spec, "revisionHistoryLimit", 10.into());
            or(spec, "progressDeadlineSeconds", 600.into());
            or(spec, "strategy", json!({"type": "RollingUpdate"}));
            if spec["strategy"]["type"] == "RollingUpdate" {
                or(
                    &mut spec["strategy"],
                    "rollingUpdate",
                    json!({"maxSurge": "25%", "maxUnavailable": "25%"}),
                );
            }
            template(&mut spec["template"]);
        }
        R::ReplicaSet => {
            or(spec, "replicas", 1.into());
            template(&mut spec["template"]);
        }
        R::StatefulSet => {
            or(spec, "replicas", 1.into());
            or(spec, "podManagementPolicy", "OrderedReady".into());
            or(spec, "revisionHistoryLimit", 10.into());
            let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
            or(spec, "updateStrategy", rolling);
            template(&mut spec["template"]);
        }
        R::DaemonSet => {
            or(spec, "revisionHistoryLimit", 10.into());
            let rolling =
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}});
            or(spec, "updateStrategy", rolling);
            template(&mut spec["template"]);
        }
        R::Job => {
            or(spec, "parallelism", 1.into());
            or(spec, "completions", 1.into());
            or(spec, "backoffLimit", 6.into());
            or(spec, "completionMode", "NonIndexed".into());
            or(spec, "suspend", false.into());
            template(&mut spec["template"]);
        }
        R::CronJob => {
            or(spec, "concurrencyPolicy", "Allow".into());
            or(spec, "suspend", false.into());
            or(spec, "successfulJobsHistoryLimit", 3.into());
            or(spec, "failedJobsHistoryLimit", 1.into());
        }
        R::Service => {
            or(spec, "type", "ClusterIP".into());
            or(spec, "sessionAffinity", "None".into());
            or(spec, "ipFamilies", json!(["IPv4"]));
            or(spec, "ipFamilyPolicy", "SingleStack".into());
        }
        _ => {}
    }
}

fn template(template: &mut Value) {
    if !template.is_object() {
        *template = json!({"metadata": {}, "spec": {}});
    }
    or(template, "metadata", json!({}));
    or(&mut template["metadata"], "creationTimestamp", Value::Null);
    pod_spec(&mut template["spec"]);
}

fn pod_spec(spec: &mut Value) {
    or(spec, "restartPolicy", "Always".into());
    or(spec, "dnsPolicy", "ClusterFirst".into());
    or(spec, "schedulerName", "default-scheduler".into());
    or(spec, "securityContext", json!({}));
    or(spec, "terminationGracePeriodSeconds", 30.into());
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            or(container, "imagePullPolicy", "IfNotPresent".into());
            or(container, "terminationMessagePath", "/dev/termination-log".into());
            or(container, "terminationMessagePolicy", "File".into());
            or(container, "resources", json!({}));
        }
    }
}

fn pod(object: &mut Value) {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let spec = &mut object["spec"];
    pod_spec(spec);
    or(spec, "serviceAccountName", "default".into());
    or(spec, "serviceAccount", "default".into());
    or(spec, "enableServiceLinks", true.into());
    or(spec, "preemptionPolicy", "PreemptLowerPriority".into());
    or(spec, "priority", 0.into());
    let toleration = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let tolerations = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map(toleration);
    or(spec, "tolerations", json!(tolerations));
    let volume = format!("kube-api-access-{:.5}", format!("{:x}", super::random::of_text(&name)));
    or(
        spec,
        "volumes",
        json!([{"name": volume, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}]),
    );
    let qos = quality(spec);
    if object["status"].is_null() {
        object["status"] = json!({"phase": "Pending", "qosClass": qos});
    }
}

/// Returns the quality of service class of a pod.
fn quality(spec: &Value) -> &'static str {
    let all: Vec<&Value> = spec["containers"].as_array().into_iter().flatten().collect();
    let has =
        |container: &Value, of: &str| container["resources"][of].as_object().is_some_and(|o| !o.is_empty());
    if all.iter().all(|container| !has(container, "requests") && !has(container, "limits")) {
        return "BestEffort";
    }
    let is_guaranteed = |container: &&Value| {
        let resources = &container["resources"];
        has(container, "limits")
            && (resources["requests"].is_null() || resources["requests"] == resources["limits"])
            && !resources["limits"]["cpu"].is_null()
            && !resources["limits"]["memory"].is_null()
    };
    if all.iter().all(is_guaranteed) { "Guaranteed" } else { "Burstable" }
}
