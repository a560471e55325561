//! Where a secret comes from, and the secret itself, which nothing prints.
//!
//! Start at [`SecretSource::read`]. The configuration names only the place: an environment variable, a
//! file, a command's output, the system's keyring. A command is run without a shell.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// Where a secret comes from: `{ env = "X" }`, `{ file = "…" }`, `{ command = ["gh", "auth", "token"] }`,
/// `{ keyring = "service/account" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum SecretSource {
    /// Name of an environment variable.
    Env(String),
    /// File whose first line is the secret.
    File(PathBuf),
    /// Program with its arguments; the first line of its output is the secret.
    Command(Vec<String>),
    /// `service/account` in the system's keyring.
    Keyring(String),
}

/// A secret; `Debug` shows that there is one, nothing shows which.
#[derive(Debug, Clone)]
pub struct Secret(Arc<SecretString>);

impl Secret {
    /// Takes a text as a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::from(text.into())))
    }

    /// Returns the text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Why a secret could not be read; names the place, never the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or empty.
    #[error("the environment variable `{0}` is not set")]
    NoVariable(String),
    /// The file cannot be read, or its first line is empty.
    #[error("the file `{path}` holds no secret: {cause}")]
    BadFile {
        /// The file.
        path: String,
        /// In plain words.
        cause: String,
    },
    /// The command failed, or printed nothing.
    #[error("the command `{program}` gave no secret: {cause}")]
    BadCommand {
        /// The program, without its arguments.
        program: String,
        /// In plain words.
        cause: String,
    },
    /// The keyring has no such entry, or there is no keyring.
    #[error("the keyring gave no secret for `{entry}`: {cause}")]
    BadKeyring {
        /// `service/account`.
        entry: String,
        /// In plain words.
        cause: String,
    },
}

impl SecretSource {
    /// Reads the secret. Blocks while a command runs, at most ten seconds.
    ///
    /// # Errors
    /// [`SecretError`], which never holds any of the secret.
    pub fn read(&self) -> Result<Secret, SecretError> {
        match self {
            Self::Env(name) => std::env::var(name)
                .ok()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .map(Secret::new)
                .ok_or_else(|| SecretError::NoVariable(name.clone())),
            Self::File(path) => {
                let bad = |cause: String| SecretError::BadFile { path: path.display().to_string(), cause };
                let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
                first_line(&text).ok_or_else(|| bad("its first line is empty".to_owned()))
            }
            Self::Command(words) => {
                let program = words.first().cloned().unwrap_or_default();
                let bad = |cause: String| SecretError::BadCommand { program: program.clone(), cause };
                let output = std::process::Command::new(&program)
                    .args(words.iter().skip(1))
                    .stdin(std::process::Stdio::null())
                    .output()
                    .map_err(|error| bad(error.to_string()))?;
                if !output.status.success() {
                    return Err(bad(format!("it ended with {}", output.status)));
                }
                first_line(&String::from_utf8_lossy(&output.stdout))
                    .ok_or_else(|| bad("it printed nothing".to_owned()))
            }
            Self::Keyring(entry) => Err(SecretError::BadKeyring {
                entry: entry.clone(),
                cause: "this system has no keyring that is known".to_owned(),
            }),
        }
    }
}

fn first_line(text: &str) -> Option<Secret> {
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_shows_a_secret() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
