//! Which clusters there are, before anything is asked of them.

use crate::config::secret::SecretSource;
use crate::config::theme::Color;
use std::path::PathBuf;
use std::sync::Arc;

/// A cluster as it was found: how it is called, how it is reached, where that is written.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Unique name: the context's, the configured one, the entity's.
    pub name: Arc<str>,
    /// What people call it; the name where nobody said.
    pub title: Arc<str>,
    /// Environment it belongs to, by the `[env.NAME]` sections; empty when none.
    pub environment: Arc<str>,
    /// Changes need an unlock.
    pub is_protected: bool,
    /// Colour of its environment; `None` for the theme's own.
    pub colour: Option<Color>,
    /// Where it is described, for people: `kubeconfig /home/ana/.kube/config, context prod-eu`.
    pub origin: String,
    /// How it is reached; or why it cannot be, in a sentence.
    pub connection: Result<Connection, String>,
    /// Namespace to look into where a list over all is forbidden; the context's own one.
    pub namespace: Option<Arc<str>>,
    /// metrics.k8s.io is not asked.
    pub skip_metrics: bool,
    /// Custom resources of this cluster; `None` means those of the configuration.
    pub custom_resources: Option<Vec<CustomResource>>,
    /// Web dashboard.
    pub dashboard: Option<String>,
}

impl Cluster {
    /// Returns the name under which its protection is lifted: its environment, else its own.
    pub fn lock(&self) -> &Arc<str> {
        if self.environment.is_empty() { &self.name } else { &self.environment }
    }
}

/// How a cluster is reached.
#[derive(Debug, Clone)]
pub enum Connection {
    /// A context of a kubeconfig, merged from these files.
    Kubeconfig {
        /// The files, in the order of `$KUBECONFIG`.
        files: Vec<PathBuf>,
        /// Name of the context.
        context: String,
    },
    /// The service account of the pod we run in.
    InCluster,
    /// An address with credentials of our own.
    Direct {
        /// Address of the API server.
        url: String,
        /// Where its bearer token comes from; read whenever a connection is made.
        token: Option<SecretSource>,
        /// Certificate authority, PEM.
        authority: Option<Vec<u8>>,
        /// Do not check the server's certificate.
        skip_tls_verify: bool,
    },
    /// Through the Kubernetes proxy of a Backstage backend.
    Backstage {
        /// `<backend>/api/kubernetes/proxy`.
        proxy: String,
        /// Name the backend knows the cluster by.
        cluster: String,
        /// Where the token for the backend comes from; read whenever a connection is made.
        token: Option<SecretSource>,
    },
}

/// A kind that the configuration adds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CustomResource {
    /// API group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Plural, as in paths.
    pub plural: String,
}

impl Cluster {
    /// Makes one that belongs to no environment, with its name as title.
    pub fn new(name: &str, origin: String, connection: Result<Connection, String>) -> Self {
        Self {
            name: name.into(),
            title: name.into(),
            environment: "".into(),
            is_protected: false,
            colour: None,
            origin,
            connection,
            namespace: None,
            skip_metrics: false,
            custom_resources: None,
            dashboard: None,
        }
    }
}
