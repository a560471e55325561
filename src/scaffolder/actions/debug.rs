//! `debug:log` and `debug:wait`.

use super::{BuiltIn, Entry, Input, no_effects, nothing_foreseen, object, schema};
use crate::scaffolder::Value;
use crate::scaffolder::action::{Action, ActionError, Spec, Workbench};
use crate::scaffolder::tree::{self, Kind};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The actions of this file.
pub static ENTRIES: &[Entry] = &[("debug:log", log), ("debug:wait", wait)];

/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 60);
/// How often a wait looks whether it is stopped.
const LOOK: Duration = Duration::from_millis(50);
/// Largest file whose contents are listed, in bytes.
const MAX_LISTED: u64 = 256 * 1024;

fn log() -> Arc<dyn Action> {
    let input = schema(&[
        ("message", json!({"type": "string"})),
        (
            "listWorkspace",
            json!({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["with-filenames", "with-contents"]}]}),
        ),
    ]);
    let about = "Writes a message to the log, or lists the files of the workspace";
    BuiltIn::harmless("debug:log", about, input, Value::UNDEFINED, run_log)
}

fn run_log(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let fields = Input(input);
    if let Some(message) = fields.word("message") {
        bench.log(&message);
    }
    let listed = fields.get("listWorkspace");
    if !listed.is_true() {
        return Ok(Value::UNDEFINED);
    }
    let with_contents = listed.as_str() == Some("with-contents");
    let root = bench.workspace().to_owned();
    bench.log("Workspace:");
    for entry in tree::list(&root)?.iter().filter(|entry| entry.kind != Kind::Folder) {
        bench.log(&format!("  - {}", entry.path));
        if with_contents && entry.kind == Kind::File {
            let path = root.join(&entry.path);
            let size = path.metadata().map_or(0, |metadata| metadata.len());
            let read = if size > MAX_LISTED { None } else { std::fs::read_to_string(&path).ok() };
            match read {
                Some(text) => text.lines().for_each(|line| bench.log(&format!("      {line}"))),
                None => bench.log("      (not shown: binary or too large)"),
            }
        }
    }
    Ok(Value::UNDEFINED)
}

fn wait() -> Arc<dyn Action> {
    let number = || json!({"type": "number"});
    Arc::new(BuiltIn {
        spec: Spec {
            id: "debug:wait".to_owned(),
            description: "Waits for a time, ten minutes at most".to_owned(),
            input: schema(&[("minutes", number()), ("seconds", number()), ("milliseconds", number())]),
            output: object::<&str, Value>([]),
            runs_dry: false,
        },
        effects: |input, bench| time(input).and_then(|_| no_effects(input, bench)),
        foreseen: nothing_foreseen,
        run: run_wait,
    })
}

fn time(input: &Value) -> Result<Duration, ActionError> {
    let number = |field: &str| Input(input).number(field).unwrap_or(0.0);
    let seconds = number("minutes") * 60.0 + number("seconds") + number("milliseconds") / 1000.0;
    let time = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX);
    if time > LONGEST_WAIT {
        return Err(ActionError::new("waiting is longer than 10 minutes, the most that is allowed")
            .hint("wait for a shorter time"));
    }
    Ok(time)
}

fn run_wait(input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
    let until = Instant::now() + time(input)?;
    while !bench.is_cancelled() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        std::thread::sleep(left.min(LOOK));
    }
    Ok(Value::UNDEFINED)
}
