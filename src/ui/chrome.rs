//! Title line and footer: where the user is, and which keys matter now.

use super::text::{Line, line_width, paint, put, put_line, span};
use super::theme::{Sign, env_style, style};
use crate::app::App;
use crate::app::commands::{Availability, CommandSpec, id};
use crate::app::context::{Context, age, grouped};
use crate::app::event::Level;
use crate::app::input::Key;
use crate::app::object_commands;
use crate::config::theme::Role;
use crate::kubernetes::Cluster;
use crate::model::text;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Below this width the filter stands in the title instead of the place: typing blind is worse.
const NARROW: u16 = 40;

/// Draws the title line: crumbs, filter, marks on the left; count, age, loading on the right.
pub fn title(app: &App, area: Rect, buf: &mut Buffer) {
    let Some(pane) = app.pane() else { return };
    let heading = pane.heading(&app.cx);
    let mut right: Line = Vec::new();
    let mut add = |content: String, role: Role| {
        if !content.is_empty() {
            right.push(span(format!("  {content}"), role));
        }
    };
    // unlocked is a state to come back from: it stands in front of everything else
    for (environment, until) in app.cx.kubernetes.unlocked.iter() {
        let left = object_commands::left(*until, app.cx.now);
        add(format!("{} {environment} unlocked {left}", Sign::Warn.text(&app.cx)), Role::Env);
    }
    let environment = environment(app);
    let chip = environment.map_or_else(Line::new, |(cluster, name)| {
        let sign = if cluster.is_protected { Role::Env } else { Role::Accent };
        vec![span(format!("env:{name}"), sign)]
    });
    add(heading.count.clone(), Role::Text);
    if let Some((words, role)) = trouble(&app.cx) {
        add(words, role);
    }
    if app.cx.settings.iter().any(|setting| setting.key == "offline" && setting.value == "true") {
        add(if app.cx.ascii { "offline" } else { "○ offline" }.to_owned(), Role::Stale);
    }
    match &app.cx.loading {
        Some(loading) => {
            let slow = if loading.slow && !loading.source.is_empty() {
                format!(" · {}", loading.source)
            } else {
                String::new()
            };
            let words = match loading.files {
                0 => "looking for files".to_owned(),
                files => format!("loading {} files", grouped(files)),
            };
            add(format!("{words}{slow}"), Role::Info);
        }
        None if heading.is_live => {}
        None => add(app.cx.age().unwrap_or_default(), Role::Dim),
    }
    let right_width = (line_width(&right) as u16).min(area.width / 2);
    let room = area.width.saturating_sub(right_width + 1);

    let mut left: Line = vec![span(if app.cx.ascii { " > " } else { " ▸ " }, Role::Focus)];
    let crumbs = if area.width < NARROW && heading.filter.is_some() { &[][..] } else { &heading.crumbs[..] };
    for (at, crumb) in crumbs.iter().enumerate() {
        if at > 0 {
            left.push(span(if app.cx.ascii { " > " } else { " › " }, Role::Dim));
        }
        left.push(span(crumb.as_str(), Role::Title));
    }
    if let Some(filter) = &heading.filter {
        left.push(span(format!("  /{filter}"), Role::Accent));
    }
    if heading.marked > 0 {
        left.push(span(format!("  {} marked", heading.marked), Role::Accent));
    }
    let chip_at = line_width(&left) as u16 + 2;
    if !chip.is_empty() {
        left.push(span("  ", Role::Text));
        left.extend(chip.iter().cloned());
    }
    left.extend(heading.facts.iter().map(|fact| span(format!("  {fact}"), Role::Dim)));
    put_line(&app.cx, buf, area.x, area.y, room, &left);
    if let Some((cluster, _)) =
        environment.filter(|(cluster, _)| cluster.is_protected || cluster.colour.is_some())
    {
        let width = (line_width(&chip) as u16).min(room.saturating_sub(chip_at));
        paint(buf, area.x + chip_at, area.y, width, env_style(&app.cx, cluster.colour));
    }
    put_line(&app.cx, buf, area.right().saturating_sub(right_width + 1), area.y, right_width, &right);
}

/// Objects whose environments are looked at for the title.
const MOST_MARKED: usize = 50;

/// Returns the cluster that the focused or marked objects are of, with the name of its environment; `None` where it
/// has none, and where they are of several.
fn environment(app: &App) -> Option<(&Cluster, &str)> {
    let pane = app.pane()?;
    if pane.heading(&app.cx).marked > MOST_MARKED {
        return None;
    }
    let subjects = pane.subjects(&app.cx);
    let mut names = subjects.iter().filter_map(|subject| subject.object.as_ref()).map(|at| &at.cluster);
    let first = names.next()?;
    let cluster = &*app.cx.kubernetes.cluster(first)?.cluster;
    let is_one = names.all(|other| {
        let other = app.cx.kubernetes.cluster(other);
        other.is_some_and(|other| other.cluster.lock() == cluster.lock())
    });
    let is_named = !cluster.environment.is_empty() || cluster.is_protected;
    (is_one && is_named).then(|| (cluster, &**cluster.lock()))
}

/// Says how many sources could not be read: `✗ 1 source failed`, or of those that could be once
/// `~ 2 sources stale (forge 14m)`, with the oldest.
fn trouble(cx: &Context) -> Option<(String, Role)> {
    let count = |number: usize| format!("{number} {}", if number == 1 { "source" } else { "sources" });
    let wrong = || cx.catalog.sources().iter().filter(|source| source.error.is_some());
    let failed = wrong().filter(|source| source.read_at.is_none()).count();
    if failed > 0 {
        return Some((format!("{} {} failed", Sign::Error.text(cx), count(failed)), Role::Error));
    }
    let oldest = wrong().min_by_key(|source| source.read_at)?;
    let since = oldest.read_at.map(|at| age(cx.now.as_second() - at.as_second())).unwrap_or_default();
    let words =
        format!("{} {} stale ({} {since})", Sign::Stale.text(cx), count(wrong().count()), oldest.name);
    Some((words, Role::Stale))
}

/// Returns the title of the terminal's window: `devportal: place`.
pub fn window_title(app: &App) -> String {
    let crumbs = app.pane().map(|pane| pane.heading(&app.cx).crumbs.join(" › ")).unwrap_or_default();
    text::clean(&format!("devportal: {crumbs}")).into_owned()
}

/// Returns the footer's rows, the most important first, help last; each with its key.
pub fn footer_rows(app: &App) -> Vec<(String, &'static CommandSpec)> {
    let is_typing = app.pane().is_some_and(crate::app::pane::Pane::is_typing);
    let mut rows: Vec<(u8, String, &'static CommandSpec)> = app
        .rows()
        .into_iter()
        .map(|row| {
            // worth a place only where it reads less than everything
            (if row.id == id::REFRESH && app.reads_own() { 19 } else { row.footer }, row)
        })
        .filter(|(rank, row)| *rank > 0 && app.availability(row) == Availability::Available)
        .filter_map(|(rank, row)| {
            // while something is typed, a letter is no key; one that a nearer row takes would be a lie
            let is_key = |key: &&Key| !is_typing || key.typed().is_none();
            let shown = app.cx.keymap.keys(row.id).iter().find(is_key)?.to_string();
            let key = if is_typing { shown } else { app.key(row.id)? };
            Some((rank, key, row))
        })
        .collect();
    rows.sort_by_key(|(rank, ..)| *rank);
    rows.into_iter().map(|(_, key, row)| (key, row)).collect()
}

/// Draws the footer: a short message if there is one, else the keys that fit, help always last.
pub fn footer(app: &App, area: Rect, buf: &mut Buffer) {
    if let Some((level, message)) = &app.toast {
        let role = match level {
            Level::Ok => Role::Ok,
            Level::Info => Role::Info,
            Level::Error => Role::Error,
        };
        put(buf, area.x + 1, area.y, area.width.saturating_sub(2), message, style(&app.cx, role));
        return;
    }
    for (x, key, row, width) in footer_layout(app, area) {
        let used = put(buf, x, area.y, width, &key, style(&app.cx, Role::Key));
        put(buf, x + used, area.y, width - used, &format!(" {}", row.title), style(&app.cx, Role::Dim));
    }
}

/// Returns what stands where in the footer: column, key, row, width.
pub fn footer_layout(app: &App, area: Rect) -> Vec<(u16, String, &'static CommandSpec, u16)> {
    let mut rows = footer_rows(app);
    let help = rows.pop();
    let width = |key: &str, row: &CommandSpec| (text::width(key) + 1 + text::width(row.title)) as u16;
    let reserved = help.as_ref().map_or(0, |(key, row)| width(key, row) + 3);
    let mut x = area.x + 1;
    let mut out = Vec::new();
    for (key, row) in rows {
        let cells = width(&key, row);
        if x + cells + reserved > area.right() {
            break;
        }
        out.push((x, key, row, cells));
        x += cells + 3;
    }
    if let Some((key, row)) = help {
        let cells = width(&key, row).min(area.right().saturating_sub(x));
        out.push((x, key, row, cells));
    }
    out
}
