//! Objects as they are kept: trimmed to what tables, health and selection need, at most 2 kB for a usual pod.
//!
//! Strings that repeat over objects (namespaces, nodes, images, labels) are shared. Absent optional fields are
//! `None` or empty; nothing is invented.

use super::kind::Kind;
use jiff::Timestamp;
use std::sync::Arc;

/// Names one object of one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Name of the cluster.
    pub cluster: Arc<str>,
    /// Kind.
    pub kind: Kind,
    /// Namespace; empty for objects outside of any.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
}

/// A trimmed object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Kind.
    pub kind: Kind,
    /// Namespace; empty for objects outside of any.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Unique over time.
    pub uid: Arc<str>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When its deletion was asked for.
    pub deleted: Option<Timestamp>,
    /// Labels, sorted by key.
    pub labels: Box<[(Arc<str>, Arc<str>)]>,
    /// Who owns it.
    pub owners: Box<[Owner]>,
    /// What the kind adds.
    pub facts: Facts,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `ReplicaSet`.
    pub kind: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its uid.
    pub uid: Arc<str>,
}

/// What a kind adds to an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// A pod.
    Pod(Box<Pod>),
    /// A deployment, stateful set, daemon set, replica set, or an Argo rollout.
    Workload(Box<Workload>),
    /// A job.
    Job(Box<Job>),
    /// A cron job.
    CronJob(Box<CronJob>),
    /// A horizontal pod autoscaler.
    Autoscaler(Box<Autoscaler>),
    /// A service.
    Service(Box<Service>),
    /// An ingress.
    Ingress(Box<Ingress>),
    /// A config map or secret.
    Keys(Box<Keys>),
    /// A volume claim or a volume.
    Volume(Box<Volume>),
    /// A node.
    Node(Box<Node>),
    /// An event.
    Event(Box<Event>),
    /// Anything else: name and value as they are shown.
    Other(Box<[(Box<str>, Box<str>)]>),
}

/// A condition of a status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `Ready`, `Available`, `PodScheduled` …
    pub name: Arc<str>,
    /// `True`, `False`, `Unknown`.
    pub status: Arc<str>,
    /// One word; empty when absent.
    pub reason: Arc<str>,
    /// A sentence; `None` when absent.
    pub message: Option<Box<str>>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// What a pod adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pod {
    /// `Pending`, `Running`, `Succeeded`, `Failed`, `Unknown`; empty when absent.
    pub phase: Arc<str>,
    /// `status.reason`: `Evicted`, `NodeLost`; empty when absent.
    pub reason: Arc<str>,
    /// `status.message`.
    pub message: Option<Box<str>>,
    /// Node it runs on; empty before it is scheduled.
    pub node: Arc<str>,
    /// Its address.
    pub ip: Option<Box<str>>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// Conditions of its status.
    pub conditions: Box<[Condition]>,
    /// Init containers, containers, ephemeral containers, in the order of the spec.
    pub containers: Box<[Container]>,
    /// Volume claims it mounts.
    pub claims: Box<[Arc<str>]>,
}

/// Which part a container plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Runs to its end before the others.
    Init,
    /// An init container that stays (`restartPolicy: Always`).
    Sidecar,
    /// An ordinary one.
    Main,
    /// Put in for debugging.
    Ephemeral,
}

/// A container of a pod: its spec and its status.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its name.
    pub name: Arc<str>,
    /// Its part.
    pub role: Role,
    /// Its image.
    pub image: Arc<str>,
    /// Place of its status among those of its part: servers sort them otherwise than the spec does.
    pub order: u8,
    /// Whether it passes its readiness probe; `None` without a status.
    pub ready: Option<bool>,
    /// How often it was started again.
    pub restarts: u32,
    /// How it is.
    pub state: ContainerState,
    /// How it ended last time.
    pub last: Option<Box<Terminated>>,
    /// What it is promised.
    pub requests: Resources,
    /// What it may use.
    pub limits: Resources,
    /// Its readiness probe.
    pub readiness: Option<Probe>,
    /// Ports it names: number and name.
    pub ports: Box<[(u16, Arc<str>)]>,
}

/// How a container is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    /// No status.
    Unknown,
    /// Not started yet.
    Waiting {
        /// One word: `CrashLoopBackOff`; empty when absent.
        reason: Arc<str>,
        /// A sentence.
        message: Option<Box<str>>,
    },
    /// It runs.
    Running {
        /// Since when.
        since: Option<Timestamp>,
    },
    /// It ended.
    Terminated(Box<Terminated>),
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terminated {
    /// `Error`, `OOMKilled`, `Completed`; empty when absent.
    pub reason: Arc<str>,
    /// A sentence.
    pub message: Option<Box<str>>,
    /// Exit code.
    pub exit_code: i32,
    /// Signal, when one ended it.
    pub signal: Option<i32>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

/// Amounts of processor and memory; zero means none named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resources {
    /// Thousandths of a core.
    pub millicores: u64,
    /// Bytes.
    pub memory: u64,
}

/// The times of a probe, in seconds and counts as written; absent ones are zero, as upstream reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Probe {
    /// `initialDelaySeconds`.
    pub initial_delay: i32,
    /// `periodSeconds`.
    pub period: i32,
    /// `failureThreshold`.
    pub failure_threshold: i32,
}

/// What a set of equal pods adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Workload {
    /// Pods wanted; `None` when absent.
    pub desired: Option<i32>,
    /// Pods there.
    pub current: i32,
    /// Pods ready.
    pub ready: i32,
    /// Pods of the newest template.
    pub updated: i32,
    /// Pods available.
    pub available: i32,
    /// `RollingUpdate`, `Recreate`, `OnDelete`; empty when absent.
    pub strategy: Arc<str>,
    /// Rollouts are held.
    pub is_paused: bool,
    /// `metadata.generation` and `status.observedGeneration`.
    pub generation: (i64, i64),
    /// `deployment.kubernetes.io/revision`.
    pub revision: Option<u64>,
    /// Images of the pod template, in order.
    pub images: Box<[Arc<str>]>,
    /// Selector over pod labels, in kubectl's text form; empty when absent.
    pub selector: Arc<str>,
    /// Conditions of its status.
    pub conditions: Box<[Condition]>,
}

/// What a job adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Job {
    /// Runs wanted.
    pub completions: Option<i32>,
    /// Pods running.
    pub active: i32,
    /// Pods that ended well.
    pub succeeded: i32,
    /// Pods that did not.
    pub failed: i32,
    /// Tries before it is given up.
    pub backoff_limit: Option<i32>,
    /// When it was started.
    pub started: Option<Timestamp>,
    /// When it was complete.
    pub finished: Option<Timestamp>,
    /// It is held.
    pub is_suspended: bool,
    /// Conditions of its status.
    pub conditions: Box<[Condition]>,
}

/// What a cron job adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CronJob {
    /// Its schedule as written.
    pub schedule: Box<str>,
    /// Its time zone.
    pub time_zone: Option<Box<str>>,
    /// It is held.
    pub is_suspended: bool,
    /// Jobs running.
    pub active: usize,
    /// When a job was last made.
    pub last_schedule: Option<Timestamp>,
    /// When a job last ended well.
    pub last_success: Option<Timestamp>,
}

/// What an autoscaler adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Autoscaler {
    /// Kind and name of what it scales.
    pub target: (Arc<str>, Arc<str>),
    /// Fewest pods.
    pub min: Option<i32>,
    /// Most pods; -1 when absent.
    pub max: i32,
    /// Pods now; `None` when absent.
    pub current: Option<i32>,
    /// Pods wanted now.
    pub desired: i32,
    /// Utilisation of CPU now and wanted, percent of the request.
    pub cpu: (Option<i32>, Option<i32>),
    /// Conditions of its status.
    pub conditions: Box<[Condition]>,
}

/// What a service adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    pub kind: Arc<str>,
    /// Address inside.
    pub cluster_ip: Box<str>,
    /// Addresses outside.
    pub external: Box<[Box<str>]>,
    /// `80→8080/TCP` with its name.
    pub ports: Box<[Box<str>]>,
    /// Selector over pod labels in kubectl's text form.
    pub selector: Arc<str>,
}

/// What an ingress adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ingress {
    /// Its class.
    pub class: Arc<str>,
    /// Host and path with the service and port behind: `shop.test/pay → pay:80`.
    pub rules: Box<[Box<str>]>,
    /// Hosts and the secret of their certificate.
    pub tls: Box<[(Box<str>, Box<str>)]>,
    /// Addresses outside.
    pub addresses: Box<[Box<str>]>,
}

/// What a config map or secret adds: never a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keys {
    /// `kubernetes.io/tls`, `Opaque`; empty for config maps.
    pub kind: Arc<str>,
    /// Keys with the sizes of their values in bytes.
    pub sizes: Box<[(Box<str>, usize)]>,
    /// When the certificate in it ends.
    pub expires: Option<Timestamp>,
}

/// What a volume or claim adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Volume {
    /// `Bound`, `Pending`, `Lost`, `Available`.
    pub phase: Arc<str>,
    /// Bytes there or wanted.
    pub capacity: u64,
    /// Storage class.
    pub class: Arc<str>,
    /// The volume of a claim, or the claim of a volume.
    pub bound: Box<str>,
    /// Access modes.
    pub modes: Box<[Arc<str>]>,
}

/// What a node adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Its version.
    pub version: Arc<str>,
    /// No new pods.
    pub is_cordoned: bool,
    /// Roles, by its labels.
    pub roles: Box<[Arc<str>]>,
    /// What pods can use.
    pub allocatable: Resources,
    /// Conditions of its status.
    pub conditions: Box<[Condition]>,
}

/// What an event adds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Event {
    /// `Normal`, `Warning`.
    pub severity: Arc<str>,
    /// One word.
    pub reason: Arc<str>,
    /// A sentence.
    pub message: Box<str>,
    /// How often.
    pub count: u32,
    /// First time.
    pub first: Option<Timestamp>,
    /// Last time.
    pub last: Option<Timestamp>,
    /// Kind, name and uid of what it is about.
    pub about: (Arc<str>, Arc<str>, Arc<str>),
    /// Who says so.
    pub source: Arc<str>,
}
