//! What pods and machines use, as metrics.k8s.io says it.

use super::clock;
use super::cluster::{Cluster, name, namespace, text, uid};
use super::life::Life;
use super::pod::State;
use super::quantity;
use super::random;
use super::resource::R;
use super::selector::Labels;
use serde_json::{Value, json};

/// Share of its request that a service of this name uses, in percent, where it is not chance.
const BUSY: &[(&str, u64)] = &[("shop-bff", 148), ("edge-proxy", 88), ("demand-forecast", 96)];

impl Cluster {
    /// Returns what a container uses now: billionths of a core, bytes.
    pub(super) fn usage(&self, pod: &Value, container: &Value) -> (i64, i64) {
        let Some(run) = self.pods.get(uid(pod)) else { return (0, 0) };
        let Some(run) = run.container(text(&container["name"])) else { return (0, 0) };
        let State::Running(since) = run.state else { return (0, 0) };
        let requests = &container["resources"]["requests"];
        let limit = quantity::whole(&container["resources"]["limits"]["memory"]);
        let request = quantity::milli(&requests["cpu"]).max(20);
        let seed = random::of_text(&format!("{}/{}", uid(pod), run.name));
        let turn = (self.now.as_second() / 15) as u64;
        let noise = random::mix(seed ^ turn) % 21;
        let busy = BUSY.iter().find(|(app, _)| name(pod).starts_with(app));
        let percent = busy.map_or(20 + seed % 40, |(_, percent)| *percent) + noise;
        let cpu = request * percent as i64 * 10_000;
        let wanted = quantity::whole(&requests["memory"]).max(32 << 20);
        let memory = match run.life {
            Life::Leaks(after) => {
                let ran = clock::between(since, self.now).clamp(0, after);
                limit / 4 + (limit - limit / 4) / after.max(1) * ran - (noise as i64) * 1024
            }
            _ => wanted / 100 * (55 + (seed % 25) as i64) + (noise as i64) * wanted / 400,
        };
        (cpu, memory.max(1 << 20))
    }

    /// Returns the metrics of a pod; `None` for one that uses nothing.
    fn pod_metrics(&self, pod: &Value) -> Option<Value> {
        let containers: Vec<Value> = pod["spec"]["containers"]
            .as_array()?
            .iter()
            .filter_map(|container| {
                let (cpu, memory) = self.usage(pod, container);
                let usage = json!({"cpu": format!("{cpu}n"), "memory": format!("{}Ki", memory / 1024)});
                (memory > 0).then(|| json!({"name": container["name"], "usage": usage}))
            })
            .collect();
        if containers.is_empty() {
            return None;
        }
        let metadata = json!({
            "name": name(pod), "namespace": namespace(pod), "labels": pod["metadata"]["labels"],
            "creationTimestamp": clock::seconds(self.now),
        });
        Some(json!({
            "kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": metadata,
            "timestamp": self.sampled(), "window": "15s", "containers": containers,
        }))
    }

    /// Numbers are of the last quarter of a minute.
    fn sampled(&self) -> String {
        clock::seconds(clock::later(self.now, -(self.now.as_second() % 15)))
    }

    /// Returns the metrics of pods.
    pub(super) fn all_pod_metrics(&self, of: Option<&str>, labels: &Labels) -> Value {
        let pods = self.store.list(R::Pod, of, None).filter(|(_, entry)| labels.matches(&entry.labels));
        let items: Vec<Value> = pods.filter_map(|(_, entry)| self.pod_metrics(&entry.value())).collect();
        json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items})
    }

    /// Returns the metrics of one pod.
    pub(super) fn one_pod_metrics(&self, of: &str, named: &str) -> Option<Value> {
        self.pod_metrics(&*self.store.value(R::Pod, of, named)?)
    }

    /// Returns the metrics of the machines that answer.
    pub(super) fn all_node_metrics(&self) -> Value {
        let items: Vec<Value> = self.nodes.keys().filter_map(|node| self.one_node_metrics(node)).collect();
        json!({"kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": items})
    }

    /// Returns the metrics of a machine.
    pub(super) fn one_node_metrics(&self, node: &str) -> Option<Value> {
        let run = self.nodes.get(node)?;
        if run.silent.is_some() {
            return None;
        }
        let (mut cpu, mut memory) = (180_000_000, 1_300 << 20);
        for pod in self.pods_of(node) {
            for container in pod["spec"]["containers"].as_array().into_iter().flatten() {
                let (c, m) = self.usage(&pod, container);
                cpu += c;
                memory += m;
            }
        }
        let metadata = json!({"name": node, "creationTimestamp": clock::seconds(self.now)});
        Some(json!({
            "kind": "NodeMetrics", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": metadata,
            "timestamp": self.sampled(), "window": "15s",
            "usage": {"cpu": format!("{cpu}n"), "memory": format!("{}Ki", memory / 1024)},
        }))
    }
}
