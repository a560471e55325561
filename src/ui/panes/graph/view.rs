//! Draws the regions; reads only.

use super::draw::Picture;
use super::request::Question;
use super::rows::{self, LIST_COLUMNS, TREE_COLUMNS};
use super::{GraphPane, Region, tell};
use crate::app::Context;
use crate::app::commands::id;
use crate::app::context::grouped;
use crate::config::theme::Role;
use crate::ui::entity_lines::short_ref;
use crate::ui::text::{Line, put, put_line, span};
use crate::ui::theme::style;
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

impl GraphPane {
    pub(super) fn columns(&self) -> &'static [Column] {
        match self.request.question {
            Question::Around | Question::Path(_) => TREE_COLUMNS,
            Question::Impact | Question::Cycles => LIST_COLUMNS,
        }
    }

    pub(super) fn panel(
        &self,
        cx: &Context,
        region: Rect,
        title: &str,
        note: &str,
        which: Region,
        buf: &mut Buffer,
    ) -> Rect {
        if !Self::is_framed(cx.area) {
            return region;
        }
        Panel { title, note, is_focused: self.focus == which }.draw(cx, region, buf)
    }

    pub(super) fn draw_list(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let note = if self.rows.is_empty() {
            String::new()
        } else {
            format!("{} of {}", grouped(self.list.cursor + 1), grouped(self.rows.len()))
        };
        let title = match self.request.question {
            Question::Around => "Tree",
            Question::Impact => "What is touched",
            Question::Path(_) => "Path",
            Question::Cycles => "Circles",
        };
        let inner = self.panel(cx, region, title, &note, Region::List, buf);
        let area = self.table_area(region, cx.area);
        if self.search.is_typing && area.y > inner.y {
            self.draw_search(cx, Rect { height: 1, ..inner }, buf);
        }
        if self.rows.is_empty() {
            self.draw_missing(cx, area, buf);
            return;
        }
        let columns = self.columns();
        let table = Table {
            columns,
            sort: None,
            list: &self.list,
            len: self.rows.len(),
            is_focused: self.focus == Region::List,
        };
        table.draw(cx, area, buf, |at| {
            let Some(row) = self.rows.get(at) else { return (Vec::new(), false) };
            let is_found = if self.is_around() {
                row.id.is_some() && !row.is_repeated && self.found.contains(&row.node)
            } else {
                self.found.contains(&at)
            };
            (rows::cells(cx, &self.catalog, row, columns), is_found)
        });
    }

    pub(super) fn draw_search(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        put(buf, area.x, area.y, 1, "/", style(cx, Role::Key));
        let room = area.width.saturating_sub(2);
        put(buf, area.x + 1, area.y, room, self.search.input.text(), style(cx, Role::Text));
        let cursor = crate::model::text::width(self.search.input.before_cursor()) as u16;
        let reverse = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
        let x = (area.x + 1 + cursor).min(area.right().saturating_sub(1));
        crate::ui::text::paint(buf, x, area.y, 1, reverse);
    }

    pub(super) fn draw_missing(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let what = match (&self.missing, self.is_built) {
            (Some(what), _) => what.as_str(),
            (None, false) => "loading",
            (None, true) => "there is nothing to show",
        };
        let then = format!("{} goes back", cx.key(id::BACK));
        put(buf, area.x + 2, area.y + 1, area.width.saturating_sub(3), what, style(cx, Role::Text));
        put(buf, area.x + 2, area.y + 2, area.width.saturating_sub(3), &then, style(cx, Role::Dim));
    }

    pub(super) fn draw_boxes(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let picture = Picture {
            catalog: &self.catalog,
            scene: &self.scene,
            boxes: &self.boxes,
            offset: self.offset,
            focus: self.node(),
            found: &self.found,
        };
        let canvas = Self::canvas(region, cx.area);
        let unseen = picture.unseen(canvas.width, canvas.height).words();
        self.panel(cx, region, "Boxes", &unseen, Region::Boxes, buf);
        if self.scene.nodes.is_empty() {
            self.draw_missing(cx, canvas, buf);
            return;
        }
        picture.draw(cx, canvas, buf);
        if self.search.is_typing && self.areas(cx.area).list.is_none() {
            let line = Rect { height: 1, ..canvas };
            crate::ui::theme::fill(cx, line, buf);
            self.draw_search(cx, line, buf);
        }
        if !Self::is_framed(cx.area) && canvas.height > 0 {
            put(
                buf,
                canvas.x + 1,
                canvas.bottom(),
                canvas.width.saturating_sub(2),
                &unseen,
                style(cx, Role::Dim),
            );
        }
        let strip = Self::inner(region, cx.area).bottom().saturating_sub(1);
        if strip >= canvas.bottom() && canvas.height > 0 {
            put_line(cx, buf, canvas.x + 1, strip, canvas.width.saturating_sub(2), &self.strip());
        }
    }

    /// Says in words what the focused box is tied to; lines that are not drawn are here as well.
    pub(super) fn strip(&self) -> Line {
        let node = self.node();
        let name = |at: usize| {
            self.scene.nodes.get(at).map_or_else(String::new, |n| short_ref(self.catalog.ref_of(n.id)))
        };
        let mut line = vec![span(name(node), Role::Text), span(":", Role::Dim)];
        for (at, bond) in self.scene.bonds_of(node).take(20) {
            let other = if bond.near == node { bond.far } else { bond.near };
            let comma = if line.len() > 2 { "," } else { "" };
            line.push(span(format!("{comma} {} ", self.scene.words(at, node)), Role::Dim));
            line.push(span(name(other), Role::Link));
        }
        line
    }

    pub(super) fn draw_side(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let title = match (self.is_impact(), self.focused()) {
            (true, _) => "Tell".to_owned(),
            (false, Some(id)) => short_ref(self.catalog.ref_of(id)),
            (false, None) => String::new(),
        };
        let inner = self.panel(cx, region, &title, "", Region::Side, buf);
        if self.is_impact() {
            let is_focused = self.focus == Region::Side;
            tell::draw(cx, &self.tell, &self.tell_list, is_focused, inner, buf);
            return;
        }
        for (row, line) in self.side.iter().skip(self.side_offset).take(usize::from(inner.height)).enumerate()
        {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }
}
