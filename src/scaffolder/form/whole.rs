//! The whole answers against every page, as a server does before it takes a task.
//!
//! A page sees the answers of all pages, so that `additionalProperties: false` on one refuses those of the
//! others. What the rows say for themselves is not repeated here.

use super::check::{Checker, Fault};
use super::field::Gap;
use super::json::{Json, join};
use super::{BUDGET, Form};
use jsonschema::error::{TypeKind, ValidationErrorKind};
use std::cell::Cell;

/// Steps back that a pattern may take.
const MAX_BACKTRACKS: usize = 50_000;
/// Most faults of one page.
const MAX_FAULTS: usize = 200;

/// Returns what is wrong with the answers as a whole, on one page or all, with the number of the page.
pub fn faults(form: &Form, page: Option<usize>) -> Vec<(usize, Fault)> {
    let mut all = Vec::new();
    for (at, number, schema) in form.pages.iter().zip(0..).map(|(page, at)| (at, page.number, &page.schema)) {
        if page.is_some_and(|page| page != at) {
            continue;
        }
        let mut faults = of_page(form, schema);
        for fault in &mut faults {
            fault.schema = format!("/parameters/{number}{}", fault.schema);
        }
        all.extend(faults.into_iter().map(|fault| (at, fault)));
    }
    all
}

fn of_page(form: &Form, schema: &Json) -> Vec<Fault> {
    let budget = Cell::new(BUDGET);
    let checker = Checker { root: schema, patterns: &form.patterns, budget: &budget };
    let mut faults = checker.faults(schema, &form.state.values, "");
    // a schema that leads nowhere leads the library nowhere as well
    if faults.is_empty() && budget.get() > 0 && !super::check::is_endless(schema) {
        faults = by_library(schema, &form.state.values);
    }
    faults
}

/// What the validator library says; nothing for a schema that it refuses.
fn by_library(schema: &Json, values: &Json) -> Vec<Fault> {
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft7)
        .should_validate_formats(false)
        .with_pattern_options(jsonschema::PatternOptions::fancy_regex().backtrack_limit(MAX_BACKTRACKS))
        .offline()
        .build(&schema.to_serde());
    let Ok(validator) = validator else { return Vec::new() };
    let values = values.to_serde();
    validator.iter_errors(&values).take(MAX_FAULTS).filter_map(|error| fault(&error)).collect()
}

fn fault(error: &jsonschema::ValidationError<'_>) -> Option<Fault> {
    let mut pointer = error.instance_path().to_string();
    let (keyword, message) = match error.kind() {
        ValidationErrorKind::Required { property } => {
            pointer = join(&pointer, property.as_str().unwrap_or_default());
            ("required", "required".to_owned())
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            pointer = join(&pointer, unexpected.first().map_or("", String::as_str));
            ("additionalProperties", "is not asked for here".to_owned())
        }
        ValidationErrorKind::Type { kind: TypeKind::Single(word) } => {
            ("type", super::rule::type_fault(&Json::from(word.to_string().as_str())))
        }
        // whether it matches nobody knows
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. } => return None,
        _ => ("schema", "does not fit what the template asks for".to_owned()),
    };
    Some(Fault { pointer, keyword, schema: error.schema_path().to_string(), message })
}

/// Returns the secrets that the template wants beside the answers and that are not given.
pub fn secret_gaps(form: &Form) -> Vec<Gap> {
    let schema = Json::of(&form.template.secrets_schema);
    let names = super::json::json_list(schema.get("required")).iter().map(Json::text);
    let page = form.pages.len().saturating_sub(1);
    names
        .filter(|name| !form.state.secrets.contains_key(name))
        .map(|name| Gap {
            page,
            pointer: join("/secrets", &name),
            schema: "/secrets/schema/required".to_owned(),
            message: format!("secrets.{name} is required"),
            title: name,
        })
        .collect()
}
