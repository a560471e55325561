//! Which objects belong to an entity: annotations, label selectors, namespaces, clusters.

use std::sync::Arc;

/// How an entity is bound to objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Label selector in the API's text form.
    pub selector: Arc<str>,
    /// Restricts to a namespace.
    pub namespace: Option<Arc<str>>,
    /// Restricts to clusters of these names; `None` for all.
    pub clusters: Option<Vec<Arc<str>>>,
    /// Whether one of the annotations says so, or only the entity's name.
    pub is_annotated: bool,
}

/// Whose objects are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everything that may be seen.
    #[default]
    Everything,
    /// Of one entity, by canonical ref: a component, a system with its parts, a group or user with what it owns.
    Entity(String),
    /// Of a namespace.
    Namespace(String),
}
