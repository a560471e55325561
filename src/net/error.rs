//! Why a request failed, in words for a person: which host, what happened, after how long.

use std::time::Duration;
use url::Url;

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
    /// An answer that says no.
    #[error("`{host}` answered {status} {}", reason(*status))]
    Status {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// More than is read.
    #[error("the answer of `{host}` is larger than {} MB", limit / (1024 * 1024))]
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

/// Why a redirect was not followed; travels through the client's own error.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(super) enum Redirect {
    #[error("too many times")]
    TooMany,
    #[error("to an address that is not safe to follow")]
    Refused,
}

impl NetError {
    /// Returns whether the thing itself is not there, as opposed to out of reach.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Status { status: 404 | 410, .. })
    }

    /// Returns whether the network was not tried at all.
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Offline { .. })
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Offline { .. } => "run again without `--offline`".into(),
            Self::Status { status: 401 | 403, .. } => {
                "the address needs a sign-in; only public addresses are read".into()
            }
            Self::Status { status: 404 | 410, .. } => "check the address, in a browser for example".into(),
            Self::TooLarge { .. } => "raise `max_file_bytes` of the source".into(),
            Self::Timeout { .. } => "try again, or raise `timeout_seconds` of the source".into(),
            _ => "check the address and the network".into(),
        }
    }

    pub(super) fn from_reqwest(host: String, elapsed: Duration, error: &reqwest::Error) -> Self {
        if let Some(redirect) = sources(error).find_map(|cause| cause.downcast_ref::<Redirect>()) {
            let cause = match redirect {
                Redirect::TooMany => "too many times",
                Redirect::Refused => "to an address that is not safe to follow",
            };
            return Self::Redirect { host, cause };
        }
        if error.is_timeout() {
            return Self::Timeout { host, elapsed };
        }
        if error.is_connect() {
            return Self::Unreachable { host, cause: plain(error), elapsed };
        }
        if error.is_body() || error.is_decode() {
            return Self::Broken { host, cause: "it ended too early or is damaged".into() };
        }
        Self::Unreachable { host, cause: plain(error), elapsed }
    }
}

fn sources<'e>(
    error: &'e (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'e (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// Puts the innermost cause in plain words.
fn plain(error: &reqwest::Error) -> String {
    let texts: Vec<String> = sources(error).map(ToString::to_string).collect();
    let all = texts.join(": ").to_lowercase();
    let known = [
        ("dns", "its name is not known"),
        ("lookup", "its name is not known"),
        ("connection refused", "the connection was refused"),
        ("connection reset", "the connection was broken off"),
        ("network is unreachable", "there is no network"),
        ("certificate", "its certificate is not trusted"),
        ("no route", "there is no way to it"),
        ("tls", "no secure connection could be made"),
    ];
    let known = known.iter().find(|(mark, _)| all.contains(mark)).map(|(_, words)| (*words).to_owned());
    known.unwrap_or_else(|| texts.last().cloned().unwrap_or_default())
}

/// Returns host and port, the part of an address that is safe and useful to show.
pub(super) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}

fn reason(status: u16) -> &'static str {
    reqwest::StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason()).unwrap_or("")
}
