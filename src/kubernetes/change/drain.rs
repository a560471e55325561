//! Pods evicted one after the other, as disruption budgets allow. Nodes are not cordoned.

use super::JSON;
use crate::kubernetes::ask::{Fault, Resource, Session, list, number, short, text};
use crate::kubernetes::events::owned;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::kubectl::{Act, Kubectl};
use crate::kubernetes::object::ObjectRef;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// How long a pod is tried again while a budget stands against it.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a whole workload may take.
const TOTAL: Duration = Duration::from_secs(300);
/// Between two tries, unless the server says otherwise; kubectl waits as long.
const PAUSE: Duration = Duration::from_secs(5);
/// Pods named.
const MAX_NAMED: usize = 10;

/// Says what draining would do.
pub(super) async fn says(session: &Session, at: &ObjectRef, object: &Value) -> Vec<String> {
    let pods = match pods(session, at, object).await {
        Ok(pods) => pods,
        Err(why) => return vec![why],
    };
    let names: Vec<&str> = pods.iter().take(MAX_NAMED).map(|pod| text(pod, "/metadata/name")).collect();
    let more =
        if pods.len() > MAX_NAMED { format!(" and {} more", pods.len() - MAX_NAMED) } else { String::new() };
    let mut says =
        vec![format!("{} pods are evicted one after the other: {}{more}", pods.len(), names.join(", "))];
    if at.kind == Kind::Node {
        says.push("pods of daemon sets stay; the node is not cordoned, new pods may come".to_owned());
    }
    for budget in budgets(session, &at.namespace).await {
        let is_its = pods.iter().any(|pod| {
            text(pod, "/metadata/namespace") == text(&budget, "/metadata/namespace") && selects(&budget, pod)
        });
        if is_its {
            let allowed = number(&budget, "/status/disruptionsAllowed").unwrap_or(0);
            let name = text(&budget, "/metadata/name");
            says.push(format!(
                "the disruption budget `{name}` lets {allowed} go at this moment; the others wait"
            ));
        }
    }
    says
}

/// Returns the same with kubectl.
pub(super) async fn lines(
    session: &Session,
    kubectl: &Kubectl,
    at: &ObjectRef,
    object: &Value,
) -> Vec<String> {
    let Ok(pods) = pods(session, at, object).await else { return Vec::new() };
    let version = version(session).await.unwrap_or_else(|_| "policy/v1".to_owned());
    pods.iter()
        .take(MAX_NAMED)
        .map(|pod| {
            let pod = ObjectRef {
                cluster: at.cluster.clone(),
                kind: Kind::Pod,
                namespace: text(pod, "/metadata/namespace").into(),
                name: text(pod, "/metadata/name").into(),
            };
            kubectl.line("pod", &pod, &Act::Evict { version: version.clone() })
        })
        .collect()
}

/// Evicts the pods of a workload or node, or one pod.
pub(super) async fn drain(session: &Session, at: &ObjectRef) -> Result<String, String> {
    let object = session.read(at).await?;
    let pods = pods(session, at, &object).await?;
    let version = version(session).await?;
    let until = Instant::now() + TOTAL;
    let mut stayed = Vec::new();
    for (done, pod) in pods.iter().enumerate() {
        let far = || format!("draining {}: {done} of {} pods evicted", session.called(at), pods.len());
        if done > 0 {
            session.progress.say(far);
        }
        let wait = |budget: &str| {
            session.progress.say(|| format!("{}; `{}` waits: {budget}", far(), text(pod, "/metadata/name")));
        };
        if let Err(why) = evict(session, pod, &version, until, wait).await {
            stayed.push(format!("`{}` stays: {why}", text(pod, "/metadata/name")));
        }
    }
    let gone = pods.len() - stayed.len();
    let count = format!("evicted {gone} of {} pods of {}", pods.len(), session.called(at));
    if stayed.is_empty() { Ok(count) } else { Err(format!("{count}; {}", stayed.join("; "))) }
}

/// Finds the pods that go: those of daemon sets and static ones would be there again at once.
async fn pods(session: &Session, at: &ObjectRef, object: &Value) -> Result<Vec<Value>, String> {
    match at.kind {
        Kind::Pod => return Ok(vec![object.clone()]),
        Kind::Node => {}
        _ => {
            let owned = owned(session, object, at).await?;
            let is_alive = |pod: &Value| text(pod, "/metadata/deletionTimestamp").is_empty();
            let pods = owned.into_iter().filter(|(kind, _)| *kind == Kind::Pod).map(|(_, pod)| pod);
            return Ok(pods.filter(is_alive).collect());
        }
    }
    let on_node = format!("spec.nodeName={}", at.name);
    let pods = session.list(Kind::Pod, "", &[("fieldSelector", &on_node)]).await?;
    Ok(pods.into_iter().filter(|pod| !stays(pod)).collect())
}

fn stays(pod: &Value) -> bool {
    let is_of_daemon_set =
        list(pod, "/metadata/ownerReferences").iter().any(|owner| text(owner, "/kind") == "DaemonSet");
    let annotations = pod.pointer("/metadata/annotations");
    let is_static = annotations.is_some_and(|all| all.get("kubernetes.io/config.mirror").is_some());
    let is_done = matches!(text(pod, "/status/phase"), "Succeeded" | "Failed");
    is_of_daemon_set || is_static || is_done || !text(pod, "/metadata/deletionTimestamp").is_empty()
}

/// Returns the version in which the server takes evictions: `policy/v1`, before 1.22 `policy/v1beta1`.
async fn version(session: &Session) -> Result<String, String> {
    let answer = session.send(Method::GET, "/api/v1", None).await.map_err(|fault| fault.to_string())?;
    let row = list(&answer, "/resources").iter().find(|row| text(row, "/name") == "pods/eviction");
    let row = row.ok_or_else(|| format!("cluster `{}` knows no eviction", session.cluster.name))?;
    match (text(row, "/group"), text(row, "/version")) {
        ("", _) | (_, "") => Ok("policy/v1beta1".to_owned()),
        (group, version) => Ok(format!("{group}/{version}")),
    }
}

async fn evict(
    session: &Session,
    pod: &Value,
    version: &str,
    until: Instant,
    wait: impl Fn(&str),
) -> Result<(), String> {
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let body = json!({
        "apiVersion": version,
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": namespace},
    });
    let pods = session.resource(Kind::Pod)?;
    let until = until.min(Instant::now() + PATIENCE);
    loop {
        let sent = session.at_object(&pods, namespace, name, "eviction", Method::POST, Some((JSON, &body)));
        match sent.await {
            // gone is what was wanted
            Ok(_) | Err(Fault::Refused { code: 404, .. }) => return Ok(()),
            Err(Fault::Refused { code: 429, message, retry_after, causes }) => {
                let pause = retry_after.map_or(PAUSE, |seconds| Duration::from_secs(u64::from(seconds)));
                if Instant::now() + pause >= until {
                    return Err(budget_says(&message, &causes));
                }
                wait(&why(&message, &causes));
                tokio::time::sleep(pause).await;
            }
            Err(fault) => {
                return Err(session.explain(
                    &fault,
                    "it is not evicted",
                    "create",
                    "pods/eviction",
                    namespace,
                ));
            }
        }
    }
}

fn why(message: &str, causes: &[String]) -> String {
    if causes.is_empty() { short(message) } else { short(&causes.join("; ")) }
}

fn budget_says(message: &str, causes: &[String]) -> String {
    let why = why(message, causes);
    format!("{why} (tried for {} s; try again when more pods are ready)", PATIENCE.as_secs())
}

async fn budgets(session: &Session, namespace: &str) -> Vec<Value> {
    let resource = Resource {
        group: "policy".to_owned(),
        versions: vec!["v1".to_owned(), "v1beta1".to_owned()],
        plural: "poddisruptionbudgets".to_owned(),
        kind: "PodDisruptionBudget".to_owned(),
    };
    session.list_of(&resource, namespace, &[]).await.unwrap_or_default()
}

/// Whether a budget is about a pod; an empty selector is about all.
fn selects(budget: &Value, pod: &Value) -> bool {
    let label =
        |key: &str| pod.pointer("/metadata/labels").and_then(|all| all.get(key)).and_then(Value::as_str);
    let Some(selector) = budget.pointer("/spec/selector") else { return false };
    let all = crate::kubernetes::ask::pairs(selector, "/matchLabels");
    let is_equal = all.iter().all(|(key, value)| label(key) == Some(value.as_ref()));
    is_equal
        && list(selector, "/matchExpressions").iter().all(|expression| {
            let value = label(text(expression, "/key"));
            let has = || list(expression, "/values").iter().any(|one| one.as_str() == value);
            match text(expression, "/operator") {
                "In" => value.is_some() && has(),
                "NotIn" => value.is_none() || !has(),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_that_would_be_there_again_stay() {
        let cases = [
            (json!({"metadata": {"ownerReferences": [{"kind": "ReplicaSet", "uid": "a"}]}}), false),
            (json!({"metadata": {"ownerReferences": [{"kind": "DaemonSet"}]}}), true),
            (json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}), true),
            (json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}), true),
            (json!({"status": {"phase": "Succeeded"}}), true),
            (json!({}), false),
        ];
        for (pod, expected) in cases {
            assert_eq!(stays(&pod), expected, "{pod}");
        }
    }

    #[test]
    fn budgets_select_as_the_api_does() {
        let pod = json!({"metadata": {"labels": {"app": "web", "tier": "front"}}});
        let cases = [
            (json!({"spec": {"selector": {"matchLabels": {"app": "web"}}}}), true),
            (json!({"spec": {"selector": {"matchLabels": {"app": "db"}}}}), false),
            (json!({"spec": {"selector": {}}}), true),
            (json!({"spec": {}}), false),
            (
                json!({"spec": {"selector": {"matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["front", "back"]},
                {"key": "gone", "operator": "DoesNotExist"}]}}}),
                true,
            ),
            (
                json!({"spec": {"selector": {"matchExpressions": [
                {"key": "tier", "operator": "NotIn", "values": ["front"]}]}}}),
                false,
            ),
        ];
        for (budget, expected) in cases {
            assert_eq!(selects(&budget, &pod), expected, "{budget}");
        }
    }
}
