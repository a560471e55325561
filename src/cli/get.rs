//! `get`: lists entities, or prints them as data.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::Output;
use super::{columns, select, session, table};
use crate::catalog::{Catalog, EntityId, Filter, Query, Selector};
use clap::ValueEnum;
use tokio_util::sync::CancellationToken;

/// Arguments of `get`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kinds (`components`, `api`, `team`), refs (`api:payments/ledger`) or names; everything when absent
    #[arg(value_name = "KIND|REF")]
    pub what: Vec<String>,
    /// Only what matches: `owner:payments lifecycle:production`, `is:mine`, words
    #[arg(short, long, value_name = "EXPR")]
    pub filter: Option<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "table")]
    pub output: Form,
}

/// Forms of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Columns for people.
    Table,
    /// More columns for people.
    Wide,
    /// One ref per line.
    Name,
    /// An array of entities.
    Json,
    /// One entity per line.
    Jsonl,
    /// One document per entity.
    Yaml,
    /// All columns as comma-separated values.
    Csv,
}

/// Runs `get`.
///
/// # Errors
/// For filters and names that make no sense, and sources that cannot be read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    // Mistakes of the command line are told before anything is read
    let query = query(global, args.filter.as_deref())?;
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let selection = select::words(catalog, &args.what, global)?;
    let mut ids = query.run(catalog, &session.viewer(catalog), &CancellationToken::new());
    if !selection.is_all {
        ids.retain(|id| {
            let kind = crate::model::entity_ref::split_canonical(catalog.ref_of(*id)).0;
            selection.ids.contains(id) || selection.kinds.contains(kind)
        });
    }
    print(catalog, &ids, args.output, out)?;
    let lost = unread(catalog);
    if ids.is_empty() {
        out.note(&nothing(catalog.len(), lost, global, args));
    }
    if lost > 0 {
        let (what, verb) =
            if lost == 1 { ("1 file or document", "was") } else { ("files or documents", "were") };
        let number = if lost == 1 { String::new() } else { format!("{lost} ") };
        out.note(&format!(
            "{number}{what} {verb} not read; `devportal open problems` or `validate` tells why"
        ));
    }
    Ok(loaded.exit)
}

/// Reads the filter and the selector of the command line.
///
/// # Errors
/// With the place of the mistake underlined.
pub fn query(global: &GlobalArgs, filter: Option<&str>) -> Result<Query, CliError> {
    let filter = filter.unwrap_or("");
    let selector = global
        .selector
        .as_deref()
        .map(|text| Selector::parse(text).map_err(|error| CliError::misuse(error.to_diagnostic(text))));
    Ok(Query {
        filter: Filter::parse(filter).map_err(|error| CliError::misuse(error.to_diagnostic(filter)))?,
        selector: selector.transpose()?,
        kinds: Vec::new(),
        namespace: global.namespace.clone(),
    })
}

/// Returns how many errors belong to no entity: something is missing because of each.
fn unread(catalog: &Catalog) -> usize {
    catalog.diagnostics().iter().filter(|found| found.is_error() && found.entity.is_none()).count()
}

fn nothing(all: usize, lost: usize, global: &GlobalArgs, args: &Args) -> String {
    match (all, args.filter.is_some() || global.selector.is_some() || global.namespace.is_some()) {
        (0, _) if lost > 0 => "the catalog is empty: what was found could not be read".to_owned(),
        (0, _) => "the catalog is empty: no descriptor was found in its sources".to_owned(),
        (all, true) => format!("none of {all} entities matches"),
        (all, false) => format!("none of {all} entities is of that kind"),
    }
}

/// Prints entities in a form.
///
/// # Errors
/// When they cannot be written.
pub fn print(catalog: &Catalog, ids: &[EntityId], form: Form, out: &mut Output) -> Result<(), CliError> {
    let entities = || ids.iter().filter_map(|id| catalog.entity(*id));
    match form {
        Form::Table | Form::Wide if ids.is_empty() => Ok(()),
        Form::Table => table::print(out, &columns::head(false), &columns::rows(catalog, ids, false)),
        Form::Wide => table::print(out, &columns::head(true), &columns::rows(catalog, ids, true)),
        Form::Csv => table::csv(out, &columns::head(true), &columns::rows(catalog, ids, true)),
        Form::Name => ids.iter().try_for_each(|id| out.line(&crate::model::text::clean(catalog.ref_of(*id)))),
        Form::Json => out.json(&entities().collect::<Vec<_>>()),
        Form::Jsonl => entities().try_for_each(|entity| out.json_line(&entity)),
        Form::Yaml => entities().try_for_each(|entity| {
            out.line("---")?;
            out.yaml(&entity)
        }),
    }
}
