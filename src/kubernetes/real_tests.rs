//! Tests against a real cluster: `DEVPORTAL_TEST_KUBECONFIG` turns them on, a namespace `acts` is made for them
//! beforehand. They print what they see, for people to compare with kubectl.

use super::ask::{Session, answer};
use super::cluster::{Cluster, Connection};
use super::kind::Kind;
use super::object::ObjectRef;
use super::order::{Answer, Change, Plan, Question};
use std::sync::Arc;

async fn session() -> Option<Session> {
    let path = std::env::var_os("DEVPORTAL_TEST_KUBECONFIG")?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = kube::config::Kubeconfig::read_from(&path).unwrap();
    let config = kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default())
        .await
        .unwrap();
    let cluster = Cluster {
        name: "real".into(),
        title: "real".into(),
        environment: "".into(),
        is_protected: false,
        colour: None,
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
        progress: super::ask::Progress::default(),
    })
}

fn at(kind: Kind, name: &str) -> ObjectRef {
    let namespace = if kind.spec().is_some_and(|row| row.is_namespaced) { "acts" } else { "" };
    ObjectRef { cluster: "real".into(), kind, namespace: namespace.into(), name: name.into() }
}

async fn plan(session: &Session, change: &Change, targets: &[ObjectRef]) -> Plan {
    let question = Question::Plan { change: change.clone(), targets: targets.to_vec() };
    match answer(session, &question).await.unwrap() {
        Answer::Plan(plan) => plan,
        other => panic!("{other:?}"),
    }
}

async fn make(session: &Session, change: Change, targets: &[ObjectRef]) -> Vec<Result<String, String>> {
    let plan = plan(session, &change, targets).await;
    println!(
        "plan: {:#?}\n{:#?}\nrefused {:?} type {:?}",
        plan.says, plan.kubectl, plan.refused, plan.must_type
    );
    let question = Question::Change { change, targets: targets.to_vec() };
    let results = match answer(session, &question).await {
        Ok(Answer::Changed(results)) => results.into_iter().map(|(_, result)| result).collect(),
        Ok(other) => panic!("{other:?}"),
        Err(why) => vec![Err(why)],
    };
    println!("made: {results:#?}\n--------");
    results
}

#[tokio::test]
async fn changes_are_made() {
    let Some(session) = session().await else { return };
    let web = [at(Kind::Deployment, "web")];
    let both = [at(Kind::Deployment, "web"), at(Kind::StatefulSet, "db"), at(Kind::DaemonSet, "agent")];
    make(&session, Change::Restart, &both).await;
    make(&session, Change::Scale(4), &web).await;
    make(&session, Change::RollBack(None), &both).await;
    make(&session, Change::RollBack(Some(99)), &web).await;
    let report = [at(Kind::CronJob, "report")];
    make(&session, Change::Suspend(true), &report).await;
    make(&session, Change::Suspend(false), &report).await;
    make(&session, Change::Trigger, &report).await;
    make(&session, Change::Delete, &[at(Kind::Pod, "db-0"), at(Kind::Pod, "no-such")]).await;
    make(&session, Change::Restart, &report).await;
    make(&session, Change::Drain, &web).await;
    make(&session, Change::Scale(3), &web).await;
    let mut locked = session.clone();
    let mut cluster = (*locked.cluster).clone();
    (cluster.is_protected, cluster.environment) = (true, "prod".into());
    (locked.cluster, locked.is_unlocked) = (Arc::new(cluster), false);
    for change in [Change::Restart, Change::Delete] {
        assert!(make(&locked, change, &web).await[0].as_ref().unwrap_err().contains("protected"));
    }
}

#[tokio::test]
async fn commands_are_run() {
    let Some(session) = session().await else { return };
    let pod = at(Kind::StatefulSet, "db");
    for command in [
        vec!["sh", "-c", "echo out; echo err >&2; exit 3"],
        vec!["no-such-program"],
        vec!["sh", "-c", "yes | head -c 3000000"],
        vec!["hostname"],
    ] {
        let command: Vec<String> = command.into_iter().map(str::to_owned).collect();
        let result = super::exec::run(&session, &pod, None, &command).await;
        println!("{command:?}: {:?}", result.map(|text| text.chars().rev().take(80).collect::<String>()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_are_forwarded() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Some(session) = session().await else { return };
    let of_session = session.clone();
    let sessions = move |_| {
        let session = of_session.clone();
        Box::pin(async move { Ok(session) }) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
    };
    let forwards = super::forward::Forwards::new(Arc::new(sessions), Arc::new(|_| {}));
    println!("{:?}", forwards.begin(at(Kind::Service, "web"), 0, 80).await);
    println!("{:?}", forwards.begin(at(Kind::Service, "web"), 0, 81).await);
    println!("{:?}", forwards.begin(at(Kind::Deployment, "web"), 0, 8081).await);
    let ports: Vec<u16> = forwards.list().iter().map(|forward| forward.local).collect();
    println!("{:?}", forwards.begin(at(Kind::Service, "web"), ports[0], 80).await);
    for round in 0..4 {
        for port in &ports {
            let mut socket = tokio::net::TcpStream::connect(("127.0.0.1", *port)).await.unwrap();
            let _ = socket.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
            let mut text = String::new();
            let read =
                tokio::time::timeout(std::time::Duration::from_secs(30), socket.read_to_string(&mut text));
            println!(
                "{round} {port}: {:?} {:?}",
                read.await.map(|r| r.map_err(|e| e.to_string())),
                text.lines().next()
            );
        }
        if round == 1 {
            let pods = session.list(Kind::Pod, "acts", &[("labelSelector", "app=web")]).await.unwrap();
            for pod in pods {
                let name = super::ask::text(&pod, "/metadata/name").to_owned();
                make(&session, Change::Delete, &[at(Kind::Pod, &name)]).await;
            }
        }
        println!("{:#?}", forwards.list());
    }
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
