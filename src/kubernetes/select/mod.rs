//! Which objects belong to an entity: annotations, label selectors, namespaces, clusters.
//!
//! A [`Binding`] says it for one entity; [`Bindings`] finds the objects of many at once; [`objects`] answers what
//! a place shows for a [`Scope`]. Objects that no label leads to but an owner, a claim or an autoscaler does are
//! marked as extra. All of it is pure: the same state gives the same objects.

mod bindings;
mod labels;
mod objects;
#[cfg(test)]
mod tests;

pub use bindings::Bindings;
pub use labels::{LabelError, LabelSelector};
pub use objects::{Found, bindings_of, objects};

use crate::catalog::Entity;
use crate::model::entity_ref::split_canonical;
use std::sync::Arc;

const SELECTOR: &str = "backstage.io/kubernetes-label-selector";
/// The label and annotation that names a service to Kubernetes.
pub const ID: &str = "backstage.io/kubernetes-id";
const NAMESPACE: &str = "backstage.io/kubernetes-namespace";
const CLUSTER: &str = "backstage.io/kubernetes-cluster";

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

/// Which clusters an entity is looked for in (Backstage: *service locator*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Locator {
    /// All.
    #[default]
    MultiTenant,
    /// The annotated one; all where none is annotated.
    SingleTenant,
    /// Those it depends on as resources of its namespace.
    CatalogRelation,
}

impl Locator {
    /// Reads the word of the setting `kubernetes.service_locator`; any other word means the first.
    pub fn of_word(word: &str) -> Self {
        match word {
            "singleTenant" => Self::SingleTenant,
            "catalogRelation" => Self::CatalogRelation,
            _ => Self::MultiTenant,
        }
    }
}

impl Binding {
    /// Returns how an entity is bound: its selector, else its id, else its name.
    pub fn of(entity: &Entity<'_>, locator: Locator) -> Self {
        // An empty annotation counts as none, as in Backstage.
        let annotation = |key| entity.annotation(key).filter(|text| !text.is_empty());
        let (selector, id) = (annotation(SELECTOR), annotation(ID));
        let by_id = || format!("{ID}={}", id.unwrap_or_else(|| entity.name())).into();
        Self {
            selector: selector.map_or_else(by_id, Arc::from),
            namespace: annotation(NAMESPACE).map(Arc::from),
            clusters: clusters(entity, locator, annotation(CLUSTER)),
            is_annotated: selector.is_some() || id.is_some(),
        }
    }

    /// Returns whether objects of a cluster may belong to it.
    pub fn is_in_cluster(&self, cluster: &str) -> bool {
        let is_named = |names: &Vec<Arc<str>>| names.iter().any(|name| name.eq_ignore_ascii_case(cluster));
        self.clusters.as_ref().is_none_or(is_named)
    }

    /// Returns whether objects of a namespace may belong to it.
    pub fn is_in_namespace(&self, namespace: &str) -> bool {
        self.namespace.as_ref().is_none_or(|own| &**own == namespace)
    }
}

fn clusters(entity: &Entity<'_>, locator: Locator, annotated: Option<&str>) -> Option<Vec<Arc<str>>> {
    match locator {
        Locator::MultiTenant => None,
        Locator::SingleTenant => annotated.map(|name| vec![name.into()]),
        Locator::CatalogRelation => {
            let catalog = entity.catalog();
            let own_namespace = split_canonical(entity.entity_ref()).1;
            let targets = entity.targets("dependsOn").map(|target| split_canonical(catalog.ref_of(target)));
            let clusters = targets
                .filter(|(kind, namespace, _)| *kind == "resource" && *namespace == own_namespace)
                .map(|(_, _, name)| name.into());
            Some(clusters.collect())
        }
    }
}
