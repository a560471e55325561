use super::*;
use crate::kubernetes::kind::ALL;
use serde_json::json;

fn at(kind: Kind) -> ObjectRef {
    ObjectRef { cluster: "prod".into(), kind, namespace: "shop".into(), name: "web".into() }
}

fn now() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn beside(events: Vec<Value>) -> Beside {
    Beside { events: Ok(events), ..Beside::default() }
}

#[test]
fn an_object_without_any_field_is_described() {
    for row in ALL {
        for object in [json!({}), json!({"metadata": null, "spec": null, "status": null}), json!([1])] {
            let text = write(row.name, &at(row.kind), &object, &beside(vec![json!({})]), now());
            assert!(text.starts_with(&format!("{} web\n", row.name)), "{text}");
        }
    }
}

#[test]
fn a_pod_says_how_its_containers_are() {
    let pod = json!({
        "metadata": {"creationTimestamp": "2026-01-01T10:00:00Z",
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-1"}]},
        "spec": {"nodeName": "n1", "containers": [{
            "name": "app", "image": "shop/web:2",
            "env": [{"name": "PASSWORD", "value": "hunter2"},
                {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
        }], "volumes": [{"name": "tmp", "emptyDir": {}}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "app", "ready": false, "restartCount": 4,
            "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137,
                "startedAt": "2026-01-01T11:50:00Z", "finishedAt": "2026-01-01T11:54:10Z"}},
        }], "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady",
            "message": "containers with unready status: [app]"}]},
    });
    let event = json!({"type": "Warning", "reason": "BackOff", "message": "restarting", "count": 9,
        "lastTimestamp": "2026-01-01T11:58:00Z", "involvedObject": {"name": "web"}});
    let text = write("Pod", &at(Kind::Pod), &pod, &beside(vec![event]), now());
    let expected = "\
Pod web
  cluster          prod
  namespace        shop
  made             2026-01-01T10:00:00Z (2h ago)
  owner            ReplicaSet web-1

Status
  phase            Running
  node             n1

Containers (1)
  app
    image            shop/web:2
    state            waiting: CrashLoopBackOff, back-off 5m0s
    last state       ended: OOMKilled, exit code 137, at 2026-01-01T11:54:10Z (5m ago) after 4m 10s
    ready            no
    restarts         4
    readiness        http :http/ready · delay 0s, every 5s, timeout 1s, 3 failures
    environment      PASSWORD
                     TOKEN (key `k` of secret `s`)

Conditions
  Ready            False  ContainersNotReady
                   containers with unready status: [app]

Volumes
  tmp              empty folder, gone with the pod

Events
  !   2m  BackOff ×9: restarting
";
    assert_eq!(text, expected);
}

#[test]
fn a_secret_keeps_its_values_to_itself() {
    let secret = json!({"data": {"password": "aHVudGVyMg=="}, "metadata": {"annotations": {
        "kapp.k14s.io/original": "{\"data\":{\"password\":\"aHVudGVyMg==\"}}"}}});
    let text = write("Secret", &at(Kind::Secret), &secret, &beside(Vec::new()), now());
    assert!(text.contains("*** (7 bytes)") && !text.contains("aHVud"), "{text}");
}

#[test]
fn a_service_without_pods_says_so() {
    let beside = Beside { endpoints: Some(json!({"subsets": null})), ..beside(Vec::new()) };
    let text = write("Service", &at(Kind::Service), &json!({}), &beside, now());
    assert!(text.contains("no ready pod has the labels"), "{text}");
}

#[test]
fn events_that_may_not_be_read_are_said() {
    let beside = Beside { events: Err("`ana` may not `list` events".into()), ..Beside::default() };
    let text = write("Pod", &at(Kind::Pod), &json!({}), &beside, now());
    assert!(text.ends_with("Events\n  `ana` may not `list` events\n"), "{text}");
}
