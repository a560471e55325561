//! What a person says about one catalog source: the table `[[catalog.source]]`, or `--catalog PLACE`.
//!
//! Start at [`SourceConfig`]. Only data: which types exist is known by `catalog::sources`, so that a
//! new type of source needs no change here. [`SourceConfig::guess`] turns a word of the command line
//! into a source; it looks at the disk, never at the network.

use super::secret::SecretSource;
use super::setting::parse_duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Largest descriptor that is read unless configured otherwise, in bytes.
pub const MAX_FILE_BYTES: u64 = 8 * 1024 * 1024;

/// One catalog source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Type of source, a key of the table of sources: `dir`, `git`, `backstage`, `github`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Unique name, shown everywhere.
    pub name: String,
    /// Folder, file or repository on this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Address of a remote source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// More addresses of a plain `http` source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Revision of a git repository: branch, tag, hash, `HEAD~3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Globs of descriptor files. Empty: files are found by name and content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Globs of files and folders to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Of two sources that describe one entity the higher number wins; equal numbers: one on this machine
    /// before one elsewhere, then the first listed.
    #[serde(default)]
    pub priority: i32,
    /// Kinds this source may bring; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<AllowRule>,
    /// Largest file that is read, in bytes.
    #[serde(default = "max_file_bytes")]
    pub max_file_bytes: u64,
    /// Time for one network request, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// Where the token for the server comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretSource>,
    /// Name for servers that want one beside the token (then called password).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Sign in as guest where the server allows it (`backstage`).
    #[serde(default, skip_serializing_if = "is_false")]
    pub guest: bool,
    /// Time between two refreshes; absent: what suits the type.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "read_time",
        serialize_with = "write_time"
    )]
    pub every: Option<Duration>,
    /// Organisation, group with its path, or workspace whose repositories are looked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Project of an organisation (`azure`, `bitbucket`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Where descriptors lie in each repository; globs are fine. Absent: `/catalog-info.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_path: Option<String>,
    /// Branch that is read; absent: the default one of each repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Which repositories are read.
    #[serde(default, skip_serializing_if = "RepositoryFilter::is_default")]
    pub repositories: RepositoryFilter,
    /// Bring teams and members as Group and User entities, too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub org: bool,
    /// Take the owner from CODEOWNERS where a descriptor names none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub codeowners: bool,
    /// Filters of the server's own language, any of which must hold (`backstage`): `kind=component,spec.type=service`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<String>,
    /// Public key that signs a shared snapshot, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// File with further certificates to trust, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// Which repositories of a forge are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RepositoryFilter {
    /// Regular expression that the whole name must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only repositories with one of these topics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// No repository with one of these topics.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude_topics: Vec<String>,
    /// Repositories to leave out, by name or path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Read forks.
    pub forks: bool,
    /// Read archived repositories.
    pub archived: bool,
    /// Only repositories of these visibilities: `public`, `internal`, `private`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub visibility: Vec<String>,
}

impl Default for RepositoryFilter {
    fn default() -> Self {
        Self {
            name: None,
            topics: Vec::new(),
            exclude_topics: Vec::new(),
            exclude: Vec::new(),
            forks: true,
            archived: false,
            visibility: Vec::new(),
        }
    }
}

impl RepositoryFilter {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

fn read_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text)
        .map(Some)
        .map_err(|bad| serde::de::Error::custom(format!("{}; {}", bad.label, bad.hint)))
}

#[expect(clippy::ref_option, reason = "the shape serde asks for")]
fn write_time<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&super::setting::Value::Duration(time.unwrap_or_default()).to_text())
}

/// A kind that a source may bring: `"API"` or `{ kind = "API", type = "openapi" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AllowRule {
    /// Every entity of the kind.
    Kind(String),
    /// Entities of the kind with this `spec.type`.
    Typed {
        /// Compared without case.
        kind: String,
        /// Compared without case.
        #[serde(rename = "type")]
        entity_type: String,
    },
}

fn max_file_bytes() -> u64 {
    MAX_FILE_BYTES
}

impl SourceConfig {
    /// Creates a source with the defaults of everything but its type and name.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
            path: None,
            url: None,
            urls: Vec::new(),
            at: None,
            include: Vec::new(),
            exclude: Vec::new(),
            priority: 0,
            allow: Vec::new(),
            max_file_bytes: MAX_FILE_BYTES,
            timeout_seconds: None,
            token: None,
            username: None,
            guest: false,
            every: None,
            organization: None,
            project: None,
            catalog_path: None,
            branch: None,
            repositories: RepositoryFilter::default(),
            org: false,
            codeowners: false,
            filter: Vec::new(),
            public_key: None,
            ca_file: None,
        }
    }

    /// Returns whether it lies on this machine, as opposed to behind an address.
    pub fn is_local(&self) -> bool {
        self.url.is_none() && self.urls.is_empty() && self.path.is_some() && self.kind != "http"
    }

    /// Creates a source for a folder.
    pub fn dir(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let mut source = Self::new("dir", short_name(&path));
        source.path = Some(path);
        source
    }

    /// Creates the source of the catalog that is built into the program.
    pub fn sample() -> Self {
        Self::new("sample", "sample")
    }

    /// Turns the short form of a shared snapshot, a table with `snapshot = "URL"` and no `type`, into the
    /// long one; gives anything else back as it is.
    pub fn spell_out(item: &toml::Value) -> toml::Value {
        let mut item = item.clone();
        if let Some(table) = item.as_table_mut()
            && !table.contains_key("type")
            && !table.contains_key("url")
            && let Some(url) = table.remove("snapshot")
        {
            table.insert("type".to_owned(), "snapshot".into());
            table.insert("url".to_owned(), url);
            table.entry("name").or_insert_with(|| "snapshot".into());
        }
        item
    }

    /// Turns `--catalog PLACE` and `--at REV` into a source.
    ///
    /// An address of an object store, or a folder that was published to, is `snapshot`.
    /// The address of a git repository (`….git`, `ssh://…`, `git@host:…`, the page of one on a forge) is
    /// `git`, any other http(s) address `http`; a path with a revision, or of a bare repository, is `git`; a
    /// file is `file`; anything else (also what does not exist, so that the source reports it) is `dir`.
    pub fn guess(place: &str, at: Option<&str>) -> Self {
        let lower = place.get(..8).unwrap_or(place).to_ascii_lowercase();
        if ["s3://", "gs://", "az://"].iter().any(|scheme| lower.starts_with(scheme)) || is_published(place) {
            let mut source = Self::new("snapshot", without_credentials(place));
            source.url = Some(place.to_owned());
            return source;
        }
        if is_repository_address(place, at.is_some()) {
            let mut source = Self::new("git", without_credentials(place));
            source.url = Some(place.to_owned());
            source.at = at.map(str::to_owned);
            return source;
        }
        if lower.starts_with("http://") || lower.starts_with("https://") {
            let mut source = Self::new("http", without_credentials(place));
            source.url = Some(place.to_owned());
            source.at = at.map(str::to_owned);
            return source;
        }
        let path = PathBuf::from(place);
        let kind = match (at, path.is_file()) {
            (Some(_), _) => "git",
            (None, true) => "file",
            (None, false) if is_bare_repository(&path) => "git",
            (None, false) => "dir",
        };
        let mut source = Self::new(kind, short_name(&path));
        source.path = Some(path);
        source.at = at.map(str::to_owned);
        source
    }

    /// Gives each source of a list its own name by appending a number where two are equal.
    pub fn make_names_unique(sources: &mut [Self]) {
        let mut seen = std::collections::HashSet::new();
        for source in sources {
            let base = source.name.clone();
            let mut number = 2;
            while !seen.insert(source.name.clone()) {
                source.name = format!("{base}-{number}");
                number += 1;
            }
        }
    }
}

/// Names of query parameters whose values are nobody's business.
const SECRET_NAMES: [&str; 7] = ["token", "secret", "password", "passwd", "apikey", "api_key", "signature"];

/// Returns an address without its user and password, and without the values of parameters that look like
/// secrets: they are nobody's business.
pub fn without_credentials(address: &str) -> String {
    let Ok(mut url) = url::Url::parse(address) else { return address.to_owned() };
    let is_secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        SECRET_NAMES.iter().any(|secret| name.contains(secret)) || name == "key" || name == "sig"
    };
    let has_secret = url.query_pairs().any(|(name, _)| is_secret(&name));
    let has_user = !url.username().is_empty() || url.password().is_some();
    if !has_secret && !has_user {
        return address.to_owned();
    }
    // neither can fail where one was there
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if has_secret {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let value = if is_secret(&name) { "***".to_owned() } else { value.into_owned() };
                (name.into_owned(), value)
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url.into()
}

/// Returns whether a place is the address of a git repository on another machine.
fn is_repository_address(place: &str, has_revision: bool) -> bool {
    let Some((scheme, rest)) = place.split_once("://") else {
        // `git@host:path`, unless there is such a path here
        let login = place.split_once(':').map_or("", |(login, _)| login);
        let is_login = login.contains('@') && !login.contains(['/', '\\']);
        return (is_login || is_transport_helper(place)) && !Path::new(place).exists();
    };
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let path = rest.get(..end).unwrap_or(rest).trim_end_matches('/');
    match scheme.to_ascii_lowercase().as_str() {
        "ssh" | "git" | "file" => true,
        "http" | "https" => {
            has_revision || path.to_ascii_lowercase().ends_with(".git") || is_forge_page(path)
        }
        _ => false,
    }
}

/// `ext::…`: the source says why it is not used.
fn is_transport_helper(place: &str) -> bool {
    place.split_once("::").is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

/// Returns whether `host/owner/name` is the page of a repository on a public forge.
fn is_forge_page(place: &str) -> bool {
    let mut parts = place.split('/');
    let host = parts.next().unwrap_or_default().rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    matches!(host.as_str(), "github.com" | "gitlab.com" | "codeberg.org" | "bitbucket.org")
        && parts.filter(|part| !part.is_empty()).count() == 2
}

/// Returns the last part of a path that says something: `shop` for `/src/shop`, `.` and `../`.
fn short_name(path: &Path) -> String {
    let named = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    named(path)
        .or_else(|| std::fs::canonicalize(path).ok().and_then(|full| named(&full)))
        .unwrap_or_else(|| path.display().to_string())
}

/// Returns whether a snapshot was published to a folder.
fn is_published(place: &str) -> bool {
    let path = match url::Url::parse(place) {
        Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
        _ => Some(PathBuf::from(place)),
    };
    path.is_some_and(|path| path.join("manifest.json").is_file() && path.join("data").is_dir())
}

/// Returns whether a folder is a git repository without a work tree.
fn is_bare_repository(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_the_type_from_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("catalog-info.yaml");
        std::fs::write(&file, "").unwrap();
        let bare = folder.path().join("repo.git");
        for part in ["objects", "refs"] {
            std::fs::create_dir_all(bare.join(part)).unwrap();
        }
        std::fs::write(bare.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        let published = folder.path().join("published");
        std::fs::create_dir_all(published.join("data")).unwrap();
        std::fs::write(published.join("manifest.json"), "{}").unwrap();
        let text = |path: &Path| path.display().to_string();
        let cases = [
            ("https://example.com/catalog-info.yaml".to_owned(), None, "http"),
            ("HTTP://example.com/x.yaml".to_owned(), None, "http"),
            ("s3://bucket/catalog".to_owned(), None, "snapshot"),
            (format!("file://{}", published.display()), None, "snapshot"),
            (text(&published), None, "snapshot"),
            (text(folder.path()), None, "dir"),
            (text(folder.path()), Some("v1"), "git"),
            (text(&file), None, "file"),
            (text(&bare), None, "git"),
            (text(&folder.path().join("absent")), None, "dir"),
            ("https://git.acme.io/o/r.git".to_owned(), None, "git"),
            ("https://git.acme.io/o/r".to_owned(), Some("main"), "git"),
            ("https://github.com/o/r".to_owned(), None, "git"),
            ("https://github.com/o/r/blob/main/catalog-info.yaml".to_owned(), None, "http"),
            ("git@git.acme.io:o/r.git".to_owned(), None, "git"),
            ("ssh://git@git.acme.io/o/r".to_owned(), Some("v1"), "git"),
            ("file:///srv/r".to_owned(), None, "git"),
            ("ext::sh -c x".to_owned(), None, "git"),
        ];
        for (place, at, kind) in cases {
            assert_eq!(SourceConfig::guess(&place, at).kind, kind, "{place}");
        }
    }

    #[test]
    fn reads_a_table_and_refuses_unknown_keys() {
        let text = "type = \"dir\"\nname = \"shop\"\npath = \"/srv\"\nallow = [\"API\", { kind = \"Group\", type = \"team\" }]\n";
        let source: SourceConfig = toml::from_str(text).unwrap();
        assert_eq!(source.allow.len(), 2);
        assert_eq!(source.max_file_bytes, MAX_FILE_BYTES);
        assert!(toml::from_str::<SourceConfig>("type = \"dir\"\nname = \"x\"\npaths = 1\n").is_err());
    }

    #[test]
    fn a_snapshot_may_be_written_short() {
        let read = |text: &str| {
            let item: toml::Value = toml::from_str(text).unwrap();
            SourceConfig::deserialize(SourceConfig::spell_out(&item))
        };
        let source = read("snapshot = \"s3://bucket/catalog\"\npublic_key = \"x\"\n").unwrap();
        assert_eq!((source.kind.as_str(), source.name.as_str()), ("snapshot", "snapshot"));
        assert_eq!(source.url.as_deref(), Some("s3://bucket/catalog"));
        assert_eq!(read("snapshot = \"/srv/x\"\nname = \"team\"\n").unwrap().name, "team");
        assert!(read("type = \"dir\"\nname = \"x\"\nsnapshot = \"/srv/x\"\n").is_err());
    }

    #[test]
    fn a_name_holds_no_credentials() {
        let source = SourceConfig::guess("https://ana:pw@example.com/c.yaml", None);
        assert_eq!(source.name, "https://example.com/c.yaml");
        assert_eq!(source.url.as_deref(), Some("https://ana:pw@example.com/c.yaml"));
        let shown = without_credentials("https://example.com/c.yaml?ref=main&private_token=abc");
        assert_eq!(shown, "https://example.com/c.yaml?ref=main&private_token=***");
    }

    #[test]
    fn names_become_unique() {
        let mut sources =
            vec![SourceConfig::dir("/a/x"), SourceConfig::dir("/b/x"), SourceConfig::dir("/c/x")];
        SourceConfig::make_names_unique(&mut sources);
        let names: Vec<_> = sources.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["x", "x-2", "x-3"]);
    }
}
