//! Rows of cells as aligned text or CSV. Knows nothing of entities.

use super::error::CliError;
use super::output::{Output, Role};
use crate::model::text::{cut, width};
use std::fmt::Write as _;

/// A cell: cleaned text and what it means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    /// What is shown; safe for a terminal.
    pub text: String,
    /// Its colour, if it has a meaning.
    pub role: Option<Role>,
}

impl Cell {
    /// Creates a cell from foreign text.
    pub fn new(text: &str) -> Self {
        Self { text: crate::model::text::clean(text).into_owned(), role: None }
    }

    /// Sets the meaning.
    #[must_use]
    pub fn role(mut self, role: Option<Role>) -> Self {
        self.role = role;
        self
    }
}

/// Cells of space between two columns.
const GAP: usize = 2;

/// The narrowest a column gets when the terminal is too narrow, in cells.
const NARROWEST: usize = 6;

/// Prints a table for people; cut only where stdout is a terminal.
///
/// # Errors
/// When it cannot be written.
pub fn print(out: &mut Output, head: &[&str], rows: &[Vec<Cell>]) -> Result<(), CliError> {
    let widths = widths(head, rows, out.columns());
    let heads: Vec<Cell> = head.iter().map(|text| Cell::new(text).role(Some(Role::Title))).collect();
    let line = layout(&heads, &widths, out);
    out.line(&line)?;
    for row in rows {
        let line = layout(row, &widths, out);
        out.line(&line)?;
    }
    Ok(())
}

/// Returns how wide each column is: as wide as its widest cell, less for the widest ones while the line
/// does not fit.
fn widths(head: &[&str], rows: &[Vec<Cell>], limit: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = head.iter().map(|text| width(text)).collect();
    for row in rows {
        for (cell, column) in row.iter().zip(&mut widths) {
            *column = width(&cell.text).max(*column);
        }
    }
    let Some(limit) = limit else { return widths };
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > limit {
        match widths.iter_mut().max_by_key(|column| **column) {
            Some(widest) if *widest > NARROWEST => *widest -= 1,
            _ => break,
        }
    }
    widths
}

fn layout(row: &[Cell], widths: &[usize], out: &Output) -> String {
    let mut line = String::new();
    let mut missing = 0;
    for (cell, column) in row.iter().zip(widths) {
        let shown = cut(&cell.text, *column);
        let _ = write!(line, "{:missing$}", "");
        match cell.role {
            Some(role) => line.push_str(&out.paint(role, &shown)),
            None => line.push_str(&shown),
        }
        // Space is written before the next cell only, so that no line ends in it
        missing = column - width(&shown) + GAP;
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

/// Prints rows as CSV (RFC 4180, with a header).
///
/// # Errors
/// When it cannot be written.
pub fn csv(out: &mut Output, head: &[&str], rows: &[Vec<Cell>]) -> Result<(), CliError> {
    let heads: Vec<String> = head.iter().map(|text| text.to_lowercase()).collect();
    out.text(&csv_line(heads.iter().map(String::as_str)))?;
    for row in rows {
        out.text(&csv_line(row.iter().map(|cell| cell.text.as_str())))?;
    }
    Ok(())
}

fn csv_line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = cells
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.to_owned()
            }
        })
        .collect();
    quoted.join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<Cell>> {
        rows.iter().map(|row| row.iter().map(|cell| Cell::new(cell)).collect()).collect()
    }

    #[test]
    fn the_widest_column_gives_way() {
        let rows = rows(&[&["a-rather-long-name", "api"], &["名前", "component"]]);
        assert_eq!(widths(&["NAME", "KIND"], &rows, None), [18, 9]);
        assert_eq!(widths(&["NAME", "KIND"], &rows, Some(22)), [11, 9]);
        assert_eq!(widths(&["NAME", "KIND"], &rows, Some(3)), [6, 6]);
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        assert_eq!(csv_line(["a", "b,c", "d\"e", ""].into_iter()), "a,\"b,c\",\"d\"\"e\",\r\n");
    }
}
