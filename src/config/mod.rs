//! What the program is told: settings by layers, key bindings, aliases, named views.
//!
//! Start at [`Config::load`]. Precedence: flag, `DEVPORTAL_*` variable, project `.devportal.toml`, the
//! user's `config.toml`, the system's, built-in; every value knows where it comes from ([`Origin`]).
//! [`setting::ALL`] is the one list of settings: parsing, `config show`, the Settings pane and
//! `docs/config.md` are made from it. A mistake is a [`crate::diagnostic::Diagnostic`] at its place and
//! the value of the next layer (or the last good one) stays: loading never fails. Nothing here writes a
//! file except [`save`], which is called only when a person asks for it.

pub mod alerts;
pub mod aliases;
pub mod document;
pub mod integration;
pub mod keys;
pub mod kubernetes;
pub mod layers;
pub mod paths;
pub mod reference;
pub mod save;
pub mod secret;
pub mod setting;
pub mod source;
pub mod starter;
pub mod theme;
pub mod trust;
pub mod views;

pub use aliases::Alias;
pub use keys::KeyBinding;
pub use layers::{Config, Flag, Inputs, Layer, Origin, Resolved};
pub use paths::Paths;
pub use save::{Change, save};
pub use setting::{Kind, Setting, Value};
pub use views::View;
