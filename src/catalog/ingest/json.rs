//! Entities that come as JSON: from a Backstage server, made from the teams of a forge.
//!
//! Start at [`JsonFiles`]: give it entities one after the other, it gives parsed files as YAML would.
//! Entities of one descriptor come together into one file again, so that a hundred thousand of them cost no
//! more than read from disk. What a server has accepted is an entity, whatever the model thinks of it: its
//! complaints are warnings at most. JSON is hostile until it is parsed: each entity is bounded in size,
//! depth and count of values, and one that is odd costs only itself ([`items`]).

mod entity;
mod items;
mod node;

pub use entity::{Context, Converted, Forward, convert, kept_entity, without_implied};
pub use items::{Items, items};
pub use node::{JsonError, parse};

use crate::catalog::snapshot::{FileContent, ParsedDocument, ParsedFile, RelationsFrom};
use crate::diagnostic::Diagnostic;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Parsed files made of JSON entities.
#[derive(Debug)]
pub struct JsonFiles<'c> {
    cx: &'c Context<'c>,
    files: FxHashMap<(Arc<str>, Arc<str>), Draft>,
    /// Location refs seen, so that equal ones are one text.
    texts: FxHashSet<Arc<str>>,
    /// What is no entity.
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Default)]
struct Draft {
    documents: Vec<(String, ParsedDocument)>,
    diagnostics: Vec<Diagnostic>,
}

impl<'c> JsonFiles<'c> {
    /// Creates an empty set.
    pub fn new(cx: &'c Context<'c>) -> Self {
        Self { cx, files: FxHashMap::default(), texts: FxHashSet::default(), diagnostics: Vec::new() }
    }

    /// Takes an entity as bytes of JSON; says its canonical ref. What is none is told about.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> Option<String> {
        match self.cx.read(bytes) {
            Ok(converted) => Some(self.add(converted)),
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                None
            }
        }
    }

    /// Takes an entity as a value; says its canonical ref. What is none is told about.
    pub fn add_json(&mut self, entity: &serde_json::Value) -> Option<String> {
        self.add_bytes(entity.to_string().as_bytes())
    }

    /// Takes an entity that is converted already.
    pub fn add(&mut self, entity: Converted) -> String {
        let key = (self.text(entity.location_ref), self.text(entity.origin_ref));
        let draft = self.files.entry(key).or_default();
        draft.diagnostics.extend(entity.diagnostics);
        draft.documents.push((entity.entity_ref.clone(), entity.document));
        entity.entity_ref
    }

    fn text(&mut self, text: Arc<str>) -> Arc<str> {
        if let Some(kept) = self.texts.get(&text) {
            return kept.clone();
        }
        self.texts.insert(text.clone());
        text
    }

    /// Returns the files by path, and what is wrong outside of them. Of two entities with one ref in one
    /// file the later one counts.
    pub fn finish(self) -> (Vec<Arc<ParsedFile>>, Vec<Diagnostic>) {
        let (source, relations) = (self.cx.source, self.cx.relations);
        let mut files: Vec<_> = self
            .files
            .into_iter()
            .map(|((location_ref, origin_ref), draft)| {
                Arc::new(draft.into_file(source, relations, location_ref, origin_ref))
            })
            .collect();
        files.sort_unstable_by(|a, b| (&a.path, &a.origin_ref).cmp(&(&b.path, &b.origin_ref)));
        (files, self.diagnostics)
    }
}

impl Draft {
    fn into_file(
        mut self,
        source: u16,
        relations: RelationsFrom,
        location_ref: Arc<str>,
        origin_ref: Arc<str>,
    ) -> ParsedFile {
        // stable: of equal refs the one that came last is the last
        self.documents.sort_by(|a, b| a.0.cmp(&b.0));
        let mut documents: Vec<ParsedDocument> = Vec::with_capacity(self.documents.len());
        let mut last: Option<String> = None;
        for (entity_ref, document) in self.documents {
            if last.as_ref() == Some(&entity_ref) {
                documents.pop();
            }
            last = Some(entity_ref);
            documents.push(document);
        }
        for (document, at) in documents.iter_mut().zip(0..) {
            document.document = at;
        }
        let path = entity::shown(&location_ref);
        let diagnostics = self.diagnostics;
        let content = FileContent { path, location_ref, origin_ref, relations, documents, diagnostics };
        ParsedFile::new(source, content)
    }
}

#[cfg(test)]
mod tests;
