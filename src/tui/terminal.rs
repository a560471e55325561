//! The terminal: entering and leaving the full screen, and giving it back whole whatever happens.

use crate::kubernetes::exec::shell::Console;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{execute, queue};
use std::io::{self, BufWriter, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// One write per frame: everything is collected here first.
const BUFFER: usize = 64 * 1024;
/// Presses and wheel only: reports of every movement would keep an idle program awake.
const MOUSE_ON: &str = "\u{1b}[?1000h\u{1b}[?1006h";
const MOUSE_OFF: &str = "\u{1b}[?1006l\u{1b}[?1000l";
/// Saves and restores the window title.
const TITLE_PUSH: &str = "\u{1b}[22;2t";
const TITLE_POP: &str = "\u{1b}[23;2t";

/// Whether the screen is ours; looked at by the panic hook.
static IS_ENTERED: AtomicBool = AtomicBool::new(false);

/// What frames are written to.
pub type Output = BufWriter<Stdout>;

/// Returns the output of the screen.
pub fn output() -> Output {
    BufWriter::with_capacity(BUFFER, io::stdout())
}

/// Takes the screen: raw mode, alternate screen, pasted text as such.
pub fn enter(is_mouse_on: bool) -> io::Result<()> {
    enable_raw_mode()?;
    IS_ENTERED.store(true, Ordering::SeqCst);
    let mut out = output();
    queue!(out, Print(TITLE_PUSH), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
    if is_mouse_on {
        queue!(out, Print(MOUSE_ON))?;
    }
    out.flush()
}

/// Gives the screen back. Safe to call twice; never fails, since it runs when something else has.
pub fn leave() {
    if !IS_ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = output();
    let _ =
        execute!(out, Print(MOUSE_OFF), DisableBracketedPaste, Show, LeaveAlternateScreen, Print(TITLE_POP));
    let _ = disable_raw_mode();
}

/// Turns mouse reports on or off.
pub fn set_mouse(is_on: bool) -> io::Result<()> {
    let mut out = io::stdout();
    execute!(out, Print(if is_on { MOUSE_ON } else { MOUSE_OFF }))
}

/// Sets the window title; control codes must be cleaned already.
pub fn set_title(title: &str) -> io::Result<()> {
    let mut out = io::stdout();
    execute!(out, Print(format!("\u{1b}]2;{title}\u{7}")))
}

/// Gives the screen back before a panic is reported, and keeps a report in `folder`.
///
/// Panics on other threads end one task, not the program: they are left to the log.
pub fn install_panic_hook(folder: std::path::PathBuf) {
    let ui = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let payload = info.payload();
        let cause = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let cause = cause.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(%place, %cause, "panic");
        if std::thread::current().id() != ui {
            return;
        }
        leave();
        let trace = std::backtrace::Backtrace::force_capture();
        let path = folder.join("crash.txt");
        let version = env!("CARGO_PKG_VERSION");
        let report = format!("devportal {version} crashed at {place}\n{cause}\n\n{trace}\n");
        let is_kept = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, report)).is_ok();
        let kept = if is_kept { format!("; the report is in {}", path.display()) } else { String::new() };
        let _ = writeln!(io::stderr(), "devportal crashed at {place}: {cause}{kept}");
    }));
}

/// Takes the screen as long as it lives.
#[derive(Debug)]
pub struct Screen(());

impl Screen {
    /// Enters the full screen.
    pub fn enter(is_mouse_on: bool) -> io::Result<Self> {
        enter(is_mouse_on).inspect_err(|_| leave())?;
        Ok(Self(()))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// The terminal, for a program that it is handed to.
pub const CONSOLE: Console = Console {
    raw: |is_on| {
        if is_on { crossterm::terminal::enable_raw_mode() } else { crossterm::terminal::disable_raw_mode() }
    },
    size: || crossterm::terminal::size().ok(),
};
