//! Finds the clusters there are: contexts of kubeconfig files, the service account of a pod we run in, and what the
//! configuration adds.
//!
//! Start at [`discover`]. Nothing is asked over the network. What is broken becomes a cluster that says why, so
//! that nothing disappears.

pub mod backends;
pub mod entities;

use super::client::kubeconfig;
use super::cluster::{Cluster, Connection, CustomResource};
use crate::catalog::Catalog;
use crate::config::kubernetes::{ClusterConfig, CustomResourceConfig, Environments, is_match};
use crate::config::source::SourceConfig;
use crate::config::theme::read_color;
use base64::Engine as _;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where to look for clusters.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Kubeconfig files, in the order in which they count.
    pub kubeconfig: Vec<PathBuf>,
    /// This process runs in a pod that has a service account.
    pub is_in_cluster: bool,
}

/// What the configuration says about clusters.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Patterns of the contexts that are used; empty for all.
    pub contexts: Vec<String>,
    /// Clusters beside those of the kubeconfig, and more about some of these.
    pub clusters: Vec<ClusterConfig>,
    /// Environments.
    pub environments: Environments,
    /// Catalog sources, some of which are backends that reach clusters.
    pub sources: Vec<SourceConfig>,
    /// Custom resources of clusters that name none of their own.
    pub custom: Vec<CustomResourceConfig>,
}

impl Wanted {
    /// Says of clusters which environment they belong to and which custom resources they have.
    pub fn complete(&self, clusters: &mut [Cluster]) {
        for cluster in clusters {
            cluster.environment = self.environments.of_cluster(&cluster.name).unwrap_or("").into();
            cluster.is_protected = self.environments.is_protected(&cluster.name);
            cluster.colour = self.environments.colour(&cluster.environment).and_then(read_color);
            cluster.custom_resources.get_or_insert_with(|| self.custom.iter().map(custom).collect());
        }
    }
}

impl Places {
    /// Takes the places from the environment: all files of `$KUBECONFIG`, else `~/.kube/config`.
    pub fn from_environment() -> Self {
        let named = std::env::var_os("KUBECONFIG").map(|value| {
            std::env::split_paths(&value).filter(|path| !path.as_os_str().is_empty()).collect::<Vec<_>>()
        });
        let kubeconfig = named.filter(|files| !files.is_empty()).unwrap_or_else(|| {
            let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().join(".kube").join("config"));
            // the usual file need not be there
            home.filter(|file| file.exists()).into_iter().collect()
        });
        let has_account = Path::new("/var/run/secrets/kubernetes.io/serviceaccount/token").exists();
        let is_in_cluster = has_account && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
        Self { kubeconfig, is_in_cluster }
    }
}

/// Returns all clusters, by name. Reads files, so it blocks; asks nobody.
pub fn discover(places: &Places, wanted: &Wanted) -> Vec<Cluster> {
    let mut clusters = Vec::new();
    if !places.kubeconfig.is_empty() {
        let read = kubeconfig::read(&places.kubeconfig);
        let is_wanted = |name: &str| {
            wanted.contexts.is_empty() || wanted.contexts.iter().any(|pattern| is_match(pattern, name))
        };
        for (name, file, _) in read.contexts.iter().filter(|(name, _, _)| is_wanted(name)) {
            clusters.push(of_context(&read, name, file, &places.kubeconfig));
        }
        clusters.extend(read.broken.iter().map(|(file, cause)| of_broken_file(file, cause)));
    }
    if places.is_in_cluster {
        let origin = "the service account of this pod".to_owned();
        clusters.push(Cluster::new("in-cluster", origin, Ok(Connection::InCluster)));
    }
    for config in &wanted.clusters {
        match config.context.as_deref() {
            Some(context) => adorn_context(&mut clusters, config, context),
            None => clusters.push(of_config(config, &wanted.sources)),
        }
    }
    wanted.complete(&mut clusters);
    make_unique(&mut clusters);
    clusters.sort_by(|a, b| a.name.cmp(&b.name));
    clusters
}

/// Returns all clusters with those that the catalog describes and those behind Backstage backends, as an open screen
/// finds them one after the other. Backends are asked, each for as long as `limit` at most; the second part tells
/// which of them did not answer.
pub async fn discover_all(
    places: &Places,
    wanted: &Wanted,
    catalog: &Catalog,
    limit: Duration,
) -> (Vec<Cluster>, Vec<String>) {
    let mut found = discover(places, wanted);
    let mut faults = Vec::new();
    let mut beside = entities::of_catalog(catalog);
    let sources = wanted.sources.iter().filter(|source| source.kind == "backstage");
    let asked = sources.map(|source| async move {
        let answer = tokio::time::timeout(limit, backends::of_backend(source)).await;
        (&source.name, answer.unwrap_or_else(|_| Err("no answer in time".to_owned())))
    });
    for (source, answer) in futures_util::future::join_all(asked).await {
        match answer {
            Ok(clusters) => beside.extend(clusters),
            Err(cause) => faults.push(format!("the clusters behind `{source}` are not known: {cause}")),
        }
    }
    wanted.complete(&mut beside);
    for cluster in beside {
        // contexts and configured clusters come first, they take the names
        if !found.iter().any(|known| known.name == cluster.name) {
            found.push(cluster);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    (found, faults)
}

/// Takes what the configuration says beyond the connection.
fn adorn(cluster: &mut Cluster, config: &ClusterConfig) {
    cluster.name = config.name.as_str().into();
    cluster.title = config.title.as_deref().unwrap_or(&config.name).into();
    cluster.skip_metrics = config.skip_metrics;
    cluster.dashboard.clone_from(&config.dashboard_url);
    cluster.namespace = config.namespace.as_deref().map(Arc::from).or(cluster.namespace.take());
    cluster.custom_resources = config.custom_resources.as_ref().map(|own| own.iter().map(custom).collect());
}

/// Says more about a context of the kubeconfig.
fn adorn_context(clusters: &mut Vec<Cluster>, config: &ClusterConfig, context: &str) {
    let is_it = |cluster: &&mut Cluster| {
        matches!(&cluster.connection, Ok(Connection::Kubeconfig { context: known, .. }) if known == context)
            || &*cluster.name == context
    };
    if let Some(cluster) = clusters.iter_mut().find(is_it) {
        return adorn(cluster, config);
    }
    let problem = format!("its context `{context}` stands in no kubeconfig");
    let mut cluster = Cluster::new(&config.name, origin_of(config), Err(problem));
    adorn(&mut cluster, config);
    clusters.push(cluster);
}

fn of_config(config: &ClusterConfig, sources: &[SourceConfig]) -> Cluster {
    let connection = match &config.backstage {
        Some(source) => through_backstage(config, source, sources),
        None => directly(config),
    };
    let mut cluster = Cluster::new(&config.name, origin_of(config), connection);
    adorn(&mut cluster, config);
    cluster
}

fn origin_of(config: &ClusterConfig) -> String {
    format!("[[kubernetes.cluster]] `{}` of the configuration", config.name)
}

fn directly(config: &ClusterConfig) -> Result<Connection, String> {
    let url = config.url.clone().ok_or("it has no address: write `url`, `context` or `backstage`")?;
    let authority = match (&config.ca_data, &config.ca_file) {
        (Some(data), _) => {
            let text: String = data.split_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD.decode(text);
            Some(bytes.map_err(|_| "its `ca_data` is not base64")?)
        }
        (None, Some(file)) => {
            let read = std::fs::read(file);
            Some(read.map_err(|error| format!("its `ca_file` {} cannot be read: {error}", file.display()))?)
        }
        (None, None) => None,
    };
    let (token, skip_tls_verify) = (config.token.clone(), config.skip_tls_verify);
    Ok(Connection::Direct { url, token, authority, skip_tls_verify })
}

fn through_backstage(
    config: &ClusterConfig,
    source: &str,
    sources: &[SourceConfig],
) -> Result<Connection, String> {
    let known = sources.iter().find(|known| known.name == source);
    let known = known.ok_or_else(|| format!("its `backstage` names the source `{source}`, which is none"))?;
    let url = known.url.as_deref().ok_or_else(|| format!("the source `{source}` has no address"))?;
    let token = config.token.clone().or_else(|| known.token.clone());
    let proxy = format!("{}/proxy", backends::base(url));
    Ok(Connection::Backstage { proxy, cluster: config.name.clone(), token })
}

/// Takes a custom resource of the configuration.
pub fn custom(config: &CustomResourceConfig) -> CustomResource {
    CustomResource {
        group: config.group.clone(),
        version: config.version.clone(),
        plural: config.plural.clone(),
    }
}

/// Returns all custom resources that any cluster may have; kinds count into this list.
pub fn all_custom(global: &[CustomResourceConfig], clusters: &[ClusterConfig]) -> Vec<CustomResource> {
    let own = clusters.iter().flat_map(|cluster| cluster.custom_resources.iter().flatten());
    let mut all: Vec<CustomResource> = Vec::new();
    for resource in global.iter().chain(own).map(custom) {
        if !all.contains(&resource) {
            all.push(resource);
        }
    }
    all
}

fn of_context(read: &kubeconfig::Read, name: &str, file: &Path, files: &[PathBuf]) -> Cluster {
    let origin = format!("kubeconfig {}, context {name}", file.display());
    let connection = match read.of_context(name) {
        Ok(_) => Ok(Connection::Kubeconfig { files: files.to_vec(), context: name.to_owned() }),
        Err(cause) => Err(format!("context `{name}` of {} cannot be used: {cause}", file.display())),
    };
    let context = read.contexts.iter().find(|(known, _, _)| known == name);
    let namespace = context.and_then(|(_, _, context)| context.as_ref().ok()?.namespace.clone());
    let mut cluster = Cluster::new(name, origin, connection);
    cluster.namespace = namespace.filter(|name| !name.is_empty()).map(Arc::from);
    cluster
}

fn of_broken_file(file: &Path, cause: &str) -> Cluster {
    let name = file.file_name().map_or_else(|| "kubeconfig".into(), |name| name.to_string_lossy());
    let problem = format!("{} cannot be read: {cause}", file.display());
    Cluster::new(&name, format!("kubeconfig {}", file.display()), Err(problem))
}

/// Gives clusters of the same name a number; the first keeps its name.
fn make_unique(clusters: &mut [Cluster]) {
    let mut taken = BTreeSet::new();
    for cluster in clusters {
        let mut name = cluster.name.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{}-{number}", cluster.name).into();
            number += 1;
        }
        cluster.name = name;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_contexts_and_files_are_rows_with_their_cause() {
        let folder = tempfile::tempdir().unwrap();
        let good = folder.path().join("good");
        std::fs::write(
            &good,
            "clusters: [{name: c, cluster: {server: 'https://localhost:1'}}]\n\
             contexts:\n- {name: shop, context: {cluster: c, namespace: shop}}\n- {name: lost, context: {cluster: d}}\n",
        )
        .unwrap();
        let bad = folder.path().join("shop");
        std::fs::write(&bad, "clusters: [").unwrap();
        let places = Places { kubeconfig: vec![good, bad.clone()], is_in_cluster: true };
        let clusters = discover(&places, &Wanted::default());
        let names: Vec<&str> = clusters.iter().map(|cluster| &*cluster.name).collect();
        assert_eq!(names, ["in-cluster", "lost", "shop", "shop-2"]);
        let shop = &clusters[2];
        assert!(shop.connection.is_ok() && !shop.is_protected);
        assert_eq!(shop.namespace.as_deref(), Some("shop"));
        let cause = |index: usize| clusters[index].connection.as_ref().map(|_| ()).unwrap_err().clone();
        assert!(cause(1).contains("context `lost`") && cause(1).contains("`d`"), "{}", cause(1));
        assert!(cause(3).contains(&bad.display().to_string()), "{}", cause(3));
    }

    fn config(text: &str) -> ClusterConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn configured_clusters_stand_beside_contexts() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let text = "clusters: [{name: c, cluster: {server: 'https://localhost:1'}}]\n\
                    contexts:\n- {name: kind-a, context: {cluster: c}}\n- {name: gke-live, context: {cluster: c}}\n";
        std::fs::write(&file, text).unwrap();
        let places = Places { kubeconfig: vec![file], is_in_cluster: false };
        let source: SourceConfig =
            toml::from_str("type = 'backstage'\nname = 'company'\nurl = 'https://portal.test/'").unwrap();
        let wanted = Wanted {
            contexts: vec!["gke-*".to_owned()],
            clusters: vec![
                config("name = 'prod-eu'\ncontext = 'gke-live'\ntitle = 'Production'"),
                config("name = 'edge'\nurl = 'https://edge:6443'\nskip_tls_verify = true"),
                config("name = 'far'\nbackstage = 'company'"),
                config("name = 'lost'\nbackstage = 'nobody'"),
                config("name = 'nowhere'"),
            ],
            sources: vec![source],
            ..Wanted::default()
        };
        let clusters = discover(&places, &wanted);
        let names: Vec<&str> = clusters.iter().map(|cluster| &*cluster.name).collect();
        assert_eq!(names, ["edge", "far", "lost", "nowhere", "prod-eu"]);
        assert!(matches!(&clusters[0].connection, Ok(Connection::Direct { skip_tls_verify: true, .. })));
        let proxy = "https://portal.test/api/kubernetes/proxy";
        assert!(
            matches!(&clusters[1].connection, Ok(Connection::Backstage { proxy: known, .. }) if known == proxy)
        );
        assert!(clusters[2].connection.as_ref().is_err_and(|cause| cause.contains("`nobody`")));
        assert!(clusters[3].connection.as_ref().is_err_and(|cause| cause.contains("`url`")));
        assert!(clusters[4].is_protected && &*clusters[4].title == "Production");
    }

    #[test]
    fn the_catalog_adds_clusters_whose_names_are_free() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config");
        let text = "clusters: [{name: c, cluster: {server: 'https://localhost:1'}}]\n\
                    contexts:\n- {name: edge, context: {cluster: c}}\n";
        std::fs::write(&file, text).unwrap();
        let places = Places { kubeconfig: vec![file], is_in_cluster: false };
        let entity = |name: &str| {
            format!(
                "kind: Resource\nname: {name}\ntype: kubernetes-cluster\nowner: ops\nannotations:\n  \
                 kubernetes.io/api-server: http://127.0.0.1:1\n  \
                 kubernetes.io/api-server-certificate-authority: LS0tLS1CRUdJTiA=\n  \
                 kubernetes.io/auth-provider: localKubectlProxy\n"
            )
        };
        let catalog = crate::catalog::testing::catalog(&[entity("prod-far"), entity("edge")].join("---\n"));
        let source: SourceConfig =
            toml::from_str("type = 'backstage'\nname = 'company'\nurl = 'http://127.0.0.1:1'").unwrap();
        let wanted = Wanted { sources: vec![source], ..Wanted::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let limit = Duration::from_secs(20);
        let (found, faults) = runtime.block_on(discover_all(&places, &wanted, &catalog, limit));
        let names: Vec<&str> = found.iter().map(|cluster| &*cluster.name).collect();
        assert_eq!(names, ["edge", "prod-far"]);
        assert!(matches!(&found[0].connection, Ok(Connection::Kubeconfig { .. })));
        assert!(found[1].is_protected);
        assert!(matches!(faults.as_slice(), [fault] if fault.contains("`company`")), "{faults:?}");
    }

    #[test]
    fn nothing_there_is_no_cluster() {
        assert!(discover(&Places::default(), &Wanted::default()).is_empty());
    }
}
