//! The places of the portal, one file or folder each, listed once here.
//!
//! To add one: write the file with its state, `impl Pane`, and `pub const SPEC: PaneSpec`; add it to
//! [`ALL`]. Palette, help, digits, `devportal open` and docs/keys.md follow.

use crate::app::pane::PaneSpec;

pub mod catalog;
pub mod graph;
pub mod home;

/// Every pane; the first is where the program starts.
pub static ALL: &[&PaneSpec] = &[&home::SPEC, &catalog::SPEC, &graph::SPEC, &graph::CYCLES];

#[cfg(test)]
pub mod test_support;
