//! The navigation of a site: as it is written, with what it includes, or made from the folders.
//!
//! Start at [`Builder`]. Entries that lead nowhere stay visible and are told; nothing is left out silently.

use super::config::{Config, Entry, Written};
use super::{Mount, is_page, title};
use crate::catalog::tree::{SourceTree, folder_of, resolve};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use globset::GlobBuilder;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Included sites, all levels together.
const MAX_INCLUDES: usize = 500;
/// Includes inside includes.
const MAX_DEPTH: usize = 16;

/// One entry of the navigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NavItem {
    /// A page, by its number in [`super::Site::pages`].
    Page {
        /// What the navigation calls it; `None`: what it calls itself.
        title: Option<String>,
        /// Its number.
        page: usize,
    },
    /// A section.
    Section {
        /// Its title.
        title: String,
        /// What is in it.
        items: Vec<NavItem>,
    },
    /// An address elsewhere.
    Link {
        /// Its title.
        title: String,
        /// The address.
        url: String,
    },
    /// Something that is not there.
    Missing {
        /// Its title.
        title: String,
        /// As it is written.
        path: String,
    },
}

/// A page of a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageInfo {
    /// Its path among the pages: `guides/start.md`; with a prefix for pages of included sites.
    pub path: String,
    /// What the navigation or the page itself calls it.
    pub title: String,
    /// Whether the navigation leads to it.
    pub in_nav: bool,
    /// Whether the title is the page's own business, not yet looked up.
    pub(super) is_untitled: bool,
}

/// Builds the navigation of a site.
pub(super) struct Builder<'a> {
    pub tree: &'a Arc<dyn SourceTree>,
    pub pages: Vec<PageInfo>,
    pub by_path: FxHashMap<String, usize>,
    pub mounts: Vec<Mount>,
    pub problems: Vec<Diagnostic>,
    /// Configurations that are being read, the innermost last.
    pub open: Vec<String>,
    /// Includes that may still be read.
    pub left: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(tree: &'a Arc<dyn SourceTree>) -> Self {
        Self {
            tree,
            pages: Vec::new(),
            by_path: FxHashMap::default(),
            mounts: Vec::new(),
            problems: Vec::new(),
            open: Vec::new(),
            left: MAX_INCLUDES,
        }
    }

    /// Takes in the pages of one site; returns their paths. `files` overrides what lies in the folder.
    pub(super) fn add_pages(&mut self, prefix: &str, folder: &str, config: &Config) -> Vec<String> {
        let files = self.tree.list(folder).unwrap_or_default();
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut found: Vec<String> = files
            .iter()
            .filter_map(|file| file.strip_prefix(start.as_str()))
            .filter(|path| is_page(path) && is_public(path) && !config.exclude.matches(path))
            .map(str::to_owned)
            .collect();
        // where both are, the index wins
        let has_index: std::collections::BTreeSet<String> = found
            .iter()
            .filter(|path| stem_of(path).eq_ignore_ascii_case("index"))
            .map(|path| folder_of(path).to_owned())
            .collect();
        found.retain(|path| {
            !stem_of(path).eq_ignore_ascii_case("readme") || !has_index.contains(folder_of(path))
        });
        found.sort_by_key(|a| order(a));
        for path in &found {
            self.add_page(&join(prefix, path));
        }
        found
    }

    pub(super) fn add_page(&mut self, path: &str) -> usize {
        if let Some(at) = self.by_path.get(path) {
            return *at;
        }
        let at = self.pages.len();
        self.pages.push(PageInfo {
            path: path.to_owned(),
            title: title::of_file(path),
            in_nav: false,
            is_untitled: true,
        });
        self.by_path.insert(path.to_owned(), at);
        at
    }

    /// Builds what is written in `nav`.
    pub(super) fn written(
        &mut self,
        prefix: &str,
        base: &str,
        entries: &[Entry],
        config: &Config,
    ) -> Vec<NavItem> {
        let mut out = Vec::new();
        for entry in entries {
            match &entry.to {
                Written::Section(inner) => {
                    let items = self.written(prefix, base, inner, config);
                    out.push(NavItem::Section { title: entry.title.clone().unwrap_or_default(), items });
                }
                Written::Text(text) => self.text(prefix, base, entry, text, config, &mut out),
            }
        }
        out
    }

    fn text(
        &mut self,
        prefix: &str,
        base: &str,
        entry: &Entry,
        text: &str,
        config: &Config,
        out: &mut Vec<NavItem>,
    ) {
        if let Some(path) = text.strip_prefix("!include ") {
            let items = self.include(base, path.trim(), entry.place, config);
            match (&entry.title, items) {
                (Some(title), Some((_, items))) => out.push(NavItem::Section { title: title.clone(), items }),
                (None, Some((_, items))) => out.extend(items),
                (title, None) => out.push(NavItem::Missing {
                    title: title.clone().unwrap_or_else(|| path.trim().to_owned()),
                    path: path.trim().to_owned(),
                }),
            }
            return;
        }
        if let Some(pattern) = text.strip_prefix("*include ") {
            let items = self.include_all(base, pattern.trim(), entry.place, config);
            match &entry.title {
                Some(title) => out.push(NavItem::Section { title: title.clone(), items }),
                None => out.extend(items),
            }
            return;
        }
        if is_address(text) {
            let title = entry.title.clone().unwrap_or_else(|| text.to_owned());
            out.push(NavItem::Link { title, url: text.to_owned() });
            return;
        }
        let path = text.split(['#', '?']).next().unwrap_or(text);
        let path = resolve("", path.trim_start_matches('/')).unwrap_or_default();
        match self.find(&join(prefix, &path)) {
            Some(page) => {
                self.mark(page, entry.title.as_ref());
                out.push(NavItem::Page { title: entry.title.clone(), page });
            }
            None => match self.folder(&join(prefix, &path)) {
                Some(items) => {
                    let title = entry.title.clone().unwrap_or_else(|| title::of_name(stem_of(&path)));
                    out.push(NavItem::Section { title, items });
                }
                None => self.missing(entry, text, config, out),
            },
        }
    }

    fn missing(&mut self, entry: &Entry, text: &str, config: &Config, out: &mut Vec<NavItem>) {
        let title = entry.title.clone().unwrap_or_else(|| text.to_owned());
        let is_excluded = config.exclude.matches(text);
        let (message, hint) = if is_excluded {
            (
                format!("the page `{text}` of the navigation is left out by `exclude_docs`"),
                "take it out of one of the two".to_owned(),
            )
        } else {
            let names = self.pages.iter().map(|page| page.path.as_str());
            let near = crate::model::text::nearest(text, names);
            let near = near.first().map(|near| format!("did you mean `{near}`? "));
            (
                format!("the navigation names `{text}`, and there is no such page"),
                near.unwrap_or_else(|| "write the page, or take the entry out".to_owned()).trim().to_owned(),
            )
        };
        self.problem("docs::missing-page", Severity::Error, message, entry.place, config, Some(hint));
        out.push(NavItem::Missing { title, path: text.to_owned() });
    }

    fn problem(
        &mut self,
        code: &'static str,
        severity: Severity,
        message: String,
        place: (u32, u32),
        config: &Config,
        hint: Option<String>,
    ) {
        let mut diagnostic = Diagnostic::new(severity, code, message).at(SourceLocation::at(
            config.shown.clone(),
            place.0,
            place.1,
        ));
        diagnostic.hint = hint;
        self.problems.push(diagnostic);
    }

    fn mark(&mut self, page: usize, title: Option<&String>) {
        if let Some(info) = self.pages.get_mut(page) {
            info.in_nav = true;
            if let Some(title) = title.filter(|_| info.is_untitled) {
                info.title.clone_from(title);
                info.is_untitled = false;
            }
        }
    }

    /// Finds a page; `index.md` and `README.md` of a folder stand for each other.
    fn find(&self, path: &str) -> Option<usize> {
        find_page(&self.by_path, path)
    }

    /// Makes a section of the pages in a folder, if it is one.
    fn folder(&mut self, path: &str) -> Option<Vec<NavItem>> {
        let start = format!("{path}/");
        let inside: Vec<String> =
            self.pages.iter().filter_map(|page| page.path.strip_prefix(&start).map(str::to_owned)).collect();
        (!inside.is_empty() && !path.is_empty()).then(|| self.of_folders(path, &inside))
    }

    /// Makes a navigation of folders.
    pub(super) fn of_folders(&mut self, prefix: &str, paths: &[String]) -> Vec<NavItem> {
        let mut root = Folder::default();
        for path in paths {
            let mut folder = &mut root;
            for part in folder_of(path).split('/').filter(|part| !part.is_empty()).take(64) {
                folder = folder.folders.entry(part.to_owned()).or_default();
            }
            if let Some(page) = self.find(&join(prefix, path)) {
                self.mark(page, None);
                folder.pages.push(page);
            }
        }
        root.into_items()
    }

    /// Includes every site that a pattern names.
    fn include_all(&mut self, base: &str, pattern: &str, place: (u32, u32), config: &Config) -> Vec<NavItem> {
        let full = resolve(base, pattern);
        let glob =
            full.as_deref().and_then(|full| GlobBuilder::new(full).literal_separator(true).build().ok());
        let (Some(full), Some(glob)) = (full, glob) else {
            let message = format!("`*include {pattern}` is no pattern of files below the documentation");
            self.problem("docs::include", Severity::Error, message, place, config, None);
            return Vec::new();
        };
        let matcher = glob.compile_matcher();
        let fixed: Vec<&str> =
            full.split('/').take_while(|part| !part.contains(['*', '?', '[', '{'])).collect();
        let files = self.tree.list(&fixed.join("/")).unwrap_or_default();
        let found: Vec<String> = files.into_iter().filter(|file| matcher.is_match(file)).collect();
        if found.is_empty() {
            let message = format!("`*include {pattern}` finds no file");
            self.problem("docs::include", Severity::Warning, message, place, config, None);
        }
        let mut out = Vec::new();
        for file in found {
            if let Some((title, items)) = self.include("", &file, place, config) {
                out.push(NavItem::Section { title, items });
            }
        }
        out
    }

    /// Includes the site of another `mkdocs.yml`; returns its name and its navigation.
    fn include(
        &mut self,
        base: &str,
        written: &str,
        place: (u32, u32),
        config: &Config,
    ) -> Option<(String, Vec<NavItem>)> {
        let refuse = |builder: &mut Self, why: String| {
            let message = format!("`!include {written}` is left out: {why}");
            builder.problem("docs::include", Severity::Error, message, place, config, None);
            None
        };
        let Some(file) = resolve(base, written) else {
            return refuse(self, "it leads out of the documentation".to_owned());
        };
        if ![".yml", ".yaml"].iter().any(|ending| file.ends_with(ending)) {
            return refuse(self, "an included file must be a `.yml` or `.yaml`".to_owned());
        }
        if self.open.contains(&file) {
            return refuse(self, "it includes itself".to_owned());
        }
        if self.left == 0 || self.open.len() >= MAX_DEPTH {
            return refuse(self, "there are too many includes, or too deep ones".to_owned());
        }
        self.left -= 1;
        let mut bytes = Vec::new();
        if let Err(error) = self.tree.read(&file, super::config::MAX_CONFIG, &mut bytes) {
            return refuse(self, error.to_string());
        }
        let mut inner = super::config::read(&bytes, &file, &self.tree.shown(&file));
        self.problems.append(&mut inner.problems);
        let Some(name) = inner.name.clone() else {
            return refuse(
                self,
                "its `site_name` is missing, which becomes the path of its pages".to_owned(),
            );
        };
        let folder = folder_of(&file).to_owned();
        let prefix = slug(&name);
        let docs = resolve(&folder, &inner.docs_dir).unwrap_or_default();
        let is_known = self.mounts.iter().any(|mount| mount.prefix == prefix);
        if is_known && !self.mounts.iter().any(|mount| mount.prefix == prefix && mount.folder == docs) {
            return refuse(self, format!("another included site is called `{name}`, too"));
        }
        if !is_known {
            self.mounts.push(Mount {
                prefix: prefix.clone(),
                tree: self.tree.clone(),
                folder: docs.clone(),
                base: folder.clone(),
            });
        }
        let paths = self.add_pages(&prefix, &docs, &inner);
        self.open.push(file);
        let items = match &inner.nav {
            Some(nav) => self.written(&prefix, &folder, nav, &inner),
            None => self.of_folders(&prefix, &paths),
        };
        self.open.pop();
        Some((name, items))
    }
}

#[derive(Default)]
struct Folder {
    pages: Vec<usize>,
    folders: BTreeMap<String, Folder>,
}

impl Folder {
    fn into_items(self) -> Vec<NavItem> {
        let pages = self.pages.into_iter().map(|page| NavItem::Page { title: None, page });
        let folders = self.folders.into_iter().map(|(name, folder)| NavItem::Section {
            title: title::of_name(&name),
            items: folder.into_items(),
        });
        pages.chain(folders).collect()
    }
}

/// Finds a page; `index.md` and `README.md` of a folder stand for each other.
pub(super) fn find_page(by_path: &FxHashMap<String, usize>, path: &str) -> Option<usize> {
    if let Some(at) = by_path.get(path) {
        return Some(*at);
    }
    let others: &[&str] = match stem_of(path).to_ascii_lowercase().as_str() {
        "index" if is_page(path) => &["README.md", "readme.md", "Readme.md"],
        "readme" if is_page(path) => &["index.md", "README.md", "readme.md"],
        _ => return None,
    };
    let folder = folder_of(path);
    others.iter().find_map(|other| by_path.get(&join(folder, other)).copied())
}

/// Joins a prefix and a path.
pub(super) fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", path) => path.to_owned(),
        (prefix, "") => prefix.to_owned(),
        (prefix, path) => format!("{prefix}/{path}"),
    }
}

/// The order of a navigation that is made: the index first, then files, then folders, by name.
fn order(path: &str) -> (Vec<String>, bool, String) {
    let is_index = matches!(stem_of(path).to_ascii_lowercase().as_str(), "index" | "readme");
    let folders = folder_of(path).split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    (folders, !is_index, path.to_owned())
}

/// Returns a file's name without its extension.
pub(super) fn stem_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Hidden files and a folder of templates are never part of a site.
fn is_public(path: &str) -> bool {
    !path.starts_with("templates/") && !path.split('/').any(|part| part.starts_with('.'))
}

fn is_address(text: &str) -> bool {
    text.starts_with("//")
        || text.split_once("://").is_some_and(|(scheme, _)| !scheme.contains('/'))
        || text.starts_with("mailto:")
}

/// Makes the path of an included site's pages out of its name.
fn slug(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    if !name.is_empty() && name.chars().all(is_plain) {
        return name.trim_matches('/').to_owned();
    }
    let mut out = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_alphanumeric() {
            out.push(c);
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}
