//! Tables: the columns are fitted by termimad, and so are the words of a cell.
//!
//! termimad draws a table of one style per cell and drops columns that do not fit. Only its fitting is
//! used: the rows are put together here, where cells keep their links and a table that is too wide
//! scrolls sideways (or, in print, becomes a list of rows).

use super::flow::Flow;
use super::wrap::wrap;
use super::{LineKind, Role};
use crate::docs::markdown::page::{Align, Table, TextId};
use crate::model::text::width;
use std::ops::Range;
use termimad::TblFit;

/// A column that is cut narrower than its longest word, and than this, is no longer readable.
const READABLE: usize = 16;

/// The widest column of a table that scrolls.
const WIDEST: usize = 60;

/// Cells between columns.
const GAP: usize = 3;

/// How columns were fitted.
enum Fit {
    /// Widths of the columns.
    Columns(Vec<usize>),
    /// One line per cell.
    Rows,
}

impl Flow<'_> {
    pub(super) fn table(&mut self, table: &Table) {
        let columns =
            table.aligns.len().max(table.head.len()).max(table.rows.iter().map(Vec::len).max().unwrap_or(0));
        if columns == 0 {
            return;
        }
        match self.fit(table, columns) {
            Fit::Columns(widths) => self.columns(table, &widths),
            Fit::Rows => self.rows(table),
        }
    }

    fn fit(&self, table: &Table, columns: usize) -> Fit {
        let room = self.room();
        let mut natural = vec![1; columns];
        let mut longest = vec![1; columns];
        let all = std::iter::once(&table.head).chain(&table.rows);
        for (at, id) in all.flat_map(|row| row.iter().enumerate()) {
            let text = &self.page.text(*id).text;
            let (Some(natural), Some(longest)) = (natural.get_mut(at), longest.get_mut(at)) else { continue };
            *natural = text.split('\n').map(width).max().unwrap_or(0).max(*natural);
            *longest = text.split_whitespace().map(width).max().unwrap_or(0).max(*longest);
        }
        let gaps = GAP * (columns - 1);
        if natural.iter().sum::<usize>() + gaps <= room {
            return Fit::Columns(natural);
        }
        // termimad counts one cell for each border, and we draw other ones
        let fitted = TblFit::new(columns, (room + 1 + columns).saturating_sub(gaps)).ok().map(|mut fit| {
            let all = std::iter::once(&table.head).chain(&table.rows);
            for (at, id) in all.flat_map(|row| row.iter().enumerate()) {
                fit.see_cell(at, width(&self.page.text(*id).text));
            }
            fit.fit().col_widths
        });
        let readable = |widths: &[usize]| {
            widths.iter().zip(&longest).all(|(width, word)| width >= word || *width >= READABLE)
        };
        match fitted {
            Some(widths) if widths.iter().sum::<usize>() + gaps > room => {
                if self.view.wrap {
                    Fit::Rows
                } else {
                    Fit::Columns(natural.iter().map(|width| (*width).min(WIDEST)).collect())
                }
            }
            Some(widths) if readable(&widths) => Fit::Columns(widths),
            Some(widths) if self.view.wrap => Fit::Columns(widths),
            None if self.view.wrap => Fit::Rows,
            _ => {
                let widths = natural.iter().zip(&longest);
                Fit::Columns(
                    widths
                        .map(|(natural, longest)| (*natural).min(WIDEST.min(READABLE.max(*longest) + 8)))
                        .collect(),
                )
            }
        }
    }

    fn columns(&mut self, table: &Table, widths: &[usize]) {
        let mut rows = Vec::new();
        if !table.head.is_empty() {
            rows.push((&table.head, Role::TableHead));
        }
        rows.extend(table.rows.iter().map(|row| (row, Role::Text)));
        let cells: Vec<(Vec<Vec<Range<usize>>>, Role)> =
            rows.iter().map(|(row, role)| (self.cells_of(row, widths), *role)).collect();
        let tall =
            cells.iter().any(|(row, role)| *role == Role::Text && row.iter().any(|lines| lines.len() > 1));
        let count = rows.len();
        for (at, ((row, role), (lines, _))) in rows.iter().zip(&cells).enumerate() {
            self.row(table, row, *role, widths, lines);
            if *role == Role::TableHead || tall && at + 1 < count {
                self.rule(widths, *role == Role::TableHead);
            }
        }
    }

    /// Returns the lines of each cell, as bytes of its text.
    fn cells_of(&self, row: &[TextId], widths: &[usize]) -> Vec<Vec<Range<usize>>> {
        let cell = |(id, width): (&TextId, &usize)| {
            let mut lines = Vec::new();
            let mut from = 0;
            for piece in self.page.text(*id).text.split('\n') {
                lines.extend(
                    wrap(piece, *width).into_iter().map(|range| from + range.start..from + range.end),
                );
                from += piece.len() + 1;
            }
            lines
        };
        row.iter().zip(widths).map(cell).collect()
    }

    fn row(
        &mut self,
        table: &Table,
        row: &[TextId],
        role: Role,
        widths: &[usize],
        lines: &[Vec<Range<usize>>],
    ) {
        let bar = if self.view.ascii { " | " } else { " │ " };
        let height = lines.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for n in 0..height {
            self.begin();
            let fixed = self.cells;
            for (at, cells) in widths.iter().enumerate() {
                if at > 0 {
                    self.sign(bar, Role::TableRule);
                }
                let range = lines.get(at).and_then(|lines| lines.get(n)).cloned();
                let (Some(range), Some(id)) = (range, row.get(at)) else {
                    self.sign(&" ".repeat(*cells), Role::Text);
                    continue;
                };
                let taken = width(self.page.text(*id).text.get(range.clone()).unwrap_or(""));
                let free = cells.saturating_sub(taken);
                let left = match table.aligns.get(at).copied().unwrap_or_default() {
                    Align::Left => 0,
                    Align::Center => free / 2,
                    Align::Right => free,
                };
                self.sign(&" ".repeat(left), Role::Text);
                self.stretch(*id, role, range, &mut 0);
                self.sign(&" ".repeat(free - left), Role::Text);
            }
            let cells = self.cells;
            self.end_wide(LineKind::Table, fixed, cells);
        }
    }

    fn rule(&mut self, widths: &[usize], _head: bool) {
        self.begin();
        let fixed = self.cells;
        let (line, cross) = if self.view.ascii { ("-", "-+-") } else { ("─", "─┼─") };
        let parts: Vec<String> = widths.iter().map(|cells| line.repeat(*cells)).collect();
        self.sign(&parts.join(cross), Role::TableRule);
        let cells = self.cells;
        self.end_wide(LineKind::Table, fixed, cells);
    }

    /// A table with more columns than fit: each row becomes a short list.
    fn rows(&mut self, table: &Table) {
        let page = self.page;
        for (n, row) in table.rows.iter().enumerate() {
            if n > 0 {
                self.begin();
                let line = if self.view.ascii { "-" } else { "─" };
                let room = self.room().min(20);
                self.sign(&line.repeat(room), Role::TableRule);
                self.end(LineKind::Table);
            }
            for (at, id) in row.iter().enumerate() {
                if page.text(*id).text.is_empty() {
                    continue;
                }
                if let Some(head) = table.head.get(at).filter(|head| !page.text(**head).text.is_empty()) {
                    self.text(*head, Role::TableHead);
                }
                self.within(None, ("  ".to_owned(), Role::Text), |flow| flow.text(*id, Role::Text));
            }
        }
        if table.rows.is_empty() {
            for head in &table.head {
                self.text(*head, Role::TableHead);
            }
        }
    }
}
