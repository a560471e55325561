//! Which syntax a page uses.

/// What is turned on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// Everything that `TechDocs` turns on; without it plain `CommonMark` and tables.
    pub techdocs: bool,
    /// `use_pymdownx_blocks`: `/// note | Title` in place of `!!!`, `???` and `===`.
    pub blocks: bool,
}

impl Dialect {
    /// The dialect of `TechDocs`.
    pub const TECHDOCS: Self = Self { techdocs: true, blocks: false };
    /// `CommonMark` with tables.
    pub const COMMONMARK: Self = Self { techdocs: false, blocks: false };
}

impl Default for Dialect {
    fn default() -> Self {
        Self::TECHDOCS
    }
}
