//! The organisation as a tree: groups by parent, people below their groups, and what hangs nowhere.
//!
//! Nothing of the catalog is lost: people without a group, groups whose parent nobody describes,
//! circles of parents, owners nobody describes and things nobody owns all have their place. Built
//! breadth first with every group grown once, so that a circle ends.

use crate::catalog::{Catalog, Entity, EntityId};
use crate::model::entity_ref::split_canonical;
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

/// What an item of the tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// A group; it may be described nowhere.
    Group(EntityId),
    /// A person, once below each of their groups.
    Person(EntityId),
    /// People who are in no group that exists.
    Ungrouped,
    /// Owners, groups and people that are named but described nowhere.
    Nowhere,
    /// Things that nobody owns.
    Unowned,
}

/// Something to know about an item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Remark {
    /// Nothing.
    #[default]
    None,
    /// It has its place elsewhere; here it is only named.
    Elsewhere,
    /// It is its own ancestor.
    Circle,
    /// Its parent or group is described nowhere.
    Lost(EntityId),
}

/// An item of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub what: What,
    /// The item it hangs on.
    pub parent: Option<usize>,
    /// What hangs on it: groups, then people.
    pub children: Vec<usize>,
    /// Direct members, and with all groups below, each person once.
    pub members: (usize, usize),
    /// Entities owned directly, and with all groups below, each once.
    pub owned: (usize, usize),
    /// Something to know.
    pub remark: Remark,
}

impl Item {
    fn new(what: What, parent: Option<usize>) -> Self {
        Self { what, parent, children: Vec::new(), members: (0, 0), owned: (0, 0), remark: Remark::None }
    }

    /// Returns the entity or dangling ref it shows.
    pub fn id(&self) -> Option<EntityId> {
        match self.what {
            What::Group(id) | What::Person(id) => Some(id),
            What::Ungrouped | What::Nowhere | What::Unowned => None,
        }
    }
}

/// The tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// All items; children come after their parent.
    pub items: Vec<Item>,
    /// Items without a parent, in the order they are shown.
    pub top: Vec<usize>,
    /// Groups that are described.
    pub groups: usize,
    /// People that are described.
    pub people: usize,
    /// What nobody owns, or somebody whom nobody describes.
    pub unowned: Vec<EntityId>,
}

impl Chart {
    /// Builds the tree of a snapshot.
    pub fn build(catalog: &Catalog) -> Self {
        let mut chart = Self::default();
        let mut grown: FxHashSet<EntityId> = FxHashSet::default();
        let groups: Vec<EntityId> = of_kind(catalog, "group").collect();
        let people: Vec<EntityId> = of_kind(catalog, "user").collect();
        (chart.groups, chart.people) = (groups.len(), people.len());
        for root in crate::catalog::graph::group_roots(catalog) {
            let at = chart.add(What::Group(root), None);
            let lost = targets(catalog, root, "childOf").find(|parent| !catalog.is_entity(*parent));
            chart.remark(at, lost.map_or(Remark::None, Remark::Lost));
            chart.grow(catalog, at, &mut grown);
        }
        // whoever is not reached from a root has itself for an ancestor
        for group in &groups {
            if !grown.contains(group) {
                let at = chart.add(What::Group(*group), None);
                chart.remark(at, Remark::Circle);
                chart.grow(catalog, at, &mut grown);
            }
        }
        chart.add_ungrouped(catalog, &people);
        chart.add_nowhere(catalog, &mut grown);
        chart.unowned =
            catalog.entities().filter(|entity| is_unowned(catalog, entity)).map(|e| e.id()).collect();
        if !chart.unowned.is_empty() {
            let at = chart.add(What::Unowned, None);
            let count = chart.unowned.len();
            if let Some(item) = chart.items.get_mut(at) {
                item.owned = (count, count);
            }
        }
        chart.count(catalog);
        chart
    }

    fn add(&mut self, what: What, parent: Option<usize>) -> usize {
        let at = self.items.len();
        self.items.push(Item::new(what, parent));
        match parent.and_then(|parent| self.items.get_mut(parent)) {
            Some(parent) => parent.children.push(at),
            None => self.top.push(at),
        }
        at
    }

    fn remark(&mut self, at: usize, remark: Remark) {
        if let Some(item) = self.items.get_mut(at) {
            item.remark = remark;
        }
    }

    /// Hangs everything below a group on it, each group once in the whole tree.
    fn grow(&mut self, catalog: &Catalog, root: usize, grown: &mut FxHashSet<EntityId>) {
        grown.extend(self.items.get(root).and_then(Item::id));
        let mut queue = VecDeque::from([root]);
        while let Some(at) = queue.pop_front() {
            let Some(id) = self.items.get(at).and_then(Item::id) else { continue };
            for child in targets(catalog, id, "parentOf") {
                let item = self.add(What::Group(child), Some(at));
                if grown.insert(child) {
                    queue.push_back(item);
                } else {
                    self.remark(item, Remark::Elsewhere);
                }
            }
            for member in targets(catalog, id, "hasMember") {
                self.add(What::Person(member), Some(at));
            }
        }
    }

    fn add_ungrouped(&mut self, catalog: &Catalog, people: &[EntityId]) {
        let mut section = None;
        for person in people {
            if targets(catalog, *person, "memberOf").any(|group| catalog.is_entity(group)) {
                continue;
            }
            let section = *section.get_or_insert_with(|| self.add(What::Ungrouped, None));
            let at = self.add(What::Person(*person), Some(section));
            if let Some(group) = targets(catalog, *person, "memberOf").next() {
                self.remark(at, Remark::Lost(group));
            }
        }
    }

    fn add_nowhere(&mut self, catalog: &Catalog, grown: &mut FxHashSet<EntityId>) {
        let mut section = None;
        for id in catalog.dangling() {
            let what = match split_canonical(catalog.ref_of(id)).0 {
                "group" => What::Group(id),
                "user" => What::Person(id),
                _ => continue,
            };
            let section = *section.get_or_insert_with(|| self.add(What::Nowhere, None));
            let at = self.add(what, Some(section));
            if matches!(what, What::Group(_)) && grown.insert(id) {
                for member in targets(catalog, id, "hasMember") {
                    self.add(What::Person(member), Some(at));
                }
            }
        }
    }

    /// Counts members and owned entities from the leaves up, each once.
    fn count(&mut self, catalog: &Catalog) {
        let mut below: Vec<(Vec<EntityId>, Vec<EntityId>)> = vec![Default::default(); self.items.len()];
        for at in (0..self.items.len()).rev() {
            let Some(item) = self.items.get_mut(at) else { continue };
            let Some(id) = item.id() else { continue };
            let own: Vec<EntityId> = owned_by(catalog, id).collect();
            let is_group = matches!(item.what, What::Group(_));
            let own_members: Vec<EntityId> = targets(catalog, id, "hasMember").filter(|_| is_group).collect();
            let (mut owned, mut members) = below.get_mut(at).map(std::mem::take).unwrap_or_default();
            item.owned.0 = own.len();
            item.members.0 = own_members.len();
            owned.extend(own);
            members.extend(own_members);
            for all in [&mut owned, &mut members] {
                all.sort_unstable();
                all.dedup();
            }
            item.owned.1 = owned.len();
            item.members.1 = members.len();
            // what a member owns is not what the group owns
            let above = item.parent.filter(|_| is_group && item.remark != Remark::Elsewhere);
            if let Some(slot) = above.and_then(|parent| below.get_mut(parent)) {
                slot.0.extend(owned);
                slot.1.extend(members);
            }
        }
    }

    /// Returns what an item owns: directly, or with all groups below it, each once.
    pub fn owned(&self, catalog: &Catalog, at: usize, with_below: bool) -> Vec<EntityId> {
        let Some(item) = self.items.get(at) else { return Vec::new() };
        let Some(id) = item.id() else {
            return if item.what == What::Unowned { self.unowned.clone() } else { Vec::new() };
        };
        let mut found: Vec<EntityId> = owned_by(catalog, id).collect();
        let mut stack = if with_below { item.children.clone() } else { Vec::new() };
        while let Some(child) = stack.pop().and_then(|child| self.items.get(child)) {
            if let What::Group(id) = child.what {
                found.extend(owned_by(catalog, id));
                stack.extend(&child.children);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn of_kind<'a>(catalog: &'a Catalog, kind: &'a str) -> impl Iterator<Item = EntityId> + use<'a> {
    catalog.ids().filter(move |id| split_canonical(catalog.ref_of(*id)).0 == kind)
}

/// Returns the targets of one relation type, each once.
pub fn targets<'a>(
    catalog: &'a Catalog,
    id: EntityId,
    relation: &'a str,
) -> impl Iterator<Item = EntityId> + use<'a> {
    catalog.relations(id).filter(move |r| r.relation == relation).map(|r| r.target)
}

fn owned_by(catalog: &Catalog, id: EntityId) -> impl Iterator<Item = EntityId> + use<'_> {
    targets(catalog, id, "ownerOf").filter(|target| catalog.is_entity(*target))
}

/// Whether nobody who is described owns it; people, groups and Locations are not owned. The same
/// entities as those of the filter `is:unowned`.
fn is_unowned(catalog: &Catalog, entity: &Entity<'_>) -> bool {
    let kind = entity.kind();
    let is_owned_kind = !["User", "Group", "Location"].iter().any(|other| kind.eq_ignore_ascii_case(other));
    is_owned_kind && entity.owner().is_none_or(|owner| !catalog.is_entity(owner))
}
