//! Who tells whom what, in order.

use super::canvas::Canvas;
use super::{Drawing, edge_label, label};
use crate::model::text::width;

/// Something that happens, top to bottom.
enum Event {
    Message {
        from: usize,
        to: usize,
        text: String,
        dashed: bool,
        end: &'static str,
    },
    Note {
        first: usize,
        last: usize,
        side: Side,
        rows: Vec<String>,
    },
    /// A line across: `loop every minute`, `end`.
    Mark(String),
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Over,
    Left,
    Right,
}

#[derive(Default)]
struct Reader {
    names: Vec<(String, Vec<String>)>,
    events: Vec<Event>,
    depth: usize,
    number: Option<usize>,
}

/// Arrows, longer ones first: dashed, sign at the end.
const ARROWS: &[(&str, bool, &str)] = &[
    ("<<-->>", true, "▶"),
    ("<<->>", false, "▶"),
    ("-->>", true, "▶"),
    ("->>", false, "▶"),
    ("--x", true, "✕"),
    ("-x", false, "✕"),
    ("--)", true, "▷"),
    ("-)", false, "▷"),
    ("-->", true, ""),
    ("->", false, ""),
];

/// Draws a sequence.
pub(super) fn draw(lines: &[&str]) -> Option<Drawing> {
    let mut reader = Reader::default();
    for line in lines.iter().skip(1) {
        reader.line(line.trim_end_matches(';').trim())?;
    }
    let fits = reader.depth == 0
        && !reader.names.is_empty()
        && reader.names.len() <= 30
        && reader.events.len() <= 400;
    if fits { reader.paint() } else { None }
}

impl Reader {
    fn line(&mut self, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "participant" | "actor" => {
                let (id, title) = rest.split_once(" as ").unwrap_or((rest, rest));
                let at = self.name(id)?;
                self.names.get_mut(at)?.1 = label(title);
            }
            "create" => return self.line(rest),
            "activate" | "deactivate" | "destroy" | "link" | "links" | "accTitle:" | "accDescr:" => {}
            "title" | "title:" => self.events.push(Event::Mark(edge_label(rest))),
            "autonumber" => self.number = Some(1),
            "loop" | "alt" | "opt" | "par" | "critical" | "break" | "rect" => {
                self.depth += 1;
                let words =
                    if word == "rect" { String::new() } else { format!("{word} {}", edge_label(rest)) };
                self.events.push(Event::Mark(words.trim().to_owned()));
            }
            "else" | "and" | "option" if self.depth > 0 => {
                self.events.push(Event::Mark(format!("{word} {}", edge_label(rest)).trim().to_owned()));
            }
            "end" if rest.is_empty() => {
                self.depth = self.depth.checked_sub(1)?;
                self.events.push(Event::Mark("end".to_owned()));
            }
            "box" => return None,
            "Note" | "note" => self.note(rest)?,
            _ => self.message(line)?,
        }
        Some(())
    }

    fn name(&mut self, id: &str) -> Option<usize> {
        let id = id.trim().trim_start_matches(['+', '-']);
        if id.is_empty() || id.len() > 200 {
            return None;
        }
        if let Some(at) = self.names.iter().position(|(name, _)| name == id) {
            return Some(at);
        }
        self.names.push((id.to_owned(), label(id)));
        Some(self.names.len() - 1)
    }

    fn note(&mut self, rest: &str) -> Option<()> {
        let (place, text) = rest.split_once(':')?;
        let lower = place.to_ascii_lowercase();
        let (side, who) = if lower.starts_with("over ") {
            (Side::Over, place.get(5..)?)
        } else if lower.starts_with("left of ") {
            (Side::Left, place.get(8..)?)
        } else if lower.starts_with("right of ") {
            (Side::Right, place.get(9..)?)
        } else {
            return None;
        };
        let (first, last) = who.split_once(',').unwrap_or((who, who));
        let (first, last) = (self.name(first)?, self.name(last)?);
        self.events.push(Event::Note {
            first: first.min(last),
            last: first.max(last),
            side,
            rows: label(text),
        });
        Some(())
    }

    fn message(&mut self, line: &str) -> Option<()> {
        let (who, text) = line.split_once(':').unwrap_or((line, ""));
        let found = ARROWS
            .iter()
            .filter_map(|arrow| Some((who.find(arrow.0)?, arrow)))
            .min_by_key(|(at, arrow)| (*at, usize::MAX - arrow.0.len()));
        let (at, (sign, dashed, end)) = found?;
        let from = self.name(who.get(..at)?)?;
        let to = self.name(who.get(at + sign.len()..)?)?;
        let mut text = edge_label(text);
        if let Some(number) = &mut self.number {
            text = format!("{number}. {text}");
            *number += 1;
        }
        self.events.push(Event::Message { from, to, text, dashed: *dashed, end });
        Some(())
    }

    /// Returns the column of each lifeline.
    fn columns(&self) -> Vec<usize> {
        let half = |at: usize| {
            self.names
                .get(at)
                .map_or(0, |(_, rows)| rows.iter().map(|row| width(row)).max().unwrap_or(0) / 2 + 2)
        };
        let mut gaps: Vec<usize> = (1..self.names.len()).map(|at| half(at - 1) + half(at) + 2).collect();
        for event in &self.events {
            let (low, high, need) = match event {
                Event::Message { from, to, text, .. } if from != to => {
                    (*from.min(to), *from.max(to), width(text) + 5)
                }
                Event::Message { from, text, .. } => (*from, *from + 1, width(text) + 8),
                Event::Note { first, last, side: Side::Over, rows } if first < last => {
                    (*first, *last, longest(rows).saturating_sub(2))
                }
                Event::Note { first, side: Side::Over, rows, .. } => {
                    (*first, *first + 1, longest(rows) / 2 + 5)
                }
                Event::Note { last, side: Side::Right, rows, .. } => (*last, *last + 1, longest(rows) + 8),
                Event::Note { first, side: Side::Left, rows, .. } => {
                    (first.saturating_sub(1), *first, longest(rows) + 8)
                }
                Event::Mark(_) => continue,
            };
            // What is missing goes to the last gap
            let have: usize = gaps.iter().skip(low).take(high - low).sum();
            if have < need
                && let Some(gap) = gaps.get_mut(high - 1).filter(|_| high > low)
            {
                *gap += need - have;
            }
        }
        let notes = self.events.iter().map(|event| match event {
            Event::Note { first: 0, side: Side::Left, rows, .. } => longest(rows) + 6,
            Event::Note { first: 0, side: Side::Over, rows, .. } => longest(rows) / 2 + 3,
            _ => 0,
        });
        let mut columns = vec![half(0).max(notes.max().unwrap_or(0))];
        for gap in gaps {
            columns.push(columns.last().copied().unwrap_or(0) + gap);
        }
        columns
    }

    fn paint(&self) -> Option<Drawing> {
        let columns = self.columns();
        let head = self.names.iter().map(|(_, rows)| rows.len()).max().unwrap_or(1) + 2;
        let mut height = head + 2;
        for event in &self.events {
            height += match event {
                Event::Message { from, to, .. } if from == to => 3,
                Event::Message { .. } => 2,
                Event::Note { rows, .. } => rows.len() + 2,
                Event::Mark(_) => 1,
            };
        }
        let right = self.events.iter().map(|event| match event {
            Event::Message { from, to, text, .. } if from == to => width(text) + 8,
            Event::Note { rows, .. } => longest(rows) + 8,
            Event::Mark(text) => width(text).saturating_sub(columns.last().copied().unwrap_or(0)) + 8,
            Event::Message { .. } => 4,
        });
        let last = self.names.last().map_or(0, |(_, rows)| longest(rows) / 2 + 4);
        let wide = columns.last().copied().unwrap_or(0) + right.max().unwrap_or(0).max(last);
        let mut canvas = Canvas::new(wide, height)?;
        for column in &columns {
            canvas.line((*column, head - 1), (*column, height - 1), true);
        }
        for ((_, rows), column) in self.names.iter().zip(&columns) {
            let cells = longest(rows);
            let x = column.saturating_sub(cells / 2 + 2);
            canvas.frame(x, 0, cells + 4, head, false);
            for (n, row) in rows.iter().enumerate() {
                canvas.text(x + 2 + (cells - width(row)) / 2, 1 + n, row);
            }
        }
        let mut y = head;
        for event in &self.events {
            y = Self::paint_event(event, &columns, wide, y, &mut canvas);
        }
        Some(Drawing::new(canvas.rows(), Vec::new()))
    }

    fn paint_event(event: &Event, columns: &[usize], wide: usize, y: usize, canvas: &mut Canvas) -> usize {
        let column = |at: usize| columns.get(at).copied().unwrap_or(0);
        match event {
            Event::Message { from, to, text, dashed, end } if from == to => {
                let x = column(*from);
                canvas.text(x + 6, y + 1, text);
                canvas.line((x, y), (x + 4, y), *dashed);
                canvas.line((x + 4, y), (x + 4, y + 2), *dashed);
                canvas.line((x + 1, y + 2), (x + 4, y + 2), *dashed);
                canvas.text(x + 1, y + 2, if end.is_empty() { "─" } else { "◀" });
                y + 3
            }
            Event::Message { from, to, text, dashed, end } => {
                let (a, b) = (column(*from), column(*to));
                let (low, high) = (a.min(b), a.max(b));
                canvas.text(low + 2 + (high - low).saturating_sub(width(text) + 3) / 2, y, text);
                canvas.line((a, y + 1), (b, y + 1), *dashed);
                match (*end, b > a) {
                    ("", _) => {}
                    ("▶", false) => canvas.text(b + 1, y + 1, "◀"),
                    ("▷", false) => canvas.text(b + 1, y + 1, "◁"),
                    (end, true) => canvas.text(b.saturating_sub(1), y + 1, end),
                    (end, false) => canvas.text(b + 1, y + 1, end),
                }
                y + 2
            }
            Event::Note { first, last, side, rows } => {
                let cells = longest(rows);
                let (x, wide) = match side {
                    Side::Over if first < last => {
                        let span = column(*last) - column(*first) + 5;
                        let wide = span.max(cells + 4);
                        (column(*first).saturating_sub(2), wide)
                    }
                    Side::Over => (column(*first).saturating_sub(cells / 2 + 2), cells + 4),
                    Side::Right => (column(*last) + 2, cells + 4),
                    Side::Left => (column(*first).saturating_sub(cells + 6), cells + 4),
                };
                for (n, row) in rows.iter().enumerate() {
                    let text = format!(" {row}{}", " ".repeat((wide - 2).saturating_sub(width(row) + 1)));
                    canvas.text(x + 1, y + 1 + n, &text);
                }
                canvas.text(x + 1, y, &"─".repeat(wide - 2));
                canvas.text(x + 1, y + rows.len() + 1, &"─".repeat(wide - 2));
                canvas.frame(x, y, wide, rows.len() + 2, false);
                y + rows.len() + 2
            }
            Event::Mark(text) if text.is_empty() => y + 1,
            Event::Mark(text) => {
                let line = format!("─ {text} ");
                let rest = wide.saturating_sub(width(&line) + 2);
                canvas.text(0, y, &format!("{line}{}", "─".repeat(rest)));
                y + 1
            }
        }
    }
}

fn longest(rows: &[String]) -> usize {
    rows.iter().map(|row| width(row)).max().unwrap_or(0)
}
