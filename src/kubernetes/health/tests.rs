//! Verdicts over small states.

use super::*;
use crate::catalog::testing::catalog;
use crate::kubernetes::Kind;
use crate::kubernetes::object::Resources;
use crate::kubernetes::select::objects;
use crate::kubernetes::select::{Binding, Scope};
use crate::kubernetes::state::{Phase, PodUse, State, Watch};
use crate::kubernetes::testing::{cluster, state};
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-11-22T19:00:00Z".parse().unwrap()
}

fn all(state: &State, is_upstream: bool) -> Vec<Arc<Finding>> {
    let found = objects(state, &crate::catalog::Catalog::default(), &Scope::Everything, &[]);
    let health = of(state, &found, &[], now());
    health.findings.into_iter().filter(|finding| finding.is_upstream == is_upstream).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "tests hand over what `json!` made")]
fn pod(name: &str, status: Value) -> Value {
    json!({
        "kind": "Pod", "metadata": { "name": name, "namespace": "shop", "uid": name },
        "spec": {
            "nodeName": "n",
            "initContainers": [{ "name": "init", "image": "i" }],
            "containers": [
                { "name": "a", "image": "x:1", "resources": { "limits": { "memory": "64Mi" } },
                    "readinessProbe": { "initialDelaySeconds": 5, "periodSeconds": 10, "failureThreshold": 3 } },
                { "name": "b", "image": "y:1" },
            ],
        },
        "status": status,
    })
}

/// What Backstage's own detection said of the same objects (kubernetes-common 0.9.13): rule, severity, message,
/// count.
#[test]
fn the_five_rules_say_what_backstage_says() {
    let running = |at: &str| json!({ "running": { "startedAt": at } });
    let status = |list: Value| json!({ "phase": "Running", "containerStatuses": list });
    let unready = "The container a failed to start properly, but is not crashing";
    type Verdict<'a> = (&'a str, u8, &'a str, u32);
    let cases: Vec<(Value, Vec<Verdict<'_>>)> = vec![
        // 5 + 10 * 3 seconds are allowed.
        (
            pod(
                "late",
                status(
                    json!([{ "name": "a", "ready": false, "restartCount": 0, "state": running("2026-11-22T18:59:24Z") }]),
                ),
            ),
            vec![("readiness-probe-taking-too-long", 4, unready, 1)],
        ),
        (
            pod(
                "in-time",
                status(
                    json!([{ "name": "a", "ready": false, "restartCount": 0, "state": running("2026-11-22T18:59:26Z") }]),
                ),
            ),
            vec![],
        ),
        (
            pod(
                "no-probe",
                status(
                    json!([{ "name": "b", "ready": false, "restartCount": 0, "state": running("2026-11-22T10:00:00Z") }]),
                ),
            ),
            vec![],
        ),
        (
            pod(
                "no-start",
                status(
                    json!([{ "name": "a", "ready": false, "restartCount": 0, "state": { "running": {} } }]),
                ),
            ),
            vec![],
        ),
        (
            pod(
                "waiting",
                status(json!([{ "name": "a", "ready": false, "restartCount": 0,
                "state": { "waiting": { "reason": "ImagePullBackOff", "message": "Back-off pulling image \"x:1\"" } } }])),
            ),
            vec![("container-waiting", 4, "Back-off pulling image \"x:1\"", 1)],
        ),
        (
            pod(
                "creating",
                status(json!([{ "name": "a", "ready": false, "restartCount": 0,
                "state": { "waiting": { "reason": "ContainerCreating" } } }])),
            ),
            vec![],
        ),
        (
            pod(
                "old-restarts",
                status(json!([
                    { "name": "a", "ready": true, "restartCount": 7, "state": running("2026-01-01T00:00:00Z"),
                      "lastState": { "terminated": { "reason": "Error", "exitCode": 2, "finishedAt": "2026-01-01T00:00:00Z" } } },
                    { "name": "b", "ready": true, "restartCount": 1, "state": running("2026-01-01T00:00:00Z") },
                ])),
            ),
            vec![
                ("containers-restarting", 4, "container=a restarted 7 times", 7),
                ("containers-restarting", 4, "container=b restarted 1 times", 1),
            ],
        ),
        (
            pod(
                "init",
                json!({ "phase": "Pending", "initContainerStatuses": [{ "name": "init", "ready": false, "restartCount": 9,
                "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off" } } }] }),
            ),
            vec![],
        ),
        (
            pod(
                "both",
                status(json!([{ "name": "a", "ready": false, "restartCount": 3,
                "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 40s" } },
                "lastState": { "terminated": { "reason": "OOMKilled", "exitCode": 137 } } }])),
            ),
            vec![
                ("container-waiting", 4, "back-off 40s", 1),
                ("containers-restarting", 4, "container=a restarted 3 times", 3),
            ],
        ),
        (
            json!({ "kind": "Deployment", "metadata": { "name": "d", "namespace": "shop" }, "status": { "conditions": [
                { "type": "Available", "status": "False", "message": "Deployment does not have minimum availability." },
                { "type": "Progressing", "status": "True", "message": "fine" },
                { "type": "Other", "status": "False" },
                { "type": "More", "status": "Unknown", "message": "who knows" },
            ] } }),
            vec![("condition-message-present", 6, "Deployment does not have minimum availability.", 1)],
        ),
        (
            json!({ "kind": "StatefulSet", "metadata": { "name": "s", "namespace": "shop" }, "status": { "conditions": [
                { "type": "Available", "status": "False", "message": "no" }] } }),
            vec![],
        ),
        (
            json!({ "kind": "HorizontalPodAutoscaler", "metadata": { "name": "h", "namespace": "shop" },
                "spec": { "maxReplicas": 10 }, "status": { "currentReplicas": 10 } }),
            vec![(
                "hpa-max-current-replicas",
                8,
                "Current number of replicas (10) is equal to the configured max number of replicas (10)",
                1,
            )],
        ),
        (
            json!({ "kind": "HorizontalPodAutoscaler", "metadata": { "name": "h" }, "spec": { "maxReplicas": 10 } }),
            vec![],
        ),
        (
            json!({ "kind": "HorizontalPodAutoscaler", "metadata": { "name": "h" }, "status": { "currentReplicas": 0 } }),
            vec![],
        ),
    ];
    for (object, expected) in cases {
        let state = state(&[("c", std::slice::from_ref(&object))]);
        let found = all(&state, true);
        let found: Vec<Verdict<'_>> =
            found.iter().map(|f| (f.rule, f.severity, f.message.as_str(), f.occurrences)).collect();
        assert_eq!(found, expected, "{object}");
    }
}

#[test]
fn proposed_fixes_follow_reason_and_last_end() {
    let waiting = |reason: &str| {
        pod(
            "p",
            json!({ "containerStatuses": [{ "name": "a", "state": { "waiting": { "reason": reason, "message": "m" } } }] }),
        )
    };
    let ended = |reason: &str| {
        pod(
            "p",
            json!({ "containerStatuses": [{ "name": "a", "restartCount": 1, "ready": true,
            "state": { "running": {} }, "lastState": { "terminated": { "reason": reason, "exitCode": 3 } } }] }),
        )
    };
    let cases = [
        (waiting("InvalidImageName"), "name of an image", 1, Evidence::Events, true),
        (waiting("ImagePullBackOff"), "may not pull", 2, Evidence::Events, true),
        (waiting("CrashLoopBackOff"), "container a crashed", 1, Evidence::Logs { is_previous: true }, false),
        (waiting("CreateContainerConfigError"), "configuration", 2, Evidence::Events, true),
        (waiting("ErrImagePull"), "", 0, Evidence::Events, false),
        (ended("Error"), "exit code 3", 1, Evidence::Logs { is_previous: true }, false),
        (ended("Unknown"), "exit code 3", 1, Evidence::Logs { is_previous: true }, false),
        (ended("OOMKilled"), "more memory", 2, Evidence::Logs { is_previous: true }, true),
        (ended("Completed"), "", 0, Evidence::Events, false),
    ];
    for (object, cause, fixes, evidence, has_docs) in cases {
        let found = all(&state(&[("c", std::slice::from_ref(&object))]), true);
        let first = found.first().unwrap();
        assert!(first.cause.contains(cause), "{object}: {}", first.cause);
        assert_eq!(
            (first.fixes.len(), &first.evidence, first.docs.is_some()),
            (fixes, &evidence, has_docs),
            "{object}"
        );
    }
}

#[test]
fn our_rules_find_the_rest() {
    let ago = "2026-11-22T18:50:00Z";
    let waits = |reason: &str, message: &str| json!({ "containerStatuses": [{ "name": "a", "state": { "waiting": { "reason": reason, "message": message } } }] });
    let ends = |reason: &str, at: &str| {
        json!({ "phase": "Running", "containerStatuses": [{ "name": "a", "ready": true, "restartCount": 2,
            "state": { "running": { "startedAt": at } },
            "lastState": { "terminated": { "reason": reason, "exitCode": 137, "finishedAt": at } } }] })
    };
    let condition = |kind: &str, name: &str, status: &str, reason: &str| {
        json!({ "kind": kind, "metadata": { "name": "o", "namespace": "shop", "creationTimestamp": ago, "generation": 1 },
            "spec": { "scaleTargetRef": { "kind": "Deployment", "name": "d" } },
            "status": { "observedGeneration": 1, "conditions": [
                { "type": name, "status": status, "reason": reason, "message": "said so", "lastTransitionTime": ago }] } })
    };
    let cases: Vec<(Value, &[(&str, u8)])> = vec![
        (pod("p", waits("ErrImagePull", "manifest unknown")), &[("image-pull", 6)]),
        (pod("p", waits("CrashLoopBackOff", "x")), &[]),
        (
            pod(
                "p",
                json!({ "initContainerStatuses": [{ "name": "init", "restartCount": 2,
                "state": { "terminated": { "exitCode": 1, "reason": "Error" } } }] }),
            ),
            &[("init-container-failing", 6)],
        ),
        (
            pod(
                "p",
                json!({ "initContainerStatuses": [{ "name": "init", "state": { "waiting": { "reason": "ImagePullBackOff" } } }] }),
            ),
            &[("image-pull", 6)],
        ),
        (
            pod(
                "p",
                json!({ "phase": "Pending", "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                "message": "0/1 nodes are available: 1 Insufficient cpu." }] }),
            ),
            &[("unschedulable", 6)],
        ),
        (
            pod("p", json!({ "phase": "Failed", "reason": "Evicted", "message": "low on memory" })),
            &[("evicted", 5)],
        ),
        (pod("p", ends("OOMKilled", ago)), &[("oom-killed", 6)]),
        (pod("p", ends("Error", ago)), &[("restarted-recently", 5)]),
        (pod("p", ends("Error", "2026-11-22T17:00:00Z")), &[]),
        (condition("Job", "Failed", "True", "BackoffLimitExceeded"), &[("job-failed", 6)]),
        (condition("Job", "Complete", "True", ""), &[]),
        (
            condition("Deployment", "Progressing", "False", "ProgressDeadlineExceeded"),
            &[("rollout-stuck", 7)],
        ),
        (
            json!({ "kind": "Deployment", "metadata": { "name": "d", "generation": 5 }, "status": { "observedGeneration": 4 } }),
            &[("not-observed", 3)],
        ),
        (
            condition("HorizontalPodAutoscaler", "ScalingActive", "False", "FailedGetResourceMetric"),
            &[("autoscaler-cannot-scale", 5)],
        ),
        (condition("HorizontalPodAutoscaler", "ScalingActive", "False", "ScalingDisabled"), &[]),
        (
            json!({ "kind": "PersistentVolumeClaim", "metadata": { "name": "c" }, "status": { "phase": "Pending" } }),
            &[("claim-pending", 5)],
        ),
        (
            json!({ "kind": "PersistentVolumeClaim", "metadata": { "name": "c" }, "status": { "phase": "Bound" } }),
            &[],
        ),
        (condition("Node", "Ready", "Unknown", "NodeStatusUnknown"), &[("node-not-ready", 8)]),
        (condition("Node", "DiskPressure", "True", "KubeletHasDiskPressure"), &[("node-pressure", 5)]),
    ];
    for (object, expected) in cases {
        let found = all(&state(&[("c", std::slice::from_ref(&object))]), false);
        let rules: Vec<(&str, u8)> = found.iter().map(|finding| (finding.rule, finding.severity)).collect();
        assert_eq!(rules, expected, "{object}");
        for finding in found {
            assert!(!finding.cause.is_empty() && !finding.fixes.is_empty(), "{finding:?}");
        }
    }
}

#[test]
fn memory_is_told_with_limit_and_peak() {
    let killed = pod(
        "p",
        json!({ "phase": "Running", "containerStatuses": [{ "name": "a", "restartCount": 1,
        "state": { "running": {} }, "lastState": { "terminated": { "reason": "OOMKilled", "exitCode": 137 } } }] }),
    );
    let mut cluster = cluster("c", &[killed]);
    let used = |mebibytes: u64| Resources { millicores: 1, memory: mebibytes << 20 };
    let use_of_pod =
        PodUse { containers: [("a".into(), used(10))].into(), history: [used(63), used(10)].into() };
    cluster.metrics.pods = Arc::new([(("shop".into(), "p".into()), use_of_pod)].into_iter().collect());
    let state = State { clusters: [Arc::new(cluster)].into(), ..State::default() };
    let found = all(&state, false);
    assert!(found[0].message.contains("64 MiB"), "{}", found[0].message);
    assert!(found[0].cause.contains("63 MiB"), "{}", found[0].cause);
}

#[test]
fn pods_on_a_lost_node_say_so() {
    let node = json!({ "kind": "Node", "metadata": { "name": "n" }, "status": { "conditions": [
        { "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown", "message": "Kubelet stopped posting." }] } });
    let running = pod("p", json!({ "phase": "Running" }));
    let found = all(&state(&[("c", &[node, running])]), false);
    let places: Vec<(&str, Kind)> = found.iter().map(|finding| (finding.rule, finding.object.kind)).collect();
    assert_eq!(places, [("node-not-ready", Kind::Node), ("node-not-ready", Kind::Pod)]);
}

#[test]
fn certificates_near_their_end_are_told() {
    let secret =
        |end: &str| json!({ "kind": "Secret", "metadata": { "name": "tls" }, "status": { "notAfter": end } });
    let cases = [
        ("2026-11-20T00:00:00Z", Some(8)),
        ("2026-11-25T00:00:00Z", Some(5)),
        ("2026-12-10T00:00:00Z", Some(3)),
        ("2027-11-22T00:00:00Z", None),
    ];
    for (end, severity) in cases {
        // As cert-manager tells it.
        let certificate =
            json!({ "kind": "Certificate", "metadata": { "name": "web" }, "status": { "notAfter": end } });
        let mut state = state(&[("c", &[certificate])]);
        state.custom = Arc::new([crate::kubernetes::cluster::CustomResource {
            group: "cert-manager.io".to_owned(),
            version: "v1".to_owned(),
            plural: "certificates".to_owned(),
        }]);
        assert_eq!(all(&state, false).first().map(|finding| finding.severity), severity, "{end}");
        // As the secret itself tells it.
        let mut cluster = cluster("c", &[secret(end)]);
        let table = cluster.tables.get_mut(&Kind::Secret).unwrap();
        let (place, object) =
            table.objects.iter().next().map(|(place, object)| (place.clone(), object.clone())).unwrap();
        let mut object = (*object).clone();
        let keys = crate::kubernetes::object::Keys { expires: end.parse().ok(), ..Default::default() };
        object.facts = crate::kubernetes::object::Facts::Keys(Box::new(keys));
        table.objects = Arc::new([(place, Arc::new(object))].into_iter().collect());
        let state = State { clusters: [Arc::new(cluster)].into(), ..State::default() };
        assert_eq!(all(&state, false).first().map(|finding| finding.severity), severity, "{end}");
    }
}

#[test]
fn a_failed_job_is_made_up_for_by_a_later_one() {
    let job = |name: &str, created: &str, condition: &str| {
        json!({ "kind": "Job", "metadata": { "name": name, "namespace": "shop", "creationTimestamp": created,
                "ownerReferences": [{ "kind": "CronJob", "name": "nightly", "uid": "n" }] },
            "status": { "conditions": [{ "type": condition, "status": "True" }] } })
    };
    let failed = job("a", "2026-11-21T00:00:00Z", "Failed");
    let later = job("b", "2026-11-22T00:00:00Z", "Complete");
    let severity = |objects: &[Value]| all(&state(&[("c", objects)]), false)[0].severity;
    assert_eq!(severity(std::slice::from_ref(&failed)), 6);
    assert_eq!(severity(&[failed, later]), 2);
}

#[test]
fn worst_first_then_cluster_then_name() {
    let restarting =
        |name: &str| pod(name, json!({ "containerStatuses": [{ "name": "a", "restartCount": 1 }] }));
    let scaler = json!({ "kind": "HorizontalPodAutoscaler", "metadata": { "name": "z" },
        "spec": { "maxReplicas": 1 }, "status": { "currentReplicas": 1 } });
    let state = state(&[("b", &[restarting("a"), scaler]), ("a", &[restarting("y"), restarting("x")])]);
    let found = all(&state, true);
    let places: Vec<(&str, &str)> = found.iter().map(|f| (&*f.object.cluster, &*f.object.name)).collect();
    assert_eq!(places, [("b", "z"), ("a", "x"), ("a", "y"), ("b", "a")]);
}

fn workload(name: &str, desired: i32, ready: i32) -> Value {
    json!({ "kind": "Deployment", "metadata": { "name": name, "namespace": "shop", "uid": format!("uid-{name}"),
            "labels": { "backstage.io/kubernetes-id": "pay" } },
        "spec": { "replicas": desired }, "status": { "readyReplicas": ready } })
}

#[test]
fn words_follow_workloads_findings_and_answers() {
    let ready = json!([{ "type": "Ready", "status": "True" }]);
    let alone = |conditions: Value| pod("alone", json!({ "phase": "Running", "conditions": conditions }));
    let restarted = |at: &str| {
        pod(
            "alone",
            json!({ "phase": "Running", "conditions": ready, "containerStatuses": [{ "name": "a", "ready": true,
            "restartCount": 1, "state": { "running": {} },
            "lastState": { "terminated": { "exitCode": 1, "finishedAt": at } } }] }),
        )
    };
    let cases: Vec<(Vec<Value>, Word, (u32, u32))> = vec![
        (vec![workload("a", 2, 2)], Word::Ok, (2, 2)),
        (vec![workload("a", 2, 1)], Word::Slow, (1, 2)),
        (vec![workload("a", 2, 0)], Word::Down, (0, 2)),
        (vec![workload("a", 2, 2), workload("b", 1, 0)], Word::Down, (2, 3)),
        (vec![workload("a", 0, 0)], Word::Ok, (0, 0)),
        (vec![alone(ready.clone())], Word::Ok, (1, 1)),
        (vec![alone(json!([]))], Word::Down, (0, 1)),
        (vec![restarted("2026-11-22T18:30:00Z")], Word::Slow, (1, 1)),
        (vec![restarted("2026-11-22T17:30:00Z")], Word::Ok, (1, 1)),
        (vec![], Word::Unknown, (0, 0)),
    ];
    for (objects, word, pods) in cases {
        let state = state(&[("c", &objects)]);
        let found = super::super::select::objects(
            &state,
            &crate::catalog::Catalog::default(),
            &Scope::Everything,
            &[],
        );
        let health = of(&state, &found, &[], now());
        assert_eq!((health.word, health.pods), (word, pods), "{objects:?}");
    }
}

#[test]
fn a_cluster_that_does_not_answer_is_named() {
    let mut silent = cluster("west", &[workload("a", 1, 1)]);
    silent.phase = Phase::Down { since: now(), cause: "refused".to_owned(), retry: None };
    let live = cluster("east", &[workload("a", 1, 1)]);
    let mut loading = cluster("north", &[]);
    if let Some(table) = loading.tables.get_mut(&Kind::Pod) {
        table.watch = Watch::Loading;
    }
    let look = |clusters: Vec<Arc<crate::kubernetes::state::ClusterState>>| {
        let state = State { clusters: clusters.into(), ..State::default() };
        let found = objects(&state, &crate::catalog::Catalog::default(), &Scope::Everything, &[]);
        let health = of(&state, &found, &[], now());
        (health.word, health.silent.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    };
    let (silent, live, loading) = (Arc::new(silent), Arc::new(live), Arc::new(loading));
    assert_eq!(look(vec![silent.clone()]), (Word::Unknown, "west".to_owned()));
    assert_eq!(look(vec![live, silent]), (Word::Ok, "west".to_owned()));
    assert_eq!(look(vec![loading]), (Word::Unknown, "north".to_owned()));
}

#[test]
fn what_may_not_be_read_is_said_and_not_taken_for_nothing() {
    let forbidden = |kind: &str| crate::kubernetes::state::Forbidden {
        verb: "list".to_owned(),
        resource: kind.to_owned(),
        namespace: String::new(),
        user: "ana".to_owned(),
        remedy: String::new(),
    };
    let partial =
        |namespace: &str| Watch::Partial { namespaces: vec![namespace.into()], forbidden: forbidden("pods") };
    let look = |watches: Vec<(Kind, Watch)>, objects_there: &[Value], binding: &Binding| {
        let mut cluster = cluster("west", objects_there);
        for (kind, watch) in watches {
            cluster.tables.entry(kind).or_default().watch = watch;
        }
        let state = State { clusters: Arc::new([Arc::new(cluster)]), ..State::default() };
        let found = objects(&state, &crate::catalog::Catalog::default(), &Scope::Everything, &[]);
        of(&state, &found, &[binding], now())
    };
    let bound = |namespace: Option<&str>| Binding {
        selector: "a=b".into(),
        namespace: namespace.map(Arc::from),
        clusters: None,
        is_annotated: true,
    };
    let all = || {
        vec![
            (Kind::Pod, Watch::Forbidden(forbidden("pods"))),
            (Kind::Deployment, Watch::Forbidden(forbidden("deployments.apps"))),
            (Kind::Node, Watch::Forbidden(forbidden("nodes"))),
        ]
    };
    let health = look(all(), &[], &bound(None));
    assert_eq!(
        (health.word, health.summary.as_str()),
        (Word::Unknown, "not allowed in west: pods, deployments.apps")
    );
    let cases = [
        (partial("shop"), Some("shop"), 0, "nothing found"),
        (partial("shop"), Some("pay"), 0, "not allowed in west: pods in some namespaces"),
        (partial("shop"), None, 0, "not allowed in west: pods in some namespaces"),
        (partial("shop"), None, 1, "1/1 pods ready"),
        (Watch::Forbidden(forbidden("pods")), None, 1, "1/1 pods ready, not allowed in west: pods"),
    ];
    let there = [workload("a", 1, 1)];
    for (watch, namespace, count, summary) in cases {
        let health = look(vec![(Kind::Pod, watch)], &there[..count], &bound(namespace));
        assert_eq!(health.summary, summary, "{namespace:?}");
    }
}

#[test]
fn what_only_events_tell_is_a_finding() {
    let stuck = pod(
        "stuck",
        json!({ "phase": "Pending",
            "conditions": [{ "type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-22T18:58:00Z" }],
            "containerStatuses": [{ "name": "a", "ready": false, "restartCount": 0,
                "state": { "waiting": { "reason": "ContainerCreating" } } }] }),
    );
    let look = |blocked: Option<&str>, minutes: i64| {
        let mut cluster = cluster("c", std::slice::from_ref(&stuck));
        let reason = |reason: &str| crate::kubernetes::starting::Blocked {
            reason: reason.into(),
            message: "no network".into(),
            since: None,
            count: 7,
        };
        cluster.blocked = Arc::new(blocked.map(|word| ("stuck".into(), reason(word))).into_iter().collect());
        let state = State { clusters: Arc::new([Arc::new(cluster)]), ..State::default() };
        let found = objects(&state, &crate::catalog::Catalog::default(), &Scope::Everything, &[]);
        let now = now() + jiff::SignedDuration::from_mins(minutes);
        let health = of(&state, &found, &[], now);
        health.findings.iter().find(|f| f.rule == "not-starting").map(|f| (f.severity, f.message.clone()))
    };
    assert_eq!(look(None, 0), None);
    assert_eq!(look(None, 10), Some((4, "its containers are still not made".to_owned())));
    let expected = "the pod does not start: FailedCreatePodSandBox".to_owned();
    assert_eq!(look(Some("FailedCreatePodSandBox"), 0), Some((6, expected)));
}

#[test]
fn summaries_are_short() {
    let crashing = |name: &str, last: &str| {
        pod(
            name,
            json!({ "phase": "Running", "containerStatuses": [{ "name": "a", "ready": false, "restartCount": 2,
            "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off" } },
            "lastState": { "terminated": { "reason": last, "exitCode": 137 } } }] }),
        )
    };
    let state =
        state(&[("c", &[crashing("a", "OOMKilled"), crashing("b", "OOMKilled"), crashing("d", "Error")])]);
    let found = objects(&state, &crate::catalog::Catalog::default(), &Scope::Everything, &[]);
    assert_eq!(of(&state, &found, &[], now()).summary, "0/3 pods ready, 2 OOMKilled, 1 CrashLoopBackOff");
}

#[test]
fn the_book_keeps_what_did_not_change() {
    let catalog = Arc::new(catalog(
        "kind: Component\nname: pay\n---\nkind: Component\nname: cart\nannotations: {backstage.io/kubernetes-id: cart}\n",
    ));
    let mut book = Book::default();
    let first = state(&[("c", &[workload("a", 2, 2)])]);
    let one = book.update(&first, &catalog, now());
    let words = |healths: &Healths| {
        healths
            .iter()
            .map(|(entity, health)| format!("{entity} {}", health.word.as_str()))
            .collect::<Vec<_>>()
    };
    // Its name binds `pay`, and there are objects of that name; `cart` is annotated and has none.
    assert_eq!(words(&one), ["component:default/cart unknown", "component:default/pay ok"]);
    assert!(Arc::ptr_eq(&one, &book.update(&first, &catalog, now())));
    let second = state(&[("c", &[workload("a", 2, 0)])]);
    let two = book.update(&second, &catalog, now());
    assert_eq!(words(&two), ["component:default/cart unknown", "component:default/pay down"]);
    let cart = "component:default/cart";
    assert!(Arc::ptr_eq(&one[cart], &two[cart]));
    let mut fresh = Book::default();
    assert_eq!(fresh.update(&second, &catalog, now()), two);
}
