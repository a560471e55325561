//! Addresses: answers of every kind, and what they may lead to.

use crate::{Folder, api, codes, component, group, load, loader, location, refs, within};
use devportal::catalog::{LoadOptions, Loader, Progress};
use devportal::config::source::SourceConfig;
use std::time::Duration;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A server and the runtime it lives on.
pub(crate) struct Server {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
}

impl Server {
    pub(crate) fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        Self { runtime, server }
    }

    pub(crate) fn answer(&self, at: &str, response: ResponseTemplate) {
        self.runtime
            .block_on(Mock::given(method("GET")).and(path(at)).respond_with(response).mount(&self.server));
    }

    pub(crate) fn text(&self, at: &str, body: impl Into<String>) {
        self.answer(at, ResponseTemplate::new(200).set_body_string(body));
    }

    /// From now on there is nothing at any address.
    pub(crate) fn forget(&self) {
        self.runtime.block_on(self.server.reset());
    }

    pub(crate) fn url(&self, at: &str) -> String {
        format!("{}{at}", self.server.uri())
    }

    pub(crate) fn source(&self, at: &str) -> SourceConfig {
        SourceConfig::guess(&self.url(at), None)
    }

    pub(crate) fn requests(&self, at: &str) -> usize {
        let all = self.runtime.block_on(self.server.received_requests()).unwrap();
        all.iter().filter(|request| request.url.path() == at).count()
    }
}

#[test]
fn a_remote_descriptor_leads_to_its_neighbours_only() {
    let server = Server::new();
    let targets = "  targets: [./b.yaml, /c.yaml, ./gone.yaml, 'file:///etc/passwd']\n";
    server.text(
        "/a/all.yaml",
        location("all", targets) + "---\n" + &location("local", "  type: file\n  target: ./x.yaml\n"),
    );
    server.text("/a/b.yaml", api("b", "$text: ./spec.txt"));
    server.text("/a/spec.txt", "remote");
    server.text("/c.yaml", group("team"));
    let catalog = load(server.source("/a/all.yaml"));
    assert_eq!(
        refs(&catalog),
        ["api:default/b", "group:default/team", "location:default/all", "location:default/local"]
    );
    let mut found = codes(&catalog);
    found.sort_unstable();
    assert_eq!(
        found,
        ["catalog::local-from-remote", "catalog::location-type", "catalog::target-not-fetched"],
        "{:?}",
        catalog.diagnostics()
    );
    let b = catalog.entity(catalog.find("api:default/b").unwrap()).unwrap().to_json();
    assert_eq!(b["spec"]["definition"], "remote");
    let annotations = &b["metadata"]["annotations"];
    assert_eq!(annotations["backstage.io/managed-by-location"], format!("url:{}", server.url("/a/b.yaml")));
    assert_eq!(
        annotations["backstage.io/managed-by-origin-location"],
        format!("url:{}", server.url("/a/all.yaml"))
    );
    assert_eq!(annotations["backstage.io/source-location"], format!("url:{}", server.url("/a/")));
}

#[test]
fn a_placeholder_stays_on_its_host() {
    let (server, other) = (Server::new(), Server::new());
    other.text("/spec.txt", "stolen");
    server.text("/a.yaml", api("a", &format!("$text: {}", other.url("/spec.txt"))));
    let catalog = load(server.source("/a.yaml"));
    assert!(codes(&catalog).contains(&"catalog::placeholder"), "{:?}", catalog.diagnostics());
    assert_eq!(other.requests("/spec.txt"), 0);
}

#[test]
fn an_unchanged_answer_costs_no_body() {
    let server = Server::new();
    let tagged = ResponseTemplate::new(200).insert_header("etag", "\"one\"").set_body_string(group("a"));
    server.runtime.block_on(async {
        Mock::given(header("if-none-match", "\"one\""))
            .respond_with(ResponseTemplate::new(304))
            .with_priority(1)
            .mount(&server.server)
            .await;
    });
    server.answer("/a.yaml", tagged);
    let loader = loader(vec![server.source("/a.yaml")]);
    for _ in 0..2 {
        assert_eq!(refs(&loader.load(&Progress::none())), ["group:default/a"]);
    }
    assert_eq!(server.requests("/a.yaml"), 2);
}

#[test]
fn errors_name_the_host_and_the_cause() {
    let server = Server::new();
    server.answer("/500", ResponseTemplate::new(500));
    server.answer("/401", ResponseTemplate::new(401));
    server.answer("/loop", ResponseTemplate::new(302).insert_header("location", "/loop"));
    server.answer("/file", ResponseTemplate::new(302).insert_header("location", "file:///etc/passwd"));
    server.answer("/slow", ResponseTemplate::new(200).set_delay(Duration::from_secs(20)));
    server.answer("/large", ResponseTemplate::new(200).set_body_bytes(vec![b'#'; 9 * 1024 * 1024]));
    let host = server.server.address().to_string();
    let cases = [
        ("/500", "answered 500"),
        ("/401", "answered 401"),
        ("/none", "answered 404"),
        ("/loop", "redirects too many times"),
        ("/slow", "did not answer within 1."),
        ("/large", "is larger than 8 MB"),
    ];
    for (at, cause) in cases {
        let mut source = server.source(at);
        source.timeout_seconds = Some(1);
        let catalog = load(source);
        let code = if at == "/401" { "source::refused" } else { "source::network" };
        assert_eq!(codes(&catalog), [code], "{at}");
        let message = &catalog.diagnostics()[0].message;
        assert!(message.contains(&host) && message.contains(cause), "{message}");
    }
    assert_eq!(codes(&load(server.source("/file"))), ["source::network"]);
    let gone = load(SourceConfig::guess("http://127.0.0.1:1/x.yaml", None));
    assert!(gone.diagnostics()[0].message.contains("the connection was refused"), "{:?}", gone.diagnostics());
}

#[test]
fn a_truncated_answer_is_no_answer() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\napiVersion: backstage.io/v1alpha1\n");
    });
    let catalog = load(SourceConfig::guess(&format!("http://{address}/x.yaml"), None));
    thread.join().unwrap();
    assert_eq!(codes(&catalog), ["source::network"]);
    assert!(catalog.is_empty());
}

#[test]
fn local_files_do_not_wait_long_for_addresses() {
    within(Duration::from_secs(30), || {
        let server = Server::new();
        server.answer("/slow.txt", ResponseTemplate::new(200).set_delay(Duration::from_secs(60)));
        server.text("/fast.txt", "fast");
        let folder = Folder::new(&[
            ("org.yaml", &group("team")),
            ("a/catalog-info.yaml", &api("slow", &format!("$text: {}", server.url("/slow.txt")))),
            ("b/catalog-info.yaml", &api("fast", &format!("$text: {}", server.url("/fast.txt")))),
        ]);
        let options = LoadOptions { remote_budget: Duration::from_secs(2), ..LoadOptions::default() };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let catalog = Loader::new(vec![folder.source()], options).load(&Progress::none());
        assert_eq!(catalog.len(), 3);
        assert_eq!(codes(&catalog), ["catalog::not-fetched"]);
        let json = |text: &str| catalog.entity(catalog.find(text).unwrap()).unwrap().to_json();
        assert_eq!(json("api:default/fast")["spec"]["definition"], "fast");
        assert!(json("api:default/slow")["spec"]["definition"]["$text"].is_string());
    });
}

#[test]
fn what_was_read_stays_when_the_server_goes() {
    let server = Server::new();
    server.text("/a.yaml", component("a"));
    let loader = loader(vec![server.source("/a.yaml")]);
    assert_eq!(loader.load(&Progress::none()).len(), 1);
    server.runtime.block_on(server.server.reset());
    server.answer("/a.yaml", ResponseTemplate::new(503));
    let catalog = loader.load(&Progress::none());
    assert_eq!(refs(&catalog), ["component:default/a"]);
    assert!(
        catalog.sources()[0].error.as_ref().unwrap().message.contains("what was read before is still shown")
    );
}

#[test]
fn offline_asks_nobody() {
    let server = Server::new();
    server.text("/a.yaml", component("a"));
    let options = LoadOptions { offline: true, ..LoadOptions::default() };
    let catalog = Loader::new(vec![server.source("/a.yaml")], options).load(&Progress::none());
    assert_eq!(codes(&catalog), ["source::network"]);
    assert!(catalog.diagnostics()[0].message.contains("offline"));
    assert_eq!(server.requests("/a.yaml"), 0);
}
