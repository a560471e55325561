//! What a [`Hub`](super::Hub) can be asked for. Nothing here waits: answers come back as reports.

use super::kind::Kind;
use super::object::ObjectRef;
use crate::catalog::Catalog;
use std::sync::Arc;

/// Something to do in the background.
#[derive(Debug, Clone)]
pub enum Order {
    /// This is the catalog now: which entities have objects follows from it.
    Catalog(Arc<Catalog>),
    /// A place shows these kinds; they stay watched.
    Watch(Vec<Kind>),
    /// Try a cluster now, all for `None`.
    Connect(Option<Arc<str>>),
    /// Lift the protection of an environment for a while, or put it back.
    Unlock {
        /// Name of the environment.
        environment: Arc<str>,
        /// Lift it.
        is_unlocked: bool,
    },
    /// Forward a port of this machine to a pod or service.
    Forward {
        /// Pod or service.
        target: ObjectRef,
        /// Port on this machine; 0 for any free one.
        local: u16,
        /// Port of the target.
        remote: u16,
    },
    /// End a forward.
    EndForward(u32),
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Catalog(a), Self::Catalog(b)) => Arc::ptr_eq(a, b),
            (Self::Watch(a), Self::Watch(b)) => a == b,
            (Self::Connect(a), Self::Connect(b)) => a == b,
            (
                Self::Unlock { environment, is_unlocked },
                Self::Unlock { environment: other, is_unlocked: is_other },
            ) => environment == other && is_unlocked == is_other,
            (
                Self::Forward { target, local, remote },
                Self::Forward { target: of, local: from, remote: to },
            ) => (target, local, remote) == (of, from, to),
            (Self::EndForward(a), Self::EndForward(b)) => a == b,
            _ => false,
        }
    }
}

/// A change to a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New pods for a workload, one after the other.
    Restart,
    /// Another number of pods.
    Scale(u32),
    /// Back to a revision of a deployment; `None` for the one before.
    RollBack(Option<u64>),
    /// Delete an object.
    Delete,
    /// Evict the pods of a workload or node, as disruption budgets allow.
    Drain,
    /// Hold a cron job, or let it go on.
    Suspend(bool),
    /// Make a job of a cron job now.
    Trigger,
}

/// A question to a cluster, answered once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Everything about an object for people, with its events.
    Describe(ObjectRef),
    /// An object as YAML: managed fields left out, secrets masked.
    Yaml(ObjectRef),
    /// Events about an object.
    Events(ObjectRef),
    /// Revisions of a workload.
    Revisions(ObjectRef),
    /// What a change would do: dialogs are made of it.
    Plan {
        /// The change.
        change: Change,
        /// To what.
        targets: Vec<ObjectRef>,
    },
    /// Make a change.
    Change {
        /// The change.
        change: Change,
        /// To what.
        targets: Vec<ObjectRef>,
    },
    /// Run a command in a container and return its output.
    Run {
        /// The pod.
        pod: ObjectRef,
        /// Its container; `None` for the first.
        container: Option<Arc<str>>,
        /// The command.
        command: Vec<String>,
    },
}

/// Answer to a [`Question`].
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A text to read: describe, YAML, output of a command.
    Text(Arc<str>),
    /// Events, newest last.
    Events(Vec<Arc<super::Object>>),
    /// Revisions, newest first.
    Revisions(Vec<Revision>),
    /// What a change would do.
    Plan(Plan),
    /// What was done, per target: or why not.
    Changed(Vec<(ObjectRef, Result<String, String>)>),
}

/// A revision of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Its number.
    pub number: u64,
    /// Its images.
    pub images: Vec<String>,
    /// When it was made.
    pub created: Option<jiff::Timestamp>,
    /// `kubernetes.io/change-cause`; empty when absent.
    pub cause: String,
    /// Pods it has.
    pub pods: u32,
    /// It is the one that runs.
    pub is_current: bool,
}

/// What a change would do, before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The change.
    pub change: Change,
    /// What it is made to.
    pub targets: Vec<ObjectRef>,
    /// What happens, one sentence each: names cluster, namespace, objects and count.
    pub says: Vec<String>,
    /// The same with kubectl, one line each.
    pub kubectl: Vec<String>,
    /// Why it cannot be made; `None` when it can.
    pub refused: Option<String>,
    /// Type this name to go on: what is deleted is protected.
    pub must_type: Option<String>,
}
