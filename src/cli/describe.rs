//! `describe`: everything about an entity, for people.

use super::args::GlobalArgs;
use super::error::{CliError, Exit};
use super::output::{Output, Role, render};
use super::{select, session};
use crate::catalog::{Catalog, Entity};
use crate::model::relation;
use crate::model::text::{clean, clean_lines, width};
use crate::model::value::{Fields, ValueRef};
use clap::ValueEnum;
use std::collections::BTreeMap;

/// Arguments of `describe`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Refs (`api:payments/ledger`) or names
    #[arg(value_name = "REF", required = true)]
    pub what: Vec<String>,
    /// Form of the output
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub output: Form,
}

/// Forms of descriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// For people.
    Text,
    /// One object; an array when several were named.
    Json,
    /// One document per entity.
    Yaml,
}

/// Runs `describe`.
///
/// # Errors
/// For names that mean nothing or too much, and sources that cannot be read.
pub fn run(global: &GlobalArgs, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let session = session::open(global);
    let loaded = session.load(out)?;
    let catalog = &*loaded.catalog;
    let words = join_kind(catalog, &args.what);
    let mut entities = Vec::new();
    for (kind, word) in &words {
        let id = select::one(catalog, word, kind.as_deref(), global)?;
        entities.extend(catalog.entity(id));
    }
    match (args.output, entities.as_slice()) {
        (Form::Json, [entity]) => out.json(entity)?,
        (Form::Json, several) => out.json(&several)?,
        (Form::Yaml, several) => {
            for entity in several {
                out.line("---")?;
                out.yaml(entity)?;
            }
        }
        (Form::Text, several) => {
            for (index, entity) in several.iter().enumerate() {
                if index > 0 {
                    out.line("")?;
                }
                text(catalog, *entity, out)?;
            }
        }
    }
    Ok(loaded.exit)
}

/// Lets a kind word stand before its names: `describe component checkout`.
fn join_kind(catalog: &Catalog, words: &[String]) -> Vec<(Option<String>, String)> {
    match words.split_first() {
        Some((first, rest)) if !rest.is_empty() => match select::kind_word(catalog, first) {
            Some(kind) => rest.iter().map(|word| (Some(kind.clone()), word.clone())).collect(),
            None => words.iter().map(|word| (None, word.clone())).collect(),
        },
        _ => words.iter().map(|word| (None, word.clone())).collect(),
    }
}

/// Width of the names of facts, in cells.
const LABEL: usize = 14;

fn fact(out: &mut Output, label: &str, text: &str) -> Result<(), CliError> {
    if text.is_empty() {
        return Ok(());
    }
    let pad = LABEL.saturating_sub(width(label)).max(1);
    let label = out.paint(Role::Dim, label);
    out.line(&format!("{label}{:pad$}{text}", ""))
}

fn section(out: &mut Output, title: &str) -> Result<(), CliError> {
    out.line("")?;
    let title = out.paint(Role::Title, title);
    out.line(&title)
}

fn text(catalog: &Catalog, entity: Entity<'_>, out: &mut Output) -> Result<(), CliError> {
    let name = out.paint(Role::Title, &clean(entity.title().unwrap_or_else(|| entity.name())));
    let entity_ref = clean(entity.entity_ref()).into_owned();
    let entity_ref = out.paint(Role::Accent, &entity_ref);
    out.line(&format!("{name}  {entity_ref}"))?;
    for line in clean_lines(entity.description()).lines() {
        out.line(line.trim_end())?;
    }
    out.line("")?;
    let unknown = if entity.is_unknown_kind() { " (not a kind of the model)" } else { "" };
    fact(out, "kind", &format!("{}{unknown}", clean(entity.kind())))?;
    fact(out, "type", &clean(entity.entity_type()))?;
    fact(out, "lifecycle", &clean(entity.lifecycle()))?;
    fact(out, "namespace", &clean(entity.namespace()))?;
    let tags: Vec<_> = entity.tags().map(clean).collect();
    fact(out, "tags", &tags.join(", "))?;
    let source = entity.source().map_or("", |source| &source.name);
    fact(out, "source", &clean(source))?;
    fact(out, "file", &clean(&entity.location().to_string()))?;
    links(entity, out)?;
    pairs(entity, "labels", "Labels", out)?;
    pairs(entity, "annotations", "Annotations", out)?;
    relations(catalog, entity, out)?;
    problems(entity, out)
}

fn links(entity: Entity<'_>, out: &mut Output) -> Result<(), CliError> {
    let Some(links) = entity.metadata("links").as_array().filter(|links| !links.is_empty()) else {
        return Ok(());
    };
    section(out, "Links")?;
    for link in links.iter() {
        let url = link.get("url").as_str().unwrap_or("");
        let title = link.get("title").as_str().unwrap_or(url);
        let both =
            if title == url { clean(url).into_owned() } else { format!("{}  {}", clean(title), clean(url)) };
        out.line(&format!("  {both}"))?;
    }
    Ok(())
}

fn pairs(entity: Entity<'_>, field: &str, title: &str, out: &mut Output) -> Result<(), CliError> {
    let fields = entity.metadata(field).as_object();
    let Some(fields) = fields.filter(|fields: &Fields<'_>| !fields.is_empty()) else { return Ok(()) };
    section(out, title)?;
    for (key, value) in fields.iter() {
        let text = ValueRef::scalar_text(value).unwrap_or_default();
        out.line(&format!("  {}={}", clean(key), clean(&text)))?;
    }
    Ok(())
}

fn relations(catalog: &Catalog, entity: Entity<'_>, out: &mut Output) -> Result<(), CliError> {
    let mut by_type: BTreeMap<(bool, &str), Vec<String>> = BTreeMap::new();
    for found in entity.relations() {
        let target = clean(catalog.ref_of(found.target)).into_owned();
        let target = if catalog.is_entity(found.target) {
            target
        } else {
            out.paint(Role::Error, &format!("{target} (nobody describes it)"))
        };
        by_type.entry((!relation::is_forward(found.relation), found.relation)).or_default().push(target);
    }
    if by_type.is_empty() {
        return Ok(());
    }
    section(out, "Relations")?;
    for ((_, kind), targets) in by_type {
        let words = clean(&relation::words(kind)).into_owned();
        for (index, target) in targets.iter().enumerate() {
            let label = if index == 0 { words.as_str() } else { "" };
            let pad = (LABEL + 6).saturating_sub(width(label)).max(1);
            let label = out.paint(Role::Dim, label);
            out.line(&format!("  {label}{:pad$}{target}", ""))?;
        }
    }
    Ok(())
}

fn problems(entity: Entity<'_>, out: &mut Output) -> Result<(), CliError> {
    let mut problems = entity.problems().peekable();
    if problems.peek().is_none() {
        return Ok(());
    }
    section(out, "Problems")?;
    let has_colour = out.has_colour();
    problems.try_for_each(|problem| out.text(&render(problem, has_colour)))
}
