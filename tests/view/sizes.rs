//! No size makes a pane panic, in any of its states.

use crate::world::{self, PLACES};
use devportal::app::App;
use devportal::app::context::Me;
use devportal::app::event::Event;
use devportal::app::input::Key;
use devportal::tui::screenshot::Headless;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

const WIDTHS: [u16; 14] = [0, 1, 2, 3, 5, 9, 20, 40, 60, 80, 99, 100, 181, 300];
const HEIGHTS: [u16; 11] = [0, 1, 2, 3, 4, 5, 8, 15, 24, 60, 100];

fn sizes() -> impl Iterator<Item = (u16, u16)> {
    WIDTHS.into_iter().flat_map(|width| HEIGHTS.into_iter().map(move |height| (width, height)))
}

fn draw_at_all_sizes(face: &mut Headless) {
    for (width, height) in sizes() {
        face.send(Event::Resize(width, height));
        assert_eq!(face.draw().area, Rect::new(0, 0, width, height));
    }
}

#[test]
fn over_the_sample() {
    for (_, place) in PLACES {
        draw_at_all_sizes(&mut world::at(place, 80, 24));
    }
}

#[test]
fn over_a_stream_of_logs() {
    for keys in ["", "/timeout<enter>&k", "P", "w<enter>", "gv", "c", "/("] {
        draw_at_all_sizes(&mut world::logs(80, 24, keys));
    }
}

#[test]
fn over_nothing() {
    for (_, place) in PLACES {
        let start = world::start(Arc::default(), Me::default(), place);
        draw_at_all_sizes(&mut Headless::start(start, 80, 24));
    }
}

#[test]
fn under_overlays() {
    for keys in ["?", ":a", "x", "Y", "S", "W", "V"] {
        let mut face = world::at("catalog", 80, 24);
        for c in keys.chars() {
            face.send(Event::Key(Key::char(c)));
        }
        draw_at_all_sizes(&mut face);
    }
}

#[test]
fn while_loading() {
    let start = world::start(Arc::default(), world::me(), "");
    let mut app = App::new(start.cx, "");
    app.start(false);
    for (width, height) in sizes() {
        app.update(Event::Resize(width, height), Timestamp::UNIX_EPOCH);
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        devportal::ui::draw(&app, &mut buf);
    }
}

/// A buffer smaller than the size the application was told of: the terminal has shrunk meanwhile.
#[test]
fn on_a_screen_that_has_just_shrunk() {
    for (_, place) in PLACES {
        let face = world::at(place, 200, 60);
        for (width, height) in [(80, 24), (20, 5), (3, 2), (0, 0)] {
            let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
            devportal::ui::draw(&face.app, &mut buf);
        }
    }
}
