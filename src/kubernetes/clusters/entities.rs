//! Clusters that the catalog describes: `Resource` entities of type `kubernetes-cluster`. Source: Backstage,
//! *Kubernetes, catalog cluster locator*.
//!
//! Anybody who can edit a descriptor can name a server here, so no credential of this machine is ever sent to one:
//! entities that need a login say which command makes a context of one's own.

use super::super::client::command_of_provider;
use super::super::cluster::{Cluster, Connection};
use crate::catalog::{Catalog, Entity};
use base64::Engine as _;

/// Most clusters that a catalog may bring.
const MAX_CLUSTERS: usize = 200;

/// Returns the clusters of a catalog. Looks at every entity, so it blocks.
pub fn of_catalog(catalog: &Catalog) -> Vec<Cluster> {
    catalog
        .entities()
        .filter(|entity| {
            entity.kind().eq_ignore_ascii_case("resource") && entity.entity_type() == "kubernetes-cluster"
        })
        .take(MAX_CLUSTERS)
        .filter_map(|entity| of_entity(&entity))
        .collect()
}

/// Returns the cluster of an entity; `None` where it does not say how it is reached.
fn of_entity(entity: &Entity<'_>) -> Option<Cluster> {
    let said = |name: &str| {
        let key = format!("kubernetes.io/{name}");
        entity.annotation(&key).map(str::trim).filter(|text| !text.is_empty())
    };
    let (url, authority) = (said("api-server")?, said("api-server-certificate-authority")?);
    let provider = said("auth-provider")?;
    let is = |name: &str| said(name) == Some("true");
    let connection = connection(url, authority, provider, is("skip-tls-verify"));
    let name = entity.metadata("name").as_str()?;
    let mut cluster = Cluster::new(name, format!("entity {}", entity.entity_ref()), connection);
    if let Some(title) = entity.metadata("title").as_str() {
        cluster.title = title.into();
    }
    cluster.skip_metrics = is("skip-metrics-lookup") || provider == "localKubectlProxy";
    cluster.dashboard = said("dashboard-url").map(str::to_owned);
    Some(cluster)
}

fn connection(
    url: &str,
    authority: &str,
    provider: &str,
    skip_tls_verify: bool,
) -> Result<Connection, String> {
    match provider {
        "localKubectlProxy" => {
            let token = None;
            Ok(Connection::Direct { url: url.to_owned(), token, authority: pem(authority), skip_tls_verify })
        }
        "serviceAccount" => {
            Err("its auth provider `serviceAccount` is not allowed for clusters of the catalog: \
                                 describe it under [[kubernetes.cluster]] with a `token`"
                .to_owned())
        }
        provider => Err(format!(
            "its auth provider `{}` needs a login of your own: {}; a context of the same name takes its place",
            super::super::client::fault::clean(provider),
            command_of_provider(provider)
        )),
    }
}

/// Reads a certificate authority: PEM, or PEM as base64. One that cannot be read is none.
fn pem(text: &str) -> Option<Vec<u8>> {
    if text.contains("-----BEGIN") {
        return Some(text.as_bytes().to_vec());
    }
    let packed: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD.decode(packed).ok()?;
    bytes.starts_with(b"-----BEGIN").then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::testing;

    fn entity(name: &str, url: &str, provider: &str) -> String {
        format!(
            "kind: Resource\nname: {name}\ntype: kubernetes-cluster\nowner: ops\nannotations:\n  \
             kubernetes.io/api-server: {url}\n  kubernetes.io/api-server-certificate-authority: LS0tLS1CRUdJTiA=\n  \
             kubernetes.io/auth-provider: {provider}\n"
        )
    }

    #[test]
    fn entities_are_clusters_without_our_credentials() {
        let texts = [
            entity("local", "http://127.0.0.1:8001", "localKubectlProxy"),
            entity("gke", "https://10.0.0.1", "google"),
            entity("sa", "https://10.0.0.2", "serviceAccount"),
            "kind: Resource\nname: half\ntype: kubernetes-cluster\n".to_owned(),
        ];
        let catalog = testing::catalog(&texts.join("---\n"));
        let clusters = of_catalog(&catalog);
        let found = |name: &str| clusters.iter().find(|cluster| &*cluster.name == name).unwrap();
        assert_eq!(clusters.len(), 3);
        let local = found("local");
        assert!(matches!(&local.connection, Ok(Connection::Direct { token: None, authority: Some(_), .. })));
        assert!(local.skip_metrics && local.origin.contains("resource:default/local"));
        let cause = |name: &str| found(name).connection.as_ref().map(|_| ()).unwrap_err().clone();
        assert!(cause("gke").contains("gcloud container clusters get-credentials"), "{}", cause("gke"));
        assert!(cause("sa").contains("not allowed"), "{}", cause("sa"));
    }
}
