//! Lines by number: the newest in memory, older ones on disk, the oldest counted as lost.
//!
//! A [`Chunk`] is text with 16 bytes beside each line; sealed chunks are shared and never change, so whoever
//! searches holds no lock. The ring only decides; reading and writing files is done by the caller, without
//! the lock: [`Ring::overflow`] names a chunk to write, [`Ring::settle`] takes the place where it went.

use super::spill::Place;
use super::{Level, Limits, Line, LineId, LineKind};
use jiff::Timestamp;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// A chunk is sealed at so many lines.
const CHUNK_LINES: usize = 1024;

/// A chunk is sealed at so many bytes.
const CHUNK_BYTES: usize = 128 * 1024;

/// What is kept beside the text of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meta {
    /// Nanoseconds since the epoch; the smallest number for none.
    pub time: i64,
    /// Where its text ends in the text of the chunk.
    pub end: u32,
    /// Which source.
    pub source: u16,
    /// Its level.
    pub level: Level,
    /// What it is; the number of a gap stands in the chunk.
    pub kind: LineKindTag,
}

/// [`LineKind`] without its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum LineKindTag {
    Plain = 0,
    Json = 1,
    Note = 2,
    Gap = 3,
    Marker = 4,
}

/// Some lines that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Number of the first.
    pub first: LineId,
    /// All texts, one after the other.
    pub text: String,
    /// One per line.
    pub metas: Vec<Meta>,
    /// Numbers of the gaps: index of the line, lines missing.
    pub gaps: Vec<(u32, u64)>,
}

/// A line where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct LineView<'a> {
    pub source: u16,
    pub level: Level,
    pub time: Option<Timestamp>,
    pub kind: LineKind,
    pub text: &'a str,
}

/// A chunk on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spilled {
    pub first: LineId,
    pub count: u32,
    pub place: Place,
}

/// Where a line is.
#[derive(Debug, Clone)]
pub(super) enum Found {
    Memory(Arc<Chunk>),
    Disk(Spilled),
}

/// Lines by number.
#[derive(Debug)]
pub(super) struct Ring {
    limits: Limits,
    spilled: VecDeque<Spilled>,
    chunks: VecDeque<Arc<Chunk>>,
    open: Chunk,
    sealed_lines: usize,
    sealed_bytes: usize,
    /// Bytes on disk.
    disk: u64,
    /// Lines that nobody can read any more.
    lost: u64,
    /// Somebody writes the oldest chunk.
    is_spilling: bool,
}

const NO_TIME: i64 = i64::MIN;

impl Chunk {
    fn push(&mut self, line: LineView<'_>) {
        let kind = match line.kind {
            LineKind::Text { is_json: false } => LineKindTag::Plain,
            LineKind::Text { is_json: true } => LineKindTag::Json,
            LineKind::Note => LineKindTag::Note,
            LineKind::Marker => LineKindTag::Marker,
            LineKind::Gap(count) => {
                self.gaps.push((self.metas.len() as u32, count));
                LineKindTag::Gap
            }
        };
        self.text.push_str(line.text);
        let time = line.time.and_then(|time| i64::try_from(time.as_nanosecond()).ok()).unwrap_or(NO_TIME);
        let end = self.text.len() as u32;
        self.metas.push(Meta { time, end, source: line.source, level: line.level, kind });
    }

    /// Returns how many lines there are.
    pub fn len(&self) -> usize {
        self.metas.len()
    }

    /// Returns one past the number of the last line.
    pub fn end(&self) -> LineId {
        self.first + self.metas.len() as u64
    }

    /// Returns the line at an index.
    pub fn line(&self, index: usize) -> Option<LineView<'_>> {
        let meta = self.metas.get(index)?;
        let before = index.checked_sub(1).and_then(|before| self.metas.get(before));
        let start = before.map_or(0, |before| before.end);
        let kind = match meta.kind {
            LineKindTag::Plain => LineKind::Text { is_json: false },
            LineKindTag::Json => LineKind::Text { is_json: true },
            LineKindTag::Note => LineKind::Note,
            LineKindTag::Marker => LineKind::Marker,
            LineKindTag::Gap => {
                let at = self.gaps.binary_search_by_key(&(index as u32), |(at, _)| *at).ok();
                LineKind::Gap(at.and_then(|at| self.gaps.get(at)).map_or(0, |(_, count)| *count))
            }
        };
        Some(LineView {
            source: meta.source,
            level: meta.level,
            time: meta.time(),
            kind,
            text: self.text.get(start as usize..meta.end as usize).unwrap_or(""),
        })
    }

    /// Returns the lines with these numbers that are here.
    pub fn lines(&self, ids: &Range<LineId>) -> impl Iterator<Item = (LineId, LineView<'_>)> {
        let ids = ids.start.max(self.first)..ids.end.min(self.end());
        ids.filter_map(|id| Some((id, self.line((id - self.first) as usize)?)))
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.metas.len() * size_of::<Meta>()
    }
}

impl Meta {
    /// Returns the time, when there is one.
    pub fn time(&self) -> Option<Timestamp> {
        (self.time != NO_TIME).then(|| Timestamp::from_nanosecond(self.time.into()).ok()).flatten()
    }
}

impl LineView<'_> {
    /// Copies it.
    pub fn to_line(self) -> Line {
        let Self { source, level, time, kind, text } = self;
        Line { source, time, level, text: text.into(), kind }
    }
}

impl<'a> From<&'a Line> for LineView<'a> {
    fn from(line: &'a Line) -> Self {
        Self { source: line.source, level: line.level, time: line.time, kind: line.kind, text: &line.text }
    }
}

impl Ring {
    /// Creates an empty ring.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            spilled: VecDeque::new(),
            chunks: VecDeque::new(),
            open: Chunk::default(),
            sealed_lines: 0,
            sealed_bytes: 0,
            disk: 0,
            lost: 0,
            is_spilling: false,
        }
    }

    /// Appends a line and returns its number.
    pub fn push(&mut self, line: LineView<'_>) -> LineId {
        let is_full = self.open.len() >= CHUNK_LINES
            || !self.open.metas.is_empty() && self.open.text.len() + line.text.len() > CHUNK_BYTES;
        if is_full {
            self.seal();
        }
        let id = self.open.end();
        self.open.push(line);
        id
    }

    fn seal(&mut self) {
        let next = Chunk { first: self.open.end(), ..Chunk::default() };
        let mut sealed = std::mem::replace(&mut self.open, next);
        sealed.text.shrink_to_fit();
        sealed.metas.shrink_to_fit();
        self.sealed_lines += sealed.len();
        self.sealed_bytes += sealed.bytes();
        self.chunks.push_back(Arc::new(sealed));
    }

    /// Forgets all lines; numbers go on.
    pub fn clear(&mut self) {
        let first = self.open.end();
        let limits = self.limits;
        // a chunk that is being written finds no place when it comes back
        *self = Self { open: Chunk { first, ..Chunk::default() }, ..Self::new(limits) };
    }

    /// Returns the numbers of the lines that can be read; a first one that says what was lost is among them.
    pub fn range(&self) -> Range<LineId> {
        let first = self.first_kept();
        (if self.lost > 0 { first.saturating_sub(1) } else { first })..self.open.end()
    }

    fn first_kept(&self) -> LineId {
        self.spilled.front().map_or_else(|| self.memory().start, |spilled| spilled.first)
    }

    /// Returns the numbers of the lines in memory.
    pub fn memory(&self) -> Range<LineId> {
        self.chunks.front().map_or(self.open.first, |chunk| chunk.first)..self.open.end()
    }

    /// Returns how many lines nobody can read any more.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Returns the bytes on disk.
    pub fn disk(&self) -> u64 {
        self.disk
    }

    /// Returns the line that stands for those that were lost.
    pub fn gap(&self) -> Option<(LineId, Line)> {
        let id = self.first_kept().checked_sub(1).filter(|_| self.lost > 0)?;
        let text = format!("{} older lines are gone: more than is kept", self.lost);
        let kind = LineKind::Gap(self.lost);
        Some((id, Line { source: 0, time: None, level: Level::None, text: text.into(), kind }))
    }

    /// Returns the chunk with a line; the open one is copied.
    pub fn chunk(&self, id: LineId) -> Option<Found> {
        if id >= self.open.first {
            return (id < self.open.end()).then(|| Found::Memory(Arc::new(self.open.clone())));
        }
        if let Some(chunk) = find(&self.chunks, id, |chunk| chunk.first).filter(|chunk| id < chunk.end()) {
            return Some(Found::Memory(chunk.clone()));
        }
        let spilled = find(&self.spilled, id, |spilled| spilled.first)?;
        (id < spilled.first + u64::from(spilled.count)).then_some(Found::Disk(*spilled))
    }

    /// Calls for each line in memory with these numbers, without copying chunks.
    pub fn each(&self, ids: &Range<LineId>, mut take: impl FnMut(LineId, LineView<'_>)) {
        let start = self.chunks.partition_point(|chunk| chunk.end() <= ids.start);
        for chunk in self.chunks.range(start..).take_while(|chunk| chunk.first < ids.end) {
            chunk.lines(ids).for_each(|(id, line)| take(id, line));
        }
        self.open.lines(ids).for_each(|(id, line)| take(id, line));
    }

    /// Returns the oldest chunk when memory is full; it stays readable until [`Self::settle`]. One at a time.
    pub fn overflow(&mut self) -> Option<Arc<Chunk>> {
        let is_over = self.sealed_lines + self.open.len() > self.limits.lines
            || self.sealed_bytes + self.open.bytes() > self.limits.bytes;
        if !is_over || self.is_spilling {
            return None;
        }
        let chunk = self.chunks.front()?.clone();
        self.is_spilling = true;
        Some(chunk)
    }

    /// Takes the chunk of [`Self::overflow`] out of memory: it went to this place, or is lost. Returns the
    /// files that are not needed any more.
    pub fn settle(&mut self, chunk: &Arc<Chunk>, place: Option<Place>) -> Vec<u32> {
        self.is_spilling = false;
        let is_there = self.chunks.front().is_some_and(|front| Arc::ptr_eq(front, chunk));
        if !is_there {
            return Vec::new();
        }
        self.chunks.pop_front();
        self.sealed_lines -= chunk.len();
        self.sealed_bytes -= chunk.bytes();
        let mut gone = Vec::new();
        if let Some(place) = place {
            self.disk += place.bytes;
            self.spilled.push_back(Spilled { first: chunk.first, count: chunk.len() as u32, place });
            while self.disk > self.limits.disk {
                let Some(file) = self.drop_oldest_file() else { break };
                gone.push(file);
            }
        } else {
            // what is older goes with it: the lines that remain stay in one piece
            while let Some(file) = self.drop_oldest_file() {
                gone.push(file);
            }
            self.lost += chunk.len() as u64;
        }
        gone
    }

    fn drop_oldest_file(&mut self) -> Option<u32> {
        let file = self.spilled.front()?.place.file;
        while let Some(oldest) = self.spilled.front().filter(|spilled| spilled.place.file == file) {
            self.disk -= oldest.place.bytes;
            self.lost += u64::from(oldest.count);
            self.spilled.pop_front();
        }
        Some(file)
    }
}

/// Returns the last element that starts at or before a number.
fn find<T>(sorted: &VecDeque<T>, id: LineId, first: impl Fn(&T) -> LineId) -> Option<&T> {
    let after = sorted.partition_point(|element| first(element) <= id);
    sorted.get(after.checked_sub(1)?)
}
