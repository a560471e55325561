//! What is known of all clusters at one moment: immutable, shared, cheap to replace in part.

use super::cluster::{Cluster, CustomResource};
use super::health::Health;
use super::kind::Kind;
use super::object::{Object, ObjectRef, Resources};
use super::select::Locator;
use super::starting::AllBlocked;
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All clusters at one moment.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Clusters, by name.
    pub clusters: Arc<[Arc<ClusterState>]>,
    /// Custom resources that [`Kind::Custom`] counts into.
    pub custom: Arc<[CustomResource]>,
    /// Which clusters an entity is looked for in.
    pub locator: Locator,
    /// How the entities with Kubernetes annotations are, by canonical ref.
    pub health: Arc<BTreeMap<Arc<str>, Arc<Health>>>,
    /// Port-forwards of this session, in the order they were made.
    pub forwards: Arc<[Forward]>,
    /// Environments whose protection is lifted, until when.
    pub unlocked: Arc<[(Arc<str>, Timestamp)]>,
}

/// One cluster at one moment.
#[derive(Debug, Clone)]
pub struct ClusterState {
    /// Which one.
    pub cluster: Arc<Cluster>,
    /// How the connection is.
    pub phase: Phase,
    /// Version of its server; empty until it said so.
    pub version: Arc<str>,
    /// Who we are for it; empty until it said so.
    pub user: Arc<str>,
    /// What is watched, by kind.
    pub tables: BTreeMap<Kind, Table>,
    /// Use of pods, by namespace and name.
    pub metrics: Metrics,
    /// How far its clock is ahead of ours, in seconds.
    pub clock_skew: i64,
    /// Why pods do not start, by uid, where only events tell.
    pub blocked: Arc<AllBlocked>,
}

/// How the connection to a cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    /// Not asked for yet.
    Idle,
    /// The first answer is awaited, since when.
    Connecting(Timestamp),
    /// It answers.
    Live,
    /// It does not; what was known stays.
    Down {
        /// Since when.
        since: Timestamp,
        /// Why, in a sentence for people.
        cause: String,
        /// When it is tried again by itself.
        retry: Option<Timestamp>,
    },
}

/// Namespace and name.
pub type Named = (Arc<str>, Arc<str>);

/// What is known of the objects of a kind.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Objects by namespace and name.
    pub objects: Arc<BTreeMap<Named, Arc<Object>>>,
    /// Whether that is all, and how fresh.
    pub watch: Watch,
}

/// How a watch is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Watch {
    /// Nobody asked.
    #[default]
    None,
    /// The first list is being read.
    Loading,
    /// All objects are there and changes arrive.
    Live,
    /// Changes arrive, but only of these namespaces: a list over all is forbidden.
    Partial {
        /// Namespaces that are watched.
        namespaces: Vec<Arc<str>>,
        /// What is forbidden.
        forbidden: Forbidden,
    },
    /// Changes do not arrive; what is there is as old as this.
    Stale {
        /// Since when.
        since: Timestamp,
        /// Why, in a sentence for people.
        cause: String,
    },
    /// We may not.
    Forbidden(Forbidden),
    /// The server does not know the kind.
    Missing,
}

/// Something we may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// `list`.
    pub verb: String,
    /// `pods`, `pods/log`.
    pub resource: String,
    /// Where; empty for all namespaces.
    pub namespace: String,
    /// Who we are there.
    pub user: String,
    /// What to ask for and whom, in a sentence for people.
    pub remedy: String,
}

/// What metrics.k8s.io says.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    /// Whether there are any; or why not.
    pub status: MetricsStatus,
    /// Use by namespace and pod: per container, newest last.
    pub pods: Arc<FxHashMap<Named, PodUse>>,
    /// Use by node.
    pub nodes: Arc<FxHashMap<Arc<str>, Resources>>,
}

/// Whether there are metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum MetricsStatus {
    /// Not asked yet.
    #[default]
    Unknown,
    /// Read at this time.
    Read(Timestamp),
    /// metrics-server is not installed.
    Missing,
    /// Asking failed; why.
    Failed(String),
}

/// What a pod uses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PodUse {
    /// By container.
    pub containers: Box<[(Arc<str>, Resources)]>,
    /// All containers together since the session began, newest last; a bounded number.
    pub history: Box<[Resources]>,
}

/// A port-forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Number of this session.
    pub id: u32,
    /// The pod or service.
    pub target: ObjectRef,
    /// Port on this machine.
    pub local: u16,
    /// Port of the pod.
    pub remote: u16,
    /// Connections made so far.
    pub connections: u32,
    /// Bytes in and out so far.
    pub bytes: (u64, u64),
    /// Why it does not work; `None` while it does.
    pub problem: Option<String>,
}

impl State {
    /// Returns a cluster by name.
    pub fn cluster(&self, name: &str) -> Option<&Arc<ClusterState>> {
        self.clusters.iter().find(|state| &*state.cluster.name == name)
    }

    /// Returns an object.
    pub fn object(&self, at: &ObjectRef) -> Option<&Arc<Object>> {
        let table = self.cluster(&at.cluster)?.tables.get(&at.kind)?;
        table.objects.get(&(at.namespace.clone(), at.name.clone()))
    }

    /// Returns how a person writes an object: `pod/shop/checkout-7d@prod-eu`; the namespace is left out where
    /// there is none.
    pub fn ref_text(&self, at: &ObjectRef) -> String {
        let kind = self.kind_word(at.kind);
        let namespace = if at.namespace.is_empty() { String::new() } else { format!("{}/", at.namespace) };
        format!("{kind}/{namespace}{}@{}", at.name, at.cluster)
    }

    /// Reads what [`Self::ref_text`] writes; any name of a kind will do. `None` when it is no such text.
    pub fn parse_ref(&self, text: &str) -> Option<ObjectRef> {
        // names of objects have no `@`, names of clusters may have anything
        let (path, cluster) = text.split_once('@')?;
        let mut parts = path.split('/');
        let kind = self.find_kind(parts.next()?)?;
        let first = parts.next()?;
        let (namespace, name) = parts.next().map_or(("", first), |name| (first, name));
        let is_whole = parts.next().is_none() && !name.is_empty() && !cluster.is_empty();
        is_whole.then(|| ObjectRef {
            cluster: cluster.into(),
            kind,
            namespace: namespace.into(),
            name: name.into(),
        })
    }

    /// Returns the word for a kind: `pod`, `deployment`, `rollouts.argoproj.io`.
    pub fn kind_word(&self, kind: Kind) -> String {
        match (kind.spec(), kind) {
            (Some(spec), _) => spec.name.to_lowercase(),
            (None, Kind::Custom(at)) => self.custom.get(usize::from(at)).map_or_else(
                || format!("custom{at}"),
                |custom| format!("{}.{}", custom.plural, custom.group),
            ),
            (None, _) => String::new(),
        }
    }

    /// Finds a kind by any of its names: a built-in one, or the plural of a custom resource with or without its
    /// group.
    pub fn find_kind(&self, word: &str) -> Option<Kind> {
        Kind::find(word).or_else(|| {
            let is_named = |custom: &CustomResource| {
                let plural = custom.plural.as_str();
                plural.eq_ignore_ascii_case(word)
                    || word.split_once('.').is_some_and(|(first, group)| {
                        plural.eq_ignore_ascii_case(first) && custom.group.eq_ignore_ascii_case(group)
                    })
            };
            self.custom.iter().position(is_named).map(|at| Kind::Custom(at as u16))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_and_read_again() {
        let custom = CustomResource {
            group: "argoproj.io".to_owned(),
            version: "v1alpha1".to_owned(),
            plural: "rollouts".to_owned(),
        };
        let state = State { custom: Arc::new([custom]), ..State::default() };
        for (text, kind) in [
            ("pod/shop/checkout-7d@prod-eu", Kind::Pod),
            ("node/worker-1@arn:aws:eks:eu:1:cluster/prod", Kind::Node),
            ("rollouts.argoproj.io/shop/web@admin@home lab", Kind::Custom(0)),
        ] {
            let at = state.parse_ref(text).unwrap();
            assert_eq!((at.kind, state.ref_text(&at).as_str()), (kind, text));
        }
        assert_eq!(state.parse_ref("po/shop/a@c").map(|at| at.kind), Some(Kind::Pod));
        for wrong in ["pod/shop/a", "frob/shop/a@c", "pod/@c", "pod/a/b/c@d", "pod/a@", ""] {
            assert_eq!(state.parse_ref(wrong), None, "{wrong}");
        }
    }
}
