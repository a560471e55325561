//! One object of a cluster: overview, describe, YAML, events, rollout history as tabs.
//!
//! The overview follows the state and is as live as the lists; describe, YAML and history are asked for when their
//! tab is opened, and again by `r`. Events come from the same question and, once the cluster's events are watched,
//! as they happen.

mod rows;

use super::kubernetes::preview::{self, Lines, Target};
use super::kubernetes::{follow, show_evidence};
use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::event::{Effect, Generation, Level, TaskEvent};
use crate::app::input::{Key, Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{OBJECT, Place};
use crate::app::subject::Subject;
use crate::config::theme::Role;
use crate::kubernetes::order::{Answer, Question, Revision};
use crate::kubernetes::{Kind, Object, ObjectRef, Order};
use crate::model::text::width;
use crate::ui::text::{Line, paint, put, put_line, span};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::TextView;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::sync::Arc;

/// Asks again what the open tab shows.
const AGAIN: CommandId = CommandId("object.again");
/// Goes to what shows the worst finding.
const WHY: CommandId = CommandId("object.why");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: OBJECT,
    title: "Object",
    help: "One object of a cluster: overview, describe, YAML, events, rollout history",
    aliases: &[],
    go: None,
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(AGAIN, "read again", "Ask the cluster again for what this tab shows", &["r"], 50),
        CommandSpec::new(
            WHY,
            "why",
            "Go to what shows the worst finding: logs at the crash, events, object",
            &["w"],
            12,
        ),
    ],
    groups: &[Group::Subject, Group::Object, Group::Text, Group::Tabs, Group::Move],
    open: |argument, cx| Ok(Box::new(ObjectPane::open(argument, cx)?)),
};

const OVERVIEW: &[Group] = &[Group::Subject, Group::Object, Group::Tabs, Group::Move];
const TEXT: &[Group] = &[Group::Subject, Group::Object, Group::Text, Group::Tabs, Group::Move];

/// A tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Overview,
    Describe,
    Yaml,
    Events,
    Rollout,
}

impl Tab {
    const ALL: [Self; 5] = [Self::Overview, Self::Describe, Self::Yaml, Self::Events, Self::Rollout];

    fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Describe => "Describe",
            Self::Yaml => "YAML",
            Self::Events => "Events",
            Self::Rollout => "Rollout",
        }
    }

    fn applies(self, kind: Kind) -> bool {
        match self {
            Self::Rollout => matches!(kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet),
            Self::Events => kind != Kind::Event,
            _ => true,
        }
    }
}

/// What was asked of the cluster and what came back.
#[derive(Debug, Default)]
enum Asked<T> {
    #[default]
    Not,
    Waiting(Generation),
    There(T),
    Failed(String),
}

/// State of the pane.
struct ObjectPane {
    at: ObjectRef,
    tab: Tab,
    overview: ListState,
    /// Line of the overview that is focused, by what it leads to.
    focused: Option<Target>,
    describe: (Asked<()>, TextView),
    yaml: (Asked<()>, TextView),
    events: Asked<Vec<Arc<Object>>>,
    revisions: Asked<Vec<Revision>>,
    list: ListState,
}

impl ObjectPane {
    /// Reads `pod/shop/checkout-7d@prod-eu`, with the name of a tab in front.
    fn open(argument: &str, cx: &Context) -> Result<Self, String> {
        let argument = argument.trim();
        let (first, rest) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
        let tab = Tab::ALL.into_iter().find(|tab| tab.title().eq_ignore_ascii_case(first));
        let (tab, text) = match tab {
            Some(tab) if !rest.is_empty() => (tab, rest.trim()),
            _ => (Tab::Overview, argument),
        };
        let at = cx.kubernetes.parse_ref(text).ok_or_else(|| {
            format!("`{text}` names no object; they are written `pod/NAMESPACE/NAME@CLUSTER`")
        })?;
        let tab = if tab.applies(at.kind) { tab } else { Tab::Overview };
        Ok(Self {
            at,
            tab,
            overview: ListState::default(),
            focused: None,
            describe: Default::default(),
            yaml: Default::default(),
            events: Asked::Not,
            revisions: Asked::Not,
            list: ListState::default(),
        })
    }

    fn tabs(&self) -> Vec<Tab> {
        Tab::ALL.into_iter().filter(|tab| tab.applies(self.at.kind)).collect()
    }

    fn body(area: Rect) -> Rect {
        let used = (1 + u16::from(area.height >= 14)).min(area.height);
        Rect { y: area.y + used, height: area.height - used, ..area }
    }

    fn height(cx: &Context) -> usize {
        usize::from(Self::body(cx.area).height)
    }

    fn lines(&self, cx: &Context) -> Lines {
        let width = usize::from(cx.area.width.saturating_sub(4)).min(140);
        preview::lines(cx, &cx.kubernetes, &self.at, width)
    }

    /// Asks for what the open tab shows, unless that is there or under way.
    fn ask(&mut self, cx: &Context) -> Vec<Effect> {
        let generation = cx.next_generation();
        let at = self.at.clone();
        let question = match self.tab {
            Tab::Describe if matches!(self.describe.0, Asked::Not) => {
                self.describe.0 = Asked::Waiting(generation);
                Question::Describe(at)
            }
            Tab::Yaml if matches!(self.yaml.0, Asked::Not) => {
                self.yaml.0 = Asked::Waiting(generation);
                Question::Yaml(at)
            }
            Tab::Events if matches!(self.events, Asked::Not) => {
                self.events = Asked::Waiting(generation);
                let question = Question::Events(at);
                return vec![
                    Effect::AskCluster { generation, question },
                    Effect::Kubernetes(Order::Watch(vec![Kind::Event])),
                ];
            }
            Tab::Rollout if matches!(self.revisions, Asked::Not) => {
                self.revisions = Asked::Waiting(generation);
                Question::Revisions(at)
            }
            _ => return Vec::new(),
        };
        vec![Effect::AskCluster { generation, question }]
    }

    /// Asks again for what the open tab shows; what is there stays until the answer comes.
    fn again(&mut self, cx: &Context) -> Vec<Effect> {
        match self.tab {
            Tab::Overview => {
                return vec![
                    Effect::Kubernetes(Order::Connect(Some(self.at.cluster.clone()))),
                    Effect::Toast(Level::Info, format!("asking {} again", self.at.cluster)),
                ];
            }
            Tab::Describe => self.describe.0 = Asked::Not,
            Tab::Yaml => self.yaml.0 = Asked::Not,
            Tab::Events => self.events = Asked::Not,
            Tab::Rollout => self.revisions = Asked::Not,
        }
        self.ask(cx)
    }

    fn take(&mut self, task: &TaskEvent, cx: &Context) {
        let TaskEvent::Cluster { generation, result } = task else { return };
        let height = Self::height(cx);
        for (asked, view) in [&mut self.describe, &mut self.yaml] {
            if !matches!(asked, Asked::Waiting(waiting) if waiting == generation) {
                continue;
            }
            *asked = match result {
                Ok(Answer::Text(text)) => {
                    view.replace(text.clone(), height);
                    Asked::There(())
                }
                Ok(_) => Asked::Failed("the answer was of another kind than asked for".to_owned()),
                Err(why) => Asked::Failed(why.clone()),
            };
        }
        if matches!(self.events, Asked::Waiting(waiting) if waiting == *generation) {
            self.events = match result {
                Ok(Answer::Events(events)) => Asked::There(events.clone()),
                Ok(_) => Asked::Failed("the answer was of another kind than asked for".to_owned()),
                Err(why) => Asked::Failed(why.clone()),
            };
        }
        if matches!(self.revisions, Asked::Waiting(waiting) if waiting == *generation) {
            self.revisions = match result {
                Ok(Answer::Revisions(revisions)) => Asked::There(revisions.clone()),
                Ok(_) => Asked::Failed("the answer was of another kind than asked for".to_owned()),
                Err(why) => Asked::Failed(why.clone()),
            };
        }
    }

    fn text(&mut self) -> Option<&mut TextView> {
        match self.tab {
            Tab::Describe => Some(&mut self.describe.1),
            Tab::Yaml => Some(&mut self.yaml.1),
            _ => None,
        }
    }

    fn select_tab(&mut self, tab: Tab, cx: &Context) -> Vec<Effect> {
        self.tab = tab;
        self.list = ListState::default();
        self.ask(cx)
    }

    fn step_tab(&mut self, by: isize, cx: &Context) -> Vec<Effect> {
        let tabs = self.tabs();
        let at = tabs.iter().position(|tab| *tab == self.tab).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(tabs.len().max(1) as isize) as usize;
        tabs.get(next).map(|tab| self.select_tab(*tab, cx)).unwrap_or_default()
    }

    /// Moves over the lines of the overview that lead somewhere, and scrolls between them.
    fn move_overview(&mut self, command: CommandId, cx: &Context) -> bool {
        let lines = self.lines(cx);
        let height = Self::height(cx).max(1);
        let last = lines.lines.len().saturating_sub(height);
        let at = self.focus_of(&lines);
        let step = match command {
            id::DOWN => 1isize,
            id::UP => -1,
            _ => {
                let mut text = ListState { cursor: self.overview.offset, ..ListState::default() };
                if !text.command(command, lines.lines.len(), height) {
                    return false;
                }
                self.overview.offset = text.cursor.min(last);
                let first = lines.targets.iter().find(|(line, _)| *line >= self.overview.offset);
                self.focused = first.map(|(_, target)| target.clone());
                return true;
            }
        };
        let next = match at {
            Some(at) => at.checked_add_signed(step),
            None => (step > 0).then_some(0),
        };
        let offset = self.overview.offset;
        let seen = offset..offset + height;
        match next.and_then(|next| lines.targets.get(next)) {
            // the next thing is near: go there; far away: scroll on towards it
            Some((line, target)) if *line < seen.end + 3 && *line + 3 >= seen.start => {
                self.focused = Some(target.clone());
                if *line >= seen.end {
                    self.overview.offset = (line + 1 - height).min(last);
                } else if *line < seen.start {
                    self.overview.offset = *line;
                }
            }
            _ => {
                if step < 0 && next.is_none() && offset == 0 {
                    self.focused = None;
                }
                self.overview.offset = offset.saturating_add_signed(step * 3).min(last);
            }
        }
        true
    }

    fn focus_of(&self, lines: &Lines) -> Option<usize> {
        let focused = self.focused.as_ref()?;
        lines.targets.iter().position(|(_, target)| target == focused)
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = Self::height(cx);
        match command {
            id::TAB_NEXT => return self.step_tab(1, cx),
            id::TAB_PREVIOUS => return self.step_tab(-1, cx),
            AGAIN => return self.again(cx),
            WHY => {
                let found = preview::findings_of(cx, &cx.kubernetes, &self.at);
                return match found.first() {
                    Some(finding) => {
                        show_evidence(cx, &finding.object, finding.container.as_ref(), &finding.evidence)
                    }
                    None => vec![Effect::Toast(
                        Level::Info,
                        format!("nothing is known to be wrong with {}", self.at.name),
                    )],
                };
            }
            id::OPEN => return self.open_focused(cx),
            id::SAVE_TEXT => {
                let extension = if self.tab == Tab::Yaml { "yaml" } else { "txt" };
                let name = format!("{}.{extension}", self.at.name);
                let text = self.text().map(|view| view.text().to_owned()).unwrap_or_default();
                return vec![Effect::SaveText { name, text }];
            }
            command => match self.tab {
                Tab::Overview => drop(self.move_overview(command, cx)),
                Tab::Describe | Tab::Yaml => {
                    if let Some(view) = self.text() {
                        view.command(command, height);
                    }
                }
                Tab::Events | Tab::Rollout => {
                    let len = self.row_count(cx);
                    self.list.command(command, len, height.saturating_sub(1));
                }
            },
        }
        Vec::new()
    }

    fn open_focused(&mut self, cx: &Context) -> Vec<Effect> {
        match (self.tab, &self.focused) {
            (Tab::Overview, Some(target)) => follow(cx, &self.at, target),
            _ => Vec::new(),
        }
    }

    fn row_count(&self, cx: &Context) -> usize {
        match self.tab {
            Tab::Events => self.events(cx).len(),
            Tab::Rollout => match &self.revisions {
                Asked::There(revisions) => revisions.len(),
                _ => 0,
            },
            _ => 0,
        }
    }

    fn draw_bar(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let mut x = area.x + 1.min(area.width);
        for tab in self.tabs() {
            let is_open = tab == self.tab;
            let text = if is_open { format!("[{}]", tab.title()) } else { format!(" {} ", tab.title()) };
            let cells = width(&text) as u16;
            if x + cells > area.right() {
                break;
            }
            put(buf, x, area.y, cells, &text, style(cx, if is_open { Role::Title } else { Role::Dim }));
            if is_open {
                let underline = Style::new().add_modifier(Modifier::UNDERLINED);
                paint(buf, x + 1, area.y, cells.saturating_sub(2), underline);
            }
            x += cells + 1;
        }
        if area.height >= 14 {
            let rule = if cx.ascii { "-" } else { "─" }.repeat(usize::from(area.width));
            put(buf, area.x, area.y + 1, area.width, &rule, style(cx, Role::Dim));
        }
    }

    fn draw_overview(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let lines = self.lines(cx);
        let offset = self.overview.offset.min(lines.lines.len().saturating_sub(usize::from(area.height)));
        for (row, line) in lines.lines.iter().skip(offset).take(usize::from(area.height)).enumerate() {
            put_line(cx, buf, area.x + 2, area.y + row as u16, area.width.saturating_sub(3), line);
        }
        let focused = self.focus_of(&lines).and_then(|at| lines.targets.get(at));
        if let Some(row) = focused.and_then(|(line, _)| line.checked_sub(offset))
            && row < usize::from(area.height)
        {
            let y = area.y + row as u16;
            put(buf, area.x, y, area.width.min(1), if cx.ascii { ">" } else { "▸" }, style(cx, Role::Focus));
            paint(buf, area.x, y, area.width, style(cx, Role::Selection));
        }
    }

    fn draw_text(cx: &Context, area: Rect, asked: &Asked<()>, view: &TextView, buf: &mut Buffer) {
        match asked {
            Asked::Failed(why) => Self::draw_failed(cx, area, why, buf),
            Asked::Not | Asked::Waiting(_) if view.is_empty() => {
                put(buf, area.x + 2, area.y, area.width.saturating_sub(3), "loading", style(cx, Role::Info));
            }
            _ => {
                let area =
                    Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(1), ..area };
                view.draw(cx, area, buf);
            }
        }
    }

    fn draw_failed(cx: &Context, area: Rect, why: &str, buf: &mut Buffer) {
        let mut lines: Vec<Line> =
            crate::ui::text::wrap(why, usize::from(area.width.saturating_sub(6)).min(100))
                .into_iter()
                .map(|part| vec![span(part, Role::Error)])
                .collect();
        if let Some(first) = lines.first_mut() {
            first.insert(0, span(format!("{} ", Sign::Error.text(cx)), Role::Error));
        }
        lines.push(vec![span(cx.key(AGAIN), Role::Key), span(" asks again", Role::Dim)]);
        for (row, line) in lines.iter().take(usize::from(area.height)).enumerate() {
            put_line(cx, buf, area.x + 2, area.y + row as u16, area.width.saturating_sub(3), line);
        }
    }

    /// Copies of the subject: with the text that is shown.
    fn subject(&self, cx: &Context) -> Subject {
        let mut subject = match (self.tab, &self.focused) {
            (Tab::Overview, Some(Target::Container(name))) => Subject::container(cx, &self.at, name),
            (Tab::Overview, Some(Target::Object(object))) => Subject::object(cx, object),
            _ => Subject::object(cx, &self.at),
        };
        let shown = match self.tab {
            Tab::Describe => Some(self.describe.1.text()),
            Tab::Yaml => Some(self.yaml.1.text()),
            _ => None,
        };
        if let Some(text) = shown.filter(|text| !text.is_empty()) {
            subject.copies.push((if self.tab == Tab::Yaml { "YAML" } else { "text" }, text.to_owned()));
        }
        subject
    }
}

impl Pane for ObjectPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        // built-in kinds need no state to be written
        let text = crate::kubernetes::State::default().ref_text(&self.at);
        match self.tab {
            Tab::Overview => Place::with(OBJECT, text),
            tab => Place::with(OBJECT, format!("{} {text}", tab.title().to_lowercase())),
        }
    }

    fn heading(&self, cx: &Context) -> Heading {
        let mut crumbs = vec!["Kubernetes".to_owned(), self.at.cluster.to_string()];
        if !self.at.namespace.is_empty() {
            crumbs.push(self.at.namespace.to_string());
        }
        crumbs.push(format!("{}/{}", cx.kubernetes.kind_word(self.at.kind), self.at.name));
        let filter = match self.tab {
            Tab::Describe => self.describe.1.status(),
            Tab::Yaml => self.yaml.1.status(),
            _ => None,
        };
        Heading { crumbs, filter, is_live: true, ..Heading::default() }
    }

    fn groups(&self) -> &'static [Group] {
        match self.tab {
            Tab::Describe | Tab::Yaml => TEXT,
            _ => OVERVIEW,
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                if self.focused.is_none() && self.tab == Tab::Overview && self.overview.offset == 0 {
                    self.focused = self.first_target(cx);
                }
                return self.ask(cx);
            }
            Input::Command(command) => return self.command(command, cx),
            Input::Paste(text) => {
                let height = Self::height(cx);
                if let Some(view) = self.text() {
                    view.paste(text, height);
                }
            }
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            Input::Task(TaskEvent::Kubernetes(_)) => {
                if self.focused.is_none() && self.tab == Tab::Overview && self.overview.offset == 0 {
                    self.focused = self.first_target(cx);
                }
            }
            Input::Task(task) => self.take(task, cx),
            Input::CatalogChanged | Input::Choice(..) => {}
        }
        Vec::new()
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        let height = Self::height(cx);
        self.text().and_then(|view| view.key(key, height))
    }

    fn is_typing(&self) -> bool {
        match self.tab {
            Tab::Describe => self.describe.1.is_searching(),
            Tab::Yaml => self.yaml.1.is_searching(),
            _ => false,
        }
    }

    fn step_back(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        self.text().is_some_and(TextView::clear_search).then(Vec::new)
    }

    fn availability(&self, command: CommandId, _cx: &Context) -> Availability {
        match (command, self.tab) {
            (id::OPEN, Tab::Overview) if self.focused.is_none() => Availability::no("nothing is focused"),
            (id::OPEN, tab) if tab != Tab::Overview => Availability::no("there is nothing to open here"),
            (id::WRAP, _) => Availability::no("lines stay as they are written; scroll sideways"),
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        vec![self.subject(cx)]
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        self.draw_bar(cx, area, buf);
        let body = Self::body(area);
        match self.tab {
            Tab::Overview => self.draw_overview(cx, body, buf),
            Tab::Describe => Self::draw_text(cx, body, &self.describe.0, &self.describe.1, buf),
            Tab::Yaml => Self::draw_text(cx, body, &self.yaml.0, &self.yaml.1, buf),
            Tab::Events => self.draw_events(cx, body, buf),
            Tab::Rollout => self.draw_revisions(cx, body, buf),
        }
    }
}

impl ObjectPane {
    /// Where `enter` leads at first: a finding, else the container or pod that is worst off.
    fn first_target(&self, cx: &Context) -> Option<Target> {
        let lines = self.lines(cx);
        let is_inner = |target: &&Target| !matches!(target, Target::Object(at) if at.kind != Kind::Pod);
        lines.targets.into_iter().map(|(_, target)| target).find(|target| is_inner(&target))
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let body = Self::body(cx.area);
        let is_press = matches!(mouse.kind, MouseKind::Click | MouseKind::DoubleClick);
        if is_press && mouse.row == cx.area.y {
            let mut x = cx.area.x + 1;
            for tab in self.tabs() {
                let cells = tab.title().len() as u16 + 2;
                if (x..x + cells).contains(&mouse.column) {
                    return self.select_tab(tab, cx);
                }
                x += cells + 1;
            }
            return Vec::new();
        }
        if is_press && self.tab == Tab::Overview && mouse.row >= body.y {
            let line = self.overview.offset + usize::from(mouse.row - body.y);
            let hit = self.lines(cx).targets.into_iter().find(|(at, _)| *at == line);
            if let Some((_, target)) = hit {
                self.focused = Some(target);
                return if mouse.kind == MouseKind::DoubleClick { self.open_focused(cx) } else { Vec::new() };
            }
            return Vec::new();
        }
        let command = match mouse.kind {
            MouseKind::ScrollUp => id::UP,
            MouseKind::ScrollDown => id::DOWN,
            _ => return Vec::new(),
        };
        for _ in 0..3 {
            drop(self.command(command, cx));
        }
        Vec::new()
    }
}
