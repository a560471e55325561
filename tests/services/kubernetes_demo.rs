//! A desk with a portal's hub at one side and a world on order at the other; and what the world itself promises.

use devportal::demo::kubernetes::{Cluster, R, Scenario, Server, World};
use devportal::kubernetes::clusters::{Places, Wanted, discover};
use devportal::kubernetes::hub::Settings;
use devportal::kubernetes::state::{ClusterState, Phase, Watch};
use devportal::kubernetes::{Hub, Kind, Object, ObjectRef, Order, State};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

/// Longest time a test waits for anything.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A world of one cluster `test`, and a hub that watches it.
pub struct Desk {
    pub hub: Hub,
    pub world: World,
}

impl Desk {
    pub fn new() -> Self {
        let world = World::start(&Scenario::empty("test")).unwrap();
        let kubeconfig = world.kubeconfig();
        Self::with(world, vec![kubeconfig], Settings::default())
    }

    /// The same in real time.
    pub fn with_real_time() -> Self {
        let world = World::start(&Scenario::empty("test").in_real_time()).unwrap();
        let kubeconfig = world.kubeconfig();
        Self::with(world, vec![kubeconfig], Settings::default())
    }

    pub fn with(world: World, kubeconfig: Vec<PathBuf>, settings: Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let places = Places { kubeconfig, is_in_cluster: false };
        let find = move || discover(&places, &Wanted::default());
        let hub = Hub::with(settings, Box::new(find), Arc::new(|_| {}));
        Self { hub, world }
    }

    /// Has these kinds watched, and waits until they are.
    pub fn watch(&self, kinds: &[Kind]) -> Arc<State> {
        self.hub.order(Order::Watch(kinds.to_vec()));
        self.wait("live tables", |state| kinds.iter().all(|kind| table(state, *kind) == Watch::Live))
    }

    pub fn server(&self) -> &Arc<Server> {
        self.world.server("test").unwrap()
    }

    pub fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.server().cluster()
    }

    pub fn step(&self, seconds: u64) {
        self.world.step(Duration::from_secs(seconds));
    }

    /// Waits until the state is as wanted.
    pub fn wait(&self, what: &str, is_it: impl Fn(&State) -> bool) -> Arc<State> {
        let until = Instant::now() + LIMIT;
        loop {
            let state = self.hub.state();
            if is_it(&state) {
                return state;
            }
            assert!(Instant::now() < until, "no {what}: {:#?}", summary(&state));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Makes a deployment of one container, which runs.
    pub fn deploy(&self, namespace: &str, name: &str, replicas: u32, tag: &str) -> ObjectRef {
        let mut cluster = self.cluster();
        cluster.add_namespace(namespace);
        let object = deployment(namespace, name, replicas, tag);
        cluster.create(R::Deployment, object);
        drop(cluster);
        self.step(12);
        ObjectRef {
            cluster: "test".into(),
            kind: Kind::Deployment,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Returns the names of the pods the cluster has in a namespace.
    pub fn pods(&self, namespace: &str) -> Vec<String> {
        let cluster = self.cluster();
        cluster.store.list(R::Pod, Some(namespace), None).map(|(key, _)| key.1.to_string()).collect()
    }
}

pub fn deployment(namespace: &str, name: &str, replicas: u32, tag: &str) -> Value {
    let labels = json!({"app": name});
    json!({
        "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": name, "image": format!("registry.example.com/test/{name}:{tag}")}]}}},
    })
}

fn summary(state: &State) -> Vec<String> {
    let row = |known: &Arc<ClusterState>| {
        let tables: Vec<_> = known
            .tables
            .iter()
            .map(|(kind, table)| (*kind, table.objects.len(), table.watch.clone()))
            .collect();
        format!("{} {:?} {tables:?}", known.cluster.name, known.phase)
    };
    state.clusters.iter().map(row).collect()
}

/// Returns how the watch of a kind stands in the first cluster.
pub fn table(state: &State, kind: Kind) -> Watch {
    let known = state.clusters.first();
    known.and_then(|known| known.tables.get(&kind)).map(|table| table.watch.clone()).unwrap_or_default()
}

/// Returns the names of what is known of a kind in the first cluster, `namespace/name`.
pub fn names(state: &State, kind: Kind) -> Vec<String> {
    let objects =
        state.clusters.first().and_then(|known| known.tables.get(&kind)).map(|table| &table.objects);
    objects.into_iter().flat_map(|objects| objects.keys()).map(|(ns, name)| format!("{ns}/{name}")).collect()
}

/// Returns an object of the first cluster.
pub fn object(state: &State, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
    let table = state.clusters.first()?.tables.get(&kind)?;
    table.objects.get(&(namespace.into(), name.into())).cloned()
}

pub fn is_down(state: &State) -> bool {
    state.clusters.first().is_some_and(|known| matches!(known.phase, Phase::Down { .. }))
}

#[test]
fn the_kubeconfig_is_private_and_goes_with_the_world() {
    let world = World::start(&Scenario::empty("test")).unwrap();
    let (file, folder) = (world.kubeconfig(), world.folder().to_owned());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&folder)), (0o600, 0o700));
    }
    assert!(std::fs::read_to_string(&file).unwrap().contains(world.token()));
    drop(world);
    assert!(!folder.exists());
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let names = || {
        let world = World::start(&Scenario::empty("test")).unwrap();
        let server = world.server("test").unwrap();
        server.cluster().add_namespace("shop");
        server.cluster().create(R::Deployment, deployment("shop", "web", 3, "1"));
        world.step(Duration::from_secs(20));
        let cluster = server.cluster();
        let pods: Vec<String> =
            cluster.store.list(R::Pod, None, None).map(|(_, entry)| entry.text().to_string()).collect();
        pods
    };
    let (one, two) = (names(), names());
    assert_eq!(one.len(), 3);
    assert_eq!(one, two);
}

#[test]
fn the_company_has_its_trouble_and_the_hub_sees_it() {
    let mut scenario = Scenario::company();
    scenario.start = Some("2026-07-14T09:00:00Z".parse().unwrap());
    let world = World::start(&scenario).unwrap();
    let kubeconfig = world.kubeconfig();
    let desk = Desk::with(world, vec![kubeconfig], Settings::default());
    desk.hub.order(Order::Watch(vec![Kind::Pod, Kind::Deployment, Kind::Node, Kind::Secret]));
    let is_live = |state: &State, name: &str, kind: Kind| {
        let known = state.cluster(name);
        known.and_then(|known| known.tables.get(&kind)).is_some_and(|table| table.watch == Watch::Live)
    };
    let state = desk.wait("both clusters", |state| {
        ["prod-eu", "staging"].iter().all(|name| {
            [Kind::Pod, Kind::Deployment, Kind::Node].iter().all(|kind| is_live(state, name, *kind))
        })
    });
    let prod = state.cluster("prod-eu").unwrap();
    assert!(prod.cluster.is_protected && !state.cluster("staging").unwrap().cluster.is_protected);
    assert!(prod.tables[&Kind::Pod].objects.len() > 50);
    assert_eq!(prod.tables[&Kind::Node].objects.len(), 4);
    // secrets of production are not for everybody, and the third cluster is only a row
    desk.wait("a refusal", |state| {
        let known = state.cluster("prod-eu").and_then(|known| known.tables.get(&Kind::Secret));
        known.is_some_and(|table| matches!(table.watch, Watch::Forbidden(_)))
    });
    assert!(state.cluster("lab").is_some_and(|lab| lab.phase != Phase::Live));
    // a machine goes away for a while
    let ready = |state: &State| {
        let nodes = &state.cluster("prod-eu").unwrap().tables[&Kind::Node].objects;
        let is_ready = |node: &Arc<Object>| match &node.facts {
            devportal::kubernetes::object::Facts::Node(node) => node
                .conditions
                .iter()
                .any(|condition| &*condition.name == "Ready" && &*condition.status == "True"),
            _ => false,
        };
        nodes.values().filter(|node| is_ready(node)).count()
    };
    desk.step(130);
    desk.wait("a lost machine", |state| ready(state) == 3);
    desk.step(200);
    desk.wait("all machines", |state| ready(state) == 4);
}
