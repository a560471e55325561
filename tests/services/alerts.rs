//! Alerts against a real Prometheus and a real Alertmanager, started by the tests where they are installed.
//!
//! With `DEVPORTAL_REQUIRE_SERVERS` set a missing server is a failure; otherwise the test says that it skips.

use devportal::alerts::bind::Bindings;
use devportal::alerts::{Alert, Board, Matcher, Silence, State, collect, server};
use devportal::config::alerts::{AlertProviderConfig, AlertServer};
use devportal::net::{Net, NetOptions};
use jiff::{SignedDuration, Timestamp};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Longest wait for a server to be there, and for what it is to show.
const PATIENCE: Duration = Duration::from_secs(60);

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests should know")]
fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let is_there = found.is_ok_and(|status| status.success());
    assert!(
        is_there || std::env::var_os("DEVPORTAL_REQUIRE_SERVERS").is_none(),
        "`{program}` is not installed, and DEVPORTAL_REQUIRE_SERVERS wants it"
    );
    if !is_there {
        eprintln!("SKIPPED: `{program}` is not installed");
    }
    is_there
}

fn net(timeout: Duration) -> Arc<Net> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Arc::new(Net::new(NetOptions { timeout, ..NetOptions::default() }))
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn start(program: &str, folder: &Path, arguments: &[String]) -> Running {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

const RULES: &str = r#"
groups:
  - name: shop
    rules:
      - alert: TillDown
        expr: vector(1)
        labels: { severity: critical, service: till }
        annotations: { summary: "The till is down", runbook_url: "https://runbooks.example.com/till" }
      - alert: CartSlow
        expr: vector(1)
        for: 1h
        labels: { severity: warning, service: cart }
      - alert: Quiet
        expr: vector(0) > 1
"#;

/// A Prometheus that sends to an Alertmanager.
struct Pair {
    providers: Vec<Box<dyn server::Provider>>,
    prometheus: String,
    _servers: (Running, Running),
    _folder: tempfile::TempDir,
}

fn pair() -> Option<Pair> {
    if !is_installed("prometheus") || !is_installed("prometheus-alertmanager") {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let (prometheus, alertmanager) = (free_port(), free_port());
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("rules.yml", RULES);
    write("am.yml", "route: { receiver: nobody, group_wait: 1s }\nreceivers: [{ name: nobody }]\n");
    write(
        "prom.yml",
        &format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\nrule_files: [rules.yml]\n\
             alerting: {{ alertmanagers: [{{ static_configs: [{{ targets: ['127.0.0.1:{alertmanager}'] }}] }}] }}\n"
        ),
    );
    let servers = (
        start(
            "prometheus",
            folder.path(),
            &[
                "--config.file=prom.yml".into(),
                "--storage.tsdb.path=data".into(),
                "--rules.alert.resend-delay=1s".into(),
                format!("--web.listen-address=127.0.0.1:{prometheus}"),
            ],
        ),
        start(
            "prometheus-alertmanager",
            folder.path(),
            &[
                "--config.file=am.yml".into(),
                "--storage.path=kept".into(),
                "--cluster.listen-address=".into(),
                format!("--web.listen-address=127.0.0.1:{alertmanager}"),
            ],
        ),
    );
    let config = |name: &str, server, port: u16, path: &str| AlertProviderConfig {
        name: name.to_owned(),
        server,
        url: format!("http://127.0.0.1:{port}{path}"),
        token: None,
        user: None,
        ca_file: None,
    };
    let configs = [
        config("prometheus", AlertServer::Prometheus, prometheus, ""),
        config("alertmanager", AlertServer::Alertmanager, alertmanager, "/api/v2"),
    ];
    let net = net(Duration::from_secs(5));
    let providers = server::open(&configs, &net);
    Some(Pair { providers, prometheus: configs[0].url.clone(), _servers: servers, _folder: folder })
}

impl Pair {
    /// Asks until it is as wanted.
    fn until(&self, what: &str, is_there: impl Fn(&Board) -> bool) -> Board {
        let start = Instant::now();
        loop {
            let board = collect(&self.providers, &CancellationToken::new());
            if is_there(&board) {
                return board;
            }
            assert!(start.elapsed() < PATIENCE, "{what} never came: {board:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

fn named<'b>(board: &'b Board, name: &str) -> Option<&'b Alert> {
    board.alerts.iter().find(|alert| alert.name == name)
}

#[test]
fn a_rule_fires_is_silenced_and_comes_back() {
    let Some(pair) = pair() else { return };
    let board = pair.until("the alert on both servers", |board| {
        named(board, "TillDown").is_some_and(|alert| alert.providers.len() == 2)
            && named(board, "CartSlow").is_some_and(|alert| alert.state == State::Pending)
    });
    assert!(board.faults.is_empty(), "{:?}", board.faults);
    assert!(named(&board, "Quiet").is_none());
    let alert = named(&board, "TillDown").unwrap();
    assert_eq!((alert.severity.word(), alert.summary()), ("critical", "The till is down"));
    assert_eq!(alert.runbook(), "https://runbooks.example.com/till");

    let folder = tempfile::tempdir().unwrap();
    let till = "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: till}\n\
                spec: {type: service, lifecycle: production, owner: shop}\n";
    std::fs::write(folder.path().join("catalog-info.yaml"), till).unwrap();
    let catalog = crate::load(devportal::config::source::SourceConfig::dir(folder.path()));
    let about = Bindings::of(&catalog).about(alert);
    assert_eq!(about.len(), 1);
    assert_eq!(catalog.ref_of(about[0].id), "component:default/till");
    assert_eq!(about[0].reason, "its label service is till");

    let now = Timestamp::now();
    let silence = Silence {
        id: String::new(),
        matchers: vec![Matcher::parse("alertname=TillDown").unwrap()],
        starts: now,
        ends: now + SignedDuration::from_mins(5),
        author: "user:default/ana".into(),
        comment: "known".into(),
        is_active: true,
    };
    let cancel = CancellationToken::new();
    let id = pair.providers[1].silence(&silence, &cancel).unwrap();
    let board = pair.until("the silence", |board| {
        named(board, "TillDown").is_some_and(|alert| alert.state == State::Silenced)
    });
    let (at, found) = board.silences.iter().find(|(_, silence)| silence.id == id).unwrap();
    assert_eq!(
        (&**at, found.author.as_str(), found.comment.as_str()),
        ("alertmanager", "user:default/ana", "known")
    );
    assert!(pair.providers[0].silence(&silence, &cancel).is_err(), "Prometheus has no silences");

    pair.providers[1].expire(&id, &cancel).unwrap();
    pair.until("the end of the silence", |board| {
        named(board, "TillDown").is_some_and(|alert| alert.state == State::Firing)
            && board.silences.is_empty()
    });
    assert!(pair.providers[1].expire("../status", &cancel).is_err());
}

#[test]
fn measurements_are_the_servers_numbers() {
    let Some(pair) = pair() else { return };
    pair.until("the server", |board| board.faults.is_empty());
    let now = Timestamp::now();
    let span = (now - SignedDuration::from_mins(10), now);
    let cancel = CancellationToken::new();
    let range = |query: &str| pair.providers[0].range(query, span, Duration::from_secs(60), &cancel);
    let series = range("vector(2) * 21").unwrap();
    assert_eq!(series.len(), 1);
    assert!(series[0].points.len() >= 10, "{:?}", series[0].points.len());
    assert!(series[0].points.iter().all(|(_, value)| (value - 42.0).abs() < f64::EPSILON));
    assert_eq!(range("vector(1) / 0").unwrap()[0].points.len(), 0, "what is no number is left out");
    let refused = range("sum(").unwrap_err().to_string();
    assert!(refused.contains("400") || refused.contains("parse"), "{refused}");
    assert!(pair.prometheus.starts_with("http://127.0.0.1:"));
}

#[test]
fn a_server_that_does_not_answer_is_a_fault_and_no_wait() {
    let config = AlertProviderConfig {
        name: "gone".into(),
        server: AlertServer::Prometheus,
        url: format!("http://127.0.0.1:{}", free_port()),
        token: None,
        user: None,
        ca_file: None,
    };
    let net = net(Duration::from_secs(2));
    let board = collect(&server::open(&[config], &net), &CancellationToken::new());
    assert_eq!(board.faults.len(), 1);
    assert_eq!(&*board.faults[0].provider, "gone");
    assert!(board.alerts.is_empty());
}
