//! One file: split, parse, fill in, check, pack.

use super::cache::{FileResult, TakenIn};
use super::{How, Ingest, Job, owner, placeholder, sniff, targets};
use crate::catalog::snapshot::{FileContent, ParsedDocument, ParsedFile, RelationsFrom};
use crate::catalog::tree::resolve;
use crate::config::source::AllowRule;
use crate::diagnostic::Diagnostic;
use crate::model::descriptor::{Nature, Origin, check_from};
use crate::model::relation;
use crate::model::value::ValueRef;
use crate::yaml::{Data, Document, Node, Source, decode_lossy, parse_stream};
use std::sync::Arc;

/// Reads a file; `None` when something it needs has to come over the network first.
pub(super) fn read(ingest: &Ingest<'_>, job: &Job, bytes: &[u8]) -> Option<FileResult> {
    let path = ingest.shown(&job.address);
    let location_ref = ingest.location_ref(&job.address);
    let origin_ref = job.origin.clone().unwrap_or_else(|| location_ref.clone());
    let mut reader = Reader {
        ingest,
        job,
        location: location_ref.clone(),
        documents: Vec::new(),
        diagnostics: Vec::new(),
        targets: Vec::new(),
        skeletons: Vec::new(),
        taken_in: Vec::new(),
        reusable: true,
        lacking: false,
        waiting: false,
    };
    match decode_lossy(bytes, &path) {
        Ok((text, odd_byte)) => {
            reader.diagnostics.extend(odd_byte.map(|found| *found));
            let source = Source::new(&text, &path);
            for document in parse_stream(&text, &path) {
                reader.document(document, &source);
            }
        }
        Err(diagnostic) => reader.diagnostics.push(*diagnostic),
    }
    if reader.waiting {
        return None;
    }
    for diagnostic in &mut reader.diagnostics {
        diagnostic.source = Some(ingest.cx.name.clone());
    }
    // moved into lists of the exact size: one that shrinks in place keeps its room
    let mut documents = Vec::with_capacity(reader.documents.len());
    documents.append(&mut reader.documents);
    let mut targets = Vec::with_capacity(reader.targets.len());
    targets.append(&mut reader.targets);
    let content = FileContent {
        path,
        location_ref,
        origin_ref,
        relations: RelationsFrom::Spec,
        documents,
        diagnostics: reader.diagnostics,
    };
    Some(FileResult {
        parsed: Arc::new(ParsedFile::new(ingest.cx.index, content)),
        targets,
        skeletons: reader.skeletons,
        hash: 0,
        stamp: None,
        taken_in: reader.taken_in,
        reusable: reader.reusable,
        lacking: reader.lacking,
    })
}

struct Reader<'i, 'a> {
    ingest: &'i Ingest<'a>,
    job: &'i Job,
    location: Arc<str>,
    documents: Vec<ParsedDocument>,
    diagnostics: Vec<Diagnostic>,
    targets: Vec<targets::Target>,
    skeletons: Vec<String>,
    taken_in: Vec<TakenIn>,
    reusable: bool,
    lacking: bool,
    waiting: bool,
}

impl Reader<'_, '_> {
    fn document(&mut self, document: Document<'_>, source: &Source<'_>) {
        let found = self.job.how != How::Asked;
        match document.content {
            Ok(None) => {}
            // what a template renders later is found by a walk, and is not broken
            Err(_) if found && sniff::is_unrendered(source.text) => {}
            Err(diagnostic) => self.diagnostics.push(*diagnostic),
            Ok(Some(node)) if found && has_unrendered_name(&node) => {}
            Ok(Some(node)) => self.entity(node, document.index, document.line, source),
        }
    }

    fn entity(&mut self, mut node: Node<'_>, index: u32, line: u32, source: &Source<'_>) {
        let filled = placeholder::fill(self.ingest, &self.job.address, &mut node, source);
        self.waiting |= filled.waiting;
        // what could not be read may be there the next time
        self.reusable &= !filled.remote && !filled.missing;
        self.lacking |= filled.missing;
        self.taken_in.extend(filled.taken_in);
        let origin = match self.job.address {
            super::Address::Path(_) => Origin::File,
            super::Address::Url(_) => Origin::Url,
        };
        let checked = check_from(&node, source, origin);
        // other people's YAML in the same stream as a descriptor
        if self.job.how == How::Sniffed && checked.nature != Nature::Entity {
            return;
        }
        let mut diagnostics = checked.diagnostics;
        let derived = owner::derive(self.ingest, &self.job.address, &mut node);
        self.waiting |= derived.waiting;
        self.reusable &= !derived.loose;
        self.lacking |= derived.loose;
        if let Some(from) = &derived.from {
            owner::soften(&mut diagnostics, from);
        }
        diagnostics.extend(filled.diagnostics);
        let Some(entity_ref) = checked.entity_ref else {
            self.diagnostics.append(&mut diagnostics);
            return;
        };
        let entity: Arc<str> = entity_ref.to_string().into();
        if !self.is_allowed(&node) {
            self.diagnostics.push(self.not_allowed(&node, &entity, source));
            return;
        }
        for diagnostic in &mut diagnostics {
            diagnostic.entity.get_or_insert_with(|| entity.to_string());
        }
        self.diagnostics.append(&mut diagnostics);
        match entity_ref.kind.as_str() {
            "location" => self.targets.extend(targets::of(&node, &self.job.address, &source.file, &entity)),
            "template" => self.skeletons.extend(skeletons(&node, self.job.address.folder())),
            _ => {}
        }
        let packed = node.to_packed();
        let marks = relation::marks(&node, ValueRef::new(&packed));
        let valid = checked.valid && !filled.failed;
        let (packed, marks) = (packed.into(), marks.into());
        self.documents.push(ParsedDocument { packed, line, document: index, marks, valid });
    }

    fn is_allowed(&self, node: &Node<'_>) -> bool {
        let rules = &self.ingest.cx.config.allow;
        let kind = node.get("kind").and_then(Node::as_str).unwrap_or("");
        let entity_type =
            node.get("spec").and_then(|spec| spec.get("type")).and_then(Node::as_str).unwrap_or("");
        rules.is_empty()
            || rules.iter().any(|rule| match rule {
                AllowRule::Kind(allowed) => allowed.eq_ignore_ascii_case(kind),
                AllowRule::Typed { kind: allowed, entity_type: allowed_type } => {
                    allowed.eq_ignore_ascii_case(kind) && allowed_type.eq_ignore_ascii_case(entity_type)
                }
            })
    }

    fn not_allowed(&self, node: &Node<'_>, entity: &str, source: &Source<'_>) -> Diagnostic {
        let place = node.get("kind").unwrap_or(node);
        let origin = self.job.origin.as_ref().unwrap_or(&self.location);
        source
            .error(
                "catalog::kind-not-allowed",
                format!(
                    "entity `{entity}` at `{}`, originated at `{origin}`, is not of an allowed kind for that location",
                    self.location
                ),
                place.start,
                place.width,
                "",
            )
            .hint("add the kind to `allow` of the source")
            .entity(entity)
    }
}

/// Whether a document's name is an expression, plain or as the mapping that YAML makes of `{{ x }}`.
fn has_unrendered_name(node: &Node<'_>) -> bool {
    let name = node.get("metadata").and_then(|metadata| metadata.get("name"));
    name.is_some_and(|name| match &name.data {
        Data::String(text) => sniff::is_expression(text),
        Data::Mapping(_) => true,
        _ => false,
    })
}

/// Returns the folders that a Template copies from, relative to the root of the tree.
fn skeletons(node: &Node<'_>, folder: &str) -> Vec<String> {
    let steps =
        node.get("spec").and_then(|spec| spec.get("steps")).and_then(Node::as_sequence).unwrap_or(&[]);
    steps
        .iter()
        .filter(|step| {
            matches!(step.get("action").and_then(Node::as_str), Some("fetch:template" | "fetch:plain"))
        })
        .filter_map(|step| step.get("input")?.get("url")?.as_str())
        .filter(|url| !url.contains("${{") && !url.contains("://") && !url.starts_with('/'))
        .filter_map(|url| resolve(folder, url))
        // the template's own folder, or one above it, is no skeleton
        .filter(|skeleton| {
            !skeleton.is_empty() && skeleton != folder && !folder.starts_with(&format!("{skeleton}/"))
        })
        .collect()
}
