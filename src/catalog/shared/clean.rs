//! What must not leave the machine that publishes: its paths, and credentials inside of addresses.
//!
//! Start at [`Places`]. Files of a folder or a local repository are named by the source and their path in
//! the repository, never by where that lies.

use crate::catalog::snapshot::{Catalog, FileView, SourceState};
use regex::Regex;
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Scheme of the location refs of files that lay on the machine that published them.
pub(super) const SCHEME: &str = "snapshot:";

static PASSWORD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(\b[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s@"'<>]*:[^/?#\s"'<>]*@"#).ok());
static USER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(\b[A-Za-z][A-Za-z0-9+.-]*://)[^/?#\s"'<>`]+@"#).ok());
static QUERY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let names = "access_token|private_token|auth|token|sig|signature|key|api_?key|secret|password|code|x-amz-[a-z-]+|x-goog-[a-z-]+";
    Regex::new(&format!(r#"(?i)([?&](?:{names})=)[^&#\s"'`<>]+"#)).ok()
});

fn replace<'t>(pattern: &LazyLock<Option<Regex>>, text: &'t str, with: &str) -> Cow<'t, str> {
    pattern.as_ref().map_or(Cow::Borrowed(text), |pattern| pattern.replace_all(text, with))
}

/// Takes user and password out of the addresses in a text that an author wrote.
pub(super) fn without_passwords(text: &str) -> Cow<'_, str> {
    // nearly every text ends here
    if !text.contains("://") || !text.contains('@') {
        return Cow::Borrowed(text);
    }
    replace(&PASSWORD, text, "$1")
}

/// Takes every credential out of the addresses in a text that the program made.
pub(super) fn without_secrets(text: &str) -> String {
    if !text.contains("://") {
        return text.to_owned();
    }
    let text = replace(&USER, text, "$1");
    replace(&QUERY, &text, "$1***").into_owned()
}

/// Where the sources of a catalog lie on this machine.
#[derive(Debug)]
pub(super) struct Places {
    /// By the number of the source; `None` for one that is elsewhere.
    roots: Vec<Option<Root>>,
    /// What stands for a path in texts, the longest first.
    replacements: Vec<Replacement>,
}

#[derive(Debug)]
struct Replacement {
    from: String,
    /// Finds the path where it ends or something below it follows, not where a longer name begins so.
    pattern: Regex,
    to: String,
}

#[derive(Debug)]
struct Root {
    name: String,
    /// The repository that the source lies in, else its folder, without links.
    folder: PathBuf,
}

impl Places {
    /// Finds the folders of the sources of a catalog.
    pub(super) fn of(catalog: &Catalog) -> Self {
        let roots: Vec<Option<Root>> = catalog.sources().iter().map(Root::of).collect();
        let mut replacements = Vec::new();
        for (source, root) in catalog.sources().iter().zip(&roots) {
            let Some(root) = root else { continue };
            let typed = source.root.clone().unwrap_or_else(|| PathBuf::from(&source.place));
            let full = std::fs::canonicalize(&typed).unwrap_or_else(|_| typed.clone());
            let below = full.strip_prefix(&root.folder).ok().map(shown).filter(|below| !below.is_empty());
            let inside = below.map_or_else(|| root.name.clone(), |below| format!("{}/{below}", root.name));
            replacements.push((shown(&root.folder), root.name.clone()));
            replacements.push((shown(&full), inside.clone()));
            if typed.components().count() > 1 {
                replacements.push((shown(&typed), inside));
            }
        }
        for home in [std::env::var_os("HOME"), std::env::var_os("USERPROFILE")].into_iter().flatten() {
            replacements.push((shown(Path::new(&home)), "~".to_owned()));
        }
        replacements.retain(|(from, _)| from.len() > 1);
        replacements.sort_by(|a, b| (b.0.len(), &a.0).cmp(&(a.0.len(), &b.0)));
        replacements.dedup_by(|a, b| a.0 == b.0);
        Self { roots, replacements: replacements.into_iter().filter_map(Replacement::new).collect() }
    }

    /// Returns path, location ref and origin ref of a file as they are published.
    pub(super) fn file(&self, file: &FileView<'_>) -> (String, String, String) {
        let root = self.roots.get(usize::from(file.source)).and_then(Option::as_ref);
        let location = self.location(root, file.location_ref);
        let path = match location.strip_prefix(SCHEME) {
            Some(inside) if location != file.location_ref => inside.to_owned(),
            _ => self.text(file.path),
        };
        (path, location, self.location(root, file.origin_ref))
    }

    fn location(&self, root: Option<&Root>, location: &str) -> String {
        match root.and_then(|root| Some(format!("{SCHEME}{}/{}", root.name, root.inside(location)?))) {
            Some(inside) => inside,
            None => self.text(location),
        }
    }

    /// Returns a text of the program without paths of this machine and without credentials.
    pub(super) fn text(&self, text: &str) -> String {
        let mut out = without_secrets(text);
        for Replacement { from, pattern, to } in &self.replacements {
            if out.contains(from.as_str()) {
                out = pattern
                    .replace_all(&out, |found: &regex::Captures<'_>| {
                        format!("{to}{}", found.get(1).map_or("", |end| end.as_str()))
                    })
                    .into_owned();
            }
        }
        out
    }
}

impl Replacement {
    fn new((from, to): (String, String)) -> Option<Self> {
        let from = from.trim_end_matches('/').to_owned();
        let pattern = Regex::new(&format!(r#"{}([/\\:`'"\s,;)]|$)"#, regex::escape(&from))).ok()?;
        Some(Self { from, pattern, to })
    }
}

impl Root {
    fn of(source: &SourceState) -> Option<Self> {
        if !source.is_local() {
            return None;
        }
        let typed = source.root.clone().unwrap_or_else(|| PathBuf::from(&source.place));
        let folder = std::fs::canonicalize(&typed).unwrap_or(typed);
        let repository = folder.ancestors().find(|ancestor| ancestor.join(".git").exists());
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let top = repository.filter(|top| home.as_deref() != Some(*top)).unwrap_or(&folder).to_owned();
        Some(Self { name: without_secrets(&source.name).replace(['/', '\\'], "-"), folder: top })
    }

    /// Returns the path below the root of a location on this machine.
    fn inside(&self, location: &str) -> Option<String> {
        if let Some(path) = location.strip_prefix("file:") {
            let path = Path::new(path);
            return match path.strip_prefix(&self.folder) {
                Ok(below) => Some(shown(below)),
                // a name says little of a machine, the folders above it much
                Err(_) => Some(path.file_name()?.to_string_lossy().into_owned()),
            };
        }
        // `git:FOLDER@COMMIT:PATH`
        let rest = location.strip_prefix("git:")?;
        let is_hash = |text: &str| text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        rest.match_indices('@').find_map(|(at, _)| {
            let (commit, path) = rest.get(at + 1..)?.split_once(':')?;
            is_hash(commit).then(|| path.to_owned())
        })
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::snapshot::RelationsFrom;

    #[test]
    fn credentials_go_and_the_rest_stays() {
        for (text, clean) in [
            ("https://ana:pw@x.example/a?at=main", "https://x.example/a?at=main"),
            ("https://token@x.example/a", "https://x.example/a"),
            (
                "url:https://x.example/a?private_token=abc&at=main",
                "url:https://x.example/a?private_token=***&at=main",
            ),
            ("https://x.example/a?X-Amz-Signature=abc", "https://x.example/a?X-Amz-Signature=***"),
            ("mail ana@x.example", "mail ana@x.example"),
        ] {
            assert_eq!(without_secrets(text), clean);
        }
        assert_eq!(without_passwords("postgres://u:p@db/x, ssh://git@x/y"), "postgres://db/x, ssh://git@x/y");
    }

    #[test]
    fn paths_of_the_machine_become_those_of_the_source() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("work/shop");
        std::fs::create_dir_all(repository.join(".git")).unwrap();
        std::fs::create_dir_all(repository.join("services")).unwrap();
        let full = std::fs::canonicalize(&repository).unwrap();
        let state = SourceState {
            name: "services".into(),
            kind: "dir",
            root: Some(repository.join("services")),
            ..SourceState::default()
        };
        let catalog = Catalog { sources: vec![state], ..Catalog::default() };
        let places = Places::of(&catalog);
        let location = format!("file:{}/services/a/catalog-info.yaml", full.display());
        let path = repository.join("services/a/catalog-info.yaml").display().to_string();
        let file = FileView {
            source: 0,
            path: &path,
            location_ref: &location,
            origin_ref: "file:/elsewhere/all.yaml",
            relations: RelationsFrom::Spec,
        };
        assert_eq!(
            places.file(&file),
            (
                "services/services/a/catalog-info.yaml".to_owned(),
                "snapshot:services/services/a/catalog-info.yaml".to_owned(),
                "snapshot:services/all.yaml".to_owned(),
            )
        );
        let text =
            places.text(&format!("could not read `{path}`: {}/x, {}er/y", full.display(), full.display()));
        let parent = full.parent().unwrap().display();
        assert_eq!(
            text,
            format!("could not read `services/services/a/catalog-info.yaml`: services/x, {parent}/shoper/y")
        );
    }

    #[test]
    fn a_revision_is_named_by_its_source_too() {
        let root = Root { name: "shop".into(), folder: "/srv/shop".into() };
        let hash = "0123456789012345678901234567890123456789";
        let location = format!("git:/home/ana@work/shop@{hash}:a/b.yaml");
        assert_eq!(root.inside(&location).as_deref(), Some("a/b.yaml"));
        assert_eq!(root.inside("url:https://x.example/a"), None);
    }
}
