//! The real program as scripts and people use it: a clean home, stdout, stderr and exit code compared
//! with what is written down.
//!
//! Snapshots are in `snapshots/`; `INSTA_UPDATE=always cargo test --test cli` writes them anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod config;
mod data;
mod docs;
mod manners;
mod new;
mod places;
mod rbac;
mod run;
mod template;
mod validate;
