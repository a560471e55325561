//! Carries out the effects that need no terminal: loading, filtering, reading, remembering.
//!
//! Start at [`Services::perform`]. It blocks and is called on a pool thread; answers go back as task
//! events. What differs between a real run, a screenshot and a test is a field of [`Services`].

use super::scaffold::Scaffold;
use crate::app::context::{Me, grouped, size};
use crate::app::event::{
    BackendOrder, Effect, FilterMistake, Generation, Matches, Memory, RevisionsAnswer, RevisionsQuestion,
    Shared, Sort, SortKey, Suggestion, TaskEvent,
};
use crate::catalog::{Catalog, Entity, EntityId, Progress, ProgressEvent};
use crate::catalog::{complete, facets, query, refresh, search};
use crate::config::theme::Theme;
use crate::kubernetes::{Hub, State, hub, logs, rows};
use crate::model::entity_ref::split_canonical;
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Matcher, Utf32Str};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

pub use super::docs::{Docs, OpenDocs, explain};

/// Makes what runs for the clusters out of the configuration.
pub type Connect = dyn Fn(Arc<hub::Tell>) -> Hub + Send + Sync;
type Load = dyn Fn(&Progress) -> (Arc<Catalog>, Me) + Send + Sync;
/// Takes what background work has to say, from any thread.
pub type Tell = dyn Fn(TaskEvent) + Send + Sync;
/// Asks the refresher for something.
pub type Ask = dyn Fn(refresh::Order) + Send + Sync;
type StartRefresh = dyn Fn(Arc<Tell>) -> Box<Ask> + Send + Sync;
type ReadSource = dyn Fn(&Catalog, EntityId) -> Result<Arc<str>, String> + Send + Sync;
type Revisions = dyn Fn(&Catalog, &RevisionsQuestion) -> Result<RevisionsAnswer, String> + Send + Sync;
type Backend = dyn Fn(&BackendOrder) -> Result<TaskEvent, String> + Send + Sync;
type Remember = dyn Fn(&Memory) -> Result<(), String> + Send + Sync;
type LoadTheme = dyn Fn(&str) -> Result<Theme, String> + Send + Sync;
type SaveSetting = dyn Fn(&'static str, Option<&str>) -> Result<Saved, String> + Send + Sync;

/// A setting after it was written or taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The value that counts now.
    pub value: String,
    /// Where it comes from now.
    pub origin: String,
    /// What was done, with file and line.
    pub said: String,
}

/// What the outside can do for the application.
pub struct Services {
    /// Reads all sources once and says who the user is; for faces that end after that.
    pub load: Box<Load>,
    /// Starts to refresh the sources in the background, for faces that stay; returns the way to ask it for
    /// something. It stops when that is dropped.
    pub refresh: Option<Box<StartRefresh>>,
    /// Reads the text that an entity was read from.
    pub read_source: Box<ReadSource>,
    /// Answers a question about revisions of the catalog's repository.
    pub revisions: Box<Revisions>,
    /// Reads documentation.
    pub docs: Docs,
    /// Asks the backend of a source to do something; `None` where nothing outside is changed.
    pub backend: Option<Box<Backend>>,
    /// Writes down what has to survive the session.
    pub remember: Box<Remember>,
    /// Loads a theme by name.
    pub load_theme: Box<LoadTheme>,
    /// Writes a setting into the user's file; answers with what was written where.
    pub save_setting: Box<SaveSetting>,
    /// Command of the editor, from the configuration; empty for the environment's.
    pub editor: String,
    /// Folder for crash reports and texts too large to copy.
    pub state_folder: std::path::PathBuf,
    /// Order of the last sorting, kept because every key press sorts again.
    pub order: Order,
    /// The refresher, once it runs.
    pub refresher: OnceLock<Box<Ask>>,
    /// Takes the clusters that are configured; `None` where no cluster is asked.
    pub connect: Option<Box<Connect>>,
    /// What runs for the clusters, once somebody asked for something.
    pub hub: OnceLock<Hub>,
    /// What makes things from templates; `None` where nothing is made.
    pub scaffold: Option<Scaffold>,
}

/// What a task works on: taken when the effect was asked for.
#[derive(Debug, Clone)]
pub struct World {
    /// The snapshot.
    pub catalog: Arc<Catalog>,
    /// What is known of the clusters.
    pub kubernetes: Arc<State>,
    /// Who the user is.
    pub me: Me,
    /// Starred refs.
    pub stars: BTreeSet<String>,
}

/// How often loading reports.
const PROGRESS: Duration = Duration::from_millis(100);
/// Suggestions offered while a filter is typed.
const SUGGESTIONS: usize = 8;

impl Services {
    /// Starts to refresh the sources; everything it has to say goes to `tell`. Without it they are read once,
    /// when [`Effect::Load`] asks for it.
    pub fn start(&self, tell: Arc<Tell>) {
        if let Some(connect) = &self.connect {
            let tell = tell.clone();
            let tell = Arc::new(move |report| {
                tell(match report {
                    hub::Report::State(state) => TaskEvent::Kubernetes(Shared(state)),
                    hub::Report::Logs => TaskEvent::LogsAdvanced,
                    hub::Report::Done(text) => TaskEvent::Done(text),
                    hub::Report::Failed(text) => TaskEvent::Failed(text),
                });
            });
            self.hub.get_or_init(|| connect(tell));
        }
        if let Some(scaffold) = &self.scaffold {
            scaffold.start(&tell);
        }
        if let Some(refresh) = &self.refresh {
            self.refresher.get_or_init(|| refresh(tell));
        }
    }

    /// Carries out an effect; blocks. Effects that need a terminal are none of its business.
    pub fn perform(&self, effect: &Effect, world: &World, send: &(dyn Fn(TaskEvent) + Send + Sync)) {
        match effect {
            Effect::Load if self.refresher.get().is_some() => {}
            Effect::Load => self.load(send),
            Effect::Sources(order) => match self.refresher.get() {
                Some(ask) => ask(order.clone()),
                None => self.load(send),
            },
            Effect::Filter { generation, text, cursor, sort } => {
                send(self.filter(*generation, text, *cursor, *sort, world));
            }
            Effect::Pick { generation, text } => {
                let refs = pick(world, text);
                send(TaskEvent::Picked { generation: *generation, refs });
            }
            Effect::ReadSource { generation, entity } => {
                let found = world.catalog.find(entity);
                let result = found
                    .ok_or_else(|| format!("`{entity}` is not in the catalog any more"))
                    .and_then(|id| (self.read_source)(&world.catalog, id));
                send(TaskEvent::SourceRead { generation: *generation, result });
            }
            Effect::Revisions { generation, question } => {
                let result = (self.revisions)(&world.catalog, question);
                send(TaskEvent::Revisions { generation: *generation, result });
            }
            Effect::Docs { generation, question } => {
                let result = self.docs.answer(question, world);
                send(TaskEvent::Docs { generation: *generation, result });
            }
            Effect::Backend(order) => self.ask_backend(order, send),
            Effect::Kubernetes(order) => {
                if let Some(hub) = self.hub.get() {
                    hub.order(order.clone());
                }
            }
            Effect::ListObjects { generation, query } => {
                let filter = rows::Filter::parse(&query.filter).unwrap_or_default();
                let now = jiff::Timestamp::now();
                let found = rows::run(&world.kubernetes, &world.catalog, query, &filter, now);
                send(TaskEvent::ObjectsListed { generation: *generation, rows: Shared(Arc::new(found)) });
            }
            Effect::AskCluster { generation, question } => {
                let hub = self.hub.get().ok_or_else(|| "no cluster is asked from here".to_owned());
                let result = hub.and_then(|hub| hub.ask(question));
                send(TaskEvent::Cluster { generation: *generation, result });
            }
            Effect::OpenLogs { generation, request } => {
                if let Some(hub) = self.hub.get() {
                    let stream = Shared(hub.logs(request.clone()));
                    send(TaskEvent::LogsOpened { generation: *generation, stream });
                }
            }
            Effect::FindInLogs { generation, stream, query, ids } => {
                let found = stream.0.find(query, ids.clone(), &CancellationToken::new());
                send(TaskEvent::LogsFound { generation: *generation, ids: found, upto: ids.end });
            }
            Effect::ReadLogs { generation, stream, ids } => {
                let lines = stream.0.read(ids.clone());
                send(TaskEvent::LogsRead { generation: *generation, ids: ids.clone(), lines });
            }
            Effect::Templates { generation, order } => {
                if let Some(scaffold) = &self.scaffold {
                    scaffold.perform(*generation, order, world, send);
                }
            }
            Effect::SaveLogs { stream, name, save } => send(save_logs(name, &stream.0, save)),
            Effect::Remember(memory) => {
                if let Err(reason) = (self.remember)(memory) {
                    send(TaskEvent::Failed(format!("could not remember: {reason}")));
                }
            }
            Effect::LoadTheme(name) => send(match (self.load_theme)(name) {
                Ok(theme) => TaskEvent::ThemeLoaded(theme),
                Err(reason) => TaskEvent::Failed(reason),
            }),
            Effect::SaveSetting { key, value } => send(match (self.save_setting)(key, value.as_deref()) {
                Ok(Saved { value, origin, said }) => TaskEvent::SettingSaved { key, value, origin, said },
                Err(reason) => TaskEvent::Failed(reason),
            }),
            Effect::SaveText { name, text } => send(match save_text(name, text) {
                Ok(path) => TaskEvent::Done(format!("wrote {} ({})", path, size(text.len()))),
                Err(error) => TaskEvent::Failed(format!("could not write {name}: {error}")),
            }),
            Effect::OpenUrl(url) => send(match super::editor::open_url(url) {
                Ok(()) => TaskEvent::Done(format!("opened {url}")),
                Err(reason) => TaskEvent::Failed(reason),
            }),
            _ => {}
        }
    }

    /// Asks a backend; what it was asked to change is read afterwards.
    fn ask_backend(&self, order: &BackendOrder, send: &(dyn Fn(TaskEvent) + Send + Sync)) {
        let Some(backend) = &self.backend else {
            return send(TaskEvent::Failed("no backend is asked from here".to_owned()));
        };
        match backend(order) {
            Ok(event) => {
                let is_changed = matches!(event, TaskEvent::Done(_));
                send(event);
                if let (true, Some(ask)) = (is_changed, self.refresher.get()) {
                    ask(refresh::Order::Refresh(order.source().to_owned()));
                }
            }
            Err(reason) => send(TaskEvent::Failed(reason)),
        }
    }

    fn load(&self, send: &(dyn Fn(TaskEvent) + Send + Sync)) {
        // progress comes from many threads; the last report of each interval is enough
        let (sender, receiver) = std::sync::mpsc::channel::<ProgressEvent>();
        let progress = Progress::new(move |event| drop(sender.send(event)));
        let (catalog, me) = std::thread::scope(|scope| {
            let reporter = scope.spawn(move || report(&receiver, send));
            let loaded = (self.load)(&progress);
            drop(progress);
            drop(reporter.join());
            loaded
        });
        send(TaskEvent::Loaded { catalog: Shared(catalog), me });
    }

    fn filter(
        &self,
        generation: Generation,
        text: &str,
        cursor: Option<usize>,
        sort: Sort,
        world: &World,
    ) -> TaskEvent {
        let query = match query::Query::parse(text) {
            Ok(query) => query,
            Err(error) => {
                let hint = error.hint.map(|hint| format!(": {hint}")).unwrap_or_default();
                let mistake = FilterMistake { span: error.span, reason: format!("{}{hint}", error.message) };
                return TaskEvent::Filtered { generation, result: Err(mistake) };
            }
        };
        let viewer = viewer(world);
        let catalog = &world.catalog;
        let mut ids = query.run(catalog, &viewer, &CancellationToken::new());
        let of_health = facets::status(catalog, &ids, &viewer.health);
        let facets = of_health.into_iter().chain(facets::facets(catalog, &ids)).collect();
        self.order.sort(catalog, &mut ids, sort);
        let suggestions = cursor.map(|at| suggestions(catalog, &viewer, text, at)).unwrap_or_default();
        let matches = Matches { catalog: catalog.clone(), ids, facets, suggestions };
        TaskEvent::Filtered { generation, result: Ok(Shared(Arc::new(matches))) }
    }
}

fn report(receiver: &std::sync::mpsc::Receiver<ProgressEvent>, send: &(dyn Fn(TaskEvent) + Send + Sync)) {
    let mut files = std::collections::BTreeMap::<Arc<str>, usize>::new();
    let mut last = Instant::now();
    while let Ok(event) = receiver.recv() {
        let source = match event {
            ProgressEvent::Files { source, files: read }
            | ProgressEvent::Finished { source, files: read, .. } => {
                files.insert(source.clone(), read);
                source.to_string()
            }
            ProgressEvent::Started { source } => source.to_string(),
            ProgressEvent::Waiting { source, host } => format!("{source}: {host}"),
            ProgressEvent::Amount { source, done, unit, .. } => format!("{source}: {done} {unit}"),
            ProgressEvent::Limited { source, why, .. } => format!("{source}: {why}"),
            ProgressEvent::Bytes { .. } | ProgressEvent::Rate { .. } => continue,
            ProgressEvent::Stitching => "joining relations".to_owned(),
        };
        if last.elapsed() >= PROGRESS {
            last = Instant::now();
            send(TaskEvent::LoadProgress { files: files.values().sum(), entities: 0, source });
        }
    }
}

fn viewer(world: &World) -> query::Viewer {
    let principal = &world.me.principal;
    let me = principal.user.iter().chain(&principal.groups).cloned().collect();
    let words = world.kubernetes.health.iter().map(|(entity, health)| (entity.clone(), health.word.as_str()));
    query::Viewer { me, starred: world.stars.clone(), health: Arc::new(words.collect()) }
}

/// Finds entities by name: exact, beginning and part first, then fuzzy.
fn pick(world: &World, text: &str) -> Vec<String> {
    let catalog = &world.catalog;
    let limit = crate::app::palette::MAX_ENTITIES;
    let found = search::search(catalog, &viewer(world), text, limit, &CancellationToken::new());
    let mut ids: Vec<EntityId> = found.unwrap_or_default().into_iter().map(|hit| hit.id).collect();
    if ids.len() < limit {
        let known: BTreeSet<EntityId> = ids.iter().copied().collect();
        let fuzzy = fuzzy(catalog, text).into_iter().filter(|id| !known.contains(id));
        ids.extend(fuzzy.take(limit - known.len()));
    }
    ids.into_iter().map(|id| catalog.ref_of(id).to_owned()).collect()
}

/// Returns the entities whose names hold the letters in order, best first.
fn fuzzy(catalog: &Catalog, text: &str) -> Vec<EntityId> {
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let mut matcher = Matcher::new(nucleo_matcher::Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, EntityId)> = catalog
        .ids()
        .filter_map(|id| {
            let name = split_canonical(catalog.ref_of(id)).2;
            Some((pattern.score(Utf32Str::new(name, &mut buffer), &mut matcher)?, id))
        })
        .collect();
    scored.sort_unstable_by_key(|(score, id)| (std::cmp::Reverse(*score), *id));
    scored.into_iter().map(|(_, id)| id).collect()
}

fn suggestions(catalog: &Catalog, viewer: &query::Viewer, text: &str, cursor: usize) -> Vec<Suggestion> {
    let completion = complete::complete(catalog, viewer, text, cursor);
    let before = text.get(..completion.span.start).unwrap_or("");
    let after = text.get(completion.span.end..).unwrap_or("");
    let suggestion = |item: &complete::CompletionItem| Suggestion {
        text: format!("{before}{}{after}", item.insert),
        label: item.label.clone(),
        count: item.count,
    };
    completion.items.iter().take(SUGGESTIONS).map(suggestion).collect()
}

/// Writes a text beside nothing that exists.
fn save_text(name: &str, text: &str) -> std::io::Result<String> {
    use std::io::Write as _;
    let (mut file, name) = new_file(name)?;
    file.write_all(text.as_bytes()).map(|()| name)
}

fn save_logs(name: &str, stream: &logs::Stream, save: &logs::Save) -> TaskEvent {
    use std::io::Write as _;
    let write = || {
        let (file, name) = new_file(name)?;
        let mut out = std::io::BufWriter::new(file);
        let lines = stream.write(save, &mut out)?;
        out.flush()?;
        let bytes = out.get_ref().metadata().map_or(0, |data| data.len());
        std::io::Result::Ok((lines, bytes, name))
    };
    match write() {
        Ok((lines, bytes, name)) => {
            let lines = grouped(usize::try_from(lines).unwrap_or(usize::MAX));
            let bytes = size(usize::try_from(bytes).unwrap_or(usize::MAX));
            TaskEvent::Done(format!("wrote {lines} lines to {name} ({bytes})"))
        }
        Err(error) => TaskEvent::Failed(format!("could not write {name}: {error}")),
    }
}

/// Creates a file beside nothing that exists: `name`, else `name-2`, `name-3`, …
fn new_file(name: &str) -> std::io::Result<(std::fs::File, String)> {
    let safe: String =
        name.chars().map(|c| if c == '/' || c == '\\' || c.is_control() { '-' } else { c }).collect();
    let (stem, extension) =
        safe.rsplit_once('.').map_or((safe.as_str(), String::new()), |(s, e)| (s, format!(".{e}")));
    for attempt in 1..100 {
        let name =
            if attempt == 1 { format!("{stem}{extension}") } else { format!("{stem}-{attempt}{extension}") };
        match std::fs::File::create_new(&name) {
            Ok(file) => return Ok((file, name)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(std::io::Error::other("a hundred files of that name exist already"))
}

/// The order of one snapshot by one key, found once and used at every key press.
#[derive(Debug, Default)]
pub struct Order(Mutex<Option<Sorted>>);

#[derive(Debug)]
struct Sorted {
    catalog: Weak<Catalog>,
    key: SortKey,
    ids: Arc<Vec<EntityId>>,
}

impl Order {
    /// Sorts ids of a snapshot.
    pub fn sort(&self, catalog: &Arc<Catalog>, ids: &mut Vec<EntityId>, sort: Sort) {
        if sort.key == SortKey::Name {
            // the snapshot knows this order itself
            pick_in_order(catalog.by_name().iter().copied().map(EntityId), catalog.len(), ids);
        } else {
            pick_in_order(self.all(catalog, sort.key).iter().copied(), catalog.len(), ids);
        }
        if sort.is_descending {
            ids.reverse();
        }
    }

    fn all(&self, catalog: &Arc<Catalog>, key: SortKey) -> Arc<Vec<EntityId>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sorted) =
            kept.as_ref().filter(|r| r.key == key && r.catalog.as_ptr() == Arc::as_ptr(catalog))
        {
            return sorted.ids.clone();
        }
        let mut all: Vec<EntityId> = catalog.ids().collect();
        all.sort_by_cached_key(|id| catalog.entity(*id).map(|entity| sort_text(catalog, &entity, key)));
        let ids = Arc::new(all);
        *kept = Some(Sorted { catalog: Arc::downgrade(catalog), key, ids: ids.clone() });
        ids
    }
}

/// Puts ids, each of which is below `total`, into the order of a list of all.
fn pick_in_order(all: impl Iterator<Item = EntityId>, total: usize, ids: &mut Vec<EntityId>) {
    if ids.len() >= total {
        *ids = all.collect();
        return;
    }
    let mut is_wanted = vec![false; total];
    for id in ids.iter() {
        if let Some(slot) = is_wanted.get_mut(id.0 as usize) {
            *slot = true;
        }
    }
    let count = ids.len();
    ids.clear();
    ids.extend(all.filter(|id| is_wanted.get(id.0 as usize) == Some(&true)).take(count));
}

/// What an entity is ordered by: the column, then its name; empty columns come last.
fn sort_text(catalog: &Catalog, entity: &Entity<'_>, key: SortKey) -> (bool, String) {
    let (kind, _, name) = split_canonical(entity.entity_ref());
    let short = |id: Option<EntityId>| id.map_or("", |id| split_canonical(catalog.ref_of(id)).2);
    let first = match key {
        SortKey::Name => return (false, format!("{name}\n{kind}")),
        SortKey::Kind => format!("{kind}\n{}", entity.entity_type()),
        SortKey::Owner => short(entity.owner()).to_owned(),
        SortKey::System => short(entity.system()).to_owned(),
        SortKey::Lifecycle => entity.lifecycle().to_owned(),
        SortKey::Problems => {
            let errors = entity.problems().filter(|d| d.is_error()).count();
            let all = entity.problems().count();
            if all == 0 {
                String::new()
            } else {
                format!("{:05}{:05}", 99_999 - errors.min(99_999), 99_999 - all.min(99_999))
            }
        }
    };
    (first.is_empty(), format!("{first}\n{name}"))
}
