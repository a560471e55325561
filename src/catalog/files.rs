//! The files of a snapshot: parsed, or as the cache keeps them.
//!
//! Start at [`ParsedFile`]. One that lies in the cache is looked at where it lies, through views; only who
//! dereferences it makes a copy, which then stays as long as the file. A hundred thousand entities cost a
//! few megabytes so, as long as nothing changes in them.

use super::cache::codec::{Reader, Shared};
use super::cache::column::{Column, Texts};
use crate::diagnostic::Diagnostic;
use bytemuck::{Pod, Zeroable};
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// One file (or URL) after parsing; shared between snapshots while its content stays the same.
pub struct ParsedFile {
    /// Index into [`Catalog::sources`](super::Catalog::sources).
    pub source: u16,
    /// Where it lies in the cache, if it comes from there.
    kept: Option<(Arc<KeptFiles>, u32)>,
    content: OnceLock<Box<FileContent>>,
}

/// What a file says.
#[derive(Debug, Default)]
pub struct FileContent {
    /// Path as the user would type it, or the URL.
    pub path: Arc<str>,
    /// Location ref for `backstage.io/managed-by-location`: `url:https://…` or `file:/abs/path`.
    pub location_ref: Arc<str>,
    /// Location ref of the registered root that led here.
    pub origin_ref: Arc<str>,
    /// Where the relations of its entities come from.
    pub relations: RelationsFrom,
    /// The entities of the stream, in order; documents that are none are left out.
    pub documents: Vec<ParsedDocument>,
    /// Everything wrong in this file, entity or not.
    pub diagnostics: Vec<Diagnostic>,
}

impl std::fmt::Debug for ParsedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParsedFile({})", self.path_text())
    }
}

impl Deref for ParsedFile {
    type Target = FileContent;

    /// Returns the content; copies it out of the cache the first time.
    fn deref(&self) -> &FileContent {
        self.content.get_or_init(|| {
            let read = |(kept, at): &(Arc<KeptFiles>, u32)| kept.content(*at);
            Box::new(self.kept.as_ref().map(read).unwrap_or_default())
        })
    }
}

impl ParsedFile {
    /// Creates one of a source from what it says.
    pub fn new(source: u16, content: FileContent) -> Self {
        Self { source, kept: None, content: OnceLock::from(Box::new(content)) }
    }

    /// Creates one that lies in the cache.
    pub(super) fn kept(source: u16, files: Arc<KeptFiles>, at: u32) -> Self {
        Self { source, kept: Some((files, at)), content: OnceLock::new() }
    }

    /// Returns its place among the files of a cache, if it comes from there.
    pub(super) fn place_in(&self, files: &Arc<KeptFiles>) -> Option<u32> {
        self.kept.as_ref().filter(|(kept, _)| Arc::ptr_eq(kept, files)).map(|(_, at)| *at)
    }

    /// Returns the content for changing, if it does not lie in the cache.
    pub(super) fn content_mut(&mut self) -> Option<&mut FileContent> {
        self.content.get_mut().map(|content| &mut **content)
    }

    /// Returns what it says of itself, without a copy.
    pub(super) fn view(&self) -> FileView<'_> {
        match (self.content.get(), &self.kept) {
            (Some(content), _) => FileView {
                source: self.source,
                path: &content.path,
                location_ref: &content.location_ref,
                origin_ref: &content.origin_ref,
                relations: content.relations,
            },
            (None, Some((kept, at))) => kept.view(*at).unwrap_or_default(),
            (None, None) => FileView::default(),
        }
    }

    /// Returns its path.
    pub(super) fn path_text(&self) -> &str {
        match (self.content.get(), &self.kept) {
            (Some(content), _) => &content.path,
            (None, Some((kept, at))) => kept.names.get(at.saturating_mul(3)),
            (None, None) => "",
        }
    }

    /// Returns where its relations come from.
    pub(super) fn relations_from(&self) -> RelationsFrom {
        match (self.content.get(), &self.kept) {
            (Some(content), _) => content.relations,
            (None, Some((kept, at))) => kept
                .files
                .get(*at as usize)
                .map_or_else(RelationsFrom::default, |row| RelationsFrom::of_number(row.relations)),
            (None, None) => RelationsFrom::default(),
        }
    }

    /// Returns its path; shared where it can be.
    pub(super) fn shared_path(&self) -> Arc<str> {
        self.content.get().map_or_else(|| self.path_text().into(), |content| content.path.clone())
    }

    /// Returns how many entities it has.
    pub(super) fn document_count(&self) -> usize {
        match (self.content.get(), &self.kept) {
            (Some(content), _) => content.documents.len(),
            (None, Some((kept, at))) => kept.files.get(*at as usize).map_or(0, |row| row.documents as usize),
            (None, None) => 0,
        }
    }

    /// Returns an entity by its number in the file, without a copy.
    pub(super) fn document(&self, document: usize) -> Option<DocumentView<'_>> {
        match (self.content.get(), &self.kept) {
            (Some(content), _) => content.documents.get(document).map(ParsedDocument::view),
            (None, Some((kept, at))) => kept.document(*at, u32::try_from(document).ok()?),
            (None, None) => None,
        }
    }

    /// Returns what is wrong in it.
    pub(super) fn problems(&self) -> Cow<'_, [Diagnostic]> {
        match (self.content.get(), &self.kept) {
            (Some(content), _) => Cow::Borrowed(&content.diagnostics),
            (None, Some((kept, at))) => Cow::Owned(kept.diagnostics(*at)),
            (None, None) => Cow::Borrowed(&[]),
        }
    }
}

/// Where the relations of a file's entities come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum RelationsFrom {
    /// The fields of `spec` that name refs.
    #[default]
    Spec,
    /// The `relations` that came with each entity, from a server whose processors may know more than
    /// `spec` says; whatever they are, they are taken as they are.
    Given,
    /// As [`Self::Given`], from somebody who gave only a part of what he has: what a relation leads to may
    /// well exist.
    GivenInPart,
}

impl RelationsFrom {
    /// Returns whether `relations` counts and not `spec`.
    pub fn is_given(self) -> bool {
        self != Self::Spec
    }

    /// Returns the one with this place in the list.
    pub(super) fn of_number(number: u32) -> Self {
        match number {
            1 => Self::Given,
            2 => Self::GivenInPart,
            _ => Self::Spec,
        }
    }
}

/// One entity as written, placeholders substituted.
#[derive(Debug, Clone)]
pub struct ParsedDocument {
    /// The whole entity as packed bytes.
    pub packed: Column<u8>,
    /// 1-based line of its first key.
    pub line: u32,
    /// Position in the stream, 0-based, empty documents counted.
    pub document: u32,
    /// Line and column (1-based) of each relation the document states, in the order of
    /// [`crate::model::relation`]'s extraction.
    pub marks: Column<[u32; 2]>,
    /// Whether the original's model accepts it.
    pub valid: bool,
}

/// The files of a snapshot with their documents.
#[derive(Debug, Clone)]
pub(super) enum Files {
    /// As they were parsed, by source and path.
    Parsed(Arc<Vec<Arc<ParsedFile>>>),
    /// As they were kept.
    Kept(Arc<KeptFiles>),
}

impl Default for Files {
    fn default() -> Self {
        Self::Parsed(Arc::default())
    }
}

/// Files as columns.
#[derive(Debug, Clone, Default)]
pub(super) struct KeptFiles {
    pub files: Column<FileRow>,
    pub documents: Column<DocumentRow>,
    /// Path, location ref and origin ref of each file.
    pub names: Texts,
    pub marks: Column<[u32; 2]>,
    /// All packed documents.
    pub packed: Column<u8>,
    /// What is known of each file beside its documents; see [`FileRow::record`].
    pub records: Column<u8>,
}

/// One kept file; its texts are three in [`KeptFiles::names`], from three times its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct FileRow {
    pub source: u32,
    pub first_document: u32,
    pub documents: u32,
    /// [`RelationsFrom`] by its place.
    pub relations: u32,
    /// Its run of [`KeptFiles::records`]: what is wrong in it, then the results that it came from.
    pub record: u64,
    pub record_length: u32,
    /// How many things are wrong in it.
    pub diagnostics: u32,
}

/// One kept document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct DocumentRow {
    /// Its run of [`KeptFiles::packed`].
    pub start: u64,
    pub length: u32,
    pub line: u32,
    pub document: u32,
    /// Its run of [`KeptFiles::marks`].
    pub first_mark: u32,
    pub marks: u32,
    pub valid: u32,
}

/// A file of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileView<'a> {
    /// Index into [`Catalog::sources`].
    pub source: u16,
    /// Path as the user would type it, or the URL.
    pub path: &'a str,
    /// Location ref for `backstage.io/managed-by-location`: `url:https://…` or `file:/abs/path`.
    pub location_ref: &'a str,
    /// Location ref of the registered root that led here.
    pub origin_ref: &'a str,
    /// Where the relations of its entities come from.
    pub relations: RelationsFrom,
}

/// A document of a snapshot.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DocumentView<'a> {
    pub packed: &'a [u8],
    pub marks: &'a [[u32; 2]],
    pub line: u32,
    pub document: u32,
    pub valid: bool,
}

impl ParsedDocument {
    pub(super) fn view(&self) -> DocumentView<'_> {
        DocumentView {
            packed: &self.packed,
            marks: &self.marks,
            line: self.line,
            document: self.document,
            valid: self.valid,
        }
    }
}

impl Files {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Parsed(files) => files.len(),
            Self::Kept(kept) => kept.files.len(),
        }
    }

    pub(super) fn get(&self, file: u32) -> Option<FileView<'_>> {
        match self {
            Self::Parsed(files) => files.get(file as usize).map(|file| file.view()),
            Self::Kept(kept) => kept.view(file),
        }
    }

    /// Returns the source of a file; reads nothing else of it.
    pub(super) fn source_of(&self, file: u32) -> Option<u16> {
        match self {
            Self::Parsed(files) => files.get(file as usize).map(|file| file.source),
            Self::Kept(kept) => kept.files.get(file as usize).map(|row| row.source as u16),
        }
    }

    /// Returns the path of a file; shared where it can be.
    pub(super) fn path(&self, file: u32) -> Arc<str> {
        match self {
            Self::Parsed(files) => {
                files.get(file as usize).map_or_else(|| "".into(), |file| file.shared_path())
            }
            Self::Kept(_) => self.get(file).map_or("", |view| view.path).into(),
        }
    }

    /// Returns a document by its number among those of its file.
    pub(super) fn document(&self, file: u32, document: u32) -> Option<DocumentView<'_>> {
        match self {
            Self::Parsed(files) => files.get(file as usize)?.document(document as usize),
            Self::Kept(kept) => kept.document(file, document),
        }
    }
}

impl KeptFiles {
    fn view(&self, file: u32) -> Option<FileView<'_>> {
        let row = self.files.get(file as usize)?;
        let name = |at: u32| self.names.get(file.saturating_mul(3).saturating_add(at));
        Some(FileView {
            source: row.source as u16,
            path: name(0),
            location_ref: name(1),
            origin_ref: name(2),
            relations: RelationsFrom::of_number(row.relations),
        })
    }

    /// Returns what is known of a file beside its documents.
    pub(super) fn record(&self, file: u32) -> Option<&[u8]> {
        let row = self.files.get(file as usize)?;
        let start = usize::try_from(row.record).ok()?;
        self.records.get(start..start.checked_add(row.record_length as usize)?)
    }

    fn diagnostics(&self, file: u32) -> Vec<Diagnostic> {
        if self.files.get(file as usize).is_none_or(|row| row.diagnostics == 0) {
            return Vec::new();
        }
        let mut share = Shared::default();
        let read = |record| Reader::new(record).list(|from| from.diagnostic(&mut share));
        self.record(file).and_then(read).unwrap_or_default()
    }

    fn content(&self, file: u32) -> FileContent {
        let Some(view) = self.view(file) else { return FileContent::default() };
        let location_ref: Arc<str> = view.location_ref.into();
        let origin_ref =
            if view.origin_ref == view.location_ref { location_ref.clone() } else { view.origin_ref.into() };
        let rows = self.files.get(file as usize).and_then(|row| {
            let first = row.first_document as usize;
            self.documents.get(first..first.checked_add(row.documents as usize)?)
        });
        let document = |row: &DocumentRow| ParsedDocument {
            packed: self.packed.part(row.start as usize, row.length as usize),
            line: row.line,
            document: row.document,
            marks: self.marks.part(row.first_mark as usize, row.marks as usize),
            valid: row.valid != 0,
        };
        FileContent {
            path: view.path.into(),
            location_ref,
            origin_ref,
            relations: view.relations,
            documents: rows.unwrap_or(&[]).iter().map(document).collect(),
            diagnostics: self.diagnostics(file),
        }
    }

    fn document(&self, file: u32, document: u32) -> Option<DocumentView<'_>> {
        let file = self.files.get(file as usize)?;
        let at = file.first_document.checked_add(document).filter(|_| document < file.documents)?;
        let row = self.documents.get(at as usize)?;
        let (start, first) = (row.start as usize, row.first_mark as usize);
        Some(DocumentView {
            packed: self.packed.get(start..start.checked_add(row.length as usize)?)?,
            marks: self.marks.get(first..first.checked_add(row.marks as usize)?)?,
            line: row.line,
            document: row.document,
            valid: row.valid != 0,
        })
    }
}
