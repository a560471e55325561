//! Requests, read into what they are about.

use super::resource::{self, R};
use super::status::Failure;
use http::Method;

/// What a path below `/api` or `/apis` is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Kind.
    pub kind: R,
    /// Namespace; `None` for all, and for kinds that live in none.
    pub namespace: Option<String>,
    /// Name; `None` for all.
    pub name: Option<String>,
    /// Subresource.
    pub sub: Option<String>,
}

/// The part of an address behind `?`.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query.
    pub fn parse(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        Self(pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect())
    }

    /// Returns a value; `None` when absent or empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// Returns all values of a key.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| found == key).map(|(_, value)| value.as_str())
    }

    /// Returns whether a switch is on.
    pub fn is(&self, key: &str) -> bool {
        self.get(key).is_some_and(|value| value == "true" || value == "1")
    }

    /// Returns a number.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.get(key)?.parse().ok()
    }
}

/// Reads a path: `/api/v1/namespaces/shop/pods/x/log`.
///
/// # Errors
/// 404 for what is nothing.
pub fn target(path: &str) -> Result<Target, Failure> {
    let decoded: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(percent_decoded).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let (group, version, rest) = match parts.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Err(Failure::no_resource()),
    };
    let (namespace, rest) = match rest {
        // `namespaces/x` is a namespace, `namespaces/x/pods` what is in it
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => (None, rest),
        ["namespaces", namespace, rest @ ..] => (Some((*namespace).to_owned()), rest),
        rest => (None, rest),
    };
    let (plural, name, sub) = match rest {
        [plural] => (plural, None, None),
        [plural, name] => (plural, Some(name), None),
        [plural, name, sub] => (plural, Some(name), Some(sub)),
        _ => return Err(Failure::no_resource()),
    };
    let kind = resource::find(group, version, plural).ok_or_else(Failure::no_resource)?;
    let row = kind.row();
    if namespace.is_some() != row.is_namespaced && (namespace.is_some() || name.is_some()) {
        return Err(Failure::no_resource());
    }
    if sub.is_some_and(|sub| !row.subresources.iter().any(|(known, _)| known == sub)) {
        return Err(Failure::no_resource());
    }
    let owned = |text: Option<&&str>| text.map(|text| (*text).to_owned());
    Ok(Target { kind, namespace, name: owned(name), sub: owned(sub) })
}

/// Returns a part of a path without its `%` escapes.
fn percent_decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let code = part.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (byte, code) {
            (b'%', Some(code)) => {
                decoded.push(code);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Returns the verb that access rules know a request by.
pub fn verb(method: &Method, target: &Target, query: &Query) -> &'static str {
    match (method.as_str(), target.name.is_some(), target.sub.as_deref()) {
        (_, _, Some("exec" | "attach" | "portforward" | "eviction")) | ("POST", _, _) => "create",
        ("GET" | "HEAD", true, _) => "get",
        ("GET" | "HEAD", false, _) if query.is("watch") => "watch",
        ("GET" | "HEAD", false, _) => "list",
        ("PUT", _, _) => "update",
        ("PATCH", _, _) => "patch",
        ("DELETE", true, _) => "delete",
        _ => "deletecollection",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_they_are_about() {
        let of = |kind, namespace: Option<&str>, name: Option<&str>, sub: Option<&str>| Target {
            kind,
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            sub: sub.map(str::to_owned),
        };
        for (path, expected) in [
            ("/api/v1/pods", of(R::Pod, None, None, None)),
            ("/api/v1/namespaces", of(R::Namespace, None, None, None)),
            ("/api/v1/namespaces/shop", of(R::Namespace, None, Some("shop"), None)),
            ("/api/v1/namespaces/shop/pods", of(R::Pod, Some("shop"), None, None)),
            ("/api/v1/namespaces/shop/pods/x/log", of(R::Pod, Some("shop"), Some("x"), Some("log"))),
            (
                "/apis/apps/v1/namespaces/a/deployments/d/scale",
                of(R::Deployment, Some("a"), Some("d"), Some("scale")),
            ),
            ("/api/v1/nodes/n%201", of(R::Node, None, Some("n 1"), None)),
        ] {
            assert_eq!(target(path), Ok(expected), "{path}");
        }
        for path in ["/api/v1/nopes", "/api/v1/pods/x", "/api/v1/namespaces/a/nodes", "/apis/apps/v1", "/x"] {
            assert_eq!(target(path).map_err(|failure| failure.code), Err(404), "{path}");
        }
    }
}
