//! Small catalogs for tests, written as short YAML.

use super::snapshot::{Catalog, FileContent, ParsedDocument, ParsedFile, SourceState};
use super::stitch::{StitchInput, stitch};
use crate::model::relation;
use crate::model::value::{PackedBuilder, ValueRef};
use crate::yaml::{Data, Node, parse_stream};
use std::sync::Arc;

/// Metadata fields; everything else but `kind` belongs to `spec`.
const METADATA: &[&str] =
    &["name", "namespace", "title", "description", "tags", "labels", "annotations", "links"];

/// Makes a snapshot of documents whose fields are all at the root: `kind`, metadata and spec mixed.
pub(crate) fn catalog(yaml: &str) -> Catalog {
    catalog_of(&[("catalog.yaml", yaml)])
}

/// Makes a snapshot of several files.
pub(crate) fn catalog_of(files: &[(&str, &str)]) -> Catalog {
    let files = files.iter().map(|(path, yaml)| Arc::new(file(path, yaml))).collect();
    stitch(StitchInput { sources: vec![source()], files, diagnostics: Vec::new(), ..StitchInput::default() })
}

fn source() -> SourceState {
    SourceState {
        name: "test".into(),
        kind: "dir",
        place: "test".into(),
        root: None,
        files: 0,
        entities: 0,
        error: None,
        read_at: None,
    }
}

/// Makes a parsed file of short documents.
pub(crate) fn file(path: &str, yaml: &str) -> ParsedFile {
    let name: Arc<str> = path.into();
    let documents = parse_stream(yaml, &name)
        .into_iter()
        .filter_map(|document| {
            let node = document.content.unwrap()?;
            let packed = pack(&node);
            let stated = relation::stated(ValueRef::new(&packed));
            let marks = stated.iter().map(|_| [document.line, 1]).collect();
            Some(ParsedDocument {
                packed: packed.into(),
                line: document.line,
                document: document.index,
                marks,
                valid: true,
            })
        })
        .collect();
    let content = FileContent {
        path: name,
        location_ref: format!("file:/{path}").into(),
        origin_ref: format!("file:/{path}").into(),
        relations: crate::catalog::snapshot::RelationsFrom::Spec,
        documents,
        diagnostics: Vec::new(),
    };
    ParsedFile::new(0, content)
}

fn pack(node: &Node<'_>) -> Box<[u8]> {
    let Data::Mapping(entries) = &node.data else { panic!("a mapping is wanted") };
    let mut builder = PackedBuilder::new();
    let fields = |wanted: &dyn Fn(&str) -> bool| {
        let mut part = PackedBuilder::new();
        part.begin_object();
        for (key, value) in entries.iter().filter(|(key, _)| wanted(key.as_str().unwrap())) {
            part.key(key.as_str().unwrap());
            value.pack(&mut part);
        }
        part.end();
        part.finish()
    };
    let metadata = fields(&|key| METADATA.contains(&key));
    let spec = fields(&|key| key != "kind" && !METADATA.contains(&key));
    builder.begin_object();
    builder.key("apiVersion");
    builder.string("backstage.io/v1alpha1");
    builder.key("kind");
    builder.string(node.get("kind").unwrap().as_str().unwrap());
    builder.key("metadata");
    builder.value(ValueRef::new(&metadata));
    builder.key("spec");
    builder.value(ValueRef::new(&spec));
    builder.end();
    builder.finish()
}
