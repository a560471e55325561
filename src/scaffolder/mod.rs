//! Software templates: forms, a run of steps, files rendered from skeletons.
//!
//! A [`Template`] is read from its entity. Its parameters become a form of pages and fields; the answers go
//! through the steps, each of which is an [`Action`](action::Action) with an input rendered by the template
//! language. Everything works on a workspace, a folder of its own that goes with the run; what leaves it is
//! planned first and done only on request.
//!
//! Answers, inputs and outputs are [`Value`]s: ordered, cheap to clone, the same in forms, steps and files.

pub mod action;
pub mod actions;
pub mod diff;
pub mod engine;
pub mod form;
pub mod integrations;
pub mod language;
pub mod lint;
pub mod open;
mod remote;
pub mod run;
pub mod source;
pub mod staging;
pub mod template;
pub mod tree;

pub use minijinja::Value;
pub use template::Template;
