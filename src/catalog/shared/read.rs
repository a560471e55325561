//! From the bytes of a data object to parsed files.
//!
//! Start at [`read`]. The bytes are checked against the manifest before; what they unpack to is bounded by
//! what the manifest says, and held a part at a time.

use super::record::{End, Line};
use super::{MAX_RECORD, Manifest, SharedError};
use crate::catalog::progress::Progress;
use crate::catalog::snapshot::ParsedFile;
use crate::diagnostic::Diagnostic;
use flate2::read::MultiGzDecoder;
use rayon::prelude::*;
use std::io::Read;
use std::sync::Arc;

/// Unpacked bytes that are parsed at once.
const BATCH: usize = 8 * 1024 * 1024;

/// What a snapshot holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// Its files, in their order.
    pub files: Vec<Arc<ParsedFile>>,
    /// What is wrong outside of them.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a data object for the source with this number and name.
///
/// # Errors
/// [`SharedError::Broken`] when it is not what the manifest says, [`SharedError::Cancelled`].
pub(super) fn read(
    manifest: &Manifest,
    bytes: &[u8],
    source: u16,
    name: &Arc<str>,
    progress: &Progress,
) -> Result<Contents, SharedError> {
    manifest.data.check(bytes)?;
    let mut stream = MultiGzDecoder::new(bytes).take(manifest.data.unpacked.saturating_add(1));
    let mut contents = Contents::default();
    let mut seen = Seen::default();
    let mut unpacked = 0;
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        if progress.is_cancelled() {
            return Err(SharedError::Cancelled);
        }
        let before = buffer.len();
        (&mut stream)
            .take(BATCH as u64)
            .read_to_end(&mut buffer)
            .map_err(|error| SharedError::broken(format!("its data does not unpack: {error}")))?;
        let got = buffer.len() - before;
        unpacked += got as u64;
        if unpacked > manifest.data.unpacked {
            return Err(SharedError::broken("its data unpacks to more than the manifest says"));
        }
        let whole =
            if got == 0 { buffer.len() } else { memchr::memrchr(b'\n', &buffer).map_or(0, |at| at + 1) };
        take(buffer.get(..whole).unwrap_or(&[]), (source, name), &mut contents, &mut seen)?;
        buffer.drain(..whole);
        if got == 0 {
            break;
        }
        if buffer.len() > MAX_RECORD {
            return Err(SharedError::broken("one of its records is too large"));
        }
    }
    let counts = End { files: manifest.files, entities: manifest.entities };
    if seen.end != Some(counts) || seen.counts != counts {
        return Err(SharedError::broken("its data does not hold what the manifest says"));
    }
    Ok(contents)
}

#[derive(Debug)]
struct Seen {
    has_header: bool,
    counts: End,
    end: Option<End>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { has_header: false, counts: End { files: 0, entities: 0 }, end: None }
    }
}

/// A line after parsing.
#[derive(Default)]
struct Parsed {
    is_header: bool,
    file: Option<ParsedFile>,
    problems: Vec<Diagnostic>,
    end: Option<End>,
}

/// Takes whole lines.
fn take(
    text: &[u8],
    source: (u16, &Arc<str>),
    contents: &mut Contents,
    seen: &mut Seen,
) -> Result<(), SharedError> {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let parsed: Vec<Result<Parsed, SharedError>> =
        lines.into_par_iter().with_min_len(16).map(|line| parse(line, source)).collect();
    for parsed in parsed {
        let Parsed { is_header, file, problems, end } = parsed?;
        if seen.end.is_some() || is_header == seen.has_header {
            return Err(SharedError::broken("its records are not in order"));
        }
        seen.has_header = true;
        seen.end = end;
        contents.diagnostics.extend(problems);
        if let Some(file) = file {
            seen.counts.files += 1;
            seen.counts.entities += file.documents.len() as u64;
            contents.files.push(Arc::new(file));
        }
    }
    Ok(())
}

fn parse(line: &[u8], (source, name): (u16, &Arc<str>)) -> Result<Parsed, SharedError> {
    let line: Line = serde_json::from_slice(line)
        .map_err(|error| SharedError::broken(format!("one of its records makes no sense: {error}")))?;
    Ok(Parsed {
        is_header: line.snapshot.is_some(),
        file: line.file.map(|file| file.into_parsed(source, name)).transpose()?,
        problems: line.problems.into_iter().map(|problem| problem.into_diagnostic(None, name)).collect(),
        end: line.end,
    })
}
