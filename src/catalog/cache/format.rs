//! The cache file: a header that names sections, each with its place, length and checksum.
//!
//! ```text
//! 0     magic, layout, words and program it was written by, whose it is, table of sections, checksum
//! 4096  sections, each from a multiple of 64, so that columns of numbers are used where they lie
//! ```
//!
//! Numbers are in the order of bytes of the machine; another order reads as another layout. A checksum
//! covers blocks, whose checksums are summed once more: blocks are checked on all cores. Blocks are summed
//! by a few multiplications a word, at the speed of memory: what is looked for is damage, not an attacker,
//! who could write any file with right checksums.

use super::column::Slice;
use super::mapping::Mapping;
use crate::model::value;
use bytemuck::{Pod, Zeroable};
use rayon::prelude::*;
use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::sync::Arc;

/// Raised with every change of a section's content; files of another layout are not read.
pub const LAYOUT: u32 = 2;

const MAGIC: [u8; 8] = *b"devport\x1a";
const HEADER_BYTES: usize = 4096;
const ALIGNMENT: u64 = 64;
const BLOCK: usize = 256 * 1024;
const MAX_SECTIONS: usize = 48;

/// A checksum.
pub type Sum = [u8; 32];

/// The start of a file. All fields are without gaps.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    magic: [u8; 8],
    layout: u32,
    /// How many words the packed values may name, and their checksum.
    words: u32,
    words_sum: Sum,
    program: Sum,
    owner: Sum,
    /// Number of this writing.
    id: u64,
    length: u64,
    count: u64,
    sections: [Section; MAX_SECTIONS],
    /// Of everything before.
    sum: Sum,
}

/// A run of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Section {
    name: u64,
    start: u64,
    length: u64,
    sum: Sum,
}

/// Whom a file belongs to and who wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The sources it holds.
    pub owner: Sum,
    /// The program that parsed them.
    pub program: Sum,
    /// Number of the writing.
    pub id: u64,
}

/// Why a file cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is no cache file, or its beginning is damaged.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// Another version of the program wrote it.
    #[error("another version of the program wrote it")]
    OtherVersion,
    /// Other sources are in it.
    #[error("it belongs to other sources")]
    OtherOwner,
}

/// The sum of blocks' sums.
struct Summer {
    block: Vec<u8>,
    whole: blake3::Hasher,
}

impl Summer {
    fn new() -> Self {
        Self { block: Vec::with_capacity(BLOCK), whole: blake3::Hasher::new() }
    }

    fn add(&mut self, mut bytes: &[u8]) {
        while let Some((now, later)) = bytes.split_at_checked((BLOCK - self.block.len()).min(bytes.len())) {
            if now.is_empty() {
                break;
            }
            self.block.extend_from_slice(now);
            if self.block.len() == BLOCK {
                self.close();
            }
            bytes = later;
        }
    }

    fn close(&mut self) {
        self.whole.update(&sum_of_block(&self.block));
        self.block.clear();
    }

    /// Returns the sum and starts anew.
    fn finish(&mut self) -> Sum {
        if !self.block.is_empty() {
            self.close();
        }
        let sum = *self.whole.finalize().as_bytes();
        self.whole.reset();
        sum
    }
}

/// Odd numbers without a pattern: fractional parts of square roots.
const SEEDS: [u64; 8] = [
    0x6a09_e667_f3bc_c909,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Sums a block in eight lanes. Each step can be turned back, so that one word that differs always shows.
fn sum_of_block(bytes: &[u8]) -> Sum {
    let mut lanes = SEEDS;
    let mut step = |stripe: &[u8; 64]| {
        for (lane, word) in lanes.iter_mut().zip(stripe.as_chunks::<8>().0) {
            let mixed = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *lane = mixed ^ (mixed >> 32);
        }
    };
    let (stripes, rest) = bytes.as_chunks::<64>();
    stripes.iter().for_each(&mut step);
    let mut last = [0; 64];
    for (slot, byte) in last.iter_mut().zip(rest) {
        *slot = *byte;
    }
    step(&last);
    let mut hasher = blake3::Hasher::new();
    for word in lanes.iter().chain([&(bytes.len() as u64)]) {
        hasher.update(&word.to_le_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn sum_of_blocks(sums: &[Sum]) -> Sum {
    *blake3::hash(sums.as_flattened()).as_bytes()
}

/// Writes sections one after another.
pub struct FileWriter<'f> {
    out: BufWriter<&'f File>,
    at: u64,
    sections: Vec<Section>,
    summer: Summer,
}

impl<'f> FileWriter<'f> {
    /// Starts at the beginning of an empty file.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(file: &'f File) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(256 * 1024, file);
        // an unfinished file has no header
        out.write_all(&[0; HEADER_BYTES])?;
        Ok(Self { out, at: HEADER_BYTES as u64, sections: Vec::new(), summer: Summer::new() })
    }

    /// Writes one section.
    ///
    /// # Errors
    /// What the system says.
    pub fn section<T: Pod>(&mut self, name: u64, items: &[T]) -> io::Result<()> {
        self.begin(name)?;
        self.add(bytemuck::cast_slice(items))?;
        self.end();
        Ok(())
    }

    /// Starts a section that is written in pieces by [`Self::add`] and closed by [`Self::end`].
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(&mut self, name: u64) -> io::Result<()> {
        let gap = self.at.next_multiple_of(ALIGNMENT) - self.at;
        self.out.write_all([0; ALIGNMENT as usize].get(..gap as usize).unwrap_or(&[]))?;
        self.at += gap;
        self.sections.push(Section { name, start: self.at, length: 0, sum: [0; 32] });
        Ok(())
    }

    /// Adds to the section that was begun last.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.summer.add(bytes);
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Closes the section that was begun last.
    pub fn end(&mut self) {
        let sum = self.summer.finish();
        if let Some(section) = self.sections.last_mut() {
            (section.length, section.sum) = (self.at - section.start, sum);
        }
    }

    /// Writes the header, which makes the file whole.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(mut self, stamp: &Stamp) -> io::Result<()> {
        let mut header = Header::zeroed();
        (header.magic, header.layout) = (MAGIC, LAYOUT);
        (header.words, header.words_sum) = words();
        (header.owner, header.program, header.id) = (stamp.owner, stamp.program, stamp.id);
        (header.length, header.count) = (self.at, self.sections.len() as u64);
        for (slot, section) in header.sections.iter_mut().zip(&self.sections) {
            *slot = *section;
        }
        if self.sections.len() > MAX_SECTIONS {
            return Err(io::Error::other("too many sections"));
        }
        header.sum = header.own_sum();
        self.out.seek(SeekFrom::Start(0))?;
        self.out.write_all(bytemuck::bytes_of(&header))?;
        self.out.flush()
    }
}

/// The words that this program can write, counted and summed; see [`value::words`].
fn words() -> (u32, Sum) {
    let words = value::words();
    (words.len() as u32, words_sum(words))
}

fn words_sum(words: &[&str]) -> Sum {
    let mut hasher = blake3::Hasher::new();
    for word in words {
        hasher.update(&(word.len() as u64).to_le_bytes());
        hasher.update(word.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

impl Header {
    fn own_sum(&self) -> Sum {
        let bytes = bytemuck::bytes_of(self);
        *blake3::hash(bytes.get(..bytes.len() - size_of::<Sum>()).unwrap_or(&[])).as_bytes()
    }

    fn read(bytes: &[u8], owner: &Sum) -> Result<Self, FormatError> {
        let start = bytes.get(..size_of::<Self>()).ok_or(FormatError::Damaged("it is too short"))?;
        let header: Self = bytemuck::pod_read_unaligned(start);
        if header.magic != MAGIC {
            return Err(FormatError::Damaged("it does not begin as it should"));
        }
        if header.layout != LAYOUT {
            return Err(FormatError::OtherVersion);
        }
        if header.sum != header.own_sum() {
            return Err(FormatError::Damaged("its header does not match its checksum"));
        }
        // words are only ever added at the end
        let known = value::words().get(..header.words as usize).ok_or(FormatError::OtherVersion)?;
        if words_sum(known) != header.words_sum {
            return Err(FormatError::OtherVersion);
        }
        if header.length != bytes.len() as u64 {
            return Err(FormatError::Damaged("it has not the length it should have"));
        }
        if header.owner != *owner {
            return Err(FormatError::OtherOwner);
        }
        Ok(header)
    }
}

/// A file whose header is checked; its sections are as [`FileReader::verify`] says.
#[derive(Debug)]
pub struct FileReader {
    map: Arc<Mapping>,
    file: File,
    sections: Vec<Section>,
    stamp: Stamp,
}

impl FileReader {
    /// Checks the header of a file.
    ///
    /// # Errors
    /// When the file cannot be read at all, or what is wrong with it.
    pub fn open(file: File, owner: &Sum) -> io::Result<Result<Self, FormatError>> {
        let map = Arc::new(Mapping::open(&file)?);
        let header = match Header::read(map.bytes(), owner) {
            Ok(header) => header,
            Err(error) => return Ok(Err(error)),
        };
        let sections: Vec<Section> = header.sections.iter().take(header.count as usize).copied().collect();
        let inside = |s: &Section| s.start.checked_add(s.length).is_some_and(|end| end <= header.length);
        if !sections.iter().all(inside) {
            return Ok(Err(FormatError::Damaged("a section lies outside of it")));
        }
        let stamp = Stamp { owner: header.owner, program: header.program, id: header.id };
        Ok(Ok(Self { map, file, sections, stamp }))
    }

    /// Returns who wrote it.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    fn section(&self, name: u64) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// Returns a section; an empty one when the file has none of this name.
    pub fn get(&self, name: u64) -> Slice {
        let (start, length) = self.section(name).map_or((0, 0), |section| (section.start, section.length));
        Slice::new(self.map.clone(), start, length)
    }

    /// Checks sections against their checksums by reading the file: what is not used takes no memory then.
    ///
    /// # Errors
    /// [`FormatError::Damaged`].
    pub fn verify(&self, wanted: impl Fn(u64) -> bool) -> Result<(), FormatError> {
        self.verify_with(wanted, |start, length, buffer| {
            buffer.resize(BLOCK, 0);
            let bytes = buffer.get_mut(..length)?;
            self.read_at(start, bytes).ok()?;
            Some(sum_of_block(bytes))
        })
    }

    #[cfg(unix)]
    fn read_at(&self, start: u64, bytes: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, start)
    }

    #[cfg(not(unix))]
    fn read_at(&self, start: u64, bytes: &mut [u8]) -> io::Result<()> {
        let _ = &self.file;
        let there = self.map.bytes().get(start as usize..start as usize + bytes.len());
        bytes.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn verify_with(
        &self,
        wanted: impl Fn(u64) -> bool,
        sum: impl Fn(u64, usize, &mut Vec<u8>) -> Option<Sum> + Sync,
    ) -> Result<(), FormatError> {
        let wanted: Vec<&Section> = self.sections.iter().filter(|section| wanted(section.name)).collect();
        let blocks: Vec<(u64, usize)> = wanted
            .iter()
            .flat_map(|section| {
                (0..section.length)
                    .step_by(BLOCK)
                    .map(|at| (section.start + at, (section.length - at).min(BLOCK as u64) as usize))
            })
            .collect();
        let sums: Option<Vec<Sum>> = blocks
            .par_iter()
            .map_init(Vec::new, |buffer, (start, length)| sum(*start, *length, buffer))
            .collect();
        let sums = sums.ok_or(FormatError::Damaged("it cannot be read"))?;
        let mut rest = sums.as_slice();
        for section in wanted {
            let count = section.length.div_ceil(BLOCK as u64) as usize;
            let Some((own, others)) = rest.split_at_checked(count) else { break };
            if sum_of_blocks(own) != section.sum {
                return Err(FormatError::Damaged("its content does not match its checksum"));
            }
            rest = others;
        }
        Ok(())
    }

    /// Returns where sections begin and end; for tests that cut there.
    #[cfg(test)]
    pub fn bounds(&self) -> Vec<u64> {
        self.sections.iter().flat_map(|section| [section.start, section.start + section.length]).collect()
    }
}

const _: () = assert!(size_of::<Header>() <= HEADER_BYTES, "the header fits into its place");

/// Sums changed bytes anew, as if they had been written so.
#[cfg(test)]
pub fn with_right_sums(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut header: Header = bytemuck::pod_read_unaligned(&bytes[..size_of::<Header>()]);
    for section in header.sections.iter_mut().take(header.count as usize) {
        let mut summer = Summer::new();
        summer.add(&bytes[section.start as usize..(section.start + section.length) as usize]);
        section.sum = summer.finish();
    }
    header.sum = header.own_sum();
    out[..size_of::<Header>()].copy_from_slice(bytemuck::bytes_of(&header));
    out
}
