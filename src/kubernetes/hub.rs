//! What runs behind the screen: connections, watches, metrics, forwards.

use super::cluster::Cluster;
use super::logs::{Request, Stream};
use super::object::ObjectRef;
use super::order::{Answer, Order, Question};
use super::state::{ClusterState, Metrics, Phase, State};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the hub has to say; called from its own threads, never from the caller's.
#[derive(Debug, Clone)]
pub enum Report {
    /// The state changed. At most 30 a second.
    State(Arc<State>),
    /// A log stream has new lines. At most 30 a second.
    Logs,
    /// Something asked for is done, in a sentence.
    Done(String),
    /// Something asked for failed: what, why and what to do.
    Failed(String),
}

/// Takes reports, from any thread.
pub type Tell = dyn Fn(Report) + Send + Sync;

/// Owner of everything that runs for Kubernetes; it ends when this is dropped.
pub struct Hub {
    state: Mutex<Arc<State>>,
    tell: Arc<Tell>,
}

impl Hub {
    /// Takes the clusters; connects to nothing before an order asks for it.
    pub fn new(clusters: Vec<Cluster>, tell: Arc<Tell>) -> Self {
        let cluster = |cluster: Cluster| {
            Arc::new(ClusterState {
                cluster: Arc::new(cluster),
                phase: Phase::Idle,
                version: "".into(),
                user: "".into(),
                tables: BTreeMap::new(),
                metrics: Metrics::default(),
                clock_skew: 0,
            })
        };
        let clusters = clusters.into_iter().map(cluster).collect();
        Self { state: Mutex::new(Arc::new(State { clusters, ..State::default() })), tell }
    }

    /// Takes an order; returns at once.
    pub fn order(&self, _order: Order) {
        (self.tell)(Report::State(self.state()));
    }

    /// Returns what is known now.
    pub fn state(&self) -> Arc<State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks a cluster; blocks until it answers.
    ///
    /// # Errors
    /// What failed, why and what to do, in a sentence.
    pub fn ask(&self, _question: &Question) -> Result<Answer, String> {
        Err("no cluster is connected".to_owned())
    }

    /// Hands this process's terminal to a command in a container; blocks until it ends, returns its exit code.
    /// An empty command means the best shell that is there.
    ///
    /// # Errors
    /// What failed, why and what to do, in a sentence.
    pub fn shell(
        &self,
        pod: &ObjectRef,
        _container: Option<&str>,
        _command: &[String],
    ) -> Result<i32, String> {
        Err(format!("no cluster `{}` is connected", pod.cluster))
    }

    /// Opens the logs that a request names; returns at once, lines follow.
    pub fn logs(&self, request: Request) -> Arc<Stream> {
        Arc::new(Stream::new(request))
    }
}
