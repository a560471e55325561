//! What went wrong between us and a cluster, in a sentence with what to do.
//!
//! Errors of the client library are chains; the cause a person can act on stands deep inside. No text of ours
//! holds a credential: what plugins and servers say is cleaned and cut.

use kube::core::Status;
use std::error::Error as StdError;
use std::io;

/// Longest text of a server or plugin that is passed on, in characters.
const MAX_TOLD: usize = 300;
/// Deepest chain of causes that is walked.
const MAX_DEPTH: usize = 16;

/// Why a request to a cluster failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which kind of cause.
    pub kind: FaultKind,
    /// What, why and what to do, in a sentence.
    pub text: String,
}

/// Which kind of cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Nobody answers: refused, no route, no such name, too late, cut.
    Unreachable,
    /// The connection is not trusted, by us or by the server.
    Trust,
    /// The credentials are not accepted, or there are none.
    Unauthorized,
    /// We may not.
    Forbidden,
    /// The server does not know the resource or object.
    NotFound,
    /// The version asked for is too old.
    Expired,
    /// Too many requests.
    Busy,
    /// The server fails.
    Server,
    /// What we were told about the cluster is wrong.
    Configuration,
    /// Anything else.
    Other,
}

impl Fault {
    /// Makes one.
    pub fn new(kind: FaultKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Whether a person has to change something before it can work.
    pub fn needs_a_person(&self) -> bool {
        matches!(self.kind, FaultKind::Trust | FaultKind::Unauthorized | FaultKind::Configuration)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Fault {}

impl From<Fault> for String {
    fn from(fault: Fault) -> Self {
        fault.text
    }
}

/// Tells what an error of the client means; `address` is the server's.
pub fn tell(error: &kube::Error, address: &str) -> Fault {
    match error {
        kube::Error::Api(status) => tell_status(status, address),
        kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => Fault::new(
            FaultKind::Server,
            format!("{address} answers, but not as a Kubernetes API server: check the address and the proxy"),
        ),
        _ => tell_chain(error, address),
    }
}

/// Tells what a status of the server means.
pub fn tell_status(status: &Status, address: &str) -> Fault {
    let said = clean(&status.message);
    match status.code {
        400 if said.contains("HTTP request to an HTTPS server") => Fault::new(
            FaultKind::Configuration,
            format!("{address} speaks https: write `https://` in the address of the cluster"),
        ),
        401 => Fault::new(
            FaultKind::Unauthorized,
            format!(
                "{address} does not accept the credentials (401): they are expired or wrong; log in again"
            ),
        ),
        403 => Fault::new(FaultKind::Forbidden, format!("forbidden: {said}")),
        404 => Fault::new(FaultKind::NotFound, format!("not found: {said}")),
        410 => Fault::new(FaultKind::Expired, format!("too old: {said}")),
        429 => {
            Fault::new(FaultKind::Busy, format!("{address} asks to come back later (429 too many requests)"))
        }
        407 => Fault::new(
            FaultKind::Unauthorized,
            format!("the proxy before {address} wants credentials (407): put them into `proxy-url`"),
        ),
        code @ 500..=599 => {
            let kind = FaultKind::Server;
            Fault::new(kind, format!("{address} fails ({code}): {said}; it is tried again"))
        }
        code => Fault::new(FaultKind::Other, format!("{address} says {code}: {said}")),
    }
}

/// Walks the causes of an error to the one that tells most.
fn tell_chain(error: &(dyn StdError + 'static), address: &str) -> Fault {
    let mut words = Vec::new();
    let mut current: Option<&(dyn StdError + 'static)> = Some(error);
    for _ in 0..MAX_DEPTH {
        let Some(cause) = current else { break };
        if let Some(fault) = cause.downcast_ref::<Fault>() {
            return fault.clone();
        }
        if let Some(fault) = cause.downcast_ref::<kube::Error>().and_then(|error| tell_kube(error, address)) {
            return fault;
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return tell_tls(tls, address);
        }
        let text = cause.to_string();
        // a resolver's error is known by its words alone
        if text.contains("dns error") || text.contains("failed to lookup address") {
            let host = host_of(address);
            let text = format!(
                "the name `{host}` cannot be resolved: check the address, or the network (is a VPN needed?)"
            );
            return Fault::new(FaultKind::Unreachable, text);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            if let Some(fault) = tell_io(io, address) {
                return fault;
            }
            // what an io error wraps is not its source
            if let Some(inner) = io.get_ref() {
                words.push(text);
                current = Some(inner);
                continue;
            }
        }
        words.push(text);
        current = cause.source();
    }
    let innermost = clean(words.last().map_or("no cause is known", String::as_str));
    if words.iter().any(|text| text.contains("tunnel") || text.contains("SOCKS")) {
        let text =
            format!("the proxy before {address} refuses: {innermost}; check `proxy-url` or HTTPS_PROXY");
        return Fault::new(FaultKind::Unreachable, text);
    }
    Fault::new(FaultKind::Unreachable, format!("{address} does not answer: {innermost}"))
}

/// Tells errors of the client library that have no deeper cause worth telling.
fn tell_kube(error: &kube::Error, address: &str) -> Option<Fault> {
    match error {
        kube::Error::Api(status) => Some(tell_status(status, address)),
        kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. } => {
            let text = "the proxy of this cluster must be http, https or socks5: change `proxy-url`";
            Some(Fault::new(FaultKind::Configuration, text))
        }
        kube::Error::RustlsTls(cause) => Some(Fault::new(
            FaultKind::Configuration,
            format!("its certificate or key cannot be used: {}", clean(&cause.to_string())),
        )),
        kube::Error::Auth(cause) => Some(Fault::new(
            FaultKind::Unauthorized,
            format!("no credentials for {address}: {}", clean(&cause.to_string())),
        )),
        _ => None,
    }
}

fn tell_io(error: &io::Error, address: &str) -> Option<Fault> {
    let text = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("{address} refuses the connection: nothing listens there; is the cluster running?")
        }
        io::ErrorKind::TimedOut => {
            format!("{address} does not answer in time: check the network (is a VPN needed?)")
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            format!("there is no way to {address}: check the network (is a VPN needed?)")
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            format!("{address} cut the connection")
        }
        io::ErrorKind::UnexpectedEof => format!("{address} ended the connection in the middle"),
        _ => return None,
    };
    Some(Fault::new(FaultKind::Unreachable, text))
}

fn tell_tls(error: &rustls::Error, address: &str) -> Fault {
    use rustls::{AlertDescription, CertificateError, Error};
    let text = match error {
        Error::InvalidCertificate(cause) => match cause {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("the certificate of {address} has expired: its administrator has to renew it")
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!("the certificate of {address} is not valid yet: compare the clocks")
            }
            CertificateError::UnknownIssuer => format!(
                "the certificate of {address} is from an unknown authority: set `certificate-authority` of the \
                 cluster (or `tls-server-name`), or get a fresh kubeconfig"
            ),
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
                "the certificate of {address} is for another name: set `tls-server-name` of the cluster"
            ),
            other => format!("the certificate of {address} is not valid: {}", clean(&format!("{other:?}"))),
        },
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA,
        ) => {
            format!("{address} does not accept our client certificate: it is expired or wrong; log in again")
        }
        Error::InvalidMessage(_) => {
            format!("{address} does not speak https: check the address (is it `http://`?)")
        }
        other => format!("no safe connection to {address}: {}", clean(&other.to_string())),
    };
    Fault::new(FaultKind::Trust, text)
}

/// Makes a text of a server or plugin fit to be passed on: one line, no control codes, not too long.
pub fn clean(text: &str) -> String {
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut kept: String = line.chars().take(MAX_TOLD).collect();
    if kept.len() < line.len() {
        kept.push('…');
    }
    kept
}

fn host_of(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let rest = rest.split(['/', '?']).next().unwrap_or(rest);
    rest.rsplit_once(':').map_or(rest, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "https://10.0.0.1:6443";

    fn service(error: impl Into<Box<dyn StdError + Send + Sync>>) -> kube::Error {
        kube::Error::Service(error.into())
    }

    #[test]
    fn cause_is_told_with_what_to_do() {
        // as the connector wraps it
        let tls = |error: rustls::CertificateError| {
            let inner = io::Error::new(io::ErrorKind::InvalidData, rustls::Error::InvalidCertificate(error));
            service(io::Error::other(inner))
        };
        let status = |code: u16, message: &str| {
            kube::Error::Api(Status::failure(message, "x").with_code(code).boxed())
        };
        let cases = [
            (service(io::Error::from(io::ErrorKind::ConnectionRefused)), FaultKind::Unreachable, "refuses"),
            (service(io::Error::from(io::ErrorKind::TimedOut)), FaultKind::Unreachable, "in time"),
            (
                service(io::Error::other(io::Error::from(io::ErrorKind::ConnectionReset))),
                FaultKind::Unreachable,
                "cut",
            ),
            (service(io::Error::other("dns error")), FaultKind::Unreachable, "`10.0.0.1` cannot be resolved"),
            (tls(rustls::CertificateError::UnknownIssuer), FaultKind::Trust, "unknown authority"),
            (tls(rustls::CertificateError::Expired), FaultKind::Trust, "has expired"),
            (status(401, "Unauthorized"), FaultKind::Unauthorized, "log in again"),
            (status(429, ""), FaultKind::Busy, "later"),
            (status(503, "starting\n\u{1b}[2J up"), FaultKind::Server, "(503): starting [2J up; it"),
            (status(410, "too old resource version"), FaultKind::Expired, "too old"),
        ];
        for (error, kind, part) in cases {
            let fault = tell(&error, AT);
            assert_eq!(fault.kind, kind, "{fault:?}");
            assert!(fault.text.contains(part), "{fault:?}");
        }
    }

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(clean(&"ä".repeat(1000)).chars().count(), MAX_TOLD + 1);
    }
}
