//! A list of entities with filter, sorting and marks; the state behind every table of entities.
//!
//! Ids belong to the snapshot the list keeps, which is replaced together with them when the answer to
//! a filter comes; cursor and marks stay on the same entities by ref. Filtering itself runs elsewhere:
//! the list only asks ([`Effect::Filter`]) and drops late answers.

use super::commands::{CommandId, id};
use super::context::{Context, grouped};
use super::event::{Effect, FilterMistake, Generation, Level, Matches, Sort, SortKey, Suggestion, TaskEvent};
use super::input::{Key, KeyCode};
use super::line_input::LineInput;
use super::list::{ListState, Marks};
use super::overlay::{Item, Overlay};
use super::subject::Subject;
use crate::catalog::facets::Facet;
use crate::catalog::{Catalog, Entity, EntityId};
use std::sync::Arc;

/// State of a list of entities.
#[derive(Debug, Default)]
pub struct EntityList {
    /// Terms that always hold and are not shown: `kind:component`.
    pub base: String,
    /// What is typed.
    pub filter: LineInput,
    /// What is wrong with it; the last good result stays.
    pub mistake: Option<FilterMistake>,
    /// Order.
    pub sort: Sort,
    /// Cursor and scroll.
    pub list: ListState,
    /// Marked entities.
    pub marks: Marks,
    /// What could be typed next, and which of them the arrows chose.
    pub suggestion: Option<usize>,
    matches: Option<Arc<Matches>>,
    generation: Generation,
    is_typing: bool,
    before_typing: String,
    wanted: Option<String>,
    /// The answer to the newest request is still awaited: what is suggested belongs to older text.
    is_pending: bool,
}

impl EntityList {
    /// Creates a list with a filter.
    pub fn new(filter: &str) -> Self {
        Self { filter: LineInput::new(filter), ..Self::default() }
    }

    /// Returns the snapshot that the rows belong to.
    pub fn catalog(&self) -> Option<&Arc<Catalog>> {
        self.matches.as_ref().map(|m| &m.catalog)
    }

    /// Returns the ids of the shown rows.
    pub fn ids(&self) -> &[EntityId] {
        self.matches.as_ref().map_or(&[], |m| m.ids.as_slice())
    }

    /// Returns facets over the shown rows.
    pub fn facets(&self) -> &[Facet] {
        self.matches.as_ref().map_or(&[], |m| m.facets.as_slice())
    }

    /// Returns what could be typed next.
    pub fn suggestions(&self) -> &[Suggestion] {
        self.matches.as_ref().filter(|_| self.is_typing).map_or(&[], |m| m.suggestions.as_slice())
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.ids().len()
    }

    /// Returns whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.ids().is_empty()
    }

    /// Returns whether the first answer is still awaited.
    pub fn is_waiting(&self) -> bool {
        self.matches.is_none()
    }

    /// Returns an entity of the list's snapshot.
    pub fn entity(&self, row: usize) -> Option<Entity<'_>> {
        let matches = self.matches.as_ref()?;
        matches.catalog.entity(*matches.ids.get(row)?)
    }

    /// Returns the entity under the cursor.
    pub fn focused(&self) -> Option<Entity<'_>> {
        self.entity(self.list.cursor)
    }

    /// Returns the marked entities, else the focused one.
    pub fn subjects(&self, cx: &Context) -> Vec<Subject> {
        if self.marks.0.is_empty() {
            return self.focused().map(|e| Subject::entity(cx, e.entity_ref())).into_iter().collect();
        }
        self.marks.0.iter().map(|entity| Subject::entity(cx, entity)).collect()
    }

    /// Returns the filter as the title shows it, with a cursor while it is typed.
    pub fn title(&self) -> Option<String> {
        let cursor = if self.is_typing { "_" } else { "" };
        (self.is_typing || !self.filter.is_empty()).then(|| format!("{}{cursor}", self.filter.text()))
    }

    /// Returns `214 of 9,812`.
    pub fn count(&self, cx: &Context) -> String {
        let all = self.catalog().unwrap_or(&cx.catalog).len();
        if self.len() == all { grouped(all) } else { format!("{} of {}", grouped(self.len()), grouped(all)) }
    }

    /// Asks for the rows again: after the filter, the order or the snapshot changed.
    pub fn request(&mut self, cx: &Context) -> Effect {
        self.generation = cx.next_generation();
        self.is_pending = true;
        let base = if self.base.is_empty() { String::new() } else { format!("{} ", self.base) };
        let cursor = self.is_typing.then(|| base.len() + self.filter.before_cursor().len());
        let text = format!("{base}{}", self.filter.text());
        Effect::Filter { generation: self.generation, text, cursor, sort: self.sort }
    }

    /// Puts the cursor on this entity when the next answer has it.
    pub fn select_later(&mut self, canonical: &str) {
        self.wanted = Some(canonical.to_owned());
    }

    /// Replaces the filter text.
    pub fn set_filter(&mut self, text: &str, cx: &Context) -> Vec<Effect> {
        self.filter = LineInput::new(text);
        self.list = ListState::default();
        vec![self.request(cx)]
    }

    /// Takes an answer; returns whether it was for this list.
    pub fn task(&mut self, task: &TaskEvent, height: usize) -> bool {
        let TaskEvent::Filtered { generation, result } = task else { return false };
        if *generation != self.generation {
            return false;
        }
        self.is_pending = false;
        match result {
            Ok(matches) => {
                let on = self.wanted.take().or_else(|| self.focused().map(|e| e.entity_ref().to_owned()));
                self.matches = Some(matches.0.clone());
                self.mistake = None;
                let stays = on
                    .and_then(|r| matches.0.catalog.find(&r))
                    .and_then(|id| matches.0.ids.iter().position(|other| *other == id));
                self.list.cursor = stays.filter(|_| !self.is_typing).unwrap_or(if self.is_typing {
                    0
                } else {
                    self.list.cursor
                });
                let catalog = matches.0.catalog.clone();
                self.marks.0.retain(|entity| catalog.find(entity).is_some_and(|id| catalog.is_entity(id)));
            }
            Err(mistake) => {
                let base = if self.base.is_empty() { 0 } else { self.base.len() + 1 };
                let span = mistake.span.start.saturating_sub(base)..mistake.span.end.saturating_sub(base);
                self.mistake = Some(FilterMistake { span, reason: mistake.reason.clone() });
            }
        }
        self.suggestion = None;
        self.list.clamp(self.len(), height);
        true
    }

    /// Returns whether the filter line has the focus.
    pub fn is_typing(&self) -> bool {
        self.is_typing
    }

    /// Takes a key of the filter line.
    pub fn key(&mut self, key: Key, height: usize, cx: &Context) -> Option<Vec<Effect>> {
        let suggestions = self.suggestions().len();
        match key.code {
            KeyCode::Enter => match self.chosen_suggestion() {
                Some(text) => return Some(self.take_suggestion(&text, cx)),
                None => self.is_typing = false,
            },
            KeyCode::Esc => {
                self.is_typing = false;
                let before = std::mem::take(&mut self.before_typing);
                return Some(self.set_filter(&before, cx));
            }
            // completing from older suggestions would eat what was typed since
            KeyCode::Tab if self.is_pending => {}
            KeyCode::Tab => {
                let first =
                    self.chosen_suggestion().or_else(|| self.suggestions().first().map(|s| s.text.clone()));
                return Some(first.map(|text| self.take_suggestion(&text, cx)).unwrap_or_default());
            }
            KeyCode::Down if suggestions > 0 => {
                self.suggestion = Some(self.suggestion.map_or(0, |at| (at + 1).min(suggestions - 1)));
            }
            KeyCode::Up if self.suggestion.is_some() => {
                self.suggestion = self.suggestion.and_then(|at| at.checked_sub(1));
            }
            KeyCode::Down => {
                self.list.command(id::DOWN, self.len(), height);
            }
            KeyCode::Up => {
                self.list.command(id::UP, self.len(), height);
            }
            _ if self.filter.key(key) => return Some(vec![self.request(cx)]),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str, cx: &Context) -> Vec<Effect> {
        if !self.is_typing {
            return Vec::new();
        }
        self.filter.paste(text);
        vec![self.request(cx)]
    }

    /// Takes one step back: marks, then filter.
    pub fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.list.anchor.take().is_some() {
            return Some(Vec::new());
        }
        if !self.marks.0.is_empty() {
            self.marks.0.clear();
            return Some(Vec::new());
        }
        if self.filter.is_empty() {
            return None;
        }
        Some(self.set_filter("", cx))
    }

    /// Carries out a list or movement command over `height` visible rows; `None` when it is none.
    pub fn command(&mut self, command: CommandId, height: usize, cx: &Context) -> Option<Vec<Effect>> {
        if self.list.command(command, self.len(), height) {
            self.mark_range();
            return Some(Vec::new());
        }
        match command {
            id::FILTER => {
                self.is_typing = true;
                self.before_typing = self.filter.text().to_owned();
                return Some(vec![self.request(cx)]);
            }
            id::CLEAR => return Some(self.set_filter("", cx)),
            id::MARK => {
                if let Some(entity) = self.focused().map(|e| e.entity_ref().to_owned()) {
                    self.marks.toggle(&entity);
                }
                self.list.command(id::DOWN, self.len(), height);
            }
            id::RANGE => {
                if self.list.anchor.take().is_none() {
                    self.list.anchor = Some(self.list.cursor);
                    self.mark_range();
                }
            }
            id::MARK_ALL => {
                let all: Vec<String> = (0..self.len())
                    .filter_map(|row| Some(self.entity(row)?.entity_ref().to_owned()))
                    .collect();
                if all.iter().all(|entity| self.marks.has(entity)) {
                    self.marks.0.clear();
                } else {
                    self.marks.0.extend(all);
                }
            }
            id::SORT_LEFT | id::SORT_RIGHT => {
                let at = SORTS.iter().position(|(key, _)| *key == self.sort.key).unwrap_or(0);
                let next =
                    if command == id::SORT_RIGHT { at + 1 } else { at + SORTS.len() - 1 } % SORTS.len();
                self.sort = Sort {
                    key: SORTS.get(next).map(|(key, _)| *key).unwrap_or_default(),
                    is_descending: false,
                };
                return Some(vec![self.request(cx)]);
            }
            id::SORT => return Some(vec![Effect::Show(self.sort_menu())]),
            id::SAVE => return Some(self.save()),
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Takes the answer to the sort menu.
    pub fn choose_sort(&mut self, choice: &str, cx: &Context) -> Vec<Effect> {
        if let Some((key, _)) = SORTS.iter().find(|(_, title)| *title == choice) {
            let is_same = self.sort.key == *key;
            self.sort = Sort { key: *key, is_descending: is_same && !self.sort.is_descending };
        }
        vec![self.request(cx)]
    }

    fn sort_menu(&self) -> Overlay {
        let items = SORTS.iter().map(|(key, title)| {
            let detail = match (self.sort.key == *key, self.sort.is_descending) {
                (true, false) => "now; again reverses",
                (true, true) => "now, reversed",
                _ => "",
            };
            Item::new(*title, vec![Effect::Choose(id::SORT, (*title).to_owned())]).detail(detail)
        });
        Overlay::menu("sort by", items.collect())
    }

    fn save(&self) -> Vec<Effect> {
        let refs: Vec<&str> = match self.matches.as_ref() {
            Some(matches) => matches.ids.iter().map(|id| matches.catalog.ref_of(*id)).collect(),
            None => Vec::new(),
        };
        if refs.is_empty() {
            return vec![Effect::Toast(Level::Info, "there is nothing to save".to_owned())];
        }
        vec![Effect::SaveText { name: "entities.txt".to_owned(), text: refs.join("\n") + "\n" }]
    }

    fn mark_range(&mut self) {
        let Some(range) = self.list.range() else { return };
        let refs: Vec<String> =
            range.filter_map(|row| Some(self.entity(row)?.entity_ref().to_owned())).collect();
        self.marks.0.extend(refs);
    }

    fn chosen_suggestion(&self) -> Option<String> {
        self.suggestions().get(self.suggestion?).map(|s| s.text.clone())
    }

    fn take_suggestion(&mut self, text: &str, cx: &Context) -> Vec<Effect> {
        let text = text.get(if self.base.is_empty() { 0 } else { self.base.len() + 1 }..).unwrap_or("");
        self.filter = LineInput::new(text);
        self.suggestion = None;
        vec![self.request(cx)]
    }
}

/// What a list can be sorted by, with the titles of the columns.
pub const SORTS: [(SortKey, &str); 6] = [
    (SortKey::Name, "name"),
    (SortKey::Kind, "kind"),
    (SortKey::Owner, "owner"),
    (SortKey::System, "system"),
    (SortKey::Lifecycle, "lifecycle"),
    (SortKey::Problems, "problems"),
];
