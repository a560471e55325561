//! A bucket that speaks S3, and the same objects over plain http.

use super::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Output};
use std::sync::Mutex;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

const SECRET: &str = "wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY";

/// Objects by path, and what was asked.
#[derive(Default)]
struct Scene {
    objects: BTreeMap<String, Vec<u8>>,
    log: Vec<String>,
    /// Answers with this to everything.
    status: Option<u16>,
    /// Publishes something else just before the next manifest is written.
    intruder: Option<Vec<u8>>,
    knows_conditions: bool,
    is_signed: bool,
}

#[derive(Clone)]
struct Bucket(Arc<Mutex<Scene>>);

fn tag(content: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(content).to_hex()[..16])
}

impl Respond for Bucket {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let path = request.url.path().to_owned();
        let is_signed = header("authorization").is_some_and(|text| {
            text.starts_with("AWS4-HMAC-SHA256")
                && text.contains("Signature=")
                && text.contains("AKIDEXAMPLE")
        });
        state.is_signed &= is_signed;
        let query = request.url.query().unwrap_or("");
        let name = path.rsplit('/').next().unwrap_or("");
        let name = if name.len() > 40 { "DATA" } else { name };
        let answer = answer(&mut state, request, &path, query);
        let _ = write!(state.log.last_mut().unwrap(), " {name}");
        answer
    }
}

fn answer(state: &mut Scene, request: &Request, path: &str, query: &str) -> ResponseTemplate {
    let header =
        |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let method = request.method.as_str();
    state.log.push(method.to_owned());
    if let Some(status) = state.status {
        let body = format!("<Error><Code>AccessDenied</Code><Message>{SECRET}</Message></Error>");
        return ResponseTemplate::new(status).set_body_string(body);
    }
    if query.contains("list-type=2") {
        let mut body = String::from("<ListBucketResult><IsTruncated>false</IsTruncated>");
        for (path, content) in &state.objects {
            let key = path.strip_prefix("/bucket/").unwrap();
            let _ = write!(
                body,
                "<Contents><Key>{key}</Key><LastModified>2026-03-01T12:00:00.000Z</LastModified><ETag>{}</ETag><Size>{}</Size></Contents>",
                tag(content).replace('"', "&quot;"),
                content.len()
            );
        }
        return ResponseTemplate::new(200).set_body_string(body + "</ListBucketResult>");
    }
    if method == "PUT" {
        if path.ends_with("manifest.json")
            && let Some(other) = state.intruder.take()
        {
            state.objects.insert(path.to_owned(), other);
        }
        let there = state.objects.get(path).map(|content| tag(content));
        let (if_match, if_none) = (header("if-match"), header("if-none-match"));
        if (if_match.is_some() || if_none.is_some()) && !state.knows_conditions {
            return ResponseTemplate::new(501).set_body_string("<Error><Code>NotImplemented</Code></Error>");
        }
        let fits = if_match.is_none_or(|wanted| there.as_ref() == Some(&wanted))
            && (if_none.is_none() || there.is_none());
        if !fits {
            return ResponseTemplate::new(412)
                .set_body_string("<Error><Code>PreconditionFailed</Code></Error>");
        }
        let answer = ResponseTemplate::new(200).insert_header("etag", tag(&request.body).as_str());
        state.objects.insert(path.to_owned(), request.body.clone());
        return answer;
    }
    let Some(content) = state.objects.get(path) else {
        return ResponseTemplate::new(404).set_body_string("<Error><Code>NoSuchKey</Code></Error>");
    };
    let tag = tag(content);
    if header("if-none-match").as_ref() == Some(&tag) {
        return ResponseTemplate::new(304).insert_header("etag", tag.as_str());
    }
    ResponseTemplate::new(200)
        .insert_header("etag", tag.as_str())
        .insert_header("last-modified", "Sun, 01 Mar 2026 12:00:00 GMT")
        .set_body_bytes(content.clone())
}

struct Server {
    runtime: tokio::runtime::Runtime,
    mock: MockServer,
    bucket: Bucket,
    home: Folder,
}

impl Server {
    fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let state = Scene { knows_conditions: true, is_signed: true, ..Scene::default() };
        let bucket = Bucket(Arc::new(Mutex::new(state)));
        runtime.block_on(Mock::given(any()).respond_with(bucket.clone()).mount(&server));
        Self { runtime, mock: server, bucket, home: Folder::new(&[]) }
    }

    fn state<T>(&self, work: impl FnOnce(&mut Scene) -> T) -> T {
        work(&mut self.bucket.0.lock().unwrap())
    }

    /// Takes the requests since the last time.
    fn log(&self) -> Vec<String> {
        self.state(|state| std::mem::take(&mut state.log))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_devportal"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.home.path())
            .env("XDG_CONFIG_HOME", self.home.path().join("config"))
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ENDPOINT", self.mock.uri())
            .env("AWS_ALLOW_HTTP", "true")
            .current_dir(self.home.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        // whatever happens, the secret goes nowhere
        let mut all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        for (_, content) in files(self.home.path()) {
            all.push_str(&String::from_utf8_lossy(&content));
        }
        assert!(!all.contains(SECRET), "{all}");
        output
    }

    fn publish(&self, company: &Folder, more: &[&str]) -> Output {
        let catalog = company.path().to_str().unwrap();
        let mut arguments = vec!["snapshot", "publish", "s3://bucket/team", "--catalog", catalog];
        arguments.extend(more);
        self.run(&arguments)
    }

    fn settings(&self, text: &str) {
        self.home.write("config/devportal/config.toml", text);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn assert_exit(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_bucket_takes_it_and_gives_it_back() {
    let (server, company) = (Server::new(), company());
    assert_exit(&server.publish(&company, &[]), 0);
    assert_eq!(server.log(), ["GET manifest.json", "PUT DATA", "PUT manifest.json", "GET bucket"]);
    assert!(server.state(|state| state.is_signed), "every request is signed");
    let names: Vec<String> = server.state(|state| state.objects.keys().cloned().collect());
    assert!(names.iter().all(|name| name.starts_with("/bucket/team/")), "{names:?}");
    // unchanged: nothing is uploaded
    assert_exit(&server.publish(&company, &[]), 0);
    assert_eq!(server.log(), ["GET manifest.json", "HEAD DATA"]);
    server.settings("[[catalog.source]]\nsnapshot = \"s3://bucket/team\"\n");
    let output = server.run(&["get", "-o", "name"]);
    assert_exit(&output, 0);
    assert_eq!(text(&output.stdout).lines().count(), 5, "{}", text(&output.stdout));
    assert_eq!(server.log(), ["GET manifest.json", "GET DATA"]);
    let output = server.run(&["get", "--catalog", "s3://bucket/team", "-o", "name"]);
    assert_eq!(text(&output.stdout).lines().count(), 5, "{}", text(&output.stderr));
}

#[test]
fn who_was_slower_writes_over_it_and_both_are_whole() {
    let (server, company) = (Server::new(), company());
    assert_exit(&server.publish(&company, &[]), 0);
    let manifest = server.state(|state| state.objects["/bucket/team/manifest.json"].clone());
    let other = text(&manifest).replace("\"created\": \"2", "\"created\": \"3");
    server.state(|state| state.intruder = Some(other.into_bytes()));
    company.write("new/catalog-info.yaml", component("new"));
    server.log();
    assert_exit(&server.publish(&company, &[]), 0);
    let log = server.log();
    let puts: Vec<&String> =
        log.iter().filter(|line| line.starts_with("PUT") || line.starts_with("GET manifest")).collect();
    assert_eq!(
        puts,
        ["GET manifest.json", "PUT DATA", "PUT manifest.json", "GET manifest.json", "PUT manifest.json"]
    );
    assert_exit(&server.run(&["snapshot", "verify", "s3://bucket/team"]), 0);
    let shown = text(&server.run(&["snapshot", "show", "s3://bucket/team"]).stdout);
    assert!(shown.contains("6 in"), "{shown}");
}

#[test]
fn a_store_without_conditions_is_written_all_the_same() {
    let (server, company) = (Server::new(), company());
    server.state(|state| state.knows_conditions = false);
    assert_exit(&server.publish(&company, &[]), 0);
    assert_exit(&server.run(&["snapshot", "verify", "s3://bucket/team"]), 0);
}

#[test]
fn a_store_that_refuses_says_so_without_what_it_sent() {
    let (server, company) = (Server::new(), company());
    server.state(|state| state.status = Some(403));
    let output = server.publish(&company, &[]);
    assert_exit(&output, 1);
    assert!(text(&output.stderr).contains("it answered 403 AccessDenied"), "{}", text(&output.stderr));
    let output = server.run(&["get", "--catalog", "s3://bucket/team"]);
    assert_exit(&output, 4);
    assert!(text(&output.stderr).contains("source::refused"), "{}", text(&output.stderr));
    assert_exit(&server.run(&["snapshot", "show", "s3://bucket/team"]), 1);
    server.state(|state| state.status = None);
    assert_exit(&server.run(&["snapshot", "show", "s3://bucket/team"]), 3);
}

#[test]
fn plain_http_must_be_allowed() {
    let server = Server::new();
    let output = server
        .command(&["snapshot", "show", "s3://bucket/team"])
        .env_remove("AWS_ALLOW_HTTP")
        .output()
        .unwrap();
    assert_exit(&output, 5);
    assert!(text(&output.stderr).contains("AWS_ALLOW_HTTP"), "{}", text(&output.stderr));
    assert!(server.log().is_empty());
}

#[test]
fn keys_are_made_used_and_checked() {
    let (server, company) = (Server::new(), company());
    let output = server.run(&["snapshot", "keygen", "team.key"]);
    assert_exit(&output, 0);
    let public = text(&output.stdout).trim().to_owned();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(server.home.path().join("team.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_exit(&server.run(&["snapshot", "keygen", "team.key"]), 1);
    assert_exit(&server.publish(&company, &["--key", "team.key"]), 0);
    assert_exit(&server.run(&["snapshot", "verify", "s3://bucket/team", "--public-key", &public]), 0);
    let other = text(&server.run(&["snapshot", "keygen", "other.key"]).stdout).trim().to_owned();
    let output = server.run(&["snapshot", "verify", "s3://bucket/team", "--public-key", &other]);
    assert_exit(&output, 8);
    assert!(text(&output.stderr).contains("trusted is"), "{}", text(&output.stderr));
    // a key from the environment; nothing else changed
    let private = std::fs::read_to_string(server.home.path().join("other.key")).unwrap();
    let catalog = company.path().to_str().unwrap();
    let mut command = server.command(&[
        "snapshot",
        "publish",
        "s3://bucket/team",
        "--key-env",
        "THE_KEY",
        "--catalog",
        catalog,
    ]);
    let output = command.env("THE_KEY", &private).output().unwrap();
    assert_exit(&output, 0);
    assert!(text(&output.stdout).starts_with("wrote the manifest anew"), "{}", text(&output.stdout));
    assert!(!text(&output.stderr).contains(private.lines().nth(1).unwrap()));
}

#[test]
fn a_failed_source_stops_publishing_with_6() {
    let (server, company) = (Server::new(), company());
    let path = company.path().display();
    server.settings(&format!(
        "[[catalog.source]]\ntype = \"dir\"\nname = \"good\"\npath = \"{path}\"\n[[catalog.source]]\ntype = \"dir\"\nname = \
         \"bad\"\npath = \"{path}/gone\"\n"
    ));
    let output = server.run(&["snapshot", "publish", "s3://bucket/team"]);
    assert_exit(&output, 6);
    assert!(text(&output.stderr).contains("`bad` could not be read"), "{}", text(&output.stderr));
    assert!(server.state(|state| state.objects.is_empty()));
    assert_exit(
        &server.run(&["snapshot", "publish", "s3://bucket/team", "--allow-incomplete", "--dry-run"]),
        0,
    );
    assert!(server.state(|state| state.objects.is_empty()));
    assert_exit(&server.run(&["snapshot", "publish", "s3://bucket/team", "--allow-incomplete"]), 0);
    assert!(!server.state(|state| state.objects.is_empty()));
}

#[test]
fn a_web_server_is_asked_for_the_manifest_alone_while_nothing_changed() {
    let (server, company, cache) = (Server::new(), company(), Folder::new(&[]));
    assert_exit(&server.publish(&company, &[]), 0);
    server.log();
    let url = format!("{}/bucket/team", server.mock.uri());
    let loader = keeping(vec![source(&url)], cache.path());
    assert_eq!((load(&loader).len(), error(&load(&loader))), (5, String::new()));
    assert_eq!(server.log(), ["GET manifest.json", "GET DATA", "GET manifest.json"]);
    // in the next run of the program, too
    let loader = keeping(vec![source(format!("{url}/manifest.json"))], cache.path());
    load(&loader);
    server.log();
    let first = load(&loader);
    let second = load(&loader);
    assert_eq!(server.log(), ["GET manifest.json", "GET manifest.json"]);
    assert_eq!(essence(&first), essence(&second));
    company.write("new/catalog-info.yaml", component("new"));
    assert_exit(&server.publish(&company, &[]), 0);
    server.log();
    assert_eq!(load(&loader).len(), 6);
    assert_eq!(server.log(), ["GET manifest.json", "GET DATA"]);
    for status in [403, 404, 500] {
        server.state(|state| state.status = Some(status));
        let catalog = load(&loader);
        assert_eq!(catalog.len(), 6, "{status}");
        assert!(error(&catalog).contains("what was read before is still shown"), "{}", error(&catalog));
    }
}

#[test]
fn offline_shows_the_copy() {
    let (server, company) = (Server::new(), company());
    assert_exit(&server.publish(&company, &[]), 0);
    let cache = Folder::new(&[]);
    let url = format!("{}/bucket/team", server.mock.uri());
    load(&keeping(vec![source(&url)], cache.path()));
    server.log();
    let options =
        LoadOptions { offline: true, cache: Some(cache.path().to_path_buf()), ..LoadOptions::default() };
    let catalog = load(&Loader::new(vec![source(&url)], options));
    assert_eq!(catalog.len(), 5);
    assert!(error(&catalog).contains("offline"), "{}", error(&catalog));
    assert!(server.log().is_empty());
    drop(server.runtime);
}
