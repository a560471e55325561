//! GitLab: groups with subgroups over GraphQL and REST, against a scripted server.

#![allow(clippy::indexing_slicing, reason = "a failing helper fails its test")]

use crate::script::{Script, json, parameter, status};
use crate::{component, group, load, loader, refs};
use devportal::catalog::Progress;
use devportal::config::source::SourceConfig;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use wiremock::{Request, ResponseTemplate};

/// A project of the scripted GitLab.
#[derive(Clone, Default)]
struct Project {
    path: String,
    archived: bool,
    fork: bool,
    topics: Vec<&'static str>,
    visibility: &'static str,
    /// Files by branch and path; the first branch is the default one.
    branches: Vec<(&'static str, BTreeMap<String, String>)>,
}

impl Project {
    fn new(path: &str, files: &[(&str, String)]) -> Self {
        Self { path: path.into(), visibility: "private", ..Self::default() }.branch("main", files)
    }

    fn branch(mut self, name: &'static str, files: &[(&str, String)]) -> Self {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        self.branches.push((name, files));
        self
    }

    fn files(&self, revision: Option<&str>) -> Option<&BTreeMap<String, String>> {
        match revision {
            None | Some("HEAD") => self.branches.first().map(|(_, files)| files),
            Some(name) => self.branches.iter().find(|(branch, _)| *branch == name).map(|(_, files)| files),
        }
    }

    fn commit(&self, revision: Option<&str>) -> Option<String> {
        let files = self.files(revision)?;
        Some(id(&format!("{files:?}")))
    }

    fn blobs(&self, paths: &Value, revision: Option<&str>, texts: bool) -> Value {
        let wanted = paths.as_array().unwrap().iter().filter_map(Value::as_str);
        let files = self.files(revision);
        let nodes: Vec<Value> = wanted
            .filter_map(|path| {
                let text = files?.get(path)?;
                let text_or_nothing = if texts { value!(text) } else { Value::Null };
                Some(value!({"path": path, "oid": id(text), "rawTextBlob": text_or_nothing}))
            })
            .collect();
        value!({ "nodes": nodes })
    }
}

/// An id as git would give: the same for the same text.
fn id(text: &str) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}{hash:016x}{:08x}", text.len())
}

/// The scripted GitLab.
#[derive(Default)]
struct Gitlab {
    projects: Mutex<Vec<Project>>,
    /// Pages that may be given before the server fails; counts down.
    pages_left: AtomicUsize,
    /// Most projects that it manages at once.
    limit: usize,
    /// Groups with the names of their members.
    groups: Mutex<Vec<(&'static str, Vec<String>)>>,
    /// What GraphQL answers instead.
    graphql: Mutex<Option<Value>>,
}

impl Gitlab {
    fn of(projects: Vec<Project>) -> Arc<Self> {
        Arc::new(Self {
            projects: Mutex::new(projects),
            pages_left: AtomicUsize::new(usize::MAX),
            limit: usize::MAX,
            groups: Mutex::default(),
            graphql: Mutex::default(),
        })
    }

    /// The group with its subgroups, two on a page.
    fn groups(&self, variables: &Value) -> ResponseTemplate {
        let groups = self.groups.lock().unwrap();
        if groups.is_empty() {
            return status(403);
        }
        let about = |path: &str| value!({"fullPath": path, "name": path.to_uppercase(), "description": "", "webUrl": null});
        let from: usize = variables["after"].as_str().map_or(0, |after| after.parse().unwrap());
        let below: Vec<Value> = groups.iter().skip(1).map(|(path, _)| about(path)).collect();
        let some: Vec<&Value> = below.iter().skip(from).take(2).collect();
        let info = value!({"hasNextPage": from + 2 < below.len(), "endCursor": (from + 2).to_string()});
        let mut group = about(variables["group"].as_str().unwrap());
        group["descendantGroups"] = value!({"pageInfo": info, "nodes": some});
        json(&value!({"data": {"group": group}}))
    }

    /// Members of the groups `g0`, `g1`, …, two on a page.
    fn members(&self, variables: &Value) -> ResponseTemplate {
        let groups = self.groups.lock().unwrap();
        let mut data = serde_json::Map::new();
        for at in 0.. {
            let Some(path) = variables[format!("p{at}")].as_str() else { break };
            let from: usize = variables[format!("a{at}")].as_str().map_or(0, |after| after.parse().unwrap());
            let all = &groups.iter().find(|(group, _)| *group == path).unwrap().1;
            let user = |name: &String| {
                value!({"user": {
                    "username": name, "name": name.to_uppercase(), "state": "active", "publicEmail": "",
                    "webUrl": "https://elsewhere.example/x",
                }})
            };
            let nodes: Vec<Value> = all.iter().skip(from).take(2).map(user).collect();
            let info = value!({"hasNextPage": from + 2 < all.len(), "endCursor": (from + 2).to_string()});
            data.insert(format!("g{at}"), value!({"groupMembers": {"pageInfo": info, "nodes": nodes}}));
        }
        json(&value!({ "data": data }))
    }

    fn start(self: &Arc<Self>) -> Script {
        let gitlab = self.clone();
        Script::new(move |request| gitlab.answer(request))
    }

    fn answer(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path().to_owned();
        if path == "/api/graphql" {
            if let Some(answer) = &*self.graphql.lock().unwrap() {
                return json(answer);
            }
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            return self.graphql(body["query"].as_str().unwrap(), &body["variables"]);
        }
        let Some(rest) = path.strip_prefix("/api/v4/") else { return status(404) };
        self.rest(&rest.split('/').map(|part| part.replace("%2F", "/")).collect::<Vec<_>>(), request)
    }

    fn graphql(&self, query: &str, variables: &Value) -> ResponseTemplate {
        if query.contains("descendantGroups") {
            return self.groups(variables);
        }
        if query.contains("groupMembers") {
            return self.members(variables);
        }
        let projects = self.projects.lock().unwrap();
        if query.contains("f0: project") {
            let mut data = serde_json::Map::new();
            for at in 0.. {
                let Some(path) = variables[format!("p{at}")].as_str() else { break };
                let revision = variables[format!("r{at}")].as_str();
                let found = projects.iter().find(|project| project.path == path);
                let blobs = |p: &Project| value!({"repository": {"blobs": p.blobs(&variables[format!("n{at}")], revision, true)}});
                data.insert(format!("f{at}"), found.map_or(Value::Null, blobs));
            }
            return json(&value!({ "data": data }));
        }
        if self.pages_left.load(Ordering::SeqCst) == 0 {
            return status(500);
        }
        let first = variables["first"].as_u64().unwrap() as usize;
        if first > self.limit {
            return json(
                &value!({"errors": [{"message": "Query has complexity of 300, which exceeds max complexity of 250"}]}),
            );
        }
        self.pages_left.fetch_sub(1, Ordering::SeqCst);
        let group = variables["group"].as_str();
        if group == Some("nobody") {
            return json(&value!({"data": {"group": null}}));
        }
        let mine: Vec<&Project> = projects
            .iter()
            .filter(|p| group.is_none_or(|group| p.path.starts_with(&format!("{group}/"))))
            .collect();
        let from: usize = variables["after"].as_str().map_or(0, |after| after.parse().unwrap());
        let texts = query.contains("rawTextBlob");
        let branch = variables["branch"].as_str();
        let nodes: Vec<Value> =
            mine.iter().skip(from).take(first).map(|p| node(p, &variables["paths"], branch, texts)).collect();
        let end = from + nodes.len();
        let page = value!({
            "count": mine.len(),
            "pageInfo": {"hasNextPage": end < mine.len(), "endCursor": end.to_string()},
            "nodes": nodes,
        });
        json(&if group.is_some() {
            value!({"data": {"group": {"projects": page}}})
        } else {
            value!({"data": {"projects": page}})
        })
    }

    fn rest(&self, parts: &[String], request: &Request) -> ResponseTemplate {
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let projects = self.projects.lock().unwrap();
        let revision = parameter(request, "ref");
        let find = |path: &str| projects.iter().find(|project| project.path == path);
        match parts.as_slice() {
            ["groups", group, "projects"] => {
                let page: usize = parameter(request, "page").map_or(1, |page| page.parse().unwrap());
                let mine: Vec<_> =
                    projects.iter().filter(|p| p.path.starts_with(&format!("{group}/"))).collect();
                let list: Vec<Value> = mine.iter().skip((page - 1) * 2).take(2).map(|p| in_rest(p)).collect();
                let answer = json(&value!(list));
                if page * 2 >= mine.len() {
                    return answer;
                }
                let next = format!("<{}?page={}>; rel=\"next\"", request.url.path(), page + 1);
                answer.insert_header("link", next.as_str())
            }
            ["projects", project, "repository", "files", file, "raw"] => {
                match find(project).and_then(|p| p.files(revision.as_deref())?.get(*file)) {
                    Some(text) => ResponseTemplate::new(200).set_body_string(text.clone()),
                    None => status(404),
                }
            }
            ["projects", project, "repository", "branches", branch] => {
                match find(project).and_then(|p| p.commit(Some(branch))) {
                    Some(commit) => json(&value!({"name": branch, "commit": {"id": commit}})),
                    None => status(404),
                }
            }
            ["projects", project, "repository", "tree"] => {
                let folder = parameter(request, "path").unwrap_or_default();
                let Some(files) = find(project).and_then(|p| p.files(revision.as_deref())) else {
                    return status(404);
                };
                let nodes: Vec<Value> = files
                    .iter()
                    .filter(|(path, _)| folder.is_empty() || path.starts_with(&format!("{folder}/")))
                    .map(|(path, text)| value!({"id": id(text), "type": "blob", "path": path}))
                    .collect();
                json(&value!(nodes))
            }
            _ => status(404),
        }
    }
}

fn node(project: &Project, paths: &Value, branch: Option<&str>, texts: bool) -> Value {
    let tree = |revision| value!({"lastCommit": project.commit(revision).map(|sha| value!({"sha": sha}))});
    let mut repository = value!({
        "rootRef": project.branches.first().map(|(name, _)| *name),
        "tree": tree(None),
    });
    if paths.is_array() {
        repository["blobs"] = project.blobs(paths, None, texts);
        repository["branchBlobs"] = project.blobs(paths, branch, texts);
    }
    if branch.is_some() {
        repository["branchTree"] = tree(branch);
    }
    value!({
        "fullPath": project.path, "archived": project.archived, "visibility": project.visibility,
        "topics": project.topics, "isForked": project.fork, "repository": repository,
    })
}

fn in_rest(project: &Project) -> Value {
    let mut out = value!({
        "path_with_namespace": project.path, "archived": project.archived, "visibility": project.visibility,
        "topics": project.topics, "default_branch": project.branches.first().map(|(name, _)| *name),
    });
    if project.fork {
        out["forked_from_project"] = value!({"id": 1});
    }
    out
}

fn source(script: &Script) -> SourceConfig {
    let mut source = SourceConfig::new("gitlab", "company");
    source.url = Some(script.url());
    source.organization = Some("acme".into());
    source
}

fn info(name: &str) -> Vec<(&'static str, String)> {
    vec![("catalog-info.yaml", component(name))]
}

fn projects(count: usize) -> Vec<Project> {
    (0..count)
        .map(|n| Project::new(&format!("acme/team-{}/p{n:04}", n % 7), &info(&format!("c{n:04}"))))
        .collect()
}

#[test]
fn five_thousand_projects_take_fifty_requests() {
    let gitlab = Gitlab::of(projects(5000));
    let script = gitlab.start();
    let loader = loader(vec![source(&script)]);
    let catalog = loader.load(&Progress::none());
    assert_eq!(catalog.len(), 5000, "{:?}", catalog.diagnostics().first());
    assert_eq!(script.take().len(), 50);
    // nothing changed: the listing again, without a text
    assert_eq!(loader.load(&Progress::none()).len(), 5000);
    let again = script.take();
    assert_eq!(again.len(), 50);
    assert!(again.iter().all(|seen| !seen.body.contains("rawTextBlob")));
    // three changed: their texts come together
    for at in [7, 1500, 4999] {
        let project = &mut gitlab.projects.lock().unwrap()[at];
        *project = Project::new(&project.path, &info("changed"));
        project.branches[0].1.insert("catalog-info.yaml".into(), component(&format!("changed{at}")));
    }
    let catalog = loader.load(&Progress::none());
    assert!(catalog.find("component:default/changed1500").is_some());
    assert_eq!(catalog.len(), 5000);
    assert!(script.take().len() <= 53);
}

#[test]
fn a_listing_that_was_cut_goes_on_where_it_stopped() {
    let gitlab = Gitlab::of(projects(1000));
    let script = gitlab.start();
    let loader = loader(vec![source(&script)]);
    gitlab.pages_left.store(6, Ordering::SeqCst);
    let catalog = loader.load(&Progress::none());
    assert!(catalog.len() < 1000 && catalog.sources()[0].error.is_some());
    script.take();
    gitlab.pages_left.store(usize::MAX, Ordering::SeqCst);
    assert_eq!(loader.load(&Progress::none()).len(), 1000);
    let first: Value = serde_json::from_str(&script.take()[0].body).unwrap();
    assert_eq!(first["variables"]["after"], "600");
}

#[test]
fn a_server_that_manages_little_is_asked_for_less() {
    let mut gitlab = Gitlab::of(projects(60));
    Arc::get_mut(&mut gitlab).unwrap().limit = 25;
    let script = gitlab.start();
    let catalog = load(source(&script));
    assert_eq!(catalog.len(), 60, "{:?}", catalog.diagnostics());
    assert_eq!(script.take().len(), 4);
}

#[test]
fn only_what_the_filter_lets_through_is_read() {
    let gitlab = Gitlab::of(vec![
        Project::new("acme/shop/api", &info("api")),
        Project { archived: true, ..Project::new("acme/shop/old", &info("old")) },
        Project { fork: true, ..Project::new("acme/shop/fork", &info("fork")) },
        Project { topics: vec!["backstage"], ..Project::new("acme/tools/cli", &info("cli")) },
        Project { visibility: "public", ..Project::new("acme/open", &info("open")) },
        Project::new("acme/none", &[("README.md", "x".to_owned())]),
        Project { branches: Vec::new(), ..Project::new("acme/empty", &[]) },
        Project::new("other/x", &info("x")),
    ]);
    let script = gitlab.start();
    let cases = [
        ("", vec!["api", "cli", "fork", "open"]),
        ("archived = true", vec!["api", "cli", "fork", "old", "open"]),
        ("forks = false", vec!["api", "cli", "open"]),
        ("topics = [\"backstage\"]", vec!["cli"]),
        ("name = \"acme/shop/.*\"", vec!["api", "fork"]),
        ("name = \"ap.\"", vec!["api"]),
        ("exclude = [\"acme/open\", \"cli\"]", vec!["api", "fork"]),
        ("visibility = [\"public\"]", vec!["open"]),
    ];
    for (settings, expected) in cases {
        let mut source = source(&script);
        source.repositories = toml::from_str(settings).unwrap();
        let catalog = load(source);
        let names: Vec<_> = refs(&catalog).iter().map(|r| r.rsplit('/').next().unwrap().to_owned()).collect();
        assert_eq!(names, expected, "{settings}: {:?}", catalog.diagnostics());
    }
}

#[test]
fn a_branch_is_read_where_there_is_one_and_the_default_elsewhere() {
    let gitlab = Gitlab::of(vec![
        Project::new("acme/a", &info("a-main")).branch("live", &info("a-live")),
        Project::new("acme/b", &info("b-main")),
        Project::new("acme/c", &info("c-main")).branch("live", &[]),
    ]);
    let script = gitlab.start();
    let mut source = source(&script);
    source.branch = Some("live".into());
    let catalog = load(source.clone());
    assert_eq!(refs(&catalog), ["component:default/a-live", "component:default/b-main"]);
    let a = catalog.entity(catalog.find("component:default/a-live").unwrap()).unwrap().to_json();
    let expected = format!("url:{}/acme/a/-/blob/live/catalog-info.yaml", script.url());
    assert_eq!(a["metadata"]["annotations"]["backstage.io/managed-by-location"], expected);
    // over REST it is the same
    *gitlab.graphql.lock().unwrap() =
        Some(value!({"errors": [{"message": "Field 'isForked' doesn't exist on type 'Project'"}]}));
    assert_eq!(refs(&load(source)), ["component:default/a-live", "component:default/b-main"]);
}

#[test]
fn patterns_are_looked_for_in_the_tree_and_only_when_it_changed() {
    let files =
        |n: &str| vec![("apis/a/catalog-info.yaml", component(n)), ("apis/README.md", "x".to_owned())];
    let gitlab = Gitlab::of(vec![Project::new("acme/a", &files("a")), Project::new("acme/b", &files("b"))]);
    let script = gitlab.start();
    let mut source = source(&script);
    source.catalog_path = Some("/apis/*/catalog-info.yaml".into());
    let loader = loader(vec![source]);
    assert_eq!(loader.load(&Progress::none()).len(), 2);
    assert_eq!(script.take().iter().filter(|seen| seen.target.contains("/tree?")).count(), 2);
    assert_eq!(loader.load(&Progress::none()).len(), 2);
    assert_eq!(script.take().len(), 1, "only the listing");
    gitlab.projects.lock().unwrap()[1] = Project::new("acme/b", &[("README.md", String::new())]);
    assert_eq!(refs(&loader.load(&Progress::none())), ["component:default/a"]);
    assert_eq!(script.take().iter().filter(|seen| seen.target.contains("/tree?")).count(), 1);
}

#[test]
fn groups_and_members_become_entities() {
    let gitlab = Gitlab::of(vec![Project::new("acme/a", &info("a"))]);
    let members = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    *gitlab.groups.lock().unwrap() = vec![
        ("acme", members(&["ana", "project_3_bot_x"])),
        ("acme/shop", members(&["ana", "ben", "eve", "mia", "tom"])),
        ("acme/shop/api", members(&["ben"])),
        ("acme/tools", members(&[])),
        ("acme/zoo", members(&["zoe"])),
    ];
    let script = gitlab.start();
    let mut source = source(&script);
    source.org = true;
    let loader = loader(vec![source]);
    let catalog = loader.load(&Progress::none());
    let expected = [
        "component:default/a",
        "group:default/acme",
        "group:default/shop",
        "group:default/shop-api",
        "group:default/tools",
        "group:default/zoo",
        "user:default/ana",
        "user:default/ben",
        "user:default/eve",
        "user:default/mia",
        "user:default/tom",
        "user:default/zoe",
    ];
    assert_eq!(refs(&catalog), expected, "{:?}", catalog.diagnostics());
    let json = |text: &str| catalog.entity(catalog.find(text).unwrap()).unwrap().to_json();
    let shop = json("group:default/shop");
    assert_eq!(shop["spec"]["parent"], "acme");
    assert_eq!(shop["spec"]["children"], value!(["shop-api"]));
    assert_eq!(shop["metadata"]["annotations"]["127.0.0.1/team-path"], "acme/shop");
    let ben = json("user:default/ben");
    assert_eq!(ben["spec"]["memberOf"], value!(["shop", "shop-api"]));
    assert_eq!(ben["spec"]["profile"], value!({"displayName": "BEN"}));
    assert_eq!(ben["metadata"]["annotations"]["127.0.0.1/user-login"], format!("{}/ben", script.url()));
    // one listing, two pages of groups, members of all groups at once and of the large one twice more
    assert_eq!(script.take().len(), 1 + 2 + 3);
    // when it is refused, the projects are read and what was there stays
    gitlab.groups.lock().unwrap().clear();
    let catalog = loader.load(&Progress::none());
    assert_eq!(refs(&catalog), expected);
    let told = catalog.diagnostics().iter().find(|d| d.message.contains("groups and members")).unwrap();
    assert!(told.message.contains("still shown"), "{told:?}");
}

#[test]
fn an_older_server_is_listed_over_rest() {
    let gitlab = Gitlab::of(projects(5));
    *gitlab.graphql.lock().unwrap() =
        Some(value!({"errors": [{"message": "Field 'topics' doesn't exist on type 'Project'"}]}));
    let script = gitlab.start();
    let catalog = load(source(&script));
    assert_eq!(catalog.len(), 5, "{:?}", catalog.diagnostics());
    assert_eq!(script.take().iter().filter(|seen| seen.target.contains("/groups/acme/projects")).count(), 3);
}

#[test]
fn what_a_location_names_in_another_project_is_read_with_the_token() {
    let gitlab = Gitlab::of(Vec::new());
    let script = gitlab.start();
    let target = format!("{}/acme/deep/org/-/blob/main/team.yaml", script.url());
    let location = crate::location("all", &format!("  targets: ['{target}', ./near.yaml]\n"));
    *gitlab.projects.lock().unwrap() = vec![
        Project::new("acme/a", &[("catalog-info.yaml", location), ("near.yaml", component("near"))]),
        Project::new("acme/deep/org", &[("team.yaml", group("team"))]),
    ];
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), "s3cret\n").unwrap();
    let mut source = source(&script);
    source.token = Some(devportal::config::secret::SecretSource::File(token.path().to_owned()));
    let catalog = load(source);
    assert_eq!(refs(&catalog), ["component:default/near", "group:default/team", "location:default/all"]);
    let seen = script.take();
    assert!(seen.iter().all(|seen| seen.credential.as_deref() == Some("Bearer s3cret")), "{seen:?}");
}

#[test]
fn refusals_say_what_to_do() {
    let answer = Arc::new(AtomicUsize::new(0));
    let code = answer.clone();
    let script = Script::new(move |_| status(code.load(Ordering::SeqCst) as u16));
    for (code, cause) in [(401, "asks for a token"), (403, "asks for a token")] {
        answer.store(code, Ordering::SeqCst);
        let catalog = load(source(&script));
        let error = catalog.sources()[0].error.clone().unwrap();
        assert_eq!(error.code, "source::refused");
        assert!(error.message.contains(cause) && error.hint.is_some(), "{error:?}");
    }
    let gitlab = Gitlab::of(Vec::new());
    let script = gitlab.start();
    let mut nobody = source(&script);
    nobody.organization = Some("nobody".into());
    let error = load(nobody).sources()[0].error.clone().unwrap();
    assert!(error.message.contains("there is no group `nobody`"), "{error:?}");
    assert_eq!(script.take().len(), 1);
}

#[test]
fn a_limit_is_waited_for_and_a_long_one_is_told() {
    let gitlab = Gitlab::of(projects(3));
    let (answering, asked) = (gitlab.clone(), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    let script = Script::new(move |request| match count.fetch_add(1, Ordering::SeqCst) {
        0 => status(429).insert_header("retry-after", "1"),
        _ => answering.answer(request),
    });
    let catalog = load(source(&script));
    assert_eq!(catalog.len(), 3, "{:?}", catalog.diagnostics());
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    let script = Script::new(|_| status(429).insert_header("retry-after", "86400"));
    let error = load(source(&script)).sources()[0].error.clone().unwrap();
    assert!(error.message.contains("limits requests"), "{error:?}");
    assert_eq!(script.take().len(), 1);
}

#[test]
fn a_next_page_on_another_host_is_not_asked() {
    let other = Script::new(|_| json(&value!([])));
    let next = format!("<{}/api/v4/x>; rel=\"next\"", other.url());
    let script = Script::new(move |request| {
        if request.url.path() == "/api/graphql" {
            return status(404);
        }
        json(&value!([])).insert_header("link", next.as_str())
    });
    let error = load(source(&script)).sources()[0].error.clone().unwrap();
    assert!(error.message.contains("another host"), "{error:?}");
    assert!(other.take().is_empty());
}

#[test]
fn pages_without_end_come_to_one() {
    let script = Script::new(|_| {
        let page = value!({"pageInfo": {"hasNextPage": true, "endCursor": "same"}, "nodes": []});
        json(&value!({"data": {"group": {"projects": page}}}))
    });
    let error = load(source(&script)).sources()[0].error.clone().unwrap();
    assert!(error.message.contains("does not come to an end"), "{error:?}");
    assert!(script.take().len() < 30);
}

#[test]
fn everything_of_the_public_gitlab_is_not_read_by_mistake() {
    let catalog = load(SourceConfig::new("gitlab", "all"));
    assert_eq!(catalog.diagnostics()[0].code, "source::missing-setting");
}
