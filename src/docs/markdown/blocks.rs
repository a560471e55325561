//! `/// note | Title` … `///`: the other spelling of admonitions, details and tabs.

use super::lines::Line;
use super::page::NoteKind;
use super::scan::{Container, RawTab, Scanner, Title};
use std::borrow::Cow;

/// The kinds that are admonitions.
const KINDS: [&str; 14] = [
    "note", "abstract", "info", "tip", "success", "question", "warning", "failure", "danger", "bug",
    "example", "quote", "new", "settings",
];

/// A block with its options read.
struct Raw<'a> {
    line: u32,
    title: &'a str,
    open: bool,
    new: bool,
    select: bool,
    kind: Option<&'a str>,
    body: Vec<Line<'a>>,
}

/// Reads `/// name | title`: (slashes, name, title).
fn head(rest: &str) -> Option<(usize, &str, &str)> {
    let slashes = rest.bytes().take_while(|b| *b == b'/').count();
    let text = rest.get(slashes..)?.trim();
    if slashes < 3 || text.is_empty() {
        return None;
    }
    let (name, title) = text.split_once('|').unwrap_or((text, ""));
    let name = name.trim();
    let is_name = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    is_name.then_some((slashes, name, title.trim()))
}

/// Takes a block; tabs that follow each other become one container.
pub(super) fn take<'a>(scanner: &mut Scanner<'a, '_>, indent: usize, rest: &'a str) -> Option<Container<'a>> {
    let (_, name, _) = head(rest)?;
    let is_details =
        name == "details" || name.strip_prefix("details-").is_some_and(|kind| KINDS.contains(&kind));
    if !(is_details
        || matches!(
            name,
            "tab" | "admonition" | "html" | "define" | "caption" | "figure-caption" | "table-caption"
        )
        || KINDS.contains(&name))
    {
        let line = scanner.lines.get(scanner.at)?.number;
        scanner.gathered.note(line, NoteKind::UnknownSyntax, format!("`/// {name}` is no kind of block"));
        return None;
    }
    let first = one(scanner, indent)?;
    if name != "tab" {
        let title = match first.title {
            "" => Title::Kind,
            title => Title::Text(Cow::Borrowed(title)),
        };
        if matches!(name, "html" | "define" | "caption" | "figure-caption" | "table-caption") {
            return Some(Container::Group(first.body));
        }
        let word = name.strip_prefix("details-").or(first.kind).unwrap_or(if name == "admonition" {
            "note"
        } else {
            name
        });
        return Some(Container::Admonition {
            kind: word.to_lowercase(),
            title,
            fold: is_details.then_some(first.open),
            body: first.body,
        });
    }
    let mut tabs = vec![tab(first)];
    loop {
        let blank = scanner.lines.get(scanner.at..)?.iter().take_while(|line| line.is_blank()).count();
        let Some(next) = scanner.lines.get(scanner.at + blank) else { break };
        let (column, text) = next.measure();
        if column != indent || head(text).is_none_or(|(_, name, _)| name != "tab") {
            break;
        }
        let before = scanner.at;
        scanner.at += blank;
        match one(scanner, indent) {
            Some(raw) if !raw.new => tabs.push(tab(raw)),
            _ => {
                scanner.at = before;
                break;
            }
        }
    }
    Some(Container::Tabs(tabs))
}

fn tab(raw: Raw<'_>) -> RawTab<'_> {
    RawTab { line: raw.line, title: raw.title, selected: raw.select, body: raw.body }
}

/// Reads the block at the current line to its end.
fn one<'a>(scanner: &mut Scanner<'a, '_>, indent: usize) -> Option<Raw<'a>> {
    let line = scanner.lines.get(scanner.at)?;
    let (slashes, name, title) = head(line.measure().1)?;
    let rest = scanner.lines.get(scanner.at + 1..)?;
    // A block inside has its own end, with the same or another number of slashes
    let mut depth = 0usize;
    let mut fence = None;
    let mut end = None;
    for (n, line) in rest.iter().enumerate() {
        let text = line.measure().1;
        match (fence, super::lines::fence(text)) {
            (None, Some(open)) => fence = Some(open),
            (Some(open), _) if open.closes(text) => fence = None,
            (None, None) if text.starts_with("///") => {
                let count = text.bytes().take_while(|b| *b == b'/').count();
                if head(text).is_some() {
                    depth += usize::from(count == slashes);
                } else if count == slashes && text.trim_end().len() == count {
                    if depth == 0 {
                        end = Some(n);
                        break;
                    }
                    depth -= 1;
                }
            }
            _ => {}
        }
    }
    let number = line.number;
    let end = end.unwrap_or_else(|| {
        scanner.gathered.note(number, NoteKind::Unclosed, format!("`/// {name}` is never closed"));
        rest.len()
    });
    let body: Vec<Line<'a>> = rest.get(..end)?.iter().map(|line| line.dedent(indent)).collect();
    let mut raw =
        Raw { line: number, title, open: false, new: false, select: false, kind: None, body: Vec::new() };
    let mut options = 0;
    for line in &body {
        let (column, text) = line.measure();
        let Some((key, value)) = text.split_once(':').filter(|_| column >= 4) else { break };
        let yes = value.trim() == "true";
        match key.trim() {
            "open" => raw.open = yes,
            "new" => raw.new = yes,
            "select" => raw.select = yes,
            "type" => raw.kind = Some(value.trim()),
            "attrs" => {}
            _ => break,
        }
        options += 1;
    }
    raw.body = body.get(options..)?.to_vec();
    scanner.at = (scanner.at + end + 2).min(scanner.lines.len());
    Some(raw)
}
