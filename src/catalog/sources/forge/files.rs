//! Finds descriptors in repositories and reads their content, several at once.

use super::memory::{self, Known, KnownFile};
use super::{Entry, Forge, MAX_PER_REPOSITORY, Plan, ReadAnswer, Repository, Wanted, source_error};
use crate::catalog::sources::{RefreshContext, SourceError};
use crate::net::NetError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Requests that one source has under way at once.
const AT_ONCE: usize = 6;

/// The descriptors of one repository, or why they cannot be told.
pub(super) type Found = Result<Vec<KnownFile>, NetError>;

/// Looks for the descriptors of repositories that nothing is known about, and keeps their content where it
/// comes along. Gives an answer for each, in order.
pub(super) fn find(
    cx: &RefreshContext<'_>,
    forge: &dyn Forge,
    plan: &Plan,
    repositories: &[Repository],
) -> Result<Vec<Found>, SourceError> {
    match plan {
        Plan::File(path) => {
            let wanted: Vec<Wanted> = repositories
                .iter()
                .map(|repository| Wanted {
                    repository: repository.path.clone(),
                    revision: Some(repository.branch.clone()),
                    path: path.clone(),
                })
                .collect();
            let answers = read_all(cx, forge, &wanted)?;
            let keep = |answer: ReadAnswer| {
                let content = answer?;
                let file =
                    |content| KnownFile { path: path.clone(), blob: memory::keep_content(cx.kept, &content) };
                Ok(content.map(file).into_iter().collect())
            };
            Ok(answers.into_iter().map(keep).collect())
        }
        Plan::Glob { pattern, folder } => {
            let matching = |entries: Vec<Entry>| {
                let mut files: Vec<KnownFile> = entries
                    .into_iter()
                    .filter(|entry| pattern.is_match(&entry.path))
                    .map(|entry| KnownFile { path: entry.path, blob: entry.blob })
                    .take(MAX_PER_REPOSITORY)
                    .collect();
                files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
                files
            };
            let answers = in_parallel(cx, forge, repositories, |repository| {
                let answer = forge.tree(&repository.path, Some(&repository.branch), folder);
                match answer {
                    Err(error) if error.is_not_found() => Ok(Vec::new()),
                    other => other,
                }
            })?;
            Ok(answers.into_iter().map(|answer| answer.map(matching)).collect())
        }
    }
}

/// Reads the contents that are named and not kept. Returns repositories with what went wrong; their files
/// are left out and they are looked into again next time.
pub(super) fn fill(
    cx: &RefreshContext<'_>,
    forge: &dyn Forge,
    known: &mut [Known],
) -> Result<Vec<(String, String)>, SourceError> {
    let mut places = Vec::new();
    let mut wanted = Vec::new();
    for (at, repository) in known.iter().enumerate() {
        for (number, file) in repository.files.iter().enumerate() {
            if memory::content(cx.kept, &file.blob).is_none() {
                places.push((at, number));
                wanted.push(Wanted {
                    repository: repository.path.clone(),
                    revision: Some(repository.branch.clone()),
                    path: file.path.clone(),
                });
            }
        }
    }
    let mut problems = Vec::new();
    let answers = read_all(cx, forge, &wanted)?;
    // from the back, so that what is taken out does not move what is still to come
    for ((at, number), answer) in places.into_iter().zip(answers).rev() {
        let Some(repository) = known.get_mut(at) else { continue };
        match answer {
            Ok(Some(content)) => {
                let blob = memory::keep_content(cx.kept, &content);
                if let Some(file) = repository.files.get_mut(number) {
                    file.blob = blob;
                }
            }
            Ok(None) => {
                // it went between listing and reading
                repository.stamp = None;
                repository.files.remove(number);
            }
            Err(error) => {
                repository.stamp = None;
                repository.files.remove(number);
                problems.push((repository.path.clone(), error.to_string()));
            }
        }
    }
    Ok(problems)
}

/// Reads files in batches.
pub(super) fn read_all(
    cx: &RefreshContext<'_>,
    forge: &dyn Forge,
    wanted: &[Wanted],
) -> Result<Vec<ReadAnswer>, SourceError> {
    let chunks: Vec<&[Wanted]> = wanted.chunks(forge.batch().max(1)).collect();
    let answers = in_parallel(cx, forge, &chunks, |chunk| {
        let answers = forge.read(chunk);
        // what concerns everything is told once, for the whole
        match answers.iter().find_map(|answer| answer.as_ref().err().filter(|e| is_general(e))) {
            Some(error) => Err(error.clone()),
            None => Ok(answers),
        }
    })?;
    let mut out = Vec::with_capacity(wanted.len());
    for (chunk, answer) in chunks.into_iter().zip(answers) {
        let missing = |error: NetError| chunk.iter().map(move |_| Err(error.clone()));
        match answer {
            Ok(answers) if answers.len() == chunk.len() => out.extend(answers),
            Ok(_) => out.extend(missing(NetError::Broken {
                host: forge.place(),
                cause: "it left out files that were asked for".to_owned(),
            })),
            Err(error) => out.extend(missing(error)),
        }
    }
    Ok(out)
}

/// Asks for each item, some at once, and gives the answers in order; stops at what concerns all of them.
fn in_parallel<T: Sync, R: Send>(
    cx: &RefreshContext<'_>,
    forge: &dyn Forge,
    items: &[T],
    ask: impl Fn(&T) -> Result<R, NetError> + Sync,
) -> Result<Vec<Result<R, NetError>>, SourceError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let answers: Vec<Mutex<Option<Result<R, NetError>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while !stop.load(Ordering::Relaxed) && !cx.progress.is_cancelled() {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(item), Some(slot)) = (items.get(at), answers.get(at)) else { return };
            let answer = ask(item);
            if answer.as_ref().is_err_and(is_general) {
                stop.store(true, Ordering::Relaxed);
            }
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..AT_ONCE.min(items.len()) {
            scope.spawn(work);
        }
        work();
    });
    if cx.progress.is_cancelled() {
        return Err(SourceError::Cancelled);
    }
    let mut out = Vec::with_capacity(items.len());
    for slot in answers {
        match slot.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(Err(error)) if is_general(&error) => {
                return Err(source_error(&forge.place(), "such place", cx.config.token.is_some(), error));
            }
            Some(answer) => out.push(answer),
            // only when another one stopped the work; its error is found further on
            None => out.push(Err(NetError::Cancelled { host: forge.place() })),
        }
    }
    Ok(out)
}

/// Whether an error is about the server or the sign-in, not about one repository.
pub(super) fn is_general(error: &NetError) -> bool {
    matches!(
        error,
        NetError::Offline { .. }
            | NetError::Unreachable { .. }
            | NetError::Cancelled { .. }
            | NetError::Limited { .. }
            | NetError::Status { status: 401 | 429, .. }
    )
}
