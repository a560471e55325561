//! The objects of many entities at once: one walk over all objects, each looked up by its labels.

use super::{Binding, Found, LabelError, LabelSelector};
use crate::kubernetes::kind::Kind;
use crate::kubernetes::object::{Facts, Object};
use crate::kubernetes::state::{ClusterState, State, Table};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Bindings with an index over the labels that they ask for.
///
/// Made once for a catalog; a walk over 20,000 pods with 1,000 bindings then costs about one lookup a label.
#[derive(Debug, Default)]
pub struct Bindings {
    bound: Vec<Bound>,
    by_label: FxHashMap<Box<str>, FxHashMap<Box<str>, Vec<u32>>>,
    /// Those whose selector names no value that must be there.
    wide: Vec<u32>,
}

#[derive(Debug)]
struct Bound {
    binding: Binding,
    selector: Result<LabelSelector, LabelError>,
}

/// Bindings that an object belongs to, with whether it is an extra there.
type Members = Vec<(u32, bool)>;

impl Bindings {
    /// Takes bindings; they keep their places in the list.
    pub fn new(bindings: impl IntoIterator<Item = Binding>) -> Self {
        let mut all = Self::default();
        for binding in bindings {
            all.add(binding);
        }
        all
    }

    fn add(&mut self, binding: Binding) {
        let at = self.bound.len() as u32;
        let selector = LabelSelector::parse(&binding.selector);
        match selector.as_ref().map(LabelSelector::narrowest) {
            Ok(Some((key, values))) => {
                let by_value = self.by_label.entry(key.into()).or_default();
                for value in values {
                    by_value.entry(value.as_str().into()).or_default().push(at);
                }
            }
            Ok(None) => self.wide.push(at),
            // Nothing matches a selector that no server takes.
            Err(_) => {}
        }
        self.bound.push(Bound { binding, selector });
    }

    /// Returns the binding at a place.
    pub fn get(&self, at: usize) -> Option<&Binding> {
        self.bound.get(at).map(|bound| &bound.binding)
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.bound.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.bound.is_empty()
    }

    /// Returns why the selector of a binding is none, when that is so.
    pub fn problem(&self, at: usize) -> Option<&LabelError> {
        self.bound.get(at).and_then(|bound| bound.selector.as_ref().err())
    }

    /// Returns the objects of each binding, in its place: those of the given kinds, all for none given.
    pub fn collect<'a>(&self, state: &'a State, kinds: &[Kind]) -> Vec<Vec<Found<'a>>> {
        let mut found: Vec<Vec<Found<'a>>> = self.bound.iter().map(|_| Vec::new()).collect();
        if self.bound.is_empty() {
            return found;
        }
        for cluster in &*state.clusters {
            let mut walk =
                Walk { all: self, cluster, kinds, owners: FxHashMap::default(), found: &mut found };
            walk.run();
        }
        found
    }

    fn by_labels(&self, cluster: &str, object: &Object, into: &mut Members) {
        let mut candidate = |at: &u32| {
            let Some(bound) = self.bound.get(*at as usize) else { return };
            let is_met = bound.selector.as_ref().is_ok_and(|selector| selector.matches(&object.labels));
            if is_met && allows(&bound.binding, cluster, object) {
                into.push((*at, false));
            }
        };
        for (key, value) in &object.labels {
            let places = self.by_label.get(&**key).and_then(|values| values.get(&**value));
            places.into_iter().flatten().for_each(&mut candidate);
        }
        self.wide.iter().for_each(candidate);
    }
}

fn allows(binding: &Binding, cluster: &str, object: &Object) -> bool {
    binding.is_in_namespace(&object.namespace) && binding.is_in_cluster(cluster)
}

/// One walk over a cluster: owners before what they own.
struct Walk<'w, 'a> {
    all: &'w Bindings,
    cluster: &'a Arc<ClusterState>,
    kinds: &'w [Kind],
    /// Bindings of what may own others, by uid.
    owners: FxHashMap<&'a str, Members>,
    found: &'w mut Vec<Vec<Found<'a>>>,
}

/// Kinds that own others, in such an order that owners come first; custom resources come before all of them.
const OWNERS: &[Kind] =
    &[Kind::CronJob, Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::ReplicaSet, Kind::Job];

impl<'a> Walk<'_, 'a> {
    fn run(&mut self) {
        let tables = &self.cluster.tables;
        let custom =
            tables.iter().filter(|(kind, _)| matches!(kind, Kind::Custom(_))).map(|(_, table)| table);
        for table in custom.chain(OWNERS.iter().filter_map(|kind| tables.get(kind))) {
            self.table(table, |walk, object, members| {
                walk.by_owner(object, members);
                if !members.is_empty() {
                    walk.owners.insert(&object.uid, members.clone());
                }
            });
        }
        let mut claims: FxHashMap<(&'a str, &'a str), Members> = FxHashMap::default();
        if let Some(pods) = tables.get(&Kind::Pod) {
            self.table(pods, |walk, object, members| {
                walk.by_owner(object, members);
                let Facts::Pod(pod) = &object.facts else { return };
                for claim in pod.claims.iter().filter(|_| !members.is_empty()) {
                    add(claims.entry((&object.namespace, claim)).or_default(), members);
                }
            });
        }
        for (kind, table) in tables {
            if *kind == Kind::Pod || OWNERS.contains(kind) || matches!(kind, Kind::Custom(_)) {
                continue;
            }
            self.table(table, |walk, object, members| match &object.facts {
                Facts::Volume(_) if *kind == Kind::PersistentVolumeClaim => {
                    let of_pods = claims.get(&(&*object.namespace, &*object.name));
                    add(members, of_pods.map_or(&[][..], Vec::as_slice));
                }
                Facts::Autoscaler(scaler) => walk.by_target(object, &scaler.target, members),
                _ => {}
            });
        }
    }

    fn table(&mut self, table: &'a Table, mut follow: impl FnMut(&mut Self, &'a Object, &mut Members)) {
        let mut members = Members::new();
        for object in table.objects.values() {
            members.clear();
            self.all.by_labels(&self.cluster.cluster.name, object, &mut members);
            follow(self, object, &mut members);
            if !self.kinds.is_empty() && !self.kinds.contains(&object.kind) {
                continue;
            }
            for (at, is_extra) in &members {
                if let Some(list) = self.found.get_mut(*at as usize) {
                    list.push(Found { cluster: self.cluster, object, is_extra: *is_extra });
                }
            }
        }
    }

    fn by_owner(&self, object: &'a Object, members: &mut Members) {
        for owner in &object.owners {
            if let Some(of_owner) = self.owners.get(&*owner.uid) {
                add(members, of_owner);
            }
        }
    }

    fn by_target(&self, object: &'a Object, (kind, name): &(Arc<str>, Arc<str>), members: &mut Members) {
        let target = Kind::find(kind).and_then(|kind| self.cluster.tables.get(&kind));
        let target = target.and_then(|table| table.objects.get(&(object.namespace.clone(), name.clone())));
        if let Some(of_target) = target.and_then(|target| self.owners.get(&*target.uid)) {
            add(members, of_target);
        }
    }
}

/// Adds bindings that an object follows into, where it is not one of theirs already.
fn add(members: &mut Members, others: &[(u32, bool)]) {
    for (at, _) in others {
        if !members.iter().any(|(known, _)| known == at) {
            members.push((*at, true));
        }
    }
}
