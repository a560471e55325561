//! What all that runs for the clusters shares.

use super::board::Board;
use super::keeper::{Session, get};
use crate::catalog::Catalog;
use crate::kubernetes::cluster::{Cluster, CustomResource};
use crate::kubernetes::clusters::Wanted;
use crate::kubernetes::logs::Limits;
use crate::kubernetes::select::Locator;
use crate::kubernetes::trim::Pool;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// How long a list of namespaces may take.
const NAMESPACES_TIMEOUT: Duration = Duration::from_secs(10);

/// What the configuration says beside the clusters.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Kinds beside the built-in ones; [`crate::kubernetes::Kind::Custom`] counts into them.
    pub custom: Vec<CustomResource>,
    /// Namespaces to look into where a list over all is forbidden.
    pub namespaces: Vec<String>,
    /// Versions to ask for first, by plural: `cronjobs` to `v1beta1`.
    pub versions: BTreeMap<String, String>,
    /// How much of a log stream is kept.
    pub log_limits: Limits,
    /// Cache folder for log lines that memory does not hold; none keeps them nowhere.
    pub log_cache: Option<PathBuf>,
    /// What the configuration says about clusters.
    pub wanted: Wanted,
    /// In which clusters an entity is looked for.
    pub locator: Locator,
}

/// What all that runs shares.
pub struct Shared {
    /// Where everything is written down.
    pub board: Arc<Board>,
    /// Strings that repeat.
    pub pool: Pool,
    /// What the configuration says.
    pub settings: Settings,
    /// The catalog as it was told last.
    pub catalog: watch::Sender<Option<Arc<Catalog>>>,
    /// Namespaces that a catalog names, with that catalog.
    named: Mutex<Option<Named>>,
}

/// Namespaces that a catalog names, with that catalog.
type Named = (Arc<Catalog>, Arc<BTreeSet<String>>);

impl Shared {
    /// Makes one.
    pub fn new(board: Arc<Board>, settings: Settings) -> Self {
        let catalog = watch::Sender::new(None);
        Self { board, pool: Pool::default(), settings, catalog, named: Mutex::default() }
    }

    /// Returns whether a cluster has a custom resource.
    pub fn has_custom(&self, cluster: &Cluster, at: u16) -> bool {
        let custom = self.settings.custom.get(usize::from(at));
        custom.is_some_and(|custom| cluster.custom_resources.as_ref().is_none_or(|own| own.contains(custom)))
    }

    /// Returns the namespaces to look into one by one: the context's, the configured ones, those that entities
    /// name, and those that we may list.
    pub async fn namespaces(
        self: &Arc<Self>,
        session: &Session,
        cluster: &Cluster,
        limit: usize,
    ) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = Vec::new();
        found.extend(cluster.namespace.clone());
        found.extend(session.link.namespace.clone());
        found.extend(self.settings.namespaces.iter().map(|name| name.as_str().into()));
        let shared = self.clone();
        let named = tokio::task::spawn_blocking(move || shared.named_by_entities()).await;
        found.extend(named.iter().flat_map(|named| named.iter().map(|name| name.as_str().into())));
        found.extend(listed(session).await);
        let mut known = BTreeSet::new();
        found.retain(|name| is_name(name) && known.insert(name.clone()));
        found.truncate(limit);
        found
    }

    /// Returns the namespaces that annotations of entities name. Looks at every entity, so it blocks.
    fn named_by_entities(&self) -> Arc<BTreeSet<String>> {
        let Some(catalog) = self.catalog.borrow().clone() else { return Arc::default() };
        let mut kept = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, named)) if Arc::ptr_eq(of, &catalog) => named.clone(),
            _ => {
                let annotation = "backstage.io/kubernetes-namespace";
                let names = catalog.entities().filter_map(|entity| entity.annotation(annotation));
                let named: Arc<BTreeSet<String>> = Arc::new(names.map(str::to_owned).collect());
                *kept = Some((catalog.clone(), named.clone()));
                named
            }
        }
    }
}

/// Returns the namespaces that the server lists for us; none when we may not.
async fn listed(session: &Session) -> Vec<Arc<str>> {
    let path = "/api/v1/namespaces?limit=500";
    let Ok(text) = get(&session.link.client, path, NAMESPACES_TIMEOUT).await else { return Vec::new() };
    let list: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let items = list.get("items").and_then(serde_json::Value::as_array);
    let name = |item: &serde_json::Value| Some(item.pointer("/metadata/name")?.as_str()?.into());
    items.into_iter().flatten().filter_map(name).collect()
}

/// Whether a text can be the name of a namespace; it becomes part of a path.
fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !name.is_empty() && name.len() <= 63 && name.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_become_paths() {
        for (name, expected) in
            [("shop", true), ("a-1", true), ("", false), ("a/b", false), ("A", false), ("..", false)]
        {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }
}
