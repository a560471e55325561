//! Templates: what can be made here, with what is asked and done for it.
//!
//! Cards from 100 columns, with the focused template's form and steps beside them; rows below. The rows are an
//! [`EntityList`] over the templates of the catalog, so that the filter is the catalog's. `enter` begins.

mod cards;
mod preview;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::entity_list::EntityList;
use crate::app::event::Effect;
use crate::app::input::{Key, Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::config::theme::Role;
use crate::ui::entity_lines;
use crate::ui::text::{Line, put, put_line, span};
use crate::ui::theme::style;
use crate::ui::widgets::{Column, Panel, Table, filter_line};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::cell::RefCell;
use std::sync::Arc;

/// Opens the templates.
const GO: CommandSpec = CommandSpec::new(
    CommandId("go.templates"),
    "templates",
    "Software templates: what can be made, and what was made",
    &["6"],
    0,
);

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "templates",
    title: "Templates",
    help: "Software templates: what can be made, and what was made",
    aliases: &["scaffolder"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[],
    groups: &[Group::Subject, Group::List, Group::Regions, Group::Move],
    open: |argument, _| Ok(Box::new(TemplatesPane::new(argument))),
};

const COLUMNS: [Column; 5] = [
    Column { title: "TEMPLATE", min: 20, weight: 3, priority: 0 },
    Column { title: "TYPE", min: 9, weight: 1, priority: 1 },
    Column { title: "OWNER", min: 12, weight: 2, priority: 2 },
    Column { title: "LAST USED", min: 9, weight: 0, priority: 3 },
    Column { title: "TAGS", min: 12, weight: 2, priority: 4 },
];

/// Columns from which the preview stands beside the cards.
const SPLIT: u16 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    #[default]
    Split,
    List,
    Detail,
}

/// State of the pane.
struct TemplatesPane {
    rows: EntityList,
    layout: Layout,
    is_preview_focused: bool,
    preview_offset: usize,
    /// Lines of the last drawn preview, with its template and width.
    cache: RefCell<Option<(String, usize, Vec<Line>)>>,
}

impl TemplatesPane {
    fn new(filter: &str) -> Self {
        let mut rows = EntityList::new(filter);
        "kind:template".clone_into(&mut rows.base);
        Self {
            rows,
            layout: Layout::Split,
            is_preview_focused: false,
            preview_offset: 0,
            cache: RefCell::new(None),
        }
    }

    /// The list and the preview; `None` where there is no room.
    fn areas(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        match self.layout {
            Layout::Detail => (None, Some(area)),
            Layout::Split if area.width >= SPLIT => {
                let list = area.width / 2;
                let preview = Rect { x: area.x + list, width: area.width - list, ..area };
                (Some(Rect { width: list, ..area }), Some(preview))
            }
            Layout::Split | Layout::List => (Some(area), None),
        }
    }

    /// Area of the rows: inside the frame, below the filter line.
    fn rows_area(&self, cx: &Context) -> Rect {
        let region = self.areas(cx.area).0.unwrap_or(cx.area);
        let inner = if cx.area.width >= SPLIT { Panel::inner(region) } else { region };
        let typing = filter_line::rows(&self.rows).min(inner.height.saturating_sub(3));
        Rect { y: inner.y + typing, height: inner.height - typing, ..inner }
    }

    /// Cards need room, and lines that are read one by one want one line each.
    fn has_cards(cx: &Context) -> bool {
        cx.area.width >= SPLIT && !cx.is_plain
    }

    fn height(&self, cx: &Context) -> usize {
        let area = self.rows_area(cx);
        if Self::has_cards(cx) { cards::shown(area) } else { Table::height(area) }
    }

    fn preview_length(&self) -> usize {
        self.cache.borrow().as_ref().map_or(0, |(.., lines)| lines.len())
    }

    fn scroll_preview(&mut self, by: isize) {
        let last = self.preview_length().saturating_sub(1);
        self.preview_offset = self.preview_offset.saturating_add_signed(by).min(last);
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        match command {
            id::OPEN => return self.open(),
            id::REGION_NEXT | id::REGION_PREVIOUS => self.is_preview_focused = !self.is_preview_focused,
            id::PREVIEW_DOWN => self.scroll_preview(3),
            id::PREVIEW_UP => self.scroll_preview(-3),
            id::LAYOUT => {
                self.layout = match (self.layout, cx.area.width >= SPLIT) {
                    (Layout::Split, true) => Layout::List,
                    (Layout::Split | Layout::List, _) => Layout::Detail,
                    (Layout::Detail, _) => Layout::Split,
                };
                self.is_preview_focused = self.layout == Layout::Detail;
            }
            command if self.is_preview_focused => {
                let length = self.preview_length();
                let mut text = ListState { cursor: self.preview_offset, ..ListState::default() };
                if text.command(command, length, usize::from(cx.area.height)) {
                    self.preview_offset = text.cursor;
                } else {
                    return self.rows.command(command, height, cx).unwrap_or_default();
                }
            }
            command => {
                let before = self.rows.list.cursor;
                let effects = self.rows.command(command, height, cx).unwrap_or_default();
                if before != self.rows.list.cursor {
                    self.preview_offset = 0;
                }
                return effects;
            }
        }
        Vec::new()
    }

    fn open(&self) -> Vec<Effect> {
        let place = self.rows.focused().map(|entity| Place::entity(entity.entity_ref()));
        place.map(|place| vec![Effect::Open(place)]).unwrap_or_default()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let (list, _) = self.areas(cx.area);
        let is_in_list = list.is_some_and(|area| area.contains((mouse.column, mouse.row).into()));
        self.is_preview_focused = !is_in_list;
        let by = match mouse.kind {
            MouseKind::ScrollUp => Some(-1),
            MouseKind::ScrollDown => Some(1),
            MouseKind::Click | MouseKind::DoubleClick => None,
        };
        let height = self.height(cx);
        match by {
            Some(by) if is_in_list => self.rows.list.scroll(by, self.rows.len(), height),
            Some(by) => self.scroll_preview(3 * by),
            None if is_in_list => {
                let area = self.rows_area(cx);
                let row = if Self::has_cards(cx) {
                    cards::row_at(&self.rows.list, self.rows.len(), area, mouse.column, mouse.row)
                } else {
                    self.table().row_at(area, mouse.column, mouse.row)
                };
                if let Some(row) = row {
                    self.rows.list.select(row, self.rows.len(), height);
                    self.preview_offset = 0;
                    if mouse.kind == MouseKind::DoubleClick {
                        return self.open();
                    }
                }
            }
            None => {}
        }
        Vec::new()
    }

    fn table(&self) -> Table<'_> {
        Table {
            columns: &COLUMNS,
            sort: None,
            list: &self.rows.list,
            len: self.rows.len(),
            is_focused: !self.is_preview_focused,
        }
    }

    fn cells(&self, cx: &Context, row: usize) -> (Vec<Line>, bool) {
        let Some((entity, catalog)) = self.rows.entity(row).zip(self.rows.catalog()) else {
            return (Vec::new(), false);
        };
        let owner = entity.owner().map(|id| vec![entity_lines::target(cx, catalog, id)]);
        let cells = vec![
            vec![span(entity.title().unwrap_or_else(|| entity.name()), Role::Text)],
            vec![span(entity.entity_type(), Role::Text)],
            owner.unwrap_or_default(),
            vec![span(Self::used(cx, entity.entity_ref()), Role::Dim)],
            vec![span(entity.tags().collect::<Vec<_>>().join(" "), Role::Dim)],
        ];
        (cells, self.rows.marks.has(entity.entity_ref()))
    }

    /// When a template was used last, in words.
    fn used(_cx: &Context, _template: &str) -> String {
        String::new()
    }

    fn draw_list(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        if cx.area.width >= SPLIT {
            let count = self.count();
            let panel = Panel { title: "Templates", note: &count, is_focused: !self.is_preview_focused };
            panel.draw(cx, region, buf);
        }
        let area = self.rows_area(cx);
        let top = Rect { y: area.y.saturating_sub(filter_line::rows(&self.rows)), ..area };
        filter_line::draw(cx, &self.rows, top, buf);
        if self.rows.is_empty() {
            self.draw_empty(cx, area, buf);
        } else if Self::has_cards(cx) {
            let used = |template: &str| Self::used(cx, template);
            cards::draw(cx, &self.rows, area, !self.is_preview_focused, used, buf);
        } else {
            self.table().draw(cx, area, buf, |row| self.cells(cx, row));
        }
    }

    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let is_filtered = !self.rows.filter.is_empty();
        let (what, then) = if self.rows.is_waiting() || (cx.loading.is_some() && cx.catalog.is_empty()) {
            ("loading", String::new())
        } else if is_filtered {
            ("the filter hides all templates", format!("{} clears the filter", cx.key(id::BACK)))
        } else {
            let then = "a file with `kind: Template` in a source brings one; Backstage's are read unchanged";
            ("the catalog has no templates", then.to_owned())
        };
        put(buf, area.x + 2, area.y + 1, area.width.saturating_sub(3), what, style(cx, Role::Text));
        put(buf, area.x + 2, area.y + 2, area.width.saturating_sub(3), &then, style(cx, Role::Dim));
    }

    fn draw_preview(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let focused = self.rows.focused().zip(self.rows.catalog());
        let title = focused.map_or("", |(entity, _)| entity.name());
        let inner = Panel { title, note: "", is_focused: self.is_preview_focused }.draw(cx, region, buf);
        let Some((entity, catalog)) = focused else { return };
        let width = usize::from(inner.width.saturating_sub(2));
        let mut cache = self.cache.borrow_mut();
        if cache.as_ref().is_none_or(|(r, w, _)| r != entity.entity_ref() || *w != width) {
            let lines = preview::lines(cx, catalog, entity, width);
            *cache = Some((entity.entity_ref().to_owned(), width, lines));
        }
        let lines = cache.as_ref().map_or(&[][..], |(.., lines)| lines);
        let offset = self.preview_offset.min(lines.len().saturating_sub(1));
        for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }

    fn count(&self) -> String {
        entity_lines::plural(self.rows.len(), "template")
    }
}

impl Pane for TemplatesPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::with(SPEC.id, self.rows.filter.text())
    }

    fn heading(&self, _cx: &Context) -> Heading {
        Heading {
            crumbs: vec![SPEC.title.to_owned()],
            filter: self.rows.title(),
            count: self.count(),
            marked: self.rows.marks.0.len(),
            ..Heading::default()
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                self.cache.replace(None);
                let height = self.height(cx);
                self.rows.list.clamp(self.rows.len(), height);
                self.is_preview_focused &= self.areas(cx.area).1.is_some();
                let is_current = self.rows.catalog().is_some_and(|c| Arc::ptr_eq(c, &cx.catalog));
                if is_current { Vec::new() } else { vec![self.rows.request(cx)] }
            }
            Input::CatalogChanged => Vec::new(),
            Input::Command(command) => self.command(command, cx),
            Input::Choice(id::SORT, choice) => self.rows.choose_sort(choice, cx),
            Input::Choice(..) => Vec::new(),
            Input::Paste(text) => self.rows.paste(text, cx),
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Task(task) => {
                let height = self.height(cx);
                if self.rows.task(task, height) {
                    self.cache.replace(None);
                }
                Vec::new()
            }
        }
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        let height = self.height(cx);
        self.rows.key(key, height, cx)
    }

    fn is_typing(&self) -> bool {
        self.rows.is_typing()
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.layout == Layout::Detail {
            (self.layout, self.is_preview_focused) = (Layout::Split, false);
            return Some(Vec::new());
        }
        self.rows.step_back(cx)
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        let (list, preview) = self.areas(cx.area);
        match command {
            id::OPEN | id::SAVE if self.rows.is_empty() => Availability::no("the list is empty"),
            id::CLEAR if self.rows.filter.is_empty() => Availability::no("there is no filter"),
            id::REGION_NEXT | id::REGION_PREVIOUS if list.is_none() || preview.is_none() => {
                Availability::no("there is one region at this width")
            }
            id::COLUMNS | id::VIEWS | id::SAVE_VIEW => Availability::no("the templates have none"),
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        self.rows.subjects(cx)
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (list, preview) = self.areas(area);
        if let Some(region) = list {
            self.draw_list(cx, region, buf);
        }
        if let Some(region) = preview {
            self.draw_preview(cx, region, buf);
        }
    }
}
