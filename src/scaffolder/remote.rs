//! Skeletons in repositories elsewhere, and single files at addresses.
//!
//! Start at [`folder`]. Repositories are read through the user's own `git`; the token of a forge goes to its
//! host alone. What a dry run fetched is kept for a minute, since a form asks for one after every answer.

use super::action::{ActionError, Workbench};
use super::source::Item;
use super::tree::Kind;
use crate::catalog::Progress;
use crate::catalog::ingest::{in_repository, raw_address};
use crate::catalog::sources::checkout::{Fetched, FetchedKind, WantedFolder, read_folder};
use crate::config::secret::Secret;
use crate::net::{Api, Auth, Request};
use crate::store::kept::Kept;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// How long what was fetched for a dry run is good for the next one.
const FRESH: Duration = Duration::from_secs(60);
/// Fetched folders that are kept.
const KEPT: usize = 4;
/// Largest single file, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// What was fetched lately.
static LATELY: Mutex<Vec<(Instant, String, Vec<Item>)>> = Mutex::new(Vec::new());

/// A repository with what is wanted of it.
struct Place {
    clone: String,
    /// The name of a branch, which may have slashes, then the path; nothing for the whole repository.
    path: Vec<String>,
    has_revision: bool,
}

/// Takes an address apart; one that names no revision is that of a whole repository.
fn place_of(url: &Url) -> Option<Place> {
    let Some(found) = in_repository(url) else {
        let parts = url.path_segments()?.filter(|part| !part.is_empty()).count();
        return (parts >= 2).then(|| Place { clone: url.to_string(), path: Vec::new(), has_revision: false });
    };
    let has_revision = found.revision.is_some();
    let path = found.path.split('/').filter(|part| !part.is_empty()).map(str::to_owned);
    let revision = found.revision.into_iter().flat_map(|text| {
        text.trim_start_matches("refs/heads/").split('/').map(str::to_owned).collect::<Vec<_>>()
    });
    Some(Place { clone: found.clone, path: revision.chain(path).collect(), has_revision })
}

/// Fetches a folder of a repository.
///
/// # Errors
/// When the address names no repository, or it cannot be had.
pub fn folder(url: &Url, token: Option<&str>, bench: &mut dyn Workbench) -> Result<Vec<Item>, ActionError> {
    let place = place_of(url)
        .ok_or_else(|| ActionError::new(format!("`{url}` is no folder of a repository")).hint(HINT))?;
    let key = format!("{url}\0{}", token.unwrap_or_default());
    if bench.is_dry()
        && let Some(items) = lately(&key)
    {
        return Ok(items);
    }
    bench.log(&format!("fetching {url}"));
    let items: Vec<Item> = read(&place, url, token, bench)?.into_iter().map(item).collect();
    if bench.is_dry() {
        keep(key, &items);
    }
    Ok(items)
}

/// How an address of a folder looks.
const HINT: &str = "copy it from the browser: `https://github.com/acme/templates/tree/main/skeleton`";

/// Fetches a single file.
///
/// # Errors
/// When it cannot be had.
pub fn file(url: &Url, token: Option<&str>, bench: &mut dyn Workbench) -> Result<Item, ActionError> {
    if in_repository(url).is_some()
        && let Some(place) = place_of(url)
    {
        bench.log(&format!("fetching {url}"));
        let fetched = read(&place, url, token, bench)?;
        let found = fetched.into_iter().next().filter(|found| found.kind != FetchedKind::Folder);
        return found.map(item).ok_or_else(|| ActionError::new(format!("`{url}` is a folder, not a file")));
    }
    let raw = raw_address(url);
    let kept = Kept::in_memory();
    let quiet = |_| {};
    let api = Api {
        net: &bench.host().net,
        base: raw.clone(),
        auth: token.map_or(Auth::None, |token| Auth::Bearer(Secret::new(token))),
        kept: &kept,
        cancel: bench.cancel_token(),
        timeout: None,
        max_bytes: Some(MAX_FILE),
        ca_file: None,
        notify: &quiet,
    };
    let answer = api.send(Request::get(raw).once()).map_err(|error| {
        let hint = error.hint();
        ActionError::new(format!("could not fetch `{url}`: {error}")).hint(hint)
    })?;
    let name = url.path().rsplit('/').next().unwrap_or_default().to_owned();
    Ok(Item::new(name, Kind::File, 0o644, answer.body.to_vec()))
}

fn read(
    place: &Place,
    url: &Url,
    token: Option<&str>,
    bench: &dyn Workbench,
) -> Result<Vec<Fetched>, ActionError> {
    let host = bench.host();
    let name = url.port().map_or_else(
        || url.host_str().unwrap_or_default().to_owned(),
        |port| format!("{}:{port}", url.host_str().unwrap_or_default()),
    );
    let login = match host.integrations.find(&name) {
        // a token that cannot be read is told only where it would have been needed
        Ok(forge) => forge.credential(token).ok().and_then(|credential| credential.login),
        Err(_) => token.map(|token| (String::new(), Secret::new(token))),
    };
    let progress = Progress::none().cancelled_by(bench.cancel_token().clone());
    read_folder(&WantedFolder {
        url: &place.clone,
        revision: None,
        path: &place.path,
        path_has_revision: place.has_revision,
        login,
        cache: &host.cache.join("templates"),
        is_offline: host.net.is_offline(),
        cancel: progress.cancel_token(),
    })
    .map_err(|error| {
        let diagnostic = error.to_diagnostic(&"template".into(), "");
        ActionError::new(format!("could not fetch `{url}`: {error}"))
            .hint(diagnostic.hint.unwrap_or_default())
    })
}

fn item(fetched: Fetched) -> Item {
    let (kind, mode) = match fetched.kind {
        FetchedKind::Folder => (Kind::Folder, 0o755),
        FetchedKind::File => (Kind::File, 0o644),
        FetchedKind::Executable => (Kind::File, 0o755),
        FetchedKind::Link => (Kind::Link, 0o777),
    };
    Item::new(fetched.path, kind, mode, fetched.bytes)
}

fn lately(key: &str) -> Option<Vec<Item>> {
    let kept = LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    let found = kept.iter().find(|(at, known, _)| known == key && at.elapsed() < FRESH);
    found.map(|(.., items)| items.clone())
}

fn keep(key: String, items: &[Item]) {
    let mut kept = LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    kept.retain(|(at, known, _)| *known != key && at.elapsed() < FRESH);
    let spare = (kept.len() + 1).saturating_sub(KEPT);
    kept.drain(..spare);
    kept.push((Instant::now(), key, items.to_vec()));
}
