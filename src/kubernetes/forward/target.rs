//! Which pod and port a forward leads to.

use crate::kubernetes::ask::{Session, list, number, selector, text, time};
use crate::kubernetes::events::is_ready;
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::ObjectRef;
use serde_json::Value;

/// Where a connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Name of the pod.
    pub pod: String,
    /// Port of it.
    pub port: u16,
}

/// Finds the pod and port behind a pod, service or workload.
pub async fn find_end(session: &Session, target: &ObjectRef, remote: u16) -> Result<End, String> {
    if target.kind == Kind::Pod {
        let pod = session.read(target).await?;
        if matches!(text(&pod, "/status/phase"), "Succeeded" | "Failed") {
            return Err(format!("{} has ended", session.called(target)));
        }
        return Ok(End { pod: target.name.to_string(), port: remote });
    }
    let object = session.read(target).await?;
    let pod = pod_of(session, target, &object).await?;
    let port = if target.kind == Kind::Service {
        port_of_service(&object, &pod, remote).map_err(|why| format!("{} {why}", session.called(target)))?
    } else {
        remote
    };
    Ok(End { pod: text(&pod, "/metadata/name").to_owned(), port })
}

/// Finds a ready pod of a service or workload.
///
/// # Errors
/// A sentence for people.
pub async fn ready_pod(session: &Session, at: &ObjectRef) -> Result<Value, String> {
    let object = session.read(at).await?;
    pod_of(session, at, &object).await
}

async fn pod_of(session: &Session, at: &ObjectRef, object: &Value) -> Result<Value, String> {
    let labels = selector(object);
    let labels = labels.ok_or_else(|| format!("{} selects no pods", session.called(at)))?;
    let pods = session.list(Kind::Pod, &at.namespace, &[("labelSelector", &labels)]).await?;
    let count = pods.len();
    best(pods).ok_or_else(|| match count {
        0 => format!("{} has no pods in {}", session.called(at), session.place(&at.namespace)),
        count => format!("none of the {count} pods of {} is ready", session.called(at)),
    })
}

/// Chooses the pod that runs longest among the ready ones: it stays most likely.
fn best(pods: Vec<Value>) -> Option<Value> {
    let is_there = |pod: &Value| {
        is_ready(pod)
            && text(pod, "/status/phase") == "Running"
            && text(pod, "/metadata/deletionTimestamp").is_empty()
    };
    pods.into_iter().filter(is_there).min_by_key(|pod| time(pod, "/metadata/creationTimestamp"))
}

/// Returns the port of a pod behind a port of a service.
fn port_of_service(service: &Value, pod: &Value, port: u16) -> Result<u16, String> {
    let ports = list(service, "/spec/ports");
    let row = ports.iter().find(|row| number(row, "/port") == Some(i64::from(port)));
    let Some(row) = row else {
        let there: Vec<String> =
            ports.iter().filter_map(|row| number(row, "/port")).map(|port| port.to_string()).collect();
        return Err(format!("has no port {port}; it has {}", there.join(", ")));
    };
    match row.get("targetPort") {
        None | Some(Value::Null) => Ok(port),
        Some(Value::String(name)) => {
            named(pod, name).ok_or_else(|| format!("leads to a port `{name}` that its pods do not name"))
        }
        Some(target) => {
            let number = target.as_u64().and_then(|number| u16::try_from(number).ok());
            number.ok_or_else(|| format!("leads to port {target}, which is none"))
        }
    }
}

fn named(pod: &Value, name: &str) -> Option<u16> {
    let containers = list(pod, "/spec/containers").iter().chain(list(pod, "/spec/initContainers"));
    let row =
        containers.flat_map(|container| list(container, "/ports")).find(|row| text(row, "/name") == name)?;
    u16::try_from(number(row, "/containerPort")?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_port_of_a_service_leads_to_one_of_its_pods() {
        let service = json!({"spec": {"ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 9000},
            {"port": 82}, {"port": 83, "targetPort": "gone"}, {"port": 84, "targetPort": 99999}]}});
        let pod = json!({"spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8080}]}]}});
        let cases = [(80, Some(8080)), (81, Some(9000)), (82, Some(82)), (83, None), (84, None), (85, None)];
        for (port, expected) in cases {
            assert_eq!(port_of_service(&service, &pod, port).ok(), expected, "{port}");
        }
    }

    #[test]
    fn a_pod_that_goes_is_not_chosen() {
        let pod = |name: &str, ready: &str, created: &str, deleted: Option<&str>| {
            json!({"metadata": {"name": name, "creationTimestamp": created, "deletionTimestamp": deleted},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}})
        };
        let (old, new) = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
        let pods = vec![
            pod("going", "True", old, Some(new)),
            pod("sick", "False", old, None),
            pod("new", "True", new, None),
            pod("old", "True", old, None),
        ];
        assert_eq!(best(pods).map(|pod| text(&pod, "/metadata/name").to_owned()).as_deref(), Some("old"));
        assert_eq!(best(vec![pod("sick", "False", old, None)]), None);
    }
}
