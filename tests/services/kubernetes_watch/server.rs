//! A server that speaks as much of the Kubernetes API as watches need, and fails on order.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::broadcast;

/// What is sent to open watches.
#[derive(Debug, Clone)]
enum Sent {
    /// A change of an object: version, namespace, line.
    Change(u64, String, String),
    /// Some bytes, then the connection breaks.
    Break(String),
    /// A whole line.
    Line(String),
}

/// A refusal that is ordered.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Requests whose path and query hold this.
    pub holding: &'static str,
    /// Status code.
    pub code: u16,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u32>,
    /// How often.
    pub times: usize,
}

/// What the server has and does.
#[derive(Debug)]
pub struct Script {
    pods: BTreeMap<(String, String), Value>,
    version: u64,
    past: Vec<(u64, String, String)>,
    /// Versions below are too old.
    oldest: u64,
    pub refusals: Vec<Refusal>,
    /// Token that is wanted.
    pub token: Option<String>,
    /// Namespaces that may be read; all for none.
    pub allowed: Option<BTreeSet<String>>,
    /// Added to the clock, in seconds.
    pub skew: i64,
    /// Everything that was asked.
    pub log: Vec<String>,
}

struct Shared {
    script: Mutex<Script>,
    sent: broadcast::Sender<Sent>,
}

/// A server on this machine.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Server {
    /// Starts one.
    pub fn start() -> Self {
        let script = Script {
            pods: BTreeMap::new(),
            version: 1,
            past: Vec::new(),
            oldest: 0,
            refusals: Vec::new(),
            token: None,
            allowed: None,
            skew: 0,
            log: Vec::new(),
        };
        let shared = Arc::new(Shared { script: Mutex::new(script), sent: broadcast::channel(4096).0 });
        let mut server = Self { shared, address: SocketAddr::from(([127, 0, 0, 1], 0)), runtime: None };
        server.up();
        server
    }

    /// Listens; on the same port as before.
    pub fn up(&mut self) {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind(self.address)).unwrap();
        self.address = listener.local_addr().unwrap();
        let app = Router::new().fallback(answer).with_state(self.shared.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        self.runtime = Some(runtime);
    }

    /// Ends all connections and listens no more.
    pub fn down(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes the script.
    pub fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.shared.script.lock().unwrap())
    }

    /// Puts a pod, or changes it, and tells the watches.
    pub fn put(&self, namespace: &str, name: &str) {
        self.put_with(namespace, name, json!({}));
    }

    /// The same, with more of it.
    #[expect(clippy::needless_pass_by_value, reason = "tests hand over what `json!` made")]
    pub fn put_with(&self, namespace: &str, name: &str, more: Value) {
        let mut script = self.shared.script.lock().unwrap();
        script.version += 1;
        let key = (namespace.to_owned(), name.to_owned());
        let word = if script.pods.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        let uid = format!("uid-{namespace}-{name}");
        let mut pod = json!({ "metadata": {
            "namespace": namespace, "name": name, "uid": uid, "resourceVersion": script.version.to_string(),
        } });
        pod.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        script.pods.insert(key, pod.clone());
        self.tell(&mut script, word, namespace, &pod);
    }

    /// Puts many pods that no watch hears of.
    pub fn fill(&self, namespace: &str, count: usize, pod: impl Fn(usize, u64) -> Value) {
        let mut script = self.shared.script.lock().unwrap();
        for index in 0..count {
            script.version += 1;
            let version = script.version;
            script.pods.insert((namespace.to_owned(), format!("pod-{index:05}")), pod(index, version));
        }
    }

    /// Deletes a pod; quietly: no watch hears of it.
    pub fn delete(&self, namespace: &str, name: &str, is_told: bool) {
        let mut script = self.shared.script.lock().unwrap();
        script.version += 1;
        let mut pod = script.pods.remove(&(namespace.to_owned(), name.to_owned())).unwrap();
        pod["metadata"]["resourceVersion"] = json!(script.version.to_string());
        if is_told {
            self.tell(&mut script, "DELETED", namespace, &pod);
        }
    }

    fn tell(&self, script: &mut Script, word: &str, namespace: &str, pod: &Value) {
        let line = json!({ "type": word, "object": pod }).to_string();
        script.past.push((script.version, namespace.to_owned(), line.clone()));
        let _ = self.shared.sent.send(Sent::Change(script.version, namespace.to_owned(), line));
    }

    /// Forgets the past: watches from older versions are refused, open ones end with that word.
    pub fn expire(&self) {
        let mut script = self.shared.script.lock().unwrap();
        script.oldest = script.version;
        script.past.clear();
        let status = json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old" });
        let _ = self.shared.sent.send(Sent::Line(json!({ "type": "ERROR", "object": status }).to_string()));
    }

    /// Breaks all watches in the middle of a line.
    pub fn cut(&self) {
        let _ = self.shared.sent.send(Sent::Break("{\"type\":\"MODIFIED\",\"object\":{\"meta".to_owned()));
    }

    /// Sends a line to all watches.
    pub fn say(&self, line: &str) {
        let _ = self.shared.sent.send(Sent::Line(line.to_owned()));
    }

    /// Returns how often something was asked.
    pub fn asked(&self, part: &str) -> usize {
        self.script(|script| script.log.iter().filter(|line| line.contains(part)).count())
    }
}

fn status(code: u16, message: &str) -> Value {
    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message })
}

fn respond(code: u16, value: &Value, skew: i64) -> Response {
    let date = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(skew);
    let date = date.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    Response::builder()
        .status(code)
        .header("content-type", "application/json")
        .header("date", date)
        .body(Body::from(value.to_string()))
        .unwrap()
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()).into_owned().collect();
    let target = request.uri().to_string();
    let bearer =
        request.headers().get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let cluster = request.headers().get("backstage-kubernetes-cluster").and_then(|value| value.to_str().ok());
    let mut script = shared.script.lock().unwrap();
    script.log.push(format!("{} {target} {}", request.method(), cluster.unwrap_or("")));
    let skew = script.skew;
    if let Some(token) = &script.token
        && bearer != Some(format!("Bearer {token}"))
    {
        return respond(401, &status(401, "Unauthorized"), skew);
    }
    if let Some(at) =
        script.refusals.iter().position(|refusal| refusal.times > 0 && target.contains(refusal.holding))
    {
        let refusal = &mut script.refusals[at];
        refusal.times -= 1;
        let mut response = respond(refusal.code, &status(refusal.code, "ordered"), skew);
        if let Some(seconds) = refusal.retry_after {
            response.headers_mut().insert("retry-after", seconds.into());
        }
        return response;
    }
    let path = path.strip_prefix("/api/kubernetes/proxy").unwrap_or(&path).to_owned();
    match path.as_str() {
        "/version" => return respond(200, &json!({ "gitVersion": "v1.30.0" }), skew),
        "/api/kubernetes/clusters" => {
            let items = json!([{ "name": "behind", "authProvider": "serviceAccount" }]);
            return respond(200, &json!({ "items": items }), skew);
        }
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => {
            return respond(201, &json!({ "status": { "userInfo": { "username": "ana" } } }), skew);
        }
        _ => {}
    }
    let namespace = path.strip_prefix("/api/v1/namespaces/").and_then(|rest| rest.strip_suffix("/pods"));
    let is_pods = path == "/api/v1/pods" || namespace.is_some();
    if let Some(allowed) = &script.allowed
        && namespace.is_none_or(|namespace| !allowed.contains(namespace))
    {
        let message = "things are forbidden: User \"ana\" cannot list resource \"things\"";
        return respond(403, &status(403, message), skew);
    }
    // what newer servers have
    if path.contains("/apis/batch/v1/") || path.contains("metrics") {
        return respond(404, &status(404, "the server could not find the requested resource"), skew);
    }
    if query.contains_key("watch") || query.contains_key("resourceVersion") && !query.contains_key("limit") {
        return watch(&shared, &script, namespace, is_pods, &query);
    }
    list(&script, namespace, is_pods, &query)
}

fn list(
    script: &Script,
    namespace: Option<&str>,
    is_pods: bool,
    query: &BTreeMap<String, String>,
) -> Response {
    let limit: usize = query.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    let from: usize = query.get("continue").and_then(|token| token.parse().ok()).unwrap_or(0);
    let pods = script.pods.iter().filter(|((of, _), _)| namespace.is_none_or(|namespace| namespace == of));
    let all: Vec<&Value> = if is_pods { pods.map(|(_, pod)| pod).collect() } else { Vec::new() };
    let items: Vec<&&Value> = all.iter().skip(from).take(limit).collect();
    let next = if from + items.len() < all.len() { (from + items.len()).to_string() } else { String::new() };
    let metadata = json!({ "resourceVersion": script.version.to_string(), "continue": next });
    respond(200, &json!({ "metadata": metadata, "items": items }), script.skew)
}

fn watch(
    shared: &Arc<Shared>,
    script: &Script,
    namespace: Option<&str>,
    is_pods: bool,
    query: &BTreeMap<String, String>,
) -> Response {
    let from: u64 = query.get("resourceVersion").and_then(|version| version.parse().ok()).unwrap_or(0);
    if from < script.oldest {
        return respond(410, &status(410, "too old resource version"), script.skew);
    }
    let namespace = namespace.map(str::to_owned);
    let is_ours = move |of: &str| is_pods && namespace.as_deref().is_none_or(|namespace| namespace == of);
    let past: Vec<String> = script
        .past
        .iter()
        .filter(|(version, of, _)| *version > from && is_ours(of))
        .map(|(_, _, line)| format!("{line}\n"))
        .collect();
    let receiver = shared.sent.subscribe();
    let first = futures_util::stream::iter(past.into_iter().map(Ok::<_, std::io::Error>));
    let later = futures_util::stream::unfold((receiver, false), move |(mut receiver, is_over)| {
        let is_ours = is_ours.clone();
        async move {
            if is_over {
                return Some((Err(std::io::Error::other("cut")), (receiver, true)));
            }
            loop {
                match receiver.recv().await.ok()? {
                    Sent::Change(version, of, line) if version > from && is_ours(&of) => {
                        return Some((Ok(format!("{line}\n")), (receiver, false)));
                    }
                    Sent::Change(..) => {}
                    Sent::Line(line) => return Some((Ok(format!("{line}\n")), (receiver, false))),
                    Sent::Break(part) => return Some((Ok(part), (receiver, true))),
                }
            }
        }
    });
    let stream = futures_util::StreamExt::chain(first, later);
    Response::builder().status(200).body(Body::from_stream(stream)).unwrap()
}
