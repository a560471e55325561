//! Where a link of a page leads: another page, an anchor, an entity, the web, a file beside the
//! documentation, or nowhere.
//!
//! Start at [`Site::resolve`]. It looks at names only and never at the network; whether an anchor exists is
//! the page's business, whether an entity exists that of whoever has a catalog.

use super::nav::{find_page, join};
use super::{FILE, Site, folder_of_page, is_page};
use crate::catalog::tree::resolve;
use crate::model::EntityRef;
use url::Url;

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A page of the site, and an anchor on it.
    Page {
        /// Its path.
        path: String,
        /// Without `#`.
        anchor: Option<String>,
    },
    /// An entity of the catalog, by its canonical ref.
    Entity(String),
    /// The documentation of an entity, by its canonical ref, and what follows.
    Docs {
        /// Canonical ref.
        entity: String,
        /// Path of a page; empty for the first.
        page: String,
        /// Without `#`.
        anchor: Option<String>,
    },
    /// An address for the browser.
    Web(String),
    /// A file beside the documentation, as a page of the site that shows it (see [`FILE`]).
    File(String),
    /// Somewhere that the documentation cannot lead.
    Unresolved(Unresolved),
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// There is no such page or file.
    #[error("there is no page or file `{0}`")]
    NoSuchPage(String),
    /// It leads out of the documentation and of its repository.
    #[error("`{0}` leads out of the documentation")]
    Outside(String),
    /// A scheme that is not opened.
    #[error("links of `{0}:` are not followed")]
    Scheme(String),
    /// It cannot be read.
    #[error("`{0}` is no address")]
    Malformed(String),
}

/// Kinds that a path of the portal may name.
const KINDS: &[&str] =
    &["component", "api", "system", "domain", "resource", "group", "user", "template", "location"];

impl Site {
    /// Finds where a link leads that stands on the page `from`. `portals` are the hosts whose addresses are
    /// those of this portal.
    pub fn resolve(&self, from: &str, link: &str, portals: &[String]) -> Target {
        let link = link.trim();
        if let Some(anchor) = link.strip_prefix('#') {
            let anchor = Some(decode(anchor)).filter(|anchor| !anchor.is_empty());
            return Target::Page { path: from.to_owned(), anchor };
        }
        if let Some(name) = link.strip_prefix("catalog:") {
            return entity_of(name)
                .map_or_else(|| Target::Unresolved(Unresolved::Malformed(link.to_owned())), Target::Entity);
        }
        if let Some(rest) = link.strip_prefix("//") {
            return Target::Web(format!("https://{rest}"));
        }
        if let Some(scheme) = scheme_of(link) {
            return absolute(link, &scheme, portals);
        }
        self.relative(from, link)
    }

    fn relative(&self, from: &str, link: &str) -> Target {
        let (rest, anchor) = link.split_once('#').map_or((link, None), |(rest, anchor)| (rest, Some(anchor)));
        let anchor = anchor.map(decode).filter(|anchor| !anchor.is_empty());
        let written = rest.split('?').next().unwrap_or(rest);
        let path = decode(written).replace('\\', "/");
        if path.is_empty() {
            return Target::Page { path: from.to_owned(), anchor };
        }
        let page =
            |found: &super::PageInfo| Target::Page { path: found.path.clone(), anchor: anchor.clone() };
        if let Some(root) = path.strip_prefix('/') {
            if let Some(found) = resolve("", root).and_then(|path| self.find_linked(&path)) {
                return page(found);
            }
            if let Some(target) = portal(&path, anchor.clone()) {
                return target;
            }
            return match resolve("", root).filter(|path| self.exists_beside(path)) {
                Some(path) => Target::File(format!("{FILE}{path}")),
                None => Target::Unresolved(Unresolved::NoSuchPage(path)),
            };
        }
        if from.starts_with(FILE) || from.starts_with(super::RECORD) {
            return self.to_file(from, &path, anchor);
        }
        if self.published.is_some() {
            // what was built links by address
            let stem = from.rsplit_once('.').map_or(from, |(stem, _)| stem);
            let folder = if stem == "index" { "" } else { stem };
            return match resolve(folder, &path) {
                Some(path) => match self.find_linked(if path.is_empty() { "index.md" } else { &path }) {
                    Some(found) => page(found),
                    None => Target::Unresolved(Unresolved::NoSuchPage(path)),
                },
                None => Target::Unresolved(Unresolved::Outside(path)),
            };
        }
        let by_file = resolve(folder_of_page(from), &path);
        if let Some(found) = by_file.as_deref().and_then(|path| self.find_linked(path)) {
            return page(found);
        }
        if let Some(target) = self.beside(from, &path, anchor.as_ref()) {
            return target;
        }
        // a link that was written for the address of the page on the web: `a/b.md` is served as `a/b/`
        if self.config.use_directory_urls && !is_page(&path) {
            let stem = from.rsplit_once('.').map_or(from, |(stem, _)| stem);
            let is_index =
                matches!(super::nav::stem_of(from).to_ascii_lowercase().as_str(), "index" | "readme");
            let folder = if is_index { folder_of_page(from) } else { stem };
            if let Some(found) = resolve(folder, &path).and_then(|path| self.find_linked(&path)) {
                return page(found);
            }
        }
        if by_file.is_some() || self.in_tree(from, &path).is_some() {
            Target::Unresolved(Unresolved::NoSuchPage(path))
        } else {
            Target::Unresolved(Unresolved::Outside(path))
        }
    }

    /// Finds a page as links name it: with its extension, or as its folder on the web.
    fn find_linked(&self, path: &str) -> Option<&super::PageInfo> {
        self.page_at(path)
    }

    /// Follows a link on disk: the file may be a page under another path, or lie beside the documentation.
    fn beside(&self, from: &str, path: &str, anchor: Option<&String>) -> Option<Target> {
        let real = self.in_tree(from, path)?;
        if let Some(page) = self.page_of_file(&real) {
            return Some(Target::Page { path: page, anchor: anchor.cloned() });
        }
        if !self.exists_beside(&real) {
            return None;
        }
        let file = format!("{FILE}{real}");
        if is_page(&real) {
            return Some(Target::Page { path: file, anchor: anchor.cloned() });
        }
        Some(Target::File(file))
    }

    fn to_file(&self, from: &str, path: &str, anchor: Option<String>) -> Target {
        if let Some(target) = self.beside(from, path, anchor.as_ref()) {
            return target;
        }
        if from.starts_with(super::RECORD) {
            let rest = from.trim_start_matches(super::RECORD);
            let record = resolve(folder_of_page(rest), path).map(|path| format!("{}{path}", super::RECORD));
            if let Some(path) = record.filter(|path| self.exists(path)) {
                return Target::Page { path, anchor };
            }
        }
        Target::Unresolved(Unresolved::NoSuchPage(path.to_owned()))
    }

    /// Returns the path in the tree that a relative path on a page means; `None` when it leaves the tree.
    fn in_tree(&self, from: &str, path: &str) -> Option<String> {
        let (_, file) = self.file_of(from)?;
        resolve(folder_of_page(&file), path)
    }

    /// Returns the page that a file of the tree is.
    pub(super) fn page_of_file(&self, file: &str) -> Option<String> {
        let mounted = self.mounts.iter().filter(|mount| !mount.prefix.ends_with(':')).find_map(|mount| {
            let below = match mount.folder.as_str() {
                "" => Some(file),
                folder if folder == file => Some(""),
                folder => file.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
            }?;
            let path = join(&mount.prefix, below);
            find_page(&self.by_path, &path).and_then(|at| self.pages.get(at)).map(|page| page.path.clone())
        });
        let record = || {
            let mount = self.mounts.iter().find(|mount| mount.prefix == super::RECORD)?;
            let below = file.strip_prefix(mount.folder.as_str())?.trim_start_matches('/');
            let page = format!("{}{below}", super::RECORD);
            self.records.iter().any(|record| record.page == page).then_some(page)
        };
        mounted.or_else(record)
    }

    fn exists_beside(&self, file: &str) -> bool {
        !file.is_empty() && self.exists(&format!("{FILE}{file}"))
    }
}

/// Sorts out an address with a scheme.
fn absolute(link: &str, scheme: &str, portals: &[String]) -> Target {
    match scheme {
        "http" | "https" => match Url::parse(link) {
            Ok(url) => {
                let host = url.host_str().unwrap_or_default();
                let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
                let anchor = url.fragment().map(decode).filter(|anchor| !anchor.is_empty());
                let here = portals.contains(&host).then(|| portal(url.path(), anchor)).flatten();
                here.unwrap_or_else(|| Target::Web(url.into()))
            }
            Err(_) => Target::Unresolved(Unresolved::Malformed(link.to_owned())),
        },
        "mailto" | "tel" => Target::Web(link.to_owned()),
        _ => Target::Unresolved(Unresolved::Scheme(scheme.to_owned())),
    }
}

/// Reads a path of the portal: `/catalog/NAMESPACE/KIND/NAME`, `/docs/NAMESPACE/KIND/NAME/PAGE`.
fn portal(path: &str, anchor: Option<String>) -> Option<Target> {
    let mut parts = path.trim_start_matches('/').split('/');
    let place = parts.next()?;
    let (namespace, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    if name.is_empty() || !KINDS.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return None;
    }
    let entity = EntityRef::new(kind, namespace, name).to_string();
    match place {
        "catalog" => Some(Target::Entity(entity)),
        "docs" => {
            let rest: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
            Some(Target::Docs { entity, page: rest.join("/"), anchor })
        }
        _ => None,
    }
}

/// Reads what follows `catalog:`: a ref, or `namespace/kind/name`.
fn entity_of(name: &str) -> Option<String> {
    let name = decode(name);
    let name = name.trim_matches('/');
    let parts: Vec<&str> = name.split('/').collect();
    if let [namespace, kind, name] = parts.as_slice()
        && !namespace.contains(':')
    {
        return Some(EntityRef::new(kind, namespace, name).to_string());
    }
    EntityRef::parse(name, Some("component"), "default").ok().map(|found| found.to_string())
}

fn scheme_of(link: &str) -> Option<String> {
    let (scheme, _) = link.split_once(':')?;
    let mut chars = scheme.chars();
    let is_scheme = chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && scheme.len() > 1
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    // `file.md:12` is a path
    (is_scheme && !scheme.contains(".md")).then(|| scheme.to_ascii_lowercase())
}

/// Puts an edit address behind the page of its repository, unless it stands alone.
pub(super) fn join_repository(repository: Option<&str>, uri: &str) -> String {
    match repository {
        Some(repository) if !uri.contains("://") => {
            let repository = repository.trim_end_matches('/');
            if uri.starts_with(['?', '#']) {
                format!("{repository}{uri}")
            } else {
                format!("{repository}/{}", uri.trim_start_matches('/'))
            }
        }
        _ => uri.to_owned(),
    }
}

/// Decodes `%20`; what is no UTF-8 afterwards stays as it is.
pub(super) fn decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |byte: u8| char::from(byte).to_digit(16);
        let mut ahead = bytes.clone();
        match (byte, ahead.next().and_then(hex), ahead.next().and_then(hex)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// Escapes a path for an address.
pub(super) fn encode_path(path: &str) -> String {
    crate::catalog::sources::forge::address::path(path)
}
