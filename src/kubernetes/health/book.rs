//! How all entities are, kept up to date: what did not change is not looked at twice.

use super::verdict::Answer;
use super::{Health, verdict};
use crate::catalog::{Catalog, EntityId};
use crate::kubernetes::object::{Facts, Object};
use crate::kubernetes::select::{Binding, Bindings, Found, ID, Locator};
use crate::kubernetes::state::State;
use jiff::{SignedDuration, Timestamp};
use rustc_hash::FxHashSet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the entities are, by canonical ref.
pub type Healths = BTreeMap<Arc<str>, Arc<Health>>;

/// Verdicts of entities with what they were made of; hand new states to [`Book::update`].
///
/// An update walks all objects once, a lookup for each label, and looks closer only at entities whose objects are
/// others than before, or whose findings depend on the time.
#[derive(Debug, Default)]
pub struct Book {
    catalog: Option<Arc<Catalog>>,
    locator: Locator,
    annotated: Vec<(Arc<str>, Binding)>,
    /// Namespaces of components, to find those that only their name binds.
    namespaces: Vec<Box<str>>,
    /// Values of the id label that were there.
    ids: FxHashSet<Arc<str>>,
    entities: Vec<Arc<str>>,
    bindings: Bindings,
    pages: Vec<Page>,
    healths: Arc<Healths>,
}

/// The verdict about one entity.
#[derive(Debug, Default)]
struct Page {
    /// What it was made of, in order, and kept alive so that no other object can take its place in memory.
    objects: Vec<Arc<Object>>,
    /// How the clusters answered.
    answers: Vec<Answer>,
    health: Arc<Health>,
    /// When it was made.
    at: Timestamp,
}

/// Verdicts that depend on the time are made again after this long.
const AGEING: SignedDuration = SignedDuration::from_secs(20);
/// Namespaces that are looked into for components that only their name binds.
const MOST_NAMESPACES: usize = 64;

impl Book {
    /// Returns how the entities are now: all annotated ones, and components of whose name objects are there. The
    /// same map comes back while nothing changed.
    pub fn update(&mut self, state: &State, catalog: &Arc<Catalog>, now: Timestamp) -> Arc<Healths> {
        self.follow(state, catalog);
        let collected = self.bindings.collect(state, &[]);
        let answers: Vec<Answer> = state.clusters.iter().map(|cluster| verdict::answer(cluster)).collect();
        let mut is_changed = self.pages.len() != self.healths.len();
        for (at, objects) in collected.iter().enumerate() {
            let Some(page) = self.pages.get_mut(at) else { continue };
            if page.is_good(objects, &answers, now) {
                continue;
            }
            let bindings: Vec<&Binding> = self.bindings.get(at).into_iter().collect();
            let mut health = verdict::of(state, objects, &bindings, now);
            if let Some(problem) = self.bindings.problem(at) {
                health.summary = format!("its label selector is none: {problem}");
            }
            if *page.health != health {
                page.health = Arc::new(health);
                is_changed = true;
            }
            page.objects = objects.iter().map(|found| found.object.clone()).collect();
            page.answers.clone_from(&answers);
            page.at = now;
        }
        if is_changed {
            let healths =
                self.entities.iter().cloned().zip(self.pages.iter().map(|page| page.health.clone()));
            self.healths = Arc::new(healths.collect());
        }
        self.healths.clone()
    }

    /// Takes over a new catalog, or new names among the objects.
    fn follow(&mut self, state: &State, catalog: &Arc<Catalog>) {
        let is_known = self.catalog.as_ref().is_some_and(|known| Arc::ptr_eq(known, catalog));
        let is_same = is_known && self.locator == state.locator;
        let ids = ids(state);
        if is_same && ids == self.ids {
            return;
        }
        if !is_same {
            self.annotated = annotated(catalog, state.locator);
            self.namespaces = namespaces(catalog);
            self.catalog = Some(catalog.clone());
            self.locator = state.locator;
        }
        let named = named(catalog, &self.namespaces, &ids, state.locator);
        self.ids = ids;
        let mut pages: BTreeMap<Arc<str>, (Page, Binding)> = BTreeMap::new();
        let old: Vec<(Arc<str>, Page)> = self.entities.drain(..).zip(self.pages.drain(..)).collect();
        for (at, (entity, page)) in old.into_iter().enumerate() {
            if let Some(binding) = self.bindings.get(at) {
                pages.insert(entity, (page, binding.clone()));
            }
        }
        let mut all: BTreeMap<Arc<str>, Binding> = self.annotated.iter().cloned().collect();
        all.extend(named);
        self.bindings = Bindings::new(all.values().cloned());
        for (entity, binding) in all {
            let kept = pages.remove(&entity).filter(|(_, known)| *known == binding);
            self.pages.push(kept.map(|(page, _)| page).unwrap_or_default());
            self.entities.push(entity);
        }
        // What is published has other entities than before.
        self.healths = Arc::default();
    }
}

impl Page {
    fn is_good(&self, objects: &[Found<'_>], answers: &[Answer], now: Timestamp) -> bool {
        let is_new = self.at == Timestamp::default();
        let are_same = self.objects.len() == objects.len()
            && self.objects.iter().zip(objects).all(|(known, found)| Arc::ptr_eq(known, found.object));
        let is_aged = now.duration_since(self.at) >= AGEING && self.depends_on_time();
        !is_new && are_same && self.answers == answers && !is_aged
    }

    /// Returns whether the verdict may be another later on, although no object changes.
    fn depends_on_time(&self) -> bool {
        let is_pending = |object: &Arc<Object>| match &object.facts {
            Facts::Pod(pod) => object.deleted.is_some() || !verdict::is_ready(pod),
            Facts::Keys(keys) => keys.expires.is_some(),
            _ => false,
        };
        !self.health.findings.is_empty() || self.objects.iter().any(is_pending)
    }
}

fn annotated(catalog: &Catalog, locator: Locator) -> Vec<(Arc<str>, Binding)> {
    let bound = catalog.entities().filter_map(|entity| {
        let binding = Binding::of(&entity, locator);
        binding.is_annotated.then(|| (entity.entity_ref().into(), binding))
    });
    bound.collect()
}

fn namespaces(catalog: &Catalog) -> Vec<Box<str>> {
    let mut namespaces: Vec<Box<str>> = vec!["default".into()];
    for entity in catalog.entities() {
        let namespace = entity.namespace();
        if namespaces.len() < MOST_NAMESPACES && !namespaces.iter().any(|known| &**known == namespace) {
            namespaces.push(namespace.into());
        }
    }
    namespaces
}

/// Returns the values of the id label among all objects.
fn ids(state: &State) -> FxHashSet<Arc<str>> {
    let tables = state.clusters.iter().flat_map(|cluster| cluster.tables.values());
    let objects = tables.flat_map(|table| table.objects.values());
    let id = |object: &Arc<Object>| {
        let at = object.labels.binary_search_by(|(key, _)| (**key).cmp(ID)).ok()?;
        object.labels.get(at).map(|(_, value)| value.clone())
    };
    objects.filter_map(id).collect()
}

/// Returns the components that only their name binds, of the names that are there.
fn named(
    catalog: &Catalog,
    namespaces: &[Box<str>],
    ids: &FxHashSet<Arc<str>>,
    locator: Locator,
) -> Vec<(Arc<str>, Binding)> {
    let mut bound = Vec::new();
    for id in ids {
        for namespace in namespaces {
            let at: Option<EntityId> =
                catalog.find(&format!("component:{}/{}", namespace.to_lowercase(), id.to_lowercase()));
            let Some(entity) = at.and_then(|at| catalog.entity(at)) else { continue };
            let binding = Binding::of(&entity, locator);
            if !binding.is_annotated && entity.name() == &**id {
                bound.push((entity.entity_ref().into(), binding));
            }
        }
    }
    bound
}
