//! What a source says about itself: cells of its row, and everything about it.

use crate::app::Context;
use crate::app::context::{age, grouped, size};
use crate::catalog::refresh::{Amount, Phase, SourceStatus};
use crate::config::theme::Role;
use crate::ui::text::{Line, span, wrap};
use crate::ui::theme::Sign;
use jiff::Timestamp;

/// Widest running text.
const READING: usize = 100;

/// Returns what the sources do; where they are read once only, what they gave then.
pub fn statuses(cx: &Context) -> Vec<SourceStatus> {
    if cx.sources.is_empty() {
        let of = |state: &crate::catalog::SourceState| SourceStatus {
            state: state.clone(),
            ..SourceStatus::default()
        };
        return cx.catalog.sources().iter().map(of).collect();
    }
    cx.sources.to_vec()
}

/// Returns `3 sources`; how many failed stands beside it in the title of every place.
pub fn count(rows: &[SourceStatus]) -> String {
    format!("{} {}", grouped(rows.len()), if rows.len() == 1 { "source" } else { "sources" })
}

/// Returns the cells of a row, in the order of the columns.
pub fn cells(cx: &Context, row: &SourceStatus) -> Vec<Line> {
    let state = &row.state;
    let (sign, words, role) = state_of(cx, row);
    let entities = if state.read_at.is_some() { grouped(state.entities) } else { "-".to_owned() };
    vec![
        vec![span(&*state.name, Role::Text)],
        vec![span(format!("{sign} {words}"), role)],
        vec![span(entities, Role::Text)],
        vec![span(since(cx, state.read_at), if row.is_stale() { Role::Stale } else { Role::Dim })],
        vec![span(next(cx, row), Role::Dim)],
        vec![span(state.kind, Role::Dim)],
        vec![span(state.place.as_str(), Role::Link)],
    ]
}

fn state_of(cx: &Context, row: &SourceStatus) -> (&'static str, String, Role) {
    let reading = if cx.ascii { "*" } else { "◌" };
    match (&row.phase, &row.state.error) {
        (Phase::Queued, _) => (reading, "in line".to_owned(), Role::Info),
        (Phase::Limited { until, why }, _) => {
            (Sign::Warn.text(cx), format!("{why}, goes on in {}", until_words(cx, *until)), Role::Warn)
        }
        (Phase::Waiting { host }, _) => (reading, format!("waits for {host}"), Role::Info),
        (Phase::Reading, _) => (reading, format!("reading{}", amount(row.amount)), Role::Info),
        (Phase::Idle, Some(error)) if error.code == "source::incomplete" => {
            (Sign::Warn.text(cx), format!("incomplete: {}", error.message), Role::Warn)
        }
        (Phase::Idle, Some(error)) if row.state.read_at.is_some() => {
            (Sign::Stale.text(cx), format!("stale: {}", error.message), Role::Stale)
        }
        (Phase::Idle, Some(error)) => (Sign::Error.text(cx), error.message.clone(), Role::Error),
        (Phase::Idle, None) if row.is_paused => (Sign::Warn.text(cx), "paused".to_owned(), Role::Warn),
        (Phase::Idle, None) if row.state.read_at.is_none() => {
            (Sign::Unknown.text(cx), "not read yet".to_owned(), Role::Dim)
        }
        (Phase::Idle, None) => (Sign::Ok.text(cx), "ok".to_owned(), Role::Ok),
    }
}

fn amount(amount: Option<Amount>) -> String {
    match amount {
        None => String::new(),
        Some(Amount { done, total: None, unit }) => format!(" {} {unit}", grouped(done)),
        Some(Amount { done, total: Some(total), unit }) => {
            format!(" {} of {} {unit}", grouped(done), grouped(total))
        }
    }
}

fn since(cx: &Context, at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| age(cx.now.as_second() - at.as_second()))
}

fn next(cx: &Context, row: &SourceStatus) -> String {
    match row.next {
        _ if row.is_paused => "paused".to_owned(),
        Some(at) => until_words(cx, at),
        None if row.is_watched && row.watch_problem.is_none() => "watched".to_owned(),
        None => "-".to_owned(),
    }
}

/// Returns how long it is until a time, in words of minute grain.
fn until_words(cx: &Context, at: Timestamp) -> String {
    match at.as_second() - cx.now.as_second() {
        ..=0 => "now".to_owned(),
        1..60 => "<1m".to_owned(),
        seconds => age(seconds),
    }
}

/// Returns everything about a source, at a width.
pub fn detail(cx: &Context, row: &SourceStatus, width: usize) -> Vec<Line> {
    let width = width.min(READING);
    let state = &row.state;
    let (sign, words, role) = state_of(cx, row);
    let mut lines: Vec<Line> =
        wrap(&format!("{sign} {words}"), width).into_iter().map(|line| vec![span(line, role)]).collect();
    if let Some(hint) = state.error.as_ref().and_then(|error| error.hint.as_ref()) {
        lines.push(Vec::new());
        lines.push(vec![span("what to do", Role::Title)]);
        lines.extend(wrap(hint, width).into_iter().map(|line| vec![span(line, Role::Text)]));
    }
    lines.push(Vec::new());
    let bytes = (row.bytes > 0).then(|| size(row.bytes as usize));
    let rate = row.rate.map(|rate| {
        let of = rate.limit.map(|limit| format!(" of {}", grouped(limit as usize))).unwrap_or_default();
        let reset = rate.reset.map(|at| format!(", anew in {}", until_words(cx, at))).unwrap_or_default();
        format!("{}{of} requests left{reset}", grouped(rate.left as usize))
    });
    // days are hard to count back
    let exact = |at: Timestamp| {
        if cx.now.as_second() - at.as_second() < DAY { String::new() } else { format!(" ({at:.0})") }
    };
    let read = state.read_at.map(|at| format!("{}{}", since(cx, Some(at)), exact(at)));
    let failures = (row.failures > 0).then(|| row.failures.to_string());
    let facts = [
        ("type", Some(state.kind.to_owned())),
        ("place", Some(state.place.clone())),
        ("entities", Some(grouped(state.entities))),
        ("files", Some(grouped(state.files))),
        ("last read", read),
        ("next", Some(next(cx, row))),
        ("progress", row.amount.map(|_| amount(row.amount).trim().to_owned())),
        ("network", bytes.map(|bytes| format!("{bytes} for the last reading"))),
        ("limit", rate),
        ("failures", failures.map(|number| format!("{number} since it was last read"))),
        ("watching", row.watch_problem.clone()),
    ];
    for (name, value) in facts {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        for (at, line) in wrap(&value, width.saturating_sub(LABEL)).into_iter().enumerate() {
            let label = if at == 0 { name } else { "" };
            lines.push(vec![span(format!("{label:<LABEL$}"), Role::Dim), span(line, Role::Text)]);
        }
    }
    lines
}

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Columns of the names of facts.
const LABEL: usize = 11;
