//! Bytes of a file where they lie: mapped, or read into memory where mapping does not work.
//!
//! The files behind a mapping are never changed in place, only replaced as a whole by a rename, so the
//! bytes stay what they were when the file was checked.

use memmap2::Mmap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

/// The bytes of a file; the first one is aligned for every number.
#[derive(Debug)]
pub enum Mapping {
    /// The file itself.
    File(Mmap),
    /// A copy, as words for their alignment, and its length in bytes.
    Memory(Box<[u64]>, usize),
}

impl Mapping {
    /// Maps a file, or reads it if it cannot be mapped.
    ///
    /// # Errors
    /// When it can be neither mapped nor read.
    pub fn open(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::Memory(Box::default(), 0));
        }
        match map(file) {
            Ok(map) => Ok(Self::File(map)),
            // some file systems know no mappings
            Err(_) => Self::read(file),
        }
    }

    fn read(mut file: &File) -> io::Result<Self> {
        let length = file.metadata()?.len() as usize;
        let mut words = vec![0u64; length.div_ceil(8)].into_boxed_slice();
        file.seek(SeekFrom::Start(0))?;
        if let Some(bytes) = bytemuck::cast_slice_mut::<u64, u8>(&mut words).get_mut(..length) {
            file.read_exact(bytes)?;
        }
        Ok(Self::Memory(words, length))
    }

    /// Copies bytes into an aligned place.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut words = vec![0u64; bytes.len().div_ceil(8)].into_boxed_slice();
        if let Some(place) = bytemuck::cast_slice_mut::<u64, u8>(&mut words).get_mut(..bytes.len()) {
            place.copy_from_slice(bytes);
        }
        Self::Memory(words, bytes.len())
    }

    /// Returns all bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::File(map) => map,
            Self::Memory(words, length) => bytemuck::cast_slice(words).get(..*length).unwrap_or(&[]),
        }
    }
}

#[expect(unsafe_code, reason = "mapping a file is the only way to use it without reading it first")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file is opened for reading and is never written to again once it has its name: whoever
    // saves a cache writes another file and renames it. Texts are checked at each use, so that bytes
    // that somebody changes all the same are wrong data at worst.
    unsafe { Mmap::map(file) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn maps_and_reads_the_same() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(Mapping::open(&file).unwrap().bytes(), b"");
        file.write_all(b"0123456789abc").unwrap();
        let mapped = Mapping::open(&file).unwrap();
        assert!(matches!(mapped, Mapping::File(_)));
        assert_eq!(mapped.bytes(), b"0123456789abc");
        assert_eq!(Mapping::read(&file).unwrap().bytes(), b"0123456789abc");
        assert_eq!(Mapping::copy_of(b"0123456789abc").bytes(), b"0123456789abc");
    }
}
