//! Looks once: what commands ask of clusters, with the selectors applied by the servers.
//!
//! Start at [`look`]. It asks all clusters side by side and makes a [`State`] of the answers, so that all that can be
//! said about a state can be said about them too. What is not allowed, missing or silent stands in the state, as a
//! watch would put it there; nothing fails as a whole.

use super::access::{Act, user_in, who_am_i};
use super::client::fault::{Fault, FaultKind};
use super::client::{self, Link};
use super::cluster::{Cluster, CustomResource};
use super::hub::keeper::get;
use super::kind::Kind;
use super::object::{Facts, Object};
use super::select::{Binding, Locator};
use super::starting;
use super::state::{ClusterState, Forbidden, Metrics, MetricsStatus, Phase, PodUse, State, Table, Watch};
use super::trim::{self, Pool, Raw};
use super::watch::place::{Place, places};
use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Objects asked for at once.
const PAGE: usize = 500;
/// Requests to one cluster at a time.
const AT_ONCE: usize = 8;
/// Most pages of one list: five million objects.
const MOST_PAGES: usize = 10_000;
/// How long use may take to be told: it is an extra, and what was listed must not wait for it.
const METRICS: Duration = Duration::from_secs(3);
/// Most namespaces or workloads that are asked for one by one.
const MOST_SINGLE: usize = 200;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Label selector in the API's form; empty for all.
    pub selector: Arc<str>,
    /// Namespace; `None` for all.
    pub namespace: Option<Arc<str>>,
    /// Clusters by name; `None` for all.
    pub clusters: Option<Vec<Arc<str>>>,
}

/// How it is looked for.
#[derive(Debug, Clone)]
pub struct Look {
    /// What is looked for.
    pub wishes: Vec<Wish>,
    /// Kinds that are looked for.
    pub kinds: Vec<Kind>,
    /// Custom resources; [`Kind::Custom`] counts into them.
    pub custom: Arc<[CustomResource]>,
    /// Namespaces to look into where a list over all is forbidden.
    pub namespaces: Vec<String>,
    /// Versions to ask for first, by plural.
    pub versions: BTreeMap<String, String>,
    /// Which clusters an entity is looked for in.
    pub locator: Locator,
    /// Also ask what pods use.
    pub has_metrics: bool,
    /// How long a cluster may take.
    pub limit: Duration,
}

impl From<&Binding> for Wish {
    fn from(binding: &Binding) -> Self {
        Self {
            selector: binding.selector.clone(),
            namespace: binding.namespace.clone(),
            clusters: binding.clusters.clone(),
        }
    }
}

impl Wish {
    fn is_in_cluster(&self, cluster: &str) -> bool {
        let is_named = |names: &Vec<Arc<str>>| names.iter().any(|name| name.eq_ignore_ascii_case(cluster));
        self.clusters.as_ref().is_none_or(is_named)
    }
}

/// Looks into clusters; each gets the time of [`Look::limit`]. Must run inside a tokio runtime.
pub async fn look(clusters: &[Cluster], look: &Look) -> State {
    let pool = Pool::default();
    let states = join_all(clusters.iter().map(|cluster| one_cluster(cluster, look, &pool))).await;
    State {
        clusters: states.into_iter().map(Arc::new).collect(),
        custom: look.custom.clone(),
        locator: look.locator,
        ..State::default()
    }
}

async fn one_cluster(cluster: &Cluster, look: &Look, pool: &Pool) -> ClusterState {
    let mut visit = Visit {
        kinds: kinds_of(cluster, look),
        look,
        pool,
        state: ClusterState {
            cluster: Arc::new(cluster.clone()),
            phase: Phase::Idle,
            version: "".into(),
            user: "".into(),
            tables: BTreeMap::new(),
            metrics: Metrics::default(),
            clock_skew: 0,
            blocked: Arc::default(),
        },
        lists: BTreeMap::new(),
    };
    let wishes: Vec<&Wish> = look.wishes.iter().filter(|wish| wish.is_in_cluster(&cluster.name)).collect();
    if wishes.is_empty() {
        // Nobody can be there: it answers as well as needed.
        visit.state.phase = Phase::Live;
        return visit.finish();
    }
    match tokio::time::timeout(look.limit, visit.run(&wishes)).await {
        Ok(Ok(())) => {}
        Ok(Err(cause)) => visit.fail(cause),
        Err(_) => visit.fail(format!("no answer within {} s", look.limit.as_secs())),
    }
    visit.finish()
}

/// Returns the kinds that are looked for in a cluster: custom resources of its own, where it names some.
fn kinds_of(cluster: &Cluster, look: &Look) -> Vec<Kind> {
    let is_there = |kind: &Kind| {
        let Kind::Custom(at) = kind else { return true };
        let Some(custom) = look.custom.get(usize::from(*at)) else { return false };
        cluster.custom_resources.as_ref().is_none_or(|own| own.contains(custom))
    };
    look.kinds.iter().copied().filter(is_there).collect()
}

/// Returns whether any cluster has a namespace; one that does not say counts as having it.
pub async fn has_namespace(clusters: &[Cluster], name: &str, limit: Duration) -> bool {
    let asked = clusters.iter().map(|cluster| namespace(cluster, name, limit));
    join_all(asked).await.into_iter().any(|has| has.unwrap_or(true))
}

/// Returns whether a cluster says that it has a namespace.
pub async fn surely_has_namespace(clusters: &[&Cluster], name: &str, limit: Duration) -> bool {
    let asked = clusters.iter().map(|cluster| namespace(cluster, name, limit));
    join_all(asked).await.contains(&Some(true))
}

async fn namespace(cluster: &Cluster, name: &str, limit: Duration) -> Option<bool> {
    let Ok(connection) = &cluster.connection else { return Some(false) };
    let link = client::connect(connection).await.ok()?;
    match get(&link.client, &format!("/api/v1/namespaces/{name}"), limit).await {
        Ok(_) => Some(true),
        Err(Some(error)) if link.tell(&error).kind == FaultKind::NotFound => Some(false),
        Err(_) => None,
    }
}

type Objects = BTreeMap<(Arc<str>, Arc<str>), Arc<Object>>;

/// What is known of a cluster while it is asked.
struct Visit<'a> {
    look: &'a Look,
    /// Kinds of this cluster: a custom resource need not be everywhere.
    kinds: Vec<Kind>,
    pool: &'a Pool,
    state: ClusterState,
    lists: BTreeMap<Kind, (Objects, Watch)>,
}

/// What a list came to.
struct Listed {
    kind: Kind,
    objects: Vec<Object>,
    watch: Watch,
    /// The cluster does not answer.
    fault: Option<Fault>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    items: Option<Vec<Raw>>,
    #[serde(default)]
    metadata: PageMeta,
}

#[derive(Deserialize, Default)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

impl Visit<'_> {
    fn fail(&mut self, cause: String) {
        self.state.phase = Phase::Down { since: Timestamp::now(), cause, retry: None };
    }

    fn finish(mut self) -> ClusterState {
        for (kind, (objects, watch)) in self.lists {
            self.state.tables.insert(kind, Table { objects: Arc::new(objects), watch });
        }
        self.state
    }

    async fn run(&mut self, wishes: &[&Wish]) -> Result<(), String> {
        let connection = self.state.cluster.connection.clone()?;
        let link = client::connect(&connection).await?;
        self.state.user = link.user.clone();
        let asked: Vec<(Kind, &Wish)> =
            self.first_kinds().flat_map(|kind| wishes.iter().map(move |wish| (kind, *wish))).collect();
        self.ask(&link, &asked).await?;
        self.state.phase = Phase::Live;
        self.state.clock_skew = link.clock_skew();
        self.follow(&link).await?;
        if self.look.has_metrics && !self.state.cluster.skip_metrics {
            self.measure(&link).await;
        }
        self.explain(&link).await;
        let forbidden = self.lists.values().any(|(_, watch)| is_forbidden(watch));
        if forbidden && let Some(user) = who_am_i(&link.client).await {
            self.name_user(&user);
        }
        Ok(())
    }

    /// Kinds that labels lead to. Nodes carry no labels of services: they are asked for when pods are there.
    fn first_kinds(&self) -> impl Iterator<Item = Kind> {
        let is_everything = self.look.wishes.iter().all(|wish| wish.selector.is_empty());
        self.kinds.iter().copied().filter(move |kind| is_everything || *kind != Kind::Node)
    }

    /// Asks for lists, some at a time, and takes what comes.
    async fn ask(&mut self, link: &Link, asked: &[(Kind, &Wish)]) -> Result<(), String> {
        let lister = Lister { link, look: self.look, pool: self.pool, cluster: self.state.cluster.clone() };
        let mut lists =
            stream::iter(asked.iter().map(|(kind, wish)| lister.list(*kind, wish))).buffer_unordered(AT_ONCE);
        let mut silence = None;
        let mut is_answered = false;
        let mut taken = Vec::new();
        while let Some(listed) = lists.next().await {
            match &listed.fault {
                Some(fault)
                    if matches!(
                        fault.kind,
                        FaultKind::Unreachable
                            | FaultKind::Trust
                            | FaultKind::Unauthorized
                            | FaultKind::Configuration
                    ) =>
                {
                    silence.get_or_insert_with(|| fault.text.clone());
                    // One that does not answer is not asked eleven times.
                    if !is_answered {
                        break;
                    }
                }
                _ => is_answered = true,
            }
            taken.push(listed);
        }
        drop(lists);
        for listed in taken {
            self.take(listed);
        }
        silence.map_or(Ok(()), Err)
    }

    fn take(&mut self, listed: Listed) {
        let (objects, watch) = self.lists.entry(listed.kind).or_default();
        for object in listed.objects {
            objects.insert((object.namespace.clone(), object.name.clone()), Arc::new(object));
        }
        // Nodes only explain what pods say already; few people may list them.
        if listed.kind == Kind::Node && is_forbidden(&listed.watch) {
            return;
        }
        // What went wrong for one wish is told for the kind.
        if matches!(watch, Watch::None | Watch::Live) {
            *watch = listed.watch;
        }
    }

    /// Fetches what labels do not lead to: pods of workloads, jobs of cron jobs, autoscalers, claims, nodes.
    async fn follow(&mut self, link: &Link) -> Result<(), String> {
        if self.look.wishes.iter().all(|wish| wish.selector.is_empty()) {
            return Ok(());
        }
        for kinds in [
            &[Kind::CronJob][..],
            &[Kind::Deployment, Kind::Custom(0)],
            &[Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job],
        ] {
            let wishes = self.childless(kinds);
            let asked: Vec<(Kind, &Wish)> = wishes.iter().map(|(kind, wish)| (*kind, wish)).collect();
            self.ask(link, &asked).await?;
        }
        let wishes = self.beside();
        let asked: Vec<(Kind, &Wish)> = wishes.iter().map(|(kind, wish)| (*kind, wish)).collect();
        self.ask(link, &asked).await
    }

    fn objects(&self, kind: Kind) -> impl Iterator<Item = &Arc<Object>> {
        self.lists.get(&kind).into_iter().flat_map(|(objects, _)| objects.values())
    }

    /// Returns what has to be asked for to see what workloads own of which nothing is there.
    fn childless(&self, kinds: &[Kind]) -> Vec<(Kind, Wish)> {
        let mut wishes: Vec<(Kind, Wish)> = Vec::new();
        let custom = kinds.contains(&Kind::Custom(0));
        let owners = self
            .lists
            .iter()
            .filter(|(kind, _)| kinds.contains(kind) || custom && matches!(kind, Kind::Custom(_)));
        for (kind, (objects, _)) in owners {
            let child = match kind {
                Kind::CronJob => Kind::Job,
                Kind::Deployment | Kind::Custom(_) => Kind::ReplicaSet,
                _ => Kind::Pod,
            };
            let parents: BTreeSet<&str> = self
                .objects(child)
                .flat_map(|object| object.owners.iter().map(|owner| &*owner.uid))
                .collect();
            for object in objects.values().filter(|object| !parents.contains(&*object.uid)) {
                let selector = match &object.facts {
                    Facts::Workload(set) if set.desired != Some(0) || set.current > 0 => set.selector.clone(),
                    Facts::Job(job) if job.active > 0 || job.failed > 0 => {
                        format!("job-name={}", object.name).into()
                    }
                    Facts::CronJob(_) => "".into(),
                    _ => continue,
                };
                // A workload without a selector cannot be asked for what is its own.
                if selector.is_empty() && *kind != Kind::CronJob {
                    continue;
                }
                let wish = Wish { selector, namespace: Some(object.namespace.clone()), clusters: None };
                if self.kinds.contains(&child)
                    && !wishes.iter().any(|(known, other)| *known == child && is_same(other, &wish))
                {
                    wishes.push((child, wish));
                }
            }
        }
        wishes.truncate(MOST_SINGLE);
        wishes
    }

    /// Returns what has to be asked for to see claims, autoscalers and nodes.
    fn beside(&self) -> Vec<(Kind, Wish)> {
        let mut places: BTreeSet<(Kind, Arc<str>)> = BTreeSet::new();
        for object in self.objects(Kind::Pod) {
            if let Facts::Pod(pod) = &object.facts
                && !pod.claims.is_empty()
            {
                places.insert((Kind::PersistentVolumeClaim, object.namespace.clone()));
            }
        }
        for kind in [Kind::Deployment, Kind::StatefulSet] {
            places.extend(
                self.objects(kind).map(|object| (Kind::HorizontalPodAutoscaler, object.namespace.clone())),
            );
        }
        let is_wanted = |kind: Kind| self.kinds.contains(&kind);
        let mut wishes: Vec<(Kind, Wish)> = places
            .into_iter()
            .filter(|(kind, _)| is_wanted(*kind))
            .map(|(kind, namespace)| (kind, Wish { namespace: Some(namespace), ..Wish::default() }))
            .collect();
        wishes.truncate(MOST_SINGLE);
        if is_wanted(Kind::Node) && self.objects(Kind::Pod).next().is_some() {
            wishes.push((Kind::Node, Wish::default()));
        }
        wishes
    }

    /// Reads what pods use, namespace by namespace.
    async fn measure(&mut self, link: &Link) {
        let namespaces: BTreeSet<Arc<str>> =
            self.objects(Kind::Pod).map(|object| object.namespace.clone()).collect();
        let paths: Vec<String> = if namespaces.len() > 10 {
            vec!["/apis/metrics.k8s.io/v1beta1/pods".to_owned()]
        } else {
            namespaces
                .iter()
                .map(|name| format!("/apis/metrics.k8s.io/v1beta1/namespaces/{name}/pods"))
                .collect()
        };
        let mut used = rustc_hash::FxHashMap::default();
        for path in paths {
            match get(&link.client, &path, (self.look.limit / 3).min(METRICS)).await {
                Ok(text) => read_metrics(&text, self.pool, &mut used),
                Err(Some(error)) if link.tell(&error).kind == FaultKind::NotFound => {
                    self.state.metrics.status = MetricsStatus::Missing;
                    return;
                }
                Err(Some(error)) => {
                    self.state.metrics.status = MetricsStatus::Failed(link.tell(&error).text);
                    return;
                }
                Err(None) => {
                    self.state.metrics.status = MetricsStatus::Failed("no answer in time".to_owned());
                    return;
                }
            }
        }
        self.state.metrics.pods = Arc::new(used);
        self.state.metrics.status = MetricsStatus::Read(Timestamp::now());
    }

    /// Asks why pods do not start that should have long ago.
    async fn explain(&mut self, link: &Link) {
        if !self.kinds.contains(&Kind::Deployment) {
            // whoever asks for pods alone does not ask how they are
            return;
        }
        let mut seen = self.state.clone();
        if let Some((objects, _)) = self.lists.get(&Kind::Pod) {
            let pods = Table { objects: Arc::new(objects.clone()), watch: Watch::Live };
            seen.tables.insert(Kind::Pod, pods);
        }
        self.state.blocked = Arc::new(starting::ask(&link.client, &seen, Timestamp::now()).await);
    }

    fn name_user(&mut self, user: &Arc<str>) {
        self.state.user = user.clone();
        for (_, watch) in self.lists.values_mut() {
            if let Watch::Forbidden(forbidden) | Watch::Partial { forbidden, .. } = watch
                && forbidden.user.is_empty()
            {
                forbidden.user = user.to_string();
            }
        }
    }
}

fn is_same(a: &Wish, b: &Wish) -> bool {
    a.selector == b.selector && a.namespace == b.namespace
}

fn is_forbidden(watch: &Watch) -> bool {
    matches!(watch, Watch::Forbidden(_) | Watch::Partial { .. })
}

fn read_metrics(text: &str, pool: &Pool, into: &mut rustc_hash::FxHashMap<(Arc<str>, Arc<str>), PodUse>) {
    let list: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    for item in list.get("items").and_then(serde_json::Value::as_array).into_iter().flatten() {
        let name = |key: &str| item.pointer(&format!("/metadata/{key}")).and_then(serde_json::Value::as_str);
        let (Some(namespace), Some(name)) = (name("namespace"), name("name")) else { continue };
        let containers = item.get("containers").and_then(serde_json::Value::as_array);
        let container = |value: &serde_json::Value| {
            let name = value.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
            (pool.share(name), trim::amounts(value.get("usage")))
        };
        let containers = containers.into_iter().flatten().take(64).map(container).collect();
        into.insert((pool.share(namespace), name.into()), PodUse { containers, history: Box::default() });
    }
}

/// Reads lists of one cluster.
struct Lister<'a> {
    link: &'a Link,
    look: &'a Look,
    pool: &'a Pool,
    cluster: Arc<Cluster>,
}

impl Lister<'_> {
    /// Reads a list; where one over all namespaces is forbidden, that of each namespace we know.
    async fn list(&self, kind: Kind, wish: &Wish) -> Listed {
        let mut listed = Listed { kind, objects: Vec::new(), watch: Watch::Missing, fault: None };
        for place in places(kind, &self.look.custom, &self.look.versions) {
            let namespace = wish.namespace.as_deref().filter(|_| place.is_namespaced);
            match self.pages(kind, &place, namespace, wish, &mut listed.objects).await {
                Ok(()) => {
                    listed.watch = Watch::Live;
                    return listed;
                }
                Err(fault) if fault.kind == FaultKind::NotFound => {}
                Err(fault) if fault.kind == FaultKind::Forbidden => {
                    let forbidden = self.forbidden(&place, namespace, &fault);
                    if namespace.is_none() && place.is_namespaced {
                        return self.one_by_one(listed, &place, wish, forbidden).await;
                    }
                    listed.watch = Watch::Forbidden(forbidden);
                    return listed;
                }
                Err(fault) => {
                    listed.watch = Watch::Stale { since: Timestamp::now(), cause: fault.text.clone() };
                    listed.fault = Some(fault);
                    return listed;
                }
            }
        }
        listed
    }

    async fn one_by_one(
        &self,
        mut listed: Listed,
        place: &Place,
        wish: &Wish,
        forbidden: Forbidden,
    ) -> Listed {
        let own = self.cluster.namespace.iter().chain(self.link.namespace.iter()).cloned();
        let named = self.look.namespaces.iter().map(|name| Arc::from(name.as_str()));
        let namespaces: BTreeSet<Arc<str>> = own.chain(named).take(MOST_SINGLE).collect();
        let mut allowed = Vec::new();
        for namespace in namespaces {
            match self.pages(listed.kind, place, Some(&namespace), wish, &mut listed.objects).await {
                Ok(()) => allowed.push(namespace),
                Err(fault) if fault.kind == FaultKind::Unreachable => listed.fault = Some(fault),
                Err(_) => {}
            }
        }
        listed.watch = if allowed.is_empty() {
            Watch::Forbidden(forbidden)
        } else {
            Watch::Partial { namespaces: allowed, forbidden }
        };
        listed
    }

    fn forbidden(&self, place: &Place, namespace: Option<&str>, fault: &Fault) -> Forbidden {
        let user = user_in(&fault.text).unwrap_or_else(|| self.link.user.to_string());
        let act = Act::new("list", (&place.group, &place.plural, ""), namespace.unwrap_or_default());
        act.forbidden(&self.cluster.name, &user)
    }

    async fn pages(
        &self,
        kind: Kind,
        place: &Place,
        namespace: Option<&str>,
        wish: &Wish,
        into: &mut Vec<Object>,
    ) -> Result<(), Fault> {
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            query.append_pair("limit", &PAGE.to_string());
            if !wish.selector.is_empty() {
                query.append_pair("labelSelector", &wish.selector);
            }
            if let Some(next) = &next {
                query.append_pair("continue", next);
            }
            let path = format!("{}?{}", place.path(namespace), query.finish());
            let text = get(&self.link.client, &path, self.look.limit).await.map_err(|error| match error {
                Some(error) => self.link.tell(&error),
                None => Fault::new(
                    FaultKind::Unreachable,
                    format!("{} does not answer in time", self.link.address),
                ),
            })?;
            let page: Page = serde_json::from_str(&text).map_err(|_| {
                Fault::new(
                    FaultKind::Server,
                    format!("{} answers, but not with a list of {}", self.link.address, place.plural),
                )
            })?;
            into.extend(page.items.unwrap_or_default().iter().map(|raw| trim::object(kind, raw, self.pool)));
            next = page.metadata.next.filter(|next| !next.is_empty());
            if next.is_none() {
                break;
            }
        }
        Ok(())
    }
}
