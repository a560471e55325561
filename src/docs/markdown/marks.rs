//! Styles of a stretch of text, several at once.

use std::ops::{BitOr, BitOrAssign};

/// A set of styles.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Marks(u16);

impl Marks {
    /// Plain.
    pub const NONE: Self = Self(0);
    /// `**strong**`
    pub const STRONG: Self = Self(1);
    /// `*emphasis*`
    pub const EMPHASIS: Self = Self(1 << 1);
    /// `` `code` ``
    pub const CODE: Self = Self(1 << 2);
    /// `~~deleted~~`
    pub const DELETED: Self = Self(1 << 3);
    /// `^^inserted^^`
    pub const INSERTED: Self = Self(1 << 4);
    /// `==marked==`
    pub const MARKED: Self = Self(1 << 5);
    /// `^superscript^`
    pub const SUPERSCRIPT: Self = Self(1 << 6);
    /// `~subscript~`
    pub const SUBSCRIPT: Self = Self(1 << 7);
    /// `++key++`
    pub const KEY: Self = Self(1 << 8);
    /// A remark of a reviewer: `{>>remark<<}`
    pub const REMARK: Self = Self(1 << 9);
    /// An abbreviation that is explained in [`super::Page::abbreviations`].
    pub const ABBREVIATION: Self = Self(1 << 10);
    /// The caption of a picture within text.
    pub const IMAGE: Self = Self(1 << 11);
    /// The number of a footnote.
    pub const FOOTNOTE: Self = Self(1 << 12);
    /// Taken as it stands: nothing in it is syntax. Only while a page is read.
    pub(super) const LITERAL: Self = Self(1 << 13);

    /// Whether all styles of the other set are in this one.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns this set without the styles of the other.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is no style.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Marks {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [(Marks, &str); 14] = [
            (Marks::STRONG, "strong"),
            (Marks::EMPHASIS, "em"),
            (Marks::CODE, "code"),
            (Marks::DELETED, "del"),
            (Marks::INSERTED, "ins"),
            (Marks::MARKED, "mark"),
            (Marks::SUPERSCRIPT, "sup"),
            (Marks::SUBSCRIPT, "sub"),
            (Marks::KEY, "key"),
            (Marks::REMARK, "remark"),
            (Marks::ABBREVIATION, "abbr"),
            (Marks::IMAGE, "image"),
            (Marks::FOOTNOTE, "note"),
            (Marks::LITERAL, "literal"),
        ];
        let names: Vec<&str> =
            NAMES.iter().filter(|(mark, _)| self.has(*mark)).map(|(_, name)| *name).collect();
        write!(f, "{}", names.join("+"))
    }
}
