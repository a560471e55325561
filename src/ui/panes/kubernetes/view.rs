//! Drawing of the pane: the list with its filter line, and the preview.

use super::cells::{Cell, Col};
use super::list::Focused;
use super::place::View;
use super::{KubernetesPane, Region, words};
use crate::app::Context;
use crate::app::commands::id;
use crate::app::context::grouped;
use crate::config::theme::Role;
use crate::kubernetes::Kind;
use crate::kubernetes::object::Facts;
use crate::kubernetes::rows::status::{self, Tone};
use crate::kubernetes::rows::{self, Row};
use crate::kubernetes::state::State;
use crate::ui::text::{Line, line_width, paint, put, put_line, span};
use crate::ui::theme::style;
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A namespace with what is in it, over all clusters that are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: Arc<str>,
    /// Clusters that have it.
    pub clusters: Vec<Arc<str>>,
    /// Pods.
    pub pods: usize,
    /// Pods that are not as they should be.
    pub broken: usize,
    /// Deployments, stateful sets, daemon sets.
    pub workloads: usize,
}

/// Returns the namespaces that anything is in, by name; `filter` is a part of the name.
pub fn namespaces(state: &State, only: &[Arc<str>], filter: &str) -> Vec<Namespace> {
    let mut found: BTreeMap<Arc<str>, Namespace> = BTreeMap::new();
    for cluster in rows::clusters(state, only) {
        for (kind, table) in &cluster.tables {
            for ((name, _), object) in table.objects.iter().filter(|((name, _), _)| !name.is_empty()) {
                let entry = found.entry(name.clone()).or_insert_with(|| Namespace {
                    name: name.clone(),
                    clusters: Vec::new(),
                    pods: 0,
                    broken: 0,
                    workloads: 0,
                });
                if entry.clusters.last() != Some(&cluster.cluster.name) {
                    entry.clusters.push(cluster.cluster.name.clone());
                }
                match (kind, &object.facts) {
                    (Kind::Pod, Facts::Pod(_)) => {
                        entry.pods += 1;
                        let is_broken = matches!(status::of(object).tone, Tone::Bad | Tone::Poor);
                        entry.broken += usize::from(is_broken);
                    }
                    (Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet, _) => entry.workloads += 1,
                    _ => {}
                }
            }
        }
    }
    let wanted = filter.to_lowercase();
    found.into_values().filter(|namespace| namespace.name.to_lowercase().contains(&wanted)).collect()
}

const NAMESPACES: &[Column] = &[
    Column { title: "NAMESPACE", min: 20, weight: 3, priority: 0 },
    Column { title: " PODS", min: 7, weight: 0, priority: 1 },
    Column { title: " BROKEN", min: 9, weight: 0, priority: 1 },
    Column { title: " WORKLOADS", min: 11, weight: 0, priority: 2 },
    Column { title: "CLUSTERS", min: 14, weight: 2, priority: 3 },
];

impl KubernetesPane {
    pub(super) fn draw_list(&self, cx: &Context, region: Rect, screen: Rect, buf: &mut Buffer) {
        let is_framed = screen.width >= super::SPLIT;
        if is_framed {
            let title = title_of(&self.argument.view, &cx.kubernetes);
            let note = self.note();
            Panel { title: &title, note: &note, is_focused: self.focus == Region::List }
                .draw(cx, region, buf);
        }
        let area = self.table_area(region, screen);
        self.draw_filter(
            cx,
            Rect { y: if is_framed { Panel::inner(region).y } else { region.y }, ..area },
            buf,
        );
        if self.argument.view == View::Namespaces {
            self.draw_namespaces(cx, area, buf);
            return;
        }
        if self.list.rows().is_empty() {
            self.draw_empty(cx, area, buf);
        }
        let columns = self.columns(cx);
        let plain: Vec<Column> = columns.iter().map(|col| col.column).collect();
        let sort = columns.iter().position(|col| col.field == Some(self.list.query.sort));
        let table = Table {
            columns: &plain,
            sort: sort.map(|at| (at, self.list.query.is_descending)),
            list: &self.list.list,
            len: self.list.len(),
            is_focused: self.focus == Region::List,
        };
        table.draw(cx, area, buf, |row| match self.list.get(row) {
            Some(Focused::Note(note)) => (vec![note.line.clone()], false),
            Some(Focused::Row(row)) => (self.cells(cx, &columns, row), self.list.marks.contains(&row.at())),
            None => (Vec::new(), false),
        });
    }

    fn cells(&self, cx: &Context, columns: &[Col], row: &Row) -> Vec<Line> {
        let Some(seen) = self.list.seen(row, cx) else { return Vec::new() };
        let cell = Cell { cx, row, seen };
        let is_stale = self.row_is_stale(row);
        columns.iter().map(|col| laid_out(col, (col.cell)(&cell), is_stale)).collect()
    }

    fn note(&self) -> String {
        let len = self.shown_len();
        if len == 0 {
            String::new()
        } else {
            format!("{} of {}", grouped(self.list.list.cursor + 1), grouped(len))
        }
    }

    fn draw_filter(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let mut y = area.y;
        let text = self.list.filter.text();
        if self.list.is_typing() && y < area.bottom() {
            put(buf, area.x, y, 2.min(area.width), "/", style(cx, Role::Key));
            put(buf, area.x + 1, y, area.width.saturating_sub(2), text, style(cx, Role::Text));
            let cells = |text: Option<&str>| text.map_or(0, crate::model::text::width) as u16;
            if let Some(mistake) = &self.list.mistake {
                let start = cells(text.get(..mistake.span.start));
                let width = cells(text.get(mistake.span.clone())).max(1);
                let error = style(cx, Role::Error).add_modifier(Modifier::UNDERLINED);
                paint(buf, area.x + 1 + start, y, width.min(area.width), error);
            }
            let cursor = cells(Some(self.list.filter.before_cursor()));
            let reverse = Style::new().add_modifier(Modifier::REVERSED);
            paint(buf, (area.x + 1 + cursor).min(area.right().saturating_sub(1)), y, 1, reverse);
            y += 1;
        }
        if let Some(mistake) = &self.list.mistake {
            put(buf, area.x + 1, y, area.width.saturating_sub(1), &mistake.reason, style(cx, Role::Error));
        }
    }

    /// Says why there is no object, and what to do about it; below the notes.
    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let only = &self.argument.clusters;
        let (answered, all, waiting) = words::progress(&cx.kubernetes, only, &self.kinds());
        let what = self.argument.view.word(&cx.kubernetes);
        let (says, then) = if cx.kubernetes.clusters.is_empty() {
            (
                "no cluster is known".to_owned(),
                "a kubeconfig, `[[kubernetes.cluster]]` in config.toml or a Resource of type \
                 `kubernetes-cluster` names one"
                    .to_owned(),
            )
        } else if self.list.is_waiting() || !waiting.is_empty() {
            let names = waiting.iter().take(3).map(|name| &**name).collect::<Vec<_>>().join(", ");
            let names = if names.is_empty() { String::new() } else { format!("waiting for {names}") };
            (format!("loading {what} · clusters {answered}/{all}"), names)
        } else if self.list.total() > 0 {
            let key = cx.key(id::BACK);
            (
                format!("the filter hides {} {what}", grouped(self.list.total())),
                format!("{key} clears the filter"),
            )
        } else if answered == 0 || self.list.notes().len() >= all {
            (format!("no {what} are known: no cluster says"), format!("{} tries again", cx.key(super::RETRY)))
        } else {
            let scope = if matches!(self.argument.scope, crate::kubernetes::select::Scope::Everything) {
                format!("{} goes to other kinds", cx.key(super::KINDS))
            } else {
                format!(
                    "{} shows all namespaces, {} chooses",
                    cx.key(super::ALL_NAMESPACES),
                    cx.key(super::SCOPE)
                )
            };
            (format!("there are no {what} here"), scope)
        };
        let y = area.y + 2 + self.list.notes().len() as u16;
        for (row, (words, role)) in [(says, Role::Text), (then, Role::Dim)].into_iter().enumerate() {
            let y = y + row as u16;
            if y < area.bottom() {
                put(buf, area.x + 2, y, area.width.saturating_sub(3), &words, style(cx, role));
            }
        }
    }

    fn draw_namespaces(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let table = Table {
            columns: NAMESPACES,
            sort: Some((0, false)),
            list: &self.list.list,
            len: self.namespaces.len(),
            is_focused: self.focus == Region::List,
        };
        let number = |number: usize, cells: usize, role: Role| {
            vec![span(format!("{:>cells$}", grouped(number)), role)]
        };
        table.draw(cx, area, buf, |row| {
            let Some(namespace) = self.namespaces.get(row) else { return (Vec::new(), false) };
            let broken = if namespace.broken > 0 { Role::Error } else { Role::Dim };
            let cells = vec![
                vec![span(&*namespace.name, Role::Text)],
                number(namespace.pods, 7, Role::Text),
                number(namespace.broken, 9, broken),
                number(namespace.workloads, 11, Role::Text),
                vec![span(namespace.clusters.join(", "), Role::Dim)],
            ];
            (cells, false)
        });
        if self.namespaces.is_empty() && area.height > 2 {
            let says = if cx.kubernetes.clusters.is_empty() {
                "no cluster is known"
            } else {
                "no namespace is known"
            };
            put(buf, area.x + 2, area.y + 2, area.width.saturating_sub(3), says, style(cx, Role::Text));
        }
    }

    pub(super) fn draw_preview(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let is_focused = self.focus == Region::Preview;
        let (title, lines, targets) =
            match self.list.focused().filter(|_| self.argument.view != View::Namespaces) {
                Some(Focused::Row(row)) => {
                    let width = usize::from(region.width.saturating_sub(4));
                    let found = super::preview::lines(cx, self.list.state(), &row.at(), width);
                    (
                        format!("{} {}", cx.kubernetes.kind_word(row.object.kind), row.object.name),
                        found.lines,
                        found.targets,
                    )
                }
                Some(Focused::Note(note)) => {
                    (note.cluster.to_string(), note_lines(cx, note, region.width), Vec::new())
                }
                None => (String::new(), Vec::new(), Vec::new()),
            };
        let height = usize::from(Panel::inner(region).height);
        let offset = self.preview.offset.min(lines.len().saturating_sub(1));
        let more = lines.len().saturating_sub(offset + height);
        let note = if more > 0 { format!("{more} more lines") } else { String::new() };
        let inner = Panel { title: &title, note: &note, is_focused }.draw(cx, region, buf);
        for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
        // what `enter` opens while the preview has the focus
        let target = targets.iter().find(|(line, _)| *line >= offset).filter(|_| is_focused);
        if let Some((line, _)) = target.filter(|(line, _)| *line < offset + usize::from(inner.height)) {
            paint(buf, inner.x, inner.y + (line - offset) as u16, inner.width, style(cx, Role::Selection));
        }
    }
}

/// Puts a cell to its edge, and dims it when it is old.
pub fn laid_out(col: &Col, mut line: Line, is_stale: bool) -> Line {
    if col.is_right {
        let missing = usize::from(col.column.min).saturating_sub(line_width(&line));
        line.insert(0, span(" ".repeat(missing), Role::Text));
    }
    if is_stale {
        for span in &mut line {
            span.role = Role::Stale;
        }
    }
    line
}

fn title_of(view: &View, state: &State) -> String {
    let word = view.word(state);
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

fn note_lines(cx: &Context, note: &words::Note, width: u16) -> Vec<Line> {
    let room = usize::from(width.saturating_sub(6)).max(12);
    let mut out = vec![note.line.first().cloned().into_iter().collect::<Line>()];
    let whole: String = note.line.iter().skip(1).map(|span| span.text.as_str()).collect();
    out.extend(crate::ui::text::wrap(&whole, room).into_iter().map(|part| vec![span(part, Role::Text)]));
    for (label, value) in &note.detail {
        for (at, part) in
            crate::ui::text::wrap(value, room.saturating_sub(12).max(12)).into_iter().enumerate()
        {
            let label = if at == 0 { *label } else { "" };
            out.push(vec![span(format!("{label:<12}"), Role::Dim), span(part, Role::Text)]);
        }
    }
    out.push(Line::new());
    let retry = cx.key(super::RETRY);
    out.push(vec![span(retry, Role::Key), span(" tries again now", Role::Dim)]);
    if !note.request.is_empty() {
        let copy = cx.key(id::COPY_WHAT);
        out.push(vec![
            span(copy, Role::Key),
            span(" copies a request to send to who can allow it", Role::Dim),
        ]);
    }
    out
}
