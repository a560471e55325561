//! Descriptors at http(s) addresses, with everything their Locations lead to.
//!
//! One address (`url`), several (`urls`), or a list of them: a text with one address a line, or a YAML
//! sequence, behind an address or in a file of this machine (`path`). What is wrong with one of several
//! addresses is told about that one, and the others count.

use super::{CatalogProvider, Delta, EVERY, RefreshContext, SourceError, SourceSpec};
use crate::catalog::ingest::{Ingest, Root, raw_address};
use crate::catalog::tree::EmptyTree;
use crate::config::source::{SourceConfig, without_credentials};
use crate::diagnostic::{Diagnostic, SourceLocation};
use crate::net::{Auth, Batch, NetError, Remote as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The type `http`.
pub const SPEC: SourceSpec = SourceSpec {
    kind: "http",
    help: "descriptors at http(s) addresses, or lists of them, and what their Locations name",
    settings: &["url", "urls", "at", "token", "username", "ca_file"],
    open,
};

/// Most addresses of one source, with all that their Locations name.
const MAX_ADDRESSES: usize = 10_000;
/// Longest time for all of them; each request has its own, shorter one.
const BUDGET: Duration = Duration::from_secs(60 * 60);

fn open(config: &SourceConfig) -> Result<Box<dyn CatalogProvider>, SourceError> {
    let named: Vec<(&'static str, &String)> = config
        .url
        .iter()
        .map(|url| ("url", url))
        .chain(config.urls.iter().map(|url| ("urls", url)))
        .collect();
    if named.is_empty() && config.path.is_none() {
        return Err(SourceError::MissingSetting { kind: "http", setting: "url" });
    }
    let (mut addresses, mut bad) = (Vec::new(), Vec::new());
    for (setting, text) in named {
        match address(text) {
            Ok(url) => addresses.push(url),
            Err(cause) => bad.push((setting, cause)),
        }
    }
    if addresses.is_empty()
        && config.path.is_none()
        && let Some((setting, cause)) = bad.pop()
    {
        return Err(SourceError::BadSetting { setting, cause });
    }
    let source = HttpSource {
        addresses,
        bad: bad.into_iter().map(|(_, cause)| cause).collect(),
        list: config.path.clone(),
        every: config.every.unwrap_or(EVERY),
    };
    Ok(Box::new(source))
}

/// Reads an address of the settings.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|error| format!("`{}`: {error}", without_credentials(text)))?;
    let shown = without_credentials(url.as_str());
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{shown}`: `{}:` is neither `http:` nor `https:`", url.scheme()));
    }
    if url.path().contains('*') {
        return Err(format!(
            "`{shown}` has a `*`, and http cannot list files: name each one, or read the repository with \
             `type = \"git\"` and `include`"
        ));
    }
    Ok(url)
}

struct HttpSource {
    addresses: Vec<Url>,
    /// What is wrong with those that are none.
    bad: Vec<String>,
    /// File of this machine that lists more.
    list: Option<PathBuf>,
    every: Duration,
}

impl CatalogProvider for HttpSource {
    fn place(&self) -> String {
        let first = self.addresses.first().map(|url| without_credentials(url.as_str()));
        match (first, &self.list, self.addresses.len() + self.bad.len()) {
            (_, Some(path), _) => path.display().to_string(),
            (Some(first), None, 1) => first,
            (Some(first), None, count) => format!("{first} and {} more", count - 1),
            (None, None, _) => String::new(),
        }
    }

    fn every(&self) -> Option<Duration> {
        Some(self.every)
    }

    fn refresh(&self, cx: &RefreshContext<'_>) -> Result<Delta, SourceError> {
        let mut diagnostics = self.told(cx);
        let mut addresses = self.addresses.clone();
        if let Some(path) = &self.list {
            addresses.extend(local_list(path)?);
        }
        let count = |done, total| cx.report(done, Some(total), "addresses");
        let mut batch = Batch::new(cx.net, cx.config.timeout_seconds.map(Duration::from_secs), BUDGET)
            .keeping(cx.kept)
            .telling(cx.notify)
            .counting(&count)
            .trusting(cx.config.ca_file.clone())
            .up_to_bytes(cx.config.max_file_bytes)
            .up_to_requests(MAX_ADDRESSES);
        if let (Some(secret), Some(base)) = (cx.token()?, token_goes_to(&addresses, cx.config)?) {
            let auth = match &cx.config.username {
                Some(name) => Auth::Basic(name.clone(), secret),
                None => Auth::Bearer(secret),
            };
            batch = batch.signed_in(base, auth);
        }
        let addresses = spread(addresses, &batch, cx)?;
        for url in &addresses {
            let Some(Ok(body)) = batch.get(&raw_address(url)) else { continue };
            let Some(cause) = not_a_descriptor(&body) else { continue };
            let place = without_credentials(url.as_str());
            let host = url.host_str().unwrap_or_default().to_owned();
            let error = NetError::Broken { host, cause: cause.to_owned() };
            if addresses.len() == 1 {
                return Err(SourceError::Net { place, error });
            }
            let mut diagnostic =
                Diagnostic::warning("source::empty", format!("could not read `{place}`: {error}"))
                    .at(SourceLocation::file(place))
                    .hint(error.hint());
            diagnostic.source = Some(cx.name.clone());
            diagnostics.push(diagnostic);
        }
        if addresses.len() >= MAX_ADDRESSES {
            let message = format!("more than {MAX_ADDRESSES} addresses are named, the rest is not read");
            diagnostics.push(Diagnostic::warning("source::too-many", message));
        }
        let roots = addresses.into_iter().map(Root::url).collect();
        Ingest::new(cx, &EmptyTree).over(batch).with_diagnostics(diagnostics).run(roots)
    }
}

impl HttpSource {
    /// What can be said before anything is read.
    fn told(&self, cx: &RefreshContext<'_>) -> Vec<Diagnostic> {
        let bad = self.bad.iter().map(|cause| {
            Diagnostic::error(
                "source::bad-setting",
                format!("an address of the source is not usable: {cause}"),
            )
        });
        let at = cx.config.at.as_ref().map(|revision| {
            let message =
                format!("`{revision}` does not apply: an address has no revisions, it is read as it is now");
            Diagnostic::warning("source::no-revisions", message)
                .hint("read the repository with `type = \"git\"`")
        });
        let told = bad.chain(at).map(|mut diagnostic| {
            diagnostic.source = Some(cx.name.clone());
            diagnostic.at(SourceLocation::file(self.place()))
        });
        told.collect()
    }
}

/// Returns why a content cannot describe an entity, where that shows at a glance.
fn not_a_descriptor(body: &[u8]) -> Option<&'static str> {
    if body.trim_ascii().is_empty() {
        return Some("it is empty");
    }
    if std::str::from_utf8(body).is_err() || body.contains(&0) {
        return Some("it is no text, but a picture, an archive or the like");
    }
    if memchr::memmem::find(body, b"kind").is_none() {
        return Some("it describes no entity: nothing in it is called `kind`");
    }
    None
}

/// Returns the one server that gets the token.
fn token_goes_to(addresses: &[Url], config: &SourceConfig) -> Result<Option<Url>, SourceError> {
    if config.token.is_none() {
        return Ok(None);
    }
    let mut plain = addresses.iter().map(raw_address);
    let Some(first) = plain.next() else { return Ok(None) };
    match plain.find(|other| other.origin() != first.origin()) {
        None => Ok(Some(first)),
        Some(other) => Err(SourceError::BadSetting {
            setting: "token",
            cause: format!(
                "it goes to one server, and the addresses are of several (`{}`, `{}`): make a source for each",
                first.host_str().unwrap_or_default(),
                other.host_str().unwrap_or_default()
            ),
        }),
    }
}

/// Reads the addresses and puts those that lists name in place of the lists.
fn spread(addresses: Vec<Url>, batch: &Batch<'_>, cx: &RefreshContext<'_>) -> Result<Vec<Url>, SourceError> {
    let answers = fetch(&addresses, batch, cx)?;
    let mut out = Vec::with_capacity(addresses.len());
    for (url, body) in addresses.into_iter().zip(answers) {
        match body.as_deref().and_then(list_of) {
            Some(listed) => out.extend(listed),
            None => out.push(url),
        }
    }
    let mut seen = rustc_hash::FxHashSet::default();
    out.retain(|url| seen.insert(url.clone()));
    out.truncate(MAX_ADDRESSES);
    fetch(&out, batch, cx)?;
    Ok(out)
}

/// Asks for all addresses and waits.
///
/// # Errors
/// When none of several can be read; a single one is told about where it is read.
fn fetch(
    addresses: &[Url],
    batch: &Batch<'_>,
    cx: &RefreshContext<'_>,
) -> Result<Vec<Option<Arc<[u8]>>>, SourceError> {
    let plain: Vec<Url> = addresses.iter().map(raw_address).collect();
    for url in &plain {
        let _ = batch.get(url);
    }
    batch.wait(cx.progress.cancel_token());
    if cx.progress.is_cancelled() {
        return Err(SourceError::Cancelled);
    }
    let mut first_error: Option<(&Url, NetError)> = None;
    let mut bodies = Vec::with_capacity(plain.len());
    for url in &plain {
        bodies.push(match batch.get(url) {
            Some(Ok(body)) => Some(body),
            Some(Err(error)) => {
                first_error.get_or_insert((url, error));
                None
            }
            None => None,
        });
    }
    match first_error {
        Some((url, error)) if bodies.len() > 1 && bodies.iter().all(Option::is_none) => {
            Err(SourceError::Unreadable {
                place: without_credentials(url.as_str()),
                cause: format!(
                    "{error}; none of the other {} addresses can be read either",
                    bodies.len() - 1
                ),
                hint: Some(error.hint()),
            })
        }
        _ => Ok(bodies),
    }
}

/// Reads a list of this machine.
fn local_list(path: &Path) -> Result<Vec<Url>, SourceError> {
    let unreadable = |cause: String| SourceError::Unreadable {
        place: path.display().to_string(),
        cause,
        hint: Some("`path` of an `http` source names a file with one address a line".to_owned()),
    };
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable("it is not a file".to_owned()));
    }
    let mut bytes = Vec::new();
    let limit = crate::config::source::MAX_FILE_BYTES;
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| unreadable(error.to_string()))?;
    list_of(&bytes).ok_or_else(|| unreadable("it is not a list of http(s) addresses".to_owned()))
}

/// Reads a list of addresses: one a line, also as a YAML sequence; `None` when any line is something else.
fn list_of(bytes: &[u8]) -> Option<Vec<Url>> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}');
    let mut out = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') || line == "---" {
            continue;
        }
        let item = line.strip_prefix("- ").unwrap_or(line).trim().trim_matches(['"', '\'']);
        let url = Url::parse(item).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        if out.len() < MAX_ADDRESSES {
            out.push(url);
        }
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_list_from_a_descriptor() {
        let cases = [
            ("https://a.io/x.yaml\nhttp://b.io/y.yaml\n", Some(2)),
            ("# ours\n\n---\n- https://a.io/x.yaml # first\n- \"https://a.io/z\"\n", Some(2)),
            ("kind: Location\n", None),
            ("https://a.io/x.yaml\nkind: Location\n", None),
            ("- ftp://a.io/x\n", None),
            ("", None),
            ("# nothing\n", None),
        ];
        for (text, expected) in cases {
            assert_eq!(list_of(text.as_bytes()).map(|list| list.len()), expected, "{text}");
        }
        assert!(list_of(b"https://a.io/\xff").is_none());
    }

    #[test]
    fn what_is_no_descriptor_is_told_at_a_glance() {
        let cases: [(&[u8], bool); 5] = [
            (b" \n", false),
            (b"\x89PNG\r\n\x1a\n\0kind", false),
            (b"{\"message\": \"hello\"}", false),
            (b"{\"kind\": \"Component\"}", true),
            (b"apiVersion: x\nkind: API\n", true),
        ];
        for (body, expected) in cases {
            assert_eq!(not_a_descriptor(body).is_none(), expected, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn addresses_of_the_settings_are_judged_one_by_one() {
        let config = |urls: &[&str]| {
            let mut config = SourceConfig::new("http", "x");
            config.urls = urls.iter().map(|url| (*url).to_owned()).collect();
            config
        };
        assert!(open(&config(&[])).is_err());
        let error = |urls: &[&str]| open(&config(urls)).err().map(|error| error.to_string()).unwrap();
        assert!(error(&["ftp://x.io/a"]).contains("neither"));
        assert!(error(&["https://u:pw@x.io/*/catalog-info.yaml"]).contains("cannot list"));
        assert!(!error(&["https://u:pw@x.io/*/a"]).contains("pw"));
        let source = open(&config(&["https://x.io/a", "nonsense", "https://x.io/b?x=*"])).unwrap();
        assert_eq!(source.place(), "https://x.io/a and 2 more");
    }
}
