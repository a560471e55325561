//! Revisions of a workload: what ran before and can run again.

use super::ask::{Fault, Resource, Session, is_owned, list, number, pairs, selector, text, time};
use super::kind::Kind;
use super::object::ObjectRef;
use super::order::Revision;
use serde_json::Value;

/// Where Deployments keep the number of a revision.
pub(super) const NUMBER: &str = "deployment.kubernetes.io/revision";
/// Where people say why.
const CAUSE: &str = "kubernetes.io/change-cause";

/// Fetches the revisions of a workload, newest first.
///
/// # Errors
/// A sentence for people.
pub async fn revisions(session: &Session, at: &ObjectRef) -> Result<Vec<Revision>, String> {
    let object = session.read(at).await?;
    let kept = kept(session, &object, at).await?;
    let mut found: Vec<Revision> = match at.kind {
        Kind::Deployment => kept.iter().map(|set| of_set(set, &object)).collect(),
        _ => {
            let pods = pods(session, &object, at).await;
            let newest = kept.iter().filter_map(|revision| number(revision, "/revision")).max();
            kept.iter().map(|revision| of_revision(revision, &object, newest, &pods)).collect()
        }
    };
    found.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    Ok(found)
}

/// Fetches the objects that hold the revisions of a workload: replica sets or controller revisions.
///
/// # Errors
/// A sentence for people.
pub(super) async fn kept(session: &Session, object: &Value, at: &ObjectRef) -> Result<Vec<Value>, String> {
    let labels = selector(object).unwrap_or_default();
    let selection = [("labelSelector", labels.as_str())];
    let found = match at.kind {
        Kind::Deployment => session.list(Kind::ReplicaSet, &at.namespace, &selection).await?,
        Kind::StatefulSet | Kind::DaemonSet => {
            let resource = controller_revisions();
            session.list_of(&resource, &at.namespace, &selection).await.map_err(|fault: Fault| {
                let doing = format!("could not list revisions of {}", session.called(at));
                session.explain(&fault, &doing, "list", "controllerrevisions", &at.namespace)
            })?
        }
        _ => return Err(format!("{} has no revisions", session.called(at))),
    };
    let uid = text(object, "/metadata/uid");
    Ok(found.into_iter().filter(|revision| is_owned(revision, uid)).collect())
}

fn controller_revisions() -> Resource {
    Resource {
        group: "apps".to_owned(),
        versions: vec!["v1".to_owned()],
        plural: "controllerrevisions".to_owned(),
        kind: "ControllerRevision".to_owned(),
    }
}

async fn pods(session: &Session, object: &Value, at: &ObjectRef) -> Vec<Value> {
    let labels = selector(object).unwrap_or_default();
    let uid = text(object, "/metadata/uid");
    let pods = session.list(Kind::Pod, &at.namespace, &[("labelSelector", &labels)]).await;
    pods.unwrap_or_default().into_iter().filter(|pod| is_owned(pod, uid)).collect()
}

fn annotation<'a>(object: &'a Value, key: &str) -> &'a str {
    let annotations = object.pointer("/metadata/annotations");
    annotations.and_then(|all| all.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the number of the revision that an object of a deployment has.
pub(super) fn number_of(object: &Value) -> u64 {
    annotation(object, NUMBER).parse().unwrap_or(0)
}

fn images(template: &Value) -> Vec<String> {
    let containers = list(template, "/spec/containers").iter();
    containers.map(|container| text(container, "/image").to_owned()).collect()
}

fn of_set(set: &Value, deployment: &Value) -> Revision {
    let number = number_of(set);
    let pods = super::ask::number(set, "/status/replicas").unwrap_or(0);
    Revision {
        number,
        images: set.pointer("/spec/template").map(images).unwrap_or_default(),
        created: time(set, "/metadata/creationTimestamp"),
        cause: annotation(set, CAUSE).to_owned(),
        pods: u32::try_from(pods).unwrap_or(0),
        is_current: number != 0 && number == number_of(deployment),
    }
}

fn of_revision(revision: &Value, workload: &Value, newest: Option<i64>, pods: &[Value]) -> Revision {
    let name = text(revision, "/metadata/name");
    let number = number(revision, "/revision").unwrap_or(0);
    let update = text(workload, "/status/updateRevision");
    // pods of a StatefulSet carry the name of the revision, those of a DaemonSet only its hash
    let hash = pairs(revision, "/metadata/labels")
        .into_iter()
        .find(|(key, _)| matches!(*key, "controller-revision-hash" | "controller.kubernetes.io/hash"))
        .map(|(_, hash)| hash.into_owned())
        .unwrap_or_default();
    let has = |pod: &&Value| {
        let of_pod = pod.pointer("/metadata/labels/controller-revision-hash").and_then(Value::as_str);
        of_pod.is_some_and(|of_pod| of_pod == name || (!hash.is_empty() && of_pod == hash))
    };
    Revision {
        number: u64::try_from(number).unwrap_or(0),
        images: revision.pointer("/data/spec/template").map(images).unwrap_or_default(),
        created: time(revision, "/metadata/creationTimestamp"),
        cause: annotation(revision, CAUSE).to_owned(),
        pods: u32::try_from(pods.iter().filter(has).count()).unwrap_or(u32::MAX),
        is_current: if update.is_empty() { Some(number) == newest } else { name == update },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_replica_set_is_a_revision() {
        let deployment = json!({"metadata": {"annotations": {NUMBER: "3"}}});
        let set = json!({
            "metadata": {"annotations": {NUMBER: "3", CAUSE: "why"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"template": {"spec": {"containers": [{"image": "a:1"}, {"image": "b:2"}]}}},
            "status": {"replicas": 2},
        });
        let revision = of_set(&set, &deployment);
        assert_eq!((revision.number, revision.pods, revision.is_current), (3, 2, true));
        assert_eq!((revision.images, revision.cause.as_str()), (vec!["a:1".into(), "b:2".into()], "why"));
        let bare = of_set(&json!({}), &json!({}));
        assert_eq!((bare.number, bare.is_current), (0, false));
    }

    #[test]
    fn a_controller_revision_counts_its_pods() {
        let revision = json!({"metadata": {"name": "db-abc", "labels": {"controller.kubernetes.io/hash": "abc"}},
            "revision": 2, "data": {"spec": {"template": {"spec": {"containers": [{"image": "db:2"}]}}}}});
        let pod = |hash: &str| json!({"metadata": {"labels": {"controller-revision-hash": hash}}});
        let pods = [pod("db-abc"), pod("abc"), pod("db-old"), json!({})];
        let found = of_revision(&revision, &json!({"status": {"updateRevision": "db-abc"}}), Some(3), &pods);
        assert_eq!((found.number, found.pods, found.is_current), (2, 2, true));
        let found = of_revision(&revision, &json!({}), Some(3), &pods);
        assert!(!found.is_current);
    }
}
