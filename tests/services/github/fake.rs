//! A GitHub that holds repositories in memory and answers the queries and requests of the source.

use crate::component;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

/// A repository with its files.
#[derive(Clone, Default)]
pub struct Repo {
    pub name: String,
    /// Number of the head commit.
    pub head: u64,
    pub files: BTreeMap<String, String>,
    pub topics: Vec<String>,
    pub archived: bool,
    pub fork: bool,
    /// Files that GraphQL gives no text of.
    pub truncated: bool,
    /// Listed, and gone when it is read.
    pub vanished: bool,
    /// The listing has an error in its place.
    pub broken: bool,
}

impl Repo {
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        Self { name: name.to_owned(), head: 1, files, ..Self::default() }
    }

    fn oid(&self) -> String {
        format!("{:0>40}", format!("{:x}{:x}", self.head, sum(&self.name)))
    }
}

/// What one request was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub path: String,
    pub query: String,
    pub body: Value,
    pub token: Option<String>,
    pub conditional: bool,
    pub sent: usize,
}

impl Seen {
    pub fn is_listing(&self) -> bool {
        self.body["variables"].get("expression").is_some()
    }
}

/// What goes wrong: asked for each request before it is answered.
type Fault = Box<dyn FnMut(&Seen) -> Option<ResponseTemplate> + Send>;

#[derive(Default)]
pub struct World {
    pub repos: Vec<Repo>,
    pub teams: Vec<Value>,
    pub users: Vec<Value>,
    pub fault: Option<Fault>,
    pub seen: Vec<Seen>,
}

/// The server and the runtime it lives on.
pub struct Fake {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
    world: Arc<Mutex<World>>,
}

impl Fake {
    pub fn new(repos: Vec<Repo>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::builder().disable_request_recording().start());
        let world = Arc::new(Mutex::new(World { repos, ..World::default() }));
        let (kept, base) = (world.clone(), server.uri());
        let respond = move |request: &Request| kept.lock().unwrap().answer(request, &base);
        runtime.block_on(Mock::given(any()).respond_with(respond).mount(&server));
        Self { runtime, server, world }
    }

    /// A company of this many repositories; every `each`th has a descriptor.
    pub fn of(count: usize, each: usize) -> Self {
        let repo = |at: usize| {
            let name = format!("repo-{at:05}");
            let text = component(&name);
            let files: &[(&str, &str)] =
                if at.is_multiple_of(each) { &[("catalog-info.yaml", &text)] } else { &[] };
            Repo::new(&name, files)
        };
        Self::new((0..count).map(repo).collect())
    }

    pub fn url(&self) -> String {
        let _ = &self.runtime;
        self.server.uri()
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Lets requests fail as this says.
    pub fn fault(&self, fault: impl FnMut(&Seen) -> Option<ResponseTemplate> + Send + 'static) {
        self.world().fault = Some(Box::new(fault));
    }

    pub fn works_again(&self) {
        self.world().fault = None;
    }

    /// Returns what was asked since the last call.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.world().seen)
    }
}

impl World {
    fn answer(&mut self, request: &Request, base: &str) -> ResponseTemplate {
        let header = |name: &str| request.headers.get(name).and_then(|v| v.to_str().ok());
        let mut seen = Seen {
            path: request.url.path().to_owned(),
            query: request.url.query().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
            token: header("authorization").map(str::to_owned),
            conditional: header("if-none-match").is_some(),
            sent: 0,
        };
        if let Some(fault) = self.fault.as_mut().and_then(|fault| fault(&seen)) {
            self.seen.push(seen);
            return fault;
        }
        let answer = if seen.path == "/api/graphql" {
            self.graphql(&seen.body)
        } else {
            self.rest(&seen, base, header("if-none-match"))
        };
        seen.sent = match &answer {
            Answer::Json(text) | Answer::Tagged(text, _) => text.len(),
            Answer::Status(_) => 0,
        };
        self.seen.push(seen);
        match answer {
            Answer::Json(text) => ResponseTemplate::new(200).set_body_raw(text, "application/json"),
            Answer::Tagged(text, headers) => {
                let mut out = ResponseTemplate::new(200).set_body_raw(text, "application/json");
                for (name, value) in headers {
                    out = out.append_header(name, value.as_str());
                }
                out
            }
            Answer::Status(status) => ResponseTemplate::new(status),
        }
    }

    fn graphql(&self, body: &Value) -> Answer {
        let query = body["query"].as_str().unwrap();
        let variables = &body["variables"];
        let (mut data, errors) = if variables.get("expression").is_some() {
            self.listing(query, variables)
        } else if query.contains("membersWithRole") || query.contains("teams(") || query.contains("team(") {
            (self.org(query, variables), Vec::new())
        } else {
            self.batch(query)
        };
        let reset = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1)).to_string();
        data.insert(
            "rateLimit".into(),
            json!({"cost": 1, "remaining": 4990, "limit": 5000, "resetAt": reset}),
        );
        let mut out = json!({ "data": data });
        if !errors.is_empty() {
            out["errors"] = errors.into();
        }
        Answer::Json(out.to_string())
    }

    fn listing(&self, query: &str, variables: &Value) -> (Map<String, Value>, Vec<Value>) {
        let mut data = Map::new();
        if variables["owner"] != "acme" {
            data.insert("repositoryOwner".into(), Value::Null);
            return (data, Vec::new());
        }
        let start: usize = variables["after"].as_str().map_or(0, |after| after.parse().unwrap());
        let size = usize::try_from(variables["size"].as_u64().unwrap()).unwrap();
        let end = (start + size).min(self.repos.len());
        let mut errors = Vec::new();
        let mut nodes = Vec::new();
        for (at, repo) in self.repos[start..end].iter().enumerate() {
            if repo.broken {
                nodes.push(Value::Null);
                errors.push(json!({
                    "type": "INTERNAL", "message": "Something odd\nhappened",
                    "path": ["repositoryOwner", "repositories", "nodes", at]
                }));
                continue;
            }
            let expression = variables["expression"].as_str().unwrap();
            let texts = variables["texts"].as_bool().unwrap_or(false);
            let branch = variables["branch"].as_str().unwrap_or("main");
            let topics: Vec<Value> =
                repo.topics.iter().map(|topic| json!({"topic": {"name": topic}})).collect();
            nodes.push(json!({
                "nameWithOwner": format!("acme/{}", repo.name),
                "isArchived": repo.archived, "isFork": repo.fork, "visibility": "INTERNAL",
                "head": {"name": branch, "target": {"oid": repo.oid()}},
                "repositoryTopics": {"nodes": topics},
                "object": object(repo, expression, query, texts),
            }));
        }
        let page = json!({
            "totalCount": self.repos.len(),
            "pageInfo": {"hasNextPage": end < self.repos.len(), "endCursor": end.to_string()},
            "nodes": nodes,
        });
        data.insert("repositoryOwner".into(), json!({ "repositories": page }));
        (data, errors)
    }

    fn batch(&self, query: &str) -> (Map<String, Value>, Vec<Value>) {
        let wanted = regex::Regex::new(
            r#"(r\d+): repository\(owner: "([^"]*)", name: "([^"]*)"\) \{ object\(expression: "([^"]*)"\)"#,
        )
        .unwrap();
        let (mut data, mut errors) = (Map::new(), Vec::new());
        for found in wanted.captures_iter(query) {
            let repo = self.repos.iter().find(|repo| found[2] == *"acme" && found[3] == *repo.name);
            let value = if let Some(repo) = repo.filter(|repo| !repo.vanished) {
                json!({ "object": object(repo, &found[4], "", true) })
            } else {
                errors
                    .push(json!({"type": "NOT_FOUND", "path": [&found[1]], "message": "Could not resolve"}));
                Value::Null
            };
            data.insert(found[1].to_owned(), value);
        }
        (data, errors)
    }

    fn org(&self, query: &str, variables: &Value) -> Map<String, Value> {
        let after =
            |key: &str| -> usize { variables[key].as_str().map_or(0, |after| after.parse().unwrap()) };
        let page = |all: &[Value], start: usize, size: usize| {
            let end = (start + size).min(all.len());
            json!({
                "totalCount": all.len(),
                "pageInfo": {"hasNextPage": end < all.len(), "endCursor": end.to_string()},
                "nodes": all[start..end],
            })
        };
        let members = |team: &Value, start: usize| page(team["logins"].as_array().unwrap(), start, 100);
        let mut data = Map::new();
        let organization = if query.contains("membersWithRole") {
            json!({ "membersWithRole": page(&self.users, after("after"), 100) })
        } else if query.contains("team(") {
            let team = self.teams.iter().find(|team| team["slug"] == variables["slug"]).unwrap();
            json!({ "team": {"members": members(team, after("after"))} })
        } else {
            let mut teams = page(&self.teams, after("after"), 50);
            for team in teams["nodes"].as_array_mut().unwrap() {
                team["members"] = members(team, 0);
            }
            json!({ "teams": teams })
        };
        data.insert("organization".into(), organization);
        data
    }

    fn rest(&self, seen: &Seen, base: &str, tag: Option<&str>) -> Answer {
        let Some(path) = seen.path.strip_prefix("/api/v3/") else { return Answer::Status(404) };
        let parts: Vec<&str> = path.split('/').collect();
        let repo = |name: &str| self.repos.iter().find(|repo| repo.name == name && !repo.vanished);
        match parts.as_slice() {
            ["orgs", "acme", "repos"] => self.page(seen, base, tag),
            ["repos", "acme", name, "contents", path @ ..] => {
                let text = repo(name).and_then(|repo| repo.files.get(&path.join("/")));
                text.map_or(Answer::Status(404), |text| Answer::Json(text.clone()))
            }
            ["repos", "acme", name, "git", "blobs", oid] => {
                let text = repo(name).and_then(|repo| repo.files.values().find(|text| blob(text) == *oid));
                text.map_or(Answer::Status(404), |text| Answer::Json(text.clone()))
            }
            ["repos", "acme", name, "git", "trees", _] => match repo(name) {
                None => Answer::Status(404),
                Some(repo) => {
                    let entries: Vec<Value> = repo
                        .files
                        .iter()
                        .map(|(path, text)| json!({"path": path, "type": "blob", "sha": blob(text)}))
                        .collect();
                    Answer::Json(json!({"tree": entries, "truncated": false}).to_string())
                }
            },
            _ => Answer::Status(404),
        }
    }

    fn page(&self, seen: &Seen, base: &str, tag: Option<&str>) -> Answer {
        let number: usize =
            seen.query.split('&').find_map(|pair| pair.strip_prefix("page=")).unwrap().parse().unwrap();
        let (start, end) = ((number - 1) * 100, (number * 100).min(self.repos.len()));
        let listed: Vec<Value> = self.repos[start..end]
            .iter()
            .map(|repo| {
                json!({
                    "full_name": format!("acme/{}", repo.name), "default_branch": "main",
                    "pushed_at": format!("2026-01-01T00:00:{:02}Z", repo.head), "topics": repo.topics,
                    "archived": repo.archived, "fork": repo.fork, "visibility": "public",
                })
            })
            .collect();
        let text = Value::from(listed).to_string();
        let etag = format!("\"{:x}\"", sum(&text));
        if tag == Some(&*etag) {
            return Answer::Status(304);
        }
        let mut headers = vec![("etag", etag)];
        if end < self.repos.len() {
            let next = number + 1;
            headers.push((
                "link",
                format!("<{base}/api/v3/orgs/acme/repos?per_page=100&page={next}>; rel=\"next\""),
            ));
        }
        Answer::Tagged(text, headers)
    }
}

enum Answer {
    Json(String),
    Tagged(String, Vec<(&'static str, String)>),
    Status(u16),
}

/// Returns what is behind `HEAD:path`: a blob, or a tree as deep as the query asks.
fn object(repo: &Repo, expression: &str, query: &str, texts: bool) -> Value {
    let path = expression.split_once(':').unwrap().1;
    if let Some(text) = repo.files.get(path) {
        let mut value = json!({"oid": blob(text), "isBinary": false, "isTruncated": repo.truncated});
        if texts {
            let cut: String = text.chars().take(if repo.truncated { 5 } else { usize::MAX }).collect();
            value["text"] = cut.into();
        }
        return value;
    }
    let depth = query.matches("entries {").count();
    if depth == 0 { Value::Null } else { tree(repo, path, depth) }
}

fn tree(repo: &Repo, folder: &str, depth: usize) -> Value {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut entries: BTreeMap<String, Value> = BTreeMap::new();
    for (path, text) in &repo.files {
        let Some(below) = path.strip_prefix(&prefix) else { continue };
        match below.split_once('/') {
            None => {
                entries.insert(below.into(), json!({"name": below, "type": "blob", "oid": blob(text)}));
            }
            Some((name, _)) => {
                let mut entry = json!({"name": name, "type": "tree", "oid": "0"});
                if depth > 1 {
                    entry["object"] = tree(repo, &format!("{prefix}{name}"), depth - 1);
                }
                entries.insert(name.into(), entry);
            }
        }
    }
    if entries.is_empty() {
        return Value::Null;
    }
    json!({ "entries": entries.into_values().collect::<Vec<_>>() })
}

/// Returns the id of a content.
pub fn blob(text: &str) -> String {
    format!("{:040x}", sum(text))
}

fn sum(text: &str) -> u64 {
    text.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
