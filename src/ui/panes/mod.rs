//! The places of the portal, one file or folder each, listed once here.
//!
//! To add one: write the file with its state, `impl Pane`, and `pub const SPEC: PaneSpec`; add it to
//! [`ALL`]. Palette, help, digits, `devportal open` and docs/keys.md follow.

use crate::app::pane::PaneSpec;

pub mod catalog;
pub mod clusters;
pub mod docs;
pub mod entity;
pub mod findings;
pub mod forwards;
pub mod graph;
pub mod home;
pub mod kubernetes;
pub mod logs;
pub mod object;
pub mod org;
pub mod problems;
pub mod revisions;
pub mod settings;
pub mod sources;
pub mod templates;
pub mod wizard;

/// Every pane; the first is where the program starts.
#[rustfmt::skip] // one line each, so that adding one touches one line
pub static ALL: &[&PaneSpec] = &[
    &home::SPEC,
    &catalog::SPEC,
    &entity::SPEC,
    &kubernetes::SPEC,
    &clusters::SPEC,
    &findings::SPEC,
    &object::SPEC,
    &graph::SPEC,
    &graph::CYCLES,
    &docs::SPEC,
    &docs::READER,
    &org::SPEC,
    &logs::SPEC,
    &forwards::SPEC,
    &problems::SPEC,
    &revisions::DIFF,
    &revisions::HISTORY,
    &sources::SPEC,
    &templates::SPEC,
    &wizard::SPEC,
    &settings::SPEC,
];

#[cfg(test)]
#[cfg(test)]
pub mod test_support;
