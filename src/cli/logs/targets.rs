//! Which pods the words of `logs` mean, and on which clusters.

use super::Args;
use crate::catalog::Catalog;
use crate::cli::args::GlobalArgs;
use crate::cli::error::CliError;
use crate::cli::health;
use crate::cli::output::Output;
use crate::cli::pods::namespace_of;
use crate::cli::session::Session;
use crate::config::setting;
use crate::diagnostic::Diagnostic;
use crate::kubernetes::client::fault::{Fault, FaultKind};
use crate::kubernetes::client::{self, Link};
use crate::kubernetes::kind::KindSpec;
use crate::kubernetes::logs::{ProblemKind, Target};
use crate::kubernetes::select::{Binding, Locator, bindings_of};
use crate::kubernetes::{Cluster, Kind};
use crate::model::text::clean;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Clusters that have not answered are waited for so long when the thing named is found on another.
const GRACE: Duration = Duration::from_millis(1_500);

/// Most candidates that are listed.
const CANDIDATES: usize = 10;

/// What the words mean.
#[derive(Debug)]
pub(super) enum Wish {
    /// Pods of entities.
    Bindings { of: String, bindings: Vec<Binding> },
    /// One object.
    Object { kind: &'static KindSpec, name: String },
    /// A pod, if it is one: no entity has the name.
    MaybePod { name: String, error: Box<CliError> },
    /// Pods with labels.
    Labels(String),
    /// All pods of a namespace.
    Namespace(String),
}

/// Where to read.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Pods by place and labels.
    pub all: Vec<Target>,
    /// Some cluster could not be asked.
    pub missing: bool,
    /// Some namespaces may not be looked into.
    pub refused: bool,
}

/// Reads the words; loads the catalog only when one of them may be an entity.
pub(super) fn read(
    session: &Session,
    global: &GlobalArgs,
    args: &Args,
    out: &mut Output,
) -> Result<(Vec<Wish>, Option<Arc<Catalog>>), CliError> {
    let mut wishes = Vec::new();
    let mut loaded = None;
    for word in &args.what {
        if let Some(name) = namespace_of(word) {
            wishes.push(Wish::Namespace(name.to_owned()));
            continue;
        }
        if let Some((kind, name)) = object(word) {
            if matches!(kind.kind, Kind::Node | Kind::Event | Kind::Secret | Kind::ConfigMap) {
                let message = format!("{} have no logs", kind.plural);
                return Err(CliError::usage(message, "name a pod, or what makes pods"));
            }
            wishes.push(Wish::Object { kind, name: name.to_owned() });
            continue;
        }
        let catalog = match &loaded {
            Some(catalog) => catalog,
            None => loaded.insert(session.load(out)?.catalog),
        };
        wishes.push(match health::entity(catalog, word, global, out) {
            Ok(id) => {
                let entity = catalog.ref_of(id).to_owned();
                let locator = Locator::of_word(session.config.text(&setting::KUBERNETES_SERVICE_LOCATOR));
                let bindings = bindings_of(catalog, &entity, locator).into_iter().map(|(_, b)| b).collect();
                Wish::Bindings { of: entity, bindings }
            }
            Err(error @ CliError::NotFound(_)) if !word.contains([':', '/']) => {
                Wish::MaybePod { name: word.clone(), error: Box::new(error) }
            }
            Err(error) => return Err(error),
        });
    }
    if args.what.is_empty() {
        wishes.extend(global.selector.clone().map(Wish::Labels));
    }
    Ok((wishes, loaded))
}

/// `deploy/checkout`
fn object(word: &str) -> Option<(&'static KindSpec, &str)> {
    let (kind, name) = word.split_once('/')?;
    let spec = Kind::find(kind)?.spec()?;
    (!name.is_empty() && !name.contains('/')).then_some((spec, name))
}

/// Connects to the clusters and finds what the words mean there.
pub(super) async fn find(
    session: &Session,
    global: &GlobalArgs,
    clusters: &[Cluster],
    wishes: Vec<Wish>,
    out: &mut Output,
) -> Result<Targets, CliError> {
    let mut found = Targets::default();
    let mut links = Vec::new();
    for (cluster, link) in connect(clusters).await {
        match link {
            Ok(link) => links.push((cluster, link)),
            Err(why) => {
                found.missing = true;
                let message = format!("cluster `{}` is left out: {}", cluster.name, clean(&why));
                out.diagnostic(&Diagnostic::warning("logs::cluster", message));
            }
        }
    }
    if links.is_empty() {
        return Err(CliError::unreachable(
            Diagnostic::error("logs::no-cluster", "no cluster can be reached")
                .hint("`devportal doctor` tells why; `kubectl config get-contexts` lists what is configured"),
        ));
    }
    let place = Place {
        global,
        namespaces: session.config.words(&setting::KUBERNETES_NAMESPACES),
        links: &links,
        narrowed: RefCell::default(),
    };
    for wish in wishes {
        match wish {
            Wish::Labels(labels) => {
                for (cluster, link) in &links {
                    let namespace = global.namespace.as_deref().map(Arc::from);
                    let target = Target::new(cluster.name.clone(), link.clone(), namespace);
                    found.all.extend(place.open(Target { labels: labels.clone(), ..target }).await);
                }
            }
            Wish::Namespace(name) => {
                found.all.extend(links.iter().map(|(cluster, link)| {
                    Target::new(cluster.name.clone(), link.clone(), Some(name.as_str().into()))
                }));
            }
            Wish::Bindings { of, bindings } => {
                if bindings.is_empty() {
                    let message = format!("`{of}` has no objects on clusters, and neither have its parts");
                    return Err(CliError::not_found(Diagnostic::error("logs::unbound", message)));
                }
                found.all.extend(place.of_bindings(&bindings).await);
            }
            Wish::Object { kind, name } => match place.object(kind, &name).await {
                Ok(targets) => found.all.extend(targets),
                Err(error) => return Err(error),
            },
            Wish::MaybePod { name, error } => match pod().map(|kind| (kind, place.object(kind, &name))) {
                Some((_, finding)) => match finding.await {
                    Ok(targets) => found.all.extend(targets),
                    Err(CliError::NotFound(_)) => return Err(*error),
                    Err(other) => return Err(other),
                },
                None => return Err(*error),
            },
        }
    }
    for message in place.narrowed.into_inner() {
        (found.missing, found.refused) = (true, true);
        out.diagnostic(&Diagnostic::warning("logs::forbidden", message));
    }
    Ok(found)
}

fn pod() -> Option<&'static KindSpec> {
    Kind::Pod.spec()
}

/// How long a cluster may take to say its version before the others are read without it.
const SILENT: Duration = Duration::from_secs(3);

async fn connect(clusters: &[Cluster]) -> Vec<(&Cluster, Result<Link, String>)> {
    let connecting = clusters.iter().map(|cluster| async move {
        let link = match &cluster.connection {
            Ok(connection) => client::connect(connection).await.map_err(|fault| fault.text),
            Err(why) => Err(why.clone()),
        };
        // whoever is silent must not hold up the others; any answer will do
        let link = match link {
            Ok(link) => match tokio::time::timeout(SILENT, link.client.apiserver_version()).await {
                Ok(_) => Ok(link),
                Err(_) => Err(format!("it did not answer within {} s", SILENT.as_secs())),
            },
            Err(why) => Err(why),
        };
        (cluster, link)
    });
    futures_util::future::join_all(connecting).await
}

/// Where things are looked for.
struct Place<'a> {
    global: &'a GlobalArgs,
    namespaces: &'a [String],
    links: &'a [(&'a Cluster, Link)],
    /// What was looked into less than asked for, because a list over all namespaces is forbidden.
    narrowed: RefCell<BTreeSet<String>>,
}

impl Place<'_> {
    /// Returns the targets of a place that may be all namespaces; single ones where a list over all is forbidden.
    async fn open(&self, target: Target) -> Vec<Target> {
        if target.namespace.is_some() {
            return vec![target];
        }
        let api: Api<k8s_openapi::api::core::v1::Pod> = Api::all(target.link.client.clone());
        let is_forbidden = match api.list_metadata(&ListParams::default().limit(1)).await {
            Err(error) => target.link.tell(&error).kind == FaultKind::Forbidden,
            Ok(_) => false,
        };
        let namespaces = self.single_namespaces(&target.link);
        if !is_forbidden || namespaces.is_empty() {
            return vec![target];
        }
        let names: Vec<&str> = namespaces.iter().map(|name| &**name).collect();
        self.narrowed.borrow_mut().insert(format!(
            "you may not list pods in all namespaces of `{}`: only {} is looked into; ask for `list pods` in the others",
            target.cluster,
            names.join(", ")
        ));
        let single = |namespace: Arc<str>| Target { namespace: Some(namespace), ..target.clone() };
        namespaces.into_iter().map(single).collect()
    }

    fn single_namespaces(&self, link: &Link) -> Vec<Arc<str>> {
        let mut found: Vec<Arc<str>> = link.namespace.clone().into_iter().collect();
        found.extend(self.namespaces.iter().map(|name| Arc::from(name.as_str())));
        found.dedup();
        found
    }

    async fn of_bindings(&self, bindings: &[Binding]) -> Vec<Target> {
        let mut targets = Vec::new();
        for binding in bindings {
            for (cluster, link) in
                self.links.iter().filter(|(cluster, _)| binding.is_in_cluster(&cluster.name))
            {
                let target = Target::new(cluster.name.clone(), link.clone(), binding.namespace.clone());
                let labels = binding.selector.to_string();
                for target in self.open(Target { labels, ..target }).await {
                    let owned = self.owned(&target).await;
                    targets.push(target);
                    targets.extend(owned);
                }
            }
        }
        targets
    }

    /// Returns the pods of workloads that have the labels while their pods have not.
    async fn owned(&self, target: &Target) -> Vec<Target> {
        const WORKLOADS: [Kind; 4] = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job];
        if target.list().await.is_ok_and(|pods| !pods.is_empty()) {
            return Vec::new();
        }
        let mut targets = Vec::new();
        for spec in WORKLOADS.iter().filter_map(|kind| kind.spec()) {
            let parameters = ListParams::default().labels(&target.labels);
            let list = api(spec, &target.link, target.namespace.as_deref()).list(&parameters).await;
            for object in list.iter().flat_map(|list| &list.items) {
                targets.extend(of_workload(spec, object, target.cluster.clone(), &target.link));
            }
        }
        targets
    }

    /// Finds one object by name, on all clusters at once.
    async fn object(&self, kind: &'static KindSpec, name: &str) -> Result<Vec<Target>, CliError> {
        let mut looking: FuturesUnordered<_> =
            self.links.iter().map(|(cluster, link)| self.look(kind, name, cluster, link)).collect();
        let mut found: Vec<Target> = Vec::new();
        let mut faults: Vec<(Arc<str>, Fault)> = Vec::new();
        loop {
            let next = if found.is_empty() {
                looking.next().await
            } else {
                tokio::time::timeout(GRACE, looking.next()).await.unwrap_or_default()
            };
            match next {
                Some((_, Ok(targets))) => found.extend(targets),
                Some((cluster, Err(fault))) => faults.push((cluster, fault)),
                None => break,
            }
        }
        let what = format!("{}/{name}", kind.name.to_lowercase());
        match found.as_slice() {
            [_] => Ok(found),
            [] => Err(self.not_found(&what, faults.first())),
            several => {
                let place = |target: &Target| {
                    let namespace = target.namespace.as_deref().unwrap_or_default();
                    format!("`--context {} -n {namespace}`", target.cluster)
                };
                let places: Vec<String> = several.iter().take(CANDIDATES).map(place).collect();
                let message = format!("there are {} `{what}`", several.len());
                let hint = format!("choose by {}", places.join(" or "));
                Err(CliError::misuse(Diagnostic::error("cli::ambiguous", message).hint(hint)))
            }
        }
    }

    fn not_found(&self, what: &str, fault: Option<&(Arc<str>, Fault)>) -> CliError {
        let place = match &self.global.namespace {
            Some(namespace) => format!("in namespace `{namespace}`"),
            None => "in any namespace".to_owned(),
        };
        let names: Vec<String> =
            self.links.iter().take(CANDIDATES).map(|(cluster, _)| format!("`{}`", cluster.name)).collect();
        let Some((cluster, fault)) = fault else {
            let message = format!("there is no `{what}` {place} of {}", names.join(", "));
            return CliError::not_found(Diagnostic::error("logs::not-found", message));
        };
        let message = format!("could not look for `{what}` {place} of `{cluster}`: {}", clean(&fault.text));
        let diagnostic = Diagnostic::error("logs::not-found", message);
        match fault.kind {
            FaultKind::Forbidden if self.global.namespace.is_none() => {
                super::of_kind(Some(ProblemKind::Forbidden), diagnostic.hint("name the namespace with `-n`"))
            }
            FaultKind::Forbidden | FaultKind::Unauthorized => {
                super::of_kind(Some(ProblemKind::Forbidden), diagnostic)
            }
            _ => CliError::unreachable(diagnostic),
        }
    }

    async fn look(
        &self,
        kind: &'static KindSpec,
        name: &str,
        cluster: &Cluster,
        link: &Link,
    ) -> (Arc<str>, Result<Vec<Target>, Fault>) {
        let namespaces: Vec<Option<Arc<str>>> = match &self.global.namespace {
            Some(namespace) => vec![Some(namespace.as_str().into())],
            None => vec![None],
        };
        let mut result = look_in(kind, name, cluster, link, &namespaces).await;
        if result.as_ref().is_err_and(|fault| fault.kind == FaultKind::Forbidden)
            && self.global.namespace.is_none()
        {
            let single: Vec<_> = self.single_namespaces(link).into_iter().map(Some).collect();
            if !single.is_empty() {
                result = look_in(kind, name, cluster, link, &single).await;
            }
        }
        (cluster.name.clone(), result)
    }
}

async fn look_in(
    kind: &'static KindSpec,
    name: &str,
    cluster: &Cluster,
    link: &Link,
    namespaces: &[Option<Arc<str>>],
) -> Result<Vec<Target>, Fault> {
    let mut targets = Vec::new();
    let mut last = None;
    for namespace in namespaces {
        let parameters = ListParams::default().fields(&format!("metadata.name={name}"));
        match api(kind, link, namespace.as_deref()).list(&parameters).await {
            Ok(list) => {
                let found = list.items.iter().filter(|object| object.metadata.name.as_deref() == Some(name));
                targets
                    .extend(found.filter_map(|object| of_workload(kind, object, cluster.name.clone(), link)));
            }
            Err(error) => last = Some(link.tell(&error)),
        }
    }
    match last {
        Some(fault) if targets.is_empty() => Err(fault),
        _ => Ok(targets),
    }
}

fn api(kind: &KindSpec, link: &Link, namespace: Option<&str>) -> Api<DynamicObject> {
    let api_version = if kind.group.is_empty() {
        kind.version.to_owned()
    } else {
        format!("{}/{}", kind.group, kind.version)
    };
    let resource = ApiResource {
        group: kind.group.to_owned(),
        version: kind.version.to_owned(),
        api_version,
        kind: kind.name.to_owned(),
        plural: kind.plural.to_owned(),
    };
    match namespace {
        Some(namespace) => Api::namespaced_with(link.client.clone(), namespace, &resource),
        None => Api::all_with(link.client.clone(), &resource),
    }
}

/// Returns the pods of an object: itself, those its selector leads to, those of its jobs.
fn of_workload(kind: &KindSpec, object: &DynamicObject, cluster: Arc<str>, link: &Link) -> Option<Target> {
    let name = object.metadata.name.clone()?;
    let namespace = object.metadata.namespace.as_deref().map(Arc::from);
    let target = Target::new(cluster, link.clone(), namespace);
    match kind.kind {
        Kind::Pod => Some(Target { name, ..target }),
        Kind::CronJob => Some(Target { cron_job: name, labels: "job-name".to_owned(), ..target }),
        _ => {
            let labels = selector(object.data.get("spec")?.get("selector")?)?;
            Some(Target { labels, ..target })
        }
    }
}

/// Writes a selector as text; `None` for one that selects nothing.
fn selector(value: &serde_json::Value) -> Option<String> {
    let mut parts = Vec::new();
    let map = value.as_object()?;
    let is_plain = map.values().all(serde_json::Value::is_string);
    let labels =
        if is_plain { Some(map) } else { value.get("matchLabels").and_then(|labels| labels.as_object()) };
    for (key, label) in labels.into_iter().flatten() {
        parts.push(format!("{key}={}", label.as_str()?));
    }
    for expression in value.get("matchExpressions").and_then(|list| list.as_array()).into_iter().flatten() {
        let key = expression.get("key")?.as_str()?;
        let values = expression.get("values").and_then(|values| values.as_array()).into_iter().flatten();
        let values = values.filter_map(|value| value.as_str()).collect::<Vec<_>>().join(",");
        parts.push(match expression.get("operator")?.as_str()? {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!parts.is_empty()).then(|| parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_are_written_as_kubectl_takes_them() {
        let cases = [
            (json!({"app": "web", "tier": "front"}), Some("app=web,tier=front")),
            (json!({"matchLabels": {"app": "web"}}), Some("app=web")),
            (
                json!({"matchLabels": {"a": "b"}, "matchExpressions": [
                    {"key": "x", "operator": "In", "values": ["1", "2"]},
                    {"key": "y", "operator": "DoesNotExist"},
                ]}),
                Some("a=b,x in (1,2),!y"),
            ),
            (json!({}), None),
            (json!({"matchExpressions": [{"key": "x", "operator": "Strange"}]}), None),
        ];
        for (value, expected) in cases {
            assert_eq!(selector(&value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_word_with_a_kind_is_an_object() {
        assert_eq!(
            object("deploy/web").map(|(spec, name)| (spec.kind, name)),
            Some((Kind::Deployment, "web"))
        );
        assert!(object("payments/ledger").is_none() && object("pod/").is_none() && object("web").is_none());
    }
}
