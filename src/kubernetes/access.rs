//! What we may do on a cluster, who we are there, and whom to ask for more.
//!
//! Start at [`Access::can`]. The server is asked (`SelfSubjectAccessReview`) and its answer holds for a minute;
//! nothing here guesses from roles. A server that cannot be asked is no refusal: the act itself will tell.

use super::client::fault::clean;
use super::state::Forbidden;
use http::Request;
use kube::Client;
use rustc_hash::FxHashMap;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(60);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most answers that are kept.
const MAX_KEPT: usize = 4096;

/// Something one may be allowed to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Act {
    /// `list`, `watch`, `create`, `delete`, `patch` …
    pub verb: String,
    /// API group; empty for the core.
    pub group: String,
    /// `pods`.
    pub resource: String,
    /// `log`, `exec`, `scale`; empty for the resource itself.
    pub subresource: String,
    /// Namespace; empty for all of them, and for what lives in none.
    pub namespace: String,
}

impl Act {
    /// Makes one.
    pub fn new(verb: &str, (group, resource, subresource): (&str, &str, &str), namespace: &str) -> Self {
        Self {
            verb: verb.to_owned(),
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: subresource.to_owned(),
            namespace: namespace.to_owned(),
        }
    }

    /// Returns the resource as roles name it: `pods/log`, `deployments.apps`.
    pub fn resource_text(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let sub = if self.subresource.is_empty() { String::new() } else { format!("/{}", self.subresource) };
        format!("{}{group}{sub}", self.resource)
    }

    /// Tells that it is not allowed, who we are and whom to ask.
    pub fn forbidden(&self, cluster: &str, user: &str) -> Forbidden {
        let place = match self.namespace.as_str() {
            "" => "all namespaces".to_owned(),
            namespace => format!("namespace `{namespace}`"),
        };
        let resource = self.resource_text();
        let who = if user.is_empty() { String::new() } else { format!(" for `{user}`") };
        let remedy = format!(
            "ask a cluster administrator of `{cluster}` for `{} {resource}` in {place}{who}",
            self.verb
        );
        Forbidden {
            verb: self.verb.clone(),
            resource,
            namespace: self.namespace.clone(),
            user: user.to_owned(),
            remedy,
        }
    }
}

/// Answers of a server, kept for a minute.
#[derive(Debug, Default)]
pub struct Cache(Mutex<FxHashMap<Act, (Instant, bool)>>);

impl Cache {
    /// Forgets all: we may be somebody else now.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn get(&self, act: &Act) -> Option<bool> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(act).filter(|(since, _)| since.elapsed() < HOLDS).map(|(_, is_allowed)| *is_allowed)
    }

    fn put(&self, act: &Act, is_allowed: bool) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(act.clone(), (Instant::now(), is_allowed));
    }
}

/// What we may do on one cluster.
#[derive(Clone)]
pub struct Access {
    /// Asks it.
    pub client: Client,
    /// Its name.
    pub cluster: Arc<str>,
    /// Who we are there; empty when it does not say.
    pub user: Arc<str>,
    /// Answers so far.
    pub cache: Arc<Cache>,
}

impl Access {
    /// Checks that an act is allowed; asks the server unless it was asked within the last minute. A server that
    /// does not answer the question refuses nothing.
    ///
    /// # Errors
    /// What is forbidden, and whom to ask.
    pub async fn check(&self, act: &Act) -> Result<(), Forbidden> {
        if self.can(act).await { Ok(()) } else { Err(act.forbidden(&self.cluster, &self.user)) }
    }

    /// Returns whether an act is allowed; see [`Self::check`].
    pub async fn can(&self, act: &Act) -> bool {
        self.ask(act).await.unwrap_or(true)
    }

    /// Returns whether the server says that an act is allowed; a server that says nothing allows nothing.
    pub async fn can_surely(&self, act: &Act) -> bool {
        self.ask(act).await.unwrap_or(false)
    }

    async fn ask(&self, act: &Act) -> Option<bool> {
        if let Some(is_allowed) = self.cache.get(act) {
            return Some(is_allowed);
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": { "resourceAttributes": {
                "namespace": act.namespace,
                "verb": act.verb,
                "group": act.group,
                "resource": act.resource,
                "subresource": act.subresource,
            } },
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer = post(&self.client, path, &review).await?;
        let is_allowed = answer.pointer("/status/allowed").and_then(Value::as_bool)?;
        self.cache.put(act, is_allowed);
        Some(is_allowed)
    }
}

/// Asks the server who we are; `None` when it does not know the question (before Kubernetes 1.27) or answer.
pub async fn who_am_i(client: &Client) -> Option<Arc<str>> {
    for version in ["v1", "v1beta1"] {
        let review = json!({
            "apiVersion": format!("authentication.k8s.io/{version}"),
            "kind": "SelfSubjectReview",
        });
        let path = format!("/apis/authentication.k8s.io/{version}/selfsubjectreviews");
        if let Some(answer) = post(client, &path, &review).await {
            let name = answer.pointer("/status/userInfo/username").and_then(Value::as_str);
            return name.map(clean).filter(|name| !name.is_empty()).map(Arc::from);
        }
    }
    None
}

/// Returns the user that a refusal of the server names: `User "ana" cannot list resource …`.
pub fn user_in(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("User \"")?;
    let (name, _) = rest.split_once('"')?;
    (!name.is_empty()).then(|| clean(name))
}

async fn post(client: &Client, path: &str, body: &Value) -> Option<Value> {
    let request = Request::post(path)
        .header(http::header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .ok()?;
    let answer = tokio::time::timeout(TIMEOUT, client.request_text(request)).await.ok()?.ok()?;
    serde_json::from_str(&answer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedy_names_what_to_ask_for() {
        let act = Act::new("list", ("apps", "deployments", ""), "");
        let forbidden = act.forbidden("prod-eu", "ana");
        assert_eq!(
            forbidden.remedy,
            "ask a cluster administrator of `prod-eu` for `list deployments.apps` in all namespaces for `ana`"
        );
        let act = Act::new("create", ("", "pods", "exec"), "shop");
        let remedy = act.forbidden("c", "").remedy;
        assert!(remedy.ends_with("for `create pods/exec` in namespace `shop`"), "{remedy}");
    }

    #[test]
    fn refusal_names_the_user() {
        let message =
            r#"pods is forbidden: User "system:serviceaccount:shop:reader" cannot list resource "pods""#;
        assert_eq!(user_in(message).as_deref(), Some("system:serviceaccount:shop:reader"));
        assert_eq!(user_in("no"), None);
    }
}
