//! What the pane says about the stream: title, last row, why nothing is there, times.

use super::line::JsonForm;
use super::sources::state;
use super::{LogsPane, TimeForm};
use crate::app::Context;
use crate::app::commands::id;
use crate::app::context::{grouped, size};
use crate::app::pane::Heading;
use crate::config::theme::Role;
use crate::kubernetes::logs::{LogSource, SourceState};
use crate::ui::text::{Line, span, wrap};
use crate::ui::theme::Sign;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Steps of the sparkline, lowest first.
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const ASCII_BARS: [&str; 8] = ["_", ".", ":", "-", "=", "+", "*", "#"];
/// Minutes of the sparkline.
const MINUTES: usize = 15;

/// Returns the title: whose logs, from where, since when, how JSON is shown; follow or pause at the right.
pub fn heading(pane: &LogsPane, cx: &Context) -> Heading {
    let mut facts = Vec::new();
    if pane.target.is_previous {
        facts.push("previous".to_owned());
    }
    let pods = pane.sources.pods();
    if pods > 0 {
        facts.push(format!("{pods} {}", if pods == 1 { "pod" } else { "pods" }));
    }
    match pane.sources.clusters().as_slice() {
        [] => {}
        [one] => facts.push((*one).to_owned()),
        many => facts.push(format!("{} clusters", many.len())),
    }
    facts.push(pane.reach.words());
    if pane.has_json {
        facts.push(format!("JSON {}", pane.json.word()));
    }
    if pane.time == TimeForm::Relative {
        facts.push("relative times".to_owned());
    }
    if !pane.has_colours {
        facts.push("no colours".to_owned());
    }
    if pane.status.lost > 0 {
        facts.push(format!("{} lost", count(pane.status.lost)));
    }
    if pane.status.spilled > 0 {
        let limit = if pane.status.spill_limit > 0 {
            format!(" of {}", bytes(pane.status.spill_limit))
        } else {
            String::new()
        };
        facts.push(format!("disk {}{limit}", bytes(pane.status.spilled)));
    }
    let filter = match (&pane.search.pattern, pane.search.is_only) {
        (Some(_), true) => Some(pane.search.input.text().to_owned()),
        _ => None,
    };
    Heading {
        crumbs: vec![pane.target.name(), super::SPEC.title.to_owned()],
        filter,
        count: follow_words(pane, cx),
        facts,
        is_live: true,
        ..Heading::default()
    }
}

fn bytes(bytes: u64) -> String {
    size(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn count(number: u64) -> String {
    grouped(usize::try_from(number).unwrap_or(usize::MAX))
}

/// `● following`, `▼ 312 new` while paused, or that nothing more will come.
fn follow_words(pane: &LogsPane, cx: &Context) -> String {
    let sign = |pretty: &'static str, plain: &'static str| if cx.ascii { plain } else { pretty };
    let new = new_lines(pane);
    match (&pane.store, pane.window.is_following) {
        (None, _) => "opening…".to_owned(),
        (Some(_), true) if pane.status.is_following => format!("{} following", sign("●", "*")),
        (Some(_), true) => "at the end".to_owned(),
        (Some(_), false) if new > 0 => format!("paused {} {} new", sign("▼", "v"), grouped(new)),
        (Some(_), false) => format!("{} paused", sign("‖", "=")),
    }
}

/// Lines that came since the stream was paused: those that are shown.
fn new_lines(pane: &LogsPane) -> usize {
    match &pane.shown {
        Some(scan) => scan.len().saturating_sub(scan.before(pane.paused_at)),
        None => usize::try_from(pane.status.lines.end.saturating_sub(pane.paused_at)).unwrap_or(usize::MAX),
    }
}

/// Returns what stands at the left of the last row: selection, search, what is hidden, what is wrong.
pub fn status(pane: &LogsPane, cx: &Context) -> Line {
    let mut parts: Vec<Line> = Vec::new();
    if let Some((first, last)) = pane.selection() {
        let lines = pane.ground(cx).after(first, (last - first + 1) as usize).len();
        let copy = cx.key(super::commands::COPY);
        parts.push(vec![
            span(format!("{} selected", plural(lines, "line")), Role::Accent),
            span(format!(" · {copy} copies"), Role::Dim),
        ]);
    }
    if pane.search.pattern.is_some() && !pane.search.is_typing {
        let sign = if pane.search.is_only { "&" } else { "/" };
        parts.push(vec![
            span(format!("{sign}{}", pane.search.input.text()), Role::Accent),
            span(format!(" {}", matches(pane)), Role::Text),
            span(format!("   {} next  {} previous", cx.key(id::NEXT), cx.key(id::PREVIOUS)), Role::Dim),
        ]);
    }
    let (hidden, all) = pane.sources.count();
    if hidden > 0 {
        parts.push(vec![span(format!("{hidden} of {all} containers hidden"), Role::Accent)]);
    }
    parts.extend(trouble(pane, cx));
    let mut line: Line = Vec::new();
    for part in parts {
        if !line.is_empty() {
            line.push(span("   ", Role::Dim));
        }
        line.extend(part);
    }
    line
}

fn plural(number: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Says where the cursor is among the matches: `2 of 7`.
pub fn matches(pane: &LogsPane) -> String {
    let Some(found) = &pane.found else { return String::new() };
    let range = pane.readable();
    let more = if found.is_complete(&range) { "" } else { "+" };
    let total = format!("{}{more}", grouped(found.len()));
    match pane.window.focus {
        Some(focus) if found.has(focus) && !pane.window.is_following => {
            format!("{} of {total}", grouped(found.before(focus) + 1))
        }
        _ if found.len() == 0 && more.is_empty() => "no match".to_owned(),
        _ if found.len() == 0 => "searching…".to_owned(),
        _ => format!("{total} {}", if found.len() == 1 { "match" } else { "matches" }),
    }
}

/// Sources that do not deliver, the worst first.
fn trouble(pane: &LogsPane, cx: &Context) -> Option<Line> {
    let is_failed = |state: &SourceState| matches!(state, SourceState::Failed(_));
    let is_waiting = |state: &SourceState| matches!(state, SourceState::Waiting(_));
    let mut wrong = pane.sources.iter().filter(|s| is_failed(&s.state)).collect::<Vec<_>>();
    let role = if wrong.is_empty() { Role::Stale } else { Role::Error };
    wrong.extend(pane.sources.iter().filter(|s| is_waiting(&s.state)));
    let first = wrong.first()?;
    let more = if wrong.len() > 1 { format!(" and {} more", wrong.len() - 1) } else { String::new() };
    Some(vec![span(format!("{} {}{more}", first.tag, state(cx, first)), role)])
}

/// Returns errors of each of the last minutes as bars; nothing when there were none.
pub fn sparkline(pane: &LogsPane, cx: &Context) -> Option<Line> {
    let all = &pane.status.errors_per_minute;
    let shown = all.get(all.len().saturating_sub(MINUTES)..)?;
    let most = shown.iter().copied().max().filter(|most| *most > 0)?;
    let bars = if cx.ascii { ASCII_BARS } else { BARS };
    let bar = |errors: &u32| {
        let step = if *errors == 0 { 0 } else { 1 + (u64::from(*errors) * 6 / u64::from(most)) as usize };
        bars.get(step).copied().unwrap_or("")
    };
    let now = shown.last().copied().unwrap_or(0);
    Some(vec![
        span("errors/min ", Role::Dim),
        span(shown.iter().map(bar).collect::<String>(), Role::Error),
        span(format!(" {now}"), if now > 0 { Role::Error } else { Role::Dim }),
    ])
}

/// Says why there are no lines, and what can be done.
pub fn empty(pane: &LogsPane, cx: &Context) -> Vec<Line> {
    let say = |text: String| vec![span(text, Role::Text)];
    let dim = |text: String| vec![span(text, Role::Dim)];
    let key = |command| cx.key(command);
    if cx.kubernetes.clusters.is_empty() && pane.sources.count().1 == 0 && pane.status.problem.is_none() {
        return vec![
            say("There is no cluster to read logs from.".to_owned()),
            dim("Clusters come from $KUBECONFIG or ~/.kube/config, from [[kubernetes.cluster]] in config.toml,".to_owned()),
            dim("and from Resource entities of type kubernetes-cluster.".to_owned()),
        ];
    }
    let is_all_read = pane.sources.count().1 > 0
        && pane.sources.iter().all(|s| !matches!(s.state, SourceState::Opening | SourceState::Waiting(_)));
    if let Some(problem) = &pane.status.problem {
        let retry = format!("{} reads again", key(super::commands::REOPEN));
        return vec![
            vec![span(format!("{} {problem}", Sign::Unknown.text(cx)), Role::Text)],
            Vec::new(),
            dim(retry),
        ];
    }
    if pane.status.lines.end > pane.status.first {
        return match (&pane.shown, pane.search.is_only) {
            (Some(scan), _) if !scan.is_complete(&pane.readable()) => {
                vec![dim("looking for lines that match…".to_owned())]
            }
            (Some(_), true) => vec![
                say(format!(
                    "No line of {} matches `{}`.",
                    count(pane.status.lines.end - pane.status.first),
                    pane.search.input.text()
                )),
                dim(format!(
                    "{} shows all lines again, {} changes the search",
                    key(super::commands::ONLY),
                    key(id::SEARCH)
                )),
            ],
            _ => vec![
                say("Every container that wrote something is switched off.".to_owned()),
                dim(format!("{} switches them on", key(super::commands::SOURCES))),
            ],
        };
    }
    let failed: Vec<Line> = pane
        .sources
        .iter()
        .filter(|source| matches!(source.state, SourceState::Failed(_) | SourceState::Waiting(_)))
        .take(20)
        .map(|source| {
            vec![span(format!("{} ", source.tag), Role::Accent), span(state(cx, source), Role::Error)]
        })
        .collect();
    if !failed.is_empty() {
        let mut lines = vec![say("No line could be read:".to_owned())];
        lines.extend(failed);
        lines.push(dim(format!("{} reads again", key(super::commands::REOPEN))));
        return lines;
    }
    if is_all_read {
        let reach = match pane.reach {
            super::Reach::Minutes(_) => format!("Nothing was written {}.", pane.reach.words()),
            _ => "Nothing was written yet.".to_owned(),
        };
        let is_telling = |source: &&LogSource| matches!(&source.state, SourceState::Ended(why) if !matches!(why.as_str(), "all is read" | "completed"));
        let ended: Vec<Line> = pane
            .sources
            .iter()
            .filter(is_telling)
            .take(20)
            .flat_map(|source| {
                let room = usize::from(cx.area.width).saturating_sub(source.tag.len() + 4).max(12);
                let parts = wrap(&state(cx, source), room);
                let lead = |at: usize| if at == 0 { source.tag.to_string() } else { String::new() };
                let line = |(at, part): (usize, String)| {
                    let cells = source.tag.len() + 1;
                    vec![span(format!("{:<cells$}", lead(at)), Role::Accent), span(part, Role::Text)]
                };
                parts.into_iter().enumerate().map(line).collect::<Vec<Line>>()
            })
            .collect();
        let reach = if pane.target.is_previous && !ended.is_empty() {
            "Nothing is kept of an instance before.".to_owned()
        } else {
            reach
        };
        let more = format!("{} shows everything that is kept", key(super::commands::ALL));
        let mut lines = vec![say(reach)];
        lines.extend(ended);
        lines.push(dim(more));
        return lines;
    }
    let whose = pane.target.name();
    let opening = match pane.sources.count().1 {
        0 => format!("Looking for the pods of {whose}…"),
        1 => "Opening 1 container…".to_owned(),
        many => format!("Opening {many} containers…"),
    };
    vec![say(opening)]
}

/// Returns the cells of the column of times.
pub fn time_width(form: TimeForm, width: usize, has_dates: bool) -> usize {
    let date = if has_dates { 6 } else { 0 };
    match form {
        TimeForm::Absolute if width >= 100 => 12 + date,
        TimeForm::Absolute if width >= 44 => 8 + date,
        TimeForm::Relative if width >= 40 => 8,
        _ => 0,
    }
}

/// Returns a time as text, at most `cells` wide.
pub fn time(form: TimeForm, time: Timestamp, focused: Option<Timestamp>, cells: usize) -> String {
    match form {
        TimeForm::Off => String::new(),
        TimeForm::Absolute => {
            let zoned = time.to_zoned(TimeZone::UTC);
            let pattern = match cells {
                18.. => "%m-%d %H:%M:%S%.3f",
                14..18 => "%m-%d %H:%M:%S",
                12..14 => "%H:%M:%S%.3f",
                _ => "%H:%M:%S",
            };
            zoned.strftime(pattern).to_string()
        }
        TimeForm::Relative => {
            let text = focused.map_or(String::new(), |focused| distance(time, focused));
            format!("{text:>cells$}")
        }
    }
}

/// Returns how far a time is from another: `-3.2s`, `+1m02s`, `-2h14m`.
fn distance(time: Timestamp, from: Timestamp) -> String {
    let milliseconds = time.as_millisecond() - from.as_millisecond();
    let sign = if milliseconds < 0 { '-' } else { '+' };
    let all = milliseconds.unsigned_abs();
    let (seconds, rest) = (all / 1000, all % 1000);
    match seconds {
        0 if rest == 0 => "0".to_owned(),
        ..10 => format!("{sign}{seconds}.{rest:03}s"),
        10..60 => format!("{sign}{seconds}.{}s", rest / 100),
        60..3600 => format!("{sign}{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{sign}{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{sign}{}d{:02}h", seconds / 86_400, seconds / 3600 % 24),
    }
}

/// Returns whether two times are of different days.
pub fn is_other_day(time: Timestamp, now: Timestamp) -> bool {
    time.as_second().div_euclid(86_400) != now.as_second().div_euclid(86_400)
}

/// Returns how a change of the form of JSON is told.
pub fn json_words(form: JsonForm) -> &'static str {
    match form {
        JsonForm::Line => "JSON as a line",
        JsonForm::Pretty => "JSON with one value per row",
        JsonForm::Raw => "JSON as it was written",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_have_a_sign_and_two_units() {
        let cases = [
            (0, "0"),
            (-3200, "-3.200s"),
            (12_345, "+12.3s"),
            (62_000, "+1m02s"),
            (-8_040_000, "-2h14m"),
            (-270_000_000, "-3d03h"),
        ];
        let from = Timestamp::from_second(1_000_000_000).unwrap();
        for (milliseconds, text) in cases {
            let time = Timestamp::from_millisecond(1_000_000_000_000 + milliseconds).unwrap();
            assert_eq!(distance(time, from), text);
            assert!(text.len() <= 8, "{text}");
        }
    }
}
