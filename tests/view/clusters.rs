//! Clusters made up for the pictures: one that is well, one that forbids, one that does not answer.

use devportal::kubernetes::Kind;
use devportal::kubernetes::cluster::{Cluster, Connection};
use devportal::kubernetes::health::{Evidence, Finding, Health, PodMark, Word};
use devportal::kubernetes::object::{
    Condition, Container, ContainerState, CronJob, Event, Facts, Node, Object, ObjectRef, Owner, Pod,
    Resources, Role, Service, Terminated, Workload,
};
use devportal::kubernetes::rows::status::{Status, Tone};
use devportal::kubernetes::state::{
    ClusterState, Forbidden, Metrics, MetricsStatus, Phase, PodUse, State, Table, Watch,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// So many minutes ago, and some seconds, so that a slow machine draws the same age.
fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes) - SignedDuration::from_secs(5)
}

fn cluster(name: &str, environment: &str, phase: Phase) -> ClusterState {
    let cluster = Cluster {
        name: name.into(),
        title: name.into(),
        environment: environment.into(),
        is_protected: environment == "prod",
        colour: None,
        origin: format!("kubeconfig /home/amara/.kube/config, context {name}"),
        connection: Ok(Connection::InCluster),
        namespace: None,
        skip_metrics: false,
        custom_resources: None,
        dashboard: None,
    };
    ClusterState {
        cluster: Arc::new(cluster),
        phase,
        version: "v1.33.1".into(),
        user: "amara@example.com".into(),
        tables: BTreeMap::new(),
        metrics: Metrics::default(),
        clock_skew: 0,
        blocked: Arc::default(),
    }
}

fn object(kind: Kind, namespace: &str, name: &str, minutes: i64, facts: Facts) -> Object {
    Object {
        kind,
        namespace: namespace.into(),
        name: name.into(),
        uid: format!("{namespace}/{name}").into(),
        created: Some(ago(minutes)),
        deleted: None,
        labels: Box::new([]),
        owners: Box::new([]),
        facts,
    }
}

fn container(name: &str, state: ContainerState) -> Container {
    let is_ready = matches!(state, ContainerState::Running { .. });
    Container {
        name: name.into(),
        role: Role::Main,
        image: "registry.example.com/shop/checkout:v412".into(),
        ready: Some(is_ready),
        restarts: 0,
        state,
        last: None,
        requests: Resources { millicores: 100, memory: 64 << 20 },
        limits: Resources { millicores: 500, memory: 128 << 20 },
        readiness: None,
        ports: Box::new([(8080, "http".into())]),
        order: 0,
    }
}

fn running(minutes: i64) -> ContainerState {
    ContainerState::Running { since: Some(ago(minutes)) }
}

fn condition(name: &str, is_true: bool, message: Option<&str>) -> Condition {
    Condition {
        name: name.into(),
        status: if is_true { "True" } else { "False" }.into(),
        reason: if is_true { "" } else { "ContainersNotReady" }.into(),
        message: message.map(Into::into),
        since: Some(ago(12)),
    }
}

fn pod(namespace: &str, name: &str, owner: &str, minutes: i64, containers: Vec<Container>) -> Object {
    let is_ready = containers.iter().all(|container| container.ready == Some(true));
    let facts = Pod {
        phase: "Running".into(),
        node: "worker-1".into(),
        ip: Some("10.1.0.7".into()),
        started: Some(ago(minutes)),
        conditions: Box::new([
            condition("Initialized", true, None),
            condition("Ready", is_ready, (!is_ready).then_some("containers with unready status: [checkout]")),
        ]),
        containers: containers.into(),
        ..Pod::default()
    };
    let mut made = object(Kind::Pod, namespace, name, minutes, Facts::Pod(Box::new(facts)));
    made.labels = labels(name);
    if !owner.is_empty() {
        made.owners = Box::new([Owner {
            kind: "ReplicaSet".into(),
            name: owner.into(),
            uid: format!("{namespace}/{owner}").into(),
        }]);
    }
    made
}

/// Labels as the sample's checkout-api is bound by.
fn labels(name: &str) -> Box<[(Arc<str>, Arc<str>)]> {
    if name.starts_with("checkout") {
        Box::new([
            ("app".into(), "checkout".into()),
            ("backstage.io/kubernetes-id".into(), "checkout-api".into()),
        ])
    } else {
        Box::new([("app".into(), name.split('-').next().unwrap_or_default().into())])
    }
}

fn workload(kind: Kind, namespace: &str, name: &str, owner: &str, (ready, desired): (i32, i32)) -> Object {
    let facts = Workload {
        desired: Some(desired),
        current: desired,
        ready,
        updated: desired,
        available: ready,
        strategy: "RollingUpdate".into(),
        revision: Some(12),
        images: Box::new(["registry.example.com/shop/checkout:v412".into()]),
        selector: "app=checkout".into(),
        conditions: Box::new([condition("Available", ready == desired, None)]),
        ..Workload::default()
    };
    let mut made = object(kind, namespace, name, 120, Facts::Workload(Box::new(facts)));
    made.labels = labels(name);
    if !owner.is_empty() {
        made.owners = Box::new([Owner {
            kind: "Deployment".into(),
            name: owner.into(),
            uid: format!("{namespace}/{owner}").into(),
        }]);
    }
    made
}

fn table(objects: Vec<Object>) -> Table {
    let key = |object: &Object| (object.namespace.clone(), object.name.clone());
    let objects = objects.into_iter().map(|object| (key(&object), Arc::new(object))).collect();
    Table { objects: Arc::new(objects), watch: Watch::Live }
}

fn killed() -> Terminated {
    Terminated {
        reason: "OOMKilled".into(),
        exit_code: 137,
        started: Some(ago(9)),
        finished: Some(ago(4)),
        ..Terminated::default()
    }
}

fn eu() -> ClusterState {
    let mut eu = cluster("prod-eu", "prod", Phase::Live);
    let waiting = ContainerState::Waiting {
        reason: "CrashLoopBackOff".into(),
        message: Some("back-off 1m20s restarting failed container=checkout".into()),
    };
    let crashing =
        Container { restarts: 5, last: Some(Box::new(killed())), ..container("checkout", waiting) };
    let missing = ContainerState::Waiting {
        reason: "ImagePullBackOff".into(),
        message: Some("Back-off pulling image \"registry.example.com/shop/refund:v9\"".into()),
    };
    let pods = vec![
        pod(
            "payments",
            "checkout-7d9f-a1xyz",
            "checkout-7d9f",
            118,
            vec![container("checkout", running(118))],
        ),
        pod("payments", "checkout-7d9f-b7qrs", "checkout-7d9f", 118, vec![crashing]),
        pod("payments", "refund-5c66-p0tuv", "refund-5c66", 30, vec![container("refund", missing)]),
        pod(
            "payments",
            "ledger-0",
            "",
            4000,
            vec![container("ledger", running(4000)), container("proxy", running(4000))],
        ),
        pod("kube-system", "coredns-66bff-x2k8f", "", 90_000, vec![container("coredns", running(90_000))]),
    ];
    eu.tables.insert(Kind::Pod, table(pods));
    eu.tables.insert(
        Kind::Deployment,
        table(vec![
            workload(Kind::Deployment, "payments", "checkout", "", (1, 2)),
            workload(Kind::Deployment, "payments", "refund", "", (0, 1)),
            workload(Kind::Deployment, "payments", "search", "", (0, 0)),
        ]),
    );
    eu.tables.insert(
        Kind::ReplicaSet,
        table(vec![
            workload(Kind::ReplicaSet, "payments", "checkout-7d9f", "checkout", (1, 2)),
            workload(Kind::ReplicaSet, "payments", "checkout-58aa", "checkout", (0, 0)),
            workload(Kind::ReplicaSet, "payments", "refund-5c66", "refund", (0, 1)),
        ]),
    );
    let cron = CronJob {
        schedule: "*/15 * * * *".into(),
        last_schedule: Some(ago(11)),
        last_success: Some(ago(26)),
        ..CronJob::default()
    };
    eu.tables.insert(
        Kind::CronJob,
        table(vec![object(Kind::CronJob, "payments", "settle", 9000, Facts::CronJob(Box::new(cron)))]),
    );
    for kind in [Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::HorizontalPodAutoscaler] {
        eu.tables.insert(kind, table(Vec::new()));
    }
    let service = Service {
        kind: "ClusterIP".into(),
        cluster_ip: "10.96.4.12".into(),
        ports: Box::new(["80→8080/TCP http".into()]),
        selector: "app=checkout".into(),
        ..Service::default()
    };
    eu.tables.insert(
        Kind::Service,
        table(vec![object(Kind::Service, "payments", "checkout", 9000, Facts::Service(Box::new(service)))]),
    );
    let node = Node {
        version: "v1.33.1".into(),
        roles: Box::new(["worker".into()]),
        allocatable: Resources { millicores: 4000, memory: 8 << 30 },
        conditions: Box::new([condition("Ready", true, None), condition("MemoryPressure", false, None)]),
        ..Node::default()
    };
    eu.tables.insert(
        Kind::Node,
        table(vec![object(Kind::Node, "", "worker-1", 90_000, Facts::Node(Box::new(node)))]),
    );
    let event = Event {
        severity: "Warning".into(),
        reason: "BackOff".into(),
        message: "Back-off restarting failed container checkout in pod checkout-7d9f-b7qrs".into(),
        count: 21,
        first: Some(ago(60)),
        last: Some(ago(1)),
        about: ("Pod".into(), "checkout-7d9f-b7qrs".into(), "payments/checkout-7d9f-b7qrs".into()),
        source: "kubelet".into(),
    };
    eu.tables.insert(
        Kind::Event,
        table(vec![object(
            Kind::Event,
            "payments",
            "checkout-7d9f-b7qrs.17",
            60,
            Facts::Event(Box::new(event)),
        )]),
    );
    let use_of = |millicores: u64, mebibytes: u64| Resources { millicores, memory: mebibytes << 20 };
    let pod_use = |name: &str, container: &str, last: Resources| {
        let history: Vec<Resources> = (1..=8).map(|at| use_of(last.millicores * at / 8, 8 * at)).collect();
        let used = PodUse { containers: Box::new([(container.into(), last)]), history: history.into() };
        ((Arc::from("payments"), Arc::from(name)), used)
    };
    eu.metrics = Metrics {
        status: MetricsStatus::Read(ago(0)),
        pods: Arc::new(
            [
                pod_use("checkout-7d9f-a1xyz", "checkout", use_of(37, 121)),
                pod_use("ledger-0", "ledger", use_of(210, 60)),
            ]
            .into_iter()
            .collect(),
        ),
        nodes: Arc::new([(Arc::from("worker-1"), use_of(1900, 3200))].into_iter().collect()),
    };
    eu
}

fn us() -> ClusterState {
    let mut us = cluster("prod-us", "prod", Phase::Live);
    us.version = "v1.31.4".into();
    let forbidden = Forbidden {
        verb: "list".into(),
        resource: "pods".into(),
        namespace: String::new(),
        user: "amara@example.com".into(),
        remedy: "ask whoever manages prod-us for a ClusterRole that lists pods".into(),
    };
    let pods =
        vec![pod("payments", "checkout-9b1c-k4mno", "", 300, vec![container("checkout", running(300))])];
    let mut pods = table(pods);
    pods.watch = Watch::Partial { namespaces: vec!["payments".into()], forbidden: forbidden.clone() };
    us.tables.insert(Kind::Pod, pods);
    let nodes = Forbidden { resource: "nodes".into(), ..forbidden };
    us.tables.insert(Kind::Node, Table { objects: Arc::default(), watch: Watch::Forbidden(nodes) });
    for kind in [
        Kind::Deployment,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::ReplicaSet,
        Kind::Job,
        Kind::CronJob,
        Kind::Service,
    ] {
        us.tables.insert(kind, table(Vec::new()));
    }
    us
}

fn health() -> Health {
    let pod = |name: &str| ObjectRef {
        cluster: "prod-eu".into(),
        kind: Kind::Pod,
        namespace: "payments".into(),
        name: name.into(),
    };
    let finding = Finding {
        rule: "containers-restarting",
        is_upstream: true,
        severity: 4,
        object: pod("checkout-7d9f-b7qrs"),
        container: Some("checkout".into()),
        message: "container=checkout restarted 5 times".to_owned(),
        since: Some(ago(4)),
        occurrences: 5,
        cause: "The container used more memory than it may: the limit is 128Mi".to_owned(),
        fixes: vec!["raise the memory limit".to_owned(), "bound the memory of the program".to_owned()],
        docs: None,
        evidence: Evidence::Logs { is_previous: true },
    };
    let mark = |name: &str, word: &'static str, tone: Tone, ready: u32| PodMark {
        at: pod(name),
        status: Status { word: word.into(), tone },
        ready: (ready, 1),
    };
    Health {
        word: Word::Slow,
        summary: "2/3 pods ready, 1 OOMKilled".to_owned(),
        pods: (2, 3),
        restarts: 5,
        findings: vec![Arc::new(finding)],
        clusters: vec!["prod-eu".into(), "prod-us".into()],
        silent: vec!["staging".into()],
        refused: Vec::new(),
        marks: vec![
            mark("checkout-7d9f-b7qrs", "CrashLoopBackOff", Tone::Bad, 0),
            mark("checkout-7d9f-a1xyz", "Running", Tone::Good, 1),
        ],
    }
}

/// The clusters.
pub fn state() -> Arc<State> {
    let down = Phase::Down {
        since: ago(14),
        cause: "connection refused by https://10.0.0.9:6443".to_owned(),
        retry: Some(ago(-3)),
    };
    let health = [(Arc::from("component:default/checkout-api"), Arc::new(health()))];
    Arc::new(State {
        clusters: Arc::new([Arc::new(eu()), Arc::new(us()), Arc::new(cluster("staging", "staging", down))]),
        health: Arc::new(health.into_iter().collect()),
        ..State::default()
    })
}
