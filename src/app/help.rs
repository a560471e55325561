//! Overlays printed from what the application knows: help from the command table, tasks, messages,
//! themes.

use super::App;
use super::commands::{Availability, Group};
use super::context::{Context, age, grouped};
use super::event::{Effect, Level};
use super::overlay::{Item, Mode, Overlay, OverlayKind};

/// Returns the help of the current place: every row that applies, with its key; `enter` runs it.
pub fn overlay(app: &App) -> Overlay {
    let Some(pane) = app.pane() else { return Overlay::menu("help", Vec::new()) };
    let own = pane.spec().commands.iter().map(|row| (pane.spec().title, row));
    let groups = pane.groups().iter().flat_map(|group| group.rows().iter().map(|row| (group.title(), row)));
    let places = app.cx.panes.iter().filter_map(|spec| spec.go.as_ref().map(|row| ("Places", row)));
    let global = Group::Global.rows().iter().map(|row| (Group::Global.title(), row));
    let items = own.chain(groups).chain(places).chain(global).map(|(heading, row)| {
        let disabled = match app.availability(row) {
            Availability::Available => None,
            Availability::Disabled(reason) => Some(reason),
        };
        let keys: Vec<String> = app.cx.keymap.keys(row.id).iter().map(ToString::to_string).collect();
        Item {
            label: row.title.to_owned(),
            detail: row.help.to_owned(),
            keys: keys.join(" "),
            heading,
            effects: vec![Effect::Run(row.id)],
            disabled,
            ..Item::default()
        }
    });
    Overlay::new(OverlayKind::Help, format!("help: {}", pane.spec().title), Mode::Typing, items.collect())
}

/// Returns the sources and what is running.
pub fn tasks(cx: &Context) -> Overlay {
    let mut items: Vec<Item> = Vec::new();
    if let Some(loading) = &cx.loading {
        let detail =
            format!("{} files, {} entities so far", grouped(loading.files), grouped(loading.entities));
        items.push(Item::new("reading the sources", Vec::new()).detail(detail));
    }
    for source in cx.catalog.sources() {
        let state = match &source.error {
            Some(error) => format!("✗ {}", error.message),
            None => format!("{} files, {} entities", grouped(source.files), grouped(source.entities)),
        };
        let label = format!("{} ({})", source.name, source.kind);
        items.push(Item {
            heading: "Sources",
            ..Item::new(label, Vec::new()).detail(format!("{state} · {}", source.place))
        });
    }
    Overlay::new(OverlayKind::Menu, "tasks and sources", Mode::Typing, items)
}

/// Returns the short messages of this session, newest first.
pub fn messages(cx: &Context) -> Overlay {
    let items = cx.messages.iter().rev().map(|(at, level, text)| {
        let sign = match level {
            Level::Ok => "✓",
            Level::Info => "·",
            Level::Error => "✗",
        };
        let copy = Effect::Copy { what: "message".to_owned(), text: text.clone() };
        Item::new(format!("{sign} {text}"), vec![copy]).detail(age(cx.now.as_second() - at.as_second()))
    });
    Overlay::new(OverlayKind::Menu, "messages", Mode::Typing, items.collect())
}

/// Returns the themes; each is shown while the cursor is on it, `esc` brings the old one back.
pub fn themes(cx: &Context) -> Overlay {
    let set = |name: &str| vec![Effect::Set("theme", name.to_owned())];
    let items: Vec<Item> = cx.themes.iter().map(|name| Item::new(name, set(name))).collect();
    let at = cx.themes.iter().position(|name| *name == cx.theme.name).unwrap_or(0);
    let mut overlay = Overlay::menu("theme", items);
    overlay.list.cursor = at;
    overlay.is_preview = true;
    overlay.cancel = set(&cx.theme.name);
    overlay
}
