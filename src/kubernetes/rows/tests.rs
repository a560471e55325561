//! Filters, order and drilling over a few made-up objects.

use super::*;
use crate::kubernetes::cluster::{Cluster, Connection};
use crate::kubernetes::object::{Owner, Pod};
use crate::kubernetes::state::Table;
use crate::kubernetes::state::{Metrics, Phase};
use std::collections::BTreeMap;

fn now() -> Timestamp {
    "2026-05-04T12:00:00Z".parse().unwrap()
}

fn pod(namespace: &str, name: &str, phase: &str, minutes: i64, owner: &str) -> Object {
    let owner = Owner { kind: "ReplicaSet".into(), name: owner.into(), uid: owner.into() };
    Object {
        kind: Kind::Pod,
        namespace: namespace.into(),
        name: name.into(),
        uid: name.into(),
        created: Some(now() - jiff::SignedDuration::from_mins(minutes)),
        deleted: None,
        labels: Box::new([("app".into(), name.split('-').next().unwrap().into())]),
        owners: Box::new([owner]),
        facts: Facts::Pod(Box::new(Pod { phase: phase.into(), node: "worker-1".into(), ..Pod::default() })),
    }
}

fn state() -> Arc<State> {
    let cluster = Cluster {
        name: "prod-eu".into(),
        title: "Production".into(),
        environment: "prod".into(),
        is_protected: true,
        colour: None,
        origin: String::new(),
        connection: Ok(Connection::InCluster),
        namespace: None,
        skip_metrics: true,
        custom_resources: None,
        dashboard: None,
    };
    let pods = [
        pod("shop", "web-1", "Running", 10, "web"),
        pod("shop", "api-2", "Failed", 5000, "api"),
        pod("bank", "web-9", "Pending", 1, "web9"),
    ];
    let objects = pods.map(|pod| ((pod.namespace.clone(), pod.name.clone()), Arc::new(pod)));
    let table = Table { objects: Arc::new(BTreeMap::from(objects)), ..Table::default() };
    let cluster = ClusterState {
        cluster: Arc::new(cluster),
        phase: Phase::Live,
        version: "".into(),
        user: "".into(),
        tables: BTreeMap::from([(Kind::Pod, table)]),
        metrics: Metrics::default(),
        clock_skew: 0,
        blocked: Arc::default(),
    };
    Arc::new(State { clusters: Arc::new([Arc::new(cluster)]), ..State::default() })
}

fn query(filter: &str, sort: Field) -> Query {
    Query {
        what: What::Kind(Kind::Pod),
        scope: Scope::Everything,
        clusters: Vec::new(),
        filter: filter.to_owned(),
        sort,
        is_descending: false,
    }
}

fn names(query: &Query) -> Vec<String> {
    let filter = Filter::parse(&query.filter).unwrap();
    let rows = run(&state(), &Catalog::default(), query, &filter, now());
    rows.rows.iter().map(|row| row.object.name.to_string()).collect()
}

#[test]
fn filters_find_what_they_say() {
    let cases: [(&str, &[&str]); 15] = [
        ("", &["web-9", "api-2", "web-1"]),
        ("web", &["web-9", "web-1"]),
        ("WEB", &[]),
        ("!web", &["api-2"]),
        ("^web 1$", &["web-1"]),
        ("~wb9", &["web-9"]),
        ("/b-[0-9]/", &["web-9", "web-1"]),
        ("ns:shop", &["api-2", "web-1"]),
        ("ns:sh*|ns:bank status:run*,pend*", &["web-9", "web-1"]),
        ("age<1h", &["web-9", "web-1"]),
        ("age>3d", &["api-2"]),
        ("is:broken", &["web-9", "api-2"]),
        ("-l app=api", &["api-2"]),
        ("cluster:prod-* node:worker-1 env:prod", &["web-9", "api-2", "web-1"]),
        ("restarts>0", &[]),
    ];
    for (filter, expected) in cases {
        assert_eq!(names(&query(filter, Field::Namespace)), expected, "{filter}");
    }
}

#[test]
fn mistakes_have_a_place_and_a_hint() {
    for (text, span, message) in [
        ("web stats:x", 4..9, "`stats` is not a known key"),
        ("is:brokn", 3..8, "`brokn` is not a known state"),
        ("age<soon", 4..8, "`soon` is no amount for `age`"),
        ("restrts>3", 0..7, "`restrts` is no number of an object"),
        ("/(/", 0..3, "the regular expression does not parse"),
        ("\"web", 0..4, "the quote is not closed"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!((error.span, error.message.as_str()), (span, message), "{text}");
    }
}

#[test]
fn rows_are_sorted_by_a_field_and_then_by_name() {
    assert_eq!(names(&query("", Field::Name)), ["api-2", "web-1", "web-9"]);
    assert_eq!(names(&query("", Field::Age)), ["web-9", "web-1", "api-2"]);
    assert_eq!(names(&query("", Field::Status)), ["api-2", "web-9", "web-1"]);
    // all alike: by namespace, then name
    assert_eq!(names(&query("", Field::Restarts)), ["web-9", "api-2", "web-1"]);
}

#[test]
fn an_answer_is_the_same_while_its_table_is() {
    let (state, query) = (state(), query("", Field::Name));
    assert!(is_same(&state, &state, &query));
    assert!(!is_same(&state, &State::default(), &query));
}

proptest::proptest! {
    #[test]
    fn a_filter_never_panics_and_points_inside(text in ".{0,40}") {
        if let Err(error) = Filter::parse(&text) {
            proptest::prop_assert!(error.span.start <= error.span.end && error.span.end <= text.len());
        }
    }
}
