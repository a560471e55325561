//! Graph: how an entity hangs together with others, as a tree, as boxes, or both.
//!
//! One pane answers four questions ([`request::Question`]): what is around an entity, what breaks with
//! it and whom to tell, how two entities hang together, what depends on itself. The answer is worked
//! out when the place is opened or the catalog is swapped, laid out when the size changes; drawing
//! only looks at what is visible. [`scene`] is what tree and boxes have in common.

mod boxes;
mod draw;
mod regions;
mod request;
mod rows;
mod scene;
mod tell;
#[cfg(test)]
mod tests;
mod view;
mod walk;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::grouped;
use crate::app::event::Effect;
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::line_input::LineInput;
use crate::app::list::ListState;
use crate::app::overlay::{Item, Overlay};
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::catalog::graph::{self, Direction, GraphOptions};
use crate::catalog::{Catalog, EntityId};
use crate::config::theme::Role;
use crate::model::relation;
use crate::ui::entity_lines::{self, short_ref};
use crate::ui::text::{Line, span, wrap};
use crate::ui::widgets::Table;
use boxes::Boxes;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use request::{Form, MAX_DEPTH, NO_RELATION, Question, Request};
use rows::Row;
use rustc_hash::FxHashSet;
use scene::Scene;
use std::sync::Arc;
use tell::TellRow;

const LEFT: CommandId = CommandId("graph.left");
const RIGHT: CommandId = CommandId("graph.right");
const SHALLOWER: CommandId = CommandId("graph.shallower");
const DEEPER: CommandId = CommandId("graph.deeper");
const DIRECTION: CommandId = CommandId("graph.direction");
const RELATIONS: CommandId = CommandId("graph.relations");
const SEARCH: CommandId = CommandId("graph.search");
const NEXT: CommandId = CommandId("graph.next");
const PREVIOUS: CommandId = CommandId("graph.previous");
const SAVE: CommandId = CommandId("graph.save");

const GROUPS: &[Group] = &[Group::Subject, Group::Regions, Group::Move];

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "graph",
    title: "Graph",
    help: "How an entity hangs together with others: tree, boxes, impact, paths",
    aliases: &["relations"],
    go: None,
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(
            LEFT,
            "left",
            "Walk to what needs it or what it belongs to; in the tree, fold or go up",
            &["h", "left"],
            0,
        ),
        CommandSpec::new(
            RIGHT,
            "right",
            "Walk to what it needs or what it is made of; in the tree, unfold or go down",
            &["l", "right"],
            0,
        ),
        CommandSpec::new(SHALLOWER, "less deep", "Show one step less around the root", &["<"], 0),
        CommandSpec::new(DEEPER, "deeper", "Show one step more around the root", &[">"], 10),
        CommandSpec::new(
            DIRECTION,
            "direction",
            "Follow what entities say of themselves, what others say of them, or both",
            &["b"],
            12,
        ),
        CommandSpec::new(RELATIONS, "relations", "Choose which kinds of relations are followed", &["V"], 14),
        CommandSpec::new(SEARCH, "search", "Search among the names that are shown", &["/"], 20),
        CommandSpec::new(NEXT, "next match", "Next match", &["n"], 0),
        CommandSpec::new(PREVIOUS, "previous match", "Previous match", &["N"], 0),
        CommandSpec::new(SAVE, "save as text", "Write the tree into a file", &["ctrl-s"], 0),
    ],
    groups: GROUPS,
    open: |argument, cx| Ok(Box::new(GraphPane::new(Request::parse(argument, cx)?, &SPEC))),
};

const CYCLES_SEARCH: CommandId = CommandId("cycles.search");
const CYCLES_NEXT: CommandId = CommandId("cycles.next");
const CYCLES_PREVIOUS: CommandId = CommandId("cycles.previous");

/// Registration of the list of everything that depends on itself; it needs no root.
pub const CYCLES: PaneSpec = PaneSpec {
    id: "cycles",
    title: "Cycles",
    help: "Entities of the whole catalog that depend on each other in a circle",
    aliases: &["circles"],
    go: Some(CommandSpec::new(
        CommandId("go.cycles"),
        "cycles",
        "Entities of the whole catalog that depend on each other in a circle",
        &[],
        0,
    )),
    permission: Some(crate::permissions::CATALOG_READ),
    commands: &[
        CommandSpec::new(CYCLES_SEARCH, "search", "Search among the names that are shown", &["/"], 20),
        CommandSpec::new(CYCLES_NEXT, "next match", "Next match", &["n"], 0),
        CommandSpec::new(CYCLES_PREVIOUS, "previous match", "Previous match", &["N"], 0),
    ],
    groups: GROUPS,
    open: |_, _| Ok(Box::new(GraphPane::new(Request::cycles(), &CYCLES))),
};

/// Most nodes in one picture.
const LIMIT: usize = 2_000;
/// Columns from which a second region stands beside the list.
const SPLIT: u16 = 100;
/// Columns from which tree and boxes stand side by side.
const BOTH: u16 = 140;
/// Columns from which the preview stands beside them.
const WIDE: u16 = 180;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Region {
    #[default]
    List,
    Boxes,
    Side,
}

/// Areas of the regions, frames included; `None` where there is no room.
#[derive(Debug, Clone, Copy, Default)]
struct Areas {
    list: Option<Rect>,
    boxes: Option<Rect>,
    side: Option<Rect>,
}

/// What is typed to search for, and where it is.
#[derive(Debug, Default)]
struct Search {
    input: LineInput,
    is_typing: bool,
    /// Nodes of the scene, or rows where there is none.
    found: Vec<usize>,
    at: usize,
}

/// State of the pane.
struct GraphPane {
    spec: &'static PaneSpec,
    request: Request,
    /// The snapshot that all ids belong to.
    catalog: Arc<Catalog>,
    is_built: bool,
    /// Why there is nothing to show.
    missing: Option<String>,
    scene: Scene,
    /// What stands in the title line.
    count: String,
    rows: Vec<Row>,
    collapsed: FxHashSet<EntityId>,
    list: ListState,
    boxes: Boxes,
    offset: (i32, i32),
    focus: Region,
    /// Only the second region is shown (no room for both, or asked for).
    only: Option<Region>,
    tell: Vec<TellRow>,
    tell_list: ListState,
    side: Vec<Line>,
    side_offset: usize,
    search: Search,
    found: FxHashSet<usize>,
}

impl GraphPane {
    fn new(request: Request, spec: &'static PaneSpec) -> Self {
        let spec = if request.question == Question::Cycles { &CYCLES } else { spec };
        let focus = if request.form == Some(Form::Boxes) { Region::Boxes } else { Region::List };
        Self {
            spec,
            request,
            catalog: Arc::default(),
            is_built: false,
            missing: None,
            scene: Scene::default(),
            count: String::new(),
            rows: Vec::new(),
            collapsed: FxHashSet::default(),
            list: ListState::default(),
            boxes: Boxes::default(),
            offset: (0, 0),
            focus,
            only: None,
            tell: Vec::new(),
            tell_list: ListState::default(),
            side: Vec::new(),
            side_offset: 0,
            search: Search::default(),
            found: FxHashSet::default(),
        }
    }

    fn is_around(&self) -> bool {
        self.request.question == Question::Around
    }

    fn is_impact(&self) -> bool {
        self.request.question == Question::Impact
    }

    /// Works the answer out again, keeping the focus on the same entity.
    fn build(&mut self, cx: &Context) {
        let focused = self.focused().map(|id| self.catalog.ref_of(id).to_owned());
        let folded: Vec<String> =
            self.collapsed.iter().map(|id| self.catalog.ref_of(*id).to_owned()).collect();
        self.catalog = cx.catalog.clone();
        self.is_built = true;
        self.missing = None;
        self.rows.clear();
        self.tell.clear();
        self.scene = Scene::default();
        self.collapsed = folded.iter().filter_map(|entity| self.catalog.find(entity)).collect();
        let catalog = self.catalog.clone();
        match self.request.question.clone() {
            Question::Cycles => self.build_cycles(&catalog),
            question => match catalog.find(&self.request.root) {
                None => {
                    self.missing = Some(format!("`{}` is not in the catalog any more", self.request.root));
                }
                Some(root) => match question {
                    Question::Around => self.build_around(&catalog, root, cx),
                    Question::Impact => self.build_impact(cx, &catalog, root),
                    Question::Path(end) => self.build_path(cx, &catalog, root, &end),
                    Question::Cycles => {}
                },
            },
        }
        self.find();
        self.lay_out(cx);
        let at = focused.and_then(|entity| self.catalog.find(&entity)).and_then(|id| self.row_of(id));
        match at {
            Some(row) => self.focus_row(row, cx),
            None => self.focus_row(self.rows.iter().position(|row| row.id.is_some()).unwrap_or(0), cx),
        }
    }

    fn build_around(&mut self, catalog: &Catalog, root: EntityId, cx: &Context) {
        let options = GraphOptions {
            depth: self.request.depth,
            direction: self.request.direction,
            relations: self.request.relations.clone(),
            limit: LIMIT,
        };
        self.scene = Scene::build(catalog, root, &options);
        self.rows = rows::tree(cx, &self.scene, &self.collapsed);
        self.count = format!(
            "{}, {}, depth {}",
            counted(self.scene.nodes.len(), "node", "nodes"),
            counted(self.scene.relations, "relation", "relations"),
            self.request.depth
        );
    }

    fn build_impact(&mut self, cx: &Context, catalog: &Catalog, root: EntityId) {
        let impact = graph::impact(catalog, root);
        self.rows = rows::impact(catalog, &impact);
        self.count = format!(
            "{} touched, {} to tell",
            grouped(impact.entities.len()),
            counted(impact.owners.len(), "owner", "owners")
        );
        self.tell = tell::rows(cx, catalog, root, &impact);
        if impact.entities.is_empty() {
            self.missing = Some(format!("nothing depends on {}", short_ref(catalog.ref_of(root))));
        }
    }

    fn build_path(&mut self, cx: &Context, catalog: &Catalog, from: EntityId, end: &str) {
        let to = catalog.find(end);
        if let Some(steps) = to.and_then(|to| graph::shortest_path(catalog, from, to)) {
            self.count = counted(steps.len(), "step", "steps");
            self.rows = rows::path(cx, catalog, from, &steps);
        } else {
            "no path".clone_into(&mut self.count);
            let (from, to) = (short_ref(&self.request.root), short_ref(end));
            self.missing = Some(format!("{from} and {to} do not hang together in any way"));
        }
    }

    fn build_cycles(&mut self, catalog: &Catalog) {
        let circles = graph::cycles(catalog);
        let members = circles.iter().map(Vec::len).sum();
        self.count = format!(
            "{}, {}",
            counted(circles.len(), "circle", "circles"),
            counted(members, "entity", "entities")
        );
        self.rows = rows::cycles(catalog, &circles);
        if circles.is_empty() {
            self.missing = Some("no entity depends on itself, not even in a roundabout way".to_owned());
        }
    }

    /// Fits everything to the size of the screen.
    fn lay_out(&mut self, cx: &Context) {
        let areas = self.areas(cx.area);
        if let Some(region) = areas.boxes.filter(|_| self.is_around()) {
            let inner = Self::inner(region, cx.area);
            let height = inner.height.saturating_sub(Self::notes(cx.area));
            self.boxes = Boxes::lay_out(&self.catalog, &self.scene, (inner.width, height));
            self.center(cx);
        }
        if !self.regions(cx.area).contains(&self.focus) {
            self.focus = self.regions(cx.area).first().copied().unwrap_or_default();
        }
        self.list.clamp(self.rows.len(), self.height(cx));
        self.look(cx);
    }

    /// Returns the row that shows an entity, the one that is not a repetition.
    fn row_of(&self, id: EntityId) -> Option<usize> {
        self.rows.iter().position(|row| row.id == Some(id) && !row.is_repeated)
    }

    fn focused_row(&self) -> Option<&Row> {
        self.rows.get(self.list.cursor)
    }

    fn focused(&self) -> Option<EntityId> {
        if self.focus == Region::Side && self.is_impact() {
            return self.tell.get(self.tell_list.cursor).and_then(|row| row.owner);
        }
        self.focused_row().and_then(|row| row.id)
    }

    fn node(&self) -> usize {
        self.focused_row().map_or(0, |row| row.node)
    }

    /// Makes the lines of the preview for what is focused.
    fn look(&mut self, cx: &Context) {
        self.side.clear();
        self.side_offset = 0;
        let Some(region) = self.areas(cx.area).side.filter(|_| !self.is_impact()) else { return };
        let width = usize::from(Self::inner(region, cx.area).width.saturating_sub(2));
        let Some(id) = self.focused() else { return };
        self.side = match self.catalog.entity(id) {
            Some(entity) => entity_lines::preview(cx, &self.catalog, &entity, width),
            None => self.dangling(id, width),
        };
    }

    fn dangling(&self, id: EntityId, width: usize) -> Vec<Line> {
        let what = format!("nobody describes `{}`", self.catalog.ref_of(id));
        let mut lines: Vec<Line> =
            wrap(&what, width).into_iter().map(|line| vec![span(line, Role::Unknown)]).collect();
        lines.push(Vec::new());
        lines.push(vec![span("it is named by", Role::Dim)]);
        lines.extend(self.catalog.relations(id).take(200).map(|found| {
            let words = relation::words(relation::reverse(found.relation).unwrap_or(found.relation));
            let name = short_ref(self.catalog.ref_of(found.target));
            vec![span(name, Role::Link), span(format!("  {words}"), Role::Dim)]
        }));
        lines
    }

    fn open(&self) -> Vec<Effect> {
        let Some(id) = self.focused() else { return Vec::new() };
        let entity = self.catalog.ref_of(id).to_owned();
        let is_elsewhere = self.is_impact() || entity == self.request.root;
        if is_elsewhere {
            return vec![Effect::Open(Place::entity(entity))];
        }
        let mut request = Request { root: entity, question: Question::Around, ..self.request.clone() };
        if !self.is_around() {
            request.depth = 1;
        }
        vec![Effect::Open(Place::with(SPEC.id, request.line()))]
    }

    fn set_depth(&mut self, depth: u32, cx: &Context) {
        self.request.depth = depth.clamp(1, MAX_DEPTH);
        self.build(cx);
    }

    fn relations_menu(&self) -> Overlay {
        let items = relation::PAIRS.iter().map(|(forward, back)| {
            let count = self
                .scene
                .bonds
                .iter()
                .flat_map(|bond| &bond.said)
                .filter(|said| said.relation == *forward)
                .count();
            let detail = if count == 0 { String::new() } else { format!("{} shown", grouped(count)) };
            let label = format!("{} / {}", relation::words(forward), relation::words(back));
            let effects = vec![Effect::Choose(RELATIONS, (*forward).to_owned())];
            Item { checked: Some(self.follows(forward)), ..Item::new(label, effects).detail(detail) }
        });
        Overlay::menu("follow which relations?", items.collect())
    }

    fn follows(&self, forward: &str) -> bool {
        let same = |wanted: &String| {
            wanted.eq_ignore_ascii_case(forward)
                || relation::reverse(forward).is_some_and(|back| back.eq_ignore_ascii_case(wanted))
        };
        self.request.relations.is_empty() || self.request.relations.iter().any(same)
    }

    fn toggle_relation(&mut self, forward: &str, cx: &Context) {
        let wanted: Vec<String> = relation::PAIRS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| self.follows(name) != (*name == forward))
            .map(str::to_owned)
            .collect();
        self.request.relations = match wanted.len() {
            0 => vec![NO_RELATION.to_owned()],
            all if all == relation::PAIRS.len() => Vec::new(),
            _ => wanted,
        };
        self.build(cx);
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            id::OPEN => return self.open(),
            LEFT => self.walk(-1, cx),
            RIGHT => self.walk(1, cx),
            SHALLOWER => self.set_depth(self.request.depth.saturating_sub(1), cx),
            DEEPER => self.set_depth(self.request.depth + 1, cx),
            DIRECTION => {
                self.request.direction = match self.request.direction {
                    Direction::Both => Direction::Out,
                    Direction::Out => Direction::In,
                    Direction::In => Direction::Both,
                };
                self.build(cx);
            }
            RELATIONS => return vec![Effect::Show(self.relations_menu())],
            SEARCH | CYCLES_SEARCH => {
                self.search = Search { is_typing: true, ..Search::default() };
                self.find();
            }
            NEXT | CYCLES_NEXT => self.step_match(1, cx),
            PREVIOUS | CYCLES_PREVIOUS => self.step_match(-1, cx),
            SAVE => return self.save(),
            id::REGION_NEXT => self.step_region(1, cx),
            id::REGION_PREVIOUS => self.step_region(-1, cx),
            id::LAYOUT => self.cycle_layout(cx),
            id::PREVIEW_DOWN => self.scroll_side(3, cx),
            id::PREVIEW_UP => self.scroll_side(-3, cx),
            command => self.moved(command, cx),
        }
        Vec::new()
    }

    fn moved(&mut self, command: CommandId, cx: &Context) {
        match self.focus {
            Region::Boxes => self.move_boxes(command, cx),
            Region::Side if self.is_impact() => {
                let height = self.side_height(cx);
                self.tell_list.command(command, self.tell.len(), height);
            }
            Region::Side => {
                let height = self.side_height(cx);
                let mut list = ListState { cursor: self.side_offset, ..ListState::default() };
                list.command(command, self.side.len(), height);
                self.side_offset = list.cursor.min(self.side.len().saturating_sub(height));
            }
            Region::List => {
                let height = self.height(cx);
                if self.list.command(command, self.rows.len(), height) {
                    self.center(cx);
                    self.look(cx);
                }
            }
        }
    }

    fn scroll_side(&mut self, by: isize, cx: &Context) {
        let height = self.side_height(cx);
        if self.is_impact() {
            self.tell_list.scroll(by, self.tell.len(), height);
        } else {
            let last = self.side.len().saturating_sub(height);
            self.side_offset = self.side_offset.saturating_add_signed(by).min(last);
        }
    }

    fn save(&self) -> Vec<Effect> {
        let mut text = String::new();
        for row in &self.rows {
            text.push_str(&rows::plain(&self.catalog, row));
            text.push('\n');
        }
        vec![Effect::SaveText { name: "graph.txt".to_owned(), text }]
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let areas = self.areas(cx.area);
        let is_in = |area: Option<Rect>| area.filter(|area| area.contains((mouse.column, mouse.row).into()));
        let by = match mouse.kind {
            MouseKind::ScrollUp => Some(-3),
            MouseKind::ScrollDown => Some(3),
            MouseKind::Click | MouseKind::DoubleClick => None,
        };
        if let Some(region) = is_in(areas.list) {
            if let Some(by) = by {
                let height = self.height(cx);
                self.list.scroll(by, self.rows.len(), height);
                self.look(cx);
                return Vec::new();
            }
            self.focus = Region::List;
            let columns = self.columns();
            let table =
                Table { columns, sort: None, list: &self.list, len: self.rows.len(), is_focused: true };
            match table.row_at(self.table_area(region, cx.area), mouse.column, mouse.row) {
                Some(row) => self.focus_row(row, cx),
                None => return Vec::new(),
            }
        } else if let Some(region) = is_in(areas.boxes) {
            let canvas = Self::canvas(region, cx.area);
            if let Some(by) = by {
                let last = (self.boxes.size.1 - i32::from(canvas.height)).max(0);
                self.offset.1 =
                    (self.offset.1 + by as i32).clamp(self.offset.1.min(0), last.max(self.offset.1.min(0)));
                return Vec::new();
            }
            self.focus = Region::Boxes;
            let x = i32::from(mouse.column) - i32::from(canvas.x) + self.offset.0;
            let y = i32::from(mouse.row) - i32::from(canvas.y) + self.offset.1;
            match self.boxes.node_at(x, y).filter(|_| canvas.contains((mouse.column, mouse.row).into())) {
                Some(node) => self.focus_node(node, cx),
                None => return Vec::new(),
            }
        } else if let Some(region) = is_in(areas.side) {
            if let Some(by) = by {
                self.scroll_side(by, cx);
                return Vec::new();
            }
            self.focus = Region::Side;
            let inner = Self::inner(region, cx.area);
            if !self.is_impact() || !inner.contains((mouse.column, mouse.row).into()) {
                return Vec::new();
            }
            let row = self.tell_list.offset + usize::from(mouse.row - inner.y);
            self.tell_list.select(row, self.tell.len(), usize::from(inner.height));
        }
        if mouse.kind == MouseKind::DoubleClick { vec![Effect::Run(id::OPEN)] } else { Vec::new() }
    }
}

/// Returns a number with its noun.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

impl Pane for GraphPane {
    fn spec(&self) -> &'static PaneSpec {
        self.spec
    }

    fn place(&self) -> Place {
        match self.request.question {
            Question::Cycles => Place::new(CYCLES.id),
            _ => Place::with(SPEC.id, self.request.line()),
        }
    }

    fn heading(&self, _cx: &Context) -> Heading {
        let mut crumbs = vec![self.spec.title.to_owned()];
        if !self.request.root.is_empty() {
            crumbs.push(short_ref(&self.request.root));
        }
        match &self.request.question {
            Question::Impact => crumbs.push("impact".to_owned()),
            Question::Path(end) => crumbs.push(format!("path to {}", short_ref(end))),
            Question::Around => {
                match self.request.direction {
                    Direction::Out => crumbs.push("out".to_owned()),
                    Direction::In => crumbs.push("in".to_owned()),
                    Direction::Both => {}
                }
                if !self.request.relations.is_empty() {
                    let kinds = relation::PAIRS.iter().filter(|(forward, _)| self.follows(forward)).count();
                    crumbs.push(format!("{kinds} of {} relations", relation::PAIRS.len()));
                }
            }
            Question::Cycles => {}
        }
        Heading {
            crumbs,
            filter: self.search_status(),
            count: self.count.clone(),
            marked: 0,
            ..Heading::default()
        }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                if self.is_built && Arc::ptr_eq(&self.catalog, &cx.catalog) {
                    self.lay_out(cx);
                } else {
                    self.build(cx);
                }
            }
            Input::Command(command) => return self.command(command, cx),
            Input::Choice(RELATIONS, choice) => self.toggle_relation(choice, cx),
            Input::Paste(text) if self.search.is_typing => {
                self.search.input.paste(text);
                self.find();
                self.step_match(0, cx);
            }
            Input::Mouse(mouse) => return self.mouse(mouse, cx),
            Input::CatalogChanged | Input::Choice(..) | Input::Paste(_) | Input::Task(_) => {}
        }
        Vec::new()
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        match key.code {
            KeyCode::Enter => self.search.is_typing = false,
            KeyCode::Esc => {
                self.search = Search::default();
                self.find();
            }
            _ if self.search.input.key(key) => {
                self.find();
                self.step_match(0, cx);
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    fn is_typing(&self) -> bool {
        self.search.is_typing
    }

    fn step_back(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        if self.search.input.is_empty() {
            return None;
        }
        self.search = Search::default();
        self.find();
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        let only_around = [LEFT, RIGHT, SHALLOWER, DEEPER, DIRECTION, RELATIONS];
        match command {
            id::OPEN if self.focused().is_none() => Availability::no("nothing is focused"),
            command if only_around.contains(&command) && !self.is_around() => {
                Availability::no("this list has no depth and no direction; open the graph of an entity")
            }
            SHALLOWER if self.request.depth <= 1 => Availability::no("one step is the least"),
            DEEPER if self.request.depth >= MAX_DEPTH => {
                Availability::no(format!("{MAX_DEPTH} steps are the most; go there with enter"))
            }
            DEEPER if self.scene.cut > 0 => Availability::no("there is no room for more nodes"),
            DEEPER if self.scene.hidden() == 0 => Availability::no("everything that is tied to it is shown"),
            NEXT | PREVIOUS | CYCLES_NEXT | CYCLES_PREVIOUS if self.search.found.is_empty() => {
                Availability::no("nothing is searched for, or nothing matches")
            }
            SAVE if self.rows.is_empty() => Availability::no("there is nothing to save"),
            id::PREVIEW_DOWN | id::PREVIEW_UP if self.areas(cx.area).side.is_none() => {
                Availability::no("there is no preview in this layout")
            }
            id::REGION_NEXT | id::REGION_PREVIOUS if self.regions(cx.area).len() < 2 => {
                Availability::no("there is one region in this layout")
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        self.focused().map(|id| Subject::entity(cx, self.catalog.ref_of(id))).into_iter().collect()
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let areas = self.areas(area);
        if let Some(region) = areas.list {
            self.draw_list(cx, region, buf);
        }
        if let Some(region) = areas.boxes {
            self.draw_boxes(cx, region, buf);
        }
        if let Some(region) = areas.side {
            self.draw_side(cx, region, buf);
        }
    }
}
