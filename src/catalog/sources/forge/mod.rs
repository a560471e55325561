//! What all code forges share: looking through the repositories of an organisation and reading the
//! descriptors in them, with as few requests as the forge allows.
//!
//! To add a forge, implement [`Forge`] and call [`refresh`]. The order of work: [`listing`] goes through
//! the pages and notes for each repository what it holds; [`memory`] keeps that and the content of files
//! between runs, page by page, so that a listing that was cut goes on where it stopped; [`remote`] hands
//! the files to [`crate::catalog::ingest`] and fetches what they name. A repository whose stamp is that of
//! the run before costs no request of its own; one without a descriptor is remembered as such.

pub mod address;
mod files;
mod filter;
mod listing;
mod memory;
pub mod org;
mod pages;
mod remote;

pub use filter::Filter;
pub use pages::{decoded, page_url, split_page};

use super::{Delta, RefreshContext, SourceError, Stale};
use crate::catalog::glob::{Pattern, fixed_folder, is_glob};
use crate::catalog::ingest::{Ingest, Root};
use crate::catalog::tree::EmptyTree;
use crate::config::source::SourceConfig;
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::net::NetError;
use std::sync::Arc;
use url::Url;

/// Most repositories that one source goes through; what is listed behind them is not read.
pub const MAX_REPOSITORIES: usize = 100_000;
/// Most descriptors that one source reads.
pub const MAX_DESCRIPTORS: usize = 200_000;
/// Most descriptors that a pattern names in one repository.
pub const MAX_PER_REPOSITORY: usize = 5_000;
/// Where a descriptor lies unless the configuration says otherwise.
const CATALOG_PATH: &str = "catalog-info.yaml";

/// A repository as a listing tells about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repository {
    /// With its groups or organisation: `acme/shop`. Unique on its host.
    pub path: String,
    /// The branch to read; empty when nothing was ever pushed, which leaves the repository out.
    pub branch: String,
    /// Something that changes whenever content of the branch does: head commit, time of the last push.
    /// `None`: the listing does not tell, it is looked into each time.
    pub stamp: Option<String>,
    /// Topics.
    pub topics: Vec<String>,
    /// Whether it is read-only for good.
    pub archived: bool,
    /// Whether it is a fork.
    pub fork: bool,
    /// `public`, `internal` or `private`, lower case.
    pub visibility: String,
    /// Files that [`Plan`] names, where the listing tells about them.
    pub files: Listed,
}

/// What a listing tells about the descriptors of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Listed {
    /// Nothing; it is looked for by [`Forge::tree`] or [`Forge::read`].
    #[default]
    Unknown,
    /// These are all.
    Known(Vec<ListedFile>),
}

/// A file as a listing tells about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedFile {
    /// From the root of the repository.
    pub path: String,
    /// Id of its content.
    pub blob: String,
    /// The content, if the listing brought it whole.
    pub text: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Its repositories, all of them: they are filtered later.
    pub repositories: Vec<Repository>,
    /// What [`Forge::page`] takes for the next page; `None`: this is the last.
    pub next: Option<String>,
    /// Repositories in all, where the forge tells.
    pub total: Option<usize>,
    /// Repositories that the forge could not tell about, with its words.
    pub problems: Vec<(String, String)>,
}

/// What a page is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// What the page before gave; `None`: the first page.
    pub after: Option<&'a str>,
    /// Whether content is wanted with the listing, because little of it is known yet.
    pub texts: bool,
}

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Path of the repository.
    pub repository: String,
    /// Branch, tag or commit; `None`: the default branch.
    pub revision: Option<String>,
    /// From the root of the repository.
    pub path: String,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub struct Content {
    /// Id of the content, where the forge tells.
    pub blob: Option<String>,
    /// The content.
    pub bytes: Arc<[u8]>,
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the root of the repository.
    pub path: String,
    /// Id of its content.
    pub blob: String,
}

/// An answer about one file: its content, `None` when there is no such file.
pub type ReadAnswer = Result<Option<Content>, NetError>;

/// What differs from one forge to the next. All methods block and stop when the refresh does.
pub trait Forge: Sync {
    /// Returns what is read, for people: `github.com/acme`.
    fn place(&self) -> String;

    /// Lists one page of repositories.
    ///
    /// # Errors
    /// [`SourceError`]: what keeps the whole listing from going on. A cursor that the server does not know
    /// any more is [`is_stale_cursor`]'s business.
    fn page(&self, wish: &Wish<'_>) -> Result<Page, SourceError>;

    /// Reads files, at most [`Self::batch`]; gives an answer for each, in order.
    fn read(&self, wanted: &[Wanted]) -> Vec<ReadAnswer>;

    /// Returns how many files one [`Self::read`] takes for about the price of one request.
    fn batch(&self) -> usize {
        1
    }

    /// Lists the files below a folder (empty: the root) of a revision (`None`: the default branch).
    ///
    /// # Errors
    /// [`NetError`]; a repository or folder that is not there is `Status` 404.
    fn tree(&self, repository: &str, revision: Option<&str>, folder: &str) -> Result<Vec<Entry>, NetError>;

    /// Returns the address that shows a file to people.
    fn web_url(&self, repository: &str, revision: &str, path: &str) -> Option<Url>;

    /// Finds the file that an address shows, if it is one of this forge. `branch` gives the branch of a
    /// repository that is known, for branches with a `/` in their name.
    fn locate(&self, url: &Url, branch: &dyn Fn(&str) -> Option<String>) -> Option<Wanted>;

    /// Reads teams and members, for `org = true`; `None`: the forge has none.
    ///
    /// # Errors
    /// [`SourceError`]; it is told about and keeps nothing else from being read.
    fn org(&self) -> Result<Option<org::Org>, SourceError> {
        Ok(None)
    }

    /// Returns whether a page failed only because the server forgot where the listing stopped.
    fn is_stale_cursor(&self, error: &SourceError) -> bool {
        matches!(
            error,
            SourceError::Net { error: NetError::Status { status: 400 | 404 | 410 | 422, .. }, .. }
        )
    }
}

/// Which files of each repository are descriptors.
#[derive(Debug, Clone)]
pub enum Plan {
    /// The one at this path.
    File(String),
    /// Those that match, below a folder (empty: the root).
    Glob {
        /// Matched against paths from the root of the repository.
        pattern: Pattern,
        /// Every match lies in it.
        folder: String,
    },
}

impl Plan {
    /// Reads `catalog_path`.
    ///
    /// # Errors
    /// [`SourceError::BadSetting`].
    pub fn of(config: &SourceConfig) -> Result<Self, SourceError> {
        let bad = |cause: String| SourceError::BadSetting { setting: "catalog_path", cause };
        let text = config.catalog_path.as_deref().unwrap_or(CATALOG_PATH).trim();
        let text = text.trim_start_matches("./").trim_start_matches('/');
        if text.is_empty() || text.ends_with('/') || text.split('/').any(|part| part == "..") {
            return Err(bad("it names no file of a repository".to_owned()));
        }
        if !is_glob(text) {
            return Ok(Self::File(text.to_owned()));
        }
        let pattern = Pattern::new(text).map_err(|error| bad(error.to_string()))?;
        Ok(Self::Glob { pattern, folder: fixed_folder(text).to_owned() })
    }

    /// Returns the path of the one descriptor, if it is not a pattern.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::File(path) => Some(path),
            Self::Glob { .. } => None,
        }
    }
}

/// Looks through the repositories and reads their descriptors.
///
/// # Errors
/// [`SourceError`] when the listing cannot be read to its end; what was listed until then is kept, and the
/// next refresh goes on from there.
pub fn refresh(cx: &RefreshContext<'_>, forge: &dyn Forge) -> Result<Delta, SourceError> {
    let plan = Plan::of(cx.config)?;
    let filter = Filter::new(&cx.config.repositories)?;
    let org = org::read(cx, forge)?;
    let (repositories, mut diagnostics, stale) = match listing::Listing::new(cx, forge, &plan, &filter).run()
    {
        Ok(complete) => (complete.repositories, complete.diagnostics, None),
        Err(cut) if cut.repositories.is_empty() || cut.error == SourceError::Cancelled => {
            return Err(cut.error);
        }
        Err(cut) => {
            let read_at = jiff::Timestamp::from_second(cut.read_at).unwrap_or_default();
            (cut.repositories, cut.note.into_iter().collect(), Some(Stale { error: cut.error, read_at }))
        }
    };
    let remote = remote::ForgeRemote::new(cx, forge, &repositories);
    let mut roots: Vec<Url> = Vec::new();
    for known in &repositories {
        roots.extend(
            known.files.iter().filter_map(|file| forge.web_url(&known.path, &known.branch, &file.path)),
        );
    }
    drop(repositories);
    if roots.len() > MAX_DESCRIPTORS {
        roots.truncate(MAX_DESCRIPTORS);
        diagnostics.push(too_many(forge, MAX_DESCRIPTORS, "descriptors"));
    }
    diagnostics.extend(org.diagnostics);
    for diagnostic in &mut diagnostics {
        diagnostic.source = Some(cx.name.clone());
    }
    let used = remote.used();
    let mut delta = Ingest::new(cx, &EmptyTree)
        .over(remote)
        .with_mail(org.by_mail)
        .with_diagnostics(diagnostics)
        .run(roots.into_iter().map(Root::url).collect())?;
    if stale.is_none() {
        memory::forget_unused(cx.kept, &used);
    }
    delta.files.extend(org.files);
    delta.files.sort_by(|a, b| a.path.cmp(&b.path));
    delta.stale = stale;
    Ok(delta)
}

/// Tells that something is left out because there is too much of it.
fn too_many(forge: &dyn Forge, limit: usize, what: &str) -> Diagnostic {
    let place = forge.place();
    Diagnostic::warning(
        "source::too-many",
        format!("`{place}` has more than {limit} {what}; the rest is not read"),
    )
    .at(SourceLocation::file(place))
    .hint("narrow it with `repositories` of the source, or make several sources")
}

/// Says what a failed request means for a whole source: `what` is missing when the answer is 404.
pub fn source_error(place: &str, what: &str, has_token: bool, error: NetError) -> SourceError {
    let place = place.to_owned();
    match &error {
        NetError::Status { status: 401, .. } => SourceError::Refused {
            place,
            cause: if has_token { "the token is not accepted" } else { "it asks for a token" }.to_owned(),
            hint: "check that the token is not expired; set it with `token = { env = \"…\" }` in the source"
                .to_owned(),
        },
        NetError::Status { status: 403, .. } => SourceError::Refused {
            place,
            cause: if has_token { "the token may not read this" } else { "it asks for a token" }.to_owned(),
            hint: "give the token the right to read repositories (and members, for `org = true`)".to_owned(),
        },
        NetError::Status { status: 404, .. } => SourceError::Unreadable {
            place,
            cause: format!("there is no {what}, or the token may not see it"),
            hint: Some(
                "check `organization` and `url` of the source, and the rights of the token".to_owned(),
            ),
        },
        NetError::Cancelled { .. } => SourceError::Cancelled,
        _ => SourceError::Net { place, error },
    }
}
