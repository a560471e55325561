//! The tabs that are tables: events and revisions.

use super::{Asked, ObjectPane};
use crate::app::Context;
use crate::app::commands::id;
use crate::config::theme::Role;
use crate::kubernetes::object::Facts;
use crate::kubernetes::order::Revision;
use crate::kubernetes::state::Watch;
use crate::kubernetes::{Kind, Object};
use crate::ui::panes::kubernetes::words;
use crate::ui::text::{Line, put, span, wrap};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const EVENTS: &[Column] = &[
    Column { title: " LAST", min: 5, weight: 0, priority: 0 },
    Column { title: "TYPE", min: 9, weight: 0, priority: 2 },
    Column { title: "REASON", min: 18, weight: 0, priority: 0 },
    Column { title: " COUNT", min: 6, weight: 0, priority: 1 },
    Column { title: "MESSAGE", min: 24, weight: 5, priority: 0 },
    Column { title: "SAID BY", min: 14, weight: 1, priority: 3 },
];
const REVISIONS: &[Column] = &[
    Column { title: " REVISION", min: 9, weight: 0, priority: 0 },
    Column { title: "", min: 8, weight: 0, priority: 1 },
    Column { title: " PODS", min: 5, weight: 0, priority: 1 },
    Column { title: " AGE", min: 4, weight: 0, priority: 0 },
    Column { title: "IMAGES", min: 24, weight: 3, priority: 0 },
    Column { title: "CAUSE", min: 16, weight: 2, priority: 2 },
];

impl ObjectPane {
    /// Events about the object, newest first: those that are watched, and those that were answered.
    pub(super) fn events(&self, cx: &Context) -> Vec<Arc<Object>> {
        let mut found: Vec<Arc<Object>> = match &self.events {
            Asked::There(events) => events.clone(),
            _ => Vec::new(),
        };
        let own = cx.kubernetes.object(&self.at).map(|object| object.uid.clone());
        let table =
            cx.kubernetes.cluster(&self.at.cluster).and_then(|cluster| cluster.tables.get(&Kind::Event));
        if let Some(table) = table.filter(|table| matches!(table.watch, Watch::Live)) {
            let kind = self.at.kind.spec().map_or("", |spec| spec.name);
            let is_about = |object: &&Arc<Object>| match &object.facts {
                Facts::Event(event) => match &own {
                    Some(uid) if !event.about.2.is_empty() => event.about.2 == *uid,
                    _ => event.about.1 == self.at.name && *event.about.0 == *kind,
                },
                _ => false,
            };
            let from = (self.at.namespace.clone(), Arc::from(""));
            let inside = table
                .objects
                .range(from..)
                .take_while(|((ns, _), _)| *ns == self.at.namespace || self.at.namespace.is_empty());
            for event in inside.map(|(_, object)| object).filter(is_about) {
                match found.iter_mut().find(|other| other.name == event.name) {
                    Some(old) => *old = event.clone(),
                    None => found.push(event.clone()),
                }
            }
        }
        found.sort_by_key(|object| std::cmp::Reverse(last_of(object)));
        found
    }

    pub(super) fn draw_events(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let events = self.events(cx);
        if let (Asked::Failed(why), true) = (&self.events, events.is_empty()) {
            Self::draw_failed(cx, area, why, buf);
            return;
        }
        if events.is_empty() {
            let says = match self.events {
                Asked::There(_) => "there are no events about it; clusters keep them for an hour or so",
                _ => "loading",
            };
            put(buf, area.x + 2, area.y, area.width.saturating_sub(3), says, style(cx, Role::Dim));
            return;
        }
        // below the table: the message of the focused row in full
        let focused = events.get(self.list.cursor).and_then(|object| event_of(object));
        let message =
            focused.map(|event| wrap(&event.message, usize::from(area.width.saturating_sub(4)).max(10)));
        let below = message.as_ref().map_or(0, |lines| lines.len() as u16 + 1).min(area.height / 3);
        let table_area = Rect { height: area.height - below, ..area };
        let mut list = self.list.clone();
        list.clamp(events.len(), Table::height(table_area));
        let table = Table { columns: EVENTS, sort: None, list: &list, len: events.len(), is_focused: true };
        table.draw(cx, table_area, buf, |row| {
            (events.get(row).map(|o| event_cells(cx, o)).unwrap_or_default(), false)
        });
        for (row, line) in
            message.into_iter().flatten().take(usize::from(below.saturating_sub(1))).enumerate()
        {
            let y = table_area.bottom() + 1 + row as u16;
            put(buf, area.x + 2, y, area.width.saturating_sub(3), &line, style(cx, Role::Text));
        }
    }

    pub(super) fn draw_revisions(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let revisions = match &self.revisions {
            Asked::There(revisions) => revisions,
            Asked::Failed(why) => return Self::draw_failed(cx, area, why, buf),
            _ => {
                put(buf, area.x + 2, area.y, area.width.saturating_sub(3), "loading", style(cx, Role::Info));
                return;
            }
        };
        let mut list = self.list.clone();
        list.clamp(revisions.len(), Table::height(area));
        let table =
            Table { columns: REVISIONS, sort: None, list: &list, len: revisions.len(), is_focused: true };
        table.draw(cx, area, buf, |row| {
            (revisions.get(row).map(|revision| revision_cells(cx, revision)).unwrap_or_default(), false)
        });
        if revisions.is_empty() {
            let key = cx.key(id::BACK);
            let says = format!("no revision is kept; {key} goes back");
            put(buf, area.x + 2, area.y + 1, area.width.saturating_sub(3), &says, style(cx, Role::Dim));
        }
    }
}

fn event_of(object: &Object) -> Option<&crate::kubernetes::object::Event> {
    match &object.facts {
        Facts::Event(event) => Some(event),
        _ => None,
    }
}

fn last_of(object: &Object) -> Option<jiff::Timestamp> {
    event_of(object).and_then(|event| event.last.or(event.first)).or(object.created)
}

fn event_cells(cx: &Context, object: &Object) -> Vec<Line> {
    let Some(event) = event_of(object) else { return Vec::new() };
    let is_warning = &*event.severity == "Warning";
    let role = if is_warning { Role::Warn } else { Role::Text };
    let sign = if is_warning { Sign::Warn.text(cx) } else { " " };
    let right = |text: String, cells: usize| vec![span(format!("{text:>cells$}"), Role::Text)];
    vec![
        right(words::since(cx, last_of(object)), 5),
        vec![span(format!("{sign} {}", event.severity), role)],
        vec![span(&*event.reason, role)],
        right(event.count.max(1).to_string(), 6),
        vec![span(&*event.message, Role::Text)],
        vec![span(&*event.source, Role::Dim)],
    ]
}

fn revision_cells(cx: &Context, revision: &Revision) -> Vec<Line> {
    let right = |text: String, cells: usize| vec![span(format!("{text:>cells$}"), Role::Text)];
    let current = if revision.is_current { "current" } else { "" };
    vec![
        right(revision.number.to_string(), 9),
        vec![span(current, Role::Ok)],
        right(revision.pods.to_string(), 5),
        right(words::since(cx, revision.created), 4),
        vec![span(revision.images.join(", "), Role::Text)],
        vec![span(revision.cause.as_str(), Role::Dim)],
    ]
}
