//! Diagrams drawn with lines of boxes.
//!
//! [`draw`] understands the Mermaid that documentation uses: flow charts, states, classes, entities and
//! their relations ([`graph`] lays them out), and sequences. What it does not understand it refuses as
//! a whole, and the page shows the source instead: a diagram is never half right. Bounded in boxes,
//! arrows and cells.

mod canvas;
mod flow;
mod graph;
mod models;
mod sequence;
mod states;

use crate::model::text::width;

/// A drawing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Drawing {
    /// The rows.
    pub rows: Vec<String>,
    /// Cells of the widest row.
    pub width: usize,
}

/// More source than this is shown as it is.
const LARGEST: usize = 64 * 1024;

impl Drawing {
    /// Puts rows together with what had no room in them.
    fn new(mut rows: Vec<String>, below: Vec<String>) -> Self {
        while rows.last().is_some_and(String::is_empty) {
            rows.pop();
        }
        let lead = rows
            .iter()
            .filter(|row| !row.is_empty())
            .map(|row| row.len() - row.trim_start_matches(' ').len())
            .min()
            .unwrap_or(0);
        rows.iter_mut().for_each(|row| *row = row.get(lead..).unwrap_or("").to_owned());
        while rows.first().is_some_and(String::is_empty) {
            rows.remove(0);
        }
        if !below.is_empty() {
            rows.push(String::new());
            rows.extend(below.into_iter().map(|row| crate::model::text::clean(&row).into_owned()));
        }
        let width = rows.iter().map(|row| width(row)).max().unwrap_or(0);
        Self { rows, width }
    }
}

/// Draws a Mermaid diagram; `None` when any of it is not understood.
pub fn draw(source: &str) -> Option<Drawing> {
    if source.len() > LARGEST {
        return None;
    }
    let lines: Vec<&str> = lines(source);
    let head = lines.first()?.split_whitespace().next()?;
    match head {
        "graph" | "flowchart" | "flowchart-elk" => flow::read(&lines)?.draw(),
        "stateDiagram" | "stateDiagram-v2" => states::read(&lines)?.draw(),
        "classDiagram" | "classDiagram-v2" => models::classes(&lines)?.draw(),
        "erDiagram" => models::entities(&lines)?.draw(),
        "sequenceDiagram" => sequence::draw(&lines),
        _ => None,
    }
}

/// Returns the lines that say something: without comments, directives, front matter and white space.
fn lines(source: &str) -> Vec<&str> {
    let mut lines: Vec<&str> =
        source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("%%")).collect();
    if lines.first() == Some(&"---")
        && let Some(end) = lines.iter().skip(1).position(|line| *line == "---")
    {
        lines.drain(..end + 2);
    }
    lines
}

/// Takes quotes, breaks and simple marks off a label; returns its lines.
fn label(text: &str) -> Vec<String> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(text);
    let text = text.strip_prefix('`').and_then(|inner| inner.strip_suffix('`')).unwrap_or(text);
    let text = text.replace("<br/>", "\n").replace("<br>", "\n").replace("<br />", "\n").replace("\\n", "\n");
    let text = text
        .replace("#quot;", "\"")
        .replace("#35;", "#")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    let mut lines = Vec::new();
    for line in text.split('\n') {
        // Long words in a box are told on several lines
        let mut row = String::new();
        for word in line.split_whitespace() {
            if !row.is_empty() && width(&row) + 1 + width(word) > 28 {
                lines.push(std::mem::take(&mut row));
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        lines.push(row);
    }
    lines
}

/// The label of an arrow: one line.
fn edge_label(text: &str) -> String {
    label(text).join(" ").trim().to_owned()
}
