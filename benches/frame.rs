//! A frame of each pane at three sizes, and a key from press to painted cells, over many entities.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

mod support;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use devportal::app::Context;
use devportal::app::context::Me;
use devportal::app::event::Event;
use devportal::app::input::Key;
use devportal::catalog::{LoadOptions, Loader};
use devportal::config::source::SourceConfig;
use devportal::tui::screenshot::Headless;
use devportal::tui::services::Order;
use devportal::tui::{Services, Start};
use devportal::ui;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ENTITIES: usize = 100_000;
const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

fn face(folder: &std::path::Path, line: &str) -> Headless {
    let loader = Loader::new(vec![SourceConfig::dir(folder)], LoadOptions::default());
    let services = Services {
        load: Box::new(move |progress| (loader.load(progress), Me::default())),
        read_source: Box::new(|_, _| Ok("kind: Component\n".into())),
        revisions: Box::new(|_, _| Err("there are no revisions here".to_owned())),
        remember: Box::new(|_| Ok(())),
        load_theme: Box::new(|name| Err(name.to_owned())),
        save_setting: Box::new(|key, _| Err(key.to_owned())),
        editor: String::new(),
        state_folder: folder.to_path_buf(),
        order: Order::default(),
        refresh: None,
        backend: None,
        refresher: std::sync::OnceLock::new(),
        connect: None,
        hub: std::sync::OnceLock::new(),
    };
    let cx = Context::new(ui::panes::ALL);
    Headless::start(Start { cx, line: line.to_owned(), services }, 120, 40)
}

fn frames(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    support::write(folder.path(), ENTITIES);
    let mut face = face(folder.path(), "catalog");
    let mut group = c.benchmark_group("frame");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    for (width, height) in SIZES {
        face.send(Event::Resize(width, height));
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        group.bench_function(BenchmarkId::new("catalog", format!("{width}x{height}")), |b| {
            b.iter(|| ui::draw(&face.app, &mut buf));
        });
        let mut is_down = false;
        group.bench_function(BenchmarkId::new("key j/k", format!("{width}x{height}")), |b| {
            b.iter(|| {
                is_down = !is_down;
                face.send(Event::Key(Key::char(if is_down { 'j' } else { 'k' })));
                ui::draw(&face.app, &mut buf);
            });
        });
    }
    group.bench_function("filter keystroke to painted rows", |b| {
        face.send(Event::Key(Key::char('/')));
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
        let mut is_typed = false;
        b.iter(|| {
            is_typed = !is_typed;
            let backspace = Key::plain(devportal::app::input::KeyCode::Backspace);
            face.send(Event::Key(if is_typed { Key::char('p') } else { backspace }));
            ui::draw(&face.app, &mut buf);
        });
    });
    group.finish();
}

criterion_group!(benches, frames);
criterion_main!(benches);
