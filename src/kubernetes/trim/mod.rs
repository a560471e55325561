//! From what a server sends to an [`Object`](super::Object): only what tables, health and selection need.
//!
//! [`Raw`] is read from the wire (it is the object type of lists and watches), [`object`] makes an object of it.
//! Nothing here fails: absent, ill-typed and unknown parts read as absent, texts and lists are cut at a limit.
//! Older versions of an API read the same. Start at [`object`].

mod certificate;
mod other;
mod part;
mod pod;
mod pool;
mod raw;
#[cfg(test)]
mod tests;
mod workload;

pub use pool::Pool;
pub use raw::Raw;

use super::kind::Kind;
use super::object::{Condition, Facts, Object, Owner, Resources};
use part::Part;

/// Makes an object of a kind; strings that repeat come from the pool.
pub fn object(kind: Kind, raw: &Raw, pool: &Pool) -> Object {
    let meta = raw.part().at("metadata");
    Object {
        kind,
        namespace: meta.shared("namespace", pool),
        name: meta.word("name").into(),
        uid: meta.word("uid").into(),
        created: meta.time("creationTimestamp"),
        deleted: meta.time("deletionTimestamp"),
        labels: labels(meta, pool),
        owners: meta.list("ownerReferences").map(|owner| self::owner(owner, pool)).collect(),
        facts: facts(kind, raw, pool),
    }
}

/// Reads amounts of `cpu` and `memory`, as metrics and limits write them.
pub fn amounts(value: Option<&serde_json::Value>) -> Resources {
    pod::amounts(Part(value))
}

fn facts(kind: Kind, raw: &Raw, pool: &Pool) -> Facts {
    let part = raw.part();
    match kind {
        Kind::Pod => Facts::Pod(Box::new(pod::pod(part, pool))),
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet => {
            Facts::Workload(Box::new(workload::workload(part, pool)))
        }
        Kind::Job => Facts::Job(Box::new(workload::job(part, pool))),
        Kind::CronJob => Facts::CronJob(Box::new(workload::cron_job(part))),
        Kind::HorizontalPodAutoscaler => Facts::Autoscaler(Box::new(workload::autoscaler(part, pool))),
        Kind::Service => Facts::Service(Box::new(other::service(part, pool))),
        Kind::Ingress => Facts::Ingress(Box::new(other::ingress(part, pool))),
        Kind::ConfigMap | Kind::Secret => Facts::Keys(Box::new(other::keys(kind, raw, pool))),
        Kind::PersistentVolumeClaim | Kind::PersistentVolume => {
            Facts::Volume(Box::new(other::volume(part, pool)))
        }
        Kind::LimitRange => Facts::Other(other::limits(part)),
        Kind::ResourceQuota => Facts::Other(other::quota(part)),
        Kind::Node => Facts::Node(Box::new(other::node(part, pool))),
        Kind::Event => Facts::Event(Box::new(other::event(part, pool))),
        Kind::Custom(_) if workload::is_rollout(part) => {
            Facts::Workload(Box::new(workload::workload(part, pool)))
        }
        Kind::Custom(_) => Facts::Other(other::custom(part)),
    }
}

fn labels(meta: Part<'_>, pool: &Pool) -> Box<[(std::sync::Arc<str>, std::sync::Arc<str>)]> {
    let label = |(key, value): (&str, Part<'_>)| {
        (pool.share(part::cut(key, part::LONGEST_WORD)), pool.share(value.text().map_or("", cut_word)))
    };
    let mut labels: Vec<_> = meta.map("labels").map(label).collect();
    labels.sort_unstable();
    labels.into()
}

fn cut_word(text: &str) -> &str {
    part::cut(text, part::LONGEST_WORD)
}

fn owner(part: Part<'_>, pool: &Pool) -> Owner {
    Owner { kind: part.shared("kind", pool), name: part.shared("name", pool), uid: part.shared("uid", pool) }
}

fn conditions(status: Part<'_>, pool: &Pool) -> Box<[Condition]> {
    let condition = |part: Part<'_>| Condition {
        name: part.shared("type", pool),
        status: part.shared("status", pool),
        reason: part.shared("reason", pool),
        message: part.message("message"),
        since: part.time("lastTransitionTime"),
    };
    status.list("conditions").map(condition).collect()
}
