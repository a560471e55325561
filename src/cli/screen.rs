//! From settings and sources to the full screen: what the faces of [`crate::tui`] start from.
//!
//! Start at [`start`]. Everything that touches disk or network for the screen is given here, as the
//! functions of [`Services`].

use super::live::Live;
use super::session::{Session, SourcesFrom};
use crate::app::Context;
use crate::app::context::{ConfigFile, Configured, Me, Setting, Visit};
use crate::app::event::{BackendOrder, Memory, RevisionsAnswer, RevisionsQuestion, Shared, TaskEvent};
use crate::app::keymap::PRESETS;
use crate::catalog::access::identity;
use crate::catalog::compare;
use crate::catalog::history::{self, Place};
use crate::catalog::sources::embedded;
use crate::catalog::sources::revisions::Range;
use crate::catalog::{Catalog, EntityId, Loader, Progress};
use crate::config::setting::{self, Kind};
use crate::config::theme::Theme;
use crate::config::{Config, Paths, View};
use crate::diagnostic::Diagnostic;
use crate::docs::site::place;
use crate::kubernetes::select::Locator;
use crate::kubernetes::watch::place::overrides;
use crate::kubernetes::{Hub, clusters, hub};
use crate::permissions::Claims;
use crate::store;
use crate::tui::scaffold::Scaffold;
use crate::tui::services::{Connect, Docs, Saved, World, explain};
use crate::tui::{Services, Start};
use crate::ui::panes;
use jiff::Timestamp;
use std::io::Read;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Longest source text that is shown, in bytes.
const MAX_SOURCE_TEXT: u64 = 8 * 1024 * 1024;

/// Returns what a face starts from: state read from disk, and functions for everything later.
pub fn start(session: Session, line: &str) -> Start {
    let config = &session.config;
    let mut cx = Context::new(panes::ALL);
    cx.configure(configured(&session));
    let stars = store::stars::load(&config.paths);
    let history = store::history::load(&config.paths);
    cx.config_diagnostics.extend(stars.diagnostic.into_iter().chain(history.diagnostic));
    cx.stars = stars.value.refs;
    let reading = store::reading::load(&config.paths);
    cx.config_diagnostics.extend(reading.diagnostic);
    cx.reading = reading.value;
    cx.recent = history
        .value
        .visits
        .into_iter()
        .map(|visit| Visit { place: visit.place, count: visit.count })
        .collect();
    Start { cx, line: line.to_owned(), services: services(session) }
}

/// Returns what the configuration says, for the screen.
pub(super) fn configured(session: &Session) -> Configured {
    let config = &session.config;
    let (theme, theme_diagnostics) = theme(config);
    Configured {
        theme,
        themes: Theme::names(Some(&config.paths.themes())),
        ascii: config.flag(&setting::UI_ASCII) || !is_utf8(),
        origin: origin(session),
        settings: settings(config),
        files: config_files(&config.paths),
        diagnostics: config.diagnostics.iter().cloned().chain(theme_diagnostics).collect(),
        keys: super::keys::own_keys(config),
        views: config.views.iter().map(|view| (view.name.clone(), view_line(view))).collect(),
        access: session.loader.options().access.clone().map(Shared),
        aliases: config.aliases.iter().map(|alias| (alias.name.clone(), alias.line.clone())).collect(),
    }
}

fn services(session: Session) -> Services {
    let paths = session.config.paths.clone();
    let editor = session.config.text(&setting::EDITOR).to_owned();
    let session = Arc::new(Mutex::new(session));
    let (for_save, for_refresh) = (session.clone(), session.clone());
    let (for_revisions, for_source) = (session.clone(), session.clone());
    let (for_backend, for_clusters) = (session.clone(), session.clone());
    let (for_docs, for_portals) = (session.clone(), session.clone());
    let (for_theme, for_memory) = (paths.clone(), paths.clone());
    let for_templates = session.clone();
    Services {
        load: Box::new(move |progress| {
            let (loader, claims) = {
                let session = session.lock().unwrap_or_else(PoisonError::into_inner);
                (session.loader.clone(), session.claims.clone())
            };
            let catalog = loader.load(progress);
            let me = me(&loader, &claims, &catalog);
            (catalog, me)
        }),
        refresh: Some(Box::new(move |tell| {
            let live = Live::start(for_refresh.clone(), tell);
            Box::new(move |order| live.order(order))
        })),
        refresher: OnceLock::new(),
        connect: connect(&for_clusters),
        hub: OnceLock::new(),
        scaffold: Some(scaffold(&for_templates, paths.state.clone())),
        read_source: Box::new(move |catalog, id| {
            let loader = for_source.lock().unwrap_or_else(PoisonError::into_inner).loader.clone();
            read_source(&loader, catalog, id)
        }),
        revisions: Box::new(move |catalog, question| {
            let (loader, from) = {
                let session = for_revisions.lock().unwrap_or_else(PoisonError::into_inner);
                (session.loader.clone(), session.sources_from)
            };
            revisions(&loader, from, catalog, question)
        }),
        docs: Docs::new(
            Box::new(move |catalog, entity| {
                let loader = for_docs.lock().unwrap_or_else(PoisonError::into_inner).loader.clone();
                let found = place::open(&loader, catalog, entity, &Progress::none());
                found.map_err(|error| explain(&error))
            }),
            Box::new(move || for_portals.lock().unwrap_or_else(PoisonError::into_inner).loader.portals()),
        ),
        backend: Some(Box::new(move |order| {
            let loader = for_backend.lock().unwrap_or_else(PoisonError::into_inner).loader.clone();
            ask_backend(&loader, order)
        })),
        remember: Box::new(move |memory| remember(&for_memory, memory)),
        load_theme: Box::new(move |name| {
            let loaded = Theme::load(name, Some(&for_theme.themes()));
            loaded.map(|(theme, _)| theme).map_err(|diagnostic| diagnostic.message)
        }),
        save_setting: Box::new(move |key, value| {
            let mut session = for_save.lock().unwrap_or_else(PoisonError::into_inner);
            save_setting(&mut session, key, value)
        }),
        editor,
        state_folder: paths.state,
        order: crate::tui::services::Order::default(),
    }
}

/// Returns what makes things from templates.
fn scaffold(session: &Arc<Mutex<Session>>, state: std::path::PathBuf) -> Scaffold {
    let session = session.clone();
    let make = move |world: &World| {
        let session = session.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::new(super::new::host(&session, world.catalog.clone()))
    };
    Scaffold::new(Box::new(make), state)
}

/// Returns what connects to the clusters that are configured; `None` where none is to be asked.
fn connect(session: &Mutex<Session>) -> Option<Box<Connect>> {
    let session = session.lock().unwrap_or_else(PoisonError::into_inner);
    let config = &session.config;
    let wanted = session.wanted_clusters()?;
    let places: Arc<dyn Fn() -> clusters::Places + Send + Sync> = session.cluster_places().into();
    let settings = hub::Settings {
        custom: clusters::all_custom(&config.custom_resources, &config.clusters),
        namespaces: config.words(&setting::KUBERNETES_NAMESPACES).to_vec(),
        versions: overrides(config.words(&setting::KUBERNETES_API_VERSIONS)),
        wanted,
        log_limits: super::logs::limits(config),
        log_cache: Some(config.paths.cache.clone()),
        locator: Locator::of_word(config.text(&setting::KUBERNETES_SERVICE_LOCATOR)),
    };
    Some(Box::new(move |tell| {
        let (wanted, places) = (settings.wanted.clone(), places.clone());
        let find = move || clusters::discover(&places(), &wanted);
        Hub::with(settings.clone(), Box::new(find), tell)
    }))
}

/// Returns who the user is according to a snapshot.
pub(super) fn me(loader: &Loader, claims: &Claims, catalog: &Catalog) -> Me {
    // what one may see need not hold oneself
    let known = loader.options().access.as_ref().and_then(|access| access.identity());
    let identity = known.unwrap_or_else(|| identity(claims, catalog));
    let mut origin = identity.origin.to_string();
    if identity.principal.user.is_some() && !identity.in_catalog {
        origin.push_str("; this catalog describes no such user");
    }
    Me { principal: identity.principal, origin }
}

/// Returns the configured theme; none, with the reason, when it cannot be read.
fn theme(config: &Config) -> (Option<Theme>, Vec<crate::diagnostic::Diagnostic>) {
    if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        let mono = Theme::load("mono", None).map(|(theme, _)| theme);
        return (Some(mono.unwrap_or_else(|_| Theme::plain())), Vec::new());
    }
    match Theme::load(config.text(&setting::THEME), Some(&config.paths.themes())) {
        Ok((theme, diagnostics)) => (Some(theme), diagnostics),
        Err(diagnostic) => (None, vec![*diagnostic]),
    }
}

/// Returns whether the locale says UTF-8; one that says nothing is taken for it.
fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    locale.is_none_or(|locale| {
        let upper = locale.to_uppercase();
        upper.contains("UTF-8")
            || upper.contains("UTF8")
            || !matches!(upper.as_str(), "C" | "POSIX") && !upper.contains('.')
    })
}

fn origin(session: &Session) -> String {
    match session.sources_from {
        SourcesFrom::Demo => "the demo".to_owned(),
        SourcesFrom::Folder => "the descriptors of this folder".to_owned(),
        SourcesFrom::Sample => "the built-in sample".to_owned(),
        SourcesFrom::CommandLine | SourcesFrom::Settings => {
            let names: Vec<&str> =
                session.loader.sources().iter().map(|source| source.name.as_str()).collect();
            names.join(", ")
        }
    }
}

fn settings(config: &Config) -> Vec<Setting> {
    let row = |(setting, resolved): (&'static setting::Setting, &crate::config::Resolved)| {
        let choices = match (setting.key, setting.kind) {
            ("theme", _) => Theme::names(Some(&config.paths.themes())),
            ("keymap.preset", _) => PRESETS.iter().map(|preset| (*preset).to_owned()).collect(),
            (_, Kind::Bool) => vec!["true".to_owned(), "false".to_owned()],
            (_, Kind::Choice(words)) => words.iter().map(|word| (*word).to_owned()).collect(),
            _ => Vec::new(),
        };
        Setting {
            key: setting.key,
            value: resolved.value.to_text(),
            origin: resolved.origin.to_string(),
            help: setting.help,
            choices,
        }
    };
    config.rows().map(row).collect()
}

fn config_files(paths: &Paths) -> Vec<ConfigFile> {
    let files = [
        ("config", paths.config_file()),
        ("keys", paths.keys_file()),
        ("aliases", paths.aliases_file()),
        ("views", paths.views_file()),
        ("themes", paths.themes()),
        ("system", paths.system_file()),
        ("log", paths.log_file()),
    ];
    files
        .into_iter()
        .map(|(what, path)| ConfigFile { what, is_found: path.exists(), path: path.display().to_string() })
        .collect()
}

fn view_line(view: &View) -> String {
    let place = if view.place.is_empty() { "catalog" } else { &view.place };
    format!("{place} {}", view.filter).trim().to_owned()
}

fn remember(paths: &Paths, memory: &Memory) -> Result<(), String> {
    let done = match memory {
        Memory::Star { entity, starred } => store::stars::set(paths, entity, *starred).map(drop),
        Memory::Visit(place) => {
            let now = Timestamp::now().as_second();
            store::history::add(paths, &[(place.clone(), now)]).map(drop)
        }
        Memory::Position { entity, page, line } => {
            let now = Timestamp::now().as_second();
            store::reading::update(paths, |reading| reading.stop_at(entity, page, *line, now)).map(drop)
        }
        Memory::Bookmark { bookmark, is_set } => {
            store::reading::update(paths, |reading| reading.mark(bookmark, *is_set)).map(drop)
        }
        Memory::View { name, place } => {
            let (place, filter) = place.split_once(' ').unwrap_or((place, ""));
            let view = View {
                name: name.clone(),
                place: place.to_owned(),
                filter: filter.to_owned(),
                sort: String::new(),
                columns: Vec::new(),
            };
            store::views::save(paths, &view)
        }
    };
    done.map_err(|error| error.to_string())
}

fn save_setting(session: &mut Session, key: &str, value: Option<&str>) -> Result<Saved, String> {
    let setting = setting::find(key).ok_or_else(|| format!("there is no setting `{key}`"))?;
    let value = match value {
        Some(text) => Some(setting.parse(text).map_err(|bad| format!("{}; {}", bad.label, bad.hint))?),
        None => None,
    };
    let change = crate::config::save(&session.config.paths, setting, value.as_ref())
        .map_err(|error| error.to_string())?;
    session.reload();
    let resolved = session.config.get(setting);
    let place = format!("{}:{}", change.file.display(), change.line);
    let said = match value {
        Some(_) => format!("wrote `{}` to {place}", change.text),
        None => format!("took `{key}` out of {}", change.file.display()),
    };
    Ok(Saved { value: resolved.value.to_text(), origin: resolved.origin.to_string(), said })
}

/// Most changes of an entity that the screen lists.
const MAX_CHANGES: usize = 200;
/// Most commits that are looked at for them.
const MAX_COMMITS: usize = 200_000;

/// Answers a question about revisions.
fn revisions(
    loader: &Loader,
    from: SourcesFrom,
    catalog: &Catalog,
    question: &RevisionsQuestion,
) -> Result<RevisionsAnswer, String> {
    match question {
        RevisionsQuestion::Compare(range) => {
            let range = Range::parse(range)?;
            let source = super::repository::of_loader(loader, from).map_err(|diagnostic| {
                let hint = diagnostic.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                format!("{}{hint}", diagnostic.message)
            })?;
            let progress = Progress::none();
            let found = compare::compare(&source, &range, loader.options().offline, &progress);
            let found = found.map_err(|error| error.to_string())?;
            Ok(RevisionsAnswer::Compared(Shared(Arc::new(found))))
        }
        RevisionsQuestion::History(entity_ref) => {
            let entity = catalog.find(entity_ref).and_then(|id| catalog.entity(id));
            let entity = entity.ok_or_else(|| format!("`{entity_ref}` is described in no file"))?;
            let place = history::locate(loader, &entity).map_err(|error| error.to_string())?;
            let limits = history::Limits {
                entries: MAX_CHANGES,
                commits: MAX_COMMITS,
                cancel: &tokio_util::sync::CancellationToken::new(),
                on_step: &|_| {},
            };
            let found = history::read(&place, &limits).map_err(|error| error.message().to_owned())?;
            Ok(RevisionsAnswer::History(Shared(Arc::new(found))))
        }
    }
}

/// Asks the backend of a source to do something.
///
/// # Errors
/// Why not, and what to do, in a sentence for people.
pub fn ask_backend(loader: &Loader, order: &BackendOrder) -> Result<TaskEvent, String> {
    let source = order.source();
    let index = loader.sources().iter().position(|configured| configured.name == source);
    let index = index.ok_or_else(|| format!("there is no source `{source}` any more"))?;
    let progress = Progress::none();
    let told = |diagnostic: Box<Diagnostic>| {
        let hint = diagnostic.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("{}{hint}", diagnostic.message)
    };
    match order {
        BackendOrder::Refresh { entities, .. } => {
            for entity in entities {
                loader.refresh_entity(index, entity, &progress).map_err(told)?;
            }
            let what = match entities.as_slice() {
                [one] => one.clone(),
                many => format!("{} entities", many.len()),
            };
            Ok(TaskEvent::Done(format!("the backend of `{source}` was asked to read {what} again")))
        }
        BackendOrder::TryRegister { target, .. } => {
            let plan = loader.register(index, target, true, &progress).map_err(told)?;
            Ok(TaskEvent::Registrable { source: source.to_owned(), target: target.clone(), plan })
        }
        BackendOrder::Register { target, .. } => {
            // somebody else may have been quicker
            if loader.register(index, target, false, &progress).map_err(told)?.exists {
                loader.refresh_location(index, target, &progress).map_err(told)?;
                let said = "has it registered already and was asked to read it again";
                return Ok(TaskEvent::Done(format!("the backend of `{source}` {said}")));
            }
            Ok(TaskEvent::Done(format!("registered; the backend of `{source}` reads it within moments")))
        }
    }
}

/// Reads the text that an entity was read from.
fn read_source(loader: &Loader, catalog: &Catalog, id: EntityId) -> Result<Arc<str>, String> {
    let entity = catalog.entity(id).ok_or("it is described in no file")?;
    let file = entity.file();
    if let Ok(Place { repository, revision: Some(commit), file, is_remote: true, .. }) =
        history::locate(loader, &entity)
    {
        return read_blob(&repository.display().to_string(), &commit, &file);
    }
    let path = match file.location_ref.split_once(':') {
        Some(("file", path)) => path,
        Some(("sample", path)) => {
            return embedded::text(path).map(Arc::from).ok_or_else(|| "it is gone".into());
        }
        // `/repository@commit:path`
        Some(("git", place)) => {
            let parts = place.split_once(':').and_then(|(place, path)| Some((place.rsplit_once('@')?, path)));
            let ((repository, commit), path) = parts.ok_or("its place is not known")?;
            return read_blob(repository, commit, path);
        }
        _ => return Err(format!("`{}` is no file on this machine", file.path)),
    };
    let mut text = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_SOURCE_TEXT).read_to_end(&mut text))
        .map_err(|error| format!("could not read `{}`: {error}", file.path))?;
    Ok(String::from_utf8_lossy(&text).into())
}

/// Reads a file of a revision.
fn read_blob(repository: &str, commit: &str, path: &str) -> Result<Arc<str>, String> {
    let read = || -> Result<Arc<str>, git2::Error> {
        let repository = git2::Repository::open(repository)?;
        let tree = repository.find_commit(git2::Oid::from_str(commit)?)?.tree()?;
        let blob = tree.get_path(std::path::Path::new(path))?.to_object(&repository)?.peel_to_blob()?;
        Ok(String::from_utf8_lossy(blob.content()).into())
    };
    read().map_err(|error| error.message().to_owned())
}
