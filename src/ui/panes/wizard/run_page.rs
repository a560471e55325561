//! The run as it goes on: steps with state and time, the log of one, then what came of it.
//!
//! The log follows the step that runs until somebody chooses another. At the end links and texts join the
//! list; after a failure what exists already and what can be done now.

use super::board::{Board, Detail};
use crate::app::Context;
use crate::app::commands::CommandId;
use crate::app::subject::is_openable;
use crate::config::theme::Role;
use crate::scaffolder::action::SideEffect;
use crate::scaffolder::run::{RunState, RunStatus, StepState, StepStatus};
use crate::ui::entity_lines::{plural, short_ref};
use crate::ui::text::{Line, span, wrap};
use crate::ui::theme::Sign;
use crate::ui::widgets::Sections;
use ratatui::layout::Rect;
use std::sync::Arc;

/// A row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A step, by index.
    Step(usize),
    /// A link of the output, by index.
    Link(usize),
    /// A text of the output, by index.
    Text(usize),
    /// Something that exists now, by index.
    Exists(usize),
    /// Where the files are.
    Folder,
    /// Something to do now.
    Act(CommandId),
}

/// What can be done at the end, for the rows that say so: command, words.
pub type Acts = Vec<(CommandId, String)>;

/// State of the page.
#[derive(Debug, Clone, Default)]
pub struct RunPage {
    /// The run as it was last told.
    pub state: Arc<RunState>,
    /// Steps and what came of them.
    pub board: Board<Row>,
    shown: Option<Row>,
}

impl RunPage {
    /// Takes a newer state.
    pub fn take(&mut self, state: Arc<RunState>, cx: &Context, acts: &Acts, area: Rect) {
        let ended_before = self.state.status != RunStatus::Processing;
        let before = self.state.steps.len();
        self.state = state;
        let (content, keys) = rows(cx, &self.state, acts);
        self.board.set(content, keys, area);
        let is_first = before == 0;
        let has_ended = self.state.status != RunStatus::Processing && !ended_before;
        if is_first || has_ended || !self.board.was_moved() {
            self.follow(has_ended, area);
        }
        self.show(cx, area);
    }

    /// Goes to what matters now: the step that runs or failed; at the end to what came of it.
    fn follow(&mut self, has_ended: bool, area: Rect) {
        let steps = &self.state.steps;
        let of = |status: StepStatus| steps.iter().position(|step| step.status == status);
        let row = match self.state.status {
            RunStatus::Completed if has_ended => self.result(),
            RunStatus::Failed => of(StepStatus::Failed).map(Row::Step),
            RunStatus::Cancelled => of(StepStatus::Cancelled).map(Row::Step),
            RunStatus::Processing | RunStatus::Completed => of(StepStatus::Processing).map(Row::Step),
        };
        if let Some(row) = row {
            self.board.select(&row, area);
        }
    }

    /// The row that says most about a result.
    fn result(&self) -> Option<Row> {
        let output = &self.state.output;
        let text = output.texts.iter().position(|text| text.is_default);
        let text = text.or_else(|| (!output.texts.is_empty()).then_some(0)).map(Row::Text);
        text.or_else(|| (!output.links.is_empty()).then_some(Row::Link(0)))
    }

    /// Shows the focused row in full.
    pub fn show(&mut self, cx: &Context, area: Rect) {
        let row = self.board.focused().cloned();
        let is_same = row == self.shown;
        let width = usize::from(if area.width >= 100 { area.width * 55 / 100 } else { area.width });
        let width = width.saturating_sub(4).max(10);
        let (title, detail) = match &row {
            Some(Row::Step(at)) => self.step(cx, *at, width),
            Some(Row::Text(at)) => match self.state.output.texts.get(*at) {
                Some(text) => {
                    let title = if text.title.is_empty() { "Text" } else { &text.title };
                    (title.to_owned(), Detail::Lines(lines_of(&text.content, width)))
                }
                None => (String::new(), Detail::None),
            },
            Some(Row::Link(at)) => match self.state.output.links.get(*at) {
                Some(link) => {
                    let target = if link.url.is_empty() { &link.entity_ref } else { &link.url };
                    (link.title.clone(), Detail::Lines(vec![vec![span(target.as_str(), Role::Link)]]))
                }
                None => (String::new(), Detail::None),
            },
            Some(Row::Exists(at)) => match self.state.exists.get(*at) {
                Some(effect) => (effect.what.clone(), Detail::Lines(effect_lines(effect, width))),
                None => (String::new(), Detail::None),
            },
            Some(Row::Folder | Row::Act(_)) | None => (String::new(), Detail::None),
        };
        let is_running = matches!(&row, Some(Row::Step(at)) if self.is_running(*at));
        if !is_same {
            self.board.is_following = is_running;
        }
        self.board.show(title, detail, is_same, area);
        self.shown = row;
    }

    fn is_running(&self, step: usize) -> bool {
        self.state.steps.get(step).is_some_and(|step| step.status == StepStatus::Processing)
    }

    /// The log of a step; after a failure the reason first.
    fn step(&self, cx: &Context, at: usize, width: usize) -> (String, Detail) {
        let Some(step) = self.state.steps.get(at) else { return (String::new(), Detail::None) };
        let title = format!("{} · {}", step.name, step.action);
        if step.error.is_empty() {
            return (title, Detail::Log(self.state.clone(), at));
        }
        let mut lines = Vec::new();
        let (sign, role) = match step.status {
            StepStatus::Failed => (Sign::Error.text(cx), Role::Error),
            _ => ("", Role::Dim),
        };
        lines.extend(
            wrap(format!("{sign} {}", step.error).trim(), width)
                .into_iter()
                .map(|line| vec![span(line, role)]),
        );
        if !step.hint.is_empty() {
            lines.extend(wrap(&step.hint, width).into_iter().map(|line| vec![span(line, Role::Text)]));
        }
        if !step.log.is_empty() {
            lines.push(Line::new());
            lines.extend(step.log.iter().map(|line| vec![span(&**line, Role::Text)]));
        }
        (title, Detail::Lines(lines))
    }
}

/// Returns what exists in full.
pub fn effect_lines(effect: &SideEffect, width: usize) -> Vec<Line> {
    let mut lines = vec![vec![span(effect.target.as_str(), Role::Link)]];
    if !effect.identity.is_empty() {
        let words = format!("as {}", effect.identity);
        lines.extend(wrap(&words, width).into_iter().map(|line| vec![span(line, Role::Accent)]));
    }
    for detail in &effect.details {
        lines.extend(wrap(detail, width).into_iter().map(|line| vec![span(line, Role::Text)]));
    }
    lines
}

/// Returns Markdown as lines to read.
fn lines_of(text: &str, width: usize) -> Vec<Line> {
    wrap(text, width).into_iter().map(|line| vec![span(line, Role::Text)]).collect()
}

/// Returns the sign and the role of a state.
pub fn sign(cx: &Context, status: StepStatus) -> (&'static str, Role) {
    match status {
        StepStatus::Open => (if cx.ascii { "." } else { "·" }, Role::Dim),
        StepStatus::Processing => (if cx.ascii { ">" } else { "▸" }, Role::Info),
        StepStatus::Completed => (Sign::Ok.text(cx), Role::Ok),
        StepStatus::Failed => (Sign::Error.text(cx), Role::Error),
        StepStatus::Skipped => ("-", Role::Dim),
        StepStatus::Cancelled => (Sign::Error.text(cx), Role::Warn),
        StepStatus::Planned => (if cx.ascii { "o" } else { "○" }, Role::Info),
        StepStatus::Unknown => (Sign::Unknown.text(cx), Role::Unknown),
    }
}

/// Returns the word of a state.
pub fn word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Open => "waits",
        StepStatus::Processing => "running",
        StepStatus::Completed => "done",
        StepStatus::Failed => "failed",
        StepStatus::Skipped => "skipped",
        StepStatus::Cancelled => "stopped",
        StepStatus::Planned => "planned",
        StepStatus::Unknown => "unknown action",
    }
}

/// Returns how long a step took or has taken so far.
fn took(cx: &Context, step: &StepState) -> String {
    let Some(started) = step.started else { return String::new() };
    let ended = step.ended.unwrap_or(cx.now);
    let milliseconds = ended.as_millisecond().saturating_sub(started.as_millisecond()).max(0);
    match milliseconds {
        ..1_000 if step.ended.is_some() => format!("{milliseconds} ms"),
        ..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!("{}m {}s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

fn rows(cx: &Context, state: &RunState, acts: &Acts) -> (Sections, Vec<Row>) {
    let folder = state.folder.as_ref().map(|folder| folder.display().to_string());
    let mut content = Sections::default();
    let mut keys = Vec::new();
    let mut add = |content: &mut Sections, row: Row, line: Line, note: Line| {
        content.row(format!("{row:?}"), line, note);
        keys.push(row);
    };
    content.heading("Steps", status_words(state));
    for (at, step) in state.steps.iter().enumerate() {
        let (sign, role) = sign(cx, step.status);
        let line = vec![span(format!("{sign} "), role), span(step.name.as_str(), Role::Text)];
        let time = took(cx, step);
        let note = match step.status {
            StepStatus::Completed | StepStatus::Open => vec![span(time, Role::Dim)],
            status => vec![span(format!("{} {time}", word(status)).trim_end(), role)],
        };
        add(&mut content, Row::Step(at), line, note);
    }
    if !acts.is_empty() {
        content.heading("What now", "");
        for (command, words) in acts {
            let key = cx.key(*command);
            add(
                &mut content,
                Row::Act(*command),
                vec![span(words.as_str(), Role::Link)],
                vec![span(key, Role::Key)],
            );
        }
    }
    let output = &state.output;
    if !output.links.is_empty() || !output.texts.is_empty() || folder.is_some() {
        content.heading("Result", "");
    }
    for (at, text) in output.texts.iter().enumerate() {
        let title = if text.title.is_empty() { "Text" } else { &text.title };
        add(&mut content, Row::Text(at), vec![span(title, Role::Text)], Line::new());
    }
    for (at, link) in output.links.iter().enumerate() {
        let target = if link.url.is_empty() { short_ref(&link.entity_ref) } else { link.url.clone() };
        let line = vec![span(link.title.as_str(), Role::Link), span(format!("  {target}"), Role::Dim)];
        add(&mut content, Row::Link(at), line, Line::new());
    }
    if let Some(folder) = folder {
        let line = vec![span("Folder", Role::Link), span(format!("  {folder}"), Role::Dim)];
        add(&mut content, Row::Folder, line, Line::new());
    }
    if !state.exists.is_empty() {
        let title = if state.status == RunStatus::Completed { "Made" } else { "Exists already" };
        content.heading(title, plural(state.exists.len(), "thing"));
        for (at, effect) in state.exists.iter().enumerate() {
            let line = vec![
                span(format!("{}  ", effect.what), Role::Text),
                span(effect.target.as_str(), Role::Link),
            ];
            add(&mut content, Row::Exists(at), line, Line::new());
        }
    }
    (content, keys)
}

fn status_words(state: &RunState) -> String {
    let done = state.steps.iter().filter(|step| step.status == StepStatus::Completed).count();
    let all = state.steps.len();
    match state.status {
        RunStatus::Processing => format!("{done} of {all} done"),
        RunStatus::Completed => "all done".to_owned(),
        RunStatus::Failed => format!("failed after {done} of {all}"),
        RunStatus::Cancelled => format!("stopped after {done} of {all}"),
    }
}

/// Returns the address behind the focused row, if it can be opened in the browser.
pub fn url<'a>(state: &'a RunState, row: &Row) -> Option<&'a str> {
    let url = match row {
        Row::Link(at) => state.output.links.get(*at)?.url.as_str(),
        Row::Exists(at) => state.exists.get(*at)?.target.as_str(),
        _ => return None,
    };
    is_openable(url).then_some(url)
}

/// Returns the entity that came of a run: of the focused row, else of the output.
pub fn entity(state: &RunState, row: Option<&Row>) -> Option<String> {
    if let Some(Row::Link(at)) = row {
        let link = state.output.links.get(*at)?;
        return (!link.entity_ref.is_empty()).then(|| link.entity_ref.clone());
    }
    let of_links = state.output.links.iter().find(|link| !link.entity_ref.is_empty());
    let of_output = state.output.value.get_attr("entityRef").ok();
    let of_output = of_output.and_then(|value| value.as_str().map(str::to_owned));
    of_links.map(|link| link.entity_ref.clone()).or(of_output.filter(|text| !text.is_empty()))
}
