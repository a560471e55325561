//! Past runs: what was made, by which answers, and how it ended.

use crate::app::Context;
use crate::app::context::age;
use crate::config::theme::Role;
use crate::scaffolder::engine::history::PastRun;
use crate::ui::entity_lines::plural;
use crate::ui::text::{Line, span};
use crate::ui::theme::Sign;
use crate::ui::widgets::{Column, Flow, Piece};

/// Columns of the list.
pub const COLUMNS: [Column; 5] = [
    Column { title: "STATE", min: 11, weight: 0, priority: 0 },
    Column { title: "TEMPLATE", min: 18, weight: 2, priority: 0 },
    Column { title: "AGE", min: 5, weight: 0, priority: 0 },
    Column { title: "TOOK", min: 6, weight: 0, priority: 2 },
    Column { title: "MADE", min: 16, weight: 3, priority: 1 },
];

/// Returns the cells of a run.
pub fn cells(cx: &Context, run: &PastRun) -> Vec<Line> {
    let (sign, word, role) = state(cx, run);
    let made = run.exists.first().cloned().or_else(|| run.links.first().map(|(_, place)| place.clone()));
    let more =
        if run.exists.len() > 1 { format!(" and {} more", run.exists.len() - 1) } else { String::new() };
    vec![
        vec![span(format!("{sign} {word}"), role)],
        vec![span(run.title.as_str(), Role::Text)],
        vec![span(age(cx.now.as_second() - run.started.as_second()), Role::Dim)],
        vec![span(took(run), Role::Dim)],
        vec![span(format!("{}{more}", made.unwrap_or_default()), Role::Text)],
    ]
}

fn state(cx: &Context, run: &PastRun) -> (&'static str, String, Role) {
    match run.status.as_str() {
        "completed" => (Sign::Ok.text(cx), "done".to_owned(), Role::Ok),
        "failed" => (Sign::Error.text(cx), "failed".to_owned(), Role::Error),
        "cancelled" => (Sign::Warn.text(cx), "stopped".to_owned(), Role::Warn),
        // it may go on in this or another session, or was killed
        _ => (Sign::Unknown.text(cx), "unfinished".to_owned(), Role::Unknown),
    }
}

fn took(run: &PastRun) -> String {
    let Some(ended) = run.ended else { return String::new() };
    match ended.as_second() - run.started.as_second() {
        ..1 => "<1s".to_owned(),
        seconds @ 1..60 => format!("{seconds}s"),
        seconds => age(seconds),
    }
}

/// Returns everything about a run at a width.
pub fn detail(cx: &Context, run: &PastRun, cells: usize) -> Vec<Line> {
    let mut flow: Flow<()> = Flow::of_width(cells);
    let (sign, word, role) = state(cx, run);
    flow.line(vec![span(run.title.as_str(), Role::Title)]);
    flow.line(vec![span(format!("{sign} {word}"), role)]);
    if !run.error.is_empty() {
        flow.text(&run.error, Role::Error);
    }
    flow.blank();
    flow.row("template", vec![Piece::text(run.template.as_str(), Role::Dim)]);
    flow.row("began", vec![Piece::text(format!("{:.0}", run.started), Role::Text)]);
    if let Some(out) = &run.out {
        flow.row("folder", vec![Piece::text(out.display().to_string(), Role::Text)]);
    }
    let answers = run.answers.as_object();
    let count = answers.map_or(0, serde_json::Map::len);
    flow.heading("Answers", &plural(count, "answer"));
    for (name, value) in answers.into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        flow.pair(name, &text, 24, Role::Text);
    }
    if !run.secrets.is_empty() {
        let words = format!("not kept: {}", run.secrets.join(", "));
        flow.row("secrets", vec![Piece::text(words, Role::Dim)]);
    }
    if !run.exists.is_empty() || !run.links.is_empty() {
        flow.heading("Made", "");
        for thing in &run.exists {
            flow.text(thing, Role::Text);
        }
        for (title, place) in &run.links {
            flow.pair(title, place, 24, Role::Link);
        }
    }
    if !run.steps.is_empty() {
        flow.heading("Steps", &plural(run.steps.len(), "step"));
        for step in &run.steps {
            flow.pair(&step.id, &format!("{} {}", step.status, step.action), 24, Role::Text);
            if !step.error.is_empty() {
                flow.indented(2, &step.error, Role::Error);
            }
        }
    }
    flow.lines
}
