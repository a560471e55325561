//! The files of a forge for [`crate::catalog::ingest`]: descriptors from what is kept, everything else that
//! they name fetched with the credential if it lies on the same forge, and without it if not.
//!
//! What was fetched from a repository whose stamp is known is noted with that stamp, and is not fetched
//! again before it changes.

use super::memory::{self, Known, blob_key, note_key};
use super::{Entry, Forge, Wanted, files};
use crate::catalog::glob::{Pattern, fixed_folder, is_glob};
use crate::catalog::sources::RefreshContext;
use crate::net::{Batch, NetError, Remote};
use crate::store::kept::Kept;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Most files that descriptors may name besides themselves.
const MAX_NAMED: usize = 50_000;
/// Time for addresses away from the forge, in all.
const ELSEWHERE: Duration = Duration::from_secs(60);

/// Keys that a run needed.
#[derive(Debug, Default, Clone)]
pub(super) struct Used(Arc<Mutex<FxHashSet<String>>>);

impl Used {
    fn add(&self, key: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
    }

    /// Takes all keys out.
    pub(super) fn take(&self) -> FxHashSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is noted about an address: what its repository was like then, and what was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    stamp: String,
    /// Id of its content; `None`: there was nothing.
    blob: Option<String>,
    /// Files that a pattern named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<Vec<String>>,
}

enum Slot<T> {
    Waiting(Wanted),
    Done(Result<T, NetError>),
}

/// Files of a forge.
pub(super) struct ForgeRemote<'a> {
    cx: &'a RefreshContext<'a>,
    forge: &'a dyn Forge,
    /// Contents of descriptors, by the address that shows them.
    contents: FxHashMap<String, String>,
    /// Branch and stamp of each repository, by lower-case path.
    repositories: FxHashMap<String, (String, Option<String>)>,
    used: Used,
    slots: Mutex<FxHashMap<String, Slot<Arc<[u8]>>>>,
    lists: Mutex<FxHashMap<String, Slot<Vec<Url>>>>,
    elsewhere: Batch<'a>,
}

impl<'a> ForgeRemote<'a> {
    pub(super) fn new(cx: &'a RefreshContext<'a>, forge: &'a dyn Forge, repositories: &[Known]) -> Self {
        let mut contents = FxHashMap::default();
        let mut by_path = FxHashMap::default();
        let used = Used::default();
        for known in repositories {
            for file in &known.files {
                used.add(blob_key(&file.blob));
                if let Some(url) = forge.web_url(&known.path, &known.branch, &file.path) {
                    contents.insert(url.into(), file.blob.clone());
                }
            }
            by_path.insert(known.path.to_lowercase(), (known.branch.clone(), known.stamp.clone()));
        }
        Self {
            cx,
            forge,
            contents,
            repositories: by_path,
            used,
            slots: Mutex::default(),
            lists: Mutex::default(),
            elsewhere: Batch::new(cx.net, cx.config.timeout_seconds.map(Duration::from_secs), ELSEWHERE)
                .keeping(cx.kept)
                .telling(cx.notify)
                .trusting(cx.config.ca_file.clone())
                .up_to_bytes(cx.config.max_file_bytes),
        }
    }

    /// Returns the keys that are needed; it goes on to grow while files are read.
    pub(super) fn used(&self) -> Used {
        self.used.clone()
    }

    fn kept(&self) -> &Kept {
        self.cx.kept
    }

    fn locate(&self, url: &Url) -> Option<Wanted> {
        let branch =
            |path: &str| self.repositories.get(&path.to_lowercase()).map(|(branch, _)| branch.clone());
        self.forge.locate(url, &branch)
    }

    /// Returns the stamp of the repository at the branch that its descriptors are read from.
    fn stamp(&self, wanted: &Wanted) -> Option<&str> {
        let (branch, stamp) = self.repositories.get(&wanted.repository.to_lowercase())?;
        let same = wanted.revision.as_deref().is_none_or(|revision| revision == branch);
        stamp.as_deref().filter(|_| same)
    }

    /// Returns what is noted about an address, if its repository did not change since.
    fn noted(&self, url: &str, wanted: &Wanted) -> Option<Note> {
        let stamp = self.stamp(wanted)?;
        memory::read::<Note>(self.kept(), &note_key(url)).filter(|note| note.stamp == stamp)
    }

    fn note(&self, url: &str, wanted: &Wanted, blob: Option<String>, files: Option<Vec<String>>) {
        let Some(stamp) = self.stamp(wanted) else { return };
        let key = note_key(url);
        memory::write(self.kept(), &key, &Note { stamp: stamp.to_owned(), blob, files });
        self.used.add(key);
    }

    /// Answers from what was noted.
    fn noted_answer(&self, url: &str, wanted: &Wanted) -> Option<Result<Arc<[u8]>, NetError>> {
        let note = self.noted(url, wanted)?;
        let answer = match &note.blob {
            Some(blob) => {
                let content = memory::content(self.kept(), blob)?;
                self.used.add(blob_key(blob));
                Ok(content)
            }
            None => Err(self.missing()),
        };
        self.used.add(note_key(url));
        Some(answer)
    }

    fn missing(&self) -> NetError {
        NetError::of_status(self.forge.place(), 404)
    }

    fn read_waiting(&self) {
        let waiting = take_waiting(&self.slots);
        if waiting.is_empty() {
            return;
        }
        let (urls, wanted): (Vec<String>, Vec<Wanted>) = waiting.into_iter().unzip();
        let answers = match files::read_all(self.cx, self.forge, &wanted) {
            Ok(answers) => answers,
            Err(error) => {
                let error = match error {
                    crate::catalog::sources::SourceError::Net { error, .. } => error,
                    other => NetError::Broken { host: self.forge.place(), cause: other.to_string() },
                };
                wanted.iter().map(|_| Err(error.clone())).collect()
            }
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        for ((url, wanted), answer) in urls.into_iter().zip(&wanted).zip(answers) {
            let done = match answer {
                Ok(Some(content)) => {
                    let blob = memory::keep_content(self.kept(), &content);
                    self.used.add(blob_key(&blob));
                    self.note(&url, wanted, Some(blob), None);
                    Ok(content.bytes)
                }
                Ok(None) => {
                    self.note(&url, wanted, None, None);
                    Err(self.missing())
                }
                Err(error) => Err(error),
            };
            slots.insert(url, Slot::Done(done));
        }
    }

    fn list_waiting(&self) {
        for (url, wanted) in take_waiting(&self.lists) {
            if self.cx.progress.is_cancelled() {
                return;
            }
            let done = self.expand(&wanted).map(|paths| {
                self.note(&url, &wanted, None, Some(paths.clone()));
                self.urls(&wanted, &paths)
            });
            self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(url, Slot::Done(done));
        }
    }

    /// Lists the files that a pattern names.
    fn expand(&self, wanted: &Wanted) -> Result<Vec<String>, NetError> {
        let pattern = Pattern::new(&wanted.path).map_err(|error| NetError::Broken {
            host: self.forge.place(),
            cause: format!("the pattern is not usable: {error}"),
        })?;
        let folder = fixed_folder(&wanted.path);
        let entries = match self.forge.tree(&wanted.repository, wanted.revision.as_deref(), folder) {
            Err(error) if error.is_not_found() => Vec::new(),
            other => other?,
        };
        let mut paths: Vec<String> = entries
            .into_iter()
            .map(|Entry { path, .. }| path)
            .filter(|path| pattern.is_match(path))
            .take(super::MAX_PER_REPOSITORY)
            .collect();
        paths.sort_unstable();
        Ok(paths)
    }

    fn urls(&self, wanted: &Wanted, paths: &[String]) -> Vec<Url> {
        let branch = || self.repositories.get(&wanted.repository.to_lowercase()).map(|(b, _)| b.clone());
        let revision = wanted.revision.clone().or_else(branch).unwrap_or_else(|| "HEAD".to_owned());
        paths.iter().filter_map(|path| self.forge.web_url(&wanted.repository, &revision, path)).collect()
    }
}

fn take_waiting<T>(slots: &Mutex<FxHashMap<String, Slot<T>>>) -> Vec<(String, Wanted)> {
    let slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    let mut waiting: Vec<(String, Wanted)> = slots
        .iter()
        .filter_map(|(url, slot)| match slot {
            Slot::Waiting(wanted) => Some((url.clone(), wanted.clone())),
            Slot::Done(_) => None,
        })
        .collect();
    waiting.sort_by(|a, b| a.0.cmp(&b.0));
    waiting
}

impl Remote for ForgeRemote<'_> {
    fn get(&self, url: &Url) -> Option<Result<Arc<[u8]>, NetError>> {
        if let Some(content) =
            self.contents.get(url.as_str()).and_then(|blob| memory::content(self.kept(), blob))
        {
            return Some(Ok(content));
        }
        let Some(wanted) = self.locate(url) else {
            return self.elsewhere.get(&crate::catalog::ingest::raw_address(url));
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(url.as_str()) {
            Some(Slot::Done(answer)) => return Some(answer.clone()),
            Some(Slot::Waiting(_)) => return None,
            None => {}
        }
        let answer = match self.noted_answer(url.as_str(), &wanted) {
            Some(answer) => answer,
            None if slots.len() >= MAX_NAMED => Err(NetError::TooMany { limit: MAX_NAMED }),
            None => {
                slots.insert(url.to_string(), Slot::Waiting(wanted));
                return None;
            }
        };
        slots.insert(url.to_string(), Slot::Done(answer.clone()));
        Some(answer)
    }

    fn wait(&self, cancel: &CancellationToken) {
        self.list_waiting();
        self.read_waiting();
        self.elsewhere.wait(cancel);
    }

    fn waiting_for(&self) -> Option<String> {
        let waits = !take_waiting(&self.slots).is_empty() || !take_waiting(&self.lists).is_empty();
        waits.then(|| self.forge.place()).or_else(|| self.elsewhere.waiting_for())
    }

    fn takes_pages(&self) -> bool {
        true
    }

    fn in_repository(&self, url: &Url, other: &str) -> Option<(String, Url)> {
        let wanted = self.locate(url)?;
        let other = self.urls(&wanted, &[other.to_owned()]).pop()?;
        Some((wanted.path, other))
    }

    fn can_list(&self, pattern: &Url) -> bool {
        self.locate(pattern).is_some_and(|wanted| is_glob(&wanted.path))
    }

    fn list(&self, pattern: &Url) -> Option<Result<Vec<Url>, NetError>> {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        match lists.get(pattern.as_str()) {
            Some(Slot::Done(answer)) => return Some(answer.clone()),
            Some(Slot::Waiting(_)) => return None,
            None => {}
        }
        let wanted = self.locate(pattern)?;
        if let Some(files) = self.noted(pattern.as_str(), &wanted).and_then(|note| note.files) {
            self.used.add(note_key(pattern.as_str()));
            return Some(Ok(self.urls(&wanted, &files)));
        }
        lists.insert(pattern.to_string(), Slot::Waiting(wanted));
        None
    }
}
