//! Checks one document against the descriptor format and says everything that is wrong with it.
//!
//! Start at [`check`]. The verdict ([`Checked::valid`]) is that of Backstage's own model, which stops at
//! its first complaint; the diagnostics are all of ours. What is only unwise is a warning and leaves
//! the verdict alone. Placeholders (`$text`, …) that are still in the tree count as the right shape:
//! whoever reads their targets substitutes them first ([`super::placeholder`]).

mod envelope;
mod metadata;
mod shape;
mod spec;

use super::EntityRef;
use super::kinds::{self, Kind};
use crate::diagnostic::Diagnostic;
use crate::yaml::{Data, Node, Position, Source};

/// Most diagnostics kept for one document.
const MAX_REPORTS: usize = 100;
/// Mappings up to this size are compared key by key.
const SMALL_MAPPING: usize = 16;

/// Where a document comes from; a Location may name other types than its own only within limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A file of this machine.
    #[default]
    File,
    /// A URL.
    Url,
}

/// What kind of document it is, judged by its apiVersion alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// The apiVersion belongs to Backstage.
    Entity,
    /// It has apiVersion and kind, of another group: Kubernetes and the like, or a company's own kinds.
    Foreign,
    /// It is something else altogether.
    Other,
}

/// What a document turned out to be.
#[derive(Debug)]
pub struct Checked {
    /// Whose document it is.
    pub nature: Nature,
    /// The entity it describes, if kind and name are there.
    pub entity_ref: Option<EntityRef>,
    /// Whether apiVersion, kind, name and namespace are texts that are there.
    pub envelope: bool,
    /// The row of its kind; `None` when the model does not know kind and apiVersion together.
    pub kind: Option<&'static Kind>,
    /// Whether Backstage's own model accepts it.
    pub valid: bool,
    /// Everything wrong, in the order of the envelope, metadata, spec.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a document of a local file.
pub fn check(node: &Node<'_>, source: &Source<'_>) -> Checked {
    check_from(node, source, Origin::File)
}

/// Checks a document.
pub fn check_from(node: &Node<'_>, source: &Source<'_>, origin: Origin) -> Checked {
    let mut checker = Checker {
        source,
        origin,
        valid: true,
        envelope: false,
        diagnostics: Vec::new(),
        entity: None,
        namespace: String::new(),
    };
    let Data::Mapping(entries) = &node.data else {
        checker.not_an_object(node);
        return checker.finish(Nature::Other, None, None);
    };
    let nature = nature_of(node);
    checker.root_fields(node, entries);
    let entity_ref = checker.envelope(node);
    checker.metadata(node);
    let kind = checker.kind(node, nature, entity_ref.as_ref());
    if let Some(kind) = kind {
        checker.spec(node, kind);
    }
    if has_variants(node) {
        checker.case_variants(node, "");
    }
    checker.finish(nature, entity_ref, kind)
}

fn nature_of(node: &Node<'_>) -> Nature {
    match (node.get("apiVersion").and_then(Node::as_str), node.get("kind")) {
        (Some(version), Some(_)) if is_backstage_group(version) => Nature::Entity,
        (Some(_), Some(_)) => Nature::Foreign,
        _ => Nature::Other,
    }
}

/// Returns whether an apiVersion is of `backstage.io` or a group below it.
pub fn is_backstage_group(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    group == "backstage.io" || group.ends_with(".backstage.io")
}

struct Checker<'s> {
    source: &'s Source<'s>,
    origin: Origin,
    valid: bool,
    envelope: bool,
    diagnostics: Vec<Diagnostic>,
    /// Canonical ref for the diagnostics, once known.
    entity: Option<String>,
    /// Namespace that refs without one belong to.
    namespace: String,
}

/// A place in the tree: what to point at and how to call it.
#[derive(Clone, Copy)]
struct Place<'n, 'a> {
    /// The key that leads to the value; `None` for items and the root.
    key: Option<&'n Node<'a>>,
    value: &'n Node<'a>,
    /// JSON pointer of the value.
    pointer: &'n str,
}

impl Place<'_, '_> {
    /// Returns what a caret should stand under: a scalar itself, otherwise its key.
    fn spot(&self) -> (Position, u32) {
        let node = match (&self.value.data, self.key) {
            (Data::Null | Data::Sequence(_) | Data::Mapping(_), Some(key)) => key,
            _ => self.value,
        };
        (node.start, node.width)
    }

    /// Returns the place in words: `spec.owner`, `metadata.links.0.url`.
    fn path(&self) -> String {
        let path = self.pointer.strip_prefix('/').unwrap_or("the document");
        path.replace('/', ".").replace("~1", "/").replace("~0", "~")
    }
}

/// A complaint before it has a place.
struct Complaint {
    code: &'static str,
    message: String,
    label: String,
    hint: Option<String>,
}

impl Complaint {
    fn new(code: &'static str, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { code, message: message.into(), label: label.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Checker<'_> {
    /// Reports an error; the document is invalid.
    fn error(&mut self, place: Place<'_, '_>, complaint: Complaint) {
        self.valid = false;
        let (at, width) = place.spot();
        self.push(at, width, place.pointer, complaint, Diagnostic::error);
    }

    /// Reports something unwise; the verdict stays.
    fn warning(&mut self, place: Place<'_, '_>, complaint: Complaint) {
        let (at, width) = place.spot();
        self.push(at, width, place.pointer, complaint, Diagnostic::warning);
    }

    fn push(
        &mut self,
        at: Position,
        width: u32,
        pointer: &str,
        complaint: Complaint,
        make: fn(&'static str, String) -> Diagnostic,
    ) {
        if self.diagnostics.len() >= MAX_REPORTS {
            return;
        }
        let mut diagnostic = make(complaint.code, complaint.message)
            .at(at.location(&self.source.file))
            .snippet(self.source.snippet(at.line), width, complaint.label)
            .pointer(pointer);
        diagnostic.hint = complaint.hint;
        diagnostic.entity.clone_from(&self.entity);
        self.diagnostics.push(diagnostic);
    }

    fn finish(self, nature: Nature, entity_ref: Option<EntityRef>, kind: Option<&'static Kind>) -> Checked {
        Checked {
            nature,
            entity_ref,
            envelope: self.envelope,
            kind,
            valid: self.valid,
            diagnostics: self.diagnostics,
        }
    }

    fn not_an_object(&mut self, node: &Node<'_>) {
        let found = node.type_name();
        let complaint = Complaint::new(
            "catalog::not-an-object",
            format!("the document is a {found}, an entity is a mapping"),
            format!("a {found} stands here"),
        )
        .hint("start with `apiVersion: backstage.io/v1alpha1`, or leave the file out of the catalog");
        self.error(Place { key: None, value: node, pointer: "" }, complaint);
    }

    /// Finds the kind's row, or says that nobody knows this kind.
    fn kind(&mut self, node: &Node<'_>, nature: Nature, entity: Option<&EntityRef>) -> Option<&'static Kind> {
        let version = node.get("apiVersion").and_then(Node::as_str)?;
        let kind = node.get("kind").and_then(Node::as_str)?;
        let spec_type = node.get("spec").and_then(|spec| spec.get("type")).and_then(Node::as_str);
        let row = kinds::find(kind, version, spec_type);
        if row.is_some_and(|row| row.builtin) {
            return row;
        }
        self.valid = false;
        // Names that are no kind at all were reported with the envelope
        if super::rules::is_kind(kind) && super::rules::is_api_version(version) {
            self.unknown_kind(node, nature, entity);
        }
        row
    }

    /// Warns of sibling keys that differ only in case: Backstage cannot index such an entity.
    fn case_variants(&mut self, node: &Node<'_>, pointer: &str) {
        match &node.data {
            Data::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    if matches!(item.data, Data::Sequence(_) | Data::Mapping(_)) {
                        self.case_variants(item, &format!("{pointer}/{index}"));
                    }
                }
            }
            Data::Mapping(entries) => {
                for (first, second) in variants(entries) {
                    let (a, b) = (first.key_text(), second.key_text());
                    let complaint = Complaint::new(
                        "catalog::case-variant-keys",
                        format!("`{a}` and `{b}` differ only in case; Backstage cannot index such an entity"),
                        format!("`{a}` is on line {}", first.start.line),
                    )
                    .hint("keep one of the two");
                    let below = crate::yaml::push_step(pointer, &b);
                    self.warning(Place { key: Some(second), value: second, pointer: &below }, complaint);
                }
                for (key, value) in entries {
                    if matches!(value.data, Data::Sequence(_) | Data::Mapping(_)) {
                        self.case_variants(value, &crate::yaml::push_step(pointer, &key.key_text()));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns whether any mapping of a tree has keys that are equal without case; makes no pointers.
fn has_variants(node: &Node<'_>) -> bool {
    match &node.data {
        Data::Sequence(items) => items.iter().any(has_variants),
        Data::Mapping(entries) => {
            !variants(entries).is_empty() || entries.iter().any(|(_, value)| has_variants(value))
        }
        _ => false,
    }
}

/// Finds pairs of keys that are equal without case.
fn variants<'n, 'a>(entries: &'n [(Node<'a>, Node<'a>)]) -> Vec<(&'n Node<'a>, &'n Node<'a>)> {
    let mut found = Vec::new();
    if entries.len() <= SMALL_MAPPING {
        for (index, (key, _)) in entries.iter().enumerate().skip(1) {
            let Some(text) = key.as_str() else { continue };
            let mut earlier = entries.iter().take(index).map(|(earlier, _)| earlier);
            found.extend(
                earlier
                    .find(|earlier| earlier.as_str().is_some_and(|other| other.eq_ignore_ascii_case(text)))
                    .map(|earlier| (earlier, key)),
            );
        }
        return found;
    }
    let mut seen = rustc_hash::FxHashMap::default();
    for (key, _) in entries {
        let Some(text) = key.as_str() else { continue };
        if let Some(earlier) = seen.insert(text.to_ascii_lowercase(), key) {
            found.push((earlier, key));
        }
    }
    found
}

#[cfg(test)]
mod tests;
