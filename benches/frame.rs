//! A frame of each pane at three sizes, and a key from press to painted cells, over many entities.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, missing_docs)]

mod support;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use devportal::app::context::Me;
use devportal::app::event::{Effect, Event, Generation, Shared, TaskEvent};
use devportal::app::input::{Key, parse_script};
use devportal::app::{App, Context};
use devportal::catalog::{LoadOptions, Loader};
use devportal::config::source::SourceConfig;
use devportal::kubernetes::logs::{Level, Line, LineKind, LogSource, SourceState, Stream};
use devportal::kubernetes::{Kind, ObjectRef};
use devportal::tui::screenshot::Headless;
use devportal::tui::services::Order;
use devportal::tui::{Services, Start};
use devportal::ui;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

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
        docs: devportal::tui::services::Docs::of(std::sync::Arc::new(Loader::new(
            Vec::new(),
            LoadOptions::default(),
        ))),
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
        scaffold: None,
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

/// Lines in the stream before the measuring begins: as many as memory holds.
const KEPT: usize = 200_000;
/// Lines that arrive in a second.
const RATE: usize = 10_000;

/// The logs of a service, with its searches on a thread of their own and lines that keep coming.
struct Logs {
    app: App,
    stream: Arc<Stream>,
    ask: mpsc::Sender<Effect>,
    answers: mpsc::Receiver<TaskEvent>,
}

fn log_line(at: usize) -> Line {
    let text = match at % 4 {
        0 => format!(r#"{{"level":"info","msg":"order accepted","id":{at},"ms":41,"path":"/orders/{at}"}}"#),
        1 => format!("2026-01-01T00:00:00Z WARN retry {} of 5 upstream=ledger", at % 5),
        2 => {
            format!(r#"{{"level":"error","msg":"timeout after 3s","upstream":"ledger","trace":"{at:016x}"}}"#)
        }
        _ => format!("10.0.0.{} - - \"GET /healthz HTTP/1.1\" 200 {at}", at % 256),
    };
    let level = [Level::Info, Level::Warn, Level::Error, Level::None][at % 4];
    let kind = LineKind::Text { is_json: at.is_multiple_of(2) };
    let time = Timestamp::from_millisecond(1_767_225_600_000 + at as i64 / 10).ok();
    Line { source: (at % 6) as u16, time, level, text: text.into(), kind }
}

impl Logs {
    fn new(folder: &std::path::Path, lines: usize) -> Self {
        let app = face(folder, "logs component:default/order-api-0").app;
        let stream = Arc::new(Stream::default());
        let source = |tag: &str| LogSource {
            tag: tag.into(),
            pod: ObjectRef {
                cluster: "prod".into(),
                kind: Kind::Pod,
                namespace: "shop".into(),
                name: format!("order-api-{tag}").into(),
            },
            container: "app".into(),
            is_previous: false,
            state: SourceState::Following,
            lines: 0,
        };
        stream.set_status(|status| {
            status.sources = ["a1", "b2", "c3", "d4", "e5", "f6"].map(source).into();
            status.is_following = true;
        });
        for at in 0..lines {
            stream.push(log_line(at));
        }
        let (ask, asked) = mpsc::channel::<Effect>();
        let (answer, answers) = mpsc::channel();
        std::thread::spawn(move || {
            while let Ok(effect) = asked.recv() {
                if let Effect::FindInLogs { generation, stream, query, ids } = effect {
                    let found = stream.0.find(&query, ids.clone(), &CancellationToken::new());
                    let _ = answer.send(TaskEvent::LogsFound { generation, ids: found, upto: ids.end });
                }
            }
        });
        let mut logs = Self { app, stream, ask, answers };
        for generation in 0..50 {
            let stream = Shared(logs.stream.clone());
            logs.send(Event::Task(TaskEvent::LogsOpened { generation: Generation(generation), stream }));
        }
        logs
    }

    fn send(&mut self, event: Event) {
        for effect in self.app.update(event, Timestamp::now()) {
            let _ = self.ask.send(effect);
        }
    }

    /// What a frame slot brings besides keys: new lines, answers of searches.
    fn slot(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.send(Event::Task(answer));
        }
        self.send(Event::Task(TaskEvent::LogsAdvanced));
    }

    fn keys(&mut self, script: &str) {
        for key in parse_script(script).unwrap() {
            self.send(Event::Key(key));
        }
    }
}

/// Pushes lines at [`RATE`] until told to end.
fn pour(stream: Arc<Stream>, is_over: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let begun = Instant::now();
        let mut at = KEPT;
        while !is_over.load(Ordering::Relaxed) {
            let due = KEPT + (begun.elapsed().as_secs_f64() * RATE as f64) as usize;
            while at < due {
                stream.push(log_line(at));
                at += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    })
}

/// Key to painted cells in logs: what one frame slot does, with a key in it.
fn logs(c: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    support::write(folder.path(), 200);
    let mut group = c.benchmark_group("logs");
    group.sample_size(20).measurement_time(Duration::from_secs(4));
    for lines in [1_000, KEPT] {
        let mut logs = Logs::new(folder.path(), lines);
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
        logs.send(Event::Resize(200, 60));
        group.bench_function(BenchmarkId::new("frame 200x60", lines), |b| {
            b.iter(|| {
                logs.send(Event::Task(TaskEvent::LogsAdvanced));
                ui::draw(&logs.app, &mut buf);
            });
        });
    }
    for (name, keys) in [
        ("following", "G"),
        ("following, searching", "G/timeout<enter>"),
        ("only matches", "G/timeout<enter>&"),
        ("moving, searching", "/ledger<enter>kk"),
    ] {
        let mut logs = Logs::new(folder.path(), KEPT);
        logs.send(Event::Resize(200, 60));
        logs.keys(keys);
        let is_over = Arc::new(AtomicBool::new(false));
        let pouring = pour(logs.stream.clone(), is_over.clone());
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
        let mut taken: Vec<Duration> = Vec::new();
        group.bench_function(BenchmarkId::new("key, 10,000 lines/s", name), |b| {
            b.iter_custom(|count| {
                let mut all = Duration::ZERO;
                for turn in 0..count {
                    std::thread::sleep(Duration::from_millis(3));
                    let key = if name.starts_with("moving") { ['k', 'j'][turn as usize % 2] } else { 'w' };
                    let begun = Instant::now();
                    logs.slot();
                    logs.send(Event::Key(Key::char(key)));
                    ui::draw(&logs.app, &mut buf);
                    taken.push(begun.elapsed());
                    all += begun.elapsed();
                }
                all
            });
        });
        is_over.store(true, Ordering::Relaxed);
        let _ = pouring.join();
        taken.sort_unstable();
        let at = |share: f64| taken[((taken.len() - 1) as f64 * share) as usize];
        println!(
            "{name}: p50 {:?} p99 {:?} p99.9 {:?} of {} keys",
            at(0.5),
            at(0.99),
            at(0.999),
            taken.len()
        );
    }
    group.finish();
}

criterion_group!(benches, frames, logs);
criterion_main!(benches);
