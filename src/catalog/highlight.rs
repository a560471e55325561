//! Which parts of a shown text a filter matched.

use super::filter::{Anchor, Atom, Filter, compile_regex};
use std::ops::Range;

/// Returns the matched parts, sorted and merged.
pub(super) fn ranges(filter: &Filter, shown: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for atom in filter.terms().iter().filter(|term| !term.negated).flat_map(|term| &term.any) {
        match atom {
            Atom::Word { text, case_sensitive, anchor } => {
                words(shown, text, *case_sensitive, *anchor, &mut out);
            }
            Atom::Fuzzy(text) => fuzzy(shown, text, &mut out),
            Atom::Regex { pattern, case_sensitive } => {
                if let Ok(regex) = compile_regex(pattern, *case_sensitive) {
                    out.extend(regex.find_iter(shown).map(|found| found.range()).filter(|r| !r.is_empty()));
                }
            }
            _ => {}
        }
    }
    merge(out)
}

fn words(shown: &str, text: &str, case_sensitive: bool, anchor: Anchor, out: &mut Vec<Range<usize>>) {
    for (start, _) in shown.char_indices() {
        let Some(length) = shown.get(start..).and_then(|rest| prefix_length(rest, text, case_sensitive))
        else {
            continue;
        };
        let range = start..start + length;
        let fits = match anchor {
            Anchor::Anywhere => true,
            Anchor::Start => range.start == 0,
            Anchor::End => range.end == shown.len(),
            Anchor::Whole => range.start == 0 && range.end == shown.len(),
        };
        if fits {
            out.push(range);
        }
    }
}

/// Returns how many bytes of `text` the pattern takes at its start. Lower-casing may change the number
/// of bytes of a letter, so that it is compared letter by letter.
fn prefix_length(text: &str, pattern: &str, case_sensitive: bool) -> Option<usize> {
    if case_sensitive {
        return (!pattern.is_empty() && text.starts_with(pattern)).then_some(pattern.len());
    }
    let mut wanted = pattern.chars().peekable();
    wanted.peek()?;
    for (at, c) in text.char_indices() {
        for lower in c.to_lowercase() {
            if wanted.next() != Some(lower) {
                return None;
            }
        }
        if wanted.peek().is_none() {
            return Some(at + c.len_utf8());
        }
    }
    None
}

fn fuzzy(shown: &str, text: &str, out: &mut Vec<Range<usize>>) {
    let mut matcher = nucleo_matcher::Matcher::new(nucleo_matcher::Config::DEFAULT);
    let pattern = super::query::fuzzy_pattern(text);
    let mut buffer = Vec::new();
    let mut indices = Vec::new();
    let haystack = nucleo_matcher::Utf32Str::new(shown, &mut buffer);
    if pattern.indices(haystack, &mut matcher, &mut indices).is_none() {
        return;
    }
    // the matcher counts graphemes where the text is not plain
    let starts: Vec<usize> = if shown.is_ascii() {
        (0..=shown.len()).collect()
    } else {
        use unicode_segmentation::UnicodeSegmentation;
        shown.grapheme_indices(true).map(|(at, _)| at).chain([shown.len()]).collect()
    };
    for index in indices {
        let index = index as usize;
        if let (Some(start), Some(end)) = (starts.get(index), starts.get(index + 1)) {
            out.push(*start..*end);
        }
    }
}

fn merge(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "one range is meant")]
    fn marks_what_matched() {
        let cases = [
            ("pay", "Payments pay", vec![0..3, 9..12]),
            ("Pay", "payments Pay", vec![9..12]),
            ("!pay", "pay", vec![]),
            ("^pay", "pay pay", vec![0..3]),
            ("pay$", "pay pay", vec![4..7]),
            ("aa", "aaaa", vec![0..4]),
            ("/p.y/", "a pay", vec![2..5]),
            ("owner:pay", "pay", vec![]),
            ("~pt", "payments", vec![0..1, 6..7]),
            ("ß", "Straße", vec![4..6]),
        ];
        for (filter, shown, expected) in cases {
            assert_eq!(Filter::parse(filter).unwrap().highlights(shown), expected, "{filter} in {shown}");
        }
    }
}
