//! The application core: state, events, effects, the command table. No terminal, no socket, no file.
//!
//! [`App::update`] is the only entry: it takes an [`Event`], changes the state and returns the
//! [`Effect`]s for the face to carry out. An event goes to the overlay on top if there is one, else to
//! a focused text input, else through the keymap to a command: the application's own or the pane's.

pub mod backend;
pub mod commands;
pub mod context;
pub mod day_two;
pub mod docs;
pub mod entity_list;
pub mod event;
pub mod help;
pub mod input;
pub mod keymap;
pub mod line_input;
pub mod list;
pub mod object_commands;
pub mod overlay;
pub mod palette;
pub mod pane;
pub mod place;
pub mod subject;
mod subject_commands;
pub mod templates;

pub use context::Context;
pub use event::{Effect, Event};

use crate::catalog::refresh::{Order, Phase, SourceStatus};
use crate::kubernetes;
use commands::{Availability, CommandId, CommandSpec, id};
use context::{Configured, Loading, MESSAGES, Visit};
use event::{Level, Memory, TaskEvent, Timer};
use input::{Key, Mouse, MouseKind};
use jiff::Timestamp;
use keymap::Keymap;
use overlay::{Outcome, Overlay, OverlayKind};
use pane::{Input, Pane};
use place::Place;
use ratatui::layout::Rect;
use std::sync::Arc;
use std::time::Duration;

/// How long a short message stays.
const TOAST: Duration = Duration::from_secs(5);
/// How long the second `ctrl-c` may take.
const INTERRUPT: Duration = Duration::from_secs(2);
/// How long loading may take before the slow source is named.
const SLOW: Duration = Duration::from_secs(1);
/// Places kept to go back to.
const HISTORY: usize = 50;
/// Rounds of effects that may cause effects; more is a loop in the table.
const ROUNDS: usize = 16;

/// The whole state; drawn by `ui`, changed only by [`App::update`].
pub struct App {
    /// What every pane may read.
    pub cx: Context,
    /// Overlays, the last on top.
    pub overlays: Vec<Overlay>,
    /// The short message on screen.
    pub toast: Option<(Level, String)>,
    /// Panes, the last on screen; never empty.
    places: Vec<Box<dyn Pane>>,
    /// The pane left last by going back.
    left: Option<Box<dyn Pane>>,
    undo: Vec<String>,
    acts: object_commands::Acts,
    palette_lines: Vec<String>,
    is_interrupted: bool,
    is_mouse_on: bool,
    /// Whether the first snapshot is there and the place asked for at start has been opened on it.
    waiting: Option<String>,
    should_draw: bool,
    /// Value and origin of the settings that were changed in this session only.
    configured: std::collections::BTreeMap<&'static str, (String, String)>,
}

impl App {
    /// Creates the application at a place line; an empty line is the first pane of the registry.
    ///
    /// The line is opened when the first snapshot is there, since it may name an entity.
    pub fn new(cx: Context, line: &str) -> Self {
        let mut app = Self {
            cx,
            overlays: Vec::new(),
            toast: None,
            places: Vec::new(),
            left: None,
            undo: Vec::new(),
            acts: object_commands::Acts::default(),
            palette_lines: Vec::new(),
            is_interrupted: false,
            is_mouse_on: true,
            waiting: (!line.is_empty()).then(|| line.to_owned()),
            should_draw: true,
            configured: std::collections::BTreeMap::new(),
        };
        if let Some(first) = app.cx.panes.first().and_then(|spec| (spec.open)("", &app.cx).ok()) {
            app.places.push(first);
        }
        // a place that needs no entity is there from the first frame on
        let place = palette::read_place(line, &app.cx);
        let spec = place.as_ref().and_then(|place| app.cx.panes.iter().find(|spec| spec.id == place.pane));
        if let (Some(place), Some(spec)) = (&place, spec)
            && let Ok(pane) = (spec.open)(&place.argument, &app.cx)
        {
            app.waiting = None;
            if app.pane().is_none_or(|first| first.place() != *place) {
                app.places.push(pane);
            }
        }
        app
    }

    /// Returns the effects of starting: loading, timers.
    pub fn start(&mut self, is_mouse_on: bool) -> Vec<Effect> {
        self.is_mouse_on = is_mouse_on;
        self.cx.loading = Some(Loading::default());
        let minute = Effect::Timer(Timer::Minute, Duration::from_secs(60));
        vec![Effect::Load, Effect::Timer(Timer::SlowLoad, SLOW), minute]
    }

    /// Returns the pane on screen.
    pub fn pane(&self) -> Option<&dyn Pane> {
        self.places.last().map(AsRef::as_ref)
    }

    /// Returns whether the first snapshot is still awaited.
    pub fn is_starting(&self) -> bool {
        self.cx.loaded_at.is_none()
    }

    /// Returns whether something on screen may have changed since the last call.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.should_draw)
    }

    /// Takes an event, changes the state, returns what the face has to do.
    pub fn update(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        self.cx.now = now;
        let first = match event {
            Event::Key(key) => self.press(key),
            Event::Line(line) => palette::carry_out(&line, None, &self.cx),
            Event::Paste(text) => self.paste(&text),
            Event::Mouse(mouse) => self.mouse(mouse),
            Event::Run(command) => self.run(command),
            Event::Row { row, is_chosen } => self.overlay_row(row, is_chosen),
            Event::Resize(width, height) => self.resize(width, height),
            Event::Focus(_) => return Vec::new(),
            Event::Timer(timer) => self.timer(timer),
            Event::Task(task) => self.task(&task),
        };
        self.should_draw = true;
        self.carry_out(first)
    }

    /// Returns every row that applies now, nearest first.
    pub fn rows(&self) -> Vec<&'static CommandSpec> {
        let Some(pane) = self.pane() else { return Vec::new() };
        let groups = pane.groups().iter().flat_map(|group| group.rows());
        let places = self.cx.panes.iter().filter_map(|spec| spec.go.as_ref());
        pane.spec().commands.iter().chain(groups).chain(places).chain(commands::GLOBAL).collect()
    }

    /// Returns whether the place on screen has something of its own to read again.
    pub fn reads_own(&self) -> bool {
        self.pane().is_some_and(|pane| !pane.refresh_orders(&self.cx).is_empty())
    }

    /// Returns whether a command can run here and now, permission included.
    pub fn availability(&self, row: &CommandSpec) -> Availability {
        if let Some(permission) = row.permission {
            use crate::permissions::Decision;
            if let Decision::Deny { reason } = self.cx.policy.decide(&self.cx.me.principal, permission, None)
            {
                return Availability::Disabled(reason);
            }
        }
        let Some(pane) = self.pane() else { return Availability::Available };
        match self.subject_availability(row.id).or_else(|| self.object_availability(row.id)) {
            Some(availability) => availability,
            None => match row.id {
                id::UNDO if self.undo.is_empty() => Availability::no("nothing to undo"),
                id::LAST if self.left.is_none() && self.places.len() < 2 => {
                    Availability::no("no other place yet")
                }
                command => pane.availability(command, &self.cx),
            },
        }
    }

    /// Returns the first key that runs a command here; one that a nearer command takes is none.
    pub fn key(&self, command: CommandId) -> Option<String> {
        let pane = self.pane()?;
        let runs = |key: &&Key| self.cx.keymap.find(pane.spec().id, pane.groups(), **key) == Some(command);
        self.cx.keymap.keys(command).iter().find(runs).map(ToString::to_string)
    }

    fn carry_out(&mut self, first: Vec<Effect>) -> Vec<Effect> {
        let mut out = Vec::new();
        let mut queue = first;
        for _ in 0..ROUNDS {
            if queue.is_empty() {
                break;
            }
            for effect in std::mem::take(&mut queue) {
                match effect {
                    Effect::Open(place) => queue.extend(self.open(&place)),
                    Effect::Run(command) => queue.extend(self.run(command)),
                    Effect::Toast(level, text) => queue.extend(self.say(level, text)),
                    Effect::Show(overlay) => self.overlays.push(overlay),
                    Effect::Choose(command, choice) => {
                        let effects = match self.object_choice(command, &choice) {
                            Some(effects) => effects,
                            None => self.tell(Input::Choice(command, &choice)),
                        };
                        queue.extend(effects);
                    }
                    Effect::Star(entities) => queue.extend(self.star(entities)),
                    Effect::Set(key, value) => queue.extend(self.set(key, &value)),
                    Effect::Remember(memory) => {
                        self.note(&memory);
                        out.push(Effect::Remember(memory));
                    }
                    Effect::Quit => {
                        let memory = self.pane().and_then(|pane| pane.memory(&self.cx));
                        out.extend(memory.map(Effect::Remember));
                        out.push(Effect::Quit);
                    }
                    effect => out.push(effect),
                }
            }
        }
        out
    }

    fn tell(&mut self, input: Input<'_>) -> Vec<Effect> {
        self.places.last_mut().map(|pane| pane.update(input, &self.cx)).unwrap_or_default()
    }

    fn press(&mut self, key: Key) -> Vec<Effect> {
        if self.cx.keymap.find("", &[], key) == Some(id::INTERRUPT) {
            return self.interrupt();
        }
        self.is_interrupted = false;
        if !self.overlays.is_empty() {
            return self.overlay_key(key);
        }
        let Some(pane) = self.places.last_mut() else { return vec![Effect::Quit] };
        if pane.is_typing() {
            if let Some(effects) = pane.key(key, &self.cx) {
                return effects;
            }
            if key.typed().is_some() {
                return Vec::new();
            }
        }
        match self.cx.keymap.find(pane.spec().id, pane.groups(), key) {
            Some(command) => self.run(command),
            None => Vec::new(),
        }
    }

    fn overlay_key(&mut self, key: Key) -> Vec<Effect> {
        let height = self.overlay_height();
        let Some(overlay) = self.overlays.last_mut() else { return Vec::new() };
        let outcome = overlay.key(key, height);
        self.overlay_outcome(outcome)
    }

    fn overlay_row(&mut self, row: usize, is_chosen: bool) -> Vec<Effect> {
        let height = self.overlay_height();
        let Some(overlay) = self.overlays.last_mut() else { return Vec::new() };
        overlay.list.select(row, overlay.shown.len(), height);
        let is_preview = overlay.is_preview;
        let outcome = if is_chosen { overlay.choose() } else { Outcome::Stay(Vec::new()) };
        match overlay.focused().map(|item| item.effects.clone()) {
            Some(effects) if is_preview && !is_chosen => effects,
            _ => self.overlay_outcome(outcome),
        }
    }

    fn overlay_outcome(&mut self, outcome: Outcome) -> Vec<Effect> {
        let Some(overlay) = self.overlays.last_mut() else { return Vec::new() };
        match outcome {
            Outcome::Stay(effects) => effects,
            Outcome::Close(effects) => {
                self.overlays.pop();
                effects
            }
            Outcome::Typed if overlay.kind == OverlayKind::Palette => palette::typed(overlay, &self.cx),
            Outcome::Typed => Vec::new(),
            Outcome::Line(line) if let OverlayKind::Prompt(command) = overlay.kind => {
                self.overlays.pop();
                vec![Effect::Choose(command, line)]
            }
            Outcome::Line(line) => {
                let chosen = overlay.focused().map(|item| item.effects.clone());
                self.overlays.pop();
                self.palette_lines.retain(|old| *old != line);
                self.palette_lines.insert(0, line.clone());
                if self.is_starting() && chosen.is_none() && palette::read_line(&line, &self.cx).is_none() {
                    let said = format!("`{line}` opens when the catalog is there");
                    self.waiting = Some(line);
                    return self.say(Level::Info, said);
                }
                palette::carry_out(&line, chosen, &self.cx)
            }
        }
    }

    /// Rows an overlay shows at most: the screen without frame, title and input.
    pub fn overlay_height(&self) -> usize {
        usize::from(self.cx.area.height.saturating_sub(4)).clamp(1, 40)
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        match self.overlays.last_mut() {
            Some(overlay) => {
                overlay.paste(text);
                if overlay.kind == OverlayKind::Palette {
                    palette::typed(overlay, &self.cx)
                } else {
                    Vec::new()
                }
            }
            None => self.tell(Input::Paste(text)),
        }
    }

    fn mouse(&mut self, mouse: Mouse) -> Vec<Effect> {
        let height = self.overlay_height();
        if let Some(overlay) = self.overlays.last_mut() {
            match mouse.kind {
                MouseKind::ScrollUp => overlay.list.scroll(-3, overlay.shown.len(), height),
                MouseKind::ScrollDown => overlay.list.scroll(3, overlay.shown.len(), height),
                MouseKind::Click | MouseKind::DoubleClick => {}
            }
            return Vec::new();
        }
        let area = self.cx.area;
        let is_inside = area.contains((mouse.column, mouse.row).into());
        if is_inside { self.tell(Input::Mouse(mouse)) } else { Vec::new() }
    }

    fn resize(&mut self, width: u16, height: u16) -> Vec<Effect> {
        self.cx.area = Rect::new(0, 1.min(height), width, height.saturating_sub(2));
        self.tell(Input::Shown)
    }

    fn timer(&mut self, timer: Timer) -> Vec<Effect> {
        match timer {
            Timer::Toast => self.toast = None,
            Timer::Interrupt => self.is_interrupted = false,
            Timer::SlowLoad => {
                if let Some(loading) = &mut self.cx.loading {
                    loading.slow = true;
                }
            }
            Timer::Minute => return vec![Effect::Timer(Timer::Minute, Duration::from_secs(60))],
        }
        Vec::new()
    }

    fn task(&mut self, task: &TaskEvent) -> Vec<Effect> {
        match task {
            TaskEvent::LoadProgress { files, entities, source } => {
                if let Some(loading) = &mut self.cx.loading {
                    (loading.files, loading.entities) = (*files, *entities);
                    loading.source.clone_from(source);
                }
                Vec::new()
            }
            TaskEvent::Loaded { catalog, me } => {
                self.cx.catalog = catalog.0.clone();
                self.cx.me = me.clone();
                self.cx.loaded_at = Some(self.cx.now);
                // where sources are refreshed, they say when they are done
                if self.cx.sources.is_empty() {
                    self.cx.loading = None;
                }
                for pane in &mut self.places {
                    pane.update(Input::CatalogChanged, &self.cx);
                }
                let mut effects = self.tell(Input::Shown);
                effects.extend(self.open_waiting());
                effects.push(Effect::Kubernetes(kubernetes::Order::Catalog(catalog.0.clone())));
                effects
            }
            TaskEvent::Sources(sources) => self.sources(sources),
            TaskEvent::Configured(configured) => self.configure(configured),
            TaskEvent::Picked { generation, refs } => {
                if let Some(overlay) = self.overlays.last_mut().filter(|o| o.generation == *generation) {
                    palette::answer(overlay, refs, &self.cx);
                }
                Vec::new()
            }
            TaskEvent::ThemeLoaded(theme) => {
                self.cx.theme = theme.clone();
                Vec::new()
            }
            TaskEvent::Registrable { source, target, plan } => {
                vec![Effect::Show(backend::plan(source, target, plan))]
            }
            TaskEvent::Done(text) => self.say(Level::Ok, text.clone()),
            TaskEvent::Failed(text) => self.say(Level::Error, text.clone()),
            TaskEvent::SettingSaved { key, value, origin, said } => {
                let mut effects = self.set(key, value);
                self.configured.remove(key);
                if let Some(setting) = self.cx.settings.iter_mut().find(|setting| setting.key == *key) {
                    setting.origin.clone_from(origin);
                }
                effects.extend(self.say(Level::Ok, said.clone()));
                effects.extend(self.tell(Input::Shown));
                effects
            }
            TaskEvent::EditorClosed => {
                let mut effects = vec![Effect::Sources(Order::RefreshLocal), Effect::Repaint];
                effects.extend(self.tell(Input::Task(task)));
                effects
            }
            TaskEvent::Kubernetes(state) => {
                self.cx.kubernetes = state.0.clone();
                // thirty times a second is too often for what nobody sees; others read it when they are shown
                self.tell(Input::Task(task))
            }
            TaskEvent::Cluster { generation, result } => {
                self.object_answer(*generation, result).unwrap_or_else(|| self.tell_all(task))
            }
            // an answer may belong to a pane that is not on top; each knows its own generation
            TaskEvent::Filtered { .. }
            | TaskEvent::SourceRead { .. }
            | TaskEvent::Revisions { .. }
            | TaskEvent::Docs { .. }
            | TaskEvent::ObjectsListed { .. }
            | TaskEvent::LogsOpened { .. }
            | TaskEvent::LogsAdvanced
            | TaskEvent::LogsFound { .. }
            | TaskEvent::LogsRead { .. }
            | TaskEvent::Template { .. } => self.tell_all(task),
        }
    }

    /// Opens the place asked for at start, as soon as it is there; says why not when all is read.
    fn open_waiting(&mut self) -> Vec<Effect> {
        let is_there = self.waiting.as_ref().is_some_and(|line| palette::read_line(line, &self.cx).is_some());
        if self.cx.loading.is_some() && !is_there {
            return Vec::new();
        }
        let line = self.waiting.take();
        line.map(|line| palette::carry_out(&line, None, &self.cx)).unwrap_or_default()
    }

    /// Takes in the configuration after one of its files changed; what was set for this session stays set.
    fn configure(&mut self, configured: &Configured) -> Vec<Effect> {
        let before = (self.cx.settings.clone(), self.cx.theme.clone(), self.cx.config_diagnostics.clone());
        let lines = (self.cx.user_keys.clone(), self.cx.views.clone(), self.cx.aliases.clone());
        let value = |key: &&'static str| {
            self.cx
                .settings
                .iter()
                .find(|setting| setting.key == *key)
                .map(|setting| (*key, setting.value.clone()))
        };
        let of_session: Vec<(&'static str, String)> = self.configured.keys().filter_map(value).collect();
        self.configured.clear();
        self.cx.configure(configured.clone());
        let mut effects: Vec<Effect> =
            of_session.into_iter().flat_map(|(key, value)| self.set(key, &value)).collect();
        let cx = &self.cx;
        let wrong = cx.config_diagnostics.iter().find(|diagnostic| !before.2.contains(diagnostic)).cloned();
        let is_same = before == (cx.settings.clone(), cx.theme.clone(), cx.config_diagnostics.clone())
            && lines == (cx.user_keys.clone(), cx.views.clone(), cx.aliases.clone());
        match wrong {
            Some(diagnostic) => {
                let place = diagnostic.location.as_ref().map(|at| format!("{at}: ")).unwrap_or_default();
                effects.extend(
                    self.say(Level::Error, format!("{place}{}; what was good stays", diagnostic.message)),
                );
            }
            // this program wrote the file itself
            None if is_same => return effects,
            None => {
                effects
                    .extend(self.say(Level::Ok, "settings changed on disk and were read again".to_owned()));
            }
        }
        effects.extend(self.tell(Input::Shown));
        effects
    }

    /// Takes in what the sources do; loading goes on until each was read, well or badly.
    fn sources(&mut self, sources: &Arc<[SourceStatus]>) -> Vec<Effect> {
        self.cx.sources = sources.clone();
        let is_done = sources.iter().all(|source| source.phase == Phase::Idle);
        if is_done {
            self.cx.loading = None;
        } else if let Some(loading) = &mut self.cx.loading {
            let busy = || sources.iter().filter(|source| source.is_reading());
            loading.files = busy().filter_map(|source| source.amount).map(|amount| amount.done).sum();
            loading.source = busy().map(SourceStatus::doing).next().unwrap_or_default();
        }
        let mut effects = if is_done { self.open_waiting() } else { Vec::new() };
        effects.extend(self.tell_all(&TaskEvent::Sources(sources.clone())));
        effects
    }

    fn tell_all(&mut self, task: &TaskEvent) -> Vec<Effect> {
        self.places.iter_mut().flat_map(|pane| pane.update(Input::Task(task), &self.cx)).collect()
    }

    fn say(&mut self, level: Level, text: String) -> Vec<Effect> {
        if self.cx.messages.len() >= MESSAGES {
            self.cx.messages.pop_front();
        }
        self.cx.messages.push_back((self.cx.now, level, text.clone()));
        self.toast = Some((level, text));
        vec![Effect::Timer(Timer::Toast, TOAST)]
    }

    fn interrupt(&mut self) -> Vec<Effect> {
        if std::mem::replace(&mut self.is_interrupted, true) {
            return vec![Effect::Quit];
        }
        self.overlays.clear();
        let stops = self.places.last_mut().and_then(|pane| pane.interrupt(&self.cx));
        let mut effects = self.say(Level::Info, "ctrl-c again quits".to_owned());
        effects.extend(stops.unwrap_or_default());
        effects.push(Effect::Timer(Timer::Interrupt, INTERRUPT));
        effects
    }

    /// Runs a command if it applies, is allowed and is available; says why not otherwise.
    fn run(&mut self, command: CommandId) -> Vec<Effect> {
        let Some(row) = self.rows().into_iter().find(|row| row.id == command) else { return Vec::new() };
        if let Availability::Disabled(reason) = self.availability(row) {
            return self.say(Level::Info, format!("{}: {reason}", row.title));
        }
        if let Some(spec) = self.cx.panes.iter().find(|spec| spec.go.is_some_and(|go| go.id == command)) {
            return self.open(&Place::new(spec.id));
        }
        match command {
            id::HELP => vec![Effect::Show(help::overlay(self))],
            id::PALETTE => vec![Effect::Show(palette::overlay(self))],
            id::BACK => self.back(),
            id::CLOSE => self.close(),
            id::QUIT => vec![Effect::Quit],
            id::INTERRUPT => self.interrupt(),
            id::LAST => self.last_place(),
            id::HISTORY => self.go_back(),
            id::RECENT => vec![Effect::Show(self.recent())],
            id::REFRESH => self.refresh_place(),
            id::REFRESH_ALL => self.refresh(),
            id::TASKS => vec![Effect::Show(help::tasks(&self.cx))],
            id::MESSAGES => vec![Effect::Show(help::messages(&self.cx))],
            id::THEME => vec![Effect::Show(help::themes(&self.cx))],
            id::UNDO => self.undo_star(),
            id::MOUSE => {
                self.is_mouse_on = !self.is_mouse_on;
                let word = if self.is_mouse_on { "on" } else { "off: select text with the mouse" };
                vec![Effect::Mouse(self.is_mouse_on), Effect::Toast(Level::Info, format!("mouse {word}"))]
            }
            id::REPAINT => vec![Effect::Repaint],
            id::SUSPEND => vec![Effect::Suspend],
            _ => match self.subject_command(command).or_else(|| self.object_command(command)) {
                Some(effects) => effects,
                None => self.tell(Input::Command(command)),
            },
        }
    }

    fn refresh_place(&mut self) -> Vec<Effect> {
        let orders = self.pane().map(|pane| pane.refresh_orders(&self.cx)).unwrap_or_default();
        if orders.is_empty() { self.refresh() } else { orders.into_iter().map(Effect::Sources).collect() }
    }

    fn refresh(&mut self) -> Vec<Effect> {
        if self.cx.loading.is_some() {
            return self.say(Level::Info, "already reading the sources".to_owned());
        }
        self.cx.loading = Some(Loading::default());
        vec![Effect::Sources(Order::RefreshAll), Effect::Timer(Timer::SlowLoad, SLOW)]
    }

    fn open(&mut self, place: &Place) -> Vec<Effect> {
        if self.pane().is_some_and(|pane| pane.place() == *place) {
            return Vec::new();
        }
        let Some(spec) = self.cx.panes.iter().find(|spec| spec.id == place.pane) else { return Vec::new() };
        // a place without an argument that is still open is come back to, with its filter and cursor
        let open = self.places.iter().position(|p| p.spec().id == place.pane && place.argument.is_empty());
        let pane = match open {
            Some(at) => self.places.remove(at),
            None => match (spec.open)(&place.argument, &self.cx) {
                Ok(pane) => pane,
                Err(reason) => return self.say(Level::Error, reason),
            },
        };
        let left = self.pane().and_then(|pane| pane.memory(&self.cx));
        self.left = None;
        self.places.push(pane);
        if self.places.len() > HISTORY {
            self.places.remove(1);
        }
        let mut effects = vec![Effect::Remember(Memory::Visit(place.to_string()))];
        effects.extend(left.map(Effect::Remember));
        self.visit(&place.to_string());
        effects.extend(self.tell(Input::Shown));
        effects
    }

    fn visit(&mut self, line: &str) {
        let at = self.cx.recent.iter().position(|visit| visit.place == line);
        let mut visit = match at {
            Some(at) => self.cx.recent.remove(at),
            None => Visit { place: line.to_owned(), count: 0 },
        };
        visit.count += 1;
        self.cx.recent.insert(0, visit);
    }

    fn back(&mut self) -> Vec<Effect> {
        let step = self.places.last_mut().and_then(|pane| pane.step_back(&self.cx));
        step.unwrap_or_else(|| self.go_back())
    }

    fn go_back(&mut self) -> Vec<Effect> {
        if self.places.len() < 2 {
            return Vec::new();
        }
        let left = self.pane().and_then(|pane| pane.memory(&self.cx));
        self.left = self.places.pop();
        let mut effects: Vec<Effect> = left.map(Effect::Remember).into_iter().collect();
        effects.extend(self.tell(Input::Shown));
        effects
    }

    /// Takes in what is about to be remembered, so that panes know it at once.
    fn note(&mut self, memory: &Memory) {
        let now = self.cx.now.as_second();
        match memory {
            Memory::Position { entity, page, line } => self.cx.reading.stop_at(entity, page, *line, now),
            Memory::Bookmark { bookmark, is_set } => self.cx.reading.mark(bookmark, *is_set),
            Memory::Star { .. } | Memory::Visit(_) | Memory::View { .. } => {}
        }
    }

    fn close(&mut self) -> Vec<Effect> {
        if self.places.len() < 2 { vec![Effect::Quit] } else { self.go_back() }
    }

    fn last_place(&mut self) -> Vec<Effect> {
        match self.left.take() {
            Some(pane) => {
                self.places.push(pane);
                self.tell(Input::Shown)
            }
            None => self.go_back(),
        }
    }

    fn recent(&self) -> Overlay {
        let items = self.cx.recent.iter().take(100).filter_map(|visit| {
            let effects = palette::read_line(&visit.place, &self.cx)?;
            Some(overlay::Item::new(&visit.place, effects).detail(format!("{} visits", visit.count)))
        });
        Overlay::new(OverlayKind::Menu, "recent places", overlay::Mode::Typing, items.collect())
    }

    fn star(&mut self, entities: Vec<String>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for entity in &entities {
            let starred = !self.cx.stars.remove(entity);
            if starred {
                self.cx.stars.insert(entity.clone());
            }
            effects.push(Effect::Remember(Memory::Star { entity: entity.clone(), starred }));
        }
        let undo = self.cx.key(id::UNDO);
        let text = match entities.as_slice() {
            [one] if self.cx.stars.contains(one) => format!("starred {one} · {undo} undoes"),
            [one] => format!("unstarred {one} · {undo} undoes"),
            many => format!("changed {} stars · {undo} undoes", many.len()),
        };
        self.undo = entities;
        effects.extend(self.say(Level::Ok, text));
        effects.extend(self.tell(Input::Shown));
        effects
    }

    fn undo_star(&mut self) -> Vec<Effect> {
        let entities = std::mem::take(&mut self.undo);
        let effects = self.star(entities);
        self.undo.clear();
        effects
    }

    fn set(&mut self, key: &'static str, value: &str) -> Vec<Effect> {
        let Some(setting) = self.cx.settings.iter_mut().find(|setting| setting.key == key) else {
            return Vec::new();
        };
        if setting.value != value {
            let before = std::mem::replace(&mut setting.value, value.to_owned());
            let origin = std::mem::replace(&mut setting.origin, "this session".to_owned());
            // back to what is configured: a preview that was left, or a change taken back
            let configured = self.configured.entry(key).or_insert((before, origin));
            if configured.0 == value {
                setting.origin.clone_from(&configured.1);
                self.configured.remove(key);
            }
        }
        match key {
            "ui.ascii" => self.cx.ascii = value == "true",
            "ui.mouse" => {
                self.is_mouse_on = value == "true";
                return vec![Effect::Mouse(self.is_mouse_on)];
            }
            "keymap.preset" => self.cx.keymap = Keymap::build(self.cx.panes, value, &self.cx.user_keys).0,
            "theme" => return vec![Effect::LoadTheme(value.to_owned())],
            _ => {}
        }
        Vec::new()
    }
}
