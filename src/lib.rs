//! `devportal`: everything Backstage does, in a terminal, without a server.
//!
//! The map of the house, bottom to top. A folder may use what stands above it in this list, nothing
//! below it, and capability folders do not use each other (`tests/architecture.rs` reads the imports):
//!
//! 1. [`diagnostic`], [`yaml`], [`model`]: vocabulary. Pure types, no input or output.
//! 2. [`config`], [`net`], [`store`], [`permissions`]: what the program is told, HTTP, what it keeps
//!    on disk, what a person may do.
//! 3. [`catalog`]: sources, stitching, the immutable snapshot, queries over the graph.
//! 4. [`kubernetes`], [`scaffolder`], [`docs`], [`alerts`]: the capabilities, each a folder that uses no other. Beside them [`demo`]: servers of a
//!    scripted company, which nothing but the faces starts.
//! 5. [`app`]: state, events, effects, the command table; knows no widget, terminal or socket.
//! 6. [`ui`]: themes, widgets, panes, overlays; draws the state of `app`.
//! 7. [`tui`] and [`cli`]: the two faces. `main` chooses one.

pub mod alerts;
pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod demo;
pub mod diagnostic;
pub mod docs;
pub mod kubernetes;
pub mod model;
pub mod net;
pub mod permissions;
pub mod scaffolder;
pub mod store;
pub mod tui;
pub mod ui;
pub mod yaml;
