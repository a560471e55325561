//! `command:run`: a program of this machine, for templates that the user trusts by name.
//!
//! Off unless `templates.trusted` names the template. No shell is involved; the program runs in the
//! workspace, in a group of its own so that it goes when the run is stopped, and without a terminal.

use super::paths::inside;
use super::{BuiltIn, Entry, Input, object, schema};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Spec, Workbench};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// The action of this file.
pub static ENTRIES: &[Entry] = &[("command:run", command)];

/// Longest time of a command unless the template gives less.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// How often a command is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Longest line that is logged, in bytes; the rest follows on a line of its own.
const MAX_LINE: u64 = 16 * 1024;
/// Most bytes of output that are given to later steps.
const MAX_OUTPUT: usize = 1024 * 1024;

fn command() -> Arc<dyn Action> {
    let text = || json!({"type": "string"});
    Arc::new(BuiltIn {
        spec: Spec {
            id: "command:run".to_owned(),
            description: "Runs a program in the workspace, where the template is trusted".to_owned(),
            input: schema(&[
                ("command*", text()),
                ("args", json!({"type": "array", "items": {"type": ["string", "number", "boolean"]}})),
                ("cwd", text()),
                ("env", json!({"type": "object", "additionalProperties": {"type": "string"}})),
                ("timeoutSeconds", json!({"type": "number", "exclusiveMinimum": 0})),
            ]),
            output: schema(&[("stdout", text()), ("exitCode", json!({"type": "integer"}))]),
            runs_dry: false,
        },
        effects: |input, bench| {
            require_trust(bench)?;
            let target = words(input).join(" ");
            let identity = std::env::var("USER").map(|user| format!("you ({user})")).unwrap_or_default();
            Ok(vec![SideEffect { what: "run command".to_owned(), target, identity, details: Vec::new() }])
        },
        foreseen: super::nothing_foreseen,
        run,
    })
}

fn require_trust(bench: &dyn Workbench) -> Result<(), ActionError> {
    let template = &bench.template().entity_ref;
    if bench.host().trusted.iter().any(|trusted| trusted.eq_ignore_ascii_case(template)) {
        return Ok(());
    }
    Err(ActionError::new(format!("`{template}` may not run commands on this machine")).hint(format!(
        "read its steps; if you trust them, add `templates.trusted = [\"{template}\"]` to your settings"
    )))
}

fn words(input: &Value) -> Vec<String> {
    let fields = Input(input);
    let mut words = vec![fields.word("command").unwrap_or_default()];
    words.extend(
        fields.list("args").iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)),
    );
    words
}

fn run(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    require_trust(bench)?;
    let fields = Input(input);
    let folder = inside(bench.workspace(), &fields.word("cwd").unwrap_or_else(|| ".".to_owned()))?;
    let words = words(input);
    let (program, arguments) = words.split_first().ok_or_else(|| ActionError::new("`command` is empty"))?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    command.envs(fields.pairs("env").into_iter().map(|(key, value)| (key, value.to_string())));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    bench.log(&format!("$ {}", words.join(" ")));
    let mut child = command.spawn().map_err(|error| {
        ActionError::new(format!("could not start `{}`: {error}", program.escape_debug()))
            .hint("is it installed, and in the search path?")
    })?;
    let seconds =
        fields.number("timeoutSeconds").and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let (code, stdout) = attend(&mut child, seconds.unwrap_or(LONGEST).min(LONGEST), bench)?;
    if code != 0 {
        return Err(ActionError::new(format!("`{}` ended with {code}", program.escape_debug()))
            .hint("its output is in the log of the step"));
    }
    Ok(object([("stdout", Value::from(stdout)), ("exitCode", Value::from(code))]))
}

/// Logs what a program says until it ends, is stopped, or takes too long.
fn attend(
    child: &mut Child,
    longest: Duration,
    bench: &mut dyn Workbench,
) -> Result<(i32, String), ActionError> {
    let (sender, lines) = mpsc::sync_channel(1_000);
    for (is_output, pipe) in [
        (true, child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>)),
        (false, child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>)),
    ] {
        let sender = sender.clone();
        let Some(pipe) = pipe else { continue };
        std::thread::spawn(move || read_lines(pipe, is_output, &sender));
    }
    drop(sender);
    let (start, mut stdout) = (Instant::now(), String::new());
    let mut take = |(is_output, line): (bool, String), bench: &mut dyn Workbench| {
        if is_output && stdout.len() + line.len() < MAX_OUTPUT {
            stdout.push_str(&line);
            stdout.push('\n');
        }
        bench.log(&line);
    };
    let status = loop {
        while let Ok(line) = lines.recv_timeout(LOOK) {
            take(line, bench);
            if bench.is_cancelled() || start.elapsed() > longest {
                break;
            }
        }
        if bench.is_cancelled() || start.elapsed() > longest {
            stop(child);
            let why =
                if bench.is_cancelled() { "it was stopped" } else { "it took too long and was stopped" };
            return Err(ActionError::new(why));
        }
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(error) => return Err(ActionError::new(format!("could not wait for the command: {error}"))),
        }
    };
    // a child of the program may hold the pipes open for ever
    let end = Instant::now() + Duration::from_secs(1);
    while let Ok(line) = lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
        take(line, bench);
    }
    Ok((status.code().unwrap_or(-1), stdout))
}

fn read_lines(pipe: Box<dyn Read + Send>, is_output: bool, sender: &mpsc::SyncSender<(bool, String)>) {
    let mut reader = BufReader::new(pipe);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match (&mut reader).take(MAX_LINE).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
        if sender.send((is_output, line)).is_err() {
            return;
        }
    }
}

/// Ends a program with everything it started.
fn stop(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = rustix::process::Pid::from_raw(child.id() as i32) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}
