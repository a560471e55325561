//! Moving the focus: along relations, rows and boxes, and to what a search finds.

use super::{GraphPane, Region, rows};
use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::catalog::EntityId;

impl GraphPane {
    pub(super) fn focus_row(&mut self, row: usize, cx: &Context) {
        self.list.select(row, self.rows.len(), self.height(cx));
        self.center(cx);
        self.look(cx);
    }

    /// Puts the focus on a node of the scene, unfolding what hides it.
    pub(super) fn focus_node(&mut self, node: usize, cx: &Context) {
        let mut at = node;
        let mut is_hidden = false;
        while at != 0 {
            at = self.scene.nodes.get(at).map_or(0, |n| n.parent);
            is_hidden |= self.scene.nodes.get(at).is_some_and(|n| self.collapsed.remove(&n.id));
        }
        if is_hidden {
            self.rows = rows::tree(cx, &self.scene, &self.collapsed);
        }
        let id = self.scene.nodes.get(node).map(|n| n.id);
        if let Some(row) = id.and_then(|id| self.row_of(id)) {
            self.focus_row(row, cx);
        }
    }

    /// Scrolls the boxes so that the focused one is seen, with its surroundings where there is room.
    pub(super) fn center(&mut self, cx: &Context) {
        let Some(region) = self.areas(cx.area).boxes else { return };
        let canvas = Self::canvas(region, cx.area);
        let Some(place) = self.boxes.places.get(self.node()) else { return };
        let fit = |offset: i32, at: i32, size: i32, room: i32, all: i32| {
            if all <= room {
                return -(room - all) / 2;
            }
            let is_seen = offset <= at && at + size <= offset + room;
            let wanted = if is_seen { offset } else { at + size / 2 - room / 2 };
            wanted.clamp(0, all - room)
        };
        let (x, y) = self.offset;
        self.offset = (
            fit(x, place.x, place.width, i32::from(canvas.width), self.boxes.size.0),
            fit(y, place.y, self.boxes.height, i32::from(canvas.height), self.boxes.size.1),
        );
    }

    pub(super) fn walk(&mut self, by: i32, cx: &Context) {
        if self.focus == Region::Boxes {
            if let Some(node) = self.boxes.across(&self.scene, self.node(), by) {
                self.focus_node(node, cx);
            }
            return;
        }
        let Some(row) = self.focused_row().cloned() else { return };
        let is_open = row.has_below && !row.is_collapsed;
        match (by > 0, row.id) {
            (true, Some(id)) if row.is_collapsed => self.fold(id, cx),
            (true, _) if row.is_repeated => self.focus_node(row.node, cx),
            (true, _) if is_open => self.focus_row(self.list.cursor + 1, cx),
            (false, Some(id)) if is_open => self.fold(id, cx),
            (false, _) if row.depth > 0 => {
                let above = self.rows.get(..self.list.cursor).unwrap_or(&[]);
                if let Some(at) = above.iter().rposition(|other| other.depth < row.depth) {
                    self.focus_row(at, cx);
                }
            }
            _ => {}
        }
    }

    pub(super) fn fold(&mut self, id: EntityId, cx: &Context) {
        if !self.collapsed.remove(&id) {
            self.collapsed.insert(id);
        }
        self.rows = rows::tree(cx, &self.scene, &self.collapsed);
        self.list.clamp(self.rows.len(), self.height(cx));
        self.look(cx);
    }

    pub(super) fn move_boxes(&mut self, command: CommandId, cx: &Context) {
        let region = self.areas(cx.area).boxes.unwrap_or(cx.area);
        let page =
            (i32::from(Self::canvas(region, cx.area).height) / self.boxes.height.max(1)).max(1) as isize;
        let by = match command {
            id::DOWN => 1,
            id::UP => -1,
            id::TOP => isize::MIN / 2,
            id::BOTTOM => isize::MAX / 2,
            id::HALF_DOWN => (page / 2).max(1),
            id::HALF_UP => -(page / 2).max(1),
            id::PAGE_DOWN => page,
            id::PAGE_UP => -page,
            _ => return,
        };
        if let Some(node) = self.boxes.step(&self.scene, self.node(), by) {
            self.focus_node(node, cx);
        }
    }

    pub(super) fn find(&mut self) {
        let needle = self.search.input.text().trim().to_lowercase();
        self.search.found.clear();
        self.search.at = 0;
        if !needle.is_empty() {
            let is_hit = |id: EntityId| {
                let title = self.catalog.entity(id).and_then(|entity| entity.title()).unwrap_or("");
                self.catalog.ref_of(id).contains(&needle) || title.to_lowercase().contains(&needle)
            };
            self.search.found = if self.is_around() {
                let node = |at: &usize| self.scene.nodes.get(*at).is_some_and(|node| is_hit(node.id));
                self.scene.preorder.iter().copied().filter(node).collect()
            } else {
                let row = |at: &usize| self.rows.get(*at).and_then(|row| row.id).is_some_and(is_hit);
                (0..self.rows.len()).filter(row).collect()
            };
        }
        self.found = self.search.found.iter().copied().collect();
    }

    pub(super) fn step_match(&mut self, by: isize, cx: &Context) {
        let len = self.search.found.len() as isize;
        if len == 0 {
            return;
        }
        self.search.at = (self.search.at as isize + by).rem_euclid(len) as usize;
        let Some(at) = self.search.found.get(self.search.at).copied() else { return };
        if self.is_around() { self.focus_node(at, cx) } else { self.focus_row(at, cx) }
    }

    pub(super) fn search_status(&self) -> Option<String> {
        if self.search.input.is_empty() && !self.search.is_typing {
            return None;
        }
        let cursor = if self.search.is_typing { "_" } else { "" };
        let len = self.search.found.len();
        let at = if len == 0 { 0 } else { self.search.at + 1 };
        Some(format!("{}{cursor} {at}/{len}", self.search.input.text()))
    }
}
