//! The files around an entity: the tree it was read from, repositories that it names, what its backend
//! publishes.
//!
//! Start at [`Loader::tree_of`]. Everything here may block for the network and is called on a pool.

use super::history::{self, Place};
use super::ingest::{FileCache, in_repository};
use super::loader::Loader;
use super::progress::Progress;
use super::snapshot::Entity;
use super::sources::documents::{self, Opened};
use super::sources::{RefreshContext, SourceError, Stale};
use super::tree::folder_of;
use crate::config::source::SourceConfig;
use crate::store::kept::Kept;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Folder of clones of repositories that only documentation names, in the cache folder.
const CLONES: &str = "documents";

/// Files that are fetched of a repository elsewhere.
pub type Wanted<'a> = dyn Fn(&str) -> bool + 'a;

impl Loader {
    /// Opens the tree that an entity was read from, at the folder of its file. `None` when it was read from
    /// no tree: from an address, from a server.
    ///
    /// # Errors
    /// [`SourceError`] when the tree cannot be opened any more.
    pub fn tree_of(
        &self,
        entity: &Entity<'_>,
        wanted: &Wanted<'_>,
        progress: &Progress,
    ) -> Result<Option<(Opened, Option<Stale>)>, SourceError> {
        let file = entity.file();
        let config =
            entity.source().and_then(|source| self.sources().iter().find(|s| *s.name == *source.name));
        let is_elsewhere = config.is_some_and(|config| config.kind == "backstage");
        let location = file.location_ref;
        let opened = match location.split_once(':') {
            Some(("file", path)) if !is_elsewhere => {
                let path = Path::new(path);
                let unreadable = |error: super::tree::TreeError| SourceError::Unreadable {
                    place: path.display().to_string(),
                    cause: error.to_string(),
                    hint: None,
                };
                documents::folder(path.parent().unwrap_or(path)).map_err(unreadable)?
            }
            Some(("sample", path)) => {
                Opened { tree: documents::embedded(), folder: folder_of(path).to_owned() }
            }
            // `/repository@commit:path`
            Some(("git", place)) if config.is_some_and(|config| config.path.is_some()) => {
                let Some((at, path)) = place.split_once(':') else { return Ok(None) };
                let Some((repository, commit)) = at.rsplit_once('@') else { return Ok(None) };
                let tree = documents::revision(Path::new(repository), commit)?;
                Opened { tree, folder: folder_of(path).to_owned() }
            }
            _ => return self.clone_of(entity, config, wanted, progress),
        };
        Ok(Some((opened, None)))
    }

    /// Opens the clone that a source of type `git` keeps.
    fn clone_of(
        &self,
        entity: &Entity<'_>,
        config: Option<&SourceConfig>,
        wanted: &Wanted<'_>,
        progress: &Progress,
    ) -> Result<Option<(Opened, Option<Stale>)>, SourceError> {
        let Some(config) = config.filter(|config| config.kind == "git" && config.path.is_none()) else {
            return Ok(None);
        };
        let Ok(Place { file, .. }) = history::locate(self, entity) else { return Ok(None) };
        let index = self.sources().iter().position(|source| source.name == config.name);
        let Some(folder) = index.and_then(|index| self.folder(index)) else { return Ok(None) };
        let (tree, stale) =
            self.with_context(config, progress, |cx| documents::remote(config, &folder, wanted, cx))?;
        Ok(Some((Opened { tree, folder: folder_of(&file).to_owned() }, stale)))
    }

    /// Opens the folder of a repository that an address of a code host names, as a clone of the cache.
    ///
    /// # Errors
    /// [`SourceError`] when it is no such address, or the repository cannot be read.
    pub fn remote_tree(
        &self,
        url: &Url,
        wanted: &Wanted<'_>,
        progress: &Progress,
    ) -> Result<(Opened, Option<Stale>), SourceError> {
        let found = in_repository(url).ok_or_else(|| SourceError::Unreadable {
            place: crate::config::source::without_credentials(url.as_str()),
            cause: "it is no address of a folder in a repository".to_owned(),
            hint: Some("write it as `https://HOST/OWNER/REPOSITORY/tree/BRANCH/FOLDER/`".to_owned()),
        })?;
        // a configured source of the repository has its clone already
        let known = self.sources().iter().position(|source| {
            source.kind == "git"
                && source.url.as_deref().is_some_and(|known| is_same(known, &found.clone))
                && source.at.as_ref().or(source.branch.as_ref()) == found.revision.as_ref()
        });
        let mut config = SourceConfig::new("git", "documents");
        config.url = Some(found.clone.clone());
        config.at.clone_from(&found.revision);
        if let Some(alike) = self.source_of_host(url) {
            config.token.clone_from(&alike.token);
            config.username.clone_from(&alike.username);
            config.ca_file.clone_from(&alike.ca_file);
            config.timeout_seconds = alike.timeout_seconds;
        }
        let hash = blake3::hash(format!("{}\0{:?}", found.clone, found.revision).as_bytes()).to_hex();
        let own = self.documents_folder().join(hash.get(..24).unwrap_or_default());
        let folder = known.and_then(|index| self.folder(index)).unwrap_or(own);
        let inside = |path: &str| {
            found.path.is_empty()
                || path
                    .strip_prefix(found.path.as_str())
                    .is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
        };
        let wanted = |path: &str| inside(path) && wanted(path);
        let (tree, stale) =
            self.with_context(&config, progress, |cx| documents::remote(&config, &folder, &wanted, cx))?;
        Ok((Opened { tree, folder: found.path }, stale))
    }

    /// Asks the backend of a source for something below its base; `None`: there is no such thing.
    ///
    /// # Errors
    /// [`SourceError`] with who could allow it, when the server refuses.
    pub fn ask_backend(
        &self,
        source: &str,
        path: &str,
        progress: &Progress,
    ) -> Result<Option<Arc<[u8]>>, SourceError> {
        let config = self.sources().iter().find(|config| config.name == source);
        let config = config.ok_or_else(|| SourceError::UnknownType { kind: source.to_owned() })?;
        self.with_context(config, progress, |cx| documents::of_backend(cx, path))
    }

    /// Returns hosts and ports of the portals that sources come from.
    pub fn portals(&self) -> Vec<String> {
        let backends = self.sources().iter().filter(|source| source.kind == "backstage");
        let urls = backends.filter_map(|source| Url::parse(source.url.as_deref()?).ok());
        urls.filter_map(|url| {
            let host = url.host_str()?.to_owned();
            Some(url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
        })
        .collect()
    }

    /// Returns the folder of this machine for documents that no source keeps.
    pub fn documents_folder(&self) -> PathBuf {
        let cache = self.options.cache.clone();
        cache.unwrap_or_else(|| std::env::temp_dir().join("devportal")).join(CLONES)
    }

    /// Finds a source whose credentials are for the host of an address.
    fn source_of_host(&self, url: &Url) -> Option<&SourceConfig> {
        let default = |kind: &str| match kind {
            "github" => Some("https://github.com"),
            "gitlab" => Some("https://gitlab.com"),
            "bitbucket" => Some("https://bitbucket.org"),
            "azure" => Some("https://dev.azure.com"),
            _ => None,
        };
        self.sources().iter().filter(|source| source.token.is_some() && source.kind != "backstage").find(
            |source| {
                let place = source.url.as_deref().or_else(|| default(&source.kind));
                let place = place.and_then(|place| Url::parse(place).ok());
                // the API of a forge may have a host of its own
                place.is_some_and(|place| {
                    place.scheme() == url.scheme()
                        && (place.origin() == url.origin()
                            || place.host_str().and_then(|host| host.strip_prefix("api.")) == url.host_str())
                })
            },
        )
    }

    fn with_context<T>(
        &self,
        config: &SourceConfig,
        progress: &Progress,
        work: impl FnOnce(&RefreshContext<'_>) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let kept = Kept::in_memory();
        let cache = FileCache::default();
        work(&RefreshContext {
            config,
            name: config.name.as_str().into(),
            index: 0,
            net: &self.net,
            cache: &cache,
            kept: &kept,
            folder: None,
            notify: &|_| {},
            progress,
            remote_budget: self.options.remote_budget,
            settling: Duration::ZERO,
            changed: None,
            before: &[],
            version: None,
        })
    }
}

/// Whether two addresses are of one repository.
fn is_same(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.trim_end_matches('/').trim_end_matches(".git").to_lowercase();
    plain(a) == plain(b)
}
