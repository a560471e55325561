//! From sources to the in-memory graph, and every question one can ask of it.
//!
//! Start at [`Loader::load`], which reads sources (`sources/`), follows Locations and placeholders
//! and joins all documents into a [`Catalog`]. Questions: [`query`] with the filter
//! language of [`filter`], [`search`], [`graph`].

pub mod access;
pub mod cache;
pub mod codeowners;
pub mod compare;
pub mod complete;
pub mod diff;
pub mod documents;
mod entity_json;
pub mod facets;
mod files;
pub mod filter;
pub mod glob;
pub mod graph;
pub mod graph_export;
mod highlight;
pub mod history;
pub mod ingest;
pub mod loader;
pub mod progress;
pub mod query;
pub mod refresh;
pub mod search;
pub mod selector;
pub mod shared;
pub mod snapshot;
pub mod sources;
pub mod stitch;
#[cfg(test)]
pub(crate) mod testing;
pub mod tree;
pub mod warm;

pub use filter::{Filter, FilterError};
pub use loader::{LoadOptions, Loader};
pub use progress::{Progress, ProgressEvent};
pub use query::{Query, Viewer};
pub use refresh::{Refresher, SourceStatus};
pub use selector::Selector;
pub use snapshot::{Catalog, Entity, EntityId, Relation, SourceState};
