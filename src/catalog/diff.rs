//! What differs between two snapshots: entities, their fields, relations, owners, problems.
//!
//! Start at [`diff`]. Pure; everything in the answer is sorted, so that equal inputs give equal texts. An
//! entity is the same one on both sides when its ref is; that its file has another name or place is a move,
//! not a change. Values in the answer are bounded, lists are not.

use super::snapshot::{Catalog, Entity, EntityId};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::relation;
use crate::model::value::ValueRef;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Longest text of a value, in bytes; longer ones are cut.
pub const MAX_VALUE: usize = 2000;
/// Most fields told of one entity.
pub const MAX_FIELDS: usize = 200;

/// What differs. Its JSON form is stable: fields are added, never renamed.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CatalogDiff {
    /// How many of each.
    pub summary: Summary,
    /// Entities that are only on the newer side.
    pub added: Vec<EntityNote>,
    /// Entities that are only on the older side.
    pub removed: Vec<EntityNote>,
    /// Entities whose fields differ.
    pub changed: Vec<EntityChange>,
    /// Entities that are read from another file.
    pub moved: Vec<EntityMove>,
    /// Entities on both sides with another first owner.
    pub owners: Vec<OwnerChange>,
    /// Relations, each once and in its forward direction.
    pub relations: RelationChanges,
    /// What is wrong.
    pub problems: ProblemChanges,
}

/// How many things differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named after the lists they count")]
pub struct Summary {
    pub added: usize,
    pub removed: usize,
    pub changed: usize,
    pub moved: usize,
    pub owners_changed: usize,
    pub relations_gained: usize,
    pub relations_lost: usize,
    pub problems_introduced: usize,
    pub problems_solved: usize,
}

impl Summary {
    /// Returns the differences in one line: `2 entities added, 1 relation lost`.
    pub fn words(&self) -> String {
        let s = self;
        let parts: Vec<String> = [
            (s.added, "entity added", "entities added"),
            (s.removed, "entity removed", "entities removed"),
            (s.changed, "entity changed", "entities changed"),
            (s.moved, "entity moved", "entities moved"),
            (s.owners_changed, "owner changed", "owners changed"),
            (s.relations_gained, "relation gained", "relations gained"),
            (s.relations_lost, "relation lost", "relations lost"),
            (s.problems_introduced, "problem introduced", "problems introduced"),
            (s.problems_solved, "problem solved", "problems solved"),
        ]
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
        .collect();
        if parts.is_empty() { "no differences".to_owned() } else { parts.join(", ") }
    }
}

/// An entity that is on one side only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityNote {
    /// Canonical ref.
    pub entity_ref: String,
    /// Title, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `spec.type`, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// Ref of the first owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// File in the repository.
    pub file: String,
    /// 1-based.
    pub line: u32,
}

/// An entity whose fields differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityChange {
    /// Canonical ref.
    pub entity_ref: String,
    /// File in the repository, on the newer side.
    pub file: String,
    /// 1-based.
    pub line: u32,
    /// What differs, in the order of the newer side.
    pub fields: Vec<FieldChange>,
    /// Fields that are left out of the list.
    pub more_fields: usize,
}

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// JSON pointer: `/spec/owner`.
    pub pointer: String,
    /// As people write it: `spec.owner`.
    pub field: String,
    /// The older value; absent: there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<serde_json::Value>,
    /// The newer value; absent: there is none any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<serde_json::Value>,
    /// Whether a value is cut at its end because it is too long.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// An entity that is read from another file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityMove {
    /// Canonical ref.
    pub entity_ref: String,
    /// Older file.
    pub from: String,
    /// Newer file.
    pub to: String,
}

/// An entity with another owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerChange {
    /// Canonical ref.
    pub entity_ref: String,
    /// Ref of the older owner.
    pub old: Option<String>,
    /// Ref of the newer owner.
    pub new: Option<String>,
}

/// Relations that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RelationChanges {
    /// Only there on the newer side.
    pub gained: Vec<RelationChange>,
    /// Only there on the older side.
    pub lost: Vec<RelationChange>,
}

/// A relation that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelationChange {
    /// Canonical ref of the entity it goes out from.
    pub source_ref: String,
    /// `dependsOn`, …
    pub r#type: String,
    /// Canonical ref of the other end.
    pub target_ref: String,
    /// Why.
    pub because: Because,
}

/// Why a relation differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// An entity that is on both sides says so now, or does not any more.
    Stated,
    /// The entity that says so came with it.
    SourceAdded,
    /// The entity that said so went with it.
    SourceRemoved,
    /// It was said on both sides; nobody described the target before.
    TargetAppeared,
    /// It is said on both sides; nobody describes the target any more.
    TargetVanished,
}

impl Because {
    /// Returns the words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stated => "stated",
            Self::SourceAdded => "came with the entity",
            Self::SourceRemoved => "went with the entity",
            Self::TargetAppeared => "the target appeared",
            Self::TargetVanished => "the target vanished",
        }
    }
}

/// Problems that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProblemChanges {
    /// Only there on the newer side.
    pub introduced: Vec<Problem>,
    /// Only there on the older side.
    pub solved: Vec<Problem>,
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Stable name.
    pub code: &'static str,
    /// In plain words.
    pub message: String,
    /// Canonical ref of the entity it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_ref: Option<String>,
    /// File in the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// 1-based; 0 when only the file is known.
    pub line: u32,
}

impl CatalogDiff {
    /// Returns whether there is no difference; a move alone is none.
    pub fn is_empty(&self) -> bool {
        Summary { moved: 0, ..self.summary } == Summary::default()
    }
}

/// Compares two snapshots.
pub fn diff(old: &Catalog, new: &Catalog) -> CatalogDiff {
    let mut out = CatalogDiff::default();
    entities(old, new, &mut out);
    out.relations = relations(old, new);
    out.problems = problems(old, new);
    out.summary = Summary {
        added: out.added.len(),
        removed: out.removed.len(),
        changed: out.changed.len(),
        moved: out.moved.len(),
        owners_changed: out.owners.len(),
        relations_gained: out.relations.gained.len(),
        relations_lost: out.relations.lost.len(),
        problems_introduced: out.problems.introduced.len(),
        problems_solved: out.problems.solved.len(),
    };
    out
}

fn find<'a>(catalog: &'a Catalog, entity_ref: &str) -> Option<Entity<'a>> {
    catalog.entity(catalog.find(entity_ref)?)
}

fn entities(old: &Catalog, new: &Catalog, out: &mut CatalogDiff) {
    for after in new.entities() {
        let Some(before) = find(old, after.entity_ref()) else {
            out.added.push(note(&after));
            continue;
        };
        let (was, is) = (before.location(), after.location());
        if was.file != is.file {
            let (from, to) = (was.file.to_string(), is.file.to_string());
            out.moved.push(EntityMove { entity_ref: after.entity_ref().to_owned(), from, to });
        }
        let (fields, more_fields) = fields(before.value(), after.value());
        if fields.is_empty() {
            continue;
        }
        out.changed.push(EntityChange {
            entity_ref: after.entity_ref().to_owned(),
            file: is.file.to_string(),
            line: is.line,
            fields,
            more_fields,
        });
        let (was, is) = (owner(&before), owner(&after));
        if was != is {
            out.owners.push(OwnerChange { entity_ref: after.entity_ref().to_owned(), old: was, new: is });
        }
    }
    out.removed = old.entities().filter(|e| find(new, e.entity_ref()).is_none()).map(|e| note(&e)).collect();
}

fn owner(entity: &Entity<'_>) -> Option<String> {
    entity.owner().map(|id| entity.catalog().ref_of(id).to_owned())
}

fn note(entity: &Entity<'_>) -> EntityNote {
    let location = entity.location();
    EntityNote {
        entity_ref: entity.entity_ref().to_owned(),
        title: entity.title().map(|title| cut(title).0),
        r#type: Some(entity.entity_type()).filter(|text| !text.is_empty()).map(str::to_owned),
        owner: owner(entity),
        file: location.file.to_string(),
        line: location.line,
    }
}

/// Returns the fields that differ, and how many more there are than are told.
pub fn fields(old: ValueRef<'_>, new: ValueRef<'_>) -> (Vec<FieldChange>, usize) {
    let mut found = Fields { path: Vec::new(), changes: Vec::new(), more: 0 };
    found.compare(Some(old), Some(new));
    (found.changes, found.more)
}

struct Fields<'a> {
    path: Vec<Part<'a>>,
    changes: Vec<FieldChange>,
    more: usize,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Fields<'a> {
    fn compare(&mut self, old: Option<ValueRef<'a>>, new: Option<ValueRef<'a>>) {
        match (old, new) {
            (Some(ValueRef::Object(before)), Some(ValueRef::Object(after))) => {
                for (key, value) in after.iter() {
                    self.inside(Part::Key(key), before.get(key), Some(value));
                }
                for (key, value) in before.iter().filter(|(key, _)| after.get(key).is_none()) {
                    self.inside(Part::Key(key), Some(value), None);
                }
            }
            (Some(ValueRef::Array(before)), Some(ValueRef::Array(after)))
                if before.len() == after.len() && before.iter().all(|item| item.as_object().is_some()) =>
            {
                for (index, (before, after)) in before.iter().zip(after.iter()).enumerate() {
                    self.inside(Part::Index(index), Some(before), Some(after));
                }
            }
            (old, new) if is_same(old, new) => {}
            (old, new) => self.push(old, new),
        }
    }

    fn inside(&mut self, part: Part<'a>, old: Option<ValueRef<'a>>, new: Option<ValueRef<'a>>) {
        self.path.push(part);
        self.compare(old, new);
        self.path.pop();
    }

    fn push(&mut self, old: Option<ValueRef<'a>>, new: Option<ValueRef<'a>>) {
        if self.changes.len() >= MAX_FIELDS {
            self.more += 1;
            return;
        }
        let (mut pointer, mut field) = (String::new(), String::new());
        for part in &self.path {
            match part {
                Part::Key(key) => {
                    pointer.push('/');
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                    if !field.is_empty() {
                        field.push('.');
                    }
                    field.push_str(key);
                }
                Part::Index(index) => {
                    let _ = write!(pointer, "/{index}");
                    let _ = write!(field, "[{index}]");
                }
            }
        }
        let mut is_cut = false;
        let mut bounded = |value: ValueRef<'_>| {
            let (value, cut) = bounded(value);
            is_cut |= cut;
            value
        };
        let (old, new) = (old.map(&mut bounded), new.map(&mut bounded));
        self.changes.push(FieldChange { pointer, field, old, new, is_cut });
    }
}

fn is_same(old: Option<ValueRef<'_>>, new: Option<ValueRef<'_>>) -> bool {
    match (old, new) {
        (Some(ValueRef::Array(a)), Some(ValueRef::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same(Some(a), Some(b)))
        }
        // the order of keys says nothing
        (Some(ValueRef::Object(a)), Some(ValueRef::Object(b))) => {
            a.len() == b.len() && a.iter().all(|(key, value)| is_same(Some(value), b.get(key)))
        }
        (a, b) => a == b,
    }
}

/// Returns a value that is not too long: a text is cut, anything else becomes the beginning of its JSON.
fn bounded(value: ValueRef<'_>) -> (serde_json::Value, bool) {
    if let ValueRef::String(text) = value {
        let (text, is_cut) = cut(text);
        return (text.into(), is_cut);
    }
    let json = value.to_json();
    let text = json.to_string();
    if text.len() <= MAX_VALUE { (json, false) } else { (cut(&text).0.into(), true) }
}

fn cut(text: &str) -> (String, bool) {
    if text.len() <= MAX_VALUE {
        return (text.to_owned(), false);
    }
    let end = (0..=MAX_VALUE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    (format!("{}…", text.get(..end).unwrap_or("")), true)
}

type Triple<'a> = (&'a str, &'a str, &'a str);

/// Returns every relation once, as source, type and target.
fn triples(catalog: &Catalog) -> BTreeSet<Triple<'_>> {
    let mut out = BTreeSet::new();
    for number in 0..catalog.node_count() {
        let id = EntityId(number as u32);
        for found in catalog.relations(id) {
            // types that the table does not know have one direction only
            if relation::is_forward(found.relation) || relation::reverse(found.relation).is_none() {
                out.insert((catalog.ref_of(id), found.relation, catalog.ref_of(found.target)));
            }
        }
    }
    out
}

fn relations(old: &Catalog, new: &Catalog) -> RelationChanges {
    let (before, after) = (triples(old), triples(new));
    let is_there = |catalog: &Catalog, entity_ref: &str| {
        catalog.find(entity_ref).is_some_and(|id| catalog.is_entity(id))
    };
    let change = |(source, relation, target): &Triple<'_>, because| RelationChange {
        source_ref: (*source).to_owned(),
        r#type: (*relation).to_owned(),
        target_ref: (*target).to_owned(),
        because,
    };
    let mut out = RelationChanges::default();
    for triple in after.difference(&before) {
        let because = if is_there(old, triple.0) { Because::Stated } else { Because::SourceAdded };
        out.gained.push(change(triple, because));
    }
    for triple in before.difference(&after) {
        let because = if is_there(new, triple.0) { Because::Stated } else { Because::SourceRemoved };
        out.lost.push(change(triple, because));
    }
    for triple in before.intersection(&after) {
        // either end may be the one that is described or not
        let whole = |catalog| is_there(catalog, triple.0) && is_there(catalog, triple.2);
        match (whole(old), whole(new)) {
            (false, true) => out.gained.push(change(triple, Because::TargetAppeared)),
            (true, false) => out.lost.push(change(triple, Because::TargetVanished)),
            _ => {}
        }
    }
    out.gained.sort();
    out.lost.sort();
    out
}

/// What makes two problems the same, wherever in its file it stands.
type Key<'a> = (Severity, &'static str, &'a str, &'a str, &'a str);

fn key(diagnostic: &Diagnostic) -> Key<'_> {
    let file = diagnostic.location.as_ref().map_or("", |location| &*location.file);
    let entity = diagnostic.entity.as_deref().unwrap_or("");
    // of an entity it is the same problem in another file
    let file = if entity.is_empty() { file } else { "" };
    (diagnostic.severity, diagnostic.code, entity, file, &diagnostic.message)
}

fn problems(old: &Catalog, new: &Catalog) -> ProblemChanges {
    let count = |catalog: &'_ Catalog| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for diagnostic in catalog.diagnostics() {
            *counts.entry(format!("{:?}", key(diagnostic))).or_default() += 1;
        }
        counts
    };
    let only_in = |catalog: &Catalog, mut others: BTreeMap<String, usize>| {
        let mut only = Vec::new();
        for diagnostic in catalog.diagnostics() {
            match others.get_mut(&format!("{:?}", key(diagnostic))) {
                Some(left @ 1..) => *left -= 1,
                _ => only.push(problem(diagnostic)),
            }
        }
        only
    };
    ProblemChanges { introduced: only_in(new, count(old)), solved: only_in(old, count(new)) }
}

fn problem(diagnostic: &Diagnostic) -> Problem {
    Problem {
        severity: diagnostic.severity,
        code: diagnostic.code,
        message: cut(&diagnostic.message).0,
        entity_ref: diagnostic.entity.clone(),
        file: diagnostic.location.as_ref().map(|location| location.file.to_string()),
        line: diagnostic.location.as_ref().map_or(0, |location| location.line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::testing::{catalog, catalog_of};

    const OLD: &str = "kind: Group\nname: a\n---\nkind: Group\nname: b\n---\nkind: Component\nname: shop\nowner: a\ntype: \
                       service\ntags: [x, y]\ndependsOn: ['component:db', 'component:ghost']\n---\nkind: \
                       Component\nname: db\nowner: a\n";

    fn relation(change: &RelationChange) -> String {
        format!("{} {} {} {:?}", change.source_ref, change.r#type, change.target_ref, change.because)
    }

    #[test]
    fn equal_catalogs_do_not_differ_and_a_move_is_no_change() {
        assert!(diff(&catalog(OLD), &catalog(OLD)).is_empty());
        let moved = diff(&catalog_of(&[("a.yaml", OLD)]), &catalog_of(&[("b/c.yaml", OLD)]));
        assert!(moved.is_empty());
        assert_eq!((moved.moved.len(), moved.changed.len()), (4, 0));
    }

    #[test]
    fn fields_and_owners_are_told() {
        let new = OLD.replace(
            "owner: a\ntype: service\ntags: [x, y]",
            "owner: b\ntype: service\ntags: [x]\ntitle: Shop",
        );
        let found = diff(&catalog(OLD), &catalog(&new));
        let fields: Vec<_> = found.changed[0].fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["metadata.tags", "metadata.title", "spec.owner"]);
        assert_eq!(found.changed[0].fields[1].old, None);
        assert_eq!(found.changed[0].fields[2].new, Some("b".into()));
        assert_eq!(found.owners[0].new.as_deref(), Some("group:default/b"));
        let gained: Vec<_> = found.relations.gained.iter().map(relation).collect();
        assert_eq!(gained, ["component:default/shop ownedBy group:default/b Stated"]);
    }

    #[test]
    fn a_target_that_appears_or_vanishes_is_told_apart() {
        let new = OLD.replace("name: db", "name: ghost");
        let found = diff(&catalog(OLD), &catalog(&new));
        let gained: Vec<_> = found.relations.gained.iter().map(relation).collect();
        let lost: Vec<_> = found.relations.lost.iter().map(relation).collect();
        assert_eq!(
            gained,
            [
                "component:default/ghost ownedBy group:default/a SourceAdded",
                "component:default/shop dependsOn component:default/ghost TargetAppeared",
            ]
        );
        assert_eq!(
            lost,
            [
                "component:default/db ownedBy group:default/a SourceRemoved",
                "component:default/shop dependsOn component:default/db TargetVanished",
            ]
        );
        assert_eq!((found.problems.introduced.len(), found.problems.solved.len()), (1, 1));
    }

    #[test]
    fn long_values_are_cut_and_many_fields_counted() {
        let long = "é".repeat(5000);
        let old = catalog("kind: API\nname: a\ndefinition: x\n");
        let found = diff(&old, &catalog(&format!("kind: API\nname: a\ndefinition: {long}\n")));
        assert!(found.changed[0].fields[0].is_cut);
        assert!(serde_json::to_string(&found).unwrap().len() < 3 * MAX_VALUE);
        let many = (0..300).map(|n| format!("f{n}: 1")).collect::<Vec<_>>().join("\n");
        let found = diff(&old, &catalog(&format!("kind: API\nname: a\ndefinition: x\n{many}")));
        assert_eq!((found.changed[0].fields.len(), found.changed[0].more_fields), (MAX_FIELDS, 100));
    }

    #[test]
    fn the_order_of_keys_says_nothing() {
        let one = catalog("kind: API\nname: a\nlabels: {a: '1', b: '2'}\n");
        let two = catalog("kind: API\nname: a\nlabels: {b: '2', a: '1'}\n");
        assert!(diff(&one, &two).is_empty());
    }
}
