//! Cells of objects in the API's form.

use super::*;
use crate::kubernetes::kind;
use crate::kubernetes::object::Facts;
use crate::kubernetes::testing::{cluster, object};
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-11-22T19:00:00Z".parse().unwrap()
}

fn cells(others: &[Value], value: &Value) -> Vec<(&'static str, String)> {
    let (cluster, object) = (cluster("a", others), object(value));
    let row = Row { cluster: &cluster, object: &object, now: now() };
    of_kind(object.kind).iter().map(|column| (column.head, (column.cell)(&row).text)).collect()
}

fn cell(others: &[Value], value: &Value, head: &str) -> String {
    cells(others, value).into_iter().find(|(own, _)| *own == head).map(|(_, text)| text).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "tests hand over what `json!` made")]
fn pod(status: Value) -> Value {
    json!({
        "kind": "Pod", "metadata": { "name": "p", "namespace": "shop" },
        "spec": { "containers": [{ "name": "a" }, { "name": "b" }], "initContainers": [{ "name": "i" }, { "name": "j" }] },
        "status": status,
    })
}

#[test]
fn pods_have_the_status_that_kubectl_shows() {
    let running = json!({ "running": {} });
    let main =
        |state: Value, ready: bool| json!({ "name": "a", "ready": ready, "restartCount": 2, "state": state });
    let done = json!({ "name": "i", "ready": true, "restartCount": 1, "state": { "terminated": { "exitCode": 0 } } });
    let inited = json!([{ "type": "Initialized", "status": "True" }]);
    let cases = [
        (json!({ "phase": "Pending" }), "Pending", "0/2", "0"),
        (json!({ "phase": "Failed", "reason": "Evicted" }), "Evicted", "0/2", "0"),
        (
            json!({ "phase": "Pending", "initContainerStatuses": [done, { "name": "j", "state": { "running": {} } }] }),
            "Init:1/2",
            "0/2",
            "1",
        ),
        (
            json!({ "phase": "Pending", "initContainerStatuses": [
                { "name": "i", "restartCount": 4, "state": { "waiting": { "reason": "CrashLoopBackOff" } } } ] }),
            "Init:CrashLoopBackOff",
            "0/2",
            "4",
        ),
        (
            json!({ "phase": "Pending", "initContainerStatuses": [{ "name": "i", "state": { "terminated": { "exitCode": 3 } } }] }),
            "Init:ExitCode:3",
            "0/2",
            "0",
        ),
        (
            json!({ "phase": "Running", "conditions": inited, "containerStatuses": [main(running.clone(), true)] }),
            "Running",
            "1/2",
            "2",
        ),
        (
            json!({ "phase": "Running", "containerStatuses": [main(json!({ "waiting": { "reason": "ErrImagePull" } }), false)] }),
            "ErrImagePull",
            "0/2",
            "2",
        ),
        (
            json!({ "phase": "Running", "containerStatuses": [main(json!({ "terminated": { "signal": 9 } }), false)] }),
            "Signal:9",
            "0/2",
            "2",
        ),
        (
            json!({ "phase": "Running", "containerStatuses": [
                main(json!({ "terminated": { "reason": "Completed", "exitCode": 0 } }), false),
                { "name": "b", "ready": true, "restartCount": 0, "state": { "running": {} } },
            ] }),
            "NotReady",
            "1/2",
            "2",
        ),
    ];
    for (status, reason, ready, restarts) in cases {
        let value = pod(status);
        let shown = ["STATUS", "READY", "RESTARTS"].map(|head| cell(&[], &value, head));
        assert_eq!(shown, [reason, ready, restarts], "{value}");
    }
}

#[test]
fn what_is_deleted_is_terminating() {
    let mut value = pod(json!({ "phase": "Running" }));
    value["metadata"]["deletionTimestamp"] = json!("2026-11-22T18:59:00Z");
    assert_eq!(cell(&[], &value, "STATUS"), "Terminating");
}

#[test]
fn restarts_say_when_the_last_one_was() {
    let value = pod(json!({ "phase": "Running", "containerStatuses": [{
        "name": "a", "restartCount": 3, "state": { "running": {} },
        "lastState": { "terminated": { "finishedAt": "2026-11-22T18:46:00Z" } },
    }] }));
    assert_eq!(cell(&[], &value, "RESTARTS"), "3 (14m)");
}

#[test]
fn deployments_show_their_autoscaler() {
    let meta = json!({ "name": "pay", "namespace": "shop" });
    let deployment = json!({
        "kind": "Deployment", "metadata": meta, "spec": { "replicas": 3 },
        "status": { "readyReplicas": 1, "updatedReplicas": 3 },
    });
    let scaler = |name: &str, target: &str| {
        json!({
            "kind": "HorizontalPodAutoscaler", "metadata": { "name": name, "namespace": "shop" },
            "spec": { "scaleTargetRef": { "kind": "Deployment", "name": target }, "minReplicas": 2, "maxReplicas": 5 },
            "status": { "currentReplicas": 3 },
        })
    };
    let others = [scaler("a", "cart"), scaler("b", "pay")];
    assert_eq!(cell(&others, &deployment, "HPA").trim(), "3 of 2-5");
    assert_eq!(cell(&others, &deployment, "READY"), "1/3");
    assert_eq!(cell(&others, &deployment, "STATUS"), "Starting");
    assert_eq!(cell(&[], &deployment, "HPA"), "");
}

#[test]
fn jobs_say_how_they_went() {
    let job = |status: Value| json!({ "kind": "Job", "metadata": { "name": "j" }, "status": status });
    let started = "2026-11-22T18:50:00Z";
    let cases = [
        (json!({}), "Waiting", "-"),
        (json!({ "active": 1, "startTime": started }), "Running", "10m"),
        (
            json!({ "startTime": started, "completionTime": "2026-11-22T18:50:42Z",
                "conditions": [{ "type": "Complete", "status": "True" }] }),
            "Succeeded",
            "42s",
        ),
        (
            json!({ "startTime": started, "conditions": [
                { "type": "Failed", "status": "True", "lastTransitionTime": "2026-11-22T18:52:00Z" }] }),
            "Failed",
            "2m",
        ),
    ];
    for (status, word, duration) in cases {
        let value = job(status);
        assert_eq!(
            (cell(&[], &value, "STATUS").as_str(), cell(&[], &value, "DURATION").as_str()),
            (word, duration)
        );
    }
}

#[test]
fn every_kind_has_cells_for_an_empty_object() {
    let cluster = cluster("a", &[]);
    for row in kind::ALL {
        let object = object(&json!({ "kind": row.name }));
        assert_eq!(object.kind, row.kind);
        let row = Row { cluster: &cluster, object: &object, now: now() };
        for column in of_kind(object.kind) {
            let _ = (column.cell)(&row);
        }
    }
    // A table of one kind asked for an object of another one stays quiet.
    let pod = object(&json!({ "kind": "Pod" }));
    assert!(matches!(pod.facts, Facts::Pod(_)));
    for kind in kind::ALL {
        for column in of_kind(kind.kind) {
            let _ = (column.cell)(&Row { cluster: &cluster, object: &pod, now: now() });
        }
    }
}

#[test]
fn schedules_are_told_in_words() {
    let cases = [
        ("*/5 * * * *", Some("every 5 minutes")),
        ("* * * * *", Some("every minute")),
        ("0 3 * * *", Some("every day at 03:00")),
        ("30 6,18 * * *", Some("every day at 06:30, 18:30")),
        ("0 */2 * * *", Some("every 2 hours at minute 0")),
        ("15 * * * *", Some("every hour at minute 15")),
        ("0 9 * * 1-5", Some("Monday to Friday at 09:00")),
        ("0 9 * * mon,thu", Some("every Monday, Thursday at 09:00")),
        ("0 0 1 * *", Some("on day 1 of every month at 00:00")),
        ("0 0 25 12 *", Some("every 25 December at 00:00")),
        ("@daily", Some("every day at 00:00")),
        ("@every 90m", Some("every 90m")),
        ("0 0 1 1 1", None),
        ("61 * * * *", None),
        ("", None),
        ("a b c d e", None),
        ("* * * * * *", None),
    ];
    for (text, expected) in cases {
        assert_eq!(schedule(text).as_deref(), expected, "{text}");
    }
}

#[test]
fn ages_have_the_grain_of_a_minute() {
    let cases = [
        ("2026-11-22T19:00:30Z", "now"),
        ("2026-11-22T18:59:30Z", "now"),
        ("2026-11-22T18:59:00Z", "1m"),
        ("2026-11-22T18:00:30Z", "59m"),
        ("2026-11-22T17:00:00Z", "2h"),
        ("2026-11-19T19:00:00Z", "3d"),
        ("2020-11-19T19:00:00Z", "6y"),
    ];
    for (at, expected) in cases {
        assert_eq!(age(at.parse().unwrap(), now()), expected, "{at}");
    }
}

#[test]
fn numbers_sort_as_numbers() {
    let (two, ten) = (Cell::count(2), Cell::count(10));
    assert!(compare(&two, &ten).is_lt());
    assert!(compare(&Cell::text("2"), &Cell::text("10")).is_gt());
}
