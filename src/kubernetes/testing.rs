//! Small states for tests, written as the API writes objects.

use super::cluster::{Cluster, Connection};
use super::kind::Kind;
use super::object::Object;
use super::state::{ClusterState, Metrics, Phase, State, Table, Watch};
use super::trim::{self, Pool, Raw};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Makes an object of its API form; its kind is the one it names.
pub(crate) fn object(value: &Value) -> Object {
    let kind = value["kind"].as_str().and_then(Kind::find).unwrap_or(Kind::Custom(0));
    trim::object(kind, &Raw::from_value(value.clone()).unwrap(), &Pool::default())
}

/// Makes a state of clusters that all answer.
pub(crate) fn state(clusters: &[(&str, &[Value])]) -> State {
    let clusters = clusters.iter().map(|(name, objects)| Arc::new(cluster(name, objects)));
    State { clusters: clusters.collect(), ..State::default() }
}

/// Makes a cluster that answers; all basic kinds are watched.
pub(crate) fn cluster(name: &str, objects: &[Value]) -> ClusterState {
    let mut lists: BTreeMap<Kind, BTreeMap<_, _>> = BTreeMap::new();
    for row in super::kind::ALL.iter().filter(|row| row.is_basic) {
        lists.entry(row.kind).or_default();
    }
    for value in objects {
        let object = Arc::new(object(value));
        let place = (object.namespace.clone(), object.name.clone());
        lists.entry(object.kind).or_default().insert(place, object);
    }
    let table = |(kind, objects)| (kind, Table { objects: Arc::new(objects), watch: Watch::Live });
    ClusterState {
        cluster: Arc::new(Cluster {
            name: name.into(),
            title: name.into(),
            environment: "".into(),
            is_protected: false,
            colour: None,
            origin: "test".to_owned(),
            connection: Ok(Connection::InCluster),
            namespace: None,
            skip_metrics: false,
            custom_resources: None,
            dashboard: None,
        }),
        phase: Phase::Live,
        version: "v1.37".into(),
        user: "ana".into(),
        tables: lists.into_iter().map(table).collect(),
        metrics: Metrics::default(),
        clock_skew: 0,
        blocked: Arc::default(),
    }
}
