//! Clusters: which there are, whether they answer, and what may be read there.

use super::Finding;
use crate::catalog::Catalog;
use crate::cli::session::Session;
use crate::kubernetes::access::{Access, Act, who_am_i};
use crate::kubernetes::client::{self, Link};
use crate::kubernetes::{Cluster, clusters};
use crate::model::text::clean;
use std::sync::Arc;
use std::time::Duration;

/// How long a cluster may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Asks every cluster for its version, who we are and whether pods may be listed.
pub fn findings(session: &Session, catalog: &Catalog) -> Vec<Finding> {
    let Some(wanted) = session.wanted_clusters() else {
        return vec![Finding::ok("clusters", "not asked: the settings or `--offline` say so")];
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let Ok(runtime) = runtime else { return Vec::new() };
    let limit = session.timeout.map_or(LIMIT, |timeout| timeout.min(LIMIT));
    runtime.block_on(async {
        let places = session.cluster_places()();
        let (list, faults) = clusters::discover_all(&places, &wanted, catalog, limit).await;
        let mut findings =
            futures_util::future::join_all(list.iter().map(|cluster| one(cluster, limit))).await;
        let fix = "check the address and the token of the source, or ask whoever runs the backend";
        findings.extend(faults.iter().map(|fault| Finding::warn("clusters", clean(fault), fix)));
        if findings.is_empty() {
            findings
                .push(Finding::ok("clusters", "none: no kubeconfig, none in the settings or the catalog"));
        }
        findings
    })
}

async fn one(cluster: &Cluster, limit: Duration) -> Finding {
    let name = format!("cluster {}", clean(&cluster.name));
    let fix = format!("it is described by {}", clean(&cluster.origin));
    let link = match &cluster.connection {
        Ok(connection) => client::connect(connection).await.map_err(|fault| fault.text),
        Err(cause) => Err(cause.clone()),
    };
    let answer = match link {
        Ok(link) => ask(cluster, &link, limit).await,
        Err(cause) => Err(cause),
    };
    match answer {
        Err(cause) => Finding::fail(name, clean(&cause), fix),
        Ok((said, None)) => Finding::ok(name, said),
        Ok((said, Some(remedy))) => Finding::warn(name, said, remedy),
    }
}

/// Returns what the cluster says of itself and of us, and what to ask for where pods may not be listed everywhere.
async fn ask(cluster: &Cluster, link: &Link, limit: Duration) -> Result<(String, Option<String>), String> {
    let version = tokio::time::timeout(limit, link.client.apiserver_version()).await;
    let version = version.map_err(|_| format!("no answer within {} s", limit.as_secs()))?;
    let version = version.map_err(|error| link.tell(&error).text)?;
    let user = who_am_i(&link.client).await.unwrap_or_else(|| link.user.clone());
    let access = Access {
        client: link.client.clone(),
        cluster: cluster.name.clone(),
        user: user.clone(),
        cache: Arc::default(),
    };
    let you = if user.is_empty() { String::new() } else { format!(", you are {}", clean(&user)) };
    let said = format!("answers, {}{you}", clean(&version.git_version));
    Ok(match access.check(&Act::new("list", ("", "pods", ""), "")).await {
        Ok(()) => (said, None),
        Err(forbidden) => (
            format!("{said}; pods may not be listed in all namespaces"),
            Some(format!(
                "{}; or name namespaces you may read in `kubernetes.namespaces`",
                clean(&forbidden.remedy)
            )),
        ),
    })
}
