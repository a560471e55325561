//! Answers against a schema: what is wrong, where, in plain words.
//!
//! [`Checker::faults`] says everything at once, [`Checker::is_valid`] only whether; the branches of conditions
//! are chosen by it. JSON Schema draft 7 with the leniency of real templates: a keyword of the wrong type is
//! as if it were not there. Bounded by a budget of steps, so that no schema takes for ever.

use super::format;
use super::json::{Json, join};
use super::pattern::{Match, Patterns};
use super::rule;
use std::cell::Cell;
use std::collections::BTreeSet;

/// Something wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where: JSON pointer into the answers.
    pub pointer: String,
    /// The keyword that does not hold.
    pub keyword: &'static str,
    /// JSON pointer into the schema of the page.
    pub schema: String,
    /// What is wrong, in plain words.
    pub message: String,
}

/// Deepest nesting of schemas that are looked into.
const MAX_DEPTH: usize = 60;
/// Most faults that are told.
const MAX_FAULTS: usize = 1_000;

/// Compares values with schemas.
pub struct Checker<'a> {
    /// Where `$ref` starts.
    pub root: &'a Json,
    /// Compiled patterns.
    pub patterns: &'a Patterns,
    /// Steps that may still be taken; when they are used up everything counts as valid.
    pub budget: &'a Cell<u32>,
}

/// Where a check is, and where it tells.
struct Place<'a> {
    pointer: &'a str,
    schema: &'a str,
    depth: usize,
}

type Out<'o> = Option<&'o mut Vec<Fault>>;

impl Checker<'_> {
    /// Returns whether a value satisfies a schema.
    pub fn is_valid(&self, schema: &Json, value: &Json) -> bool {
        self.is_valid_at(schema, value, 0)
    }

    fn is_valid_at(&self, schema: &Json, value: &Json, depth: usize) -> bool {
        self.run(schema, value, &Place { pointer: "", schema: "", depth }, &mut None)
    }

    /// Returns everything that is wrong with a value at a pointer.
    pub fn faults(&self, schema: &Json, value: &Json, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.run(schema, value, &Place { pointer, schema: "", depth: 0 }, &mut Some(&mut faults));
        faults
    }

    fn spend(&self) -> bool {
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        left > 0
    }

    /// Finds what a local `$ref` means.
    pub fn definition(&self, reference: &str) -> Option<&Json> {
        let pointer = reference.strip_prefix('#')?;
        self.root.at(&percent_decoded(pointer))
    }

    fn run(&self, schema: &Json, value: &Json, at: &Place<'_>, out: &mut Out<'_>) -> bool {
        if at.depth > MAX_DEPTH || !self.spend() {
            return true;
        }
        let Some(keys) = schema.as_object() else {
            return schema.as_bool() != Some(false)
                || tell(out, at, "falseSchema", || "may not be given".into());
        };
        let mut good = true;
        for (key, rule) in keys.iter() {
            good &= self.keyword(key, rule, schema, value, at, out);
            if !good && out.is_none() {
                return false;
            }
        }
        good
    }

    fn keyword(
        &self,
        key: &str,
        rule: &Json,
        schema: &Json,
        value: &Json,
        at: &Place<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        match key {
            "$ref" => rule
                .as_str()
                .and_then(|name| self.definition(name))
                .is_none_or(|target| self.run(target, value, &Place { depth: at.depth + 1, ..*at }, out)),
            "type" => has_type(rule, value) || tell(out, at, "type", || rule::type_fault(rule)),
            "enum" => {
                rule.as_list().is_none_or(|all| all.contains(value))
                    || tell(out, at, "enum", || rule::enum_fault(schema))
            }
            "const" => rule == value || tell(out, at, "const", || format!("must be {}", rule.text())),
            "allOf" => self.all_of(rule, value, at, out),
            "anyOf" => {
                self.any_of(rule, value, at.depth + 1)
                    || tell(out, at, "anyOf", || "fits none of the choices".into())
            }
            "oneOf" => self.one_of(rule, value, at, out),
            "not" => {
                !self.is_valid_at(rule, value, at.depth + 1)
                    || tell(out, at, "not", || "is one of the values that are not allowed".into())
            }
            "if" => self.condition(rule, schema, value, at, out),
            _ => match value {
                Json::Text(text) => self.text(key, rule, schema, text, at, out),
                Json::Int(_) | Json::Number(_) => {
                    number(key, rule, schema, value.as_f64().unwrap_or(0.0), at, out)
                }
                Json::List(items) => self.list(key, rule, schema, items, at, out),
                Json::Object(_) => self.object(key, rule, schema, value, at, out),
                Json::Null | Json::Bool(_) => true,
            },
        }
    }

    fn all_of(&self, rule: &Json, value: &Json, at: &Place<'_>, out: &mut Out<'_>) -> bool {
        let mut good = true;
        for (part, number) in rule.as_list().unwrap_or_default().iter().zip(0..) {
            let schema = format!("{}/allOf/{number}", at.schema);
            good &= self.run(part, value, &Place { schema: &schema, depth: at.depth + 1, ..*at }, out);
        }
        good
    }

    fn any_of(&self, rule: &Json, value: &Json, depth: usize) -> bool {
        rule.as_list().is_none_or(|parts| {
            parts.is_empty() || parts.iter().any(|part| self.is_valid_at(part, value, depth))
        })
    }

    fn one_of(&self, rule: &Json, value: &Json, at: &Place<'_>, out: &mut Out<'_>) -> bool {
        let parts = rule.as_list().unwrap_or_default();
        let fitting = parts.iter().filter(|part| self.is_valid_at(part, value, at.depth + 1)).take(2).count();
        match fitting {
            1 => true,
            _ if parts.is_empty() => true,
            0 => tell(out, at, "oneOf", || "fits none of the choices".into()),
            _ => tell(out, at, "oneOf", || "fits more than one of the choices".into()),
        }
    }

    fn condition(&self, rule: &Json, schema: &Json, value: &Json, at: &Place<'_>, out: &mut Out<'_>) -> bool {
        let branch = if self.is_valid_at(rule, value, at.depth + 1) { "then" } else { "else" };
        let Some(part) = schema.get(branch) else { return true };
        let schema = format!("{}/{branch}", at.schema);
        self.run(part, value, &Place { schema: &schema, depth: at.depth + 1, ..*at }, out)
    }

    fn text(
        &self,
        key: &str,
        rule: &Json,
        schema: &Json,
        text: &str,
        at: &Place<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        let length = || text.chars().count();
        match key {
            "minLength" => {
                rule.as_count().is_none_or(|least| length() >= least)
                    || tell(out, at, "minLength", || {
                        format!("{}, {} now", rule::at_least(schema, rule), length())
                    })
            }
            "maxLength" => {
                rule.as_count().is_none_or(|most| length() <= most)
                    || tell(out, at, "maxLength", || {
                        format!("at most {}, {} now", rule::characters(rule), length())
                    })
            }
            "pattern" => {
                let Some(source) = rule.as_str() else { return true };
                let pattern = self.patterns.get(source);
                pattern.test(text) != Match::No
                    || tell(out, at, "pattern", || {
                        pattern.fault(text, rule::example(schema, &pattern).as_deref())
                    })
            }
            "format" => {
                let Some(format) = rule.as_str().and_then(format::find) else { return true };
                (format.test)(text) || tell(out, at, "format", || format!("needs {}", format.rule))
            }
            _ => true,
        }
    }

    fn list(
        &self,
        key: &str,
        rule: &Json,
        schema: &Json,
        items: &[Json],
        at: &Place<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        match key {
            "minItems" => {
                rule.as_count().is_none_or(|least| items.len() >= least)
                    || tell(out, at, "minItems", || {
                        format!("at least {}, {} now", rule::entries(rule), items.len())
                    })
            }
            "maxItems" => {
                rule.as_count().is_none_or(|most| items.len() <= most)
                    || tell(out, at, "maxItems", || {
                        format!("at most {}, {} now", rule::entries(rule), items.len())
                    })
            }
            "uniqueItems" if rule.as_bool() == Some(true) => match repeated(items) {
                Some(item) => tell(out, at, "uniqueItems", || format!("`{}` is there twice", item.text())),
                None => true,
            },
            "items" => self.items(rule, schema, items, at, out),
            "contains" => {
                items.iter().any(|item| self.is_valid_at(rule, item, at.depth + 1))
                    || tell(out, at, "contains", || "lacks an entry that is needed".into())
            }
            _ => true,
        }
    }

    fn items(&self, rule: &Json, schema: &Json, items: &[Json], at: &Place<'_>, out: &mut Out<'_>) -> bool {
        let mut good = true;
        for (item, number) in items.iter().zip(0usize..) {
            let of = match rule {
                Json::List(each) => each.get(number).or_else(|| schema.get("additionalItems")),
                each => Some(each),
            };
            let Some(of) = of else { continue };
            let (pointer, path) = below(out, at, &number.to_string(), "items");
            good &= self.run(of, item, &Place { pointer: &pointer, schema: &path, depth: at.depth + 1 }, out);
            if !good && out.is_none() {
                return false;
            }
        }
        good
    }

    fn object(
        &self,
        key: &str,
        rule: &Json,
        schema: &Json,
        value: &Json,
        at: &Place<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        let Some(fields) = value.as_object() else { return true };
        match key {
            "required" => self.required(rule, value, at, out),
            "properties" => {
                let mut good = true;
                for (name, part) in rule.as_object().into_iter().flat_map(super::json::Map::iter) {
                    let Some(field) = fields.get(name) else { continue };
                    let (pointer, path) = below(out, at, name, &format!("properties/{name}"));
                    good &= self.run(
                        part,
                        field,
                        &Place { pointer: &pointer, schema: &path, depth: at.depth + 1 },
                        out,
                    );
                    if !good && out.is_none() {
                        return false;
                    }
                }
                good
            }
            "additionalProperties" => self.additional(rule, schema, value, at, out),
            "patternProperties" => {
                let mut good = true;
                for (source, part) in rule.as_object().into_iter().flat_map(super::json::Map::iter) {
                    let pattern = self.patterns.get(source);
                    for (name, field) in fields.iter().filter(|(name, _)| pattern.test(name) == Match::Yes) {
                        let (pointer, path) = below(out, at, name, "patternProperties");
                        good &= self.run(
                            part,
                            field,
                            &Place { pointer: &pointer, schema: &path, depth: at.depth + 1 },
                            out,
                        );
                    }
                }
                good
            }
            "propertyNames" => {
                let wrong = fields
                    .iter()
                    .find(|(name, _)| !self.is_valid_at(rule, &Json::Text((*name).clone()), at.depth + 1));
                wrong.is_none_or(|(name, _)| {
                    tell(out, at, "propertyNames", || format!("`{name}` is not allowed as a key"))
                })
            }
            "minProperties" => {
                rule.as_count().is_none_or(|least| fields.len() >= least)
                    || tell(out, at, "minProperties", || format!("at least {}", rule::entries(rule)))
            }
            "maxProperties" => {
                rule.as_count().is_none_or(|most| fields.len() <= most)
                    || tell(out, at, "maxProperties", || format!("at most {}", rule::entries(rule)))
            }
            "dependencies" | "dependentRequired" | "dependentSchemas" => {
                self.dependencies(rule, value, at, out)
            }
            _ => true,
        }
    }

    fn required(&self, names: &Json, value: &Json, at: &Place<'_>, out: &mut Out<'_>) -> bool {
        let mut good = true;
        for name in names.as_list().unwrap_or_default().iter().filter_map(Json::as_str) {
            if value.get(name).is_none() {
                self.spend();
                let (pointer, _) = below(out, at, name, "");
                good &= tell(out, &Place { pointer: &pointer, ..*at }, "required", || "required".into());
                if out.is_none() {
                    return false;
                }
            }
        }
        good
    }

    fn additional(
        &self,
        rule: &Json,
        schema: &Json,
        value: &Json,
        at: &Place<'_>,
        out: &mut Out<'_>,
    ) -> bool {
        let known = schema.get("properties").and_then(Json::as_object);
        let patterns = schema.get("patternProperties").and_then(Json::as_object);
        let is_known = |name: &str| {
            known.is_some_and(|known| known.contains(name))
                || patterns.is_some_and(|all| {
                    all.iter().any(|(source, _)| self.patterns.get(source).test(name) == Match::Yes)
                })
        };
        let mut good = true;
        for (name, field) in value.as_object().into_iter().flat_map(super::json::Map::iter) {
            if is_known(name) {
                continue;
            }
            let (pointer, path) = below(out, at, name, "additionalProperties");
            let place = Place { pointer: &pointer, schema: &path, depth: at.depth + 1 };
            good &= if rule.as_bool() == Some(false) {
                tell(out, &Place { schema: at.schema, ..place }, "additionalProperties", || {
                    "is not asked for here".into()
                })
            } else {
                self.run(rule, field, &place, out)
            };
        }
        good
    }

    fn dependencies(&self, rule: &Json, value: &Json, at: &Place<'_>, out: &mut Out<'_>) -> bool {
        let mut good = true;
        for (name, needs) in rule.as_object().into_iter().flat_map(super::json::Map::iter) {
            if value.get(name).is_none() {
                continue;
            }
            good &= if needs.as_list().is_some() {
                self.required(needs, value, at, out)
            } else {
                let path = format!("{}/dependencies/{name}", at.schema);
                self.run(needs, value, &Place { schema: &path, depth: at.depth + 1, ..*at }, out)
            };
        }
        good
    }
}

/// Pointers of a place below; nothing is put together when nobody listens.
fn below(out: &Out<'_>, at: &Place<'_>, step: &str, schema: &str) -> (String, String) {
    if out.is_none() {
        return (String::new(), String::new());
    }
    (join(at.pointer, step), format!("{}/{schema}", at.schema))
}

/// Tells a fault; always false, the verdict.
fn tell(out: &mut Out<'_>, at: &Place<'_>, keyword: &'static str, message: impl FnOnce() -> String) -> bool {
    if let Some(faults) = out.as_mut().filter(|faults| faults.len() < MAX_FAULTS) {
        faults.push(Fault {
            pointer: at.pointer.to_owned(),
            keyword,
            schema: format!("{}/{keyword}", at.schema),
            message: message(),
        });
    }
    false
}

fn has_type(rule: &Json, value: &Json) -> bool {
    let is = |word: &Json| match word.as_str() {
        Some("number") => value.as_f64().is_some(),
        Some("any") => true,
        Some(word @ ("string" | "integer" | "boolean" | "array" | "object" | "null")) => {
            value.type_name() == word
        }
        // a word that means nothing forbids nothing
        _ => true,
    };
    match rule {
        Json::List(words) => words.is_empty() || words.iter().any(is),
        word => is(word),
    }
}

fn number(key: &str, rule: &Json, schema: &Json, number: f64, at: &Place<'_>, out: &mut Out<'_>) -> bool {
    let Some(limit) = rule.as_f64() else { return true };
    let is_strict = |key: &str| schema.get(key).and_then(Json::as_bool) == Some(true);
    match key {
        "minimum" if is_strict("exclusiveMinimum") => {
            number > limit || tell(out, at, "minimum", || format!("must be more than {}", rule.text()))
        }
        "minimum" => {
            number >= limit || tell(out, at, "minimum", || format!("must be at least {}", rule.text()))
        }
        "maximum" if is_strict("exclusiveMaximum") => {
            number < limit || tell(out, at, "maximum", || format!("must be less than {}", rule.text()))
        }
        "maximum" => {
            number <= limit || tell(out, at, "maximum", || format!("must be at most {}", rule.text()))
        }
        "exclusiveMinimum" => {
            number > limit
                || tell(out, at, "exclusiveMinimum", || format!("must be more than {}", rule.text()))
        }
        "exclusiveMaximum" => {
            number < limit
                || tell(out, at, "exclusiveMaximum", || format!("must be less than {}", rule.text()))
        }
        "multipleOf" if limit > 0.0 => {
            let times = number / limit;
            (times - times.round()).abs() < 1e-9 * times.abs().max(1.0)
                || tell(out, at, "multipleOf", || format!("must be a multiple of {}", rule.text()))
        }
        _ => true,
    }
}

/// Finds an item that is there twice; texts of long lists without comparing each with each.
fn repeated(items: &[Json]) -> Option<&Json> {
    if items.len() <= 16 {
        return items
            .iter()
            .zip(0..)
            .find(|(item, at)| items.iter().take(*at).any(|other| other == *item))
            .map(|(item, _)| item);
    }
    let mut seen = BTreeSet::new();
    items.iter().find(|item| !seen.insert(item.to_string()))
}

/// Returns whether following `$ref`s from a schema, without going into any property or item, comes back to where
/// it was: the same value would be looked at for ever.
pub fn is_endless(root: &Json) -> bool {
    let mut names: Vec<String> = Vec::new();
    collect_references(root, &mut names, 0);
    names.sort_unstable();
    names.dedup();
    names.iter().any(|name| comes_back(root, name, &mut Vec::new()))
}

fn collect_references(schema: &Json, names: &mut Vec<String>, depth: usize) {
    if depth > 2 * MAX_DEPTH || names.len() > 10_000 {
        return;
    }
    match schema {
        Json::Object(map) => map.iter().for_each(|(key, value)| match (&**key, value) {
            ("$ref", Json::Text(name)) => names.push(name.to_string()),
            (_, value) => collect_references(value, names, depth + 1),
        }),
        Json::List(items) => items.iter().for_each(|item| collect_references(item, names, depth + 1)),
        _ => {}
    }
}

fn comes_back(root: &Json, name: &str, path: &mut Vec<String>) -> bool {
    if path.iter().any(|known| known == name) || path.len() > MAX_DEPTH {
        return true;
    }
    let Some(target) = name.strip_prefix('#').and_then(|pointer| root.at(&percent_decoded(pointer))) else {
        return false;
    };
    path.push(name.to_owned());
    let mut here = Vec::new();
    in_place(target, &mut here, 0);
    let back = here.iter().any(|name| comes_back(root, name, path));
    path.pop();
    back
}

/// References that look at the same value as the schema they are in.
fn in_place(schema: &Json, names: &mut Vec<String>, depth: usize) {
    let Some(map) = schema.as_object().filter(|_| depth < MAX_DEPTH) else { return };
    names.extend(schema.text_of("$ref").map(str::to_owned));
    for key in ["allOf", "anyOf", "oneOf"] {
        super::json::json_list(map.get(key)).iter().for_each(|part| in_place(part, names, depth + 1));
    }
    for key in ["not", "if", "then", "else"] {
        map.get(key).into_iter().for_each(|part| in_place(part, names, depth + 1));
    }
    for key in ["dependencies", "dependentSchemas"] {
        for (_, part) in map.get(key).and_then(Json::as_object).into_iter().flat_map(super::json::Map::iter) {
            in_place(part, names, depth + 1);
        }
    }
}

fn percent_decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    url::form_urlencoded::parse(text.replace('+', "%2B").as_bytes())
        .next()
        .map_or_else(String::new, |(key, _)| key.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffolder::form::json::json;

    fn faults(schema: &str, value: &str) -> Vec<String> {
        let (schema, patterns, budget) = (json(schema), Patterns::default(), Cell::new(100_000));
        let checker = Checker { root: &schema, patterns: &patterns, budget: &budget };
        let faults = checker.faults(&schema, &json(value), "");
        assert_eq!(faults.is_empty(), checker.is_valid(&schema, &json(value)));
        faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.message)).collect()
    }

    #[test]
    fn says_in_words_what_is_wrong() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("{required: [a]}", "{}", &["/a: required"]),
            ("{required: true}", "{}", &[]),
            ("{properties: {a: {minLength: 3}}}", "{a: ab}", &["/a: at least 3 characters, 2 now"]),
            ("{properties: {a: {maxLength: 1}}}", "{a: ab}", &["/a: at most 1 character, 2 now"]),
            (
                "{properties: {a: {pattern: '^\\d{2}-\\d{4}$'}}}",
                "{a: x}",
                &["/a: needs the form NN-NNNN, for example 44-1203"],
            ),
            ("{type: integer}", "1.5", &[": needs a whole number"]),
            ("{type: integer}", "2.0", &[]),
            ("{type: [string, 'null']}", "2", &[": needs a text"]),
            ("{enum: [a, b]}", "c", &[": needs one of a, b"]),
            ("{enum: [1, 2], enumNames: [One, Two]}", "3", &[": needs one of One, Two"]),
            ("{const: 5}", "4", &[": must be 5"]),
            ("{minimum: 1, maximum: 3}", "9", &[": must be at most 3"]),
            ("{minimum: 1, exclusiveMinimum: true}", "1", &[": must be more than 1"]),
            ("{exclusiveMaximum: 1}", "1", &[": must be less than 1"]),
            ("{multipleOf: 0.1}", "0.3", &[]),
            ("{multipleOf: 5}", "7", &[": must be a multiple of 5"]),
            ("{minItems: 1}", "[]", &[": at least 1 entry, 0 now"]),
            ("{uniqueItems: true}", "[a, b, a]", &[": `a` is there twice"]),
            ("{items: {type: string}}", "[a, 1]", &["/1: needs a text"]),
            (
                "{items: [{type: string}], additionalItems: {type: integer}}",
                "[a, b]",
                &["/1: needs a whole number"],
            ),
            (
                "{properties: {a: {}}, additionalProperties: false}",
                "{a: 1, b: 2}",
                &["/b: is not asked for here"],
            ),
            ("{additionalProperties: {type: string}}", "{b: 2}", &["/b: needs a text"]),
            ("{dependencies: {a: [b]}}", "{a: 1}", &["/b: required"]),
            ("{dependencies: {a: {required: [b]}}}", "{c: 1}", &[]),
            ("{if: {properties: {a: {const: x}}}, then: {required: [b]}}", "{}", &["/b: required"]),
            ("{if: {properties: {a: {const: x}}, required: [a]}, then: {required: [b]}}", "{}", &[]),
            ("{oneOf: [{type: string}, {minLength: 1}]}", "x", &[": fits more than one of the choices"]),
            ("{anyOf: [{type: string}]}", "1", &[": fits none of the choices"]),
            ("{not: {const: 1}}", "1", &[": is one of the values that are not allowed"]),
            (
                "{definitions: {d: {type: string}}, properties: {a: {$ref: '#/definitions/d'}}}",
                "{a: 1}",
                &["/a: needs a text"],
            ),
            ("{properties: {a: {$ref: '#/nowhere'}}}", "{a: 1}", &[]),
            ("{format: email}", "nobody", &[": needs an email address, for example ana@example.com"]),
            ("{format: made-up}", "x", &[]),
        ];
        for (schema, value, expected) in cases {
            assert_eq!(faults(schema, value), *expected, "{schema} {value}");
        }
    }

    #[test]
    fn endless_schemas_end() {
        assert!(faults("{$ref: '#'}", "1").is_empty());
        assert!(faults("{allOf: [{$ref: '#'}, {$ref: '#'}], anyOf: [{$ref: '#'}]}", "1").is_empty());
    }
}
