//! Changes: create, replace, patch, delete, scale, evict.

use super::cluster::{Cluster, name, text, uid};
use super::read::Selection;
use super::request::{Query, Target};
use super::resource::R;
use super::server::Server;
use super::status::{Failure, json_response, ok};
use super::{patch, status};
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;

/// Answers a request that changes something.
pub fn write(
    server: &Arc<Server>,
    method: &Method,
    target: &Target,
    query: &Query,
    content: &str,
    body: Value,
) -> Result<Response, Failure> {
    let is_dry = query.all("dryRun").any(|value| value == "All");
    let mut cluster = server.cluster();
    let cluster = &mut *cluster;
    match (method.as_str(), target.sub.as_deref()) {
        ("POST", Some("eviction")) => evict(cluster, target, &body, is_dry),
        ("POST", None) => create(cluster, target, body, is_dry),
        ("PUT" | "PATCH", Some("scale")) => scale(cluster, target, method, content, &body, is_dry),
        ("PUT", _) => {
            let before = current(cluster, target)?;
            replace(cluster, target, &before, body, is_dry)
        }
        ("PATCH", _) => {
            let before = current(cluster, target)?;
            let mut object = (*before).clone();
            apply(&mut object, content, &body)?;
            replace(cluster, target, &before, object, is_dry)
        }
        ("DELETE", None) if target.name.is_some() => delete(cluster, target, query, &body, is_dry),
        ("DELETE", None) => delete_all(cluster, target, query, &body),
        _ => Err(Failure::new(
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        )),
    }
}

fn current(cluster: &Cluster, target: &Target) -> Result<Arc<Value>, Failure> {
    let named = target.name.as_deref().unwrap_or_default();
    let namespace = target.namespace.as_deref().unwrap_or_default();
    cluster
        .store
        .value(target.kind, namespace, named)
        .ok_or_else(|| Failure::not_found(target.kind.row(), named))
}

/// Refuses what has not the shape of an object, so that nobody else has to ask.
fn check_shape(target: &Target, object: &Value) -> Result<(), Failure> {
    let is_map = |value: &Value| value.is_object() || value.is_null();
    let metadata = &object["metadata"];
    let fits = object.is_object()
        && is_map(metadata)
        && is_map(&object["spec"])
        && is_map(&object["status"])
        && is_map(&metadata["labels"])
        && is_map(&metadata["annotations"])
        && is_map(&object["spec"]["template"])
        && is_map(&object["spec"]["template"]["metadata"])
        && is_map(&object["spec"]["template"]["metadata"]["labels"])
        && is_map(&object["spec"]["template"]["metadata"]["annotations"])
        && is_map(&object["spec"]["template"]["spec"])
        && is_map(&object["spec"]["selector"])
        && is_map(&object["spec"]["strategy"]);
    if fits {
        return Ok(());
    }
    let kind = target.kind.row().kind;
    Err(Failure::bad_request(format!(
        "{kind} in version \"v1\" cannot be handled as a {kind}: wrong type of a field"
    )))
}

fn create(
    cluster: &mut Cluster,
    target: &Target,
    mut object: Value,
    is_dry: bool,
) -> Result<Response, Failure> {
    let row = target.kind.row();
    check_shape(target, &object)?;
    if !text(&object["kind"]).is_empty() && object["kind"] != row.kind {
        let message = format!("no kind \"{}\" is known here", text(&object["kind"]));
        return Err(Failure::bad_request(message));
    }
    if let Some(namespace) = &target.namespace {
        if cluster.store.get(R::Namespace, "", namespace).is_none() {
            return Err(Failure::not_found(R::Namespace.row(), namespace));
        }
        object["metadata"]["namespace"] = namespace.as_str().into();
    }
    let named = name(&object).to_owned();
    if named.is_empty() && object["metadata"]["generateName"].is_null() {
        return Err(Failure::invalid(
            row.kind,
            "",
            "metadata.name",
            "Required value: name or generateName is required",
        ));
    }
    let namespace = target.namespace.as_deref().unwrap_or_default();
    if !named.is_empty() && cluster.store.get(target.kind, namespace, &named).is_some() {
        return Err(Failure::already_exists(row, &named));
    }
    if is_dry {
        return Ok(json_response(StatusCode::CREATED, object.to_string()));
    }
    if target.kind == R::Namespace {
        cluster.add_namespace(&named);
        return current(cluster, &Target { name: Some(named), ..target.clone() })
            .map(|made| json_response(StatusCode::CREATED, made.to_string()));
    }
    let made = cluster.create(target.kind, object);
    Ok(json_response(StatusCode::CREATED, made.to_string()))
}

fn apply(object: &mut Value, content: &str, body: &Value) -> Result<(), Failure> {
    match content {
        "application/merge-patch+json" => patch::merge(object, body),
        "application/strategic-merge-patch+json" => patch::strategic(object, body),
        // enough of server-side apply: what is given is laid over what is there
        "application/apply-patch+yaml" => patch::strategic(object, body),
        "application/json-patch+json" => {
            patch::json(object, body).map_err(|why| Failure::new(422, "Invalid", why))?;
        }
        _ => {
            let details = Some(json!({}));
            let message = "the body of the request was in an unknown format - accepted media types include: \
                           application/json-patch+json, application/merge-patch+json, \
                           application/strategic-merge-patch+json, application/apply-patch+yaml";
            return Err(Failure { details, ..Failure::new(415, "UnsupportedMediaType", message) });
        }
    }
    Ok(())
}

/// Puts a changed object, when nobody was faster; what the server alone decides stays.
fn replace(
    cluster: &mut Cluster,
    target: &Target,
    before: &Value,
    mut object: Value,
    is_dry: bool,
) -> Result<Response, Failure> {
    let row = target.kind.row();
    check_shape(target, &object)?;
    let version = text(&object["metadata"]["resourceVersion"]);
    if !version.is_empty() && version != text(&before["metadata"]["resourceVersion"]) {
        return Err(Failure::conflict(row, name(before)));
    }
    if name(&object) != name(before) {
        return Err(Failure::bad_request(format!(
            "the name of the object ({}) does not match the name on the URL ({})",
            name(&object),
            name(before)
        )));
    }
    for key in ["uid", "creationTimestamp", "namespace", "deletionTimestamp"] {
        if before["metadata"][key].is_null() {
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove(key);
            }
        } else {
            object["metadata"][key] = before["metadata"][key].clone();
        }
    }
    object["apiVersion"] = before["apiVersion"].clone();
    object["kind"] = before["kind"].clone();
    let is_status = target.sub.as_deref() == Some("status");
    if is_status {
        object["spec"] = before["spec"].clone();
    } else if !before["status"].is_null() {
        object["status"] = before["status"].clone();
    }
    if target.kind == R::Deployment
        && object["spec"]["replicas"].as_i64().is_some_and(|replicas| replicas < 0)
    {
        let why =
            format!("Invalid value: {}: must be greater than or equal to 0", object["spec"]["replicas"]);
        return Err(Failure::invalid("Deployment.apps", name(before), "spec.replicas", &why));
    }
    super::defaults::fill(target.kind, &mut object);
    if is_dry {
        return Ok(ok(&object));
    }
    let namespace = target.namespace.as_deref().unwrap_or_default();
    let put = cluster.change(target.kind, namespace, name(before), |current| *current = object);
    if target.kind == R::Node {
        cluster.wake_pending();
    }
    Ok(ok(&put.unwrap_or_default()))
}

/// Returns the scale of a workload.
pub fn scale_of(object: &Value) -> Value {
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let selector: Vec<String> =
        labels.into_iter().flatten().map(|(key, value)| format!("{key}={}", text(value))).collect();
    let metadata = &object["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
                     "resourceVersion": metadata["resourceVersion"],
                     "creationTimestamp": metadata["creationTimestamp"]},
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {"replicas": object["status"]["replicas"].as_i64().unwrap_or(0), "selector": selector.join(",")},
    })
}

fn scale(
    cluster: &mut Cluster,
    target: &Target,
    method: &Method,
    content: &str,
    body: &Value,
    is_dry: bool,
) -> Result<Response, Failure> {
    let before = current(cluster, target)?;
    let mut scale = scale_of(&before);
    if *method == Method::PUT {
        scale["spec"] = body["spec"].clone();
        let version = text(&body["metadata"]["resourceVersion"]);
        if !version.is_empty() && version != text(&before["metadata"]["resourceVersion"]) {
            return Err(Failure::conflict(target.kind.row(), name(&before)));
        }
    } else {
        apply(&mut scale, content, body)?;
    }
    let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
    if replicas < 0 {
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        return Err(Failure::invalid("Scale.autoscaling", name(&before), "spec.replicas", &why));
    }
    if !is_dry {
        let namespace = target.namespace.as_deref().unwrap_or_default();
        cluster.change(target.kind, namespace, name(&before), |object| {
            object["spec"]["replicas"] = replicas.into();
        });
    }
    let after = current(cluster, target)?;
    Ok(ok(&scale_of(&after)))
}

fn evict(cluster: &mut Cluster, target: &Target, body: &Value, is_dry: bool) -> Result<Response, Failure> {
    let pod = current(cluster, target)?;
    if let Some(budget) = cluster.forbidding_budget(&pod) {
        let (named, status) = (name(&budget), &budget["status"]);
        let message = format!(
            "The disruption budget {named} needs {} healthy pods and has {} currently",
            status["desiredHealthy"], status["currentHealthy"]
        );
        let mut failure = Failure::new(
            429,
            "TooManyRequests",
            "Cannot evict pod as it would violate the pod's disruption budget.",
        );
        failure.details = Some(json!({"causes": [{"reason": "DisruptionBudget", "message": message}]}));
        return Err(failure);
    }
    if !is_dry {
        let grace = body["deleteOptions"]["gracePeriodSeconds"].as_i64();
        let now = cluster.now;
        let namespace = target.namespace.as_deref().unwrap_or_default();
        cluster.change(R::Pod, namespace, name(&pod), |pod| {
            let message = "Eviction API: evicting";
            super::cluster::set_condition(
                &mut pod["status"],
                now,
                "DisruptionTarget",
                "True",
                "EvictionByEvictionAPI",
                message,
            );
        });
        cluster.begin_pod_deletion(namespace, name(&pod), grace);
        cluster.run_budgets();
    }
    Ok(json_response(StatusCode::CREATED, success(None).to_string()))
}

fn success(details: Option<Value>) -> Value {
    let mut status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"});
    if let Some(details) = details {
        status["details"] = details;
    }
    status
}

fn delete(
    cluster: &mut Cluster,
    target: &Target,
    query: &Query,
    body: &Value,
    is_dry: bool,
) -> Result<Response, Failure> {
    let object = current(cluster, target)?;
    let wanted = text(&body["preconditions"]["uid"]);
    if !wanted.is_empty() && wanted != uid(&object) {
        let message = format!(
            "Precondition failed: UID in precondition: {wanted}, UID in object meta: {}",
            uid(&object)
        );
        return Err(Failure { message, ..Failure::conflict(target.kind.row(), name(&object)) });
    }
    let grace = body["gracePeriodSeconds"].as_i64().or_else(|| query.number("gracePeriodSeconds"));
    let policy =
        body["propagationPolicy"].as_str().or_else(|| query.get("propagationPolicy")).unwrap_or("Background");
    let is_orphaning = policy == "Orphan" || body["orphanDependents"] == true;
    if is_dry {
        return Ok(ok(&object));
    }
    Ok(ok(&delete_one(cluster, target.kind, &object, grace, is_orphaning)))
}

fn delete_one(
    cluster: &mut Cluster,
    kind: R,
    object: &Value,
    grace: Option<i64>,
    is_orphaning: bool,
) -> Value {
    let namespace = super::cluster::namespace(object);
    if kind == R::Pod {
        cluster.begin_pod_deletion(namespace, name(object), grace);
        // the pod is still there while its containers end
        return cluster
            .store
            .value(kind, namespace, name(object))
            .map_or_else(|| object.clone(), |pod| (*pod).clone());
    }
    if is_orphaning {
        cluster.orphan_dependents(uid(object));
    }
    if kind == R::Namespace {
        cluster.empty_namespace(name(object));
    }
    cluster.delete_with_dependents(kind, namespace, name(object));
    let row = kind.row();
    let mut details = json!({"name": name(object), "kind": row.plural, "uid": uid(object)});
    if !row.group.is_empty() {
        details["group"] = row.group.into();
    }
    success(Some(details))
}

fn delete_all(
    cluster: &mut Cluster,
    target: &Target,
    query: &Query,
    body: &Value,
) -> Result<Response, Failure> {
    let selection = Selection::read(query, target.kind)?;
    let all: Vec<Arc<Value>> = cluster
        .store
        .list(target.kind, target.namespace.as_deref(), None)
        .filter(|(_, entry)| selection.matches(entry))
        .map(|(_, entry)| entry.value())
        .collect();
    let grace = body["gracePeriodSeconds"].as_i64();
    for object in &all {
        delete_one(cluster, target.kind, object, grace, false);
    }
    let row = target.kind.row();
    let version = cluster.store.version().to_string();
    let items: Vec<&Value> = all.iter().map(|object| &**object).collect();
    Ok(status::ok(&json!({"kind": format!("{}List", row.kind), "apiVersion": row.api_version(),
                          "metadata": {"resourceVersion": version}, "items": items})))
}

impl Cluster {
    /// Has pods without a machine looked at again.
    pub(super) fn wake_pending(&mut self) {
        let now = self.now;
        for run in self.pods.values_mut().filter(|run| run.address.is_empty()) {
            run.wake = now;
        }
    }

    fn empty_namespace(&mut self, namespace: &str) {
        for row in super::resource::ALL.iter().filter(|row| row.is_namespaced) {
            let all: Vec<String> =
                self.store.list(row.id, Some(namespace), None).map(|(key, _)| key.1.to_string()).collect();
            for named in all {
                self.store.remove(row.id, namespace, &named);
            }
        }
    }
}
