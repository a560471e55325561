//! Regions of focusable lines with one focus among them: the overview and the list of problems.
//!
//! A page is laid out for one [`Key`]; when anything of it changes (size, snapshot, age) the regions
//! are built again and focus and scroll are carried over to the same things.

use super::thing::Thing;
use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::app::input::{Mouse, MouseKind};
use crate::config::theme::Role;
use crate::ui::text::put;
use crate::ui::theme::style;
use crate::ui::widgets::{Flow, FlowState, Panel, Step};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Everything that a layout depends on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Key {
    area: Rect,
    is_ascii: bool,
    is_starred: bool,
    is_single: bool,
    is_loading: bool,
    age: Option<String>,
    catalog: usize,
    /// What is known of the clusters, and the minute that ages are counted to; 0 where nothing of it is shown.
    clusters: (usize, i64),
}

impl Key {
    /// Returns the key for drawing now.
    pub fn new(cx: &Context, area: Rect, canonical: &str, is_single: bool) -> Self {
        Self {
            area,
            is_ascii: cx.ascii,
            is_starred: cx.stars.contains(canonical),
            is_single,
            is_loading: cx.loading.is_some(),
            age: cx.age(),
            // an address is enough: the context keeps the snapshot alive until the next one
            catalog: Arc::as_ptr(&cx.catalog) as usize,
            clusters: if cx.kubernetes.clusters.is_empty() {
                (0, 0)
            } else {
                (super::kubernetes::stamp(&cx.kubernetes), cx.now.as_second() / 60)
            },
        }
    }
}

/// A part of the page that scrolls by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Region {
    title: &'static str,
    note: String,
    is_framed: bool,
    area: Rect,
    /// Its lines.
    pub flow: Flow<Thing>,
}

impl Region {
    /// Creates a region without a frame.
    pub fn plain(area: Rect, flow: Flow<Thing>) -> Self {
        Self { title: "", note: String::new(), is_framed: false, area, flow }
    }

    /// Creates a region with a frame, a title and a note.
    pub fn framed(title: &'static str, note: &str, area: Rect, flow: Flow<Thing>) -> Self {
        Self { title, note: note.to_owned(), is_framed: true, area, flow }
    }

    fn inner(&self) -> Rect {
        if self.is_framed { Panel::inner(self.area) } else { self.area }
    }

    fn height(&self) -> usize {
        usize::from(self.inner().height)
    }
}

/// The regions with focus and scroll.
#[derive(Debug, Clone, Default)]
pub struct Page {
    key: Key,
    regions: Vec<Region>,
    states: Vec<FlowState>,
    at: usize,
}

impl Page {
    /// Returns whether the page is laid out for this key.
    pub fn is_for(&self, key: &Key) -> bool {
        self.key == *key && !self.regions.is_empty()
    }

    /// Returns the page laid out anew; the focus stays on the same thing, the scroll where it was.
    pub fn renewed(&self, key: Key, regions: Vec<Region>) -> Self {
        let same_shape = regions.len() == self.regions.len();
        let mut page = Self { key, states: vec![FlowState::default(); regions.len()], regions, at: 0 };
        // a page that fills several regions begins with its header, which is no region to stand in
        page.at = if same_shape { self.at } else { usize::from(page.regions.len() > 1) };
        if same_shape {
            page.states.clone_from_slice(&self.states);
        }
        for state in &mut page.states {
            state.focus = None;
        }
        if let Some(thing) = self.focused() {
            page.focus_on(thing, self.states.get(self.at).and_then(|state| state.focus).unwrap_or(0));
        }
        for (region, state) in page.regions.iter().zip(&mut page.states) {
            state.clamp(&region.flow, region.height());
        }
        page
    }

    /// Puts the focus on a thing: the one nearest to an old index in the same region, else the first.
    fn focus_on(&mut self, thing: &Thing, near: usize) {
        let find = |region: &Region| {
            let all = region.flow.spots.iter().enumerate().filter(|(_, spot)| spot.thing == *thing);
            all.map(|(at, _)| at).min_by_key(|at| at.abs_diff(near))
        };
        let here = self.regions.get(self.at).and_then(find).map(|at| (self.at, at));
        let found = here.or_else(|| {
            self.regions.iter().enumerate().find_map(|(index, region)| Some((index, find(region)?)))
        });
        if let Some((region, spot)) = found {
            self.at = region;
            if let Some(state) = self.states.get_mut(region) {
                state.focus = Some(spot);
            }
        }
    }

    /// Focuses a thing and scrolls to it.
    pub fn go_to(&mut self, thing: &Thing) {
        self.focus_on(thing, 0);
        if let Some((region, state)) = self.regions.get(self.at).zip(self.states.get_mut(self.at))
            && let Some(focus) = state.focus
        {
            state.select(focus, &region.flow, region.height());
        }
    }

    /// Returns the focused thing.
    pub fn focused(&self) -> Option<&Thing> {
        let spot = self.states.get(self.at)?.focus?;
        self.regions.get(self.at)?.flow.spots.get(spot).map(|spot| &spot.thing)
    }

    /// Returns the number of regions.
    pub fn len(&self) -> usize {
        self.regions.len()
    }

    /// Carries out a movement; returns whether the command was one.
    pub fn command(&mut self, command: CommandId) -> bool {
        match command {
            id::REGION_NEXT => self.step_region(1),
            id::REGION_PREVIOUS => self.step_region(-1),
            id::PREVIEW_DOWN => self.scroll_next(3),
            id::PREVIEW_UP => self.scroll_next(-3),
            _ => {
                let Some((region, state)) = self.regions.get(self.at).zip(self.states.get_mut(self.at))
                else {
                    return false;
                };
                match state.command(command, &region.flow, region.height()) {
                    Step::Foreign => return false,
                    Step::Top => self.leave_upwards(),
                    Step::Bottom if self.at == 0 && command == id::DOWN => self.step_region(1),
                    Step::Moved | Step::Bottom => {}
                }
            }
        }
        true
    }

    /// From the top of a column to the header above; from the very top to nothing in particular.
    fn leave_upwards(&mut self) {
        if self.at > 0 && self.regions.first().is_some_and(|header| !header.flow.spots.is_empty()) {
            self.at = 0;
            if let Some((region, state)) = self.regions.first().zip(self.states.first_mut()) {
                state.select(region.flow.spots.len().saturating_sub(1), &region.flow, region.height());
            }
        } else if let Some(state) = self.states.get_mut(self.at) {
            state.focus = None;
        }
    }

    fn step_region(&mut self, by: isize) {
        let len = self.regions.len();
        if len < 2 {
            return;
        }
        self.at = (self.at as isize + by).rem_euclid(len as isize) as usize;
        if let Some((region, state)) = self.regions.get(self.at).zip(self.states.get_mut(self.at))
            && state.focus.is_none()
        {
            state.focus = state.first_visible(&region.flow, region.height());
        }
    }

    /// Scrolls the region beside the focused one.
    fn scroll_next(&mut self, by: isize) {
        let next = if self.at + 1 < self.regions.len() { self.at + 1 } else { 1 };
        if let Some((region, state)) = self.regions.get(next).zip(self.states.get_mut(next)) {
            state.scroll(by, &region.flow, region.height());
        }
    }

    /// Takes the mouse; returns whether a thing was double-clicked.
    pub fn mouse(&mut self, mouse: Mouse) -> bool {
        let cell = (mouse.column, mouse.row).into();
        let Some(at) = self.regions.iter().position(|region| region.area.contains(cell)) else {
            return false;
        };
        let Some((region, state)) = self.regions.get(at).zip(self.states.get_mut(at)) else { return false };
        let height = region.height();
        match mouse.kind {
            MouseKind::ScrollUp => state.scroll(-3, &region.flow, height),
            MouseKind::ScrollDown => state.scroll(3, &region.flow, height),
            MouseKind::Click | MouseKind::DoubleClick => {
                let hit = region.flow.spot_at(region.inner(), state.offset, mouse.column, mouse.row);
                state.focus = hit.or(state.focus);
                self.at = at;
                return hit.is_some() && mouse.kind == MouseKind::DoubleClick;
            }
        }
        false
    }

    /// Draws the regions.
    pub fn draw(&self, cx: &Context, buf: &mut Buffer) {
        for (at, (region, state)) in self.regions.iter().zip(&self.states).enumerate() {
            let is_focused = at == self.at;
            let area = region.area.intersection(buf.area);
            let (lines, height) = (region.flow.lines.len(), region.height());
            if region.is_framed {
                let more = lines.saturating_sub(state.offset + height);
                let note = match (region.note.as_str(), more) {
                    (note, 0) => note.to_owned(),
                    ("", more) => format!("{more} more lines"),
                    (note, more) => format!("{note}, {more} more lines"),
                };
                Panel { title: region.title, note: &note, is_focused }.draw(cx, area, buf);
            }
            let inner = region.inner().intersection(buf.area);
            region.flow.draw(cx, inner, buf, state, is_focused);
            if !region.is_framed {
                draw_ends(cx, inner, buf, state.offset, lines);
            }
        }
    }
}

/// Marks at the right edge that there is more above or below.
fn draw_ends(cx: &Context, area: Rect, buf: &mut Buffer, offset: usize, lines: usize) {
    if area.height == 0 || area.width < 4 {
        return;
    }
    let (up, down) = if cx.ascii { ("^", "v") } else { ("▲", "▼") };
    let x = area.right() - 1;
    if offset > 0 {
        put(buf, x, area.y, 1, up, style(cx, Role::Dim));
    }
    if offset + usize::from(area.height) < lines {
        put(buf, x, area.bottom() - 1, 1, down, style(cx, Role::Dim));
    }
}
