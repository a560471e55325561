//! What a field wants, in words, before anybody makes a mistake.

use super::format;
use super::json::Json;
use super::pattern::{Pattern, Patterns};

/// Most words of a list that are named.
const MAX_NAMED: usize = 12;

/// Returns the type of a schema in a word: the first that is not `null`, else what its keywords hint at.
pub fn type_of(schema: &Json) -> &str {
    let word = match schema.get("type") {
        Some(Json::List(words)) => words.iter().filter_map(Json::as_str).find(|word| *word != "null"),
        Some(word) => word.as_str(),
        None => None,
    };
    if let Some(word) = word {
        return word;
    }
    let has = |key: &str| schema.get(key).is_some();
    if let Some(value) = schema.get("const") {
        return value.type_name();
    }
    if let Some([first, ..]) = schema.get("enum").and_then(Json::as_list) {
        return first.type_name();
    }
    if has("properties") || has("additionalProperties") {
        return "object";
    }
    if has("items") {
        return "array";
    }
    match schema.get("default") {
        Some(value @ (Json::Bool(_) | Json::List(_) | Json::Object(_) | Json::Int(_) | Json::Number(_))) => {
            value.type_name()
        }
        _ => "string",
    }
}

/// Says what type is needed.
pub fn type_fault(rule: &Json) -> String {
    let words: Vec<&str> = match rule {
        Json::List(words) => words.iter().filter_map(Json::as_str).filter(|word| *word != "null").collect(),
        word => word.as_str().into_iter().collect(),
    };
    let name = |word: &&str| match *word {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "yes or no",
        "array" => "a list",
        "object" => "keys with values",
        "null" => "nothing",
        _ => "something else",
    };
    format!("needs {}", words.iter().map(name).collect::<Vec<_>>().join(" or "))
}

/// Says which values are allowed, by their labels.
pub fn enum_fault(schema: &Json) -> String {
    let values = schema.get("enum").and_then(Json::as_list).unwrap_or_default();
    let names = schema.get("enumNames").and_then(Json::as_list).unwrap_or_default();
    let label = |(value, at): (&Json, usize)| names.get(at).unwrap_or(value).text();
    let labels: Vec<String> = values.iter().zip(0..).take(MAX_NAMED).map(label).collect();
    let more = if values.len() > MAX_NAMED { ", …" } else { "" };
    format!("needs one of {}{more}", labels.join(", "))
}

/// `at least 3 characters`, or that something is needed at all.
pub fn at_least(_schema: &Json, least: &Json) -> String {
    format!("at least {}", characters(least))
}

/// `3 characters`.
pub fn characters(number: &Json) -> String {
    counted(number.as_count().unwrap_or(0), "character", "characters")
}

/// `3 entries`.
pub fn entries(number: &Json) -> String {
    counted(number.as_count().unwrap_or(0), "entry", "entries")
}

fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Returns the rule of a field; empty when everything goes.
pub fn rule(schema: &Json, patterns: &Patterns) -> String {
    match type_of(schema) {
        "string" => text_rule(schema, patterns),
        "integer" | "number" => number_rule(schema),
        "array" => array_rule(schema),
        _ => String::new(),
    }
}

fn text_rule(schema: &Json, patterns: &Patterns) -> String {
    if schema.get("enum").is_some() || schema.get("const").is_some() {
        return String::new();
    }
    let pattern = schema.text_of("pattern").map(|source| patterns.get(source));
    let mut parts = Vec::new();
    let (mut least, mut most) =
        (schema.get("minLength").and_then(Json::as_count), schema.get("maxLength").and_then(Json::as_count));
    let mut has_form = false;
    if let Some(pattern) = pattern.as_ref().filter(|pattern| pattern.is_understood()) {
        let (fewest, longest) = pattern.lengths();
        parts.push(pattern.rule());
        has_form = parts.iter().any(|part| part.starts_with("the form") || part.starts_with("one of"));
        least = least.max(Some(fewest).filter(|fewest| *fewest > 1));
        most = [most, longest].into_iter().flatten().min();
    }
    if let Some(length) =
        between(least.filter(|least| *least > 0), most, "character", "characters").filter(|_| !has_form)
    {
        parts.push(length);
    }
    if let Some(format) = schema.text_of("format").and_then(format::find) {
        parts.push(format.rule.to_owned());
    }
    if let Some(example) = pattern.as_ref().and_then(|pattern| example(schema, pattern)) {
        parts.push(format!("for example {example}"));
    }
    parts.join(", ")
}

fn between(least: Option<usize>, most: Option<usize>, one: &str, many: &str) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) if least == most => Some(counted(least, one, many)),
        (Some(least), Some(most)) => Some(format!("{least} to {}", counted(most, one, many))),
        (Some(least), None) => Some(format!("at least {}", counted(least, one, many))),
        (None, Some(most)) => Some(format!("at most {}", counted(most, one, many))),
        (None, None) => None,
    }
}

fn number_rule(schema: &Json) -> String {
    if schema.get("enum").is_some() || schema.get("const").is_some() {
        return String::new();
    }
    let limit = |key: &str| schema.get(key).filter(|limit| limit.as_f64().is_some()).map(Json::text);
    let is_whole = type_of(schema) == "integer";
    let mut rule = if is_whole { "a whole number".to_owned() } else { "a number".to_owned() };
    match (limit("minimum"), limit("maximum")) {
        (Some(least), Some(most)) => rule.push_str(&format!(" from {least} to {most}")),
        (Some(least), None) => rule.push_str(&format!(", at least {least}")),
        (None, Some(most)) => rule.push_str(&format!(", at most {most}")),
        (None, None) => {}
    }
    if let Some(limit) = limit("exclusiveMinimum") {
        rule.push_str(&format!(", more than {limit}"));
    }
    if let Some(limit) = limit("exclusiveMaximum") {
        rule.push_str(&format!(", less than {limit}"));
    }
    if let Some(step) = limit("multipleOf") {
        rule.push_str(&format!(", a multiple of {step}"));
    }
    rule
}

fn array_rule(schema: &Json) -> String {
    let count = |key: &str| schema.get(key).and_then(Json::as_count);
    let mut parts: Vec<String> =
        between(count("minItems").filter(|least| *least > 0), count("maxItems"), "entry", "entries")
            .into_iter()
            .collect();
    if schema.get("uniqueItems").and_then(Json::as_bool) == Some(true) {
        parts.push("no entry twice".to_owned());
    }
    parts.join(", ")
}

/// Returns a text that would be good: an example of the author, else one made from the pattern.
pub fn example(schema: &Json, pattern: &Pattern) -> Option<String> {
    let least = schema.get("minLength").and_then(Json::as_count).unwrap_or(0);
    let most = schema.get("maxLength").and_then(Json::as_count).unwrap_or(usize::MAX);
    let fits = |text: &str| (least..=most).contains(&text.chars().count());
    let written = schema.get("examples").and_then(Json::as_list).unwrap_or_default().iter();
    let written =
        written.chain(schema.get("ui:placeholder")).chain(schema.get("default")).filter_map(Json::as_str);
    let is_good =
        |text: &&str| fits(text) && !text.is_empty() && pattern.test(text) == super::pattern::Match::Yes;
    written.into_iter().find(is_good).map(str::to_owned).or_else(|| pattern.example(fits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffolder::form::json::json;

    #[test]
    fn rules_are_said_before() {
        let cases = [
            ("{type: string}", ""),
            ("{type: string, minLength: 3}", "at least 3 characters"),
            ("{type: string, minLength: 3, maxLength: 40}", "3 to 40 characters"),
            ("{type: string, pattern: '^\\d{2}-\\d{4}$'}", "the form NN-NNNN, for example 44-1203"),
            (
                "{type: string, pattern: '^[a-z][a-z0-9-]{2,40}$', maxLength: 30}",
                "lower case letters, digits and `-`, beginning with a lower case letter, 3 to 30 characters, for example abcd",
            ),
            ("{type: string, format: email}", "an email address, for example ana@example.com"),
            ("{type: integer, minimum: 1, maximum: 20}", "a whole number from 1 to 20"),
            (
                "{type: number, exclusiveMinimum: 0, multipleOf: 0.5}",
                "a number, more than 0, a multiple of 0.5",
            ),
            ("{type: array, minItems: 1, maxItems: 5, uniqueItems: true}", "1 to 5 entries, no entry twice"),
            ("{enum: [1, 2]}", ""),
            ("{type: string, pattern: '('}", ""),
        ];
        for (schema, expected) in cases {
            assert_eq!(rule(&json(schema), &Patterns::default()), expected, "{schema}");
        }
    }
}
