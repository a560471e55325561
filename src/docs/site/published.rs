//! Documentation that a Backstage backend publishes: built pages, brought back to Markdown as they are read.
//!
//! Start at [`open`]. The list of pages comes from the search index of the site and its order from the
//! navigation of the first page; a page is fetched when it is read, and kept for when nobody answers.

use super::html::{self, NavLink};
use super::nav::{NavItem, PageInfo};
use super::{Config, LineMap, PageSource, Site, SiteError};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Pages that are listed at most.
const MAX_PAGES: usize = 20_000;

/// Fetches something below `api/techdocs/`; `None`: there is no such thing.
pub type Fetch = dyn Fn(&str) -> Result<Option<Arc<[u8]>>, String> + Send + Sync;

/// What a published site is read with.
#[derive(Clone)]
pub struct Source {
    /// Asks the backend.
    pub fetch: Arc<Fetch>,
    /// Folder of this machine for what was read.
    pub folder: Option<PathBuf>,
    /// `default/component/checkout`, lower case.
    pub triplet: String,
    /// Where it comes from, for people.
    pub origin: String,
}

/// Pages of a published site.
pub struct Published {
    source: Source,
    titles: FxHashMap<String, String>,
    stale: Mutex<Option<String>>,
}

/// What the backend says about a site.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    site_name: Option<String>,
    site_description: Option<String>,
    files: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Index {
    docs: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    location: String,
    title: String,
    text: String,
}

/// Opens the published documentation of an entity; `None` when there is none.
///
/// # Errors
/// A sentence, when the backend cannot be asked and nothing is kept.
pub fn open(source: Source, name: &str) -> Result<Option<Site>, String> {
    let mut published = Published { source, titles: FxHashMap::default(), stale: Mutex::default() };
    let triplet = published.source.triplet.clone();
    let metadata = published.get(&format!("metadata/techdocs/{triplet}"))?;
    let index = published.get(&format!("static/docs/{triplet}/search/search_index.json")).unwrap_or_default();
    let home = published.get(&format!("static/docs/{triplet}/index.html"))?;
    if metadata.is_none() && index.is_none() && home.is_none() {
        return Ok(None);
    }
    let metadata: Metadata =
        metadata.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let index: Index = index.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let links = home.map(|bytes| html::navigation(&String::from_utf8_lossy(&bytes))).unwrap_or_default();
    let (nav, pages) = arrange(&links, &index.docs, &metadata.files);
    published.titles = pages.iter().map(|page| (page.path.clone(), page.title.clone())).collect();
    let by_path = pages.iter().enumerate().map(|(at, page)| (page.path.clone(), at)).collect();
    let stale = published.stale.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Some(Site {
        name: metadata.site_name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| name.to_owned()),
        description: metadata.site_description.filter(|text| !text.is_empty() && text != "None"),
        nav,
        pages,
        records: Vec::new(),
        problems: Vec::new(),
        config: Arc::new(Config::default()),
        origin: published.source.origin.clone(),
        stale,
        by_path: Arc::new(by_path),
        mounts: Vec::new(),
        edit_base: None,
        published: Some(Arc::new(published)),
    }))
}

/// Puts pages in order: those of the navigation first, then what else the index or the backend names.
fn arrange(links: &[NavLink], index: &[Entry], files: &[String]) -> (Vec<NavItem>, Vec<PageInfo>) {
    let mut pages: Vec<PageInfo> = Vec::new();
    let mut known: FxHashMap<String, usize> = FxHashMap::default();
    let mut add = |path: String, title: &str, in_nav: bool| -> usize {
        let next = pages.len();
        let at = *known.entry(path.clone()).or_insert(next);
        if at == next {
            pages.push(PageInfo { path, title: title.to_owned(), in_nav, is_untitled: false });
        }
        at
    };
    // sections that are open, with their level
    let mut open: Vec<(usize, String, Vec<NavItem>)> = vec![(0, String::new(), Vec::new())];
    let close = |open: &mut Vec<(usize, String, Vec<NavItem>)>, level: usize| {
        while open.len() > 1 && open.last().is_some_and(|section| section.0 > level) {
            if let Some((_, title, items)) = open.pop()
                && let Some(parent) = open.last_mut()
                && !items.is_empty()
            {
                parent.2.push(NavItem::Section { title, items });
            }
        }
    };
    for link in links.iter().take(MAX_PAGES) {
        close(&mut open, link.level);
        let item = match link.to.as_deref() {
            None => {
                open.push((link.level + 1, link.title.clone(), Vec::new()));
                continue;
            }
            Some(to) if to.contains("://") => NavItem::Link { title: link.title.clone(), url: to.to_owned() },
            Some(to) => {
                let path = path_of(to.split('#').next().unwrap_or(to));
                NavItem::Page { title: Some(link.title.clone()), page: add(path, &link.title, true) }
            }
        };
        if let Some(section) = open.last_mut() {
            section.2.push(item);
        }
    }
    close(&mut open, 0);
    let mut nav = open.pop().map(|section| section.2).unwrap_or_default();
    let has_nav = !nav.is_empty();
    let whole_pages = index.iter().filter(|entry| !entry.location.contains('#')).take(MAX_PAGES);
    for entry in whole_pages {
        let path = path_of(&entry.location);
        let title = html::entities(&entry.title);
        let title = if title.is_empty() { super::title::of_file(&path) } else { title };
        let page = add(path, &title, !has_nav);
        if !has_nav {
            nav.push(NavItem::Page { title: None, page });
        }
    }
    for file in files.iter().filter(|file| is_page(file)).take(MAX_PAGES) {
        let path = path_of(file.trim_start_matches('/'));
        let title = super::title::of_file(&path);
        add(path, &title, false);
    }
    (nav, pages)
}

/// Returns the path of a page by its address in the site: `a/b/` and `a/b/index.html` are `a/b.md`.
fn path_of(location: &str) -> String {
    let location = super::links::decode(location);
    let location = crate::catalog::tree::resolve("", &location).unwrap_or_default();
    let stem =
        location.strip_suffix("index.html").or_else(|| location.strip_suffix(".html")).unwrap_or(&location);
    match stem.trim_end_matches('/') {
        "" => "index.md".to_owned(),
        stem => format!("{stem}.md"),
    }
}

impl Published {
    /// Fetches a page and brings it back to Markdown.
    pub(super) fn page(&self, path: &str) -> Result<PageSource, SiteError> {
        let stem = path.strip_suffix(".md").unwrap_or(path);
        let stem = if stem == "index" { "" } else { stem };
        let stem = super::links::encode_path(stem);
        let triplet = &self.source.triplet;
        let forms = match stem.as_str() {
            "" => vec!["index.html".to_owned()],
            stem => vec![format!("{stem}/index.html"), format!("{stem}.html")],
        };
        for form in forms {
            let address = format!("static/docs/{triplet}/{form}");
            let found =
                self.get(&address).map_err(|cause| SiteError::Unreadable { page: path.to_owned(), cause })?;
            if let Some(bytes) = found {
                let shown: Arc<str> = format!("{}/{form}", self.source.origin.trim_end_matches('/')).into();
                let text = html::article(&String::from_utf8_lossy(&bytes));
                return Ok(PageSource {
                    path: path.to_owned(),
                    text,
                    map: LineMap::of_one(shown.clone()),
                    shown,
                    problems: Vec::new(),
                });
            }
        }
        Err(SiteError::NoPage { site: self.source.origin.clone(), page: path.to_owned(), near: Vec::new() })
    }

    /// Asks the backend; what it answered before has to do when it does not.
    fn get(&self, path: &str) -> Result<Option<Arc<[u8]>>, String> {
        let file = self.source.folder.as_ref().map(|folder| {
            let key = format!("{}\0{path}", self.source.origin);
            let hash = blake3::hash(key.as_bytes()).to_hex();
            folder.join("published").join(hash.get(..32).unwrap_or_default())
        });
        match (self.source.fetch)(path) {
            Ok(found) => {
                if let (Some(file), Some(bytes)) = (&file, &found) {
                    keep(file, bytes);
                }
                Ok(found)
            }
            Err(why) => {
                let kept = file.as_ref().and_then(|file| {
                    let age = file.metadata().and_then(|data| data.modified()).ok()?.elapsed().ok()?;
                    Some((std::fs::read(file).ok()?, age))
                });
                let (bytes, age) = kept.ok_or_else(|| why.clone())?;
                let minutes = age.as_secs() / 60;
                let mut stale = self.stale.lock().unwrap_or_else(PoisonError::into_inner);
                *stale = Some(format!("as it was {minutes} minutes ago: {why}"));
                Ok(Some(bytes.into()))
            }
        }
    }
}

/// Keeps an answer; what cannot be kept costs nothing but the next time without a network.
fn keep(file: &std::path::Path, bytes: &[u8]) {
    let new = file.with_extension(format!("new-{}", std::process::id()));
    let written = file
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&new, bytes))
        .and_then(|()| std::fs::rename(&new, file));
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
}

/// Returns the text of a published site by section, from its search index: location, title, text.
pub fn sections(index: &[u8]) -> Vec<(String, String, String)> {
    let index: Index = serde_json::from_slice(index).unwrap_or_default();
    index
        .docs
        .into_iter()
        .map(|entry| (entry.location, html::entities(&entry.title), html::entities(&entry.text)))
        .collect()
}

/// Whether a file of a published site is one of its pages.
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "as they were built")]
fn is_page(file: &str) -> bool {
    file.ends_with(".html") && !file.ends_with("404.html")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = r#"<html><nav class="md-nav--primary"><ul><li><a class="md-nav__link" href=".">Home</a></li>
        <li><label>Guides</label><nav><ul><li><a class="md-nav__link" href="guides/start/">Start</a></li></ul></nav></li></ul></nav>
        <article class="md-content__inner"><h1 id="shop">Shop</h1><p><a href="guides/start/#one">go</a></p></article></html>"#;

    fn source(answers: Vec<(&'static str, &'static str)>) -> Source {
        let fetch = move |path: &str| {
            let found = answers.iter().find(|(end, _)| path.ends_with(end));
            match found {
                Some((_, "down")) => Err("nobody answers".to_owned()),
                found => Ok(found.map(|(_, body)| Arc::from(body.as_bytes()))),
            }
        };
        Source {
            fetch: Arc::new(fetch),
            folder: None,
            triplet: "default/component/shop".to_owned(),
            origin: "https://portal.example.com/docs/default/component/shop".to_owned(),
        }
    }

    #[test]
    fn a_published_site_is_read_like_any_other() {
        let index = r#"{"docs": [{"location": "", "title": "Shop"}, {"location": "guides/start/", "title": "Start &amp; go", "text": "x"},
            {"location": "guides/start/#one", "title": "One"}, {"location": "other/", "title": "Other"}]}"#;
        let answers = vec![
            (
                "metadata/techdocs/default/component/shop",
                r#"{"site_name": "The shop", "files": ["404.html", "late/index.html"]}"#,
            ),
            ("search_index.json", index),
            ("shop/index.html", HOME),
            (
                "guides/start/index.html",
                "<article class=\"md-content__inner\"><h1>Start</h1><p><a href=\"../../other/\">o</a></p></article>",
            ),
        ];
        let site = open(source(answers), "shop").unwrap().unwrap();
        let paths: Vec<&str> = site.pages.iter().map(|page| page.path.as_str()).collect();
        assert_eq!(
            (site.name.as_str(), paths),
            ("The shop", vec!["index.md", "guides/start.md", "other.md", "late.md"])
        );
        assert_eq!(site.nav.len(), 2);
        assert!(site.page("index.md").unwrap().text.starts_with("# Shop {#shop}"));
        let target = site.resolve("guides/start.md", "../../other/#x", &[]);
        assert_eq!(target, super::super::Target::Page { path: "other.md".into(), anchor: Some("x".into()) });
        let target = site.resolve("index.md", "guides/start/#one", &[]);
        assert_eq!(
            target,
            super::super::Target::Page { path: "guides/start.md".into(), anchor: Some("one".into()) }
        );
        assert!(matches!(site.page("nope.md"), Err(SiteError::NoPage { .. })));
    }

    #[test]
    fn nothing_published_is_no_site() {
        assert!(open(source(Vec::new()), "shop").unwrap().is_none());
        assert!(open(source(vec![("component/shop", "down")]), "shop").is_err());
    }
}
