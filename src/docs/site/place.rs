//! Where the documentation of an entity is, as its annotations say.
//!
//! Start at [`open`]. In this order: `backstage.io/techdocs-entity` leads to another entity's, then
//! `backstage.io/techdocs-ref` with `dir:` beside the entity or `url:` in a repository, and what a Backstage
//! backend publishes for entities that come from it; without an annotation the README beside the descriptor.
//! Everything that was tried and did not work is told with the reason.

use super::published::{self, Source};
use super::{Opening, Site};
use crate::catalog::ingest::{join_address, location_annotations};
use crate::catalog::sources::Stale;
use crate::catalog::sources::documents::{self, Opened};
use crate::catalog::tree::{SourceTree, resolve};
use crate::catalog::{Catalog, Entity, Loader, Progress};
use crate::diagnostic::Diagnostic;
use crate::model::EntityRef;
use crate::model::entity_ref::split_canonical;
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// Where the documentation is.
pub const REF: &str = "backstage.io/techdocs-ref";
/// Whose documentation is meant.
pub const ENTITY: &str = "backstage.io/techdocs-entity";
/// Which page of it.
pub const ENTITY_PATH: &str = "backstage.io/techdocs-entity-path";
/// Where decision records are.
pub const RECORDS: &str = "backstage.io/adr-location";
/// Where the sources of an entity are.
const SOURCE: &str = "backstage.io/source-location";
/// Entities that lead to another's documentation, one after the other.
const MAX_STEPS: usize = 8;
/// Folders above a page that are looked through for a `mkdocs.yml`.
const MAX_ANCESTORS: usize = 12;

/// Documentation that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The site.
    pub site: Site,
    /// Canonical ref of the entity it belongs to; another than asked for when an annotation leads there.
    pub entity: String,
    /// The page that the annotation names; empty for the first.
    pub page: String,
}

/// Why an entity has no documentation to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It has none.
    #[error(
        "`{entity}` has no documentation: it has no annotation `{REF}`, and there is no README beside its descriptor"
    )]
    Nothing {
        /// Canonical ref.
        entity: String,
    },
    /// The annotation makes no sense.
    #[error("the annotation `{annotation}: {value}` of `{entity}` is not usable: {cause}")]
    BadAnnotation {
        /// Canonical ref.
        entity: String,
        /// Its key.
        annotation: &'static str,
        /// Its value.
        value: String,
        /// Why.
        cause: String,
    },
    /// It is said to be somewhere, and is not, or cannot be read.
    #[error("could not read the documentation of `{entity}`: {cause}")]
    Unreadable {
        /// Canonical ref.
        entity: String,
        /// Why.
        cause: String,
        /// Whether the network or a server is the reason.
        is_unreachable: bool,
    },
}

impl PlaceError {
    /// Returns it with what to do about it.
    pub fn to_diagnostic(&self) -> Diagnostic {
        let (code, hint, entity) = match self {
            Self::Nothing { entity } => (
                "docs::none",
                format!("put a `mkdocs.yml` beside the descriptor and add `{REF}: dir:.` to its annotations"),
                entity,
            ),
            Self::BadAnnotation { entity, .. } => (
                "docs::annotation",
                "write `dir:.`, `dir:./docs-folder` or `url:https://…`".to_owned(),
                entity,
            ),
            Self::Unreadable { entity, is_unreachable: true, .. } => {
                ("docs::unreachable", "`devportal doctor` tells which sources answer".to_owned(), entity)
            }
            Self::Unreadable { entity, .. } => {
                ("docs::unreadable", format!("check the annotation `{REF}`"), entity)
            }
        };
        Diagnostic::error(code, self.to_string()).hint(hint).entity(entity.clone())
    }
}

/// Whether an entity says that it has documentation; costs nothing.
pub fn has_docs(entity: &Entity<'_>) -> bool {
    entity.annotation(REF).is_some() || entity.annotation(ENTITY).is_some()
}

/// Opens the documentation of an entity. Blocks; may ask the network.
///
/// # Errors
/// [`PlaceError`] when there is none, or it cannot be read.
pub fn open(
    loader: &Arc<Loader>,
    catalog: &Catalog,
    entity: &Entity<'_>,
    progress: &Progress,
) -> Result<Found, PlaceError> {
    let mut current = *entity;
    let mut page = String::new();
    for _ in 0..MAX_STEPS {
        let Some(other) = current.annotation(ENTITY).map(str::trim).filter(|other| !other.is_empty()) else {
            break;
        };
        let bad = |cause: &str| PlaceError::BadAnnotation {
            entity: current.entity_ref().to_owned(),
            annotation: ENTITY,
            value: other.to_owned(),
            cause: cause.to_owned(),
        };
        let parsed =
            EntityRef::parse(other, Some("component"), "default").map_err(|error| bad(&error.to_string()))?;
        let id = catalog.find(&parsed.to_string());
        let next = id.and_then(|id| catalog.entity(id)).ok_or_else(|| bad("there is no such entity"))?;
        if page.is_empty() {
            page = current.annotation(ENTITY_PATH).unwrap_or("").trim().trim_matches('/').to_owned();
        }
        if next.id() == current.id() {
            break;
        }
        current = next;
    }
    if current.annotation(ENTITY).is_some()
        && current.id() != entity.id()
        && current.annotation(REF).is_none()
    {
        return Err(PlaceError::BadAnnotation {
            entity: entity.entity_ref().to_owned(),
            annotation: ENTITY,
            value: entity.annotation(ENTITY).unwrap_or("").to_owned(),
            cause: "it leads from entity to entity and never to documentation".to_owned(),
        });
    }
    let finder = Finder { loader, entity: current, progress };
    let mut site = finder.site()?;
    finder.add_records(&mut site);
    Ok(Found { site, entity: current.entity_ref().to_owned(), page })
}

/// Opens the decision records of an entity without its documentation.
pub fn records(loader: &Arc<Loader>, entity: &Entity<'_>, progress: &Progress) -> Vec<super::Adr> {
    let finder = Finder { loader, entity: *entity, progress };
    let found = finder.record_folder();
    found.map(|found| super::adr::read(&*found.tree, &found.folder, str::to_owned)).unwrap_or_default()
}

/// Opens a file or folder of this machine without a catalog; returns the site, and the page of a file.
///
/// # Errors
/// A sentence, when there is nothing to read.
pub fn open_path(path: &Path) -> Result<(Site, Option<String>), String> {
    let shown = path.display().to_string();
    let told = |error: crate::catalog::tree::TreeError| format!("could not read `{shown}`: {error}");
    if path.is_dir() {
        if let Some(site) = site_around(path) {
            return Ok((site, None));
        }
        let opened = documents::folder(path).map_err(told)?;
        let site = site_in(&opened, &name_of(path), true).map_err(|error| error.to_string())?;
        return Ok((site, None));
    }
    let full = std::fs::canonicalize(path).map_err(|error| {
        format!("could not read `{shown}`: {}", crate::catalog::tree::TreeError::from_io(&error))
    })?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if matches!(file.as_str(), "mkdocs.yml" | "mkdocs.yaml") {
        return open_path(parent);
    }
    // a page of a site knows its links, its snippets and its title
    if let Some(site) = site_around(parent)
        && let Some(page) = site.page_of_path(&full)
    {
        return Ok((site, Some(page)));
    }
    let opened = documents::folder(parent).map_err(told)?;
    let site = Site::of_file(&opened, &file);
    Ok((site, Some(file)))
}

/// Opens the site that a folder is a part of: the nearest above it, or itself, with a `mkdocs.yml`.
fn site_around(folder: &Path) -> Option<Site> {
    let real = std::fs::canonicalize(folder).ok()?;
    let has_config =
        |folder: &&Path| folder.join("mkdocs.yml").is_file() || folder.join("mkdocs.yaml").is_file();
    let root = real.ancestors().take(MAX_ANCESTORS).find(has_config)?;
    let typed = typed_ancestor(folder, &real, root);
    let opened = documents::folder(typed.as_deref().unwrap_or(root)).ok()?;
    let site = site_in(&opened, &name_of(root), true).ok()?;
    // a folder that is no part of the site is something else
    let is_part =
        root == real || opened.tree.inside(real.to_str()?).is_some_and(|below| site.has_folder(&below));
    is_part.then_some(site)
}

/// Returns the ancestor of a folder as the user would type it: `../..` of what was typed.
fn typed_ancestor(typed: &Path, real: &Path, ancestor: &Path) -> Option<std::path::PathBuf> {
    let up = real.strip_prefix(ancestor).ok()?.components().count();
    let mut out = typed.to_path_buf();
    for _ in 0..up {
        let is_named = matches!(out.components().next_back(), Some(std::path::Component::Normal(_)));
        if is_named {
            out.pop();
        } else {
            out.push("..");
        }
    }
    Some(if out.as_os_str().is_empty() { std::path::PathBuf::from(".") } else { out })
}

fn name_of(path: &Path) -> String {
    let full = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    full.file_name()
        .map_or_else(|| "Documentation".to_owned(), |name| super::title::of_name(&name.to_string_lossy()))
}

fn site_in(opened: &Opened, name: &str, is_readme_enough: bool) -> Result<Site, super::SiteError> {
    Site::open(&Opening {
        tree: opened.tree.clone(),
        folder: opened.folder.clone(),
        name: name.to_owned(),
        edit_base: None,
        is_readme_enough,
        is_any_folder: true,
    })
}

/// Files that documentation may need: not what is large and no text.
fn is_wanted(path: &str) -> bool {
    let extension =
        path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    let extension = extension.unwrap_or("").to_ascii_lowercase();
    !matches!(
        extension.as_str(),
        "png"
            | "jpg"
            | "jpeg"
            | "gif"
            | "webp"
            | "ico"
            | "pdf"
            | "zip"
            | "gz"
            | "tgz"
            | "jar"
            | "mp4"
            | "mov"
            | "woff"
            | "woff2"
            | "ttf"
            | "otf"
            | "eot"
            | "exe"
            | "dll"
            | "so"
            | "bin"
            | "lock"
    )
}

struct Finder<'a> {
    loader: &'a Arc<Loader>,
    entity: Entity<'a>,
    progress: &'a Progress,
}

impl Finder<'_> {
    fn entity_ref(&self) -> String {
        self.entity.entity_ref().to_owned()
    }

    fn name(&self) -> String {
        self.entity.title().unwrap_or_else(|| self.entity.name()).to_owned()
    }

    fn is_of_backend(&self) -> bool {
        self.entity.source().is_some_and(|source| source.kind == "backstage")
    }

    fn site(&self) -> Result<Site, PlaceError> {
        let annotation = self.entity.annotation(REF).map(str::trim).filter(|value| !value.is_empty());
        let mut why = Vec::new();
        let mut is_unreachable = false;
        if self.is_of_backend() {
            match self.published() {
                Ok(Some(site)) => return Ok(site),
                Ok(None) => {}
                Err(cause) => {
                    why.push(cause);
                    is_unreachable = true;
                }
            }
        }
        let Some(value) = annotation else {
            return match self.readme() {
                Some(site) => Ok(site),
                None if is_unreachable => Err(PlaceError::Unreadable {
                    entity: self.entity_ref(),
                    cause: why.join("; "),
                    is_unreachable,
                }),
                None => Err(PlaceError::Nothing { entity: self.entity_ref() }),
            };
        };
        let bad = |cause: &str| PlaceError::BadAnnotation {
            entity: self.entity_ref(),
            annotation: REF,
            value: value.to_owned(),
            cause: cause.to_owned(),
        };
        let found = match value.split_once(':') {
            Some(("dir", folder)) => self.folder(folder.trim()),
            Some(("url", address)) => {
                let url =
                    Url::parse(address.trim()).map_err(|error| bad(&format!("it is no address: {error}")))?;
                if !matches!(url.scheme(), "http" | "https") {
                    return Err(bad("its address is none of http or https"));
                }
                self.local_copy(&url).map_or_else(|| self.remote(&url), Ok)
            }
            Some((kind, _)) => {
                return Err(bad(&format!(
                    "`{kind}:` is no type of reference that is known; `dir:` and `url:` are"
                )));
            }
            None => return Err(bad("it has no type; `dir:` and `url:` are known")),
        };
        match found {
            Ok(site) => Ok(site),
            Err((cause, is_network)) => {
                why.insert(0, cause);
                let is_unreachable = is_unreachable || is_network;
                Err(PlaceError::Unreadable {
                    entity: self.entity_ref(),
                    cause: why.join("; "),
                    is_unreachable,
                })
            }
        }
    }

    /// Opens `dir:`: beside the entity on this machine, else where its sources are.
    fn folder(&self, relative: &str) -> Result<Site, (String, bool)> {
        let mut why = None;
        if let Some((opened, stale)) = self.own_tree()? {
            let is_on_disk = opened.tree.location_ref("").starts_with("file:");
            match resolve(&opened.folder, relative) {
                // on this machine documentation stays below the folder of its entity
                Some(folder) if !is_on_disk || is_below(&folder, &opened.folder) => {
                    let opened = Opened { folder, ..opened };
                    match self.open(&opened, stale, false) {
                        Ok(site) => return Ok(site),
                        Err(error) => why = Some(error),
                    }
                }
                _ => why = Some(format!("`dir:{relative}` leads out of the folder of the entity")),
            }
        }
        match self.source_location() {
            Some(base) => {
                let mut text = relative.trim_start_matches("./").to_owned();
                if text == "." {
                    text.clear();
                }
                if !text.is_empty() && !text.ends_with('/') {
                    text.push('/');
                }
                let url = if text.is_empty() { Some(base) } else { join_address(&base, &text) };
                let url =
                    url.ok_or_else(|| (format!("`dir:{relative}` is no folder of its repository"), false))?;
                self.remote(&url)
            }
            None => Err((
                why.unwrap_or_else(|| "it comes from no folder, and names no repository".to_owned()),
                false,
            )),
        }
    }

    /// Returns where the sources are, if that is an address.
    fn source_location(&self) -> Option<Url> {
        let written = self.entity.annotation(SOURCE).and_then(|value| value.trim().strip_prefix("url:"));
        let own = || {
            let location = self.entity.annotation("backstage.io/managed-by-location");
            let location = location.unwrap_or(self.entity.file().location_ref);
            let found = location_annotations(location).into_iter().find(|(key, _)| *key == SOURCE);
            found.and_then(|(_, value)| value.strip_prefix("url:").map(str::to_owned))
        };
        let mut url = Url::parse(&written.map(str::to_owned).or_else(own)?).ok()?;
        // a folder ends with a slash, or what is joined takes its place
        if !url.path().ends_with('/') && url.query().is_none() {
            url.set_path(&format!("{}/", url.path()));
        }
        Some(url)
    }

    #[expect(clippy::type_complexity, reason = "said once, taken apart where it is called")]
    fn own_tree(&self) -> Result<Option<(Opened, Option<Stale>)>, (String, bool)> {
        self.loader
            .tree_of(&self.entity, &is_wanted, self.progress)
            .map_err(|error| (error.to_string(), true))
    }

    /// Opens the work tree in place of the repository that an address names, where the entity lies in it.
    fn local_copy(&self, url: &Url) -> Option<Site> {
        let path = self.entity.file().location_ref.strip_prefix("file:").filter(|_| !self.is_of_backend())?;
        let wanted = crate::catalog::ingest::in_repository(url)?;
        let repository = git2::Repository::discover(Path::new(path).parent()?).ok()?;
        let root = repository.workdir()?.to_path_buf();
        let remotes = repository.remotes().ok()?;
        let is_of_it = remotes.iter().flatten().flatten().any(|name| {
            let remote = repository.find_remote(name).ok();
            let address = remote.as_ref().and_then(|remote| remote.url().ok().map(str::to_owned));
            address.is_some_and(|address| is_same_repository(&address, &wanted.clone))
        });
        if !is_of_it {
            return None;
        }
        let opened = documents::folder(&root.join(&wanted.path)).ok()?;
        self.open(&opened, None, true).ok()
    }

    fn remote(&self, url: &Url) -> Result<Site, (String, bool)> {
        let found = self.loader.remote_tree(url, &is_wanted, self.progress);
        let (opened, stale) = found.map_err(|error| (error.to_string(), true))?;
        let mut site = self.open(&opened, stale, true).map_err(|why| (why, false))?;
        site.origin = crate::config::source::without_credentials(url.as_str());
        Ok(site)
    }

    fn open(&self, opened: &Opened, stale: Option<Stale>, is_readme_enough: bool) -> Result<Site, String> {
        let opening = Opening {
            tree: opened.tree.clone(),
            folder: opened.folder.clone(),
            name: self.name(),
            edit_base: None,
            is_readme_enough: is_readme_enough || self.entity.annotation(REF).is_some(),
            is_any_folder: false,
        };
        let mut site = Site::open(&opening).map_err(|error| error.to_string())?;
        site.stale = stale.map(|stale| format!("as it was read at {}: {}", stale.read_at, stale.error));
        Ok(site)
    }

    /// Opens the README beside the descriptor.
    fn readme(&self) -> Option<Site> {
        let (opened, stale) = match self.own_tree() {
            Ok(Some(found)) => found,
            _ => {
                let url = self.source_location()?;
                self.loader.remote_tree(&url, &is_wanted, self.progress).ok()?
            }
        };
        let names = ["README.md", "readme.md", "Readme.md"];
        let exists = |name: &&&str| {
            let path = super::nav::join(&opened.folder, name);
            super::exists_in(&*opened.tree, &path)
        };
        let name = names.iter().find(exists)?;
        let mut site = Site::of_file(&opened, name);
        site.name = self.name();
        site.stale = stale.map(|stale| format!("as it was read at {}", stale.read_at));
        Some(site)
    }

    /// Opens what the backend of the entity publishes.
    fn published(&self) -> Result<Option<Site>, String> {
        let Some(source) = self.entity.source() else { return Ok(None) };
        let (kind, namespace, name) = split_canonical(self.entity.entity_ref());
        let triplet = format!("{namespace}/{kind}/{name}").to_lowercase();
        let (loader, source_name) = (self.loader.clone(), source.name.clone());
        let fetch = move |path: &str| {
            let found = loader.ask_backend(&source_name, &format!("api/techdocs/{path}"), &Progress::none());
            found.map_err(|error| error.to_string())
        };
        let source = Source {
            fetch: Arc::new(fetch),
            folder: self.loader.options().cache.as_ref().map(|_| self.loader.documents_folder()),
            origin: format!("{}/docs/{triplet}", source.place.trim_end_matches('/')),
            triplet,
        };
        published::open(source, &self.name())
    }

    fn add_records(&self, site: &mut Site) {
        if let Some(found) = self.record_folder() {
            let tree: Arc<dyn SourceTree> = match site.main_tree() {
                // one tree, so that records which are pages are known as such
                Some(tree) if tree.location_ref("x") == found.tree.location_ref("x") => tree.clone(),
                _ => found.tree.clone(),
            };
            site.add_records(&tree, &found.folder);
        }
    }

    fn record_folder(&self) -> Option<Opened> {
        let value = self.entity.annotation(RECORDS).map(str::trim).filter(|value| !value.is_empty())?;
        if let Some(url) = Url::parse(value).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
            return self.loader.remote_tree(&url, &is_wanted, self.progress).map(|(opened, _)| opened).ok();
        }
        let relative = value.trim_start_matches('/').trim_end_matches('/');
        if let Ok(Some((opened, _))) = self.own_tree()
            && let Some(folder) = resolve(&opened.folder, relative)
            && opened.tree.list(&folder).is_ok_and(|files| !files.is_empty())
        {
            return Some(Opened { folder, ..opened });
        }
        let url = join_address(&self.source_location()?, &format!("{relative}/"))?;
        self.loader.remote_tree(&url, &is_wanted, self.progress).map(|(opened, _)| opened).ok()
    }
}

fn is_below(folder: &str, root: &str) -> bool {
    root.is_empty() || folder == root || folder.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether two addresses name one repository, whatever the way to it.
fn is_same_repository(a: &str, b: &str) -> bool {
    fn plain(address: &str) -> String {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        let rest = rest.replacen(':', "/", 1);
        rest.trim_end_matches('/').trim_end_matches(".git").to_lowercase()
    }
    plain(a) == plain(b)
}
