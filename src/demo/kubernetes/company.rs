//! The company of the sample catalog, as its clusters run it, with everything that happens there.
//!
//! `prod-eu` has the trouble people are woken for, `staging` what developers leave behind. Most of it goes on by
//! itself (see [`life`](super::life)); the rest is a [script](Act) that repeats.

use super::batch;
use super::clock::{self, later};
use super::cluster::{Cluster, Version};
use super::resource::R;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Which of its clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Production.
    Prod,
    /// Where things are tried.
    Staging,
}

/// Something that happens at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A deployment gets the other of two tags, again and again.
    Release {
        /// Namespace and name.
        of: (&'static str, &'static str),
        /// The tags, the next one first.
        tags: (&'static str, &'static str),
        /// Seconds until the next.
        every: i64,
    },
    /// A machine goes away, and comes back.
    Silence {
        /// The machine.
        node: String,
        /// Seconds until it comes back.
        for_seconds: i64,
        /// Seconds until it goes again.
        every: i64,
    },
    /// A machine comes back.
    Return(String),
}

/// What a service runs as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    Deployment,
    Daemon,
    Stateful,
    Cron(&'static str),
}

struct Service {
    /// Name of its objects.
    name: &'static str,
    /// Name of its entity, which its label says.
    id: &'static str,
    namespace: &'static str,
    runs: As,
    /// Tags in production and staging; empty where it does not run.
    tags: (&'static str, &'static str),
    /// Pods in production and staging.
    replicas: (i64, i64),
    /// Thousandths of a core and MiB asked for, MiB allowed.
    needs: (i64, i64, i64),
    /// Minutes since its last release, production.
    age: i64,
    /// Further labels.
    labels: &'static [(&'static str, &'static str)],
}

const fn service(
    name: &'static str,
    namespace: &'static str,
    tags: (&'static str, &'static str),
    replicas: (i64, i64),
    needs: (i64, i64, i64),
    age: i64,
) -> Service {
    Service { name, id: name, namespace, runs: As::Deployment, tags, replicas, needs, age, labels: &[] }
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

static SERVICES: &[Service] = &[
    service("checkout-api", "payments", ("8.14.2", "8.15.0-rc.1"), (4, 1), (300, 256, 512), 3 * DAY + 125),
    service("payment-gateway", "payments", ("4.12.0", "4.12.0"), (3, 1), (200, 192, 384), 6 * DAY),
    service("refund-worker", "payments", ("2.3.1", "2.3.1"), (2, 1), (100, 96, 192), 12 * DAY),
    service("fraud-scorer", "payments", ("0.9.4", "0.10.0-missing"), (1, 1), (400, 512, 1024), 2 * DAY),
    Service {
        runs: As::Cron("30 2 * * *"),
        labels: &[("app.kubernetes.io/name", "settlement-run")],
        ..service("settlement-run", "payments", ("1.19.0", "1.18.2"), (1, 1), (200, 256, 512), 30 * DAY)
    },
    service("event-relay", "platform", ("3.0.7", "3.0.7"), (2, 1), (150, 128, 256), 20 * DAY),
    service("identity-service", "platform", ("5.6.0", "5.6.0"), (3, 1), (200, 96, 192), 9 * DAY),
    Service {
        runs: As::Daemon,
        ..service("edge-proxy", "platform", ("1.31.4", "1.32.0"), (0, 0), (250, 128, 256), 41 * DAY)
    },
    service("shop-bff", "shop", ("12.2.0", "12.3.0"), (8, 1), (200, 256, 512), 5 * DAY),
    service("shop-web", "shop", ("5.31.0", "5.32.0"), (4, 1), (100, 128, 256), DAY + 30),
    service("campaign-pages", "shop", ("2019.4", "2019.4"), (1, 1), (100, 128, 256), 210 * DAY),
    service("pricing-service", "shop", ("9.0.3", "9.1.0"), (3, 1), (250, 512, 1024), 8 * DAY),
    service("promotion-engine", "shop", ("2.8.0", "2.7.5"), (2, 1), (200, 384, 768), 47),
    service("basket-service", "shop", ("3.0.8", "3.1.0-rc.2"), (3, 1), (200, 256, 512), 15 * DAY),
    service("search-indexer", "shop", ("7.3.0", "7.2.9"), (1, 1), (200, 256, 512), 5 * HOUR),
    service("product-catalogue", "shop", ("6.4.1", "6.5.0"), (3, 1), (300, 512, 1024), 4 * DAY),
    Service {
        id: "fitment-finder",
        labels: &[("app", "fitment"), ("component", "api")],
        ..service("fitment-api", "shop", ("1.4.0", "1.4.0"), (2, 1), (100, 64, 128), 33 * DAY)
    },
    Service {
        id: "fitment-finder",
        labels: &[("app", "fitment"), ("component", "rules")],
        ..service("fitment-rules", "shop", ("1.4.0", "1.4.0"), (1, 1), (100, 64, 128), 33 * DAY)
    },
    Service {
        id: "stock-service",
        labels: &[("app.kubernetes.io/part-of", "stock"), ("app.kubernetes.io/component", "api")],
        ..service("stock-api", "supply", ("9.2.1", "9.2.1"), (3, 1), (200, 192, 384), 7 * DAY)
    },
    Service {
        id: "stock-service",
        runs: As::Stateful,
        labels: &[("app.kubernetes.io/part-of", "stock"), ("app.kubernetes.io/component", "database")],
        ..service("stock-db", "supply", ("16.10", "16.10"), (3, 1), (400, 768, 1536), 60 * DAY)
    },
    Service {
        labels: &[("app", "picking")],
        ..service("picking-service", "supply", ("4.4.4", "4.4.4"), (2, 1), (150, 128, 256), 11 * DAY)
    },
    service("courier-router", "supply", ("5.9.2", "6.0.0-beta.1"), (2, 1), (150, 128, 256), 26 * DAY),
    Service {
        runs: As::Cron("0 * * * *"),
        ..service("supplier-sync", "supply", ("3.3.0", "3.3.0"), (1, 1), (100, 128, 256), 90 * DAY)
    },
    service("demand-forecast", "insights", ("2.11.0", "2.11.0"), (1, 1), (24_000, 2048, 4096), 70),
];

/// Returns the version of a place.
pub fn version(place: Place) -> Version {
    match place {
        Place::Prod => Version { minor: 34, git: "v1.34.2".to_owned() },
        Place::Staging => Version { minor: 29, git: "v1.29.14".to_owned() },
    }
}

/// What is done on the way from the past to the start.
enum Step {
    Make(&'static Service),
    Gateway,
    Tick,
}

/// Makes a cluster of the company as it is at a time: its past is played first.
pub fn build(name: &str, place: Place, seed: u64, start: Timestamp) -> Cluster {
    let longest = SERVICES.iter().map(|service| service.age).max().unwrap_or(0) * 60 + 86_400;
    let mut cluster = Cluster::new(name, version(place), seed, later(start, -longest));
    let nodes = if place == Place::Prod { 4 } else { 2 };
    for at in 1..=nodes {
        let zone = ["eu-west-1a", "eu-west-1b", "eu-west-1c"].get(at % 3).copied().unwrap_or_default();
        cluster.add_node(&format!("{name}-w{at}"), zone, 8, 32);
    }
    for namespace in ["payments", "platform", "shop", "supply", "insights"] {
        cluster.add_namespace(namespace);
        furnish(&mut cluster, namespace);
    }
    for (at, step) in timeline(place, start) {
        cluster.now = at;
        match step {
            Step::Make(service) => make(&mut cluster, service, place),
            Step::Gateway => release(&mut cluster, ("payments", "payment-gateway"), "4.12.1"),
            Step::Tick => {}
        }
        cluster.tick(at);
    }
    if place == Place::Prod {
        let release = Act::Release { of: ("shop", "shop-web"), tags: ("5.32.0", "5.31.0"), every: 300 };
        cluster.script.push((later(start, 15), release));
        let away = Act::Silence { node: format!("{name}-w4"), for_seconds: 200, every: 900 };
        cluster.script.push((later(start, 75), away));
    } else {
        let release = Act::Release { of: ("shop", "pricing-service"), tags: ("9.1.1", "9.1.0"), every: 420 };
        cluster.script.push((later(start, 40), release));
    }
    cluster
}

fn timeline(place: Place, start: Timestamp) -> Vec<(Timestamp, Step)> {
    let mut steps: Vec<(Timestamp, Step)> = Vec::new();
    for service in SERVICES {
        let age = if place == Place::Prod { service.age } else { service.age / 3 + 10 };
        let at = later(start, -age * 60);
        steps.push((at, Step::Make(service)));
        if let As::Cron(schedule) = service.runs {
            // the last run, and the one before it
            let last = batch::last_scheduled(schedule, start);
            let before = last.and_then(|last| batch::last_scheduled(schedule, last));
            for run in [last, before].into_iter().flatten() {
                steps.extend([0, 5, 60, 75, 140, 210].map(|by| (later(run, by), Step::Tick)));
            }
        } else {
            // made, ready, seen to be ready; those of a stateful set come one after the other
            let ticks: &[i64] =
                if service.runs == As::Stateful { &[12, 13, 25, 26, 38, 39, 40] } else { &[25, 26, 27] };
            steps.extend(ticks.iter().map(|by| (later(at, *by), Step::Tick)));
        }
    }
    if place == Place::Prod {
        steps.push((later(start, -26 * 60), Step::Gateway));
    }
    // the last half hour coarsely, the last minute finely
    steps.extend((1..=15).map(|at| (later(start, -at * 120), Step::Tick)));
    steps.extend((0..=5).map(|at| (later(start, -at * 10), Step::Tick)));
    steps.retain(|(at, _)| *at <= start);
    steps.sort_by_key(|(at, _)| *at);
    steps
}

/// Puts into a namespace what every namespace of the company has.
fn furnish(cluster: &mut Cluster, namespace: &str) {
    cluster.create(
        R::ConfigMap,
        json!({"metadata": {"name": "company", "namespace": namespace},
               "data": {"region": "eu-west-1", "currency": "EUR", "timezone": "Europe/Lisbon"}}),
    );
    cluster.create(
        R::Secret,
        json!({"metadata": {"name": "database", "namespace": namespace}, "type": "Opaque",
               "data": {"user": "c2hvcA==", "password": "bm90IGEgcmVhbCBvbmU="}}),
    );
    if namespace == "payments" {
        cluster.create(
            R::ResourceQuota,
            json!({"metadata": {"name": "payments", "namespace": namespace},
                   "spec": {"hard": {"requests.cpu": "12", "requests.memory": "16Gi", "pods": "60"}},
                   "status": {"hard": {"requests.cpu": "12", "requests.memory": "16Gi", "pods": "60"},
                              "used": {"requests.cpu": "2600m", "requests.memory": "2496Mi", "pods": "11"}}}),
        );
        cluster.create(
            R::LimitRange,
            json!({"metadata": {"name": "defaults", "namespace": namespace}, "spec": {"limits": [
                {"type": "Container", "default": {"memory": "512Mi"}, "defaultRequest": {"cpu": "100m", "memory": "128Mi"}}]}}),
        );
    }
}

fn image(service: &Service, tag: &str) -> String {
    format!("registry.example.com/larkspoke/{}:{tag}", service.name)
}

fn labels(service: &Service) -> Value {
    let mut labels =
        json!({"backstage.io/kubernetes-id": service.id, "app.kubernetes.io/managed-by": "argocd"});
    labels["app"] = service.name.into();
    for (key, value) in service.labels {
        labels[*key] = (*value).into();
    }
    labels
}

fn template(service: &Service, place: Place, tag: &str) -> Value {
    let (cpu, memory, limit) = service.needs;
    // staging is small: nothing there asks for a whole machine, but what nobody has
    let cpu = if place == Place::Staging && cpu > 8000 { 500 } else { cpu };
    let mut container = json!({
        "name": service.name, "image": image(service, tag),
        "env": [{"name": "PORT", "value": "8080"}, {"name": "SERVICE", "value": service.id},
                {"name": "DATABASE_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "database", "key": "password"}}}],
        "resources": {"requests": {"cpu": format!("{cpu}m"), "memory": format!("{memory}Mi")},
                      "limits": {"memory": format!("{limit}Mi")}},
    });
    let is_job = matches!(service.runs, As::Cron(_));
    if !is_job {
        container["ports"] = json!([{"name": "http", "containerPort": 8080, "protocol": "TCP"}]);
        let probe = |path: &str| {
            json!({"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "initialDelaySeconds": 2,
                   "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3})
        };
        container["readinessProbe"] = probe("/ready");
        container["livenessProbe"] = probe("/live");
    }
    let mut spec = json!({"containers": [container], "terminationGracePeriodSeconds": 30});
    if matches!(service.name, "checkout-api" | "product-catalogue") {
        spec["initContainers"] = json!([{"name": "migrate",
            "image": "registry.example.com/larkspoke/migrate:1.6.0", "args": ["up"]}]);
    }
    if matches!(service.name, "checkout-api" | "payment-gateway" | "identity-service") {
        let proxy = json!({"name": "proxy", "image": "registry.example.com/larkspoke/edge-proxy:1.31.4",
            "ports": [{"name": "admin", "containerPort": 9901, "protocol": "TCP"}],
            "resources": {"requests": {"cpu": "50m", "memory": "48Mi"}, "limits": {"memory": "96Mi"}}});
        if let Some(containers) = spec["containers"].as_array_mut() {
            containers.push(proxy);
        }
    }
    if is_job {
        spec["restartPolicy"] = "Never".into();
    }
    json!({"metadata": {"labels": labels(service)}, "spec": spec})
}

fn make(cluster: &mut Cluster, service: &'static Service, place: Place) {
    let (tag, replicas) = match place {
        Place::Prod => (service.tags.0, service.replicas.0),
        Place::Staging => (service.tags.1, service.replicas.1),
    };
    let template = template(service, place, tag);
    let metadata = json!({"name": service.name, "namespace": service.namespace, "labels": labels(service),
                          "annotations": {"kubernetes.io/change-cause": format!("release {tag}")}});
    let selector = json!({"matchLabels": {"app": template["metadata"]["labels"]["app"]}});
    let mut selector = selector;
    for (key, value) in service.labels {
        selector["matchLabels"][*key] = (*value).into();
    }
    match service.runs {
        As::Deployment => {
            let careful =
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
            let spec = json!({"replicas": replicas, "selector": selector, "template": template, "strategy": careful});
            cluster.create(R::Deployment, json!({"metadata": metadata, "spec": spec}));
        }
        As::Daemon => {
            let spec = json!({"selector": selector, "template": template});
            cluster.create(R::DaemonSet, json!({"metadata": metadata, "spec": spec}));
        }
        As::Stateful => {
            let spec = json!({"replicas": replicas, "serviceName": service.name, "selector": selector,
                "template": template, "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {
                    "accessModes": ["ReadWriteOnce"], "storageClassName": "standard",
                    "resources": {"requests": {"storage": "200Gi"}}}}]});
            cluster.create(R::StatefulSet, json!({"metadata": metadata, "spec": spec}));
            for at in 0..replicas {
                claim(cluster, service, &format!("data-{}-{at}", service.name), "standard", "200Gi", true);
            }
        }
        As::Cron(schedule) => {
            let job = json!({"metadata": {"labels": labels(service)},
                             "spec": {"template": template, "backoffLimit": 1}});
            let spec = json!({"schedule": schedule, "concurrencyPolicy": "Forbid", "jobTemplate": job});
            cluster.create(R::CronJob, json!({"metadata": metadata, "spec": spec}));
        }
    }
    surround(cluster, service, &selector);
}

/// Makes what stands around a workload: service, ingress, budget, autoscaler, claims.
fn surround(cluster: &mut Cluster, service: &'static Service, selector: &Value) {
    if matches!(service.runs, As::Cron(_)) {
        return;
    }
    let metadata = json!({"name": service.name, "namespace": service.namespace, "labels": labels(service)});
    let port = json!({"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"});
    let spec = json!({"selector": selector["matchLabels"], "ports": [port]});
    cluster.create(R::Service, json!({"metadata": metadata, "spec": spec, "status": {"loadBalancer": {}}}));
    let host = match service.name {
        "shop-web" => "shop.example.com",
        "shop-bff" => "graph.example.com",
        "checkout-api" => "checkout.example.com",
        "identity-service" => "login.example.com",
        _ => "",
    };
    if !host.is_empty() {
        let backend = json!({"service": {"name": service.name, "port": {"name": "http"}}});
        cluster.create(
            R::Ingress,
            json!({"metadata": metadata, "spec": {"ingressClassName": "edge",
                "tls": [{"hosts": [host], "secretName": format!("{}-tls", service.name)}],
                "rules": [{"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
                "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.40"}]}}}),
        );
    }
    if service.replicas.0 >= 3 && service.runs == As::Deployment {
        let spec = json!({"minAvailable": service.replicas.0 - 1, "selector": selector});
        cluster.create(R::PodDisruptionBudget, json!({"metadata": metadata, "spec": spec}));
    }
    let bounds = match service.name {
        "shop-bff" => Some((4, 8, 70)),
        "checkout-api" => Some((4, 10, 75)),
        _ => None,
    };
    if let Some((min, max, percent)) = bounds.filter(|_| cluster.nodes.len() > 2) {
        cluster.create(
            R::HorizontalPodAutoscaler,
            json!({"metadata": metadata, "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.name},
                "minReplicas": min, "maxReplicas": max,
                "metrics": [{"type": "Resource", "resource": {"name": "cpu",
                    "target": {"type": "Utilization", "averageUtilization": percent}}}]}}),
        );
    }
    if service.name == "product-catalogue" {
        claim(cluster, service, "catalogue-export", "fast-nvme", "500Gi", false);
    }
}

fn claim(cluster: &mut Cluster, service: &Service, name: &str, class: &str, size: &str, is_bound: bool) {
    let mut spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": class, "volumeMode": "Filesystem",
                          "resources": {"requests": {"storage": size}}});
    let mut status = json!({"phase": "Pending"});
    if is_bound {
        let volume = format!("pvc-{}", cluster.chance.uuid());
        spec["volumeName"] = volume.as_str().into();
        status = json!({"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}});
        let claim = json!({"kind": "PersistentVolumeClaim", "namespace": service.namespace, "name": name});
        cluster.create(
            R::PersistentVolume,
            json!({"metadata": {"name": volume}, "spec": {"capacity": {"storage": size}, "claimRef": claim,
                "accessModes": ["ReadWriteOnce"], "storageClassName": class, "persistentVolumeReclaimPolicy": "Delete"},
                "status": {"phase": "Bound"}}),
        );
    }
    let metadata = json!({"name": name, "namespace": service.namespace, "labels": labels(service)});
    let made = cluster
        .create(R::PersistentVolumeClaim, json!({"metadata": metadata, "spec": spec, "status": status}));
    if !is_bound {
        let message = format!("storageclass.storage.k8s.io \"{class}\" not found");
        let from = super::cluster::From::Component("persistentvolume-controller");
        cluster.tell(&made, "Warning", "ProvisioningFailed", &message, from);
    }
}

fn release(cluster: &mut Cluster, of: (&str, &str), tag: &str) {
    cluster.change(R::Deployment, of.0, of.1, |deployment| {
        let containers = deployment["spec"]["template"]["spec"]["containers"].as_array_mut();
        if let Some(container) = containers.and_then(|containers| containers.first_mut()) {
            let image = container["image"].as_str().unwrap_or_default();
            let repository = image.rsplit_once(':').map_or(image, |(repository, _)| repository);
            container["image"] = format!("{repository}:{tag}").into();
        }
        deployment["metadata"]["annotations"]["kubernetes.io/change-cause"] = format!("release {tag}").into();
    });
}

impl Cluster {
    /// Does what the script says for now.
    pub(super) fn act(&mut self) {
        let now = self.now;
        let (due, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.script).into_iter().partition(|(at, _)| *at <= now);
        self.script = rest;
        for (_, act) in due {
            match act {
                Act::Release { of, tags, every } => {
                    release(self, of, tags.0);
                    self.script.push((later(now, every), Act::Release { of, tags: (tags.1, tags.0), every }));
                }
                Act::Silence { node, for_seconds, every } => {
                    self.silence_node(&node, true);
                    self.script.push((later(now, for_seconds), Act::Return(node.clone())));
                    self.script.push((later(now, every), Act::Silence { node, for_seconds, every }));
                }
                Act::Return(node) => {
                    self.silence_node(&node, false);
                    self.wake_pending();
                }
            }
        }
    }

    /// Makes pods in bulk: they run, and nothing happens to them.
    pub fn add_pods(&mut self, namespace: &str, count: usize) {
        self.add_namespace(namespace);
        let started = clock::seconds(later(self.now, -3600));
        for at in 0..count {
            let app = format!("app-{}", at / 50);
            let object = json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {
                    "name": format!("{app}-{:05}", at), "namespace": namespace, "uid": self.chance.uuid(),
                    "creationTimestamp": started, "generateName": format!("{app}-"),
                    "labels": {"app": app, "backstage.io/kubernetes-id": app, "pod-template-hash": "5c7f9d8b6"}},
                "spec": {
                    "nodeName": format!("node-{}", at % 400), "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
                    "serviceAccountName": "default", "schedulerName": "default-scheduler",
                    "containers": [{"name": "app", "image": format!("registry.example.com/larkspoke/{app}:1.0.{}", at % 7),
                        "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
                        "env": [{"name": "PORT", "value": "8080"}, {"name": "REGION", "value": "eu-west-1"}],
                        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 10}}]},
                "status": {
                    "phase": "Running", "qosClass": "Burstable", "startTime": started,
                    "podIP": format!("10.{}.{}.{}", 100 + at / 65_536, (at / 256) % 256, at % 256), "hostIP": "192.0.2.10",
                    "conditions": [
                        {"type": "Ready", "status": "True", "lastTransitionTime": started, "lastProbeTime": null},
                        {"type": "ContainersReady", "status": "True", "lastTransitionTime": started, "lastProbeTime": null},
                        {"type": "Initialized", "status": "True", "lastTransitionTime": started, "lastProbeTime": null},
                        {"type": "PodScheduled", "status": "True", "lastTransitionTime": started, "lastProbeTime": null}],
                    "containerStatuses": [{"name": "app", "image": format!("registry.example.com/larkspoke/{app}:1.0"),
                        "imageID": format!("registry.example.com/larkspoke/{app}@sha256:{:064x}", at), "ready": true,
                        "started": true, "restartCount": 0, "containerID": format!("containerd://{:064x}", at),
                        "lastState": {}, "state": {"running": {"startedAt": started}}}]},
            });
            self.store.put_bulk(R::Pod, object);
        }
    }
}
