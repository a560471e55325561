//! What pods and nodes use, read from metrics.k8s.io every few seconds.
//!
//! Start at [`Poller::run`]. There is no watch for it. Where reading all namespaces is forbidden, those with known
//! pods are read one by one. A server without it says so once and is asked again after some minutes.

use super::access::Act;
use super::client::fault::{Fault, FaultKind};
use super::hub::keeper::{Keeper, Session, get};
use super::hub::shared::Shared;
use super::kind::Kind;
use super::object::Resources;
use super::quantity;
use super::state::{Metrics, MetricsStatus, PodUse};
use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// How often use is read; metrics-server itself looks about as often.
const EVERY: Duration = Duration::from_secs(15);
/// How often a server is asked that has none.
const ASK_AGAIN: Duration = Duration::from_secs(300);
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Longest history of a pod.
const MAX_HISTORY: usize = 60;
/// Shortest history where pods are many.
const MIN_HISTORY: usize = 10;
/// Values of all histories together: what 2,000 pods need for a full one.
const MAX_VALUES: usize = 120_000;
/// Most namespaces that are read one by one.
const MAX_NAMESPACES: usize = 50;
/// Most containers of a pod that are kept.
const MAX_CONTAINERS: usize = 64;

/// Reads what the pods and nodes of one cluster use.
pub struct Poller {
    /// What the hub shares.
    pub shared: Arc<Shared>,
    /// The cluster's connection.
    pub keeper: Arc<Keeper>,
}

#[derive(Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    items: Vec<T>,
}

#[derive(Deserialize)]
struct PodItem {
    #[serde(default)]
    metadata: Name,
    #[serde(default)]
    containers: Vec<ContainerItem>,
}

#[derive(Deserialize)]
struct NodeItem {
    #[serde(default)]
    metadata: Name,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize, Default)]
struct Name {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Deserialize)]
struct ContainerItem {
    #[serde(default)]
    name: String,
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize, Default)]
struct Usage {
    #[serde(default)]
    cpu: String,
    #[serde(default)]
    memory: String,
}

impl Usage {
    fn resources(&self) -> Resources {
        Resources {
            millicores: quantity::millicores(&self.cpu).unwrap_or(0),
            memory: quantity::bytes(&self.memory).unwrap_or(0),
        }
    }
}

type PodUses = FxHashMap<(Arc<str>, Arc<str>), PodUse>;

impl Poller {
    /// Reads until the hub ends.
    pub async fn run(self) {
        let mut sessions = self.keeper.sessions();
        loop {
            let session = match sessions.wait_for(Option::is_some).await {
                Ok(session) => session.clone(),
                Err(_) => return,
            };
            let Some(session) = session else { continue };
            let wait = match self.read(&session).await {
                Ok(()) => EVERY,
                Err(fault) if fault.kind == FaultKind::NotFound => {
                    self.set_status(MetricsStatus::Missing);
                    ASK_AGAIN
                }
                Err(fault) => {
                    self.set_status(MetricsStatus::Failed(fault.text));
                    EVERY
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn read(&self, session: &Session) -> Result<(), Fault> {
        let (items, nodes) = tokio::join!(self.pods(session), ask::<NodeItem>(session, "nodes"));
        let items = items?;
        // who may not see nodes sees pods
        let nodes = nodes.unwrap_or_default();
        let pool = &self.shared.pool;
        let nodes =
            nodes.iter().map(|node| (pool.share(&node.metadata.name), node.usage.resources())).collect();
        let mut before = None;
        self.shared.board.edit(&self.keeper.cluster.name, |state| {
            before = Some(state.metrics.pods.clone());
            false
        });
        let pods = Arc::new(self.merge(&items, &before.unwrap_or_default()));
        let metrics = Metrics { status: MetricsStatus::Read(Timestamp::now()), pods, nodes: Arc::new(nodes) };
        self.shared.board.edit(&self.keeper.cluster.name, |state| {
            state.metrics = metrics;
            true
        });
        Ok(())
    }

    /// Reads the use of all pods we may see.
    async fn pods(&self, session: &Session) -> Result<Vec<PodItem>, Fault> {
        match ask::<PodItem>(session, "pods").await {
            Err(fault) if fault.kind == FaultKind::Forbidden => {}
            answer => return answer,
        }
        let mut namespaces: BTreeSet<Arc<str>> = BTreeSet::new();
        self.shared.board.edit(&self.keeper.cluster.name, |state| {
            let pods = state.tables.get(&Kind::Pod).map(|table| table.objects.keys());
            namespaces.extend(pods.into_iter().flatten().map(|key| key.0.clone()));
            false
        });
        let mut items = Vec::new();
        let mut refused = None;
        for namespace in namespaces.iter().take(MAX_NAMESPACES) {
            match ask::<PodItem>(session, &format!("namespaces/{namespace}/pods")).await {
                Ok(more) => items.extend(more),
                Err(fault) => refused = Some(fault),
            }
        }
        match refused {
            Some(fault) if items.is_empty() && fault.kind == FaultKind::Forbidden => {
                let act = Act::new("list", ("metrics.k8s.io", "pods", ""), "");
                let remedy = act.forbidden(&self.keeper.cluster.name, &session.user).remedy;
                Err(Fault::new(FaultKind::Forbidden, format!("may not be read: {remedy}")))
            }
            Some(fault) if items.is_empty() => Err(fault),
            _ => Ok(items),
        }
    }

    /// Joins what was read with what was known.
    fn merge(&self, items: &[PodItem], before: &PodUses) -> PodUses {
        let pool = &self.shared.pool;
        let length = (MAX_VALUES / items.len().max(1)).clamp(MIN_HISTORY, MAX_HISTORY);
        let use_of = |item: &PodItem| {
            let key = (pool.share(&item.metadata.namespace), Arc::from(item.metadata.name.as_str()));
            let containers: Box<[_]> = item
                .containers
                .iter()
                .take(MAX_CONTAINERS)
                .map(|container| (pool.share(&container.name), container.usage.resources()))
                .collect();
            let total = containers.iter().fold(Resources::default(), |sum, (_, part)| Resources {
                millicores: sum.millicores.saturating_add(part.millicores),
                memory: sum.memory.saturating_add(part.memory),
            });
            let known = before.get(&key).map_or(&[][..], |known| &known.history);
            let kept = known.get(known.len().saturating_sub(length - 1)..).unwrap_or_default();
            let history = kept.iter().copied().chain([total]).collect();
            (key, PodUse { containers, history })
        };
        items.iter().map(use_of).collect()
    }

    fn set_status(&self, status: MetricsStatus) {
        self.shared.board.edit(&self.keeper.cluster.name, |state| {
            let is_other = state.metrics.status != status;
            state.metrics.status = status;
            is_other
        });
    }
}

async fn ask<T: serde::de::DeserializeOwned>(session: &Session, what: &str) -> Result<Vec<T>, Fault> {
    let path = format!("/apis/metrics.k8s.io/v1beta1/{what}");
    let text = get(&session.link.client, &path, TIMEOUT).await.map_err(|error| match error {
        Some(error) => session.link.tell(&error),
        None => Fault::new(FaultKind::Unreachable, "metrics take longer than 20 s"),
    })?;
    let list: List<T> = serde_json::from_str(&text)
        .map_err(|_| Fault::new(FaultKind::Server, "metrics.k8s.io sent something that cannot be read"))?;
    Ok(list.items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubernetes::cluster::Cluster;
    use crate::kubernetes::hub::board::Board;

    fn item(name: &str, usage: &[(&str, &str)]) -> PodItem {
        let container = |(index, (cpu, memory)): (usize, &(&str, &str))| ContainerItem {
            name: format!("c{index}"),
            usage: Usage { cpu: (*cpu).to_owned(), memory: (*memory).to_owned() },
        };
        let metadata = Name { name: name.to_owned(), namespace: "shop".to_owned() };
        PodItem { metadata, containers: usage.iter().enumerate().map(container).collect() }
    }

    #[test]
    fn history_is_the_sum_of_containers_and_bounded() {
        let board = Arc::new(Board::new(Arc::new(|_| {})));
        let cluster = Arc::new(Cluster::new("c", String::new(), Err(String::new())));
        let keeper = Arc::new(Keeper::new(cluster, board.clone()));
        let shared = Arc::new(Shared::new(board, crate::kubernetes::hub::Settings::default()));
        let poller = Poller { shared, keeper };
        let mut uses = PodUses::default();
        for round in 0..70 {
            let cpu = format!("{round}m");
            uses = poller.merge(&[item("a", &[(&cpu, "1Mi"), ("1m", "odd")])], &uses);
        }
        let known = &uses[&("shop".into(), "a".into())];
        assert_eq!(known.history.len(), MAX_HISTORY);
        let newest = known.history.last().copied();
        assert_eq!(newest, Some(Resources { millicores: 70, memory: 1024 * 1024 }));
        assert_eq!(known.history.first().map(|first| first.millicores), Some(11));
        // a pod that is gone is forgotten
        assert!(poller.merge(&[], &uses).is_empty());
    }
}
