//! Kubernetes: workloads, pods and every other kind, of everything, a namespace, an entity, an owner.
//!
//! One [`ObjectList`] with a view (`[` and `]` walk the kinds), a scope and, beside it from 100 columns, everything
//! about the focused object. `enter` goes down from workloads to pods to containers to logs; each step is a place
//! of its own, so `esc` comes back to where one was. Clusters that do not answer, and what may not be seen, stand
//! above the objects as rows of their own.

pub mod cells;

mod go;
mod list;
mod menus;
pub mod place;
pub mod preview;
mod view;
pub mod words;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::event::{Effect, Level, TaskEvent};
use crate::app::input::{Key, Mouse, MouseKind};
use crate::app::list::ListState;
use crate::app::palette;
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{KUBERNETES, Place};
use crate::app::subject::Subject;
use crate::kubernetes::object::ObjectRef;
use crate::kubernetes::rows::{self, Field, Row, What};
use crate::kubernetes::select::Scope;
use crate::kubernetes::{Kind, Order};
use crate::model::entity_ref::split_canonical;
use crate::ui::panes::clusters;
use crate::ui::widgets::{Panel, Table};
pub use go::{follow, logs_place, open_object, show_evidence};
use list::{Focused, ObjectList};
use place::{Argument, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Opens the pane.
const GO: CommandSpec = CommandSpec::new(
    CommandId("go.kubernetes"),
    "kubernetes",
    "Workloads and pods of every cluster, service, namespace",
    &["3"],
    0,
);
const ALL_NAMESPACES: CommandId = CommandId("kubernetes.all-namespaces");
const SCOPE: CommandId = CommandId("kubernetes.scope");
/// Goes to what shows the worst finding.
pub const SHOW: CommandId = CommandId("kubernetes.why");
const FOLD: CommandId = CommandId("kubernetes.fold");
const BROKEN: CommandId = CommandId("kubernetes.broken");
const RETRY: CommandId = CommandId("kubernetes.retry");
const KINDS: CommandId = CommandId("kubernetes.kinds");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: KUBERNETES,
    title: "Kubernetes",
    help: "Workloads and pods of every cluster, service, namespace",
    aliases: &["k8s"],
    go: Some(GO),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(
            SHOW,
            "why",
            "Go to what shows the worst finding: logs at the crash, events, object",
            &["w"],
            12,
        ),
        CommandSpec::new(
            SCOPE,
            "scope",
            "Choose whose objects are shown: everything, a namespace, a cluster, mine",
            &["C"],
            21,
        ),
        CommandSpec::new(ALL_NAMESPACES, "everything", "Show all namespaces of all clusters", &["0"], 47),
        CommandSpec::new(BROKEN, "broken", "Show only what is broken, or everything again", &["b"], 22),
        CommandSpec::new(
            FOLD,
            "fold",
            "Show the pods of the workload in the tree, or fold them away",
            &["t"],
            48,
        ),
        CommandSpec::new(
            KINDS,
            "kinds",
            "Choose what is listed: workloads, pods, services, nodes",
            &["c"],
            49,
        ),
        CommandSpec::new(
            RETRY,
            "try again",
            "Ask the cluster again now; all of them when none is focused",
            &["r"],
            54,
        ),
    ],
    groups: &[Group::Subject, Group::Object, Group::List, Group::Tabs, Group::Regions, Group::Move],
    open: |argument, cx| Ok(Box::new(KubernetesPane::new(place::parse(argument, cx)?))),
};

/// Columns from which the preview stands beside the list.
const SPLIT: u16 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Region {
    #[default]
    List,
    Preview,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Layout {
    #[default]
    Split,
    List,
    Detail,
}

/// State of the pane.
struct KubernetesPane {
    argument: Argument,
    list: ObjectList,
    /// Workloads folded the other way than by themselves.
    turned: Vec<ObjectRef>,
    focus: Region,
    layout: Layout,
    preview: ListState,
    hidden: Vec<&'static str>,
    /// Namespaces, where they are what is listed.
    namespaces: Vec<view::Namespace>,
}

impl KubernetesPane {
    fn new(argument: Argument) -> Self {
        let what = what(&argument.view, &[]);
        let list = ObjectList::new(what, argument.scope.clone(), argument.clusters.clone(), &argument.filter);
        Self {
            argument,
            list,
            turned: Vec::new(),
            focus: Region::List,
            layout: Layout::Split,
            preview: ListState::default(),
            hidden: Vec::new(),
            namespaces: Vec::new(),
        }
    }

    fn areas(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        match self.layout {
            Layout::Detail => (None, Some(area)),
            Layout::Split if area.width >= SPLIT => {
                let list = area.width * 66 / 100;
                let preview = Rect { x: area.x + list, width: area.width - list, ..area };
                (Some(Rect { width: list, ..area }), Some(preview))
            }
            Layout::List | Layout::Split => (Some(area), None),
        }
    }

    /// Area of the table inside the list region: inside its frame, below the filter line.
    fn table_area(&self, region: Rect, screen: Rect) -> Rect {
        let inner = if screen.width >= SPLIT { Panel::inner(region) } else { region };
        let typing = u16::from(self.list.is_typing()) + u16::from(self.list.mistake.is_some());
        let typing = typing.min(inner.height.saturating_sub(2));
        Rect { y: inner.y + typing, height: inner.height - typing, ..inner }
    }

    fn height(&self, cx: &Context) -> usize {
        let list = self.areas(cx.area).0.unwrap_or(cx.area);
        Table::height(self.table_area(list, cx.area))
    }

    fn kinds(&self) -> Vec<Kind> {
        match &self.argument.view {
            View::Kind(kind) | View::Of(_, kind) => vec![*kind],
            View::Workloads => {
                vec![Kind::Pod, Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job]
            }
            View::Namespaces => vec![Kind::Pod],
        }
    }

    /// Brings everything up to date with the state.
    fn renew(&mut self, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        self.argument.resolve(cx);
        if self.list.query.scope != self.argument.scope {
            self.list.query.scope = self.argument.scope.clone();
            self.list.restart();
        }
        if self.argument.view == View::Namespaces {
            self.namespaces =
                view::namespaces(&cx.kubernetes, &self.argument.clusters, self.list.filter.text());
            self.list.list.clamp(self.namespaces.len(), height);
        }
        self.list.renew(cx, height)
    }

    /// Shows something else in this place: kind, scope, clusters.
    fn show(&mut self, change: impl FnOnce(&mut Argument), cx: &Context) -> Vec<Effect> {
        change(&mut self.argument);
        self.preview = ListState::default();
        self.list.query.scope = self.argument.scope.clone();
        self.list.query.clusters = self.argument.clusters.clone();
        self.list.query.what = what(&self.argument.view, &self.turned);
        self.list.marks.clear();
        self.list.restart();
        let mut effects = self.watch();
        effects.extend(self.renew(cx));
        effects
    }

    /// Asks for the kinds of this view to be watched.
    fn watch(&self) -> Vec<Effect> {
        let is_extra = |kind: &Kind| kind.spec().is_none_or(|spec| !spec.is_basic);
        let kinds: Vec<Kind> = self.argument.view.kinds().into_iter().filter(is_extra).collect();
        if kinds.is_empty() { Vec::new() } else { vec![Effect::Kubernetes(Order::Watch(kinds))] }
    }

    fn step_view(&mut self, by: isize, cx: &Context) -> Vec<Effect> {
        let all = View::all(&cx.kubernetes);
        let is_here = |view: &View| match &self.argument.view {
            View::Of(_, kind) => *view == View::Kind(*kind),
            here => view == here,
        };
        let at = all.iter().position(is_here).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(all.len().max(1) as isize) as usize;
        let Some(next) = all.get(next).cloned() else { return Vec::new() };
        self.show(|argument| argument.view = next, cx)
    }

    fn step_region(&mut self, cx: &Context) {
        let (list, preview) = self.areas(cx.area);
        self.focus = match (self.focus, list.is_some(), preview.is_some()) {
            (Region::List, _, true) => Region::Preview,
            _ if list.is_some() => Region::List,
            _ => Region::Preview,
        };
    }

    fn cycle_layout(&mut self, area: Rect) {
        self.layout = match (self.layout, area.width >= SPLIT) {
            (Layout::Split, true) => Layout::List,
            (Layout::Split | Layout::List, _) => Layout::Detail,
            (Layout::Detail, _) => Layout::Split,
        };
        self.focus = if self.areas(area).0.is_some() { Region::List } else { Region::Preview };
    }

    fn preview_lines(&self, cx: &Context) -> preview::Lines {
        let width = self.areas(cx.area).1.map_or(40, |area| area.width.saturating_sub(4));
        match self.list.row() {
            Some(row) => preview::lines(cx, self.list.state(), &row.at(), usize::from(width)),
            None => preview::Lines::default(),
        }
    }

    /// What `enter` does with the focused row.
    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        if self.argument.view == View::Namespaces {
            let Some(namespace) = self.namespaces.get(self.list.list.cursor).map(|ns| ns.name.to_string())
            else {
                return Vec::new();
            };
            let argument = format!("{} ns/{namespace}{}", place::WORKLOADS, self.cluster_words());
            return vec![Effect::Open(Place::with(KUBERNETES, argument))];
        }
        if self.focus == Region::Preview {
            let lines = self.preview_lines(cx);
            let target = lines.targets.iter().find(|(line, _)| *line >= self.preview.offset);
            if let (Some((_, target)), Some(row)) = (target, self.list.row()) {
                return follow(cx, &row.at(), target);
            }
        }
        match self.list.focused() {
            Some(Focused::Note(note)) => {
                vec![Effect::Open(Place::with(clusters::SPEC.id, note.cluster.to_string()))]
            }
            Some(Focused::Row(row)) => open_object(self.list.state(), &row.at()),
            None => Vec::new(),
        }
    }

    fn cluster_words(&self) -> String {
        self.argument.clusters.iter().map(|cluster| format!(" @{cluster}")).collect()
    }

    fn fold(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(row) = self.list.row() else { return Vec::new() };
        let mut at = row.at();
        if row.depth > 0 {
            // on a pod: its workload
            let before = self.list.list.cursor.saturating_sub(self.list.notes().len());
            let parent = self.list.rows().iter().take(before).rposition(|row| row.depth == 0);
            let Some(parent) = parent else { return Vec::new() };
            if let Some(row) = self.list.rows().get(parent) {
                at = row.at();
            }
            let (row, height) = (parent + self.list.notes().len(), self.height(cx));
            self.list.select(row, height);
        }
        match self.turned.iter().position(|turned| *turned == at) {
            Some(found) => drop(self.turned.remove(found)),
            None => self.turned.push(at),
        }
        self.list.query.what = What::Tree(self.turned.clone());
        self.renew(cx)
    }

    fn toggle_term(&mut self, term: &str, cx: &Context) -> Vec<Effect> {
        let text = self.list.filter.text().to_owned();
        let has = text.split_whitespace().any(|word| word == term);
        let new = if has {
            text.split_whitespace().filter(|word| *word != term).collect::<Vec<_>>().join(" ")
        } else {
            format!("{text} {term}").trim().to_owned()
        };
        let height = self.height(cx);
        let mut effects = self.list.set_filter(&new, cx, height);
        effects.extend(self.renew(cx));
        effects
    }

    fn retry(&self) -> Vec<Effect> {
        let one = match self.list.focused() {
            Some(Focused::Note(note)) => Some(note.cluster.clone()),
            _ => None,
        };
        let said = one
            .as_ref()
            .map_or("asking the clusters again".to_owned(), |name| format!("asking {name} again"));
        vec![Effect::Kubernetes(Order::Connect(one)), Effect::Toast(Level::Info, said)]
    }

    fn why(&self, cx: &Context) -> Vec<Effect> {
        let Some(row) = self.list.row() else { return Vec::new() };
        let at = row.at();
        let found = preview::findings_of(cx, self.list.state(), &at);
        match found.first() {
            Some(finding) => {
                show_evidence(cx, &finding.object, finding.container.as_ref(), &finding.evidence)
            }
            None => {
                vec![Effect::Toast(Level::Info, format!("nothing is known to be wrong with {}", at.name))]
            }
        }
    }

    fn columns(&self, cx: &Context) -> Vec<cells::Col> {
        let kind = match &self.argument.view {
            View::Workloads => None,
            View::Namespaces => Some(Kind::Pod),
            View::Kind(kind) | View::Of(_, kind) => Some(*kind),
        };
        let is_one_namespace = matches!(self.argument.scope, Scope::Namespace(_))
            || matches!(&self.argument.view, View::Of(at, _) if !at.namespace.is_empty());
        let is_one_cluster = matches!(self.argument.view, View::Of(..))
            || rows::clusters(&cx.kubernetes, &self.argument.clusters).count() < 2;
        let is_shown = |col: &&cells::Col| {
            let title = col.column.title;
            !(self.hidden.contains(&title)
                || (title == "NAMESPACE" && is_one_namespace)
                || (title == "CLUSTER" && is_one_cluster))
        };
        let mut shown: Vec<cells::Col> = cells::of(kind).iter().filter(is_shown).copied().collect();
        // names of pods are long; where there is room they matter more than one number more, where there is not
        // they may not push out restarts and cluster
        let width = self.areas(cx.area).0.map_or(cx.area.width, |area| area.width);
        if let Some(first) = shown.iter_mut().find(|col| col.field == Some(Field::Name)) {
            first.column.min = first.column.min.max(22 + width.saturating_sub(80) / 2).min(46);
        }
        shown
    }

    fn sortable(&self, cx: &Context) -> Vec<(Field, &'static str)> {
        let with_field = |col: &cells::Col| col.field.map(|field| (field, col.column.title.trim()));
        self.columns(cx).iter().filter_map(with_field).collect()
    }

    fn step_sort(&mut self, by: isize, cx: &Context) -> Vec<Effect> {
        let fields = self.sortable(cx);
        let at = fields.iter().position(|(field, _)| *field == self.list.query.sort).unwrap_or(0) as isize;
        let next = (at + by).clamp(0, fields.len().saturating_sub(1) as isize) as usize;
        let height = self.height(cx);
        match fields.get(next) {
            Some((field, _)) if *field != self.list.query.sort => self.list.sort_by(*field, cx, height),
            _ => Vec::new(),
        }
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        match command {
            id::OPEN => return self.open(cx),
            id::TAB_NEXT => return self.step_view(1, cx),
            id::TAB_PREVIOUS => return self.step_view(-1, cx),
            id::REGION_NEXT | id::REGION_PREVIOUS => self.step_region(cx),
            id::LAYOUT => self.cycle_layout(cx.area),
            id::PREVIEW_DOWN => self.scroll_preview(3, cx),
            id::PREVIEW_UP => self.scroll_preview(-3, cx),
            id::SORT => return vec![Effect::Show(self.sort_menu(cx))],
            id::SORT_LEFT => return self.step_sort(-1, cx),
            id::SORT_RIGHT => return self.step_sort(1, cx),
            id::COLUMNS => return vec![Effect::Show(self.columns_menu(cx))],
            id::VIEWS => return vec![Effect::Show(menus::views_menu(cx))],
            id::SAVE_VIEW => return vec![Effect::Toast(Level::Info, "type `:view save NAME`".to_owned())],
            id::SAVE => return vec![self.save(cx)],
            ALL_NAMESPACES => return self.choose_scope("", cx),
            SCOPE => return vec![Effect::Show(self.scope_menu(cx))],
            KINDS => return vec![Effect::Show(self.kinds_menu(cx))],
            SHOW => return self.why(cx),
            FOLD => return self.fold(cx),
            BROKEN => return self.toggle_term("is:broken", cx),
            RETRY => return self.retry(),
            command if self.focus == Region::Preview => {
                let len = self.preview_lines(cx).lines.len();
                let mut text = ListState { cursor: self.preview.offset, ..ListState::default() };
                if text.command(command, len, height) {
                    self.preview.offset = text.cursor;
                    return Vec::new();
                }
            }
            _ if self.argument.view == View::Namespaces
                && self.list.list.command(command, self.namespaces.len(), height) =>
            {
                return Vec::new();
            }
            _ => {}
        }
        let before = self.list.list.cursor;
        let mut effects = self.list.command(command, cx, height).unwrap_or_default();
        if self.argument.view == View::Namespaces {
            effects.extend(self.renew(cx));
        }
        if self.list.list.cursor != before {
            self.preview = ListState::default();
        }
        effects
    }

    fn scroll_preview(&mut self, by: isize, cx: &Context) {
        let last = self.preview_lines(cx).lines.len().saturating_sub(1);
        self.preview.offset = self.preview.offset.saturating_add_signed(by).min(last);
    }

    fn save(&self, cx: &Context) -> Effect {
        let columns = self.columns(cx);
        let mut text = columns.iter().map(|col| col.column.title.trim()).collect::<Vec<_>>().join("\t");
        text.push('\n');
        for row in self.list.rows() {
            let Some(seen) = self.list.seen(row, cx) else { continue };
            let cell = cells::Cell { cx, row, seen };
            let words =
                columns.iter().map(|col| (col.cell)(&cell).iter().map(|span| span.text.as_str()).collect());
            text.push_str(&words.collect::<Vec<String>>().join("\t"));
            text.push('\n');
        }
        Effect::SaveText { name: format!("{}.tsv", self.argument.view.word(&cx.kubernetes)), text }
    }

    fn choice(&mut self, command: CommandId, choice: &str, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        match command {
            id::SORT => {
                let found = self.sortable(cx).into_iter().find(|(_, title)| *title == choice);
                found.map(|(field, _)| self.list.sort_by(field, cx, height)).unwrap_or_default()
            }
            id::COLUMNS => {
                let all = self.columns(cx);
                match self.hidden.iter().position(|title| *title == choice) {
                    Some(at) => drop(self.hidden.remove(at)),
                    None => self
                        .hidden
                        .extend(all.iter().map(|c| c.column.title).filter(|title| *title == choice)),
                }
                Vec::new()
            }
            id::SAVE_VIEW => vec![palette::save_view(choice, &self.place())],
            KINDS => match place::parse(choice, cx) {
                Ok(parsed) => self.show(|argument| argument.view = parsed.view, cx),
                Err(reason) => vec![Effect::Toast(Level::Error, reason)],
            },
            SCOPE => self.choose_scope(choice, cx),
            _ => Vec::new(),
        }
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let (list, preview) = self.areas(cx.area);
        let at = (mouse.column, mouse.row).into();
        let height = self.height(cx);
        let is_preview = preview.is_some_and(|area| area.contains(at));
        let by = match mouse.kind {
            MouseKind::ScrollUp => -3,
            MouseKind::ScrollDown => 3,
            MouseKind::Click | MouseKind::DoubleClick => {
                self.focus = if is_preview { Region::Preview } else { Region::List };
                let Some(region) = list.filter(|_| !is_preview) else { return Vec::new() };
                let len = self.shown_len();
                let table = Table { columns: &[], sort: None, list: &self.list.list, len, is_focused: true };
                let Some(row) = table.row_at(self.table_area(region, cx.area), mouse.column, mouse.row)
                else {
                    return Vec::new();
                };
                self.preview = ListState::default();
                if self.argument.view == View::Namespaces {
                    self.list.list.select(row, len, height);
                } else {
                    self.list.select(row, height);
                }
                return if mouse.kind == MouseKind::DoubleClick { self.open(cx) } else { Vec::new() };
            }
        };
        if is_preview {
            self.scroll_preview(by, cx);
        } else if self.argument.view == View::Namespaces {
            self.list.list.scroll(by, self.namespaces.len(), height);
        } else {
            self.list.scroll(by, height);
        }
        Vec::new()
    }

    fn shown_len(&self) -> usize {
        if self.argument.view == View::Namespaces { self.namespaces.len() } else { self.list.len() }
    }
}

fn what(view: &View, turned: &[ObjectRef]) -> What {
    match view {
        View::Workloads => What::Tree(turned.to_vec()),
        View::Kind(kind) => What::Kind(*kind),
        View::Of(parent, kind) => What::Of(parent.clone(), *kind),
        View::Namespaces => What::Kind(Kind::Event),
    }
}

/// A filter chosen from the menu.
const FILTER_BY: CommandId = CommandId("kubernetes.filter-by");

impl Pane for KubernetesPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        // the state is not at hand; kinds that need it are written by number and read the same way
        let argument = Argument { filter: self.list.filter.text().to_owned(), ..self.argument.clone() };
        let text = argument.text(self.list.state());
        Place::with(KUBERNETES, if text == place::WORKLOADS { String::new() } else { text })
    }

    fn heading(&self, cx: &Context) -> Heading {
        let mut crumbs = vec![SPEC.title.to_owned()];
        match (&self.argument.view, &self.argument.scope) {
            (View::Of(parent, _), _) => {
                crumbs.push(parent.cluster.to_string());
                crumbs.push(format!("{}/{}", cx.kubernetes.kind_word(parent.kind), parent.name));
            }
            (_, Scope::Everything) => {}
            (_, Scope::Entity(canonical)) => crumbs.push(split_canonical(canonical).2.to_owned()),
            (_, Scope::Namespace(namespace)) => crumbs.push(format!("ns {namespace}")),
        }
        crumbs.extend(self.argument.clusters.iter().map(|cluster| format!("@{cluster}")));
        crumbs.push(self.argument.view.word(&cx.kubernetes));
        Heading {
            crumbs,
            filter: self.list.title(),
            count: self.count(cx),
            marked: self.list.marks.len(),
            is_live: true,
            ..Heading::default()
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                let height = self.height(cx);
                self.list.list.clamp(self.shown_len(), height);
                if self.areas(cx.area).0.is_none() {
                    self.focus = Region::Preview;
                } else if self.areas(cx.area).1.is_none() {
                    self.focus = Region::List;
                }
                let mut effects = self.watch();
                effects.extend(self.renew(cx));
                effects
            }
            Input::CatalogChanged => Vec::new(),
            Input::Command(command) => self.command(command, cx),
            Input::Choice(FILTER_BY, text) => {
                let height = self.height(cx);
                self.list.set_filter(text, cx, height)
            }
            Input::Choice(command, choice) => self.choice(command, choice, cx),
            Input::Paste(text) => {
                let height = self.height(cx);
                self.list.paste(text, cx, height)
            }
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Task(TaskEvent::Kubernetes(_)) => self.renew(cx),
            Input::Task(task) => {
                let height = self.height(cx);
                self.list.task(task, cx, height).unwrap_or_default()
            }
        }
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        let height = self.height(cx);
        let mut effects = self.list.key(key, cx, height)?;
        if self.argument.view == View::Namespaces {
            effects.extend(self.renew(cx));
        }
        Some(effects)
    }

    fn is_typing(&self) -> bool {
        self.list.is_typing()
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.layout == Layout::Detail {
            self.layout = Layout::Split;
            self.focus = Region::List;
            return Some(Vec::new());
        }
        if self.focus == Region::Preview {
            self.focus = Region::List;
            return Some(Vec::new());
        }
        let height = self.height(cx);
        self.list.step_back(cx, height)
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        let is_tree = self.argument.view == View::Workloads;
        match command {
            FOLD if !is_tree => Availability::no("only the tree of workloads folds; `:workloads` shows it"),
            FOLD | SHOW if self.list.row().is_none() => Availability::no("no object is focused"),
            ALL_NAMESPACES
                if self.argument.scope == Scope::Everything
                    && self.argument.clusters.is_empty()
                    && !matches!(self.argument.view, View::Of(..)) =>
            {
                Availability::no("everything is shown")
            }
            id::SAVE_VIEW | id::CLEAR if self.list.filter.is_empty() => {
                Availability::no("there is no filter")
            }
            id::OPEN | id::SAVE if self.shown_len() == 0 => Availability::no("the list is empty"),
            id::REGION_NEXT | id::REGION_PREVIOUS
                if self.layout != Layout::Split || cx.area.width < SPLIT =>
            {
                Availability::no("there is one region")
            }
            id::MARK | id::RANGE | id::MARK_ALL if self.argument.view == View::Namespaces => {
                Availability::no("namespaces cannot be marked")
            }
            id::SORT | id::SORT_LEFT | id::SORT_RIGHT | id::COLUMNS
                if self.argument.view == View::Namespaces =>
            {
                Availability::no("namespaces stand by name")
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        if self.argument.view == View::Namespaces {
            let namespace = self.namespaces.get(self.list.list.cursor);
            let subject = |ns: &view::Namespace| Subject { name: ns.name.to_string(), ..Subject::default() };
            return namespace.map(subject).into_iter().collect();
        }
        if let Some(Focused::Note(note)) = self.list.focused()
            && self.list.marks.is_empty()
        {
            return vec![note_subject(note)];
        }
        self.list.chosen().iter().map(|at| Subject::object(cx, at)).collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (list, preview) = self.areas(area);
        if let Some(region) = list {
            self.draw_list(cx, region, area, buf);
        }
        if let Some(region) = preview {
            self.draw_preview(cx, region, buf);
        }
    }
}

/// What can be copied of a note.
fn note_subject(note: &words::Note) -> Subject {
    let message: String = note.line.iter().map(|span| span.text.as_str()).collect();
    let mut copies = vec![("message", message.trim().to_owned())];
    if !note.request.is_empty() {
        copies.push(("report", note.request.clone()));
    }
    Subject { name: note.cluster.to_string(), copies, ..Subject::default() }
}

impl KubernetesPane {
    /// `214 of 9,812`, and how many clusters have answered while some have not.
    fn count(&self, cx: &Context) -> String {
        let (shown, total) = match self.argument.view {
            View::Namespaces => (self.namespaces.len(), self.namespaces.len()),
            View::Workloads => {
                let shown = self.list.rows().iter().filter(|row| row.depth == 0).count();
                (shown, self.list.total())
            }
            _ => (self.list.rows().len(), self.list.total()),
        };
        let count =
            if shown == total { grouped(total) } else { format!("{} of {}", grouped(shown), grouped(total)) };
        let (answered, all, waiting) =
            words::progress(&cx.kubernetes, &self.argument.clusters, &self.kinds());
        if waiting.is_empty() { count } else { format!("{count} · clusters {answered}/{all}") }
    }

    fn row_is_stale(&self, row: &Row) -> bool {
        self.list
            .state()
            .cluster(&row.cluster)
            .is_some_and(|cluster| words::is_stale(cluster, row.object.kind))
    }
}
