//! Whom to tell when something breaks: owners, how much of theirs is touched, how to reach them.

use crate::app::Context;
use crate::app::list::ListState;
use crate::app::subject::links;
use crate::catalog::graph::Impact;
use crate::catalog::{Catalog, EntityId};
use crate::config::theme::Role;
use crate::ui::entity_lines::{self, short_ref};
use crate::ui::text::{Line, paint, put, put_line, span};
use crate::ui::theme::style;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A line of the region and the owner it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TellRow {
    /// The owner; `None` where there is none.
    pub owner: Option<EntityId>,
    /// What is drawn.
    pub line: Line,
}

/// Most ways of reaching one owner that are listed.
const WAYS: usize = 4;

/// Returns a heading for each owner with the ways of reaching it below.
pub fn rows(cx: &Context, catalog: &Catalog, root: EntityId, impact: &Impact) -> Vec<TellRow> {
    let own = catalog.entity(root).and_then(|entity| entity.owner());
    let mut rows = Vec::new();
    for (owner, count) in &impact.owners {
        let mut line = vec![entity_lines::target(cx, catalog, *owner)];
        let what = match count {
            0 => String::new(),
            1 => "  1 entity".to_owned(),
            many => format!("  {many} entities"),
        };
        line.push(span(what, Role::Text));
        if own == Some(*owner) {
            let name = short_ref(catalog.ref_of(root));
            line.push(span(format!("  owns {name}"), Role::Dim));
        }
        if cx.me.owns(catalog.ref_of(*owner)) {
            line.push(span("  me", Role::Accent));
        }
        rows.push(TellRow { owner: Some(*owner), line });
        let Some(entity) = catalog.entity(*owner) else {
            let line = vec![span("  nobody describes this owner", Role::Unknown)];
            rows.push(TellRow { owner: Some(*owner), line });
            continue;
        };
        if let Some(title) = entity.title().filter(|title| *title != entity.name()) {
            rows.push(TellRow { owner: Some(*owner), line: vec![span(format!("  {title}"), Role::Dim)] });
        }
        for (title, url) in links(&entity).into_iter().take(WAYS) {
            let (text, more) = match url.strip_prefix("mailto:") {
                Some(address) => (address.to_owned(), String::new()),
                None => (title, format!("  {url}")),
            };
            let line = vec![span(format!("  {text}"), Role::Link), span(more, Role::Dim)];
            rows.push(TellRow { owner: Some(*owner), line });
        }
    }
    if impact.unowned > 0 {
        let words = match impact.unowned {
            1 => "1 entity has no owner".to_owned(),
            many => format!("{many} entities have no owner"),
        };
        rows.push(TellRow { owner: None, line: vec![span(words, Role::Warn)] });
    }
    if rows.is_empty() {
        rows.push(TellRow { owner: None, line: vec![span("nobody owns it", Role::Warn)] });
    }
    rows
}

/// Draws the visible lines.
pub fn draw(
    cx: &Context,
    rows: &[TellRow],
    list: &ListState,
    is_focused: bool,
    area: Rect,
    buf: &mut Buffer,
) {
    for (line, (at, row)) in
        rows.iter().enumerate().skip(list.offset).take(usize::from(area.height)).enumerate()
    {
        let y = area.y + line as u16;
        put_line(cx, buf, area.x + 2, y, area.width.saturating_sub(2), &row.line);
        if is_focused && at == list.cursor {
            put(buf, area.x, y, 1, ">", style(cx, Role::Focus));
            paint(buf, area.x, y, area.width, style(cx, Role::Selection));
        }
    }
}
