//! A forge for tests: its API answers by a function, its repositories are real and take `git push` over HTTP.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `POST /api/v3/orgs/acme/repos`.
    pub line: String,
    /// The whole `authorization` header.
    pub credential: Option<String>,
    /// The body, null when there is none.
    pub body: Json,
    /// All headers.
    pub headers: BTreeMap<String, String>,
}

/// An answer of the API.
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// Answers with JSON.
pub fn reply(status: u16, body: &Json) -> Reply {
    Reply {
        status,
        headers: vec![("content-type", "application/json".into())],
        body: body.to_string().into(),
    }
}

/// Answers without a body.
pub fn bare(status: u16) -> Reply {
    Reply { status, headers: Vec::new(), body: Vec::new() }
}

impl Reply {
    /// Adds a header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

type Answer = dyn Fn(&Forge, &Seen) -> Reply + Send + Sync;

struct Inside {
    root: tempfile::TempDir,
    log: Mutex<Vec<Seen>>,
    /// Name and password that pushes need.
    login: Mutex<Option<(String, String)>>,
    url: Mutex<String>,
    answer: Box<Answer>,
}

/// The forge.
#[derive(Clone)]
pub struct Forge {
    inside: Arc<Inside>,
    runtime: Arc<tokio::runtime::Runtime>,
}

impl Forge {
    /// Starts a forge whose API answers by this function.
    pub fn new(answer: impl Fn(&Self, &Seen) -> Reply + Send + Sync + 'static) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let inside = Arc::new(Inside {
            root: tempfile::tempdir().unwrap(),
            log: Mutex::default(),
            login: Mutex::default(),
            url: Mutex::default(),
            answer: Box::new(answer),
        });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        *inside.url.lock().unwrap() = format!("http://{}", listener.local_addr().unwrap());
        let forge = Self { inside, runtime: Arc::new(runtime) };
        // the server must not keep alive the runtime that it runs on
        let served = Arc::downgrade(&forge.runtime);
        let state = (forge.inside.clone(), served);
        let app = Router::new().fallback(serve).with_state(state);
        forge.runtime.spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        forge
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.url().trim_start_matches("http://").to_owned()
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        self.inside.url.lock().unwrap().clone()
    }

    /// Lets only this user push.
    pub fn needs(self, name: &str, password: &str) -> Self {
        *self.inside.login.lock().unwrap() = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// Makes a bare repository at a path such as `acme/shop.git`.
    pub fn make_repository(&self, path: &str) -> PathBuf {
        let folder = self.inside.root.path().join(path);
        std::fs::create_dir_all(&folder).unwrap();
        crate::git_remote::git(&folder, &["init", "-q", "--bare", "."]);
        crate::git_remote::git(&folder, &["config", "http.receivepack", "true"]);
        folder
    }

    /// Returns where a repository is on disk.
    pub fn repository(&self, path: &str) -> PathBuf {
        self.inside.root.path().join(path)
    }

    /// Returns the requests of the API so far, as lines.
    pub fn lines(&self) -> Vec<String> {
        self.inside.log.lock().unwrap().iter().map(|seen| seen.line.clone()).collect()
    }

    /// Returns the requests so far, those of `git` included.
    pub fn seen(&self) -> Vec<Seen> {
        self.inside.log.lock().unwrap().clone()
    }

    /// Returns the body of the first request with this line.
    pub fn body(&self, line: &str) -> Json {
        let seen = self.seen();
        let found = seen.iter().find(|seen| seen.line == line);
        found.unwrap_or_else(|| panic!("{line} was not asked: {:?}", self.lines())).body.clone()
    }
}

type Shared = (Arc<Inside>, std::sync::Weak<tokio::runtime::Runtime>);

async fn serve(
    State((inside, runtime)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let work = move || {
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let headers: BTreeMap<String, String> = headers
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect();
        let seen = Seen {
            line: format!("{method} {target}"),
            credential: headers.get("authorization").cloned(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
            headers,
        };
        inside.log.lock().unwrap().push(seen.clone());
        let is_git = ["/info/refs", "/git-receive-pack", "/git-upload-pack"];
        if is_git.iter().any(|end| uri.path().ends_with(end)) {
            git(&inside, &seen, &method, &uri, &body)
        } else {
            let Some(runtime) = runtime.upgrade() else { return bare(503) };
            let forge = Forge { inside: inside.clone(), runtime };
            (inside.answer)(&forge, &seen)
        }
    };
    let reply = tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| bare(500));
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(reply.body)).unwrap()
}

/// Hands a request to `git http-backend`.
fn git(inside: &Inside, seen: &Seen, method: &Method, uri: &Uri, body: &[u8]) -> Reply {
    if let Some((name, password)) = &*inside.login.lock().unwrap() {
        use base64::Engine as _;
        let both = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        if seen.credential.as_deref() != Some(&format!("Basic {both}")) {
            return bare(401).with("www-authenticate", "Basic realm=\"forge\"");
        }
    }
    let header = |name: &str| seen.headers.get(name).cloned().unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", inside.root.path())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", uri.path().replace("%20", " "))
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("REQUEST_METHOD", method.as_str())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_USER", "forge")
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = body.to_vec();
    let writing = std::thread::spawn(move || drop(input.write_all(&bytes)));
    let output = child.wait_with_output().unwrap().stdout;
    writing.join().unwrap();
    let end = output.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let mut reply = Reply { status: 200, headers: Vec::new(), body: output[end + 4..].to_vec() };
    for line in head.lines() {
        let (name, value) = line.split_once(": ").unwrap();
        match name {
            "Status" => reply.status = value.split(' ').next().unwrap().parse().unwrap(),
            "Content-Type" => reply = reply.with("content-type", value),
            _ => {}
        }
    }
    reply
}

/// Returns whether `git` can serve repositories here; says so when it cannot.
#[expect(clippy::print_stdout, reason = "whoever reads the tests should know what was left out")]
pub fn has_http_backend() -> bool {
    let found = Command::new("git").arg("--exec-path").output().ok().is_some_and(|output| {
        let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Path::new(&folder).join("git-http-backend").exists()
    });
    if !found {
        println!("skipped: there is no `git http-backend` on this machine");
    }
    found
}
