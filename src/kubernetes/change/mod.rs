//! Changes to a cluster: planned first, made only where nothing stands against them.
//!
//! [`plan`] says what would happen and whether it may; a dialog is made of it. [`make`] checks the same again,
//! because the screen is no guard: protection, what the kind can, what we may. Each target has its own result; one
//! that fails never stops the others.

mod drain;
mod roll_back;

use super::ask::{Session, number, text};
use super::kind::Kind;
use super::kubectl::{Act, Kubectl};
use super::object::ObjectRef;
use super::order::{Change, Plan};
use http::Method;
use serde_json::{Value, json};

/// Targets named in a plan; the rest is counted.
const MAX_NAMED: usize = 20;
/// Targets of one change.
const MAX_TARGETS: usize = 500;
/// Bodies of patches.
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const JSON: &str = "application/json";

/// What was done to each target, or why not.
pub type Results = Vec<(ObjectRef, Result<String, String>)>;

/// Says what a change would do.
///
/// # Errors
/// A sentence when that cannot be found out.
pub async fn plan(session: &Session, change: &Change, targets: &[ObjectRef]) -> Result<Plan, String> {
    if targets.is_empty() {
        return Err("nothing is marked or focused".to_owned());
    }
    let kubectl = Kubectl::new(&session.cluster);
    let mut plan = Plan {
        change: change.clone(),
        targets: targets.to_vec(),
        says: vec![headline(session, change, targets)],
        kubectl: Vec::new(),
        refused: refusal(session, change, targets).await,
        must_type: must_type(session, change, targets),
    };
    for at in targets.iter().take(MAX_NAMED) {
        // what cannot be read is found out when it is changed; the plan says so now
        match session.read(at).await {
            Ok(object) => {
                plan.says.extend(details(session, change, at, &object).await);
                plan.kubectl.extend(lines(session, &kubectl, change, at, &object).await);
            }
            Err(why) => plan.refused = plan.refused.or(Some(why)),
        }
    }
    if targets.len() > MAX_NAMED {
        plan.says.push(format!("and {} more", targets.len() - MAX_NAMED));
    }
    Ok(plan)
}

/// Makes a change.
///
/// # Errors
/// A sentence when nothing was done at all.
pub async fn make(session: &Session, change: &Change, targets: &[ObjectRef]) -> Result<Results, String> {
    if let Some(why) = refusal(session, change, targets).await {
        return Err(why);
    }
    let mut results = Vec::with_capacity(targets.len());
    for (done, at) in targets.iter().enumerate() {
        if done > 0 {
            session.progress.say(|| format!("{}: {done} of {} done", verb(change), targets.len()));
        }
        let result = match change {
            Change::Restart => restart(session, at).await,
            Change::Scale(count) => scale(session, at, *count).await,
            Change::RollBack(to) => roll_back::roll_back(session, at, *to).await,
            Change::Delete => delete(session, at).await,
            Change::Drain => drain::drain(session, at).await,
            Change::Suspend(is_held) => suspend(session, at, *is_held).await,
            Change::Trigger => trigger(session, at).await,
        };
        results.push((at.clone(), result));
    }
    Ok(results)
}

/// Returns the word for a change: `restart`, `scale`.
pub fn verb(change: &Change) -> &'static str {
    match change {
        Change::Restart => "restart",
        Change::Scale(_) => "scale",
        Change::RollBack(_) => "roll back",
        Change::Delete => "delete",
        Change::Drain => "drain",
        Change::Suspend(true) => "suspend",
        Change::Suspend(false) => "resume",
        Change::Trigger => "trigger",
    }
}

/// Returns whether a change can be made to a kind at all.
pub fn fits(change: &Change, kind: Kind) -> bool {
    let is_rolled = matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet);
    match change {
        Change::Restart | Change::RollBack(_) => is_rolled,
        Change::Scale(_) => matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::ReplicaSet),
        Change::Delete => !matches!(kind, Kind::Event | Kind::Node),
        Change::Drain => is_rolled || matches!(kind, Kind::ReplicaSet | Kind::Job | Kind::Pod | Kind::Node),
        Change::Suspend(_) => matches!(kind, Kind::CronJob | Kind::Job),
        Change::Trigger => kind == Kind::CronJob,
    }
}

/// A right that a change needs: verb, group, resource, subresource.
type Right = (&'static str, String, String, &'static str);

fn right(session: &Session, change: &Change, kind: Kind) -> Result<Right, String> {
    let resource = session.resource(kind)?;
    let (group, plural) = (resource.group, resource.plural);
    let pods = || (String::new(), "pods".to_owned());
    Ok(match change {
        Change::Restart | Change::RollBack(_) | Change::Suspend(_) => ("patch", group, plural, ""),
        Change::Scale(_) => ("patch", group, plural, "scale"),
        Change::Delete => ("delete", group, plural, ""),
        Change::Drain => ("create", pods().0, pods().1, "eviction"),
        Change::Trigger => ("create", "batch".to_owned(), "jobs".to_owned(), ""),
    })
}

/// Returns why a change may not be made; `None` when it may.
async fn refusal(session: &Session, change: &Change, targets: &[ObjectRef]) -> Option<String> {
    if targets.len() > MAX_TARGETS {
        return Some(format!(
            "{} objects are too many for one change: mark at most {MAX_TARGETS}",
            targets.len()
        ));
    }
    if let Some(why) = session.locked() {
        return Some(why);
    }
    if let Some(at) = targets.iter().find(|at| !fits(change, at.kind)) {
        return Some(format!("{} cannot be changed so: {} does not fit", session.called(at), verb(change)));
    }
    let mut asked: Vec<(Right, &str)> = Vec::new();
    for at in targets {
        let right = match right(session, change, at.kind) {
            Ok(right) => right,
            Err(why) => return Some(why),
        };
        // pods of a node live in any namespace
        let namespace = if at.kind == Kind::Node { "" } else { &*at.namespace };
        if asked.iter().any(|(other, place)| *other == right && *place == namespace) {
            continue;
        }
        let (verb, group, resource, subresource) = &right;
        if let Err(why) = session.check(verb, (group, resource, subresource), namespace).await {
            return Some(why);
        }
        asked.push((right, namespace));
    }
    None
}

fn must_type(session: &Session, change: &Change, targets: &[ObjectRef]) -> Option<String> {
    let is_asked = *change == Change::Delete && session.cluster.is_protected;
    is_asked.then(|| match targets {
        [one] => one.name.to_string(),
        _ => session.cluster.name.to_string(),
    })
}

/// Returns what is changed, how many and where.
fn headline(session: &Session, change: &Change, targets: &[ObjectRef]) -> String {
    let mut kinds: Vec<(Kind, usize)> = Vec::new();
    let mut namespaces: Vec<&str> = Vec::new();
    for at in targets {
        match kinds.iter_mut().find(|(kind, _)| *kind == at.kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((at.kind, 1)),
        }
        if !namespaces.contains(&&*at.namespace) {
            namespaces.push(&at.namespace);
        }
    }
    let what: Vec<String> = match targets {
        [one] => vec![session.called(one)],
        _ => kinds
            .iter()
            .map(|(kind, count)| {
                let plural = session.resource(*kind).map_or_else(|_| "objects".to_owned(), |r| r.plural);
                if *count == 1 { format!("1 {}", session.word(*kind)) } else { format!("{count} {plural}") }
            })
            .collect(),
    };
    let place = match namespaces.as_slice() {
        [one] => session.place(one),
        many => format!("{} namespaces of cluster `{}`", many.len(), session.cluster.name),
    };
    format!("{} {} in {place}", verb(change), what.join(", "))
}

/// Returns what happens to one target.
async fn details(session: &Session, change: &Change, at: &ObjectRef, object: &Value) -> Vec<String> {
    let name = &at.name;
    let pods = replicas(object, at.kind);
    let count = |count: i64| if count == 1 { "1 pod".to_owned() } else { format!("{count} pods") };
    match change {
        Change::Restart if is_paused(object) => {
            vec![format!("`{name}` is paused: its pods are replaced when it is resumed")]
        }
        Change::Restart if text(object, "/spec/updateStrategy/type") == "OnDelete" => {
            vec![format!("`{name}` replaces pods only when they are deleted (OnDelete)")]
        }
        Change::Restart => vec![format!("`{name}`: {} replaced step by step", count(pods))],
        Change::Scale(wanted) => {
            let mut says = vec![format!("`{name}`: from {pods} to {wanted} pods")];
            if *wanted == 0 {
                says.push(format!("`{name}` serves nothing with 0 pods"));
            }
            says.extend(autoscaler(session, at).await);
            says
        }
        Change::RollBack(to) => roll_back::says(session, at, object, *to).await,
        Change::Delete => vec![deletion(session, at, object, pods)],
        Change::Drain => drain::says(session, at, object).await,
        Change::Suspend(true) => {
            vec![format!("`{name}`: no new jobs until it is resumed; what runs goes on")]
        }
        Change::Suspend(false) => {
            vec![format!("`{name}`: goes on as scheduled: {}", text(object, "/spec/schedule"))]
        }
        Change::Trigger => vec![format!("`{name}`: one job now, beside its schedule")],
    }
}

fn deletion(session: &Session, at: &ObjectRef, object: &Value, pods: i64) -> String {
    let name = &at.name;
    let owner = super::ask::list(object, "/metadata/ownerReferences").first();
    let again = owner.map(|owner| {
        format!("; {} `{}` makes another one", text(owner, "/kind").to_lowercase(), text(owner, "/name"))
    });
    match at.kind {
        Kind::Pod => format!(
            "`{name}`: its containers are stopped{}",
            again.unwrap_or("; nothing makes it again".into())
        ),
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet => {
            format!("`{name}` and its {pods} pods are deleted{}", again.unwrap_or_default())
        }
        Kind::Job | Kind::CronJob => {
            format!("`{name}`, its jobs and pods are deleted{}", again.unwrap_or_default())
        }
        Kind::PersistentVolumeClaim => format!("`{name}`: the data may be lost, as its volume says"),
        kind => format!("{} `{name}` is deleted{}", session.word(kind), again.unwrap_or_default()),
    }
}

async fn autoscaler(session: &Session, at: &ObjectRef) -> Option<String> {
    let all = session.list(Kind::HorizontalPodAutoscaler, &at.namespace, &[]).await.ok()?;
    let kind = session.resource(at.kind).ok()?.kind;
    let is_its = |scaler: &&Value| {
        text(scaler, "/spec/scaleTargetRef/name") == &*at.name
            && text(scaler, "/spec/scaleTargetRef/kind") == kind
    };
    let scaler = all.iter().find(is_its)?;
    let (min, max) = (number(scaler, "/spec/minReplicas").unwrap_or(1), number(scaler, "/spec/maxReplicas"));
    Some(format!(
        "the autoscaler `{}` changes that again: it keeps {min} to {} pods",
        text(scaler, "/metadata/name"),
        max.unwrap_or(min)
    ))
}

fn is_paused(object: &Value) -> bool {
    object.pointer("/spec/paused").and_then(Value::as_bool) == Some(true)
}

fn replicas(object: &Value, kind: Kind) -> i64 {
    match kind {
        Kind::DaemonSet => number(object, "/status/desiredNumberScheduled").unwrap_or(0),
        Kind::Deployment | Kind::StatefulSet | Kind::ReplicaSet => {
            number(object, "/spec/replicas").unwrap_or(1)
        }
        _ => 0,
    }
}

/// Returns the same with kubectl.
async fn lines(
    session: &Session,
    kubectl: &Kubectl,
    change: &Change,
    at: &ObjectRef,
    object: &Value,
) -> Vec<String> {
    let word = session.word(at.kind);
    let act = match change {
        Change::Restart => Act::Restart,
        Change::Scale(count) => Act::Scale(*count),
        Change::RollBack(to) => Act::RollBack(*to),
        Change::Delete => Act::Delete,
        Change::Suspend(is_held) => Act::Suspend(*is_held),
        Change::Trigger => Act::Trigger { job: job_name(&at.name, session) },
        Change::Drain => return drain::lines(session, kubectl, at, object).await,
    };
    vec![kubectl.line(&word, at, &act)]
}

async fn patch(
    session: &Session,
    at: &ObjectRef,
    subresource: &str,
    kind: &str,
    body: &Value,
) -> Result<Value, String> {
    let resource = session.resource(at.kind)?;
    let sent =
        session.at_object(&resource, &at.namespace, &at.name, subresource, Method::PATCH, Some((kind, body)));
    sent.await.map_err(|fault| {
        let doing = format!("could not change {} in {}", session.called(at), session.place(&at.namespace));
        session.explain(&fault, &doing, "patch", &resource.plural, &at.namespace)
    })
}

async fn restart(session: &Session, at: &ObjectRef) -> Result<String, String> {
    let object = session.read(at).await?;
    if is_paused(&object) {
        return Err(format!(
            "{} is paused: its pods are not replaced before it is resumed (kubectl rollout resume)",
            session.called(at)
        ));
    }
    let now = session.now.round(jiff::Unit::Second).unwrap_or(session.now).to_string();
    let annotations = json!({"kubectl.kubernetes.io/restartedAt": now});
    let body = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
    patch(session, at, "", STRATEGIC, &body).await?;
    Ok(format!("restarting {}", session.called(at)))
}

async fn scale(session: &Session, at: &ObjectRef, count: u32) -> Result<String, String> {
    let before = session.read(at).await.ok().map(|object| replicas(&object, at.kind));
    let body = json!({"spec": {"replicas": count}});
    if let Err(why) = patch(session, at, "scale", MERGE, &body).await {
        // not every proxy and server in between passes subresources; the number is the same field
        patch(session, at, "", MERGE, &body).await.map_err(|_| why)?;
    }
    let from = before.map(|before| format!("from {before} ")).unwrap_or_default();
    Ok(format!("scaling {} {from}to {count} pods", session.called(at)))
}

async fn delete(session: &Session, at: &ObjectRef) -> Result<String, String> {
    let resource = session.resource(at.kind)?;
    // jobs of old API versions would leave their pods behind
    let body = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"});
    let sent =
        session.at_object(&resource, &at.namespace, &at.name, "", Method::DELETE, Some((JSON, &body))).await;
    sent.map(|_| format!("deleted {}", session.called(at))).map_err(|fault| {
        let doing = format!("could not delete {} in {}", session.called(at), session.place(&at.namespace));
        session.explain(&fault, &doing, "delete", &resource.plural, &at.namespace)
    })
}

async fn suspend(session: &Session, at: &ObjectRef, is_held: bool) -> Result<String, String> {
    patch(session, at, "", MERGE, &json!({"spec": {"suspend": is_held}})).await?;
    Ok(format!("{} {}", if is_held { "suspended" } else { "resumed" }, session.called(at)))
}

/// Returns a name for a job of a cron job, new with every second.
fn job_name(cron_job: &str, session: &Session) -> String {
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // names of jobs become labels of their pods: 63 characters, with a suffix for the pod behind them
    let stem: String = cron_job.chars().take(40).collect();
    let mut seconds = session.now.as_second().unsigned_abs();
    let mut suffix = String::new();
    while seconds > 0 {
        let digit = DIGITS.get((seconds % 36) as usize).copied().unwrap_or(b'0');
        suffix.insert(0, char::from(digit));
        seconds /= 36;
    }
    format!("{}-manual-{suffix}", stem.trim_end_matches(['-', '.']))
}

async fn trigger(session: &Session, at: &ObjectRef) -> Result<String, String> {
    let cron_job = session.read(at).await?;
    let body = job_of(&cron_job, &job_name(&at.name, session));
    let resource = session.resource(Kind::Job)?;
    let sent = session.at_object(&resource, &at.namespace, "", "", Method::POST, Some((JSON, &body))).await;
    let made = sent.map_err(|fault| {
        let doing =
            format!("could not make a job of {} in {}", session.called(at), session.place(&at.namespace));
        session.explain(&fault, &doing, "create", "jobs", &at.namespace)
    })?;
    Ok(format!("made job `{}` of {}", text(&made, "/metadata/name"), session.called(at)))
}

/// Returns a job of a cron job's template, as kubectl makes it.
fn job_of(cron_job: &Value, name: &str) -> Value {
    let template = cron_job.pointer("/spec/jobTemplate").cloned().unwrap_or_default();
    let part = |at: &str| template.pointer(at).filter(|part| part.is_object()).cloned().unwrap_or(json!({}));
    let mut annotations = part("/metadata/annotations");
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.insert("cronjob.kubernetes.io/instantiate".to_owned(), "manual".into());
    }
    let api = Some(text(cron_job, "/apiVersion")).filter(|api| !api.is_empty()).unwrap_or("batch/v1");
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": text(cron_job, "/metadata/namespace"),
            "annotations": annotations,
            "labels": part("/metadata/labels"),
            "ownerReferences": [{
                "apiVersion": api,
                "kind": "CronJob",
                "name": text(cron_job, "/metadata/name"),
                "uid": text(cron_job, "/metadata/uid"),
                "controller": true,
            }],
        },
        "spec": part("/spec"),
    })
}

#[cfg(test)]
mod tests;
