//! Clusters for commands: which there are, what is asked of them, and what to tell of those that did not answer.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::Output;
use super::session::Session;
use crate::config::kubernetes::is_match;
use crate::config::setting;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::cluster::CustomResource;
use crate::kubernetes::clusters;
use crate::kubernetes::lookup::{self, Look, Wish};
use crate::kubernetes::select::Locator;
use crate::kubernetes::state::{Forbidden, Phase, State, Watch};
use crate::kubernetes::{Cluster, Kind, kind};
use crate::model::text::clean;
use std::collections::BTreeSet;
use std::time::Duration;

/// Names that are offered when one is wrong.
const CANDIDATES: usize = 10;
/// How long a cluster may take when nobody says.
const LIMIT: Duration = Duration::from_secs(10);

/// Which clusters a command is about.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ClusterArgs {
    /// Only this cluster, by the name of its context; `*` for any letters; repeatable
    #[arg(long, value_name = "NAME")]
    pub context: Vec<String>,
}

/// The clusters of a command with a runtime to ask them.
pub struct Clusters {
    list: Vec<Cluster>,
    look: Look,
    runtime: tokio::runtime::Runtime,
}

impl std::fmt::Debug for Clusters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clusters").field("list", &self.list).finish_non_exhaustive()
    }
}

impl Clusters {
    /// Finds the clusters of a session; asks none.
    ///
    /// # Errors
    /// When clusters are not to be asked, there is none, or none of the wanted names.
    pub fn find(session: &Session, global: &GlobalArgs, args: &ClusterArgs) -> Result<Self, CliError> {
        let config = &session.config;
        let Some(wanted) = session.wanted_clusters() else {
            return Err(CliError::usage(
                "clusters are not asked: the settings or `--offline` say so",
                "set `kubernetes.enabled = true` and leave `--offline` out",
            ));
        };
        let all = clusters::discover(&session.cluster_places()(), &wanted);
        let custom = config.custom_resources.iter().map(|custom| CustomResource {
            group: custom.group.clone(),
            version: custom.version.clone(),
            plural: custom.plural.clone(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        Ok(Self {
            list: choose(all, &args.context)?,
            look: Look {
                wishes: Vec::new(),
                kinds: Vec::new(),
                custom: custom.collect(),
                namespaces: config.words(&setting::KUBERNETES_NAMESPACES).to_vec(),
                locator: Locator::of_word(config.text(&setting::KUBERNETES_SERVICE_LOCATOR)),
                has_metrics: false,
                limit: global.timeout.unwrap_or(LIMIT),
            },
            runtime,
        })
    }

    /// Returns which clusters an entity is looked for in.
    pub fn locator(&self) -> Locator {
        self.look.locator
    }

    /// Returns the kinds that health looks at, custom resources too.
    pub fn health_kinds(&self) -> Vec<Kind> {
        let basic = kind::ALL.iter().filter(|row| row.is_basic).map(|row| row.kind);
        let custom = (0..self.look.custom.len()).filter_map(|at| u16::try_from(at).ok()).map(Kind::Custom);
        basic.chain(custom).collect()
    }

    /// Asks the clusters.
    pub fn look(&self, wishes: Vec<Wish>, kinds: Vec<Kind>, has_metrics: bool) -> State {
        let look = Look { wishes, kinds, has_metrics, ..self.look.clone() };
        self.runtime.block_on(lookup::look(&self.list, &look))
    }

    /// Returns whether a cluster has a namespace of this name; those that do not say count as having it.
    pub fn has_namespace(&self, name: &str) -> bool {
        self.runtime.block_on(lookup::has_namespace(&self.list, name, self.look.limit))
    }
}

fn choose(all: Vec<Cluster>, wanted: &[String]) -> Result<Vec<Cluster>, CliError> {
    if all.is_empty() {
        return Err(CliError::not_found(
            Diagnostic::error("kubernetes::no-cluster", "no cluster is configured")
                .hint("set `KUBECONFIG`, or write a `[[kubernetes.cluster]]` into `config.toml`"),
        ));
    }
    let names: Vec<String> =
        all.iter().take(CANDIDATES).map(|cluster| format!("`{}`", clean(&cluster.name))).collect();
    let is_wanted = |cluster: &Cluster| {
        wanted.is_empty() || wanted.iter().any(|pattern| is_match(pattern, &cluster.name))
    };
    let found: Vec<Cluster> = all.into_iter().filter(is_wanted).collect();
    if found.is_empty() {
        let message = format!("there is no cluster `{}`", wanted.join("`, `"));
        return Err(CliError::not_found(
            Diagnostic::error("kubernetes::no-cluster", message)
                .hint(format!("there are {}", names.join(", "))),
        ));
    }
    Ok(found)
}

/// Tells what could not be had of clusters and returns the exit code for it; `has_data` says whether anything was.
pub fn tell(state: &State, has_data: bool, out: &mut Output) -> Exit {
    let mut exit = Exit::Fine;
    let is_answered = state.clusters.iter().any(|cluster| cluster.phase == Phase::Live);
    for cluster in &*state.clusters {
        let name = clean(&cluster.cluster.name);
        if let Phase::Down { cause, .. } = &cluster.phase {
            let message = format!("cluster `{name}` does not answer: {}", clean(cause));
            out.diagnostic(
                &Diagnostic::warning("kubernetes::no-answer", message)
                    .hint(format!("described by {}", clean(&cluster.cluster.origin))),
            );
            exit = if is_answered { Exit::Incomplete } else { Exit::Unreachable };
            continue;
        }
        let mut told: BTreeSet<String> = BTreeSet::new();
        for table in cluster.tables.values() {
            let (forbidden, rest) = match &table.watch {
                Watch::Forbidden(forbidden) => (forbidden, ""),
                Watch::Partial { forbidden, .. } => (forbidden, "; single namespaces were read instead"),
                Watch::Stale { cause, .. } => {
                    if told.insert(cause.clone()) {
                        let message = format!("cluster `{name}` did not tell everything: {}", clean(cause));
                        out.diagnostic(&Diagnostic::warning("kubernetes::no-answer", message));
                        exit = worse(exit, Exit::Incomplete);
                    }
                    continue;
                }
                _ => continue,
            };
            let message = format!("{}{rest}", refusal(&name, forbidden));
            out.diagnostic(
                &Diagnostic::warning("kubernetes::forbidden", message).hint(clean(&forbidden.remedy)),
            );
            exit = worse(exit, if has_data || !rest.is_empty() { Exit::Incomplete } else { Exit::Refused });
        }
    }
    exit
}

/// `kind: "apps"` in words: who may not do what where.
fn refusal(cluster: &str, forbidden: &Forbidden) -> String {
    let who =
        if forbidden.user.is_empty() { String::new() } else { format!("`{}` ", clean(&forbidden.user)) };
    let place = match forbidden.namespace.as_str() {
        "" => "all namespaces".to_owned(),
        namespace => format!("namespace `{}`", clean(namespace)),
    };
    format!("{who}may not `{} {}` in {place} of cluster `{cluster}`", forbidden.verb, forbidden.resource)
}

fn worse(a: Exit, b: Exit) -> Exit {
    match (a, b) {
        (Exit::Fine, other) | (other, Exit::Fine) => other,
        (Exit::Unreachable, _) | (_, Exit::Unreachable) => Exit::Unreachable,
        (Exit::Incomplete, _) | (_, Exit::Incomplete) => Exit::Incomplete,
        (other, _) => other,
    }
}
