//! Forms that are not finished: kept while they are filled in, so that neither quitting nor a crash
//! loses an answer.
//!
//! Start at [`save`]; call it from a task. One file per template in the state folder, replaced in one
//! step. Secrets are not part of answers and so never get here.

use crate::scaffolder::Value;
use crate::store::{self, StoreError};
use jiff::Timestamp;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Drafts that are kept.
const MAX_DRAFTS: usize = 50;
/// Largest draft, in bytes.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// A form that is not finished.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Canonical ref of the template.
    pub template: String,
    /// Answers so far, an object.
    pub answers: Value,
    /// The page of the form that was open, counted from 0.
    pub page: usize,
    /// Pointer of the field that had the focus; empty when none had.
    pub pointer: String,
    /// The form as it writes itself ([`crate::scaffolder::form::Draft::to_text`]); empty when only the answers are
    /// known.
    pub form: String,
    /// When it was saved.
    pub saved: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    template: String,
    answers: serde_json::Value,
    #[serde(default)]
    page: usize,
    #[serde(default)]
    pointer: String,
    #[serde(default)]
    form: String,
    saved: Timestamp,
}

fn folder(state: &Path) -> PathBuf {
    state.join("templates").join("drafts")
}

/// The name is made of the ref's own letters, and of its sum, since refs hold what names cannot.
fn file(state: &Path, template: &str) -> PathBuf {
    let plain: String = template
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '.' })
        .take(80)
        .collect();
    let sum = blake3::hash(template.as_bytes()).to_hex();
    let sum = sum.get(..12).unwrap_or_default();
    folder(state).join(format!("{}-{sum}.json", plain.trim_matches('.')))
}

/// Keeps a draft; an older one of the same template is replaced in one step.
///
/// # Errors
/// When the state folder cannot be written.
pub fn save(state: &Path, draft: &Draft) -> Result<(), StoreError> {
    let path = file(state, &draft.template);
    let failed = |error: serde_json::Error| StoreError::Io { path: path.clone(), source: error.into() };
    let kept = Kept {
        template: draft.template.clone(),
        answers: serde_json::to_value(&draft.answers).map_err(failed)?,
        page: draft.page,
        pointer: draft.pointer.clone(),
        form: draft.form.clone(),
        saved: draft.saved,
    };
    let bytes = serde_json::to_vec(&kept).map_err(failed)?;
    store::write_atomic(&path, &bytes)?;
    tidy(state);
    Ok(())
}

/// Returns the draft of a template, if there is one that can be read.
pub fn load(state: &Path, template: &str) -> Option<Draft> {
    read(&file(state, template)).filter(|draft| draft.template == template)
}

/// Returns all drafts, the latest first.
pub fn list(state: &Path) -> Vec<Draft> {
    let entries = std::fs::read_dir(folder(state)).into_iter().flatten().flatten();
    let paths =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
    let mut drafts: Vec<Draft> = paths.filter_map(|path| read(&path)).collect();
    drafts.sort_by(|a, b| b.saved.cmp(&a.saved).then_with(|| a.template.cmp(&b.template)));
    drafts
}

/// Removes the draft of a template; that there is none is fine.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(state: &Path, template: &str) -> Result<(), StoreError> {
    let path = file(state, template);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(StoreError::Io { path, source }),
        _ => Ok(()),
    }
}

fn read(path: &Path) -> Option<Draft> {
    if path.metadata().ok()?.len() > MAX_BYTES {
        return None;
    }
    let kept: Kept = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    Some(Draft {
        template: kept.template,
        answers: Value::from(Serde(&kept.answers)),
        page: kept.page,
        pointer: kept.pointer,
        form: kept.form,
        saved: kept.saved,
    })
}

fn tidy(state: &Path) {
    for draft in list(state).iter().skip(MAX_DRAFTS) {
        let _ = remove(state, &draft.template);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn draft(template: &str, second: i64) -> Draft {
        Draft {
            template: template.to_owned(),
            answers: Value::from(Serde(json!({"name": "x", "list": [1, true]}))),
            page: 2,
            pointer: "/name".to_owned(),
            form: String::new(),
            saved: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn a_draft_comes_back_as_it_was() {
        let state = tempfile::tempdir().unwrap();
        save(state.path(), &draft("template:default/a", 1)).unwrap();
        save(state.path(), &draft("template:default/b", 2)).unwrap();
        let found = load(state.path(), "template:default/a").unwrap();
        assert_eq!((found.page, found.pointer.as_str()), (2, "/name"));
        assert_eq!(serde_json::to_value(&found.answers).unwrap(), json!({"name": "x", "list": [1, true]}));
        let all: Vec<_> = list(state.path()).into_iter().map(|draft| draft.template).collect();
        assert_eq!(all, ["template:default/b", "template:default/a"]);
        remove(state.path(), "template:default/a").unwrap();
        remove(state.path(), "template:default/a").unwrap();
        assert!(load(state.path(), "template:default/a").is_none());
    }

    #[test]
    fn strange_refs_and_damage_do_no_harm() {
        let state = tempfile::tempdir().unwrap();
        save(state.path(), &draft("template:../../../x/ö y", 1)).unwrap();
        assert!(load(state.path(), "template:../../../x/ö y").is_some());
        std::fs::write(folder(state.path()).join("bad.json"), "{").unwrap();
        assert_eq!(list(state.path()).len(), 1);
    }

    #[test]
    fn there_are_not_more_than_so_many() {
        let state = tempfile::tempdir().unwrap();
        for n in 0..MAX_DRAFTS as i64 + 3 {
            save(state.path(), &draft(&format!("template:default/{n}"), n)).unwrap();
        }
        assert_eq!(list(state.path()).len(), MAX_DRAFTS);
        assert!(load(state.path(), "template:default/0").is_none());
    }
}
