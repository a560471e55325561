//! Small things one after another: numbers in the seven-bits-a-byte form, texts with their length.
//!
//! What [`Writer`] writes [`Reader`] reads. Reading never fails badly: at the first byte that cannot be
//! right it gives `None`, and lists are never larger than the bytes that are there.

use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use rustc_hash::FxHashSet;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Writes to memory.
#[derive(Debug, Default)]
pub struct Writer {
    /// What is written.
    pub bytes: Vec<u8>,
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl Writer {
    /// Writes a number.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Writes a number whose high bits are as likely as its low ones.
    pub fn word(&mut self, word: u64) {
        self.bytes.extend(word.to_le_bytes());
    }

    /// Writes a yes or no.
    pub fn flag(&mut self, flag: bool) {
        self.bytes.push(u8::from(flag));
    }

    /// Writes a text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }

    /// Writes something that may be absent.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Writes a list.
    pub fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.number(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }

    /// Writes a diagnostic.
    pub fn diagnostic(&mut self, diagnostic: &Diagnostic) {
        self.number(match diagnostic.severity {
            Severity::Error => 0,
            Severity::Warning => 1,
            Severity::Info => 2,
        });
        self.text(diagnostic.code);
        self.text(&diagnostic.message);
        self.option(diagnostic.location.as_ref(), |out, location| {
            out.text(&location.file);
            out.number(u64::from(location.line));
            out.number(u64::from(location.column));
        });
        let texts = [&diagnostic.pointer, &diagnostic.snippet, &diagnostic.label, &diagnostic.hint];
        for text in texts.into_iter().chain([&diagnostic.entity]) {
            self.option(text.as_deref(), Self::text);
        }
        self.option(diagnostic.source.as_deref(), Self::text);
        self.number(u64::from(diagnostic.width));
    }
}

impl<'a> Reader<'a> {
    /// Reads from the start of these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns whether everything is read.
    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads a number.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for at in 0..10 {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f).checked_shl(7 * at)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Reads a number that fits into four bytes.
    pub fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    /// Reads what [`Writer::word`] wrote.
    pub fn word(&mut self) -> Option<u64> {
        let (word, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(u64::from_le_bytes(*word))
    }

    /// Reads a yes or no.
    pub fn flag(&mut self) -> Option<bool> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        (*byte < 2).then_some(*byte == 1)
    }

    /// Reads a text.
    pub fn text(&mut self) -> Option<&'a str> {
        let length = self.number()?.try_into().ok()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    /// Reads something that may be absent.
    pub fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { Some(Some(read(self)?)) } else { Some(None) }
    }

    /// Reads a list.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count: usize = self.number()?.try_into().ok()?;
        // every item takes a byte at least
        if count > self.rest.len() {
            return None;
        }
        // room grows with what is really there
        let mut out = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            out.push(read(self)?);
        }
        Some(out)
    }

    /// Reads a diagnostic; `share` gives equal texts once.
    pub fn diagnostic(&mut self, share: &mut Shared) -> Option<Diagnostic> {
        let severity = match self.number()? {
            0 => Severity::Error,
            1 => Severity::Warning,
            2 => Severity::Info,
            _ => return None,
        };
        let mut out = Diagnostic::new(severity, code(self.text()?)?, self.text()?);
        out.location = self.option(|from| {
            let file = share.get(from.text()?);
            Some(SourceLocation { file, line: from.small()?, column: from.small()? })
        })?;
        for slot in [&mut out.pointer, &mut out.snippet, &mut out.label, &mut out.hint, &mut out.entity] {
            *slot = self.option(|from| Some(from.text()?.to_owned()))?;
        }
        out.source = self.option(|from| Some(share.get(from.text()?)))?;
        out.width = self.small()?;
        Some(out)
    }
}

/// Gives texts that follow each other often one allocation.
#[derive(Debug, Default)]
pub struct Shared {
    last: [Option<Arc<str>>; 4],
    next: usize,
}

impl Shared {
    /// Returns the text, shared with one of those just before if it is the same.
    pub fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.last.iter().flatten().find(|known| &***known == text) {
            return known.clone();
        }
        let new: Arc<str> = text.into();
        if let Some(slot) = self.last.get_mut(self.next) {
            *slot = Some(new.clone());
        }
        self.next = (self.next + 1) % self.last.len();
        new
    }
}

/// Most codes that are taken from files; the program itself has fewer.
const MAX_CODES: usize = 1000;

/// Gives a code of a file the life of those in the program. Codes are few; what would be more than the
/// program can have is refused.
fn code(text: &str) -> Option<&'static str> {
    static CODES: LazyLock<Mutex<FxHashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(text) {
        return Some(known);
    }
    if codes.len() >= MAX_CODES || text.len() > 100 {
        return None;
    }
    let new: &'static str = Box::leak(text.into());
    codes.insert(new);
    Some(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Diagnostic {
        let mut full = Diagnostic::warning("catalog::x", "what")
            .at(SourceLocation::at("a.yaml", 3, 4))
            .pointer("/a")
            .snippet("line", 4, "label")
            .hint("do")
            .entity("api:default/a");
        full.source = Some("s".into());
        full
    }

    #[test]
    fn everything_comes_back() {
        let mut out = Writer::default();
        for number in [0, 127, 128, u64::MAX] {
            out.number(number);
        }
        out.word(7);
        out.option(Some("é"), Writer::text);
        out.option(None, Writer::text);
        out.list(["a", "b"].into_iter(), Writer::text);
        out.diagnostic(&sample());
        out.diagnostic(&Diagnostic::error("x::y", ""));
        let mut from = Reader::new(&out.bytes);
        assert_eq!([(); 4].map(|()| from.number().unwrap()), [0, 127, 128, u64::MAX]);
        assert_eq!(from.word(), Some(7));
        assert_eq!(from.option(Reader::text), Some(Some("é")));
        assert_eq!(from.option(Reader::text), Some(None));
        assert_eq!(from.list(Reader::text), Some(vec!["a", "b"]));
        let mut share = Shared::default();
        assert_eq!(from.diagnostic(&mut share), Some(sample()));
        assert_eq!(from.diagnostic(&mut share), Some(Diagnostic::error("x::y", "")));
        assert!(from.is_done());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut share = Shared::default();
            let mut from = Reader::new(&bytes);
            let _ = from.list(|from| from.list(Reader::text));
            let _ = Reader::new(&bytes).list(|from| from.diagnostic(&mut share));
        }

        #[test]
        fn what_is_cut_short_is_told(cut in 0usize..60) {
            let mut out = Writer::default();
            out.diagnostic(&sample());
            let cut = cut.min(out.bytes.len() - 1);
            prop_assert_eq!(Reader::new(&out.bytes[..cut]).diagnostic(&mut Shared::default()), None);
        }
    }
}
