//! The loop: events in, update, effects out, at most one frame.
//!
//! A key is drawn at once. Task events are drained first and drawn at most [`FRAME`] apart, so that a
//! flood costs a few frames, not a frame each. Nothing is drawn while nothing changes.

use super::services::World;
use super::terminal::{self, Output, Screen};
use super::{Services, Start, clipboard, editor, keys};
use crate::app::event::{Effect, Event, TaskEvent, Timer};
use crate::app::{App, Context};
use crate::kubernetes::ObjectRef;
use crate::ui;
use crossterm::event::EventStream;
use futures_util::StreamExt;
use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Time between frames that only task events asked for: 30 a second.
const FRAME: Duration = Duration::from_millis(33);
/// Events waiting for the loop; a sender waits when it is full, it never drops.
const QUEUE: usize = 1024;
/// Longest drain of the queue before a frame.
const DRAIN: Duration = Duration::from_millis(8);

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Quit,
    /// A signal asked for it.
    Signal,
}

/// Shows the application until the user leaves. The terminal is given back whatever happens.
///
/// # Errors
/// When the terminal cannot be taken or written to.
pub fn run(start: Start) -> io::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let folder = start.services.state_folder.clone();
    let ended = runtime.block_on(show(start, folder));
    // a load that is still waiting for the network must not hold up leaving
    runtime.shutdown_background();
    ended
}

struct Loop {
    app: App,
    services: Arc<Services>,
    sender: mpsc::Sender<TaskEvent>,
    timers: Vec<(Instant, Timer)>,
    terminal: Terminal<CrosstermBackend<Output>>,
    input: Option<EventStream>,
    is_mouse_on: bool,
    title: String,
    area: Rect,
    ended: Option<Ended>,
}

async fn show(start: Start, state_folder: std::path::PathBuf) -> io::Result<Ended> {
    let Start { cx, line, services } = start;
    let is_mouse_on = setting(&cx, "ui.mouse") != Some("false");
    terminal::install_panic_hook(state_folder);
    // before the screen is taken: a signal must never find it taken and nobody listening
    let signals = Signals::new()?;
    let screen = Screen::enter(is_mouse_on)?;
    let (sender, mut receiver) = mpsc::channel(QUEUE);
    let mut state = Loop {
        app: App::new(cx, &line),
        services: Arc::new(services),
        sender,
        timers: Vec::new(),
        terminal: Terminal::new(CrosstermBackend::new(terminal::output()))?,
        input: None,
        is_mouse_on,
        title: String::new(),
        area: Rect::ZERO,
        ended: None,
    };
    let size = state.terminal.size()?;
    // carried out below: a place may ask for something of what is started there
    let mut effects = state.app.update(Event::Resize(size.width, size.height), Timestamp::now());
    effects.extend(state.app.start(is_mouse_on));
    state.draw()?;
    let sender = state.sender.clone();
    // reports come from threads of other runtimes too, which may wait only if they say so
    let tell = move |event| {
        tokio::task::block_in_place(|| drop(sender.blocking_send(event)));
    };
    state.services.start(Arc::new(tell));
    state.carry_out(effects)?;
    state.input = Some(EventStream::new());
    let ended = state.turn(&mut receiver, signals).await;
    drop(screen);
    ended
}

impl Loop {
    async fn turn(
        &mut self,
        receiver: &mut mpsc::Receiver<TaskEvent>,
        mut signals: Signals,
    ) -> io::Result<Ended> {
        let mut clicks = keys::Clicks::default();
        let mut last_frame = Instant::now();
        let mut is_waiting = false;
        loop {
            if let Some(ended) = self.ended {
                return Ok(ended);
            }
            let frame_at = last_frame + FRAME;
            let timer = self.timers.iter().map(|(at, _)| *at).min();
            let input = self.input.get_or_insert_with(EventStream::new);
            let mut is_urgent = false;
            tokio::select! {
                biased;
                event = input.next() => match event {
                    Some(Ok(event)) => {
                        is_urgent = true;
                        if let Some(event) = keys::translate(event, &mut clicks) {
                            let event = self.aim(event);
                            self.update(event)?;
                        }
                    }
                    Some(Err(error)) => return Err(error),
                    None => return Ok(Ended::Signal),
                },
                () = signals.any() => return Ok(Ended::Signal),
                () = tokio::time::sleep_until(frame_at), if is_waiting => is_urgent = true,
                () = tokio::time::sleep_until(timer.unwrap_or(frame_at)), if timer.is_some() => self.run_timers()?,
                Some(task) = receiver.recv() => {
                    self.update(Event::Task(task))?;
                    let until = Instant::now() + DRAIN;
                    while let Ok(task) = receiver.try_recv() {
                        self.update(Event::Task(task))?;
                        if Instant::now() >= until {
                            break;
                        }
                    }
                }
            }
            is_waiting |= self.app.take_dirty();
            if is_waiting && (is_urgent || Instant::now() >= frame_at) {
                self.draw()?;
                last_frame = Instant::now();
                is_waiting = false;
            }
        }
    }

    fn update(&mut self, event: Event) -> io::Result<()> {
        let effects = self.app.update(event, Timestamp::now());
        self.carry_out(effects)
    }

    /// Finds out what a click is on.
    fn aim(&self, event: Event) -> Event {
        match event {
            Event::Mouse(mouse) => ui::mouse(&self.app, self.area, mouse),
            event => event,
        }
    }

    fn run_timers(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let due: Vec<Timer> =
            self.timers.iter().filter(|(at, _)| *at <= now).map(|(_, timer)| *timer).collect();
        self.timers.retain(|(at, _)| *at > now);
        for timer in due {
            self.update(Event::Timer(timer))?;
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let app = &self.app;
        // the test of the panic hook needs a panic; never in a release
        debug_assert!(std::env::var_os("DEVPORTAL_PANIC").is_none(), "asked for");
        let mut area = self.area;
        self.terminal.draw(|frame| {
            area = frame.area();
            ui::draw(app, frame.buffer_mut());
        })?;
        self.area = area;
        let title = ui::chrome::window_title(&self.app);
        if title != self.title {
            terminal::set_title(&title)?;
            self.title = title;
        }
        Ok(())
    }

    fn carry_out(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Quit => self.ended = Some(Ended::Quit),
                Effect::Suspend => self.away(suspend)?,
                Effect::Repaint => self.repaint()?,
                Effect::Mouse(is_on) => {
                    self.is_mouse_on = is_on;
                    terminal::set_mouse(is_on)?;
                }
                Effect::Timer(timer, after) => {
                    self.timers.retain(|(_, other)| *other != timer);
                    self.timers.push((Instant::now() + after, timer));
                }
                Effect::Copy { what, text } => self.copy(&what, &text)?,
                Effect::Edit { path, line, column } => self.edit(&path, line, column)?,
                Effect::Shell { pod, container, command } => {
                    self.shell(&pod, container.as_deref(), &command)?;
                }
                effect => self.spawn(effect),
            }
        }
        Ok(())
    }

    /// Starts background work for an effect on the pool of blocking threads.
    fn spawn(&self, effect: Effect) {
        let services = self.services.clone();
        let sender = self.sender.clone();
        let world = world(&self.app);
        tokio::task::spawn_blocking(move || {
            services.perform(&effect, &world, &|event| drop(sender.blocking_send(event)));
        });
    }

    fn copy(&mut self, what: &str, text: &str) -> io::Result<()> {
        let size = crate::app::context::size(text.len());
        let event = match clipboard::copy(text, &self.services.state_folder) {
            Ok(clipboard::Route::Program(program)) => {
                TaskEvent::Done(format!("copied {what}, {size} via {program}"))
            }
            Ok(clipboard::Route::Terminal(codes)) => {
                let mut out = io::stdout();
                out.write_all(codes.as_bytes())?;
                out.flush()?;
                TaskEvent::Done(format!("copied {what}, {size} via terminal"))
            }
            Ok(clipboard::Route::File(path)) => {
                TaskEvent::Done(format!("{what} is too large to copy; saved to {path}"))
            }
            Err(reason) => TaskEvent::Failed(reason),
        };
        self.update(Event::Task(event))
    }

    fn edit(&mut self, path: &str, line: u32, column: u32) -> io::Result<()> {
        let words = editor::command(&self.services.editor, path, line, column);
        let mut result = Ok(());
        self.away(|| {
            let Some((program, arguments)) = words.split_first() else { return };
            result = match std::process::Command::new(program).args(arguments).status() {
                Ok(status) if status.success() => Ok(()),
                Ok(status) => Err(format!("`{program}` ended with {status}")),
                Err(error) => Err(format!("could not start `{program}`: {error}; set $EDITOR")),
            };
        })?;
        self.update(Event::Task(match result {
            Ok(()) => TaskEvent::EditorClosed,
            Err(reason) => TaskEvent::Failed(reason),
        }))
    }

    fn shell(&mut self, pod: &ObjectRef, container: Option<&str>, command: &[String]) -> io::Result<()> {
        let services = self.services.clone();
        let mut result = Err("no cluster is asked from here".to_owned());
        self.away(|| {
            if let Some(hub) = services.hub.get() {
                result = hub.shell(pod, container, command, terminal::CONSOLE);
            }
        })?;
        self.update(Event::Task(match result {
            Ok(0) => TaskEvent::Done(format!("left {}", pod.name)),
            Ok(code) => TaskEvent::Done(format!("left {}: the command ended with {code}", pod.name)),
            Err(reason) => TaskEvent::Failed(reason),
        }))
    }

    /// Forgets what is on screen. `Terminal::clear` would ask the terminal for its cursor, whose answer
    /// would be read as input.
    fn repaint(&mut self) -> io::Result<()> {
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// Gives the terminal to somebody else for a while and takes it back as it was.
    fn away(&mut self, other: impl FnOnce()) -> io::Result<()> {
        // the stream reads ahead on a thread of its own; it must not eat the other program's keys
        self.input = None;
        // dropping it leaves a wake-up behind that would hide the next key from the new stream; take it out
        let _ = crossterm::event::poll(Duration::ZERO);
        terminal::leave();
        other();
        terminal::enter(self.is_mouse_on)?;
        self.title.clear();
        self.repaint()?;
        let size = self.terminal.size()?;
        self.update(Event::Resize(size.width, size.height))
    }
}

fn world(app: &App) -> World {
    World {
        catalog: app.cx.catalog.clone(),
        kubernetes: app.cx.kubernetes.clone(),
        me: app.cx.me.clone(),
        stars: app.cx.stars.clone(),
    }
}

fn setting<'a>(cx: &'a Context, key: &str) -> Option<&'a str> {
    cx.settings.iter().find(|setting| setting.key == key).map(|setting| setting.value.as_str())
}

/// Stops this process until the shell continues it.
fn suspend() {
    #[cfg(unix)]
    {
        let _ =
            rustix::process::kill_process_group(rustix::process::getpgrp(), rustix::process::Signal::TSTP);
    }
}

/// Signals that ask to leave.
#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
        ]))
    }

    async fn any(&mut self) {
        let [terminate, hangup, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// Windows has none of these.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn any(&mut self) {
        std::future::pending::<()>().await;
    }
}
