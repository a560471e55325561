//! Which git repository a command about revisions means.
//!
//! The one that `--catalog` names, else the only source that is one, else that of the current folder.

use super::error::CliError;
use super::session::{Session, SourcesFrom};
use crate::catalog::compare::RepositorySource;
use crate::catalog::sources::SourceError;
use crate::catalog::{Loader, Progress};
use crate::config::source::SourceConfig;
use crate::diagnostic::Diagnostic;
use std::path::PathBuf;
use std::sync::Arc;

/// Returns the repository that a command means.
///
/// # Errors
/// A sentence when there is none, or more than one.
pub fn of_loader(loader: &Loader, from: SourcesFrom) -> Result<RepositorySource, Box<Diagnostic>> {
    let source = |index: usize, config: &SourceConfig| RepositorySource {
        config: config.clone(),
        folder: loader.folder(index).unwrap_or_else(temporary),
    };
    if matches!(from, SourcesFrom::Sample | SourcesFrom::Demo) {
        let here = SourceConfig::guess(".", None);
        if is_repository(&here) {
            return Ok(RepositorySource { config: here, folder: temporary() });
        }
        let diagnostic = Diagnostic::error("git::no-repository", "the built-in sample has no revisions");
        return Err(Box::new(diagnostic.hint("name a git repository with `--catalog PATH`")));
    }
    let found: Vec<RepositorySource> = loader
        .sources()
        .iter()
        .enumerate()
        .filter(|(_, config)| is_repository(config))
        .map(|(index, config)| source(index, config))
        .collect();
    match <[RepositorySource; 1]>::try_from(found) {
        Ok([one]) => Ok(one),
        Err(none) if none.is_empty() => {
            let diagnostic =
                Diagnostic::error("git::no-repository", "no source of the catalog is a git repository");
            Err(Box::new(diagnostic.hint("name one with `--catalog PATH`")))
        }
        Err(several) => {
            let names: Vec<String> =
                several.iter().take(10).map(|source| format!("`{}`", source.config.name)).collect();
            let message = format!("{} sources are git repositories: {}", several.len(), names.join(", "));
            let hint = "name one with `--catalog PATH`";
            Err(Box::new(Diagnostic::error("git::several-repositories", message).hint(hint)))
        }
    }
}

/// Returns whether a source has revisions, without touching the network.
fn is_repository(config: &SourceConfig) -> bool {
    match (&config.path, &config.url) {
        (Some(path), _) => git2::Repository::discover(path).is_ok(),
        (None, Some(_)) => config.kind == "git",
        (None, None) => false,
    }
}

/// A folder for one run, when nothing may be kept.
fn temporary() -> PathBuf {
    std::env::temp_dir().join(format!("devportal-revisions-{}", std::process::id()))
}

/// Turns the error of a source into one of the command line.
pub fn to_cli_error(error: &SourceError, source: &RepositorySource) -> CliError {
    let name: Arc<str> = source.config.name.as_str().into();
    let diagnostic = error.to_diagnostic(&name, &source.config.name);
    match error {
        SourceError::UnknownRevision { .. } => CliError::not_found(diagnostic),
        SourceError::Net { .. } | SourceError::Unreached { .. } | SourceError::Cancelled => {
            CliError::unreachable(diagnostic)
        }
        SourceError::BadSetting { .. } => CliError::misuse(diagnostic),
        _ => CliError::failure(diagnostic),
    }
}

/// Returns progress that is cancelled when the time of the command is over.
pub fn progress(session: &Session) -> Progress {
    let cancel = tokio_util::sync::CancellationToken::new();
    if let Some(timeout) = session.timeout {
        let cancel = cancel.clone();
        std::thread::spawn(move || {
            std::thread::sleep(timeout);
            cancel.cancel();
        });
    }
    Progress::none().cancelled_by(cancel)
}
