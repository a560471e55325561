//! Logs of containers, from servers that break in every way they know.

use axum::body::Body;
use axum::http::Response;
use devportal::kubernetes::logs::{
    ContainerView, Ground, LineKind, Members, PodView, Prefix, Printer, ProblemKind, Request, RunState,
    Shape, SourceState, Stream, print, start,
};
use devportal::kubernetes::{Kind, ObjectRef};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Longest time anything here may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A request for a log, or for a pod when there is no container.
#[derive(Debug, Clone)]
struct Ask {
    pod: String,
    container: String,
    query: HashMap<String, String>,
    /// How often this log was asked for before.
    turn: usize,
}

impl Ask {
    fn is_previous(&self) -> bool {
        self.query.contains_key("previous")
    }
}

enum Piece {
    Bytes(Vec<u8>),
    /// The connection breaks.
    Cut,
    /// The connection stays open.
    Hold,
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pieces: Vec<Piece>,
}

impl Reply {
    fn ok(pieces: Vec<Piece>) -> Self {
        Self { status: 200, headers: Vec::new(), pieces }
    }

    fn held(bytes: Vec<u8>) -> Self {
        Self::ok(vec![Piece::Bytes(bytes), Piece::Hold])
    }

    fn status(status: u16, message: &str) -> Self {
        let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status});
        Self { status, headers: Vec::new(), pieces: vec![Piece::Bytes(body.to_string().into_bytes())] }
    }
}

/// A server, and the runtime on which all runs.
struct World {
    runtime: tokio::runtime::Runtime,
    url: String,
}

impl World {
    fn new(answer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (answer, turns) = (Arc::new(answer), Arc::new(Mutex::new(HashMap::<String, usize>::new())));
        let handle = move |request: axum::extract::Request| {
            let (answer, turns) = (answer.clone(), turns.clone());
            async move {
                let parts: Vec<String> = request.uri().path().split('/').map(str::to_owned).collect();
                let query: HashMap<String, String> =
                    url::form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes())
                        .into_owned()
                        .collect();
                let container = query.get("container").cloned().unwrap_or_default();
                let is_previous = query.contains_key("previous");
                let key = format!("{}/{container}/{is_previous}", parts[6]);
                let turn = {
                    let mut turns = turns.lock().unwrap();
                    let turn = turns.entry(key).or_default();
                    *turn += 1;
                    *turn - 1
                };
                respond(answer(&Ask { pod: parts[6].clone(), container, query, turn }))
            }
        };
        let app = axum::Router::new().fallback(handle);
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { runtime, url }
    }

    fn ground(&self, pods: Vec<Arc<PodView>>) -> Arc<Pods> {
        let members = Members { pods, is_complete: true, problem: None };
        let urls = HashMap::from([("c".to_owned(), self.url.clone())]);
        Arc::new(Pods { urls: Mutex::new(urls), members: watch::Sender::new(Arc::new(members)) })
    }

    fn follow(&self, pods: Vec<Arc<PodView>>) -> (Stream, Arc<Pods>) {
        let ground = self.ground(pods);
        (self.open(Request { is_following: true, ..Request::default() }, &ground), ground)
    }

    fn open(&self, request: Request, ground: &Arc<Pods>) -> Stream {
        let stream = Stream::new(request);
        let _entered = self.runtime.enter();
        start(&stream, ground.clone());
        stream
    }
}

fn respond(reply: Reply) -> Response<Body> {
    let pieces = futures_util::stream::iter(reply.pieces).then(|piece| async move {
        // what was sent before shall arrive before
        tokio::time::sleep(Duration::from_millis(20)).await;
        match piece {
            Piece::Bytes(bytes) => Ok(bytes),
            Piece::Cut => Err(std::io::Error::other("cut")),
            Piece::Hold => std::future::pending().await,
        }
    });
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from_stream(pieces)).unwrap()
}

/// Pods that a test names.
struct Pods {
    /// Addresses of the clusters.
    urls: Mutex<HashMap<String, String>>,
    members: watch::Sender<Arc<Members>>,
}

impl Pods {
    fn set(&self, pods: Vec<Arc<PodView>>) {
        self.members.send_replace(Arc::new(Members { pods, is_complete: true, problem: None }));
    }
}

impl Ground for Pods {
    fn client(&self, cluster: Arc<str>) -> BoxFuture<'_, Result<kube::Client, String>> {
        Box::pin(async move {
            let url = self.urls.lock().unwrap().get(&*cluster).cloned().ok_or("no such cluster")?;
            let mut config = kube::Config::new(url.parse().unwrap());
            config.default_retry = false;
            kube::Client::try_from(config).map_err(|error| error.to_string())
        })
    }

    fn members(&self, _request: Arc<Request>) -> watch::Receiver<Arc<Members>> {
        self.members.subscribe()
    }
}

fn pod_in(cluster: &str, name: &str, containers: &[&str], restarts: u32) -> Arc<PodView> {
    let container = |name: &&str| ContainerView {
        name: (*name).into(),
        is_init: false,
        restarts,
        state: RunState::Running,
        last: if restarts > 0 { "OOMKilled, exit code 137".to_owned() } else { String::new() },
    };
    Arc::new(PodView {
        at: ObjectRef {
            cluster: cluster.into(),
            kind: Kind::Pod,
            namespace: "shop".into(),
            name: name.into(),
        },
        uid: format!("{cluster}-{name}").into(),
        phase: "Running".into(),
        reason: "".into(),
        message: String::new(),
        created: None,
        containers: containers.iter().map(container).collect(),
    })
}

fn pod(name: &str) -> Arc<PodView> {
    pod_in("c", name, &["app"], 0)
}

/// A pod as the API has it.
fn api_pod(name: &str, restarts: u32) -> Reply {
    let body = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("c-{name}")},
        "spec": {"containers": [{"name": "app", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "app", "image": "i", "imageID": "i", "ready": true, "restartCount": restarts,
            "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }]},
    });
    Reply {
        status: 200,
        headers: vec![("content-type", "application/json".to_owned())],
        pieces: vec![Piece::Bytes(body.to_string().into_bytes())],
    }
}

const START: i64 = 1_780_000_000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(START * 1000 + milliseconds).unwrap()
}

/// Lines of a log: milliseconds since the start, text.
type Log = Vec<(i64, String)>;

fn numbered(count: i64, every: i64) -> Log {
    (0..count).map(|n| (n * every, format!("line {n}"))).collect()
}

/// Writes what a kubelet sends for a request.
fn written(log: &[(i64, String)], ask: &Ask) -> Vec<u8> {
    let since = ask.query.get("sinceTime").map(|text| text.parse::<Timestamp>().unwrap());
    let lines: Vec<String> = log
        .iter()
        .filter(|(time, _)| since.is_none_or(|since| at(*time) >= since))
        .map(|(time, text)| format!("{} {text}\n", at(*time)))
        .collect();
    let tail = ask.query.get("tailLines").map_or(lines.len(), |text| text.parse().unwrap());
    lines[lines.len().saturating_sub(tail)..].concat().into_bytes()
}

fn texts(stream: &Stream) -> Vec<String> {
    let lines = stream.read(0..u64::MAX >> 1);
    let is_text = |kind| matches!(kind, LineKind::Text { .. });
    lines.iter().filter(|(_, line)| is_text(line.kind)).map(|(_, line)| line.text.to_string()).collect()
}

fn notes(stream: &Stream) -> Vec<String> {
    let lines = stream.read(0..u64::MAX >> 1);
    let is_note = |kind| matches!(kind, LineKind::Note | LineKind::Gap(_));
    lines.iter().filter(|(_, line)| is_note(line.kind)).map(|(_, line)| line.text.to_string()).collect()
}

#[track_caller]
fn wait_for(stream: &Stream, what: impl Fn(&Stream) -> bool) {
    let started = Instant::now();
    while !what(stream) {
        let (texts, notes) = (texts(stream), notes(stream));
        let last: Vec<_> = texts.iter().rev().take(5).collect();
        assert!(
            started.elapsed() < LIMIT,
            "{} lines, last {last:?}, notes {notes:?}, {:?}",
            texts.len(),
            stream.status()
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn expected(log: &[(i64, String)]) -> Vec<String> {
    log.iter().map(|(_, text)| text.clone()).collect()
}

#[test]
fn a_stream_cut_inside_a_line_goes_on_without_loss_or_doubles() {
    let log = numbered(3_000, 7);
    let served = log.clone();
    let world = World::new(move |ask| {
        if ask.container.is_empty() {
            return api_pod(&ask.pod, 0);
        }
        let bytes = written(&served, ask);
        match ask.turn {
            turn @ 0..3 => {
                let cut = (bytes.len() / 3) + turn;
                Reply::ok(vec![Piece::Bytes(bytes[..cut].to_vec()), Piece::Cut])
            }
            _ => Reply::held(bytes),
        }
    });
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 3_000);
    assert_eq!(texts(&stream), expected(&log));
    let notes = notes(&stream);
    assert!(notes[0].starts_with("reconnected, nothing missed"), "{notes:?}");
}

#[test]
fn a_server_that_closes_again_and_again_loses_nothing() {
    let log = numbered(120, 130);
    let served = log.clone();
    let world = World::new(move |ask| {
        if ask.container.is_empty() {
            return api_pod(&ask.pod, 0);
        }
        let shown = (ask.turn + 1) * 20;
        Reply::ok(vec![Piece::Bytes(written(&served[..shown.min(served.len())], ask))])
    });
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 120);
    assert_eq!(texts(&stream), expected(&log));
}

#[test]
fn refusals_that_pass_are_waited_for() {
    let log = numbered(10, 100);
    let served = log.clone();
    let world = World::new(move |ask| match (ask.container.as_str(), ask.turn) {
        ("", _) => api_pod(&ask.pod, 0),
        (_, 0) => Reply::status(500, "etcd is tired"),
        (_, 1) => Reply { headers: vec![("retry-after", "0".to_owned())], ..Reply::status(429, "slow down") },
        (_, 2) => Reply::status(410, "gone for now"),
        _ => Reply::held(written(&served, ask)),
    });
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 10);
    assert_eq!(texts(&stream), expected(&log));
    assert_eq!(stream.status().sources[0].state, SourceState::Following);
}

#[test]
fn equal_lines_of_one_moment_are_neither_lost_nor_doubled() {
    let mut log = numbered(5, 100);
    log.extend((0..3).map(|_| (500, "same".to_owned())));
    log.push((499, "late".to_owned()));
    log.extend([(500, "same".to_owned()), (2_000, "end".to_owned())]);
    let served = log.clone();
    let world = World::new(move |ask| {
        if ask.container.is_empty() {
            return api_pod(&ask.pod, 0);
        }
        match ask.turn {
            0 => Reply::ok(vec![Piece::Bytes(written(&served[..7], ask)), Piece::Cut]),
            _ => Reply::held(written(&served, ask)),
        }
    });
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).last().is_some_and(|text| text == "end"));
    assert_eq!(texts(&stream), expected(&log));
}

#[test]
fn a_log_that_was_rotated_meanwhile_tells_of_the_gap() {
    let log = numbered(100, 1_000);
    let served = log.clone();
    let world = World::new(move |ask| {
        if ask.container.is_empty() {
            return api_pod(&ask.pod, 0);
        }
        match ask.turn {
            0 => Reply::ok(vec![Piece::Bytes(written(&served[..20], ask)), Piece::Cut]),
            _ => Reply::held(written(&served[60..], ask)),
        }
    });
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 60);
    let lines = stream.read(0..1_000);
    let gap = lines.iter().position(|(_, line)| line.kind == LineKind::Gap(0)).unwrap();
    assert_eq!((&*lines[gap - 1].1.text, &*lines[gap + 1].1.text), ("line 19", "line 60"));
}

#[test]
fn hostile_lines_cost_bounded_memory_and_stay_lines() {
    let world = World::new(|ask| {
        if ask.container.is_empty() {
            return api_pod(&ask.pod, 0);
        }
        let mut bytes = format!("{} ", at(0)).into_bytes();
        bytes.extend(std::iter::repeat_n(b'x', 10_000_000));
        bytes.extend(format!("\n{} \u{1b}[2J\u{1b}]0;title\u{7}", at(1)).into_bytes());
        bytes.extend(b"\xff\xfe\x00binary\r\n");
        bytes.extend(format!("{} {{\"level\":\"error\"}}\n", at(2)).into_bytes());
        Reply::held(bytes)
    });
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 3);
    let texts = texts(&stream);
    assert!(texts[0].len() < 66_000 && texts[0].ends_with("[9934464 more bytes cut]"), "{}", texts[0].len());
    assert_eq!(texts[1], "\u{1b}[2J\u{1b}]0;title\u{7}\u{fffd}\u{fffd}\u{0}binary");
    assert_eq!(stream.read(2..3)[0].1.kind, LineKind::Text { is_json: true });
    assert_eq!(stream.status().errors_per_minute.last(), Some(&1));
}

#[test]
fn a_restart_brings_the_rest_of_the_instance_before_and_then_the_new_one() {
    let old = numbered(50, 100);
    let new: Log = (0..5).map(|n| (60_000 + n * 100, format!("new {n}"))).collect();
    let (before, after) = (old.clone(), new.clone());
    let world = World::new(move |ask| {
        if ask.container.is_empty() {
            return api_pod(&ask.pod, 1);
        }
        match (ask.is_previous(), ask.turn) {
            (true, _) => Reply::ok(vec![Piece::Bytes(written(&before, ask))]),
            (false, 0) => Reply::ok(vec![Piece::Bytes(written(&before[..30], ask))]),
            (false, _) => Reply::held(written(&after, ask)),
        }
    });
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 55);
    assert_eq!(texts(&stream), [expected(&old), expected(&new)].concat());
    let lines = stream.read(0..100);
    let note = lines.iter().position(|(_, line)| line.kind == LineKind::Note).unwrap();
    assert_eq!(&*lines[note].1.text, "pod a restarted: OOMKilled, exit code 137; start 2");
    assert_eq!((&*lines[note - 1].1.text, &*lines[note + 1].1.text), ("line 49", "new 0"));
}

/// A pod of the API whose container ended and was not started again yet.
fn ended_api_pod(name: &str) -> Reply {
    let body = json!({
        "kind": "Pod", "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "shop", "uid": format!("c-{name}")},
        "spec": {"containers": [{"name": "app", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{
            "name": "app", "image": "i", "imageID": "i", "ready": false, "restartCount": 0,
            "state": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
        }]},
    });
    Reply { pieces: vec![Piece::Bytes(body.to_string().into_bytes())], ..api_pod(name, 0) }
}

#[test]
fn a_container_that_was_seen_to_end_is_read_when_it_is_started_again() {
    let old = numbered(5, 100);
    let new: Log = (0..5).map(|n| (700 + n * 100, format!("new {n}"))).collect();
    let (before, after) = (old.clone(), new.clone());
    let world = World::new(move |ask| match (ask.container.is_empty(), ask.is_previous(), ask.turn) {
        (true, ..) => ended_api_pod(&ask.pod),
        (_, true, _) | (_, _, 0) => Reply::ok(vec![Piece::Bytes(written(&before, ask))]),
        _ => Reply::held(written(&after, ask)),
    });
    let (stream, ground) = world.follow(vec![pod("a")]);
    let is_ended = |stream: &Stream| matches!(stream.status().sources[0].state, SourceState::Ended(_));
    wait_for(&stream, |stream| texts(stream).len() >= 5 && is_ended(stream));
    // the watch tells last what the server was asked for long ago
    ground.set(vec![pod_in("c", "a", &["app"], 1)]);
    wait_for(&stream, |stream| texts(stream).len() >= 10);
    assert_eq!(texts(&stream), [expected(&old), expected(&new)].concat());
    assert_eq!(notes(&stream), ["pod a restarted: OOMKilled, exit code 137; start 2"]);
}

#[test]
fn a_restart_that_nobody_told_of_yet_doubles_nothing() {
    let old = numbered(5, 100);
    let new: Log = (0..5).map(|n| (9_000 + n * 100, format!("new {n}"))).collect();
    for is_told_late in [false, true] {
        let (before, after) = (old.clone(), new.clone());
        let world = World::new(move |ask| match (ask.container.is_empty(), ask.is_previous(), ask.turn) {
            // the API lags behind the node
            (true, _, turn) => api_pod(&ask.pod, u32::from(turn > 1 && !is_told_late)),
            (_, true, _) | (_, _, 0) => Reply::ok(vec![Piece::Bytes(written(&before, ask))]),
            (_, _, 1) if is_told_late => Reply::ok(vec![Piece::Bytes(written(&after[..3], ask))]),
            _ => Reply::held(written(&after, ask)),
        });
        let (stream, ground) = world.follow(vec![pod("a")]);
        if is_told_late {
            wait_for(&stream, |stream| texts(stream).len() >= 8);
            ground.set(vec![pod_in("c", "a", &["app"], 1)]);
        }
        let note = "pod a restarted: OOMKilled, exit code 137; start 2".to_owned();
        wait_for(&stream, |stream| texts(stream).len() >= 10 && notes(stream).contains(&note));
        assert_eq!(texts(&stream), [expected(&old), expected(&new)].concat());
        assert!(is_told_late || notes(&stream) == [note], "{:?}", notes(&stream));
    }
}

#[test]
fn what_a_node_says_instead_of_a_log_is_a_note() {
    let said = "unable to retrieve container logs for containerd://0123";
    let world = World::new(move |ask| match ask.container.as_str() {
        "" => api_pod(&ask.pod, 0),
        _ => Reply::ok(vec![Piece::Bytes(said.as_bytes().to_vec())]),
    });
    let ground = world.ground(vec![pod("a")]);
    let stream = world.open(Request::default(), &ground);
    wait_for(&stream, |stream| !notes(stream).is_empty());
    assert_eq!(notes(&stream), [format!("pod a: {said}")]);
    assert_eq!(texts(&stream), [""; 0]);
}

#[test]
fn pods_join_and_leave_with_a_line_that_says_why() {
    let log = numbered(5, 100);
    let world = World::new(move |ask| {
        if ask.container.is_empty() {
            return api_pod(&ask.pod, 0);
        }
        let log: Log = log.iter().map(|(time, text)| (*time, format!("{} {text}", ask.pod))).collect();
        Reply::held(written(&log, ask))
    });
    let (stream, ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 5);
    let new = PodView {
        created: Timestamp::now().checked_add(SignedDuration::from_secs(5)).ok(),
        ..(*pod("b")).clone()
    };
    ground.set(vec![pod("a"), Arc::new(new.clone())]);
    wait_for(&stream, |stream| texts(stream).len() >= 10);
    assert_eq!(notes(&stream), ["pod b joined"]);
    let evicted =
        PodView { reason: "Evicted".into(), message: "low on memory".to_owned(), ..(*pod("a")).clone() };
    ground.set(vec![Arc::new(evicted), Arc::new(new.clone())]);
    ground.set(vec![Arc::new(new)]);
    wait_for(&stream, |stream| notes(stream).len() >= 2);
    assert!(notes(&stream)[1].starts_with("pod a left: "), "{:?}", notes(&stream));
    let states: Vec<_> = stream.status().sources.iter().map(|source| source.state.clone()).collect();
    assert!(matches!(states[0], SourceState::Ended(_)) && states[1] == SourceState::Following, "{states:?}");
}

#[test]
fn forty_containers_are_read_in_order_of_time() {
    let names: Vec<String> = (0..40).map(|n| format!("c{n}")).collect();
    let world = World::new(|ask| {
        let number: i64 = ask.container.trim_start_matches('c').parse().unwrap_or(0);
        let log: Log = (0..50).map(|n| (n * 40 + number, format!("{}", n * 40 + number))).collect();
        Reply::ok(vec![Piece::Bytes(written(&log, ask))])
    });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ground = world.ground(vec![pod_in("c", "a", &names, 0)]);
    let stream = world.open(Request::default(), &ground);
    wait_for(&stream, |stream| texts(stream).len() >= 2_000);
    let expected: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    assert_eq!(texts(&stream), expected);
    assert_eq!(stream.status().sources.len(), 40);
}

#[test]
fn clusters_whose_clocks_differ_are_read_in_order() {
    let world = |ahead: i64| {
        World::new(move |ask| {
            let first = if ahead == 0 { 0 } else { 500 };
            let log: Log =
                (0..20).map(|n| (ahead * 1_000 + n * 1_000 + first, format!("{ahead} {n}"))).collect();
            let now = Timestamp::now().checked_add(SignedDuration::from_secs(ahead)).unwrap();
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).unwrap();
            Reply { headers: vec![("date", date)], ..Reply::ok(vec![Piece::Bytes(written(&log, ask))]) }
        })
    };
    let (here, there) = (world(0), world(3_600));
    let ground = here.ground(vec![pod("a"), pod_in("d", "b", &["app"], 0)]);
    ground.urls.lock().unwrap().insert("d".to_owned(), there.url.clone());
    let stream = here.open(Request::default(), &ground);
    wait_for(&stream, |stream| texts(stream).len() >= 40);
    let expected: Vec<String> = (0..20).flat_map(|n| [format!("0 {n}"), format!("3600 {n}")]).collect();
    assert_eq!(texts(&stream), expected);
}

#[test]
fn what_may_not_be_read_says_so_and_the_rest_is_read() {
    let world = World::new(|ask| match ask.pod.as_str() {
        "a" => Reply::status(403, "pods \"a\" is forbidden"),
        "b" => Reply::status(404, "pods \"b\" not found"),
        _ => Reply::ok(vec![Piece::Bytes(written(&numbered(3, 1), ask))]),
    });
    let ground = world.ground(vec![pod("a"), pod("b"), pod("d")]);
    let stream = world.open(Request { tail: Some(2), ..Request::default() }, &ground);
    wait_for(&stream, |stream| !stream.status().is_following && texts(stream).len() >= 2);
    assert_eq!(texts(&stream), ["line 1", "line 2"]);
    wait_for(&stream, |stream| {
        stream
            .status()
            .sources
            .iter()
            .all(|s| !matches!(s.state, SourceState::Opening | SourceState::Following))
    });
    let states: Vec<_> = stream.status().sources.iter().map(|source| source.state.clone()).collect();
    let SourceState::Failed(why) = &states[0] else { panic!("{states:?}") };
    assert!(why.contains("pods/log") && why.contains("`shop`"), "{why}");
}

#[test]
fn another_request_starts_over() {
    let world = World::new(|ask| Reply::held(written(&numbered(30, 1), ask)));
    let (stream, _ground) = world.follow(vec![pod("a")]);
    wait_for(&stream, |stream| texts(stream).len() >= 30);
    stream.restart(Request { is_following: true, tail: Some(3), ..Request::default() });
    wait_for(&stream, |stream| texts(stream).len() >= 3);
    assert_eq!(texts(&stream), ["line 27", "line 28", "line 29"]);
    assert_eq!((stream.status().generation, stream.status().sources.len()), (1, 1));
}

/// Collects what is printed.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn printed(
    world: &World,
    pods: Vec<Arc<PodView>>,
    shape: Shape,
    request: Request,
) -> (Vec<u8>, Option<ProblemKind>) {
    let paper = Paper::default();
    let printer = Printer {
        out: Box::new(paper.clone()),
        say: Box::new(|_| {}),
        shape,
        only: None,
        prefix: Prefix::Auto,
        has_times: false,
        is_terminal: false,
        has_colour: false,
    };
    let ground = world.ground(pods);
    let work = async {
        tokio::time::timeout(LIMIT, print(request, ground, printer, CancellationToken::new())).await.unwrap()
    };
    let ended = world.runtime.block_on(work);
    let bytes = paper.0.lock().unwrap().clone();
    (bytes, ended.failed)
}

#[test]
fn lines_are_printed_as_they_were_written() {
    let world = World::new(|ask| {
        let mut bytes = written(&numbered(2, 1), ask);
        bytes.extend(format!("{} \u{1b}[31m", at(3)).into_bytes());
        bytes.extend(b"\xff\r\n");
        Reply::ok(vec![Piece::Bytes(bytes)])
    });
    let one = printed(&world, vec![pod("a")], Shape::Text, Request::default()).0;
    assert_eq!(one, b"line 0\nline 1\n\x1b[31m\xff\r\n");
    let two = printed(&world, vec![pod("a"), pod("b")], Shape::Text, Request::default()).0;
    let two = String::from_utf8_lossy(&two).into_owned();
    assert!(two.starts_with("[pod/a/app] line 0\n[pod/b/app] line 0\n"), "{two}");
    let json = printed(&world, vec![pod("a")], Shape::Json, Request::default()).0;
    let json: Vec<serde_json::Value> = serde_json::from_slice(&json).unwrap();
    assert_eq!((json.len(), &json[0]["pod"], &json[1]["text"]), (3, &json!("a"), &json!("line 1")));
    assert_eq!(json[0]["time"].as_str().unwrap().parse::<Timestamp>().unwrap(), at(0));
}

#[test]
fn the_instance_before_is_read_once() {
    let world = World::new(|ask| match (ask.is_previous(), ask.pod.as_str()) {
        (true, "a") => Reply::ok(vec![Piece::Bytes(written(&numbered(2, 1), ask))]),
        (true, _) => Reply::status(400, "previous terminated container \"app\" in pod \"b\" not found"),
        _ => Reply::status(500, "nobody asked for this"),
    });
    let request = Request { is_previous: true, ..Request::default() };
    let pods = vec![pod_in("c", "a", &["app"], 1), pod_in("c", "b", &["app"], 1)];
    let (text, failed) = printed(&world, pods, Shape::Text, request);
    assert_eq!(
        (String::from_utf8(text).unwrap().as_str(), failed),
        ("[pod/a/app] line 0\n[pod/a/app] line 1\n", None)
    );
}
