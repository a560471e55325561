//! A shell in a container with this process's terminal: raw keys there, raw output back, sizes forwarded, and the
//! terminal as it was afterwards, whatever the program on the other side left behind.

use super::{Ended, With, ended, is_missing, not_started, place, start};
use crate::kubernetes::ask::Session;
use crate::kubernetes::kubectl::{Act, Kubectl};
use crate::kubernetes::object::ObjectRef;
use futures_util::SinkExt;
use kube::api::{AttachedProcess, TerminalSize};
use std::io::{self, Write};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

/// Shells by preference.
const SHELLS: [&str; 3] = ["bash", "ash", "sh"];
/// How long one shell is tried.
const TRY: Duration = Duration::from_secs(15);
/// Chunks of output on the way to the terminal.
const QUEUE: usize = 32;
/// What a program may have turned on and not off again: alternate screen, mouse, pasted text, keypad, keyboard
/// protocols, colours, character set, scroll region; the cursor is shown.
const RESTORE: &str = "\u{1b}[?1049l\u{1b}[?1000l\u{1b}[?1002l\u{1b}[?1003l\u{1b}[?1006l\u{1b}[?2004l\u{1b}[?1l\
                       \u{1b}>\u{1b}[=0u\u{1b}[>4;0m\u{1b}[0m\u{1b}(B\u{1b}[?7h\u{1b}[r\u{1b}[?25h";

/// What the face knows of its terminal.
#[derive(Debug, Clone, Copy)]
pub struct Console {
    /// Hands keys over as they are typed, or no longer.
    pub raw: fn(bool) -> io::Result<()>,
    /// Columns and rows, where they are known.
    pub size: fn() -> Option<(u16, u16)>,
}

/// Hands the terminal to a command in a container until it ends; returns its exit code. An empty command means the
/// best shell that is there.
///
/// # Errors
/// What failed, why and what to do, in a sentence.
pub async fn shell(
    session: &Session,
    at: &ObjectRef,
    container: Option<&str>,
    command: &[String],
    console: Console,
) -> Result<i32, String> {
    if let Some(why) = session.locked() {
        return Err(why);
    }
    let (pod, container) = place(session, at, container).await?;
    let command = match command {
        [] => vec![best_shell(session, &pod, &container).await?],
        command => command.to_vec(),
    };
    let process = start(session, &pod, &container, &command, With { stdin: true, tty: true }).await?;
    let environment = match &*session.cluster.environment {
        "" => String::new(),
        environment => format!(" · env {environment}"),
    };
    let banner = crate::model::text::clean(&format!(
        "── {} in {}/{} · container {container} · cluster {}{environment} ── exit leaves; so does ~. on a new line",
        command.join(" "),
        pod.namespace,
        pod.name,
        pod.cluster
    ))
    .into_owned();
    match hand_over(process, &banner, console).await? {
        Ended::Code(code) => Ok(code),
        Ended::NotStarted(why) => Err(not_started(&command, &why)),
        Ended::Lost => Err(format!(
            "the connection to {} in {} was lost; what ran there may go on",
            session.called(&pod),
            session.place(&pod.namespace)
        )),
    }
}

/// Finds the best shell of a container: each is started once and ended at once.
async fn best_shell(session: &Session, pod: &ObjectRef, container: &str) -> Result<String, String> {
    for name in SHELLS {
        let command = [name, "-c", "exit 0"].map(str::to_owned);
        let process = start(session, pod, container, &command, With { stdin: false, tty: false }).await?;
        let tried = tokio::time::timeout(TRY, super::stream(process, |_, _| {})).await;
        match tried {
            Ok(Ok(Ended::Code(0))) => return Ok(name.to_owned()),
            // docker's way to say that there is none
            Ok(Ok(Ended::Code(126 | 127))) => {}
            Ok(Ok(Ended::NotStarted(why))) if is_missing(&why) => {}
            Ok(Ok(Ended::Code(code))) => {
                tracing::debug!(name, code, "a shell that does not end well");
            }
            Ok(Ok(Ended::NotStarted(why))) => {
                return Err(format!("no shell could be started in container `{container}`: {why}"));
            }
            Ok(Ok(Ended::Lost)) => return Err(format!("the connection to {} was lost", session.called(pod))),
            Ok(Err(why)) => return Err(why),
            Err(_) => return Err(format!("`{name}` does not answer in container `{container}`")),
        }
    }
    let act = Act::Debug { container: Some(container.into()) };
    let line = Kubectl::new(&session.cluster).line("pod", pod, &act);
    Err(format!(
        "container `{container}` has no shell (tried {}); look into it with `{line}`",
        SHELLS.join(", ")
    ))
}

/// Raw mode as long as it lives; then everything as it was.
struct Raw(Console);

impl Raw {
    fn enter(console: Console) -> Result<Self, String> {
        (console.raw)(true).map_err(|error| format!("the terminal cannot be handed over: {error}"))?;
        Ok(Self(console))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let mut out = io::stdout();
        let _ = out.write_all(RESTORE.as_bytes()).and_then(|()| out.flush());
        let _ = (self.0.raw)(false);
    }
}

/// Connects the terminal with a command until it ends, the user leaves or the terminal is gone.
async fn hand_over(mut process: AttachedProcess, banner: &str, console: Console) -> Result<Ended, String> {
    let keys = Keys::open().map_err(|error| format!("the keys of this terminal cannot be read: {error}"))?;
    let raw = Raw::enter(console)?;
    let (screen, drawing) = screen();
    let _ = screen.send(format!("{banner}\r\n").into_bytes()).await;
    let mut resize = process.terminal_size();
    send_size(&mut resize, console).await;
    let (stdin, stdout, status) = (process.stdin(), process.stdout(), process.take_status());
    let (Some(mut stdin), Some(mut stdout), Some(status)) = (stdin, stdout, status) else {
        return Err("the server opened no terminal".to_owned());
    };
    let mut signals = Signals::new(console);
    let mut escape = Escape::default();
    let mut typed = vec![0_u8; 4096];
    let mut shown = vec![0_u8; super::PIPE];
    let is_left = loop {
        tokio::select! {
            biased;
            read = keys.read(&mut typed) => match read {
                Ok(length) if length > 0 => {
                    let bytes = typed.get(..length).unwrap_or_default();
                    if escape.is_left(bytes) {
                        break true;
                    }
                    // an error here is the end of the output too
                    let _ = stdin.write_all(bytes).await;
                    let _ = stdin.flush().await;
                }
                // nobody is there any more
                _ => break true,
            },
            signal = signals.next() => match signal {
                Signal::Resized => send_size(&mut resize, console).await,
                Signal::Ended => break true,
            },
            read = stdout.read(&mut shown) => match read {
                Ok(length) if length > 0 => {
                    let bytes = shown.get(..length).unwrap_or_default().to_vec();
                    if screen.send(bytes).await.is_err() {
                        break true;
                    }
                }
                _ => break false,
            },
        }
    };
    let ended = if is_left {
        process.abort();
        Ended::Code(0)
    } else {
        ended(status.await.as_ref())
    };
    // everything is drawn before the terminal goes back
    drop(screen);
    let _ = drawing.await;
    drop(raw);
    let _ = writeln!(io::stdout(), "── {}", farewell(&ended, is_left));
    Ok(ended)
}

fn farewell(ended: &Ended, is_left: bool) -> String {
    match ended {
        _ if is_left => "left; what ran there is ended by its container".to_owned(),
        Ended::Code(code) => format!("ended with exit code {code}"),
        Ended::NotStarted(_) => "could not be started".to_owned(),
        Ended::Lost => "the connection was lost".to_owned(),
    }
}

/// Writes to the terminal on a thread that may wait for it.
fn screen() -> (mpsc::Sender<Vec<u8>>, tokio::task::JoinHandle<()>) {
    let (sender, mut receiver) = mpsc::channel::<Vec<u8>>(QUEUE);
    let drawing = tokio::task::spawn_blocking(move || {
        let mut out = io::stdout().lock();
        while let Some(bytes) = receiver.blocking_recv() {
            let is_written = out.write_all(&bytes).is_ok();
            if !is_written || (receiver.is_empty() && out.flush().is_err()) {
                return;
            }
        }
        let _ = out.flush();
    });
    (sender, drawing)
}

async fn send_size(to: &mut Option<impl futures_util::Sink<TerminalSize> + Unpin>, console: Console) {
    if let (Some(to), Some((width, height))) = (to, (console.size)()) {
        let _ = to.send(TerminalSize { width, height }).await;
    }
}

/// `~.` at the beginning of a line leaves even when nothing answers, as in ssh.
#[derive(Debug)]
struct Escape {
    /// Bytes of the escape typed since a line began: 0 outside of a beginning.
    typed: Option<bool>,
}

impl Default for Escape {
    fn default() -> Self {
        Self { typed: Some(false) }
    }
}

impl Escape {
    fn is_left(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            self.typed = match (self.typed, byte) {
                (_, b'\r' | b'\n' | 3 | 4) => Some(false),
                (Some(false), b'~') => Some(true),
                (Some(true), b'.') => return true,
                _ => None,
            };
        }
        false
    }
}

enum Signal {
    Resized,
    Ended,
}

#[cfg(unix)]
use super::tty::Keys;

#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 3]);

#[cfg(unix)]
impl Signals {
    fn new(_: Console) -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::window_change(), SignalKind::terminate(), SignalKind::hangup()];
        Self(kinds.map(|kind| signal(kind).ok()))
    }

    async fn next(&mut self) -> Signal {
        let [resized, terminate, hangup] = &mut self.0;
        tokio::select! {
            () = received(resized) => Signal::Resized,
            () = received(terminate) => Signal::Ended,
            () = received(hangup) => Signal::Ended,
        }
    }
}

#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Where there are no such signals, the size is looked at.
#[cfg(not(unix))]
struct Signals(Option<(u16, u16)>, Console);

#[cfg(not(unix))]
impl Signals {
    fn new(console: Console) -> Self {
        Self((console.size)(), console)
    }

    async fn next(&mut self) -> Signal {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let size = (self.1.size)();
            if size != self.0 {
                self.0 = size;
                return Signal::Resized;
            }
        }
    }
}

/// Without a second way to the terminal, a thread reads it and hands over what was typed.
#[cfg(not(unix))]
struct Keys(tokio::sync::Mutex<mpsc::Receiver<Vec<u8>>>);

#[cfg(not(unix))]
impl Keys {
    fn open() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        std::thread::Builder::new().spawn(move || {
            let mut buffer = [0_u8; 1024];
            while let Ok(length) = io::Read::read(&mut io::stdin(), &mut buffer) {
                let bytes = buffer.get(..length).unwrap_or_default().to_vec();
                if length == 0 || sender.blocking_send(bytes).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self(tokio::sync::Mutex::new(receiver)))
    }

    async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.lock().await.recv().await.unwrap_or_default();
        let length = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), bytes.get(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_counts_only_where_a_line_begins() {
        let cases: [(&[&[u8]], bool); 7] = [
            (&[b"~."], true),
            (&[b"~", b"."], true),
            (&[b"ls\r", b"~."], true),
            (&[b"ls ~."], false),
            (&[b"~x."], false),
            (&[b"~~."], false),
            (&[b"\x03~."], true),
        ];
        for (typed, expected) in cases {
            let mut escape = Escape::default();
            let is_left = typed.iter().any(|bytes| escape.is_left(bytes));
            assert_eq!(is_left, expected, "{typed:?}");
        }
    }
}
