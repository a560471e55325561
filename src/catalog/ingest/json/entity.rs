//! One JSON entity to a document: what stands where, what is kept, what is wrong.

use super::node::{JsonError, parse};
use crate::catalog::cache::column::Column;
use crate::catalog::snapshot::{ParsedDocument, RelationsFrom};
use crate::catalog::stitch::canonical_ref;
use crate::config::source::without_credentials;
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use crate::model::descriptor::{Origin, check_from};
use crate::model::value::{Fields, PackedBuilder, ValueRef};
use crate::model::{EntityRef, relation};
use crate::yaml::{Data, Node, Source};
use rustc_hash::{FxHashSet, FxHasher};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;

/// Most messages of a server about one entity.
const MAX_STATUS: usize = 50;
/// Longest text taken from a message of a server, in characters.
const MAX_MESSAGE: usize = 2000;
/// Longest location ref, in bytes.
const MAX_LOCATION: usize = 4096;

const MANAGED_BY: &str = "backstage.io/managed-by-location";
const MANAGED_BY_ORIGIN: &str = "backstage.io/managed-by-origin-location";

/// What all entities of a source have in common.
#[derive(Debug)]
pub struct Context<'c> {
    /// Number of the source, for [`crate::catalog::snapshot::ParsedFile::source`].
    pub source: u16,
    /// Its name.
    pub name: &'c Arc<str>,
    /// Location ref of entities that name none.
    pub place: &'c Arc<str>,
    /// Whether `relations` of the entities count, or what their `spec` says.
    pub relations: RelationsFrom,
    /// Largest entity, in bytes.
    pub max_bytes: usize,
}

/// An entity as the catalog keeps it.
#[derive(Debug, Clone)]
pub struct Converted {
    /// Its canonical ref.
    pub entity_ref: String,
    /// Where it comes from, as a location ref.
    pub location_ref: Arc<str>,
    /// The registered root that led there.
    pub origin_ref: Arc<str>,
    /// The entity.
    pub document: ParsedDocument,
    /// What is wrong with it: the server's messages, the model's as warnings.
    pub diagnostics: Vec<Diagnostic>,
}

impl Context<'_> {
    /// Reads an entity from bytes of JSON.
    ///
    /// # Errors
    /// A warning that says why it is no entity.
    pub fn read(&self, bytes: &[u8]) -> Result<Converted, Box<Diagnostic>> {
        let node = parse(bytes, self.max_bytes).map_err(|error| self.unreadable(&error))?;
        convert(self, node)
    }

    fn unreadable(&self, error: &JsonError) -> Box<Diagnostic> {
        self.warning("catalog::json", format!("an entity of `{}` cannot be read: {error}", self.name))
    }

    fn warning(&self, code: &'static str, message: String) -> Box<Diagnostic> {
        let mut diagnostic = Diagnostic::warning(code, message).at(SourceLocation::file(shown(self.place)));
        diagnostic.source = Some(self.name.clone());
        Box::new(diagnostic)
    }
}

/// Converts an entity that is parsed.
///
/// # Errors
/// A warning when it has no kind or name.
pub fn convert(cx: &Context<'_>, mut node: Node<'_>) -> Result<Converted, Box<Diagnostic>> {
    let location_ref = take_location(&mut node, MANAGED_BY).unwrap_or_else(|| cx.place.clone());
    let origin_ref = take_location(&mut node, MANAGED_BY_ORIGIN).unwrap_or_else(|| location_ref.clone());
    convert_at(cx, node, location_ref, origin_ref)
}

/// Converts an entity as it was kept: packed, with its locations beside it.
pub fn kept_entity(
    cx: &Context<'_>,
    packed: ValueRef<'_>,
    location_ref: &str,
    origin_ref: &str,
) -> Option<Converted> {
    convert_at(cx, Node::from_packed(packed), location_ref.into(), origin_ref.into()).ok()
}

fn convert_at(
    cx: &Context<'_>,
    mut node: Node<'_>,
    location_ref: Arc<str>,
    origin_ref: Arc<str>,
) -> Result<Converted, Box<Diagnostic>> {
    let (relations, status) = take_output(&mut node);
    let path = shown(&location_ref);
    let checked = check_from(&node, &Source::new("", &path), Origin::Url);
    let Some(entity_ref) = checked.entity_ref.as_ref().map(EntityRef::to_string) else {
        return Err(cx.warning(
            "catalog::json",
            format!("something that `{}` sent is no entity: it has no kind or no name", cx.name),
        ));
    };
    let mut diagnostics: Vec<Diagnostic> = checked.diagnostics.into_iter().map(soften).collect();
    diagnostics.extend(status.iter().flat_map(|status| messages(status, &path)));
    for diagnostic in &mut diagnostics {
        diagnostic.entity.get_or_insert_with(|| entity_ref.clone());
        diagnostic.source = Some(cx.name.clone());
    }
    let packed = pack(&node, relations.filter(|_| cx.relations.is_given()).as_ref(), status.as_ref());
    let document =
        ParsedDocument { packed: packed.into(), line: 0, document: 0, marks: Column::default(), valid: true };
    Ok(Converted { entity_ref, location_ref, origin_ref, document, diagnostics })
}

/// Takes out what a server adds beside the entity: relations and status; drops attachments.
fn take_output<'n>(node: &mut Node<'n>) -> (Option<Node<'n>>, Option<Node<'n>>) {
    let Data::Mapping(entries) = &mut node.data else { return (None, None) };
    let mut take = |wanted: &str| {
        let at = entries.iter().position(|(key, _)| key.as_str() == Some(wanted))?;
        Some(entries.remove(at).1)
    };
    let found = (take("relations"), take("status"));
    take("attachments");
    found
}

/// Takes an annotation that says where the entity is from: the file it belongs to says so again.
fn take_location(node: &mut Node<'_>, annotation: &str) -> Option<Arc<str>> {
    let annotations = node.at_pointer_mut("/metadata/annotations")?;
    let Data::Mapping(entries) = &mut annotations.data else { return None };
    let at = entries.iter().position(|(key, _)| key.as_str() == Some(annotation))?;
    let text = entries.get(at)?.1.as_str().filter(|text| (1..=MAX_LOCATION).contains(&text.len()))?;
    let text: Arc<str> = match text.strip_prefix("url:") {
        Some(url) => format!("url:{}", without_credentials(url)).into(),
        None => text.into(),
    };
    entries.remove(at);
    Some(text)
}

/// Returns a location ref as it is shown: an address as it is, a file of another machine with its type.
pub(super) fn shown(location_ref: &Arc<str>) -> Arc<str> {
    location_ref.strip_prefix("url:").map_or_else(|| location_ref.clone(), Arc::from)
}

/// Makes a warning of an error: the server has accepted the entity. There is no text to point into.
fn soften(mut diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.severity = match diagnostic.severity {
        Severity::Error => Severity::Warning,
        // a kind of the company's own: its server knows it
        Severity::Warning if diagnostic.code == "catalog::unknown-kind" => Severity::Info,
        other => other,
    };
    (diagnostic.snippet, diagnostic.label) = (None, None);
    if let Some(location) = &mut diagnostic.location {
        (location.line, location.column) = (0, 0);
    }
    diagnostic
}

/// Makes a diagnostic of each message of a server.
fn messages(status: &Node<'_>, path: &Arc<str>) -> Vec<Diagnostic> {
    let items = status.get("items").and_then(Node::as_sequence).unwrap_or(&[]);
    let text = |item: &Node<'_>, key: &str| -> String {
        item.get(key).and_then(Node::as_str).unwrap_or("").chars().take(MAX_MESSAGE).collect()
    };
    items
        .iter()
        .take(MAX_STATUS)
        .map(|item| {
            let severity = match item.get("level").and_then(Node::as_str) {
                Some("info") => Severity::Info,
                Some("warning") => Severity::Warning,
                _ => Severity::Error,
            };
            let mut message = text(item, "message");
            if message.is_empty() {
                message = item.get("error").map(|error| text(error, "message")).unwrap_or_default();
            }
            let kind = text(item, "type");
            let kind = kind.rsplit('/').next().unwrap_or("");
            let said = match (kind, message.is_empty()) {
                ("" | "catalog-processing", false) => format!("the server says: {message}"),
                (_, false) => format!("the server says ({kind}): {message}"),
                (_, true) => "the server marks it and does not say why".to_owned(),
            };
            Diagnostic::new(severity, "catalog::server-status", said).at(SourceLocation::file(path.clone()))
        })
        .collect()
}

/// Packs the entity; relations as `type → refs`, which takes half the room.
fn pack(node: &Node<'_>, relations: Option<&Node<'_>>, status: Option<&Node<'_>>) -> Box<[u8]> {
    let mut out = PackedBuilder::new();
    out.begin_object();
    for (key, value) in node.as_mapping().unwrap_or(&[]) {
        out.key(&key.key_text());
        value.pack(&mut out);
    }
    if let Some(relations) = relations {
        let packed = relations_packed(relations);
        out.key("relations");
        write_relations(&given(ValueRef::new(&packed)), &mut out);
    }
    if let Some(status) = status {
        out.key("status");
        status.pack(&mut out);
    }
    out.end();
    out.finish()
}

fn relations_packed(relations: &Node<'_>) -> Box<[u8]> {
    let mut whole = PackedBuilder::new();
    whole.begin_object();
    whole.key("relations");
    relations.pack(&mut whole);
    whole.end();
    whole.finish()
}

/// Returns the relations given with an entity, by type and target.
pub(super) fn given(value: ValueRef<'_>) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    relation::visit_given(value, |relation, target| found.push((relation, target)));
    found.sort_unstable();
    found.dedup();
    found
}

/// Writes relations that are sorted as `type → refs`.
pub(super) fn write_relations(relations: &[(&str, &str)], out: &mut PackedBuilder) {
    out.begin_object();
    for run in relations.chunk_by(|a, b| a.0 == b.0) {
        let Some((relation, _)) = run.first() else { continue };
        out.key(relation);
        out.begin_array();
        for (_, target) in run {
            out.string(target);
        }
        out.end();
    }
    out.end();
}

/// Relations that have an opposite, each by a number.
#[derive(Debug, Default)]
pub struct Forward(FxHashSet<u64>);

impl Forward {
    /// Adds those of an entity.
    pub fn add(&mut self, document: &ParsedDocument) {
        let value = ValueRef::new(&document.packed);
        let Some(own) = canonical_ref(value) else { return };
        relation::visit_given(value, |kind, target| {
            if relation::is_forward(kind) {
                self.0.insert(relation_hash(kind, &own, &target.to_lowercase()));
            }
        });
    }

    fn has(&self, kind: &str, from: &str, to: &str) -> bool {
        self.0.contains(&relation_hash(kind, from, to))
    }
}

/// Takes out of an entity the relations whose opposite another entity has: joining puts them there again.
pub fn without_implied(document: &mut ParsedDocument, forward: &Forward) {
    let value = ValueRef::new(&document.packed);
    let Some(own) = canonical_ref(value) else { return };
    let all = given(value);
    let is_implied = |(kind, target): &(&str, &str)| {
        !relation::is_forward(kind)
            && relation::reverse(kind)
                .is_some_and(|opposite| forward.has(opposite, &target.to_lowercase(), &own))
    };
    let rest: Vec<(&str, &str)> = all.iter().copied().filter(|relation| !is_implied(relation)).collect();
    if rest.len() == all.len() {
        return;
    }
    let mut out = PackedBuilder::new();
    out.begin_object();
    for (key, value) in value.as_object().iter().flat_map(Fields::iter) {
        out.key(key);
        if key == "relations" {
            write_relations(&rest, &mut out);
        } else {
            out.value(value);
        }
    }
    out.end();
    document.packed = out.finish().into();
}

fn relation_hash(kind: &str, from: &str, to: &str) -> u64 {
    let mut hasher = FxHasher::default();
    (kind, from, to).hash(&mut hasher);
    hasher.finish()
}
