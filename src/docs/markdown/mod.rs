//! Markdown as `TechDocs` has it, read and laid out for a terminal. Pure: no input or output.
//!
//! [`parse`] makes a [`Page`] of blocks from the text (snippets are spliced in before, see
//! [`snippets`]); [`layout`] makes lines of a width from the page, in roles and not in colours. Code is
//! highlighted in a step of its own ([`highlight`]), for the blocks that are seen. A search
//! ([`search::find`]) answers in places of the page, so it outlives a new width. All foreign text is
//! hostile: control codes never come through, depth and size are bounded, what is not understood stays
//! readable text.

mod attributes;
mod blocks;
mod containers;
mod definitions;
pub mod diagrams;
mod dialect;
mod dress;
mod emoji;
mod front;
pub mod highlight;
mod html;
mod html_blocks;
mod inline;
pub mod layout;
mod lines;
mod marks;
mod page;
mod parse;
mod rich;
#[cfg(test)]
mod robust;
mod scan;
pub mod search;
mod slug;
pub mod snippets;

pub use dialect::Dialect;
pub use layout::{Layout, View, layout};
pub use marks::Marks;
pub use page::*;
pub use parse::{parse, parse_inline};
pub use slug::slug;

use std::borrow::Cow;

/// Returns the text without control codes except newlines and tabs, with `\n` at the end of lines.
fn clean(text: &str) -> Cow<'_, str> {
    let harmless = |b: u8| (0x20..0x7f).contains(&b) || b == b'\n' || b == b'\t';
    if text.bytes().all(harmless) {
        return Cow::Borrowed(text);
    }
    let text = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    if !text.contains('\t') {
        return match crate::model::text::clean_lines(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(clean) => Cow::Owned(clean),
        };
    }
    let parts: Vec<Cow<'_, str>> = text.split('\t').map(crate::model::text::clean_lines).collect();
    if parts.iter().all(|part| matches!(part, Cow::Borrowed(_))) {
        return text.clone();
    }
    Cow::Owned(parts.join("\t"))
}
