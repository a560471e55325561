//! Which region stands where, and how the layout cycles.

use super::{Areas, Layout, OrgPane, Region, SPLIT, WIDE};
use crate::app::Context;
use crate::ui::widgets::{Panel, Table};
use ratatui::layout::Rect;

impl OrgPane {
    pub(super) fn areas(&self, area: Rect) -> Areas {
        let stacked = |region: Rect| {
            let top = (u32::from(region.height) * 45 / 100) as u16;
            let detail = Rect { height: top, ..region };
            let owned = Rect { y: region.y + top, height: region.height - top, ..region };
            (Some(detail), Some(owned))
        };
        match (self.layout, area.width >= SPLIT) {
            (Layout::Detail, _) => {
                let (detail, owned) = stacked(area);
                Areas { tree: None, detail, owned }
            }
            (Layout::Tree, _) | (Layout::Split, false) => Areas { tree: Some(area), ..Areas::default() },
            (Layout::Split, true) => {
                let percent = if area.width >= WIDE { 38 } else { 52 };
                let left = (u32::from(area.width) * percent / 100) as u16;
                let tree = Some(Rect { width: left, ..area });
                let rest = Rect { x: area.x + left, width: area.width - left, ..area };
                if area.width < WIDE {
                    let (detail, owned) = stacked(rest);
                    return Areas { tree, detail, owned };
                }
                let middle = rest.width / 2;
                let detail = Some(Rect { width: middle, ..rest });
                let owned = Some(Rect { x: rest.x + middle, width: rest.width - middle, ..rest });
                Areas { tree, detail, owned }
            }
        }
    }

    /// Area inside a region; details and owned entities always have a frame, the tree only beside them.
    pub(super) fn inner(region: Rect, screen: Rect) -> Rect {
        if region == screen && screen.width < SPLIT { region } else { Panel::inner(region) }
    }

    pub(super) fn tree_area(&self, region: Rect, screen: Rect) -> Rect {
        let inner = Self::inner(region, screen);
        let typing = u16::from(self.is_typing).min(inner.height);
        Rect { y: inner.y + typing, height: inner.height - typing, ..inner }
    }

    pub(super) fn height(&self, cx: &Context) -> usize {
        let region = self.areas(cx.area).tree.unwrap_or(cx.area);
        Table::height(self.tree_area(region, cx.area))
    }

    pub(super) fn owned_height(&self, cx: &Context) -> usize {
        self.areas(cx.area).owned.map_or(1, |region| Table::height(Self::inner(region, cx.area)))
    }

    pub(super) fn detail_height(&self, cx: &Context) -> usize {
        self.areas(cx.area).detail.map_or(1, |region| usize::from(Self::inner(region, cx.area).height))
    }

    pub(super) fn regions(&self, area: Rect) -> Vec<Region> {
        let areas = self.areas(area);
        let all = [(Region::Tree, areas.tree), (Region::Detail, areas.detail), (Region::Owned, areas.owned)];
        all.into_iter().filter_map(|(region, area)| area.map(|_| region)).collect()
    }

    pub(super) fn step_region(&mut self, by: isize, cx: &Context) {
        let regions = self.regions(cx.area);
        let at = regions.iter().position(|region| *region == self.focus).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(regions.len().max(1) as isize) as usize;
        self.focus = regions.get(next).copied().unwrap_or_default();
    }

    pub(super) fn cycle_layout(&mut self, cx: &Context) {
        self.layout = match (self.layout, cx.area.width >= SPLIT) {
            (Layout::Split, true) => Layout::Tree,
            (Layout::Split | Layout::Tree, _) => Layout::Detail,
            (Layout::Detail, _) => Layout::Split,
        };
        self.fit(cx);
    }

    /// Keeps focus, cursors and lines right for the size of the screen.
    pub(super) fn fit(&mut self, cx: &Context) {
        let regions = self.regions(cx.area);
        if !regions.contains(&self.focus) {
            self.focus = if regions.contains(&Region::Owned) { Region::Owned } else { Region::Tree };
        }
        self.list.clamp(self.rows.len(), self.height(cx));
        self.look(cx);
    }
}
