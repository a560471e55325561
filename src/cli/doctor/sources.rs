//! The checks of the configured sources: each is asked now, whatever is kept of it.

use super::Finding;
use crate::app::context::age;
use crate::catalog::sources::unused_settings;
use crate::catalog::{Catalog, Loader, Progress, SourceState};
use crate::cli::session::Session;
use crate::config::secret::SecretSource;
use crate::diagnostic::Diagnostic;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Reads every source now and joins what they gave.
pub fn ask_all(loader: &Loader) -> Arc<Catalog> {
    let progress = Progress::none();
    // one thread a source: they wait for disks and networks
    std::thread::scope(|scope| {
        for index in 0..loader.sources().len() {
            let progress = &progress;
            scope.spawn(move || loader.refresh(index, None, progress));
        }
    });
    loader.join()
}

/// Returns what is to be said of the sources and their descriptors.
pub fn findings(session: &Session, catalog: &Catalog) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        session.notice().map(|notice| Finding::ok("sources", notice)).into_iter().collect();
    for (index, state) in catalog.sources().iter().enumerate() {
        findings.extend(of_source(&session.loader, index, state));
    }
    // what is wrong with a source as a whole is told with the source
    let of_descriptor =
        |diagnostic: &&Diagnostic| diagnostic.is_error() && !diagnostic.code.starts_with("source::");
    let errors = catalog.diagnostics().iter().filter(of_descriptor).count();
    if errors > 0 {
        let text = format!("{errors} {} in descriptors", if errors == 1 { "error" } else { "errors" });
        let fix = "`devportal open problems` shows each with its line";
        findings.push(Finding::warn("descriptors", text, fix));
    }
    findings
}

fn of_source(loader: &Loader, index: usize, state: &SourceState) -> Vec<Finding> {
    let Some(config) = loader.sources().get(index) else { return Vec::new() };
    let name = format!("source {}", state.name);
    let place = if state.place.is_empty() { String::new() } else { format!(" at {}", state.place) };
    // an error about the token says as much
    let is_told = state.error.as_ref().is_some_and(|error| error.code == "source::no-secret");
    let token = config.token.as_ref().filter(|_| !is_told).map(token).unwrap_or_default();
    let place = format!("{}{place}", config.kind);
    let held = held(state);
    let next = next(loader, index);
    let first = if let Some(error) = &state.error {
        let fix = error.hint.clone().unwrap_or_else(|| "check its place in the settings".to_owned());
        let text = format!("{place}: {}{token}; {held}{next}", error.message);
        // who says `--offline` knows that nobody is asked
        if loader.options().offline && state.read_at.is_some() {
            Finding::warn(name.clone(), text, fix)
        } else {
            Finding::fail(name.clone(), text, fix)
        }
    } else {
        let text = format!("{place}: {held}{token}{next}");
        let fix = if state.is_local() {
            "put a catalog-info.yaml there: `devportal init --catalog-info`"
        } else {
            "check what it is set to read, and what its token may see"
        };
        if state.entities > 0 {
            Finding::ok(name.clone(), text)
        } else {
            Finding::warn(name.clone(), text, fix)
        }
    };
    let mut findings = vec![first];
    let unused = unused_settings(config);
    if !unused.is_empty() {
        let keys: Vec<String> = unused.iter().map(|key| format!("`{key}`")).collect();
        let text = format!("the type `{}` does not use {}", config.kind, keys.join(", "));
        findings.push(Finding::warn(name, text, "take it out of the source, or change its type"));
    }
    findings
}

/// What there is of it: `12 entities in 3 files, read now`.
fn held(state: &SourceState) -> String {
    let number = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let Some(read_at) = state.read_at else { return "nothing is kept of it".to_owned() };
    let when = match age(Timestamp::now().as_second() - read_at.as_second()) {
        now if now == "now" => now,
        age => format!("{age} ago"),
    };
    let entities = number(state.entities, "entity", "entities");
    format!("{entities} in {}, read {when}", number(state.files, "file", "files"))
}

/// When it is read again while the screen is open.
fn next(loader: &Loader, index: usize) -> String {
    match loader.every(index) {
        Some(every) => format!("; read again every {}", in_words(every)),
        None if loader.state(index).is_local() => "; its files are watched".to_owned(),
        None => String::new(),
    }
}

fn in_words(every: Duration) -> String {
    match every.as_secs() {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds => age(i64::try_from(seconds).unwrap_or(i64::MAX)),
    }
}

/// Whether the token is found, and where; never what it is, and of a command not its arguments.
fn token(token: &SecretSource) -> String {
    let place = match token {
        SecretSource::Env(name) => format!("the environment variable `{name}`"),
        SecretSource::File(path) => format!("the file `{}`", path.display()),
        SecretSource::Command(words) => {
            format!("the command `{}`", words.first().map_or("", String::as_str))
        }
        SecretSource::Keyring(entry) => format!("`{entry}` in the keyring"),
    };
    match token.read() {
        Ok(_) => format!("; token found in {place}"),
        Err(_) => format!("; no token in {place}"),
    }
}
