//! The sample company that is built into the program.

use super::{CatalogProvider, Delta, RefreshContext, SourceError, SourceSpec};
use crate::catalog::ingest::Ingest;
use crate::catalog::tree::{SourceTree, TreeError};
use crate::config::source::SourceConfig;
use include_dir::{Dir, include_dir};
use std::sync::Arc;

/// The type `sample`.
pub const SPEC: SourceSpec =
    SourceSpec { kind: "sample", help: "the company that is built in", settings: &[], open };

static SAMPLE: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/sample-catalog");

/// Returns the text of a file of the sample, by its path inside it.
pub fn text(path: &str) -> Option<&'static str> {
    SAMPLE.get_file(path)?.contents_utf8()
}

/// Returns the bytes of a file of the sample, by its path inside it.
pub fn bytes(path: &str) -> Option<&'static [u8]> {
    Some(SAMPLE.get_file(path)?.contents())
}

/// Lists a folder of the sample with everything below it by full paths, in order; says which are folders.
pub fn list(folder: &str) -> Option<Vec<(String, bool)>> {
    let mut out = Vec::new();
    let mut open = vec![if folder.is_empty() { &SAMPLE } else { SAMPLE.get_dir(folder)? }];
    let text = |path: &std::path::Path| path.to_str().map(|path| path.replace('\\', "/"));
    while let Some(dir) = open.pop() {
        open.extend(dir.dirs());
        out.extend(dir.dirs().filter_map(|dir| Some((text(dir.path())?, true))));
        out.extend(dir.files().filter_map(|file| Some((text(file.path())?, false))));
    }
    out.sort_unstable();
    Some(out)
}

#[expect(clippy::unnecessary_wraps, reason = "the table wants one signature")]
fn open(_: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    Ok(Box::new(EmbeddedSource))
}

struct EmbeddedSource;

impl CatalogProvider for EmbeddedSource {
    fn place(&self) -> String {
        "built in".into()
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let roots = super::dir::find_listed(&EmbeddedTree, "", cx)?;
        Ingest::new(cx, &EmbeddedTree).skipping_skeletons(true).run(roots)
    }
}

/// The embedded folder as a tree.
pub(super) struct EmbeddedTree;

impl SourceTree for EmbeddedTree {
    fn read(&self, path: &str, limit: u64, buffer: &mut Vec<u8>) -> Result<(), TreeError> {
        let content = SAMPLE.get_file(path).ok_or(TreeError::NotFound)?.contents();
        let size = content.len() as u64;
        if size > limit {
            return Err(TreeError::TooLarge { size, limit });
        }
        buffer.clear();
        buffer.extend_from_slice(content);
        Ok(())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, TreeError> {
        let mut out = Vec::new();
        let mut open = vec![if folder.is_empty() {
            &SAMPLE
        } else {
            SAMPLE.get_dir(folder).ok_or(TreeError::NotFound)?
        }];
        while let Some(dir) = open.pop() {
            open.extend(dir.dirs());
            out.extend(
                dir.files().filter_map(|file| file.path().to_str()).map(|path| path.replace('\\', "/")),
            );
        }
        out.sort_unstable();
        Ok(out)
    }

    fn shown(&self, path: &str) -> Arc<str> {
        format!("sample-catalog/{path}").into()
    }

    fn location_ref(&self, path: &str) -> Arc<str> {
        format!("sample:{path}").into()
    }
}
