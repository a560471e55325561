//! Places: where the user is, as a line that can be typed, saved and opened again.
//!
//! A place line is what `devportal open PLACE`, the palette, history and saved views hold:
//! `home`, `catalog owner:payments`, `graph component:default/checkout`, `component:default/checkout`.

use std::fmt;

/// A pane and what it shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Id of the pane in the registry.
    pub pane: &'static str,
    /// The rest of the line: a ref, a filter, a tab.
    pub argument: String,
}

impl Place {
    /// Creates a place without an argument.
    pub fn new(pane: &'static str) -> Self {
        Self { pane, argument: String::new() }
    }

    /// Creates a place with an argument.
    pub fn with(pane: &'static str, argument: impl Into<String>) -> Self {
        Self { pane, argument: argument.into() }
    }

    /// Returns the place of an entity's detail.
    pub fn entity(entity_ref: impl Into<String>) -> Self {
        Self::with(ENTITY, entity_ref)
    }
}

/// Id of the pane that shows one entity; its places are written as the bare ref.
pub const ENTITY: &str = "entity";
/// Id of the pane that shows one object of a cluster: `object pod/shop/checkout-7d@prod-eu`.
pub const OBJECT: &str = "object";
/// Id of the pane that lists objects of clusters.
pub const KUBERNETES: &str = "kubernetes";
/// Id of the pane that shows documentation: `docs checkout runbook`.
pub const DOCS: &str = "docs";
/// Id of the pane that shows logs: `logs checkout`, `logs pod prod-eu shop/checkout-7d`.
pub const LOGS: &str = "logs";
/// Id of the pane that makes something from a template: `wizard template:default/new-service`.
pub const WIZARD: &str = "wizard";

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pane, self.argument.as_str()) {
            (ENTITY, argument) => f.write_str(argument),
            (pane, "") => f.write_str(pane),
            (pane, argument) => write!(f, "{pane} {argument}"),
        }
    }
}
