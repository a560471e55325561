//! Addresses of git repositories: which are let through to `git`, and where their files are shown.
//!
//! Start at [`GitAddress::parse`]. What `git` would take for an option, and transports that run other
//! programs (`ext::`), are refused here; `git` is told the same once more by its environment.

use crate::config::secret::Secret;
use std::path::Path;
use url::Url;

/// Transports that `git` may use.
pub(super) const PROTOCOLS: &[&str] = &["https", "http", "ssh", "git", "file"];

/// Where a repository is.
#[derive(Debug, Clone)]
pub(super) struct GitAddress {
    /// What `git` gets: no user, no password for http.
    pub url: String,
    /// What people see.
    pub shown: String,
    /// Host, or the path of a repository on this machine.
    pub host: String,
    /// Name and password that stood in an http address.
    pub login: Option<(String, Secret)>,
    /// Scheme, host and port of an http address: where credentials may go.
    pub origin: Option<String>,
    /// Page of the repository on a known forge.
    page: Option<Page>,
}

/// The pages of a repository on a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Page {
    base: String,
    forge: Forge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forge {
    GitHub,
    GitLab,
    Gitea,
    Bitbucket,
}

/// What a name on a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RevisionKind {
    Branch,
    Tag,
    Commit,
}

impl GitAddress {
    /// Reads an address: `https://…`, `http://…`, `ssh://…`, `git://…`, `file://…`, `user@host:path`, or
    /// a path of this machine.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("it holds control codes".to_owned());
        }
        if text.starts_with('-') {
            return Err("it begins with `-`, which would be an option of git".to_owned());
        }
        if let Some((helper, _)) = text.split_once("::")
            && !helper.contains(['/', '@', '['])
        {
            return Err(format!("the transport `{helper}::` is not used: it may run any program"));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            return Self::of_scheme(text, &scheme.to_ascii_lowercase(), rest);
        }
        let Some((login, path)) = scp_like(text) else {
            let full = std::path::absolute(Path::new(text)).map_err(|error| error.to_string())?;
            return Ok(Self {
                host: text.to_owned(),
                shown: text.to_owned(),
                ..Self::plain(&full.to_string_lossy())
            });
        };
        let host = login.rsplit_once('@').map_or(login, |(_, host)| host);
        check_host(login)?;
        check_host(host)?;
        if path.starts_with('-') {
            return Err("its path begins with `-`".to_owned());
        }
        Ok(Self { page: Page::of(host, path), host: host.to_owned(), ..Self::plain(text) })
    }

    fn plain(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            shown: url.to_owned(),
            host: String::new(),
            login: None,
            origin: None,
            page: None,
        }
    }

    fn of_scheme(text: &str, scheme: &str, rest: &str) -> Result<Self, String> {
        if !PROTOCOLS.contains(&scheme) {
            return Err(format!("`{scheme}:` is none of {}", PROTOCOLS.join(", ")));
        }
        if scheme == "file" {
            return Ok(Self { host: rest.to_owned(), ..Self::plain(text) });
        }
        let mut url = Url::parse(text).map_err(|error| error.to_string())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it names no host")?.to_owned();
        check_host(&host)?;
        check_host(url.username())?;
        let shown_host = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let page = Page::of(&shown_host_of_page(&url, scheme, &host), url.path());
        let mut out = Self { host: shown_host, page, ..Self::plain(text) };
        if scheme == "http" || scheme == "https" {
            if let Some(password) = url.password() {
                out.login = Some((decode(url.username()), Secret::new(decode(password))));
            }
            if out.login.is_some() {
                let _ = url.set_username("");
            }
            let _ = url.set_password(None);
            url.set_fragment(None);
            out.url = url.to_string();
            out.origin = Some(url.origin().ascii_serialization());
            let _ = url.set_username("");
            out.shown = url.to_string();
        } else if url.password().is_some() {
            // ssh takes no password from an address
            let _ = url.set_password(None);
            out.url = url.to_string();
            out.shown.clone_from(&out.url);
        }
        Ok(out)
    }

    /// Returns what stands before the path of a file in its location ref, when its forge is known.
    pub(super) fn page_of(&self, kind: RevisionKind, revision: &str) -> Option<String> {
        let Page { base, forge } = self.page.as_ref()?;
        let revision = encode_path(revision);
        Some(match (forge, kind) {
            (Forge::GitHub, _) => format!("{base}/blob/{revision}/"),
            (Forge::GitLab, _) => format!("{base}/-/blob/{revision}/"),
            (Forge::Bitbucket, _) => format!("{base}/src/{revision}/"),
            (Forge::Gitea, RevisionKind::Branch) => format!("{base}/src/branch/{revision}/"),
            (Forge::Gitea, RevisionKind::Tag) => format!("{base}/src/tag/{revision}/"),
            (Forge::Gitea, RevisionKind::Commit) => format!("{base}/src/commit/{revision}/"),
        })
    }
}

/// The host that shows pages: that of http with its port, that of ssh without.
fn shown_host_of_page(url: &Url, scheme: &str, host: &str) -> String {
    match url.port() {
        Some(port) if scheme.starts_with("http") => format!("{host}:{port}"),
        _ => host.to_owned(),
    }
}

impl Page {
    fn of(host: &str, path: &str) -> Option<Self> {
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        if path.split('/').filter(|part| !part.is_empty()).count() < 2 {
            return None;
        }
        let lower = host.to_ascii_lowercase();
        let name = lower.split(':').next().unwrap_or(&lower);
        // forges over ssh may have a host of their own
        let (name, host) = match name {
            "ssh.github.com" => ("github.com", "github.com".to_owned()),
            "altssh.gitlab.com" => ("gitlab.com", "gitlab.com".to_owned()),
            "altssh.bitbucket.org" => ("bitbucket.org", "bitbucket.org".to_owned()),
            name => (name, lower.clone()),
        };
        let forge = match name {
            "bitbucket.org" => Forge::Bitbucket,
            "codeberg.org" => Forge::Gitea,
            _ => match name.split('.').next()? {
                "github" => Forge::GitHub,
                "gitlab" => Forge::GitLab,
                "gitea" | "forgejo" => Forge::Gitea,
                _ => return None,
            },
        };
        Some(Self { base: format!("https://{host}/{}", encode_path(path)), forge })
    }
}

/// Splits `user@host:path`; `None` for what is a path of this machine.
fn scp_like(text: &str) -> Option<(&str, &str)> {
    let (login, path) = text.split_once(':')?;
    // `C:\src` is a drive, `./a:b` a path
    let is_drive = login.len() == 1 && login.chars().all(|c| c.is_ascii_alphabetic());
    (!is_drive && !login.is_empty() && !login.contains('/') && !path.is_empty()).then_some((login, path))
}

fn check_host(host: &str) -> Result<(), String> {
    if host.starts_with('-') {
        return Err("its host begins with `-`, which would be an option of ssh".to_owned());
    }
    Ok(())
}

fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |b: u8| char::from(b).to_digit(16);
        let mut ahead = bytes.clone();
        match (byte, ahead.next().and_then(hex), ahead.next().and_then(hex)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                bytes = ahead;
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Makes a path fit for an address: everything but what needs no escape.
pub(in crate::catalog::sources) fn encode_path(path: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@+:$&=,!'()*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Checks that a text can be a branch, a tag or a commit, as `git check-ref-format` does.
pub(super) fn check_revision(text: &str) -> Result<(), String> {
    let bad = |why: &str| Err(format!("`{}` {why}", text.escape_debug()));
    if text.is_empty() || text.starts_with('-') {
        return bad("is no branch, tag or commit");
    }
    if text.contains(['~', '^', ':', '?', '*', '[', '\\', ' ']) || text.contains("@{") {
        return bad("is no branch, tag or full commit hash; only these can be asked of another machine");
    }
    #[expect(clippy::case_sensitive_file_extension_comparisons, reason = "as git does")]
    let part_is_bad = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    if text.chars().any(char::is_control)
        || text.contains("..")
        || text.ends_with('.')
        || text.split('/').any(part_is_bad)
    {
        return bad("is not allowed as the name of a branch or tag");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_only_harmless_addresses_through() {
        let good = [
            ("https://github.com/o/r.git", "github.com", "https://github.com/o/r.git"),
            ("git@github.com:o/r.git", "github.com", "git@github.com:o/r.git"),
            ("ssh://git@git.acme.io:2222/o/r", "git.acme.io:2222", "ssh://git@git.acme.io:2222/o/r"),
            ("https://ana:p%40w@git.acme.io/o/r", "git.acme.io", "https://git.acme.io/o/r"),
            ("file:///srv/r.git", "/srv/r.git", "file:///srv/r.git"),
            ("/srv/a:b.git", "/srv/a:b.git", "/srv/a:b.git"),
        ];
        for (text, host, url) in good {
            let address = GitAddress::parse(text).unwrap();
            assert_eq!((address.host.as_str(), address.url.as_str()), (host, url), "{text}");
            assert!(!format!("{address:?}").contains("p@w"), "{text}");
        }
        let bad = [
            "",
            "-uhttps://x.io/o/r",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c touch% /tmp/x",
            "fd::17/foo",
            "codecommit::eu-west-1://r",
            "ssh://-oProxyCommand=touch%20x/o/r",
            "-oProxyCommand=x:o/r",
            "git@-oProxyCommand=x:o/r",
            "host:-path",
            "ftp://x.io/o/r",
            "https://",
            "https://x.io/o\nr",
        ];
        for text in bad {
            assert!(GitAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_password_goes_apart() {
        let address = GitAddress::parse("https://ana:p%40w@git.acme.io/o/r").unwrap();
        let (user, password) = address.login.unwrap();
        assert_eq!((user.as_str(), password.expose()), ("ana", "p@w"));
        assert_eq!(address.origin.as_deref(), Some("https://git.acme.io"));
    }

    #[test]
    fn known_forges_have_pages() {
        let page = |text: &str| GitAddress::parse(text).unwrap().page_of(RevisionKind::Branch, "a/b c");
        let cases = [
            ("git@github.com:o/r.git", Some("https://github.com/o/r/blob/a/b%20c/")),
            ("https://gitlab.com/g/s/r.git", Some("https://gitlab.com/g/s/r/-/blob/a/b%20c/")),
            ("ssh://git@gitlab.acme.io:2222/g/r", Some("https://gitlab.acme.io/g/r/-/blob/a/b%20c/")),
            ("https://codeberg.org/o/r", Some("https://codeberg.org/o/r/src/branch/a/b%20c/")),
            ("https://bitbucket.org/w/r", Some("https://bitbucket.org/w/r/src/a/b%20c/")),
            ("https://git.acme.io/o/r", None),
            ("/srv/github.com/o/r", None),
        ];
        for (text, expected) in cases {
            assert_eq!(page(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn revisions_are_names() {
        for good in
            ["main", "feature/x", "v1.2", "refs/heads/main", "0123456789abcdef0123456789abcdef01234567"]
        {
            assert!(check_revision(good).is_ok(), "{good}");
        }
        for bad in
            ["", "-x", "--upload-pack=x", "HEAD~1", "a b", "a..b", "x.lock", "a:b", "@{-1}", "a//b", "+x:y"]
        {
            assert!(check_revision(bad).is_err(), "{bad}");
        }
    }
}
