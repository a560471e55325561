//! Kubernetes: which objects belong to a service, how they are, what they say.
//!
//! A [`Hub`](hub::Hub) owns everything that runs: connections, watches, metrics, port-forwards. It takes
//! [`Order`](order::Order)s and publishes an immutable [`State`](state::State); nobody waits for it. All that can
//! be said about a state without asking a cluster is pure and stands beside it: which objects are an entity's
//! ([`select`]), how they are ([`health`]), what a table shows ([`columns`]).
//!
//! Start at [`state`], then [`object`].

pub mod access;
pub mod ask;
pub mod change;
pub mod client;
pub mod cluster;
pub mod clusters;
pub mod columns;
pub mod describe;
pub mod events;
pub mod exec;
pub mod forward;
pub mod health;
pub mod hub;
pub mod kind;
pub mod kubectl;
pub mod logs;
pub mod lookup;
pub mod metrics;
pub mod object;
pub mod order;
pub mod quantity;
pub mod revisions;
pub mod rows;
pub mod select;
pub mod starting;
pub mod state;
#[cfg(test)]
pub(crate) mod testing;
pub mod trim;
pub mod watch;
pub mod yaml;

#[cfg(test)]
mod real_tests;

pub use cluster::{Cluster, Connection};
pub use hub::Hub;
pub use kind::Kind;
pub use object::{Object, ObjectRef};
pub use order::Order;
pub use state::State;
