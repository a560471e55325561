//! Settings: every value with its origin, what it does, and the exact line that keeps it.
//!
//! `enter` changes a value for this session; nothing is written until `save to config` is chosen and
//! its question, which names file and line, is answered with yes. Also here: who I am, the files of
//! the configuration, and what is wrong in them.

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, CommandSpec, Group, id};
use crate::app::context::Setting;
use crate::app::event::{Effect, Level};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::keymap::Keymap;
use crate::app::line_input::LineInput;
use crate::app::overlay::{Item, Overlay};
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::Place;
use crate::app::subject::Subject;
use crate::config::setting;
use crate::config::theme::Role;
use crate::diagnostic::Diagnostic;
use crate::ui::text::{Line, paint, put, put_line, span, wrap};
use crate::ui::theme::{Sign, style};
use crate::ui::widgets::{Panel, SectionList, Sections};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Opens the settings.
const GO: CommandSpec = CommandSpec::new(
    CommandId("go.settings"),
    "settings",
    "Values with their origin; change, save, reset",
    &["9"],
    0,
);
const SAVE: CommandId = CommandId("settings.save");
const RESET: CommandId = CommandId("settings.reset");

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: "settings",
    title: "Settings",
    help: "Values with their origin; change, save, reset",
    aliases: &["config", "options"],
    go: Some(GO),
    permission: None,
    commands: &[
        CommandSpec::new(SAVE, "save to config", "Write this value into your config.toml; asks", &["s"], 10),
        CommandSpec {
            danger: true,
            ..CommandSpec::new(
                RESET,
                "reset",
                "Go back to the value without your config.toml; asks",
                &["D"],
                12,
            )
        },
    ],
    groups: &[Group::Subject, Group::Regions, Group::Move],
    open: |argument, cx| Ok(Box::new(SettingsPane::new(argument, cx))),
};

/// Columns from which the detail stands beside the list; below it stands under the list.
const SPLIT: u16 = 100;
/// Rows of the detail under the list, and the least height that has room for it.
const STRIP: u16 = 8;
const TALL: u16 = 16;
/// What a change in this session is called; [`crate::app::App`] sets it.
const SESSION: &str = "this session";
/// Settings that take effect as soon as they change. The others are read at the start.
const LIVE: [&str; 4] = ["theme", "ui.ascii", "ui.mouse", "keymap.preset"];

/// What a row stands for.
#[derive(Debug, Clone, PartialEq)]
enum Entry {
    Me,
    /// Index in the context's settings.
    Setting(usize),
    /// Index in the context's configuration files.
    File(usize),
    Problem(Box<Diagnostic>),
}

/// A value being typed.
struct Typing {
    input: LineInput,
    mistake: Option<String>,
}

/// State of the pane.
struct SettingsPane {
    list: SectionList,
    entries: Vec<Entry>,
    typing: Option<Typing>,
    /// Whether the detail alone is shown.
    is_detail_only: bool,
    is_list_only: bool,
    offset: usize,
    /// Key that the place line asks for, until it was found.
    wanted: Option<String>,
}

impl SettingsPane {
    fn new(key: &str, cx: &Context) -> Self {
        let mut pane = Self {
            list: SectionList::default(),
            entries: Vec::new(),
            typing: None,
            is_detail_only: false,
            is_list_only: false,
            offset: 0,
            wanted: (!key.is_empty()).then(|| key.to_owned()),
        };
        pane.rebuild(cx);
        pane
    }

    /// Areas of list and detail.
    fn areas(&self, area: Rect) -> (Option<Rect>, Option<Rect>) {
        if self.is_detail_only {
            return (None, Some(area));
        }
        if self.is_list_only {
            return (Some(area), None);
        }
        if area.width >= SPLIT {
            let list = area.width * 55 / 100;
            let detail = Rect { x: area.x + list, width: area.width - list, ..area };
            return (Some(Rect { width: list, ..area }), Some(detail));
        }
        if area.height >= TALL {
            let list = area.height - STRIP;
            let detail = Rect { y: area.y + list, height: STRIP, ..area };
            return (Some(Rect { height: list, ..area }), Some(detail));
        }
        (Some(area), None)
    }

    fn list_area(&self, area: Rect) -> Rect {
        let list = self.areas(area).0.unwrap_or(area);
        if area.width >= SPLIT { Panel::inner(list) } else { list }
    }

    fn height(&self, cx: &Context) -> usize {
        usize::from(self.list_area(cx.area).height)
    }

    fn rebuild(&mut self, cx: &Context) {
        let (mut sections, mut entries) = (Sections::default(), Vec::new());
        sections.heading("You", "");
        let who = cx
            .me
            .principal
            .user
            .clone()
            .unwrap_or_else(|| format!("{} nobody knows who you are", Sign::Unknown.text(cx)));
        let note = vec![span(cx.me.origin.as_str(), Role::Dim)];
        sections.row("me", vec![span(who, Role::Text)], note);
        entries.push(Entry::Me);
        let mut group = "";
        for (at, setting) in cx.settings.iter().enumerate() {
            let own = setting.key.split_once('.').map_or("general", |(group, _)| group);
            if own != group {
                sections.heading(group_title(own), "");
                group = own;
            }
            sections.row(setting.key, setting_line(setting), vec![origin(setting)]);
            entries.push(Entry::Setting(at));
        }
        if !cx.config_files.is_empty() {
            sections.heading("Files", "");
        }
        for (at, file) in cx.config_files.iter().enumerate() {
            let line = vec![
                span(format!("{:<9}", file.what), Role::Dim),
                span(file.path.as_str(), if file.is_found { Role::Text } else { Role::Dim }),
            ];
            let note = if file.is_found { Vec::new() } else { vec![span("not there", Role::Dim)] };
            sections.row(format!("file {}", file.what), line, note);
            entries.push(Entry::File(at));
        }
        let problems = problems(cx);
        if !problems.is_empty() {
            sections.heading("Problems", problems.len().to_string());
        }
        for (at, problem) in problems.into_iter().enumerate() {
            let sign = if problem.is_error() { Sign::Error } else { Sign::Warn };
            let line = vec![
                span(format!("{} ", sign.text(cx)), sign.role()),
                span(problem.message.as_str(), Role::Text),
            ];
            sections.row(format!("problem {at}"), line, Vec::new());
            entries.push(Entry::Problem(Box::new(problem)));
        }
        let height = self.height(cx);
        self.list.set(sections, height);
        self.entries = entries;
        if let Some(key) = self.wanted.take() {
            self.list.select_key(&key, height);
        }
    }

    fn focused(&self) -> Option<&Entry> {
        self.entries.get(self.list.cursor()?)
    }

    fn setting<'a>(&self, cx: &'a Context) -> Option<&'a Setting> {
        match self.focused()? {
            Entry::Setting(at) => cx.settings.get(*at),
            _ => None,
        }
    }

    fn open(&mut self, cx: &Context) -> Vec<Effect> {
        match self.focused() {
            Some(Entry::Me) => {
                if let Some(user) = &cx.me.principal.user {
                    return vec![Effect::Open(Place::entity(user))];
                }
                self.list.select_key(setting::USER.key, self.height(cx));
                Vec::new()
            }
            Some(Entry::Setting(at)) => match cx.settings.get(*at) {
                Some(setting) => self.change(setting),
                None => Vec::new(),
            },
            Some(Entry::File(_)) => vec![Effect::Run(id::EDIT)],
            Some(Entry::Problem(problem)) => match Subject::diagnostic(cx, problem).source {
                Some(Ok(_)) => vec![Effect::Run(id::EDIT)],
                Some(Err(reason)) => vec![Effect::Toast(Level::Info, reason)],
                None => vec![Effect::Toast(Level::Info, "it is in no file".to_owned())],
            },
            None => Vec::new(),
        }
    }

    fn change(&mut self, setting: &Setting) -> Vec<Effect> {
        if setting.choices.is_empty() {
            if is_by_hand(setting.key) {
                let text = format!("{} is written by hand: edit the file", setting.key);
                return vec![Effect::Toast(Level::Info, text)];
            }
            self.typing = Some(Typing { input: LineInput::new(setting.value.as_str()), mistake: None });
            return Vec::new();
        }
        let set = |value: &str| vec![Effect::Set(setting.key, value.to_owned())];
        let is_live = LIVE.contains(&setting.key);
        let items = setting.choices.iter().map(|choice| {
            Item::new(choice, set(choice)).detail(if *choice == setting.value { "now" } else { "" })
        });
        let mut overlay = Overlay::menu(setting.key, items.collect());
        overlay.list.cursor = setting.choices.iter().position(|c| *c == setting.value).unwrap_or(0);
        overlay.is_preview = is_live;
        overlay.cancel = if is_live { set(&setting.value) } else { Vec::new() };
        vec![Effect::Show(overlay)]
    }

    /// Takes the typed value if the setting can read it.
    fn accept(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(setting) = self.setting(cx) else {
            self.typing = None;
            return Vec::new();
        };
        let Some(typing) = &mut self.typing else { return Vec::new() };
        let text = typing.input.text().trim().to_owned();
        if let Some(Err(bad)) = setting::find(setting.key).map(|row| row.parse(&text)) {
            typing.mistake = Some(format!("{}: {}", bad.label, bad.hint));
            return Vec::new();
        }
        self.typing = None;
        vec![Effect::Set(setting.key, text)]
    }

    /// Asks whether to write the value, naming the file and the line.
    fn ask_to_save(&self, cx: &Context) -> Vec<Effect> {
        let Some(setting) = self.setting(cx) else { return Vec::new() };
        let file = config_file(cx);
        let text =
            vec![line_of(setting), format!("into {file}"), "comments and order of the file stay".to_owned()];
        let save = Effect::SaveSetting { key: setting.key, value: Some(setting.value.clone()) };
        vec![Effect::Show(Overlay::question(format!("save {}?", setting.key), text, "save", vec![save]))]
    }

    /// Asks whether to take the value out of the file, or back for this session.
    fn ask_to_reset(&self, cx: &Context) -> Vec<Effect> {
        let Some(setting) = self.setting(cx) else { return Vec::new() };
        let built_in = setting::find(setting.key).map(|row| row.built_in().to_text()).unwrap_or_default();
        let shown = if built_in.is_empty() { "nothing".to_owned() } else { format!("`{built_in}`") };
        let file = config_file(cx);
        let is_in_file = setting.origin.starts_with(&file);
        let mut text = vec![format!("from `{}` ({}) to {shown}", setting.value, setting.origin)];
        let mut effects = vec![Effect::Set(setting.key, built_in)];
        if is_in_file {
            text.push(format!("takes the line out of {file}"));
            effects.push(Effect::SaveSetting { key: setting.key, value: None });
        } else {
            text.push("for this session; no file changes".to_owned());
        }
        vec![Effect::Show(Overlay::question(format!("reset {}?", setting.key), text, "reset", effects))]
    }

    fn detail(&self, cx: &Context, width: usize) -> Vec<Line> {
        let width = width.clamp(1, 100);
        let mut lines: Vec<Line> = Vec::new();
        let mut paragraph = |text: &str, role: Role| {
            lines.extend(wrap(text, width).into_iter().map(|line| vec![span(line, role)]));
        };
        match self.focused() {
            Some(Entry::Setting(at)) => {
                if let Some(setting) = cx.settings.get(*at) {
                    setting_detail(cx, setting, &mut paragraph);
                }
            }
            Some(Entry::Me) => {
                if let Some(user) = &cx.me.principal.user {
                    paragraph(&format!("you are {user}"), Role::Text);
                    for group in &cx.me.principal.groups {
                        paragraph(&format!("in {group}"), Role::Text);
                    }
                } else {
                    paragraph("set `user` to your User entity, for example", Role::Text);
                    paragraph("user = \"user:default/ana.ruiz\"", Role::Accent);
                    paragraph("without it git's `user.email` is looked for in the catalog", Role::Dim);
                }
                if !cx.me.origin.is_empty() {
                    paragraph(&cx.me.origin, Role::Dim);
                }
            }
            Some(Entry::File(at)) => {
                if let Some(file) = cx.config_files.get(*at) {
                    paragraph(&file.path, Role::Link);
                    let is_found = if file.is_found { "it is there" } else { "it does not exist" };
                    paragraph(is_found, Role::Dim);
                    if let Some(use_of) = use_of_file(file.what) {
                        paragraph(use_of, Role::Text);
                    }
                }
            }
            Some(Entry::Problem(problem)) => {
                for line in problem.render().lines() {
                    paragraph(line, Role::Text);
                }
            }
            None => {}
        }
        lines
    }

    fn draw_detail(&self, cx: &Context, region: Rect, buf: &mut Buffer) {
        let title = match self.focused() {
            Some(Entry::Setting(at)) => cx.settings.get(*at).map_or("", |setting| setting.key),
            Some(Entry::Me) => "you",
            Some(Entry::File(at)) => cx.config_files.get(*at).map_or("", |file| file.what),
            Some(Entry::Problem(problem)) => problem.code,
            None => "",
        };
        let is_focused = self.typing.is_some() || self.is_detail_only;
        let inner = Panel { title, note: "", is_focused }.draw(cx, region, buf);
        let (x, width) = (inner.x + 1.min(inner.width), inner.width.saturating_sub(2));
        let mut y = inner.y;
        if let Some(typing) = &self.typing {
            let before = crate::model::text::width(typing.input.before_cursor()) as u16;
            put(buf, x, y, width, typing.input.text(), style(cx, Role::Text));
            let reverse = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
            paint(buf, (x + before).min(inner.right().saturating_sub(1)), y, 1, reverse);
            y += 1;
            let said = typing.mistake.as_deref();
            let hint = said.unwrap_or("enter takes it for this session, esc leaves it as it was");
            let role = if said.is_some() { Role::Error } else { Role::Dim };
            for line in wrap(hint, usize::from(width)) {
                if y >= inner.bottom() {
                    break;
                }
                put(buf, x, y, width, &line, style(cx, role));
                y += 1;
            }
        }
        let lines = self.detail(cx, usize::from(width));
        let offset = self.offset.min(lines.len().saturating_sub(1));
        for line in lines.iter().skip(offset) {
            if y >= inner.bottom() {
                break;
            }
            put_line(cx, buf, x, y, width, line);
            y += 1;
        }
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let height = self.height(cx);
        match command {
            id::OPEN => return self.open(cx),
            SAVE => return self.ask_to_save(cx),
            RESET => return self.ask_to_reset(cx),
            id::PREVIEW_DOWN => self.offset = (self.offset + 3).min(100),
            id::PREVIEW_UP => self.offset = self.offset.saturating_sub(3),
            id::LAYOUT => {
                (self.is_list_only, self.is_detail_only) = match (self.is_list_only, self.is_detail_only) {
                    (false, false) => (true, false),
                    (true, _) => (false, true),
                    (false, true) => (false, false),
                };
            }
            command => {
                if self.list.command(command, height) {
                    self.offset = 0;
                }
            }
        }
        Vec::new()
    }

    fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let (area, height) = (self.list_area(cx.area), self.height(cx));
        let is_over_list =
            self.areas(cx.area).0.is_some_and(|list| list.contains((mouse.column, mouse.row).into()));
        match (mouse.kind, is_over_list) {
            (MouseKind::ScrollUp, true) => self.list.scroll(-3, height),
            (MouseKind::ScrollDown, true) => self.list.scroll(3, height),
            (MouseKind::ScrollUp, false) => return self.command(id::PREVIEW_UP, cx),
            (MouseKind::ScrollDown, false) => return self.command(id::PREVIEW_DOWN, cx),
            (MouseKind::Click | MouseKind::DoubleClick, true) => {
                if let Some(row) = self.list.row_at(area, mouse.column, mouse.row) {
                    self.list.select(row, height);
                    self.offset = 0;
                    if mouse.kind == MouseKind::DoubleClick {
                        return self.open(cx);
                    }
                }
            }
            (MouseKind::Click | MouseKind::DoubleClick, false) => {}
        }
        Vec::new()
    }
}

fn setting_line(setting: &Setting) -> Line {
    let value = if setting.value.is_empty() {
        span("not set", Role::Dim)
    } else {
        span(setting.value.as_str(), if setting.origin == "built-in" { Role::Text } else { Role::Accent })
    };
    vec![span(format!("{:<24}", setting.key), Role::Text), value]
}

fn origin(setting: &Setting) -> crate::ui::text::Span {
    let is_unsaved = setting.origin == SESSION;
    let short = setting.origin.rsplit('/').next().unwrap_or("").to_owned();
    span(
        if is_unsaved { "not saved".to_owned() } else { short },
        if is_unsaved { Role::Warn } else { Role::Dim },
    )
}

fn setting_detail(cx: &Context, setting: &Setting, paragraph: &mut dyn FnMut(&str, Role)) {
    paragraph(setting.help, Role::Text);
    paragraph(&line_of(setting), Role::Accent);
    let effect = if LIVE.contains(&setting.key) {
        "takes effect at once"
    } else {
        "takes effect at the next start, once it is saved"
    };
    paragraph(&format!("in {}; {effect}", config_file(cx)), Role::Dim);
    paragraph(&format!("comes from {}", setting.origin), Role::Dim);
    let takes = setting::find(setting.key).map(|row| (row.kind.words(), row.variable()));
    if let Some((takes, variable)) = takes {
        let choices = if setting.choices.is_empty() { takes } else { setting.choices.join(", ") };
        paragraph(&format!("takes {choices}; as a variable {variable}"), Role::Dim);
    }
}

/// The exact line for the file.
fn line_of(setting: &Setting) -> String {
    let Some(row) = setting::find(setting.key) else {
        return format!("{} = \"{}\"", setting.key, setting.value);
    };
    match row.parse(&setting.value) {
        Ok(value) if !setting.value.is_empty() && !row.kind.is_tables() => {
            format!("{} = {}", setting.key, value.to_toml())
        }
        _ => row.example_line(),
    }
}

fn config_file(cx: &Context) -> String {
    let file = cx.config_files.iter().find(|file| file.what == "config");
    file.map_or_else(|| "config.toml".to_owned(), |file| file.path.clone())
}

fn is_by_hand(key: &str) -> bool {
    setting::find(key).is_some_and(|row| row.kind.is_tables())
}

fn use_of_file(what: &str) -> Option<&'static str> {
    Some(match what {
        "config" => "your settings",
        "keys" => "your own keys, by the names of actions",
        "aliases" => "your own words for palette lines",
        "views" => "your saved filters",
        "themes" => "your own themes; one of the name of a built-in theme replaces it",
        "system" => "settings for everybody on this machine; yours win",
        "log" => "what the program did; `log.level` says how much",
        _ => return None,
    })
}

/// What is wrong in the configuration, clashes of keys of the current preset included.
fn problems(cx: &Context) -> Vec<Diagnostic> {
    let mut found = cx.config_diagnostics.clone();
    let preset = cx.settings.iter().find(|setting| setting.key == setting::KEYMAP_PRESET.key);
    let preset = preset.map_or("default", |setting| setting.value.as_str());
    for clash in Keymap::build(cx.panes, preset, &cx.user_keys).1 {
        if !found.contains(&clash) {
            found.push(clash);
        }
    }
    found
}

/// What the settings of one table are about.
fn group_title(table: &str) -> String {
    let title = match table {
        "general" => "General",
        "keymap" => "Keys",
        "ui" => "Screen",
        "catalog" => "Catalog",
        "http" => "Network",
        "log" => "Log",
        other => other,
    };
    title.to_owned()
}

impl Pane for SettingsPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::new(SPEC.id)
    }

    fn heading(&self, cx: &Context) -> Heading {
        let unsaved = cx.settings.iter().filter(|setting| setting.origin == SESSION).count();
        let count = if unsaved == 0 { String::new() } else { format!("{unsaved} not saved") };
        Heading { crumbs: vec![SPEC.title.to_owned()], filter: None, count, marked: 0, ..Heading::default() }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                self.rebuild(cx);
                Vec::new()
            }
            Input::Command(command) => self.command(command, cx),
            Input::Paste(text) => {
                if let Some(typing) = &mut self.typing {
                    typing.input.paste(text);
                }
                Vec::new()
            }
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::CatalogChanged | Input::Choice(..) | Input::Task(_) => Vec::new(),
        }
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        match key.code {
            KeyCode::Enter => return Some(self.accept(cx)),
            KeyCode::Esc => self.typing = None,
            _ => {
                let typing = self.typing.as_mut()?;
                if !typing.input.key(key) {
                    return None;
                }
                typing.mistake = None;
            }
        }
        Some(Vec::new())
    }

    fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    fn step_back(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        if !self.is_detail_only && !self.is_list_only {
            return None;
        }
        (self.is_detail_only, self.is_list_only) = (false, false);
        Some(Vec::new())
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        let setting = self.setting(cx);
        match (command, setting) {
            (SAVE | RESET, None) => Availability::no("no setting is focused"),
            (SAVE | RESET, Some(setting)) if is_by_hand(setting.key) => {
                Availability::no(format!("{} is written by hand: edit the file", setting.key))
            }
            (SAVE, Some(setting)) if setting.origin.starts_with(&config_file(cx)) => {
                Availability::no("it is in your config.toml already")
            }
            (RESET, Some(setting)) if setting.origin == "built-in" => Availability::no("it has its default"),
            (RESET, Some(setting)) if setting.origin.starts_with(['$', '-']) => {
                Availability::no(format!("it comes from {}", setting.origin))
            }
            (id::REGION_NEXT | id::REGION_PREVIOUS, _) => {
                let keys = (cx.key(id::PREVIEW_DOWN), cx.key(id::PREVIEW_UP));
                Availability::no(format!("there is one list; {} and {} scroll the detail", keys.0, keys.1))
            }
            _ => Availability::Available,
        }
    }

    fn subjects(&self, cx: &Context) -> Vec<Subject> {
        let file = |path: &str| Some(Ok((path.to_owned(), 0, 0)));
        let subject = match self.focused() {
            Some(Entry::Me) => match &cx.me.principal.user {
                Some(user) => Subject::entity(cx, user),
                None => {
                    Subject { name: "user".to_owned(), source: file(&config_file(cx)), ..Subject::default() }
                }
            },
            Some(Entry::Setting(at)) => {
                let Some(setting) = cx.settings.get(*at) else { return Vec::new() };
                Subject {
                    name: line_of(setting),
                    source: Some(Ok(place_of(setting, &config_file(cx)))),
                    copies: vec![("place", setting.origin.clone()), ("message", setting.help.to_owned())],
                    ..Subject::default()
                }
            }
            Some(Entry::File(at)) => {
                let Some(found) = cx.config_files.get(*at) else { return Vec::new() };
                let source = if found.what == "themes" {
                    Some(Err(format!("`{}` is a folder", found.path)))
                } else {
                    file(&found.path)
                };
                Subject { name: found.path.clone(), source, ..Subject::default() }
            }
            Some(Entry::Problem(problem)) => Subject::diagnostic(cx, problem),
            None => return Vec::new(),
        };
        vec![subject]
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let (list, detail) = self.areas(area);
        if let Some(region) = list {
            if area.width >= SPLIT {
                let is_focused = self.typing.is_none();
                Panel { title: SPEC.title, note: "", is_focused }.draw(cx, region, buf);
            }
            self.list.draw(cx, self.list_area(area), true, buf);
        }
        if let Some(region) = detail {
            self.draw_detail(cx, region, buf);
        }
    }
}

/// File and line that a value comes from, else the user's own file.
fn place_of(setting: &Setting, own: &str) -> (String, u32, u32) {
    let parsed = setting.origin.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
    match parsed {
        Some((file, line)) => (file.to_owned(), line, 1),
        None => (own.to_owned(), 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::context::ConfigFile;
    use crate::app::overlay::OverlayKind;
    use crate::ui::panes::test_support::{lines, open, over, run};

    fn context(width: u16, height: u16) -> Context {
        let mut cx = over(std::sync::Arc::default(), width, height);
        let row = |key: &'static str, value: &str, origin: &str, choices: &[&str]| Setting {
            key,
            value: value.to_owned(),
            origin: origin.to_owned(),
            help: setting::find(key).map_or("", |row| row.help),
            choices: choices.iter().map(|c| (*c).to_owned()).collect(),
        };
        cx.settings = vec![
            row("user", "", "built-in", &[]),
            row("theme", "dark", "/home/ana/config.toml:3", &["dark", "default", "light"]),
            row("http.timeout", "30s", "built-in", &[]),
            row("ui.mouse", "true", "$DEVPORTAL_UI_MOUSE", &["true", "false"]),
        ];
        cx.config_files =
            vec![ConfigFile { what: "config", path: "/home/ana/config.toml".to_owned(), is_found: true }];
        cx
    }

    fn at(key: &str, cx: &Context) -> Box<dyn Pane> {
        open("settings", key, cx)
    }

    #[test]
    fn shows_value_origin_and_the_exact_line() {
        for (width, height) in [(80, 24), (120, 40)] {
            let cx = context(width, height);
            let text = lines(at("theme", &cx).as_ref(), &cx).join("\n");
            for wanted in ["theme = \"dark\"", "config.toml:3", "takes effect at once"] {
                assert!(text.contains(wanted), "{wanted}:\n{text}");
            }
        }
    }

    #[test]
    fn a_choice_is_previewed_and_taken_back_by_esc() {
        let cx = context(80, 24);
        let effects = run(at("theme", &cx).as_mut(), id::OPEN, &cx);
        let [Effect::Show(menu)] = effects.as_slice() else { panic!("{effects:?}") };
        assert!(menu.is_preview);
        assert_eq!(menu.cancel, [Effect::Set("theme", "dark".to_owned())]);
        assert_eq!(menu.focused().unwrap().label, "dark");
    }

    #[test]
    fn a_typed_value_is_checked_before_it_counts() {
        let cx = context(80, 24);
        let mut pane = at("http.timeout", &cx);
        run(pane.as_mut(), id::OPEN, &cx);
        assert!(pane.is_typing());
        pane.key(Key::char('x'), &cx);
        assert_eq!(pane.key(Key::plain(KeyCode::Enter), &cx), Some(Vec::new()));
        assert!(lines(pane.as_ref(), &cx).join("\n").contains("not a time span"));
        pane.key(Key::plain(KeyCode::Backspace), &cx);
        let effects = pane.key(Key::plain(KeyCode::Enter), &cx).unwrap();
        assert_eq!(effects, [Effect::Set("http.timeout", "30s".to_owned())]);
        assert!(!pane.is_typing());
    }

    #[test]
    fn nothing_is_written_without_a_question() {
        let cx = context(80, 24);
        let mut pane = at("http.timeout", &cx);
        let effects = run(pane.as_mut(), SAVE, &cx);
        let [Effect::Show(question)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(question.kind, OverlayKind::Question);
        assert!(question.text.iter().any(|line| line.contains("/home/ana/config.toml")));
        assert!(question.text.iter().any(|line| line == "http.timeout = \"30s\""));
        assert_eq!(question.focused().unwrap().effects, [], "the first answer is no");
    }

    #[test]
    fn reset_takes_the_line_out_of_the_users_own_file_only() {
        let cx = context(80, 24);
        let mut pane = at("theme", &cx);
        let effects = run(pane.as_mut(), RESET, &cx);
        let [Effect::Show(question)] = effects.as_slice() else { panic!("{effects:?}") };
        let yes = &question.items.last().unwrap().effects;
        assert!(yes.contains(&Effect::SaveSetting { key: "theme", value: None }), "{yes:?}");
        let from_variable = at("ui.mouse", &cx);
        assert!(matches!(from_variable.availability(RESET, &cx), Availability::Disabled(_)));
        let built_in = at("http.timeout", &cx);
        assert!(matches!(built_in.availability(RESET, &cx), Availability::Disabled(_)));
    }

    #[test]
    fn edit_goes_to_the_line_that_the_value_comes_from() {
        let cx = context(80, 24);
        let source = |key: &str| at(key, &cx).subjects(&cx).remove(0).source;
        assert_eq!(source("theme"), Some(Ok(("/home/ana/config.toml".to_owned(), 3, 1))));
        assert_eq!(source("http.timeout"), Some(Ok(("/home/ana/config.toml".to_owned(), 0, 0))));
    }

    #[test]
    fn clashing_keys_are_listed() {
        let mut cx = context(80, 60);
        cx.user_keys.insert("app.help".to_owned(), vec![":".to_owned()]);
        let text = lines(at("", &cx).as_ref(), &cx).join("\n");
        assert!(text.contains("`app.help`") && text.contains("`app.palette`"), "{text}");
    }
}
