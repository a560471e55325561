//! A cluster as it is at a moment: its objects, and what runs behind them.
//!
//! Time comes in from outside: [`Cluster::tick`] brings everything to a time, once a second in a living world. The
//! controllers are small relatives of the real ones: they read objects, compare, and write.

use super::clock;
use super::node::NodeRun;
use super::pod::PodRun;
use super::random::Chance;
use super::resource::R;
use super::store::Store;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a cluster says of its version.
#[derive(Debug, Clone)]
pub struct Version {
    /// Minor number: 34 of 1.34.
    pub minor: u32,
    /// With `v`.
    pub git: String,
}

/// A cluster.
#[derive(Debug)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its objects.
    pub store: Store,
    /// Its time.
    pub now: Timestamp,
    /// Its chance.
    pub chance: Chance,
    /// What runs, by uid of the pod.
    pub pods: BTreeMap<String, PodRun>,
    /// Machines, by name.
    pub nodes: BTreeMap<String, NodeRun>,
    /// Names of events by what they say, to count them.
    pub(super) told: BTreeMap<(String, String, String), String>,
    /// Addresses given out.
    pub(super) addresses: u32,
    /// Things to come: when, what.
    pub(super) script: Vec<(Timestamp, super::company::Act)>,
    /// Log lines written by tests, by namespace, pod and container.
    pub(super) written: BTreeMap<(String, String, String), Vec<super::log::Written>>,
    /// Lines a second of a container that writes numbered lines, by namespace, pod and container.
    pub(super) floods: BTreeMap<(String, String, String), u32>,
    /// Metrics are served.
    pub has_metrics: bool,
}

/// Who an event is from.
#[derive(Debug, Clone, Copy)]
pub enum From<'a> {
    /// The agent of a machine.
    Kubelet(&'a str),
    /// A controller or the scheduler.
    Component(&'static str),
}

/// Objects by the uid of what controls them.
pub type Owned = BTreeMap<String, Vec<Arc<Value>>>;

impl Cluster {
    /// Returns an empty cluster.
    pub fn new(name: &str, version: Version, seed: u64, now: Timestamp) -> Self {
        let mut cluster = Self {
            name: name.to_owned(),
            version,
            store: Store::default(),
            now,
            chance: Chance::new(seed ^ super::random::of_text(name)),
            pods: BTreeMap::new(),
            nodes: BTreeMap::new(),
            told: BTreeMap::new(),
            addresses: 2,
            script: Vec::new(),
            written: BTreeMap::new(),
            floods: BTreeMap::new(),
            has_metrics: true,
        };
        for namespace in ["default", "kube-system", "kube-public"] {
            cluster.add_namespace(namespace);
        }
        cluster
    }

    /// Brings everything to a time: controllers, machines, what the script says.
    pub fn tick(&mut self, now: Timestamp) {
        self.now = now;
        self.act();
        self.run_nodes();
        self.run_cron_jobs();
        let pods = self.owned(R::Pod);
        self.run_jobs(&pods);
        self.run_autoscalers(&pods);
        self.run_deployments();
        self.run_replica_sets(&pods);
        self.run_stateful_sets(&pods);
        self.run_daemon_sets(&pods);
        self.run_pods();
        self.run_budgets();
        self.forget_old_events();
    }

    /// Returns the objects of a kind by what controls them.
    pub(super) fn owned(&self, kind: R) -> Owned {
        let mut owned = Owned::new();
        for object in self.store.values(kind) {
            if let Some(uid) = controller(&object) {
                owned.entry(uid.to_owned()).or_default().push(object);
            }
        }
        owned
    }

    /// Makes an object: fills in what the server fills in, and puts it.
    pub fn create(&mut self, kind: R, mut object: Value) -> Arc<Value> {
        let row = kind.row();
        object["apiVersion"] = row.api_version().into();
        object["kind"] = row.kind.into();
        if !object["metadata"].is_object() {
            object["metadata"] = json!({});
        }
        let uid = self.chance.uuid();
        let generated = object["metadata"]["generateName"].as_str().map(str::to_owned);
        if let (true, Some(prefix)) = (object["metadata"]["name"].as_str().is_none(), generated) {
            object["metadata"]["name"] = format!("{prefix}{}", self.chance.letters(5)).into();
        }
        let metadata = &mut object["metadata"];
        metadata["uid"] = uid.into();
        metadata["creationTimestamp"] = clock::seconds(self.now).into();
        if has_generation(kind) {
            metadata["generation"] = 1.into();
        }
        super::defaults::fill(kind, &mut object);
        if kind == R::Service && object["spec"]["clusterIP"].is_null() {
            let ip = format!("10.96.{}.{}", self.chance.below(256), 1 + self.chance.below(254));
            object["spec"]["clusterIPs"] = json!([ip]);
            object["spec"]["clusterIP"] = ip.into();
        }
        self.store.put(kind, object)
    }

    /// Makes a namespace with what every namespace has.
    pub fn add_namespace(&mut self, name: &str) {
        if self.store.get(R::Namespace, "", name).is_some() {
            return;
        }
        let labels = json!({"kubernetes.io/metadata.name": name});
        self.create(
            R::Namespace,
            json!({"metadata": {"name": name, "labels": labels}, "spec": {"finalizers": ["kubernetes"]},
                   "status": {"phase": "Active"}}),
        );
        self.create(R::ServiceAccount, json!({"metadata": {"namespace": name, "name": "default"}}));
        self.create(
            R::ConfigMap,
            json!({"metadata": {"namespace": name, "name": "kube-root-ca.crt"},
                   "data": {"ca.crt": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"}}),
        );
    }

    /// Changes an object in place; nothing happens when it is not there.
    pub fn change(
        &mut self,
        kind: R,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Option<Arc<Value>> {
        let before = self.store.value(kind, namespace, name)?;
        let mut object = (*before).clone();
        change(&mut object);
        if has_generation(kind) && object["spec"] != before["spec"] {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(1);
            object["metadata"]["generation"] = (generation + 1).into();
        }
        Some(self.store.put(kind, object))
    }

    /// Tells an event about an object; the same again counts up.
    pub(super) fn tell(&mut self, about: &Value, kind: &str, reason: &str, message: &str, from: From<'_>) {
        let uid = text(&about["metadata"]["uid"]).to_owned();
        let namespace = match text(&about["metadata"]["namespace"]) {
            "" => "default",
            namespace => namespace,
        };
        let key = (uid, reason.to_owned(), message.to_owned());
        let now = clock::seconds(self.now);
        if let Some(name) = self.told.get(&key).cloned() {
            let counted = self.change(R::Event, namespace, &name, |event| {
                event["count"] = (event["count"].as_i64().unwrap_or(1) + 1).into();
                event["lastTimestamp"] = now.clone().into();
            });
            if counted.is_some() {
                return;
            }
        }
        let name = format!("{}.{:016x}", text(&about["metadata"]["name"]), self.chance.next());
        let mut involved = json!({
            "apiVersion": about["apiVersion"], "kind": about["kind"], "name": about["metadata"]["name"],
            "uid": about["metadata"]["uid"], "resourceVersion": about["metadata"]["resourceVersion"],
        });
        if !about["metadata"]["namespace"].is_null() {
            involved["namespace"] = namespace.into();
        }
        let (source, reporter) = match from {
            From::Kubelet(node) => (json!({"component": "kubelet", "host": node}), "kubelet"),
            From::Component(name) => (json!({"component": name}), name),
        };
        self.create(
            R::Event,
            json!({
                "metadata": {"name": name, "namespace": namespace}, "involvedObject": involved,
                "type": kind, "reason": reason, "message": message, "source": source, "count": 1,
                "firstTimestamp": now, "lastTimestamp": now, "eventTime": null,
                "reportingComponent": reporter, "reportingInstance": "",
            }),
        );
        self.told.insert(key, name);
    }

    /// Events live an hour, as on most clusters.
    fn forget_old_events(&mut self) {
        if self.now.as_second() % 60 != 0 {
            return;
        }
        let oldest = clock::seconds(clock::later(self.now, -3600));
        let is_old = |event: &Value| text(&event["lastTimestamp"]) < oldest.as_str();
        let old: Vec<_> = self.store.values(R::Event).into_iter().filter(|event| is_old(event)).collect();
        for event in old {
            self.store.remove(R::Event, text(&event["metadata"]["namespace"]), name(&event));
        }
        let store = &self.store;
        self.told.retain(|(_, _, _), name| {
            store.list(R::Event, None, None).any(|((_, found), _)| &**found == name.as_str())
        });
    }
}

/// Returns whether objects of a kind count the versions of their specification.
pub fn has_generation(kind: R) -> bool {
    matches!(
        kind,
        R::Deployment
            | R::ReplicaSet
            | R::StatefulSet
            | R::DaemonSet
            | R::Job
            | R::CronJob
            | R::Ingress
            | R::PodDisruptionBudget
            | R::Rollout
            | R::ReplicationController
    )
}

/// Returns the uid of what controls an object.
pub fn controller(object: &Value) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)?["uid"].as_str()
}

/// Returns the reference that makes `owner` control an object.
pub fn owned_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    }])
}

/// Returns a text, empty when it is none.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the name of an object.
pub fn name(object: &Value) -> &str {
    text(&object["metadata"]["name"])
}

/// Returns the namespace of an object.
pub fn namespace(object: &Value) -> &str {
    text(&object["metadata"]["namespace"])
}

/// Returns the uid of an object.
pub fn uid(object: &Value) -> &str {
    text(&object["metadata"]["uid"])
}

/// Returns whether an object is being deleted.
pub fn is_deleting(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// Returns the status of a condition.
pub fn condition<'a>(object: &'a Value, of: &str) -> &'a str {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.into_iter().flatten().find(|condition| condition["type"] == of);
    found.map_or("", |condition| text(&condition["status"]))
}

/// Returns whether a pod is ready.
pub fn is_ready(pod: &Value) -> bool {
    condition(pod, "Ready") == "True"
}

/// Returns whether a pod counts: not ended, not being deleted.
pub fn is_active(pod: &Value) -> bool {
    !is_deleting(pod) && !matches!(text(&pod["status"]["phase"]), "Succeeded" | "Failed")
}

/// Sets a condition; its time moves only when its status does.
pub fn set_condition(status: &mut Value, now: Timestamp, of: &str, is: &str, reason: &str, message: &str) {
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(conditions) = status["conditions"].as_array_mut() else { return };
    let at = clock::seconds(now);
    let found = conditions.iter_mut().find(|condition| condition["type"] == of);
    let same_status = found.as_ref().is_some_and(|condition| condition["status"] == is);
    let mut made = json!({"type": of, "status": is});
    made["lastTransitionTime"] = match &found {
        Some(condition) if same_status => condition["lastTransitionTime"].clone(),
        _ => at.clone().into(),
    };
    if let Some(old) = found.as_ref().and_then(|condition| condition.get("lastProbeTime")) {
        made["lastProbeTime"] = old.clone();
    }
    if !reason.is_empty() {
        made["reason"] = reason.into();
    }
    if !message.is_empty() {
        made["message"] = message.into();
    }
    if matches!(of, "Available" | "Progressing") {
        let is_same = found.as_ref().is_some_and(|condition| {
            same_status && condition["reason"] == made["reason"] && condition["message"] == made["message"]
        });
        made["lastUpdateTime"] = match &found {
            Some(condition) if is_same => condition["lastUpdateTime"].clone(),
            _ => at.into(),
        };
    }
    match found {
        Some(condition) => *condition = made,
        None => conditions.push(made),
    }
}
