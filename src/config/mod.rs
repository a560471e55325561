//! What the program is told.

pub mod source;
pub mod theme;
