//! Finds the mistake behind a syntax error: what people do wrong, told by the look of the lines.
//!
//! The event parser says what it did not find; [`explain`] looks at the line it stopped at and the line
//! before, and names the mistake that real files have at such a place.

use super::explain::Context;
use super::node::Position;
use crate::diagnostic::Diagnostic;
use saphyr_parser::ScanError;

/// Longest part of a text that is repeated in a hint, in characters.
const SHOWN: usize = 60;

/// A line taken apart as far as its look tells.
struct Line<'t> {
    number: u32,
    text: &'t str,
    /// Column (0-based) of the first character.
    indent: usize,
    /// Characters taken by dashes before the content.
    dashes: usize,
    /// Key with its column after the dashes, and whether a value follows the colon.
    key: Option<&'t str>,
    /// What follows the colon (or the dashes when there is no key), and its column (0-based).
    value: &'t str,
    value_column: usize,
}

/// Explains an error of the event parser.
pub(super) fn explain(context: &Context<'_, '_>, error: &ScanError) -> Box<Diagnostic> {
    let at = context.position(*error.marker());
    let info = error.info();
    if info.contains("recursion limit") {
        return super::explain::too_deep(context, at);
    }
    let guess = conflict_marker(context)
        .or_else(|| long_key(context, at, info))
        .or_else(|| tab(context, at))
        .or_else(|| unclosed_quote(context, at, info))
        .or_else(|| look_at_lines(context, at, info))
        .or_else(|| alias(context, at, info))
        .unwrap_or_else(|| indentation(context, at, info));
    Box::new(guess)
}

fn conflict_marker(context: &Context<'_, '_>) -> Option<Diagnostic> {
    let marks = ["<<<<<<< ", ">>>>>>> ", "||||||| "];
    let (number, text) = context.lines().find(|(_, text)| marks.iter().any(|mark| text.starts_with(mark)))?;
    let found = context.source.error(
        "yaml::conflict-marker",
        format!("a conflict marker of a merge stands on line {number}"),
        Position { line: number, column: 1 },
        text.chars().count() as u32,
        "left over from a merge",
    );
    Some(found.hint("keep one of the two versions and remove the three marker lines"))
}

/// A key must end within 1024 characters on its line.
fn long_key(context: &Context<'_, '_>, at: Position, info: &str) -> Option<Diagnostic> {
    let long = info.contains("simple key") && context.source.line(at.line).len() > 1024;
    long.then(|| {
        let message = "the colon of a key must follow within 1024 characters";
        context.source.error(
            "yaml::long-key",
            message,
            Position { line: at.line, column: 1 },
            1,
            "begins here",
        )
    })
}

fn tab(context: &Context<'_, '_>, at: Position) -> Option<Diagnostic> {
    let lines = [at.line, at.line.saturating_sub(1)];
    lines.into_iter().find_map(|number| {
        let text = context.source.line(number);
        let blank = text.len() - text.trim_start_matches([' ', '\t']).len();
        let column = text.get(..blank)?.find('\t')?;
        (blank < text.len()).then(|| {
            *super::explain::tab(context.source, Position { line: number, column: column as u32 + 1 })
        })
    })
}

fn unclosed_quote(context: &Context<'_, '_>, at: Position, info: &str) -> Option<Diagnostic> {
    let open = info.contains("quoted scalar")
        && ["end of stream", "indentation", "document indicator"].iter().any(|part| info.contains(part));
    let text = context.source.line(at.line);
    let quote = text.chars().nth(at.column as usize - 1).filter(|c| matches!(c, '"' | '\''))?;
    if !open {
        return None;
    }
    let found = context.source.error(
        "yaml::unclosed-quote",
        format!("the quote opened on line {} is not closed where its text should end", at.line),
        at,
        1,
        "opened here",
    );
    Some(
        found.hint(format!(
            "close it with `{quote}` at the end of the text; inside it, write {}",
            inside(quote)
        )),
    )
}

fn inside(quote: char) -> &'static str {
    if quote == '"' { "`\\\"` for a quote" } else { "`''` for a quote" }
}

/// Looks for a mistake within one of the lines around the place.
fn look_at_lines(context: &Context<'_, '_>, at: Position, info: &str) -> Option<Diagnostic> {
    let here = take_apart(context, at.line);
    let before = previous(context, at.line);
    let lines = || std::iter::once(&here).chain(before.as_ref());
    shallow_bracket(context, &here, before.as_ref(), info)
        .or_else(|| lines().find_map(|line| after_quote(context, line)))
        .or_else(|| lines().find_map(|line| odd_start(context, line)))
        .or_else(|| lines().find_map(|line| open_bracket(context, line, at.line)))
        .or_else(|| lines().find_map(|line| colon_in_text(context, line, info)))
        .or_else(|| lines().find_map(|line| without_key(context, line, info)))
}

fn after_quote(context: &Context<'_, '_>, line: &Line<'_>) -> Option<Diagnostic> {
    let quote = line.value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let end = closing(line.value, quote)?;
    let rest = line.value.get(end + 1..)?;
    let text = rest.trim();
    let comment = rest.starts_with([' ', '\t']) && text.starts_with('#');
    if text.is_empty() || comment || (line.key.is_none() && text.starts_with(':')) {
        return None;
    }
    let lead = rest.chars().take_while(|c| *c == ' ').count();
    let column = line.value_column + line.value.get(..=end)?.chars().count() + lead;
    let found = context.source.error(
        "yaml::text-after-quote",
        "text follows the closing quote",
        Position { line: line.number, column: column as u32 + 1 },
        text.chars().count() as u32,
        "not part of the quoted text",
    );
    let hint = if text == "," {
        "remove the comma: YAML needs none at the end of a line".to_owned()
    } else {
        let other = if quote == '"' { '\'' } else { '"' };
        format!("put the whole value in {other}…{other}, or write {}", inside(quote))
    };
    Some(found.hint(hint))
}

fn odd_start(context: &Context<'_, '_>, line: &Line<'_>) -> Option<Diagnostic> {
    let place = Position { line: line.number, column: line.value_column as u32 + 1 };
    let shown = shorten(line.value);
    let quoted = |label: &str| {
        let message = format!("a text that is not quoted cannot begin with `{}`", first(line.value));
        let found = context.source.error("yaml::reserved-character", message, place, 1, label);
        found.hint(format!("put it in quotes: `\"{shown}\"`"))
    };
    if line.value.starts_with("{{") || line.value.starts_with("{%") {
        let found = context.source.error(
            "yaml::unquoted-expression",
            "an expression that is not quoted reads as a mapping",
            place,
            line.value.chars().count() as u32,
            "begins with a brace",
        );
        return Some(found.hint(format!("put it in quotes: `\"{shown}\"`")));
    }
    match first(line.value) {
        '@' | '`' => Some(quoted("reserved")),
        '%' => Some(quoted("a directive begins so")),
        '*' => Some(quoted("read as an alias")),
        '&' if line.value.contains(' ') => Some(quoted("read as an anchor")),
        '!' if line.value.contains(' ') => Some(quoted("read as a tag")),
        _ => None,
    }
}

fn colon_in_text(context: &Context<'_, '_>, line: &Line<'_>, info: &str) -> Option<Diagnostic> {
    let plain = !matches!(first(line.value), '"' | '\'' | '[' | '{' | '|' | '>' | '#' | '\0');
    let inner = line.value.find(": ").or_else(|| line.value.ends_with(':').then(|| line.value.len() - 1))?;
    if !plain || line.key.is_none() || !info.contains("mapping values") {
        return None;
    }
    let column = line.value_column + line.value.get(..inner)?.chars().count();
    let found = context.source.error(
        "yaml::colon-in-text",
        "a colon followed by a space makes a key, and a key already stands on this line",
        Position { line: line.number, column: column as u32 + 1 },
        1,
        "the second colon",
    );
    let quoted =
        format!("{}: \"{}\"", line.key.unwrap_or_default(), shorten(line.value).replace('"', "\\\""));
    Some(found.hint(format!("put the text in quotes: `{quoted}`")))
}

/// A value in brackets that goes on to the left of where it may.
fn shallow_bracket(
    context: &Context<'_, '_>,
    here: &Line<'_>,
    before: Option<&Line<'_>>,
    info: &str,
) -> Option<Diagnostic> {
    let closes =
        here.text.find([']', '}']).is_some_and(|at| !here.text.get(..at).unwrap_or("").contains(['[', '{']));
    let opened = before.filter(|line| matches!(first(line.value), '[' | '{'))?;
    if !closes || !info.contains("indentation in flow") {
        return None;
    }
    let place = Position { line: here.number, column: here.indent as u32 + 1 };
    Some(*super::explain::continuation(context.source, place, opened.indent + 1, opened.number))
}

/// A bracket that is still open on the line the parser stopped at.
fn open_bracket(context: &Context<'_, '_>, line: &Line<'_>, stopped: u32) -> Option<Diagnostic> {
    let bracket = Some(first(line.value)).filter(|c| matches!(c, '[' | '{'))?;
    let last = if stopped > line.number { context.source.line(stopped) } else { "" };
    let count = |set: [char; 2]| line.value.matches(set).count() + last.matches(set).count();
    if count(['[', '{']) <= count([']', '}']) {
        return None;
    }
    let close = if bracket == '[' { ']' } else { '}' };
    let place = Position { line: line.number, column: line.value_column as u32 + 1 };
    let message = format!("the `{bracket}` opened on line {} is not closed", line.number);
    let found = context.source.error("yaml::unclosed-bracket", message, place, 1, "opened here");
    Some(found.hint(format!("close it with `{close}`; if it is plain text, put it in quotes")))
}

fn without_key(context: &Context<'_, '_>, line: &Line<'_>, info: &str) -> Option<Diagnostic> {
    let expected = info.contains("simple key") || info.contains("expected key");
    if !expected || line.key.is_some() || line.dashes > 0 || line.value.is_empty() {
        return None;
    }
    let found = context.source.error(
        "yaml::text-without-key",
        format!("line {} is text without a key", line.number),
        Position { line: line.number, column: line.indent as u32 + 1 },
        line.value.chars().count() as u32,
        "no `key:` before it",
    );
    Some(found.hint(
        "if it belongs to the text above, indent it below that text's key (after `|` or `>`); if it is a remark, begin it with `#`",
    ))
}

fn alias(context: &Context<'_, '_>, at: Position, info: &str) -> Option<Diagnostic> {
    if !info.contains("anchor") {
        return None;
    }
    let message = "an alias names an anchor that does not stand before it";
    let found = context.source.error("yaml::alias", message, at, 1, "unknown");
    Some(found.hint("if the text really begins with `*`, put it in quotes"))
}

/// What is left: lines that do not line up.
fn indentation(context: &Context<'_, '_>, at: Position, info: &str) -> Diagnostic {
    let line = take_apart(context, at.line);
    let column = line.indent as u32 + 1;
    if line.text.trim().is_empty() || info.contains("bracket") || info.contains("flow") {
        let found = context.source.error("yaml::syntax", format!("this is not YAML: {info}"), at, 1, "here");
        return if info.contains("flow") || info.contains("bracket") {
            found.hint("check that every bracket and brace is closed, with commas between the items")
        } else {
            found
        };
    }
    let mut neighbours = Vec::new();
    let mut name = |other: Option<Line<'_>>, word: &str| {
        if let Some(other) = other {
            neighbours.push(format!(
                "the line {word} (line {}) begins at column {}",
                other.number,
                other.indent + 1
            ));
        }
    };
    name(previous(context, at.line), "before");
    name(following(context, at.line), "after");
    let mixed = info.contains("'-' indicator") || info.contains("sequence entries");
    let message = if mixed {
        format!("line {} mixes list items and keys: it begins at column {column}", at.line)
    } else {
        format!("line {} does not line up: it begins at column {column}", at.line)
    };
    let place = Position { line: at.line, column };
    let width = line.text.trim().chars().count() as u32;
    let found = context.source.error("yaml::indentation", message, place, width, format!("column {column}"));
    if neighbours.is_empty() {
        return found.hint("keys of one mapping, and dashes of one list, begin at the same column");
    }
    found.hint(format!(
        "{}; keys of one mapping, and dashes of one list, begin at the same column",
        neighbours.join(", ")
    ))
}

fn previous<'t>(context: &Context<'_, 't>, number: u32) -> Option<Line<'t>> {
    let first = context.first_line;
    (first..number).rev().map(|n| take_apart(context, n)).find(has_content)
}

fn following<'t>(context: &Context<'_, 't>, number: u32) -> Option<Line<'t>> {
    context.lines().filter(|(n, _)| *n > number).map(|(n, _)| take_apart(context, n)).find(has_content)
}

fn has_content(line: &Line<'_>) -> bool {
    let text = line.text.trim();
    !text.is_empty() && !text.starts_with('#') && !text.starts_with("---")
}

fn take_apart<'t>(context: &Context<'_, 't>, number: u32) -> Line<'t> {
    let text = context.source.line(number);
    let indent = text.len() - text.trim_start_matches(' ').len();
    let mut rest = text.get(indent..).unwrap_or("");
    while let Some(next) = rest.strip_prefix("- ") {
        rest = next.trim_start_matches(' ');
    }
    let dashes = text.len() - rest.len() - indent;
    let (key, value) = match colon(rest) {
        Some(at) => (rest.get(..at), rest.get(at + 1..).unwrap_or("")),
        None => (None, rest),
    };
    let value = value.trim_start_matches([' ', '\t']);
    let value_column = text.get(..text.len() - value.len()).unwrap_or("").chars().count();
    Line { number, text, indent, dashes, key, value: value.trim_end(), value_column }
}

/// Finds the colon that ends a key.
fn colon(text: &str) -> Option<usize> {
    let quoted = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let from = quoted.map_or(Some(0), |quote| closing(text, quote).map(|end| end + 1))?;
    let rest = text.get(from..)?;
    if quoted.is_some() {
        return rest.starts_with(':').then_some(from);
    }
    if rest.starts_with(['[', '{', '#', '|', '>']) {
        return None;
    }
    rest.find(": ").or_else(|| rest.trim_end().ends_with(':').then(|| rest.trim_end().len() - 1))
}

/// Finds the quote that closes the one a text begins with.
pub(super) fn closing(text: &str, quote: char) -> Option<usize> {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => {
                chars.next();
            }
            '\'' if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
            }
            c if c == quote => return Some(at),
            _ => {}
        }
    }
    None
}

fn first(text: &str) -> char {
    text.chars().next().unwrap_or('\0')
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::parse_stream;

    /// Returns code and place of the mistake, and the words of its hint.
    fn mistake(text: &str) -> (String, String) {
        let documents = parse_stream(text, &"x.yaml".into());
        let error = documents[0].content.as_ref().expect_err(text);
        let place = error.location.as_ref().unwrap();
        let code = error.code.strip_prefix("yaml::").unwrap();
        (format!("{code} {}:{}", place.line, place.column), error.hint.clone().unwrap_or_default())
    }

    #[test]
    fn names_the_mistakes_people_make() {
        let cases = [
            ("a:\n  b: 1\n c: 2\n", "indentation 3:2", "(line 2) begins at column 3"),
            ("a:\n  b: 1\n    c: 2\n", "indentation 3:5", "(line 2) begins at column 3"),
            ("a:\n  - b\n  c: 2\n", "indentation 3:3", "column 3"),
            ("a: 1\n- b\n", "indentation 2:1", "column 1"),
            ("a: 1\nb: 2\na: 3\n", "duplicate-key 3:1", "line 1"),
            ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> x\n", "conflict-marker 2:1", "marker lines"),
            ("a: one: two\n", "colon-in-text 1:7", "`a: \"one: two\"`"),
            ("a: b\nsome words\nc: d\n", "text-without-key 2:1", "`#`"),
            ("a: \"b\" c\n", "text-after-quote 1:8", "'…'"),
            ("a: \"b\",\nc: d\n", "text-after-quote 1:7", "comma"),
            ("a: 'b' c\nd: e\n", "text-after-quote 1:8", "\"…\""),
            ("a:\n\tb: 1\n", "tab 2:1", "spaces"),
            ("a: *b c\nd: e\n", "reserved-character 1:4", "\"*b c\""),
            ("a: *.md\n", "reserved-character 1:4", "\"*.md\""),
            ("a: @b\n", "reserved-character 1:4", "\"@b\""),
            ("a: `b`\n", "reserved-character 1:4", "\"`b`\""),
            ("a: \"b\nc: d\n", "unclosed-quote 1:4", "close it"),
            ("a: 'b\nc: d\n", "unclosed-quote 1:4", "close it"),
            ("a: {{ b }} c\nd: e\n", "unquoted-expression 1:4", "\"{{ b }} c\""),
            ("a: [b\nc: d\n", "unclosed-bracket 1:4", "`]`"),
        ];
        let wrong: Vec<_> = cases
            .iter()
            .map(|(text, expected, words)| (text, expected, words, mistake(text)))
            .filter(|(_, expected, words, (found, hint))| found != *expected || !hint.contains(*words))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_second_entity_wants_a_separator() {
        let text = "apiVersion: a\nkind: b\napiVersion: a\nkind: c\n";
        assert_eq!(mistake(text).0, "missing-separator 3:1");
    }
}
