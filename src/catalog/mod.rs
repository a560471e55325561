//! From sources to the in-memory graph.
pub mod snapshot;
pub use snapshot::{Catalog, Entity, EntityId, Relation, SourceState};
