//! Where a secret comes from, and the secret itself, which nothing prints.
//!
//! Start at [`SecretSource::read`]. The configuration names only the place: an environment variable, a
//! file, a command's output, the system's keyring. A command is run without a shell, for ten seconds at
//! most, in a group of processes of its own, so that it cannot ask on the terminal.

use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::model::text::clean;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// Longest time for a command.
const COMMAND_TIME: Duration = Duration::from_secs(10);
/// Most of an output or file that is looked at, in bytes.
const MAX_BYTES: usize = 64 * 1024;
/// Longest part of a command's own words in an error, in characters.
const MAX_WORDS: usize = 200;

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
    /// The variable holds what no secret is.
    #[error("the environment variable `{name}` holds no secret: {cause}")]
    BadVariable {
        /// Its name.
        name: String,
        /// In plain words.
        cause: String,
    },
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
            Self::Env(name) => {
                let text = std::env::var(name).unwrap_or_default();
                if text.trim().is_empty() {
                    return Err(SecretError::NoVariable(name.clone()));
                }
                first_line(&text).map_err(|cause| SecretError::BadVariable { name: name.clone(), cause })
            }
            Self::File(path) => {
                let path = at_home(path);
                read_file(&path)
                    .and_then(|text| first_line(&text))
                    .map_err(|cause| SecretError::BadFile { path: path.display().to_string(), cause })
            }
            Self::Command(words) => {
                let program = words.first().cloned().unwrap_or_default();
                run(words, COMMAND_TIME).map_err(|cause| SecretError::BadCommand { program, cause })
            }
            Self::Keyring(entry) => {
                keyring(entry).map_err(|cause| SecretError::BadKeyring { entry: entry.clone(), cause })
            }
        }
    }

    /// Returns what is not as it should be, though it works: a file that others may read.
    pub fn warning(&self) -> Option<Diagnostic> {
        let Self::File(path) = self else { return None };
        let path = at_home(path);
        is_open_to_others(&path).then(|| {
            let shown = path.display().to_string();
            Diagnostic::warning(
                "config::open-secret",
                format!("the secret in `{shown}` can be read by others"),
            )
            .at(SourceLocation::file(shown.clone()))
            .hint(format!("`chmod 600 {shown}`"))
        })
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// Returns a path with `~` as the home folder.
fn at_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), super::Paths::from_environment().home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let said = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission is missing".to_owned(),
        _ => error.to_string(),
    };
    // a pipe would wait for somebody to write
    if !std::fs::metadata(path).map_err(said)?.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64).read_to_end(&mut bytes))
        .map_err(said)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Takes the first line as the secret.
fn first_line(text: &str) -> Result<Secret, String> {
    let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return Err("its first line is empty".to_owned());
    }
    if line.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Err("its first line has characters that no secret has".to_owned());
    }
    Ok(Secret::new(line))
}

/// Runs a program and takes the first line that it prints.
fn run(words: &[String], longest: Duration) -> Result<Secret, String> {
    let Some((program, arguments)) = words.split_first().filter(|(program, _)| !program.is_empty()) else {
        return Err("`command` names no program".to_owned());
    };
    let mut command = Command::new(at_home(Path::new(program)));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such program".to_owned(),
        _ => error.to_string(),
    })?;
    let deadline = Instant::now().checked_add(longest);
    let (output, words) = (beginning(child.stdout.take()), beginning(child.stderr.take()));
    let Some(status) = wait(&mut child, deadline) else {
        stop(&mut child);
        return Err(format!("it did not end within {} s", longest.as_secs()));
    };
    let (output, words) = (output.take(), words.take());
    if !status.success() {
        let words: String =
            clean(words.lines().next().unwrap_or_default().trim()).chars().take(MAX_WORDS).collect();
        let ended = status.code().map_or_else(|| status.to_string(), |code| format!("it ended with {code}"));
        return Err(if words.is_empty() { ended } else { format!("{ended}: {words}") });
    }
    if output.trim().is_empty() {
        return Err("it printed nothing".to_owned());
    }
    first_line(&output)
}

/// The beginning of what comes out of a pipe. It is read to its end on a thread of its own, so that the
/// program never waits for us.
struct Beginning {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: mpsc::Receiver<()>,
}

fn beginning(pipe: Option<impl Read + Send + 'static>) -> Beginning {
    let (sender, ended) = mpsc::channel();
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let seen = bytes.clone();
    std::thread::spawn(move || {
        let Some(mut pipe) = pipe else { return };
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut chunk) {
            let mut bytes = seen.lock().unwrap_or_else(PoisonError::into_inner);
            let room = MAX_BYTES.saturating_sub(bytes.len());
            bytes.extend(chunk.iter().take(count.min(room)));
        }
        drop(sender);
    });
    Beginning { bytes, ended }
}

impl Beginning {
    fn take(self) -> String {
        // something that the program started may hold the pipe open for longer than it lives itself
        let _ = self.ended.recv_timeout(Duration::from_millis(500));
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

fn wait(child: &mut Child, deadline: Option<Instant>) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if deadline.is_some_and(|at| Instant::now() < at) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Ends a program with all that it started.
fn stop(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// Asks the system's own tool for an entry `service/account`.
fn keyring(entry: &str) -> Result<Secret, String> {
    let (service, account) = entry
        .rsplit_once('/')
        .filter(|(service, account)| !service.is_empty() && !account.is_empty())
        .ok_or("write it as `service/account`")?;
    let words: &[&str] = if cfg!(target_os = "macos") {
        &["security", "find-generic-password", "-s", service, "-a", account, "-w"]
    } else if cfg!(windows) {
        return Err("no keyring of this system is known; use `command`, `file` or `env`".to_owned());
    } else {
        &["secret-tool", "lookup", "service", service, "account", account]
    };
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    run(&words, COMMAND_TIME).map_err(|cause| match cause.as_str() {
        "there is no such program" => {
            format!("`{}`, which asks it, is not installed", words.first().map_or("", String::as_str))
        }
        "it ended with 1" | "it printed nothing" => "it has no such entry, or is locked".to_owned(),
        _ => cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_debug_shows_a_secret() {
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }

    #[test]
    fn the_first_line_is_the_secret() {
        let cases = [
            ("abc\nsecond", Ok("abc")),
            ("  abc \r\n", Ok("abc")),
            ("\u{feff}abc", Ok("abc")),
            ("", Err("empty")),
            ("\nabc", Err("empty")),
            ("a\u{1b}bc", Err("characters")),
        ];
        for (text, expected) in cases {
            match (first_line(text), expected) {
                (Ok(secret), Ok(expected)) => assert_eq!(secret.expose(), expected),
                (Err(cause), Err(part)) => assert!(cause.contains(part), "{cause}"),
                (found, _) => panic!("{text:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_warned_about() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = SecretSource::File(path.clone());
        assert!(source.read().unwrap_err().to_string().contains("no such file"));
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(source.read().unwrap().expose(), "hunter2");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let set = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            set(0o644);
            let warning = source.warning().unwrap();
            assert!(!warning.render().contains("hunter2") && warning.render().contains("chmod 600"));
            set(0o600);
            assert_eq!(source.warning(), None);
        }
        let folder = SecretSource::File(folder.path().to_owned());
        assert!(folder.read().unwrap_err().to_string().contains("not a regular file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_is_bounded_and_its_words_are_told() {
        let run = |script: &str, longest: u64| {
            let words = ["sh", "-c", script].map(str::to_owned);
            super::run(&words, Duration::from_millis(longest)).map(|secret| secret.expose().to_owned())
        };
        assert_eq!(run("echo hunter2; echo more", 5000), Ok("hunter2".to_owned()));
        assert_eq!(run("printf hunter2; yes | head -c 1000000 >&2", 5000), Ok("hunter2".to_owned()));
        let failed = run("printf '\\033[31mnot signed in\\nhunter2\\n' >&2; echo hunter2; exit 4", 5000);
        let cause = failed.unwrap_err();
        assert!(cause.starts_with("it ended with 4: ") && cause.ends_with("not signed in"), "{cause}");
        assert!(!cause.contains('\u{1b}') && !cause.contains("hunter2"));
        assert_eq!(run("echo hunter2; sleep 20 &", 5000), Ok("hunter2".to_owned()), "what it leaves behind");
        assert_eq!(run("true", 5000), Err("it printed nothing".to_owned()));
        assert!(run("sleep 60 & sleep 60", 100).unwrap_err().contains("did not end"));
        assert_eq!(run("cat", 5000), Err("it printed nothing".to_owned()), "it gets no input");
        assert!(
            super::run(&["no-such-program-here".to_owned()], COMMAND_TIME).unwrap_err().contains("no such")
        );
        assert!(super::run(&[], COMMAND_TIME).is_err());
        let endless = run("yes hunter2 | head -c 3000000", 5000);
        assert_eq!(endless, Ok("hunter2".to_owned()));
    }

    #[test]
    fn a_keyring_entry_names_service_and_account() {
        for entry in ["", "service", "/account", "service/"] {
            let error = SecretSource::Keyring(entry.to_owned()).read().unwrap_err();
            assert!(error.to_string().contains("service/account"), "{error}");
        }
    }
}
