//! The runs that were made, with their answers but never their secrets.
//!
//! Start at [`list`]. One small file per run in the state folder, written when a run begins and again
//! when it ends, so that a killed run is known, too; the oldest go when there are too many.

use super::masks::Masks;
use crate::scaffolder::run::{Job, RunState, RunStatus, StepStatus};
use crate::store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs that are kept.
const MAX_RUNS: usize = 200;
/// Largest file of a run, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A run as it is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PastRun {
    /// Its number.
    pub id: String,
    /// Canonical ref of the template.
    pub template: String,
    /// Title of the template.
    pub title: String,
    /// File of the template, where it was named by its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; absent while it runs, and for ever when it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// `processing`, `completed`, `failed`, `cancelled`.
    pub status: String,
    /// Its answers, without secrets.
    pub answers: serde_json::Value,
    /// Names of secrets that were given, to ask for them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Folder that the files went to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
    /// Its steps.
    #[serde(default)]
    pub steps: Vec<PastStep>,
    /// What exists because of it.
    #[serde(default)]
    pub exists: Vec<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Its links: title and where they lead.
    #[serde(default)]
    pub links: Vec<(String, String)>,
}

/// A step as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastStep {
    /// Its id.
    pub id: String,
    /// Its action.
    pub action: String,
    /// How it ended, as in [`word_of_step`].
    pub status: String,
    /// Why it failed or was left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub error: String,
}

/// Returns the word for a run's status.
pub fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Processing => "processing",
        RunStatus::Completed => "completed",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
    }
}

/// Returns the word for a step's status.
pub fn word_of_step(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Open => "open",
        StepStatus::Processing => "processing",
        StepStatus::Completed => "completed",
        StepStatus::Failed => "failed",
        StepStatus::Skipped => "skipped",
        StepStatus::Cancelled => "cancelled",
        StepStatus::Planned => "planned",
        StepStatus::Unknown => "unknown",
    }
}

/// Makes the number of a new run; later ones sort behind earlier ones.
pub fn new_id() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) % 1000;
    let now = Timestamp::now();
    let stamp = now.strftime("%Y%m%d-%H%M%S");
    format!("{stamp}-{:05}{count:03}", std::process::id() % 100_000)
}

fn folder(state: &Path) -> PathBuf {
    state.join("templates").join("runs")
}

fn file(state: &Path, id: &str) -> Option<PathBuf> {
    let is_id = !id.is_empty() && id.len() < 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_id.then(|| folder(state).join(format!("{id}.json")))
}

/// Notes that a run begins.
pub fn begin(state: &Path, job: &Job, run: &RunState, masks: &Masks) {
    let known = find(state, &run.id);
    let base = match &job.template.base {
        crate::scaffolder::template::Base::Folder(folder) => Some(folder.clone()),
        _ => None,
    };
    let past = PastRun {
        id: run.id.clone(),
        template: job.template.entity_ref.to_string(),
        title: job.template.title.clone(),
        file: base,
        started: known.map_or_else(Timestamp::now, |known| known.started),
        ended: None,
        status: word(RunStatus::Processing).to_owned(),
        answers: serde_json::to_value(masks.hide_value(&job.answers)).unwrap_or_default(),
        secrets: job.secrets.keys().cloned().collect(),
        out: job.out.clone(),
        steps: Vec::new(),
        exists: Vec::new(),
        error: String::new(),
        links: Vec::new(),
    };
    write(state, &past);
    tidy(state);
}

/// Notes how a run ended.
pub fn end(state: &Path, run: &RunState) {
    let Some(mut past) = find(state, &run.id) else { return };
    past.ended = Some(Timestamp::now());
    word(run.status).clone_into(&mut past.status);
    past.error = run.error.clone();
    past.steps = run
        .steps
        .iter()
        .map(|step| PastStep {
            id: step.id.clone(),
            action: step.action.clone(),
            status: word_of_step(step.status).to_owned(),
            error: step.error.clone(),
        })
        .collect();
    past.exists = run.exists.iter().map(|effect| format!("{} {}", effect.what, effect.target)).collect();
    let place = |link: &crate::scaffolder::run::OutputLink| {
        if link.url.is_empty() { link.entity_ref.clone() } else { link.url.clone() }
    };
    past.links = run.output.links.iter().map(|link| (link.title.clone(), place(link))).collect();
    write(state, &past);
}

/// A run that cannot be remembered is no reason to stop it.
fn write(state: &Path, past: &PastRun) {
    let Some(path) = file(state, &past.id) else { return };
    let written = serde_json::to_vec_pretty(past)
        .map_err(|error| error.to_string())
        .and_then(|bytes| store::write_atomic(&path, &bytes).map_err(|error| error.to_string()));
    if let Err(error) = written {
        tracing::warn!(run = %past.id, %error, "the run is not remembered");
    }
}

fn tidy(state: &Path) {
    let mut names = ids(state);
    names.sort_unstable();
    let spare = names.len().saturating_sub(MAX_RUNS);
    for path in names.iter().take(spare).filter_map(|id| file(state, id)) {
        let _ = std::fs::remove_file(path);
    }
}

fn ids(state: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder(state)).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".json").map(str::to_owned)).collect()
}

/// Finds a run by its number.
pub fn find(state: &Path, id: &str) -> Option<PastRun> {
    let path = file(state, id)?;
    let size = path.metadata().ok()?.len();
    if size > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Returns the runs that are remembered, the latest first; damaged ones are left out.
pub fn list(state: &Path) -> Vec<PastRun> {
    let mut ids = ids(state);
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.iter().filter_map(|id| find(state, id)).collect()
}

/// Returns when each template was last used, by its ref.
pub fn last_used(state: &Path) -> std::collections::BTreeMap<String, Timestamp> {
    let mut used = std::collections::BTreeMap::new();
    for past in list(state) {
        used.entry(past.template).or_insert(past.started);
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(id: &str) -> PastRun {
        PastRun {
            id: id.to_owned(),
            template: format!("template:default/{}", id.len()),
            title: "T".to_owned(),
            file: None,
            started: Timestamp::UNIX_EPOCH,
            ended: None,
            status: "processing".to_owned(),
            answers: serde_json::json!({"name": "x"}),
            secrets: vec![],
            out: None,
            steps: vec![],
            exists: vec![],
            error: String::new(),
            links: vec![],
        }
    }

    #[test]
    fn the_latest_comes_first_and_the_oldest_goes() {
        let state = tempfile::tempdir().unwrap();
        (0..MAX_RUNS + 5).for_each(|n| write(state.path(), &past(&format!("{n:04}"))));
        tidy(state.path());
        let runs = list(state.path());
        assert_eq!(runs.len(), MAX_RUNS);
        assert_eq!((runs[0].id.as_str(), runs.last().unwrap().id.as_str()), ("0204", "0005"));
        assert_eq!(last_used(state.path()).len(), 1);
    }

    #[test]
    fn a_number_names_no_path_and_a_damaged_file_is_left_out() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(find(state.path(), "../../etc/passwd"), None);
        write(state.path(), &past("a"));
        std::fs::write(folder(state.path()).join("b.json"), "{").unwrap();
        assert_eq!(list(state.path()).len(), 1);
        assert!(new_id() < new_id());
    }
}
