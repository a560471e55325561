//! What one person may see of a catalog: the same snapshot without the rest.
//!
//! Start at [`Access::view`]. It is the one place that hides entities: whoever lists, counts, searches or draws
//! works on the view, where what is hidden does not exist: no entity, no relation to it, no problem in it. It
//! guards what is shown, not the files, which the person can read by other means.

use super::snapshot::{Catalog, Entity, EntityId, FileContent, ParsedFile};
use super::stitch::{StitchInput, stitch};
use crate::model::value::ValueRef;
use crate::permissions::rbac::{Asked, Directory, Outcome, Resource, Rules};
use crate::permissions::{CATALOG_READ, Claims, Decision, Identity, Policy, Principal};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

/// Who looks, and by which rules; also decides about every other permission of that person.
#[derive(Debug)]
pub struct Access {
    rules: Rules,
    claims: Claims,
    /// The person as the last whole catalog knew them.
    person: Mutex<Option<Arc<Person>>>,
}

/// A person with the groups above them, free of the catalog they come from.
#[derive(Debug, Clone)]
struct Person {
    identity: Identity,
    /// Groups by member, from the person upwards.
    above: FxHashMap<String, Vec<String>>,
}

impl Directory for Person {
    fn groups_of(&self, user: &str) -> Vec<String> {
        self.above.get(user).cloned().unwrap_or_default()
    }

    fn parents_of(&self, group: &str) -> Vec<String> {
        self.groups_of(group)
    }

    fn is_known(&self, entity_ref: &str) -> bool {
        self.above.contains_key(entity_ref)
    }
}

impl Person {
    fn of(claims: &Claims, catalog: &Catalog) -> Self {
        let identity = identity(claims, catalog);
        let people = People(catalog);
        let mut above: FxHashMap<String, Vec<String>> = FxHashMap::default();
        let mut todo: Vec<String> = Vec::new();
        if let Some(user) = &identity.principal.user {
            todo.clone_from(&identity.principal.groups);
            above.insert(user.clone(), identity.principal.groups.clone());
        }
        while let Some(group) = todo.pop() {
            if let Entry::Vacant(place) = above.entry(group) {
                let parents = people.parents_of(place.key());
                todo.extend(parents.iter().cloned());
                place.insert(parents);
            }
        }
        Self { identity, above }
    }
}

impl PartialEq for Access {
    fn eq(&self, other: &Self) -> bool {
        self.rules == other.rules && self.claims == other.claims
    }
}

impl Policy for Access {
    fn decide(&self, _principal: &Principal, permission: &str, _resource: Option<&str>) -> Decision {
        let person = self.person.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(person) = person else {
            // nothing is shown either before the catalog is there
            return Decision::Allow;
        };
        let user = person.identity.principal.user.as_deref();
        let answer = self.rules.decide(user, &Asked::about(permission), &*person);
        match answer.outcome {
            // what it depends on is judged where the thing is known
            Outcome::Allow | Outcome::Conditional => Decision::Allow,
            Outcome::Deny => {
                let who = user.unwrap_or("nobody");
                let reason = format!("{who} lacks the permission `{permission}`: {}", answer.reason);
                Decision::Deny { reason }
            }
        }
    }
}

/// The people of a catalog as a directory: `memberOf` and `childOf`.
#[derive(Debug, Clone, Copy)]
pub struct People<'a>(pub &'a Catalog);

impl People<'_> {
    fn targets(self, entity_ref: &str, relation: &str) -> Vec<String> {
        let Some(id) = self.0.find(entity_ref) else { return Vec::new() };
        let relations = self.0.relations(id).filter(|found| found.relation == relation);
        relations.map(|found| self.0.ref_of(found.target).to_owned()).collect()
    }
}

impl Directory for People<'_> {
    fn groups_of(&self, user: &str) -> Vec<String> {
        self.targets(user, "memberOf")
    }

    fn parents_of(&self, group: &str) -> Vec<String> {
        self.targets(group, "childOf")
    }

    fn is_known(&self, entity_ref: &str) -> bool {
        self.0.find(entity_ref).is_some_and(|id| self.0.is_entity(id))
    }
}

/// Returns who the person with these claims is, with the groups of the catalog.
pub fn identity(claims: &Claims, catalog: &Catalog) -> Identity {
    let users = catalog.entities().filter(|entity| entity.kind().eq_ignore_ascii_case("user"));
    let users: Vec<(&str, &str)> = users
        .map(|user| {
            let address = user.spec().get("profile").get("email").as_str().unwrap_or_default();
            (user.entity_ref(), address)
        })
        .collect();
    let mut identity = claims.resolve(&users);
    if let Some(user) = &identity.principal.user {
        identity.principal.groups = People(catalog).groups_of(user);
    }
    identity
}

impl Access {
    /// Creates the view of a person with these claims.
    pub fn new(rules: Rules, claims: Claims) -> Self {
        Self { rules, claims, person: Mutex::default() }
    }

    /// Returns the rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Returns who the person is according to the last whole catalog; `None` before there was one.
    pub fn identity(&self) -> Option<Identity> {
        let person = self.person.lock().unwrap_or_else(PoisonError::into_inner);
        person.as_ref().map(|person| person.identity.clone())
    }

    /// Returns the snapshot as the person may see it; the same one when they may see everything.
    pub fn view(&self, full: &Arc<Catalog>) -> Arc<Catalog> {
        let person = Arc::new(Person::of(&self.claims, full));
        *self.person.lock().unwrap_or_else(PoisonError::into_inner) = Some(person.clone());
        let user = person.identity.principal.user.as_deref();
        let answer = self.rules.decide(user, &Asked::about(CATALOG_READ), &*person);
        if answer.outcome == Outcome::Allow {
            return full.clone();
        }
        let is_hidden = |entity: &Entity<'_>| !admits(full, *entity, &|resource| answer.admits(resource));
        let ids: Vec<EntityId> = full.ids().collect();
        let hidden: FxHashSet<Box<str>> = ids
            .into_par_iter()
            .filter_map(|id| full.entity(id))
            .filter(is_hidden)
            .map(|entity| entity.entity_ref().into())
            .collect();
        if hidden.is_empty() { full.clone() } else { Arc::new(without(full, hidden)) }
    }
}

/// Judges an entity with its owners.
fn admits(catalog: &Catalog, entity: Entity<'_>, judge: &dyn Fn(Resource<'_>) -> bool) -> bool {
    let owners: Vec<&str> = entity.targets("ownedBy").map(|id| catalog.ref_of(id)).collect();
    judge(Resource::Entity { value: entity.value(), owners: &owners })
}

/// Makes the snapshot anew without some entities.
fn without(full: &Catalog, hidden: FxHashSet<Box<str>>) -> Catalog {
    // a file with nothing hidden in it stays the one it is
    let mut touched: FxHashSet<*const ParsedFile> = FxHashSet::default();
    let files = full.all_files();
    for file in files.iter() {
        let has_hidden = |at: usize| {
            let view = file.document(at);
            view.and_then(|view| super::stitch::canonical_ref(ValueRef::new(view.packed)))
                .is_some_and(|entity_ref| hidden.contains(entity_ref.as_str()))
        };
        if (0..file.document_count()).any(has_hidden) {
            touched.insert(Arc::as_ptr(file));
        }
    }
    let files = files.iter().filter_map(|file| {
        if touched.contains(&Arc::as_ptr(file)) { part(file, &hidden) } else { Some(file.clone()) }
    });
    let errors = full.sources().iter().filter_map(|source| source.error.clone());
    stitch(StitchInput {
        sources: full.sources().to_vec(),
        files: files.collect(),
        diagnostics: errors.collect(),
        hidden,
    })
}

/// Copies a file without its hidden entities; nothing stays of one that has no others.
fn part(file: &ParsedFile, hidden: &FxHashSet<Box<str>>) -> Option<Arc<ParsedFile>> {
    let content: &FileContent = file;
    let is_hidden = |entity_ref: &str| hidden.contains(entity_ref);
    let documents: Vec<_> = content
        .documents
        .iter()
        .filter(|document| {
            let value = ValueRef::new(&document.packed);
            !super::stitch::canonical_ref(value).is_some_and(|entity_ref| is_hidden(&entity_ref))
        })
        .cloned()
        .collect();
    if documents.is_empty() {
        return None;
    }
    // a problem that is about no entity may quote a hidden one
    let about_others = |problem: &&crate::diagnostic::Diagnostic| {
        problem.entity.as_deref().is_some_and(|entity| !is_hidden(entity))
    };
    let content = FileContent {
        path: content.path.clone(),
        location_ref: content.location_ref.clone(),
        origin_ref: content.origin_ref.clone(),
        relations: content.relations,
        documents,
        diagnostics: content.diagnostics.iter().filter(about_others).cloned().collect(),
    };
    Some(Arc::new(ParsedFile::new(file.source, content)))
}
