//! Why pods do not start, where their status says no more than that containers are being created: a network that is
//! not there, a volume that cannot be mounted. Only events tell that.
//!
//! Events are many and nobody needs most of them, so they are not watched: the few pods that wait too long are asked
//! for, one by one. Start at [`ask`]; [`Asker`] does that for an open screen.

use super::client::fault::clean;
use super::hub::keeper::{Keeper, get};
use super::hub::shared::Shared;
use super::kind::Kind;
use super::object::{ContainerState, Facts, Object, Pod, Role};
use super::state::ClusterState;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use rustc_hash::FxHashMap;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// A pod that was given to a node this long ago is asked for.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);
/// How often it is looked whether pods wait.
const EVERY: Duration = Duration::from_secs(10);
/// Pods asked for at once; one that is stuck mostly has many like it.
const MOST: usize = 20;
/// Events read of a pod.
const EVENTS: usize = 50;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest message kept, in bytes.
const MESSAGE: usize = 600;

/// Why a pod does not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// `FailedCreatePodSandBox`, `FailedMount`.
    pub reason: Box<str>,
    /// In the words of the node.
    pub message: Box<str>,
    /// When it was so first.
    pub since: Option<Timestamp>,
    /// How often.
    pub count: u32,
}

/// What is known of pods that do not start, by uid.
pub type AllBlocked = FxHashMap<Arc<str>, Blocked>;

/// Returns since when a pod that has a node waits for its containers to be made; `None` for any other.
pub fn waits_since(object: &Object, pod: &Pod) -> Option<Timestamp> {
    let is_waiting =
        matches!(&*pod.phase, "Pending" | "") && !pod.node.is_empty() && object.deleted.is_none();
    let is_made = |state: &ContainerState| match state {
        ContainerState::Waiting { reason, .. } => {
            !matches!(&**reason, "" | "ContainerCreating" | "PodInitializing")
        }
        ContainerState::Running { .. } | ContainerState::Terminated(_) => true,
        ContainerState::Unknown => false,
    };
    let own = pod.containers.iter().filter(|container| container.role != Role::Ephemeral);
    if !is_waiting || own.into_iter().any(|container| is_made(&container.state)) {
        return None;
    }
    let scheduled = pod
        .conditions
        .iter()
        .find(|condition| &*condition.name == "PodScheduled" && &*condition.status == "True");
    scheduled.and_then(|condition| condition.since).or(pod.started).or(object.created)
}

/// Returns the pods that wait too long for their status to be all there is to say.
fn waiting(cluster: &ClusterState, now: Timestamp) -> Vec<&Arc<Object>> {
    let pods = cluster.tables.get(&Kind::Pod).into_iter().flat_map(|table| table.objects.values());
    let waits = |object: &&Arc<Object>| {
        let Facts::Pod(pod) = &object.facts else { return false };
        waits_since(object, pod).is_some_and(|since| now.duration_since(since) >= PATIENCE)
    };
    pods.filter(waits).take(MOST).collect()
}

/// Asks for the events of the pods that wait too long.
pub async fn ask(client: &Client, cluster: &ClusterState, now: Timestamp) -> AllBlocked {
    let now = now + SignedDuration::from_secs(cluster.clock_skew.clamp(-86_400, 86_400));
    let asked = waiting(cluster, now).into_iter().map(|object| async move {
        let fields = format!("involvedObject.kind=Pod,involvedObject.name={},type=Warning", object.name);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("fieldSelector", &fields)
            .append_pair("limit", &EVENTS.to_string())
            .finish();
        let path = format!("/api/v1/namespaces/{}/events?{query}", object.namespace);
        let text = get(client, &path, TIMEOUT).await.ok()?;
        Some((object.uid.clone(), read(&text, &object.uid)?))
    });
    futures_util::future::join_all(asked).await.into_iter().flatten().collect()
}

/// Reads the newest event about a pod out of a list.
fn read(text: &str, uid: &str) -> Option<Blocked> {
    let list: Value = serde_json::from_str(text).ok()?;
    let said =
        |event: &Value, path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
    let time = |event: &Value, paths: &[&str]| {
        paths.iter().find_map(|path| said(event, path).parse::<Timestamp>().ok())
    };
    let last = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    let first = ["/firstTimestamp", "/eventTime", "/metadata/creationTimestamp"];
    let events = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let of_it = events.filter(|event| said(event, "/involvedObject/uid") == uid);
    // that it found no node first is over
    let event = of_it
        .filter(|event| said(event, "/reason") != "FailedScheduling")
        // that waiting timed out says less than what it waited for
        .max_by_key(|event| (!said(event, "/message").contains("timed out waiting"), time(event, &last)))?;
    let count = ["/series/count", "/count"].iter().find_map(|path| event.pointer(path)?.as_u64());
    let mut message = clean(&said(event, "/message"));
    if message.len() > MESSAGE {
        let end = (0..=MESSAGE).rev().find(|at| message.is_char_boundary(*at)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    Some(Blocked {
        reason: clean(&said(event, "/reason")).into(),
        message: message.into(),
        since: time(event, &first),
        count: count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
    })
}

/// Keeps asking while a cluster is watched.
pub struct Asker {
    /// What the hub shares.
    pub shared: Arc<Shared>,
    /// The cluster's connection.
    pub keeper: Arc<Keeper>,
}

impl Asker {
    /// Asks until the hub ends.
    pub async fn run(self) {
        let mut sessions = self.keeper.sessions();
        loop {
            let session = match sessions.wait_for(Option::is_some).await {
                Ok(session) => session.clone(),
                Err(_) => return,
            };
            tokio::time::sleep(EVERY).await;
            let state = self.shared.board.state();
            let Some(cluster) = state.cluster(&self.keeper.cluster.name) else { continue };
            let Some(session) = session else { continue };
            let known = ask(&session.link.client, cluster, Timestamp::now()).await;
            self.shared.board.edit(&self.keeper.cluster.name, |cluster| {
                let is_other = *cluster.blocked != known;
                if is_other {
                    cluster.blocked = Arc::new(known);
                }
                is_other
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::testing;
    use serde_json::json;

    fn pod(status: &Value, node: &str) -> Object {
        testing::object(&json!({
            "kind": "Pod",
            "metadata": { "name": "a", "namespace": "n", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z" },
            "spec": { "nodeName": node, "initContainers": [{ "name": "i" }], "containers": [{ "name": "c" }] },
            "status": status,
        }))
    }

    #[test]
    fn only_pods_whose_containers_are_not_made_wait() {
        let waiting = |reason: &str| {
            json!({ "phase": "Pending",
                "conditions": [{ "type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:01:00Z" }],
                "containerStatuses": [{ "name": "c", "ready": false, "restartCount": 0, "state": { "waiting": { "reason": reason } } }] })
        };
        let running = json!({ "phase": "Pending",
            "initContainerStatuses": [{ "name": "i", "ready": false, "restartCount": 0, "state": { "running": {} } }] });
        let cases = [
            (waiting("ContainerCreating"), "n", Some("2026-01-01T00:01:00Z")),
            (waiting("ImagePullBackOff"), "n", None),
            (waiting("ContainerCreating"), "", None),
            (json!({ "phase": "Pending" }), "n", Some("2026-01-01T00:00:00Z")),
            (running, "n", None),
            (json!({ "phase": "Running" }), "n", None),
        ];
        for (status, node, expected) in cases {
            let object = pod(&status, node);
            let Facts::Pod(facts) = &object.facts else { panic!() };
            let expected = expected.map(|at| at.parse::<Timestamp>().unwrap());
            assert_eq!(waits_since(&object, facts), expected, "{status}");
        }
    }

    #[test]
    fn the_newest_event_about_this_pod_counts() {
        let event = |uid: &str, reason: &str, last: &str| {
            json!({ "involvedObject": { "uid": uid }, "reason": reason, "message": format!("{reason}\u{1b}[31m!"),
                "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": last, "count": 3 })
        };
        let list = json!({ "items": [
            event("u", "FailedMount", "2026-01-01T00:05:00Z"),
            event("u", "FailedCreatePodSandBox", "2026-01-01T00:06:00Z"),
            event("u", "FailedScheduling", "2026-01-01T00:08:00Z"),
            event("u", "timed out waiting", "2026-01-01T00:07:00Z"),
            event("old", "Killing", "2026-01-01T00:09:00Z"),
        ] });
        let found = read(&list.to_string(), "u").unwrap();
        assert_eq!((&*found.reason, found.count), ("FailedCreatePodSandBox", 3));
        assert!(!found.message.contains('\u{1b}'), "{}", found.message);
        assert_eq!(found.since, "2026-01-01T00:00:00Z".parse().ok());
        assert_eq!(read(&list.to_string(), "nobody"), None);
        assert_eq!(read("<html>", "u"), None);
    }
}
