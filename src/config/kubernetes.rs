//! What the configuration says about clusters and environments.
//!
//! Only data: `kubernetes::cluster` makes clusters of it.

use super::secret::SecretSource;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A cluster that stands in the configuration: `[[kubernetes.cluster]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterConfig {
    /// Unique name.
    pub name: String,
    /// What people call it.
    #[serde(default)]
    pub title: Option<String>,
    /// Address of the API server, or of the `/api/kubernetes` of a Backstage backend.
    #[serde(default)]
    pub url: Option<String>,
    /// Context of the kubeconfig that it is, to say more about it.
    #[serde(default)]
    pub context: Option<String>,
    /// Name of the catalog source whose Backstage backend reaches it.
    #[serde(default)]
    pub backstage: Option<String>,
    /// Where its token comes from.
    #[serde(default)]
    pub token: Option<SecretSource>,
    /// File with its certificate authority, PEM.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Its certificate authority, PEM as base64.
    #[serde(default)]
    pub ca_data: Option<String>,
    /// The server's certificate is not checked.
    #[serde(default)]
    pub skip_tls_verify: bool,
    /// metrics.k8s.io is not asked.
    #[serde(default)]
    pub skip_metrics: bool,
    /// Namespace to look into where a list over all is forbidden.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Web dashboard.
    #[serde(default)]
    pub dashboard_url: Option<String>,
    /// Custom resources in place of those of all clusters.
    #[serde(default)]
    pub custom_resources: Option<Vec<CustomResourceConfig>>,
}

/// A kind that is not built in: `[[kubernetes.custom_resource]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomResourceConfig {
    /// API group.
    pub group: String,
    /// Version.
    #[serde(alias = "apiVersion", alias = "api_version")]
    pub version: String,
    /// Plural, as in paths.
    pub plural: String,
}

/// An environment: `[env.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Environment {
    /// Names of the clusters that are it; `*` stands for any letters.
    pub contexts: Vec<String>,
    /// Colour of its mark: a colour of a theme; absent: the theme's own.
    pub colour: Option<String>,
    /// Changes need an unlock; absent: only where its name begins with `prod`.
    pub protected: Option<bool>,
}

/// All environments, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Environments(pub BTreeMap<String, Environment>);

impl Environments {
    /// Returns the environment of a cluster: the first whose patterns name it, else the one whose own name the
    /// cluster's begins or ends with (`prod` of `prod-eu`), else none.
    pub fn of_cluster(&self, cluster: &str) -> Option<&str> {
        let by_pattern =
            self.0.iter().find(|(_, env)| env.contexts.iter().any(|pattern| is_match(pattern, cluster)));
        let is_part = |name: &str| {
            !name.is_empty() && cluster.split(|c: char| !c.is_alphanumeric()).any(|part| part == name)
        };
        by_pattern
            .or_else(|| self.0.iter().find(|(name, env)| env.contexts.is_empty() && is_part(name)))
            .map(|(name, _)| name.as_str())
    }

    /// Returns whether changes to a cluster need an unlock: its environment says so, or its environment's name or,
    /// without one, a part of its own name begins with `prod`.
    pub fn is_protected(&self, cluster: &str) -> bool {
        let starts = |name: &str| name.to_lowercase().starts_with("prod");
        match self.of_cluster(cluster) {
            Some(name) => self.0.get(name).and_then(|env| env.protected).unwrap_or_else(|| starts(name)),
            None => cluster.split(|c: char| !c.is_alphanumeric()).any(starts),
        }
    }

    /// Returns the colour of an environment.
    pub fn colour(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.colour.as_deref()
    }
}

/// Returns whether a text fits a pattern in which `*` stands for any letters.
pub fn is_match(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or(""),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        let cases = [
            ("prod-*", "prod-eu", true),
            ("prod-*", "preprod-eu", false),
            ("*", "", true),
            ("*eu*1", "gke-eu-west-1", true),
            ("*eu*1", "gke-eu-west-2", false),
            ("kind", "kind", true),
            ("kind", "kind-2", false),
            ("a*a", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(is_match(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn protection_follows_name_unless_said() {
        let env = |contexts: &[&str], protected| Environment {
            contexts: contexts.iter().map(|c| (*c).to_owned()).collect(),
            colour: None,
            protected,
        };
        let environments = Environments(BTreeMap::from([
            ("production".to_owned(), env(&["eu-live"], None)),
            ("prodtest".to_owned(), env(&["pt-*"], Some(false))),
            ("staging".to_owned(), env(&[], Some(true))),
        ]));
        let cases = [
            ("eu-live", Some("production"), true),
            ("pt-1", Some("prodtest"), false),
            ("acme-staging-2", Some("staging"), true),
            ("prod-us", None, true),
            ("acme-prod", None, true),
            ("PROD", None, true),
            ("kind", None, false),
            ("reproduce", None, false),
        ];
        for (cluster, environment, protected) in cases {
            assert_eq!(environments.of_cluster(cluster), environment, "{cluster}");
            assert_eq!(environments.is_protected(cluster), protected, "{cluster}");
        }
    }
}
