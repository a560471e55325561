//! Random keys, text, sizes and clicks: the application never panics and stays in one piece.

use crate::world;
use devportal::app::event::{Effect, Event};
use devportal::app::input::{Key, KeyCode, Mouse, MouseKind};
use devportal::app::keymap::all_rows;
use devportal::app::palette;
use devportal::tui::screenshot::Headless;
use devportal::ui::panes;
use proptest::prelude::*;
use ratatui::layout::Rect;

/// Every key that is bound, but for those that leave the program.
fn bound() -> Vec<Key> {
    let keys = all_rows(panes::ALL).flat_map(|(_, row)| row.keys).filter_map(|text| text.parse().ok());
    keys.filter(|key: &Key| *key != Key::ctrl('c')).collect()
}

fn event() -> impl Strategy<Value = Event> {
    let key = prop::sample::select(bound()).prop_map(Event::Key);
    let letter = prop::char::range(' ', '~').prop_map(|c| Event::Key(Key::char(c)));
    let special = prop::sample::select(vec![
        KeyCode::Enter,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::Backspace,
        KeyCode::Down,
        KeyCode::Up,
    ])
    .prop_map(|code| Event::Key(Key::plain(code)));
    let size = (0u16..210, 0u16..70).prop_map(|(width, height)| Event::Resize(width, height));
    let kinds = vec![MouseKind::Click, MouseKind::DoubleClick, MouseKind::ScrollDown, MouseKind::ScrollUp];
    let mouse = (prop::sample::select(kinds), 0u16..210, 0u16..70)
        .prop_map(|(kind, column, row)| Event::Mouse(Mouse { kind, column, row }));
    let words =
        vec!["owner:payments", "checkout", "is:mine (", "ünï\u{1b}[31m\u{202e}", "catalog ", "\"", "a|b"];
    let paste = prop::sample::select(words).prop_map(|text| Event::Paste(text.to_owned()));
    prop_oneof![8 => key, 3 => letter, 4 => special, 1 => size, 2 => mouse, 1 => paste]
}

fn check(face: &Headless, size: Rect) -> Result<(), TestCaseError> {
    let app = &face.app;
    let pane = app.pane();
    prop_assert!(pane.is_some(), "no pane is left");
    for overlay in &app.overlays {
        prop_assert!(overlay.shown.iter().all(|at| *at < overlay.items.len()), "{}", overlay.title);
        prop_assert!(overlay.list.cursor < overlay.shown.len().max(1), "{}", overlay.title);
    }
    prop_assert_eq!(face.draw().area, size);
    if let Some(pane) = pane {
        let line = pane.place().to_string();
        let read = palette::read_place(&line, &app.cx);
        prop_assert_eq!(read.map(|place| place.pane), Some(pane.place().pane), "`{}` leads elsewhere", line);
    }
    Ok(())
}

/// Few by default, since each draws up to fifty screens; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    ProptestConfig { cases: if asked { default.cases } else { 48 }, max_shrink_iters: 400, ..default }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn random_events_leave_the_application_in_one_piece(
        place in prop::sample::select(world::PLACES), events in prop::collection::vec(event(), 1..50)
    ) {
        let mut face = world::at(place.1, 100, 30);
        let mut size = Rect::new(0, 0, 100, 30);
        for event in events {
            if let Event::Resize(width, height) = event {
                size = Rect::new(0, 0, width, height);
            }
            let event = match event {
                Event::Mouse(mouse) => devportal::ui::mouse(&face.app, size, mouse),
                event => event,
            };
            face.send(event);
            check(&face, size)?;
            if face.left_out.contains(&Effect::Quit) {
                return Ok(());
            }
        }
        // esc goes back step by step, closes everything on the way and never quits
        for _ in 0..200 {
            face.send(Event::Key(Key::plain(KeyCode::Esc)));
        }
        prop_assert!(!face.left_out.contains(&Effect::Quit));
        prop_assert!(face.app.overlays.is_empty());
        let place = |face: &Headless| face.app.pane().map(|pane| (pane.place(), pane.is_typing()));
        let root = place(&face);
        face.send(Event::Key(Key::plain(KeyCode::Esc)));
        prop_assert_eq!(&place(&face), &root, "esc still goes back after 200 steps");
        prop_assert_eq!(root.map(|(_, is_typing)| is_typing), Some(false));
    }
}
