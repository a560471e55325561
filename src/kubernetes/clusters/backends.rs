//! Clusters that a Backstage backend reaches for us: `GET /api/kubernetes/clusters`.

use super::super::client::fault::{FaultKind, clean};
use super::super::client::{self, command_of_provider};
use super::super::cluster::{Cluster, Connection};
use super::super::hub::keeper::get;
use crate::config::source::SourceConfig;
use serde::Deserialize;
use std::time::Duration;

/// How long a backend may take to answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Most clusters that a backend may bring.
const MAX_CLUSTERS: usize = 200;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    name: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    dashboard_url: Option<String>,
    #[serde(default)]
    auth_provider: String,
}

/// Returns the address of the Kubernetes part of a backend.
pub fn base(backend: &str) -> String {
    let base = backend.trim_end_matches('/');
    let base = base.strip_suffix("/api/catalog").unwrap_or(base);
    format!("{base}/api/kubernetes")
}

/// Asks a backend for its clusters; a backend without Kubernetes has none.
///
/// # Errors
/// Why it does not tell.
pub async fn of_backend(source: &SourceConfig) -> Result<Vec<Cluster>, String> {
    let Some(url) = &source.url else { return Ok(Vec::new()) };
    let base = base(url);
    let asked =
        Connection::Backstage { proxy: base.clone(), cluster: String::new(), token: source.token.clone() };
    let link = client::connect(&asked).await?;
    let text = match get(&link.client, "/clusters", TIMEOUT).await {
        Ok(text) => text,
        Err(Some(error)) => {
            let fault = link.tell(&error);
            return if fault.kind == FaultKind::NotFound { Ok(Vec::new()) } else { Err(fault.text) };
        }
        Err(None) => return Err(format!("{} does not answer in time", link.address)),
    };
    Ok(read(&text, &base, source))
}

fn read(text: &str, base: &str, source: &SourceConfig) -> Vec<Cluster> {
    let items = serde_json::from_str::<Answer>(text).map(|answer| answer.items).unwrap_or_default();
    let cluster = |item: Item| {
        let connection = match item.auth_provider.as_str() {
            // the backend has a credential of its own for the others
            provider @ ("google" | "oidc" | "aks") => Err(format!(
                "its auth provider `{provider}` needs a login of your own, which the backend of `{}` cannot pass \
                 on: {}",
                source.name,
                command_of_provider(provider)
            )),
            _ => Ok(Connection::Backstage {
                proxy: format!("{base}/proxy"),
                cluster: item.name.clone(),
                token: source.token.clone(),
            }),
        };
        let origin = format!("backend of the source {}", source.name);
        let mut cluster = Cluster::new(&clean(&item.name), origin, connection);
        if let Some(title) = item.title {
            cluster.title = clean(&title).into();
        }
        cluster.dashboard = item.dashboard_url;
        cluster
    };
    items.into_iter().filter(|item| !item.name.is_empty()).take(MAX_CLUSTERS).map(cluster).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_of_a_backend_are_read() {
        let source: SourceConfig =
            toml::from_str("type = 'backstage'\nname = 'company'\nurl = 'https://portal.test/'").unwrap();
        let text = r#"{"items": [
            {"name": "prod", "title": "Production", "authProvider": "serviceAccount"},
            {"name": "edge", "authProvider": "google"}, {"name": ""}]}"#;
        let clusters = read(text, &base("https://portal.test/"), &source);
        assert_eq!(clusters.len(), 2);
        assert_eq!(&*clusters[0].title, "Production");
        let proxy = "https://portal.test/api/kubernetes/proxy";
        assert!(
            matches!(&clusters[0].connection, Ok(Connection::Backstage { proxy: known, .. }) if known == proxy)
        );
        assert!(clusters[1].connection.as_ref().is_err_and(|cause| cause.contains("`company`")));
        assert!(read("<html>", "", &source).is_empty());
    }
}
