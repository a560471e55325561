//! `Term` and `:   definition`: taken out in the first pass.

use super::lines::{Line, fence, is_rule, marker};
use super::scan::{Container, Scanner};

/// Terms and what they mean, as written.
#[derive(Debug, Default)]
pub(super) struct RawDefinition<'a> {
    pub terms: Vec<Line<'a>>,
    pub meanings: Vec<Vec<Line<'a>>>,
}

/// More lines than this are a paragraph and no terms.
const MOST_TERMS: usize = 12;

/// Returns the text of a definition: behind a colon and white space.
fn definition(text: &str) -> Option<&str> {
    let inner = text.strip_prefix(':')?;
    inner.starts_with([' ', '\t']).then(|| inner.trim_start()).filter(|inner| !inner.is_empty())
}

/// Whether any line may be a definition: a page without one is not looked at twice.
pub(super) fn any(lines: &[Line<'_>]) -> bool {
    lines.iter().any(|line| definition(line.measure().1).is_some())
}

/// Whether a line may be a term.
fn is_term(line: &Line<'_>, indent: usize) -> bool {
    let (column, text) = line.measure();
    column < indent + 4
        && column >= indent
        && marker(text).is_none()
        && fence(text).is_none()
        && !is_rule(text)
        && !text.starts_with(['#', '>', '|', '<'])
        && !super::containers::begins(text)
}

/// Takes a list of definitions that begins at the current line with a term, or with a definition.
pub(super) fn take<'a>(scanner: &mut Scanner<'a, '_>, indent: usize, rest: &str) -> Option<Container<'a>> {
    let mut all: Vec<RawDefinition<'a>> = Vec::new();
    let mut at = scanner.at;
    // A definition without a term belongs to something that is not shown (a comment)
    let alone = definition(rest).is_some();
    if alone && !rest.starts_with(":   ") {
        return None;
    }
    loop {
        let mut one = RawDefinition::default();
        let mut next = at;
        while let Some(line) = scanner.lines.get(next) {
            let (_, text) = line.measure();
            if text.is_empty() || definition(text).is_some() {
                break;
            }
            if !is_term(line, indent) || one.terms.len() >= MOST_TERMS {
                return finish(scanner, at, all);
            }
            one.terms.push(Line { text, ..*line });
            next += 1;
        }
        if one.terms.is_empty() && !(alone && all.is_empty()) {
            return finish(scanner, at, all);
        }
        if scanner.lines.get(next).is_some_and(Line::is_blank) {
            next += 1;
        }
        while let Some((line, column, text)) =
            scanner.lines.get(next).map(|line| (line, line.measure().0, line.measure().1))
        {
            let Some(content) = definition(text).filter(|_| column >= indent && column < indent + 4) else {
                break;
            };
            let (body, end) = meaning(scanner, next, indent, Line { text: content, ..*line });
            one.meanings.push(body);
            next = end;
            let blank =
                scanner.lines.get(next..).unwrap_or(&[]).iter().take_while(|line| line.is_blank()).count();
            let again =
                scanner.lines.get(next + blank).is_some_and(|line| definition(line.measure().1).is_some());
            if again {
                next += blank;
            }
        }
        if one.meanings.is_empty() {
            return finish(scanner, at, all);
        }
        all.push(one);
        at = next;
        let blank =
            scanner.lines.get(next..).unwrap_or(&[]).iter().take_while(|line| line.is_blank()).count();
        if blank > 0 && scanner.lines.get(next + blank).is_some_and(|line| is_term(line, indent)) {
            // Another term follows, or a paragraph: the next turn knows
            let before = all.len();
            let mut probe = next + blank;
            while scanner
                .lines
                .get(probe)
                .is_some_and(|line| !line.is_blank() && definition(line.measure().1).is_none())
            {
                probe += 1;
                if probe > next + blank + MOST_TERMS {
                    break;
                }
            }
            if scanner.lines.get(probe).is_some_and(Line::is_blank) {
                probe += 1;
            }
            if before > 0
                && scanner.lines.get(probe).is_some_and(|line| definition(line.measure().1).is_some())
            {
                at = next + blank;
                continue;
            }
        }
        return finish(scanner, at, all);
    }
}

fn finish<'a>(
    scanner: &mut Scanner<'a, '_>,
    at: usize,
    all: Vec<RawDefinition<'a>>,
) -> Option<Container<'a>> {
    if all.is_empty() {
        return None;
    }
    scanner.at = at;
    Some(Container::Definitions(all))
}

/// Reads the lines of a definition; returns them and the line behind.
fn meaning<'a>(
    scanner: &Scanner<'a, '_>,
    start: usize,
    indent: usize,
    first: Line<'a>,
) -> (Vec<Line<'a>>, usize) {
    let mut body = vec![first];
    let mut end = start + 1;
    let mut after_blank = false;
    for (n, line) in scanner.lines.iter().enumerate().skip(start + 1) {
        let (column, text) = line.measure();
        if text.is_empty() {
            after_blank = true;
            body.push(Line { text: "", ..*line });
            continue;
        }
        if column >= indent + 4 {
            body.push(line.dedent(indent + 4));
        } else if !after_blank && definition(text).is_none() && is_term(line, 0) {
            body.push(Line { text, ..*line });
        } else {
            break;
        }
        after_blank = false;
        end = n + 1;
    }
    body.truncate(end - start);
    (body, end)
}
