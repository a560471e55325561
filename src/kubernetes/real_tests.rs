//! Tests against a real cluster: `DEVPORTAL_TEST_KUBECONFIG` turns them on, a namespace `acts` is made for them
//! beforehand. They print what they see, for people to compare with kubectl.

use super::ask::{Session, answer};
use super::cluster::{Cluster, Connection};
use super::kind::Kind;
use super::object::ObjectRef;
use super::order::{Answer, Question};
use std::sync::Arc;

async fn session() -> Option<Session> {
    let path = std::env::var_os("DEVPORTAL_TEST_KUBECONFIG")?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = kube::config::Kubeconfig::read_from(&path).unwrap();
    let config = kube::Config::from_custom_kubeconfig(file, &Default::default()).await.unwrap();
    let cluster = Cluster {
        name: "real".into(),
        title: "real".into(),
        environment: "".into(),
        is_protected: false,
        origin: String::new(),
        connection: Ok(Connection::Kubeconfig { files: vec![path.into()], context: String::new() }),
        namespace: None,
        skip_metrics: true,
        custom_resources: None,
        dashboard: None,
    };
    Some(Session {
        client: kube::Client::try_from(config).unwrap(),
        cluster: Arc::new(cluster),
        custom: Arc::new([]),
        user: "".into(),
        access: Arc::default(),
        is_unlocked: true,
        now: jiff::Timestamp::now(),
    })
}

fn at(kind: Kind, name: &str) -> ObjectRef {
    let namespace = if kind.spec().is_some_and(|row| row.is_namespaced) { "acts" } else { "" };
    ObjectRef { cluster: "real".into(), kind, namespace: namespace.into(), name: name.into() }
}

#[tokio::test]
async fn everything_is_described() {
    let Some(session) = session().await else { return };
    let pods = session.list(Kind::Pod, "acts", &[("labelSelector", "app=web")]).await.unwrap();
    let pod = super::ask::text(&pods[0], "/metadata/name").to_owned();
    let node = super::ask::text(&pods[0], "/spec/nodeName").to_owned();
    let cases = [
        at(Kind::Pod, &pod),
        at(Kind::Deployment, "web"),
        at(Kind::StatefulSet, "db"),
        at(Kind::DaemonSet, "agent"),
        at(Kind::CronJob, "report"),
        at(Kind::Service, "web"),
        at(Kind::ConfigMap, "web-config"),
        at(Kind::Secret, "web-secret"),
        at(Kind::Node, &node),
    ];
    for at in cases {
        let Answer::Text(text) = answer(&session, &Question::Describe(at.clone())).await.unwrap() else {
            panic!("no text");
        };
        println!("{text}\n--------");
        let Answer::Text(text) = answer(&session, &Question::Yaml(at)).await.unwrap() else {
            panic!("no text");
        };
        assert!(!text.contains("managedFields") && !text.contains("last-applied") && !text.contains("aHVud"));
    }
    for at in [at(Kind::Deployment, "web"), at(Kind::StatefulSet, "db"), at(Kind::DaemonSet, "agent")] {
        println!("{:#?}", answer(&session, &Question::Revisions(at)).await.unwrap());
    }
    for missing in [at(Kind::Pod, "no-such"), at(Kind::HorizontalPodAutoscaler, "no-such")] {
        println!("{}", answer(&session, &Question::Describe(missing)).await.unwrap_err());
    }
}
