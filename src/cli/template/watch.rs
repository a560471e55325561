//! Does something again whenever a file below a path is saved.

use crate::cli::error::{CliError, Exit};
use crate::cli::output::Output;
use crate::diagnostic::Diagnostic;
use notify::{EventKind, RecursiveMode, Watcher as _};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Editors write several times when they save.
const SETTLES: Duration = Duration::from_millis(150);

/// Does it once, or again and again until somebody interrupts.
pub(super) fn again(
    watches: bool,
    path: &Path,
    out: &mut Output,
    mut work: impl FnMut(&mut Output) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    if !watches {
        return work(out);
    }
    let failed = |error: notify::Error| {
        let message = format!("could not watch `{}`: {error}", path.display());
        CliError::failure(Diagnostic::error("template::watch", message))
    };
    let (told, events) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading a file is an event as well
        let changes = event.is_ok_and(|event| !matches!(event.kind, EventKind::Access(_)));
        if changes {
            let _ = told.send(());
        }
    })
    .map_err(failed)?;
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    watcher.watch(folder, RecursiveMode::Recursive).map_err(failed)?;
    loop {
        if let Err(error) = work(out) {
            out.failure(&error);
        }
        out.flush()?;
        out.note("waiting for the next save; ctrl-c ends");
        // What the work itself wrote is no reason to do it again
        std::thread::sleep(SETTLES);
        while events.try_recv().is_ok() {}
        if events.recv().is_err() {
            return Ok(Exit::Fine);
        }
        while !matches!(
            events.recv_timeout(SETTLES),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)
        ) {}
    }
}
