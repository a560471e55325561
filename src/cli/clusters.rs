//! Clusters for commands: which there are, what is asked of them, and what to tell of those that did not answer.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::Output;
use super::session::{Session, SourcesFrom};
use crate::catalog::Catalog;
use crate::config::kubernetes::is_match;
use crate::config::setting;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::clusters;
use crate::kubernetes::lookup::{self, Look, Wish};
use crate::kubernetes::select::Locator;
use crate::kubernetes::state::{ClusterState, Forbidden, Phase, State, Watch};
use crate::kubernetes::watch::place::overrides;
use crate::kubernetes::{Cluster, Kind, kind};
use crate::model::text::clean;
use std::collections::BTreeSet;
use std::time::Duration;

/// Names that are offered when one is wrong.
const CANDIDATES: usize = 10;
/// How long a cluster may take when nobody says.
const LIMIT: Duration = Duration::from_secs(10);
/// How long something may take that is only a remark.
const GLANCE: Duration = Duration::from_secs(2);

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
    /// Finds the clusters of a session, those that its catalog describes and those behind its backends too.
    ///
    /// # Errors
    /// When clusters are not to be asked, there is none, or none of the wanted names.
    pub fn find(
        session: &Session,
        catalog: Option<&Catalog>,
        global: &GlobalArgs,
        args: &ClusterArgs,
        out: &mut Output,
    ) -> Result<Self, CliError> {
        let config = &session.config;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let limit = global.timeout.unwrap_or(LIMIT);
        let list = of_session(session, catalog, (&args.context, limit), &runtime, out)?;
        Ok(Self {
            list,
            look: Look {
                wishes: Vec::new(),
                kinds: Vec::new(),
                custom: clusters::all_custom(&config.custom_resources, &config.clusters).into(),
                namespaces: config.words(&setting::KUBERNETES_NAMESPACES).to_vec(),
                versions: overrides(config.words(&setting::KUBERNETES_API_VERSIONS)),
                locator: Locator::of_word(config.text(&setting::KUBERNETES_SERVICE_LOCATOR)),
                has_metrics: false,
                limit,
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

    /// Returns a cluster by name.
    pub fn named(&self, name: &str) -> Option<&Cluster> {
        self.list.iter().find(|cluster| &*cluster.name == name)
    }

    /// Runs something that asks clusters to its end.
    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
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

    /// Returns whether a cluster that answered says that it has a namespace of this name.
    pub fn surely_has_namespace(&self, state: &State, name: &str) -> bool {
        let is_live =
            |cluster: &&Cluster| state.cluster(&cluster.name).is_some_and(|known| known.phase == Phase::Live);
        let live: Vec<&Cluster> = self.list.iter().filter(is_live).collect();
        self.runtime.block_on(lookup::surely_has_namespace(&live, name, self.look.limit.min(GLANCE)))
    }
}

/// Returns the clusters of a session whose names fit one of the patterns, all for no pattern. The catalog is read,
/// unless it was, when a pattern fits none that is known without it, or there is no pattern.
///
/// # Errors
/// When clusters are not to be asked, there is none, or none of the wanted names.
pub fn of_session(
    session: &Session,
    catalog: Option<&Catalog>,
    (wanted, limit): (&[String], Duration),
    runtime: &tokio::runtime::Runtime,
    out: &mut Output,
) -> Result<Vec<Cluster>, CliError> {
    let Some(settings) = session.wanted_clusters() else {
        return Err(CliError::usage(
            "clusters are not asked: the settings or `--offline` say so",
            "set `kubernetes.enabled = true` and leave `--offline` out",
        ));
    };
    let places = session.cluster_places()();
    let near = clusters::discover(&places, &settings);
    let is_named = |pattern: &String| {
        !pattern.contains('*') && near.iter().any(|cluster| is_match(pattern, &cluster.name))
    };
    if !wanted.is_empty() && wanted.iter().all(is_named) {
        return choose(near, wanted);
    }
    let loaded = match catalog {
        // the sample describes no clusters of anybody
        None if !matches!(session.sources_from, SourcesFrom::Sample | SourcesFrom::Demo) => {
            Some(session.load(out)?.catalog)
        }
        _ => None,
    };
    let empty = Catalog::default();
    let catalog = catalog.or(loaded.as_deref()).unwrap_or(&empty);
    let (all, faults) = runtime.block_on(clusters::discover_all(&places, &settings, catalog, limit));
    for fault in faults {
        out.diagnostic(&Diagnostic::warning("kubernetes::no-answer", clean(&fault)));
    }
    choose(all, wanted)
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
            let Watch::Stale { cause, .. } = &table.watch else { continue };
            if told.insert(cause.clone()) {
                let message = format!("cluster `{name}` did not tell everything: {}", clean(cause));
                out.diagnostic(&Diagnostic::warning("kubernetes::no-answer", message));
                exit = worse(exit, Exit::Incomplete);
            }
        }
        for refusal in refusals(cluster) {
            out.diagnostic(
                &Diagnostic::warning("kubernetes::forbidden", refusal.message(&name))
                    .hint(refusal.remedy(&name)),
            );
            let is_some = has_data || refusal.is_partial;
            exit = worse(exit, if is_some { Exit::Incomplete } else { Exit::Refused });
        }
    }
    exit
}

/// What one cluster refuses for one reason: kinds that the same person may not do the same with in the same place.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    user: String,
    verb: String,
    namespace: String,
    resources: Vec<String>,
    /// Single namespaces were read instead.
    is_partial: bool,
}

/// Returns what a cluster refuses, kinds with the same reason together.
fn refusals(cluster: &ClusterState) -> Vec<Refusal> {
    let mut all: Vec<Refusal> = Vec::new();
    for table in cluster.tables.values() {
        let (forbidden, is_partial) = match &table.watch {
            Watch::Forbidden(forbidden) => (forbidden, false),
            Watch::Partial { forbidden, .. } => (forbidden, true),
            _ => continue,
        };
        let Forbidden { verb, resource, namespace, user, .. } = forbidden;
        let is_same = |known: &&mut Refusal| {
            (&known.user, &known.verb, &known.namespace, known.is_partial)
                == (user, verb, namespace, is_partial)
        };
        match all.iter_mut().find(is_same) {
            Some(known) => known.resources.push(resource.clone()),
            None => all.push(Refusal {
                user: user.clone(),
                verb: verb.clone(),
                namespace: namespace.clone(),
                resources: vec![resource.clone()],
                is_partial,
            }),
        }
    }
    all
}

impl Refusal {
    fn what(&self) -> String {
        format!("{} {}", self.verb, self.resources.join(", "))
    }

    fn place(&self) -> String {
        match self.namespace.as_str() {
            "" => "all namespaces".to_owned(),
            namespace => format!("namespace `{}`", clean(namespace)),
        }
    }

    /// Who may not do what where.
    fn message(&self, cluster: &str) -> String {
        let who = if self.user.is_empty() { String::new() } else { format!("`{}` ", clean(&self.user)) };
        let rest = if self.is_partial { "; single namespaces were read instead" } else { "" };
        format!("{who}may not `{}` in {} of cluster `{cluster}`{rest}", clean(&self.what()), self.place())
    }

    /// Whom to ask for it.
    fn remedy(&self, cluster: &str) -> String {
        let who = if self.user.is_empty() { String::new() } else { format!(" for `{}`", clean(&self.user)) };
        let (what, place) = (self.what(), self.place());
        let what = clean(&what);
        let more = if self.is_partial || self.namespace.is_empty() {
            "; namespaces you may read are looked into with `-n` or the setting `kubernetes.namespaces`"
        } else {
            ""
        };
        format!("ask a cluster administrator of `{cluster}` for `{what}` in {place}{who}{more}")
    }
}

fn worse(a: Exit, b: Exit) -> Exit {
    match (a, b) {
        (Exit::Fine, other) | (other, Exit::Fine) => other,
        (Exit::Unreachable, _) | (_, Exit::Unreachable) => Exit::Unreachable,
        (Exit::Incomplete, _) | (_, Exit::Incomplete) => Exit::Incomplete,
        (other, _) => other,
    }
}
