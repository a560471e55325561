//! Machines: they answer, go away, come back; their pods are lost and moved.

use super::clock;
use super::cluster::{Cluster, From, is_deleting, name, set_condition, text};
use super::resource::R;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A machine.
#[derive(Debug, Clone, Default)]
pub struct NodeRun {
    /// Since when it does not answer.
    pub silent: Option<Timestamp>,
    /// Milliseconds of a core that pods may use.
    pub cpu: i64,
    /// Bytes that pods may use.
    pub memory: i64,
}

/// A machine that was silent for so many seconds is not ready, as the controller manager has it.
const GRACE: i64 = 40;
/// Its pods are moved after so many more.
const EVICTION: i64 = 300;

impl Cluster {
    /// Makes a machine.
    pub fn add_node(&mut self, name: &str, zone: &str, cores: i64, gibibytes: i64) {
        let at = clock::seconds(self.now);
        let address = 10 + self.nodes.len();
        let condition = |of: &str, is: &str, reason: &str, message: &str| {
            json!({"type": of, "status": is, "reason": reason, "message": message,
                   "lastHeartbeatTime": at, "lastTransitionTime": at})
        };
        let memory = gibibytes * 1024 * 1024;
        self.create(
            R::Node,
            json!({
                "metadata": {"name": name, "labels": {
                    "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name,
                    "topology.kubernetes.io/zone": zone, "node-role.kubernetes.io/worker": "",
                    "node.kubernetes.io/instance-type": format!("c{cores}.m{gibibytes}")}},
                "spec": {"podCIDR": format!("10.244.{address}.0/24")},
                "status": {
                    "addresses": [{"type": "InternalIP", "address": format!("192.0.2.{address}")},
                                  {"type": "Hostname", "address": name}],
                    "capacity": {"cpu": cores.to_string(), "memory": format!("{memory}Ki"), "pods": "110",
                                 "ephemeral-storage": "98831908Ki"},
                    "allocatable": {"cpu": format!("{}m", cores * 1000 - 100),
                                    "memory": format!("{}Ki", memory - 716_800), "pods": "110",
                                    "ephemeral-storage": "91083486262"},
                    "conditions": [
                        condition("MemoryPressure", "False", "KubeletHasSufficientMemory",
                                  "kubelet has sufficient memory available"),
                        condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                        condition("PIDPressure", "False", "KubeletHasSufficientPID",
                                  "kubelet has sufficient PID available"),
                        condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")],
                    "nodeInfo": {"architecture": "amd64", "bootID": "", "machineID": "", "systemUUID": "",
                        "containerRuntimeVersion": "containerd://2.1.4", "kernelVersion": "6.12.41",
                        "kubeProxyVersion": self.version.git, "kubeletVersion": self.version.git,
                        "operatingSystem": "linux", "osImage": "Debian GNU/Linux 13 (trixie)"},
                    "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
                },
            }),
        );
        let run = NodeRun { silent: None, cpu: cores * 1000 - 100, memory: (memory - 716_800) * 1024 };
        self.nodes.insert(name.to_owned(), run);
    }

    /// Lets a machine go silent, or come back.
    pub fn silence_node(&mut self, name: &str, is_silent: bool) {
        let now = self.now;
        let Some(run) = self.nodes.get_mut(name) else { return };
        run.silent = is_silent.then_some(run.silent.unwrap_or(now));
    }

    /// Returns whether a machine answers.
    pub(super) fn answers(&self, node: &str) -> bool {
        self.nodes.get(node).is_none_or(|run| run.silent.is_none())
    }

    pub(super) fn run_nodes(&mut self) {
        let now = self.now;
        for (node, run) in self.nodes.clone() {
            let Some(object) = self.store.value(R::Node, "", &node) else { continue };
            let ready = super::cluster::condition(&object, "Ready").to_owned();
            match run.silent {
                Some(since) if clock::between(since, now) >= GRACE => {
                    if ready != "Unknown" {
                        self.lose(&node, &object);
                    }
                    if clock::between(since, now) >= GRACE + EVICTION {
                        self.move_pods(&node);
                    }
                }
                Some(_) => {}
                None if ready != "True" => self.regain(&node, &object),
                None => self.heartbeat(&node, &object),
            }
        }
    }

    /// Machines say every five minutes that they are well; between that a lease does.
    fn heartbeat(&mut self, node: &str, object: &Value) {
        let last = object["status"]["conditions"].as_array().into_iter().flatten().next();
        let last = last.and_then(|condition| clock::parse(&condition["lastHeartbeatTime"]));
        if last.is_some_and(|last| clock::between(last, self.now) < 300) {
            return;
        }
        let at = clock::seconds(self.now);
        self.change(R::Node, "", node, |object| {
            for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
                condition["lastHeartbeatTime"] = at.clone().into();
            }
        });
    }

    fn lose(&mut self, node: &str, object: &Value) {
        let now = self.now;
        let at = clock::seconds(now);
        self.change(R::Node, "", node, |object| {
            for of in ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"] {
                let why = "Kubelet stopped posting node status.";
                let heartbeat = heartbeat_of(object, of);
                set_condition(&mut object["status"], now, of, "Unknown", "NodeStatusUnknown", why);
                set_heartbeat(object, of, heartbeat);
            }
            let taint = |effect: &str| {
                json!({"key": "node.kubernetes.io/unreachable", "effect": effect, "timeAdded": at})
            };
            let mut taints = object["spec"]["taints"].as_array().cloned().unwrap_or_default();
            taints.extend([taint("NoSchedule"), taint("NoExecute")]);
            object["spec"]["taints"] = taints.into();
        });
        let message = format!("Node {node} status is now: NodeNotReady");
        self.tell(object, "Normal", "NodeNotReady", &message, From::Component("node-controller"));
        for pod in self.pods_of(node) {
            self.change(R::Pod, super::cluster::namespace(&pod), name(&pod), |pod| {
                set_condition(&mut pod["status"], now, "Ready", "False", "", "");
            });
            self.tell(
                &pod,
                "Warning",
                "NodeNotReady",
                "Node is not ready",
                From::Component("node-controller"),
            );
        }
    }

    fn regain(&mut self, node: &str, object: &Value) {
        let now = self.now;
        let at = clock::seconds(now);
        let words: BTreeMap<&str, (&str, &str, &str)> = BTreeMap::from([
            (
                "MemoryPressure",
                ("False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            ),
            ("DiskPressure", ("False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure")),
            ("PIDPressure", ("False", "KubeletHasSufficientPID", "kubelet has sufficient PID available")),
            ("Ready", ("True", "KubeletReady", "kubelet is posting ready status")),
        ]);
        self.change(R::Node, "", node, |object| {
            for (of, (is, reason, message)) in words {
                set_condition(&mut object["status"], now, of, is, reason, message);
                set_heartbeat(object, of, at.clone().into());
            }
            if let Some(spec) = object["spec"].as_object_mut() {
                let taints = spec.get("taints").and_then(Value::as_array).cloned().unwrap_or_default();
                let is_ours = |taint: &Value| taint["key"] == "node.kubernetes.io/unreachable";
                let rest: Vec<Value> = taints.into_iter().filter(|taint| !is_ours(taint)).collect();
                if rest.is_empty() {
                    spec.remove("taints");
                } else {
                    spec.insert("taints".to_owned(), rest.into());
                }
            }
        });
        let message = format!("Node {node} status is now: NodeReady");
        self.tell(object, "Normal", "NodeReady", &message, From::Kubelet(node));
        for pod in self.pods_of(node) {
            if let Some(run) = self.pods.get_mut(super::cluster::uid(&pod)) {
                run.wake = now;
            }
        }
    }

    /// Deletes the pods of a lost machine, but those of daemon sets; they stay until it answers again.
    fn move_pods(&mut self, node: &str) {
        for pod in self.pods_of(node) {
            let is_daemon = pod["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet";
            if is_daemon || is_deleting(&pod) {
                continue;
            }
            let message =
                format!("Marking for deletion Pod {}/{}", super::cluster::namespace(&pod), name(&pod));
            self.tell(
                &pod,
                "Normal",
                "TaintManagerEviction",
                &message,
                From::Component("taint-eviction-controller"),
            );
            self.begin_pod_deletion(super::cluster::namespace(&pod), name(&pod), None);
        }
    }

    /// Returns the pods of a machine.
    pub(super) fn pods_of(&self, node: &str) -> Vec<std::sync::Arc<Value>> {
        let pods = self.store.values(R::Pod);
        pods.into_iter().filter(|pod| text(&pod["spec"]["nodeName"]) == node).collect()
    }
}

fn heartbeat_of(object: &Value, of: &str) -> Value {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.into_iter().flatten().find(|condition| condition["type"] == of);
    found.map_or(Value::Null, |condition| condition["lastHeartbeatTime"].clone())
}

fn set_heartbeat(object: &mut Value, of: &str, at: Value) {
    let conditions = object["status"]["conditions"].as_array_mut();
    if let Some(condition) = conditions.into_iter().flatten().find(|condition| condition["type"] == of) {
        condition["lastHeartbeatTime"] = at;
    }
}
