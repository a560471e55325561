//! Where a file is: in the tree of its source, or at an address; and the addresses of code hosts.

use crate::catalog::tree::folder_of;
use std::sync::Arc;
use url::Url;

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A path in the tree of the source.
    Path(Arc<str>),
    /// An address as people write it (`…/blob/main/…`); [`raw`] gives the one to fetch.
    Url(Arc<Url>),
}

/// A file or folder on a code host.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hosted<'u> {
    /// `owner/name`, with groups where there are some.
    repository: String,
    /// Parts up to the word that tells how the file is shown.
    marker: usize,
    parts: Vec<&'u str>,
}

/// Words that tell how a file is shown.
const MARKERS: &[&str] = &["blob", "tree", "edit", "raw", "src"];

/// Recognises `host/owner/name/blob/REF/path` and `host/group/…/name/-/blob/REF/path`.
fn hosted(url: &Url) -> Option<Hosted<'_>> {
    let parts: Vec<&str> = url.path_segments()?.collect();
    if url.host_str() == Some("raw.githubusercontent.com") {
        let repository = parts.get(..2)?.join("/");
        return Some(Hosted { repository, marker: 1, parts });
    }
    let marker = parts.iter().position(|part| MARKERS.contains(part)).filter(|at| *at >= 2)?;
    let dashed = parts.get(marker.checked_sub(1)?) == Some(&"-");
    let end = if dashed { marker - 1 } else { marker };
    // a revision and something behind it
    if end < 2 || parts.len() < marker + 3 {
        return None;
    }
    Some(Hosted { repository: parts.get(..end)?.join("/"), marker, parts })
}

/// Returns the address that gives the plain content of what an address shows.
pub fn raw(url: &Url) -> Url {
    let Some(hosted) = hosted(url) else { return url.clone() };
    let mut out = url.clone();
    match url.host_str() {
        Some("raw.githubusercontent.com") => return out,
        Some("github.com" | "www.github.com") => {
            let rest = hosted.parts.get(hosted.marker + 1..).unwrap_or(&[]).join("/");
            if out.set_host(Some("raw.githubusercontent.com")).is_ok() {
                out.set_path(&format!("/{}/{rest}", hosted.repository));
            }
        }
        _ => {
            let mut parts = hosted.parts.clone();
            if let Some(marker) = parts.get_mut(hosted.marker) {
                *marker = "raw";
            }
            out.set_path(&format!("/{}", parts.join("/")));
        }
    }
    out
}

/// Joins a relative target to the address of the file that names it; `/x` is the root of the
/// repository on code hosts.
pub fn join(base: &Url, target: &str) -> Option<Url> {
    let Some(from_root) = target.strip_prefix('/') else {
        let mut joined = base.join(target).ok()?;
        if joined.query().is_none() && joined.origin() == base.origin() {
            joined.set_query(base.query());
        }
        return Some(joined);
    };
    match hosted(base) {
        Some(hosted) => {
            let root = hosted.parts.get(..hosted.marker + 2)?.join("/");
            let mut out = base.clone();
            out.set_path(&format!("/{root}/{from_root}"));
            Some(out)
        }
        None => base.join(target).ok(),
    }
}

/// Returns whether two addresses are of one repository; away from code hosts, of one host.
pub fn is_same_repository(a: &Url, b: &Url) -> bool {
    if a.origin() != b.origin() {
        return false;
    }
    match (hosted(a), hosted(b)) {
        (Some(a), Some(b)) => a.repository.eq_ignore_ascii_case(&b.repository),
        (None, None) => true,
        _ => false,
    }
}

/// Returns the annotations that a location itself makes: where to view and edit the file, and the
/// folder that other files of the entity are relative to. Only addresses have them.
pub fn location_annotations(location_ref: &str) -> Vec<(&'static str, String)> {
    let url = location_ref.strip_prefix("url:").and_then(|text| Url::parse(text).ok());
    let Some(url) = url else { return Vec::new() };
    let mut out = vec![("backstage.io/view-url", shown_as(&url, "blob"))];
    // a revision by its hash cannot be edited
    if !is_pinned(&url) {
        out.push(("backstage.io/edit-url", shown_as(&url, "edit")));
    }
    let shown = shown_as(&url, "tree");
    let folder = shown.rsplit_once('/').map_or(shown.as_str(), |(folder, _)| folder);
    out.push(("backstage.io/source-location", format!("url:{folder}/")));
    out
}

/// Returns an address with another word for how the file is shown; as it is away from code hosts.
fn shown_as(url: &Url, marker: &str) -> String {
    let Some(hosted) = hosted(url).filter(|h| h.parts.get(h.marker).is_some_and(|m| MARKERS.contains(m)))
    else {
        return url.to_string();
    };
    let mut parts = hosted.parts.clone();
    if let Some(slot) = parts.get_mut(hosted.marker) {
        *slot = marker;
    }
    let mut out = url.clone();
    out.set_path(&format!("/{}", parts.join("/")));
    out.to_string()
}

fn is_pinned(url: &Url) -> bool {
    url.path().split('/').any(|part| part.len() == 40 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl Address {
    /// Creates the address of a path in the tree.
    pub fn path(path: impl Into<Arc<str>>) -> Self {
        Self::Path(path.into())
    }

    /// Returns the folder that relative targets start from; empty for a URL.
    pub fn folder(&self) -> &str {
        match self {
            Self::Path(path) => folder_of(path),
            Self::Url(_) => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn pages_of_code_hosts_become_plain_files() {
        let cases = [
            (
                "https://github.com/o/r/blob/main/a/b.yaml",
                "https://raw.githubusercontent.com/o/r/main/a/b.yaml",
            ),
            ("https://github.com/o/r/tree/v1/b.yaml", "https://raw.githubusercontent.com/o/r/v1/b.yaml"),
            ("https://ghe.acme.io/o/r/edit/main/b.yaml", "https://ghe.acme.io/o/r/raw/main/b.yaml"),
            ("https://gitlab.com/g/s/r/-/blob/main/b.yaml", "https://gitlab.com/g/s/r/-/raw/main/b.yaml"),
            ("https://example.com/catalog-info.yaml", "https://example.com/catalog-info.yaml"),
            ("https://github.com/o/r", "https://github.com/o/r"),
        ];
        for (shown, plain) in cases {
            assert_eq!(raw(&url(shown)).as_str(), plain);
        }
    }

    #[test]
    fn relative_targets_stay_on_the_page_form() {
        let base = url("https://github.com/o/r/blob/main/a/b.yaml");
        let cases = [
            ("./c.yaml", "https://github.com/o/r/blob/main/a/c.yaml"),
            ("../c.yaml", "https://github.com/o/r/blob/main/c.yaml"),
            ("/c.yaml", "https://github.com/o/r/blob/main/c.yaml"),
        ];
        for (target, expected) in cases {
            assert_eq!(join(&base, target).unwrap().as_str(), expected);
        }
        assert_eq!(join(&url("https://x.io/a/b?k=1"), "c").unwrap().as_str(), "https://x.io/a/c?k=1");
        assert_eq!(join(&url("https://x.io/a/b"), "/c").unwrap().as_str(), "https://x.io/c");
    }

    #[test]
    fn knows_what_is_of_one_repository() {
        let same = |a, b| is_same_repository(&url(a), &url(b));
        assert!(same("https://github.com/o/r/blob/main/a/b", "https://github.com/o/r/tree/v2/x/y"));
        assert!(!same("https://github.com/o/r/blob/main/a/b", "https://github.com/o/other/blob/main/a/b"));
        assert!(!same("https://github.com/o/r/blob/main/a/b", "https://gitlab.com/o/r/blob/main/a/b"));
        assert!(same("https://x.io/a", "https://x.io/b"));
        assert!(!same("https://x.io/a", "http://x.io/b"));
    }
}
