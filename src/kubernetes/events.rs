//! Events about an object, and about what it owns.

use super::ask::{Fault, Session, is_owned, list, number, selector, text, time};
use super::kind::Kind;
use super::object::{Event, Facts, Object, ObjectRef, Owner};
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// Owned objects whose events are read too.
const MAX_OWNED: usize = 20;
/// Events kept of all that were found, the newest.
const MAX: usize = 500;

/// Fetches the events of an object, oldest first.
///
/// # Errors
/// A sentence for people.
pub async fn fetch(session: &Session, object: &Value, at: &ObjectRef) -> Result<Vec<Value>, String> {
    let of = (session.resource(at.kind)?.kind, &*at.namespace, text(object, "/metadata/name"));
    let found =
        of_object(session, &of.0, of.1, of.2).await.map_err(|fault| explain(session, &fault, of.1))?;
    let mut found: Vec<Value> = found.into_iter().filter(|event| is_about(event, object)).collect();
    sort(&mut found);
    Ok(found)
}

/// Fetches the events of an object and of the pods and sets that it owns, oldest first.
///
/// # Errors
/// A sentence for people.
pub async fn fetch_with_owned(session: &Session, at: &ObjectRef) -> Result<Vec<Value>, String> {
    let object = session.read(at).await?;
    // events of what it owns are an extra: what may not be listed is left out
    let owned = owned(session, &object, at).await.unwrap_or_default();
    of_all(session, &object, at, &owned).await
}

/// Fetches the events of an object and of these others, oldest first.
pub(super) async fn of_all(
    session: &Session,
    object: &Value,
    at: &ObjectRef,
    owned: &[(Kind, Value)],
) -> Result<Vec<Value>, String> {
    let mut found = fetch(session, object, at).await?;
    let others = owned.iter().take(MAX_OWNED).map(|(kind, other)| async move {
        let (kind, name) = (session.resource(*kind).ok()?.kind, text(other, "/metadata/name"));
        let events = of_object(session, &kind, &at.namespace, name).await.ok()?;
        Some(events.into_iter().filter(|event| is_about(event, other)).collect::<Vec<_>>())
    });
    found.extend(join_all(others).await.into_iter().flatten().flatten());
    sort(&mut found);
    found.drain(..found.len().saturating_sub(MAX));
    Ok(found)
}

/// Finds what a workload owns: its sets and jobs, its pods; those that are in trouble first.
///
/// # Errors
/// A sentence when they may not be listed.
pub(super) async fn owned(
    session: &Session,
    object: &Value,
    at: &ObjectRef,
) -> Result<Vec<(Kind, Value)>, String> {
    let between = match at.kind {
        Kind::Deployment => Some(Kind::ReplicaSet),
        Kind::CronJob => Some(Kind::Job),
        Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet | Kind::Job => None,
        _ => return Ok(Vec::new()),
    };
    let labels = selector(object).unwrap_or_default();
    let selection = [("labelSelector", labels.as_str())];
    let uid = text(object, "/metadata/uid");
    let mut uids = vec![uid.to_owned()];
    let mut found = Vec::new();
    if let Some(kind) = between {
        let sets = session.list(kind, &at.namespace, &selection).await?;
        let sets: Vec<Value> = sets.into_iter().filter(|set| is_owned(set, uid)).collect();
        uids.extend(sets.iter().map(|set| text(set, "/metadata/uid").to_owned()));
        let is_alive = |set: &Value| number(set, "/status/replicas").unwrap_or(0) > 0 || kind == Kind::Job;
        found.extend(sets.into_iter().filter(is_alive).map(|set| (kind, set)));
        newest_first(&mut found);
        found.truncate(MAX_OWNED / 4);
    }
    let pods = session.list(Kind::Pod, &at.namespace, &selection).await?;
    let mut pods: Vec<Value> =
        pods.into_iter().filter(|pod| uids.iter().any(|uid| is_owned(pod, uid))).collect();
    pods.sort_by_key(is_ready);
    found.extend(pods.into_iter().map(|pod| (Kind::Pod, pod)));
    Ok(found)
}

fn newest_first(found: &mut [(Kind, Value)]) {
    found.sort_by_key(|(_, object)| std::cmp::Reverse(time(object, "/metadata/creationTimestamp")));
}

/// Returns whether a pod is ready or done.
pub(super) fn is_ready(pod: &Value) -> bool {
    let is_true =
        |condition: &Value| text(condition, "/type") == "Ready" && text(condition, "/status") == "True";
    text(pod, "/status/phase") == "Succeeded" || list(pod, "/status/conditions").iter().any(is_true)
}

async fn of_object(session: &Session, kind: &str, namespace: &str, name: &str) -> Result<Vec<Value>, Fault> {
    let resource = session.resource(Kind::Event).map_err(Fault::Unreachable)?;
    // a custom resource is known by its plural only: its events are found by name, then by uid
    let is_known = Kind::find(kind).is_some();
    let fields = if is_known {
        format!("involvedObject.name={name},involvedObject.kind={kind}")
    } else {
        format!("involvedObject.name={name}")
    };
    session.list_of(&resource, namespace, &[("fieldSelector", &fields)]).await
}

/// A namesake that was deleted has events too; kubelets name nodes and static pods by other uids.
fn is_about(event: &Value, object: &Value) -> bool {
    let uid = text(event, "/involvedObject/uid");
    uid.is_empty()
        || uid == text(object, "/metadata/uid")
        || text(event, "/involvedObject/kind") == "Node"
        || object
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations.get("kubernetes.io/config.mirror"))
            .and_then(Value::as_str)
            == Some(uid)
}

fn explain(session: &Session, fault: &Fault, namespace: &str) -> String {
    let doing = format!("could not read events in {}", session.place(namespace));
    session.explain(fault, &doing, "list", "events", namespace)
}

/// Returns when an event was seen last: which field says so depends on who wrote it.
pub(super) fn last_seen(event: &Value) -> Option<Timestamp> {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/firstTimestamp",
        "/metadata/creationTimestamp",
    ]
    .iter()
    .find_map(|pointer| time(event, pointer))
}

/// Returns how often an event was seen.
pub(super) fn count(event: &Value) -> u32 {
    let count = number(event, "/series/count").or_else(|| number(event, "/count"));
    count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1)
}

/// Returns who wrote an event.
pub(super) fn source(event: &Value) -> &str {
    ["/source/component", "/reportingComponent", "/reportingController"]
        .iter()
        .map(|pointer| text(event, pointer))
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

fn sort(events: &mut [Value]) {
    events.sort_by_cached_key(|event| (last_seen(event), text(event, "/metadata/name").to_owned()));
}

/// Returns an event as it is kept.
pub fn object(event: &Value) -> Object {
    let of = |pointer: &str| Arc::<str>::from(text(event, pointer));
    let kind = of("/involvedObject/kind");
    let first = ["/firstTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    Object {
        kind: Kind::Event,
        namespace: of("/metadata/namespace"),
        name: of("/metadata/name"),
        uid: of("/metadata/uid"),
        created: time(event, "/metadata/creationTimestamp"),
        deleted: None,
        labels: Box::new([]),
        owners: Box::<[Owner]>::default(),
        facts: Facts::Event(Box::new(Event {
            severity: of("/type"),
            reason: of("/reason"),
            message: text(event, "/message").into(),
            count: count(event),
            first: first.iter().find_map(|pointer| time(event, pointer)),
            last: last_seen(event),
            about: (kind, of("/involvedObject/name"), of("/involvedObject/uid")),
            source: source(event).into(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_of_a_deleted_namesake_are_left_out() {
        let pod = json!({"metadata": {"name": "a", "uid": "new",
            "annotations": {"kubernetes.io/config.mirror": "file"}}});
        let cases = [
            ("new", "Pod", true),
            ("old", "Pod", false),
            ("", "Pod", true),
            ("file", "Pod", true),
            ("x", "Node", true),
        ];
        for (uid, kind, expected) in cases {
            let event = json!({"involvedObject": {"uid": uid, "kind": kind}});
            assert_eq!(is_about(&event, &pod), expected, "{uid} {kind}");
        }
    }

    #[test]
    fn time_and_count_come_from_whoever_says_so() {
        let old = "2026-01-01T00:00:00Z";
        let new = "2026-01-02T00:00:00.123456Z";
        let cases = [
            (json!({"lastTimestamp": new, "firstTimestamp": old, "count": 3}), Some(new), 3),
            (json!({"lastTimestamp": null, "eventTime": new}), Some(new), 1),
            (json!({"eventTime": old, "series": {"count": 7, "lastObservedTime": new}}), Some(new), 7),
            (json!({"metadata": {"creationTimestamp": new}}), Some(new), 1),
            (json!({"count": -4, "lastTimestamp": "soon"}), None, 1),
        ];
        for (event, last, times) in cases {
            assert_eq!(last_seen(&event), last.map(|t| t.parse().unwrap()), "{event}");
            assert_eq!(count(&event), times, "{event}");
        }
    }
}
