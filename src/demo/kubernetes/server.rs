//! One server: who calls, whether they may, and who answers.

use super::access::{Caller, Wish};
use super::clock::Clock;
use super::cluster::Cluster;
use super::fault::Faults;
use super::request::{self, Query, Target};
use super::resource::R;
use super::status::{Failure, ok};
use super::{discovery, exec, forward, read, stream, write};
use axum::body::Body;
use axum::extract::{FromRequestParts, State, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Longest body that is taken.
const MAX_BODY: usize = 3 << 20;

/// A server of a cluster.
#[derive(Debug)]
pub struct Server {
    /// What can go wrong with it.
    pub faults: Arc<Faults>,
    /// Its time.
    pub clock: Arc<Clock>,
    /// Changes when time has gone on.
    pub(super) ticked: watch::Sender<u64>,
    address: SocketAddr,
    cluster: Mutex<Cluster>,
    callers: Mutex<BTreeMap<String, Caller>>,
}

impl Server {
    pub(super) fn new(cluster: Cluster, clock: Arc<Clock>, faults: Arc<Faults>, address: SocketAddr) -> Self {
        Self {
            faults,
            clock,
            ticked: watch::Sender::new(0),
            address,
            cluster: Mutex::new(cluster),
            callers: Mutex::default(),
        }
    }

    /// Returns the cluster, to look at it or change it; nobody else can meanwhile.
    pub fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets a token in, or changes what it may do.
    pub fn admit(&self, token: &str, caller: Caller) {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), caller);
    }

    /// Lets a token in no more.
    pub fn revoke(&self, token: &str) {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }

    /// Changes what tokens may do.
    pub fn change_callers(&self, mut change: impl FnMut(&mut Caller)) {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner).values_mut().for_each(&mut change);
    }

    /// Brings the cluster to a time and tells who waits for it.
    pub(super) fn tick(&self, seconds: bool) {
        if seconds {
            // everything in a cluster happens at whole seconds, as objects write them
            let now = self.clock.now();
            self.cluster().tick(jiff::Timestamp::from_second(now.as_second()).unwrap_or(now));
        }
        self.ticked.send_modify(|ticks| *ticks += 1);
    }

    /// Forgets the past: watches that run end with `Expired`, and none can begin before now.
    pub fn expire_versions(&self) {
        self.cluster().store.expire();
        self.faults.expired.send_modify(|count| *count += 1);
    }

    fn caller(&self, parts: &Parts) -> Result<Caller, Failure> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default().trim();
        let callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let caller = callers.get(token).cloned().ok_or_else(Failure::unauthorized)?;
        if caller.expires.is_some_and(|at| at <= self.clock.now()) {
            return Err(Failure::unauthorized());
        }
        Ok(caller)
    }
}

/// Answers everything.
pub(super) async fn handle(State(server): State<Arc<Server>>, request: Request<Body>) -> Response {
    if server.faults.is_mute() {
        std::future::pending::<()>().await;
    }
    let delay = server.faults.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let now = server.clock.now();
    let mut response = answer(&server, request).await.unwrap_or_else(IntoResponse::into_response);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok();
    let headers = response.headers_mut();
    if let Some(date) = date.and_then(|date| HeaderValue::from_str(&date).ok()) {
        headers.insert(header::DATE, date);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

async fn answer(server: &Arc<Server>, request: Request<Body>) -> Result<Response, Failure> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let query_text = parts.uri.query().unwrap_or_default().to_owned();
    let mark = if query_text.is_empty() { "" } else { "?" };
    let refused = server.faults.note(format!("{} {path}{mark}{query_text}", parts.method));
    let caller = server.caller(&parts)?;
    if let Some(failure) = refused {
        return Err(failure);
    }
    if let Some(response) = plain(server, &path, &parts) {
        return Ok(response);
    }
    if parts.method == Method::POST
        && let Some(kind) = review_of(&path)
    {
        let review = read_body(body).await?;
        return Ok(review_answer(&caller, kind, review));
    }
    let query = Query::parse(&query_text);
    if path.starts_with("/apis/metrics.k8s.io/") {
        return metrics(server, &caller, &path, &query);
    }
    let target = request::target(&path)?;
    check(&caller, &parts.method, &target, &query)?;
    match target.sub.as_deref() {
        Some("exec" | "attach") => {
            let socket = socket(&mut parts).await?;
            return exec::start(server, &target, &query, socket);
        }
        Some("portforward") => {
            let socket = socket(&mut parts).await?;
            return forward::start(server, &target, &query, socket);
        }
        Some("log") => return stream::logs(server, &target, &query),
        _ => {}
    }
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = read::Form::of_accept(accept);
    match parts.method {
        Method::GET if target.name.is_none() && query.is("watch") => {
            stream::watch(server, &target, &query, form)
        }
        Method::GET if target.name.is_none() => read::list(server, &target, &query, form),
        Method::GET => read::get(server, &target, form),
        _ => {
            let content = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let content =
                content.unwrap_or("application/json").split(';').next().unwrap_or_default().trim().to_owned();
            let body = read_body(body).await?;
            write::write(server, &parts.method, &target, &query, &content, body)
        }
    }
}

fn check(caller: &Caller, method: &Method, target: &Target, query: &Query) -> Result<(), Failure> {
    let row = target.kind.row();
    caller.check(&Wish {
        verb: request::verb(method, target, query),
        group: row.group,
        resource: row.plural,
        sub: target.sub.as_deref().unwrap_or_default(),
        namespace: target.namespace.as_deref().unwrap_or_default(),
        name: target.name.as_deref().unwrap_or_default(),
    })
}

async fn socket(parts: &mut Parts) -> Result<WebSocketUpgrade, Failure> {
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
    upgrade.map_err(|_| Failure::bad_request("Upgrade request required"))
}

async fn read_body(body: Body) -> Result<Value, Failure> {
    let bytes = axum::body::to_bytes(body, MAX_BODY).await;
    let bytes = bytes.map_err(|_| Failure::new(413, "RequestEntityTooLarge", "limit is 3145728"))?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    if let Some(read) = super::protobuf::read(&bytes) {
        return Ok(read);
    }
    if bytes.starts_with(b"k8s\0") {
        let message = "the body of the request was in an unknown format - accepted media types include: application/json";
        return Err(Failure::new(415, "UnsupportedMediaType", message));
    }
    let from_yaml = || serde_yaml::from_slice(&bytes).ok();
    serde_json::from_slice(&bytes)
        .ok()
        .or_else(from_yaml)
        .ok_or_else(|| Failure::bad_request("couldn't get version/kind; json parse error: invalid character"))
}

/// Answers what is no object: version, health, discovery.
fn plain(server: &Server, path: &str, parts: &Parts) -> Option<Response> {
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (minor, git, has_metrics) = {
        let cluster = server.cluster();
        (cluster.version.minor, cluster.version.git.clone(), cluster.has_metrics)
    };
    let all_at_once = discovery_version(accept, minor);
    let trimmed = path.trim_matches('/');
    let pieces: Vec<&str> = trimmed.split('/').collect();
    let found = match pieces.as_slice() {
        ["version"] => json!({
            "major": "1", "minor": minor.to_string(), "gitVersion": git, "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "2026-03-12T10:00:00Z", "goVersion": "go1.24.6", "compiler": "gc",
            "platform": "linux/amd64"}),
        ["healthz" | "livez" | "readyz", ..] => {
            let mut response = Response::new(Body::from("ok"));
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(header::CONTENT_TYPE, plain);
            return Some(response);
        }
        ["api" | "apis"] if all_at_once.is_some() => {
            let version = all_at_once.unwrap_or_default();
            let mut response = ok(&discovery::aggregated(version, trimmed == "api", has_metrics));
            let kind = format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(&kind).ok()?);
            return Some(response);
        }
        ["api"] => discovery::versions(&server.address.to_string()),
        ["apis"] => discovery::group_list(has_metrics),
        ["api", version] => discovery::resources("", version, has_metrics)?,
        ["apis", group] => discovery::group(group, has_metrics)?,
        ["apis", group, version] => discovery::resources(group, version, has_metrics)?,
        ["openapi", "v3"] => json!({"paths": {}}),
        _ => return None,
    };
    Some(ok(&found))
}

/// Returns the version in which everything is told at once: `v2` from 1.30 on, `v2beta1` from 1.26 on; `None` when
/// it was not asked for, or the server is older.
fn discovery_version(accept: &str, minor: u32) -> Option<&'static str> {
    let asks = |version: &str| {
        let is_it = |part: &str| part.trim() == format!("v={version}");
        accept.split(',').any(|form| form.contains("as=APIGroupDiscoveryList") && form.split(';').any(is_it))
    };
    match minor {
        30.. if asks("v2") => Some("v2"),
        26.. if asks("v2beta1") => Some("v2beta1"),
        _ => None,
    }
}

fn review_of(path: &str) -> Option<&'static str> {
    match path.trim_matches('/') {
        "apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => Some("access"),
        "apis/authorization.k8s.io/v1/selfsubjectrulesreviews" => Some("rules"),
        "apis/authentication.k8s.io/v1/selfsubjectreviews" => Some("self"),
        _ => None,
    }
}

fn review_answer(caller: &Caller, kind: &str, review: Value) -> Response {
    let answer = match kind {
        "access" => caller.review(review),
        "rules" => caller.rules_review(review),
        _ => caller.who(),
    };
    super::status::json_response(http::StatusCode::CREATED, answer.to_string())
}

fn metrics(server: &Server, caller: &Caller, path: &str, query: &Query) -> Result<Response, Failure> {
    let cluster = server.cluster();
    if !cluster.has_metrics {
        return Err(Failure::no_resource());
    }
    let pieces: Vec<&str> = path.trim_matches('/').split('/').skip(3).collect();
    let (plural, namespace, name) = match pieces.as_slice() {
        ["nodes"] => ("nodes", "", ""),
        ["nodes", name] => ("nodes", "", *name),
        ["pods"] => ("pods", "", ""),
        ["namespaces", namespace, "pods"] => ("pods", *namespace, ""),
        ["namespaces", namespace, "pods", name] => ("pods", *namespace, *name),
        _ => return Err(Failure::no_resource()),
    };
    let verb = if name.is_empty() { "list" } else { "get" };
    caller.check(&Wish { verb, group: "metrics.k8s.io", resource: plural, sub: "", namespace, name })?;
    let labels = super::selector::Labels::parse(query.get("labelSelector").unwrap_or_default())
        .map_err(Failure::bad_request)?;
    let missing = |row: R| Failure::not_found(row.row(), name);
    let found = match (plural, name.is_empty()) {
        ("nodes", true) => cluster.all_node_metrics(),
        ("nodes", false) => cluster.one_node_metrics(name).ok_or_else(|| missing(R::Node))?,
        (_, true) => {
            let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
            cluster.all_pod_metrics(namespace, &labels)
        }
        (_, false) => cluster.one_pod_metrics(namespace, name).ok_or_else(|| missing(R::Pod))?,
    };
    Ok(ok(&found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discovery_speaks_the_version_that_is_understood() {
        let new = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;\
                   g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        let old =
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        for (accept, minor, expected) in [
            (new, 34, Some("v2")),
            (new, 29, Some("v2beta1")),
            (old, 34, Some("v2beta1")),
            (new, 20, None),
            ("application/json", 34, None),
        ] {
            assert_eq!(discovery_version(accept, minor), expected, "{minor} {accept}");
        }
    }
}
