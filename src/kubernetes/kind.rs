//! The kinds of objects that are looked at: one row each.

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// v1
    Pod,
    /// apps/v1
    Deployment,
    /// apps/v1
    StatefulSet,
    /// apps/v1
    DaemonSet,
    /// apps/v1
    ReplicaSet,
    /// batch/v1
    Job,
    /// batch/v1
    CronJob,
    /// autoscaling/v2
    HorizontalPodAutoscaler,
    /// v1
    Service,
    /// networking.k8s.io/v1
    Ingress,
    /// v1
    ConfigMap,
    /// v1; values are never kept
    Secret,
    /// v1
    PersistentVolumeClaim,
    /// v1
    PersistentVolume,
    /// v1
    LimitRange,
    /// v1
    ResourceQuota,
    /// v1
    Node,
    /// v1
    Event,
    /// A custom resource: index into [`super::State::custom`].
    Custom(u16),
}

/// What is known of a built-in kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KindSpec {
    /// Which one.
    pub kind: Kind,
    /// As in `kind:`.
    pub name: &'static str,
    /// As in paths.
    pub plural: &'static str,
    /// API group; empty for the core.
    pub group: &'static str,
    /// Version asked for first.
    pub version: &'static str,
    /// Lives in a namespace.
    pub is_namespaced: bool,
    /// kubectl's short names.
    pub short: &'static [&'static str],
    /// Watched from the first connection on, because health needs it; others when a place shows them.
    pub is_basic: bool,
}

const fn row(
    kind: Kind,
    name: &'static str,
    plural: &'static str,
    (group, version): (&'static str, &'static str),
    short: &'static [&'static str],
    is_basic: bool,
) -> KindSpec {
    let is_namespaced = !matches!(kind, Kind::Node | Kind::PersistentVolume);
    KindSpec { kind, name, plural, group, version, is_namespaced, short, is_basic }
}

const APPS: (&str, &str) = ("apps", "v1");
const BATCH: (&str, &str) = ("batch", "v1");
const CORE: (&str, &str) = ("", "v1");

/// All built-in kinds, in the order in which places show them.
pub const ALL: &[KindSpec] = &[
    row(Kind::Pod, "Pod", "pods", CORE, &["po"], true),
    row(Kind::Deployment, "Deployment", "deployments", APPS, &["deploy"], true),
    row(Kind::StatefulSet, "StatefulSet", "statefulsets", APPS, &["sts"], true),
    row(Kind::DaemonSet, "DaemonSet", "daemonsets", APPS, &["ds"], true),
    row(Kind::ReplicaSet, "ReplicaSet", "replicasets", APPS, &["rs"], true),
    row(Kind::Job, "Job", "jobs", BATCH, &[], true),
    row(Kind::CronJob, "CronJob", "cronjobs", BATCH, &["cj"], true),
    row(
        Kind::HorizontalPodAutoscaler,
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        ("autoscaling", "v2"),
        &["hpa"],
        true,
    ),
    row(Kind::Service, "Service", "services", CORE, &["svc"], false),
    row(Kind::Ingress, "Ingress", "ingresses", ("networking.k8s.io", "v1"), &["ing"], false),
    row(Kind::ConfigMap, "ConfigMap", "configmaps", CORE, &["cm"], false),
    row(Kind::Secret, "Secret", "secrets", CORE, &[], false),
    row(Kind::PersistentVolumeClaim, "PersistentVolumeClaim", "persistentvolumeclaims", CORE, &["pvc"], true),
    row(Kind::PersistentVolume, "PersistentVolume", "persistentvolumes", CORE, &["pv"], false),
    row(Kind::LimitRange, "LimitRange", "limitranges", CORE, &["limits"], false),
    row(Kind::ResourceQuota, "ResourceQuota", "resourcequotas", CORE, &["quota"], false),
    row(Kind::Node, "Node", "nodes", CORE, &["no"], true),
    row(Kind::Event, "Event", "events", CORE, &["ev"], false),
];

impl Kind {
    /// Returns the row of a built-in kind.
    pub fn spec(self) -> Option<&'static KindSpec> {
        ALL.iter().find(|row| row.kind == self)
    }

    /// Finds a built-in kind by name, plural or short name, in any case.
    pub fn find(word: &str) -> Option<Self> {
        let is_named = |row: &&KindSpec| {
            row.name.eq_ignore_ascii_case(word)
                || row.plural.eq_ignore_ascii_case(word)
                || row.short.iter().any(|short| short.eq_ignore_ascii_case(word))
        };
        ALL.iter().find(is_named).map(|row| row.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_by_any_of_its_names() {
        let cases =
            [("po", Kind::Pod), ("Deployments", Kind::Deployment), ("NO", Kind::Node), ("job", Kind::Job)];
        for (word, kind) in cases {
            assert_eq!(Kind::find(word), Some(kind), "{word}");
        }
        assert_eq!(Kind::find("frob"), None);
    }

    #[test]
    fn no_word_names_two_kinds() {
        let mut words: Vec<String> = ALL
            .iter()
            .flat_map(|row| row.short.iter().copied().chain([row.name, row.plural]))
            .map(str::to_lowercase)
            .collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
