//! Which schema holds now: references, conditions and branches decided by the answers.
//!
//! [`Resolver::retrieve`] turns a schema with `$ref`, `allOf`, `if` and `dependencies` into a plain one of
//! properties, by the data at its place. It goes one level deep: the form asks again for each field below.
//! The rules are those of the form library that Backstage uses (react-jsonschema-form, version 5).

use super::check::Checker;
use super::json::{Json, Map, json_list};
use std::sync::Arc;

/// Deepest chain of references and branches.
const MAX_DEPTH: usize = 30;

/// Decides conditions.
pub struct Resolver<'a> {
    /// Compares data with the conditions.
    pub checker: Checker<'a>,
}

impl Resolver<'_> {
    /// Returns the schema that holds for this data.
    pub fn retrieve(&self, schema: &Json, data: &Json) -> Json {
        self.at_depth(schema, data, 0)
    }

    fn at_depth(&self, schema: &Json, data: &Json, depth: usize) -> Json {
        let Some(keys) = schema.as_object().filter(|_| depth < MAX_DEPTH && self.checker.budget.get() > 0)
        else {
            return schema.clone();
        };
        self.checker.budget.set(self.checker.budget.get().saturating_sub(1));
        let has = |key: &str| keys.contains(key);
        if !["$ref", "allOf", "if", "dependencies", "dependentRequired", "dependentSchemas"]
            .iter()
            .any(|key| has(key))
        {
            return schema.clone();
        }
        let mut now = schema.clone();
        if let Some(name) = schema.text_of("$ref") {
            let map = now.fields_mut();
            map.remove("$ref");
            let target = self.checker.definition(name).cloned().unwrap_or_else(Json::object);
            return self.at_depth(&merged(&target, &now), data, depth + 1);
        }
        for key in ["dependencies", "dependentRequired", "dependentSchemas"] {
            if let Some(Json::Object(rules)) = now.fields_mut().remove(key) {
                now = self.dependencies(now, &rules, data, depth);
            }
        }
        if let Some(test) = now.fields_mut().remove("if") {
            now = self.condition(now, &test, data, depth);
        }
        if let Some(Json::List(parts)) = now.fields_mut().remove("allOf") {
            for part in parts.iter() {
                let part = self.at_depth(part, data, depth + 1);
                now = intersected(&now, &part, 0);
            }
        }
        now
    }

    fn condition(&self, mut now: Json, test: &Json, data: &Json, depth: usize) -> Json {
        let (then, otherwise) = (now.fields_mut().remove("then"), now.fields_mut().remove("else"));
        let branch = if self.checker.is_valid(test, data) { then } else { otherwise };
        match branch {
            Some(branch @ Json::Object(_)) => merged(&now, &self.at_depth(&branch, data, depth + 1)),
            _ => now,
        }
    }

    /// Adds what the given answers bring with them; a key that another branch brings is looked at again.
    fn dependencies(&self, mut now: Json, rules: &Arc<Map>, data: &Json, depth: usize) -> Json {
        let mut left: Vec<(&Arc<str>, &Json)> = rules.iter().collect();
        while let Some(at) =
            left.iter().position(|(name, _)| is_asked(&now, name) && data.get(name).is_some())
        {
            let (name, needs) = left.remove(at);
            now = match needs {
                Json::List(_) => with_required(now, needs),
                needs => self.dependent(now, name, needs, data, depth),
            };
        }
        now
    }

    fn dependent(&self, now: Json, name: &str, needs: &Json, data: &Json, depth: usize) -> Json {
        let mut needs = self.at_depth(needs, data, depth + 1);
        if needs.as_object().is_none() {
            return now;
        }
        let branches = needs.fields_mut().remove("oneOf");
        let now = merged(&now, &needs);
        let Some(branches) = branches.as_ref().and_then(Json::as_list) else { return now };
        let fits = |branch: &&Json| {
            let condition = branch.get("properties").and_then(|properties| properties.get(name));
            condition.is_some_and(|condition| {
                data.get(name).is_some_and(|value| self.checker.is_valid(condition, value))
            })
        };
        let branches: Vec<Json> = branches.iter().map(|branch| self.dereferenced(branch)).collect();
        let mut fitting = branches.iter().filter(fits);
        // none, or more than one: the author's mistake, and no branch is taken
        let (Some(branch), None) = (fitting.next(), fitting.next()) else { return now };
        let mut branch = branch.clone();
        if let Some(properties) = branch.fields_mut().get_mut("properties") {
            properties.fields_mut().remove(name);
        }
        merged(&now, &self.at_depth(&branch, data, depth + 1))
    }

    fn dereferenced(&self, schema: &Json) -> Json {
        let target = schema.text_of("$ref").and_then(|name| self.checker.definition(name));
        target.unwrap_or(schema).clone()
    }

    /// Returns which of several options fits the data best: the one whose own keys are there and valid, else
    /// the first that is valid, else the first.
    pub fn option(&self, options: &[Json], data: &Json) -> usize {
        let has_own = |option: &Json| {
            let own = option.get("properties").and_then(Json::as_object);
            own.is_none_or(|own| own.iter().any(|(key, _)| data.get(key).is_some()))
        };
        let without_required = |option: &Json| {
            let mut option = self.dereferenced(option);
            if option.as_object().is_some() {
                option.fields_mut().remove("required");
            }
            option
        };
        let fits = |option: &Json| has_own(option) && self.checker.is_valid(option, data);
        let nearly =
            |option: &Json| has_own(option) && self.checker.is_valid(&without_required(option), data);
        let tests: [&dyn Fn(&Json) -> bool; 3] =
            [&fits, &nearly, &|option| self.checker.is_valid(option, data)];
        let is_empty = matches!(data, Json::Null) || data.as_object().is_some_and(Map::is_empty);
        if is_empty {
            return 0;
        }
        tests.iter().find_map(|test| options.iter().position(test)).unwrap_or(0)
    }
}

fn is_asked(schema: &Json, name: &str) -> bool {
    schema.get("properties").is_none_or(|properties| properties.get(name).is_some())
}

fn with_required(mut schema: Json, names: &Json) -> Json {
    let all = union(schema.get("required"), Some(names));
    schema.fields_mut().insert("required", all);
    schema
}

/// Both lists, nothing twice.
fn union(left: Option<&Json>, right: Option<&Json>) -> Json {
    let mut all: Vec<Json> = json_list(left).to_vec();
    for item in json_list(right) {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    all.into()
}

/// Lays one schema over another: objects together, `required` of both, else the later one wins.
pub fn merged(left: &Json, right: &Json) -> Json {
    let (Json::Object(left), Json::Object(right)) = (left, right) else { return right.clone() };
    let mut all = (**left).clone();
    for (key, value) in right.iter() {
        let value = match (left.get(key), value) {
            (Some(old @ Json::Object(_)), Json::Object(_)) => merged(old, value),
            (Some(old @ Json::List(_)), Json::List(_)) if &**key == "required" => {
                union(Some(old), Some(value))
            }
            _ => value.clone(),
        };
        all.insert(key.clone(), value);
    }
    all.into()
}

/// Both schemas at once, as `allOf` wants it: the narrower of each.
pub fn intersected(left: &Json, right: &Json, depth: usize) -> Json {
    let (Json::Object(left), Json::Object(right)) = (left, right) else {
        return if left.as_object().is_some() { left.clone() } else { right.clone() };
    };
    if depth > MAX_DEPTH {
        return Json::Object(left.clone());
    }
    let mut all = (**left).clone();
    for (key, value) in right.iter() {
        let value = match all.get(key) {
            None => value.clone(),
            Some(old) => both(key, old, value, depth),
        };
        all.insert(key.clone(), value);
    }
    all.into()
}

fn both(key: &str, old: &Json, new: &Json, depth: usize) -> Json {
    let number = |pick: fn(f64, f64) -> f64| match (old.as_f64(), new.as_f64()) {
        (Some(a), Some(b)) => Json::number(pick(a, b)),
        _ => old.clone(),
    };
    match key {
        "properties" | "patternProperties" | "definitions" | "$defs" => {
            let mut all = old.as_object().cloned().unwrap_or_default();
            for (name, part) in new.as_object().into_iter().flat_map(Map::iter) {
                let part = match all.get(name) {
                    Some(known) => intersected(known, part, depth + 1),
                    None => part.clone(),
                };
                all.insert(name.clone(), part);
            }
            all.into()
        }
        "items" => intersected(old, new, depth + 1),
        "required" => union(Some(old), Some(new)),
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" => number(f64::max),
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" => number(f64::min),
        "uniqueItems" => Json::Bool(old.as_bool() == Some(true) || new.as_bool() == Some(true)),
        "enum" => json_list(Some(old))
            .iter()
            .filter(|value| json_list(Some(new)).contains(value))
            .cloned()
            .collect::<Vec<_>>()
            .into(),
        "pattern" if old != new => match (old.as_str(), new.as_str()) {
            (Some(a), Some(b)) => Json::Text(format!("(?={})(?={})", ahead(a), ahead(b)).into()),
            _ => old.clone(),
        },
        "additionalProperties" => match (old, new) {
            (Json::Bool(false), _) | (_, Json::Bool(false)) => Json::Bool(false),
            (Json::Object(_), Json::Object(_)) => intersected(old, new, depth + 1),
            (Json::Bool(_), new) => new.clone(),
            (old, _) => old.clone(),
        },
        // words for people: those of the outermost
        "title" | "description" | "default" => old.clone(),
        _ => new.clone(),
    }
}

/// A pattern as it stands in a look-ahead from any place: one without an anchor may match further on.
fn ahead(pattern: &str) -> String {
    if pattern.starts_with('^') { pattern.to_owned() } else { format!("[^]*(?:{pattern})") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scaffolder::form::json::json;
    use crate::scaffolder::form::pattern::Patterns;
    use std::cell::Cell;

    fn keys(schema: &str, data: &str) -> String {
        let (schema, patterns, budget) = (json(schema), Patterns::default(), Cell::new(100_000));
        let resolver = Resolver { checker: Checker { root: &schema, patterns: &patterns, budget: &budget } };
        let now = resolver.retrieve(&schema, &json(data));
        let names = now.get("properties").and_then(Json::as_object).into_iter().flat_map(Map::iter);
        let required = json_list(now.get("required"));
        names
            .map(|(name, _)| {
                if required.contains(&Json::from(&**name)) { format!("{name}* ") } else { format!("{name} ") }
            })
            .collect::<String>()
            .trim_end()
            .to_owned()
    }

    #[test]
    fn branches_follow_the_answers() {
        let by_const = "{properties: {a: {type: string}}, dependencies: {a: {oneOf: [\
            {properties: {a: {const: x}, b: {}}, required: [b]}, {properties: {a: {enum: [y]}, c: {}}}]}}}";
        let nested = "{properties: {a: {}}, dependencies: {a: {oneOf: [{properties: {a: {const: x}, b: {}}, \
            dependencies: {b: {oneOf: [{properties: {b: {const: y}, c: {}}}]}}}]}}}";
        let chained =
            "{properties: {a: {}}, dependencies: {b: {properties: {c: {}}}, a: {properties: {b: {}}}}}";
        let condition = "{properties: {a: {}}, if: {properties: {a: {const: x}}}, then: {properties: {b: {}}, required: [b]}, else: {properties: {c: {}}}}";
        let many = "{properties: {a: {}}, allOf: [{if: {properties: {a: {const: x}}, required: [a]}, then: {properties: {b: {}}}}, \
            {if: {properties: {a: {const: y}}, required: [a]}, then: {properties: {c: {}}, allOf: [{if: {required: [c]}, then: {properties: {d: {}}}}]}}]}";
        let cases = [
            (by_const, "{}", "a"),
            (by_const, "{a: x}", "a b*"),
            (by_const, "{a: y}", "a c"),
            (by_const, "{a: z}", "a"),
            (nested, "{a: x}", "a b"),
            (nested, "{a: x, b: y}", "a b c"),
            (chained, "{a: 1, b: 1}", "a b c"),
            (chained, "{b: 1}", "a"),
            ("{properties: {a: {}, b: {}}, dependencies: {a: [b]}}", "{a: 1}", "a b*"),
            (condition, "{}", "a b*"),
            (condition, "{a: y}", "a c"),
            (many, "{}", "a"),
            (many, "{a: x}", "a b"),
            (many, "{a: y}", "a c"),
            (many, "{a: y, c: 1}", "a c d"),
            ("{definitions: {d: {properties: {x: {}}}}, $ref: '#/definitions/d', required: [x]}", "{}", "x*"),
            (
                "{allOf: [{properties: {a: {}}, required: [a]}, {properties: {b: {}}, required: [b]}]}",
                "{}",
                "a* b*",
            ),
            ("{$ref: '#'}", "{}", ""),
        ];
        for (schema, data, expected) in cases {
            assert_eq!(keys(schema, data), expected, "{schema} {data}");
        }
    }

    #[test]
    fn all_of_takes_the_narrower() {
        let left = json("{minLength: 2, enum: [a, b], title: First, type: string}");
        let right = json("{minLength: 5, maxLength: 9, enum: [b, c], title: Second}");
        let expected = json("{minLength: 5, enum: [b], title: First, type: string, maxLength: 9}");
        assert_eq!(intersected(&left, &right, 0), expected);
    }
}
