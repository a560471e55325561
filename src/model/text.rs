//! Foreign text made safe and measured: control codes, bidi marks, cells, graphemes.
//!
//! Every name, title and log line that comes from a file or a server goes through [`clean`] before it
//! reaches a terminal, and is measured with [`width`] and shortened with [`cut`]: widths are cells, not
//! bytes or characters, and a cut never falls inside a grapheme. Also [`nearest`], which finds what a
//! person probably meant to type.

use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands in for a character that may not reach the terminal.
const REPLACEMENT: char = '\u{fffd}';

/// What stands at the end of a text that was cut.
pub const ELLIPSIS: char = '…';

/// Returns the text without anything that could move the cursor, change colours or reverse the line.
///
/// Newlines and tabs become one space each, control codes and marks of direction a replacement
/// character, invisible tag characters vanish. Borrowed when there is nothing to do.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) || !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(replace).collect())
}

/// Like [`clean`], but keeps newlines: for texts of several lines such as a description.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_unsafe(c)) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    Cow::Owned(text.chars().filter_map(|c| if c == '\n' { Some(c) } else { replace(c) }).collect())
}

fn replace(c: char) -> Option<char> {
    match c {
        '\n' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        c if is_tag(c) => None,
        c if is_unsafe(c) => Some(REPLACEMENT),
        c => Some(c),
    }
}

fn is_tag(c: char) -> bool {
    matches!(c, '\u{e0000}'..='\u{e007f}' | '\u{feff}')
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || is_tag(c)
        || matches!(
            c,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// Returns how many cells the text takes on a terminal.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Returns the text cut to at most `cells` cells, with [`ELLIPSIS`] at the end if something is missing.
pub fn cut(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut out = prefix(text, cells - 1).to_owned();
    out.push(ELLIPSIS);
    Cow::Owned(out)
}

/// Returns the longest start of the text that fits into `cells` cells, whole graphemes only.
pub fn prefix(text: &str, cells: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.width();
        if used > cells {
            return text.get(..at).unwrap_or("");
        }
    }
    text
}

/// Returns the candidates that are closest to what was typed, best first, at most three; none when
/// nothing is close.
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed: Vec<char> = typed.to_lowercase().chars().take(NEAREST_CHARS).collect();
    // One slip in three characters: `owner` finds `owenr`, `api` does not find `all`
    let limit = (typed.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let lower: Vec<char> = candidate.to_lowercase().chars().take(NEAREST_CHARS).collect();
            if lower == typed {
                return Some((0, candidate));
            }
            let starts = typed.len() >= 3 && lower.starts_with(&typed);
            let slips = if starts { 1 } else { distance(&typed, &lower, limit)? };
            Some((slips, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(3);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Names longer than this are compared by their start only.
const NEAREST_CHARS: usize = 80;

/// Counts insertions, deletions, replacements and swaps of neighbours; `None` above the limit.
fn distance(a: &[char], b: &[char], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, to) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX / 2);
            let replaced = at(&last, j) + usize::from(from != to);
            let mut cost = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(to) && b.get(j - 1) == Some(from);
            if swapped {
                cost = cost.min(at(&before, j - 1) + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|cost| *cost <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cleans_what_could_harm_a_terminal() {
        let cases = [
            ("plain", "plain"),
            ("naïve 名前 👩‍🚀", "naïve 名前 👩‍🚀"),
            ("a\u{1b}[31mred", "a\u{fffd}[31mred"),
            ("a\u{9b}31m", "a\u{fffd}31m"),
            ("tab\tnew\nline", "tab new line"),
            ("evil\u{202e}gnp.exe", "evil\u{fffd}gnp.exe"),
            ("\u{feff}bom \u{e0041}tag", "bom tag"),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected, "{text:?}");
        }
        assert!(matches!(clean("borrowed"), Cow::Borrowed(_)));
    }

    #[test]
    fn keeps_lines_when_asked() {
        assert_eq!(clean_lines("a\r\nb\n\u{1b}c\u{2028}d"), "a\nb\n\u{fffd}c d");
        assert_eq!(clean_lines("a\nb"), "a\nb");
    }

    #[test]
    fn cuts_by_cells_and_graphemes() {
        let cases = [
            ("short", 5, "short"),
            ("longer", 4, "lon…"),
            ("名前名前", 4, "名…"),
            ("名前", 4, "名前"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
            ("x", 0, ""),
            ("xy", 1, "…"),
        ];
        for (text, cells, expected) in cases {
            assert_eq!(cut(text, cells), expected, "{text:?} to {cells}");
        }
    }

    #[test]
    fn finds_what_was_meant() {
        let names = ["theme", "user", "ui.mouse", "ui.ascii", "offline"];
        assert_eq!(nearest("thme", names), ["theme"]);
        assert_eq!(nearest("ui.muose", names), ["ui.mouse"]);
        assert_eq!(nearest("THEME", names), ["theme"]);
        assert_eq!(nearest("off", names), ["offline"]);
        assert!(nearest("kubernetes", names).is_empty());
    }

    proptest! {
        #[test]
        fn a_cut_text_fits(text in ".{0,40}", cells in 0usize..20) {
            prop_assert!(width(&cut(&clean(&text), cells)) <= cells);
        }

        #[test]
        fn cleaned_text_stays_clean(text in "\\PC*|.*") {
            let once = clean(&text).into_owned();
            prop_assert!(!once.chars().any(char::is_control));
            prop_assert_eq!(clean(&once).into_owned(), once.clone());
        }
    }
}
