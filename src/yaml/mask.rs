//! Characters that the event parser refuses and Backstage's parser takes: something stands for them
//! while the events are made.

use super::node::{Data, Node};
use saphyr_parser::ScanError;
use std::borrow::Cow;

/// Most tabs behind colons that are softened in one document, each at the price of one more pass.
pub(super) const MAX_TABS: usize = 64;
/// Most bytes read in all these passes.
pub(super) const MAX_TAB_BYTES: usize = 8_000_000;

/// Characters that the event parser treats as no text, and what stands for them meanwhile: a byte
/// order mark inside a text, and a carriage return without a line feed.
const MASKED: [(char, char); 2] = [('\u{feff}', '\u{fdd0}'), ('\r', '\u{fdd1}')];

/// Returns whether a tab between the colon of a key and its value stopped the event parser.
pub(super) fn is_tab_after_colon(error: &ScanError) -> bool {
    error.info().contains("':' must be followed by a valid YAML whitespace")
}

/// Makes spaces of the tabs before a character; `None` when there are none.
pub(super) fn soften_tabs(text: &str, character: usize) -> Option<String> {
    let end = text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
    let (before, after) = text.split_at_checked(end)?;
    let kept = before.trim_end_matches([' ', '\t']);
    let gap = before.get(kept.len()..)?;
    gap.contains('\t').then(|| format!("{kept}{}{after}", " ".repeat(gap.len())))
}

/// Returns whether a text has any of them.
pub(super) fn is_needed(text: &str) -> bool {
    let bytes = text.as_bytes();
    let lone = |at: usize| bytes.get(at + 1) != Some(&b'\n');
    text.contains('\u{feff}') || text.match_indices('\r').any(|(at, _)| lone(at))
}

/// Puts the stand-ins into a text; every character keeps its place.
pub(super) fn mask(text: &str) -> String {
    let mut chars = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        let kept = c == '\r' && chars.peek() == Some(&'\n');
        let replaced = MASKED.iter().find(|(from, _)| *from == c && !kept).map_or(c, |(_, to)| *to);
        out.push(replaced);
    }
    out
}

/// Takes the stand-ins out of a value again.
pub(super) fn unmask(node: &mut Node<'_>) {
    match &mut node.data {
        Data::String(text) if text.contains(MASKED.map(|(_, to)| to)) => {
            let back = |c: char| MASKED.iter().find(|(_, to)| *to == c).map_or(c, |(from, _)| *from);
            *text = Cow::Owned(text.chars().map(back).collect());
        }
        Data::Sequence(items) => items.iter_mut().for_each(unmask),
        Data::Mapping(entries) => {
            for (key, value) in entries {
                unmask(key);
                unmask(value);
            }
        }
        _ => {}
    }
}
