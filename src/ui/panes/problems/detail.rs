//! One problem in full: message, place, the line with its caret, what to do.

use crate::app::Context;
use crate::config::theme::Role;
use crate::diagnostic::Diagnostic;
use crate::model::text;
use crate::ui::text::{Line, span, wrap};

/// Widest running text.
const READING: usize = 100;
/// Longest part of a source line that is looked at, in characters.
const SNIPPET: usize = 2000;

/// Returns the lines at a width.
pub fn lines(cx: &Context, diagnostic: &Diagnostic, width: usize) -> Vec<Line> {
    let width = width.min(READING);
    let mut lines: Vec<Line> = vec![super::severity(cx, diagnostic.severity), Vec::new()];
    paragraph(&mut lines, &diagnostic.message, width, Role::Text);
    if let Some(location) = &diagnostic.location {
        lines.push(Vec::new());
        paragraph(&mut lines, &location.to_string(), width, Role::Link);
        if let Some(snippet) = &diagnostic.snippet {
            source_line(cx, &mut lines, diagnostic, snippet, location.line, location.column, width);
        }
    }
    if let Some(hint) = &diagnostic.hint {
        lines.push(Vec::new());
        lines.push(vec![span("what to do", Role::Title)]);
        paragraph(&mut lines, hint, width, Role::Text);
    }
    let facts = [
        ("entity", diagnostic.entity.as_deref()),
        ("pointer", diagnostic.pointer.as_deref()),
        ("source", diagnostic.source.as_deref()),
    ];
    if facts.iter().any(|(_, value)| value.is_some()) {
        lines.push(Vec::new());
    }
    for (name, value) in facts {
        if let Some(value) = value {
            lines.push(vec![span(format!("{name:<9}"), Role::Dim), span(value, Role::Text)]);
        }
    }
    lines
}

fn paragraph(lines: &mut Vec<Line>, content: &str, width: usize, role: Role) {
    lines.extend(wrap(content, width).into_iter().map(|line| vec![span(line, role)]));
}

/// The line of the file with the mistake underlined; the start is left out when the caret would not fit.
fn source_line(
    cx: &Context,
    lines: &mut Vec<Line>,
    diagnostic: &Diagnostic,
    snippet: &str,
    number: u32,
    column: u32,
    width: usize,
) {
    let prefix = format!("{number} {} ", if cx.ascii { "|" } else { "│" });
    let room = width.saturating_sub(text::width(&prefix)).max(1);
    let all: Vec<char> = text::clean(snippet).chars().take(SNIPPET).collect();
    let at = (column.max(1) as usize - 1).min(all.len());
    let under = (diagnostic.width as usize).clamp(1, room);
    let skipped = if at + under > room { (at + under).saturating_sub(room).min(at) } else { 0 };
    let shown: String = all.iter().skip(skipped).collect();
    lines.push(vec![span(prefix.clone(), Role::Dim), span(text::cut(&shown, room), Role::Text)]);
    if column == 0 || at >= SNIPPET {
        return;
    }
    let before: String = all.iter().skip(skipped).take(at - skipped).collect();
    let marked: String = all.iter().skip(at).take(under).collect();
    let pad = " ".repeat(text::width(&prefix) + text::width(&before));
    let carets = "^".repeat(text::width(&marked).max(1));
    lines.push(vec![span(format!("{pad}{carets}"), Role::Error)]);
    if let Some(label) = &diagnostic.label {
        let indent = text::width(&pad).min(width / 2);
        lines.extend(
            wrap(label, width - indent)
                .into_iter()
                .map(|line| vec![span(format!("{}{line}", " ".repeat(indent)), Role::Error)]),
        );
    }
}
