//! What the first pass takes out, construct by construct.

use super::html;
use super::lines::{Line, fence, is_rule, marker};
use super::page::NoteKind;
use super::scan::{Container, RawFootnote, RawTab, Scanner, Title};
use std::borrow::Cow;

/// Whether a line may begin something that is taken out: a cheap look at its first bytes.
pub(super) fn begins(rest: &str) -> bool {
    const SIGNS: [&str; 10] = ["!!!", "???", "===", "///", ">", "<", "[", "{", "*[", "::"];
    SIGNS.iter().any(|sign| rest.starts_with(sign))
}

/// Takes what begins at the current line, moving the scanner behind it. `Some(None)` when nothing of it
/// is shown where it stands; `None` when nothing begins here.
#[expect(clippy::option_option, reason = "nothing here, nothing to show, something to show")]
pub(super) fn take<'a>(
    scanner: &mut Scanner<'a, '_>,
    indent: usize,
    rest: &'a str,
) -> Option<Option<Container<'a>>> {
    let nests = scanner.nests;
    match rest.as_bytes() {
        [b'!', b'!', b'!', ..] | [b'?', b'?', b'?', ..] if nests && !scanner.dialect.blocks => {
            admonition(scanner, indent, rest).map(Some)
        }
        [b'=', b'=', b'=', ..] if nests && !scanner.dialect.blocks => tabs(scanner, indent, rest).map(Some),
        [b'/', b'/', b'/', ..] if nests && scanner.dialect.blocks => {
            super::blocks::take(scanner, indent, rest).map(Some)
        }
        [b'>', b'>', b'>', ..] if nests && alert_head(rest.trim_start_matches('>')).is_some() => {
            fenced_alert(scanner, rest).map(Some).or_else(|| quote(scanner, indent).map(Some))
        }
        [b'>', ..] if nests => quote(scanner, indent).map(Some),
        [b'<', ..] if nests => element(scanner, indent, rest).map(Some),
        [b'[', b'^', ..] => footnote(scanner, indent, rest).then_some(None),
        [b'[', ..] => {
            if matches!(rest.trim_end(), "[TOC]" | "[toc]" | "[[_TOC_]]") {
                scanner.at += 1;
                return Some(Some(Container::Toc));
            }
            (indent < 4 && super::inline::reference(rest).is_some()).then(|| {
                // Gathered before; the last definition of a label wins
                scanner.at += 1;
                None
            })
        }
        [b'*', b'[', ..] => abbreviation(scanner, rest).then_some(None),
        [b':', b':', ..] => plantuml(scanner, rest).map(Some),
        [b'{', ..] => graphviz(scanner, rest).map(Some).or_else(|| attributes(scanner, rest).then_some(None)),
        _ => None,
    }
}

/// Whether the characters may name a kind: words of letters, digits, `_` and `-`.
fn is_kind(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// Splits `type extra "Title"` into the kind and the title.
fn head(rest: &str) -> Option<(Option<String>, Option<&str>)> {
    let rest = rest.trim_end();
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let (kinds, title) = match rest.find('"') {
        Some(at) => {
            let title = rest.get(at + 1..)?.strip_suffix('"')?;
            let kinds = rest.get(..at)?;
            if !kinds.is_empty() && !kinds.ends_with(' ') {
                return None;
            }
            (kinds, Some(title))
        }
        None => (rest, None),
    };
    let mut words = kinds.split(' ').filter(|word| !word.is_empty());
    let kind = words.next();
    if kind.is_some_and(|kind| !is_kind(kind)) || !words.all(is_kind) || (kind.is_none() && title.is_none()) {
        return None;
    }
    Some((kind.map(str::to_lowercase), title))
}

fn admonition<'a>(scanner: &mut Scanner<'a, '_>, indent: usize, rest: &'a str) -> Option<Container<'a>> {
    let folds = rest.starts_with('?');
    let after = rest.get(3..)?;
    let (open, after) = match after.strip_prefix('+').filter(|_| folds) {
        Some(after) => (true, after),
        None => (false, after),
    };
    let line = scanner.lines.get(scanner.at)?.number;
    let Some((kind, title)) = head(after).filter(|(kind, _)| folds || kind.is_some()) else {
        scanner.gathered.note(
            line,
            NoteKind::UnknownSyntax,
            format!("`{}` is no admonition: a kind and a quoted title are expected", shown(rest)),
        );
        return None;
    };
    let body = scanner.indented(indent + 4);
    if body.is_empty() {
        scanner.gathered.note(
            line,
            NoteKind::UnknownSyntax,
            "this admonition is empty: its content is indented by four columns",
        );
    }
    let title = match title {
        None => Title::Kind,
        Some(title) if title.trim().is_empty() => Title::None,
        Some(title) => Title::Text(Cow::Borrowed(title)),
    };
    let kind = kind.unwrap_or_else(|| "details".to_owned());
    Some(Container::Admonition { kind, title, fold: folds.then_some(open), body })
}

/// The start of a foreign line, short enough for a message.
fn shown(rest: &str) -> Cow<'_, str> {
    crate::model::text::cut(rest.trim(), 40)
}

/// Reads `=== "Title"` and its signs: (title, starts a new group, selected).
fn tab_head(rest: &str) -> Option<(&str, bool, bool)> {
    let after = rest.strip_prefix("===")?;
    let signs = after.bytes().take_while(|b| matches!(b, b'!' | b'+')).count();
    if signs > 2 {
        return None;
    }
    let (signs, after) = after.split_at_checked(signs)?;
    let title = after.strip_prefix(' ')?.trim().strip_prefix('"')?.strip_suffix('"')?;
    Some((title, signs.contains('!'), signs.contains('+')))
}

fn tabs<'a>(scanner: &mut Scanner<'a, '_>, indent: usize, rest: &'a str) -> Option<Container<'a>> {
    let (mut title, _, mut selected) = tab_head(rest)?;
    let mut tabs = Vec::new();
    loop {
        let line = scanner.lines.get(scanner.at).map_or(0, |line| line.number);
        let body = scanner.indented(indent + 4);
        tabs.push(RawTab { line, title, selected, body });
        let blank = scanner.lines.get(scanner.at..)?.iter().take_while(|line| line.is_blank()).count();
        let Some(next) = scanner.lines.get(scanner.at + blank) else { break };
        let (column, text) = next.measure();
        match tab_head(text) {
            Some((next, false, chosen)) if column == indent => {
                (title, selected) = (next, chosen);
                scanner.at += blank;
            }
            _ => break,
        }
    }
    Some(Container::Tabs(tabs))
}

/// Reads `[!NOTE] Title` (GitHub and GitLab): (kind of admonition, title).
fn alert_head(inner: &str) -> Option<(&'static str, &str)> {
    let (word, title) = inner.trim_start().strip_prefix("[!")?.split_once(']')?;
    let kind = match word.to_ascii_lowercase().as_str() {
        "note" => "note",
        "tip" => "tip",
        "important" => "warning",
        "warning" => "warning",
        "caution" => "danger",
        _ => return None,
    };
    Some((kind, title.trim()))
}

fn alert<'a>(head: &'a str, body: Vec<Line<'a>>) -> Option<Container<'a>> {
    let (kind, title) = alert_head(head)?;
    let word = head.trim_start().get(2..)?.split(']').next().unwrap_or("");
    let title = if title.is_empty() { Cow::Owned(capital(word)) } else { Cow::Borrowed(title) };
    Some(Container::Admonition { kind: kind.to_owned(), title: Title::Text(title), fold: None, body })
}

/// First letter upper, the rest lower case.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect())
        .unwrap_or_default()
}

/// `>>> [!tip]` to `>>>`.
fn fenced_alert<'a>(scanner: &mut Scanner<'a, '_>, rest: &'a str) -> Option<Container<'a>> {
    let lines = scanner.lines.get(scanner.at + 1..)?;
    let end = lines.iter().position(|line| line.text.trim() == ">>>")?;
    let body = lines.get(..end)?.to_vec();
    let container = alert(rest.trim_start_matches('>'), body)?;
    scanner.at += end + 2;
    Some(container)
}

/// Returns a line of a quotation without its sign.
fn unquoted<'a>(line: &Line<'a>) -> Option<Line<'a>> {
    let (indent, rest) = line.measure();
    let inner = rest.strip_prefix('>')?;
    (indent < 40).then(|| Line { text: inner.strip_prefix(' ').unwrap_or(inner), ..*line })
}

/// A quotation that holds something `CommonMark` does not know; others are left to it.
fn quote<'a>(scanner: &mut Scanner<'a, '_>, indent: usize) -> Option<Container<'a>> {
    let lines = scanner.lines.get(scanner.at..)?;
    let mut body = Vec::new();
    let mut special = false;
    for line in lines {
        match unquoted(line) {
            Some(inner) => {
                let (_, text) = inner.measure();
                special |= begins(text) && !text.starts_with(['>', '[', '<', '{'])
                    || text.starts_with("[!")
                    || text.starts_with("<details");
                body.push(inner);
            }
            // A line without the sign goes on with the paragraph before
            None if body.last().is_some_and(|last: &Line| !last.is_blank()) && is_running(line, indent) => {
                body.push(*line);
            }
            None => break,
        }
    }
    if !special {
        return None;
    }
    let taken = body.len();
    let first = body.first()?.text;
    let container = if alert_head(first).is_some() {
        let rest = body.split_off(1);
        alert(first, rest)?
    } else {
        let word = first
            .trim_start()
            .strip_prefix("[!")
            .and_then(|inner| inner.split_once(']'))
            .map(|(word, _)| word);
        if let (Some(word), Some(line)) = (word.filter(|word| is_kind(word)), lines.first()) {
            scanner.gathered.note(
                line.number,
                NoteKind::UnknownSyntax,
                format!("`[!{}]` is no kind of alert", shown(word)),
            );
        }
        Container::Quote(body)
    };
    scanner.at += taken;
    Some(container)
}

/// Whether a line can only be the continuation of a paragraph.
fn is_running(line: &Line<'_>, indent: usize) -> bool {
    let (column, rest) = line.measure();
    !rest.is_empty()
        && column <= indent + 3
        && marker(rest).is_none()
        && fence(rest).is_none()
        && !is_rule(rest)
        && !rest.starts_with(['#', '<', '|', '!', '?', '='])
}

/// `[^label]: text` and its indented lines.
fn footnote<'a>(scanner: &mut Scanner<'a, '_>, indent: usize, rest: &'a str) -> bool {
    let Some((label, text)) = rest.strip_prefix("[^").and_then(|inner| inner.split_once("]:")) else {
        return false;
    };
    if label.is_empty() || label.contains([']', '[', '\n']) || indent > 3 && scanner.nests {
        return false;
    }
    let Some(line) = scanner.lines.get(scanner.at).copied() else { return false };
    let start = scanner.at;
    // The web site asks for four columns, wherever the definition itself stands
    let by = if indent < 4 { 4 } else { indent + 4 };
    // Lines right below go on with it, indented or not; after a blank line only indented ones
    let mut body = vec![Line { text: text.trim_start(), ..line }];
    let mut end = start + 1;
    while let Some(next) = scanner.lines.get(end) {
        let (column, inner) = next.measure();
        if inner.is_empty() || (column < by && (inner.starts_with("[^") || !is_running(next, indent))) {
            break;
        }
        body.push(next.dedent(by));
        end += 1;
    }
    scanner.at = end - 1;
    let more = scanner.indented(by);
    body.extend(more);
    if scanner.gathered.footnotes.iter().any(|note| note.label == label) {
        scanner.gathered.note(
            line.number,
            NoteKind::Footnote,
            format!("footnote `{label}` is defined more than once"),
        );
    }
    scanner.gathered.footnotes.push(RawFootnote { line: line.number, label, body });
    true
}

/// `*[HTML]: Hyper Text`
fn abbreviation(scanner: &mut Scanner<'_, '_>, rest: &str) -> bool {
    let Some((word, meaning)) = rest.strip_prefix("*[").and_then(|inner| inner.split_once("]:")) else {
        return false;
    };
    if word.is_empty() || word.contains(['[', ']']) {
        return false;
    }
    if scanner.gathered.abbreviations.len() < 1_000 {
        scanner.gathered.abbreviations.push((word.to_owned(), meaning.trim().to_owned()));
    }
    scanner.at += 1;
    true
}

/// `::uml:: options` to `::end-uml::`.
fn plantuml<'a>(scanner: &mut Scanner<'a, '_>, rest: &'a str) -> Option<Container<'a>> {
    let options = rest.strip_prefix("::uml::")?;
    let lines = scanner.lines.get(scanner.at + 1..)?;
    let end = lines.iter().position(|line| line.text.trim() == "::end-uml::")?;
    let source = join(lines.get(..end)?);
    scanner.at += end + 2;
    let title = super::attributes::parse(options).value("title").map(str::to_owned);
    Some(Container::Diagram { language: "plantuml", title, source })
}

/// `{% dot picture.svg` to `%}`.
fn graphviz<'a>(scanner: &mut Scanner<'a, '_>, rest: &'a str) -> Option<Container<'a>> {
    let mut words = rest.strip_prefix("{%")?.split_whitespace();
    if !matches!(words.next()?, "dot" | "neato" | "fdp" | "sfdp" | "twopi" | "circo") {
        return None;
    }
    let title = words.next().map(str::to_owned);
    let lines = scanner.lines.get(scanner.at + 1..)?;
    let end = lines.iter().position(|line| line.text.trim() == "%}")?;
    let source = join(lines.get(..end)?);
    scanner.at += end + 2;
    Some(Container::Diagram { language: "graphviz", title, source })
}

fn join(lines: &[Line<'_>]) -> String {
    lines.iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
}

/// A line of nothing but `{: #id .class }` belongs to the block before.
fn attributes(scanner: &mut Scanner<'_, '_>, rest: &str) -> bool {
    let Some(inner) = rest.trim_end().strip_prefix('{').and_then(|inner| inner.strip_suffix('}')) else {
        return false;
    };
    let colon = inner.starts_with(':');
    if !super::attributes::is_list(inner) && !colon || inner.contains(['{', '}']) {
        return false;
    }
    let Some(line) = scanner.lines.get(scanner.at) else { return false };
    if let Some(id) = super::attributes::parse(inner.trim_start_matches(':')).id {
        scanner.gathered.anchors.push((line.number, id.to_owned()));
    }
    scanner.at += 1;
    true
}

/// An element of HTML that holds Markdown, one that folds, a table.
fn element<'a>(scanner: &mut Scanner<'a, '_>, indent: usize, rest: &'a str) -> Option<Container<'a>> {
    let tag = html::tag(rest)?;
    let name = tag.name.to_ascii_lowercase();
    let markdown = tag.attribute("markdown").is_some_and(|value| value != "0");
    let is_details = name == "details";
    let is_table = name == "table";
    if tag.closes || tag.empty || !(markdown && html::is_block(&name) || is_details || is_table) {
        return None;
    }
    let line = scanner.lines.get(scanner.at)?.number;
    let lines = scanner.lines.get(scanner.at..)?;
    let mut depth = 0usize;
    let mut end = None;
    'lines: for (n, line) in lines.iter().enumerate() {
        for (at, closes) in html::mentions(line.text, &name) {
            depth = if closes { depth.saturating_sub(1) } else { depth + 1 };
            if closes && depth == 0 {
                end = Some((n, at));
                break 'lines;
            }
        }
    }
    let Some((last, close_at)) = end else {
        scanner.gathered.note(line, NoteKind::Unclosed, format!("`<{name}>` is never closed"));
        return None;
    };
    let mut body: Vec<Line<'a>> = lines.get(..=last)?.to_vec();
    if let Some(line) = body.last_mut() {
        line.text = line.text.get(..close_at)?;
    }
    let behind = lines.get(last)?.text.get(close_at..)?.split_once('>').map_or("", |(_, behind)| behind);
    if !behind.trim().is_empty() {
        // Something follows on the line of the closing tag: rare, and left to CommonMark
        return None;
    }
    if let Some(id) = tag.attribute("id") {
        scanner.gathered.anchors.push((line, id.to_owned()));
    }
    let open = tag.attribute("open").is_some();
    if let Some(first) = body.first_mut() {
        let lead = first.text.len() - rest.len().min(first.text.len());
        first.text = first.text.get(lead + tag.length..).unwrap_or("");
    }
    scanner.at += last + 1;
    if is_table {
        return Some(Container::Html(body));
    }
    let mut body: Vec<Line<'a>> = body.iter().map(|line| line.dedent(indent)).collect();
    if is_details {
        let title = summary(&mut body);
        return Some(Container::Admonition { kind: "details".to_owned(), title, fold: Some(open), body });
    }
    Some(Container::Group(body))
}

/// Takes the summary out of the lines of an element that folds.
fn summary<'a>(body: &mut Vec<Line<'a>>) -> Title<'a> {
    let Some(start) = body.iter().position(|line| !line.is_blank()) else { return Title::Kind };
    let Some(first) = body.get(start).copied() else { return Title::Kind };
    let text = first.text.trim_start();
    let Some(tag) = html::tag(text).filter(|tag| tag.name.eq_ignore_ascii_case("summary") && !tag.closes)
    else {
        return Title::Kind;
    };
    let mut title = String::new();
    for n in start..body.len().min(start + 20) {
        let Some(line) = body.get(n).copied() else { break };
        let text = if n == start { text.get(tag.length..).unwrap_or("") } else { line.text };
        if let Some((at, _)) = html::mentions(text, "summary").into_iter().find(|(_, closes)| *closes) {
            title.push_str(text.get(..at).unwrap_or(""));
            let behind =
                text.get(at..).and_then(|behind| behind.split_once('>')).map_or("", |(_, behind)| behind);
            body.drain(..n);
            if let Some(line) = body.first_mut() {
                line.text = behind.trim_start();
            }
            let title = title.trim();
            return if title.is_empty() { Title::Kind } else { Title::Text(Cow::Owned(title.to_owned())) };
        }
        title.push_str(text);
        title.push(' ');
    }
    Title::Kind
}
