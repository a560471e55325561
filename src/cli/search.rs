//! `search`: finds entities by name, title, description and tags, the best first.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::get::{self, Form};
use super::output::Output;
use super::session;
use crate::catalog::{EntityId, search};
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
    // Mistakes of the command line are told before anything is read
    let narrow = get::query(global, None)?;
    get::query(global, Some(&words))?;
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let viewer = session.viewer(catalog);
    let hits = search::search(catalog, &viewer, &words, usize::MAX, &CancellationToken::new())
        .map_err(|error| CliError::misuse(error.to_diagnostic(&words)))?;
    let mut ids: Vec<EntityId> = hits.into_iter().map(|hit| hit.id).collect();
    ids.retain(|id| narrow.matches(catalog, &viewer, *id));
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
