//! Everything that can go wrong between a hub and a cluster, ordered one by one: nothing hangs, nothing is lost
//! silently, and what is said about it is true.

use super::kubernetes_demo::{Desk, deployment, is_down, names, object, table};
use devportal::demo::kubernetes::{Caller, R, Rule, Scenario, World};
use devportal::kubernetes::hub::Settings;
use devportal::kubernetes::logs::{LineKind, Of, Request, Stream};
use devportal::kubernetes::object::Facts;
use devportal::kubernetes::state::{Phase, Watch};
use devportal::kubernetes::{Kind, ObjectRef, Order};
use jiff::SignedDuration;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn put_map(desk: &Desk, name: &str) {
    let map = json!({"metadata": {"namespace": "default", "name": name}, "data": {"a": "b"}});
    desk.cluster().create(R::ConfigMap, map);
}

fn delete_map(desk: &Desk, name: &str) {
    desk.cluster().store.remove(R::ConfigMap, "default", name);
}

const BASE: &str = "default/kube-root-ca.crt";

fn wait_for_maps(desk: &Desk, wanted: &[&str]) {
    desk.wait("such maps", |state| {
        let found = names(state, Kind::ConfigMap);
        let mut own: Vec<&str> = found
            .iter()
            .filter_map(|name| name.strip_prefix("default/"))
            .filter(|name| *name != "kube-root-ca.crt")
            .collect();
        own.sort_unstable();
        own == wanted
    });
}

#[test]
fn expired_versions_lose_no_change_and_keep_nothing_that_is_gone() {
    for is_http in [false, true] {
        let desk = Desk::new();
        put_map(&desk, "gone");
        put_map(&desk, "kept");
        desk.server().faults.set_expiry_http(is_http);
        desk.watch(&[Kind::ConfigMap]);
        wait_for_maps(&desk, &["gone", "kept"]);
        // the watch is away while things change and the past is forgotten
        desk.server().faults.set_down(true);
        delete_map(&desk, "gone");
        put_map(&desk, "new");
        desk.server().expire_versions();
        desk.server().faults.set_down(false);
        desk.hub.order(Order::Connect(None));
        wait_for_maps(&desk, &["kept", "new"]);
        // and a watch that runs is told so
        desk.server().expire_versions();
        put_map(&desk, "later");
        wait_for_maps(&desk, &["kept", "later", "new"]);
    }
}

#[test]
fn watches_cut_in_the_middle_of_an_event_lose_nothing() {
    let desk = Desk::new();
    desk.watch(&[Kind::ConfigMap]);
    let all: Vec<String> = (0..5).map(|at| format!("map-{at}")).collect();
    for name in &all {
        desk.server().faults.cut_mid_line();
        put_map(&desk, name);
    }
    wait_for_maps(&desk, &all.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_server_that_restarts_leaves_its_objects_and_a_cause() {
    let desk = Desk::new();
    put_map(&desk, "one");
    desk.watch(&[Kind::ConfigMap]);
    desk.server().faults.set_down(true);
    let state = desk.wait("a cause", is_down);
    let known = &state.clusters[0];
    assert!(
        matches!(&known.phase, Phase::Down { cause, .. } if cause.contains("refuse")),
        "{:?}",
        known.phase
    );
    assert!(names(&state, Kind::ConfigMap).contains(&"default/one".to_owned()));
    put_map(&desk, "two");
    desk.server().faults.set_down(false);
    desk.hub.order(Order::Connect(None));
    wait_for_maps(&desk, &["one", "two"]);
    desk.wait("a live cluster", |state| state.clusters[0].phase == Phase::Live);
}

#[test]
fn an_answer_in_the_middle_of_a_list_may_be_late_or_refused() {
    let desk = Desk::new();
    for at in 0..1300 {
        put_map(&desk, &format!("map-{at:04}"));
    }
    desk.server().faults.set_delay(Duration::from_millis(30));
    desk.server().faults.throttle(6, 1);
    desk.server().faults.fail("continue=", 503, 1);
    let state = desk.watch(&[Kind::ConfigMap]);
    let own =
        names(&state, Kind::ConfigMap).into_iter().filter(|name| name.starts_with("default/map-")).count();
    assert_eq!(own, 1300);
    assert!(names(&state, Kind::ConfigMap).contains(&BASE.to_owned()));
}

#[cfg(unix)]
#[test]
fn an_expired_token_has_the_plugin_asked_again() {
    let world = World::start(&Scenario::empty("test")).unwrap();
    let server = world.server("test").unwrap().clone();
    let folder = world.folder().to_owned();
    let credential = |token: &str| {
        json!({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": token}})
            .to_string()
    };
    let secret = folder.join("credential.json");
    std::fs::write(&secret, credential("first")).unwrap();
    server.admit("first", Caller::admin("ana"));
    let text = std::fs::read_to_string(world.kubeconfig()).unwrap();
    let mut config: serde_json::Value = serde_yaml_ng(&text);
    config["users"][0]["user"] = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "cat",
        "args": [secret.to_string_lossy()], "interactiveMode": "Never"}});
    let file = folder.join("with-plugin");
    std::fs::write(&file, config.to_string()).unwrap();
    let desk = Desk::with(world, vec![file], Settings::default());
    put_map(&desk, "one");
    desk.watch(&[Kind::ConfigMap]);
    // the token is taken back; the plugin has another one by now
    std::fs::write(&secret, credential("second")).unwrap();
    server.admit("second", Caller::admin("ana"));
    server.revoke("first");
    server.faults.drop_connections();
    put_map(&desk, "two");
    wait_for_maps(&desk, &["one", "two"]);
}

/// Reads YAML through what the program itself reads files with.
#[cfg(unix)]
fn serde_yaml_ng(text: &str) -> serde_json::Value {
    serde_yaml::from_str(text).unwrap()
}

#[test]
fn a_forbidden_namespace_hides_only_itself() {
    let world = World::start(&Scenario::empty("test")).unwrap();
    let server = world.server("test").unwrap().clone();
    let rules = vec![
        Rule::new("get list watch", "*", "*", "shop pay"),
        Rule::new("get list watch", "\"\"", "namespaces", ""),
    ];
    server.admit(world.token(), Caller::new("ana", rules));
    for namespace in ["shop", "pay", "vault"] {
        server.cluster().add_namespace(namespace);
    }
    let kubeconfig = world.kubeconfig();
    let namespaces = ["shop", "pay", "vault"].map(str::to_owned).to_vec();
    let desk = Desk::with(world, vec![kubeconfig], Settings { namespaces, ..Settings::default() });
    desk.hub.order(Order::Watch(vec![Kind::ConfigMap, Kind::Node]));
    let state = desk.wait("part of the maps", |state| {
        matches!(table(state, Kind::ConfigMap), Watch::Partial { .. })
            && names(state, Kind::ConfigMap) == ["pay/kube-root-ca.crt", "shop/kube-root-ca.crt"]
    });
    let Watch::Partial { forbidden, .. } = table(&state, Kind::ConfigMap) else { panic!() };
    assert_eq!((forbidden.user.as_str(), forbidden.resource.as_str()), ("ana", "configmaps"));
    let state = desk.wait("a refusal", |state| matches!(table(state, Kind::Node), Watch::Forbidden(_)));
    let Watch::Forbidden(forbidden) = table(&state, Kind::Node) else { panic!() };
    assert!(forbidden.remedy.contains("list nodes"), "{}", forbidden.remedy);
}

#[test]
fn a_clock_that_is_wrong_is_known() {
    let desk = Desk::with_real_time();
    desk.world.clock().skew(SignedDuration::from_secs(3600));
    desk.watch(&[Kind::ConfigMap]);
    desk.wait("a skew", |state| (state.clusters[0].clock_skew - 3600).abs() <= 5);
}

#[test]
fn objects_of_any_shape_are_shown() {
    let desk = Desk::new();
    let containers: Vec<_> =
        (0..40).map(|at| json!({"name": format!("c{at:02}"), "image": "a/b:1"})).collect();
    desk.cluster().create(
        R::Pod,
        json!({"metadata": {"namespace": "default", "name": "many"}, "spec": {"containers": containers}}),
    );
    desk.step(10);
    // an object that has nothing but a name, as no server writes it
    desk.cluster().store.put_bulk(R::Pod, json!({"metadata": {"namespace": "default", "name": "bare"}}));
    desk.cluster().store.put_bulk(
        R::Pod,
        json!({"metadata": {"namespace": "default", "name": "odd", "labels": null, "creationTimestamp": "yesterday"},
               "spec": {"containers": null}, "status": {"containerStatuses": [{}, null], "conditions": [{"type": 7}]}}),
    );
    desk.hub.order(Order::Watch(vec![Kind::Pod]));
    let state = desk.wait("three pods", |state| names(state, Kind::Pod).len() == 3);
    let many = object(&state, Kind::Pod, "default", "many").unwrap();
    let Facts::Pod(many) = &many.facts else { panic!() };
    assert_eq!(many.containers.len(), 40);
    assert!(many.containers.iter().all(|container| container.ready == Some(true)));
}

#[test]
fn a_broken_context_among_good_ones_is_a_row_with_its_cause() {
    let world = World::start(&Scenario::empty("test")).unwrap();
    let good = world.kubeconfig();
    let broken = world.folder().join("broken");
    std::fs::write(
        &broken,
        "apiVersion: v1\nkind: Config\ncontexts:\n- name: lost\n  context: {cluster: nowhere, user: nobody}\n",
    )
    .unwrap();
    let nonsense = world.folder().join("nonsense");
    std::fs::write(&nonsense, "]: not: yaml [").unwrap();
    let desk = Desk::with(world, vec![good, broken, nonsense], Settings::default());
    desk.hub.order(Order::Watch(vec![Kind::ConfigMap]));
    let state = desk.wait("the good one", |state| {
        let known = state.cluster("test").and_then(|known| known.tables.get(&Kind::ConfigMap));
        known.is_some_and(|table| table.watch == Watch::Live)
    });
    let problem = state.cluster("lost").and_then(|lost| lost.cluster.connection.clone().err());
    assert!(problem.is_some_and(|problem| problem.contains("nowhere")));
    assert!(state.clusters.len() >= 3, "the file that cannot be read is a row too");
}

#[test]
fn a_cluster_that_never_answers_holds_up_nobody() {
    let mut scenario = Scenario::empty("test");
    scenario.silent = Some("mute".to_owned());
    let world = World::start(&scenario).unwrap();
    let kubeconfig = world.kubeconfig();
    let desk = Desk::with(world, vec![kubeconfig], Settings::default());
    desk.hub.order(Order::Watch(vec![Kind::ConfigMap]));
    desk.wait("the other", |state| {
        let known = state.cluster("test").and_then(|known| known.tables.get(&Kind::ConfigMap));
        known.is_some_and(|table| table.watch == Watch::Live)
    });
    let cause = |state: &devportal::kubernetes::State| match &state.cluster("mute").unwrap().phase {
        Phase::Down { cause, .. } => Some(cause.clone()),
        _ => None,
    };
    let state = desk.wait("a cause", |state| cause(state).is_some());
    assert!(!cause(&state).unwrap().is_empty());
}

#[test]
fn twenty_thousand_pods_arrive_and_one_that_changes_is_seen() {
    let desk = Desk::new();
    desk.cluster().add_pods("bulk", 20_000);
    let state = desk.watch(&[Kind::Pod]);
    assert_eq!(names(&state, Kind::Pod).len(), 20_000);
    let mut pod = (*desk.cluster().store.value(R::Pod, "bulk", "app-0-00000").unwrap()).clone();
    pod["status"]["phase"] = "Failed".into();
    desk.cluster().store.put_bulk(R::Pod, pod);
    desk.wait("the change", |state| {
        let pod = object(state, Kind::Pod, "bulk", "app-0-00000");
        pod.is_some_and(|pod| matches!(&pod.facts, Facts::Pod(pod) if &*pod.phase == "Failed"))
    });
}

/// The logs of a desk's deployment, followed.
struct Logs {
    desk: Desk,
    stream: Arc<Stream>,
    pod: String,
}

impl Logs {
    fn follow(tag: &str) -> Self {
        let desk = Desk::new();
        let of = desk.deploy("shop", "web", 1, tag);
        desk.watch(&[Kind::Pod, Kind::Deployment, Kind::ReplicaSet]);
        let pod = desk.pods("shop").remove(0);
        // from here on it writes only what the test writes
        desk.cluster().write_log(("shop", &pod, "web"), "begin");
        let stream = Self::open(&desk, of);
        let logs = Self { desk, stream, pod };
        logs.wait("the first line", |texts| texts.iter().any(|text| text == "begin"));
        logs
    }

    fn open(desk: &Desk, of: ObjectRef) -> Arc<Stream> {
        desk.hub.logs(Request { of: Of::Objects(vec![of]), is_following: true, ..Request::default() })
    }

    fn write(&self, line: impl AsRef<[u8]>) {
        self.desk.cluster().write_log(("shop", &self.pod, "web"), line);
    }

    /// Lines of containers so far.
    fn texts(&self) -> Vec<String> {
        texts(&self.stream)
    }

    fn wait(&self, what: &str, is_it: impl Fn(&[String]) -> bool) -> Vec<String> {
        let until = Instant::now() + super::kubernetes_demo::LIMIT;
        loop {
            self.desk.step(1);
            let texts = self.texts();
            if is_it(&texts) {
                return texts;
            }
            let last: Vec<String> =
                texts.iter().rev().take(5).map(|text| text.chars().take(80).collect()).collect();
            assert!(
                Instant::now() < until,
                "no {what}; {} lines: {last:?}; {:?}",
                texts.len(),
                self.stream.status()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Tells everything that is known of a stream and of the server it is read from.
fn story(desk: &Desk, stream: &Stream) -> String {
    let status = stream.status();
    let lines: Vec<String> = stream
        .read(status.first..status.lines.end)
        .into_iter()
        .map(|(_, line)| format!("{:?} {:.100}", line.kind, line.text))
        .collect();
    let asked: Vec<String> =
        desk.server().faults.requests().into_iter().filter(|request| request.contains("/log")).collect();
    let pods = desk.pods("shop").into_iter().filter_map(|pod| {
        let pod = desk.cluster().store.value(R::Pod, "shop", &pod)?;
        Some(pod["status"]["containerStatuses"].to_string())
    });
    let pods: Vec<String> = pods.collect();
    let seen = desk.hub.state();
    let seen: Vec<_> = seen.clusters[0].tables[&Kind::Pod].objects.values().map(|pod| &pod.facts).collect();
    format!("{:#?}\n{lines:#?}\n{asked:#?}\n{pods:#?}\nthe hub sees {seen:#?}", status.sources)
}

fn texts(stream: &Stream) -> Vec<String> {
    let status = stream.status();
    let lines = stream.read(status.first..status.lines.end);
    let own = lines.into_iter().filter(|(_, line)| matches!(line.kind, LineKind::Text { .. }));
    own.map(|(_, line)| line.text.to_string()).collect()
}

#[test]
fn a_line_cut_in_the_middle_is_read_once_and_whole() {
    let logs = Logs::follow("1");
    let mut expected = vec!["begin".to_owned()];
    for at in 0..60 {
        let line = format!("line {at} of sixty, with enough words to be cut somewhere in the middle");
        logs.write(&line);
        expected.push(line);
        if at % 12 == 5 {
            logs.desk.server().faults.cut_mid_line();
            std::thread::sleep(Duration::from_millis(60));
        }
        logs.desk.step(1);
    }
    let texts = logs.wait("the last line", |texts| texts.last() == expected.last());
    assert_eq!(texts, expected);
}

#[test]
fn logs_go_on_after_the_server_was_away() {
    let logs = Logs::follow("1");
    logs.write("before");
    logs.wait("what came before", |texts| texts.last().is_some_and(|text| text == "before"));
    logs.desk.server().faults.set_down(true);
    logs.write("meanwhile");
    logs.desk.step(3);
    std::thread::sleep(Duration::from_millis(300));
    logs.desk.server().faults.set_down(false);
    logs.write("after");
    let texts = logs.wait("what came after", |texts| texts.last().is_some_and(|text| text == "after"));
    assert_eq!(texts, ["begin", "before", "meanwhile", "after"]);
}

#[test]
fn a_line_of_ten_megabytes_costs_no_other_line() {
    let logs = Logs::follow("1");
    logs.write(vec![b'x'; 10 << 20]);
    logs.write("next");
    let texts = logs.wait("the next line", |texts| texts.last().is_some_and(|text| text == "next"));
    assert_eq!(texts.len(), 3);
    assert!(texts[1].starts_with("xxxx") && texts[1].len() < 2 << 20, "{} bytes are kept", texts[1].len());
}

#[test]
fn bytes_that_are_no_text_cost_no_line() {
    let logs = Logs::follow("1");
    let odd: &[&[u8]] = &[
        b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[?1049h",
        b"\xff\xfe\x00\x01 binary \x80\x81",
        b"tab\tand\rreturn",
        "\u{202e}turned around\u{2066}".as_bytes(),
        b"",
    ];
    for line in odd {
        logs.write(line);
    }
    logs.write("end");
    let texts = logs.wait("the end", |texts| texts.last().is_some_and(|text| text == "end"));
    assert_eq!(texts.len(), odd.len() + 2, "{texts:?}");
}

#[test]
fn ten_thousand_lines_a_second_are_all_there() {
    let world = World::start(&Scenario::empty("test")).unwrap();
    let (kubeconfig, cache) = (world.kubeconfig(), world.folder().join("cache"));
    // what does not fit into memory goes to disk
    let settings = Settings { log_cache: Some(cache), ..Settings::default() };
    let desk = Desk::with(world, vec![kubeconfig], settings);
    let of = desk.deploy("shop", "web", 2, "1");
    desk.watch(&[Kind::Pod, Kind::Deployment, Kind::ReplicaSet]);
    for pod in desk.pods("shop") {
        desk.cluster().flood(("shop", &pod, "web"), 5_000);
    }
    let stream = Logs::open(&desk, of);
    let number = |text: &str| -> Option<(String, u64)> {
        let line: serde_json::Value = serde_json::from_str(text).ok()?;
        Some((line["pod"].as_str()?.to_owned(), line["n"].as_u64()?))
    };
    for _ in 0..10 {
        desk.step(1);
        std::thread::sleep(Duration::from_millis(50));
    }
    let until = Instant::now() + super::kubernetes_demo::LIMIT;
    let mut last = 0;
    let found = loop {
        let found = texts(&stream);
        if found.len() >= 100_000 && found.len() == last {
            break found;
        }
        last = found.len();
        assert!(Instant::now() < until, "{last} lines");
        std::thread::sleep(Duration::from_millis(500));
    };
    // each pod's numbers count up without a hole
    let mut next = std::collections::BTreeMap::<String, u64>::new();
    for text in &found {
        let (pod, n) = number(text).unwrap();
        let expected = next.entry(pod).or_insert(n);
        assert_eq!(n, *expected, "a line is missing or twice");
        *expected += 1;
    }
    assert_eq!(next.len(), 2);
    assert_eq!(stream.status().lost, 0);
}

#[test]
fn a_container_that_crashes_is_followed_into_its_next_life() {
    let desk = Desk::with_real_time();
    let of = desk.deploy("shop", "web", 1, "crash");
    desk.watch(&[Kind::Pod, Kind::Deployment, Kind::ReplicaSet]);
    let stream = Logs::open(&desk, of);
    let starts =
        |stream: &Stream| texts(stream).iter().filter(|text| text.contains("starting, version")).count();
    let until = Instant::now() + super::kubernetes_demo::LIMIT;
    while starts(&stream) < 2 {
        assert!(Instant::now() < until, "{} lives: {}", starts(&stream), story(&desk, &stream));
        std::thread::sleep(Duration::from_millis(50));
    }
    // the last words of the first come before the first ones of the second
    let texts = texts(&stream);
    let last_words = texts.iter().position(|text| text.contains("cannot go on")).unwrap();
    let second = texts.iter().rposition(|text| text.contains("starting, version")).unwrap();
    assert!(last_words < second, "{texts:#?}");
}

#[test]
fn restarts_and_new_pods_are_followed() {
    let logs = Logs::follow("1");
    let old = logs.pod.clone();
    // a new version: another pod takes over
    logs.desk.cluster().change(R::Deployment, "shop", "web", |object| {
        object["spec"]["template"] = deployment("shop", "web", 1, "2")["spec"]["template"].clone();
    });
    logs.desk.step(15);
    let new = logs.desk.pods("shop");
    assert!(new.len() == 1 && new[0] != old, "{new:?}");
    logs.desk.cluster().write_log(("shop", &new[0], "web"), "from the new one");
    let texts = logs.wait("the new pod", |texts| texts.iter().any(|text| text == "from the new one"));
    assert_eq!(texts.first().map(String::as_str), Some("begin"));
}
