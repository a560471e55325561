//! Words to lines, by termimad.
//!
//! termimad knows four styles and no links. So a text goes through its wrapping as one plain compound,
//! and comes back as slices of that text; where a slice begins tells which bytes are on which line, and
//! the looks are put on by these bytes. A text without breaks by style also keeps `**a**,` together.

use crate::model::text::{prefix, width};
use std::ops::Range;
use std::sync::LazyLock;
use termimad::minimad::Compound;
use termimad::{FmtComposite, MadSkin};

static SKIN: LazyLock<MadSkin> = LazyLock::new(MadSkin::no_style);

/// Longer texts are wrapped in parts, so that one endless line needs no memory of its own.
const PART: usize = 8 * 1024;

/// Returns the bytes of each line of a text without newlines. White space at breaks is left out.
pub(super) fn wrap(text: &str, cells: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let rest = text.get(from..).unwrap_or("");
        if rest.len() <= PART {
            part(rest, from, cells, &mut lines);
            break;
        }
        let near = rest.char_indices().map(|(at, _)| at).take_while(|at| *at <= PART).last().unwrap_or(0);
        let end = rest.get(..near).and_then(|part| part.rfind(' ')).filter(|at| *at > 0).unwrap_or(near);
        let before = lines.len();
        part(rest.get(..end).unwrap_or(""), from, cells, &mut lines);
        // The last line of a part goes on in the next one
        let next = if lines.len() > before + 1 {
            lines.pop().map_or(from + end, |line| line.start)
        } else {
            from + end
        };
        from = next.max(from + 1);
    }
    lines
}

fn part(text: &str, offset: usize, cells: usize, lines: &mut Vec<Range<usize>>) {
    let cells = cells.max(3);
    if width(text) <= cells {
        push(text, 0..text.len(), offset, cells, lines);
        return;
    }
    let composite = FmtComposite::from_compound(Compound::raw_str(text));
    match termimad::wrap::hard_wrap_composite(&composite, cells, &SKIN) {
        Ok(wrapped) => {
            let base = text.as_ptr() as usize;
            for line in wrapped {
                let at = |slice: &str| (slice.as_ptr() as usize).saturating_sub(base);
                let (Some(first), Some(last)) = (line.compounds.first(), line.compounds.last()) else {
                    continue;
                };
                push(text, at(first.src)..at(last.src) + last.src.len(), offset, cells, lines);
            }
        }
        Err(_) => push(text, 0..text.len(), offset, cells, lines),
    }
}

/// Adds a line without the white space around it; cuts where both measure differently.
fn push(text: &str, range: Range<usize>, offset: usize, cells: usize, lines: &mut Vec<Range<usize>>) {
    let line = text.get(range.clone()).unwrap_or("");
    let start = range.start + (line.len() - line.trim_start().len());
    let mut line = line.trim();
    let mut start = start;
    if line.is_empty() {
        return;
    }
    while width(line) > cells {
        let head = prefix(line, cells);
        let length = if head.is_empty() { line.chars().next().map_or(1, char::len_utf8) } else { head.len() };
        lines.push(offset + start..offset + start + length);
        start += length;
        line = line.get(length..).unwrap_or("");
    }
    if !line.is_empty() {
        lines.push(offset + start..offset + start + line.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, cells: usize) -> Vec<&str> {
        wrap(text, cells).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn breaks_between_words() {
        assert_eq!(lines("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(lines("a verylongwordindeed b", 8), ["a", "verylong", "wordinde", "ed b"]);
        assert_eq!(lines("", 9), Vec::<&str>::new());
        assert_eq!(lines("名前 名前名前", 5), ["名前", "名前", "名前"]);
    }

    #[test]
    fn an_endless_line_is_wrapped_in_parts() {
        let text = "word ".repeat(20_000);
        let wrapped = lines(&text, 50);
        assert!(wrapped.iter().all(|line| line.len() <= 50));
        assert_eq!(wrapped.iter().map(|line| line.split(' ').count()).sum::<usize>(), 20_000);
        assert!(wrapped[..1_900].iter().all(|line| line.len() == 49), "no short line where parts meet");
        let solid = "x".repeat(100_000);
        assert_eq!(lines(&solid, 50).concat(), solid);
    }
}
