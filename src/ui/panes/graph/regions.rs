//! Which region stands where, and how the layout cycles.

use super::{Areas, BOTH, Form, GraphPane, Region, SPLIT, WIDE};
use crate::app::Context;
use crate::ui::widgets::{Panel, Table};
use ratatui::layout::Rect;

impl GraphPane {
    pub(super) fn form(&self, width: u16) -> Form {
        match self.request.form {
            Some(Form::Both) | None if width >= BOTH => Form::Both,
            Some(Form::Boxes) => Form::Boxes,
            _ => Form::Tree,
        }
    }

    pub(super) fn areas(&self, area: Rect) -> Areas {
        let split = |left: u16| {
            let left = left.min(area.width);
            let (a, b) = (Rect { width: left, ..area }, area.width - left);
            (Some(a), Some(Rect { x: area.x + left, width: b, ..area }))
        };
        if !self.is_around() {
            let is_split = area.width >= SPLIT;
            return match (self.only, is_split) {
                (Some(Region::Side), _) => Areas { side: Some(area), ..Areas::default() },
                (None, true) => {
                    let (list, side) = split((u32::from(area.width) * 62 / 100) as u16);
                    Areas { list, side, boxes: None }
                }
                _ => Areas { list: Some(area), ..Areas::default() },
            };
        }
        let is_wide = area.width >= WIDE;
        match self.form(area.width) {
            Form::Tree if area.width >= SPLIT => {
                let (list, side) = split((u32::from(area.width) * 60 / 100) as u16);
                Areas { list, side, boxes: None }
            }
            Form::Tree => Areas { list: Some(area), ..Areas::default() },
            Form::Boxes if is_wide => {
                let (boxes, side) = split(area.width - 54);
                Areas { list: None, boxes, side }
            }
            Form::Boxes => Areas { boxes: Some(area), ..Areas::default() },
            Form::Both if is_wide => {
                let (list, rest) = split(area.width * 35 / 100);
                let rest = rest.unwrap_or_default();
                let side = 48.min(rest.width);
                let boxes = Rect { width: rest.width - side, ..rest };
                let side = Rect { x: boxes.right(), width: side, ..rest };
                Areas { list, boxes: Some(boxes), side: Some(side) }
            }
            Form::Both => {
                let (list, boxes) = split(area.width * 45 / 100);
                Areas { list, boxes, side: None }
            }
        }
    }

    pub(super) fn is_framed(screen: Rect) -> bool {
        screen.width >= SPLIT
    }

    pub(super) fn inner(region: Rect, screen: Rect) -> Rect {
        if Self::is_framed(screen) { Panel::inner(region) } else { region }
    }

    /// Rows below the boxes: what is said of the focused node, and without a frame what is not seen.
    pub(super) fn notes(screen: Rect) -> u16 {
        if Self::is_framed(screen) { 1 } else { 2 }
    }

    /// Area of the table inside the list region: below the search line.
    pub(super) fn table_area(&self, region: Rect, screen: Rect) -> Rect {
        let inner = Self::inner(region, screen);
        let typing = u16::from(self.search.is_typing && self.areas(screen).list.is_some());
        let typing = typing.min(inner.height);
        Rect { y: inner.y + typing, height: inner.height - typing, ..inner }
    }

    /// Area of the boxes inside their region.
    pub(super) fn canvas(region: Rect, screen: Rect) -> Rect {
        let inner = Self::inner(region, screen);
        Rect { height: inner.height.saturating_sub(Self::notes(screen)), ..inner }
    }

    pub(super) fn height(&self, cx: &Context) -> usize {
        let region = self.areas(cx.area).list.unwrap_or(cx.area);
        Table::height(self.table_area(region, cx.area))
    }

    pub(super) fn side_height(&self, cx: &Context) -> usize {
        let region = self.areas(cx.area).side.unwrap_or(cx.area);
        usize::from(Self::inner(region, cx.area).height)
    }

    /// Regions on screen in the order that `tab` walks.
    pub(super) fn regions(&self, area: Rect) -> Vec<Region> {
        let areas = self.areas(area);
        let all = [(Region::List, areas.list), (Region::Boxes, areas.boxes), (Region::Side, areas.side)];
        all.into_iter().filter_map(|(region, area)| area.map(|_| region)).collect()
    }

    pub(super) fn step_region(&mut self, by: isize, cx: &Context) {
        let regions = self.regions(cx.area);
        let at = regions.iter().position(|region| *region == self.focus).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(regions.len().max(1) as isize) as usize;
        self.focus = regions.get(next).copied().unwrap_or_default();
        self.look(cx);
    }

    pub(super) fn cycle_layout(&mut self, cx: &Context) {
        if self.is_around() {
            let is_wide = cx.area.width >= BOTH;
            self.request.form = match self.form(cx.area.width) {
                Form::Tree => Some(Form::Boxes),
                Form::Boxes if is_wide => Some(Form::Both),
                Form::Both | Form::Boxes => Some(Form::Tree),
            };
        } else {
            self.only = match (self.only, cx.area.width >= SPLIT) {
                (None, true) => Some(Region::List),
                (None | Some(Region::List), _) => Some(Region::Side),
                _ => None,
            };
        }
        self.lay_out(cx);
    }
}
