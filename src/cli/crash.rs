//! What happens when the program itself makes a mistake: one sentence, a report, exit code 1.

use super::error::Exit;
use crate::config::Paths;
use crate::diagnostic::Diagnostic;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs something; a panic in it is reported in one sentence instead of a trace. The full screen sets a
/// hook of its own that also gives the terminal back.
pub fn guarded(act: impl FnOnce() -> Exit) -> Exit {
    let main = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let payload = info.payload();
        let cause = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let cause = cause.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(%place, %cause, "panic");
        // Another thread ends one task; who waits for it says so
        if std::thread::current().id() == main {
            report(&place, &cause);
        }
    }));
    catch_unwind(AssertUnwindSafe(act)).unwrap_or(Exit::Failed)
}

fn report(place: &str, cause: &str) {
    let file = Paths::from_environment().state.join("crash.txt");
    let trace = std::backtrace::Backtrace::force_capture();
    let version = env!("CARGO_PKG_VERSION");
    let text = format!("devportal {version} crashed at {place}\n{cause}\n\n{trace}\n");
    let mut diagnostic =
        Diagnostic::error("cli::crash", format!("devportal made a mistake at {place}: {cause}"));
    if crate::store::write_atomic(&file, text.as_bytes()).is_ok() {
        diagnostic = diagnostic.hint(format!("please report it with {}", file.display()));
    }
    let _ = std::io::stderr().write_all(diagnostic.render().as_bytes());
}
