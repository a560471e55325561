//! Code blocks and diagrams: a title with the number to copy by, a bar, numbers of lines.

use super::flow::Flow;
use super::{LineKind, Role};
use crate::docs::markdown::marks::Marks;
use crate::docs::markdown::page::{Code, Diagram, TextId};
use crate::model::text::{cut, width};

/// Columns to the next stop of a tab in code.
const TAB: usize = 4;

impl Flow<'_> {
    pub(super) fn code(&mut self, code: &Code) {
        self.code_title(&code.language, code.title.as_deref(), code.number);
        self.code_lines(code.text, code.first_line, &code.highlighted);
    }

    pub(super) fn diagram(&mut self, diagram: &Diagram) {
        self.code_title(&diagram.language, diagram.title.as_deref(), diagram.number);
        // In print nothing scrolls: a drawing that is too wide is told by its source
        let room = self.room().saturating_sub(2);
        let Some(drawing) = diagram.drawn.as_ref().filter(|drawing| !self.view.wrap || drawing.width <= room)
        else {
            self.code_lines(diagram.text, None, &[]);
            return;
        };
        let bar = if self.view.ascii { "| " } else { "│ " };
        for row in &drawing.rows {
            self.begin();
            self.sign(bar, Role::Frame);
            let fixed = self.cells;
            self.sign(row, Role::Diagram);
            let cells = self.cells;
            self.end_wide(LineKind::Code, fixed, cells);
        }
    }

    fn code_title(&mut self, language: &str, title: Option<&str>, number: u32) {
        self.begin();
        let start = self.cells;
        self.sign(if self.view.ascii { "+ " } else { "╭ " }, Role::Frame);
        let number = format!("[{number}]");
        let room = self.out.width.saturating_sub(self.cells + number.len() + 1);
        let words = match (title, language) {
            (Some(title), "") => title.to_owned(),
            (Some(title), language) => format!("{title} · {language}"),
            (None, language) => language.to_owned(),
        };
        let words = cut(&words, room).into_owned();
        self.sign(&words, Role::CodeTitle);
        let gap = self
            .out
            .width
            .saturating_sub(self.cells + number.len())
            .min(self.out.width.saturating_sub(start));
        self.sign(&" ".repeat(gap.max(1)), Role::Frame);
        self.sign(&number, Role::CodeNumber);
        self.end(LineKind::CodeTitle);
    }

    fn code_lines(&mut self, text: TextId, first_line: Option<u32>, highlighted: &[u32]) {
        let page = self.page;
        let code = page.text(text).text.as_str();
        let count = code.split('\n').count();
        let first = first_line.unwrap_or(1) as usize;
        let numbers = self.view.numbers && (count > 1 || first_line.is_some());
        let digits = if numbers { (first + count).to_string().len() } else { 0 };
        let bar = if self.view.ascii { "| " } else { "│ " };
        let mut from = 0;
        for (at, line) in code.split('\n').enumerate() {
            let mut rest = from..from + line.len();
            let mut begun = false;
            loop {
                self.begin();
                self.sign(bar, Role::Frame);
                if numbers {
                    let number =
                        if begun { " ".repeat(digits + 1) } else { format!("{:>digits$} ", first + at) };
                    self.sign(&number, Role::LineNumber);
                }
                let fixed = self.cells;
                let room =
                    if self.view.wrap { self.out.width.saturating_sub(fixed).max(4) } else { usize::MAX };
                let taken = self.code_line(text, code, rest.clone(), room);
                let cells = self.cells;
                self.end_wide(LineKind::Code, fixed, cells);
                if highlighted.contains(&(at as u32 + 1))
                    && let Some(line) = self.out.lines.last_mut()
                {
                    line.highlighted = true;
                }
                begun = true;
                rest.start = taken.max(rest.start + 1);
                if rest.start >= rest.end {
                    break;
                }
            }
            from += line.len() + 1;
        }
    }

    /// Writes as much of a line of code as fits; returns the byte behind it.
    fn code_line(&mut self, text: TextId, code: &str, range: std::ops::Range<usize>, room: usize) -> usize {
        let line = code.get(range.clone()).unwrap_or("");
        let mut column = 0;
        let mut at = range.start;
        for (n, part) in line.split('\t').enumerate() {
            if n > 0 {
                let stop = TAB - column % TAB;
                if column + stop > room {
                    return at;
                }
                self.span(&" ".repeat(stop), Role::Code, Marks::NONE, None, Some((text, at as u32)));
                column += stop;
                at += 1;
            }
            let cells = width(part);
            if cells <= room.saturating_sub(column) {
                self.span(part, Role::Code, Marks::NONE, None, Some((text, at as u32)));
                column += cells;
                at += part.len();
            } else {
                let head = crate::model::text::prefix(part, room - column);
                self.span(head, Role::Code, Marks::NONE, None, Some((text, at as u32)));
                return at + head.len();
            }
        }
        range.end
    }
}
