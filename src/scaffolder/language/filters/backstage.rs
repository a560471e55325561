//! Filters that Backstage adds: addresses of repositories, references of entities, paths into objects.

use super::super::eval::own;
use super::super::js::{self, Kind};
use crate::model::entity_ref;
use minijinja::Value;
use std::collections::BTreeMap;
use url::Url;

/// Which forge is behind a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// GitHub.
    Github,
    /// GitLab.
    Gitlab,
    /// Gitea or Forgejo.
    Gitea,
    /// Gerrit.
    Gerrit,
    /// Bitbucket Cloud.
    BitbucketCloud,
    /// Bitbucket Server.
    BitbucketServer,
    /// Azure DevOps.
    Azure,
}

/// The hosts that addresses of repositories may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(BTreeMap<String, HostKind>);

impl Default for Hosts {
    /// The public hosts, which need no configuration.
    fn default() -> Self {
        Self::new([])
    }
}

impl Hosts {
    /// Creates the public hosts and these.
    pub fn new(hosts: impl IntoIterator<Item = (String, HostKind)>) -> Self {
        let public = [
            ("github.com", HostKind::Github),
            ("gitlab.com", HostKind::Gitlab),
            ("bitbucket.org", HostKind::BitbucketCloud),
            ("dev.azure.com", HostKind::Azure),
        ];
        let public = public.into_iter().map(|(host, kind)| (host.to_owned(), kind));
        Self(public.chain(hosts).collect())
    }

    /// Returns which forge is behind a host, with its port.
    pub fn get(&self, host: &str) -> Option<HostKind> {
        self.0.get(host).copied()
    }
}

/// Applies a filter of this file.
pub(super) fn apply(name: &str, input: &Value, arguments: &[Value], hosts: &Hosts) -> Result<Value, String> {
    match name {
        "parseRepoUrl" => repo_url(input, hosts),
        "projectSlug" => {
            let spec = repo_url(input, hosts)?;
            let part = |name: &str| js::field(&spec, name).unwrap_or(Value::UNDEFINED);
            Ok(Value::from(format!("{}/{}", js::text(&part("owner")), js::text(&part("repo")))))
        }
        "parseEntityRef" => parse_entity_ref(input, arguments.first().unwrap_or(&Value::UNDEFINED)),
        _ => Ok(pick(input, arguments.first().unwrap_or(&Value::UNDEFINED), arguments.get(1))),
    }
}

/// `github.com?owner=acme&repo=checkout`.
fn repo_url(input: &Value, hosts: &Hosts) -> Result<Value, String> {
    let written = js::text(input);
    let url = Url::parse(&format!("https://{written}"))
        .map_err(|error| format!("`{written}` is not the address of a repository: {error}"))?;
    let host = url.port().map_or_else(
        || url.host_str().unwrap_or_default().to_owned(),
        |port| format!("{}:{port}", url.host_str().unwrap_or_default()),
    );
    let Some(kind) = hosts.get(&host) else {
        return Err(format!("no matching integration configuration for host {host}"));
    };
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let required: &[&str] = match kind {
        HostKind::BitbucketCloud => &["workspace", "project", "repo"],
        HostKind::BitbucketServer | HostKind::Azure => &["project", "repo"],
        HostKind::Gitlab
            if parameter("project").is_some_and(|project| !project.trim_matches('/').is_empty()) =>
        {
            &[]
        }
        HostKind::Gitlab => &["owner", "repo"],
        HostKind::Gitea | HostKind::Gerrit => &["repo"],
        HostKind::Github => &["repo", "owner"],
    };
    if let Some(missing) = required.iter().find(|name| parameter(name).is_none_or(|value| value.is_empty())) {
        return Err(format!("`{written}` is missing `{missing}`"));
    }
    let mut pairs = vec![("host", Value::from(host))];
    for name in ["owner", "repo", "organization", "workspace", "project"] {
        let value = parameter(name);
        pairs.push((name, value.map_or(Value::UNDEFINED, |value| Value::from(value.trim_matches('/')))));
    }
    Ok(Value::from_pairs(pairs))
}

fn parse_entity_ref(input: &Value, context: &Value) -> Result<Value, String> {
    if !js::is_true(input) {
        return Err("the entity reference is empty".to_owned());
    }
    let option = |name: &str| own(context, name).filter(|value| !value.is_undefined() && !value.is_none());
    let written = match js::kind(input) {
        Kind::Text(text) | Kind::Safe(text) => {
            let Some((kind, namespace, name)) = entity_ref::split(text) else {
                return Err(format!("`{text}` is not an entity reference"));
            };
            [kind.map(Value::from), namespace.map(Value::from), Some(Value::from(name))]
        }
        _ => ["kind", "namespace", "name"]
            .map(|name| own(input, name).filter(|value| !value.is_undefined() && !value.is_none())),
    };
    let [kind, namespace, name] = written;
    let kind = kind.or_else(|| option("defaultKind"));
    let namespace = namespace
        .or_else(|| option("defaultNamespace").filter(js::is_true))
        .unwrap_or_else(|| Value::from("default"));
    let mut pairs = Vec::new();
    for (part, value) in [("kind", kind), ("namespace", Some(namespace)), ("name", name)] {
        match value.filter(js::is_true) {
            Some(value) => pairs.push((part, value)),
            None => return Err(format!("the entity reference `{}` has no {part}", js::text(input))),
        }
    }
    Ok(Value::from_pairs(pairs))
}

/// Follows a path such as `metadata.annotations["a/b"][0]`.
fn pick(input: &Value, path: &Value, default: Option<&Value>) -> Value {
    let fallback = || default.cloned().unwrap_or(Value::UNDEFINED);
    let keys = match js::kind(path) {
        Kind::List => js::items(path).iter().map(|key| js::text(key).into_owned()).collect(),
        // A key with dots in it goes first
        _ => match own(input, &js::text(path)) {
            Some(value) => return if value.is_undefined() { fallback() } else { value },
            None => keys(&js::text(path)),
        },
    };
    if keys.is_empty() {
        return fallback();
    }
    let mut current = input.clone();
    for key in keys {
        match own(&current, &key) {
            Some(value) => current = value,
            None => return fallback(),
        }
    }
    if current.is_undefined() { fallback() } else { current }
}

fn keys(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = path;
    if rest.starts_with('.') {
        keys.push(String::new());
    }
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let quote = inside.chars().next().filter(|c| matches!(c, '"' | '\''));
            let closing = quote.map_or_else(|| "]".to_owned(), |quote| format!("{quote}]"));
            let inside = inside.get(quote.map_or(0, char::len_utf8)..).unwrap_or_default();
            let (key, after) = inside.split_once(&closing).unwrap_or((inside, ""));
            keys.push(key.to_owned());
            rest = after;
            continue;
        }
        let start = rest.strip_prefix('.').unwrap_or(rest);
        let end = start.find(['.', '[']).unwrap_or(start.len());
        let (key, after) = start.split_at(end);
        if !(key.is_empty() && after.starts_with('[')) {
            keys.push(key.to_owned());
        }
        rest = after;
    }
    keys
}
