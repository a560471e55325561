//! Pods for a request without a hub: one list or watch per label selector and namespace.

use super::Request;
use super::engine::Ground;
use super::pods::{Members, PodView, Problem, ProblemKind};
use crate::kubernetes::client::Link;
use crate::kubernetes::client::fault::{Fault, FaultKind};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::ListParams;
use kube::runtime::{WatchStreamExt, watcher};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Pods in one answer.
const PAGE: u32 = 500;

/// Some pods of one cluster.
#[derive(Debug, Clone)]
pub struct Target {
    /// Name of the cluster.
    pub cluster: Arc<str>,
    /// How it is reached.
    pub link: Link,
    /// Namespace; `None` for all.
    pub namespace: Option<Arc<str>>,
    /// Label selector; empty for any.
    pub labels: String,
    /// Name of the one pod; empty for any.
    pub name: String,
    /// Only pods of jobs that a cron job of this name made; empty for any.
    pub cron_job: String,
}

impl Target {
    /// Creates one for all pods of a place.
    pub fn new(cluster: Arc<str>, link: Link, namespace: Option<Arc<str>>) -> Self {
        Self { cluster, link, namespace, labels: String::new(), name: String::new(), cron_job: String::new() }
    }

    fn api(&self) -> Api<Pod> {
        let client = self.link.client.clone();
        match &self.namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        }
    }

    fn fields(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("metadata.name={}", self.name) }
    }

    fn takes(&self, pod: &Pod) -> bool {
        let owners = pod.metadata.owner_references.iter().flatten();
        let is_of = |name: &str| {
            let rest = name.strip_prefix(&self.cron_job).and_then(|rest| rest.strip_prefix('-'));
            rest.is_some_and(|rest| !rest.is_empty())
        };
        self.cron_job.is_empty() || owners.into_iter().any(|owner| owner.kind == "Job" && is_of(&owner.name))
    }

    /// Lists the pods now.
    ///
    /// # Errors
    /// Why they cannot be listed.
    pub async fn list(&self) -> Result<Vec<Arc<PodView>>, Fault> {
        let mut parameters = ListParams {
            limit: Some(PAGE),
            ..ListParams::default().labels(&self.labels).fields(&self.fields())
        };
        let mut pods = Vec::new();
        loop {
            let page = self.api().list(&parameters).await.map_err(|error| self.link.tell(&error))?;
            let found = page.items.iter().filter(|pod| self.takes(pod));
            pods.extend(found.map(|pod| Arc::new(PodView::from_api(&self.cluster, pod))));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters.continue_token = Some(token),
                None => return Ok(pods),
            }
        }
    }

    /// Tells what an error means for logs.
    pub fn problem(&self, fault: &Fault) -> Problem {
        let kind = match fault.kind {
            FaultKind::Forbidden | FaultKind::Unauthorized => ProblemKind::Forbidden,
            FaultKind::NotFound => ProblemKind::NotFound,
            _ => ProblemKind::Unreachable,
        };
        let place = self
            .namespace
            .as_ref()
            .map_or_else(|| "all namespaces".to_owned(), |namespace| format!("namespace `{namespace}`"));
        let says = format!("pods in {place} of `{}` cannot be listed: {}", self.cluster, fault.text);
        Problem { kind, says }
    }
}

/// What is known of one target.
#[derive(Debug, Default)]
struct Found {
    pods: BTreeMap<Arc<str>, Arc<PodView>>,
    /// A list that is being read again.
    next: Option<BTreeMap<Arc<str>, Arc<PodView>>>,
    is_complete: bool,
    problem: Option<Problem>,
}

/// Finds pods by targets.
#[derive(Debug)]
pub struct Finder {
    targets: Vec<Target>,
}

struct Board {
    found: Mutex<Vec<Found>>,
    sender: watch::Sender<Arc<Members>>,
}

impl Finder {
    /// Creates one.
    pub fn new(targets: Vec<Target>) -> Self {
        Self { targets }
    }
}

impl Ground for Finder {
    fn client(&self, cluster: Arc<str>) -> BoxFuture<'_, Result<kube::Client, String>> {
        let found = self.targets.iter().find(|target| target.cluster == cluster);
        let client = found.map(|target| target.link.client.clone());
        Box::pin(async move { client.ok_or_else(|| format!("there is no cluster `{cluster}`")) })
    }

    fn members(&self, request: Arc<Request>) -> watch::Receiver<Arc<Members>> {
        let (sender, receiver) = watch::channel(Arc::default());
        let found = Mutex::new(self.targets.iter().map(|_| Found::default()).collect());
        let board = Arc::new(Board { found, sender });
        for (at, target) in self.targets.iter().enumerate() {
            let (target, board) = (target.clone(), board.clone());
            let is_following = request.is_following && !request.is_previous;
            tokio::spawn(async move {
                tokio::select! {
                    () = board.sender.closed() => {}
                    () = look(at, &target, &board, is_following) => {}
                }
            });
        }
        receiver
    }
}

async fn look(at: usize, target: &Target, board: &Board, is_following: bool) {
    if !is_following {
        let listed = target.list().await;
        board.change(at, |found| {
            found.is_complete = true;
            match listed {
                Ok(pods) => found.pods = pods.into_iter().map(|pod| (pod.uid.clone(), pod)).collect(),
                Err(fault) => found.problem = Some(target.problem(&fault)),
            }
        });
        // whoever waits for news waits for nothing, but is not told that nobody tells
        return std::future::pending().await;
    }
    let config = watcher::Config::default().labels(&target.labels).fields(&target.fields());
    let mut events = watcher(target.api(), config).default_backoff().boxed();
    while let Some(event) = events.next().await {
        let view = |pod: &Pod| Arc::new(PodView::from_api(&target.cluster, pod));
        board.change(at, |found| match event {
            Ok(watcher::Event::Init) => found.next = Some(BTreeMap::new()),
            Ok(watcher::Event::InitApply(pod)) => {
                let pod = target.takes(&pod).then(|| view(&pod));
                if let Some((pod, next)) = pod.zip(found.next.as_mut()) {
                    next.insert(pod.uid.clone(), pod);
                }
            }
            Ok(watcher::Event::InitDone) => {
                found.pods = found.next.take().unwrap_or_default();
                found.is_complete = true;
                found.problem = None;
            }
            Ok(watcher::Event::Apply(pod)) => {
                if target.takes(&pod) {
                    let pod = view(&pod);
                    found.pods.insert(pod.uid.clone(), pod);
                }
            }
            Ok(watcher::Event::Delete(pod)) => {
                found.pods.remove(pod.metadata.uid.as_deref().unwrap_or_default());
            }
            Err(error) => {
                let error = match error {
                    watcher::Error::InitialListFailed(error)
                    | watcher::Error::WatchStartFailed(error)
                    | watcher::Error::WatchFailed(error) => target.link.tell(&error),
                    // the watch starts anew by itself
                    other => Fault::new(FaultKind::Expired, other.to_string()),
                };
                if error.kind != FaultKind::Expired {
                    found.problem = Some(target.problem(&error));
                    found.is_complete = true;
                }
            }
        });
    }
}

impl Board {
    fn change(&self, at: usize, change: impl FnOnce(&mut Found)) {
        let mut all = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = all.get_mut(at) else { return };
        change(found);
        let mut pods: BTreeMap<&Arc<str>, &Arc<PodView>> = BTreeMap::new();
        all.iter().for_each(|found| pods.extend(&found.pods));
        let members = Members {
            pods: pods.into_values().cloned().collect(),
            is_complete: all.iter().all(|found| found.is_complete),
            problem: all.iter().filter_map(|found| found.problem.clone()).max_by_key(|problem| problem.kind),
        };
        self.sender.send_if_modified(|known| {
            let is_new = **known != members;
            *known = Arc::new(members);
            is_new
        });
    }
}
