//! The documentation of an entity as a site: pages, navigation, links, decision records.
//!
//! Start at [`Site::open`], which reads `mkdocs.yml` and the names of the pages; their text is read when a
//! page is asked for ([`Site::page`]), so that a site of hundreds of pages is there at once. Where the
//! documentation of an entity is, is found by [`place`]. Documentation that is not perfect never fails: what
//! is wrong is in [`Site::problems`], the rest can be read. Nothing leaves the tree it is read from.

pub mod adr;
pub mod check;
pub mod config;
mod html;
pub mod links;
mod nav;
pub mod place;
pub mod published;
mod snippets;
mod text;
pub mod title;

pub use adr::Adr;
pub use config::Config;
pub use links::{Target, Unresolved};
pub use nav::{NavItem, PageInfo};
pub use text::LineMap;

use crate::catalog::tree::{SourceTree, TreeError, folder_of, resolve};
use crate::diagnostic::{Diagnostic, Severity, SourceLocation};
use nav::{Builder, find_page, join};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Largest page that is read, in bytes.
const MAX_PAGE: u64 = 32 * 1024 * 1024;
/// Largest file outside the documentation that is shown, in bytes.
const MAX_FILE: u64 = 2 * 1024 * 1024;
/// Largest page whose title is looked up before it is opened, in bytes.
const MAX_FOR_TITLE: u64 = 512 * 1024;
/// Prefix of pages that are files outside the documentation.
pub const FILE: &str = "file:";
/// Prefix of decision records that are no pages of the site.
pub const RECORD: &str = "adr:";

/// Where pages with a prefix lie.
#[derive(Clone)]
pub struct Mount {
    /// What stands before their paths, without the slash.
    pub(super) prefix: String,
    pub(super) tree: Arc<dyn SourceTree>,
    /// Folder of the pages in the tree.
    pub(super) folder: String,
    /// Folder of the `mkdocs.yml` that they belong to.
    pub(super) base: String,
}

impl std::fmt::Debug for Mount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mount({} -> {})", self.prefix, self.folder)
    }
}

/// What a site is opened from.
#[derive(Clone)]
pub struct Opening {
    /// The tree that it lies in.
    pub tree: Arc<dyn SourceTree>,
    /// Folder of `mkdocs.yml` in the tree; empty for its root.
    pub folder: String,
    /// Name of the site where the file gives none.
    pub name: String,
    /// Page that edits the folder of the pages, where the documentation lies on a forge.
    pub edit_base: Option<String>,
    /// Whether a `README.md` alone is a site, too.
    pub is_readme_enough: bool,
    /// Whether every page below the folder counts, where there is neither `mkdocs.yml` nor a folder of pages.
    pub is_any_folder: bool,
}

/// How pages of a site are edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A file of this machine.
    File(PathBuf),
    /// A page in the browser.
    Url(String),
}

/// A page that was read.
#[derive(Debug, Clone)]
pub struct PageSource {
    /// Its path among the pages.
    pub path: String,
    /// Its Markdown with snippets filled in.
    pub text: String,
    /// Where each line comes from.
    pub map: LineMap,
    /// The file as the user would type it.
    pub shown: Arc<str>,
    /// What is wrong with snippets.
    pub problems: Vec<Diagnostic>,
}

/// Documentation, opened.
#[derive(Clone)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// One sentence about it.
    pub description: Option<String>,
    /// The navigation.
    pub nav: Vec<NavItem>,
    /// Every page: first those of the navigation in its order.
    pub pages: Vec<PageInfo>,
    /// Decision records, the newest number first.
    pub records: Vec<Adr>,
    /// What is wrong with the site as a whole.
    pub problems: Vec<Diagnostic>,
    /// What its configuration says.
    pub config: Arc<Config>,
    /// Where it comes from, for people: a folder, an address.
    pub origin: String,
    /// Since when what is shown could not be brought up to date, in words.
    pub stale: Option<String>,
    by_path: Arc<FxHashMap<String, usize>>,
    mounts: Vec<Mount>,
    edit_base: Option<String>,
    published: Option<Arc<published::Published>>,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site")
            .field("name", &self.name)
            .field("pages", &self.pages.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no documentation, or no such page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// Nothing is there.
    #[error("there is no documentation in `{place}`: neither `mkdocs.yml` nor pages nor a README")]
    Nothing {
        /// Folder.
        place: String,
    },
    /// No page has this path.
    #[error("`{site}` has no page `{page}`")]
    NoPage {
        /// Name of the site.
        site: String,
        /// What was asked for.
        page: String,
        /// Pages with a name like it.
        near: Vec<String>,
    },
    /// The file cannot be read.
    #[error("could not read `{page}`: {cause}")]
    Unreadable {
        /// The file.
        page: String,
        /// Why.
        cause: String,
    },
}

/// Whether a path is one of a Markdown page.
pub fn is_page(path: &str) -> bool {
    let extension =
        path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    extension.is_some_and(|extension| {
        ["md", "markdown", "mdown", "mkdn", "mkd"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

impl Site {
    /// Opens the documentation in a folder of a tree.
    ///
    /// # Errors
    /// [`SiteError::Nothing`] when there is nothing that could be read.
    pub fn open(opening: &Opening) -> Result<Self, SiteError> {
        let Opening { tree, folder, name, .. } = opening;
        let mut config = read_config(tree, folder);
        let docs = resolve(folder, &config.docs_dir).unwrap_or_default();
        let mut builder = Builder::new(tree);
        builder.open.extend(config.file.clone());
        let has_docs = config.file.is_some() || tree.list(&docs).is_ok_and(|files| !files.is_empty());
        let mut paths = Vec::new();
        let mut docs_mount = docs.clone();
        if has_docs {
            paths = builder.add_pages("", &docs, &config);
        }
        if paths.is_empty() && config.file.is_none() {
            if !opening.is_readme_enough {
                return Err(SiteError::Nothing { place: tree.shown(folder).to_string() });
            }
            // pages are then what lies beside the README
            docs_mount.clone_from(folder);
            if opening.is_any_folder {
                paths = builder.add_pages("", folder, &config);
            }
        }
        let mut mounts = Vec::new();
        let has_home = find_page(&builder.by_path, "index.md").is_some();
        if !has_home {
            match readme_of(tree, folder) {
                Some(readme) if docs_mount == *folder => {
                    let path = readme.rsplit('/').next().unwrap_or("README.md").to_owned();
                    builder.add_page(&path);
                    paths.insert(0, path);
                }
                Some(readme) => {
                    builder.add_page("index.md");
                    paths.insert(0, "index.md".to_owned());
                    mounts.push(Mount {
                        prefix: "index.md".to_owned(),
                        tree: tree.clone(),
                        folder: readme,
                        base: folder.clone(),
                    });
                }
                None if paths.is_empty() && config.nav.is_none() => {
                    return Err(SiteError::Nothing { place: tree.shown(folder).to_string() });
                }
                None => {}
            }
        }
        if config.file.is_some() && config.has_docs_dir && paths.is_empty() {
            let message = format!("the folder `{}` of `docs_dir` has no pages", config.docs_dir);
            config.problem("docs::no-pages", message, (1, 1), None);
        }
        mounts.push(Mount {
            prefix: String::new(),
            tree: tree.clone(),
            folder: docs_mount,
            base: folder.clone(),
        });
        let nav = match &config.nav {
            Some(entries) => builder.written("", folder, entries, &config),
            None => builder.of_folders("", &paths),
        };
        mounts.append(&mut builder.mounts);
        mounts.push(Mount {
            prefix: FILE.to_owned(),
            tree: tree.clone(),
            folder: String::new(),
            base: folder.clone(),
        });
        let mut problems = std::mem::take(&mut config.problems);
        problems.append(&mut builder.problems);
        let mut site = Self {
            name: config.name.clone().unwrap_or_else(|| name.clone()),
            description: config.description.clone(),
            nav,
            pages: builder.pages,
            records: Vec::new(),
            problems,
            origin: tree.shown(folder).trim_end_matches('/').to_owned(),
            stale: None,
            by_path: Arc::new(builder.by_path),
            mounts,
            edit_base: opening.edit_base.clone(),
            config: Arc::new(config),
            published: None,
        };
        site.look_up_titles();
        site.sort_pages();
        Ok(site)
    }

    /// Returns the site of a single file; what lies around it can be linked to.
    pub(super) fn of_file(opened: &crate::catalog::sources::documents::Opened, file: &str) -> Self {
        let (tree, folder) = (&opened.tree, &opened.folder);
        let mount = |prefix: &str, below: &str| Mount {
            prefix: prefix.to_owned(),
            tree: tree.clone(),
            folder: below.to_owned(),
            base: folder.clone(),
        };
        let page =
            PageInfo { path: file.to_owned(), title: title::of_file(file), in_nav: true, is_untitled: true };
        let mut site = Self {
            name: String::new(),
            description: None,
            nav: vec![NavItem::Page { title: None, page: 0 }],
            by_path: Arc::new(std::iter::once((file.to_owned(), 0)).collect()),
            pages: vec![page],
            records: Vec::new(),
            problems: Vec::new(),
            config: Arc::new(Config { use_directory_urls: false, ..Config::default() }),
            origin: tree.shown(folder).trim_end_matches('/').to_owned(),
            stale: None,
            mounts: vec![mount("", folder), mount(FILE, "")],
            edit_base: None,
            published: None,
        };
        site.look_up_titles();
        site.name = site.title_of(file);
        site
    }

    /// Returns the page that a file of this machine is.
    pub(super) fn page_of_path(&self, full: &std::path::Path) -> Option<String> {
        let main = self.main_tree()?;
        let file = main.inside(full.to_str()?)?;
        self.page_of_file(&file)
    }

    /// Whether a folder of the tree holds pages of the site.
    pub(super) fn has_folder(&self, folder: &str) -> bool {
        self.mounts.iter().filter(|mount| !mount.prefix.ends_with(':')).any(|mount| {
            let rest = folder.strip_prefix(mount.folder.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || mount.folder.is_empty())
        })
    }

    /// Returns the places of the folders whose sites this one includes: `file:/srv/docs/other`.
    pub fn includes(&self) -> Vec<String> {
        let included = |mount: &&Mount| {
            !mount.prefix.is_empty() && !mount.prefix.ends_with(':') && mount.prefix != "index.md"
        };
        let place = |mount: &Mount| mount.tree.location_ref(&mount.base).trim_end_matches('/').to_owned();
        self.mounts.iter().filter(included).map(place).collect()
    }

    /// Returns the tree that the pages are in.
    pub(super) fn main_tree(&self) -> Option<&Arc<dyn SourceTree>> {
        self.mounts.iter().find(|mount| mount.prefix.is_empty()).map(|mount| &mount.tree)
    }

    /// Asks pages what they call themselves, where nobody else says.
    fn look_up_titles(&mut self) {
        let wanted: Vec<(usize, String)> = self
            .pages
            .iter()
            .enumerate()
            .filter(|(_, page)| page.is_untitled)
            .map(|(at, page)| (at, page.path.clone()))
            .collect();
        let found: Vec<(usize, Option<String>)> = wanted
            .into_par_iter()
            .map(|(at, path)| {
                (at, self.read(&path, MAX_FOR_TITLE).ok().and_then(|(text, _)| title::of_page(&text)))
            })
            .collect();
        for (at, found) in found {
            if let Some(page) = self.pages.get_mut(at) {
                page.is_untitled = false;
                if let Some(found) = found {
                    page.title = found;
                }
            }
        }
    }

    /// Puts the pages of the navigation first, in its order.
    fn sort_pages(&mut self) {
        let mut order: Vec<usize> = Vec::with_capacity(self.pages.len());
        collect(&self.nav, &mut order);
        let mut place = vec![usize::MAX; self.pages.len()];
        let mut next = 0;
        for at in order {
            if let Some(slot) = place.get_mut(at).filter(|slot| **slot == usize::MAX) {
                *slot = next;
                next += 1;
            }
        }
        for slot in place.iter_mut().filter(|slot| **slot == usize::MAX) {
            *slot = next;
            next += 1;
        }
        let mut sorted: Vec<(usize, PageInfo)> =
            place.iter().copied().zip(std::mem::take(&mut self.pages)).collect();
        sorted.sort_by_key(|(at, _)| *at);
        self.pages = sorted.into_iter().map(|(_, page)| page).collect();
        renumber(&mut self.nav, &place);
        let by_path = self.pages.iter().enumerate().map(|(at, page)| (page.path.clone(), at)).collect();
        self.by_path = Arc::new(by_path);
    }

    /// Returns the path of the first page: the index, else the first of the navigation.
    pub fn home(&self) -> Option<&str> {
        let index = find_page(&self.by_path, "index.md").and_then(|at| self.pages.get(at));
        let mut order = Vec::new();
        collect(&self.nav, &mut order);
        let first = || order.first().and_then(|at| self.pages.get(*at)).or_else(|| self.pages.first());
        index.or_else(first).map(|page| page.path.as_str())
    }

    /// Finds a page by what a person or a link calls it: its path with or without extension, a folder, the end
    /// of a path, its title.
    ///
    /// # Errors
    /// [`SiteError::NoPage`] with names like it.
    pub fn find(&self, wanted: &str) -> Result<String, SiteError> {
        let typed = wanted.trim().trim_start_matches('/');
        if typed.is_empty() || typed == "." {
            let none = || SiteError::NoPage {
                site: self.name.clone(),
                page: "index.md".to_owned(),
                near: Vec::new(),
            };
            return self.home().map(str::to_owned).ok_or_else(none);
        }
        if typed.starts_with(FILE) || typed.starts_with(RECORD) {
            return self.exists(typed).then(|| typed.to_owned()).ok_or_else(|| self.no_page(wanted));
        }
        let exact = self.page_at(typed).map(|page| page.path.clone());
        let by_end = || {
            let ends = [format!("/{typed}"), format!("/{typed}.md"), format!("/{typed}/index.md")];
            let mut found =
                self.pages.iter().filter(|page| ends.iter().any(|end| page.path.ends_with(end.as_str())));
            found.next().filter(|_| found.next().is_none()).map(|page| page.path.clone())
        };
        let by_title = || {
            let page = self.pages.iter().find(|page| page.title.eq_ignore_ascii_case(typed));
            page.map(|page| page.path.clone())
        };
        let by_record = || {
            let digits = typed.strip_prefix("ADR-").or_else(|| typed.strip_prefix("adr-")).unwrap_or(typed);
            let number: u32 = digits.parse().ok()?;
            self.records.iter().find(|record| record.number == number).map(|record| record.page.clone())
        };
        exact.or_else(by_end).or_else(by_title).or_else(by_record).ok_or_else(|| self.no_page(wanted))
    }

    fn no_page(&self, wanted: &str) -> SiteError {
        let stem = |path: &str| path.trim_end_matches(".md").to_owned();
        let wanted_stem = stem(wanted);
        let paths: Vec<String> = self.pages.iter().map(|page| stem(&page.path)).collect();
        let names = paths.iter().map(|path| path.rsplit('/').next().unwrap_or(path));
        let mut near: Vec<String> =
            crate::model::text::nearest(&wanted_stem, paths.iter().map(String::as_str).chain(names))
                .into_iter()
                .map(str::to_owned)
                .collect();
        near.dedup();
        SiteError::NoPage { site: self.name.clone(), page: wanted.to_owned(), near }
    }

    /// Finds a page by its path: as it stands, without its extension, or by its folder.
    pub fn page_at(&self, path: &str) -> Option<&PageInfo> {
        let trimmed = path.trim_end_matches('/');
        let html = trimmed.strip_suffix(".html").or_else(|| trimmed.strip_suffix(".htm")).unwrap_or(trimmed);
        let forms = [trimmed.to_owned(), format!("{html}.md"), join(html, "index.md")];
        let at = forms.iter().find_map(|form| find_page(&self.by_path, form))?;
        self.pages.get(at)
    }

    /// Returns the number of a page.
    pub fn number_of(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// Returns the title of a page, record or file.
    pub fn title_of(&self, path: &str) -> String {
        if let Some(page) = self.by_path.get(path).and_then(|at| self.pages.get(*at)) {
            return page.title.clone();
        }
        match self.records.iter().find(|record| record.page == path) {
            Some(record) => record.title.clone(),
            None => path.strip_prefix(FILE).unwrap_or(path).to_owned(),
        }
    }

    /// Returns tree and path of the file that a page is, whether it exists or not.
    fn file_of(&self, path: &str) -> Option<(&Mount, String)> {
        let best = self
            .mounts
            .iter()
            .filter_map(|mount| {
                let rest = match mount.prefix.as_str() {
                    "" => Some(path),
                    prefix if prefix == path => Some(""),
                    prefix if prefix.ends_with(':') => path.strip_prefix(prefix),
                    prefix => path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')),
                }?;
                Some((mount.prefix.len(), mount, rest))
            })
            .max_by_key(|(length, ..)| *length)?;
        let (_, mount, rest) = best;
        Some((mount, resolve(&mount.folder, rest)?))
    }

    /// Whether a file of the documentation, or beside it, exists.
    pub fn exists(&self, path: &str) -> bool {
        if self.by_path.contains_key(path) || self.records.iter().any(|record| record.page == path) {
            return true;
        }
        let Some((mount, file)) = self.file_of(path) else { return false };
        exists_in(&*mount.tree, &file)
    }

    fn read(&self, path: &str, limit: u64) -> Result<(String, Arc<str>), SiteError> {
        let (mount, file) = self.file_of(path).ok_or_else(|| self.no_page(path))?;
        let shown = mount.tree.shown(&file);
        read_text(&*mount.tree, &file, limit)
            .map(|text| (text, shown.clone()))
            .map_err(|error| SiteError::Unreadable { page: shown.to_string(), cause: error.to_string() })
    }

    /// Reads a page. Blocks; published pages come over the network.
    ///
    /// # Errors
    /// [`SiteError`] when there is no such page, or it cannot be read.
    pub fn page(&self, path: &str) -> Result<PageSource, SiteError> {
        if let Some(published) = &self.published {
            return published.page(path);
        }
        if path.starts_with(FILE) && !is_page(path) {
            return self.file_as_page(path);
        }
        let (text, shown) = self.read(path, MAX_PAGE).map_err(|error| match error {
            SiteError::Unreadable { ref cause, .. } if *cause == TreeError::NotFound.to_string() => {
                self.no_page(path)
            }
            error => error,
        })?;
        let bases = self.bases(path);
        let read = |written: &str| Self::read_snippet(&bases, written);
        let expanded = snippets::expand(text, &shown, &read);
        let problems = expanded.mistakes.into_iter().map(|mistake| {
            Diagnostic::new(Severity::Warning, "docs::snippet", mistake.message).at(SourceLocation::at(
                mistake.file,
                mistake.line,
                mistake.column,
            ))
        });
        Ok(PageSource {
            path: path.to_owned(),
            text: expanded.text,
            map: expanded.map,
            shown,
            problems: problems.collect(),
        })
    }

    /// Shows a file that is no page as a code block.
    fn file_as_page(&self, path: &str) -> Result<PageSource, SiteError> {
        let (text, shown) = self.read(path, MAX_FILE)?;
        if text.contains('\0') {
            return Err(SiteError::Unreadable { page: shown.to_string(), cause: "it is no text".to_owned() });
        }
        let name = path.rsplit(['/', ':']).next().unwrap_or(path);
        let language = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let text = format!("# {name}\n\n{fence}{language}\n{text}{end}{fence}\n");
        Ok(PageSource {
            path: path.to_owned(),
            text,
            map: LineMap::of_one(shown.clone()),
            shown,
            problems: Vec::new(),
        })
    }

    /// Returns the folders that snippets of a page start from: that of the site, then that of its own part.
    fn bases(&self, path: &str) -> Vec<(Arc<dyn SourceTree>, String)> {
        let own = self.file_of(path).map(|(mount, _)| (mount.tree.clone(), mount.base.clone()));
        let main = self.mounts.iter().find(|mount| mount.prefix.is_empty());
        let main = main.map(|mount| (mount.tree.clone(), mount.base.clone()));
        let mut out: Vec<_> = main.into_iter().collect();
        out.extend(own.filter(|own| out.iter().all(|main| main.1 != own.1)));
        out
    }

    fn read_snippet(
        bases: &[(Arc<dyn SourceTree>, String)],
        written: &str,
    ) -> Result<(String, Arc<str>), String> {
        let mut why = "there is no such file".to_owned();
        for (tree, base) in bases {
            let is_absolute = written.starts_with('/');
            let inside = resolve("", written).filter(|_| !is_absolute);
            let Some(path) = inside.and_then(|inside| resolve(base, &inside)) else {
                return Err("it leads out of the documentation".to_owned());
            };
            match read_text(&**tree, &path, MAX_PAGE) {
                Ok(text) => return Ok((text, tree.shown(&path))),
                Err(TreeError::NotFound) => {}
                Err(error) => why = error.to_string(),
            }
        }
        Err(why)
    }

    /// Returns how a page is edited: as a file of this machine, else in the browser.
    pub fn edit(&self, path: &str) -> Option<Edit> {
        let (mount, file) = self.file_of(path)?;
        if let Some(local) = mount.tree.location_ref(&file).strip_prefix("file:") {
            let local = PathBuf::from(local);
            if local.is_absolute() && self.published.is_none() {
                return Some(Edit::File(local));
            }
        }
        self.edit_url(path, mount, &file).map(Edit::Url)
    }

    /// Returns the page that edits a page in the browser, if one is known.
    fn edit_url(&self, path: &str, mount: &Mount, file: &str) -> Option<String> {
        let within = links::encode_path(path);
        if let Some(template) = self.config.edit_uri_template.as_deref().filter(|_| mount.prefix.is_empty()) {
            let no_ext = within.rsplit_once('.').map_or(within.as_str(), |(start, _)| start);
            let filled = template
                .replace("{path}", &within)
                .replace("{path!q}", &within)
                .replace("{path_noext}", no_ext);
            return Some(links::join_repository(self.config.repo_url.as_deref(), &filled));
        }
        if let Some(uri) = self.config.edit_uri.as_deref().filter(|_| mount.prefix.is_empty()) {
            let base = links::join_repository(self.config.repo_url.as_deref(), uri);
            return base.contains("://").then(|| format!("{}/{within}", base.trim_end_matches('/')));
        }
        let location = mount.tree.location_ref(file);
        if location.starts_with("url:") {
            let annotations = crate::catalog::ingest::location_annotations(&location);
            return annotations
                .into_iter()
                .find(|(key, _)| *key == "backstage.io/edit-url")
                .map(|(_, url)| url);
        }
        let base = self.edit_base.as_deref()?;
        Some(format!("{}/{within}", base.trim_end_matches('/')))
    }

    /// Returns the address of a page on the web, where the site says where it is published.
    pub fn web_url(&self, path: &str) -> Option<String> {
        let base = self.config.site_url.as_deref()?.trim_end_matches('/');
        let stem = path.strip_suffix(".md").unwrap_or(path);
        let served = match stem.strip_suffix("index").or_else(|| stem.strip_suffix("README")) {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => folder.to_owned(),
            _ if self.config.use_directory_urls => format!("{stem}/"),
            _ => format!("{stem}.html"),
        };
        Some(format!("{base}/{}", links::encode_path(&served)))
    }

    /// Returns the pages before and after one, in the order of the navigation.
    pub fn neighbours(&self, path: &str) -> (Option<&PageInfo>, Option<&PageInfo>) {
        let Some(at) = self.number_of(path) else { return (None, None) };
        let is_in_nav = |page: &&PageInfo| page.in_nav;
        let before = at.checked_sub(1).and_then(|at| self.pages.get(at)).filter(is_in_nav);
        (before, self.pages.get(at + 1).filter(is_in_nav))
    }

    /// Returns titles of the sections that lead to a page.
    pub fn sections_of(&self, path: &str) -> Vec<String> {
        fn walk(items: &[NavItem], page: usize, trail: &mut Vec<String>) -> bool {
            items.iter().any(|item| match item {
                NavItem::Page { page: found, .. } => *found == page,
                NavItem::Section { title, items } => {
                    trail.push(title.clone());
                    let is_inside = walk(items, page, trail);
                    if !is_inside {
                        trail.pop();
                    }
                    is_inside
                }
                NavItem::Link { .. } | NavItem::Missing { .. } => false,
            })
        }
        let mut trail = Vec::new();
        if let Some(page) = self.number_of(path) {
            walk(&self.nav, page, &mut trail);
        }
        trail
    }
}

impl Site {
    /// Returns the file of a page as the user would type it.
    pub fn shown(&self, path: &str) -> String {
        self.file_of(path)
            .map_or_else(|| path.to_owned(), |(mount, file)| mount.tree.shown(&file).to_string())
    }

    /// Returns every entry of the navigation with its level, in order.
    pub fn flat_nav(&self) -> Vec<(usize, &NavItem)> {
        fn walk<'s>(items: &'s [NavItem], level: usize, out: &mut Vec<(usize, &'s NavItem)>) {
            for item in items {
                out.push((level, item));
                if let NavItem::Section { items, .. } = item {
                    walk(items, level + 1, out);
                }
            }
        }
        let mut out = Vec::new();
        walk(&self.nav, 0, &mut out);
        out
    }
}

fn collect(items: &[NavItem], out: &mut Vec<usize>) {
    for item in items {
        match item {
            NavItem::Page { page, .. } => out.push(*page),
            NavItem::Section { items, .. } => collect(items, out),
            NavItem::Link { .. } | NavItem::Missing { .. } => {}
        }
    }
}

fn renumber(items: &mut [NavItem], place: &[usize]) {
    for item in items {
        match item {
            NavItem::Page { page, .. } => *page = place.get(*page).copied().unwrap_or(*page),
            NavItem::Section { items, .. } => renumber(items, place),
            NavItem::Link { .. } | NavItem::Missing { .. } => {}
        }
    }
}

/// Reads `mkdocs.yaml`, else `mkdocs.yml`, of a folder.
fn read_config(tree: &Arc<dyn SourceTree>, folder: &str) -> Config {
    let mut bytes = Vec::new();
    for name in ["mkdocs.yaml", "mkdocs.yml"] {
        let file = join(folder, name);
        match tree.read(&file, config::MAX_CONFIG, &mut bytes) {
            Ok(()) => return config::read(&bytes, &file, &tree.shown(&file)),
            Err(TreeError::NotFound) => {}
            Err(error) => {
                let mut config =
                    Config { file: Some(file.clone()), shown: tree.shown(&file), ..Config::default() };
                config.problem("docs::config", format!("could not read it: {error}"), (1, 1), None);
                return config;
            }
        }
    }
    Config { shown: tree.shown(&join(folder, "mkdocs.yml")), ..Config::default() }
}

fn readme_of(tree: &Arc<dyn SourceTree>, folder: &str) -> Option<String> {
    let names = ["README.md", "readme.md", "Readme.md", "index.md"];
    names.iter().map(|name| join(folder, name)).find(|path| exists_in(&**tree, path))
}

fn exists_in(tree: &dyn SourceTree, path: &str) -> bool {
    // a limit of nothing: what is there is too large, or empty
    let mut buffer = Vec::new();
    matches!(
        tree.read(path, 0, &mut buffer),
        // a content that was not fetched, or lies elsewhere, is there all the same
        Ok(()) | Err(TreeError::TooLarge { .. } | TreeError::Io(_) | TreeError::Elsewhere)
    )
}

fn read_text(tree: &dyn SourceTree, path: &str, limit: u64) -> Result<String, TreeError> {
    let mut bytes = Vec::new();
    tree.read(path, limit, &mut bytes)?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text })
}

/// Returns the folder of a page.
pub(crate) fn folder_of_page(path: &str) -> &str {
    folder_of(path)
}

#[cfg(test)]
pub(crate) mod tests;
