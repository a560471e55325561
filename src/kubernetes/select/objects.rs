//! The objects of a scope.

use super::{Binding, Bindings, Locator, Scope};
use crate::catalog::{Catalog, Entity, EntityId};
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{Object, ObjectRef};
use crate::kubernetes::state::{ClusterState, State};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// An object that was found in a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The cluster.
    pub cluster: &'a Arc<ClusterState>,
    /// The object.
    pub object: &'a Arc<Object>,
    /// No label leads to it, but its owner, the pod that mounts it or the workload that it scales.
    pub is_extra: bool,
}

impl Found<'_> {
    /// Returns the name of the object over all clusters.
    pub fn at(&self) -> ObjectRef {
        ObjectRef {
            cluster: self.cluster.cluster.name.clone(),
            kind: self.object.kind,
            namespace: self.object.namespace.clone(),
            name: self.object.name.clone(),
        }
    }
}

/// Returns the objects of a scope, of the given kinds or all for none given: by cluster, kind, namespace, name.
pub fn objects<'a>(state: &'a State, catalog: &Catalog, scope: &Scope, kinds: &[Kind]) -> Vec<Found<'a>> {
    match scope {
        Scope::Everything => everything(state, kinds, None),
        Scope::Namespace(namespace) => everything(state, kinds, Some(namespace)),
        Scope::Entity(entity) => {
            let bindings = bindings_of(catalog, entity, state.locator);
            let bindings = Bindings::new(bindings.into_iter().map(|(_, binding)| binding));
            let mut found = merge(bindings.collect(state, kinds));
            let place = |found: &Found<'a>| {
                (&found.cluster.cluster.name, found.object.kind, &found.object.namespace, &found.object.name)
            };
            found.sort_by(|a, b| place(a).cmp(&place(b)));
            found
        }
    }
}

fn everything<'a>(state: &'a State, kinds: &[Kind], namespace: Option<&str>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    for cluster in &*state.clusters {
        let tables = cluster.tables.iter().filter(|(kind, _)| kinds.is_empty() || kinds.contains(kind));
        for (_, table) in tables {
            let start = (Arc::from(namespace.unwrap_or_default()), Arc::from(""));
            let run = table.objects.range(start..);
            let run = run.take_while(|((own, _), _)| namespace.is_none_or(|namespace| &**own == namespace));
            found.extend(run.map(|(_, object)| Found { cluster, object, is_extra: false }));
        }
    }
    found
}

/// Makes one list of many; an object of several is an extra when it is one in all of them.
fn merge(lists: Vec<Vec<Found<'_>>>) -> Vec<Found<'_>> {
    let mut lists = lists.into_iter();
    let mut all = lists.next().unwrap_or_default();
    let mut places: FxHashMap<*const Object, usize> = FxHashMap::default();
    places.extend(all.iter().enumerate().map(|(place, found)| (Arc::as_ptr(found.object), place)));
    for found in lists.flatten() {
        let place = *places.entry(Arc::as_ptr(found.object)).or_insert(all.len());
        match all.get_mut(place) {
            Some(known) => known.is_extra &= found.is_extra,
            None => all.push(found),
        }
    }
    all
}

/// Returns the entities whose objects belong to an entity, with their bindings: itself; for a system or domain
/// its parts; for a group or user what it owns. Entities that only their name binds count as parts when they are
/// components.
pub fn bindings_of(catalog: &Catalog, entity: &str, locator: Locator) -> Vec<(EntityId, Binding)> {
    let Some(entity) = catalog.find(entity).and_then(|id| catalog.entity(id)) else { return Vec::new() };
    let mut bindings = Vec::new();
    let mut seen = FxHashSet::default();
    let own = Binding::of(&entity, locator);
    let kind = entity.kind().to_lowercase();
    let is_whole = matches!(kind.as_str(), "system" | "domain" | "group" | "user");
    seen.insert(entity.id());
    if own.is_annotated || !is_whole {
        bindings.push((entity.id(), own));
    }
    match kind.as_str() {
        "system" | "domain" => add_parts(&entity, locator, &mut seen, &mut bindings),
        "group" => add_owned(&entity, locator, &mut seen, &mut bindings),
        "user" => {
            add_owned(&entity, locator, &mut seen, &mut bindings);
            for group in entity.targets("memberOf").filter_map(|group| catalog.entity(group)) {
                add_owned(&group, locator, &mut seen, &mut bindings);
            }
        }
        _ => {}
    }
    bindings
}

type Bound = Vec<(EntityId, Binding)>;

fn add_parts(entity: &Entity<'_>, locator: Locator, seen: &mut FxHashSet<EntityId>, into: &mut Bound) {
    let catalog = entity.catalog();
    let mut open: Vec<EntityId> = entity.targets("hasPart").collect();
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(part) = catalog.entity(id) else { continue };
        open.extend(part.targets("hasPart"));
        add_one(&part, locator, into);
    }
}

fn add_owned(entity: &Entity<'_>, locator: Locator, seen: &mut FxHashSet<EntityId>, into: &mut Bound) {
    let owned = entity.targets("ownerOf").filter_map(|id| entity.catalog().entity(id));
    for owned in owned {
        if seen.insert(owned.id()) {
            add_one(&owned, locator, into);
        }
    }
}

fn add_one(entity: &Entity<'_>, locator: Locator, into: &mut Bound) {
    let binding = Binding::of(entity, locator);
    if binding.is_annotated || entity.kind().eq_ignore_ascii_case("component") {
        into.push((entity.id(), binding));
    }
}
