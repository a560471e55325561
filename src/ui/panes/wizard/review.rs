//! The review: answers, what would be done outside and as whom, files with what changes in them.
//!
//! It shows what a dry run found; nothing is done before `create`. A file that is there already and differs
//! wants a decision of its own.

use super::board::{Board, Detail};
use super::run_page::{effect_lines, sign, word};
use super::tree::{self, TreeLine};
use crate::app::Context;
use crate::app::templates::Reviewed;
use crate::config::theme::Role;
use crate::scaffolder::diff::{FileDiff, LineKind};
use crate::scaffolder::run::{Decision, Decisions, FileChange};
use crate::ui::entity_lines::plural;
use crate::ui::text::{Line, span, wrap};
use crate::ui::theme::Sign;
use crate::ui::widgets::Sections;
use ratatui::layout::Rect;
use std::sync::Arc;

/// A row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Something missing or wrong: the pointer of its field.
    Gap(String),
    /// An answer: the pointer of its field.
    Answer(String),
    /// A step, by index.
    Step(usize),
    /// A side effect, by index.
    Effect(usize),
    /// A warning, by index.
    Warning(usize),
    /// A file, by index.
    File(usize),
    /// Where the files go.
    Folder,
    /// The button.
    Create,
}

/// An answer as the review shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Pointer of its field.
    pub pointer: String,
    /// Title of its page.
    pub page: String,
    /// Title of the field.
    pub title: String,
    /// What was answered; secrets as bullets.
    pub text: String,
}

/// What the review is made of.
pub struct Facts<'a> {
    /// All answers.
    pub answers: &'a [Answer],
    /// Pointer and message of what is missing or wrong.
    pub gaps: &'a [(String, String)],
    /// What the dry run found; `None` while the first one runs.
    pub reviewed: Option<&'a Arc<Reviewed>>,
    /// Why there is no dry run.
    pub failure: Option<&'a str>,
    /// A newer dry run is on its way.
    pub is_running: bool,
    /// What is decided about files that are there.
    pub decisions: &'a Decisions,
    /// The folder that the files go to instead of being published.
    pub out: Option<&'a std::path::Path>,
    /// Label of the button.
    pub create: &'a str,
}

/// State of the page.
#[derive(Debug, Clone, Default)]
pub struct ReviewPage {
    /// The rows.
    pub board: Board<Row>,
    shown: Option<Row>,
}

impl ReviewPage {
    /// Makes the rows anew.
    pub fn take(&mut self, cx: &Context, facts: &Facts<'_>, area: Rect) {
        let (content, keys) = rows(cx, facts);
        self.board.set(content, keys, area);
        self.shown = None;
        self.show(facts, area);
    }

    /// Shows the focused row in full.
    pub fn show(&mut self, facts: &Facts<'_>, area: Rect) {
        let row = self.board.focused().cloned();
        let is_same = row == self.shown;
        let cells = if area.width >= 100 { area.width * 55 / 100 } else { area.width };
        let width = usize::from(cells.saturating_sub(4)).max(10);
        let review = facts.reviewed.map(|reviewed| &reviewed.review);
        let lines = |text: &str, role: Role| -> Vec<Line> {
            wrap(text, width).into_iter().map(|line| vec![span(line, role)]).collect()
        };
        let (title, detail) = match &row {
            Some(Row::Gap(pointer)) => {
                let gap = facts.gaps.iter().find(|(other, _)| other == pointer);
                let text = gap.map_or("", |(_, message)| message.as_str());
                ("missing or wrong".to_owned(), Detail::Lines(lines(text, Role::Error)))
            }
            Some(Row::Answer(pointer)) => {
                match facts.answers.iter().find(|answer| answer.pointer == *pointer) {
                    Some(answer) => (answer.title.clone(), Detail::Lines(lines(&answer.text, Role::Text))),
                    None => (String::new(), Detail::None),
                }
            }
            Some(Row::Step(at)) => match review.and_then(|review| review.steps.get(*at)) {
                Some(step) => {
                    let mut all = lines(&step.error, Role::Warn);
                    all.extend(lines(&step.hint, Role::Text));
                    all.extend(step.log.iter().map(|line| vec![span(&**line, Role::Text)]));
                    (format!("{} · {}", step.name, step.action), Detail::Lines(all))
                }
                None => (String::new(), Detail::None),
            },
            Some(Row::Effect(at)) => match review.and_then(|review| review.effects.get(*at)) {
                Some((_, effect)) => (effect.what.clone(), Detail::Lines(effect_lines(effect, width))),
                None => (String::new(), Detail::None),
            },
            Some(Row::Warning(at)) => match review.and_then(|review| review.warnings.get(*at)) {
                Some(warning) => ("warning".to_owned(), Detail::Lines(lines(warning, Role::Warn))),
                None => (String::new(), Detail::None),
            },
            Some(Row::File(at)) => match review.and_then(|review| review.files.get(*at)) {
                Some(file) => (file.path.clone(), Detail::Lines(diff_lines(file))),
                None => (String::new(), Detail::None),
            },
            Some(Row::Create | Row::Folder) | None => (String::new(), Detail::None),
        };
        self.board.show(title, detail, is_same, area);
        self.shown = row;
    }
}

/// Returns whether a file is there already and differs, so that somebody has to decide.
pub fn is_conflict(reviewed: &Reviewed, at: usize) -> bool {
    let is_same = reviewed.amounts.get(at).is_some_and(|amount| amount.is_same);
    reviewed.review.files.get(at).is_some_and(|file| file.before.is_some()) && !is_same
}

/// Returns the paths of files that want a decision and have none.
pub fn undecided<'a>(reviewed: &'a Reviewed, decisions: &Decisions) -> Vec<&'a str> {
    let files = reviewed.review.files.iter().enumerate();
    files
        .filter(|(at, file)| is_conflict(reviewed, *at) && decisions.of(&file.path).is_none())
        .map(|(_, file)| file.path.as_str())
        .collect()
}

/// Returns the next decision about a file: keep, replace, both, keep.
pub fn next_decision(now: Option<Decision>) -> Decision {
    match now {
        None | Some(Decision::Both) => Decision::Keep,
        Some(Decision::Keep) => Decision::Replace,
        Some(Decision::Replace) => Decision::Both,
    }
}

/// Returns the comparison of a file as lines.
pub fn diff_lines(file: &FileChange) -> Vec<Line> {
    let diff = FileDiff::of(file);
    let number = |at: Option<usize>| at.map(|at| at.to_string()).unwrap_or_default();
    let has_old = file.before.is_some();
    diff.lines
        .into_iter()
        .map(|line| {
            let (sign, role) = match line.kind {
                LineKind::Same => (" ", Role::Text),
                LineKind::Added => ("+", Role::Ok),
                LineKind::Removed => ("-", Role::Error),
                LineKind::Note => return vec![span(line.text, Role::Dim)],
            };
            let numbers = if has_old {
                format!("{:>4} {:>4} ", number(line.old), number(line.new))
            } else {
                format!("{:>4} ", number(line.new))
            };
            let text = line.text.replace('\t', "    ");
            vec![span(numbers, Role::Dim), span(format!("{sign} {text}"), role)]
        })
        .collect()
}

fn rows(cx: &Context, facts: &Facts<'_>) -> (Sections, Vec<Row>) {
    let mut content = Sections::default();
    let mut keys: Vec<Row> = Vec::new();
    let mut add = |content: &mut Sections, row: Row, line: Line, note: Line| {
        content.row(format!("{row:?}"), line, note);
        keys.push(row);
    };
    if !facts.gaps.is_empty() {
        content.heading("Missing or wrong", plural(facts.gaps.len(), "answer"));
        for (pointer, message) in facts.gaps {
            let line = vec![span(format!("{} {message}", Sign::Error.text(cx)), Role::Error)];
            add(&mut content, Row::Gap(pointer.clone()), line, Line::new());
        }
    }
    let mut page = None;
    for answer in facts.answers {
        if page != Some(&answer.page) {
            content.heading(answer.page.as_str(), "");
            page = Some(&answer.page);
        }
        let first = answer.text.lines().next().unwrap_or_default();
        let more = if answer.text.lines().nth(1).is_some() { " …" } else { "" };
        let title = crate::model::text::cut(&answer.title, TITLE).into_owned();
        let gap = TITLE + 2 - crate::model::text::width(&title);
        let line = vec![
            span(title, Role::Dim),
            span(" ".repeat(gap), Role::Text),
            if first.is_empty() { span("-", Role::Dim) } else { span(format!("{first}{more}"), Role::Text) },
        ];
        add(&mut content, Row::Answer(answer.pointer.clone()), line, Line::new());
    }
    match facts.reviewed {
        Some(reviewed) => found(cx, facts, reviewed, &mut content, &mut add),
        None => {
            content.heading("Dry run", "");
            let words = match facts.failure {
                Some(failure) => vec![span(format!("{} {failure}", Sign::Error.text(cx)), Role::Error)],
                None => vec![span("running; nothing is changed by it", Role::Info)],
            };
            content.text(words);
        }
    }
    let why = why_not(facts);
    content.heading(if why.is_empty() { "Nothing has been done so far" } else { "Not yet" }, why.as_str());
    let role = if why.is_empty() { Role::Link } else { Role::Dim };
    add(&mut content, Row::Create, vec![span(format!("[ {} ]", facts.create), role)], Line::new());
    (content, keys)
}

/// Cells of the titles of answers.
const TITLE: usize = 22;

fn found(
    cx: &Context,
    facts: &Facts<'_>,
    reviewed: &Reviewed,
    content: &mut Sections,
    add: &mut impl FnMut(&mut Sections, Row, Line, Line),
) {
    let review = &reviewed.review;
    let note = match (facts.is_running, facts.failure) {
        (true, _) => "reading again".to_owned(),
        (false, Some(failure)) => format!("older than the answers: {failure}"),
        (false, None) => String::new(),
    };
    content.heading("What will be done", note);
    for (at, step) in review.steps.iter().enumerate() {
        let (sign, role) = sign(cx, step.status);
        let line = vec![span(format!("{sign} "), role), span(step.name.as_str(), Role::Text)];
        let effects: Vec<usize> = (0..review.effects.len())
            .filter(|effect| review.effects.get(*effect).is_some_and(|(of, _)| *of == at))
            .collect();
        let note = match step.status {
            crate::scaffolder::run::StepStatus::Completed => step.action.clone(),
            status => format!("{} · {}", word(status), step.action),
        };
        add(content, Row::Step(at), line, vec![span(note, role_of_note(step.status))]);
        for index in effects {
            let Some((_, effect)) = review.effects.get(index) else { continue };
            let mut line = vec![
                span("    ", Role::Text),
                span(format!("{}  ", effect.what), Role::Warn),
                span(effect.target.as_str(), Role::Link),
            ];
            if !effect.identity.is_empty() {
                line.push(span(format!("  as {}", effect.identity), Role::Dim));
            }
            add(content, Row::Effect(index), line, Line::new());
        }
    }
    let place = match facts.out {
        Some(out) => span(out.display().to_string(), Role::Accent),
        None => span("where the template puts them", Role::Dim),
    };
    let line = vec![span("Files go to  ", Role::Text), place];
    add(content, Row::Folder, line, vec![span("enter changes", Role::Dim)]);
    if !review.warnings.is_empty() {
        content.heading("Warnings", plural(review.warnings.len(), "warning"));
        for (at, warning) in review.warnings.iter().enumerate() {
            let first = warning.lines().next().unwrap_or_default();
            let line = vec![span(format!("{} {first}", Sign::Warn.text(cx)), Role::Warn)];
            add(content, Row::Warning(at), line, Line::new());
        }
    }
    files(cx, reviewed, facts.decisions, content, |content, at, line, note| {
        add(content, Row::File(at), line, note);
    });
}

fn role_of_note(status: crate::scaffolder::run::StepStatus) -> Role {
    match status {
        crate::scaffolder::run::StepStatus::Failed => Role::Error,
        crate::scaffolder::run::StepStatus::Unknown => Role::Unknown,
        _ => Role::Dim,
    }
}

/// Adds the files as a tree.
fn files(
    cx: &Context,
    reviewed: &Reviewed,
    decisions: &Decisions,
    content: &mut Sections,
    mut add: impl FnMut(&mut Sections, usize, Line, Line),
) {
    let files = &reviewed.review.files;
    content.heading("Files", file_words(reviewed));
    for line in tree::lines(files.iter().map(|file| file.path.as_str())) {
        match line {
            TreeLine::Folder(name, depth) => content.text(tree::folder(&name, depth)),
            TreeLine::File(at, depth) => {
                let Some(file) = files.get(at) else { continue };
                let amount = reviewed.amounts.get(at).copied().unwrap_or_default();
                let is_there = file.before.is_some();
                let note = tree::note(cx, amount, is_there, decisions.of(&file.path));
                add(content, at, tree::file(&file.path, depth, amount, is_there), note);
            }
        }
    }
}

/// Returns how many files are made and changed, in words.
pub fn file_words(reviewed: &Reviewed) -> String {
    let files = &reviewed.review.files;
    let new = files.iter().filter(|file| file.before.is_none()).count();
    let changed = (0..files.len()).filter(|at| is_conflict(reviewed, *at)).count();
    let mut words = vec![format!("{new} new")];
    if changed > 0 {
        words.push(format!("{changed} changed"));
    }
    let same = files.len() - new - changed;
    if same > 0 {
        words.push(format!("{same} the same"));
    }
    words.join(", ")
}

/// Returns why nothing can be created now; empty when it can.
pub fn why_not(facts: &Facts<'_>) -> String {
    if !facts.gaps.is_empty() {
        return format!("{} missing or wrong", plural(facts.gaps.len(), "answer"));
    }
    if facts.is_running || (facts.reviewed.is_none() && facts.failure.is_none()) {
        return "the dry run goes on".to_owned();
    }
    if let Some(failure) = facts.failure {
        return failure.to_owned();
    }
    let unknown = |reviewed: &&Arc<Reviewed>| {
        let steps = &reviewed.review.steps;
        let is_unknown = |status| status == crate::scaffolder::run::StepStatus::Unknown;
        steps.iter().find(|step| is_unknown(step.status)).map(|step| step.action.clone())
    };
    if let Some(action) = facts.reviewed.as_ref().and_then(unknown) {
        return format!("nobody here knows the action `{action}`");
    }
    let waits = facts.reviewed.map_or(0, |reviewed| undecided(reviewed, facts.decisions).len());
    match waits {
        0 => String::new(),
        _ => format!("{} to decide about: keep or replace", plural(waits, "file")),
    }
}
