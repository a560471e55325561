//! What the screen shows: pictures of every pane at three sizes, every size without a panic, roles,
//! and random keys. The application is the real one over the built-in sample, without a terminal.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod clusters;
mod pictures;
mod random;
mod roles;
mod sizes;
mod world;
