//! The catalog as it is kept on disk between runs, and used from there without reading it first.

pub mod column;
pub mod mapping;
