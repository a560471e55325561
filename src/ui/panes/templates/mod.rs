//! Templates: what can be made here, with what is asked and done for it.
//!
//! Cards from 100 columns, with the focused template's form and steps beside them; rows below. The rows are an
//! [`EntityList`] over the templates of the catalog, so that the filter is the catalog's. `enter` begins. The
//! second tab has the runs of the past; `enter` begins one again with the same answers.

mod cards;
mod preview;
mod runs;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::age;
use crate::app::entity_list::EntityList;
use crate::app::event::{Effect, Generation, TaskEvent};
use crate::app::input::{Key, Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{Place, WIZARD};
use crate::app::subject::Subject;
use crate::app::templates::{TemplateAnswer, TemplateOrder};
use crate::config::theme::Role;
use crate::scaffolder::engine::history::PastRun;
use crate::ui::entity_lines;
use crate::ui::text::{Line, put, put_line, span};
use crate::ui::theme::style;
use crate::ui::widgets::{Column, Panel, Table, filter_line};
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::cell::RefCell;
use std::collections::HashMap;
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
    groups: &[Group::Subject, Group::List, Group::Tabs, Group::Regions, Group::Move],
    open: |argument, _| {
        let (tab, filter) = match argument.trim() {
            RUNS => (Tab::Runs, ""),
            filter => (Tab::Templates, filter),
        };
        Ok(Box::new(TemplatesPane { tab, ..TemplatesPane::new(filter) }))
    },
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

/// Argument of the place line of the second tab.
const RUNS: &str = "runs";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Templates,
    Runs,
}

/// State of the pane.
struct TemplatesPane {
    tab: Tab,
    rows: EntityList,
    /// Past runs, the newest first.
    runs: Arc<Vec<PastRun>>,
    run_list: ListState,
    /// When each template was used last.
    used: HashMap<String, Timestamp>,
    /// The request for the history.
    generation: Generation,
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
            tab: Tab::Templates,
            rows,
            runs: Arc::default(),
            run_list: ListState::default(),
            used: HashMap::new(),
            generation: Generation::default(),
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
    fn has_cards(&self, cx: &Context) -> bool {
        self.tab == Tab::Templates && cx.area.width >= SPLIT && !cx.is_plain
    }

    fn list(&self) -> (&ListState, usize) {
        match self.tab {
            Tab::Templates => (&self.rows.list, self.rows.len()),
            Tab::Runs => (&self.run_list, self.runs.len()),
        }
    }

    fn list_mut(&mut self) -> (&mut ListState, usize) {
        match self.tab {
            Tab::Templates => {
                let len = self.rows.len();
                (&mut self.rows.list, len)
            }
            Tab::Runs => (&mut self.run_list, self.runs.len()),
        }
    }

    fn focused_run(&self) -> Option<&PastRun> {
        self.runs.get(self.run_list.cursor)
    }

    /// Asks for the history.
    fn ask(&mut self, cx: &Context) -> Effect {
        self.generation = cx.next_generation();
        Effect::Templates { generation: self.generation, order: TemplateOrder::History }
    }

    /// Takes the history.
    fn remember(&mut self, runs: &Arc<Vec<PastRun>>, cx: &Context) {
        self.runs = runs.clone();
        self.used.clear();
        for run in runs.iter() {
            self.used.entry(run.template.clone()).or_insert(run.started);
        }
        let height = self.height(cx);
        self.run_list.clamp(self.runs.len(), height);
        self.cache.replace(None);
    }

    fn height(&self, cx: &Context) -> usize {
        let area = self.rows_area(cx);
        if self.has_cards(cx) { cards::shown(area) } else { Table::height(area) }
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
            id::TAB_NEXT | id::TAB_PREVIOUS => {
                self.tab = if self.tab == Tab::Runs { Tab::Templates } else { Tab::Runs };
                (self.preview_offset, self.is_preview_focused) = (0, self.layout == Layout::Detail);
            }
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
            command if self.tab == Tab::Runs => {
                if self.run_list.command(command, self.runs.len(), height) {
                    self.preview_offset = 0;
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
        let again = |run: &PastRun| Place::with(WIZARD, format!("{} like {}", run.template, run.id));
        let place = match self.tab {
            Tab::Templates => self.rows.focused().map(|entity| Place::with(WIZARD, entity.entity_ref())),
            Tab::Runs => self.focused_run().map(again),
        };
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
            Some(by) if is_in_list => {
                let (list, len) = self.list_mut();
                list.scroll(by, len, height);
            }
            Some(by) => self.scroll_preview(3 * by),
            None if is_in_list => {
                let area = self.rows_area(cx);
                let row = if self.has_cards(cx) {
                    cards::row_at(&self.rows.list, self.rows.len(), area, mouse.column, mouse.row)
                } else {
                    self.table().row_at(area, mouse.column, mouse.row)
                };
                if let Some(row) = row {
                    let (list, len) = self.list_mut();
                    list.select(row, len, height);
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
        let (list, len) = self.list();
        Table {
            columns: if self.tab == Tab::Runs { &runs::COLUMNS } else { &COLUMNS },
            sort: None,
            list,
            len,
            is_focused: !self.is_preview_focused,
        }
    }

    fn cells(&self, cx: &Context, row: usize) -> (Vec<Line>, bool) {
        if self.tab == Tab::Runs {
            return (self.runs.get(row).map(|run| runs::cells(cx, run)).unwrap_or_default(), false);
        }
        let Some((entity, catalog)) = self.rows.entity(row).zip(self.rows.catalog()) else {
            return (Vec::new(), false);
        };
        let owner = entity.owner().map(|id| vec![entity_lines::target(cx, catalog, id)]);
        let cells = vec![
            vec![span(entity.title().unwrap_or_else(|| entity.name()), Role::Text)],
            vec![span(entity.entity_type(), Role::Text)],
            owner.unwrap_or_default(),
            vec![span(self.used(cx, entity.entity_ref()), Role::Dim)],
            vec![span(entity.tags().collect::<Vec<_>>().join(" "), Role::Dim)],
        ];
        (cells, self.rows.marks.has(entity.entity_ref()))
    }

    /// When a template was used last, in words.
    fn used(&self, cx: &Context, template: &str) -> String {
        self.used.get(template).map(|at| age(cx.now.as_second() - at.as_second())).unwrap_or_default()
    }

    fn draw_list(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        if cx.area.width >= SPLIT {
            let count = self.count();
            let title = if self.tab == Tab::Runs { "Past runs" } else { "Templates" };
            let panel = Panel { title, note: &count, is_focused: !self.is_preview_focused };
            panel.draw(cx, region, buf);
        }
        let area = self.rows_area(cx);
        let top = Rect { y: area.y.saturating_sub(filter_line::rows(&self.rows)), ..area };
        filter_line::draw(cx, &self.rows, top, buf);
        if self.list().1 == 0 {
            self.draw_empty(cx, area, buf);
        } else if self.has_cards(cx) {
            let used = |template: &str| match self.used(cx, template) {
                used if used.is_empty() || used == "now" => used,
                used => format!("used {used} ago"),
            };
            cards::draw(cx, &self.rows, area, !self.is_preview_focused, used, buf);
        } else {
            self.table().draw(cx, area, buf, |row| self.cells(cx, row));
        }
    }

    fn draw_empty(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let is_filtered = !self.rows.filter.is_empty();
        if self.tab == Tab::Runs {
            let then = format!(
                "{} shows the templates; what is made from them is listed here",
                cx.key(id::TAB_NEXT)
            );
            put(
                buf,
                area.x + 2,
                area.y + 1,
                area.width.saturating_sub(3),
                "no runs so far",
                style(cx, Role::Text),
            );
            put(buf, area.x + 2, area.y + 2, area.width.saturating_sub(3), &then, style(cx, Role::Dim));
            return;
        }
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

    /// Key of what the preview shows, and its title.
    fn previewed(&self) -> Option<(String, String)> {
        match self.tab {
            Tab::Templates => {
                self.rows.focused().map(|entity| (entity.entity_ref().to_owned(), entity.name().to_owned()))
            }
            Tab::Runs => self.focused_run().map(|run| (run.id.clone(), run.id.clone())),
        }
    }

    fn preview_lines(&self, cx: &Context, width: usize) -> Vec<Line> {
        match self.tab {
            Tab::Templates => match self.rows.focused().zip(self.rows.catalog()) {
                Some((entity, catalog)) => preview::lines(cx, catalog, entity, width),
                None => Vec::new(),
            },
            Tab::Runs => self.focused_run().map(|run| runs::detail(cx, run, width)).unwrap_or_default(),
        }
    }

    fn draw_preview(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let previewed = self.previewed();
        let title = previewed.as_ref().map_or("", |(_, title)| title.as_str());
        let inner = Panel { title, note: "", is_focused: self.is_preview_focused }.draw(cx, region, buf);
        let Some((key, _)) = &previewed else { return };
        let width = usize::from(inner.width.saturating_sub(2));
        let mut cache = self.cache.borrow_mut();
        if cache.as_ref().is_none_or(|(k, w, _)| k != key || *w != width) {
            *cache = Some((key.clone(), width, self.preview_lines(cx, width)));
        }
        let lines = cache.as_ref().map_or(&[][..], |(.., lines)| lines);
        let offset = self.preview_offset.min(lines.len().saturating_sub(1));
        for (row, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, inner.width.saturating_sub(2), line);
        }
    }

    fn count(&self) -> String {
        match self.tab {
            Tab::Templates => entity_lines::plural(self.rows.len(), "template"),
            Tab::Runs => entity_lines::plural(self.runs.len(), "run"),
        }
    }
}

/// Returns whether a command is for lists that can be narrowed and marked.
fn is_of_templates(command: CommandId) -> bool {
    [
        id::FILTER,
        id::MARK,
        id::RANGE,
        id::MARK_ALL,
        id::SORT,
        id::SORT_LEFT,
        id::SORT_RIGHT,
        id::SAVE,
        id::CLEAR,
    ]
    .contains(&command)
}

impl Pane for TemplatesPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::with(SPEC.id, if self.tab == Tab::Runs { RUNS } else { self.rows.filter.text() })
    }

    fn heading(&self, _cx: &Context) -> Heading {
        let mut crumbs = vec![SPEC.title.to_owned()];
        crumbs.extend((self.tab == Tab::Runs).then(|| "past runs".to_owned()));
        Heading {
            crumbs,
            filter: self.rows.title().filter(|_| self.tab == Tab::Templates),
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
                let mut effects = vec![self.ask(cx)];
                effects.extend((!is_current).then(|| self.rows.request(cx)));
                effects
            }
            Input::CatalogChanged => Vec::new(),
            Input::Command(command) => self.command(command, cx),
            Input::Choice(id::SORT, choice) => self.rows.choose_sort(choice, cx),
            Input::Choice(..) => Vec::new(),
            Input::Paste(text) => self.rows.paste(text, cx),
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Task(TaskEvent::Template { generation, answer: TemplateAnswer::History(runs) })
                if *generation == self.generation =>
            {
                self.remember(&runs.0, cx);
                Vec::new()
            }
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
            id::OPEN if self.list().1 == 0 => Availability::no("the list is empty"),
            id::SAVE if self.rows.is_empty() => Availability::no("the list is empty"),
            command if self.tab == Tab::Runs && is_of_templates(command) => {
                Availability::no("past runs are in the order of time; the templates have it")
            }
            id::CLEAR if self.rows.filter.is_empty() => Availability::no("there is no filter"),
            id::REGION_NEXT | id::REGION_PREVIOUS if list.is_none() || preview.is_none() => {
                Availability::no("there is one region at this width")
            }
            id::COLUMNS | id::VIEWS | id::SAVE_VIEW => Availability::no("the templates have none"),
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        match self.tab {
            Tab::Templates => self.rows.subjects(cx),
            Tab::Runs => {
                let subject = |run: &PastRun| {
                    let mut subject = Subject::entity(cx, &run.template);
                    subject
                        .copies
                        .push(("report", serde_json::to_string_pretty(&run.answers).unwrap_or_default()));
                    subject
                };
                self.focused_run().map(subject).into_iter().collect()
            }
        }
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
