//! What stands in a cache file: the columns of a snapshot, its files, and what is known of the sources.

use super::codec::{Reader, Shared, Writer};
use super::column::{Column, Texts};
use super::format::{FileReader, FileWriter, FormatError};
use crate::catalog::ingest::{FileCache, KeptResults};
use crate::catalog::snapshot::{
    Catalog, Diagnostics, DocumentRow, DocumentView, FileRow, Files, KeptFiles, ParsedFile, RelationsFrom,
    SourceState,
};
use crate::catalog::sources::SOURCES;
use crate::diagnostic::Diagnostic;
use bytemuck::Pod;
use jiff::Timestamp;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Sections by their names in the file.
mod name {
    pub const REFS: u64 = 1;
    pub const ROWS: u64 = 3;
    pub const TEXTS: u64 = 4;
    pub const TAG_STARTS: u64 = 6;
    pub const TAGS: u64 = 7;
    pub const EDGE_STARTS: u64 = 8;
    pub const EDGES: u64 = 9;
    pub const HAYSTACK: u64 = 10;
    pub const PROBLEMS: u64 = 12;
    pub const FILES: u64 = 13;
    pub const DOCUMENTS: u64 = 14;
    pub const NAMES: u64 = 15;
    pub const SOURCES: u64 = 17;
    pub const DIAGNOSTICS: u64 = 18;
    pub const BY_NAME: u64 = 19;
    // from here on what is checked later
    pub const MARKS: u64 = 100;
    pub const RECORDS: u64 = 101;
    pub const PACKED: u64 = 102;
    pub const TREES: u64 = 103;
    pub const KEYS: u64 = 104;
}

/// Returns whether a section is checked before anything is shown; the others are before they are trusted.
pub fn is_checked_first(section: u64) -> bool {
    section < name::MARKS
}

/// What is kept of a source beside its files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptSource {
    /// As it was last read.
    pub state: SourceState,
    /// What is wrong outside of its files.
    pub diagnostics: Vec<Diagnostic>,
    /// Its own word for its state.
    pub version: Option<String>,
}

/// Writes a snapshot with all that is needed to go on from it.
///
/// # Errors
/// What the system says.
pub fn write(
    out: &mut FileWriter<'_>,
    catalog: &Catalog,
    sources: &[KeptSource],
    known: &FileCache,
) -> io::Result<()> {
    let mut words = Writer::default();
    words.list(sources.iter(), write_source);
    out.section(name::SOURCES, &words.bytes)?;
    write_texts(out, name::REFS, &catalog.refs)?;
    out.section(name::ROWS, &catalog.rows)?;
    write_texts(out, name::TEXTS, &catalog.texts)?;
    out.section(name::TAG_STARTS, &catalog.tag_starts)?;
    out.section(name::TAGS, &catalog.tags)?;
    out.section(name::EDGE_STARTS, &catalog.edge_starts)?;
    out.section(name::EDGES, &catalog.edges)?;
    write_texts(out, name::HAYSTACK, &catalog.haystack)?;
    out.section(name::BY_NAME, catalog.by_name())?;
    out.section(name::PROBLEMS, &catalog.problems)?;
    words.bytes.clear();
    catalog.diagnostics.write(&mut words);
    out.section(name::DIAGNOSTICS, &words.bytes)?;
    drop(words);
    write_files(out, catalog.parsed_files(), sources.len(), known)
}

fn write_texts(out: &mut FileWriter<'_>, name: u64, texts: &Texts) -> io::Result<()> {
    out.section(name, &texts.text)?;
    out.section(name + 1, &texts.ends)
}

fn write_files(
    out: &mut FileWriter<'_>,
    files: &[Arc<ParsedFile>],
    sources: usize,
    known: &FileCache,
) -> io::Result<()> {
    let mut rows = Vec::with_capacity(files.len());
    let mut documents = Vec::new();
    let mut names = Texts::default();
    let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(files.len() * 3));
    let (mut start, mut first_mark) = (0, 0);
    let (mut records, mut keys) = (Writer::default(), Vec::with_capacity(files.len()));
    known.with_records(|known| {
        for (at, file) in (0u32..).zip(files) {
            let (view, record) = (file.view(), records.bytes.len());
            let diagnostics = known.write(file, at, &mut records, &mut keys);
            rows.push(FileRow {
                source: u32::from(file.source),
                first_document: documents.len() as u32,
                documents: file.document_count() as u32,
                relations: view.relations as u32,
                record: record as u64,
                record_length: (records.bytes.len() - record) as u32,
                diagnostics: diagnostics as u32,
            });
            for name in [view.path, view.location_ref, view.origin_ref] {
                text.extend_from_slice(name.as_bytes());
                ends.push(text.len() as u32);
            }
            for document in documents_of(file) {
                documents.push(DocumentRow {
                    start,
                    length: document.packed.len() as u32,
                    line: document.line,
                    document: document.document,
                    first_mark,
                    marks: document.marks.len() as u32,
                    valid: u32::from(document.valid),
                });
                start += document.packed.len() as u64;
                first_mark += document.marks.len() as u32;
            }
        }
    });
    (names.text, names.ends) = (text.into(), ends.into());
    out.section(name::FILES, &rows)?;
    out.section(name::DOCUMENTS, &documents)?;
    write_texts(out, name::NAMES, &names)?;
    drop((rows, documents, names));
    out.section(name::RECORDS, &records.bytes)?;
    records.bytes.clear();
    known.write_trees(sources, &mut records);
    out.section(name::TREES, &records.bytes)?;
    drop(records);
    keys.sort_unstable();
    out.section(name::KEYS, &keys)?;
    drop(keys);
    let all = || files.iter().flat_map(|file| documents_of(file));
    out.begin(name::MARKS)?;
    for document in all() {
        out.add(bytemuck::cast_slice(document.marks))?;
    }
    out.end();
    out.begin(name::PACKED)?;
    for document in all() {
        out.add(document.packed)?;
    }
    out.end();
    Ok(())
}

/// As many as [`ParsedFile::document_count`] says.
fn documents_of(file: &ParsedFile) -> impl Iterator<Item = DocumentView<'_>> {
    (0..file.document_count()).map(|at| file.document(at).unwrap_or_default())
}

fn write_source(out: &mut Writer, source: &KeptSource) {
    let state = &source.state;
    out.text(&state.name);
    out.text(state.kind);
    out.text(&state.place);
    out.option(state.root.as_ref().and_then(|root| root.to_str()), Writer::text);
    out.number(state.files as u64);
    out.number(state.entities as u64);
    out.option(state.error.as_ref(), Writer::diagnostic);
    out.option(state.read_at, |out, at| out.word(at.as_millisecond() as u64));
    out.list(source.diagnostics.iter(), Writer::diagnostic);
    out.option(source.version.as_deref(), Writer::text);
}

fn read_source(from: &mut Reader<'_>, share: &mut Shared) -> Option<KeptSource> {
    let state = SourceState {
        name: from.text()?.into(),
        kind: known_kind(from.text()?),
        place: from.text()?.to_owned(),
        root: from.option(|from| from.text().map(PathBuf::from))?,
        files: from.small()? as usize,
        entities: from.small()? as usize,
        error: from.option(|from| from.diagnostic(share))?,
        read_at: from.option(|from| Timestamp::from_millisecond(from.word()? as i64).ok())?,
    };
    let diagnostics = from.list(|from| from.diagnostic(share))?;
    Some(KeptSource { state, diagnostics, version: from.option(|from| Some(from.text()?.to_owned()))? })
}

fn known_kind(text: &str) -> &'static str {
    SOURCES.iter().find(|spec| spec.kind == text).map_or("", |spec| spec.kind)
}

/// Makes the snapshot of a checked file; it lies in the file.
///
/// # Errors
/// [`FormatError::Damaged`] when the parts do not fit together.
pub fn read(file: &FileReader) -> Result<(Catalog, Vec<KeptSource>), FormatError> {
    let column = |name| -> Column<u8> { file.get(name).into() };
    let mut share = Shared::default();
    let sources = Reader::new(&column(name::SOURCES)).list(|from| read_source(from, &mut share));
    let sources = sources.ok_or(FormatError::Damaged("its sources cannot be read"))?;
    let files = KeptFiles {
        files: numbers(file, name::FILES),
        documents: numbers(file, name::DOCUMENTS),
        names: texts(file, name::NAMES),
        marks: numbers(file, name::MARKS),
        packed: column(name::PACKED),
        records: column(name::RECORDS),
    };
    let by_name: Column<u32> = numbers(file, name::BY_NAME);
    let catalog = Catalog {
        refs: texts(file, name::REFS),
        rows: numbers(file, name::ROWS),
        files: Files::Kept(Arc::new(files)),
        texts: texts(file, name::TEXTS),
        tag_starts: numbers(file, name::TAG_STARTS),
        tags: numbers(file, name::TAGS),
        edge_starts: numbers(file, name::EDGE_STARTS),
        edges: numbers(file, name::EDGES),
        haystack: texts(file, name::HAYSTACK),
        by_name: by_name.into(),
        diagnostics: Diagnostics::kept(column(name::DIAGNOSTICS)),
        problems: numbers(file, name::PROBLEMS),
        sources: sources.iter().map(|source| source.state.clone()).collect(),
    };
    Ok((catalog, sources))
}

fn numbers<T: Pod>(file: &FileReader, name: u64) -> Column<T> {
    file.get(name).into()
}

fn texts(file: &FileReader, name: u64) -> Texts {
    Texts { text: file.get(name).into(), ends: file.get(name + 1).into() }
}

/// Makes files of the kept ones, by source, and tells `known` what they were made of when
/// `is_same_program`. Everything of them stays where it is.
///
/// # Errors
/// [`FormatError::Damaged`] when the parts do not fit together.
pub fn revive(
    file: &FileReader,
    catalog: &Catalog,
    sources: usize,
    known: &FileCache,
    is_same_program: bool,
) -> Result<Vec<Vec<Arc<ParsedFile>>>, FormatError> {
    let damaged = || FormatError::Damaged("what is known of its files cannot be read");
    let Files::Kept(kept) = &catalog.files else { return Err(damaged()) };
    let trees: Column<u8> = file.get(name::TREES).into();
    known.read_trees(&mut Reader::new(&trees), is_same_program).ok_or_else(damaged)?;
    let parsed: Option<Vec<Arc<ParsedFile>>> =
        (0u32..).zip(&*kept.files).map(|(at, row)| revive_file(kept, at, row)).collect();
    let parsed = parsed.ok_or_else(damaged)?;
    let mut out = vec![Vec::new(); sources];
    for file in &parsed {
        out.get_mut(usize::from(file.source)).ok_or_else(damaged)?.push(file.clone());
    }
    if is_same_program {
        known.set_kept(KeptResults::new(kept.clone(), numbers(file, name::KEYS), parsed));
    }
    Ok(out)
}

fn revive_file(kept: &Arc<KeptFiles>, at: u32, row: &FileRow) -> Option<Arc<ParsedFile>> {
    let source = u16::try_from(row.source).ok()?;
    let is_known = RelationsFrom::of_number(row.relations) as u32 == row.relations;
    is_known.then(|| Arc::new(ParsedFile::kept(source, kept.clone(), at)))
}
