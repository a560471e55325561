//! The actions that are built in: one file each, listed in [`BUILT_IN`].
//!
//! Start at [`Registry`]. A file has a function that makes its action, as a rule a [`BuiltIn`] of two
//! functions; it stays unmade until a template asks for it, since schemas take time to build.

#[allow(clippy::indexing_slicing, reason = "a name in JSON that is not there reads as null")]
mod azure;
#[allow(clippy::indexing_slicing, reason = "a name in JSON that is not there reads as null")]
mod bitbucket;
mod catalog;
mod catalog_register;
mod command;
mod debug;
mod fetch_plain;
mod fetch_template;
pub mod forge;
mod fs;
#[allow(clippy::indexing_slicing, reason = "a name in JSON that is not there reads as null")]
mod gitea;
#[allow(clippy::indexing_slicing, reason = "a name in JSON that is not there reads as null")]
mod github;
#[allow(clippy::indexing_slicing, reason = "a name in JSON that is not there reads as null")]
mod gitlab;
mod http;
mod input;
pub mod paths;
mod publish_local;
mod yaml;

pub use input::{Input, object, schema, with_field};

use super::Value;
use super::action::{Action, ActionError, SideEffect, Spec, Workbench};
use crate::model::text::nearest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Id and maker of an action.
pub type Entry = (&'static str, fn() -> Arc<dyn Action>);

/// All actions that are built in.
pub static BUILT_IN: &[&[Entry]] = &[
    fetch_template::ENTRIES,
    fetch_plain::ENTRIES,
    fs::ENTRIES,
    debug::ENTRIES,
    catalog::ENTRIES,
    catalog_register::ENTRIES,
    publish_local::ENTRIES,
    command::ENTRIES,
    github::ENTRIES,
    gitlab::ENTRIES,
    gitea::ENTRIES,
    azure::ENTRIES,
    bitbucket::ENTRIES,
    http::ENTRIES,
];

/// The actions that templates may use.
#[derive(Clone, Default)]
pub struct Registry {
    added: BTreeMap<String, Arc<dyn Action>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl Registry {
    /// Creates a registry of what is built in.
    pub fn built_in() -> Self {
        Self::default()
    }

    /// Adds an action; one that is built in by the same id gives way.
    pub fn add(&mut self, action: Arc<dyn Action>) {
        self.added.insert(action.spec().id.clone(), action);
    }

    /// Finds an action.
    pub fn find(&self, id: &str) -> Option<Arc<dyn Action>> {
        let built_in = || entries().find(|(known, _)| *known == id).map(|(_, make)| make());
        self.added.get(id).cloned().or_else(built_in)
    }

    /// Returns whether there is such an action; makes none.
    pub fn has(&self, id: &str) -> bool {
        self.added.contains_key(id) || entries().any(|(known, _)| *known == id)
    }

    /// Returns all ids in order.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> =
            entries().map(|(id, _)| *id).chain(self.added.keys().map(String::as_str)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Returns the ids that look most like a wrong one.
    pub fn near(&self, id: &str) -> Vec<&str> {
        nearest(id, self.ids())
    }
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    BUILT_IN.iter().flat_map(|entries| entries.iter())
}

/// Says what an action would change.
pub type EffectsOf = fn(&Value, &dyn Workbench) -> Result<Vec<SideEffect>, ActionError>;
/// Does what an action does.
pub type Work = fn(&Value, &mut dyn Workbench) -> Result<Value, ActionError>;
/// Foresees outputs.
pub type Foresight = fn(&Value, &dyn Workbench) -> Value;

/// An action made of functions.
pub struct BuiltIn {
    /// What it is.
    pub spec: Spec,
    /// See [`Action::effects`].
    pub effects: EffectsOf,
    /// See [`Action::foreseen`].
    pub foreseen: Foresight,
    /// See [`Action::run`].
    pub run: Work,
}

impl BuiltIn {
    /// Creates an action that only works in the workspace and reads.
    pub fn harmless(id: &str, description: &str, input: Value, output: Value, run: Work) -> Arc<dyn Action> {
        Arc::new(Self {
            spec: Spec {
                id: id.to_owned(),
                description: description.to_owned(),
                input,
                output,
                runs_dry: true,
            },
            effects: no_effects,
            foreseen: nothing_foreseen,
            run,
        })
    }
}

/// The effects of an action that has none.
///
/// # Errors
/// Never.
pub fn no_effects(_: &Value, _: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
    Ok(Vec::new())
}

/// Foresees nothing; the schema makes outputs up.
pub fn nothing_foreseen(_: &Value, _: &dyn Workbench) -> Value {
    Value::UNDEFINED
}

impl Action for BuiltIn {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn effects(&self, input: &Value, bench: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
        (self.effects)(input, bench)
    }

    fn foreseen(&self, input: &Value, bench: &dyn Workbench) -> Value {
        (self.foreseen)(input, bench)
    }

    fn run(&self, input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
        (self.run)(input, bench)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_listed_once_and_name_their_action() {
        let ids: Vec<_> = entries().map(|(id, _)| *id).collect();
        let mut unique = ids.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(ids.len(), unique.len());
        for (id, make) in entries() {
            assert_eq!(make().spec().id, *id);
        }
    }

    #[test]
    fn near_names_are_offered() {
        let registry = Registry::built_in();
        assert!(registry.near("debug:log2").contains(&"debug:log"));
        assert!(!registry.has("debug:lo") && registry.has("debug:log"));
    }
}
