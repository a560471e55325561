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
    style: Style,
    /// Place of the word that tells how the file is shown.
    marker: usize,
    /// Parts up to the root of the repository's files.
    root: usize,
    parts: Vec<&'u str>,
}

/// How a code host writes addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `owner/name/blob/REF/path`, with `-` before `blob` on GitLab; `tree`, `edit` and `raw` likewise.
    Blob,
    /// `raw.githubusercontent.com/owner/name/REF/path`.
    GithubRaw,
    /// `owner/name/src/branch/REF/path` of Gitea and Forgejo.
    Gitea,
    /// `workspace/name/src/REF/path` of Bitbucket Cloud.
    Src,
    /// `projects/KEY/repos/name/browse/path?at=REF` of Bitbucket Server.
    Browse,
    /// `organization/project/_git/name?path=/path&version=GBref` of Azure DevOps.
    Azure,
}

/// Words that tell how a file is shown.
const MARKERS: &[&str] = &["blob", "tree", "edit", "raw", "src", "_edit"];
/// Words that Gitea puts before a revision.
const REVISIONS: &[&str] = &["branch", "tag", "commit"];

/// Recognises the addresses of [`Style`].
fn hosted(url: &Url) -> Option<Hosted<'_>> {
    let parts: Vec<&str> = url.path_segments()?.collect();
    if url.host_str() == Some("raw.githubusercontent.com") {
        let repository = parts.get(..2)?.join("/");
        return Some(Hosted { repository, style: Style::GithubRaw, marker: 1, root: 3, parts });
    }
    if let Some(git) = parts.iter().position(|part| *part == "_git") {
        let repository = parts.get(..git + 2)?.join("/");
        url.query_pairs().find(|(key, _)| key == "path")?;
        return Some(Hosted { repository, style: Style::Azure, marker: git, root: parts.len(), parts });
    }
    if let Some(repos) = parts.windows(3).position(|three| three.first() == Some(&"repos")) {
        let marker = repos + 2;
        if repos >= 2 && parts.get(marker).is_some_and(|word| ["browse", "raw"].contains(word)) {
            let repository = parts.get(repos - 2..marker)?.join("/");
            return Some(Hosted { repository, style: Style::Browse, marker, root: marker + 1, parts });
        }
    }
    let marker = parts.iter().position(|part| MARKERS.contains(part)).filter(|at| *at >= 2)?;
    let word = parts.get(marker)?;
    let dashed = parts.get(marker.checked_sub(1)?) == Some(&"-");
    let style = match *word {
        "src" | "raw" | "_edit" if parts.get(marker + 1).is_some_and(|next| REVISIONS.contains(next)) => {
            Style::Gitea
        }
        "src" => Style::Src,
        "_edit" => return None,
        _ => Style::Blob,
    };
    let end = if dashed { marker - 1 } else { marker };
    let root = if style == Style::Gitea { marker + 3 } else { marker + 2 };
    // a revision and something behind it
    if end < 2 || parts.len() <= root {
        return None;
    }
    Some(Hosted { repository: parts.get(..end)?.join("/"), style, marker, root, parts })
}

impl Hosted<'_> {
    /// Returns the address with another word for how the file is shown.
    fn shown_as(&self, url: &Url, word: &str) -> Url {
        let mut parts = self.parts.clone();
        if let Some(marker) = parts.get_mut(self.marker) {
            *marker = word;
        }
        let mut out = url.clone();
        out.set_path(&format!("/{}", parts.join("/")));
        out
    }
}

/// A file or folder of a repository, as an address of its code host names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InRepository {
    /// Where the repository is cloned from.
    pub clone: String,
    /// Branch, tag or commit; `None`: the default branch.
    pub revision: Option<String>,
    /// Path in the repository; empty for its root.
    pub path: String,
}

/// Returns the repository, revision and path that an address names, if it is one of a code host.
pub fn in_repository(url: &Url) -> Option<InRepository> {
    let mut with_slash = url.clone();
    // a revision alone is the root of its files
    if !url.path().ends_with('/') {
        with_slash.set_path(&format!("{}/", url.path()));
    }
    let found = hosted(url).or_else(|| hosted(&with_slash))?;
    let value = |key: &str| url.query_pairs().find(|(k, _)| k == key).map(|(_, v)| v.into_owned());
    let (revision, path) = match found.style {
        Style::Azure => (
            value("version").and_then(|version| version.strip_prefix("GB").map(str::to_owned)),
            value("path")?,
        ),
        Style::Browse => (value("at"), found.parts.get(found.root..)?.join("/")),
        _ => (
            found.parts.get(found.root - 1).map(|part| (*part).to_owned()),
            found.parts.get(found.root..)?.join("/"),
        ),
    };
    let mut clone = url.clone();
    clone.set_query(None);
    clone.set_fragment(None);
    let repository = match found.style {
        Style::GithubRaw => {
            clone.set_host(Some("github.com")).ok()?;
            found.repository.clone()
        }
        // `projects/KEY/repos/NAME` is cloned as `scm/key/name`
        Style::Browse => {
            let mut parts = found.repository.split('/').rev();
            let (name, _, key) = (parts.next()?, parts.next()?, parts.next()?);
            format!("scm/{}/{name}.git", key.to_lowercase())
        }
        _ => found.repository.clone(),
    };
    clone.set_path(&format!("/{repository}"));
    let decoded = |text: String| percent_decode(&text);
    Some(InRepository {
        clone: clone.into(),
        revision: revision.map(decoded).filter(|revision| !revision.is_empty() && revision != "HEAD"),
        path: crate::catalog::tree::resolve("", &decoded(path))?,
    })
}

fn percent_decode(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    let found = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
    found.unwrap_or_else(|| text.to_owned())
}

/// Returns the address that gives the plain content of what an address shows.
pub fn raw(url: &Url) -> Url {
    let Some(hosted) = hosted(url) else { return url.clone() };
    match (hosted.style, url.host_str()) {
        (Style::GithubRaw, _) => url.clone(),
        (Style::Azure, _) => azure_raw(url, &hosted).unwrap_or_else(|| url.clone()),
        (_, Some("github.com" | "www.github.com")) => {
            let mut out = url.clone();
            let rest = hosted.parts.get(hosted.marker + 1..).unwrap_or(&[]).join("/");
            if out.set_host(Some("raw.githubusercontent.com")).is_ok() {
                out.set_path(&format!("/{}/{rest}", hosted.repository));
            }
            out
        }
        _ => hosted.shown_as(url, "raw"),
    }
}

/// Returns the address of the interface that gives a file of Azure DevOps.
fn azure_raw(url: &Url, hosted: &Hosted<'_>) -> Option<Url> {
    let before = hosted.parts.get(..hosted.marker)?;
    let name = hosted.parts.get(hosted.marker + 1)?;
    // the default repository of a project is written without the project
    let project = if before.len() < 2 && !url.host_str()?.ends_with("visualstudio.com") {
        format!("{}/{name}", before.join("/"))
    } else {
        before.join("/")
    };
    let value = |key: &str| url.query_pairs().find(|(k, _)| k == key).map(|(_, v)| v.into_owned());
    let mut out = url.clone();
    out.set_path(&format!("/{project}/_apis/git/repositories/{name}/items"));
    let mut query = out.query_pairs_mut();
    query.clear().append_pair("path", &value("path")?).append_pair("api-version", "6.0");
    if let Some(branch) = value("version").as_deref().and_then(|version| version.strip_prefix("GB")) {
        query.append_pair("versionDescriptor.version", branch);
    }
    drop(query);
    Some(out)
}

/// Joins a relative target to the address of the file that names it; `/x` is the root of the
/// repository on code hosts.
pub fn join(base: &Url, target: &str) -> Option<Url> {
    let hosted = hosted(base);
    if let Some(Hosted { style: Style::Azure, .. }) = hosted
        && Url::parse(target) == Err(url::ParseError::RelativeUrlWithoutBase)
    {
        return azure_join(base, target);
    }
    let Some(from_root) = target.strip_prefix('/') else {
        let mut joined = base.join(target).ok()?;
        if joined.query().is_none() && joined.origin() == base.origin() {
            joined.set_query(base.query());
        }
        return Some(joined);
    };
    match hosted {
        Some(hosted) => {
            let root = hosted.parts.get(..hosted.root)?.join("/");
            let mut out = base.clone();
            out.set_path(&format!("/{root}/{from_root}"));
            Some(out)
        }
        None => base.join(target).ok(),
    }
}

/// Azure DevOps names the file in the query: the target is joined to that path.
fn azure_join(base: &Url, target: &str) -> Option<Url> {
    let path = base.query_pairs().find(|(key, _)| key == "path")?.1.into_owned();
    let mut inner = Url::parse("https://path.invalid/").ok()?;
    inner.set_path(&path);
    let joined = inner.join(target).ok().filter(|joined| joined.origin() == inner.origin())?;
    let rest: Vec<(String, String)> =
        base.query_pairs().filter(|(key, _)| key != "path").map(|(k, v)| (k.into(), v.into())).collect();
    let mut out = base.clone();
    out.query_pairs_mut().clear().append_pair("path", joined.path()).extend_pairs(rest);
    Some(out)
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
    let hosted = hosted(&url);
    let mut out = vec![("backstage.io/view-url", view(&url, hosted.as_ref()).to_string())];
    // a revision by its hash cannot be edited
    if !is_pinned(&url) {
        out.push(("backstage.io/edit-url", edit(&url, hosted.as_ref()).to_string()));
    }
    out.push(("backstage.io/source-location", format!("url:{}", folder(&url, hosted.as_ref()))));
    out
}

/// Returns the page that shows a file.
fn view(url: &Url, hosted: Option<&Hosted<'_>>) -> Url {
    match hosted {
        Some(hosted) if hosted.style == Style::Blob => hosted.shown_as(url, "blob"),
        Some(hosted) if hosted.style == Style::Gitea => hosted.shown_as(url, "src"),
        Some(hosted) if hosted.style == Style::Browse => hosted.shown_as(url, "browse"),
        _ => url.clone(),
    }
}

/// Returns the page that edits a file; the file itself where a host has none.
fn edit(url: &Url, hosted: Option<&Hosted<'_>>) -> Url {
    let Some(hosted) = hosted else { return url.clone() };
    match hosted.style {
        Style::Blob => hosted.shown_as(url, "edit"),
        Style::Gitea => hosted.shown_as(url, "_edit"),
        Style::Src => {
            let mut out = url.clone();
            let branch = hosted.parts.get(hosted.marker + 1).copied().unwrap_or_default();
            out.query_pairs_mut().append_pair("mode", "edit").append_pair("at", branch);
            out
        }
        Style::Browse => hosted.shown_as(url, "browse"),
        Style::Azure | Style::GithubRaw => url.clone(),
    }
}

/// Returns the folder of a file, with a slash at its end.
fn folder(url: &Url, hosted: Option<&Hosted<'_>>) -> String {
    let shown = match hosted {
        Some(hosted) if hosted.style == Style::Blob => hosted.shown_as(url, "tree"),
        Some(hosted) if hosted.style == Style::Azure => {
            return azure_join(url, "./").unwrap_or_else(|| url.clone()).into();
        }
        // a query belongs to the address of the folder, too: it names the revision
        Some(hosted) if hosted.style == Style::Browse => {
            let mut out = hosted.shown_as(url, "browse");
            let folder = out.path().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            out.set_path(&format!("{folder}/"));
            return out.into();
        }
        _ => view(url, hosted),
    };
    let shown = shown.to_string();
    let folder = shown.rsplit_once('/').map_or(shown.as_str(), |(folder, _)| folder);
    format!("{folder}/")
}

fn is_pinned(url: &Url) -> bool {
    url.path().split('/').any(|part| part.len() == 40 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl Address {
    /// Creates the address of a path in the tree.
    pub fn path(path: impl Into<Arc<str>>) -> Self {
        Self::Path(path.into())
    }

    /// Returns the path, if it is one of the tree.
    pub fn as_path(&self) -> Option<&Arc<str>> {
        match self {
            Self::Path(path) => Some(path),
            Self::Url(_) => None,
        }
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
            (
                "https://git.acme.io/o/r/src/branch/main/a/b.yaml",
                "https://git.acme.io/o/r/raw/branch/main/a/b.yaml",
            ),
            ("https://bitbucket.org/w/r/src/main/b.yaml", "https://bitbucket.org/w/r/raw/main/b.yaml"),
            (
                "https://bb.acme.io/projects/K/repos/r/browse/a/b.yaml?at=main",
                "https://bb.acme.io/projects/K/repos/r/raw/a/b.yaml?at=main",
            ),
            (
                "https://dev.azure.com/o/p/_git/r?path=/b.yaml&version=GBmain",
                "https://dev.azure.com/o/p/_apis/git/repositories/r/items?path=%2Fb.yaml&api-version=6.0&versionDescriptor.version=main",
            ),
            ("https://example.com/catalog-info.yaml", "https://example.com/catalog-info.yaml"),
            ("https://github.com/o/r", "https://github.com/o/r"),
        ];
        for (shown, plain) in cases {
            assert_eq!(raw(&url(shown)).as_str(), plain);
        }
    }

    #[test]
    fn addresses_name_a_place_in_a_repository() {
        let cases = [
            ("https://github.com/o/r/tree/main/a/b%20c/", "https://github.com/o/r", Some("main"), "a/b c"),
            ("https://github.com/o/r/tree/main", "https://github.com/o/r", Some("main"), ""),
            ("https://gitlab.com/g/s/r/-/blob/v1/a.md", "https://gitlab.com/g/s/r", Some("v1"), "a.md"),
            ("https://git.acme.io/o/r/src/branch/main/a", "https://git.acme.io/o/r", Some("main"), "a"),
            ("https://bitbucket.org/w/r/src/HEAD/a", "https://bitbucket.org/w/r", None, "a"),
            (
                "https://bb.acme.io/projects/K/repos/r/browse/a?at=x",
                "https://bb.acme.io/scm/k/r.git",
                Some("x"),
                "a",
            ),
            (
                "https://dev.azure.com/o/p/_git/r?path=/a&version=GBmain",
                "https://dev.azure.com/o/p/_git/r",
                Some("main"),
                "a",
            ),
        ];
        for (at, clone, revision, path) in cases {
            let found = in_repository(&url(at)).unwrap();
            assert_eq!(
                (found.clone.as_str(), found.revision.as_deref(), found.path.as_str()),
                (clone, revision, path),
                "{at}"
            );
        }
        assert_eq!(in_repository(&url("https://example.com/a/b")), None);
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
    fn relative_targets_stay_in_the_repository_of_every_host() {
        let cases = [
            (
                "https://git.acme.io/o/r/src/branch/main/a/b.yaml",
                "/c.yaml",
                "https://git.acme.io/o/r/src/branch/main/c.yaml",
            ),
            ("https://bitbucket.org/w/r/src/main/a/b.yaml", "/c", "https://bitbucket.org/w/r/src/main/c"),
            (
                "https://bb.acme.io/projects/K/repos/r/browse/a/b.yaml?at=main",
                "./c.yaml",
                "https://bb.acme.io/projects/K/repos/r/browse/a/c.yaml?at=main",
            ),
            (
                "https://bb.acme.io/projects/K/repos/r/browse/a/b.yaml?at=main",
                "/c.yaml",
                "https://bb.acme.io/projects/K/repos/r/browse/c.yaml?at=main",
            ),
            (
                "https://dev.azure.com/o/p/_git/r?path=/a/b.yaml&version=GBmain",
                "../c.yaml",
                "https://dev.azure.com/o/p/_git/r?path=%2Fc.yaml&version=GBmain",
            ),
        ];
        for (base, target, expected) in cases {
            assert_eq!(join(&url(base), target).unwrap().as_str(), expected);
        }
        let azure = url("https://dev.azure.com/o/p/_git/r?path=/a.yaml");
        assert_eq!(join(&azure, "https://x.io/y").unwrap().as_str(), "https://x.io/y");
        assert_eq!(join(&azure, "//x.io/y"), None);
    }

    #[test]
    fn every_host_has_its_own_pages() {
        let cases = [
            (
                "https://gitlab.com/g/r/-/blob/main/a/b.yaml",
                "https://gitlab.com/g/r/-/blob/main/a/b.yaml",
                "https://gitlab.com/g/r/-/edit/main/a/b.yaml",
                "https://gitlab.com/g/r/-/tree/main/a/",
            ),
            (
                "https://git.acme.io/o/r/src/branch/main/b.yaml",
                "https://git.acme.io/o/r/src/branch/main/b.yaml",
                "https://git.acme.io/o/r/_edit/branch/main/b.yaml",
                "https://git.acme.io/o/r/src/branch/main/",
            ),
            (
                "https://bitbucket.org/w/r/src/main/b.yaml",
                "https://bitbucket.org/w/r/src/main/b.yaml",
                "https://bitbucket.org/w/r/src/main/b.yaml?mode=edit&at=main",
                "https://bitbucket.org/w/r/src/main/",
            ),
            (
                "https://bb.acme.io/projects/K/repos/r/browse/a/b.yaml?at=x",
                "https://bb.acme.io/projects/K/repos/r/browse/a/b.yaml?at=x",
                "https://bb.acme.io/projects/K/repos/r/browse/a/b.yaml?at=x",
                "https://bb.acme.io/projects/K/repos/r/browse/a/?at=x",
            ),
            (
                "https://dev.azure.com/o/p/_git/r?path=/a/b.yaml",
                "https://dev.azure.com/o/p/_git/r?path=/a/b.yaml",
                "https://dev.azure.com/o/p/_git/r?path=/a/b.yaml",
                "https://dev.azure.com/o/p/_git/r?path=%2Fa%2F",
            ),
        ];
        for (at, view, edit, folder) in cases {
            let found = location_annotations(&format!("url:{at}"));
            let texts: Vec<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
            assert_eq!(texts, [view, edit, &format!("url:{folder}")], "{at}");
        }
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
