//! Servers on this machine that speak the Kubernetes API over a scripted company that lives.
//!
//! A [`World`] owns everything: a runtime of its own, one [`Server`] per cluster on a free port of 127.0.0.1, and a
//! private folder with a kubeconfig that names them; it ends when it is dropped. What a cluster has is in
//! [`Cluster`]: objects with versions and a past ([`store`]), small controllers that keep them moving, and logs made
//! from a seed and the time ([`log`]). What can go wrong is ordered through [`fault::Faults`].
//!
//! Time is the real one, or stands until [`World::step`]. The same seed gives the same world.

#![expect(
    clippy::indexing_slicing,
    reason = "JSON answers null for what it lacks, and the demo writes only into objects it made itself"
)]

mod access;
mod batch;
mod certificate;
mod clock;
pub mod cluster;
mod company;
mod connection;
mod defaults;
mod discovery;
mod exec;
pub mod fault;
mod forward;
mod life;
pub mod log;
mod metrics;
mod node;
mod patch;
mod pod;
mod protobuf;
mod quantity;
mod random;
mod read;
mod request;
pub mod resource;
mod selector;
mod server;
mod shell;
mod status;
pub mod store;
mod stream;
mod table;
mod voice;
mod workload;
mod world;
mod write;

pub use access::{Caller, Rule};
pub use clock::Clock;
pub use cluster::{Cluster, Version};
pub use company::Place;
pub use resource::R;
pub use server::Server;
pub use world::{Content, Plan, Scenario, World};
