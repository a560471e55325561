//! Addresses that forges are asked at: the base of a source, escaped parts, next pages that stay on their host.

use super::Content;
use crate::catalog::sources::SourceError;
use crate::config::source::SourceConfig;
use crate::net::{Answer, NetError};
use std::fmt::Write as _;
use url::Url;

/// Returns a text as one part of a path: `a/b` becomes `a%2Fb`.
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    // a part of dots alone would name another folder
    if text == "." || text == ".." { out.replace('.', "%2E") } else { out }
}

/// Returns a text as a path whose `/` stay.
pub fn path(text: &str) -> String {
    text.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// Reads `url` of a source, with a slash at its end and without name and password.
///
/// # Errors
/// [`SourceError::BadSetting`].
pub fn base(config: &SourceConfig, default: &str) -> Result<Url, SourceError> {
    let bad = |cause: String| SourceError::BadSetting { setting: "url", cause };
    let text = config.url.as_deref().unwrap_or(default).trim();
    let mut url = Url::parse(text).map_err(|error| bad(format!("{error}; write it as `{default}`")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(format!("`{}:` is neither `http:` nor `https:`", url.scheme())));
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{path}/"));
    Ok(url)
}

/// Returns host, port and path of a base, for people: `git.example.com/forge`.
pub fn shown(base: &Url) -> String {
    let port = base.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}{}", base.host_str().unwrap_or_default(), base.path().trim_end_matches('/'))
}

/// Whether a text is a path of a file that stays in its repository.
pub fn is_path(path: &str) -> bool {
    !path.is_empty() && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

/// Whether a name from a server can be one of a repository: bounded, on one line, below its host.
pub fn is_name(name: &str) -> bool {
    name.len() <= 1024 && !name.chars().any(char::is_control) && is_path(name)
}

/// Returns the address of the next page, which must be on the same host: it gets the credential.
///
/// # Errors
/// [`NetError::Broken`] when it is not.
pub fn next_page(base: &Url, next: &str) -> Result<Url, NetError> {
    let broken = |cause: &str| NetError::Broken { host: shown(base), cause: cause.to_owned() };
    let url = base.join(next).map_err(|_| broken("the address of its next page is none"))?;
    if url.origin() == base.origin() {
        Ok(url)
    } else {
        Err(broken("its next page is said to be on another host, which is not asked"))
    }
}

/// Says that the list of a repository's files has too many pages.
pub fn endless(base: &Url, repository: &str) -> NetError {
    let cause = format!("the list of the files of `{repository}` does not come to an end");
    NetError::Broken { host: shown(base), cause }
}

/// Takes an answer as the content of a file; `blob` is the id of the content, where the forge tells.
///
/// # Errors
/// [`NetError::TooLarge`] beyond `limit` bytes.
pub fn content(base: &Url, answer: Answer, blob: Option<String>, limit: u64) -> Result<Content, NetError> {
    if answer.body.len() as u64 > limit {
        return Err(NetError::TooLarge { host: shown(base), limit });
    }
    // what is no hash could be the id of something else
    let blob = blob.filter(|id| is_hash(id));
    Ok(Content { blob, bytes: answer.body })
}

/// Whether a text is a hash as git has it.
pub fn is_hash(text: &str) -> bool {
    (32..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns an id for a content that a listing gives none for: it is read each time the list is.
pub fn unread(repository: &str, path: &str) -> String {
    format!("unread-{}", blake3::hash(format!("{repository}\0{path}").as_bytes()).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_a_part_may_not_hold() {
        let cases =
            [("a/b", "a%2Fb"), ("ä x", "%C3%A4%20x"), ("a+b", "a%2Bb"), ("..", "%2E%2E"), ("a.b", "a.b")];
        for (plain, escaped) in cases {
            assert_eq!(segment(plain), escaped);
        }
        assert_eq!(path("a b/c"), "a%20b/c");
    }

    #[test]
    fn a_base_is_a_folder_without_credentials() {
        let mut config = SourceConfig::new("gitea", "x");
        config.url = Some("https://me:pw@git.example.com:8443/forge?x=1".into());
        let url = base(&config, "https://example.com").unwrap();
        assert_eq!(url.as_str(), "https://git.example.com:8443/forge/");
        assert_eq!(shown(&url), "git.example.com:8443/forge");
        for bad in ["ftp://x.io", "git.example.com"] {
            config.url = Some(bad.into());
            assert!(base(&config, "https://example.com").is_err(), "{bad}");
        }
    }

    #[test]
    fn a_next_page_stays_on_its_host() {
        let base = Url::parse("https://git.example.com/api/").unwrap();
        assert!(next_page(&base, "https://git.example.com/api/x?page=2").is_ok());
        for other in
            ["https://evil.example/x", "http://git.example.com/x", "https://git.example.com:444/", "//e.x/"]
        {
            assert!(next_page(&base, other).is_err(), "{other}");
        }
    }
}
