//! Pictures as text, kept in `snapshots/`; look at every change of them.

use crate::world::{self, PLACES};
use devportal::app::App;
use devportal::app::context::Me;
use devportal::app::event::{Event, TaskEvent};
use devportal::app::input::parse_script;
use devportal::catalog::Catalog;
use devportal::tui::screenshot::{Form, Headless, picture};
use devportal::ui::panes;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn text(face: &Headless) -> String {
    picture(&face.draw(), Form::Text)
}

fn assert_picture(name: &str, text: &str) {
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn every_pane_has_pictures() {
    for spec in panes::ALL {
        let is_there = PLACES.iter().any(|(_, place)| {
            world::at(place, 80, 24).app.pane().is_some_and(|pane| pane.spec().id == spec.id)
        });
        assert!(is_there, "add a place of the pane `{}` to PLACES", spec.id);
    }
}

#[test]
fn every_pane_at_three_sizes() {
    for (name, place) in PLACES {
        for (width, height) in SIZES {
            assert_picture(&format!("{name}_{width}x{height}"), &text(&world::at(place, width, height)));
        }
    }
}

/// Panes after some keys, overlays among them.
#[test]
fn after_some_keys() {
    let cases = [
        ("help", "catalog", "?"),
        ("palette", "home", ":check"),
        ("palette-empty", "home", ":"),
        ("actions", "catalog checkout-api", "x"),
        ("copy", "problems", "Y"),
        ("filter-mistake", "catalog", "/owner:("),
        ("filter-typing", "catalog", "/own"),
        ("marks", "catalog kind:api", "<space><space>j"),
        ("problem-detail", "problems", "z"),
        ("setting-choice", "settings theme", "<enter>"),
        ("setting-save", "settings theme", "s"),
        ("sort", "catalog", "S"),
        ("docs-labels", "docs component:default/checkout-api index", "F"),
        ("docs-search", "docs component:default/checkout-api runbook", "/order<enter>n"),
        ("docs-pages", "docs component:default/checkout-api runbook", "<shift-tab>"),
        ("docs-tabs", "docs system:default/developer-platform writing/tabs", "t"),
        ("docs-fold", "docs system:default/developer-platform writing/details", ".<enter>"),
        ("docs-broken", "docs component:default/checkout-api nowhere", ""),
    ];
    for (name, place, keys) in cases {
        let mut face = world::at(place, 80, 24);
        for key in parse_script(keys).unwrap() {
            face.send(Event::Key(key));
        }
        assert_picture(&format!("keys-{name}"), &text(&face));
    }
}

#[test]
fn logs_of_a_stream() {
    let sizes = [(80, 24), (120, 40), (200, 60), (40, 10), (20, 5)];
    for (width, height) in sizes {
        assert_picture(&format!("logs-live_{width}x{height}"), &text(&world::logs(width, height, "")));
    }
    let cases = [
        ("search", "/timeout<enter>nN"),
        ("mistake", "/timeout("),
        ("only", "/timeout<enter>&k"),
        ("pretty", "P"),
        ("selected", "kkkvkk"),
        ("sources", "c"),
        ("save", "<ctrl-s>"),
        ("relative", "tkkk"),
        ("wrapped", "w"),
    ];
    for (name, keys) in cases {
        assert_picture(&format!("logs-{name}"), &text(&world::logs(80, 24, keys)));
    }
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        assert_picture(
            &format!("logs-full_{width}x{height}"),
            &text(&world::logs(width, height, "e<enter>")),
        );
    }
}

#[test]
fn small_screens() {
    for (name, place) in PLACES {
        for (width, height) in [(40, 10), (20, 5)] {
            assert_picture(&format!("{name}_{width}x{height}"), &text(&world::at(place, width, height)));
        }
    }
}

#[test]
fn home_while_loading_and_over_nothing() {
    let start = world::start(Arc::default(), world::me(), "");
    let mut app = App::new(start.cx, "");
    let now = Timestamp::UNIX_EPOCH;
    app.update(Event::Resize(80, 24), now);
    app.start(false);
    let progress = TaskEvent::LoadProgress { files: 300, entities: 1240, source: "company".to_owned() };
    app.update(Event::Task(progress), now);
    let mut buf = Buffer::empty(Rect::new(0, 0, 80, 24));
    devportal::ui::draw(&app, &mut buf);
    assert_picture("home-loading", &picture(&buf, Form::Text));

    let empty = Arc::new(Catalog::default());
    let face = Headless::start(world::start(empty, Me::default(), ""), 80, 24);
    assert_picture("home-empty", &text(&face));
}

#[test]
fn a_preview_that_is_left_changes_no_setting() {
    let mut face = world::at("settings theme", 80, 24);
    let before = face.app.cx.settings.clone();
    for key in parse_script("<enter>jj").unwrap() {
        face.send(Event::Key(key));
    }
    assert_ne!(face.app.cx.settings, before, "moving previews");
    face.send(Event::Key(parse_script("<esc>").unwrap()[0]));
    assert_eq!(face.app.cx.settings, before);
}
