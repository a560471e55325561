//! Back to what ran before, as kubectl does it.

use super::{STRATEGIC, is_paused, patch};
use crate::kubernetes::ask::{Session, number, text};
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::revisions::{self, number_of};
use serde_json::{Map, Value, json};

/// Annotations that belong to a deployment or its sets, not to the template that is put back.
const KEPT: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

/// Says what going back would do.
pub(super) async fn says(session: &Session, at: &ObjectRef, object: &Value, to: Option<u64>) -> Vec<String> {
    match find(session, at, object, to).await {
        Ok((number, found)) => {
            let template = found.pointer("/spec/template").or_else(|| found.pointer("/data/spec/template"));
            let containers =
                template.map(|template| crate::kubernetes::ask::list(template, "/spec/containers"));
            let images: Vec<&str> =
                containers.unwrap_or_default().iter().map(|container| text(container, "/image")).collect();
            vec![format!("`{}`: back to revision {number} ({})", at.name, images.join(", "))]
        }
        Err(why) => vec![why],
    }
}

/// Goes back to a revision, or to the one before.
pub(super) async fn roll_back(session: &Session, at: &ObjectRef, to: Option<u64>) -> Result<String, String> {
    let object = session.read(at).await?;
    if is_paused(&object) {
        return Err(format!("{} is paused: resume it before rolling back", session.called(at)));
    }
    let (number, found) = find(session, at, &object, to).await?;
    if at.kind == Kind::Deployment {
        let template = template_of(&found);
        if Some(&template) == object.pointer("/spec/template") {
            return Ok(format!("{} has revision {number} already", session.called(at)));
        }
        let body = json!([
            {"op": "replace", "path": "/spec/template", "value": template},
            {"op": "replace", "path": "/metadata/annotations", "value": annotations(&object, &found)},
        ]);
        patch(session, at, "", "application/json-patch+json", &body).await?;
    } else {
        let data = found.get("data").filter(|data| data.is_object());
        let data = data.ok_or_else(|| format!("revision {number} of {} is empty", session.called(at)))?;
        patch(session, at, "", STRATEGIC, data).await?;
    }
    Ok(format!("rolling {} back to revision {number}", session.called(at)))
}

/// Finds the object that holds a revision: the newest but one for `None`.
async fn find(
    session: &Session,
    at: &ObjectRef,
    object: &Value,
    to: Option<u64>,
) -> Result<(u64, Value), String> {
    let kept = revisions::kept(session, object, at).await?;
    let number_of = |found: &Value| match at.kind {
        Kind::Deployment => number_of(found),
        _ => number(found, "/revision").and_then(|number| u64::try_from(number).ok()).unwrap_or(0),
    };
    let mut found: Vec<(u64, Value)> = kept.into_iter().map(|found| (number_of(&found), found)).collect();
    found.retain(|(number, _)| *number > 0);
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    choose(&found, to)
        .map(|(number, found)| (*number, found.clone()))
        .map_err(|why| format!("{} {why}", session.called(at)))
}

/// Chooses a revision among those that are there, newest first.
fn choose(found: &[(u64, Value)], to: Option<u64>) -> Result<&(u64, Value), String> {
    match to {
        None => found.get(1).ok_or_else(|| "has no revision before this one".to_owned()),
        Some(to) => found.iter().find(|(number, _)| *number == to).ok_or_else(|| {
            let there: Vec<String> = found.iter().map(|(number, _)| number.to_string()).collect();
            format!("has no revision {to}; there are {}", there.join(", "))
        }),
    }
}

/// Returns the template of a replica set as its deployment had it.
fn template_of(set: &Value) -> Value {
    let mut template = set.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template
}

/// Returns the annotations that the deployment gets: its own of [`KEPT`], all others of the set.
fn annotations(deployment: &Value, set: &Value) -> Value {
    let of = |object: &Value| -> Map<String, Value> {
        object.pointer("/metadata/annotations").and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut out: Map<String, Value> =
        of(deployment).into_iter().filter(|(key, _)| KEPT.contains(&key.as_str())).collect();
    out.extend(of(set).into_iter().filter(|(key, _)| !KEPT.contains(&key.as_str())));
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_before_is_meant_where_none_is_named() {
        let found = [(5, json!("e")), (4, json!("d")), (2, json!("b"))];
        assert_eq!(choose(&found, None).unwrap().0, 4);
        assert_eq!(choose(&found, Some(2)).unwrap().0, 2);
        assert_eq!(choose(&found, Some(3)).unwrap_err(), "has no revision 3; there are 5, 4, 2");
        assert_eq!(choose(&found[..1], None).unwrap_err(), "has no revision before this one");
        assert!(choose(&[], None).is_err());
    }

    #[test]
    fn template_and_annotations_are_put_back_as_kubectl_does() {
        let set = json!({
            "metadata": {"annotations": {"deployment.kubernetes.io/revision": "2", "kubernetes.io/change-cause": "old"}},
            "spec": {"template": {"metadata": {"labels": {"app": "web", "pod-template-hash": "x"}}}},
        });
        let deployment = json!({"metadata": {"annotations": {"deployment.kubernetes.io/revision": "3",
            "kubernetes.io/change-cause": "new", "other": "gone"}}});
        assert_eq!(template_of(&set), json!({"metadata": {"labels": {"app": "web"}}}));
        assert_eq!(
            annotations(&deployment, &set),
            json!({"deployment.kubernetes.io/revision": "3", "kubernetes.io/change-cause": "old"})
        );
    }
}
