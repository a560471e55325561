//! The pages of the form: focus, typing, leaving a field, going on and back.

use super::fields::{Look, PageLines, Shown};
use super::typing::{Taken, Typing};
use super::{Stage, WizardPane, commands, shared};
use crate::app::Context;
use crate::app::commands::{Availability, CommandId};
use crate::app::event::{Effect, Level, Shared};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::overlay::Overlay;
use crate::app::templates::TemplateOrder;
use crate::config::theme::Role;
use crate::scaffolder::Value;
use crate::scaffolder::form::{Changed, Choice, Field, NoField, Part, Told, Widget};
use crate::ui::entity_lines::plural;
use crate::ui::text::{Line, span, wrap};

impl WizardPane {
    /// Goes to a page; the focus is on its first field, or its last one when coming back.
    pub(super) fn enter_page(&mut self, page: usize, is_forward: bool, cx: &Context) -> Vec<Effect> {
        self.stage = Stage::Form;
        self.page = page.min(self.form.pages().len().saturating_sub(1));
        self.form.visit(self.page);
        self.lines = PageLines::default();
        self.read_fields();
        let autofocus = self.fields.iter().find(|field| field.is_autofocus && can_focus(field));
        let first = self.fields.iter().find(|field| can_focus(field));
        let last = self.fields.iter().rev().find(|field| can_focus(field));
        let field = if is_forward { autofocus.or(first) } else { last };
        let pointer = field.map(|field| field.pointer.clone()).unwrap_or_default();
        let effects = self.focus(&pointer, cx);
        self.lay_out(cx);
        effects
    }

    pub(super) fn read_fields(&mut self) {
        self.fields = self.form.fields(self.page).to_vec();
    }

    /// Returns the focused field.
    pub(super) fn focused(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.pointer == self.typing.pointer)
    }

    /// Begins with a field; what it can be chosen from is looked up.
    fn focus(&mut self, pointer: &str, cx: &Context) -> Vec<Effect> {
        let Some(field) = self.fields.iter().find(|field| field.pointer == pointer) else {
            self.typing = Typing::default();
            return Vec::new();
        };
        self.typing = Typing::new(field);
        self.look_up(cx)
    }

    /// Focuses a field if it is there, else the first.
    pub(super) fn focus_or_first(&mut self, pointer: &str) {
        let wanted = self.fields.iter().find(|field| field.pointer == pointer);
        let field = wanted.or_else(|| self.fields.iter().find(|field| can_focus(field)));
        self.typing = field.map(Typing::new).unwrap_or_default();
    }

    /// Asks for what the focused field can be chosen from, where that is found elsewhere.
    pub(super) fn look_up(&mut self, cx: &Context) -> Vec<Effect> {
        let typed = self.typing.searched().to_owned();
        let Some(lookup) = self.form.lookup(&self.typing.pointer, &typed) else { return Vec::new() };
        let (generation, effect) = Self::order(cx, TemplateOrder::Suggest(shared(lookup)));
        self.typing.generation = generation;
        self.typing.is_pending = true;
        vec![effect]
    }

    /// Asks for choices that nobody has asked for yet: those of the field that a form begins with.
    pub(super) fn look_up_again(&mut self, cx: &Context) -> Vec<Effect> {
        let is_asked = self.typing.is_pending || !self.typing.choices.is_empty();
        if is_asked || self.stage != Stage::Form { Vec::new() } else { self.look_up(cx) }
    }

    /// Takes choices that were looked up.
    pub(super) fn offered(&mut self, found: &Result<Shared<Vec<Choice>>, String>, cx: &Context) {
        let Some(field) = self.focused().cloned() else { return };
        match found {
            Ok(choices) => {
                // the only one that fits is taken, as Backstage does
                if !self.typing.is_dirty && self.form.offer(&field.pointer, &choices.0) {
                    self.read_fields();
                }
                self.typing.offer(choices.0.to_vec(), &field);
            }
            Err(reason) => {
                self.typing.is_pending = false;
                self.typing.failure.clone_from(reason);
            }
        }
        self.lay_out(cx);
    }

    pub(super) fn page_key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        let field = self.focused()?.clone();
        if matches!(field.widget, Widget::Toggle) && !field.is_disabled {
            let is_on = field.value.is_true();
            let wanted = match key.code {
                KeyCode::Char(' ' | 'x') if !key.ctrl => !is_on,
                KeyCode::Char('y') if !key.ctrl => true,
                KeyCode::Char('n') if !key.ctrl => false,
                KeyCode::Left | KeyCode::Right => !is_on,
                _ => return None,
            };
            return Some(self.set(&field.pointer, Value::from(wanted), cx));
        }
        if key == Key::char('+') && matches!(field.widget, Widget::List { .. } | Widget::Object { .. }) {
            return Some(self.add(cx));
        }
        if let (Key { code: KeyCode::Char(' '), ctrl: false, .. }, Some(value)) =
            (key, self.typing.switched())
        {
            return Some(self.toggle(&field, &value, cx));
        }
        if !self.typing.key(key, &field) {
            return None;
        }
        Some(self.typed(&field, cx))
    }

    pub(super) fn paste(&mut self, text: &str, cx: &Context) -> Vec<Effect> {
        if self.stage != Stage::Form {
            return Vec::new();
        }
        let Some(field) = self.focused().cloned() else { return Vec::new() };
        if matches!(field.widget, Widget::Toggle) {
            return match text.trim().to_lowercase().as_str() {
                "yes" | "y" | "true" | "on" => self.set(&field.pointer, Value::from(true), cx),
                "no" | "n" | "false" | "off" => self.set(&field.pointer, Value::from(false), cx),
                _ => Self::toast(Level::Info, "write yes or no"),
            };
        }
        // several lines go in as they are where they belong
        if matches!(field.widget, Widget::Text { .. }) && text.contains('\n') && field.text.is_empty() {
            return self.set(&field.pointer, Value::from(text), cx);
        }
        self.typing.paste(text, &field);
        self.typed(&field, cx)
    }

    /// After something was typed: the answer follows where any text is one, choices are looked up.
    fn typed(&mut self, field: &Field, cx: &Context) -> Vec<Effect> {
        let mut effects = Vec::new();
        let is_line = matches!(
            field.widget,
            Widget::Line | Widget::Number { .. } | Widget::Text { .. } | Widget::Secret
        );
        if is_line {
            let text = self.typing.input.text().to_owned();
            let changed = self.form.set_text(&field.pointer, &text);
            effects.extend(self.changed(changed, cx));
        } else {
            effects.extend(self.look_up(cx));
            self.lay_out(cx);
        }
        effects
    }

    /// Sets an answer and begins with its field anew.
    fn set(&mut self, pointer: &str, value: Value, cx: &Context) -> Vec<Effect> {
        let changed = self.form.set(pointer, value);
        let mut effects = self.changed(changed, cx);
        if self.typing.pointer == pointer
            && let Some(field) = self.focused()
        {
            self.typing = Typing::new(field);
            effects.extend(self.look_up(cx));
        }
        self.lay_out(cx);
        effects
    }

    /// Takes one of several in or out.
    fn toggle(&mut self, field: &Field, value: &Value, cx: &Context) -> Vec<Effect> {
        let mut taken: Vec<Value> = field.value.try_iter().map(Iterator::collect).unwrap_or_default();
        match taken.iter().position(|other| other == value) {
            Some(at) => drop(taken.remove(at)),
            None => taken.push(value.clone()),
        }
        let chosen = self.typing.chosen.filter(|_| !self.typing.is_dirty);
        let effects = self.set(&field.pointer, taken.into_iter().collect(), cx);
        if chosen.is_some() {
            self.typing.chosen = chosen;
            self.lay_out(cx);
        }
        effects
    }

    /// After an answer changed: rows, draft, dry run, and what else it did to other answers.
    fn changed(&mut self, changed: Result<Changed, NoField>, cx: &Context) -> Vec<Effect> {
        let changed = match changed {
            Ok(changed) => changed,
            Err(gone) => return Self::toast(Level::Error, gone.to_string()),
        };
        self.read_fields();
        self.lay_out(cx);
        let mut effects = self.keep_draft(cx);
        effects.extend(tell(&changed));
        effects
    }

    /// Takes what was typed into the focused field; returns the effects and whether the field may be left.
    fn leave(&mut self, cx: &Context) -> (Vec<Effect>, bool) {
        let Some(field) = self.focused().cloned() else { return (Vec::new(), true) };
        let taken = self.typing.taken(&field);
        let (mut effects, may_leave) = match taken {
            Taken::Same => (Vec::new(), true),
            Taken::Value(value) => {
                let changed = self.form.set(&field.pointer, value);
                (self.changed(changed, cx), true)
            }
            Taken::Text(text) => {
                let changed = self.form.set_text(&field.pointer, &text);
                (self.changed(changed, cx), true)
            }
            Taken::Nothing => {
                let changed = self.form.set(&field.pointer, Value::UNDEFINED);
                (self.changed(changed, cx), true)
            }
            // one more of several: the next one may follow
            Taken::Toggled(value) => (self.toggle(&field, &value, cx), false),
        };
        if may_leave {
            self.form.leave(&field.pointer);
            self.read_fields();
            effects.extend(self.look_ahead(cx));
        }
        (effects, may_leave)
    }

    /// Goes to the next field, at the end to the next page.
    fn next(&mut self, cx: &Context) -> Vec<Effect> {
        let (mut effects, may_leave) = self.leave(cx);
        if !may_leave {
            return effects;
        }
        let at = self.fields.iter().position(|field| field.pointer == self.typing.pointer);
        let behind = self.fields.iter().skip(at.map_or(0, |at| at + 1)).find(|field| can_focus(field));
        if let Some(pointer) = behind.map(|field| field.pointer.clone()) {
            effects.extend(self.focus(&pointer, cx));
            self.lay_out(cx);
            return effects;
        }
        effects.extend(self.next_page(cx));
        effects
    }

    /// Goes to the next page when nothing is wrong with this one, else to what is.
    fn next_page(&mut self, cx: &Context) -> Vec<Effect> {
        self.form.check(self.page);
        self.read_fields();
        let wrong: Vec<&Field> = self.fields.iter().filter(|field| field.error.is_some()).collect();
        if let Some(first) = wrong.first() {
            let pointer = first.pointer.clone();
            let count = plural(wrong.len(), "answer");
            let mut effects = self.focus(&pointer, cx);
            self.lay_out(cx);
            effects.extend(Self::toast(Level::Error, format!("{count} missing or wrong on this page")));
            return effects;
        }
        if self.page + 1 >= self.form.pages().len() {
            return self.go_review(cx);
        }
        self.enter_page(self.page + 1, true, cx)
    }

    fn previous(&mut self, cx: &Context) -> Vec<Effect> {
        let (mut effects, _) = self.leave(cx);
        let at = self.fields.iter().position(|field| field.pointer == self.typing.pointer).unwrap_or(0);
        let before = self.fields.iter().take(at).rev().find(|field| can_focus(field));
        if let Some(pointer) = before.map(|field| field.pointer.clone()) {
            effects.extend(self.focus(&pointer, cx));
            self.lay_out(cx);
        } else if self.page > 0 {
            effects.extend(self.enter_page(self.page - 1, false, cx));
        } else {
            self.lay_out(cx);
        }
        effects
    }

    /// One step back: what is being typed into choices, then the page before; the first page is left.
    pub(super) fn page_back(&mut self, cx: &Context) -> Vec<Effect> {
        let is_searching =
            self.typing.is_dirty && !self.typing.choices.is_empty() && self.typing.shows_input();
        let field = self.focused().cloned();
        if let Some(field) = field.filter(|field| is_searching && is_choice(field)) {
            self.typing = Typing::new(&field);
            let effects = self.look_up(cx);
            self.lay_out(cx);
            return effects;
        }
        let (mut effects, _) = self.leave(cx);
        if self.page == 0 {
            if self.keep.is_kept() {
                let text = "the draft is kept; it is offered when this template is opened again";
                effects.extend(Self::toast(Level::Info, text));
            }
            effects.push(Effect::Run(crate::app::commands::id::HISTORY));
            return effects;
        }
        effects.extend(self.enter_page(self.page - 1, true, cx));
        effects
    }

    pub(super) fn go_review(&mut self, cx: &Context) -> Vec<Effect> {
        let (mut effects, _) = self.leave(cx);
        for page in 0..self.form.pages().len() {
            self.form.check(page);
        }
        self.stage = Stage::Review;
        self.review = super::ReviewPage::default();
        effects.extend(self.look_ahead(cx));
        self.show_review(cx);
        effects
    }

    /// Goes to the field of an answer.
    pub(super) fn go_to(&mut self, pointer: &str, cx: &Context) -> Vec<Effect> {
        let pages = self.form.pages().len();
        let is_on = |page: &usize| self.form.fields(*page).iter().any(|field| field.pointer == pointer);
        let gaps = self.form.gaps();
        let of_gap = || gaps.iter().find(|gap| gap.pointer == pointer).map(|gap| gap.page);
        let page = (0..pages).find(is_on).or_else(of_gap).unwrap_or(0);
        let mut effects = self.enter_page(page, true, cx);
        if self.fields.iter().any(|field| field.pointer == pointer) {
            effects = self.focus(pointer, cx);
            self.lay_out(cx);
        }
        effects
    }

    pub(super) fn page_command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            commands::ENTER | commands::NEXT => self.next(cx),
            commands::PREVIOUS => self.previous(cx),
            commands::DOWN | commands::UP => {
                let is_down = command == commands::DOWN;
                if self.typing.step(is_down) {
                    self.lay_out(cx);
                    return Vec::new();
                }
                self.step_field(is_down, cx)
            }
            commands::REVIEW => self.go_review(cx),
            commands::EDITOR => self.edit_text(cx),
            commands::ADD => self.add(cx),
            commands::REMOVE => self.remove(cx),
            commands::ITEM_UP => self.move_item(-1, cx),
            commands::ITEM_DOWN => self.move_item(1, cx),
            _ => Vec::new(),
        }
    }

    /// Moves the focus within the page, where the arrows have no choices to move among.
    fn step_field(&mut self, is_down: bool, cx: &Context) -> Vec<Effect> {
        let at = self.fields.iter().position(|field| field.pointer == self.typing.pointer).unwrap_or(0);
        let other = if is_down {
            self.fields.iter().skip(at + 1).find(|field| can_focus(field))
        } else {
            self.fields.iter().take(at).rev().find(|field| can_focus(field))
        };
        let Some(pointer) = other.map(|field| field.pointer.clone()) else { return Vec::new() };
        let (mut effects, _) = self.leave(cx);
        effects.extend(self.focus(&pointer, cx));
        self.lay_out(cx);
        effects
    }

    /// The list or object that an item can be added to from here: the focused one, else the one around it.
    fn container(&self) -> Option<&Field> {
        let takes = |field: &&Field| {
            matches!(field.widget, Widget::List { can_add: true } | Widget::Object { can_add: true })
        };
        let mut pointer = self.typing.pointer.as_str();
        loop {
            let found = self.fields.iter().find(|field| field.pointer == pointer).filter(takes);
            if found.is_some() {
                return found;
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }

    /// The item of a list, or the entry of an object, that the focus is in.
    fn item(&self) -> Option<&Field> {
        let mut pointer = self.typing.pointer.as_str();
        loop {
            let is_it = |field: &&Field| field.pointer == pointer && field.part != Part::Own;
            if let Some(found) = self.fields.iter().find(is_it) {
                return Some(found);
            }
            pointer = pointer.rsplit_once('/')?.0;
        }
    }

    fn add(&mut self, cx: &Context) -> Vec<Effect> {
        match self.container().map(|field| (field.widget.clone(), field.title.clone())) {
            Some((Widget::Object { .. }, title)) => {
                let text = vec![format!("Name of the new entry of {title}.")];
                vec![Effect::Show(Overlay::prompt("add an entry", text, commands::KEY_NAME))]
            }
            Some(_) => self.add_item(None, cx),
            None => Self::toast(Level::Info, "there is no list here that takes more"),
        }
    }

    /// Adds an item to the list, or an entry under a name to the object, and goes there.
    pub(super) fn add_item(&mut self, key: Option<&str>, cx: &Context) -> Vec<Effect> {
        let Some(container) = self.container().map(|field| field.pointer.clone()) else { return Vec::new() };
        let (mut effects, _) = self.leave(cx);
        let added = match key {
            Some(key) => self.form.add_key(&container, key),
            None => self.form.add_item(&container),
        };
        let (new, changed) = match (added, key) {
            (Ok(added), _) => added,
            (Err(_), Some(key)) => {
                return Self::toast(Level::Error, format!("`{key}` cannot be added: it is there already"));
            }
            (Err(_), None) => return Self::toast(Level::Info, "the list takes no more"),
        };
        effects.extend(self.changed(Ok(changed), cx));
        // an item that has fields of its own begins with its first one
        let is_in = |field: &&Field| field.pointer.starts_with(&new) && can_focus(field);
        if let Some(pointer) = self.fields.iter().find(is_in).map(|field| field.pointer.clone()) {
            effects.extend(self.focus(&pointer, cx));
        }
        self.lay_out(cx);
        effects
    }

    fn remove(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(item) = self.item() else {
            return Self::toast(Level::Info, "this is no item of a list");
        };
        if matches!(item.part, Part::Item { can_remove: false, .. }) {
            return Self::toast(Level::Info, "this item has to stay");
        }
        let pointer = item.pointer.clone();
        let has_answers = self.fields.iter().any(|field| {
            field.pointer.starts_with(&pointer) && !field.widget.is_head() && !field.text.is_empty()
        });
        if !has_answers {
            return self.remove_item(&pointer, cx);
        }
        let text = vec![format!("{} and its answers go.", item.title)];
        let yes = vec![Effect::Choose(commands::REMOVE, pointer)];
        vec![Effect::Show(Overlay::question("remove the item?", text, "remove", yes))]
    }

    pub(super) fn remove_item(&mut self, pointer: &str, cx: &Context) -> Vec<Effect> {
        let changed = self.form.remove_item(pointer);
        let mut effects = self.changed(changed, cx);
        let focus = self.typing.pointer.clone();
        if self.fields.iter().any(|field| field.pointer == focus) {
            effects.extend(self.focus(&focus, cx));
        } else {
            let above = pointer.rsplit_once('/').map_or("", |(above, _)| above).to_owned();
            effects.extend(self.focus(&above, cx));
        }
        self.lay_out(cx);
        effects.extend(self.look_ahead(cx));
        effects
    }

    fn move_item(&mut self, by: isize, cx: &Context) -> Vec<Effect> {
        let Some(item) = self.item().cloned() else {
            return Self::toast(Level::Info, "this is no item of a list");
        };
        let can_move = match item.part {
            Part::Item { can_up, can_down, .. } => {
                if by < 0 {
                    can_up
                } else {
                    can_down
                }
            }
            Part::Own | Part::Entry => false,
        };
        if !can_move {
            return Self::toast(Level::Info, "it cannot be moved that way");
        }
        let (mut effects, _) = self.leave(cx);
        let rest = self.typing.pointer.strip_prefix(&item.pointer).unwrap_or("").to_owned();
        if let Ok((moved, changed)) = self.form.move_item(&item.pointer, by < 0) {
            effects.extend(self.changed(Ok(changed), cx));
            // the focus goes with the item
            effects.extend(self.focus(&format!("{moved}{rest}"), cx));
        }
        self.lay_out(cx);
        effects
    }

    fn edit_text(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(field) = self.focused().cloned() else { return Vec::new() };
        if !matches!(field.widget, Widget::Text { .. } | Widget::Line) || field.is_disabled {
            return Self::toast(Level::Info, "only texts are written in the editor");
        }
        self.editing = Some((field.pointer.clone(), None));
        let order = TemplateOrder::WriteText { name: field.name.clone(), text: field.text };
        let (generation, effect) = Self::order(cx, order);
        self.text_generation = generation;
        vec![effect]
    }

    /// Opens the file that was made for a text.
    pub(super) fn text_ready(&mut self, path: &Result<std::path::PathBuf, String>) -> Vec<Effect> {
        match (path, &mut self.editing) {
            (Ok(path), Some((_, file))) => {
                *file = Some(path.clone());
                vec![Effect::Edit { path: path.display().to_string(), line: 0, column: 0 }]
            }
            (Err(reason), _) => Self::toast(Level::Error, reason.clone()),
            (Ok(_), None) => Vec::new(),
        }
    }

    pub(super) fn editor_closed(&mut self, cx: &Context) -> Vec<Effect> {
        let Some((_, Some(file))) = &self.editing else { return Vec::new() };
        let (generation, effect) = Self::order(cx, TemplateOrder::ReadText(file.clone()));
        self.text_generation = generation;
        vec![effect]
    }

    /// Takes what the editor left.
    pub(super) fn text_read(&mut self, text: &Result<String, String>, cx: &Context) -> Vec<Effect> {
        let Some((pointer, _)) = self.editing.take() else { return Vec::new() };
        let Some(field) = self.fields.iter().find(|field| field.pointer == pointer).cloned() else {
            return Vec::new();
        };
        match text {
            Ok(text) => {
                // editors end files with a line of their own
                let text = text.strip_suffix('\n').unwrap_or(text);
                let is_line = matches!(field.widget, Widget::Line);
                let text = if is_line { text.replace('\n', " ") } else { text.to_owned() };
                let value = if text.is_empty() { Value::UNDEFINED } else { Value::from(text) };
                self.set(&pointer, value, cx)
            }
            Err(reason) => Self::toast(Level::Error, reason.clone()),
        }
    }

    pub(super) fn mouse_on_page(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let (area, _) = self.areas(cx, cx.area);
        let height = usize::from(area.height);
        match mouse.kind {
            MouseKind::ScrollUp => self.lines.scroll(-3, height),
            MouseKind::ScrollDown => self.lines.scroll(3, height),
            MouseKind::Click | MouseKind::DoubleClick => {
                let line = self.lines.line_at(area, mouse.column, mouse.row);
                let Some((at, offer)) = line.and_then(|line| Some((line.field?, line.offer))) else {
                    return Vec::new();
                };
                return self.click(at, offer, mouse.kind == MouseKind::DoubleClick, cx);
            }
        }
        Vec::new()
    }

    fn click(&mut self, at: usize, offer: Option<usize>, is_double: bool, cx: &Context) -> Vec<Effect> {
        let Some(field) = self.fields.get(at).filter(|field| can_focus(field)).cloned() else {
            return Vec::new();
        };
        if let Some(offer) = offer {
            self.typing.choose_shown(offer);
            if let (Some(value), false) = (self.typing.switched(), is_double) {
                return self.toggle(&field, &value, cx);
            }
            if is_double {
                return self.next(cx);
            }
            self.lay_out(cx);
            return Vec::new();
        }
        if field.pointer == self.typing.pointer {
            let is_toggle = matches!(field.widget, Widget::Toggle) && !field.is_disabled;
            return if is_toggle {
                self.set(&field.pointer, Value::from(!field.value.is_true()), cx)
            } else {
                Vec::new()
            };
        }
        let (mut effects, _) = self.leave(cx);
        effects.extend(self.focus(&field.pointer, cx));
        self.lay_out(cx);
        effects
    }

    /// Makes the lines of the page anew.
    pub(super) fn lay_out(&mut self, cx: &Context) {
        let (area, _) = self.areas(cx, cx.area);
        let shown: Vec<Shown> = self.fields.iter().map(|field| self.shown(field)).collect();
        let before = self.lines.offset;
        self.lines = PageLines::new(cx, self.intro(usize::from(area.width)), &shown, area, before);
    }

    /// What stands above the fields: the page's description, what is to be known of the form.
    fn intro(&self, width: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let room = width.saturating_sub(4).clamp(10, 100);
        let mut add = |text: &str, role: Role| {
            lines.extend(wrap(text, room).into_iter().map(|part| vec![span(format!("  {part}"), role)]));
        };
        if let Some(page) = self.form.pages().get(self.page) {
            add(&page.description, Role::Dim);
        }
        for note in self.keep.notes() {
            add(note, Role::Warn);
        }
        if self.fields.is_empty() {
            add("This page asks nothing with these answers.", Role::Dim);
        }
        if !lines.is_empty() {
            lines.push(Line::new());
        }
        lines
    }

    fn shown(&self, field: &Field) -> Shown {
        let is_focused = field.pointer == self.typing.pointer;
        let (offers, chosen, more) =
            if is_focused { self.typing.offers(field) } else { (Vec::new(), None, 0) };
        let is_typed = is_focused && self.typing.shows_input() && !field.is_disabled;
        let is_secret = matches!(field.widget, Widget::Secret);
        let typed = self.typing.input.text();
        let bullets = |text: &str| "•".repeat(text.chars().count().min(64));
        let text = match (is_typed, is_secret) {
            (true, true) if self.typing.is_dirty => bullets(typed),
            (_, true) => bullets(&field.text),
            (true, false) if !typed.is_empty() || self.typing.is_dirty => typed.to_owned(),
            _ => words_of(field),
        };
        let before = self.typing.input.before_cursor();
        let before = if is_secret { bullets(before) } else { before.to_owned() };
        let can_type = is_focused && self.typing.has_line() && (is_typed || text.is_empty());
        let mut note = field.note.clone().unwrap_or_default();
        if is_focused && self.typing.is_pending && self.typing.choices.is_empty() {
            "looking in the catalog; you may go on without it".clone_into(&mut note);
        } else if is_focused && !self.typing.failure.is_empty() {
            note = format!("{}; you may type it", self.typing.failure);
        }
        let mut help = vec![field.description.clone(), field.help.clone()];
        help.extend(self.hint(field).map(str::to_owned));
        Shown {
            title: field.title.clone(),
            is_required: field.is_required,
            depth: usize::from(field.depth),
            look: look(field),
            placeholder: if field.is_disabled { String::new() } else { placeholder(field, is_focused) },
            text,
            rule: field.rule.clone(),
            help,
            error: field.error.clone().unwrap_or_default(),
            note,
            offers,
            chosen,
            more,
            cursor: can_type.then(|| crate::model::text::width(&before)),
            is_focused,
        }
    }

    /// What can be done with the focused field beside typing.
    fn hint(&self, field: &Field) -> Option<&'static str> {
        match &field.widget {
            Widget::List { can_add: true } => Some("ctrl-n or + adds an item"),
            Widget::Object { can_add: true } => Some("ctrl-n or + adds an entry"),
            Widget::Text { .. } if field.text.contains('\n') => Some("ctrl-o changes the text in $EDITOR"),
            Widget::Text { .. } => Some("ctrl-o opens $EDITOR for longer texts"),
            Widget::Toggle => Some("space switches"),
            Widget::Several { .. } => Some("space takes or leaves; typing narrows"),
            Widget::Picker { is_multiple: true, .. } => {
                Some("space takes or leaves; enter takes what is typed")
            }
            Widget::Picker { is_free: true, .. }
                if self.typing.is_dirty && !self.typing.choices.is_empty() =>
            {
                Some("arrows choose, enter takes what is typed")
            }
            _ => None,
        }
    }

    pub(super) fn can_on_page(&self, command: CommandId) -> Availability {
        let field = self.focused();
        match command {
            commands::EDITOR => match field {
                Some(Field { widget: Widget::Text { .. } | Widget::Line, is_disabled: false, .. }) => {
                    Availability::Available
                }
                _ => Availability::no("only texts are written in the editor"),
            },
            commands::ADD if self.container().is_none() => Availability::no("there is no list here"),
            commands::REMOVE | commands::ITEM_UP | commands::ITEM_DOWN if self.item().is_none() => {
                Availability::no("this is no item of a list")
            }
            commands::CREATE => Availability::no("the review comes first"),
            _ => Availability::Available,
        }
    }
}

/// Returns whether a row can have the focus: what is only shown is passed over.
pub(super) fn can_focus(field: &Field) -> bool {
    match field.widget {
        Widget::Note | Widget::Repo => false,
        Widget::Object { can_add } => can_add,
        Widget::List { .. } => true,
        _ => !field.is_disabled,
    }
}

fn is_choice(field: &Field) -> bool {
    matches!(field.widget, Widget::Choice { .. } | Widget::Several { .. } | Widget::Picker { .. })
}

fn look(field: &Field) -> Look {
    match &field.widget {
        Widget::Object { .. } | Widget::List { .. } | Widget::Repo | Widget::Note => Look::Group,
        _ if field.is_disabled => Look::Fixed,
        Widget::Toggle => Look::Toggle(field.value.is_true()),
        Widget::Text { .. } => Look::Long,
        Widget::Choice { .. } | Widget::Several { .. } | Widget::Picker { .. } => Look::Choice,
        Widget::Line | Widget::Secret | Widget::Number { .. } => Look::Text,
    }
}

/// Returns what stands in the box of a field that is not typed into: labels instead of values.
fn words_of(field: &Field) -> String {
    match &field.widget {
        Widget::Choice { choices, .. } => {
            let chosen = choices.iter().find(|choice| choice.value == field.value);
            chosen.map_or_else(|| field.text.clone(), |choice| choice.label.clone())
        }
        Widget::Several { choices } => {
            let values: Vec<Value> = field.value.try_iter().map(Iterator::collect).unwrap_or_default();
            let label = |value: &Value| {
                let chosen = choices.iter().find(|choice| choice.value == *value);
                chosen.map_or_else(|| value.to_string(), |choice| choice.label.clone())
            };
            values.iter().map(label).collect::<Vec<_>>().join(", ")
        }
        Widget::Picker { is_multiple: true, .. } => {
            let values: Vec<Value> = field.value.try_iter().map(Iterator::collect).unwrap_or_default();
            let name = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            values.iter().map(name).collect::<Vec<_>>().join(", ")
        }
        Widget::List { .. } => {
            let items = field.value.len().unwrap_or(0);
            if items == 0 { "empty".to_owned() } else { plural(items, "item") }
        }
        Widget::Object { .. } | Widget::Note => String::new(),
        _ => field.text.clone(),
    }
}

fn placeholder(field: &Field, is_focused: bool) -> String {
    if !field.placeholder.is_empty() {
        return field.placeholder.clone();
    }
    match (&field.widget, is_focused) {
        (Widget::Choice { .. } | Widget::Several { .. } | Widget::Picker { .. }, false) => {
            "choose".to_owned()
        }
        _ => String::new(),
    }
}

/// Tells what an answer did to others.
fn tell(changed: &Changed) -> Vec<Effect> {
    let names = |told: &[Told]| {
        let names: Vec<&str> = told.iter().take(3).map(|told| told.title.as_str()).collect();
        let more = if told.len() > 3 { format!(" and {} more", told.len() - 3) } else { String::new() };
        format!("{}{more}", names.join(", "))
    };
    let mut parts = Vec::new();
    if !changed.dropped.is_empty() {
        parts.push(format!("not asked any more: {}", names(&changed.dropped)));
    }
    if !changed.restored.is_empty() {
        parts.push(format!("back with their answers: {}", names(&changed.restored)));
    }
    if !changed.invalid.is_empty() {
        parts.push(format!("does not fit any more: {}", names(&changed.invalid)));
    }
    if parts.is_empty() { Vec::new() } else { vec![Effect::Toast(Level::Info, parts.join(" · "))] }
}
