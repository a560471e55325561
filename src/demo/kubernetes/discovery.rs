//! What a server says it has: versions, groups, resources; one by one and all at once.

use super::resource::{self, ALL, Resource, VERBS};
use serde_json::{Value, json};

const METRICS: (&str, &str) = ("metrics.k8s.io", "v1beta1");
/// Kinds that can only be made, and are answered at once: group, version, plural, kind.
const REVIEWS: &[(&str, &str, &str, &str)] = &[
    ("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview"),
    ("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
];

fn groups(has_metrics: bool) -> Vec<(&'static str, &'static str)> {
    let mut groups = resource::groups();
    for (group, version, ..) in REVIEWS {
        if !groups.contains(&(*group, *version)) {
            groups.push((group, version));
        }
    }
    if has_metrics {
        groups.push(METRICS);
    }
    groups
}

/// Returns `/api`.
pub fn versions(address: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
           "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})
}

/// Returns `/apis`.
pub fn group_list(has_metrics: bool) -> Value {
    let groups: Vec<Value> =
        groups(has_metrics).into_iter().map(|(group, version)| one_group(group, version)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn one_group(group: &str, version: &str) -> Value {
    let preferred = json!({"groupVersion": format!("{group}/{version}"), "version": version});
    json!({"name": group, "versions": [preferred], "preferredVersion": preferred})
}

/// Returns `/apis/GROUP`.
pub fn group(name: &str, has_metrics: bool) -> Option<Value> {
    let (group, version) = groups(has_metrics).into_iter().find(|(group, _)| *group == name)?;
    let mut found = one_group(group, version);
    found["kind"] = "APIGroup".into();
    found["apiVersion"] = "v1".into();
    Some(found)
}

/// Returns `/api/v1` or `/apis/GROUP/VERSION`.
pub fn resources(group: &str, version: &str, has_metrics: bool) -> Option<Value> {
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list: Vec<Value> = Vec::new();
    for row in ALL.iter().filter(|row| row.group == group && row.version == version) {
        list.push(of_row(row));
        list.extend(row.subresources.iter().map(|(sub, kind)| of_sub(row, sub, kind)));
    }
    for (_, _, plural, kind) in REVIEWS.iter().filter(|(g, v, ..)| *g == group && *v == version) {
        list.push(
            json!({"name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind,
                         "verbs": ["create"]}),
        );
    }
    if has_metrics && (group, version) == METRICS {
        for (plural, kind, namespaced) in [("nodes", "NodeMetrics", false), ("pods", "PodMetrics", true)] {
            list.push(json!({"name": plural, "singularName": "", "namespaced": namespaced, "kind": kind,
                             "verbs": ["get", "list"]}));
        }
    }
    if list.is_empty() {
        return None;
    }
    Some(
        json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list}),
    )
}

fn of_row(row: &Resource) -> Value {
    let mut found = json!({"name": row.plural, "singularName": row.singular(), "namespaced": row.is_namespaced,
                           "kind": row.kind, "verbs": VERBS});
    if !row.short.is_empty() {
        found["shortNames"] = json!(row.short);
    }
    if row.is_in_all {
        found["categories"] = json!(["all"]);
    }
    found
}

fn verbs_of(sub: &str) -> &'static [&'static str] {
    match sub {
        "log" => &["get"],
        "eviction" => &["create"],
        "exec" | "attach" | "portforward" => &["create", "get"],
        _ => &["get", "patch", "update"],
    }
}

/// Group and version of what a subresource speaks, where they are not its own.
fn speaks(sub: &str) -> Option<(&'static str, &'static str)> {
    match sub {
        "scale" => Some(("autoscaling", "v1")),
        "eviction" => Some(("policy", "v1")),
        _ => None,
    }
}

fn of_sub(row: &Resource, sub: &str, kind: &str) -> Value {
    let mut found = json!({"name": format!("{}/{sub}", row.plural), "singularName": "", "kind": kind,
                           "namespaced": row.is_namespaced, "verbs": verbs_of(sub)});
    if let Some((group, version)) = speaks(sub) {
        found["group"] = group.into();
        found["version"] = version.into();
    }
    found
}

/// Returns everything below `/api` or `/apis` at once, as servers from 1.26 on do when asked to.
pub fn aggregated(version: &str, is_core: bool, has_metrics: bool) -> Value {
    let groups = if is_core { vec![("", "v1")] } else { groups(has_metrics) };
    let items: Vec<Value> = groups
        .into_iter()
        .map(|(group, version_of)| {
            let resources = aggregated_resources(group, version_of, has_metrics);
            let mut metadata = json!({"creationTimestamp": null});
            if !group.is_empty() {
                metadata["name"] = group.into();
            }
            json!({"metadata": metadata,
                   "versions": [{"version": version_of, "freshness": "Current", "resources": resources}]})
        })
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"), "metadata": {}, "items": items})
}

fn aggregated_resources(group: &str, version: &str, has_metrics: bool) -> Vec<Value> {
    let kind = |kind: &str| json!({"group": group, "version": version, "kind": kind});
    let scope = |is_namespaced: bool| if is_namespaced { "Namespaced" } else { "Cluster" };
    let mut list = Vec::new();
    for row in ALL.iter().filter(|row| row.group == group && row.version == version) {
        let subresources: Vec<Value> = row
            .subresources
            .iter()
            .map(|(sub, speaks_kind)| {
                let (group, version) = speaks(sub).unwrap_or((group, version));
                json!({"subresource": sub, "verbs": verbs_of(sub),
                       "responseKind": {"group": group, "version": version, "kind": speaks_kind}})
            })
            .collect();
        let mut found = json!({"resource": row.plural, "responseKind": kind(row.kind), "verbs": VERBS,
                               "scope": scope(row.is_namespaced), "singularResource": row.singular()});
        if !row.short.is_empty() {
            found["shortNames"] = json!(row.short);
        }
        if row.is_in_all {
            found["categories"] = json!(["all"]);
        }
        if !subresources.is_empty() {
            found["subresources"] = subresources.into();
        }
        list.push(found);
    }
    for (_, _, plural, name) in REVIEWS.iter().filter(|(g, v, ..)| *g == group && *v == version) {
        list.push(json!({"resource": plural, "responseKind": kind(name), "scope": "Cluster",
                         "singularResource": name.to_lowercase(), "verbs": ["create"]}));
    }
    if has_metrics && (group, version) == METRICS {
        for (plural, name, is_namespaced) in [("nodes", "NodeMetrics", false), ("pods", "PodMetrics", true)] {
            list.push(json!({"resource": plural, "responseKind": kind(name), "scope": scope(is_namespaced),
                             "singularResource": "", "verbs": ["get", "list"]}));
        }
    }
    list
}
