//! What the rows of both places say: cells of the list, and the row in full.

use crate::app::context::age;
use crate::catalog::compare::Comparison;
use crate::catalog::diff::{EntityChange, EntityNote, FieldChange, Problem, RelationChange};
use crate::catalog::history::{Change, Cut, Deed, History};
use crate::config::theme::Role;
use crate::diagnostic::Severity;
use crate::model::relation;
use crate::model::text::{cut, width as width_of};
use crate::ui::entity_lines::short_ref;
use crate::ui::text::{Line, line_width, span, wrap};
use jiff::Timestamp;

/// Longest value on one line of the row in full, in cells.
const VALUE: usize = 400;
/// Fields named in a cell.
const FIELDS: usize = 3;

/// One row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    /// Tells rows apart, so that the cursor stays on its row.
    pub key: String,
    /// Cells in the order of the columns.
    pub cells: Vec<Line>,
    /// What stands above the row in full.
    pub title: String,
    /// The row in full.
    pub detail: Vec<Line>,
    /// Canonical ref of the entity that it is about.
    pub entity: Option<String>,
    /// The commit that it is about.
    pub commit: Option<String>,
    /// Its message.
    pub subject: String,
}

fn row(change: (&str, Role), what: &str, how: &str, place: &str) -> Row {
    Row {
        key: format!("{} {what} {place}", change.0),
        cells: vec![
            vec![span(change.0, change.1)],
            vec![span(what, Role::Text)],
            vec![span(how, Role::Dim)],
            vec![span(place, Role::Link)],
        ],
        title: what.to_owned(),
        ..Row::default()
    }
}

/// Makes the rows of a comparison: what matters most first.
pub(super) fn of_diff(found: &Comparison) -> Vec<Row> {
    let diff = &found.diff;
    let problems = diff.problems.introduced.iter().map(|problem| of_problem(problem, "problem"));
    let mut rows: Vec<Row> = problems.collect();
    rows.extend(diff.added.iter().map(|note| of_note(note, ("+ added", Role::Ok))));
    rows.extend(diff.removed.iter().map(|note| of_note(note, ("- removed", Role::Error))));
    rows.extend(diff.changed.iter().map(of_change));
    rows.extend(diff.moved.iter().map(|moved| Row {
        entity: Some(moved.entity_ref.clone()),
        detail: vec![facts("from", &moved.from), facts("to", &moved.to)],
        ..row(
            ("> moved", Role::Info),
            &short_ref(&moved.entity_ref),
            &format!("from {}", moved.from),
            &moved.to,
        )
    }));
    rows.extend(diff.owners.iter().map(|owner| {
        let end = |text: &Option<String>| text.as_deref().map_or("nobody".to_owned(), short_ref);
        let how = format!("{} → {}", end(&owner.old), end(&owner.new));
        Row {
            entity: Some(owner.entity_ref.clone()),
            detail: vec![facts("old owner", &end(&owner.old)), facts("new owner", &end(&owner.new))],
            ..row(("~ owner", Role::Warn), &short_ref(&owner.entity_ref), &how, "")
        }
    }));
    rows.extend(diff.relations.gained.iter().map(|change| of_relation(change, ("+ gained", Role::Ok))));
    rows.extend(diff.relations.lost.iter().map(|change| of_relation(change, ("- lost", Role::Error))));
    rows.extend(diff.problems.solved.iter().map(|problem| of_problem(problem, "solved")));
    rows
}

/// Breaks a line that is longer than its region, below its text and not below its label.
pub(super) fn wrapped(line: &Line, width: usize) -> Vec<Line> {
    if line_width(line) <= width {
        return vec![line.clone()];
    }
    let (label, text) = match line.as_slice() {
        [text] => (None, text),
        [label, text] => (Some(label), text),
        _ => return vec![line.clone()],
    };
    let indent = label.map_or(2, |label| width_of(&label.text));
    let pieces = wrap(&text.text, width.saturating_sub(indent).max(1));
    let lines = pieces.into_iter().enumerate().map(|(at, piece)| match (label, at) {
        (Some(label), 0) => vec![label.clone(), span(piece, text.role)],
        (None, 0) => vec![span(piece, text.role)],
        _ => vec![span(" ".repeat(indent), Role::Dim), span(piece, text.role)],
    });
    lines.collect()
}

fn facts(label: &str, text: &str) -> Line {
    vec![span(format!("{label:<10} "), Role::Dim), span(text, Role::Text)]
}

fn of_note(note: &EntityNote, change: (&str, Role)) -> Row {
    let place = format!("{}:{}", note.file, note.line);
    let owner = note.owner.as_deref().map(short_ref).unwrap_or_default();
    let how = [note.r#type.as_deref().unwrap_or(""), &owner];
    let how: Vec<&str> = how.into_iter().filter(|text| !text.is_empty()).collect();
    let mut detail = vec![facts("ref", &note.entity_ref)];
    for (label, text) in [
        ("title", note.title.as_deref().unwrap_or("")),
        ("type", note.r#type.as_deref().unwrap_or("")),
        ("owner", &owner),
        ("file", &place),
    ] {
        if !text.is_empty() {
            detail.push(facts(label, text));
        }
    }
    Row {
        entity: Some(note.entity_ref.clone()),
        detail,
        ..row(change, &short_ref(&note.entity_ref), &how.join(", "), &place)
    }
}

fn of_change(change: &EntityChange) -> Row {
    let place = format!("{}:{}", change.file, change.line);
    let names: Vec<&str> = change.fields.iter().take(FIELDS).map(|field| field.field.as_str()).collect();
    let more = change.fields.len() + change.more_fields - names.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut detail = vec![facts("ref", &change.entity_ref), facts("file", &place), Vec::new()];
    detail.extend(change.fields.iter().flat_map(of_field));
    if change.more_fields > 0 {
        detail.push(vec![span(format!("and {} more fields", change.more_fields), Role::Dim)]);
    }
    Row {
        entity: Some(change.entity_ref.clone()),
        detail,
        ..row(
            ("~ changed", Role::Warn),
            &short_ref(&change.entity_ref),
            &format!("{}{more}", names.join(", ")),
            &place,
        )
    }
}

fn of_field(field: &FieldChange) -> Vec<Line> {
    let mut out = vec![vec![span(field.field.as_str(), Role::Accent)]];
    for (sign, value, role) in [("- ", &field.old, Role::Error), ("+ ", &field.new, Role::Ok)] {
        let text = match value {
            None => continue,
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        for line in text.lines().take(50) {
            out.push(vec![span(format!("  {sign}{}", cut(line, VALUE)), role)]);
        }
    }
    out
}

fn of_relation(change: &RelationChange, sign: (&str, Role)) -> Row {
    let words = relation::words(&change.r#type);
    let how = format!("{words} {} ({})", short_ref(&change.target_ref), change.because.words());
    Row {
        key: format!("{} {} {} {}", sign.0, change.source_ref, change.r#type, change.target_ref),
        entity: Some(change.source_ref.clone()),
        detail: vec![
            facts("source", &change.source_ref),
            facts("relation", &words),
            facts("target", &change.target_ref),
            facts("because", change.because.words()),
        ],
        ..row(sign, &short_ref(&change.source_ref), &how, "")
    }
}

fn of_problem(problem: &Problem, word: &str) -> Row {
    let role = match (word, problem.severity) {
        ("solved", _) => Role::Ok,
        (_, Severity::Error) => Role::Error,
        (_, Severity::Warning) => Role::Warn,
        (_, Severity::Info) => Role::Info,
    };
    let sign = if word == "solved" { "- solved" } else { "! problem" };
    let about = problem.entity_ref.as_deref().map_or_else(|| problem.code.to_owned(), short_ref);
    let place = match (&problem.file, problem.line) {
        (Some(file), 0) => file.clone(),
        (Some(file), line) => format!("{file}:{line}"),
        (None, _) => String::new(),
    };
    let mut detail = vec![
        facts("severity", problem.severity.as_str()),
        facts("code", problem.code),
        facts("where", &place),
        Vec::new(),
    ];
    let message = wrap(&problem.message, 90);
    detail.extend(message.into_iter().map(|line| vec![span(line, Role::Text)]));
    Row {
        key: format!("{sign} {} {} {place}", problem.code, problem.message),
        entity: problem.entity_ref.clone(),
        detail,
        ..row((sign, role), &about, &problem.message, &place)
    }
}

/// Returns the sentence about a whole history.
pub(super) fn history_note(found: &History) -> String {
    let cut = match found.cut {
        None => "",
        Some(Cut::Shallow) => "; older changes are not here: the clone is shallow (`git fetch --unshallow`)",
        Some(Cut::Limit) => "; there are older changes",
        Some(Cut::Commits) => "; older commits are not looked at",
    };
    format!("{} in {} commits{cut}", found.file, found.commits)
}

/// Makes the rows of a history.
pub(super) fn of_history(found: &History, now: Timestamp) -> Vec<Row> {
    found.changes.iter().map(|change| of_commit(change, &found.entity_ref, now)).collect()
}

fn of_commit(change: &Change, entity_ref: &str, now: Timestamp) -> Row {
    let when = change.seconds.map(|then| age(now.as_second() - then)).unwrap_or_default();
    let role = match change.change {
        Deed::Added | Deed::Repaired => Role::Ok,
        Deed::Broken => Role::Error,
        Deed::Changed | Deed::Moved => Role::Warn,
    };
    let short = change.commit.as_deref().map_or("", |commit| commit.get(..8).unwrap_or(commit));
    let mut detail = vec![
        facts("commit", change.commit.as_deref().unwrap_or("not committed yet")),
        facts("author", &format!("{} <{}>", change.author, change.email)),
        facts("date", change.date.as_deref().unwrap_or("")),
        facts("subject", &change.subject),
        facts("file", &change.file),
    ];
    if let Some(from) = &change.moved_from {
        detail.push(facts("moved from", from));
    }
    if change.commit.is_none() {
        detail
            .retain(|line| line.first().is_none_or(|label| !["author", "date"].contains(&label.text.trim())));
    }
    detail.push(Vec::new());
    detail.extend(change.lines.lines().map(|line| {
        let role = match line.as_bytes().first() {
            Some(b'+') => Role::Ok,
            Some(b'-') => Role::Error,
            Some(b'@') => Role::Accent,
            _ => Role::Text,
        };
        vec![span(line.replace('\t', "    "), role)]
    }));
    Row {
        key: change.commit.clone().unwrap_or_default() + &change.file,
        cells: vec![
            vec![span(when, Role::Dim)],
            vec![span(change.author.as_str(), Role::Text)],
            vec![span(change.change.word(), role)],
            vec![span(change.in_short(FIELDS), Role::Text)],
            vec![span(change.subject.as_str(), Role::Dim)],
            vec![span(short, Role::Accent)],
        ],
        title: if short.is_empty() { "not committed yet".to_owned() } else { short.to_owned() },
        detail,
        entity: Some(entity_ref.to_owned()),
        commit: change.commit.clone(),
        subject: change.subject.clone(),
    }
}
