//! Draws the regions; reads only.

use super::chart::{self, Remark, What};
use super::{BELOW, OWNED_COLUMNS, OrgPane, Region, TREE_COLUMNS, is_mine, section_name};
use crate::app::Context;
use crate::app::commands::id;
use crate::app::context::grouped;
use crate::app::list::ListState;
use crate::catalog::Catalog;
use crate::config::theme::Role;
use crate::model::text::width;
use crate::ui::entity_lines::{self, short_ref};
use crate::ui::text::{Line, paint, put, put_line, span};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

impl OrgPane {
    pub(super) fn draw_tree(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let inner = Self::inner(region, cx.area);
        if inner != region {
            let note = format!(
                "{} of {}",
                grouped((self.list.cursor + 1).min(self.rows.len())),
                grouped(self.rows.len())
            );
            Panel { title: "Groups and people", note: &note, is_focused: self.focus == Region::Tree }
                .draw(cx, region, buf);
        }
        let area = self.tree_area(region, cx.area);
        if self.is_typing && area.y > inner.y {
            self.draw_filter(cx, Rect { height: 1, ..inner }, buf);
        }
        if self.rows.is_empty() {
            self.draw_empty(cx, area, buf);
            return;
        }
        let table = tree_table(&self.list, self.rows.len(), self.focus == Region::Tree);
        table.draw(cx, area, buf, |at| (self.cells(cx, at), false));
    }

    pub(super) fn draw_filter(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        put(buf, area.x, area.y, 1, "/", style(cx, Role::Key));
        put(buf, area.x + 1, area.y, area.width.saturating_sub(2), self.filter.text(), style(cx, Role::Text));
        let cursor = width(self.filter.before_cursor()) as u16;
        let reverse = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
        paint(buf, (area.x + 1 + cursor).min(area.right().saturating_sub(1)), area.y, 1, reverse);
    }

    pub(super) fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (what, then) = if cx.loading.is_some() && cx.catalog.is_empty() {
            ("loading".to_owned(), String::new())
        } else if self.filter.is_empty() {
            let what = "no groups or people were found".to_owned();
            (what, "describe them as entities of kind Group and User".to_owned())
        } else {
            let what = format!("no group and no person is called {}", self.filter.text());
            (what, format!("{} clears the filter", cx.key(id::BACK)))
        };
        put(buf, area.x + 2, area.y + 1, area.width.saturating_sub(3), &what, style(cx, Role::Text));
        put(buf, area.x + 2, area.y + 2, area.width.saturating_sub(3), &then, style(cx, Role::Dim));
    }

    pub(super) fn cells(&self, cx: &Context, at: usize) -> Vec<Line> {
        let Some((row, catalog)) = self.rows.get(at).zip(self.catalog.as_ref()) else { return Vec::new() };
        let Some(item) = self.chart.items.get(row.item) else { return Vec::new() };
        let sign = match (item.children.is_empty(), self.is_open(row.item), cx.ascii) {
            (true, ..) => "  ",
            (false, true, false) => "▾ ",
            (false, false, false) => "▸ ",
            (false, true, true) => "- ",
            (false, false, true) => "+ ",
        };
        // deep trees keep their names visible
        let mut name = vec![span(format!("{}{sign}", "  ".repeat(row.depth.min(12))), Role::Dim)];
        name.extend(name_words(cx, catalog, item));
        let both = |(own, all): (usize, usize)| match (own, all) {
            (0, 0) => String::new(),
            (own, all) if own == all => grouped(own),
            (own, all) => format!("{} ({})", grouped(own), grouped(all)),
        };
        let count = |counts: (usize, usize)| vec![span(both(counts), Role::Text)];
        let entity = item.id().and_then(|id| catalog.entity(id));
        let kind = match (&entity, item.what) {
            (Some(entity), What::Group(_)) => entity.entity_type().to_owned(),
            (Some(_), What::Person(_)) => "person".to_owned(),
            _ => String::new(),
        };
        let members = match item.what {
            What::Ungrouped | What::Nowhere => vec![span(grouped(item.children.len()), Role::Text)],
            _ => count(item.members),
        };
        vec![name, members, count(item.owned), vec![span(kind, Role::Dim)]]
    }

    pub(super) fn draw_detail(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let item = self.focused_item().and_then(|at| self.chart.items.get(at));
        let title = match (item, &self.catalog) {
            (Some(item), Some(catalog)) => item
                .id()
                .map_or_else(|| section_name(item.what).to_owned(), |id| short_ref(catalog.ref_of(id))),
            _ => String::new(),
        };
        let height = usize::from(Panel::inner(region).height);
        let below = self.detail.len().saturating_sub(self.detail_offset + height);
        let note = if below > 0 { format!("{} more below", grouped(below)) } else { String::new() };
        let inner = Panel { title: &title, note: &note, is_focused: self.focus == Region::Detail }
            .draw(cx, region, buf);
        let lines = self.detail.iter().skip(self.detail_offset).take(usize::from(inner.height));
        for (row, line) in lines.enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }

    pub(super) fn draw_owned(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let item = self.focused_item().and_then(|at| self.chart.items.get(at));
        let title = match item.map(|item| item.what) {
            Some(What::Unowned) => "Without an owner",
            _ if self.is_whole => "Owns, with the groups below",
            _ => "Owns",
        };
        let at = if self.owned.is_empty() { 0 } else { self.owned_list.cursor + 1 };
        let note = format!("{} of {}", grouped(at), grouped(self.owned.len()));
        let inner =
            Panel { title, note: &note, is_focused: self.focus == Region::Owned }.draw(cx, region, buf);
        let Some(catalog) = self.catalog.as_ref().filter(|_| !self.owned.is_empty()) else {
            let all = item.map_or(0, |item| item.owned.1);
            let text = if all > 0 {
                format!("nothing itself; {} adds the groups below ({})", cx.key(BELOW), grouped(all))
            } else {
                "nothing".to_owned()
            };
            put(buf, inner.x + 1, inner.y, inner.width.saturating_sub(2), &text, style(cx, Role::Dim));
            return;
        };
        let table = owned_table(&self.owned_list, self.owned.len(), self.focus == Region::Owned);
        table.draw(cx, inner, buf, |row| {
            let Some(entity) = self.owned.get(row).and_then(|id| catalog.entity(*id)) else {
                return (Vec::new(), false);
            };
            let cells = vec![
                entity_lines::name_cell(cx, &entity),
                vec![span(entity_lines::kind_words(&entity), Role::Text)],
                vec![span(entity.lifecycle(), Role::Text)],
                entity_lines::problem_cell(cx, &entity),
            ];
            (cells, false)
        });
    }
}

/// Returns the table of the tree.
pub(super) fn tree_table(list: &ListState, len: usize, is_focused: bool) -> Table<'_> {
    Table { columns: TREE_COLUMNS, sort: None, list, len, is_focused }
}

/// Returns the table of what is owned.
pub(super) fn owned_table(list: &ListState, len: usize, is_focused: bool) -> Table<'_> {
    Table { columns: OWNED_COLUMNS, sort: None, list, len, is_focused }
}

/// Returns the name of an item with what there is to know about it.
fn name_words(cx: &Context, catalog: &Catalog, item: &chart::Item) -> Line {
    let Some(id) = item.id() else {
        let role = if item.what == What::Unowned { Role::Warn } else { Role::Accent };
        return vec![span(section_name(item.what), role)];
    };
    let mut line = match catalog.entity(id) {
        None => {
            let sign = Sign::Unknown.text(cx);
            vec![span(format!("{} {sign}", short_ref(catalog.ref_of(id))), Role::Unknown)]
        }
        Some(entity) if matches!(item.what, What::Person(_)) => {
            let mut line = vec![span(entity.title().unwrap_or(entity.name()), Role::Text)];
            if entity.title().is_some_and(|title| title != entity.name()) {
                line.push(span(format!("  {}", entity.name()), Role::Dim));
            }
            line
        }
        Some(entity) => {
            let mut line = entity_lines::name_cell(cx, &entity);
            if let Some(title) = entity.title().filter(|title| !title.eq_ignore_ascii_case(entity.name())) {
                line.push(span(format!("  {title}"), Role::Dim));
            }
            line
        }
    };
    let is_me = cx.me.principal.user.as_deref() == Some(catalog.ref_of(id));
    if is_me || is_mine(cx, catalog, id) {
        line.push(span("  me", Role::Accent));
    }
    match &item.remark {
        Remark::None => {}
        Remark::Elsewhere => line.push(span("  ↺ already shown", Role::Dim)),
        Remark::Circle => line.push(span("  ! its own parent", Role::Warn)),
        Remark::Lost(other) => {
            let word = if matches!(item.what, What::Group(_)) { "parent" } else { "group" };
            let (sign, name) = (Sign::Unknown.text(cx), short_ref(catalog.ref_of(*other)));
            line.push(span(format!("  {word} {name} {sign}"), Role::Unknown));
        }
    }
    line
}
