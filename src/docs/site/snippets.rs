//! Snippets: `--8<-- "file.md"` lines that pull other files, or parts of them, into a page.
//!
//! Start at [`expand`]. It runs before the page is parsed, inside code blocks too, as the snippets extension
//! of pymdownx does. Paths start at the folder of `mkdocs.yml` and never lead out of it; addresses are not
//! fetched. A file that is missing leaves nothing, and is told. Everything is bounded: depth, number, size.

use super::text::{LineMap, Piece};
use fancy_regex::Regex;
use std::sync::{Arc, LazyLock};

/// Files that pull in files that pull in files.
const MAX_DEPTH: usize = 16;
/// Snippets of one page, all levels together.
const MAX_SNIPPETS: usize = 2000;
/// Largest page with everything pulled in, in bytes.
const MAX_TEXT: usize = 32 * 1024 * 1024;

/// Reads a file by what stands in the quotes; gives its text and how people know it.
pub(super) type Read<'a> = dyn Fn(&str) -> Result<(String, Arc<str>), String> + 'a;

/// Something wrong with a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// File it stands in, as people know it.
    pub file: Arc<str>,
    /// 1-based line in that file.
    pub line: u32,
    /// 1-based column of the path.
    pub column: u32,
    /// What is wrong, in words.
    pub message: String,
}

/// A page with its snippets filled in.
#[derive(Debug, Clone, Default)]
pub(super) struct Expanded {
    /// The text.
    pub text: String,
    /// Where each line comes from.
    pub map: LineMap,
    /// What is wrong.
    pub mistakes: Vec<Mistake>,
}

#[expect(clippy::expect_used, reason = "the pattern is a constant that the tests compile")]
static MARKER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^([ \t]*)(;*)(-+8<-+)(?:[ \t]+("[^"\r\n]+"|'[^'\r\n]+'))?[ \t]*$"#).expect("constant")
});
#[expect(clippy::expect_used, reason = "the pattern is a constant that the tests compile")]
static SECTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(;*)-+8<-+[ \t]+\[[ \t]*(start|end)[ \t]*:[ \t]*([a-z][-_0-9a-z]*)[ \t]*\]")
        .expect("constant")
});

/// Fills in the snippets of a text.
pub(super) fn expand(text: String, file: &Arc<str>, read: &Read<'_>) -> Expanded {
    if !text.contains("8<-") {
        return Expanded { map: LineMap::of_one(file.clone()), text, mistakes: Vec::new() };
    }
    let mut work = Work { read, out: Expanded::default(), pieces: Vec::new(), left: MAX_SNIPPETS };
    let lines: Vec<(u32, &str)> = (1..).zip(text.lines()).collect();
    work.lines(&lines, file, "", &mut vec![file.clone()]);
    if !text.ends_with('\n') && work.out.text.ends_with('\n') {
        work.out.text.pop();
    }
    work.out.map = LineMap::of_pieces(work.pieces);
    work.out
}

struct Work<'a> {
    read: &'a Read<'a>,
    out: Expanded,
    pieces: Vec<Piece>,
    left: usize,
}

impl Work<'_> {
    fn lines(&mut self, lines: &[(u32, &str)], file: &Arc<str>, indent: &str, open: &mut Vec<Arc<str>>) {
        let mut at = 0;
        while let Some((number, line)) = lines.get(at).copied() {
            at += 1;
            let Some(marker) = marker(line) else {
                if !is_section_mark(line) {
                    self.push(line, file, number, indent);
                }
                continue;
            };
            if marker.is_escaped {
                // one `;` protects the line and goes
                self.push(&line.replacen(';', "", 1), file, number, indent);
                continue;
            }
            let indent = format!("{indent}{}", marker.indent);
            if let Some((path, column)) = marker.path {
                self.pull(path, file, (number, column), &indent, open);
                continue;
            }
            // a block: one path a line until the next marker
            while let Some((number, line)) = lines.get(at).copied() {
                at += 1;
                if self::marker(line).is_some_and(|marker| marker.path.is_none() && !marker.is_escaped) {
                    break;
                }
                let path = line.trim();
                if path.is_empty() || path.starts_with(';') {
                    continue;
                }
                let column = (line.len() - line.trim_start().len()) as u32 + 1;
                self.pull(path, file, (number, column), &indent, open);
            }
        }
    }

    fn push(&mut self, line: &str, file: &Arc<str>, number: u32, indent: &str) {
        if self.out.text.len() + line.len() + indent.len() > MAX_TEXT {
            return;
        }
        if !line.trim().is_empty() {
            self.out.text.push_str(indent);
        }
        self.out.text.push_str(line);
        self.out.text.push('\n');
        let indent = if line.trim().is_empty() { 0 } else { indent.chars().count() as u32 };
        Piece::add(&mut self.pieces, file, number, indent);
    }

    fn pull(
        &mut self,
        written: &str,
        file: &Arc<str>,
        at: (u32, u32),
        indent: &str,
        open: &mut Vec<Arc<str>>,
    ) {
        let wrong = |out: &mut Expanded, message: String| {
            out.mistakes.push(Mistake { file: file.clone(), line: at.0, column: at.1, message });
        };
        if self.left == 0 || open.len() > MAX_DEPTH {
            let message =
                format!("the snippet `{written}` is left out: there are too many, or too deep ones");
            return wrong(&mut self.out, message);
        }
        self.left -= 1;
        if written.contains("://") {
            return wrong(&mut self.out, format!("the snippet `{written}` is an address; it is not fetched"));
        }
        let (path, part) = split_part(written);
        let (text, name) = match (self.read)(path) {
            Ok(found) => found,
            Err(why) => return wrong(&mut self.out, format!("the snippet `{path}` is left out: {why}")),
        };
        if open.contains(&name) {
            return wrong(&mut self.out, format!("the snippet `{path}` pulls itself in"));
        }
        let lines = part.of(&text);
        if lines.is_empty() && !text.trim().is_empty() {
            let what = match &part {
                Part::Section(section) => format!("the file `{path}` has no section `{section}`"),
                _ => format!("the file `{path}` has no such lines"),
            };
            return wrong(&mut self.out, what);
        }
        open.push(name.clone());
        self.lines(&lines, &name, indent, open);
        open.pop();
    }
}

struct Marker<'l> {
    indent: &'l str,
    is_escaped: bool,
    /// What is quoted, and its 1-based column.
    path: Option<(&'l str, u32)>,
}

fn marker(line: &str) -> Option<Marker<'_>> {
    // nearly all lines have none
    if !line.contains("8<-") {
        return None;
    }
    let found = MARKER.captures(line.trim_end_matches('\r')).ok()??;
    let group = |at: usize| found.get(at).map(|group| group.as_str());
    let path = found.get(4).map(|quoted| {
        let text = quoted.as_str();
        let inner = text.get(1..text.len() - 1).unwrap_or("");
        (inner.trim(), line.get(..quoted.start()).unwrap_or("").chars().count() as u32 + 2)
    });
    Some(Marker { indent: group(1)?, is_escaped: !group(2)?.is_empty(), path })
}

fn section_mark(line: &str) -> Option<(bool, String)> {
    if !line.contains("8<-") {
        return None;
    }
    let found = SECTION.captures(line).ok()??;
    let group = |at: usize| found.get(at).map_or("", |group| group.as_str());
    group(1).is_empty().then(|| (group(2).eq_ignore_ascii_case("start"), group(3).to_lowercase()))
}

fn is_section_mark(line: &str) -> bool {
    section_mark(line).is_some()
}

/// A part of a file.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    /// First and last line, 1-based, negative from the end; absent: open.
    Lines(Vec<(Option<i64>, Option<i64>)>),
    Section(String),
}

/// Splits `file.md:2:5` and `file.md:name`.
fn split_part(written: &str) -> (&str, Part) {
    let Some(colon) = written.find(':').filter(|at| *at > 0) else { return (written, Part::Whole) };
    let (path, rest) = written.split_at(colon);
    let rest = rest.get(1..).unwrap_or("");
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.parse::<i64>().ok().map(Some) };
    let range = |text: &str| match text.split_once(':') {
        Some((first, last)) => Some((number(first)?, number(last)?)),
        None => Some((number(text)?, None)),
    };
    let ranges: Option<Vec<_>> = rest.split(',').map(|part| range(part.trim())).collect();
    match ranges {
        Some(ranges) if !rest.is_empty() => (path, Part::Lines(ranges)),
        _ if rest.is_empty() => (path, Part::Whole),
        _ => (path, Part::Section(rest.to_lowercase())),
    }
}

impl Part {
    /// Returns the lines meant, with their numbers.
    fn of<'t>(&self, text: &'t str) -> Vec<(u32, &'t str)> {
        let all: Vec<(u32, &str)> = (1..).zip(text.lines()).collect();
        match self {
            Self::Whole => all,
            Self::Lines(ranges) => {
                let count = all.len() as i64;
                // `-1` is the last line
                let place = |line: i64| if line < 0 { (count + 1 + line).max(1) } else { line.max(1) };
                let pick = |(first, last): &(Option<i64>, Option<i64>)| {
                    let (first, last) = (first.map_or(1, place), last.map_or(count, place));
                    let skip = usize::try_from(first - 1).unwrap_or(0);
                    let take = usize::try_from(last - first + 1).unwrap_or(0);
                    all.iter().skip(skip).take(take).copied().collect::<Vec<_>>()
                };
                ranges.iter().flat_map(pick).collect()
            }
            Self::Section(name) => {
                let mut out = Vec::new();
                let mut is_inside = false;
                for (number, line) in all {
                    match section_mark(line) {
                        Some((is_start, found)) if found == *name => is_inside = is_start,
                        _ if is_inside => out.push((number, line)),
                        _ => {}
                    }
                }
                out
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, files: &[(&str, &str)]) -> Expanded {
        let read = |path: &str| {
            let found = files.iter().find(|(name, _)| *name == path);
            found
                .map(|(name, text)| ((*text).to_owned(), Arc::from(*name)))
                .ok_or_else(|| "there is no such file".to_owned())
        };
        expand(text.to_owned(), &"page.md".into(), &read)
    }

    #[test]
    fn pulls_in_files_parts_and_sections() {
        let code = "one\ntwo\n# --8<-- [start:mid]\nthree\n# --8<-- [end:mid]\nfour\n";
        let files = [("a.md", code), ("b.md", "before\n--8<-- \"a.md:1:1\"\nafter")];
        for (text, expected) in [
            ("x\n--8<-- \"a.md:2:2\"\ny\n", "x\ntwo\ny\n"),
            ("--8<-- 'a.md:mid'", "three"),
            ("---8<--- \"a.md:mid\"\n", "three\n"),
            ("--8<-- \"a.md\"\n", "one\ntwo\nthree\nfour\n"),
            ("--8<-- \"a.md::2\"\n", "one\ntwo\n"),
            ("--8<-- \"a.md:6\"\n", "four\n"),
            ("--8<-- \"a.md:1:1,6:6\"\n", "one\nfour\n"),
            ("--8<-- \"a.md:-1:-1\"\n", "four\n"),
            ("  --8<-- \"b.md\"\n", "  before\n  one\n  after\n"),
            ("--8<--\na.md:1:1\n; no.md\n\nb.md:1:1\n--8<--\nend\n", "one\nbefore\nend\n"),
            (";--8<-- \"a.md\"\n", "--8<-- \"a.md\"\n"),
            ("text --8<-- \"a.md\"\n", "text --8<-- \"a.md\"\n"),
            ("```\n--8<-- \"a.md:1:1\"\n```\n", "```\none\n```\n"),
        ] {
            let found = expanded(text, &files);
            assert_eq!(found.text, expected, "{text:?}");
            assert_eq!(found.mistakes, [], "{text:?}");
        }
    }

    #[test]
    fn lines_know_where_they_come_from() {
        let found = expanded("x\n  --8<-- \"a.md\"\ny\n", &[("a.md", "one\ntwo\n")]);
        let places: Vec<_> = (1..=4).map(|line| found.map.place(line, 5)).collect();
        let place = |file: &str, line, column| (Arc::from(file), line, column);
        assert_eq!(
            places,
            [place("page.md", 1, 5), place("a.md", 1, 3), place("a.md", 2, 3), place("page.md", 3, 5)]
        );
    }

    #[test]
    fn what_cannot_be_pulled_in_is_told() {
        let files = [("loop.md", "a\n--8<-- \"loop.md\"\n"), ("a.md", "a")];
        for (text, expected, message) in [
            ("--8<-- \"no.md\"\n", "", "is left out: there is no such file"),
            ("--8<-- \"loop.md\"\n", "a\n", "pulls itself in"),
            ("--8<-- \"https://x.example/a\"\n", "", "is not fetched"),
            ("--8<-- \"a.md:nope\"\n", "", "has no section `nope`"),
            ("--8<-- \"a.md:7:9\"\n", "", "has no such lines"),
        ] {
            let found = expanded(text, &files);
            assert_eq!(found.text, expected, "{text:?}");
            assert_eq!(found.mistakes.len(), 1, "{text:?}");
            assert!(found.mistakes[0].message.contains(message), "{:?}", found.mistakes);
        }
    }
}
