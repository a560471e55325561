//! What happens to the pane: commands, keys of the search line, answers from the pool, new lines.

use super::commands as c;
use super::detail::Detail;
use super::line::{self, Look};
use super::scan::Scan;
use super::view::{Columns, Regions, regions};
use super::window::{Ground, Store, Window};
use super::words;
use super::{Jump, LogsPane, Reach, TimeForm};
use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::app::event::{Effect, Level, Shared, TaskEvent};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::overlay::{Item, Overlay};
use crate::app::pane::Input;
use crate::kubernetes::logs::{self, Line, LineId, LineKind, Query, Request, Save, without_colours};
use crate::ui::widgets::Panel;
use std::ops::Range;
use std::sync::Arc;

/// Most lines that are copied at once; more is what saving is for.
const MAX_COPIED: usize = 20_000;
/// Cells of a step sideways.
const SIDEWAYS: usize = 8;
/// Rows of a turn of the wheel.
const WHEEL: isize = 3;

impl LogsPane {
    pub(super) fn take(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                let mut effects = if self.is_asked { Vec::new() } else { self.open(cx) };
                effects.extend(self.refresh(cx));
                effects
            }
            Input::CatalogChanged => Vec::new(),
            Input::Command(command) => self.command(command, cx),
            Input::Choice(c::SOURCES, choice) => {
                self.sources.choose(choice);
                self.look_again(cx)
            }
            Input::Choice(id::SAVE_TEXT, choice) => self.save(choice, cx),
            Input::Choice(c::COPY_WHAT, choice) => self.copy(choice, cx),
            Input::Choice(..) => Vec::new(),
            Input::Paste(text) => {
                if self.search.is_typing {
                    self.search.input.paste(text);
                    self.search.read();
                    return self.look_again(cx);
                }
                Vec::new()
            }
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Task(task) => self.task(task, cx),
        }
    }

    fn task(&mut self, task: &TaskEvent, cx: &Context) -> Vec<Effect> {
        match task {
            TaskEvent::LogsOpened { generation, stream } if *generation == self.generation => {
                self.store = Some(Store::new(stream.0.clone()));
                self.look_again(cx)
            }
            TaskEvent::LogsAdvanced if self.store.is_some() => self.refresh(cx),
            TaskEvent::LogsFound { generation, ids, .. } => {
                let scans = [&mut self.found, &mut self.shown, &mut self.errors];
                let is_ours = scans.into_iter().flatten().any(|scan| scan.answer(*generation, ids));
                if is_ours { self.refresh(cx) } else { Vec::new() }
            }
            TaskEvent::LogsRead { generation, ids, lines } => {
                let is_ours = self.store.as_mut().is_some_and(|store| store.answer(*generation, ids, lines));
                if is_ours { self.refresh(cx) } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    /// Asks for the stream that target and reach name; the screen begins at its end.
    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        self.is_asked = true;
        self.generation = cx.next_generation();
        self.store = None;
        self.status = logs::Status::default();
        self.sources.show_all();
        self.sources.renew(&Arc::default());
        self.window = Window::following();
        (self.anchor, self.detail, self.jump, self.before_filter) = (None, None, None, None);
        (self.found, self.shown, self.errors) = (None, None, None);
        self.has_json = false;
        let request = Request {
            of: self.target.of.clone(),
            clusters: Vec::new(),
            containers: self.target.container.iter().cloned().collect(),
            is_previous: self.target.is_previous,
            is_following: !self.target.is_previous,
            since: self.reach.since(),
            tail: self.reach.tail(),
        };
        vec![Effect::OpenLogs { generation: self.generation, request }]
    }

    /// Returns the lines that can be read at all.
    pub(super) fn readable(&self) -> Range<LineId> {
        self.status.first.min(self.status.lines.start)..self.status.lines.end
    }

    pub(super) fn regions(&self, cx: &Context) -> Regions {
        regions(cx.area, self.detail.is_some(), self.search.is_typing)
    }

    /// Returns the cells of the columns before the text.
    pub(super) fn columns(&self, width: usize) -> Columns {
        let tag = self.sources.tag_width().min(width / 4);
        let time = words::time_width(self.time, width, self.has_dates);
        let all = Columns { time, tag };
        // the text matters most
        if all.before() * 2 > width { Columns { time: 0, tag } } else { all }
    }

    /// Returns what rows are made of.
    pub(super) fn ground(&self, cx: &Context) -> Ground<'_> {
        let area = self.regions(cx).lines.unwrap_or(cx.area);
        let width = usize::from(area.width);
        let columns = self.columns(width);
        let search = self.search.pattern.as_ref().filter(|pattern| !pattern.is_negated);
        let look = Look {
            json: self.json,
            has_colours: self.has_colours && cx.theme.name != "mono",
            is_ascii: cx.ascii,
            width: width.saturating_sub(columns.before()).max(1),
            is_wrapped: self.is_wrapped,
            column: self.column,
            search: search.map(|pattern| &pattern.regex),
            wants_time: false,
        };
        Ground {
            lines: self.readable(),
            has_lost: self.status.lost > 0,
            filter: self.shown.as_ref(),
            sources: &self.sources,
            look,
            width: width.saturating_sub(2).max(1),
            height: usize::from(area.height),
        }
    }

    /// Does something with the window, which needs everything else to be looked at meanwhile.
    fn with_window(&mut self, act: impl FnOnce(&mut Window, &Ground<'_>, &mut Store), cx: &Context) {
        let Some(mut store) = self.store.take() else { return };
        let mut window = std::mem::take(&mut self.window);
        act(&mut window, &self.ground(cx), &mut store);
        (self.window, self.store) = (window, Some(store));
    }

    /// Looks at the stream and makes the screen anew; asks for what searches and the screen still need.
    pub(super) fn refresh(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(store) = &self.store else { return Vec::new() };
        let stream = store.stream.clone();
        self.status = stream.status();
        self.sources.renew(&self.status.sources);
        let range = self.readable();
        let is_settling = self.is_settling;
        self.with_window(
            |window, ground, store| {
                let was_shown = window.shows_focus();
                window.fill(ground, store);
                // less room than before, or other lines: the focused one stays in sight
                let is_lost = was_shown && !window.shows_focus();
                if (is_settling || is_lost) && !window.is_following {
                    window.centre(ground, store);
                }
            },
            cx,
        );
        self.is_settling &= self.shown.as_ref().is_some_and(|scan| !scan.is_complete(&range));
        self.notice(cx);
        let scans = [&mut self.found, &mut self.shown, &mut self.errors];
        let mut effects: Vec<Effect> =
            scans.into_iter().flatten().filter_map(|scan| scan.ask(&stream, &range)).collect();
        if let Some(jump) = self.jump.take() {
            effects.extend(self.jump(jump, cx));
        }
        let memory = self.status.lines.start;
        effects.extend(self.store.as_mut().and_then(|store| store.ask(&range, memory, cx)));
        self.renew_detail(cx);
        effects
    }

    /// Learns from what is on screen what columns and title need.
    fn notice(&mut self, cx: &Context) {
        let is_json = |line: &Line| line.kind == LineKind::Text { is_json: true };
        let rows = &self.window.rows;
        self.has_json |= rows.iter().any(|row| is_json(&row.line));
        let times = rows.iter().filter_map(|row| row.line.time);
        let has_dates = times.into_iter().any(|time| words::is_other_day(time, cx.now));
        if std::mem::replace(&mut self.has_dates, has_dates) != has_dates {
            self.with_window(Window::fill, cx);
        }
    }

    /// Begins the searches anew: what is looked for or hidden has changed.
    fn look_again(&mut self, cx: &Context) -> Vec<Effect> {
        if let Some(store) = &self.store {
            self.status = store.stream.status();
            self.sources.renew(&self.status.sources);
        }
        let hidden = self.sources.hidden();
        let pattern = self.search.pattern.as_ref();
        let of_pattern = || Query {
            pattern: pattern.map(|pattern| pattern.regex.clone()),
            is_negated: pattern.is_some_and(|pattern| pattern.is_negated),
            hidden: hidden.clone(),
            ..Query::default()
        };
        let is_only = self.search.is_only && pattern.is_some();
        let shown = (is_only || !hidden.is_empty()).then(|| {
            let query =
                if is_only { of_pattern() } else { Query { hidden: hidden.clone(), ..Query::default() } };
            Query { keeps_notes: true, ..query }
        });
        let found = pattern.map(|_| of_pattern());
        // what is on screen is looked at first
        let range = self.readable();
        let at = self.window.top().clamp(range.start, range.end);
        renew(&mut self.found, found, at, cx);
        if renew(&mut self.shown, shown, at, cx) {
            self.errors = None;
            self.keep_place();
        }
        self.refresh(cx)
    }

    /// Remembers the place before lines are hidden; goes back to it afterwards, unless the user went elsewhere.
    fn keep_place(&mut self) {
        if self.shown.is_some() {
            if self.before_filter.is_none() {
                self.before_filter = Some((self.window.place(), self.window.cursor));
            }
            self.is_settling = true;
        } else if let Some((top, cursor)) = self.before_filter.take() {
            if cursor == self.window.cursor {
                self.window.go_to_place(top);
            } else {
                self.is_settling = true;
            }
        }
    }

    fn pause(&mut self) {
        if std::mem::replace(&mut self.window.is_following, false) {
            self.paused_at = self.status.lines.end;
        }
    }

    fn follow(&mut self, cx: &Context) {
        (self.window.is_following, self.is_settling, self.anchor) = (true, false, None);
        self.with_window(Window::fill, cx);
    }

    /// Moves: pauses, and what happens next is the user's.
    fn go(&mut self, act: impl FnOnce(&mut Window, &Ground<'_>, &mut Store), cx: &Context) -> Vec<Effect> {
        if self.window.rows.is_empty() {
            return Vec::new();
        }
        self.pause();
        self.is_settling = false;
        self.with_window(act, cx);
        // a line that was moved to may be on disk
        self.refresh(cx)
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        if let Some(reach) = Reach::of(command) {
            self.reach = reach;
            return self.open(cx);
        }
        if let Some(effects) = self.scroll_detail(command, cx) {
            return effects;
        }
        let height = self.ground(cx).height.max(1);
        let page = height.saturating_sub(1).max(1) as isize;
        let half = (height / 2).max(1) as isize;
        match command {
            id::DOWN => self.go(|window, ground, store| window.step(true, ground, store), cx),
            id::UP => self.go(|window, ground, store| window.step(false, ground, store), cx),
            id::HALF_DOWN => self.scroll(half, cx),
            id::HALF_UP => self.scroll(-half, cx),
            id::PAGE_DOWN | id::TEXT_PAGE_DOWN => self.scroll(page, cx),
            id::PAGE_UP | id::TEXT_PAGE_UP => self.scroll(-page, cx),
            id::TOP => self.go(Window::go_to_top, cx),
            id::BOTTOM if self.anchor.is_some() => {
                let last = self.ground(cx).last();
                self.go(|window, ground, store| window.go_to(last.unwrap_or(0), ground, store), cx)
            }
            id::BOTTOM => {
                self.follow(cx);
                self.refresh(cx)
            }
            c::FOLLOW => {
                if self.window.is_following {
                    self.pause();
                } else {
                    self.follow(cx);
                }
                self.refresh(cx)
            }
            id::LEFT => self.sideways(self.column.saturating_sub(SIDEWAYS), cx),
            id::RIGHT => self.sideways(self.column + SIDEWAYS, cx),
            id::WRAP => {
                (self.is_wrapped, self.column) = (!self.is_wrapped, 0);
                self.refresh(cx)
            }
            id::SEARCH => {
                self.search.is_only = false;
                self.search.open();
                self.look_again(cx)
            }
            id::NEXT => self.jump(Jump { is_error: false, is_next: true }, cx),
            id::PREVIOUS => self.jump(Jump { is_error: false, is_next: false }, cx),
            c::NEXT_ERROR => self.jump(Jump { is_error: true, is_next: true }, cx),
            c::PREVIOUS_ERROR => self.jump(Jump { is_error: true, is_next: false }, cx),
            c::ONLY => self.toggle_only(cx),
            _ => self.other(command, cx),
        }
    }

    fn other(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            c::OPEN => {
                self.toggle_detail(cx);
                self.refresh(cx)
            }
            c::TIME => {
                self.time = match self.time {
                    TimeForm::Off => TimeForm::Absolute,
                    TimeForm::Absolute => TimeForm::Relative,
                    TimeForm::Relative => TimeForm::Off,
                };
                let said = match self.time {
                    TimeForm::Off => "times are off",
                    TimeForm::Absolute => "times of day, UTC",
                    TimeForm::Relative => "times relative to the focused line",
                };
                self.told(said, cx)
            }
            c::JSON => {
                self.json = self.json.next();
                self.told(words::json_words(self.json), cx)
            }
            c::COLOURS => {
                self.has_colours = !self.has_colours;
                self.told(
                    if self.has_colours {
                        "colours of the log are kept"
                    } else {
                        "colours of the log are left out"
                    },
                    cx,
                )
            }
            c::SOURCES => vec![Effect::Show(self.sources.menu(cx))],
            c::PREVIOUS => {
                self.target.is_previous = !self.target.is_previous;
                self.argument = self.target.to_argument(cx);
                self.open(cx)
            }
            c::REOPEN => self.open(cx),
            c::SELECT => {
                if self.anchor.take().is_none() {
                    self.pause();
                    self.anchor = self.window.focus;
                }
                self.refresh(cx)
            }
            c::MARKER => self.mark(cx),
            c::COPY => self.copy("text", cx),
            c::COPY_WHAT => vec![Effect::Show(self.copy_menu())],
            id::SAVE_TEXT => vec![Effect::Show(self.save_menu())],
            _ => Vec::new(),
        }
    }

    fn told(&mut self, said: &str, cx: &Context) -> Vec<Effect> {
        let mut effects = self.refresh(cx);
        effects.push(Effect::Toast(Level::Info, said.to_owned()));
        effects
    }

    fn scroll(&mut self, rows: isize, cx: &Context) -> Vec<Effect> {
        self.go(|window, ground, store| window.scroll(rows, ground, store), cx)
    }

    /// Scrolls sideways, as far as the longest line on screen goes.
    fn sideways(&mut self, column: usize, cx: &Context) -> Vec<Effect> {
        let is_there_more =
            self.window.rows.iter().any(|row| row.pieces.iter().any(|(text, _)| !text.is_empty()));
        if column < self.column || is_there_more {
            self.column = column;
        }
        self.refresh(cx)
    }

    fn toggle_only(&mut self, cx: &Context) -> Vec<Effect> {
        if self.search.pattern.is_none() {
            self.search.is_only = true;
            self.search.open();
        } else {
            self.search.is_only = !self.search.is_only;
        }
        self.look_again(cx)
    }

    /// Goes to a match or an error; waits for the search while it has not looked far enough.
    fn jump(&mut self, jump: Jump, cx: &Context) -> Vec<Effect> {
        let Some(store) = &self.store else { return Vec::new() };
        let (stream, range) = (store.stream.clone(), self.readable());
        if jump.is_error && self.errors.is_none() {
            let pattern = self.search.pattern.as_ref().filter(|_| self.search.is_only);
            let query = Query {
                pattern: pattern.map(|pattern| pattern.regex.clone()),
                is_negated: pattern.is_some_and(|pattern| pattern.is_negated),
                hidden: self.sources.hidden(),
                level: Some(logs::Level::Error),
                keeps_notes: false,
            };
            self.errors = Some(Scan::new(query, self.window.top().clamp(range.start, range.end), cx));
        }
        let scan = if jump.is_error { &mut self.errors } else { &mut self.found };
        let Some(scan) = scan else { return Vec::new() };
        let asked = scan.ask(&stream, &range);
        let is_complete = scan.is_complete(&range);
        let cursor = self.window.focus.unwrap_or(self.window.cursor);
        // from the end there is nothing but what came before
        let found = match (self.window.is_following, jump.is_next) {
            (true, _) => scan.ends().map(|(_, last)| last),
            (false, true) => scan.next(cursor),
            (false, false) => scan.previous(cursor),
        };
        let what = if jump.is_error { "error" } else { "match" };
        let around = scan.ends().map(|(first, last)| if jump.is_next { first } else { last });
        let mut effects: Vec<Effect> = asked.into_iter().collect();
        let (goal, said) = match (found, around) {
            (Some(found), _) => (found, None),
            _ if !is_complete => {
                self.jump = Some(jump);
                return effects;
            }
            (None, Some(around)) => {
                let end = if jump.is_next { "first" } else { "last" };
                (around, Some(format!("no {what} further on: this is the {end}")))
            }
            (None, None) => {
                effects.push(Effect::Toast(Level::Info, format!("there is no {what}")));
                return effects;
            }
        };
        effects.extend(said.map(|said| Effect::Toast(Level::Info, said)));
        effects.extend(self.go(|window, ground, store| window.go_to(goal, ground, store), cx));
        effects
    }

    /// Puts a marker behind the newest line.
    fn mark(&mut self, cx: &Context) -> Vec<Effect> {
        if let Some(store) = &self.store {
            store.stream.push(Line {
                source: u16::MAX,
                time: Some(cx.now),
                level: logs::Level::None,
                text: "marker".into(),
                kind: LineKind::Marker,
            });
        }
        self.refresh(cx)
    }

    /// Returns first and last selected line.
    pub(super) fn selection(&self) -> Option<(LineId, LineId)> {
        let (anchor, focus) = (self.anchor?, self.window.focus?);
        Some((anchor.min(focus), anchor.max(focus)))
    }

    /// Returns the selected lines that are shown, else the focused one.
    fn chosen(&self, cx: &Context) -> Vec<(LineId, Arc<Line>)> {
        let Some(store) = &self.store else { return Vec::new() };
        let Some((first, last)) = self.selection().or(self.window.focus.map(|id| (id, id))) else {
            return Vec::new();
        };
        let ids = self.ground(cx).after(first, MAX_COPIED);
        let ids: Vec<LineId> = ids.into_iter().take_while(|id| *id <= last).collect();
        let mut lines = Vec::with_capacity(ids.len());
        for run in ids.chunk_by(|a, b| a + 1 == *b) {
            let (Some(from), Some(to)) = (run.first(), run.last()) else { continue };
            let held = run.iter().filter_map(|id| Some((*id, store.line(*id)?.clone())));
            let kept = store.stream.lines(*from..to + 1);
            if kept.len() == run.len() { lines.extend(kept) } else { lines.extend(held) }
        }
        lines
    }

    fn copy(&mut self, form: &str, cx: &Context) -> Vec<Effect> {
        if form == "command" {
            let text = self.target.command();
            return vec![Effect::Copy { what: "command".to_owned(), text }];
        }
        let lines = self.chosen(cx);
        let written = |(_, line): &(LineId, Arc<Line>)| self.written(line, form);
        let text: Vec<String> = lines.iter().map(written).collect();
        let what = if lines.len() == 1 { "line".to_owned() } else { format!("{} lines", lines.len()) };
        self.anchor = None;
        let mut effects = self.refresh(cx);
        if !text.is_empty() {
            effects.push(Effect::Copy { what, text: text.join("\n") });
        }
        effects
    }

    fn written(&self, line: &Line, form: &str) -> String {
        let text = without_colours(&line.text);
        let source = self.sources.get(line.source);
        match form {
            "origin" => {
                let time = line.time.map(|time| format!("{time:.3} ")).unwrap_or_default();
                let tag = source.map(|s| format!("{}/{} ", s.pod.name, s.container)).unwrap_or_default();
                format!("{time}{tag}{text}")
            }
            "JSON" => {
                let value = serde_json::json!({
                    "time": line.time.map(|time| time.to_string()),
                    "cluster": source.map(|s| &*s.pod.cluster),
                    "namespace": source.map(|s| &*s.pod.namespace),
                    "pod": source.map(|s| &*s.pod.name),
                    "container": source.map(|s| &*s.container),
                    "level": line::level_word(line.level).map(|(word, _)| word.to_lowercase()),
                    "text": text,
                });
                value.to_string()
            }
            _ => text.into_owned(),
        }
    }

    fn copy_menu(&self) -> Overlay {
        let choose = |form: &str| vec![Effect::Choose(c::COPY_WHAT, form.to_owned())];
        let what = if self.anchor.is_some() { "the selected lines" } else { "the focused line" };
        let items = vec![
            Item::new("text", choose("text")).letter('t').detail(what),
            Item::new("with time and pod", choose("origin")).letter('w').detail(what),
            Item::new("JSON", choose("JSON")).letter('o').detail("an object per line"),
            Item::new("command", choose("command")).letter('c').detail(self.target.command()),
        ];
        Overlay::menu("copy what?", items)
    }

    fn save_menu(&self) -> Overlay {
        let choose = |what: &str| vec![Effect::Choose(id::SAVE_TEXT, what.to_owned())];
        let mut items = Vec::new();
        if self.anchor.is_some() {
            items.push(Item::new("selected as text", choose("selected text")).letter('s'));
            items.push(Item::new("selected as JSON", choose("selected json")).letter('S'));
        }
        let shown = if self.shown.is_some() {
            "the lines that are not hidden"
        } else {
            "nothing is hidden: every line"
        };
        items.extend([
            Item::new("shown as text", choose("shown text")).letter('t').detail(shown),
            Item::new("shown as JSON", choose("shown json")).letter('o').detail(shown),
            Item::new("all as text", choose("all text")).letter('T').detail("hidden ones too"),
            Item::new("all as JSON", choose("all json")).letter('O').detail("hidden ones too"),
        ]);
        Overlay::menu("save what?", items)
    }

    fn save(&mut self, choice: &str, cx: &Context) -> Vec<Effect> {
        let Some(store) = &self.store else { return Vec::new() };
        let (what, form) = choice.split_once(' ').unwrap_or((choice, "text"));
        let is_json = form == "json";
        let readable = self.readable();
        let (ids, query) = match (what, self.selection()) {
            ("selected", Some((first, last))) => (first..last + 1, self.shown.as_ref()),
            ("all", _) => (readable, None),
            _ => (readable, self.shown.as_ref()),
        };
        let query = query.map(|scan| scan.query().clone());
        let stamp = cx.now.strftime("%Y%m%d-%H%M%S");
        let name = self.target.name().replace([' ', ':'], "-");
        let name = format!("logs-{name}-{stamp}.{}", if is_json { "json" } else { "log" });
        let save = Save { ids, query, is_json, has_colours: self.has_colours && !is_json };
        let stream = Shared(store.stream.clone());
        vec![Effect::SaveLogs { stream, name, save }]
    }

    fn toggle_detail(&mut self, cx: &Context) {
        if self.detail.take().is_some() {
            return;
        }
        self.pause();
        if let Some(focus) = self.window.focus {
            self.detail = Some(Detail { id: focus, rows: Vec::new(), offset: 0, width: 0 });
        }
        self.renew_detail(cx);
    }

    /// Lays out the line in full again when another line is focused, or the width has changed.
    fn renew_detail(&mut self, cx: &Context) {
        let (Some(detail), Some(focus)) = (&self.detail, self.window.focus) else { return };
        let Some(area) = self.regions(cx).detail else { return };
        let width = usize::from(Panel::inner(area).width.saturating_sub(2)).max(1);
        if detail.id == focus && detail.width == width {
            return;
        }
        let offset = if detail.id == focus { detail.offset } else { 0 };
        let line = self.store.as_ref().and_then(|store| store.line(focus)).cloned();
        let Some(line) = line else { return };
        let search = self.search.pattern.as_ref().map(|pattern| &pattern.regex);
        let made = Detail::new(focus, &line, &self.sources, search, width, cx);
        self.detail = Some(Detail { offset, ..made });
    }

    /// Scrolls the line in full where it hides the list; otherwise the keys belong to the list.
    fn scroll_detail(&mut self, command: CommandId, cx: &Context) -> Option<Vec<Effect>> {
        let regions = self.regions(cx);
        let height = usize::from(Panel::inner(regions.detail?).height);
        let command = match command {
            id::PREVIEW_DOWN => id::DOWN,
            id::PREVIEW_UP => id::UP,
            command if regions.lines.is_none() => command,
            _ => return None,
        };
        self.detail.as_mut()?.command(command, height).then(Vec::new)
    }

    pub(super) fn search_key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        if !self.search.is_typing {
            return None;
        }
        match key.code {
            KeyCode::Enter => {
                self.search.finish();
                let mut effects = self.look_again(cx);
                // the place of the user is where the next match is; while following, the newest lines stay
                if !self.window.is_following && !self.search.is_only && !self.is_on_match() {
                    effects.extend(self.jump(Jump { is_error: false, is_next: true }, cx));
                }
                return Some(effects);
            }
            KeyCode::Esc => {
                self.search.clear();
            }
            KeyCode::Up => self.search.walk(true),
            KeyCode::Down => self.search.walk(false),
            _ if self.search.input.key(key) => self.search.read(),
            _ => return None,
        }
        Some(self.look_again(cx))
    }

    fn is_on_match(&self) -> bool {
        let focus = self.window.focus;
        self.found.as_ref().is_none_or(|found| focus.is_some_and(|focus| found.has(focus)))
    }

    pub(super) fn back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        if self.detail.take().is_some() || self.anchor.take().is_some() {
            return Some(self.refresh(cx));
        }
        if self.search.is_only && self.search.pattern.is_some() {
            self.search.is_only = false;
        } else if !self.search.clear() {
            return None;
        }
        Some(self.look_again(cx))
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let regions = self.regions(cx);
        let is_in = |area: ratatui::layout::Rect| area.contains((mouse.column, mouse.row).into());
        let by = match mouse.kind {
            MouseKind::ScrollUp => -WHEEL,
            MouseKind::ScrollDown => WHEEL,
            MouseKind::Click | MouseKind::DoubleClick => 0,
        };
        if let (Some(area), Some(detail)) = (regions.detail.filter(|area| is_in(*area)), &mut self.detail) {
            let last = detail.rows.len().saturating_sub(usize::from(Panel::inner(area).height));
            detail.offset = detail.offset.saturating_add_signed(by).min(last);
            return Vec::new();
        }
        let Some(area) = regions.lines.filter(|area| is_in(*area)) else { return Vec::new() };
        if by != 0 {
            // at the end the wheel goes on following
            if by > 0 && self.window.is_following {
                return Vec::new();
            }
            return self.scroll(by, cx);
        }
        let Some(row) = self.window.rows.get(usize::from(mouse.row - area.y)) else { return Vec::new() };
        let line = row.id;
        let mut effects = self.go(|window, ground, store| window.go_to(line, ground, store), cx);
        if mouse.kind == MouseKind::DoubleClick && self.detail.is_none() {
            effects.extend(self.command(c::OPEN, cx));
        }
        effects
    }
}

/// Begins a search anew when it looks for something else; returns whether it did.
fn renew(scan: &mut Option<Scan>, query: Option<Query>, at: LineId, cx: &Context) -> bool {
    if scan.as_ref().map(Scan::query) == query.as_ref() {
        return false;
    }
    *scan = query.map(|query| Scan::new(query, at, cx));
    true
}
