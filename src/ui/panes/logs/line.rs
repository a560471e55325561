//! From a line of a log to the rows that show it: JSON as a line, pretty or raw, levels, colours, matches, wrapping.
//!
//! Only visible lines come here, at most a screenful at a time; everything is bounded all the same.

use super::ansi;
use super::json::{self, Field};
use crate::config::theme::{Paint, Role};
use crate::kubernetes::logs::{Level, Line, LineKind};
use crate::model::text;
use regex::Regex;
use unicode_segmentation::UnicodeSegmentation;

/// Most bytes of a line that are shown in the list; all of it is shown in full.
const MAX_BYTES: usize = 32 * 1024;
/// Most rows of a line in the list.
const MAX_ROWS: usize = 200;
/// Most matches painted in a line.
const MAX_MATCHES: usize = 500;
/// Cells before which a level word is looked for in plain text.
const HEAD: usize = 120;
/// Cells of a level word.
const LEVEL: usize = 6;

/// How a piece is painted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ink {
    /// Role of the theme.
    pub role: Role,
    /// Colours that the log itself gave.
    pub own: Option<Paint>,
    /// The search matches here.
    pub is_match: bool,
}

impl Ink {
    /// Creates the ink of a role.
    pub fn of(role: Role) -> Self {
        Self { role, own: None, is_match: false }
    }
}

/// A run of text with its ink; no control codes, no tabs.
pub type Piece = (String, Ink);

/// How JSON lines are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonForm {
    /// Level, message, then fields as `key=value`.
    #[default]
    Line,
    /// One value per row.
    Pretty,
    /// As written.
    Raw,
}

impl JsonForm {
    /// Returns the word for the title.
    pub fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Pretty => "pretty",
            Self::Raw => "raw",
        }
    }

    /// Returns the form that follows.
    pub fn next(self) -> Self {
        match self {
            Self::Line => Self::Pretty,
            Self::Pretty => Self::Raw,
            Self::Raw => Self::Line,
        }
    }
}

/// How lines are shown.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// How JSON is shown.
    pub json: JsonForm,
    /// Colours of the log are kept.
    pub has_colours: bool,
    /// Only ASCII is shown.
    pub is_ascii: bool,
    /// Cells for the text.
    pub width: usize,
    /// Long lines go on in the next row.
    pub is_wrapped: bool,
    /// First shown cell, where lines are not wrapped.
    pub column: usize,
    /// What is painted as a match.
    pub search: Option<&'a Regex>,
    /// Time is not shown beside the line: a JSON line shows its own.
    pub wants_time: bool,
}

/// Returns the word and role of a level; nothing where the line says nothing.
pub fn level_word(level: Level) -> Option<(&'static str, Role)> {
    match level {
        Level::None => None,
        Level::Debug => Some(("DEBUG", Role::Dim)),
        Level::Info => Some(("INFO", Role::Info)),
        Level::Warn => Some(("WARN", Role::Warn)),
        Level::Error => Some(("ERROR", Role::Error)),
    }
}

/// Returns the rows of a line.
pub fn rows(line: &Line, look: &Look<'_>) -> Vec<Vec<Piece>> {
    let mut out = Vec::new();
    for paragraph in paragraphs(line, look) {
        let paragraph = match look.search {
            Some(search) => highlight(paragraph, search),
            None => paragraph,
        };
        if look.is_wrapped {
            wrap(paragraph, look.width, &mut out);
        } else {
            out.push(slice(paragraph, look.column, look.width));
        }
        if out.len() > MAX_ROWS {
            out.truncate(MAX_ROWS);
            out.push(vec![("… enter shows all of it".to_owned(), Ink::of(Role::Dim))]);
            break;
        }
    }
    out
}

fn paragraphs(line: &Line, look: &Look<'_>) -> Vec<Vec<Piece>> {
    if let LineKind::Text { is_json: true } = line.kind {
        match look.json {
            JsonForm::Raw => {}
            JsonForm::Pretty => {
                if let Some(rows) = json::pretty(&line.text) {
                    return pretty(rows, line.level);
                }
            }
            JsonForm::Line => {
                if let Some(fields) = json::fields(&line.text) {
                    return vec![json_line(&fields, line.level, look)];
                }
            }
        }
    }
    vec![plain(line, look)]
}

const LEVEL_KEYS: &[&str] =
    &["level", "lvl", "severity", "log.level", "loglevel", "levelname", "@level", "log_level", "level_value"];
const MESSAGE_KEYS: &[&str] =
    &["msg", "message", "@message", "short_message", "text", "event", "body", "log", "error", "err"];
const TIME_KEYS: &[&str] =
    &["ts", "time", "timestamp", "@timestamp", "t", "datetime", "date", "asctime", "eventtime", "@t"];
const ERROR_KEYS: &[&str] = &["error", "err", "exception", "panic", "stacktrace", "stack", "stack_trace"];

fn is_one(keys: &[&str], key: &str) -> bool {
    keys.iter().any(|known| known.eq_ignore_ascii_case(key))
}

/// `LEVEL message key=value`; the time stands beside the line.
fn json_line(fields: &[Field<'_>], level: Level, look: &Look<'_>) -> Vec<Piece> {
    let message = MESSAGE_KEYS.iter().find_map(|key| {
        fields.iter().position(|f| f.key.eq_ignore_ascii_case(key) && f.raw != "null" && f.raw != "\"\"")
    });
    let mut out = Vec::new();
    let word = match level_word(level) {
        Some((word, role)) => Some((word.to_owned(), role)),
        None => fields
            .iter()
            .find(|f| is_one(LEVEL_KEYS, &f.key))
            .map(|f| (text::cut(&f.value().to_uppercase(), LEVEL - 1).into_owned(), Role::Dim)),
    };
    if look.wants_time
        && let Some(time) = fields.iter().find(|f| is_one(TIME_KEYS, &f.key))
    {
        push(&mut out, &time.value(), Role::Dim, look);
        out.push((" ".to_owned(), Ink::of(Role::Text)));
    }
    if let Some((word, role)) = word {
        out.push((format!("{word:<LEVEL$}"), Ink::of(role)));
    }
    if let Some(field) = message.and_then(|at| fields.get(at)) {
        push(
            &mut out,
            &field.value().replace('\n', if look.is_ascii { "\\n" } else { "↵" }),
            Role::Text,
            look,
        );
    }
    for (at, field) in fields.iter().enumerate() {
        if Some(at) == message || is_one(LEVEL_KEYS, &field.key) || is_one(TIME_KEYS, &field.key) {
            continue;
        }
        if !out.is_empty() {
            out.push((" ".to_owned(), Ink::of(Role::Text)));
        }
        push(&mut out, &format!("{}=", field.key), Role::Dim, look);
        let role = if is_one(ERROR_KEYS, &field.key) { Role::Error } else { Role::Text };
        push(&mut out, &field.short(), role, look);
    }
    out
}

/// Adds foreign text without its codes.
fn push(out: &mut Vec<Piece>, foreign: &str, role: Role, look: &Look<'_>) {
    for run in ansi::runs(cut_bytes(foreign, MAX_BYTES), look.has_colours, look.is_ascii) {
        let text = text::clean(&run.text).into_owned();
        out.push((text, Ink { role, own: run.paint, is_match: false }));
    }
}

fn pretty(rows: Vec<String>, level: Level) -> Vec<Vec<Piece>> {
    let role = level_word(level).map_or(Role::Text, |(_, role)| role);
    let row = |row: String| {
        let row = text::clean(&row).into_owned();
        let (key, value) = match row.find("\": ") {
            Some(at) if row.trim_start().starts_with('"') => row.split_at(at + 2),
            _ => return vec![(row, Ink::of(Role::Text))],
        };
        let is_level = is_one(LEVEL_KEYS, key.trim().trim_matches(['"', ':']));
        let value_role = if is_level { role } else { Role::Text };
        vec![(key.to_owned(), Ink::of(Role::Dim)), (value.to_owned(), Ink::of(value_role))]
    };
    rows.into_iter().map(row).collect()
}

fn plain(line: &Line, look: &Look<'_>) -> Vec<Piece> {
    let shown = cut_bytes(&line.text, MAX_BYTES);
    let mut out = Vec::new();
    push(&mut out, shown, Role::Text, look);
    if shown.len() < line.text.len() {
        let rest = crate::app::context::size(line.text.len() - shown.len());
        out.push((format!(" … {rest} more, enter shows them"), Ink::of(Role::Dim)));
    }
    let Some((word, role)) = level_word(line.level) else { return out };
    let head: String = out.iter().map(|(text, _)| text.as_str()).collect();
    match find_level(cut_bytes(&head, HEAD), line.level) {
        Some(range) => paint(out, &[range], |ink| Ink { role, ..ink }),
        // nothing in the text says so in a word: say it
        None if line.level >= Level::Warn => {
            out.insert(0, (format!("{word:<LEVEL$}"), Ink::of(role)));
            out
        }
        None => out,
    }
}

/// Returns the longest start of a text within so many bytes.
fn cut_bytes(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or("")
}

/// Finds the word that says the level: `WARN`, `[error]`, `level=info`, the `E1122` of klog.
fn find_level(text: &str, level: Level) -> Option<std::ops::Range<usize>> {
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_ascii_alphanumeric() {
            start.get_or_insert(at);
            continue;
        }
        if let Some(from) = start.take()
            && text.get(from..at).and_then(level_of) == Some(level)
        {
            return Some(from..at);
        }
    }
    None
}

fn level_of(word: &str) -> Option<Level> {
    const WORDS: &[(&str, Level)] = &[
        ("trace", Level::Debug),
        ("debug", Level::Debug),
        ("dbg", Level::Debug),
        ("info", Level::Info),
        ("inf", Level::Info),
        ("notice", Level::Info),
        ("warn", Level::Warn),
        ("wrn", Level::Warn),
        ("warning", Level::Warn),
        ("error", Level::Error),
        ("err", Level::Error),
        ("erro", Level::Error),
        ("fatal", Level::Error),
        ("crit", Level::Error),
        ("critical", Level::Error),
        ("panic", Level::Error),
        ("severe", Level::Error),
        ("emerg", Level::Error),
        ("alert", Level::Error),
        ("exception", Level::Error),
    ];
    let mut chars = word.chars();
    // klog: letter, month, day
    if let (Some(letter), 5) = (chars.next(), word.len())
        && chars.all(|c| c.is_ascii_digit())
    {
        return match letter {
            'I' => Some(Level::Info),
            'W' => Some(Level::Warn),
            'E' | 'F' => Some(Level::Error),
            'D' => Some(Level::Debug),
            _ => None,
        };
    }
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

/// Marks what matches.
pub fn highlight(pieces: Vec<Piece>, search: &Regex) -> Vec<Piece> {
    let whole: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
    let found: Vec<std::ops::Range<usize>> =
        search.find_iter(&whole).map(|m| m.range()).filter(|m| !m.is_empty()).take(MAX_MATCHES).collect();
    if found.is_empty() {
        return pieces;
    }
    paint(pieces, &found, |ink| Ink { is_match: true, ..ink })
}

/// Changes the ink of some bytes; ranges are sorted and apart.
fn paint(pieces: Vec<Piece>, ranges: &[std::ops::Range<usize>], change: impl Fn(Ink) -> Ink) -> Vec<Piece> {
    let mut out = Vec::with_capacity(pieces.len() + 2 * ranges.len());
    let mut at = 0;
    let mut ranges = ranges.iter().peekable();
    for (text, ink) in pieces {
        let end = at + text.len();
        let mut from = at;
        while from < end {
            while ranges.next_if(|range| range.end <= from).is_some() {}
            let (to, is_in) = match ranges.peek() {
                Some(range) if range.start <= from => (range.end.min(end), true),
                Some(range) => (range.start.min(end), false),
                None => (end, false),
            };
            if let Some(part) = text.get(from - at..to - at) {
                out.push((part.to_owned(), if is_in { change(ink) } else { ink }));
            }
            from = to;
        }
        at = end;
    }
    out
}

/// Cuts pieces into rows of at most `width` cells.
pub fn wrap(pieces: Vec<Piece>, width: usize, out: &mut Vec<Vec<Piece>>) {
    let width = width.max(1);
    let mut row: Vec<Piece> = Vec::new();
    let mut used = 0;
    for (text, ink) in pieces {
        if used + text::width(&text) <= width {
            used += text::width(&text);
            row.push((text, ink));
            continue;
        }
        let mut part = String::new();
        for grapheme in text.graphemes(true) {
            let cells = text::width(grapheme);
            if used + cells > width && used > 0 {
                row.push((std::mem::take(&mut part), ink));
                out.push(std::mem::take(&mut row));
                used = 0;
                if out.len() > MAX_ROWS {
                    return;
                }
            }
            part.push_str(grapheme);
            used += cells;
        }
        row.push((part, ink));
    }
    out.push(row);
}

/// Returns the cells from `column` on, at most `width`; `…` at the end says that there is more.
fn slice(pieces: Vec<Piece>, column: usize, width: usize) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let (mut skipped, mut used) = (0, 0);
    for (text, ink) in pieces {
        let cells = text::width(&text);
        if skipped + cells <= column {
            skipped += cells;
            continue;
        }
        let head = text::prefix(&text, column.saturating_sub(skipped)).len();
        skipped = column.max(skipped);
        let rest = text.get(head..).unwrap_or("");
        let cells = text::width(rest);
        if used + cells <= width {
            used += cells;
            out.push((rest.to_owned(), ink));
            continue;
        }
        let room = width.saturating_sub(used);
        out.push((text::cut(rest, room).into_owned(), ink));
        if room == 0 {
            mark_cut(&mut out);
        }
        break;
    }
    out
}

/// The row is full to the last cell and there is more: the last cell says so.
fn mark_cut(row: &mut [Piece]) {
    if let Some((text, _)) = row.iter_mut().rev().find(|(text, _)| !text.is_empty()) {
        let cells = text::width(text).saturating_sub(1);
        *text = text::prefix(text, cells).to_owned();
        text.push(text::ELLIPSIS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, level: Level) -> Line {
        let is_json = json::fields(text).is_some();
        Line { source: 0, time: None, level, text: text.into(), kind: LineKind::Text { is_json } }
    }

    fn look(width: usize) -> Look<'static> {
        Look {
            json: JsonForm::Line,
            has_colours: true,
            is_ascii: false,
            width,
            is_wrapped: false,
            column: 0,
            search: None,
            wants_time: false,
        }
    }

    fn shown(line: &Line, look: &Look<'_>) -> Vec<String> {
        rows(line, look).into_iter().map(|row| row.into_iter().map(|(text, _)| text).collect()).collect()
    }

    #[test]
    fn json_as_a_line() {
        let cases = [
            (
                r#"{"ts":"2026-01-01T00:00:00Z","level":"info","msg":"order accepted","id":8812,"ms":41}"#,
                Level::Info,
                "INFO  order accepted id=8812 ms=41",
            ),
            (r#"{"id":1,"note":"two words"}"#, Level::None, r#"id=1 note="two words""#),
            (r#"{"severity":"chatty","message":"a\nb"}"#, Level::None, "CHAT… a↵b"),
            (r#"{"level":"error","error":"no route"}"#, Level::Error, "ERROR no route"),
            (r#"{"msg":"\u001b[2Jx"}"#, Level::None, "␛[2Jx"),
        ];
        for (text, level, wanted) in cases {
            assert_eq!(shown(&line(text, level), &look(200)), [wanted], "{text}");
        }
        let raw = Look { json: JsonForm::Raw, ..look(200) };
        assert_eq!(shown(&line(r#"{"a":1}"#, Level::None), &raw), [r#"{"a":1}"#]);
        let pretty = Look { json: JsonForm::Pretty, ..look(200) };
        assert_eq!(shown(&line(r#"{"a":1}"#, Level::None), &pretty), ["{", "  \"a\": 1", "}"]);
    }

    #[test]
    fn the_level_of_plain_text_has_a_word() {
        let cases = [
            ("12:00 WARN slow", Level::Warn, "12:00 WARN slow", Some("WARN")),
            ("level=error msg=x", Level::Error, "level=error msg=x", Some("error")),
            ("E1122 12:00:00 x.go] boom", Level::Error, "E1122 12:00:00 x.go] boom", Some("E1122")),
            ("it broke", Level::Error, "ERROR it broke", Some("ERROR ")),
            ("all is well", Level::Info, "all is well", None),
        ];
        for (text, level, wanted, word) in cases {
            let rows = rows(&line(text, level), &look(200));
            let whole: String = rows[0].iter().map(|(text, _)| text.as_str()).collect();
            assert_eq!(whole, wanted);
            let role = level_word(level).map(|(_, role)| role);
            let painted =
                rows[0].iter().find(|(_, ink)| Some(ink.role) == role).map(|(text, _)| text.as_str());
            assert_eq!(painted, word, "{text}");
        }
    }

    #[test]
    fn matches_are_marked_across_pieces() {
        let search = Regex::new("o r").unwrap();
        let found = highlight(
            vec![("two r".to_owned(), Ink::of(Role::Dim)), ("o rows".to_owned(), Ink::of(Role::Text))],
            &search,
        );
        let marked: Vec<&str> =
            found.iter().filter(|(_, ink)| ink.is_match).map(|(text, _)| text.as_str()).collect();
        assert_eq!(marked, ["o r", "o r"]);
        let across = highlight(
            vec![("two".to_owned(), Ink::of(Role::Dim)), (" rows".to_owned(), Ink::of(Role::Text))],
            &search,
        );
        let marked: String =
            across.iter().filter(|(_, ink)| ink.is_match).map(|(text, _)| text.as_str()).collect();
        assert_eq!(marked, "o r");
    }

    #[test]
    fn sideways_and_wrapped() {
        let long = line("0123456789", Level::None);
        assert_eq!(shown(&long, &look(10)), ["0123456789"]);
        assert_eq!(shown(&long, &look(4)), ["012…"]);
        assert_eq!(shown(&long, &Look { column: 6, ..look(4) }), ["6789"]);
        assert_eq!(shown(&long, &Look { column: 8, ..look(4) }), ["89"]);
        let wrapped = Look { is_wrapped: true, ..look(4) };
        assert_eq!(shown(&long, &wrapped), ["0123", "4567", "89"]);
        assert_eq!(
            shown(&line("日本語", Level::None), &Look { width: 3, ..wrapped.clone() }),
            ["日", "本", "語"]
        );
        assert_eq!(shown(&line("", Level::None), &wrapped), [""]);
        let painted = line("a\u{1b}[31mbcdefg\u{1b}[0m", Level::None);
        assert_eq!(shown(&painted, &look(3)), ["ab…"]);
        assert_eq!(shown(&painted, &wrapped), ["abcd", "efg"]);
    }

    #[test]
    fn a_huge_line_stays_small() {
        let huge = line(&"x".repeat(10_000_000), Level::None);
        let rows = rows(&huge, &Look { is_wrapped: true, ..look(80) });
        assert!(rows.len() <= MAX_ROWS + 1);
    }
}
