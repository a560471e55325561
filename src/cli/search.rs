//! `search`: finds entities by name, title, description and tags, the best first.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::get::{self, Form};
use super::output::Output;
use super::session;
use crate::catalog::{Catalog, EntityId};
use tokio_util::sync::CancellationToken;

/// Arguments of `search`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Words to look for; all must be found
    #[arg(value_name = "WORDS", required = true)]
    pub words: Vec<String>,
    /// Most entities in the answer
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub limit: usize,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: Form,
}

/// Runs `search`.
///
/// # Errors
/// For sources that cannot be read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let words = args.words.join(" ");
    let query = get::query(global, Some(&words))?;
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let viewer = session.viewer(catalog);
    let mut ids = query.run(catalog, &viewer, &CancellationToken::new());
    ids.sort_by_cached_key(|id| rank(catalog, *id, &args.words));
    let all = ids.len();
    ids.truncate(args.limit);
    get::print(catalog, &ids, args.output, out)?;
    if all == 0 {
        out.note(&format!("none of {} entities matches", catalog.len()));
    } else if all > ids.len() {
        out.note(&format!("{} of {all} shown; `--limit` shows more", ids.len()));
    }
    Ok(loaded.exit)
}

/// Returns how far an entity is from what was typed; ids break ties, so the order is that of refs.
fn rank(catalog: &Catalog, id: EntityId, words: &[String]) -> (u8, EntityId) {
    let Some(entity) = catalog.entity(id) else { return (u8::MAX, id) };
    let first = words.first().map(|word| word.to_lowercase()).unwrap_or_default();
    let name = entity.name().to_lowercase();
    let title = entity.title().unwrap_or("").to_lowercase();
    let distance = if name == first {
        0
    } else if name.starts_with(&first) {
        1
    } else if name.contains(&first) || title.starts_with(&first) {
        2
    } else if title.contains(&first) {
        3
    } else {
        4
    };
    (distance, id)
}
