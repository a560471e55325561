//! The tab that says everything about what is wrong, with the line and what to do.

use super::page::Region;
use super::thing::{Look, Thing};
use crate::config::theme::Role;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::text::{prefix, width};
use crate::ui::text::span;
use crate::ui::theme::Sign;
use crate::ui::widgets::Flow;
use crate::ui::widgets::Piece;
use ratatui::layout::Rect;

/// Returns the region of the tab.
pub fn regions(look: &Look<'_>, area: Rect) -> Vec<Region> {
    let mut flow = Flow::new(area.width);
    let problems: Vec<&Diagnostic> = look.entity.iter().flat_map(crate::catalog::Entity::problems).collect();
    if problems.is_empty() {
        flow.text("Nothing is wrong with it any more.", Role::Ok);
    }
    for (at, problem) in problems.iter().enumerate() {
        flow.blank();
        add(look, &mut flow, at, problem);
    }
    vec![Region::plain(area, flow)]
}

fn add(look: &Look<'_>, flow: &mut Flow<Thing>, at: usize, problem: &Diagnostic) {
    let sign = match problem.severity {
        Severity::Error => Sign::Error,
        Severity::Warning | Severity::Info => Sign::Warn,
    };
    let word = format!("{} {}", sign.text(look.cx), problem.severity.as_str());
    flow.pieces(
        0,
        vec![
            Piece::thing(word, sign.role(), Thing::Problem(at)),
            Piece::text(problem.code, Role::Dim),
            Piece::text(problem.pointer.as_deref().unwrap_or(""), Role::Dim),
        ],
    );
    flow.indented(2, &problem.message, Role::Text);
    if let Some(location) = &problem.location {
        flow.pieces(2, vec![Piece::text(format!("at {location}"), Role::Dim)]);
    }
    snippet(flow, problem);
    if let Some(hint) = &problem.hint {
        flow.indented(2, &format!("hint: {hint}"), Role::Info);
    }
}

/// Adds the source line with the caret below it, moved left if the caret were out of sight.
fn snippet(flow: &mut Flow<Thing>, problem: &Diagnostic) {
    let Some(line) = &problem.snippet else { return };
    let alone = Diagnostic {
        location: problem.location.clone(),
        label: problem.label.clone(),
        width: problem.width,
        snippet: Some(line.clone()),
        ..Diagnostic::error("", "")
    };
    let text = alone.render();
    let mut rows = text.lines().skip(2);
    let (Some(source), caret) = (rows.next(), rows.next()) else { return };
    let room = flow.width().saturating_sub(2).max(1);
    let start = caret.map_or(0, |caret| width(caret.trim_end_matches(|c| c != '^')));
    let skipped = start.saturating_sub(room * 2 / 3);
    for (row, role) in [(Some(source), Role::Text), (caret, Role::Error)] {
        let Some(row) = row else { continue };
        let from = prefix(row, skipped).len();
        let lead = if skipped > 0 && role == Role::Text { " …" } else { "  " };
        flow.line(vec![span(lead, Role::Dim), span(row.get(from..).unwrap_or(""), role)]);
    }
}
