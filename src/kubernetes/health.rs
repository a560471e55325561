//! How workloads are: findings with their cause, the fix and where the evidence is.
//!
//! [`findings`] looks at one object: the five rules of Backstage to the letter, then our own, told apart by
//! [`Finding::is_upstream`]. [`of`] makes a word of the objects of an entity, [`Book`] keeps that up to date for all
//! entities. All of it is pure and takes the time from its caller.

mod book;
mod others;
mod own;
mod plain;
#[cfg(test)]
mod tests;
mod upstream;
mod verdict;

pub use book::{Book, Healths};
pub use verdict::{findings, is_current, is_ready, of, sort};

use super::object::ObjectRef;
use super::rows::status::Status;
use jiff::Timestamp;
use std::sync::Arc;

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Word {
    /// A workload has no ready replica.
    Down,
    /// Fewer ready than desired, or a finding of severity 4 or more in the last hour.
    Slow,
    /// Nobody answers.
    #[default]
    Unknown,
    /// Everything else.
    Ok,
}

/// How the objects of an entity are, over all clusters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Health {
    /// In a word.
    pub word: Word,
    /// In a few words: `1/3 pods ready, 2 OOMKilled`.
    pub summary: String,
    /// Pods ready and wanted.
    pub pods: (u32, u32),
    /// Restarts of all containers.
    pub restarts: u32,
    /// What is wrong, worst first.
    pub findings: Vec<Arc<Finding>>,
    /// Clusters with objects of the entity.
    pub clusters: Vec<Arc<str>>,
    /// Clusters that do not answer.
    pub silent: Vec<Arc<str>>,
    /// What may not be read where its objects could be.
    pub refused: Vec<Refused>,
    /// Its pods in a word each, the worst first; a bounded number.
    pub marks: Vec<PodMark>,
}

/// A pod in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodMark {
    /// Which one.
    pub at: ObjectRef,
    /// As kubectl prints it.
    pub status: Status,
    /// Containers ready and wanted.
    pub ready: (u32, u32),
}

/// What may not be read of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The cluster.
    pub cluster: Arc<str>,
    /// What, as roles name it: `pods`, `deployments.apps`.
    pub resources: Vec<String>,
    /// Some namespaces may be read.
    pub is_partial: bool,
}

/// Something wrong with an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Stable name: `containers-restarting`, `unschedulable`.
    pub rule: &'static str,
    /// One of the five rules of Backstage; the others are ours.
    pub is_upstream: bool,
    /// 1 to 10, 10 worst.
    pub severity: u8,
    /// The object.
    pub object: ObjectRef,
    /// The container it is about.
    pub container: Option<Arc<str>>,
    /// What, in a sentence.
    pub message: String,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
    /// How often.
    pub occurrences: u32,
    /// Why, in plain words; empty where nothing is known.
    pub cause: String,
    /// What to do.
    pub fixes: Vec<String>,
    /// Where it can be seen.
    pub evidence: Evidence,
    /// Page that explains it.
    pub docs: Option<&'static str>,
}

/// Where a finding can be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// In the logs of the container; of the instance before when set.
    Logs {
        /// The instance before the one that runs.
        is_previous: bool,
    },
    /// In the events of the object.
    Events,
    /// In the object itself.
    Object,
}

impl Word {
    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Slow => "slow",
            Self::Unknown => "unknown",
            Self::Ok => "ok",
        }
    }
}
