//! The software catalog's vocabulary: refs, kinds, relations, values, filters. Pure types, no I/O.
//!
//! Start at [`EntityRef`] (how everything is named), then [`value::ValueRef`] (how a descriptor's
//! content is kept), then [`relation`].

pub mod descriptor;
pub mod entity_ref;
pub mod kinds;
pub mod placeholder;
pub mod relation;
pub mod rules;
pub mod text;
pub mod value;
pub mod verdict;

pub use entity_ref::{EntityRef, RefError};
