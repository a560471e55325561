//! Which entities the words of a command line mean.
//!
//! A word is a kind (`component`, `comp`, `apis`, `team`, …), then a ref (`api:payments/ledger`,
//! `payments/ledger`), then the name of the one entity that is called so. Names behind a kind word are
//! looked for within that kind, as kubectl does: `get component checkout`.

use super::args::GlobalArgs;
use super::error::CliError;
use crate::app::palette::KIND_WORDS;
use crate::catalog::{Catalog, EntityId};
use crate::diagnostic::Diagnostic;
use crate::model::EntityRef;
use crate::model::entity_ref::split_canonical;
use crate::model::text::nearest;
use std::collections::BTreeSet;

/// Most candidates that are listed.
const CANDIDATES: usize = 10;

/// What the words of a command line select.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Kinds of which all are meant, lower case.
    pub kinds: BTreeSet<String>,
    /// Single entities.
    pub ids: BTreeSet<EntityId>,
    /// Whether every entity is meant.
    pub is_all: bool,
}

/// Returns the kind a word means, in lower case: a word people use for a kind of the model, or any kind
/// that occurs.
pub fn kind_word(catalog: &Catalog, word: &str) -> Option<String> {
    let word = word.to_lowercase();
    if let Some((_, kind)) = KIND_WORDS.iter().find(|(known, _)| *known == word) {
        return Some((*kind).to_owned());
    }
    let singular = match word.strip_suffix("ies") {
        Some(stem) => Some(format!("{stem}y")),
        None => word.strip_suffix('s').map(str::to_owned),
    };
    kinds(catalog).into_iter().find(|kind| *kind == word || singular.as_deref() == Some(kind.as_str()))
}

/// Returns the kinds that occur, lower case, sorted.
pub fn kinds(catalog: &Catalog) -> Vec<String> {
    let mut kinds: Vec<String> = Vec::new();
    for entity in catalog.entities() {
        let kind = split_canonical(entity.entity_ref()).0;
        if kinds.last().is_none_or(|last| last != kind) {
            kinds.push(kind.to_owned());
        }
    }
    kinds
}

/// Returns what the words select; no words select everything.
///
/// # Errors
/// [`CliError::NotFound`] for a name nobody has, [`CliError::Usage`] for one that several have.
pub fn words(catalog: &Catalog, words: &[String], global: &GlobalArgs) -> Result<Selection, CliError> {
    let mut selection = Selection { is_all: words.is_empty(), ..Selection::default() };
    let mut kind: Option<String> = None;
    let mut is_narrowed = false;
    for word in words {
        if word.eq_ignore_ascii_case("all") {
            selection.is_all = true;
        } else if let Some(next) = kind_word(catalog, word) {
            if let Some(whole) = kind.replace(next).filter(|_| !is_narrowed) {
                selection.kinds.insert(whole);
            }
            is_narrowed = false;
        } else {
            selection.ids.insert(one(catalog, word, kind.as_deref(), global)?);
            is_narrowed = true;
        }
    }
    selection.kinds.extend(kind.filter(|_| !is_narrowed));
    Ok(selection)
}

/// Returns the one entity that a ref or name means, in a kind if one was named.
///
/// # Errors
/// As [`words`].
pub fn one(
    catalog: &Catalog,
    word: &str,
    kind: Option<&str>,
    global: &GlobalArgs,
) -> Result<EntityId, CliError> {
    let namespace = global.namespace.as_deref().unwrap_or("default");
    let has_kind = word.split('/').next().is_some_and(|start| start.contains(':'));
    let typed = if has_kind {
        let (given, rest) = word.split_once(':').unwrap_or(("", word));
        // `comp:checkout`: short words stand for kinds here too
        let given = kind_word(catalog, given).unwrap_or_else(|| given.to_owned());
        EntityRef::parse(&format!("{given}:{rest}"), None, namespace)
    } else {
        EntityRef::parse(word, Some(kind.unwrap_or("component")), namespace)
    };
    let typed = typed.map_err(|error| {
        CliError::usage(error.to_string(), "a ref is `kind:name` or `kind:namespace/name`")
    })?;
    if has_kind || kind.is_some() {
        let exact = catalog.find(&typed.to_string()).filter(|id| catalog.is_entity(*id));
        if let Some(id) = exact {
            return Ok(id);
        }
    }
    let has_namespace = word.contains('/') || global.namespace.is_some();
    let candidates: Vec<EntityId> = if has_kind && has_namespace {
        Vec::new()
    } else {
        let same_kind =
            |found: &str| if has_kind { found == typed.kind } else { kind.is_none_or(|k| k == found) };
        let same = |id: &EntityId| {
            let (kind, namespace, name) = split_canonical(catalog.ref_of(*id));
            name == typed.name && same_kind(kind) && (!has_namespace || namespace == typed.namespace)
        };
        catalog.ids().filter(same).collect()
    };
    match candidates.as_slice() {
        [only] => Ok(*only),
        [] => Err(not_found(catalog, word, &typed, has_kind || kind.is_some())),
        several => Err(ambiguous(catalog, word, several)),
    }
}

/// Returns all entities that have the name of a word without a kind, within the namespace if one is named.
pub fn of_name(catalog: &Catalog, word: &str, global: &GlobalArgs) -> Vec<EntityId> {
    let namespace = global.namespace.as_deref().unwrap_or("default");
    let Ok(typed) = EntityRef::parse(word, Some("component"), namespace) else { return Vec::new() };
    let has_namespace = word.contains('/');
    let is_it = |id: &EntityId| {
        let (_, namespace, name) = split_canonical(catalog.ref_of(*id));
        name == typed.name && (!has_namespace || namespace == typed.namespace)
    };
    catalog.ids().filter(|id| catalog.is_entity(*id)).filter(is_it).collect()
}

fn ambiguous(catalog: &Catalog, word: &str, several: &[EntityId]) -> CliError {
    let refs: Vec<String> =
        several.iter().take(CANDIDATES).map(|id| format!("`{}`", catalog.ref_of(*id))).collect();
    let more = several.len().saturating_sub(CANDIDATES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    CliError::misuse(
        Diagnostic::error("cli::ambiguous", format!("`{word}` is the name of {} entities", several.len()))
            .hint(format!("name one of {}{more}", refs.join(", "))),
    )
}

fn not_found(catalog: &Catalog, word: &str, typed: &EntityRef, has_kind: bool) -> CliError {
    let message = if has_kind {
        let dangling = catalog.find(&typed.to_string()).is_some();
        let why = if dangling { "others refer to it, but nobody describes" } else { "there is no" };
        format!("{why} `{typed}`")
    } else {
        format!("there is no kind and no entity called `{word}`")
    };
    let diagnostic = Diagnostic::error("cli::not-found", message);
    let names: Vec<(&str, EntityId)> =
        catalog.ids().map(|id| (split_canonical(catalog.ref_of(id)).2, id)).collect();
    let near: BTreeSet<&str> =
        nearest(&typed.name, names.iter().map(|(name, _)| *name)).into_iter().collect();
    let refs: Vec<String> = names
        .iter()
        .filter(|(name, _)| near.contains(name))
        .take(CANDIDATES)
        .map(|(_, id)| format!("`{}`", catalog.ref_of(*id)))
        .collect();
    let kinds = kinds(catalog);
    let near_kind = nearest(word, kinds.iter().map(String::as_str));
    CliError::not_found(diagnostic.hint(match (refs.is_empty(), near_kind.first()) {
        (false, _) => format!("did you mean {}?", refs.join(", ")),
        (true, Some(kind)) if !has_kind => format!("did you mean the kind `{kind}`?"),
        _ => "`devportal search WORDS` finds entities by name, title, description and tags".to_owned(),
    }))
}
