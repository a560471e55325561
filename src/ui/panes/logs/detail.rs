//! A line in full: where it comes from, every field, wrapped.

use super::ansi;
use super::json;
use super::line::{self, Ink, Piece};
use super::sources::Sources;
use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::app::list::ListState;
use crate::config::theme::Role;
use crate::kubernetes::logs::{Line, LineId, LineKind};
use crate::model::text::{clean, width};
use regex::Regex;

/// Most bytes shown of a line.
const MAX_BYTES: usize = 1024 * 1024;
/// Most rows shown of a line.
const MAX_ROWS: usize = 20_000;
/// Widest name of a field that values are aligned to.
const MAX_LABEL: usize = 24;

/// A line in full, laid out for a width.
#[derive(Debug)]
pub struct Detail {
    /// The line.
    pub id: LineId,
    /// Its rows.
    pub rows: Vec<Vec<Piece>>,
    /// First shown row.
    pub offset: usize,
    /// Cells it was laid out for.
    pub width: usize,
}

impl Detail {
    /// Lays out a line.
    pub fn new(
        id: LineId,
        line: &Line,
        sources: &Sources,
        search: Option<&Regex>,
        width: usize,
        cx: &Context,
    ) -> Self {
        let mut rows = Vec::new();
        for (label, value, role) in origin(id, line, sources) {
            field(&label, &[(value, Ink::of(role))], width, &mut rows);
        }
        rows.push(Vec::new());
        for (label, value) in body(line) {
            for (at, paragraph) in value.lines().enumerate().take(MAX_ROWS) {
                let runs = ansi::runs(paragraph, true, cx.ascii);
                let pieces = runs.into_iter().map(|run| {
                    (clean(&run.text).into_owned(), Ink { own: run.paint, ..Ink::of(Role::Text) })
                });
                let mut pieces: Vec<Piece> = pieces.collect();
                if let Some(search) = search {
                    pieces = line::highlight(pieces, search);
                }
                match &label {
                    Some(label) if at == 0 => field(label, &pieces, width, &mut rows),
                    Some(_) => field("", &pieces, width, &mut rows),
                    None => line::wrap(pieces, width, &mut rows),
                }
            }
        }
        rows.truncate(MAX_ROWS);
        Self { id, rows, offset: 0, width }
    }

    /// Carries out a movement; returns whether it was one.
    pub fn command(&mut self, command: CommandId, height: usize) -> bool {
        let command = match command {
            id::TEXT_PAGE_DOWN => id::PAGE_DOWN,
            id::TEXT_PAGE_UP => id::PAGE_UP,
            command => command,
        };
        let mut list = ListState { cursor: self.offset, ..ListState::default() };
        let last = (self.rows.len() + 1).saturating_sub(height);
        let is_done = list.command(command, last, height);
        self.offset = list.cursor;
        is_done
    }
}

fn origin(id: LineId, line: &Line, sources: &Sources) -> Vec<(String, String, Role)> {
    let mut out = Vec::new();
    let mut add =
        |label: &str, value: String, role| out.push((label.to_owned(), clean(&value).into_owned(), role));
    if let Some(time) = line.time {
        add("time", format!("{time:.3}"), Role::Text);
    }
    if let Some((word, role)) = line::level_word(line.level) {
        add("level", word.to_owned(), role);
    }
    if let Some(source) = sources.get(line.source) {
        let role = sources.tag(line.source).map_or(Role::Text, |(_, role)| role);
        add("pod", format!("{}/{} ({})", source.pod.namespace, source.pod.name, source.tag), role);
        let previous = if source.is_previous { " (the instance before)" } else { "" };
        add("container", format!("{}{previous}", source.container), Role::Text);
        add("cluster", source.pod.cluster.to_string(), Role::Text);
    }
    add("line", format!("{} ({})", id + 1, crate::app::context::size(line.text.len())), Role::Dim);
    out
}

/// The fields of a JSON line, else the text without a label.
fn body(line: &Line) -> Vec<(Option<String>, String)> {
    if let LineKind::Text { is_json: true } = line.kind
        && let Some(fields) = json::fields(&line.text)
    {
        let field = |field: &json::Field<'_>| {
            let value = match json::pretty(field.raw) {
                Some(rows) => rows.join("\n"),
                None => field.value().into_owned(),
            };
            let value = if value.is_empty() { "\"\"".to_owned() } else { value };
            (Some(field.key.to_string()), value)
        };
        return fields.iter().map(field).collect();
    }
    let mut end = MAX_BYTES.min(line.text.len());
    while !line.text.is_char_boundary(end) {
        end -= 1;
    }
    let mut text = line.text.get(..end).unwrap_or("").to_owned();
    if end < line.text.len() {
        text.push_str(&format!(
            "\n… {} more; save it to read all of it",
            crate::app::context::size(line.text.len() - end)
        ));
    }
    vec![(None, text)]
}

/// A label, and beside it the value, wrapped.
fn field(label: &str, value: &[Piece], cells: usize, rows: &mut Vec<Vec<Piece>>) {
    let label = clean(label);
    let beside = 12.max(width(&label).min(MAX_LABEL) + 1).min(cells / 2);
    let mut wrapped = Vec::new();
    line::wrap(value.to_vec(), cells.saturating_sub(beside), &mut wrapped);
    for (at, row) in wrapped.into_iter().enumerate() {
        let label = if at == 0 {
            crate::model::text::cut(&label, beside.saturating_sub(1)).into_owned()
        } else {
            String::new()
        };
        let gap = " ".repeat(beside.saturating_sub(width(&label)));
        let mut pieces = vec![(label, Ink::of(Role::Dim)), (gap, Ink::of(Role::Dim))];
        pieces.extend(row);
        rows.push(pieces);
    }
}
