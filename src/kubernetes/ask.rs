//! Questions to one cluster, answered once: describe, YAML, events, revisions, plans and changes.
//!
//! A [`Session`] is a cluster as one question sees it: the client, who is asked, what may be done. Objects are read
//! as plain JSON here, not as typed ones: an older or newer server, or an object that lacks every field, is shown
//! as it is. Watches and tables are none of its business. Start at [`answer`].

use super::access::{Access, Act, Cache};
use super::client::fault;
use super::cluster::{Cluster, CustomResource};
use super::kind::Kind;
use super::object::ObjectRef;
use super::order::{Answer, Question};
use super::state::Forbidden;
use super::{change, describe, events, exec, revisions, yaml};
use http::Method;
use jiff::Timestamp;
use kube::Client;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(20);
/// Objects read at most for one list.
const MAX_LIST: usize = 5000;
/// Objects read at once.
const PAGE: usize = 500;

/// A cluster as one question sees it.
#[derive(Clone)]
pub struct Session {
    /// Connection to it.
    pub client: Client,
    /// Which one.
    pub cluster: Arc<Cluster>,
    /// Custom resources that [`Kind::Custom`] counts into.
    pub custom: Arc<[CustomResource]>,
    /// Who we are there; empty while nobody said.
    pub user: Arc<str>,
    /// What the server said we may do.
    pub access: Arc<Cache>,
    /// Its protection is lifted now.
    pub is_unlocked: bool,
    /// The time of the question.
    pub now: Timestamp,
    /// Takes words about how far something is that takes its time.
    pub progress: Progress,
}

/// Takes words about how far something is; they are shown, so they are few: see [`Progress::say`].
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Told>>);

struct Told {
    tell: Box<dyn Fn(String) + Send + Sync>,
    /// Shortest time between two words.
    every: Duration,
    last: Mutex<Instant>,
}

/// Shortest time between two words about the same thing.
const SAY_EVERY: Duration = Duration::from_secs(2);

impl Progress {
    /// Makes one that tells somebody.
    pub fn new(tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        Self::with_pause(SAY_EVERY, tell)
    }

    fn with_pause(every: Duration, tell: impl Fn(String) + Send + Sync + 'static) -> Self {
        // what is done soon is not told before it is done
        Self(Some(Arc::new(Told { tell: Box::new(tell), every, last: Mutex::new(Instant::now()) })))
    }

    /// Tells how far something is, unless that was told a moment ago.
    pub fn say(&self, words: impl FnOnce() -> String) {
        let Some(told) = &self.0 else { return };
        let mut last = told.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= told.every {
            *last = Instant::now();
            drop(last);
            (told.tell)(words());
        }
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        code: u16,
        /// Its sentence.
        message: String,
        /// Seconds to wait before the next try, where it said so.
        retry_after: Option<u32>,
        /// What stands in the way, where it said so: the disruption budget.
        causes: Vec<String>,
    },
    /// Nobody answered.
    #[error("{0}")]
    Unreachable(String),
}

/// A resource: where its objects lie in the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// API group; empty for the core.
    pub group: String,
    /// Versions, the one to ask first in front.
    pub versions: Vec<String>,
    /// As in paths.
    pub plural: String,
    /// As in `kind:`; the plural where that is not known.
    pub kind: String,
}

/// Returns the clusters that a question is about, each once.
pub fn clusters(question: &Question) -> Vec<Arc<str>> {
    let mut found: Vec<Arc<str>> = match question {
        Question::Describe(at) | Question::Yaml(at) | Question::Events(at) | Question::Revisions(at) => {
            vec![at.cluster.clone()]
        }
        Question::Plan { targets, .. } | Question::Change { targets, .. } => {
            targets.iter().map(|at| at.cluster.clone()).collect()
        }
        Question::Run { pod, .. } => vec![pod.cluster.clone()],
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// Answers a question that may be about several clusters; each has a session, or a reason why there is none.
///
/// # Errors
/// What failed, why and what to do, in a sentence.
pub async fn answer_all(
    sessions: &[(Arc<str>, Result<Session, String>)],
    question: &Question,
) -> Result<Answer, String> {
    let part = |cluster: &Arc<str>| match question {
        Question::Plan { change, targets } => {
            Question::Plan { change: change.clone(), targets: of_cluster(targets, cluster) }
        }
        Question::Change { change, targets } => {
            Question::Change { change: change.clone(), targets: of_cluster(targets, cluster) }
        }
        other => other.clone(),
    };
    let mut answers = Vec::with_capacity(sessions.len());
    for (cluster, session) in sessions {
        let question = part(cluster);
        let found = match session {
            Ok(session) => answer(session, &question).await,
            Err(why) => Err(why.clone()),
        };
        answers.push((question, found));
    }
    join(answers)
}

fn of_cluster(targets: &[ObjectRef], cluster: &Arc<str>) -> Vec<ObjectRef> {
    targets.iter().filter(|at| at.cluster == *cluster).cloned().collect()
}

/// Joins the answers of several clusters; one that refuses a change refuses it for all.
fn join(answers: Vec<(Question, Result<Answer, String>)>) -> Result<Answer, String> {
    let is_one = answers.len() == 1;
    let mut joined: Option<Answer> = None;
    for (question, answer) in answers {
        let answer = match (answer, question) {
            (Err(why), Question::Change { targets, .. }) if !is_one => {
                Answer::Changed(targets.into_iter().map(|at| (at, Err(why.clone()))).collect())
            }
            (answer, _) => answer?,
        };
        joined = Some(match (joined, answer) {
            (Some(Answer::Plan(mut plan)), Answer::Plan(other)) => {
                plan.targets.extend(other.targets);
                plan.says.extend(other.says);
                plan.kubectl.extend(other.kubectl);
                plan.refused = plan.refused.or(other.refused);
                plan.must_type = plan.must_type.or(other.must_type);
                Answer::Plan(plan)
            }
            (Some(Answer::Changed(mut results)), Answer::Changed(other)) => {
                results.extend(other);
                Answer::Changed(results)
            }
            (_, answer) => answer,
        });
    }
    joined.ok_or_else(|| "nothing is marked or focused".to_owned())
}

/// Answers a question about one cluster.
///
/// # Errors
/// What failed, why and what to do, in a sentence.
pub async fn answer(session: &Session, question: &Question) -> Result<Answer, String> {
    match question {
        Question::Describe(at) => describe::describe(session, at).await.map(|text| Answer::Text(text.into())),
        Question::Yaml(at) => {
            let object = session.read(at).await?;
            yaml::print(object).map(|text| Answer::Text(text.into()))
        }
        Question::Events(at) => {
            let found = events::fetch_with_owned(session, at).await?;
            Ok(Answer::Events(found.iter().map(|event| Arc::new(events::object(event))).collect()))
        }
        Question::Revisions(at) => revisions::revisions(session, at).await.map(Answer::Revisions),
        Question::Plan { change, targets } => change::plan(session, change, targets).await.map(Answer::Plan),
        Question::Change { change, targets } => {
            change::make(session, change, targets).await.map(Answer::Changed)
        }
        Question::Run { pod, container, command } => {
            let output = exec::run(session, pod, container.as_deref(), command).await?;
            Ok(Answer::Text(output.into()))
        }
    }
}

impl Session {
    /// Returns where the objects of a kind lie.
    pub fn resource(&self, kind: Kind) -> Result<Resource, String> {
        if let Some(spec) = kind.spec() {
            let mut versions = vec![spec.version.to_owned()];
            // what servers older than the first version offer instead
            versions.extend(older(kind).iter().map(|version| (*version).to_owned()));
            return Ok(Resource {
                group: spec.group.to_owned(),
                versions,
                plural: spec.plural.to_owned(),
                kind: spec.name.to_owned(),
            });
        }
        let custom = match kind {
            Kind::Custom(at) => self.custom.get(usize::from(at)),
            _ => None,
        };
        let custom = custom.ok_or("the custom resource is not configured any more")?;
        Ok(Resource {
            group: custom.group.clone(),
            versions: vec![custom.version.clone()],
            plural: custom.plural.clone(),
            kind: custom.plural.clone(),
        })
    }

    /// Returns what an object is called for people: `deployment web`.
    pub fn called(&self, at: &ObjectRef) -> String {
        format!("{} `{}`", self.word(at.kind), at.name)
    }

    /// Returns the word for a kind: `deployment`.
    pub fn word(&self, kind: Kind) -> String {
        self.resource(kind).map_or_else(|_| "object".to_owned(), |resource| resource.kind.to_lowercase())
    }

    /// Returns where we are, for people: the namespace and the cluster by name.
    pub fn place(&self, namespace: &str) -> String {
        let cluster = &self.cluster.name;
        match namespace {
            "" => format!("cluster `{cluster}`"),
            namespace => format!("namespace `{namespace}` of cluster `{cluster}`"),
        }
    }

    /// Reads an object.
    ///
    /// # Errors
    /// A sentence for people.
    pub async fn read(&self, at: &ObjectRef) -> Result<Value, String> {
        let doing = || format!("could not read {} in {}", self.called(at), self.place(&at.namespace));
        let resource = self.resource(at.kind)?;
        self.at_object(&resource, &at.namespace, &at.name, "", Method::GET, None)
            .await
            .map_err(|fault| self.explain(&fault, &doing(), "get", &resource.plural, &at.namespace))
    }

    /// Sends a request to an object or its subresource, to each version that servers may have in turn.
    pub async fn at_object(
        &self,
        resource: &Resource,
        namespace: &str,
        name: &str,
        subresource: &str,
        method: Method,
        body: Option<(&str, &Value)>,
    ) -> Result<Value, Fault> {
        let mut last = None;
        for version in &resource.versions {
            let path = resource.path(version, namespace, name, subresource)?;
            match self.send(method.clone(), &path, body).await {
                Err(Fault::Refused { code: 404, message, .. }) if is_unknown_path(&message) => {
                    last = Some(Fault::Refused { code: 404, message, retry_after: None, causes: Vec::new() });
                }
                done => return done,
            }
        }
        Err(last.unwrap_or_else(|| Fault::Unreachable("it has no version".to_owned())))
    }

    /// Lists objects, page by page, up to a limit.
    pub async fn list(
        &self,
        kind: Kind,
        namespace: &str,
        selection: &[(&str, &str)],
    ) -> Result<Vec<Value>, String> {
        let resource = self.resource(kind)?;
        self.list_of(&resource, namespace, selection).await.map_err(|fault| {
            let doing = format!("could not list {} in {}", resource.plural, self.place(namespace));
            self.explain(&fault, &doing, "list", &resource.plural, namespace)
        })
    }

    /// Lists objects of a resource, page by page, up to a limit.
    pub async fn list_of(
        &self,
        resource: &Resource,
        namespace: &str,
        selection: &[(&str, &str)],
    ) -> Result<Vec<Value>, Fault> {
        let mut last = None;
        for version in &resource.versions {
            match self.list_version(resource, version, namespace, selection).await {
                Err(fault @ Fault::Refused { code: 404, .. }) => last = Some(fault),
                done => return done,
            }
        }
        Err(last.unwrap_or_else(|| Fault::Unreachable("it has no version".to_owned())))
    }

    async fn list_version(
        &self,
        resource: &Resource,
        version: &str,
        namespace: &str,
        selection: &[(&str, &str)],
    ) -> Result<Vec<Value>, Fault> {
        let base = resource.path(version, namespace, "", "")?;
        let mut found = Vec::new();
        let mut next = String::new();
        loop {
            let query = query(selection, &next);
            let mut answer = self.send(Method::GET, &format!("{base}?{query}"), None).await?;
            if let Some(Value::Array(items)) = answer.get_mut("items").map(Value::take) {
                found.extend(items);
            }
            next = text(&answer, "/metadata/continue").to_owned();
            if next.is_empty() || found.len() >= MAX_LIST {
                return Ok(found);
            }
        }
    }

    /// Sends one request and waits for its answer, not longer than a limit.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, &Value)>,
    ) -> Result<Value, Fault> {
        let mut request = http::Request::builder().method(method).uri(path);
        if let Some((kind, _)) = body {
            request = request.header(http::header::CONTENT_TYPE, kind);
        }
        let bytes = body.map(|(_, value)| value.to_string().into_bytes()).unwrap_or_default();
        let request = request.body(bytes).map_err(|error| Fault::Unreachable(error.to_string()))?;
        match tokio::time::timeout(REQUEST, self.client.request::<Value>(request)).await {
            Ok(answer) => answer.map_err(|error| Fault::from_kube(&error)),
            Err(_) => Err(Fault::Unreachable(format!("no answer within {} s", REQUEST.as_secs()))),
        }
    }

    /// Returns why nothing may be changed here; `None` when it may.
    pub fn locked(&self) -> Option<String> {
        let environment = self.cluster.lock();
        (self.cluster.is_protected && !self.is_unlocked).then(|| {
            format!(
                "environment `{environment}` is protected: unlock it first, for 15 minutes (`:unlock {environment}`)"
            )
        })
    }

    /// Asks the server whether we may do something; a server that does not say so is asked by doing it.
    ///
    /// # Errors
    /// What is forbidden and who could allow it.
    pub async fn check(
        &self,
        verb: &str,
        (group, resource, subresource): (&str, &str, &str),
        namespace: &str,
    ) -> Result<(), String> {
        let access = Access {
            client: self.client.clone(),
            cluster: self.cluster.name.clone(),
            user: self.user.clone(),
            cache: self.access.clone(),
        };
        let act = Act::new(verb, (group, resource, subresource), namespace);
        access.check(&act).await.map_err(|forbidden| self.told(&forbidden))
    }

    /// Returns a sentence for a fault: what failed, where, why and what to do.
    pub fn explain(&self, fault: &Fault, doing: &str, verb: &str, resource: &str, namespace: &str) -> String {
        match fault {
            Fault::Refused { code: 403, .. } => {
                format!("{doing}: {}", self.forbidden(verb, resource, namespace))
            }
            Fault::Refused { code: 401, .. } => {
                format!("{doing}: the server does not accept the credentials; sign in to the cluster again")
            }
            Fault::Refused { code: 404, message, .. } if is_unknown_path(message) => {
                format!("{doing}: the server does not know {resource}")
            }
            Fault::Refused { code: 404, .. } => format!("{doing}: it is not there any more"),
            Fault::Refused { message, .. } => format!("{doing}: {}", short(message)),
            Fault::Unreachable(why) => format!("{doing}: {}; try again with r", short(why)),
        }
    }

    /// Returns what is forbidden and who could allow it.
    pub fn forbidden(&self, verb: &str, resource: &str, namespace: &str) -> String {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let act = Act::new(verb, ("", resource, subresource), namespace);
        self.told(&act.forbidden(&self.cluster.name, &self.user))
    }

    fn told(&self, forbidden: &Forbidden) -> String {
        let who = if self.user.is_empty() { "you".to_owned() } else { format!("`{}`", self.user) };
        let Forbidden { verb, resource, namespace, remedy, .. } = forbidden;
        format!("{who} may not `{verb} {resource}` in {}; {remedy}", self.place(namespace))
    }
}

impl Resource {
    /// Returns the path of an object, of a collection for an empty name, of a subresource where one is given.
    pub fn path(
        &self,
        version: &str,
        namespace: &str,
        name: &str,
        subresource: &str,
    ) -> Result<String, Fault> {
        let mut path = match self.group.as_str() {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        let steps = match namespace {
            "" => vec![self.plural.as_str(), name, subresource],
            namespace => vec!["namespaces", namespace, &self.plural, name, subresource],
        };
        for step in steps.into_iter().filter(|step| !step.is_empty()) {
            // a name that is none must not lead to another path
            let is_safe = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
            if !step.chars().all(is_safe) || step == "." || step == ".." {
                return Err(Fault::Unreachable(format!("`{}` is no name of an object", step.escape_debug())));
            }
            path.push('/');
            path.push_str(step);
        }
        Ok(path)
    }
}

impl Fault {
    /// Returns the fault behind an error of the client; credentials never stand in it.
    pub fn from_kube(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let details = status.details.as_ref();
                let causes = details.map(|d| d.causes.iter().map(|cause| cause.message.clone()).collect());
                let retry_after = details.map(|d| d.retry_after_seconds).filter(|seconds| *seconds > 0);
                Self::Refused {
                    code: status.code,
                    message: status.message.clone(),
                    retry_after,
                    causes: causes.unwrap_or_default(),
                }
            }
            error => Self::Unreachable(fault::tell(error, "the cluster").text),
        }
    }
}

/// Returns the query of one page of a list.
fn query(selection: &[(&str, &str)], next: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &PAGE.to_string());
    query.extend_pairs(selection.iter().filter(|(_, value)| !value.is_empty()));
    if !next.is_empty() {
        query.append_pair("continue", next);
    }
    query.finish()
}

/// Whether a 404 is about the path, not about the object.
fn is_unknown_path(message: &str) -> bool {
    message.contains("could not find the requested resource") || message.contains("page not found")
}

/// Versions of servers older than the one asked for first.
fn older(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::CronJob => &["v1beta1"],
        Kind::HorizontalPodAutoscaler => &["v2beta2", "v1"],
        Kind::Ingress => &["v1beta1"],
        _ => &[],
    }
}

/// Returns the first lines of a foreign sentence without control codes.
pub(super) fn short(text: &str) -> String {
    const MAX: usize = 600;
    let text = crate::model::text::clean(text.trim());
    match text.char_indices().nth(MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.into_owned(),
    }
}

/// Returns a text of an object by JSON pointer; empty when it is absent.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Returns a number of an object by JSON pointer.
pub(super) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// Returns a list of an object by JSON pointer; empty when it is absent.
pub(super) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Returns names and texts of a mapping by JSON pointer; values that are no text as JSON.
pub(super) fn pairs<'a>(object: &'a Value, pointer: &str) -> Vec<(&'a str, std::borrow::Cow<'a, str>)> {
    let map = object.pointer(pointer).and_then(Value::as_object);
    let pair = |(key, value): (&'a String, &'a Value)| {
        let value = value.as_str().map_or_else(|| value.to_string().into(), std::borrow::Cow::Borrowed);
        (key.as_str(), value)
    };
    map.into_iter().flatten().map(pair).collect()
}

/// Returns a time of an object by JSON pointer.
pub(super) fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// Returns the label selector of a workload in the API's text form; `None` when it has none.
pub(super) fn selector(object: &Value) -> Option<String> {
    let at = object.pointer("/spec/selector").filter(|selector| selector.is_object())?;
    let mut parts: Vec<String> = Vec::new();
    if at.get("matchLabels").is_none() && at.get("matchExpressions").is_none() {
        // services and replication controllers
        parts.extend(pairs(object, "/spec/selector").iter().map(|(key, value)| format!("{key}={value}")));
    }
    parts.extend(pairs(at, "/matchLabels").iter().map(|(key, value)| format!("{key}={value}")));
    for expression in list(at, "/matchExpressions") {
        let key = text(expression, "/key");
        let values: Vec<&str> = list(expression, "/values").iter().filter_map(Value::as_str).collect();
        parts.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => continue,
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

/// Returns whether an object is owned by another one, by uid.
pub(super) fn is_owned(object: &Value, uid: &str) -> bool {
    !uid.is_empty()
        && list(object, "/metadata/ownerReferences").iter().any(|owner| text(owner, "/uid") == uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_now_and_then() {
        let said: Arc<Mutex<Vec<String>>> = Arc::default();
        let tell = |every| {
            let said = said.clone();
            Progress::with_pause(every, move |words| said.lock().unwrap().push(words))
        };
        tell(Duration::from_secs(3600)).say(|| "at once".to_owned());
        let now = tell(Duration::ZERO);
        now.say(|| "one".to_owned());
        now.say(|| "two".to_owned());
        Progress::default().say(|| "nobody".to_owned());
        assert_eq!(*said.lock().unwrap(), ["one", "two"]);
    }
    use serde_json::json;

    #[test]
    fn selectors_have_kubectls_form() {
        let cases = [
            (json!({"spec": {"selector": {"matchLabels": {"a": "1", "b": "2"}}}}), Some("a=1,b=2")),
            (json!({"spec": {"selector": {"app": "web"}}}), Some("app=web")),
            (
                json!({"spec": {"selector": {"matchExpressions": [
                    {"key": "t", "operator": "In", "values": ["x", "y"]},
                    {"key": "u", "operator": "DoesNotExist"}, {"key": "v", "operator": "Exists"}]}}}),
                Some("t in (x,y),!u,v"),
            ),
            (json!({"spec": {"selector": null}}), None),
            (json!({}), None),
        ];
        for (object, expected) in cases {
            assert_eq!(selector(&object).as_deref(), expected, "{object}");
        }
    }

    #[test]
    fn paths_stay_below_their_resource() {
        let pods = Resource {
            group: String::new(),
            versions: vec!["v1".into()],
            plural: "pods".into(),
            kind: "Pod".into(),
        };
        assert_eq!(
            pods.path("v1", "shop", "web-1", "log").unwrap(),
            "/api/v1/namespaces/shop/pods/web-1/log"
        );
        assert_eq!(pods.path("v1", "", "", "").unwrap(), "/api/v1/pods");
        let apps = Resource { group: "apps".into(), ..pods.clone() };
        assert_eq!(apps.path("v1", "shop", "", "").unwrap(), "/apis/apps/v1/namespaces/shop/pods");
        for name in ["..", "a/b", "a?b", "a%2fb", "a b", "é"] {
            assert!(pods.path("v1", "shop", name, "").is_err(), "{name}");
        }
    }
}
