//! The kinds of objects the servers know: one row each.

/// A kind of object. The order is the one of [`ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(usize)]
#[allow(missing_docs, reason = "the rows of `ALL` say it")]
pub enum R {
    Namespace,
    Node,
    Pod,
    Service,
    Endpoints,
    ConfigMap,
    Secret,
    Event,
    PersistentVolumeClaim,
    PersistentVolume,
    LimitRange,
    ResourceQuota,
    ServiceAccount,
    ReplicationController,
    Deployment,
    ReplicaSet,
    StatefulSet,
    DaemonSet,
    ControllerRevision,
    Job,
    CronJob,
    HorizontalPodAutoscaler,
    Ingress,
    PodDisruptionBudget,
    StorageClass,
    Rollout,
}

/// What is known of a kind.
#[derive(Debug, PartialEq, Eq)]
pub struct Resource {
    /// Which one.
    pub id: R,
    /// API group; empty for the core.
    pub group: &'static str,
    /// Version.
    pub version: &'static str,
    /// As in paths.
    pub plural: &'static str,
    /// As in `kind:`.
    pub kind: &'static str,
    /// Short names.
    pub short: &'static [&'static str],
    /// Lives in a namespace.
    pub is_namespaced: bool,
    /// Subresources with the kind they speak.
    pub subresources: &'static [(&'static str, &'static str)],
    /// Part of `kubectl get all`.
    pub is_in_all: bool,
}

const fn row(
    id: R,
    (group, version): (&'static str, &'static str),
    plural: &'static str,
    kind: &'static str,
    short: &'static [&'static str],
    subresources: &'static [(&'static str, &'static str)],
) -> Resource {
    let is_namespaced = !matches!(id, R::Namespace | R::Node | R::PersistentVolume | R::StorageClass);
    let is_in_all = matches!(
        id,
        R::Pod
            | R::Service
            | R::Deployment
            | R::ReplicaSet
            | R::StatefulSet
            | R::DaemonSet
            | R::Job
            | R::CronJob
            | R::HorizontalPodAutoscaler
            | R::ReplicationController
    );
    Resource { id, group, version, plural, kind, short, is_namespaced, subresources, is_in_all }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const BATCH: (&str, &str) = ("batch", "v1");
const SCALE: (&str, &str) = ("scale", "Scale");

/// All kinds.
pub static ALL: &[Resource] = &[
    row(R::Namespace, CORE, "namespaces", "Namespace", &["ns"], &[("status", "Namespace")]),
    row(R::Node, CORE, "nodes", "Node", &["no"], &[("status", "Node")]),
    row(
        R::Pod,
        CORE,
        "pods",
        "Pod",
        &["po"],
        &[
            ("attach", "PodAttachOptions"),
            ("eviction", "Eviction"),
            ("exec", "PodExecOptions"),
            ("log", "Pod"),
            ("portforward", "PodPortForwardOptions"),
            ("status", "Pod"),
        ],
    ),
    row(R::Service, CORE, "services", "Service", &["svc"], &[("status", "Service")]),
    row(R::Endpoints, CORE, "endpoints", "Endpoints", &["ep"], &[]),
    row(R::ConfigMap, CORE, "configmaps", "ConfigMap", &["cm"], &[]),
    row(R::Secret, CORE, "secrets", "Secret", &[], &[]),
    row(R::Event, CORE, "events", "Event", &["ev"], &[]),
    row(
        R::PersistentVolumeClaim,
        CORE,
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
        &["pvc"],
        &[("status", "PersistentVolumeClaim")],
    ),
    row(R::PersistentVolume, CORE, "persistentvolumes", "PersistentVolume", &["pv"], &[]),
    row(R::LimitRange, CORE, "limitranges", "LimitRange", &["limits"], &[]),
    row(R::ResourceQuota, CORE, "resourcequotas", "ResourceQuota", &["quota"], &[]),
    row(R::ServiceAccount, CORE, "serviceaccounts", "ServiceAccount", &["sa"], &[]),
    row(R::ReplicationController, CORE, "replicationcontrollers", "ReplicationController", &["rc"], &[]),
    row(R::Deployment, APPS, "deployments", "Deployment", &["deploy"], &[SCALE, ("status", "Deployment")]),
    row(R::ReplicaSet, APPS, "replicasets", "ReplicaSet", &["rs"], &[SCALE, ("status", "ReplicaSet")]),
    row(R::StatefulSet, APPS, "statefulsets", "StatefulSet", &["sts"], &[SCALE, ("status", "StatefulSet")]),
    row(R::DaemonSet, APPS, "daemonsets", "DaemonSet", &["ds"], &[("status", "DaemonSet")]),
    row(R::ControllerRevision, APPS, "controllerrevisions", "ControllerRevision", &[], &[]),
    row(R::Job, BATCH, "jobs", "Job", &[], &[("status", "Job")]),
    row(R::CronJob, BATCH, "cronjobs", "CronJob", &["cj"], &[("status", "CronJob")]),
    row(
        R::HorizontalPodAutoscaler,
        ("autoscaling", "v2"),
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        &["hpa"],
        &[("status", "HorizontalPodAutoscaler")],
    ),
    row(R::Ingress, ("networking.k8s.io", "v1"), "ingresses", "Ingress", &["ing"], &[("status", "Ingress")]),
    row(
        R::PodDisruptionBudget,
        ("policy", "v1"),
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        &["pdb"],
        &[("status", "PodDisruptionBudget")],
    ),
    row(R::StorageClass, ("storage.k8s.io", "v1"), "storageclasses", "StorageClass", &["sc"], &[]),
    row(R::Rollout, ("argoproj.io", "v1alpha1"), "rollouts", "Rollout", &["ro"], &[("status", "Rollout")]),
];

/// What may be done to an object of any kind.
pub const VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

impl R {
    /// Returns the row.
    pub fn row(self) -> &'static Resource {
        static NOTHING: Resource = row(R::Namespace, CORE, "namespaces", "Namespace", &[], &[]);
        ALL.get(self as usize).unwrap_or(&NOTHING)
    }
}

impl Resource {
    /// Returns `apps/v1`, `v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Returns the name with its group, as errors say it: `deployments.apps`.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Returns the name of one, as discovery says it.
    pub fn singular(&self) -> String {
        self.kind.to_lowercase()
    }
}

/// Finds a kind by its place in paths.
pub fn find(group: &str, version: &str, plural: &str) -> Option<R> {
    let is_it = |row: &&Resource| row.group == group && row.version == version && row.plural == plural;
    ALL.iter().find(is_it).map(|row| row.id)
}

/// Finds a kind by what an object says of itself.
pub fn find_kind(api_version: &str, kind: &str) -> Option<R> {
    ALL.iter().find(|row| row.kind == kind && row.api_version() == api_version).map(|row| row.id)
}

/// Returns groups with their versions, in the order of the table.
pub fn groups() -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<(&str, &str)> = Vec::new();
    for row in ALL.iter().filter(|row| !row.group.is_empty()) {
        if !groups.contains(&(row.group, row.version)) {
            groups.push((row.group, row.version));
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_numbers_say() {
        for (at, row) in ALL.iter().enumerate() {
            assert_eq!(row.id as usize, at, "{}", row.plural);
        }
    }

    #[test]
    fn found_by_path_and_by_kind() {
        assert_eq!(find("apps", "v1", "deployments"), Some(R::Deployment));
        assert_eq!(find("apps", "v1beta1", "deployments"), None);
        assert_eq!(find_kind("v1", "Pod"), Some(R::Pod));
        assert_eq!(R::Deployment.row().qualified(), "deployments.apps");
    }
}
