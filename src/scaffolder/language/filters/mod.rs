//! The filters: those of Nunjucks and those that Backstage adds.
//!
//! Reference: Nunjucks 3.2, *Templating*, builtin filters; Backstage, *Builtin template filters*.

mod backstage;
mod sequence;
mod text;

pub use backstage::{HostKind, Hosts};

use super::budget::Budget;
use super::eval::Given;
use super::js::{self, Kind};
use super::{json, regex};
use minijinja::Value;

/// Names of all filters.
const FILTERS: &[&str] = &[
    "abs",
    "batch",
    "capitalize",
    "center",
    "d",
    "default",
    "dictsort",
    "dump",
    "e",
    "escape",
    "first",
    "float",
    "forceescape",
    "groupby",
    "indent",
    "int",
    "join",
    "last",
    "length",
    "list",
    "lower",
    "nl2br",
    "random",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "string",
    "striptags",
    "sum",
    "title",
    "trim",
    "truncate",
    "upper",
    "urlencode",
    "urlize",
    "wordcount",
    "parseRepoUrl",
    "parseEntityRef",
    "pick",
    "projectSlug",
];

/// Returns the names of all filters.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FILTERS.iter().copied()
}

/// Returns whether there is such a filter.
pub(super) fn is_known(name: &str, is_jinja: bool) -> bool {
    FILTERS.contains(&name) || (is_jinja && name == "jsonify")
}

/// Returns whether the filter puts values into new lists or objects.
pub(super) fn nests(name: &str) -> bool {
    matches!(name, "batch" | "slice" | "groupby" | "dictsort" | "list")
}

/// Applies a filter.
pub(super) fn apply(
    name: &str,
    input: &Value,
    given: Given,
    hosts: &Hosts,
    budget: &mut Budget,
) -> Result<Value, String> {
    if matches!(name, "parseRepoUrl" | "parseEntityRef" | "pick" | "projectSlug") {
        if !given.keyword.is_empty() {
            return Err("it takes no named arguments".to_owned());
        }
        return backstage::apply(name, input, &given.positional, hosts);
    }
    let arguments = Args(lower(name, given));
    budget.steps(1 + input_cost(input) / 128)?;
    if let Some(result) = text::apply(name, input, &arguments, budget) {
        return result;
    }
    if let Some(result) = sequence::apply(name, input, &arguments, budget) {
        return result;
    }
    general(name, input, &arguments, budget)
}

fn input_cost(input: &Value) -> usize {
    match js::kind(input) {
        Kind::Text(text) | Kind::Safe(text) => text.len(),
        Kind::List => js::list_len(input).saturating_mul(64),
        _ => 0,
    }
}

/// Puts named arguments where the filter looks for them.
fn lower(name: &str, given: Given) -> Vec<Value> {
    let names: &[&str] = match name {
        "int" => &["default", "base"],
        "sort" => &["reverse", "case_sensitive", "attribute"],
        _ => &[],
    };
    let mut positional = given.positional;
    if given.keyword.is_empty() {
        return positional;
    }
    if names.is_empty() {
        // Other filters get them as one object after the others, as JavaScript has it
        let pairs = given.keyword.into_iter().map(|(name, value)| (Value::from(name.as_ref()), value));
        positional.push(Value::from_pairs(pairs));
        return positional;
    }
    for name in names.iter().skip(positional.len()) {
        let value = given.keyword.iter().find(|(known, _)| known.as_ref() == *name);
        positional.push(value.map_or(Value::UNDEFINED, |(_, value)| value.clone()));
    }
    positional
}

/// Arguments by place.
struct Args(Vec<Value>);

impl Args {
    fn get(&self, index: usize) -> &Value {
        self.0.get(index).unwrap_or(&Value::UNDEFINED)
    }

    /// An argument that counts only when it is true.
    fn truthy(&self, index: usize) -> Option<&Value> {
        self.0.get(index).filter(|value| js::is_true(value))
    }
}

fn general(name: &str, input: &Value, arguments: &Args, budget: &mut Budget) -> Result<Value, String> {
    Ok(match name {
        "abs" => js::number(js::to_number(input).abs()),
        "default" | "d" => {
            let keeps =
                if arguments.truthy(1).is_some() { js::is_true(input) } else { !input.is_undefined() };
            if keeps { input.clone() } else { arguments.get(0).clone() }
        }
        "dump" | "jsonify" => {
            budget.whole(input)?;
            json::stringify(input, &indentation(arguments.get(0))).map_or(Value::UNDEFINED, Value::from)
        }
        "float" => parse_float(&js::text(input)).map_or_else(|| arguments.get(0).clone(), js::number),
        "int" => {
            let base = arguments.get(1);
            let base = if base.is_undefined() { 10 } else { js::to_integer(base) as i64 };
            parse_int(&js::text(input), base).map_or_else(|| arguments.get(0).clone(), js::number)
        }
        "length" => match js::kind(input) {
            Kind::List => Value::from(js::list_len(input)),
            Kind::Record => Value::from(js::entries(input).len()),
            Kind::Text(text) | Kind::Safe(text) => Value::from(js::text_len(text)),
            Kind::Undefined | Kind::Null | Kind::Bool(false) => Value::from(0),
            _ => Value::UNDEFINED,
        },
        "round" => {
            let factor = 10f64.powf(arguments.truthy(0).map_or(0.0, js::to_number));
            let scaled = js::to_number(input) * factor;
            let rounded = match arguments.get(1).as_str() {
                Some("ceil") => scaled.ceil(),
                Some("floor") => scaled.floor(),
                // JavaScript rounds halves up
                _ => (scaled + 0.5).floor(),
            };
            js::number(rounded / factor)
        }
        "string" => match js::kind(input) {
            Kind::Undefined | Kind::Null => return Err("there is nothing to convert".to_owned()),
            Kind::Text(_) | Kind::Safe(_) => input.clone(),
            _ => {
                budget.whole(input)?;
                Value::from(js::text(input).as_ref())
            }
        },
        _ => return Err("it is not known".to_owned()),
    })
}

/// What `JSON.stringify` indents by.
fn indentation(value: &Value) -> String {
    match js::kind(value) {
        Kind::Text(text) => js::cut(text, 0, 10).into_owned(),
        Kind::Number(number) if number >= 1.0 => " ".repeat(number.min(10.0) as usize),
        _ => String::new(),
    }
}

/// Reads the number that a text starts with.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_start_matches(js::is_space);
    for (word, number) in
        [("Infinity", f64::INFINITY), ("+Infinity", f64::INFINITY), ("-Infinity", f64::NEG_INFINITY)]
    {
        if text.starts_with(word) {
            return Some(number);
        }
    }
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    text.get(..end)?.trim_end_matches('.').parse().ok()
}

/// Reads the whole number that a text starts with.
fn parse_int(text: &str, base: i64) -> Option<f64> {
    let text = text.trim_start_matches(js::is_space);
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (base, text) = match (base, hex) {
        (0 | 16, Some(rest)) => (16, rest),
        (0, None) => (10, text),
        (2..=36, _) => (base as u32, text),
        _ => return None,
    };
    let mut number = None;
    for digit in text.chars().map_while(|c| c.to_digit(base)) {
        number = Some(number.unwrap_or(0.0) * f64::from(base) + f64::from(digit));
    }
    number.map(|number: f64| if is_negative { -number } else { number })
}

/// A text that stays safe when the input was.
fn like(input: &Value, text: String) -> Value {
    if input.is_safe() { Value::from_safe_string(text) } else { Value::from(text) }
}

/// Used by the methods as well.
pub(super) fn pattern(value: &Value) -> Option<&regex::Pattern> {
    value.downcast_object_ref::<regex::Pattern>()
}
