//! The full screen: terminal in and out, the event loop, and the services that carry effects out.
//!
//! [`run()`] shows the application on a terminal; [`screenshot`] drives the same update and view code
//! without one, [`plain`] line by line. All are given a [`Start`]. This is the only place that knows a terminal.

pub mod clipboard;
mod docs;
pub mod editor;
mod event_loop;
pub mod keys;
pub mod plain;
pub mod scaffold;
pub mod screenshot;
pub mod services;
pub mod terminal;

pub use event_loop::{Ended, run};
pub use services::Services;

use crate::app::Context;

/// What a face starts from.
pub struct Start {
    /// State that panes read; the catalog in it is still empty.
    pub cx: Context,
    /// Place line to open once the catalog is there; empty for the first pane.
    pub line: String,
    /// What carries effects out.
    pub services: Services,
}
