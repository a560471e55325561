//! Runs the user's own `git`: never through a shell, never asking questions, never for ever.
//!
//! Start at [`Git::run`]. The user's configuration, credential helpers, ssh settings and proxies apply;
//! hooks, prompts and transports that run other programs do not. Whoever cancels stops the program with
//! everything it has started.

use super::address::{GitAddress, PROTOCOLS};
use crate::config::secret::Secret;
use base64::Engine as _;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Longest time that one run of `git` may take, however much it has to say.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Largest output that is taken: a list of references.
const MAX_OUTPUT: usize = 64 * 1024 * 1024;
/// Largest part of what it says on stderr that is kept.
const MAX_TALK: usize = 64 * 1024;
/// Time to end in good order after being told to.
const GRACE: Duration = Duration::from_millis(500);
/// How often the end and the cancelling are looked for.
const LOOK: Duration = Duration::from_millis(40);
/// Slower than this many bytes a second for [`SLOW_FOR`] counts as no answer.
const SLOW: &str = "500";
/// Seconds.
const SLOW_FOR: &str = "60";

/// Variables of the surroundings that would point `git` at another repository or make it talk.
const FOREIGN: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_TRACE",
    "GIT_TRACE2",
    "GIT_TRACE_PACKET",
    "GIT_TRACE_CURL",
    "GIT_CURL_VERBOSE",
    "SSH_ASKPASS",
];

/// Settings of every run.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "credential.interactive=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    "submodule.recurse=false",
    "advice.detachedHead=false",
];

/// Why `git` did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GitError {
    /// There is no such program.
    NotInstalled,
    /// It could not be started or talked to.
    Io(String),
    /// It said nothing for this long, or took this long in all.
    TimedOut(Duration),
    /// It was told to stop.
    Cancelled,
    /// It ended badly; what it said.
    Failed(String),
}

/// A number that `git` reports while it works.
pub(super) struct Step {
    /// Done so far, of how many.
    pub done: usize,
    pub total: usize,
    /// What it does: `Receiving objects`.
    pub what: String,
}

/// How `git` is run for one repository.
pub(super) struct Git<'a> {
    pub cancel: &'a CancellationToken,
    /// Longest silence.
    pub silence: Duration,
    /// Told about progress.
    pub on_step: &'a (dyn Fn(&Step) + Sync),
    /// Name and password for the origin, if the configuration gives some.
    pub login: Option<(String, Secret)>,
}

/// A piece of what the program says.
enum Said {
    Out(Vec<u8>),
    Talk(Vec<u8>),
    End,
}

impl Git<'_> {
    /// Runs `git` in a repository and returns what it prints; `input` is given to it.
    pub(super) fn run(
        &self,
        folder: &Path,
        address: &GitAddress,
        arguments: &[&str],
        input: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, GitError> {
        if self.cancel.is_cancelled() {
            return Err(GitError::Cancelled);
        }
        let mut command = self.command(folder, address);
        command.args(arguments);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        tracing::debug!(arguments = ?arguments, "git");
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => GitError::NotInstalled,
            _ => GitError::Io(error.to_string()),
        })?;
        let (sender, receiver) = channel();
        if let (Some(mut pipe), Some(bytes)) = (child.stdin.take(), input) {
            // it may end without reading all of it
            std::thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        listen(child.stdout.take(), sender.clone(), Said::Out);
        listen(child.stderr.take(), sender, Said::Talk);
        let mut running = Running { child, output: Vec::new(), talk: Talk::default() };
        match self.attend(&mut running, &receiver) {
            Ok(status) if status.success() => Ok(running.output),
            Ok(_) => Err(GitError::Failed(running.talk.text())),
            Err(error) => {
                stop(&mut running.child);
                Err(error)
            }
        }
    }

    /// Takes what it says until it ends, is told to stop, or takes too long.
    fn attend(
        &self,
        running: &mut Running,
        receiver: &Receiver<Said>,
    ) -> Result<std::process::ExitStatus, GitError> {
        let started = Instant::now();
        let mut heard = Instant::now();
        let mut open = 2;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(Said::End) => open -= 1,
                Ok(Said::Out(bytes)) => {
                    heard = Instant::now();
                    if running.output.len() + bytes.len() > MAX_OUTPUT {
                        return Err(GitError::Io("it prints more than can be true".to_owned()));
                    }
                    running.output.extend(bytes);
                }
                Ok(Said::Talk(bytes)) => {
                    heard = Instant::now();
                    running.talk.take(&bytes, self.on_step);
                }
                Err(RecvTimeoutError::Disconnected) => open = 0,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if self.cancel.is_cancelled() {
                return Err(GitError::Cancelled);
            }
            // something it started may keep the pipes open after its end, such as a shared ssh connection
            let is_quiet = heard.elapsed() >= LOOK;
            if (open == 0 || is_quiet)
                && let Some(status) =
                    running.child.try_wait().map_err(|error| GitError::Io(error.to_string()))?
                && (open == 0 || heard.elapsed() >= GRACE)
            {
                return Ok(status);
            }
            if open == 0 {
                std::thread::sleep(Duration::from_millis(2));
            }
            if heard.elapsed() > self.silence {
                return Err(GitError::TimedOut(self.silence));
            }
            if started.elapsed() > LONGEST {
                return Err(GitError::TimedOut(LONGEST));
            }
        }
    }

    fn command(&self, folder: &Path, address: &GitAddress) -> Command {
        let mut command = Command::new("git");
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", PROTOCOLS.join(":"))
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_DEFAULT_REF_FORMAT", "files")
            .env("GIT_DEFAULT_HASH", "sha1")
            .env("GCM_INTERACTIVE", "never")
            .env("LC_ALL", "C")
            .env("LANGUAGE", "")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .current_dir(existing(folder));
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        self.ssh(&mut command);
        self.secret(&mut command, address);
        command.arg("--git-dir").arg(folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command.arg("-c").arg(format!("http.lowSpeedLimit={SLOW}"));
        command.arg("-c").arg(format!("http.lowSpeedTime={SLOW_FOR}"));
        command.arg("-c").arg(format!("remote.{REMOTE}.url={}", address.url));
        command
    }

    /// Keeps ssh from asking on the terminal; what the user set for it stays.
    fn ssh(&self, command: &mut Command) {
        if std::env::var_os("GIT_SSH").is_some() && std::env::var_os("GIT_SSH_COMMAND").is_none() {
            return;
        }
        let own = std::env::var("GIT_SSH_COMMAND").ok().or_else(configured_ssh);
        let own = own.filter(|own| !own.trim().is_empty()).unwrap_or_else(|| "ssh".to_owned());
        let program = own.split_whitespace().next().unwrap_or_default();
        let name = Path::new(program).file_stem().and_then(OsStr::to_str).unwrap_or_default();
        if name == "ssh" {
            let seconds = self.silence.as_secs().clamp(5, 60);
            let quiet = format!("{own} -o BatchMode=yes -o ConnectTimeout={seconds}");
            command.env("GIT_SSH_COMMAND", quiet);
        }
    }

    /// Gives the configured password for this origin alone, where no list of processes shows it.
    fn secret(&self, command: &mut Command, address: &GitAddress) {
        let login = self.login.as_ref().or(address.login.as_ref());
        let (Some((user, password)), Some(origin)) = (login, &address.origin) else { return };
        let both = format!("{user}:{}", password.expose());
        let encoded = base64::engine::general_purpose::STANDARD.encode(both);
        let count: usize =
            std::env::var("GIT_CONFIG_COUNT").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        let settings = [
            (format!("http.{origin}/.extraHeader"), format!("Authorization: Basic {encoded}")),
            // it must not follow to another host
            (format!("http.{origin}/.followRedirects"), "false".to_owned()),
        ];
        for (at, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{}", count + at), key);
            command.env(format!("GIT_CONFIG_VALUE_{}", count + at), value);
        }
        command.env("GIT_CONFIG_COUNT", (count + settings.len()).to_string());
    }
}

/// Name of the remote that every run is told of.
pub(super) const REMOTE: &str = "devportal";

struct Running {
    child: Child,
    output: Vec<u8>,
    talk: Talk,
}

fn listen(pipe: Option<impl Read + Send + 'static>, sender: Sender<Said>, wrap: fn(Vec<u8>) -> Said) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        if let Some(mut pipe) = pipe {
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let bytes = buffer.get(..read).unwrap_or_default().to_vec();
                if sender.send(wrap(bytes)).is_err() {
                    return;
                }
            }
        }
        let _ = sender.send(Said::End);
    });
}

/// What it says on stderr: the end of it, without progress.
#[derive(Default)]
struct Talk {
    kept: String,
    line: Vec<u8>,
}

impl Talk {
    fn take(&mut self, bytes: &[u8], on_step: &(dyn Fn(&Step) + Sync)) {
        for byte in bytes {
            match byte {
                b'\n' | b'\r' => self.end_line(on_step),
                _ if self.line.len() < 4096 => self.line.push(*byte),
                _ => {}
            }
        }
    }

    fn end_line(&mut self, on_step: &(dyn Fn(&Step) + Sync)) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        match step(&line) {
            Some(step) => on_step(&step),
            None if self.kept.len() + line.len() < MAX_TALK => {
                self.kept.push_str(&line);
                self.kept.push('\n');
            }
            // the last words matter
            None => self.kept = line + "\n",
        }
    }

    fn text(mut self) -> String {
        self.end_line(&|_| {});
        self.kept
    }
}

/// Reads `Receiving objects:  45% (123/456), 1.2 MiB`.
fn step(line: &str) -> Option<Step> {
    let line = line.strip_prefix("remote: ").unwrap_or(line);
    let (what, rest) = line.split_once(':')?;
    let (percent, rest) = rest.split_once("% (")?;
    percent.trim().parse::<u8>().ok()?;
    let (numbers, _) = rest.split_once(')')?;
    let (done, total) = numbers.split_once('/')?;
    Some(Step { done: done.parse().ok()?, total: total.parse().ok()?, what: what.to_owned() })
}

/// Ends a program and everything it has started.
fn stop(child: &mut Child) {
    signal(child, false);
    let asked = Instant::now();
    while asked.elapsed() < GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // what it started may still be there when it is not
    signal(child, true);
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
fn signal(child: &Child, is_last: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let signal = if is_last { Signal::KILL } else { Signal::TERM };
    let _ = kill_process_group(Pid::from_child(child), signal);
}

#[cfg(not(unix))]
fn signal(_: &Child, _: bool) {}

/// Returns the nearest folder that is there.
fn existing(folder: &Path) -> PathBuf {
    folder.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_path_buf()
}

/// Returns `core.sshCommand` of the user's own settings.
fn configured_ssh() -> Option<String> {
    static CONFIGURED: Mutex<Option<Arc<Option<String>>>> = Mutex::new(None);
    let mut known = CONFIGURED.lock().unwrap_or_else(PoisonError::into_inner);
    let read = || {
        let config = git2::Config::open_default().ok()?;
        config.get_string("core.sshCommand").ok()
    };
    known.get_or_insert_with(|| Arc::new(read())).as_ref().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_progress() {
        let found = step("Receiving objects:  45% (123/456), 1.20 MiB | 2.00 MiB/s").unwrap();
        assert_eq!((found.done, found.total, found.what.as_str()), (123, 456, "Receiving objects"));
        assert!(step("fatal: could not read").is_none());
        assert!(step("remote: Counting objects: 100% (5/5), done.").is_some());
    }

    #[test]
    fn keeps_the_last_words() {
        let mut talk = Talk::default();
        talk.take(b"Receiving objects:  45% (1/2)\rfatal: no\n", &|_| {});
        for _ in 0..100_000 {
            talk.take(b"noise\n", &|_| {});
        }
        talk.take(b"fatal: last", &|_| {});
        let text = talk.text();
        assert!(text.len() <= MAX_TALK && text.ends_with("fatal: last\n"), "{}", text.len());
    }
}
