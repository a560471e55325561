//! Relation types and their opposites.
//!
//! A relation is always kept in both directions; [`reverse`] gives the other name. Types unknown to
//! this table (a backend may send its own) have no reverse and are kept as they come. [`stated`] reads
//! from an entity what it says of itself.

use super::EntityRef;
use super::entity_ref::split;
use super::kinds;
use super::value::{Items, ValueRef};
use crate::yaml::Node;

/// Pairs of relation types: forward, reverse. Source: Backstage, *Well-known relations*.
pub const PAIRS: &[(&str, &str)] = &[
    ("ownedBy", "ownerOf"),
    ("partOf", "hasPart"),
    ("dependsOn", "dependencyOf"),
    ("providesApi", "apiProvidedBy"),
    ("consumesApi", "apiConsumedBy"),
    ("childOf", "parentOf"),
    ("memberOf", "hasMember"),
    ("scaffoldedFrom", "scaffolderOf"),
];

/// Returns the type of the same relation seen from its target.
pub fn reverse(relation: &str) -> Option<&'static str> {
    PAIRS.iter().find_map(|(forward, back)| match relation {
        r if r == *forward => Some(*back),
        r if r == *back => Some(*forward),
        _ => None,
    })
}

/// Returns whether the type is the forward one of its pair ("what this entity says of itself").
pub fn is_forward(relation: &str) -> bool {
    PAIRS.iter().any(|(forward, _)| *forward == relation)
}

/// Returns the words a person reads before the target: `depends on`, `owner of`.
pub fn words(relation: &str) -> String {
    let mut out = String::new();
    for c in relation.chars() {
        if c.is_uppercase() {
            out.push(' ');
            out.extend(c.to_lowercase());
        } else {
            out.push(c);
        }
    }
    match out.strip_prefix("api ") {
        Some(rest) => format!("API {rest}"),
        None => out.replace(" api", " API"),
    }
}

/// A relation that a document states itself, seen from its own entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// `ownedBy`, `parentOf`, …
    pub relation: &'static str,
    /// The other end.
    pub target: EntityRef,
    /// The field of `spec` that states it.
    pub field: &'static str,
    /// The item of that field, when it is a list.
    pub index: Option<u32>,
}

impl Stated {
    /// Returns the JSON pointer of the ref in the document: `/spec/dependsOn/0`.
    pub fn pointer(&self) -> String {
        match self.index {
            Some(index) => format!("/spec/{}/{index}", self.field),
            None => format!("/spec/{}", self.field),
        }
    }
}

/// A relation that a document states, borrowed from it and with its parts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatedRef<'a> {
    /// `ownedBy`, `parentOf`, …
    pub relation: &'static str,
    /// Kind of the other end, in any case.
    pub kind: &'a str,
    /// Namespace of the other end, in any case.
    pub namespace: &'a str,
    /// Name of the other end, in any case.
    pub name: &'a str,
    /// The field of `spec` that states it.
    pub field: &'static str,
    /// The item of that field, when it is a list.
    pub index: Option<u32>,
}

/// Returns the relations that an entity states, in the order of its kind's table.
///
/// Reads leniently: a single text where a list is wanted counts as one item, a ref that cannot be read
/// is left out. Missing namespaces are those of the entity itself. Source: Backstage, *Descriptor
/// Format*, the relations generated from each field.
pub fn stated(value: ValueRef<'_>) -> Vec<Stated> {
    let mut out = Vec::new();
    visit(value, |stated| {
        let target = EntityRef::new(stated.kind, stated.namespace, stated.name);
        out.push(Stated { relation: stated.relation, target, field: stated.field, index: stated.index });
    });
    out
}

/// Calls `found` with each relation that an entity states, as [`stated`] does, without copying.
pub fn visit<'a>(value: ValueRef<'a>, mut found: impl FnMut(StatedRef<'a>)) {
    let spec = value.get("spec");
    let namespace = value.get("metadata").get("namespace").as_str().filter(|ns| !ns.is_empty());
    let namespace = namespace.unwrap_or("default");
    let kind = value.get("kind").as_str().unwrap_or("");
    let fields = kinds::find(kind, value.get("apiVersion").as_str().unwrap_or(""), spec.get("type").as_str())
        .or_else(|| kinds::find_by_name(kind))
        .map_or(kinds::FOREIGN, |kind| kind.spec);
    for field in fields {
        let Some(relation) = field.relation else { continue };
        let mut push = |item: ValueRef<'a>, index: Option<u32>| {
            if let Some((kind, namespace, name)) = read_ref(item, relation.default_kind, namespace) {
                found(StatedRef {
                    relation: relation.relation,
                    kind,
                    namespace,
                    name,
                    field: field.name,
                    index,
                });
            }
        };
        match spec.get(field.name) {
            ValueRef::Array(items) => items.iter().zip(0..).for_each(|(item, index)| push(item, Some(index))),
            item => push(item, None),
        }
    }
}

/// Longest name of a relation type that is taken from a server.
const MAX_TYPE: usize = 100;

/// Calls `found` with type and target ref of each relation that was given with an entity: `relations` as
/// `type → refs`, or as a server writes it, a list of type and targetRef.
///
/// What is no relation (an odd type, a target that is no full ref) is left out.
pub fn visit_given<'a>(value: ValueRef<'a>, mut found: impl FnMut(&'a str, &'a str)) {
    let mut push = |relation: &'a str, target: ValueRef<'a>| {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/');
        let fits = (1..=MAX_TYPE).contains(&relation.len()) && relation.chars().all(plain);
        if let Some(target) = target.as_str().filter(|text| fits && is_full_ref(text)) {
            found(relation, target);
        }
    };
    match value.get("relations") {
        ValueRef::Object(types) => {
            for (relation, targets) in types.iter() {
                for target in targets.as_array().iter().flat_map(Items::iter) {
                    push(relation, target);
                }
            }
        }
        ValueRef::Array(items) => {
            for item in items.iter() {
                push(item.get("type").as_str().unwrap_or(""), item.get("targetRef"));
            }
        }
        _ => {}
    }
}

fn is_full_ref(text: &str) -> bool {
    matches!(split(text), Some((Some(_), Some(_), _)))
}

/// Returns line and column (1-based) of each relation that a document states, in the order of
/// [`stated`]; `value` is the document packed.
pub fn marks(node: &Node<'_>, value: ValueRef<'_>) -> Box<[[u32; 2]]> {
    let spec = node.get("spec");
    let mut out = Vec::new();
    visit(value, |stated| {
        let place = spec.and_then(|spec| spec.get(stated.field)).map(|field| {
            let item = stated.index.and_then(|index| field.as_sequence()?.get(index as usize));
            item.unwrap_or(field)
        });
        let start = place.unwrap_or(node).start;
        out.push([start.line, start.column]);
    });
    out.into_boxed_slice()
}

/// Reads a ref written as text or as a mapping of kind, namespace and name.
fn read_ref<'a>(
    value: ValueRef<'a>,
    default_kind: Option<&'a str>,
    own: &'a str,
) -> Option<(&'a str, &'a str, &'a str)> {
    match value {
        ValueRef::String(text) => {
            let (kind, namespace, name) = split(text)?;
            Some((kind.or(default_kind)?, namespace.unwrap_or(own), name))
        }
        ValueRef::Object(fields) => {
            let part = |key: &str| fields.get(key).and_then(ValueRef::as_str).filter(|part| !part.is_empty());
            Some((part("kind").or(default_kind)?, part("namespace").unwrap_or(own), part("name")?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relations(yaml: &str) -> Vec<String> {
        let file = std::sync::Arc::from("x.yaml");
        let mut documents = crate::yaml::parse_stream(yaml, &file);
        let node = documents.remove(0).content.unwrap().unwrap();
        let packed = node.to_packed();
        let found = stated(ValueRef::new(&packed));
        let places = marks(&node, ValueRef::new(&packed));
        let line = |(s, place): (&Stated, &[u32; 2])| {
            format!("{} {} {}:{} {}", s.relation, s.target, place[0], place[1], s.pointer())
        };
        found.iter().zip(places.iter()).map(line).collect()
    }

    #[test]
    fn states_relations_with_the_namespace_of_the_entity() {
        let found = relations(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a, namespace: Team}\nspec:\n  owner: \
             user:jo\n  dependsOn:\n    - Resource:default/Db\n    - bare\n  system: [s, t/u]\n",
        );
        assert_eq!(
            found,
            [
                "ownedBy user:team/jo 5:10 /spec/owner",
                "dependsOn resource:default/db 7:7 /spec/dependsOn/0",
                "partOf system:team/s 9:12 /spec/system/0",
                "partOf system:t/u 9:15 /spec/system/1",
            ]
        );
    }

    #[test]
    fn a_foreign_kind_still_has_an_owner() {
        let found = relations("apiVersion: x.io/v1\nkind: Thing\nspec: {owner: o, parent: p}\n");
        assert_eq!(found, ["ownedBy group:default/o 3:15 /spec/owner"]);
    }

    #[test]
    fn reverse_is_its_own_inverse() {
        for (forward, back) in PAIRS {
            assert_eq!(reverse(forward), Some(*back));
            assert_eq!(reverse(back), Some(*forward));
        }
        assert_eq!(reverse("likes"), None);
    }

    #[test]
    fn words_are_readable() {
        assert_eq!(words("dependsOn"), "depends on");
        assert_eq!(words("providesApi"), "provides API");
        assert_eq!(words("apiProvidedBy"), "API provided by");
    }
}
