//! Columns of a snapshot: built in memory, or slices of a mapped file; readers do not see which.
//!
//! A mapped column is checked at each use, not trusted: a place outside of the file, or of the wrong
//! alignment, reads as empty, and text that is not UTF-8 reads as the empty text.

use super::mapping::Mapping;
use bytemuck::Pod;
use std::ops::Deref;
use std::sync::Arc;

/// Numbers, or records of numbers, one after another.
#[derive(Clone)]
pub enum Column<T> {
    /// In memory, for a few items.
    Owned(Box<[T]>),
    /// In memory, shared by all copies.
    Shared(Arc<Vec<T>>),
    /// In a file.
    Mapped(Slice),
}

/// A run of a mapped file, in bytes.
#[derive(Clone)]
pub struct Slice {
    map: Arc<Mapping>,
    start: u64,
    length: u64,
}

impl Slice {
    /// Names a run of a file; one that lies outside of it reads as empty.
    pub fn new(map: Arc<Mapping>, start: u64, length: u64) -> Self {
        Self { map, start, length }
    }

    fn bytes(&self) -> &[u8] {
        let end = self.start.saturating_add(self.length) as usize;
        self.map.bytes().get(self.start as usize..end).unwrap_or(&[])
    }

    /// Returns a part of this run, in bytes from its start.
    #[must_use]
    pub fn part(&self, start: u64, length: u64) -> Self {
        let length = length.min(self.length.saturating_sub(start));
        Self { map: self.map.clone(), start: self.start.saturating_add(start), length }
    }
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self::Owned(Box::default())
    }
}

impl<T> From<Vec<T>> for Column<T> {
    fn from(items: Vec<T>) -> Self {
        Self::Shared(Arc::new(items))
    }
}

impl<T> From<Box<[T]>> for Column<T> {
    fn from(items: Box<[T]>) -> Self {
        Self::Owned(items)
    }
}

impl<T> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::Owned(items.into_iter().collect())
    }
}

impl<T> From<Slice> for Column<T> {
    fn from(slice: Slice) -> Self {
        Self::Mapped(slice)
    }
}

impl<T: Pod> Deref for Column<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Owned(items) => items,
            Self::Shared(items) => items,
            Self::Mapped(slice) => bytemuck::try_cast_slice(slice.bytes()).unwrap_or(&[]),
        }
    }
}

impl<T: Pod> Column<T> {
    /// Returns the items for changing; copies those of a file, and those that others share.
    pub fn make_mut(&mut self) -> &mut [T] {
        if let Self::Mapped(_) = self {
            *self = (**self).into();
        }
        match self {
            Self::Owned(items) => items,
            Self::Shared(items) => Arc::<Vec<T>>::make_mut(items),
            Self::Mapped(_) => &mut [],
        }
    }

    /// Returns a part, sharing the file of a mapped column; empty when it is not inside.
    pub fn part(&self, start: usize, length: usize) -> Self {
        let size = size_of::<T>() as u64;
        match self {
            Self::Owned(_) | Self::Shared(_) => {
                self.get(start..start.saturating_add(length)).unwrap_or(&[]).into()
            }
            Self::Mapped(slice) => {
                slice.part((start as u64).saturating_mul(size), (length as u64).saturating_mul(size)).into()
            }
        }
    }
}

impl<T: Pod> From<&[T]> for Column<T> {
    fn from(items: &[T]) -> Self {
        Self::Owned(items.into())
    }
}

impl<T: Pod + std::fmt::Debug> std::fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Texts one after another, by number.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// All texts, without anything between them.
    pub text: Column<u8>,
    /// Where each one ends.
    pub ends: Column<u32>,
}

impl Texts {
    /// Returns a text by its number; empty when there is none.
    pub fn get(&self, id: u32) -> &str {
        std::str::from_utf8(self.bytes_of(id)).unwrap_or("")
    }

    /// Returns the bytes of a text by its number.
    pub fn bytes_of(&self, id: u32) -> &[u8] {
        let ends: &[u32] = &self.ends;
        let Some(end) = ends.get(id as usize) else { return &[] };
        let start = id.checked_sub(1).and_then(|before| ends.get(before as usize)).copied().unwrap_or(0);
        self.text.get(start as usize..*end as usize).unwrap_or(&[])
    }

    /// Returns how many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped<T: Pod>(bytes: &[u8], start: u64, length: u64) -> Column<T> {
        Slice::new(Arc::new(Mapping::copy_of(bytes)), start, length).into()
    }

    #[test]
    fn a_mapped_column_reads_as_the_owned_one() {
        let numbers: Vec<u32> = (0..10).collect();
        let column: Column<u32> = mapped(bytemuck::cast_slice(&numbers), 8, 16);
        assert_eq!(&*column, &[2, 3, 4, 5]);
        assert_eq!(&*column.part(1, 2), &[3, 4]);
        assert_eq!(&*column.part(3, 9), &[5]);
        assert!(column.part(9, 1).is_empty());
        let mut changed = column.clone();
        changed.make_mut()[0] = 7;
        assert_eq!((changed[0], column[0]), (7, 2));
    }

    #[test]
    fn places_outside_of_the_file_read_as_empty() {
        for (start, length) in [(0, 17), (16, 1), (u64::MAX, 2), (1, u64::MAX), (2, 4), (0, 3)] {
            assert!(mapped::<u32>(&[1; 16], start, length).is_empty(), "{start} {length}");
        }
    }

    #[test]
    fn damaged_texts_read_as_empty() {
        let texts = |ends: &[u32]| Texts { text: mapped(b"ab\xffcd", 0, 5), ends: ends.into() };
        assert_eq!([0, 1, 2].map(|id| texts(&[2, 3, 5]).get(id).to_owned()), ["ab", "", "cd"]);
        assert_eq!([0, 1, 2, 3].map(|id| texts(&[9, 1, 0]).get(id).to_owned()), [""; 4]);
    }
}
