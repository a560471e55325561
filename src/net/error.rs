//! Why a request failed, in words for a person: which host, what happened, after how long.

use crate::model::text::clean;
use std::time::Duration;
use url::Url;

/// Longest part of a server's own words that is passed on, in characters.
const MAX_WORDS: usize = 200;

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The program was told not to use the network.
    #[error("`{host}` was not asked: the program is offline")]
    Offline {
        /// Host and port.
        host: String,
    },
    /// Not http or https.
    #[error("addresses of type `{scheme}:` are not read, only `http:` and `https:`")]
    Scheme {
        /// What it was.
        scheme: String,
    },
    /// No answer in time.
    #[error("`{host}` did not answer within {}", seconds(*elapsed))]
    Timeout {
        /// Host and port.
        host: String,
        /// How long it was waited for.
        elapsed: Duration,
    },
    /// The answer comes drop by drop.
    #[error("`{host}` sends its answer too slowly: {bytes} bytes in {}", seconds(*elapsed))]
    TooSlow {
        /// Host and port.
        host: String,
        /// What came in the last while.
        bytes: u64,
        /// How long that while was.
        elapsed: Duration,
    },
    /// No connection.
    #[error("`{host}` cannot be reached: {cause} (after {})", seconds(*elapsed))]
    Unreachable {
        /// Host and port.
        host: String,
        /// In plain words.
        cause: String,
        /// After how long.
        elapsed: Duration,
    },
    /// No secure connection.
    #[error("no secure connection to `{host}`: {problem}")]
    Tls {
        /// Host and port.
        host: String,
        /// What is wrong.
        problem: TlsProblem,
    },
    /// The file with further certificates cannot be used.
    #[error("the certificates in `{path}` cannot be used: {cause}")]
    CaFile {
        /// The file.
        path: String,
        /// In plain words.
        cause: String,
    },
    /// An answer that says no.
    #[error("`{host}` answered {status} {}{}", reason(*status), words(message.as_deref()))]
    Status {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// What the server says about it, safe to show.
        message: Option<String>,
        /// Whether a credential went along.
        signed_in: bool,
    },
    /// The server wants no more requests for longer than one waits.
    #[error("`{host}` limits requests until {}", clock(*until))]
    Limited {
        /// Host and port.
        host: String,
        /// When it takes requests again.
        until: jiff::Timestamp,
    },
    /// A page for people to sign in came in place of data.
    #[error("a sign-in page came from `{host}` instead of data")]
    SignInPage {
        /// Host and port.
        host: String,
        /// Whether a credential went along.
        signed_in: bool,
    },
    /// More than is read.
    #[error("the answer of `{host}` is larger than {}", size(*limit))]
    TooLarge {
        /// Host and port.
        host: String,
        /// In bytes.
        limit: u64,
    },
    /// Redirected too often or to where one does not go.
    #[error("`{host}` redirects {cause}")]
    Redirect {
        /// Host and port.
        host: String,
        /// In plain words.
        cause: &'static str,
    },
    /// The answer broke off or made no sense.
    #[error("the answer of `{host}` is broken: {cause}")]
    Broken {
        /// Host and port.
        host: String,
        /// In plain words.
        cause: String,
    },
    /// More addresses than one source may name.
    #[error("more than {limit} addresses are named, the rest is not read")]
    TooMany {
        /// How many are read.
        limit: usize,
    },
    /// Nobody wants the answer any more.
    #[error("the request to `{host}` was cancelled")]
    Cancelled {
        /// Host and port.
        host: String,
    },
}

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// Its time is over.
    #[error("its certificate has expired")]
    Expired,
    /// Its time has not come.
    #[error("its certificate is not valid yet")]
    NotYetValid,
    /// Nobody known vouches for it.
    #[error("its certificate is signed by an authority that is not trusted here")]
    UnknownIssuer,
    /// It belongs to somebody else.
    #[error("its certificate is for another name")]
    WrongName,
    /// It was called back.
    #[error("its certificate was revoked")]
    Revoked,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl NetError {
    /// Creates the answer of a host that has no such thing.
    pub fn not_found(host: impl Into<String>) -> Self {
        Self::Status { host: host.into(), status: 404, message: None, signed_in: false }
    }

    /// Creates what stands for a status without any words of the server.
    pub fn of_status(host: impl Into<String>, status: u16) -> Self {
        Self::Status { host: host.into(), status, message: None, signed_in: false }
    }

    /// Returns whether the thing itself is not there, as opposed to out of reach.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. })
    }

    /// Returns whether the network was not tried at all.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Offline { .. })
    }

    /// Returns whether a later try without any change here may well succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Timeout { .. }
            | Self::TooSlow { .. }
            | Self::Unreachable { .. }
            | Self::Limited { .. }
            | Self::Broken { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }

    /// Returns the HTTP status, if the server answered with one that says no.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Offline { .. } => "run again without `--offline`".into(),
            Self::Status { status, signed_in, .. } => status_hint(*status, *signed_in).into(),
            Self::SignInPage { signed_in: true, .. } => {
                "the token is not accepted there, or the address is one for people; check `token` and `url` of the source".into()
            }
            Self::SignInPage { .. } => "set `token` of the source, and check that `url` is one for programs".into(),
            Self::TooLarge { .. } => "raise `max_file_bytes` of the source if it should be this large".into(),
            Self::Timeout { .. } => "try again, or raise `timeout_seconds` of the source".into(),
            Self::TooSlow { .. } => "try again; if it stays like this, ask who runs the server or the network".into(),
            Self::Limited { .. } => "it goes on then by itself; a `token` of its own usually has a higher limit".into(),
            Self::Tls { problem, .. } => tls_hint(problem).into(),
            Self::CaFile { .. } => "`ca_file` of the source must name a file with certificates in PEM form".into(),
            Self::Redirect { .. } => "give the address that it leads to in the end".into(),
            Self::Broken { .. } => "try again; if it stays like this, look at the address in a browser".into(),
            _ => "check the address and the network".into(),
        }
    }

    pub(super) fn from_reqwest(host: String, elapsed: Duration, error: &reqwest::Error) -> Self {
        if let Some(problem) = causes(error).find_map(tls_problem) {
            return Self::Tls { host, problem };
        }
        if error.is_timeout() {
            return Self::Timeout { host, elapsed };
        }
        if error.is_builder() {
            return Self::Broken { host, cause: "the request to it cannot be written as HTTP".into() };
        }
        if error.is_connect() {
            return Self::Unreachable { host, cause: plain(error), elapsed };
        }
        let texts = texts(error);
        if texts.contains("head is too large") {
            return Self::Broken { host, cause: "it has too many or too long headers".into() };
        }
        if texts.contains("invalid http") || texts.contains("unexpected message") {
            return Self::Broken { host, cause: "it is not HTTP".into() };
        }
        if error.is_body() || error.is_decode() || texts.contains("before message completed") {
            return Self::Broken { host, cause: ENDED_EARLY.into() };
        }
        Self::Unreachable { host, cause: plain(error), elapsed }
    }
}

/// What an answer that was cut off is called; such a request is sent again.
pub(super) const ENDED_EARLY: &str = "it ended too early or is damaged";

fn status_hint(status: u16, signed_in: bool) -> &'static str {
    match (status, signed_in) {
        (401, false) => "it wants to know who asks: set `token` of the source",
        (401, true) => "the token is wrong or has expired: check `token` of the source",
        (403, false) => "not everybody may read it: set `token` of the source",
        (403, true) => "the token lacks rights for it: give it read access, or use another one",
        (404 | 410, false) => {
            "check the address; what is private says this, too, to those who do not sign in: set `token` of the source"
        }
        (404 | 410, true) => "check the address, and that the token may read it",
        (407, _) => "the proxy wants a sign-in: put it into HTTPS_PROXY",
        (408, _) => "try again, or raise `timeout_seconds` of the source",
        (409, _) => "it is being changed right now: try again",
        (429, false) => "it limits requests: set `token` of the source, or raise `every`",
        (429, true) => "it limits requests: raise `every` of the source",
        (500.., _) => "the server has trouble of its own: it is tried again later",
        _ => "check the address and the network",
    }
}

fn tls_hint(problem: &TlsProblem) -> &'static str {
    match problem {
        TlsProblem::Expired => {
            "whoever runs the server must renew it; if it is fine elsewhere, check the clock of this machine"
        }
        TlsProblem::NotYetValid => "check the clock of this machine",
        TlsProblem::UnknownIssuer => {
            "if your company has an authority of its own, set `ca_file` of the source to its certificate (PEM)"
        }
        TlsProblem::WrongName => "use the name that the certificate is for, or have it made for this one",
        TlsProblem::Revoked => "whoever runs the server must replace it",
        TlsProblem::Other(_) => {
            "check that the address is one for https; with a company's own authority set `ca_file` of the source"
        }
    }
}

/// Finds what is wrong with a certificate in one of the causes of an error.
fn tls_problem(error: &(dyn std::error::Error + 'static)) -> Option<TlsProblem> {
    use rustls::CertificateError as C;
    Some(match error.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(problem) => match problem {
            C::Expired | C::ExpiredContext { .. } => TlsProblem::Expired,
            C::NotValidYet | C::NotValidYetContext { .. } => TlsProblem::NotYetValid,
            C::UnknownIssuer => TlsProblem::UnknownIssuer,
            C::NotValidForName | C::NotValidForNameContext { .. } => TlsProblem::WrongName,
            C::Revoked => TlsProblem::Revoked,
            other => {
                TlsProblem::Other(format!("its certificate is not trusted ({})", cut(&other.to_string())))
            }
        },
        rustls::Error::InvalidMessage(_) => TlsProblem::Other("it does not speak https there".into()),
        other => TlsProblem::Other(cut(&other.to_string())),
    })
}

/// An error and all that lies below it; also what the system's errors carry inside.
fn causes<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let carried = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match carried {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => error.source(),
        }
    })
}

fn texts(error: &reqwest::Error) -> String {
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    texts.join(": ").to_lowercase()
}

/// Puts the innermost cause in plain words.
fn plain(error: &reqwest::Error) -> String {
    let all = texts(error);
    let known = [
        ("dns", "its name is not known"),
        ("lookup", "its name is not known"),
        ("connection refused", "the connection was refused"),
        ("connection reset", "the connection was broken off"),
        ("broken pipe", "the connection was broken off"),
        ("before message completed", "the connection was broken off"),
        ("network is unreachable", "there is no network"),
        ("no route", "there is no way to it"),
        ("tls handshake eof", "the secure connection was broken off"),
        ("tunnel", "the proxy does not let it through"),
        ("proxy", "the proxy does not let it through"),
    ];
    let known = known.iter().find(|(mark, _)| all.contains(mark)).map(|(_, words)| (*words).to_owned());
    known.unwrap_or_else(|| causes(error).last().map(|cause| cut(&cause.to_string())).unwrap_or_default())
}

/// Returns what a server says about an error, in one safe line: the usual places of JSON, or plain text.
pub(super) fn message_of(body: &[u8]) -> Option<String> {
    let words = if let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) {
        json_words(&json)?
    } else {
        let text = std::str::from_utf8(body).ok()?.trim();
        let is_line = !text.starts_with(['<', '{', '[']) && text.lines().count() == 1;
        is_line.then(|| text.to_owned())?
    };
    Some(cut(&words)).filter(|words| !words.is_empty())
}

/// The words of the usual places; what GitHub adds in `errors` often says more than its message.
fn json_words(json: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    const PLACES: &[&str] =
        &["/error_description", "/error/message", "/message", "/errors/0/message", "/error", "/detail"];
    let words = PLACES.iter().find_map(|place| match json.pointer(place)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => Some(field_words(fields)).filter(|words| !words.is_empty()),
        _ => None,
    })?;
    let more: Vec<String> =
        json.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(detail).collect();
    let new: Vec<&str> = more.iter().map(String::as_str).filter(|more| !words.contains(more)).collect();
    Some(if new.is_empty() { words } else { format!("{} ({})", words.trim_end_matches('.'), new.join(", ")) })
}

/// `{"path": ["has already been taken"]}`, as GitLab has it.
fn field_words(fields: &serde_json::Map<String, serde_json::Value>) -> String {
    let said = |(name, items): (&String, &serde_json::Value)| {
        let items = items.as_array()?.iter().filter_map(serde_json::Value::as_str);
        Some(format!("{name} {}", items.collect::<Vec<_>>().join(", ")))
    };
    fields.iter().filter_map(said).collect::<Vec<_>>().join("; ")
}

/// One of GitHub's `errors`.
fn detail(item: &serde_json::Value) -> Option<String> {
    let text = |name: &str| item.get(name)?.as_str().map(str::to_owned);
    let field = || Some(format!("{}: {}", text("field")?, text("code")?.replace('_', " ")));
    item.as_str().map(str::to_owned).or_else(|| text("message")).or_else(field)
}

/// Cleans foreign words and cuts them to what fits in a line.
pub(super) fn cut(text: &str) -> String {
    let clean = clean(text.trim());
    let mut out: String = clean.chars().take(MAX_WORDS).collect();
    if out.len() < clean.len() {
        out.push(crate::model::text::ELLIPSIS);
    }
    out
}

/// Returns host and port, the part of an address that is safe and useful to show.
pub(super) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

fn words(message: Option<&str>) -> String {
    message.map(|message| format!(": {message}")).unwrap_or_default()
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!("{} MB", bytes / (1024 * 1024)),
    }
}

fn clock(until: jiff::Timestamp) -> String {
    until.strftime("%H:%M:%S UTC").to_string()
}

fn reason(status: u16) -> &'static str {
    reqwest::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_servers_own_words() {
        let cases: &[(&str, Option<&str>)] = &[
            (r#"{"error":{"name":"NotAllowed","message":"no access"}}"#, Some("no access")),
            (r#"{"message":"Bad credentials","documentation_url":"x"}"#, Some("Bad credentials")),
            (r#"{"message":["a","b"]}"#, Some("a, b")),
            (r#"{"error":"invalid_token","error_description":"expired"}"#, Some("expired")),
            (r#"{"errors":[{"message":"deep"}]}"#, Some("deep")),
            (
                r#"{"message":"Failed.","errors":[{"message":"name exists"},"b"]}"#,
                Some("Failed (name exists, b)"),
            ),
            (
                r#"{"message":"No","errors":[{"field":"title","code":"missing_field"}]}"#,
                Some("No (title: missing field)"),
            ),
            (r#"{"message":{"path":["is taken"],"name":["is bad"]}}"#, Some("name is bad; path is taken")),
            ("plain words\n", Some("plain words")),
            ("bad \u{1b}[31mred", Some("bad \u{fffd}[31mred")),
            ("<html>sign in</html>", None),
            ("{\"broken\": ", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(message_of(body.as_bytes()).as_deref(), *expected, "{body}");
        }
        let long = message_of("x".repeat(5000).as_bytes()).unwrap();
        assert!(long.chars().count() <= MAX_WORDS + 1);
    }

    #[test]
    fn hints_name_the_setting() {
        let hint = |status, signed_in| {
            NetError::Status { host: "h".into(), status, message: None, signed_in }.hint()
        };
        assert!(hint(401, false).contains("set `token`"));
        assert!(hint(401, true).contains("expired"));
        assert!(hint(403, true).contains("rights"));
        assert!(hint(404, true).contains("may read it"));
    }
}
