//! What is kept of objects, and how much.

use super::*;
use crate::kubernetes::kind;
use crate::kubernetes::object::{ContainerState, Resources, Role};
use serde_json::{Value, json};
use std::sync::Arc;

fn trim(kind: Kind, value: Value) -> Object {
    object(kind, &Raw::from_value(value).unwrap(), &Pool::default())
}

fn usual_pod(number: usize) -> Value {
    let conditions: Vec<Value> = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .iter()
        .map(|name| json!({ "type": name, "status": "True", "lastTransitionTime": "2026-11-22T18:00:05Z" }))
        .collect();
    let name = format!("checkout-api-7f4b48c76c-{number:05}");
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "shop", "uid": format!("0c9d5f2e-6a1b-4a5e-9b55-{number:012}"),
            "creationTimestamp": "2026-11-22T18:00:00Z",
            "labels": {
                "app": "checkout-api", "backstage.io/kubernetes-id": "checkout-api", "tier": "front",
                "pod-template-hash": "7f4b48c76c", "version": "v412",
            },
            "annotations": { "checksum/config": "a".repeat(64) },
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "checkout-api-7f4b48c76c",
                "uid": "7d0d5f2e-6a1b-4a5e-9b55-000000000000", "controller": true,
            }],
            "managedFields": [{ "manager": "x", "fieldsV1": { "f:metadata": {} } }],
        },
        "spec": {
            "nodeName": "node-1",
            "volumes": [{ "name": "d", "persistentVolumeClaim": { "claimName": "data" } }, { "name": "e" }],
            "initContainers": [{ "name": "migrate", "image": "registry.shop.test/migrate:1" }],
            "containers": [
                {
                    "name": "api", "image": "registry.shop.test/checkout-api:v412",
                    "env": [{ "name": "TOKEN", "value": "hunter2" }],
                    "ports": [{ "containerPort": 8080, "name": "http" }],
                    "resources": {
                        "requests": { "cpu": "250m", "memory": "128Mi" }, "limits": { "cpu": 1, "memory": "256Mi" },
                    },
                    "readinessProbe": { "periodSeconds": 10, "failureThreshold": 3, "httpGet": { "port": 8080 } },
                },
                { "name": "proxy", "image": "registry.shop.test/proxy:2" },
            ],
        },
        "status": {
            "phase": "Running", "podIP": "10.0.0.7", "startTime": "2026-11-22T18:00:01Z",
            "conditions": conditions,
            "initContainerStatuses": [{
                "name": "migrate", "ready": true, "restartCount": 0,
                "state": { "terminated": { "exitCode": 0, "reason": "Completed" } },
            }],
            "containerStatuses": [
                {
                    "name": "api", "ready": false, "restartCount": 3,
                    "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 40s" } },
                    "lastState": { "terminated": {
                        "exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-22T18:05:00Z",
                    } },
                },
                {
                    "name": "proxy", "ready": true, "restartCount": 0,
                    "state": { "running": { "startedAt": "2026-11-22T18:00:04Z" } },
                },
            ],
        },
    })
}

#[test]
fn a_pod_has_its_containers_with_their_states() {
    let pod = trim(Kind::Pod, usual_pod(1));
    assert_eq!((&*pod.namespace, &*pod.name), ("shop", "checkout-api-7f4b48c76c-00001"));
    assert_eq!(&*pod.owners[0].kind, "ReplicaSet");
    assert!(pod.labels.is_sorted());
    let Facts::Pod(facts) = pod.facts else { panic!("no pod") };
    assert_eq!((&*facts.phase, &*facts.node), ("Running", "node-1"));
    assert_eq!(facts.claims.as_ref(), &[Arc::from("data")]);
    let [migrate, api, proxy] = &*facts.containers else { panic!("three containers") };
    assert_eq!((migrate.role, api.role), (Role::Init, Role::Main));
    assert_eq!(api.requests, Resources { millicores: 250, memory: 128 << 20 });
    assert_eq!(api.limits, Resources { millicores: 1000, memory: 256 << 20 });
    assert_eq!((api.ready, api.restarts), (Some(false), 3));
    assert!(matches!(&api.state, ContainerState::Waiting { reason, .. } if &**reason == "CrashLoopBackOff"));
    assert_eq!(api.last.as_ref().map(|last| (&*last.reason, last.exit_code)), Some(("OOMKilled", 137)));
    assert_eq!(api.readiness.map(|probe| (probe.initial_delay, probe.period)), Some((0, 10)));
    assert_eq!(api.ports.as_ref(), &[(8080, Arc::from("http"))]);
    assert!(matches!(proxy.state, ContainerState::Running { since: Some(_) }));
}

#[test]
fn every_kind_reads_an_object_without_anything() {
    let kinds = kind::ALL.iter().map(|row| row.kind).chain([Kind::Custom(0)]);
    for kind in kinds {
        for value in [
            json!({}),
            json!({ "metadata": null, "spec": null, "status": null, "data": null }),
            json!({ "metadata": [], "spec": "x", "status": 7 }),
            json!({ "spec": {}, "status": {}, "metadata": { "labels": { "a": 7 }, "ownerReferences": [null, 7] } }),
            json!({ "spec": { "containers": [{}, null, 7], "template": null, "rules": [{}], "tls": [{}] } }),
            json!({ "status": { "containerStatuses": [{}, null, { "state": { "waiting": {} } }] } }),
        ] {
            let object = trim(kind, value);
            assert_eq!((&*object.name, object.created), ("", None));
        }
    }
}

#[test]
fn long_texts_and_lists_are_cut() {
    let containers: Vec<Value> = (0..500).map(|number| json!({ "name": number.to_string() })).collect();
    let pod = trim(
        Kind::Pod,
        json!({ "spec": { "containers": containers }, "status": { "message": "é".repeat(100_000) } }),
    );
    let Facts::Pod(facts) = pod.facts else { panic!("no pod") };
    assert_eq!(facts.containers.len(), 64);
    assert_eq!(facts.message.map(|message| message.len()), Some(1024));
}

#[test]
fn forty_containers_stay() {
    let names: Vec<String> = (0..40).map(|number| format!("c{number}")).collect();
    let spec: Vec<Value> = names.iter().map(|name| json!({ "name": name })).collect();
    let status: Vec<Value> = names.iter().map(|name| json!({ "name": name, "ready": true })).collect();
    let pod =
        trim(Kind::Pod, json!({ "spec": { "containers": spec }, "status": { "containerStatuses": status } }));
    let Facts::Pod(facts) = pod.facts else { panic!("no pod") };
    assert_eq!(facts.containers.iter().filter(|container| container.ready == Some(true)).count(), 40);
}

#[test]
fn secrets_keep_keys_and_sizes_alone() {
    let value = json!({ "type": "Opaque", "data": { "b": "aHVudGVyMg==", "a": "" } });
    let Facts::Keys(keys) = trim(Kind::Secret, value).facts else { panic!("no keys") };
    assert_eq!(keys.sizes.as_ref(), &[("a".into(), 0), ("b".into(), 7)]);
    let value = json!({ "data": { "a": "aHVudGVyMg==" }, "binaryData": { "z": "aHVudGVyMg==" } });
    let Facts::Keys(keys) = trim(Kind::ConfigMap, value).facts else { panic!("no keys") };
    assert_eq!(keys.sizes.as_ref(), &[("a".into(), 12), ("z".into(), 7)]);
}

#[test]
fn workloads_count_in_the_words_of_their_kind() {
    let deployment = trim(
        Kind::Deployment,
        json!({
            "metadata": { "generation": 4, "annotations": { "deployment.kubernetes.io/revision": "12" } },
            "spec": {
                "replicas": 3, "strategy": { "type": "Recreate" },
                "selector": {
                    "matchLabels": { "app": "pay" },
                    "matchExpressions": [
                        { "key": "tier", "operator": "In", "values": ["a", "b"] },
                        { "key": "old", "operator": "DoesNotExist" },
                    ],
                },
                "template": { "spec": { "containers": [{ "image": "pay:1" }] } },
            },
            "status": { "replicas": 3, "readyReplicas": 1, "updatedReplicas": 2, "availableReplicas": 1,
                "observedGeneration": 3 },
        }),
    );
    let Facts::Workload(facts) = deployment.facts else { panic!("no workload") };
    assert_eq!(
        (facts.desired, facts.current, facts.ready, facts.updated, facts.available),
        (Some(3), 3, 1, 2, 1)
    );
    assert_eq!((&*facts.selector, facts.revision), ("app=pay,tier in (a,b),!old", Some(12)));
    assert_eq!((facts.generation, &*facts.strategy), ((4, 3), "Recreate"));
    let daemons = trim(
        Kind::DaemonSet,
        json!({ "status": { "desiredNumberScheduled": 5, "numberReady": 4, "currentNumberScheduled": 5 } }),
    );
    let Facts::Workload(facts) = daemons.facts else { panic!("no workload") };
    assert_eq!((facts.desired, facts.current, facts.ready), (Some(5), 5, 4));
}

#[test]
fn autoscalers_of_all_versions_read_the_same() {
    let versions = [
        json!({
            "spec": { "maxReplicas": 5, "metrics": [
                { "type": "Resource", "resource": { "name": "cpu", "target": { "averageUtilization": 80 } } },
            ] },
            "status": { "currentReplicas": 5, "currentMetrics": [
                { "type": "Resource", "resource": { "name": "cpu", "current": { "averageUtilization": 93 } } },
            ] },
        }),
        json!({
            "spec": { "maxReplicas": 5, "metrics": [
                { "type": "Resource", "resource": { "name": "cpu", "targetAverageUtilization": 80 } },
            ] },
            "status": { "currentReplicas": 5, "currentMetrics": [
                { "type": "Resource", "resource": { "name": "cpu", "currentAverageUtilization": 93 } },
            ] },
        }),
        json!({
            "spec": { "maxReplicas": 5, "targetCPUUtilizationPercentage": 80 },
            "status": { "currentReplicas": 5, "currentCPUUtilizationPercentage": 93 },
        }),
    ];
    for value in versions {
        let Facts::Autoscaler(facts) = trim(Kind::HorizontalPodAutoscaler, value).facts else { panic!() };
        assert_eq!((facts.max, facts.current, facts.cpu), (5, Some(5), (Some(93), Some(80))));
    }
}

#[test]
fn ingresses_of_both_versions_read_the_same() {
    let rule = |backend: Value| json!({ "spec": { "rules": [{ "host": "shop.test", "http": { "paths": [{ "path": "/pay", "backend": backend }] } }] } });
    for backend in [
        json!({ "service": { "name": "pay", "port": { "number": 80 } } }),
        json!({ "serviceName": "pay", "servicePort": 80 }),
    ] {
        let Facts::Ingress(facts) = trim(Kind::Ingress, rule(backend)).facts else { panic!() };
        assert_eq!(facts.rules.as_ref(), &[Box::from("shop.test/pay → pay:80")]);
    }
}

#[test]
fn events_of_both_versions_read_the_same() {
    let versions = [
        json!({
            "type": "Warning", "reason": "BackOff", "message": "no", "count": 4,
            "involvedObject": { "kind": "Pod", "name": "a", "uid": "1" },
            "lastTimestamp": "2026-11-22T18:00:00Z", "source": { "component": "kubelet" },
        }),
        json!({
            "type": "Warning", "reason": "BackOff", "note": "no", "deprecatedCount": 4,
            "regarding": { "kind": "Pod", "name": "a", "uid": "1" },
            "deprecatedLastTimestamp": "2026-11-22T18:00:00Z", "reportingController": "kubelet",
        }),
    ];
    for value in versions {
        let Facts::Event(facts) = trim(Kind::Event, value).facts else { panic!() };
        assert_eq!(
            (&*facts.message, facts.count, &*facts.about.1, &*facts.source),
            ("no", 4, "a", "kubelet")
        );
        assert_eq!(facts.last, "2026-11-22T18:00:00Z".parse().ok());
    }
}

#[test]
fn a_rollout_reads_like_a_deployment() {
    let value = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "spec": { "replicas": 2, "strategy": { "canary": {} } }, "status": { "readyReplicas": 1 },
    });
    let Facts::Workload(facts) = trim(Kind::Custom(0), value).facts else { panic!("no workload") };
    assert_eq!((facts.desired, facts.ready, &*facts.strategy), (Some(2), 1, "Canary"));
}

#[test]
fn other_custom_resources_keep_plain_values_and_conditions() {
    let value = json!({
        "kind": "Certificate",
        "spec": { "secretName": "tls", "dnsNames": ["x"] },
        "status": { "notAfter": "2027-01-01T00:00:00Z", "conditions": [{ "type": "Ready", "status": "True" }] },
    });
    let Facts::Other(pairs) = trim(Kind::Custom(0), value).facts else { panic!("no pairs") };
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
    let expected =
        [("status.notAfter", "2027-01-01T00:00:00Z"), ("spec.secretName", "tls"), ("Ready", "True")];
    assert_eq!(pairs, expected);
}

/// Bytes that an object holds, strings that it shares with others counted once for all.
fn bytes_kept(objects: &[Object]) -> usize {
    let mut seen = std::collections::HashSet::new();
    let mut text = |text: &Arc<str>| {
        // Two counters stand before the text.
        if seen.insert(Arc::as_ptr(text).cast::<u8>()) { text.len() + 16 } else { 0 }
    };
    let mut sum = size_of_val(objects);
    for object in objects {
        sum += text(&object.namespace) + text(&object.name) + text(&object.uid);
        sum += size_of_val(&*object.labels) + size_of_val(&*object.owners);
        sum += object.labels.iter().map(|(key, value)| text(key) + text(value)).sum::<usize>();
        for owner in &object.owners {
            sum += text(&owner.kind) + text(&owner.name) + text(&owner.uid);
        }
        let Facts::Pod(pod) = &object.facts else { continue };
        sum += size_of_val(&**pod) + size_of_val(&*pod.conditions) + size_of_val(&*pod.containers);
        sum += text(&pod.phase) + text(&pod.reason) + text(&pod.node);
        for condition in &pod.conditions {
            sum += text(&condition.name) + text(&condition.status) + text(&condition.reason);
            sum += condition.message.as_ref().map_or(0, |message| message.len());
        }
        for container in &pod.containers {
            sum += text(&container.name) + text(&container.image) + size_of_val(&*container.ports);
            sum += container.last.as_ref().map_or(0, |last| size_of_val(&**last));
        }
    }
    sum
}

#[test]
fn a_usual_pod_keeps_less_than_two_kilobytes() {
    let pool = Pool::default();
    let pods: Vec<Object> = (0..1000)
        .map(|number| object(Kind::Pod, &Raw::from_value(usual_pod(number)).unwrap(), &pool))
        .collect();
    let each = bytes_kept(&pods) / pods.len();
    assert!(each < 2000, "{each} bytes");
}
