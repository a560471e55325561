//! `refresh`: reads sources again now, and asks a Backstage backend to read an entity again.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role};
use super::register::{backend, refused};
use super::session;
use super::table::{self, Cell};
use super::version::Form;
use crate::catalog::{Catalog, Loader, Progress, ProgressEvent};
use crate::model::EntityRef;
use crate::model::text::{clean, nearest};
use rustc_hash::{FxHashMap, FxHasher};
use serde_json::json;
use std::hash::Hasher as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Arguments of `refresh`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Sources to read again, or refs of entities that their backend should read again; absent: all sources
    #[arg(value_name = "SOURCE|REF")]
    pub words: Vec<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// What reading a source again came to.
#[derive(Debug)]
struct Row {
    source: String,
    entities: usize,
    added: usize,
    changed: usize,
    removed: usize,
    bytes: u64,
    time: Duration,
    error: Option<String>,
}

/// Runs `refresh`.
///
/// # Errors
/// [`CliError::Usage`] for a word that is neither; what a backend says that was asked.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let loader = Arc::clone(&session.loader);
    super::exit_when_interrupted();
    for diagnostic in &session.config.diagnostics {
        out.diagnostic(diagnostic);
    }
    session.require_paths()?;
    let mut wanted: Vec<usize> = Vec::new();
    let mut entities: Vec<(usize, String)> = Vec::new();
    for word in &args.words {
        if let Some(index) = loader.sources().iter().position(|source| source.name == *word) {
            wanted.push(index);
        } else {
            let entity = entity(word, &loader)?;
            wanted.push(entity.0);
            entities.push(entity);
        }
    }
    if args.words.is_empty() {
        wanted = (0..loader.sources().len()).collect();
    }
    wanted.sort_unstable();
    wanted.dedup();
    for (index, entity) in &entities {
        loader.refresh_entity(*index, entity, &Progress::none()).map_err(refused)?;
        out.note(&format!("the backend was asked to read `{entity}` again; it does so within moments"));
    }
    let rows = read(&loader, &wanted, out);
    // the next command starts from what was read here
    loader.join();
    session.keep_afterwards(out);
    print(&rows, args.output, out)?;
    Ok(if rows.iter().any(|row| row.error.is_some()) { Exit::Incomplete } else { Exit::Fine })
}

/// Finds the entity that a word names and the source whose backend can be asked.
fn entity(word: &str, loader: &Loader) -> Result<(usize, String), CliError> {
    let unknown = || {
        let names: Vec<&str> = loader.sources().iter().map(|source| source.name.as_str()).collect();
        let hint = match nearest(word, names.iter().copied()).first() {
            Some(near) => format!("did you mean the source `{near}`?"),
            None => format!("sources are {}; a ref is written as `component:checkout`", names.join(", ")),
        };
        CliError::usage(format!("`{}` is neither a source nor the ref of an entity", clean(word)), hint)
    };
    let entity = EntityRef::parse_full(word).map_err(|_| unknown())?.to_string();
    let able = (0..loader.sources().len()).filter(|index| loader.has_writes(*index)).count();
    if able < 2 {
        return Ok((backend(loader, None)?, entity));
    }
    // of several backends it is the one that the entity is from
    let catalog = loader.load(&Progress::none());
    let source = catalog.find(&entity).and_then(|id| catalog.entity(id)?.source().map(|s| s.name.clone()));
    match source {
        Some(name) => Ok((backend(loader, Some(&name))?, entity)),
        None => Err(CliError::usage(
            format!("no source has `{}`", clean(&entity)),
            "`devportal get` lists what there is",
        )),
    }
}

fn read(loader: &Loader, wanted: &[usize], out: &mut Output) -> Vec<Row> {
    let before = loader.join();
    let work = |index: usize| {
        let bytes = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&bytes);
        let progress = Progress::new(move |event| {
            if let ProgressEvent::Bytes { bytes, .. } = event {
                counter.fetch_add(bytes, Ordering::Relaxed);
            }
        });
        let started = Instant::now();
        loader.refresh(index, None, &progress);
        (index, bytes.load(Ordering::Relaxed), started.elapsed())
    };
    let measured: Vec<(usize, u64, Duration)> = std::thread::scope(|scope| {
        let running: Vec<_> = wanted.iter().map(|index| scope.spawn(move || work(*index))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let after = loader.join();
    measured
        .into_iter()
        .map(|(index, bytes, time)| {
            let name = loader.sources().get(index).map(|source| source.name.clone()).unwrap_or_default();
            let state = loader.state(index);
            if let Some(error) = &state.error {
                out.diagnostic(error);
            }
            let (old, new) = (entities(&before, index), entities(&after, index));
            Row {
                entities: new.len(),
                added: new.keys().filter(|key| !old.contains_key(*key)).count(),
                removed: old.keys().filter(|key| !new.contains_key(*key)).count(),
                changed: new.iter().filter(|(key, hash)| old.get(*key).is_some_and(|o| o != *hash)).count(),
                source: name,
                bytes,
                time,
                error: state.error.map(|error| error.message),
            }
        })
        .collect()
}

/// Returns the entities of a source by ref, with a hash of their content.
fn entities(catalog: &Catalog, source: usize) -> FxHashMap<&str, u64> {
    let of_source = catalog.entities().filter(|entity| usize::from(entity.file().source) == source);
    of_source
        .map(|entity| {
            let mut hasher = FxHasher::default();
            hasher.write(entity.packed());
            (entity.entity_ref(), hasher.finish())
        })
        .collect()
}

fn print(rows: &[Row], form: Form, out: &mut Output) -> Result<(), CliError> {
    if form == Form::Json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "source": row.source, "entities": row.entities, "added": row.added, "changed": row.changed,
                    "removed": row.removed, "bytes": row.bytes, "seconds": row.time.as_secs_f64(), "error": row.error,
                })
            })
            .collect();
        return out.json(&rows);
    }
    let cells = |row: &Row| {
        let number = |number: usize| Cell::new(&number.to_string());
        let (state, role) = match row.error {
            Some(_) => ("failed", Role::Error),
            None => ("ok", Role::Ok),
        };
        vec![
            Cell::new(&row.source),
            number(row.entities),
            number(row.added),
            number(row.changed),
            number(row.removed),
            // what git moves is not counted, and nothing moves for files of this machine
            Cell::new(&if row.bytes == 0 { "-".to_owned() } else { size(row.bytes) }),
            Cell::new(&format!("{:.1} s", row.time.as_secs_f64())),
            Cell::new(state).role(Some(role)),
        ]
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    table::print(out, &["SOURCE", "ENTITIES", "ADDED", "CHANGED", "REMOVED", "BYTES", "TIME", "STATE"], &rows)
}

fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
