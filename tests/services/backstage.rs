//! A Backstage backend: pages, what changes between them, old servers, refusals, and what is kept.

use crate::{codes, refs};
use devportal::app::event::{BackendOrder, TaskEvent};
use devportal::catalog::{Catalog, LoadOptions, Loader, Progress, ProgressEvent};
use devportal::cli::screen::ask_backend;
use devportal::config::secret::SecretSource;
use devportal::config::source::SourceConfig;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// What the server is like and what it was asked.
#[derive(Default)]
struct State {
    entities: Vec<Value>,
    /// Answers that come in place of the usual ones, by a part of path and query, how often.
    instead: Vec<(String, ResponseTemplate, usize)>,
    no_validators: bool,
    page: usize,
    log: Vec<String>,
}

/// A backend written down: `by-query` with cursors and validators, `entities` with `after`, `by-refs`.
#[derive(Clone)]
struct Script(Arc<Mutex<State>>);

impl Respond for Script {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let address =
            format!("{} {}?{}", request.method, request.url.path(), request.url.query().unwrap_or(""));
        state.log.push(address.clone());
        let instead = state.instead.iter_mut().find(|(part, _, left)| address.contains(part) && *left > 0);
        if let Some((_, answer, left)) = instead {
            *left -= 1;
            return answer.clone();
        }
        let query = |key: &str| {
            request.url.query_pairs().find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
        };
        let fields = query("fields").unwrap_or_default();
        let brief = |entity: &Value| {
            if fields.contains("spec") {
                entity.clone()
            } else {
                json!({"kind": entity["kind"], "metadata": {"name": entity["metadata"]["name"], "etag": entity["metadata"]["etag"]}})
            }
        };
        let body = match request.url.path() {
            "/api/catalog/entities/by-query" => {
                let start: usize = query("cursor").map_or(0, |cursor| cursor[1..].parse().unwrap());
                let page: Vec<Value> =
                    state.entities.iter().skip(start).take(state.page).map(brief).collect();
                let next =
                    (start + state.page < state.entities.len()).then(|| format!("c{}", start + state.page));
                json!({"items": page, "totalItems": state.entities.len(), "pageInfo": {"nextCursor": next}})
            }
            "/api/catalog/entities" => {
                let start: usize = query("after").map_or(0, |after| after.parse().unwrap());
                let size = if query("limit").is_some() { state.page } else { usize::MAX };
                let page: Vec<Value> = state.entities.iter().skip(start).take(size).map(brief).collect();
                let mut answer = ResponseTemplate::new(200).set_body_json(&page);
                if size < usize::MAX && start + size < state.entities.len() {
                    let next = format!("</entities?limit=2&after={}>; rel=\"next\"", start + size);
                    answer = answer.insert_header("link", next.as_str());
                }
                return answer;
            }
            "/api/catalog/entities/by-refs" => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let find = |wanted: &Value| {
                    let name = wanted.as_str().unwrap().rsplit('/').next().unwrap();
                    state
                        .entities
                        .iter()
                        .find(|e| e["metadata"]["name"] == name)
                        .cloned()
                        .unwrap_or(Value::Null)
                };
                let items: Vec<Value> = body["entityRefs"].as_array().unwrap().iter().map(find).collect();
                json!({ "items": items })
            }
            "/api/auth/guest/refresh" => json!({"backstageIdentity": {"token": "guest-token"}}),
            _ => return ResponseTemplate::new(404),
        };
        let text = body.to_string();
        let tag = format!("W/\"{:x}-{}\"", text.len(), blake3::hash(text.as_bytes()).to_hex());
        let same = request.headers.get("if-none-match").is_some_and(|sent| sent.to_str().unwrap() == tag);
        match (state.no_validators, same) {
            (true, _) => ResponseTemplate::new(200).set_body_json(body),
            (false, true) => ResponseTemplate::new(304).insert_header("etag", tag.as_str()),
            (false, false) => {
                ResponseTemplate::new(200).set_body_json(body).insert_header("etag", tag.as_str())
            }
        }
    }
}

struct Backend {
    runtime: tokio::runtime::Runtime,
    server: MockServer,
    state: Arc<Mutex<State>>,
}

impl Backend {
    fn new(names: &[&str]) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let entities = names.iter().map(|name| entity(name, "1")).collect();
        let state = Arc::new(Mutex::new(State { entities, page: 2, ..State::default() }));
        runtime.block_on(Mock::given(any()).respond_with(Script(state.clone())).mount(&server));
        Self { runtime, server, state }
    }

    fn source(&self) -> SourceConfig {
        let mut source = SourceConfig::new("backstage", "company");
        source.url = Some(self.server.uri());
        source.timeout_seconds = Some(5);
        source
    }

    fn instead(&self, part: &str, answer: ResponseTemplate) {
        self.state.lock().unwrap().instead.push((part.to_owned(), answer, usize::MAX));
    }

    fn entities(&self, change: impl FnOnce(&mut Vec<Value>)) {
        change(&mut self.state.lock().unwrap().entities);
    }

    /// Returns what was asked since the last call.
    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().log)
    }

    fn header(&self, name: &str) -> Vec<String> {
        let all = self.runtime.block_on(self.server.received_requests()).unwrap();
        all.iter().filter_map(|r| Some(r.headers.get(name)?.to_str().unwrap().to_owned())).collect()
    }
}

fn entity(name: &str, etag: &str) -> Value {
    json!({
        "apiVersion": "backstage.io/v1alpha1", "kind": "Component",
        "metadata": {"name": name, "namespace": "default", "uid": format!("uid-{name}"), "etag": etag, "annotations": {
            "backstage.io/managed-by-location": format!("url:https://git.example.com/{name}/catalog-info.yaml"),
            "backstage.io/managed-by-origin-location": format!("url:https://git.example.com/{name}/catalog-info.yaml"),
        }},
        "spec": {"type": "service", "lifecycle": "production", "owner": "a"},
        "relations": [],
    })
}

fn loader(source: SourceConfig, cache: Option<&Path>) -> Loader {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = LoadOptions { cache: cache.map(Path::to_owned), ..LoadOptions::default() };
    Loader::new(vec![source], options)
}

/// Reads a source now, however fresh what is kept of it is.
trait Read {
    fn read(&self, progress: &Progress) -> Arc<Catalog>;
}

impl Read for Loader {
    fn read(&self, progress: &Progress) -> Arc<Catalog> {
        self.refresh(0, None, progress);
        self.join()
    }
}

fn load(source: SourceConfig) -> Arc<Catalog> {
    loader(source, None).read(&Progress::none())
}

fn names(catalog: &Catalog) -> Vec<&str> {
    refs(catalog).into_iter().map(|text| text.rsplit('/').next().unwrap()).collect()
}

fn error(catalog: &Catalog) -> String {
    catalog.sources()[0].error.as_ref().map_or_else(String::new, |d| {
        format!("{} {} | {}", d.code, d.message, d.hint.clone().unwrap_or_default())
    })
}

#[test]
fn pages_are_walked_to_the_end_with_what_the_server_says() {
    let backend = Backend::new(&["a", "b", "c", "d", "e"]);
    backend.entities(|all| {
        all[0]["relations"] = json!([{"type": "runsOn", "targetRef": "component:default/e"}, {"type": "dependsOn", "targetRef": "component:default/b"}]);
        all[1]["relations"] = json!([{"type": "dependencyOf", "targetRef": "component:default/a"}]);
        all[2]["metadata"]["annotations"]["backstage.io/orphan"] = json!("true");
        all[3]["status"] = json!({"items": [{"level": "error", "type": "backstage.io/catalog-processing", "message": "InputError: no"}]});
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = seen.clone();
    let progress = Progress::new(move |event| {
        if let ProgressEvent::Amount { done, total, unit, .. } = event {
            told.lock().unwrap().push((done, total, unit));
        }
    });
    let catalog = loader(backend.source(), None).read(&progress);
    assert_eq!(names(&catalog), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        *seen.lock().unwrap(),
        [(2, Some(5), "entities"), (4, Some(5), "entities"), (5, Some(5), "entities")]
    );
    let get =
        |name: &str| catalog.entity(catalog.find(&format!("component:default/{name}")).unwrap()).unwrap();
    let json = |name: &str| get(name).to_json();
    assert_eq!(
        json("a")["relations"],
        json!([{"type": "dependsOn", "targetRef": "component:default/b"}, {"type": "runsOn", "targetRef": "component:default/e"}])
    );
    assert_eq!(json("b")["relations"], json!([{"type": "dependencyOf", "targetRef": "component:default/a"}]));
    assert_eq!(
        (json("a")["metadata"]["uid"].clone(), json("a")["metadata"]["etag"].clone()),
        (json!("uid-a"), json!("1"))
    );
    assert!(get("c").is_orphan() && !get("a").is_orphan());
    assert_eq!(
        get("d").problems().map(|d| d.message.as_str()).collect::<Vec<_>>(),
        ["the server says: InputError: no"]
    );
    assert_eq!(get("a").location().to_string(), "https://git.example.com/a/catalog-info.yaml");
    assert!(backend.log().iter().all(|line| line.contains("by-query") && line.contains("limit=500")));
}

#[test]
fn an_unchanged_catalog_costs_no_body_and_changes_only_themselves() {
    let backend = Backend::new(&["a", "b", "c", "d", "e"]);
    let bytes = Arc::new(AtomicU64::new(0));
    let counter = bytes.clone();
    let progress = Progress::new(move |event| {
        if let ProgressEvent::Bytes { bytes, .. } = event {
            counter.fetch_add(bytes, Ordering::Relaxed);
        }
    });
    let loader = loader(backend.source(), None);
    let first = loader.read(&progress);
    assert!(bytes.swap(0, Ordering::Relaxed) > 0);
    let second = loader.read(&progress);
    assert_eq!(bytes.swap(0, Ordering::Relaxed), 0, "three answers of 304");
    assert!(first.parsed_files().iter().zip(second.parsed_files()).all(|(a, b)| Arc::ptr_eq(a, b)));

    backend.log();
    backend.entities(|all| {
        all.remove(3);
        all[1] = entity("b", "2");
        all[1]["spec"]["type"] = json!("library");
        all.push(entity("f", "1"));
    });
    let third = loader.read(&progress);
    assert_eq!(names(&third), ["a", "b", "c", "e", "f"]);
    let b = third.entity(third.find("component:default/b").unwrap()).unwrap();
    assert_eq!(b.entity_type(), "library");
    let fourth = loader.read(&progress);
    assert_eq!(names(&fourth), names(&third));
    let kept = |name: &str| {
        let has = |files: &[Arc<_>]| {
            files
                .iter()
                .find(|f: &&Arc<devportal::catalog::snapshot::ParsedFile>| f.path.contains(name))
                .cloned()
                .unwrap()
        };
        Arc::ptr_eq(&has(first.parsed_files()), &has(fourth.parsed_files()))
    };
    assert!(kept("/a/") && kept("/c/") && kept("/e/") && !kept("/b/"));
}

#[test]
fn without_validators_refs_and_etags_tell_and_it_is_said() {
    let backend = Backend::new(&["a", "b", "c", "d", "e"]);
    backend.state.lock().unwrap().no_validators = true;
    let loader = loader(backend.source(), None);
    loader.read(&Progress::none());
    backend.log();
    backend.entities(|all| all[2] = entity("c", "2"));
    let catalog = loader.read(&Progress::none());
    assert_eq!(codes(&catalog), ["source::no-validators"]);
    let log = backend.log();
    assert!(
        log.iter().take(3).all(|line| line.contains("metadata.etag") && !line.contains("spec")),
        "{log:?}"
    );
    assert_eq!(log.len(), 4, "{log:?}");
    assert!(log[3].contains("POST /api/catalog/entities/by-refs"), "{log:?}");
}

#[test]
fn what_was_read_is_there_after_a_restart_and_offline() {
    let backend = Backend::new(&["a", "b", "c"]);
    let folder = tempfile::tempdir().unwrap();
    let first = loader(backend.source(), Some(folder.path())).read(&Progress::none());
    backend.log();
    let bytes = Arc::new(AtomicU64::new(0));
    let counter = bytes.clone();
    let progress = Progress::new(move |event| {
        if let ProgressEvent::Bytes { bytes, .. } = event {
            counter.fetch_add(bytes, Ordering::Relaxed);
        }
    });
    let again = loader(backend.source(), Some(folder.path())).read(&progress);
    assert_eq!(bytes.load(Ordering::Relaxed), 0, "{:?}", backend.log());
    let json = |catalog: &Catalog| catalog.entities().map(|e| e.to_json()).collect::<Vec<_>>();
    assert_eq!(json(&again), json(&first));

    backend.instead("/api", ResponseTemplate::new(401));
    let refused = loader(backend.source(), Some(folder.path())).read(&Progress::none());
    assert_eq!(refused.len(), 3);
    assert!(error(&refused).contains("what was read before is still shown"), "{}", error(&refused));

    // a damaged store is read anew from the server
    backend.state.lock().unwrap().instead.clear();
    let mut stack = vec![folder.path().to_owned()];
    while let Some(at) = stack.pop() {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else if path.parent().unwrap().ends_with("entities") {
                std::fs::write(&path, b"dpback01 nonsense").unwrap();
            }
        }
    }
    let mended = loader(backend.source(), Some(folder.path())).read(&Progress::none());
    assert_eq!(json(&mended), json(&first));
}

#[test]
fn older_servers_are_asked_their_way() {
    for status in [404, 405] {
        let backend = Backend::new(&["a", "b", "c", "d", "e"]);
        backend.instead("by-query", ResponseTemplate::new(status));
        assert_eq!(names(&load(backend.source())), ["a", "b", "c", "d", "e"]);
        let log = backend.log();
        assert_eq!(log.len(), 4, "{log:?}");
        assert!(log[2].contains("/api/catalog/entities?limit=500") && log[2].contains("after=2"), "{log:?}");

        backend.instead("limit=", ResponseTemplate::new(400));
        assert_eq!(names(&load(backend.source())).len(), 5, "all at once");
    }
    let backend = Backend::new(&[]);
    backend.instead("/", ResponseTemplate::new(404));
    assert!(error(&load(backend.source())).contains("there is no Backstage catalog"));
}

#[test]
fn refusals_say_who_could_allow_it() {
    let backend = Backend::new(&["a"]);
    let mut with_token = backend.source();
    with_token.token = Some(SecretSource::Command(vec!["echo".into(), "tok-123".into()]));
    assert_eq!(load(with_token.clone()).len(), 1);
    assert!(backend.header("authorization").iter().all(|sent| sent == "Bearer tok-123"));
    let message = json!({"error": {"name": "AuthenticationError", "message": "token tok-123 is bad"}});
    backend.instead("by-query", ResponseTemplate::new(401).set_body_json(&message));
    assert!(error(&load(backend.source())).contains("set `token ="));
    let said = error(&load(with_token.clone()));
    assert!(said.contains("wrong or has expired") && !said.contains("tok-123"), "{said}");
    backend.state.lock().unwrap().instead.clear();
    backend.instead("by-query", ResponseTemplate::new(403));
    assert!(error(&load(with_token)).contains("`catalog.entity.read`"));
}

#[test]
fn a_guest_signs_in_where_guests_may() {
    let backend = Backend::new(&["a"]);
    let mut source = backend.source();
    source.guest = true;
    assert_eq!(load(source.clone()).len(), 1);
    assert_eq!(backend.header("authorization"), ["Bearer guest-token"]);
    backend.instead("guest", ResponseTemplate::new(404));
    assert!(error(&load(source.clone())).contains("it lets no guests in"));
    source.token = Some(SecretSource::Env("X".into()));
    assert!(error(&load(source)).contains("keep one of the two"));
}

#[test]
fn pages_without_end_are_left() {
    let page = |next: &str, total: u64| {
        ResponseTemplate::new(200).set_body_json(
            json!({"items": [entity("a", "1")], "totalItems": total, "pageInfo": {"nextCursor": next}}),
        )
    };
    let backend = Backend::new(&[]);
    backend.instead("by-query", page("same", 1));
    let catalog = load(backend.source());
    assert!(error(&catalog).contains("the same page comes again"), "{}", error(&catalog));
    assert_eq!(names(&catalog), ["a"], "what came is shown");
    assert_eq!(backend.log().len(), 2);

    // a new cursor each time, and a total that is no number of entities
    let backend = Backend::new(&[]);
    for number in 0..100 {
        let mut state = backend.state.lock().unwrap();
        state.instead.push(("by-query".into(), page(&format!("c{number}"), u64::MAX), 1));
    }
    let catalog = load(backend.source());
    assert!(error(&catalog).contains("held nothing new"), "{}", error(&catalog));
    assert!(backend.log().len() < 20);
}

#[test]
fn a_page_that_does_not_come_keeps_the_others() {
    let backend = Backend::new(&["a", "b", "c", "d", "e"]);
    backend.instead("cursor=c4", ResponseTemplate::new(501));
    let loader = loader(backend.source(), None);
    let catalog = loader.read(&Progress::none());
    assert_eq!(names(&catalog), ["a", "b", "c", "d"]);
    let said = error(&catalog);
    assert!(said.starts_with("source::incomplete only 4 of 5 entities") && said.contains("501"), "{said}");
    backend.state.lock().unwrap().instead.clear();
    backend.log();
    let catalog = loader.read(&Progress::none());
    assert_eq!((names(&catalog).len(), error(&catalog)), (5, String::new()));
    // and nothing vanishes while the server is away for a while
    backend.instead("cursor=", ResponseTemplate::new(200).set_body_string("{\"items\":[{\"kind\":\"Comp"));
    let catalog = loader.read(&Progress::none());
    assert_eq!(names(&catalog).len(), 5);
    let said = error(&catalog);
    assert!(said.starts_with("source::unreadable") && said.contains("ends in the middle"), "{said}");
}

#[test]
fn pages_for_people_are_no_catalog() {
    let backend = Backend::new(&[]);
    let page = |text: &str| ResponseTemplate::new(200).set_body_raw(text.to_owned(), "text/html");
    backend.instead("by-query", page("<!DOCTYPE html><title>Sign in</title>"));
    assert!(error(&load(backend.source())).contains("sign in"), "{}", error(&load(backend.source())));
    let backend = Backend::new(&[]);
    backend.instead("by-query", page("<html><script type=\"backstage.io/config\">[{\"data\":{\"backend\":{\"baseUrl\":\"http://other.example:7007\"}}}]</script>"));
    let said = error(&load(backend.source()));
    assert!(said.contains("write `url = \"http://other.example:7007/\"`"), "{said}");
}

#[test]
fn odd_entities_cost_only_themselves() {
    let backend = Backend::new(&["a", "b", "c", "d"]);
    backend.state.lock().unwrap().page = 100;
    backend.entities(|all| {
        all[1] = Value::Null;
        all[2]["metadata"] = json!("x");
        let mut deep = json!(1);
        for _ in 0..200 {
            deep = json!([deep]);
        }
        all[3]["spec"] = deep;
        all.push(entity("e\u{1b}[31m", "1"));
        all.push(entity("a", "0"));
    });
    let loader = loader(backend.source(), None);
    for _ in 0..2 {
        let catalog = loader.read(&Progress::none());
        assert!(catalog.find("component:default/a").is_some() && error(&catalog).is_empty());
        assert!(catalog.len() <= 2, "{:?}", refs(&catalog));
        assert_eq!(
            codes(&catalog).iter().filter(|code| **code == "catalog::json").count(),
            2,
            "{:?}",
            catalog.diagnostics()
        );
    }
}

#[test]
fn an_entity_that_moves_between_pages_is_neither_lost_nor_doubled() {
    let backend = Backend::new(&["a", "b", "c", "d", "e"]);
    let loader = loader(backend.source(), None);
    loader.read(&Progress::none());
    // `b` is not on its page any more and comes again only when asked for by its ref
    let page = json!({"items": [entity("a", "1"), entity("a", "1")], "totalItems": 5, "pageInfo": {"nextCursor": "c2"}});
    backend.state.lock().unwrap().instead.push(("cursor".into(), ResponseTemplate::new(304), 0));
    let first = ("by-query?limit".to_owned(), ResponseTemplate::new(200).set_body_json(page), 1);
    backend.state.lock().unwrap().instead.push(first);
    let catalog = loader.read(&Progress::none());
    assert_eq!(names(&catalog), ["a", "b", "c", "d", "e"]);
}

#[test]
fn registering_and_refreshing_are_asked_for_once() {
    let backend = Backend::new(&["a"]);
    let answer = json!({"location": {"id": "1"}, "exists": false, "entities": [entity("new", "1")]});
    backend.instead("dryRun=true", ResponseTemplate::new(201).set_body_json(&answer));
    backend.instead("POST /api/catalog/locations?", ResponseTemplate::new(409));
    backend.instead("POST /api/catalog/refresh", ResponseTemplate::new(200));
    let loader = loader(backend.source(), None);
    let target = "https://git.example.com/new/catalog-info.yaml";
    let plan = loader.register(0, target, true, &Progress::none()).unwrap();
    assert_eq!((plan.entities.as_slice(), plan.exists), (&["component:default/new".to_owned()][..], false));
    assert!(loader.register(0, target, false, &Progress::none()).unwrap().exists, "409");
    loader.refresh_location(0, target, &Progress::none()).unwrap();
    loader.refresh_entity(0, "component:default/a", &Progress::none()).unwrap();
    assert_eq!(backend.log().len(), 4);
    backend.state.lock().unwrap().instead.clear();
    backend.instead("POST", ResponseTemplate::new(403));
    let refused = loader.register(0, target, false, &Progress::none()).unwrap_err();
    assert!(refused.hint.as_ref().unwrap().contains("`catalog.location.create`"), "{refused:?}");
    assert_eq!(backend.log().len(), 1, "a change is never sent twice");
    backend.state.lock().unwrap().instead.clear();
    backend.instead("POST", ResponseTemplate::new(404));
    let unknown = loader.refresh_entity(0, "component:default/z", &Progress::none()).unwrap_err();
    assert_eq!(unknown.code, "source::unknown-entity", "{unknown:?}");
    let answered = loader.register(0, target, true, &Progress::none()).unwrap_err();
    assert_eq!(answered.code, "source::unreadable", "{answered:?}");
    let folder = crate::Folder::new(&[]);
    let local = Loader::new(vec![folder.source()], LoadOptions::default());
    assert_eq!(local.refresh_entity(0, "x:y/z", &Progress::none()).unwrap_err().code, "source::read-only");
    let offline =
        Loader::new(vec![backend.source()], LoadOptions { offline: true, ..LoadOptions::default() });
    assert!(offline.register(0, target, true, &Progress::none()).unwrap_err().message.contains("offline"));
}

#[test]
fn the_screen_tells_what_a_backend_answers() {
    let backend = Backend::new(&["a"]);
    let answer = json!({"location": {"id": "1"}, "exists": false, "entities": [entity("new", "1")]});
    backend.instead("dryRun=true", ResponseTemplate::new(201).set_body_json(&answer));
    backend.instead("POST /api/catalog/locations?", ResponseTemplate::new(409));
    backend.instead("POST /api/catalog/refresh", ResponseTemplate::new(200));
    let loader = loader(backend.source(), None);
    let (source, target) = ("company".to_owned(), "https://git.example.com/new/catalog-info.yaml".to_owned());
    let ask = |order: BackendOrder| ask_backend(&loader, &order);
    let plan = ask(BackendOrder::TryRegister { source: source.clone(), target: target.clone() });
    assert!(
        matches!(&plan, Ok(TaskEvent::Registrable { plan, .. }) if plan.entities == ["component:default/new"]),
        "{plan:?}"
    );
    let register = BackendOrder::Register { source: source.clone(), target };
    let done = ask(register.clone());
    assert!(matches!(&done, Ok(TaskEvent::Done(said)) if said.contains("registered already")), "{done:?}");
    let refresh = BackendOrder::Refresh { source, entities: vec!["component:default/a".to_owned()] };
    assert!(matches!(ask(refresh), Ok(TaskEvent::Done(said)) if said.contains("component:default/a")));
    assert_eq!(backend.log().len(), 4);
    backend.state.lock().unwrap().instead.clear();
    backend.instead("POST", ResponseTemplate::new(403));
    let refused = ask(register).unwrap_err();
    assert!(refused.contains("`catalog.location.create`"), "{refused}");
}

/// Against a real server, when `DEVPORTAL_TEST_BACKSTAGE` names one and `DEVPORTAL_TEST_TOKEN` a token: a
/// second refresh and one after a restart move less than a hundredth of the first.
#[test]
fn a_real_server_is_read_again_for_next_to_nothing() {
    let Ok(url) = std::env::var("DEVPORTAL_TEST_BACKSTAGE") else { return };
    let mut source = SourceConfig::new("backstage", "company");
    source.url = Some(url);
    source.token = Some(SecretSource::Env("DEVPORTAL_TEST_TOKEN".into()));
    let folder = tempfile::tempdir().unwrap();
    let bytes = Arc::new(AtomicU64::new(0));
    let counter = bytes.clone();
    let progress = Progress::new(move |event| {
        if let ProgressEvent::Bytes { bytes, .. } = event {
            counter.fetch_add(bytes, Ordering::Relaxed);
        }
    });
    let running = loader(source.clone(), Some(folder.path()));
    let first = running.read(&progress);
    assert_eq!(error(&first), "");
    let full = bytes.swap(0, Ordering::Relaxed);
    running.read(&progress);
    let second = bytes.swap(0, Ordering::Relaxed);
    let again = loader(source, Some(folder.path())).read(&progress);
    let restart = bytes.swap(0, Ordering::Relaxed);
    assert_eq!(refs(&again), refs(&first));
    let told = format!("{} entities: {full} bytes, then {second}, after a restart {restart}", first.len());
    assert!(second * 100 < full && restart * 100 < full, "{told}");
    assert!(std::env::var("DEVPORTAL_TEST_TELL").is_err(), "{told}");
}
