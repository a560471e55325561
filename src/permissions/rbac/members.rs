//! Who belongs to what: the groups of a person, their parents, and the roles that follow.

use super::Rules;
use super::csv::Place;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Knows the people: the catalog, or a table in a test. Refs are canonical.
pub trait Directory {
    /// Returns the groups a user is a direct member of.
    fn groups_of(&self, user: &str) -> Vec<String>;
    /// Returns the groups that a group is a part of.
    fn parents_of(&self, group: &str) -> Vec<String>;
    /// Returns whether somebody describes this ref.
    fn is_known(&self, entity_ref: &str) -> bool;
}

/// A role that a person has, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The role.
    pub role: Arc<str>,
    /// From the user over groups to the member that has the role; empty for the role of everybody.
    pub path: Vec<String>,
    /// The line that gives the role to the last of [`Self::path`].
    pub place: Place,
}

/// The groups of a person, each with the way to it.
pub(super) struct Ancestors {
    /// Group to the member of it that led there; the user's own groups lead from the user.
    from: FxHashMap<String, String>,
    /// In the order they were found.
    order: Vec<String>,
    /// The groups go round in a circle; nothing follows from them then.
    pub cycle: Option<Vec<String>>,
}

/// Groups that are looked at; a company has fewer.
const MAX_GROUPS: usize = 10_000;

impl Ancestors {
    /// Collects the groups of a user and their parents, `max_depth` levels of parents at most.
    pub(super) fn of(user: &str, directory: &dyn Directory, max_depth: Option<usize>) -> Self {
        let mut found = Self { from: FxHashMap::default(), order: Vec::new(), cycle: None };
        let mut edges: FxHashMap<String, Vec<String>> = FxHashMap::default();
        let mut level: Vec<String> = directory.groups_of(user);
        for group in &level {
            found.add(group, user);
        }
        let mut depth = 0;
        while !level.is_empty() && max_depth.is_none_or(|most| depth < most) && found.order.len() < MAX_GROUPS
        {
            let mut next = Vec::new();
            for group in &level {
                if edges.contains_key(group) {
                    continue;
                }
                let parents = directory.parents_of(group);
                for parent in &parents {
                    if found.add(parent, group) {
                        next.push(parent.clone());
                    }
                }
                edges.insert(group.clone(), parents);
            }
            level = next;
            depth += 1;
        }
        found.cycle = cycle(&edges);
        found
    }

    fn add(&mut self, group: &str, from: &str) -> bool {
        if self.from.contains_key(group) {
            return false;
        }
        self.from.insert(group.to_owned(), from.to_owned());
        self.order.push(group.to_owned());
        true
    }

    pub(super) fn contains(&self, group: &str) -> bool {
        self.cycle.is_none() && self.from.contains_key(group)
    }

    /// Returns the way from the user to a group.
    fn path(&self, user: &str, group: &str) -> Vec<String> {
        let mut path = vec![group.to_owned()];
        let mut at = group;
        while let Some(from) = self.from.get(at).filter(|from| *from != user) {
            if path.contains(from) {
                break;
            }
            path.push(from.clone());
            at = from;
        }
        path.push(user.to_owned());
        path.reverse();
        path
    }
}

/// Finds a circle among the edges from a group to its parents.
fn cycle(edges: &FxHashMap<String, Vec<String>>) -> Option<Vec<String>> {
    let mut done: FxHashSet<&str> = FxHashSet::default();
    let mut starts: Vec<&String> = edges.keys().collect();
    starts.sort();
    for start in starts {
        // depth first, with the way to where we are
        let mut way: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((group, at)) = way.last().copied() {
            let next = edges.get(group).and_then(|parents| parents.get(at));
            let Some(next) = next.map(String::as_str).filter(|_| !done.contains(group)) else {
                done.insert(group);
                way.pop();
                continue;
            };
            if let Some(last) = way.last_mut() {
                last.1 += 1;
            }
            if let Some(begin) = way.iter().position(|(on_way, _)| *on_way == next) {
                return Some(way.iter().skip(begin).map(|(group, _)| (*group).to_owned()).collect());
            }
            way.push((next, 0));
        }
    }
    None
}

impl Rules {
    /// Returns the roles of a user with the ways to them; none when their groups go round in a circle.
    pub(super) fn ways(&self, user: &str, ancestors: &Ancestors) -> Vec<Way> {
        if ancestors.cycle.is_some() {
            return Vec::new();
        }
        let mut ways: Vec<Way> = Vec::new();
        let members = std::iter::once(user).chain(ancestors.order.iter().map(String::as_str));
        for member in members {
            for role in self.roles.get(member).into_iter().flatten() {
                if ways.iter().any(|way| way.role == *role) {
                    continue;
                }
                let line = self.members_of(role).iter().find(|line| *line.member == *member);
                let Some(line) = line else { continue };
                let path = if member == user { vec![user.to_owned()] } else { ancestors.path(user, member) };
                ways.push(Way { role: role.clone(), path, place: line.place.clone() });
            }
        }
        if let Some(role) = &self.settings.default_role
            && !ways.iter().any(|way| *way.role == **role)
        {
            let place = Place { file: "settings: everybody".into(), line: 0 };
            ways.push(Way { role: role.as_str().into(), path: Vec::new(), place });
        }
        ways
    }
}
