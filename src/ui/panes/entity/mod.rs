//! One entity in full: what it is, how it hangs together, its definition, its file, its problems.
//!
//! Tabs share the area below a bar. The overview and the problems are pages of focusable lines
//! ([`page`]), relations a list, definition and file are texts. The pane keeps the ref, not the id: it
//! looks the entity up in the snapshot at hand, so that it survives a refresh, and shows a ref that
//! nobody describes, or that is gone, for what it is.

mod docs;
mod header;
mod kind_sections;
mod kubernetes;
mod overview;
mod page;
mod problems;
mod relations;
mod source;
mod thing;
mod value;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, Group, id};
use crate::app::event::{Effect, Level, TaskEvent};
use crate::app::input::{Key as PressedKey, Mouse, MouseKind};
use crate::app::palette;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{ENTITY, Place};
use crate::app::subject::{Subject, is_openable};
use crate::catalog::refresh::Order;
use crate::config::theme::Role;
use crate::model::EntityRef;
use crate::model::text::{nearest, width};
use crate::ui::entity_lines;
use crate::ui::panes::kubernetes::{open_object, show_evidence};
use crate::ui::text::{paint, put, put_line};
use crate::ui::theme::style;
use page::{Key, Page};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use relations::Relations;
use source::{RawTab, TextTab};
use thing::{Look, Tab, Thing};

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: ENTITY,
    title: "Entity",
    help: "One entity: overview, relations, definition, what runs, raw file, problems",
    aliases: &[],
    go: None,
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[],
    groups: &[
        Group::Subject,
        Group::Object,
        Group::List,
        Group::Text,
        Group::Tabs,
        Group::Regions,
        Group::Move,
    ],
    open: |argument, cx| Ok(Box::new(EntityPane::open(argument, cx)?)),
};

const OVERVIEW: &[Group] = &[Group::Subject, Group::Object, Group::Tabs, Group::Regions, Group::Move];
const LIST: &[Group] =
    &[Group::Subject, Group::Object, Group::List, Group::Tabs, Group::Regions, Group::Move];
// text comes first: `l` scrolls to the right there
const TEXT: &[Group] = &[Group::Text, Group::Subject, Group::Object, Group::Tabs, Group::Move];
const PROBLEMS: &[Group] = &[Group::Subject, Group::Object, Group::Tabs, Group::Move];

/// State of the pane.
struct EntityPane {
    canonical: String,
    tab: Tab,
    overview: Page,
    problems: Page,
    kubernetes: Page,
    docs: Page,
    site: docs::State,
    relations: Relations,
    definition: TextTab,
    raw: RawTab,
    /// Everything below each other, even where there is room for columns.
    is_single: bool,
}

/// Areas of the pane.
struct Areas {
    bar: Rect,
    rule: Rect,
    /// One line that says what it is, on tabs without a header.
    summary: Rect,
    body: Rect,
}

impl Areas {
    fn of(area: Rect, tab: Tab) -> Self {
        let row = |at: u16, is_there: bool| Rect {
            y: area.y + at.min(area.height),
            height: u16::from(is_there).min(area.height.saturating_sub(at)),
            ..area
        };
        let bar = row(0, true);
        let rule = row(bar.height, area.height >= 14);
        let used = bar.height + rule.height;
        let summary = row(used, tab != Tab::Overview && area.height >= 10);
        let used = used + summary.height;
        let body = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
        Self { bar, rule, summary, body }
    }
}

impl EntityPane {
    /// Reads `component:default/checkout raw`.
    fn open(argument: &str, cx: &Context) -> Result<Self, String> {
        let (word, rest) = argument.trim().split_once(char::is_whitespace).unwrap_or((argument.trim(), ""));
        let tab = match rest.trim() {
            "" => Tab::Overview,
            word => Tab::parse(word).ok_or_else(|| unknown_tab(word))?,
        };
        let canonical = palette::find_entity(word, cx).ok_or_else(|| unknown(word, cx))?;
        let tabs = Look::new(cx, &canonical).tabs(Tab::Overview);
        if !tabs.contains(&tab) {
            let tab = tab.title();
            return Err(format!("`{canonical}` has no tab {tab}"));
        }
        Ok(Self {
            canonical,
            tab,
            overview: Page::default(),
            problems: Page::default(),
            kubernetes: Page::default(),
            docs: Page::default(),
            site: docs::State::default(),
            relations: Relations::default(),
            definition: TextTab::default(),
            raw: RawTab::default(),
            is_single: false,
        })
    }

    fn body(&self, cx: &Context) -> Rect {
        Areas::of(cx.area, self.tab).body
    }

    /// Brings the open tab up to date with snapshot and size; may ask for the file.
    fn renew(&mut self, cx: &Context) -> Vec<Effect> {
        let area = self.body(cx);
        let look = Look::new(cx, &self.canonical);
        match self.tab {
            Tab::Overview => {
                if let Some(page) = self.renewed_overview(&look, area) {
                    self.overview = page;
                }
            }
            Tab::Problems => {
                if let Some(page) = self.renewed_problems(&look, area) {
                    self.problems = page;
                }
            }
            Tab::Kubernetes => {
                if let Some(page) = self.renewed_kubernetes(&look, area) {
                    self.kubernetes = page;
                }
            }
            Tab::Docs => {
                let effects = self.site.ask(&look, &self.canonical);
                self.lay_docs(cx);
                return effects;
            }
            Tab::Relations => self.relations.renew(&look, area),
            Tab::Api => source::renew_definition(&mut self.definition, &look, area),
            Tab::Raw => return self.raw.renew(&look, area),
        }
        Vec::new()
    }

    /// Returns the overview laid out anew, or nothing if it is as it should be.
    fn renewed_overview(&self, look: &Look<'_>, area: Rect) -> Option<Page> {
        let key = Key::new(look.cx, area, &self.canonical, self.is_single);
        let is_due = !self.overview.is_for(&key);
        is_due.then(|| self.overview.renewed(key, overview::regions(look, area, self.is_single)))
    }

    fn renewed_problems(&self, look: &Look<'_>, area: Rect) -> Option<Page> {
        let key = Key::new(look.cx, area, &self.canonical, false);
        let is_due = !self.problems.is_for(&key);
        is_due.then(|| self.problems.renewed(key, problems::regions(look, area)))
    }

    fn renewed_kubernetes(&self, look: &Look<'_>, area: Rect) -> Option<Page> {
        let key = Key::new(look.cx, area, &self.canonical, false);
        let is_due = !self.kubernetes.is_for(&key);
        is_due.then(|| self.kubernetes.renewed(key, kubernetes::regions(look, area)))
    }

    fn lay_docs(&mut self, cx: &Context) {
        let area = Areas::of(cx.area, Tab::Docs).body;
        let key = Key::new(cx, area, &self.canonical, false);
        self.docs = self.docs.renewed(key, docs::regions(&self.site, &self.canonical, area));
    }

    fn select_tab(&mut self, tab: Tab, cx: &Context) -> Vec<Effect> {
        self.tab = tab;
        let mut effects = self.renew(cx);
        if tab == Tab::Kubernetes {
            effects.push(Effect::Kubernetes(kubernetes::watched()));
        }
        effects
    }

    fn step_tab(&mut self, by: isize, cx: &Context) -> Vec<Effect> {
        let tabs = Look::new(cx, &self.canonical).tabs(self.tab);
        let at = tabs.iter().position(|tab| *tab == self.tab).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(tabs.len().max(1) as isize) as usize;
        tabs.get(next).map(|tab| self.select_tab(*tab, cx)).unwrap_or_default()
    }

    fn focused(&self) -> Option<&Thing> {
        match self.tab {
            Tab::Overview => self.overview.focused(),
            Tab::Problems => self.problems.focused(),
            Tab::Kubernetes => self.kubernetes.focused(),
            Tab::Docs => self.docs.focused(),
            Tab::Relations | Tab::Api | Tab::Raw => None,
        }
    }

    fn text(&mut self) -> Option<&mut TextTab> {
        match self.tab {
            Tab::Api => Some(&mut self.definition),
            Tab::Raw => Some(&mut self.raw.text),
            _ => None,
        }
    }

    fn open_focused(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(thing) = self.focused().cloned() else { return Vec::new() };
        match thing {
            Thing::Entity(canonical) | Thing::Mention { entity: canonical, .. } => {
                vec![Effect::Open(Place::entity(canonical))]
            }
            Thing::Link { url, .. } if is_openable(&url) => vec![Effect::OpenUrl(url)],
            Thing::Link { url, .. } => {
                vec![Effect::Toast(Level::Error, format!("`{url}` is no address that a browser opens"))]
            }
            Thing::Place(place) => vec![Effect::Open(place)],
            Thing::Object(at) => open_object(&cx.kubernetes, &at),
            Thing::Evidence(at, container, evidence) => show_evidence(cx, &at, container.as_ref(), &evidence),
            Thing::Tab(tab) => self.select_tab(tab, cx),
            Thing::Problem(_) if self.tab == Tab::Overview => {
                let effects = self.select_tab(Tab::Problems, cx);
                self.problems.go_to(&thing);
                effects
            }
            Thing::Problem(_) => match thing.subject(cx, &self.canonical).source {
                Some(Ok((path, line, column))) => vec![Effect::Edit { path, line, column }],
                Some(Err(reason)) => vec![Effect::Toast(Level::Info, reason)],
                None => vec![Effect::Toast(Level::Info, "it has no place in a file".to_owned())],
            },
        }
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let area = self.body(cx);
        match (command, self.tab) {
            (id::TAB_NEXT, _) => return self.step_tab(1, cx),
            (id::TAB_PREVIOUS, _) => return self.step_tab(-1, cx),
            (command, Tab::Relations) => return self.relations.command(command, area).unwrap_or_default(),
            (id::LAYOUT, Tab::Overview) => {
                self.is_single = !self.is_single;
                return self.renew(cx);
            }
            (id::OPEN, _) => return self.open_focused(cx),
            (command, Tab::Overview) => drop(self.overview.command(command)),
            (command, Tab::Problems) => drop(self.problems.command(command)),
            (command, Tab::Kubernetes) => drop(self.kubernetes.command(command)),
            (command, Tab::Docs) => drop(self.docs.command(command)),
            (command, Tab::Api | Tab::Raw) => {
                return self.text().and_then(|text| text.command(command, area)).unwrap_or_default();
            }
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let areas = Areas::of(cx.area, self.tab);
        let is_press = matches!(mouse.kind, MouseKind::Click | MouseKind::DoubleClick);
        if areas.bar.contains((mouse.column, mouse.row).into()) {
            let look = Look::new(cx, &self.canonical);
            let hit = tab_spans(&look, self.tab, areas.bar)
                .into_iter()
                .find(|(_, x, width, _)| (*x..x + width).contains(&mouse.column));
            return match hit {
                Some((tab, ..)) if is_press => self.select_tab(tab, cx),
                _ => Vec::new(),
            };
        }
        let is_chosen = match self.tab {
            Tab::Overview => self.overview.mouse(mouse),
            Tab::Problems => self.problems.mouse(mouse),
            Tab::Kubernetes => self.kubernetes.mouse(mouse),
            Tab::Docs => self.docs.mouse(mouse),
            Tab::Relations => return self.relations.mouse(mouse, areas.body),
            Tab::Api | Tab::Raw => {
                let command = match mouse.kind {
                    MouseKind::ScrollUp => id::UP,
                    MouseKind::ScrollDown => id::DOWN,
                    MouseKind::Click | MouseKind::DoubleClick => return Vec::new(),
                };
                if let Some(text) = self.text() {
                    for _ in 0..3 {
                        text.command(command, areas.body);
                    }
                }
                false
            }
        };
        if is_chosen { self.open_focused(cx) } else { Vec::new() }
    }

    fn draw_bar(&self, look: &Look<'_>, areas: &Areas, buf: &mut Buffer) {
        let cx = look.cx;
        for (tab, x, width, text) in tab_spans(look, self.tab, areas.bar) {
            let is_open = tab == self.tab;
            let role = if is_open { Role::Title } else { Role::Dim };
            put(buf, x, areas.bar.y, width, &text, style(cx, role));
            if is_open {
                let underline = Style::new().add_modifier(Modifier::UNDERLINED);
                paint(buf, x + 1, areas.bar.y, width.saturating_sub(2), underline);
            }
        }
        let line = if cx.ascii { "-" } else { "─" };
        if areas.rule.height > 0 {
            let rule = line.repeat(usize::from(areas.rule.width));
            put(buf, areas.rule.x, areas.rule.y, areas.rule.width, &rule, style(cx, Role::Dim));
        }
    }
}

/// Returns what stands where in the tab bar: tab, column, width, text; the open one in brackets.
fn tab_spans(look: &Look<'_>, open: Tab, bar: Rect) -> Vec<(Tab, u16, u16, String)> {
    let tabs = look.tabs(open);
    let title = |tab: Tab, is_long: bool| {
        let count = match tab {
            Tab::Relations => look.relation_count(),
            Tab::Problems => look.entity.map_or(0, |entity| entity.problems().count()),
            _ => 0,
        };
        let text =
            if count > 0 && is_long { format!("{} {count}", tab.title()) } else { tab.title().to_owned() };
        if tab == open { format!("[{text}]") } else { format!(" {text} ") }
    };
    let place = |is_long: bool| {
        let mut x = bar.x + 1.min(bar.width);
        let mut out = Vec::new();
        for tab in &tabs {
            let text = title(*tab, is_long);
            let cells = width(&text) as u16;
            if bar.height == 0 || x + cells > bar.right() {
                return Err(out);
            }
            out.push((*tab, x, cells, text));
            x += cells + 1;
        }
        Ok(out)
    };
    match place(true).or_else(|_| place(false)) {
        Ok(spans) => spans,
        // too narrow for all: the open one alone says where one is
        Err(_) if bar.height > 0 && bar.width > 2 => vec![(open, bar.x, bar.width, title(open, false))],
        Err(_) => Vec::new(),
    }
}

fn unknown_tab(word: &str) -> String {
    let words: Vec<String> = Tab::ALL.iter().map(|tab| tab.title().to_lowercase()).collect();
    format!("there is no tab `{word}`; the tabs are {}", words.join(", "))
}

fn unknown(word: &str, cx: &Context) -> String {
    let name = EntityRef::parse(word, Some("component"), "default").map(|r| r.name).unwrap_or_default();
    let names = cx.catalog.ids().map(|id| crate::model::entity_ref::split_canonical(cx.catalog.ref_of(id)).2);
    let near = nearest(&name, names);
    let hint = near.first().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("there is no entity `{word}`{hint}")
}

impl Pane for EntityPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        match self.tab {
            Tab::Overview => Place::entity(&self.canonical),
            tab => Place::entity(format!("{} {}", self.canonical, tab.title().to_lowercase())),
        }
    }

    fn heading(&self, cx: &Context) -> Heading {
        let look = Look::new(cx, &self.canonical);
        let mut crumbs: Vec<String> = Vec::new();
        if let Some(parent) = look.trail().last() {
            crumbs.push(entity_lines::short_ref(look.catalog.ref_of(*parent)));
        }
        crumbs.push(entity_lines::short_ref(&self.canonical));
        let (filter, count) = match self.tab {
            Tab::Relations => (self.relations.title(), self.relations.count()),
            Tab::Api => (self.definition.view.status(), String::new()),
            Tab::Raw => (self.raw.text.view.status(), String::new()),
            Tab::Overview | Tab::Problems | Tab::Kubernetes | Tab::Docs => (None, String::new()),
        };
        Heading { crumbs, filter, count, marked: self.relations.marks.0.len(), ..Heading::default() }
    }

    fn groups(&self) -> &'static [Group] {
        match self.tab {
            Tab::Overview | Tab::Kubernetes => OVERVIEW,
            Tab::Relations => LIST,
            Tab::Api | Tab::Raw => TEXT,
            Tab::Problems | Tab::Docs => PROBLEMS,
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        let area = self.body(cx);
        match input {
            Input::Shown if self.tab == Tab::Kubernetes => return self.select_tab(Tab::Kubernetes, cx),
            Input::Shown => return self.renew(cx),
            Input::Task(TaskEvent::Kubernetes(_)) => {
                if matches!(self.tab, Tab::Overview | Tab::Kubernetes) {
                    return self.renew(cx);
                }
            }
            Input::CatalogChanged => self.site = docs::State::default(),
            Input::Task(TaskEvent::Docs { generation, result }) => {
                if self.site.take(*generation, result) {
                    self.lay_docs(cx);
                }
            }
            Input::Command(command) => return self.command(command, cx),
            Input::Choice(command, choice) => self.relations.choose(command, choice, area),
            Input::Paste(pasted) => match self.tab {
                Tab::Relations => self.relations.paste(pasted, area),
                _ => {
                    if let Some(text) = self.text() {
                        text.view.paste(pasted, TextTab::height(area));
                    }
                }
            },
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            Input::Task(task) => {
                let area = Areas::of(cx.area, Tab::Raw).body;
                self.raw.task(task, &Look::new(cx, &self.canonical), area);
            }
        }
        Vec::new()
    }

    fn key(&mut self, key: PressedKey, cx: &Context) -> Option<Vec<Effect>> {
        let area = self.body(cx);
        match self.tab {
            Tab::Relations => self.relations.key(key, area),
            _ => self.text().and_then(|text| text.key(key, area)),
        }
    }

    fn is_typing(&self) -> bool {
        match self.tab {
            Tab::Relations => self.relations.is_typing(),
            Tab::Api => self.definition.view.is_searching(),
            Tab::Raw => self.raw.text.view.is_searching(),
            Tab::Overview | Tab::Problems | Tab::Kubernetes | Tab::Docs => false,
        }
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        let area = self.body(cx);
        let has_stepped = match self.tab {
            Tab::Relations => self.relations.step_back(area),
            _ => self.text().is_some_and(|text| text.view.clear_search()),
        };
        has_stepped.then(Vec::new)
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        let area = self.body(cx);
        match (command, self.tab) {
            (id::TAB_NEXT | id::TAB_PREVIOUS, _) => {
                let look = Look::new(cx, &self.canonical);
                if look.tabs(self.tab).len() < 2 {
                    return Availability::no("there is one tab");
                }
            }
            (command, Tab::Relations) => return self.relations.availability(command, area),
            (id::OPEN, Tab::Overview | Tab::Problems | Tab::Kubernetes | Tab::Docs)
                if self.focused().is_none() =>
            {
                return Availability::no("nothing is focused; move down to the first thing");
            }
            (id::OPEN, Tab::Api | Tab::Raw) => return Availability::no("a text has nothing to open"),
            (id::WRAP, Tab::Api | Tab::Raw) => {
                return Availability::no("lines stay as they are written; scroll sideways");
            }
            (id::LAYOUT, Tab::Overview) if area.width < overview::SPLIT => {
                return Availability::no("there is room for one region");
            }
            (id::LAYOUT, Tab::Kubernetes) => return Availability::no("it has one layout"),
            (id::REGION_NEXT | id::REGION_PREVIOUS | id::PREVIEW_DOWN | id::PREVIEW_UP, Tab::Kubernetes)
                if self.kubernetes.len() < 2 =>
            {
                return Availability::no("there is one region");
            }
            (id::REGION_NEXT | id::REGION_PREVIOUS | id::PREVIEW_DOWN | id::PREVIEW_UP, Tab::Overview)
                if self.overview.len() < 2 =>
            {
                return Availability::no("there is one region");
            }
            _ => {}
        }
        Availability::Available
    }

    fn refresh_orders(&self, cx: &Context) -> Vec<Order> {
        let source = cx.entity(&self.canonical).and_then(|entity| entity.source());
        source.map(|source| Order::Refresh(source.name.to_string())).into_iter().collect()
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        if self.tab == Tab::Relations {
            let subjects = self.relations.subjects(cx);
            if !subjects.is_empty() {
                return subjects;
            }
        }
        let own = || Subject::entity(cx, &self.canonical);
        vec![self.focused().map_or_else(own, |thing| thing.subject(cx, &self.canonical))]
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let look = Look::new(cx, &self.canonical);
        let areas = Areas::of(area, self.tab);
        self.draw_bar(&look, &areas, buf);
        if areas.summary.height > 0 {
            let line = header::summary(&look);
            let row = areas.summary;
            put_line(cx, buf, row.x + 1.min(row.width), row.y, row.width.saturating_sub(1), &line);
        }
        match self.tab {
            // the age of the data is part of the page, so that it may be due between two updates
            Tab::Overview => match self.renewed_overview(&look, areas.body) {
                Some(page) => page.draw(cx, buf),
                None => self.overview.draw(cx, buf),
            },
            Tab::Problems => match self.renewed_problems(&look, areas.body) {
                Some(page) => page.draw(cx, buf),
                None => self.problems.draw(cx, buf),
            },
            Tab::Kubernetes => match self.renewed_kubernetes(&look, areas.body) {
                Some(page) => page.draw(cx, buf),
                None => self.kubernetes.draw(cx, buf),
            },
            Tab::Docs => self.docs.draw(cx, buf),
            Tab::Relations => self.relations.draw(&look, areas.body, buf),
            Tab::Api => self.definition.draw(cx, areas.body, buf),
            Tab::Raw => self.raw.text.draw(cx, areas.body, buf),
        }
    }
}

#[cfg(test)]
mod tests;
