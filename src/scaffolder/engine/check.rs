//! Inputs against the schema of their action, in the words Backstage uses.

use crate::scaffolder::Value;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Wrong};
use serde_json::Value as Json;

/// Most faults that are told.
const MAX_FAULTS: usize = 50;

/// Returns everything that is wrong with an input; nothing when there is no schema.
pub fn faults(schema: &Value, input: &Value) -> Vec<String> {
    if schema.is_undefined() {
        return Vec::new();
    }
    let (Ok(schema), Ok(input)) = (serde_json::to_value(schema), serde_json::to_value(input)) else {
        return vec!["instance is not plain data".to_owned()];
    };
    let made = jsonschema::draft7::options().build(&schema);
    let validator = match made {
        Ok(validator) => validator,
        Err(error) => return vec![format!("the schema of the action is not usable: {error}")],
    };
    let mut found: Vec<((usize, String), Vec<String>)> =
        validator.iter_errors(&input).take(MAX_FAULTS).map(|error| (rank(&error), words(&error))).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found.into_iter().flat_map(|(_, words)| words).collect()
}

/// Faults of fields come before missing fields, those before fields that nobody knows.
fn rank(error: &ValidationError<'_>) -> (usize, String) {
    let path = error.instance_path().to_string();
    let rank = match error.kind() {
        Wrong::Required { .. } => 1,
        Wrong::AdditionalProperties { .. } => 2,
        _ => 0,
    };
    (rank, path)
}

fn words(error: &ValidationError<'_>) -> Vec<String> {
    let at = property(&error.instance_path().to_string());
    let whole = |text: String| vec![format!("{at} {text}")];
    match error.kind() {
        Wrong::Type { kind } => whole(format!("is not of a type(s) {}", types(kind))),
        Wrong::Required { property } => whole(format!("requires property {property}")),
        Wrong::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| {
                format!("{at} is not allowed to have the additional property {}", Json::from(name.as_str()))
            })
            .collect(),
        Wrong::Enum { options } => {
            let options = options.as_array().map(|all| all.iter().map(plain).collect::<Vec<_>>().join(","));
            whole(format!("is not one of enum values: {}", options.unwrap_or_default()))
        }
        Wrong::Constant { expected_value } => {
            whole(format!("does not exactly match expected constant: {}", plain(expected_value)))
        }
        Wrong::MinLength { limit } | Wrong::MinItems { limit } => {
            whole(format!("does not meet minimum length of {limit}"))
        }
        Wrong::MaxLength { limit } | Wrong::MaxItems { limit } => {
            whole(format!("does not meet maximum length of {limit}"))
        }
        Wrong::Minimum { limit } => whole(format!("must be greater than or equal to {limit}")),
        Wrong::Maximum { limit } => whole(format!("must be less than or equal to {limit}")),
        Wrong::ExclusiveMinimum { limit } => whole(format!("must be strictly greater than {limit}")),
        Wrong::ExclusiveMaximum { limit } => whole(format!("must be strictly less than {limit}")),
        Wrong::Pattern { pattern } => {
            whole(format!("does not match pattern {}", Json::from(pattern.as_str())))
        }
        Wrong::Format { format } => {
            whole(format!("does not conform to the {} format", Json::from(format.as_str())))
        }
        Wrong::UniqueItems => whole("contains duplicate item".to_owned()),
        Wrong::AnyOf { context } => whole(format!("is not any of {}", subschemas(context.len()))),
        Wrong::OneOfNotValid { context } | Wrong::OneOfMultipleValid { context } => {
            whole(format!("is not exactly one from {}", subschemas(context.len())))
        }
        _ => whole(error.to_string()),
    }
}

fn subschemas(count: usize) -> String {
    (0..count).map(|index| format!("[subschema {index}]")).collect::<Vec<_>>().join(",")
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(","),
    }
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `/a/0/b` is `instance.a[0].b`.
fn property(pointer: &str) -> String {
    let mut out = "instance".to_owned();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push_str(&format!("[{part}]"));
        } else if part.contains(|c: char| c.is_whitespace() || ".[]".contains(c))
            || part.starts_with(|c: char| c.is_ascii_digit())
        {
            out.push_str(&format!("[{}]", Json::from(part)));
        } else {
            out.push_str(&format!(".{part}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::value::Serde;
    use serde_json::json;

    #[test]
    fn faults_are_worded_as_in_backstage() {
        let schema = json!({
            "type": "object",
            "properties": {
                "url": {"type": "string"},
                "n": {"type": ["number", "boolean"]},
                "mode": {"enum": ["a", 1]},
                "files": {"type": "array", "items": {"type": "object", "required": ["from"]}, "minItems": 1},
                "open": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
            },
            "required": ["url"],
            "additionalProperties": false
        });
        let cases = [
            (json!({"url": "x"}), vec![]),
            (json!({}), vec!["instance requires property \"url\""]),
            (json!({"url": 1}), vec!["instance.url is not of a type(s) string"]),
            (
                json!({"url": "x", "b c": 1}),
                vec!["instance is not allowed to have the additional property \"b c\""],
            ),
            (json!({"url": "x", "mode": "b"}), vec!["instance.mode is not one of enum values: a,1"]),
            (json!({"url": "x", "files": [{}]}), vec!["instance.files[0] requires property \"from\""]),
            (json!({"url": "x", "files": []}), vec!["instance.files does not meet minimum length of 1"]),
            (json!({"url": "x", "open": 1}), vec!["instance.open is not any of [subschema 0],[subschema 1]"]),
            (
                json!({"n": 1, "mode": 2}),
                vec!["instance.mode is not one of enum values: a,1", "instance requires property \"url\""],
            ),
        ];
        let schema = Value::from(Serde(schema));
        for (input, expected) in cases {
            assert_eq!(faults(&schema, &Value::from(Serde(&input))), expected, "{input}");
        }
    }
}
