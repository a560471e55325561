//! All relations as a list: filter by words, sort, mark; the preview of the target beside it.

use super::thing::Look;
use crate::app::Context;
use crate::app::commands::{Availability, CommandId, id};
use crate::app::context::grouped;
use crate::app::event::{Effect, Level};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::line_input::LineInput;
use crate::app::list::{ListState, Marks};
use crate::app::overlay::{Item, Overlay};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::catalog::{Catalog, EntityId};
use crate::config::theme::Role;
use crate::model::relation;
use crate::ui::entity_lines;
use crate::ui::text::{Line, paint, put, put_line, span};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Column, Panel, Table};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const COLUMNS: &[Column] = &[
    Column { title: "TYPE", min: 15, weight: 0, priority: 1 },
    Column { title: "TARGET", min: 18, weight: 4, priority: 0 },
    Column { title: "KIND", min: 11, weight: 1, priority: 2 },
    Column { title: "OWNER", min: 10, weight: 2, priority: 3 },
    Column { title: "LIFECYCLE", min: 12, weight: 0, priority: 4 },
];

/// Columns from which the preview stands beside the list.
const SPLIT: u16 = super::overview::SPLIT;

/// Relations whose names decide how wide the column of targets is.
const MEASURED: usize = 500;
/// What is said of a target that no file describes.
const DANGLING: &str = "not described anywhere";

/// One relation, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// Cells in the order of [`COLUMNS`].
    cells: [String; 5],
    canonical: String,
    is_dangling: bool,
}

/// State of the list.
#[derive(Debug, Default)]
pub struct Relations {
    /// Relation types in words.
    types: Vec<String>,
    /// Index into `types` and target; made into a [`Row`] only when it is looked at.
    ends: Vec<(usize, EntityId)>,
    /// Indices of the rows that the filter lets through, in order.
    shown: Vec<usize>,
    list: ListState,
    /// Marked targets.
    pub marks: Marks,
    filter: LineInput,
    before_typing: String,
    is_typing: bool,
    sort: Option<(usize, bool)>,
    hidden: Vec<&'static str>,
    /// Cells of the widest target.
    target_cells: u16,
    is_preview_hidden: bool,
    preview_offset: usize,
    catalog: Option<Arc<Catalog>>,
}

impl Relations {
    /// Reads the relations of the snapshot of the context, unless that is done; the cursor stays on
    /// the same relation.
    pub fn renew(&mut self, look: &Look<'_>, area: Rect) {
        if self.catalog.as_ref().is_some_and(|catalog| Arc::ptr_eq(catalog, &look.cx.catalog)) {
            self.list.clamp(self.shown.len(), self.height(area));
            return;
        }
        let on = self.focused();
        self.catalog = Some(look.cx.catalog.clone());
        (self.types, self.ends) = (Vec::new(), Vec::new());
        for (relation, ids) in super::overview::relation_groups(look) {
            self.ends.extend(ids.into_iter().map(|id| (self.types.len(), id)));
            self.types.push(relation::words(relation));
        }
        let cells = |row: Row| {
            let name = row.cells.get(1).map_or(0, |name| crate::model::text::width(name));
            name + if row.is_dangling { DANGLING.len() + 4 } else { 0 }
        };
        let widest = (0..self.ends.len().min(MEASURED)).filter_map(|at| self.row(at)).map(cells).max();
        self.target_cells = widest.unwrap_or(0).clamp(18, 44) as u16;
        let has = |canonical: &String| {
            let id = look.catalog.find(canonical);
            id.is_some_and(|id| self.ends.iter().any(|(_, end)| *end == id))
        };
        self.marks.0.retain(has);
        self.narrow(area);
        let Some(on) = on else { return };
        let same = |at: &usize| {
            let (relation, id) = self.ends.get(*at).copied().unwrap_or((0, EntityId(u32::MAX)));
            look.catalog.ref_of(id) == on.canonical && self.types.get(relation) == on.cells.first()
        };
        if let Some(cursor) = self.shown.iter().position(same) {
            self.list.select(cursor, self.shown.len(), self.height(area));
        }
    }

    /// Returns a relation in words.
    fn row(&self, at: usize) -> Option<Row> {
        let catalog = self.catalog.as_ref()?;
        let (relation, id) = *self.ends.get(at)?;
        let canonical = catalog.ref_of(id).to_owned();
        let entity = catalog.entity(id);
        let (kind, _, _) = crate::model::entity_ref::split_canonical(&canonical);
        let owner = entity.and_then(|entity| entity.owner());
        let cells = [
            self.types.get(relation).cloned().unwrap_or_default(),
            match &entity {
                Some(entity) if entity.namespace() == "default" => entity.name().to_owned(),
                _ => entity_lines::short_ref(&canonical),
            },
            entity.map_or_else(|| kind.to_owned(), |entity| entity_lines::kind_words(&entity)),
            owner.map(|id| entity_lines::short_ref(catalog.ref_of(id))).unwrap_or_default(),
            entity.map(|entity| entity.lifecycle().to_owned()).unwrap_or_default(),
        ];
        Some(Row { cells, canonical, is_dangling: entity.is_none() })
    }

    /// Returns the canonical ref of a shown row.
    fn ref_of(&self, shown: usize) -> Option<&str> {
        let (_, id) = self.ends.get(*self.shown.get(shown)?)?;
        self.catalog.as_ref().map(|catalog| catalog.ref_of(*id))
    }

    /// Returns whether the filter line has the focus.
    pub fn is_typing(&self) -> bool {
        self.is_typing
    }

    /// Returns the filter for the title line.
    pub fn title(&self) -> Option<String> {
        let cursor = if self.is_typing { "_" } else { "" };
        (self.is_typing || !self.filter.is_empty()).then(|| format!("{}{cursor}", self.filter.text()))
    }

    /// Returns `3 relations` or `2 of 3 relations`.
    pub fn count(&self) -> String {
        let all = entity_lines::plural(self.ends.len(), "relation");
        if self.shown.len() == self.ends.len() {
            all
        } else {
            format!("{} of {all}", grouped(self.shown.len()))
        }
    }

    /// Returns the marked targets, else the focused one.
    pub fn subjects(&self, cx: &Context) -> Vec<Subject> {
        if self.marks.0.is_empty() {
            return self.focused().map(|row| Subject::entity(cx, &row.canonical)).into_iter().collect();
        }
        self.marks.0.iter().map(|canonical| Subject::entity(cx, canonical)).collect()
    }

    /// Returns whether a command can run now.
    pub fn availability(&self, command: CommandId, area: Rect) -> Availability {
        match command {
            id::VIEWS => Availability::no("relations have no facets; type words to filter them"),
            id::SAVE_VIEW => Availability::no("views are kept of the catalog"),
            id::CLEAR if self.filter.is_empty() => Availability::no("there is no filter"),
            id::REGION_NEXT | id::REGION_PREVIOUS => {
                Availability::no("the preview is scrolled from the list")
            }
            id::LAYOUT if area.width < SPLIT => Availability::no("there is no room for a preview"),
            id::PREVIEW_DOWN | id::PREVIEW_UP if self.areas(area).1.is_none() => {
                Availability::no("there is no preview on screen")
            }
            id::OPEN | id::SAVE | id::MARK | id::RANGE | id::MARK_ALL if self.shown.is_empty() => {
                Availability::no("the list is empty")
            }
            _ => Availability::Available,
        }
    }

    /// Carries out a command; `None` when it is none of a list.
    pub fn command(&mut self, command: CommandId, area: Rect) -> Option<Vec<Effect>> {
        let height = self.height(area);
        let before = self.list.cursor;
        if self.list.command(command, self.shown.len(), height) {
            if before != self.list.cursor {
                self.preview_offset = 0;
            }
            if self.list.anchor.is_some() {
                self.mark_range();
            }
            return Some(Vec::new());
        }
        match command {
            id::OPEN => return Some(self.open()),
            id::FILTER => {
                self.is_typing = true;
                self.filter.text().clone_into(&mut self.before_typing);
                self.list.clamp(self.shown.len(), self.height(area));
            }
            id::CLEAR => self.set_filter("", area),
            id::MARK => {
                if let Some(canonical) = self.ref_of(self.list.cursor).map(str::to_owned) {
                    self.marks.toggle(&canonical);
                }
                self.list.command(id::DOWN, self.shown.len(), height);
            }
            id::RANGE => {
                self.list.anchor = if self.list.anchor.is_some() { None } else { Some(self.list.cursor) };
                self.mark_range();
            }
            id::MARK_ALL => self.mark_all(),
            id::SORT_LEFT => self.step_sort(-1, area),
            id::SORT_RIGHT => self.step_sort(1, area),
            id::SORT => return Some(vec![Effect::Show(self.sort_menu())]),
            id::COLUMNS => return Some(vec![Effect::Show(self.columns_menu(area))]),
            id::SAVE => return Some(self.save()),
            id::LAYOUT => self.is_preview_hidden = !self.is_preview_hidden,
            id::PREVIEW_DOWN => self.preview_offset = self.preview_offset.saturating_add(3),
            id::PREVIEW_UP => self.preview_offset = self.preview_offset.saturating_sub(3),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Takes the answer to a menu.
    pub fn choose(&mut self, command: CommandId, choice: &str, area: Rect) {
        let Some(at) = COLUMNS.iter().position(|column| column.title == choice) else { return };
        match command {
            id::SORT => {
                let is_same = self.sort.is_some_and(|(column, is_down)| column == at && !is_down);
                self.sort = Some((at, is_same));
                self.narrow(area);
            }
            id::COLUMNS => match (self.hidden.iter().position(|title| *title == choice), COLUMNS.get(at)) {
                (Some(hidden), _) => drop(self.hidden.remove(hidden)),
                (None, Some(column)) => self.hidden.push(column.title),
                (None, None) => {}
            },
            _ => {}
        }
    }

    /// Takes a key of the filter line.
    pub fn key(&mut self, key: Key, area: Rect) -> Option<Vec<Effect>> {
        match key.code {
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                let before = std::mem::take(&mut self.before_typing);
                self.set_filter(&before, area);
            }
            KeyCode::Up => {
                self.list.command(id::UP, self.shown.len(), self.height(area));
            }
            KeyCode::Down => {
                self.list.command(id::DOWN, self.shown.len(), self.height(area));
            }
            _ if self.filter.key(key) => self.narrow(area),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Takes pasted text while the filter is typed.
    pub fn paste(&mut self, text: &str, area: Rect) {
        if self.is_typing {
            self.filter.paste(text);
            self.narrow(area);
        }
    }

    /// Takes one step back: marks, then the filter.
    pub fn step_back(&mut self, area: Rect) -> bool {
        if !self.marks.0.is_empty() || self.list.anchor.is_some() {
            self.marks = Marks::default();
            self.list.anchor = None;
            return true;
        }
        let had = !self.filter.is_empty();
        self.set_filter("", area);
        had
    }

    /// Takes the mouse.
    pub fn mouse(&mut self, mouse: Mouse, area: Rect) -> Vec<Effect> {
        let (_, preview) = self.areas(area);
        let is_preview = preview.is_some_and(|area| area.contains((mouse.column, mouse.row).into()));
        let height = self.height(area);
        match mouse.kind {
            MouseKind::ScrollUp if is_preview => self.preview_offset = self.preview_offset.saturating_sub(3),
            MouseKind::ScrollDown if is_preview => {
                self.preview_offset = self.preview_offset.saturating_add(3);
            }
            MouseKind::ScrollUp => self.list.scroll(-3, self.shown.len(), height),
            MouseKind::ScrollDown => self.list.scroll(3, self.shown.len(), height),
            MouseKind::Click | MouseKind::DoubleClick => {
                let columns = self.columns();
                let hit = self.table(&columns).row_at(self.table_area(area), mouse.column, mouse.row);
                if let Some(row) = hit {
                    self.list.select(row, self.shown.len(), height);
                    self.preview_offset = 0;
                    if mouse.kind == MouseKind::DoubleClick {
                        return self.open();
                    }
                }
            }
        }
        Vec::new()
    }

    /// Draws list and preview.
    pub fn draw(&self, look: &Look<'_>, area: Rect, buf: &mut Buffer) {
        let cx = look.cx;
        let area = area.intersection(buf.area);
        let (list, preview) = self.areas(area);
        if preview.is_some() {
            Panel { title: "Relations", note: &self.count(), is_focused: true }.draw(cx, list, buf);
        }
        let table_area = self.table_area(area);
        if self.is_typing && table_area.y > list.y {
            let y = table_area.y - 1;
            let used = put(buf, table_area.x, y, table_area.width.min(1), "/", style(cx, Role::Key));
            let room = table_area.width.saturating_sub(used);
            put(buf, table_area.x + used, y, room, self.filter.text(), style(cx, Role::Text));
            let cursor = crate::model::text::width(self.filter.before_cursor()) as u16;
            let reverse = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
            let x = (table_area.x + used + cursor).min(table_area.right().saturating_sub(1));
            paint(buf, x, y, 1, reverse);
        }
        if self.shown.is_empty() {
            let text = if self.ends.is_empty() {
                "no relations: it names nothing, and nothing names it".to_owned()
            } else {
                let key = cx.key(id::BACK);
                format!(
                    "the filter hides {}; {key} clears it",
                    entity_lines::plural(self.ends.len(), "relation")
                )
            };
            let y = table_area.y + 1.min(table_area.height.saturating_sub(1));
            if table_area.height > 0 {
                let room = table_area.width.saturating_sub(3);
                put(buf, table_area.x + 2.min(table_area.width), y, room, &text, style(cx, Role::Dim));
            }
        } else {
            let columns = self.columns();
            self.table(&columns).draw(cx, table_area, buf, |row| self.cells(cx, &columns, row));
        }
        if let Some(area) = preview {
            self.draw_preview(look, area, buf);
        }
    }

    fn draw_preview(&self, look: &Look<'_>, area: Rect, buf: &mut Buffer) {
        let cx = look.cx;
        let Some(row) = self.focused() else {
            Panel::default().draw(cx, area, buf);
            return;
        };
        let (_, _, name) = crate::model::entity_ref::split_canonical(&row.canonical);
        let inner = Panel { title: name, note: "", is_focused: false }.draw(cx, area, buf);
        let width = inner.width.saturating_sub(2);
        let lines: Vec<Line> = match cx.entity(&row.canonical) {
            Some(entity) => entity_lines::preview(cx, look.catalog, &entity, usize::from(width)),
            None => vec![
                vec![span(&row.canonical, Role::Text)],
                vec![span(format!("{} {DANGLING}", Sign::Unknown.text(cx)), Role::Unknown)],
            ],
        };
        let offset = self.preview_offset.min(lines.len().saturating_sub(1));
        for (at, line) in lines.iter().skip(offset).take(usize::from(inner.height)).enumerate() {
            put_line(cx, buf, inner.x + 1, inner.y + at as u16, width, line);
        }
    }

    fn cells(&self, cx: &Context, columns: &[Column], row: usize) -> (Vec<Line>, bool) {
        let Some(row) = self.shown.get(row).and_then(|at| self.row(*at)) else {
            return (Vec::new(), false);
        };
        let cell = |column: &Column| {
            let at = COLUMNS.iter().position(|c| c.title == column.title).unwrap_or(0);
            let text = row.cells.get(at).map_or("", String::as_str);
            match (column.title, row.is_dangling) {
                ("TARGET", false) => vec![span(text, Role::Link)],
                ("TARGET", true) => vec![
                    span(text, Role::Unknown),
                    span(format!("  {} {DANGLING}", Sign::Unknown.text(cx)), Role::Unknown),
                ],
                ("TYPE", _) => vec![span(text, Role::Accent)],
                _ => vec![span(text, Role::Text)],
            }
        };
        (columns.iter().map(cell).collect(), self.marks.has(&row.canonical))
    }

    /// The columns that are wanted; the target's is as wide as what it has to say.
    fn columns(&self) -> Vec<Column> {
        let shown = COLUMNS.iter().filter(|column| !self.hidden.contains(&column.title));
        let widen = |column: &Column| match column.title {
            "TARGET" => Column { min: self.target_cells, ..*column },
            _ => *column,
        };
        shown.map(widen).collect()
    }

    fn table<'a>(&'a self, columns: &'a [Column]) -> Table<'a> {
        let sort = self.sort.and_then(|(at, is_down)| {
            let title = COLUMNS.get(at)?.title;
            Some((columns.iter().position(|column| column.title == title)?, is_down))
        });
        Table { columns, sort, list: &self.list, len: self.shown.len(), is_focused: true }
    }

    /// Areas of the list and, if there is room, of the preview.
    fn areas(&self, area: Rect) -> (Rect, Option<Rect>) {
        if area.width < SPLIT || self.is_preview_hidden {
            return (area, None);
        }
        let list = area.width * 58 / 100;
        let preview = Rect { x: area.x + list, width: area.width - list, ..area };
        (Rect { width: list, ..area }, Some(preview))
    }

    /// Area of the table in the whole area: inside the frame if there is one, below the filter line.
    fn table_area(&self, area: Rect) -> Rect {
        let inner = match self.areas(area) {
            (list, Some(_)) => Panel::inner(list),
            (list, None) => list,
        };
        let typing = u16::from(self.is_typing && inner.height > 2);
        Rect { y: inner.y + typing, height: inner.height - typing, ..inner }
    }

    fn height(&self, area: Rect) -> usize {
        Table::height(self.table_area(area))
    }

    fn focused(&self) -> Option<Row> {
        self.row(*self.shown.get(self.list.cursor)?)
    }

    fn open(&self) -> Vec<Effect> {
        self.focused().map(|row| vec![Effect::Open(Place::entity(&row.canonical))]).unwrap_or_default()
    }

    fn set_filter(&mut self, text: &str, area: Rect) {
        self.filter = LineInput::new(text);
        self.narrow(area);
    }

    /// Works out the shown rows after filter, order or rows changed.
    fn narrow(&mut self, area: Rect) {
        let words: Vec<Word> = self.filter.text().split_whitespace().filter_map(Word::read).collect();
        self.shown = (0..self.ends.len())
            .filter(|at| {
                words.is_empty() || self.row(*at).is_some_and(|row| words.iter().all(|word| word.fits(&row)))
            })
            .collect();
        if let Some((column, is_down)) = self.sort {
            let mut shown = std::mem::take(&mut self.shown);
            shown.sort_by_cached_key(|at| self.row(*at).and_then(|row| row.cells.get(column).cloned()));
            if is_down {
                shown.reverse();
            }
            self.shown = shown;
        }
        self.preview_offset = 0;
        self.list.clamp(self.shown.len(), self.height(area));
    }

    fn step_sort(&mut self, by: isize, area: Rect) {
        let visible: Vec<usize> = COLUMNS
            .iter()
            .enumerate()
            .filter(|(_, column)| !self.hidden.contains(&column.title))
            .map(|(at, _)| at)
            .collect();
        let now = self.sort.and_then(|(at, _)| visible.iter().position(|v| *v == at));
        let next = match now {
            Some(at) => (at as isize + by).rem_euclid(visible.len().max(1) as isize) as usize,
            None => 0,
        };
        self.sort = visible.get(next).map(|at| (*at, false));
        self.narrow(area);
    }

    fn sort_menu(&self) -> Overlay {
        let items = COLUMNS.iter().enumerate().map(|(at, column)| {
            let detail = match self.sort {
                Some((sorted, false)) if sorted == at => "now; again reverses",
                Some((sorted, true)) if sorted == at => "now, reversed",
                _ => "",
            };
            let effects = vec![Effect::Choose(id::SORT, column.title.to_owned())];
            Item::new(column.title.to_lowercase(), effects).detail(detail)
        });
        Overlay::menu("sort by", items.collect())
    }

    fn columns_menu(&self, area: Rect) -> Overlay {
        let columns = self.columns();
        let shown = Table::layout(&columns, self.table_area(area).width);
        let items = COLUMNS.iter().map(|column| {
            let is_on = !self.hidden.contains(&column.title);
            let at = columns.iter().position(|c| c.title == column.title);
            let fits = at.is_some_and(|at| shown.iter().any(|slot| slot.0 == at));
            let effects = vec![Effect::Choose(id::COLUMNS, column.title.to_owned())];
            Item {
                checked: Some(is_on),
                disabled: (column.priority == 0).then(|| "always shown".to_owned()),
                ..Item::new(column.title.to_lowercase(), effects).detail(if is_on && !fits {
                    "no room now"
                } else {
                    ""
                })
            }
        });
        Overlay::menu("columns", items.collect())
    }

    fn save(&self) -> Vec<Effect> {
        let line = |at: &usize| {
            let row = self.row(*at)?;
            let [relation, ..] = &row.cells;
            Some(format!("{relation}\t{}\n", row.canonical))
        };
        let text: String = self.shown.iter().filter_map(line).collect();
        if text.is_empty() {
            return vec![Effect::Toast(Level::Info, "there is nothing to save".to_owned())];
        }
        vec![Effect::SaveText { name: "relations.txt".to_owned(), text }]
    }

    fn mark_range(&mut self) {
        let Some(range) = self.list.range() else { return };
        let refs = range.filter_map(|at| self.ref_of(at).map(str::to_owned));
        let refs: Vec<String> = refs.collect();
        self.marks.0.extend(refs);
    }

    fn mark_all(&mut self) {
        let all: Vec<String> =
            (0..self.shown.len()).filter_map(|at| self.ref_of(at).map(str::to_owned)).collect();
        if all.iter().all(|canonical| self.marks.has(canonical)) {
            self.marks = Marks::default();
        } else {
            self.marks.0.extend(all);
        }
    }
}

/// A word of the filter: must occur, or with `!` or `-` must not.
struct Word {
    text: String,
    is_exact: bool,
    is_not: bool,
}

impl Word {
    fn read(word: &str) -> Option<Self> {
        let rest = word.strip_prefix(['!', '-']);
        let text = rest.unwrap_or(word);
        (!text.is_empty()).then(|| Self {
            text: text.to_owned(),
            is_exact: text.chars().any(char::is_uppercase),
            is_not: rest.is_some(),
        })
    }

    fn fits(&self, row: &Row) -> bool {
        let hit = |cell: &String| {
            if self.is_exact { cell.contains(&self.text) } else { cell.to_lowercase().contains(&self.text) }
        };
        let sign = row.is_dangling && self.text == "?";
        (row.cells.iter().any(hit) || hit(&row.canonical) || sign) != self.is_not
    }
}
