//! Lines of a page: where they came from, how far they are indented, what they begin with.

/// A line of the source, perhaps without its indentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// 1-based.
    pub number: u32,
    /// Without the newline.
    pub text: &'a str,
}

/// Columns to the next stop of a tab.
const TAB: usize = 4;

impl<'a> Line<'a> {
    /// Splits a text into lines numbered from `first`.
    pub fn all(text: &'a str, first: u32) -> Vec<Self> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        (first..).zip(text.split('\n')).map(|(number, text)| Self { number, text }).collect()
    }

    /// Returns the columns of white space at the start, and the rest.
    pub fn measure(&self) -> (usize, &'a str) {
        let mut columns = 0;
        for (at, byte) in self.text.bytes().enumerate() {
            match byte {
                b' ' => columns += 1,
                b'\t' => columns += TAB - columns % TAB,
                _ => return (columns, self.text.get(at..).unwrap_or("")),
            }
        }
        (columns, "")
    }

    /// Whether there is nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Returns the line without its first columns, as far as they are white space.
    pub fn dedent(&self, by: usize) -> Self {
        let mut columns = 0;
        for (at, byte) in self.text.bytes().enumerate() {
            let rest = self.text.get(at..).unwrap_or("");
            if columns >= by {
                return Self { text: rest, ..*self };
            }
            match byte {
                b' ' => columns += 1,
                b'\t' => columns += TAB - columns % TAB,
                _ => return Self { text: rest, ..*self },
            }
        }
        Self { text: "", ..*self }
    }
}

/// A marker of a list: bytes it takes and columns to what follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    /// Columns from the marker to the content.
    pub content: usize,
    /// Whether it is a number.
    pub ordered: bool,
    /// Whether nothing follows.
    pub empty: bool,
}

/// Returns the marker of a list item at the start of a line without indentation.
pub(super) fn marker(rest: &str) -> Option<Marker> {
    let bytes = rest.as_bytes();
    let digits = bytes.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    let (width, ordered) = match (bytes.first()?, digits) {
        (b'-' | b'+' | b'*', _) => (1, false),
        (_, 1..=9) if matches!(bytes.get(digits), Some(b'.' | b')')) => (digits + 1, true),
        _ => return None,
    };
    let after = rest.get(width..)?;
    if after.trim().is_empty() {
        return Some(Marker { content: width + 1, ordered, empty: true });
    }
    let (columns, _) = Line { number: 0, text: after }.measure();
    if columns == 0 || (!ordered && is_rule(rest)) {
        return None;
    }
    Some(Marker { content: width + if columns > 4 { 1 } else { columns }, ordered, empty: false })
}

/// Whether the line is a rule across: three or more of `-`, `*` or `_`, perhaps with spaces.
pub(super) fn is_rule(rest: &str) -> bool {
    let Some(first @ (b'-' | b'*' | b'_')) = rest.bytes().next() else { return false };
    rest.bytes().all(|b| b == first || b == b' ' || b == b'\t')
        && rest.bytes().filter(|b| *b == first).count() >= 3
}

/// The start of a fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    pub sign: u8,
    pub length: usize,
}

/// Returns the fence that a line without indentation opens.
pub(super) fn fence(rest: &str) -> Option<Fence> {
    let sign = *rest.as_bytes().first().filter(|sign| matches!(sign, b'`' | b'~'))?;
    let length = rest.bytes().take_while(|b| *b == sign).count();
    let info = rest.get(length..)?;
    (length >= 3 && (sign == b'~' || !info.contains('`'))).then_some(Fence { sign, length })
}

impl Fence {
    /// Whether a line without indentation closes this fence.
    pub fn closes(self, rest: &str) -> bool {
        let length = rest.bytes().take_while(|b| *b == self.sign).count();
        length >= self.length && rest.get(length..).is_some_and(|after| after.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_and_dedents() {
        let cases = [
            ("    a", 4, "a"),
            ("\ta", 4, "a"),
            ("  \ta", 4, "a"),
            ("\t  a", 6, "  a"),
            ("  a", 2, "a"),
            ("a", 0, "a"),
            ("   ", 3, ""),
        ];
        for (text, columns, left) in cases {
            let line = Line { number: 1, text };
            assert_eq!(line.measure().0, columns, "{text:?}");
            assert_eq!(line.dedent(4).text, left, "{text:?}");
        }
    }

    #[test]
    fn knows_markers() {
        let cases = [
            ("- a", Some(2)),
            ("1. a", Some(3)),
            ("10)  a", Some(5)),
            ("*   a", Some(4)),
            ("*a*", None),
            ("-", Some(2)),
            ("- - -", None),
            ("* * *", None),
            ("1.5", None),
            ("1234567890. a", None),
            ("-      code", Some(2)),
        ];
        for (text, content) in cases {
            assert_eq!(marker(text).map(|marker| marker.content), content, "{text:?}");
        }
    }

    #[test]
    fn knows_fences() {
        assert_eq!(fence("```rust"), Some(Fence { sign: b'`', length: 3 }));
        assert_eq!(fence("``` a`b"), None);
        assert_eq!(fence("``"), None);
        assert!(
            fence("~~~~ x").is_some_and(|fence| fence.closes("~~~~~ ")
                && !fence.closes("~~~")
                && !fence.closes("~~~~ x"))
        );
    }
}
