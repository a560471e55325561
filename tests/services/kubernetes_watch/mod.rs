//! Watches of a hub against a server that fails on order.

mod server;

use devportal::catalog::Catalog;
use devportal::config::source::SourceConfig;
use devportal::kubernetes::clusters::Wanted;
use devportal::kubernetes::hub::Settings;
use devportal::kubernetes::object::Facts;
use devportal::kubernetes::state::{ClusterState, MetricsStatus, Phase, Watch};
use devportal::kubernetes::{Cluster, Connection, Hub, Kind, Order, State};
use serde_json::json;
use server::{Refusal, Server};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest time a test waits for anything.
const LIMIT: Duration = Duration::from_secs(40);

/// A hub, and every state it published.
struct Desk {
    hub: Hub,
    states: Arc<Mutex<Vec<Arc<State>>>>,
}

impl Desk {
    fn new(clusters: Vec<Cluster>) -> Self {
        Self::with(Settings::default(), clusters)
    }

    fn with(settings: Settings, clusters: Vec<Cluster>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let states: Arc<Mutex<Vec<Arc<State>>>> = Arc::default();
        let kept = states.clone();
        let tell = move |report| {
            if let devportal::kubernetes::hub::Report::State(state) = report {
                kept.lock().unwrap().push(state);
            }
        };
        let hub = Hub::with(settings, Box::new(move || clusters), Arc::new(tell));
        hub.order(Order::Catalog(Arc::new(Catalog::default())));
        Self { hub, states }
    }

    /// Waits until the state is as wanted.
    fn wait(&self, what: &str, is_it: impl Fn(&State) -> bool) -> Arc<State> {
        let until = Instant::now() + LIMIT;
        loop {
            let state = self.hub.state();
            if is_it(&state) {
                return state;
            }
            assert!(Instant::now() < until, "no {what}: {:#?}", clusters_of(&state));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_for_pods(&self, names: &[&str]) -> Arc<State> {
        self.wait("such pods", |state| pods(state) == names)
    }

    fn wait_live(&self) -> Arc<State> {
        self.wait("live pods", |state| cluster(state).is_some_and(|known| watch(known) == Watch::Live))
    }
}

fn clusters_of(state: &State) -> Vec<(String, Phase, Watch, usize)> {
    let row = |known: &Arc<ClusterState>| {
        let count = known.tables.get(&Kind::Pod).map_or(0, |table| table.objects.len());
        (known.cluster.name.to_string(), known.phase.clone(), watch(known), count)
    };
    state.clusters.iter().map(row).collect()
}

fn cluster(state: &State) -> Option<&ClusterState> {
    state.clusters.first().map(|known| &**known)
}

fn watch(known: &ClusterState) -> Watch {
    known.tables.get(&Kind::Pod).map(|table| table.watch.clone()).unwrap_or_default()
}

fn pods(state: &State) -> Vec<String> {
    let table = cluster(state).and_then(|known| known.tables.get(&Kind::Pod));
    table
        .into_iter()
        .flat_map(|table| table.objects.keys().map(|(ns, name)| format!("{ns}/{name}")))
        .collect()
}

fn direct(name: &str, url: &str) -> Cluster {
    let connection =
        Connection::Direct { url: url.to_owned(), token: None, authority: None, skip_tls_verify: false };
    Cluster::new(name, String::new(), Ok(connection))
}

fn is_down(state: &State) -> bool {
    cluster(state).is_some_and(|known| matches!(known.phase, Phase::Down { .. }))
}

#[test]
fn objects_are_listed_page_by_page_and_followed() {
    let server = Server::start();
    server.fill("bulk", 1201, |index, version| {
        json!({ "metadata": { "namespace": "bulk", "name": format!("pod-{index:05}"),
            "resourceVersion": version.to_string() }, "status": { "phase": "Running" } })
    });
    let desk = Desk::new(vec![direct("one", &server.url())]);
    let state = desk.wait_live();
    assert_eq!(pods(&state).len(), 1201);
    assert_eq!(server.asked("/pods?&limit=500"), 3);
    let known = cluster(&state).unwrap();
    assert_eq!((&*known.version, &*known.user, &known.phase), ("v1.30.0", "ana", &Phase::Live));
    server.put_with("bulk", "pod-00000", json!({ "status": { "phase": "Failed" } }));
    server.delete("bulk", "pod-00001", true);
    let phase = |state: &State| {
        let table = &cluster(state).unwrap().tables[&Kind::Pod];
        match &table.objects[&("bulk".into(), "pod-00000".into())].facts {
            Facts::Pod(pod) => pod.phase.to_string(),
            _ => String::new(),
        }
    };
    let state = desk.wait("a deletion", |state| pods(state).len() == 1200);
    assert_eq!(phase(&state), "Failed");
    // rows were there before the list was complete, and never fewer later
    let counts: Vec<usize> = desk.states.lock().unwrap().iter().map(|state| pods(state).len()).collect();
    assert!(counts.windows(2).all(|two| two[1] + 1 >= two[0]), "{counts:?}");
}

#[test]
fn old_versions_cost_a_list_and_drop_only_what_is_gone() {
    let server = Server::start();
    for name in ["a", "b", "c"] {
        server.put("shop", name);
    }
    let desk = Desk::new(vec![direct("one", &server.url())]);
    desk.wait_live();
    server.delete("shop", "b", false);
    server.put("shop", "d");
    desk.wait_for_pods(&["shop/a", "shop/b", "shop/c", "shop/d"]);
    server.expire();
    desk.wait_for_pods(&["shop/a", "shop/c", "shop/d"]);
    // nothing was missing in between
    let states = desk.states.lock().unwrap();
    let first = states.iter().position(|state| pods(state).len() >= 3).unwrap();
    assert!(states.iter().skip(first).all(|state| pods(state).len() >= 3));
}

#[test]
fn broken_and_odd_lines_lose_nothing() {
    let server = Server::start();
    server.put("shop", "a");
    let desk = Desk::new(vec![direct("one", &server.url())]);
    desk.wait_live();
    let lists = server.asked("/api/v1/pods?&limit");
    server.say("{\"type\":\"MODIFIED\",\"object\":7}");
    server.say("{\"type\":\"SOMETHING\",\"object\":{}}");
    server.say("{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"2\"}}}");
    server.put("shop", "b");
    desk.wait_for_pods(&["shop/a", "shop/b"]);
    server.cut();
    server.put("shop", "c");
    desk.wait_for_pods(&["shop/a", "shop/b", "shop/c"]);
    assert_eq!(server.asked("/api/v1/pods?&limit"), lists, "a cut costs no list");
}

#[test]
fn server_that_goes_away_leaves_its_data_and_comes_back() {
    let mut server = Server::start();
    server.put("shop", "a");
    let desk = Desk::new(vec![direct("one", &server.url())]);
    desk.wait_live();
    server.down();
    let state = desk.wait("a cause", is_down);
    let Phase::Down { cause, retry, .. } = &cluster(&state).unwrap().phase else { panic!() };
    assert!(cause.contains("refuses the connection") && retry.is_some(), "{cause}");
    assert!(matches!(watch(cluster(&state).unwrap()), Watch::Stale { .. }));
    assert_eq!(pods(&state), ["shop/a"]);
    server.script(|script| script.log.clear());
    server.up();
    server.put("shop", "b");
    desk.hub.order(Order::Connect(None));
    let state = desk.wait_for_pods(&["shop/a", "shop/b"]);
    assert_eq!(cluster(&state).unwrap().phase, Phase::Live);
    desk.wait_live();
    assert_eq!(server.asked("/api/v1/pods?&limit"), 0, "it goes on where it was");
}

#[test]
fn without_the_right_to_all_namespaces_those_allowed_are_shown() {
    let server = Server::start();
    server.put("shop", "a");
    server.put("pay", "b");
    server.put("secret", "c");
    server.script(|script| script.allowed = Some(BTreeSet::from(["shop".to_owned(), "pay".to_owned()])));
    let mut cluster_row = direct("one", &server.url());
    cluster_row.namespace = Some("shop".into());
    let namespaces = vec!["pay".to_owned(), "secret".to_owned(), "../evil".to_owned()];
    let desk = Desk::with(Settings { namespaces, ..Settings::default() }, vec![cluster_row]);
    let state = desk.wait("part of the pods", |state| pods(state) == ["pay/b", "shop/a"]);
    let state = if matches!(cluster(&state).map(watch), Some(Watch::Partial { .. })) {
        state
    } else {
        desk.wait("a partial watch", |state| matches!(cluster(state).map(watch), Some(Watch::Partial { .. })))
    };
    let Watch::Partial { forbidden, .. } = watch(cluster(&state).unwrap()) else { panic!() };
    assert_eq!(
        forbidden.remedy,
        "ask a cluster administrator of `one` for `list pods` in all namespaces for `ana`"
    );
    let is_settled = |state: &State| match cluster(state).map(watch) {
        Some(Watch::Partial { namespaces, .. }) => namespaces == ["pay".into(), "shop".into()],
        _ => false,
    };
    desk.wait("the namespaces", is_settled);
    let nodes =
        |state: &State| cluster(state).unwrap().tables.get(&Kind::Node).map(|table| table.watch.clone());
    desk.wait("a refusal", |state| matches!(nodes(state), Some(Watch::Forbidden(_))));
    assert_eq!(server.asked("evil"), 0);
    server.put("pay", "z");
    desk.wait_for_pods(&["pay/b", "pay/z", "shop/a"]);
}

#[test]
fn older_versions_of_an_api_are_asked_for() {
    let server = Server::start();
    let desk = Desk::new(vec![direct("one", &server.url())]);
    let table = |state: &State, kind: Kind| {
        cluster(state).and_then(|known| known.tables.get(&kind).map(|table| table.watch.clone()))
    };
    desk.wait("cron jobs", |state| table(state, Kind::CronJob) == Some(Watch::Live));
    assert!(server.asked("/apis/batch/v1beta1/cronjobs") > 0);
    desk.wait("no jobs", |state| table(state, Kind::Job) == Some(Watch::Missing));
    desk.wait("no metrics", |state| {
        cluster(state).is_some_and(|known| known.metrics.status == MetricsStatus::Missing)
    });
}

#[test]
fn busy_and_failing_servers_are_asked_again() {
    let server = Server::start();
    server.put("shop", "a");
    server.script(|script| {
        let refusal = |holding, code, retry_after, times| Refusal { holding, code, retry_after, times };
        script.refusals = vec![
            refusal("/api/v1/pods?&limit", 429, Some(1), 2),
            refusal("/api/v1/pods?&limit", 500, None, 1),
            refusal("resourceVersion", 503, None, 2),
        ];
    });
    let desk = Desk::new(vec![direct("one", &server.url())]);
    desk.wait_live();
    desk.wait_for_pods(&["shop/a"]);
    assert_eq!(server.asked("/api/v1/pods?&limit"), 4);
}

#[test]
fn clock_of_the_server_is_compared() {
    let server = Server::start();
    server.script(|script| script.skew = 3600);
    let desk = Desk::new(vec![direct("one", &server.url())]);
    let state = desk.wait("a skew", |state| cluster(state).is_some_and(|known| known.clock_skew != 0));
    assert!((3598..=3602).contains(&cluster(&state).unwrap().clock_skew));
}

#[test]
fn silent_cluster_never_delays_the_others() {
    let server = Server::start();
    server.put("shop", "a");
    // takes connections and says nothing
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let broken = Cluster::new("broken", String::new(), Err("no such file".to_owned()));
    let desk = Desk::new(vec![direct("one", &server.url()), direct("silent", &url), broken]);
    let state = desk
        .wait("the good one", |state| state.cluster("one").is_some_and(|known| watch(known) == Watch::Live));
    let phase = |state: &State, name: &str| state.cluster(name).unwrap().phase.clone();
    assert!(matches!(phase(&state, "silent"), Phase::Connecting(_)));
    assert!(matches!(phase(&state, "broken"), Phase::Down { cause, .. } if cause == "no such file"));
    let state = desk.wait("a cause", |state| matches!(phase(state, "silent"), Phase::Down { .. }));
    let Phase::Down { cause, .. } = phase(&state, "silent") else { panic!() };
    assert!(cause.contains("in time"), "{cause}");
}

fn kubeconfig(folder: &Path, url: &str, plugin: &str) -> Cluster {
    let file = folder.join("config");
    let text = json!({
        "clusters": [{ "name": "c", "cluster": { "server": url } }],
        "users": [{ "name": "u", "user": { "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", plugin],
        } } }],
        "contexts": [{ "name": "one", "context": { "cluster": "c", "user": "u" } }],
    });
    std::fs::write(&file, text.to_string()).unwrap();
    let connection = Connection::Kubeconfig { files: vec![file], context: "one".to_owned() };
    Cluster::new("one", String::new(), Ok(connection))
}

#[test]
fn refused_token_is_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "first").unwrap();
    let server = Server::start();
    server.put("shop", "a");
    server.script(|script| script.token = Some("first".to_owned()));
    let plugin = format!(
        "printf '{{\"status\":{{\"token\":\"%s\"}}}}' \"$(cat {})\"; echo run >> {}",
        token.display(),
        folder.path().join("runs").display()
    );
    let desk = Desk::new(vec![kubeconfig(folder.path(), &server.url(), &plugin)]);
    desk.wait_live();
    std::fs::write(&token, "second").unwrap();
    server.script(|script| script.token = Some("second".to_owned()));
    server.cut();
    server.put("shop", "b");
    let state = desk.wait_for_pods(&["shop/a", "shop/b"]);
    assert_eq!(cluster(&state).unwrap().phase, Phase::Live);
    let runs = std::fs::read_to_string(folder.path().join("runs")).unwrap().lines().count();
    assert_eq!(runs, 2, "once for each token");
}

#[test]
fn credentials_that_stay_refused_are_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start();
    server.script(|script| script.token = Some("good".to_owned()));
    let plugin = "echo '{\"status\":{\"token\":\"s3cret-wrong\"}}'";
    let desk = Desk::new(vec![kubeconfig(folder.path(), &server.url(), plugin)]);
    let state = desk.wait("a cause", is_down);
    let Phase::Down { cause, .. } = &cluster(&state).unwrap().phase else { panic!() };
    assert!(cause.contains("401") && cause.contains("log in again"), "{cause}");
    assert!(!format!("{state:?}").contains("s3cret"));
}

#[test]
fn clusters_behind_a_backend_are_found_and_watched() {
    let server = Server::start();
    server.put("shop", "a");
    let source: SourceConfig =
        toml::from_str(&format!("type = 'backstage'\nname = 'company'\nurl = '{}'", server.url())).unwrap();
    let wanted = Wanted { sources: vec![source], ..Wanted::default() };
    let desk = Desk::with(Settings { wanted, ..Settings::default() }, Vec::new());
    let state = desk.wait_for_pods(&["shop/a"]);
    assert_eq!(&*cluster(&state).unwrap().cluster.name, "behind");
    assert!(server.asked("/api/kubernetes/proxy/api/v1/pods?&limit=500 behind") > 0);
}

#[test]
fn object_without_anything_is_a_row() {
    let server = Server::start();
    server.fill("", 1, |_, _| json!({}));
    let desk = Desk::new(vec![direct("one", &server.url())]);
    desk.wait_live();
    let state = desk.hub.state();
    assert_eq!(pods(&state), ["/"]);
}

/// Measures, for people: `DEVPORTAL_MEASURE=1 cargo test --release --test services -- --ignored measures_20000_pods --nocapture`.
#[test]
#[ignore = "measures; run by hand"]
fn measures_20000_pods() {
    let server = Server::start();
    let usual = |index: usize, version: u64| usual_pod(index, version);
    server.fill("bulk", 20_000, usual);
    let before = resident();
    let started = Instant::now();
    let desk = Desk::new(vec![direct("one", &server.url())]);
    desk.wait("first rows", |state| !pods(state).is_empty());
    let first = started.elapsed();
    desk.wait_live();
    let all = started.elapsed();
    desk.states.lock().unwrap().clear();
    std::thread::sleep(Duration::from_millis(500));
    let kept = resident().saturating_sub(before);
    let mut slowest = Duration::ZERO;
    for index in 0..20 {
        let name = format!("pod-{index:05}");
        let sent = Instant::now();
        server.put_with("bulk", &name, json!({ "status": { "phase": "Failed" } }));
        desk.wait("the change", |state| {
            let table = &cluster(state).unwrap().tables[&Kind::Pod];
            let pod = &table.objects[&("bulk".into(), name.as_str().into())];
            matches!(&pod.facts, Facts::Pod(pod) if &*pod.phase == "Failed")
        });
        slowest = slowest.max(sent.elapsed());
        std::thread::sleep(Duration::from_millis(100));
    }
    let text = format!(
        "first rows {first:?}, all {all:?}, {} B a pod by resident memory, slowest of 20 changes {slowest:?}\n",
        kept * 1024 / 20_000
    );
    std::fs::write(std::env::temp_dir().join("devportal-20000-pods.txt"), text).unwrap();
}

fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn usual_pod(index: usize, version: u64) -> serde_json::Value {
    let env: Vec<_> =
        (0..20).map(|n| json!({ "name": format!("VARIABLE_{n}"), "value": "x".repeat(40) })).collect();
    let container = json!({
        "name": "app", "image": "registry.example.com/shop/checkout:1.42.0", "env": env,
        "ports": [{ "containerPort": 8080, "name": "http" }],
        "resources": { "requests": { "cpu": "100m", "memory": "128Mi" }, "limits": { "memory": "256Mi" } },
        "readinessProbe": { "httpGet": { "path": "/ready", "port": 8080 }, "periodSeconds": 10, "failureThreshold": 3 },
        "volumeMounts": [{ "name": "token", "mountPath": "/var/run/secrets" }],
    });
    let condition =
        |name: &str| json!({ "type": name, "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z" });
    let conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition);
    json!({
        "metadata": {
            "namespace": "bulk", "name": format!("pod-{index:05}"),
            "uid": format!("8f14e45f-ceea-467f-a{index:05}-{version:012}"),
            "resourceVersion": version.to_string(), "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": { "app": format!("app-{}", index % 200), "pod-template-hash": format!("h{}", index % 400),
                "backstage.io/kubernetes-id": format!("service-{}", index % 200) },
            "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "y".repeat(2000) },
            "ownerReferences": [{ "kind": "ReplicaSet", "name": format!("app-{}-x", index % 200), "uid": format!("u{}", index % 400), "controller": true }],
            "managedFields": [{ "manager": "kubelet", "fieldsV1": { "f:status": { "f:conditions": {} } } }],
        },
        "spec": { "nodeName": format!("node-{}", index % 100), "containers": [container] },
        "status": {
            "phase": "Running", "podIP": format!("10.0.{}.{}", index / 250, index % 250), "startTime": "2026-01-01T00:00:00Z",
            "conditions": conditions,
            "containerStatuses": [{ "name": "app", "ready": true, "restartCount": 1,
                "state": { "running": { "startedAt": "2026-01-01T00:00:00Z" } },
                "lastState": { "terminated": { "exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z" } } }],
        },
    })
}
