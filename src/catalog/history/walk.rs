//! From commit to commit, newest first, wherever the document leads.

use super::document::{Found, MAX_FILE, Version, lines, may_hold};
use super::{Change, Cut, Deed, History, Limits, MAX_SUBJECT, Place};
use git2::{Commit, Delta, DiffOptions, ObjectType, Oid, Repository, Tree};
use jiff::Timestamp;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BinaryHeap;
use std::path::Path;
use std::sync::Arc;

/// Commits between two reports.
const STEP: usize = 1000;
/// Versions that are remembered.
const REMEMBERED: usize = 512;
/// Files of one commit that are looked into for a document that was moved.
const MAX_MOVES: usize = 500;
/// Files of one commit that are considered at all.
const MAX_DELTAS: usize = 20_000;

/// A commit to look at: newest first, then by name so that the order is always the same.
type Waiting = (i64, Oid, String);

struct Walk<'r> {
    repository: &'r Repository,
    entity_ref: &'r str,
    /// Commits whose parents are not here.
    shallow: FxHashSet<Oid>,
    waiting: BinaryHeap<Waiting>,
    seen: FxHashSet<(Oid, String)>,
    known: FxHashMap<Oid, Found>,
    out: History,
}

/// A version in a parent.
struct Before<'r> {
    parent: Commit<'r>,
    file: String,
    found: Found,
}

pub(super) fn walk(
    repository: &Repository,
    place: &Place,
    limits: &Limits<'_>,
) -> Result<History, git2::Error> {
    let revision = place.revision.as_deref().unwrap_or("HEAD");
    let mut walk = Walk {
        repository,
        entity_ref: &place.entity_ref,
        shallow: shallow(repository),
        waiting: BinaryHeap::new(),
        seen: FxHashSet::default(),
        known: FxHashMap::default(),
        out: History { entity_ref: place.entity_ref.clone(), file: place.file.clone(), ..History::default() },
    };
    let start = repository.revparse_single(revision).and_then(|object| object.peel_to_commit());
    let start = match start {
        Ok(start) => Some(start),
        // nothing was ever committed
        Err(_) if place.revision.is_none() && repository.head().is_err() => None,
        Err(error) => return Err(error),
    };
    let is_followed = match (&place.revision, repository.workdir()) {
        (None, Some(root)) => walk.not_committed(root, start.as_ref(), &place.file),
        _ => true,
    };
    if let Some(start) = start.filter(|_| is_followed) {
        walk.push(&start, place.file.clone());
    }
    walk.run(limits);
    Ok(walk.out)
}

/// Returns the commits at which a shallow clone ends.
fn shallow(repository: &Repository) -> FxHashSet<Oid> {
    let text = std::fs::read_to_string(repository.commondir().join("shallow")).unwrap_or_default();
    text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()
}

impl<'r> Walk<'r> {
    fn push(&mut self, commit: &Commit<'_>, file: String) {
        if self.seen.insert((commit.id(), file.clone())) {
            self.waiting.push((commit.time().seconds(), commit.id(), file));
        }
    }

    fn run(&mut self, limits: &Limits<'_>) {
        while let Some((_, id, file)) = self.waiting.pop() {
            if limits.cancel.is_cancelled() || self.out.commits >= limits.commits {
                self.out.cut = Some(Cut::Commits);
                return;
            }
            if self.out.changes.len() >= limits.entries {
                self.out.cut = Some(Cut::Limit);
                return;
            }
            self.out.commits += 1;
            if self.out.commits.is_multiple_of(STEP) {
                (limits.on_step)(self.out.commits);
            }
            // a commit that is damaged or missing ends the history there
            let step = self.repository.find_commit(id).and_then(|commit| self.step(&commit, &file));
            if step.is_err() {
                self.out.cut = Some(Cut::Shallow);
            }
        }
    }

    fn step(&mut self, commit: &Commit<'r>, file: &str) -> Result<(), git2::Error> {
        if self.shallow.contains(&commit.id()) {
            self.out.cut = Some(Cut::Shallow);
            return Ok(());
        }
        let tree = commit.tree()?;
        let own = blob(&tree, file);
        let mut parents = Vec::new();
        for parent in commit.parent_ids() {
            let parent = self.repository.find_commit(parent)?;
            // the file is the same there: it came from there
            if parent.tree_id() == tree.id() || blob(&parent.tree()?, file) == own {
                self.push(&parent, file.to_owned());
                return Ok(());
            }
            parents.push(parent);
        }
        let now = self.found(own);
        let mut before = Vec::new();
        for parent in parents {
            before.push(self.before(parent, &tree, file, &now)?);
        }
        self.judge(commit, file, &now, &before);
        Ok(())
    }

    /// Tells what a commit did, and goes on where the document came from.
    fn judge(&mut self, commit: &Commit<'r>, file: &str, now: &Found, before: &[Before<'r>]) {
        let same = before.iter().find(|before| match (now, &before.found) {
            (Found::Document(now), Found::Document(then)) => now.says_the_same(then),
            (Found::Broken, Found::Broken) => true,
            _ => false,
        });
        if let Some(same) = same {
            if same.file != file {
                let moved = Some(same.file.clone());
                self.tell(commit, Deed::Moved, file, moved, None, None);
            }
            let (parent, file) = (same.parent.clone(), same.file.clone());
            self.push(&parent, file);
            return;
        }
        let first = before.iter().find(|before| before.found != Found::Missing);
        let moved = first.filter(|first| first.file != file).map(|first| first.file.clone());
        match (now, first.map(|first| &first.found)) {
            (Found::Document(now), None) => self.tell(commit, Deed::Added, file, None, None, Some(now)),
            (Found::Missing, _) | (Found::Broken, None) => {}
            (Found::Document(now), Some(Found::Document(then))) => {
                let then = then.clone();
                self.tell(commit, Deed::Changed, file, moved, Some(&then), Some(now));
            }
            (Found::Document(_), Some(_)) => self.tell(commit, Deed::Repaired, file, moved, None, None),
            (Found::Broken, Some(_)) => self.tell(commit, Deed::Broken, file, moved, None, None),
        }
        for before in before.iter().filter(|before| before.found != Found::Missing) {
            self.push(&before.parent, before.file.clone());
        }
    }

    /// Finds the version before: in the same file, else in one that the commit removed or changed.
    fn before(
        &mut self,
        parent: Commit<'r>,
        tree: &Tree<'r>,
        file: &str,
        now: &Found,
    ) -> Result<Before<'r>, git2::Error> {
        let old = parent.tree()?;
        let found = self.found(blob(&old, file));
        if found == Found::Missing
            && *now != Found::Missing
            && let Some((file, found)) = self.elsewhere(&old, tree, file)?
        {
            return Ok(Before { parent, file, found });
        }
        Ok(Before { parent, file: file.to_owned(), found })
    }

    fn elsewhere(
        &mut self,
        old: &Tree<'r>,
        new: &Tree<'r>,
        file: &str,
    ) -> Result<Option<(String, Found)>, git2::Error> {
        let mut options = DiffOptions::new();
        options.ignore_submodules(true).skip_binary_check(true);
        let diff = self.repository.diff_tree_to_tree(Some(old), Some(new), Some(&mut options))?;
        let is_yaml = |path: &str| {
            let ending = path.rsplit('.').next().unwrap_or("").to_ascii_lowercase();
            matches!(ending.as_str(), "yaml" | "yml" | "json")
        };
        let own = blob(new, file);
        let mut gone: Vec<(bool, Oid, String)> = diff
            .deltas()
            .take(MAX_DELTAS)
            .filter(|delta| matches!(delta.status(), Delta::Deleted | Delta::Modified))
            .filter_map(|delta| {
                let path = delta.old_file().path()?.to_str()?.to_owned();
                let id = delta.old_file().id();
                (is_yaml(&path) && path != file || Some(id) == own).then_some((Some(id) != own, id, path))
            })
            .collect();
        // the same content first, then files of the same name
        let name = file.rsplit('/').next().unwrap_or(file);
        gone.sort_by_key(|(is_other, _, path)| (*is_other, !path.ends_with(name), path.clone()));
        for (_, id, path) in gone.into_iter().take(MAX_MOVES) {
            let content = self.repository.find_blob(id);
            if !content.is_ok_and(|blob| may_hold(blob.content(), self.entity_ref)) {
                continue;
            }
            let found = self.found(Some(id));
            if let Found::Document(_) = found {
                return Ok(Some((path, found)));
            }
        }
        Ok(None)
    }

    fn found(&mut self, blob: Option<Oid>) -> Found {
        let Some(id) = blob else { return Found::Missing };
        if let Some(found) = self.known.get(&id) {
            return found.clone();
        }
        let found = match self.repository.find_blob(id) {
            Ok(blob) if blob.size() <= MAX_FILE => Found::in_content(blob.content(), self.entity_ref),
            // larger than is read, or not fetched
            _ => Found::Broken,
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(id, found.clone());
        found
    }

    /// Tells what differs between the work tree and what is checked out; returns whether that is followed.
    fn not_committed(&mut self, root: &Path, head: Option<&Commit<'_>>, file: &str) -> bool {
        let content = std::fs::read(root.join(file)).unwrap_or_default();
        let now = Found::in_content(&content, self.entity_ref);
        let committed = head.and_then(|head| blob(&head.tree().ok()?, file));
        let then = self.found(committed);
        let (deed, old, new) = match (&now, &then) {
            (Found::Document(now), Found::Document(then)) if now.says_the_same(then) => return true,
            (Found::Document(now), Found::Document(then)) => (Deed::Changed, Some(then), Some(now)),
            (Found::Document(now), Found::Missing) => (Deed::Added, None, Some(now)),
            (Found::Document(_), Found::Broken) => (Deed::Repaired, None, None),
            (Found::Broken, Found::Document(_)) => (Deed::Broken, None, None),
            _ => return true,
        };
        let change = change(deed, file, None, old, new);
        self.out.changes.push(change);
        then != Found::Missing
    }

    fn tell(
        &mut self,
        commit: &Commit<'_>,
        deed: Deed,
        file: &str,
        moved_from: Option<String>,
        old: Option<&Arc<Version>>,
        new: Option<&Arc<Version>>,
    ) {
        let author = commit.author();
        let encoding = commit.message_encoding().ok().flatten();
        let text = |bytes: &[u8]| decode(bytes, encoding);
        let seconds = author.when().seconds();
        let date = Timestamp::from_second(seconds).ok();
        self.out.changes.push(Change {
            commit: Some(commit.id().to_string()),
            author: short(&text(author.name_bytes())),
            email: short(&text(author.email_bytes())),
            date: date.map(|date| date.to_string()),
            seconds: date.map(|_| seconds),
            subject: short(&text(commit.summary_bytes().unwrap_or_default())),
            ..change(deed, file, moved_from, old, new)
        });
    }
}

/// Makes a change that nobody has committed.
fn change(
    deed: Deed,
    file: &str,
    moved_from: Option<String>,
    old: Option<&Arc<Version>>,
    new: Option<&Arc<Version>>,
) -> Change {
    let (fields, more_fields) = match (old, new) {
        (Some(old), Some(new)) => new.fields_since(old),
        _ => (Vec::new(), 0),
    };
    fn text(version: Option<&Arc<Version>>) -> &str {
        version.map_or("", |version| version.text.as_str())
    }
    Change {
        commit: None,
        author: String::new(),
        email: String::new(),
        date: None,
        seconds: None,
        subject: "not committed yet".to_owned(),
        change: deed,
        file: file.to_owned(),
        moved_from,
        fields,
        more_fields,
        lines: lines(text(old), text(new)),
    }
}

/// Returns the object of a file in a tree.
fn blob(tree: &Tree<'_>, file: &str) -> Option<Oid> {
    let entry = tree.get_path(Path::new(file)).ok()?;
    (entry.kind() == Some(ObjectType::Blob)).then(|| entry.id())
}

/// Reads bytes in the encoding that the commit says, as far as it is a common one.
fn decode(bytes: &[u8], encoding: Option<&str>) -> String {
    let lower = encoding.unwrap_or("").to_ascii_lowercase();
    if matches!(lower.as_str(), "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" | "windows-1252" | "cp1252")
    {
        return bytes.iter().map(|byte| char::from(*byte)).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

fn short(text: &str) -> String {
    text.chars().take(MAX_SUBJECT).collect()
}
